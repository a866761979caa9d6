/* SPDX-License-Identifier: Apache-2.0 */
/* What waits is kept by the order that opened it: opened, found again by its id, ended once. */
#include "books.h"
#include "daemon/rules.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"

static struct state *above;
static struct arena arena;
static struct ledger_batch batch;
static struct ledger_author author;
static struct ledger_effect effect;
static Timebank__Order *order;

static void start(void) {
    books_open();
    order = exchange("m1", "m2", 60);
    done();
    above = state_new_above(books_state);
    arena_init(&arena, 1024 * 1024);
    batch = (struct ledger_batch){.author = &author,
                                  .received_at_ms = books_now_ms,
                                  .first = books_state->sums.size + 1,
                                  .n = 1,
                                  .orders = &order,
                                  .effects = &effect,
                                  .arena = &arena};
}

static void end(void) {
    ledger_batch_fini(&batch);
    above = state_free(above);
    arena_fini(&arena);
    books_close();
}

TestSuite(pending, .timeout = 30, .init = start, .fini = end);

/* The order of the books, judged once more under a number of its own. */
static struct rule rule_at(uint64_t index) {
    return (struct rule){.state = above,
                         .batch = &batch,
                         .index = index,
                         .today = today(),
                         .order = order,
                         .kind = kind_find(order->kind_case),
                         .arena = &arena};
}

static const struct state_pending *pending_at(uint64_t entry) {
    uint8_t key[8];
    be64_put(key, entry);
    return state_get(above, STATE_PENDINGS, key, sizeof(key), NULL);
}

static int find(uint32_t whats, struct state_pending **ret) {
    struct rule rule = rule_at(batch.first + 5);
    const Timebank__Order *found;
    uint64_t entry = 0;
    int r = rules_pending_find(&rule, &order->id, whats, ret, &found, &entry);
    if (r == 0) {
        cr_assert_eq(entry, books_entry[0]);
        cr_assert(found->minutes == 60 && strcmp(found->to, "m2") == 0);
    }
    return r;
}

#define CLAIM (1u << PENDING_CLAIM)
#define GIFT (1u << PENDING_GIFT)

Test(pending, is_opened_under_the_number_of_its_order) {
    struct rule rule = rule_at(books_entry[0]);
    cr_assert(rules_pending_open(&rule, PENDING_CLAIM, 60, "m1", "m2", 77, books_entry[0]) == 0);
    const struct state_pending *pending = pending_at(books_entry[0]);
    cr_assert(pending && pending->what == PENDING_CLAIM && !pending->is_over);
    cr_assert(pending->minutes == 60 && pending->due_ms == 77 && pending->entry == books_entry[0]);
    cr_assert_str_eq(pending->from, "m1");
    cr_assert_str_eq(pending->to, "m2");
    cr_assert(memcmp(pending->id, order->id.data, ORDER_ID_BYTES) == 0);
    cr_assert(memcmp(pending->author, author.key, SSHSIG_PUBLIC_BYTES) == 0);
}

Test(pending, is_found_by_the_id_of_its_order_until_it_is_over) {
    struct rule rule = rule_at(books_entry[0]), later = rule_at(batch.first + 5);
    struct state_pending *pending = NULL;
    cr_assert(rules_pending_open(&rule, PENDING_CLAIM, 60, "m1", "m2", 77, books_entry[0]) == 0);
    cr_assert(find(CLAIM | GIFT, &pending) == 0);
    cr_assert(find(GIFT, &pending) == REFUSAL_NOT_WAITING);
    rules_pending_end(&later, pending, OUTCOME_DECLINED);
    cr_assert(pending->is_over && pending->outcome == OUTCOME_DECLINED);
    cr_assert(pending->ended == batch.first + 5 && pending->ended_day == today());
    cr_assert(find(CLAIM, &pending) == REFUSAL_NOT_WAITING);
}

Test(pending, is_not_found_where_nothing_waits) {
    struct state_pending *pending;
    struct rule rule = rule_at(batch.first + 5);
    const Timebank__Order *found;
    uint8_t unknown[ORDER_ID_BYTES] = {9};
    uint64_t entry;
    cr_assert(find(~0u, &pending) == REFUSAL_NOT_WAITING);
    ProtobufCBinaryData id = {sizeof(unknown), unknown};
    cr_assert(rules_pending_find(&rule, &id, ~0u, &pending, &found, &entry) ==
              REFUSAL_NO_SUCH_ENTRY);
    id.len = 0;
    cr_assert(rules_pending_find(&rule, &id, ~0u, &pending, &found, &entry) ==
              REFUSAL_NO_SUCH_ENTRY);
}

Test(pending, reads_its_order_from_the_log_or_from_the_batch_that_is_judged) {
    struct rule rule = rule_at(batch.first);
    const Timebank__Order *found = NULL;
    uint64_t received_at_ms = 0;
    cr_assert(rules_pending_order(&rule, batch.first, &found, &received_at_ms) == 0);
    cr_assert(found == order && received_at_ms == books_now_ms);
    cr_assert(rules_pending_order(&rule, books_entry[0], &found, &received_at_ms) == 0);
    cr_assert(found != order && found->minutes == order->minutes);
    cr_assert(rules_pending_order(&rule, 1, &found, &received_at_ms) == -EUCLEAN);
}

Test(pending, falls_due_as_its_last_day_ends) {
    struct rule rule = rule_at(batch.first);
    cr_assert_eq(rules_pending_due(&rule, "gift-days"), ((uint64_t)today() + 31) * MS_PER_DAY);
}
