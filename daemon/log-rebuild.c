/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Derived tables of an older layout are emptied and built anew from record 0, in pieces: each is
 * one commit of rows of `after` and a step of the state, so a start that is killed goes on from its
 * last piece. Until the last one is in, table meta holds a mark. The log itself is not touched.
 */
#include <errno.h>
#include <string.h>

#include "log-private.h"

#define PIECE_BYTES (8u * 1024 * 1024)
#define LAST_WITHOUT_CONTRARY 4u

static const char mark_key[] = "rebuild";

static int get_u32(struct store_read *read, const char *name, uint32_t *ret) {
    struct store_value value;
    int r = store_get(read, RUNS_META, name, strlen(name), &value);

    if (r > 0 && value.n < 4)
        return -EUCLEAN;
    *ret = r > 0 ? be32_get(value.data) : 0;
    return r;
}

void log_layout_pack(struct bytes *to) {
    bytes_put_u32(to, RUNS_LAYOUT);
    bytes_put_u32(to, ~RUNS_LAYOUT);
}

/* Words of 64 bits follow: up to layout 4 after the number, then after the number and its contrary.
 * So no bit of a number turns it into another one. */
static int read_number(struct store_read *read, uint32_t *ret) {
    struct store_value value;
    int r = store_get(read, RUNS_META, LOG_META_STATE, strlen(LOG_META_STATE), &value);

    *ret = 0;
    if (r <= 0)
        return r;
    if (value.n < 4)
        return -EUCLEAN;
    *ret = be32_get(value.data);
    if (*ret == 0)
        return -EUCLEAN; /* that no version ever wrote */
    if (*ret <= LAST_WITHOUT_CONTRARY)
        return value.n % 8 == 4 ? 1 : -EUCLEAN;
    return value.n % 8 == 0 && be32_get(value.data + 4) == ~*ret ? 1 : -EUCLEAN;
}

int log_layout_read(struct store_read *read, struct log_layout *ret) {
    uint32_t mark = 0;
    int r = read_number(read, &ret->number);

    if (r >= 0)
        r = get_u32(read, mark_key, &mark);
    if (r < 0)
        return r;
    ret->is_rebuilding = mark != 0;
    ret->is_older = (ret->number != 0 && ret->number < RUNS_LAYOUT) ||
                    (ret->is_rebuilding && mark != RUNS_LAYOUT);
    return 0;
}

const char *log_layout_lacks(const struct store *store) {
    for (unsigned t = 0; t < RUNS_N_TABLES; t++)
        if (store_lacks(store, t))
            return runs_tables[t];
    return NULL;
}

/* One commit: from then on an older version refuses these tables by their layout. */
static int empty_tables(struct store *store) {
    _cleanup_bytes_ struct bytes layout = {0};
    struct store_write *write = NULL;
    int r;

    log_layout_pack(&layout);
    r = layout.r < 0 ? layout.r : store_write_begin(store, &write);
    if (r < 0)
        return r;
    store_make_tables(write, runs_tables);
    store_clear(write, RUNS_AFTER);
    for (unsigned t = RUNS_STATE; t < RUNS_N_TABLES; t++)
        store_clear(write, t);
    store_put(write, RUNS_META, LOG_META_STATE, strlen(LOG_META_STATE), layout.data, layout.n);
    store_put(write, RUNS_META, mark_key, strlen(mark_key), layout.data, 4);
    return store_commit(write);
}

int log_rebuild_begin(struct log *log, struct log_rebuild *rebuild) {
    struct log_layout layout;
    struct store_read *read;
    int r = log_read(log, &read);

    if (r == 0)
        r = log_layout_read(read, &layout);
    log_release_read(log);
    if (r < 0)
        return r;
    if (layout.number > RUNS_LAYOUT)
        return -EPROTO;
    rebuild->is_on = layout.is_older || layout.is_rebuilding;
    if (layout.is_older)
        return empty_tables(log->store);
    return log_layout_lacks(log->store) ? -EUCLEAN : 0;
}

void log_rebuild_add(struct log_rebuild *rebuild, uint64_t first, const struct bytes *after) {
    if (after->n == 0)
        return;
    bytes_put_u64(&rebuild->rows, first);
    bytes_put_u32(&rebuild->rows, (uint32_t)after->n);
    bytes_put(&rebuild->rows, after->data, after->n);
}

bool log_rebuild_is_full(const struct log *log, const struct log_rebuild *rebuild, uint64_t size) {
    return size == log->head.size || rebuild->rows.n >= PIECE_BYTES ||
           size - log->step_size >= log->settings.step_records;
}

static int put_rows(struct store_write *write, const struct bytes *rows) {
    struct cursor c = cursor_make(rows->data, rows->n);

    while (c.n_left > 0 && c.r == 0) {
        const uint8_t *key = cursor_bytes(&c, 8);
        size_t n = cursor_u32(&c);
        const uint8_t *value = cursor_bytes(&c, n);
        if (c.r == 0)
            store_put(write, RUNS_AFTER, key, 8, value, n);
    }
    return cursor_end(&c);
}

/* The tables never stand ahead of the signed head: the tail after it has its rows, and no step. */
int log_rebuild_write(struct log *log, struct log_rebuild *rebuild, uint64_t size, bool is_last) {
    _cleanup_bytes_ struct bytes step = {0};
    struct store_write *write = NULL;
    bool has_step = size <= log->head.size;
    int r = rebuild->rows.r;

    if (r == 0 && has_step)
        r = log_step_pack(log, &step);
    if (r == 0)
        r = store_write_begin(log->store, &write);
    if (r < 0)
        return r;
    r = put_rows(write, &rebuild->rows);
    if (r == 0)
        r = log_step_write(write, &step, log->state);
    if (r < 0) {
        store_abort(write);
        return r;
    }
    if (is_last)
        store_delete(write, RUNS_META, mark_key, strlen(mark_key));
    r = store_commit(write);
    if (r < 0)
        return r;
    bytes_clear(&rebuild->rows);
    if (has_step) {
        log->step_size = size;
        log_step_done(log);
    }
    return 0;
}
