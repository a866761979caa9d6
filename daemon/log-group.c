/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups, as the loop fills them: each run is laid out once as it will be stored, leaf hashes in
 * front, and that is all that is made of it here. The tree above the leaves is the committer's.
 */
#include <errno.h>
#include <stdlib.h>

#include "log-private.h"

struct log_group *log_group_new(struct log *log) {
    struct log_group *group = calloc(1, sizeof(*group));

    if (!group)
        return NULL;
    group->sequence = log->next_sequence++;
    group->old_size = group->new_size = log->size;
    return group;
}

struct log_group *log_group_free(struct log *log, struct log_group *group) {
    if (!group)
        return NULL;
    for (size_t i = 0; i < group->n_runs; i++) {
        bytes_fini(&group->runs[i].value);
        bytes_fini(&group->runs[i].after);
    }
    for (size_t i = 0; i < group->n_beside; i++)
        log->settings.beside_free(group->beside[i]);
    for (size_t i = 0; i < LOG_TILE_LEVELS; i++)
        bytes_fini(&group->nodes[i].hashes);
    free(group->runs);
    free(group->beside);
    bytes_fini(&group->step);
    free(group);
    return NULL;
}

/* One more element at the end of a list that is doubled when its count is a power of two. */
static void *grow(void *list, size_t n, size_t n_element) {
    if (n != 0 && (n & (n - 1)) != 0)
        return list;
    return realloc(list, (n ? n * 2 : 1) * n_element);
}

/* The collecting group's next run, which begins at the log's end; NULL: no memory. */
static struct log_run *begin_run(struct log *log) {
    struct log_group *group = log->collecting;
    struct log_run *runs;

    if (!group)
        group = log->collecting = log_group_new(log);
    runs = group ? grow(group->runs, group->n_runs, sizeof(*runs)) : NULL;
    if (!runs)
        return NULL;
    group->runs = runs;
    runs[group->n_runs] = (struct log_run){.first = log->size};
    return &runs[group->n_runs++];
}

static int end_run(struct log *log, const struct log_run *run, size_t n_records) {
    struct log_group *group = log->collecting;

    if (run->value.r < 0 || run->after.r < 0)
        return log->broken = -ENOMEM;
    group->n_bytes += run->value.n + run->after.n;
    log->size += n_records;
    group->new_size = log->size;
    return log->broken;
}

int log_group_add(struct log *log, uint32_t n, const struct iovec *records,
                  const struct hash *leaves, struct bytes *after) {
    struct log_run *run = begin_run(log);

    if (!run)
        return log->broken = -ENOMEM;
    run_pack(&run->value, n, records, leaves);
    if (after) {
        run->after = *after;
        *after = (struct bytes){0};
    }
    return end_run(log, run, n);
}

/* It is the group's from here on, or freed. */
static int add_beside(struct log *log, void *beside) {
    struct log_group *group = log->collecting;
    void **list = group ? grow(group->beside, group->n_beside, sizeof(*list)) : NULL;

    if (!list) {
        log->settings.beside_free(beside);
        return log->broken = -ENOMEM;
    }
    group->beside = list;
    list[group->n_beside++] = beside;
    return 0;
}

int log_group_add_batch(struct log *log, const struct judging *judging,
                        const struct record_seal *seal, void *beside) {
    uint8_t bytes[RECORD_SEAL_BYTES];
    struct iovec record = {bytes, sizeof(bytes)};
    struct log_run *run = begin_run(log);
    struct hash leaf;

    if ((beside && add_beside(log, beside) < 0) || !run)
        return log->broken = -ENOMEM;
    record_seal_pack(seal, bytes);
    leaf = merkle_leaf(bytes, sizeof(bytes));
    run_pack_batch(&run->value, &record, &leaf, (uint32_t)judging->batch.n, judging->bodies,
                   judging->leaves);
    judging_pack_after(judging, &run->after);
    return end_run(log, run, judging->batch.n + 1);
}
