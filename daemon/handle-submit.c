/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch: checked in the order that timebank-ledger(5) gives (lengths, header, signature, batch
 * id, rights, not-after, pin, then each order), applied or refused whole, or tried on the session's
 * dry run.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "handlers.h"
#include "other-history.h"
#include "report-release.h"
#include "submission.h"

#define DRY_RUN_ORDER_BYTES 256u /* kept for each order that may be stacked, on the whole */
#define MS_PER_MINUTE 60000u
#define NOT_AFTER_AHEAD_MS (30ull * MS_PER_DAY)

static int check_known_batch(struct call *call, struct submission *submission) {
    uint8_t key[SSHSIG_PUBLIC_BYTES + BATCH_ID_BYTES];
    _cleanup_bytes_ struct bytes record = {0};
    const struct state_batch *batch;
    struct record_seal seal;
    int r = 0;

    memcpy(key, submission->header.author, SSHSIG_PUBLIC_BYTES);
    memcpy(key + SSHSIG_PUBLIC_BYTES, submission->header.batch_id, BATCH_ID_BYTES);
    batch = state_get(bank_state(call->bank), STATE_BATCHES, key, sizeof(key), &r);
    if (!batch)
        return r;
    submission->known_seal = batch->seal;
    r = log_record(call->bank->log, submission->known_seal, &record);
    if (r <= 0 || record_seal_unpack(record.data, record.n, &seal) < 0)
        return r < 0 ? r : -EUCLEAN;
    if (memcmp(seal.header, call->request->submit->header.data, BATCH_HEADER_BYTES) != 0)
        return REFUSAL_BATCH_ID_USED;
    return 0;
}

static int check_rights(const struct call *call) {
    if (access_right(call->who.role, TIMEBANK__REQUEST__BODY_SUBMIT) != ACCESS_NO)
        return 0;
    if (call->who.is_revoked)
        return REFUSAL_REVOKED_KEY;
    return call->who.role == TIMEBANK__ROLE__ROLE_NONE ? REFUSAL_UNKNOWN_KEY : REFUSAL_NO_AUTHORITY;
}

/* A clock that jumped cannot say that a batch came too late. */
static int check_clock(const struct call *call) {
    return call->bank->clock_is_ahead && !call->request->submit->dry_run ? REFUSAL_CLOCK : 0;
}

static int check_not_after(struct call *call, struct submission *submission) {
    const struct batch_header *header = &submission->header;
    uint64_t ahead_ms =
        (uint64_t)state_policy_number(bank_state(call->bank), "not-after", 15) * MS_PER_MINUTE;

    submission->received_at_ms =
        MAX_OF(bank_state(call->bank)->sums.received_at_ms, call->bank->wall_ms);
    if (header->not_after_ms == 0)
        return 0; /* for imports: each order is looked at once it is decoded */
    if (submission->received_at_ms > header->not_after_ms)
        return REFUSAL_TOO_LATE;
    /* Our clock may be days behind the author's; next year a refused batch must not be recordable.
     */
    if (header->not_after_ms > header->created_ms + ahead_ms ||
        header->not_after_ms > submission->received_at_ms + NOT_AFTER_AHEAD_MS)
        return REFUSAL_BAD_NOT_AFTER;
    return 0;
}

static int check_pin(struct call *call, const struct submission *submission) {
    const struct batch_header *header = &submission->header;
    const struct note_head *head = log_head(call->bank->log);
    struct nodes_source source = {.nodes = &call->bank->nodes};
    struct hash root;
    int r;

    if (header->pin_size == 0)
        return 0;
    if (header->pin_size > head->size)
        return REFUSAL_OTHER_HISTORY;
    root = head->root;
    if (header->pin_size < head->size) {
        r = log_read(call->bank->log, &source.read);
        if (r == 0)
            r = nodes_root(&source, header->pin_size, &root);
        if (r < 0)
            return r;
    }
    return hash_equal(&root, &header->pin_root) ? 0 : REFUSAL_OTHER_HISTORY;
}

/* Everything before the orders: 0 go on, > 0 refused, < 0 broken. */
static int check_batch(struct call *call, struct submission *submission) {
    int r = submission_parse(submission, call->request->submit, call->client->key,
                             log_ledger_id(call->bank->log), call->bank->settings.batch_orders);

    if (r == 0)
        r = check_known_batch(call, submission);
    if (r != 0 || submission->known_seal)
        return r;
    r = check_rights(call);
    if (r == 0)
        r = check_clock(call);
    if (r == 0)
        r = check_not_after(call, submission);
    if (r == 0) {
        r = check_pin(call, submission);
        if (r == REFUSAL_OTHER_HISTORY)
            other_history_keep(call->bank, &submission->header, submission->header_bytes,
                               submission->signature);
    }
    if (r == 0 && !call->request->submit->dry_run)
        r = bank_check_writable(call->bank, submission->n_bytes, submission->n_beside_bytes);
    return r;
}

/* An open end is for imports: what is typed must not be recordable next year. */
static void check_open_end(struct submission *submission) {
    const struct ledger_batch *batch = &submission->judging->batch;

    if (submission->header.not_after_ms != 0)
        return;
    for (size_t i = 0; i < batch->n; i++)
        if (batch->orders[i] && batch->orders[i]->source == TIMEBANK__SOURCE__HAND)
            judging_bar(submission->judging, i,
                        (struct ledger_bar){.refusal = REFUSAL_BAD_NOT_AFTER, .field = "source"});
}

/* A key that this daemon cannot sign with would end the ledger. Who may not record the order is
 * told that first. */
static void check_rotations(const struct call *call, struct submission *submission) {
    const struct ledger_batch *batch = &submission->judging->batch;

    if (call->who.role != TIMEBANK__ROLE__STEWARD)
        return;
    for (size_t i = 0; i < batch->n; i++) {
        const Timebank__Order *order = batch->orders[i];
        if (!order || order->kind_case != TIMEBANK__ORDER__KIND_ROTATE_KEY ||
            (order->rotate_key->key.len == NOTE_KEY_BYTES &&
             bank_keys_holds(call->bank, order->rotate_key->key.data)))
            continue;
        judging_bar(submission->judging, i,
                    (struct ledger_bar){.refusal = REFUSAL_BAD_ROTATION,
                                        .field = "key",
                                        .why = "The daemon does not hold that key: ask it for the "
                                               "next one with timebank ledger rotate."});
    }
}

static void bar_release(struct submission *submission, size_t place, const char *why) {
    judging_bar(
        submission->judging, place,
        (struct ledger_bar){.refusal = REFUSAL_BAD_RELEASE, .field = "checksum", .why = why});
}

/* A report leaves the bank as the daemon made it, and as long as none left since it was looked at.
 * Who may not record the order is told that first. */
static void check_releases(const struct call *call, struct submission *submission) {
    const struct ledger_batch *batch = &submission->judging->batch;
    bool is_second = false;

    if (!access_is_broker(&call->who) && call->who.role != TIMEBANK__ROLE__EVALUATOR)
        return;
    for (size_t i = 0; i < batch->n; i++) {
        const Timebank__Order *order = batch->orders[i];
        if (!order || order->kind_case != TIMEBANK__ORDER__KIND_RELEASE_REPORT)
            continue;
        if (is_second)
            bar_release(submission, i,
                        "One report leaves the bank at a time: send each in a batch of its own.");
        else if (!report_release_is_offered(call->bank, call->who.key, order->release_report))
            bar_release(submission, i, NULL);
        is_second = true;
    }
}

/* What says something of the member, where a wrong offer or price does not. */
static bool tells_of_member(const struct ledger_note *note) {
    return note->number == REFUSAL_BELOW_FLOOR || note->number == REFUSAL_FROZEN ||
           note->number == REFUSAL_CLOSED ||
           (note->number >= REFUSAL_DAILY_AMOUNT && note->number <= REFUSAL_YEARLY_COUNT);
}

static int say_check(struct ledger_note *note) {
    char *sentence = strdup(refusal_sentence(REFUSAL_SEE_COORDINATOR));

    if (!sentence)
        return -ENOMEM;
    free(note->message);
    note->message = sentence;
    note->number = REFUSAL_SEE_COORDINATOR;
    note->field = "";
    note->entry = 0;
    return 0;
}

/* The member whose credits an order would take, or NULL. */
static const char *member_of(const struct ledger_batch *batch, size_t place) {
    const Timebank__Order *order = batch->orders[place];

    return order && *order->from ? order->from : NULL;
}

static bool is_check(const struct call *call, const struct ledger_batch *batch, size_t place) {
    const char *member = member_of(batch, place);

    return member && bank_refused_often(call->bank, call->who.account, member);
}

/* A venue that asks again and again about one member learns nothing more: CHECK, whatever the
 * balance, for what would be refused and for what would not. */
static int coarsen_for_venue(struct call *call, struct ledger_batch *batch) {
    _cleanup_(freep) bool *is_refused = calloc(batch->n, sizeof(*is_refused));
    int r = 0;

    if (!is_refused)
        return -ENOMEM;
    for (size_t i = 0; i < batch->n_notes; i++)
        if (tells_of_member(&batch->notes[i]) && member_of(batch, batch->notes[i].place))
            bank_count_refusal(call->bank, call->who.account,
                               member_of(batch, batch->notes[i].place));
    for (size_t i = 0; i < batch->n_notes && r == 0; i++) {
        struct ledger_note *note = &batch->notes[i];
        is_refused[note->place] = is_refused[note->place] || !note->is_warning;
        if (tells_of_member(note) && is_check(call, batch, note->place))
            r = say_check(note);
    }
    for (size_t i = 0; i < batch->n && r >= 0; i++)
        if (!is_refused[i] && is_check(call, batch, i))
            r = ledger_refuse(batch, i, REFUSAL_SEE_COORDINATOR, "", NULL);
    return MIN_OF(r, 0);
}

/* More than one batch may take is its author's affair: nothing of it was merged. */
static bool is_too_large(const struct submission *submission, int r) {
    return r == -ENOMEM && submission->judging->arena.r < 0;
}

static int judge(struct call *call, struct submission *submission, struct state *below) {
    struct judging *judging = submission->judging;
    int r = judging_decode(judging);

    if (r == 0)
        r = submission_check_beside(submission, call->request->submit);
    if (r < 0)
        return r;
    check_open_end(submission);
    check_rotations(call, submission);
    check_releases(call, submission);
    r = judging_run(judging, below, below->sums.size, &submission->header,
                    submission->received_at_ms);
    if (r == 0 && call->who.role == TIMEBANK__ROLE__ROLE_VENUE)
        r = coarsen_for_venue(call, &judging->batch);
    return r;
}

/* Only imports stack dry runs, and only brokers import: the others have room for one batch. */
static bool has_room_for_dry_run(const struct call *call, const struct submission *submission) {
    const struct bank_settings *settings = &call->bank->settings;
    uint64_t max = access_is_broker(&call->who) ? settings->dry_run_orders : settings->batch_orders;

    return call->client->n_dry_orders + submission->judging->batch.n <= max &&
           call->client->n_dry_bytes + submission->n_bytes <= max * DRY_RUN_ORDER_BYTES;
}

/* What was not refused stays on the stack: an import hears of every bad row in one go. */
static int run_dry(struct call *call, struct submission *submission) {
    struct call_client *client = call->client;
    struct judging *judging = submission->judging;
    int r;

    if (call->who.role == TIMEBANK__ROLE__EVALUATOR)
        return call_refuse(call, REFUSAL_NO_AUTHORITY,
                           "An evaluator's key tries nothing: ask for the report.");
    if (call->who.role == TIMEBANK__ROLE__ROLE_VENUE)
        return call_refuse(call, REFUSAL_NO_AUTHORITY,
                           "A venue's key may not try an acceptance: what can be tried in secret "
                           "tells a balance.");
    if (!has_room_for_dry_run(call, submission))
        return call_refuse(call, REFUSAL_TOO_LARGE, NULL);
    if (!client->dry) {
        client->dry = state_new_above(bank_state(call->bank));
        if (!client->dry)
            return -ENOMEM;
        client->dry->sums.size = LEDGER_DRY_BEGIN;
    }
    /* The clock may have gone back since the dry run below this one. */
    submission->received_at_ms =
        MAX_OF(submission->received_at_ms, client->dry->sums.received_at_ms);
    r = judge(call, submission, client->dry);
    if (is_too_large(submission, r))
        return call_refuse(call, REFUSAL_TOO_LARGE, NULL);
    if (r == 0)
        r = submission_keep_run(submission, judging->state);
    if (r < 0)
        return r;
    r = judging_keep(judging);
    client->n_dry_orders += judging->batch.n;
    client->n_dry_bytes += submission->n_bytes;
    return r < 0 ? r : submission_respond(submission, call, true);
}

static int record(struct call *call, struct submission *submission) {
    struct judging *judging = submission->judging;
    struct record_seal seal = {.received_at_ms = submission->received_at_ms};
    int r = log_make_way(call->bank->log);

    if (r == 0)
        r = judge(call, submission, bank_state(call->bank));
    if (r < 0 || judging->batch.n_refusals > 0)
        judging_take_back(judging);
    if (is_too_large(submission, r))
        return call_refuse(call, REFUSAL_TOO_LARGE, NULL);
    if (r < 0 || judging->batch.n_refusals > 0)
        return r < 0 ? r : submission_respond(submission, call, false);
    memcpy(seal.header, call->request->submit->header.data, BATCH_HEADER_BYTES);
    memcpy(seal.signature, call->request->submit->signature.data, SSHSIG_SIGNATURE_BYTES);
    r = submission_pack_warnings(submission, &call->reply->warnings);
    if (r < 0)
        return r;
    call->reply->seal = judging->batch.first - 1;
    if (submission->beside)
        call->bank->beside_bytes += submission->beside->n_bytes;
    return log_append(call->bank->log, judging, &seal, TAKE(submission->beside));
}

int handle_submit(struct call *call) {
    _cleanup_(submission_fini) struct submission submission = {0};
    int r = check_batch(call, &submission);

    if (r != 0)
        return r < 0 ? r : call_refuse(call, r, submission.why);
    if (submission.known_seal) {
        call->reply->seal = submission.known_seal;
        call->reply->is_already = true;
        return 0;
    }
    /* A dry run is told what would be: what cannot lapse now, for want of room, lapses later. */
    r = bank_run_due(call->bank);
    if (r < 0)
        return r;
    if (call->request->submit->dry_run)
        return run_dry(call, &submission);
    return r > 0 ? call_refuse(call, r, NULL) : record(call, &submission);
}

int handle_submit_end_dry_run(struct call *call) {
    Timebank__Answer *answer = arena_alloc(call->arena, sizeof(*answer));

    if (!answer)
        return -ENOMEM;
    call_client_fini(call->client);
    timebank__answer__init(answer);
    answer->dry_run = true;
    call->response->answer = answer;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_ANSWER;
    return 0;
}
