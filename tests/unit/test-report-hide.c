/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disclosure control against attackers. Schemes are drawn by chance, and the two-year scheme is
 * read from its file; the figures of every month, quarter, year and of many runs of months are
 * summed here, hidden by the daemon, and handed to an attacker who sees nothing but keys and
 * figures. The attacker knows which figures add up to which, eliminates exactly over two fields of
 * its own, and says which sums follow; the test knows the rows, and so whose they were.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/report-hide.h"
#include "proto/dates.h"
#include "proto/refusal.h"

TestSuite(report_hide, .timeout = 110);

#define KIND(name) TIMEBANK__ORDER__KIND_##name
#define FIRST_MONTH (2023 * 12 + 3u)
#define N_MONTHS 24u
#define PERSONS_MAX 512
#define VARIABLES_MAX 9000

/* ---- a scheme: rows, and the names that they have */

struct scheme {
    struct facts *facts;
    struct report_row *rows;
    size_t n_rows;
    size_t n_rows_allocated;
    uint32_t n_persons;
};

static struct scheme scheme;
static unsigned chance;

/* The same numbers wherever the test runs. */
static unsigned draw(unsigned below) {
    chance = chance * 1664525u + 1013904223u;
    return (unsigned)(((uint64_t)(chance >> 8) * below) >> 24);
}

static uint32_t day_in(uint32_t month, unsigned mday) {
    uint32_t day;
    cr_assert_eq(dates_from_civil((int)(month / 12), month % 12 + 1, mday, &day), 0);
    return day;
}

static uint32_t account(const char *code, const char *ward, const char *band) {
    cr_assert_eq(facts_set_ward(scheme.facts, code, ward), 0);
    cr_assert_eq(facts_set_age_band(scheme.facts, code, band), 0);
    return intern_find(&scheme.facts->account_codes, code, strlen(code));
}

static uint32_t name_in(struct intern *names, const char *name) {
    uint32_t number;
    cr_assert_eq(intern_text_number(names, name, &number), 0);
    return number;
}

/* Persons are the numbers of their accounts: members come first. */
static void scheme_begin(uint32_t n_persons, unsigned n_wards) {
    char code[16], ward[16];
    scheme = (struct scheme){.n_persons = n_persons};
    cr_assert_eq(facts_new(&scheme.facts), 0);
    for (uint32_t i = 0; i < n_persons; i++) {
        snprintf(code, sizeof(code), "m%u", i);
        snprintf(ward, sizeof(ward), "ward%u", draw(n_wards));
        cr_assert_eq(account(code, ward, draw(3) ? "adult" : "older"), i);
    }
}

static void scheme_end(void) {
    scheme.facts = facts_free(scheme.facts);
    free(scheme.rows);
}

static struct report_row *row_add(uint16_t kind, uint32_t day, uint64_t minutes) {
    void *rows = scheme.rows;
    cr_assert_eq(intern_grow(&rows, scheme.n_rows, &scheme.n_rows_allocated, sizeof(*scheme.rows)),
                 0);
    scheme.rows = rows;
    struct report_row *row = &scheme.rows[scheme.n_rows++];
    *row = (struct report_row){.entry = scheme.n_rows,
                               .minutes = minutes,
                               .service_day = day,
                               .entered_day = day + draw(40),
                               .programme = report_period_month(day) - FIRST_MONTH,
                               .from = INTERN_NONE,
                               .to = INTERN_NONE,
                               .from_person = INTERN_NONE,
                               .to_person = INTERN_NONE,
                               .activity = name_in(&scheme.facts->activities, FACTS_NAMELESS),
                               .kind = kind};
    return row;
}

static void give(uint16_t kind, uint32_t day, uint32_t giver, uint32_t other, const char *activity,
                 uint64_t minutes) {
    struct report_row *row = row_add(kind, day, minutes);
    row->is_service = true;
    row->to = row->to_person = giver;
    row->from = other;
    row->from_person = other < scheme.n_persons ? other : INTERN_NONE;
    row->activity = name_in(&scheme.facts->activities, activity);
}

static void redeem(uint32_t day, uint32_t person, const char *venue, const char *offer,
                   uint64_t minutes) {
    char name[64];
    struct report_row *row = row_add(KIND(REDEEM), day, minutes);
    row->from = row->from_person = person;
    row->to = account(venue, "", "");
    snprintf(name, sizeof(name), "%s/%s", venue, offer);
    row->label = name_in(&scheme.facts->offers, name);
    row->adults = 1;
}

/* Few people, uneven, some of them only once; sparse by month and by name. */
static void scheme_draw(unsigned seed) {
    char activity[16], organisation[16], venue[16], offer[16];
    chance = seed;
    scheme_begin(12 + draw(60), 3);
    unsigned n_activities = 2 + draw(5), n_organisations = 1 + draw(4), n_venues = 1 + draw(4);
    unsigned n_rows = 60 + draw(80);
    for (uint32_t month = 0; month < N_MONTHS; month++)
        for (unsigned i = 0; i < n_rows; i++) {
            uint32_t day = day_in(FIRST_MONTH + month, 1 + draw(28));
            uint32_t person = draw(draw(3) ? scheme.n_persons : 1 + scheme.n_persons / 3);
            uint32_t other = draw(scheme.n_persons);
            uint64_t minutes = 15 * (1 + draw(8)) * (draw(20) ? 1 : 20);
            unsigned which = draw(1 + draw(n_activities));
            snprintf(activity, sizeof(activity), "act%u", which);
            snprintf(organisation, sizeof(organisation), "org%u",
                     draw(2) ? which % n_organisations : draw(n_organisations));
            snprintf(venue, sizeof(venue), "venue%u", draw(1 + draw(n_venues)));
            snprintf(offer, sizeof(offer), "offer%u", draw(1 + draw(3)));
            if (draw(5) < 2 && person != other)
                give(KIND(EXCHANGE), day, person, other, activity, minutes);
            else if (draw(3))
                give(KIND(EARN), day, person, account(organisation, "", ""), activity, minutes);
            else if (draw(10) == 0)
                give(KIND(SESSION), day, person, INTERN_NONE, activity, minutes);
            else
                redeem(day, person, venue, offer, minutes);
        }
}

static char *field(char **rest) {
    char *text = strsep(rest, ",");
    return text ? text : (char *)"";
}

/* Service and redemptions of the two-year scheme; what was taken back is of no matter here. */
static void scheme_read(void) {
    char path[512], line[512];
    snprintf(path, sizeof(path), "%s/two-years/accounts.csv", TESTS_DATA);
    FILE *file = fopen(path, "re");
    cr_assert(file && fgets(line, sizeof(line), file));
    scheme = (struct scheme){0};
    cr_assert_eq(facts_new(&scheme.facts), 0);
    while (fgets(line, sizeof(line), file)) {
        char *rest = line, *code = field(&rest), *kind = field(&rest);
        field(&rest);
        char *ward = field(&rest);
        ward[strcspn(ward, "\r\n")] = '\0';
        if (strcmp(kind, "member") == 0)
            cr_assert_eq(account(code, ward, ""), scheme.n_persons++);
    }
    fclose(file);
    snprintf(path, sizeof(path), "%s/two-years/entries.csv", TESTS_DATA);
    file = fopen(path, "re");
    cr_assert(file && fgets(line, sizeof(line), file));
    while (fgets(line, sizeof(line), file)) {
        char *rest = line, *c[15];
        uint32_t day;
        for (size_t i = 0; i < 15; i++)
            c[i] = field(&rest);
        cr_assert_eq(dates_parse_iso(c[2], &day), 0);
        uint64_t minutes = strtoull(c[8], NULL, 10);
        char *offer = strchr(c[10], '/');
        if (strcmp(c[1], "exchange") == 0)
            give(KIND(EXCHANGE), day, account(c[4], "", ""), account(c[5], "", ""), c[9], minutes);
        else if (strcmp(c[1], "earn") == 0)
            give(KIND(EARN), day, account(c[4], "", ""), account(c[5], "", ""), c[9], minutes);
        else if (strcmp(c[1], "redeem") == 0)
            redeem(day, account(c[6], "", ""), c[7], offer ? offer + 1 : c[10], minutes);
    }
    fclose(file);
}

/* ---- periods */

struct run {
    uint32_t first; /* months from FIRST_MONTH */
    uint32_t n;
};

static struct report_period period_of(struct run run) {
    struct report_period period;
    uint32_t last = FIRST_MONTH + run.first + run.n - 1;
    cr_assert_eq(
        report_period_init(&period, day_in(FIRST_MONTH + run.first, 1),
                           day_in(last, dates_month_length((int)(last / 12), last % 12 + 1))),
        0);
    return period;
}

/* Kept where no cell looks. */
static uint32_t month_of(const struct report_row *row) {
    return row->programme;
}

static bool holds(struct run run, uint32_t month) {
    return month >= run.first && month - run.first < run.n;
}

/* ---- which rows a cell is, from its path alone; the paths of a row */

#define PATHS_MAX 12

struct paths {
    char text[PATHS_MAX][96];
    unsigned n;
};

static void path_add(struct paths *paths, const char *table, const char *name,
                     const char *further) {
    cr_assert_lt(paths->n, PATHS_MAX);
    snprintf(paths->text[paths->n++], 96, "%s%s%s%s%s", table, *name ? "\t" : "", name,
             *further ? "\t" : "", further);
}

static const char *ward_of(uint32_t number) {
    uint32_t ward = scheme.facts->accounts[number].ward;
    return ward == INTERN_NONE ? FACTS_NO_WARD : intern_text(&scheme.facts->wards, ward);
}

static void paths_of(const struct report_row *row, struct paths *ret) {
    const struct facts *facts = scheme.facts;
    ret->n = 0;
    if (row->kind == KIND(REDEEM)) {
        path_add(ret, "minutes_redeemed", "", "");
        path_add(ret, "by_venue", intern_text(&facts->account_codes, row->to), "");
        path_add(ret, "by_offer", intern_text(&facts->offers, row->label), "");
        return;
    }
    path_add(ret, "minutes_given", "", "");
    path_add(ret, "by_activity", intern_text(&facts->activities, row->activity), "");
    if (row->kind == KIND(EARN)) {
        path_add(ret, "minutes_given_earn", "", "");
        path_add(ret, "by_organisation", intern_text(&facts->account_codes, row->from), "");
    } else if (row->kind == KIND(EXCHANGE)) {
        const char *giver = ward_of(row->to), *receiver = ward_of(row->from);
        path_add(ret, "minutes_given_exchange", "", "");
        path_add(ret, "between_wards", giver, receiver);
        if (strcmp(giver, receiver) != 0)
            path_add(ret, "minutes_across_wards", "", "");
    } else {
        path_add(ret, "minutes_given_session", "", "");
    }
}

/* ---- the figures of a period, as the report would have them */

static json_t *table_of(json_t *object, const char *key) {
    json_t *table = json_object_get(object, key);
    if (!table) {
        table = json_object();
        json_object_set_new(object, key, table);
    }
    return table;
}

static void put(json_t *object, const char *key, uint64_t value) {
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void add(json_t *object, const char *key, uint64_t value) {
    put(object, key, (uint64_t)json_integer_value(json_object_get(object, key)) + value);
}

static void add_path(struct report_out *out, const char *path, uint64_t minutes) {
    char text[96];
    snprintf(text, sizeof(text), "%s", path);
    char *rest = text, *table = strsep(&rest, "\t"), *name = strsep(&rest, "\t");
    bool of_register = strstr(table, "wards") != NULL;
    json_t *object = of_register ? out->of_register->object : out->measures->object;
    if (!name) {
        add(object, table, minutes);
        return;
    }
    json_t *figures = table_of(table_of(object, table), name);
    if (rest)
        figures = table_of(figures, rest);
    add(figures,
        strncmp(table, "by_venue", 8) == 0 || strncmp(table, "by_offer", 8) == 0
            ? "minutes_redeemed"
            : "minutes_given",
        minutes);
}

enum { GIVES = 1, RECEIVES = 2, REDEEMS = 4, TRADES = 8, GAVE_PREVIOUS = 16, GAVE_BEFORE = 32 };

struct people {
    unsigned roles[PERSONS_MAX];
    uint64_t minutes[PERSONS_MAX];
    unsigned months[PERSONS_MAX]; /* bits */
};

static void people_read(struct run run, struct people *ret) {
    struct report_period period = period_of(run);
    memset(ret, 0, sizeof(*ret));
    for (size_t i = 0; i < scheme.n_rows; i++) {
        const struct report_row *row = &scheme.rows[i];
        bool inside = report_period_holds(&period, row->service_day);
        if (row->is_service) {
            unsigned *giver = &ret->roles[row->to_person];
            *giver |= inside ? GIVES : 0;
            *giver |= row->service_day < period.from_day ? GAVE_BEFORE : 0;
            *giver |= row->service_day >= period.previous_from_day &&
                              row->service_day <= period.previous_to_day
                          ? GAVE_PREVIOUS
                          : 0;
            ret->minutes[row->to_person] += inside ? row->minutes : 0;
            if (inside)
                ret->months[row->to_person] |= 1u << month_of(row);
        }
        if (!inside || row->from_person == INTERN_NONE)
            continue;
        ret->roles[row->from_person] |= row->kind == KIND(REDEEM) ? REDEEMS : RECEIVES;
        if (row->kind == KIND(EXCHANGE)) {
            ret->roles[row->from_person] |= TRADES;
            ret->roles[row->to_person] |= TRADES;
        }
    }
}

static bool is_counted(unsigned roles, bool is_frequent, const char *key) {
    bool gives = roles & GIVES, takes = roles & (RECEIVES | REDEEMS);
    const struct {
        const char *key;
        bool is;
    } counts[] = {
        {"givers", gives},
        {"receivers", roles & RECEIVES},
        {"redeemers", roles & REDEEMS},
        {"participants", gives || takes},
        {"two_way", gives && takes},
        {"new_givers", gives && !(roles & GAVE_BEFORE)},
        {"returning_givers", gives && roles & GAVE_BEFORE},
        {"previous_givers", roles & GAVE_PREVIOUS},
        {"retained_givers", gives && roles & GAVE_PREVIOUS},
        {"lapsed_givers", !gives && roles & GAVE_PREVIOUS},
        {"frequent_givers", is_frequent},
        {"traders", roles & TRADES},
        {"isolates", (gives || takes) && !(roles & TRADES)},
    };
    for (size_t i = 0; i < N_ELEMENTS(counts); i++)
        if (strcmp(counts[i].key, key) == 0)
            return counts[i].is;
    return false;
}

static const char *const count_keys[] = {
    "givers",          "receivers",        "redeemers",       "participants",    "two_way",
    "new_givers",      "returning_givers", "previous_givers", "retained_givers", "lapsed_givers",
    "frequent_givers", "traders",          "isolates"};

static const struct {
    const char *key;
    uint64_t below;
} bands[] = {{"under_5_h", 300},
             {"5_to_20_h", 1200},
             {"20_to_50_h", 3000},
             {"50_to_100_h", 6000},
             {"100_h_or_more", UINT64_MAX}};

static void put_people(struct run run, struct report_out *out) {
    static struct people people;
    json_t *table = table_of(out->further->object, "by_band");
    people_read(run, &people);
    for (size_t k = 0; k < N_ELEMENTS(bands); k++) {
        put(table_of(table, bands[k].key), "givers", 0);
        put(table_of(table, bands[k].key), "minutes_given", 0);
    }
    for (size_t k = 0; k < N_ELEMENTS(count_keys); k++)
        put(strcmp(count_keys[k], "isolates") == 0 ? out->further->object : out->measures->object,
            count_keys[k], 0);
    for (uint32_t i = 0; i < scheme.n_persons; i++) {
        bool is_frequent = people.months[i] == ((1u << run.n) - 1) << run.first;
        size_t band = 0;
        for (size_t k = 0; k < N_ELEMENTS(count_keys); k++)
            add(strcmp(count_keys[k], "isolates") == 0 ? out->further->object
                                                       : out->measures->object,
                count_keys[k], is_counted(people.roles[i], is_frequent, count_keys[k]));
        while (people.minutes[i] >= bands[band].below)
            band++;
        if (people.minutes[i] > 0) {
            add(table_of(table, bands[band].key), "givers", 1);
            add(table_of(table, bands[band].key), "minutes_given", people.minutes[i]);
        }
    }
}

static void put_rows(struct run run, struct report_out *out) {
    static const char *const totals[] = {"minutes_given", "minutes_given_exchange",
                                         "minutes_given_earn", "minutes_given_session",
                                         "minutes_redeemed"};
    for (size_t i = 0; i < N_ELEMENTS(totals); i++)
        put(out->measures->object, totals[i], 0);
    put(out->of_register->object, "minutes_across_wards", 0);
    for (size_t i = 0; i < scheme.n_rows; i++) {
        struct paths paths;
        if (!holds(run, month_of(&scheme.rows[i])))
            continue;
        paths_of(&scheme.rows[i], &paths);
        for (unsigned k = 0; k < paths.n; k++)
            add_path(out, paths.text[k], scheme.rows[i].minutes);
    }
    put(out->measures->object, "a_figure_that_no_rule_names", 77);
}

/* ---- hiding them */

struct report {
    struct run run;
    json_t *now[3];
    uint64_t n_hidden;
};

static void note_all(const struct report_pick *pick, void *sums, bool in_two) {
    void *other = calloc(1, report_cells.sums_bytes);
    cr_assert_eq(report_cells.begin(sums, pick), 0);
    cr_assert_eq(report_cells.begin(other, pick), 0);
    for (size_t i = 0; i < scheme.n_rows; i++) {
        struct report_row row = scheme.rows[in_two ? scheme.n_rows - 1 - i : i];
        void *into = in_two && i % 3 ? other : sums;
        row.in_period = report_period_holds(&pick->period, row.service_day);
        row.in_previous = row.service_day >= pick->period.previous_from_day &&
                          row.service_day <= pick->period.previous_to_day;
        struct report_past past = {.minutes = row.minutes,
                                   .service_day = row.service_day,
                                   .to_person = row.to_person,
                                   .from_person = row.from_person,
                                   .kind = row.kind,
                                   .is_service = row.is_service};
        if (row.service_day < pick->reach_from_day)
            cr_assert_eq(report_cells.note_past(into, pick, &past, 1), 0);
        else if (row.service_day <= pick->reach_to_day)
            cr_assert_eq(report_cells.note(into, pick, &row, 1), 0);
    }
    cr_assert_eq(report_cells.merge(sums, pick, other), 0);
    report_cells.end(other);
    free(other);
}

static struct report_pick pick_of(struct run run, const struct report_class *report_class,
                                  unsigned year_begins) {
    struct report_pick pick = {.facts = scheme.facts,
                               .period = period_of(run),
                               .report_class = report_class,
                               .year_begins = year_begins,
                               .n_persons = scheme.n_persons};
    report_cells_reach(&pick, &pick.reach_from_day, &pick.reach_to_day);
    return pick;
}

static struct report report_draw(struct run run, const struct report_class *report_class,
                                 unsigned year_begins, bool in_two) {
    struct report_json measures, further, of_register;
    struct report_out out = {
        .measures = &measures, .further = &further, .of_register = &of_register};
    struct report report = {.run = run};
    struct report_pick pick = pick_of(run, report_class, year_begins);
    void *sums = calloc(1, report_cells.sums_bytes);
    cr_assert_eq(report_json_init(&measures), 0);
    cr_assert_eq(report_json_init(&further), 0);
    cr_assert_eq(report_json_init(&of_register), 0);
    put_rows(run, &out);
    put_people(run, &out);
    note_all(&pick, sums, in_two);
    cr_assert_eq(report_hide(&pick, sums, &out, &report.n_hidden), 0);
    report_cells.end(sums);
    free(sums);
    report.now[0] = measures.object;
    report.now[1] = further.object;
    report.now[2] = of_register.object;
    return report;
}

static void report_end(struct report *report) {
    for (size_t i = 0; i < 3; i++)
        json_decref(report->now[i]);
}

/* ---- the attacker: figures by path and period, and what they add up to */

#define PRIME_A ((int64_t)2147483647)
#define PRIME_B ((int64_t)2147483629)

struct line {
    uint32_t *columns;
    int64_t *values[2];
    uint32_t n;
};

struct attacker {
    struct intern paths; /* of figures */
    bool met[VARIABLES_MAX / N_MONTHS][N_MONTHS];
    struct line lines[VARIABLES_MAX];
    uint32_t n_lines;
    uint32_t line_of[VARIABLES_MAX]; /* that leads with it, plus one */
    int64_t dense[2][VARIABLES_MAX];
};

static struct attacker attacker;
static const int64_t primes[2] = {PRIME_A, PRIME_B};

static uint32_t variable(const char *path, uint32_t month) {
    uint32_t number = name_in(&attacker.paths, path);
    cr_assert_lt((number + 1) * N_MONTHS, VARIABLES_MAX);
    return number * N_MONTHS + month;
}

static int64_t inverse(int64_t a, int64_t prime) {
    int64_t result = 1;
    for (int64_t n = prime - 2; n > 0; n >>= 1, a = a * a % prime)
        result = n & 1 ? result * a % prime : result;
    return result;
}

static void dense_add(const char *path, struct run run, int64_t factor) {
    for (uint32_t month = run.first; month < run.first + run.n; month++)
        for (int k = 0; k < 2; k++) {
            int64_t *at = &attacker.dense[k][variable(path, month)];
            *at = (*at + primes[k] + factor) % primes[k];
        }
}

/* Takes the lines away from what is in dense; the first column left, or VARIABLES_MAX. */
static uint32_t dense_reduce(void) {
    uint32_t first = VARIABLES_MAX, end = attacker.paths.n_keys * N_MONTHS;
    for (uint32_t column = 0; column < end; column++) {
        if (attacker.dense[0][column] == 0 && attacker.dense[1][column] == 0)
            continue;
        if (attacker.line_of[column] == 0) {
            first = first == VARIABLES_MAX ? column : first;
            continue;
        }
        const struct line *line = &attacker.lines[attacker.line_of[column] - 1];
        for (int k = 0; k < 2; k++) {
            int64_t factor = primes[k] - attacker.dense[k][column];
            for (uint32_t i = 0; i < line->n; i++) {
                int64_t *at = &attacker.dense[k][line->columns[i]];
                *at = (*at + factor * line->values[k][i]) % primes[k];
            }
        }
    }
    return first;
}

static void dense_clear(void) {
    memset(attacker.dense, 0, sizeof(attacker.dense));
}

static void line_add(void) {
    uint32_t first = dense_reduce(), end = attacker.paths.n_keys * N_MONTHS;
    if (first == VARIABLES_MAX)
        return;
    cr_assert(attacker.dense[0][first] != 0 && attacker.dense[1][first] != 0);
    struct line line = {.columns = calloc(end, sizeof(*line.columns)),
                        .values = {calloc(end, sizeof(int64_t)), calloc(end, sizeof(int64_t))}};
    int64_t by[2] = {inverse(attacker.dense[0][first], PRIME_A),
                     inverse(attacker.dense[1][first], PRIME_B)};
    for (uint32_t column = first; column < end; column++) {
        if (attacker.dense[0][column] == 0 && attacker.dense[1][column] == 0)
            continue;
        line.columns[line.n] = column;
        for (int k = 0; k < 2; k++)
            line.values[k][line.n] = attacker.dense[k][column] * by[k] % primes[k];
        line.n++;
    }
    attacker.lines[attacker.n_lines++] = line;
    attacker.line_of[first] = attacker.n_lines;
    dense_clear();
}

static bool attacker_has(const char *path, struct run run) {
    dense_add(path, run, 1);
    bool has = dense_reduce() == VARIABLES_MAX;
    dense_clear();
    return has;
}

/* What adds up over months and breakdowns: not counts of people, nor who gave how much. */
static bool adds_up(const char *path) {
    return strncmp(path, "minutes", 7) == 0 || strncmp(path, "between", 7) == 0 ||
           (strncmp(path, "by_", 3) == 0 && strncmp(path, "by_band", 7) != 0);
}

/* Walks every cell of a report: the path of a table and its names, and the minutes, if shown. */
static void each_cell(const struct report *report, const char *path, json_t *value,
                      void (*each)(const struct report *report, const char *path,
                                   json_t *minutes)) {
    const char *key;
    json_t *member;
    char further[128];
    json_t *minutes = json_object_get(value, "minutes_given");
    if (!minutes)
        minutes = json_object_get(value, "minutes_redeemed");
    if (!json_is_object(value) || (minutes && *path)) {
        if (adds_up(path))
            each(report, path, json_is_object(value) ? minutes : value);
        return;
    }
    json_object_foreach(value, key, member) {
        snprintf(further, sizeof(further), "%s%s%s", path, *path ? "\t" : "", key);
        each_cell(report, further, member, each);
    }
}

static void report_walk(const struct report *report,
                        void (*each)(const struct report *, const char *, json_t *)) {
    for (size_t i = 0; i < 3; i++)
        each_cell(report, "", report->now[i], each);
}

/* Months show who is there; what is not there is nothing. */
static void meet(const struct report *report, const char *path, json_t *minutes) {
    uint32_t number = name_in(&attacker.paths, path);
    (void)minutes;
    cr_assert_lt((number + 1) * N_MONTHS, VARIABLES_MAX);
    if (report->run.n == 1)
        attacker.met[number][report->run.first] = true;
}

static void learn(const struct report *report, const char *path, json_t *minutes) {
    if (!json_is_integer(minutes))
        return;
    dense_add(path, report->run, 1);
    line_add();
}

static bool begins(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

/* What the keys themselves say adds up to what. */
static bool is_part(const char *part, const char *whole, const char *table) {
    if (strcmp(whole, "minutes_given") == 0 && strcmp(table, "kinds") == 0)
        return begins(part, "minutes_given_");
    if (begins(whole, "by_venue\t"))
        return begins(part, "by_offer\t") && strncmp(part + 9, whole + 9, strlen(whole + 9)) == 0 &&
               part[9 + strlen(whole + 9)] == '/';
    if (strcmp(whole, "minutes_across_wards") == 0) {
        const char *giver = strchr(part, '\t'), *receiver = strrchr(part, '\t');
        return begins(part, "between_wards\t") &&
               !(receiver - giver == (long)strlen(receiver) &&
                 strncmp(giver, receiver, strlen(receiver)) == 0);
    }
    return begins(part, table) && part[strlen(table)] == '\t';
}

static void relate(const char *whole, const char *table) {
    for (uint32_t month = 0; month < N_MONTHS; month++) {
        struct run run = {month, 1};
        for (int k = 0; k < 2; k++)
            attacker.dense[k][variable(whole, month)] = primes[k] - 1;
        for (uint32_t i = 0; i < attacker.paths.n_keys; i++) {
            char path[128];
            snprintf(path, sizeof(path), "%s", intern_text(&attacker.paths, i));
            if (is_part(path, whole, table) && attacker.met[i][month])
                dense_add(path, run, 1);
        }
        line_add();
    }
}

static void relate_all(void) {
    uint32_t n = attacker.paths.n_keys;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t month = 0; month < N_MONTHS; month++)
            if (!attacker.met[i][month]) {
                char path[128];
                snprintf(path, sizeof(path), "%s", intern_text(&attacker.paths, i));
                dense_add(path, (struct run){month, 1}, 1);
                line_add();
            }
    relate("minutes_given", "kinds");
    relate("minutes_given", "by_activity");
    relate("minutes_given_earn", "by_organisation");
    relate("minutes_redeemed", "by_venue");
    relate("minutes_given_exchange", "between_wards");
    relate("minutes_across_wards", "between_wards");
    for (uint32_t i = 0; i < n; i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s", intern_text(&attacker.paths, i));
        if (begins(path, "by_venue\t"))
            relate(path, "by_offer");
    }
}

static void attacker_end(void) {
    intern_fini(&attacker.paths);
    for (uint32_t i = 0; i < attacker.n_lines; i++) {
        free(attacker.lines[i].columns);
        free(attacker.lines[i].values[0]);
        free(attacker.lines[i].values[1]);
    }
    memset(&attacker, 0, sizeof(attacker));
}

/* ---- the truth: who stands behind a sum */

static bool has_path(const struct report_row *row, const char *path) {
    struct paths paths;
    paths_of(row, &paths);
    for (unsigned i = 0; i < paths.n; i++)
        if (strcmp(paths.text[i], path) == 0)
            return true;
    return false;
}

/* Rows by path, once: for the questions that come. */
static uint8_t *rows_by_path; /* path * n_rows + row */

static void truth_begin(void) {
    rows_by_path = calloc((size_t)attacker.paths.n_keys * scheme.n_rows + 1, 1);
    for (uint32_t i = 0; i < attacker.paths.n_keys; i++)
        for (size_t k = 0; k < scheme.n_rows; k++)
            rows_by_path[i * scheme.n_rows + k] =
                has_path(&scheme.rows[k], intern_text(&attacker.paths, i));
}

static int compare_descending(const void *a, const void *b) {
    const uint64_t *left = a, *right = b;
    return (*left < *right) - (*left > *right);
}

static bool is_unsafe_end(uint64_t minutes[PERSONS_MAX], uint64_t total, unsigned threshold) {
    unsigned n = 0;
    qsort(minutes, PERSONS_MAX, sizeof(*minutes), compare_descending);
    while (n < PERSONS_MAX && minutes[n] > 0)
        n++;
    if (n == 0)
        return false;
    return n < threshold || (n < 10 && 2 * minutes[0] > total) ||
           100 * (minutes[0] + minutes[1]) > 85 * total;
}

static bool is_unsafe(uint32_t path, struct run run, unsigned threshold) {
    uint64_t ends[2][PERSONS_MAX] = {{0}}, total = 0;
    bool has_two = begins(intern_text(&attacker.paths, path), "between_wards") ||
                   begins(intern_text(&attacker.paths, path), "minutes_across");
    for (size_t i = 0; i < scheme.n_rows; i++) {
        const struct report_row *row = &scheme.rows[i];
        if (!rows_by_path[path * scheme.n_rows + i] || !holds(run, month_of(row)))
            continue;
        total += row->minutes;
        ends[0][row->kind == KIND(REDEEM) ? row->from_person : row->to_person] += row->minutes;
        if (has_two)
            ends[1][row->from_person] += row->minutes;
    }
    return is_unsafe_end(ends[0], total, threshold) || is_unsafe_end(ends[1], total, threshold);
}

/* Unsafe sums that the attacker has: of months, quarters and years, and of every run of months. */
static unsigned attacker_count(unsigned threshold, unsigned n_max, bool says) {
    unsigned n = 0;
    for (uint32_t path = 0; path < attacker.paths.n_keys && n < n_max; path++) {
        char text[128];
        snprintf(text, sizeof(text), "%s", intern_text(&attacker.paths, path));
        for (uint32_t first = 0; first < N_MONTHS && n < n_max; first++)
            for (uint32_t count = 1; first + count <= N_MONTHS && n < n_max; count++) {
                struct run run = {first, count};
                if (!is_unsafe(path, run, threshold))
                    break; /* longer runs may be unsafe again, but then by dominance only */
                if (attacker_has(text, run)) {
                    n++;
                    if (says)
                        cr_log_warn("%s: months %u to %u follow\n", text, first, first + count - 1);
                }
            }
    }
    return n;
}

/* ---- two figures that are nearly the same rows */

static struct report *shown_reports;
static size_t n_shown_reports;
static const struct report *collected_of;
static uint32_t collected[VARIABLES_MAX / N_MONTHS];
static uint32_t n_collected;

static void collect(const struct report *report, const char *path, json_t *minutes) {
    collected_of = report;
    if (json_is_integer(minutes) && json_integer_value(minutes) > 0)
        collected[n_collected++] = name_in(&attacker.paths, path);
}

static bool differ_by_few(uint32_t a, uint32_t b, struct run run, unsigned threshold) {
    const uint8_t *left = rows_by_path + a * scheme.n_rows;
    const uint8_t *right = rows_by_path + b * scheme.n_rows;
    bool seen[PERSONS_MAX] = {false}, meet_at_all = false;
    unsigned n = 0;
    for (size_t i = 0; i < scheme.n_rows && (n < threshold || !meet_at_all); i++) {
        const struct report_row *row = &scheme.rows[i];
        if (!holds(run, month_of(row)))
            continue;
        meet_at_all = meet_at_all || (left[i] && right[i]);
        if (left[i] == right[i])
            continue;
        uint32_t person = row->kind == KIND(REDEEM) ? row->from_person : row->to_person;
        n += !seen[person];
        seen[person] = true;
    }
    return meet_at_all && n > 0 && n < threshold;
}

static unsigned near_count(unsigned threshold) {
    unsigned n = 0;
    for (size_t i = 0; i < n_shown_reports; i++) {
        n_collected = 0;
        report_walk(&shown_reports[i], collect);
        for (uint32_t a = 0; a < n_collected; a++)
            for (uint32_t b = a + 1; b < n_collected; b++)
                if (differ_by_few(collected[a], collected[b], collected_of->run, threshold)) {
                    cr_log_warn("%s and %s, months %u+%u\n",
                                intern_text(&attacker.paths, collected[a]),
                                intern_text(&attacker.paths, collected[b]),
                                shown_reports[i].run.first, shown_reports[i].run.n);
                    n++;
                }
    }
    return n;
}

/* ---- counts of people */

static json_t *count_of(const struct report *report, const char *key) {
    json_t *value = json_object_get(report->now[0], key);
    return value ? value : json_object_get(report->now[1], key);
}

/* Shown counts of which the one holds the other: what is between them are persons, too. */
static unsigned counts_count(unsigned threshold) {
    static const char *const pairs[][2] = {{"givers", "two_way"},
                                           {"participants", "givers"},
                                           {"participants", "receivers"},
                                           {"participants", "redeemers"},
                                           {"participants", "traders"},
                                           {"previous_givers", "retained_givers"},
                                           {"previous_givers", "lapsed_givers"},
                                           {"givers", "retained_givers"},
                                           {"givers", "frequent_givers"},
                                           {"givers", "new_givers"},
                                           {"givers", "returning_givers"},
                                           {"participants", "isolates"}};
    unsigned n = 0;
    for (size_t i = 0; i < n_shown_reports; i++) {
        const struct report *report = &shown_reports[i];
        for (size_t k = 0; k < N_ELEMENTS(count_keys); k++) {
            json_t *count = count_of(report, count_keys[k]);
            json_int_t value = json_integer_value(count);
            n += json_is_integer(count) && value > 0 && value < (json_int_t)threshold;
        }
        for (size_t k = 0; k < N_ELEMENTS(pairs); k++) {
            json_t *all = count_of(report, pairs[k][0]), *some = count_of(report, pairs[k][1]);
            json_int_t between = json_integer_value(all) - json_integer_value(some);
            bool is_few = json_is_integer(all) && json_is_integer(some) && between > 0 &&
                          between < (json_int_t)threshold;
            if (is_few)
                cr_log_warn("months %u+%u: %s less %s\n", report->run.first, report->run.n,
                            pairs[k][0], pairs[k][1]);
            n += is_few;
        }
    }
    return n;
}

/* Who began in a period adds up over months: by a figure, or by the two that leave it. */
static void learn_beginners(const struct report *report) {
    json_t *beginners = count_of(report, "new_givers"), *givers = count_of(report, "givers");
    if (!json_is_integer(beginners) &&
        !(json_is_integer(givers) && json_is_integer(count_of(report, "returning_givers"))))
        return;
    dense_add("new_givers", report->run, 1);
    line_add();
}

static unsigned n_new_in(struct run run) {
    static struct people people;
    unsigned n = 0;
    people_read(run, &people);
    for (uint32_t i = 0; i < scheme.n_persons; i++)
        n += is_counted(people.roles[i], false, "new_givers");
    return n;
}

static unsigned beginners_count(unsigned threshold) {
    unsigned n = 0;
    for (uint32_t first = 0; first < N_MONTHS; first++)
        for (uint32_t count = 1; first + count <= N_MONTHS; count++) {
            unsigned n_new = n_new_in((struct run){first, count});
            if (n_new >= threshold)
                break;
            bool has = n_new > 0 && attacker_has("new_givers", (struct run){first, count});
            if (has)
                cr_log_warn("months %u+%u: %u new givers\n", first, count, n_new);
            n += has;
        }
    for (size_t i = 0; i < n_shown_reports; i++) {
        json_t *givers = count_of(&shown_reports[i], "givers");
        unsigned n_returning =
            (unsigned)json_integer_value(givers) - n_new_in(shown_reports[i].run);
        n += json_is_integer(givers) && n_returning > 0 && n_returning < threshold &&
             attacker_has("new_givers", shown_reports[i].run);
    }
    return n;
}

/* A period's givers are the previous givers of the next: one is shown where the other is. */
static void compare_previous(void) {
    for (size_t i = 0; i < n_shown_reports; i++)
        for (size_t k = 0; k < n_shown_reports; k++) {
            struct run before = shown_reports[i].run, after = shown_reports[k].run;
            if (before.n != after.n || before.first + before.n != after.first)
                continue;
            json_t *givers = count_of(&shown_reports[i], "givers");
            json_t *previous = count_of(&shown_reports[k], "previous_givers");
            cr_assert(json_equal(givers, previous), "months %u+%u", before.first, before.n);
        }
}

/* ---- every table of a class */

static void reports_draw(const struct report_class *report_class, unsigned year_begins,
                         unsigned n_runs) {
    struct run runs[256];
    size_t n = 0;
    for (uint32_t i = 0; i < N_MONTHS; i++)
        runs[n++] = (struct run){i, 1};
    for (uint32_t size = 3; size <= 12; size *= 4)
        for (uint32_t i = 0; i + size <= N_MONTHS; i += size)
            runs[n++] = (struct run){i, size};
    for (unsigned i = 0; i < n_runs; i++) {
        uint32_t first = draw(N_MONTHS);
        runs[n++] = (struct run){first, 1 + draw(N_MONTHS - first)};
    }
    shown_reports = calloc(n, sizeof(*shown_reports));
    n_shown_reports = n;
    for (size_t i = 0; i < n; i++)
        shown_reports[i] = report_draw(runs[i], report_class, year_begins, i % 2);
    for (size_t i = 0; i < n; i++)
        report_walk(&shown_reports[i], meet);
    relate_all();
    for (size_t i = 0; i < n; i++) {
        report_walk(&shown_reports[i], learn);
        learn_beginners(&shown_reports[i]);
    }
    truth_begin();
}

static void reports_end(void) {
    for (size_t i = 0; i < n_shown_reports; i++)
        report_end(&shown_reports[i]);
    free(shown_reports);
    free(rows_by_path);
    attacker_end();
}

static unsigned n_figures_shown(void) {
    unsigned n = 0;
    for (size_t i = 0; i < n_shown_reports; i++) {
        n_collected = 0;
        report_walk(&shown_reports[i], collect);
        n += n_collected;
    }
    return n;
}

static struct report_class strict(unsigned threshold) {
    return (struct report_class){.number = TIMEBANK__REPORT_CLASS__FOR_FUNDER,
                                 .name = "funder",
                                 .threshold = threshold,
                                 .round_to = 1};
}

static void withstand(unsigned threshold, unsigned year_begins, unsigned n_runs) {
    struct report_class report_class = strict(threshold);
    reports_draw(&report_class, year_begins, n_runs);
    cr_expect_eq(attacker_count(threshold, 10, true), 0);
    cr_expect_eq(near_count(threshold), 0);
    cr_expect_eq(counts_count(threshold), 0);
    cr_expect_eq(beginners_count(threshold), 0);
    compare_previous();
    cr_expect_gt(n_figures_shown(), n_shown_reports, "something is left");
    reports_end();
}

Test(report_hide, withstands_an_attacker_on_schemes_drawn_by_chance) {
    for (unsigned seed = 1; seed <= 5; seed++) {
        scheme_draw(seed);
        withstand(seed % 2 ? 5 : 10, seed % 3 ? 4 : 9, 50);
        scheme_end();
    }
}

Test(report_hide, withstands_an_attacker_on_the_two_year_scheme_as_a_funder) {
    scheme_read();
    withstand(5, 4, 50);
    scheme_end();
}

Test(report_hide, withstands_an_attacker_on_the_two_year_scheme_in_public) {
    scheme_read();
    withstand(10, 4, 20);
    scheme_end();
}

Test(report_hide, falls_where_only_small_cells_are_hidden) {
    struct report_class report_class = strict(5);
    report_class.only_primary = true;
    scheme_draw(1);
    reports_draw(&report_class, 4, 20);
    cr_expect_gt(attacker_count(5, 10, false), 0);
    reports_end();
    scheme_end();
}

Test(report_hide, hides_nothing_where_the_threshold_is_off) {
    struct report_class report_class = strict(0);
    scheme_draw(1);
    reports_draw(&report_class, 4, 5);
    cr_expect_eq(attacker_count(5, 50, false), 50);
    cr_expect_eq(shown_reports[0].n_hidden, 0);
    reports_end();
    scheme_end();
}

/* ---- single rules */

static const char *text_at(const struct report *report, unsigned group, const char *key,
                           const char *name, const char *figure) {
    json_t *value = json_object_get(report->now[group], key);
    value = name ? json_object_get(value, name) : value;
    return json_string_value(figure ? json_object_get(value, figure) : value);
}

Test(report_hide, gives_the_same_whatever_the_order_of_rows_and_threads) {
    struct report_class report_class = strict(5);
    scheme_draw(4);
    for (uint32_t first = 0; first < N_MONTHS; first += 3) {
        struct report one = report_draw((struct run){first, 3}, &report_class, 4, false);
        struct report other = report_draw((struct run){first, 3}, &report_class, 4, true);
        for (size_t i = 0; i < 3; i++)
            cr_expect(json_equal(one.now[i], other.now[i]));
        cr_expect_eq(one.n_hidden, other.n_hidden);
        report_end(&one);
        report_end(&other);
    }
    scheme_end();
}

Test(report_hide, lets_no_figure_leave_that_no_rule_names) {
    struct report_class report_class = strict(5);
    scheme_draw(2);
    struct report report = report_draw((struct run){0, 12}, &report_class, 4, false);
    cr_expect_str_eq(text_at(&report, 0, "a_figure_that_no_rule_names", NULL, NULL), "[x]");
    report_end(&report);
    scheme_end();
}

/* A scheme of n_persons who each give an hour in the first month, and as much to each other. */
static void scheme_even(uint32_t n_persons, const char *activity) {
    chance = 1;
    scheme_begin(n_persons, 1);
    for (uint32_t i = 0; i < n_persons; i++)
        give(KIND(EXCHANGE), day_in(FIRST_MONTH, 1 + i % 28), i, (i + 1) % n_persons, activity, 60);
}

static void expect_cell(const char *activity, const char *wanted) {
    struct report_class report_class = strict(5);
    struct report report = report_draw((struct run){0, 1}, &report_class, 4, false);
    const char *text = text_at(&report, 0, "by_activity", activity, "minutes_given");
    cr_expect_str_eq(text ? text : "shown", wanted);
    report_end(&report);
    scheme_end();
}

Test(report_hide, shows_a_cell_of_as_many_persons_as_the_threshold) {
    scheme_even(5, "singing");
    expect_cell("singing", "shown");
    scheme_even(4, "singing");
    expect_cell("singing", "[c]");
}

Test(report_hide, hides_a_cell_of_which_one_person_gave_more_than_half) {
    scheme_even(8, "singing");
    give(KIND(EXCHANGE), day_in(FIRST_MONTH, 3), 0, 1, "singing", 360);
    expect_cell("singing", "shown");
    scheme_even(8, "singing");
    give(KIND(EXCHANGE), day_in(FIRST_MONTH, 3), 0, 1, "singing", 375);
    expect_cell("singing", "[c]");
}

Test(report_hide, hides_a_second_cell_so_that_the_first_does_not_follow) {
    for (unsigned only_primary = 0; only_primary < 2; only_primary++) {
        struct report_class report_class = strict(5);
        report_class.only_primary = only_primary;
        scheme_even(20, "singing");
        for (uint32_t i = 0; i < 6; i++)
            give(KIND(EXCHANGE), day_in(FIRST_MONTH, 9), i, 19 - i, "baking", 60);
        give(KIND(EXCHANGE), day_in(FIRST_MONTH, 9), 7, 8, "welding", 60);
        struct report report = report_draw((struct run){0, 1}, &report_class, 4, false);
        cr_expect_str_eq(text_at(&report, 0, "by_activity", "welding", "minutes_given"), "[c]");
        cr_expect_eq(text_at(&report, 0, "by_activity", "baking", "minutes_given") != NULL,
                     !only_primary);
        cr_expect_null(text_at(&report, 0, "by_activity", "singing", "minutes_given"));
        report_end(&report);
        scheme_end();
    }
}

Test(report_hide, hides_the_bands_where_one_holds_everybody) {
    struct report_class report_class = strict(5);
    scheme_even(30, "singing");
    struct report report = report_draw((struct run){0, 1}, &report_class, 4, false);
    cr_expect_str_eq(text_at(&report, 1, "by_band", "100_h_or_more", "givers"), "[c]");
    cr_expect_str_eq(text_at(&report, 1, "by_band", "under_5_h", "givers"), "[c]");
    report_end(&report);
    scheme_end();
}

Test(report_hide, rounds_in_public_hours_and_counts_to_five) {
    const struct report_class *in_public = report_class_get(TIMEBANK__REPORT_CLASS__FOR_PUBLIC);
    scheme_even(33, "singing");
    struct report report = report_draw((struct run){0, 1}, in_public, 4, false);
    json_t *figures = json_object_get(json_object_get(report.now[0], "by_activity"), "singing");
    cr_expect_eq(json_integer_value(json_object_get(figures, "minutes_given")), 2100);
    cr_expect_eq(json_integer_value(json_object_get(report.now[0], "givers")), 35);
    report_end(&report);
    scheme_end();
}

Test(report_hide, takes_whole_months_and_says_which) {
    const struct report_class *funder = report_class_get(TIMEBANK__REPORT_CLASS__FOR_FUNDER);
    const struct report_class *internal = report_class_get(TIMEBANK__REPORT_CLASS__CLASS_NONE);
    struct report_period period;
    char sentence[REPORT_CLASS_SENTENCE_BYTES];
    cr_assert_eq(report_period_init(&period, day_in(FIRST_MONTH, 2), day_in(FIRST_MONTH + 1, 31)),
                 0);
    cr_expect(report_class_takes(internal, &period));
    cr_expect_not(report_class_takes(funder, &period));
    report_class_say_period(funder, &period, sentence);
    cr_expect(strstr(sentence, "--from 2023-04-01 --to 2023-05-31"), "%s", sentence);
    cr_expect_null(report_class_get((Timebank__ReportClass)9));
}

Test(report_hide, lists_what_is_hidden_of_each_month) {
    struct report_class report_class = strict(5);
    _cleanup_bytes_ struct bytes list = {0};
    void *sums = calloc(1, report_cells.sums_bytes);
    scheme_even(4, "singing");
    struct report_pick pick = pick_of((struct run){0, 2}, &report_class, 4);
    note_all(&pick, sums, false);
    cr_assert_eq(report_hidden_list(&pick, sums, &list), 0);
    _cleanup_(freep) char *text = bytes_take_text(&list);
    cr_expect(strstr(text, "2023-04 by_activity\tsinging\n"), "%s", text);
    cr_expect(strstr(text, "2023-04 minutes_given\n"), "%s", text);
    cr_expect_null(strstr(text, "2023-05"));
    report_cells.end(sums);
    free(sums);
    scheme_end();
}

static char *list_at(struct run run, const struct report_class *report_class) {
    _cleanup_bytes_ struct bytes list = {0};
    void *sums = calloc(1, report_cells.sums_bytes);
    struct report_pick pick = pick_of(run, report_class, 4);
    note_all(&pick, sums, false);
    cr_assert_eq(report_hidden_list(&pick, sums, &list), 0);
    bytes_put_text(&list, ".");
    report_cells.end(sums);
    free(sums);
    return bytes_take_text(&list);
}

/* Rows are drawn month by month: those up to a month's end are what was known then. */
Test(report_hide, decides_a_month_once_whatever_comes_later) {
    for (unsigned seed = 1; seed <= 9; seed++) {
        struct report_class report_class = strict(seed % 2 ? 5 : 10);
        scheme_draw(seed);
        size_t n_rows = scheme.n_rows;
        for (uint32_t month = 0; month < N_MONTHS; month++) {
            scheme.n_rows = n_rows;
            _cleanup_(freep) char *later = list_at((struct run){month, 1}, &report_class);
            while (scheme.n_rows > 0 && month_of(&scheme.rows[scheme.n_rows - 1]) > month)
                scheme.n_rows--;
            _cleanup_(freep) char *then = list_at((struct run){month, 1}, &report_class);
            cr_expect_str_eq(later, then, "seed %u, month %u", seed, month);
        }
        scheme.n_rows = n_rows;
        scheme_end();
    }
}
