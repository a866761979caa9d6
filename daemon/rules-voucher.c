/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vouchers as the ledger keeps them: minted out of an account into `vouchers`, made void, issued
 * again under a new number, expired. What was minted by one order waits under the number of the
 * record that gave it effect (PENDING_VOUCHERS: who paid, the minutes not used yet, the end of the
 * time to hand them in), and the pendings of vouchers always add up to the balance of `vouchers`. A
 * reissued voucher waits under the number of its reissue. How one is taken is in
 * rules-voucher-redeem.c.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "proto/hours.h"
#include "proto/voucher.h"
#include "rules.h"

#define MINT_MAX 1000u
#define POOL "vouchers"

/* ---- keys */

/* The row in force, of the topmost state that holds it. */
static const struct row *last_key(struct state *state) {
    for (struct state *s = state; s; s = s->below)
        for (const struct row *row = rows_next(&s->tables[STATE_VOUCHER_KEYS], NULL); row;
             row = rows_next(&s->tables[STATE_VOUCHER_KEYS], row)) {
            const struct state_voucher_key *key =
                state_get(state, STATE_VOUCHER_KEYS, row->key, row->n_key, NULL);
            if ((const void *)key == (const void *)row->value && key->is_last)
                return row;
        }
    return NULL;
}

int rules_voucher_key(struct rule *rule) {
    const ProtobufCBinaryData *bytes = &rule->order->set_voucher_key->key;
    const struct row *last = last_key(rule->state);
    struct state_voucher_key *key;
    void *value;
    int r = 0;

    if (bytes->len != SSHSIG_PUBLIC_BYTES || !sshsig_public_is_usable(bytes->data))
        return rule_refuse(rule, REFUSAL_BAD_KEY, "key", NULL);
    if (state_get(rule->state, STATE_KEYS, bytes->data, bytes->len, &r) ||
        state_get(rule->state, STATE_VOUCHER_KEYS, bytes->data, bytes->len, &r))
        return rule_refuse(rule, REFUSAL_KEY_GRANTED, "key",
                           "That key has or had another use here: make a new one with timebank "
                           "voucher key new.");
    if (r == 0 && last) {
        r = state_edit(rule->state, STATE_VOUCHER_KEYS, last->key, last->n_key, &value);
        if (r > 0)
            ((struct state_voucher_key *)value)->is_last = false;
        r = MIN_OF(r, 0);
    }
    if (r == 0)
        r = state_add(rule->state, STATE_VOUCHER_KEYS, bytes->data, bytes->len, &value);
    if (r < 0)
        return r;
    key = value;
    key->set_by = rule->index;
    key->is_last = true;
    return 0;
}

bool rules_voucher_is_genuine(struct rule *rule, const uint8_t *claims, const uint8_t *signature) {
    for (struct state *s = rule->state; s; s = s->below)
        for (const struct row *row = rows_next(&s->tables[STATE_VOUCHER_KEYS], NULL); row;
             row = rows_next(&s->tables[STATE_VOUCHER_KEYS], row))
            if (voucher_is_genuine(claims, signature, row->key))
                return true;
    return false;
}

/* ---- rows */

const struct state_voucher *rules_voucher_get(struct rule *rule, uint64_t serial, int *r) {
    uint8_t key[8];

    be64_put(key, serial);
    return state_get(rule->state, STATE_VOUCHERS, key, sizeof(key), r);
}

static int edit(struct rule *rule, enum state_table table, uint64_t number, void **ret_value) {
    uint8_t key[8];
    int r;

    be64_put(key, number);
    r = state_edit(rule->state, table, key, sizeof(key), ret_value);
    return r > 0 ? 0 : r < 0 ? r : -EUCLEAN;
}

int rules_voucher_mark(struct rule *rule, uint64_t serial, enum state_voucher_standing standing) {
    void *value;
    int r = edit(rule, STATE_VOUCHERS, serial, &value);
    struct state_voucher *voucher = value;

    if (r < 0)
        return r;
    voucher->standing = (uint8_t)standing;
    voucher->used = standing == VOUCHER_OPEN ? 0 : rule->index;
    return 0;
}

int rules_voucher_pending(struct rule *rule, uint64_t mint, const struct state_pending **ret) {
    const struct state_pending *pending;
    uint8_t key[8];
    int r = 0;

    be64_put(key, mint);
    pending = state_get(rule->state, STATE_PENDINGS, key, sizeof(key), &r);
    if (!pending)
        return r < 0 ? r : -EUCLEAN;
    assert(pending->what == PENDING_VOUCHERS);
    *ret = pending;
    return 0;
}

int rules_voucher_take_out(struct rule *rule, uint64_t mint, uint64_t minutes) {
    struct state_pending *pending;
    void *value;
    int r = edit(rule, STATE_PENDINGS, mint, &value);

    if (r < 0)
        return r;
    pending = value;
    assert(!pending->is_over && pending->minutes >= minutes);
    pending->minutes -= minutes;
    if (pending->minutes == 0)
        rules_pending_end(rule, pending, OUTCOME_SETTLED);
    return 0;
}

/* A pending that is over begins to wait again; past its time it falls due at once. */
int rules_voucher_put_back(struct rule *rule, uint64_t mint, uint64_t minutes) {
    struct state_pending *pending;
    void *value;
    int r = edit(rule, STATE_PENDINGS, mint, &value);

    if (r < 0)
        return r;
    pending = value;
    pending->minutes += minutes;
    pending->is_over = false;
    pending->outcome = 0;
    pending->ended = 0;
    return 0;
}

static int add_rows(struct rule *rule, uint64_t first, uint64_t count,
                    const struct state_voucher *terms) {
    int r = 0;

    for (uint64_t serial = first; r == 0 && serial < first + count; serial++) {
        uint8_t key[8];
        void *value;

        be64_put(key, serial);
        r = state_add(rule->state, STATE_VOUCHERS, key, sizeof(key), &value);
        if (r == 0)
            *(struct state_voucher *)value = *terms;
    }
    rule->state->sums.next_serial = first + count;
    return r;
}

static int check_next(struct rule *rule, uint64_t serial, uint64_t count, const char *field) {
    uint64_t next = MAX_OF(rule->state->sums.next_serial, (uint64_t)1);

    if (serial == next && next + count - 1 <= VOUCHER_SERIAL_MAX)
        return 0;
    return rule_refuse(rule, REFUSAL_VOUCHER_SERIAL, field,
                       "The next voucher is number %llu, not %llu: enter it again.",
                       (unsigned long long)next, (unsigned long long)serial);
}

/* ---- mint */

static int check_count(struct rule *rule) {
    const Timebank__MintVouchers *mint = rule->order->mint_vouchers;
    uint64_t quantum = (uint64_t)state_policy_number(rule->state, "quantum", 1);

    if (mint->count == 0 || mint->count > MINT_MAX)
        return rule_refuse(rule, REFUSAL_BAD_NUMBER, "count",
                           "One order makes 1 to %u vouchers: choose a number of those.", MINT_MAX);
    if (mint->each_minutes == 0)
        return rule_refuse(rule, REFUSAL_ZERO, "each_minutes",
                           "A voucher of no time buys nothing: give its time as 1h.");
    if (mint->each_minutes > VOUCHER_MINUTES_MAX)
        return rule_refuse(rule, REFUSAL_TOO_LONG, "each_minutes",
                           "That is more time than a voucher can hold: make several.");
    if (mint->each_minutes % quantum != 0)
        return rule_refuse(rule, REFUSAL_NOT_IN_QUANTUM, "each_minutes", NULL);
    if (rule->order->minutes != mint->count * mint->each_minutes)
        return rule_refuse(rule, REFUSAL_NOT_CANONICAL, "minutes",
                           "The time is not that of all vouchers together: update the client.");
    return 0;
}

static int check_days(struct rule *rule) {
    const Timebank__MintVouchers *mint = rule->order->mint_vouchers;
    int64_t days = state_policy_number(rule->state, "voucher-days", 365);

    if (mint->expires_day < rule->today || mint->expires_day > VOUCHER_DAY_MAX ||
        mint->from_day > mint->expires_day)
        return rule_refuse(rule, REFUSAL_BAD_DATE, "expires_day",
                           "The vouchers would never be good: check their first and last day.");
    if ((int64_t)mint->expires_day > (int64_t)rule->today + days)
        return rule_refuse(rule, REFUSAL_BAD_DATE, "expires_day",
                           "Vouchers are good for %lld days at most: choose an earlier last day.",
                           (long long)days);
    return 0;
}

static int check_venue(struct rule *rule, uint64_t *ret_venue) {
    const char *code = rule->order->mint_vouchers->venue;
    const struct state_account *venue = *code ? state_account(rule->state, code) : NULL;

    if (*code && (!venue || !(KIND_BIT(venue->kind) & VENUES)))
        return rule_refuse(rule, REFUSAL_NO_SUCH_ACCOUNT, "venue",
                           "There is no venue %s: check the code.", code);
    if (venue && venue->standing == STANDING_CLOSED)
        return rule_refuse(rule, REFUSAL_CLOSED, "venue", "%s is closed: choose another venue.",
                           code);
    *ret_venue = venue ? venue->number + 1 : 0;
    return 0;
}

/* The end of the last day on which one taken in time may still be handed in. */
static uint64_t due_of(struct rule *rule, uint32_t expires_day) {
    int64_t grace = state_policy_number(rule->state, "voucher-grace-days", 0);

    return ((uint64_t)expires_day + (uint64_t)grace + 1) * MS_PER_DAY;
}

int rules_voucher_mint(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    const Timebank__MintVouchers *mint = order->mint_vouchers;
    struct state_voucher terms = {.mint = rule->index,
                                  .minutes = mint->each_minutes,
                                  .from_day = mint->from_day,
                                  .expires_day = mint->expires_day};
    int r = 0;

    if (!last_key(rule->state))
        r = rule_refuse(rule, REFUSAL_NO_VOUCHER_KEY, "", NULL);
    if (r == 0)
        r = check_count(rule);
    if (r == 0)
        r = check_days(rule);
    if (r == 0)
        r = check_venue(rule, &terms.venue);
    if (r == 0)
        r = check_next(rule, mint->first_serial, mint->count, "first_serial");
    if (r == 0)
        r = rules_move_check(rule, order->from, order->to, order->minutes);
    if (r == 0)
        r = rules_move(rule, order->from, order->to, order->minutes);
    if (r == 0)
        r = rules_pending_open(rule, PENDING_VOUCHERS, order->minutes, order->from, order->to,
                               due_of(rule, mint->expires_day), rule_entry(rule));
    return r == 0 ? add_rows(rule, mint->first_serial, mint->count, &terms) : r;
}

/* ---- void and reissue */

int rules_voucher_refuse_standing(struct rule *rule, uint64_t serial,
                                  const struct state_voucher *voucher) {
    static const struct {
        int refusal;
        const char *what;
    } words[] = {[VOUCHER_USED] = {REFUSAL_VOUCHER_USED, "was used before"},
                 [VOUCHER_VOID] = {REFUSAL_VOUCHER_VOID, "was made void before"},
                 [VOUCHER_EXPIRED] = {REFUSAL_VOUCHER_EXPIRED, "has expired"}};

    assert(voucher->standing != VOUCHER_OPEN && voucher->standing < N_ELEMENTS(words));
    return rule_refuse(rule, words[voucher->standing].refusal, "",
                       "Voucher %llu %s: leave it out, and see timebank voucher list.",
                       (unsigned long long)serial, words[voucher->standing].what);
}

/* All of a range are open, and paid for by one order. */
static int check_range(struct rule *rule, uint64_t first, uint64_t count,
                       struct state_voucher *ret_first, uint64_t *ret_minutes) {
    uint64_t minutes = 0;
    int r = 0;

    if (count == 0 || count > MINT_MAX || first > VOUCHER_SERIAL_MAX)
        return rule_refuse(rule, REFUSAL_BAD_NUMBER, "count",
                           "One order takes 1 to %u vouchers: choose a number of those.", MINT_MAX);
    for (uint64_t serial = first; serial < first + count; serial++) {
        const struct state_voucher *voucher = rules_voucher_get(rule, serial, &r);
        if (!voucher)
            return r < 0 ? r : rule_refuse(rule, REFUSAL_VOUCHER_UNKNOWN, "", NULL);
        if (voucher->standing != VOUCHER_OPEN)
            return rules_voucher_refuse_standing(rule, serial, voucher);
        if (serial == first)
            *ret_first = *voucher;
        if (voucher->mint != ret_first->mint)
            return rule_refuse(rule, REFUSAL_VOUCHER_SERIAL, "count",
                               "Voucher %llu was made by another order: end the range before it.",
                               (unsigned long long)serial);
        minutes += voucher->minutes;
    }
    *ret_minutes = minutes;
    return 0;
}

static const struct state_account *account_number(struct state *state, uint64_t number) {
    while (state->below)
        state = state->below;
    return number < state->sums.n_accounts ? state->accounts[number] : NULL;
}

/* Whoever goes on for an account that paid; the chest for one that is closed. */
const char *rules_voucher_payer(struct state *state, const struct state_pending *pending) {
    const struct state_account *account = state_account(state, pending->from);

    while (account && account->merged_into) {
        const struct state_account *next = account_number(state, account->merged_into - 1);
        account = next ? state_account(state, next->code) : NULL;
    }
    return account && account->standing != STANDING_CLOSED ? account->code : "chest";
}

static int check_return(struct rule *rule, const struct state_voucher *voucher, uint64_t minutes) {
    const struct state_pending *pending;
    char text[32];
    int r = rules_voucher_pending(rule, voucher->mint, &pending);

    if (r < 0)
        return r;
    if (strcmp(rule->order->to, rules_voucher_payer(rule->state, pending)) != 0)
        return rule_refuse(rule, REFUSAL_WRONG_KIND, "to",
                           "The credits of these vouchers go back to %s: name it.",
                           rules_voucher_payer(rule->state, pending));
    hours_format((int64_t)minutes, text);
    if (rule->order->minutes != minutes)
        return rule_refuse(rule, REFUSAL_NOT_CANONICAL, "minutes",
                           "These vouchers hold %s together: enter that.", text);
    return 0;
}

int rules_voucher_void(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    const Timebank__VoidVouchers *range = order->void_vouchers;
    struct state_voucher voucher = {0};
    uint64_t minutes = 0;
    int r = check_range(rule, range->first_serial, range->count, &voucher, &minutes);

    if (r == 0)
        r = check_return(rule, &voucher, minutes);
    if (r == 0) /* credits on their way back to who had them ask for no ceiling */
        r = rules_move(rule, POOL, order->to, minutes);
    if (r == 0)
        r = rules_voucher_take_out(rule, voucher.mint, minutes);
    for (uint64_t i = 0; r == 0 && i < range->count; i++)
        r = rules_voucher_mark(rule, range->first_serial + i, VOUCHER_VOID);
    return r;
}

int rules_voucher_reissue(struct rule *rule) {
    const Timebank__ReissueVoucher *reissue = rule->order->reissue_voucher;
    struct state_voucher voucher = {0};
    const struct state_pending *pending = NULL;
    uint64_t minutes = 0;
    int r = check_range(rule, reissue->serial, 1, &voucher, &minutes);

    if (r == 0)
        r = check_next(rule, reissue->new_serial, 1, "new_serial");
    if (r == 0)
        r = rules_voucher_pending(rule, voucher.mint, &pending);
    if (r != 0)
        return r;
    r = rules_pending_open(rule, PENDING_VOUCHERS, minutes, pending->from, POOL, pending->due_ms,
                           rule->index);
    if (r == 0)
        r = rules_voucher_take_out(rule, voucher.mint, minutes);
    if (r == 0)
        r = rules_voucher_mark(rule, reissue->serial, VOUCHER_VOID);
    voucher.mint = rule->index;
    return r == 0 ? add_rows(rule, reissue->new_serial, 1, &voucher) : r;
}

/* ---- what was never used */

int rules_voucher_plan(struct rule *rule, const struct state_pending *pending,
                       Timebank__EventKind *ret_event, uint64_t *ret_minutes) {
    (void)rule;
    *ret_event = TIMEBANK__EVENT_KIND__VOUCHERS_EXPIRED;
    *ret_minutes = pending->minutes;
    return 0;
}

static int expire_row(struct rule *rule, uint64_t serial, uint64_t mint) {
    int r = 0;
    const struct state_voucher *voucher = rules_voucher_get(rule, serial, &r);

    if (!voucher)
        return r < 0 ? r : -EUCLEAN;
    if (voucher->standing != VOUCHER_OPEN || voucher->mint != mint)
        return 0;
    return rules_voucher_mark(rule, serial, VOUCHER_EXPIRED);
}

int rules_voucher_expire(struct rule *rule, struct state_pending *pending) {
    bool is_lost = strcmp(state_policy(rule->state, "voucher-lapse"), "expire") == 0;
    const Timebank__Order *order = NULL;
    uint64_t received_at_ms = 0, first, count;
    int r = rules_pending_order(rule, pending->entry, &order, &received_at_ms);

    if (r < 0)
        return r;
    if (order->kind_case == TIMEBANK__ORDER__KIND_MINT_VOUCHERS) {
        first = order->mint_vouchers->first_serial;
        count = order->mint_vouchers->count;
    } else {
        first = order->reissue_voucher->new_serial;
        count = 1;
    }
    r = rules_move(rule, POOL, is_lost ? "expired" : rules_voucher_payer(rule->state, pending),
                   pending->minutes);
    for (uint64_t i = 0; r == 0 && i < count; i++)
        r = expire_row(rule, first + i, rule->proposed);
    pending->minutes = 0;
    if (r == 0)
        rules_pending_end(rule, pending, OUTCOME_LAPSED);
    return r;
}
