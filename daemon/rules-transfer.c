/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credits from a member to another bank, or from there: both ledgers keep the same transfer id, and
 * either takes it once. What goes to and comes from one bank in a year of recording, both ways
 * together, may have a cap.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "proto/dates.h"
#include "rules.h"

static uint32_t first_of_year(uint32_t day) {
    unsigned month, mday;
    uint32_t first;
    int year;

    dates_to_civil(day, &year, &month, &mday);
    return dates_from_civil(year, 1, 1, &first) == 0 ? first : day;
}

static const char *bank_of(struct rule *rule, const Timebank__Order *order) {
    const struct state_account *from = state_account(rule->state, order->from);

    return from->kind == TIMEBANK__ACCOUNT_KIND__BANK ? order->from : order->to;
}

/* One side is a member, the other a bank. */
static int check_kinds(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    const struct state_account *from = state_account(rule->state, order->from);
    const struct state_account *to = state_account(rule->state, order->to);

    if (from->kind != to->kind)
        return 0;
    return rule_refuse(rule, REFUSAL_WRONG_KIND, "to",
                       "A transfer is between a member here and another bank, as bank:riverside: "
                       "check the codes.");
}

static int check_id(struct rule *rule) {
    const ProtobufCBinaryData *id = &rule->order->transfer->transfer_id;
    const struct state_transfer *earlier;
    char words[RULE_ENTRY_WORDS_BYTES];
    int r = 0;

    if (id->len != ORDER_ID_BYTES)
        return rule_refuse(rule, REFUSAL_NOT_CANONICAL, "transfer_id", NULL);
    earlier = state_get(rule->state, STATE_TRANSFERS, id->data, id->len, &r);
    if (!earlier)
        return r;
    r = rule_refuse(rule, REFUSAL_TRANSFER_USED, "transfer_id",
                    "That transfer was recorded before, as %s: nothing moves twice.",
                    rule_entry_words(earlier->entry, false, words));
    if (r > 0 && earlier->entry < LEDGER_DRY_BEGIN)
        rule->batch->notes[rule->batch->n_notes - 1].entry = earlier->entry;
    return r;
}

static int check_cap(struct rule *rule, const char *bank) {
    int64_t cap = state_policy_number(rule->state, "transfer-cap-year", INT64_MAX);
    uint64_t before = rules_day_get(rule, DAY_TRANSFERRED, state_account(rule->state, bank),
                                    first_of_year(rule->today));

    if (before + rule->order->minutes > (uint64_t)cap && !rule_is_history(rule))
        return rule_refuse(rule, REFUSAL_TRANSFER_CAP, "minutes", NULL);
    return 0;
}

int rules_transfer(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    const ProtobufCBinaryData *id = &order->transfer->transfer_id;
    const char *bank = bank_of(rule, order);
    void *value;
    int r = check_kinds(rule);

    if (r == 0)
        r = check_id(rule);
    if (r == 0)
        r = check_cap(rule, bank);
    if (r == 0)
        r = rules_move_check(rule, order->from, order->to, order->minutes);
    if (r == 0)
        r = rules_move(rule, order->from, order->to, order->minutes);
    if (r == 0)
        r = rules_day_add(rule, DAY_TRANSFERRED, state_account(rule->state, bank),
                          first_of_year(rule->today), (int64_t)order->minutes);
    if (r == 0)
        r = state_add(rule->state, STATE_TRANSFERS, id->data, id->len, &value);
    if (r != 0)
        return r;
    ((struct state_transfer *)value)->entry = rule->index;
    return 0;
}

int rules_transfer_taken_back(struct rule *rule, const struct rules_target *target,
                              uint64_t minutes) {
    return rules_day_add(rule, DAY_TRANSFERRED,
                         state_account(rule->state, bank_of(rule, target->order)),
                         first_of_year(clock_day(target->received_at_ms)), -(int64_t)minutes);
}
