/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders are turned into their records when they are added, so that what is signed later is what
 * was counted against the frame's limit. A batch whose fate is unknown keeps its header and
 * signature: submitting it again sends the same bytes, and the daemon gives the first answer again.
 */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "base/clock.h"
#include "order.h"
#include "outbox.h"
#include "pins.h"
#include "proto/frame.h"
#include "proto/merkle.h"
#include "settle.h"
#include "submit.h"

#define NOT_AFTER_MS (15u * 60 * MS_PER_SECOND)
#define FRAME_ROOM (FRAME_MAX - 1024) /* for the orders and what travels beside them */
#define SALT_BYTES 32
#define NOTE_BYTES 32

struct item {
    struct bytes record; /* kind byte and Order */
    struct hash leaf;
    uint8_t id[TB_ORDER_ID_BYTES];
    uint8_t salt[SALT_BYTES];
    char *why;  /* NULL: no note */
    char *ward; /* NULL: no person to tell of, like age_band */
    char *age_band;
};

struct refused {
    struct tb_refused refused;
    char *message;
    char *field;
};

struct tb_batch {
    struct tb_bank *bank;
    struct item *items;
    size_t n_items;
    size_t n_allocated;
    size_t n_bytes; /* of the frame, reckoned high */
    bool open_ended;

    bool is_pending; /* signed and sent, fate unknown: header and signature stand */
    uint8_t header[BATCH_HEADER_BYTES];
    uint8_t signature[SSHSIG_SIGNATURE_BYTES];

    struct refused *refused;
    size_t n_refused;
};

static void item_fini(struct item *item) {
    bytes_fini(&item->record);
    free(item->why);
    free(item->ward);
    free(item->age_band);
}

static void refused_clear(struct tb_batch *batch) {
    for (size_t i = 0; i < batch->n_refused; i++) {
        free(batch->refused[i].message);
        free(batch->refused[i].field);
    }
    free(batch->refused);
    batch->refused = NULL;
    batch->n_refused = 0;
}

int tb_batch_new(struct tb_bank *bank, struct tb_batch **ret_batch) {
    if (!bank || !ret_batch)
        return -EINVAL;
    if (!bank->opened)
        return bank_fail(bank, -ENOTCONN, "The bank is not opened yet.");
    struct tb_batch *batch = calloc(1, sizeof(*batch));
    if (!batch)
        return -ENOMEM;
    batch->bank = bank;
    *ret_batch = batch;
    return 0;
}

struct tb_batch *tb_batch_free(struct tb_batch *batch) {
    if (!batch)
        return NULL;
    for (size_t i = 0; i < batch->n_items; i++)
        item_fini(&batch->items[i]);
    free(batch->items);
    refused_clear(batch);
    free(batch);
    return NULL;
}

/* Length prefixes, salt, places: reckoned with their largest heads. */
static size_t item_bytes(const struct item *item) {
    size_t n = item->record.n + 4;
    if (item->why)
        n += strlen(item->why) + SALT_BYTES + 12;
    if (item->ward)
        n += strlen(item->ward) + strlen(item->age_band) + 12;
    return n;
}

/* The salt follows from the author's secret and the order's id: nobody else can guess it, and an
 * order made again from the same file has the same bytes. */
static void salt_make(const struct tb_bank *bank, const uint8_t id[TB_ORDER_ID_BYTES],
                      uint8_t ret[SALT_BYTES]) {
    static const char context[] = "timebank-salt/1\n";
    crypto_generichash_state state;
    crypto_generichash_init(&state, bank->secret_key, crypto_sign_SEEDBYTES, SALT_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)context, sizeof(context) - 1);
    crypto_generichash_update(&state, bank->ledger_id.b, HASH_BYTES);
    crypto_generichash_update(&state, id, TB_ORDER_ID_BYTES);
    crypto_generichash_final(&state, ret, SALT_BYTES);
    sodium_memzero(&state, sizeof(state));
}

static bool is_given(const char *text) {
    return text && text[0] != '\0';
}

/* What travels beside the batch, for the register of people. */
static int item_take_people(struct item *item, const struct tb_order *order) {
    if (is_given(order->why)) {
        item->why = strdup(order->why);
        if (!item->why)
            return -ENOMEM;
    }
    if (order->kind != TB_OPEN_ACCOUNT || (!is_given(order->ward) && !is_given(order->age_band)))
        return 0;
    item->ward = strdup(order->ward ? order->ward : "");
    item->age_band = strdup(order->age_band ? order->age_band : "");
    return item->ward && item->age_band ? 0 : -ENOMEM;
}

static int item_make(struct tb_bank *bank, struct tb_order *order, struct item *item) {
    static const uint8_t none[TB_ORDER_ID_BYTES];
    if (memcmp(order->id, none, sizeof(none)) == 0)
        batch_id_new(clock_wall_ms(), order->id);
    memcpy(item->id, order->id, sizeof(item->id));
    int r = item_take_people(item, order);
    if (r < 0)
        return r;
    uint8_t note[NOTE_BYTES];
    if (item->why) {
        salt_make(bank, item->id, item->salt);
        batch_note(item->why, item->salt, note);
    }
    r = order_encode(order, bank->role, item->why ? note : NULL, &item->record);
    if (r < 0)
        return bank_fail(bank, r, r == -EINVAL ? "The order is of no known kind." : NULL);
    if (item->record.n > RECORD_MAX)
        return bank_fail(bank, TB_TOO_LARGE, "The order is too large: shorten its texts.");
    item->leaf = merkle_leaf(item->record.data, item->record.n);
    return 0;
}

static int items_reserve(struct tb_batch *batch) {
    if (batch->n_items < batch->n_allocated)
        return 0;
    size_t n = batch->n_allocated ? 2 * batch->n_allocated : 8;
    struct item *items = reallocarray(batch->items, n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    batch->items = items;
    batch->n_allocated = n;
    return 0;
}

int tb_batch_add(struct tb_batch *batch, const struct tb_order *order, size_t *ret_place) {
    struct tb_order copy;
    if (!batch || !order || order_copy(order, &copy) < 0)
        return -EINVAL;
    if (batch->n_items == TB_BATCH_ORDERS_MAX)
        return -E2BIG;
    struct item item = {};
    int r = items_reserve(batch);
    if (r == 0)
        r = item_make(batch->bank, &copy, &item);
    if (r == 0 && batch->n_bytes + item_bytes(&item) > FRAME_ROOM)
        r = batch->n_items > 0 ? -E2BIG
                               : bank_fail(batch->bank, TB_TOO_LARGE,
                                           "The order is too large: shorten its texts.");
    if (r != 0) {
        item_fini(&item);
        return r;
    }
    batch->is_pending = false;
    batch->n_bytes += item_bytes(&item);
    if (ret_place)
        *ret_place = batch->n_items;
    batch->items[batch->n_items++] = item;
    return 0;
}

size_t tb_batch_count(const struct tb_batch *batch) {
    return batch ? batch->n_items : 0;
}

int tb_batch_drop(struct tb_batch *batch, size_t place) {
    if (!batch || place >= batch->n_items)
        return -EINVAL;
    batch->is_pending = false;
    batch->n_bytes -= item_bytes(&batch->items[place]);
    item_fini(&batch->items[place]);
    batch->n_items--;
    memmove(&batch->items[place], &batch->items[place + 1],
            (batch->n_items - place) * sizeof(*batch->items));
    return 0;
}

void tb_batch_order_id(const struct tb_batch *batch, size_t place,
                       uint8_t ret_id[TB_ORDER_ID_BYTES]) {
    memset(ret_id, 0, TB_ORDER_ID_BYTES);
    if (batch && place < batch->n_items)
        memcpy(ret_id, batch->items[place].id, TB_ORDER_ID_BYTES);
}

void tb_batch_set_open_ended(struct tb_batch *batch) {
    if (batch) {
        batch->open_ended = true;
        batch->is_pending = false;
    }
}

static void header_make(const struct tb_batch *batch, uint8_t ret[BATCH_HEADER_BYTES]) {
    const struct tb_bank *bank = batch->bank;
    const struct note_head *head = &bank->head.head;
    uint64_t now_ms = clock_wall_ms();
    struct batch_header header = {
        .n_orders = (uint32_t)batch->n_items,
        .ledger_id = bank->ledger_id,
        .created_ms = now_ms,
        .not_after_ms = batch->open_ended ? 0 : now_ms + NOT_AFTER_MS,
        .pin_size = head->size,
    };
    memcpy(header.author, bank->secret_key + SSHSIG_SECRET_BYTES - SSHSIG_PUBLIC_BYTES,
           SSHSIG_PUBLIC_BYTES);
    batch_id_new(now_ms, header.batch_id);
    if (head->size > 0)
        header.pin_root = head->root;
    struct merkle_range range;
    merkle_range_init(&range, 0);
    for (size_t i = 0; i < batch->n_items; i++)
        merkle_range_append(&range, &batch->items[i].leaf, NULL, NULL);
    header.orders_root = merkle_range_root(&range);
    batch_header_pack(&header, ret);
}

static int batch_sign(struct tb_batch *batch) {
    header_make(batch, batch->header);
    int r = sshsig_sign(SSHSIG_BATCH, batch->header, BATCH_HEADER_BYTES, batch->bank->secret_key,
                        batch->signature);
    if (r < 0)
        return bank_fail(batch->bank, r, "The key cannot sign: its file may be damaged.");
    return 0;
}

static void varint_put(struct bytes *to, size_t value) {
    for (; value >= 0x80; value >>= 7)
        bytes_put_u8(to, (uint8_t)(value | 0x80));
    bytes_put_u8(to, (uint8_t)value);
}

/* A submit and all that it points to. */
struct parcel {
    Timebank__Submit submit;
    struct bytes orders;
    struct arena arena;
    struct hash *leaves;
};

static void parcel_fini(struct parcel *parcel) {
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
        struct item *item = &batch->items[i];
        if (!item->why)
            continue;
        submit->note_place[n_notes] = (uint32_t)i;
        submit->note_salt[n_notes] = (ProtobufCBinaryData){.len = SALT_BYTES, .data = item->salt};
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
        const struct item *item = &batch->items[i];
        if (!item->ward)
            continue;
        submit->person_place[n_persons] = (uint32_t)i;
        submit->person_ward[n_persons] = item->ward;
        submit->person_age_band[n_persons++] = item->age_band;
    }
    submit->n_person_place = submit->n_person_ward = submit->n_person_age_band = n_persons;
    return 0;
}

static int parcel_fill(struct tb_batch *batch, struct parcel *parcel) {
    parcel->leaves = arena_alloc(&parcel->arena, batch->n_items * sizeof(*parcel->leaves));
    if (!parcel->leaves)
        return -ENOMEM;
    for (size_t i = 0; i < batch->n_items; i++) {
        const struct item *item = &batch->items[i];
        varint_put(&parcel->orders, item->record.n - 1);
        bytes_put(&parcel->orders, item->record.data + 1, item->record.n - 1);
        parcel->leaves[i] = item->leaf;
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

/* Keeps the refusals of the reply for tb_batch_refusal(): the arena is gone with the next call. */
static int refused_take(struct tb_batch *batch) {
    const Timebank__Refused *list = batch->bank->refused;
    if (!list)
        return 0;
    batch->refused = calloc(list->n_refusals, sizeof(*batch->refused));
    if (!batch->refused)
        return -ENOMEM;
    for (size_t i = 0; i < list->n_refusals; i++) {
        const Timebank__Refusal *from = list->refusals[i];
        struct refused *to = &batch->refused[i];
        int number = (int)from->refusal;
        batch->n_refused = i + 1;
        to->message = strdup(from->message[0] ? from->message : refusal_sentence(number));
        to->field = strdup(from->field);
        if (!to->message || !to->field)
            return -ENOMEM;
        bank_clean_text(to->message);
        bank_clean_text(to->field);
        to->refused = (struct tb_refused){
            .refusal = number,
            .place = from->place,
            .message = to->message,
            .field = to->field,
            .entry = from->entry,
        };
    }
    return 0;
}

/* A pin is worth more than none: a ledger never met before is asked for its head first. */
static int head_demand(struct tb_bank *bank) {
    if (bank->head.head.size > 0)
        return 0;
    Timebank__Empty empty = TIMEBANK__EMPTY__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_STATUS;
    request.status = &empty;
    Timebank__Response *response = NULL;
    return call_read(bank, &request, TIMEBANK__RESPONSE__BODY_STATUS, &response);
}

/* What both ways of sending do first. */
static int batch_begin(struct tb_batch *batch) {
    struct tb_bank *bank = batch->bank;
    refused_clear(batch);
    int r = bank_begin_opened(bank);
    if (r == 0 && batch->n_items == 0)
        r = bank_fail(bank, -EINVAL, "The batch holds no order.");
    size_t n_settled = 0;
    /* In the middle of a dry run there is nothing of ours to settle: it began with a settling. */
    if (r == 0 && !batch->is_pending && bank->n_dry_runs == 0)
        r = settle_run(bank, &n_settled);
    if (r == 0)
        r = head_demand(bank);
    return r;
}

static int batch_send(struct tb_batch *batch, struct parcel *parcel, struct call_fate *fate,
                      struct tb_answer **ret_answer) {
    const Timebank__Answer *message = NULL;
    int r =
        submit_run(batch->bank, &parcel->submit, parcel->leaves, batch->n_items, fate, &message);
    if (r == 0)
        return answer_new(message, batch->n_items, fate->was_sent, batch->bank->head.head.size,
                          ret_answer);
    if (r > 0) {
        int taken = refused_take(batch);
        r = taken < 0 ? bank_fail(batch->bank, taken, NULL) : r;
    }
    return r;
}

/* The batch is in the outbox before it leaves, and the pin that its header names is saved. */
static int batch_record(struct tb_batch *batch, struct parcel *parcel,
                        struct tb_answer **ret_answer) {
    struct outbox_slot slot = OUTBOX_SLOT_INIT;
    int r = pins_save_head(batch->bank);
    if (r == 0)
        r = outbox_put(batch->bank, &parcel->submit, &slot);
    if (r != 0)
        return r;
    struct call_fate fate = {.was_sent = batch->is_pending};
    r = batch_send(batch, parcel, &fate, ret_answer);
    batch->is_pending = !fate.is_known;
    if (fate.is_known)
        outbox_remove(&slot);
    outbox_slot_fini(&slot);
    return r;
}

int tb_batch_submit(struct tb_batch *batch, struct tb_answer **ret_answer) {
    if (!batch || !ret_answer)
        return -EINVAL;
    int r = batch_begin(batch);
    if (r == 0 && !batch->is_pending)
        r = batch_sign(batch);
    if (r != 0)
        return r;
    struct parcel parcel = {.submit = TIMEBANK__SUBMIT__INIT};
    arena_init(&parcel.arena, BANK_REPLY_MAX);
    r = parcel_fill(batch, &parcel);
    if (r == 0)
        r = batch_record(batch, &parcel, ret_answer);
    else
        bank_fail(batch->bank, r, NULL);
    parcel_fini(&parcel);
    return r;
}

int tb_batch_dry_run(struct tb_batch *batch, struct tb_answer **ret_answer) {
    if (!batch || !ret_answer)
        return -EINVAL;
    int r = batch_begin(batch);
    if (r == 0 && batch->is_pending)
        r = bank_fail(batch->bank, -EBUSY,
                      "The batch was sent, and what became of it is not known: submit it again.");
    if (r == 0)
        r = batch_sign(batch);
    if (r != 0)
        return r;
    struct parcel parcel = {.submit = TIMEBANK__SUBMIT__INIT};
    arena_init(&parcel.arena, BANK_REPLY_MAX);
    parcel.submit.dry_run = true;
    struct call_fate fate = {};
    r = parcel_fill(batch, &parcel);
    if (r == 0)
        r = batch_send(batch, &parcel, &fate, ret_answer);
    else
        bank_fail(batch->bank, r, NULL);
    /* What was not refused of a refused one may stand below the next dry run, too. */
    if (r >= 0)
        batch->bank->n_dry_runs++;
    parcel_fini(&parcel);
    return r;
}

int tb_bank_end_dry_run(struct tb_bank *bank) {
    if (!bank)
        return -EINVAL;
    int r = bank_begin_opened(bank);
    if (r != 0)
        return r;
    if (bank->n_dry_runs > 0) {
        Timebank__EndDryRun end = TIMEBANK__END_DRY_RUN__INIT;
        Timebank__Request request = TIMEBANK__REQUEST__INIT;
        request.body_case = TIMEBANK__REQUEST__BODY_END_DRY_RUN;
        request.end_dry_run = &end;
        Timebank__Response *response = NULL;
        r = call_read(bank, &request, TIMEBANK__RESPONSE__BODY__NOT_SET, &response);
    }
    if (r == 0) {
        bank->n_dry_runs = 0;
        bank->dry_runs_lost = false;
    }
    return r;
}

size_t tb_batch_refusals(const struct tb_batch *batch) {
    return batch ? batch->n_refused : 0;
}

int tb_batch_refusal(const struct tb_batch *batch, size_t i, struct tb_refused *ret_refused) {
    if (!batch || !ret_refused || i >= batch->n_refused)
        return -EINVAL;
    *ret_refused = batch->refused[i].refused;
    return 0;
}
