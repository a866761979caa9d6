/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a member takes at a venue, as typed after redeem and hold: an offer, how many are admitted,
 * and its price. With a venue's key the answer is that of a desk.
 */
#pragma once

#include "entries.h"

#define VISIT_HEADS_MAX 100000

struct visit_typed {
    struct entries_typed entry;
    char *offer;
    char *adults;
    char *under16;
    bool over_rules;
};

#define VISIT_OPTIONS(typed)                                                                       \
    OPTION_TEXT("from", &(typed).entry.from), OPTION_TEXT("to", &(typed).entry.to),                \
        OPTION_TEXT("offer", &(typed).offer), OPTION_TEXT("adults", &(typed).adults),              \
        OPTION_TEXT("under16", &(typed).under16), OPTION_FLAG("over-rules", &(typed).over_rules),  \
        ENTRIES_OPTIONS((typed).entry)

#define VISIT_HELP                                                                                 \
    "  --offer NAME      timebank offer list VENUE\n"                                              \
    "  --adults N, --under16 N   how many are admitted\n"                                          \
    "  --time TIME       another price than the offer's (needs --why)\n"                           \
    "  --why TEXT        a note, kept beside the ledger\n"                                         \
    "  --over-limit      insist although a limit is passed (needs --why)\n"                        \
    "  --over-rules      insist although the venue's rules do not allow it (needs "                \
    "--why)\n" ENTRIES_LATE_HELP

/* Sets the order's sides, offer, heads and what every entry has, and opens the bank. own_from: the
 * role whose key is itself `from`, or 0. Exit status. */
int visit_read(struct client *client, const struct verb *verb, struct visit_typed *typed,
               int own_from, struct tb_order *order);
/* Sets the minutes, records, and tells. Exit status. */
int visit_record(struct client *client, const struct visit_typed *typed, struct tb_order *order);
/* How many, as typed after an option: CLIENT_DONE or CLIENT_REFUSED. */
int visit_heads_read(struct client *client, const char *option, const char *text,
                     uint32_t *ret_heads);
