/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was known when, besides entries: how accounts and persons stand, what an activity was tagged
 * with, and the latest date of entry.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "facts-block.h"
#include "facts-private.h"

#define CASE(name) TIMEBANK__ORDER__KIND_##name

static uint32_t day_of(const struct fact_entered *entered) {
    return entered->claimed_day ? entered->claimed_day : entered->recorded_day;
}

struct fact_entered facts_known_later(const struct fact_entered *own,
                                      const struct fact_entered *about) {
    struct fact_entered later = {.index = own->index,
                                 .recorded_day = MAX_OF(own->recorded_day, about->recorded_day)};
    uint32_t day = MAX_OF(day_of(own), day_of(about));
    later.claimed_day = day == later.recorded_day ? 0 : day;
    return later;
}

int facts_known_effect(struct facts *facts, const struct fact_entered *entered) {
    struct fact_latest latest = {entered->index, entered->recorded_day, day_of(entered)};
    if (facts->n_latest > 0) {
        const struct fact_latest *last = &facts->latest[facts->n_latest - 1];
        if (last->recorded_day >= latest.recorded_day && last->day >= latest.day)
            return 0;
        latest.recorded_day = MAX_OF(latest.recorded_day, last->recorded_day);
        latest.day = MAX_OF(latest.day, last->day);
    }
    int r = GROW(facts, latest);
    if (r < 0)
        return r;
    facts->latest[facts->n_latest++] = latest;
    return 0;
}

uint32_t facts_latest_day(const struct facts *facts, uint64_t size, bool as_recorded) {
    size_t low = 0, high = facts->n_latest; /* of those before low, all are known */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (facts->latest[middle].index < size)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return facts_last_day(facts, size);
    return as_recorded ? facts->latest[low - 1].recorded_day : facts->latest[low - 1].day;
}

/* ---- how accounts and persons stand */

static int add_standing(struct facts *facts, const struct facts_reading *reading, const char *code,
                        const char *person, bool is_gone) {
    struct fact_standing standing = {
        .entered = reading->entered, .person = INTERN_NONE, .is_gone = is_gone};
    standing.account = intern_find(&facts->account_codes, code, strlen(code));
    if (standing.account == INTERN_NONE)
        return -EBADMSG;
    int r = person ? facts_number_person(facts, standing.account, person, &standing.person) : 0;
    if (r == 0)
        r = GROW(facts, standings);
    if (r < 0)
        return r;
    facts->standings[facts->n_standings++] = standing;
    return 0;
}

static int add_tagging(struct facts *facts, const struct facts_reading *reading) {
    const Timebank__SetActivity *activity = reading->order->set_activity;
    struct fact_tagging tagging = {.index = reading->entered.index, .at = facts->tags.n};
    int r = intern_text_number(&facts->activities, activity->name, &tagging.activity);
    for (size_t i = 0; i < activity->n_tags; i++)
        bytes_put(&facts->tags, activity->tags[i], strlen(activity->tags[i]) + 1);
    tagging.n_bytes = (uint32_t)(facts->tags.n - tagging.at);
    if (r == 0)
        r = facts->tags.r;
    if (r == 0)
        r = GROW(facts, taggings);
    if (r < 0)
        return r;
    facts->taggings[facts->n_taggings++] = tagging;
    return 0;
}

int facts_known_order(struct facts *facts, const struct facts_reading *reading) {
    const Timebank__Order *order = reading->order;
    switch (order->kind_case) {
    case CASE(SETTLE):
        return add_standing(facts, reading, order->from, NULL, true);
    case CASE(CLOSE):
        return add_standing(facts, reading, order->to, NULL, true);
    case CASE(ERASE):
        return add_standing(facts, reading, order->to, *order->to_person ? order->to_person : NULL,
                            true);
    case CASE(SET_PERSON):
        return add_standing(facts, reading, order->to, order->set_person->person,
                            order->set_person->gone);
    case CASE(SET_ACTIVITY):
        return add_tagging(facts, reading);
    default:
        return 0;
    }
}

int facts_latest_tags(const struct facts *facts, uint64_t size, uint32_t **ret_latest) {
    uint32_t *latest = calloc(facts->activities.n_keys + 1u, sizeof(*latest));
    if (!latest)
        return -ENOMEM;
    for (uint32_t i = 0; i < facts->n_taggings && facts->taggings[i].index < size; i++)
        latest[facts->taggings[i].activity] = i + 1;
    *ret_latest = latest;
    return 0;
}

int facts_each_tag(const struct facts *facts, const uint32_t *latest, uint32_t activity,
                   int (*each)(void *user, const char *tag), void *user) {
    bool has = activity < facts->activities.n_keys && latest[activity] != 0;
    const struct fact_tagging *tagging = has ? &facts->taggings[latest[activity] - 1] : NULL;
    int r = 0;
    for (size_t at = 0; tagging && r == 0 && at < tagging->n_bytes;) {
        const char *tag = (const char *)facts->tags.data + tagging->at + at;
        at += strlen(tag) + 1;
        r = each(user, tag);
    }
    return r;
}
