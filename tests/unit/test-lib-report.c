/* SPDX-License-Identifier: Apache-2.0 */
/* Reports asked of a bank that lies: whatever it changes before or after signing ends as evidence.
 */
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#include "client-state.h"
#include "fake-bank.h"
#include "helpers.h"
#include "proto/report-text.h"
#include "proto/text64.h"
#include "timebank.h"

static struct fake_bank fake;
static struct tb_bank *bank;

static void submit(void) {
    struct tb_batch *batch = NULL;
    struct tb_answer *answer = NULL;
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_EXCHANGE;
    order.from = "m1";
    order.to = "m2";
    order.minutes = 60;
    order.service_day = 20000;
    cr_assert(tb_batch_new(bank, &batch) == 0);
    cr_assert(tb_batch_add(batch, &order, NULL) == 0);
    cr_assert(tb_batch_submit(batch, &answer) == 0, "%s", tb_bank_message(bank));
    tb_answer_free(answer);
    tb_batch_free(batch);
}

static void setup(void) {
    char state[CLIENT_PATH_BYTES], key[CLIENT_PATH_BYTES];
    fake_bank_start(&fake);
    client_state_begin(fake.directory, state, key);
    bank = client_state_bank(state, key, 2000);
    cr_assert(tb_bank_open(bank, fake.address) == 0, "%s", tb_bank_message(bank));
    for (int i = 0; i < 5; i++)
        submit();
}

static void teardown(void) {
    bank = tb_bank_free(bank);
    fake_bank_fini(&fake);
}

TestSuite(lib_report, .timeout = 60, .init = setup, .fini = teardown);

static struct tb_report_ask ask = {.from_day = 19814, .to_day = 20178};

static void expect_honest(uint64_t size) {
    char *json = NULL, *signature = NULL;
    struct report_text report;
    int r = tb_report_get(bank, &ask, &json);
    cr_assert(r == 0, "%s", tb_bank_message(bank));
    cr_assert(tb_report_last_signature(bank, &signature) == 0);
    cr_assert(report_text_parse(&report, json, strlen(json)) == 0 && report.size == size);
    cr_assert(strncmp(signature, "-----BEGIN SSH SIGNATURE-----\n", 30) == 0);
    free(json);
    free(signature);
}

Test(lib_report, of_the_newest_position_is_believed) {
    expect_honest(fake.n_leaves);
}

Test(lib_report, of_every_earlier_position_is_believed) {
    for (ask.at_size = 1; ask.at_size <= fake.n_leaves; ask.at_size++)
        expect_honest(ask.at_size);
    ask.at_size = 0;
}

Test(lib_report, is_read_on_the_callers_loop_with_others_under_way) {
    struct tb_call *calls[3] = {};
    char *json = NULL, *signature = NULL;
    ask.at_size = 3;
    for (size_t i = 0; i < 3; i++)
        cr_assert(tb_report_start(bank, &ask, &calls[i]) == 0);
    cr_assert(tb_report_read(calls[0], &json) == -EINVAL);
    cr_assert(tb_call_wait(calls[2]) == 0, "%s", tb_bank_message(bank));
    tb_call_free(calls[1]); /* whatever its stage */
    cr_assert(tb_call_wait(calls[0]) == 0);
    for (size_t i = 0; i < 3; i += 2) {
        cr_assert(tb_report_read(calls[i], &json) == 0);
        cr_assert(tb_report_signature(calls[i], &signature) == 0);
        free(json);
        free(signature);
        tb_call_free(calls[i]);
    }
    ask.at_size = 0;
}

/* ---------------------------------------------------------------- lies */

static const char *was, *is;

static void swap(struct fake_bank *of, struct bytes *json) {
    (void)of;
    uint8_t *at = memmem(json->data, json->n, was, strlen(was));
    cr_assert(at, "%s", was);
    struct bytes text = {};
    bytes_put(&text, json->data, (size_t)(at - json->data));
    bytes_put_text(&text, is);
    at += strlen(was);
    bytes_put(&text, at, (size_t)(json->data + json->n - at));
    bytes_fini(json);
    *json = text;
}

static void expect_caught(const char *sentence) {
    char *json = NULL;
    int r = tb_report_get(bank, &ask, &json);
    cr_assert(r == -EBADMSG, "%s: %d %s", sentence, r, tb_bank_message(bank));
    cr_assert(strstr(tb_bank_message(bank), sentence), "%s", tb_bank_message(bank));
    cr_assert(strstr(tb_bank_message(bank), "Evidence: "));
    cr_assert(json == NULL);
}

Test(lib_report, of_another_question_is_caught) {
    static const char *const lies[][3] = {
        {"\"from\":\"2024-04-01\"", "\"from\":\"2024-05-01\"", "another period"},
        {"\"to\":\"2025-03-31\"", "\"to\":\"2025-3-31\"", "another period"},
        {"\"from\":\"2024-04-01\",", "", "another period"},
        {"\"bank\":\"", "\"bank\":\"other.", "another bank"},
        {"\"class\":\"internal\"", "\"class\":\"funder\"", "another class"},
        {"\"class\"", "\"as_recorded\":true,\"class\"", "another way of dating"},
        {"\"position\":{\"size\":", "\"position\":{\"size\":9", "not the ledger's own"},
        {"\"position\"", "\"positiom\"", "another position"},
        {"\"givers\":7", "\"givers\":8", "checksum"},
        {"\"givers\":7", "\"givers\":7.5", "in a form that no bank sends"},
        {"\"givers\":7", "\"givers\":7,\"givers\":7", "in a form that no bank sends"},
        {"\"measures\"", "\"measures\":{},\"measures\"", "in a form that no bank sends"},
        {"{\"definition\"", "[{\"definition\"", "in a form that no bank sends"},
        {"\"by_month\":{}", "\"by_month\":NaN", "in a form that no bank sends"},
        {"\"measures\"", "\"figures\"", "without figures"},
    };
    ask.report_class = TB_CLASS_INTERNAL;
    fake.spoil_json = swap;
    for (size_t i = 0; i < N_ELEMENTS(lies); i++) {
        was = lies[i][0];
        is = lies[i][1];
        expect_caught(lies[i][2]);
    }
    fake.spoil_json = NULL;
    expect_honest(fake.n_leaves);
    ask.report_class = TB_CLASS_OF_KEY;
}

Test(lib_report, of_another_cut_off_or_position_is_caught) {
    fake.spoil_json = swap;
    ask.known_day = 20100;
    was = "\"as_known_at\":\"2025-01-12\"";
    is = "\"as_known_at\":\"2025-01-13\"";
    expect_caught("another cut-off");
    ask.known_day = 0;
    ask.at_size = 7;
    was = "{\"size\":7";
    is = "{\"size\":6";
    expect_caught("another position");
    ask.at_size = 0;
}

static void root_swap(struct fake_bank *of, struct bytes *json) {
    struct bytes one = {}, other = {};
    struct hash root = merkle_root(of->leaves, ask.at_size ? ask.at_size : of->n_leaves);
    text64_encode(&one, root.b, HASH_BYTES);
    root.b[0] ^= 1;
    text64_encode(&other, root.b, HASH_BYTES);
    _cleanup_(freep) char *real = bytes_take_text(&one);
    _cleanup_(freep) char *forged = bytes_take_text(&other);
    was = real;
    is = forged;
    swap(of, json);
    was = is = NULL;
}

Test(lib_report, on_a_forged_root_is_caught) {
    fake.spoil_json = root_swap;
    expect_caught("not the ledger's own");
    ask.at_size = 4;
    expect_caught("not the ledger's own");
    ask.at_size = 0;
}

static void key_other(struct fake_bank *of, Timebank__Report *report) {
    static uint8_t public_key[32];
    memcpy(public_key, of->other_secret + 32, 32);
    report->key = (ProtobufCBinaryData){.len = 32, .data = public_key};
    _cleanup_bytes_ struct bytes text = {};
    bytes_put(&text, report->json.data, report->json.len);
    bytes_put_u8(&text, '\n');
    cr_assert(sshsig_sign(SSHSIG_REPORT, text.data, text.n, of->other_secret,
                          report->signature.data) == 0);
}

static void signature_other(struct fake_bank *of, Timebank__Report *report) {
    (void)of;
    report->signature.data[3] ^= 1;
}

static void signature_none(struct fake_bank *of, Timebank__Report *report) {
    (void)of;
    report->signature.len = 0;
}

static void json_other(struct fake_bank *of, Timebank__Report *report) {
    (void)of;
    report->json.data[report->json.len - 4] ^= 1;
}

Test(lib_report, that_the_ledger_did_not_sign_is_caught) {
    fake.spoil_report = key_other;
    expect_caught("another key");
    fake.spoil_report = signature_other;
    expect_caught("signature on a report is not right");
    fake.spoil_report = signature_none;
    expect_caught("without the ledger's signature");
    fake.spoil_report = json_other;
    expect_caught("signature on a report is not right");
    fake.spoil_report = NULL;
    expect_honest(fake.n_leaves);
}

static void json_none(struct fake_bank *of, Timebank__Report *report) {
    (void)of;
    report->json.len = 0;
}

static void nothing_huge(struct fake_bank *of, struct bytes *json) {
    (void)of;
    cr_assert(bytes_reserve(json, REPORT_TEXT_MAX));
}

Test(lib_report, that_is_none_or_too_long_is_not_read) {
    char *json = NULL;
    fake.spoil_report = json_none;
    cr_assert(tb_report_get(bank, &ask, &json) == -EPROTO);
    fake.spoil_report = NULL;
    fake.spoil_json = nothing_huge;
    cr_assert(tb_report_get(bank, &ask, &json) == -EPROTO);
    cr_assert(tb_report_get(NULL, &ask, &json) == -EINVAL);
    cr_assert(tb_report_last_signature(bank, &json) == -EINVAL);
    cr_assert(tb_report_last_signature(NULL, &json) == -EINVAL);
}
