/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the measures take, and how much memory the facts behind them, without a ledger, a disk
 * or a socket: facts from orders made up here, then reports of the last of the years.
 *
 *   measures [--lines N] [--years N] [--accounts N] [--runs N]
 *
 * Prints one JSON object. Of 20 orders 15 are exchanges, 3 earn at an organisation, 1 redeems at a
 * venue and 1 is a gift; one of 200 is taken back. Hours are written down within a fortnight.
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "daemon/facts-block.h"
#include "daemon/report.h"
#include "proto/dates.h"
#include "proto/record.h"

#define ACTIVITIES 20
#define OFFERS 10
#define PLACES 50 /* organisations, and venues */
#define RUNS_MAX 101
#define KEPT_BYTES 128  /* of a record, at most on average */
#define LAST_DAY 20178u /* 2025-03-31 */
#define MS_A_DAY 86400000u

struct options {
    long lines, years, accounts, runs;
};

static struct facts *facts;
static struct options options = {1000000, 10, 10000, 5};
static uint64_t random_state = 88172645463325252u;
static char (*codes)[24];

static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void must(int r, const char *what) {
    if (r == 0)
        return;
    fprintf(stderr, "measures: %s: %d\n", what, r);
    exit(2);
}

/* xorshift64 */
static uint32_t any(uint32_t below) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * below >> 32);
}

/* The records, apart from what malloc counts. */
static struct {
    uint8_t *data;
    uint64_t *ends;
    size_t n;
} kept;

static void keep_open(void) {
    size_t n_records = 4 * (size_t)(options.lines + options.accounts) + 100000;
    kept.data = mmap(NULL, n_records * KEPT_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    kept.ends = mmap(NULL, n_records * sizeof(*kept.ends), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    must(kept.data == MAP_FAILED || kept.ends == MAP_FAILED ? -ENOMEM : 0, "memory");
}

static void keep(const struct bytes *record) {
    memcpy(kept.data + kept.n, record->data, record->n);
    kept.n += record->n;
    kept.ends[facts->n_records] = kept.n;
}

static int read_kept(void *user, uint64_t index, struct bytes *to) {
    (void)user;
    uint64_t at = index > 0 ? kept.ends[index - 1] : 0;
    bytes_put(to, kept.data + at, kept.ends[index] - at);
    return 1;
}

static void add_record(const struct bytes *record, const struct fact_leg *legs, size_t n_legs) {
    must(record->r, "memory");
    keep(record);
    must(facts_add(facts, facts->n_records, record->data, record->n, legs, n_legs), "a record");
}

static void add_genesis(void) {
    uint8_t key[32] = {9};
    Timebank__Genesis genesis = TIMEBANK__GENESIS__INIT;
    _cleanup_bytes_ struct bytes record = {0};
    genesis.format = 1;
    genesis.origin = (char *)"bank.example/bench";
    genesis.ledger_key = (ProtobufCBinaryData){sizeof(key), key};
    record_genesis_encode(&genesis, &record);
    add_record(&record, NULL, 0);
}

static void add_seal(uint32_t day) {
    struct record_seal seal = {.header[3] = 1, .received_at_ms = (uint64_t)day * MS_A_DAY};
    _cleanup_bytes_ struct bytes record = {0};
    record_seal_pack(&seal, bytes_reserve(&record, RECORD_SEAL_BYTES));
    add_record(&record, NULL, 0);
}

static void id_make(uint64_t n, uint8_t ret[16]) {
    memset(ret, 0, 16);
    memcpy(ret + 8, &n, sizeof(n));
    ret[0] = 1;
}

static uint64_t n_orders;

static void add_order(Timebank__Order *order, const struct fact_leg *legs, size_t n_legs) {
    uint8_t id[16];
    _cleanup_bytes_ struct bytes record = {0};
    id_make(++n_orders, id);
    order->id = (ProtobufCBinaryData){sizeof(id), id};
    order->authority = TIMEBANK__AUTHORITY__BY_BROKER;
    record_order_encode(order, &record);
    add_record(&record, legs, n_legs);
}

/* Members first, then organisations, then venues. */
static void open_accounts(uint32_t day) {
    codes = calloc((size_t)options.accounts, sizeof(*codes));
    for (long i = 0; i < options.accounts; i++) {
        Timebank__Order order = TIMEBANK__ORDER__INIT;
        Timebank__OpenAccount open = TIMEBANK__OPEN_ACCOUNT__INIT;
        open.kind = i >= options.accounts - PLACES       ? TIMEBANK__ACCOUNT_KIND__VENUE
                    : i >= options.accounts - 2 * PLACES ? TIMEBANK__ACCOUNT_KIND__ORGANISATION
                                                         : TIMEBANK__ACCOUNT_KIND__MEMBER;
        snprintf(codes[i], sizeof(codes[i]), "m%05ld", i);
        order.to = codes[i];
        order.service_day = day;
        order.kind_case = TIMEBANK__ORDER__KIND_OPEN_ACCOUNT;
        order.open_account = &open;
        add_order(&order, NULL, 0);
    }
}

/* The ledger's number of an account: the bank's own were opened first. */
static uint64_t number_of(uint32_t account) {
    return facts->n_opened - (size_t)options.accounts + account;
}

static void move(Timebank__Order *order, uint32_t from, uint32_t to) {
    struct fact_leg legs[2] = {
        {.account = number_of(from), .minutes = -(int64_t)order->minutes},
        {.account = number_of(to), .minutes = (int64_t)order->minutes},
    };
    order->from = codes[from];
    order->to = codes[to];
    add_order(order, legs, 2);
}

struct last {
    uint32_t from, to;
    uint64_t minutes, order;
};

static void take_back(const struct last *last, uint32_t day) {
    uint8_t target[16];
    Timebank__Reverse reverse = TIMEBANK__REVERSE__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    struct fact_leg legs[2] = {
        {.account = number_of(last->to), .minutes = -(int64_t)last->minutes},
        {.account = number_of(last->from), .minutes = (int64_t)last->minutes},
    };
    id_make(last->order, target);
    reverse.target = (ProtobufCBinaryData){sizeof(target), target};
    order.kind_case = TIMEBANK__ORDER__KIND_REVERSE;
    order.reverse = &reverse;
    order.service_day = day;
    add_order(&order, legs, 2);
}

static void add_line(uint64_t i, uint32_t day, struct last *last) {
    static char activities[ACTIVITIES][24], offers[OFFERS][24];
    uint32_t n_members = (uint32_t)options.accounts - 2 * PLACES, kind = any(20);
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    Timebank__Exchange exchange = TIMEBANK__EXCHANGE__INIT;
    Timebank__Earn earn = TIMEBANK__EARN__INIT;
    Timebank__Gift gift = TIMEBANK__GIFT__INIT;
    Timebank__Redeem redeem = TIMEBANK__REDEEM__INIT;
    uint32_t activity = any(ACTIVITIES), offer = any(OFFERS);
    snprintf(activities[activity], sizeof(activities[0]), "activity %u", activity);
    snprintf(offers[offer], sizeof(offers[0]), "offer %u", offer);
    order.minutes = 15 * (1 + any(12));
    order.service_day = day - any(14);
    uint32_t from = any(n_members), to = (from + 1 + any(n_members - 1)) % n_members;
    if (kind < 15) {
        order.kind_case = TIMEBANK__ORDER__KIND_EXCHANGE;
        order.exchange = &exchange;
        order.activity = activities[activity];
    } else if (kind < 18) {
        order.kind_case = TIMEBANK__ORDER__KIND_EARN;
        order.earn = &earn;
        order.activity = activities[activity];
        from = n_members + any(PLACES);
    } else if (kind < 19) {
        order.kind_case = TIMEBANK__ORDER__KIND_REDEEM;
        redeem.offer = offers[offer];
        redeem.adults = 1;
        order.redeem = &redeem;
        to = n_members + PLACES + any(PLACES);
    } else {
        order.kind_case = TIMEBANK__ORDER__KIND_GIFT;
        order.gift = &gift;
    }
    if (i % 200 == 199)
        take_back(last, day);
    move(&order, from, to);
    *last = (struct last){from, to, order.minutes, n_orders};
}

static void fill(void) {
    uint32_t n_days = (uint32_t)options.years * 365, first = LAST_DAY - n_days, day = 0;
    struct last last = {0};
    add_genesis();
    add_seal(first);
    open_accounts(first);
    for (long i = 0; i < options.lines; i++) {
        uint32_t now = first + 1 + (uint32_t)((uint64_t)i * n_days / (uint64_t)options.lines);
        if (now != day)
            add_seal(day = now);
        add_line((uint64_t)i, day, &last);
    }
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double cpu_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Of the runs, the one at percent of the way from the quickest to the slowest. */
static double run_ms(unsigned n_threads, double (*clock_ms)(void), long percent) {
    double times[RUNS_MAX];
    struct report_ask ask = {.from_day = LAST_DAY - 364,
                             .to_day = LAST_DAY,
                             .size = facts->n_records,
                             .bank = "bank.example/bench",
                             .n_threads = n_threads};
    for (long i = 0; i <= options.runs; i++) {
        char *json = NULL;
        double began = clock_ms();
        must(report_make(facts, &ask, &json), "a report");
        if (i > 0)
            times[i - 1] = clock_ms() - began;
        free(json);
    }
    qsort(times, (size_t)options.runs, sizeof(*times), compare);
    return times[options.runs * percent / 100];
}

int main(int argc, char **argv) {
    static const struct option known[] = {{"lines", required_argument, NULL, 'l'},
                                          {"years", required_argument, NULL, 'y'},
                                          {"accounts", required_argument, NULL, 'a'},
                                          {"runs", required_argument, NULL, 'r'},
                                          {0}};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        long *number = c == 'l'   ? &options.lines
                       : c == 'y' ? &options.years
                       : c == 'a' ? &options.accounts
                       : c == 'r' ? &options.runs
                                  : NULL;
        if (!number)
            return 64;
        *number = strtol(optarg, NULL, 10);
    }
    if (options.runs < 1 || options.runs >= RUNS_MAX || options.accounts <= 3 * PLACES)
        return 64;
    keep_open();
    must(facts_new(&facts), "memory");
    facts_set_source(facts, &(struct facts_source){.record = read_kept});
    double began = now_ms();
    fill();
    double filled = now_ms();
    struct mallinfo2 memory = mallinfo2();
    double bytes = (double)(memory.uordblks + memory.hblkhd);
    printf("{\"lines\": %ld, \"years\": %ld, \"accounts\": %ld, \"fill_s\": %.2f, "
           "\"bytes_per_line\": %.1f, \"least_cpu_ms\": %.2f, \"cpu_ms\": %.2f, \"one_thread_ms\": "
           "%.2f, "
           "\"two_threads_ms\": %.2f}\n",
           options.lines, options.years, options.accounts, (filled - began) / 1e3,
           bytes / (double)options.lines, run_ms(1, cpu_ms, 0), run_ms(1, cpu_ms, 50),
           run_ms(1, now_ms, 50), run_ms(2, now_ms, 50));
    facts_free(facts);
    return 0;
}
