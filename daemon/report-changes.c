/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why two reports of one period differ. What takes minutes back is a record of its own and named
 * as such; what counts now and did not is the entry itself, come late or come into effect.
 */
#include "report-changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dates.h"
#include "report-hide.h"
#include "report-lines.h"

#define ENTRIES_MAX 10000u
#define PATH_MAX_BYTES 512

struct change {
    uint64_t entry;
    const char *why;
    int64_t minutes;
    uint32_t service_day; /* 0: of none */
    uint16_t kind;        /* 0: none */
};

struct changes {
    struct report_pick now;
    struct report_pick since;
    struct change *items;
    size_t n;
    size_t n_allocated;
};

static int add(struct changes *changes, const struct change *change) {
    if (changes->n == changes->n_allocated) {
        size_t n = changes->n_allocated ? 2 * changes->n_allocated : 64;
        struct change *items = reallocarray(changes->items, n, sizeof(*items));
        if (!items)
            return -ENOMEM;
        changes->items = items;
        changes->n_allocated = n;
    }
    changes->items[changes->n++] = *change;
    return 0;
}

/* ---- lines */

/* Minutes that an order's lines lost, of those that a knowledge has. What changed ascends by entry,
 * and an order's number is that of its record. */
static int64_t lost(const struct report_lines *changed, uint32_t order) {
    size_t low = 0, high = changed->n;
    int64_t minutes = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (changed->items[middle].entry < order)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < changed->n && changed->items[low].entry == order; low++)
        if (changed->items[low].kind != 0 && changed->items[low].in != LINE_ONLY_NOW)
            minutes -= changed->items[low].gained_minutes;
    return minutes;
}

/* Did the knowledge leave out what was recorded by then, but entered after its cut-off? */
static bool is_cut(const struct report_pick *pick) {
    return pick->known_day < facts_latest_day(pick->facts, pick->size, pick->as_recorded);
}

/* Lines of one order are one entry. */
static int add_entries(struct changes *changes, const struct report_lines *changed) {
    bool since_is_cut = is_cut(&changes->since);
    int r = 0;
    for (size_t i = 0; r == 0 && i < changed->n; i++) {
        const struct report_line *line = &changed->items[i];
        if (line->kind == 0 || line->in != LINE_ONLY_NOW)
            continue;
        struct change *last = changes->n > 0 ? &changes->items[changes->n - 1] : NULL;
        bool waited = line->entry < changes->since.size && !since_is_cut;
        if (last && last->entry == line->entry)
            last->minutes += line->gained_minutes;
        else
            r = add(changes, &(struct change){.entry = line->entry,
                                              .why = waited ? "effect" : "late",
                                              .minutes = line->gained_minutes,
                                              .service_day = line->service_day,
                                              .kind = line->kind});
    }
    return r;
}

static bool is_new(const struct changes *changes, const struct fact_entered *entered) {
    return report_pick_knows(&changes->now, entered) &&
           !report_pick_knows(&changes->since, entered);
}

/* Whatever counted before and does not now was taken back by a record that is known now. */
static int add_reversals(struct changes *changes, const struct report_lines *changed) {
    const struct facts *facts = changes->now.facts;
    int r = 0;
    for (size_t i = 0; r == 0 && i < facts->n_reversals; i++) {
        const struct fact_reversal *reversal = &facts->reversals[i];
        if (!is_new(changes, &reversal->entered) ||
            !report_period_holds(&changes->now.period, reversal->service_day))
            continue;
        int64_t minutes = lost(changed, reversal->order);
        if (minutes > 0 && reversal->minutes != 0 && (int64_t)reversal->minutes < minutes)
            minutes = (int64_t)reversal->minutes;
        if (minutes > 0)
            r = add(changes, &(struct change){.entry = reversal->entered.index,
                                              .why = "reversal",
                                              .minutes = -minutes,
                                              .service_day = reversal->service_day});
    }
    return r;
}

static int add_merges(struct changes *changes) {
    const struct facts *facts = changes->now.facts;
    int r = 0;
    for (size_t i = 0; r == 0 && i < facts->n_merges; i++) {
        const struct fact_merge *merge = &facts->merges[i];
        if (is_new(changes, &merge->entered))
            r = add(changes, &(struct change){.entry = merge->entered.index, .why = "merge"});
        if (r == 0 && is_new(changes, &merge->ended))
            r = add(changes, &(struct change){.entry = merge->ended.index, .why = "unmerge"});
    }
    return r;
}

static int compare_changes(const void *a, const void *b) {
    const struct change *x = a, *y = b;
    return (x->entry > y->entry) - (x->entry < y->entry);
}

static int find_changes(struct changes *changes) {
    _cleanup_(report_lines_fini) struct report_lines now = {0}, since = {0}, changed = {0};
    int r = report_lines_read(&changes->now, &now);
    if (r == 0)
        r = report_lines_read(&changes->since, &since);
    if (r == 0)
        r = report_lines_compare(&now, &since, &changed);
    if (r == 0)
        r = add_entries(changes, &changed);
    if (r == 0)
        r = add_reversals(changes, &changed);
    if (r == 0)
        r = add_merges(changes);
    if (r == 0 && changes->n > 0)
        qsort(changes->items, changes->n, sizeof(*changes->items), compare_changes);
    return r;
}

/* ---- figures */

static void put_figure(json_t *list, const char *path, json_t *since, json_t *now) {
    json_array_append_new(
        list, json_pack("{s:s, s:O?, s:O?}", "measure", path, "since", since, "now", now));
}

/* Those that differ, and those that only one of the two has. */
static void compare_figures(json_t *list, const char *prefix, json_t *since, json_t *now) {
    const char *key;
    json_t *member;
    char path[PATH_MAX_BYTES];
    json_object_foreach(now, key, member) {
        json_t *earlier = json_object_get(since, key);
        snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "/" : "", key);
        if (json_is_object(member))
            compare_figures(list, path, earlier, member);
        else if (!earlier || !json_equal(earlier, member))
            put_figure(list, path, earlier, member);
    }
    json_object_foreach(since, key, member) {
        if (json_object_get(now, key))
            continue;
        snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "/" : "", key);
        if (json_is_object(member))
            compare_figures(list, path, member, NULL);
        else
            put_figure(list, path, member, NULL);
    }
}

static int make_report(const struct facts *facts, const struct report_ask *ask, json_t **ret) {
    char *text = NULL;
    int r = report_make(facts, ask, &text);
    if (r != 0)
        return r;
    *ret = json_loads(text, 0, NULL);
    free(text);
    return *ret ? 0 : -ENOMEM;
}

static int put_figures(const struct facts *facts, const struct report_changes_ask *ask,
                       struct report_json *to) {
    json_t *now = NULL, *since = NULL, *list = json_array();
    int r = list ? make_report(facts, &ask->now, &now) : -ENOMEM;
    if (r == 0)
        r = make_report(facts, &ask->since, &since);
    if (r == 0) {
        compare_figures(list, "", json_object_get(since, "measures"),
                        json_object_get(now, "measures"));
        compare_figures(list, "further_measures", json_object_get(since, "further_measures"),
                        json_object_get(now, "further_measures"));
        /* Both are reckoned with the register as it is now, which is nobody's outside. */
        if (ask->now.report_class == TIMEBANK__REPORT_CLASS__INTERNAL)
            compare_figures(list, "register_measures", json_object_get(since, "register_measures"),
                            json_object_get(now, "register_measures"));
        r = json_object_set(to->object, "figures", list) < 0 ? -ENOMEM : 0;
    }
    json_decref(now);
    json_decref(since);
    json_decref(list);
    return r;
}

/* ---- the object */

static void put_knowledge(struct report_json *to, const struct report_ask *ask) {
    report_json_put_day(to, "as_known_at", ask->known_day);
    if (ask->as_recorded)
        report_json_put_flag(to, "as_recorded", true);
}

static int put_head(struct report_json *to, const struct report_changes_ask *ask) {
    _cleanup_json_ struct report_json since = {0};
    int r = report_json_init(&since);
    if (r < 0)
        return r;
    report_json_put_text(to, "definition", REPORT_DEFINITION);
    report_json_put_text(to, "bank", ask->now.bank);
    report_json_put_day(to, "from", ask->now.from_day);
    report_json_put_day(to, "to", ask->now.to_day);
    put_knowledge(to, &ask->now);
    report_json_put_text(to, "class", report_class_get(ask->now.report_class)->name);
    r = report_json_put_position(to, ask->now.size, &ask->now.root);
    put_knowledge(&since, &ask->since);
    report_json_put(&since, "size", ask->since.size);
    report_json_put_object(to, "since", &since);
    return r;
}

static json_t *change_json(const struct change *change) {
    json_t *item = json_pack("{s:I, s:s, s:I}", "entry", (json_int_t)change->entry, "why",
                             change->why, "minutes", (json_int_t)change->minutes);
    char day[16];
    dates_format_iso(change->service_day, day);
    if (change->service_day != 0)
        json_object_set_new(item, "on", json_string(day));
    if (change->kind != 0)
        json_object_set_new(item, "kind",
                            json_string(record_kind_name((Timebank__Order__KindCase)change->kind)));
    return item;
}

static int put_changes(const struct changes *changes, struct report_json *to) {
    json_t *list = json_array();
    int r = list ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < MIN_OF(changes->n, (size_t)ENTRIES_MAX); i++)
        r = json_array_append_new(list, change_json(&changes->items[i])) < 0 ? -ENOMEM : 0;
    if (r == 0)
        r = json_object_set(to->object, "entries", list) < 0 ? -ENOMEM : 0;
    json_decref(list);
    if (changes->n > ENTRIES_MAX)
        report_json_put_flag(to, "more", true);
    return r;
}

static int put_entries(const struct facts *facts, const struct report_changes_ask *ask,
                       struct report_json *to) {
    struct changes changes = {0};
    struct report_period period;
    int r = report_period_init(&period, ask->now.from_day, ask->now.to_day);
    if (r == 0)
        r = report_pick_init(&changes.now, facts, &period, &ask->now);
    if (r == 0)
        r = report_pick_init(&changes.since, facts, &period, &ask->since);
    if (r == 0)
        r = find_changes(&changes);
    if (r == 0)
        r = put_changes(&changes, to);
    report_pick_fini(&changes.now);
    report_pick_fini(&changes.since);
    free(changes.items);
    return r;
}

int report_changes_make(const struct facts *facts, const struct report_changes_ask *ask,
                        char **ret_json) {
    _cleanup_json_ struct report_json to = {0};
    int r = report_json_init(&to);
    if (r == 0)
        r = put_head(&to, ask);
    if (r == 0)
        r = put_figures(facts, ask, &to);
    if (r == 0 && ask->now.report_class == TIMEBANK__REPORT_CLASS__INTERNAL)
        r = put_entries(facts, ask, &to);
    return r == 0 ? report_json_text(&to, ret_json) : r;
}
