/* SPDX-License-Identifier: Apache-2.0 */
/* Genesis, seals, authors, limits, the laws; and the notes in which a batch's judgement is written.
 */
#include "ledger.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "policy.h"
#include "proto/note.h"
#include "rules.h"

__attribute__((format(printf, 3, 0))) static int note_add(struct ledger_batch *batch,
                                                          struct ledger_note note,
                                                          const char *format, va_list arguments) {
    struct ledger_note *notes = batch->notes;

    if ((batch->n_notes & (batch->n_notes - 1)) == 0) {
        size_t n = batch->n_notes ? batch->n_notes * 2 : 1;
        notes = realloc(batch->notes, n * sizeof(*notes));
        if (!notes)
            return -ENOMEM;
        batch->notes = notes;
    }
    if (format && vasprintf(&note.message, format, arguments) < 0)
        return -ENOMEM;
    if (!format)
        note.message =
            strdup(note.is_warning ? warning_sentence(note.number) : refusal_sentence(note.number));
    if (!note.message)
        return -ENOMEM;
    notes[batch->n_notes++] = note;
    return 0;
}

int ledger_refuse(struct ledger_batch *batch, size_t place, int refusal, const char *field,
                  const char *format, ...) {
    struct ledger_note note = {.number = refusal, .place = (uint32_t)place, .field = field};
    va_list arguments;
    int r;

    va_start(arguments, format);
    r = note_add(batch, note, format, arguments);
    va_end(arguments);
    if (r < 0)
        return r;
    batch->n_refusals++;
    return refusal;
}

int ledger_warn(struct ledger_batch *batch, size_t place, int warning, uint64_t entry,
                const char *format, ...) {
    struct ledger_note note = {.number = warning,
                               .place = (uint32_t)place,
                               .is_warning = true,
                               .field = "",
                               .entry = entry};
    va_list arguments;
    int r;

    va_start(arguments, format);
    r = note_add(batch, note, format, arguments);
    va_end(arguments);
    return r;
}

void ledger_batch_fini(struct ledger_batch *batch) {
    for (size_t i = 0; i < batch->n_notes; i++)
        free(batch->notes[i].message);
    free(batch->notes);
    batch->notes = NULL;
    batch->n_notes = batch->n_refusals = 0;
}

static int open_bank_accounts(struct state *state) {
    for (size_t i = 0; i < RECORD_BANK_ACCOUNTS; i++) {
        struct state_account *account;
        int r = state_account_open(state, record_bank_accounts[i].code, &account);
        if (r < 0)
            return r;
        account->kind = (uint8_t)record_bank_accounts[i].kind;
        account->floor = STATE_FLOOR_BY_POLICY;
        account->ceiling = STATE_CEILING_BY_POLICY;
        account->soft_floor = STATE_FLOOR_BY_POLICY;
        account->soft_ceiling = STATE_CEILING_BY_POLICY;
    }
    return 0;
}

static int set_policies(struct state *state, const Timebank__Genesis *genesis) {
    void *value;
    int r;

    if (genesis->n_policy_names != genesis->n_policy_values)
        return -EBADMSG;
    for (size_t i = 0; i < genesis->n_policy_names; i++) {
        const struct policy *policy = policy_find(genesis->policy_names[i]);
        if (!policy || !policy_takes(policy, genesis->policy_values[i]) ||
            (i > 0 && strcmp(genesis->policy_names[i - 1], genesis->policy_names[i]) >= 0))
            return -EBADMSG;
        r = state_make(state, STATE_POLICIES, policy->name, strlen(policy->name), &value);
        if (r < 0)
            return r;
        snprintf(((struct state_policy *)value)->value, STATE_POLICY_BYTES, "%s",
                 genesis->policy_values[i]);
    }
    return 0;
}

int ledger_genesis(struct state *state, const Timebank__Genesis *genesis) {
    void *value;
    int r;

    if (state->sums.size != 0 || genesis->n_steward_keys == 0 || *genesis->old_origin != '\0' ||
        genesis->old_size != 0 || genesis->old_root.len != 0)
        return -EBADMSG;
    r = open_bank_accounts(state);
    if (r == 0)
        r = set_policies(state, genesis);
    rules_limits_count_policies(state);
    if (state_policy_number(state, "expiry-days", -1) >= 0)
        state->sums.gains_since_day = clock_day(genesis->created_ms);
    for (size_t i = 0; r == 0 && i < genesis->n_steward_keys; i++) {
        if (genesis->steward_keys[i].len != SSHSIG_PUBLIC_BYTES)
            return -EBADMSG;
        r = state_make(state, STATE_KEYS, genesis->steward_keys[i].data, SSHSIG_PUBLIC_BYTES,
                       &value);
        if (r == 0)
            ((struct state_key *)value)->role = TIMEBANK__ROLE__STEWARD;
    }
    if (genesis->ledger_key.len == NOTE_KEY_BYTES) {
        struct hash id = note_ledger_id(genesis->origin, genesis->ledger_key.data);
        state->sums.ledger_tag = be32_get(id.b);
        if (r == 0)
            r = rules_rotate_begin(state, state->sums.size, genesis->origin,
                                   genesis->ledger_key.data);
    }
    state->sums.size = 1;
    state->sums.ledger_time_ms = state->sums.received_at_ms = genesis->created_ms;
    return r;
}

static bool follows(const struct state *state, const Timebank__Genesis *genesis,
                    const char *old_origin, const struct hash *old_root) {
    return genesis->format == 1 && genesis->n_policy_names == 0 &&
           genesis->ledger_key.len == NOTE_KEY_BYTES && note_origin_is_valid(genesis->origin) &&
           strcmp(genesis->origin, old_origin) != 0 &&
           strcmp(genesis->old_origin, old_origin) == 0 && state->sums.size > 0 &&
           genesis->old_size == state->sums.size && genesis->old_root.len == HASH_BYTES &&
           memcmp(genesis->old_root.data, old_root->b, HASH_BYTES) == 0 &&
           genesis->created_ms >= state->sums.ledger_time_ms;
}

static int add_steward(struct state *state, const ProtobufCBinaryData *key) {
    const struct state_key *known;
    void *value;
    int r = 0;

    if (key->len != SSHSIG_PUBLIC_BYTES || !sshsig_public_is_usable(key->data))
        return -EBADMSG;
    known = state_get(state, STATE_KEYS, key->data, key->len, &r);
    if (known && (known->revoked != 0 || known->role != TIMEBANK__ROLE__STEWARD))
        return -EBADMSG;
    if (known || r < 0)
        return r;
    r = state_make(state, STATE_KEYS, key->data, key->len, &value);
    if (r < 0)
        return r;
    *(struct state_key *)value =
        (struct state_key){.role = TIMEBANK__ROLE__STEWARD, .granted = state->sums.size};
    return 0;
}

int ledger_restore(struct state *state, const Timebank__Genesis *genesis, const char *old_origin,
                   const struct hash *old_root) {
    int r = 0;

    if (genesis->n_steward_keys == 0 || !follows(state, genesis, old_origin, old_root))
        return -EBADMSG;
    for (size_t i = 0; r == 0 && i < genesis->n_steward_keys; i++)
        r = add_steward(state, &genesis->steward_keys[i]);
    if (r == 0)
        r = rules_rotate_begin(state, state->sums.size, genesis->origin, genesis->ledger_key.data);
    state->sums.genesis = state->sums.size++;
    state->sums.ledger_time_ms = genesis->created_ms;
    return r;
}

int ledger_seal(struct state *state, const struct batch_header *header, uint64_t received_at_ms) {
    uint8_t key[SSHSIG_PUBLIC_BYTES + BATCH_ID_BYTES];
    void *value;
    int r;

    if (received_at_ms < state->sums.received_at_ms)
        return -EBADMSG;
    memcpy(key, header->author, SSHSIG_PUBLIC_BYTES);
    memcpy(key + SSHSIG_PUBLIC_BYTES, header->batch_id, BATCH_ID_BYTES);
    r = state_make(state, STATE_BATCHES, key, sizeof(key), &value);
    if (r < 0)
        return r;
    ((struct state_batch *)value)->seal = state->sums.size++;
    state->sums.received_at_ms = received_at_ms;
    state->sums.ledger_time_ms = MAX_OF(state->sums.ledger_time_ms, received_at_ms);
    return 0;
}

void ledger_state_record(struct state *state, uint64_t ledger_time_ms) {
    assert(ledger_time_ms >= state->sums.ledger_time_ms);
    state->sums.size++;
    state->sums.ledger_time_ms = ledger_time_ms;
}

int ledger_author(struct state *state, const uint8_t key[SSHSIG_PUBLIC_BYTES],
                  struct ledger_author *ret) {
    int r = 0;
    const struct state_key *row = state_get(state, STATE_KEYS, key, SSHSIG_PUBLIC_BYTES, &r);

    *ret = (struct ledger_author){0};
    memcpy(ret->key, key, SSHSIG_PUBLIC_BYTES);
    if (!row)
        return r;
    ret->is_revoked = row->revoked != 0;
    if (!ret->is_revoked)
        ret->role = (Timebank__Role)row->role;
    ret->report_class = (Timebank__ReportClass)row->report_class;
    snprintf(ret->account, sizeof(ret->account), "%s", row->account);
    return 0;
}

static const char *const floor_policies[LEDGER_ACCOUNT_KINDS] = {
    [TIMEBANK__ACCOUNT_KIND__MEMBER] = "floor-member",
    [TIMEBANK__ACCOUNT_KIND__ORGANISATION] = "floor-organisation",
    [TIMEBANK__ACCOUNT_KIND__VENUE] = "floor-venue",
    [TIMEBANK__ACCOUNT_KIND__CHEST] = "floor-chest"};
static const char *const ceiling_policies[LEDGER_ACCOUNT_KINDS] = {
    [TIMEBANK__ACCOUNT_KIND__MEMBER] = "ceiling-member",
    [TIMEBANK__ACCOUNT_KIND__ORGANISATION] = "ceiling-organisation",
    [TIMEBANK__ACCOUNT_KIND__VENUE] = "ceiling-venue"};

/* "none", or no such policy: INT64_MAX. */
static int64_t limit_by_policy(struct state *state, const char *name) {
    return name ? state_policy_number(state, name, INT64_MAX) : INT64_MAX;
}

static_assert(sizeof(struct ledger_policies) <= STATE_POLICIES_MEMO, "the memo has room for them");

/* Read once until one of them changes; NULL where they are not kept. */
static const struct ledger_policies *kept_policies(struct state *state) {
    struct ledger_policies *memo = state_policies_memo(state);

    if (memo && !memo->is_read)
        ledger_policies_read(state, memo);
    return memo;
}

bool ledger_floor(struct state *state, const struct state_account *account, int64_t *ret) {
    int64_t floor = account->floor == STATE_NO_FLOOR ? INT64_MAX : account->floor;
    const struct ledger_policies *kept = kept_policies(state);

    assert(account->kind < LEDGER_ACCOUNT_KINDS);
    if (account->floor == STATE_FLOOR_BY_POLICY)
        floor = kept ? kept->floors[account->kind]
                     : limit_by_policy(state, floor_policies[account->kind]);
    if (floor != INT64_MAX)
        *ret = floor;
    return floor != INT64_MAX;
}

bool ledger_ceiling(struct state *state, const struct state_account *account, int64_t *ret) {
    int64_t ceiling = account->ceiling;
    const struct ledger_policies *kept = kept_policies(state);

    static_assert(STATE_NO_CEILING == INT64_MAX, "no ceiling is the highest");
    assert(account->kind < LEDGER_ACCOUNT_KINDS);
    if (ceiling == STATE_CEILING_BY_POLICY)
        ceiling = kept ? kept->ceilings[account->kind]
                       : limit_by_policy(state, ceiling_policies[account->kind]);
    if (ceiling != INT64_MAX)
        *ret = ceiling;
    return ceiling != INT64_MAX;
}

void ledger_policies_read(struct state *state, struct ledger_policies *ret) {
    *ret = (struct ledger_policies){
        .is_read = true,
        .gifts_wait = strcmp(state_policy(state, "gift"), "pending") == 0,
        .quantum = state_policy_number(state, "quantum", 1),
        .oldest_service_days = limit_by_policy(state, "age-of-service"),
        .service_warn_days = limit_by_policy(state, "service-warn-days"),
        .day_warn_minutes = limit_by_policy(state, "day-warn"),
        .day_refuse_minutes = limit_by_policy(state, "day-refuse"),
        .second_person_above = limit_by_policy(state, "second-person-above"),
        .soft_floor_member = limit_by_policy(state, "soft-floor-member"),
        .soft_ceiling_member = limit_by_policy(state, "soft-ceiling-member")};
    for (size_t kind = 0; kind < LEDGER_ACCOUNT_KINDS; kind++) {
        ret->floors[kind] = limit_by_policy(state, floor_policies[kind]);
        ret->ceilings[kind] = limit_by_policy(state, ceiling_policies[kind]);
    }
}

struct vouchers_waiting {
    struct state *state;
    int64_t minutes;
};

static int add_waiting(void *user, uint64_t entry) {
    struct vouchers_waiting *waiting = user;
    const struct state_pending *pending;
    uint8_t key[8];
    int r = 0;

    be64_put(key, entry);
    pending = state_get(waiting->state, STATE_PENDINGS, key, sizeof(key), &r);
    if (pending && pending->what == PENDING_VOUCHERS)
        waiting->minutes += (int64_t)pending->minutes;
    return r;
}

/* What the account holds is what vouchers are good for that nobody used yet. */
static int check_vouchers(struct state *state, char *why, size_t n_why) {
    const struct state_account *account = state_account(state, "vouchers");
    struct vouchers_waiting waiting = {.state = state};
    int64_t balance = account ? account->balance : 0;
    int r = state_due_each(state, add_waiting, &waiting);

    if (r < 0 || balance == waiting.minutes)
        return r;
    snprintf(why, n_why, "vouchers are good for %lld minutes, but their account holds %lld",
             (long long)waiting.minutes, (long long)balance);
    return -EUCLEAN;
}

int ledger_check(struct state *state, char *why, size_t n_why) {
    int64_t sum = 0, held = 0, transit = 0;

    assert(!state->below);
    for (uint64_t i = 0; i < state->sums.n_accounts; i++) {
        const struct state_account *account =
            i < state->n_accounts_allocated ? state->accounts[i] : NULL;
        if (!account || account->number != i) {
            snprintf(why, n_why, "account number %llu is missing", (unsigned long long)i);
            return -EUCLEAN;
        }
        if (account->standing > STANDING_CLOSED || account->kind == 0 ||
            account->kind > TIMEBANK__ACCOUNT_KIND__BANK) {
            snprintf(why, n_why, "account %s is of no known kind or standing", account->code);
            return -EUCLEAN;
        }
        sum += account->balance;
        held += account->held;
        if (account->kind == TIMEBANK__ACCOUNT_KIND__TRANSIT)
            transit = account->balance;
    }
    if (held != transit) {
        snprintf(why, n_why, "%lld minutes are held, but %lld are in transit", (long long)held,
                 (long long)transit);
        return -EUCLEAN;
    }
    if (sum != 0) {
        snprintf(why, n_why, "balances sum to %lld minutes, not to zero", (long long)sum);
        return -EUCLEAN;
    }
    return check_vouchers(state, why, n_why);
}
