/* SPDX-License-Identifier: Apache-2.0 */
/* A report made on a thread of its own from one bounded read, at the durable position where it
 * starts. */
#pragma once

#include "job.h"

int report_job_new(struct job **ret_job, struct bank *bank, const Timebank__AskReport *ask);
