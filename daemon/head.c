/* SPDX-License-Identifier: Apache-2.0 */
/* Two slots, one write and one fdatasync a head: what was signed last is never in doubt by more
 * than the slot being written. */
#include "head.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "base/files.h"
#include "proto/hash.h"

#define HASHED_BYTES (HEAD_SLOT_BYTES - HASH_BYTES)
#define CHECKPOINT_AT 36

void head_machine(uint8_t ret[HEAD_MACHINE_BYTES]) {
    _cleanup_bytes_ struct bytes text = {0};
    size_t n = 0;

    memset(ret, 0, HEAD_MACHINE_BYTES);
    if (file_read("/etc/machine-id", 4096, &text) < 0 || text.n < 2 * HEAD_MACHINE_BYTES)
        return;
    if (sodium_hex2bin(ret, HEAD_MACHINE_BYTES, (const char *)text.data, 2 * HEAD_MACHINE_BYTES,
                       NULL, &n, NULL) != 0 ||
        n != HEAD_MACHINE_BYTES)
        memset(ret, 0, HEAD_MACHINE_BYTES);
}

static void slot_pack(const struct head_slot *slot, uint8_t ret[HEAD_SLOT_BYTES]) {
    struct hash sum;

    memset(ret, 0, HEAD_SLOT_BYTES);
    be64_put(ret, slot->sequence);
    be64_put(ret + 8, slot->inode);
    memcpy(ret + 16, slot->machine, HEAD_MACHINE_BYTES);
    be32_put(ret + 32, (uint32_t)slot->n_checkpoint);
    memcpy(ret + CHECKPOINT_AT, slot->checkpoint, slot->n_checkpoint);
    sum = hash_of(ret, HASHED_BYTES);
    memcpy(ret + HASHED_BYTES, sum.b, HASH_BYTES);
}

static bool slot_unpack(const uint8_t bytes[HEAD_SLOT_BYTES], size_t place, struct head_slot *ret) {
    struct hash sum = hash_of(bytes, HASHED_BYTES);

    *ret = (struct head_slot){.sequence = be64_get(bytes), .inode = be64_get(bytes + 8)};
    memcpy(ret->machine, bytes + 16, HEAD_MACHINE_BYTES);
    ret->n_checkpoint = be32_get(bytes + 32);
    if (memcmp(sum.b, bytes + HASHED_BYTES, HASH_BYTES) != 0 ||
        ret->n_checkpoint > NOTE_CHECKPOINT_MAX || ret->sequence % HEAD_SLOTS != place)
        return false;
    memcpy(ret->checkpoint, bytes + CHECKPOINT_AT, ret->n_checkpoint);
    return true;
}

int head_create(const char *path, const struct head_slot *slot) {
    uint8_t bytes[HEAD_SLOTS * HEAD_SLOT_BYTES];
    struct head_slot copy = *slot;

    for (copy.sequence = 1; copy.sequence <= HEAD_SLOTS; copy.sequence++)
        slot_pack(&copy, bytes + copy.sequence % HEAD_SLOTS * HEAD_SLOT_BYTES);
    return file_create(path, 0600, bytes, sizeof(bytes));
}

int head_read(const char *path, struct head_slot ret_slots[HEAD_SLOTS],
              bool ret_valid[HEAD_SLOTS]) {
    _cleanup_bytes_ struct bytes bytes = {0};
    int r = file_read(path, HEAD_SLOTS * HEAD_SLOT_BYTES, &bytes);

    if (r < 0)
        return r == -EFBIG ? -EUCLEAN : r;
    if (bytes.n != HEAD_SLOTS * HEAD_SLOT_BYTES)
        return -EUCLEAN;
    for (size_t i = 0; i < HEAD_SLOTS; i++)
        ret_valid[i] = slot_unpack(bytes.data + i * HEAD_SLOT_BYTES, i, &ret_slots[i]);
    return 0;
}

const struct head_slot *head_latest(const struct head_slot slots[HEAD_SLOTS],
                                    const bool valid[HEAD_SLOTS]) {
    if (valid[0] && (!valid[1] || slots[0].sequence > slots[1].sequence))
        return &slots[0];
    return valid[1] ? &slots[1] : NULL;
}

int head_write(int fd, const struct head_slot *slot) {
    uint8_t bytes[HEAD_SLOT_BYTES];
    off_t at = (off_t)(slot->sequence % HEAD_SLOTS * HEAD_SLOT_BYTES);
    size_t n = 0;

    slot_pack(slot, bytes);
    while (n < sizeof(bytes)) {
        ssize_t written = pwrite(fd, bytes + n, sizeof(bytes) - n, at + (off_t)n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? -errno : -EIO;
        n += (size_t)written;
    }
    return fdatasync(fd) < 0 ? -errno : 0;
}
