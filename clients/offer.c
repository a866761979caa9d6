/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank offer: what venues accept credits for, at what price, and by which rules.
 */
#include <string.h>

#include "base/cleanup.h"
#include "offer-rules.h"
#include "options.h"
#include "verbs.h"

#define WHY_BYTES 400

/* The one that is looked for, and what it says. */
struct search {
    const char *name;
    bool found;
    struct tb_order *order;
};

static int offer_compare(void *user, const struct tb_offer *offer) {
    struct search *search = user;
    if (strcmp(offer->name, search->name) != 0)
        return 0;
    search->found = true;
    offer_rules_copy(offer, search->order);
    return 0;
}

/* ---- set */

/* What is not named stays as it is; setting an offer anew brings a withdrawn one back. */
static int set_read(struct client *client, const char *price, bool withdraw,
                    const struct offer_rules_typed *typed, struct tb_order *order) {
    struct search search = {.name = order->offer, .order = order};
    char why[WHY_BYTES] = "";
    int r = client_open(client);
    if (r == CLIENT_DONE)
        r = client_outcome(client, tb_offer_list(client->bank, order->to, offer_compare, &search));
    if (r != CLIENT_DONE)
        return r;
    if (!search.found && !price && !withdraw)
        return client_usage(&verb_offer_set, "Say what it costs a head with --price.");
    if (!search.found && withdraw)
        return client_refuse(client, TB_UNKNOWN_OFFER,
                             "%s has no offer %s: see timebank offer list.", order->to,
                             order->offer);
    if (price)
        r = tb_time_parse(price, &order->price_minutes, why, sizeof(why));
    if (r != 0)
        return client_outcome_why(client, r, why);
    order->withdrawn = withdraw;
    return offer_rules_read(client, typed, order);
}

static int set_run(struct client *client, int argc, char **argv) {
    struct offer_rules_typed typed = {0};
    char *words[2], *price = NULL;
    bool withdraw = false;
    const struct options_one options[] = {OPTION_TEXT("price", &price),
                                          OPTION_TEXT("days", &typed.days),
                                          OPTION_TEXT("hours", &typed.hours),
                                          OPTION_TEXT("from", &typed.from),
                                          OPTION_TEXT("to", &typed.to),
                                          OPTION_TEXT("ages", &typed.ages),
                                          OPTION_TEXT("party", &typed.party),
                                          OPTION_TEXT("per-day", &typed.per_day),
                                          OPTION_TEXT("per-month", &typed.per_month),
                                          OPTION_TEXT("budget", &typed.budget),
                                          OPTION_FLAG("withdraw", &withdraw),
                                          OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_offer_set, argc, argv, options, 2, 2, words);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_SET_OFFER;
    order.to = client_code(words[0]);
    order.offer = words[1];
    r = set_read(client, price, withdraw, &typed, &order);
    return r == CLIENT_DONE ? client_record(client, &order) : r;
}

const struct verb verb_offer_set = {
    .name = "offer set",
    .summary = "set a venue's offer, its price and its rules",
    .help = "timebank offer set leisure-centre swim --price 1h --days mon-fri --hours 9:00-12:00\n"
            "\n"
            "Sets what the venue accepts credits for, the price for each person admitted, and the "
            "rules that\n"
            "the bank then checks. Of an offer that is there already, what is not named stays; any "
            "takes a\n"
            "rule off. Entries made before keep their price.\n"
            "\n"
            "  --price TIME      time credits a head: 1, 1h30, 45 min\n"
            "  --days LIST       weekdays: mon-fri,sun\n"
            "  --hours FROM-TO   of the day, by the policy local-time: 9:00-12:00\n"
            "  --from DATE, --to DATE   the first and the last day\n"
            "  --ages WHO        adults, under16, or with-adult: under-16s need an adult\n"
            "  --party N         most that come in at once\n"
            "  --per-day N       places a day\n"
            "  --per-month N     how often one member may come in a month\n"
            "  --budget TIME     most that the venue takes for it in a month\n"
            "  --withdraw        it is no longer offered\n",
    .run = set_run,
};

/* ---- list */

static int offer_keep(void *user, const struct tb_offer *offer) {
    struct tb_order order = TB_ORDER_INIT;
    offer_rules_copy(offer, &order);
    json_t *row =
        json_pack("{s:o, s:o, s:I}", "venue", client_json_text(offer->venue), "offer",
                  client_json_text(offer->name), "price_minutes", (json_int_t)offer->price_minutes);
    json_object_update_new(row, offer_rules_json(&order));
    return json_array_append_new(user, row);
}

static void offer_tell(const json_t *row) {
    const char *rules = json_string_value(json_object_get(row, "rules"));
    char price[32];
    tb_time_format(json_integer_value(json_object_get(row, "price_minutes")), price);
    client_line(stdout, "%-20s %-30s %12s%s%s", json_string_value(json_object_get(row, "venue")),
                json_string_value(json_object_get(row, "offer")), price,
                rules && *rules ? "  " : "", rules ? rules : "");
}

static int list_run(struct client *client, int argc, char **argv) {
    char *venue = NULL;
    const struct options_one options[] = {OPTION_END};
    int r = options_read(&verb_offer_list, argc, argv, options, 0, 1, &venue);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    json_t *rows = json_array();
    r = tb_offer_list(client->bank, client_code(venue), offer_keep, rows);
    return client_list_outcome(client, r, rows, offer_tell);
}

const struct verb verb_offer_list = {
    .name = "offer list",
    .summary = "the offers of a venue, or of all",
    .help = "timebank offer list leisure-centre\n"
            "\n"
            "What the venue accepts credits for, the price a head and the rules; without a code, "
            "of all\n"
            "venues.\n",
    .run = list_run,
};

/* ---- show */

struct use {
    const char *name;
    uint64_t heads;
    uint64_t minutes;
};

static int use_add(void *user, const struct tb_register_row *row) {
    struct use *use = user;
    if (strcmp(row->name, use->name) == 0) {
        use->heads += row->count;
        use->minutes += (uint64_t)row->minutes;
    }
    return 0;
}

static void show_tell(struct client *client, const struct tb_order *order, const struct use *use) {
    _cleanup_(freep) char *rules = offer_rules_words(order);
    char price[32], used[32];
    if (client->json) {
        json_t *object = json_pack("{s:o, s:o, s:I}", "venue", client_json_text(order->to), "offer",
                                   client_json_text(order->offer), "price_minutes",
                                   (json_int_t)order->price_minutes);
        json_object_update_new(object, offer_rules_json(order));
        json_object_set_new(object, "month_heads", json_integer((json_int_t)use->heads));
        json_object_set_new(object, "month_minutes", json_integer((json_int_t)use->minutes));
        json_object_set_new(object, "position", client_position(client));
        client_print_json(object);
        return;
    }
    tb_time_format((int64_t)order->price_minutes, price);
    tb_time_format((int64_t)use->minutes, used);
    client_line(stdout, "%s at %s: %s a head%s%s", order->offer, order->to, price,
                rules && *rules ? ", " : "", rules ? rules : "");
    client_line(stdout, "  this month so far: %llu head%s, %s", (unsigned long long)use->heads,
                use->heads == 1 ? "" : "s", used);
}

static int show_run(struct client *client, int argc, char **argv) {
    char *words[2];
    const struct options_one options[] = {OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_offer_show, argc, argv, options, 2, 2, words);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    order.to = client_code(words[0]);
    order.offer = words[1];
    struct search search = {.name = order.offer, .order = &order};
    struct use use = {.name = order.offer};
    struct tb_register_ask ask = {.code = order.to, .from_day = tb_today(), .to_day = tb_today()};
    r = tb_offer_list(client->bank, order.to, offer_compare, &search);
    if (r == 0 && !search.found)
        return client_refuse(client, TB_UNKNOWN_OFFER,
                             "%s has no offer %s: see timebank offer list.", order.to, order.offer);
    if (r == 0)
        r = tb_register_list(client->bank, TB_REGISTER_OFFER_SUMS, &ask, use_add, &use);
    if (r == 0)
        show_tell(client, &order, &use);
    return client_outcome(client, r);
}

const struct verb verb_offer_show = {
    .name = "offer show",
    .summary = "one offer: its rules, and what it was used for this month",
    .help = "timebank offer show leisure-centre swim\n"
            "\n"
            "For brokers and the venue's own key.\n",
    .run = show_run,
};
