/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only leaf hashes are asked for, all above them is reckoned here. What the bank gives is written
 * into its place when it leads from what the directory held to the head that the bank signed, and
 * to the newest head that it showed us; `checkpoint` is last.
 */
#include "export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/files.h"
#include "call.h"
#include "tile-files.h"
#include "tile-tree.h"
#include "verify.h"

#define HASHES_A_TIME 2048u

struct export_run {
    struct tb_bank *bank;
    struct tile_files files;
    bool with_entries;
    struct note_head old; /* the directory's own; size 0: none */
    struct bytes old_checkpoint;
    struct note_head head; /* to be exported */
    struct bytes checkpoint;
    struct note_head reach; /* the newest that the bank showed */
    struct tile_tree tree;
};

static void run_finip(struct export_run **run) {
    if (!*run)
        return;
    bytes_fini(&(*run)->old_checkpoint);
    bytes_fini(&(*run)->checkpoint);
    free(*run);
}

/* A failure of the files: their sentence is the bank's. */
static int run_fail(struct export_run *run, int r) {
    if (r == -EBADMSG)
        return bank_fail(run->bank, TB_BAD_FILE, "%s Move the directory away and export it anew.",
                         run->files.why);
    return r < 0 && run->files.why[0] ? bank_fail(run->bank, r, "%s", run->files.why) : r;
}

/* ---------------------------------------------------------------- directory */

static int directory_open(struct export_run *run, int *ret_fd) {
    const char *path = run->files.directory;
    int r = file_make_directories(path, run->with_entries ? 0700 : 0755);
    if (r < 0)
        return bank_fail(run->bank, r, "The directory %s cannot be made: %s.", path, strerror(-r));
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return bank_fail(run->bank, -errno, "%s cannot be opened: %s.", path, strerror(errno));
    if (run->with_entries && (status.st_mode & 077) != 0)
        return bank_fail(run->bank, TB_BAD_FILE,
                         "Others can read %s, and entries say who helped whom: name a new "
                         "directory, or chmod 700 it.",
                         path);
    while (flock(fd, LOCK_EX) < 0) {
        if (errno != EINTR)
            return bank_fail(run->bank, -errno, "%s cannot be locked: %s.", path, strerror(errno));
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* A head by any of the ledger's keys: the directory's may be older than a change of key, and so may
 * the published one for a moment. */
static int head_open(const struct tb_bank *bank, const void *note, size_t n,
                     struct note_head *ret) {
    const struct rotation_chain *chain = &bank->handshake.chain;
    int r = note_checkpoint_open(note, n, &bank->verifier, ret);
    for (size_t i = chain->n; r == -EBADMSG && i > 0; i--)
        r = note_checkpoint_open(note, n, &chain->verifiers[i - 1], ret);
    return r;
}

static int checkpoint_path(struct export_run *run, char ret[PATH_MAX]) {
    int n = snprintf(ret, PATH_MAX, "%s/%s", run->files.directory, EXPORT_CHECKPOINT);
    return n < PATH_MAX ? 0 : bank_fail(run->bank, -ENAMETOOLONG, NULL);
}

/* What the directory holds from before. */
static int old_read(struct export_run *run) {
    char path[PATH_MAX];
    int r = checkpoint_path(run, path);
    if (r < 0)
        return r;
    r = file_read(path, NOTE_COSIGNED_MAX, &run->old_checkpoint);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return bank_fail(run->bank, r, "%s cannot be read: %s.", path, strerror(-r));
    r = head_open(run->bank, run->old_checkpoint.data, run->old_checkpoint.n, &run->old);
    if (r == -ENOMEM)
        return bank_fail(run->bank, r, NULL);
    if (r < 0)
        return bank_fail(run->bank, TB_WRONG_LEDGER,
                         "%s is not a head that %s signed: name another directory.", path,
                         run->bank->verifier.name);
    return 0;
}

/* Entries without those of later records would be neither one thing nor the other. */
static int entries_compare(struct export_run *run) {
    const struct tile first = {.level = TILE_ENTRIES, .width = TILE_WIDTH};
    struct tile partial = {.level = TILE_ENTRIES, .number = run->old.size / TILE_WIDTH};
    if (run->with_entries || run->old.size == 0)
        return 0;
    partial.width = (unsigned)(run->old.size % TILE_WIDTH);
    int r = run->old.size >= TILE_WIDTH ? tile_files_has(&run->files, &first)
                                        : tile_files_has(&run->files, &partial);
    if (r <= 0)
        return run_fail(run, r);
    return bank_fail(run->bank, TB_BAD_FILE,
                     "%s holds entries: go on with --entries, or name another directory for what "
                     "others may see.",
                     run->files.directory);
}

/* ------------------------------------------------------------------- asking */

static int published_take(struct export_run *run, const Timebank__Published *published) {
    const void *note = published->checkpoint.data;
    size_t n = published->checkpoint.len;
    int r = head_open(run->bank, note, n, &run->head);
    if (r == -ENOMEM)
        return bank_fail(run->bank, r, NULL);
    if (r < 0 || run->head.size != published->size || run->head.size == 0)
        return verify_fail(run->bank, note, n, "The signature on the published head is not right.");
    bytes_put(&run->checkpoint, note, n);
    return run->checkpoint.r < 0 ? bank_fail(run->bank, -ENOMEM, NULL) : 0;
}

static int published_ask(struct export_run *run) {
    Timebank__Empty empty = TIMEBANK__EMPTY__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    Timebank__Response *response = NULL;
    struct tb_call *call = NULL;
    request.body_case = TIMEBANK__REQUEST__BODY_PUBLISHED;
    request.published = &empty;
    int r = call_ask(run->bank, &request, TIMEBANK__RESPONSE__BODY_PUBLISHED, &call, &response);
    if (r == 0)
        r = published_take(run, response->published);
    run->reach = run->bank->head.head;
    call_release(call);
    return r;
}

static int hashes_ask(struct export_run *run, unsigned level, uint64_t first, uint32_t n,
                      struct hash *ret) {
    Timebank__AskTiles tiles = TIMEBANK__ASK_TILES__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    Timebank__Response *response = NULL;
    struct tb_call *call = NULL;
    tiles.level = level;
    tiles.first = first;
    tiles.n = n;
    request.body_case = TIMEBANK__REQUEST__BODY_TILES;
    request.tiles = &tiles;
    int r = call_ask(run->bank, &request, TIMEBANK__RESPONSE__BODY_TILES, &call, &response);
    if (r != 0)
        return r;
    const ProtobufCBinaryData *hashes = &response->tiles->hashes;
    if (hashes->len == n * sizeof(*ret))
        memcpy(ret, hashes->data, hashes->len);
    else
        r = verify_fail(run->bank, NULL, 0, "The bank gave another number of hashes than asked.");
    call_release(call);
    return r;
}

/* -------------------------------------------------------------------- tiles */

static int tile_keep(void *user, const struct tile *tile, const struct hash *hashes) {
    struct export_run *run = user;
    return tile_files_put(&run->files, tile, hashes, tile->width * sizeof(*hashes), 0644);
}

static int tile_read(void *user, const struct tile *tile, struct hash *ret_hashes) {
    struct export_run *run = user;
    return tile_files_read(&run->files, tile, ret_hashes);
}

/* Takes leaves up to a size. */
static int walk_to(struct export_run *run, uint64_t size) {
    struct hash hashes[HASHES_A_TIME];
    while (run->tree.range.end < size) {
        uint64_t first = run->tree.range.end;
        uint32_t n = (uint32_t)MIN_OF(size - first, HASHES_A_TIME);
        int r = hashes_ask(run, 0, first, n, hashes);
        if (r != 0)
            return r;
        for (uint32_t i = 0; r == 0 && i < n; i++)
            r = tile_tree_append(&run->tree, &hashes[i]);
        if (r != 0)
            return run_fail(run, r);
    }
    return 0;
}

/* Walks to a head; whether the leaves lead there. Heads behind are passed by. */
static int walk_to_head(struct export_run *run, const struct note_head *head, bool *ret_leads) {
    if (head->size < run->tree.range.end)
        return 0;
    int r = walk_to(run, head->size);
    struct hash root = merkle_range_root(&run->tree.range);
    if (r == 0 && !hash_equal(&root, &head->root))
        *ret_leads = false;
    return r;
}

/* The heads to be exported and the newest, the nearer one first. What the nearer one cuts off is
 * told as tiles. */
static int walk_heads(struct export_run *run, bool *ret_leads) {
    const struct note_head *head = &run->head;
    bool head_is_first = head->size <= run->reach.size;
    int r = head_is_first ? 0 : walk_to_head(run, &run->reach, ret_leads);
    if (r == 0)
        r = walk_to_head(run, head, ret_leads);
    if (r == 0 && run->tree.range.end == head->size && run->tree.each) {
        r = run_fail(run, tile_tree_cut(&run->tree));
        run->tree.each = NULL;
    }
    return r == 0 && head_is_first ? walk_to_head(run, &run->reach, ret_leads) : r;
}

/* A merkle_lookup out of the bank's tiles. */
static int bank_lookup(void *user, unsigned level, uint64_t index, struct hash *ret) {
    struct hash hashes[TILE_WIDTH];
    uint32_t n = (uint32_t)1 << level % 8;
    int r = hashes_ask(user, level / 8, index << level % 8, n, hashes);
    if (r == 0)
        *ret = merkle_root(hashes, n);
    return r;
}

/* Both heads, and what shows that the later one's history had another root at the older one's size:
 * whoever sees that needs nothing else. */
static int history_fail(struct export_run *run) {
    struct tb_bank *bank = run->bank;
    _cleanup_bytes_ struct bytes reply = {};
    int r = export_pack_position(bank_lookup, run, run->old.size, run->head.size, &run->checkpoint,
                                 &reply);
    if (r != 0)
        return r;
    const struct bank_head known = bank->head;
    bank->head = (struct bank_head){.head = run->old, .checkpoint = run->old_checkpoint};
    bank->judged.reply = &reply;
    r = verify_fail(bank, run->checkpoint.data, run->checkpoint.n,
                    "The ledger's head does not extend the one exported before: the history was "
                    "changed.");
    bank->judged.reply = NULL;
    bank->head = known;
    return r;
}

/* The leaves do not lead from what the directory holds to the heads. Do they lead there from the
 * first leaf on? Then the history is another than it was. */
static int walk_again(struct export_run *run) {
    bool leads = true;
    bool old_leads = true;
    tile_tree_init(&run->tree, NULL, NULL);
    int r = run->old.size <= run->head.size ? walk_to_head(run, &run->old, &old_leads) : 0;
    if (r == 0)
        r = walk_heads(run, &leads);
    if (r != 0)
        return r;
    if (leads && !old_leads)
        return history_fail(run);
    return verify_fail(run->bank, run->checkpoint.data, run->checkpoint.n,
                       "The hashes that the bank gave do not lead to the heads that it signed.");
}

static int old_load(struct export_run *run) {
    tile_tree_init(&run->tree, run->head.size > run->old.size ? tile_keep : NULL, run);
    int r = tile_tree_load(&run->tree, run->old.size, tile_read, run);
    if (r != 0)
        return run_fail(run, r);
    struct hash root = merkle_range_root(&run->tree.range);
    if (run->old.size > 0 && !hash_equal(&root, &run->old.root)) {
        snprintf(run->files.why, sizeof(run->files.why),
                 "The tiles in %s do not lead to its checkpoint.", run->files.directory);
        return run_fail(run, -EBADMSG);
    }
    return 0;
}

static int old_compare(struct export_run *run) {
    const struct bytes *note = &run->old_checkpoint;
    if (run->old.size > run->reach.size && run->old.size > run->head.size)
        return verify_fail(run->bank, note->data, note->n,
                           "The ledger went back from %" PRIu64 " records to %" PRIu64
                           ": entries were lost or taken out.",
                           run->old.size, run->reach.size);
    const struct note_head *same = run->old.size == run->head.size    ? &run->head
                                   : run->old.size == run->reach.size ? &run->reach
                                                                      : NULL;
    if (same && run->old.size > 0 && !hash_equal(&same->root, &run->old.root))
        return verify_two_histories(run->bank, note->data, note->n);
    return 0;
}

static int place(void *user, const struct tile *tile) {
    struct export_run *run = user;
    return tile_files_place(&run->files, tile);
}

static int tiles_export(struct export_run *run) {
    bool leads = true;
    int r = old_compare(run);
    if (r == 0)
        r = old_load(run);
    if (r == 0)
        r = walk_heads(run, &leads);
    if (r == 0 && !leads)
        return walk_again(run);
    if (r == 0 && run->head.size > run->old.size)
        r = run_fail(run, tile_each(run->old.size, run->head.size, false, place, run));
    return r;
}

/* ------------------------------------------------------------------ entries */

/* Takes a page's records into the bundle; each must be the leaf that the tile has. */
static int records_take(struct export_run *run, const Timebank__Records *page,
                        const struct hash *hashes, uint64_t first, uint32_t n_wanted,
                        struct bytes *bundle, uint32_t *n_have) {
    struct cursor c = cursor_make(page->records.data, page->records.len);
    const uint8_t *record = NULL;
    size_t n = 0;
    uint32_t before = *n_have;
    int r = page->first == first + *n_have ? 0 : -EBADMSG;
    while (r == 0 && (r = tile_files_record_next(&c, &record, &n)) > 0) {
        struct hash leaf = merkle_leaf(record, n);
        r = *n_have < n_wanted && hash_equal(&leaf, &hashes[*n_have]) ? 0 : -EBADMSG;
        ++*n_have;
    }
    if (r < 0 || *n_have - before != page->n || page->n == 0)
        return verify_fail(run->bank, NULL, 0,
                           "A record that the bank gave is not the one in its ledger.");
    bytes_put(bundle, page->records.data, page->records.len);
    return bundle->r < 0 ? bank_fail(run->bank, -ENOMEM, NULL) : 0;
}

static int bundle_ask(struct export_run *run, const struct tile *tile, const struct hash *hashes,
                      struct bytes *bundle) {
    uint64_t first = tile->number * TILE_WIDTH;
    for (uint32_t n = 0; n < tile->width;) {
        Timebank__AskRecords records = TIMEBANK__ASK_RECORDS__INIT;
        Timebank__Request request = TIMEBANK__REQUEST__INIT;
        Timebank__Response *response = NULL;
        struct tb_call *call = NULL;
        records.first = first + n;
        records.max = tile->width - n;
        request.body_case = TIMEBANK__REQUEST__BODY_RECORDS;
        request.records = &records;
        int r = call_ask(run->bank, &request, TIMEBANK__RESPONSE__BODY_RECORDS, &call, &response);
        if (r == 0)
            r = records_take(run, response->records, hashes, first, tile->width, bundle, &n);
        call_release(call);
        if (r != 0)
            return r;
    }
    return 0;
}

static int bundle_export(void *user, const struct tile *tile) {
    struct export_run *run = user;
    struct tile leaves = {.level = 0, .number = tile->number, .width = tile->width};
    struct hash hashes[TILE_WIDTH];
    _cleanup_bytes_ struct bytes bundle = {};
    if (tile->level != TILE_ENTRIES)
        return 0;
    int r = tile_files_has(&run->files, tile);
    if (r == 0)
        r = tile_files_read(&run->files, &leaves, hashes);
    if (r != 0)
        return r > 0 ? 0 : run_fail(run, r);
    r = bundle_ask(run, tile, hashes, &bundle);
    if (r != 0)
        return r;
    r = tile_files_put(&run->files, tile, bundle.data, bundle.n, 0600);
    return run_fail(run, r == 0 ? tile_files_place(&run->files, tile) : r);
}

/* ----------------------------------------------------------------- evidence */

int export_pack_position(merkle_lookup lookup, void *user, uint64_t old_size, uint64_t size,
                         const struct bytes *checkpoint, struct bytes *to) {
    struct hash path[MERKLE_PATH_MAX + 1];
    ProtobufCBinaryData hashes[MERKLE_PATH_MAX + 1];
    Timebank__Position position = TIMEBANK__POSITION__INIT;
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    size_t n = 0;
    int r = merkle_prove_consistency(lookup, user, old_size, size, path, &n);
    if (r != 0)
        return r;
    for (size_t i = 0; i < n; i++)
        hashes[i] = (ProtobufCBinaryData){.len = HASH_BYTES, .data = path[i].b};
    position.size = size;
    position.checkpoint.data = checkpoint->data;
    position.checkpoint.len = checkpoint->n;
    position.n_consistency = n;
    position.consistency = hashes;
    response.position = &position;
    uint8_t *at = bytes_reserve(to, timebank__response__get_packed_size(&response));
    if (!at)
        return -ENOMEM;
    timebank__response__pack(&response, at);
    return 0;
}

/* ------------------------------------------------------------------- public */

static int checkpoint_write(struct export_run *run) {
    char path[PATH_MAX];
    int r = run_fail(run, tile_files_sync(&run->files));
    if (r != 0 || run->head.size <= run->old.size)
        return r;
    r = checkpoint_path(run, path);
    if (r == 0)
        r = file_replace(path, run->with_entries ? 0600 : 0644, run->checkpoint.data,
                         run->checkpoint.n);
    if (r < 0)
        return bank_fail(run->bank, r, "%s cannot be written: %s.", path, strerror(-r));
    run->files.n_written++;
    return 0;
}

static int run_export(struct export_run *run) {
    int r = old_read(run);
    if (r == 0)
        r = entries_compare(run);
    if (r == 0)
        r = published_ask(run);
    if (r == 0)
        r = tiles_export(run);
    if (r == 0 && run->with_entries)
        r = tile_each(0, MAX_OF(run->head.size, run->old.size), true, bundle_export, run);
    return r == 0 ? checkpoint_write(run) : r;
}

int tb_ledger_export(struct tb_bank *bank, const char *directory, int with_entries,
                     struct tb_ledger_export *ret_export) {
    if (!bank || !directory || !*directory || !ret_export)
        return -EINVAL;
    int r = bank_begin_opened(bank);
    if (r != 0)
        return r;
    _cleanup_(run_finip) struct export_run *run = calloc(1, sizeof(*run));
    _cleanup_(closep) int lock = -1;
    if (!run)
        return bank_fail(bank, -ENOMEM, NULL);
    run->bank = bank;
    run->files.directory = directory;
    run->with_entries = with_entries != 0;
    r = directory_open(run, &lock);
    if (r == 0)
        r = run_fail(run, tile_files_clear(&run->files)); /* of one that was cut short */
    if (r == 0) {
        r = run_export(run);
        if (r != 0 && tile_files_clear(&run->files) < 0)
            bank_notice(bank, "%s", run->files.why);
    }
    if (r == 0)
        *ret_export = (struct tb_ledger_export){.size = MAX_OF(run->head.size, run->old.size),
                                                .old_size = run->old.size,
                                                .files = run->files.n_written};
    return r;
}
