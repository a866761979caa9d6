/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What looks like an entry made before: the last STATE_RECENT entries in which somebody gave time,
 * each with a print of what it says. A print is short and anybody can make two alike, so it only
 * says where to look: where it agrees the earlier order is read, and compared field by field.
 *
 * Most people give seldom: a ring begins with room for a few, and moves when that is used up.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/dates.h"
#include "proto/hours.h"
#include "rules.h"

/* Numbers of records are kept in 5 bytes, the highest bit for those of dry runs. */
#define DRY_BIT (1ull << 39)
#define GIVER_KEY_BYTES 8

static void entry_put(uint8_t to[STATE_RECENT_ENTRY_BYTES], uint64_t entry) {
    uint64_t number = entry >= LEDGER_DRY_BEGIN ? entry - LEDGER_DRY_BEGIN : entry;

    assert(number < DRY_BIT);
    number |= entry >= LEDGER_DRY_BEGIN ? DRY_BIT : 0;
    to[0] = (uint8_t)(number >> 32);
    be32_put(to + 1, (uint32_t)number);
}

static uint64_t entry_get(const uint8_t from[STATE_RECENT_ENTRY_BYTES]) {
    uint64_t number = (uint64_t)from[0] << 32 | be32_get(from + 1);

    return number & DRY_BIT ? LEDGER_DRY_BEGIN + (number & ~DRY_BIT) : number;
}

/* ---- prints */

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u; /* 2^64 by the golden ratio, odd */
    return hash ^ hash >> 32;
}

/* Of fewer than eight bytes, the first one lowest, then zeros. */
static uint64_t last_word(const char *text, size_t n) {
    uint32_t low = 0, high = 0;

    if (n >= sizeof(low)) {
        memcpy(&low, text, sizeof(low));
        memcpy(&high, text + n - sizeof(high), sizeof(high));
        return low | (uint64_t)high << 8 * (n - sizeof(high));
    }
    for (size_t i = 0; i < n; i++)
        low |= (uint32_t)(uint8_t)text[i] << 8 * i;
    return low;
}

static uint64_t mix_text(uint64_t hash, const char *text) {
    size_t n = strlen(text);
    uint64_t word;

    for (; n >= sizeof(word); n -= sizeof(word), text += sizeof(word)) {
        memcpy(&word, text, sizeof(word));
        hash = mix(hash, word);
    }
    return mix(hash, last_word(text, n) ^ (uint64_t)n << 56);
}

/* Of kind, receiver, date, minutes, activity, and who of a household. */
static uint32_t print_of(const Timebank__Order *order, uint64_t minutes) {
    uint64_t hash = mix((uint64_t)order->kind_case << 32 | order->service_day, minutes);

    hash = mix_text(hash, order->from);
    hash = mix_text(hash, order->activity);
    if (*order->from_person || *order->to_person)
        hash = mix_text(mix_text(hash, order->from_person), order->to_person);
    return (uint32_t)hash;
}

/* ---- the ring of a giver */

/* A ring as it is looked at, whichever table it is in. */
struct ring {
    size_t n;
    const uint32_t *prints;
    const uint8_t (*entries)[STATE_RECENT_ENTRY_BYTES];
};

static void giver_key(const struct rules_giver *giver, uint8_t ret[GIVER_KEY_BYTES]) {
    be64_put(ret, giver->account->number);
}

static struct ring ring_get(struct rule *rule, struct rules_giver *giver) {
    const struct rules_ahead *ahead = rule->state->below ? NULL : rule->ahead;
    const struct state_recent_few *few;
    const struct state_recent *many;
    uint8_t key[8];

    giver_key(giver, key);
    many = ahead && giver->account == ahead->sides[1] ? ahead->recent : NULL;
    if (!many)
        many = state_get(rule->state, STATE_RECENTS, key, sizeof(key), NULL);
    giver->recent = many;
    if (many)
        return (struct ring){MIN_OF(many->n, (uint64_t)STATE_RECENT), many->print, many->entry};
    few = state_get(rule->state, STATE_RECENTS_FEW, key, sizeof(key), NULL);
    return few ? (struct ring){few->n, few->print, few->entry} : (struct ring){0};
}

/* The few are in the ring of many from then on; their row stays as it is. */
static int move_to_many(struct rule *rule, const uint8_t key[8], const struct state_recent_few *few,
                        const struct state_recent **ret) {
    struct state_recent *many;
    void *value;
    int r = state_add(rule->state, STATE_RECENTS, key, 8, &value);

    if (r < 0)
        return r;
    many = value;
    many->n = few->n;
    memcpy(many->print, few->print, sizeof(few->print));
    memcpy(many->entry, few->entry, sizeof(few->entry));
    *ret = many;
    return 0;
}

/* Most entries come here: three small changes of a large row. */
static int add_to_many(struct rule *rule, const struct rules_giver *giver,
                       const struct state_recent *found) {
    size_t place = found->n % STATE_RECENT;
    const struct state_part parts[] = {
        {offsetof(struct state_recent, n), sizeof(found->n)},
        {offsetof(struct state_recent, print) + place * sizeof(found->print[0]),
         sizeof(found->print[0])},
        {offsetof(struct state_recent, entry) + place * sizeof(found->entry[0]),
         sizeof(found->entry[0])}};
    struct state_recent *many;
    void *value;
    int r = state_edit_parts(rule->state, STATE_RECENTS, GIVER_KEY_BYTES, found, parts,
                             N_ELEMENTS(parts), &value);

    if (r < 0)
        return r;
    many = value;
    many->print[place] = giver->print;
    entry_put(many->entry[place], rule_entry(rule));
    many->n++;
    return 0;
}

static int add_to_few(struct rule *rule, const struct rules_giver *giver, const uint8_t key[8]) {
    const struct state_recent *many;
    struct state_recent_few *few;
    void *value;
    int r = state_make(rule->state, STATE_RECENTS_FEW, key, 8, &value);

    if (r < 0)
        return r;
    few = value;
    if (few->n == STATE_RECENT_FEW) {
        r = move_to_many(rule, key, few, &many);
        return r == 0 ? add_to_many(rule, giver, many) : r;
    }
    few->print[few->n] = giver->print;
    entry_put(few->entry[few->n], rule_entry(rule));
    few->n++;
    return 0;
}

int rules_recent_add(struct rule *rule, const struct rules_giver *giver) {
    const struct state_recent *many = giver->recent;
    uint8_t key[8];

    giver_key(giver, key);
    if (!many)
        many = state_get(rule->state, STATE_RECENTS, key, sizeof(key), NULL);
    return many ? add_to_many(rule, giver, many) : add_to_few(rule, giver, key);
}

struct rules_giver rules_recent_giver(const struct rule *rule, const struct state_account *account,
                                      uint64_t minutes) {
    return (struct rules_giver){
        .account = account,
        .code = account->code,
        .minutes = minutes,
        .print = print_of(rule->order, minutes),
        .day = {.sum = DAY_GIVEN, .account = account, .day = rule->order->service_day}};
}

/* ---- what looks alike */

/* True for an entry that was taken back in full: entering it anew is no duplicate. */
static bool is_reversed(struct rule *rule, uint64_t entry, uint64_t minutes) {
    uint8_t key[8];
    const struct state_reversal *reversal;

    be64_put(key, entry);
    reversal = state_get(rule->state, STATE_REVERSALS, key, sizeof(key), NULL);
    return reversal && reversal->minutes >= minutes;
}

static int tell_duplicate(struct rule *rule, const struct rules_giver *giver, uint64_t entry) {
    const Timebank__Order *order = rule->order;
    bool is_dry = entry >= LEDGER_DRY_BEGIN;
    char day[16], hours[32], words[RULE_ENTRY_WORDS_BYTES];
    const char *which = is_dry ? "an entry before it" : rule_entry_words(entry, false, words);
    int r;

    dates_format_iso(order->service_day, day);
    hours_format((int64_t)giver->minutes, hours);
    if (order->source != TIMEBANK__SOURCE__HAND || rule->is_settling ||
        rule_overrides(rule, OVERRIDES_DUPLICATE))
        return rule_warn(rule, WARNING_LOOKS_LIKE, is_dry ? 0 : entry,
                         "This looks like %s: %s, %s, %s.", which, giver->code, day, hours);
    r = rule_refuse(rule, REFUSAL_LOOKS_LIKE, "",
                    "This looks like %s: %s gave %s on %s%s%s. If it is another one, insist "
                    "with --again.",
                    which, giver->code, hours, day, *order->from ? " to " : "", order->from);
    if (r > 0)
        rule->batch->notes[rule->batch->n_notes - 1].entry = is_dry ? 0 : entry;
    return r;
}

/* A proposal is remembered when it is made, so that the same is not claimed twice meanwhile. */
static bool is_itself(const struct rule *rule, uint64_t entry) {
    return rule->is_settling && rule->proposed == entry;
}

/* What one person gave in an order: of a session, their own share of it. */
static uint64_t minutes_of(const Timebank__Order *order, const char *code) {
    if (order->kind_case != TIMEBANK__ORDER__KIND_SESSION)
        return order->minutes;
    for (size_t i = 0; i < order->session->n_givers && i < order->session->n_giver_minutes; i++)
        if (strcmp(order->session->givers[i], code) == 0)
            return order->session->giver_minutes[i];
    return 0;
}

/* Says the entry what the order says? 1, 0, < 0. */
static int says_the_same(struct rule *rule, const struct rules_giver *giver, uint64_t entry) {
    const Timebank__Order *order = rule->order, *earlier;
    uint64_t received_at_ms;
    int r = rules_pending_order(rule, entry, &earlier, &received_at_ms);

    if (r < 0)
        return r;
    return earlier->kind_case == order->kind_case && earlier->service_day == order->service_day &&
           minutes_of(earlier, giver->code) == giver->minutes &&
           strcmp(earlier->from, order->from) == 0 &&
           strcmp(earlier->activity, order->activity) == 0 &&
           strcmp(earlier->from_person, order->from_person) == 0 &&
           strcmp(earlier->to_person, order->to_person) == 0;
}

/* Is it the one to be told of? 1, 0, < 0. */
static int is_duplicate(struct rule *rule, const struct rules_giver *giver, uint64_t entry) {
    if (is_itself(rule, entry) || is_reversed(rule, entry, giver->minutes) ||
        rules_agree_is_fallen(rule, entry))
        return 0;
    return says_the_same(rule, giver, entry);
}

/* Without a branch for each, so that many are compared at once; what no entry wrote yet is 0. */
static bool has_print(const uint32_t *prints, size_t n, uint32_t print) {
    uint32_t n_alike = 0;

    for (size_t i = 0; i < n; i++)
        n_alike += prints[i] == print;
    return n_alike > 0;
}

static bool agrees(const struct ring *ring, uint32_t print) {
    return ring->n <= STATE_RECENT_FEW ? has_print(ring->prints, ring->n, print)
                                       : has_print(ring->prints, STATE_RECENT, print);
}

bool rules_recent_is_new(struct rule *rule, struct rules_giver *giver) {
    struct ring ring = ring_get(rule, giver);

    return !agrees(&ring, giver->print);
}

int rules_recent_check(struct rule *rule, struct rules_giver *giver) {
    struct ring ring = ring_get(rule, giver);
    uint64_t last = 0;

    for (size_t i = 0; i < ring.n; i++) {
        uint64_t entry;
        int r;
        if (ring.prints[i] != giver->print)
            continue;
        entry = entry_get(ring.entries[i]);
        r = entry > last ? is_duplicate(rule, giver, entry) : 0;
        if (r < 0)
            return r;
        last = r > 0 ? entry : last;
    }
    return last ? tell_duplicate(rule, giver, last) : 0;
}
