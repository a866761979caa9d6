/* SPDX-License-Identifier: Apache-2.0 */
/* What may be a code, a name, a text and a pattern of member codes. */
#include <criterion/criterion.h>
#include <string.h>

#include "proto/code.h"

TestSuite(code, .timeout = 10);

Test(code, takes_what_rules_say) {
    static const char *const good[] = {"m0007", "0",   "a",  "food-bank",
                                       "a-b-c", "7up", "x-", "abcdefghijklmnopqrstuvwxyz012345"};
    static const char *const bad[] = {"",    "-a",  "a--b", "M0007",
                                      "a b", "a_b", "a:b",  "caf\xc3\xa9",
                                      "a--", "a.b", "a/b",  "abcdefghijklmnopqrstuvwxyz0123456"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        cr_assert(code_is_valid(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert(!code_is_valid(bad[i]), "%s", bad[i]);
}

Test(code, reserves_the_banks_own_accounts_and_the_verbs_words) {
    static const char *const words[] = {"chest",    "issued",   "retired", "expired",
                                        "advances", "vouchers", "transit", "write-offs",
                                        "bank",     "all",      "none",    "next"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        cr_assert(code_is_reserved(words[i]), "%s", words[i]);
    cr_assert(!code_is_reserved("m0007"));
    cr_assert(!code_is_reserved("chest2"));
    cr_assert(!code_is_reserved(""));
}

Test(code, folds_only_capital_letters) {
    char code[] = "M0019-Zz@[`{\xc3\x89";
    code_fold(code);
    cr_assert_str_eq(code, "m0019-zz@[`{\xc3\x89");
}

Test(code, takes_names_in_any_script) {
    cr_assert(code_name_is_valid("gardening"));
    cr_assert(code_name_is_valid("Jardinage & caf\xc3\xa9"));
    cr_assert(code_name_is_valid("\xe5\x9b\xad\xe8\x89\xba"));
    cr_assert(code_name_is_valid("\xf0\x9f\x8c\xb1"));
}

Test(code, refuses_names_that_break_lists_and_screens) {
    char long_name[66];
    memset(long_name, 'a', 65);
    long_name[65] = '\0';
    cr_assert(!code_name_is_valid(long_name));
    cr_assert(code_name_is_valid(long_name + 1));
    static const char *const bad[] = {"",
                                      " a",
                                      "a ",
                                      "a/b",
                                      "a\nb",
                                      "a\tb",
                                      "a\x7f",
                                      "\xc2\x85",
                                      "\xff",
                                      "\xc3",
                                      "\xc0\x80",
                                      "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xe0\x80\x80",
                                      "a\xe2\x80\xae!",
                                      "\xe2\x80\xa8",
                                      "\xf8\x88\x80\x80\x80",
                                      "\x80"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert(!code_name_is_valid(bad[i]), "number %zu", i);
}

Test(code, takes_texts_up_to_their_size) {
    cr_assert(code_text_is_valid("", 0));
    cr_assert(code_text_is_valid(" a/b ", 5));
    cr_assert(!code_text_is_valid("abc", 2));
    cr_assert(!code_text_is_valid("a\nb", 10));
    cr_assert(!code_text_is_valid("\xe2\x82", 10));
}

Test(code, holds_member_codes_to_the_pattern) {
    cr_assert(code_matches_pattern("m0007", "1-3/1-9"));
    cr_assert(code_matches_pattern("abc123456789", "1-3/1-9"));
    cr_assert(!code_matches_pattern("abcd1", "1-3/1-9"));
    cr_assert(!code_matches_pattern("0007", "1-3/1-9"));
    cr_assert(!code_matches_pattern("m", "1-3/1-9"));
    cr_assert(!code_matches_pattern("m1234567890", "1-3/1-9"));
    cr_assert(!code_matches_pattern("m-7", "1-3/1-9"));
    cr_assert(!code_matches_pattern("m7a", "1-3/1-9"));
    cr_assert(!code_matches_pattern("", "1-3/1-9"));
    cr_assert(!code_matches_pattern("mary", "1-3/1-9"));
    cr_assert(code_matches_pattern("0007", "0-0/4-4"));
    cr_assert(!code_matches_pattern("m0007", "nonsense"));
}

Test(code, takes_only_patterns_that_ask_for_a_digit) {
    cr_assert(code_pattern_is_valid("1-3/1-9"));
    cr_assert(code_pattern_is_valid("0-0/4-4"));
    cr_assert(code_pattern_is_valid("1-16/1-16"));
    static const char *const bad[] = {"",        "1-3",      "3-1/1-9",   "1-3/9-1",
                                      "1-3/0-9", "1-3/1-9 ", "a-b/c-d",   "1-30/1-9",
                                      "-3/1-9",  "1-3/1-",   "1-3/1-100", "1/3-1/9"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert(!code_pattern_is_valid(bad[i]), "%s", bad[i]);
}
