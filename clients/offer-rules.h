/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of an offer as people type and read them: mon-fri,sun · 9:00-12:00 · adults · 6 · 20h.
 * The word "any" takes a rule off.
 */
#pragma once

#include "client.h"

/* As typed; NULL where a rule is not named, which leaves it as it was. */
struct offer_rules_typed {
    char *days;
    char *hours;
    char *from;
    char *to;
    char *ages;
    char *party;
    char *per_day;
    char *per_month;
    char *budget;
};

/* Sets what was typed in the order; tells what cannot be read. Exit status. */
int offer_rules_read(struct client *client, const struct offer_rules_typed *typed,
                     struct tb_order *order);
/* The rules that an offer has, and its price. */
void offer_rules_copy(const struct tb_offer *offer, struct tb_order *order);
/* "Mon Tue, 09:00 to 12:00, adults only"; "" for none. The caller's. */
char *offer_rules_words(const struct tb_order *order);
/* Members of a JSON object, null where there is no rule. */
json_t *offer_rules_json(const struct tb_order *order);
