/* SPDX-License-Identifier: Apache-2.0 */
/* Policies as texts and numbers: every rule asks for some, so the lowest state keeps what it found
 * until one is set. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"
#include "state-private.h"

#define N_KNOWN 256u

struct state_known {
    const char *name; /* the table's own, or NULL */
    const char *value;
    int64_t number;
    bool is_number;
};

/* The policies asked for, then the memo. */
#define KNOWN_BYTES (N_KNOWN * sizeof(struct state_known) + STATE_POLICIES_MEMO)

void state_policies_begin(struct state *state) {
    state->known = calloc(1, KNOWN_BYTES);
}

void state_policies_forget(struct state *state) {
    if (state->known)
        memset(state->known, 0, KNOWN_BYTES);
}

void *state_policies_memo(struct state *state) {
    return state->known ? state->known + N_KNOWN : NULL;
}

static bool parse_number(const char *value, int64_t *ret) {
    char *end = NULL;
    long long number;

    if (*value == '\0')
        return false;
    errno = 0;
    number = strtoll(value, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    *ret = number;
    return true;
}

static void find_policy(struct state *state, const char *name, struct state_known *ret) {
    const struct state_policy *policy = state_get(state, STATE_POLICIES, name, strlen(name), NULL);
    const struct policy *known = policy_find(name);

    *ret = (struct state_known){.name = known ? known->name : NULL,
                                .value = policy  ? policy->value
                                         : known ? known->otherwise
                                                 : ""};
    ret->is_number = parse_number(ret->value, &ret->number);
}

#define POLICY(name, otherwise, check, argument, help) +1
static_assert(2 * (0
#include "policies.def"
                   ) <=
                  N_KNOWN,
              "there is a free place beside the policies");
#undef POLICY

/* Its place, or the free one where it will stand. */
static struct state_known *place_of(struct state *lowest, const char *name) {
    uint32_t hash = 2166136261u; /* FNV-1a: the names are the rules' own, nobody chooses them */
    struct state_known *known;

    for (const char *c = name; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    for (;; hash++) {
        known = &lowest->known[hash % N_KNOWN];
        if (!known->name || strcmp(known->name, name) == 0)
            return known;
    }
}

static const struct state_known *known_policy(struct state *state, const char *name,
                                              struct state_known *otherwise) {
    struct state *lowest = state;
    struct state_known *known;

    for (; lowest->below; lowest = lowest->below)
        if (lowest->tables[STATE_POLICIES].n_rows > 0)
            break;
    if (lowest->below || !lowest->known) {
        find_policy(state, name, otherwise);
        return otherwise;
    }
    known = place_of(lowest, name);
    if (!known->name)
        find_policy(lowest, name, known);
    return known;
}

const char *state_policy(struct state *state, const char *name) {
    struct state_known found;

    return known_policy(state, name, &found)->value;
}

int64_t state_policy_number(struct state *state, const char *name, int64_t otherwise) {
    struct state_known found;
    const struct state_known *known = known_policy(state, name, &found);

    return known->is_number ? known->number : otherwise;
}
