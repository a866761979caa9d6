/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank session: several give and several receive, in one entry. Who was there is typed, or read
 * from a file, whose bytes then are the entry's reference, so that the same file counts once.
 */
#include "session.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "entries.h"
#include "entry.h"
#include "options.h"
#include "record.h"
#include "verbs.h"

struct typed {
    struct entries_typed entry;
    struct options_list givers;
    struct options_list receivers;
    char *rest;
    char *heads;
    char *head_time;
    char *corrects;
    bool dry_run;
};

static int rest_read(const struct verb *verb, const char *text, enum tb_session_rest *ret_rest) {
    static const char *const words[] = {
        [TB_REST_TO_CHEST] = "chest", [TB_REST_SHARED] = "share", [TB_REST_BY_CHEST] = "by-chest"};
    *ret_rest = TB_REST_TO_CHEST;
    for (size_t i = 0; text && i < N_ELEMENTS(words); i++)
        if (strcmp(text, words[i]) == 0) {
            *ret_rest = (enum tb_session_rest)i;
            return CLIENT_DONE;
        }
    return text ? client_usage(verb,
                               "\"%s\" is no rest: say chest (what is over goes there), share, or "
                               "by-chest (it pays what is missing).",
                               text)
                : CLIENT_DONE;
}

static int lines_read(struct session *session, struct session_side *side,
                      const struct options_list *list) {
    int r = CLIENT_DONE;
    for (size_t i = 0; r == CLIENT_DONE && i < list->n; i++)
        r = session_line_read(session, side, (char *)(uintptr_t)list->items[i]);
    return r;
}

/* The lines of the file and those typed, then who was there besides. */
static int people_read(struct session *session, const struct typed *typed, const char *path,
                       char **ret_bytes) {
    int r = path ? session_file_read(session, path, ret_bytes) : CLIENT_DONE;
    if (r == CLIENT_DONE)
        r = lines_read(session, &session->givers, &typed->givers);
    if (r == CLIENT_DONE)
        r = lines_read(session, &session->receivers, &typed->receivers);
    if (r == CLIENT_DONE)
        r = session_heads_read(session, typed->heads, typed->head_time);
    if (r == CLIENT_DONE && session->givers.n == 0)
        r = client_usage(session->verb, "Who gave the time is missing: name them with --giver.");
    return r;
}

/* The same file on the same date is the same session, once in place of an earlier one. */
static int id_make(struct session *session, const struct typed *typed, const char *bytes,
                   struct tb_order *order) {
    _cleanup_(freep) char *key = NULL;
    if (asprintf(&key, "%" PRIu32 "\n%s\n%s\n%s", order->service_day,
                 order->activity ? order->activity : "", typed->corrects ? typed->corrects : "",
                 bytes) < 0) {
        key = NULL;
        return client_outcome(session->client, -ENOMEM);
    }
    return client_outcome(session->client,
                          tb_order_id(session->client->bank, "session", key, order->id));
}

static void order_fill(const struct session *session, struct tb_order *order) {
    order->kind = TB_SESSION;
    order->n_givers = session->givers.n;
    order->givers = session->givers.codes;
    order->giver_minutes = session->givers.minutes;
    order->giver_persons = session->givers.has_persons ? session->givers.persons : NULL;
    order->n_receivers = session->receivers.n;
    order->receivers = session->receivers.codes;
    order->receiver_minutes = session->receivers.minutes;
    order->receiver_persons = session->receivers.has_persons ? session->receivers.persons : NULL;
    order->heads = session->heads;
    order->head_minutes = session->head_minutes;
    order->minutes = order->typed_minutes = 0;
    for (size_t i = 0; i < session->givers.n; i++)
        order->minutes += session->givers.minutes[i];
}

/* The earlier session is taken back in the same batch. */
static int record_in_place(struct client *client, const char *number, struct tb_order *order) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    struct tb_order reversal = TB_ORDER_INIT;
    struct tb_entry entry;
    size_t place = 0;
    int r = entry_read(client, number, &entry);
    if (r != CLIENT_DONE)
        return r;
    reversal.kind = TB_REVERSE;
    reversal.why = order->why;
    memcpy(reversal.target, entry.order.id, sizeof(reversal.target));
    memcpy(order->corrects, entry.order.id, sizeof(order->corrects));
    r = tb_batch_new(client->bank, &batch);
    if (r == 0)
        r = tb_batch_add(batch, &reversal, &place);
    if (r == 0)
        r = tb_batch_add(batch, order, &place);
    return r == 0 ? client_record_batch(client, batch, place, TB_SESSION, order)
                  : client_outcome(client, r);
}

static int session_record(struct session *session, struct typed *typed, const char *path) {
    _cleanup_(freep) char *bytes = NULL;
    struct client *client = session->client;
    struct tb_order order = TB_ORDER_INIT;
    order.activity = typed->entry.activity;
    int r = rest_read(session->verb, typed->rest, &order.rest);
    if (r == CLIENT_DONE)
        r = entries_read(client, session->verb, &typed->entry, &order);
    if (r == CLIENT_DONE)
        r = people_read(session, typed, path, &bytes);
    if (r == CLIENT_DONE && bytes && !typed->entry.again)
        r = id_make(session, typed, bytes, &order);
    if (r != CLIENT_DONE)
        return r;
    order_fill(session, &order);
    order.from = typed->entry.from ? client_code(typed->entry.from)
                                   : client_own_account(client, TB_ROLE_ORGANISATION);
    if (typed->dry_run)
        return session_try(session, &order);
    return typed->corrects ? record_in_place(client, typed->corrects, &order)
                           : client_record(client, &order);
}

static int session_run(struct client *client, int argc, char **argv) {
    struct typed typed = {0};
    char *path = NULL;
    const struct options_one options[] = {
        OPTION_LIST("giver", &typed.givers),
        OPTION_LIST("receiver", &typed.receivers),
        OPTION_TEXT("from", &typed.entry.from),
        OPTION_TEXT("activity", &typed.entry.activity),
        OPTION_TEXT("rest", &typed.rest),
        OPTION_TEXT("heads", &typed.heads),
        OPTION_TEXT("head-time", &typed.head_time),
        OPTION_TEXT("corrects", &typed.corrects),
        OPTION_FLAG("dry-run", &typed.dry_run),
        ENTRIES_OPTIONS(typed.entry),
        ENTRIES_PROPOSE(typed.entry),
        OPTION_FLAG("again", &typed.entry.again),
        OPTION_END,
    };
    int r = options_read(&verb_session, argc, argv, options, 0, 1, &path);
    if (r == CLIENT_DONE && path && !typed.entry.on)
        r = client_usage(&verb_session, "A file says who, not when: give the date with --on.");
    if (r == CLIENT_DONE && typed.dry_run && typed.corrects)
        r = client_usage(&verb_session, "--dry-run shows one session: leave --corrects out.");
    struct session *session = r == CLIENT_DONE ? calloc(1, sizeof(*session)) : NULL;
    if (r != CLIENT_DONE || !session)
        return r == CLIENT_DONE ? client_outcome(client, -ENOMEM) : r;
    session->client = client;
    session->verb = &verb_session;
    session->default_time = typed.entry.time;
    r = session_record(session, &typed, path);
    session_fini(session);
    free(session);
    return r;
}

const struct verb verb_session = {
    .name = "session",
    .summary = "several at once: a class, a working party",
    .help =
        "timebank session --on 2025-03-05 --activity yoga --giver m0007=2h --receiver m0012=1h "
        "--receiver m0013=1h\n"
        "timebank session roll.csv --on 2025-03-05 --activity yoga --rest share --dry-run\n"
        "timebank session --from food-bank --on yesterday --activity allotment --time 2h "
        "--giver m0007 --giver m0012\n"
        "\n"
        "Records all of it as one entry, or nothing. Each giver gains their own time; the "
        "receivers\n"
        "pay theirs, or an organisation pays for all. A line is CODE=TIME, CODE/2=TIME for the "
        "second\n"
        "person of a household, or CODE alone where --time says how long it was.\n"
        "\n"
        "  --giver LINE      who gave time\n"
        "  --receiver LINE   who received it\n"
        "  --from CODE       the organisation that pays; with its key, itself\n"
        "  --rest WHERE      chest: what the receivers pay beyond what was given goes to the "
        "chest;\n"
        "                    share: they share what was given, by their times;\n"
        "                    by-chest: the chest pays what they do not. Without it: chest\n"
        "  --heads N         others who were there: counted, and nothing moves\n"
        "  --head-time TIME  how long each of them was there\n"
        "  --activity NAME   what was done (timebank activity list)\n"
        "  --time TIME       of each line that names none\n" ENTRIES_ON_HELP
        "  --why TEXT        a note, kept beside the ledger\n"
        "  --dry-run         show who would gain and pay what; record nothing\n"
        "  --corrects ENTRY  take that session back in the same batch\n"
        "  --over-limit      insist although a limit is passed (needs --why)\n" ENTRIES_LATE_HELP
            ENTRIES_PROPOSE_HELP
        "  --again           insist although it looks like an earlier entry\n"
        "\n"
        "A file has the header side,member,time,person: a line for each giver, receiver, or "
        "number of\n"
        "others. The same file counts once on the same date, unless --again insists.\n",
    .run = session_run,
};
