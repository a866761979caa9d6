/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The questions: balances, many at once; a report, one after the other; the first answer of
 * a bank that starts; and connections that ask nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

#define WAIT_US 500

/* ------------------------------------------------------------------- read */

static int balance_start(struct load_worker *worker, struct tb_bank *bank, struct load_slot *slot) {
    uint64_t accounts = (uint64_t)worker->options->accounts;
    uint64_t account = worker->n_made++ % accounts * LOAD_STRIDE % accounts;
    return tb_balance_start(bank, worker->codes[account], &slot->call);
}

static int balance_end(struct load_worker *worker, struct load_slot *slot) {
    worker->told->n_done++;
    return tb_balance_read(slot->call, &worker->balance);
}

int load_read(const struct load_options *options) {
    static const struct load_work work = {balance_start, balance_end};
    return load_crew(options, &work);
}

/* ------------------------------------------------------------------- wait */

static void status_print(const struct tb_status *status) {
    printf("{\"answered_s\": %.6f, \"size\": %llu, \"entries\": %llu, \"accounts\": %llu, "
           "\"map_used_bytes\": %llu}\n",
           load_now_s(), (unsigned long long)status->size, (unsigned long long)status->entries,
           (unsigned long long)status->accounts, (unsigned long long)status->map_used_bytes);
}

/* Asks again and again until a bank answers, and tells when that was, by CLOCK_MONOTONIC. */
int load_wait(const struct load_options *options) {
    double until_s = load_now_s() + options->seconds;
    struct tb_bank *bank = NULL;
    struct tb_status status;
    int r = load_bank_open(options, 0, &bank);
    while (r != 0 && load_now_s() < until_s) {
        tb_bank_free(bank);
        usleep(WAIT_US);
        r = load_bank_open(options, 0, &bank);
    }
    if (r == 0)
        r = tb_status_get(bank, &status);
    if (r == 0)
        status_print(&status);
    else
        fprintf(stderr, "load: %d: %s\n", r, tb_bank_message(bank));
    tb_bank_free(bank);
    return r;
}

/* ------------------------------------------------------------------- idle */

/* Opens them, says so, and holds them until its input ends. */
int load_idle(const struct load_options *options) {
    struct tb_bank **banks = calloc((size_t)options->clients, sizeof(struct tb_bank *));
    char byte;
    int r = banks ? 0 : -ENOMEM;
    for (long i = 0; r == 0 && i < options->clients; i++) {
        r = load_bank_open(options, 0, &banks[i]);
        if (r != 0)
            fprintf(stderr, "load: %d: %s\n", r, tb_bank_message(banks[i]));
    }
    if (r == 0) {
        printf("{\"clients\": %ld}\n", options->clients);
        fflush(stdout);
        while (read(STDIN_FILENO, &byte, 1) > 0)
            ;
    }
    for (long i = 0; banks && i < options->clients; i++)
        tb_bank_free(banks[i]);
    free(banks);
    return r;
}

/* ----------------------------------------------------------------- report */

/* Of the year up to so many days ago. */
static int report_time(struct tb_bank *bank, long days_ago, double *ret_ms, uint64_t *ret_bytes) {
    uint32_t to_day = tb_today() - (uint32_t)days_ago;
    struct tb_report_ask ask = {.from_day = to_day - LOAD_DAYS_A_YEAR + 1, .to_day = to_day};
    char *json = NULL;
    double began_s = load_now_s();
    int r = tb_report_get(bank, &ask, &json);
    *ret_ms = (load_now_s() - began_s) * 1e3;
    *ret_bytes = json ? strlen(json) : 0;
    free(json);
    return r;
}

/* The same year again and again; then, if it is more than once, as many years that nobody asked for
 * before. */
int load_report(const struct load_options *options) {
    static double times_ms[LOAD_RUNS_MAX], others_ms[LOAD_RUNS_MAX];
    struct tb_bank *bank = NULL;
    double first_ms = 0;
    uint64_t n_bytes = 0;
    int r = load_bank_open(options, 0, &bank);
    double daemon_before_s = load_cpu_s(options->daemon);
    if (r == 0)
        r = report_time(bank, 0, &first_ms, &n_bytes);
    double daemon_first_s = load_cpu_s(options->daemon);
    for (long i = 0; r == 0 && i < options->runs; i++)
        r = report_time(bank, 0, &times_ms[i], &n_bytes);
    double daemon_s = load_cpu_s(options->daemon) - daemon_first_s;
    long n_others = options->runs > 1 ? options->runs : 0;
    for (long i = 0; r == 0 && i < n_others; i++)
        r = report_time(bank, 1 + i, &others_ms[i], &n_bytes);
    double others_s = load_cpu_s(options->daemon) - daemon_first_s - daemon_s;
    if (r != 0)
        fprintf(stderr, "load: %d: %s\n", r, tb_bank_message(bank));
    tb_bank_free(bank);
    if (r != 0)
        return r;
    qsort(times_ms, (size_t)options->runs, sizeof(*times_ms), load_doubles_compare);
    qsort(others_ms, (size_t)n_others, sizeof(*others_ms), load_doubles_compare);
    printf("{\"runs\": %ld, \"first_ms\": %.2f, \"p50_ms\": %.3f, \"max_ms\": %.3f, "
           "\"first_daemon_cpu_ms\": %.3f, \"daemon_cpu_ms\": %.3f, \"other_year_ms\": %.3f, "
           "\"other_year_daemon_cpu_ms\": %.3f, \"json_bytes\": %llu}\n",
           options->runs, first_ms, times_ms[options->runs / 2], times_ms[options->runs - 1],
           (daemon_first_s - daemon_before_s) * 1e3, daemon_s / (double)options->runs * 1e3,
           others_ms[n_others / 2], others_s / (double)options->runs * 1e3,
           (unsigned long long)n_bytes);
    return 0;
}
