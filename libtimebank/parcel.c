/* SPDX-License-Identifier: Apache-2.0 */
/* Orders as their exact bytes, and beside them, for the register of people, who and why. */
#include "parcel.h"

#include <errno.h>
#include <string.h>

static void varint_put(struct bytes *to, size_t value) {
    for (; value >= 0x80; value >>= 7)
        bytes_put_u8(to, (uint8_t)(value | 0x80));
    bytes_put_u8(to, (uint8_t)value);
}

void parcel_fini(struct parcel *parcel) {
    bytes_fini(&parcel->orders);
    arena_fini(&parcel->arena);
}

static int notes_fill(const struct tb_batch *batch, struct parcel *parcel) {
    Timebank__Submit *submit = &parcel->submit;
    size_t n = batch->n_items;
    submit->note_place = arena_alloc(&parcel->arena, n * sizeof(*submit->note_place));
    submit->note_salt = arena_alloc(&parcel->arena, n * sizeof(*submit->note_salt));
    submit->note_text = arena_alloc(&parcel->arena, n * sizeof(*submit->note_text));
    if (!submit->note_place || !submit->note_salt || !submit->note_text)
        return -ENOMEM;
    size_t n_notes = 0;
    for (size_t i = 0; i < n; i++) {
        struct batch_item *item = &batch->items[i];
        if (!item->why)
            continue;
        submit->note_place[n_notes] = (uint32_t)i;
        submit->note_salt[n_notes] =
            (ProtobufCBinaryData){.len = BATCH_SALT_BYTES, .data = item->salt};
        submit->note_text[n_notes++] = item->why;
    }
    submit->n_note_place = submit->n_note_salt = submit->n_note_text = n_notes;
    return 0;
}

static int persons_fill(const struct tb_batch *batch, struct parcel *parcel) {
    Timebank__Submit *submit = &parcel->submit;
    size_t n = batch->n_items;
    submit->person_place = arena_alloc(&parcel->arena, n * sizeof(*submit->person_place));
    submit->person_ward = arena_alloc(&parcel->arena, n * sizeof(*submit->person_ward));
    submit->person_age_band = arena_alloc(&parcel->arena, n * sizeof(*submit->person_age_band));
    if (!submit->person_place || !submit->person_ward || !submit->person_age_band)
        return -ENOMEM;
    size_t n_persons = 0;
    for (size_t i = 0; i < n; i++) {
        const struct batch_item *item = &batch->items[i];
        if (!item->ward)
            continue;
        submit->person_place[n_persons] = (uint32_t)i;
        submit->person_ward[n_persons] = item->ward;
        submit->person_age_band[n_persons++] = item->age_band;
    }
    submit->n_person_place = submit->n_person_ward = submit->n_person_age_band = n_persons;
    return 0;
}

int parcel_fill(struct tb_batch *batch, struct parcel *parcel) {
    arena_init(&parcel->arena, BANK_REPLY_MAX);
    timebank__submit__init(&parcel->submit);
    for (size_t i = 0; i < batch->n_items; i++) {
        const struct batch_item *item = &batch->items[i];
        varint_put(&parcel->orders, item->record.n - 1);
        bytes_put(&parcel->orders, item->record.data + 1, item->record.n - 1);
    }
    Timebank__Submit *submit = &parcel->submit;
    submit->header = (ProtobufCBinaryData){.len = BATCH_HEADER_BYTES, .data = batch->header};
    submit->signature =
        (ProtobufCBinaryData){.len = SSHSIG_SIGNATURE_BYTES, .data = batch->signature};
    submit->orders = (ProtobufCBinaryData){.len = parcel->orders.n, .data = parcel->orders.data};
    int r = parcel->orders.r;
    if (r == 0)
        r = notes_fill(batch, parcel);
    if (r == 0)
        r = persons_fill(batch, parcel);
    return r;
}
