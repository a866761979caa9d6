/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What moved, by kind, and what was outstanding before and after. The two are summed apart, flows
 * by what the orders state and outstanding by the legs that were posted, so that the bridge between
 * them proves something.
 */
#include <inttypes.h>
#include <stdio.h>

#include "proto/refusal.h"
#include "report-part.h"

struct flows {
    uint64_t exchange_minutes;
    uint64_t earn_minutes;
    uint64_t session_minutes;
    uint64_t log_minutes;
    uint64_t redeem_minutes;
    uint64_t n_redemptions;
    uint64_t n_adults;
    uint64_t n_under16;
    uint64_t gift_minutes;
    uint64_t donate_minutes;
    uint64_t issued_grant_minutes;
    uint64_t chest_grant_minutes;
    uint64_t issue_minutes;
    uint64_t advance_minutes;
    int64_t repaid_minutes; /* from here on as the legs say; less what was taken back */
    int64_t expired_minutes;
    int64_t retired_minutes;
    int64_t written_off_minutes; /* below zero: debts that the bank took over */
    int64_t to_banks_minutes;    /* less what came from them */
    int64_t given_back_minutes;  /* to issued: allotments, vouchers out of new credit */
    int64_t opening_minutes;
    int64_t closing_minutes;
};

static void sum_redeem(const struct report_row *row, struct flows *flows) {
    flows->redeem_minutes += row->minutes;
    flows->n_redemptions++;
    flows->n_adults += row->adults;
    flows->n_under16 += row->under16;
}

static void sum_grant(const struct report_pick *pick, const struct report_row *row,
                      struct flows *flows) {
    if (pick->facts->accounts[row->from].kind == TIMEBANK__ACCOUNT_KIND__CHEST)
        flows->chest_grant_minutes += row->minutes;
    else
        flows->issued_grant_minutes += row->minutes;
}

static void sum_row(const struct report_pick *pick, const struct report_row *row,
                    struct flows *flows) {
    switch (row->kind) {
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

static bool is_out_of_issued(uint16_t kind) {
    return kind == TIMEBANK__ORDER__KIND_ISSUE || kind == TIMEBANK__ORDER__KIND_GRANT ||
           kind == TIMEBANK__ORDER__KIND_MINT_VOUCHERS;
}

static bool is_advance(uint16_t kind) {
    return kind == TIMEBANK__ORDER__KIND_ADVANCE || kind == TIMEBANK__ORDER__KIND_PLEDGE;
}

/* What no order states, because it follows from a balance or a debt. Advances that are neither
 * earned nor taken back were written off with their member's account. */
static void sum_move(const struct report_flow *row, struct flows *flows) {
    const int64_t *minutes = row->minutes;
    flows->expired_minutes += minutes[PLACE_EXPIRED];
    flows->retired_minutes += minutes[PLACE_RETIRED];
    flows->to_banks_minutes += minutes[PLACE_BANKS];
    flows->written_off_minutes += minutes[PLACE_WRITE_OFFS];
    if (report_pick_is_service(row->kind, 0))
        flows->repaid_minutes += minutes[PLACE_ADVANCES];
    else if (!is_advance(row->kind))
        flows->written_off_minutes += minutes[PLACE_ADVANCES];
    if (!is_out_of_issued(row->kind))
        flows->given_back_minutes += minutes[PLACE_ISSUED];
}

static int note(void *sums, const struct report_pick *pick, const struct report_row *rows,
                size_t n) {
    struct flows flows = *(struct flows *)sums;
    for (size_t i = 0; i < n; i++)
        if (rows[i].in_period)
            sum_row(pick, &rows[i], &flows);
    *(struct flows *)sums = flows;
    return 0;
}

static int note_flows(void *sums, const struct report_pick *pick, const struct report_flow *rows,
                      size_t n) {
    struct flows *flows = sums;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].service_day < pick->period.from_day)
            flows->opening_minutes += rows[i].minutes[PLACE_OUTSTANDING];
        if (rows[i].service_day <= pick->period.to_day)
            flows->closing_minutes += rows[i].minutes[PLACE_OUTSTANDING];
        if (report_period_holds(&pick->period, rows[i].service_day))
            sum_move(&rows[i], flows);
    }
    return 0;
}

/* Of integers only. */
static int merge(void *sums, const struct report_pick *pick, void *other) {
    (void)pick;
    const uint64_t *from = other;
    uint64_t *to = sums;
    static_assert(sizeof(struct flows) % sizeof(*to) == 0, "a struct of 64-bit integers");
    for (size_t i = 0; i < sizeof(struct flows) / sizeof(*to); i++)
        to[i] += from[i];
    return 0;
}

/* ---- the bridge */

static int64_t bridge_sum(const struct flows *flows) {
    return flows->opening_minutes + (int64_t)flows->issue_minutes +
           (int64_t)flows->issued_grant_minutes + (int64_t)flows->advance_minutes -
           flows->given_back_minutes - flows->repaid_minutes - (int64_t)flows->redeem_minutes -
           flows->expired_minutes - flows->written_off_minutes - flows->to_banks_minutes;
}

static void say_why(const struct report_pick *pick, const struct flows *flows) {
    if (!pick->why)
        return;
    snprintf(pick->why, REPORT_WHY_BYTES,
             "The credits do not add up: opening %" PRId64 " + issued %" PRIu64
             " + granted %" PRIu64 " + advanced %" PRIu64 " - given back %" PRId64
             " - repaid %" PRId64 " - redeemed %" PRIu64 " - expired %" PRId64
             " - written off %" PRId64 " - to other banks %" PRId64 " is %" PRId64
             " minutes, but closing is %" PRId64 ": run timebankd check --full and tell a steward.",
             flows->opening_minutes, flows->issue_minutes, flows->issued_grant_minutes,
             flows->advance_minutes, flows->given_back_minutes, flows->repaid_minutes,
             flows->redeem_minutes, flows->expired_minutes, flows->written_off_minutes,
             flows->to_banks_minutes, bridge_sum(flows), flows->closing_minutes);
}

static int put(void *sums, const struct report_pick *pick, struct report_out *out) {
    const struct flows *flows = sums;
    if (bridge_sum(flows) != flows->closing_minutes) {
        say_why(pick, flows);
        return REFUSAL_BRIDGE;
    }
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
        report_json_put(out->measures, lines[i].key, lines[i].value);
    report_json_put_signed(out->measures, "minutes_repaid", flows->repaid_minutes);
    report_json_put_signed(out->measures, "minutes_expired", flows->expired_minutes);
    report_json_put_signed(out->measures, "minutes_retired", flows->retired_minutes);
    return 0;
}

static int put_outstanding(void *sums, const struct report_pick *pick, struct report_out *out) {
    (void)pick;
    const struct flows *flows = sums;
    report_json_put_signed(out->measures, "outstanding_opening", flows->opening_minutes);
    report_json_put_signed(out->measures, "outstanding_closing", flows->closing_minutes);
    return 0;
}

const struct report_part report_flows = {.sums_bytes = sizeof(struct flows),
                                         .note = note,
                                         .note_flows = note_flows,
                                         .merge = merge,
                                         .put = put};

/* Stands further down in the table of measures. */
const struct report_part report_outstanding = {.sums_bytes = sizeof(struct flows),
                                               .note_flows = note_flows,
                                               .merge = merge,
                                               .put = put_outstanding};
