/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Atoms in an order that no thread and no hash decides, and the cells that the report shows: each
 * is the atoms that its figures sum, by a path that is where the figures stand in the report.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "facts-block.h"
#include "report-cells.h"

#define PLAIN_SET "tag" /* of a tag that is a plain word */

static const char *const alone_paths[ALONE_N] = {
    [ALONE_LOG] = "minutes_given_without_credit",
    [ALONE_GIFT] = "minutes_gifted",
    [ALONE_DONATE] = "minutes_donated",
    [ALONE_GRANT] = "minutes_granted",
    [ALONE_CHEST_GRANT] = "minutes_granted_from_chest",
    [ALONE_ADVANCE] = "minutes_advanced",
    [ALONE_LATE] = "late_over_30_days",
    [ALONE_INSISTED] = "insisted_duplicates",
    [ALONE_CLAIMED] = "entries_by_claimed_date",
    [ALONE_ROUNDED] = "minutes_rounded",
    [ALONE_NEW_GIVER] = "new_givers",
    [ALONE_20_HOURS] = "milestone_20_h",
    [ALONE_50_HOURS] = "milestone_50_h",
    [ALONE_100_HOURS] = "milestone_100_h",
};

/* ---- atoms in order */

/* One key after the other, as intern keeps them. */
struct numbered {
    const uint8_t *key;
    uint32_t number;
};

static int compare_keys(const void *a, const void *b) {
    const struct numbered *left = a, *right = b;
    return memcmp(left->key, right->key, 20);
}

static int sort_atoms(struct cells *cells, uint32_t *becomes) {
    _cleanup_(freep) struct numbered *order = calloc(cells->keys.n_keys + 1u, sizeof(*order));
    if (!order)
        return -ENOMEM;
    for (uint32_t i = 0; i < cells->keys.n_keys; i++)
        order[i] = (struct numbered){(const uint8_t *)intern_text(&cells->keys, i), i};
    qsort(order, cells->keys.n_keys, sizeof(*order), compare_keys);
    for (uint32_t i = 0; i < cells->keys.n_keys; i++) {
        const uint8_t *key = order[i].key;
        becomes[order[i].number] = i;
        cells->atoms[i] = (struct cells_atom){
            .universe = be32_get(key),
            .month = be32_get(key + 4),
            .parts = {be32_get(key + 8), be32_get(key + 12), be32_get(key + 16)},
            .minutes = cells->key_minutes[order[i].number]};
    }
    cells->n_atoms = cells->keys.n_keys;
    return 0;
}

/* The pairs of each atom side by side; in what order among themselves changes nothing. */
static void sort_pairs(struct cells *cells, const uint32_t *becomes) {
    size_t at = 0;
    for (size_t i = 0; i < cells->n_slots; i++)
        if (cells->slots[i].key != 0)
            cells->atoms[becomes[(cells->slots[i].key - 1) >> 32]].n_pairs++;
    for (uint32_t i = 0; i < cells->n_atoms; i++) {
        cells->atoms[i].first_pair = at;
        at += cells->atoms[i].n_pairs;
        cells->atoms[i].n_pairs = 0;
    }
    for (size_t i = 0; i < cells->n_slots; i++) {
        if (cells->slots[i].key == 0)
            continue;
        struct cells_atom *atom = &cells->atoms[becomes[(cells->slots[i].key - 1) >> 32]];
        cells->pairs[atom->first_pair + atom->n_pairs++] = (struct cells_pair){
            .person = (uint32_t)(cells->slots[i].key - 1), .minutes = cells->slots[i].minutes};
    }
    free(cells->slots);
    cells->slots = NULL;
    cells->n_slots = 0;
}

static int make_atoms(struct cells *cells) {
    uint32_t n = cells->keys.n_keys;
    _cleanup_(freep) uint32_t *becomes = calloc(n + 1u, sizeof(*becomes));
    cells->atoms = calloc(n + 1u, sizeof(*cells->atoms));
    cells->pairs = calloc(cells->n_pairs + 1, sizeof(*cells->pairs));
    cells->sums = calloc(2 * cells->pick->n_persons + 1, sizeof(*cells->sums));
    cells->touched = calloc(2 * cells->pick->n_persons + 1, sizeof(*cells->touched));
    if (!becomes || !cells->atoms || !cells->pairs || !cells->sums || !cells->touched)
        return -ENOMEM;
    int r = sort_atoms(cells, becomes);
    if (r == 0)
        sort_pairs(cells, becomes);
    return r;
}

/* ---- which cells an atom belongs to */

/* Cells come to be as they are met. */
struct listing {
    struct cells *cells;
    struct cell *list; /* as paths are numbered */
    size_t n_allocated;
    struct intern sets; /* of tags */
    bool *has_set;      /* the activity being read has a value of it */
    uint32_t *latest;   /* of each activity, its tags */
    uint32_t atom;
};

static int join(struct listing *listing, unsigned level, const char *path, const char *name,
                const char *further) {
    struct cells *cells = listing->cells;
    _cleanup_bytes_ struct bytes text = {0};
    uint32_t number, n_before = cells->paths.n_keys;
    bytes_put_text(&text, path);
    for (size_t i = 0; i < 2; i++) {
        const char *more = i == 0 ? name : further;
        bytes_put_text(&text, more ? CELLS_STROKE : "");
        bytes_put_text(&text, more ? more : "");
    }
    int r = text.r < 0 ? text.r : intern_number(&cells->paths, text.data, text.n, &number);
    void *list = listing->list;
    if (r == 0)
        r = intern_grow(&list, n_before, &listing->n_allocated, sizeof(*listing->list));
    listing->list = list;
    if (r < 0)
        return r;
    struct cell *cell = &listing->list[number];
    if (number == n_before)
        *cell = (struct cell){.universe = cells->atoms[listing->atom].universe, .level = level};
    cells->n_cells = cells->paths.n_keys;
    /* Room for a power of two: it doubles when that is full. */
    if ((cell->n_atoms & (cell->n_atoms - 1)) == 0) {
        uint32_t *atoms = reallocarray(cell->atoms, 2 * (size_t)cell->n_atoms + 1, sizeof(*atoms));
        if (!atoms)
            return -ENOMEM;
        cell->atoms = atoms;
    }
    if (cell->n_atoms == 0 || cell->atoms[cell->n_atoms - 1] != listing->atom)
        cell->atoms[cell->n_atoms++] = listing->atom;
    return 0;
}

static int split_tag(struct listing *listing, const char *tag, uint32_t *ret_set,
                     const char **ret_value) {
    const char *colon = strchr(tag, ':');
    bool has_set = colon && colon != tag && colon[1] != '\0';
    *ret_value = has_set ? colon + 1 : tag;
    return intern_number(&listing->sets, has_set ? tag : PLAIN_SET,
                         has_set ? (size_t)(colon - tag) : strlen(PLAIN_SET), ret_set);
}

static int meet_set(void *user, const char *tag) {
    uint32_t set;
    const char *value;
    return split_tag(user, tag, &set, &value);
}

static int join_tag(void *user, const char *tag) {
    struct listing *listing = user;
    uint32_t set;
    const char *value;
    int r = split_tag(listing, tag, &set, &value);
    if (r < 0)
        return r;
    listing->has_set[set] = true;
    return join(listing, 3, "by_tag", intern_text(&listing->sets, set), value);
}

static int join_tags(struct listing *listing, uint32_t activity) {
    const struct report_pick *pick = listing->cells->pick;
    for (uint32_t set = 0; set < listing->sets.n_keys; set++)
        listing->has_set[set] = false;
    int r = facts_each_tag(pick->facts, listing->latest, activity, join_tag, listing);
    for (uint32_t set = 0; r == 0 && set < listing->sets.n_keys; set++)
        if (!listing->has_set[set])
            r = join(listing, 3, "by_tag", intern_text(&listing->sets, set), FACTS_NAMELESS);
    return r;
}

static int join_service(struct listing *listing, const struct cells_atom *atom) {
    const struct facts *facts = listing->cells->pick->facts;
    const char *kind = atom->parts[0] == TIMEBANK__ORDER__KIND_EARN       ? "minutes_given_earn"
                       : atom->parts[0] == TIMEBANK__ORDER__KIND_EXCHANGE ? "minutes_given_exchange"
                                                                          : "minutes_given_session";
    int r = join(listing, 0, "minutes_given", NULL, NULL);
    if (r == 0)
        r = join(listing, 1, kind, NULL, NULL);
    if (r == 0)
        r = join(listing, 2, "by_activity", intern_text(&facts->activities, atom->parts[1]), NULL);
    if (r == 0 && atom->parts[2] != INTERN_NONE)
        r = join(listing, 2, "by_organisation", intern_text(&facts->account_codes, atom->parts[2]),
                 NULL);
    return r == 0 ? join_tags(listing, atom->parts[1]) : r;
}

static int join_redeem(struct listing *listing, const struct cells_atom *atom) {
    const struct facts *facts = listing->cells->pick->facts;
    int r = join(listing, 0, "minutes_redeemed", NULL, NULL);
    if (r == 0)
        r = join(listing, 2, "by_venue", intern_text(&facts->account_codes, atom->parts[0]), NULL);
    return r == 0 ? join(listing, 3, "by_offer", intern_text(&facts->offers, atom->parts[1]), NULL)
                  : r;
}

static const char *group_name(const struct intern *names, uint32_t number) {
    return number == INTERN_NONE ? FACTS_NO_WARD : intern_text(names, number);
}

static int join_between(struct listing *listing, const struct cells_atom *atom, const char *known,
                        const char *across, const char *table, const struct intern *names) {
    int r = join(listing, 0, known, NULL, NULL);
    if (r == 0 && across && atom->parts[0] != atom->parts[1])
        r = join(listing, 1, across, NULL, NULL);
    return r == 0 ? join(listing, 2, table, group_name(names, atom->parts[0]),
                         group_name(names, atom->parts[1]))
                  : r;
}

static int join_cells(struct listing *listing) {
    const struct facts *facts = listing->cells->pick->facts;
    const struct cells_atom *atom = &listing->cells->atoms[listing->atom];
    switch (atom->universe) {
    case CELLS_SERVICE:
        return join_service(listing, atom);
    case CELLS_REDEEM:
        return join_redeem(listing, atom);
    case CELLS_ALONE:
        return join(listing, 0, alone_paths[atom->parts[0]], NULL, NULL);
    case CELLS_WARDS:
        return join_between(listing, atom, CELLS_KNOWN_BY_WARD, "minutes_across_wards",
                            "between_wards", &facts->wards);
    case CELLS_BANDS:
        return join_between(listing, atom, CELLS_KNOWN_BY_BAND, NULL, "between_age_bands",
                            &facts->age_bands);
    default:
        return 0;
    }
}

static int meet_sets(struct listing *listing) {
    const struct report_pick *pick = listing->cells->pick;
    int r = facts_latest_tags(pick->facts, pick->size, &listing->latest);
    for (uint32_t i = 0; r == 0 && i < pick->facts->activities.n_keys; i++)
        r = facts_each_tag(pick->facts, listing->latest, i, meet_set, listing);
    listing->has_set = calloc(listing->sets.n_keys + 1u, sizeof(*listing->has_set));
    return r == 0 && !listing->has_set ? -ENOMEM : r;
}

/* ---- the list */

static int compare_cells(const void *a, const void *b) {
    const struct cell *left = a, *right = b;
    return strcmp(left->path, right->path);
}

static int make_months(struct cells *cells, struct cell *cell) {
    cell->months = calloc(cells->n_months + 1u, sizeof(*cell->months));
    if (!cell->months)
        return -ENOMEM;
    for (uint32_t i = 0; i < cell->n_atoms; i++) {
        uint32_t month = cells->atoms[cell->atoms[i]].month;
        if (cell->n_months == 0 || cell->months[cell->n_months - 1].month != month)
            cell->months[cell->n_months++] = (struct cells_month){.month = month, .first = i};
        cell->months[cell->n_months - 1].n++;
    }
    return 0;
}

static int make_cells(struct cells *cells, struct listing *listing) {
    int r = meet_sets(listing);
    for (listing->atom = 0; r == 0 && listing->atom < cells->n_atoms; listing->atom++)
        r = join_cells(listing);
    cells->cells = TAKE(listing->list);
    for (uint32_t i = 0; i < cells->n_cells; i++)
        cells->cells[i].path = intern_text(&cells->paths, i);
    if (cells->n_cells > 0)
        qsort(cells->cells, cells->n_cells, sizeof(*cells->cells), compare_cells);
    for (uint32_t i = 0; r == 0 && i < cells->n_cells; i++)
        r = make_months(cells, &cells->cells[i]);
    return r;
}

int report_cells_list_make(struct cells *cells) {
    struct listing listing = {.cells = cells};
    int r = make_atoms(cells);
    if (r == 0)
        r = make_cells(cells, &listing);
    intern_fini(&listing.sets);
    free(listing.has_set);
    free(listing.latest);
    return r;
}

const struct cell *report_cells_list_find(const struct cells *cells, const char *path) {
    struct cell key = {.path = path};
    if (cells->n_cells == 0)
        return NULL;
    return bsearch(&key, cells->cells, cells->n_cells, sizeof(key), compare_cells);
}
