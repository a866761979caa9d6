/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank hold, capture, release: credits set aside for a booking, taken by the venue, or given
 * back. What nobody takes goes back by itself when its time is over.
 */
#include <string.h>

#include "base/clock.h"
#include "desk-answer.h"
#include "entry.h"
#include "options.h"
#include "record.h"
#include "verbs.h"
#include "visit.h"

static int until_read(struct client *client, const char *until, struct tb_order *order) {
    uint32_t day = order->service_day;
    int r = until ? client_date(client, until, &day) : CLIENT_DONE;
    order->until_ms = ((uint64_t)day + 1) * MS_PER_DAY;
    return r;
}

static int hold_run(struct client *client, int argc, char **argv) {
    struct visit_typed typed = {0};
    char *until = NULL;
    const struct options_one options[] = {VISIT_OPTIONS(typed), OPTION_TEXT("until", &until),
                                          OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_HOLD;
    int r = options_read(&verb_hold, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE)
        r = visit_read(client, &verb_hold, &typed, TB_ROLE_MEMBER, &order);
    if (r == CLIENT_DONE)
        r = until_read(client, until, &order);
    return r == CLIENT_DONE ? visit_record(client, &typed, &order) : r;
}

const struct verb verb_hold = {
    .name = "hold",
    .summary = "set credits aside for a booking",
    .help = "timebank hold --from m0007 --to leisure-centre --offer swim --adults 2 --on "
            "2025-03-12\n"
            "\n"
            "Sets the price aside for a day to come: the member cannot spend it elsewhere, and the "
            "offer's\n"
            "places are taken. On the day the venue takes it with timebank capture; timebank "
            "release gives\n"
            "it back; what is not taken goes back when the hold is over.\n"
            "\n"
            "  --from CODE       the member; with a member's key, itself\n"
            "  --to CODE         the venue; with its key, itself\n"
            "  --on DATE         the day of the booking: 2025-03-12, 12/3/2025; today\n"
            "  --until DATE      the last day on which it can be taken; the day of the "
            "booking\n" VISIT_HELP,
    .run = hold_run,
};

/* At a desk: VALID, NO or CHECK, and who comes in. */
static int venue_capture(struct client *client, const char *number, struct tb_order *order) {
    _cleanup_(entry_copy_fini) struct entry_copy booking = {0};
    struct tb_entry entry;
    int r = entry_read(client, number, &entry);
    if (r != CLIENT_DONE)
        return r;
    memcpy(order->target, entry.order.id, sizeof(order->target));
    r = entry_copy_init(&booking, &entry.order);
    if (r != 0)
        return client_outcome(client, r);
    booking.order.kind = TB_CAPTURE;
    return desk_answer_record(client, order, &booking.order);
}

static int capture_record(struct client *client, const char *number, struct tb_order *order) {
    int r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    return tb_bank_role(client->bank) == TB_ROLE_VENUE ? venue_capture(client, number, order)
                                                       : record_on_entry(client, number, order);
}

static int capture_run(struct client *client, int argc, char **argv) {
    char *number, *time = NULL, *why = NULL;
    bool release_rest = false;
    const struct options_one options[] = {OPTION_TEXT("time", &time), OPTION_TEXT("why", &why),
                                          OPTION_FLAG("release-rest", &release_rest), OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_CAPTURE;
    int r = options_read(&verb_capture, argc, argv, options, 1, 1, &number);
    if (r == CLIENT_DONE && time)
        r = client_time(client, time, &order);
    if (r == CLIENT_DONE && time && order.minutes == 0)
        r = client_refuse(client, TB_ZERO,
                          "No time given: without --time all of the hold is "
                          "taken.");
    order.typed_minutes = 0; /* the hold's own price bounds it, not what was typed */
    order.release_rest = release_rest;
    order.why = why;
    return r == CLIENT_DONE ? capture_record(client, number, &order) : r;
}

const struct verb verb_capture = {
    .name = "capture",
    .summary = "take what was held for a booking",
    .help = "timebank capture 1042\n"
            "\n"
            "The venue takes what entry 1042 set aside: it counts as spent there on the day of the "
            "booking.\n"
            "\n"
            "  --time TIME       only so much of it; the rest stays held\n"
            "  --release-rest    ... and the rest goes back\n"
            "  --why TEXT        a note, kept beside the ledger\n",
    .run = capture_run,
};

static int release_run(struct client *client, int argc, char **argv) {
    char *words[2];
    const struct options_one options[] = {OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_RELEASE;
    int r = options_read(&verb_release, argc, argv, options, 1, 2, words);
    if (r != CLIENT_DONE)
        return r;
    order.why = words[1];
    return record_on_entry(client, words[0], &order);
}

const struct verb verb_release = {
    .name = "release",
    .summary = "give back what was held for a booking",
    .help = "timebank release 1042 \"cannot come\"\n"
            "\n"
            "What entry 1042 set aside goes back to the member. The member may do it, the venue, "
            "or a\n"
            "broker.\n",
    .run = release_run,
};
