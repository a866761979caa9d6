/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank dispute and decide: an entry that a party says is wrong is set aside, and a broker who
 * is no party decides whether it stands.
 */
#include <string.h>

#include "entry.h"
#include "options.h"
#include "record.h"
#include "verbs.h"

static int dispute_run(struct client *client, int argc, char **argv) {
    struct tb_order order = TB_ORDER_INIT;
    char *words[2] = {NULL};
    const struct options_one options[] = {OPTION_END};
    int r = options_read(&verb_dispute, argc, argv, options, 2, 2, words);
    order.kind = TB_DISPUTE;
    order.why = words[1];
    return r == CLIENT_DONE ? record_on_entry(client, words[0], &order) : r;
}

const struct verb verb_dispute = {
    .name = "dispute",
    .summary = "say that an entry is not right",
    .help = "timebank dispute 1042 \"nobody came that day\"\n"
            "\n"
            "Sets aside what the entry gave, until a broker who is no party to it decides. Both "
            "sides may\n"
            "say so, for as long as the policy dispute-within allows; where nobody decides in "
            "time, the\n"
            "entry stands.\n",
    .run = dispute_run,
};

/* What falls where no time was typed: all that is left of the entry. */
static int all_of_it(struct client *client, const char *number, struct tb_order *order) {
    struct tb_entry entry;
    int r = entry_read(client, number, &entry);
    if (r == CLIENT_DONE)
        order->minutes = entry.order.minutes - entry.reversed_minutes;
    return r;
}

static int decide_run(struct client *client, int argc, char **argv) {
    struct tb_order order = TB_ORDER_INIT;
    char *words[2] = {NULL}, *time = NULL;
    bool stands = false, falls = false;
    const struct options_one options[] = {OPTION_FLAG("stands", &stands),
                                          OPTION_FLAG("falls", &falls), OPTION_TEXT("time", &time),
                                          OPTION_END};
    int r = options_read(&verb_decide, argc, argv, options, 2, 2, words);
    if (r == CLIENT_DONE && stands == falls)
        r = client_usage(&verb_decide, "Say --stands or --falls.");
    if (r == CLIENT_DONE && time && stands)
        r = client_usage(&verb_decide, "What stands takes no time back: leave --time out.");
    if (r == CLIENT_DONE && time)
        r = client_time(client, time, &order);
    if (r == CLIENT_DONE && time && order.minutes == 0)
        r = client_refuse(client, TB_ZERO, "No time given: say --stands where nothing falls.");
    if (r == CLIENT_DONE && falls && !time)
        r = all_of_it(client, words[0], &order);
    order.kind = TB_DECIDE;
    order.why = words[1];
    return r == CLIENT_DONE ? record_on_entry(client, words[0], &order) : r;
}

const struct verb verb_decide = {
    .name = "decide",
    .summary = "settle a dispute, as a broker who is no party",
    .help = "timebank decide 1042 --falls \"both say that it was another day\"\n"
            "timebank decide 1042 --falls --time 30m \"half an hour of it was the journey\"\n"
            "timebank decide 1042 --stands \"the sheet is signed by both\"\n"
            "\n"
            "What falls is taken back, as a reversal would; the rest goes back to who was given "
            "it. Of a\n"
            "voucher that was taken twice, what falls is what the community chest pays.\n"
            "\n"
            "  --stands      the entry is right\n"
            "  --falls       it is not, or with --time so much of it is not\n"
            "  --time TIME   how much falls; all that is left of it\n",
    .run = decide_run,
};
