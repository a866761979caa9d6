/* SPDX-License-Identifier: Apache-2.0 */
/* An order as JSON. Days are dates, lists that belong together are one list of objects. */
#include "entry-json.h"

#include <string.h>

#include "base/cleanup.h"

#define BYTES_MAX 64

void entry_json_put_bytes(json_t *object, const char *key, const uint8_t *bytes, size_t n) {
    char hex[2 * BYTES_MAX + 1] = "";
    bool is_some = false;
    for (size_t i = 0; i < n && i < BYTES_MAX; i++) {
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
        is_some = is_some || bytes[i] != 0;
    }
    if (is_some)
        json_object_set_new(object, key, json_string(hex));
}

static void text_put(json_t *object, const char *key, const char *text) {
    if (text && *text)
        json_object_set_new(object, key, client_json_text(text));
}

static void number_put(json_t *object, const char *key, uint64_t number) {
    if (number)
        json_object_set_new(object, key, json_integer((json_int_t)number));
}

static void bound_put(json_t *object, const char *key, const int64_t *minutes) {
    if (minutes)
        json_object_set_new(object, key, json_integer((json_int_t)*minutes));
}

static void flag_put(json_t *object, const char *key, int flag) {
    if (flag)
        json_object_set_new(object, key, json_true());
}

static void day_put(json_t *object, const char *key, uint32_t day) {
    char text[16];
    if (day == 0)
        return;
    tb_date_format(day, text);
    json_object_set_new(object, key, json_string(text));
}

static void key_put(json_t *object, const uint8_t key[32]) {
    static const uint8_t none[32];
    _cleanup_(freep) char *line = memcmp(key, none, sizeof(none)) ? tb_key_line(key) : NULL;
    text_put(object, "key", line);
}

static void people_put(json_t *object, const char *key, size_t n, const char *const *codes,
                       const uint64_t *minutes, const char *const *persons) {
    json_t *list = json_array();
    for (size_t i = 0; codes && minutes && i < n; i++) {
        json_t *line = json_pack("{s:o, s:I}", "code", client_json_text(codes[i]), "minutes",
                                 (json_int_t)minutes[i]);
        text_put(line, "person", persons ? persons[i] : NULL);
        json_array_append_new(list, line);
    }
    if (json_array_size(list) > 0)
        json_object_set(object, key, list);
    json_decref(list);
}

static void session_put(json_t *object, const struct tb_order *order) {
    static const char *const rests[] = {"chest", "shared", "by-chest"};
    people_put(object, "givers", order->n_givers, order->givers, order->giver_minutes,
               order->giver_persons);
    people_put(object, "receivers", order->n_receivers, order->receivers, order->receiver_minutes,
               order->receiver_persons);
    if (order->kind == TB_SESSION && order->rest <= TB_REST_BY_CHEST)
        text_put(object, "rest", rests[order->rest]);
    number_put(object, "heads", order->heads);
    number_put(object, "head_minutes", order->head_minutes);
}

static void lines_put(json_t *object, const struct tb_order *order) {
    json_t *list = json_array();
    for (size_t i = 0; order->line_offers && i < order->n_lines; i++)
        json_array_append_new(list, json_pack("{s:o, s:I, s:I}", "offer",
                                              client_json_text(order->line_offers[i]), "heads",
                                              (json_int_t)order->line_heads[i], "minutes",
                                              (json_int_t)order->line_minutes[i]));
    if (order->kind == TB_VENUE_RETURN)
        json_object_set(object, "lines", list);
    json_decref(list);
}

static void limits_put(json_t *object, const struct tb_order *order) {
    static const char *const spans[] = {"", "day", "week", "month", "year"};
    json_t *list = json_array();
    bound_put(object, "floor_minutes", order->floor_minutes);
    bound_put(object, "ceiling_minutes", order->ceiling_minutes);
    bound_put(object, "soft_floor_minutes", order->soft_floor_minutes);
    bound_put(object, "soft_ceiling_minutes", order->soft_ceiling_minutes);
    for (size_t i = 0; order->spans && order->most && i < order->n_spans; i++) {
        uint32_t span = order->spans[i] & ~TB_SPAN_ENTRIES;
        json_array_append_new(
            list, json_pack("{s:s, s:I}", "span", span <= TB_SPAN_YEAR ? spans[span] : "",
                            order->spans[i] & TB_SPAN_ENTRIES ? "entries" : "minutes",
                            (json_int_t)order->most[i]));
    }
    if (json_array_size(list) > 0)
        json_object_set(object, "spending", list);
    json_decref(list);
}

static void offer_put(json_t *object, const struct tb_order *order) {
    text_put(object, "offer", order->offer);
    number_put(object, "adults", order->adults);
    number_put(object, "under16", order->under16);
    number_put(object, "price_minutes", order->price_minutes);
    number_put(object, "weekdays", order->weekdays);
    number_put(object, "from_minute", order->from_minute);
    number_put(object, "to_minute", order->to_minute);
    if (order->ages)
        text_put(object, "ages", tb_ages_name((int)order->ages));
    number_put(object, "party_max", order->party_max);
    number_put(object, "heads_a_day", order->heads_a_day);
    number_put(object, "times_a_month", order->times_a_month);
    number_put(object, "minutes_a_month", order->minutes_a_month);
    flag_put(object, "withdrawn", order->withdrawn);
}

static void vouchers_put(json_t *object, const struct tb_order *order) {
    number_put(object, "first_serial", order->first_serial);
    number_put(object, "new_serial", order->new_serial);
    number_put(object, "count", order->count);
    number_put(object, "each_minutes", order->each_minutes);
    text_put(object, "venue", order->venue);
    entry_json_put_bytes(object, "claims", order->claims, sizeof(order->claims));
    entry_json_put_bytes(object, "signature", order->signature, sizeof(order->signature));
    flag_put(object, "offline", order->offline);
}

static void people_of_register_put(json_t *object, const struct tb_order *order) {
    text_put(object, "person", order->person);
    flag_put(object, "minor", order->minor);
    flag_put(object, "gone", order->gone);
    text_put(object, "holder", order->holder);
    if (order->mandate_kind)
        text_put(object, "mandate", tb_mandate_name((int)order->mandate_kind));
    text_put(object, "giver", order->giver);
    flag_put(object, "ended", order->ended);
    text_put(object, "other", order->other);
    flag_put(object, "lifted", order->lifted);
    text_put(object, "heir", order->heir);
    flag_put(object, "stays", order->stays);
}

static void days_put(json_t *object, const struct tb_order *order) {
    day_put(object, "from_date", order->from_day);
    day_put(object, "to_date", order->to_day);
    day_put(object, "expires_date", order->expires_day);
    day_put(object, "due_date", order->due_day);
    day_put(object, "as_of_date", order->as_of_day);
    day_put(object, "until_date", order->until_day);
    number_put(object, "until_ms", order->until_ms);
}

static void settlement_put(json_t *object, const struct tb_order *order) {
    static const char *const words[] = {"", "left", "died", "ended"};
    if (order->settle_as <= TB_SETTLE_ENDED)
        text_put(object, "as", words[order->settle_as]);
    if (order->kind == TB_SETTLE || order->kind == TB_MERGE)
        bound_put(object, "balance_minutes", &order->balance_minutes);
    entry_json_put_bytes(object, "transfer", order->transfer_id, sizeof(order->transfer_id));
}

static void sides_put(json_t *object, const struct tb_order *order) {
    day_put(object, "service_date", order->service_day);
    text_put(object, "from", order->from);
    text_put(object, "from_person", order->from_person);
    text_put(object, "to", order->to);
    text_put(object, "to_person", order->to_person);
    number_put(object, "minutes", order->minutes);
    number_put(object, "typed_minutes", order->typed_minutes);
    text_put(object, "activity", order->activity);
    text_put(object, "funder", order->funder);
    text_put(object, "programme", order->programme);
    text_put(object, "reference", order->reference);
    flag_put(object, "proposal", order->proposal);
}

static void report_put(json_t *object, const struct tb_order *order) {
    if (order->report_class)
        text_put(object, "class", tb_report_class_name((int)order->report_class));
    text_put(object, "definition", order->definition);
    day_put(object, "as_known_at", order->known_day);
    flag_put(object, "as_recorded", order->as_recorded);
    number_put(object, "size", order->size);
    entry_json_put_bytes(object, "root", order->root, sizeof(order->root));
    entry_json_put_bytes(object, "checksum", order->checksum, sizeof(order->checksum));
    entry_json_put_bytes(object, "register_checksum", order->register_checksum,
                         sizeof(order->register_checksum));
}

void entry_json_put(json_t *object, const struct tb_order *order) {
    sides_put(object, order);
    offer_put(object, order);
    session_put(object, order);
    vouchers_put(object, order);
    days_put(object, order);
    settlement_put(object, order);
    lines_put(object, order);
    limits_put(object, order);
    people_of_register_put(object, order);
    report_put(object, order);
    flag_put(object, "release_rest", order->release_rest);
    text_put(object, "name", order->name);
    text_put(object, "value", order->value);
    text_put(object, "tags", order->tags);
    key_put(object, order->key);
    text_put(object, "sheet", order->sheet);
    number_put(object, "line", order->line);
    day_put(object, "claimed_date", order->claimed_day);
    number_put(object, "override", order->override);
    text_put(object, "why", order->why);
    entry_json_put_bytes(object, "id", order->id, sizeof(order->id));
    entry_json_put_bytes(object, "target", order->target, sizeof(order->target));
    entry_json_put_bytes(object, "quote", order->quote, sizeof(order->quote));
    entry_json_put_bytes(object, "corrects", order->corrects, sizeof(order->corrects));
}
