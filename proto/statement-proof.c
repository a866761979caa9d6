/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file is walked once, from its first line to its last: the tree grows by what stands between
 * the records and by the records themselves, the account by its entries. Nothing is held but one
 * record, one gap's hashes and the tree's edge, so the cost is that of the file's length.
 */
#include "statement-proof.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lines.h"
#include "note.h"
#include "record.h"
#include "text64.h"

#define FIRST_LINE "timebank-statement@v1"
/* Sizes and numbers of records are held to what a tree can be grown to. */
#define NUMBER_MAX ((uint64_t)INT64_MAX - 1)

/* ---------------------------------------------------------------- writing */

static void put_hashes(struct bytes *to, const char *word, const struct hash *hashes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        bytes_put_text(to, word);
        text64_encode(to, hashes[i].b, HASH_BYTES);
        bytes_put_u8(to, '\n');
    }
}

void statement_proof_begin(struct bytes *to, const void *leaf, size_t n_leaf,
                           const struct hash *path, size_t n_path) {
    bytes_put_text(to, FIRST_LINE "\naccount ");
    text64_encode(to, leaf, n_leaf);
    bytes_put_u8(to, '\n');
    put_hashes(to, "accounts ", path, n_path);
}

void statement_proof_between(struct bytes *to, const struct hash *hashes, size_t n) {
    put_hashes(to, "between ", hashes, n);
}

void statement_proof_entry(struct bytes *to, const struct statement_proof_entry *entry) {
    bytes_printf(to, "entry %" PRIu64 " %d %" PRId64 " %" PRId64 " %" PRId64 " ", entry->number,
                 entry->moved ? 1 : 0, entry->minutes, entry->after, entry->held);
    text64_encode(to, entry->record, entry->n_record);
    bytes_put_u8(to, '\n');
}

void statement_proof_state(struct bytes *to, uint64_t number, const void *record, size_t n) {
    bytes_printf(to, "state %" PRIu64 " ", number);
    text64_encode(to, record, n);
    bytes_put_u8(to, '\n');
}

void statement_proof_end(struct bytes *to, const void *checkpoint, size_t n) {
    bytes_put_u8(to, '\n');
    bytes_put(to, checkpoint, n);
}

/* --------------------------------------------------------------- checking */

struct checking {
    struct lines rest;
    unsigned line; /* from 1 */
    struct statement_proof proof;
    struct hash path[MERKLE_PATH_MAX]; /* of the account's leaf */
    size_t n_path;
    struct hash leaf; /* the account's leaf, hashed */
    struct merkle_range tree;
    struct hash between[MERKLE_RANGE_MAX];
    size_t n_between;
    bool has_state;
    struct account_leaf sum; /* what the entries so far make of the account */
    struct bytes record;     /* of the line that is read */
    char *why;
    size_t n_why;
};

__attribute__((format(printf, 2, 3))) static int no(struct checking *checking, const char *format,
                                                    ...) {
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(checking->why, checking->n_why, format, arguments);
    va_end(arguments);
    return -EBADMSG;
}

static int unreadable(struct checking *checking) {
    return no(checking, "Line %u of the statement cannot be read.", checking->line);
}

static int next_line(struct checking *checking, struct lines *ret) {
    checking->line++;
    return lines_cut(&checking->rest, '\n', ret)
               ? 0
               : no(checking, "The statement breaks off at line %u.", checking->line);
}

/* Into checking->record; the sentence is set. */
static int read_base64(struct checking *checking, struct lines text, size_t n_max) {
    int r;

    bytes_clear(&checking->record);
    if (text.n == 0 || text.n > TEXT64_CHARS(n_max))
        return unreadable(checking);
    r = text64_decode(&checking->record, text.text, text.n);
    if (r == -ENOMEM)
        return r;
    return r < 0 || checking->record.n > n_max ? unreadable(checking) : 0;
}

static int read_hash(struct checking *checking, struct lines text, struct hash *list, size_t n_max,
                     size_t *n) {
    if (*n >= n_max || lines_hash(text, &list[*n]) < 0)
        return unreadable(checking);
    ++*n;
    return 0;
}

/* The tree up to a record's place: what stands between must fill the gap exactly. */
static int fill_gap(struct checking *checking, uint64_t end) {
    struct merkle_range gap;
    uint64_t begin = checking->tree.end;

    if (end < begin)
        return no(checking, "Line %u: record %" PRIu64 " does not come after the one before.",
                  checking->line, end);
    if (merkle_range_load(&gap, begin, end, checking->between, checking->n_between) < 0)
        return no(checking, "Line %u: what leads up to record %" PRIu64 " is not complete.",
                  checking->line, end);
    merkle_range_join(&checking->tree, &gap, NULL, NULL);
    checking->n_between = 0;
    return 0;
}

static int append_record(struct checking *checking, uint64_t number, struct hash *ret_leaf) {
    int r = fill_gap(checking, number);

    if (r < 0)
        return r;
    *ret_leaf = merkle_leaf(checking->record.data, checking->record.n);
    merkle_range_append(&checking->tree, ret_leaf, NULL, NULL);
    return 0;
}

/* ------------------------------------------------------------- the account */

static int read_account(struct checking *checking) {
    struct lines line;
    int r = next_line(checking, &line);

    if (r < 0)
        return r;
    if (!lines_equals(line, FIRST_LINE))
        return no(checking, "This is not a statement of a timebank: its first line would be %s.",
                  FIRST_LINE);
    r = next_line(checking, &line);
    if (r < 0)
        return r;
    r = lines_cut_word(&line, "account") ? read_base64(checking, line, ACCOUNT_LEAF_MAX)
                                         : unreadable(checking);
    if (r < 0)
        return r;
    checking->leaf = merkle_leaf(checking->record.data, checking->record.n);
    return account_leaf_unpack(checking->record.data, checking->record.n,
                               &checking->proof.account) < 0
               ? unreadable(checking)
               : 0;
}

/* ------------------------------------------------------------- the entries */

static int parse_entry(struct checking *checking, struct lines line,
                       struct statement_proof_entry *ret) {
    struct lines number, moved, minutes, after, held;
    int r;

    if (!lines_cut(&line, ' ', &number) || !lines_cut(&line, ' ', &moved) ||
        !lines_cut(&line, ' ', &minutes) || !lines_cut(&line, ' ', &after) ||
        !lines_cut(&line, ' ', &held) || moved.n != 1 ||
        (*moved.text != '0' && *moved.text != '1') || lines_decimal(number, &ret->number) < 0 ||
        ret->number > NUMBER_MAX || lines_signed_decimal(minutes, &ret->minutes) < 0 ||
        lines_signed_decimal(after, &ret->after) < 0 || lines_signed_decimal(held, &ret->held) < 0)
        return unreadable(checking);
    ret->moved = *moved.text == '1';
    r = read_base64(checking, line, RECORD_MAX);
    if (r < 0)
        return r;
    ret->record = checking->record.data;
    ret->n_record = checking->record.n;
    return ret->record[0] == RECORD_ORDER || ret->record[0] == RECORD_EVENT
               ? 0
               : no(checking, "Line %u: record %" PRIu64 " is no entry.", checking->line,
                    ret->number);
}

/* The figures follow from those before, and what moved goes into the running hash. */
static int add_up(struct checking *checking, const struct statement_proof_entry *entry,
                  const struct hash *leaf) {
    struct account_leaf *sum = &checking->sum;
    int64_t after;

    if (__builtin_add_overflow(sum->balance, entry->minutes, &after) || after != entry->after)
        return no(checking,
                  "Entry %" PRIu64 ": the balance after it does not follow from the one before.",
                  entry->number);
    if (!entry->moved && (entry->minutes != 0 || entry->held != sum->held))
        return no(checking,
                  "Entry %" PRIu64 " is said to have moved nothing, and its figures differ.",
                  entry->number);
    if (!entry->moved)
        return 0;
    sum->running = account_leaf_running(&sum->running, leaf, entry->after, entry->held);
    sum->balance = entry->after;
    sum->held = entry->held;
    sum->n_entries++;
    sum->last_entry = entry->number;
    return 0;
}

static int read_entry(struct checking *checking, struct lines line, statement_proof_each each,
                      void *user) {
    struct statement_proof_entry entry;
    struct hash leaf;
    int r = parse_entry(checking, line, &entry);

    if (r == 0)
        r = append_record(checking, entry.number, &leaf);
    if (r == 0)
        r = add_up(checking, &entry, &leaf);
    if (r == 0)
        checking->proof.n_entries++;
    return r == 0 && each ? each(user, &entry) : r;
}

/* --------------------------------------------------------------- the state */

/* What the entries make of the account is what its leaf says. */
static int compare_account(struct checking *checking) {
    const struct account_leaf *said = &checking->proof.account, *sum = &checking->sum;

    if (sum->n_entries != said->n_entries || sum->last_entry != said->last_entry ||
        !hash_equal(&sum->running, &said->running))
        return no(checking,
                  "The entries do not lead to the state of account %s: one was left out, added or "
                  "changed.",
                  said->code);
    if (sum->balance != said->balance || sum->held != said->held)
        return no(checking, "The entries do not add up to the balance of account %s.", said->code);
    return 0;
}

static int read_state(struct checking *checking, struct lines line) {
    struct statement_proof *proof = &checking->proof;
    struct record_state state;
    struct lines number;
    struct hash leaf;
    int r;

    if (!lines_cut(&line, ' ', &number) || lines_decimal(number, &proof->state) < 0 ||
        proof->state > NUMBER_MAX)
        return unreadable(checking);
    r = read_base64(checking, line, RECORD_STATE_BYTES);
    if (r < 0)
        return r;
    if (record_state_unpack(checking->record.data, checking->record.n, &state) < 0 ||
        state.covers != proof->state)
        return no(checking, "Line %u: record %" PRIu64 " is not the state of the accounts there.",
                  checking->line, proof->state);
    proof->time_ms = state.ledger_time_ms;
    if (merkle_verify_inclusion(proof->account.number, state.n_accounts, &checking->leaf,
                                checking->path, checking->n_path, &state.root) < 0)
        return no(checking, "Account %s did not stand so in record %" PRIu64 ".",
                  proof->account.code, proof->state);
    checking->has_state = true;
    r = append_record(checking, proof->state, &leaf);
    return r == 0 ? compare_account(checking) : r;
}

/* One line of the middle part, which ends with the state record. */
static int read_middle(struct checking *checking, statement_proof_each each, void *user) {
    struct lines line;
    int r = next_line(checking, &line);

    if (r < 0)
        return r;
    if (lines_cut_word(&line, "between"))
        return read_hash(checking, line, checking->between, MERKLE_RANGE_MAX, &checking->n_between);
    if (lines_cut_word(&line, "entry"))
        return read_entry(checking, line, each, user);
    if (lines_cut_word(&line, "accounts")) /* they stand before all others */
        return checking->tree.end == 0 && checking->n_between == 0
                   ? read_hash(checking, line, checking->path, MERKLE_PATH_MAX, &checking->n_path)
                   : unreadable(checking);
    return lines_cut_word(&line, "state") ? read_state(checking, line) : unreadable(checking);
}

/* ---------------------------------------------------------------- the head */

static int compare_root(struct checking *checking, const struct hash *said) {
    struct statement_proof *proof = &checking->proof;

    proof->root = merkle_range_root(&checking->tree);
    return hash_equal(said, &proof->root)
               ? 0
               : no(checking,
                    "The records of the statement are not those of the ledger whose head is below: "
                    "one was changed, or stands elsewhere.");
}

/* The first three lines of the checkpoint; its signature is looked at by whoever has the key. */
static int read_head(struct checking *checking) {
    struct statement_proof *proof = &checking->proof;
    struct lines origin, size, root;
    struct hash said;
    size_t n = 0;
    int r;

    proof->checkpoint = checking->rest.text;
    proof->n_checkpoint = checking->rest.n;
    if (checking->rest.n > NOTE_CHECKPOINT_MAX)
        return unreadable(checking);
    r = next_line(checking, &origin);
    if (r == 0)
        r = next_line(checking, &size);
    if (r == 0 && (lines_decimal(size, &proof->size) < 0 || proof->size > NUMBER_MAX))
        r = unreadable(checking);
    if (r == 0)
        r = next_line(checking, &root);
    if (r == 0)
        r = read_hash(checking, root, &said, 1, &n);
    if (r == 0)
        r = fill_gap(checking, proof->size);
    return r == 0 ? compare_root(checking, &said) : r;
}

/* What stands between the state record and the end of the tree, and a blank line. */
static int read_end(struct checking *checking) {
    for (;;) {
        struct lines line;
        int r = next_line(checking, &line);
        if (r < 0)
            return r;
        if (line.n == 0)
            return read_head(checking);
        r = lines_cut_word(&line, "between") ? read_hash(checking, line, checking->between,
                                                         MERKLE_RANGE_MAX, &checking->n_between)
                                             : unreadable(checking);
        if (r < 0)
            return r;
    }
}

int statement_proof_check(const void *data, size_t n, statement_proof_each each, void *user,
                          struct statement_proof *ret, char *why, size_t n_why) {
    struct checking checking = {.rest = lines_make(data, n), .why = why, .n_why = n_why};
    int r;

    merkle_range_init(&checking.tree, 0);
    r = read_account(&checking);
    while (r == 0 && !checking.has_state)
        r = read_middle(&checking, each, user);
    if (r == 0)
        r = read_end(&checking);
    bytes_fini(&checking.record);
    if (r == 0)
        *ret = checking.proof;
    return r;
}
