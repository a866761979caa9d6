/* SPDX-License-Identifier: Apache-2.0 */
/* The table of policies: in order, its defaults take themselves, and each check at its edges. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/policy.h"

TestSuite(policy, .timeout = 10);

static bool takes(const char *name, const char *value) {
    const struct policy *policy = policy_find(name);
    cr_assert(policy, "%s", name);
    return policy_takes(policy, value);
}

Test(policy, stands_in_ascending_order) {
    for (const struct policy *policy = policies; policy[1].name; policy++)
        cr_assert(strcmp(policy[0].name, policy[1].name) < 0, "%s", policy[1].name);
}

Test(policy, takes_its_own_defaults_and_says_what_it_is) {
    for (const struct policy *policy = policies; policy->name; policy++) {
        cr_assert(policy_takes(policy, policy->otherwise), "%s", policy->name);
        cr_assert_eq(policy_find(policy->name), policy);
        cr_assert(strlen(policy->help) > 10);
    }
}

Test(policy, has_the_defaults_of_the_rules) {
    static const char *const wanted[][2] = {
        {"quantum", "15"},           {"rounding", "refuse"},      {"floor-member", "-1200"},
        {"floor-organisation", "0"}, {"short-allotment", "warn"}, {"floor-venue", "0"},
        {"floor-chest", "0"},        {"ceiling-member", "none"},  {"gift", "at-once"},
        {"age-of-service", "any"},   {"service-warn-days", "30"}, {"not-after", "15"},
        {"day-warn", "480"},         {"day-refuse", "1440"},      {"second-person-above", "off"},
        {"member-code", "1-3/1-9"}};
    for (size_t i = 0; i < N_ELEMENTS(wanted); i++)
        cr_assert_str_eq(policy_find(wanted[i][0])->otherwise, wanted[i][1]);
}

Test(policy, takes_no_empty_value_and_no_very_long_one) {
    char value[65];
    memset(value, '0', sizeof(value));
    value[64] = '\0';
    for (const struct policy *policy = policies; policy->name; policy++) {
        cr_assert_not(policy_takes(policy, ""), "%s", policy->name);
        cr_assert_not(policy_takes(policy, value), "%s", policy->name);
    }
}

Test(policy, knows_no_other_name) {
    cr_assert_null(policy_find("colour"));
    cr_assert_null(policy_find(""));
    cr_assert_null(policy_find("quantu"));
}

Test(policy, takes_whole_words_of_a_list_only) {
    for (const char *const *word = (const char *const[]){"1", "5", "15", "30", "60", NULL}; *word;
         word++)
        cr_assert(takes("quantum", *word));
    cr_assert_not(takes("quantum", "6"));
    cr_assert_not(takes("quantum", "0"));
    cr_assert_not(takes("quantum", "15|30"));
    cr_assert_not(takes("quantum", "|"));
    cr_assert_not(takes("rounding", "refus"));
    cr_assert(takes("rounding", "nearest"));
    cr_assert(takes("rounding", "down"));
}

Test(policy, takes_whole_numbers_only) {
    cr_assert(takes("day-warn", "1"));
    cr_assert_not(takes("day-warn", "0"));
    cr_assert_not(takes("day-warn", "-1"));
    cr_assert_not(takes("day-warn", "+1"));
    cr_assert_not(takes("day-warn", " 1"));
    cr_assert_not(takes("day-warn", "1 "));
    cr_assert_not(takes("day-warn", "1.5"));
    cr_assert_not(takes("day-warn", "0x10"));
    cr_assert_not(takes("day-warn", "none"));
    cr_assert_not(takes("day-warn", "99999999999999999999"));
}

Test(policy, keeps_floors_below_and_ceilings_and_caps_above_zero) {
    cr_assert(takes("floor-member", "0"));
    cr_assert(takes("floor-member", "-100000000"));
    cr_assert_not(takes("floor-member", "-100000001"));
    cr_assert_not(takes("floor-member", "1"));
    cr_assert(takes("floor-chest", "none"));
    cr_assert(takes("ceiling-venue", "0"));
    cr_assert(takes("ceiling-venue", "none"));
    cr_assert_not(takes("ceiling-venue", "-1"));
    cr_assert_not(takes("venue-cap-day", "-1"));
}

Test(policy, takes_days_or_the_word) {
    cr_assert(takes("age-of-service", "0"));
    cr_assert(takes("age-of-service", "any"));
    cr_assert_not(takes("age-of-service", "none"));
    cr_assert_not(takes("age-of-service", "100001"));
}

Test(policy, takes_a_form_of_codes_that_asks_for_a_digit) {
    cr_assert(takes("member-code", "0-3/1-9"));
    cr_assert_not(takes("member-code", "1-3/0-9"));
    cr_assert_not(takes("member-code", "3-1/1-9"));
    cr_assert_not(takes("member-code", "letters"));
}
