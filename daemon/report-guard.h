/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of one period that were known at two times differ by what came between: where that is a
 * few people's, whoever holds both reads it off. So a report leaves the bank only if, beside every
 * report of the classes funder and public that left before it, whose days overlap with its own and
 * that rests on another knowledge, the entries of the days they share that one counts and the other
 * does not (or with other minutes) are, in the total and in each kind, activity, organisation,
 * venue, offer and funder, in the whole and in each month, nobody's or of as many persons as the
 * class demands, none of whom has most of the minutes (as in a cell); and both hide the same
 * figures of the months they share.
 */
#pragma once

#include "report.h"
#include "state.h"

/* A report that left the bank, by the record that says so. */
struct report_released {
    uint64_t entry;
    struct state_release row;
};

/* Knowledges that may differ from what is to leave, each by something else: more than a bank
 * releases in many years. */
#define REPORT_GUARD_MAX 1024

/* ask->known_day is set. 0; REFUSAL_TOO_CLOSE with a sentence in why (REPORT_WHY_BYTES); < 0.
 * *ret_register: what rests on the register of people may leave, too. It may not where exchanges of
 * shared days, or who is one person, are known otherwise than in a report that left before: those
 * are of a few persons from ward to ward, however many they are in all. */
int report_guard(const struct facts *facts, const struct report_ask *ask,
                 const struct report_released *before, size_t n_before, char *why,
                 bool *ret_register) TB_MUST_CHECK;
