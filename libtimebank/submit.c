/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch is in the outbox, and the head that its header names is saved, before its first byte
 * leaves. An answer that does not verify leaves its fate unknown: nothing that such a bank says
 * about it counts.
 */
#include "submit.h"

#include <errno.h>
#include <string.h>

#include "answer.h"
#include "check.h"
#include "parcel.h"
#include "pins.h"
#include "proto/merkle.h"
#include "reply.h"
#include "settle.h"
#include "wire.h"

int submit_init(struct submit *submit, const Timebank__Submit *message) {
    struct batch_header header;
    *submit = (struct submit){};
    int r = batch_header_unpack(message->header.data, &header);
    if (r == 0)
        r = batch_leaves(message->orders.data, message->orders.len, header.n_orders,
                         &submit->leaves);
    if (r < 0)
        return r;
    struct hash root = merkle_root(submit->leaves, header.n_orders);
    if (!hash_equal(&root, &header.orders_root))
        return -EBADMSG;
    submit->n_orders = header.n_orders;
    memcpy(submit->header, message->header.data, BATCH_HEADER_BYTES);
    memcpy(submit->signature, message->signature.data, SSHSIG_SIGNATURE_BYTES);
    return 0;
}

/* The same of a batch that was just prepared; the leaves change hands. */
static void submit_take(struct submit *submit, const struct tb_batch *batch, struct hash *leaves) {
    *submit = (struct submit){.leaves = leaves, .n_orders = batch->n_items};
    memcpy(submit->header, batch->header, BATCH_HEADER_BYTES);
    memcpy(submit->signature, batch->signature, SSHSIG_SIGNATURE_BYTES);
}

void submit_fini(struct submit *submit) {
    outbox_slot_fini(&submit->slot);
    already_fini(&submit->already);
    free(submit->leaves);
    submit->leaves = NULL;
}

int submit_pack(Timebank__Submit *message, struct bytes *ret_body) {
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_SUBMIT;
    request.submit = message;
    bytes_clear(ret_body);
    return wire_body(&request, ret_body);
}

static int answer_verify(const struct submit *submit, const struct tb_call *call, bool dry_run) {
    struct verify_batch batch = {
        .header = submit->header,
        .signature = submit->signature,
        .leaves = submit->leaves,
        .n_orders = submit->n_orders,
        .dry_run = dry_run,
    };
    return verify_answer(call->bank, &call->seen, &batch, call->reply->message->answer);
}

int submit_connects(struct submit *submit, const struct tb_call *call) {
    const Timebank__Response *response = call->reply->message;
    if (already_is_open(&submit->already) ||
        response->body_case != TIMEBANK__RESPONSE__BODY_ANSWER ||
        !verify_follows(&call->bank->head.head, response->answer))
        return 0;
    int r = answer_verify(submit, call, false);
    submit->is_verified = r == 0;
    return r == 0 ? 1 : r;
}

int submit_judge(struct submit *submit, const struct tb_call *call, bool dry_run) {
    const Timebank__Response *response = call->reply->message;
    if (already_is_open(&submit->already))
        return already_take(&submit->already, call->bank, response->ranges);
    const Timebank__Answer *answer = response->answer;
    int r = submit->is_verified ? 0 : answer_verify(submit, call, dry_run);
    submit->is_verified = false;
    if (r == 0 && !dry_run && answer->seal == 0)
        r = already_begin(&submit->already, call->bank, submit->leaves, answer, &call->seen.head);
    return r;
}

bool submit_goes_on(struct submit *submit, struct tb_call *call, int *r, bool *known) {
    if (!already_is_open(&submit->already))
        return false;
    *known = false;
    if (*r != 0)
        return false;
    call->wants = TIMEBANK__RESPONSE__BODY_RANGES;
    call->is_unknown = true;
    *r = already_ask(&submit->already, &call->body);
    return *r == 0;
}

/* ------------------------------------------------------------ a batch's call */

struct job {
    struct submit submit;
    struct tb_batch *batch; /* NULL: nobody waits for it any more */
    struct tb_answer *answer;
};

static int job_keep(struct tb_call *call) {
    struct job *job = call->job;
    return outbox_sync(call->bank, &job->submit.slot);
}

static int job_connects(struct tb_call *call) {
    struct job *job = call->job;
    return call->kind == CALL_RECORDS ? submit_connects(&job->submit, call) : 0;
}

static int job_judge(struct tb_call *call) {
    struct job *job = call->job;
    bool is_proof = already_is_open(&job->submit.already);
    int r = submit_judge(&job->submit, call, call->kind == CALL_DRY_RUN);
    if (r != 0 || is_proof)
        return r;
    return answer_new(call->reply->message->answer, job->submit.n_orders, call->is_unknown,
                      call->seen.head.size, &job->answer);
}

static int job_end(struct tb_call *call, int *r, bool known) {
    struct job *job = call->job;
    bool is_dry_run = call->kind == CALL_DRY_RUN;
    if (submit_goes_on(&job->submit, call, r, &known))
        return 1;
    if (known && !is_dry_run)
        outbox_remove(&job->submit.slot);
    if (!known && job->batch)
        outbox_slot_leave(&job->submit.slot, &job->batch->kept);
    outbox_slot_fini(&job->submit.slot);
    /* What was not refused of a refused dry run may stand below the next one, too. */
    if (is_dry_run && call->reply && call->bank->link == LINK_OPEN)
        call->bank->n_dry_runs++;
    if (!job->batch)
        return 0;
    if (!is_dry_run)
        job->batch->is_pending = !known;
    if (*r > 0 && batch_take_refusals(job->batch, call_refused(call)) < 0)
        *r = bank_fail(call->bank, -ENOMEM, NULL);
    job->batch->call = NULL;
    job->batch = NULL;
    return 0;
}

static void job_forget(struct tb_call *call) {
    struct job *job = call->job;
    if (!job->batch)
        return;
    if (call->kind == CALL_RECORDS)
        job->batch->is_pending = call->is_unknown || call->stage != CALL_WAITS;
    job->batch->call = NULL;
    job->batch = NULL;
}

static void job_free(struct tb_call *call) {
    struct job *job = call->job;
    submit_fini(&job->submit);
    tb_answer_free(job->answer);
    free(job);
}

static const struct call_noun batch_noun = {
    .keep = job_keep,
    .connects = job_connects,
    .judge = job_judge,
    .end = job_end,
    .forget = job_forget,
    .free = job_free,
};

static int job_new(struct tb_batch *batch, enum call_kind kind, struct tb_call **ret_call) {
    struct tb_call *call = NULL;
    struct job *job = calloc(1, sizeof(*job));
    int r = job ? call_new(batch->bank, kind, NULL, TIMEBANK__RESPONSE__BODY_ANSWER, &call)
                : bank_fail(batch->bank, -ENOMEM, NULL);
    if (r != 0) {
        free(job);
        return r;
    }
    call->noun = &batch_noun;
    call->job = job;
    *ret_call = call;
    return 0;
}

static int job_pack(struct tb_batch *batch, struct tb_call *call) {
    struct job *job = call->job;
    struct parcel parcel = {};
    static const struct outbox_kept nowhere;
    int r = parcel_fill(batch, &parcel);
    parcel.submit.dry_run = call->kind == CALL_DRY_RUN;
    if (r == 0)
        r = submit_pack(&parcel.submit, &call->body);
    if (r < 0)
        bank_fail(batch->bank, r, NULL);
    else if (call->kind == CALL_RECORDS)
        r = outbox_put(batch->bank, &call->body, &parcel.submit,
                       batch->is_pending ? &batch->kept : &nowhere, &job->submit.slot);
    parcel_fini(&parcel);
    return r;
}

/* Others of ours that are under way hold their outbox files: whatever else is there was settled
 * when they began, or is being settled. */
static struct tb_call *record_under_way(const struct tb_bank *bank) {
    struct tb_call *call = bank->calls;
    while (call && call->kind != CALL_RECORDS)
        call = call->next;
    return call;
}

/* Shares the head that the header will name, and sees that what waits in the outbox goes first. */
static int batch_make_way(const struct tb_batch *batch, struct tb_call **ret_settling) {
    struct tb_bank *bank = batch->bank;
    struct note_head longer = {};
    int r = pins_share_head(bank, &longer);
    if (r == 0 && longer.size > 0)
        r = check_saved(bank, &longer);
    /* In the middle of a dry run there is nothing of ours to settle: it began with a settling. */
    if (r != 0 || batch->is_pending || bank->n_dry_runs > 0)
        return r;
    struct tb_call *other = record_under_way(bank);
    if (!other)
        return settle_begin(bank, ret_settling);
    *ret_settling = settle_is(other) ? other : NULL;
    return 0;
}

static int batch_start(struct tb_batch *batch, enum call_kind kind, struct tb_call **ret_call) {
    struct tb_call *settling = NULL;
    struct tb_call *call = NULL;
    _cleanup_(freep) struct hash *leaves = NULL;
    bool was_pending = batch->is_pending;
    int r = batch_prepare(batch, &leaves);
    if (r == 0)
        r = batch_make_way(batch, &settling);
    if (r == 0)
        r = job_new(batch, kind, &call);
    if (r != 0)
        return r;
    submit_take(&((struct job *)call->job)->submit, batch, TAKE(leaves));
    r = job_pack(batch, call);
    if (r != 0) {
        call_discard(call);
        return r;
    }
    call->is_unknown = was_pending;
    call_follow(call, settling);
    batch->call = call;
    ((struct job *)call->job)->batch = batch;
    call_start(call);
    *ret_call = call;
    return 0;
}

int tb_batch_submit_start(struct tb_batch *batch, struct tb_call **ret_call) {
    if (!batch || !ret_call)
        return -EINVAL;
    int r = bank_begin_opened(batch->bank);
    if (r == 0 && batch->call)
        r = batch_busy(batch);
    return r == 0 ? batch_start(batch, CALL_RECORDS, ret_call) : r;
}

int tb_batch_dry_run_start(struct tb_batch *batch, struct tb_call **ret_call) {
    if (!batch || !ret_call)
        return -EINVAL;
    int r = bank_begin_opened(batch->bank);
    if (r == 0 && batch->call)
        r = batch_busy(batch);
    if (r == 0 && batch->is_pending)
        r = bank_fail(batch->bank, -EBUSY,
                      "The batch was sent, and what became of it is not known: submit it again.");
    return r == 0 ? batch_start(batch, CALL_DRY_RUN, ret_call) : r;
}

int tb_answer_take(struct tb_call *call, struct tb_answer **ret_answer) {
    if (!call || !ret_answer)
        return -EINVAL;
    Timebank__Response *response = NULL;
    /* The last reply may be the answer's proof. */
    int r = call_reply(
        call, call->noun == &batch_noun ? call->wants : TIMEBANK__RESPONSE__BODY_ANSWER, &response);
    struct job *job = call->noun == &batch_noun ? call->job : NULL;
    if (r == 0 && (!job || !job->answer))
        r = bank_fail(call->bank, -EINVAL, "The answer was taken already.");
    if (r == 0)
        *ret_answer = TAKE(job->answer);
    return r;
}

int tb_batch_submit(struct tb_batch *batch, struct tb_answer **ret_answer) {
    struct tb_call *call = NULL;
    int r = ret_answer ? tb_batch_submit_start(batch, &call) : -EINVAL;
    if (r == 0)
        r = call_lend(call);
    return r == 0 ? tb_answer_take(call, ret_answer) : r;
}

int tb_batch_dry_run(struct tb_batch *batch, struct tb_answer **ret_answer) {
    struct tb_call *call = NULL;
    int r = ret_answer ? tb_batch_dry_run_start(batch, &call) : -EINVAL;
    if (r == 0)
        r = call_lend(call);
    return r == 0 ? tb_answer_take(call, ret_answer) : r;
}

/* ------------------------------------------------------- the end of dry runs */

static int end_judge(struct tb_call *call) {
    call->bank->n_dry_runs = 0;
    call->bank->dry_runs_lost = false;
    return 0;
}

static const struct call_noun end_noun = {.judge = end_judge};

int tb_bank_end_dry_run_start(struct tb_bank *bank, struct tb_call **ret_call) {
    if (!bank || !ret_call)
        return -EINVAL;
    Timebank__EndDryRun end = TIMEBANK__END_DRY_RUN__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_END_DRY_RUN;
    request.end_dry_run = &end;
    int r = call_read(bank, &request, TIMEBANK__RESPONSE__BODY__NOT_SET, ret_call);
    if (r == 0)
        (*ret_call)->noun = &end_noun;
    return r;
}

int tb_bank_end_dry_run(struct tb_bank *bank) {
    if (!bank)
        return -EINVAL;
    int r = bank_begin_opened(bank);
    if (r == 0 && bank->n_dry_runs == 0 && !bank->calls) {
        bank->dry_runs_lost = false;
        return 0;
    }
    struct tb_call *call = NULL;
    if (r == 0)
        r = tb_bank_end_dry_run_start(bank, &call);
    return r == 0 ? call_lend(call) : r;
}
