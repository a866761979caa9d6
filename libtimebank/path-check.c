/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which kind of thing a path is: a directory by what is in it, a file by its first line. Nothing is
 * believed of either yet.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "export.h"
#include "verified.h"

static bool holds(const char *directory, const char *name) {
    _cleanup_(freep) char *path = NULL;
    struct stat status;
    return asprintf(&path, "%s/%s", directory, name) >= 0 && lstat(path, &status) == 0;
}

static int directory_check(struct verified_check *check) {
    if (holds(check->path, "entry.record"))
        return verified_receipt(check);
    if (holds(check->path, EXPORT_CHECKPOINT))
        return export_check(check);
    return verified_fail(check, "There is neither a receipt nor an exported ledger in this "
                                "directory: name one that timebank receipt or timebank ledger "
                                "export made, or a file.");
}

static const struct {
    const char *begin;
    int (*check)(struct verified_check *check, const struct bytes *file);
} kinds[] = {
    {"c2sp.org/tlog-proof@v1\n", verified_proof},
    {"timebank-statement@v1\n", verified_statement},
    {"timebank-evidence/1\n", verified_evidence},
    {"{", verified_report},
};

static int file_check(struct verified_check *check) {
    _cleanup_bytes_ struct bytes file = {};
    int r = verified_read(check, check->path, VERIFIED_FILE_MAX, &file);
    if (r != 0)
        return r;
    for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
        size_t n = strlen(kinds[i].begin);
        if (file.n >= n && memcmp(file.data, kinds[i].begin, n) == 0)
            return kinds[i].check(check, &file);
    }
    if (file.n <= NOTE_COSIGNED_MAX && memmem(file.data, file.n, "\n\n\u2014 ", 6))
        return verified_checkpoint(check, &file);
    return verified_fail(check, "This is nothing that can be checked: name a receipt, a proof, a "
                                "statement, a report, a head or evidence.");
}

static int path_check(struct verified_check *check) {
    struct stat status;
    int r = verified_ledger(check);
    if (r != 0)
        return r;
    if (stat(check->path, &status) < 0)
        return verified_fail(check, "%s cannot be looked at (%s): name a file or a directory.",
                             check->path, strerror(errno));
    return S_ISDIR(status.st_mode) ? directory_check(check) : file_check(check);
}

int tb_verify(const char *path, const struct tb_verify_ask *ask, struct tb_verified **ret_verified,
              char *why, size_t n_why) {
    char unheard[1];
    if (!path || !ask || !ret_verified)
        return -EINVAL;
    _cleanup_(tb_verified_freep) struct tb_verified *verified = calloc(1, sizeof(*verified));
    if (!verified)
        return -ENOMEM;
    arena_init(&verified->arena, VERIFIED_ARENA_MAX);
    struct verified_check check = {
        .ask = ask,
        .path = path,
        .verified = verified,
        .why = why && n_why > 0 ? why : unheard,
        .n_why = why && n_why > 0 ? n_why : sizeof(unheard),
    };
    check.why[0] = '\0';
    int r = path_check(&check);
    if (r != 0)
        return r;
    *ret_verified = TAKE(verified);
    return 0;
}
