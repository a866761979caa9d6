/* SPDX-License-Identifier: Apache-2.0 */
/* The register on the socket: which key lists which table, whose rows it sees, and pages of a table
 * that is larger than one. */
#include <string.h>

#include "harness.h"

static void start(void) {
    bank_start_with("gift", "pending", "quantum", "1", NULL);
}

TestSuite(registers, .timeout = STORY_TIMEOUT, .init = start, .fini = bank_end);

#define TABLE(name) TIMEBANK__REGISTER_TABLE__##name

/* y lists it, o of its own account only, n may not. Columns: steward, broker, broker with an
 * account, organisation, venue, member, evaluator, auditor. */
static const struct {
    Timebank__RegisterTable table;
    const char *who;
} tables[] = {
    {TABLE(PENDING), "yyyooonn"},      {TABLE(PERSONS), "yyynnonn"},
    {TABLE(MANDATES), "yyynnonn"},     {TABLE(TRUSTS), "yyyooonn"},
    {TABLE(SAFEGUARDS), "yyynnnnn"},   {TABLE(PROGRAMMES), "yyyynnny"},
    {TABLE(PERIODS), "yyynnnny"},      {TABLE(VOUCHERS_MINTED), "yyyonony"},
    {TABLE(VOUCHER_KEYS), "yyyyyyny"}, {TABLE(LIMITS), "yyyooonn"},
    {TABLE(EXPIRING), "yyynnonn"},     {TABLE(OFFER_SUMS), "yyynonny"},
    {TABLE(LEAVING), "yyynnonn"},      {TABLE(RELEASES), "yyynnnyy"},
};

static const char *own_account(enum actor actor) {
    return actor == GARDEN ? "garden" : actor == POOL ? "pool" : "m12";
}

static const Timebank__Refused *list(enum actor actor, Timebank__RegisterTable table,
                                     const char *code) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_REGISTER);

    request->register_->table = table;
    request->register_->code = text_copy(code);
    request->register_->from_day = TODAY - 30;
    request->register_->to_day = TODAY;
    ask(actor, request);
    return response_refused();
}

static bool may_not(const Timebank__Refused *refused) {
    return refused && refused->refusals[0]->refusal == REFUSAL_NO_AUTHORITY;
}

static void walk(Timebank__RegisterTable table, enum actor actor, char right, const char *name) {
    const char *own = table == TABLE(OFFER_SUMS) ? "pool"
                      : table == TABLE(RELEASES) ? "" /* they are of no account */
                                                 : own_account(actor);

    cr_assert(may_not(list(actor, table, own)) == (right == 'n'), "%s by %s: %s", name,
              actor_name(actor), response_words());
    if (right == 'o')
        cr_assert(may_not(list(actor, table, actor == POOL ? "m12" : "m7")), "%s by %s: %s", name,
                  actor_name(actor), response_words());
}

Test(registers, are_listed_by_whom_they_concern) {
    const ProtobufCEnumDescriptor *all = &timebank__register_table__descriptor;

    for (unsigned i = 0; i < all->n_values; i++) {
        Timebank__RegisterTable table = (Timebank__RegisterTable)all->values[i].value;
        const char *who = NULL;
        if (table == TABLE(REGISTER_NONE))
            continue;
        for (size_t j = 0; j < N_ELEMENTS(tables); j++)
            if (tables[j].table == table)
                who = tables[j].who;
        cr_assert(who, "who may list %s?", all->values[i].name);
        for (int actor = STEWARD; actor <= AUDITOR; actor++)
            walk(table, (enum actor)actor, who[actor], all->values[i].name);
    }
}

Test(registers, refuse_a_table_that_is_none_and_an_account_that_is_none) {
    list(BROKER, TABLE(REGISTER_NONE), "");
    expect_refused(BAD_REQUEST);
    list(BROKER, TABLE(PENDING), "m99");
    expect_refused(NO_SUCH_ACCOUNT);
    list(M12, TABLE(PENDING), "m99");
    expect_refused(NO_AUTHORITY);
}

/* ---- pages */

static Timebank__Order *pending_gift(const char *from, const char *to) {
    Timebank__Order *order = order_move(TIMEBANK__ORDER__KIND_GIFT, from, to, 1);

    order->proposal = true;
    return order;
}

static void give(int n) {
    while (n > 0) {
        struct parcel *parcel = parcel_new(BROKER);
        for (int i = 0; i < 60 && n > 0; i++, n--)
            parcel_put(parcel, n % 3 ? pending_gift("m30", "m7") : pending_gift("m30", "m12"));
        parcel_send(parcel);
        expect_recorded();
    }
}

/* Goes through the pages; how many rows there are, each after the one before. */
static size_t count(enum actor actor, const char *code, uint32_t max) {
    Timebank__Request *request;
    ProtobufCBinaryData mark = {0};
    const Timebank__Register *page;
    size_t n = 0;

    do {
        request = request_new(TIMEBANK__REQUEST__BODY_REGISTER);
        request->register_->table = TABLE(PENDING);
        request->register_->code = text_copy(code);
        request->register_->max = max;
        request->register_->after = mark;
        ask(actor, request);
        page = story.response->register_;
        cr_assert(!response_refused(), "%s", response_words());
        cr_assert(page->n_rows <= max && (page->more == false || page->n_rows == max));
        for (size_t i = 0; i < page->n_rows; i++) {
            cr_assert(mark.len == 0 ||
                      (mark.len == 8 && memcmp(page->rows[i]->mark.data, mark.data, 8) > 0));
            mark = page->rows[i]->mark;
        }
        n += page->n_rows;
    } while (page->more);
    return n;
}

Test(registers, come_in_pages_that_leave_out_nothing) {
    give(400);
    cr_assert_eq(count(BROKER, "", 100), 400);
    cr_assert_eq(count(BROKER, "", 7), 400);
    cr_assert_eq(count(BROKER, "", 1), 400);
    cr_assert_eq(count(BROKER, "m7", 50), 267);
    cr_assert_eq(count(M12, "", 50), 133);
    cr_assert_eq(count(M12, "m12", 50), 133);
    cr_assert_eq(count(GARDEN, "", 50), 0);
}
