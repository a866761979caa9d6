/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of `load` share: its options, what each of its processes tells, and the members
 * that it calls its accounts. load.c has the usage.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>
#include <timebank.h>

#define LOAD_PROCESSES_MAX 64
#define LOAD_CODE_BYTES 24
#define LOAD_LATENCIES_MAX 131072 /* even */
#define LOAD_ACTIVITIES 20
#define LOAD_DAYS_A_YEAR 365
#define LOAD_RUNS_MAX 1000
#define LOAD_STRIDE 7919 /* a prime: accounts are met in no order */

struct load_options {
    const char *bank;
    const char *key;
    const char *state;
    long accounts;
    long batch;
    long processes;
    long clients;   /* of each process */
    long in_flight; /* of each client */
    long batches;   /* of each process */
    double seconds;
    long daemon;
    long first_round; /* runs on one ledger take rounds that none before had */
    long years;       /* 0: dates of service of the last days */
    long days;
    long orders;
    long runs;
};

/* What a process tells, in memory shared with the parent. */
struct load_told {
    int r;
    char message[256];
    uint64_t n_done; /* orders, or answers to questions */
    uint64_t n_warnings;
    uint64_t n_written;  /* bytes of the outbox and the pins */
    uint64_t next_round; /* that no order of this process was of */
    double cpu_s;
    double ended_s;
    uint64_t n_calls;
    uint64_t every; /* each so manieth latency is kept */
    size_t n_latencies;
    double latencies_ms[LOAD_LATENCIES_MAX];
};

struct load_worker {
    const struct load_options *options;
    long process;
    struct load_told *told;
    uint32_t today;
    char (*codes)[LOAD_CODE_BYTES];
    struct tb_order order; /* the fields that all have are filled in */
    uint64_t n_made;
    long n_batches;
    struct tb_balance balance;
};

/* A call under way. */
struct load_slot {
    struct tb_call *call;
    struct tb_batch *batch;
    double began_s;
};

/* What is asked again and again: start puts a call into the slot (-ECANCELED: nothing more to ask);
 * end hears of one that ended 0, and leaves freeing the call to the caller. */
struct load_work {
    int (*start)(struct load_worker *worker, struct tb_bank *bank, struct load_slot *slot);
    int (*end)(struct load_worker *worker, struct load_slot *slot);
};

double load_now_s(void);
/* CPU time of a process so far; 0 for none. */
double load_cpu_s(long pid);
int load_doubles_compare(const void *a, const void *b);
/* A bank with a state of its own, number n below --state. */
int load_bank_open(const struct load_options *options, long n, struct tb_bank **ret_bank);
const char *load_activity(uint64_t i);

/* load-drive.c: keeps --in-flight calls under way on --clients banks of this process until
 * --seconds are over or there is nothing more to ask, then waits for the last. Opens them before it
 * says that it is ready. */
void load_drive(struct load_worker *worker, const struct load_work *work, int ready, int start);
/* load-crew.c: --processes of load_drive(), started at once; prints what they told. */
int load_crew(const struct load_options *options, const struct load_work *work);

/* The verbs. */
int load_prepare(const struct load_options *options);
int load_run(const struct load_options *options);
int load_read(const struct load_options *options);
int load_wait(const struct load_options *options);
int load_idle(const struct load_options *options);
int load_report(const struct load_options *options);

#endif
