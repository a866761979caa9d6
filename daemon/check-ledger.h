/* SPDX-License-Identifier: Apache-2.0 */
/* What the check's child does; check.c runs it. */
#pragma once

#include "check.h"

enum check_extent { CHECK_START, CHECK_PLAIN, CHECK_FULL };

/* In memory shared with the parent. */
struct check_progress {
    const char *where; /* a string constant: the same address after fork */
    uint64_t index;    /* record being read, or 0 */
    uint64_t n_read;   /* grows with each run and row, so that a reader that hangs is seen */
    bool takes_long;   /* goes on for long without that */
    bool is_stuck;     /* ended by the parent: damaged pages can lead LMDB in a circle */
    bool is_alone;     /* reads on one thread: slower, but dies where it is said to be */
    int r;
    struct check_result result;
};

int check_ledger_run(struct check_progress *progress, const char *directory,
                     const struct bank_settings *settings, enum check_extent extent, FILE *to);
