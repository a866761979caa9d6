/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a release is made of is read off the report itself, so that it can say nothing else. While
 * an offer stands, no other report has left the bank: what the guard looked at still holds when it
 * is recorded.
 */
#include "report-release.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/dates.h"
#include "proto/refusal.h"
#include "report-part.h"

#define HIDDEN_TEXT "[x]"
#define CONFIDENTIAL_TEXT "[c]"

/* What of a report goes into its release. */
struct reading {
    uint32_t known_day;
    uint8_t checksum[HASH_BYTES];
    uint8_t register_checksum[HASH_BYTES];
};

static int compare_entries(const void *a, const void *b) {
    const struct report_released *x = a, *y = b;
    return (x->entry > y->entry) - (x->entry < y->entry);
}

int report_release_begin(struct report_release *release, struct bank *bank) {
    const struct rows *rows = &bank_state(bank)->tables[STATE_RELEASES];
    release->before = calloc(rows->n_rows + 1, sizeof(*release->before));
    if (!release->before)
        return -ENOMEM;
    for (const struct row *row = rows_next(rows, NULL); row; row = rows_next(rows, row))
        release->before[release->n_before++] = (struct report_released){
            .entry = be64_get(row->key), .row = *(const struct state_release *)(void *)row->value};
    qsort(release->before, release->n_before, sizeof(*release->before), compare_entries);
    return 0;
}

void report_release_fini(struct report_release *release) {
    free(release->before);
    bytes_fini(&release->message);
    release->before = NULL;
    release->n_before = 0;
}

/* ---- what left before */

static bool asks_the_same(const struct state_release *row, const struct report_ask *ask) {
    return row->report_class == ask->report_class && row->from_day == ask->from_day &&
           row->to_day == ask->to_day && (row->as_recorded != 0) == (ask->as_recorded != 0);
}

const struct report_released *report_release_find(const struct report_release *release,
                                                  const struct report_ask *ask,
                                                  uint32_t known_day) {
    for (size_t i = release->n_before; i > 0; i--) {
        const struct state_release *row = &release->before[i - 1].row;
        if (asks_the_same(row, ask) && row->size == ask->size && row->known_day == known_day)
            return &release->before[i - 1];
    }
    return NULL;
}

static const struct report_released *find_latest(const struct report_release *release,
                                                 const struct report_ask *ask) {
    for (size_t i = release->n_before; i > 0; i--)
        if (asks_the_same(&release->before[i - 1].row, ask))
            return &release->before[i - 1];
    return NULL;
}

/* ---- the report itself */

static int read_hash(const json_t *report, const char *key, uint8_t ret[HASH_BYTES]) {
    const char *text = json_string_value(json_object_get(report, key));
    if (!text || strlen(text) != 2 * HASH_BYTES)
        return -EPROTO;
    for (size_t i = 0; i < HASH_BYTES; i++) {
        const char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
        char *end;
        ret[i] = (uint8_t)strtoul(digits, &end, 16);
        if (*end)
            return -EPROTO;
    }
    return 0;
}

/* As checksum and further_checksum are made, of what the report itself has none for. */
static int hash_register(const json_t *report, uint8_t ret[HASH_BYTES]) {
    char *text = json_dumps(json_object_get(report, "register_measures"),
                            JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    if (!text)
        return -ENOMEM;
    struct hash hash = hash_of(text, strlen(text));
    memcpy(ret, hash.b, HASH_BYTES);
    free(text);
    return 0;
}

static int read_report(const char *json, struct reading *ret) {
    json_t *report = json_loads(json, 0, NULL);
    const char *day = json_string_value(json_object_get(report, "as_known_at"));
    int r = day ? dates_parse_iso(day, &ret->known_day) : -EPROTO;
    if (r == 0)
        r = read_hash(report, "checksum", ret->checksum);
    if (r == 0)
        r = hash_register(report, ret->register_checksum);
    json_decref(report);
    return r;
}

static int64_t count_confidential(json_t *value) {
    const char *key;
    json_t *member;
    int64_t n = 0;
    if (json_is_string(value))
        return strcmp(json_string_value(value), CONFIDENTIAL_TEXT) == 0;
    json_object_foreach(value, key, member) n += count_confidential(member);
    return n;
}

/* The hash of what is left: one of the figures could be found by trying. */
static int hash_what_is_left(json_t *report, json_t *figures) {
    static const char *const keys[] = {"register", "register_age_bands"};
    char checksum[2 * HASH_BYTES + 1];
    const struct report_json left = {.object = figures};
    int r = report_json_checksum(&left, checksum);
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(keys); i++)
        if (json_object_get(report, keys[i]))
            r = json_object_set_new(report, keys[i], json_string(checksum)) < 0 ? -ENOMEM : 0;
    return r;
}

/* Its breakdowns have no names either: the names of wards are of those who live there. */
static int hide_register(json_t *report) {
    json_t *figures = json_object_get(report, "register_measures"), *member;
    int64_t n_others =
        json_integer_value(json_object_get(report, "suppressed")) - count_confidential(figures);
    const char *key;
    void *next;
    int r = figures ? 0 : -EPROTO;
    json_object_foreach_safe(figures, next, key, member) {
        r |= json_object_set_new(figures, key,
                                 json_is_object(member) ? json_object() : json_string(HIDDEN_TEXT));
    }
    r |= json_object_set_new(report, "suppressed", json_integer(n_others));
    return r < 0 ? -ENOMEM : hash_what_is_left(report, figures);
}

/* Since it left, somebody moved or was erased: what rests on that is not available any more, for
 * with both reports at hand it would tell of them. */
static int leave_register_out(char **json) {
    json_t *report = json_loads(*json, 0, NULL);
    int r = report ? hide_register(report) : -EPROTO;
    char *text = r == 0 ? json_dumps(report, JSON_COMPACT) : NULL;
    json_decref(report);
    if (!text)
        return r < 0 ? r : -ENOMEM;
    free(*json);
    *json = text;
    return 0;
}

static int give_again(const struct report_released *released, const struct reading *reading,
                      char **json) {
    const struct state_release *row = &released->row;
    if (memcmp(row->checksum, reading->checksum, HASH_BYTES) != 0)
        return REFUSAL_NOT_AS_RELEASED;
    return memcmp(row->register_checksum, reading->register_checksum, HASH_BYTES) == 0
               ? 0
               : leave_register_out(json);
}

/* The same figures as they stand: the report that left is given, at its own position. */
static int give_earlier(const struct report_released *released, const struct facts *facts,
                        struct report_ask *ask, char **json) {
    struct reading reading;
    char *text = NULL;
    ask->size = released->row.size;
    ask->known_day = released->row.known_day;
    memcpy(ask->root.b, released->row.root, HASH_BYTES);
    int r = report_make(facts, ask, &text);
    if (r != 0)
        return r;
    free(*json);
    *json = text;
    r = read_report(*json, &reading);
    return r == 0 ? give_again(released, &reading, json) : r;
}

/* ---- what rests on the register of people, in a report that did not leave yet */

/* Are there too many to make them all again, who has left is taken for erased. */
#define MADE_AGAIN_MAX 64

static bool has_anybody_left(const struct facts *facts, uint64_t since) {
    for (size_t i = 0; i < facts->n_standings; i++)
        if (facts->standings[i].is_gone && facts->standings[i].entered.index > since)
            return true;
    return false;
}

static int is_still_so(const struct facts *facts, const struct report_ask *ask,
                       const struct state_release *row, bool *ret) {
    struct report_ask earlier = *ask;
    struct reading reading;
    char *text = NULL;
    earlier.report_class = row->report_class;
    earlier.from_day = row->from_day;
    earlier.to_day = row->to_day;
    earlier.known_day = row->known_day;
    earlier.as_recorded = row->as_recorded;
    earlier.size = row->size;
    memcpy(earlier.root.b, row->root, HASH_BYTES);
    int r = report_make(facts, &earlier, &text);
    if (r == 0)
        r = read_report(text, &reading);
    free(text);
    *ret = r == 0 && memcmp(row->register_checksum, reading.register_checksum, HASH_BYTES) == 0;
    return r > 0 ? 0 : r;
}

/* Who was erased since lives nowhere now: a report of days that one holds which left before would
 * tell, beside it, what they gave. */
static int compare_register(const struct report_release *release, const struct facts *facts,
                            const struct report_ask *ask, bool *is_same) {
    size_t n_made = 0;
    int r = 0;
    for (size_t i = release->n_before; r == 0 && *is_same && i > 0; i--) {
        const struct report_released *released = &release->before[i - 1];
        if (released->row.from_day > ask->to_day || ask->from_day > released->row.to_day ||
            !has_anybody_left(facts, released->entry))
            continue;
        if (n_made++ < MADE_AGAIN_MAX)
            r = is_still_so(facts, ask, &released->row, is_same);
        else
            *is_same = false;
    }
    return r;
}

/* What goes on record is what will be given. */
static int leave_apart(char **json, struct reading *reading) {
    int r = leave_register_out(json);
    return r == 0 ? read_report(*json, reading) : r;
}

/* ---- what has to be recorded first */

static ProtobufCBinaryData binary(const uint8_t *data) {
    return (ProtobufCBinaryData){.len = HASH_BYTES, .data = (uint8_t *)(uintptr_t)data};
}

static void pack(const Timebank__ReleaseReport *message, struct bytes *to) {
    size_t n = timebank__release_report__get_packed_size(message);
    uint8_t *at = bytes_reserve(to, n);
    if (at)
        timebank__release_report__pack(message, at);
}

static int ask_for_release(struct report_release *release, const struct report_ask *ask,
                           const struct reading *reading) {
    Timebank__ReleaseReport message = TIMEBANK__RELEASE_REPORT__INIT;
    message.definition = (char *)(uintptr_t)REPORT_DEFINITION;
    message.report_class = ask->report_class;
    message.from_day = ask->from_day;
    message.to_day = ask->to_day;
    message.known_day = reading->known_day;
    message.as_recorded = ask->as_recorded != 0;
    message.size = ask->size;
    message.root = binary(ask->root.b);
    message.checksum = binary(reading->checksum);
    message.register_checksum = binary(reading->register_checksum);
    pack(&message, &release->message);
    return release->message.r;
}

int report_release_settle(struct report_release *release, const struct facts *facts,
                          struct report_ask *ask, char **json) {
    struct reading reading;
    bool has_register = true;
    int r = read_report(*json, &reading);
    if (r < 0)
        return r;
    const struct report_released *released = report_release_find(release, ask, reading.known_day);
    if (released)
        return give_again(released, &reading, json);
    released = release->is_as_it_stands ? find_latest(release, ask) : NULL;
    if (released && memcmp(released->row.checksum, reading.checksum, HASH_BYTES) == 0)
        return give_earlier(released, facts, ask, json);
    ask->known_day = reading.known_day;
    r = report_guard(facts, ask, release->before, release->n_before, ask->ret_why, &has_register);
    if (r == 0)
        r = compare_register(release, facts, ask, &has_register);
    if (r == 0 && !has_register)
        r = leave_apart(json, &reading);
    if (r != 0)
        return r;
    free(*json);
    *json = NULL;
    return ask_for_release(release, ask, &reading);
}

/* ---- offers */

static struct bank_offer *place_for(struct bank *bank, const uint8_t author[SSHSIG_PUBLIC_BYTES]) {
    struct bank_offer *place = &bank->offers[0];
    size_t n_own = 0;
    for (size_t i = 0; i < BANK_OFFERS_MAX; i++) {
        struct bank_offer *offer = &bank->offers[i];
        n_own += offer->number != 0 && memcmp(offer->author, author, SSHSIG_PUBLIC_BYTES) == 0;
        if (offer->number < place->number)
            place = offer;
    }
    if (n_own < BANK_OFFERS_OF_ONE)
        return place;
    place = NULL; /* one key's questions put nobody else's offers out */
    for (size_t i = 0; i < BANK_OFFERS_MAX; i++) {
        struct bank_offer *offer = &bank->offers[i];
        if (offer->number != 0 && memcmp(offer->author, author, SSHSIG_PUBLIC_BYTES) == 0 &&
            (!place || offer->number < place->number))
            place = offer;
    }
    return place;
}

void report_release_offer(const struct report_release *release, struct bank *bank) {
    struct bank_offer *offer = place_for(bank, release->author);
    offer->number = ++bank->n_offers;
    offer->n_released = release->n_before;
    offer->message = hash_of(release->message.data, release->message.n);
    memcpy(offer->author, release->author, SSHSIG_PUBLIC_BYTES);
}

bool report_release_is_offered(struct bank *bank, const uint8_t author[SSHSIG_PUBLIC_BYTES],
                               const Timebank__ReleaseReport *message) {
    _cleanup_bytes_ struct bytes packed = {0};
    pack(message, &packed);
    if (packed.r < 0)
        return false;
    struct hash hash = hash_of(packed.data, packed.n);
    for (size_t i = 0; i < BANK_OFFERS_MAX; i++) {
        const struct bank_offer *offer = &bank->offers[i];
        if (offer->number != 0 && hash_equal(&offer->message, &hash) &&
            memcmp(offer->author, author, SSHSIG_PUBLIC_BYTES) == 0 &&
            offer->n_released == bank_state(bank)->tables[STATE_RELEASES].n_rows)
            return true;
    }
    return false;
}
