/* SPDX-License-Identifier: Apache-2.0 */
/* Time as a broker types it: every form of product.md, and what is refused with which sentence. */
#include <criterion/criterion.h>
#include <string.h>

#include "proto/hours.h"
#include "proto/refusal.h"

TestSuite(hours, .timeout = 10);

static void reads(const char *text, uint64_t expected) {
    uint64_t minutes = 777;
    char why[256] = "";
    int r = hours_parse(text, &minutes, why, sizeof(why));
    cr_assert(r == 0, "'%s' was refused (%s): %s", text, refusal_name(r), why);
    cr_assert(minutes == expected, "'%s' gave %llu, not %llu", text, (unsigned long long)minutes,
              (unsigned long long)expected);
}

/* Refused, and the sentence holds `part`. */
static void refuses(const char *text, int refusal, const char *part) {
    uint64_t minutes = 777;
    char why[256] = "";
    int r = hours_parse(text, &minutes, why, sizeof(why));
    cr_assert(r == refusal, "'%s' gave %d, not %s", text, r, refusal_name(refusal));
    cr_assert(minutes == 777, "'%s' touched its result", text);
    cr_assert(strstr(why, part), "'%s' said: %s", text, why);
}

Test(hours, reads_every_form_of_the_manual) {
    reads("2", 120);
    reads("2.5", 150);
    reads("2,5", 150);
    reads("2h30", 150);
    reads("2h", 120);
    reads("2:30", 150);
    reads("150m", 150);
    reads("45 min", 45);
    reads("1½", 90);
    reads("1h07", 67);
    reads("0", 0);
}

Test(hours, reads_hours_and_minutes_with_words_and_spaces) {
    reads(" 2 h 30 ", 150);
    reads("2h 30m", 150);
    reads("2 hours 5 minutes", 125);
    reads("1 HOUR", 60);
    reads("1hr", 60);
    reads("2.5 hours", 150);
    reads("90 Minutes", 90);
    reads("1 ½ h", 90);
    reads("½", 30);
    reads("¾h", 45);
    reads("2¼", 135);
    reads("2\xc2\xa0h", 120);
    reads("0:45", 45);
    reads("26h", 1560);
    reads("2h6", 126);
}

Test(hours, reads_quarters_as_decimals) {
    reads("2.0", 120);
    reads("2.00", 120);
    reads("2.25", 135);
    reads("2.50", 150);
    reads("2,75", 165);
    reads(".5", 30);
    reads("0,25", 15);
}

Test(hours, refuses_other_decimals_with_both_readings) {
    refuses("2.30", REFUSAL_AMBIGUOUS_TIME, "2.30 could be 2 h 30 or 2 h 18");
    refuses("2,30", REFUSAL_AMBIGUOUS_TIME, "write 2h30 or 2h18");
    refuses("2.3", REFUSAL_AMBIGUOUS_TIME, "2 h 30 or 2 h 18");
    refuses("1.15", REFUSAL_AMBIGUOUS_TIME, "1 h 15 or 1 h 09");
    refuses("1.05", REFUSAL_AMBIGUOUS_TIME, "1 h 05 or 1 h 03");
    refuses("2.30h", REFUSAL_AMBIGUOUS_TIME, "2 h 30 or 2 h 18");
    refuses("2.8", REFUSAL_AMBIGUOUS_TIME, "2 h 08 or 2 h 48");
}

Test(hours, says_what_a_decimal_of_one_reading_would_be) {
    refuses("2.66", REFUSAL_BAD_TIME, "2h40");
    refuses("2.99", REFUSAL_BAD_TIME, "2h59");
    refuses("2.333", REFUSAL_BAD_TIME, "2.333 is not a time");
}

Test(hours, refuses_one_digit_of_minutes_with_both_readings) {
    refuses("2h5", REFUSAL_AMBIGUOUS_TIME, "2 h 05 or 2 h 50");
    refuses("2:3", REFUSAL_AMBIGUOUS_TIME, "write 2h03 or 2h30");
}

Test(hours, refuses_negative_time) {
    refuses("-2", REFUSAL_NEGATIVE, "-2 is negative");
    refuses("-2h30", REFUSAL_NEGATIVE, "timebank reverse");
    refuses("\xe2\x88\x92"
            "2",
            REFUSAL_NEGATIVE, "negative");
    refuses("-2.30", REFUSAL_NEGATIVE, "negative");
    refuses("-two", REFUSAL_BAD_TIME, "not a time");
}

Test(hours, refuses_what_is_no_time) {
    static const char *const texts[] = {
        "two hours", "h",   "2h30x",  "2::30", "2:30:00", "1h30h",   "2 30",  "2.", "+2",  "2.5h30",
        "2:",        "m45", "2 days", "1e3",   "0x10",    "2h 30 x", "1.2.3", "½½", "2m30"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        refuses(texts[i], REFUSAL_BAD_TIME, "is not a time: write 2h30, 2:30, 2.5 or 150m.");
    refuses("", REFUSAL_BAD_TIME, "No time is given");
    refuses("   ", REFUSAL_BAD_TIME, "No time is given");
    refuses("1h75", REFUSAL_BAD_TIME, "more than 59 minutes");
    refuses("2:60", REFUSAL_BAD_TIME, "more than 59 minutes");
}

Test(hours, refuses_figures_past_every_scheme) {
    reads("100000000m", 100000000);
    refuses("100000001m", REFUSAL_BAD_TIME, "not a time");
    refuses("99999999", REFUSAL_BAD_TIME, "longer than any entry");
    refuses("18446744073709551616", REFUSAL_BAD_TIME, "not a time");
    refuses("99999999999999999999999999999999999999999999", REFUSAL_BAD_TIME, "not a time");
}

Test(hours, does_not_repeat_what_cannot_be_printed) {
    refuses("2\x1b[31m", REFUSAL_BAD_TIME, "That is not a time");
    refuses("\xff\xfe", REFUSAL_BAD_TIME, "That is not a time");
}

Test(hours, keeps_within_the_sentence_it_is_lent) {
    uint64_t minutes;
    char why[4] = "zzz";
    cr_assert(hours_parse("nothing", &minutes, why, 3) == REFUSAL_BAD_TIME);
    cr_assert(why[2] == '\0' && why[3] == '\0');
    cr_assert(hours_parse("nothing", &minutes, NULL, 0) == REFUSAL_BAD_TIME);
}

static void writes(int64_t minutes, const char *expected) {
    char text[32];
    hours_format(minutes, text);
    cr_assert_str_eq(text, expected);
}

Test(hours, writes_time_as_people_read_it) {
    writes(150, "2 h 30");
    writes(45, "45 min");
    writes(120, "2 h");
    writes(0, "0 min");
    writes(-75, "-1 h 15");
    writes(-15, "-15 min");
    writes(67, "1 h 07");
    writes(INT64_MIN, "-153722867280912930 h 08");
    writes(INT64_MAX, "153722867280912930 h 07");
}

Test(hours, reads_back_what_it_writes) {
    for (int64_t minutes = 0; minutes < 3000; minutes++) {
        char text[32];
        hours_format(minutes, text);
        reads(text, (uint64_t)minutes);
    }
}
