/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each batch of our key in the outbox is sent again as it was signed, one after the other within
 * one call. Recorded or refused, it leaves the outbox; busy or stopping, it stays, and nothing new
 * goes out before it. Batches that other keys signed are left for them: the daemon takes a batch
 * from its author only.
 */
#include "settle.h"

#include <errno.h>
#include <string.h>

#include "outbox-tray.h"
#include "outbox.h"
#include "reply.h"
#include "submit.h"

struct job {
    struct outbox_name *names;
    size_t n_names;
    size_t i;
    size_t n_settled;
    struct submit submit; /* the one under way */
};

static bool batch_is_ours(const struct tb_bank *bank, const struct batch_header *header) {
    const uint8_t *public = bank->secret_key + SSHSIG_SECRET_BYTES - SSHSIG_PUBLIC_BYTES;
    return memcmp(header->author, public, SSHSIG_PUBLIC_BYTES) == 0;
}

/* what: NULL where the file itself is damaged. */
static int refused_tell(struct tb_bank *bank, struct outbox_slot *slot, const char *what) {
    _cleanup_(freep) char *path = NULL;
    int r = outbox_set_aside(slot, &path);
    if (r < 0)
        return bank_fail(bank, r, "The refused batch %s cannot be moved: %s.", slot->tray->path,
                         strerror(-r));
    if (what)
        bank_notice(bank, "An earlier batch was not recorded and is kept in %s: %s", path, what);
    else
        bank_notice(bank, "An earlier batch is damaged and kept in %s: see whether it is recorded.",
                    path);
    return 0;
}

/* 1: the file's batch is packed into the call; 0: not ours to settle. */
static int file_load(struct tb_call *call, const struct outbox_name *name, struct arena *arena) {
    struct tb_bank *bank = call->bank;
    struct job *job = call->job;
    struct outbox_slot slot = {};
    Timebank__Submit *submit = NULL;
    struct batch_header header;
    int r = outbox_get(bank, name, arena, &slot, &submit);
    if (r == -EWOULDBLOCK || r == -ENOENT)
        return 0;
    if (r == 0)
        r = batch_header_unpack(submit->header.data, &header);
    bool is_ours = r == 0 && batch_is_ours(bank, &header);
    if (is_ours)
        r = submit_init(&job->submit, submit);
    if (r == -EBADMSG) {
        r = refused_tell(bank, &slot, NULL);
        is_ours = false;
    }
    if (r == 0 && is_ours)
        r = submit_pack(submit, &call->body);
    if (r < 0 || !is_ours) {
        outbox_slot_fini(&slot);
        return r;
    }
    job->submit.slot = slot;
    call->wants = TIMEBANK__RESPONSE__BODY_ANSWER;
    call->is_unknown = true;
    return 1;
}

/* 1: the next batch is packed into the call; 0: there is none. */
static int job_next(struct tb_call *call) {
    struct job *job = call->job;
    int r = 0;
    while (r == 0 && job->i < job->n_names) {
        struct arena arena;
        arena_init(&arena, BANK_REPLY_MAX);
        submit_fini(&job->submit);
        r = file_load(call, &job->names[job->i++], &arena);
        arena_fini(&arena);
    }
    if (r == 0 && job->n_names - job->n_settled >= OUTBOX_FILES_MAX)
        return bank_fail(call->bank, TB_OUTBOX_FULL, NULL);
    return r;
}

static int job_judge(struct tb_call *call) {
    struct job *job = call->job;
    return submit_judge(&job->submit, call, false);
}

static int job_end(struct tb_call *call, int *r, bool known) {
    struct job *job = call->job;
    if (submit_goes_on(&job->submit, call, r, &known))
        return 1;
    int told = *r;
    if (told == 0)
        outbox_remove(&job->submit.slot);
    else if (told > 0 && known && job->submit.slot.tray)
        told = refused_tell(call->bank, &job->submit.slot, call->bank->message);
    if (told == 0) {
        job->n_settled++;
        told = job_next(call);
    }
    if (told == 1)
        return 1;
    submit_fini(&job->submit);
    *r = told;
    return 0;
}

static void job_free(struct tb_call *call) {
    struct job *job = call->job;
    submit_fini(&job->submit);
    outbox_names_free(job->names, job->n_names);
    free(job);
}

static int job_keep(struct tb_call *call) {
    struct job *job = call->job;
    return outbox_sync(call->bank, &job->submit.slot);
}

static const struct call_noun settle_noun = {
    .keep = job_keep,
    .judge = job_judge,
    .end = job_end,
    .free = job_free,
};

bool settle_is(const struct tb_call *call) {
    return call->noun == &settle_noun;
}

/* 1: started; 0: there is nothing to send. */
static int settle_start(struct tb_bank *bank, struct tb_call **ret_call) {
    struct tb_call *call = NULL;
    int r = call_new(bank, CALL_RECORDS, NULL, TIMEBANK__RESPONSE__BODY_ANSWER, &call);
    if (r != 0)
        return r;
    struct job *job = calloc(1, sizeof(*job));
    if (!job) {
        call_discard(call);
        return bank_fail(bank, -ENOMEM, NULL);
    }
    call->noun = &settle_noun;
    call->job = job;
    r = outbox_list(bank, &job->names, &job->n_names);
    if (r == 0)
        r = job_next(call);
    if (r < 0 || r > 1) {
        call_discard(call);
        return r;
    }
    if (r == 1)
        call_start(call);
    else
        call_set_stage(call, CALL_ENDED);
    *ret_call = call;
    return r;
}

int settle_begin(struct tb_bank *bank, struct tb_call **ret_call) {
    struct tb_call *call = NULL;
    int r = settle_start(bank, &call);
    if (r == 1) {
        call->is_forgotten = true;
        *ret_call = call;
        return 0;
    }
    if (r == 0)
        call_discard(call);
    return r;
}

int tb_bank_settle_start(struct tb_bank *bank, struct tb_call **ret_call) {
    if (!bank || !ret_call)
        return -EINVAL;
    int r = bank_begin_opened(bank);
    if (r == 0)
        r = settle_start(bank, ret_call);
    return r == 1 ? 0 : r;
}

int tb_bank_settle_read(struct tb_call *call, size_t *ret_settled) {
    if (!call || !ret_settled)
        return -EINVAL;
    if (!settle_is(call) || call->stage != CALL_ENDED || call->r != 0)
        return bank_fail(call->bank, -EINVAL, "The call settled nothing.");
    const struct job *job = call->job;
    *ret_settled = job->n_settled;
    return 0;
}

int tb_bank_settle(struct tb_bank *bank, size_t *ret_settled) {
    struct tb_call *call = NULL;
    size_t n_settled = 0;
    int r = tb_bank_settle_start(bank, &call);
    if (r == 0)
        r = call_lend(call);
    if (r == 0)
        r = tb_bank_settle_read(call, &n_settled);
    if (r == 0 && ret_settled)
        *ret_settled = n_settled;
    return r;
}
