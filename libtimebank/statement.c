/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of an account's statement, newest first, page after page. Each line must stand before
 * the one that came last: a bank that turns in a circle ends it.
 */
#include <errno.h>
#include <string.h>

#include "list.h"
#include "order.h"
#include "reply.h"
#include "verify.h"

static int statement_unreadable(struct tb_bank *bank) {
    return bank_fail(bank, -EPROTO, "The bank's statement cannot be read: update the bank.");
}

static int line_order(struct tb_list *list, const ProtobufCBinaryData *bytes,
                      struct tb_order *ret) {
    struct arena *arena = &list->call->reply->arena;
    Timebank__Order *order = NULL;
    int r = record_order_decode(bytes->data, bytes->len, arena, &order);
    if (r == 0)
        r = order_decode(order, arena, ret);
    if (r == -ENOMEM)
        return bank_fail(list->bank, r, NULL);
    return r < 0 ? statement_unreadable(list->bank) : 0;
}

static int line_event(struct tb_list *list, const ProtobufCBinaryData *bytes,
                      struct tb_statement_line *ret) {
    Timebank__Event *event = NULL;
    int r = bytes->len > 0
                ? record_event_decode(bytes->data, bytes->len, &list->call->reply->arena, &event)
                : 0;
    if (r < 0)
        return r == -ENOMEM ? bank_fail(list->bank, r, NULL) : statement_unreadable(list->bank);
    if (event) {
        ret->event = (int)event->kind;
        ret->event_ms = event->ledger_time_ms;
        ret->event_minutes = event->minutes;
    }
    return 0;
}

static int line_take(struct tb_list *list, const Timebank__StatementLine *message,
                     struct tb_statement_line *ret) {
    *ret = (struct tb_statement_line){
        .entry = message->entry,
        .minutes = message->minutes,
        .after_minutes = message->after,
        .received_at_ms = message->received_at_ms,
        .author_role = (int)message->author_role,
        .author_account = message->author_account,
        .reversed_minutes = message->reversed_minutes,
        .target_entry = message->target,
        .held_after_minutes = message->held_after,
        .state = message->state,
    };
    /* An event has no author. */
    bool has_author = message->author.len == sizeof(ret->author);
    if (!has_author && (message->author.len > 0 || message->event.len == 0))
        return statement_unreadable(list->bank);
    if (has_author)
        memcpy(ret->author, message->author.data, sizeof(ret->author));
    int r = line_order(list, &message->order, &ret->order);
    ret->order.why = message->why;
    if (r == 0 && message->target_order.len > 0)
        r = line_order(list, &message->target_order, &ret->target);
    return r == 0 ? line_event(list, &message->event, ret) : r;
}

static int other_account(struct tb_list *list) {
    struct tb_bank *bank = list->bank;
    call_show(list->call);
    int r = verify_fail(bank, NULL, 0,
                        "The statement of another account was shown than the one asked for.");
    bank->judged.named = bank->judged.body = bank->judged.reply = NULL;
    return r;
}

static int page_count(struct tb_list *list, const Timebank__Response *response, size_t *ret_n,
                      bool *ret_more) {
    const Timebank__Statement *page = response->statement;
    if (strcmp(page->code, list->of) != 0)
        return other_account(list);
    if (page->more && page->n_lines == 0)
        return statement_unreadable(list->bank);
    *ret_n = page->n_lines;
    *ret_more = page->more;
    return 0;
}

static int page_item(struct tb_list *list, const Timebank__Response *response, size_t i) {
    const Timebank__StatementLine *message = response->statement->lines[i];
    if (message->entry == 0 || (list->before != 0 && message->entry >= list->before))
        return statement_unreadable(list->bank);
    int r = line_take(list, message, &list->item.line);
    list->before = message->entry;
    return r < 0 ? r : 1;
}

static const struct list_noun noun = {
    .ask = TIMEBANK__REQUEST__BODY_STATEMENT,
    .wants = TIMEBANK__RESPONSE__BODY_STATEMENT,
    .count = page_count,
    .item = page_item,
};

int tb_statement_begin(struct tb_bank *bank, const char *code, struct tb_list **ret_list) {
    return code ? list_begin(bank, &noun, code, ret_list) : -EINVAL;
}

const struct tb_statement_line *tb_statement_next(struct tb_list *list) {
    return list_next(list, &noun) ? &list->item.line : NULL;
}

int tb_statement_list(struct tb_bank *bank, const char *code,
                      int (*each)(void *user, const struct tb_statement_line *line), void *user) {
    struct tb_list *list = NULL;
    const struct tb_statement_line *line = NULL;
    int r = each ? tb_statement_begin(bank, code, &list) : -EINVAL;
    while (r == 0 && (line = tb_statement_next(list)))
        r = each(user, line);
    return list_finish(list, r);
}
