/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closed periods and programmes. A period is closed for ever: what then comes for a date of service
 * in it comes late, and is kept in a list of its own beside the period, so that the figures as they
 * were closed and as they are now can be told apart entry by entry.
 *
 * Rows of STATE_PERIODS: last day u32, a period; date of service u32 || record u64, what came late.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/dates.h"
#include "rules.h"

#define DAY_KEY_BYTES 4
#define LATE_KEY_BYTES 12

static bool is_closed(const struct rule *rule, uint32_t service_day) {
    return service_day != 0 && service_day <= rule->state->sums.closed_to_day;
}

int rules_period_check(struct rule *rule) {
    uint32_t service_day = rule->order->service_day;
    char day[16], closed_to[16];

    if (!is_closed(rule, service_day) || rule_is_history(rule) ||
        rule_overrides(rule, OVERRIDES_PERIOD))
        return 0;
    dates_format_iso(service_day, day);
    dates_format_iso((uint32_t)rule->state->sums.closed_to_day, closed_to);
    return rule_refuse(rule, REFUSAL_PERIOD_CLOSED, "service_day",
                       "%s lies in a period that is closed, up to %s: %s.", day, closed_to,
                       rule_is_broker(rule) ? "enter it as late with --late and --why"
                                            : "ask a broker");
}

static bool takes_its_day_from_target(const struct rule *rule) {
    return rule->kind->number == TIMEBANK__ORDER__KIND_REVERSE ||
           rule->kind->number == TIMEBANK__ORDER__KIND_CAPTURE ||
           (rule->kind->number == TIMEBANK__ORDER__KIND_DECIDE && rule->order->minutes > 0);
}

/* The date of service under which the order counts; 0: it counts under none. */
static int find_service_day(struct rule *rule, uint32_t *ret) {
    const ProtobufCBinaryData *target = record_order_target(rule->order);
    const Timebank__Order *order;
    const struct state_id *id;
    uint64_t received_at_ms;
    int r = 0;

    *ret = rule->kind->traits & COUNTS ? rule->order->service_day : 0;
    if (*ret != 0 || !target || !takes_its_day_from_target(rule))
        return 0;
    id = state_get(rule->state, STATE_IDS, target->data, target->len, &r);
    if (id)
        r = rules_pending_order(rule, id->entry, &order, &received_at_ms);
    if (id && r == 0)
        *ret = order->service_day;
    return r;
}

int rules_period_note_late(struct rule *rule) {
    uint8_t key[LATE_KEY_BYTES];
    uint32_t service_day;
    char day[16];
    void *value;
    int r;

    if (rule->state->sums.closed_to_day == 0)
        return 0;
    r = find_service_day(rule, &service_day);
    if (r < 0 || !is_closed(rule, service_day))
        return r;
    be32_put(key, service_day);
    be64_put(key + DAY_KEY_BYTES, rule->index);
    r = state_make(rule->state, STATE_PERIODS, key, sizeof(key), &value);
    if (r < 0)
        return r;
    ((struct state_period *)value)->closed = rule->is_settling ? rule->proposed : rule->index;
    dates_format_iso(service_day, day);
    return rule_warn(rule, WARNING_LATE_ENTRY, 0,
                     "%s lies in a period that is closed: this comes late, and the figures now "
                     "differ from those at the close.",
                     day);
}

static int find_period(struct rule *rule, uint32_t to_day, struct state_period **ret) {
    uint8_t key[DAY_KEY_BYTES];
    void *value;
    int r;

    be32_put(key, to_day);
    r = state_make(rule->state, STATE_PERIODS, key, sizeof(key), &value);
    *ret = r < 0 ? NULL : value;
    return r;
}

static int check_last_day(struct rule *rule, uint32_t to_day) {
    char text[16];

    if (to_day == 0)
        return rule_refuse(rule, REFUSAL_BAD_DATE, "to_day",
                           "The last day of the period is missing: name it.");
    dates_format_iso(to_day, text);
    if (to_day >= rule->today)
        return rule_refuse(rule, REFUSAL_FUTURE_DATE, "to_day",
                           "%s is not over yet: close the period on a later day.", text);
    if (!is_closed(rule, to_day))
        return 0;
    dates_format_iso((uint32_t)rule->state->sums.closed_to_day, text);
    return rule_refuse(rule, REFUSAL_PERIOD_CLOSED, "to_day",
                       "Everything up to %s is closed already, and stays closed: enter what comes "
                       "late with --late and --why.",
                       text);
}

int rules_period_close(struct rule *rule) {
    struct state_sums *sums = &rule->state->sums;
    uint32_t to_day = rule->order->close_period->to_day;
    struct state_period *period = NULL;
    int r = check_last_day(rule, to_day);

    if (r == 0 && sums->closed_to_day != 0) {
        r = find_period(rule, (uint32_t)sums->closed_to_day, &period);
        if (r == 0)
            period->is_last = false;
    }
    if (r == 0)
        r = find_period(rule, to_day, &period);
    if (r != 0)
        return r;
    period->closed = rule->index;
    period->is_last = true;
    sums->closed_to_day = to_day;
    return 0;
}

int rules_period_programme(struct rule *rule) {
    const Timebank__SetProgramme *set = rule->order->set_programme;
    struct state_programme *programme;
    void *value;
    int r = 0;

    if (!code_name_is_valid(set->name))
        return rule_refuse(rule, REFUSAL_BAD_TEXT, "name", NULL);
    if (*set->funder &&
        !state_get(rule->state, STATE_FUNDERS, set->funder, strlen(set->funder), &r))
        return r < 0 ? r
                     : rule_refuse(rule, REFUSAL_UNKNOWN_FUNDER, "funder",
                                   "There is no funder %s: check the spelling, or add it with "
                                   "timebank funder add.",
                                   set->funder);
    r = state_make(rule->state, STATE_PROGRAMMES, set->name, strlen(set->name), &value);
    if (r < 0)
        return r;
    programme = value;
    programme->set_by = rule->index;
    snprintf(programme->funder, sizeof(programme->funder), "%s", set->funder);
    return 0;
}

int rules_period_check_programme(struct rule *rule) {
    const Timebank__Issue *issue = rule->order->issue;
    const struct state_programme *programme;
    int r = 0;

    if (*issue->programme == '\0' || strcmp(state_policy(rule->state, "programmes"), "listed") != 0)
        return 0;
    programme =
        state_get(rule->state, STATE_PROGRAMMES, issue->programme, strlen(issue->programme), &r);
    if (!programme)
        return r < 0 ? r
                     : rule_refuse(rule, REFUSAL_UNKNOWN_PROGRAMME, "programme",
                                   "There is no programme %s: check the spelling, or add it with "
                                   "timebank programme add.",
                                   issue->programme);
    if (*programme->funder && strcmp(programme->funder, issue->funder) != 0)
        return rule_refuse(rule, REFUSAL_UNKNOWN_PROGRAMME, "programme",
                           "The programme %s is funded by %s: name that funder, or another "
                           "programme.",
                           issue->programme, programme->funder);
    return 0;
}
