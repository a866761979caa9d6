/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receipt as files. The directory is made beside under a name of its own, and given its name only
 * when all of it is there: never over one that is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "order.h"
#include "receipt.h"

static const char *const names[] = {"entry.record", "entry.proof",  "seal.record",
                                    "seal.proof",   "batch.header", "batch.sig",
                                    "author.pub",   "batch.proof",  "README"};
#define N_FILES N_ELEMENTS(names)

static int readme_make(const struct tb_receipt *receipt, struct bytes *to) {
    struct tb_order order;
    Timebank__Order *message = NULL;
    struct arena arena;
    arena_init(&arena, BANK_REPLY_MAX);
    int r = record_order_decode(receipt->record.data + 1, receipt->record.n - 1, &arena, &message);
    if (r == 0)
        r = order_decode(message, &arena, &order);
    if (r == 0)
        receipt_readme(
            &(struct receipt_readme){
                .verifier = &receipt->verifier,
                .head = &receipt->head,
                .header = &receipt->header,
                .seal = &receipt->seal,
                .order = &order,
                .entry = receipt->entry_proof.index,
                .place = receipt->batch_proof.index,
            },
            to);
    arena_fini(&arena);
    return r;
}

static int files_make(const struct tb_receipt *receipt, struct bytes files[N_FILES]) {
    size_t n = 0;
    bytes_put(&files[n++], receipt->record.data, receipt->record.n);
    proof_format(&receipt->entry_proof, &files[n++]);
    bytes_put(&files[n++], receipt->seal_record, RECORD_SEAL_BYTES);
    proof_format(&receipt->seal_proof, &files[n++]);
    bytes_put(&files[n++], receipt->seal.header, BATCH_HEADER_BYTES);
    sshsig_armour(SSHSIG_BATCH, receipt->header.author, receipt->seal.signature, &files[n++]);
    sshsig_public_format(receipt->header.author, NULL, &files[n++]);
    proof_batch_format(&receipt->batch_proof, &files[n++]);
    int r = readme_make(receipt, &files[n++]);
    for (size_t i = 0; i < N_FILES && r == 0; i++)
        r = files[i].r;
    return r;
}

static int files_write(const char *directory, const struct bytes files[N_FILES]) {
    int r = 0;
    for (size_t i = 0; i < N_FILES && r == 0; i++) {
        _cleanup_(freep) char *path = NULL;
        if (asprintf(&path, "%s/%s", directory, names[i]) < 0)
            return -ENOMEM;
        r = file_create(path, 0644, files[i].data, files[i].n);
    }
    return r;
}

/* What a failed write left. */
static void directory_remove(const char *directory) {
    for (size_t i = 0; i < N_FILES; i++) {
        _cleanup_(freep) char *path = NULL;
        if (asprintf(&path, "%s/%s", directory, names[i]) > 0)
            unlink(path);
    }
    receipt_chain_remove(directory);
    rmdir(directory);
}

static int directory_make(const struct tb_receipt *receipt, const char *directory,
                          const struct bytes files[N_FILES]) {
    _cleanup_(freep) char *beside = NULL;
    if (asprintf(&beside, "%s.%08x", directory, (unsigned)randombytes_random()) < 0)
        return -ENOMEM;
    if (mkdir(beside, 0755) < 0) /* who may look into it, the umask says */
        return -errno;
    int r = files_write(beside, files);
    if (r == 0)
        r = receipt_chain_write(receipt, beside);
    if (r == 0 && renameat2(AT_FDCWD, beside, AT_FDCWD, directory, RENAME_NOREPLACE) < 0)
        r = -errno;
    if (r < 0)
        directory_remove(beside);
    return r < 0 ? r : file_sync_directory_of(directory);
}

static int write_fail(int r, const char *directory, char *why, size_t n_why) {
    if (r == -EEXIST)
        snprintf(why, n_why, "%s is there already: name another directory.", directory);
    else
        snprintf(why, n_why, "%s cannot be made: %s. Name another directory.", directory,
                 strerror(-r));
    return r;
}

static char *path_trim(const char *path) {
    char *copy = strdup(path);
    for (size_t n = copy ? strlen(copy) : 0; n > 1 && copy[n - 1] == '/'; n--)
        copy[n - 1] = '\0';
    return copy;
}

int tb_receipt_write(const struct tb_receipt *receipt, const char *directory, char *why,
                     size_t n_why) {
    if (!receipt || !directory || !directory[0] || !why || n_why == 0)
        return -EINVAL;
    struct bytes files[N_FILES] = {};
    struct stat status;
    _cleanup_(freep) char *path = path_trim(directory);
    int r = !path ? -ENOMEM : lstat(path, &status) == 0 ? -EEXIST : 0;
    if (r == 0)
        r = files_make(receipt, files);
    if (r == 0)
        r = directory_make(receipt, path, files);
    for (size_t i = 0; i < N_FILES; i++)
        bytes_fini(&files[i]);
    return r == 0 ? 0 : write_fail(r, directory, why, n_why);
}

int tb_receipt_proof(const struct tb_receipt *receipt, char **ret_proof) {
    _cleanup_bytes_ struct bytes text = {};
    if (!receipt || !ret_proof)
        return -EINVAL;
    struct proof proof = receipt->entry_proof;
    proof.has_extra = true;
    proof.extra = receipt->record;
    proof_format(&proof, &text);
    char *taken = bytes_take_text(&text);
    if (!taken)
        return -ENOMEM;
    *ret_proof = taken;
    return 0;
}
