/* SPDX-License-Identifier: Apache-2.0 */
/* Statements: newest first, in pages, and nothing left out, against a list kept by the story. */
#include <string.h>

#include "harness.h"

TestSuite(statements, .timeout = STORY_TIMEOUT, .init = bank_start, .fini = bank_end);

/* What m7's statement must show, oldest first. */
static struct {
    uint64_t entry;
    int64_t minutes;
    int64_t after;
} wanted[64];
static size_t n_wanted;
static int64_t balance;

static void note(enum actor author, Timebank__Order *order, int64_t minutes) {
    struct parcel *parcel = submit(author, order);

    expect_recorded();
    balance += minutes;
    wanted[n_wanted].entry = parcel->entries[0];
    wanted[n_wanted].minutes = minutes;
    wanted[n_wanted++].after = balance;
}

static Timebank__Order *logged(const char *from, const char *to) {
    return order_move(TIMEBANK__ORDER__KIND_LOG, from, to, 45);
}

static void a_busy_week_of_m7(void) {
    Timebank__Order *helped, *hours;

    for (uint32_t i = 0; i < 4; i++) {
        helped = order_helps("m7", "m12", 30);
        helped->service_day -= i;
        note(BROKER, helped, 30);
        recorded(BROKER, order_move(TIMEBANK__ORDER__KIND_GIFT, "m12", "m30", 15));
    }
    note(BROKER, order_reverse(helped, 15), -15);
    hours = logged("garden", "m7");
    note(BROKER, hours, 0);
    note(BROKER, order_reverse(hours, 0), 0);
    note(BROKER, order_move(TIMEBANK__ORDER__KIND_EARN, "garden", "m7", 60), 60);
    note(BROKER, order_move(TIMEBANK__ORDER__KIND_DONATE, "m7", "chest", 15), -15);
    note(POOL, order_redeem("m7", "swim", 2, 120), -120);
    bank_restart();
    note(BROKER, order_move(TIMEBANK__ORDER__KIND_GRANT, "issued", "m7", 60), 60);
    note(BROKER, order_helps("m30", "m7", 75), -75);
    recorded(BROKER, order_helps("m30", "m12", 75));
}

static const Timebank__Statement *statement_of(enum actor actor, const char *code, uint64_t before,
                                               uint32_t max) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_STATEMENT);

    request->statement->code = text_copy(code);
    request->statement->before = before;
    request->statement->max = max;
    ask(actor, request);
    cr_assert(!response_refused(), "%s", response_words());
    return story.response->statement;
}

Test(statements, show_every_entry_once_on_pages_of_any_size) {
    a_busy_week_of_m7();
    expect_balance("m7", balance);
    for (uint32_t max = 1; max <= n_wanted + 1; max++) {
        const Timebank__Statement *page = NULL;
        uint64_t before = 0;
        size_t i = n_wanted;
        do {
            page = statement_of(BROKER, "m7", before, max);
            cr_assert(page->n_lines <= max);
            for (size_t j = 0; j < page->n_lines; j++) {
                const Timebank__StatementLine *line = page->lines[j];
                cr_assert(i-- > 0);
                cr_assert(line->entry == wanted[i].entry && line->minutes == wanted[i].minutes &&
                              line->after == wanted[i].after,
                          "line %d: entry %d of %d after %d, wanted %d of %d after %d", (int)i,
                          (int)line->entry, (int)line->minutes, (int)line->after,
                          (int)wanted[i].entry, (int)wanted[i].minutes, (int)wanted[i].after);
                before = line->entry;
            }
        } while (page->more);
        cr_assert(i == 0, "%d lines are missing", (int)i);
    }
}

Test(statements, tell_target_and_what_was_taken_back) {
    Timebank__Order *helped = order_helps("m7", "m12", 60);
    const Timebank__Statement *page;
    struct parcel *parcel = submit(BROKER, helped);

    recorded(BROKER, order_reverse(helped, 15));
    recorded(BROKER, order_reverse(helped, 30));
    page = statement_of(BROKER, "m12", 0, 0);
    cr_assert(page->n_lines == 3 && !page->more);
    cr_assert(page->lines[0]->target == parcel->entries[0] && page->lines[0]->minutes == 30);
    cr_assert(page->lines[2]->target == 0 && page->lines[2]->reversed_minutes == 45);
    cr_assert(page->lines[2]->author_role == TIMEBANK__ROLE__BROKER);
    cr_assert(memcmp(page->lines[2]->author.data, actor_key(BROKER), 32) == 0);
}

Test(statements, of_an_account_without_entries_are_empty) {
    cr_assert(statement_of(BROKER, "m30", 0, 0)->n_lines == 0);
}

Test(statements, begin_at_entries_of_the_account_only) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_STATEMENT);
    struct parcel *other = submit(BROKER, order_helps("m30", "m12", 30));

    m7_helps("m12", 30);
    request->statement->code = text_copy("m7");
    request->statement->before = other->entries[0];
    ask(BROKER, request);
    expect_refused(NO_SUCH_ENTRY);
    request->statement->before = 1ull << 62; /* a number out of a dry run */
    ask(BROKER, request);
    expect_refused(NO_SUCH_ENTRY);
    request->statement->before = 1; /* a state record */
    ask(BROKER, request);
    expect_refused(NO_SUCH_ENTRY);
}

Test(statements, are_a_members_own) {
    const Timebank__Statement *page;
    struct parcel *parcel = parcel_new(BROKER);

    parcel_put_why(parcel, order_helps("m7", "m12", 30), "her knee");
    parcel_send(parcel);
    page = statement_of(M12, "m12", 0, 0);
    cr_assert(page->n_lines == 1 && page->lines[0]->minutes == -30);
    cr_assert_str_eq(page->lines[0]->why, "");
    page = statement_of(BROKER, "m12", 0, 0);
    cr_assert_str_eq(page->lines[0]->why, "her knee");
}
