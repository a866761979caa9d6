/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of an order in more than a figure or a name: fields of words.c's patterns. */
#pragma once

#include <stdio.h>

#include "timebank.h"

/* "m0007 (1 h), m0012 (1 h 30)"; "food-bank and 7 others" */
void words_put_givers(FILE *to, const struct tb_order *order);
void words_put_receivers(FILE *to, const struct tb_order *order);
/* ", who share it", ", and the chest pays the rest", or nothing */
void words_put_rest(FILE *to, const struct tb_order *order);
/* "20 vouchers of 1 h, last day 2025-12-31, for leisure-centre only" */
void words_put_vouchers(FILE *to, const struct tb_order *order);
/* "vouchers 1 to 20" */
void words_put_serials(FILE *to, const struct tb_order *order);
void words_put_serial(FILE *to, const struct tb_order *order);
void words_put_new_serial(FILE *to, const struct tb_order *order);
/* ": swim, 1 adult and 0 under 16", or nothing */
void words_put_offered(FILE *to, const struct tb_order *order);
void words_put_due(FILE *to, const struct tb_order *order);
void words_put_to_day(FILE *to, const struct tb_order *order);
/* " from 2025-03-01 to 2025-03-31", and what of it is open */
void words_put_days(FILE *to, const struct tb_order *order);
/* "2 h went to chest" */
void words_put_settled(FILE *to, const struct tb_order *order);
/* ", warning below 1 h, at most 5 h in a day, at most 3 entries in a week" */
void words_put_limits(FILE *to, const struct tb_order *order);
/* "offers", "no longer offers" */
void words_put_offers(FILE *to, const struct tb_order *order);
/* ", on Mon and Tue, 09:00 to 12:00, adults" and what else restricts it */
void words_put_rules(FILE *to, const struct tb_order *order);
/* "Person ann", "The person" */
void words_put_person(FILE *to, const struct tb_order *order);
void words_put_is_set(FILE *to, const struct tb_order *order);
void words_put_mandate(FILE *to, const struct tb_order *order);
/* "accepts", "no longer accepts" */
void words_put_accepts(FILE *to, const struct tb_order *order);
/* " together with m0012", or nothing */
void words_put_other(FILE *to, const struct tb_order *order);
/* "is set", "is lifted" */
void words_put_stands(FILE *to, const struct tb_order *order);
/* Of a report: "funder"; of an evaluator's key: ", of the class funder", or nothing */
void words_put_report_class(FILE *to, const struct tb_order *order);
void words_put_of_class(FILE *to, const struct tb_order *order);
void words_put_from_day(FILE *to, const struct tb_order *order);
/* "leaves, and may spend until 2025-06-30", "stays" */
void words_put_leaves(FILE *to, const struct tb_order *order);
