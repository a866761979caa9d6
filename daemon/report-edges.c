/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who exchanged with whom in a period, for tools that look at networks. Persons stand under names
 * made up for this reply alone, and everything is in the order of those names: nothing of a code,
 * of the register or of the order of recording is left in it, and two replies share no name.
 * Whoever knows how much somebody gave may still find them: it is for use inside the bank.
 */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/refusal.h"
#include "report-edges.h"
#include "report-scan.h"

#define EDGES_MAX 200000u /* pairs of persons: what one reply holds */
#define NAME_RANDOM_BYTES 8u
#define NAME_BYTES (1 + 2 * NAME_RANDOM_BYTES + 1)

struct edge {
    uint64_t minutes;
    uint64_t n_entries;
    uint32_t giver; /* persons of the pick, then places in the list of people */
    uint32_t receiver;
};

struct named {
    char name[NAME_BYTES];
    uint32_t person;
};

struct edges {
    struct intern pairs; /* giver u32 | receiver u32 */
    struct edge *edges;
    size_t n_edges;
    size_t n_edges_allocated;
    struct named *people;
    size_t n_people;
};

static void edges_fini(struct edges *edges) {
    intern_fini(&edges->pairs);
    free(edges->edges);
    free(edges->people);
}

/* ---- summed */

static int edge_of(struct edges *edges, uint32_t giver, uint32_t receiver, struct edge **ret) {
    uint8_t key[8];
    uint32_t number;
    void *grown = edges->edges;
    be32_put(key, giver);
    be32_put(key + 4, receiver);
    int r = intern_number(&edges->pairs, key, sizeof(key), &number);
    if (r < 0)
        return r;
    if (number == edges->n_edges) {
        if (number == EDGES_MAX)
            return REFUSAL_TOO_MANY_ROWS;
        r = intern_grow(&grown, edges->n_edges, &edges->n_edges_allocated, sizeof(*edges->edges));
        edges->edges = grown;
        if (r < 0)
            return r;
        edges->edges[edges->n_edges++] = (struct edge){.giver = giver, .receiver = receiver};
    }
    *ret = &edges->edges[number];
    return 0;
}

static int note(void *user, const struct report_row *rows, size_t n) {
    struct edges *edges = user;
    struct edge *edge;
    for (size_t i = 0; i < n; i++) {
        const struct report_row *row = &rows[i];
        if (row->kind != TIMEBANK__ORDER__KIND_EXCHANGE || !row->in_period ||
            row->to_person == row->from_person)
            continue;
        int r = edge_of(edges, row->to_person, row->from_person, &edge);
        if (r != 0)
            return r;
        edge->minutes += row->minutes;
        edge->n_entries++;
    }
    return 0;
}

/* ---- named */

static int compare_named(const void *a, const void *b) {
    const struct named *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int compare_edges(const void *a, const void *b) {
    const struct edge *x = a, *y = b;
    if (x->giver != y->giver)
        return x->giver < y->giver ? -1 : 1;
    return (x->receiver > y->receiver) - (x->receiver < y->receiver);
}

static void draw_name(struct named *named) {
    uint8_t bytes[NAME_RANDOM_BYTES];
    randombytes_buf(bytes, sizeof(bytes));
    named->name[0] = 'p';
    sodium_bin2hex(named->name + 1, sizeof(named->name) - 1, bytes, sizeof(bytes));
}

/* place: of each person of the pick; UINT32_MAX where it has none yet. */
static void meet(struct edges *edges, uint32_t *place, uint32_t person) {
    if (place[person] != UINT32_MAX)
        return;
    place[person] = 0;
    edges->people[edges->n_people].person = person;
    draw_name(&edges->people[edges->n_people++]);
}

/* Everybody who is in an edge gets a name; then people, and edges, are put in the order of names.
 */
static int name_all(const struct report_pick *pick, struct edges *edges) {
    size_t n = MIN_OF(2 * edges->n_edges, pick->n_persons);
    _cleanup_(freep) uint32_t *place = malloc((pick->n_persons + 1) * sizeof(*place));
    edges->people = calloc(n + 1, sizeof(*edges->people));
    if (!place || !edges->people)
        return -ENOMEM;
    memset(place, 0xff, pick->n_persons * sizeof(*place));
    for (size_t i = 0; i < edges->n_edges; i++) {
        meet(edges, place, edges->edges[i].giver);
        meet(edges, place, edges->edges[i].receiver);
    }
    qsort(edges->people, edges->n_people, sizeof(*edges->people), compare_named);
    for (size_t i = 0; i < edges->n_people; i++)
        place[edges->people[i].person] = (uint32_t)i;
    for (size_t i = 0; i < edges->n_edges; i++) {
        edges->edges[i].giver = place[edges->edges[i].giver];
        edges->edges[i].receiver = place[edges->edges[i].receiver];
    }
    if (edges->n_edges > 0)
        qsort(edges->edges, edges->n_edges, sizeof(*edges->edges), compare_edges);
    return 0;
}

/* ---- written */

static int put_head(const struct report_pick *pick, const struct report_ask *ask,
                    struct report_json *report) {
    report_json_put_text(report, "bank", ask->bank);
    report_json_put_day(report, "from", ask->from_day);
    report_json_put_day(report, "to", ask->to_day);
    report_json_put_day(report, "as_known_at", pick->known_day);
    if (ask->as_recorded)
        report_json_put_flag(report, "as_recorded", true);
    report_json_put_text(report, "class", "internal");
    return report_json_put_position(report, ask->size, &ask->root);
}

/* people: names; edges: places of giver and receiver among them, minutes, entries. */
static int put_lists(const struct edges *edges, struct report_json *report) {
    json_t *people = json_array(), *list = json_array();
    int r = people && list ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < edges->n_people; i++)
        r = json_array_append_new(people, json_string(edges->people[i].name));
    for (size_t i = 0; r == 0 && i < edges->n_edges; i++) {
        const struct edge *edge = &edges->edges[i];
        r = json_array_append_new(
            list, json_pack("[I, I, I, I]", (json_int_t)edge->giver, (json_int_t)edge->receiver,
                            (json_int_t)edge->minutes, (json_int_t)edge->n_entries));
    }
    if (r == 0)
        r = json_object_set(report->object, "people", people);
    if (r == 0)
        r = json_object_set(report->object, "edges", list);
    json_decref(people);
    json_decref(list);
    return r == 0 ? 0 : -ENOMEM;
}

static int make_text(const struct report_pick *pick, const struct report_ask *ask,
                     struct edges *edges, char **ret) {
    _cleanup_json_ struct report_json report = {0};
    int r = report_scan_rows(pick, note, edges);
    if (r == 0)
        r = name_all(pick, edges);
    if (r == 0)
        r = report_json_init(&report);
    if (r == 0)
        r = put_head(pick, ask, &report);
    if (r == 0)
        r = put_lists(edges, &report);
    return r == 0 ? report_json_text(&report, ret) : r;
}

int report_edges_make(const struct facts *facts, const struct report_ask *ask, char **ret_json) {
    struct report_period period;
    _cleanup_(edges_fini) struct edges edges = {0};
    _cleanup_(report_pick_fini) struct report_pick pick = {0};
    int r = report_period_init(&period, ask->from_day, ask->to_day);
    if (r == 0)
        r = report_pick_init(&pick, facts, &period, ask);
    return r == 0 ? make_text(&pick, ask, &edges, ret_json) : r;
}
