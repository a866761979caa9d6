/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several processes, which open their banks in their own time and then begin at once. What each
 * tells stands in memory that all share, and is printed as one JSON object.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

static int worker_init(struct load_worker *worker) {
    const struct load_options *options = worker->options;
    worker->codes = calloc((size_t)options->accounts, sizeof(*worker->codes));
    if (!worker->codes)
        return -ENOMEM;
    for (long i = 0; i < options->accounts; i++)
        snprintf(worker->codes[i], sizeof(worker->codes[i]), "m%05ld", i);
    worker->today = tb_today();
    return 0;
}

static int worker_run(struct load_worker *worker, const struct load_work *work, int ready,
                      int start) {
    int r = worker_init(worker);
    if (r != 0)
        return r;
    load_drive(worker, work, ready, start);
    free(worker->codes);
    return 0;
}

static int workers_start(const struct load_options *options, const struct load_work *work,
                         struct load_told *told, pid_t *pids, int *ret_start) {
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
        struct load_worker worker = {.options = options, .process = i, .told = &told[i]};
        exit(worker_run(&worker, work, ready[1], start[0]) == 0 ? 0 : 2);
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

/* What all told together. */
struct sums {
    uint64_t n_done, n_warnings, n_written, next_round;
    double clients_s, seconds;
    size_t n_latencies;
    double *latencies_ms;
};

static void sums_add(struct sums *sums, const struct load_told *told, double began_s) {
    memcpy(sums->latencies_ms + sums->n_latencies, told->latencies_ms,
           told->n_latencies * sizeof(*sums->latencies_ms));
    sums->n_latencies += told->n_latencies;
    sums->n_done += told->n_done;
    sums->n_warnings += told->n_warnings;
    sums->n_written += told->n_written;
    sums->clients_s += told->cpu_s;
    if (told->next_round > sums->next_round)
        sums->next_round = told->next_round;
    if (told->ended_s - began_s > sums->seconds)
        sums->seconds = told->ended_s - began_s;
}

static double latency_at(const struct sums *sums, size_t percent) {
    size_t at = sums->n_latencies * percent / 100;
    if (sums->n_latencies == 0)
        return 0;
    return sums->latencies_ms[at < sums->n_latencies ? at : sums->n_latencies - 1];
}

/* "orders" are what is counted: a question is one, too. */
static void sums_print(const struct sums *sums, const struct load_options *options,
                       double daemon_s) {
    double n = sums->n_done ? (double)sums->n_done : 1, seconds = sums->seconds;
    printf("{\"orders\": %llu, \"seconds\": %.6f, \"orders_per_s\": %.1f, \"batch\": %ld, "
           "\"processes\": %ld, \"clients\": %ld, \"in_flight\": %ld, \"warnings\": %llu, "
           "\"next_round\": %llu, \"bytes_per_order\": %.1f, ",
           (unsigned long long)sums->n_done, seconds, (double)sums->n_done / seconds,
           options->batch, options->processes, options->clients, options->in_flight,
           (unsigned long long)sums->n_warnings, (unsigned long long)sums->next_round,
           (double)sums->n_written / n);
    printf("\"clients_cores\": %.3f, \"daemon_cores\": %.3f, \"clients_us_per_order\": %.3f, "
           "\"daemon_us_per_order\": %.3f, \"p50_ms\": %.4f, \"p99_ms\": %.4f, \"max_ms\": %.4f}\n",
           sums->clients_s / seconds, daemon_s / seconds, sums->clients_s / n * 1e6,
           daemon_s / n * 1e6, latency_at(sums, 50), latency_at(sums, 99), latency_at(sums, 100));
}

static int told_print(const struct load_options *options, const struct load_told *told,
                      double began_s, double daemon_s) {
    struct sums sums = {.next_round = (uint64_t)options->first_round};
    for (long i = 0; i < options->processes; i++)
        if (told[i].r != 0) {
            fprintf(stderr, "load: %d: %s\n", told[i].r, told[i].message);
            return told[i].r;
        }
    sums.latencies_ms =
        calloc((size_t)options->processes * LOAD_LATENCIES_MAX, sizeof(*sums.latencies_ms));
    if (!sums.latencies_ms)
        return -ENOMEM;
    for (long i = 0; i < options->processes; i++)
        sums_add(&sums, &told[i], began_s);
    qsort(sums.latencies_ms, sums.n_latencies, sizeof(*sums.latencies_ms), load_doubles_compare);
    sums_print(&sums, options, daemon_s);
    free(sums.latencies_ms);
    return 0;
}

int load_crew(const struct load_options *options, const struct load_work *work) {
    size_t n_bytes = (size_t)options->processes * sizeof(struct load_told);
    struct load_told *told =
        mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[LOAD_PROCESSES_MAX];
    int start = -1;
    if (told == MAP_FAILED)
        return -errno;
    int r = workers_start(options, work, told, pids, &start);
    if (r < 0)
        return r;
    double daemon_before_s = load_cpu_s(options->daemon), began_s = load_now_s();
    close(start); /* all read its end at once */
    for (long i = 0; i < options->processes; i++) {
        int status = 0;
        waitpid(pids[i], &status, 0);
        if (status != 0)
            r = -EPIPE;
    }
    double daemon_s = load_cpu_s(options->daemon) - daemon_before_s;
    if (r == 0)
        r = told_print(options, told, began_s, daemon_s);
    munmap(told, n_bytes);
    return r;
}
