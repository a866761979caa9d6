/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders are turned into their bytes when they are added, one behind the other as they travel, so
 * that what is signed later is what was counted against the frame's limit. A batch whose fate is
 * unknown keeps its header and signature: submitting it again sends the same bytes, and the daemon
 * gives the first answer again.
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
#define LENGTH_MAX 5 /* bytes before an order that travels */
#define LEAVES_A_TIME 64
#define ORDER_ID_AT 2 /* the first field of its bytes, behind its tag and length */

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
    bytes_fini(&batch->orders);
    bytes_fini(&batch->texts);
    bytes_fini(&batch->record);
    free(batch->beside);
    free(batch->items);
    free(batch->kept.path);
    refusals_clear(batch);
    free(batch);
    return NULL;
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

static bool has_person(const struct tb_order *order) {
    return order->kind == TB_OPEN_ACCOUNT && (is_given(order->ward) || is_given(order->age_band));
}

/* The list with room for one more element; NULL: no memory, the list stands. */
static void *list_grow(void *list, size_t n, size_t *n_allocated, size_t n_element) {
    if (n < *n_allocated)
        return list;
    size_t n_new = *n_allocated ? 2 * *n_allocated : 8;
    void *grown = reallocarray(list, n_new, n_element);
    if (grown)
        *n_allocated = n_new;
    return grown;
}

static size_t text_keep(struct bytes *texts, const char *text) {
    if (texts->n == 0)
        bytes_put_u8(texts, 0);
    size_t at = texts->n;
    bytes_put(texts, text ? text : "", text ? strlen(text) + 1 : 1);
    return at;
}

const char *batch_text(const struct tb_batch *batch, size_t at) {
    return (const char *)batch->texts.data + at;
}

/* What travels beside the batch, for the register of people. */
static int beside_put(struct tb_batch *batch, const struct tb_order *order,
                      const uint8_t salt[BATCH_SALT_BYTES]) {
    struct batch_beside beside = {.place = batch->n_items};
    if (!is_given(order->why) && !has_person(order))
        return 0;
    void *list =
        list_grow(batch->beside, batch->n_beside, &batch->n_beside_allocated, sizeof(beside));
    if (!list)
        return -ENOMEM;
    batch->beside = list;
    if (is_given(order->why)) {
        beside.why = text_keep(&batch->texts, order->why);
        memcpy(beside.salt, salt, BATCH_SALT_BYTES);
    }
    if (has_person(order)) {
        beside.ward = text_keep(&batch->texts, order->ward);
        beside.age_band = text_keep(&batch->texts, order->age_band);
    }
    if (batch->texts.r == 0)
        batch->beside[batch->n_beside++] = beside;
    return batch->texts.r;
}

static void beside_drop(struct tb_batch *batch, size_t place) {
    size_t n = 0;
    for (size_t i = 0; i < batch->n_beside; i++) {
        struct batch_beside beside = batch->beside[i];
        if (beside.place == place)
            continue;
        beside.place -= beside.place > place;
        batch->beside[n++] = beside;
    }
    batch->n_beside = n;
}

/* Length prefixes, salt, places: reckoned with their largest heads. */
static size_t order_bytes(const struct tb_order *order, size_t n_record) {
    size_t n = n_record + 4;
    if (is_given(order->why))
        n += strlen(order->why) + BATCH_SALT_BYTES + 12;
    if (has_person(order))
        n += (order->ward ? strlen(order->ward) : 0) +
             (order->age_band ? strlen(order->age_band) : 0) + 12;
    return n;
}

/* The order's record, and the salt of its note. */
static int record_make(struct tb_batch *batch, const struct tb_order *order,
                       uint8_t salt[BATCH_SALT_BYTES]) {
    static const uint8_t none[TB_ORDER_ID_BYTES];
    struct tb_bank *bank = batch->bank;
    uint8_t made[TB_ORDER_ID_BYTES], note[NOTE_BYTES];
    const uint8_t *id = order->id;
    bool has_note = is_given(order->why);
    if (memcmp(id, none, sizeof(none)) == 0) {
        batch_id_new(clock_wall_ms(), made);
        id = made;
    }
    if (has_note) {
        salt_make(bank, id, salt);
        batch_note(order->why, salt, note);
    }
    bytes_clear(&batch->record);
    int r = order_encode(order, id, bank->role, has_note ? note : NULL, &batch->record);
    if (r < 0)
        return bank_fail(bank, r, r == -EINVAL ? "The order is of no known kind." : NULL);
    if (batch->record.n > RECORD_MAX)
        return bank_fail(bank, TB_TOO_LARGE, "The order is too large: shorten its texts.");
    return 0;
}

/* The record's order behind the others, as it travels. */
static int item_put(struct tb_batch *batch, size_t n_bytes) {
    struct bytes *orders = &batch->orders;
    size_t begin = orders->n, n_body = batch->record.n - 1, n_left = n_body;
    uint8_t *at = bytes_reserve(orders, LENGTH_MAX + n_body);
    if (!at)
        return -ENOMEM;
    for (; n_left >= 0x80; n_left >>= 7)
        *at++ = (uint8_t)(n_left | 0x80);
    *at++ = (uint8_t)n_left;
    memcpy(at, batch->record.data + 1, n_body);
    orders->n = (size_t)(at - orders->data) + n_body;
    batch->items[batch->n_items++] = (struct batch_item){
        .begin = (uint32_t)begin,
        .body = (uint32_t)(at - orders->data),
        .end = (uint32_t)orders->n,
        .n_bytes = (uint32_t)n_bytes,
    };
    batch->n_bytes += n_bytes;
    return 0;
}

int batch_busy(const struct tb_batch *batch) {
    return bank_fail(batch->bank, -EBUSY,
                     "The batch is under way: wait until its call is done, or free the call.");
}

static int order_add(struct tb_batch *batch, const struct tb_order *order) {
    uint8_t salt[BATCH_SALT_BYTES];
    void *list =
        list_grow(batch->items, batch->n_items, &batch->n_allocated, sizeof(*batch->items));
    if (!list)
        return -ENOMEM;
    batch->items = list;
    int r = record_make(batch, order, salt);
    if (r != 0)
        return r;
    size_t n_bytes = order_bytes(order, batch->record.n);
    if (batch->n_bytes + n_bytes > FRAME_ROOM)
        return batch->n_items > 0 ? -E2BIG
                                  : bank_fail(batch->bank, TB_TOO_LARGE,
                                              "The order is too large: shorten its texts.");
    r = beside_put(batch, order, salt);
    if (r == 0)
        r = item_put(batch, n_bytes);
    if (r < 0)
        beside_drop(batch, batch->n_items);
    return r;
}

int tb_batch_add(struct tb_batch *batch, const struct tb_order *order, size_t *ret_place) {
    struct tb_order copy;
    if (!batch || !order)
        return -EINVAL;
    if (order->struct_bytes != sizeof(*order)) {
        if (order_copy(order, &copy) < 0)
            return -EINVAL;
        order = &copy;
    }
    if (batch->call)
        return batch_busy(batch);
    if (batch->n_items == TB_BATCH_ORDERS_MAX)
        return -E2BIG;
    int r = order_add(batch, order);
    if (r != 0)
        return r;
    batch->is_pending = false;
    if (ret_place)
        *ret_place = batch->n_items - 1;
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
    struct batch_item gone = batch->items[place];
    uint32_t n_gone = gone.end - gone.begin;
    batch->is_pending = false;
    batch->n_bytes -= gone.n_bytes;
    beside_drop(batch, place);
    batch->orders.n -= n_gone;
    memmove(batch->orders.data + gone.begin, batch->orders.data + gone.end,
            batch->orders.n - gone.begin);
    batch->n_items--;
    memmove(&batch->items[place], &batch->items[place + 1],
            (batch->n_items - place) * sizeof(*batch->items));
    for (size_t i = place; i < batch->n_items; i++) {
        batch->items[i].begin -= n_gone;
        batch->items[i].body -= n_gone;
        batch->items[i].end -= n_gone;
    }
    return 0;
}

void tb_batch_order_id(const struct tb_batch *batch, size_t place,
                       uint8_t ret_id[TB_ORDER_ID_BYTES]) {
    memset(ret_id, 0, TB_ORDER_ID_BYTES);
    if (batch && place < batch->n_items)
        memcpy(ret_id, batch->orders.data + batch->items[place].body + ORDER_ID_AT,
               TB_ORDER_ID_BYTES);
}

void tb_batch_set_open_ended(struct tb_batch *batch) {
    if (batch && !batch->call) {
        batch->open_ended = true;
        batch->is_pending = false;
    }
}

/* A varint of at most 32 bits. */
static uint32_t length_get(struct cursor *cursor) {
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 32; shift += 7) {
        uint8_t byte = cursor_u8(cursor);
        value |= (uint32_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    cursor->r = -EBADMSG;
    return 0;
}

int batch_leaves(const void *orders, size_t n_bytes, size_t n, struct hash **ret_leaves) {
    struct cursor cursor = cursor_make(orders, n_bytes);
    if (n > n_bytes)
        return -EBADMSG;
    _cleanup_(freep) struct hash *leaves = malloc(MAX_OF(n, (size_t)1) * sizeof(*leaves));
    if (!leaves)
        return -ENOMEM;
    for (size_t i = 0; i < n;) {
        struct iovec some[LEAVES_A_TIME];
        size_t n_some = 0;
        for (; n_some < LEAVES_A_TIME && i + n_some < n; n_some++) {
            size_t n_order = length_get(&cursor);
            const uint8_t *order = cursor_bytes(&cursor, n_order);
            if (cursor.r < 0)
                return cursor.r;
            some[n_some] = (struct iovec){.iov_base = (void *)order, .iov_len = n_order};
        }
        merkle_leaves_of_kind(RECORD_ORDER, some, n_some, leaves + i);
        i += n_some;
    }
    int r = cursor_end(&cursor);
    if (r < 0)
        return r;
    *ret_leaves = TAKE(leaves);
    return 0;
}

static void header_make(const struct tb_batch *batch, const struct hash *leaves,
                        uint8_t ret[BATCH_HEADER_BYTES]) {
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
    header.orders_root = merkle_root(leaves, batch->n_items);
    batch_header_pack(&header, ret);
}

int batch_prepare(struct tb_batch *batch, struct hash **ret_leaves) {
    _cleanup_(freep) struct hash *leaves = NULL;
    refusals_clear(batch);
    if (batch->n_items == 0)
        return bank_fail(batch->bank, -EINVAL, "The batch holds no order.");
    int r = batch_leaves(batch->orders.data, batch->orders.n, batch->n_items, &leaves);
    if (r < 0)
        return bank_fail(batch->bank, r, NULL);
    if (!batch->is_pending) {
        header_make(batch, leaves, batch->header);
        r = sshsig_sign(SSHSIG_BATCH, batch->header, BATCH_HEADER_BYTES, batch->bank->secret_key,
                        batch->signature);
        if (r < 0)
            return bank_fail(batch->bank, r, "The key cannot sign: its file may be damaged.");
    }
    *ret_leaves = TAKE(leaves);
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
