/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What falls due: while the bank is idle, while it is down, just before a batch; not while the
 * clock is wrong or the disk is full. An event is a record like any other: shown, proven, and made
 * again by every replay, byte for byte.
 */
#include <errno.h>
#include <string.h>

#include "daemon/log-private.h"
#include "daemon/replay.h"
#include "daemon/rules.h"
#include "harness.h"

#define GIFT_DAYS 7

static void start(void) {
    bank_start_with("gift", "pending", "gift-days", "7", "claims", "on", "claim-days", "3",
                    "quantum", "1", NULL);
}

TestSuite(events, .timeout = STORY_TIMEOUT, .init = start, .fini = bank_end);

static Timebank__Order *pending_gift(const char *from, const char *to, uint64_t minutes) {
    Timebank__Order *order = order_move(TIMEBANK__ORDER__KIND_GIFT, from, to, minutes);

    order->proposal = true;
    return order;
}

static uint64_t m12_gives(uint64_t minutes) {
    struct parcel *parcel = submit(M12, pending_gift("m12", "m7", minutes));

    expect_recorded();
    return parcel->entries[0];
}

static const Timebank__Entry *entry_at(enum actor actor, uint64_t number) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_ENTRY);

    request->entry->number = number;
    ask(actor, request);
    cr_assert(!response_refused(), "%s", response_words());
    return story.response->entry;
}

static const Timebank__Statement *statement_of(enum actor actor, const char *code) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_STATEMENT);

    request->statement->code = text_copy(code);
    ask(actor, request);
    cr_assert(!response_refused(), "%s", response_words());
    return story.response->statement;
}

static const Timebank__Event *event_of(const ProtobufCBinaryData *bytes) {
    Timebank__Event *event = NULL;

    cr_assert(record_event_decode(bytes->data, bytes->len, &story.arena, &event) == 0);
    return event;
}

#define expect_waiting(minutes)                                                                    \
    do {                                                                                           \
        expect_balance("m12", -(minutes));                                                         \
        expect_balance("transit", minutes);                                                        \
        cr_assert_eq(state_account(bank_state(story.bank), "m12")->held, minutes);                 \
    } while (0)
#define expect_given_back()                                                                        \
    do {                                                                                           \
        expect_balance("m12", 0);                                                                  \
        expect_balance("transit", 0);                                                              \
        cr_assert_eq(state_account(bank_state(story.bank), "m12")->held, 0);                       \
    } while (0)

/* ---- when it happens */

Test(events, happen_while_the_bank_is_idle) {
    m12_gives(30);
    expect_waiting(30);
    time_passes(GIFT_DAYS * DAY_MS);
    tick();
    expect_waiting(30); /* the last day is its own to the end */
    time_passes(DAY_MS);
    tick();
    expect_given_back();
}

Test(events, happen_at_the_next_start_when_the_bank_was_down) {
    m12_gives(30);
    bank_stop();
    time_passes((GIFT_DAYS + 2) * DAY_MS);
    bank_restart();
    expect_waiting(30);
    tick();
    expect_given_back();
}

Test(events, happen_before_the_batch_that_comes_first) {
    uint64_t gift = m12_gives(30), size;
    struct parcel *parcel;

    time_passes((GIFT_DAYS + 2) * DAY_MS);
    size = bank_state(story.bank)->sums.size;
    parcel = submit(BROKER, order_helps("m7", "m30", 60));
    expect_recorded();
    expect_given_back();
    cr_assert_eq(parcel->entries[0], size + 2, "the event, the seal, the order");
    cr_assert_eq(event_of(&entry_at(BROKER, size)->event)->kind, TIMEBANK__EVENT_KIND__GIFT_LAPSED);
    cr_assert_str_eq(entry_at(BROKER, gift)->state, "lapsed");
}

Test(events, happen_before_a_batch_that_is_refused_too) {
    m12_gives(30);
    time_passes((GIFT_DAYS + 2) * DAY_MS);
    submit(BROKER, order_helps("m7", "m99", 60));
    expect_refused(NO_SUCH_ACCOUNT);
    expect_given_back();
}

Test(events, let_no_bad_second_make_anything_lapse) {
    struct hash before;

    m12_gives(30);
    before = bank_print();
    wall_clock_jumps((GIFT_DAYS + 2) * (int64_t)DAY_MS);
    tick();
    submit(BROKER, order_helps("m7", "m30", 60));
    expect_refused(CLOCK);
    expect_nothing_written(before);
    wall_clock_jumps(-(GIFT_DAYS + 2) * (int64_t)DAY_MS);
    tick();
    expect_waiting(30);
    time_passes((GIFT_DAYS + 1) * DAY_MS);
    tick();
    expect_given_back();
}

Test(events, lapse_nothing_early_when_the_clock_went_back) {
    m12_gives(30);
    wall_clock_jumps(-10 * (int64_t)DAY_MS);
    time_passes((GIFT_DAYS + 1) * DAY_MS);
    tick();
    expect_waiting(30);
    time_passes(10 * DAY_MS);
    tick();
    expect_given_back();
}

Test(events, wait_while_the_disk_is_full) {
    uint64_t reserve = story.bank->log->settings.reserve_bytes;
    struct hash before;

    m12_gives(30);
    time_passes((GIFT_DAYS + 1) * DAY_MS);
    story.bank->log->settings.reserve_bytes = UINT64_MAX / 4;
    before = bank_print();
    cr_assert_eq(tick(), REFUSAL_LEDGER_FULL);
    submit(BROKER, order_helps("m7", "m30", 60));
    expect_refused(LEDGER_FULL);
    expect_nothing_written(before);
    expect_waiting(30);
    cr_assert_eq(statement_of(BROKER, "m12")->n_lines, 1, "reads go on");
    story.bank->log->settings.reserve_bytes = reserve;
    tick();
    expect_given_back();
}

Test(events, happen_by_the_hundred_in_one_tick_and_in_order) {
    uint64_t previous = 0, size;
    size_t n = 0;

    for (int i = 0; i < 10; i++) {
        struct parcel *parcel = parcel_new(BROKER);
        for (int k = 0; k < 60; k++)
            parcel_put(parcel, pending_gift("m30", k % 2 ? "m12" : "m7", 1));
        parcel_send(parcel);
        expect_recorded();
    }
    time_passes((GIFT_DAYS + 1) * DAY_MS);
    size = bank_state(story.bank)->sums.size;
    tick();
    expect_balance("m30", 0);
    expect_balance("transit", 0);
    cr_assert(bank_state(story.bank)->sums.size >= size + 600);
    for (uint64_t i = size; n < 600; i++, n++) {
        const Timebank__Entry *entry = entry_at(BROKER, i);
        const struct state_id *id;
        cr_assert(entry->event.len > 0, "record %llu is no event", (unsigned long long)i);
        id = state_get(bank_state(story.bank), STATE_IDS, event_of(&entry->event)->follows.data,
                       ORDER_ID_BYTES, NULL);
        cr_assert(id && id->entry > previous);
        previous = id->entry;
    }
    bank_check();
}

Test(events, of_what_was_settled_before_do_not_happen) {
    Timebank__Order *gift = pending_gift("m12", "m7", 30);
    Timebank__Order *withdraw = order_new(TIMEBANK__ORDER__KIND_WITHDRAW);
    struct parcel *parcel = submit(M12, gift);
    uint64_t size;

    expect_recorded();
    withdraw->withdraw->target = gift->id;
    submit(M12, withdraw);
    expect_recorded();
    expect_given_back();
    time_passes((GIFT_DAYS + 1) * DAY_MS);
    size = bank_state(story.bank)->sums.size;
    tick();
    cr_assert_eq(bank_state(story.bank)->sums.size, size);
    cr_assert_str_eq(entry_at(M12, parcel->entries[0])->state, "withdrawn");
}

/* ---- how it is shown */

Test(events, are_shown_to_whom_they_concern_with_the_order_they_follow_from) {
    uint64_t gift = m12_gives(30), size;
    const Timebank__Entry *entry = entry_at(M12, gift);
    const Timebank__Event *event;
    Timebank__Request *request;

    cr_assert_str_eq(entry->state, "waiting");
    time_passes((GIFT_DAYS + 1) * DAY_MS);
    size = bank_state(story.bank)->sums.size;
    tick();
    entry = entry_at(M12, size);
    event = event_of(&entry->event);
    cr_assert(event->kind == TIMEBANK__EVENT_KIND__GIFT_LAPSED && event->minutes == 30);
    cr_assert_eq(event->ledger_time_ms, ((uint64_t)TODAY + GIFT_DAYS + 1) * DAY_MS);
    cr_assert(entry->received_at_ms == event->ledger_time_ms && entry->number == size);
    cr_assert(entry->seal == 0 && entry->author.len == 0 && *entry->state == '\0');
    cr_assert_eq(entry->order.len, entry_at(M12, gift)->order.len);
    request = request_new(TIMEBANK__REQUEST__BODY_ENTRY);
    request->entry->number = size;
    ask(GARDEN, request);
    expect_refused(NO_AUTHORITY);
    ask(AUDITOR, request);
    cr_assert(!response_refused());
}

Test(events, stand_in_the_statement_with_what_they_moved) {
    const Timebank__Statement *statement;

    m12_gives(30);
    time_passes((GIFT_DAYS + 1) * DAY_MS);
    tick();
    statement = statement_of(M12, "m12");
    cr_assert_eq(statement->n_lines, 2);
    cr_assert(statement->lines[0]->event.len > 0 && statement->lines[1]->event.len == 0);
    cr_assert(statement->lines[0]->minutes == 30 && statement->lines[0]->after == 0 &&
              statement->lines[0]->held_after == 0);
    cr_assert(statement->lines[1]->minutes == -30 && statement->lines[1]->after == -30 &&
              statement->lines[1]->held_after == 30);
    cr_assert_eq(statement->lines[0]->target, statement->lines[1]->entry);
    cr_assert_eq(statement_of(BROKER, "transit")->n_lines, 2);
    cr_assert_eq(statement_of(BROKER, "m7")->n_lines, 0);
}

Test(events, make_a_claim_stand_that_nobody_answered) {
    Timebank__Order *claim = order_helps("m12", "m7", 60);
    struct parcel *parcel;
    const Timebank__Statement *statement;

    claim->authority = TIMEBANK__AUTHORITY__BY_SELF;
    claim->proposal = true;
    parcel = submit(M12, claim);
    expect_recorded();
    cr_assert(has_warning(WARNING_WAITS));
    expect_balance("m12", 0);
    cr_assert_str_eq(entry_at(M12, parcel->entries[0])->state, "waiting");
    time_passes(4 * DAY_MS);
    tick();
    expect_balance("m12", 60);
    expect_balance("m7", -60);
    cr_assert_str_eq(entry_at(M12, parcel->entries[0])->state, "settled");
    statement = statement_of(M12, "m12");
    cr_assert(statement->n_lines == 1 && statement->lines[0]->minutes == 60);
    cr_assert_eq(event_of(&statement->lines[0]->event)->kind, TIMEBANK__EVENT_KIND__CLAIM_ACCEPTED);
    submit(BROKER, order_reverse(claim, 0));
    expect_recorded();
    expect_balance("m12", 0);
    statement = statement_of(M12, "m12");
    cr_assert(statement->n_lines == 2 && statement->lines[1]->reversed_minutes == 60);
}

/* ---- what waits survives */

Test(events, are_not_lost_by_a_start_that_reads_the_tables) {
    for (uint64_t i = 0; i < 20; i++) {
        m12_gives(1 + i);
        if (i % 5 == 4)
            bank_restart();
    }
    bank_check();
    time_passes((GIFT_DAYS + 1) * DAY_MS);
    tick();
    expect_given_back();
    bank_check();
}

/* ---- every replay makes the same */

struct gone_through {
    struct replay replay;
    struct state *state;
    struct account_tree accounts;
    uint64_t twist_run; /* first record of the run whose bytes are changed */
    size_t twist_byte;
    uint8_t twist_bit;
    size_t n_twistable;
    int r;
};

static int read_order(void *user, uint64_t index, struct arena *arena, Timebank__Order **ret_order,
                      uint64_t *ret_received_at_ms) {
    struct state *state = bank_state(story.bank);

    (void)user;
    return state->source.order(state->source.user, index, arena, ret_order, ret_received_at_ms);
}

/* The run as somebody would have to write it who can also hash. */
static int go_through(void *user, struct store_value key, struct store_value value) {
    struct gone_through *all = user;
    _cleanup_bytes_ struct bytes copy = {0};
    struct run run;

    bytes_put(&copy, value.data, value.n);
    value.data = copy.data;
    cr_assert(run_parse(&run, key, value) == 0);
    if (run.first == all->twist_run) {
        size_t at = (size_t)(run.records - copy.data), n;
        all->n_twistable = value.n - at;
        copy.data[at + all->twist_byte] ^= all->twist_bit;
        for (uint32_t i = 0; i < run.n; i++) {
            const uint8_t *record = run_record(&run, i, &n);
            struct hash leaf = merkle_leaf(record, n);
            memcpy(copy.data + (run.leaves - copy.data) + HASH_BYTES * i, leaf.b, HASH_BYTES);
        }
    }
    all->r = replay_run(&all->replay, &run);
    return all->r;
}

/* Replays the whole log, with that bit of that run's records the other way round. */
static int replay_twisted(uint64_t run, size_t byte, uint8_t bit, size_t *ret_n) {
    struct gone_through all = {.twist_run = run, .twist_byte = byte, .twist_bit = bit};
    struct store_read *read;
    int r;

    all.state = state_new(&(struct state_source){.order = read_order});
    cr_assert(log_read(story.bank->log, &read) == 0);
    replay_init(&all.replay, read, REPLAY_RULES, all.state, &all.accounts);
    r = store_each(read, RUNS_LOG, NULL, 0, go_through, &all);
    cr_assert(r == 0 || (r == -EUCLEAN && *all.replay.why), "%d", r);
    replay_fini(&all.replay);
    account_tree_fini(&all.accounts);
    state_free(all.state);
    *ret_n = all.n_twistable;
    return r;
}

Test(events, are_damaged_when_any_bit_of_them_is_another) {
    uint64_t size;
    size_t n = 0, n_before;

    m12_gives(30);
    time_passes((GIFT_DAYS + 1) * DAY_MS);
    size = bank_state(story.bank)->sums.size;
    tick();
    cr_assert(replay_twisted(size, 0, 0, &n) == 0 && n > 25);
    n_before = n;
    for (size_t byte = 0; byte < n_before; byte++)
        for (unsigned bit = 0; bit < 8; bit++)
            cr_assert(replay_twisted(size, byte, (uint8_t)(1u << bit), &n) == -EUCLEAN,
                      "byte %zu, bit %u", byte, bit);
}

/* A daemon that forgot what was due cannot be told from one that was made to forget. */
static bool check_says(const char *words) {
    FILE *told = tmpfile();
    char text[2048] = "";
    int r;

    bank_stop();
    r = check_ledger(story.directory, &story.settings, true, told, NULL);
    rewind(told);
    text[fread(text, 1, sizeof(text) - 1, told)] = '\0';
    fclose(told);
    return r == -EUCLEAN && strstr(text, words);
}

static void end_damaged(void) {
    char command[128];

    arena_fini(&story.arena);
    snprintf(command, sizeof(command), "rm -rf '%s'", story.directory);
    cr_assert(system(command) == 0);
}

TestSuite(event_damage, .timeout = STORY_TIMEOUT, .init = start, .fini = end_damaged);

Test(event_damage, is_seen_where_a_seal_stands_without_what_was_due) {
    m12_gives(30);
    time_passes((GIFT_DAYS + 1) * DAY_MS);
    bank_state(story.bank)->n_dues = 0;
    recorded(BROKER, order_helps("m7", "m30", 60));
    cr_assert(check_says("was due before it"));
}

Test(event_damage, is_seen_where_something_happened_before_its_time) {
    struct state *state = bank_state(story.bank);
    uint64_t gift = m12_gives(30);
    void *value;
    uint8_t key[8];

    be64_put(key, gift);
    cr_assert(state_edit(state, STATE_PENDINGS, key, sizeof(key), &value) == 1);
    ((struct state_pending *)value)->due_ms -= DAY_MS;
    cr_assert(state_due_add(state, ((struct state_pending *)value)->due_ms, gift) == 0);
    time_passes(GIFT_DAYS * DAY_MS);
    tick();
    expect_given_back();
    cr_assert(check_says("not the event that followed"));
}
