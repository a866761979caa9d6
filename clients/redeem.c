/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank redeem: a member spends credits at a venue. The price is the offer's times the heads.
 * With a venue's key the answer begins VALID, NO or CHECK and never shows a balance: a queue stands
 * before the screen.
 */
#include "options.h"
#include "verbs.h"
#include "visit.h"

static int redeem_run(struct client *client, int argc, char **argv) {
    struct visit_typed typed = {0};
    const struct options_one options[] = {VISIT_OPTIONS(typed),
                                          OPTION_FLAG("again", &typed.entry.again), OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_REDEEM;
    int r = options_read(&verb_redeem, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE)
        r = visit_read(client, &verb_redeem, &typed, 0, &order);
    return r == CLIENT_DONE ? visit_record(client, &typed, &order) : r;
}

const struct verb verb_redeem = {
    .name = "redeem",
    .summary = "a member spends credits at a venue",
    .help = "timebank redeem --from m0007 --to leisure-centre --offer swim --adults 1 --under16 1\n"
            "\n"
            "Moves the price of the offer, for each person admitted, from the member to the venue, "
            "if the\n"
            "venue's rules allow it. With a venue's key the answer begins with VALID, NO or "
            "CHECK.\n"
            "\n"
            "  --from CODE       the member\n"
            "  --to CODE         the venue; with its key, itself\n" ENTRIES_ON_HELP VISIT_HELP
            "  --again           insist although it looks like an earlier entry\n",
    .run = redeem_run,
};
