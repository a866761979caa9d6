/* SPDX-License-Identifier: Apache-2.0 */
/* A report made on a thread of its own from one bounded read. */
#pragma once

#include "bank.h"

struct report_job;
struct report_job *report_job_free(struct report_job *job); /* waits for its thread */
int report_job_new(struct report_job **ret_job, struct bank *bank, const Timebank__AskReport *ask);
/* Starts it at the durable position; done_fd (an eventfd) is written to when it ends. */
void report_job_start(struct report_job *job, int done_fd);
bool report_job_is_done(struct report_job *job);
/* 0 with the JSON borrowed, > 0 refused, < 0 broken. */
int report_job_result(struct report_job *job, const char **ret_json);
