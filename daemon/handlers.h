/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of the table of requests (dispatch.c); one file per noun. Each answers 0 with its
 * response (or a refusal) set in the call, or < 0 broken. */
#pragma once

#include "call.h"

int handle_submit(struct call *call);
int handle_submit_end_dry_run(struct call *call);
int handle_key_next(struct call *call);
int handle_status(struct call *call);
int handle_status_inclusion(struct call *call);
int handle_account(struct call *call);
int handle_account_balance(struct call *call);
int handle_account_list(struct call *call);
int handle_account_next_code(struct call *call);
int handle_entry(struct call *call);
int handle_entry_by_id(struct call *call);
int handle_list_activities(struct call *call);
int handle_list_offers(struct call *call);
int handle_list_policies(struct call *call);
int handle_list_funders(struct call *call);
int handle_list_keys(struct call *call);
int handle_state(struct call *call);
int handle_state_ranges(struct call *call);
int handle_state_published(struct call *call);
int handle_statement(struct call *call);
int handle_report(struct call *call);
int handle_receipt(struct call *call);
int handle_register(struct call *call);
int handle_backup(struct call *call);
int handle_journal(struct call *call);
int handle_tiles(struct call *call);
int handle_tiles_records(struct call *call);
