/* SPDX-License-Identifier: Apache-2.0 */
/* The table of policies (policies.def): names, defaults, what values they take. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct policy {
    const char *name;
    const char *otherwise; /* the default */
    bool (*check)(const char *value, const char *argument);
    const char *argument;
    const char *help;
};

extern const struct policy policies[];              /* ascending by name; ends with a NULL name */
const struct policy *policy_find(const char *name); /* NULL: none */
bool policy_takes(const struct policy *policy, const char *value);
