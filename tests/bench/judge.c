/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rules cost an order, without a log, a disk, a socket or a second thread: batches of
 * exchanges as `load` makes them, decoded, judged and kept by a state in memory.
 *
 *   judge [--accounts N] [--batch N] [--batches N] [--days N]
 *
 * Prints one JSON object: nanoseconds of CPU an order in each step. For instructions, run it under
 * perf stat with two numbers of batches and take the difference.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/judging.h"

#define STRIDE 7919
#define MS_A_DAY 86400000ull
#define TODAY 20178u /* 2025-03-31 */

static struct { long accounts, batch, batches, days; } options = {10000, 8190, 100, 28};

static struct state *state;
static uint64_t n_made, n_ids;
static struct bytes bodies;
static size_t *ends;

static void must(int r, const char *what) {
    if (r == 0)
        return;
    fprintf(stderr, "judge: %s: %d\n", what, r);
    exit(2);
}

static double cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void add(Timebank__Order *order, size_t i) {
    uint8_t id[ORDER_ID_BYTES] = {0};
    struct bytes record = {0};

    be64_put(id, ++n_ids);
    order->id = (ProtobufCBinaryData){sizeof(id), id};
    order->authority = TIMEBANK__AUTHORITY__BY_BROKER;
    if (order->kind_case >= 64)
        order->authority = TIMEBANK__AUTHORITY__AUTHORITY_NONE;
    record_order_encode(order, &record);
    bytes_put(&bodies, record.data + 1, record.n - 1);
    ends[i] = bodies.n;
    bytes_fini(&record);
}

static struct { double decode, judge, keep; } spent;

static void send(size_t n) {
    struct batch_header header = {.n_orders = (uint32_t)n};
    struct judging *judging = NULL;
    uint64_t seal = state->sums.size;
    double began = cpu_ns();

    memset(header.author, 7, sizeof(header.author));
    be64_put(header.batch_id, ++n_ids);
    must(judging_new(&judging, n), "no memory");
    for (size_t i = 0; i < n; i++) {
        size_t begin = i ? ends[i - 1] : 0;
        judging_set(judging, i, bodies.data + begin, ends[i] - begin);
    }
    must(judging_decode(judging), "decoding");
    spent.decode += cpu_ns() - began, began = cpu_ns();
    must(judging_run(judging, state, seal, &header, TODAY * MS_A_DAY + MS_A_DAY / 2), "judging");
    spent.judge += cpu_ns() - began, began = cpu_ns();
    for (size_t i = 0; i < judging->batch.n_notes && i < 3; i++)
        fprintf(stderr, "judge: %s\n", judging->batch.notes[i].message);
    if (judging->batch.n_refusals)
        exit(2);
    must(judging_keep(judging), "keeping");
    spent.keep += cpu_ns() - began;
    judging_free(judging);
    bytes_clear(&bodies);
    rows_drop(&state->tables[STATE_IDS], NULL); /* they live on disk */
}

static void code_of(uint64_t i, char ret[24]) {
    snprintf(ret, 24, "m%05llu", (unsigned long long)i);
}

static void open_accounts(void) {
    Timebank__SetActivity activity = TIMEBANK__SET_ACTIVITY__INIT;
    Timebank__OpenAccount open = TIMEBANK__OPEN_ACCOUNT__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    char code[24];

    activity.name = (char *)"gardening";
    order.kind_case = TIMEBANK__ORDER__KIND_SET_ACTIVITY;
    order.set_activity = &activity;
    add(&order, 0);
    send(1);
    timebank__order__init(&order);
    order.kind_case = TIMEBANK__ORDER__KIND_OPEN_ACCOUNT;
    order.open_account = &open;
    open.kind = TIMEBANK__ACCOUNT_KIND__MEMBER;
    order.service_day = 10957;
    for (long i = 0, n = 0; i < options.accounts; i++) {
        code_of((uint64_t)i, code);
        order.to = code;
        add(&order, (size_t)n++);
        if (n == options.batch || i + 1 == options.accounts) {
            send((size_t)n);
            n = 0;
        }
    }
}

static void genesis_make(void) {
    Timebank__Genesis genesis = TIMEBANK__GENESIS__INIT;
    uint8_t key[SSHSIG_PUBLIC_BYTES];
    ProtobufCBinaryData keys[1] = {{sizeof(key), key}};
    struct state *above;

    memset(key, 7, sizeof(key));
    genesis.format = 1;
    genesis.origin = (char *)"bench.example/timebank";
    genesis.created_ms = TODAY * MS_A_DAY;
    genesis.n_steward_keys = 1;
    genesis.steward_keys = keys;
    state = state_new(NULL);
    above = state_new_above(state);
    must(ledger_genesis(above, &genesis), "genesis");
    must(state_merge(above), "genesis");
}

static void exchange(size_t i) {
    Timebank__Exchange exchange = TIMEBANK__EXCHANGE__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    uint64_t accounts = (uint64_t)options.accounts, n = n_made++, round = n / accounts;
    uint64_t giver = n % accounts * STRIDE % accounts;
    char from[24], to[24];

    code_of((giver + 1 + round % (accounts - 1)) % accounts, from);
    code_of(giver, to);
    order.kind_case = TIMEBANK__ORDER__KIND_EXCHANGE;
    order.exchange = &exchange;
    order.from = from;
    order.to = to;
    order.minutes = 15 * (1 + round % 4);
    order.service_day = TODAY - (uint32_t)(round % (uint64_t)options.days);
    order.activity = (char *)"gardening";
    add(&order, i);
}

int main(int argc, char **argv) {
    static const struct option known[] = {{"accounts", required_argument, NULL, 'a'},
                                          {"batch", required_argument, NULL, 'b'},
                                          {"batches", required_argument, NULL, 'n'},
                                          {"days", required_argument, NULL, 'd'},
                                          {0}};
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        long *at = c == 'a'   ? &options.accounts
                   : c == 'b' ? &options.batch
                   : c == 'n' ? &options.batches
                   : c == 'd' ? &options.days
                              : NULL;
        if (!at || (*at = atol(optarg)) <= 0)
            return 2;
    }
    ends = calloc((size_t)options.batch, sizeof(*ends));
    genesis_make();
    open_accounts();
    memset(&spent, 0, sizeof(spent));
    for (long k = 0; k < options.batches; k++) {
        for (long i = 0; i < options.batch; i++)
            exchange((size_t)i);
        send((size_t)options.batch);
    }
    double n = (double)options.batches * (double)options.batch;
    printf("{\"orders\": %.0f, \"decode_ns\": %.1f, \"judge_ns\": %.1f, \"keep_ns\": %.1f}\n", n,
           spent.decode / n, spent.judge / n, spent.keep / n);
    state_free(state);
    bytes_fini(&bodies);
    free(ends);
    return 0;
}
