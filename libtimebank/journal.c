/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger as a journal: entries in ascending order of number with what each did to every
 * account, page after page, all at one position. A bank that turns in a circle, goes beyond the
 * position, or whose entries do not balance ends it.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "list.h"
#include "order.h"
#include "proto/code.h"
#include "proto/merkle.h"
#include "reply.h"
#include "verify.h"

static int journal_unreadable(struct tb_bank *bank) {
    return bank_fail(bank, -EPROTO, "The bank's journal cannot be read: update the bank.");
}

static int entry_order(struct tb_list *list, const ProtobufCBinaryData *bytes,
                       struct tb_order *ret) {
    struct arena *arena = &list->call->reply->arena;
    Timebank__Order *order = NULL;
    int r = record_order_decode(bytes->data, bytes->len, arena, &order);
    if (r == 0)
        r = order_decode(order, arena, ret);
    if (r == -ENOMEM)
        return bank_fail(list->bank, r, NULL);
    return r < 0 ? journal_unreadable(list->bank) : 0;
}

static int entry_event(struct tb_list *list, const ProtobufCBinaryData *bytes,
                       struct tb_journal_entry *ret) {
    Timebank__Event *event = NULL;
    int r = record_event_decode(bytes->data, bytes->len, &list->call->reply->arena, &event);
    if (r < 0)
        return r == -ENOMEM ? bank_fail(list->bank, r, NULL) : journal_unreadable(list->bank);
    ret->event = (int)event->kind;
    ret->event_minutes = event->minutes;
    return 0;
}

/* Each leg whole and of an account as accounts are called, and all of them together nothing. */
static bool legs_balance(const Timebank__JournalEntry *message) {
    int64_t sum = 0;
    if (message->n_accounts != message->n_minutes ||
        message->n_accounts != message->n_account_kinds)
        return false;
    for (size_t i = 0; i < message->n_minutes; i++) {
        const char *code = message->accounts[i];
        if (!code_is_valid(code) && !code_is_bank(code))
            return false;
        if (__builtin_add_overflow(sum, message->minutes[i], &sum))
            return false;
    }
    return sum == 0;
}

/* An order has an author; an event has none, and follows from an order. */
static bool is_whole(const Timebank__JournalEntry *message, const struct tb_journal_entry *entry) {
    bool is_event = message->event.len > 0;
    if (is_event == (message->order.len > 0) || !legs_balance(message))
        return false;
    if (is_event)
        return message->author.len == 0 && message->target_order.len > 0;
    return message->author.len == sizeof(entry->author);
}

static int entry_take(struct tb_list *list, const Timebank__JournalEntry *message,
                      struct tb_journal_entry *ret) {
    *ret = (struct tb_journal_entry){
        .entry = message->entry,
        .received_at_ms = message->received_at_ms,
        .target_entry = message->target,
        .n_legs = message->n_accounts,
        .accounts = (const char *const *)message->accounts,
        .account_kinds = message->account_kinds,
        .minutes = message->minutes,
    };
    if (!is_whole(message, ret))
        return journal_unreadable(list->bank);
    if (message->author.len > 0)
        memcpy(ret->author, message->author.data, sizeof(ret->author));
    int r = message->event.len > 0 ? entry_event(list, &message->event, ret)
                                   : entry_order(list, &message->order, &ret->order);
    if (r == 0 && message->target_order.len > 0)
        r = entry_order(list, &message->target_order, &ret->target);
    return r;
}

/* Where the position is the one that the reply itself proves, its root is that one's. */
static int root_take(struct tb_list *list, const Timebank__Journal *page) {
    uint64_t size = 0;
    uint8_t root[HASH_BYTES];
    if (page->root.len != sizeof(list->root))
        return journal_unreadable(list->bank);
    tb_bank_position(list->bank, &size, root);
    if (size == list->at_size && memcmp(root, page->root.data, sizeof(root)) != 0)
        return journal_unreadable(list->bank);
    memcpy(list->root, page->root.data, sizeof(list->root));
    return 0;
}

static int page_count(struct tb_list *list, const Timebank__Response *response, size_t *ret_n,
                      bool *ret_more) {
    const Timebank__Journal *page = response->journal;
    if (page->reached >= list->at_size || (page->more && page->reached <= list->reached))
        return journal_unreadable(list->bank);
    int r = list->reached == 0 ? root_take(list, page) : 0;
    if (r != 0)
        return r;
    list->reached = page->reached;
    *ret_n = page->n_entries;
    *ret_more = page->more;
    return 0;
}

static int page_item(struct tb_list *list, const Timebank__Response *response, size_t i) {
    const Timebank__JournalEntry *message = response->journal->entries[i];
    if (message->entry <= list->before || message->entry > list->reached)
        return journal_unreadable(list->bank);
    int r = entry_take(list, message, &list->item.entry);
    list->before = message->entry;
    return r < 0 ? r : 1;
}

static const struct list_noun noun = {
    .ask = TIMEBANK__REQUEST__BODY_JOURNAL,
    .wants = TIMEBANK__RESPONSE__BODY_JOURNAL,
    .count = page_count,
    .item = page_item,
};

int tb_journal_begin(struct tb_bank *bank, uint64_t at_size, struct tb_list **ret_list) {
    if (bank && at_size == 0) {
        uint8_t root[32];
        tb_bank_position(bank, &at_size, root);
    }
    return list_begin_at(bank, &noun, at_size, ret_list);
}

const struct tb_journal_entry *tb_journal_next(struct tb_list *list) {
    return list_next(list, &noun) ? &list->item.entry : NULL;
}

/* Hashes that lead from where the tree ends to `end`. */
static int tree_extend(struct tb_bank *bank, struct merkle_range *tree, uint64_t end) {
    Timebank__AskRanges ask = TIMEBANK__ASK_RANGES__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    Timebank__Response *response = NULL;
    struct tb_call *call = NULL;
    struct hash hashes[MERKLE_RANGE_MAX];
    struct merkle_range range;
    ask.begin = tree->end;
    ask.end = end;
    request.body_case = TIMEBANK__REQUEST__BODY_RANGES;
    request.ranges = &ask;
    int r = call_ask(bank, &request, TIMEBANK__RESPONSE__BODY_RANGES, &call, &response);
    if (r != 0)
        return r;
    const ProtobufCBinaryData *data = &response->ranges->hashes;
    if (data->len % HASH_BYTES != 0 || data->len > sizeof(hashes))
        r = journal_unreadable(bank);
    if (r == 0 && data->len > 0)
        memcpy(hashes, data->data, data->len);
    if (r == 0 && merkle_range_load(&range, ask.begin, end, hashes, data->len / HASH_BYTES) < 0)
        r = journal_unreadable(bank);
    if (r == 0)
        merkle_range_join(tree, &range, NULL, NULL);
    call_release(call);
    return r;
}

static bool tree_has(const struct merkle_range *tree, const uint8_t root[HASH_BYTES]) {
    struct hash found = merkle_range_root(tree);
    return memcmp(found.b, root, HASH_BYTES) == 0;
}

/* An earlier position is a beginning of the newest head: by the tree up to it, and on to there. */
static int position_prove(struct tb_list *list) {
    struct merkle_range tree;
    uint64_t size = 0;
    uint8_t root[HASH_BYTES];
    bool is_one = true;
    tb_bank_position(list->bank, &size, root);
    if (size <= list->at_size)
        return 0; /* compared when it came */
    merkle_range_init(&tree, 0);
    int r = tree_extend(list->bank, &tree, list->at_size);
    if (r == 0) {
        is_one = tree_has(&tree, list->root);
        r = tree_extend(list->bank, &tree, size);
    }
    if (r == 0 && !(is_one && tree_has(&tree, root)))
        return verify_fail(list->bank, NULL, 0,
                           "A journal stands on %" PRIu64 " records that are not the ledger's own.",
                           list->at_size);
    return r;
}

int tb_journal_position(struct tb_list *list, uint64_t *ret_size, uint8_t ret_root[32]) {
    if (!list || list->noun != &noun || !ret_size || !ret_root)
        return -EINVAL;
    while (!tb_list_is_ready(list))
        call_wait(list->call);
    int r = list->r != 0 ? list->r : position_prove(list);
    if (r != 0)
        return r;
    *ret_size = list->at_size;
    memcpy(ret_root, list->root, sizeof(list->root));
    return 0;
}

int tb_journal_list(struct tb_bank *bank, uint64_t at_size,
                    int (*each)(void *user, const struct tb_journal_entry *entry), void *user) {
    struct tb_list *list = NULL;
    const struct tb_journal_entry *entry = NULL;
    int r = each ? tb_journal_begin(bank, at_size, &list) : -EINVAL;
    while (r == 0 && (entry = tb_journal_next(list)))
        r = each(user, entry);
    return list_finish(list, r);
}
