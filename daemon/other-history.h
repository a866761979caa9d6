/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch is refused whose author saw another history of this ledger: either they were lied to in
 * its name, or this is not the ledger it was. The signed header and our own head go into
 * DIR/evidence, as timebank-receipt(5), EVIDENCE, has it.
 */
#pragma once

#include "bank.h"

#define OTHER_HISTORY_FILES_MAX 100
#define OTHER_HISTORY_BYTES_MAX (1024u * 1024)

/* Once for a pin and for an author's day, up to the limits above, and never out of the disk's
 * reserve. The batch is refused whether or not it can be kept; the author's client has it, too. */
void other_history_keep(struct bank *bank, const struct batch_header *header,
                        const uint8_t header_bytes[BATCH_HEADER_BYTES],
                        const uint8_t signature[SSHSIG_SIGNATURE_BYTES]);
