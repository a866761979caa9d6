/* SPDX-License-Identifier: Apache-2.0 */
/* Quoting by hand: libcsv's writer quotes, but knows nothing of formulas. */
#include "csv-out.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static FILE *out;
static bool is_inside_row;

static void separate(void) {
    if (is_inside_row)
        putc(',', out);
    is_inside_row = true;
}

void csv_out_begin_to(FILE *to) {
    out = to;
    fputs("\xef\xbb\xbf", out);
    is_inside_row = false;
}

void csv_out_begin(void) {
    csv_out_begin_to(stdout);
}

void csv_out_text(const char *text) {
    separate();
    putc('"', out);
    if (*text && strchr("=+-@\t\r", *text))
        putc('\'', out);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', out);
        putc(*text, out);
    }
    putc('"', out);
}

void csv_out_number(int64_t number) {
    separate();
    fprintf(out, "\"%" PRId64 "\"", number);
}

void csv_out_hundredths(int64_t number) {
    uint64_t size = number < 0 ? -(uint64_t)number : (uint64_t)number;
    separate();
    fprintf(out, "\"%s%" PRIu64 ".%02" PRIu64 "\"", number < 0 ? "-" : "", size / 100, size % 100);
}

void csv_out_decimal(const char *number) {
    assert(strspn(number, "-0123456789.") == strlen(number));
    separate();
    fprintf(out, "\"%s\"", number);
}

void csv_out_end(void) {
    fputs("\r\n", out);
    is_inside_row = false;
}
