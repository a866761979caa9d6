/* SPDX-License-Identifier: Apache-2.0 */
/* A statement proven by a bank that tells the truth, and each lie it could tell of one, caught. */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "client-state.h"
#include "fake-bank.h"
#include "helpers.h"
#include "proto/record.h"
#include "proto/statement-proof.h"
#include "timebank.h"

enum lie {
    HONEST,
    ANOTHER_ACCOUNT,   /* another member's state */
    ANOTHER_STATEMENT, /* another member's lines */
    LEFT_OUT,          /* a line in the middle */
    LAST_LEFT_OUT,
    INVENTED,       /* a line more */
    OTHER_FIGURE,   /* of a line */
    OTHER_RECORD,   /* of a line */
    OTHER_BALANCE,  /* in the leaf */
    OTHER_PATH,     /* of the leaf */
    OTHER_STATE,    /* the state record says another root */
    UPHILL,         /* lines that do not go back in time */
    ENDLESS,        /* more, and nothing in it */
    NO_RECORD,      /* a line without its order */
    OLD_HEAD,       /* published before the account's state */
    AHEAD,          /* published, and longer than the ledger */
    FORGED,         /* published, signed by another key */
    FORKED,         /* published, and not a beginning of the ledger */
    TWO_HEADS,      /* published, of the ledger's size, and another */
    OTHER_HASH,     /* one of those between the records */
    OTHER_HASH_END, /* one of those up to the newest head */
    HASH_SHORT,
    HASH_MORE,
    HASH_CUT,
    N_LIES
};

#define N_ACCOUNTS 12
#define ACCOUNT 9
#define OTHER 10
#define LINES_MAX 700
#define PAGE 100

static struct fake_bank fake;
static struct tb_bank *bank;
static char state[CLIENT_PATH_BYTES];
static atomic_int lie;

/* ---- the ledger: record i is an order that says "record i" */

struct line {
    uint64_t number;
    int64_t minutes;
    int64_t after;
    bool moved;
};
static struct line lines[2][LINES_MAX];
static size_t n_lines[2];
static struct account_leaf accounts[N_ACCOUNTS];
static struct hash account_leaves[N_ACCOUNTS];
static struct record_state record;
static uint64_t published; /* size of the head */

static size_t record_text(uint64_t i, char ret[32]) {
    return (size_t)snprintf(ret, 32, "%crecord %llu", RECORD_ORDER, (unsigned long long)i);
}

static void record_add(void) {
    char text[32];
    fake.leaves[fake.n_leaves] = merkle_leaf(text, record_text(fake.n_leaves, text));
    fake.n_leaves++;
}

static void moves(size_t which, int64_t minutes, bool moved) {
    struct account_leaf *account = &accounts[which == 0 ? ACCOUNT : OTHER];
    uint64_t number = fake.n_leaves;
    record_add();
    account->balance += minutes;
    if (moved) {
        account->running = account_leaf_running(&account->running, &fake.leaves[number],
                                                account->balance, account->held);
        account->n_entries++;
        account->last_entry = number;
    }
    lines[which][n_lines[which]++] = (struct line){number, minutes, account->balance, moved};
}

static void state_add(void) {
    uint8_t leaf[ACCOUNT_LEAF_MAX], bytes[RECORD_STATE_BYTES];
    for (size_t i = 0; i < N_ACCOUNTS; i++)
        account_leaves[i] = merkle_leaf(leaf, account_leaf_pack(&accounts[i], leaf));
    record = (struct record_state){
        .covers = fake.n_leaves, .n_accounts = N_ACCOUNTS, .ledger_time_ms = 1700000000000};
    record.root = merkle_root(account_leaves, N_ACCOUNTS);
    record_state_pack(&record, bytes);
    fake.leaves[fake.n_leaves++] = merkle_leaf(bytes, sizeof(bytes));
    published = fake.n_leaves;
}

static void ledger_make(size_t n) {
    for (size_t i = 0; i < N_ACCOUNTS; i++) {
        accounts[i] = (struct account_leaf){.number = i, .kind = 1};
        snprintf(accounts[i].code, sizeof(accounts[i].code), "m%d", (int)i);
    }
    n_lines[0] = n_lines[1] = 0;
    for (size_t i = 0; i < n; i++) {
        moves(0, (int64_t)(i % 7) * 15 - 30, i % 5 != 2 || (i % 7) != 2);
        moves(1, 15, true);
        if (i % 3 == 0)
            record_add();
    }
    state_add();
    for (int i = 0; i < 5; i++)
        record_add();
}

/* ---- what the bank answers; all of it lives until the next answer */

static struct {
    uint8_t leaf[ACCOUNT_LEAF_MAX];
    uint8_t record[RECORD_STATE_BYTES];
    struct hash path[MERKLE_PATH_MAX + 1];
    ProtobufCBinaryData path_data[MERKLE_PATH_MAX + 1];
    Timebank__AccountState account_state;
    Timebank__StatementLine items[PAGE];
    Timebank__StatementLine *list[PAGE];
    char texts[PAGE][32];
    Timebank__Statement statement;
    struct bytes checkpoint;
    Timebank__Published published;
    struct bytes hashes;
    Timebank__Hashes ranges;
} told;

static int account_lookup(void *user, unsigned level, uint64_t index, struct hash *ret) {
    (void)user;
    *ret = merkle_root(account_leaves + (index << level), (size_t)1 << level);
    return 0;
}

static int tree_lookup(void *user, unsigned level, uint64_t index, struct hash *ret) {
    (void)user;
    *ret = merkle_root(fake.leaves + (index << level), (size_t)1 << level);
    return 0;
}

static void tell_account(Timebank__Response *response) {
    Timebank__AccountState *message = &told.account_state;
    struct account_leaf leaf = accounts[lie == ANOTHER_ACCOUNT ? OTHER : ACCOUNT];
    struct record_state said = record;
    timebank__account_state__init(message);
    if (lie == OTHER_BALANCE)
        leaf.balance += 60;
    if (lie == OTHER_STATE)
        said.root.b[3] ^= 1;
    message->leaf.data = told.leaf;
    message->leaf.len = account_leaf_pack(&leaf, told.leaf);
    cr_assert(merkle_prove_inclusion(account_lookup, NULL, leaf.number, N_ACCOUNTS, told.path,
                                     &message->n_path) == 0);
    if (lie == OTHER_PATH)
        told.path[1].b[0] ^= 1;
    for (size_t i = 0; i < message->n_path; i++)
        told.path_data[i] = (ProtobufCBinaryData){.len = 32, .data = told.path[i].b};
    message->path = told.path_data;
    message->covers = record.covers;
    record_state_pack(&said, told.record);
    message->record = (ProtobufCBinaryData){.len = RECORD_STATE_BYTES, .data = told.record};
    response->body_case = TIMEBANK__RESPONSE__BODY_ACCOUNT_STATE;
    response->account_state = message;
}

static void line_put(size_t at, const struct line *line) {
    Timebank__StatementLine *item = &told.items[at];
    timebank__statement_line__init(item);
    size_t n = record_text(line->number, told.texts[at]);
    item->entry = line->number;
    item->order = (ProtobufCBinaryData){.len = n - 1, .data = (uint8_t *)told.texts[at] + 1};
    item->minutes = line->minutes;
    item->after = line->after;
    item->moved = line->moved;
    if (lie == OTHER_FIGURE && line->number == lines[0][4].number)
        item->held_after = 15;
    if (lie == OTHER_RECORD && line->number == lines[0][4].number)
        item->order.data[0] ^= 1;
    if (lie == NO_RECORD && line->number == lines[0][4].number)
        item->order.len = 0;
}

static bool is_hidden(size_t i, size_t n) {
    return (lie == LEFT_OUT && i == 3) || (lie == LAST_LEFT_OUT && i == n - 1);
}

static void tell_statement(const Timebank__AskStatement *ask, Timebank__Response *response) {
    Timebank__Statement *message = &told.statement;
    size_t which = lie == ANOTHER_STATEMENT ? 1 : 0, n = n_lines[which];
    timebank__statement__init(message);
    for (size_t i = n; i-- > 0;) {
        const struct line *line = &lines[which][i];
        if (is_hidden(i, n) || (ask->before != 0 && line->number >= ask->before))
            continue;
        if (message->n_lines == PAGE) {
            message->more = true;
            break;
        }
        told.list[message->n_lines] = &told.items[message->n_lines];
        line_put(message->n_lines++, line);
    }
    if (lie == INVENTED && ask->before == 0)
        told.items[0].entry = record.covers - 1;
    if (lie == UPHILL)
        told.items[1].entry = told.items[0].entry;
    if (lie == ENDLESS) {
        message->n_lines = 0;
        message->more = true;
    }
    message->code = "m9";
    message->lines = told.list;
    response->body_case = TIMEBANK__RESPONSE__BODY_STATEMENT;
    response->statement = message;
}

static void tell_published(Timebank__Response *response) {
    struct note_head head = {.size = published};
    Timebank__Published *message = &told.published;
    timebank__published__init(message);
    strcpy(head.origin, fake.verifier.name);
    if (lie == OLD_HEAD)
        head.size = record.covers;
    if (lie == TWO_HEADS)
        head.size = fake.n_leaves;
    head.root = merkle_root(fake.leaves, head.size);
    if (lie == AHEAD)
        head.size = fake.n_leaves + 1;
    if (lie == FORKED || lie == TWO_HEADS)
        head.root.b[5] ^= 1;
    bytes_clear(&told.checkpoint);
    cr_assert(note_checkpoint_sign(&head, &fake.verifier, fake.secret, &told.checkpoint) == 0);
    if (lie == FORGED)
        told.checkpoint.data[told.checkpoint.n - 20] ^= 1;
    message->size = head.size;
    message->checkpoint =
        (ProtobufCBinaryData){.len = told.checkpoint.n, .data = told.checkpoint.data};
    response->body_case = TIMEBANK__RESPONSE__BODY_PUBLISHED;
    response->published = message;
}

static void tell_ranges(const Timebank__AskRanges *ask, Timebank__Response *response) {
    uint64_t at = ask->begin;
    bool is_last = ask->n_leaves == 0;
    timebank__hashes__init(&told.ranges);
    bytes_clear(&told.hashes);
    for (size_t i = 0; i <= ask->n_leaves; i++) {
        uint64_t end = i < ask->n_leaves ? ask->leaves[i] : ask->end;
        struct merkle_range range;
        cr_assert(merkle_prove_range(tree_lookup, NULL, at, end, &range) == 0);
        bytes_put(&told.hashes, range.hashes, range.n_hashes * HASH_BYTES);
        at = end + 1;
    }
    if ((lie == OTHER_HASH && !is_last) || (lie == OTHER_HASH_END && is_last))
        told.hashes.data[7] ^= 1;
    if (lie == HASH_MORE)
        bytes_put(&told.hashes, told.leaf, HASH_BYTES);
    told.ranges.hashes =
        (ProtobufCBinaryData){.len = told.hashes.n - (lie == HASH_SHORT ? HASH_BYTES
                                                      : lie == HASH_CUT ? 1
                                                                        : 0),
                              .data = told.hashes.data};
    response->body_case = TIMEBANK__RESPONSE__BODY_RANGES;
    response->ranges = &told.ranges;
}

static bool answer(struct fake_bank *asked, const Timebank__Request *request,
                   Timebank__Response *response) {
    (void)asked;
    switch (request->body_case) {
    case TIMEBANK__REQUEST__BODY_ACCOUNT_STATE:
        tell_account(response);
        return true;
    case TIMEBANK__REQUEST__BODY_STATEMENT:
        tell_statement(request->statement, response);
        return true;
    case TIMEBANK__REQUEST__BODY_PUBLISHED:
        tell_published(response);
        return true;
    case TIMEBANK__REQUEST__BODY_RANGES:
        tell_ranges(request->ranges, response);
        return true;
    default:
        return false;
    }
}

/* ---- asking */

static void setup(void) {
    static char key[CLIENT_PATH_BYTES];
    fake_bank_start(&fake);
    fake.answer = answer;
    lie = HONEST;
    client_state_begin(fake.directory, state, key);
    bank = client_state_bank(state, key, 5000);
}

static void teardown(void) {
    bank = tb_bank_free(bank);
    fake_bank_fini(&fake);
    bytes_fini(&told.checkpoint);
    bytes_fini(&told.hashes);
    told.checkpoint = told.hashes = (struct bytes){};
}

static void open_bank(void) {
    int r = tb_bank_open(bank, fake.address);
    cr_assert(r == 0, "%d %s", r, tb_bank_message(bank));
}

static size_t evidence_count(void) {
    char path[256];
    size_t n = 0;
    snprintf(path, sizeof(path), "%s/evidence", state);
    DIR *stream = opendir(path);
    for (const struct dirent *entry; stream && (entry = readdir(stream));)
        n += entry->d_name[0] != '.';
    if (stream)
        closedir(stream);
    return n;
}

static struct statement_proof expect_proof(void) {
    _cleanup_(freep) char *text = NULL;
    struct statement_proof proof;
    char why[256] = "";
    size_t n = 0;
    int r = tb_statement_prove(bank, "m9", &text, &n);
    cr_assert(r == 0, "%d %s", r, tb_bank_message(bank));
    cr_assert(strlen(text) == n);
    cr_assert(statement_proof_check(text, n, NULL, NULL, &proof, why, sizeof(why)) == 0, "%s", why);
    cr_assert_str_eq(proof.account.code, "m9");
    cr_assert_eq(evidence_count(), 0);
    return proof;
}

TestSuite(lib_prove, .timeout = 60, .init = setup, .fini = teardown);

Test(lib_prove, proves_statements_of_any_length) {
    static const size_t counts[] = {0, 1, 2, 3, 99, 100, 101, 255, 256, 257, 600};
    for (size_t i = 0; i < N_ELEMENTS(counts); i++) {
        teardown();
        setup();
        ledger_make(counts[i]);
        open_bank();
        struct statement_proof proof = expect_proof();
        cr_assert_eq(proof.n_entries, counts[i]);
        cr_assert_eq(proof.account.balance, accounts[ACCOUNT].balance);
        cr_assert_eq(proof.size, published);
    }
}

Test(lib_prove, holds_where_the_published_head_is_the_newest) {
    ledger_make(20);
    fake.n_leaves = published;
    open_bank();
    expect_proof();
}

Test(lib_prove, passes_over_what_is_recorded_after_the_state) {
    ledger_make(20);
    struct account_leaf before = accounts[ACCOUNT];
    moves(0, 45, true);
    moves(0, 60, true);
    accounts[ACCOUNT] = before;
    open_bank();
    struct statement_proof proof = expect_proof();
    cr_assert_eq(proof.n_entries, 20);
}

Test(lib_prove, catches_every_lie_with_evidence) {
    for (int i = HONEST + 1; i < N_LIES; i++) {
        char untouched, *text = &untouched;
        size_t n = 99;
        teardown();
        setup();
        ledger_make(150);
        open_bank();
        lie = i;
        int r = tb_statement_prove(bank, "m9", &text, &n);
        cr_assert_eq(r, -EBADMSG, "lie %d gave %d: %s", i, r, tb_bank_message(bank));
        cr_assert(text == &untouched && n == 99);
        cr_assert_eq(evidence_count(), 1, "lie %d left no evidence", i);
    }
}

Test(lib_prove, wants_to_be_asked_rightly) {
    char *text = NULL;
    size_t n = 0;
    cr_assert_eq(tb_statement_prove(NULL, "m9", &text, &n), -EINVAL);
    cr_assert_eq(tb_statement_prove(bank, NULL, &text, &n), -EINVAL);
    cr_assert_eq(tb_statement_prove(bank, "m9", NULL, &n), -EINVAL);
    cr_assert_eq(tb_statement_prove(bank, "m9", &text, &n), -ENOTCONN);
}
