/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank statement: where somebody's hours came from and went. The bank gives the lines in the
 * order of recording; people think in dates of service, so the lines are sorted by those and the
 * balance is added up anew.
 */
#include "statement.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "options.h"
#include "verbs.h"
#include "words.h"

#define MS_PER_DAY 86400000u
#define KEY_CHARS 8

struct reading {
    struct statement *statement;
    size_t n_allocated;
};

static const char *text_or_empty(const char *text) {
    return text ? text : "";
}

static bool is(const char *a, const char *b) {
    return strcmp(text_or_empty(a), text_or_empty(b)) == 0;
}

static bool is_giver(const struct tb_order *order, const char *code) {
    for (size_t i = 0; order->givers && i < order->n_givers; i++)
        if (is(order->givers[i], code))
            return true;
    return false;
}

/* From the account's own side: "gave to m0012", "spent at cafe". */
static char *words_of(const struct tb_order *order, const char *code) {
    const char *other = text_or_empty(is(order->to, code) ? order->from : order->to);
    bool gains = is(order->to, code);
    char *words = NULL;
    int n = -1;

    switch (order->kind) {
    case TB_EXCHANGE:
    case TB_EARN:
        n = asprintf(&words, "%s %s: %s", gains ? "gave to" : "was helped by", other,
                     text_or_empty(order->activity));
        break;
    case TB_LOG:
        n = asprintf(&words, "gave without credit: %s", text_or_empty(order->activity));
        break;
    case TB_GIFT:
        n = asprintf(&words, "gift %s %s", gains ? "from" : "to", other);
        break;
    case TB_DONATE:
        n = asprintf(&words, "given to the community chest%s%s", gains ? " by " : "",
                     gains ? other : "");
        break;
    case TB_GRANT:
        if (gains)
            n = asprintf(&words, "%s",
                         is(other, "chest") ? "granted out of the community chest"
                                            : "granted as new credit");
        else
            n = asprintf(&words, "granted to %s", other);
        break;
    case TB_ISSUE:
        n = asprintf(&words, "issued%s%s%s%s", gains ? "" : " to ", gains ? "" : other,
                     *text_or_empty(order->funder) ? ", funded by " : "",
                     text_or_empty(order->funder));
        break;
    case TB_REDEEM:
        n = asprintf(&words, "%s %s: %s, %u + %u under 16", gains ? "accepted from" : "spent at",
                     other, text_or_empty(order->offer), order->adults, order->under16);
        break;
    case TB_SESSION:
        n = asprintf(&words, "%s a session: %s",
                     is_giver(order, code)   ? "gave in"
                     : is(order->from, code) ? "paid"
                                             : "took part in",
                     text_or_empty(order->activity));
        break;
    case TB_HOLD:
        n = asprintf(&words, "set aside %s %s: %s, %u + %u under 16", gains ? "by" : "for", other,
                     text_or_empty(order->offer), order->adults, order->under16);
        break;
    default:
        return words_of_order(order);
    }
    return n < 0 ? NULL : words;
}

/* What became of the entry that the line speaks of. */
static const char *done_word(const struct tb_statement_line *line) {
    switch (line->order.kind) {
    case TB_REVERSE:
        return "taken back";
    case TB_CONFIRM:
        return "confirmed";
    case TB_DECLINE:
        return "declined";
    case TB_WITHDRAW:
        return "withdrawn";
    case TB_DISPUTE:
        return "disputed";
    case TB_DECIDE:
        return "decided";
    case TB_APPROVE:
        return "approved";
    case TB_CAPTURE:
        return "taken";
    case TB_RELEASE:
        return "given back";
    case TB_UNMERGE:
        return "undone";
    default:
        return tb_kind_name((int)line->order.kind);
    }
}

static bool has_target(const struct tb_statement_line *line) {
    return line->target_entry != 0 && !line->event;
}

/* What the end of a time made of the entry. */
static const char *event_words(const struct tb_statement_line *line) {
    switch (line->event) {
    case TB_EVENT_HOLD_LAPSED:
        return "lapsed, given back";
    case TB_EVENT_GIFT_LAPSED:
        return "lapsed, nobody accepted it";
    case TB_EVENT_CLAIM_LAPSED:
        return "lapsed, nobody confirmed it";
    case TB_EVENT_CLAIM_ACCEPTED:
        return "accepted, nobody objected in time";
    case TB_EVENT_APPROVAL_LAPSED:
        return "lapsed, nobody approved it";
    case TB_EVENT_DISPUTE_LAPSED:
        return "stands, the dispute is over";
    case TB_EVENT_VOUCHERS_EXPIRED:
        return "expired, not used in time";
    case TB_EVENT_PLEDGE_DUE:
        return "due, not all was earned";
    case TB_EVENT_LEAVE_DUE:
        return "over, the time to spend";
    default:
        return tb_event_name(line->event);
    }
}

/* "m0007/2 gave to m0012: gardening": who of a household it was. */
static char *words_of_person(const struct tb_order *order, const char *code) {
    const char *person = is(order->to, code) ? order->to_person : order->from_person;
    _cleanup_(freep) char *words = words_of(order, code);
    char *named = NULL;

    if (!words || !person || !*person)
        return TAKE(words);
    return asprintf(&named, "%s/%s %s", code, person, words) < 0 ? NULL : named;
}

/* "taken back: entry 24 (gave to m0012: gardening)", "lapsed, given back: entry 24 (set aside...)"
 */
static char *words_of_line(const struct tb_statement_line *line, const char *code) {
    const struct tb_order *order = has_target(line) ? &line->target : &line->order;
    _cleanup_(freep) char *subject = words_of_person(order, code);
    char *words = NULL;

    if (!subject || (!has_target(line) && !line->event))
        return TAKE(subject);
    if (asprintf(&words, "%s: entry %llu (%s)", line->event ? event_words(line) : done_word(line),
                 (unsigned long long)line->target_entry, subject) < 0)
        return NULL;
    return words;
}

static char *author_of(const struct tb_statement_line *line) {
    char *text = NULL;

    if (line->author_account && *line->author_account)
        return strdup(line->author_account);
    text = calloc(1, KEY_CHARS + 1);
    for (size_t i = 0; text && i < KEY_CHARS / 2; i++)
        snprintf(text + 2 * i, 3, "%02x", line->author[i]);
    return text;
}

void statement_days(const struct tb_statement_line *line, uint32_t *ret_service_day,
                    uint32_t *ret_entry_day) {
    const struct tb_order *order = has_target(line) ? &line->target : &line->order;

    *ret_entry_day = line->order.claimed_day && !line->event
                         ? line->order.claimed_day
                         : (uint32_t)(line->received_at_ms / MS_PER_DAY);
    *ret_service_day = order->service_day ? order->service_day : *ret_entry_day;
}

static int line_copy(const struct tb_statement_line *from, const char *code,
                     struct statement_line *to) {
    const struct tb_order *order = has_target(from) ? &from->target : &from->order;
    uint32_t service_day, entry_day;

    statement_days(from, &service_day, &entry_day);
    *to = (struct statement_line){
        .entry = from->entry,
        .service_day = service_day,
        .entry_day = entry_day,
        .received_at_ms = from->received_at_ms,
        .minutes = from->minutes,
        .hours_minutes = from->order.kind == TB_LOG ? order->minutes : 0,
        .reversed_minutes = from->reversed_minutes,
        .target_entry = from->target_entry,
        .kind = (int)from->order.kind,
        .event = from->event,
        .authority = (int)from->order.authority,
        .author_role = from->author_role,
        .author = author_of(from),
        .other = strdup(text_or_empty(is(order->to, code) ? order->from : order->to)),
        .words = words_of_line(from, code),
        .activity = strdup(text_or_empty(order->activity)),
        .offer = strdup(text_or_empty(order->offer)),
        .why = strdup(text_or_empty(from->order.why)),
    };
    return to->author && to->other && to->words && to->activity && to->offer && to->why ? 0
                                                                                        : -ENOMEM;
}

static int line_add(void *user, const struct tb_statement_line *line) {
    struct reading *reading = user;
    struct statement *statement = reading->statement;

    if (statement->n_lines == reading->n_allocated) {
        size_t n = reading->n_allocated ? 2 * reading->n_allocated : 64;
        struct statement_line *lines = realloc(statement->lines, n * sizeof(*lines));
        if (!lines)
            return -ENOMEM;
        statement->lines = lines;
        reading->n_allocated = n;
    }
    return line_copy(line, statement->code, &statement->lines[statement->n_lines++]);
}

static int compare_lines(const void *a, const void *b) {
    const struct statement_line *x = a, *y = b;

    if (x->service_day != y->service_day)
        return x->service_day < y->service_day ? -1 : 1;
    return x->entry < y->entry ? -1 : 1;
}

static void line_fini(struct statement_line *line) {
    free(line->author);
    free(line->other);
    free(line->words);
    free(line->activity);
    free(line->offer);
    free(line->why);
}

/* Adds up from the first line on, then keeps those of the period. */
static void settle(struct statement *statement) {
    int64_t balance = 0;
    size_t n = 0;

    if (statement->n_lines > 1)
        qsort(statement->lines, statement->n_lines, sizeof(*statement->lines), compare_lines);
    for (size_t i = 0; i < statement->n_lines; i++) {
        struct statement_line *line = &statement->lines[i];
        if (line->service_day <= statement->to_day)
            statement->closing_minutes += line->minutes;
        balance += line->minutes;
        line->balance_minutes = balance;
        if (line->service_day < statement->from_day)
            statement->opening_minutes = balance;
        if (line->service_day < statement->from_day || line->service_day > statement->to_day)
            line_fini(line);
        else
            statement->lines[n++] = *line;
    }
    statement->n_lines = n;
}

int statement_read(struct client *client, const char *code, uint32_t from_day, uint32_t to_day,
                   struct statement *ret) {
    struct statement statement = {.code = code, .from_day = from_day, .to_day = to_day};
    struct reading reading = {.statement = &statement};
    int r = tb_statement_list(client->bank, code, line_add, &reading);

    if (r == 0)
        r = tb_balance_get(client->bank, code, &statement.balance);
    if (r == 0) {
        statement.balance_code = strdup(statement.balance.code);
        r = statement.balance_code ? 0 : -ENOMEM;
    }
    if (r != 0) {
        statement_fini(&statement);
        return r;
    }
    settle(&statement);
    *ret = statement;
    return 0;
}

void statement_fini(struct statement *statement) {
    for (size_t i = 0; i < statement->n_lines; i++)
        line_fini(&statement->lines[i]);
    free(statement->lines);
    free(statement->balance_code);
    *statement = (struct statement){0};
}

void statement_by(const struct statement_line *line, char *ret, size_t n_ret) {
    if (line->event) {
        snprintf(ret, n_ret, "the bank, when it fell due");
        return;
    }
    snprintf(ret, n_ret, "%s %s%s", line->author_role ? tb_role_name(line->author_role) : "key",
             line->author,
             line->authority == TB_BY_SHEET      ? ", from a sheet"
             : line->authority == TB_BY_GUARDIAN ? ", with a mandate"
                                                 : "");
}

static int period_read(struct client *client, const char *from, const char *to, uint32_t *ret_from,
                       uint32_t *ret_to) {
    int r = from ? client_date(client, from, ret_from) : CLIENT_DONE;

    if (r == CLIENT_DONE && to)
        r = client_date(client, to, ret_to);
    if (r == CLIENT_DONE && *ret_to < *ret_from)
        r = client_refuse(client, TB_BAD_PERIOD,
                          "The period ends before it begins: check --from and --to.");
    return r;
}

static int show(struct client *client, const char *code, uint32_t from_day, uint32_t to_day,
                bool csv) {
    struct statement statement;
    int r = statement_read(client, code, from_day, to_day, &statement);

    if (r != 0)
        return client_outcome(client, r);
    if (client->json)
        statement_tell_json(client, &statement);
    else if (csv)
        statement_tell_csv(&statement);
    else
        statement_tell(client, &statement);
    statement_fini(&statement);
    return CLIENT_DONE;
}

static int statement_run(struct client *client, int argc, char **argv) {
    char *code = NULL, *from = NULL, *to = NULL, *proof = NULL;
    bool csv = false;
    const struct options_one options[] = {OPTION_TEXT("from", &from), OPTION_TEXT("to", &to),
                                          OPTION_TEXT("proof", &proof), OPTION_FLAG("csv", &csv),
                                          OPTION_END};
    uint32_t from_day = 0, to_day = UINT32_MAX;
    const char *whose;
    int r = options_read(&verb_statement, argc, argv, options, 0, 1, &code);

    if (r == CLIENT_DONE && proof && (from || to || csv))
        return client_usage(&verb_statement, "A proof is of the whole account: give --proof "
                                             "without --from, --to and --csv.");
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r == CLIENT_DONE)
        r = period_read(client, from, to, &from_day, &to_day);
    if (r != CLIENT_DONE)
        return r;
    whose = client_code(code);
    if (!whose)
        whose = client_own_account(client, tb_bank_role(client->bank));
    if (!whose || !*whose)
        return client_usage(&verb_statement, "Say whose statement: name the account's code.");
    return proof ? statement_prove(client, whose, proof)
                 : show(client, whose, from_day, to_day, csv);
}

const struct verb verb_statement = {
    .name = "statement",
    .summary = "where an account's hours came from and went",
    .help = "timebank statement m0007 --from 2025-01-01 --to 2025-03-31\n"
            "\n"
            "Every entry of the account by date of service, with the balance after it. Without a "
            "code, the\n"
            "account that your key acts for.\n"
            "\n"
            "  --from DATE   from this date of service on; from the beginning\n"
            "  --to DATE     up to this date of service; to the end\n"
            "  --csv         for a spreadsheet\n"
            "  --proof FILE  all of it, with the proof that nothing is missing or changed: made "
            "new, to be\n"
            "                checked with timebank verify FILE; \"-\" for standard output\n",
    .run = statement_run,
};
