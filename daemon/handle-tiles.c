/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log as others may keep it: hashes of the tree for everybody, the records themselves for those
 * who may read everything. Only what is durable, and each reply small enough that nobody waits for
 * it.
 */
#include <errno.h>
#include <string.h>

#include "handlers.h"

#define HASHES_MAX 2048u
#define RECORDS_BYTES (256u * 1024)
#define TREE_LEVELS 8u /* 256^8 leaves are more than a size can say */

/* All of them roots of whole subtrees of records below size? */
static bool are_complete(const Timebank__AskTiles *ask, uint64_t size) {
    uint64_t n_complete = ask->level < TREE_LEVELS ? size >> 8 * ask->level : 0;

    return ask->first < n_complete && ask->n <= n_complete - ask->first;
}

/* Run by run: to find one costs more than to read it. */
static int read_leaves(struct store_read *read, uint64_t first, uint32_t n, struct hash *ret) {
    for (uint32_t i = 0; i < n;) {
        struct run run;
        int r = runs_find_leaves(read, first + i, &run);
        if (r <= 0)
            return r < 0 ? r : -EUCLEAN;
        for (uint64_t at = first + i - run.first; i < n && at < run.n; i++, at++)
            ret[i] = run_leaf(&run, (uint32_t)at);
    }
    return 0;
}

static int read_roots(struct store_read *read, const Timebank__AskTiles *ask, struct hash *ret) {
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < ask->n; i++)
        r = runs_lookup(read, 8 * ask->level, ask->first + i, &ret[i]);
    return r;
}

int handle_tiles(struct call *call) {
    const Timebank__AskTiles *ask = call->request->tiles;
    Timebank__Hashes *hashes = arena_alloc(call->arena, sizeof(*hashes));
    struct store_read *read;
    struct hash *list;
    int r;

    if (ask->n == 0 || ask->n > HASHES_MAX)
        return call_refuse(call, REFUSAL_BAD_REQUEST, NULL);
    if (!are_complete(ask, log_head(call->bank->log)->size))
        return call_refuse(call, REFUSAL_NO_SUCH_POSITION, NULL);
    list = arena_alloc(call->arena, ask->n * sizeof(*list));
    if (!hashes || !list)
        return -ENOMEM;
    r = log_read(call->bank->log, &read);
    if (r == 0)
        r = ask->level == 0 ? read_leaves(read, ask->first, ask->n, list)
                            : read_roots(read, ask, list);
    if (r < 0)
        return r;
    timebank__hashes__init(hashes);
    hashes->hashes.data = list[0].b;
    hashes->hashes.len = ask->n * sizeof(*list);
    call->response->tiles = hashes;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_TILES;
    return 0;
}

/* Puts what of a run fits; false when the reply is full. */
static bool put_run(const struct run *run, uint64_t end, uint32_t max, Timebank__Records *records) {
    uint64_t index = records->first + records->n;

    for (; index < end && index - run->first < run->n; index++, records->n++) {
        size_t n, at = records->records.len;
        const uint8_t *record = run_record(run, (uint32_t)(index - run->first), &n);
        if (records->n == max || at + 2 + n > RECORDS_BYTES)
            return false;
        records->records.data[at] = (uint8_t)(n >> 8);
        records->records.data[at + 1] = (uint8_t)n;
        memcpy(records->records.data + at + 2, record, n);
        records->records.len += 2 + n;
    }
    return index < end;
}

int handle_tiles_records(struct call *call) {
    const Timebank__AskRecords *ask = call->request->records;
    uint64_t size = log_head(call->bank->log)->size;
    uint32_t max = call->bank->settings.page_entries;
    Timebank__Records *records = arena_alloc(call->arena, sizeof(*records));
    struct store_read *read;
    struct run run;
    int r;

    if (ask->first >= size)
        return call_refuse(call, REFUSAL_NO_SUCH_POSITION, NULL);
    if (ask->max > 0 && ask->max < max)
        max = ask->max;
    if (!records)
        return -ENOMEM;
    timebank__records__init(records);
    records->first = ask->first;
    records->records.data = arena_alloc(call->arena, RECORDS_BYTES);
    if (!records->records.data)
        return -ENOMEM;
    r = log_read(call->bank->log, &read);
    if (r < 0)
        return r;
    do {
        r = runs_find(read, records->first + records->n, &run);
        if (r <= 0)
            return r < 0 ? r : -EUCLEAN;
    } while (put_run(&run, size, max, records));
    records->more = records->first + records->n < size;
    call->response->records = records;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_RECORDS;
    return 0;
}
