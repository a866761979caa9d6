/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report on a thread of its own: one bounded read of the log up to a signed position and one of
 * the register, then measures without I/O. The loop only starts it and fetches the result.
 */
#include "report-job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "report.h"

struct report_job {
    struct job job;
    struct report_ask ask;
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

/* What an order is about stands before it. */
static int read_record(void *user, uint64_t index, struct bytes *to) {
    struct reading *reading = user;
    struct run run;
    int r = runs_find(reading->read, index, &run);
    size_t n;

    if (r > 0) {
        const uint8_t *record = run_record(&run, (uint32_t)(index - run.first), &n);
        bytes_put(to, record, n);
    }
    return r;
}

static int add_run(void *user, struct store_value key, struct store_value value) {
    struct reading *reading = user;
    struct store_value after = {0};
    struct run run;
    int r = run_parse(&run, key, value);

    if (atomic_load(&reading->job->job.is_cancelled))
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

static int add_person(void *user, const char *code, const struct people_person *person) {
    int r = facts_set_ward(user, code, person->ward);
    return r == 0 ? facts_set_age_band(user, code, person->age_band) : r;
}

static int make(struct report_job *job) {
    _cleanup_(facts_freep) struct facts *facts = NULL;
    _cleanup_(store_read_endp) struct store_read *read = NULL;
    struct merkle_range range;
    _cleanup_(reading_fini) struct reading reading = {.job = job, .size = job->ask.size};
    int r = facts_new(&facts);

    if (r == 0)
        r = store_read_begin(log_store(job->job.bank->log), &read);
    if (r < 0)
        return r;
    reading.facts = facts;
    reading.read = read;
    facts_set_source(facts, &(struct facts_source){read_record, &reading});
    r = store_each(read, RUNS_LOG, NULL, 0, add_run, &reading);
    if (r != READ_ENOUGH)
        return r;
    r = runs_range(read, job->ask.size, &range);
    read = store_read_end(read);
    if (r == 0)
        r = people_each_person(job->job.bank->people, add_person, facts);
    if (r < 0)
        return r;
    job->ask.root = merkle_range_root(&range);
    return report_make(facts, &job->ask, &job->json);
}

static int work(struct job *job) {
    return make((struct report_job *)job);
}

static void begin(struct job *job) {
    struct report_job *report = (struct report_job *)job;

    if (report->ask.size == 0)
        report->ask.size = log_head(job->bank->log)->size;
}

/* By the newest key, over the bytes that `timebank report --format json` prints: the newline takes
 * the place of the NUL while they are signed. */
static int sign(struct bank *bank, char *json, struct arena *arena, Timebank__Report *report) {
    const struct keyring_key *key = log_signers(bank->log)->keys[0];
    uint8_t *signature = arena_alloc(arena, SSHSIG_SIGNATURE_BYTES);
    uint8_t *public_key = arena_alloc(arena, NOTE_KEY_BYTES);
    size_t n = strlen(json);
    int r;

    if (!signature || !public_key)
        return -ENOMEM;
    json[n] = '\n';
    r = keyring_sign_report(key, json, n + 1, signature);
    json[n] = '\0';
    memcpy(public_key, keyring_key_verifier(key)->key, NOTE_KEY_BYTES);
    report->signature = (ProtobufCBinaryData){SSHSIG_SIGNATURE_BYTES, signature};
    report->key = (ProtobufCBinaryData){NOTE_KEY_BYTES, public_key};
    return r;
}

static int respond(struct job *job, int r, struct call *call) {
    Timebank__Report *report = arena_alloc(call->arena, sizeof(*report));
    char *json = ((struct report_job *)job)->json;

    if (r == -ENOMEM || r == -EOVERFLOW) /* as large as that: the bank itself is well */
        r = REFUSAL_TOO_MANY_ROWS;
    if (r > 0)
        return call_refuse(call, r, NULL);
    if (r < 0 || !report)
        return r < 0 ? r : -ENOMEM;
    timebank__report__init(report);
    r = sign(job->bank, json, call->arena, report);
    if (r < 0)
        return r;
    report->json.data = (uint8_t *)json;
    report->json.len = strlen(json);
    call->response->report = report;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_REPORT;
    return 0;
}

static void free_job(struct job *job) {
    free(((struct report_job *)job)->json);
    free(job);
}

int report_job_new(struct job **ret_job, struct bank *bank, const Timebank__AskReport *ask) {
    struct report_job *report = calloc(1, sizeof(*report));

    if (!report)
        return -ENOMEM;
    report->job = (struct job){
        .begin = begin, .work = work, .respond = respond, .free = free_job, .bank = bank};
    report->ask = (struct report_ask){.from_day = ask->from_day,
                                      .to_day = ask->to_day,
                                      .known_day = ask->known_day,
                                      .as_recorded = ask->as_recorded,
                                      .size = ask->at_size,
                                      .bank = keyring_verifier(bank->keyring)->name};
    *ret_job = &report->job;
    return 0;
}
