/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts, asked of the bank. Nothing is handed out that did not verify from end to end: what the
 * bank says wrong of an entry is evidence.
 */
#include "receipt.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "call.h"
#include "check.h"
#include "reply.h"
#include "verify.h"

/* What was asked for, and the receipt once it is there. */
struct job {
    uint64_t number;
    struct note_head head; /* size 0: the bank's newest */
    struct bytes checkpoint;
    struct tb_receipt *receipt;
};

struct tb_receipt *tb_receipt_free(struct tb_receipt *receipt) {
    if (!receipt)
        return NULL;
    bytes_fini(&receipt->record);
    bytes_fini(&receipt->checkpoint);
    for (size_t i = 0; i < receipt->n_chain; i++)
        bytes_fini(&receipt->chain[i].record);
    free(receipt);
    return NULL;
}
DEFINE_CLEANUP(struct tb_receipt *, tb_receipt_free)

/* -------------------------------------------------------------------- reading */

static int path_take(struct proof *proof, uint64_t index, const ProtobufCBinaryData *path,
                     size_t n_path) {
    if (n_path > MERKLE_PATH_MAX)
        return -EBADMSG;
    for (size_t i = 0; i < n_path; i++) {
        if (path[i].len != HASH_BYTES)
            return -EBADMSG;
        memcpy(proof->path[i].b, path[i].data, HASH_BYTES);
    }
    proof->index = index;
    proof->n_path = n_path;
    return 0;
}

/* What has no other form than this one; its place in the ledger is looked at afterwards. */
static int shape_take(const Timebank__Receipt *message, struct tb_receipt *receipt) {
    const ProtobufCBinaryData *record = &message->record, *seal = &message->seal_record;
    if (record->len < 2 || record->len > RECORD_MAX || record->data[0] != RECORD_ORDER ||
        seal->len != RECORD_SEAL_BYTES || message->number <= message->seal)
        return -EBADMSG;
    bytes_put(&receipt->record, record->data, record->len);
    if (receipt->record.r < 0)
        return receipt->record.r;
    memcpy(receipt->seal_record, seal->data, seal->len);
    int r = record_seal_unpack(receipt->seal_record, RECORD_SEAL_BYTES, &receipt->seal);
    if (r == 0)
        r = batch_header_unpack(receipt->seal.header, &receipt->header);
    if (r == 0)
        r = path_take(&receipt->entry_proof, message->number, message->path, message->n_path);
    if (r == 0)
        r = path_take(&receipt->seal_proof, message->seal, message->seal_path,
                      message->n_seal_path);
    if (r == 0)
        r = path_take(&receipt->batch_proof, message->number - message->seal - 1,
                      message->batch_path, message->n_batch_path);
    if (r == 0)
        r = receipt_chain_take(message, receipt);
    return r;
}

/* The head that was asked for, or that of the reply, which is connected with ours. */
static int head_take(const struct tb_call *call, const Timebank__Receipt *message,
                     struct tb_receipt *receipt) {
    const struct job *job = call->job;
    const struct tb_bank *bank = call->bank;
    bool is_given = job->head.size > 0;
    const struct note_head *wanted = is_given ? &job->head : &call->seen.head;
    const void *note = is_given ? job->checkpoint.data : message->checkpoint.data;
    size_t n = is_given ? job->checkpoint.n : message->checkpoint.len;
    int r = chain_open_head(bank, note, n, &receipt->verifier, &receipt->head);
    if (r < 0)
        return r;
    if (message->size != wanted->size || receipt->head.size != wanted->size ||
        !hash_equal(&receipt->head.root, &wanted->root))
        return -EBADMSG;
    bytes_put(&receipt->checkpoint, note, n);
    receipt->entry_proof.checkpoint = receipt->seal_proof.checkpoint =
        (const char *)receipt->checkpoint.data;
    receipt->entry_proof.n_checkpoint = receipt->seal_proof.n_checkpoint = receipt->checkpoint.n;
    return receipt->checkpoint.r;
}

/* ------------------------------------------------------------------- verifying */

static bool record_is_proven(const struct note_head *head, const void *record, size_t n,
                             const struct proof *proof) {
    struct hash leaf = merkle_leaf(record, n);
    return proof->index < head->size &&
           merkle_verify_inclusion(proof->index, head->size, &leaf, proof->path, proof->n_path,
                                   &head->root) == 0;
}

/* For this ledger, or for the one that it goes on from where the entry is from before a restore. */
static bool is_signed_for(const struct tb_receipt *receipt, const struct hash *ledger_id) {
    struct receipt_era era = {.ledger_id = *ledger_id};
    if (receipt->n_chain > 0 &&
        receipt_chain_era(receipt->chain, receipt->n_chain, receipt->seal_proof.index, &era) < 0)
        return false;
    return hash_equal(&receipt->header.ledger_id, &era.ledger_id);
}

/* NULL, or what is wrong. */
static const char *receipt_find_fault(const struct tb_bank *bank,
                                      const struct tb_receipt *receipt) {
    const struct batch_header *header = &receipt->header;
    const struct proof *place = &receipt->batch_proof;
    struct hash leaf = merkle_leaf(receipt->record.data, receipt->record.n);
    if (!record_is_proven(&receipt->head, receipt->record.data, receipt->record.n,
                          &receipt->entry_proof))
        return "The entry shown is not the one in the ledger.";
    if (!record_is_proven(&receipt->head, receipt->seal_record, RECORD_SEAL_BYTES,
                          &receipt->seal_proof))
        return "The seal shown is not the one in the ledger.";
    if (!receipt_chain_holds(receipt, &bank->ledger_id))
        return "The changes of the ledger's key shown do not lead to the one that signed its head.";
    if (!is_signed_for(receipt, &bank->ledger_id))
        return "The entry was signed for another ledger.";
    if (sshsig_verify(SSHSIG_BATCH, receipt->seal.header, BATCH_HEADER_BYTES, header->author,
                      receipt->seal.signature) < 0)
        return "The author's signature in the ledger is not right.";
    if (place->index >= header->n_orders ||
        merkle_verify_inclusion(place->index, header->n_orders, &leaf, place->path, place->n_path,
                                &header->orders_root) < 0)
        return "The entry is in the ledger, but its author did not sign it at that place.";
    return NULL;
}

static int receipt_unreadable(struct tb_bank *bank) {
    return bank_fail(bank, -EPROTO,
                     "The bank's reply is not the receipt asked for: update the bank.");
}

static int order_check(struct tb_call *call, const struct tb_receipt *receipt) {
    Timebank__Order *order = NULL;
    return record_order_decode(receipt->record.data + 1, receipt->record.n - 1, &call->reply->arena,
                               &order);
}

static int job_judge(struct tb_call *call) {
    struct job *job = call->job;
    const Timebank__Receipt *message = call->reply->message->receipt;
    _cleanup_(tb_receipt_freep) struct tb_receipt *receipt = calloc(1, sizeof(*receipt));
    if (!receipt)
        return bank_fail(call->bank, -ENOMEM, NULL);
    int r = message->number == job->number ? shape_take(message, receipt) : -EBADMSG;
    if (r == 0)
        r = head_take(call, message, receipt);
    if (r == -EBADMSG)
        return receipt_unreadable(call->bank);
    if (r < 0)
        return bank_fail(call->bank, r, NULL);
    const char *fault = receipt_find_fault(call->bank, receipt);
    if (fault)
        return verify_fail(call->bank, receipt->checkpoint.data, receipt->checkpoint.n, "%s",
                           fault);
    r = order_check(call, receipt);
    if (r < 0)
        return r == -ENOMEM ? bank_fail(call->bank, r, NULL) : receipt_unreadable(call->bank);
    tb_receipt_free(job->receipt);
    job->receipt = TAKE(receipt);
    return 0;
}

/* ---------------------------------------------------------------------- asking */

static struct job *job_discard(struct job *job) {
    if (job) {
        bytes_fini(&job->checkpoint);
        tb_receipt_free(job->receipt);
        free(job);
    }
    return NULL;
}
DEFINE_CLEANUP(struct job *, job_discard)

static void job_free(struct tb_call *call) {
    job_discard(call->job);
}

static const struct call_noun receipt_noun = {.judge = job_judge, .free = job_free};

/* The head that a caller was given: it must be this ledger's. */
static int head_read(struct tb_bank *bank, const char *head, struct job *job) {
    size_t n = strlen(head);
    struct note_verifier signer;
    int r = chain_open_head(bank, head, n, &signer, &job->head);
    if (r == -ENOMEM)
        return bank_fail(bank, r, NULL);
    if (r < 0 || job->head.size == 0)
        return bank_fail(bank, TB_NOT_VERIFIED,
                         "That is no head signed by %s: take a checkpoint of this ledger.",
                         bank->verifier.name);
    if (job->head.size == bank->head.head.size &&
        !hash_equal(&job->head.root, &bank->head.head.root))
        return verify_two_histories(bank, head, n);
    bytes_put(&job->checkpoint, head, n);
    return job->checkpoint.r < 0 ? bank_fail(bank, -ENOMEM, NULL) : 0;
}

static int job_new(struct tb_bank *bank, uint64_t entry, const char *head, struct job **ret_job) {
    _cleanup_(job_discardp) struct job *job = calloc(1, sizeof(*job));
    if (!job)
        return bank_fail(bank, -ENOMEM, NULL);
    job->number = entry;
    int r = head ? head_read(bank, head, job) : 0;
    if (r == 0)
        *ret_job = TAKE(job);
    return r;
}

int tb_receipt_start(struct tb_bank *bank, uint64_t entry, const char *head,
                     struct tb_call **ret_call) {
    if (!bank || !ret_call)
        return -EINVAL;
    _cleanup_(job_discardp) struct job *job = NULL;
    int r = bank_begin_opened(bank);
    if (r == 0)
        r = job_new(bank, entry, head, &job);
    if (r != 0)
        return r;
    Timebank__AskReceipt ask = TIMEBANK__ASK_RECEIPT__INIT;
    ask.number = entry;
    ask.size = job->head.size;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_RECEIPT;
    request.receipt = &ask;
    struct tb_call *call = NULL;
    r = call_read(bank, &request, TIMEBANK__RESPONSE__BODY_RECEIPT, &call);
    if (r != 0)
        return r;
    call->noun = &receipt_noun;
    call->job = job;
    const struct job *asked = TAKE(job);
    if (asked->head.size > 0)
        r = check_shown(&asked->head, asked->checkpoint.data, asked->checkpoint.n, call);
    if (r != 0)
        call_release(call);
    else
        *ret_call = call;
    return r;
}

int tb_receipt_take(struct tb_call *call, struct tb_receipt **ret_receipt) {
    if (!call || !ret_receipt || call->noun != &receipt_noun)
        return -EINVAL;
    Timebank__Response *response = NULL;
    int r = call_reply(call, TIMEBANK__RESPONSE__BODY_RECEIPT, &response);
    if (r != 0)
        return r;
    struct job *job = call->job;
    if (!job->receipt)
        return bank_fail(call->bank, -EINVAL, "The receipt was taken before.");
    *ret_receipt = TAKE(job->receipt);
    return 0;
}

int tb_receipt_get(struct tb_bank *bank, uint64_t entry, const char *head,
                   struct tb_receipt **ret_receipt) {
    struct tb_call *call = NULL;
    int r = ret_receipt ? tb_receipt_start(bank, entry, head, &call) : -EINVAL;
    if (r == 0)
        r = call_lend(call);
    return r == 0 ? tb_receipt_take(call, ret_receipt) : r;
}
