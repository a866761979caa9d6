/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ids of orders since the last step. They begin with the time they were made at, so each
 * client's grow: they lie in a few ascending runs, found by halving, and most are known to be new
 * because they are behind all of them. What fits behind no run is a row, as in any table. Of the
 * stored ids the last gap between two is remembered: an id within it is not stored.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "state-private.h"

static struct state_ids_item item_of(const uint8_t id[ORDER_ID_BYTES]) {
    return (struct state_ids_item){.high = be64_get(id), .low = be64_get(id + 8)};
}

static bool is_less(const struct state_ids_item *a, const struct state_ids_item *b) {
    return a->high != b->high ? a->high < b->high : a->low < b->low;
}

struct state_ids_item *state_ids_at(const struct state_ids_run *run, size_t i) {
    return &run->chunks[i / STATE_IDS_OF_CHUNK][i % STATE_IDS_OF_CHUNK];
}

static void run_free(struct state_ids_run *run) {
    for (size_t i = 0; i < run->n_chunks; i++)
        free(run->chunks[i]);
    free(run->chunks);
    *run = (struct state_ids_run){0};
}

static void runs_free(struct state_ids_run *runs, size_t *n) {
    while (*n > 0)
        run_free(&runs[--*n]);
}

void state_ids_free(struct state_ids *ids) {
    runs_free(ids->runs, &ids->n_runs);
    runs_free(ids->leaving, &ids->n_leaving);
}

static struct state_id *find_in(const struct state_ids_run *run, const struct state_ids_item *id) {
    size_t begin = 0, end = run->n;

    if (run->n == 0 || is_less(&run->last, id) || is_less(id, state_ids_at(run, 0)))
        return NULL;
    while (end - begin > 1) { /* it is not before `begin`, but before `end` */
        size_t middle = begin + (end - begin) / 2;
        if (is_less(id, state_ids_at(run, middle)))
            end = middle;
        else
            begin = middle;
    }
    return is_less(state_ids_at(run, begin), id) ? NULL : &state_ids_at(run, begin)->value;
}

const struct state_id *state_ids_find(const struct state_ids *ids,
                                      const uint8_t id[ORDER_ID_BYTES]) {
    struct state_ids_item item = item_of(id);
    const struct state_id *found = NULL;

    for (size_t i = 0; i < ids->n_runs && !found; i++)
        found = find_in(&ids->runs[i], &item);
    for (size_t i = 0; i < ids->n_leaving && !found; i++)
        found = find_in(&ids->leaving[i], &item);
    return found;
}

const struct state_id *state_ids_go_on(const struct state_ids *ids,
                                       const uint8_t id[ORDER_ID_BYTES],
                                       size_t places[STATE_IDS_RUNS]) {
    struct state_ids_item item = item_of(id);

    for (size_t i = 0; i < ids->n_runs; i++) {
        const struct state_ids_run *run = &ids->runs[i];
        while (places[i] < run->n && is_less(state_ids_at(run, places[i]), &item))
            places[i]++;
        if (places[i] < run->n && !is_less(&item, state_ids_at(run, places[i])))
            return &state_ids_at(run, places[i])->value;
    }
    return NULL;
}

bool state_ids_is_in_gap(const struct state *lowest, const uint8_t id[ORDER_ID_BYTES]) {
    const struct state_gap *gap = &lowest->ids.gap;

    if (!lowest->source.row)
        return true;
    return lowest->ids.has_gap && memcmp(gap->first, id, ORDER_ID_BYTES) <= 0 &&
           memcmp(id, gap->last, ORDER_ID_BYTES) <= 0;
}

int state_ids_ask(struct state *lowest, const uint8_t id[ORDER_ID_BYTES], struct state_id *ret) {
    struct state_gap gap;
    int r;

    if (state_ids_is_in_gap(lowest, id))
        return 0;
    r = lowest->source.id(lowest->source.user, id, &ret->entry, &gap);
    if (r == 0) {
        lowest->ids.gap = gap;
        lowest->ids.has_gap = true;
    }
    return r;
}

static int make_room(struct state_ids_run *run) {
    struct state_ids_item **chunks;

    if (run->n < run->n_chunks * STATE_IDS_OF_CHUNK)
        return 0;
    chunks = realloc(run->chunks, (run->n_chunks + 1) * sizeof(struct state_ids_item *));
    if (!chunks)
        return -ENOMEM;
    run->chunks = chunks;
    chunks[run->n_chunks] = malloc(STATE_IDS_OF_CHUNK * sizeof(struct state_ids_item));
    if (!chunks[run->n_chunks])
        return -ENOMEM;
    run->n_chunks++;
    return 0;
}

/* The run whose last id is the next one before it, or a new one, or NULL. */
static struct state_ids_run *run_for(struct state_ids *ids, const struct state_ids_item *id) {
    struct state_ids_run *best = NULL;

    for (size_t i = 0; i < ids->n_runs; i++)
        if ((ids->runs[i].n == 0 || is_less(&ids->runs[i].last, id)) &&
            (!best || best->n == 0 ||
             (ids->runs[i].n > 0 && is_less(&best->last, &ids->runs[i].last))))
            best = &ids->runs[i];
    if (!best && ids->n_runs < STATE_IDS_RUNS)
        best = &ids->runs[ids->n_runs++];
    return best;
}

int state_ids_add(struct state_ids *ids, const uint8_t id[ORDER_ID_BYTES],
                  struct state_id **ret_value) {
    struct state_ids_item item = item_of(id), *added;
    struct state_ids_run *run = run_for(ids, &item);
    int r = run ? make_room(run) : 0;

    if (!run || r < 0)
        return r;
    added = state_ids_at(run, run->n++);
    *added = run->last = item;
    *ret_value = &added->value;
    return 1;
}

void state_ids_begin(struct state_ids *ids) {
    ids->n_runs_noted = ids->n_runs;
    for (size_t i = 0; i < ids->n_runs; i++)
        ids->n_noted[i] = ids->runs[i].n;
}

void state_ids_roll_back(struct state_ids *ids) {
    while (ids->n_runs > ids->n_runs_noted)
        run_free(&ids->runs[--ids->n_runs]);
    for (size_t i = 0; i < ids->n_runs; i++) {
        struct state_ids_run *run = &ids->runs[i];
        run->n = ids->n_noted[i];
        if (run->n > 0)
            run->last = *state_ids_at(run, run->n - 1);
    }
}

size_t state_step_ids(const struct state *lowest) {
    size_t n = 0;

    for (size_t i = 0; i < lowest->ids.n_runs; i++)
        n += lowest->ids.runs[i].n;
    return n;
}

/* The least of what each run has left from its place on, or NULL; its place moves on. */
static const struct state_ids_item *take_least(const struct state_ids_run *runs, size_t n_runs,
                                               size_t *places) {
    const struct state_ids_item *least = NULL;
    size_t of = 0;

    for (size_t i = 0; i < n_runs; i++) {
        const struct state_ids_item *item =
            places[i] < runs[i].n ? state_ids_at(&runs[i], places[i]) : NULL;
        if (item && (!least || is_less(item, least))) {
            least = item;
            of = i;
        }
    }
    places[of]++;
    return least;
}

int state_ids_leaving(const struct state *lowest,
                      int (*each)(void *user, enum state_table table, const void *key, size_t n_key,
                                  const void *value),
                      void *user) {
    const struct state_ids *ids = &lowest->ids;
    size_t places[STATE_IDS_RUNS] = {0};
    const struct state_ids_item *item;
    uint8_t key[ORDER_ID_BYTES];
    int r = 0;

    while (r == 0 && (item = take_least(ids->leaving, ids->n_leaving, places))) {
        be64_put(key, item->high);
        be64_put(key + 8, item->low);
        r = each(user, STATE_IDS, key, sizeof(key), &item->value);
    }
    return r;
}

void state_ids_leave(struct state_ids *ids) {
    assert(ids->n_leaving == 0);
    memcpy(ids->leaving, ids->runs, ids->n_runs * sizeof(*ids->runs));
    ids->n_leaving = ids->n_runs;
    memset(ids->runs, 0, sizeof(ids->runs));
    ids->n_runs = 0;
}

void state_ids_left(struct state_ids *ids) {
    runs_free(ids->leaving, &ids->n_leaving);
    ids->has_gap = false; /* they are stored now, maybe within it */
}
