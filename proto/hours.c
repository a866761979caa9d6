/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads time as people write it and writes it as people read it. The text is first made plain
 * (case, spaces, the signs for halves and quarters), then one of four shapes takes it whole or it
 * is refused: minutes, hours and minutes, a clock, or a number of hours. Whatever a second person
 * might read otherwise is refused with both readings; that is cheaper than a wrong balance.
 */
#include "hours.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "code.h"
#include "refusal.h"

#define TEXT_MAX 40 /* longer is no time */

/* In the plain text ½ ¼ ¾ are these; letters are folded, so they are free. */
#define SIGN_HALF 'H'
#define SIGN_QUARTER 'Q'
#define SIGN_THREE_QUARTERS 'T'

struct plain {
    char text[TEXT_MAX + 1];
    const char *at;
    const char *typed; /* for sentences; never NULL */
    char *why;
    size_t n_why;
};

__attribute__((format(printf, 3, 4))) static int refuse(const struct plain *p, int refusal,
                                                        const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (p->n_why > 0)
        vsnprintf(p->why, p->n_why, format, args);
    va_end(args);
    return refusal;
}

static int refuse_as_no_time(const struct plain *p) {
    return refuse(p, REFUSAL_BAD_TIME, "%s is not a time: write 2h30, 2:30, 2.5 or 150m.",
                  p->typed);
}

/* Replaces what stands at *from by one plain character; false when it is not plain itself. */
static bool sign_get(const char **from, char *ret) {
    static const struct {
        const char *sign;
        char plain;
    } signs[] = {
        {"\xc2\xbd", SIGN_HALF}, {"\xc2\xbc", SIGN_QUARTER}, {"\xc2\xbe", SIGN_THREE_QUARTERS},
        {"\xe2\x88\x92", '-'},   {"\xe2\x80\x93", '-'},      {"\xc2\xa0", ' '},
        {"\xe2\x80\xaf", ' '},   {"\xe2\x80\x89", ' '},      {"\t", ' '},
    };
    for (size_t i = 0; i < N_ELEMENTS(signs); i++) {
        size_t n = strlen(signs[i].sign);
        if (strncmp(*from, signs[i].sign, n) != 0)
            continue;
        *from += n;
        *ret = signs[i].plain;
        return true;
    }
    return false;
}

static bool plain_make(const char *from, struct plain *p) {
    size_t n = 0;
    while (*from) {
        char c = *from;
        if (!sign_get(&from, &c)) {
            if (c < ' ' || c > '~')
                return false;
            if (c >= 'A' && c <= 'Z')
                c = (char)(c - 'A' + 'a');
            from++;
        }
        if (c == ' ' && n == 0)
            continue;
        if (n == TEXT_MAX)
            return false;
        p->text[n++] = c;
    }
    while (n > 0 && p->text[n - 1] == ' ')
        n--;
    p->text[n] = '\0';
    p->at = p->text;
    return true;
}

static void spaces_skip(struct plain *p) {
    while (*p->at == ' ')
        p->at++;
}

/* Digits and how many there were; false on none or past what a time can be. */
static bool digits_get(struct plain *p, uint64_t *ret_value, size_t *ret_n) {
    uint64_t value = 0;
    size_t n = 0;
    for (; *p->at >= '0' && *p->at <= '9'; p->at++, n++) {
        value = value * 10 + (uint64_t)(*p->at - '0');
        if (value > HOURS_MAX_MINUTES)
            return false;
    }
    *ret_value = value;
    *ret_n = n;
    return n > 0;
}

/* A unit is a whole word of the list. */
static bool word_get(struct plain *p, const char *const words[]) {
    const char *start = p->at;
    spaces_skip(p);
    size_t n = strspn(p->at, "abcdefghijklmnopqrstuvwxyz");
    for (size_t i = 0; n > 0 && words[i]; i++) {
        if (strlen(words[i]) != n || strncmp(p->at, words[i], n) != 0)
            continue;
        p->at += n;
        spaces_skip(p);
        return true;
    }
    p->at = start;
    return false;
}

static bool hour_word_get(struct plain *p) {
    static const char *const words[] = {"h", "hr", "hrs", "hour", "hours", NULL};
    return word_get(p, words);
}

static bool minute_word_get(struct plain *p) {
    static const char *const words[] = {"m", "min", "mins", "minute", "minutes", NULL};
    return word_get(p, words);
}

static int minutes_finish(const struct plain *p, uint64_t hours, uint64_t minutes, uint64_t *ret) {
    uint64_t sum = hours * 60 + minutes; /* both are at most HOURS_MAX_MINUTES */
    if (sum > HOURS_MAX_MINUTES)
        return refuse(p, REFUSAL_BAD_TIME, "%s is longer than any entry can be: check the figure.",
                      p->typed);
    *ret = sum;
    return 0;
}

/* What follows "2h" or "2:": one digit is 05 to one reader and 50 to another, unless "min" says. */
static int minutes_after_hours(struct plain *p, uint64_t hours, bool is_clock, uint64_t *ret) {
    uint64_t minutes;
    size_t n_digits;
    if (!digits_get(p, &minutes, &n_digits))
        return refuse_as_no_time(p);
    bool has_unit = !is_clock && minute_word_get(p);
    if (*p->at || n_digits > 2)
        return refuse_as_no_time(p);
    if (n_digits == 1 && !has_unit && minutes > 0 && minutes < 6)
        return refuse(p, REFUSAL_AMBIGUOUS_TIME,
                      "%s could be %llu h %02llu or %llu h %02llu: write %lluh%02llu or "
                      "%lluh%02llu.",
                      p->typed, (unsigned long long)hours, (unsigned long long)minutes,
                      (unsigned long long)hours, (unsigned long long)minutes * 10,
                      (unsigned long long)hours, (unsigned long long)minutes,
                      (unsigned long long)hours, (unsigned long long)minutes * 10);
    if (minutes > 59)
        return refuse(p, REFUSAL_BAD_TIME,
                      "%s has more than 59 minutes beside the hours: write 2h30 or 150m.",
                      p->typed);
    return minutes_finish(p, hours, minutes, ret);
}

/* A fraction that is no quarter: somebody writes hours.minutes, somebody tenths. */
static int refuse_fraction(const struct plain *p, uint64_t hours, uint64_t fraction,
                           size_t n_digits) {
    uint64_t as_decimal = n_digits == 1 ? fraction * 6 : (fraction * 60 + 50) / 100;
    uint64_t as_minutes = n_digits == 1 && fraction < 6 ? fraction * 10 : fraction;
    if (n_digits > 2 || hours > HOURS_MAX_MINUTES / 60)
        return refuse_as_no_time(p);
    if (as_minutes > 59 || as_decimal == as_minutes)
        return refuse(p, REFUSAL_BAD_TIME,
                      "%s is no half or quarter of an hour: if %llu h %02llu is meant, write "
                      "%lluh%02llu.",
                      p->typed, (unsigned long long)(hours + as_decimal / 60),
                      (unsigned long long)(as_decimal % 60),
                      (unsigned long long)(hours + as_decimal / 60),
                      (unsigned long long)(as_decimal % 60));
    return refuse(p, REFUSAL_AMBIGUOUS_TIME,
                  "%s could be %llu h %02llu or %llu h %02llu: write %lluh%02llu or %lluh%02llu.",
                  p->typed, (unsigned long long)hours, (unsigned long long)as_minutes,
                  (unsigned long long)hours, (unsigned long long)as_decimal,
                  (unsigned long long)hours, (unsigned long long)as_minutes,
                  (unsigned long long)hours, (unsigned long long)as_decimal);
}

/* What follows "2." or "2,": 0 25 5 50 75. */
static int fraction_after_hours(struct plain *p, uint64_t hours, uint64_t *ret) {
    uint64_t fraction;
    size_t n_digits;
    if (!digits_get(p, &fraction, &n_digits))
        return refuse_as_no_time(p);
    (void)hour_word_get(p);
    if (*p->at)
        return refuse_as_no_time(p);
    uint64_t hundredths = n_digits == 1 ? fraction * 10 : fraction;
    if (n_digits > 2 || hundredths % 25 != 0)
        return refuse_fraction(p, hours, fraction, n_digits);
    return minutes_finish(p, hours, hundredths * 60 / 100, ret);
}

/* The sign for a half or a quarter at the cursor as minutes; 0 when there is none. */
static uint64_t quarter_sign_get(struct plain *p) {
    uint64_t minutes = *p->at == SIGN_HALF             ? 30
                       : *p->at == SIGN_QUARTER        ? 15
                       : *p->at == SIGN_THREE_QUARTERS ? 45
                                                       : 0;
    if (minutes > 0)
        p->at++;
    return minutes;
}

/* What follows the first digits. */
static int rest_parse(struct plain *p, uint64_t value, uint64_t *ret) {
    if (*p->at == ':') {
        p->at++;
        return minutes_after_hours(p, value, true, ret);
    }
    if (*p->at == '.' || *p->at == ',') {
        p->at++;
        return fraction_after_hours(p, value, ret);
    }
    if (minute_word_get(p))
        return *p->at ? refuse_as_no_time(p) : minutes_finish(p, 0, value, ret);
    spaces_skip(p);
    uint64_t quarter = quarter_sign_get(p);
    bool has_unit = hour_word_get(p);
    if (*p->at == '\0')
        return minutes_finish(p, value, quarter, ret);
    if (has_unit && quarter == 0)
        return minutes_after_hours(p, value, false, ret);
    return refuse_as_no_time(p);
}

static int time_parse(struct plain *p, uint64_t *ret) {
    uint64_t value = 0;
    size_t n_digits;
    bool begins_with_fraction = (*p->at == '.' || *p->at == ',') && p->at[1];
    bool begins_with_sign =
        *p->at == SIGN_HALF || *p->at == SIGN_QUARTER || *p->at == SIGN_THREE_QUARTERS;
    if (!begins_with_fraction && !begins_with_sign && !digits_get(p, &value, &n_digits))
        return refuse_as_no_time(p);
    return rest_parse(p, value, ret);
}

int hours_parse(const char *text, uint64_t *ret_minutes, char *why, size_t n_why) {
    struct plain p = {.typed = "That", .why = why, .n_why = n_why};
    uint64_t minutes = 0;
    int r;

    if (!plain_make(text, &p))
        return refuse_as_no_time(&p);
    if (p.text[0] == '\0')
        return refuse(&p, REFUSAL_BAD_TIME, "No time is given: write 2h30, 2:30, 2.5 or 150m.");
    if (code_text_is_valid(text, TEXT_MAX))
        p.typed = text;
    bool is_negative = *p.at == '-';
    if (is_negative) {
        p.at++;
        spaces_skip(&p);
    }
    r = time_parse(&p, &minutes);
    if (is_negative && (r == 0 || r == REFUSAL_AMBIGUOUS_TIME))
        return refuse(&p, REFUSAL_NEGATIVE,
                      "%s is negative: to take an entry back use timebank reverse.", p.typed);
    if (r == 0)
        *ret_minutes = minutes;
    return r;
}

void hours_format(int64_t minutes, char ret[32]) {
    const char *sign = minutes < 0 ? "-" : "";
    uint64_t magnitude = minutes < 0 ? 0 - (uint64_t)minutes : (uint64_t)minutes;
    unsigned long long hours = magnitude / 60;
    unsigned rest = (unsigned)(magnitude % 60);

    if (hours == 0)
        snprintf(ret, 32, "%s%u min", sign, rest);
    else if (rest == 0)
        snprintf(ret, 32, "%s%llu h", sign, hours);
    else
        snprintf(ret, 32, "%s%llu h %02u", sign, hours, rest);
}
