/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From columns to rows. Each thread takes the next block that nobody has; what adds up needs no
 * order. Whether all of a block counts is asked of its zone once, and of its lines only where it
 * does not. Years before come as chapters (report-memo.h).
 */
#include "report-scan.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "report-rest.h"

#define THREADS_MAX 8u
#define NEAR_ROWS 128

static_assert(REPORT_ROWS_MAX >= FACTS_BLOCK_LINES, "a block is handed over at once");

struct worker {
    struct report_scan *scan;
    void **sums;
    void *columns; /* of the block being read */
    struct report_row *rows;
    struct report_past *past;
    struct report_leg *legs;
    size_t n_rows;
    size_t n_past;
    size_t n_legs;
    int r;
};

static uint32_t day_of(uint32_t recorded_day, uint32_t claimed_day, bool as_recorded) {
    return claimed_day != 0 && !as_recorded ? claimed_day : recorded_day;
}

static bool is_cancelled(const struct report_pick *pick) {
    return pick->is_cancelled && atomic_load_explicit(pick->is_cancelled, memory_order_relaxed);
}

/* ---- one block of lines */

/* What counts of the line's minutes; false: nothing does. */
static inline bool count_line(const struct report_pick *pick, const struct fact_lines *lines,
                              size_t i, uint64_t *ret_minutes) {
    uint64_t minutes = lines->minutes[i];
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

static inline bool is_time(uint16_t kind) {
    return kind == TIMEBANK__ORDER__KIND_EXCHANGE || kind == TIMEBANK__ORDER__KIND_EARN ||
           kind == TIMEBANK__ORDER__KIND_SESSION;
}

static inline void fill_past(const struct report_pick *pick, const struct fact_lines *lines,
                             size_t i, uint64_t minutes, struct report_past *past) {
    past->minutes = minutes;
    past->service_day = lines->service_day[i];
    past->from_person = report_pick_person(pick, lines->from_person[i]);
    past->to_person = report_pick_person(pick, lines->to_person[i]);
    past->kind = lines->kind[i];
    past->is_service = report_pick_is_service(past->kind, past->to_person);
    past->in_previous = report_scan_is_previous(pick, past->service_day);
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
        .in_previous = report_scan_is_previous(pick, lines->service_day[i]),
    };
}

/* Was the line known, whatever was taken back since? */
static inline bool knows_line(const struct report_pick *pick, const struct fact_lines *lines,
                              size_t i) {
    return lines->index[i] < pick->size && day_of(lines->recorded_day[i], lines->claimed_day[i],
                                                  pick->as_recorded) <= pick->known_day;
}

/* Lines of one kind together: what a part asks of a row is then mostly what it asked of the last
 * one. */
static void list_exchanges_first(const struct fact_lines *lines, size_t first, size_t n,
                                 uint16_t list[NEAR_ROWS]) {
    uint16_t rest[NEAR_ROWS];
    size_t n_exchanges = 0, n_rest = 0;
    for (size_t i = first; i < first + n; i++) {
        bool is_exchange = lines->kind[i] == TIMEBANK__ORDER__KIND_EXCHANGE;
        list[n_exchanges] = rest[n_rest] = (uint16_t)i;
        n_exchanges += is_exchange;
        n_rest += !is_exchange;
    }
    memcpy(list + n_exchanges, rest, n_rest * sizeof(*rest));
}

/* Sorts the block's lines that are listed into rows and past. */
static void sort_lines(struct worker *worker, const struct fact_lines *lines, const uint16_t *list,
                       size_t n, bool knows, bool asks_past) {
    const struct report_pick *pick = worker->scan->pick;
    int64_t whole_from_day = worker->scan->whole_from_day;
    for (size_t k = 0; k < n; k++) {
        size_t i = list[k];
        int64_t day = lines->service_day[i];
        bool is_past = day < whole_from_day;
        uint64_t minutes;
        if (day > pick->reach_to_day || (is_past && !(asks_past && is_time(lines->kind[i]))) ||
            !(knows || knows_line(pick, lines, i)) || !count_line(pick, lines, i, &minutes))
            continue;
        if (is_past)
            fill_past(pick, lines, i, minutes, &worker->past[worker->n_past++]);
        else
            fill_row(pick, lines, i, minutes, &worker->rows[worker->n_rows++]);
    }
}

/* The legs that follow from lines: whatever was taken back has legs of its own. */
static void sort_line_legs(struct worker *worker, const struct fact_lines *lines, size_t first,
                           size_t n, bool knows, int64_t after_day) {
    const struct report_pick *pick = worker->scan->pick;
    for (size_t i = first; i < first + n; i++) {
        int64_t day = lines->service_day[i];
        if (!(lines->flags[i] & FACT_PLAIN) || day <= after_day || day > pick->period.to_day ||
            !(knows || knows_line(pick, lines, i)))
            continue;
        struct report_leg leg = {.index = lines->index[i],
                                 .minutes = -(int64_t)lines->minutes[i],
                                 .account = lines->from[i],
                                 .order = lines->order[i],
                                 .service_day = lines->service_day[i]};
        worker->legs[worker->n_legs++] = leg;
        leg.minutes = -leg.minutes;
        leg.account = lines->to[i];
        worker->legs[worker->n_legs++] = leg;
    }
}

/* Where all is past, fewer columns do. */
static int read_columns(const struct report_scan *scan, const struct report_unit *unit, bool knows,
                        struct fact_lines *ret) {
    const struct facts *facts = scan->pick->facts;
    const struct fact_zone *zone = facts_zone(facts, unit->number);
    if (unit->wants_rows && zone->last_service_day >= scan->whole_from_day)
        return facts_read_block(facts, unit->number, ret);
    unsigned columns = (knows ? 0u : FACT_COLUMNS_KNOWN) |
                       (unit->wants_rows ? FACT_COLUMNS_PAST : 0u) |
                       (unit->wants_legs ? FACT_COLUMNS_LEGS : 0u);
    return facts_read_columns(facts, unit->number, columns, ret);
}

/* Hands on what was read. */
static int note_all(struct worker *worker) {
    const struct report_scan *scan = worker->scan;
    int r = 0;
    for (size_t i = 0; r == 0 && i < scan->n_parts; i++) {
        const struct report_part *part = scan->parts[i];
        if (part->note && worker->n_rows > 0)
            r = part->note(worker->sums[i], scan->pick, worker->rows, worker->n_rows);
        if (r == 0 && part->note_past && worker->n_past > 0)
            r = part->note_past(worker->sums[i], scan->pick, worker->past, worker->n_past);
        if (r == 0 && part->note_legs && worker->n_legs > 0)
            r = part->note_legs(worker->sums[i], scan->pick, worker->legs, worker->n_legs);
    }
    return r;
}

/* Few enough rows at once that one part after the other finds them in the nearest cache. */
static int note_lines(struct worker *worker, const struct report_unit *unit) {
    const struct fact_lines *lines = worker->columns;
    const struct report_pick *pick = worker->scan->pick;
    bool knows = report_scan_knows_all(pick, facts_zone(pick->facts, unit->number));
    int64_t legs_after_day =
        unit->is_rest ? report_memo_share(pick, SHARE_EARLIER).legs_to_day : INT64_MIN;
    int r = read_columns(worker->scan, unit, knows, worker->columns);
    for (size_t at = 0; r == 0 && at < lines->n; at += NEAR_ROWS) {
        size_t n = MIN_OF(lines->n - at, (size_t)NEAR_ROWS);
        uint16_t list[NEAR_ROWS];
        list_exchanges_first(lines, at, n, list);
        worker->n_rows = worker->n_past = worker->n_legs = 0;
        if (unit->wants_rows)
            sort_lines(worker, lines, list, n, knows, worker->scan->asks_past && !unit->is_rest);
        if (unit->wants_legs)
            sort_line_legs(worker, lines, at, n, knows, legs_after_day);
        r = note_all(worker);
    }
    return r;
}

/* ---- what a chapter came to */

static int note_chapter_past(struct worker *worker, const struct report_chapter *chapter,
                             bool in_previous) {
    int r = 0;
    worker->n_rows = worker->n_legs = 0;
    for (size_t at = 0; r == 0; at += worker->n_past) {
        worker->n_past =
            report_memo_past(worker->scan->pick, chapter, at, in_previous, worker->past);
        if (worker->n_past == 0)
            break;
        r = note_all(worker);
    }
    return r;
}

static int note_chapter_legs(struct worker *worker, const struct report_chapter *chapter,
                             const struct fact_zone *zone) {
    int r = 0;
    worker->n_rows = worker->n_past = 0;
    for (size_t at = 0; r == 0; at += worker->n_legs) {
        worker->n_legs = report_memo_legs(chapter, zone, at, worker->legs);
        if (worker->n_legs == 0)
            break;
        r = note_all(worker);
    }
    return r;
}

static int note_chapter(struct worker *worker, const struct report_unit *unit) {
    const struct report_pick *pick = worker->scan->pick;
    struct report_chapter *chapter;
    struct fact_zone zone;
    if (!report_memo_zone(pick->facts, unit->level, unit->number, &zone))
        return -EINVAL;
    int r = report_memo_get(pick, unit->share, unit->level, unit->number, &chapter);
    if (r < 0)
        return r;
    bool in_previous =
        unit->share == SHARE_PREVIOUS ||
        (unit->share == SHARE_ALL && report_scan_is_previous(pick, zone.last_service_day));
    if (unit->wants_rows)
        r = note_chapter_past(worker, chapter, in_previous);
    if (r == 0 && unit->wants_legs)
        r = note_chapter_legs(worker, chapter, &zone);
    report_memo_leave(pick, chapter);
    return r;
}

/* Line by line, into other sums than the worker's own. */
static int sum_rest(void *user, size_t chapter, void **sums) {
    struct worker *worker = user;
    void **own = worker->sums;
    size_t n_blocks = report_memo_blocks(worker->scan->pick->facts);
    struct report_unit unit;
    int r = 0;
    worker->sums = sums;
    for (size_t i = 0; r == 0 && i < n_blocks; i++)
        if (report_scan_rest(worker->scan, chapter * n_blocks + i, &unit))
            r = is_cancelled(worker->scan->pick) ? -ECANCELED : note_lines(worker, &unit);
    worker->sums = own;
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
    int r = facts_read_flows(pick->facts, block, worker->columns);
    if (r < 0)
        return r;
    size_t n = sort_flows(pick, worker->columns, report_scan_knows_all(pick, zone), rows);
    for (size_t i = 0; r == 0 && n > 0 && i < scan->n_parts; i++)
        if (scan->parts[i]->note_flows)
            r = scan->parts[i]->note_flows(worker->sums[i], pick, rows, n);
    return r;
}

/* ---- one block of legs that follow from no line */

static size_t sort_legs(const struct report_pick *pick, const struct fact_leg_lines *lines,
                        int64_t to_day, struct report_leg *rows) {
    size_t n = 0;
    for (size_t i = 0; i < lines->n; i++) {
        uint32_t day = day_of(lines->recorded_day[i], lines->claimed_day[i], pick->as_recorded);
        if (lines->index[i] < pick->size && day <= pick->known_day &&
            lines->service_day[i] <= to_day)
            rows[n++] = (struct report_leg){.index = lines->index[i],
                                            .minutes = lines->minutes[i],
                                            .account = lines->account[i],
                                            .order = lines->order[i],
                                            .service_day = lines->service_day[i],
                                            .entered_day = day};
    }
    return n;
}

static int note_legs(struct worker *worker, size_t block) {
    const struct report_pick *pick = worker->scan->pick;
    int r = facts_read_legs(pick->facts, block, worker->columns);
    worker->n_rows = worker->n_past = worker->n_legs = 0;
    if (r == 0)
        worker->n_legs = sort_legs(pick, worker->columns, pick->period.to_day, worker->legs);
    return r == 0 ? note_all(worker) : r;
}

/* ---- workers */

static_assert(sizeof(struct report_flow) <= sizeof(struct report_row), "they share their room");

static void worker_fini(struct worker *worker) {
    free(worker->columns);
    free(worker->rows);
    free(worker->past);
    free(worker->legs);
}

static int worker_init(struct worker *ret, struct report_scan *scan, void **sums) {
    size_t columns_bytes = MAX_OF(sizeof(struct fact_lines), sizeof(struct fact_flow_lines));
    columns_bytes = MAX_OF(columns_bytes, sizeof(struct fact_leg_lines));
    *ret = (struct worker){.scan = scan,
                           .sums = sums,
                           .columns = malloc(columns_bytes),
                           .rows = calloc(REPORT_ROWS_MAX, sizeof(struct report_row)),
                           .past = calloc(REPORT_ROWS_MAX, sizeof(struct report_past)),
                           .legs = calloc(2 * FACTS_BLOCK_LINES, sizeof(struct report_leg))};
    return ret->columns && ret->rows && ret->past && ret->legs ? 0 : -ENOMEM;
}

int report_scan_begin(const struct report_scan *scan, void **sums) {
    for (size_t i = 0; i < scan->n_parts; i++) {
        const struct report_part *part = scan->parts[i];
        sums[i] = calloc(1, MAX_OF(part->sums_bytes, (size_t)1));
        int r = !sums[i] ? -ENOMEM : part->begin ? part->begin(sums[i], scan->pick) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int work_unit(struct worker *worker, const struct report_unit *unit) {
    switch (unit->what) {
    case UNIT_CHAPTER:
        return note_chapter(worker, unit);
    case UNIT_REST:
        return report_rest_merge(worker->scan, unit->level, unit->number, sum_rest, worker,
                                 worker->sums);
    case UNIT_LINES:
        return note_lines(worker, unit);
    case UNIT_LEGS:
        return note_legs(worker, unit->number);
    case UNIT_FLOWS:
        return note_flows(worker, unit->number);
    }
    return -EINVAL;
}

static int work_units(struct worker *worker) {
    struct report_scan *scan = worker->scan;
    int r = report_scan_begin(scan, worker->sums);
    while (r == 0 && !atomic_load_explicit(&scan->failed, memory_order_relaxed)) {
        if (is_cancelled(scan->pick))
            return -ECANCELED;
        size_t i = atomic_fetch_add_explicit(&scan->next, 1, memory_order_relaxed);
        if (i >= scan->n_units)
            break;
        r = work_unit(worker, &scan->units[i]);
    }
    return r;
}

static void *work(void *user) {
    struct worker *worker = user;
    worker->r = work_units(worker);
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

int report_scan_merge(const struct report_scan *scan, void **sums, void *const *others) {
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
    if (!sums)
        return -ENOMEM;
    for (; n + 1 < n_threads; n++) {
        int r = worker_init(&others[n], scan, sums + n * scan->n_parts);
        if (r < 0 || pthread_create(&threads[n], NULL, work, &others[n]) != 0) {
            worker_fini(&others[n]);
            break; /* fewer do it, too */
        }
    }
    work(own);
    int r = own->r;
    for (unsigned i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        if (r == 0)
            r = others[i].r;
        if (r == 0)
            r = report_scan_merge(scan, own->sums, others[i].sums);
        report_scan_end(scan->parts, scan->n_parts, others[i].sums);
        worker_fini(&others[i]);
    }
    return r;
}

int report_scan(const struct report_pick *pick, const struct report_part *const *parts,
                size_t n_parts, void **sums, unsigned n_threads) {
    struct report_scan scan = {
        .pick = pick, .parts = parts, .n_parts = n_parts, .whole_from_day = pick->whole_from_day};
    for (size_t i = 0; i < n_parts; i++) {
        sums[i] = NULL;
        scan.asks_past |= parts[i]->note_past != NULL;
        scan.asks_legs |= parts[i]->note_legs != NULL;
        scan.asks_flows |= parts[i]->note_flows != NULL;
    }
    _cleanup_(worker_fini) struct worker own = {0};
    int r = worker_init(&own, &scan, sums);
    if (r == 0)
        r = report_rest_begin(&scan);
    if (r == 0)
        r = report_scan_plan(&scan);
    if (r == 0)
        r = scan_beside(&scan, &own, MIN_OF(MAX_OF(n_threads, 1u), THREADS_MAX));
    free(scan.units);
    return r;
}

/* ---- listing */

int report_scan_rows(const struct report_pick *pick,
                     int (*each)(void *user, const struct report_row *rows, size_t n), void *user) {
    struct report_scan scan = {.pick = pick, .whole_from_day = pick->reach_from_day};
    _cleanup_(worker_fini) struct worker worker = {0};
    uint16_t in_order[FACTS_BLOCK_LINES];
    int r = worker_init(&worker, &scan, NULL);
    for (uint16_t i = 0; i < FACTS_BLOCK_LINES; i++)
        in_order[i] = i;
    for (size_t i = 0; r == 0 && i < facts_n_blocks(pick->facts); i++) {
        const struct fact_zone *zone = facts_zone(pick->facts, i);
        struct report_unit unit = {.what = UNIT_LINES, .number = (uint32_t)i, .wants_rows = true};
        if (is_cancelled(pick))
            return -ECANCELED;
        if (report_scan_knows_none(pick, zone) || !report_scan_wants_rows(&scan, zone))
            continue;
        const struct fact_lines *lines = worker.columns;
        r = read_columns(&scan, &unit, false, worker.columns);
        worker.n_rows = worker.n_past = 0;
        if (r == 0)
            sort_lines(&worker, lines, in_order, lines->n, report_scan_knows_all(pick, zone),
                       false);
        if (r == 0 && worker.n_rows > 0)
            r = each(user, worker.rows, worker.n_rows);
    }
    return r;
}

int report_scan_legs(const struct report_pick *pick,
                     int (*each)(void *user, const struct report_leg *rows, size_t n), void *user) {
    _cleanup_(worker_fini) struct worker worker = {0};
    int r = worker_init(&worker, NULL, NULL);
    for (size_t i = 0; r == 0 && i < facts_n_leg_blocks(pick->facts); i++) {
        if (is_cancelled(pick))
            return -ECANCELED;
        if (report_scan_knows_none(pick, facts_leg_zone(pick->facts, i)))
            continue;
        r = facts_read_legs(pick->facts, i, worker.columns);
        size_t n = r == 0 ? sort_legs(pick, worker.columns, INT64_MAX, worker.legs) : 0;
        if (n > 0)
            r = each(user, worker.legs, n);
    }
    return r;
}
