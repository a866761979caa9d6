/* SPDX-License-Identifier: Apache-2.0 */
/* DIR/backups/NAME made beside the loop, see backups.h. */
#pragma once

#include "job.h"

int backup_job_new(struct job **ret_job, struct bank *bank, const Timebank__Backup *ask);
