/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A venue's periodic statement: its own figures of whole calendar months, by offer, beside those of
 * the ledger (takings by date of service, less what was taken back). Nothing moves. Retiring takes
 * what a venue has accepted out of circulation.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/hours.h"
#include "rules.h"

#define DAYS_MAX (5u * 366)
#define LINES_MAX 1000u

struct line {
    const char *offer; /* "": vouchers that were taken for no offer by name */
    bool is_known;     /* what the venue never offered was never taken, and is not looked for */
    uint64_t heads;
    uint64_t minutes;
    uint64_t ledger_heads;
    uint64_t ledger_minutes;
};

struct lines {
    struct line *items;
    size_t n;
    size_t n_allocated;
};

static int check_period(struct rule *rule, const Timebank__VenueReturn *given) {
    uint32_t from = given->from_day, to = given->to_day;

    if (from == 0 || to < from || rules_offer_month(from) != from ||
        rules_offer_next_month(to) != to + 1)
        return rule_refuse(rule, REFUSAL_BAD_DATE, "from_day",
                           "A return is of whole calendar months: give the month as --month "
                           "2025-03.");
    if (to - from > DAYS_MAX)
        return rule_refuse(rule, REFUSAL_BAD_DATE, "from_day",
                           "A return is of five years at most: send one for each month.");
    if (to > rule->today)
        return rule_refuse(rule, REFUSAL_FUTURE_DATE, "to_day",
                           "That month is not over yet: send the return on its last day or "
                           "later.");
    return 0;
}

static struct line *add_line(struct rule *rule, struct lines *lines, const char *offer) {
    if (lines->n == lines->n_allocated) {
        size_t n = lines->n_allocated ? lines->n_allocated * 2 : 32;
        struct line *items = arena_alloc(rule->arena, n * sizeof(*items));
        if (!items)
            return NULL;
        if (lines->n > 0)
            memcpy(items, lines->items, lines->n * sizeof(*items));
        lines->items = items;
        lines->n_allocated = n;
    }
    lines->items[lines->n] = (struct line){.offer = offer};
    return &lines->items[lines->n++];
}

static struct line *find_line(const struct lines *lines, const char *offer) {
    for (size_t i = 0; i < lines->n; i++)
        if (strcmp(lines->items[i].offer, offer) == 0)
            return &lines->items[i];
    return NULL;
}

static int add_given(struct rule *rule, const Timebank__VenueReturn *given, struct lines *lines) {
    if (given->n_offers != given->n_heads || given->n_offers != given->n_minutes)
        return rule_refuse(rule, REFUSAL_NOT_CANONICAL, "offers", NULL);
    if (given->n_offers > LINES_MAX)
        return rule_refuse(rule, REFUSAL_BAD_NUMBER, "offers",
                           "A return has %u lines at most: send one for each month.", LINES_MAX);
    for (size_t i = 0; i < given->n_offers; i++) {
        struct line *line;
        if (*given->offers[i] && !code_name_is_valid(given->offers[i]))
            return rule_refuse(rule, REFUSAL_BAD_TEXT, "offers", NULL);
        if (find_line(lines, given->offers[i]))
            return rule_refuse(rule, REFUSAL_DUPLICATE_ROW, "offers",
                               "The return has two lines for %s: add them up.", given->offers[i]);
        line = add_line(rule, lines, given->offers[i]);
        if (!line)
            return -ENOMEM;
        line->heads = given->heads[i];
        line->minutes = given->minutes[i];
    }
    return 0;
}

static int add_known(struct rule *rule, struct lines *lines, const char *offer) {
    struct line *line = find_line(lines, offer);

    if (!line)
        line = add_line(rule, lines, offer);
    if (!line)
        return -ENOMEM;
    line->is_known = true;
    return 0;
}

/* Every offer of the venue, of this state and those below it. */
static int add_offers(struct rule *rule, struct lines *lines) {
    size_t n_venue = strlen(rule->order->from);

    for (struct state *state = rule->state; state; state = state->below)
        for (const struct row *row = rows_next(&state->tables[STATE_OFFERS], NULL); row;
             row = rows_next(&state->tables[STATE_OFFERS], row)) {
            char *name;
            if (row->n_key <= n_venue || memcmp(row->key, rule->order->from, n_venue) != 0 ||
                row->key[n_venue] != '/')
                continue;
            name = arena_alloc(rule->arena, row->n_key - n_venue);
            if (!name)
                return -ENOMEM;
            memcpy(name, row->key + n_venue + 1, row->n_key - n_venue - 1);
            name[row->n_key - n_venue - 1] = '\0';
            if (add_known(rule, lines, name) < 0)
                return -ENOMEM;
        }
    return add_known(rule, lines, "");
}

static int add_up(struct rule *rule, const Timebank__VenueReturn *given, struct lines *lines) {
    for (size_t i = 0; i < lines->n; i++)
        for (uint32_t day = given->from_day; lines->items[i].is_known && day < given->to_day;
             day = rules_offer_next_month(day)) {
            int r = 0;
            struct state_offer_sum sum = rules_offer_sum(
                rule->state, OFFER_MONTH, rule->order->from, lines->items[i].offer, "", day, &r);
            if (r < 0)
                return r;
            lines->items[i].ledger_heads += sum.heads;
            lines->items[i].ledger_minutes += sum.minutes;
        }
    return 0;
}

static int compare_offers(const void *a, const void *b) {
    return strcmp(((const struct line *)a)->offer, ((const struct line *)b)->offer);
}

static bool differs(const struct line *line) {
    return line->heads != line->ledger_heads || line->minutes != line->ledger_minutes;
}

static void put_figures(FILE *to, uint64_t heads, uint64_t minutes) {
    char text[32];

    hours_format(minutes <= INT64_MAX ? (int64_t)minutes : INT64_MAX, text);
    fprintf(to, "%llu head%s and %s", (unsigned long long)heads, heads == 1 ? "" : "s", text);
}

/* "swim: 12 heads and 12 h in the ledger, 13 heads and 13 h in the return; ..." */
static int put_differences(const struct lines *lines, char **ret_text) {
    const char *before = "";
    size_t n_text;
    FILE *to = open_memstream(ret_text, &n_text);

    if (!to)
        return -ENOMEM;
    for (size_t i = 0; i < lines->n; i++) {
        const struct line *line = &lines->items[i];
        if (!differs(line))
            continue;
        fprintf(to, "%s%s: ", before, *line->offer ? line->offer : "vouchers for no offer");
        put_figures(to, line->ledger_heads, line->ledger_minutes);
        fputs(" in the ledger, ", to);
        put_figures(to, line->heads, line->minutes);
        fputs(" in the return", to);
        before = "; ";
    }
    return fclose(to) == 0 ? 0 : -ENOMEM;
}

static int tell_differences(struct rule *rule, const struct lines *lines) {
    _cleanup_(freep) char *text = NULL;
    int r = put_differences(lines, &text);

    if (r < 0)
        return r;
    if (rule_overrides(rule, OVERRIDES_RULES))
        return rule_warn(rule, WARNING_RETURN_DIFFERS, 0, "%s.", text);
    return rule_refuse(rule, REFUSAL_RETURN_DIFFERS, "offers", "%s: check these lines, or %s.",
                       text, rule_is_broker(rule) ? "insist with --why" : "ask a broker");
}

int rules_return(struct rule *rule) {
    const Timebank__VenueReturn *given = rule->order->venue_return;
    struct lines lines = {0};
    int r = check_period(rule, given);

    if (r == 0)
        r = add_given(rule, given, &lines);
    if (r == 0)
        r = add_offers(rule, &lines);
    if (r == 0)
        r = add_up(rule, given, &lines);
    if (r != 0)
        return r;
    qsort(lines.items, lines.n, sizeof(*lines.items), compare_offers);
    for (size_t i = 0; i < lines.n; i++)
        if (differs(&lines.items[i]))
            return tell_differences(rule, &lines);
    return 0;
}

int rules_return_retire(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    int r = rules_move_check(rule, order->from, order->to, order->minutes);

    return r == 0 ? rules_move(rule, order->from, order->to, order->minutes) : r;
}
