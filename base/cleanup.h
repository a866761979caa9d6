/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope-bound release, and the checks every room uses.
 *
 * _cleanup_(thing_freep) runs when the variable leaves scope; TAKE(p) hands the value out and
 * clears the variable, so that a constructor frees exactly what it did not give away.
 */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _unused_ __attribute__((unused))
#define TB_MUST_CHECK __attribute__((warn_unused_result))

#define TAKE(p)                                                                                    \
    ({                                                                                             \
        __typeof__(p) taken_ = (p);                                                                \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    })

#define TAKE_FD(fd)                                                                                \
    ({                                                                                             \
        int taken_ = (fd);                                                                         \
        (fd) = -1;                                                                                 \
        taken_;                                                                                    \
    })

#define N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))
#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

static inline void freep(void *p) {
    free(*(void **)p);
}

static inline void closep(int *fd) {
    if (*fd >= 0)
        close(*fd);
}

/* Defines thing_freep() from a thing_free() that takes NULL and returns NULL. */
#define DEFINE_CLEANUP(type, function)                                                             \
    static inline void function##p(type *p) {                                                      \
        if (*p)                                                                                    \
            function(*p);                                                                          \
    }
