/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The orders: members to be opened, and exchanges between them. In each round every account gives
 * once and gets once the same time, so no balance wanders off to its floor; no two orders look
 * alike; and a day holds no more than 24 hours of a giver as long as a run is no longer than it is
 * meant to be (some millions of orders between 10,000 accounts).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define ACTIVITY "gardening"
#define JOINED_DAY 10957u /* 2000-01-01: before every date of service */

const char *load_activity(uint64_t i) {
    static char names[LOAD_ACTIVITIES][LOAD_CODE_BYTES];
    snprintf(names[i], sizeof(names[i]), i == 0 ? ACTIVITY : "activity-%llu",
             (unsigned long long)i);
    return names[i];
}

/* ---------------------------------------------------------------- prepare */

static int batch_send(struct tb_bank *bank, const struct tb_order *orders, size_t n) {
    struct tb_answer *answer = NULL;
    struct tb_batch *batch = NULL;
    int r = tb_batch_new(bank, &batch);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = tb_batch_add(batch, &orders[i], NULL);
    if (r == 0)
        r = tb_batch_submit(batch, &answer);
    tb_answer_free(answer);
    tb_batch_free(batch);
    return r;
}

static int accounts_open(struct tb_bank *bank, const struct load_options *options) {
    struct tb_order *orders = calloc(TB_BATCH_ORDERS_MAX, sizeof(*orders));
    char(*codes)[LOAD_CODE_BYTES] = calloc(TB_BATCH_ORDERS_MAX, sizeof(*codes));
    int r = orders && codes ? 0 : -ENOMEM;
    for (long first = 0; r == 0 && first < options->accounts; first += TB_BATCH_ORDERS_MAX) {
        size_t n = 0;
        for (; n < TB_BATCH_ORDERS_MAX && first + (long)n < options->accounts; n++) {
            snprintf(codes[n], sizeof(codes[n]), "m%05ld", first + (long)n);
            orders[n] = (struct tb_order)TB_ORDER_INIT;
            orders[n].kind = TB_OPEN_ACCOUNT;
            orders[n].to = codes[n];
            orders[n].account_kind = TB_ACCOUNT_MEMBER;
            orders[n].service_day = JOINED_DAY;
        }
        r = batch_send(bank, orders, n);
    }
    free(orders);
    free(codes);
    return r;
}

/* Old dates of service are no mistake here. */
static int policy_set(struct tb_bank *bank) {
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_SET_POLICY;
    order.name = "service-warn-days";
    order.value = "any";
    return batch_send(bank, &order, 1);
}

static int activities_set(struct tb_bank *bank) {
    struct tb_order orders[LOAD_ACTIVITIES];
    for (size_t i = 0; i < LOAD_ACTIVITIES; i++) {
        orders[i] = (struct tb_order)TB_ORDER_INIT;
        orders[i].kind = TB_SET_ACTIVITY;
        orders[i].name = load_activity(i);
        orders[i].tags = "";
    }
    return batch_send(bank, orders, LOAD_ACTIVITIES);
}

int load_prepare(const struct load_options *options) {
    struct tb_bank *bank = NULL;
    int r = load_bank_open(options, 0, &bank);
    if (r == 0)
        r = policy_set(bank);
    if (r == 0)
        r = activities_set(bank);
    if (r == 0)
        r = accounts_open(bank, options);
    if (r != 0)
        fprintf(stderr, "load: %d: %s\n", r, tb_bank_message(bank));
    tb_bank_free(bank);
    return r;
}

/* -------------------------------------------------------------------- run */

static uint64_t round_of(const struct load_worker *worker, uint64_t n) {
    const struct load_options *options = worker->options;
    return (uint64_t)options->first_round + (uint64_t)worker->process +
           (uint64_t)options->processes * (n / (uint64_t)options->accounts);
}

/* The next order of this process. */
static const struct tb_order *order_make(struct load_worker *worker) {
    const struct load_options *options = worker->options;
    uint64_t accounts = (uint64_t)options->accounts, n = worker->n_made++;
    uint64_t round = round_of(worker, n);
    uint64_t giver = n % accounts * LOAD_STRIDE % accounts;
    uint64_t receiver = (giver + 1 + round % (accounts - 1)) % accounts;
    struct tb_order *order = &worker->order;
    order->from = worker->codes[receiver];
    order->to = worker->codes[giver];
    order->minutes = 15 * (1 + round % 2);
    order->service_day = worker->today - (uint32_t)(round % (uint64_t)options->days);
    if (options->years > 0) {
        uint64_t n_days = (uint64_t)options->years * LOAD_DAYS_A_YEAR;
        uint64_t made = n * (uint64_t)options->processes % (uint64_t)options->orders;
        order->service_day =
            worker->today - (uint32_t)(n_days - 1 - made * n_days / (uint64_t)options->orders);
        order->activity = load_activity((n + round) % LOAD_ACTIVITIES);
    }
    return order;
}

static int batch_start(struct load_worker *worker, struct tb_bank *bank, struct load_slot *slot) {
    if (worker->n_batches >= worker->options->batches)
        return -ECANCELED;
    worker->n_batches++;
    int r = tb_batch_new(bank, &slot->batch);
    for (long i = 0; r == 0 && i < worker->options->batch; i++)
        r = tb_batch_add(slot->batch, order_make(worker), NULL);
    return r == 0 ? tb_batch_submit_start(slot->batch, &slot->call) : r;
}

static int batch_end(struct load_worker *worker, struct load_slot *slot) {
    struct tb_answer *answer = NULL;
    int r = tb_answer_take(slot->call, &answer);
    if (r != 0)
        return r;
    worker->told->n_done += tb_answer_count(answer);
    worker->told->n_warnings += tb_answer_warnings(answer);
    worker->told->next_round =
        round_of(worker, worker->n_made + (uint64_t)worker->options->accounts);
    tb_answer_free(answer);
    return 0;
}

static int run_start(struct load_worker *worker, struct tb_bank *bank, struct load_slot *slot) {
    if (worker->order.struct_bytes == 0) {
        worker->order = (struct tb_order)TB_ORDER_INIT;
        worker->order.kind = TB_EXCHANGE;
        worker->order.activity = ACTIVITY;
    }
    return batch_start(worker, bank, slot);
}

int load_run(const struct load_options *options) {
    static const struct load_work work = {run_start, batch_end};
    return load_crew(options, &work);
}
