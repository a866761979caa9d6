/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: every entry in order with what it did to every account, at a signed position. */
#include <string.h>

#include "harness.h"

TestSuite(journal, .timeout = STORY_TIMEOUT, .init = bank_start, .fini = bank_end);

static const Timebank__Journal *ask_journal(enum actor actor, uint64_t after, uint64_t size,
                                            uint32_t max) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_JOURNAL);
    request->journal->after = after;
    request->journal->at_size = size;
    request->journal->max = max;
    ask(actor, request);
    return story.response->journal;
}

static int64_t leg(const Timebank__JournalEntry *entry, const char *code) {
    for (size_t i = 0; i < entry->n_accounts; i++)
        if (strcmp(entry->accounts[i], code) == 0)
            return entry->minutes[i];
    return 0;
}

static void expect_balanced(const Timebank__JournalEntry *entry) {
    int64_t sum = 0;
    cr_assert(entry->n_minutes == entry->n_accounts && entry->n_account_kinds == entry->n_accounts);
    for (size_t i = 0; i < entry->n_minutes; i++)
        sum += entry->minutes[i];
    cr_assert(sum == 0);
}

static const Timebank__JournalEntry *last_entry(void) {
    const Timebank__Journal *journal = ask_journal(BROKER, 0, 0, 0);
    cr_assert(!response_refused() && journal->n_entries > 0 && !journal->more, "%s",
              response_words());
    expect_balanced(journal->entries[journal->n_entries - 1]);
    return journal->entries[journal->n_entries - 1];
}

Test(journal, an_entry_comes_with_its_legs_its_author_and_its_day) {
    recorded(BROKER, order_helps("m7", "m12", 90));
    const Timebank__JournalEntry *entry = last_entry();
    cr_assert(leg(entry, "m7") == 90 && leg(entry, "m12") == -90 && entry->n_accounts == 2);
    cr_assert(entry->order.len > 0 && entry->event.len == 0 && entry->target == 0);
    cr_assert(entry->author.len == SSHSIG_PUBLIC_BYTES);
    cr_assert(memcmp(entry->author.data, actor_key(BROKER), SSHSIG_PUBLIC_BYTES) == 0);
    cr_assert(entry->account_kinds[0] == TIMEBANK__ACCOUNT_KIND__MEMBER);
}

Test(journal, a_reversal_names_what_it_takes_back) {
    Timebank__Order *helps = order_helps("m7", "m12", 90);
    struct parcel *helped = submit(BROKER, helps);
    expect_recorded();
    recorded(BROKER, order_reverse(helps, 30));
    const Timebank__JournalEntry *entry = last_entry();
    cr_assert(entry->target == helped->entries[0] && entry->target_order.len > 0);
    cr_assert(leg(entry, "m7") == -30 && leg(entry, "m12") == 30);
}

Test(journal, the_register_is_passed_over) {
    uint64_t reached;
    recorded(BROKER, order_open("x1", TIMEBANK__ACCOUNT_KIND__MEMBER));
    recorded(BROKER, order_open("x2", TIMEBANK__ACCOUNT_KIND__MEMBER));
    const Timebank__Journal *journal = ask_journal(BROKER, 0, 0, 0);
    for (size_t i = 0; i < journal->n_entries; i++)
        cr_assert(journal->entries[i]->n_accounts > 0);
    reached = journal->reached;
    cr_assert(!journal->more && reached == story.head.size - 1);
}

Test(journal, pages_of_one_hold_what_one_page_holds) {
    uint64_t entries[64], after = 0;
    size_t n = 0;
    for (unsigned i = 1; i < 12; i++)
        recorded(BROKER, order_helps("m7", "m12", 15 * i));
    uint64_t size = story.head.size;
    const Timebank__Journal *journal = ask_journal(STEWARD, 0, size, 0);
    cr_assert(journal->n_entries < 64 && !journal->more);
    for (; n < journal->n_entries; n++)
        entries[n] = journal->entries[n]->entry;
    for (size_t i = 0; i < n; i++) {
        journal = ask_journal(AUDITOR, after, size, 1);
        cr_assert(journal->n_entries == 1 && journal->entries[0]->entry == entries[i]);
        cr_assert(journal->reached >= entries[i] && (journal->root.len > 0) == (after == 0));
        after = journal->reached;
    }
}

Test(journal, an_earlier_position_has_the_entries_of_then) {
    recorded(BROKER, order_helps("m7", "m12", 15));
    uint64_t size = story.head.size;
    struct hash root = story.head.root;
    size_t n = ask_journal(BROKER, 0, 0, 0)->n_entries;
    recorded(BROKER, order_helps("m7", "m12", 30));
    const Timebank__Journal *journal = ask_journal(BROKER, 0, size, 0);
    cr_assert(journal->n_entries == n && journal->reached < size);
    cr_assert(journal->root.len == HASH_BYTES &&
              memcmp(journal->root.data, root.b, HASH_BYTES) == 0);
}

Test(journal, no_position_is_made_up) {
    recorded(BROKER, order_helps("m7", "m12", 15));
    ask_journal(BROKER, 0, story.head.size + 1, 0);
    expect_refused(NO_SUCH_POSITION);
    ask_journal(BROKER, 0, UINT64_MAX, 0);
    expect_refused(NO_SUCH_POSITION);
    ask_journal(BROKER, story.head.size, 0, 0);
    expect_refused(NO_SUCH_POSITION);
    ask_journal(BROKER, UINT64_MAX, 0, 0);
    expect_refused(NO_SUCH_POSITION);
    struct parcel *parcel = parcel_new(BROKER);
    parcel_put(parcel, order_helps("m7", "m12", 45));
    parcel_put(parcel, order_helps("m7", "m12", 60));
    parcel_send(parcel);
    expect_recorded();
    ask_journal(BROKER, 0, parcel->entries[1], 0); /* in the middle of the batch */
    expect_refused(NO_SUCH_POSITION);
}

Test(journal, all_legs_add_up_to_the_balances) {
    int64_t m7 = 0, m12 = 0;
    Timebank__Order *helps = order_helps("m7", "m12", 90);
    recorded(BROKER, helps);
    recorded(BROKER, order_helps("m12", "m7", 45));
    recorded(BROKER, order_reverse(helps, 0));
    const Timebank__Journal *journal = ask_journal(BROKER, 0, 0, 0);
    for (size_t i = 0; i < journal->n_entries; i++) {
        expect_balanced(journal->entries[i]);
        m7 += leg(journal->entries[i], "m7");
        m12 += leg(journal->entries[i], "m12");
    }
    cr_assert(m7 == balance_of("m7") && m12 == balance_of("m12"));
}
