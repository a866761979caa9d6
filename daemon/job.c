/* SPDX-License-Identifier: Apache-2.0 */
/* A thread, an eventfd, and who frees what. Where commits are inline, jobs are, too. */
#include "job.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* On a machine that is short of cores, entries go before reports and backups. */
#define JOB_NICE 5

static void finish(struct job *job) {
    const uint64_t one = 1;

    atomic_store(&job->is_done, true);
    if (write(job->done_fd, &one, sizeof(one)) < 0)
        abort(); /* an eventfd of ours */
}

static void *run(void *user) {
    struct job *job = user;

    if (!job->bank->settings.log.inline_commits)
        (void)setpriority(PRIO_PROCESS, 0, JOB_NICE); /* of this thread; it works without, too */
    job->r = job->work(job);
    finish(job);
    return NULL;
}

static void join(struct job *job) {
    if (job->has_thread)
        pthread_join(job->thread, NULL);
    job->has_thread = false;
}

struct job *job_free(struct job *job) {
    if (!job)
        return NULL;
    atomic_store(&job->is_cancelled, true); /* a stop does not wait for fifty million records */
    join(job);
    job->free(job);
    return NULL;
}

void job_start(struct job *job, int done_fd) {
    job->done_fd = done_fd;
    if (job->begin)
        job->begin(job);
    if (job->bank->settings.log.inline_commits) {
        run(job);
        return;
    }
    job->has_thread = pthread_create(&job->thread, NULL, run, job) == 0;
    if (!job->has_thread) {
        job->r = REFUSAL_TRY_LATER;
        finish(job);
    }
}

bool job_is_done(struct job *job) {
    return atomic_load(&job->is_done);
}

int job_respond(struct job *job, struct call *call) {
    join(job);
    return job->respond(job, job->r, call);
}
