/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's next key, asked for and looked at before a steward signs an order that names it. */
#include <errno.h>
#include <string.h>

#include "call.h"

static bool is_sound(const struct tb_bank *bank, const Timebank__RotateKey *next) {
    struct rotation rotation = {.ledger_id = bank->ledger_id};

    if (next->key.len != NOTE_KEY_BYTES || next->by_old.len != SSHSIG_SIGNATURE_BYTES ||
        next->by_new.len != SSHSIG_SIGNATURE_BYTES)
        return false;
    memcpy(rotation.old_key, bank->verifier.key, NOTE_KEY_BYTES);
    memcpy(rotation.new_key, next->key.data, NOTE_KEY_BYTES);
    return rotation_check_old(&rotation, next->by_old.data) == 0 &&
           rotation_check_new(&rotation, next->by_new.data) == 0;
}

int tb_rotation_prepare(struct tb_bank *bank, struct tb_order *ret_order) {
    Timebank__Empty empty = TIMEBANK__EMPTY__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    Timebank__Response *response = NULL;
    struct tb_call *call = NULL;
    int r;

    if (!bank || !ret_order || ret_order->struct_bytes != sizeof(*ret_order))
        return -EINVAL;
    request.body_case = TIMEBANK__REQUEST__BODY_NEXT_KEY;
    request.next_key = &empty;
    r = call_read(bank, &request, TIMEBANK__RESPONSE__BODY_NEXT_KEY, &call);
    if (r == 0)
        r = call_lend(call);
    if (r == 0)
        r = call_reply(call, TIMEBANK__RESPONSE__BODY_NEXT_KEY, &response);
    if (r != 0)
        return r;
    if (!is_sound(bank, response->next_key))
        return bank_fail(bank, TB_BAD_ROTATION, NULL);
    ret_order->kind = TB_ROTATE_KEY;
    memcpy(ret_order->key, response->next_key->key.data, NOTE_KEY_BYTES);
    memcpy(ret_order->by_old, response->next_key->by_old.data, SSHSIG_SIGNATURE_BYTES);
    memcpy(ret_order->by_new, response->next_key->by_new.data, SSHSIG_SIGNATURE_BYTES);
    return 0;
}
