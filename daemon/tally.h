/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Minutes, entries and distinct persons by group, whatever a group's number means. Rows first, then
 * tally_sort(), then the walks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* All-zero is an empty tally. */
struct tally_row {
    uint32_t group;
    uint32_t person; /* UINT32_MAX: nobody known */
    uint64_t minutes;
    bool is_further; /* of an entry counted by another row */
};

struct tally {
    struct tally_row *rows;
    size_t n_rows;
    size_t n_rows_allocated;
};

struct tally_group {
    uint32_t group;
    uint64_t minutes;
    uint64_t n_entries;
    uint64_t n_persons;
};

void tally_fini(struct tally *tally);
#define _cleanup_tally_ _cleanup_(tally_fini)
int tally_add(struct tally *tally, uint32_t group, uint32_t person, uint64_t minutes) TB_MUST_CHECK;
int tally_add_part(struct tally *tally, uint32_t group, uint32_t person, uint64_t minutes,
                   bool is_further) TB_MUST_CHECK;
void tally_sort(struct tally *tally);
/* The group that begins at row *at, which moves on to the next; false at the end. */
bool tally_next_group(const struct tally *tally, size_t *at, struct tally_group *ret);
/* Likewise each distinct pair of group and person. */
bool tally_next_pair(const struct tally *tally, size_t *at, struct tally_row *ret);
bool tally_has_pair(const struct tally *tally, uint32_t group, uint32_t person);
