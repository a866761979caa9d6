/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What needs the register of people: time and ties between wards and between age bands. Both change
 * with the register and without a record, so they stand outside the other measures, with a hash of
 * the rows that they rest on. proto/measures.def has the definitions, report.h the hashes.
 *
 * Whoever's ward or age band is not known is of one like any other, `unknown`.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pairs.h"
#include "proto/text64.h"
#include "report-part.h"

#define DENSE_MAX 512u /* names; more are kept in a hash table of the cells there are */
#define SLOTS_FIRST 1024

struct cell {
    uint32_t giver; /* names of the two sides */
    uint32_t receiver;
    uint64_t minutes; /* 0: an empty slot */
    uint64_t n_ties;
};

/* Minutes and ties by the names of both sides. */
struct cells {
    uint32_t n_names; /* the last one is unknown */
    struct cell *slots;
    size_t n_slots; /* all cells, or a power of two, at most half full */
    size_t n_in_slots;
};

/* Numbers of names in the cells: unknown is the last. */
struct names {
    uint32_t ward;
    uint32_t age_band;
};

struct register_sums {
    struct names *names; /* of each account: those of the one that goes on */
    bool *trades;        /* of each account that goes on; those of ties are known when it is put */
    struct cells wards;
    struct cells age_bands;
};

/* ---- cells */

static bool is_dense(const struct cells *cells) {
    return cells->n_names <= DENSE_MAX;
}

static int cells_init(struct cells *ret, uint32_t n_names) {
    ret->n_names = n_names;
    ret->n_slots = is_dense(ret) ? (size_t)n_names * n_names : SLOTS_FIRST;
    ret->slots = calloc(ret->n_slots, sizeof(*ret->slots));
    return ret->slots ? 0 : -ENOMEM;
}

static struct cell *find(const struct cells *cells, uint32_t giver, uint32_t receiver) {
    if (is_dense(cells))
        return &cells->slots[(size_t)giver * cells->n_names + receiver];
    size_t mask = cells->n_slots - 1;
    uint64_t h = ((uint64_t)giver << 32 | receiver) * 0x9e3779b97f4a7c15u; /* Fibonacci hashing */
    size_t i = (h ^ h >> 32) & mask;
    while (cells->slots[i].minutes != 0 &&
           (cells->slots[i].giver != giver || cells->slots[i].receiver != receiver))
        i = (i + 1) & mask;
    return &cells->slots[i];
}

static int grow(struct cells *cells) {
    struct cells grown = {.n_names = cells->n_names, .n_slots = 4 * cells->n_slots};
    grown.slots = calloc(grown.n_slots, sizeof(*grown.slots));
    if (!grown.slots)
        return -ENOMEM;
    for (size_t i = 0; i < cells->n_slots; i++)
        if (cells->slots[i].minutes != 0)
            *find(&grown, cells->slots[i].giver, cells->slots[i].receiver) = cells->slots[i];
    grown.n_in_slots = cells->n_in_slots;
    free(cells->slots);
    *cells = grown;
    return 0;
}

static int add_slot(struct cells *cells, uint32_t giver, uint32_t receiver, uint64_t minutes) {
    struct cell *cell = find(cells, giver, receiver);
    bool is_new = cell->minutes == 0;
    cell->giver = giver;
    cell->receiver = receiver;
    cell->minutes += minutes;
    cells->n_in_slots += is_new;
    return is_new && 2 * cells->n_in_slots > cells->n_slots ? grow(cells) : 0;
}

static inline int add(struct cells *cells, uint32_t giver, uint32_t receiver, uint64_t minutes) {
    if (!is_dense(cells))
        return add_slot(cells, giver, receiver, minutes);
    cells->slots[(size_t)giver * cells->n_names + receiver].minutes += minutes;
    return 0;
}

static int merge_cells(struct cells *cells, const struct cells *from) {
    int r = 0;
    for (size_t i = 0; is_dense(cells) && i < cells->n_slots; i++)
        cells->slots[i].minutes += from->slots[i].minutes;
    for (size_t i = 0; r == 0 && !is_dense(cells) && i < from->n_slots; i++)
        if (from->slots[i].minutes != 0)
            r = add_slot(cells, from->slots[i].giver, from->slots[i].receiver,
                         from->slots[i].minutes);
    return r;
}

/* ---- rows */

static void number_names(const struct report_pick *pick, struct names *names) {
    const struct facts *facts = pick->facts;
    for (uint32_t i = 0; i < facts->n_accounts; i++) {
        const struct fact_account *account = &facts->accounts[report_pick_account(pick, i)];
        names[i].ward = MIN_OF(account->ward, facts->wards.n_keys);
        names[i].age_band = MIN_OF(account->age_band, facts->age_bands.n_keys);
    }
}

static int begin(void *user, const struct report_pick *pick) {
    struct register_sums *sums = user;
    sums->trades = calloc(pick->facts->n_accounts + 1, sizeof(*sums->trades));
    sums->names = calloc(pick->facts->n_accounts + 1, sizeof(*sums->names));
    if (!sums->trades || !sums->names)
        return -ENOMEM;
    number_names(pick, sums->names);
    int r = cells_init(&sums->wards, pick->facts->wards.n_keys + 1);
    return r == 0 ? cells_init(&sums->age_bands, pick->facts->age_bands.n_keys + 1) : r;
}

/* Nothing is known of anybody: all is between the unknown. */
static void note_unknown(struct register_sums *sums, const struct report_pick *pick,
                         const struct report_row *rows, size_t n) {
    uint64_t minutes = 0;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].kind != TIMEBANK__ORDER__KIND_EXCHANGE || !rows[i].in_period)
            continue;
        minutes += rows[i].minutes;
        if (rows[i].from_person == rows[i].to_person)
            sums->trades[report_pick_account(pick, rows[i].to)] = true;
    }
    sums->wards.slots[0].minutes += minutes;
    sums->age_bands.slots[0].minutes += minutes;
}

static bool knows_nobody(const struct register_sums *sums) {
    return sums->wards.n_names == 1 && sums->age_bands.n_names == 1;
}

static int note(void *user, const struct report_pick *pick, const struct report_row *rows,
                size_t n) {
    struct register_sums *sums = user;
    int r = 0;
    if (knows_nobody(sums)) {
        note_unknown(sums, pick, rows, n);
        return 0;
    }
    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct report_row *row = &rows[i];
        if (row->kind != TIMEBANK__ORDER__KIND_EXCHANGE || !row->in_period)
            continue;
        const struct names *giver = &sums->names[row->to], *receiver = &sums->names[row->from];
        if (row->from_person == row->to_person) /* merged: it ties nobody */
            sums->trades[report_pick_account(pick, row->to)] = true;
        r = add(&sums->wards, giver->ward, receiver->ward, row->minutes);
        if (r == 0)
            r = add(&sums->age_bands, giver->age_band, receiver->age_band, row->minutes);
    }
    return r;
}

static int merge(void *user, const struct report_pick *pick, void *other) {
    struct register_sums *sums = user, *from = other;
    for (size_t i = 0; i < pick->facts->n_accounts; i++)
        sums->trades[i] |= from->trades[i];
    int r = merge_cells(&sums->wards, &from->wards);
    return r == 0 ? merge_cells(&sums->age_bands, &from->age_bands) : r;
}

static void end(void *user) {
    struct register_sums *sums = user;
    free(sums->trades);
    free(sums->names);
    free(sums->wards.slots);
    free(sums->age_bands.slots);
    *sums = (struct register_sums){0};
}

/* ---- ties */

struct both {
    uint64_t n_within;
    uint64_t n_across;
};

/* A person's account is one that goes on: the key of a person begins with it. */
static uint32_t account_of(const struct report_pick *pick, uint32_t person) {
    return pick->person_of ? be32_get((const uint8_t *)intern_text(&pick->persons, person))
                           : facts_person_account(pick->facts, person);
}

static int list_accounts(const struct report_pick *pick, uint32_t **ret) {
    uint32_t *accounts = calloc(pick->n_persons + 1, sizeof(*accounts));
    if (!accounts)
        return -ENOMEM;
    for (uint32_t i = 0; i < pick->n_persons; i++)
        accounts[i] = report_pick_account(pick, account_of(pick, i));
    *ret = accounts;
    return 0;
}

/* Of each person, so that those who were helped are read one beside the other. */
static int list_names(const struct report_pick *pick, const struct names *names,
                      const uint32_t *accounts, struct names **ret) {
    struct names *list = calloc(pick->n_persons + 1, sizeof(*list));
    if (!list)
        return -ENOMEM;
    for (uint32_t i = 0; i < pick->n_persons; i++)
        list[i] = names[accounts[i]];
    *ret = list;
    return 0;
}

static void count_way(struct register_sums *sums, const struct names *giver,
                      const struct names *receiver) {
    find(&sums->wards, giver->ward, receiver->ward)->n_ties++;
    find(&sums->age_bands, giver->age_band, receiver->age_band)->n_ties++;
}

/* Of whom nothing is known all is within. */
static uint64_t count_within(struct register_sums *sums, const struct report_out *out,
                             const struct names *names) {
    struct mutual_walk walk = {0};
    struct mutual_pair pair;
    uint64_t n_within = 0;
    if (knows_nobody(sums)) {
        find(&sums->wards, 0, 0)->n_ties = find(&sums->age_bands, 0, 0)->n_ties =
            out->n_ties + out->n_both_ways;
        return out->n_ties;
    }
    while (mutual_next(out->ties, &walk, &pair)) {
        const struct names *one = &names[pair.one], *other = &names[pair.other];
        if (pair.ways & MUTUAL_ONE_TO_OTHER)
            count_way(sums, one, other);
        if (pair.ways & MUTUAL_OTHER_TO_ONE)
            count_way(sums, other, one);
        n_within += one->ward == other->ward;
    }
    return n_within;
}

static int count_ties(struct register_sums *sums, const struct report_pick *pick,
                      const struct report_out *out, struct both *ret) {
    _cleanup_(freep) uint32_t *accounts = NULL;
    _cleanup_(freep) struct names *names = NULL;
    int r = list_accounts(pick, &accounts);
    if (r == 0)
        r = list_names(pick, sums->names, accounts, &names);
    if (r < 0)
        return r;
    for (uint32_t i = 0; i < pick->n_persons; i++)
        sums->trades[accounts[i]] |= out->trades[i];
    ret->n_within = count_within(sums, out, names);
    ret->n_across = out->n_ties - ret->n_within;
    return 0;
}

/* ---- figures */

static const char *name_of(const struct intern *names, uint32_t number) {
    return number < names->n_keys ? intern_text(names, number) : FACTS_NO_WARD;
}

static int compare_cells(const void *a, const void *b) {
    const struct cell *left = a, *right = b;
    if (left->giver != right->giver)
        return left->giver < right->giver ? -1 : 1;
    return (left->receiver > right->receiver) - (left->receiver < right->receiver);
}

/* Those that have minutes, in order. */
static size_t pack(struct cells *cells) {
    size_t n = 0;
    for (size_t i = 0; i < cells->n_slots; i++) {
        struct cell cell = cells->slots[i];
        if (is_dense(cells)) {
            cell.giver = (uint32_t)(i / cells->n_names);
            cell.receiver = (uint32_t)(i % cells->n_names);
        }
        if (cell.minutes != 0)
            cells->slots[n++] = cell;
    }
    if (n > 0 && !is_dense(cells))
        qsort(cells->slots, n, sizeof(*cells->slots), compare_cells);
    return n;
}

static int put_cell(const struct cell *cell, const struct intern *names,
                    struct report_json *receivers) {
    _cleanup_json_ struct report_json figures = {0};
    int r = report_json_init(&figures);
    if (r < 0)
        return r;
    report_json_put(&figures, "minutes_given", cell->minutes);
    report_json_put(&figures, "ties", cell->n_ties);
    report_json_put_object(receivers, name_of(names, cell->receiver), &figures);
    return 0;
}

static int put_giver(const struct cell *cells, size_t n, const struct intern *names,
                     struct report_json *givers) {
    _cleanup_json_ struct report_json receivers = {0};
    int r = report_json_init(&receivers);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = put_cell(&cells[i], names, &receivers);
    if (r == 0)
        r = report_json_sort(&receivers);
    if (r == 0)
        report_json_put_object(givers, name_of(names, cells[0].giver), &receivers);
    return r;
}

static int put_between(const char *key, const struct cells *cells, size_t n,
                       const struct intern *names, struct report_json *of_register) {
    _cleanup_json_ struct report_json givers = {0};
    int r = report_json_init(&givers);
    for (size_t i = 0, k; r == 0 && i < n; i = k) {
        for (k = i; k < n && cells->slots[k].giver == cells->slots[i].giver;)
            k++;
        r = put_giver(&cells->slots[i], k - i, names, &givers);
    }
    if (r == 0)
        r = report_json_sort(&givers);
    if (r == 0)
        report_json_put_object(of_register, key, &givers);
    return r;
}

static uint64_t across_minutes(const struct cells *cells, size_t n) {
    uint64_t minutes = 0;
    for (size_t i = 0; i < n; i++)
        if (cells->slots[i].giver != cells->slots[i].receiver)
            minutes += cells->slots[i].minutes;
    return minutes;
}

/* ---- the rows that all of it rests on */

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static uint32_t known_ward(const struct fact_account *account) {
    return account->ward;
}

static uint32_t known_age_band(const struct fact_account *account) {
    return account->age_band;
}

static int put_hash(const char *key, const struct facts *facts, const bool *trades,
                    const struct intern *names, uint32_t (*known)(const struct fact_account *),
                    struct report_json *foot) {
    _cleanup_(freep) const char **codes = calloc(facts->n_accounts + 1, sizeof(*codes));
    _cleanup_bytes_ struct bytes rows = {0};
    if (!codes)
        return -ENOMEM;
    size_t n = 0;
    for (uint32_t i = 0; i < facts->n_accounts; i++)
        if (trades[i] && known(&facts->accounts[i]) != INTERN_NONE)
            codes[n++] = intern_text(&facts->account_codes, i);
    qsort(codes, n, sizeof(*codes), compare_texts);
    for (size_t i = 0; i < n; i++) {
        uint32_t account = intern_find(&facts->account_codes, codes[i], strlen(codes[i]));
        bytes_put_text(&rows, codes[i]);
        bytes_put_u8(&rows, '\t');
        bytes_put_text(&rows, intern_text(names, known(&facts->accounts[account])));
        bytes_put_u8(&rows, '\n');
    }
    if (rows.r < 0)
        return rows.r;

    struct hash hash = hash_of(rows.n > 0 ? rows.data : (const uint8_t *)"", rows.n);
    char hex[2 * HASH_BYTES + 1];
    text64_hex(hex, hash.b, sizeof(hash.b));
    report_json_put_text(foot, key, hex);
    return 0;
}

static int put(void *user, const struct report_pick *pick, struct report_out *out) {
    const struct facts *facts = pick->facts;
    struct register_sums *sums = user;
    struct both both;
    int r = count_ties(sums, pick, out, &both);
    if (r < 0)
        return r;
    size_t n_wards = pack(&sums->wards), n_bands = pack(&sums->age_bands);
    report_json_put(out->of_register, "minutes_across_wards",
                    across_minutes(&sums->wards, n_wards));
    report_json_put(out->of_register, "ties_within_wards", both.n_within);
    report_json_put(out->of_register, "ties_across_wards", both.n_across);
    r = put_between("between_wards", &sums->wards, n_wards, &facts->wards, out->of_register);
    if (r == 0)
        r = put_between("between_age_bands", &sums->age_bands, n_bands, &facts->age_bands,
                        out->of_register);
    if (r == 0)
        r = put_hash("register", facts, sums->trades, &facts->wards, known_ward, out->foot);
    return r == 0 ? put_hash("register_age_bands", facts, sums->trades, &facts->age_bands,
                             known_age_band, out->foot)
                  : r;
}

const struct report_part report_register = {
    .sums_bytes = sizeof(struct register_sums),
    .begin = begin,
    .note = note,
    .merge = merge,
    .put = put,
    .end = end,
};
