/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load on a served ledger, through libtimebank's public header only: what it costs is what any
 * program pays, signing, outbox and verification included.
 *
 *   load prepare --accounts N      opens members m00000... and the activities that are used
 *   load run --accounts N --batch N [--batches N] [--days N | --years N --orders N]
 *   load read --accounts N         asks for balances
 *   load wait [--seconds S]       for a bank that is starting: tells when it answered
 *   load idle --clients N          holds so many connections until its input ends
 *   load report --runs N
 *
 * All take --bank ADDRESS --key FILE --state DIRECTORY. `run` and `read` take [--processes N]
 * [--clients N] [--in-flight N] [--seconds S] [--daemon PID], too: so many processes, each with so
 * many connections, on each of which so many calls are under way; each connection has a state of
 * its own below DIRECTORY. They print one JSON object. Dates of service are of the last --days
 * (28); with --years, dates of service climb over the years before today in --orders orders, of
 * LOAD_ACTIVITIES activities in turn. `report` asks for the report of the year that ends today
 * once, and then --runs times, and prints one object, too. `orders_per_s` are answers per second
 * where questions are asked.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "load.h"

#define DEADLINE_MS 60000u
#define ACCOUNTS_MAX 4000000

double load_now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double load_cpu_s(long pid) {
    struct timespec used;
    clockid_t clock;
    if (pid <= 0 || clock_getcpuclockid((pid_t)pid, &clock) != 0 || clock_gettime(clock, &used) < 0)
        return 0;
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

int load_doubles_compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int load_bank_open(const struct load_options *options, long n, struct tb_bank **ret_bank) {
    struct tb_bank *bank = NULL;
    char state[4096];
    snprintf(state, sizeof(state), "%s/%ld", options->state, n);
    mkdir(options->state, 0700);
    int r = tb_bank_new(&bank);
    if (r == 0)
        r = tb_bank_set_key_file(bank, options->key);
    if (r == 0)
        r = tb_bank_set_state_directory(bank, state);
    if (r == 0)
        r = tb_bank_set_deadline(bank, DEADLINE_MS);
    if (r == 0)
        r = tb_bank_open(bank, options->bank);
    *ret_bank = bank;
    return r;
}

static const struct option known[] = {{"bank", required_argument, NULL, 'b'},
                                      {"key", required_argument, NULL, 'k'},
                                      {"state", required_argument, NULL, 's'},
                                      {"accounts", required_argument, NULL, 'a'},
                                      {"batch", required_argument, NULL, 'n'},
                                      {"processes", required_argument, NULL, 'p'},
                                      {"clients", required_argument, NULL, 'l'},
                                      {"in-flight", required_argument, NULL, 'f'},
                                      {"batches", required_argument, NULL, 'c'},
                                      {"seconds", required_argument, NULL, 't'},
                                      {"daemon", required_argument, NULL, 'd'},
                                      {"first-round", required_argument, NULL, 'r'},
                                      {"years", required_argument, NULL, 'y'},
                                      {"orders", required_argument, NULL, 'o'},
                                      {"days", required_argument, NULL, 'D'},
                                      {"runs", required_argument, NULL, 'u'},
                                      {0}};

static bool options_fit(const struct load_options *options) {
    return options->bank && options->key && options->state && options->accounts > 2 &&
           options->accounts <= ACCOUNTS_MAX && options->accounts % LOAD_STRIDE != 0 &&
           options->batch > 0 && options->batch <= TB_BATCH_ORDERS_MAX && options->processes > 0 &&
           options->processes <= LOAD_PROCESSES_MAX && options->clients > 0 &&
           options->clients <= 100000 && options->in_flight > 0 && options->in_flight <= 1000 &&
           options->years >= 0 && options->years <= 20 && options->days > 0 &&
           options->days <= 7000 && options->orders > 0 && options->runs > 0 &&
           options->runs <= LOAD_RUNS_MAX;
}

static bool options_read(int argc, char **argv, struct load_options *options) {
    long *numbers[128] = {
        ['a'] = &options->accounts, ['n'] = &options->batch,       ['p'] = &options->processes,
        ['l'] = &options->clients,  ['f'] = &options->in_flight,   ['c'] = &options->batches,
        ['d'] = &options->daemon,   ['r'] = &options->first_round, ['y'] = &options->years,
        ['o'] = &options->orders,   ['u'] = &options->runs,        ['D'] = &options->days};
    const char **texts[128] = {
        ['b'] = &options->bank, ['k'] = &options->key, ['s'] = &options->state};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (c == '?')
            return false;
        if (c == 't')
            options->seconds = strtod(optarg, NULL);
        else if (texts[c])
            *texts[c] = optarg;
        else
            *numbers[c] = strtol(optarg, NULL, 10);
    }
    return optind + 1 == argc && options_fit(options);
}

/* A batch under way holds a file of the outbox. */
static void files_allow(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        int (*do_it)(const struct load_options *options);
    } verbs[] = {{"prepare", load_prepare}, {"run", load_run},   {"read", load_read},
                 {"wait", load_wait},       {"idle", load_idle}, {"report", load_report}};
    struct load_options options = {.accounts = 10000,
                                   .batch = TB_BATCH_ORDERS_MAX,
                                   .processes = 1,
                                   .clients = 1,
                                   .in_flight = 1,
                                   .batches = 1L << 40,
                                   .seconds = 1e9,
                                   .orders = 1,
                                   .runs = 5,
                                   .days = 28};
    int r = -EINVAL;

    if (!options_read(argc, argv, &options)) {
        fprintf(stderr, "usage: load prepare|run|read|wait|idle|report --bank ADDRESS --key FILE "
                        "--state DIRECTORY...\n");
        return 64;
    }
    files_allow();
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
        if (strcmp(argv[optind], verbs[i].name) == 0)
            r = verbs[i].do_it(&options);
    return r == 0 ? 0 : r > 0 ? 1 : 2;
}
