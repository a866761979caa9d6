/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load on a served ledger, through libtimebank's public header only: what it costs is what any
 * program pays, signing, outbox and verification included.
 *
 *   load prepare --accounts N      opens members m00000... and the activity that is used
 *   load run --accounts N --batch N [--processes N] [--batches N] [--seconds S] [--daemon PID]
 *            [--years N --orders N]
 *   load report --runs N
 *
 * Both take --bank ADDRESS --key FILE --state DIRECTORY; each process has a state of its own below
 * DIRECTORY. `run` prints one JSON object; with --years, dates of service climb over the years
 * before today in --orders orders, of ACTIVITIES activities in turn. `report` asks for the report
 * of the year that ends today once, and then --runs times, and prints one object, too. Every
 * account gives and gets the same time in each round, so no balance wanders off to its floor, and
 * no two orders look alike.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <timebank.h>
#include <unistd.h>

#define PROCESSES_MAX 64
#define LATENCIES_MAX 100000
#define DAYS 28     /* older dates of service bring a warning each */
#define STRIDE 7919 /* a prime: accounts are met in no order */
#define ACTIVITY "gardening"
#define DEADLINE_MS 60000u
#define JOINED_DAY 10957u /* 2000-01-01: before every date of service */
#define ACTIVITIES 20
#define RUNS_MAX 1000
#define DAYS_A_YEAR 365
#define CODE_BYTES 24

struct options {
    const char *bank;
    const char *key;
    const char *state;
    long accounts;
    long batch;
    long processes;
    long batches; /* of each process */
    double seconds;
    long daemon;
    long first_round; /* runs on one ledger take rounds that none before had */
    long years;       /* 0: dates of service of the last DAYS */
    long orders;
    long runs;
};

/* What a process tells, in memory shared with the parent. */
struct told {
    int r;
    char message[256];
    uint64_t n_orders;
    uint64_t n_warnings;
    uint64_t n_written; /* bytes of the outbox and the pins */
    double cpu_s;
    double ended_s;
    size_t n_latencies;
    double latencies_ms[LATENCIES_MAX];
};

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_s(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double daemon_cpu_s(long pid) {
    unsigned long user = 0, kernel = 0;
    char path[64];
    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    FILE *file = pid > 0 ? fopen(path, "re") : NULL;
    if (!file)
        return 0;
    if (fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
               &kernel) != 2)
        user = kernel = 0;
    fclose(file);
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

/* Bytes given to write(2) so far; what goes to a socket by send(2) is not among them. */
static uint64_t written_bytes(void) {
    unsigned long long n = 0;
    FILE *file = fopen("/proc/self/io", "re");
    if (!file)
        return 0;
    if (fscanf(file, "rchar: %*u wchar: %llu", &n) != 1)
        n = 0;
    fclose(file);
    return n;
}

static int bank_open(const struct options *options, long process, struct tb_bank **ret) {
    struct tb_bank *bank = NULL;
    char state[4096];
    snprintf(state, sizeof(state), "%s/%ld", options->state, process);
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
    *ret = bank;
    return r;
}

static int batch_send(struct tb_bank *bank, const struct tb_order *orders, size_t n,
                      uint64_t *n_warnings) {
    struct tb_answer *answer = NULL;
    struct tb_batch *batch = NULL;
    int r = tb_batch_new(bank, &batch);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = tb_batch_add(batch, &orders[i], NULL);
    if (r == 0)
        r = tb_batch_submit(batch, &answer);
    if (r == 0)
        *n_warnings += tb_answer_warnings(answer);
    tb_answer_free(answer);
    tb_batch_free(batch);
    return r;
}

/* ---------------------------------------------------------------- prepare */

static int accounts_open(struct tb_bank *bank, const struct options *options) {
    struct tb_order *orders = calloc(TB_BATCH_ORDERS_MAX, sizeof(*orders));
    char(*codes)[CODE_BYTES] = calloc(TB_BATCH_ORDERS_MAX, sizeof(*codes));
    uint64_t n_warnings = 0;
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
        r = batch_send(bank, orders, n, &n_warnings);
    }
    free(orders);
    free(codes);
    return r;
}

static const char *activity_name(uint64_t i) {
    static char names[ACTIVITIES][CODE_BYTES];
    snprintf(names[i], sizeof(names[i]), i == 0 ? ACTIVITY : "activity-%llu",
             (unsigned long long)i);
    return names[i];
}

static int activities_set(struct tb_bank *bank) {
    struct tb_order orders[ACTIVITIES];
    uint64_t n_warnings = 0;
    for (size_t i = 0; i < ACTIVITIES; i++) {
        orders[i] = (struct tb_order)TB_ORDER_INIT;
        orders[i].kind = TB_SET_ACTIVITY;
        orders[i].name = activity_name(i);
        orders[i].tags = "";
    }
    return batch_send(bank, orders, ACTIVITIES, &n_warnings);
}

static int prepare(const struct options *options) {
    struct tb_bank *bank = NULL;
    int r = bank_open(options, 0, &bank);
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

struct worker {
    const struct options *options;
    long process;
    struct tb_bank *bank;
    struct tb_order *orders;
    char (*codes)[CODE_BYTES];
    uint64_t n_made;
    struct told *told;
};

/* Order n of this process: in each round every account gives once and gets once. */
static void order_make(struct worker *worker, struct tb_order *order) {
    const struct options *options = worker->options;
    uint64_t accounts = (uint64_t)options->accounts, n = worker->n_made++;
    uint64_t round = (uint64_t)options->first_round + (uint64_t)worker->process +
                     (uint64_t)options->processes * (n / accounts);
    uint64_t giver = n % accounts * STRIDE % accounts;
    uint64_t receiver = (giver + 1 + round % (accounts - 1)) % accounts;
    *order = (struct tb_order)TB_ORDER_INIT;
    order->kind = TB_EXCHANGE;
    order->from = worker->codes[receiver];
    order->to = worker->codes[giver];
    order->minutes = 15 * (1 + round % 4);
    order->service_day = tb_today() - (uint32_t)(round % DAYS);
    order->activity = ACTIVITY;
    if (options->years > 0) {
        uint64_t n_days = (uint64_t)options->years * DAYS_A_YEAR;
        uint64_t made = n * (uint64_t)options->processes % (uint64_t)options->orders;
        order->service_day =
            tb_today() - (uint32_t)(n_days - 1 - made * n_days / (uint64_t)options->orders);
        order->activity = activity_name((n + round) % ACTIVITIES);
    }
}

static int worker_open(struct worker *worker) {
    const struct options *options = worker->options;
    worker->orders = calloc((size_t)options->batch, sizeof(*worker->orders));
    worker->codes = calloc((size_t)options->accounts, sizeof(*worker->codes));
    if (!worker->orders || !worker->codes)
        return -ENOMEM;
    for (long i = 0; i < options->accounts; i++)
        snprintf(worker->codes[i], sizeof(worker->codes[i]), "m%05ld", i);
    return bank_open(options, worker->process, &worker->bank);
}

static int worker_send(struct worker *worker) {
    const struct options *options = worker->options;
    struct told *told = worker->told;
    double began = now_s();
    int r = 0;
    for (long k = 0; r == 0 && k < options->batches && now_s() - began < options->seconds; k++) {
        double sent = now_s();
        for (long i = 0; i < options->batch; i++)
            order_make(worker, &worker->orders[i]);
        r = batch_send(worker->bank, worker->orders, (size_t)options->batch, &told->n_warnings);
        if (r == 0)
            told->n_orders += (uint64_t)options->batch;
        if (told->n_latencies < LATENCIES_MAX)
            told->latencies_ms[told->n_latencies++] = (now_s() - sent) * 1e3;
    }
    return r;
}

/* Opens, says that it is ready, waits for the start, sends. */
static void worker_run(struct worker *worker, int ready, int start) {
    struct told *told = worker->told;
    char byte = 0;
    int r = worker_open(worker);
    if (write(ready, &byte, 1) != 1 || (read(start, &byte, 1) < 0 && r == 0))
        r = -errno;
    double cpu_before = cpu_s();
    uint64_t written_before = written_bytes();
    if (r == 0)
        r = worker_send(worker);
    told->ended_s = now_s();
    told->cpu_s = cpu_s() - cpu_before;
    told->n_written = written_bytes() - written_before;
    told->r = r;
    if (worker->bank)
        snprintf(told->message, sizeof(told->message), "%s", tb_bank_message(worker->bank));
    tb_bank_free(worker->bank);
    free(worker->orders);
    free(worker->codes);
}

static int workers_start(const struct options *options, struct told *told, pid_t *pids,
                         int *ret_start) {
    int ready[2], start[2];
    char byte;
    if (pipe(ready) < 0 || pipe(start) < 0)
        return -errno;
    for (long i = 0; i < options->processes; i++) {
        pids[i] = fork();
        if (pids[i] < 0)
            return -errno;
        if (pids[i] > 0)
            continue;
        close(start[1]);
        struct worker worker = {.options = options, .process = i, .told = &told[i]};
        worker_run(&worker, ready[1], start[0]);
        exit(0);
    }
    close(ready[1]);
    close(start[0]);
    for (long i = 0; i < options->processes; i++)
        if (read(ready[0], &byte, 1) != 1)
            return -EPIPE;
    close(ready[0]);
    *ret_start = start[1];
    return 0;
}

static int doubles_compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void told_print(const struct options *options, const struct told *told, double began,
                       double daemon_s) {
    size_t n_latencies = 0;
    uint64_t n_orders = 0, n_warnings = 0, n_written = 0;
    double ended = began, clients_s = 0;
    double *latencies = calloc((size_t)options->processes * LATENCIES_MAX, sizeof(*latencies));
    if (!latencies)
        abort();
    for (long i = 0; i < options->processes; i++) {
        memcpy(latencies + n_latencies, told[i].latencies_ms,
               told[i].n_latencies * sizeof(*latencies));
        n_latencies += told[i].n_latencies;
        n_orders += told[i].n_orders;
        n_warnings += told[i].n_warnings;
        n_written += told[i].n_written;
        clients_s += told[i].cpu_s;
        ended = told[i].ended_s > ended ? told[i].ended_s : ended;
    }
    qsort(latencies, n_latencies, sizeof(*latencies), doubles_compare);
    double seconds = ended - began;
    printf("{\"orders\": %llu, \"seconds\": %.6f, \"orders_per_s\": %.1f, \"batch\": %ld, "
           "\"processes\": %ld, \"warnings\": %llu, \"bytes_per_order\": %.1f, "
           "\"clients_cores\": %.3f, \"daemon_cores\": %.3f, "
           "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
           (unsigned long long)n_orders, seconds, (double)n_orders / seconds, options->batch,
           options->processes, (unsigned long long)n_warnings,
           (double)n_written / (double)(n_orders ? n_orders : 1), clients_s / seconds,
           daemon_s / seconds, n_latencies ? latencies[n_latencies / 2] : 0,
           n_latencies ? latencies[n_latencies * 99 / 100] : 0,
           n_latencies ? latencies[n_latencies - 1] : 0);
    free(latencies);
}

static int run(const struct options *options) {
    size_t n_bytes = (size_t)options->processes * sizeof(struct told);
    struct told *told =
        mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[PROCESSES_MAX];
    int start = -1, r;
    if (told == MAP_FAILED)
        return -errno;
    r = workers_start(options, told, pids, &start);
    if (r < 0)
        return r;
    double daemon_before = daemon_cpu_s(options->daemon), began = now_s();
    close(start); /* all read its end at once */
    for (long i = 0; i < options->processes; i++)
        waitpid(pids[i], NULL, 0);
    double daemon_s = daemon_cpu_s(options->daemon) - daemon_before;
    for (long i = 0; i < options->processes && r == 0; i++) {
        r = told[i].r;
        if (r != 0)
            fprintf(stderr, "load: %d: %s\n", r, told[i].message);
    }
    if (r == 0)
        told_print(options, told, began, daemon_s);
    munmap(told, n_bytes);
    return r;
}

/* ----------------------------------------------------------------- report */

static int report_time(struct tb_bank *bank, double *ret_ms, uint64_t *ret_bytes) {
    struct tb_report_ask ask = {.from_day = tb_today() - DAYS_A_YEAR + 1, .to_day = tb_today()};
    char *json = NULL;
    double began = now_s();
    int r = tb_report_get(bank, &ask, &json);
    *ret_ms = (now_s() - began) * 1e3;
    *ret_bytes = json ? strlen(json) : 0;
    free(json);
    return r;
}

static int report(const struct options *options) {
    static double times_ms[RUNS_MAX];
    struct tb_bank *bank = NULL;
    double first_ms = 0;
    uint64_t n_bytes = 0;
    int r = bank_open(options, 0, &bank);
    if (r == 0)
        r = report_time(bank, &first_ms, &n_bytes);
    for (long i = 0; r == 0 && i < options->runs; i++)
        r = report_time(bank, &times_ms[i], &n_bytes);
    if (r != 0)
        fprintf(stderr, "load: %d: %s\n", r, tb_bank_message(bank));
    tb_bank_free(bank);
    if (r != 0)
        return r;
    qsort(times_ms, (size_t)options->runs, sizeof(*times_ms), doubles_compare);
    printf("{\"runs\": %ld, \"first_ms\": %.2f, \"p50_ms\": %.3f, \"max_ms\": %.3f, "
           "\"json_bytes\": %llu}\n",
           options->runs, first_ms, times_ms[options->runs / 2], times_ms[options->runs - 1],
           (unsigned long long)n_bytes);
    return 0;
}

/* ------------------------------------------------------------------- main */

static bool options_read(int argc, char **argv, struct options *options) {
    static const struct option known[] = {
        {"bank", required_argument, NULL, 'b'},    {"key", required_argument, NULL, 'k'},
        {"state", required_argument, NULL, 's'},   {"accounts", required_argument, NULL, 'a'},
        {"batch", required_argument, NULL, 'n'},   {"processes", required_argument, NULL, 'p'},
        {"batches", required_argument, NULL, 'c'}, {"seconds", required_argument, NULL, 't'},
        {"daemon", required_argument, NULL, 'd'},  {"first-round", required_argument, NULL, 'r'},
        {"years", required_argument, NULL, 'y'},   {"orders", required_argument, NULL, 'o'},
        {"runs", required_argument, NULL, 'u'},    {0}};
    long *numbers[128] = {
        ['a'] = &options->accounts, ['n'] = &options->batch,  ['p'] = &options->processes,
        ['c'] = &options->batches,  ['d'] = &options->daemon, ['r'] = &options->first_round,
        ['y'] = &options->years,    ['o'] = &options->orders, ['u'] = &options->runs};
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
    return optind + 1 == argc && options->bank && options->key && options->state &&
           options->accounts > 2 && options->accounts <= 100000 && options->batch > 0 &&
           options->batch <= TB_BATCH_ORDERS_MAX && options->processes > 0 &&
           options->processes <= PROCESSES_MAX && options->accounts % STRIDE != 0 &&
           options->years >= 0 && options->years <= 20 && options->orders > 0 &&
           options->runs > 0 && options->runs <= RUNS_MAX;
}

int main(int argc, char **argv) {
    struct options options = {.accounts = 10000,
                              .batch = TB_BATCH_ORDERS_MAX,
                              .processes = 1,
                              .batches = 1L << 40,
                              .seconds = 1e9,
                              .orders = 1,
                              .runs = 5};
    int r = -EINVAL;

    if (!options_read(argc, argv, &options)) {
        fprintf(stderr,
                "usage: load prepare|run|report --bank ADDRESS --key FILE --state DIRECTORY...\n");
        return 64;
    }
    if (strcmp(argv[optind], "prepare") == 0)
        r = prepare(&options);
    else if (strcmp(argv[optind], "run") == 0)
        r = run(&options);
    else if (strcmp(argv[optind], "report") == 0)
        r = report(&options);
    return r == 0 ? 0 : r > 0 ? 1 : 2;
}
