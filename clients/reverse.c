/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank reverse and correct: nothing is edited. A reversal is a contrary entry; a correction is
 * one batch of a reversal and the right entry, linked. Both tell what became of both sides.
 */
#include <inttypes.h>
#include <string.h>

#include "entries.h"
#include "entry.h"
#include "options.h"
#include "record.h"
#include "verbs.h"
#include "words.h"

/* A queue stands before a venue's screen: no balances there. */
static void sides_add(const struct client *client, const struct tb_answer *answer,
                      const struct tb_order *target, struct record_told *told) {
    if (tb_bank_role(client->bank) != TB_ROLE_VENUE)
        record_balances_of_target(answer, 0, target, told);
}

static void reverse_tell(struct client *client, const struct tb_answer *answer, uint64_t number,
                         const struct tb_order *target, const char *was, uint64_t minutes) {
    _cleanup_(freep) char *words = NULL;
    char time[32];
    tb_time_format((int64_t)minutes, time);
    if (asprintf(&words, "Taken back: %s of entry %" PRIu64 " (%s)", time, number, was ? was : "") <
        0)
        words = NULL;
    struct record_told told = {.kind = TB_REVERSE, .words = words ? words : ""};
    sides_add(client, answer, target, &told);
    told.more = json_pack("{s:I}", "reverses", (json_int_t)number);
    record_tell(client, answer, &told);
}

static int reverse_record(struct client *client, const struct tb_entry *entry,
                          struct tb_order *order) {
    _cleanup_(entry_copy_fini) struct entry_copy target = {0};
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    uint64_t number = entry->number;
    uint64_t remains = entry->order.minutes - entry->reversed_minutes;
    _cleanup_(freep) char *was = words_of_dated_order(&entry->order);
    memcpy(order->target, entry->order.id, sizeof(order->target));
    int r = entry_copy_init(&target, &entry->order);
    if (r == 0)
        r = record_try(client, order, &batch, &answer);
    if (r != 0)
        return record_outcome(client, batch, r);
    reverse_tell(client, answer, number, &target.order, was,
                 order->minutes ? order->minutes : remains);
    return CLIENT_DONE;
}

static int reverse_run(struct client *client, int argc, char **argv) {
    char *words[2], *time = NULL;
    const struct options_one options[] = {OPTION_TEXT("time", &time), OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    struct tb_entry entry;
    int r = options_read(&verb_reverse, argc, argv, options, 2, 2, words);
    if (r == CLIENT_DONE && time)
        r = client_time(client, time, &order);
    if (r == CLIENT_DONE && time && order.minutes == 0)
        r = client_refuse(client, TB_ZERO,
                          "No time given: without --time all of the entry is taken back.");
    if (r == CLIENT_DONE)
        r = entry_read(client, words[0], &entry);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_REVERSE;
    order.why = words[1];
    return reverse_record(client, &entry, &order);
}

const struct verb verb_reverse = {
    .name = "reverse",
    .summary = "take an entry back",
    .help = "timebank reverse 1042 \"typed twice\"\n"
            "\n"
            "Records the contrary of an entry, under its date of service, and says what both sides "
            "have\n"
            "now. The entry stays readable; so does the reversal, which is itself not reversed: "
            "enter the\n"
            "help anew instead.\n"
            "\n"
            "  --time TIME   take only so much of it back\n",
    .run = reverse_run,
};

/* ---- correct */

struct correction {
    struct entries_typed typed;
    struct entry_copy was;
    struct entry_copy right;
    struct tb_order reversal;
    uint64_t number;
    uint64_t left_minutes; /* of the entry, after what was taken back before */
};

static bool kind_is_reversible(enum tb_kind kind) {
    return (kind >= TB_EXCHANGE && kind <= TB_REDEEM) || kind == TB_ADVANCE || kind == TB_PLEDGE;
}

static bool kind_is_service(enum tb_kind kind) {
    return kind == TB_EXCHANGE || kind == TB_EARN || kind == TB_LOG;
}

/* Giver and receiver are sides of time, from and to of credits: an entry has the ones or the
 * others. */
static int sides_check(const struct entries_typed *typed, enum tb_kind kind) {
    bool is_time = typed->giver || typed->receiver || typed->activity;
    if (kind_is_service(kind) && (typed->from || typed->to))
        return client_usage(&verb_correct,
                            "The entry's kind is %s, which has --giver and --receiver.",
                            tb_kind_name((int)kind));
    if (!kind_is_service(kind) && is_time)
        return client_usage(&verb_correct,
                            "The entry's kind is %s, which has --from and --to, and no activity.",
                            tb_kind_name((int)kind));
    return CLIENT_DONE;
}

static void sides_make(struct tb_order *right, const struct entries_typed *typed) {
    char *from = typed->receiver ? typed->receiver : typed->from;
    char *to = typed->giver ? typed->giver : typed->to;
    if (from)
        right->from = client_code(from);
    if (to)
        right->to = client_code(to);
}

/* The order as it should have been: the old one with what was typed in its place. What was taken
 * back of it before stays so. */
static void right_make(struct correction *correction, const struct tb_order *read) {
    struct tb_order *right = &correction->right.order;
    const struct entries_typed *typed = &correction->typed;
    bool is_whole = correction->left_minutes == right->minutes || correction->left_minutes == 0;
    if (typed->time) {
        right->minutes = read->minutes;
        right->typed_minutes = read->typed_minutes;
    } else if (!is_whole) {
        right->minutes = correction->left_minutes;
    }
    if ((typed->time || !is_whole) && right->kind == TB_REDEEM)
        right->override |= TB_OVERRIDE_PRICE;
    if (typed->on)
        right->service_day = read->service_day;
    if (typed->activity)
        right->activity = typed->activity;
    sides_make(right, typed);
    right->override |= read->override;
    right->why = typed->why;
    right->proposal = typed->propose;
    memcpy(right->corrects, correction->reversal.target, sizeof(right->corrects));
}

/* "Entry 24 is taken back by entry 43: m0012 gave 1 h, without credit. In its place:" */
static void was_tell(const struct correction *correction, uint64_t reversal) {
    const struct tb_order *was = &correction->was.order;
    _cleanup_(freep) char *words = words_of_dated_order(was);
    char left[32];
    tb_time_format((int64_t)correction->left_minutes, left);
    client_line(stdout,
                "Entry %" PRIu64 " is taken back by entry %" PRIu64 ": %s%s%s%s. In its place:",
                correction->number, reversal, words ? words : "",
                correction->left_minutes < was->minutes ? ", of which " : "",
                correction->left_minutes < was->minutes ? left : "",
                correction->left_minutes < was->minutes ? " was left" : "");
}

static void correct_tell(struct client *client, const struct tb_answer *answer,
                         const struct correction *correction) {
    const struct tb_order *right = &correction->right.order;
    _cleanup_(freep) char *words = record_words(right);
    struct record_told told = {.place = 1, .kind = (int)right->kind, .words = words ? words : ""};
    record_balances(answer, right, &told);
    sides_add(client, answer, &correction->was.order, &told);
    told.more = json_pack("{s:I, s:I}", "reverses", (json_int_t)correction->number, "reversal",
                          (json_int_t)tb_answer_entry(answer, 0));
    if (!client->json)
        was_tell(correction, tb_answer_entry(answer, 0));
    record_tell(client, answer, &told);
}

static int correct_record(struct client *client, const struct correction *correction) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    size_t place;
    int r = tb_batch_new(client->bank, &batch);
    if (r == 0)
        r = tb_batch_add(batch, &correction->reversal, &place);
    if (r == 0)
        r = tb_batch_add(batch, &correction->right.order, &place);
    if (r != 0)
        return client_outcome(client, r);
    r = record_submit(client, batch, &answer);
    if (r == CLIENT_DONE)
        correct_tell(client, answer, correction);
    return r;
}

static int correct_entry(struct client *client, struct correction *correction,
                         const struct tb_entry *entry, const struct tb_order *read) {
    if (entry->order.kind == TB_SESSION)
        return client_refuse(client, TB_NOT_REVERSIBLE,
                             "A session is corrected whole: enter it anew with timebank session "
                             "--corrects %" PRIu64 ".",
                             entry->number);
    if (!kind_is_reversible(entry->order.kind))
        return client_refuse(client, TB_NOT_REVERSIBLE, "%s",
                             tb_refusal_sentence(TB_NOT_REVERSIBLE));
    int r = sides_check(&correction->typed, entry->order.kind);
    if (r != CLIENT_DONE)
        return r;
    correction->number = entry->number;
    correction->left_minutes = entry->order.minutes - entry->reversed_minutes;
    correction->reversal.kind = TB_REVERSE;
    correction->reversal.why = correction->typed.why;
    memcpy(correction->reversal.target, entry->order.id, sizeof(correction->reversal.target));
    r = entry_copy_init(&correction->was, &entry->order);
    if (r == 0)
        r = entry_copy_init(&correction->right, &entry->order);
    if (r != 0)
        return client_outcome(client, r);
    correction->right.order.override = entry->order.override & TB_OVERRIDE_PRICE;
    right_make(correction, read);
    return correct_record(client, correction);
}

static int correct_run(struct client *client, int argc, char **argv) {
    struct correction correction = {.reversal = TB_ORDER_INIT};
    struct entries_typed *typed = &correction.typed;
    char *words[2] = {NULL};
    const struct options_one options[] = {
        OPTION_TEXT("giver", &typed->giver),
        OPTION_TEXT("receiver", &typed->receiver),
        OPTION_TEXT("from", &typed->from),
        OPTION_TEXT("to", &typed->to),
        OPTION_TEXT("activity", &typed->activity),
        OPTION_TEXT("time", &typed->time),
        OPTION_TEXT("on", &typed->on),
        OPTION_FLAG("again", &typed->again),
        OPTION_FLAG("over-limit", &typed->over_limit),
        OPTION_FLAG("late", &typed->late),
        ENTRIES_PROPOSE(*typed),
        OPTION_END,
    };
    struct tb_order read = TB_ORDER_INIT;
    struct tb_entry entry;
    int r = options_read(&verb_correct, argc, argv, options, 2, 2, words);
    if (r == CLIENT_DONE && !typed->time && !typed->on && !typed->activity && !typed->giver &&
        !typed->receiver && !typed->from && !typed->to)
        r = client_usage(&verb_correct, "Say what is right, for example with --time.");
    typed->why = words[1];
    if (r == CLIENT_DONE)
        r = entries_read(client, &verb_correct, typed, &read);
    if (r == CLIENT_DONE)
        r = entry_read(client, words[0], &entry);
    if (r == CLIENT_DONE)
        r = correct_entry(client, &correction, &entry, &read);
    entry_copy_fini(&correction.was);
    entry_copy_fini(&correction.right);
    return r;
}

const struct verb verb_correct = {
    .name = "correct",
    .summary = "take an entry back and enter it anew",
    .help =
        "timebank correct 1042 --time 1h45 \"the sheet says 1 h 45\"\n"
        "\n"
        "Takes the entry back and records the right one in the same batch, linked to it; what is "
        "not\n"
        "named stays as it was.\n"
        "\n"
        "  --time TIME, --on DATE, --activity NAME, --giver CODE, --receiver CODE   what is right\n"
        "  --from CODE, --to CODE   of credits that were given, issued or spent\n"
        "  --over-limit      insist although a limit is passed\n"
        "  --late            enter the right one although the period is closed\n"
        "  --again           insist although it looks like another entry\n"
        "  --propose         the right one waits until somebody else agrees to it\n",
    .run = correct_run,
};
