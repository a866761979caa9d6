/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report on a thread of its own: one bounded read of the log up to a signed position and one of
 * the register, then measures without I/O. The loop only starts it and fetches the result.
 */
#include "report-job.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "report.h"

struct report_job {
    struct bank *bank;
    struct report_ask ask;
    char origin[NOTE_ORIGIN_MAX + 1];
    pthread_t thread;
    bool has_thread;
    atomic_bool is_done;
    atomic_bool is_cancelled;
    int done_fd;
    int r;
    char *json;
};

#define READ_ENOUGH 1

struct reading {
    const struct report_job *job;
    struct facts *facts;
    struct store_read *read;
    uint64_t size;
    struct fact_leg *legs; /* of the record being read */
    size_t n_legs_allocated;
};

static void reading_fini(struct reading *reading) {
    free(reading->legs);
}

static int keep_leg(struct reading *reading, size_t n, const struct run_leg *leg) {
    void *legs = reading->legs;
    int r = intern_grow(&legs, n, &reading->n_legs_allocated, sizeof(*reading->legs));

    reading->legs = legs;
    if (r == 0)
        reading->legs[n] = (struct fact_leg){leg->account, leg->minutes, leg->held_after};
    return r;
}

/* What record i of the run did: orders follow their seal, events stand by themselves. */
static int read_legs(struct reading *reading, const struct run *run, uint32_t i,
                     struct store_value after, size_t *ret_n) {
    bool is_event = run_record(run, 0, &(size_t){0})[0] == RECORD_EVENT;
    struct run_leg leg;
    size_t at = 0, n = 0;
    int r = 0;

    if (!after.data || (!is_event && i == 0)) {
        *ret_n = 0;
        return 0;
    }
    while ((r = runs_after_next(after, is_event ? i : i - 1, run->first + i, &at, &leg)) > 0) {
        r = keep_leg(reading, n++, &leg);
        if (r < 0)
            break;
    }
    *ret_n = n;
    return r;
}

static int add_run(void *user, struct store_value key, struct store_value value) {
    struct reading *reading = user;
    struct store_value after = {0};
    struct run run;
    int r = run_parse(&run, key, value);

    if (atomic_load(&reading->job->is_cancelled))
        return -ECANCELED;
    if (r == 0)
        r = store_get(reading->read, RUNS_AFTER, key.data, key.n, &after);
    r = MIN_OF(r, 0);
    for (uint32_t i = 0; r == 0 && i < run.n && run.first + i < reading->size; i++) {
        size_t n, n_legs;
        const uint8_t *record = run_record(&run, i, &n);
        r = read_legs(reading, &run, i, after, &n_legs);
        if (r == 0)
            r = facts_add(reading->facts, run.first + i, record, n, reading->legs, n_legs);
    }
    if (r == 0 && run.first + run.n > reading->size)
        return REFUSAL_NO_SUCH_POSITION; /* in the middle of a batch: no head was signed there */
    return r == 0 && run.first + run.n == reading->size ? READ_ENOUGH : r;
}

static int add_ward(void *user, const char *code, const char *ward) {
    return facts_set_ward(user, code, ward);
}

static int make(struct report_job *job) {
    _cleanup_(facts_freep) struct facts *facts = NULL;
    _cleanup_(store_read_endp) struct store_read *read = NULL;
    struct merkle_range range;
    _cleanup_(reading_fini) struct reading reading = {.job = job, .size = job->ask.size};
    int r = facts_new(&facts);

    if (r == 0)
        r = store_read_begin(log_store(job->bank->log), &read);
    if (r < 0)
        return r;
    reading.facts = facts;
    reading.read = read;
    r = store_each(read, RUNS_LOG, NULL, 0, add_run, &reading);
    if (r != READ_ENOUGH)
        return r;
    r = runs_range(read, job->ask.size, &range);
    read = store_read_end(read);
    if (r == 0)
        r = people_each_ward(job->bank->people, add_ward, facts);
    if (r < 0)
        return r;
    job->ask.root = merkle_range_root(&range);
    return report_make(facts, &job->ask, &job->json);
}

static void finish(struct report_job *job) {
    const uint64_t one = 1;

    atomic_store(&job->is_done, true);
    if (write(job->done_fd, &one, sizeof(one)) < 0)
        abort(); /* an eventfd of ours */
}

static void *run(void *user) {
    struct report_job *job = user;

    job->r = make(job);
    finish(job);
    return NULL;
}

int report_job_new(struct report_job **ret_job, struct bank *bank, const Timebank__AskReport *ask) {
    struct report_job *job = calloc(1, sizeof(*job));

    if (!job)
        return -ENOMEM;
    job->bank = bank;
    job->ask = (struct report_ask){.from_day = ask->from_day,
                                   .to_day = ask->to_day,
                                   .known_day = ask->known_day,
                                   .as_recorded = ask->as_recorded,
                                   .size = ask->at_size,
                                   .bank = keyring_verifier(bank->keyring)->name};
    *ret_job = job;
    return 0;
}

struct report_job *report_job_free(struct report_job *job) {
    if (!job)
        return NULL;
    atomic_store(&job->is_cancelled, true); /* a stop does not wait for fifty million records */
    if (job->has_thread)
        pthread_join(job->thread, NULL);
    free(job->json);
    free(job);
    return NULL;
}

void report_job_start(struct report_job *job, int done_fd) {
    job->done_fd = done_fd;
    if (job->ask.size == 0)
        job->ask.size = log_head(job->bank->log)->size;
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

bool report_job_is_done(struct report_job *job) {
    return atomic_load(&job->is_done);
}

int report_job_result(struct report_job *job, const char **ret_json) {
    if (job->has_thread) {
        pthread_join(job->thread, NULL);
        job->has_thread = false;
    }
    if (job->r == 0)
        *ret_json = job->json;
    return job->r;
}
