/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads dates as people write them, and turns days since 1970 into civil dates and back (the
 * algorithm of days_from_civil in "chrono-Compatible Low-Level Date Algorithms", H. Hinnant). What
 * day it is comes from the caller.
 */
#include "dates.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "code.h"
#include "refusal.h"

#define YEAR_FIRST 1970
#define YEAR_LAST 9999
#define DAYS_BEFORE_1970 719468 /* since 1 March of the year 0 */
#define DAYS_PER_ERA 146097     /* 400 years */
#define TEXT_MAX 40
#define MAX_WORDS 5

static const char *const month_names[] = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december",
};
/* 1 January 1970 was a Thursday. */
static const char *const weekday_names[] = {
    "thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday",
};

static unsigned weekday_of(uint32_t day) {
    return day % 7;
}

unsigned dates_month_length(int year, unsigned month) {
    static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12)
        return 0;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return lengths[month - 1] + (month == 2 && is_leap);
}

void dates_to_civil(uint32_t day, int *ret_year, unsigned *ret_month, unsigned *ret_mday) {
    uint64_t z = (uint64_t)day + DAYS_BEFORE_1970;
    uint64_t era = z / DAYS_PER_ERA;
    uint64_t day_of_era = z % DAYS_PER_ERA;
    uint64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t month_from_march = (5 * day_of_year + 2) / 153;

    *ret_mday = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *ret_month = (unsigned)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *ret_year = (int)(year_of_era + era * 400 + (*ret_month <= 2));
}

int dates_from_civil(int year, unsigned month, unsigned mday, uint32_t *ret_day) {
    if (year < YEAR_FIRST || year > YEAR_LAST)
        return -EINVAL;
    if (mday < 1 || mday > dates_month_length(year, month))
        return -EINVAL;
    unsigned y = (unsigned)year - (month <= 2);
    unsigned month_from_march = month > 2 ? month - 3 : month + 9;
    unsigned year_of_era = y % 400;
    unsigned day_of_year = (153 * month_from_march + 2) / 5 + mday - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    *ret_day = y / 400 * DAYS_PER_ERA + day_of_era - DAYS_BEFORE_1970;
    return 0;
}

void dates_format_iso(uint32_t day, char ret[16]) {
    int year;
    unsigned month, mday;
    dates_to_civil(day, &year, &month, &mday);
    snprintf(ret, 16, "%04d-%02u-%02u", year, month % 100, mday % 100);
}

void dates_format_words(uint32_t day, char ret[32]) {
    int year;
    unsigned month, mday;
    dates_to_civil(day, &year, &month, &mday);
    const char *weekday = weekday_names[weekday_of(day)];
    const char *month_name = month_names[month - 1];
    snprintf(ret, 32, "%c%.2s %u %c%s %d", weekday[0] - 'a' + 'A', weekday + 1, mday,
             month_name[0] - 'a' + 'A', month_name + 1, year);
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

int dates_parse_iso(const char *text, uint32_t *ret_day) {
    int parts[3] = {0};
    static const size_t begins[] = {0, 5, 8}, ends[] = {4, 7, 10};

    if (strnlen(text, 11) != 10 || text[4] != '-' || text[7] != '-')
        return REFUSAL_BAD_DATE;
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = begins[i]; j < ends[i]; j++) {
            if (!is_digit(text[j]))
                return REFUSAL_BAD_DATE;
            parts[i] = parts[i] * 10 + (text[j] - '0');
        }
    }
    if (dates_from_civil(parts[0], (unsigned)parts[1], (unsigned)parts[2], ret_day) < 0)
        return REFUSAL_BAD_DATE;
    return 0;
}

/* A date being read: its words, in lower case, and what sentences need. */
struct typed {
    char text[TEXT_MAX + 1];
    char *words[MAX_WORDS];
    size_t n_words;
    uint32_t today;
    const char *as_typed;
    char *why;
    size_t n_why;
};

__attribute__((format(printf, 3, 4))) static int refuse(const struct typed *t, int refusal,
                                                        const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (t->n_why > 0)
        vsnprintf(t->why, t->n_why, format, args);
    va_end(args);
    return refusal;
}

static int refuse_as_no_date(const struct typed *t) {
    return refuse(t, REFUSAL_BAD_DATE,
                  "%s is not a date: write 2025-03-05, 5/3/2025, 5 Mar 2025, today or tue.",
                  t->as_typed);
}

static bool words_cut(const char *text, struct typed *t) {
    if (strnlen(text, TEXT_MAX + 1) > TEXT_MAX)
        return false;
    strcpy(t->text, text);
    code_fold(t->text);
    char *rest = t->text;
    char *word;
    while ((word = strsep(&rest, " \t,"))) {
        if (*word == '\0')
            continue;
        if (t->n_words == MAX_WORDS)
            return false;
        t->words[t->n_words++] = word;
    }
    return true;
}

/* The index of the name that word begins (three letters or more), or -1. */
static int name_find(const char *word, const char *const *names, size_t n_names) {
    size_t n = strlen(word);
    for (size_t i = 0; n >= 3 && i < n_names; i++)
        if (!strncmp(word, names[i], n))
            return (int)i;
    return -1;
}

/* A number of at most four digits that ends at one of the ends; n digits, or 0. */
static size_t number_get(const char **at, unsigned *ret) {
    size_t n = 0;
    *ret = 0;
    for (; is_digit(**at) && n < 5; n++, (*at)++)
        *ret = *ret * 10 + (unsigned)(**at - '0');
    return n <= 4 ? n : 0;
}

static int day_make(const struct typed *t, unsigned year, unsigned month, unsigned mday,
                    uint32_t *ret_day) {
    uint32_t day;
    if (year < YEAR_FIRST)
        return refuse(t, REFUSAL_BAD_DATE, "%s is before %d: check the year.", t->as_typed,
                      YEAR_FIRST);
    if (month > 12 && mday <= 12)
        return refuse(t, REFUSAL_BAD_DATE,
                      "%s has no such month (%u); the day comes before the month: 5/3/2025 is "
                      "5 March.",
                      t->as_typed, month);
    if (month < 1 || month > 12)
        return refuse(t, REFUSAL_BAD_DATE, "%s has no such month (%u): check the date.",
                      t->as_typed, month);
    if (dates_from_civil((int)year, month, mday, &day) < 0)
        return refuse(t, REFUSAL_BAD_DATE, "%s: that month has %u days; check the date.",
                      t->as_typed, dates_month_length((int)year, month));
    *ret_day = day;
    return 0;
}

static int refuse_year(const struct typed *t) {
    return refuse(t, REFUSAL_BAD_DATE, "%s: write the year with four digits, as in 5/3/2025.",
                  t->as_typed);
}

/* Without a year: the two years it could be. */
static int refuse_without_year(const struct typed *t, unsigned month, unsigned mday) {
    int year;
    unsigned this_month, this_mday;
    uint32_t day;
    dates_to_civil(t->today, &year, &this_month, &this_mday);
    if (month < 1 || month > 12 || mday < 1 || mday > dates_month_length(2024, month))
        return refuse_as_no_date(t);
    if (dates_from_civil(year, month, mday, &day) == 0 && day > t->today)
        year--;
    return refuse(t, REFUSAL_AMBIGUOUS_DATE,
                  "%s could be in %d or in %d: write %d-%02u-%02u or %d-%02u-%02u.", t->as_typed,
                  year, year - 1, year, month, mday, year - 1, month, mday);
}

/* 2025-03-05, 5/3/2025, 05.03.2025, 5-3-2025. */
static int figures_parse(const struct typed *t, const char *at, uint32_t *ret_day) {
    unsigned parts[3];
    size_t n_digits[3];
    char separator = 0;

    for (size_t i = 0; i < 3; i++) {
        n_digits[i] = number_get(&at, &parts[i]);
        if (n_digits[i] == 0)
            return refuse_as_no_date(t);
        if (i == 1 && *at == '\0' && n_digits[0] <= 2 && n_digits[1] <= 2)
            return refuse_without_year(t, parts[1], parts[0]);
        if (i == 2)
            break;
        if (i == 0 && (*at == '/' || *at == '.' || *at == '-'))
            separator = *at;
        if (separator == 0 || *at != separator)
            return refuse_as_no_date(t);
        at++;
    }
    if (*at != '\0' || n_digits[1] > 2)
        return refuse_as_no_date(t);
    if (n_digits[0] == 4 && n_digits[2] <= 2 && separator == '-')
        return day_make(t, parts[0], parts[1], parts[2], ret_day);
    if (n_digits[0] > 2)
        return refuse_as_no_date(t);
    if (n_digits[2] != 4)
        return refuse_year(t);
    return day_make(t, parts[2], parts[1], parts[0], ret_day);
}

/* 5, 5. or 5th. */
static bool mday_get(const char *word, unsigned *ret) {
    static const char *const ends[] = {"", ".", "st", "nd", "rd", "th"};
    size_t n_digits = number_get(&word, ret);
    if (n_digits < 1 || n_digits > 2)
        return false;
    for (size_t i = 0; i < N_ELEMENTS(ends); i++)
        if (!strcmp(word, ends[i]))
            return true;
    return false;
}

/* 5 March 2025 from the words at i on. */
static int words_parse(const struct typed *t, size_t i, uint32_t *ret_day) {
    unsigned mday, year;
    size_t n_words = t->n_words - i;
    if (n_words < 2 || n_words > 3 || !mday_get(t->words[i], &mday))
        return refuse_as_no_date(t);
    int month = name_find(t->words[i + 1], month_names, N_ELEMENTS(month_names));
    if (month < 0)
        return refuse_as_no_date(t);
    if (n_words == 2)
        return refuse_without_year(t, (unsigned)month + 1, mday);
    const char *at = t->words[i + 2];
    size_t n_digits = number_get(&at, &year);
    if (n_digits == 0 || *at)
        return refuse_as_no_date(t);
    if (n_digits != 4)
        return refuse_year(t);
    return day_make(t, year, (unsigned)month + 1, mday, ret_day);
}

/* The latest such day not after today, or with is_last the one before it. */
static int weekday_parse(const struct typed *t, unsigned weekday, bool is_last, uint32_t *ret_day) {
    uint32_t n_back = (weekday_of(t->today) + 7 - weekday) % 7 + (is_last ? 7 : 0);
    if (n_back > t->today)
        return refuse_as_no_date(t);
    *ret_day = t->today - n_back;
    return 0;
}

/* "Wed 5 March 2025": the weekday must be right, or one of the two is a slip. */
static int weekday_and_date_parse(const struct typed *t, unsigned weekday, uint32_t *ret_day) {
    uint32_t day = 0;
    int r = t->n_words == 2 ? figures_parse(t, t->words[1], &day) : words_parse(t, 1, &day);
    if (r != 0)
        return r;
    if (weekday_of(day) != weekday) {
        char words[32];
        dates_format_words(day, words);
        return refuse(t, REFUSAL_BAD_DATE, "%s: that day is %s; check the date.", t->as_typed,
                      words);
    }
    *ret_day = day;
    return 0;
}

static int date_parse(const struct typed *t, uint32_t *ret_day) {
    const char *first = t->words[0];
    int weekday = name_find(first, weekday_names, N_ELEMENTS(weekday_names));

    if (t->n_words == 1 && !strcmp(first, "today")) {
        *ret_day = t->today;
        return 0;
    }
    if (t->n_words == 1 && !strcmp(first, "yesterday") && t->today > 0) {
        *ret_day = t->today - 1;
        return 0;
    }
    if (t->n_words == 2 && !strcmp(first, "last")) {
        weekday = name_find(t->words[1], weekday_names, N_ELEMENTS(weekday_names));
        return weekday < 0 ? refuse_as_no_date(t)
                           : weekday_parse(t, (unsigned)weekday, true, ret_day);
    }
    if (weekday >= 0 && t->n_words == 1)
        return weekday_parse(t, (unsigned)weekday, false, ret_day);
    if (weekday >= 0)
        return weekday_and_date_parse(t, (unsigned)weekday, ret_day);
    return t->n_words == 1 ? figures_parse(t, first, ret_day) : words_parse(t, 0, ret_day);
}

int dates_parse(const char *text, uint32_t today, uint32_t *ret_day, char *why, size_t n_why) {
    struct typed t = {.today = today, .as_typed = "That", .why = why, .n_why = n_why};
    if (!words_cut(text, &t))
        return refuse_as_no_date(&t);
    if (t.n_words == 0)
        return refuse(&t, REFUSAL_BAD_DATE, "No date is given: write 2025-03-05, today or tue.");
    if (code_text_is_valid(text, TEXT_MAX))
        t.as_typed = text;
    return date_parse(&t, ret_day);
}
