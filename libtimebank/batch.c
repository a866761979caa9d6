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

#include "base/clock.h"
#include "batch.h"
#include "call.h"
#include "order.h"
#include "proto/frame.h"
#include "proto/merkle.h"

#define NOT_AFTER_MS (15u * 60 * MS_PER_SECOND)
#define FRAME_ROOM (FRAME_MAX - 1024) /* for the orders and what travels beside them */
#define NOTE_BYTES 32

static void item_fini(struct batch_item *item) {
    bytes_fini(&item->record);
    free(item->why);
    free(item->ward);
    free(item->age_band);
}

static void refusals_clear(struct tb_batch *batch) {
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
    if (batch->call)
        batch->call->noun->forget(batch->call);
    for (size_t i = 0; i < batch->n_items; i++)
        item_fini(&batch->items[i]);
    free(batch->items);
    refusals_clear(batch);
    free(batch);
    return NULL;
}

/* Length prefixes, salt, places: reckoned with their largest heads. */
static size_t item_bytes(const struct batch_item *item) {
    size_t n = item->record.n + 4;
    if (item->why)
        n += strlen(item->why) + BATCH_SALT_BYTES + 12;
    if (item->ward)
        n += strlen(item->ward) + strlen(item->age_band) + 12;
    return n;
}

/* The salt follows from the author's secret and the order's id: nobody else can guess it, and an
 * order made again from the same file has the same bytes. */
static void salt_make(const struct tb_bank *bank, const uint8_t id[TB_ORDER_ID_BYTES],
                      uint8_t ret[BATCH_SALT_BYTES]) {
    static const char context[] = "timebank-salt/1\n";
    crypto_generichash_state state;
    crypto_generichash_init(&state, bank->secret_key, crypto_sign_SEEDBYTES, BATCH_SALT_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)context, sizeof(context) - 1);
    crypto_generichash_update(&state, bank->first_ledger_id.b, HASH_BYTES);
    crypto_generichash_update(&state, id, TB_ORDER_ID_BYTES);
    crypto_generichash_final(&state, ret, BATCH_SALT_BYTES);
    sodium_memzero(&state, sizeof(state));
}

static bool is_given(const char *text) {
    return text && text[0] != '\0';
}

/* What travels beside the batch, for the register of people. */
static int item_take_people(struct batch_item *item, const struct tb_order *order) {
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

static int item_make(struct tb_bank *bank, struct tb_order *order, struct batch_item *item) {
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
    struct batch_item *items = reallocarray(batch->items, n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    batch->items = items;
    batch->n_allocated = n;
    return 0;
}

int batch_busy(const struct tb_batch *batch) {
    return bank_fail(batch->bank, -EBUSY,
                     "The batch is under way: wait until its call is done, or free the call.");
}

int tb_batch_add(struct tb_batch *batch, const struct tb_order *order, size_t *ret_place) {
    struct tb_order copy;
    if (!batch || !order || order_copy(order, &copy) < 0)
        return -EINVAL;
    if (batch->call)
        return batch_busy(batch);
    if (batch->n_items == TB_BATCH_ORDERS_MAX)
        return -E2BIG;
    struct batch_item item = {};
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
    if (batch->call)
        return batch_busy(batch);
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
    if (batch && !batch->call) {
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

int batch_prepare(struct tb_batch *batch) {
    refusals_clear(batch);
    if (batch->n_items == 0)
        return bank_fail(batch->bank, -EINVAL, "The batch holds no order.");
    if (batch->is_pending)
        return 0;
    header_make(batch, batch->header);
    int r = sshsig_sign(SSHSIG_BATCH, batch->header, BATCH_HEADER_BYTES, batch->bank->secret_key,
                        batch->signature);
    if (r < 0)
        return bank_fail(batch->bank, r, "The key cannot sign: its file may be damaged.");
    return 0;
}

int batch_take_refusals(struct tb_batch *batch, const Timebank__Refused *list) {
    refusals_clear(batch);
    if (!list)
        return 0;
    batch->refused = calloc(list->n_refusals, sizeof(*batch->refused));
    if (!batch->refused)
        return -ENOMEM;
    for (size_t i = 0; i < list->n_refusals; i++) {
        const Timebank__Refusal *from = list->refusals[i];
        struct batch_refused *to = &batch->refused[i];
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

size_t tb_batch_refusals(const struct tb_batch *batch) {
    return batch ? batch->n_refused : 0;
}

int tb_batch_refusal(const struct tb_batch *batch, size_t i, struct tb_refused *ret_refused) {
    if (!batch || !ret_refused || i >= batch->n_refused)
        return -EINVAL;
    *ret_refused = batch->refused[i].refused;
    return 0;
}
