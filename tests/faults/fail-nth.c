/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into the daemon by test-disk.py: the n-th call that writes to a file or syncs one
 * fails, once or from then on. FAIL_AT is n, from 1 (0: none does), counted once the file FAIL_WHEN
 * is there; FAIL_ON is "once" or "always". Calls counted are told at the end in FAIL_TOLD.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int n_calls;

static int is_failing(int fd) {
    const char *at = getenv("FAIL_AT"), *on = getenv("FAIL_ON"), *when = getenv("FAIL_WHEN");
    struct stat st;
    int n, wanted = at ? atoi(at) : 0;

    if (!when || access(when, F_OK) < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    n = atomic_fetch_add(&n_calls, 1) + 1;
    return wanted > 0 && (n == wanted || (n > wanted && on && strcmp(on, "always") == 0));
}

#define NEXT(type, name) ((type)dlsym(RTLD_NEXT, name))

static ssize_t fail(int error) {
    errno = error;
    return -1;
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
    return is_failing(fd)
               ? fail(ENOSPC)
               : NEXT(ssize_t(*)(int, const void *, size_t, off_t), "pwrite")(fd, data, n, at);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off_t at) {
    return pwrite(fd, data, n, at);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int n, off_t at) {
    return is_failing(fd) ? fail(ENOSPC)
                          : NEXT(ssize_t(*)(int, const struct iovec *, int, off_t),
                                 "pwritev")(fd, pieces, n, at);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int n, off_t at) {
    return pwritev(fd, pieces, n, at);
}

int fdatasync(int fd) {
    return is_failing(fd) ? (int)fail(EIO) : NEXT(int (*)(int), "fdatasync")(fd);
}

int fsync(int fd) {
    return is_failing(fd) ? (int)fail(EIO) : NEXT(int (*)(int), "fsync")(fd);
}

__attribute__((destructor)) static void tell(void) {
    const char *path = getenv("FAIL_TOLD");
    FILE *to = path ? fopen(path, "w") : NULL;

    if (to) {
        fprintf(to, "%d", atomic_load(&n_calls));
        fclose(to);
    }
}
