/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of a bank that tells the truth, and what no bank may say of one, not believed. */
#include <errno.h>

#include "client-state.h"
#include "fake-bank.h"
#include "helpers.h"
#include "proto/record.h"
#include "timebank.h"

enum lie {
    HONEST,
    UNBALANCED,    /* legs that do not sum to 0 */
    OVERFLOWING,   /* or cannot be summed */
    UNEVEN,        /* fewer minutes than accounts */
    NO_KINDS,      /* accounts without their kinds */
    OTHER_CODE,    /* an account that no account is called */
    BACKWARDS,     /* the same entry twice */
    BEYOND,        /* an entry behind what was reached */
    PAST_POSITION, /* reached more than the position has */
    ENDLESS,       /* more, and nothing further reached */
    NO_ROOT,       /* the first page without its root */
    OTHER_ROOT,    /* of the newest position */
    NO_ORDER,      /* neither order nor event */
    BOTH,          /* order and event */
    NO_AUTHOR,     /* an order that nobody signed */
    EVENT_OF_NONE, /* an event that follows from nothing */
    UNREADABLE,    /* an order that is none */
    N_LIES,
    OTHER_RANGE, /* a hash that leads to an earlier position is another */
    SHORT_RANGE, /* or is cut off */
};

#define N_RECORDS 9

static struct fake_bank fake;
static struct tb_bank *bank;
static atomic_int lie;
static unsigned n_pages;

static struct {
    Timebank__Journal journal;
    Timebank__JournalEntry items[3];
    Timebank__JournalEntry *list[3];
    char *accounts[2];
    int64_t minutes[2];
    uint32_t kinds[2];
    uint8_t author[32];
    struct hash root;
    struct bytes order, event, hashes;
    Timebank__Hashes ranges;
} told;

static void order_make(void) {
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    Timebank__Exchange exchange = TIMEBANK__EXCHANGE__INIT;
    Timebank__Event event = TIMEBANK__EVENT__INIT;
    uint8_t id[ORDER_ID_BYTES] = {1};
    order.id = (ProtobufCBinaryData){.len = sizeof(id), .data = id};
    order.from = "m1";
    order.to = "m2";
    order.minutes = 30;
    order.service_day = 20000;
    order.kind_case = TIMEBANK__ORDER__KIND_EXCHANGE;
    order.exchange = &exchange;
    bytes_clear(&told.order);
    timebank__order__pack(&order,
                          bytes_reserve(&told.order, timebank__order__get_packed_size(&order)));
    event.ledger_time_ms = 1700000000000;
    event.kind = TIMEBANK__EVENT_KIND__CLAIM_ACCEPTED;
    event.follows = order.id;
    bytes_clear(&told.event);
    timebank__event__pack(&event,
                          bytes_reserve(&told.event, timebank__event__get_packed_size(&event)));
}

static ProtobufCBinaryData binary(void *data, size_t n) {
    return (ProtobufCBinaryData){.len = n, .data = data};
}

static void entry_put(size_t i, uint64_t number) {
    Timebank__JournalEntry *entry = &told.items[i];
    timebank__journal_entry__init(entry);
    entry->entry = number;
    entry->order = binary(told.order.data, told.order.n);
    entry->author = binary(told.author, sizeof(told.author));
    entry->accounts = told.accounts;
    entry->minutes = told.minutes;
    entry->account_kinds = told.kinds;
    entry->n_accounts = entry->n_minutes = entry->n_account_kinds = 2;
    told.list[i] = entry;
}

/* An event that follows from the exchange. */
static void event_put(size_t i, uint64_t number) {
    Timebank__JournalEntry *entry = &told.items[i];
    entry_put(i, number);
    entry->order = entry->author = binary(NULL, 0);
    entry->event = binary(told.event.data, told.event.n);
    entry->target = 3;
    entry->target_order = binary(told.order.data, told.order.n);
}

static void spoil(uint64_t after) {
    Timebank__JournalEntry *first = &told.items[0];
    Timebank__Journal *page = &told.journal;
    told.minutes[1] = lie == UNBALANCED ? 31 : lie == OVERFLOWING ? INT64_MIN : 30;
    told.minutes[0] = lie == OVERFLOWING ? INT64_MIN : -30;
    first->n_minutes -= lie == UNEVEN;
    first->n_account_kinds -= lie == NO_KINDS;
    told.accounts[0] = lie == OTHER_CODE ? "m1\nm2" : "m1";
    if (lie == BACKWARDS)
        told.items[1].entry = first->entry;
    if (lie == BEYOND)
        told.items[1].entry = page->reached + 1;
    if (lie == PAST_POSITION)
        page->reached = fake.n_leaves;
    if (lie == ENDLESS) {
        page->more = true;
        page->reached = after;
        page->n_entries = 0;
    }
    if (lie == NO_ROOT)
        page->root.len = 0;
    told.root.b[3] ^= lie == OTHER_ROOT;
    if (lie == NO_ORDER)
        first->order.len = 0;
    if (lie == BOTH)
        first->event = binary(told.event.data, told.event.n);
    first->author.len -= lie == NO_AUTHOR ? first->author.len : 0;
    if (lie == EVENT_OF_NONE) {
        event_put(0, first->entry);
        first->target_order.len = 0;
    }
    if (lie == UNREADABLE)
        first->order = binary("\xff\xff", 2);
}

static int tree_lookup(void *user, unsigned level, uint64_t index, struct hash *ret) {
    (void)user;
    *ret = merkle_root(fake.leaves + (index << level), (uint64_t)1 << level);
    return 1;
}

static bool tell_ranges(const Timebank__AskRanges *ask, Timebank__Response *response) {
    struct merkle_range range;
    cr_assert(merkle_prove_range(tree_lookup, NULL, ask->begin, ask->end, &range) == 0);
    bytes_clear(&told.hashes);
    bytes_put(&told.hashes, range.hashes, range.n_hashes * HASH_BYTES);
    told.hashes.data[5] ^= lie == OTHER_RANGE;
    timebank__hashes__init(&told.ranges);
    told.ranges.hashes = binary(told.hashes.data, told.hashes.n - (lie == SHORT_RANGE));
    response->body_case = TIMEBANK__RESPONSE__BODY_RANGES;
    response->ranges = &told.ranges;
    return true;
}

/* Two pages: the entries 3 and 4, then an event, 6. */
static bool answer(struct fake_bank *asked, const Timebank__Request *request,
                   Timebank__Response *response) {
    const Timebank__AskJournal *ask = request->journal;
    Timebank__Journal *page = &told.journal;
    (void)asked;
    if (request->body_case == TIMEBANK__REQUEST__BODY_RANGES)
        return tell_ranges(request->ranges, response);
    if (request->body_case != TIMEBANK__REQUEST__BODY_JOURNAL)
        return false;
    n_pages++;
    timebank__journal__init(page);
    page->entries = told.list;
    page->more = ask->after == 0;
    page->reached = ask->after == 0 ? 5 : ask->at_size - 1;
    page->n_entries = ask->after == 0 ? 2 : 1;
    if (ask->after == 0) {
        entry_put(0, 3);
        entry_put(1, 4);
        told.root = merkle_root(fake.leaves, ask->at_size);
        page->root = binary(told.root.b, HASH_BYTES);
    } else {
        event_put(0, 6);
    }
    spoil(ask->after);
    response->body_case = TIMEBANK__RESPONSE__BODY_JOURNAL;
    response->journal = page;
    return true;
}

static void setup(void) {
    static char key[CLIENT_PATH_BYTES], state[CLIENT_PATH_BYTES];
    fake_bank_start(&fake);
    while (fake.n_leaves < N_RECORDS) {
        fake.leaves[fake.n_leaves] = merkle_leaf("record", 6);
        fake.n_leaves++;
    }
    fake.answer = answer;
    lie = HONEST;
    n_pages = 0;
    told.accounts[0] = "m1";
    told.accounts[1] = "m2";
    told.kinds[0] = told.kinds[1] = TB_ACCOUNT_MEMBER;
    order_make();
    client_state_begin(fake.directory, state, key);
    bank = client_state_bank(state, key, 5000);
    int r = tb_bank_open(bank, fake.address);
    cr_assert(r == 0, "%d %s", r, tb_bank_message(bank));
}

static void teardown(void) {
    bank = tb_bank_free(bank);
    fake_bank_fini(&fake);
    bytes_fini(&told.order);
    bytes_fini(&told.event);
    bytes_fini(&told.hashes);
    told.order = told.event = told.hashes = (struct bytes){};
}

TestSuite(lib_journal, .timeout = 30, .init = setup, .fini = teardown);

Test(lib_journal, goes_page_after_page_at_one_position) {
    struct tb_list *list = NULL;
    const struct tb_journal_entry *entry;
    uint64_t size = 0, seen[4] = {0};
    uint8_t root[32];
    size_t n = 0;
    cr_assert(tb_journal_begin(bank, 0, &list) == 0);
    cr_assert(tb_journal_position(list, &size, root) == 0);
    cr_assert(size == N_RECORDS && memcmp(root, told.root.b, sizeof(root)) == 0);
    while ((entry = tb_journal_next(list)) && n < 4) {
        cr_assert(entry->n_legs == 2 && entry->minutes[0] + entry->minutes[1] == 0);
        cr_assert(strcmp(entry->accounts[0], "m1") == 0);
        cr_assert((entry->event == TB_EVENT_CLAIM_ACCEPTED) == (entry->entry == 6));
        cr_assert((entry->event ? entry->target : entry->order).kind == TB_EXCHANGE);
        seen[n++] = entry->entry;
    }
    cr_assert(tb_list_end(list) == 0, "%s", tb_bank_message(bank));
    cr_assert(n == 3 && seen[0] == 3 && seen[1] == 4 && seen[2] == 6 && n_pages == 2);
}

static int count(void *user, const struct tb_journal_entry *entry) {
    (void)entry;
    ++*(unsigned *)user;
    return 0;
}

Test(lib_journal, takes_no_page_that_no_bank_sends) {
    for (int i = HONEST + 1; i < N_LIES; i++) {
        unsigned n = 0;
        lie = i;
        int r = tb_journal_list(bank, 0, count, &n);
        cr_assert(r == -EPROTO, "lie %d: %d %s", i, r, tb_bank_message(bank));
        cr_assert(*tb_bank_message(bank) != '\0' && n_pages < 100);
    }
    lie = HONEST;
    unsigned n = 0;
    cr_assert(tb_journal_list(bank, 0, count, &n) == 0 && n == 3);
}

static int position_of(uint64_t at_size) {
    struct tb_list *list = NULL;
    uint64_t size = 0;
    uint8_t root[32];
    cr_assert(tb_journal_begin(bank, at_size, &list) == 0);
    int r = tb_journal_position(list, &size, root);
    if (r == 0)
        cr_assert(size == at_size && memcmp(root, told.root.b, sizeof(root)) == 0);
    tb_list_end(list);
    return r;
}

Test(lib_journal, an_earlier_position_is_proven_to_be_of_the_ledger) {
    for (uint64_t size = 7; size <= N_RECORDS; size++)
        cr_assert(position_of(size) == 0, "%s", tb_bank_message(bank));
    static const int lies[] = {OTHER_ROOT, OTHER_RANGE, SHORT_RANGE};
    for (size_t i = 0; i < 3; i++) {
        lie = lies[i];
        int r = position_of(7);
        cr_assert(r == -EBADMSG || (r == -EPROTO && lie == SHORT_RANGE), "%d %s", r,
                  tb_bank_message(bank));
    }
}

Test(lib_journal, a_slip_of_the_caller_is_told) {
    struct tb_list *list = NULL;
    uint64_t size;
    uint8_t root[32];
    cr_assert(tb_journal_begin(NULL, 0, &list) == -EINVAL);
    cr_assert(tb_journal_list(bank, 0, NULL, NULL) == -EINVAL);
    cr_assert(tb_journal_position(NULL, &size, root) == -EINVAL);
}
