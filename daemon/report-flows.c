/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What moved, by kind, and what was outstanding before and after. The two are summed apart, flows
 * by what the orders state and outstanding by the legs that were posted, so that the bridge between
 * them proves something.
 */
#include "proto/refusal.h"
#include "report-parts.h"

static void sum_redeem(const struct report_picked *row, struct report_flows *flows) {
    flows->redeem_minutes += row->minutes;
    flows->n_redemptions++;
    flows->n_adults += row->fact->adults;
    flows->n_under16 += row->fact->under16;
}

static void sum_grant(const struct report_pick *pick, const struct report_picked *row,
                      struct report_flows *flows) {
    if (pick->facts->accounts[row->fact->from].kind == TIMEBANK__ACCOUNT_KIND__CHEST)
        flows->chest_grant_minutes += row->minutes;
    else
        flows->issued_grant_minutes += row->minutes;
}

static void sum_row(const struct report_pick *pick, const struct report_picked *row,
                    struct report_flows *flows) {
    switch (row->fact->kind) {
    case TIMEBANK__ORDER__KIND_EXCHANGE:
        flows->exchange_minutes += row->minutes;
        break;
    case TIMEBANK__ORDER__KIND_EARN:
        flows->earn_minutes += row->minutes;
        break;
    case TIMEBANK__ORDER__KIND_SESSION:
        flows->session_minutes += row->minutes;
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
    case TIMEBANK__ORDER__KIND_MINT_VOUCHERS:
        sum_grant(pick, row, flows);
        break;
    case TIMEBANK__ORDER__KIND_ISSUE:
        flows->issue_minutes += row->minutes;
        break;
    case TIMEBANK__ORDER__KIND_REDEEM:
        sum_redeem(row, flows);
        break;
    case TIMEBANK__ORDER__KIND_ADVANCE:
    case TIMEBANK__ORDER__KIND_PLEDGE:
        flows->advance_minutes += row->minutes;
        break;
    default:
        break;
    }
}

static bool is_service(uint16_t kind) {
    return kind == TIMEBANK__ORDER__KIND_EXCHANGE || kind == TIMEBANK__ORDER__KIND_EARN ||
           kind == TIMEBANK__ORDER__KIND_SESSION;
}

static bool is_out_of_issued(uint16_t kind) {
    return kind == TIMEBANK__ORDER__KIND_ISSUE || kind == TIMEBANK__ORDER__KIND_GRANT ||
           kind == TIMEBANK__ORDER__KIND_MINT_VOUCHERS;
}

static bool is_advance(uint16_t kind) {
    return kind == TIMEBANK__ORDER__KIND_ADVANCE || kind == TIMEBANK__ORDER__KIND_PLEDGE;
}

/* What no order states, because it follows from a balance or a debt. Advances that are neither
 * earned nor taken back were written off with their member's account. */
static void sum_move(const struct fact_move *move, struct report_flows *flows) {
    const int64_t *minutes = move->minutes;
    flows->expired_minutes += minutes[PLACE_EXPIRED];
    flows->retired_minutes += minutes[PLACE_RETIRED];
    flows->to_banks_minutes += minutes[PLACE_BANKS];
    flows->written_off_minutes += minutes[PLACE_WRITE_OFFS];
    if (is_service(move->kind))
        flows->repaid_minutes += minutes[PLACE_ADVANCES];
    else if (!is_advance(move->kind))
        flows->written_off_minutes += minutes[PLACE_ADVANCES];
    if (!is_out_of_issued(move->kind))
        flows->given_back_minutes += minutes[PLACE_ISSUED];
}

static void sum_moves(const struct report_pick *pick, struct report_flows *flows) {
    const struct facts *facts = pick->facts;
    for (size_t i = 0; i < facts->n_moves; i++) {
        const struct fact_move *move = &facts->moves[i];
        if (!report_pick_knows(pick, &move->entered) ||
            !report_pick_knows(pick, &facts->orders[move->order].entered))
            continue;
        if (move->service_day < pick->period.from_day)
            flows->opening_minutes += move->minutes[PLACE_OUTSTANDING];
        if (move->service_day <= pick->period.to_day)
            flows->closing_minutes += move->minutes[PLACE_OUTSTANDING];
        if (report_period_holds(&pick->period, move->service_day))
            sum_move(move, flows);
    }
}

void report_flows_sum(const struct report_pick *pick, struct report_flows *ret) {
    struct report_flows flows = {0};
    for (size_t i = 0; i < pick->n_rows; i++)
        if (report_picked_in_period(pick, &pick->rows[i]))
            sum_row(pick, &pick->rows[i], &flows);
    sum_moves(pick, &flows);
    *ret = flows;
}

int report_flows_check_bridge(const struct report_flows *flows) {
    int64_t created =
        (int64_t)(flows->issue_minutes + flows->issued_grant_minutes + flows->advance_minutes);
    int64_t ended = (int64_t)flows->redeem_minutes + flows->repaid_minutes +
                    flows->expired_minutes + flows->written_off_minutes + flows->to_banks_minutes +
                    flows->given_back_minutes;
    return flows->opening_minutes + created - ended == flows->closing_minutes ? 0 : REFUSAL_BRIDGE;
}

void report_flows_put(const struct report_flows *flows, struct report_json *measures) {
    const struct {
        const char *key;
        uint64_t value;
    } lines[] = {
        {"minutes_given", flows->exchange_minutes + flows->earn_minutes + flows->session_minutes},
        {"minutes_given_exchange", flows->exchange_minutes},
        {"minutes_given_earn", flows->earn_minutes},
        {"minutes_given_session", flows->session_minutes},
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
        {"minutes_advanced", flows->advance_minutes},
    };
    for (size_t i = 0; i < N_ELEMENTS(lines); i++)
        report_json_put(measures, lines[i].key, lines[i].value);
    report_json_put_signed(measures, "minutes_repaid", flows->repaid_minutes);
    report_json_put_signed(measures, "minutes_expired", flows->expired_minutes);
    report_json_put_signed(measures, "minutes_retired", flows->retired_minutes);
}

void report_flows_put_outstanding(const struct report_flows *flows, struct report_json *measures) {
    report_json_put_signed(measures, "outstanding_opening", flows->opening_minutes);
    report_json_put_signed(measures, "outstanding_closing", flows->closing_minutes);
}
