/* SPDX-License-Identifier: Apache-2.0 */
/* Whole numbers only, so that the same figure is the same text everywhere. */
#include "report-figure.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

static const char mark_letters[] = "czxk";

struct report_figure report_figure_read(const json_t *value) {
    const char *text = json_string_value(value);
    if (json_is_integer(value) && json_integer_value(value) <= REPORT_FIGURE_MAX &&
        json_integer_value(value) >= -REPORT_FIGURE_MAX)
        return (struct report_figure){.value = (int64_t)json_integer_value(value)};
    if (!value || json_is_object(value))
        return (struct report_figure){.mark = REPORT_MARK_ABSENT};
    if (text && strlen(text) == 3 && text[0] == '[' && strchr(mark_letters, text[1]) &&
        text[2] == ']')
        return (struct report_figure){.mark = text[1]};
    return (struct report_figure){.mark = 'x'};
}

bool report_figure_is_shown(struct report_figure figure) {
    return figure.mark == REPORT_MARK_NONE;
}

struct report_figure report_figure_share(struct report_figure part, struct report_figure whole) {
    __int128 sum = (__int128)part.value * 2000 + whole.value;
    if (!report_figure_is_shown(part))
        return part;
    if (!report_figure_is_shown(whole))
        return whole;
    if (whole.value <= 0 || part.value < 0)
        return (struct report_figure){.mark = REPORT_MARK_ABSENT};
    return (struct report_figure){.value = (int64_t)(sum / ((__int128)whole.value * 2))};
}

/* -------------------------------------------------------------------- texts */

/* Puts commas between the thousands of the leading number: "7939 h 15" to "7,939 h 15". */
static void thousands(char figure[REPORT_FIGURE_BYTES]) {
    char *digits = figure + (*figure == '-');
    for (size_t n = strspn(digits, "0123456789"); n > 3; n -= 3)
        if (strlen(figure) + 1 < REPORT_FIGURE_BYTES) {
            memmove(digits + n - 2, digits + n - 3, strlen(digits + n - 3) + 1);
            digits[n - 3] = ',';
        }
}

const char *report_figure_time(int64_t minutes, char ret[REPORT_FIGURE_BYTES]) {
    tb_time_format(minutes, ret);
    thousands(ret);
    return ret;
}

const char *report_figure_count(int64_t n, char ret[REPORT_FIGURE_BYTES]) {
    snprintf(ret, REPORT_FIGURE_BYTES, "%" PRId64, n);
    thousands(ret);
    return ret;
}

/* n / 10^decimals, with shown of the decimals, to the nearest. */
static const char *decimal(int64_t n, int decimals, int shown, char ret[REPORT_FIGURE_BYTES]) {
    uint64_t size = n < 0 ? -(uint64_t)n : (uint64_t)n, unit = 1;
    for (int i = shown; i < decimals; i++)
        size = size / 10 + (i + 1 == decimals && size % 10 >= 5);
    for (int i = 0; i < shown; i++)
        unit *= 10;
    snprintf(ret, REPORT_FIGURE_BYTES, "%s%" PRIu64 ".%0*" PRIu64, n < 0 && size > 0 ? "-" : "",
             size / unit, shown, size % unit);
    thousands(ret);
    return ret;
}

const char *report_figure_hundredths(int64_t n, char ret[REPORT_FIGURE_BYTES]) {
    return decimal(n, 2, 2, ret);
}

static const char *with_word(char ret[REPORT_FIGURE_BYTES], const char *word) {
    strncat(ret, word, REPORT_FIGURE_BYTES - strlen(ret) - 1);
    return ret;
}

static const char *value_text(int64_t value, enum report_unit unit, char ret[REPORT_FIGURE_BYTES]) {
    switch (unit) {
    case REPORT_TIME:
        return report_figure_time(value, ret);
    case REPORT_HOURS:
        return report_figure_count((value + (value < 0 ? -30 : 30)) / 60, ret);
    case REPORT_DAYS:
        report_figure_count(value, ret);
        return with_word(ret, value == 1 ? " day" : " days");
    case REPORT_PERCENT:
        decimal(value, 1, 1, ret);
        return with_word(ret, " %");
    case REPORT_RATIO:
        return decimal(value, 3, 2, ret);
    case REPORT_PER_MILLION:
        decimal(value, 4, 4, ret);
        return with_word(ret, " %");
    case REPORT_COUNT:
    default:
        return report_figure_count(value, ret);
    }
}

const char *report_figure_text(struct report_figure figure, enum report_unit unit,
                               char ret[REPORT_FIGURE_BYTES]) {
    if (report_figure_is_shown(figure))
        return value_text(figure.value, unit, ret);
    if (figure.mark == REPORT_MARK_ABSENT)
        *ret = '\0';
    else
        snprintf(ret, REPORT_FIGURE_BYTES, "[%c]", figure.mark);
    return ret;
}

/* -------------------------------------------------------------------- marks */

const char *report_mark_meaning(char mark) {
    switch (mark) {
    case 'c':
        return "confidential: too few people stand behind it, or another hidden figure would "
               "follow from it";
    case 'z':
        return "not applicable";
    case 'x':
        return "not available in a report of this class";
    case 'k':
        return "rounds to zero";
    default:
        return "";
    }
}

static unsigned marks_of(const json_t *value) {
    unsigned marks = 0;
    const char *key;
    json_t *inner;
    if (json_is_string(value))
        return 1u << (strchr(mark_letters, report_figure_read(value).mark) - mark_letters);
    json_object_foreach((json_t *)(uintptr_t)value, key, inner) marks |= marks_of(inner);
    return marks;
}

size_t report_marks_each(const json_t *report, void (*each)(void *user, char mark), void *user) {
    static const char *const groups[] = {"measures", "further_measures", "register_measures"};
    unsigned marks = 0;
    size_t n = 0;
    for (size_t i = 0; i < N_ELEMENTS(groups); i++)
        marks |= marks_of(json_object_get(report, groups[i]));
    for (size_t i = 0; mark_letters[i]; i++) {
        if (!(marks & 1u << i))
            continue;
        if (each)
            each(user, mark_letters[i]);
        n++;
    }
    return n;
}
