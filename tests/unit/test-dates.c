/* SPDX-License-Identifier: Apache-2.0 */
/* Dates as people write them, and the calendar beneath. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "proto/dates.h"
#include "proto/refusal.h"

TestSuite(dates, .timeout = 20);

/* Thursday 6 March 2025. */
#define TODAY 20153u

static void reads(const char *text, const char *expected) {
    uint32_t day = 777;
    char why[256] = "", iso[16];
    int r = dates_parse(text, TODAY, &day, why, sizeof(why));
    cr_assert(r == 0, "'%s' was refused (%s): %s", text, refusal_name(r), why);
    dates_format_iso(day, iso);
    cr_assert_str_eq(iso, expected, "'%s' gave %s, not %s", text, iso, expected);
}

static void refuses(const char *text, int refusal, const char *part) {
    uint32_t day = 777;
    char why[256] = "";
    int r = dates_parse(text, TODAY, &day, why, sizeof(why));
    cr_assert(r == refusal, "'%s' gave %d, not %s", text, r, refusal_name(refusal));
    cr_assert(day == 777, "'%s' touched its result", text);
    cr_assert(strstr(why, part), "'%s' said: %s", text, why);
}

Test(dates, reads_every_form_of_the_manual) {
    reads("2025-03-05", "2025-03-05");
    reads("5/3/2025", "2025-03-05");
    reads("05.03.2025", "2025-03-05");
    reads("5 Mar 2025", "2025-03-05");
    reads("5 March 2025", "2025-03-05");
    reads("today", "2025-03-06");
    reads("yesterday", "2025-03-05");
    reads("tue", "2025-03-04");
    reads("last tue", "2025-02-25");
}

Test(dates, reads_them_whatever_the_case_and_the_spaces) {
    reads(" TODAY ", "2025-03-06");
    reads("5  mARCH  2025", "2025-03-05");
    reads("5th march, 2025", "2025-03-05");
    reads("1 Sept 2024", "2024-09-01");
    reads("5-3-2025", "2025-03-05");
    reads("Last Tuesday", "2025-02-25");
    reads("29/2/2024", "2024-02-29");
}

Test(dates, puts_days_before_months) {
    reads("13/5/2025", "2025-05-13");
    reads("03/04/2025", "2025-04-03");
    refuses("5/13/2025", REFUSAL_BAD_DATE, "the day comes before the month");
    refuses("13/13/2025", REFUSAL_BAD_DATE, "no such month (13)");
}

Test(dates, takes_a_weekday_as_the_latest_one_not_after_today) {
    reads("thu", "2025-03-06");
    reads("last thu", "2025-02-27");
    reads("fri", "2025-02-28");
    reads("last fri", "2025-02-21");
    reads("wednesday", "2025-03-05");
    reads("Sat", "2025-03-01");
    reads("sun", "2025-03-02");
    reads("monday", "2025-03-03");
}

Test(dates, refuses_years_of_two_digits) {
    refuses("03/04/05", REFUSAL_BAD_DATE, "four digits");
    refuses("5/3/25", REFUSAL_BAD_DATE, "four digits");
    refuses("5 Mar 25", REFUSAL_BAD_DATE, "four digits");
    refuses("5.3.225", REFUSAL_BAD_DATE, "four digits");
}

Test(dates, refuses_days_that_do_not_exist) {
    refuses("2025-13-05", REFUSAL_BAD_DATE, "no such month (13)");
    refuses("2025-02-29", REFUSAL_BAD_DATE, "that month has 28 days");
    refuses("31/4/2025", REFUSAL_BAD_DATE, "that month has 30 days");
    refuses("2025-00-05", REFUSAL_BAD_DATE, "month");
    refuses("0/3/2025", REFUSAL_BAD_DATE, "that month has 31 days");
    refuses("5/3/1969", REFUSAL_BAD_DATE, "before 1970");
}

Test(dates, refuses_a_date_without_its_year_with_both_readings) {
    refuses("5/3", REFUSAL_AMBIGUOUS_DATE, "2025-03-05 or 2024-03-05");
    refuses("5 Mar", REFUSAL_AMBIGUOUS_DATE, "2025-03-05 or 2024-03-05");
    refuses("7 March", REFUSAL_AMBIGUOUS_DATE, "2024-03-07 or 2023-03-07");
}

Test(dates, refuses_what_is_no_date) {
    static const char *const texts[] = {
        "tomorrow",     "tu",        "2025-03",    "5//3/2025",    "5/3-2025", "2025/03/05",
        "5 Foo 2025",   "last",      "last today", "5 Mar 2025 x", "20250305", "2025-03-05T10:00",
        "55555/3/2025", "-1/3/2025", "5/333/2025", "next tue"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        refuses(texts[i], REFUSAL_BAD_DATE, "is not a date: write 2025-03-05");
    refuses("", REFUSAL_BAD_DATE, "No date is given");
    refuses("5 Mar \x1b", REFUSAL_BAD_DATE, "That is not a date");
}

Test(dates, refuses_a_weekday_that_is_not_that_days) {
    reads("Wed 5 March 2025", "2025-03-05");
    reads("wed 2025-03-05", "2025-03-05");
    refuses("Tue 5 March 2025", REFUSAL_BAD_DATE, "that day is Wed 5 March 2025");
}

Test(dates, stays_within_time_on_the_first_day_of_all) {
    uint32_t day = 777;
    char why[128];
    cr_assert(dates_parse("yesterday", 0, &day, why, sizeof(why)) == REFUSAL_BAD_DATE);
    cr_assert(dates_parse("last thu", 0, &day, why, sizeof(why)) == REFUSAL_BAD_DATE);
    cr_assert(dates_parse("thu", 0, &day, why, sizeof(why)) == 0 && day == 0);
}

Test(dates, takes_only_ten_characters_as_iso) {
    uint32_t day = 777;
    static const char *const bad[] = {"",         "2025-3-5",   "2025-03-05 ", " 2025-03-05",
                                      "5/3/2025", "2025-13-05", "2025-02-30",  "2025/03/05",
                                      "today",    "+025-03-05"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert(dates_parse_iso(bad[i], &day) == REFUSAL_BAD_DATE && day == 777, "%s", bad[i]);
    cr_assert(dates_parse_iso("2025-03-06", &day) == 0 && day == TODAY);
}

Test(dates, writes_them_in_words) {
    char words[32];
    dates_format_words(TODAY - 1, words);
    cr_assert_str_eq(words, "Wed 5 March 2025");
    dates_format_words(0, words);
    cr_assert_str_eq(words, "Thu 1 January 1970");
}

Test(dates, formats_any_day_within_its_buffer) {
    char iso[16], words[32];
    dates_format_iso(UINT32_MAX, iso);
    dates_format_words(UINT32_MAX, words);
    cr_assert_str_eq(iso, "11761191-01-20");
    cr_assert_str_eq(words, "Sun 20 January 11761191");
}

Test(dates, agrees_with_the_c_library_for_three_hundred_years) {
    for (uint32_t day = 0; day < 110000; day++) {
        time_t t = (time_t)day * 86400;
        struct tm tm;
        int year;
        unsigned month, mday;
        uint32_t back = 0;
        gmtime_r(&t, &tm);
        dates_to_civil(day, &year, &month, &mday);
        cr_assert(year == tm.tm_year + 1900 && month == (unsigned)tm.tm_mon + 1 &&
                  mday == (unsigned)tm.tm_mday);
        cr_assert(dates_from_civil(year, month, mday, &back) == 0 && back == day);
    }
}

Test(dates, knows_its_edges) {
    uint32_t day = 777;
    cr_assert(dates_from_civil(1969, 12, 31, &day) == -EINVAL);
    cr_assert(dates_from_civil(10000, 1, 1, &day) == -EINVAL);
    cr_assert(dates_from_civil(2023, 2, 29, &day) == -EINVAL);
    cr_assert(dates_from_civil(2023, 13, 1, &day) == -EINVAL);
    cr_assert(dates_from_civil(2023, 0, 1, &day) == -EINVAL);
    cr_assert(day == 777);
    cr_assert(dates_month_length(2000, 2) == 29 && dates_month_length(2100, 2) == 28);
    cr_assert(dates_month_length(2025, 0) == 0 && dates_month_length(2025, 13) == 0);
}
