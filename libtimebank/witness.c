/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has witnesses cosign the head of an export. The size that a witness last cosigned is kept beside
 * the export as a hint (witness/<hash of its key>); where the hint is wrong the witness says so,
 * and is asked once more with the right proof. The log's own lines stay first, and nothing is
 * written that does not verify.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "policy-check.h"
#include "proto/lines.h"
#include "proto/text64.h"
#include "timebank.h"
#include "witness-answer.h"
#include "witness-proof.h"

#define TRIES_MAX 3 /* the hint, the size it says, and one more where it has gone on meanwhile */

struct witness_run {
    const char *directory;
    const struct tb_witness_ask *ask;
    struct witness_policy *policy;
    struct note_verifier verifier;
    struct note_head head;
    struct witness_proof *proof;
    struct bytes checkpoint; /* as it was read */
    struct bytes own; /* its text, the blank line, and what no witness of the policy signed */
    size_t n_text;
    struct bytes lines[WITNESS_POLICY_EACH]; /* of each witness, with its newline, or empty */
    char *why;
    size_t n_why;
};

static int say(struct witness_run *run, int r, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int say(struct witness_run *run, int r, const char *format, ...) {
    va_list arguments;
    if (run->n_why == 0)
        return r;
    va_start(arguments, format);
    vsnprintf(run->why, run->n_why, format, arguments);
    va_end(arguments);
    return r;
}

static void run_fini(struct witness_run *run) {
    free(run->policy);
    free(run->proof);
    bytes_fini(&run->checkpoint);
    bytes_fini(&run->own);
    for (size_t i = 0; i < WITNESS_POLICY_EACH; i++)
        bytes_fini(&run->lines[i]);
}

/* ---- the export */

static int path_make(const struct witness_run *run, const char *name, char ret[PATH_MAX]) {
    int n = snprintf(ret, PATH_MAX, "%s/%s", run->directory, name);
    return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int checkpoint_read(struct witness_run *run, struct bytes *to) {
    char path[PATH_MAX];
    int r = path_make(run, "checkpoint", path);
    if (r == 0)
        r = file_read(path, NOTE_COSIGNED_MAX, to);
    if (r < 0)
        return say(run, TB_BAD_FILE,
                   "%s/checkpoint cannot be read (%s): name a directory that timebank ledger "
                   "export made.",
                   run->directory, strerror(-r));
    return 0;
}

/* Which witness of the policy signed the line well; -1: none. A line of one that is false, or a
 * second of the same, counts as nobody's and is dropped by the caller. */
static int line_owner(const struct witness_run *run, struct lines line, bool *ret_is_false) {
    uint64_t seconds;
    *ret_is_false = false;
    for (size_t i = 0; i < run->policy->n_witnesses; i++) {
        int r = cosignature_check(&run->policy->witnesses[i].verifier, line.text, line.n,
                                  (const char *)run->checkpoint.data, run->n_text, &seconds);
        if (r == 1)
            return (int)i;
        *ret_is_false |= r < 0;
    }
    return -1;
}

/* Parts the checkpoint into the log's own and what the witnesses gave earlier. */
static int checkpoint_part(struct witness_run *run) {
    const char *text = (const char *)run->checkpoint.data;
    const char *blank = memmem(text, run->checkpoint.n, "\n\n", 2);
    bool is_false;
    run->n_text = (size_t)(blank + 1 - text);
    struct lines rest = lines_make(blank + 2, run->checkpoint.n - run->n_text - 1), line;
    bytes_put(&run->own, text, run->n_text + 1);
    while (lines_cut(&rest, '\n', &line)) {
        int i = line_owner(run, line, &is_false);
        if (i >= 0 && run->lines[i].n == 0)
            bytes_put(&run->lines[i], line.text, line.n + 1);
        if (i < 0 && !is_false)
            bytes_put(&run->own, line.text, line.n + 1);
    }
    return run->own.r;
}

static int export_open(struct witness_run *run) {
    int r = checkpoint_read(run, &run->checkpoint);
    if (r != 0)
        return r;
    r = note_checkpoint_open(run->checkpoint.data, run->checkpoint.n, &run->verifier, &run->head);
    if (r == -EBADMSG)
        return say(run, TB_NOT_VERIFIED,
                   "The head in %s is not signed by that key: check --ledger, or export the ledger "
                   "again.",
                   run->directory);
    if (r == 0)
        r = witness_proof_open(run->proof, run->directory, &run->head);
    if (r == -EBADMSG)
        return say(run, TB_NOT_VERIFIED,
                   "The tiles in %s do not add up to its head: export the ledger again into an "
                   "empty directory.",
                   run->directory);
    return r < 0 ? r : checkpoint_part(run);
}

/* ---- the hint */

static int hint_path(const struct witness_run *run, size_t i, char ret[PATH_MAX]) {
    const struct cosignature_verifier *verifier = &run->policy->witnesses[i].verifier;
    char name[8 + 16 + 1] = "witness/";
    struct hash hash = hash_of(verifier->key, sizeof(verifier->key));
    text64_hex(name + 8, hash.b, 8);
    return path_make(run, name, ret);
}

static uint64_t hint_read(const struct witness_run *run, size_t i) {
    _cleanup_bytes_ struct bytes file = {};
    char path[PATH_MAX];
    struct lines rest, line;
    uint64_t size;
    if (hint_path(run, i, path) < 0 || file_read(path, 64, &file) < 0)
        return 0;
    rest = lines_make(file.data, file.n);
    if (!lines_cut(&rest, '\n', &line) || lines_decimal(line, &size) < 0)
        return 0;
    return size <= run->head.size ? size : 0;
}

static int hint_write(const struct witness_run *run, size_t i) {
    char path[PATH_MAX], text[32];
    int r = path_make(run, "witness", path);
    if (r == 0)
        r = file_make_directories(path, 0755);
    if (r == 0)
        r = hint_path(run, i, path);
    if (r < 0)
        return r;
    int n = snprintf(text, sizeof(text), "%" PRIu64 "\n", run->head.size);
    return file_replace(path, 0644, text, (size_t)n);
}

/* ---- asking */

static int post(struct witness_run *run, const struct witness_policy_witness *witness,
                uint64_t old_size, struct tb_http_answer *ret, char *why, size_t n_why) {
    _cleanup_bytes_ struct bytes body = {}, url = {};
    size_t n_url = strlen(witness->url);
    bytes_printf(&body, "old %" PRIu64 "\n", old_size);
    int r = witness_proof_put(run->proof, old_size, &body);
    bytes_put_u8(&body, '\n');
    bytes_put(&body, run->own.data, run->own.n);
    while (n_url > 0 && witness->url[n_url - 1] == '/')
        n_url--;
    bytes_put(&url, witness->url, n_url);
    bytes_put_text(&url, "/add-checkpoint");
    bytes_put_u8(&url, 0);
    if (r == 0)
        r = body.r < 0 ? body.r : url.r;
    if (r < 0)
        return r;
    return run->ask->post(run->ask->user, (const char *)url.data, body.data, body.n, ret, why,
                          n_why);
}

static void answer_tell(struct witness_run *run, size_t i, int r, const char *sentence) {
    if (run->ask->each)
        run->ask->each(run->ask->user, run->policy->witnesses[i].name, r, sentence);
}

static int answer_keep(struct witness_run *run, size_t i, const struct witness_answer *answer) {
    bytes_clear(&run->lines[i]);
    bytes_put(&run->lines[i], answer->line, answer->n_line);
    int r = run->lines[i].r < 0 ? run->lines[i].r : hint_write(run, i);
    if (r < 0)
        return say(run, r, "%s cannot be written (%s): make it writable.", run->directory,
                   strerror(-r));
    return 0;
}

static int witness_ask(struct witness_run *run, size_t i, struct tb_http_answer *http) {
    const struct witness_policy_witness *witness = &run->policy->witnesses[i];
    struct witness_asked asked = {.witness = witness,
                                  .text = (const char *)run->checkpoint.data,
                                  .n_text = run->n_text,
                                  .size = run->head.size,
                                  .old_size = hint_read(run, i)};
    struct witness_answer answer;
    char why[200] = "";
    for (int n_tries = 0; n_tries < TRIES_MAX; n_tries++) {
        int r = post(run, witness, asked.old_size, http, why, sizeof(why));
        if (r < 0) {
            char sentence[WITNESS_WHY_BYTES];
            snprintf(sentence, sizeof(sentence),
                     "%s could not be asked (%s): try again later, or check its address.",
                     witness->name, *why ? why : strerror(-r));
            answer_tell(run, i, r, sentence);
            return 0;
        }
        witness_answer_read(&asked, http, clock_wall_ms() / MS_PER_SECOND, &answer);
        if (answer.outcome != WITNESS_OTHER_SIZE)
            break;
        asked.old_size = answer.size;
        answer.r = TB_NO_QUORUM;
        snprintf(answer.why, sizeof(answer.why),
                 "%s names another head each time it is asked: ask again later.", witness->name);
    }
    int r = answer.outcome == WITNESS_COSIGNED ? answer_keep(run, i, &answer) : 0;
    answer_tell(run, i, answer.r, answer.why);
    return r;
}

static int witnesses_ask(struct witness_run *run) {
    _cleanup_(freep) struct tb_http_answer *http = malloc(sizeof(*http));
    size_t n_asked = 0;
    int r = http ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < run->policy->n_witnesses; i++) {
        if (!*run->policy->witnesses[i].url)
            continue;
        n_asked++;
        r = witness_ask(run, i, http);
    }
    if (r == 0 && n_asked == 0 && run->policy->n_witnesses > 0)
        return say(
            run, TB_BAD_FILE,
            "The policy gives no address of any witness: write it behind the witness's key.");
    return r;
}

/* ---- the outcome */

/* The export may have gone on while the witnesses were asked: their lines are for another head. */
static int checkpoint_is_same(struct witness_run *run) {
    _cleanup_bytes_ struct bytes now = {};
    int r = checkpoint_read(run, &now);
    if (r != 0)
        return r;
    if (now.n < run->n_text + 1 || memcmp(now.data, run->checkpoint.data, run->n_text + 1) != 0)
        return say(run, TB_TRY_LATER,
                   "The export went on while the witnesses were asked: ask them again.");
    return 0;
}

static int checkpoint_write(struct witness_run *run) {
    _cleanup_bytes_ struct bytes whole = {};
    char path[PATH_MAX];
    bytes_put(&whole, run->own.data, run->own.n);
    for (size_t i = 0; i < run->policy->n_witnesses; i++)
        bytes_put(&whole, run->lines[i].data, run->lines[i].n);
    if (whole.r < 0)
        return whole.r;
    int verdict = policy_check_parsed(run->policy, &run->verifier, whole.data, whole.n, NULL,
                                      run->why, run->n_why);
    if (verdict != 0 && verdict != TB_NO_QUORUM)
        return verdict;
    if (whole.n == run->checkpoint.n && memcmp(whole.data, run->checkpoint.data, whole.n) == 0)
        return verdict;
    int r = checkpoint_is_same(run);
    if (r == 0)
        r = path_make(run, "checkpoint", path);
    if (r == 0)
        r = file_replace(path, 0644, whole.data, whole.n);
    return r != 0 ? r : verdict;
}

int tb_ledger_witness(const char *directory, const struct tb_witness_ask *ask, char *why,
                      size_t n_why) {
    _cleanup_(run_fini) struct witness_run run = {
        .directory = directory, .ask = ask, .why = why, .n_why = n_why};
    if (n_why > 0)
        why[0] = '\0';
    if (!directory || !ask || !ask->verifier_key || !ask->policy_file || !ask->post)
        return -EINVAL;
    if (note_verifier_parse(&run.verifier, ask->verifier_key) < 0)
        return say(&run, TB_WRONG_LEDGER,
                   "That is no verifier key of a ledger: copy it whole, from timebank status.");
    run.proof = malloc(sizeof(*run.proof));
    int r = run.proof ? policy_check_read(ask->policy_file, &run.policy, why, n_why) : -ENOMEM;
    if (r == 0)
        r = export_open(&run);
    if (r == 0)
        r = witnesses_ask(&run);
    return r != 0 ? r : checkpoint_write(&run);
}
