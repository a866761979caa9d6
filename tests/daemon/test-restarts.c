/* SPDX-License-Identifier: Apache-2.0 */
/* Stops, kills and starts: what was answered is there, what was not is all there or not at all, and
 * a start re-applies only what came after the last step. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/files.h"
#include "daemon/log-private.h"
#include "harness.h"

TestSuite(restarts, .timeout = STORY_TIMEOUT, .init = bank_start, .fini = bank_end);

static void record_days(int n) {
    for (int i = 0; i < n; i++) {
        Timebank__Order *order = order_helps("m7", "m12", 15);
        order->service_day -= (uint32_t)i;
        recorded(BROKER, order);
        recorded(BROKER, order_move(TIMEBANK__ORDER__KIND_GIFT, "m7", "m12", 15));
    }
}

Test(restarts, find_everything_as_it_was) {
    struct hash before;

    record_days(20);
    before = bank_print();
    for (int i = 0; i < 3; i++) {
        bank_restart();
        expect_nothing_written(before);
    }
    cr_assert(story.bank->log->step_size == story.head.size, "a clean stop writes everything down");
}

Test(restarts, know_the_ids_and_batches_of_before) {
    struct parcel *parcel = submit(BROKER, order_helps("m7", "m12", 30));
    const Timebank__Answer *first = response_answer();
    Timebank__Order *order = m7_helps("m30", 45);
    struct hash before;

    record_days(10);
    bank_restart();
    before = bank_print();
    parcel_send(parcel);
    cr_assert(response_answer() && response_answer()->already &&
              response_answer()->seal == first->seal &&
              response_answer()->to_after[0] == first->to_after[0]);
    submit(BROKER, order);
    cr_assert(response_answer() && response_answer()->already && response_answer()->seal == 0);
    order->minutes = 60;
    submit(BROKER, order);
    expect_refused_field(ID_DIFFERS, "minutes");
    expect_nothing_written(before);
}

Test(restarts, know_hours_duplicates_and_reversals_of_before) {
    Timebank__Order *order = m7_helps("m12", 30), *half = m7_helps("m12", 60), *again;

    recorded(BROKER, order_reverse(half, 15));
    recorded(BROKER, order_helps("m7", "m30", 1200));
    bank_restart();
    again = order_helps("m7", "m12", 30);
    submit(BROKER, again);
    expect_refused(LOOKS_LIKE);
    cr_assert(response_refused()->refusals[0]->entry > 0 && order->id.len > 0);
    submit(BROKER, order_reverse(half, 60));
    expect_refused(MORE_THAN_REMAINS);
    submit(BROKER, order_helps("m7", "m30", 240));
    expect_refused(TOO_LONG);
}

/* The story goes on in a child that opens the bank and is gone without a word. */
static void in_a_child_that_dies(void (*story_goes_on)(void)) {
    int status;
    pid_t child;

    bank_stop();
    fflush(NULL);
    child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        char why[512];
        if (bank_try_open(why, sizeof(why)) != 0)
            _exit(2);
        story_goes_on();
        _exit(0);
    }
    cr_assert(waitpid(child, &status, 0) == child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child: %d", status);
}

static struct parcel *sent[22];

static void make_parcels(void) {
    for (size_t i = 0; i < N_ELEMENTS(sent); i++) {
        Timebank__Order *order = order_helps("m7", "m12", 15);
        order->service_day -= (uint32_t)i;
        sent[i] = parcel_new(BROKER);
        parcel_put(sent[i], order);
        parcel_sign(sent[i]);
    }
}

static void send_all(void) {
    for (size_t i = 0; i < N_ELEMENTS(sent); i++) {
        parcel_send(sent[i]);
        expect_recorded();
    }
}

/* A batch is answered, and no state record was made behind it yet. */
static void send_one_and_go(void) {
    struct reply *reply = ask_later(BROKER, parcel_request(sent[0]));

    cr_assert(log_hand_over(story.bank->log, 0) == 0);
    cr_assert(log_collect(story.bank->log) == 0);
    reply_take(reply);
    cr_assert(response_answer());
}

static const Timebank__Response *ask_published(void) {
    return ask(STRANGER, request_new(TIMEBANK__REQUEST__BODY_PUBLISHED));
}

Test(restarts, after_a_kill_publish_what_was_not_published) {
    char why[512];
    uint64_t size;

    make_parcels();
    in_a_child_that_dies(send_one_and_go);
    cr_assert(bank_try_open(why, sizeof(why)) == 0, "%s", why);
    ask_published();
    expect_refused(TRY_LATER);
    size = story.bank->log->head.size;
    tick();
    cr_assert(ask_published()->body_case == TIMEBANK__RESPONSE__BODY_PUBLISHED);
    cr_assert(story.response->published->size == size + 1 && story.head.size == size + 1);
    tick();
    cr_assert(ask_published()->published->size == size + 1, "it goes on publishing");
}

Test(restarts, after_a_kill_find_every_answered_batch) {
    make_parcels();
    in_a_child_that_dies(send_all);
    bank_restart();
    cr_assert(story.bank->log->step_size > 0 &&
                  story.bank->log->step_size < story.bank->log->head.size,
              "a start after a kill re-applies a tail");
    for (size_t i = 0; i < N_ELEMENTS(sent); i++) {
        parcel_send(sent[i]);
        cr_assert(response_answer() && response_answer()->already, "%s", response_words());
        cr_assert(response_answer()->to_after[0] == 15 * (int64_t)(i + 1));
    }
    expect_balance("m7", 15 * (int64_t)N_ELEMENTS(sent));
}

/* Each batch has a row of its own, and its two accounts have the same again and again. */
Test(restarts, read_rows_that_were_written_once_for_many_records) {
    const uint64_t enough = story.settings.log.step_records = 64;
    uint64_t first, n;
    int64_t minutes = 0;
    bank_restart();
    first = story.bank->log->step_size;
    for (; story.bank->log->step_size == first; minutes += 15) {
        Timebank__Order *order = order_helps("m7", "m12", 15);
        order->service_day -= (uint32_t)(minutes / 15);
        recorded(BROKER, order);
    }
    n = story.bank->log->step_size - first;
    cr_assert(n > enough + 3 && n <= LOG_STEP_WAITS * enough + 3, "after %llu records",
              (unsigned long long)n);
    bank_restart();
    expect_balance("m7", minutes);
}

static void send_half_and_leave_the_rest_uncommitted(void) {
    size_t half = N_ELEMENTS(sent) / 2;

    for (size_t i = 0; i < half; i++)
        parcel_send(sent[i]);
    for (size_t i = half; i < N_ELEMENTS(sent); i++)
        (void)ask_later(BROKER, parcel_request(sent[i])); /* applied, and never handed over */
}

Test(restarts, after_a_kill_find_nothing_of_what_was_not_committed) {
    make_parcels();
    in_a_child_that_dies(send_half_and_leave_the_rest_uncommitted);
    bank_restart();
    expect_balance("m7", 15 * (int64_t)(N_ELEMENTS(sent) / 2));
    for (size_t i = 0; i < N_ELEMENTS(sent); i++) {
        parcel_send(sent[i]); /* the clients' retry ends every doubt */
        cr_assert(response_answer() && response_answer()->already == (i < N_ELEMENTS(sent) / 2),
                  "%s", response_words());
    }
    expect_balance("m7", 15 * (int64_t)N_ELEMENTS(sent));
}

static void path_in_story(char ret[128], const char *name) {
    snprintf(ret, 128, "%s/%s", story.directory, name);
}

/* Committed, and killed before the head file was written: the old head file is put back. */
Test(restarts, sign_what_was_committed_and_not_yet_signed) {
    _cleanup_bytes_ struct bytes head = {0};
    char path[128];
    uint64_t size = story.head.size;

    make_parcels();
    path_in_story(path, "head");
    bank_stop();
    cr_assert(file_read(path, 1 << 20, &head) == 0);
    bank_restart();
    story.settings.log.step_records = 1u << 20; /* derived tables stay behind, as in a kill */
    in_a_child_that_dies(send_all);
    FILE *file = fopen(path, "r+");
    cr_assert(file && fwrite(head.data, 1, head.n, file) == head.n && fclose(file) == 0);
    bank_restart();
    cr_assert(log_head(story.bank->log)->size > size);
    for (size_t i = 0; i < N_ELEMENTS(sent); i++) {
        parcel_send(sent[i]);
        cr_assert(response_answer() && response_answer()->already);
    }
}

Test(restarts, refuse_a_store_that_is_older_than_its_head) {
    _cleanup_bytes_ struct bytes store = {0}, head = {0};
    char path[128], head_path[128], why[512] = "";
    FILE *file;

    path_in_story(path, "ledger/data.mdb");
    path_in_story(head_path, "head");
    bank_stop();
    cr_assert(file_read(path, 128 << 20, &store) == 0);
    bank_restart();
    m7_helps("m12", 30);
    bank_stop();
    cr_assert(file_read(path, 128 << 20, &head) == 0); /* the new store, to go on with below */
    file = fopen(path, "r+");                          /* in place: the inode stays */
    cr_assert(file && fwrite(store.data, 1, store.n, file) == store.n && fclose(file) == 0);
    cr_assert(bank_try_open(why, sizeof(why)) < 0 && *why);
    story.bank = NULL;
    file = fopen(path, "r+");
    cr_assert(file && fwrite(head.data, 1, head.n, file) == head.n && fclose(file) == 0);
    bank_restart();
    expect_balance("m7", 30);
}

Test(restarts, refuse_a_copied_directory) {
    char command[256], original[64], why[512] = "";

    m7_helps("m12", 30);
    bank_stop();
    strcpy(original, story.directory);
    snprintf(command, sizeof(command), "cp -r '%s' '%s.copy'", original, original);
    cr_assert(system(command) == 0);
    snprintf(story.directory, sizeof(story.directory), "%.50s.copy", original);
    cr_assert(bank_try_open(why, sizeof(why)) == -EXDEV && *why);
    story.bank = NULL;
    snprintf(command, sizeof(command), "rm -rf '%s'", story.directory);
    cr_assert(system(command) == 0);
    strcpy(story.directory, original);
    bank_restart();
    m7_helps("m30", 30);
}

Test(restarts, let_one_process_serve_a_directory) {
    int fd = -1;

    cr_assert(bank_lock(story.directory, &fd) == -EWOULDBLOCK);
}

Test(restarts, pass_the_full_check_at_every_step) {
    for (int i = 0; i < 6; i++) {
        Timebank__Order *order = order_helps("m7", "m12", 15);
        order->service_day -= (uint32_t)i;
        recorded(BROKER, order);
        if (i % 2)
            recorded(BROKER, order_reverse(order, 0));
        bank_check();
    }
}
