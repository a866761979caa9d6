/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What takes longer than a turn of the loop, on a thread of its own: the loop starts it, once what
 * its reply reflects is durable, and fetches the outcome when the eventfd tells that it ended. Each
 * kind of job begins with a struct job, and frees itself.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "bank.h"

struct call;

struct job {
    /* On the loop, before the thread; may be NULL. */
    void (*begin)(struct job *job);
    /* On the thread: 0 done, > 0 refused, < 0 broken. It ends early where is_cancelled is set. */
    int (*work)(struct job *job);
    /* On the loop, afterwards: puts what came of it (r as work() returned it) into the response.
     * The call has a bank, an arena and a response, no more. */
    int (*respond)(struct job *job, int r, struct call *call);
    /* On the loop, with no thread left. */
    void (*free)(struct job *job);
    struct bank *bank;
    atomic_bool is_cancelled;
    /* job.c's own */
    pthread_t thread;
    bool has_thread;
    atomic_bool is_done;
    int done_fd;
    int r;
};

/* Waits for its thread. */
struct job *job_free(struct job *job);
/* done_fd (an eventfd) is written to when it ends. */
void job_start(struct job *job, int done_fd);
bool job_is_done(struct job *job);
int job_respond(struct job *job, struct call *call) TB_MUST_CHECK;
