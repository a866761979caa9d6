/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank issue: new credits for an organisation's allotment. A funder met for the first time is
 * declared in the same batch, and that is said.
 */
#include <inttypes.h>
#include <string.h>

#include "entries.h"
#include "options.h"
#include "record.h"
#include "verbs.h"
#include "words.h"

struct search {
    const char *name;
    bool found;
};

static int funder_compare(void *user, const struct tb_funder *funder) {
    struct search *search = user;
    search->found = search->found || strcmp(funder->name, search->name) == 0;
    return 0;
}

/* Adds the funder's order where it is not known; *ret_new says so. */
static int funder_declare(struct client *client, struct tb_batch *batch, const char *name,
                          bool *ret_new) {
    struct search search = {.name = name};
    size_t place;
    int r = tb_funder_list(client->bank, funder_compare, &search);
    if (r == 0 && !search.found) {
        struct tb_order order = TB_ORDER_INIT;
        order.kind = TB_SET_FUNDER;
        order.name = name;
        r = tb_batch_add(batch, &order, &place);
    }
    if (r == 0)
        *ret_new = !search.found;
    return r;
}

static void issue_tell(struct client *client, const struct tb_answer *answer, size_t place,
                       const struct tb_order *order) {
    _cleanup_(freep) char *words = record_words(order);
    struct record_told told = {.place = place, .kind = TB_ISSUE, .words = words ? words : ""};
    if (place > 0) {
        char text[300];
        snprintf(text, sizeof(text), "Funder %s is new here: entry %" PRIu64 " adds it.",
                 order->funder, tb_answer_entry(answer, 0));
        told.warnings = json_array();
        json_array_append_new(
            told.warnings, record_warning_json(TB_WARN_NEW_NAME, text, tb_answer_entry(answer, 0)));
    }
    record_balances(answer, order, &told);
    record_tell(client, answer, &told);
}

static int issue_record(struct client *client, const struct tb_order *order) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    bool is_new = false;
    size_t place = 0;
    int r = tb_batch_new(client->bank, &batch);
    if (r == 0)
        r = funder_declare(client, batch, order->funder, &is_new);
    if (r == 0)
        r = tb_batch_add(batch, order, &place);
    if (r != 0)
        return client_outcome(client, r);
    r = record_submit(client, batch, &answer);
    if (r == CLIENT_DONE)
        issue_tell(client, answer, place, order);
    return r;
}

static int issue_run(struct client *client, int argc, char **argv) {
    struct entries_typed typed = {0};
    const struct options_one options[] = {
        OPTION_TEXT("to", &typed.to),
        OPTION_TEXT("funder", &typed.funder),
        OPTION_TEXT("programme", &typed.programme),
        OPTION_TEXT("reference", &typed.reference),
        ENTRIES_OPTIONS(typed),
        OPTION_FLAG("again", &typed.again),
        ENTRIES_PROPOSE(typed),
        OPTION_END,
    };
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_issue, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE && !typed.time)
        r = client_usage(&verb_issue, "The time is missing: say how much with --time.");
    if (r == CLIENT_DONE && !typed.funder)
        r = client_usage(&verb_issue, "The funder is missing: say who pays with --funder.");
    if (r == CLIENT_DONE)
        r = entries_side(client, &verb_issue, "to", typed.to, 0, &order.to);
    if (r == CLIENT_DONE)
        r = entries_read(client, &verb_issue, &typed, &order);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_ISSUE;
    order.from = "issued";
    order.funder = typed.funder;
    order.programme = typed.programme;
    order.reference = typed.reference;
    return issue_record(client, &order);
}

const struct verb verb_issue = {
    .name = "issue",
    .summary = "new credits for an organisation to give out",
    .help =
        "timebank issue --to food-bank --time 120 --funder council\n"
        "\n"
        "Makes new credits in an organisation's allotment. A funder that is new here is added.\n"
        "\n"
        "  --to CODE          the organisation\n"
        "  --time TIME        120, 120h, 90h30\n"
        "  --funder NAME      who pays for them\n"
        "  --programme NAME   under which programme\n"
        "  --reference TEXT   the funder's own reference\n" ENTRIES_ON_HELP
        "  --why TEXT         a note, kept beside the ledger\n"
        "  --over-limit       insist although a limit is passed (needs --why)\n"
        "  --late             insist although the period is closed (needs --why)\n"
        "  --again            insist although it looks like an earlier "
        "entry\n" ENTRIES_PROPOSE_HELP,
    .run = issue_run,
};
