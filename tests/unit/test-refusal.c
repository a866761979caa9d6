/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of refusals and warnings: stable numbers, one name each, sentences for people. */
#include <criterion/criterion.h>
#include <string.h>

#include "proto/refusal.h"

TestSuite(refusal, .timeout = 10);

struct row {
    int number;
    const char *name;
    const char *sentence;
};

#define REFUSAL(number, name, sentence) {number, #name, sentence},
static const struct row refusals[] = {
#include "proto/refusals.def"
};
#undef REFUSAL
#define WARNING(number, name, sentence) {number, #name, sentence},
static const struct row warnings[] = {
#include "proto/warnings.def"
};
#undef WARNING

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void check_row(const struct row *row) {
    size_t n = strlen(row->sentence);
    cr_assert(row->number > 0, "%s", row->name);
    cr_assert(strspn(row->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(row->name), "%s",
              row->name);
    cr_assert(n > 10 && row->sentence[n - 1] == '.', "%s: %s", row->name, row->sentence);
    cr_assert(row->sentence[0] >= 'A' && row->sentence[0] <= 'Z', "%s: %s", row->name,
              row->sentence);
}

static void check_order(const struct row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        check_row(&rows[i]);
        cr_assert(i == 0 || rows[i].number > rows[i - 1].number, "%s is out of order",
                  rows[i].name);
        for (size_t j = 0; j < i; j++)
            cr_assert(strcmp(rows[i].name, rows[j].name) != 0, "%s stands twice", rows[i].name);
    }
}

Test(refusal, rows_are_in_order_with_one_name_and_a_sentence_each) {
    check_order(refusals, N(refusals));
    check_order(warnings, N(warnings));
}

Test(refusal, sentences_say_what_to_do_next) {
    for (size_t i = 0; i < N(refusals); i++) {
        const char *s = refusals[i].sentence;
        cr_assert(strchr(s, ':') || strchr(s, ';') || strstr(s, "use ") || strstr(s, "has 1 to"),
                  "%s: %s", refusals[i].name, s);
    }
}

Test(refusal, gives_names_and_sentences_by_number) {
    for (size_t i = 0; i < N(refusals); i++) {
        cr_assert_str_eq(refusal_name(refusals[i].number), refusals[i].name);
        cr_assert_str_eq(refusal_sentence(refusals[i].number), refusals[i].sentence);
    }
    for (size_t i = 0; i < N(warnings); i++) {
        cr_assert_str_eq(warning_name(warnings[i].number), warnings[i].name);
        cr_assert_str_eq(warning_sentence(warnings[i].number), warnings[i].sentence);
    }
}

Test(refusal, has_words_for_numbers_it_does_not_know) {
    static const int numbers[] = {0, -1, 9999, 19};
    for (size_t i = 0; i < N(numbers); i++) {
        cr_assert_str_eq(refusal_name(numbers[i]), "UNKNOWN_REFUSAL");
        cr_assert(strstr(refusal_sentence(numbers[i]), "update the program"));
        cr_assert_str_eq(warning_name(numbers[i] + 1000), "UNKNOWN_WARNING");
        cr_assert(strstr(warning_sentence(-1), "update the program"));
    }
}

Test(refusal, keeps_the_numbers_that_are_on_the_wire) {
    cr_assert(REFUSAL_BAD_REQUEST == 1 && REFUSAL_BAD_HEADER == 20 && REFUSAL_ALREADY == 41);
    cr_assert(REFUSAL_BELOW_FLOOR == 54 && REFUSAL_BRIDGE == 103 && REFUSAL_BAD_TIME == 124);
    cr_assert(WARNING_BELOW_FLOOR == 1 && WARNING_LOOKS_LIKE == 7);
}
