/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report has left the bank: its question, position and checksum stand in the log, so that it is
 * given again for ever. Whether these are the figures, and whether they may leave beside those that
 * left before, is looked at before the order gets here (report-release.h): it follows from more
 * than the state.
 */
#include <string.h>

#include "base/bytes.h"
#include "proto/dates.h"
#include "rules.h"

#define RELEASES_A_DAY 100
#define LAST_DAY 2932896u /* 9999-12-31: what a date can say */

bool rules_release_is_within(Timebank__ReportClass a, Timebank__ReportClass b) {
    return b >= a;
}

/* An evaluator's key releases what it may read: reports of its class, or of a stricter one. */
static int check_class(struct rule *rule, Timebank__ReportClass report_class) {
    const struct ledger_author *author = rule->batch->author;

    if (report_class != TIMEBANK__REPORT_CLASS__FOR_FUNDER &&
        report_class != TIMEBANK__REPORT_CLASS__FOR_PUBLIC)
        return rule_refuse(rule, REFUSAL_BAD_RELEASE, "report_class",
                           "Only reports of the class funder or public leave the bank: choose one "
                           "with --class.");
    if (author->role == TIMEBANK__ROLE__EVALUATOR &&
        !rules_release_is_within(author->report_class, report_class))
        return rule_refuse(rule, REFUSAL_CLASS_NOT_YOURS, "report_class", NULL);
    return 0;
}

static int check_period(struct rule *rule, const Timebank__ReleaseReport *release) {
    if (release->from_day > release->to_day || release->to_day > LAST_DAY)
        return rule_refuse(rule, REFUSAL_BAD_PERIOD, "to_day", NULL);
    if (release->known_day == 0 || release->known_day > LAST_DAY)
        return rule_refuse(rule, REFUSAL_BAD_RELEASE, "known_day", NULL);
    return 0;
}

static int check_position(struct rule *rule, const Timebank__ReleaseReport *release) {
    if (release->size == 0 || release->size > rule->index)
        return rule_refuse(rule, REFUSAL_NO_SUCH_POSITION, "size", NULL);
    if (release->root.len != HASH_BYTES)
        return rule_refuse(rule, REFUSAL_BAD_RELEASE, "root", NULL);
    if (release->checksum.len != HASH_BYTES)
        return rule_refuse(rule, REFUSAL_BAD_RELEASE, "checksum", NULL);
    return release->register_checksum.len == HASH_BYTES
               ? 0
               : rule_refuse(rule, REFUSAL_BAD_RELEASE, "register_checksum", NULL);
}

/* What one key releases in a day, so that none fills the log. */
static int check_number(struct rule *rule) {
    size_t n = 0;

    for (struct state *s = rule->state; s; s = s->below)
        for (const struct row *row = rows_next(&s->tables[STATE_RELEASES], NULL); row;
             row = rows_next(&s->tables[STATE_RELEASES], row)) {
            const struct state_release *release = (const void *)row->value;
            n += release->day == rule->today &&
                 memcmp(release->author, rule->batch->author->key, SSHSIG_PUBLIC_BYTES) == 0;
        }
    return n < RELEASES_A_DAY
               ? 0
               : rule_refuse(rule, REFUSAL_BAD_RELEASE, "",
                             "This key released %d reports today: ask for one of them, or wait "
                             "until tomorrow.",
                             RELEASES_A_DAY);
}

static int check(struct rule *rule, const Timebank__ReleaseReport *release) {
    int r = check_class(rule, release->report_class);

    if (r == 0 && strcmp(release->definition, RECORD_REPORT_DEFINITION) != 0)
        r = rule_refuse(rule, REFUSAL_BAD_RELEASE, "definition",
                        "This bank does not know that set of measures: update timebankd.");
    if (r == 0)
        r = check_period(rule, release);
    if (r == 0)
        r = check_position(rule, release);
    /* Its author's words would stay beside the ledger, and nobody has looked at them. */
    if (r == 0 && rule->order->note.len > 0 && !rule_is_broker(rule))
        r = rule_refuse(rule, REFUSAL_REASON_NOT_KEPT, "note", NULL);
    return r == 0 ? check_number(rule) : r;
}

int rules_release(struct rule *rule) {
    const Timebank__ReleaseReport *release = rule->order->release_report;
    struct state_release *row;
    uint8_t key[8];
    void *value;
    int r = check(rule, release);

    if (r != 0)
        return r;
    be64_put(key, rule->index);
    r = state_make(rule->state, STATE_RELEASES, key, sizeof(key), &value);
    if (r < 0)
        return r;
    row = value;
    row->report_class = (uint8_t)release->report_class;
    row->as_recorded = release->as_recorded ? 1 : 0;
    row->from_day = release->from_day;
    row->to_day = release->to_day;
    row->known_day = release->known_day;
    row->day = rule->today;
    row->size = release->size;
    memcpy(row->root, release->root.data, HASH_BYTES);
    memcpy(row->checksum, release->checksum.data, HASH_BYTES);
    memcpy(row->register_checksum, release->register_checksum.data, HASH_BYTES);
    memcpy(row->author, rule->batch->author->key, SSHSIG_PUBLIC_BYTES);
    return 0;
}

int rules_release_check_policy(struct rule *rule, const char *name) {
    if (strcmp(name, "report-year-begins") != 0 || !state_has_any(rule->state, STATE_RELEASES))
        return 0;
    return rule_refuse(rule, REFUSAL_POLICY_FIXED, "name", NULL);
}
