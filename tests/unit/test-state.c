/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers of rows: what is above hides what is below until it is merged or dropped; the lowest asks
 * its source; what is stored comes back as it was.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "daemon/state.h"
#include "helpers.h"

TestSuite(state, .timeout = 30);
TestSuite(journal, .timeout = 30);
TestSuite(ids, .timeout = 30);

static struct state *lowest;

static void start(void) {
    lowest = state_new(NULL);
}

static void end(void) {
    lowest = state_free(lowest);
}

static void set_id(struct state *state, const char *key, uint64_t entry) {
    void *value = NULL;
    cr_assert(state_make(state, STATE_IDS, key, strlen(key), &value) == 0);
    ((struct state_id *)value)->entry = entry;
}

/* The entry of an id, or 0. */
static uint64_t id_of(struct state *state, const char *key) {
    int r = 0;
    const struct state_id *id = state_get(state, STATE_IDS, key, strlen(key), &r);
    cr_assert(r == 0);
    return id ? id->entry : 0;
}

static struct state *above(struct state *below) {
    struct state *state = state_new_above(below);
    cr_assert(state && state->below == below);
    return state;
}

static void open_in(struct state *state, const char *code, uint64_t number) {
    void *value = NULL;
    cr_assert(state_make(state, STATE_ACCOUNTS, code, strlen(code), &value) == 0);
    struct state_account *account = value;
    account->number = number;
    strcpy(account->code, code);
    state->sums.n_accounts = number + 1;
}

static void set_balance(struct state *state, const char *code, int64_t balance) {
    void *value = NULL;
    cr_assert(state_edit(state, STATE_ACCOUNTS, code, strlen(code), &value) == 1);
    ((struct state_account *)value)->balance = balance;
}

Test(state, reads_through_the_layers_and_copies_up_on_a_change, .init = start, .fini = end) {
    set_id(lowest, "a", 1);
    struct state *first = above(lowest), *second = above(first);
    cr_assert_eq(id_of(second, "a"), 1);
    set_id(second, "a", 2);
    cr_assert_eq(id_of(second, "a"), 2);
    cr_assert_eq(id_of(first, "a"), 1);
    set_id(first, "b", 3);
    cr_assert_eq(id_of(second, "b"), 3);
    cr_assert_eq(id_of(lowest, "b"), 0);
    state_free(second);
    state_free(first);
    cr_assert_eq(id_of(lowest, "a"), 1);
}

Test(state, leaves_no_trace_of_a_layer_that_is_dropped, .init = start, .fini = end) {
    struct state *top = above(lowest);
    set_id(top, "a", 1);
    top->sums.size = 9;
    state_free(top);
    cr_assert_eq(id_of(lowest, "a"), 0);
    cr_assert_eq(lowest->sums.size, 0);
}

Test(state, merges_rows_and_sums_downwards, .init = start, .fini = end) {
    set_id(lowest, "a", 1);
    set_id(lowest, "b", 2);
    struct state *first = above(lowest), *second = above(first);
    set_id(second, "b", 3);
    set_id(second, "c", 4);
    second->sums.size = 9;
    cr_assert(state_merge(second) == 0);
    cr_assert_eq(id_of(first, "b"), 3);
    cr_assert_eq(id_of(lowest, "b"), 2);
    cr_assert(state_merge(first) == 0);
    cr_assert_eq(id_of(lowest, "a"), 1);
    cr_assert_eq(id_of(lowest, "b"), 3);
    cr_assert_eq(id_of(lowest, "c"), 4);
    cr_assert_eq(lowest->sums.size, 9);
}

Test(state, begins_with_the_sums_below, .init = start, .fini = end) {
    lowest->sums.size = 7;
    lowest->sums.received_at_ms = 70;
    struct state *top = above(lowest);
    cr_assert_eq(top->sums.size, 7);
    cr_assert_eq(top->sums.received_at_ms, 70);
    state_free(top);
}

Test(state, edits_only_what_is_there, .init = start, .fini = end) {
    void *value = NULL;
    cr_assert(state_edit(lowest, STATE_IDS, "a", 1, &value) == 0);
    cr_assert_null(value);
    cr_assert(state_make(lowest, STATE_IDS, "a", 1, &value) == 0);
    cr_assert_eq(((struct state_id *)value)->entry, 0);
    cr_assert(state_edit(lowest, STATE_IDS, "a", 1, &value) == 1);
}

Test(state, marks_what_was_changed_since_it_was_loaded, .init = start, .fini = end) {
    struct state_id id = {.entry = 5};
    void *value = NULL;
    cr_assert(state_load(lowest, STATE_IDS, "a", 1, &id) == 0);
    cr_assert_eq(id_of(lowest, "a"), 5);
    struct row *row = rows_next(&lowest->tables[STATE_IDS], NULL);
    cr_assert_not(row->is_dirty);
    cr_assert(state_edit(lowest, STATE_IDS, "a", 1, &value) == 1);
    cr_assert(row->is_dirty);
}

Test(state, merges_onto_a_clean_row_and_marks_it, .init = start, .fini = end) {
    struct state_id id = {.entry = 5};
    cr_assert(state_load(lowest, STATE_IDS, "a", 1, &id) == 0);
    struct state *top = above(lowest);
    set_id(top, "a", 6);
    cr_assert_not(rows_next(&lowest->tables[STATE_IDS], NULL)->is_dirty);
    cr_assert(state_merge(top) == 0);
    cr_assert(rows_next(&lowest->tables[STATE_IDS], NULL)->is_dirty);
    cr_assert_eq(id_of(lowest, "a"), 6);
}

/* ---- the source */

static unsigned n_asked;
static int answer = 1;

static int row_of(void *user, enum state_table table, const void *key, size_t n_key, void *ret) {
    cr_assert(user == &n_asked && state_is_on_disk(table));
    n_asked++;
    if (answer <= 0 || n_key != 1 || *(const char *)key != 'd')
        return MIN_OF(answer, 0);
    ((struct state_id *)ret)->entry = 11;
    return 1;
}

static void start_with_source(void) {
    struct state_source source = {.user = &n_asked, .row = row_of};
    lowest = state_new(&source);
}

Test(state, asks_the_source_once_and_keeps_the_answer, .init = start_with_source, .fini = end) {
    struct state *top = above(lowest);
    cr_assert_eq(id_of(top, "d"), 11);
    cr_assert_eq(id_of(top, "d"), 11);
    cr_assert_eq(n_asked, 1);
    cr_assert_not(rows_next(&lowest->tables[STATE_IDS], NULL)->is_dirty);
    cr_assert_eq(top->tables[STATE_IDS].n_rows, 0);
    set_id(top, "d", 12);
    cr_assert_eq(id_of(lowest, "d"), 11);
    cr_assert_eq(id_of(top, "e"), 0);
    cr_assert_eq(n_asked, 2);
    state_free(top);
}

Test(state, asks_no_source_for_what_lives_in_memory, .init = start_with_source, .fini = end) {
    cr_assert_null(state_account(lowest, "d"));
    cr_assert_eq(n_asked, 0);
}

Test(state, passes_a_sources_failure_up, .init = start_with_source, .fini = end) {
    void *value = NULL;
    int r = 0;
    answer = -EIO;
    cr_assert_null(state_get(lowest, STATE_IDS, "d", 1, &r));
    cr_assert_eq(r, -EIO);
    cr_assert_null(state_get(lowest, STATE_IDS, "d", 1, NULL));
    cr_assert_eq(state_edit(lowest, STATE_IDS, "d", 1, &value), -EIO);
    cr_assert_eq(state_make(lowest, STATE_IDS, "d", 1, &value), -EIO);
}

static int any_row(void *user, enum state_table table, const void *key, size_t n_key, void *ret) {
    (void)user;
    (void)table;
    ((struct state_id *)ret)->entry = n_key == 8 ? be64_get(key) : 0;
    return n_key == 8;
}

static uint64_t read_number(struct state *state, uint64_t number) {
    uint8_t key[8];
    be64_put(key, number);
    const struct state_id *id = state_get(state, STATE_IDS, key, sizeof(key), NULL);
    return id->entry;
}

Test(state, forgets_what_was_read_back_once_there_is_much) {
    struct state_source source = {.row = any_row};
    struct state *state = state_new(&source);
    set_id(state, "new", 3);
    for (uint64_t i = 0; i < 1000; i++)
        cr_assert_eq(read_number(state, i), i);
    state_drop_read_back(state);
    cr_assert_eq(state->tables[STATE_IDS].n_rows, 1001);
    for (uint64_t i = 0; i < 100000; i++)
        read_number(state, i);
    state_drop_read_back(state);
    cr_assert_eq(state->tables[STATE_IDS].n_rows, 1);
    cr_assert_eq(id_of(state, "new"), 3);
    cr_assert_eq(read_number(state, 7), 7);
    state_free(state);
}

/* ---- accounts */

Test(state, finds_accounts_by_number_once_they_are_merged, .init = start, .fini = end) {
    char code[8];
    struct state *top = above(lowest);
    for (unsigned i = 0; i < 200; i++) {
        snprintf(code, sizeof(code), "m%u", i);
        open_in(top, code, i);
    }
    cr_assert_eq(lowest->n_touched, 0);
    cr_assert(state_merge(top) == 0);
    cr_assert_eq(lowest->n_touched, 200);
    for (unsigned i = 0; i < 200; i++) {
        snprintf(code, sizeof(code), "m%u", i);
        cr_assert_str_eq(lowest->accounts[i]->code, code);
        cr_assert_eq(state_account(lowest, code), lowest->accounts[i]);
    }
}

Test(state, touches_an_account_once_however_often_it_changes, .init = start, .fini = end) {
    struct state *top = above(lowest);
    open_in(top, "m0", 0);
    open_in(top, "m1", 1);
    cr_assert(state_merge(top) == 0);
    for (int i = 1; i < 4; i++) {
        top = above(lowest);
        set_balance(top, "m0", i);
        cr_assert_eq(lowest->accounts[0]->balance, i - 1);
        cr_assert(state_merge(top) == 0);
    }
    cr_assert_eq(lowest->accounts[0]->balance, 3);
    cr_assert_eq(lowest->n_touched, 2);
}

/* ---- orders */

static struct state_run *run_of(uint64_t first, const char *codes) {
    struct state_run *run = calloc(1, sizeof(*run));
    struct bytes bodies = {0};
    run->first = first;
    run->received_at_ms = first * 10;
    run->n = strlen(codes);
    run->ends = calloc(run->n, sizeof(*run->ends));
    for (size_t i = 0; i < run->n; i++) {
        uint8_t id[ORDER_ID_BYTES] = {1};
        char code[2] = {codes[i], '\0'};
        Timebank__Order order = TIMEBANK__ORDER__INIT;
        Timebank__Freeze freeze = TIMEBANK__FREEZE__INIT;
        struct bytes record = {0};
        order.id = (ProtobufCBinaryData){sizeof(id), id};
        order.to = code;
        order.kind_case = TIMEBANK__ORDER__KIND_FREEZE;
        order.freeze = &freeze;
        record_order_encode(&order, &record);
        bytes_put(&bodies, record.data + 1, record.n - 1);
        bytes_fini(&record);
        run->ends[i] = bodies.n;
    }
    run->bytes = bodies.data;
    return run;
}

static int find_order(struct state *state, uint64_t index, char *ret_code, uint64_t *ret_ms) {
    struct arena arena;
    Timebank__Order *order = NULL;
    arena_init(&arena, 1 << 16);
    int r = state_order(state, index, &arena, &order, ret_ms);
    if (r > 0)
        *ret_code = *order->to;
    arena_fini(&arena);
    return r;
}

Test(state, reads_the_orders_of_dry_runs_in_every_layer, .init = start, .fini = end) {
    struct state *first = above(lowest), *second = above(first);
    char code = 0;
    uint64_t ms = 0;
    cr_assert(state_keep_run(first, run_of(10, "abc")) == 0);
    cr_assert(state_keep_run(second, run_of(20, "xy")) == 0);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert(find_order(second, 10 + i, &code, &ms) == 1);
        cr_assert(code == "abc"[i] && ms == 100);
    }
    cr_assert(find_order(second, 21, &code, &ms) == 1);
    cr_assert(code == 'y' && ms == 200);
    cr_assert(find_order(first, 20, &code, &ms) == 0);
    cr_assert(find_order(second, 13, &code, &ms) == 0);
    cr_assert(find_order(second, 9, &code, &ms) == 0);
    cr_assert(state_merge(second) == 0);
    cr_assert(find_order(first, 20, &code, &ms) == 1);
    cr_assert(find_order(first, 12, &code, &ms) == 1);
    state_free(first);
}

/* ---- what falls due */

/* Laid onto the lowest by a merge, as the rules do it. */
static void wait_for(uint64_t key, uint64_t due_ms, bool is_over) {
    struct state *top = above(lowest);
    uint8_t bytes[8];
    void *value = NULL;
    be64_put(bytes, key);
    cr_assert(state_make(top, STATE_PENDINGS, bytes, sizeof(bytes), &value) == 0);
    ((struct state_pending *)value)->due_ms = due_ms;
    ((struct state_pending *)value)->is_over = is_over;
    cr_assert(state_merge(top) == 0);
}

static uint64_t first_due(void) {
    struct state_due due = {0};
    int r = state_due_first(lowest, &due);
    cr_assert(r >= 0);
    return r ? due.key : 0;
}

static int count_due(void *user, uint64_t key) {
    (void)key;
    ++*(size_t *)user;
    return 0;
}

static size_t n_waiting(void) {
    size_t n = 0;
    cr_assert(state_due_each(lowest, count_due, &n) == 0);
    return n;
}

Test(state, has_nothing_due_at_first, .init = start, .fini = end) {
    cr_assert_eq(first_due(), 0);
    cr_assert_eq(n_waiting(), 0);
}

Test(state, finds_what_is_due_first_by_time_and_then_by_number, .init = start, .fini = end) {
    uint64_t seed = 7, previous_ms = 0, previous = 0;
    for (uint64_t key = 1; key <= 500; key++)
        wait_for(key, 1 + random_next(&seed) % 100, false);
    for (size_t n = 500; n > 0; n--) {
        struct state_due due;
        cr_assert(state_due_first(lowest, &due) == 1);
        cr_assert(due.due_ms > previous_ms || (due.due_ms == previous_ms && due.key > previous));
        previous_ms = due.due_ms;
        previous = due.key;
        cr_assert_eq(n_waiting(), n);
        wait_for(due.key, due.due_ms, true);
    }
    cr_assert_eq(first_due(), 0);
    cr_assert_eq(lowest->n_dues, 0);
}

Test(state, passes_over_what_is_over, .init = start, .fini = end) {
    wait_for(1, 10, false);
    wait_for(2, 20, false);
    wait_for(1, 10, true);
    cr_assert_eq(n_waiting(), 1);
    cr_assert_eq(first_due(), 2);
}

Test(state, follows_a_due_time_that_is_moved, .init = start, .fini = end) {
    wait_for(1, 10, false);
    wait_for(2, 20, false);
    wait_for(1, 30, false);
    cr_assert_eq(first_due(), 2);
    cr_assert_eq(n_waiting(), 2);
    wait_for(1, 10, false);
    cr_assert_eq(first_due(), 1);
    cr_assert_eq(n_waiting(), 2);
    wait_for(1, 10, true);
    cr_assert_eq(first_due(), 2);
}

Test(state, lists_what_is_opened_again_once, .init = start, .fini = end) {
    wait_for(1, 10, false);
    wait_for(2, 5, false);
    wait_for(1, 10, true);
    wait_for(1, 10, false);
    cr_assert_eq(n_waiting(), 2);
    wait_for(2, 5, true);
    cr_assert_eq(first_due(), 1);
}

Test(state, lists_what_waits_for_no_time_and_never_finds_it_due, .init = start, .fini = end) {
    wait_for(1, 0, false);
    cr_assert_eq(first_due(), 0);
    wait_for(2, 10, false);
    cr_assert_eq(first_due(), 2);
    cr_assert_eq(n_waiting(), 2);
    struct state *top = above(lowest);
    size_t n = 0;
    cr_assert(state_due_each(top, count_due, &n) == 0 && n == 2);
    state_free(top);
}

/* A start reads the rows that are not over; they are looked up in the source when it is time. */
static int pending_of_source(void *user, enum state_table table, const void *key, size_t n_key,
                             void *ret_value) {
    struct state_pending *pending = ret_value;
    (void)user;
    cr_assert(table == STATE_PENDINGS && n_key == 8);
    *pending = (struct state_pending){.due_ms = 10 * be64_get(key)};
    return be64_get(key) < 5;
}

Test(state, asks_the_source_for_what_was_waiting_at_a_start, .fini = end) {
    lowest = state_new(&(struct state_source){.row = pending_of_source});
    cr_assert(state_due_add(lowest, 40, 4) == 0);
    cr_assert(state_due_add(lowest, 30, 3) == 0);
    cr_assert(state_due_add(lowest, 60, 6) == 0); /* of which the source knows nothing */
    cr_assert_eq(first_due(), 3);
    cr_assert_eq(n_waiting(), 2);
    wait_for(3, 30, true);
    cr_assert_eq(first_due(), 4);
    wait_for(4, 40, true);
    cr_assert_eq(first_due(), 0);
}

/* ---- policies */

static void set_policy(struct state *state, const char *name, const char *text) {
    void *value = NULL;
    cr_assert(state_make(state, STATE_POLICIES, name, strlen(name), &value) == 0);
    strcpy(((struct state_policy *)value)->value, text);
}

Test(state, reads_policies_as_texts_and_numbers, .init = start, .fini = end) {
    cr_assert_str_eq(state_policy(lowest, "colour"), "");
    cr_assert_eq(state_policy_number(lowest, "colour", 7), 7);
    set_policy(lowest, "quantum", "5");
    set_policy(lowest, "floor-member", "-1200");
    set_policy(lowest, "ceiling-member", "none");
    cr_assert_str_eq(state_policy(lowest, "quantum"), "5");
    cr_assert_eq(state_policy_number(lowest, "quantum", 7), 5);
    cr_assert_eq(state_policy_number(lowest, "floor-member", 7), -1200);
    cr_assert_eq(state_policy_number(lowest, "ceiling-member", 7), 7);
}

Test(state, falls_back_to_the_default_of_a_policy_that_an_older_genesis_lacks, .init = start,
     .fini = end) {
    cr_assert_str_eq(state_policy(lowest, "quantum"), "15");
    cr_assert_str_eq(state_policy(lowest, "gift"), "at-once");
    cr_assert_eq(state_policy_number(lowest, "gift-days", 7), 30);
}

Test(state, forgets_a_policy_it_knew_when_it_is_set_anew, .init = start, .fini = end) {
    cr_assert_eq(state_policy_number(lowest, "quantum", 7), 15);
    struct state *top = above(lowest);
    cr_assert_eq(state_policy_number(top, "quantum", 7), 15);
    set_policy(top, "quantum", "30");
    cr_assert_eq(state_policy_number(top, "quantum", 7), 30);
    cr_assert_eq(state_policy_number(lowest, "quantum", 7), 15);
    cr_assert(state_merge(top) == 0);
    cr_assert_eq(state_policy_number(lowest, "quantum", 7), 30);
    set_policy(lowest, "quantum", "60");
    cr_assert_eq(state_policy_number(lowest, "quantum", 7), 60);
    cr_assert_str_eq(state_policy(lowest, "quantum"), "60");
}

/* ---- stored rows */

Test(state, gives_every_table_a_name_and_a_size) {
    for (size_t t = 0; t < STATE_N_TABLES; t++) {
        enum state_table table = (enum state_table)t;
        cr_assert(strlen(state_table_name(table)) > 2);
        cr_assert(state_row_bytes(table) > 0 && state_row_bytes(table) <= STATE_ROW_MAX);
        cr_assert(state_value_bytes(table) <= STATE_ROW_MAX, "a step packs from a copy");
        cr_assert(table == STATE_DAYS || state_row_bytes(table) <= state_value_bytes(table));
    }
    cr_assert(state_is_on_disk(STATE_IDS) && state_is_on_disk(STATE_BATCHES));
    cr_assert(state_is_on_disk(STATE_REVERSALS) && !state_is_on_disk(STATE_ACCOUNTS));
}

/* What was packed, unpacked and packed again is the same, for any bytes of a row. */
Test(state, packs_a_row_as_it_was_unpacked) {
    uint64_t seed = 17;
    for (size_t t = 0; t < STATE_N_TABLES; t++)
        for (int i = 0; i < 50 && t != STATE_DAYS; i++) {
            enum state_table table = (enum state_table)t;
            size_t n = state_row_bytes(table);
            uint8_t stored[STATE_ROW_MAX], again[STATE_ROW_MAX];
            uint64_t value[512];
            for (size_t k = 0; k < n; k++)
                stored[k] = (uint8_t)random_next(&seed);
            cr_assert(state_row_unpack(table, stored, n, value) == 0);
            cr_assert_eq(state_row_pack(table, value, again), n);
            cr_assert(memcmp(stored, again, n) == 0, "%s", state_table_name(table));
        }
}

Test(state, takes_no_row_of_another_length) {
    uint8_t stored[STATE_ROW_MAX] = {0};
    uint64_t value[512];
    for (size_t t = 0; t < STATE_N_TABLES; t++) {
        enum state_table table = (enum state_table)t;
        size_t n = table == STATE_DAYS ? 2 : state_row_bytes(table);
        cr_assert(state_row_unpack(table, stored, n - 1, value) == -EUCLEAN);
        cr_assert(state_row_unpack(table, stored, n + 1, value) == -EUCLEAN);
        cr_assert(state_row_unpack(table, stored, 0, value) == -EUCLEAN);
    }
}

static void expect_day(const struct state_day *day, const char *bytes, size_t n) {
    uint8_t stored[STATE_ROW_MAX];
    struct state_day again;
    cr_assert_eq(state_row_pack(STATE_DAYS, day, stored), n);
    cr_assert(memcmp(stored, bytes, n) == 0);
    memset(&again, 0xff, sizeof(again));
    cr_assert(state_row_unpack(STATE_DAYS, stored, n, &again) == 0);
    cr_assert(memcmp(day, &again, sizeof(again)) == 0);
}

Test(state, stores_the_sums_of_a_day_that_are_not_0) {
    struct state_day day = {0};
    expect_day(&day, "\0\0", 2);
    day.minutes[15] = STATE_DAY_EXACT;
    expect_day(&day, "\x80\x00\xff\xff", 4);
    day.minutes[0] = 90;
    expect_day(&day, "\x80\x01\x00\x5a\xff\xff", 6);
    for (size_t i = 0; i < STATE_DAY_ACCOUNTS; i++)
        day.minutes[i] = 0x0101;
    expect_day(&day, "\xff\xff\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1",
               34);
    cr_assert_eq(state_row_bytes(STATE_DAYS), 34);
}

Test(state, takes_one_form_only_of_the_sums_of_a_day) {
    static const struct {
        const char *bytes;
        size_t n;
    } bad[] = {{"", 0},        {"\0", 1},       {"\0\0\0", 3},       {"\0\1", 2},
               {"\0\1\0", 3},  {"\0\1\0\0", 4}, {"\0\1\0\1\0\1", 6}, {"\0\3\0\1\0", 5},
               {"\0\3\0\1", 4}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct state_day day;
        cr_assert(state_row_unpack(STATE_DAYS, (const uint8_t *)bad[i].bytes, bad[i].n, &day) ==
                  -EUCLEAN);
    }
}

Test(state, stores_integers_big_endian) {
    uint8_t stored[STATE_ROW_MAX];
    struct state_id id = {.entry = 0x0102030405060708};
    cr_assert_eq(state_row_pack(STATE_IDS, &id, stored), 8);
    cr_assert_eq(be64_get(stored), id.entry);
    static struct state_recent recent = {.n = 3, .print = {5, 6}, .entry = {{7}}};
    state_row_pack(STATE_RECENTS, &recent, stored);
    cr_assert_eq(be64_get(stored), 3);
    cr_assert_eq(be32_get(stored + 8), 5);
    cr_assert_eq(be32_get(stored + 12), 6);
    cr_assert_eq(stored[8 + 4 * STATE_RECENT], 7);
}

Test(state, stores_all_of_an_account_but_the_touch) {
    struct state_account account = {.number = 1,
                                    .kind = 2,
                                    .standing = 1,
                                    .floor = STATE_FLOOR_BY_POLICY,
                                    .ceiling = STATE_NO_CEILING,
                                    .balance = -90,
                                    .held = 4,
                                    .n_entries = 5,
                                    .last_entry = 6,
                                    .running = {9, 9},
                                    .opened = 3,
                                    .is_touched = true,
                                    .joined_day = 20000,
                                    .code = "food-bank"};
    struct state_account again;
    uint8_t stored[STATE_ROW_MAX];
    size_t n = state_row_pack(STATE_ACCOUNTS, &account, stored);
    cr_assert(state_row_unpack(STATE_ACCOUNTS, stored, n, &again) == 0);
    cr_assert_not(again.is_touched);
    cr_assert(again.number == 1 && again.kind == 2 && again.standing == 1 && again.held == 4);
    cr_assert(again.floor == STATE_FLOOR_BY_POLICY && again.ceiling == STATE_NO_CEILING);
    cr_assert(again.balance == -90 && again.n_entries == 5 && again.last_entry == 6);
    cr_assert(again.opened == 3 && again.joined_day == 20000 && again.running[1] == 9);
    cr_assert_str_eq(again.code, "food-bank");
}

#define N_IDS 3000u

static void id_key(uint64_t number, uint8_t ret[ORDER_ID_BYTES]) {
    memset(ret, 0, ORDER_ID_BYTES);
    be64_put(ret, number);
}

/* Three clients whose ids grow, one after the other: so many runs. Every fourth id is nobody's. */
Test(state, goes_on_from_one_id_to_the_next, .init = start, .fini = end) {
    size_t places[STATE_IDS_RUNS] = {0};
    uint8_t key[ORDER_ID_BYTES];
    void *value;
    for (uint64_t client = 0; client < 3; client++)
        for (uint64_t i = client; i < N_IDS; i += 4) {
            id_key(i, key);
            cr_assert(state_make(lowest, STATE_IDS, key, sizeof(key), &value) == 0);
            ((struct state_id *)value)->entry = i + 1;
        }
    cr_assert_eq(lowest->ids.n_runs, 3);
    for (uint64_t i = 0; i < N_IDS + 8; i++) {
        id_key(i, key);
        const struct state_id *found = state_ids_go_on(&lowest->ids, key, places);
        cr_assert((found != NULL) == (i < N_IDS && i % 4 != 3), "id %llu", (unsigned long long)i);
        cr_assert(!found || found->entry == i + 1);
    }
}

/* ---- the journal */

static void open_account(const char *code) {
    struct state_account *account = NULL;
    cr_assert(state_account_open(lowest, code, &account) == 0);
    cr_assert_eq(account->number, lowest->sums.n_accounts - 1);
    cr_assert_str_eq(account->code, code);
}

static void change_balance(const char *code, int64_t minutes) {
    const struct state_account *account = state_account(lowest, code);
    struct state_account *changed = NULL;
    cr_assert(account && state_account_edit(lowest, account, &changed) == 0);
    cr_assert_eq(changed, account);
    changed->balance += minutes;
}

static int count_row(void *user, enum state_table table, const void *key, size_t n_key,
                     const void *value) {
    (void)table, (void)key, (void)n_key, (void)value;
    ++*(size_t *)user;
    return 0;
}

static size_t step(void) {
    size_t n = 0;
    cr_assert(state_step(lowest, count_row, &n) == 0);
    state_step_left(lowest);
    return n;
}

Test(journal, takes_back_rows_sums_and_what_was_touched, .init = start, .fini = end) {
    state_begin(lowest);
    open_account("m1");
    open_account("m2");
    cr_assert(state_keep(lowest) == 0);
    cr_assert_eq(step(), 2);
    lowest->n_touched = 0;
    lowest->accounts[0]->is_touched = lowest->accounts[1]->is_touched = false;
    state_begin(lowest);
    change_balance("m1", 60);
    change_balance("m1", 30);
    open_account("m3");
    change_balance("m3", -90);
    lowest->sums.size = 7;
    cr_assert_eq(lowest->n_touched, 2);
    state_roll_back(lowest);
    cr_assert_eq(state_account(lowest, "m1")->balance, 0);
    cr_assert_null(state_account(lowest, "m3"));
    cr_assert_null(lowest->accounts[2]);
    cr_assert(lowest->sums.n_accounts == 2 && lowest->sums.size == 0);
    cr_assert(lowest->n_touched == 0 && !lowest->accounts[0]->is_touched);
    cr_assert_eq(step(), 0);
    state_begin(lowest);
    open_account("m3");
    change_balance("m1", 60);
    cr_assert(state_keep(lowest) == 0);
    cr_assert_eq(state_account(lowest, "m1")->balance, 60);
    cr_assert_eq(step(), 2);
}

Test(journal, keeps_what_changed_before_it_dirty, .init = start, .fini = end) {
    open_account("m1");
    state_begin(lowest);
    change_balance("m1", 5);
    state_roll_back(lowest);
    cr_assert_eq(state_account(lowest, "m1")->balance, 0);
    cr_assert_eq(step(), 1);
}

static void wait_in_place(uint64_t key, uint64_t due_ms) {
    uint8_t bytes[8];
    void *value = NULL;
    be64_put(bytes, key);
    cr_assert(state_make(lowest, STATE_PENDINGS, bytes, sizeof(bytes), &value) == 0);
    ((struct state_pending *)value)->due_ms = due_ms;
}

Test(journal, lists_what_waits_once_before_and_after_it_is_kept, .init = start, .fini = end) {
    wait_for(1, 10, false);
    state_begin(lowest);
    wait_in_place(1, 20);
    wait_in_place(2, 5);
    cr_assert_eq(n_waiting(), 2);
    state_roll_back(lowest);
    cr_assert(n_waiting() == 1 && first_due() == 1);
    state_begin(lowest);
    wait_in_place(1, 20);
    wait_in_place(2, 5);
    cr_assert(state_keep(lowest) == 0);
    cr_assert(n_waiting() == 2 && first_due() == 2);
    state_begin(lowest);
    wait_in_place(1, 10);
    cr_assert_eq(n_waiting(), 2);
    cr_assert(state_keep(lowest) == 0);
    cr_assert_eq(n_waiting(), 2);
}

Test(journal, forgets_a_policy_that_is_taken_back, .init = start, .fini = end) {
    cr_assert_eq(state_policy_number(lowest, "quantum", 7), 15);
    state_begin(lowest);
    set_policy(lowest, "quantum", "30");
    cr_assert_eq(state_policy_number(lowest, "quantum", 7), 30);
    state_roll_back(lowest);
    cr_assert_eq(state_policy_number(lowest, "quantum", 7), 15);
}

Test(journal, notes_a_row_anew_when_its_numbers_begin_anew, .init = start, .fini = end) {
    open_account("m1");
    state_begin(lowest);
    change_balance("m1", 1);
    cr_assert(state_keep(lowest) == 0);
    lowest->journal.number = UINT32_MAX;
    for (int i = 0; i < 3; i++) {
        state_begin(lowest);
        change_balance("m1", 10);
        state_roll_back(lowest);
        cr_assert_eq(state_account(lowest, "m1")->balance, 1);
    }
}

Test(journal, takes_back_what_the_source_gave, .init = start_with_source, .fini = end) {
    state_begin(lowest);
    set_id(lowest, "d", 12);
    cr_assert_eq(id_of(lowest, "d"), 12);
    state_roll_back(lowest);
    cr_assert_eq(id_of(lowest, "d"), 11);
    cr_assert_eq(step(), 0);
}

Test(journal, holds_more_than_one_block_of_notes, .init = start, .fini = end) {
    char code[16];
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(code, sizeof(code), "m%u", i);
        open_account(code);
    }
    for (int round = 0; round < 2; round++) {
        state_begin(lowest);
        for (unsigned i = 0; i < 3000; i++) {
            snprintf(code, sizeof(code), "m%u", i);
            change_balance(code, 1 + (int64_t)i);
        }
        state_roll_back(lowest);
        for (unsigned i = 0; i < 3000; i++)
            cr_assert_eq(lowest->accounts[i]->balance, 0);
    }
}

/* ---- ids */

static void id_of_number(uint64_t high, uint64_t low, uint8_t ret[ORDER_ID_BYTES]) {
    be64_put(ret, high);
    be64_put(ret + 8, low);
}

static void add_id(uint64_t high, uint64_t low, uint64_t entry) {
    uint8_t id[ORDER_ID_BYTES];
    void *value = NULL;
    id_of_number(high, low, id);
    cr_assert(state_add(lowest, STATE_IDS, id, sizeof(id), &value) == 0);
    ((struct state_id *)value)->entry = entry;
}

static uint64_t entry_of(uint64_t high, uint64_t low) {
    uint8_t id[ORDER_ID_BYTES];
    int r = 0;
    id_of_number(high, low, id);
    const struct state_id *found = state_get(lowest, STATE_IDS, id, sizeof(id), &r);
    cr_assert(r == 0);
    return found ? found->entry : 0;
}

Test(ids, that_grow_lie_in_one_run_and_are_no_rows, .init = start, .fini = end) {
    for (uint64_t i = 1; i <= 5000; i++) {
        cr_assert_eq(entry_of(7, 3 * i), 0);
        add_id(7, 3 * i, i);
    }
    cr_assert(lowest->ids.n_runs == 1 && lowest->tables[STATE_IDS].n_rows == 0);
    for (uint64_t i = 1; i <= 5000; i++) {
        cr_assert_eq(entry_of(7, 3 * i), i);
        cr_assert_eq(entry_of(7, 3 * i + 1), 0);
    }
    cr_assert_eq(entry_of(6, 3), 0);
    cr_assert_eq(step(), 5000);
    cr_assert_eq(lowest->ids.n_runs, 0);
}

Test(ids, of_several_clients_lie_in_several_runs, .init = start, .fini = end) {
    for (uint64_t batch = 0; batch < 20; batch++)
        for (uint64_t client = 0; client < 4; client++)
            for (uint64_t i = 0; i < 50; i++)
                add_id(batch, 8 * i + client, 1 + 8 * i + client);
    cr_assert_eq(lowest->ids.n_runs, 4);
    cr_assert_eq(lowest->tables[STATE_IDS].n_rows, 0);
    for (uint64_t batch = 0; batch < 20; batch++)
        for (uint64_t k = 0; k < 8 * 50; k++)
            cr_assert_eq(entry_of(batch, k), k % 8 < 4 ? 1 + k : 0);
}

Test(ids, in_no_order_are_found_and_taken_back_all_the_same, .init = start, .fini = end) {
    enum { N = 3000 };
    static uint64_t high[N], low[N];
    uint64_t seed = 5;
    size_t kept = 0;
    for (size_t round = 0; round < 30; round++) {
        size_t n = kept;
        bool is_kept = round % 3 != 1;
        state_begin(lowest);
        for (; n < kept + 100; n++) {
            high[n] = random_next(&seed);
            low[n] = random_next(&seed);
            cr_assert_eq(entry_of(high[n], low[n]), 0);
            add_id(high[n], low[n], n + 1);
            cr_assert_eq(entry_of(high[n], low[n]), n + 1);
        }
        if (is_kept)
            cr_assert(state_keep(lowest) == 0);
        else
            state_roll_back(lowest);
        for (size_t i = 0; i < n; i++)
            cr_assert_eq(entry_of(high[i], low[i]), i < kept || is_kept ? i + 1 : 0);
        kept = is_kept ? n : kept;
    }
    cr_assert_gt(lowest->tables[STATE_IDS].n_rows, 0);
    cr_assert_eq(step(), kept);
    cr_assert_eq(entry_of(high[0], low[0]), 0);
}

/* A source of the ids 10, 20, 30 ..., 1000. */
static unsigned n_id_asks;

static int id_of_source(void *user, const uint8_t id[ORDER_ID_BYTES], uint64_t *ret_entry,
                        struct state_gap *ret_gap) {
    uint64_t high = be64_get(id), low = be64_get(id + 8);
    (void)user;
    n_id_asks++;
    if (high == 0 && low > 0 && low <= 1000 && low % 10 == 0) {
        *ret_entry = low;
        return 1;
    }
    bool is_behind = high > 0 || low > 1000;
    id_of_number(0, is_behind ? 1001 : low / 10 * 10 + (low >= 10), ret_gap->first);
    id_of_number(is_behind ? UINT64_MAX : 0, is_behind ? UINT64_MAX : low / 10 * 10 + 9,
                 ret_gap->last);
    return 0;
}

Test(ids, ask_the_source_once_for_a_gap_and_again_after_a_step, .fini = end) {
    lowest = state_new(&(struct state_source){.row = row_of, .id = id_of_source});
    n_id_asks = 0;
    for (uint64_t i = 1; i <= 100; i++) {
        cr_assert_eq(entry_of(5, i), 0);
        add_id(5, i, i);
    }
    cr_assert_eq(n_id_asks, 1);
    cr_assert_eq(entry_of(0, 500), 500);
    cr_assert_eq(entry_of(0, 500), 500);
    cr_assert_eq(n_id_asks, 2);
    cr_assert_eq(entry_of(0, 505), 0);
    cr_assert_eq(entry_of(0, 501), 0);
    cr_assert_eq(entry_of(0, 509), 0);
    cr_assert_eq(n_id_asks, 3);
    cr_assert_eq(entry_of(0, 510), 510);
    cr_assert_eq(entry_of(5, 7), 7);
    cr_assert_eq(n_id_asks, 4);
    cr_assert_eq(step(), 100);
    cr_assert_eq(entry_of(0, 505), 0);
    cr_assert_eq(n_id_asks, 5);
}
