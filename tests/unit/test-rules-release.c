/* SPDX-License-Identifier: Apache-2.0 */
/* Reports that left the bank, and evaluators' keys, one sentence each. */
#include "books.h"

#include <string.h>

#include "base/bytes.h"
#include "daemon/rules.h"

static void open_books(void) {
    books_open();
    as("steward");
    grant_key("funder-key", TIMEBANK__ROLE__EVALUATOR, "");
    grant_key("public-key", TIMEBANK__ROLE__EVALUATOR, "")->grant_key->report_class =
        TIMEBANK__REPORT_CLASS__FOR_PUBLIC;
    done();
}

TestSuite(release, .timeout = 30, .init = open_books, .fini = books_close);

static const uint8_t hash[32] = {0x5a, 1};

static Timebank__Order *release(Timebank__ReportClass report_class) {
    Timebank__Order *order = ENTER(release_report, RELEASE_REPORT, "", "", 0);
    Timebank__ReleaseReport *report = order->release_report;
    order->service_day = 0;
    order->authority = TIMEBANK__AUTHORITY__AUTHORITY_NONE;
    report->definition = (char *)(uintptr_t)RECORD_REPORT_DEFINITION;
    report->report_class = report_class;
    report->from_day = today() - 60;
    report->to_day = today() - 31;
    report->known_day = today();
    report->size = books_state->sums.size;
    report->root = report->checksum = report->register_checksum = keep_bytes(hash, sizeof(hash));
    return order;
}

#define CLASS(name) TIMEBANK__REPORT_CLASS__##name

static const struct state_release *row_of(uint64_t entry) {
    uint8_t key[8];
    be64_put(key, entry);
    return state_get(books_state, STATE_RELEASES, key, sizeof(key), NULL);
}

Test(release, is_kept_as_it_was_asked) {
    as("funder-key");
    release(CLASS(FOR_FUNDER))->release_report->as_recorded = true;
    done();
    const struct state_release *row = row_of(books_entry[0]);
    cr_assert(row && row->report_class == CLASS(FOR_FUNDER) && row->as_recorded);
    cr_assert(row->from_day == today() - 60 && row->to_day == today() - 31);
    cr_assert(row->known_day == today() && row->day == today() && row->size < books_entry[0]);
    cr_assert_arr_eq(row->root, hash, sizeof(hash));
    cr_assert_arr_eq(row->checksum, hash, sizeof(hash));
    cr_assert_arr_eq(row->register_checksum, hash, sizeof(hash));
    cr_assert_arr_eq(row->author, key_of("funder-key"), 32);
}

Test(release, of_an_evaluator_is_of_its_class_or_a_stricter_one) {
    as("funder-key");
    release(CLASS(FOR_PUBLIC));
    done();
    as("public-key");
    release(CLASS(FOR_PUBLIC));
    done();
    release(CLASS(FOR_FUNDER));
    refused(CLASS_NOT_YOURS);
}

Test(release, is_never_of_the_class_internal) {
    release(CLASS(INTERNAL));
    refused(BAD_RELEASE);
    release(CLASS(CLASS_NONE));
    refused(BAD_RELEASE);
    as("broker");
    release(CLASS(FOR_FUNDER));
    done();
}

Test(release, is_nobody_elses) {
    as("m1-key");
    release(CLASS(FOR_PUBLIC));
    refused(NO_AUTHORITY);
    as("food-key");
    release(CLASS(FOR_PUBLIC));
    refused(NO_AUTHORITY);
}

Test(release, has_a_period_a_cut_off_and_a_position_that_was) {
    Timebank__ReleaseReport *report = release(CLASS(FOR_FUNDER))->release_report;
    report->to_day = report->from_day - 1;
    refused(BAD_PERIOD);
    release(CLASS(FOR_FUNDER))->release_report->known_day = 0;
    refused(BAD_RELEASE);
    release(CLASS(FOR_FUNDER))->release_report->size = 0;
    refused(NO_SUCH_POSITION);
    release(CLASS(FOR_FUNDER))->release_report->size = books_state->sums.size + 100;
    refused(NO_SUCH_POSITION);
    release(CLASS(FOR_FUNDER))->release_report->definition = (char *)(uintptr_t) "other/1";
    refused(BAD_RELEASE);
    release(CLASS(FOR_FUNDER))->release_report->root = (ProtobufCBinaryData){0};
    refused(BAD_RELEASE);
    release(CLASS(FOR_FUNDER))->release_report->checksum = (ProtobufCBinaryData){0};
    refused(BAD_RELEASE);
    release(CLASS(FOR_FUNDER))->release_report->register_checksum = (ProtobufCBinaryData){0};
    refused(BAD_RELEASE);
}

Test(release, keeps_no_words_of_an_evaluators) {
    as("funder-key");
    with_why(release(CLASS(FOR_FUNDER)), 0);
    refused(REASON_NOT_KEPT);
}

Test(release, is_made_so_often_in_a_day_by_one_key_and_again_on_the_next) {
    as("funder-key");
    for (int i = 0; i < 100; i++) {
        release(CLASS(FOR_FUNDER))->release_report->from_day -= (uint32_t)i;
        done();
    }
    release(CLASS(FOR_FUNDER));
    refused(BAD_RELEASE);
    as("public-key");
    release(CLASS(FOR_PUBLIC));
    done();
    as("funder-key");
    wait_days(1);
    release(CLASS(FOR_FUNDER));
    done();
}

Test(release, fixes_where_the_reports_year_begins) {
    set_policy("report-year-begins", "1");
    done();
    release(CLASS(FOR_FUNDER));
    done();
    set_policy("report-year-begins", "4");
    refused(POLICY_FIXED);
    set_policy("quantum", "5");
    done();
}

Test(release, needs_no_class_but_an_evaluators) {
    grant_key("other-key", TIMEBANK__ROLE__AUDITOR, "")->grant_key->report_class =
        CLASS(FOR_FUNDER);
    refused(BAD_ROLE);
    grant_key("other-key", TIMEBANK__ROLE__EVALUATOR, "")->grant_key->report_class =
        CLASS(INTERNAL);
    refused(BAD_ROLE);
    cr_assert(rules_release_is_within(CLASS(FOR_FUNDER), CLASS(FOR_PUBLIC)));
    cr_assert(!rules_release_is_within(CLASS(FOR_PUBLIC), CLASS(FOR_FUNDER)));
}
