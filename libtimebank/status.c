/* SPDX-License-Identifier: Apache-2.0 */
/* What anyone may ask of a bank. */
#include <errno.h>
#include <string.h>

#include "call.h"

int tb_status_start(struct tb_bank *bank, struct tb_call **ret_call) {
    if (!bank || !ret_call)
        return -EINVAL;
    Timebank__Empty empty = TIMEBANK__EMPTY__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_STATUS;
    request.status = &empty;
    return call_read(bank, &request, TIMEBANK__RESPONSE__BODY_STATUS, ret_call);
}

int tb_status_read(struct tb_call *call, struct tb_status *ret_status) {
    if (!call || !ret_status)
        return -EINVAL;
    Timebank__Response *response = NULL;
    int r = call->kind == CALL_READS ? call_reply(call, TIMEBANK__RESPONSE__BODY_STATUS, &response)
                                     : -EINVAL;
    if (r != 0)
        return r;
    const struct tb_bank *bank = call->bank;
    const Timebank__Status *status = response->status;
    /* Size and root are the verified ones; what the status says of itself is not better. */
    *ret_status = (struct tb_status){
        .origin = bank->verifier.name,
        .version = status->version,
        .size = call->seen.head.size,
        .verifier_key = bank->verifier_key,
        .accounts = status->accounts,
        .entries = status->entries,
        .uptime_s = status->uptime_s,
        .ledger_time_ms = status->ledger_time_ms,
        .read_only = status->read_only,
        .read_only_why = status->read_only_why,
        .connections = status->connections,
        .map_bytes = status->map_bytes,
        .map_used_bytes = status->map_used_bytes,
    };
    memcpy(ret_status->root, call->seen.head.root.b, HASH_BYTES);
    return 0;
}

int tb_status_get(struct tb_bank *bank, struct tb_status *ret_status) {
    struct tb_call *call = NULL;
    int r = ret_status ? tb_status_start(bank, &call) : -EINVAL;
    if (r == 0)
        r = call_lend(call);
    return r == 0 ? tb_status_read(call, ret_status) : r;
}
