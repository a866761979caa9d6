/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An order on its way: submitted, and told with its entry number, the balances after it and what is
 * worth a second look. Every verb that records ends here.
 */
#include "record.h"

#include <inttypes.h>
#include <string.h>

#include "entry.h"
#include "words.h"

#define SIDE_BYTES 128 /* a code and a person; longer ones are refused for what they are */

/* What was typed is cut in place; a code of the bank's own has no person. */
static const char *person_cut(const char *code) {
    char *slash = code ? strchr((char *)(uintptr_t)code, '/') : NULL;
    if (!slash)
        return NULL;
    *slash = '\0';
    return slash + 1;
}

void record_persons_cut(struct tb_order *order) {
    const char *from = person_cut(order->from), *to = person_cut(order->to);
    if (from)
        order->from_person = from;
    if (to)
        order->to_person = to;
}

/* The authority of a member's key in an entry with these sides. */
static enum tb_authority authority_of(struct client *client, const struct tb_order *order,
                                      const char *from, const char *to) {
    const char *own = client_own_account(client, TB_ROLE_MEMBER);
    if (!own || order->authority != TB_BY_ROLE || order->kind >= TB_OPEN_ACCOUNT ||
        (!*from && !*to))
        return order->authority;
    return strcmp(from, own) != 0 && strcmp(to, own) != 0 ? TB_BY_GUARDIAN : TB_BY_ROLE;
}

/* The same without a cut: the verb goes on with what was typed. */
static void persons_split(struct tb_order *order, char ret_from[SIDE_BYTES],
                          char ret_to[SIDE_BYTES]) {
    snprintf(ret_from, SIDE_BYTES, "%s", order->from ? order->from : "");
    snprintf(ret_to, SIDE_BYTES, "%s", order->to ? order->to : "");
    if (strchr(ret_from, '/'))
        order->from = ret_from;
    if (strchr(ret_to, '/'))
        order->to = ret_to;
    record_persons_cut(order);
}

int record_batch_new(struct client *client, const struct tb_order *order,
                     struct tb_batch **ret_batch) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    struct tb_order chosen = *order;
    char from[SIDE_BYTES], to[SIDE_BYTES];
    size_t place;
    int r = tb_batch_new(client->bank, &batch);
    persons_split(&chosen, from, to);
    chosen.authority = authority_of(client, order, words_from(order), words_to(order));
    if (r == 0)
        r = tb_batch_add(batch, &chosen, &place);
    if (r == 0)
        *ret_batch = TAKE(batch);
    return r;
}

int record_outcome(struct client *client, const struct tb_batch *batch, int r) {
    if (r > 0 && batch && tb_batch_refusals(batch) > 0)
        return client_batch_refused(client, batch);
    return client_outcome(client, r);
}

int record_submit(struct client *client, struct tb_batch *batch, struct tb_answer **ret_answer) {
    return record_outcome(client, batch, tb_batch_submit(batch, ret_answer));
}

static bool only_the_day_refused(const struct tb_batch *batch) {
    size_t n = tb_batch_refusals(batch);
    for (size_t i = 0; i < n; i++) {
        struct tb_refused refused;
        if (tb_batch_refusal(batch, i, &refused) != 0 || refused.refusal != TB_TOO_LONG)
            return false;
    }
    return n > 0;
}

int record_try(struct client *client, struct tb_order *order, struct tb_batch **ret_batch,
               struct tb_answer **ret_answer) {
    record_persons_cut(order);
    for (;;) {
        _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
        int r = record_batch_new(client, order, &batch);
        if (r != 0)
            return r;
        r = tb_batch_submit(batch, ret_answer);
        bool insists = order->why && *order->why && !(order->override & TB_OVERRIDE_DAY);
        if (r > 0 && insists && only_the_day_refused(batch)) {
            order->override |= TB_OVERRIDE_DAY;
            continue;
        }
        *ret_batch = TAKE(batch);
        return r;
    }
}

void record_balance_add(struct record_told *told, const char *code, int64_t minutes) {
    for (size_t i = 0; i < told->n_balances; i++)
        if (strcmp(told->balances[i].code, code) == 0)
            return;
    struct record_balance *balances =
        reallocarray(told->balances, told->n_balances + 1, sizeof(*balances));
    if (!balances)
        return;
    told->balances = balances;
    told->balances[told->n_balances++] = (struct record_balance){code, minutes};
}

/* Of accounts that are not its from or to: of all, or of the one that is named. */
static void others_add(const struct tb_answer *answer, size_t place, const char *named,
                       struct record_told *told) {
    for (size_t i = 0; i < tb_answer_others(answer); i++) {
        const char *code;
        int64_t minutes;
        size_t at;
        if (tb_answer_other(answer, i, &at, &code, &minutes) == 0 && at == place &&
            (!named || strcmp(named, code) == 0))
            record_balance_add(told, code, minutes);
    }
}

void record_balances(const struct tb_answer *answer, const struct tb_order *order,
                     struct record_told *told) {
    int64_t minutes;
    const char *to = words_to(order);
    if (*to && tb_answer_to_after(answer, told->place, &minutes) == 1)
        record_balance_add(told, to, minutes);
    const char *from = words_from(order);
    if (*from && tb_answer_from_after(answer, told->place, &minutes) == 1)
        record_balance_add(told, from, minutes);
    others_add(answer, told->place, NULL, told);
}

void record_balances_of_target(const struct tb_answer *answer, size_t place,
                               const struct tb_order *target, struct record_told *told) {
    others_add(answer, place, words_to(target), told);
    others_add(answer, place, words_from(target), told);
    others_add(answer, place, NULL, told);
}

json_t *record_warning_json(int warning, const char *message, uint64_t entry) {
    return json_pack("{s:s, s:o, s:o}", "warning", tb_warning_name(warning), "message",
                     client_json_text(message), "entry",
                     entry ? json_integer((json_int_t)entry) : json_null());
}

/* The warnings of the answer after those of the verb's own. */
static json_t *warnings_json(const struct tb_answer *answer, struct record_told *told) {
    json_t *warnings = told->warnings ? TAKE(told->warnings) : json_array();
    for (size_t i = 0; i < tb_answer_warnings(answer); i++) {
        struct tb_warning warning;
        if (tb_answer_warning(answer, i, &warning) == 0)
            json_array_append_new(
                warnings, record_warning_json(warning.warning, warning.message, warning.entry));
    }
    return warnings;
}

static void json_tell(struct client *client, const struct tb_answer *answer,
                      struct record_told *told) {
    json_t *balances = json_object();
    for (size_t i = 0; i < told->n_balances; i++)
        json_object_set_new(balances, told->balances[i].code,
                            json_integer((json_int_t)told->balances[i].minutes));
    json_t *object = json_pack("{s:I, s:s, s:o, s:o, s:o}", "entry",
                               (json_int_t)tb_answer_entry(answer, told->place), "kind",
                               tb_kind_name(told->kind), "balances", balances, "warnings",
                               warnings_json(answer, told), "position", client_position(client));
    if (told->more)
        json_object_update(object, told->more);
    client_print_json(object);
}

/* What is on its way in all says nothing about an order. */
static void balances_tell(const struct record_told *told) {
    for (size_t i = 0; i < told->n_balances; i++) {
        char text[32];
        if (strcmp(told->balances[i].code, "transit") == 0)
            continue;
        tb_time_format(told->balances[i].minutes, text);
        client_line(stdout, "  %s now has %s", told->balances[i].code, text);
    }
}

static void words_tell(const struct tb_answer *answer, struct record_told *told) {
    client_line(stdout, "%s; entry %" PRIu64 "%s", told->words,
                tb_answer_entry(answer, told->place),
                tb_answer_already(answer, told->place) ? ", recorded before" : "");
    balances_tell(told);
    json_t *warnings = warnings_json(answer, told);
    size_t i;
    json_t *warning;
    json_array_foreach(warnings, i, warning)
        client_line(stdout, "Warning: %s", json_string_value(json_object_get(warning, "message")));
    json_decref(warnings);
}

void record_told_fini(struct record_told *told) {
    json_decref(TAKE(told->warnings));
    json_decref(TAKE(told->more));
    free(TAKE(told->balances));
    told->n_balances = 0;
}

void record_tell(struct client *client, const struct tb_answer *answer, struct record_told *told) {
    if (client->json)
        json_tell(client, answer, told);
    else
        words_tell(answer, told);
    record_told_fini(told);
}

char *record_words(const struct tb_order *order) {
    _cleanup_(freep) char *words = words_of_dated_order(order);
    char *proposed = NULL;
    if (!order->proposal || !words)
        return TAKE(words);
    return asprintf(&proposed, "Proposed: %s", words) < 0 ? NULL : proposed;
}

static int tell_order(struct client *client, const struct tb_answer *answer, size_t place, int kind,
                      const struct tb_order *order) {
    _cleanup_(freep) char *words = record_words(order);
    struct record_told told = {.place = place, .kind = kind, .words = words ? words : ""};
    record_balances(answer, order, &told);
    record_tell(client, answer, &told);
    return CLIENT_DONE;
}

int client_record_batch(struct client *client, struct tb_batch *batch, size_t place, int kind,
                        const struct tb_order *order) {
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    int r = record_submit(client, batch, &answer);
    return r == CLIENT_DONE ? tell_order(client, answer, place, kind, order) : r;
}

int client_record(struct client *client, struct tb_order *order) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    int r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    r = record_try(client, order, &batch, &answer);
    return r == 0 ? tell_order(client, answer, 0, (int)order->kind, order)
                  : record_outcome(client, batch, r);
}

/* ---- orders that speak of an entry */

static const struct {
    int kind;
    const char *done;
} done_words[] = {
    {TB_CONFIRM, "Confirmed"}, {TB_DECLINE, "Declined"}, {TB_WITHDRAW, "Withdrawn"},
    {TB_DISPUTE, "Disputed"},  {TB_DECIDE, "Decided"},   {TB_APPROVE, "Approved"},
    {TB_CAPTURE, "Taken"},     {TB_RELEASE, "Released"}, {TB_UNMERGE, "Undone"},
};

/* "Decided, 1 h is taken back: entry 24 (Wed 5 March 2025: m0007 gave ...)" */
static char *words_on_entry(const struct tb_order *order, uint64_t number, const char *was,
                            bool is_conflict) {
    const char *done = tb_kind_name((int)order->kind);
    char *words = NULL, time[32], detail[64] = "";
    for (size_t i = 0; i < N_ELEMENTS(done_words); i++)
        if (done_words[i].kind == (int)order->kind)
            done = done_words[i].done;
    tb_time_format((int64_t)order->minutes, time);
    if (order->kind == TB_DECIDE && is_conflict && order->minutes > 0)
        snprintf(detail, sizeof(detail), ", the chest pays %s", time);
    else if (order->kind == TB_DECIDE && is_conflict)
        snprintf(detail, sizeof(detail), ", nothing is paid");
    else if (order->kind == TB_DECIDE && order->minutes > 0)
        snprintf(detail, sizeof(detail), ", %s is taken back", time);
    else if (order->kind == TB_DECIDE)
        snprintf(detail, sizeof(detail), ", the entry stands");
    else if (order->kind == TB_CAPTURE && order->minutes > 0)
        snprintf(detail, sizeof(detail), ", %s", time);
    if (asprintf(&words, "%s%s: entry %" PRIu64 " (%s)", done, detail, number, was ? was : "") < 0)
        return NULL;
    return words;
}

static void on_entry_tell(struct client *client, const struct tb_answer *answer,
                          const struct tb_order *order, uint64_t number,
                          const struct tb_order *target, const char *words) {
    struct record_told told = {.kind = (int)order->kind, .words = words ? words : ""};
    /* A queue stands before a venue's screen: no balances there. */
    if (tb_bank_role(client->bank) != TB_ROLE_VENUE)
        record_balances_of_target(answer, told.place, target, &told);
    told.more = json_pack("{s:I}", "target_entry", (json_int_t)number);
    record_tell(client, answer, &told);
}

int record_on_entry(struct client *client, const char *number, struct tb_order *order) {
    _cleanup_(entry_copy_fini) struct entry_copy target = {0};
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    struct tb_entry entry;
    int r = entry_read(client, number, &entry);
    if (r != CLIENT_DONE)
        return r;
    uint64_t target_number = entry.number;
    /* Of vouchers only one that was taken twice waits for anybody. */
    bool is_conflict = entry.order.kind == TB_REDEEM_VOUCHER && strcmp(entry.state, "waiting") == 0;
    _cleanup_(freep) char *was = words_of_dated_order(&entry.order), *words = NULL;
    memcpy(order->target, entry.order.id, sizeof(order->target));
    static const uint8_t zeros[TB_QUOTE_BYTES];
    bool quotes = order->kind == TB_CONFIRM || order->kind == TB_APPROVE;
    if (quotes && memcmp(order->quote, zeros, sizeof(zeros)) == 0)
        memcpy(order->quote, entry.leaf, sizeof(order->quote));
    r = entry_copy_init(&target, &entry.order);
    if (r == 0) {
        order->authority =
            authority_of(client, order, words_from(&target.order), words_to(&target.order));
        r = record_try(client, order, &batch, &answer);
    }
    if (r != 0)
        return record_outcome(client, batch, r);
    words = words_on_entry(order, target_number, was, is_conflict);
    on_entry_tell(client, answer, order, target_number, &target.order, words);
    return CLIENT_DONE;
}
