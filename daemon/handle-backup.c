/* SPDX-License-Identifier: Apache-2.0 */
/* Asking for a backup: the name is judged at once, the rest is a job (backup-job.c). */
#include "backup-job.h"
#include "backups.h"
#include "handlers.h"

int handle_backup(struct call *call) {
    if (!backups_name_is_valid(call->request->backup->name))
        return call_refuse(call, REFUSAL_BACKUP_NAME, NULL);
    return backup_job_new(&call->reply->job, call->bank, call->request->backup);
}
