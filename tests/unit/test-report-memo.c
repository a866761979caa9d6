/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is remembered of the years before, against the same report line by line: some chapters of
 * entries in many years, some taken back, in sessions, entered late, and by people who are merged.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "daemon/facts-block.h"
#include "daemon/report-memo.h"
#include "daemon/report.h"
#include "proto/record.h"

TestSuite(report_memo, .timeout = 120);

#define MEMBERS 300u
#define CHAPTERS 3u
#define CHAPTER_BLOCKS 64u
#define DAYS 2200u
#define FIRST_DAY 17000u
#define MS_A_DAY 86400000u
#define RECORD_BYTES 255u

static struct facts *facts;
static uint8_t (*kept)[RECORD_BYTES];
static uint8_t *kept_bytes;
static size_t n_kept_allocated;
static uint64_t random_state, n_orders;
static char codes[MEMBERS][8];

static uint32_t any(uint32_t below) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % below);
}

static int read_kept(void *user, uint64_t index, struct bytes *to) {
    (void)user;
    bytes_put(to, kept[index], kept_bytes[index]);
    return 1;
}

static void add_record(struct bytes *record, const struct fact_leg *legs, size_t n_legs) {
    cr_assert(record->r == 0 && record->n <= RECORD_BYTES);
    cr_assert_lt(facts->n_records, n_kept_allocated);
    memcpy(kept[facts->n_records], record->data, record->n);
    kept_bytes[facts->n_records] = (uint8_t)record->n;
    cr_assert_eq(facts_add(facts, facts->n_records, record->data, record->n, legs, n_legs), 0);
    bytes_fini(record);
}

static void seal_on(uint32_t day) {
    struct record_seal seal = {.header[3] = 1, .received_at_ms = (uint64_t)day * MS_A_DAY};
    struct bytes record = {0};
    record_seal_pack(&seal, bytes_reserve(&record, RECORD_SEAL_BYTES));
    add_record(&record, NULL, 0);
}

static void id_make(uint64_t n, uint8_t ret[16]) {
    memset(ret, 0, 16);
    memcpy(ret + 8, &n, sizeof(n));
    ret[0] = 1;
}

static void add_order(Timebank__Order *order, const struct fact_leg *legs, size_t n_legs) {
    uint8_t id[16];
    struct bytes record = {0};
    id_make(++n_orders, id);
    order->id = (ProtobufCBinaryData){sizeof(id), id};
    order->authority = TIMEBANK__AUTHORITY__BY_BROKER;
    record_order_encode(order, &record);
    add_record(&record, legs, n_legs);
}

static void open_members(void) {
    for (uint32_t i = 0; i < MEMBERS; i++) {
        Timebank__Order order = TIMEBANK__ORDER__INIT;
        Timebank__OpenAccount open = TIMEBANK__OPEN_ACCOUNT__INIT;
        open.kind = TIMEBANK__ACCOUNT_KIND__MEMBER;
        snprintf(codes[i], sizeof(codes[i]), "m%u", i);
        order.to = codes[i];
        order.service_day = FIRST_DAY;
        order.kind_case = TIMEBANK__ORDER__KIND_OPEN_ACCOUNT;
        order.open_account = &open;
        add_order(&order, NULL, 0);
    }
}

static uint64_t number_of(uint32_t member) {
    return facts->n_opened - MEMBERS + member;
}

struct last {
    uint64_t order, minutes;
    uint32_t from, to;
};

static uint32_t scattered_days; /* before the day of entry, if any */

static struct last exchange(uint32_t day) {
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    Timebank__Exchange exchange = TIMEBANK__EXCHANGE__INIT;
    uint32_t from = any(MEMBERS), to = (from + 1 + any(MEMBERS - 1)) % MEMBERS;
    order.kind_case = TIMEBANK__ORDER__KIND_EXCHANGE;
    order.exchange = &exchange;
    order.minutes = 15 * (1 + any(8));
    order.service_day = day - any(20) - (any(50) == 0 ? any(300) : 0);
    if (scattered_days > 0)
        order.service_day = day - any(scattered_days);
    order.claimed_day = any(40) == 0 ? day - any(10) : 0;
    order.activity = (char *)(any(2) ? "gardening" : "repairs");
    order.from = codes[from];
    order.to = codes[to];
    struct fact_leg legs[2] = {{number_of(from), -(int64_t)order.minutes, 0},
                               {number_of(to), (int64_t)order.minutes, 0}};
    add_order(&order, legs, 2);
    return (struct last){n_orders, order.minutes, from, to};
}

static void session(uint32_t day) {
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    Timebank__Session session = TIMEBANK__SESSION__INIT;
    char *givers[] = {codes[any(MEMBERS)]}, *receivers[] = {codes[any(MEMBERS)]};
    uint64_t minutes[] = {60};
    session.givers = givers;
    session.receivers = receivers;
    session.giver_minutes = session.receiver_minutes = minutes;
    session.n_givers = session.n_receivers = 1;
    session.n_giver_minutes = session.n_receiver_minutes = 1;
    order.kind_case = TIMEBANK__ORDER__KIND_SESSION;
    order.session = &session;
    order.minutes = 60;
    order.service_day = day;
    add_order(&order, NULL, 0);
}

static void take_back(const struct last *last, uint64_t minutes, uint32_t day) {
    uint8_t target[16];
    Timebank__Reverse reverse = TIMEBANK__REVERSE__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    int64_t moved = (int64_t)(minutes ? minutes : last->minutes);
    struct fact_leg legs[2] = {{number_of(last->to), -moved, 0}, {number_of(last->from), moved, 0}};
    id_make(last->order, target);
    reverse.target = (ProtobufCBinaryData){sizeof(target), target};
    order.kind_case = TIMEBANK__ORDER__KIND_REVERSE;
    order.reverse = &reverse;
    order.minutes = minutes;
    order.service_day = day;
    add_order(&order, legs, 2);
}

static void merge(uint32_t from, uint32_t to, uint32_t day) {
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    Timebank__Merge merge = TIMEBANK__MERGE__INIT;
    order.kind_case = TIMEBANK__ORDER__KIND_MERGE;
    order.merge = &merge;
    order.from = codes[from];
    order.to = codes[to];
    order.service_day = day;
    add_order(&order, NULL, 0);
}

/* Some of what was taken back was entered years before. */
static void fill(uint32_t n_lines) {
    struct last old[64] = {0};
    uint32_t today = 0;
    for (uint32_t i = 0; i < n_lines; i++) {
        uint32_t day = FIRST_DAY + 400 + (uint32_t)((uint64_t)i * DAYS / n_lines);
        if (day != today)
            seal_on(today = day);
        if (i % 500 == 0)
            session(day);
        struct last last = exchange(day);
        if (any(100) == 0)
            old[any(64)] = last;
        struct last *chosen = &old[any(64)];
        if (any(150) == 0 && chosen->order != 0) {
            take_back(chosen, any(2) ? 0 : 15, day);
            chosen->order = 0;
        }
    }
    merge(3, 4, today);
}

static void open_bank(void) {
    struct facts_source source = {.record = read_kept};
    uint8_t key[32] = {9};
    Timebank__Genesis genesis = TIMEBANK__GENESIS__INIT;
    struct bytes record = {0};
    n_kept_allocated = (size_t)(CHAPTERS + 1) * CHAPTER_BLOCKS * FACTS_BLOCK_LINES * 5 / 4;
    kept = calloc(n_kept_allocated, sizeof(*kept));
    kept_bytes = calloc(n_kept_allocated, 1);
    cr_assert(kept && kept_bytes && facts_new(&facts) == 0);
    facts_set_source(facts, &source);
    random_state = 11;
    n_orders = 0;
    genesis.format = 1;
    genesis.origin = (char *)"bank.example/test";
    genesis.ledger_key = (ProtobufCBinaryData){sizeof(key), key};
    record_genesis_encode(&genesis, &record);
    add_record(&record, NULL, 0);
    seal_on(FIRST_DAY);
    open_members();
}

static void close_bank(void) {
    facts_free(facts);
    free(kept);
    free(kept_bytes);
}

static void expect_same(struct report_ask *ask, const char *what) {
    _cleanup_(freep) char *line_by_line = NULL, *remembered = NULL, *again = NULL;
    ask->line_by_line = 1;
    cr_assert_eq(report_make(facts, ask, &line_by_line), 0, "%s", what);
    ask->line_by_line = 0;
    cr_assert_eq(report_make(facts, ask, &remembered), 0, "%s", what);
    cr_expect_str_eq(remembered, line_by_line, "%s", what);
    ask->n_threads = 2;
    cr_assert_eq(report_make(facts, ask, &again), 0, "%s", what);
    cr_expect_str_eq(again, line_by_line, "%s", what);
    ask->n_threads = 0;
}

Test(report_memo, gives_the_same_figures_as_every_line) {
    struct fact_zone zone;
    open_bank();
    fill(CHAPTERS * CHAPTER_BLOCKS * FACTS_BLOCK_LINES + 5000);
    cr_assert_eq(report_memo_blocks(facts), CHAPTER_BLOCKS);
    cr_assert(report_memo_zone(facts, 0, CHAPTERS - 1, &zone));
    cr_expect_not(report_memo_zone(facts, 0, CHAPTERS, &zone));
    cr_assert(report_memo_zone(facts, 1, 0, &zone));
    cr_expect_not(report_memo_zone(facts, 1, 1, &zone));
    uint32_t last_day = FIRST_DAY + 400 + DAYS;
    struct report_ask ask = {.from_day = last_day - 364,
                             .to_day = last_day,
                             .size = facts->n_records,
                             .bank = "bank.example/test"};
    expect_same(&ask, "the last year");
    cr_expect(atomic_load(&facts->memo->memory) != NULL);
    ask.from_day = last_day - 30;
    expect_same(&ask, "the last month");
    ask.as_recorded = 1;
    expect_same(&ask, "as recorded");
    ask.as_recorded = 0;
    ask.known_day = last_day - 200;
    expect_same(&ask, "as known before: fewer were taken back");
    ask.known_day = 0;
    ask.size = facts->n_records / 2;
    ask.to_day = last_day - DAYS / 2;
    ask.from_day = ask.to_day - 100;
    expect_same(&ask, "half of the ledger");
    ask.size = facts->n_records;
    expect_same(&ask, "a period in the middle");
    ask.from_day = FIRST_DAY;
    ask.to_day = last_day + 100;
    expect_same(&ask, "all");
    close_bank();
}

Test(report_memo, gives_the_same_figures_of_years_written_down_in_any_order) {
    scattered_days = 1500;
    open_bank();
    fill(2 * CHAPTER_BLOCKS * FACTS_BLOCK_LINES + 3000);
    uint32_t last_day = FIRST_DAY + 400 + DAYS;
    struct report_ask ask = {.from_day = last_day - 364,
                             .to_day = last_day,
                             .size = facts->n_records,
                             .bank = "bank.example/test"};
    expect_same(&ask, "the last year");
    ask.to_day = last_day - 365;
    ask.from_day = ask.to_day - 364;
    expect_same(&ask, "the year before");
    ask.from_day = last_day - 1000;
    ask.to_day = last_day - 971;
    expect_same(&ask, "a month in the middle");
    expect_same(&ask, "the same month again");
    take_back(&(struct last){n_orders / 3, 600, 1, 2}, 0, last_day);
    ask.size = facts->n_records;
    expect_same(&ask, "the same month, of which more was taken back");
    cr_assert_eq(facts_set_ward(facts, codes[5], "North"), 0);
    expect_same(&ask, "the same month, of which it is known where somebody lives");
    cr_assert_eq(facts_set_ward(facts, codes[6], "North"), 0);
    expect_same(&ask, "and where another one does");
    for (uint32_t i = 0; i < 3000; i++)
        exchange(last_day);
    ask.size = facts->n_records;
    expect_same(&ask, "the same month, and more entries");
    merge(7, 8, last_day);
    ask.size = facts->n_records;
    expect_same(&ask, "the same month, when two have become one");
    ask.from_day = FIRST_DAY - 300;
    ask.to_day = FIRST_DAY;
    expect_same(&ask, "nearly nothing before");
    ask.from_day = 100;
    ask.to_day = 200;
    expect_same(&ask, "nothing at all before");
    close_bank();
}

/* ---- several at once */

#define ASKERS 4u
#define TIMES 3u

struct asker {
    struct report_ask ask;
    char *expected;
    unsigned n_same;
};

static void *ask_again(void *user) {
    struct asker *asker = user;
    for (unsigned i = 0; i < TIMES; i++) {
        char *json = NULL;
        if (report_make(facts, &asker->ask, &json) == 0 && strcmp(json, asker->expected) == 0)
            asker->n_same++;
        free(json);
    }
    return NULL;
}

/* More periods than are remembered, two of them alike. */
Test(report_memo, is_shared_by_reports_that_are_made_at_once) {
    struct asker askers[ASKERS];
    pthread_t threads[ASKERS];
    scattered_days = 1500;
    open_bank();
    fill(2 * CHAPTER_BLOCKS * FACTS_BLOCK_LINES + 3000);
    uint32_t last_day = FIRST_DAY + 400 + DAYS;
    for (uint32_t i = 0; i < ASKERS; i++) {
        uint32_t to_day = last_day - 200 * (i / 2) - 31 * (i == 3);
        askers[i] = (struct asker){.ask = {.from_day = to_day - 364,
                                           .to_day = to_day,
                                           .size = facts->n_records,
                                           .n_threads = 2,
                                           .line_by_line = 1,
                                           .bank = "bank.example/test"}};
        cr_assert_eq(report_make(facts, &askers[i].ask, &askers[i].expected), 0);
        askers[i].ask.line_by_line = 0;
    }
    for (unsigned i = 0; i < ASKERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, ask_again, &askers[i]), 0);
    for (unsigned i = 0; i < ASKERS; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(askers[i].n_same, TIMES, "%u", i);
        free(askers[i].expected);
    }
    close_bank();
}
