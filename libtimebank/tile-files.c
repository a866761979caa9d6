/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sync of the file system at the end stands in for one of each file: a checkpoint is written
 * only after it, and tiles that no checkpoint speaks of are made anew.
 */
#include "tile-files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"

static int fail(struct tile_files *files, int r, const char *path, const char *what) {
    snprintf(files->why, sizeof(files->why), "%.300s: %.200s.", path, what ? what : strerror(-r));
    return r;
}

static int path_make(struct tile_files *files, const char *below, const struct tile *tile,
                     char ret[PATH_MAX]) {
    char name[TILE_PATH_MAX];
    tile_path(tile, name);
    int n = snprintf(ret, PATH_MAX, "%s/%s%s", files->directory, below, name);
    return n < PATH_MAX ? 0 : fail(files, -ENAMETOOLONG, files->directory, NULL);
}

static int tile_load(struct tile_files *files, const struct tile *tile, size_t n_max,
                     struct bytes *to) {
    char path[PATH_MAX];
    int r = path_make(files, "", tile, path);
    if (r < 0)
        return r;
    r = file_read(path, n_max, to);
    if (r == -ENOENT)
        return fail(files, -EBADMSG, path, "this file of the export is missing");
    if (r == -EFBIG || r == -ELOOP || r == -EISDIR || r == -EINVAL)
        return fail(files, -EBADMSG, path, "this file of the export is not what it should be");
    return r < 0 ? fail(files, r, path, NULL) : 0;
}

int tile_files_read(struct tile_files *files, const struct tile *tile, struct hash *ret_hashes) {
    _cleanup_bytes_ struct bytes file = {};
    char path[PATH_MAX];
    size_t n = tile->width * sizeof(*ret_hashes);
    int r = tile_load(files, tile, n, &file);
    if (r == 0 && file.n != n) {
        r = path_make(files, "", tile, path);
        return r < 0 ? r
                     : fail(files, -EBADMSG, path, "this file holds fewer hashes than it should");
    }
    if (r == 0)
        memcpy(ret_hashes, file.data, n);
    return r;
}

int tile_files_read_bundle(struct tile_files *files, const struct tile *tile, struct bytes *to) {
    return tile_load(files, tile, TILE_FILES_BUNDLE_MAX, to);
}

int tile_files_has(struct tile_files *files, const struct tile *tile) {
    char path[PATH_MAX];
    int r = path_make(files, "", tile, path);
    if (r < 0)
        return r;
    if (access(path, F_OK) == 0)
        return 1;
    return errno == ENOENT || errno == ENOTDIR ? 0 : fail(files, -errno, path, NULL);
}

/* The directories above a file, as open to others as the file itself. */
static int above_make(struct tile_files *files, char path[PATH_MAX], mode_t mode) {
    char *slash = strrchr(path, '/');
    *slash = '\0';
    int r = file_make_directories(path, mode & 044 ? 0755 : 0700);
    if (r < 0)
        fail(files, r, path, NULL);
    *slash = '/';
    return r;
}

int tile_files_put(struct tile_files *files, const struct tile *tile, const void *data, size_t n,
                   mode_t mode) {
    char path[PATH_MAX];
    int r = path_make(files, TILE_FILES_NEW "/", tile, path);
    if (r == 0)
        r = above_make(files, path, mode);
    if (r < 0)
        return r;
    _cleanup_(closep) int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    r = fd < 0 ? -errno : file_write_all(fd, data, n);
    if (r == 0 && fchmod(fd, mode) < 0)
        r = -errno;
    return r < 0 ? fail(files, r, path, NULL) : 0;
}

int tile_files_place(struct tile_files *files, const struct tile *tile) {
    char from[PATH_MAX];
    char to[PATH_MAX];
    int r = path_make(files, TILE_FILES_NEW "/", tile, from);
    if (r == 0)
        r = path_make(files, "", tile, to);
    if (r == 0)
        r = above_make(files, to, tile->level == TILE_ENTRIES ? 0600 : 0644);
    if (r < 0)
        return r;
    if (rename(from, to) < 0)
        return fail(files, -errno, to, NULL);
    files->n_written++;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at) {
    (void)status;
    (void)kind;
    (void)at;
    return remove(path) < 0 && errno != ENOENT ? -errno : 0;
}

int tile_files_clear(struct tile_files *files) {
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s", files->directory, TILE_FILES_NEW);
    if (n >= (int)sizeof(path))
        return fail(files, -ENAMETOOLONG, files->directory, NULL);
    int r = access(path, F_OK) == 0 ? nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) : 0;
    return r == 0 ? 0 : fail(files, r < 0 ? r : -EIO, path, NULL);
}

int tile_files_sync(struct tile_files *files) {
    int r = tile_files_clear(files);
    if (r < 0)
        return r;
    _cleanup_(closep) int fd = open(files->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || syncfs(fd) < 0)
        return fail(files, -errno, files->directory, NULL);
    return 0;
}

int tile_files_record_next(struct cursor *bundle, const uint8_t **ret_record, size_t *ret_n) {
    if (bundle->r == 0 && bundle->n_left == 0)
        return 0;
    size_t n = cursor_u16(bundle);
    const uint8_t *record = cursor_bytes(bundle, n);
    if (bundle->r < 0 || n == 0 || n > RECORD_MAX)
        return -EBADMSG;
    *ret_record = record;
    *ret_n = n;
    return 1;
}
