/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why two reports of one period and class differ, as JSON: definition, bank, from, to, as_known_at,
 * as_recorded (only where asked for), class, position, since (as_known_at, as_recorded, size),
 * figures (each measure, since, now; null: it was not there), and in the class internal entries
 * (each entry, why, minutes, on, kind), at most 10,000 of them, more where there are others.
 *
 * why: late, an order recorded since; effect, a proposal made before that took effect since;
 * reversal, what a record took back; merge and unmerge, of accounts.
 */
#pragma once

#include "report.h"

struct report_changes_ask {
    struct report_ask now; /* their known_day is set */
    struct report_ask since;
};

int report_changes_make(const struct facts *facts, const struct report_changes_ask *ask,
                        char **ret_json) TB_MUST_CHECK;
