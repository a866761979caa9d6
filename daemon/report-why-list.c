/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that counts is added up; of what is listed no more is kept than a page: the lowest
 * entry numbers after the one asked for, however they come.
 */
#include <errno.h>
#include <stdlib.h>

#include "facts-block.h"
#include "report-scan.h"
#include "report-why.h"

#define KEPT_MAX ((size_t)2 * REPORT_WHY_ENTRIES)

struct listing {
    const struct why *why;
    struct why_list *list;
    bool *seen; /* persons */
    uint64_t after;
    uint64_t last_entry;
};

static int compare_items(const void *a, const void *b) {
    const struct why_item *one = a, *other = b;
    if (one->entry != other->entry)
        return one->entry < other->entry ? -1 : 1;
    return (one->at > other->at) - (one->at < other->at);
}

/* Down to a page and one line more. */
static void trim(struct why_list *list) {
    if (list->n_items > 1)
        qsort(list->items, list->n_items, sizeof(*list->items), compare_items);
    if (list->n_items > REPORT_WHY_ENTRIES + 1) {
        list->n_items = REPORT_WHY_ENTRIES + 1;
        list->more = true;
    }
}

static int keep(struct listing *listing, const struct why_item *item) {
    struct why_list *list = listing->list;
    void *items = list->items;
    list->n_rows++;
    list->sum += item->counts;
    list->n_entries += list->n_rows == 1 || item->entry != listing->last_entry;
    listing->last_entry = item->entry;
    if (item->entry <= listing->after)
        return 0;
    if (list->n_items == KEPT_MAX)
        trim(list);
    int r = intern_grow(&items, list->n_items, &list->n_items_allocated, sizeof(*list->items));
    list->items = items;
    if (r < 0)
        return r;
    list->items[list->n_items] = *item;
    list->items[list->n_items++].at = list->n_rows;
    return 0;
}

/* ---- rows */

static void see_person(struct listing *listing, uint32_t person) {
    if (person == INTERN_NONE || listing->seen[person])
        return;
    listing->seen[person] = true;
    listing->list->n_persons++;
}

static int64_t amount_of(enum why_amount amount, const struct report_row *row) {
    switch (amount) {
    case WHY_NOTHING:
        return 0;
    case WHY_MINUTES:
        return (int64_t)row->minutes;
    case WHY_ENTRIES:
        return !row->is_further;
    case WHY_ADULTS:
        return row->adults;
    case WHY_UNDER16:
        return row->under16;
    case WHY_ROUNDED:
        return row->rounded_minutes;
    }
    return 0;
}

static int list_row(struct listing *listing, const struct report_row *row) {
    const struct why *why = listing->why;
    unsigned mask = why->source->picks(why, row);
    if (mask == 0 ||
        (why->n_names > 0 && why->source->is_in_group && !why->source->is_in_group(why, row)))
        return 0;
    if (mask & WHY_GIVER)
        see_person(listing, row->to_person);
    if (mask & WHY_TAKER)
        see_person(listing, row->from_person);
    struct why_item item = {.entry = row->entry,
                            .minutes = (int64_t)row->minutes,
                            .counts = amount_of(why->amount, row),
                            .service_day = row->service_day,
                            .entered_day = row->entered_day,
                            .from = row->from,
                            .to = row->to,
                            .activity = row->activity,
                            .kind = row->kind};
    return keep(listing, &item);
}

static int list_rows(void *user, const struct report_row *rows, size_t n) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++)
        r = list_row(user, &rows[i]);
    return r;
}

/* ---- flows, reversals and what waits */

static const struct why_item nobodys = {
    .from = INTERN_NONE, .to = INTERN_NONE, .activity = INTERN_NONE};

static int list_flow(struct listing *listing, const struct fact_flow_lines *lines, size_t i) {
    const struct report_pick *pick = listing->why->pick;
    struct fact_entered entered = {lines->index[i], lines->recorded_day[i], lines->claimed_day[i]};
    struct why_item item = nobodys;
    int64_t minutes[FACTS_N_PLACES];
    if (!report_pick_knows(pick, &entered))
        return 0;
    for (size_t k = 0; k < FACTS_N_PLACES; k++)
        minutes[k] = lines->minutes[k][i];
    item.entry = entered.index;
    item.kind = lines->kind[i];
    item.service_day = lines->service_day[i];
    item.entered_day = report_pick_entered_day(pick, &entered);
    item.minutes = item.counts =
        listing->why->source->flow(listing->why, minutes, item.kind, item.service_day);
    return item.counts != 0 ? keep(listing, &item) : 0;
}

static int list_flows(struct listing *listing) {
    const struct facts *facts = listing->why->pick->facts;
    _cleanup_(freep) struct fact_flow_lines *lines = malloc(sizeof(*lines));
    int r = lines ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < facts_n_flow_blocks(facts); i++) {
        r = facts_read_flows(facts, i, lines);
        for (size_t k = 0; r == 0 && k < lines->n; k++)
            r = list_flow(listing, lines, k);
    }
    return r;
}

static int list_reversals(struct listing *listing) {
    const struct report_pick *pick = listing->why->pick;
    int r = 0;
    for (size_t i = 0; r == 0 && i < pick->facts->n_reversals; i++) {
        const struct fact_reversal *reversal = &pick->facts->reversals[i];
        struct why_item item = nobodys;
        if (!report_pick_knows(pick, &reversal->entered) ||
            !report_period_holds(&pick->period, reversal->service_day))
            continue;
        item.entry = reversal->entered.index;
        item.kind = TIMEBANK__ORDER__KIND_REVERSE;
        item.minutes = (int64_t)(reversal->minutes ? reversal->minutes : reversal->order_minutes);
        item.counts = 1;
        item.service_day = reversal->service_day;
        item.entered_day = report_pick_entered_day(pick, &reversal->entered);
        r = keep(listing, &item);
    }
    return r;
}

static int list_waits(struct listing *listing) {
    const struct report_pick *pick = listing->why->pick;
    int r = 0;
    for (size_t i = 0; r == 0 && i < pick->facts->n_waits; i++) {
        const struct fact_wait *wait = &pick->facts->waits[i];
        struct why_item item = nobodys;
        if (!report_pick_knows(pick, &wait->entered) || report_pick_knows(pick, &wait->ended) ||
            !report_period_holds(&pick->period, wait->service_day))
            continue;
        item.entry = wait->entered.index;
        item.counts = 1;
        item.service_day = wait->service_day;
        item.entered_day = report_pick_entered_day(pick, &wait->entered);
        r = keep(listing, &item);
    }
    return r;
}

/* ---- the page */

/* What does not fit begins with a whole entry. */
static void end_page(struct why_list *list) {
    trim(list);
    if (list->n_items <= REPORT_WHY_ENTRIES)
        return;
    uint64_t next = list->items[REPORT_WHY_ENTRIES].entry;
    size_t n = REPORT_WHY_ENTRIES;
    while (n > 0 && list->items[n - 1].entry == next)
        n--;
    list->n_items = n > 0 ? n : REPORT_WHY_ENTRIES;
    list->more = true;
}

int why_list_make(const struct why *why, uint64_t after, struct why_list *ret) {
    const struct why_source *source = why->source;
    _cleanup_(freep) bool *seen = calloc(why->pick->n_persons + 1, sizeof(*seen));
    struct why_list list = {0};
    struct listing listing = {.why = why, .list = &list, .seen = seen, .after = after};
    int r = seen ? 0 : -ENOMEM;
    if (r == 0 && source->picks)
        r = report_scan_rows(why->pick, list_rows, &listing);
    else if (r == 0 && source->flow)
        r = list_flows(&listing);
    else if (r == 0 && source->lists_reversals)
        r = list_reversals(&listing);
    else if (r == 0 && source->lists_waits)
        r = list_waits(&listing);
    if (r < 0) {
        why_list_fini(&list);
        return r;
    }
    end_page(&list);
    *ret = list;
    return 0;
}

void why_list_fini(struct why_list *list) {
    free(list->items);
    *list = (struct why_list){0};
}
