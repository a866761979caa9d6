/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report is made first, so that the value is the one that it shows, hidden where it hides; then
 * the path is followed in it. Names of activities, venues and offers may hold strokes themselves,
 * which is why the longest name that fits is taken.
 */
#include "report-why.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "proto/dates.h"
#include "proto/refusal.h"

#define KEY_MAX 96
#define NEAR_MAX 5
#define WORD_MAX 80

/* ---- the measures */

struct measure {
    const char *key;
    const char *unit;
    const char *title;
    const char *formula;
};

#define UNIT_TABLE "table"
#define UNIT_MINUTES "minutes"
#define UNIT_COUNT "count"
#define UNIT_DAYS "days"
#define UNIT_PERMILLE "permille"
#define UNIT_THOUSANDTHS "thousandths"
#define UNIT_PER_MILLION "per million"
#define MEASURE(group, key, unit, title, formula) {key, UNIT_##unit, title, formula},
static const struct measure measures[] = {
#include "proto/measures.def"
};
#undef MEASURE

static const struct measure *measure_find(const char *key) {
    for (size_t i = 0; i < N_ELEMENTS(measures); i++)
        if (strcmp(measures[i].key, key) == 0)
            return &measures[i];
    return NULL;
}

/* ---- names that are near */

static size_t min3(size_t a, size_t b, size_t c) {
    return MIN_OF(MIN_OF(a, b), c);
}

/* Letters to change, add or leave out. */
static size_t distance(const char *one, const char *other) {
    size_t row[KEY_MAX + 1], n = strnlen(other, KEY_MAX);
    for (size_t k = 0; k <= n; k++)
        row[k] = k;
    for (size_t i = 0; i < KEY_MAX && one[i] != '\0'; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t k = 0; k < n; k++) {
            size_t above = row[k + 1];
            row[k + 1] = min3(above + 1, row[k] + 1, corner + (one[i] != other[k]));
            corner = above;
        }
    }
    return row[n];
}

static bool is_near(const char *key, const char *asked) {
    size_t n = strlen(asked);
    return (n >= 3 && strstr(key, asked)) || distance(key, asked) <= MIN_OF(n / 3, (size_t)4);
}

/* Fit for a sentence: what was typed may be anything. */
static bool is_word(const char *text) {
    size_t n = strlen(text);
    const char *at = text;
    if (n == 0 || n > WORD_MAX || !utf8_is_valid(text, n))
        return false;
    while (at < text + n)
        if (utf8_is_control(utf8_next(&at, text + n)))
            return false;
    return true;
}

static int refuse_unknown(const struct report_ask *ask, const char *asked) {
    char near[REPORT_WHY_BYTES / 2] = "";
    size_t n_near = 0;
    for (size_t i = 0; i < N_ELEMENTS(measures) && n_near < NEAR_MAX; i++) {
        const char *key = measures[i].key;
        size_t n = strlen(near);
        if (strchr(key, '/') || !is_near(key, asked) || n + strlen(key) + 3 > sizeof(near))
            continue;
        snprintf(near + n, sizeof(near) - n, "%s%s", n_near++ > 0 ? ", " : "", key);
    }
    if (ask->ret_why && n_near > 0 && is_word(asked))
        snprintf(ask->ret_why, REPORT_WHY_BYTES,
                 "There is no measure \"%s\": take one that is near it, as %s.", asked, near);
    return REFUSAL_NO_SUCH_MEASURE;
}

static int refuse_name(const struct report_ask *ask, const char *key, const char *asked) {
    if (ask->ret_why && is_word(asked))
        snprintf(ask->ret_why, REPORT_WHY_BYTES,
                 "This report has nothing at %s in %s: take a name that it shows.", asked, key);
    return REFUSAL_NO_SUCH_MEASURE;
}

/* ---- the path */

struct path {
    char key[KEY_MAX]; /* of the measure, or its breakdown */
    const char *names[WHY_NAMES_MAX + 1];
    size_t n_names;
    const char *column; /* NULL: not named */
    json_t *value;      /* borrowed from the report */
};

/* The member whose name is the longest that the path begins with; its rest, or NULL at its end. */
static json_t *step(json_t *object, const char *path, const char **ret_name,
                    const char **ret_rest) {
    json_t *found = NULL, *member;
    const char *key;
    size_t n_found = 0;
    json_object_foreach(object, key, member) {
        size_t n = strlen(key);
        if (strncmp(path, key, n) != 0 || (path[n] != '\0' && path[n] != '/') ||
            (found && n < n_found))
            continue;
        found = member;
        n_found = n;
        *ret_name = key;
        *ret_rest = path[n] == '/' ? path + n + 1 : NULL;
    }
    return found;
}

static int walk(const struct report_ask *ask, json_t *value, const char *rest, struct path *path) {
    const char *name = NULL, *asked = rest;
    while (rest) {
        value = json_is_object(value) ? step(value, rest, &name, &rest) : NULL;
        if (!value)
            return refuse_name(ask, path->key, asked);
        if (!json_is_object(value))
            path->column = name;
        else if (path->n_names <= WHY_NAMES_MAX)
            path->names[path->n_names++] = name;
    }
    path->value = value;
    return path->n_names <= WHY_NAMES_MAX ? 0 : refuse_name(ask, path->key, asked);
}

static int find(const struct report_ask *ask, json_t *report, const char *asked,
                struct path *path) {
    static const char *const groups[] = {"measures", "further_measures", "register_measures"};
    for (size_t i = 0; i < N_ELEMENTS(groups); i++) {
        size_t n = strlen(groups[i]);
        if (strncmp(asked, groups[i], n) == 0 && asked[n] == '/')
            asked += n + 1;
    }
    size_t n_key = strcspn(asked, "/");
    snprintf(path->key, sizeof(path->key), "%.*s", (int)MIN_OF(n_key, sizeof(path->key) - 1),
             asked);
    if (!measure_find(path->key))
        return refuse_unknown(ask, path->key);
    for (size_t i = 0; i < N_ELEMENTS(groups); i++) {
        json_t *value = json_object_get(json_object_get(report, groups[i]), path->key);
        if (value)
            return walk(ask, value, asked[n_key] == '/' ? asked + n_key + 1 : NULL, path);
    }
    return refuse_name(ask, path->key, asked);
}

/* ---- what it is */

static enum why_amount amount_of(const struct path *path, const struct why_source *source) {
    const char *column = path->column;
    if (source->amount != WHY_NOTHING ||
        (!source->is_in_group && strcmp(path->key, "by_band") != 0))
        return source->amount;
    if (!column || strncmp(column, "minutes", strlen("minutes")) == 0)
        return WHY_MINUTES;
    return strcmp(column, "entries") == 0 || strcmp(column, "redemptions") == 0 ? WHY_ENTRIES
                                                                                : WHY_NOTHING;
}

static void put_words(const struct path *path, const char *asked, json_t *to) {
    char key[2 * KEY_MAX];
    const struct measure *measure = measure_find(path->key), *column = NULL;
    if (path->column) {
        snprintf(key, sizeof(key), "%s/%s", path->key, path->column);
        column = measure_find(key);
    }
    json_object_set_new(to, "measure", json_string(asked));
    if (column) {
        json_object_set_new(to, "title", json_sprintf("%s: %s", measure->title, column->title));
        json_object_set_new(to, "formula",
                            json_sprintf("%s; %s", measure->formula, column->formula));
    } else {
        json_object_set_new(to, "title", json_string(measure->title));
        json_object_set_new(to, "formula", json_string(measure->formula));
    }
    json_object_set_new(to, "unit", json_string((column ? column : measure)->unit));
    json_object_set(to, "value", path->value);
}

static void put_head(json_t *report, json_t *to) {
    static const char *const keys[] = {"definition",  "bank",  "from",     "to",  "as_known_at",
                                       "as_recorded", "class", "position", "rule"};
    for (size_t i = 0; i < N_ELEMENTS(keys); i++)
        if (json_object_get(report, keys[i]))
            json_object_set(to, keys[i], json_object_get(report, keys[i]));
}

/* ---- the entries */

static void put_day(json_t *to, const char *key, uint32_t day) {
    char text[16];
    dates_format_iso(day, text);
    json_object_set_new(to, key, json_string(text));
}

static void put_account(const struct facts *facts, json_t *to, const char *key, uint32_t account) {
    if (account != INTERN_NONE)
        json_object_set_new(to, key, json_string(intern_text(&facts->account_codes, account)));
}

static json_t *entry_json(const struct why *why, const struct why_item *item) {
    const struct facts *facts = why->pick->facts;
    const char *kind = record_kind_name((Timebank__Order__KindCase)item->kind);
    json_t *entry = json_pack("{s:I, s:s}", "entry", (json_int_t)item->entry, "kind",
                              why->source->lists_waits ? "proposed"
                              : kind                   ? kind
                                                       : "event");
    put_day(entry, "on", item->service_day);
    put_day(entry, "entered", item->entered_day);
    put_account(facts, entry, "from", item->from);
    put_account(facts, entry, "to", item->to);
    json_object_set_new(entry, "minutes", json_integer((json_int_t)item->minutes));
    if (why->amount != WHY_NOTHING)
        json_object_set_new(entry, "counts", json_integer((json_int_t)item->counts));
    return entry;
}

static void put_entries(const struct why *why, const struct why_list *list, json_t *to) {
    json_t *entries = json_array();
    for (size_t i = 0; i < list->n_items; i++)
        json_array_append_new(entries, entry_json(why, &list->items[i]));
    json_object_set_new(to, "entries", entries);
    if (list->more)
        json_object_set_new(to, "more", json_true());
}

static void put_list(const struct why *why, const struct why_list *list, json_t *to) {
    json_object_set_new(to, "n_entries", json_integer((json_int_t)list->n_entries));
    if (list->n_persons > 0)
        json_object_set_new(to, "n_persons", json_integer((json_int_t)list->n_persons));
    if (why->amount != WHY_NOTHING)
        json_object_set_new(to, "sum", json_integer((json_int_t)list->sum));
    put_entries(why, list, to);
}

/* A shown sum of entries shares its fate with their number: daemon/report-hide.h. */
static void put_number(const struct why *why, const struct path *path, const struct why_list *list,
                       json_t *rule, json_t *to) {
    json_int_t round_to = json_integer_value(json_object_get(rule, "round_to"));
    json_int_t n = (json_int_t)list->n_entries;
    bool is_sum = why->amount == WHY_MINUTES || why->amount == WHY_ENTRIES;
    if (!is_sum || why->source->is_one || !why->source->picks || !json_is_integer(path->value))
        return;
    if (round_to > 1)
        n = (n + round_to / 2) / round_to * round_to;
    json_object_set_new(to, "n_entries", json_integer(n));
}

static int list_entries(const struct report_ask *ask, const struct path *path,
                        const struct report_pick *pick, uint64_t after, json_t *to) {
    struct why why = {.pick = pick, .source = why_source_find(path->key)};
    struct why_list list = {0};
    if (!why.source)
        return REFUSAL_NO_SUCH_MEASURE;
    for (size_t i = 0; i < path->n_names; i++)
        why.names[why.n_names++] = (char *)(uintptr_t)path->names[i];
    why.amount = amount_of(path, why.source);
    if (why.source->counted_from) {
        json_object_set_new(to, "counted_from", json_string(why.source->counted_from));
        return 0;
    }
    int r = why_source_prepare(&why);
    if (r == 0)
        r = why_list_make(&why, after, &list);
    free(why.persons);
    free(why.latest_tags);
    if (r == 0 && ask->report_class <= TIMEBANK__REPORT_CLASS__INTERNAL)
        put_list(&why, &list, to);
    else if (r == 0)
        put_number(&why, path, &list, json_object_get(to, "rule"), to);
    why_list_fini(&list);
    return r;
}

/* Persons are told apart by all that they ever did. */
static int pick_and_list(const struct facts *facts, const struct report_ask *ask,
                         const struct path *path, uint64_t after, json_t *to) {
    _cleanup_(report_pick_fini) struct report_pick pick = {0};
    struct report_period period;
    int r = report_period_init(&period, ask->from_day, ask->to_day);
    if (r == 0)
        r = report_pick_init(&pick, facts, &period, ask);
    if (r != 0)
        return r;
    pick.reach_from_day = MIN_OF(period.previous_from_day, 0);
    return list_entries(ask, path, &pick, after, to);
}

static int make_text(const struct facts *facts, const struct report_ask *ask, json_t *report,
                     const char *measure, uint64_t after, char **ret) {
    struct path path = {0};
    json_t *why = json_object();
    int r = why ? find(ask, report, measure, &path) : -ENOMEM;
    if (r == 0) {
        put_head(report, why);
        put_words(&path, measure, why);
        r = pick_and_list(facts, ask, &path, after, why);
    }
    char *text = r == 0 ? json_dumps(why, JSON_COMPACT) : NULL;
    json_decref(why);
    if (r == 0 && !text)
        return -ENOMEM;
    if (r == 0)
        *ret = text;
    return r;
}

int report_why_make(const struct facts *facts, const struct report_ask *ask, const char *measure,
                    uint64_t after, char **ret_json) {
    _cleanup_(freep) char *text = NULL;
    int r = report_make(facts, ask, &text);
    if (r != 0)
        return r;
    json_t *report = json_loads(text, 0, NULL);
    if (!report)
        return -ENOMEM;
    r = make_text(facts, ask, report, measure, after, ret_json);
    json_decref(report);
    return r;
}
