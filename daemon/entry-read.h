/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of an entry besides its order, the same wherever it is shown. */
#pragma once

#include "call.h"

/* Who sealed the batch of an entry, and when it was received. */
struct entry_read_seal {
    uint64_t seal;
    uint64_t received_at_ms;
    ProtobufCBinaryData author; /* in the call's arena */
};
int entry_read_seal(struct call *call, uint64_t entry, struct entry_read_seal *ret) TB_MUST_CHECK;
/* The note's text for those who may read it, else "". In the arena. */
int entry_read_why(struct call *call, const Timebank__Order *order, char **ret) TB_MUST_CHECK;
/* Minutes taken back since. */
uint64_t entry_read_reversed(struct call *call, uint64_t entry);
/* How it stands with what waited, or was confirmed or disputed; "" of any other entry. A constant.
 */
int entry_read_state(struct call *call, uint64_t entry, const char **ret) TB_MUST_CHECK;
/* The order at an entry number: its bytes and what they say, in the arena. */
int entry_read_order(struct call *call, uint64_t entry, ProtobufCBinaryData *ret_bytes,
                     Timebank__Order **ret_order) TB_MUST_CHECK;
/* A record that is an event: its bytes, when it happened, and the entry it follows from. */
struct entry_read_event {
    ProtobufCBinaryData bytes;
    uint64_t time_ms;
    uint64_t follows;
};
int entry_read_event(struct call *call, const struct bytes *record,
                     struct entry_read_event *ret) TB_MUST_CHECK;
/* 0, or REFUSAL_NO_AUTHORITY: a member or organisation sees entries of its own account, a venue
 * those it accepted itself. order: the one recorded, or the one that the event at index follows
 * from. */
int entry_read_check_rights(struct call *call, uint64_t index,
                            Timebank__Order *order) TB_MUST_CHECK;
