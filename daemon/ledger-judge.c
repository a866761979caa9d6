/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks that every order passes, in this order: known id · bars · fields of its kind ·
 * who may · source and override · dates · accounts and their standing · minutes; then its own rule
 * (rules-*.c). What is particular to one kind does not belong here.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "proto/dates.h"
#include "proto/hours.h"
#include "rules.h"

#define OVERRIDES_ALL 63u
#define FIRST_REGISTER_KIND 64          /* from here on nothing is done in anybody's name */
#define ARENA_BYTES (64u * 1024 * 1024) /* of what one order reads back of the log */
#define HASHED_TOGETHER 16u

/* The field that differs is told to whoever may read the earlier order: who could guess its id
 * would else find out one field after the other. */
static bool may_compare(const struct rule *rule, const Timebank__Order *earlier) {
    const char *own = rule->batch->author->account;

    return rule_is_broker(rule) ||
           (*own && (strcmp(earlier->from, own) == 0 || strcmp(earlier->to, own) == 0));
}

/* What people call a field: the sides of time are a giver and a receiver. */
static const char *field_words(const Timebank__Order *order, const char *field) {
    bool is_time = order->kind_case == TIMEBANK__ORDER__KIND_EXCHANGE ||
                   order->kind_case == TIMEBANK__ORDER__KIND_EARN ||
                   order->kind_case == TIMEBANK__ORDER__KIND_LOG;

    if (strcmp(field, "minutes") == 0)
        return "time";
    if (strcmp(field, "service_day") == 0)
        return "date of service";
    if (strcmp(field, "claimed_day") == 0)
        return "date of entry";
    if (is_time && strcmp(field, "from") == 0)
        return "receiver";
    if (is_time && strcmp(field, "to") == 0)
        return "giver";
    return field;
}

/* Known id: the same bytes are ALREADY in, others differ in a field that is named. */
static int check_id(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    Timebank__Order *earlier = NULL;
    uint64_t received_at_ms;
    const char *field;
    int r = 0;
    const struct state_id *id =
        state_get(rule->state, STATE_IDS, order->id.data, ORDER_ID_BYTES, &r);

    if (!id)
        return r;
    if (id->entry >= rule->batch->first && id->entry < rule->batch->first + rule->batch->n) {
        earlier = rule->batch->orders[id->entry - rule->batch->first];
    } else {
        r = state_order(rule->state, id->entry, rule->arena, &earlier, &received_at_ms);
        if (r <= 0)
            return r < 0 ? r : -EUCLEAN;
    }
    field = record_order_difference(order, earlier);
    if (field && !may_compare(rule, earlier))
        return rule_refuse(rule, REFUSAL_ID_DIFFERS, "", NULL);
    if (field) {
        r = rule_refuse(
            rule, REFUSAL_ID_DIFFERS, field,
            "The same reference is in as entry %llu with another %s: correct that entry "
            "instead.",
            (unsigned long long)id->entry, field_words(earlier, field));
    } else {
        rule->batch->already[rule->place] = id->entry;
        rule->batch->n_already++;
        r = rule_refuse(rule, REFUSAL_ALREADY, "", NULL);
    }
    if (r > 0)
        rule->batch->notes[rule->batch->n_notes - 1].entry = id->entry;
    return r;
}

static int check_bar(struct rule *rule) {
    const struct ledger_bar *bar = rule->batch->bars ? &rule->batch->bars[rule->place] : NULL;

    if (!bar || bar->refusal == 0)
        return 0;
    return bar->why ? rule_refuse(rule, bar->refusal, bar->field, "%s", bar->why)
                    : rule_refuse(rule, bar->refusal, bar->field, NULL);
}

static const char *unused_field(const struct rule *rule) {
    const Timebank__Order *order = rule->order;
    uint32_t uses = rule->kind->fields;

    if (!(uses & USES_DAY) && order->service_day)
        return "service_day";
    if (!(uses & USES_FROM) && *order->from)
        return "from";
    if (!(uses & USES_TO) && *order->to)
        return "to";
    if (!(uses & USES_PERSONS) && *order->from_person)
        return "from_person";
    if (!(uses & (USES_PERSONS | USES_TO_PERSON)) && *order->to_person)
        return "to_person";
    if (!(uses & USES_MINUTES) && order->minutes)
        return "minutes";
    if (!(uses & USES_MINUTES) && order->typed_minutes)
        return "typed_minutes";
    if (!(uses & USES_ACTIVITY) && *order->activity)
        return "activity";
    if (!(uses & USES_SHEET) && (*order->sheet || order->line))
        return "sheet";
    if (rule->kind->number >= FIRST_REGISTER_KIND && order->override)
        return "override";
    if (!(rule->kind->traits & PROPOSABLE) && order->proposal)
        return "proposal";
    if ((!(uses & USES_DAY) || !(rule->kind->traits & COUNTS)) && order->corrects.len)
        return "corrects";
    return NULL;
}

static int check_fields(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    const char *field = unused_field(rule);

    if (field)
        return rule_refuse(rule, REFUSAL_NOT_CANONICAL, field,
                           "An order of kind %s does not take the field %s: update the client.",
                           record_kind_name(order->kind_case), field);
    if (order->override & ~OVERRIDES_ALL)
        return rule_refuse(rule, REFUSAL_NOT_CANONICAL, "override", NULL);
    if (order->override & ~4u && order->note.len == 0)
        return rule_refuse(rule, REFUSAL_NEEDS_WHY, "override", NULL);
    if (*order->sheet && !code_text_is_valid(order->sheet, NAME_MAX_BYTES))
        return rule_refuse(rule, REFUSAL_BAD_TEXT, "sheet", NULL);
    return 0;
}

/* Which authority an author may claim follows from its role. */
static bool authority_fits(const struct rule *rule) {
    Timebank__Authority claimed = rule->order->authority;

    if (rule->kind->number >= FIRST_REGISTER_KIND)
        return claimed == TIMEBANK__AUTHORITY__AUTHORITY_NONE;
    switch (rule->batch->author->role) {
    case TIMEBANK__ROLE__STEWARD:
    case TIMEBANK__ROLE__BROKER:
        return claimed == TIMEBANK__AUTHORITY__BY_BROKER ||
               claimed == TIMEBANK__AUTHORITY__BY_SHEET;
    case TIMEBANK__ROLE__ROLE_ORGANISATION:
        return claimed == TIMEBANK__AUTHORITY__BY_ORGANISATION;
    case TIMEBANK__ROLE__ROLE_VENUE:
        return claimed == TIMEBANK__AUTHORITY__BY_VENUE;
    case TIMEBANK__ROLE__ROLE_MEMBER:
        return claimed == TIMEBANK__AUTHORITY__BY_SELF ||
               claimed == TIMEBANK__AUTHORITY__BY_GUARDIAN; /* rules_mandate_check_author() */
    default:
        return false;
    }
}

/* The side that an author who is no broker acts for, or NULL; of a hold, a venue's is `to`; so is a
 * giver's of what they claim. */
static const char *own_side(const struct rule *rule) {
    uint32_t traits = rule->kind->traits;

    if (traits & CLAIMABLE && !rules_agree_acts_for(rule, rule->order->from) &&
        strcmp(state_policy(rule->state, "claims"), "on") == 0)
        return "to";
    if (traits & OWN_FROM && traits & OWN_TO)
        return rule->batch->author->role == TIMEBANK__ROLE__ROLE_VENUE ? "to" : "from";
    return traits & OWN_FROM ? "from" : traits & OWN_TO ? "to" : NULL;
}

static int check_authority(struct rule *rule) {
    const struct ledger_author *author = rule->batch->author;
    const Timebank__Order *order = rule->order;
    const struct kind *kind = rule->kind;

    if (!(kind->roles & ROLE_BIT(author->role)))
        return rule_refuse(rule, REFUSAL_NO_AUTHORITY, "",
                           "This key may not record orders of kind %s: ask a %s.",
                           record_kind_name(order->kind_case),
                           kind->roles & ROLE_BIT(TIMEBANK__ROLE__BROKER) ? "broker" : "steward");
    if (!rule_is_broker(rule)) {
        const char *side = own_side(rule);
        int r = side ? rules_mandate_check_author(
                           rule, strcmp(side, "from") == 0 ? order->from : order->to, side)
                     : 0;
        if (r != 0)
            return r;
        if (order->override & ~4u || order->source != TIMEBANK__SOURCE__HAND)
            return rule_refuse(rule, REFUSAL_NO_AUTHORITY, "override",
                               "Only a broker may import, or insist against a rule: ask a broker.");
        if (*order->sheet || order->line) /* free text that stays in the log for ever */
            return rule_refuse(rule, REFUSAL_NO_AUTHORITY, "sheet",
                               "Only a broker enters from a sheet: leave sheet and line out.");
    } else if (kind->traits & COUNTS && *author->account &&
               strcmp(order->to, author->account) == 0 && !order->proposal) {
        return rule_refuse(rule, REFUSAL_OWN_HOURS, "to",
                           kind->traits & PROPOSABLE
                               ? "A broker's own hours and credits need another broker: ask one "
                                 "to enter this, or propose it with --propose."
                               : NULL);
    }
    if (!authority_fits(rule))
        return rule_refuse(rule, REFUSAL_WRONG_AUTHORITY, "authority", NULL);
    return 0;
}

static int check_source(struct rule *rule) {
    const Timebank__Order *order = rule->order;

    if (rule_is_history(rule)) {
        if (!(ROLE_BIT(rule->batch->author->role) & STEWARDS))
            return rule_refuse(rule, REFUSAL_HISTORY_STEWARD, "source", NULL);
    } else if (order->claimed_day) {
        return rule_refuse(rule, REFUSAL_HISTORY_ONLY, "claimed_day", NULL);
    }
    if (order->claimed_day > rule->today)
        return rule_refuse(rule, REFUSAL_FUTURE_DATE, "claimed_day",
                           "The date of entry has not come yet: check entered_date.");
    return 0;
}

static int warn_of_age(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    uint32_t known = order->claimed_day ? order->claimed_day : rule->today;
    int64_t age = (int64_t)known - order->service_day;
    int64_t warn_after = rule_policies(rule)->service_warn_days;

    if (age <= warn_after)
        return 0;
    return rule_warn(rule, WARNING_OLD_SERVICE_DATE, 0,
                     "The service was %lld days before the entry.", (long long)age);
}

static const char *day_words(const Timebank__Order *order, char ret[16]) {
    dates_format_iso(order->service_day, ret);
    return ret;
}

static int check_dates(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    int64_t oldest = rule_policies(rule)->oldest_service_days;
    char day[16];
    int r;

    if (!(rule->kind->fields & USES_DAY) || !(rule->kind->traits & COUNTS))
        return 0;
    if (order->service_day == 0)
        return rule_refuse(rule, REFUSAL_BAD_DATE, "service_day",
                           "The date of service is missing: enter it.");
    if (order->service_day > rule->today + 1)
        return rule_refuse(rule, REFUSAL_FUTURE_DATE, "service_day",
                           "%s has not come yet: check the date of service.",
                           day_words(order, day));
    if (order->claimed_day && order->service_day > order->claimed_day)
        return rule_refuse(rule, REFUSAL_BAD_DATE, "claimed_day",
                           "The date of entry lies before the date of service, %s: check both.",
                           day_words(order, day));
    if (!rule_is_history(rule) && (int64_t)rule->today - order->service_day > oldest)
        return rule_refuse(rule, REFUSAL_BAD_DATE, "service_day",
                           "%s is further back than the policy age-of-service allows: ask a "
                           "steward, or check the date.",
                           day_words(order, day));
    r = rules_period_check(rule);
    return r == 0 ? warn_of_age(rule) : r;
}

static int check_standing(struct rule *rule, const struct state_account *account,
                          const char *field) {
    if (account->merged_into)
        return rule_refuse(rule, REFUSAL_MERGED, field, "%s goes on as %s: use that code.",
                           account->code, rules_merge_survivor(rule->state, account)->code);
    if (account->standing == STANDING_CLOSED && !rule_is_history(rule))
        return rule_refuse(rule, REFUSAL_CLOSED, field, "%s is closed: see the coordinator.",
                           account->code);
    if (account->standing == STANDING_FROZEN && !rule_is_history(rule))
        return rule_refuse(rule, REFUSAL_FROZEN, field, "%s is frozen: see the coordinator.",
                           account->code);
    return 0;
}

/* What the side would have to be, and which verb fits what it is. */
static int refuse_kind(struct rule *rule, const struct state_account *account, const char *field) {
    static const char *const words[] = {
        [TIMEBANK__ACCOUNT_KIND__MEMBER] = "a member: for time between members use exchange, for "
                                           "credits gift",
        [TIMEBANK__ACCOUNT_KIND__ORGANISATION] =
            "an organisation: for time given to it use earn, for "
            "its allotment issue",
        [TIMEBANK__ACCOUNT_KIND__VENUE] = "a venue: to spend credits there use redeem",
        [TIMEBANK__ACCOUNT_KIND__BANK] = "another bank: for credits to or from it use transfer"};
    const char *what = account->kind < N_ELEMENTS(words) && words[account->kind]
                           ? words[account->kind]
                           : "one of the bank's own accounts: use donate, grant or issue";

    return rule_refuse(rule, REFUSAL_WRONG_KIND, field, "%s is %s.", account->code, what);
}

int ledger_side_check(struct rule *rule, const char *code, uint32_t kinds, const char *field) {
    const struct state_account *account;

    if (kinds == 0)
        return 0;
    account = rule_account(rule, code);
    if (!account)
        return *code ? rule_refuse(rule, REFUSAL_NO_SUCH_ACCOUNT, field,
                                   "There is no account %s: check the code, or %s.", code,
                                   rule_is_broker(rule) ? "open it with timebank account open"
                                                        : "see the coordinator")
                     : rule_refuse(rule, REFUSAL_NO_SUCH_ACCOUNT, field,
                                   "The account is missing: name it.");
    if (!(kinds & KIND_BIT(account->kind)))
        return !(rule->kind->traits & COUNTS) && account->kind >= TIMEBANK__ACCOUNT_KIND__CHEST
                   ? rule_refuse(rule, REFUSAL_BANK_ACCOUNT, field, NULL)
                   : refuse_kind(rule, account, field);
    if (account->is_erased)
        return rule_refuse(rule, REFUSAL_ERASED, field, NULL);
    return rule->kind->traits & (COUNTS | SPENDS) && !(rule->kind->traits & BARE)
               ? check_standing(rule, account, field)
               : 0;
}

int ledger_sides_check(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    int r = 0;

    if (*order->from || !(rule->kind->traits & FROM_OPTIONAL))
        r = ledger_side_check(rule, order->from, rule->kind->from_kinds, "from");
    if (r == 0)
        r = ledger_side_check(rule, order->to, rule->kind->to_kinds, "to");
    if (r == 0 && *order->from && strcmp(order->from, order->to) == 0)
        r = rule_refuse(rule, REFUSAL_SAME_ACCOUNT, "from", NULL);
    return r;
}

static bool rounds_to(const char *rounding, uint64_t typed, uint64_t quantum, uint64_t minutes) {
    uint64_t down = typed / quantum * quantum, up = down + (typed % quantum ? quantum : 0);

    if (strcmp(rounding, "up") == 0)
        return minutes == up;
    if (strcmp(rounding, "down") == 0)
        return minutes == down;
    if (strcmp(rounding, "nearest") == 0)
        return minutes == (typed - down < quantum - (typed - down) ? down : up);
    return false;
}

static int check_minutes(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    uint64_t quantum = (uint64_t)rule_policies(rule)->quantum;
    bool may_be_zero = rule->kind->traits & ZERO_MINUTES;
    char text[32];

    if (!(rule->kind->fields & USES_MINUTES))
        return 0;
    if (order->minutes == 0 && (!may_be_zero || order->typed_minutes))
        return rule_refuse(rule, REFUSAL_ZERO, "minutes", NULL);
    if (order->minutes > HOURS_MAX_MINUTES || order->typed_minutes > HOURS_MAX_MINUTES)
        return rule_refuse(rule, REFUSAL_TOO_LONG, "minutes",
                           "That is more time than any scheme holds: check the figure.");
    if (order->typed_minutes && !rounds_to(state_policy(rule->state, "rounding"),
                                           order->typed_minutes, quantum, order->minutes))
        return rule_refuse(
            rule, REFUSAL_NOT_IN_QUANTUM, "typed_minutes",
            "The time was not rounded as the policy rounding says: update the client.");
    if (rule->kind->traits & ANY_MINUTES || order->minutes % quantum == 0)
        return 0;
    hours_format((int64_t)order->minutes, text);
    if (rule_is_history(rule))
        return rule_warn(rule, WARNING_NOT_IN_QUANTUM, 0,
                         "%s is not a multiple of the bank's step of %llu min.", text,
                         (unsigned long long)quantum);
    return rule_refuse(rule, REFUSAL_NOT_IN_QUANTUM, "minutes",
                       "%s is not a multiple of the bank's step of %llu min: round it.", text,
                       (unsigned long long)quantum);
}

/* Activities are never taken out, and a batch is mostly of a few. */
bool ledger_activity_is(struct rule *rule, const char *name) {
    struct ledger_batch *batch = rule->batch;

    if (batch->activity && strcmp(batch->activity, name) == 0)
        return true;
    if (!state_get(rule->state, STATE_ACTIVITIES, name, strlen(name), NULL))
        return false;
    batch->activity = name;
    return true;
}

static int check_activity(struct rule *rule) {
    const Timebank__Order *order = rule->order;

    if (!(rule->kind->fields & USES_ACTIVITY) || ledger_activity_is(rule, order->activity))
        return 0;
    return *order->activity
               ? rule_refuse(rule, REFUSAL_UNKNOWN_ACTIVITY, "activity",
                             "There is no activity %s: check the spelling, or add it with timebank "
                             "activity add.",
                             order->activity)
               : rule_refuse(rule, REFUSAL_UNKNOWN_ACTIVITY, "activity",
                             "The activity is missing: name it.");
}

/* All but whether its id is known. Returns 0 when the order may stand, > 0 refused, < 0 broken. */
static int judge_common(struct rule *rule) {
    static int (*const checks[])(struct rule *) = {check_bar,
                                                   check_fields,
                                                   check_authority,
                                                   check_source,
                                                   check_dates,
                                                   ledger_sides_check,
                                                   rules_person_check_sides,
                                                   rules_safeguard_check_sides,
                                                   check_minutes,
                                                   check_activity,
                                                   rules_reverse_check_correction};
    int r = 0;

    for (size_t i = 0; r == 0 && i < N_ELEMENTS(checks); i++)
        r = checks[i](rule);
    return r;
}

static int remember_id(struct rule *rule) {
    void *value;
    int r = state_add(rule->state, STATE_IDS, rule->order->id.data, ORDER_ID_BYTES, &value);

    if (r == 0)
        ((struct state_id *)value)->entry = rule->index;
    return r;
}

static int judge(struct rule *rule) {
    bool is_done = false;
    int r;

    rule->kind = kind_find(rule->order->kind_case);
    if (!rule->kind)
        return rule_refuse(rule, REFUSAL_NOT_CANONICAL, "kind", NULL);
    r = check_id(rule);
    if (r == 0)
        r = ledger_plain(rule, &is_done);
    if (r == 0 && !is_done)
        r = judge_common(rule);
    if (r == 0 && !is_done)
        r = rules_propose_or_apply(rule);
    return r == 0 ? remember_id(rule) : r;
}

/* What the last orders moved, while it is at hand; of a batch that does not stand nothing is asked.
 */
static void hash_last(const struct ledger_batch *batch, size_t end) {
    size_t begin = (end - 1) / HASHED_TOGETHER * HASHED_TOGETHER;

    if (batch->n_refusals == 0)
        rules_legs_hash(batch->effects + begin, batch->leaves + begin, end - begin);
}

int ledger_judge(struct state *state, struct ledger_batch *batch) {
    bool is_lowest = !state->below;
    struct ledger_ahead ahead;
    struct arena arena;
    int r = 0;

    assert(!is_lowest || state->journal.is_open);
    arena_init(&arena, ARENA_BYTES);
    if (is_lowest)
        ledger_ahead_begin(&ahead, state, batch->orders, batch->n);
    for (size_t i = 0; i < batch->n && r >= 0; i++) {
        struct rule rule = {.state = state,
                            .batch = batch,
                            .place = i,
                            .index = batch->first + i,
                            .today = clock_day(batch->received_at_ms),
                            .order = batch->orders[i],
                            .arena = &arena};
        if (is_lowest)
            rule_look_ahead(&rule, ledger_ahead(&ahead, i));
        if (rule.order)
            r = judge(&rule);
        if (r == -ENOMEM && arena.r < 0)
            batch->arena->r = r;
        arena_reset(&arena);
        if (r >= 0 && ((i + 1) % HASHED_TOGETHER == 0 || i + 1 == batch->n))
            hash_last(batch, i + 1);
    }
    arena_fini(&arena);
    if (r >= 0)
        r = state_broken(state);
    if (r < 0)
        return r;
    state->sums.size += batch->n;
    return 0;
}
