/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distinct persons by group: rows sorted by group and person, counted in one walk.
 */
#include "tally.h"

#include <stdlib.h>

#include "intern.h"

void tally_fini(struct tally *tally) {
    free(tally->rows);
    *tally = (struct tally){0};
}

int tally_add(struct tally *tally, uint32_t group, uint32_t person, uint64_t minutes) {
    return tally_add_part(tally, group, person, minutes, false);
}

int tally_add_part(struct tally *tally, uint32_t group, uint32_t person, uint64_t minutes,
                   bool is_further) {
    void *rows = tally->rows;
    int r = intern_grow(&rows, tally->n_rows, &tally->n_rows_allocated, sizeof(*tally->rows));
    tally->rows = rows;
    if (r < 0)
        return r;
    tally->rows[tally->n_rows++] = (struct tally_row){group, person, minutes, is_further};
    return 0;
}

static int compare_rows(const void *a, const void *b) {
    const struct tally_row *left = a, *right = b;
    if (left->group != right->group)
        return left->group < right->group ? -1 : 1;
    return (left->person > right->person) - (left->person < right->person);
}

void tally_sort(struct tally *tally) {
    if (tally->n_rows > 0)
        qsort(tally->rows, tally->n_rows, sizeof(*tally->rows), compare_rows);
}

bool tally_next_group(const struct tally *tally, size_t *at, struct tally_group *ret) {
    if (*at >= tally->n_rows)
        return false;
    size_t begin = *at, i = begin;
    *ret = (struct tally_group){.group = tally->rows[begin].group};
    for (; i < tally->n_rows && tally->rows[i].group == ret->group; i++) {
        ret->minutes += tally->rows[i].minutes;
        ret->n_entries += !tally->rows[i].is_further;
        ret->n_persons += tally->rows[i].person != INTERN_NONE &&
                          (i == begin || tally->rows[i].person != tally->rows[i - 1].person);
    }
    *at = i;
    return true;
}

bool tally_next_pair(const struct tally *tally, size_t *at, struct tally_row *ret) {
    if (*at >= tally->n_rows)
        return false;
    *ret = (struct tally_row){.group = tally->rows[*at].group, .person = tally->rows[*at].person};
    for (; *at < tally->n_rows && compare_rows(&tally->rows[*at], ret) == 0; (*at)++)
        ret->minutes += tally->rows[*at].minutes;
    return true;
}

bool tally_has_pair(const struct tally *tally, uint32_t group, uint32_t person) {
    struct tally_row row = {.group = group, .person = person};
    return tally->n_rows > 0 &&
           bsearch(&row, tally->rows, tally->n_rows, sizeof(row), compare_rows) != NULL;
}
