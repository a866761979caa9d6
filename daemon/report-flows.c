/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What moved, by kind, and what was outstanding before and after. The two are summed apart, flows
 * by kind of entry and outstanding by kind of account, so that the bridge between them proves
 * something.
 */
#include "proto/refusal.h"
#include "report-parts.h"

/* Outstanding: with members, organisations, the chest, in transit and in vouchers. */
static bool is_outstanding(const struct facts *facts, uint32_t account) {
    if (account == INTERN_NONE)
        return false;
    switch (facts->accounts[account].kind) {
    case TIMEBANK__ACCOUNT_KIND__MEMBER:
    case TIMEBANK__ACCOUNT_KIND__ORGANISATION:
    case TIMEBANK__ACCOUNT_KIND__CHEST:
    case TIMEBANK__ACCOUNT_KIND__TRANSIT:
    case TIMEBANK__ACCOUNT_KIND__VOUCHERS:
        return true;
    default:
        return false;
    }
}

static int64_t outstanding_change(const struct report_pick *pick, const struct report_row *row) {
    const struct fact *fact = row->fact;
    if (fact->kind == TIMEBANK__ORDER__KIND_LOG)
        return 0;
    int sign = is_outstanding(pick->facts, fact->to) - is_outstanding(pick->facts, fact->from);
    return sign * (int64_t)row->minutes;
}

static void sum_redeem(const struct report_row *row, struct report_flows *flows) {
    flows->redeem_minutes += row->minutes;
    flows->n_redemptions++;
    flows->n_adults += row->fact->adults;
    flows->n_under16 += row->fact->under16;
}

static void sum_grant(const struct report_pick *pick, const struct report_row *row,
                      struct report_flows *flows) {
    if (is_outstanding(pick->facts, row->fact->from))
        flows->chest_grant_minutes += row->minutes;
    else
        flows->issued_grant_minutes += row->minutes;
}

static void sum_row(const struct report_pick *pick, const struct report_row *row,
                    struct report_flows *flows) {
    switch (row->fact->kind) {
    case TIMEBANK__ORDER__KIND_EXCHANGE:
        flows->exchange_minutes += row->minutes;
        break;
    case TIMEBANK__ORDER__KIND_EARN:
        flows->earn_minutes += row->minutes;
        break;
    case TIMEBANK__ORDER__KIND_LOG:
        flows->log_minutes += row->minutes;
        break;
    case TIMEBANK__ORDER__KIND_GIFT:
        flows->gift_minutes += row->minutes;
        break;
    case TIMEBANK__ORDER__KIND_DONATE:
        flows->donate_minutes += row->minutes;
        break;
    case TIMEBANK__ORDER__KIND_GRANT:
        sum_grant(pick, row, flows);
        break;
    case TIMEBANK__ORDER__KIND_ISSUE:
        flows->issue_minutes += row->minutes;
        break;
    case TIMEBANK__ORDER__KIND_REDEEM:
        sum_redeem(row, flows);
        break;
    default:
        break;
    }
}

void report_flows_sum(const struct report_pick *pick, struct report_flows *ret) {
    struct report_flows flows = {0};
    for (size_t i = 0; i < pick->n_rows; i++) {
        const struct report_row *row = &pick->rows[i];
        int64_t change = outstanding_change(pick, row);
        if (row->fact->service_day < pick->period.from_day)
            flows.opening_minutes += change;
        if (row->fact->service_day <= pick->period.to_day)
            flows.closing_minutes += change;
        if (report_row_in_period(pick, row))
            sum_row(pick, row, &flows);
    }
    *ret = flows;
}

/* The other terms of the bridge (advances, repayments, expiry, write-offs, other banks) have no
 * kind of order; were there one that counts, the two sides would differ here until it is added. */
int report_flows_check_bridge(const struct report_flows *flows) {
    int64_t created = (int64_t)(flows->issue_minutes + flows->issued_grant_minutes);
    int64_t spent = (int64_t)flows->redeem_minutes;
    return flows->opening_minutes + created - spent == flows->closing_minutes ? 0 : REFUSAL_BRIDGE;
}

void report_flows_put(const struct report_flows *flows, struct report_json *measures) {
    const struct {
        const char *key;
        uint64_t value;
    } lines[] = {
        {"minutes_given", flows->exchange_minutes + flows->earn_minutes},
        {"minutes_given_exchange", flows->exchange_minutes},
        {"minutes_given_earn", flows->earn_minutes},
        {"minutes_given_session", 0},
        {"minutes_given_without_credit", flows->log_minutes},
        {"minutes_redeemed", flows->redeem_minutes},
        {"redemptions", flows->n_redemptions},
        {"admitted_adults", flows->n_adults},
        {"admitted_under16", flows->n_under16},
        {"minutes_gifted", flows->gift_minutes},
        {"minutes_donated", flows->donate_minutes},
        {"minutes_granted", flows->issued_grant_minutes},
        {"minutes_granted_from_chest", flows->chest_grant_minutes},
        {"minutes_issued", flows->issue_minutes},
        {"minutes_advanced", 0},
        {"minutes_repaid", 0},
        {"minutes_expired", 0},
        {"minutes_retired", 0},
    };
    for (size_t i = 0; i < N_ELEMENTS(lines); i++)
        report_json_put(measures, lines[i].key, lines[i].value);
}

void report_flows_put_outstanding(const struct report_flows *flows, struct report_json *measures) {
    report_json_put_signed(measures, "outstanding_opening", flows->opening_minutes);
    report_json_put_signed(measures, "outstanding_closing", flows->closing_minutes);
}
