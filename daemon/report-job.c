/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report on a thread of its own, out of the bank's facts, which catch up with the log first. The
 * loop only starts it and fetches the result.
 */
#include "report-job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "proto/dates.h"
#include "report-changes.h"
#include "report-edges.h"
#include "report-release.h"
#include "report-why.h"
#include "say.h"

struct report_job {
    struct job job;
    struct report_ask ask;
    struct report_ask since; /* of CHANGES */
    Timebank__ReportWhat what;
    bool is_evaluators;
    struct report_release release;
    int began;     /* 0, or why it did not */
    char *measure; /* of WHY */
    uint64_t why_after;
    char *json;
    char why[REPORT_WHY_BYTES]; /* of a refusal; or empty: the table's sentence */
};

#define REPORT_THREADS 2
#define BESIDE_BYTES 8192u /* what travels with a report: signature, position, proofs */

static void set_known_day(const struct facts *facts, struct report_ask *ask) {
    if (ask->known_day == 0)
        ask->known_day = facts_latest_day(facts, ask->size, ask->as_recorded != 0);
}

/* An evaluator asks about what left the bank, and nothing else. */
static int check_released(struct report_job *job, const struct facts *facts,
                          struct report_ask *ask) {
    set_known_day(facts, ask);
    if (!job->is_evaluators || report_release_find(&job->release, ask, ask->known_day))
        return 0;
    snprintf(job->why, sizeof(job->why),
             "That report has not left the bank yet: ask for it first, then with --at its position "
             "and --as-known-at its cut-off.");
    return REFUSAL_CLASS_NOT_YOURS;
}

/* A cut-off after the last entry is that entry's day by another name: what leaves has one. */
static int check_cut_off(struct report_job *job, const struct facts *facts) {
    uint32_t last_day = facts_latest_day(facts, job->ask.size, job->ask.as_recorded != 0);
    char day[16];

    if (!job->release.is_on || job->ask.known_day <= last_day)
        return 0;
    dates_format_iso(last_day, day);
    snprintf(job->why, sizeof(job->why),
             "Nothing was entered after %s: ask with --as-known-at %s, or leave it out.", day, day);
    return REFUSAL_BAD_RELEASE;
}

static int answer_figures(struct report_job *job, const struct facts *facts) {
    int r = check_cut_off(job, facts);

    if (r == 0)
        r = report_make(facts, &job->ask, &job->json);
    return r == 0 && job->release.is_on
               ? report_release_settle(&job->release, facts, &job->ask, &job->json)
               : r;
}

static const struct {
    const char *group;
    const char *key;
} measures[] = {
#define MEASURE(group, key, ...) {#group, key},
#include "proto/measures.def"
#undef MEASURE
};

/* Is it a figure of register_measures, or of a breakdown of them? */
static bool is_of_register(const char *path) {
    static const char object[] = "register_measures/";
    const char *key = strncmp(path, object, strlen(object)) == 0 ? path + strlen(object) : path;
    size_t n = strcspn(key, "/");

    for (size_t i = 0; i < N_ELEMENTS(measures); i++)
        if (strcmp(measures[i].group, "OF_REGISTER") == 0 && strlen(measures[i].key) == n &&
            strncmp(measures[i].key, key, n) == 0)
            return true;
    return false;
}

/* Such a figure is that of today: what left is told with the report, or not any more. */
static int answer_why(struct report_job *job, const struct facts *facts) {
    if (!job->is_evaluators || !is_of_register(job->measure))
        return report_why_make(facts, &job->ask, job->measure, job->why_after, &job->json);
    snprintf(job->why, sizeof(job->why),
             "What rests on where people live changes as they move, and is told with the report "
             "only: leave --why out.");
    return REFUSAL_CLASS_NOT_YOURS;
}

static int answer_changes(struct report_job *job, const struct facts *facts) {
    int r = check_released(job, facts, &job->since);

    if (r != 0)
        return r;
    return report_changes_make(
        facts, &(struct report_changes_ask){.now = job->ask, .since = job->since}, &job->json);
}

/* What is asked for, out of the facts. */
static int answer(struct report_job *job, const struct facts *facts) {
    int r = 0;

    free(job->json); /* of facts that were damaged */
    job->json = NULL;
    if (job->what != TIMEBANK__REPORT_WHAT__FIGURES)
        r = check_released(job, facts, &job->ask);
    if (r != 0)
        return r;
    switch (job->what) {
    case TIMEBANK__REPORT_WHAT__FIGURES:
        return answer_figures(job, facts);
    case TIMEBANK__REPORT_WHAT__WHY:
        return answer_why(job, facts);
    case TIMEBANK__REPORT_WHAT__CHANGES:
        return answer_changes(job, facts);
    case TIMEBANK__REPORT_WHAT__EDGES:
        return report_edges_make(facts, &job->ask, &job->json);
    default:
        return REFUSAL_BAD_REQUEST;
    }
}

/* What is to leave is held beside what left before, at later positions, too: the facts have to
 * reach as far. */
static int begin_facts(struct report_job *job, const struct facts **ret) {
    struct projection *projection = job->job.bank->projection;
    const atomic_bool *is_cancelled = &job->job.is_cancelled;
    uint64_t last = 0;
    struct hash root;
    int r = 0;

    for (size_t i = 0; i < job->release.n_before; i++)
        last = MAX_OF(last, job->release.before[i].row.size);
    if (last > job->ask.size)
        r = projection_begin(projection, last, is_cancelled, ret, &root);
    if (last > job->ask.size && r == 0)
        projection_end(projection);
    return r == 0 ? projection_begin(projection, job->ask.size, is_cancelled, ret, &job->ask.root)
                  : r;
}

/* Damaged facts are made anew, once. */
static int make(struct report_job *job) {
    struct projection *projection = job->job.bank->projection;
    const struct facts *facts;
    int r = -EUCLEAN;

    if (job->began != 0)
        return job->began;
    for (int i = 0; r == -EUCLEAN && i < 2; i++) {
        if (i > 0)
            projection_discard(projection);
        r = begin_facts(job, &facts);
        if (r != 0)
            return r;
        r = answer(job, facts);
        projection_end(projection);
    }
    return r;
}

static int work(struct job *job) {
    return make((struct report_job *)job);
}

static void begin(struct job *job) {
    struct report_job *report = (struct report_job *)job;

    if (report->ask.size == 0)
        report->ask.size = log_head(job->bank->log)->size;
    if (report->release.is_on || report->is_evaluators)
        report->began = report_release_begin(&report->release, job->bank);
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

static int respond_release(struct report_job *job, Timebank__Report *report) {
    report_release_offer(&job->release, job->job.bank);
    report->release.data = job->release.message.data;
    report->release.len = job->release.message.n;
    return 0;
}

static int respond_json(struct report_job *job, struct call *call, Timebank__Report *report) {
    report->json.data = (uint8_t *)job->json;
    report->json.len = strlen(job->json);
    return sign(job->job.bank, job->json, call->arena, report);
}

/* Who asked would be dropped without a word, and ask again. */
static bool is_too_long(const struct report_job *job) {
    uint64_t max = job->job.bank->settings.reply_max_bytes;

    return job->json && max > 0 && strlen(job->json) + BESIDE_BYTES > max;
}

/* Whatever a report met, entries go on: a store that is damaged is found by whoever writes to it.
 */
static int refuse(const struct report_job *job, int r, struct call *call) {
    bool is_refused = r > 0;

    if (r == -ENOMEM || r == -EOVERFLOW)
        r = REFUSAL_TOO_MANY_ROWS;
    if (r < 0) {
        say("a report could not be made (%s); entries are taken as before: run timebankd check "
            "--full once it can be stopped",
            strerror(-r));
        r = REFUSAL_REPORT_FAILED;
    }
    return call_refuse(call, r, is_refused && job->why[0] != '\0' ? job->why : NULL);
}

static int respond(struct job *job, int r, struct call *call) {
    Timebank__Report *report = arena_alloc(call->arena, sizeof(*report));
    struct report_job *of_report = (struct report_job *)job;

    if (r != 0)
        return refuse(of_report, r, call);
    if (!report)
        return -ENOMEM;
    if (is_too_long(of_report))
        return call_refuse(call, REFUSAL_TOO_MANY_ROWS,
                           "The answer is longer than the setting queue_max_kib allows: shorten "
                           "the period, or raise it.");
    timebank__report__init(report);
    r = of_report->json ? respond_json(of_report, call, report)
                        : respond_release(of_report, report);
    if (r < 0)
        return refuse(of_report, r, call);
    call->response->report = report;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_REPORT;
    return 0;
}

static void free_job(struct job *job) {
    report_release_fini(&((struct report_job *)job)->release);
    free(((struct report_job *)job)->measure);
    free(((struct report_job *)job)->json);
    free(job);
}

int report_job_new(struct job **ret_job, const struct call *call,
                   Timebank__ReportClass report_class, bool is_evaluators) {
    const Timebank__AskReport *ask = call->request->report;
    struct report_job *report = calloc(1, sizeof(*report));
    struct bank *bank = call->bank;

    if (!report)
        return -ENOMEM;
    report->job = (struct job){
        .begin = begin, .work = work, .respond = respond, .free = free_job, .bank = bank};
    report->what = ask->what;
    report->measure = strdup(ask->why);
    if (!report->measure) {
        free(report);
        return -ENOMEM;
    }
    report->why_after = ask->why_after;
    report->is_evaluators = is_evaluators;
    report->release.is_on = ask->release || is_evaluators;
    report->release.is_as_it_stands = ask->known_day == 0 && ask->at_size == 0;
    memcpy(report->release.author, call->who.key, SSHSIG_PUBLIC_BYTES);
    report->ask = (struct report_ask){
        .from_day = ask->from_day,
        .to_day = ask->to_day,
        .known_day = ask->known_day,
        .as_recorded = ask->as_recorded,
        .report_class = report_class,
        .year_begins = (unsigned)state_policy_number(bank_state(bank), "report-year-begins", 0),
        .size = ask->at_size,
        .bank = keyring_verifier(bank->keyring)->name,
        .n_threads = bank->settings.log.inline_commits ? 1 : REPORT_THREADS,
        .is_cancelled = &report->job.is_cancelled,
        .ret_why = report->why};
    report->since = report->ask;
    report->since.known_day = ask->since_known_day;
    report->since.as_recorded = ask->since_as_recorded;
    report->since.size = ask->since_size;
    *ret_job = &report->job;
    return 0;
}
