/* SPDX-License-Identifier: Apache-2.0 */
/* Asking for a report: what can be refused at once is; the rest is a job (report-job.c). */
#include "handlers.h"
#include "report-job.h"
#include "report.h"

int handle_report(struct call *call) {
    const Timebank__AskReport *ask = call->request->report;
    uint64_t size = ask->at_size ? ask->at_size : log_head(call->bank->log)->size;

    if (access_right(call->who.role, TIMEBANK__REQUEST__BODY_REPORT) != ACCESS_ALL)
        return call_refuse(call, REFUSAL_NOT_FOR_EVALUATORS_YET, NULL);
    if (ask->to_day < ask->from_day || ask->to_day - ask->from_day > REPORT_DAYS_MAX)
        return call_refuse(call, REFUSAL_BAD_PERIOD, NULL);
    if (size > log_head(call->bank->log)->size)
        return call_refuse(call, REFUSAL_NO_SUCH_POSITION, NULL);
    if (size > call->bank->settings.report_rows)
        return call_refuse(call, REFUSAL_TOO_MANY_ROWS, NULL);
    return report_job_new(&call->reply->job, call->bank, ask);
}
