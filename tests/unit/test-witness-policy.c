/* SPDX-License-Identifier: Apache-2.0 */
/* Policies as C2SP tlog-policy has them: each rule of the file, and which witnesses are enough. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sodium.h>

#include "helpers.h"
#include "proto/witness-policy.h"

TestSuite(witness_policy, .timeout = 60);

#define N 33

static struct note_verifier ledger;
static struct cosignature_verifier witnesses[N];
static uint8_t ledger_secret[64], secrets[N][64];
static char *log_key, *keys[N];
static struct witness_policy policy;
static struct witness_policy_fault fault;
static struct bytes checkpoint;

static void pair_make(unsigned number, uint8_t public[32], uint8_t secret[64]) {
    uint8_t seed[32] = {(uint8_t)number, 1};
    crypto_sign_seed_keypair(public, secret, seed);
}

static void all_make(void) {
    struct note_head head = {.origin = "hove.example/2025", .size = 42};
    struct bytes text = {};
    uint8_t public[32];
    pair_make(100, public, ledger_secret);
    cr_assert(note_verifier_init(&ledger, head.origin, public) == 0);
    note_verifier_format(&ledger, &text);
    log_key = bytes_take_text(&text);
    for (unsigned i = 0; i < N; i++) {
        char name[40];
        snprintf(name, sizeof(name), "witness.example/w%u", i);
        pair_make(i, public, secrets[i]);
        cr_assert(cosignature_verifier_init(&witnesses[i], name, public) == 0);
        cosignature_verifier_format(&witnesses[i], &text);
        keys[i] = bytes_take_text(&text);
    }
    cr_assert(note_checkpoint_sign(&head, &ledger, ledger_secret, &checkpoint) == 0);
}

static void all_free(void) {
    free(log_key);
    for (unsigned i = 0; i < N; i++)
        free(keys[i]);
    bytes_fini(&checkpoint);
}

/* $L is the ledger's key, $0 to $9 witnesses' keys. */
static char *policy_text(const char *form) {
    struct bytes text = {};
    for (; *form; form++) {
        if (*form != '$')
            bytes_put_u8(&text, (uint8_t)*form);
        else if (*++form == 'L')
            bytes_put_text(&text, log_key);
        else
            bytes_put_text(&text, keys[*form - '0']);
    }
    return bytes_take_text(&text);
}

static int parse(const char *form) {
    _cleanup_(freep) char *text = policy_text(form);
    fault = (struct witness_policy_fault){};
    return witness_policy_parse(&policy, text, strlen(text), &fault);
}

static void cosign(unsigned witness, uint64_t seconds) {
    const char *end = strstr((char *)checkpoint.data, "\n\n");
    size_t n_text = (size_t)(end + 1 - (char *)checkpoint.data);
    _cleanup_bytes_ struct bytes line = {};
    cr_assert(cosignature_sign(&witnesses[witness], secrets[witness], checkpoint.data, n_text,
                               seconds, &line) == 0);
    bytes_put(&checkpoint, line.data, line.n);
}

#define THREE "witness a $0\nwitness b $1 http://b.example/\nwitness c $2\n"

Test(witness_policy, reads_every_kind_of_line, .init = all_make, .fini = all_free) {
    cr_assert(parse("# whose word counts\n\n  \t\nlog $L\thttps://hove.example/log \n" THREE
                    "group two 2 a b\n\tgroup all all two c\nquorum all\n") == 0);
    cr_assert_eq(policy.n_logs, 1);
    cr_assert_str_eq(policy.logs[0].url, "https://hove.example/log");
    cr_assert_eq(policy.n_witnesses, 3);
    cr_assert_str_eq(policy.witnesses[1].name, "b");
    cr_assert_str_eq(policy.witnesses[1].url, "http://b.example/");
    cr_assert_str_eq(policy.witnesses[2].url, "");
    cr_assert_eq(policy.n_groups, 2);
    cr_assert_eq(policy.groups[1].threshold, 2);
}

Test(witness_policy, wants_exactly_one_quorum, .init = all_make, .fini = all_free) {
    cr_assert(parse("") == -EBADMSG);
    cr_assert(fault.line == 0);
    cr_assert(parse(THREE) == -EBADMSG);
    cr_assert(parse("quorum none\n") == 0);
    cr_assert(parse("quorum none\nquorum none\n") == -EBADMSG);
    cr_assert(fault.line == 2);
    cr_assert(parse(THREE "quorum a\nquorum b\n") == -EBADMSG);
    cr_assert(parse(THREE "quorum a\nwitness d $3\n") == 0);
}

Test(witness_policy, uses_only_names_of_lines_before, .init = all_make, .fini = all_free) {
    cr_assert(parse("quorum a\nwitness a $0\n") == -EBADMSG);
    cr_assert(parse("group g any a\nwitness a $0\nquorum g\n") == -EBADMSG);
    cr_assert(parse("witness a $0\ngroup g any g\nquorum g\n") == -EBADMSG);
    cr_assert(parse("witness a $0\ngroup g any A\nquorum g\n") == -EBADMSG);
    cr_assert(parse(THREE "group g any none\nquorum g\n") == -EBADMSG);
}

Test(witness_policy, defines_each_name_and_key_once, .init = all_make, .fini = all_free) {
    cr_assert(parse("witness a $0\nwitness a $1\nquorum a\n") == -EBADMSG);
    cr_assert(parse("witness a $0\nwitness b $0\nquorum a\n") == -EBADMSG);
    cr_assert(parse(THREE "group a any b\nquorum a\n") == -EBADMSG);
    cr_assert(parse("witness none $0\nquorum none\n") == -EBADMSG);
    cr_assert(parse("log $L\nlog $L http://x/\nquorum none\n") == -EBADMSG);
}

Test(witness_policy, knows_a_key_again_under_another_name, .init = all_make, .fini = all_free) {
    struct cosignature_verifier alias;
    struct bytes text = {};
    cr_assert(cosignature_verifier_init(&alias, "other.example", witnesses[0].key) == 0);
    bytes_printf(&text, "witness a %s\nwitness b ", keys[0]);
    cosignature_verifier_format(&alias, &text);
    bytes_put_text(&text, "\nquorum b\n");
    cr_assert(witness_policy_parse(&policy, text.data, text.n, &fault) == -EBADMSG);
    cr_assert(fault.line == 2);
    bytes_fini(&text);
}

Test(witness_policy, makes_each_name_a_member_once, .init = all_make, .fini = all_free) {
    cr_assert(parse(THREE "group g any a a\nquorum g\n") == -EBADMSG);
    cr_assert(parse(THREE "group g any a b\ngroup h any b c\nquorum g\n") == -EBADMSG);
    cr_assert(parse(THREE "group g any a b\ngroup h all g c\ngroup i any g\nquorum i\n") ==
              -EBADMSG);
    cr_assert(parse(THREE "group g any a b\ngroup h all g c\nquorum h\n") == 0);
}

Test(witness_policy, takes_a_threshold_that_can_be_reached, .init = all_make, .fini = all_free) {
    static const char *const bad[] = {"0", "4", "-1", "+1", "01", "1.0", "ALL", "1a", "4294967297"};
    for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
        char text[200];
        snprintf(text, sizeof(text), THREE "group g %s a b c\nquorum g\n", bad[i]);
        cr_assert(parse(text) == -EBADMSG, "%s", bad[i]);
        cr_assert(fault.line == 4);
    }
    cr_assert(parse(THREE "group g 3 a b c\nquorum g\n") == 0);
    cr_assert(parse(THREE "group g all\nquorum g\n") == -EBADMSG);
}

Test(witness_policy, refuses_other_bytes_words_and_keys, .init = all_make, .fini = all_free) {
    static const char *const bad[] = {
        "quorum none",
        "quorum none\r\n",
        "quorum none\x7f\n",
        "quorum\n",
        "quorum none none\n",
        "Quorum none\n",
        "log\nquorum none\n",
        "log $0\nquorum none\n",
        "witness a\nquorum none\n",
        "#\x01\nquorum none\n",
        "log $L a b\nquorum none\n",
        "witness a $L\nquorum a\n",
        "hello\nquorum none\n",
        "witness a $0 b c\nquorum none\n",
    };
    for (size_t i = 0; i < N_ELEMENTS(bad); i++)
        cr_assert(parse(bad[i]) == -EBADMSG, "case %zu", i);
    cr_assert(witness_policy_parse(&policy, "quorum none\n\0\n", 14, &fault) == -EBADMSG);
    cr_assert(parse("# \xff\xfe\nwitness \xe2\x84\xaa $0\nwitness K $1\nquorum \xe2\x84\xaa\n") ==
              0);
}

/* 0 or -EBADMSG of n witnesses, or of a chain of n groups. */
static int parse_many(unsigned n, bool groups) {
    _cleanup_bytes_ struct bytes text = {};
    bytes_printf(&text, "witness g0 %s\n", keys[0]);
    for (unsigned i = 1; i < n + groups; i++) {
        if (groups)
            bytes_printf(&text, "group g%u any g%u\n", i, i - 1);
        else
            bytes_printf(&text, "witness g%u %s\n", i, keys[i]);
    }
    bytes_printf(&text, "quorum g%u\n", n - 1);
    return witness_policy_parse(&policy, text.data, text.n, &fault);
}

Test(witness_policy, takes_32_of_each_and_no_more, .init = all_make, .fini = all_free) {
    cr_assert(parse_many(32, false) == 0);
    cr_assert(parse_many(33, false) == -EBADMSG);
    cr_assert(parse_many(32, true) == 0);
    cr_assert(witness_policy_is_quorum(&policy, 1) && !witness_policy_is_quorum(&policy, 0));
    cr_assert(parse_many(33, true) == -EBADMSG);
}

Test(witness_policy, counts_members_of_groups_of_groups, .init = all_make, .fini = all_free) {
    cr_assert(parse("witness a $0\nwitness b $1\nwitness c $2\nwitness d $3\nwitness e $4\n"
                    "group x 2 a b c\ngroup y any d e\ngroup both all x y\nquorum both\n") == 0);
    for (uint64_t set = 0; set < 32; set++) {
        bool x = __builtin_popcountll(set & 7) >= 2, y = (set & 24) != 0;
        cr_assert_eq(witness_policy_is_quorum(&policy, set), x && y, "set %d", (int)set);
    }
    cr_assert(parse(THREE "quorum b\n") == 0);
    cr_assert(witness_policy_is_quorum(&policy, 2) && !witness_policy_is_quorum(&policy, 5));
    cr_assert(parse(THREE "quorum none\n") == 0 && witness_policy_is_quorum(&policy, 0));
}

static int judge(struct witness_policy_verdict *verdict) {
    return witness_policy_check(&policy, &ledger, checkpoint.data, checkpoint.n, verdict);
}

Test(witness_policy, says_who_cosigned_and_when, .init = all_make, .fini = all_free) {
    struct witness_policy_verdict verdict;
    cr_assert(parse("log $L\n" THREE "group g 2 a b c\nquorum g\n") == 0);
    cr_assert(judge(&verdict) == 0 && verdict.cosigned == 0 && !verdict.is_quorum);
    cosign(2, 1000);
    cosign(7, 1001); /* of no concern to the policy */
    cr_assert(judge(&verdict) == 0 && verdict.cosigned == 4 && !verdict.is_quorum);
    cosign(0, 1002);
    cr_assert(judge(&verdict) == 0 && verdict.cosigned == 5 && verdict.is_quorum);
    cr_assert(verdict.seconds[0] == 1002 && verdict.seconds[2] == 1000);
    cr_assert(verdict.is_log_named && verdict.head.size == 42);
}

Test(witness_policy, refuses_a_witness_twice_a_false_line_and_bytes_behind, .init = all_make,
     .fini = all_free) {
    struct witness_policy_verdict verdict;
    cr_assert(parse(THREE "quorum a\n") == 0);
    cosign(0, 1000);
    size_t n = checkpoint.n;
    cosign(0, 1001);
    cr_assert(judge(&verdict) == -EBADMSG);
    checkpoint.n = n;
    bytes_put_u8(&checkpoint, '\n');
    cr_assert(judge(&verdict) == -EBADMSG);
    checkpoint.n = n;
    bytes_put_text(&checkpoint, "x");
    cr_assert(judge(&verdict) == -EBADMSG);
    checkpoint.n = n;
    memcpy(secrets[1], secrets[5], 64);
    cosign(1, 1000);
    cr_assert(judge(&verdict) == -EBADMSG);
    checkpoint.n = n;
    cr_assert(judge(&verdict) == 0 && verdict.is_quorum);
}

Test(witness_policy, names_the_ledgers_it_is_for, .init = all_make, .fini = all_free) {
    struct witness_policy_verdict verdict;
    _cleanup_bytes_ struct bytes text = {};
    struct note_verifier other;
    uint8_t public[32], secret[64];
    pair_make(101, public, secret);
    cr_assert(note_verifier_init(&other, "hove.example/2025", public) == 0);
    bytes_put_text(&text, "log ");
    note_verifier_format(&other, &text);
    bytes_put_text(&text, "\nquorum none\n");
    cr_assert(witness_policy_parse(&policy, text.data, text.n, &fault) == 0);
    cr_assert(judge(&verdict) == 0 && !verdict.is_log_named);
    /* Signed by both keys, as after a rotation. */
    _cleanup_bytes_ struct bytes second = {};
    cr_assert(note_checkpoint_sign(&verdict.head, &other, secret, &second) == 0);
    const char *line = memmem(second.data, second.n, "\n\n", 2) + 2;
    bytes_put(&checkpoint, line, second.n - (size_t)(line - (char *)second.data));
    cr_assert(judge(&verdict) == 0 && verdict.is_log_named);
}

Test(witness_policy, survives_seeded_mutants_of_files_and_checkpoints, .init = all_make,
     .fini = all_free) {
    _cleanup_(freep) char *text =
        policy_text("log $L x\n" THREE "group g 2 a b c\nquorum g\n# end\n");
    struct witness_policy_verdict verdict;
    size_t n = strlen(text);
    uint64_t state = 5;
    for (int round = 0; round < 20000; round++) {
        _cleanup_(freep) char *mutant = malloc(n);
        memcpy(mutant, text, n);
        for (int i = 0; i < 1 + round % 4; i++)
            mutant[random_next(&state) % n] = (char)random_next(&state);
        int r = witness_policy_parse(&policy, mutant, random_next(&state) % (n + 1), &fault);
        cr_assert(r == 0 || (r == -EBADMSG && fault.what));
    }
    cr_assert(witness_policy_parse(&policy, text, n, &fault) == 0);
    cosign(0, 1000);
    cosign(1, 1000);
    cr_assert(judge(&verdict) == 0 && verdict.is_quorum);
    for (size_t bit = 0; bit < 8 * checkpoint.n; bit++) {
        checkpoint.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert(judge(&verdict) != 0 || !verdict.is_quorum, "bit %zu", bit);
        checkpoint.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}
