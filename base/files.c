/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file is made under a name of its own in the same directory, synced, and only then given its
 * name; the directory is synced after. A crash leaves the old file or the new one, and at worst a
 * stray PATH.XXXXXX that nobody reads.
 */
#include "files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads to the end of the file, at most max_bytes. While the file is as long as expected the buffer
 * does not move, so that a secret leaves no copy. */
static int descriptor_read(int fd, size_t max_bytes, size_t n_expected, struct bytes *b) {
    size_t n_before = b->n;
    for (;;) {
        size_t n_have = b->n - n_before;
        size_t n_room = n_have <= n_expected ? n_expected - n_have + 1 : 4096;
        n_room = MIN_OF(n_room, max_bytes - n_have + 1);
        uint8_t *p = bytes_reserve(b, n_room);
        if (!p)
            return b->r;
        ssize_t n = read(fd, p, n_room);
        b->n -= n_room;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        b->n += (size_t)n;
        if (b->n - n_before > max_bytes)
            return -EFBIG;
    }
}

static int regular_open(const char *path, int *ret_fd, struct stat *ret_status) {
    /* O_NONBLOCK: a pipe put in the file's place must not hang us before fstat looks. */
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL;
    *ret_status = status;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int regular_read(int fd, const struct stat *status, size_t max_bytes, struct bytes *b) {
    assert(max_bytes < SIZE_MAX / 2);
    if ((uint64_t)status->st_size > max_bytes)
        return -EFBIG;
    size_t n_before = b->n;
    int r = descriptor_read(fd, max_bytes, (size_t)status->st_size, b);
    if (r < 0)
        b->n = n_before;
    return r;
}

int file_read(const char *path, size_t max_bytes, struct bytes *b) {
    _cleanup_(closep) int fd = -1;
    struct stat status;
    int r = regular_open(path, &fd, &status);
    if (r < 0)
        return r;
    return regular_read(fd, &status, max_bytes, b);
}

int file_read_secret(const char *path, size_t max_bytes, struct bytes *b) {
    _cleanup_(closep) int fd = -1;
    struct stat status;
    int r = regular_open(path, &fd, &status);
    if (r < 0)
        return r;
    if (status.st_uid != geteuid() || (status.st_mode & 077) != 0)
        return -EPERM;
    return regular_read(fd, &status, max_bytes, b);
}

int file_write_all(int fd, const void *bytes, size_t n) {
    const uint8_t *data = bytes;
    while (n > 0) {
        ssize_t n_written = write(fd, data, n);
        if (n_written < 0 && errno == EINTR)
            continue;
        if (n_written < 0)
            return -errno;
        data += n_written;
        n -= (size_t)n_written;
    }
    return 0;
}

/* Makes the synced file beside path; its name is left in ret_beside. */
static int beside_write(const char *path, mode_t mode, const void *data, size_t n,
                        char ret_beside[PATH_MAX]) {
    int n_name = snprintf(ret_beside, PATH_MAX, "%s.XXXXXX", path);
    if (n_name < 0 || n_name >= PATH_MAX)
        return -ENAMETOOLONG;
    _cleanup_(closep) int fd = mkostemp(ret_beside, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = file_write_all(fd, data, n);
    if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
        r = -errno;
    if (r < 0)
        unlink(ret_beside);
    return r;
}

/* rename() that does not replace; by a hard link where the file system cannot do it in one. */
static int rename_new(const char *from, const char *to) {
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (link(from, to) < 0 || unlink(from) < 0)
        return -errno;
    return 0;
}

int file_create(const char *path, mode_t mode, const void *data, size_t n) {
    struct stat status;
    if (lstat(path, &status) == 0)
        return -EEXIST;
    char beside[PATH_MAX];
    int r = beside_write(path, mode, data, n, beside);
    if (r < 0)
        return r;
    r = rename_new(beside, path);
    if (r < 0) {
        unlink(beside);
        return r;
    }
    return file_sync_directory_of(path);
}

int file_replace(const char *path, mode_t mode, const void *data, size_t n) {
    char beside[PATH_MAX];
    int r = beside_write(path, mode, data, n, beside);
    if (r < 0)
        return r;
    if (rename(beside, path) < 0) {
        r = -errno;
        unlink(beside);
        return r;
    }
    return file_sync_directory_of(path);
}

int file_sync_directory_of(const char *path) {
    char directory[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash) {
        size_t n = slash == path ? 1 : (size_t)(slash - path);
        if (n >= sizeof(directory))
            return -ENAMETOOLONG;
        memcpy(directory, path, n);
        directory[n] = 0;
    }
    _cleanup_(closep) int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return -errno;
    return 0;
}

static int directory_make(const char *path, mode_t mode) {
    if (mkdir(path, mode & 0700) < 0) {
        int r = -errno;
        struct stat status;
        if (r != -EEXIST || stat(path, &status) < 0)
            return r;
        return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
    }
    if (chmod(path, mode) < 0)
        return -errno;
    return file_sync_directory_of(path);
}

int file_make_directories(const char *path, mode_t mode) {
    char part[PATH_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof(part))
        return n == 0 ? -ENOENT : -ENAMETOOLONG;
    memcpy(part, path, n + 1);
    while (n > 1 && part[n - 1] == '/')
        part[--n] = 0;
    for (size_t i = 1; i < n; i++) {
        if (part[i] != '/' || part[i - 1] == '/')
            continue;
        part[i] = 0;
        int r = directory_make(part, mode);
        if (r < 0)
            return r;
        part[i] = '/';
    }
    return directory_make(part, mode);
}
