/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The evaluator's measures: the two-year scheme against figures that a separate program computed,
 * and small banks made by hand, one rule at a time.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "daemon/facts-block.h"
#include "daemon/report.h"
#include "proto/dates.h"
#include "proto/hash.h"
#include "proto/record.h"
#include "proto/refusal.h"

TestSuite(report, .timeout = 60);
TestSuite(facts, .timeout = 10);

#define MS_A_DAY 86400000u

static struct facts *facts;
static uint64_t n_records;
static unsigned n_orders;
static uint32_t today;

/* ---- verbs of the stories */

static uint32_t day(const char *iso) {
    uint32_t ret = 0;
    cr_assert(dates_parse_iso(iso, &ret) == 0, "%s", iso);
    return ret;
}

/* The log, for what is about an earlier record. */
static struct bytes log_records;
static struct {
    size_t at;
    size_t n;
} log_index[40000];

static int log_read(void *user, uint64_t index, struct bytes *to) {
    (void)user;
    cr_assert_lt(index, n_records);
    bytes_put(to, log_records.data + log_index[index].at, log_index[index].n);
    return 1;
}

static void log_keep(const struct bytes *record) {
    cr_assert_lt(n_records, sizeof(log_index) / sizeof(*log_index));
    log_index[n_records].at = log_records.n;
    log_index[n_records].n = record->n;
    bytes_put(&log_records, record->data, record->n);
}

static int add_record_with(struct bytes *record, const struct fact_leg *legs, size_t n_legs) {
    cr_assert(record->r == 0);
    int r = facts_add(facts, n_records, record->data, record->n, legs, n_legs);
    log_keep(record);
    n_records += r == 0;
    bytes_fini(record);
    return r;
}

static int add_record(struct bytes *record) {
    return add_record_with(record, NULL, 0);
}

/* What an order did, for the reversal that takes it back. */
static struct posted {
    uint8_t id[16];
    char from[40];
    char to[40];
    uint64_t minutes;
    uint64_t taken;
} posted[10000];
static size_t n_posted;

static struct posted *posted_find(const uint8_t id[16]) {
    for (size_t i = 0; i < n_posted; i++)
        if (memcmp(posted[i].id, id, 16) == 0)
            return &posted[i];
    return NULL;
}

/* The ledger's number of an account; the records of these tests may name strangers. */
static uint64_t number_of(const char *code) {
    for (size_t i = 0; i < facts->n_opened; i++)
        if (strcmp(intern_text(&facts->account_codes, facts->opened[i]), code) == 0)
            return i;
    return 0;
}

static size_t legs_of(const char *from, const char *to, int64_t minutes, struct fact_leg legs[2]) {
    legs[0] = (struct fact_leg){.account = number_of(from), .minutes = -minutes};
    legs[1] = (struct fact_leg){.account = number_of(to), .minutes = minutes};
    return 2;
}

static size_t take_back_legs(const Timebank__Order *order, struct fact_leg legs[2]) {
    struct posted *target = posted_find(order->reverse->target.data);
    if (!target)
        return 0;
    uint64_t remains = target->minutes - target->taken;
    uint64_t minutes = order->minutes ? order->minutes : remains;
    target->taken += minutes;
    return *target->from ? legs_of(target->to, target->from, (int64_t)minutes, legs) : 0;
}

static size_t post(const Timebank__Order *order, struct fact_leg legs[2]) {
    bool moves = order->kind_case != TIMEBANK__ORDER__KIND_LOG;
    struct posted *to = &posted[n_posted];
    if (order->kind_case == TIMEBANK__ORDER__KIND_REVERSE)
        return take_back_legs(order, legs);
    if (order->kind_case >= TIMEBANK__ORDER__KIND_OPEN_ACCOUNT)
        return 0;
    cr_assert_lt(n_posted++, sizeof(posted) / sizeof(*posted));
    *to = (struct posted){.minutes = order->minutes};
    memcpy(to->id, order->id.data, 16);
    snprintf(to->from, sizeof(to->from), "%s", moves ? order->from : "");
    snprintf(to->to, sizeof(to->to), "%s", order->to);
    return moves ? legs_of(order->from, order->to, (int64_t)order->minutes, legs) : 0;
}

static void seal_on(const char *iso) {
    struct record_seal seal = {.received_at_ms = (uint64_t)day(iso) * MS_A_DAY + 1000};
    struct bytes record = {0};
    uint8_t *packed = bytes_reserve(&record, RECORD_SEAL_BYTES);
    seal.header[3] = 1;
    record_seal_pack(&seal, packed);
    today = day(iso);
    cr_assert(add_record(&record) == 0);
}

static void bank_start(const char *iso) {
    uint8_t key[32] = {9};
    Timebank__Genesis genesis = TIMEBANK__GENESIS__INIT;
    struct bytes record = {0};
    genesis.format = 1;
    genesis.origin = "bank.example/test";
    genesis.ledger_key = (ProtobufCBinaryData){32, key};
    genesis.created_ms = (uint64_t)day(iso) * MS_A_DAY;
    n_records = 0;
    n_orders = 0;
    n_posted = 0;
    cr_assert(facts_new(&facts) == 0);
    facts_set_source(facts, &(struct facts_source){.record = log_read});
    bytes_clear(&log_records);
    record_genesis_encode(&genesis, &record);
    cr_assert(add_record(&record) == 0);
    seal_on(iso);
}

static void bank_end(void) {
    facts = facts_free(facts);
}

/* Gives the order the next id unless it has one; returns what facts_add() does. */
static int record_order(Timebank__Order *order) {
    uint8_t id[16] = {1};
    struct bytes record = {0};
    if (order->id.len == 0) {
        n_orders++;
        id[15] = (uint8_t)n_orders;
        id[14] = (uint8_t)(n_orders >> 8);
        order->id = (ProtobufCBinaryData){16, id};
    }
    record_order_encode(order, &record);
    struct fact_leg legs[2];
    size_t n_legs = post(order, legs);
    return add_record_with(&record, legs, n_legs);
}

static void open_account(const char *code, Timebank__AccountKind kind, const char *ward) {
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    Timebank__OpenAccount open = TIMEBANK__OPEN_ACCOUNT__INIT;
    open.kind = kind;
    order.to = (char *)code;
    order.service_day = today;
    order.kind_case = TIMEBANK__ORDER__KIND_OPEN_ACCOUNT;
    order.open_account = &open;
    cr_assert(record_order(&order) == 0);
    cr_assert(facts_set_ward(facts, code, ward) == 0);
}

static void open_people(void) {
    open_account("m1", TIMEBANK__ACCOUNT_KIND__MEMBER, "east");
    open_account("m2", TIMEBANK__ACCOUNT_KIND__MEMBER, "west");
    open_account("m3", TIMEBANK__ACCOUNT_KIND__MEMBER, "");
    open_account("m4", TIMEBANK__ACCOUNT_KIND__MEMBER, "");
    open_account("choir", TIMEBANK__ACCOUNT_KIND__ORGANISATION, "");
    open_account("pool", TIMEBANK__ACCOUNT_KIND__VENUE, "");
}

static Timebank__Exchange an_exchange;
static Timebank__Earn an_earn;
static Timebank__Log a_log;
static Timebank__Gift a_gift;
static Timebank__Donate a_donate;
static Timebank__Grant a_grant;
static Timebank__Issue an_issue;
static Timebank__Redeem a_redeem;
static Timebank__Reverse a_reverse;

/* An order of a kind by name, its message all default; the caller fills in the rest. */
static Timebank__Order order_make(const char *kind, const char *from, const char *to,
                                  uint64_t minutes, const char *service) {
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    timebank__exchange__init(&an_exchange);
    timebank__earn__init(&an_earn);
    timebank__log__init(&a_log);
    timebank__gift__init(&a_gift);
    timebank__donate__init(&a_donate);
    timebank__grant__init(&a_grant);
    timebank__issue__init(&an_issue);
    timebank__redeem__init(&a_redeem);
    timebank__reverse__init(&a_reverse);
    const void *const messages[] = {&an_exchange, &an_earn,  &a_log,    &a_gift,   &a_donate,
                                    &a_grant,     &an_issue, &a_redeem, &a_reverse};
    order.kind_case = record_kind_from_name(kind);
    cr_assert(order.kind_case >= TIMEBANK__ORDER__KIND_EXCHANGE, "%s", kind);
    order.exchange =
        (Timebank__Exchange *)messages[order.kind_case - TIMEBANK__ORDER__KIND_EXCHANGE];
    order.from = (char *)from;
    order.to = (char *)to;
    order.minutes = minutes;
    order.service_day = day(service);
    order.authority = TIMEBANK__AUTHORITY__BY_BROKER;
    return order;
}

/* Returns the number that names it in take_back(). */
static unsigned entry(const char *kind, const char *from, const char *to, uint64_t minutes,
                      const char *service) {
    Timebank__Order order = order_make(kind, from, to, minutes, service);
    cr_assert(record_order(&order) == 0);
    return n_orders;
}

static unsigned helps(const char *giver, const char *receiver, uint64_t minutes,
                      const char *service) {
    return entry("exchange", receiver, giver, minutes, service);
}

static void take_back(unsigned number, uint64_t minutes) {
    uint8_t target[16] = {1};
    target[15] = (uint8_t)number;
    target[14] = (uint8_t)(number >> 8);
    Timebank__Order order = order_make("reverse", "", "", minutes, "2024-01-01");
    a_reverse.target = (ProtobufCBinaryData){16, target};
    cr_assert(record_order(&order) == 0);
}

static struct report_ask ask_make(const char *from, const char *to) {
    return (struct report_ask){.from_day = day(from),
                               .to_day = day(to),
                               .size = n_records,
                               .root = hash_of("root", 4),
                               .bank = "bank.example/test"};
}

static json_t *report_get(const struct report_ask *ask) {
    _cleanup_(freep) char *text = NULL;
    cr_assert(report_make(facts, ask, &text) == 0);
    json_t *report = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    cr_assert(report, "%s", text);
    return report;
}

/* A path of keys joined by '|'. */
static json_t *at_path(json_t *report, const char *path) {
    char keys[128];
    char *rest = keys;
    snprintf(keys, sizeof(keys), "%s", path);
    json_t *at = report;
    for (char *key; at && (key = strsep(&rest, "|"));)
        at = json_object_get(at, key);
    return at;
}

static json_int_t measure(const struct report_ask *ask, const char *key) {
    char path[128];
    json_t *report = report_get(ask);
    snprintf(path, sizeof(path), "measures|%s", key);
    json_t *value = at_path(report, path);
    cr_assert(json_is_integer(value), "no measure %s", key);
    json_int_t ret = json_integer_value(value);
    json_decref(report);
    return ret;
}

#define expect(ask, key, wanted) cr_expect_eq(measure((ask), (key)), (wanted), "%s", (key))

/* ---- the two-year scheme */

#define COLUMNS_MAX 15

struct rows {
    FILE *file;
    char line[512];
    char *columns[COLUMNS_MAX];
};

static void rows_open(struct rows *rows, const char *name) {
    char path[512];
    snprintf(path, sizeof(path), "%s/two-years/%s", TESTS_DATA, name);
    rows->file = fopen(path, "re");
    cr_assert(rows->file, "%s", path);
    cr_assert(fgets(rows->line, sizeof(rows->line), rows->file));
}

static bool rows_next(struct rows *rows) {
    if (!fgets(rows->line, sizeof(rows->line), rows->file)) {
        fclose(rows->file);
        return false;
    }
    rows->line[strcspn(rows->line, "\r\n")] = '\0';
    char *rest = rows->line;
    for (size_t i = 0; i < COLUMNS_MAX; i++)
        rows->columns[i] = rest ? strsep(&rest, ",") : (char *)"";
    return true;
}

static void import_accounts(void) {
    struct rows rows;
    rows_open(&rows, "accounts.csv");
    while (rows_next(&rows)) {
        char **c = rows.columns;
        open_account(c[0],
                     strcmp(c[1], "member") == 0  ? TIMEBANK__ACCOUNT_KIND__MEMBER
                     : strcmp(c[1], "venue") == 0 ? TIMEBANK__ACCOUNT_KIND__VENUE
                                                  : TIMEBANK__ACCOUNT_KIND__ORGANISATION,
                     c[3]);
    }
}

/* ref 0, kind 1, service 2, entered 3, giver 4, receiver 5, from 6, to 7, minutes 8, activity 9,
 * offer 10, adults 11, under16 12, funder 13, reverses 14 */
static void import_entry(char **c) {
    bool is_time = c[4][0] != '\0';
    const char *from = is_time ? c[5] : c[6];
    if (strcmp(c[1], "issue") == 0 || (strcmp(c[1], "grant") == 0 && from[0] == '\0'))
        from = "issued";
    Timebank__Order order =
        order_make(c[1], from, is_time ? c[4] : c[7], strtoull(c[8], NULL, 10), c[2]);
    struct hash id = hash_of(c[0], strlen(c[0])), target = hash_of(c[14], strlen(c[14]));
    order.id = (ProtobufCBinaryData){16, id.b};
    order.activity = c[9];
    order.claimed_day = day(c[3]);
    order.source = TIMEBANK__SOURCE__HISTORY;
    an_issue.funder = c[13];
    a_redeem.offer = c[10];
    a_redeem.adults = (uint32_t)strtoul(c[11], NULL, 10);
    a_redeem.under16 = (uint32_t)strtoul(c[12], NULL, 10);
    a_reverse.target = (ProtobufCBinaryData){16, target.b};
    cr_assert(record_order(&order) == 0, "%s", c[0]);
}

static void import_two_years(void) {
    bank_start("2026-01-05");
    import_accounts();
    struct rows rows;
    rows_open(&rows, "entries.csv");
    for (unsigned n = 0; rows_next(&rows); n++) {
        if (n % 500 == 0)
            seal_on("2026-01-06");
        import_entry(rows.columns);
    }
}

static json_t *expected_load(const char *name) {
    char path[512];
    json_error_t error;
    snprintf(path, sizeof(path), "%s/two-years/%s", TESTS_DATA, name);
    json_t *expected = json_load_file(path, 0, &error);
    cr_assert(expected, "%s: %s", path, error.text);
    return expected;
}

static void compare_with_expected(const char *name, const struct report_ask *ask) {
    json_t *expected = expected_load(name), *report = report_get(ask);
    const char *key;
    json_t *value;
    unsigned n_compared = 0;
    json_object_foreach(expected, key, value) {
        json_t *ours = json_object_get(json_object_get(report, "measures"), key);
        if (strcmp(key, "balances") == 0)
            continue;
        if (strcmp(key, "register_measures") == 0) {
            ours = at_path(report, "register_measures|minutes_across_wards");
            value = json_object_get(value, "minutes_across_wards");
        }
        char *is = json_dumps(ours, JSON_ENCODE_ANY), *wanted = json_dumps(value, JSON_ENCODE_ANY);
        cr_expect(json_equal(ours, value), "%s: %s is not %s", key, is, wanted);
        free(is);
        free(wanted);
        n_compared++;
    }
    cr_expect_gt(n_compared, 40);
    json_decref(expected);
    json_decref(report);
}

Test(report, equals_the_separate_program_for_a_year) {
    import_two_years();
    struct report_ask ask = ask_make("2024-04-01", "2025-03-31");
    compare_with_expected("expected-2024-04-01_2025-03-31.json", &ask);
    cr_expect_gt(measure(&ask, "entries_by_claimed_date"), 4000);
    bank_end();
}

Test(report, equals_the_separate_program_for_a_quarter_as_known_a_week_later) {
    import_two_years();
    struct report_ask ask = ask_make("2024-07-01", "2024-09-30");
    ask.known_day = day("2024-10-07");
    compare_with_expected("expected-2024-07-01_2024-09-30_known-2024-10-07.json", &ask);
    bank_end();
}

static void fold(json_t *balances, uint32_t account, json_int_t minutes) {
    if (account == INTERN_NONE)
        return;
    const char *code = intern_text(&facts->account_codes, account);
    json_int_t before = json_integer_value(json_object_get(balances, code));
    json_object_set_new(balances, code, json_integer(before + minutes));
}

Test(report, holds_facts_that_fold_to_the_balances) {
    import_two_years();
    json_t *expected = expected_load("expected-2024-04-01_2025-03-31.json");
    json_t *balances = json_object();
    static struct fact_leg_lines legs;
    for (size_t block = 0; block < facts_n_leg_blocks(facts); block++) {
        cr_assert(facts_read_legs(facts, block, &legs) == 0);
        for (uint32_t i = 0; i < legs.n; i++)
            fold(balances, legs.account[i], legs.minutes[i]);
    }
    const char *code;
    json_t *value;
    json_object_foreach(balances, code, value) {
        json_t *wanted = json_object_get(json_object_get(expected, "balances"), code);
        cr_expect_eq(json_integer_value(value), json_integer_value(wanted), "%s", code);
    }
    cr_expect_geq(json_object_size(balances),
                  json_object_size(json_object_get(expected, "balances")));
    json_decref(expected);
    json_decref(balances);
    bank_end();
}

Test(report, bridges_and_repeats_itself_for_every_month_of_two_years) {
    import_two_years();
    json_int_t closing = 0;
    for (unsigned i = 0; i < 24; i++) {
        uint32_t from, to;
        cr_assert(dates_from_civil((int)(2023 + (i + 3) / 12), (i + 3) % 12 + 1, 1, &from) == 0);
        cr_assert(dates_from_civil((int)(2023 + (i + 4) / 12), (i + 4) % 12 + 1, 1, &to) == 0);
        struct report_ask ask = ask_make("2024-01-01", "2024-01-01");
        ask.from_day = from;
        ask.to_day = to - 1;
        expect(&ask, "outstanding_opening", closing);
        closing = measure(&ask, "outstanding_closing");
    }
    cr_expect_eq(closing, 1114200);
    bank_end();
}

/* ---- one rule at a time */

static const char *const first_table[] = {
    "minutes_given",
    "minutes_given_exchange",
    "minutes_given_earn",
    "minutes_given_session",
    "minutes_given_without_credit",
    "minutes_redeemed",
    "redemptions",
    "admitted_adults",
    "admitted_under16",
    "minutes_gifted",
    "minutes_donated",
    "minutes_granted",
    "minutes_granted_from_chest",
    "minutes_issued",
    "minutes_advanced",
    "minutes_repaid",
    "minutes_expired",
    "minutes_retired",
    "givers",
    "receivers",
    "redeemers",
    "participants",
    "two_way",
    "new_givers",
    "returning_givers",
    "previous_givers",
    "retained_givers",
    "lapsed_givers",
    "frequent_givers",
    "median_minutes_per_giver",
    "p90_minutes_per_giver",
    "top_tenth_minutes",
    "outstanding_opening",
    "outstanding_closing",
    "ties_directed",
    "ties_reciprocated",
    "ties",
    "traders",
    "lag_median_days",
    "late_over_30_days",
    "unconfirmed",
    "corrections",
    "insisted_duplicates",
    "minutes_rounded",
    "entries_by_claimed_date",
};

Test(report, of_an_empty_ledger_holds_every_key) {
    bank_start("2024-05-01");
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    for (size_t i = 0; i < N_ELEMENTS(first_table); i++)
        expect(&ask, first_table[i], 0);
    json_t *report = report_get(&ask);
    const char *const groups[] = {"measures|by_activity", "measures|by_organisation",
                                  "measures|by_funder", "measures|by_venue", "measures|by_offer"};
    for (size_t i = 0; i < N_ELEMENTS(groups); i++)
        cr_expect(json_is_object(at_path(report, groups[i])) &&
                      json_object_size(at_path(report, groups[i])) == 0,
                  "%s", groups[i]);
    cr_expect_eq(json_object_size(at_path(report, "measures|by_month")), 1);
    cr_expect_eq(json_integer_value(at_path(report, "measures|by_month|2024-05|givers")), 0);
    json_decref(report);
    bank_end();
}

Test(report, is_laid_out_as_promised) {
    bank_start("2024-05-01");
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    _cleanup_(freep) char *text = NULL, *again = NULL;
    cr_assert(report_make(facts, &ask, &text) == 0);
    cr_assert(report_make(facts, &ask, &again) == 0);
    cr_expect_str_eq(text, again);
    const char *head =
        "{\"definition\":\"timebank-measures/1\",\"bank\":\"bank.example/test\","
        "\"from\":\"2024-05-01\",\"to\":\"2024-05-31\",\"as_known_at\":\"2024-05-01\","
        "\"class\":\"internal\",\"position\":{\"size\":2,"
        "\"root\":\"SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=\"},"
        "\"rule\":{\"threshold\":0,\"round_to\":1},\"measures\":{\"minutes_given\":0,";
    cr_expect(strncmp(text, head, strlen(head)) == 0, "%s", text);
    /* sha256sum < /dev/null */
    cr_expect(strstr(text, "},\"register_measures\":{\"minutes_across_wards\":0,"
                           "\"ties_within_wards\":0,\"ties_across_wards\":0,"
                           "\"between_wards\":{},\"between_age_bands\":{}},\"register\":"
                           "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\","
                           "\"register_age_bands\":"
                           "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\","
                           "\"suppressed\":0,\"checksum\":\""),
              "%s", text);
    bank_end();
}

Test(report, refuses_a_period_that_is_none) {
    bank_start("2024-05-01");
    char *text = NULL;
    struct report_ask ask = ask_make("2024-05-02", "2024-05-01");
    cr_expect_eq(report_make(facts, &ask, &text), REFUSAL_BAD_PERIOD);
    ask = ask_make("1974-05-01", "2024-05-01");
    cr_expect_eq(report_make(facts, &ask, &text), REFUSAL_BAD_PERIOD);
    ask = ask_make("2024-05-01", "2024-05-01");
    ask.from_day = ask.to_day = UINT32_MAX;
    cr_expect_eq(report_make(facts, &ask, &text), REFUSAL_BAD_PERIOD);
    ask = ask_make("2024-05-01", "2024-05-01");
    ask.size = n_records + 1;
    cr_expect_eq(report_make(facts, &ask, &text), -EINVAL);
    ask.size = 0;
    cr_expect_eq(report_make(facts, &ask, &text), -EINVAL);
    cr_expect_null(text);
    ask = ask_make("1974-05-02", "2024-05-01");
    expect(&ask, "minutes_given", 0);
    ask.from_day = 0;
    ask.to_day = 0;
    expect(&ask, "previous_givers", 0);
    bank_end();
}

Test(report, counts_service_only_as_given) {
    bank_start("2024-05-01");
    open_people();
    entry("issue", "issued", "choir", 600, "2024-05-01");
    entry("grant", "issued", "m1", 120, "2024-05-01");
    entry("donate", "m1", "chest", 60, "2024-05-02");
    entry("grant", "chest", "m2", 45, "2024-05-02");
    entry("gift", "m1", "m3", 30, "2024-05-02");
    entry("log", "", "m4", 90, "2024-05-02");
    helps("m1", "m2", 75, "2024-05-03");
    entry("earn", "choir", "m3", 105, "2024-05-03");
    entry("redeem", "m3", "pool", 60, "2024-05-04");
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    expect(&ask, "minutes_given", 180);
    expect(&ask, "minutes_given_exchange", 75);
    expect(&ask, "minutes_given_earn", 105);
    expect(&ask, "minutes_given_without_credit", 90);
    expect(&ask, "minutes_issued", 600);
    expect(&ask, "minutes_granted", 120);
    expect(&ask, "minutes_granted_from_chest", 45);
    expect(&ask, "minutes_donated", 60);
    expect(&ask, "minutes_gifted", 30);
    expect(&ask, "minutes_redeemed", 60);
    expect(&ask, "givers", 2);
    expect(&ask, "receivers", 1);
    expect(&ask, "redeemers", 1);
    expect(&ask, "participants", 3);
    expect(&ask, "two_way", 1);
    expect(&ask, "outstanding_opening", 0);
    expect(&ask, "outstanding_closing", 660);
    expect(&ask, "by_activity|none|minutes_given", 180);
    expect(&ask, "by_organisation|choir|givers", 1);
    expect(&ask, "by_funder|none|minutes_issued", 600);
    expect(&ask, "by_venue|pool|redeemers", 1);
    expect(&ask, "by_offer|pool/none|redemptions", 1);
    bank_end();
}

Test(report, counts_heads_at_venues) {
    bank_start("2024-05-01");
    open_people();
    for (int i = 0; i < 2; i++) {
        Timebank__Order order = order_make("redeem", "m1", "pool", 120, "2024-05-01");
        a_redeem.offer = "swim";
        a_redeem.adults = 2;
        a_redeem.under16 = (uint32_t)i;
        cr_assert(record_order(&order) == 0);
    }
    struct report_ask ask = ask_make("2024-05-01", "2024-05-01");
    expect(&ask, "admitted_adults", 4);
    expect(&ask, "admitted_under16", 1);
    expect(&ask, "by_offer|pool/swim|minutes_redeemed", 240);
    expect(&ask, "by_offer|pool/swim|redemptions", 2);
    expect(&ask, "by_offer|pool/swim|redeemers", 1);
    expect(&ask, "outstanding_closing", -240);
    bank_end();
}

Test(report, leaves_out_what_was_taken_back) {
    bank_start("2024-05-01");
    open_people();
    unsigned whole = helps("m1", "m2", 60, "2024-05-01");
    unsigned part = helps("m2", "m1", 90, "2024-05-01");
    unsigned rest = helps("m3", "m1", 120, "2024-05-01");
    seal_on("2024-06-10");
    take_back(whole, 0);
    take_back(part, 15);
    take_back(rest, 30);
    seal_on("2024-06-20");
    take_back(rest, 0);
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    expect(&ask, "minutes_given", 75);
    expect(&ask, "givers", 1);
    expect(&ask, "traders", 2);
    expect(&ask, "corrections", 4);
    ask.known_day = day("2024-06-10");
    expect(&ask, "minutes_given", 165);
    expect(&ask, "corrections", 3);
    ask.known_day = day("2024-06-09");
    expect(&ask, "minutes_given", 270);
    expect(&ask, "corrections", 0);
    ask.known_day = day("2024-04-30");
    expect(&ask, "minutes_given", 0);
    bank_end();
}

Test(report, takes_parts_back_until_nothing_remains) {
    bank_start("2024-05-01");
    open_people();
    unsigned number = helps("m1", "m2", 60, "2024-05-01");
    take_back(number, 45);
    take_back(number, 15);
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    expect(&ask, "givers", 0);
    expect(&ask, "new_givers", 0);
    expect(&ask, "corrections", 2);
    bank_end();
}

Test(report, at_an_earlier_position_does_not_see_what_came_after) {
    bank_start("2024-05-01");
    open_people();
    unsigned number = helps("m1", "m2", 60, "2024-05-01");
    struct report_ask before = ask_make("2024-05-01", "2024-05-31");
    seal_on("2024-05-20");
    helps("m2", "m1", 30, "2024-05-20");
    take_back(number, 0);
    struct report_ask after = ask_make("2024-05-01", "2024-05-31");
    expect(&before, "minutes_given", 60);
    expect(&before, "corrections", 0);
    expect(&after, "minutes_given", 30);
    json_t *report = report_get(&before);
    cr_expect_str_eq(json_string_value(json_object_get(report, "as_known_at")), "2024-05-01");
    json_decref(report);
    report = report_get(&after);
    cr_expect_str_eq(json_string_value(json_object_get(report, "as_known_at")), "2024-05-20");
    json_decref(report);
    bank_end();
}

Test(report, believes_claimed_dates_unless_told_not_to) {
    bank_start("2024-05-01");
    open_people();
    seal_on("2025-01-01");
    Timebank__Order order = order_make("exchange", "m1", "m2", 60, "2024-05-01");
    order.claimed_day = day("2024-05-03");
    cr_assert(record_order(&order) == 0);
    helps("m1", "m2", 15, "2024-05-01");
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    ask.known_day = day("2024-06-01");
    expect(&ask, "minutes_given", 60);
    expect(&ask, "entries_by_claimed_date", 1);
    expect(&ask, "lag_median_days", 2);
    ask.as_recorded = 1;
    expect(&ask, "minutes_given", 0);
    ask.known_day = 0;
    expect(&ask, "minutes_given", 75);
    expect(&ask, "entries_by_claimed_date", 0);
    expect(&ask, "lag_median_days", 245);
    expect(&ask, "late_over_30_days", 2);
    json_t *report = report_get(&ask);
    cr_expect(json_is_true(json_object_get(report, "as_recorded")));
    json_decref(report);
    bank_end();
}

Test(report, tells_new_returning_retained_and_lapsed_givers_apart) {
    bank_start("2024-05-01");
    open_people();
    helps("m1", "m4", 60, "2023-01-10"); /* long ago, and in the period */
    helps("m2", "m4", 60, "2024-03-31"); /* the month before only */
    helps("m3", "m4", 60, "2024-03-01"); /* the month before, and in the period */
    helps("m1", "m4", 60, "2024-04-01");
    helps("m3", "m4", 60, "2024-04-30");
    helps("m4", "m1", 60, "2024-04-15"); /* new */
    struct report_ask ask = ask_make("2024-04-01", "2024-04-30");
    expect(&ask, "givers", 3);
    expect(&ask, "new_givers", 1);
    expect(&ask, "returning_givers", 2);
    expect(&ask, "previous_givers", 2);
    expect(&ask, "retained_givers", 1);
    expect(&ask, "lapsed_givers", 1);
    bank_end();
}

Test(report, takes_whole_months_before_whole_months_and_days_before_days) {
    bank_start("2024-05-01");
    open_people();
    helps("m1", "m4", 60, "2024-01-01");
    helps("m2", "m4", 60, "2024-02-01");
    helps("m3", "m4", 60, "2024-02-29");
    struct report_ask ask = ask_make("2024-03-01", "2024-03-31"); /* before: all of February */
    expect(&ask, "previous_givers", 2);
    ask = ask_make("2024-03-01", "2024-04-30"); /* January and February */
    expect(&ask, "previous_givers", 3);
    ask = ask_make("2024-03-01", "2024-03-30"); /* 31 January to 29 February */
    expect(&ask, "previous_givers", 2);
    ask = ask_make("2024-03-02", "2024-03-31"); /* 1 February to 1 March */
    expect(&ask, "previous_givers", 2);
    ask = ask_make("2024-03-02", "2024-03-30"); /* 2 February to 1 March */
    expect(&ask, "previous_givers", 1);
    ask = ask_make("2024-03-01", "2024-03-01"); /* 29 February */
    expect(&ask, "previous_givers", 1);
    bank_end();
}

Test(report, asks_frequent_givers_for_every_whole_month) {
    bank_start("2024-05-01");
    open_people();
    helps("m1", "m4", 60, "2024-02-01");
    helps("m1", "m4", 60, "2024-03-31");
    helps("m2", "m4", 60, "2024-02-10");
    helps("m2", "m4", 60, "2024-02-11");
    helps("m3", "m4", 60, "2024-01-31");
    struct report_ask ask = ask_make("2024-02-01", "2024-03-31");
    expect(&ask, "frequent_givers", 1);
    ask = ask_make("2024-01-31", "2024-03-30"); /* only February is whole */
    expect(&ask, "frequent_givers", 2);
    ask = ask_make("2024-02-02", "2024-03-30"); /* none is */
    expect(&ask, "frequent_givers", 0);
    expect(&ask, "by_month|2024-03|givers", 0);
    expect(&ask, "by_month|2024-02|minutes_given", 120);
    bank_end();
}

Test(report, ranks_givers_by_nearest_rank) {
    bank_start("2024-05-01");
    open_people();
    helps("m1", "m4", 60, "2024-05-01");
    helps("m2", "m4", 15, "2024-05-01");
    helps("m3", "m4", 30, "2024-05-01");
    helps("m4", "m1", 45, "2024-05-01");
    struct report_ask ask = ask_make("2024-05-01", "2024-05-01");
    expect(&ask, "median_minutes_per_giver", 30);
    expect(&ask, "p90_minutes_per_giver", 60);
    expect(&ask, "top_tenth_minutes", 60);
    bank_end();
}

Test(report, takes_the_top_tenth_rounded_up) {
    bank_start("2024-05-01");
    open_people();
    for (unsigned i = 1; i <= 11; i++) {
        char code[16];
        snprintf(code, sizeof(code), "z%u", i);
        open_account(code, TIMEBANK__ACCOUNT_KIND__MEMBER, "");
        helps(code, "m1", i * 15, "2024-05-01");
    }
    struct report_ask ask = ask_make("2024-05-01", "2024-05-01");
    expect(&ask, "top_tenth_minutes", 165 + 150);
    expect(&ask, "p90_minutes_per_giver", 150);
    expect(&ask, "median_minutes_per_giver", 90);
    bank_end();
}

Test(report, counts_ties_by_pairs) {
    bank_start("2024-05-01");
    open_people();
    helps("m1", "m2", 60, "2024-05-01");
    helps("m1", "m2", 60, "2024-05-02");
    helps("m2", "m1", 60, "2024-05-03");
    helps("m3", "m1", 60, "2024-05-03");
    entry("earn", "choir", "m4", 60, "2024-05-03");
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    expect(&ask, "ties_directed", 3);
    expect(&ask, "ties_reciprocated", 2);
    expect(&ask, "ties", 2);
    expect(&ask, "traders", 3);
    bank_end();
}

Test(report, counts_persons_of_a_household_apart) {
    bank_start("2024-05-01");
    open_people();
    const char *const persons[] = {"", "a", "b", "a"};
    for (size_t i = 0; i < N_ELEMENTS(persons); i++) {
        Timebank__Order order = order_make("exchange", "m2", "m1", 60, "2024-05-01");
        order.to_person = (char *)persons[i];
        cr_assert(record_order(&order) == 0);
    }
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    expect(&ask, "givers", 3);
    expect(&ask, "receivers", 1);
    expect(&ask, "ties_directed", 3);
    bank_end();
}

static json_int_t across_wards(char register_hash[65]) {
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    json_t *report = report_get(&ask);
    json_int_t minutes =
        json_integer_value(at_path(report, "register_measures|minutes_across_wards"));
    snprintf(register_hash, 65, "%s", json_string_value(json_object_get(report, "register")));
    json_decref(report);
    return minutes;
}

Test(report, sees_wards_as_the_register_has_them) {
    bank_start("2024-05-01");
    open_people();
    helps("m1", "m2", 1, "2024-05-01"); /* east, west */
    helps("m3", "m4", 2, "2024-05-01"); /* unknown twice */
    helps("m1", "m3", 4, "2024-05-01"); /* east, unknown */
    char hash[65], moved_hash[65];
    cr_expect_eq(across_wards(hash), 5);
    /* printf 'm1\teast\nm2\twest\n' | sha256sum */
    struct hash wanted = hash_of("m1\teast\nm2\twest\n", 16);
    for (size_t i = 0; i < 32; i++) {
        unsigned byte = 0;
        cr_assert(sscanf(hash + 2 * i, "%2x", &byte) == 1 && byte == wanted.b[i]);
    }
    cr_assert(facts_set_ward(facts, "m2", "east") == 0);
    cr_expect_eq(across_wards(moved_hash), 4);
    cr_expect_str_neq(hash, moved_hash);
    cr_assert(facts_set_ward(facts, "m1", "unknown") == 0);
    cr_expect_eq(across_wards(moved_hash), 1);
    cr_assert(facts_set_ward(facts, "nobody", "east") == 0);
    bank_end();
}

Test(report, keeps_its_checksum_while_people_move) {
    bank_start("2024-05-01");
    open_people();
    helps("m1", "m2", 60, "2024-05-01");
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    json_t *before = report_get(&ask);
    cr_assert(facts_set_ward(facts, "m2", "east") == 0);
    json_t *after = report_get(&ask);
    cr_expect(json_equal(json_object_get(before, "checksum"), json_object_get(after, "checksum")));
    cr_expect(json_equal(json_object_get(before, "measures"), json_object_get(after, "measures")));
    cr_expect_not(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    bank_end();
}

static void helps_with(const char *activity) {
    Timebank__Order order = order_make("exchange", "m2", "m1", 60, "2024-05-01");
    order.activity = (char *)activity;
    cr_assert(record_order(&order) == 0);
}

Test(report, sorts_names_by_utf16_as_rfc_8785_does) {
    bank_start("2024-05-01");
    open_people();
    helps_with("\uFB33"); /* the example of RFC 8785, 3.2.3: UTF-16 puts the emoji before it */
    helps_with("\U0001F600");
    helps_with("\u20AC");
    helps_with("\u00F6");
    helps_with("1");
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    json_t *report = report_get(&ask);
    const char *const wanted[] = {"1", "\u00F6", "\u20AC", "\U0001F600", "\uFB33"};
    const char *key;
    json_t *value;
    size_t i = 0;
    json_object_foreach(at_path(report, "measures|by_activity"), key, value) {
        cr_expect_str_eq(key, wanted[i]);
        i++;
    }
    cr_expect_eq(i, N_ELEMENTS(wanted));
    json_decref(report);
    bank_end();
}

Test(report, signs_its_measures_in_rfc_8785_form) {
    bank_start("2024-05-01");
    open_people();
    helps("m1", "m2", 60, "2024-05-01");
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    json_t *report = report_get(&ask);
    /* For ASCII keys and integers jansson's own sorted form is RFC 8785's. */
    _cleanup_(freep) char *form =
        json_dumps(json_object_get(report, "measures"), JSON_COMPACT | JSON_SORT_KEYS);
    struct hash hash = hash_of(form, strlen(form));
    char hex[65] = "";
    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash.b[i]);
    cr_expect_str_eq(json_string_value(json_object_get(report, "checksum")), hex);
    json_decref(report);
    bank_end();
}

Test(report, tells_what_was_insisted_on_and_rounded) {
    bank_start("2024-05-01");
    open_people();
    Timebank__Order order = order_make("exchange", "m2", "m1", 60, "2024-05-01");
    order.override = 4;
    order.typed_minutes = 67;
    cr_assert(record_order(&order) == 0);
    order = order_make("exchange", "m2", "m1", 75, "2024-05-01");
    order.override = 3;
    order.typed_minutes = 70;
    cr_assert(record_order(&order) == 0);
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    expect(&ask, "insisted_duplicates", 1);
    expect(&ask, "minutes_rounded", -2);
    bank_end();
}

Test(report, counts_the_day_before_as_a_lag_of_minus_one) {
    bank_start("2024-05-01");
    open_people();
    helps("m1", "m2", 60, "2024-05-02");
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    expect(&ask, "lag_median_days", -1);
    bank_end();
}

Test(report, calls_late_what_came_after_more_than_thirty_days) {
    bank_start("2024-05-31");
    open_people();
    helps("m1", "m2", 60, "2024-05-01");
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    expect(&ask, "late_over_30_days", 0);
    seal_on("2024-06-01");
    helps("m1", "m2", 60, "2024-05-01");
    ask = ask_make("2024-05-01", "2024-05-31");
    expect(&ask, "late_over_30_days", 1);
    bank_end();
}

Test(report, refuses_to_print_what_does_not_balance) {
    bank_start("2024-05-01");
    open_people();
    helps("pool", "m1", 60, "2024-05-01"); /* the rules would never let credits out that way */
    char *text = NULL, why[REPORT_WHY_BYTES] = "";
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    cr_expect_eq(report_make(facts, &ask, &text), REFUSAL_BRIDGE);
    ask.ret_why = why;
    cr_expect_eq(report_make(facts, &ask, &text), REFUSAL_BRIDGE);
    cr_expect_null(text);
    cr_expect_str_eq(why,
                     "The credits do not add up: opening 0 + issued 0 + granted 0 + advanced 0 "
                     "- given back 0 - repaid 0 - redeemed 0 - expired 0 - written off 0 - to "
                     "other banks 0 is 0 minutes, but closing is -60: run timebankd check --full "
                     "and tell a steward.");
    bank_end();
}

Test(report, ends_where_nobody_waits_for_it_any_more) {
    bank_start("2024-05-01");
    open_people();
    helps("m1", "m2", 60, "2024-05-01");
    char *text = NULL;
    atomic_bool is_cancelled = true;
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    ask.is_cancelled = &is_cancelled;
    cr_expect_eq(report_make(facts, &ask, &text), -ECANCELED);
    cr_expect_null(text);
    bank_end();
}

Test(report, of_several_threads_is_that_of_one) {
    import_two_years();
    for (unsigned i = 0; i < 12; i++) {
        _cleanup_(freep) char *alone = NULL, *together = NULL;
        struct report_ask ask = ask_make("2024-01-01", "2024-12-31");
        ask.from_day += 31 * i;
        ask.to_day += 11 * i;
        ask.known_day = i % 3 == 0 ? 0 : ask.to_day - 20 * i;
        ask.as_recorded = i % 4 == 3;
        cr_assert(report_make(facts, &ask, &alone) == 0);
        ask.n_threads = 2 + i % 3;
        cr_assert(report_make(facts, &ask, &together) == 0);
        cr_expect_str_eq(alone, together);
    }
    bank_end();
}

Test(report, refuses_minutes_that_json_cannot_hold) {
    bank_start("2024-05-01");
    open_people();
    entry("issue", "issued", "choir", UINT64_MAX - 5, "2024-05-01");
    entry("issue", "issued", "choir", UINT64_MAX - 5, "2024-05-01");
    char *text = NULL;
    struct report_ask ask = ask_make("2024-05-01", "2024-05-31");
    cr_expect_eq(report_make(facts, &ask, &text), -EOVERFLOW);
    bank_end();
}

/* ---- facts */

Test(facts, refuses_records_that_no_ledger_holds) {
    bank_start("2024-05-01");
    open_people();
    const uint8_t event[] = {RECORD_EVENT, 1, 2}, unknown[] = {9};
    cr_expect_eq(facts_add(facts, n_records + 1, event, sizeof(event), NULL, 0), -EINVAL);
    cr_expect_eq(facts_add(facts, n_records, unknown, sizeof(unknown), NULL, 0), -EBADMSG);
    cr_expect_eq(facts_add(facts, n_records, unknown, 0, NULL, 0), -EBADMSG);
    cr_expect_eq(facts_add(facts, n_records, event, sizeof(event), NULL, 0), -EBADMSG);
    Timebank__Order order = order_make("exchange", "m1", "stranger", 60, "2024-05-01");
    cr_expect_eq(record_order(&order), -EBADMSG);
    order = order_make("exchange", "", "m1", 60, "2024-05-01");
    cr_expect_eq(record_order(&order), -EBADMSG);
    uint8_t target[16] = {77};
    order = order_make("reverse", "", "", 0, "2024-05-01");
    a_reverse.target = (ProtobufCBinaryData){16, target};
    cr_expect_eq(record_order(&order), -EBADMSG);
    uint8_t id[16] = {5};
    order = order_make("exchange", "m1", "m2", 60, "2024-05-01");
    order.id = (ProtobufCBinaryData){16, id};
    cr_expect_eq(record_order(&order), 0);
    bank_end();
}

Test(facts, knows_the_day_at_every_position) {
    bank_start("2024-05-01");
    seal_on("2024-05-01");
    seal_on("2024-05-03");
    seal_on("2024-05-09");
    cr_expect_eq(facts_last_day(facts, 1), day("2024-05-01"));
    cr_expect_eq(facts_last_day(facts, 3), day("2024-05-01"));
    cr_expect_eq(facts_last_day(facts, 4), day("2024-05-03"));
    cr_expect_eq(facts_last_day(facts, 5), day("2024-05-09"));
    bank_end();
}
