/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Service by what its activities were tagged with, and issues by their programme: whatever sets a
 * funder uses, as the Five Ways to Well-being. An activity without a value of a set stands under
 * `none`. proto/measures.def has the definitions.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "facts-block.h"
#include "pairs.h"
#include "report-part.h"

#define PLAIN_SET "tag"            /* that a word without a set is of */
#define LIST_MAX ((size_t)4 << 20) /* values of activities; more have no memory here */

struct tags_sums {
    struct report_group *programmes;
};

static int begin(void *user, const struct report_pick *pick) {
    struct tags_sums *sums = user;
    sums->programmes = calloc(pick->facts->programmes.n_keys + 1u, sizeof(*sums->programmes));
    return sums->programmes ? 0 : -ENOMEM;
}

static int note(void *user, const struct report_pick *pick, const struct report_row *rows,
                size_t n) {
    struct tags_sums *sums = user;
    (void)pick;
    for (size_t i = 0; i < n; i++) {
        const struct report_row *row = &rows[i];
        if (row->kind != TIMEBANK__ORDER__KIND_ISSUE || !row->in_period ||
            row->programme == INTERN_NONE)
            continue;
        sums->programmes[row->programme].minutes += row->minutes;
        sums->programmes[row->programme].n_entries += !row->is_further;
    }
    return 0;
}

static void merge_groups(struct report_group *groups, const struct report_group *from, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        groups[i].minutes += from[i].minutes;
        groups[i].n_entries += from[i].n_entries;
    }
}

static int merge(void *user, const struct report_pick *pick, void *other) {
    struct tags_sums *sums = user, *from = other;
    merge_groups(sums->programmes, from->programmes, pick->facts->programmes.n_keys);
    return 0;
}

/* ---- which activity has which values */

/* An activity has a value. */
struct tagging {
    uint32_t activity;
    uint32_t value;
};

struct tags {
    const struct report_pick *pick;
    struct intern sets;
    struct intern values; /* set u32 | name */
    struct tagging *list; /* ascending by activity */
    size_t n_list;
    size_t n_list_allocated;
    uint32_t activity; /* being read */
    uint32_t *latest;  /* of each activity, its tags */
};

static void tags_fini(struct tags *tags) {
    intern_fini(&tags->sets);
    intern_fini(&tags->values);
    free(tags->list);
    free(tags->latest);
}

static int add_value(struct tags *tags, uint32_t set, const char *name) {
    _cleanup_bytes_ struct bytes key = {0};
    uint32_t value;
    bytes_put_u32(&key, set);
    bytes_put_text(&key, name);
    int r = key.r < 0 ? key.r : intern_number(&tags->values, key.data, key.n, &value);
    if (tags->n_list >= LIST_MAX)
        return -EOVERFLOW;
    void *list = tags->list;
    if (r == 0)
        r = intern_grow(&list, tags->n_list, &tags->n_list_allocated, sizeof(*tags->list));
    tags->list = list;
    if (r == 0)
        tags->list[tags->n_list++] = (struct tagging){tags->activity, value};
    return r;
}

/* "set:value"; with nothing before or behind the colon it is a plain word. */
static int add_tag(void *user, const char *tag) {
    struct tags *tags = user;
    const char *colon = strchr(tag, ':');
    bool has_set = colon && colon != tag && colon[1] != '\0';
    const char *set = has_set ? tag : PLAIN_SET;
    size_t n = has_set ? (size_t)(colon - tag) : strlen(PLAIN_SET);
    uint32_t number;
    int r = intern_number(&tags->sets, set, n, &number);
    return r == 0 ? add_value(tags, number, has_set ? colon + 1 : tag) : r;
}

static uint32_t set_of(const struct tags *tags, uint32_t value) {
    return be32_get((const uint8_t *)intern_text(&tags->values, value));
}

/* Under `none` of each set that the activity has no value of. */
static int add_none(struct tags *tags, size_t begin_of_own) {
    uint32_t n_sets = tags->sets.n_keys;
    _cleanup_(freep) bool *has = calloc(n_sets + 1u, sizeof(*has));
    if (!has)
        return -ENOMEM;
    for (size_t i = begin_of_own; i < tags->n_list; i++)
        has[set_of(tags, tags->list[i].value)] = true;
    for (uint32_t set = 0; set < n_sets; set++) {
        int r = has[set] ? 0 : add_value(tags, set, FACTS_NAMELESS);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_tags(struct tags *tags, uint32_t activity) {
    tags->activity = activity;
    return facts_each_tag(tags->pick->facts, tags->latest, activity, add_tag, tags);
}

/* All sets are known before anybody is without a value of one. */
static int tags_init(struct tags *ret, const struct report_pick *pick,
                     const struct report_out *out) {
    uint32_t n = pick->facts->activities.n_keys;
    ret->pick = pick;
    int r = facts_latest_tags(pick->facts, pick->size, &ret->latest);
    for (uint32_t i = 0; r == 0 && i < n; i++)
        r = read_tags(ret, i);
    ret->n_list = 0;
    for (uint32_t i = 0; r == 0 && i < n; i++) {
        size_t begin_of_own = ret->n_list;
        if (out->activities[i].n_entries == 0)
            continue;
        r = read_tags(ret, i);
        if (r == 0)
            r = add_none(ret, begin_of_own);
    }
    return r;
}

/* ---- figures */

static int put_figures(struct report_json *names, const char *name, const char *minutes_key,
                       const struct report_group *group, const uint64_t *n_givers) {
    _cleanup_json_ struct report_json figures = {0};
    int r = report_json_init(&figures);
    if (r < 0)
        return r;
    report_json_put(&figures, minutes_key, group->minutes);
    report_json_put(&figures, "entries", group->n_entries);
    if (n_givers)
        report_json_put(&figures, "givers", *n_givers);
    report_json_put_object(names, name, &figures);
    return 0;
}

/* Behind the number of an activity: where its values begin in the list, and end. */
static int number_lists(const struct tags *tags, size_t **ret) {
    uint32_t n = tags->pick->facts->activities.n_keys;
    size_t *begins = calloc((size_t)n + 1, sizeof(*begins)), at = 0;
    if (!begins)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        while (at < tags->n_list && tags->list[at].activity < i)
            at++;
        begins[i] = at;
    }
    begins[n] = tags->n_list;
    *ret = begins;
    return 0;
}

static int count_givers(const struct tags *tags, const struct report_out *out, uint64_t *n_givers) {
    _cleanup_(pairs_fini) struct pairs givers = {0};
    _cleanup_(freep) size_t *begins = NULL;
    uint32_t activity, person;
    uint64_t at = 0;
    int r = number_lists(tags, &begins);
    if (r == 0)
        r = pairs_init(&givers, tags->values.n_keys, (uint32_t)tags->pick->n_persons);
    while (r == 0 && pairs_next(out->givers_of_activities, &at, &activity, &person))
        for (size_t i = begins[activity];
             r == 0 && i < tags->n_list && tags->list[i].activity == activity; i++)
            r = pairs_add(&givers, tags->list[i].value, person);
    if (r == 0)
        pairs_count(&givers, n_givers, NULL);
    return r;
}

static int put_set(const struct tags *tags, uint32_t set, const struct report_group *groups,
                   const uint64_t *n_givers, struct report_json *by_tag) {
    _cleanup_json_ struct report_json names = {0};
    int r = report_json_init(&names);
    for (uint32_t i = 0; r == 0 && i < tags->values.n_keys; i++)
        if (set_of(tags, i) == set && groups[i].n_entries > 0)
            r = put_figures(&names, intern_text(&tags->values, i) + sizeof(uint32_t),
                            "minutes_given", &groups[i], &n_givers[i]);
    if (r == 0)
        r = report_json_sort(&names);
    if (r == 0)
        report_json_put_object(by_tag, intern_text(&tags->sets, set), &names);
    return r;
}

static int put_sets(const struct tags *tags, const struct report_out *out,
                    struct report_json *by_tag) {
    _cleanup_(freep) struct report_group *groups =
        calloc(tags->values.n_keys + 1u, sizeof(*groups));
    _cleanup_(freep) uint64_t *n_givers = calloc(tags->values.n_keys + 1u, sizeof(*n_givers));
    if (!groups || !n_givers)
        return -ENOMEM;
    for (size_t i = 0; i < tags->n_list; i++)
        merge_groups(&groups[tags->list[i].value], &out->activities[tags->list[i].activity], 1);
    int r = count_givers(tags, out, n_givers);
    for (uint32_t set = 0; r == 0 && set < tags->sets.n_keys; set++)
        r = put_set(tags, set, groups, n_givers, by_tag);
    return r;
}

static int put_tags(const struct report_pick *pick, const struct report_out *out) {
    _cleanup_(tags_fini) struct tags tags = {0};
    _cleanup_json_ struct report_json by_tag = {0};
    int r = report_json_init(&by_tag);
    if (r == 0)
        r = tags_init(&tags, pick, out);
    if (r == 0)
        r = put_sets(&tags, out, &by_tag);
    if (r == 0)
        r = report_json_sort(&by_tag);
    if (r == 0)
        report_json_put_object(out->further, "by_tag", &by_tag);
    return r;
}

static int put_programmes(const struct tags_sums *sums, const struct report_pick *pick,
                          struct report_json *further) {
    _cleanup_json_ struct report_json names = {0};
    const struct intern *programmes = &pick->facts->programmes;
    int r = report_json_init(&names);
    for (uint32_t i = 0; r == 0 && i < programmes->n_keys; i++)
        if (sums->programmes[i].n_entries > 0)
            r = put_figures(&names, intern_text(programmes, i), "minutes_issued",
                            &sums->programmes[i], NULL);
    if (r == 0)
        r = report_json_sort(&names);
    if (r == 0)
        report_json_put_object(further, "by_programme", &names);
    return r;
}

static int put(void *user, const struct report_pick *pick, struct report_out *out) {
    int r = put_tags(pick, out);
    return r == 0 ? put_programmes(user, pick, out->further) : r;
}

static void end(void *user) {
    struct tags_sums *sums = user;
    free(sums->programmes);
    *sums = (struct tags_sums){0};
}

const struct report_part report_tags = {
    .sums_bytes = sizeof(struct tags_sums),
    .begin = begin,
    .note = note,
    .merge = merge,
    .put = put,
    .end = end,
};
