/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One page is held at a time, and each must begin after the last name of the one before: a daemon
 * that turns in a circle ends the list. What goes wrong is kept until the list is ended, so that
 * the walk itself is a plain loop.
 */
#include "list.h"

#include <errno.h>
#include <string.h>

#include "reply.h"

/* Lists by name ask with a Page; the member of the oneof is one pointer. */
static void page_set(Timebank__Request *request, Timebank__Request__BodyCase ask,
                     Timebank__Page *page) {
    request->body_case = ask;
    switch (ask) {
    case TIMEBANK__REQUEST__BODY_ACCOUNTS:
        request->accounts = page;
        return;
    case TIMEBANK__REQUEST__BODY_ACTIVITIES:
        request->activities = page;
        return;
    case TIMEBANK__REQUEST__BODY_OFFERS:
        request->offers = page;
        return;
    case TIMEBANK__REQUEST__BODY_POLICIES:
        request->policies = page;
        return;
    case TIMEBANK__REQUEST__BODY_FUNDERS:
        request->funders = page;
        return;
    default:
        request->body_case = TIMEBANK__REQUEST__BODY_KEYS;
        request->keys = page;
        return;
    }
}

static void register_set(Timebank__Request *request, const struct tb_list *list,
                         Timebank__AskRegister *ask) {
    request->body_case = TIMEBANK__REQUEST__BODY_REGISTER;
    request->register_ = ask;
    ask->table = (Timebank__RegisterTable)list->table;
    ask->code = list->of ? list->of : ask->code;
    ask->after = (ProtobufCBinaryData){.len = list->mark.n, .data = list->mark.data};
    ask->from_day = list->ask.from_day;
    ask->to_day = list->ask.to_day;
}

static int page_start(struct tb_list *list) {
    Timebank__Page page = TIMEBANK__PAGE__INIT;
    Timebank__AskJournal ask_journal = TIMEBANK__ASK_JOURNAL__INIT;
    Timebank__AskStatement statement = TIMEBANK__ASK_STATEMENT__INIT;
    Timebank__AskRegister ask = TIMEBANK__ASK_REGISTER__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    if (list->noun->ask == TIMEBANK__REQUEST__BODY_STATEMENT) {
        request.body_case = TIMEBANK__REQUEST__BODY_STATEMENT;
        request.statement = &statement;
        statement.code = list->of;
        statement.before = list->before;
    } else if (list->noun->ask == TIMEBANK__REQUEST__BODY_REGISTER) {
        register_set(&request, list, &ask);
    } else if (list->noun->ask == TIMEBANK__REQUEST__BODY_JOURNAL) {
        request.body_case = TIMEBANK__REQUEST__BODY_JOURNAL;
        request.journal = &ask_journal;
        ask_journal.after = list->reached;
        ask_journal.at_size = list->at_size;
    } else {
        page.after = list->after;
        page_set(&request, list->noun->ask, &page);
    }
    list->call = call_release(list->call);
    list->is_read = false;
    return call_read(list->bank, &request, list->noun->wants, &list->call);
}

static int list_new(struct tb_bank *bank, const struct list_noun *noun, const char *of,
                    struct tb_list **ret_list) {
    struct tb_list *list = calloc(1, sizeof(*list));
    if (!list)
        return -ENOMEM;
    list->bank = bank;
    list->noun = noun;
    list->after = strdup("");
    list->of = of ? strdup(of) : NULL;
    if (!list->after || (of && !list->of))
        return list_finish(list, -ENOMEM);
    *ret_list = list;
    return 0;
}

int list_begin(struct tb_bank *bank, const struct list_noun *noun, const char *of,
               struct tb_list **ret_list) {
    struct tb_list *list = NULL;
    int r = bank && ret_list ? list_new(bank, noun, of, &list) : -EINVAL;
    if (r == 0)
        r = page_start(list);
    if (r != 0)
        return list_finish(list, r);
    *ret_list = list;
    return 0;
}

int list_begin_at(struct tb_bank *bank, const struct list_noun *noun, uint64_t at_size,
                  struct tb_list **ret_list) {
    struct tb_list *list = NULL;
    int r = bank && ret_list ? list_new(bank, noun, NULL, &list) : -EINVAL;
    if (r == 0) {
        list->at_size = at_size;
        r = page_start(list);
    }
    if (r != 0)
        return list_finish(list, r);
    *ret_list = list;
    return 0;
}

int list_begin_register(struct tb_bank *bank, const struct list_noun *noun, enum tb_register table,
                        const struct tb_register_ask *ask, struct tb_list **ret_list) {
    static const struct tb_register_ask everything;
    struct tb_list *list = NULL;
    ask = ask ? ask : &everything;
    int r = bank && ret_list ? list_new(bank, noun, ask->code, &list) : -EINVAL;
    if (r == 0) {
        list->table = table;
        list->ask = *ask;
        bytes_put(&list->mark, ask->after, ask->after_bytes);
        r = list->mark.r < 0 ? list->mark.r : page_start(list);
    }
    if (r != 0)
        return list_finish(list, r);
    *ret_list = list;
    return 0;
}

static void list_fail(struct tb_list *list, int r) {
    list->r = r;
    memcpy(list->message, list->bank->message, sizeof(list->message));
}

/* The page after the one that was read to its end. */
static int page_next(struct tb_list *list, const Timebank__Response *response) {
    if (!list->noun->place)
        return page_start(list);
    const char *last = list->n > 0 ? list->noun->place(list, response, list->n - 1) : NULL;
    if (!last || strcmp(last, list->after) <= 0)
        return bank_fail(list->bank, -EPROTO, "The bank's list does not go on: update the bank.");
    char *after = strdup(last);
    if (!after)
        return bank_fail(list->bank, -ENOMEM, NULL);
    free(list->after);
    list->after = after;
    return page_start(list);
}

/* One step towards the next item: 1 where it takes another one. */
static int list_step(struct tb_list *list) {
    const Timebank__Response *response = list->call->reply ? list->call->reply->message : NULL;
    int r = list->call->r;
    if (r == 0 && !list->is_read) {
        list->i = 0;
        r = list->noun->count(list, response, &list->n, &list->more);
        list->is_read = true;
    } else if (r == 0 && list->i < list->n) {
        int kept = list->noun->item(list, response, list->i++);
        list->has_item = kept == 1;
        r = kept < 0 ? kept : 0;
    } else if (r == 0 && list->more) {
        r = page_next(list, response);
    } else if (r == 0) {
        return 0;
    } else {
        call_say(list->call);
    }
    if (r != 0)
        list_fail(list, r);
    return r == 0 && !list->has_item;
}

/* Goes on to the next item, or to the end; -EAGAIN while a page is under way. */
static int list_advance(struct tb_list *list) {
    while (!list->has_item && list->r == 0) {
        if (list->call->stage != CALL_ENDED)
            return -EAGAIN;
        if (!list_step(list))
            break;
    }
    return 0;
}

bool list_next(struct tb_list *list, const struct list_noun *noun) {
    if (!list)
        return false;
    if (list->noun != noun && list->r == 0)
        list_fail(list, bank_fail(list->bank, -EINVAL, "The list is one of other things."));
    while (list_advance(list) == -EAGAIN)
        call_wait(list->call);
    bool has_item = list->has_item && list->r == 0;
    list->has_item = false;
    return has_item;
}

int list_finish(struct tb_list *list, int r) {
    if (!list)
        return r;
    if (r == 0 && list->r != 0) {
        memcpy(list->bank->message, list->message, sizeof(list->message));
        r = list->r;
    }
    call_release(list->call);
    bytes_fini(&list->mark);
    free(list->after);
    free(list->of);
    free(list);
    return r;
}

int tb_list_is_ready(struct tb_list *list) {
    return list && list_advance(list) == 0;
}

int tb_list_end(struct tb_list *list) {
    return list_finish(list, list ? 0 : -EINVAL);
}
