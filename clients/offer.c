/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank offer: what venues accept credits for, and at what price.
 */
#include <string.h>

#include "base/cleanup.h"
#include "options.h"
#include "verbs.h"

#define WHY_BYTES 400

static int set_run(struct client *client, int argc, char **argv) {
    char *words[2], *price = NULL, why[WHY_BYTES] = "";
    const struct options_one options[] = {OPTION_TEXT("price", &price), OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_offer_set, argc, argv, options, 2, 2, words);
    if (r != CLIENT_DONE)
        return r;
    if (!price)
        return client_usage(&verb_offer_set, "Say what it costs a head with --price.");
    r = tb_time_parse(price, &order.price_minutes, why, sizeof(why));
    if (r != 0)
        return client_outcome_why(client, r, why);
    order.kind = TB_SET_OFFER;
    order.to = client_code(words[0]);
    order.offer = words[1];
    return client_record(client, &order);
}

const struct verb verb_offer_set = {
    .name = "offer set",
    .summary = "set a venue's offer and its price",
    .help = "timebank offer set leisure-centre swim --price 1h\n"
            "\n"
            "Sets what the venue accepts credits for, and the price for each person admitted. Of "
            "an offer\n"
            "that is there already it sets the price anew; entries made before keep theirs.\n"
            "\n"
            "  --price TIME   time credits a head: 1, 1h30, 45 min\n",
    .run = set_run,
};

static int offer_keep(void *user, const struct tb_offer *offer) {
    return json_array_append_new(user, json_pack("{s:o, s:o, s:I}", "venue",
                                                 client_json_text(offer->venue), "offer",
                                                 client_json_text(offer->name), "price_minutes",
                                                 (json_int_t)offer->price_minutes));
}

static void offer_tell(const json_t *row) {
    char price[32];
    tb_time_format(json_integer_value(json_object_get(row, "price_minutes")), price);
    client_line(stdout, "%-20s %-30s %12s", json_string_value(json_object_get(row, "venue")),
                json_string_value(json_object_get(row, "offer")), price);
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
    .help =
        "timebank offer list leisure-centre\n"
        "\n"
        "What the venue accepts credits for and the price a head; without a code, of all venues.\n",
    .run = list_run,
};
