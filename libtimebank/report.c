/* SPDX-License-Identifier: Apache-2.0 */
/* The report of a period, as the daemon reckons it. */
#include <errno.h>
#include <string.h>

#include "report-check.h"

int tb_report_start(struct tb_bank *bank, const struct tb_report_ask *ask,
                    struct tb_call **ret_call) {
    if (!bank || !ask || !ret_call)
        return -EINVAL;
    Timebank__AskReport ask_report = TIMEBANK__ASK_REPORT__INIT;
    ask_report.from_day = ask->from_day;
    ask_report.to_day = ask->to_day;
    ask_report.known_day = ask->known_day;
    ask_report.at_size = ask->at_size;
    ask_report.as_recorded = ask->as_recorded != 0;
    ask_report.report_class = (Timebank__ReportClass)ask->report_class;
    ask_report.what = (Timebank__ReportWhat)ask->what;
    ask_report.why = (char *)(uintptr_t)(ask->why ? ask->why : "");
    ask_report.why_after = ask->why_after;
    ask_report.since_known_day = ask->since_known_day;
    ask_report.since_size = ask->since_size;
    ask_report.since_as_recorded = ask->since_as_recorded != 0;
    ask_report.release = ask->release != 0;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_REPORT;
    request.report = &ask_report;
    struct tb_call *call = NULL;
    int r = call_read(bank, &request, TIMEBANK__RESPONSE__BODY_REPORT, &call);
    if (r == 0)
        r = report_check_attach(call, ask);
    if (r == 0)
        *ret_call = call;
    return r;
}

int tb_report_read(struct tb_call *call, char **ret_json) {
    if (!call || !ret_json)
        return -EINVAL;
    const struct report_checked *checked = report_check_result(call);
    if (!checked)
        return bank_fail(call->bank, -EINVAL, "The call brought no report.");
    char *copy = strndup((const char *)checked->text.data, checked->text.n - 1);
    if (!copy)
        return bank_fail(call->bank, -ENOMEM, NULL);
    *ret_json = copy;
    return 0;
}

int tb_report_signature(const struct tb_call *call, char **ret_signature) {
    _cleanup_bytes_ struct bytes armour = {0};
    if (!call || !ret_signature)
        return -EINVAL;
    const struct report_checked *checked = report_check_result(call);
    if (!checked)
        return bank_fail(call->bank, -EINVAL, "The call brought no report.");
    sshsig_armour(SSHSIG_REPORT, checked->key, checked->signature, &armour);
    char *text = armour.r < 0 ? NULL : bytes_take_text(&armour);
    if (!text)
        return bank_fail(call->bank, -ENOMEM, NULL);
    *ret_signature = text;
    return 0;
}

int tb_report_get(struct tb_bank *bank, const struct tb_report_ask *ask, char **ret_json) {
    struct tb_call *call = NULL;
    int r = ret_json ? tb_report_start(bank, ask, &call) : -EINVAL;
    if (r == 0)
        r = call_lend(call);
    return r == 0 ? tb_report_read(call, ret_json) : r;
}

int tb_report_last_signature(struct tb_bank *bank, char **ret_signature) {
    if (!bank || !ret_signature)
        return -EINVAL;
    return bank->lent ? tb_report_signature(bank->lent, ret_signature)
                      : bank_fail(bank, -EINVAL, "No report was asked for.");
}
