/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What changed is gone through cell by cell and month by month, as somebody does who holds both
 * reports. Persons are those of the knowledge that is to leave: merged accounts are one.
 */
#include "report-guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dates.h"
#include "proto/refusal.h"
#include "report-hide.h"
#include "report-lines.h"
#include "report-scan.h"

#define WHOLE UINT32_MAX /* in the place of a month */
#define FEW_FOR_ONE 10

enum cell_kind {
    CELL_SERVICE = 1,
    CELL_RECEIVERS,
    CELL_KIND,
    CELL_ACTIVITY,
    CELL_ORGANISATION,
    CELL_VENUE,
    CELL_OFFER,
    CELL_FUNDER,
    CELL_CREDITS,
};

/* ---- whose they are, cell by cell */

struct behind {
    uint32_t kind; /* enum cell_kind, then what it is of */
    uint32_t value;
    uint32_t month;
    uint32_t person;
    uint64_t minutes; /* that one knowledge has more than the other */
};

struct cells {
    struct behind *items;
    size_t n;
    size_t n_allocated;
    const struct report_pick *pick; /* whose merged persons count */
    uint64_t minutes;               /* of the line that is put */
};

static int put(struct cells *cells, enum cell_kind kind, uint32_t value, uint32_t month,
               uint32_t who) {
    if (cells->n + 2 > cells->n_allocated) {
        size_t n = cells->n_allocated ? 2 * cells->n_allocated : 1024;
        struct behind *items = reallocarray(cells->items, n, sizeof(*items));
        if (!items)
            return -ENOMEM;
        cells->items = items;
        cells->n_allocated = n;
    }
    cells->items[cells->n++] = (struct behind){kind, value, month, who, cells->minutes};
    cells->items[cells->n++] = (struct behind){kind, value, WHOLE, who, cells->minutes};
    return 0;
}

/* Cells that nobody's hours are in, as an issue's to an organisation, are never hidden. */
static int put_line(struct cells *cells, const struct report_line *line) {
    uint32_t month = report_period_month(line->service_day);
    cells->minutes =
        (uint64_t)(line->gained_minutes < 0 ? -line->gained_minutes : line->gained_minutes);
    if (line->kind == 0)
        return put(cells, CELL_CREDITS, 0, month, report_pick_account(cells->pick, line->to));
    bool is_redeem = line->kind == TIMEBANK__ORDER__KIND_REDEEM;
    uint32_t behind =
        is_redeem || line->to_person == INTERN_NONE ? line->from_person : line->to_person;
    int r = 0;
    if (behind == INTERN_NONE)
        return 0;
    behind = report_pick_person(cells->pick, behind);
    if (line->is_service)
        r = put(cells, CELL_SERVICE, 0, month, behind);
    if (r == 0 && line->is_service && line->from_person != INTERN_NONE)
        r = put(cells, CELL_RECEIVERS, 0, month,
                report_pick_person(cells->pick, line->from_person));
    if (r == 0)
        r = put(cells, CELL_KIND, line->kind, month, behind);
    if (r == 0)
        r = put(cells, CELL_ACTIVITY, line->activity, month, behind);
    if (r == 0 && line->kind == TIMEBANK__ORDER__KIND_EARN)
        r = put(cells, CELL_ORGANISATION, report_pick_account(cells->pick, line->from), month,
                behind);
    if (r == 0 && is_redeem)
        r = put(cells, CELL_VENUE, report_pick_account(cells->pick, line->to), month, behind);
    if (r == 0 && line->label != INTERN_NONE)
        r = put(cells, is_redeem ? CELL_OFFER : CELL_FUNDER, line->label, month, behind);
    return r;
}

static int compare_behind(const void *a, const void *b) {
    return memcmp(a, b, offsetof(struct behind, minutes));
}

/* Persons behind a cell, with what changed of each. */
struct tally {
    uint64_t n;
    uint64_t minutes;
    uint64_t largest;
    uint64_t second;
};

static void tally_add(struct tally *tally, uint64_t minutes) {
    tally->n++;
    tally->minutes += minutes;
    if (minutes > tally->largest) {
        tally->second = tally->largest;
        tally->largest = minutes;
    } else if (minutes > tally->second) {
        tally->second = minutes;
    }
}

/* Where nearly all is of one or two, the others are as good as nobody. */
static uint64_t tally_persons(const struct tally *tally) {
    if (tally->n < FEW_FOR_ONE && 2 * tally->largest > tally->minutes)
        return 1;
    return 100 * (tally->largest + tally->second) > 85 * tally->minutes ? MIN_OF(tally->n, 2u)
                                                                        : tally->n;
}

/* The fewest persons behind any cell; 0: nothing changed. */
static uint64_t fewest(struct cells *cells) {
    uint64_t least = 0, minutes = 0;
    struct tally tally = {0};
    if (cells->n > 0)
        qsort(cells->items, cells->n, sizeof(*cells->items), compare_behind);
    for (size_t i = 0; i < cells->n; i++) {
        const struct behind *row = &cells->items[i], *next = row + 1;
        bool is_last = i + 1 == cells->n || memcmp(row, next, offsetof(struct behind, person)) != 0;
        minutes += row->minutes;
        if (!is_last && next->person == row->person)
            continue;
        tally_add(&tally, minutes);
        minutes = 0;
        if (!is_last)
            continue;
        uint64_t n = tally_persons(&tally);
        least = least == 0 || n < least ? n : least;
        tally = (struct tally){0};
    }
    return least;
}

static int count_fewest(const struct report_pick *pick, const struct report_lines *changed,
                        const struct report_period *shared, uint64_t *ret) {
    struct cells cells = {.pick = pick};
    int r = 0;
    for (size_t i = 0; r == 0 && i < changed->n; i++)
        if (report_period_holds(shared, changed->items[i].service_day))
            r = put_line(&cells, &changed->items[i]);
    *ret = r == 0 ? fewest(&cells) : 0;
    free(cells.items);
    return r;
}

/* ---- what they hide */

/* The cells that are hidden in the months of the period. */
static int list_hidden(const struct report_pick *pick, struct bytes *ret) {
    static const struct report_part *const parts[] = {&report_cells};
    void *sums[N_ELEMENTS(parts)];
    int r = report_scan(pick, parts, N_ELEMENTS(parts), sums, 1);
    if (r == 0)
        r = report_hidden_list(pick, sums[0], ret);
    report_scan_end(parts, N_ELEMENTS(parts), sums);
    return r;
}

/* ---- one released report after the other */

struct guard {
    const struct facts *facts;
    const struct report_ask *ask;
    struct report_pick pick; /* of what is to leave */
    struct report_lines lines;
    struct report_lines last_changed; /* of the knowledge that was compared last */
    size_t n_others;                  /* knowledges that differ, and not by the same */
    bool *ret_register;
};

static bool knows_the_same(const struct state_release *a, const struct state_release *b) {
    return a->size == b->size && a->known_day == b->known_day && a->as_recorded == b->as_recorded;
}

static bool is_other_knowledge(const struct report_ask *ask, const struct state_release *row) {
    return row->size != ask->size || row->known_day != ask->known_day ||
           (row->as_recorded != 0) != (ask->as_recorded != 0);
}

static bool overlaps(const struct report_ask *ask, const struct state_release *row) {
    return row->from_day <= ask->to_day && ask->from_day <= row->to_day;
}

/* The latest one of the very question, which can be asked for in its place, or NULL. */
static const struct state_release *find_same(const struct report_ask *ask,
                                             const struct report_released *before, size_t n) {
    for (size_t i = n; i > 0; i--) {
        const struct state_release *row = &before[i - 1].row;
        if (row->report_class == ask->report_class && row->from_day == ask->from_day &&
            row->to_day == ask->to_day)
            return row;
    }
    return NULL;
}

static void say(const struct state_release *row, const struct state_release *same, char *why) {
    char from[16], to[16], known[16];
    const struct state_release *told = same ? same : row;
    if (!why)
        return;
    dates_format_iso(told->from_day, from);
    dates_format_iso(told->to_day, to);
    dates_format_iso(told->known_day, known);
    snprintf(why, REPORT_WHY_BYTES,
             "A report of %s to %s left the bank before, and these figures differ from it by so "
             "few people that they could be told: ask for %s as it was, with --at %llu "
             "--as-known-at %s%s.",
             from, to, same ? "that one" : "the figures", (unsigned long long)told->size, known,
             same ? "" : ", or for months that it does not hold");
}

/* What both periods hold, as the knowledge of the released report has it and as ours does. */
static int compare_hidden(const struct guard *guard, const struct report_period *shared,
                          const struct report_ask *theirs) {
    _cleanup_bytes_ struct bytes ours_hidden = {0}, theirs_hidden = {0};
    _cleanup_(report_pick_fini) struct report_pick ours_pick = {0}, theirs_pick = {0};
    int r = report_pick_init(&ours_pick, guard->facts, shared, guard->ask);
    if (r == 0)
        r = list_hidden(&ours_pick, &ours_hidden);
    if (r == 0)
        r = report_pick_init(&theirs_pick, guard->facts, shared, theirs);
    if (r == 0)
        r = list_hidden(&theirs_pick, &theirs_hidden);
    if (r != 0)
        return r;
    return ours_hidden.n == theirs_hidden.n &&
                   (ours_hidden.n == 0 ||
                    memcmp(ours_hidden.data, theirs_hidden.data, ours_hidden.n) == 0)
               ? 0
               : REFUSAL_TOO_CLOSE;
}

/* Another knowledge, and what it has that ours has not, or the other way. */
struct other {
    struct report_ask ask;
    struct report_lines changed;
    bool merges_differ;
};

static bool merges_differ(const struct report_pick *a, const struct report_pick *b) {
    const struct facts *facts = a->facts;
    for (size_t i = 0; i < facts->n_merges; i++) {
        const struct fact_merge *merge = &facts->merges[i];
        if (report_pick_knows(a, &merge->entered) != report_pick_knows(b, &merge->entered) ||
            report_pick_knows(a, &merge->ended) != report_pick_knows(b, &merge->ended))
            return true;
    }
    return false;
}

static int read_other(const struct guard *guard, const struct state_release *row,
                      struct other *ret) {
    _cleanup_(report_pick_fini) struct report_pick pick = {0};
    _cleanup_(report_lines_fini) struct report_lines lines = {0};
    ret->ask = *guard->ask;
    ret->ask.size = row->size;
    ret->ask.known_day = row->known_day;
    ret->ask.as_recorded = row->as_recorded;
    int r = report_pick_init(&pick, guard->facts, &guard->pick.period, &ret->ask);
    if (r == 0)
        r = report_lines_read(&pick, &lines);
    if (r == 0)
        r = report_lines_compare(&guard->lines, &lines, &ret->changed);
    ret->merges_differ = r == 0 && merges_differ(&guard->pick, &pick);
    return r;
}

static int compare_with(const struct guard *guard, const struct other *other,
                        const struct state_release *row) {
    uint64_t least = 0, threshold = MAX_OF(report_class_get(guard->ask->report_class)->threshold,
                                           report_class_get(row->report_class)->threshold);
    struct report_period shared;
    bool differs = other->merges_differ;
    int r = report_period_init(&shared, MAX_OF(guard->ask->from_day, row->from_day),
                               MIN_OF(guard->ask->to_day, row->to_day));
    if (r == 0)
        r = count_fewest(&guard->pick, &other->changed, &shared, &least);
    if (differs)
        *guard->ret_register = false;
    for (size_t i = 0; r == 0 && i < other->changed.n; i++) {
        const struct report_line *line = &other->changed.items[i];
        if (!report_period_holds(&shared, line->service_day))
            continue;
        differs = true;
        if (line->kind == TIMEBANK__ORDER__KIND_EXCHANGE)
            *guard->ret_register = false;
    }
    if (r != 0 || !differs)
        return r;
    if (least > 0 && least < threshold)
        return REFUSAL_TOO_CLOSE;
    return compare_hidden(guard, &shared, &other->ask);
}

static bool was_looked_at(const struct report_released *before, size_t i, size_t n,
                          const struct report_ask *ask) {
    for (size_t k = i + 1; k < n; k++)
        if (knows_the_same(&before[k].row, &before[i].row) && overlaps(ask, &before[k].row))
            return true;
    return false;
}

static bool is_same_change(const struct report_lines *a, const struct report_lines *b) {
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct report_line *x = &a->items[i], *y = &b->items[i];
        if (x->entry != y->entry || x->place != y->place || x->kind != y->kind ||
            x->gained_minutes != y->gained_minutes || x->in != y->in)
            return false;
    }
    return true;
}

/* Is there more than a bank releases in many years? One that differs by the same as the last one
 * does is no further one: nobody's questions keep others from theirs. */
static bool is_too_many(struct guard *guard, struct other *other) {
    bool is_further = !is_same_change(&other->changed, &guard->last_changed);
    if (is_further) {
        struct report_lines last = guard->last_changed;
        guard->last_changed = other->changed;
        other->changed = last;
    }
    return is_further && guard->n_others++ >= REPORT_GUARD_MAX;
}

/* Every report of one knowledge that shares days with what is to leave. */
static int compare_knowledge(struct guard *guard, const struct report_released *before, size_t last,
                             const struct state_release **ret_row) {
    struct other other = {0};
    int r = read_other(guard, &before[last].row, &other);
    for (size_t i = last + 1; r == 0 && i > 0; i--) {
        const struct state_release *row = &before[i - 1].row;
        if (!knows_the_same(row, &before[last].row) || !overlaps(guard->ask, row))
            continue;
        r = compare_with(guard, &other, row);
        *ret_row = row;
    }
    if (r == 0 && is_too_many(guard, &other))
        r = REFUSAL_TOO_CLOSE;
    report_lines_fini(&other.changed);
    return r;
}

static int compare_all(struct guard *guard, const struct report_released *before, size_t n_before,
                       char *why) {
    const struct state_release *row = NULL;
    bool has_lines = false;
    int r = 0;
    for (size_t i = n_before; r == 0 && i > 0; i--) {
        row = &before[i - 1].row;
        if (!overlaps(guard->ask, row) || !is_other_knowledge(guard->ask, row) ||
            was_looked_at(before, i - 1, n_before, guard->ask))
            continue;
        if (!has_lines)
            r = report_lines_read(&guard->pick, &guard->lines);
        has_lines = true;
        if (r == 0)
            r = compare_knowledge(guard, before, i - 1, &row);
    }
    if (r == REFUSAL_TOO_CLOSE)
        say(row, find_same(guard->ask, before, n_before), why);
    return r;
}

int report_guard(const struct facts *facts, const struct report_ask *ask,
                 const struct report_released *before, size_t n_before, char *why,
                 bool *ret_register) {
    struct guard guard = {.facts = facts, .ask = ask, .ret_register = ret_register};
    struct report_period period;
    int r = report_period_init(&period, ask->from_day, ask->to_day);
    *ret_register = true;
    if (r != 0)
        return r;
    r = report_pick_init(&guard.pick, facts, &period, ask);
    if (r == 0)
        r = compare_all(&guard, before, n_before, why);
    report_pick_fini(&guard.pick);
    report_lines_fini(&guard.lines);
    report_lines_fini(&guard.last_changed);
    return r;
}
