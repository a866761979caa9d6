/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs for witnesses out of an export of several levels of tiles, and what is made of the
 * answers, with a witness in the same process. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sodium.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/files.h"
#include "helpers.h"
#include "libtimebank/tile-tree.h"
#include "libtimebank/witness-answer.h"
#include "libtimebank/witness-proof.h"
#include "proto/cosignature.h"
#include "proto/lines.h"
#include "timebank.h"

TestSuite(lib_witness, .timeout = 120);

#define SIZE 70001u /* three levels of tiles, each with a partial one */

static char directory[64], policy_path[100], vkey[400];
static struct note_verifier ledger;
static struct cosignature_verifier witness;
static uint8_t ledger_secret[64], witness_secret[64];
static struct note_head head;

static int tile_write(void *user, const struct tile *tile, const struct hash *hashes) {
    char name[TILE_PATH_MAX], path[200];
    (void)user;
    tile_path(tile, name);
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    cr_assert(file_make_directories(path, 0755) == 0);
    *slash = '/';
    FILE *file = fopen(path, "w");
    cr_assert(file && fwrite(hashes, HASH_BYTES, tile->width, file) == tile->width);
    return fclose(file);
}

static struct hash leaf_of(uint64_t i) {
    return hash_of(&i, sizeof(i));
}

static struct hash root_of(uint64_t size) {
    struct merkle_range range;
    merkle_range_init(&range, 0);
    for (uint64_t i = 0; i < size; i++) {
        struct hash leaf = leaf_of(i);
        merkle_range_append(&range, &leaf, NULL, NULL);
    }
    return merkle_range_root(&range);
}

static void export_make(uint64_t size) {
    static struct tile_tree tree;
    tile_tree_init(&tree, tile_write, NULL);
    for (uint64_t i = 0; i < size; i++) {
        struct hash leaf = leaf_of(i);
        cr_assert(tile_tree_append(&tree, &leaf) == 0);
    }
    cr_assert(tile_tree_cut(&tree) == 0);
    head = (struct note_head){
        .origin = "hove.example/2025", .size = size, .root = merkle_range_root(&tree.range)};
    _cleanup_bytes_ struct bytes note = {};
    cr_assert(note_checkpoint_sign(&head, &ledger, ledger_secret, &note) == 0);
    scratch_write(directory, "checkpoint", note.data, note.n);
}

static void all_make(void) {
    uint8_t seed[32] = {1}, public[32];
    _cleanup_bytes_ struct bytes text = {}, policy = {};
    scratch_make(directory);
    crypto_sign_seed_keypair(public, ledger_secret, seed);
    cr_assert(note_verifier_init(&ledger, "hove.example/2025", public) == 0);
    seed[0] = 2;
    crypto_sign_seed_keypair(public, witness_secret, seed);
    cr_assert(cosignature_verifier_init(&witness, "witness.example/w", public) == 0);
    note_verifier_format(&ledger, &text);
    bytes_put_u8(&text, 0);
    strcpy(vkey, (char *)text.data);
    bytes_put_text(&policy, "witness w ");
    cosignature_verifier_format(&witness, &policy);
    bytes_put_text(&policy, " https://w.example/sub/\nquorum w\n");
    scratch_write(directory, "policy", policy.data, policy.n);
    snprintf(policy_path, sizeof(policy_path), "%s/policy", directory);
}

static void all_remove(void) {
    scratch_remove(directory);
}

static size_t path_read(const struct bytes *text, struct hash *ret) {
    struct lines rest = lines_make(text->data, text->n), line;
    size_t n = 0;
    while (lines_cut(&rest, '\n', &line))
        cr_assert(n < 64 && lines_hash(line, &ret[n++]) == 0);
    return n;
}

Test(lib_witness, proves_from_any_size_that_the_head_extends_it, .init = all_make,
     .fini = all_remove) {
    static const uint64_t sizes[] = {1,     2,     255,   256,   257,   300,   511,   512, 65535,
                                     65536, 65537, 65792, 66000, 69888, 69889, 70000, SIZE};
    static struct witness_proof proof;
    export_make(SIZE);
    cr_assert(witness_proof_open(&proof, directory, &head) == 0, "%s", proof.files.why);
    for (size_t i = 0; i < N_ELEMENTS(sizes); i++) {
        _cleanup_bytes_ struct bytes text = {};
        struct hash path[64], old_root = root_of(sizes[i]);
        cr_assert(witness_proof_put(&proof, sizes[i], &text) == 0, "%s", proof.files.why);
        size_t n = path_read(&text, path);
        cr_assert(merkle_verify_consistency(sizes[i], SIZE, &old_root, &head.root, path, n) == 0,
                  "from %d", (int)sizes[i]);
    }
    _cleanup_bytes_ struct bytes none = {};
    cr_assert(witness_proof_put(&proof, 0, &none) == 0 && none.n == 0);
    cr_assert(witness_proof_put(&proof, SIZE + 1, &none) < 0);
}

Test(lib_witness, finds_a_tile_that_does_not_lead_to_the_head, .init = all_make,
     .fini = all_remove) {
    static struct witness_proof proof;
    export_make(1000);
    head.root.b[7] ^= 1;
    cr_assert(witness_proof_open(&proof, directory, &head) == -EBADMSG);
    head.root.b[7] ^= 1;
    cr_assert(witness_proof_open(&proof, directory, &head) == 0);
    cr_assert(scratch_run(directory, "truncate -s 100 tile/1/000.p/3 tile/0/003.p/232") == 0);
    cr_assert(witness_proof_open(&proof, directory, &head) == -EBADMSG);
    cr_assert(scratch_run(directory, "rm -r tile") == 0);
    cr_assert(witness_proof_open(&proof, directory, &head) == -EBADMSG);
}

/* A witness that knows a head, and each way of answering it. */
static struct {
    uint64_t size; /* that it cosigned last */
    struct hash root;
    int n_asked;
    int status;       /* another one than it should give */
    const char *body; /* of that */
    int outcome;      /* that was told of it */
} known;

static int post(void *user, const char *url, const void *body, size_t n, struct tb_http_answer *ret,
                char *why, size_t n_why) {
    struct lines rest = lines_make(body, n), old, line;
    struct hash path[64];
    struct note_head seen;
    uint64_t old_size;
    size_t n_path = 0;
    (void)user, (void)why, (void)n_why;
    known.n_asked++;
    cr_assert_str_eq(url, "https://w.example/sub/add-checkpoint");
    cr_assert(lines_cut(&rest, '\n', &old) && lines_cut_word(&old, "old"));
    cr_assert(lines_decimal(old, &old_size) == 0);
    while (lines_cut(&rest, '\n', &line) && line.n > 0)
        cr_assert(n_path < 63 && lines_hash(line, &path[n_path++]) == 0);
    cr_assert(note_checkpoint_open(rest.text, rest.n, &ledger, &seen) == 0);
    cr_assert(old_size <= seen.size);
    *ret = (struct tb_http_answer){.status = known.status ? known.status : 200};
    if (known.status) {
        ret->n_body = strlen(known.body);
        memcpy(ret->body, known.body, ret->n_body);
        return 0;
    }
    if (old_size != known.size) {
        ret->status = 409;
        ret->n_body = (size_t)sprintf(ret->body, "%d\n", (int)known.size);
        return 0;
    }
    if (merkle_verify_consistency(old_size, seen.size, &known.root, &seen.root, path, n_path)) {
        ret->status = 422;
        return 0;
    }
    _cleanup_bytes_ struct bytes text = {}, signed_line = {};
    note_head_text(&seen, &text);
    cr_assert(cosignature_sign(&witness, witness_secret, text.data, text.n,
                               clock_wall_ms() / MS_PER_SECOND, &signed_line) == 0);
    memcpy(ret->body, signed_line.data, signed_line.n);
    ret->n_body = signed_line.n;
    known.size = seen.size;
    known.root = seen.root;
    return 0;
}

static void each(void *user, const char *name, int r, const char *sentence) {
    (void)user;
    cr_assert_str_eq(name, "w");
    cr_assert(strlen(sentence) > 10 && sentence[strlen(sentence) - 1] == '.');
    known.outcome = r;
}

static int ask(void) {
    struct tb_witness_ask asked = {
        .verifier_key = vkey, .policy_file = policy_path, .post = post, .each = each};
    char why[500];
    known.n_asked = 0;
    known.outcome = 99;
    int r = tb_ledger_witness(directory, &asked, why, sizeof(why));
    cr_assert(why[0] && why[strlen(why) - 1] == '.', "%s", why);
    return r;
}

Test(lib_witness, asks_once_where_it_remembers_and_twice_where_it_does_not, .init = all_make,
     .fini = all_remove) {
    export_make(300);
    known.size = 200;
    known.root = root_of(200);
    cr_assert(ask() == 0 && known.n_asked == 2 && known.outcome == 0);
    export_make(900);
    cr_assert(ask() == 0 && known.n_asked == 1 && known.size == 900);
    cr_assert(ask() == 0 && known.n_asked == 1);
}

Test(lib_witness, tells_another_history_from_a_head_that_is_behind, .init = all_make,
     .fini = all_remove) {
    export_make(300);
    known.size = 200;
    known.root = root_of(199);
    cr_assert(ask() == TB_NO_QUORUM && known.outcome == TB_OTHER_HISTORY);
    known.size = 301;
    cr_assert(ask() == TB_NO_QUORUM && known.outcome == TB_OTHER_HISTORY && known.n_asked == 1);
}

Test(lib_witness, takes_nothing_from_an_answer_that_is_not_a_witnesss, .init = all_make,
     .fini = all_remove) {
    static const struct {
        int status;
        const char *body;
        int outcome;
    } answers[] = {
        {200, "", TB_NOT_VERIFIED},
        {200, "\n\n\n", TB_NOT_VERIFIED},
        {200, "\u2014 witness.example/w AAAA\n", TB_NOT_VERIFIED},
        {204, "", TB_NO_QUORUM},
        {301, "", TB_NO_QUORUM},
        {400, "", TB_NO_QUORUM},
        {403, "x", TB_NO_QUORUM},
        {404, "", TB_NO_QUORUM},
        {409, "", TB_NO_QUORUM},
        {409, "12", TB_NO_QUORUM},
        {409, "012\n", TB_NO_QUORUM},
        {409, "-1\n", TB_NO_QUORUM},
        {409, "12\n\n", TB_NO_QUORUM},
        {409, "18446744073709551616\n", TB_NO_QUORUM},
        {409, "18446744073709551615\n", TB_OTHER_HISTORY},
        {409, "12\n", TB_NO_QUORUM},
        {422, "", TB_OTHER_HISTORY},
        {429, "", TB_NO_QUORUM},
        {500, "", TB_NO_QUORUM},
        {599, "", TB_NO_QUORUM},
        {0x7fff, "", TB_NO_QUORUM},
    };
    _cleanup_bytes_ struct bytes before = {};
    char path[100];
    export_make(300);
    snprintf(path, sizeof(path), "%s/checkpoint", directory);
    cr_assert(file_read(path, 10000, &before) == 0);
    for (size_t i = 0; i < N_ELEMENTS(answers); i++) {
        _cleanup_bytes_ struct bytes after = {};
        known.status = answers[i].status;
        known.body = answers[i].body;
        cr_assert(ask() == TB_NO_QUORUM, "case %zu", i);
        cr_assert(known.outcome == answers[i].outcome, "case %zu: %d", i, known.outcome);
        cr_assert(known.n_asked <= 3);
        cr_assert(file_read(path, 10000, &after) == 0);
        cr_assert(after.n == before.n && memcmp(after.data, before.data, after.n) == 0);
    }
}

Test(lib_witness, keeps_strangers_lines_and_drops_false_ones, .init = all_make,
     .fini = all_remove) {
    _cleanup_bytes_ struct bytes note = {}, after = {};
    char path[100];
    export_make(300);
    snprintf(path, sizeof(path), "%s/checkpoint", directory);
    cr_assert(file_read(path, 10000, &note) == 0);
    size_t n_own = note.n;
    bytes_put_text(&note, "\u2014 stranger.example AAAAAAAAAAAA\n");
    size_t n_strangers = note.n;
    /* Of another head: no good under this one. */
    cr_assert(cosignature_sign(&witness, witness_secret, "x\n", 2, 1000, &note) == 0);
    scratch_write(directory, "checkpoint", note.data, note.n);
    cr_assert(ask() == 0);
    cr_assert(file_read(path, 10000, &after) == 0);
    cr_assert(after.n > n_strangers && memcmp(after.data, note.data, n_strangers) == 0);
    size_t n_lines = 0;
    for (size_t i = n_own; i < after.n; i++)
        n_lines += after.data[i] == '\n';
    cr_assert_eq(n_lines, 2);
}

Test(lib_witness, takes_no_answer_with_a_changed_bit_and_survives_mutants, .init = all_make,
     .fini = all_remove) {
    static struct witness_policy_witness named = {.name = "w"};
    static struct tb_http_answer http, mutant;
    struct witness_asked asked = {
        .witness = &named, .text = "a\n300\nx\n", .n_text = 8, .size = 300};
    struct witness_answer answer;
    _cleanup_bytes_ struct bytes line = {};
    uint64_t state = 11;
    named.verifier = witness;
    cr_assert(cosignature_sign(&witness, witness_secret, asked.text, asked.n_text, 5000, &line) ==
              0);
    memcpy(http.body, line.data, line.n);
    http.n_body = line.n;
    http.status = 200;
    witness_answer_read(&asked, &http, 5000 + 3600, &answer);
    cr_assert(answer.outcome == WITNESS_COSIGNED && answer.n_line == line.n);
    witness_answer_read(&asked, &http, 5000 + 3601, &answer);
    cr_assert(answer.outcome == WITNESS_GAVE_NONE && answer.r == TB_NOT_VERIFIED);
    for (size_t bit = 0; bit < 8 * line.n; bit++) {
        mutant = http;
        mutant.body[bit / 8] ^= (char)(1 << bit % 8);
        witness_answer_read(&asked, &mutant, 5000, &answer);
        cr_assert(answer.outcome == WITNESS_GAVE_NONE, "bit %zu", bit);
    }
    for (int round = 0; round < 5000; round++) {
        static const int statuses[] = {200, 409, 422, 0, -1};
        mutant.status = statuses[random_next(&state) % N_ELEMENTS(statuses)];
        mutant.n_body = random_next(&state) % (round % 50 ? 40 : TB_HTTP_BODY_MAX);
        for (size_t i = 0; i < mutant.n_body; i++)
            mutant.body[i] =
                round % 2 ? "0123456789\n- "[random_next(&state) % 13] : (char)random_next(&state);
        witness_answer_read(&asked, &mutant, 5000, &answer);
        cr_assert(answer.outcome != WITNESS_COSIGNED);
    }
}
