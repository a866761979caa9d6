/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which counts of persons may be shown beside each other. They do not add up from month to month,
 * so they are judged for the period that is asked for; but the givers of a period are the previous
 * givers of the next, and so are decided by that period alone.
 */
#pragma once

#include "report-cells.h"

enum report_heads {
    HEADS_PREVIOUS,
    HEADS_NEW,
    HEADS_GIVERS,
    HEADS_PARTICIPANTS,
    HEADS_RECEIVERS,
    HEADS_REDEEMERS,
    HEADS_TRADERS,
    HEADS_RETAINED,
    HEADS_TWO_WAY,
    HEADS_FREQUENT,
    HEADS_RETURNING,
    HEADS_LAPSED,
    HEADS_ISOLATES,
    HEADS_N
};

struct report_hide_people {
    bool is_shown[HEADS_N];
    uint64_t n[HEADS_N];
};

int report_hide_people_judge(struct cells *cells, struct report_hide_people *ret) TB_MUST_CHECK;
/* HEADS_N: it is none of these. */
enum report_heads report_hide_people_find(const char *key);
/* Are the givers of some whole months shown, of whom n_new gave for the first time? */
int report_hide_people_givers(struct cells *cells, uint32_t first_month, uint32_t last_month,
                              uint64_t n_givers, uint64_t n_new, bool *ret) TB_MUST_CHECK;
