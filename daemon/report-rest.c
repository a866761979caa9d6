/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums of parts, remembered. Whoever needs some that are not there makes them without the lock; if
 * two do at once, one of them worked in vain. They are never changed once they are remembered.
 */
#include "report-rest.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "report-hide.h"
#include "report-scan.h"

#define N_PERIODS 2u       /* this month and this year, say */
#define PERSONS_MAX 16384u /* sums have a row for each; of more they would take much memory */

struct rest {
    size_t n_blocks;
    struct report_taken *taken;
    size_t n_taken;
    const struct report_part *const *parts;
    size_t n_parts;
    void **sums;
    unsigned n_holders;
};

struct rests {
    struct rest **list; /* NULL: not there */
    size_t n;
};

struct period {
    struct hash good_for;
    uint64_t used;
    struct rests levels[REPORT_MEMO_LEVELS];
};

struct memory {
    pthread_mutex_t lock;
    uint64_t n_used;
    struct period periods[N_PERIODS];
};

static void rest_free(struct rest *rest) {
    if (!rest)
        return;
    if (rest->sums)
        report_scan_end(rest->parts, rest->n_parts, rest->sums);
    free(rest->sums);
    free(rest->taken);
    free(rest);
}

/* Under the lock, or with nobody left. */
static void rest_release(struct rest *rest) {
    if (rest && --rest->n_holders == 0)
        rest_free(rest);
}

static void period_clear(struct period *period) {
    for (unsigned n = 0; n < REPORT_MEMO_LEVELS; n++) {
        for (size_t i = 0; i < period->levels[n].n; i++)
            rest_release(period->levels[n].list[i]);
        free(period->levels[n].list);
    }
    *period = (struct period){0};
}

static void memory_end(void *user) {
    struct memory *memory = user;
    if (!memory)
        return;
    for (unsigned i = 0; i < N_PERIODS; i++)
        period_clear(&memory->periods[i]);
    pthread_mutex_destroy(&memory->lock);
    free(memory);
}

static struct memory *memory_of(const struct facts *facts) {
    struct facts_memo *memo = &facts->memo[FACTS_MEMO_RESTS];
    struct memory *memory = atomic_load(&memo->memory);
    if (memory)
        return memory;
    memory = calloc(1, sizeof(*memory));
    if (!memory)
        return NULL;
    pthread_mutex_init(&memory->lock, NULL);
    void *other = NULL;
    if (atomic_compare_exchange_strong(&memo->memory, &other, memory)) {
        memo->end = memory_end; /* nobody ends the facts while they are read */
        return memory;
    }
    memory_end(memory);
    return other;
}

/* ---- for what they are good */

static void put_period(const struct report_scan *scan, struct bytes *to) {
    const struct report_pick *pick = scan->pick;
    const struct facts *facts = pick->facts;
    const uint64_t numbers[] = {(uintptr_t)scan->parts,
                                scan->n_parts,
                                (uint64_t)pick->period.from_day,
                                (uint64_t)pick->period.to_day,
                                (uint64_t)pick->reach_from_day,
                                (uint64_t)pick->reach_to_day,
                                (uint64_t)scan->whole_from_day,
                                pick->known_day,
                                pick->as_recorded,
                                pick->n_persons,
                                facts->n_accounts,
                                facts->activities.n_keys,
                                facts->offers.n_keys,
                                facts->funders.n_keys,
                                facts->programmes.n_keys,
                                facts->wards.n_keys,
                                facts->age_bands.n_keys};
    bytes_put(to, numbers, sizeof(numbers));
}

/* What the parts look at of accounts; each row of its own bytes. */
static void put_accounts(const struct report_pick *pick, struct bytes *to) {
    const struct facts *facts = pick->facts;
    for (size_t i = 0; i < facts->n_accounts; i++) {
        const struct fact_account *account = &facts->accounts[i];
        const uint32_t row[] = {account->kind, account->joined_day, account->ward,
                                account->age_band, account->opened.index < pick->size};
        bytes_put(to, row, sizeof(row));
    }
}

/* Who came and went; rows are only ever added. */
static void put_standings(const struct report_pick *pick, struct bytes *to) {
    const struct facts *facts = pick->facts;
    uint64_t n_known = 0;
    for (size_t i = 0; i < facts->n_standings; i++)
        n_known += report_pick_knows(pick, &facts->standings[i].entered);
    bytes_put(to, &n_known, sizeof(n_known));
}

static bool may_remember(const struct report_pick *pick) {
    const struct facts *facts = pick->facts;
    bool hides = pick->report_class && pick->report_class->threshold > 0;
    return !pick->line_by_line && !hides && facts->n_merges == 0 &&
           pick->n_persons <= PERSONS_MAX && facts->n_accounts <= PERSONS_MAX;
}

int report_rest_begin(struct report_scan *scan) {
    const struct report_pick *pick = scan->pick;
    _cleanup_bytes_ struct bytes about = {0};
    scan->remembers_rests = may_remember(pick);
    if (!scan->remembers_rests)
        return 0;
    put_period(scan, &about);
    put_accounts(pick, &about);
    put_standings(pick, &about);
    if (about.r < 0)
        return about.r;
    scan->rests_good_for = hash_of(about.data, about.n);
    return 0;
}

static bool is_good(const struct rest *rest, const struct rest *wanted) {
    if (!rest || rest->n_blocks != wanted->n_blocks || rest->n_taken != wanted->n_taken)
        return false;
    for (size_t i = 0; i < wanted->n_taken; i++)
        if (rest->taken[i].order != wanted->taken[i].order ||
            rest->taken[i].minutes != wanted->taken[i].minutes)
            return false;
    return true;
}

/* ---- remembering, under the lock */

/* That of the scan; the one that was used longest ago makes room. */
static struct period *period_of(struct memory *memory, const struct report_scan *scan) {
    struct period *oldest = &memory->periods[0], *found = NULL;
    for (unsigned i = 0; i < N_PERIODS; i++) {
        struct period *period = &memory->periods[i];
        if (period->used > 0 && hash_equal(&period->good_for, &scan->rests_good_for))
            found = period;
        if (period->used < oldest->used)
            oldest = period;
    }
    if (!found) {
        found = oldest;
        period_clear(found);
        found->good_for = scan->rests_good_for;
    }
    found->used = ++memory->n_used;
    return found;
}

static struct rest *find(struct memory *memory, const struct report_scan *scan, unsigned level,
                         size_t number, const struct rest *wanted) {
    struct rest *found = NULL;
    pthread_mutex_lock(&memory->lock);
    const struct rests *rests = &period_of(memory, scan)->levels[level];
    if (number < rests->n && is_good(rests->list[number], wanted)) {
        found = rests->list[number];
        found->n_holders++;
    }
    pthread_mutex_unlock(&memory->lock);
    return found;
}

/* Held by the memory, too, if it has the room. */
static void remember(struct memory *memory, const struct report_scan *scan, unsigned level,
                     size_t number, struct rest *rest) {
    pthread_mutex_lock(&memory->lock);
    struct rests *rests = &period_of(memory, scan)->levels[level];
    if (number >= rests->n) {
        size_t n = number + 64;
        void *more = reallocarray(rests->list, n, sizeof(struct rest *));
        if (more) {
            rests->list = more;
            memset(rests->list + rests->n, 0, (n - rests->n) * sizeof(struct rest *));
            rests->n = n;
        }
    }
    if (number < rests->n) {
        rest_release(rests->list[number]);
        rests->list[number] = rest;
        rest->n_holders++;
    }
    pthread_mutex_unlock(&memory->lock);
}

static void leave(struct memory *memory, struct rest *rest) {
    pthread_mutex_lock(&memory->lock);
    rest_release(rest);
    pthread_mutex_unlock(&memory->lock);
}

/* Once a longer one has it. */
static void forget(struct memory *memory, const struct report_scan *scan, unsigned level,
                   size_t number) {
    pthread_mutex_lock(&memory->lock);
    struct rests *rests = &period_of(memory, scan)->levels[level];
    if (number < rests->n)
        rest_release(TAKE(rests->list[number]));
    pthread_mutex_unlock(&memory->lock);
}

/* ---- summing */

static int sum_rest(struct report_scan *scan, unsigned level, size_t number, report_rest_sum *sum,
                    void *user, struct rest *rest) {
    rest->sums = calloc(rest->n_parts + 1, sizeof(*rest->sums));
    int r = rest->sums ? report_scan_begin(scan, rest->sums) : -ENOMEM;
    if (r < 0 || level == 0)
        return r < 0 ? r : sum(user, number, rest->sums);
    for (size_t i = 0; r == 0 && i < 2; i++)
        r = report_rest_merge(scan, level - 1, 2 * number + i, sum, user, rest->sums);
    for (size_t i = 0; r == 0 && i < 2; i++)
        forget(memory_of(scan->pick->facts), scan, level - 1, 2 * number + i);
    return r;
}

/* What is wanted, with reversals of its own. */
static int make(struct report_scan *scan, unsigned level, size_t number, const struct rest *wanted,
                report_rest_sum *sum, void *user, struct rest **ret) {
    struct rest *rest = calloc(1, sizeof(*rest));
    if (!rest)
        return -ENOMEM;
    *rest = *wanted;
    rest->taken = calloc(wanted->n_taken + 1, sizeof(*rest->taken));
    int r = rest->taken ? 0 : -ENOMEM;
    if (r == 0 && wanted->n_taken > 0)
        memcpy(rest->taken, wanted->taken, wanted->n_taken * sizeof(*wanted->taken));
    if (r == 0)
        r = sum_rest(scan, level, number, sum, user, rest);
    if (r != 0)
        rest_free(rest);
    else
        *ret = rest;
    return r;
}

int report_rest_merge(struct report_scan *scan, unsigned level, size_t number, report_rest_sum *sum,
                      void *user, void **sums) {
    struct memory *memory = memory_of(scan->pick->facts);
    struct rest wanted = {.n_blocks = report_memo_blocks(scan->pick->facts) << level,
                          .parts = scan->parts,
                          .n_parts = scan->n_parts,
                          .n_holders = 1};
    struct fact_zone zone;
    if (!memory || !report_memo_zone(scan->pick->facts, level, number, &zone))
        return memory ? -EINVAL : -ENOMEM;
    wanted.taken = (struct report_taken *)report_memo_taken(scan->pick, &zone, &wanted.n_taken);
    struct rest *rest = find(memory, scan, level, number, &wanted);
    if (!rest) {
        int r = make(scan, level, number, &wanted, sum, user, &rest);
        if (r != 0)
            return r;
        remember(memory, scan, level, number, rest);
    }
    int r = report_scan_merge(scan, sums, rest->sums);
    leave(memory, rest);
    return r;
}
