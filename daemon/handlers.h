/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of the table of requests (dispatch.c); one file per noun. Each answers 0 with its
 * response (or a refusal) set in the call, or < 0 broken. */
#pragma once

#include "dispatch.h"

int handle_submit(struct call *call);
int handle_submit_end_dry_run(struct call *call);
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
int handle_report(struct call *call);

/* answer.c: the answer to a batch that is durable, for the first time or again. */
int answer_make(struct bank *bank, const struct reply *reply, struct arena *arena,
                Timebank__Answer *ret_answer) TB_MUST_CHECK;
/* Hashes of a range, or of a proof, as protobuf bytes in the arena. */
int answer_hashes(struct arena *arena, const struct hash *hashes, size_t n,
                  ProtobufCBinaryData **ret, size_t *ret_n) TB_MUST_CHECK;

/* report-job.c: a report made on a thread of its own from one bounded read. */
struct report_job;
struct report_job *report_job_free(struct report_job *job); /* waits for its thread */
int report_job_new(struct report_job **ret_job, struct bank *bank, const Timebank__AskReport *ask);
/* Starts it at the durable position; done_fd (an eventfd) is written to when it ends. */
int report_job_start(struct report_job *job, int done_fd);
bool report_job_is_done(struct report_job *job);
/* 0 with the JSON borrowed, > 0 refused, < 0 broken. */
int report_job_result(struct report_job *job, const char **ret_json);
