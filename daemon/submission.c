/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a submitted batch apart, and wording what became of it. */
#include "submission.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "base/utf8.h"

#define BESIDE_RECORD_BYTES 512u /* keys, salt, seal and ward of one record of the register */

void submission_fini(struct submission *submission) {
    submission->judging = judging_free(submission->judging);
    submission->beside = bank_beside_free(submission->beside);
}

static int refuse(struct submission *submission, int refusal, const char *why) {
    submission->why = why;
    return refusal;
}

static bool lengths_fit(const Timebank__Submit *submit) {
    return submit->header.len == BATCH_HEADER_BYTES &&
           submit->signature.len == SSHSIG_SIGNATURE_BYTES &&
           submit->n_note_place == submit->n_note_salt &&
           submit->n_note_place == submit->n_note_text &&
           submit->n_person_place == submit->n_person_ward &&
           submit->n_person_place == submit->n_person_age_band;
}

/* A length as protobuf writes it: a shortest varint below 2^21. */
static bool take_length(struct cursor *c, size_t *ret) {
    size_t n = 0;

    for (unsigned shift = 0; shift < 21; shift += 7) {
        uint8_t byte = cursor_u8(c);
        n |= (size_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret = n;
            return c->r == 0 && (byte != 0 || shift == 0);
        }
    }
    return false;
}

static int split_orders(struct submission *submission, const ProtobufCBinaryData *orders) {
    struct cursor c = cursor_make(orders->data, orders->len);

    for (size_t i = 0; i < submission->header.n_orders; i++) {
        const uint8_t *body = NULL;
        size_t n = 0;
        if (take_length(&c, &n) && n > 0)
            body = cursor_bytes(&c, n);
        if (!body)
            return refuse(submission, REFUSAL_BAD_HEADER,
                          "The orders do not fill the count the header gives: update the client.");
        judging_set(submission->judging, i, body, n);
    }
    return cursor_end(&c) < 0
               ? refuse(submission, REFUSAL_BAD_HEADER,
                        "There are more orders than the header counts: update the client.")
               : 0;
}

static int check_header(struct submission *submission, const Timebank__Submit *submit,
                        const uint8_t author[SSHSIG_PUBLIC_BYTES], const struct hash *ledger_id,
                        uint32_t n_orders_max) {
    struct batch_header *header = &submission->header;

    if (!lengths_fit(submit))
        return refuse(submission, REFUSAL_BAD_HEADER,
                      "A part of the batch is not of its length: update the client.");
    if (batch_header_unpack(submit->header.data, header) < 0)
        return REFUSAL_BAD_HEADER;
    if (!hash_equal(&header->ledger_id, ledger_id))
        return REFUSAL_OTHER_LEDGER;
    if (header->n_orders > n_orders_max)
        return REFUSAL_BATCH_SIZE;
    if (submit->n_note_place > header->n_orders || submit->n_person_place > header->n_orders)
        return refuse(submission, REFUSAL_BAD_HEADER,
                      "More reasons or persons came than orders: update the client.");
    if (memcmp(header->author, author, SSHSIG_PUBLIC_BYTES) != 0)
        return refuse(
            submission, REFUSAL_BAD_SIGNATURE,
            "The batch's author is not the key of this connection: connect with that key.");
    return 0;
}

static size_t count_beside_bytes(const Timebank__Submit *submit) {
    size_t n = (submit->n_note_place + submit->n_person_place) * BESIDE_RECORD_BYTES;

    for (size_t i = 0; i < submit->n_note_place; i++)
        n += strlen(submit->note_text[i]);
    return n;
}

int submission_parse(struct submission *submission, const Timebank__Submit *submit,
                     const uint8_t author[SSHSIG_PUBLIC_BYTES], const struct hash *ledger_id,
                     uint32_t n_orders_max) {
    struct hash root;
    int r = check_header(submission, submit, author, ledger_id, n_orders_max);

    if (r != 0)
        return r;
    memcpy(submission->header_bytes, submit->header.data, BATCH_HEADER_BYTES);
    memcpy(submission->signature, submit->signature.data, SSHSIG_SIGNATURE_BYTES);
    submission->n_bytes = submit->orders.len + RECORD_SEAL_BYTES;
    submission->n_beside_bytes = count_beside_bytes(submit);
    if (sshsig_verify(SSHSIG_BATCH, submit->header.data, BATCH_HEADER_BYTES, author,
                      submit->signature.data) < 0)
        return REFUSAL_BAD_SIGNATURE;
    r = judging_new(&submission->judging, submission->header.n_orders);
    if (r == 0)
        r = split_orders(submission, &submit->orders);
    if (r != 0)
        return r;
    root = judging_root(submission->judging);
    if (!hash_equal(&root, &submission->header.orders_root))
        return refuse(submission, REFUSAL_BAD_SIGNATURE,
                      "The orders are not those that were signed: sign the batch again.");
    return 0;
}

static int refuse_place(struct submission *submission, size_t place, const char *field,
                        const char *sentence) {
    judging_bar(submission->judging, place, (struct ledger_bar){REFUSAL_BAD_TEXT, field, sentence});
    return 0;
}

static int check_note(struct submission *submission, const Timebank__Submit *submit, size_t i) {
    struct ledger_batch *batch = &submission->judging->batch;
    struct bank_note *note = &submission->beside->notes[i];
    size_t place = submit->note_place[i];
    const Timebank__Order *order = place < batch->n ? batch->orders[place] : NULL;
    uint8_t sum[32];

    if (place >= batch->n)
        return -EBADMSG;
    if (!order)
        return 0; /* refused already */
    if (submit->note_salt[i].len != PEOPLE_SALT_BYTES || order->note.len != sizeof(sum))
        return refuse_place(
            submission, place, "note",
            "The note's text came without its mark in the order: update the client.");
    if (*submit->note_text[i] == '\0')
        return refuse_place(submission, place, "note", "The reason is empty: say why.");
    if (strlen(submit->note_text[i]) > PEOPLE_NOTE_MAX)
        return refuse_place(submission, place, "note", "The reason is too long: shorten it.");
    if (!utf8_is_valid(submit->note_text[i], strlen(submit->note_text[i])))
        return refuse_place(submission, place, "note", "The reason is not UTF-8: write it again.");
    batch_note(submit->note_text[i], submit->note_salt[i].data, sum);
    if (memcmp(sum, order->note.data, sizeof(sum)) != 0)
        return refuse_place(
            submission, place, "note",
            "The note's text is not the one that was signed: sign the batch again.");
    memcpy(note->id, order->id.data, ORDER_ID_BYTES);
    memcpy(note->salt, submit->note_salt[i].data, PEOPLE_SALT_BYTES);
    note->text = strdup(submit->note_text[i]);
    return note->text ? 0 : -ENOMEM;
}

static int check_person(struct submission *submission, const Timebank__Submit *submit, size_t i) {
    struct ledger_batch *batch = &submission->judging->batch;
    struct bank_person *person = &submission->beside->persons[i];
    size_t place = submit->person_place[i];
    const Timebank__Order *order = place < batch->n ? batch->orders[place] : NULL;

    if (place >= batch->n)
        return -EBADMSG;
    if (!order)
        return 0;
    if (order->kind_case != TIMEBANK__ORDER__KIND_OPEN_ACCOUNT)
        return refuse_place(submission, place, "ward",
                            "Ward and age band belong to an account being opened: leave them out.");
    if (!code_text_is_valid(submit->person_ward[i], PEOPLE_TEXT_MAX) ||
        !code_text_is_valid(submit->person_age_band[i], PEOPLE_TEXT_MAX))
        return refuse_place(
            submission, place, "ward",
            "The ward or age band is too long or holds a character that is not allowed: "
            "shorten or change it.");
    snprintf(person->code, sizeof(person->code), "%s", order->to);
    person->ward = strdup(submit->person_ward[i]);
    person->age_band = strdup(submit->person_age_band[i]);
    return person->ward && person->age_band ? 0 : -ENOMEM;
}

static int check_notes_came(struct submission *submission, const Timebank__Submit *submit) {
    struct ledger_batch *batch = &submission->judging->batch;
    _cleanup_(freep) bool *came = calloc(batch->n, sizeof(*came));
    int r = 0;

    if (!came)
        return -ENOMEM;
    for (size_t i = 0; i < submit->n_note_place; i++)
        came[submit->note_place[i]] = true;
    for (size_t i = 0; i < batch->n && r == 0; i++)
        if (batch->orders[i] && batch->orders[i]->note.len > 0 && !came[i])
            r = refuse_place(submission, i, "note",
                             "The reason's text did not come with the order: update the client.");
    return r;
}

int submission_check_beside(struct submission *submission, const Timebank__Submit *submit) {
    struct bank_beside *beside = calloc(1, sizeof(*beside));
    int r = 0;

    if (!beside)
        return -ENOMEM;
    submission->beside = beside;
    beside->n_bytes = submission->n_beside_bytes;
    beside->n_notes = submit->n_note_place;
    beside->n_persons = submit->n_person_place;
    beside->notes = calloc(beside->n_notes + 1, sizeof(*beside->notes));
    beside->persons = calloc(beside->n_persons + 1, sizeof(*beside->persons));
    if (!beside->notes || !beside->persons)
        return -ENOMEM;
    for (size_t i = 0; i < beside->n_notes && r == 0; i++)
        r = check_note(submission, submit, i);
    for (size_t i = 0; i < beside->n_persons && r == 0; i++)
        r = check_person(submission, submit, i);
    if (r == -EBADMSG)
        return refuse_place(
            submission, 0, "note",
            "A note or person belongs to no order of the batch: update the client.");
    if (r == 0)
        r = check_notes_came(submission, submit);
    if (r == 0 && beside->n_notes == 0 && beside->n_persons == 0)
        submission->beside = bank_beside_free(beside);
    return r;
}

int submission_keep_run(const struct submission *submission, struct state *state) {
    const struct judging *judging = submission->judging;
    struct state_run *run = calloc(1, sizeof(*run));
    struct bytes bodies = {0};

    if (!run)
        return -ENOMEM;
    run->first = judging->batch.first;
    run->received_at_ms = submission->received_at_ms;
    run->n = judging->batch.n;
    run->ends = calloc(run->n, sizeof(*run->ends));
    for (size_t i = 0; i < run->n; i++) {
        bytes_put(&bodies, judging->bodies[i].iov_base, judging->bodies[i].iov_len);
        if (run->ends)
            run->ends[i] = bodies.n;
    }
    run->bytes = bodies.data;
    if (!run->ends || bodies.r < 0) {
        free(run->ends);
        free(run->bytes);
        free(run);
        return -ENOMEM;
    }
    return state_keep_run(state, run);
}

static int compare_places(const void *a, const void *b) {
    const Timebank__Refusal *const *x = a, *const *y = b;

    if ((*x)->place != (*y)->place)
        return (*x)->place < (*y)->place ? -1 : 1;
    return (*x > *y) - (*x < *y); /* of one order: as they were found */
}

static int respond_refused(const struct ledger_batch *batch, struct call *call) {
    Timebank__Refused *refused = arena_alloc(call->arena, sizeof(*refused));
    size_t n = batch->n_refusals, at = 0;
    Timebank__Refusal **list = arena_alloc(call->arena, n * sizeof(Timebank__Refusal *));
    Timebank__Refusal *items = arena_alloc(call->arena, n * sizeof(*items));

    if (!refused || !list || !items)
        return -ENOMEM;
    for (size_t i = 0; i < batch->n_notes; i++) {
        const struct ledger_note *note = &batch->notes[i];
        Timebank__Refusal *item = &items[at];
        if (note->is_warning)
            continue;
        timebank__refusal__init(item);
        item->refusal = (uint32_t)note->number;
        item->place = note->place;
        item->message = note->message; /* lives until the reply is packed */
        item->field = (char *)(uintptr_t)note->field;
        item->entry = note->entry;
        list[at++] = item;
    }
    qsort(list, at, sizeof(Timebank__Refusal *), compare_places);
    timebank__refused__init(refused);
    refused->refusals = list;
    refused->n_refusals = at;
    call->response->refused = refused;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_REFUSED;
    /* The sentences are freed with the submission, before the reply is packed: copied. */
    for (size_t i = 0; i < at; i++) {
        items[i].message = call_copy(call, items[i].message);
        if (!items[i].message)
            return -ENOMEM;
    }
    return 0;
}

static int set_warnings(const struct ledger_batch *batch, struct arena *arena,
                        Timebank__Answer *answer) {
    size_t n = batch->n_notes - batch->n_refusals, at = 0;
    Timebank__Warning **list = arena_alloc(arena, (n + 1) * sizeof(Timebank__Warning *));
    Timebank__Warning *items = arena_alloc(arena, (n + 1) * sizeof(*items));

    if (!list || !items)
        return -ENOMEM;
    for (size_t i = 0; i < batch->n_notes && at < n; i++) {
        const struct ledger_note *note = &batch->notes[i];
        size_t n_message = strlen(note->message) + 1;
        char *message;
        if (!note->is_warning)
            continue;
        message = arena_alloc(arena, n_message);
        if (!message)
            return -ENOMEM;
        timebank__warning__init(&items[at]);
        items[at].warning = (uint32_t)note->number;
        items[at].place = note->place;
        items[at].message = memcpy(message, note->message, n_message);
        items[at].entry = note->entry;
        list[at] = &items[at];
        at++;
    }
    answer->warnings = list;
    answer->n_warnings = at;
    return 0;
}

int submission_pack_warnings(const struct submission *submission, struct bytes *to) {
    Timebank__Answer answer = TIMEBANK__ANSWER__INIT;
    struct arena arena;
    uint8_t *at;
    int r;

    if (submission->judging->batch.n_notes == 0)
        return 0;
    arena_init(&arena, 16u * 1024 * 1024);
    r = set_warnings(&submission->judging->batch, &arena, &answer);
    if (r == 0) {
        at = bytes_reserve(to, timebank__answer__get_packed_size(&answer));
        if (at)
            timebank__answer__pack(&answer, at);
        r = to->r;
    }
    arena_fini(&arena);
    return r;
}

/* What an author of a dry run would see of balances; the same rule as for what is recorded. */
static int set_effects(const struct ledger_batch *batch, struct call *call,
                       Timebank__Answer *answer) {
    struct answer_balances balances;
    int r = answer_balances_begin(&balances, call->bank, call->arena, batch->n, answer);

    for (uint32_t i = 0; r == 0 && i < batch->n; i++) {
        const struct ledger_effect *effect = &batch->effects[i];
        for (size_t j = 0; r == 0 && j < effect->n_legs; j++)
            if (effect->legs[j].moved)
                r = answer_balances_put(&balances, &call->who, i, effect->legs[j].side,
                                        effect->legs[j].code, effect->legs[j].after);
    }
    return r;
}

int submission_respond(const struct submission *submission, struct call *call, bool is_dry_run) {
    const struct ledger_batch *batch = &submission->judging->batch;
    Timebank__Answer *answer;
    int r = 0;

    if (batch->n_refusals > 0 && batch->n_already < batch->n)
        return respond_refused(batch, call);
    answer = arena_alloc(call->arena, sizeof(*answer));
    if (!answer)
        return -ENOMEM;
    timebank__answer__init(answer);
    answer->dry_run = is_dry_run;
    answer->received_at_ms = submission->received_at_ms;
    answer->already = batch->n_already == batch->n;
    answer->n_entries = batch->n;
    answer->entries = arena_alloc(call->arena, batch->n * sizeof(*answer->entries));
    if (!answer->entries)
        return -ENOMEM;
    memcpy(answer->entries, batch->already, batch->n * sizeof(*answer->entries));
    if (!answer->already) {
        r = set_effects(batch, call, answer);
        if (r == 0)
            r = set_warnings(batch, call->arena, answer);
    }
    call->response->answer = answer;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_ANSWER;
    return r;
}
