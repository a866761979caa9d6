/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A statement that proves itself complete, put together from what the bank tells: the account at a
 * state record, every line before it, the head that is published, and what the tree has between.
 * Lines never change once they are there, so whatever is recorded meanwhile is passed over. The
 * file is checked as whoever receives it will, and its head must be a beginning of the newest one
 * that the bank showed.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "call.h"
#include "proto/statement-proof.h"
#include "reply.h"
#include "verify.h"

#define LEAVES_A_TIME 256u

/* A line; its record lies in proving.records. */
struct line {
    struct statement_proof_entry entry;
    size_t begin;
};

struct proving {
    struct tb_bank *bank;
    const char *code;
    uint8_t leaf[ACCOUNT_LEAF_MAX];
    size_t n_leaf;
    struct hash path[MERKLE_PATH_MAX];
    size_t n_path;
    uint64_t state; /* number of the state record */
    uint8_t state_record[RECORD_STATE_BYTES];
    struct line *lines; /* newest first */
    size_t n_lines;
    size_t n_allocated;
    struct bytes records;
    struct note_head head; /* published: what the file stands under */
    struct bytes checkpoint;
    struct note_head reach; /* the newest that the bank showed */
    struct merkle_range tree;
    struct bytes file;
};

static void proving_finip(struct proving **proving) {
    if (!*proving)
        return;
    free((*proving)->lines);
    bytes_fini(&(*proving)->records);
    bytes_fini(&(*proving)->checkpoint);
    bytes_fini(&(*proving)->file);
    free(*proving);
}

/* Asks and waits; the response lives until done(), and is what evidence would show till then. */
static int ask(struct tb_bank *bank, const Timebank__Request *request,
               Timebank__Response__BodyCase wants, struct tb_call **ret_call,
               Timebank__Response **ret_response) {
    int r = call_ask(bank, request, wants, ret_call, ret_response);
    if (r == 0)
        call_show(*ret_call);
    return r;
}

static void done(struct tb_bank *bank, struct tb_call *call) {
    bank->judged.body = bank->judged.reply = NULL;
    call_release(call);
}

/* -------------------------------------------------------------- the account */

static int state_fail(struct proving *proving) {
    return verify_fail(proving->bank, NULL, 0,
                       "How the account stood is not told in the form that was asked for.");
}

static int state_take(struct proving *proving, const Timebank__AccountState *message) {
    struct account_leaf account;
    struct record_state record;
    if (account_leaf_unpack(message->leaf.data, message->leaf.len, &account) < 0 ||
        strcmp(account.code, proving->code) != 0 || message->n_path > MERKLE_PATH_MAX ||
        record_state_unpack(message->record.data, message->record.len, &record) < 0 ||
        record.covers != message->covers)
        return state_fail(proving);
    for (size_t i = 0; i < message->n_path; i++) {
        if (message->path[i].len != HASH_BYTES)
            return state_fail(proving);
        memcpy(proving->path[i].b, message->path[i].data, HASH_BYTES);
    }
    proving->n_path = message->n_path;
    proving->n_leaf = message->leaf.len;
    memcpy(proving->leaf, message->leaf.data, message->leaf.len);
    memcpy(proving->state_record, message->record.data, message->record.len);
    proving->state = message->covers;
    return 0;
}

static int state_ask(struct proving *proving) {
    Timebank__ByCode by_code = TIMEBANK__BY_CODE__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    Timebank__Response *response = NULL;
    struct tb_call *call = NULL;
    by_code.code = (char *)(uintptr_t)proving->code;
    request.body_case = TIMEBANK__REQUEST__BODY_ACCOUNT_STATE;
    request.account_state = &by_code;
    int r = ask(proving->bank, &request, TIMEBANK__RESPONSE__BODY_ACCOUNT_STATE, &call, &response);
    if (r == 0)
        r = state_take(proving, response->account_state);
    done(proving->bank, call);
    return r;
}

/* ---------------------------------------------------------------- the lines */

static struct line *line_new(struct proving *proving) {
    if (proving->n_lines == proving->n_allocated) {
        size_t n = proving->n_allocated > 0 ? 2 * proving->n_allocated : 64;
        struct line *lines = reallocarray(proving->lines, n, sizeof(*lines));
        if (!lines)
            return NULL;
        proving->lines = lines;
        proving->n_allocated = n;
    }
    return &proving->lines[proving->n_lines++];
}

/* The record of what fell due is the event: the order beside it is the one it follows from. */
static int line_take(struct proving *proving, const Timebank__StatementLine *message) {
    bool is_event = message->event.len > 0;
    const ProtobufCBinaryData *body = is_event ? &message->event : &message->order;
    if (body->len == 0 || body->len >= RECORD_MAX)
        return verify_fail(proving->bank, NULL, 0, "Entry %" PRIu64 " is told without its record.",
                           message->entry);
    struct line *line = line_new(proving);
    if (!line)
        return bank_fail(proving->bank, -ENOMEM, NULL);
    *line = (struct line){
        .begin = proving->records.n,
        .entry = {.number = message->entry,
                  .moved = message->moved,
                  .minutes = message->minutes,
                  .after = message->after,
                  .held = message->held_after,
                  .n_record = body->len + 1},
    };
    bytes_put_u8(&proving->records, is_event ? RECORD_EVENT : RECORD_ORDER);
    bytes_put(&proving->records, body->data, body->len);
    return proving->records.r < 0 ? bank_fail(proving->bank, -ENOMEM, NULL) : 0;
}

static int page_take(struct proving *proving, const Timebank__Statement *page, uint64_t *before) {
    if (page->more && page->n_lines == 0)
        return verify_fail(proving->bank, NULL, 0, "The statement goes on and does not.");
    for (size_t i = 0; i < page->n_lines; i++) {
        const Timebank__StatementLine *message = page->lines[i];
        if (message->entry == 0 || (*before != 0 && message->entry >= *before))
            return verify_fail(proving->bank, NULL, 0,
                               "The lines of the statement do not go back in time.");
        *before = message->entry;
        int r = message->entry < proving->state ? line_take(proving, message) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int lines_ask(struct proving *proving) {
    uint64_t before = 0;
    bool more = true;
    int r = 0;
    while (r == 0 && more) {
        Timebank__AskStatement statement = TIMEBANK__ASK_STATEMENT__INIT;
        Timebank__Request request = TIMEBANK__REQUEST__INIT;
        Timebank__Response *response = NULL;
        struct tb_call *call = NULL;
        statement.code = (char *)(uintptr_t)proving->code;
        statement.before = before;
        request.body_case = TIMEBANK__REQUEST__BODY_STATEMENT;
        request.statement = &statement;
        r = ask(proving->bank, &request, TIMEBANK__RESPONSE__BODY_STATEMENT, &call, &response);
        if (r == 0) {
            more = response->statement->more;
            r = page_take(proving, response->statement, &before);
        }
        done(proving->bank, call);
    }
    return r;
}

/* ----------------------------------------------------------------- the head */

static int head_take(struct proving *proving, const Timebank__Published *published) {
    struct tb_bank *bank = proving->bank;
    const void *note = published->checkpoint.data;
    size_t n = published->checkpoint.len;
    int r = note_checkpoint_open(note, n, &bank->verifier, &proving->head);
    if (r == -ENOMEM)
        return bank_fail(bank, r, NULL);
    if (r < 0 || proving->head.size != published->size)
        return verify_fail(bank, note, n, "The signature on the published head is not right.");
    if (proving->head.size <= proving->state)
        return verify_fail(bank, note, n,
                           "The published head is older than the state of the account.");
    if (proving->head.size > bank->head.head.size)
        return verify_fail(bank, note, n, "The published head is ahead of the ledger's own.");
    proving->reach = bank->head.head;
    bytes_put(&proving->checkpoint, note, n);
    return proving->checkpoint.r < 0 ? bank_fail(bank, -ENOMEM, NULL) : 0;
}

static int head_ask(struct proving *proving) {
    Timebank__Empty empty = TIMEBANK__EMPTY__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    Timebank__Response *response = NULL;
    struct tb_call *call = NULL;
    request.body_case = TIMEBANK__REQUEST__BODY_PUBLISHED;
    request.published = &empty;
    int r = ask(proving->bank, &request, TIMEBANK__RESPONSE__BODY_PUBLISHED, &call, &response);
    if (r == 0)
        r = head_take(proving, response->published);
    done(proving->bank, call);
    return r;
}

/* ------------------------------------------------------------------ the tree */

/* Hashes of the gaps between leaves, as they came; cut off the front as they are used. */
struct gaps {
    const uint8_t *at;
    size_t n;
};

/* The tree up to `end`, and its lines in the file where that is what they are for. */
static int gap_join(struct proving *proving, struct gaps *gaps, uint64_t end, bool is_told) {
    struct hash hashes[MERKLE_RANGE_MAX];
    struct merkle_range gap;
    size_t n = merkle_range_shape(proving->tree.end, end, NULL);
    if (gaps->n < n)
        return -EBADMSG;
    memcpy(hashes, gaps->at, n * HASH_BYTES);
    gaps->at += n * HASH_BYTES;
    gaps->n -= n;
    if (merkle_range_load(&gap, proving->tree.end, end, hashes, n) < 0)
        return -EBADMSG;
    merkle_range_join(&proving->tree, &gap, NULL, NULL);
    if (is_told)
        statement_proof_between(&proving->file, hashes, n);
    return 0;
}

static int gaps_ask(struct proving *proving, uint64_t *leaves, size_t n_leaves, uint64_t end,
                    struct tb_call **ret_call, struct gaps *ret) {
    Timebank__AskRanges ranges = TIMEBANK__ASK_RANGES__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    Timebank__Response *response = NULL;
    ranges.begin = proving->tree.end;
    ranges.leaves = leaves;
    ranges.n_leaves = n_leaves;
    ranges.end = end;
    request.body_case = TIMEBANK__REQUEST__BODY_RANGES;
    request.ranges = &ranges;
    int r = ask(proving->bank, &request, TIMEBANK__RESPONSE__BODY_RANGES, ret_call, &response);
    if (r != 0)
        return r;
    const ProtobufCBinaryData *hashes = &response->ranges->hashes;
    if (hashes->len % HASH_BYTES != 0)
        return verify_fail(proving->bank, NULL, 0, "Hashes of the tree came cut off.");
    *ret = (struct gaps){.at = hashes->data, .n = hashes->len / HASH_BYTES};
    return 0;
}

/* The i-th record that the file holds, oldest first; the last is the state record. */
static uint64_t record_number(const struct proving *proving, size_t i) {
    return i < proving->n_lines ? proving->lines[proving->n_lines - 1 - i].entry.number
                                : proving->state;
}

static void record_put(struct proving *proving, size_t i) {
    struct hash leaf;
    if (i == proving->n_lines) {
        leaf = merkle_leaf(proving->state_record, RECORD_STATE_BYTES);
        statement_proof_state(&proving->file, proving->state, proving->state_record,
                              RECORD_STATE_BYTES);
    } else {
        struct line *line = &proving->lines[proving->n_lines - 1 - i];
        line->entry.record = proving->records.data + line->begin;
        leaf = merkle_leaf(line->entry.record, line->entry.n_record);
        statement_proof_entry(&proving->file, &line->entry);
    }
    merkle_range_append(&proving->tree, &leaf, NULL, NULL);
}

/* Records first to last - 1, each after its gap, then the tree up to `end`. */
static int records_join(struct proving *proving, size_t first, size_t last, uint64_t end) {
    uint64_t leaves[LEAVES_A_TIME];
    struct tb_call *call = NULL;
    struct gaps gaps = {0};
    for (size_t i = first; i < last; i++)
        leaves[i - first] = record_number(proving, i);
    int r = gaps_ask(proving, leaves, last - first, end, &call, &gaps);
    bool is_asked = r == 0;
    for (size_t i = first; r == 0 && i < last; i++) {
        r = gap_join(proving, &gaps, leaves[i - first], true);
        if (r == 0)
            record_put(proving, i);
    }
    if (r == 0)
        r = gap_join(proving, &gaps, end, end <= proving->head.size);
    if (is_asked && (r < 0 || gaps.n > 0))
        r = verify_fail(proving->bank, NULL, 0,
                        "The bank gave another number of hashes than asked.");
    done(proving->bank, call);
    return r;
}

/* The head under which the file stands is the beginning of the one that is believed. */
static int head_extend(struct proving *proving) {
    const struct note_head *reach = &proving->reach;
    const struct bytes *note = &proving->checkpoint;
    struct hash root = merkle_range_root(&proving->tree);
    if (!hash_equal(&root, &proving->head.root))
        return verify_fail(proving->bank, note->data, note->n,
                           "The records of the statement do not lead to the head that the ledger "
                           "signed.");
    if (reach->size == proving->head.size)
        return hash_equal(&root, &reach->root)
                   ? 0
                   : verify_two_histories(proving->bank, note->data, note->n);
    int r = records_join(proving, 0, 0, reach->size);
    if (r != 0)
        return r;
    root = merkle_range_root(&proving->tree);
    return hash_equal(&root, &reach->root)
               ? 0
               : verify_fail(proving->bank, note->data, note->n,
                             "The ledger's head does not extend the one that is published: the "
                             "history was changed.");
}

/* ------------------------------------------------------------------ the file */

static int file_make(struct proving *proving) {
    size_t n = proving->n_lines + 1;
    int r = 0;
    merkle_range_init(&proving->tree, 0);
    statement_proof_begin(&proving->file, proving->leaf, proving->n_leaf, proving->path,
                          proving->n_path);
    for (size_t i = 0; r == 0 && i < n; i += LEAVES_A_TIME) {
        size_t last = MIN_OF(i + LEAVES_A_TIME, n);
        uint64_t end = last == n ? proving->head.size : record_number(proving, last - 1) + 1;
        r = records_join(proving, i, last, end);
    }
    if (r == 0)
        r = head_extend(proving);
    statement_proof_end(&proving->file, proving->checkpoint.data, proving->checkpoint.n);
    return r == 0 && proving->file.r < 0 ? bank_fail(proving->bank, -ENOMEM, NULL) : r;
}

static int file_check(struct proving *proving) {
    struct statement_proof proof;
    char why[256] = "";
    int r = statement_proof_check(proving->file.data, proving->file.n, NULL, NULL, &proof, why,
                                  sizeof(why));
    if (r == -EBADMSG)
        return verify_fail(proving->bank, proving->checkpoint.data, proving->checkpoint.n,
                           "The statement is not complete. %s", why);
    return r < 0 ? bank_fail(proving->bank, r, NULL) : 0;
}

int tb_statement_prove(struct tb_bank *bank, const char *code, char **ret_proof,
                       size_t *ret_n_proof) {
    if (!bank || !code || !ret_proof || !ret_n_proof)
        return -EINVAL;
    _cleanup_(proving_finip) struct proving *proving = calloc(1, sizeof(*proving));
    if (!proving)
        return bank_fail(bank, -ENOMEM, NULL);
    proving->bank = bank;
    proving->code = code;
    int r = state_ask(proving);
    if (r == 0)
        r = lines_ask(proving);
    if (r == 0)
        r = head_ask(proving);
    if (r == 0)
        r = file_make(proving);
    if (r == 0)
        r = file_check(proving);
    if (r != 0)
        return r;
    size_t n = proving->file.n;
    char *proof = bytes_take_text(&proving->file);
    if (!proof)
        return bank_fail(bank, -ENOMEM, NULL);
    *ret_proof = proof;
    *ret_n_proof = n;
    return 0;
}
