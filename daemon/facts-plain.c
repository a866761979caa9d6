/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short way of nearly all orders: an exchange or an earning of two accounts that are known, of
 * a known activity, whose legs are one line's. Its bytes are read where they lie, and its sides are
 * found by the accounts of its legs. Whatever is unlike that is left to the long way, which adds
 * the same of an order like this; so nothing is refused here, and nothing is touched before all has
 * been looked at.
 */
#include <string.h>

#include "facts-private.h"

/* Fields of an order as the schema numbers them, with how their bytes are counted. */
enum plain_field {
    FIELD_ID = 1 << 3 | 2,
    FIELD_SERVICE_DAY = 2 << 3,
    FIELD_FROM = 3 << 3 | 2,
    FIELD_TO = 5 << 3 | 2,
    FIELD_MINUTES = 7 << 3,
    FIELD_AUTHORITY = 9 << 3,
    FIELD_ACTIVITY = 10 << 3 | 2,
};

#define VARINT_SHORT_MAX 5u /* bytes: 35 bits are enough of minutes, too */

struct text {
    const uint8_t *data;
    size_t n;
};

struct plain {
    const uint8_t *id;
    uint64_t service_day;
    uint64_t minutes;
    uint64_t authority;
    struct text from;
    struct text to;
    struct text activity;
    uint16_t kind;
};

struct input {
    const uint8_t *at;
    const uint8_t *end;
};

static bool take_number(struct input *input, uint64_t *ret) {
    uint64_t number = 0;
    for (unsigned i = 0; i < VARINT_SHORT_MAX && input->at < input->end; i++) {
        uint8_t byte = *input->at++;
        number |= (uint64_t)(byte & 0x7f) << 7 * i;
        if (byte < 0x80) {
            *ret = number;
            return byte != 0; /* the shortest form, and no default */
        }
    }
    return false;
}

static bool take_text(struct input *input, struct text *ret) {
    uint64_t n;
    if (!take_number(input, &n) || n > (size_t)(input->end - input->at))
        return false;
    *ret = (struct text){input->at, (size_t)n};
    input->at += n;
    return true;
}

static bool has(struct input *input, uint8_t field) {
    if (input->at == input->end || *input->at != field)
        return false;
    input->at++;
    return true;
}

/* An empty member of the oneof ends the order; both numbers take two bytes. */
static bool take_kind(struct input *input, uint16_t *ret) {
    uint8_t bytes[3];
    if (input->end - input->at != sizeof(bytes))
        return false;
    memcpy(bytes, input->at, sizeof(bytes));
    *ret = (uint16_t)((bytes[0] & 0x7f) | bytes[1] << 7) >> 3;
    return (bytes[0] & 0x87) == 0x82 && bytes[1] < 0x80 && bytes[2] == 0 &&
           (*ret == TIMEBANK__ORDER__KIND_EXCHANGE || *ret == TIMEBANK__ORDER__KIND_EARN);
}

static bool read_plain(const uint8_t *body, size_t n, struct plain *ret) {
    struct input input = {body, body + n};
    struct text id;
    ret->service_day = ret->authority = 0; /* all else is there, or nothing is said of it */
    if (!has(&input, FIELD_ID) || !take_text(&input, &id) || id.n != ORDER_ID_BYTES)
        return false;
    ret->id = id.data;
    if (has(&input, FIELD_SERVICE_DAY) && !take_number(&input, &ret->service_day))
        return false;
    if (!has(&input, FIELD_FROM) || !take_text(&input, &ret->from) || !has(&input, FIELD_TO) ||
        !take_text(&input, &ret->to) || !has(&input, FIELD_MINUTES) ||
        !take_number(&input, &ret->minutes))
        return false;
    if (has(&input, FIELD_AUTHORITY) && !take_number(&input, &ret->authority))
        return false;
    return has(&input, FIELD_ACTIVITY) && take_text(&input, &ret->activity) &&
           take_kind(&input, &ret->kind) && ret->service_day <= UINT32_MAX &&
           ret->authority <= TIMEBANK__AUTHORITY__BY_SHEET;
}

/* ---- who and what it names */

static bool is_key(const struct intern *intern, uint32_t number, const struct text *text) {
    size_t start = intern->starts[number];
    return intern->starts[number + 1] - start - 1 == text->n &&
           memcmp(intern->text + start, text->data, text->n) == 0;
}

/* What a leg leaves its account with, and what changed by that. */
static bool read_change(const struct facts *facts, const struct fact_leg *leg,
                        struct fact_change *ret) {
    if (leg->account >= facts->n_opened)
        return false;
    const struct fact_account *account = &facts->accounts[facts->opened[leg->account]];
    int64_t held, minutes;
    if (__builtin_sub_overflow(leg->held_after, account->held, &held) ||
        __builtin_add_overflow(leg->minutes, held, &minutes))
        return false;
    *ret = (struct fact_change){facts->opened[leg->account], minutes};
    return true;
}

/* The changes, the giving one first: all of the minutes, within one place. */
static bool read_changes(const struct facts *facts, const struct fact_leg legs[2],
                         const struct plain *plain, struct fact_change changes[2]) {
    bool is_giving = legs[0].minutes < 0;
    if (!read_change(facts, &legs[is_giving ? 0 : 1], &changes[0]) ||
        !read_change(facts, &legs[is_giving ? 1 : 0], &changes[1]))
        return false;
    const struct fact_account *from = &facts->accounts[changes[0].account];
    const struct fact_account *to = &facts->accounts[changes[1].account];
    enum fact_place place = facts_move_place(from->kind);
    return from != to && changes[1].minutes == (int64_t)plain->minutes &&
           changes[0].minutes == -changes[1].minutes && place == facts_move_place(to->kind) &&
           place != PLACE_TRANSIT && from->person != INTERN_NONE && to->person != INTERN_NONE &&
           is_key(&facts->account_codes, changes[0].account, &plain->from) &&
           is_key(&facts->account_codes, changes[1].account, &plain->to);
}

/* Its number, by the last one of those that look alike from afar. */
static bool find_activity(struct facts *facts, const struct text *name, uint32_t *ret) {
    uint32_t *met =
        &facts->activities_met[name->data[name->n - 1] % N_ELEMENTS(facts->activities_met)];
    if (*met == 0 || !is_key(&facts->activities, *met - 1, name)) {
        uint32_t number = intern_find(&facts->activities, name->data, name->n);
        if (number == INTERN_NONE)
            return false;
        *met = number + 1;
    }
    *ret = *met - 1;
    return true;
}

/* ---- the line */

static int add_line(struct facts *facts, const struct fact_entered *entered,
                    const struct plain *plain, uint32_t activity,
                    const struct fact_change changes[2]) {
    struct fact_order order = {
        .entered = *entered,
        .entry = entered->index,
        .minutes = plain->minutes,
        .n_facts = 1,
        .service_day = plain->service_day ? (uint32_t)plain->service_day : entered->recorded_day,
        .kind = plain->kind,
    };
    struct fact fact = {
        .minutes = plain->minutes,
        .from = changes[0].account,
        .to = changes[1].account,
        .from_person = facts->accounts[changes[0].account].person,
        .to_person = facts->accounts[changes[1].account].person,
        .activity = activity,
        .label = INTERN_NONE,
        .programme = INTERN_NONE,
        .kind = plain->kind,
    };
    int r = facts_known_effect(facts, entered);
    if (r == 0)
        r = facts_block_add_line(facts, &order, &fact);
    if (r == 0)
        facts_block_is_plain(facts, (uint32_t)order.entry, entered->index, changes, 2);
    return r;
}

int facts_plain_add(struct facts *facts, const struct fact_entered *entered, const uint8_t *body,
                    size_t n, const struct fact_leg *legs, size_t n_legs) {
    struct plain plain;
    struct fact_change changes[2];
    uint32_t activity;
    if (n_legs != 2 || !read_plain(body, n, &plain) ||
        !read_changes(facts, legs, &plain, changes) ||
        !find_activity(facts, &plain.activity, &activity))
        return 0;
    for (size_t i = 0; i < 2; i++)
        facts->accounts[facts->opened[legs[i].account]].held = legs[i].held_after;
    facts_count_minutes(facts, plain.minutes);
    int r = facts_ids_add(&facts->ids, plain.id, entered->index);
    if (r == 0)
        r = add_line(facts, entered, &plain, activity, changes);
    return r < 0 ? r : 1;
}
