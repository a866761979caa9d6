/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums by day: what somebody gave on a date of service, spent in a span, took at a venue. Every
 * order of time asks for one and adds to it, so accounts that stand side by side share a row, a
 * cell each; a sum that no cell holds, and one of two accounts, has a row of its own.
 */
#include "base/bytes.h"
#include "rules.h"

/* Key of the row that an account shares. */
void rules_day_key(enum state_day_sum sum, uint64_t number, uint32_t day,
                   uint8_t ret[RULES_DAY_KEY_BYTES]) {
    be32_put(ret, day);
    ret[4] = (uint8_t)sum;
    be64_put(ret + 5, number / STATE_DAY_ACCOUNTS);
}

/* Of its own row: of one account, or of two. Returns its length. */
#define EXACT_KEY_BYTES 21
static size_t exact_key(enum state_day_sum sum, const struct state_account *account,
                        const struct state_account *other, uint32_t day,
                        uint8_t ret[EXACT_KEY_BYTES]) {
    be32_put(ret, day);
    ret[4] = (uint8_t)sum;
    be64_put(ret + 5, account->number);
    if (other)
        be64_put(ret + 13, other->number);
    return other ? EXACT_KEY_BYTES : 13;
}

static uint64_t add_up(uint64_t before, int64_t minutes) {
    return minutes < 0 && before < (uint64_t)-minutes ? 0 : before + (uint64_t)minutes;
}

static uint64_t exact_get(struct rule *rule, enum state_day_sum sum,
                          const struct state_account *account, const struct state_account *other,
                          uint32_t day) {
    uint8_t key[EXACT_KEY_BYTES];
    size_t n = exact_key(sum, account, other, day, key);
    const struct state_day_exact *row = state_get(rule->state, STATE_DAYS_EXACT, key, n, NULL);

    return row ? row->minutes : 0;
}

static int exact_put(struct rule *rule, enum state_day_sum sum, const struct state_account *account,
                     const struct state_account *other, uint32_t day, uint64_t minutes) {
    uint8_t key[EXACT_KEY_BYTES];
    size_t n = exact_key(sum, account, other, day, key);
    void *value;
    int r = state_make(rule->state, STATE_DAYS_EXACT, key, n, &value);

    if (r == 0)
        ((struct state_day_exact *)value)->minutes = minutes;
    return r;
}

/* The row, or NULL. */
static const struct state_day *find(struct rule *rule, const struct rules_day *day) {
    const struct rules_ahead *ahead = rule->state->below ? NULL : rule->ahead;
    uint8_t key[RULES_DAY_KEY_BYTES];

    if (ahead && ahead->day && day->sum == DAY_GIVEN && day->account == ahead->sides[1] &&
        day->day == ahead->service_day)
        return ahead->day;
    rules_day_key(day->sum, day->account->number, day->day, key);
    return state_get(rule->state, STATE_DAYS, key, sizeof(key), NULL);
}

uint64_t rules_day_find(struct rule *rule, struct rules_day *day) {
    uint16_t minutes;

    if (!day->account)
        return 0;
    day->found = find(rule, day);
    minutes = day->found ? day->found->minutes[day->account->number % STATE_DAY_ACCOUNTS] : 0;
    return minutes == STATE_DAY_EXACT ? exact_get(rule, day->sum, day->account, NULL, day->day)
                                      : minutes;
}

int rules_day_add_to(struct rule *rule, const struct rules_day *day, int64_t minutes) {
    uint8_t key[RULES_DAY_KEY_BYTES];
    uint16_t *cell;
    uint64_t after;
    void *value;
    int r;

    if (!day->account)
        return 0;
    if (day->found) {
        r = state_edit_found(rule->state, STATE_DAYS, sizeof(key), day->found, &value);
    } else {
        rules_day_key(day->sum, day->account->number, day->day, key);
        r = state_make(rule->state, STATE_DAYS, key, sizeof(key), &value);
    }
    if (r < 0)
        return r;
    cell = &((struct state_day *)value)->minutes[day->account->number % STATE_DAY_ACCOUNTS];
    after =
        *cell == STATE_DAY_EXACT ? exact_get(rule, day->sum, day->account, NULL, day->day) : *cell;
    after = add_up(after, minutes);
    if (*cell != STATE_DAY_EXACT && after < STATE_DAY_EXACT) {
        *cell = (uint16_t)after;
        return 0;
    }
    *cell = STATE_DAY_EXACT;
    return exact_put(rule, day->sum, day->account, NULL, day->day, after);
}

uint64_t rules_day_get(struct rule *rule, enum state_day_sum sum,
                       const struct state_account *account, uint32_t day) {
    struct rules_day found = {.sum = sum, .account = account, .day = day};

    return rules_day_find(rule, &found);
}

int rules_day_add(struct rule *rule, enum state_day_sum sum, const struct state_account *account,
                  uint32_t day, int64_t minutes) {
    struct rules_day found = {.sum = sum, .account = account, .day = day};

    return rules_day_add_to(rule, &found, minutes);
}

uint64_t rules_day_get_between(struct rule *rule, enum state_day_sum sum,
                               const struct state_account *account,
                               const struct state_account *other, uint32_t day) {
    return account && other ? exact_get(rule, sum, account, other, day) : 0;
}

int rules_day_add_between(struct rule *rule, enum state_day_sum sum,
                          const struct state_account *account, const struct state_account *other,
                          uint32_t day, int64_t minutes) {
    if (!account || !other)
        return 0;
    return exact_put(rule, sum, account, other, day,
                     add_up(exact_get(rule, sum, account, other, day), minutes));
}
