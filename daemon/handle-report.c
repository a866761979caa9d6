/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking for a report: what can be refused at once is; the rest is a job (report-job.c). Who gets
 * which class, and what besides the figures, is decided here and nowhere else.
 */
#include "handlers.h"
#include "report-hide.h"
#include "report-job.h"
#include "rules.h"

#define CLASS(name) TIMEBANK__REPORT_CLASS__##name
#define WHAT(name) TIMEBANK__REPORT_WHAT__##name

static int refuse(int refusal, const char *why, const char **ret_why) {
    *ret_why = why;
    return refusal;
}

static bool is_evaluator(const struct call *call) {
    return access_right(call->who.role, TIMEBANK__REQUEST__BODY_REPORT) != ACCESS_ALL;
}

/* The class that the key gets; CLASS_NONE: not the one it asked for. */
static Timebank__ReportClass choose_class(const struct call *call) {
    Timebank__ReportClass asked = call->request->report->report_class;

    if (asked > CLASS(FOR_PUBLIC))
        return CLASS(CLASS_NONE);
    if (!is_evaluator(call))
        return asked == CLASS(CLASS_NONE) ? CLASS(INTERNAL) : asked;
    if (asked == CLASS(CLASS_NONE))
        return call->who.report_class;
    return rules_release_is_within(call->who.report_class, asked) ? asked : CLASS(CLASS_NONE);
}

static int check_edges(const struct call *call, Timebank__ReportClass report_class,
                       const char **ret_why) {
    if (call->request->report->what != WHAT(EDGES))
        return 0;
    if (is_evaluator(call))
        return refuse(REFUSAL_NO_AUTHORITY,
                      "An evaluator's key gets figures, not who exchanged with whom: ask a broker.",
                      ret_why);
    return report_class == CLASS(INTERNAL)
               ? 0
               : refuse(REFUSAL_CLASS_NOT_YOURS,
                        "Who exchanged with whom is for use inside the bank: leave --class out.",
                        ret_why);
}

static int check_class(const struct call *call, Timebank__ReportClass report_class,
                       const char **ret_why) {
    const Timebank__AskReport *ask = call->request->report;

    if (report_class == CLASS(CLASS_NONE))
        return REFUSAL_CLASS_NOT_YOURS;
    if (ask->what > WHAT(EDGES) || (ask->release && ask->what != WHAT(FIGURES)))
        return REFUSAL_BAD_REQUEST;
    if (ask->release && call->who.role == TIMEBANK__ROLE__AUDITOR)
        return refuse(REFUSAL_NO_AUTHORITY,
                      "An auditor's key releases no report: ask a broker for it.", ret_why);
    if (ask->release && report_class == CLASS(INTERNAL))
        return refuse(REFUSAL_BAD_RELEASE,
                      "Only reports of the class funder or public leave the bank: choose one with "
                      "--class.",
                      ret_why);
    return check_edges(call, report_class, ret_why);
}

static int check_question(const struct call *call, const char **ret_why) {
    const Timebank__AskReport *ask = call->request->report;
    uint64_t now = log_head(call->bank->log)->size, size = ask->at_size ? ask->at_size : now;

    if (ask->to_day < ask->from_day || ask->to_day - ask->from_day > REPORT_DAYS_MAX)
        return REFUSAL_BAD_PERIOD;
    if (size > now)
        return REFUSAL_NO_SUCH_POSITION;
    if (ask->what == WHAT(CHANGES) && (ask->since_size == 0 || ask->since_size > size))
        return refuse(REFUSAL_NO_SUCH_POSITION,
                      "The report to compare with is not of an earlier position of this ledger: "
                      "name an older one.",
                      ret_why);
    return size > call->bank->settings.report_rows ? REFUSAL_TOO_MANY_ROWS : 0;
}

/* Some classes have whole months only; which, is said in sentence. */
static int check_period(const struct call *call, Timebank__ReportClass report_class,
                        char sentence[REPORT_CLASS_SENTENCE_BYTES], const char **ret_why) {
    const Timebank__AskReport *ask = call->request->report;
    const struct report_class *held_to = report_class_get(report_class);
    struct report_period period;
    int r = report_period_init(&period, ask->from_day, ask->to_day);

    if (r != 0 || report_class_takes(held_to, &period))
        return r;
    report_class_say_period(held_to, &period, sentence);
    return refuse(REFUSAL_BAD_PERIOD, sentence, ret_why);
}

int handle_report(struct call *call) {
    Timebank__ReportClass report_class = choose_class(call);
    char sentence[REPORT_CLASS_SENTENCE_BYTES];
    const char *why = NULL;
    int r = check_class(call, report_class, &why);

    if (r == 0)
        r = check_question(call, &why);
    if (r == 0)
        r = check_period(call, report_class, sentence, &why);
    if (r != 0)
        return call_refuse(call, r, why);
    return report_job_new(&call->reply->job, call, report_class, is_evaluator(call));
}
