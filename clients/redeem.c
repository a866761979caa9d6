/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank redeem: a member spends credits at a venue. The price is the offer's times the heads.
 * With a venue's key the answer begins VALID, NO or CHECK and never shows a balance: a queue stands
 * before the screen.
 */
#include <inttypes.h>
#include <string.h>

#include "entries.h"
#include "options.h"
#include "record.h"
#include "verbs.h"
#include "words.h"

#define HEADS_MAX 100000

struct search {
    const char *name;
    bool found;
    uint64_t price_minutes;
};

static int offer_compare(void *user, const struct tb_offer *offer) {
    struct search *search = user;
    if (strcmp(offer->name, search->name) == 0) {
        search->found = true;
        search->price_minutes = offer->price_minutes;
    }
    return 0;
}

/* Where no offer is found the bank has the exact refusal (unknown venue, unknown offer); any time
 * will do to ask for it. */
static int price_find(struct client *client, const struct tb_order *order, uint64_t *ret_minutes) {
    struct search search = {.name = order->offer, .price_minutes = 60};
    int r = tb_offer_list(client->bank, order->to, offer_compare, &search);
    if (r == 0)
        *ret_minutes = search.price_minutes * (order->adults + order->under16);
    return r;
}

static int heads_read(struct client *client, const char *option, const char *text,
                      uint32_t *ret_heads) {
    if (!text)
        return CLIENT_DONE;
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n > HEADS_MAX)
        return client_refuse(client, TB_BAD_NUMBER, "\"%s\" is not a number of people: say --%s 2.",
                             text, option);
    *ret_heads = (uint32_t)n;
    return CLIENT_DONE;
}

/* Minutes from the price, unless --time says otherwise and --why says why. */
static int minutes_read(struct client *client, const struct entries_typed *typed,
                        struct tb_order *order) {
    uint64_t minutes;
    int r = price_find(client, order, &minutes);
    if (r != 0)
        return client_outcome(client, r);
    if (!typed->time)
        order->minutes = minutes;
    else if (order->minutes != minutes && typed->why)
        order->override |= TB_OVERRIDE_PRICE;
    return CLIENT_DONE;
}

static const char *venue_word(int refusal) {
    switch (refusal) {
    case TB_SEE_COORDINATOR:
    case TB_FROZEN:
    case TB_CLOSED:
    case TB_NO_SUCH_ACCOUNT:
        return "CHECK";
    default:
        return "NO";
    }
}

/* What the desk may say aloud: a sentence that shows no balance. */
static const char *venue_sentence(int refusal, const char *message) {
    static const char check[] = "CHECK: ";
    if (refusal == TB_BELOW_FLOOR)
        return "the credits do not cover it. Offer fewer heads, the normal price, or a word with "
               "the "
               "coordinator.";
    if (strncmp(message, check, strlen(check)) == 0)
        return message + strlen(check);
    return message;
}

static int venue_refused(struct client *client, const struct tb_batch *batch) {
    struct tb_refused refused;
    if (tb_batch_refusal(batch, 0, &refused) != 0)
        return CLIENT_REFUSED;
    const char *word = venue_word(refused.refusal);
    const char *sentence = venue_sentence(refused.refusal, refused.message);
    if (client->json)
        client_print_json(json_pack("{s:s, s:s, s:o}", "refused", tb_refusal_name(refused.refusal),
                                    "answer", word, "message", client_json_text(sentence)));
    else
        client_line(stderr, "%s: %s", word, sentence);
    return CLIENT_REFUSED;
}

static void venue_tell(struct client *client, const struct tb_answer *answer,
                       const struct tb_order *order) {
    char words[200];
    snprintf(words, sizeof(words), "VALID: %s, %" PRIu32 " adult%s and %" PRIu32 " under 16",
             order->offer, order->adults, order->adults == 1 ? "" : "s", order->under16);
    struct record_told told = {.kind = TB_REDEEM, .words = words};
    told.more = json_pack("{s:s}", "answer", "VALID");
    record_tell(client, answer, &told);
}

static int venue_record(struct client *client, struct tb_order *order) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    int r = record_try(client, order, &batch, &answer);
    if (r == 0)
        venue_tell(client, answer, order);
    else if (r > 0 && batch && tb_batch_refusals(batch) > 0)
        return venue_refused(client, batch);
    return client_outcome(client, r);
}

static int redeem_record(struct client *client, const struct entries_typed *typed,
                         struct tb_order *order) {
    if (order->adults + order->under16 == 0)
        return client_refuse(client, TB_NO_HEADS, "%s", tb_refusal_sentence(TB_NO_HEADS));
    int r = minutes_read(client, typed, order);
    if (r != CLIENT_DONE)
        return r;
    return tb_bank_role(client->bank) == TB_ROLE_VENUE ? venue_record(client, order)
                                                       : client_record(client, order);
}

static int redeem_run(struct client *client, int argc, char **argv) {
    struct entries_typed typed = {0};
    char *offer = NULL, *adults = NULL, *under16 = NULL;
    const struct options_one options[] = {
        OPTION_TEXT("from", &typed.from),   OPTION_TEXT("to", &typed.to),
        OPTION_TEXT("offer", &offer),       OPTION_TEXT("adults", &adults),
        OPTION_TEXT("under16", &under16),   ENTRIES_OPTIONS(typed),
        OPTION_FLAG("again", &typed.again), OPTION_END,
    };
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_REDEEM;
    int r = options_read(&verb_redeem, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE && !offer)
        r = client_usage(&verb_redeem, "The offer is missing: name it with --offer.");
    order.offer = offer;
    if (r == CLIENT_DONE)
        r = heads_read(client, "adults", adults, &order.adults);
    if (r == CLIENT_DONE)
        r = heads_read(client, "under16", under16, &order.under16);
    if (r == CLIENT_DONE)
        r = entries_side(client, &verb_redeem, "from", typed.from, 0, &order.from);
    if (r == CLIENT_DONE)
        r = entries_side(client, &verb_redeem, "to", typed.to, TB_ROLE_VENUE, &order.to);
    if (r == CLIENT_DONE)
        r = entries_read(client, &verb_redeem, &typed, &order);
    return r == CLIENT_DONE ? redeem_record(client, &typed, &order) : r;
}

const struct verb verb_redeem = {
    .name = "redeem",
    .summary = "a member spends credits at a venue",
    .help = "timebank redeem --from m0007 --to leisure-centre --offer swim --adults 1 --under16 1\n"
            "\n"
            "Moves the price of the offer, for each person admitted, from the member to the venue. "
            "With a\n"
            "venue's key the answer begins with VALID, NO or CHECK.\n"
            "\n"
            "  --from CODE       the member\n"
            "  --to CODE         the venue; with its key, itself\n"
            "  --offer NAME      timebank offer list VENUE\n"
            "  --adults N, --under16 N   how many are admitted\n" ENTRIES_ON_HELP
            "  --time TIME       another price than the offer's (needs --why)\n"
            "  --why TEXT        a note, kept beside the ledger\n"
            "  --over-limit      insist although a limit is passed (needs --why)\n"
            "  --again           insist although it looks like an earlier entry\n",
    .run = redeem_run,
};
