/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scanner without a tree: each function cuts what it knows off the front of a text. The whole is
 * scanned once before any piece is handed out, so that the pieces need no second look.
 */
#include "report-text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "dates.h"
#include "text64.h"

static bool cut(struct lines *rest, char c) {
    if (rest->n == 0 || rest->text[0] != c)
        return false;
    rest->text++;
    rest->n--;
    return true;
}

static struct lines piece_between(const char *from, const char *to) {
    return (struct lines){.text = from, .n = (size_t)(to - from)};
}

/* ------------------------------------------------------------------- scanning */

static bool cut_string(struct lines *rest, struct lines *ret) {
    if (!cut(rest, '"'))
        return false;
    const char *from = rest->text;
    while (rest->n > 0 && rest->text[0] != '"') {
        if ((unsigned char)rest->text[0] < 0x20)
            return false;
        if (cut(rest, '\\') && (rest->n == 0 || !strchr("\"\\", rest->text[0]) || !rest->text[0]))
            return false;
        rest->text++;
        rest->n--;
    }
    *ret = piece_between(from, rest->text);
    return cut(rest, '"');
}

static bool cut_integer(struct lines *rest) {
    const char *from = rest->text;
    struct lines number;
    int64_t value;
    cut(rest, '-');
    while (rest->n > 0 && rest->text[0] >= '0' && rest->text[0] <= '9')
        cut(rest, rest->text[0]);
    number = piece_between(from, rest->text);
    return lines_signed_decimal(number, &value) == 0 && value <= REPORT_TEXT_INTEGER_MAX &&
           value >= -REPORT_TEXT_INTEGER_MAX;
}

static bool cut_word(struct lines *rest, const char *word) {
    size_t n = strlen(word);
    if (rest->n < n || memcmp(rest->text, word, n) != 0)
        return false;
    rest->text += n;
    rest->n -= n;
    return true;
}

static bool cut_value(struct lines *rest, unsigned depth);

static bool cut_members(struct lines *rest, unsigned depth) {
    struct lines name;
    if (cut(rest, '}'))
        return true;
    do {
        if (!cut_string(rest, &name) || !cut(rest, ':') || !cut_value(rest, depth))
            return false;
    } while (cut(rest, ','));
    return cut(rest, '}');
}

static bool cut_elements(struct lines *rest, unsigned depth) {
    if (cut(rest, ']'))
        return true;
    do {
        if (!cut_value(rest, depth))
            return false;
    } while (cut(rest, ','));
    return cut(rest, ']');
}

static bool cut_value(struct lines *rest, unsigned depth) {
    struct lines string;
    if (rest->n == 0)
        return false;
    switch (rest->text[0]) {
    case '{':
        return depth < REPORT_TEXT_DEPTH && cut(rest, '{') && cut_members(rest, depth + 1);
    case '[':
        return depth < REPORT_TEXT_DEPTH && cut(rest, '[') && cut_elements(rest, depth + 1);
    case '"':
        return cut_string(rest, &string);
    case 't':
        return cut_word(rest, "true");
    case 'f':
        return cut_word(rest, "false");
    default:
        return cut_integer(rest);
    }
}

/* ------------------------------------------------------------------- walking */

struct lines report_text_begin(struct lines object) {
    if (!report_text_is_object(object))
        return (struct lines){0};
    return (struct lines){.text = object.text + 1, .n = object.n - 2};
}

bool report_text_next(struct lines *rest, struct lines *ret_name, struct lines *ret_value) {
    cut(rest, ',');
    if (rest->n == 0 || !cut_string(rest, ret_name) || !cut(rest, ':'))
        return false;
    const char *from = rest->text;
    if (!cut_value(rest, 0))
        return false;
    *ret_value = piece_between(from, rest->text);
    return true;
}

/* The next character that an escaped text stands for, or -1 at its end. */
static int next_byte(struct lines *text) {
    if (text->n == 0)
        return -1;
    cut(text, '\\');
    int byte = (unsigned char)text->text[0];
    text->text++;
    text->n--;
    return byte;
}

bool report_text_equals(struct lines string, const char *text) {
    for (;;) {
        int byte = next_byte(&string);
        if (byte < 0)
            return *text == '\0';
        if (byte != (unsigned char)*text++)
            return false;
    }
}

struct lines report_text_member(struct lines object, const char *name) {
    struct lines rest = report_text_begin(object), key, value;
    while (report_text_next(&rest, &key, &value))
        if (report_text_equals(key, name))
            return value;
    return (struct lines){0};
}

int report_text_integer(struct lines value, int64_t *ret) {
    return value.n > 0 && lines_signed_decimal(value, ret) == 0;
}

bool report_text_is_object(struct lines value) {
    return value.n >= 2 && value.text[0] == '{';
}

/* -------------------------------------------------------------- RFC 8785 form */

struct member {
    struct lines name;
    struct lines value;
};

/* By UTF-16 code units: the surrogates (lead bytes F0 to F4) go before U+E000 (EE and EF). */
static int rank_of(int byte) {
    return byte == 0xEE || byte == 0xEF ? byte + 0x10 : byte;
}

static int compare_members(const void *a, const void *b) {
    struct lines one = ((const struct member *)a)->name, other = ((const struct member *)b)->name;
    for (;;) {
        int left = next_byte(&one), right = next_byte(&other);
        if (left != right)
            return rank_of(left) - rank_of(right);
        if (left < 0)
            return 0;
    }
}

static int sort_members(struct lines object, struct member **ret, size_t *ret_n) {
    struct lines rest = report_text_begin(object), name, value;
    size_t n = 0;
    while (report_text_next(&rest, &name, &value))
        n++;
    struct member *members = calloc(n + 1, sizeof(*members));
    if (!members)
        return -ENOMEM;
    rest = report_text_begin(object);
    for (size_t i = 0; i < n; i++)
        report_text_next(&rest, &members[i].name, &members[i].value);
    qsort(members, n, sizeof(*members), compare_members);
    for (size_t i = 1; i < n; i++) {
        if (compare_members(&members[i - 1], &members[i]) == 0) {
            free(members);
            return -EBADMSG;
        }
    }
    *ret = members;
    *ret_n = n;
    return 0;
}

static int put_sorted(struct lines value, struct bytes *to);

static int put_list(struct lines value, struct bytes *to) {
    struct lines rest = {.text = value.text + 1, .n = value.n - 2};
    int r = 0;
    bytes_put_u8(to, '[');
    for (bool is_first = true; r == 0 && rest.n > 0; is_first = false) {
        cut(&rest, ',');
        const char *from = rest.text;
        if (!cut_value(&rest, 0))
            return -EBADMSG;
        if (!is_first)
            bytes_put_u8(to, ',');
        r = put_sorted(piece_between(from, rest.text), to);
    }
    bytes_put_u8(to, ']');
    return r;
}

static int put_object(struct lines value, struct bytes *to) {
    _cleanup_(freep) struct member *members = NULL;
    size_t n = 0;
    int r = sort_members(value, &members, &n);
    bytes_put_u8(to, '{');
    for (size_t i = 0; r == 0 && i < n; i++) {
        bytes_put_text(to, i > 0 ? ",\"" : "\"");
        bytes_put(to, members[i].name.text, members[i].name.n);
        bytes_put_text(to, "\":");
        r = put_sorted(members[i].value, to);
    }
    bytes_put_u8(to, '}');
    return r;
}

/* -EBADMSG: a member stands twice. */
static int put_sorted(struct lines value, struct bytes *to) {
    int r = 0;
    if (report_text_is_object(value))
        r = put_object(value, to);
    else if (value.n >= 2 && value.text[0] == '[')
        r = put_list(value, to);
    else
        bytes_put(to, value.text, value.n);
    return r == 0 ? to->r : r;
}

int report_text_checksum(struct lines value, char ret[2 * HASH_BYTES + 1]) {
    _cleanup_bytes_ struct bytes sorted = {0};
    int r = put_sorted(value, &sorted);
    if (r < 0)
        return r;
    struct hash hash = hash_of(sorted.data, sorted.n);
    text64_hex(ret, hash.b, sizeof(hash.b));
    return 0;
}

/* ------------------------------------------------------------------ a report */

enum member_type { IS_TEXT, IS_DAY, IS_OBJECT, IS_COUNT, IS_TRUE };

#define MEMBER(field) offsetof(struct report_text, field)

#define SINCE "since"

static const struct {
    const char *name;
    enum member_type type;
    size_t text; /* where its piece goes */
    bool is_optional;
} members[] = {
    {"definition", IS_TEXT, MEMBER(definition), false},
    {"bank", IS_TEXT, MEMBER(bank), false},
    {"from", IS_DAY, MEMBER(from), false},
    {"to", IS_DAY, MEMBER(to), false},
    {"as_known_at", IS_DAY, MEMBER(as_known_at), false},
    {"as_recorded", IS_TRUE, 0, true},
    {"class", IS_TEXT, MEMBER(report_class), false},
    {"position", IS_OBJECT, MEMBER(position), false},
    {"rule", IS_OBJECT, MEMBER(rule), false},
    {"measures", IS_OBJECT, MEMBER(measures), false},
    {"further_measures", IS_OBJECT, MEMBER(further_measures), false},
    {"register_measures", IS_OBJECT, MEMBER(register_measures), true},
    {"register", IS_TEXT, MEMBER(register_hash), true},
    {"register_age_bands", IS_TEXT, MEMBER(age_bands_hash), true},
    {"suppressed", IS_COUNT, 0, false},
    {"checksum", IS_TEXT, MEMBER(checksum), false},
    {"further_checksum", IS_TEXT, MEMBER(further_checksum), false},
};

static struct lines *piece_of(struct report_text *report, size_t text) {
    return (struct lines *)(void *)((char *)report + text);
}

static bool take_text(struct lines value, struct lines *ret) {
    if (value.n < 2 || value.text[0] != '"')
        return false;
    *ret = (struct lines){.text = value.text + 1, .n = value.n - 2};
    return true;
}

static bool take(struct report_text *report, size_t i, struct lines value) {
    int64_t count = 0;
    switch (members[i].type) {
    case IS_TEXT:
    case IS_DAY:
        return take_text(value, piece_of(report, members[i].text));
    case IS_OBJECT:
        *piece_of(report, members[i].text) = value;
        return report_text_is_object(value);
    case IS_COUNT:
        if (!report_text_integer(value, &count) || count < 0)
            return false;
        report->suppressed = (uint64_t)count;
        return true;
    case IS_TRUE:
        report->as_recorded = true;
        return lines_equals(value, "true");
    }
    return false;
}

/* Where the name stands in the order of members, from a place on; the place after it. 0: not. */
static size_t place_after(struct lines name, size_t place) {
    for (size_t i = place; i < N_ELEMENTS(members); i++) {
        if (lines_equals(name, members[i].name))
            return i + 1;
        if (!members[i].is_optional)
            return 0;
    }
    return 0;
}

static bool members_take(struct report_text *report, struct lines text) {
    struct lines rest = report_text_begin(text), name, value;
    size_t place = 0;
    bool is_ordered = true;
    while (report_text_next(&rest, &name, &value)) {
        if (lines_equals(name, SINCE))
            report->since = value;
        for (size_t i = 0; i < N_ELEMENTS(members); i++)
            if (lines_equals(name, members[i].name) && !take(report, i, value))
                return false;
        place = place_after(name, place);
        is_ordered = is_ordered && place > 0;
    }
    while (place < N_ELEMENTS(members) && members[place].is_optional)
        place++;
    report->is_whole = is_ordered && place == N_ELEMENTS(members);
    return true;
}

static void day_take(struct lines piece, uint32_t *ret) {
    char text[16];
    uint32_t day;
    if (piece.n != strlen("YYYY-MM-DD"))
        return;
    memcpy(text, piece.text, piece.n);
    text[piece.n] = '\0';
    if (dates_parse_iso(text, &day) == 0)
        *ret = day;
}

static bool position_take(struct report_text *report) {
    struct lines root;
    int64_t size;
    if (report->position.n == 0)
        return true;
    if (!report_text_integer(report_text_member(report->position, "size"), &size) || size < 1 ||
        !take_text(report_text_member(report->position, "root"), &root) ||
        lines_hash(root, &report->root) < 0)
        return false;
    report->size = (uint64_t)size;
    return true;
}

int report_text_parse(struct report_text *ret, const void *text, size_t n) {
    struct lines whole = lines_make(text, n), rest = whole;
    struct report_text report = {0};
    _cleanup_bytes_ struct bytes sorted = {0};
    if (n < 2 || n > REPORT_TEXT_MAX || whole.text[0] != '{' || !utf8_is_valid(whole.text, n) ||
        !cut_value(&rest, 0) || rest.n > 0)
        return -EBADMSG;
    int r = put_sorted(whole, &sorted);
    if (r < 0)
        return r;
    if (!members_take(&report, whole) || !position_take(&report))
        return -EBADMSG;
    day_take(report.from, &report.from_day);
    day_take(report.to, &report.to_day);
    day_take(report.as_known_at, &report.known_day);
    *ret = report;
    return 0;
}
