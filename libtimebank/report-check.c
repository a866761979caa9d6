/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report's own reply first; then, of an earlier position, the tree up to that position and from
 * there to the head of the report's reply, which the library has connected with all others.
 */
#include "report-check.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "proto/merkle.h"
#include "proto/report-text.h"
#include "reply.h"
#include "verify.h"
#include "wire.h"

enum check_stage {
    STAGE_REPORT,
    STAGE_BEFORE, /* the tree up to the report's position */
    STAGE_AFTER,  /* from there to the head of the reply */
};

struct report_check {
    struct tb_report_ask ask; /* without its texts */
    enum check_stage stage;
    bool asked_anew; /* on another link, where the ledger's newest key may be known */
    struct report_checked checked;
    uint64_t size; /* the report's position */
    struct hash root;
    struct note_head until;
    struct merkle_range tree;
};

/* ------------------------------------------------------------------ signature */

static int signature_judge(struct tb_call *call, const Timebank__Report *message) {
    struct report_check *check = call->job;
    struct report_checked *checked = &check->checked;
    const struct note_verifier *verifier = &call->bank->verifier;
    if (message->signature.len != SSHSIG_SIGNATURE_BYTES || message->key.len != NOTE_KEY_BYTES)
        return verify_fail(call->bank, NULL, 0, "A report came without the ledger's signature.");
    if (memcmp(message->key.data, verifier->key, NOTE_KEY_BYTES) != 0) {
        /* The ledger may have changed its key since it greeted us. */
        if (!check->asked_anew) {
            check->asked_anew = true;
            return -ECONNRESET;
        }
        return verify_fail(call->bank, NULL, 0,
                           "A report is signed by another key than the "
                           "ledger's.");
    }
    bytes_clear(&checked->text);
    bytes_put(&checked->text, message->json.data, message->json.len);
    bytes_put_u8(&checked->text, '\n');
    if (checked->text.r < 0)
        return checked->text.r;
    memcpy(checked->key, message->key.data, NOTE_KEY_BYTES);
    memcpy(checked->signature, message->signature.data, SSHSIG_SIGNATURE_BYTES);
    if (sshsig_verify(SSHSIG_REPORT, checked->text.data, checked->text.n, checked->key,
                      checked->signature) < 0)
        return verify_fail(call->bank, NULL, 0, "The signature on a report is not right.");
    return 0;
}

/* ------------------------------------------------------------------- question */

static bool answers_class(const struct tb_report_ask *ask, const struct report_text *report) {
    const char *name = tb_report_class_name((int)ask->report_class);
    return ask->report_class == TB_CLASS_OF_KEY ||
           (name && lines_equals(report->report_class, name));
}

/* The earlier knowledge that changes are told from. */
static bool is_since(const struct tb_report_ask *ask, const struct report_text *report) {
    int64_t size;
    char day[16];
    if (!report_text_integer(report_text_member(report->since, "size"), &size) ||
        (ask->since_size != 0 && (uint64_t)size != ask->since_size))
        return false;
    if (ask->since_known_day == 0)
        return true;
    struct lines known = report_text_member(report->since, "as_known_at");
    tb_date_format(ask->since_known_day, day);
    return known.n == strlen(day) + 2 && memcmp(known.text + 1, day, strlen(day)) == 0;
}

/* What the report says of itself is what was asked for; NULL, or what is not. */
static const char *find_other(const struct tb_call *call, const struct report_text *report) {
    const struct tb_report_ask *ask = &((const struct report_check *)call->job)->ask;
    if (!report_text_equals(report->bank, call->bank->verifier.name))
        return "bank";
    if (report->from_day != ask->from_day || report->to_day != ask->to_day)
        return "period";
    if (!answers_class(ask, report))
        return "class";
    if (ask->known_day != 0 && report->known_day != ask->known_day)
        return "cut-off";
    if (report->as_recorded != (ask->as_recorded != 0))
        return "way of dating entries";
    if (report->size == 0 || (ask->at_size != 0 && report->size != ask->at_size))
        return "position";
    return ask->what == TB_REPORT_CHANGES && !is_since(ask, report) ? "earlier position" : NULL;
}

static int checksum_judge(struct tb_call *call, struct lines measures, struct lines checksum) {
    char found[2 * HASH_BYTES + 1];
    if (measures.n == 0 && checksum.n == 0)
        return 0;
    int r = report_text_checksum(measures, found);
    if (r < 0)
        return r;
    return lines_equals(checksum, found)
               ? 0
               : verify_fail(call->bank, NULL, 0,
                             "The checksum in a report is not that of its "
                             "figures.");
}

static int figures_judge(struct tb_call *call, const struct report_text *report) {
    if (!lines_equals(report->definition, RECORD_REPORT_DEFINITION))
        return bank_fail(call->bank, -EPROTO,
                         "The bank's report is of another set of definitions than this program "
                         "knows (%s): use a newer program.",
                         RECORD_REPORT_DEFINITION);
    if (report->measures.n == 0)
        return verify_fail(call->bank, NULL, 0, "A report came without figures.");
    int r = checksum_judge(call, report->measures, report->checksum);
    return r == 0 ? checksum_judge(call, report->further_measures, report->further_checksum) : r;
}

static int text_judge(struct tb_call *call, struct report_text *ret) {
    struct report_check *check = call->job;
    const struct bytes *text = &check->checked.text;
    int r = report_text_parse(ret, text->data, text->n - 1);
    if (r == -EBADMSG)
        return verify_fail(call->bank, NULL, 0, "A report came in a form that no bank sends.");
    if (r < 0)
        return r;
    const char *other = find_other(call, ret);
    if (other)
        return verify_fail(call->bank, NULL, 0, "A report came of another %s than was asked for.",
                           other);
    return check->ask.what == TB_REPORT_FIGURES ? figures_judge(call, ret) : 0;
}

/* ------------------------------------------------------------------- position */

static int position_fail(struct tb_call *call) {
    const struct report_check *check = call->job;
    return verify_fail(call->bank, call->seen.checkpoint.data, call->seen.checkpoint.n,
                       "A report stands on %" PRIu64 " records that are not the ledger's own.",
                       check->size);
}

/* Where there is a position to hold against the head of the same reply. */
static int position_judge(struct tb_call *call, const struct report_text *report) {
    struct report_check *check = call->job;
    check->size = report->size;
    check->root = report->root;
    check->until = call->seen.head;
    if (check->size > check->until.size)
        return position_fail(call);
    if (check->size == check->until.size && !hash_equal(&check->root, &check->until.root))
        return position_fail(call);
    return 0;
}

static int report_judge(struct tb_call *call) {
    const Timebank__Report *message = call->reply->message->report;
    struct report_text report;
    if (message->json.len == 0 && message->release.len > 0)
        return 0;
    if (message->json.len == 0 || message->json.len > REPORT_TEXT_MAX)
        return -EPROTO;
    int r = signature_judge(call, message);
    if (r == 0)
        r = text_judge(call, &report);
    return r == 0 ? position_judge(call, &report) : r;
}

/* Hashes that lead from where the tree ends to `end`. */
static int tree_extend(struct report_check *check, const ProtobufCBinaryData *data, uint64_t end) {
    struct hash hashes[MERKLE_RANGE_MAX];
    struct merkle_range range;
    if (data->len % HASH_BYTES != 0 || data->len > sizeof(hashes))
        return -EBADMSG;
    if (data->len > 0)
        memcpy(hashes, data->data, data->len);
    if (merkle_range_load(&range, check->tree.end, end, hashes, data->len / HASH_BYTES) < 0)
        return -EBADMSG;
    merkle_range_join(&check->tree, &range, NULL, NULL);
    return 0;
}

static int ranges_judge(struct tb_call *call) {
    struct report_check *check = call->job;
    bool is_before = check->stage == STAGE_BEFORE;
    const struct hash *wanted = is_before ? &check->root : &check->until.root;
    int r = tree_extend(check, &call->reply->message->ranges->hashes,
                        is_before ? check->size : check->until.size);
    if (r < 0)
        return verify_fail(call->bank, NULL, 0, "Hashes of the tree came cut off.");
    struct hash root = merkle_range_root(&check->tree);
    return hash_equal(&root, wanted) ? 0 : position_fail(call);
}

/* ----------------------------------------------------------------------- noun */

static int check_judge(struct tb_call *call) {
    const struct report_check *check = call->job;
    return check->stage == STAGE_REPORT ? report_judge(call) : ranges_judge(call);
}

static int ranges_ask(struct tb_call *call) {
    struct report_check *check = call->job;
    Timebank__AskRanges ranges = TIMEBANK__ASK_RANGES__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    ranges.begin = check->tree.end;
    ranges.end = check->stage == STAGE_REPORT ? check->size : check->until.size;
    request.body_case = TIMEBANK__REQUEST__BODY_RANGES;
    request.ranges = &ranges;
    bytes_clear(&call->body);
    int r = wire_body(&request, &call->body);
    if (r < 0)
        return r;
    call->wants = TIMEBANK__RESPONSE__BODY_RANGES;
    check->stage = check->stage == STAGE_REPORT ? STAGE_BEFORE : STAGE_AFTER;
    return 1;
}

static int check_end(struct tb_call *call, int *r, bool known) {
    struct report_check *check = call->job;
    (void)known;
    if (*r != 0 || check->stage == STAGE_AFTER || check->size == check->until.size ||
        call->is_forgotten)
        return 0;
    int goes_on = ranges_ask(call);
    if (goes_on < 0)
        *r = goes_on;
    return goes_on > 0;
}

static void check_free(struct tb_call *call) {
    struct report_check *check = call->job;
    bytes_fini(&check->checked.text);
    free(check);
}

static const struct call_noun report_noun = {
    .judge = check_judge,
    .end = check_end,
    .free = check_free,
};

int report_check_attach(struct tb_call *call, const struct tb_report_ask *ask) {
    struct report_check *check = calloc(1, sizeof(*check));
    if (!check) {
        struct tb_bank *bank = call->bank;
        call_release(call);
        return bank_fail(bank, -ENOMEM, NULL);
    }
    check->ask = *ask;
    check->ask.why = NULL;
    merkle_range_init(&check->tree, 0);
    call->noun = &report_noun;
    call->job = check;
    return 0;
}

const struct report_checked *report_check_result(const struct tb_call *call) {
    if (call->noun != &report_noun || call->stage != CALL_ENDED || call->r != 0)
        return NULL;
    const struct report_check *check = call->job;
    return check->checked.text.n > 0 ? &check->checked : NULL;
}
