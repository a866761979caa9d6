/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second list of measures, one rule at a time: small banks made by hand, of which every figure
 * can be told by looking.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "daemon/report-ratio.h"
#include "daemon/report.h"
#include "proto/dates.h"
#include "proto/record.h"

TestSuite(further, .timeout = 20);

#define MS_A_DAY 86400000u
#define HOUR 60u

static struct facts *facts;
static uint64_t n_records;
static unsigned n_orders;
static uint32_t today;
static struct report_ask ask;

/* ---- verbs of the stories */

static uint32_t day(const char *iso) {
    uint32_t ret = 0;
    cr_assert(dates_parse_iso(iso, &ret) == 0, "%s", iso);
    return ret;
}

static struct bytes records[6000];

static int record_again(void *user, uint64_t index, struct bytes *to) {
    (void)user;
    bytes_put(to, records[index].data, records[index].n);
    return to->r < 0 ? to->r : 1;
}

static void add(struct bytes *record, const struct fact_leg *legs, size_t n_legs) {
    cr_assert(record->r == 0 && n_records < N_ELEMENTS(records));
    cr_assert_eq(facts_add(facts, n_records, record->data, record->n, legs, n_legs), 0);
    records[n_records++] = *record;
}

static void on(const char *iso) {
    struct record_seal seal = {.received_at_ms = (uint64_t)day(iso) * MS_A_DAY + 1000};
    struct bytes record = {0};
    seal.header[3] = 1;
    record_seal_pack(&seal, bytes_reserve(&record, RECORD_SEAL_BYTES));
    today = day(iso);
    add(&record, NULL, 0);
}

static uint64_t number_of(const char *code) {
    for (size_t i = 0; i < facts->n_opened; i++)
        if (strcmp(intern_text(&facts->account_codes, facts->opened[i]), code) == 0)
            return i;
    cr_assert_fail("no account %s", code);
    return 0;
}

/* Gives the order the next id; what it moves besides its sides is the caller's. Its number. */
static unsigned enter_legs(Timebank__Order *order, const struct fact_leg *legs, size_t n_legs) {
    uint8_t id[16] = {1, [15] = (uint8_t)++n_orders};
    struct bytes record = {0};
    order->id = (ProtobufCBinaryData){16, id};
    record_order_encode(order, &record);
    add(&record, legs, n_legs);
    return n_orders;
}

static unsigned enter(Timebank__Order *order, bool moves) {
    struct fact_leg legs[2];
    if (moves) {
        legs[0] = (struct fact_leg){.account = number_of(order->from),
                                    .minutes = -(int64_t)order->minutes};
        legs[1] =
            (struct fact_leg){.account = number_of(order->to), .minutes = (int64_t)order->minutes};
    }
    return enter_legs(order, legs, moves ? 2 : 0);
}

static Timebank__Order order_make(Timebank__Order__KindCase kind, const char *from, const char *to,
                                  uint64_t minutes, const char *service) {
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    order.kind_case = kind;
    order.from = (char *)from;
    order.to = (char *)to;
    order.minutes = minutes;
    order.service_day = service ? day(service) : today;
    order.authority = TIMEBANK__AUTHORITY__BY_BROKER;
    return order;
}

#define KIND(name) TIMEBANK__ORDER__KIND_##name

static void open_account(const char *code, Timebank__AccountKind kind, const char *joined) {
    Timebank__OpenAccount open = TIMEBANK__OPEN_ACCOUNT__INIT;
    Timebank__Order order = order_make(KIND(OPEN_ACCOUNT), "", code, 0, joined);
    open.kind = kind;
    order.open_account = &open;
    enter(&order, false);
}

static void member(const char *code, const char *joined) {
    open_account(code, TIMEBANK__ACCOUNT_KIND__MEMBER, joined);
}

/* Members m1 to m5 of long ago, an organisation and a venue. */
static void bank_start(void) {
    uint8_t key[32] = {9};
    Timebank__Genesis genesis = TIMEBANK__GENESIS__INIT;
    struct bytes record = {0};
    static const char *const codes[] = {"m1", "m2", "m3", "m4", "m5"};
    genesis.format = 1;
    genesis.origin = "bank.example/test";
    genesis.ledger_key = (ProtobufCBinaryData){32, key};
    genesis.created_ms = (uint64_t)day("2023-01-01") * MS_A_DAY;
    n_orders = 0;
    cr_assert_eq(facts_new(&facts), 0);
    facts_set_source(facts, &(struct facts_source){.record = record_again});
    record_genesis_encode(&genesis, &record);
    add(&record, NULL, 0);
    on("2023-01-01");
    for (size_t i = 0; i < N_ELEMENTS(codes); i++)
        member(codes[i], "2023-01-01");
    open_account("choir", TIMEBANK__ACCOUNT_KIND__ORGANISATION, "2023-01-01");
    open_account("pool", TIMEBANK__ACCOUNT_KIND__VENUE, "2023-01-01");
}

static void bank_end(void) {
    facts = facts_free(facts);
    while (n_records > 0)
        bytes_fini(&records[--n_records]);
}

static Timebank__Order help_make(const char *giver, const char *receiver, uint64_t minutes,
                                 const char *service) {
    static Timebank__Exchange exchange = TIMEBANK__EXCHANGE__INIT;
    Timebank__Order order = order_make(KIND(EXCHANGE), receiver, giver, minutes, service);
    order.exchange = &exchange;
    return order;
}

static unsigned helps(const char *giver, const char *receiver, uint64_t minutes,
                      const char *service) {
    Timebank__Order order = help_make(giver, receiver, minutes, service);
    return enter(&order, true);
}

static unsigned earns(const char *giver, uint64_t minutes, const char *service,
                      const char *activity) {
    Timebank__Earn earn = TIMEBANK__EARN__INIT;
    Timebank__Order order = order_make(KIND(EARN), "choir", giver, minutes, service);
    order.earn = &earn;
    order.activity = (char *)activity;
    return enter(&order, true);
}

static void redeems(const char *code, uint64_t minutes, const char *service) {
    Timebank__Redeem redeem = TIMEBANK__REDEEM__INIT;
    Timebank__Order order = order_make(KIND(REDEEM), code, "pool", minutes, service);
    order.redeem = &redeem;
    enter(&order, true);
}

static void issues(uint64_t minutes, const char *service, const char *programme) {
    Timebank__Issue issue = TIMEBANK__ISSUE__INIT;
    Timebank__Order order = order_make(KIND(ISSUE), "issued", "choir", minutes, service);
    order.issue = &issue;
    issue.programme = (char *)programme;
    enter(&order, true);
}

/* A reversal of what moved from one to the other; minutes 0 takes all. */
static void takes_back(unsigned number, const char *from, const char *to, uint64_t minutes,
                       uint64_t moved) {
    uint8_t target[16] = {1, [15] = (uint8_t)number};
    Timebank__Reverse reverse = TIMEBANK__REVERSE__INIT;
    Timebank__Order order = order_make(KIND(REVERSE), "", "", minutes, NULL);
    struct fact_leg legs[] = {{.account = number_of(from), .minutes = (int64_t)moved},
                              {.account = number_of(to), .minutes = -(int64_t)moved}};
    reverse.target = (ProtobufCBinaryData){16, target};
    order.reverse = &reverse;
    enter_legs(&order, legs, 2);
}

static unsigned merges(const char *from, const char *to, int64_t balance) {
    Timebank__Merge merge = TIMEBANK__MERGE__INIT;
    Timebank__Order order = order_make(KIND(MERGE), from, to, 0, NULL);
    struct fact_leg legs[] = {{.account = number_of(from), .minutes = -balance},
                              {.account = number_of(to), .minutes = balance}};
    merge.balance = balance;
    order.merge = &merge;
    return enter_legs(&order, legs, 2);
}

static void settles(const char *code) {
    Timebank__Settle settle = TIMEBANK__SETTLE__INIT;
    Timebank__Order order = order_make(KIND(SETTLE), code, "chest", 0, NULL);
    order.settle = &settle;
    enter_legs(&order, NULL, 0);
}

static void sets_person(const char *code, const char *person, bool gone) {
    Timebank__SetPerson set = TIMEBANK__SET_PERSON__INIT;
    Timebank__Order order = order_make(KIND(SET_PERSON), "", code, 0, NULL);
    set.person = (char *)person;
    set.gone = gone;
    order.set_person = &set;
    enter(&order, false);
}

static void tags(const char *activity, size_t n, const char *const *words) {
    Timebank__SetActivity set = TIMEBANK__SET_ACTIVITY__INIT;
    Timebank__Order order = order_make(KIND(SET_ACTIVITY), "", "", 0, NULL);
    set.name = (char *)activity;
    set.n_tags = n;
    set.tags = (char **)words;
    order.set_activity = &set;
    enter(&order, false);
}
#define TAGS(activity, ...)                                                                        \
    tags(activity, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *),                    \
         (const char *const[]){__VA_ARGS__})

/* ---- what the report says */

static void ask_for(const char *from, const char *to) {
    ask = (struct report_ask){.from_day = day(from),
                              .to_day = day(to),
                              .size = n_records,
                              .root = hash_of("root", 4),
                              .bank = "bank.example/test"};
}

static json_t *report_get(unsigned n_threads) {
    _cleanup_(freep) char *text = NULL;
    ask.n_threads = n_threads;
    cr_assert_eq(report_make(facts, &ask, &text), 0);
    json_t *report = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    cr_assert(report, "%s", text);
    return report;
}

/* The figure at a path of keys joined by '|', the same on one thread and on three. */
static void expect(const char *path, json_int_t wanted) {
    for (unsigned n_threads = 1; n_threads <= 3; n_threads += 2) {
        json_t *report = report_get(n_threads);
        char keys[128], *rest = keys;
        snprintf(keys, sizeof(keys), "%s", path);
        json_t *at = json_object_get(report, "further_measures");
        if (strncmp(path, "register", 8) == 0)
            at = report;
        for (char *key; at && (key = strsep(&rest, "|"));)
            at = json_object_get(at, key);
        cr_assert(json_is_integer(at), "no figure %s", path);
        cr_expect_eq(json_integer_value(at), wanted, "%s: %lld, not %lld", path,
                     (long long)json_integer_value(at), (long long)wanted);
        json_decref(report);
    }
}

/* Of an object at a key, as compact JSON. */
static void expect_object(const char *group, const char *key, const char *wanted) {
    json_t *report = report_get(1);
    json_t *at = json_object_get(json_object_get(report, group), key);
    _cleanup_(freep) char *text = json_dumps(at, JSON_COMPACT | JSON_ENCODE_ANY);
    cr_assert(text, "no %s", key);
    cr_expect_str_eq(text, wanted, "%s: %s", key, text);
    json_decref(report);
}

/* ---- whole numbers */

Test(further, ratios_are_rounded_half_up) {
    cr_expect_eq(report_ratio(1, 1000, 3), 333);
    cr_expect_eq(report_ratio(2, 1000, 3), 667);
    cr_expect_eq(report_ratio(1, 1, 2), 1);
    cr_expect_eq(report_ratio(1, 1000, 2000), 1);
    cr_expect_eq(report_ratio(1, 1000, 2001), 0);
    cr_expect_eq(report_ratio(7, 1000, 0), 0);
    cr_expect_eq(report_ratio(0, 1000, 7), 0);
}

Test(further, ratios_do_not_overflow) {
    uint64_t most = (uint64_t)1 << 53;
    cr_expect_eq(report_ratio(most, 1000, most), 1000);
    cr_expect_eq(report_ratio(most - 1, 2000000, 2 * most), 1000000);
    cr_expect_eq(report_ratio(most, 1000, 1), REPORT_RATIO_MAX);
    cr_expect_eq(report_ratio(UINT64_MAX, UINT64_MAX, 1), REPORT_RATIO_MAX);
    cr_expect_eq(report_ratio(UINT64_MAX, UINT64_MAX, UINT64_MAX), REPORT_RATIO_MAX);
}

Test(further, of_an_empty_ledger_is_nought) {
    static const char *const keys[] = {
        "members_opening",
        "members_joined",
        "members_left",
        "median_days_to_first_entry",
        "milestone_20_h",
        "milestone_50_h",
        "milestone_100_h",
        "spend_rate_permille",
        "velocity_permille",
        "below_zero",
        "below_zero_permille",
        "balance_reciprocity_permille",
        "density_per_million",
        "mean_partners_permille",
        "largest_component",
        "isolates",
        "ties_with_organisations",
        "by_band|under_5_h|givers",
        "outstanding_by_age|over_12_months|minutes",
    };
    bank_start();
    ask_for("2022-01-01", "2022-12-31");
    for (size_t i = 0; i < N_ELEMENTS(keys); i++)
        expect(keys[i], 0);
    expect("members_closing", 0);
    expect("never_exchanged", 0);
    expect_object("further_measures", "by_tag", "{}");
    expect_object("further_measures", "by_programme", "{}");
    bank_end();
}

/* ---- members */

Test(further, counts_members_at_both_ends_and_between) {
    bank_start();
    member("m6", "2024-04-01"); /* joins on the first day */
    member("m7", "2025-03-31"); /* and on the last */
    member("m8", "2025-04-01");
    member("m9", "2024-01-01");
    on("2024-06-01");
    settles("m9");
    ask_for("2024-04-01", "2025-03-31");
    expect("members_opening", 6);
    expect("members_joined", 2);
    expect("members_left", 1);
    expect("members_closing", 7);
    ask_for("2024-06-02", "2024-06-30"); /* after it */
    expect("members_opening", 6);
    expect("members_left", 0);
    bank_end();
}

Test(further, counts_each_person_of_a_household) {
    bank_start();
    on("2024-05-01");
    sets_person("m1", "2", false);
    sets_person("m1", "3", false);
    on("2024-07-01");
    sets_person("m1", "2", true);
    sets_person("m1", "1", true);
    on("2024-08-01");
    sets_person("m1", "2", false); /* who came back never left */
    ask_for("2024-04-01", "2025-03-31");
    expect("members_opening", 5);
    expect("members_joined", 2);
    expect("members_left", 1);
    expect("members_closing", 6);
    on("2024-09-01");
    settles("m1");
    ask_for("2024-04-01", "2025-03-31");
    expect("members_left", 3);
    expect("members_closing", 4);
    bank_end();
}

/* Before anybody else shares the account no entry names them. */
Test(further, counts_the_first_person_of_a_household_once) {
    bank_start();
    helps("m1", "m2", 11 * HOUR, "2024-05-01");
    Timebank__Order order = help_make("m1", "m2", 9 * HOUR, "2024-06-01");
    order.to_person = (char *)"1";
    enter(&order, true);
    ask_for("2024-04-01", "2025-03-31");
    expect("milestone_20_h", 1);
    expect("largest_component", 2);
    bank_end();
}

Test(further, counts_who_was_merged_once) {
    bank_start();
    member("m6", "2024-06-01");
    helps("m6", "m2", 60, "2024-06-11");
    on("2024-09-01");
    merges("m6", "m1", 60);
    ask_for("2024-04-01", "2025-03-31");
    expect("members_opening", 5);
    expect("members_joined", 0); /* m1 is there since 2023 */
    expect("members_left", 0);
    expect("members_closing", 5);
    expect("never_exchanged", 3);
    bank_end();
}

Test(further, counts_whom_nobody_helped_and_who_helped_nobody) {
    bank_start();
    member("m6", "2025-01-01"); /* 89 days before the last */
    member("m7", "2024-12-31"); /* 90 */
    helps("m1", "m2", 60, "2023-06-01");
    earns("m3", 60, "2025-03-31", "");
    helps("m4", "m1", 60, "2025-04-01"); /* after it */
    redeems("m5", 60, "2025-02-01");     /* is no exchange */
    ask_for("2024-04-01", "2025-03-31");
    expect("never_exchanged", 3); /* m4 m5 m7 */
    takes_back(n_orders - 2, "choir", "m3", 0, 60);
    ask_for("2024-04-01", "2025-03-31");
    expect("never_exchanged", 4);
    bank_end();
}

Test(further, waits_for_the_first_entry_from_joining_on) {
    bank_start();
    member("m6", "2024-05-01");
    member("m7", "2024-05-01");
    member("m8", "2024-05-01");
    member("m9", "2024-05-01");
    helps("m6", "m7", 60, "2024-05-11"); /* 10 days, twice */
    redeems("m8", 60, "2024-06-30");     /* 60 */
    earns("m9", 60, "2024-04-20", "");   /* before joining */
    ask_for("2024-04-01", "2025-03-31");
    expect("median_days_to_first_entry", 10);
    earns("m9", 60, "2024-08-09", ""); /* 100 */
    ask_for("2024-04-01", "2025-03-31");
    expect("median_days_to_first_entry", 10);
    ask_for("2024-05-12", "2025-03-31"); /* nobody joined in it */
    expect("median_days_to_first_entry", 0);
    bank_end();
}

/* ---- hours */

Test(further, sorts_givers_into_bands) {
    bank_start();
    helps("m1", "m5", 5 * HOUR - 1, "2024-05-01");
    helps("m2", "m5", 5 * HOUR, "2024-05-01");
    helps("m3", "m5", 20 * HOUR - 1, "2024-05-01");
    helps("m4", "m5", 60 * HOUR, "2024-05-01");
    helps("m4", "m5", 40 * HOUR, "2024-06-01");
    helps("m5", "m1", 70 * HOUR, "2024-03-31"); /* before it */
    ask_for("2024-04-01", "2025-03-31");
    expect_object("further_measures", "by_band",
                  "{\"under_5_h\":{\"givers\":1,\"minutes_given\":299},"
                  "\"5_to_20_h\":{\"givers\":2,\"minutes_given\":1499},"
                  "\"20_to_50_h\":{\"givers\":0,\"minutes_given\":0},"
                  "\"50_to_100_h\":{\"givers\":0,\"minutes_given\":0},"
                  "\"100_h_or_more\":{\"givers\":1,\"minutes_given\":6000}}");
    bank_end();
}

Test(further, marks_milestones_in_the_period_where_they_are_reached) {
    bank_start();
    helps("m1", "m5", 20 * HOUR - 1, "2023-05-01");
    helps("m1", "m5", 1, "2024-05-01"); /* reaches 20 h */
    helps("m2", "m5", 20 * HOUR, "2024-03-31");
    helps("m2", "m5", 29 * HOUR, "2024-05-01"); /* had 20, has not 50 */
    unsigned number = helps("m3", "m5", 101 * HOUR, "2024-05-01");
    ask_for("2024-04-01", "2025-03-31");
    expect("milestone_20_h", 2);
    expect("milestone_50_h", 1);
    expect("milestone_100_h", 1);
    takes_back(number, "m5", "m3", 2 * HOUR, 2 * HOUR);
    ask_for("2024-04-01", "2025-03-31");
    expect("milestone_50_h", 1);
    expect("milestone_100_h", 0);
    ask_for("2024-03-01", "2024-03-31");
    expect("milestone_20_h", 1);
    bank_end();
}

/* ---- circulation */

Test(further, says_how_much_of_what_was_earned_is_spent_and_how_fast) {
    bank_start();
    issues(300, "2024-04-02", "");
    earns("m1", 90, "2024-05-01", "");
    redeems("m1", 60, "2024-06-01");
    helps("m2", "m3", 60, "2024-06-01");
    ask_for("2024-04-01", "2025-03-31");
    expect("spend_rate_permille", 667);
    expect("velocity_permille", 1000); /* 120 over the mean of 0 and 240 */
    bank_end();
}

Test(further, tells_the_age_of_credits_oldest_spent_first) {
    bank_start();
    issues(600, "2023-01-01", "");
    earns("m1", 60, "2024-03-31", ""); /* a year old on the last day */
    earns("m1", 60, "2024-04-01", ""); /* within it */
    earns("m1", 60, "2024-09-30", ""); /* six months: 2024-09-30 is too old */
    earns("m1", 60, "2024-12-31", ""); /* three: 2024-12-31 is too old */
    earns("m1", 60, "2025-01-01", "");
    redeems("m1", 75, "2025-03-01");   /* the year-old hour, and 15 of the next */
    earns("m2", 45, "2025-04-01", ""); /* after it */
    ask_for("2024-04-01", "2025-03-31");
    expect_object("further_measures", "outstanding_by_age",
                  "{\"under_3_months\":{\"minutes\":60},\"3_to_6_months\":{\"minutes\":60},"
                  "\"6_to_12_months\":{\"minutes\":105},\"over_12_months\":{\"minutes\":300}}");
    bank_end();
}

Test(further, gains_nothing_by_what_was_taken_back_or_merged) {
    bank_start();
    issues(600, "2023-01-01", "");
    earns("m1", 60, "2023-05-01", "");
    unsigned number = earns("m1", 45, "2025-03-01", "");
    on("2025-03-20");
    takes_back(number, "choir", "m1", 0, 45);
    merges("m1", "m2", 60);
    ask_for("2024-04-01", "2025-03-31");
    expect("outstanding_by_age|under_3_months|minutes", 0);
    expect("outstanding_by_age|over_12_months|minutes", 600);
    bank_end();
}

Test(further, counts_members_accounts_below_zero) {
    bank_start();
    helps("m1", "m2", 60, "2024-05-01");
    helps("m1", "m3", 60, "2025-04-01"); /* after it */
    on("2024-06-01");
    settles("m4");
    ask_for("2024-04-01", "2025-03-31");
    expect("below_zero", 1);
    expect("below_zero_permille", 250);
    ask_for("2024-04-01", "2025-04-01");
    expect("below_zero", 2);
    expect("below_zero_permille", 500);
    bank_end();
}

/* ---- the network */

Test(further, knows_how_the_network_hangs_together) {
    bank_start();
    member("m6", "2023-01-01");
    helps("m1", "m2", 60, "2024-05-01");
    helps("m2", "m3", 60, "2024-05-01"); /* m1 m2 m3 */
    helps("m4", "m5", 60, "2024-05-01");
    helps("m5", "m4", 60, "2024-05-01");
    earns("m6", 60, "2024-05-01", "");
    earns("m6", 60, "2024-05-02", "");
    earns("m1", 60, "2024-05-02", "");
    helps("m3", "m4", 60, "2024-03-31"); /* before it */
    ask_for("2024-04-01", "2025-03-31");
    expect("largest_component", 3);
    expect("isolates", 1);
    expect("ties_with_organisations", 2);
    expect("density_per_million", 300000);       /* 3 of 10 */
    expect("mean_partners_permille", 1200);      /* 6 / 5 */
    expect("balance_reciprocity_permille", 600); /* 0 1 0 1 1 */
    bank_end();
}

Test(further, evens_out_giving_and_receiving_in_parts) {
    bank_start();
    helps("m1", "m2", 60, "2024-05-01");
    helps("m2", "m1", 15, "2024-05-01"); /* both: 1 - 45 / 75 = 0.4 */
    helps("m1", "m3", 15, "2024-05-01"); /* m1: 1 - 60 / 90 = 0.333333; m3: 0 */
    ask_for("2024-04-01", "2025-03-31");
    expect("balance_reciprocity_permille", 244);
    on("2024-06-01");
    merges("m3", "m1", -15); /* what they gave each other ties nobody */
    ask_for("2024-04-01", "2025-03-31");
    expect("balance_reciprocity_permille", 400);
    expect("largest_component", 2);
    bank_end();
}

/* ---- tags and programmes */

Test(further, sums_service_by_the_tags_of_its_activity) {
    bank_start();
    TAGS("choir-practice", "five-ways:connect", "five-ways:learn", "music");
    TAGS("gardening", "five-ways:be-active");
    earns("m1", 60, "2024-05-01", "choir-practice");
    earns("m2", 30, "2024-05-01", "gardening");
    earns("m1", 45, "2024-05-01", "gardening");
    earns("m3", 15, "2024-05-01", "cooking");
    redeems("m1", 15, "2024-05-01");
    ask_for("2024-04-01", "2025-03-31");
    expect_object("further_measures", "by_tag",
                  "{\"five-ways\":{"
                  "\"be-active\":{\"entries\":2,\"givers\":2,\"minutes_given\":75},"
                  "\"connect\":{\"entries\":1,\"givers\":1,\"minutes_given\":60},"
                  "\"learn\":{\"entries\":1,\"givers\":1,\"minutes_given\":60},"
                  "\"none\":{\"entries\":1,\"givers\":1,\"minutes_given\":15}},"
                  "\"tag\":{"
                  "\"music\":{\"entries\":1,\"givers\":1,\"minutes_given\":60},"
                  "\"none\":{\"entries\":3,\"givers\":3,\"minutes_given\":90}}}");
    bank_end();
}

Test(further, reads_tags_as_they_were_at_the_position) {
    bank_start();
    TAGS("gardening", "ward:north");
    earns("m2", 30, "2024-05-01", "gardening");
    ask_for("2024-04-01", "2025-03-31");
    struct report_ask before = ask;
    TAGS("gardening", "ward:", ":south", "plain");
    ask_for("2024-04-01", "2025-03-31");
    expect_object("further_measures", "by_tag",
                  "{\"tag\":{"
                  "\":south\":{\"entries\":1,\"givers\":1,\"minutes_given\":30},"
                  "\"plain\":{\"entries\":1,\"givers\":1,\"minutes_given\":30},"
                  "\"ward:\":{\"entries\":1,\"givers\":1,\"minutes_given\":30}}}");
    ask = before;
    expect("by_tag|ward|north|minutes_given", 30);
    bank_end();
}

/* As in a bank whose register is sent anew every night. */
Test(further, reads_the_latest_of_five_thousand_taggings) {
    char activity[16], tag[16];
    bank_start();
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(activity, sizeof(activity), "activity-%u", i % 500);
        snprintf(tag, sizeof(tag), "night:%u", i / 500);
        TAGS(activity, tag);
    }
    for (unsigned i = 0; i < 500; i++) {
        snprintf(activity, sizeof(activity), "activity-%u", i);
        earns(i % 2 ? "m1" : "m2", 15, "2024-05-01", activity);
    }
    ask_for("2024-04-01", "2025-03-31");
    expect_object("further_measures", "by_tag",
                  "{\"night\":{\"9\":{\"entries\":500,\"givers\":2,\"minutes_given\":7500}}}");
    bank_end();
}

Test(further, sums_issues_by_their_programme) {
    bank_start();
    issues(60, "2024-05-01", "winter");
    issues(90, "2024-05-01", "");
    issues(30, "2024-06-01", "winter");
    issues(30, "2025-06-01", "late");
    ask_for("2024-04-01", "2025-03-31");
    expect_object("further_measures", "by_programme",
                  "{\"none\":{\"entries\":1,\"minutes_issued\":90},"
                  "\"winter\":{\"entries\":2,\"minutes_issued\":90}}");
    bank_end();
}

/* ---- the register */

Test(further, shows_who_helps_across_wards_and_ages) {
    bank_start();
    cr_assert_eq(facts_set_ward(facts, "m1", "east"), 0);
    cr_assert_eq(facts_set_ward(facts, "m2", "east"), 0);
    cr_assert_eq(facts_set_ward(facts, "m3", "west"), 0);
    cr_assert_eq(facts_set_age_band(facts, "m1", "18-29"), 0);
    cr_assert_eq(facts_set_age_band(facts, "m3", "65+"), 0);
    helps("m1", "m2", 60, "2024-05-01");
    helps("m2", "m1", 15, "2024-05-01");
    helps("m1", "m3", 30, "2024-05-01");
    helps("m1", "m3", 30, "2024-05-02");
    helps("m4", "m5", 45, "2024-05-02"); /* both unknown: one ward */
    ask_for("2024-04-01", "2025-03-31");
    expect("register_measures|minutes_across_wards", 60);
    expect("register_measures|ties_within_wards", 2);
    expect("register_measures|ties_across_wards", 1);
    expect_object("register_measures", "between_wards",
                  "{\"east\":{\"east\":{\"minutes_given\":75,\"ties\":2},"
                  "\"west\":{\"minutes_given\":60,\"ties\":1}},"
                  "\"unknown\":{\"unknown\":{\"minutes_given\":45,\"ties\":1}}}");
    expect_object("register_measures", "between_age_bands",
                  "{\"18-29\":{\"65+\":{\"minutes_given\":60,\"ties\":1},"
                  "\"unknown\":{\"minutes_given\":60,\"ties\":1}},"
                  "\"unknown\":{\"18-29\":{\"minutes_given\":15,\"ties\":1},"
                  "\"unknown\":{\"minutes_given\":45,\"ties\":1}}}");
    bank_end();
}

Test(further, keeps_as_many_wards_as_there_are) {
    bank_start();
    for (unsigned i = 0; i < 600; i++) { /* more than have a square of their own */
        char name[16];
        snprintf(name, sizeof(name), "w%u", i);
        cr_assert_eq(facts_set_ward(facts, "m1", name), 0);
    }
    cr_assert_eq(facts_set_ward(facts, "m2", "w3"), 0);
    helps("m1", "m2", 60, "2024-05-01");
    helps("m2", "m3", 15, "2024-05-01");
    ask_for("2024-04-01", "2025-03-31");
    expect_object("register_measures", "between_wards",
                  "{\"w3\":{\"unknown\":{\"minutes_given\":15,\"ties\":1}},"
                  "\"w599\":{\"w3\":{\"minutes_given\":60,\"ties\":1}}}");
    bank_end();
}
