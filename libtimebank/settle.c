/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each batch of our key in the outbox is sent again as it was signed. Recorded or refused, it
 * leaves the outbox; busy or stopping, it stays, and nothing new goes out before it. Batches that
 * other keys signed are left for them: the daemon takes a batch from its author only.
 */
#include "settle.h"

#include <errno.h>
#include <string.h>

#include "outbox.h"
#include "submit.h"

static bool batch_is_ours(const struct tb_bank *bank, const struct batch_header *header) {
    const uint8_t *public = bank->secret_key + SSHSIG_SECRET_BYTES - SSHSIG_PUBLIC_BYTES;
    return memcmp(header->author, public, SSHSIG_PUBLIC_BYTES) == 0;
}

static int refused_tell(struct tb_bank *bank, struct outbox_slot *slot, const char *what) {
    _cleanup_(freep) char *path = NULL;
    int r = outbox_set_aside(slot, &path);
    if (r < 0)
        return bank_fail(bank, r, "The refused batch %s cannot be moved: %s.", slot->path,
                         strerror(-r));
    bank_notice(bank, "An earlier batch was not recorded and is kept in %s: %s", path, what);
    return 0;
}

static int batch_settle(struct tb_bank *bank, Timebank__Submit *submit, size_t n_orders,
                        struct outbox_slot *slot) {
    _cleanup_(freep) struct hash *leaves = NULL;
    int r = submit_leaves(submit->orders.data, submit->orders.len, n_orders, &leaves);
    if (r == -EBADMSG)
        return refused_tell(bank, slot, "its file is damaged.");
    if (r < 0)
        return r;
    struct call_fate fate = {.was_sent = true};
    const Timebank__Answer *answer = NULL;
    r = submit_run(bank, submit, leaves, n_orders, &fate, &answer);
    if (r == 0) {
        outbox_remove(slot);
        return 0;
    }
    return r > 0 && fate.is_known ? refused_tell(bank, slot, bank->message) : r;
}

/* 1: settled; 0: not ours to settle. */
static int file_settle(struct tb_bank *bank, const char *name, struct arena *arena,
                       bool *ret_settled) {
    struct outbox_slot slot = OUTBOX_SLOT_INIT;
    Timebank__Submit *submit = NULL;
    struct batch_header header;
    bool settled = false;
    int r = outbox_get(bank, name, arena, &slot, &submit);
    if (r == -EWOULDBLOCK || r == -ENOENT)
        return 0;
    if (r == 0)
        r = batch_header_unpack(submit->header.data, &header);
    if (r == -EBADMSG) {
        r = refused_tell(bank, &slot, "its file is damaged.");
    } else if (r == 0 && batch_is_ours(bank, &header)) {
        r = batch_settle(bank, submit, header.n_orders, &slot);
        settled = r == 0;
    }
    outbox_slot_fini(&slot);
    if (r == 0)
        *ret_settled = settled;
    return r;
}

int settle_run(struct tb_bank *bank, size_t *ret_settled) {
    char **names = NULL;
    size_t n = 0;
    int r = outbox_list(bank, &names, &n);
    if (r != 0)
        return r;
    struct arena arena;
    arena_init(&arena, BANK_REPLY_MAX);
    size_t n_settled = 0;
    for (size_t i = 0; i < n; i++) {
        bool settled = false;
        arena_reset(&arena);
        r = r == 0 ? file_settle(bank, names[i], &arena, &settled) : r;
        n_settled += settled ? 1 : 0;
        free(names[i]);
    }
    free(names);
    arena_fini(&arena);
    if (r == 0)
        *ret_settled = n_settled;
    if (r == 0 && n - n_settled >= OUTBOX_FILES_MAX)
        return bank_fail(bank, TB_OUTBOX_FULL, NULL);
    bank->refused = NULL;
    if (r == 0)
        bank->message[0] = '\0';
    return r;
}

int tb_bank_settle(struct tb_bank *bank, size_t *ret_settled) {
    if (!bank)
        return -EINVAL;
    size_t n_settled = 0;
    int r = bank_begin_opened(bank);
    if (r == 0)
        r = settle_run(bank, &n_settled);
    if (r == 0 && ret_settled)
        *ret_settled = n_settled;
    return r;
}
