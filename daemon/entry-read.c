/* SPDX-License-Identifier: Apache-2.0 */
/* Seal, reason and reversals of an entry. */
#include "entry-read.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

int entry_read_seal(struct call *call, uint64_t entry, struct entry_read_seal *ret) {
    _cleanup_bytes_ struct bytes record = {0};
    struct batch_header header;
    struct record_seal seal;
    int r = log_seal_of(call->bank->log, entry, &ret->seal);

    if (r > 0)
        r = log_record(call->bank->log, ret->seal, &record);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    if (record_seal_unpack(record.data, record.n, &seal) < 0 ||
        batch_header_unpack(seal.header, &header) < 0)
        return -EUCLEAN;
    ret->received_at_ms = seal.received_at_ms;
    ret->author.data = arena_alloc(call->arena, SSHSIG_PUBLIC_BYTES);
    if (!ret->author.data)
        return -ENOMEM;
    memcpy(ret->author.data, header.author, SSHSIG_PUBLIC_BYTES);
    ret->author.len = SSHSIG_PUBLIC_BYTES;
    return 0;
}

int entry_read_why(struct call *call, const Timebank__Order *order, char **ret) {
    _cleanup_(freep) char *text = NULL;
    uint8_t salt[PEOPLE_SALT_BYTES];
    int r = 0;

    if (order->note.len > 0 && access_is_broker(&call->who))
        r = people_get_note(call->bank->people, order->id.data, salt, &text);
    if (r < 0 && r != -EBADMSG)
        return r;
    *ret = call_copy(call, text ? text : "");
    return *ret ? 0 : -ENOMEM;
}

uint64_t entry_read_reversed(struct call *call, uint64_t entry) {
    const struct state_reversal *reversal;
    uint8_t key[8];

    be64_put(key, entry);
    reversal = state_get(bank_state(call->bank), STATE_REVERSALS, key, sizeof(key), NULL);
    return reversal ? reversal->minutes : 0;
}
