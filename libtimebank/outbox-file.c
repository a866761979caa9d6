/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes are held against limits before anything is read. The file is filled up to whole blocks, so
 * that batches that differ by a few bytes leave its size alone: then its data is all to sync. */
#include "outbox-file.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proto/frame.h"

#define MAGIC_ALONE "TBO2"
#define MAGIC_TOGETHER "TBO4"
#define PIN_MAX 16384u
#define BLOCK_BYTES 4096u

static_assert(OUTBOX_MAGIC_BYTES + 4 * 4 + BATCH_ID_BYTES + 2 * HASH_BYTES == OUTBOX_HEAD_BYTES,
              "the head's fields");
static_assert(OUTBOX_HEAD_BYTES <= 512, "one sector");
static_assert(BLOCK_BYTES % OUTBOX_PLACE_BYTES == 0, "a place in one page");

static void head_pack(const struct outbox_head *head, uint8_t ret[OUTBOX_HEAD_BYTES]) {
    memcpy(ret, head->is_together ? MAGIC_TOGETHER : MAGIC_ALONE, OUTBOX_MAGIC_BYTES);
    be32_put(ret + 4, head->n_pin);
    be32_put(ret + 8, head->n_body);
    be32_put(ret + 12, head->orders_at);
    be32_put(ret + 16, head->n_orders);
    memcpy(ret + 20, head->batch_id, BATCH_ID_BYTES);
    memcpy(ret + 36, head->pin_hash.b, HASH_BYTES);
    memcpy(ret + 68, head->body_hash.b, HASH_BYTES);
}

static bool sizes_hold(const struct outbox_head *head) {
    return head->n_pin <= PIN_MAX && head->n_body <= FRAME_MAX && head->orders_at <= head->n_body &&
           head->n_orders <= head->n_body - head->orders_at;
}

/* Of all but the orders, and of where they are. */
static struct hash body_hash(const struct outbox_head *head, const uint8_t *body) {
    uint8_t packed[OUTBOX_HEAD_BYTES];
    size_t after = (size_t)head->orders_at + head->n_orders;
    head_pack(head, packed);
    struct iovec pieces[] = {
        {.iov_base = packed + 8, .iov_len = 3 * 4 + BATCH_ID_BYTES},
        {.iov_base = (void *)body, .iov_len = head->orders_at},
        {.iov_base = (void *)(body + after), .iov_len = head->n_body - after},
    };
    return hash_of_pieces(pieces, N_ELEMENTS(pieces));
}

static int write_all_at(int fd, const void *bytes, size_t n, size_t at) {
    const uint8_t *data = bytes;
    while (n > 0) {
        ssize_t n_written = pwrite(fd, data, n, (off_t)at);
        if (n_written < 0 && errno == EINTR)
            continue;
        if (n_written <= 0)
            return n_written < 0 ? -errno : -EIO;
        data += n_written;
        at += (size_t)n_written;
        n -= (size_t)n_written;
    }
    return 0;
}

static int file_fill_up(int fd, size_t n) {
    static const uint8_t zeros[BLOCK_BYTES];
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (status.st_size >= (off_t)n)
        return 0;
    return write_all_at(fd, zeros, (BLOCK_BYTES - n % BLOCK_BYTES) % BLOCK_BYTES, n);
}

/* The head last. */
static int alone_write(int fd, const uint8_t *packed, const struct bytes *pin,
                       const struct bytes *body) {
    size_t n = OUTBOX_HEAD_BYTES + pin->n + body->n;
    int r = write_all_at(fd, pin->data, pin->n, OUTBOX_HEAD_BYTES);
    if (r == 0)
        r = file_fill_up(fd, n);
    if (r == 0)
        r = write_all_at(fd, body->data, body->n, OUTBOX_HEAD_BYTES + pin->n);
    return r == 0 ? write_all_at(fd, packed, OUTBOX_HEAD_BYTES, 0) : r;
}

/* All at once, up to the magic of the place behind it. */
static int together_write(int fd, uint32_t at, const uint8_t *packed, const struct bytes *pin,
                          const struct bytes *body) {
    uint8_t place[OUTBOX_PLACE_BYTES + OUTBOX_MAGIC_BYTES] = {};
    size_t n = OUTBOX_HEAD_BYTES;
    memcpy(place, packed, OUTBOX_HEAD_BYTES);
    if (pin->n > 0)
        memcpy(place + n, pin->data, pin->n);
    n += pin->n;
    memcpy(place + n, body->data, body->n);
    int r = file_fill_up(fd, at + sizeof(place));
    return r == 0 ? write_all_at(fd, place, sizeof(place), at) : r;
}

bool outbox_file_is_small(const struct bytes *pin, const struct bytes *body) {
    return pin->n <= OUTBOX_PLACE_BYTES && body->n <= OUTBOX_PLACE_BYTES &&
           OUTBOX_HEAD_BYTES + pin->n + body->n <= OUTBOX_PLACE_BYTES;
}

int outbox_file_put(int fd, struct outbox_head *head, const struct bytes *pin,
                    const struct bytes *body) {
    uint8_t packed[OUTBOX_HEAD_BYTES];
    head->n_pin = (uint32_t)pin->n;
    head->n_body = (uint32_t)body->n;
    assert(head->is_together ? outbox_file_is_small(pin, body) : head->at == 0);
    if (pin->n > PIN_MAX || body->n > FRAME_MAX || !sizes_hold(head))
        return -EFBIG;
    head->pin_hash = hash_of(pin->n > 0 ? (const void *)pin->data : "", pin->n);
    head->body_hash = body_hash(head, body->data);
    head_pack(head, packed);
    return head->is_together ? together_write(fd, head->at, packed, pin, body)
                             : alone_write(fd, packed, pin, body);
}

int outbox_file_clear(int fd, uint32_t at) {
    static const uint8_t none[4];
    return write_all_at(fd, none, sizeof(none), (size_t)at + 8);
}

static int read_all_at(int fd, void *bytes, size_t n, size_t at) {
    uint8_t *data = bytes;
    while (n > 0) {
        ssize_t n_read = pread(fd, data, n, (off_t)at);
        if (n_read < 0 && errno == EINTR)
            continue;
        if (n_read <= 0)
            return n_read < 0 ? -errno : -EBADMSG;
        data += n_read;
        at += (size_t)n_read;
        n -= (size_t)n_read;
    }
    return 0;
}

static bool magic_is(const uint8_t *packed, const char *magic) {
    return memcmp(packed, magic, OUTBOX_MAGIC_BYTES) == 0;
}

/* Where it stands and whether others may follow is known of a damaged one, too. */
static int head_read(int fd, uint32_t at, struct outbox_head *head) {
    uint8_t packed[OUTBOX_HEAD_BYTES];
    static const uint8_t none[OUTBOX_MAGIC_BYTES];
    int r = read_all_at(fd, packed, sizeof(packed), at);
    /* Too short for a head: it was made and not filled. */
    if (r < 0)
        return r == -EBADMSG ? 1 : r;
    *head = (struct outbox_head){.at = at, .is_together = magic_is(packed, MAGIC_TOGETHER)};
    if (memcmp(packed, none, sizeof(none)) == 0 || (at > 0 && !head->is_together))
        return 1;
    head->n_pin = be32_get(packed + 4);
    head->n_body = be32_get(packed + 8);
    head->orders_at = be32_get(packed + 12);
    head->n_orders = be32_get(packed + 16);
    memcpy(head->batch_id, packed + 20, BATCH_ID_BYTES);
    memcpy(head->pin_hash.b, packed + 36, HASH_BYTES);
    memcpy(head->body_hash.b, packed + 68, HASH_BYTES);
    bool is_known = head->is_together || magic_is(packed, MAGIC_ALONE);
    return is_known && (head->n_body == 0 || sizes_hold(head)) ? 0 : -EBADMSG;
}

int outbox_file_head(int fd, uint32_t at, struct outbox_head *ret) {
    struct outbox_head head = {};
    int r = head_read(fd, at, &head);
    if (r == 0)
        *ret = head;
    return r;
}

int outbox_file_next(int fd, struct outbox_head *head) {
    if (head->at == OUTBOX_NOWHERE)
        return head_read(fd, 0, head);
    if (!head->is_together || head->at >= (OUTBOX_PLACES - 1) * OUTBOX_PLACE_BYTES)
        return 1;
    return head_read(fd, head->at + OUTBOX_PLACE_BYTES, head);
}

int outbox_file_waiting(int fd, unsigned *ret_n) {
    struct outbox_head head = {.at = OUTBOX_NOWHERE};
    unsigned n = 0;
    int r;
    while ((r = outbox_file_next(fd, &head)) == 0 || r == -EBADMSG)
        n += r < 0 || head.n_body > 0;
    if (r < 0)
        return r;
    *ret_n = n;
    return 0;
}

static int part_read(int fd, size_t at, size_t n, struct bytes *ret) {
    uint8_t *room = bytes_reserve(ret, n);
    return room ? read_all_at(fd, room, n, at) : -ENOMEM;
}

int outbox_file_pin(int fd, const struct outbox_head *head, struct bytes *ret) {
    size_t at = ret->n;
    if (head->n_pin == 0 || head->n_pin > PIN_MAX)
        return -EBADMSG;
    int r = part_read(fd, (size_t)head->at + OUTBOX_HEAD_BYTES, head->n_pin, ret);
    if (r < 0)
        return r;
    struct hash hash = hash_of(ret->data + at, head->n_pin);
    return hash_equal(&hash, &head->pin_hash) ? 0 : -EBADMSG;
}

int outbox_file_body(int fd, const struct outbox_head *head, struct bytes *ret) {
    size_t at = ret->n;
    if (head->n_body == 0 || !sizes_hold(head))
        return -EBADMSG;
    int r = part_read(fd, (size_t)head->at + OUTBOX_HEAD_BYTES + head->n_pin, head->n_body, ret);
    if (r < 0)
        return r;
    struct hash hash = body_hash(head, ret->data + at);
    return hash_equal(&hash, &head->body_hash) ? 0 : -EBADMSG;
}
