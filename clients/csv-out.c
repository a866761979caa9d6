/* SPDX-License-Identifier: Apache-2.0 */
/* Quoting by hand: libcsv's writer quotes, but knows nothing of formulas. */
#include "csv-out.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_inside_row;

static void separate(void) {
    if (is_inside_row)
        putchar(',');
    is_inside_row = true;
}

void csv_out_begin(void) {
    fputs("\xef\xbb\xbf", stdout);
    is_inside_row = false;
}

void csv_out_text(const char *text) {
    separate();
    putchar('"');
    if (*text && strchr("=+-@\t\r", *text))
        putchar('\'');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

void csv_out_number(int64_t number) {
    separate();
    printf("\"%" PRId64 "\"", number);
}

void csv_out_end(void) {
    fputs("\r\n", stdout);
    is_inside_row = false;
}
