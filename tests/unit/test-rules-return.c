/* SPDX-License-Identifier: Apache-2.0 */
/* A venue's return beside the ledger's figures, and what is retired. Books open on 5 March 2025. */
#include "books.h"
#include "daemon/rules.h"

#include <stdio.h>
#include <string.h>

static void open_books(void) {
    books_open();
    as("broker");
}

TestSuite(venue_return, .timeout = 30, .init = open_books, .fini = books_close);
TestSuite(retire, .timeout = 30, .init = open_books, .fini = books_close);

#define LINES_MAX 4
static char *offers[LINES_MAX];
static uint64_t heads[LINES_MAX], minutes[LINES_MAX];
static Timebank__VenueReturn *given;

static Timebank__Order *returns(const char *venue, const char *from, const char *to) {
    Timebank__Order *order = ENTER(venue_return, VENUE_RETURN, venue, "", 0);
    given = order->venue_return;
    given->from_day = on(from);
    given->to_day = on(to);
    given->offers = offers;
    given->heads = heads;
    given->minutes = minutes;
    return order;
}

static void line(const char *offer, uint64_t n_heads, uint64_t n_minutes) {
    size_t i = given->n_offers;
    offers[i] = (char *)offer;
    heads[i] = n_heads;
    minutes[i] = n_minutes;
    given->n_offers = given->n_heads = given->n_minutes = i + 1;
}

/* Three swims and a sauna in February, one swim taken back, one in March. */
static void february(void) {
    set_offer("swim", "sauna", 30);
    done();
    on_day(redeem("m1", "swim", 2, 120), on("2025-02-03"));
    on_day(redeem("m2", "swim", 1, 60), on("2025-02-28"));
    Timebank__Order *wrong = on_day(redeem("m3", "swim", 5, 300), on("2025-02-28"));
    on_day(redeem("m3", "swim", 1, 60), on("2025-03-01"));
    on_day(redeem("m2", "swim", 1, 30), on("2025-02-10"))->redeem->offer = "sauna";
    done();
    reverse(wrong, 0);
    done();
}

Test(venue_return, that_agrees_line_by_line_is_recorded) {
    february();
    as("swim-key");
    returns("swim", "2025-02-01", "2025-02-28");
    line("swim", 3, 180);
    line("sauna", 1, 30);
    done();
    cr_assert_eq(balance("swim"), 270);
}

Test(venue_return, that_differs_names_every_line_with_both_figures) {
    february();
    as("swim-key");
    returns("swim", "2025-02-01", "2025-02-28");
    line("swim", 8, 480);
    line("spa", 1, 60);
    refused(RETURN_DIFFERS);
    says("sauna: 1 head and 30 min in the ledger, 0 heads and 0 min in the return; "
         "spa: 0 heads and 0 min in the ledger, 1 head and 1 h in the return; "
         "swim: 3 heads and 3 h in the ledger, 8 heads and 8 h in the return: "
         "check these lines, or ask a broker.");
}

Test(venue_return, that_differs_is_insisted_on_by_a_broker_with_a_reason) {
    february();
    returns("swim", "2025-02-01", "2025-02-28")->override = OVERRIDES_RULES;
    refused(NEEDS_WHY);
    with_why(returns("swim", "2025-02-01", "2025-02-28"), OVERRIDES_RULES);
    line("swim", 3, 180);
    warned(RETURN_DIFFERS);
    says("sauna: 1 head and 30 min in the ledger, 0 heads and 0 min in the return.");
    as("swim-key");
    with_why(returns("swim", "2025-02-01", "2025-02-28"), OVERRIDES_RULES);
    refused(NO_AUTHORITY);
}

Test(venue_return, may_be_of_several_months_that_are_over) {
    february();
    returns("swim", "2025-01-01", "2025-03-31");
    refused(FUTURE_DATE);
    wait_days(26); /* the last day of March */
    returns("swim", "2025-01-01", "2025-03-31");
    line("sauna", 1, 30);
    line("swim", 4, 240);
    done();
}

Test(venue_return, is_of_whole_months) {
    returns("swim", "2025-02-02", "2025-02-28");
    refused(BAD_DATE);
    returns("swim", "2025-02-01", "2025-02-27");
    refused(BAD_DATE);
    returns("swim", "2025-02-01", "2025-01-31");
    refused(BAD_DATE);
    returns("swim", "2015-02-01", "2025-02-28");
    refused(BAD_DATE);
    returns("swim", "2025-02-01", "2025-02-28");
    done();
}

Test(venue_return, has_one_line_for_an_offer) {
    returns("swim", "2025-02-01", "2025-02-28");
    line("swim", 0, 0);
    line("swim", 0, 0);
    refused(DUPLICATE_ROW);
    returns("swim", "2025-02-01", "2025-02-28")->venue_return->n_heads = 1;
    refused(NOT_CANONICAL);
}

/* What a venue's key sends is not what its desk would. */
Test(venue_return, with_names_that_no_offer_can_have_is_refused) {
    char name[200];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    as("swim-key");
    returns("swim", "2025-02-01", "2025-02-28");
    line(name, 1, 60);
    refused(BAD_TEXT);
    returns("swim", "2025-02-01", "2025-02-28");
    line("", 0, 0);
    done();
}

Test(venue_return, has_no_more_lines_than_anybody_reads) {
    static char names[3000][8];
    static char *lists[3000];
    static uint64_t zeros[3000];
    for (size_t i = 0; i < 3000; i++) {
        snprintf(names[i], sizeof(names[i]), "o%zu", i);
        lists[i] = names[i];
    }
    as("swim-key");
    returns("swim", "2025-02-01", "2025-02-28");
    given->offers = lists;
    given->heads = given->minutes = zeros;
    given->n_offers = given->n_heads = given->n_minutes = 3000;
    refused(BAD_NUMBER);
    returns("swim", "2025-02-01", "2025-02-28");
    given->offers = lists;
    given->heads = given->minutes = zeros;
    given->n_offers = given->n_heads = given->n_minutes = 1000;
    done();
}

Test(venue_return, is_a_venues_own) {
    as("steward");
    open_account("gym", TIMEBANK__ACCOUNT_KIND__VENUE);
    done();
    as("swim-key");
    returns("gym", "2025-02-01", "2025-02-28");
    refused(NO_AUTHORITY);
    as("m1-key");
    returns("swim", "2025-02-01", "2025-02-28");
    refused(NO_AUTHORITY);
    as("broker");
    returns("m1", "2025-02-01", "2025-02-28");
    refused(WRONG_KIND);
    returns("gym", "2025-02-01", "2025-02-28");
    done();
}

Test(retire, takes_what_a_venue_accepted_out_of_circulation) {
    february();
    ENTER(retire, RETIRE, "swim", "retired", 200);
    done();
    cr_assert_eq(balance("swim"), 70);
    cr_assert_eq(balance("retired"), 200);
    Timebank__Order *more = ENTER(retire, RETIRE, "swim", "retired", 71);
    refused(BELOW_FLOOR);
    more = ENTER(retire, RETIRE, "swim", "retired", 70);
    done();
    reverse(more, 0);
    done();
    cr_assert_eq(balance("swim"), 70);
}

Test(retire, may_stand_in_one_batch_with_the_return) {
    february();
    returns("swim", "2025-02-01", "2025-02-28");
    line("swim", 4, 180);
    line("sauna", 1, 30);
    ENTER(retire, RETIRE, "swim", "retired", 210);
    cr_assert_eq(submit(), 1); /* the return: nothing is retired */
    cr_assert_eq(balance("swim"), 270);
    returns("swim", "2025-02-01", "2025-02-28");
    line("swim", 3, 180);
    line("sauna", 1, 30);
    ENTER(retire, RETIRE, "swim", "retired", 210);
    done();
    cr_assert_eq(balance("swim"), 60);
}

Test(retire, is_a_brokers) {
    february();
    as("swim-key");
    ENTER(retire, RETIRE, "swim", "retired", 60);
    refused(NO_AUTHORITY);
}
