/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank voucher redeem and show: a token as it was scanned or typed. With a venue's key the
 * answer begins VALID, NO or CHECK, and shows no balance: a queue stands before the screen.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/files.h"
#include "desk-answer.h"
#include "entries.h"
#include "options.h"
#include "record.h"
#include "slip.h"
#include "verbs.h"
#include "voucher.h"
#include "words.h"

#define HEADS_MAX 1000

static int token_read(struct client *client, char **words, int n_words, struct tb_voucher *ret) {
    _cleanup_(freep) char *token = voucher_token_join(words, n_words);

    return client_outcome_why(client, token ? tb_voucher_read(token, ret) : -ENOMEM, "");
}

/* ---- redeem */

static bool is_conflict(const struct tb_answer *answer) {
    struct tb_warning warning;

    for (size_t i = 0; i < tb_answer_warnings(answer); i++)
        if (tb_answer_warning(answer, i, &warning) == 0 &&
            warning.warning == TB_WARN_VOUCHER_CONFLICT)
            return true;
    return false;
}

static void venue_tell(struct client *client, const struct tb_answer *answer,
                       const struct tb_voucher *voucher) {
    const char *word = is_conflict(answer) ? "CHECK" : "VALID";
    char words[120], time[32];

    tb_time_format((int64_t)voucher->minutes, time);
    snprintf(words, sizeof(words), "%s: voucher %" PRIu64 ", %s", word, voucher->serial, time);
    struct record_told told = {.kind = TB_REDEEM_VOUCHER, .words = words};
    told.more = json_pack("{s:s}", "answer", word);
    record_tell(client, answer, &told);
}

static int venue_record(struct client *client, struct tb_order *order,
                        const struct tb_voucher *voucher) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    int r = record_try(client, order, &batch, &answer);

    if (r == 0)
        venue_tell(client, answer, voucher);
    else if (r > 0 && batch && tb_batch_refusals(batch) > 0)
        return desk_answer_refused(client, batch);
    return client_outcome(client, r);
}

static int heads_read(struct client *client, const char *option, const char *text,
                      uint32_t *ret_heads) {
    char *end;
    unsigned long n;

    if (!text)
        return CLIENT_DONE;
    n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n > HEADS_MAX)
        return client_refuse(client, TB_BAD_NUMBER, "\"%s\" is not a number of people: say --%s 2.",
                             text, option);
    *ret_heads = (uint32_t)n;
    return CLIENT_DONE;
}

struct redeem_typed {
    char *to;
    char *offer;
    char *adults;
    char *under16;
    char *on;
    char *why;
    bool offline;
};

static int redeem_read(struct client *client, const struct redeem_typed *typed,
                       struct tb_order *order) {
    int r = CLIENT_DONE;

    order->kind = TB_REDEEM_VOUCHER;
    order->service_day = tb_today();
    order->offer = typed->offer;
    order->offline = typed->offline;
    order->why = typed->why;
    if (typed->on)
        r = client_date(client, typed->on, &order->service_day);
    if (r == CLIENT_DONE)
        r = heads_read(client, "adults", typed->adults, &order->adults);
    if (r == CLIENT_DONE)
        r = heads_read(client, "under16", typed->under16, &order->under16);
    if (r == CLIENT_DONE)
        r = client_open(client);
    return r == CLIENT_DONE ? entries_side(client, &verb_voucher_redeem, "to", typed->to,
                                           TB_ROLE_VENUE, &order->to)
                            : r;
}

static int redeem_run(struct client *client, int argc, char **argv) {
    struct redeem_typed typed = {0};
    const struct options_one options[] = {
        OPTION_TEXT("to", &typed.to),           OPTION_TEXT("offer", &typed.offer),
        OPTION_TEXT("adults", &typed.adults),   OPTION_TEXT("under16", &typed.under16),
        OPTION_FLAG("offline", &typed.offline), OPTION_TEXT("on", &typed.on),
        OPTION_TEXT("why", &typed.why),         OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    struct tb_voucher voucher = {0};
    char **words;
    int n_words,
        r = options_read_many(&verb_voucher_redeem, argc, argv, options, 1, &words, &n_words);

    if (r == CLIENT_DONE && typed.offline != (typed.on != NULL))
        r = client_usage(&verb_voucher_redeem,
                         "A voucher taken without asking needs both --offline and --on DATE.");
    if (r == CLIENT_DONE)
        r = token_read(client, words, n_words, &voucher);
    if (r == CLIENT_DONE)
        r = redeem_read(client, &typed, &order);
    if (r != CLIENT_DONE)
        return r;
    order.minutes = voucher.minutes;
    memcpy(order.claims, voucher.claims, sizeof(order.claims));
    memcpy(order.signature, voucher.signature, sizeof(order.signature));
    return tb_bank_role(client->bank) == TB_ROLE_VENUE ? venue_record(client, &order, &voucher)
                                                       : client_record(client, &order);
}

const struct verb verb_voucher_redeem = {
    .name = "voucher redeem",
    .summary = "a voucher is taken",
    .help =
        "timebank voucher redeem 01000-00000-5656Y-... --to leisure-centre --offer swim --adults "
        "1\n"
        "\n"
        "Moves the voucher's credits to the venue that took it, or, by a broker, to a member. With "
        "a\n"
        "venue's key the answer begins with VALID, NO or CHECK.\n"
        "\n"
        "  --to CODE         with a venue's key, itself\n"
        "  --offer NAME      what was used (timebank offer list VENUE)\n"
        "  --adults N, --under16 N   how many were admitted\n"
        "  --offline --on DATE       it was taken on that day without asking the bank. Where it "
        "was used\n"
        "                    before, this is recorded all the same, and a broker settles who pays\n"
        "  --why TEXT        a note, kept beside the ledger\n",
    .run = redeem_run,
};

/* ---- show */

static int write_picture(struct client *client, const char *path,
                         int (*draw)(const struct slip *slip, struct bytes *to),
                         const struct slip *slip) {
    _cleanup_bytes_ struct bytes picture = {};
    char why[300];
    int r;

    if (!path)
        return CLIENT_DONE;
    r = draw(slip, &picture);
    if (r == 0)
        r = file_replace(path, 0600, picture.data, picture.n);
    snprintf(why, sizeof(why), "%s cannot be written: choose another name.", path);
    return client_outcome_why(client, r, why);
}

static int show_run(struct client *client, int argc, char **argv) {
    char *svg = NULL, *png = NULL, **words;
    const struct options_one options[] = {OPTION_TEXT("svg", &svg), OPTION_TEXT("png", &png),
                                          OPTION_END};
    struct slip slip = {.bank = "", .venue = ""};
    int n_words,
        r = options_read_many(&verb_voucher_show, argc, argv, options, 1, &words, &n_words);

    if (r == CLIENT_DONE)
        r = token_read(client, words, n_words, &slip.voucher);
    if (r == CLIENT_DONE)
        r = write_picture(client, svg, slip_svg, &slip);
    if (r == CLIENT_DONE)
        r = write_picture(client, png, slip_png, &slip);
    if (r != CLIENT_DONE || svg || png)
        return r;
    return client_outcome_why(client, slip_terminal(&slip, stdout), "A QR code cannot be drawn.");
}

const struct verb verb_voucher_show = {
    .name = "voucher show",
    .summary = "draw a voucher's QR code",
    .help = "timebank voucher show 01000-00000-5656Y-... --png voucher.png\n"
            "\n"
            "Draws the QR code on the terminal, or into a file. Asks no bank.\n"
            "\n"
            "  --png FILE   the code alone\n"
            "  --svg FILE   a slip with the code and what it says\n",
    .run = show_run,
};
