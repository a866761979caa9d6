/* SPDX-License-Identifier: Apache-2.0 */
/* Having the daemon make a backup: it writes and checks it, we only hear of it. */
#include <errno.h>
#include <string.h>

#include "call.h"

static int backup_read(struct tb_call *call, struct tb_backup *ret_backup) {
    Timebank__Response *response = NULL;
    int r = call_reply(call, TIMEBANK__RESPONSE__BODY_BACKUP, &response);
    if (r != 0)
        return r;
    Timebank__BackedUp *made = response->backup;
    if (made->root.len != HASH_BYTES || made->size == 0)
        return bank_fail(call->bank, -EPROTO, "What the bank says of the backup cannot be read.");
    bank_clean_text(made->path);
    *ret_backup =
        (struct tb_backup){.path = made->path, .size = made->size, .file_bytes = made->file_bytes};
    memcpy(ret_backup->root, made->root.data, HASH_BYTES);
    return 0;
}

int tb_backup_make(struct tb_bank *bank, const char *name, int with_people,
                   struct tb_backup *ret_backup) {
    if (!bank || !name || !ret_backup)
        return -EINVAL;
    Timebank__Backup backup = TIMEBANK__BACKUP__INIT;
    backup.name = (char *)name;
    backup.people = with_people != 0;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_BACKUP;
    request.backup = &backup;
    struct tb_call *call = NULL;
    int r = call_read(bank, &request, TIMEBANK__RESPONSE__BODY_BACKUP, &call);
    if (r == 0)
        r = call_lend(call);
    return r == 0 ? backup_read(call, ret_backup) : r;
}
