/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who exchanged with whom in a period, as JSON: bank, from, to, as_known_at, as_recorded (only
 * where asked for), class, position, people (names made up for this reply, ascending), edges (each
 * [giver, receiver, minutes, entries], the first two places in people, ascending). Of what counts
 * in the report; merged accounts are one, and what they gave each other is no edge.
 */
#pragma once

#include "report.h"

/* 0 with JSON text that the caller frees; REFUSAL_BAD_PERIOD; REFUSAL_TOO_MANY_ROWS; < 0. */
int report_edges_make(const struct facts *facts, const struct report_ask *ask,
                      char **ret_json) TB_MUST_CHECK;
