/* SPDX-License-Identifier: Apache-2.0 */
/* Exports from a bank that lies: nothing of a lie has its place in the directory. */
#include <errno.h>

#include "fake-bank.h"
#include "helpers.h"
#include "proto/tile.h"
#include "timebank.h"

TestSuite(lib_export, .timeout = 60);

static struct fake_bank fake;
static struct tb_bank *bank;
static char place[128];
static struct tb_ledger_export done;

/* Record i: "record", and its number. */
static size_t record_make(uint64_t i, char ret[32]) {
    return (size_t)snprintf(ret, 32, "record %u", (unsigned)i);
}

static void ledger_grow(uint64_t size) {
    for (char record[32]; fake.n_leaves < size; fake.n_leaves++)
        fake.leaves[fake.n_leaves] = merkle_leaf(record, record_make(fake.n_leaves, record));
}

/* ---- the bank's answers, and lies */

static enum {
    HONEST,
    LIE_HASH,    /* one leaf is another */
    LIE_FEWER,   /* a hash less than asked */
    LIE_KEY,     /* the published head is signed by another key */
    LIE_SIZE,    /* of another size than said */
    LIE_LONGER,  /* the published head goes beyond what the bank shows */
    LIE_OTHER,   /* the published head is of another history */
    LIE_NONE,    /* there is no published head */
    LIE_RECORD,  /* one record is another */
    LIE_NO_MORE, /* a page without records */
    LIE_MORE,    /* more records than there are */
    LIE_CUT,     /* a record that ends too early */
} lie;
static uint64_t published_size; /* 0: all */

static void published_make(Timebank__Published *published, struct bytes *note) {
    struct note_head head = {.size = published_size ? published_size : fake.n_leaves};
    strcpy(head.origin, fake.verifier.name);
    head.root = merkle_root(fake.leaves, head.size);
    if (lie == LIE_LONGER)
        head.size += 5;
    if (lie == LIE_OTHER)
        head.root.b[7] ^= 1;
    cr_assert(note_checkpoint_sign(&head, &fake.verifier, fake.secret, note) == 0);
    if (lie == LIE_KEY) {
        char *end = strchr((char *)note->data + strlen(head.origin) + 60, ' ');
        cr_assert(end && end[1] && end[2]);
        end[40] = end[40] == 'A' ? 'B' : 'A';
    }
    published->size = lie == LIE_SIZE ? head.size + 1 : head.size;
    published->checkpoint = (ProtobufCBinaryData){.len = note->n, .data = note->data};
    if (lie == LIE_NONE)
        published->checkpoint.len = 0;
}

static void tiles_make(const Timebank__AskTiles *ask, Timebank__Hashes *hashes,
                       struct hash list[2048]) {
    size_t width = (size_t)1 << 8 * ask->level;
    cr_assert(ask->n >= 1 && ask->n <= 2048 && (ask->first + ask->n) * width <= FAKE_LEAVES_MAX);
    for (uint32_t i = 0; i < ask->n; i++)
        list[i] = merkle_root(fake.leaves + (ask->first + i) * width, width);
    if (lie == LIE_HASH)
        list[ask->n / 2].b[3] ^= 1;
    hashes->hashes =
        (ProtobufCBinaryData){.len = 32 * (ask->n - (lie == LIE_FEWER)), .data = list[0].b};
}

static void records_make(const Timebank__AskRecords *ask, Timebank__Records *records,
                         struct bytes *to) {
    uint64_t first = ask->first;
    uint32_t n = ask->max < 100 ? ask->max : 100;
    records->first = first;
    records->n = n;
    if (lie == LIE_MORE)
        n = ask->max + 1;
    for (uint32_t i = 0; i < n && lie != LIE_NO_MORE; i++) {
        char record[32];
        size_t length = record_make(first + i, record);
        if (lie == LIE_RECORD && i == n / 2)
            record[0] = 'R';
        bytes_put_u16(to, (uint16_t)length);
        bytes_put(to, record, length);
    }
    records->records = (ProtobufCBinaryData){.len = to->n - (lie == LIE_CUT), .data = to->data};
}

static bool answer(struct fake_bank *of, const Timebank__Request *request,
                   Timebank__Response *response) {
    (void)of;
    static Timebank__Published published;
    static Timebank__Hashes hashes;
    static Timebank__Records records;
    static struct hash list[2048];
    static struct bytes note, bundle;
    bytes_clear(&note);
    bytes_clear(&bundle);
    if (request->body_case == TIMEBANK__REQUEST__BODY_PUBLISHED) {
        timebank__published__init(&published);
        published_make(&published, &note);
        response->published = &published;
        response->body_case = TIMEBANK__RESPONSE__BODY_PUBLISHED;
    } else if (request->body_case == TIMEBANK__REQUEST__BODY_TILES) {
        timebank__hashes__init(&hashes);
        tiles_make(request->tiles, &hashes, list);
        response->tiles = &hashes;
        response->body_case = TIMEBANK__RESPONSE__BODY_TILES;
    } else if (request->body_case == TIMEBANK__REQUEST__BODY_RECORDS) {
        timebank__records__init(&records);
        records_make(request->records, &records, &bundle);
        response->records = &records;
        response->body_case = TIMEBANK__RESPONSE__BODY_RECORDS;
    } else {
        return false;
    }
    return true;
}

/* ---- around */

static void bank_begin(void) {
    char path[160];
    if (bank)
        tb_bank_free(bank);
    cr_assert(tb_bank_new(&bank) == 0);
    snprintf(path, sizeof(path), "%s/state", fake.directory);
    cr_assert(tb_bank_set_state_directory(bank, path) == 0);
    snprintf(path, sizeof(path), "%s/key", fake.directory);
    cr_assert(tb_bank_set_key_file(bank, path) == 0);
    cr_assert(tb_bank_set_deadline(bank, 2000) == 0);
    cr_assert(tb_bank_open(bank, fake.address) == 0, "%s", tb_bank_message(bank));
}

static void setup(void) {
    char *line = NULL;
    char why[256], key[160];
    fake_bank_start(&fake);
    fake.n_leaves = 0;
    ledger_grow(300);
    fake.answer = answer;
    snprintf(key, sizeof(key), "%s/key", fake.directory);
    snprintf(place, sizeof(place), "%s/export", fake.directory);
    cr_assert(tb_key_new(key, "test", &line, why, sizeof(why)) == 0, "%s", why);
    free(line);
    bank_begin();
}

static void teardown(void) {
    bank = tb_bank_free(bank);
    fake_bank_fini(&fake);
}

static bool has(const char *name) {
    char path[300];
    snprintf(path, sizeof(path), "%s/%s", place, name);
    return access(path, F_OK) == 0;
}

/* As it is now, in one text. */
static int kept(const char *name) {
    return scratch_run(fake.directory,
                       "touch %s && find export -type f -exec sha256sum {} + | sort >%s.now && "
                       "cmp -s %s %s.now; r=$?; mv %s.now %s; exit $r",
                       name, name, name, name, name, name);
}

static void expect_caught(int with_entries, const char *sentence) {
    kept("before");
    int r = tb_ledger_export(bank, place, with_entries, &done);
    cr_assert(r == -EBADMSG, "%d %s", r, tb_bank_message(bank));
    cr_assert(strstr(tb_bank_message(bank), sentence), "%s", tb_bank_message(bank));
    cr_assert(strstr(tb_bank_message(bank), "Evidence: "), "%s", tb_bank_message(bank));
    cr_assert(kept("before") == 0 && !has(".new"));
    bank_begin();
}

/* ---- */

Test(lib_export, an_honest_bank_is_followed, .init = setup, .fini = teardown) {
    cr_assert(tb_ledger_export(bank, place, 0, &done) == 0, "%s", tb_bank_message(bank));
    cr_assert(done.size == 300 && done.old_size == 0 && done.files == 4);
    cr_assert(has("tile/0/000") && has("tile/0/001.p/44") && has("tile/1/000.p/1"));
    ledger_grow(3000);
    cr_assert(tb_ledger_export(bank, place, 0, &done) == 0, "%s", tb_bank_message(bank));
    cr_assert(done.size == 3000 && done.old_size == 300);
    cr_assert(has("tile/0/001") && has("tile/0/001.p/44") && has("tile/1/000.p/11"));
    cr_assert(tb_ledger_export(bank, place, 0, &done) == 0 && done.files == 0);
}

Test(lib_export, a_published_head_may_lie_behind_the_newest, .init = setup, .fini = teardown) {
    published_size = 290;
    cr_assert(tb_ledger_export(bank, place, 0, &done) == 0, "%s", tb_bank_message(bank));
    cr_assert(done.size == 290 && has("tile/0/001.p/34") && !has("tile/0/001.p/44"));
    published_size = 280; /* a daemon that has begun anew */
    cr_assert(tb_ledger_export(bank, place, 0, &done) == 0, "%s", tb_bank_message(bank));
    cr_assert(done.size == 290 && done.files == 0);
}

Test(lib_export, a_lie_leaves_an_empty_directory, .init = setup, .fini = teardown) {
    static const struct {
        int lie;
        const char *sentence;
    } lies[] = {
        {LIE_HASH, "do not lead to the heads"},
        {LIE_FEWER, "another number of hashes"},
        {LIE_KEY, "published head is not"},
        {LIE_SIZE, "published head is not"},
        {LIE_OTHER, "do not lead"},
        {LIE_NONE, "published head is not"},
    };
    for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
        lie = lies[i].lie;
        expect_caught(0, lies[i].sentence);
        cr_assert(!has("checkpoint") && !has("tile"));
    }
}

Test(lib_export, a_lie_leaves_the_directory_as_it_was, .init = setup, .fini = teardown) {
    cr_assert(tb_ledger_export(bank, place, 0, &done) == 0);
    ledger_grow(600);
    lie = LIE_HASH;
    expect_caught(0, "do not lead to the heads");
    lie = LIE_LONGER;
    expect_caught(0, "do not lead to the heads");
    lie = HONEST;
    cr_assert(tb_ledger_export(bank, place, 0, &done) == 0 && done.old_size == 300);
}

Test(lib_export, another_history_is_told_from_wrong_hashes, .init = setup, .fini = teardown) {
    cr_assert(tb_ledger_export(bank, place, 0, &done) == 0);
    fake.leaves[7].b[0] ^= 1;
    ledger_grow(600);
    /* To a user who never saw the first one. */
    bank = tb_bank_free(bank);
    cr_assert(scratch_run(fake.directory, "rm -rf state") == 0);
    bank_begin();
    expect_caught(0, "does not extend the one exported before");
}

Test(lib_export, records_are_held_against_the_hashes, .init = setup, .fini = teardown) {
    static const int lies[] = {LIE_RECORD, LIE_NO_MORE, LIE_MORE, LIE_CUT};
    for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
        lie = lies[i];
        int r = tb_ledger_export(bank, place, 1, &done);
        cr_assert(r == -EBADMSG, "%zu: %d %s", i, r, tb_bank_message(bank));
        cr_assert(strstr(tb_bank_message(bank), "is not the one in its ledger"), "%s",
                  tb_bank_message(bank));
        cr_assert(!has("checkpoint") && !has("tile/entries/000") && !has(".new"));
        bank_begin();
    }
    lie = HONEST;
    cr_assert(tb_ledger_export(bank, place, 1, &done) == 0, "%s", tb_bank_message(bank));
    cr_assert(has("tile/entries/000") && has("tile/entries/001.p/44") && has("checkpoint"));
}

Test(lib_export, a_damaged_directory_is_not_gone_on_with, .init = setup, .fini = teardown) {
    cr_assert(tb_ledger_export(bank, place, 0, &done) == 0);
    ledger_grow(600);
    cr_assert(scratch_run(fake.directory, "truncate -s 100 export/tile/0/001.p/44") == 0);
    cr_assert(tb_ledger_export(bank, place, 0, &done) == TB_BAD_FILE);
    cr_assert(strstr(tb_bank_message(bank), "tile/0/001.p/44"), "%s", tb_bank_message(bank));
    cr_assert(scratch_run(fake.directory, "truncate -s 1408 export/tile/0/001.p/44") == 0);
    cr_assert(tb_ledger_export(bank, place, 0, &done) == TB_BAD_FILE);
    cr_assert(scratch_run(fake.directory, "rm export/tile/1/000.p/1") == 0);
    cr_assert(tb_ledger_export(bank, place, 0, &done) == TB_BAD_FILE);
    cr_assert(scratch_run(fake.directory, "rm -rf export") == 0);
    cr_assert(tb_ledger_export(bank, place, 0, &done) == 0 && done.size == 600);
}

Test(lib_export, a_slip_of_the_caller_is_told, .init = setup, .fini = teardown) {
    cr_assert(tb_ledger_export(NULL, place, 0, &done) == -EINVAL);
    cr_assert(tb_ledger_export(bank, NULL, 0, &done) == -EINVAL);
    cr_assert(tb_ledger_export(bank, "", 0, &done) == -EINVAL);
    cr_assert(tb_ledger_export(bank, place, 0, NULL) == -EINVAL);
}
