/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tiles are checked from the signed root down, so that what is wrong can be named: the partial
 * tiles lead to the root, each whole tile to its hash in the level above, each record to its leaf.
 * Older partial tiles must be the beginning of what they became.
 */
#include "export.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "chain.h"
#include "export-records.h"
#include "pins.h"
#include "proto/lines.h"
#include "tile-tree.h"
#include "verify.h"

struct export_check {
    struct verified_check *check;
    struct bytes checkpoint;
    struct note_head head;
    struct tile_files files;
    struct tile_roots roots;
    struct tile_tree edge;
    struct export_records records;
};

static void run_finip(struct export_check **run) {
    if (!*run)
        return;
    bytes_fini(&(*run)->checkpoint);
    export_records_fini(&(*run)->records);
    free(*run);
}

static int files_fail(struct export_check *run, int r) {
    return r == -EBADMSG ? verified_fail(run->check, "%s Get the export anew.", run->files.why) : r;
}

static int tile_fail(struct export_check *run, const struct tile *tile, const char *what) {
    char path[TILE_PATH_MAX];
    tile_path(tile, path);
    return verified_fail(run->check,
                         "%s %s: get the export anew, and where it comes the same, keep it and ask "
                         "an auditor.",
                         path, what);
}

/* -------------------------------------------------------------------- tiles */

static int edge_read(void *user, const struct tile *tile, struct hash *ret_hashes) {
    struct export_check *run = user;
    return tile_files_read(&run->files, tile, ret_hashes);
}

/* Names what the right edge of the tree is made of. */
static int edge_fail(struct export_check *run) {
    _cleanup_bytes_ struct bytes names = {};
    for (unsigned i = 0; i < TILE_TREE_LEVELS; i++) {
        const struct tile_tree_level *level = &run->edge.levels[i];
        struct tile tile = {.level = i, .number = level->number, .width = level->n};
        char path[TILE_PATH_MAX];
        if (level->n == 0)
            continue;
        tile_path(&tile, path);
        bytes_printf(&names, "%s%s", names.n > 0 ? ", " : "", path);
    }
    bytes_put_u8(&names, '\0');
    if (names.r < 0)
        return -ENOMEM;
    return verified_fail(run->check,
                         "One of these does not lead to the head in checkpoint, or that is of "
                         "another log: %s. Get the export anew.",
                         (const char *)names.data);
}

static int edge_check(struct export_check *run) {
    tile_tree_init(&run->edge, NULL, NULL);
    int r = tile_tree_load(&run->edge, run->head.size, edge_read, run);
    if (r < 0)
        return files_fail(run, r);
    struct hash root = merkle_range_root(&run->edge.range);
    return hash_equal(&root, &run->head.root) ? 0 : edge_fail(run);
}

/* What of a tile stands in older, partial files, one after another. */
typedef int (*older_check)(struct export_check *run, const struct tile *older, const void *of);

static int older_each(struct export_check *run, const struct tile *tile, older_check each,
                      const void *of) {
    struct tile whole = {.level = tile->level, .number = tile->number, .width = TILE_WIDTH};
    char name[TILE_PATH_MAX];
    char path[PATH_MAX];
    tile_path(&whole, name);
    if (snprintf(path, sizeof(path), "%s/%s.p", run->files.directory, name) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    DIR *directory = opendir(path);
    if (!directory)
        return errno == ENOENT ? 0 : -errno;
    int r = 0;
    for (struct dirent *entry; r == 0 && (entry = readdir(directory));) {
        uint64_t width = 0;
        if (lines_decimal(lines_make(entry->d_name, strlen(entry->d_name)), &width) < 0 ||
            width == 0 || width >= tile->width)
            continue; /* not ours, the tile itself, or of a later size that nothing speaks of */
        struct tile older = *tile;
        older.width = (unsigned)width;
        r = each(run, &older, of);
    }
    closedir(directory);
    return r;
}

static int older_tile_check(struct export_check *run, const struct tile *older, const void *of) {
    struct hash hashes[TILE_WIDTH];
    int r = tile_files_read(&run->files, older, hashes);
    if (r < 0)
        return files_fail(run, r);
    return memcmp(hashes, of, older->width * sizeof(*hashes)) == 0
               ? 0
               : tile_fail(run, older, "is not the beginning of the tile that it became");
}

static int tile_check(struct export_check *run, unsigned level, uint64_t number) {
    const struct tile_roots_kept *kept = NULL;
    int r = tile_roots_read(&run->roots, level, number, &kept);
    if (r < 0)
        return files_fail(run, r);
    struct tile_roots_kept tile = *kept;
    if (tile.tile.width == TILE_WIDTH) {
        struct hash root = merkle_root(tile.hashes, TILE_WIDTH);
        r = tile_roots_read(&run->roots, level + 1, number / TILE_WIDTH, &kept);
        if (r < 0)
            return files_fail(run, r);
        if (!hash_equal(&root, &kept->hashes[number % TILE_WIDTH]))
            return tile_fail(run, &tile.tile, "does not lead to the head in checkpoint");
    }
    return older_each(run, &tile.tile, older_tile_check, tile.hashes);
}

/* From the highest level down: what a tile is held against is known to be right. */
static int tiles_check(struct export_check *run) {
    int r = edge_check(run);
    for (unsigned level = TILE_TREE_LEVELS; r == 0 && level-- > 0;) {
        uint64_t n = run->head.size >> 8 * level;
        for (uint64_t number = 0; r == 0 && number * TILE_WIDTH < n; number++)
            r = tile_check(run, level, number);
    }
    return r;
}

/* ------------------------------------------------------------------ entries */

struct bundle {
    struct bytes file;
    size_t ends[TILE_WIDTH];
};

static int older_bundle_check(struct export_check *run, const struct tile *older, const void *of) {
    const struct bundle *bundle = of;
    _cleanup_bytes_ struct bytes file = {};
    int r = tile_files_read_bundle(&run->files, older, &file);
    if (r < 0)
        return files_fail(run, r);
    if (file.n != bundle->ends[older->width - 1] || memcmp(file.data, bundle->file.data, file.n))
        return tile_fail(run, older, "is not the beginning of the bundle that it became");
    return 0;
}

/* The records are those of the ledger, whoever gave them: its own history is at fault. */
static int records_fail(struct export_check *run) {
    return verified_fail(run->check, "%s Keep the export and ask an auditor.", run->records.why);
}

static int records_check(struct export_check *run, const struct tile *tile, struct bundle *bundle) {
    const struct tile_roots_kept *leaves = NULL;
    struct cursor c = cursor_make(bundle->file.data, bundle->file.n);
    const uint8_t *record = NULL;
    size_t n = 0;
    for (unsigned i = 0; i < tile->width; i++) {
        if (tile_files_record_next(&c, &record, &n) <= 0)
            return tile_fail(run, tile, "holds fewer records than it should");
        bundle->ends[i] = bundle->file.n - c.n_left;
        int r = tile_roots_read(&run->roots, 0, tile->number, &leaves);
        if (r < 0)
            return files_fail(run, r);
        struct hash leaf = merkle_leaf(record, n);
        if (!hash_equal(&leaf, &leaves->hashes[i]))
            return tile_fail(run, tile, "holds another record than the ledger");
        r = export_records_take(&run->records, record, n);
        if (r < 0)
            return r == -EBADMSG ? records_fail(run) : r;
    }
    return c.n_left == 0 ? 0 : tile_fail(run, tile, "holds more than its records");
}

static int bundle_check(struct export_check *run, uint64_t number) {
    struct bundle *bundle = calloc(1, sizeof(*bundle));
    struct tile tile = tile_roots_tile(&run->roots, 0, number);
    if (!bundle)
        return -ENOMEM;
    tile.level = TILE_ENTRIES;
    int r = files_fail(run, tile_files_read_bundle(&run->files, &tile, &bundle->file));
    if (r == 0)
        r = records_check(run, &tile, bundle);
    if (r == 0)
        r = older_each(run, &tile, older_bundle_check, bundle);
    bytes_fini(&bundle->file);
    free(bundle);
    return r;
}

static bool has_entries(const struct export_check *run) {
    char path[PATH_MAX];
    struct stat status;
    int n = snprintf(path, sizeof(path), "%s/tile/entries", run->files.directory);
    return n < (int)sizeof(path) && lstat(path, &status) == 0;
}

static int entries_check(struct export_check *run) {
    export_records_init(&run->records, &run->roots, &run->check->verifier);
    int r = 0;
    for (uint64_t number = 0; r == 0 && number * TILE_WIDTH < run->head.size; number++)
        r = bundle_check(run, number);
    if (r == 0 && export_records_end(&run->records) < 0)
        return records_fail(run);
    return r;
}

/* --------------------------------------------------------- the head last seen */

static int seen_fail(struct export_check *run, struct tb_bank *bank) {
    _cleanup_bytes_ struct bytes reply = {};
    int r = export_pack_position(tile_roots_lookup, &run->roots, bank->head.head.size,
                                 run->head.size, &run->checkpoint, &reply);
    if (r < 0)
        return files_fail(run, r);
    bank->judged.reply = &reply;
    verify_fail(bank, run->checkpoint.data, run->checkpoint.n,
                "The export is not of the history that this bank showed before: it signed two.");
    bank->judged.reply = NULL;
    return verified_fail(run->check, "%s", bank->message);
}

static int seen_compare(struct export_check *run, struct tb_bank *bank) {
    const struct note_head *seen = &bank->head.head;
    struct hash root;
    if (seen->size == 0)
        return 0;
    if (seen->size > run->head.size)
        return verified_say(run->check, false,
                            "That it goes on to the head of %" PRIu64 " records that you saw: the "
                            "export is older.",
                            seen->size);
    int r = tile_roots_at(&run->roots, seen->size, &root);
    if (r < 0)
        return files_fail(run, r);
    if (!hash_equal(&root, &seen->root))
        return seen_fail(run, bank);
    return verified_say(run->check, true,
                        "It goes on from the head of %" PRIu64 " records that you saw.",
                        seen->size);
}

/* What this user's own programs were shown of the ledger, if they ever were. */
static int seen_check(struct export_check *run) {
    struct tb_bank *bank = NULL;
    int r = tb_bank_new(&bank);
    if (r == 0)
        r = bank_set_verifier(bank, &run->check->verifier);
    if (r == 0) {
        bank->ledger_id =
            run->records.index > 0 ? run->records.chain.ledger_id : run->check->ledger_id;
        r = pins_load_head(bank);
        r = r == 0 ? seen_compare(run, bank) : r == -ENOMEM ? r : 0;
    }
    tb_bank_free(bank);
    return r;
}

/* -------------------------------------------------------------------- found */

static int found_say(struct export_check *run) {
    struct verified_check *check = run->check;
    int r = verified_say(check, true,
                         "The ledger %s signed this head of %" PRIu64 " records, and every tile "
                         "leads to it.",
                         run->head.origin, run->head.size);
    if (r < 0)
        return r;
    if (run->records.index == 0)
        return verified_say(check, false,
                            "What the records say: the export holds their hashes only, as one for "
                            "everybody should.");
    r = verified_say(check, true,
                     "Every record is there as the ledger holds it, and each batch (%" PRIu64
                     ") is what its author signed, on the history that the author saw.",
                     run->records.n_batches);
    if (r == 0)
        r = verified_say(check, false,
                         "That the keys had the right, and the balances: that takes the rules, see "
                         "timebank-ledger(5).");
    return r;
}

/* ---------------------------------------------------------------------- key */

static void chain_take(struct rotation_chain *chain, const struct bytes *bundle) {
    struct cursor c = cursor_make(bundle->data, bundle->n);
    const uint8_t *record = NULL;
    size_t n = 0;
    while (tile_files_record_next(&c, &record, &n) > 0) {
        if ((record[0] == RECORD_GENESIS || record[0] == RECORD_ORDER) &&
            chain_take_record(chain, record, n) < 0)
            continue; /* whatever it is, the check of the records finds it */
    }
}

/* The keys that the records name, each signed for by the one before. */
static int chain_read_entries(struct export_check *run, uint64_t size, struct rotation_chain *ret) {
    run->roots.size = size;
    for (uint64_t number = 0; number * TILE_WIDTH < size; number++) {
        struct tile tile = tile_roots_tile(&run->roots, 0, number);
        _cleanup_bytes_ struct bytes bundle = {};
        tile.level = TILE_ENTRIES;
        int r = files_fail(run, tile_files_read_bundle(&run->files, &tile, &bundle));
        if (r != 0)
            return r;
        chain_take(ret, &bundle);
    }
    return 0;
}

/* Whoever trusts an earlier key trusts the one that it signed for, where the export says so. */
static int verifier_follow(struct export_check *run) {
    struct note_verifier *verifier = &run->check->verifier;
    struct note_head head;
    int r = note_checkpoint_open(run->checkpoint.data, run->checkpoint.n, verifier, &head);
    if (r != -EBADMSG || !has_entries(run) ||
        note_checkpoint_peek(run->checkpoint.data, run->checkpoint.n, verifier->name, &head) < 0)
        return r == -ENOMEM ? r : 0;
    _cleanup_(freep) struct rotation_chain *chain = calloc(1, sizeof(*chain));
    if (!chain)
        return -ENOMEM;
    r = chain_read_entries(run, head.size, chain);
    int given = r == 0 && chain->n > 0 ? rotation_chain_find(chain, verifier) : -1;
    for (size_t i = (size_t)given + 1; r == 0 && given >= 0 && i < chain->n; i++) {
        if (note_checkpoint_open(run->checkpoint.data, run->checkpoint.n, &chain->verifiers[i],
                                 &head) == 0)
            *verifier = chain->verifiers[i];
    }
    return r;
}

static int checkpoint_check(struct export_check *run) {
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s", run->files.directory, EXPORT_CHECKPOINT);
    if (n >= (int)sizeof(path))
        return -ENAMETOOLONG;
    int r = verified_read(run->check, path, NOTE_COSIGNED_MAX, &run->checkpoint);
    if (r == 0)
        r = verifier_follow(run);
    if (r == 0)
        r = verified_head(run->check, (const char *)run->checkpoint.data, run->checkpoint.n,
                          &run->head);
    return r;
}

int export_check(struct verified_check *check) {
    _cleanup_(run_finip) struct export_check *run = calloc(1, sizeof(*run));
    if (!run)
        return -ENOMEM;
    run->check = check;
    run->files.directory = check->path;
    run->roots.files = &run->files;
    check->verified->kind = TB_IS_EXPORT;
    int r = checkpoint_check(run);
    if (r != 0)
        return r;
    run->roots.size = run->head.size;
    r = tiles_check(run);
    if (r == 0 && has_entries(run))
        r = entries_check(run);
    if (r == 0 && check->chain && run->records.index > 0)
        *check->chain = run->records.chain;
    if (r == 0)
        r = found_say(run);
    if (r == 0)
        r = seen_check(run);
    return r == 0 ? verified_head_leaves(check) : r;
}
