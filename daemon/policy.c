/* SPDX-License-Identifier: Apache-2.0 */
/* What each policy takes. Values are kept as text, as the steward wrote them. */
#include "policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/code.h"

#define VALUE_MAX 63
#define MINUTES_MAX 100000000LL

static bool is_number(const char *value, long long low, long long high) {
    char *end = NULL;
    long long number;

    if (*value == '\0' || *value == '+' || *value == ' ')
        return false;
    errno = 0;
    number = strtoll(value, &end, 10);
    return errno == 0 && *end == '\0' && number >= low && number <= high;
}

static bool check_one_of(const char *value, const char *words) {
    size_t n = strcspn(value, "|");

    if (value[n])
        return false;
    for (const char *word = words; n > 0 && word; word = strchr(word, '|')) {
        word += *word == '|';
        if (strncmp(word, value, n) == 0 && (word[n] == '|' || word[n] == '\0'))
            return true;
    }
    return false;
}

static bool check_minutes(const char *value, const char *argument) {
    (void)argument;
    return is_number(value, 1, MINUTES_MAX);
}

static bool check_minutes_or_none(const char *value, const char *argument) {
    return strcmp(value, argument) == 0 || is_number(value, 0, MINUTES_MAX);
}

/* As rules-register.c takes the limits of one account: a floor above zero would stop a new bank. */
static bool check_floor_or_none(const char *value, const char *argument) {
    return strcmp(value, argument) == 0 || is_number(value, -MINUTES_MAX, 0);
}

static bool check_balance_or_none(const char *value, const char *argument) {
    return strcmp(value, argument) == 0 || is_number(value, -MINUTES_MAX, MINUTES_MAX);
}

static bool check_number_or_none(const char *value, const char *argument) {
    return strcmp(value, argument) == 0 || is_number(value, 1, 100000);
}

static bool check_days(const char *value, const char *argument) {
    (void)argument;
    return is_number(value, 1, 3660);
}

static bool check_days_or_any(const char *value, const char *argument) {
    return strcmp(value, argument) == 0 || is_number(value, 0, 100000);
}

static bool check_pattern(const char *value, const char *argument) {
    (void)argument;
    return code_pattern_is_valid(value);
}

const struct policy policies[] = {
#define POLICY(name, otherwise, check, argument, help)                                             \
    {name, otherwise, check_##check, argument, help},
#include "policies.def"
#undef POLICY
    {0}};

const struct policy *policy_find(const char *name) {
    for (const struct policy *policy = policies; policy->name; policy++)
        if (strcmp(policy->name, name) == 0)
            return policy;
    return NULL;
}

bool policy_takes(const struct policy *policy, const char *value) {
    return strlen(value) <= VALUE_MAX && policy->check(value, policy->argument);
}
