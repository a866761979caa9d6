/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From columns to rows. Each thread takes the next block that nobody has, so that a block of
 * another year costs the others nothing; what adds up needs no order. Whether all of a block counts
 * is asked of its zone once, and of its lines only where it does not.
 */
#include "report-scan.h"

#include <errno.h>
#include <pthread.h>

#include "facts-block.h"

#define THREADS_MAX 8u

static_assert(REPORT_ROWS_MAX >= FACTS_BLOCK_LINES, "a block is handed over at once");

struct report_scan {
    const struct report_pick *pick;
    const struct report_part *const *parts;
    size_t n_parts;
    size_t n_blocks;
    size_t n_flow_blocks;
    bool asks_past;
    bool asks_flows;
    atomic_size_t next; /* of the blocks of lines, then of flows */
    atomic_bool failed;
};

struct worker {
    struct report_scan *scan;
    void **sums;
    void *columns; /* of the block being read */
    struct report_row *rows;
    struct report_past *past;
    size_t n_rows;
    size_t n_past;
    int r;
};

static uint32_t day_of(uint32_t recorded_day, uint32_t claimed_day, bool as_recorded) {
    return claimed_day != 0 && !as_recorded ? claimed_day : recorded_day;
}

static bool knows_all(const struct report_pick *pick, const struct fact_zone *zone) {
    return zone->last_index < pick->size && zone->last_entered_day <= pick->known_day;
}

static bool knows_none(const struct report_pick *pick, const struct fact_zone *zone) {
    return zone->n_lines == 0 || zone->first_index >= pick->size ||
           zone->first_entered_day > pick->known_day;
}

static bool is_cancelled(const struct report_pick *pick) {
    return pick->is_cancelled && atomic_load_explicit(pick->is_cancelled, memory_order_relaxed);
}

/* ---- one block of lines */

/* What counts of the line's minutes; false: nothing does. */
static inline bool count_line(const struct report_pick *pick, const struct fact_lines *lines,
                              size_t i, bool knows, uint64_t *ret_minutes) {
    uint64_t minutes = lines->minutes[i];
    if (!knows &&
        (lines->index[i] >= pick->size || day_of(lines->recorded_day[i], lines->claimed_day[i],
                                                 pick->as_recorded) > pick->known_day))
        return false;
    uint64_t taken = report_pick_taken(pick, lines->order[i]);
    if (taken != 0) {
        bool several = lines->flags[i] & FACT_SEVERAL;
        if (taken == REPORT_ALL || (!several && taken >= minutes))
            return false;
        minutes -= several ? 0 : taken;
    }
    *ret_minutes = minutes;
    return true;
}

static inline void fill_past(const struct report_pick *pick, const struct fact_lines *lines,
                             size_t i, uint64_t minutes, struct report_past *past) {
    past->minutes = minutes;
    past->service_day = lines->service_day[i];
    past->from_person = report_pick_person(pick, lines->from_person[i]);
    past->to_person = report_pick_person(pick, lines->to_person[i]);
    past->kind = lines->kind[i];
    past->is_service = report_pick_is_service(past->kind, past->to_person);
}

static inline void fill_row(const struct report_pick *pick, const struct fact_lines *lines,
                            size_t i, uint64_t minutes, struct report_row *row) {
    int64_t day = lines->service_day[i];
    *row = (struct report_row){
        .entry = lines->entry[i],
        .minutes = minutes,
        .order = lines->order[i],
        .service_day = lines->service_day[i],
        .entered_day = day_of(lines->recorded_day[i], lines->claimed_day[i], pick->as_recorded),
        .from = lines->from[i],
        .to = lines->to[i],
        .from_person = report_pick_person(pick, lines->from_person[i]),
        .to_person = report_pick_person(pick, lines->to_person[i]),
        .activity = lines->activity[i],
        .label = lines->label[i],
        .programme = lines->programme[i],
        .adults = lines->adults[i],
        .under16 = lines->under16[i],
        .rounded_minutes = lines->rounded_minutes[i],
        .kind = lines->kind[i],
        .is_further = lines->flags[i] & FACT_FURTHER,
        .is_claimed = lines->claimed_day[i] != 0 && !pick->as_recorded,
        .insisted = lines->flags[i] & FACT_INSISTED,
        .is_service = report_pick_is_service(lines->kind[i], lines->to_person[i]),
        .in_period = day >= pick->period.from_day && day <= pick->period.to_day,
        .in_previous = day >= pick->period.previous_from_day && day <= pick->period.previous_to_day,
    };
}

/* Sorts the block's lines into rows and past. */
static void sort_lines(struct worker *worker, const struct fact_lines *lines, bool knows) {
    const struct report_pick *pick = worker->scan->pick;
    worker->n_rows = worker->n_past = 0;
    for (size_t i = 0; i < lines->n; i++) {
        int64_t day = lines->service_day[i];
        bool is_past = day < pick->reach_from_day;
        uint64_t minutes;
        if (day > pick->reach_to_day || (is_past && !worker->scan->asks_past) ||
            !count_line(pick, lines, i, knows, &minutes))
            continue;
        if (is_past)
            fill_past(pick, lines, i, minutes, &worker->past[worker->n_past++]);
        else
            fill_row(pick, lines, i, minutes, &worker->rows[worker->n_rows++]);
    }
}

/* Where all is past, fewer columns do. */
static int read_columns(const struct report_scan *scan, size_t block, bool has_rows, bool knows,
                        struct fact_lines *ret) {
    unsigned columns = FACT_COLUMNS_PAST | (knows ? 0 : FACT_COLUMNS_KNOWN);
    return has_rows ? facts_read_block(scan->pick->facts, block, ret)
                    : facts_read_columns(scan->pick->facts, block, columns, ret);
}

/* Reads what of the block is asked for; nothing counts where there are neither rows nor past. */
static int read_lines(struct worker *worker, size_t block) {
    const struct report_scan *scan = worker->scan;
    const struct report_pick *pick = scan->pick;
    const struct fact_zone *zone = facts_zone(pick->facts, block);
    bool has_rows = zone->last_service_day >= pick->reach_from_day &&
                    zone->first_service_day <= pick->reach_to_day;
    bool has_past = scan->asks_past && zone->first_service_day < pick->reach_from_day;
    bool knows = knows_all(pick, zone);
    worker->n_rows = worker->n_past = 0;
    if (knows_none(pick, zone) || (!has_rows && !has_past))
        return 0;
    int r = read_columns(scan, block, has_rows, knows, worker->columns);
    if (r == 0)
        sort_lines(worker, worker->columns, knows);
    return r;
}

static int note_lines(struct worker *worker, size_t block) {
    const struct report_scan *scan = worker->scan;
    int r = read_lines(worker, block);
    for (size_t i = 0; r == 0 && i < scan->n_parts; i++) {
        const struct report_part *part = scan->parts[i];
        if (part->note && worker->n_rows > 0)
            r = part->note(worker->sums[i], scan->pick, worker->rows, worker->n_rows);
        if (r == 0 && part->note_past && worker->n_past > 0)
            r = part->note_past(worker->sums[i], scan->pick, worker->past, worker->n_past);
    }
    return r;
}

/* ---- one block of flows */

static size_t sort_flows(const struct report_pick *pick, const struct fact_flow_lines *lines,
                         bool knows, struct report_flow *rows) {
    size_t n = 0;
    for (size_t i = 0; i < lines->n; i++) {
        if (!knows &&
            (lines->index[i] >= pick->size || day_of(lines->recorded_day[i], lines->claimed_day[i],
                                                     pick->as_recorded) > pick->known_day))
            continue;
        struct report_flow *row = &rows[n++];
        row->service_day = lines->service_day[i];
        row->kind = lines->kind[i];
        for (size_t k = 0; k < FACTS_N_PLACES; k++)
            row->minutes[k] = lines->minutes[k][i];
    }
    return n;
}

static int note_flows(struct worker *worker, size_t block) {
    const struct report_scan *scan = worker->scan;
    const struct report_pick *pick = scan->pick;
    const struct fact_zone *zone = facts_flow_zone(pick->facts, block);
    struct report_flow *rows = (struct report_flow *)worker->rows;
    if (knows_none(pick, zone))
        return 0;
    int r = facts_read_flows(pick->facts, block, worker->columns);
    if (r < 0)
        return r;
    size_t n = sort_flows(pick, worker->columns, knows_all(pick, zone), rows);
    for (size_t i = 0; r == 0 && n > 0 && i < scan->n_parts; i++)
        if (scan->parts[i]->note_flows)
            r = scan->parts[i]->note_flows(worker->sums[i], pick, rows, n);
    return r;
}

/* ---- workers */

static_assert(sizeof(struct report_flow) <= sizeof(struct report_row), "they share their room");

static void worker_fini(struct worker *worker) {
    free(worker->columns);
    free(worker->rows);
    free(worker->past);
}

static int worker_init(struct worker *ret, struct report_scan *scan, void **sums) {
    struct worker worker = {.scan = scan, .sums = sums};
    worker.columns = malloc(MAX_OF(sizeof(struct fact_lines), sizeof(struct fact_flow_lines)));
    worker.rows = calloc(REPORT_ROWS_MAX, sizeof(*worker.rows));
    worker.past = calloc(REPORT_ROWS_MAX, sizeof(*worker.past));
    *ret = worker;
    return worker.columns && worker.rows && worker.past ? 0 : -ENOMEM;
}

static int begin_sums(const struct report_scan *scan, void **sums) {
    for (size_t i = 0; i < scan->n_parts; i++) {
        const struct report_part *part = scan->parts[i];
        sums[i] = calloc(1, MAX_OF(part->sums_bytes, (size_t)1));
        int r = !sums[i] ? -ENOMEM : part->begin ? part->begin(sums[i], scan->pick) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int work_blocks(struct worker *worker) {
    struct report_scan *scan = worker->scan;
    int r = begin_sums(scan, worker->sums);
    while (r == 0 && !atomic_load_explicit(&scan->failed, memory_order_relaxed)) {
        size_t block = atomic_fetch_add_explicit(&scan->next, 1, memory_order_relaxed);
        if (block >= scan->n_blocks + scan->n_flow_blocks)
            break;
        if (is_cancelled(scan->pick))
            r = -ECANCELED;
        else if (block < scan->n_blocks)
            r = note_lines(worker, block);
        else
            r = note_flows(worker, block - scan->n_blocks);
    }
    return r;
}

static void *work(void *user) {
    struct worker *worker = user;
    worker->r = work_blocks(worker);
    if (worker->r != 0)
        atomic_store_explicit(&worker->scan->failed, true, memory_order_relaxed);
    return NULL;
}

void report_scan_end(const struct report_part *const *parts, size_t n_parts, void **sums) {
    for (size_t i = 0; i < n_parts; i++) {
        if (sums[i] && parts[i]->end)
            parts[i]->end(sums[i]);
        free(TAKE(sums[i]));
    }
}

static int merge_sums(const struct report_scan *scan, void **sums, void **others) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < scan->n_parts; i++)
        if (scan->parts[i]->merge)
            r = scan->parts[i]->merge(sums[i], scan->pick, others[i]);
    return r;
}

/* The other half of the work, beside the caller's; merged when both are done. */
static int scan_beside(struct report_scan *scan, struct worker *own, unsigned n_threads) {
    struct worker others[THREADS_MAX] = {0};
    pthread_t threads[THREADS_MAX];
    _cleanup_(freep) void **sums = calloc((size_t)n_threads * scan->n_parts + 1, sizeof(*sums));
    unsigned n = 0;
    int r = sums ? 0 : -ENOMEM;
    for (; r == 0 && n + 1 < n_threads; n++) {
        r = worker_init(&others[n], scan, sums + n * scan->n_parts);
        if (r < 0 || pthread_create(&threads[n], NULL, work, &others[n]) != 0) {
            worker_fini(&others[n]);
            break; /* fewer do it, too */
        }
    }
    work(own);
    r = own->r;
    for (unsigned i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        if (r == 0)
            r = others[i].r;
        if (r == 0)
            r = merge_sums(scan, own->sums, others[i].sums);
        report_scan_end(scan->parts, scan->n_parts, others[i].sums);
        worker_fini(&others[i]);
    }
    return r;
}

int report_scan(const struct report_pick *pick, const struct report_part *const *parts,
                size_t n_parts, void **sums, unsigned n_threads) {
    struct report_scan scan = {
        .pick = pick, .parts = parts, .n_parts = n_parts, .n_blocks = facts_n_blocks(pick->facts)};
    for (size_t i = 0; i < n_parts; i++) {
        sums[i] = NULL;
        scan.asks_past |= parts[i]->note_past != NULL;
        scan.asks_flows |= parts[i]->note_flows != NULL;
    }
    scan.n_flow_blocks = scan.asks_flows ? facts_n_flow_blocks(pick->facts) : 0;
    _cleanup_(worker_fini) struct worker own = {0};
    int r = worker_init(&own, &scan, sums);
    if (r < 0)
        return r;
    return scan_beside(&scan, &own, MIN_OF(MAX_OF(n_threads, 1u), THREADS_MAX));
}

/* ---- listing */

int report_scan_rows(const struct report_pick *pick,
                     int (*each)(void *user, const struct report_row *rows, size_t n), void *user) {
    struct report_scan scan = {.pick = pick, .n_blocks = facts_n_blocks(pick->facts)};
    _cleanup_(worker_fini) struct worker worker = {0};
    int r = worker_init(&worker, &scan, NULL);
    for (size_t i = 0; r == 0 && i < scan.n_blocks; i++) {
        r = is_cancelled(pick) ? -ECANCELED : read_lines(&worker, i);
        if (r == 0 && worker.n_rows > 0)
            r = each(user, worker.rows, worker.n_rows);
    }
    return r;
}

static size_t sort_legs(const struct report_pick *pick, const struct fact_leg_lines *lines,
                        struct report_leg *rows) {
    size_t n = 0;
    for (size_t i = 0; i < lines->n; i++) {
        uint32_t day = day_of(lines->recorded_day[i], lines->claimed_day[i], pick->as_recorded);
        if (lines->index[i] < pick->size && day <= pick->known_day)
            rows[n++] = (struct report_leg){.index = lines->index[i],
                                            .minutes = lines->minutes[i],
                                            .account = lines->account[i],
                                            .order = lines->order[i],
                                            .service_day = lines->service_day[i],
                                            .entered_day = day};
    }
    return n;
}

int report_scan_legs(const struct report_pick *pick,
                     int (*each)(void *user, const struct report_leg *rows, size_t n), void *user) {
    _cleanup_(freep) struct fact_leg_lines *lines = malloc(sizeof(*lines));
    _cleanup_(freep) struct report_leg *rows = calloc(FACTS_BLOCK_LINES, sizeof(*rows));
    int r = lines && rows ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < facts_n_leg_blocks(pick->facts); i++) {
        if (is_cancelled(pick))
            return -ECANCELED;
        if (knows_none(pick, facts_leg_zone(pick->facts, i)))
            continue;
        r = facts_read_legs(pick->facts, i, lines);
        size_t n = r == 0 ? sort_legs(pick, lines, rows) : 0;
        if (n > 0)
            r = each(user, rows, n);
    }
    return r;
}
