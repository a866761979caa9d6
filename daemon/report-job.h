/* SPDX-License-Identifier: Apache-2.0 */
/* A report made on a thread of its own from one bounded read, at the durable position where it
 * starts. What the call asks for, its handler has looked at. */
#pragma once

#include "call.h"
#include "job.h"

int report_job_new(struct job **ret_job, const struct call *call,
                   Timebank__ReportClass report_class, bool is_evaluators);
