/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the log's records into rows of numbers. It promises that every name in a row is known and
 * every reversal finds its target; what a row means for a period is the report's business.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "facts-private.h"

#define ARENA_MAX_BYTES (1024u * 1024) /* an order of 32 KiB fits many times over */

int facts_new(struct facts **ret) {
    struct facts *facts = calloc(1, sizeof(*facts));
    if (!facts)
        return -ENOMEM;
    arena_init(&facts->arena, ARENA_MAX_BYTES);
    arena_init(&facts->target_arena, ARENA_MAX_BYTES);
    int r = facts_ids_init(&facts->ids);
    facts->memo = calloc(FACTS_N_MEMOS, sizeof(*facts->memo));
    if (r == 0 && !facts->memo)
        r = -ENOMEM;
    if (r < 0) {
        facts_free(facts);
        return r;
    }
    *ret = facts;
    return 0;
}

static void end_memo(struct facts_memo *memo) {
    for (size_t i = 0; memo && i < FACTS_N_MEMOS; i++)
        if (memo[i].end)
            memo[i].end(atomic_load(&memo[i].memory));
    free(memo);
}

struct facts *facts_free(struct facts *facts) {
    if (!facts)
        return NULL;
    end_memo(facts->memo);
    arena_fini(&facts->arena);
    arena_fini(&facts->target_arena);
    bytes_fini(&facts->target);
    intern_fini(&facts->account_codes);
    intern_fini(&facts->persons);
    intern_fini(&facts->activities);
    intern_fini(&facts->offers);
    intern_fini(&facts->funders);
    intern_fini(&facts->programmes);
    intern_fini(&facts->wards);
    intern_fini(&facts->age_bands);
    bytes_fini(&facts->tags);
    facts_ids_fini(&facts->ids);
    facts_wait_fini(facts);
    for (unsigned i = 0; i < FACTS_N_SERIES; i++)
        facts_block_fini(facts_series_get(facts, i));
    free(facts->reversals);
    free(facts->waits);
    free(facts->merges);
    free(facts->standings);
    free(facts->taggings);
    free(facts->latest);
    free(facts->days);
    free(facts->accounts);
    free(facts->opened);
    free(facts->own_lines);
    free(facts->changes);
    free(facts);
    return NULL;
}

void facts_set_source(struct facts *facts, const struct facts_source *source) {
    facts->source = *source;
}

/* With a row of its own from the first time on. */
static int number_account(struct facts *facts, const char *code, uint32_t *ret) {
    uint32_t number;
    int r = intern_text_number(&facts->account_codes, code, &number);
    if (r < 0)
        return r;
    if (number == facts->n_accounts) {
        r = GROW(facts, accounts);
        if (r < 0)
            return r;
        facts->accounts[facts->n_accounts++] = (struct fact_account){
            .ward = INTERN_NONE, .age_band = INTERN_NONE, .person = INTERN_NONE};
    }
    *ret = number;
    return 0;
}

/* A person is an account and a name in it, so that households count heads. Most have no name. */
int facts_number_person(struct facts *facts, uint32_t account, const char *name, uint32_t *ret) {
    _cleanup_bytes_ struct bytes key = {0};
    uint32_t *first = &facts->accounts[account].person;
    if (strcmp(name, "1") == 0) /* whom entries name once somebody else shares the account */
        name = "";
    if (name[0] == '\0' && *first != INTERN_NONE) {
        *ret = *first;
        return 0;
    }
    bytes_put_u32(&key, account);
    bytes_put_text(&key, name);
    int r = key.r < 0 ? key.r : intern_number(&facts->persons, key.data, key.n, ret);
    if (r == 0 && name[0] == '\0')
        *first = *ret;
    return r;
}

static int open_account(struct facts *facts, const char *code, Timebank__AccountKind kind,
                        const struct fact_entered *entered, uint32_t joined_day) {
    uint32_t number;
    int r = number_account(facts, code, &number);
    if (r < 0)
        return r;
    if (facts->accounts[number].kind != TIMEBANK__ACCOUNT_KIND__ACCOUNT_KIND_NONE)
        return -EBADMSG;
    r = GROW(facts, opened);
    if (r < 0)
        return r;
    facts->accounts[number].kind = kind;
    facts->accounts[number].opened = *entered;
    facts->accounts[number].joined_day = joined_day;
    facts->opened[facts->n_opened++] = number;
    return 0;
}

static int open_bank_accounts(struct facts *facts) {
    struct fact_entered entered = {.recorded_day = facts->days[0].day};
    int r = 0;
    for (size_t i = 0; r == 0 && i < RECORD_BANK_ACCOUNTS; i++)
        r = open_account(facts, record_bank_accounts[i].code, record_bank_accounts[i].kind,
                         &entered, entered.recorded_day);
    return r;
}

static int add_day(struct facts *facts, uint64_t index, uint64_t received_at_ms) {
    int r = GROW(facts, days);
    if (r < 0)
        return r;
    uint32_t day = clock_day(received_at_ms);
    if (facts->n_days == 0 || facts->days[facts->n_days - 1].day != day)
        facts->days[facts->n_days++] = (struct fact_day){.index = index, .day = day};
    return 0;
}

static int add_genesis(struct facts *facts, const uint8_t *record, size_t n) {
    Timebank__Genesis *genesis;
    int r = record_genesis_decode(record + 1, n - 1, &facts->arena, &genesis);
    if (r == 0)
        r = add_day(facts, 0, genesis->created_ms);
    return r == 0 ? open_bank_accounts(facts) : r;
}

static int add_seal(struct facts *facts, uint64_t index, const uint8_t *record, size_t n) {
    struct record_seal seal;
    int r = record_seal_unpack(record, n, &seal);
    return r == 0 ? add_day(facts, index, seal.received_at_ms) : r;
}

static struct fact_entered entered_now(const struct facts *facts, uint64_t index,
                                       uint32_t claimed_day) {
    return (struct fact_entered){.index = index,
                                 .recorded_day = facts->days[facts->n_days - 1].day,
                                 .claimed_day = claimed_day};
}

static int add_order(struct facts *facts, uint64_t index, const uint8_t *record, size_t n,
                     struct facts_reading *reading) {
    Timebank__Order *order;
    struct fact_entered entered = entered_now(facts, index, 0);
    int r = facts->by_the_long_way ? 0
                                   : facts_plain_add(facts, &entered, record + 1, n - 1,
                                                     reading->legs, reading->n_legs);
    if (r != 0)
        return MIN_OF(r, 0);
    r = record_order_decode(record + 1, n - 1, &facts->arena, &order);
    if (r == 0)
        r = facts_move_sum(facts, reading);
    if (r < 0)
        return r;
    reading->order = order;
    reading->entered = entered_now(facts, index, order->claimed_day);
    r = facts_known_order(facts, reading);
    if (r < 0)
        return r;
    if (order->kind_case == TIMEBANK__ORDER__KIND_OPEN_ACCOUNT)
        return open_account(facts, order->to, order->open_account->kind, &reading->entered,
                            order->service_day ? order->service_day
                                               : reading->entered.recorded_day);
    return order->kind_case < TIMEBANK__ORDER__KIND_OPEN_ACCOUNT ? facts_order_add(facts, reading)
                                                                 : 0;
}

static int add_event(struct facts *facts, uint64_t index, const uint8_t *record, size_t n,
                     struct facts_reading *reading) {
    Timebank__Event *event;
    int r = record_event_decode(record + 1, n - 1, &facts->arena, &event);
    if (r == 0)
        r = facts_move_sum(facts, reading);
    if (r == 0)
        r = add_day(facts, index, event->ledger_time_ms);
    if (r < 0)
        return r;
    reading->entered = entered_now(facts, index, 0);
    return facts_order_event(facts, reading, event);
}

int facts_add(struct facts *facts, uint64_t index, const uint8_t *record, size_t n,
              const struct fact_leg *legs, size_t n_legs) {
    struct facts_reading reading = {.legs = legs, .n_legs = n_legs, .about = INTERN_NONE};
    if (index != facts->n_records)
        return -EINVAL;
    if (index >= INTERN_NONE)
        return -EOVERFLOW;
    if (n == 0 || (index == 0 && record[0] != RECORD_GENESIS))
        return -EBADMSG;
    int r = 0;
    arena_reset(&facts->arena);
    if (index == 0)
        r = add_genesis(facts, record, n);
    else if (record[0] == RECORD_SEAL)
        r = add_seal(facts, index, record, n);
    else if (record[0] == RECORD_ORDER)
        r = add_order(facts, index, record, n, &reading);
    else if (record[0] == RECORD_EVENT)
        r = add_event(facts, index, record, n, &reading);
    else if (record[0] != RECORD_STATE && record[0] != RECORD_GENESIS)
        r = -EBADMSG;
    if (r == 0)
        facts->n_records++;
    return r;
}

static int read_known(struct intern *names, const char *name, uint32_t *ret) {
    if (name[0] != '\0' && strcmp(name, FACTS_NO_WARD) != 0)
        return intern_text_number(names, name, ret);
    *ret = INTERN_NONE;
    return 0;
}

int facts_set_ward(struct facts *facts, const char *code, const char *ward) {
    uint32_t account;
    int r = number_account(facts, code, &account);
    return r == 0 ? read_known(&facts->wards, ward, &facts->accounts[account].ward) : r;
}

int facts_set_age_band(struct facts *facts, const char *code, const char *age_band) {
    uint32_t account;
    int r = number_account(facts, code, &account);
    return r == 0 ? read_known(&facts->age_bands, age_band, &facts->accounts[account].age_band) : r;
}

uint32_t facts_last_day(const struct facts *facts, uint64_t size) {
    assert(size > 0 && size <= facts->n_records);
    size_t low = 0, high = facts->n_days; /* days[low].index < size <= days[high].index */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (facts->days[middle].index < size)
            low = middle;
        else
            high = middle;
    }
    return facts->days[low].day;
}

uint32_t facts_person_account(const struct facts *facts, uint32_t person) {
    return be32_get((const uint8_t *)intern_text(&facts->persons, person));
}

const char *facts_person_name(const struct facts *facts, uint32_t person) {
    return intern_text(&facts->persons, person) + sizeof(uint32_t);
}
