/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs, each in the file of its noun. A new one: its file, a line here, a line in verbs.c, its
 * part of timebank(1).
 */
#pragma once

#include "client.h"

/* Runs the verb that argv[0] (and argv[1]) name; the program's exit status. */
int verbs_run(struct client *client, int argc, char **argv);
/* What `timebank --help` prints. */
void verbs_help(FILE *to);

extern const struct verb verb_report_list;
extern const struct verb verb_status, verb_backup;
extern const struct verb verb_key_new, verb_key_show, verb_key_grant, verb_key_revoke,
    verb_key_rotate, verb_key_list;
extern const struct verb verb_account_open, verb_account_list, verb_account_show;
extern const struct verb verb_account_freeze, verb_account_thaw, verb_account_close;
extern const struct verb verb_account_choice, verb_account_leave, verb_account_settle;
extern const struct verb verb_account_merge, verb_account_unmerge, verb_list_leaving;
extern const struct verb verb_person_add, verb_person_leave, verb_person_list;
extern const struct verb verb_mandate_set, verb_mandate_end, verb_mandate_list;
extern const struct verb verb_safeguard, verb_safeguard_list, verb_transfer, verb_erase;
extern const struct verb verb_account_limit, verb_account_limits, verb_expire;
extern const struct verb verb_activity_add, verb_activity_list;
extern const struct verb verb_offer_set, verb_offer_list, verb_offer_show;
extern const struct verb verb_venue_return, verb_hold, verb_capture, verb_release, verb_desk;
extern const struct verb verb_funder_add, verb_funder_list;
extern const struct verb verb_programme_add, verb_programme_list;
extern const struct verb verb_period_close, verb_period_list, verb_period_restate;
extern const struct verb verb_policy_list, verb_policy_set;
extern const struct verb verb_exchange, verb_earn, verb_log, verb_gift, verb_donate, verb_grant;
extern const struct verb verb_issue, verb_redeem;
extern const struct verb verb_session, verb_advance, verb_pledge, verb_list_pledges;
extern const struct verb verb_reverse, verb_correct;
extern const struct verb verb_confirm, verb_accept, verb_decline, verb_withdraw, verb_approve;
extern const struct verb verb_trust, verb_list_trusts, verb_dispute, verb_decide, verb_list_pending;
extern const struct verb verb_sheet;
extern const struct verb verb_list_quiet, verb_list_deep, verb_list_unconfirmed;
extern const struct verb verb_balance, verb_entry_show, verb_statement, verb_receipt;
extern const struct verb verb_ledger_witness;
extern const struct verb verb_voucher_key, verb_voucher_mint, verb_voucher_print;
extern const struct verb verb_voucher_check, verb_voucher_show, verb_voucher_redeem;
extern const struct verb verb_voucher_void, verb_voucher_reissue, verb_voucher_list;
extern const struct verb verb_export;
extern const struct verb verb_ledger_export, verb_ledger_verify, verb_ledger_rotate;
extern const struct verb verb_verify;
