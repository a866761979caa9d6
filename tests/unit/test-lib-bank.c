/* SPDX-License-Identifier: Apache-2.0 */
/* A bank met, asked, told; cut off and found again; and every lie caught with evidence. */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "client-state.h"
#include "fake-bank.h"
#include "helpers.h"
#include "libtimebank/parcel.h"
#include "proto/refusal.h"
#include "timebank.h"

TestSuite(lib_bank, .timeout = 60);

static struct fake_bank fake;
static struct tb_bank *bank;
static char state[CLIENT_PATH_BYTES];
static char key[CLIENT_PATH_BYTES];

static void bank_make(void) {
    bank = client_state_bank(state, key, 2000);
}

static void setup(void) {
    fake_bank_start(&fake);
    client_state_begin(fake.directory, state, key);
    bank_make();
}

static void teardown(void) {
    bank = tb_bank_free(bank);
    fake_bank_fini(&fake);
}

static void bank_open(void) {
    int r = tb_bank_open(bank, fake.address);
    cr_assert(r == 0, "%d %s", r, tb_bank_message(bank));
}

static void bank_again(void) {
    bank = tb_bank_free(bank);
    bank_make();
}

static size_t files_count(const char *folder, const char *prefix) {
    return client_state_files(state, folder, prefix);
}

/* Submits a batch of n; the result, the answer freed. */
static int submit(unsigned n, const char *to) {
    struct tb_batch *batch = client_state_batch(bank, n, to);
    struct tb_answer *answer = NULL;
    int r = tb_batch_submit(batch, &answer);
    cr_assert((r == 0) == (answer != NULL));
    tb_answer_free(answer);
    tb_batch_free(batch);
    return r;
}

Test(lib_bank, pins_what_it_meets_first, .init = setup, .fini = teardown) {
    bank_open();
    cr_assert(strstr(tb_bank_notice(bank), "First contact"), "%s", tb_bank_notice(bank));
    cr_assert(strcmp(tb_bank_origin(bank), "fake.example/bank") == 0);
    cr_assert(tb_bank_role(bank) == TB_ROLE_BROKER);
    cr_assert(files_count("pins", "") == 1);
    bank_again();
    bank_open();
    cr_assert(strcmp(tb_bank_notice(bank), "") == 0, "%s", tb_bank_notice(bank));
}

Test(lib_bank, refuses_another_ledger_at_a_pinned_address, .init = setup, .fini = teardown) {
    bank_open();
    bank_again();
    fake_bank_change_key(&fake);
    cr_assert(tb_bank_open(bank, fake.address) == TB_WRONG_LEDGER);
    cr_assert(strstr(tb_bank_message(bank), ".address"), "%s", tb_bank_message(bank));
}

Test(lib_bank, believes_the_ledger_that_was_set, .init = setup, .fini = teardown) {
    char *line = NULL;
    bank_open();
    line = strdup(tb_bank_verifier_key(bank));
    fake_bank_change_key(&fake);
    bank_again();
    cr_assert(tb_bank_set_ledger(bank, line) == 0);
    cr_assert(tb_bank_open(bank, fake.address) == TB_WRONG_LEDGER);
    cr_assert(tb_bank_set_ledger(bank, "nonsense") == -EINVAL);
    free(line);
}

Test(lib_bank, says_that_no_bank_answers, .init = setup, .fini = teardown) {
    cr_assert(tb_bank_open(bank, "unix:/nowhere/at/all") == TB_NO_BANK);
    cr_assert(tb_bank_message(bank)[0]);
    cr_assert(tb_bank_open(bank, "tcp:host") == -EINVAL);
    cr_assert(tb_bank_set_key_file(bank, "/nowhere/key") == 0);
    cr_assert(tb_bank_open(bank, fake.address) == TB_NO_KEY);
}

Test(lib_bank, records_a_batch_and_verifies_its_answer, .init = setup, .fini = teardown) {
    bank_open();
    struct tb_batch *batch = client_state_batch(bank, 3, "m2");
    struct tb_answer *answer = NULL;
    int64_t minutes = 0;
    uint64_t size = 0;
    uint8_t root[32];
    cr_assert(tb_batch_submit(batch, &answer) == 0, "%s", tb_bank_message(bank));
    cr_assert(tb_answer_count(answer) == 3 && tb_answer_entry(answer, 2) == 5);
    cr_assert(!tb_answer_already(answer, 0));
    cr_assert(tb_answer_from_after(answer, 1, &minutes) == 1 && minutes == -60);
    cr_assert(tb_answer_to_after(answer, 1, &minutes) == 0);
    struct tb_warning warning;
    cr_assert(tb_answer_warnings(answer) == 1 && tb_answer_warning(answer, 0, &warning) == 0);
    cr_assert(warning.warning == TB_WARN_LONG_DAY && warning.message[0]);
    tb_bank_position(bank, &size, root);
    struct hash expected = merkle_root(fake.leaves, fake.n_leaves);
    cr_assert(size == fake.n_leaves && memcmp(root, expected.b, 32) == 0);
    cr_assert(files_count("outbox", "") == 0);
    tb_answer_free(answer);
    tb_batch_free(batch);
}

Test(lib_bank, verifies_batches_of_every_size_one_after_the_other, .init = setup,
     .fini = teardown) {
    bank_open();
    for (unsigned n = 1; n < 40; n++)
        cr_assert(submit(n, "m2") == 0, "%u: %s", n, tb_bank_message(bank));
}

/* Order i, opened for a person or given a note, as its number says. */
static void order_of_many(struct tb_order *order, unsigned i, char text[16]) {
    *order = (struct tb_order)TB_ORDER_INIT;
    snprintf(text, 16, "text %u", i);
    order->kind = i % 3 == 0 ? TB_OPEN_ACCOUNT : TB_EXCHANGE;
    order->from = "m1";
    order->to = "m2";
    order->minutes = i;
    memset(order->id, (int)i + 1, sizeof(order->id));
    order->sheet = i % 2 ? "a short one"
                         : "a long one, so that two bytes are needed for the length of some of "
                           "the orders, which every other is";
    order->why = i % 2 ? text : NULL;
    order->ward = i % 3 == 0 ? text : NULL;
}

Test(lib_bank, what_is_dropped_takes_its_own_texts_along, .init = setup, .fini = teardown) {
    unsigned left[12], n = 12;
    struct tb_batch *batch = NULL;
    bank_open();
    cr_assert(tb_batch_new(bank, &batch) == 0);
    for (unsigned i = 0; i < n; i++) {
        struct tb_order order;
        char text[16];
        left[i] = i;
        order_of_many(&order, i, text);
        cr_assert(tb_batch_add(batch, &order, NULL) == 0);
    }
    for (unsigned place = 0; n > 0; place = (place + 5) % n) {
        struct parcel parcel = {};
        struct hash *leaves = NULL;
        size_t note = 0, person = 0;
        cr_assert(tb_batch_count(batch) == n && parcel_fill(batch, &parcel) == 0);
        cr_assert(batch_leaves(batch->orders.data, batch->orders.n, n, &leaves) == 0);
        for (unsigned i = 0; i < n; i++) {
            uint8_t id[16];
            char text[16];
            snprintf(text, sizeof(text), "text %u", left[i]);
            tb_batch_order_id(batch, i, id);
            cr_assert(id[0] == left[i] + 1 && id[15] == left[i] + 1);
            if (left[i] % 2)
                cr_assert(parcel.submit.note_place[note] == i &&
                          strcmp(parcel.submit.note_text[note++], text) == 0);
            if (left[i] % 3 == 0)
                cr_assert(parcel.submit.person_place[person] == i &&
                          strcmp(parcel.submit.person_ward[person++], text) == 0);
        }
        cr_assert(parcel.submit.n_note_text == note && parcel.submit.n_person_ward == person);
        parcel_fini(&parcel);
        free(leaves);
        cr_assert(tb_batch_drop(batch, place) == 0 && tb_batch_drop(batch, n) == -EINVAL);
        memmove(&left[place], &left[place + 1], (--n - place) * sizeof(*left));
        if (n == 0)
            break;
    }
    cr_assert(batch->n_bytes == 0 && batch->orders.n == 0 && batch->n_beside == 0);
    tb_batch_free(batch);
}

Test(lib_bank, lists_every_refusal_and_keeps_nothing, .init = setup, .fini = teardown) {
    bank_open();
    struct tb_batch *batch = client_state_batch(bank, 2, "nobody");
    struct tb_answer *answer = NULL;
    struct tb_refused refused;
    cr_assert(tb_batch_submit(batch, &answer) == TB_NO_SUCH_ACCOUNT);
    cr_assert(tb_batch_refusals(batch) == 1 && tb_batch_refusal(batch, 0, &refused) == 0);
    cr_assert(refused.refusal == TB_NO_SUCH_ACCOUNT && strcmp(refused.field, "to") == 0);
    cr_assert(strchr(refused.message, '\x1b') == NULL, "an escape sequence came through");
    cr_assert(files_count("outbox", "") == 0 && fake.n_batches == 0);
    tb_batch_free(batch);
}

Test(lib_bank, asks_again_when_the_answer_is_lost, .init = setup, .fini = teardown) {
    bank_open();
    for (int cut = FAKE_CUT_BEFORE; cut <= FAKE_CUT_AFTER; cut++) {
        fake.cut = cut;
        fake.n_submits = 0;
        struct tb_batch *batch = client_state_batch(bank, 2, "m2");
        struct tb_answer *answer = NULL;
        cr_assert(tb_batch_submit(batch, &answer) == 0, "%s", tb_bank_message(bank));
        cr_assert(fake.n_submits == 2 && !tb_answer_already(answer, 0));
        tb_answer_free(answer);
        tb_batch_free(batch);
    }
    cr_assert(fake.n_batches == 2);
}

Test(lib_bank, settles_later_what_the_deadline_left_unknown, .init = setup, .fini = teardown) {
    size_t n_settled = 0;
    bank_open();
    cr_assert(tb_bank_set_deadline(bank, 300) == 0);
    struct tb_batch *batch = client_state_batch(bank, 2, "m2");
    struct tb_answer *answer = NULL;
    fake.refused = REFUSAL_SHUTTING_DOWN;
    cr_assert(tb_batch_submit(batch, &answer) == TB_SHUTTING_DOWN, "refused each time: known");
    cr_assert(files_count("outbox", "") == 0);
    /* Recorded, the answer lost, and from then on nobody who has time. */
    fake.refused = REFUSAL_TRY_LATER;
    fake.cut = FAKE_CUT_AFTER;
    cr_assert(tb_batch_submit(batch, &answer) == -EINPROGRESS, "%s", tb_bank_message(bank));
    cr_assert(strstr(tb_bank_message(bank), "nothing counts twice"));
    cr_assert(files_count("outbox", "") == 1 && fake.n_batches == 1);
    fake.refused = 0;
    cr_assert(tb_bank_settle(bank, &n_settled) == 0 && n_settled == 1);
    cr_assert(files_count("outbox", "") == 0);
    cr_assert(tb_batch_submit(batch, &answer) == 0 && tb_answer_entry(answer, 0) == 3);
    cr_assert(fake.n_batches == 1, "the same bytes, the first answer");
    tb_answer_free(answer);
    tb_batch_free(batch);
}

Test(lib_bank, waits_for_a_busy_bank, .init = setup, .fini = teardown) {
    bank_open();
    fake.busy = 3;
    cr_assert(submit(1, "m2") == 0);
    fake.busy = 1000;
    cr_assert(tb_bank_set_deadline(bank, 200) == 0);
    cr_assert(submit(1, "m2") == TB_TRY_LATER);
    fake.busy = 0;
    cr_assert(files_count("outbox", "") == 0, "what was refused is known");
}

/* A process that sends a batch, hears nothing (the bank recorded it, or did not) and is killed. */
static void crash_in_submit(bool recorded) {
    fake.refused = REFUSAL_TRY_LATER;
    fake.cut = recorded ? FAKE_CUT_AFTER : FAKE_CUT_BEFORE;
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        struct tb_answer *answer = NULL;
        tb_bank_set_deadline(bank, 60000);
        _exit(tb_batch_submit(client_state_batch(bank, 2, "m2"), &answer) == 0);
    }
    for (int i = 0; i < 500 && fake.cut != FAKE_NO_CUT; i++)
        usleep(10000);
    cr_assert(fake.cut == FAKE_NO_CUT);
    usleep(50000);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    fake.refused = 0;
}

Test(lib_bank, a_crash_in_the_middle_counts_once, .init = setup, .fini = teardown) {
    size_t n_settled = 0;
    for (int recorded = 0; recorded < 2; recorded++) {
        size_t n_before = fake.n_batches;
        bank_open();
        crash_in_submit(recorded);
        cr_assert(files_count("outbox", "") == 1);
        bank_again();
        bank_open();
        cr_assert(tb_bank_settle(bank, &n_settled) == 0, "%s", tb_bank_message(bank));
        cr_assert(n_settled == 1 && fake.n_batches == n_before + 1);
        cr_assert(files_count("outbox", "") == 0);
    }
}

Test(lib_bank, sets_a_refused_batch_of_the_outbox_aside, .init = setup, .fini = teardown) {
    bank_open();
    crash_in_submit(false);
    bank_again();
    bank_open();
    fake.refused = REFUSAL_TOO_LATE;
    size_t n_settled = 0;
    cr_assert(tb_bank_settle(bank, &n_settled) == 0 && n_settled == 1);
    cr_assert(strstr(tb_bank_notice(bank), "refused-"), "%s", tb_bank_notice(bank));
    cr_assert(files_count("outbox", "refused-") == 1 && files_count("outbox", "") == 1);
}

Test(lib_bank, leaves_another_keys_batches_alone, .init = setup, .fini = teardown) {
    char *line = NULL;
    size_t n_settled = 9;
    bank_open();
    crash_in_submit(false);
    strcat(key, "2");
    cr_assert(tb_key_new(key, NULL, &line, NULL, 0) == 0);
    free(line);
    bank_again();
    bank_open();
    cr_assert(tb_bank_settle(bank, &n_settled) == 0 && n_settled == 0);
    cr_assert(files_count("outbox", "") == 1);
}

Test(lib_bank, dry_runs_keep_nothing_and_end_with_the_connection, .init = setup, .fini = teardown) {
    bank_open();
    struct tb_batch *batch = client_state_batch(bank, 2, "m2");
    struct tb_answer *answer = NULL;
    cr_assert(tb_batch_dry_run(batch, &answer) == 0, "%s", tb_bank_message(bank));
    cr_assert(!tb_answer_already(answer, 0));
    answer = tb_answer_free(answer);
    cr_assert(fake.n_batches == 0 && files_count("outbox", "") == 0);
    fake.cut = FAKE_CUT_BEFORE;
    cr_assert(tb_batch_dry_run(batch, &answer) == -ENOTCONN, "the first one is lost");
    cr_assert(tb_bank_end_dry_run(bank) == 0);
    cr_assert(tb_batch_dry_run(batch, &answer) == 0);
    answer = tb_answer_free(answer);
    cr_assert(tb_bank_end_dry_run(bank) == 0 && fake.n_dry_runs == 0);
    tb_batch_free(batch);
}

static int account_count(void *user, const struct tb_balance *balance) {
    unsigned *n = user;
    char code[8];
    sprintf(code, "a%u", *n);
    cr_assert(strcmp(code, balance->code) == 0 && balance->minutes == *n);
    return ++*n == 100 ? 42 : 0;
}

Test(lib_bank, reads_lists_reports_and_entries, .init = setup, .fini = teardown) {
    unsigned n = 0;
    char *json = NULL;
    struct tb_entry entry;
    struct tb_status status;
    struct tb_report_ask ask = {.from_day = 1, .to_day = 2};
    bank_open();
    cr_assert(tb_account_list(bank, account_count, &n) == 0 && n == 7);
    cr_assert(tb_report_get(bank, &ask, &json) == 0 && strlen(json) > 300 * 1024);
    free(json);
    cr_assert(submit(2, "m2") == 0);
    cr_assert(tb_entry_get(bank, 4, &entry) == 0, "%s", tb_bank_message(bank));
    cr_assert(entry.order.minutes == 61 && strcmp(entry.order.from, "m1") == 0);
    cr_assert(strcmp(entry.order.why, "because") == 0 && strcmp(entry.order.offer, "") == 0);
    cr_assert(entry.order.authority == TB_BY_BROKER);
    cr_assert(strcmp(entry.state, "waiting") == 0 && entry.event == TB_EVENT_NONE);
    cr_assert(memcmp(entry.leaf, fake.leaves[4].b, 32) == 0, "what a confirm quotes");
    cr_assert(tb_status_get(bank, &status) == 0 && status.size == fake.n_leaves);
}

Test(lib_bank, tells_balances_of_accounts_that_are_no_side, .init = setup, .fini = teardown) {
    struct tb_batch *batch = NULL;
    struct tb_answer *answer = NULL;
    const char *code = NULL;
    size_t place = 9;
    int64_t minutes = 0;
    bank_open();
    batch = client_state_batch(bank, 3, "m2");
    cr_assert(tb_batch_submit(batch, &answer) == 0, "%s", tb_bank_message(bank));
    tb_batch_free(batch);
    cr_assert(tb_answer_others(answer) == 2);
    cr_assert(tb_answer_other(answer, 0, &place, &code, &minutes) == 0);
    cr_assert(place == 0 && strcmp(code, "chest") == 0 && minutes == 30);
    cr_assert(tb_answer_other(answer, 1, &place, &code, &minutes) == 0);
    cr_assert(place == 2 && strcmp(code, "m9") == 0 && minutes == -45);
    cr_assert(tb_answer_other(answer, 2, &place, &code, &minutes) == -EINVAL);
    cr_assert(tb_answer_others(NULL) == 0);
    tb_answer_free(answer);
}

static int row_count(void *user, const struct tb_register_row *row) {
    unsigned *n = user;
    cr_assert(row->count == *n && row->mark_bytes == 1 && row->mark[0] == *n);
    cr_assert(strcmp(row->what, "unused") == 0 && strcmp(row->account, "") == 0);
    cr_assert(row->minutes == -60 && row->flag == 1 && row->key[0] == 9);
    cr_assert(row->key_bytes == (*n % 2 == 0 ? 32 : 16));
    cr_assert(row->due_ms == UINT64_C(1741132800000));
    (*n)++;
    return 0;
}

Test(lib_bank, lists_the_tables_of_the_register, .init = setup, .fini = teardown) {
    static const uint8_t mark[] = {4};
    struct tb_register_ask ask = {.after = mark, .after_bytes = 1};
    struct tb_list *list = NULL;
    unsigned n = 0;
    bank_open();
    cr_assert(tb_register_list(bank, TB_REGISTER_VOUCHERS_MINTED, NULL, row_count, &n) == 0);
    cr_assert(n == 7);
    n = 5;
    cr_assert(tb_register_list(bank, TB_REGISTER_VOUCHERS_MINTED, &ask, row_count, &n) == 0);
    cr_assert(n == 7, "it goes on behind the mark");
    ask = (struct tb_register_ask){.code = "m1"};
    cr_assert(tb_register_begin(bank, TB_REGISTER_VOUCHERS_MINTED, &ask, &list) == 0);
    cr_assert(!tb_register_next(list) && tb_list_end(list) == 0, "nothing of that account");
    ask = (struct tb_register_ask){.from_day = 2, .to_day = 1};
    cr_assert(tb_register_begin(bank, TB_REGISTER_VOUCHERS_MINTED, &ask, &list) == 0);
    cr_assert(!tb_register_next(list) && tb_list_end(list) == 0, "nothing in those days");
    cr_assert(tb_register_begin(bank, TB_REGISTER_PERSONS, NULL, NULL) == -EINVAL);
    cr_assert(tb_register_list(bank, TB_REGISTER_PERSONS, NULL, NULL, NULL) == -EINVAL);
}

Test(lib_bank, ends_a_register_that_turns_in_a_circle, .init = setup, .fini = teardown) {
    unsigned n = 0;
    bank_open();
    fake.turns = 1;
    cr_assert(tb_register_list(bank, TB_REGISTER_VOUCHERS_MINTED, NULL, row_count, &n) == -EPROTO);
    cr_assert(n == 6, "%u", n);
}

Test(lib_bank, sends_reasons_beside_the_batch, .init = setup, .fini = teardown) {
    struct tb_batch *batch = NULL;
    struct tb_answer *answer = NULL;
    struct tb_order order = TB_ORDER_INIT;
    bank_open();
    cr_assert(tb_batch_new(bank, &batch) == 0);
    order.kind = TB_FREEZE;
    order.to = "m1";
    order.why = "moved away";
    cr_assert(tb_batch_add(batch, &order, NULL) == 0);
    cr_assert(tb_batch_submit(batch, &answer) == 0 && fake.n_notes == 1);
    cr_assert(memmem(fake.last_order.data, fake.last_order.n, "moved", 5) == NULL);
    tb_answer_free(answer);
    tb_batch_free(batch);
}

Test(lib_bank, survives_a_restart_of_the_daemon, .init = setup, .fini = teardown) {
    bank_open();
    cr_assert(submit(1, "m2") == 0);
    fake_bank_stop(&fake);
    struct tb_status status;
    cr_assert(tb_bank_set_deadline(bank, 200) == 0);
    cr_assert(tb_status_get(bank, &status) == TB_NO_BANK);
    fake_bank_serve(&fake);
    cr_assert(tb_bank_set_deadline(bank, 2000) == 0);
    cr_assert(submit(1, "m2") == 0, "%s", tb_bank_message(bank));
}

/* ------------------------------------------------------------------- lies */

static void expect_caught(int r, int lie) {
    cr_assert(r == -EBADMSG, "lie %d: %d %s", lie, r, tb_bank_message(bank));
    cr_assert(strstr(tb_bank_message(bank), "does not verify"), "lie %d: %s", lie,
              tb_bank_message(bank));
    struct stat status;
    cr_assert(tb_bank_evidence(bank)[0] && stat(tb_bank_evidence(bank), &status) == 0, "lie %d",
              lie);
    cr_assert((status.st_mode & 0777) == 0600 && status.st_size > 100);
    cr_assert(strstr(tb_bank_message(bank), tb_bank_evidence(bank)), "lie %d", lie);
}

Test(lib_bank, catches_a_welcome_that_is_not_the_ledgers, .init = setup, .fini = teardown) {
    fake.lie = FAKE_WELCOME;
    expect_caught(tb_bank_open(bank, fake.address), FAKE_WELCOME);
    cr_assert(files_count("pins", "") == 0, "nothing was pinned");
}

/* Two lies leave proof that a stranger must believe; of the others the file says that it is none.
 */
static void expect_explained(int lie, bool is_proof) {
    char why[1024] = "";
    struct tb_verified *verified = NULL;
    struct tb_verify_ask ask = {.verifier_key = tb_bank_verifier_key(bank)};
    int r = tb_verify(tb_bank_evidence(bank), &ask, &verified, why, sizeof(why));
    if (is_proof)
        cr_assert(r == 0 && strstr(tb_verified_sentence(verified, 0, NULL), "two histories"),
                  "lie %d: %d %s", lie, r, why);
    else
        cr_assert(r == TB_NOT_VERIFIED && (strstr(why, "proves nothing") || strstr(why, "connect")),
                  "lie %d: %d %s", lie, r, why);
    tb_verified_free(verified);
}

/* Each lie about a head or an answer, in a fresh ledger's third batch. */
Test(lib_bank, catches_every_lie_with_evidence, .init = setup, .fini = teardown) {
    for (int lie = FAKE_HEAD; lie < FAKE_LIES; lie++) {
        fake.lie = FAKE_HONEST;
        bank_open();
        cr_assert(submit(1, "m2") == 0 && submit(3, "m2") == 0, "%d %s", lie,
                  tb_bank_message(bank));
        size_t n_evidence = files_count("evidence", "");
        fake.lie = lie;
        expect_caught(submit(3, "m2"), lie);
        cr_assert(files_count("evidence", "") == n_evidence + 1, "lie %d", lie);
        expect_explained(lie, lie == FAKE_FORK);
        cr_assert(files_count("outbox", "") == 1, "lie %d: what became of it is not known", lie);
        /* Every lie begins with an honest ledger and an empty state. */
        bank = tb_bank_free(bank);
        fake_bank_fini(&fake);
        setup();
    }
}

Test(lib_bank, catches_a_ledger_that_went_back_while_it_was_away, .init = setup, .fini = teardown) {
    bank_open();
    cr_assert(submit(3, "m2") == 0);
    bank_again();
    fake.n_leaves -= 2;
    expect_caught(tb_bank_open(bank, fake.address), FAKE_ROLLBACK);
}

Test(lib_bank, catches_two_heads_of_one_size, .init = setup, .fini = teardown) {
    struct tb_status status;
    bank_open();
    cr_assert(submit(3, "m2") == 0);
    fake.lie = FAKE_SAME_SIZE;
    expect_caught(tb_status_get(bank, &status), FAKE_SAME_SIZE);
    expect_explained(FAKE_SAME_SIZE, true);
}

/* Whose size is known need not be shown again: the greeting's head is all that tells. */
Test(lib_bank, catches_another_ledger_of_the_size_that_was_seen, .init = setup, .fini = teardown) {
    bank_open();
    cr_assert(submit(3, "m2") == 0);
    bank_again();
    fake.leaves[fake.n_leaves - 1].b[0] ^= 1;
    expect_caught(tb_bank_open(bank, fake.address), FAKE_SAME_SIZE);
    expect_explained(FAKE_SAME_SIZE, true);
}

Test(lib_bank, the_saved_head_never_goes_back, .init = setup, .fini = teardown) {
    uint64_t size = 0;
    bank_open();
    cr_assert(submit(1, "m2") == 0);
    /* A second program goes on while the first holds the older head, and ends later. */
    struct tb_bank *first = bank;
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        usleep(400000);
        tb_bank_free(first);
        _exit(0);
    }
    cr_assert(submit(3, "m2") == 0);
    bank_again();
    waitpid(child, NULL, 0);
    bank_open();
    tb_bank_position(bank, &size, NULL);
    cr_assert(size == fake.n_leaves, "%lu", (unsigned long)size);
}
