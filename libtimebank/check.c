/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer to a batch often shows by itself that it follows the head that came last. Otherwise:
 * two requests, one that names our head and one that names the other: when both are answered with
 * one and the same head, both are beginnings of it. When the ledger grew in between, the second
 * head takes the place of the one that it extends, and the two are asked again.
 */
#include "check.h"

#include <errno.h>

#include "verify.h"

static bool heads_equal(const struct note_head *a, const struct note_head *b) {
    return a->size == b->size && hash_equal(&a->root, &b->root);
}

/* 0: the same head as ours; 1: of another size. */
static int head_compare(struct tb_bank *bank, const struct note_head *head,
                        const struct bytes *checkpoint) {
    if (head->size != bank->head.head.size)
        return 1;
    if (heads_equal(head, &bank->head.head))
        return 0;
    return verify_two_histories(bank, checkpoint->data, checkpoint->n);
}

/* The reply to the request that names a held call's head. */
static int parent_take(struct tb_call *call) {
    struct tb_call *parent = call->parent;
    int r = head_compare(call->bank, &call->seen.head, &call->seen.checkpoint);
    if (r < 0)
        return r;
    parent->reach = call->seen.head;
    if (call->seen.checkpoint.n > 0) {
        bytes_clear(&parent->reached);
        bytes_put(&parent->reached, call->seen.checkpoint.data, call->seen.checkpoint.n);
    }
    call->parent = NULL;
    if (r == 1)
        check_hold(parent);
    return 0;
}

int check_reply(struct tb_call *call) {
    struct tb_bank *bank = call->bank;
    const struct bank_head *seen = &call->seen;
    if (call->parent)
        return parent_take(call);
    bool from_ours = heads_equal(&call->known, &bank->head.head);
    int r = from_ours ? 1 : head_compare(bank, &seen->head, &seen->checkpoint);
    if (r == 1 && !from_ours && call->noun->connects) {
        int connects = call->noun->connects(call);
        if (connects < 0)
            return connects;
        from_ours = connects == 1;
    }
    if (r == 1 && from_ours) {
        r = seen->checkpoint.n > 0
                ? bank_set_head(bank, &seen->head, seen->checkpoint.data, seen->checkpoint.n)
                : 0;
    }
    /* One that was asked for the sake of its head alone came too late to be of use. */
    return r == 1 && call->is_forgotten && call->kind == CALL_READS ? 0 : r;
}

/* The request that names our head, while it was not sent: one does for all that are held. */
static struct tb_call *ours_waiting(const struct tb_bank *bank) {
    struct tb_call *call = bank->calls;
    while (call && (call->stage != CALL_WAITS || call->kind != CALL_READS || call->parent ||
                    !call->is_forgotten))
        call = call->next;
    return call;
}

/* A request for nothing but a head. */
static int head_ask(struct tb_bank *bank, struct tb_call **ret_call) {
    Timebank__Empty empty = TIMEBANK__EMPTY__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_STATUS;
    request.status = &empty;
    int r = call_new(bank, CALL_READS, &request, TIMEBANK__RESPONSE__BODY_STATUS, ret_call);
    if (r == 0)
        (*ret_call)->is_forgotten = true;
    return r;
}

/* Before all others; the one that names our head is answered first. */
static int heads_ask(struct tb_call *held) {
    struct tb_bank *bank = held->bank;
    struct tb_call *ours = ours_waiting(bank);
    struct tb_call *call = NULL;
    if (!ours) {
        int r = head_ask(bank, &ours);
        if (r != 0)
            return r;
        call_start_first(ours);
    }
    int r = head_ask(bank, &call);
    if (r != 0)
        return r;
    call->parent = held;
    held->is_followed = true;
    call->deadline_at_ms = held->deadline_at_ms;
    call_start_behind(call, ours);
    return 0;
}

void check_hold(struct tb_call *call) {
    if (call->stage != CALL_CHECKED) {
        call->reach = call->seen.head;
        bytes_clear(&call->reached);
    }
    call_set_stage(call, CALL_CHECKED);
    int r = heads_ask(call);
    if (r < 0)
        call_judge(call, r);
}

void check_wake(struct tb_bank *bank) {
    if (bank->n_calls[CALL_CHECKED] == 0)
        return;
    struct tb_call *call = bank->calls;
    while (call) {
        if (call->stage != CALL_CHECKED || call->reach.size != bank->head.head.size) {
            call = call->next;
            continue;
        }
        call_show(call);
        call_judge(call, head_compare(bank, &call->reach, call_reached(call)));
        call = bank->calls; /* which others ended with it is not known */
    }
}

int check_saved(struct tb_bank *bank, const struct note_head *head) {
    struct tb_call *call = NULL;
    int r = call_new(bank, CALL_READS, NULL, TIMEBANK__RESPONSE__BODY__NOT_SET, &call);
    if (r != 0)
        return r;
    call->is_forgotten = true;
    call->seen.head = *head;
    call_start_first(call);
    check_hold(call);
    return 0;
}

int check_shown(const struct note_head *head, const void *checkpoint, size_t n,
                struct tb_call *follower) {
    struct tb_bank *bank = follower->bank;
    struct tb_call *call = NULL;
    int r = call_new(bank, CALL_READS, NULL, TIMEBANK__RESPONSE__BODY__NOT_SET, &call);
    if (r != 0)
        return r;
    bytes_put(&call->seen.checkpoint, checkpoint, n);
    if (call->seen.checkpoint.r < 0) {
        call_discard(call);
        return bank_fail(bank, -ENOMEM, NULL);
    }
    call->is_forgotten = true;
    call->seen.head = *head;
    call_follow(follower, call);
    call_start_first(call);
    check_hold(call);
    return 0;
}
