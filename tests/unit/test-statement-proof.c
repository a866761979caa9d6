/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements of a small ledger made here, all of it known: good ones pass, and no bit, line or
 * figure of one can be another without its being refused.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sodium.h>
#include <time.h>

#include "helpers.h"
#include "proto/note.h"
#include "proto/record.h"
#include "proto/statement-proof.h"

TestSuite(statement_proof, .timeout = 120);

#define N_RECORDS_MAX 2048
#define N_ENTRIES_MAX 64
#define N_ACCOUNTS 11
#define ACCOUNT 7
#define OTHER 5

static uint8_t secret[64];
static struct note_verifier verifier;

/* ---- a ledger: record i is these bytes, and two accounts are moved now and then */

static struct {
    uint8_t bytes[80];
    size_t n;
} records[N_RECORDS_MAX];
static struct hash leaves[N_RECORDS_MAX];
static uint64_t size;

static struct account_leaf accounts[N_ACCOUNTS];
static struct hash account_leaves[N_ACCOUNTS];

static struct entries {
    struct statement_proof_entry items[N_ENTRIES_MAX];
    size_t n;
} entries[N_ACCOUNTS];

static void record_add(const void *bytes, size_t n) {
    memcpy(records[size].bytes, bytes, n);
    records[size].n = n;
    leaves[size] = merkle_leaf(bytes, n);
    size++;
}

static void order_add(void) {
    char text[32];
    int n = snprintf(text, sizeof(text), "%corder %llu", size % 3 ? RECORD_ORDER : RECORD_EVENT,
                     (unsigned long long)size);
    record_add(text, (size_t)n);
}

static void account_moves(size_t k, int64_t minutes, int64_t held, bool moved) {
    struct account_leaf *account = &accounts[k];
    uint64_t number = size;
    order_add();
    account->balance += minutes;
    account->held += held;
    if (moved) {
        account->running = account_leaf_running(&account->running, &leaves[number],
                                                account->balance, account->held);
        account->n_entries++;
        account->last_entry = number;
    }
    entries[k].items[entries[k].n++] =
        (struct statement_proof_entry){.number = number,
                                       .moved = moved,
                                       .minutes = minutes,
                                       .after = account->balance,
                                       .held = account->held,
                                       .record = records[number].bytes,
                                       .n_record = records[number].n};
}

/* Answers its number. */
static uint64_t state_add(void) {
    struct record_state state = {
        .covers = size, .n_accounts = N_ACCOUNTS, .ledger_time_ms = 1700000000000 + size};
    uint8_t bytes[RECORD_STATE_BYTES], leaf[ACCOUNT_LEAF_MAX];
    for (size_t i = 0; i < N_ACCOUNTS; i++)
        account_leaves[i] = merkle_leaf(leaf, account_leaf_pack(&accounts[i], leaf));
    state.root = merkle_root(account_leaves, N_ACCOUNTS);
    record_state_pack(&state, bytes);
    record_add(bytes, sizeof(bytes));
    return size - 1;
}

static void ledger_begin(void) {
    uint8_t seed[32], public[32];
    memset(seed, 0x42, sizeof(seed));
    crypto_sign_seed_keypair(public, secret, seed);
    cr_assert(note_verifier_init(&verifier, "hove.example", public) == 0);
    size = 0;
    memset(entries, 0, sizeof(entries));
    for (size_t i = 0; i < N_ACCOUNTS; i++) {
        accounts[i] =
            (struct account_leaf){.number = i, .kind = 1, .floor = INT64_MIN, .ceiling = INT64_MIN};
        snprintf(accounts[i].code, sizeof(accounts[i].code), "m%d", (int)i);
    }
    record_add("\0genesis", 8);
}

/* Twelve records, five of them the account's, one of which moves nothing. Answers the state's. */
static uint64_t ledger_small(void) {
    ledger_begin();
    order_add();
    account_moves(ACCOUNT, 90, 0, true);
    account_moves(ACCOUNT, 0, 0, false);
    account_moves(OTHER, 30, 0, true);
    account_moves(ACCOUNT, -120, 0, true);
    order_add();
    account_moves(ACCOUNT, 0, 60, true);
    account_moves(ACCOUNT, 20, -60, true);
    order_add();
    return state_add();
}

/* ---- the tree, read */

static int lookup(void *user, unsigned level, uint64_t index, struct hash *ret) {
    uint64_t n = (uint64_t)1 << level;
    (void)user;
    cr_assert((index + 1) * n <= size);
    *ret = merkle_root(leaves + index * n, n);
    return 0;
}

static int account_lookup(void *user, unsigned level, uint64_t index, struct hash *ret) {
    (void)user;
    *ret = merkle_root(account_leaves + (index << level), (size_t)1 << level);
    return 0;
}

static void between_put(struct bytes *to, uint64_t begin, uint64_t end) {
    struct merkle_range range;
    cr_assert(merkle_prove_range(lookup, NULL, begin, end, &range) == 0);
    statement_proof_between(to, range.hashes, range.n_hashes);
}

static void checkpoint_put(struct bytes *to) {
    struct note_head head = {.origin = "hove.example", .size = size};
    head.root = merkle_root(leaves, size);
    cr_assert(note_checkpoint_sign(&head, &verifier, secret, to) == 0);
}

/* The file that a bank which says `leaf` and `list` would make. */
static struct bytes file_of(const struct account_leaf *leaf, const struct entries *list,
                            uint64_t state) {
    _cleanup_bytes_ struct bytes checkpoint = {};
    struct hash path[MERKLE_PATH_MAX + 1];
    struct bytes file = {};
    uint8_t packed[ACCOUNT_LEAF_MAX];
    uint64_t at = 0;
    size_t n = 0;
    cr_assert(merkle_prove_inclusion(account_lookup, NULL, leaf->number, N_ACCOUNTS, path, &n) ==
              0);
    statement_proof_begin(&file, packed, account_leaf_pack(leaf, packed), path, n);
    for (size_t i = 0; i < list->n; at = list->items[i++].number + 1) {
        if (at <= list->items[i].number)
            between_put(&file, at, list->items[i].number);
        statement_proof_entry(&file, &list->items[i]);
    }
    if (at <= state)
        between_put(&file, at, state);
    statement_proof_state(&file, state, records[state].bytes, records[state].n);
    between_put(&file, state + 1, size);
    checkpoint_put(&checkpoint);
    statement_proof_end(&file, checkpoint.data, checkpoint.n);
    cr_assert(file.r == 0);
    return file;
}

static int count_entries(void *user, const struct statement_proof_entry *entry) {
    size_t *n = user;
    cr_assert(entry->n_record > 0);
    ++*n;
    return 0;
}

/* As whoever verifies a file does: the file, then the head's signature. */
static int check(const void *data, size_t n, char why[256]) {
    struct statement_proof proof;
    struct note_head head;
    size_t n_entries = 0;
    int r = statement_proof_check(data, n, count_entries, &n_entries, &proof, why, 256);
    if (r < 0)
        return r;
    cr_assert_eq(proof.n_entries, n_entries);
    r = note_checkpoint_open(proof.checkpoint, proof.n_checkpoint, &verifier, &head);
    if (r == 0)
        cr_assert(head.size == proof.size && hash_equal(&head.root, &proof.root));
    return r;
}

static void expect_good(const struct bytes *file) {
    char why[256] = "";
    cr_assert_eq(check(file->data, file->n, why), 0, "%s", why);
}

static void expect_refused(struct bytes *file, const char *words) {
    char why[256] = "";
    cr_assert_eq(check(file->data, file->n, why), -EBADMSG, "accepted, not '%s'", words);
    cr_assert(strstr(why, words), "'%s' is not '%s'", why, words);
    bytes_fini(file);
}

/* ---- good ones */

Test(statement_proof, proves_how_the_account_stood) {
    uint64_t state = ledger_small();
    _cleanup_bytes_ struct bytes file = file_of(&accounts[ACCOUNT], &entries[ACCOUNT], state);
    struct statement_proof proof;
    struct hash root = merkle_root(leaves, size);
    char why[256] = "";
    cr_assert_eq(statement_proof_check(file.data, file.n, NULL, NULL, &proof, why, sizeof(why)), 0,
                 "%s", why);
    cr_assert_str_eq(proof.account.code, "m7");
    cr_assert_eq(proof.account.balance, -10);
    cr_assert_eq(proof.account.held, 0);
    cr_assert_eq(proof.n_entries, 5);
    cr_assert_eq(proof.state, state);
    cr_assert_eq(proof.time_ms, 1700000000000 + state);
    cr_assert_eq(proof.size, size);
    cr_assert(hash_equal(&proof.root, &root));
    expect_good(&file);
}

Test(statement_proof, holds_with_any_number_of_records_around) {
    for (unsigned n_before = 0; n_before < 9; n_before++)
        for (unsigned n_after = 0; n_after < 9; n_after++) {
            ledger_begin();
            for (unsigned i = 0; i < n_before; i++)
                order_add();
            account_moves(ACCOUNT, 90, 0, true);
            for (unsigned i = 0; i < n_before * 5; i++)
                order_add();
            account_moves(ACCOUNT, -30, 0, true);
            uint64_t state = state_add();
            for (unsigned i = 0; i < n_after; i++)
                order_add();
            _cleanup_bytes_ struct bytes file =
                file_of(&accounts[ACCOUNT], &entries[ACCOUNT], state);
            expect_good(&file);
        }
}

Test(statement_proof, holds_for_an_account_that_nothing_moved) {
    uint64_t state = ledger_small();
    _cleanup_bytes_ struct bytes file = file_of(&accounts[0], &entries[0], state);
    expect_good(&file);
}

static int stop(void *user, const struct statement_proof_entry *entry) {
    return entry->number == *(const uint64_t *)user ? 1 : 0;
}

Test(statement_proof, ends_where_the_reader_ends_it) {
    uint64_t state = ledger_small(), number = entries[ACCOUNT].items[2].number;
    _cleanup_bytes_ struct bytes file = file_of(&accounts[ACCOUNT], &entries[ACCOUNT], state);
    struct statement_proof proof;
    char why[256];
    cr_assert_eq(statement_proof_check(file.data, file.n, stop, &number, &proof, why, 256), 1);
}

/* ---- what a bank could try: figures, entries, leaves, states */

Test(statement_proof, refuses_an_entry_left_out) {
    uint64_t state = ledger_small();
    for (size_t i = 0; i < entries[ACCOUNT].n; i++) {
        struct entries list = entries[ACCOUNT];
        if (!list.items[i].moved)
            continue;
        list.n--;
        memmove(list.items + i, list.items + i + 1, (list.n - i) * sizeof(list.items[0]));
        struct bytes file = file_of(&accounts[ACCOUNT], &list, state);
        /* One that changed the balance is missed by the next; the last, or what was held, by the
         * running hash. */
        expect_refused(&file, i == 0 || i == 2 ? "does not follow from the one before"
                                               : "one was left out, added or changed");
    }
}

Test(statement_proof, refuses_an_entry_left_out_with_the_figures_mended) {
    uint64_t state = ledger_small();
    struct account_leaf leaf = accounts[ACCOUNT];
    struct entries list = entries[ACCOUNT];
    list.n--;
    leaf.balance = list.items[list.n - 1].after;
    leaf.held = list.items[list.n - 1].held;
    leaf.n_entries--;
    leaf.last_entry = list.items[list.n - 1].number;
    memset(&leaf.running, 0, sizeof(leaf.running));
    for (size_t i = 0; i < list.n; i++)
        if (list.items[i].moved)
            leaf.running = account_leaf_running(&leaf.running, &leaves[list.items[i].number],
                                                list.items[i].after, list.items[i].held);
    struct bytes file = file_of(&leaf, &list, state);
    expect_refused(&file, "did not stand so");
}

Test(statement_proof, refuses_two_entries_swapped) {
    uint64_t state = ledger_small();
    struct entries list = entries[ACCOUNT];
    struct statement_proof_entry first = list.items[0];
    list.items[0] = list.items[2];
    list.items[2] = first;
    struct bytes file = file_of(&accounts[ACCOUNT], &list, state);
    char why[256];
    cr_assert_eq(check(file.data, file.n, why), -EBADMSG);
    bytes_fini(&file);
}

Test(statement_proof, refuses_one_records_bytes_under_anothers_number) {
    uint64_t state = ledger_small();
    struct entries list = entries[ACCOUNT];
    list.items[0].record = entries[OTHER].items[0].record;
    list.items[0].n_record = entries[OTHER].items[0].n_record;
    struct bytes file = file_of(&accounts[ACCOUNT], &list, state);
    expect_refused(&file, "one was left out, added or changed");
}

Test(statement_proof, refuses_an_entry_given_twice) {
    uint64_t state = ledger_small();
    struct entries list = entries[ACCOUNT];
    memmove(list.items + 1, list.items, list.n++ * sizeof(list.items[0]));
    struct bytes file = file_of(&accounts[ACCOUNT], &list, state);
    expect_refused(&file, "does not come after the one before");
}

Test(statement_proof, refuses_an_entry_of_somebody_elses) {
    uint64_t state = ledger_small();
    struct entries list = entries[ACCOUNT];
    memmove(list.items + 3, list.items + 2, (list.n++ - 2) * sizeof(list.items[0]));
    list.items[2] = entries[OTHER].items[0];
    list.items[2].after = list.items[1].after + list.items[2].minutes;
    struct bytes file = file_of(&accounts[ACCOUNT], &list, state);
    expect_refused(&file, "does not follow from the one before");
}

Test(statement_proof, refuses_the_leaf_of_another_account) {
    uint64_t state = ledger_small();
    struct bytes file = file_of(&accounts[OTHER], &entries[ACCOUNT], state);
    expect_refused(&file, "one was left out, added or changed");
}

Test(statement_proof, refuses_another_accounts_number_and_path) {
    uint64_t state = ledger_small();
    struct account_leaf leaf = accounts[ACCOUNT];
    leaf.number = OTHER;
    struct bytes file = file_of(&leaf, &entries[ACCOUNT], state);
    expect_refused(&file, "did not stand so");
}

Test(statement_proof, refuses_an_older_state_for_a_newer_account) {
    uint64_t older = ledger_small();
    account_moves(ACCOUNT, 45, 0, true);
    uint64_t newer = state_add();
    struct bytes good = file_of(&accounts[ACCOUNT], &entries[ACCOUNT], newer);
    expect_good(&good);
    bytes_fini(&good);
    struct bytes file = file_of(&accounts[ACCOUNT], &entries[ACCOUNT], older);
    char why[256];
    cr_assert_eq(check(file.data, file.n, why), -EBADMSG);
    bytes_fini(&file);
    /* The old record under the new number. */
    memcpy(records[newer].bytes, records[older].bytes, records[older].n);
    file = file_of(&accounts[ACCOUNT], &entries[ACCOUNT], newer);
    expect_refused(&file, "is not the state of the accounts there");
}

Test(statement_proof, refuses_any_other_figure) {
    uint64_t state = ledger_small();
    for (size_t i = 0; i < entries[ACCOUNT].n; i++)
        for (unsigned figure = 0; figure < 5; figure++) {
            struct entries list = entries[ACCOUNT];
            struct statement_proof_entry *entry = &list.items[i];
            char why[256];
            if (figure == 0)
                entry->minutes++;
            else if (figure == 1)
                entry->after++;
            else if (figure == 2)
                entry->held++;
            else if (figure == 3)
                entry->moved = !entry->moved;
            else
                for (size_t j = i; j < list.n; j++)
                    list.items[j].minutes += j == i, list.items[j].after++;
            struct bytes file = file_of(&accounts[ACCOUNT], &list, state);
            cr_assert_eq(check(file.data, file.n, why), -EBADMSG, "entry %d figure %u", (int)i,
                         figure);
            bytes_fini(&file);
        }
}

Test(statement_proof, refuses_a_record_that_is_no_entry) {
    uint64_t state = ledger_small();
    struct entries list = entries[ACCOUNT];
    list.items[0].record = records[0].bytes;
    list.items[0].n_record = records[0].n;
    struct bytes file = file_of(&accounts[ACCOUNT], &list, state);
    expect_refused(&file, "is no entry");
}

Test(statement_proof, refuses_figures_that_overflow) {
    uint64_t state = ledger_small();
    struct entries list = entries[ACCOUNT];
    list.items[2].minutes = INT64_MAX;
    struct bytes file = file_of(&accounts[ACCOUNT], &list, state);
    expect_refused(&file, "does not follow from the one before");
}

/* ---- the text */

Test(statement_proof, refuses_every_bit_changed) {
    uint64_t state = ledger_small();
    order_add();
    _cleanup_bytes_ struct bytes file = file_of(&accounts[ACCOUNT], &entries[ACCOUNT], state);
    for (size_t i = 0; i < file.n * 8; i++) {
        char why[256] = "";
        file.data[i / 8] ^= (uint8_t)(1u << i % 8);
        cr_assert_eq(check(file.data, file.n, why), -EBADMSG, "bit %d of byte %d", (int)(i % 8),
                     (int)(i / 8));
        file.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    expect_good(&file);
}

Test(statement_proof, refuses_every_byte_left_out_or_doubled) {
    uint64_t state = ledger_small();
    _cleanup_bytes_ struct bytes file = file_of(&accounts[ACCOUNT], &entries[ACCOUNT], state);
    uint8_t *other = malloc(file.n + 1);
    for (size_t i = 0; i < file.n; i++) {
        char why[256];
        memcpy(other, file.data, i);
        memcpy(other + i, file.data + i + 1, file.n - i - 1);
        cr_assert_eq(check(other, file.n - 1, why), -EBADMSG, "without byte %d", (int)i);
        memcpy(other, file.data, i + 1);
        memcpy(other + i + 1, file.data + i, file.n - i);
        cr_assert_eq(check(other, file.n + 1, why), -EBADMSG, "byte %d twice", (int)i);
        cr_assert_eq(check(file.data, i, why), -EBADMSG, "only %d bytes", (int)i);
    }
    free(other);
}

static const char *line_at(const struct bytes *file, size_t line) {
    const char *at = (const char *)file->data;
    for (size_t i = 0; i < line; i++)
        at = strchr(at, '\n') + 1;
    return at;
}

Test(statement_proof, refuses_every_line_left_out_doubled_or_moved) {
    uint64_t state = ledger_small();
    order_add();
    _cleanup_bytes_ struct bytes file = file_of(&accounts[ACCOUNT], &entries[ACCOUNT], state);
    size_t n_lines = 0;
    bytes_put_u8(&file, '\0');
    file.n--;
    for (size_t i = 0; i < file.n; i++)
        n_lines += file.data[i] == '\n';
    for (size_t i = 0; i < n_lines; i++) {
        const char *begin = line_at(&file, i), *end = line_at(&file, i + 1),
                   *second = i + 1 < n_lines ? line_at(&file, i + 2) : end;
        size_t n_before = (size_t)(begin - (const char *)file.data), n = (size_t)(end - begin),
               n_second = (size_t)(second - end), n_after = file.n - n_before - n - n_second;
        struct bytes without = {}, twice = {}, moved = {};
        char why[256];
        bytes_put(&without, file.data, n_before);
        bytes_put(&without, end, n_second + n_after);
        cr_assert_eq(check(without.data, without.n, why), -EBADMSG, "without line %d", (int)i);
        bytes_put(&twice, file.data, n_before + n);
        bytes_put(&twice, begin, n + n_second + n_after);
        cr_assert_eq(check(twice.data, twice.n, why), -EBADMSG, "line %d twice", (int)i);
        bytes_put(&moved, file.data, n_before);
        bytes_put(&moved, end, n_second);
        bytes_put(&moved, begin, n);
        bytes_put(&moved, second, n_after);
        cr_assert_eq(check(moved.data, moved.n, why), n_second ? -EBADMSG : 0, "line %d moved",
                     (int)i);
        bytes_fini(&without);
        bytes_fini(&twice);
        bytes_fini(&moved);
    }
}

/* Puts `to` where `from` stands first. */
static struct bytes replaced(const struct bytes *file, const char *from, const char *to) {
    struct bytes other = {};
    const char *at = memmem(file->data, file->n, from, strlen(from));
    cr_assert(at, "no '%s'", from);
    bytes_put(&other, file->data, (size_t)(at - (const char *)file->data));
    bytes_put_text(&other, to);
    at += strlen(from);
    bytes_put(&other, at, file->n - (size_t)(at - (const char *)file->data));
    return other;
}

Test(statement_proof, reads_numbers_in_one_form_only) {
    static const char *const others[][2] = {
        {"entry 2 1 90 90 0 ", "entry 02 1 90 90 0 "},
        {"entry 2 1 90 90 0 ", "entry 2 1 +90 90 0 "},
        {"entry 2 1 90 90 0 ", "entry 2 1 90 90 -0 "},
        {"entry 2 1 90 90 0 ", "entry 2 1 90 90 00 "},
        {"entry 2 1 90 90 0 ", "entry 2 01 90 90 0 "},
        {"entry 2 1 90 90 0 ", "entry 2 2 90 90 0 "},
        {"entry 2 1 90 90 0 ", "entry 2  1 90 90 0 "},
        {"entry 2 1 90 90 0 ", "entry 2 1 90 90  0 "},
        {"entry 2 1 90 90 0 ", "entry 2 1 90 90 0  "},
        {"entry 2 1 90 90 0 ", "entry  2 1 90 90 0 "},
        {"entry 2 1 90 90 0 ", "entry 2 1 90 90 9223372036854775808 "},
        {"entry 2 1 90 90 0 ", "entry 2 1 90 90 -9223372036854775808 "},
        {"entry 2 1 90 90 0 ", "entry 18446744073709551615 1 90 90 0 "},
        {"entry 2 1 90 90 0 ", "entry 18446744073709551618 1 90 90 0 "},
        {"entry 2 1 90 90 0 ", "entry 9223372036854775807 1 90 90 0 "},
        {"entry 2 1 90 90 0 ", "entry 9223372036854775806 1 90 90 0 "},
        {"entry 2 1 90 90 0 ", "entry 2 1 90 90 0\t"},
        {"\n11\n", "\n011\n"},
        {"\n11\n", "\n18446744073709551615\n"},
        {"\n11\n", "\n9223372036854775807\n"},
        {"\n11\n", "\n0\n"},
        {"\n11\n", "\n9\n"},
        {"statement@v1\n", "statement@v1 \n"},
        {"statement@v1\n", "statement@v1\r\n"},
        {"statement@v1\n", "statement@v2\n"},
        {"statement@v1\n", "statement@v1\n\n"},
    };
    uint64_t state = ledger_small();
    _cleanup_bytes_ struct bytes file = file_of(&accounts[ACCOUNT], &entries[ACCOUNT], state);
    for (size_t i = 0; i < N_ELEMENTS(others); i++) {
        struct bytes other = replaced(&file, others[i][0], others[i][1]);
        char why[256] = "";
        cr_assert_eq(check(other.data, other.n, why), -EBADMSG, "%s", others[i][1]);
        cr_assert_neq(why[0], '\0');
        bytes_fini(&other);
    }
}

Test(statement_proof, refuses_more_hashes_than_there_can_be) {
    static const char *const words[] = {"between ", "accounts "};
    for (size_t i = 0; i < N_ELEMENTS(words); i++) {
        uint64_t state = ledger_small();
        _cleanup_bytes_ struct bytes file = file_of(&accounts[ACCOUNT], &entries[ACCOUNT], state),
                                     many = {};
        char why[256] = "";
        const char *at = memmem(file.data, file.n, words[i], strlen(words[i]));
        const char *end = strchr(at, '\n') + 1;
        bytes_put(&many, file.data, (size_t)(at - (const char *)file.data));
        for (int j = 0; j < 1000; j++)
            bytes_put(&many, at, (size_t)(end - at));
        bytes_put(&many, end, file.n - (size_t)(end - (const char *)file.data));
        cr_assert_eq(check(many.data, many.n, why), -EBADMSG);
        cr_assert(strstr(why, "cannot be read"), "%s", why);
    }
}

Test(statement_proof, refuses_a_record_larger_than_any) {
    uint64_t state = ledger_small();
    _cleanup_bytes_ struct bytes large = {};
    struct entries list = entries[ACCOUNT];
    for (int i = 0; i <= RECORD_MAX; i++)
        bytes_put_u8(&large, RECORD_ORDER);
    list.items[0].record = large.data;
    list.items[0].n_record = large.n;
    struct bytes file = file_of(&accounts[ACCOUNT], &list, state);
    expect_refused(&file, "cannot be read");
}

Test(statement_proof, refuses_what_is_something_else) {
    static const char *const texts[] = {"", "\n", "timebank-statement@v1", "\n\n",
                                        "c2sp.org/tlog-proof@v1\nindex 1\n\n"};
    for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
        char why[256] = "";
        cr_assert_eq(check(texts[i], strlen(texts[i]), why), -EBADMSG);
        cr_assert_neq(why[0], '\0');
    }
}
