/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the log's records into rows of numbers. It promises that every name in a row is known and
 * every reversal finds its target; what a row means for a period is the report's business.
 */
#include "facts.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define ARENA_MAX_BYTES (1024u * 1024) /* an order of 32 KiB fits many times over */

int facts_new(struct facts **ret) {
    struct facts *facts = calloc(1, sizeof(*facts));
    if (!facts)
        return -ENOMEM;
    arena_init(&facts->arena, ARENA_MAX_BYTES);
    *ret = facts;
    return 0;
}

struct facts *facts_free(struct facts *facts) {
    if (!facts)
        return NULL;
    arena_fini(&facts->arena);
    intern_fini(&facts->account_codes);
    intern_fini(&facts->persons);
    intern_fini(&facts->activities);
    intern_fini(&facts->offers);
    intern_fini(&facts->funders);
    intern_fini(&facts->wards);
    intern_fini(&facts->ids);
    free(facts->facts);
    free(facts->reversals);
    free(facts->days);
    free(facts->accounts);
    free(facts);
    return NULL;
}

#define GROW(facts, array)                                                                         \
    ({                                                                                             \
        void *grown_ = (facts)->array;                                                             \
        int grow_r_ = intern_grow(&grown_, (facts)->n_##array, &(facts)->n_##array##_allocated,    \
                                  sizeof(*(facts)->array));                                        \
        (facts)->array = grown_;                                                                   \
        grow_r_;                                                                                   \
    })

/* The account's number, with a row of its own from the first time on. */
static int number_account(struct facts *facts, const char *code, uint32_t *ret) {
    uint32_t number;
    int r = intern_text_number(&facts->account_codes, code, &number);
    if (r < 0)
        return r;
    if (number == facts->n_accounts) {
        r = GROW(facts, accounts);
        if (r < 0)
            return r;
        facts->accounts[facts->n_accounts++] = (struct fact_account){.ward = INTERN_NONE};
    }
    *ret = number;
    return 0;
}

static int open_account(struct facts *facts, const char *code, Timebank__AccountKind kind) {
    uint32_t number;
    int r = number_account(facts, code, &number);
    if (r < 0)
        return r;
    if (facts->accounts[number].kind != TIMEBANK__ACCOUNT_KIND__ACCOUNT_KIND_NONE)
        return -EBADMSG;
    facts->accounts[number].kind = kind;
    return 0;
}

static int open_bank_accounts(struct facts *facts) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < RECORD_BANK_ACCOUNTS; i++)
        r = open_account(facts, record_bank_accounts[i].code, record_bank_accounts[i].kind);
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

/* One side of an order. A person is an account and a name in it, so that households count heads. */
static int read_side(struct facts *facts, const char *code, const char *person,
                     uint32_t *ret_account, uint32_t *ret_person) {
    *ret_account = *ret_person = INTERN_NONE;
    if (code[0] == '\0')
        return 0;
    uint32_t account = intern_find(&facts->account_codes, code, strlen(code));
    if (account == INTERN_NONE ||
        facts->accounts[account].kind == TIMEBANK__ACCOUNT_KIND__ACCOUNT_KIND_NONE)
        return -EBADMSG;

    _cleanup_bytes_ struct bytes key = {0};
    bytes_put_u32(&key, account);
    bytes_put_text(&key, person);
    if (key.r < 0)
        return key.r;
    *ret_account = account;
    return intern_number(&facts->persons, key.data, key.n, ret_person);
}

static int read_name(struct intern *names, const char *name, uint32_t *ret) {
    return intern_text_number(names, name[0] != '\0' ? name : FACTS_NAMELESS, ret);
}

static int read_offer(struct facts *facts, const char *venue, const char *name, uint32_t *ret) {
    _cleanup_bytes_ struct bytes key = {0};
    bytes_put_text(&key, venue);
    bytes_put_u8(&key, '/');
    bytes_put_text(&key, name[0] != '\0' ? name : FACTS_NAMELESS);
    if (key.r < 0)
        return key.r;
    return intern_number(&facts->offers, key.data, key.n, ret);
}

static int read_label(struct facts *facts, const Timebank__Order *order, struct fact *fact) {
    fact->label = INTERN_NONE;
    if (order->kind_case == TIMEBANK__ORDER__KIND_ISSUE)
        return read_name(&facts->funders, order->issue->funder, &fact->label);
    if (order->kind_case != TIMEBANK__ORDER__KIND_REDEEM)
        return 0;
    fact->adults = order->redeem->adults;
    fact->under16 = order->redeem->under16;
    return read_offer(facts, order->to, order->redeem->offer, &fact->label);
}

/* Which sides a kind has: a missing one would be counted as nobody. Hours without credit may name
 * who had them, or nobody. */
static bool has_sides(const struct fact *fact) {
    return fact->to != INTERN_NONE &&
           (fact->from != INTERN_NONE || fact->kind == TIMEBANK__ORDER__KIND_LOG);
}

static void count_minutes(struct facts *facts, uint64_t minutes) {
    if (__builtin_add_overflow(facts->total_minutes, minutes, &facts->total_minutes))
        facts->total_minutes = UINT64_MAX;
}

static int add_fact(struct facts *facts, uint64_t index, const Timebank__Order *order) {
    struct fact fact = {
        .index = index,
        .minutes = order->minutes,
        .typed_minutes = order->typed_minutes,
        .service_day = order->service_day,
        .recorded_day = facts->days[facts->n_days - 1].day,
        .claimed_day = order->claimed_day,
        .kind = order->kind_case,
        .insisted = (order->override & 4) != 0,
    };
    int r = read_side(facts, order->from, order->from_person, &fact.from, &fact.from_person);
    if (r == 0)
        r = read_side(facts, order->to, order->to_person, &fact.to, &fact.to_person);
    if (r == 0)
        r = read_name(&facts->activities, order->activity, &fact.activity);
    if (r == 0)
        r = read_label(facts, order, &fact);
    if (r < 0)
        return r;
    if (!has_sides(&fact))
        return -EBADMSG;

    uint32_t number;
    r = intern_number(&facts->ids, order->id.data, order->id.len, &number);
    if (r < 0)
        return r;
    if (number != facts->n_facts)
        return -EBADMSG;
    r = GROW(facts, facts);
    if (r < 0)
        return r;
    facts->facts[facts->n_facts++] = fact;
    count_minutes(facts, fact.minutes);
    count_minutes(facts, fact.typed_minutes);
    return 0;
}

static int add_reversal(struct facts *facts, uint64_t index, const Timebank__Order *order) {
    const ProtobufCBinaryData *id = &order->reverse->target;
    uint32_t target = intern_find(&facts->ids, id->data, id->len);
    if (target == INTERN_NONE)
        return -EBADMSG;
    int r = GROW(facts, reversals);
    if (r < 0)
        return r;
    facts->reversals[facts->n_reversals++] = (struct fact_reversal){
        .index = index,
        .minutes = order->minutes,
        .target = target,
        .recorded_day = facts->days[facts->n_days - 1].day,
        .claimed_day = order->claimed_day,
    };
    return 0;
}

static int add_order(struct facts *facts, uint64_t index, const uint8_t *record, size_t n) {
    Timebank__Order *order;
    int r = record_order_decode(record + 1, n - 1, &facts->arena, &order);
    if (r < 0)
        return r;
    if (order->kind_case == TIMEBANK__ORDER__KIND_REVERSE)
        return add_reversal(facts, index, order);
    if (order->kind_case == TIMEBANK__ORDER__KIND_OPEN_ACCOUNT)
        return open_account(facts, order->to, order->open_account->kind);
    return record_kind_counts(order->kind_case) ? add_fact(facts, index, order) : 0;
}

int facts_add(struct facts *facts, uint64_t index, const uint8_t *record, size_t n) {
    if (index != facts->n_records)
        return -EINVAL;
    if (n == 0 || (index == 0) != (record[0] == RECORD_GENESIS))
        return -EBADMSG;
    int r = 0;
    arena_reset(&facts->arena);
    if (record[0] == RECORD_GENESIS)
        r = add_genesis(facts, record, n);
    else if (record[0] == RECORD_SEAL)
        r = add_seal(facts, index, record, n);
    else if (record[0] == RECORD_ORDER)
        r = add_order(facts, index, record, n);
    else if (record[0] != RECORD_EVENT && record[0] != RECORD_STATE)
        r = -EBADMSG;
    if (r == 0)
        facts->n_records++;
    return r;
}

int facts_set_ward(struct facts *facts, const char *code, const char *ward) {
    uint32_t account;
    int r = number_account(facts, code, &account);
    if (r < 0)
        return r;
    if (ward[0] == '\0' || strcmp(ward, FACTS_NO_WARD) == 0) {
        facts->accounts[account].ward = INTERN_NONE;
        return 0;
    }
    return intern_text_number(&facts->wards, ward, &facts->accounts[account].ward);
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
