/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report is believed when the ledger's key signed it, it is in the form of proto/report-text.h,
 * it answers the question that was asked, and the position that it names is of the history that the
 * bank's heads are of. Where that is an earlier position, the call goes on to ask for the hashes
 * that connect the two. All else is evidence.
 */
#pragma once

#include "call.h"

/* Makes a call that was just started one that is judged so. Frees it where that fails. */
int report_check_attach(struct tb_call *call, const struct tb_report_ask *ask) TB_MUST_CHECK;
/* Of such a call that ended 0. NULL: it brought no report, but what has to be released first. */
struct report_checked {
    struct bytes text; /* the JSON and a newline: what was signed */
    uint8_t key[SSHSIG_PUBLIC_BYTES];
    uint8_t signature[SSHSIG_SIGNATURE_BYTES];
};
const struct report_checked *report_check_result(const struct tb_call *call);
