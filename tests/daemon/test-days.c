/* SPDX-License-Identifier: Apache-2.0 */
/* What befalls a bank day by day: clocks that jump, a disk that fills, venues at their limits,
 * reasons kept beside the ledger, reports of earlier days. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

TestSuite(clock, .timeout = STORY_TIMEOUT, .init = bank_start, .fini = bank_end);
TestSuite(room, .timeout = STORY_TIMEOUT, .init = bank_start, .fini = bank_end);
TestSuite(venue, .timeout = STORY_TIMEOUT, .fini = bank_end);
TestSuite(notes, .timeout = STORY_TIMEOUT, .init = bank_start, .fini = bank_end);
TestSuite(reports, .timeout = STORY_TIMEOUT, .init = bank_start, .fini = bank_end);

#define YEAR_MS (365 * DAY_MS)

static uint64_t ledger_time(void) {
    return bank_state(story.bank)->sums.ledger_time_ms;
}

/* ---- the clock */

/* The author's clock is the same machine's. */
static void every_clock_jumps(int64_t ms) {
    wall_clock_jumps(ms);
    story.author_ms += (uint64_t)ms;
}

Test(clock, a_year_ahead_refuses_writes_until_it_comes_back) {
    struct hash before = bank_print();
    Timebank__Order *order = order_helps("m7", "m12", 30);
    struct parcel *right;

    every_clock_jumps((int64_t)YEAR_MS);
    submit(BROKER, order);
    expect_refused(CLOCK);
    ask(STRANGER, request_new(TIMEBANK__REQUEST__BODY_STATUS));
    cr_assert(story.response->status->read_only && *story.response->status->read_only_why);
    time_passes(HOUR_MS);
    submit(BROKER, order);
    expect_refused(CLOCK);
    expect_nothing_written(before);
    every_clock_jumps(-(int64_t)YEAR_MS);
    ask(STRANGER, request_new(TIMEBANK__REQUEST__BODY_STATUS));
    cr_assert(!story.response->status->read_only);
    expect_nothing_written(before);
    right = submit(BROKER, order);
    expect_recorded();
    cr_assert(response_answer()->received_at_ms == NOON + HOUR_MS && right->n == 1);
}

/* An author whose own clock is right must not be told that the batch came too late. */
Test(clock, a_year_ahead_is_told_to_authors_whose_own_is_right) {
    struct hash before = bank_print();

    wall_clock_jumps((int64_t)YEAR_MS);
    submit(BROKER, order_helps("m7", "m12", 30));
    expect_refused(CLOCK);
    expect_nothing_written(before);
}

/* What came before the jump is committed after it, but not at the time the clock then shows. */
Test(clock, a_year_ahead_does_not_date_what_came_before) {
    struct parcel *parcel = parcel_new(BROKER);
    struct reply *reply;

    parcel_put(parcel, order_helps("m7", "m12", 30));
    reply = ask_later(BROKER, parcel_request(parcel));
    wall_clock_jumps((int64_t)YEAR_MS);
    hand_over();
    cr_assert(reply_take(reply)->answer->received_at_ms == NOON);
    cr_assert(ledger_time() < NOON + HOUR_MS);
}

Test(clock, within_an_hour_of_what_has_passed_is_believed) {
    every_clock_jumps((int64_t)HOUR_MS);
    recorded(BROKER, order_helps("m7", "m12", 30));
    every_clock_jumps((int64_t)HOUR_MS + 1);
    submit(BROKER, order_helps("m7", "m12", 45));
    expect_refused(CLOCK);
    time_passes(2); /* still ahead of what has passed: time that passes does not make it right */
    submit(BROKER, order_helps("m7", "m12", 45));
    expect_refused(CLOCK);
    every_clock_jumps(-2);
    recorded(BROKER, order_helps("m7", "m12", 45));
}

Test(clock, of_a_quiet_month_is_no_jump) {
    time_passes(60 * DAY_MS);
    recorded(BROKER, order_helps("m7", "m12", 30));
    cr_assert(response_answer()->received_at_ms == NOON + 60 * DAY_MS);
}

Test(clock, ten_days_back_leaves_order_and_ledger_time_alone) {
    uint64_t before = ledger_time();

    wall_clock_jumps(-10 * (int64_t)DAY_MS);
    recorded(BROKER, order_helps("m7", "m12", 30));
    cr_assert(response_answer()->received_at_ms == before);
    time_passes(MINUTE_MS);
    recorded(BROKER, order_helps("m7", "m12", 45));
    cr_assert(response_answer()->received_at_ms == before && ledger_time() == before);
    bank_restart();
    recorded(BROKER, order_helps("m7", "m12", 60));
    cr_assert(response_answer()->received_at_ms == before);
}

Test(clock, that_was_wrong_for_hours_is_believed_when_it_is_right_again) {
    wall_clock_jumps(-10 * (int64_t)DAY_MS);
    for (int i = 0; i < 10; i++)
        time_passes(HOUR_MS / 2);
    wall_clock_jumps(10 * (int64_t)DAY_MS);
    recorded(BROKER, order_helps("m7", "m12", 30));
    cr_assert(response_answer()->received_at_ms == NOON + 5 * HOUR_MS);
}

Test(clock, a_month_ahead_at_the_start_wants_the_stewards_word) {
    struct hash before = bank_print();

    bank_stop();
    time_passes(30 * DAY_MS + 1);
    bank_restart();
    submit(BROKER, order_helps("m7", "m12", 30));
    expect_refused(CLOCK);
    expect_nothing_written(before);
    bank_stop();
    story.settings.accept_time = true;
    bank_restart();
    recorded(BROKER, order_helps("m7", "m12", 30));
    bank_stop();
    story.settings.accept_time = false;
    bank_restart();
    recorded(BROKER, order_helps("m7", "m12", 45));
}

Test(clock, under_a_month_ahead_at_the_start_is_believed) {
    bank_stop();
    time_passes(30 * DAY_MS);
    bank_restart();
    recorded(BROKER, order_helps("m7", "m12", 30));
}

Test(clock, behind_at_the_start_goes_on_where_the_ledger_stood) {
    uint64_t before = ledger_time();

    bank_stop();
    wall_clock_jumps(-40 * (int64_t)DAY_MS);
    bank_restart();
    recorded(BROKER, order_helps("m7", "m12", 30));
    cr_assert(response_answer()->received_at_ms == before);
}

/* ---- room, and the end */

Test(room, of_a_stopping_daemon_is_for_reading) {
    struct hash before = bank_print();

    story.bank->is_draining = true;
    submit(BROKER, order_helps("m7", "m12", 30));
    expect_refused(SHUTTING_DOWN);
    ask(STRANGER, request_new(TIMEBANK__REQUEST__BODY_STATUS));
    cr_assert(story.response->status->read_only);
    expect_nothing_written(before);
}

Test(room, below_the_reserve_is_for_reading) {
    Timebank__Order *order = m7_helps("m12", 30);
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_BALANCE);
    struct hash before = bank_print();

    story.settings.log.reserve_bytes = story.settings.log.map_bytes;
    bank_restart();
    submit(BROKER, order_helps("m7", "m12", 45));
    expect_refused(LEDGER_FULL);
    submit(BROKER, order); /* what is in already needs no room, but the batch asks for it */
    cr_assert(response_refused() || response_answer()->already);
    request->balance->code = text_copy("m7");
    cr_assert(ask(BROKER, request)->balance->minutes == 30);
    dry_run(BROKER, order_helps("m7", "m12", 45));
    expect_dry();
    expect_nothing_written(before);
    story.settings.log.reserve_bytes = 1u << 20;
    bank_restart();
    recorded(BROKER, order_helps("m7", "m12", 45));
}

static void record_funders(int batch) {
    struct parcel *parcel = parcel_new(BROKER);

    for (int i = 0; i < 50; i++) {
        Timebank__Order *funder = order_new(TIMEBANK__ORDER__KIND_SET_FUNDER);
        char name[32];
        snprintf(name, sizeof(name), "fund %d of %d", i, batch);
        funder->set_funder->name = text_copy(name);
        parcel_put(parcel, funder);
    }
    parcel_send(parcel);
}

Test(room, in_a_small_map_ends_in_words_and_comes_back_with_a_larger) {
    struct hash before;
    int n = 0;

    story.settings.log.map_bytes = 2u << 20;
    story.settings.log.reserve_bytes = 64u << 10;
    bank_restart();
    for (; n < 1000; n++) {
        record_funders(n);
        if (response_refused())
            break;
        expect_recorded();
    }
    expect_refused(LEDGER_FULL);
    cr_assert(n > 0);
    before = bank_print();
    ask(AUDITOR, request_new(TIMEBANK__REQUEST__BODY_FUNDERS));
    cr_assert(story.response->funders->n_names == story.settings.page_entries);
    bank_check();
    expect_nothing_written(before);
    story.settings.log.map_bytes = 64u << 20;
    bank_restart();
    record_funders(n);
    expect_recorded();
}

/* ---- venues */

static void bank_with_season(const char *policy, const char *value) {
    Timebank__Order *offer;

    bank_start_with(policy, value, NULL);
    offer = order_new(TIMEBANK__ORDER__KIND_SET_OFFER);
    offer->to = text_copy("pool");
    offer->set_offer->name = text_copy("season");
    offer->set_offer->price_minutes = 3000;
    recorded(BROKER, offer);
}

static void swims(const char *member) {
    submit(POOL, order_redeem(member, "swim", 1, 60));
}

static void wants_a_season(const char *member) {
    submit(POOL, order_redeem(member, "season", 1, 3000));
}

Test(venue, is_told_check_after_three_refusals_whatever_the_balance) {
    bank_with_season("quantum", "15");
    for (int i = 0; i < 3; i++) {
        wants_a_season("m12");
        expect_refused(BELOW_FLOOR);
    }
    swims("m12"); /* three are not more than three */
    expect_recorded();
    wants_a_season("m12");
    expect_refused(SEE_COORDINATOR);
    cr_assert_str_eq(response_refused()->refusals[0]->field, "");
    swims("m12");
    expect_refused(SEE_COORDINATOR);
    swims("m30"); /* nobody else is meant */
    expect_recorded();
    recorded(BROKER, order_redeem("m12", "swim", 1, 60));
    time_passes(HOUR_MS + 1);
    swims("m12");
    expect_recorded();
}

Test(venue, learns_nothing_from_a_batch_of_prices) {
    struct parcel *parcel;

    bank_with_season("quantum", "15");
    parcel = parcel_new(POOL);
    for (uint32_t i = 1; i <= 6; i++)
        parcel_put(parcel, order_redeem("m12", "swim", 6 * i, 360 * i));
    parcel_send(parcel);
    cr_assert(response_refused(), "%s", response_words());
    swims("m12");
    expect_balance("pool", 0);
    expect_refused(SEE_COORDINATOR);
}

Test(venue, is_not_told_check_for_a_wrong_price) {
    bank_with_season("quantum", "15");
    for (int i = 0; i < 6; i++) {
        submit(POOL, order_redeem("m12", "swim", 1, 45));
        expect_refused(NOT_THE_PRICE);
    }
    swims("m12");
    expect_recorded();
}

Test(venue, has_a_cap_for_a_day) {
    bank_start_with("venue-cap-day", "120", NULL);
    swims("m12");
    expect_recorded();
    swims("m30");
    expect_recorded();
    swims("m7");
    expect_refused(CAP);
    recorded(BROKER, order_redeem("m7", "swim", 1, 60)); /* a broker's hand is not bound */
    time_passes(DAY_MS);
    swims("m7");
    expect_recorded();
}

Test(venue, has_a_cap_for_a_member_and_day) {
    bank_start_with("venue-cap-member-day", "60", NULL);
    swims("m12");
    expect_recorded();
    swims("m12");
    expect_refused(CAP);
    swims("m30");
    expect_recorded();
    time_passes(12 * HOUR_MS - 1);
    swims("m12");
    expect_refused(CAP);
    time_passes(1); /* the UTC day ends at midnight, twelve hours after noon */
    swims("m12");
    expect_recorded();
}

Test(venue, gets_its_cap_back_with_an_undo) {
    Timebank__Order *swim;

    bank_start_with("venue-cap-day", "60", NULL);
    swim = order_redeem("m12", "swim", 1, 60);
    recorded(POOL, swim);
    swims("m30");
    expect_refused(CAP);
    recorded(POOL, order_reverse(swim, 0));
    swims("m30");
    expect_recorded();
    bank_restart();
    swims("m30");
    expect_refused(CAP);
}

/* ---- reasons */

static const char *why_of(enum actor actor, uint64_t entry) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_ENTRY);

    request->entry->number = entry;
    ask(actor, request);
    cr_assert(!response_refused(), "%s", response_words());
    return story.response->entry->why;
}

Test(notes, are_kept_beside_the_ledger_and_shown_to_brokers_only) {
    struct parcel *parcel = parcel_new(BROKER);
    Timebank__Order *order = order_helps("m7", "m12", 30);
    const char *why = "her knee, she said";

    parcel_put_why(parcel, order, why);
    parcel_send(parcel);
    expect_recorded();
    cr_assert_str_eq(why_of(BROKER, parcel->entries[0]), why);
    cr_assert_str_eq(why_of(STEWARD, parcel->entries[0]), why);
    cr_assert_str_eq(why_of(M12, parcel->entries[0]), "");
    cr_assert_str_eq(why_of(AUDITOR, parcel->entries[0]), "");
    for (uint64_t i = 0; i < story.head.size; i++) {
        _cleanup_bytes_ struct bytes record = {0};
        cr_assert(log_record(story.bank->log, i, &record) == 1);
        cr_assert(!memmem(record.data, record.n, why, strlen(why)), "in record %d", (int)i);
    }
    bank_restart();
    cr_assert_str_eq(why_of(BROKER, parcel->entries[0]), why);
}

Test(notes, must_be_the_text_that_was_signed) {
    struct parcel *parcel = parcel_new(BROKER);
    struct hash before = bank_print();

    parcel_put_why(parcel, order_helps("m7", "m12", 30), "her knee");
    parcel->submit.note_text[0] = text_copy("his knee");
    parcel_send(parcel);
    expect_refused_field(BAD_TEXT, "note");
    parcel->submit.note_place[0] = 1;
    parcel_send(parcel);
    expect_refused(BAD_TEXT);
    parcel->submit.n_note_place = parcel->submit.n_note_salt = parcel->submit.n_note_text = 0;
    parcel_send(parcel);
    expect_refused_field(BAD_TEXT, "note");
    expect_nothing_written(before);
}

Test(notes, of_a_refused_batch_are_not_kept) {
    struct parcel *parcel = parcel_new(BROKER);
    Timebank__Order *order = order_helps("m7", "nobody", 30);
    uint8_t salt[PEOPLE_SALT_BYTES];
    char *text = NULL;

    parcel_put_why(parcel, order, "her knee");
    parcel_send(parcel);
    expect_refused(NO_SUCH_ACCOUNT);
    cr_assert(people_get_note(story.bank->people, order->id.data, salt, &text) == 0);
}

/* ---- reports */

static const char *report(uint64_t at_size) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_REPORT);
    const Timebank__Response *response;
    char *text;

    request->report->from_day = TODAY - 100;
    request->report->to_day = TODAY + 100;
    request->report->at_size = at_size;
    response = ask(AUDITOR, request);
    if (response_refused())
        return NULL;
    text = arena_alloc(&story.arena, response->report->json.len + 1);
    memcpy(text, response->report->json.data, response->report->json.len);
    text[response->report->json.len] = '\0';
    return text;
}

Test(reports, of_an_earlier_position_are_those_of_then) {
    const char *then, *now;
    uint64_t size;

    m7_helps("m12", 30);
    then = report(0);
    size = story.head.size;
    cr_assert(then && strstr(then, "\"position\""));
    time_passes(3 * DAY_MS);
    m7_helps("m30", 45);
    now = report(0);
    cr_assert(now && strcmp(now, then) != 0);
    cr_assert_str_eq(report(size), then);
    cr_assert_str_eq(report(story.head.size), now);
    bank_restart();
    cr_assert_str_eq(report(size), then);
}

Test(reports, stand_at_heads_only) {
    struct parcel *parcel = submit(BROKER, order_helps("m7", "m12", 30));

    cr_assert(!report(parcel->entries[0])); /* between a seal and its order */
    expect_refused(NO_SUCH_POSITION);
    cr_assert(!report(story.head.size + 1));
    expect_refused(NO_SUCH_POSITION);
}

/* A log that nobody can read stands in for whatever a report may meet. */
static struct projection *unreadable(char *directory, struct store **ret_store) {
    struct projection_settings settings = {0};
    struct projection *projection;
    struct store_write *write;

    cr_assert(mkdtemp(directory));
    cr_assert(store_create(directory, 1 << 20, runs_tables, RUNS_N_TABLES) == 0);
    cr_assert(store_open(ret_store, directory, 1 << 20, runs_tables, RUNS_N_TABLES, false) == 0);
    cr_assert(store_write_begin(*ret_store, &write) == 0);
    store_put(write, RUNS_LOG, (const uint8_t[8]){0}, 8, "rubbish", 7);
    cr_assert(store_commit(write) == 0);
    cr_assert(projection_new(&projection, directory, *ret_store, story.bank->people, &settings) ==
              0);
    return projection;
}

static void remove_all(const char *directory) {
    char command[64];

    snprintf(command, sizeof(command), "rm -r %s", directory);
    cr_assert(system(command) == 0);
}

Test(reports, that_cannot_be_made_are_refused_and_stop_nothing) {
    struct projection *projection = story.bank->projection;
    char directory[] = "/tmp/tb.XXXXXX";
    struct store *store;

    story.bank->projection = unreadable(directory, &store);
    cr_assert(!report(0));
    expect_refused(REPORT_FAILED);
    projection_free(story.bank->projection);
    store_close(store);
    remove_all(directory);
    story.bank->projection = projection;
    m7_helps("m12", 30);
    cr_assert(report(0));
}

Test(reports, refuse_what_cannot_be_told) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_REPORT);

    request->report->from_day = TODAY;
    request->report->to_day = TODAY - 1;
    ask(BROKER, request);
    expect_refused(BAD_PERIOD);
    story.settings.reply_max_bytes = 8192 + 100;
    bank_restart();
    cr_assert(!report(0));
    expect_refused(TOO_MANY_ROWS);
    story.settings.report_rows = 3;
    bank_restart();
    cr_assert(!report(0));
    expect_refused(TOO_MANY_ROWS);
}
