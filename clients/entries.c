/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs that record time: exchange, earn, log, gift, donate, grant, issue. They share what
 * every entry has (--time, --on, --why) and how a broker insists.
 */
#include "entries.h"

#include "options.h"
#include "verbs.h"

#define TIME_HELP                                                                                  \
    "  --time TIME       2h30, 2:30, 2.5, 150m or 45 min\n" ENTRIES_ON_HELP                        \
    "  --why TEXT        a note, kept beside the ledger\n"                                         \
    "  --over-limit      insist although a limit is passed (needs --why)\n" ENTRIES_LATE_HELP
#define SERVICE_HELP                                                                               \
    "  --activity NAME   what was done (timebank activity list)\n" TIME_HELP                       \
    "  --again           insist although it looks like an earlier entry\n"                         \
    "\n"                                                                                           \
    "More than 24 hours of one person on one day are recorded only with --why.\n"

int entries_read(struct client *client, const struct verb *verb, const struct entries_typed *typed,
                 struct tb_order *order) {
    if (typed->over_limit && !typed->why)
        return client_usage(verb, "To pass a limit say why, with --why.");
    if (typed->late && !typed->why)
        return client_usage(verb, "To enter it late say why, with --why.");
    int r = client_date(client, typed->on ? typed->on : "today", &order->service_day);
    if (r == CLIENT_DONE && typed->time)
        r = client_time(client, typed->time, order);
    order->why = typed->why;
    if (typed->over_limit)
        order->override |= TB_OVERRIDE_LIMITS;
    if (typed->late)
        order->override |= TB_OVERRIDE_LATE;
    if (typed->again)
        order->override |= TB_OVERRIDE_DUPLICATE;
    order->proposal = typed->propose;
    return r == CLIENT_DONE ? client_open(client) : r;
}

int entries_side(struct client *client, const struct verb *verb, const char *option, char *typed,
                 int own_role, const char **ret_code) {
    const char *code = client_code(typed);
    if (!code && own_role) {
        int r = client_open(client);
        if (r != CLIENT_DONE)
            return r;
        code = client_own_account(client, own_role);
    }
    if (!code || !*code)
        return client_usage(verb, "An account is missing: name it with --%s.", option);
    *ret_code = code;
    return CLIENT_DONE;
}

static int time_need(const struct verb *verb, const struct entries_typed *typed) {
    if (typed->time)
        return CLIENT_DONE;
    return client_usage(verb, "The time is missing: say how long with --time.");
}

/* Sides first, then what every entry has: what is missing is told before the bank is asked. */
static int service_record(struct client *client, const struct verb *verb, enum tb_kind kind,
                          int receiver_role, struct entries_typed *typed) {
    struct tb_order order = TB_ORDER_INIT;
    order.kind = kind;
    order.activity = typed->activity;
    int r = time_need(verb, typed);
    if (r == CLIENT_DONE)
        r = entries_side(client, verb, "giver", typed->giver,
                         typed->receiver && kind != TB_LOG ? TB_ROLE_MEMBER : 0, &order.to);
    if (r == CLIENT_DONE && kind != TB_LOG)
        r = entries_side(client, verb, "receiver", typed->receiver, receiver_role, &order.from);
    if (r == CLIENT_DONE)
        r = entries_read(client, verb, typed, &order);
    return r == CLIENT_DONE ? client_record(client, &order) : r;
}

static int service_run(struct client *client, const struct verb *verb, enum tb_kind kind,
                       int receiver_role, int argc, char **argv) {
    struct entries_typed typed = {0};
    const struct options_one options[] = {
        OPTION_TEXT("giver", &typed.giver),
        OPTION_TEXT("activity", &typed.activity),
        ENTRIES_OPTIONS(typed),
        OPTION_FLAG("again", &typed.again),
        OPTION_TEXT(kind == TB_LOG ? NULL : "receiver", &typed.receiver),
        ENTRIES_PROPOSE(typed),
        OPTION_END,
    };
    int r = options_read(verb, argc, argv, options, 0, 0, NULL);
    return r == CLIENT_DONE ? service_record(client, verb, kind, receiver_role, &typed) : r;
}

static int exchange_run(struct client *client, int argc, char **argv) {
    return service_run(client, &verb_exchange, TB_EXCHANGE, TB_ROLE_MEMBER, argc, argv);
}

const struct verb verb_exchange = {
    .name = "exchange",
    .summary = "a member helped a member",
    .help = "timebank exchange --giver m0007 --receiver m0012 --time 2h30 --on 2025-03-05 "
            "--activity gardening\n"
            "\n"
            "Records help between members: the giver gains the time, the receiver pays it.\n"
            "\n"
            "  --giver CODE      who gave the time; with a member's key and a receiver, itself\n"
            "  --receiver CODE   who was helped; with a member's key, itself\n"
            "  --propose         it waits until the receiver confirms it, or a broker approves "
            "it\n" SERVICE_HELP,
    .run = exchange_run,
};

static int earn_run(struct client *client, int argc, char **argv) {
    return service_run(client, &verb_earn, TB_EARN, TB_ROLE_ORGANISATION, argc, argv);
}

const struct verb verb_earn = {
    .name = "earn",
    .summary = "a member helped an organisation",
    .help = "timebank earn --giver m0007 --receiver food-bank --time 2.5 --on yesterday --activity "
            "food-bank\n"
            "\n"
            "Records help to an organisation, which pays for it out of its allotment.\n"
            "\n"
            "  --giver CODE      the member who gave the time\n"
            "  --receiver CODE   the organisation; with its key, itself\n"
            "  --propose         it waits until the receiver confirms it, or a broker approves "
            "it\n" SERVICE_HELP,
    .run = earn_run,
};

static int log_run(struct client *client, int argc, char **argv) {
    return service_run(client, &verb_log, TB_LOG, 0, argc, argv);
}

const struct verb verb_log = {
    .name = "log",
    .summary = "hours given without credit",
    .help = "timebank log --giver m0007 --time 1 --activity befriending\n"
            "\n"
            "Counts hours that were given for nothing: they stand in every report, and no balance "
            "moves.\n"
            "\n"
            "  --giver CODE      the member who gave the time\n" SERVICE_HELP,
    .run = log_run,
};

static int gift_run(struct client *client, int argc, char **argv) {
    struct entries_typed typed = {0};
    const struct options_one options[] = {
        OPTION_TEXT("from", &typed.from),   OPTION_TEXT("to", &typed.to), ENTRIES_OPTIONS(typed),
        OPTION_FLAG("again", &typed.again), ENTRIES_PROPOSE(typed),       OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_GIFT;
    int r = options_read(&verb_gift, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE)
        r = time_need(&verb_gift, &typed);
    if (r == CLIENT_DONE)
        r = entries_side(client, &verb_gift, "to", typed.to, 0, &order.to);
    if (r == CLIENT_DONE)
        r = entries_side(client, &verb_gift, "from", typed.from, TB_ROLE_MEMBER, &order.from);
    if (r == CLIENT_DONE)
        r = entries_read(client, &verb_gift, &typed, &order);
    return r == CLIENT_DONE ? client_record(client, &order) : r;
}

const struct verb verb_gift = {
    .name = "gift",
    .summary = "a member passes credits on to another",
    .help =
        "timebank gift --from m0007 --to m0012 --time 1\n"
        "\n"
        "Moves credits between members. A gift is no service: no report counts it as hours given.\n"
        "\n"
        "  --from CODE       who gives; with a member's key, itself\n"
        "  --to CODE         who gets them\n" TIME_HELP
        "  --again           insist although it looks like an earlier entry\n" ENTRIES_PROPOSE_HELP,
    .run = gift_run,
};

static int donate_run(struct client *client, int argc, char **argv) {
    struct entries_typed typed = {0};
    const struct options_one options[] = {OPTION_TEXT("from", &typed.from), ENTRIES_OPTIONS(typed),
                                          OPTION_FLAG("again", &typed.again),
                                          ENTRIES_PROPOSE(typed), OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_DONATE;
    order.to = "chest";
    int r = options_read(&verb_donate, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE)
        r = time_need(&verb_donate, &typed);
    if (r == CLIENT_DONE)
        r = entries_side(client, &verb_donate, "from", typed.from, TB_ROLE_MEMBER, &order.from);
    if (r == CLIENT_DONE)
        r = entries_read(client, &verb_donate, &typed, &order);
    return r == CLIENT_DONE ? client_record(client, &order) : r;
}

const struct verb verb_donate = {
    .name = "donate",
    .summary = "a member gives to the community chest",
    .help =
        "timebank donate --from m0007 --time 1\n"
        "\n"
        "Moves a member's credits into the community chest, from which brokers grant.\n"
        "\n"
        "  --from CODE       who gives; with a member's key, itself\n" TIME_HELP
        "  --again           insist although it looks like an earlier entry\n" ENTRIES_PROPOSE_HELP,
    .run = donate_run,
};

static int grant_run(struct client *client, int argc, char **argv) {
    struct entries_typed typed = {0};
    const struct options_one options[] = {
        OPTION_TEXT("to", &typed.to), OPTION_TEXT("from", &typed.from),
        ENTRIES_OPTIONS(typed),       OPTION_FLAG("again", &typed.again),
        ENTRIES_PROPOSE(typed),       OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_GRANT;
    int r = options_read(&verb_grant, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE)
        r = time_need(&verb_grant, &typed);
    if (r == CLIENT_DONE)
        r = entries_side(client, &verb_grant, "to", typed.to, 0, &order.to);
    order.from = typed.from ? client_code(typed.from) : "issued";
    if (r == CLIENT_DONE)
        r = entries_read(client, &verb_grant, &typed, &order);
    return r == CLIENT_DONE ? client_record(client, &order) : r;
}

const struct verb verb_grant = {
    .name = "grant",
    .summary = "give a member credits to start with, or out of the chest",
    .help =
        "timebank grant --to m0007 --time 2 --why welcome\n"
        "timebank grant --to m0007 --time 2 --from chest\n"
        "\n"
        "Gives a member new credits, or with --from chest credits that others donated.\n"
        "\n"
        "  --to CODE         the member\n"
        "  --from chest      out of the community chest; else new credits\n" TIME_HELP
        "  --again           insist although it looks like an earlier entry\n" ENTRIES_PROPOSE_HELP,
    .run = grant_run,
};
