/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into the daemon by test-rotation.py: it is killed at the n-th call that changes a disk,
 * before that call. DIE_AT is n, from 1, counted once the file DIE_WHEN is there.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int n_calls;

static void count(void) {
    const char *at = getenv("DIE_AT"), *when = getenv("DIE_WHEN");

    if (at && when && access(when, F_OK) == 0 && atomic_fetch_add(&n_calls, 1) + 1 == atoi(at))
        kill(getpid(), SIGKILL);
}

static void count_file(int fd) {
    struct stat st;

    if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
        count();
}

#define NEXT(type, name) ((type)dlsym(RTLD_NEXT, name))

ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
    count_file(fd);
    return NEXT(ssize_t(*)(int, const void *, size_t, off_t), "pwrite")(fd, data, n, at);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off_t at) {
    return pwrite(fd, data, n, at);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int n, off_t at) {
    count_file(fd);
    return NEXT(ssize_t(*)(int, const struct iovec *, int, off_t), "pwritev")(fd, pieces, n, at);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int n, off_t at) {
    return pwritev(fd, pieces, n, at);
}

int fdatasync(int fd) {
    count_file(fd);
    return NEXT(int (*)(int), "fdatasync")(fd);
}

int fsync(int fd) {
    count_file(fd);
    return NEXT(int (*)(int), "fsync")(fd);
}

int rename(const char *from, const char *to) {
    count();
    return NEXT(int (*)(const char *, const char *), "rename")(from, to);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
    count();
    return NEXT(int (*)(int, const char *, int, const char *, unsigned),
                "renameat2")(from_fd, from, to_fd, to, flags);
}

int link(const char *from, const char *to) {
    count();
    return NEXT(int (*)(const char *, const char *), "link")(from, to);
}

int unlink(const char *path) {
    count();
    return NEXT(int (*)(const char *), "unlink")(path);
}
