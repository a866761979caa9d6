/* SPDX-License-Identifier: Apache-2.0 */
/* Orders as their exact bytes, and beside them, for the register of people, who and why. */
#include "parcel.h"

#include <errno.h>
#include <string.h>

void parcel_fini(struct parcel *parcel) {
    arena_fini(&parcel->arena);
}

static int notes_fill(const struct tb_batch *batch, struct parcel *parcel) {
    Timebank__Submit *submit = &parcel->submit;
    size_t n = batch->n_beside, n_notes = 0;
    submit->note_place = arena_alloc(&parcel->arena, n * sizeof(*submit->note_place));
    submit->note_salt = arena_alloc(&parcel->arena, n * sizeof(*submit->note_salt));
    submit->note_text = arena_alloc(&parcel->arena, n * sizeof(*submit->note_text));
    if (!submit->note_place || !submit->note_salt || !submit->note_text)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        struct batch_beside *beside = &batch->beside[i];
        if (beside->why == 0)
            continue;
        submit->note_place[n_notes] = (uint32_t)beside->place;
        submit->note_salt[n_notes] =
            (ProtobufCBinaryData){.len = BATCH_SALT_BYTES, .data = beside->salt};
        submit->note_text[n_notes++] = (char *)batch_text(batch, beside->why);
    }
    submit->n_note_place = submit->n_note_salt = submit->n_note_text = n_notes;
    return 0;
}

static int persons_fill(const struct tb_batch *batch, struct parcel *parcel) {
    Timebank__Submit *submit = &parcel->submit;
    size_t n = batch->n_beside, n_persons = 0;
    submit->person_place = arena_alloc(&parcel->arena, n * sizeof(*submit->person_place));
    submit->person_ward = arena_alloc(&parcel->arena, n * sizeof(*submit->person_ward));
    submit->person_age_band = arena_alloc(&parcel->arena, n * sizeof(*submit->person_age_band));
    if (!submit->person_place || !submit->person_ward || !submit->person_age_band)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct batch_beside *beside = &batch->beside[i];
        if (beside->ward == 0)
            continue;
        submit->person_place[n_persons] = (uint32_t)beside->place;
        submit->person_ward[n_persons] = (char *)batch_text(batch, beside->ward);
        submit->person_age_band[n_persons++] = (char *)batch_text(batch, beside->age_band);
    }
    submit->n_person_place = submit->n_person_ward = submit->n_person_age_band = n_persons;
    return 0;
}

int parcel_fill(struct tb_batch *batch, struct parcel *parcel) {
    arena_init(&parcel->arena, BANK_REPLY_MAX);
    timebank__submit__init(&parcel->submit);
    Timebank__Submit *submit = &parcel->submit;
    submit->header = (ProtobufCBinaryData){.len = BATCH_HEADER_BYTES, .data = batch->header};
    submit->signature =
        (ProtobufCBinaryData){.len = SSHSIG_SIGNATURE_BYTES, .data = batch->signature};
    submit->orders = (ProtobufCBinaryData){.len = batch->orders.n, .data = batch->orders.data};
    if (batch->n_beside == 0)
        return 0;
    int r = notes_fill(batch, parcel);
    return r == 0 ? persons_fill(batch, parcel) : r;
}
