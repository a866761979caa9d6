/* SPDX-License-Identifier: Apache-2.0 */
/* See books.h. Nothing here knows a rule: it encodes, submits and keeps. */
#include "books.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/policy.h"
#include "daemon/report.h"
#include "daemon/state-private.h"
#include "proto/dates.h"
#include "proto/merkle.h"

#define POLICIES_MAX 64
#define KEYS_MAX 64
#define STEWARD "steward"

struct books_note books_notes[BOOKS_NOTES_MAX];
size_t books_n_notes;
struct ledger_effect books_effects[BOOKS_PENDING_MAX];
uint64_t books_entry[BOOKS_PENDING_MAX];
struct state *books_state;
uint64_t books_now_ms;

/* ---- the log */

struct kept_order {
    uint64_t received_at_ms;
    size_t n;
    uint8_t *body; /* NULL: a record of another kind */
};

struct kept_batch {
    struct batch_header header;
    uint64_t seal;
    uint64_t received_at_ms;
};

static struct kept_order *records;
static size_t n_records_allocated;
static struct kept_batch *batches;
static size_t n_batches;
static Timebank__Genesis genesis;
static char *policy_names[POLICIES_MAX];
static char policy_values[POLICIES_MAX][STATE_POLICY_BYTES];
static char *policy_pointers[POLICIES_MAX];
static ProtobufCBinaryData steward_key;

static int read_order(void *user, uint64_t index, struct arena *arena, Timebank__Order **ret,
                      uint64_t *ret_received_at_ms) {
    (void)user;
    if (index >= n_records_allocated || !records[index].body)
        return 0;
    int r = record_order_decode(records[index].body, records[index].n, arena, ret);
    cr_assert(r == 0);
    *ret_received_at_ms = records[index].received_at_ms;
    return 1;
}

/* Rows written behind, packed as the store would hold them. */
static struct rows disk[STATE_N_TABLES];

static int read_row(void *user, enum state_table table, const void *key, size_t n_key,
                    void *ret_value) {
    (void)user;
    struct row *row = rows_find(&disk[table], rows_hash(key, n_key), key, n_key);
    if (!row)
        return 0;
    cr_assert(state_row_unpack(table, row->value, state_row_bytes(table), ret_value) == 0);
    return 1;
}

static int write_row(void *user, enum state_table table, const void *key, size_t n_key,
                     const void *value) {
    (void)user;
    uint64_t hash = rows_hash(key, n_key);
    if (!state_is_on_disk(table))
        return 0;
    struct row *kept = rows_find(&disk[table], hash, key, n_key);
    if (!kept)
        kept = rows_add(&disk[table], hash, key, n_key, state_row_bytes(table));
    state_row_pack(table, value, kept->value);
    return 0;
}

void books_write_behind(void) {
    cr_assert(state_step(books_state, write_row, NULL) == 0);
    state_step_left(books_state);
}

static void keep(uint64_t index, const uint8_t *body, size_t n) {
    if (index >= n_records_allocated) {
        size_t more = MAX_OF(2 * n_records_allocated, index + 64);
        records = realloc(records, more * sizeof(*records));
        memset(records + n_records_allocated, 0, (more - n_records_allocated) * sizeof(*records));
        n_records_allocated = more;
    }
    records[index] = (struct kept_order){books_now_ms, n, malloc(n + 1)};
    memcpy(records[index].body, body, n);
}

/* ---- the report: whatever is recorded, it has to balance at every position */

#define REPORT_POSITIONS 12
static struct facts *facts;

static void read_facts(uint64_t index, const uint8_t *record, size_t n,
                       const struct ledger_effect *effect) {
    struct fact_leg *legs = calloc(effect->n_legs + 1, sizeof(*legs));
    for (size_t i = 0; i < effect->n_legs; i++)
        legs[i] = (struct fact_leg){effect->legs[i].account, effect->legs[i].minutes,
                                    effect->legs[i].held_after};
    int r = facts_add(facts, index, record, n, legs, effect->n_legs);
    cr_assert_eq(r, 0, "the facts do not take record %llu: %d", (unsigned long long)index, r);
    free(legs);
}

static int record_again(void *user, uint64_t index, struct bytes *to) {
    (void)user;
    if (index >= n_records_allocated || !records[index].body)
        return 0;
    bytes_put_u8(to, RECORD_ORDER);
    bytes_put(to, records[index].body, records[index].n);
    return 1;
}

static void read_genesis(void) {
    static uint8_t key[32] = {1};
    const struct ledger_effect nothing = {0};
    Timebank__Genesis with_key = genesis;
    _cleanup_bytes_ struct bytes record = {0};
    with_key.ledger_key = (ProtobufCBinaryData){sizeof(key), key};
    record_genesis_encode(&with_key, &record);
    facts_free(facts);
    cr_assert(facts_new(&facts) == 0);
    facts_set_source(facts, &(struct facts_source){.record = record_again});
    read_facts(0, record.data, record.n, &nothing);
}

static void read_seal(uint64_t index) {
    const struct ledger_effect nothing = {0};
    struct record_seal seal = {.header[3] = 1, .received_at_ms = books_now_ms};
    uint8_t record[RECORD_SEAL_BYTES];
    record_seal_pack(&seal, record);
    read_facts(index, record, sizeof(record), &nothing);
}

static long long figure_of(const char *json, const char *key) {
    const char *at = strstr(json, key);
    cr_assert(at, "%s", key);
    return atoll(at + strlen(key));
}

/* What members, organisations and the chest have or somebody holds for them, and vouchers. */
static long long outstanding_minutes(void) {
    long long minutes = 0;
    for (uint64_t i = 0; i < books_state->sums.n_accounts; i++) {
        const struct state_account *account = books_state->accounts[i];
        if (account->kind == TIMEBANK__ACCOUNT_KIND__MEMBER ||
            account->kind == TIMEBANK__ACCOUNT_KIND__ORGANISATION ||
            account->kind == TIMEBANK__ACCOUNT_KIND__CHEST ||
            account->kind == TIMEBANK__ACCOUNT_KIND__VOUCHERS)
            minutes += account->balance + account->held;
    }
    return minutes;
}

long long books_figure_of(const char *figure, uint32_t from_day, uint32_t to_day,
                          uint32_t known_day) {
    struct report_ask ask = {.from_day = from_day,
                             .to_day = to_day,
                             .known_day = known_day,
                             .size = facts->n_records,
                             .bank = "bank.example/rules"};
    char key[80], *json = NULL;
    cr_assert_eq(report_make(facts, &ask, &json), 0);
    snprintf(key, sizeof(key), "\"%s\":", figure);
    long long ret = figure_of(json, key);
    free(json);
    return ret;
}

long long books_figure(const char *figure) {
    return books_figure_of(figure, on("2000-01-01"), on("2049-12-31"), 0);
}

static void check_report(uint64_t size, uint32_t from_day, uint32_t to_day) {
    struct report_ask ask = {
        .from_day = from_day, .to_day = to_day, .size = size, .bank = "bank.example/rules"};
    char *json = NULL;
    int r = report_make(facts, &ask, &json);
    cr_assert_eq(r, 0, "the report at %llu of days %u to %u: %d", (unsigned long long)size,
                 from_day, to_day, r);
    if (size == facts->n_records && to_day > today() + 3660)
        cr_assert_eq(figure_of(json, "\"outstanding_closing\":"), outstanding_minutes());
    free(json);
}

static void check_reports(void) {
    cr_assert_eq(facts->n_records, books_state->sums.size);
    for (uint64_t i = 1; i <= REPORT_POSITIONS; i++) {
        uint64_t size = MAX_OF(facts->n_records * i / REPORT_POSITIONS, (uint64_t)1);
        uint32_t day = on("2025-03-05") - 30 + (uint32_t)(i * 37 % 61);
        check_report(size, on("2000-01-01"), on("2049-12-31"));
        check_report(size, day, day + (uint32_t)i);
    }
}

/* ---- keys and time */

static struct named_key {
    char name[32];
    uint8_t key[SSHSIG_PUBLIC_BYTES];
} named_keys[KEYS_MAX];
static size_t n_named_keys;
static const char *author;

const uint8_t *key_of(const char *name) {
    for (size_t i = 0; i < n_named_keys; i++)
        if (strcmp(named_keys[i].name, name) == 0)
            return named_keys[i].key;
    cr_assert(n_named_keys < KEYS_MAX && sodium_init() >= 0);
    struct named_key *made = &named_keys[n_named_keys++];
    struct hash seed = hash_of(name, strlen(name));
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    snprintf(made->name, sizeof(made->name), "%s", name);
    crypto_sign_seed_keypair(made->key, secret, seed.b);
    return made->key;
}

void as(const char *key_name) {
    author = key_name;
}

uint32_t today(void) {
    return clock_day(books_now_ms);
}

uint32_t on(const char *iso) {
    uint32_t day = 0;
    cr_assert(dates_parse_iso(iso, &day) == 0, "%s", iso);
    return day;
}

void wait_minutes(int64_t minutes) {
    books_now_ms = (uint64_t)((int64_t)books_now_ms + minutes * 60000);
}

void wait_days(uint32_t days) {
    books_now_ms += (uint64_t)days * MS_PER_DAY;
}

/* ---- opening and closing */

static const char *policy_changed(const char *name, const char *const *changes) {
    size_t n = strlen(name);
    for (; changes && *changes; changes++)
        if (strncmp(*changes, name, n) == 0 && (*changes)[n] == '=')
            return *changes + n + 1;
    return NULL;
}

static void genesis_make(const char *const *changes) {
    size_t n = 0;
    timebank__genesis__init(&genesis);
    for (const struct policy *policy = policies; policy->name; policy++, n++) {
        const char *value = policy_changed(policy->name, changes);
        policy_names[n] = (char *)policy->name;
        snprintf(policy_values[n], sizeof(policy_values[n]), "%s",
                 value ? value : policy->otherwise);
        policy_pointers[n] = policy_values[n];
    }
    genesis.format = 1;
    genesis.origin = "bank.example/rules";
    genesis.n_policy_names = genesis.n_policy_values = n;
    genesis.policy_names = policy_names;
    genesis.policy_values = policy_pointers;
    steward_key = (ProtobufCBinaryData){SSHSIG_PUBLIC_BYTES, (uint8_t *)key_of(STEWARD)};
    genesis.n_steward_keys = 1;
    genesis.steward_keys = &steward_key;
    genesis.created_ms = books_now_ms;
}

static int state_start(struct state **ret, bool has_disk) {
    struct state_source source = {.order = read_order, .row = has_disk ? read_row : NULL};
    struct state *state = state_new(&source), *above = state_new_above(state);
    int r = ledger_genesis(above, &genesis);
    if (r < 0) {
        state_free(above);
        state_free(state);
        return r;
    }
    cr_assert(state_merge(above) == 0);
    *ret = state;
    return 0;
}

int books_genesis(const char *const *changes) {
    books_now_ms = (uint64_t)on("2025-03-05") * MS_PER_DAY + 9 * 3600 * MS_PER_SECOND;
    genesis_make(changes);
    as(STEWARD);
    read_genesis();
    return state_start(&books_state, true);
}

void books_open_with(const char *const *changes) {
    cr_assert(books_genesis(changes) == 0);
    for (const char *code = "m1\0m2\0m3\0m4\0"; *code; code += 3)
        on_day(open_account(code, TIMEBANK__ACCOUNT_KIND__MEMBER), on("2020-01-01"));
    open_account("food-bank", TIMEBANK__ACCOUNT_KIND__ORGANISATION);
    open_account("swim", TIMEBANK__ACCOUNT_KIND__VENUE);
    set_activity("gardening");
    set_activity("cooking");
    set_offer("swim", "swim", 60);
    set_funder("council");
    grant_key("broker", TIMEBANK__ROLE__BROKER, "");
    grant_key("m1-key", TIMEBANK__ROLE__ROLE_MEMBER, "m1");
    grant_key("food-key", TIMEBANK__ROLE__ROLE_ORGANISATION, "food-bank");
    grant_key("swim-key", TIMEBANK__ROLE__ROLE_VENUE, "swim");
    done();
    as("broker");
}

void books_open(void) {
    books_open_with(NULL);
}

/* ---- what is taken back leaves no trace */

static void digest_add(uint64_t sum[4], const void *data, size_t n) {
    struct hash hash = hash_of(data, n);
    uint64_t words[4];
    memcpy(words, hash.b, sizeof(words));
    for (size_t i = 0; i < 4; i++)
        sum[i] += words[i];
}

/* Of rows, sums and what is due. The same whatever the order of the rows; what was only read back
 * of the disk does not count. */
static struct hash state_digest(const struct state *state) {
    uint8_t bytes[STATE_ROW_MAX + 256];
    uint64_t sum[4] = {0};
    struct hash digest;
    for (size_t t = 0; t < STATE_N_TABLES; t++)
        for (struct row *row = rows_next(&state->tables[t], NULL); row;
             row = rows_next(&state->tables[t], row)) {
            if (!row->is_dirty && state_is_on_disk((enum state_table)t))
                continue;
            bytes[0] = (uint8_t)t;
            bytes[1] = row->is_dirty;
            memcpy(bytes + 2, row->key, row->n_key);
            size_t n = state_row_pack((enum state_table)t, row->value, bytes + 2 + row->n_key);
            digest_add(sum, bytes, 2 + row->n_key + n);
        }
    for (size_t i = 0; i < state->ids.n_runs; i++)
        for (size_t k = 0; k < state->ids.runs[i].n; k++)
            digest_add(sum, state_ids_at(&state->ids.runs[i], k), sizeof(struct state_ids_item));
    digest_add(sum, &state->sums, sizeof(state->sums));
    digest_add(sum, &state->n_touched, sizeof(state->n_touched));
    for (size_t i = 0; i < state->n_touched; i++)
        cr_assert(state->touched[i]->is_touched);
    for (size_t i = 0; i < state->n_dues; i++)
        digest_add(sum, &state->dues[i], sizeof(state->dues[i]));
    for (size_t i = 0; i < state->n_accounts_allocated; i++)
        cr_assert_eq(state->accounts[i] != NULL, i < state->sums.n_accounts);
    memcpy(digest.b, sum, sizeof(sum));
    return digest;
}

/* A digest reads every row: long histories are taken back now and then only. */
static bool is_tried(void) {
    static unsigned n;
    return ++n < 200 || n % 29 == 0;
}

static void expect_digest(const struct state *state, const struct hash *before) {
    struct hash after = state_digest(state);
    cr_assert(hash_equal(&after, before), "what was taken back left a trace");
}

/* ---- what falls due */

#define EVENTS_MAX 4096
static struct books_event events[EVENTS_MAX];
static size_t n_events;

/* The event that is due first: made, taken back and made again. */
static int happen(struct state *state, uint64_t until_ms, struct bytes *to, struct hash *leaf) {
    bool is_first = state == books_state;
    struct state_due due;
    struct ledger_effect effect;
    struct arena arena;
    int r = ledger_due(state, until_ms, &due);
    cr_assert(r >= 0);
    if (r == 0)
        return 0;
    arena_init(&arena, 1024 * 1024);
    if (is_tried()) {
        struct hash before = state_digest(state);
        state_begin(state);
        cr_assert(ledger_event(state, &due, &arena, to, leaf, &effect) == 0);
        state_roll_back(state);
        expect_digest(state, &before);
        bytes_clear(to);
    }
    state_begin(state);
    cr_assert(ledger_event(state, &due, &arena, to, leaf, &effect) == 0);
    if (is_first)
        read_facts(state->sums.size - 1, to->data, to->n, &effect);
    cr_assert(state_keep(state) == 0);
    arena_fini(&arena);
    return 1;
}

static void keep_event(uint64_t index, const struct bytes *record) {
    Timebank__Event *event = timebank__event__unpack(NULL, record->n - 1, record->data + 1);
    cr_assert(event && n_events < EVENTS_MAX && event->follows.len == ORDER_ID_BYTES);
    events[n_events] =
        (struct books_event){index, event->kind, event->minutes, event->ledger_time_ms, {0}, {0}};
    memcpy(events[n_events].follows, event->follows.data, ORDER_ID_BYTES);
    struct hash digest = hash_of(record->data, record->n);
    memcpy(events[n_events++].digest, digest.b, HASH_BYTES);
    timebank__event__free_unpacked(event, NULL);
}

static void check_laws(void);

size_t books_run_due(void) {
    for (size_t n = 0;; n++) {
        _cleanup_bytes_ struct bytes record = {0};
        struct hash leaf;
        if (!happen(books_state, books_now_ms, &record, &leaf)) {
            if (n > 0)
                check_laws();
            return n;
        }
        keep_event(books_state->sums.size - 1, &record);
    }
}

/* The same events follow from the same records. */
static size_t happen_again(struct state *state, uint64_t until_ms, size_t place) {
    for (;; place++) {
        _cleanup_bytes_ struct bytes record = {0};
        struct hash leaf;
        if (place == n_events || !happen(state, until_ms, &record, &leaf))
            return place;
        struct hash digest = hash_of(record.data, record.n);
        cr_assert(memcmp(digest.b, events[place].digest, HASH_BYTES) == 0,
                  "event %zu is another one when replayed", place);
    }
}

const struct books_event *event_before(size_t n) {
    cr_assert(n < n_events, "no event");
    return &events[n_events - 1 - n];
}

static void compare_ids(const struct state *whole, struct state *other) {
    uint8_t id[ORDER_ID_BYTES];
    for (size_t i = 0; i < whole->ids.n_runs; i++)
        for (size_t k = 0; k < whole->ids.runs[i].n; k++) {
            const struct state_ids_item *item = state_ids_at(&whole->ids.runs[i], k);
            be64_put(id, item->high);
            be64_put(id + 8, item->low);
            const struct state_id *found = state_get(other, STATE_IDS, id, sizeof(id), NULL);
            cr_assert(found && found->entry == item->value.entry, "an id is missing");
        }
}

void books_compare(struct state *whole, struct state *other) {
    compare_ids(whole, other);
    cr_assert(memcmp(&whole->sums, &other->sums, sizeof(whole->sums)) == 0, "the sums differ");
    for (size_t t = 0; t < STATE_N_TABLES; t++) {
        enum state_table table = (enum state_table)t;
        for (struct row *row = rows_next(&whole->tables[t], NULL); row;
             row = rows_next(&whole->tables[t], row)) {
            uint8_t packed[2][STATE_ROW_MAX];
            const void *value = state_get(other, table, row->key, row->n_key, NULL);
            cr_assert(value, "a row of %s is missing", state_table_name(table));
            size_t n = state_row_pack(table, row->value, packed[0]);
            cr_assert(state_row_pack(table, value, packed[1]) == n);
            cr_assert(memcmp(packed[0], packed[1], n) == 0, "a row of %s differs",
                      state_table_name(table));
        }
        cr_assert(table == STATE_IDS || other->tables[t].n_rows <= whole->tables[t].n_rows,
                  "%s has more rows", state_table_name(table));
    }
}

/* In place, as the daemon does, or on a state above, where no order goes a short way. */
static void replay_batch(struct state *lowest, bool is_above, const struct kept_batch *batch) {
    struct state *state = is_above ? state_new_above(lowest) : lowest;
    struct judging *judging = NULL;
    cr_assert(judging_new(&judging, batch->header.n_orders) == 0);
    for (size_t k = 0; k < batch->header.n_orders; k++) {
        const struct kept_order *order = &records[batch->seal + 1 + k];
        judging_set(judging, k, order->body, order->n);
    }
    cr_assert(judging_run(judging, state, batch->seal, &batch->header, batch->received_at_ms) == 0);
    cr_assert_eq(judging->batch.n_refusals, 0, "the batch at %llu is refused when replayed",
                 (unsigned long long)batch->seal);
    cr_assert(judging_keep(judging) == 0);
    judging_free(judging);
    cr_assert(!is_above || state_merge(state) == 0);
}

static void replay(bool is_above) {
    struct state *again = NULL;
    size_t place = 0;
    cr_assert(state_start(&again, false) == 0);
    for (size_t i = 0; i < n_batches; i++) {
        place = happen_again(again, batches[i].received_at_ms, place);
        cr_assert_eq(again->sums.size, batches[i].seal);
        replay_batch(again, is_above, &batches[i]);
    }
    place = happen_again(again, UINT64_MAX - 1, place);
    cr_assert_eq(place, n_events);
    books_compare(again, books_state);
    state_free(again);
}

void books_replay(void) {
    replay(false);
    replay(true);
}

static void check_laws(void) {
    char why[200] = "";
    cr_assert(ledger_check(books_state, why, sizeof(why)) == 0, "%s", why);
}

/* ---- orders */

/* An order stays where it is after its batch: later orders name it. */
struct entered {
    Timebank__Order order;
    uint8_t id[ORDER_ID_BYTES];
    struct bytes raw;     /* in place of the order, where there are any */
    struct entered *next; /* all that were entered, until the books are closed */
};

static struct entered *pending[BOOKS_PENDING_MAX];
static size_t n_pending;
static uint64_t n_entered;
static struct entered *all_entered;

/* What orders point to. */
struct kept_bytes {
    struct kept_bytes *next;
    max_align_t bytes[];
};
static struct kept_bytes *all_bytes;

static void *keep_zeros(size_t n) {
    struct kept_bytes *kept = calloc(1, sizeof(*kept) + n);
    cr_assert(kept);
    kept->next = all_bytes;
    all_bytes = kept;
    return kept->bytes;
}

ProtobufCBinaryData keep_bytes(const void *bytes, size_t n) {
    void *kept = keep_zeros(n);
    if (n)
        memcpy(kept, bytes, n);
    return (ProtobufCBinaryData){n, kept};
}

ProtobufCBinaryData target_of(const Timebank__Order *order) {
    return keep_bytes(order->id.data, order->id.len);
}

ProtobufCBinaryData quote_of(const Timebank__Order *order) {
    _cleanup_bytes_ struct bytes record = {0};
    record_order_encode(order, &record);
    struct hash leaf = merkle_leaf(record.data, record.n);
    return keep_bytes(leaf.b, HASH_BYTES);
}

#define FIRST_REGISTER_KIND 64

static Timebank__Authority authority_of(Timebank__Order__KindCase kind) {
    if ((int)kind >= FIRST_REGISTER_KIND)
        return TIMEBANK__AUTHORITY__AUTHORITY_NONE;
    const struct state_key *key =
        state_get(books_state, STATE_KEYS, key_of(author), SSHSIG_PUBLIC_BYTES, NULL);
    switch (key ? (Timebank__Role)key->role : TIMEBANK__ROLE__ROLE_NONE) {
    case TIMEBANK__ROLE__ROLE_MEMBER:
        return TIMEBANK__AUTHORITY__BY_SELF;
    case TIMEBANK__ROLE__ROLE_ORGANISATION:
        return TIMEBANK__AUTHORITY__BY_ORGANISATION;
    case TIMEBANK__ROLE__ROLE_VENUE:
        return TIMEBANK__AUTHORITY__BY_VENUE;
    default:
        return TIMEBANK__AUTHORITY__BY_BROKER;
    }
}

static struct entered *enter_empty(void) {
    struct entered *e = calloc(1, sizeof(*e));
    cr_assert(e && n_pending < BOOKS_PENDING_MAX);
    pending[n_pending++] = e;
    e->next = all_entered;
    all_entered = e;
    timebank__order__init(&e->order);
    e->id[0] = 1;
    be64_put(e->id + 8, ++n_entered);
    e->order.id = (ProtobufCBinaryData){ORDER_ID_BYTES, e->id};
    return e;
}

Timebank__Order *enter_order(const ProtobufCMessageDescriptor *descriptor,
                             Timebank__Order__KindCase kind, const char *from, const char *to,
                             uint64_t minutes) {
    struct entered *e = enter_empty();
    ProtobufCMessage *message = keep_zeros(descriptor->sizeof_message);
    protobuf_c_message_init(descriptor, message);
    e->order.kind_case = kind;
    e->order.exchange = (Timebank__Exchange *)message;
    e->order.from = (char *)from;
    e->order.to = (char *)to;
    e->order.minutes = minutes;
    e->order.authority = authority_of(kind);
    if (record_kind_counts(kind) && kind != TIMEBANK__ORDER__KIND_REVERSE)
        e->order.service_day = today();
    return &e->order;
}

static Timebank__Order *at_gardening(Timebank__Order *order) {
    order->activity = "gardening";
    return order;
}

Timebank__Order *exchange(const char *from, const char *to, uint64_t minutes) {
    return at_gardening(ENTER(exchange, EXCHANGE, from, to, minutes));
}

Timebank__Order *earn(const char *organisation, const char *to, uint64_t minutes) {
    return at_gardening(ENTER(earn, EARN, organisation, to, minutes));
}

Timebank__Order *log_hours(const char *to, uint64_t minutes) {
    return at_gardening(ENTER(log, LOG, "", to, minutes));
}

Timebank__Order *gift(const char *from, const char *to, uint64_t minutes) {
    return ENTER(gift, GIFT, from, to, minutes);
}

Timebank__Order *donate(const char *from, uint64_t minutes) {
    return ENTER(donate, DONATE, from, "chest", minutes);
}

Timebank__Order *grant(const char *from, const char *to, uint64_t minutes) {
    return ENTER(grant, GRANT, from, to, minutes);
}

Timebank__Order *issue(const char *to, uint64_t minutes) {
    Timebank__Order *order = ENTER(issue, ISSUE, "issued", to, minutes);
    order->issue->funder = "council";
    return order;
}

Timebank__Order *redeem(const char *from, const char *venue, uint32_t heads, uint64_t minutes) {
    Timebank__Order *order = ENTER(redeem, REDEEM, from, venue, minutes);
    order->redeem->offer = "swim";
    order->redeem->adults = heads;
    return order;
}

Timebank__Order *reverse_id(const void *id, size_t n, uint64_t minutes) {
    Timebank__Order *order = ENTER(reverse, REVERSE, "", "", minutes);
    order->reverse->target = keep_bytes(id, n);
    return order;
}

Timebank__Order *reverse(const Timebank__Order *target, uint64_t minutes) {
    return reverse_id(target->id.data, target->id.len, minutes);
}

Timebank__Order *open_account(const char *code, Timebank__AccountKind kind) {
    Timebank__Order *order = ENTER(open_account, OPEN_ACCOUNT, "", code, 0);
    order->open_account->kind = kind;
    return order;
}

Timebank__Order *freeze(const char *code) {
    return ENTER(freeze, FREEZE, "", code, 0);
}

Timebank__Order *thaw(const char *code) {
    return ENTER(thaw, THAW, "", code, 0);
}

Timebank__Order *close_account(const char *code) {
    return ENTER(close, CLOSE, "", code, 0);
}

Timebank__Order *set_limit(const char *code, const int64_t *floor, const int64_t *ceiling) {
    Timebank__Order *order = ENTER(set_limit, SET_LIMIT, "", code, 0);
    if (floor) {
        order->set_limit->has_floor_case = TIMEBANK__SET_LIMIT__HAS_FLOOR_FLOOR;
        order->set_limit->floor = *floor;
    }
    if (ceiling) {
        order->set_limit->has_ceiling_case = TIMEBANK__SET_LIMIT__HAS_CEILING_CEILING;
        order->set_limit->ceiling = *ceiling;
    }
    return order;
}

Timebank__Order *set_policy(const char *name, const char *value) {
    Timebank__Order *order = ENTER(set_policy, SET_POLICY, "", "", 0);
    order->set_policy->name = (char *)name;
    order->set_policy->value = (char *)value;
    return order;
}

Timebank__Order *set_activity(const char *name) {
    Timebank__Order *order = ENTER(set_activity, SET_ACTIVITY, "", "", 0);
    order->set_activity->name = (char *)name;
    return order;
}

Timebank__Order *set_offer(const char *venue, const char *name, uint64_t price) {
    Timebank__Order *order = ENTER(set_offer, SET_OFFER, "", venue, 0);
    order->set_offer->name = (char *)name;
    order->set_offer->price_minutes = price;
    return order;
}

Timebank__Order *set_funder(const char *name) {
    Timebank__Order *order = ENTER(set_funder, SET_FUNDER, "", "", 0);
    order->set_funder->name = (char *)name;
    return order;
}

Timebank__Order *grant_key(const char *key_name, Timebank__Role role, const char *account) {
    Timebank__Order *order = ENTER(grant_key, GRANT_KEY, "", account, 0);
    order->grant_key->key = keep_bytes(key_of(key_name), SSHSIG_PUBLIC_BYTES);
    order->grant_key->role = role;
    return order;
}

Timebank__Order *revoke_key(const char *key_name) {
    Timebank__Order *order = ENTER(revoke_key, REVOKE_KEY, "", "", 0);
    order->revoke_key->key = keep_bytes(key_of(key_name), SSHSIG_PUBLIC_BYTES);
    return order;
}

Timebank__Order *with_why(Timebank__Order *order, uint32_t override) {
    uint8_t note[32];
    memset(note, 0x77, sizeof(note));
    order->note = keep_bytes(note, sizeof(note));
    order->override = override;
    return order;
}

Timebank__Order *from_source(Timebank__Order *order, Timebank__Source source) {
    order->source = source;
    return order;
}

Timebank__Order *on_day(Timebank__Order *order, uint32_t day) {
    order->service_day = day;
    return order;
}

Timebank__Order *correcting(Timebank__Order *order, const Timebank__Order *wrong) {
    order->corrects = target_of(wrong);
    return order;
}

Timebank__Order *repeat(const Timebank__Order *order) {
    struct entered *e = enter_empty();
    const ProtobufCMessage *message = &order->exchange->base;
    e->order = *order;
    e->order.id = target_of(order);
    e->order.exchange =
        (Timebank__Exchange *)keep_bytes(message, message->descriptor->sizeof_message).data;
    return &e->order;
}

void enter_bytes(const void *body, size_t n) {
    bytes_put(&enter_empty()->raw, body, n);
}

/* ---- judging */

static void copy_notes(const struct ledger_batch *batch) {
    books_n_notes = MIN_OF(batch->n_notes, (size_t)BOOKS_NOTES_MAX);
    for (size_t i = 0; i < books_n_notes; i++) {
        const struct ledger_note *note = &batch->notes[i];
        books_notes[i] = (struct books_note){.number = note->number,
                                             .place = note->place,
                                             .is_warning = note->is_warning,
                                             .entry = note->entry};
        snprintf(books_notes[i].field, sizeof(books_notes[i].field), "%s", note->field);
        snprintf(books_notes[i].message, sizeof(books_notes[i].message), "%s", note->message);
    }
}

static struct ledger_leg kept_legs[BOOKS_LEGS_MAX];

static void keep_effects(const struct ledger_effect *effects) {
    size_t n_kept = 0;
    for (size_t i = 0; i < n_pending; i++) {
        const struct ledger_effect *effect = &effects[i];
        cr_assert(n_kept + effect->n_legs <= BOOKS_LEGS_MAX);
        books_effects[i] = (struct ledger_effect){&kept_legs[n_kept], effect->n_legs};
        for (size_t k = 0; k < effect->n_legs; k++)
            kept_legs[n_kept++] = effect->legs[k];
    }
}

static void header_make(struct batch_header *header, struct judging *judging) {
    static uint64_t n_headers;
    *header = (struct batch_header){.n_orders = (uint32_t)n_pending,
                                    .created_ms = books_now_ms,
                                    .orders_root = judging_root(judging)};
    memcpy(header->author, key_of(author), SSHSIG_PUBLIC_BYTES);
    be64_put(header->batch_id, ++n_headers);
}

static void keep_batch(const struct batch_header *header, uint64_t seal) {
    if ((n_batches & (n_batches - 1)) == 0)
        batches = realloc(batches, (n_batches ? 2 * n_batches : 1) * sizeof(*batches));
    batches[n_batches++] = (struct kept_batch){*header, seal, books_now_ms};
}

static struct judging *judging_of(const struct bytes *bodies) {
    struct judging *judging = NULL;
    cr_assert(judging_new(&judging, n_pending) == 0);
    for (size_t i = 0; i < n_pending; i++)
        if (pending[i]->raw.n == 0)
            judging_set(judging, i, bodies[i].data + 1, bodies[i].n - 1);
        else
            judging_set(judging, i, pending[i]->raw.data, pending[i]->raw.n);
    return judging;
}

/* Whatever a batch made of the state, nothing of it is left when it is taken back. */
static void judge_and_take_back(struct judging *judging, const struct batch_header *header) {
    struct hash before = state_digest(books_state);
    cr_assert(judging_run(judging, books_state, books_state->sums.size, header, books_now_ms) == 0);
    judging_free(judging);
    expect_digest(books_state, &before);
}

static bool note_equal(const struct ledger_note *a, const struct ledger_note *b) {
    return a->number == b->number && a->place == b->place && a->is_warning == b->is_warning &&
           a->entry == b->entry && strcmp(a->field, b->field) == 0 &&
           strcmp(a->message, b->message) == 0;
}

static bool leg_equal(const struct ledger_leg *a, const struct ledger_leg *b) {
    return a->account == b->account && a->minutes == b->minutes && a->after == b->after &&
           a->held_after == b->held_after && a->previous == b->previous && a->moved == b->moved &&
           a->side == b->side && strcmp(a->code, b->code) == 0;
}

void books_compare_batches(const struct ledger_batch *a, const struct ledger_batch *b) {
    cr_assert(a->n_notes == b->n_notes && a->n_refusals == b->n_refusals &&
              a->n_already == b->n_already);
    for (size_t i = 0; i < a->n_notes; i++)
        cr_assert(note_equal(&a->notes[i], &b->notes[i]), "%s / %s", a->notes[i].message,
                  b->notes[i].message);
    for (size_t i = 0; i < a->n; i++) {
        cr_assert(a->already[i] == b->already[i] && a->effects[i].n_legs == b->effects[i].n_legs);
        for (size_t k = 0; k < a->effects[i].n_legs; k++)
            cr_assert(leg_equal(&a->effects[i].legs[k], &b->effects[i].legs[k]));
    }
}

/* A dry run is judged on a state above the other, where no order goes a short way. */
static struct judging *judge_dry(struct judging *judging, const struct batch_header *header) {
    struct state *above = state_new_above(books_state);
    cr_assert(judging_run(judging, above, books_state->sums.size, header, books_now_ms) == 0);
    judging_take_back(judging);
    state_free(above);
    return judging;
}

size_t submit(void) {
    struct bytes bodies[BOOKS_PENDING_MAX] = {0};
    struct batch_header header;
    books_run_due();
    uint64_t seal = books_state->sums.size;
    for (size_t i = 0; i < n_pending; i++)
        if (pending[i]->raw.n == 0)
            record_order_encode(&pending[i]->order, &bodies[i]);
    struct judging *judging = judging_of(bodies);
    header_make(&header, judging);
    if (is_tried())
        judge_and_take_back(judging_of(bodies), &header);
    struct judging *dry = judge_dry(judging_of(bodies), &header);
    cr_assert(judging_run(judging, books_state, seal, &header, books_now_ms) == 0);
    books_compare_batches(&judging->batch, &dry->batch);
    judging_free(dry);
    copy_notes(&judging->batch);
    size_t n_refusals = judging->batch.n_refusals;
    keep_effects(judging->batch.effects);
    for (size_t i = 0; i < n_pending; i++)
        books_entry[i] = n_refusals ? judging->batch.already[i] : seal + 1 + i;
    if (n_refusals == 0) {
        read_seal(seal);
        for (size_t i = 0; i < n_pending; i++)
            keep(seal + 1 + i, bodies[i].data + 1, bodies[i].n - 1);
        for (size_t i = 0; i < n_pending; i++)
            read_facts(seal + 1 + i, bodies[i].data, bodies[i].n, &books_effects[i]);
        keep_batch(&header, seal);
        cr_assert(judging_keep(judging) == 0);
    }
    judging_free(judging);
    for (size_t i = 0; i < n_pending; i++)
        bytes_fini(&bodies[i]);
    n_pending = 0;
    check_laws();
    return n_refusals;
}

/* ---- what came of it */

bool was_warned(int warning) {
    for (size_t i = 0; i < books_n_notes; i++)
        if (books_notes[i].is_warning && books_notes[i].number == warning)
            return true;
    return false;
}

const struct books_note *refusal_at(uint32_t place) {
    for (size_t i = 0; i < books_n_notes; i++)
        if (!books_notes[i].is_warning && books_notes[i].place == place)
            return &books_notes[i];
    return NULL;
}

const struct state_account *account_of(const char *code) {
    const struct state_account *account = state_account(books_state, code);
    cr_assert(account, "no account %s", code);
    return account;
}

int64_t balance(const char *code) {
    return account_of(code)->balance;
}

int64_t held(const char *code) {
    return account_of(code)->held;
}

const struct ledger_leg *leg_of(size_t place, const char *code) {
    const struct ledger_effect *effect = &books_effects[place];
    for (size_t i = 0; i < effect->n_legs; i++)
        if (strcmp(effect->legs[i].code, code) == 0)
            return &effect->legs[i];
    return NULL;
}

static const char *first_name(void) {
    if (books_n_notes == 0)
        return "nothing";
    return books_notes[0].is_warning ? warning_name(books_notes[0].number)
                                     : refusal_name(books_notes[0].number);
}

void books_done(const char *file, int line) {
    size_t n = submit();
    cr_assert(n == 0 && books_n_notes == 0, "%s:%d: %s, %s", file, line, first_name(),
              books_n_notes ? books_notes[0].message : "");
}

void books_warned(int warning, const char *file, int line) {
    size_t n = submit();
    cr_assert(n == 0 && books_n_notes == 1 && books_notes[0].number == warning,
              "%s:%d: wanted the warning %s, got %s (%zu notes)", file, line, warning_name(warning),
              first_name(), books_n_notes);
}

void books_refused(int refusal, const char *file, int line) {
    uint64_t size = books_state->sums.size;
    size_t n = submit();
    cr_assert(n == 1, "%s:%d: wanted %s, got %zu refusals", file, line, refusal_name(refusal), n);
    while (books_notes[0].is_warning)
        memmove(books_notes, books_notes + 1, --books_n_notes * sizeof(*books_notes));
    cr_assert(books_notes[0].number == refusal, "%s:%d: wanted %s, got %s: %s", file, line,
              refusal_name(refusal), first_name(), books_notes[0].message);
    cr_assert(strlen(books_notes[0].message) > 10);
    cr_assert_eq(books_state->sums.size, size, "a refused batch was recorded");
}

void books_close(void) {
    check_laws();
    check_reports();
    books_replay();
    books_state = state_free(books_state);
    facts = facts_free(facts);
    for (size_t t = 0; t < STATE_N_TABLES; t++)
        rows_drop(&disk[t], NULL);
    for (size_t i = 0; i < n_records_allocated; i++)
        free(records[i].body);
    free(records);
    free(batches);
    while (all_bytes) {
        struct kept_bytes *next = all_bytes->next;
        free(all_bytes);
        all_bytes = next;
    }
    while (all_entered) {
        struct entered *next = all_entered->next;
        bytes_fini(&all_entered->raw);
        free(all_entered);
        all_entered = next;
    }
    records = NULL;
    batches = NULL;
    n_records_allocated = n_batches = n_events = 0;
}
