/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the register, row by row. A page begins after a row's mark, and marks ascend as
 * bytes: a bank that turns in a circle ends the list.
 */
#include <errno.h>
#include <string.h>

#include "list.h"
#include "reply.h"

static int register_unreadable(struct tb_bank *bank) {
    return bank_fail(bank, -EPROTO, "The bank's register cannot be read: update the bank.");
}

static int page_count(struct tb_list *list, const Timebank__Response *response, size_t *ret_n,
                      bool *ret_more) {
    const Timebank__Register *page = response->register_;
    if (page->more && page->n_rows == 0)
        return register_unreadable(list->bank);
    *ret_n = page->n_rows;
    *ret_more = page->more;
    return 0;
}

static bool goes_on(const struct bytes *last, const ProtobufCBinaryData *mark) {
    size_t n = MIN_OF(last->n, mark->len);
    int order = n > 0 ? memcmp(mark->data, last->data, n) : 0;
    return order > 0 || (order == 0 && mark->len > last->n);
}

static int page_item(struct tb_list *list, const Timebank__Response *response, size_t i) {
    const Timebank__RegisterRow *message = response->register_->rows[i];
    struct tb_register_row *row = &list->item.row;
    if (!goes_on(&list->mark, &message->mark) || message->key.len > sizeof(row->key))
        return register_unreadable(list->bank);
    *row = (struct tb_register_row){
        .what = message->what,
        .account = message->account,
        .other = message->other,
        .name = message->name,
        .entry = message->entry,
        .other_entry = message->other_entry,
        .minutes = message->minutes,
        .count = message->count,
        .from_day = message->from_day,
        .to_day = message->to_day,
        .due_ms = message->due_ms,
        .key_bytes = message->key.len,
        .flag = message->flag,
        .mark = message->mark.data,
        .mark_bytes = message->mark.len,
    };
    if (message->key.len > 0)
        memcpy(row->key, message->key.data, message->key.len);
    bytes_clear(&list->mark);
    bytes_put(&list->mark, message->mark.data, message->mark.len);
    return list->mark.r < 0 ? bank_fail(list->bank, list->mark.r, NULL) : 1;
}

static const struct list_noun noun = {
    .ask = TIMEBANK__REQUEST__BODY_REGISTER,
    .wants = TIMEBANK__RESPONSE__BODY_REGISTER,
    .count = page_count,
    .item = page_item,
};

int tb_register_begin(struct tb_bank *bank, enum tb_register table,
                      const struct tb_register_ask *ask, struct tb_list **ret_list) {
    return list_begin_register(bank, &noun, table, ask, ret_list);
}

const struct tb_register_row *tb_register_next(struct tb_list *list) {
    return list_next(list, &noun) ? &list->item.row : NULL;
}

int tb_register_list(struct tb_bank *bank, enum tb_register table,
                     const struct tb_register_ask *ask,
                     int (*each)(void *user, const struct tb_register_row *row), void *user) {
    struct tb_list *list = NULL;
    const struct tb_register_row *row = NULL;
    int r = each ? tb_register_begin(bank, table, ask, &list) : -EINVAL;
    while (r == 0 && (row = tb_register_next(list)))
        r = each(user, row);
    return list_finish(list, r);
}
