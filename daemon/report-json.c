/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the report's objects. The members are integers, ASCII-keyed or keyed by names without
 * control characters, so that jansson's compact form with RFC 8785's order of members is RFC 8785's
 * form.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dates.h"
#include "proto/text64.h"
#include "report-parts.h"

int report_json_init(struct report_json *ret) {
    json_t *object = json_object();
    if (!object)
        return -ENOMEM;
    *ret = (struct report_json){.object = object};
    return 0;
}

void report_json_fini(struct report_json *json) {
    json_decref(json->object);
    json->object = NULL;
}

/* jansson refuses no memory, a NULL value and a key that is not UTF-8 alike. */
static void put(struct report_json *json, const char *key, json_t *value) {
    if (json->r < 0)
        json_decref(value);
    else if (json_object_set_new(json->object, key, value) < 0)
        json->r = -ENOMEM;
}

void report_json_put(struct report_json *json, const char *key, uint64_t value) {
    put(json, key, json_integer((json_int_t)value));
}

void report_json_put_signed(struct report_json *json, const char *key, int64_t value) {
    put(json, key, json_integer((json_int_t)value));
}

void report_json_put_text(struct report_json *json, const char *key, const char *value) {
    put(json, key, json_string(value));
}

void report_json_put_flag(struct report_json *json, const char *key, bool value) {
    put(json, key, json_boolean(value));
}

void report_json_put_day(struct report_json *json, const char *key, uint32_t day) {
    char text[16];
    dates_format_iso(day, text);
    report_json_put_text(json, key, text);
}

int report_json_put_position(struct report_json *json, uint64_t size, const struct hash *root) {
    _cleanup_json_ struct report_json position = {0};
    _cleanup_bytes_ struct bytes base64 = {0};
    text64_encode(&base64, root->b, sizeof(root->b));
    _cleanup_(freep) char *text = bytes_take_text(&base64);
    int r = text ? report_json_init(&position) : -ENOMEM;
    if (r < 0)
        return r;
    report_json_put(&position, "size", size);
    report_json_put_text(&position, "root", text);
    report_json_put_object(json, "position", &position);
    return 0;
}

void report_json_put_object(struct report_json *json, const char *key, struct report_json *member) {
    if (member->r < 0 && json->r == 0)
        json->r = member->r;
    put(json, key, TAKE(member->object));
}

/* UTF-8 compares as code points. UTF-16 puts the surrogates, U+10000 and up, below U+E000: lead
 * bytes EE and EF go behind F0 to F4. */
static int utf16_rank(unsigned char byte) {
    return byte == 0xEE || byte == 0xEF ? byte + 0x10 : byte;
}

static int compare_keys(const void *a, const void *b) {
    const unsigned char *left = *(const unsigned char *const *)a;
    const unsigned char *right = *(const unsigned char *const *)b;
    while (*left != '\0' && *left == *right) {
        left++;
        right++;
    }
    return utf16_rank(*left) - utf16_rank(*right);
}

/* NULL: no memory. Everything but an object is itself. */
static json_t *copy_sorted(json_t *value) {
    if (!json_is_object(value))
        return json_incref(value);
    size_t n_keys = 0;
    _cleanup_(freep) const char **keys = calloc(json_object_size(value) + 1, sizeof(*keys));
    json_t *sorted = json_object();
    const char *key;
    json_t *member;
    int r = keys && sorted ? 0 : -ENOMEM;
    if (r == 0) {
        json_object_foreach(value, key, member) keys[n_keys++] = key;
        qsort(keys, n_keys, sizeof(*keys), compare_keys);
    }
    for (size_t i = 0; r == 0 && i < n_keys; i++)
        r = json_object_set_new(sorted, keys[i], copy_sorted(json_object_get(value, keys[i])));
    if (r < 0) {
        json_decref(sorted);
        return NULL;
    }
    return sorted;
}

int report_json_sort(struct report_json *json) {
    if (json->r < 0)
        return json->r;
    json_t *sorted = copy_sorted(json->object);
    if (!sorted)
        return -ENOMEM;
    json_decref(json->object);
    json->object = sorted;
    return 0;
}

int report_json_text(const struct report_json *json, char **ret) {
    if (json->r < 0)
        return json->r;
    char *text = json_dumps(json->object, JSON_COMPACT);
    if (!text)
        return -ENOMEM;
    *ret = text;
    return 0;
}

int report_json_checksum(const struct report_json *json, char ret[2 * HASH_BYTES + 1]) {
    struct report_json sorted = {.object = json_incref(json->object), .r = json->r};
    _cleanup_(freep) char *text = NULL;
    int r = report_json_sort(&sorted);
    if (r == 0)
        r = report_json_text(&sorted, &text);
    report_json_fini(&sorted);
    if (r < 0)
        return r;
    struct hash hash = hash_of(text, strlen(text));
    text64_hex(ret, hash.b, sizeof(hash.b));
    return 0;
}
