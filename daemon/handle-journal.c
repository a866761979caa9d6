/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger as a journal, for whoever keeps books elsewhere: entries in ascending order of number,
 * each with what it did to every account, at a position whose head was signed. A page is bounded in
 * entries, in bytes and in the records looked at, and is read run by run; only the order that an
 * entry is about is looked up.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "entry-read.h"
#include "handlers.h"

#define PAGE_BYTES (256u * 1024)
#define PAGE_RECORDS 5000u /* looked at, whatever they are */
#define ENTRY_OVERHEAD 64u /* of its numbers and tags */

struct journal_page {
    struct call *call;
    struct store_read *read;
    uint64_t size; /* the position */
    size_t max;
    size_t n_bytes;
    uint64_t n_records;
    Timebank__Journal *journal;
};

/* The run being read; data of the store, good for this call. */
struct journal_run {
    struct run run;
    struct store_value after;
    bool is_events;
    uint64_t received_at_ms;
    ProtobufCBinaryData author;
};

static int copy(struct call *call, const uint8_t *data, size_t n, ProtobufCBinaryData *ret) {
    ret->data = arena_alloc(call->arena, n + 1);
    if (!ret->data)
        return -ENOMEM;
    memcpy(ret->data, data, n);
    ret->len = n;
    return 0;
}

static int read_seal(struct journal_page *page, struct journal_run *run, const uint8_t *record,
                     size_t n) {
    struct batch_header header;
    struct record_seal seal;

    if (record_seal_unpack(record, n, &seal) < 0 || batch_header_unpack(seal.header, &header) < 0)
        return -EUCLEAN;
    run->received_at_ms = seal.received_at_ms;
    return copy(page->call, header.author, SSHSIG_PUBLIC_BYTES, &run->author);
}

/* 1 with a run of orders or events, 0 for one that holds neither. */
static int begin_run(struct journal_page *page, uint64_t index, struct journal_run *ret) {
    struct journal_run run = {0};
    const uint8_t *first;
    uint8_t key[8];
    size_t n;
    int r = runs_find(page->read, index, &run.run);

    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    first = run_record(&run.run, 0, &n);
    run.is_events = n > 0 && first[0] == RECORD_EVENT;
    if (n == 0 || (!run.is_events && first[0] != RECORD_SEAL)) {
        *ret = run;
        return 0;
    }
    be64_put(key, run.run.first);
    r = store_get(page->read, RUNS_AFTER, key, sizeof(key), &run.after);
    if (r == 0)
        return -EUCLEAN;
    if (r > 0 && !run.is_events)
        r = read_seal(page, &run, first, n);
    *ret = run;
    return r < 0 ? r : 1;
}

/* The order that it is about. */
static int read_target(struct journal_page *page, const ProtobufCBinaryData *id,
                       Timebank__JournalEntry *entry) {
    const struct state_id *row;
    Timebank__Order *order;
    int r = 0;

    row = state_get(bank_state(page->call->bank), STATE_IDS, id->data, id->len, &r);
    if (!row)
        return r < 0 ? r : -EUCLEAN;
    entry->target = row->entry;
    r = entry_read_order(page->call, row->entry, &entry->target_order, &order);
    page->n_bytes += entry->target_order.len;
    return r;
}

/* 1 an order that belongs here, 0 one of the register. */
static int read_order(struct journal_page *page, const struct journal_run *run,
                      const uint8_t *record, size_t n, Timebank__JournalEntry *entry) {
    const ProtobufCBinaryData *target;
    Timebank__Order *order;
    int r = record_order_decode(record + 1, n - 1, page->call->arena, &order);

    if (r < 0)
        return r == -EBADMSG ? -EUCLEAN : r;
    if (order->kind_case >= TIMEBANK__ORDER__KIND_OPEN_ACCOUNT)
        return 0;
    entry->received_at_ms = run->received_at_ms;
    entry->author = run->author;
    r = copy(page->call, record + 1, n - 1, &entry->order);
    target = record_order_target(order);
    if (r == 0 && target)
        r = read_target(page, target, entry);
    return r < 0 ? r : 1;
}

static int read_event(struct journal_page *page, const uint8_t *record, size_t n,
                      Timebank__JournalEntry *entry) {
    Timebank__Event *event;
    int r = record_event_decode(record + 1, n - 1, page->call->arena, &event);

    if (r < 0)
        return r == -EBADMSG ? -EUCLEAN : r;
    entry->received_at_ms = event->ledger_time_ms;
    r = copy(page->call, record + 1, n - 1, &entry->event);
    if (r == 0)
        r = read_target(page, &event->follows, entry);
    return r < 0 ? r : 1;
}

static int count_legs(const struct journal_run *run, size_t place, uint64_t index, size_t *ret_n) {
    struct run_leg leg;
    size_t at = 0, n = 0;
    int r;

    while ((r = runs_after_next(run->after, place, index, &at, &leg)) > 0)
        n++;
    *ret_n = n;
    return r;
}

static int read_legs(struct journal_page *page, const struct journal_run *run, size_t place,
                     uint64_t index, Timebank__JournalEntry *entry) {
    struct state *state = bank_state(page->call->bank);
    struct run_leg leg;
    size_t n_legs, at = 0, n = 0;
    int r = count_legs(run, place, index, &n_legs);

    if (r < 0)
        return r;
    entry->accounts = arena_alloc(page->call->arena, (n_legs + 1) * sizeof(char *));
    entry->minutes = arena_alloc(page->call->arena, (n_legs + 1) * sizeof(*entry->minutes));
    entry->account_kinds =
        arena_alloc(page->call->arena, (n_legs + 1) * sizeof(*entry->account_kinds));
    if (!entry->accounts || !entry->minutes || !entry->account_kinds)
        return -ENOMEM;
    while (n < n_legs && (r = runs_after_next(run->after, place, index, &at, &leg)) > 0) {
        if (leg.account >= state->sums.n_accounts)
            return -EUCLEAN;
        entry->accounts[n] = state->accounts[leg.account]->code;
        entry->account_kinds[n] = state->accounts[leg.account]->kind;
        entry->minutes[n++] = leg.minutes;
        page->n_bytes += strlen(entry->accounts[n - 1]) + 16;
    }
    entry->n_accounts = entry->n_minutes = entry->n_account_kinds = n;
    return r < 0 ? r : 0;
}

static int add_entry(struct journal_page *page, const struct journal_run *run, uint32_t i) {
    Timebank__JournalEntry *entry = arena_alloc(page->call->arena, sizeof(*entry));
    uint64_t index = run->run.first + i;
    size_t n;
    const uint8_t *record = run_record(&run->run, i, &n);
    int r;

    if (!entry || n == 0)
        return entry ? -EUCLEAN : -ENOMEM;
    timebank__journal_entry__init(entry);
    entry->entry = index;
    r = run->is_events ? read_event(page, record, n, entry)
                       : read_order(page, run, record, n, entry);
    if (r <= 0)
        return r;
    r = read_legs(page, run, run->is_events ? i : i - 1, index, entry);
    if (r < 0)
        return r;
    page->n_bytes += ENTRY_OVERHEAD + entry->order.len + entry->event.len + entry->author.len;
    page->journal->entries[page->journal->n_entries++] = entry;
    return 0;
}

static bool is_full(const struct journal_page *page) {
    return page->journal->n_entries >= page->max || page->n_bytes >= PAGE_BYTES ||
           page->n_records >= PAGE_RECORDS;
}

/* The entries of the run that holds the record after the last one reached. */
static int add_run(struct journal_page *page) {
    uint64_t index = page->journal->reached + 1;
    struct journal_run run;
    int r = begin_run(page, index, &run);

    if (r < 0)
        return r;
    if (r == 0 || (index == run.run.first && !run.is_events)) {
        page->n_records++;
        page->journal->reached = r == 0 ? run.run.first + run.run.n - 1 : index;
        index = page->journal->reached + 1;
    }
    for (; index < run.run.first + run.run.n && !is_full(page); index++) {
        r = add_entry(page, &run, (uint32_t)(index - run.run.first));
        if (r < 0)
            return r;
        page->n_records++;
        page->journal->reached = index;
    }
    return 0;
}

/* A head was signed there? */
static int check_position(struct journal_page *page) {
    struct run run;
    int r;

    if (page->size == 0 || page->size > log_head(page->call->bank->log)->size)
        return REFUSAL_NO_SUCH_POSITION;
    r = runs_find_leaves(page->read, page->size - 1, &run);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    return run.first + run.n == page->size ? 0 : REFUSAL_NO_SUCH_POSITION;
}

static int put_root(struct journal_page *page) {
    struct merkle_range range;
    struct hash root;
    int r = runs_range(page->read, page->size, &range);

    if (r < 0)
        return r;
    root = merkle_range_root(&range);
    return copy(page->call, root.b, sizeof(root.b), &page->journal->root);
}

static int make(struct journal_page *page) {
    int r;

    timebank__journal__init(page->journal);
    r = page->call->request->journal->after == 0 ? put_root(page) : 0;
    page->journal->entries = arena_alloc(page->call->arena, (page->max + 1) * sizeof(void *));
    if (r < 0 || !page->journal->entries)
        return r < 0 ? r : -ENOMEM;
    page->journal->reached = page->call->request->journal->after;
    while (r == 0 && page->journal->reached + 1 < page->size && !is_full(page))
        r = add_run(page);
    page->journal->more = page->journal->reached + 1 < page->size;
    return r;
}

int handle_journal(struct call *call) {
    const Timebank__AskJournal *ask = call->request->journal;
    uint32_t limit = call->bank->settings.page_entries;
    struct journal_page page = {.call = call,
                                .size =
                                    ask->at_size ? ask->at_size : log_head(call->bank->log)->size,
                                .max = ask->max && ask->max < limit ? ask->max : limit,
                                .journal = arena_alloc(call->arena, sizeof(*page.journal))};
    int r = page.journal ? log_read(call->bank->log, &page.read) : -ENOMEM;

    if (r == 0)
        r = check_position(&page);
    if (r > 0 || (r == 0 && ask->after >= page.size))
        return call_refuse(call, REFUSAL_NO_SUCH_POSITION, NULL);
    if (r == 0)
        r = make(&page);
    if (r < 0)
        return r;
    call->response->journal = page.journal;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_JOURNAL;
    return 0;
}
