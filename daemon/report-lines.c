/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines are told apart by their order and their place in it: what takes an order back takes all of
 * its lines.
 */
#include "report-lines.h"

#include <errno.h>
#include <stdlib.h>

#include "report-scan.h"

void report_lines_fini(struct report_lines *lines) {
    free(lines->items);
    *lines = (struct report_lines){0};
}

static struct report_line *lines_add(struct report_lines *lines) {
    if (lines->n == lines->n_allocated) {
        size_t n = lines->n_allocated ? 2 * lines->n_allocated : 1024;
        struct report_line *items = reallocarray(lines->items, n, sizeof(*items));
        if (!items)
            return NULL;
        lines->items = items;
        lines->n_allocated = n;
    }
    return &lines->items[lines->n++];
}

static uint32_t person(const struct report_lines *lines, uint32_t of_pick) {
    return of_pick == INTERN_NONE || !lines->person_of ? of_pick : lines->person_of[of_pick];
}

static int note_rows(void *user, const struct report_row *rows, size_t n) {
    struct report_lines *lines = user;
    for (size_t i = 0; i < n; i++) {
        const struct report_row *row = &rows[i];
        lines->place = row->entry == lines->last_entry && row->is_further ? lines->place + 1 : 0;
        lines->last_entry = row->entry;
        if (row->service_day < lines->from_day || row->service_day > lines->to_day)
            continue;
        struct report_line *line = lines_add(lines);
        if (!line)
            return -ENOMEM;
        *line = (struct report_line){.entry = row->entry,
                                     .minutes = row->minutes,
                                     .order = row->order,
                                     .place = lines->place,
                                     .service_day = row->service_day,
                                     .from = row->from,
                                     .to = row->to,
                                     .from_person = person(lines, row->from_person),
                                     .to_person = person(lines, row->to_person),
                                     .activity = row->activity,
                                     .label = row->label,
                                     .kind = row->kind,
                                     .is_service = row->is_service};
    }
    return 0;
}

static int note_legs(void *user, const struct report_leg *rows, size_t n) {
    struct report_lines *lines = user;
    for (size_t i = 0; i < n; i++) {
        const struct report_leg *leg = &rows[i];
        if (leg->service_day < lines->from_day || leg->service_day > lines->to_day ||
            leg->minutes == 0 ||
            lines->facts->accounts[leg->account].kind != TIMEBANK__ACCOUNT_KIND__MEMBER)
            continue;
        struct report_line *line = lines_add(lines);
        if (!line)
            return -ENOMEM;
        *line = (struct report_line){.entry = leg->index,
                                     .minutes = (uint64_t)leg->minutes,
                                     .order = leg->order,
                                     .place = leg->account,
                                     .service_day = leg->service_day,
                                     .to = leg->account};
    }
    return 0;
}

static int compare_lines(const void *a, const void *b) {
    const struct report_line *x = a, *y = b;
    if (x->entry != y->entry)
        return x->entry > y->entry ? 1 : -1;
    if (x->kind != y->kind && (x->kind == 0 || y->kind == 0))
        return x->kind == 0 ? 1 : -1;
    return (x->place > y->place) - (x->place < y->place);
}

/* One of the facts' persons for each of the pick's. */
static uint32_t *new_persons(const struct report_pick *pick) {
    uint32_t *persons = calloc(pick->n_persons + 1, sizeof(*persons));
    for (uint32_t i = pick->facts->persons.n_keys; persons && i > 0; i--)
        persons[report_pick_person(pick, i - 1)] = i - 1;
    return persons;
}

int report_lines_read(const struct report_pick *pick, struct report_lines *ret) {
    _cleanup_(freep) uint32_t *persons = new_persons(pick);
    if (!persons)
        return -ENOMEM;
    ret->facts = pick->facts;
    ret->person_of = persons;
    ret->from_day = pick->period.from_day;
    ret->to_day = pick->period.to_day;
    ret->last_entry = UINT64_MAX;
    int r = report_scan_rows(pick, note_rows, ret);
    if (r == 0)
        r = report_scan_legs(pick, note_legs, ret);
    ret->person_of = NULL;
    if (r == 0 && ret->n > 0)
        qsort(ret->items, ret->n, sizeof(*ret->items), compare_lines);
    return r;
}

/* ---- what one knowledge has and the other has not */

static int keep(struct report_lines *changed, const struct report_line *line, int64_t gained,
                enum report_line_in in) {
    struct report_line *to = lines_add(changed);
    if (!to)
        return -ENOMEM;
    *to = *line;
    to->gained_minutes = gained;
    to->in = (uint8_t)in;
    return 0;
}

int report_lines_compare(const struct report_lines *now, const struct report_lines *since,
                         struct report_lines *ret) {
    size_t i = 0, k = 0;
    int r = 0;
    while (r == 0 && (i < now->n || k < since->n)) {
        const struct report_line *a = i < now->n ? &now->items[i] : NULL;
        const struct report_line *b = k < since->n ? &since->items[k] : NULL;
        int order = !a ? 1 : !b ? -1 : compare_lines(a, b);
        i += order <= 0;
        k += order >= 0;
        if (order < 0)
            r = keep(ret, a, (int64_t)a->minutes, LINE_ONLY_NOW);
        else if (order > 0)
            r = keep(ret, b, -(int64_t)b->minutes, LINE_ONLY_SINCE);
        else if (a->minutes != b->minutes)
            r = keep(ret, a, (int64_t)(a->minutes - b->minutes), LINE_IN_BOTH);
    }
    return r;
}
