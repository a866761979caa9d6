/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of an account's statement, newest first, page after page. Each page must go on before
 * the last entry of the one before: a bank that turns in a circle ends it.
 */
#include <errno.h>
#include <string.h>

#include "call.h"
#include "order.h"

static int statement_unreadable(struct tb_bank *bank) {
    return bank_fail(bank, -EPROTO, "The bank's statement cannot be read: update the bank.");
}

static int statement_order(struct tb_bank *bank, const ProtobufCBinaryData *bytes,
                           struct tb_order *ret) {
    Timebank__Order *order = NULL;
    int r = record_order_decode(bytes->data, bytes->len, &bank->arena, &order);
    if (r == 0)
        r = order_decode(order, &bank->arena, ret);
    if (r == -ENOMEM)
        return bank_fail(bank, r, NULL);
    return r < 0 ? statement_unreadable(bank) : 0;
}

static int statement_line(struct tb_bank *bank, const Timebank__StatementLine *message,
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
    };
    if (message->author.len != sizeof(ret->author))
        return statement_unreadable(bank);
    memcpy(ret->author, message->author.data, sizeof(ret->author));
    int r = statement_order(bank, &message->order, &ret->order);
    ret->order.why = message->why;
    if (r == 0 && message->target_order.len > 0)
        r = statement_order(bank, &message->target_order, &ret->target);
    return r;
}

static int statement_page(struct tb_bank *bank, const char *code, uint64_t *before, bool *ret_more,
                          int (*each)(void *user, const struct tb_statement_line *line),
                          void *user) {
    Timebank__AskStatement ask = TIMEBANK__ASK_STATEMENT__INIT;
    ask.code = (char *)code;
    ask.before = *before;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_STATEMENT;
    request.statement = &ask;
    Timebank__Response *response = NULL;
    arena_reset(&bank->arena);
    int r = call_read(bank, &request, TIMEBANK__RESPONSE__BODY_STATEMENT, &response);
    if (r != 0)
        return r;
    const Timebank__Statement *page = response->statement;
    for (size_t i = 0; i < page->n_lines; i++) {
        struct tb_statement_line line;
        r = statement_line(bank, page->lines[i], &line);
        if (r == 0 && *before != 0 && line.entry >= *before)
            r = statement_unreadable(bank);
        if (r == 0)
            r = each(user, &line);
        if (r != 0)
            return r;
        *before = line.entry;
    }
    *ret_more = page->more;
    return page->more && page->n_lines == 0 ? statement_unreadable(bank) : 0;
}

int tb_statement_list(struct tb_bank *bank, const char *code,
                      int (*each)(void *user, const struct tb_statement_line *line), void *user) {
    if (!bank || !code || !each)
        return -EINVAL;
    uint64_t before = 0;
    bool more = true;
    int r = bank_begin_opened(bank);
    while (r == 0 && more)
        r = statement_page(bank, code, &before, &more, each, user);
    return r;
}
