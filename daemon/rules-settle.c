/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settlement of an account that ends: its balance to where rules-leave.c says, a debt out of
 * write-offs, what is owed of advances written off; then the account is closed. It is not reversed:
 * what was settled wrongly is given anew.
 */
#include <errno.h>
#include <string.h>

#include "proto/hours.h"
#include "rules.h"

#define ORDER_ARENA_BYTES (256u * 1024)

/* Nobody writes off their own debt. */
static int check_by_self(struct rule *rule, const struct state_account *account) {
    if (rule->order->authority != TIMEBANK__AUTHORITY__BY_SELF)
        return rule_refuse(rule, REFUSAL_NO_AUTHORITY, "from",
                           "Only the member or a broker settles an account: ask a broker.");
    if (account->balance < 0 || account->owed_minutes > 0)
        return rule_refuse(rule, REFUSAL_NO_AUTHORITY, "from",
                           "A debt, or what was advanced, is for a broker to write off: earn it "
                           "first, or ask one.");
    return rules_person_check_author(rule, account->code, "");
}

static int check_left(struct rule *rule, const struct state_account *account) {
    if (!rule_is_broker(rule))
        return check_by_self(rule, account);
    if (account->leaving_day == 0)
        return rule_refuse(rule, REFUSAL_NOT_LEAVING, "from", NULL);
    if (rule->today <= account->leaving_day)
        return rule_refuse(rule, REFUSAL_SPEND_DOWN, "from", NULL);
    return 0;
}

static int check_as(struct rule *rule, const struct state_account *account) {
    bool is_member = account->kind == TIMEBANK__ACCOUNT_KIND__MEMBER;
    Timebank__SettleAs as = rule->order->settle->as;

    if (as < TIMEBANK__SETTLE_AS__LEFT || as > TIMEBANK__SETTLE_AS__ENDED)
        return rule_refuse(rule, REFUSAL_NOT_CANONICAL, "as", NULL);
    if (is_member != (as != TIMEBANK__SETTLE_AS__ENDED))
        return rule_refuse(rule, REFUSAL_WRONG_KIND, "from",
                           is_member ? "A member leaves or dies: settle with --left or --died."
                                     : "An organisation or a venue ends: settle it with --ended.");
    if (!is_member || as == TIMEBANK__SETTLE_AS__DIED)
        return rule_is_broker(rule) ? 0
                                    : rule_refuse(rule, REFUSAL_NO_AUTHORITY, "from",
                                                  "Only a broker settles this: ask one.");
    return check_left(rule, account);
}

/* A frozen account is settled as it stands: a death is kept quiet first. */
static int check_standing(struct rule *rule, const struct state_account *account,
                          const struct state_account *heir) {
    if (account->merged_into)
        return rule_refuse(rule, REFUSAL_MERGED, "from", NULL);
    if (account->standing == STANDING_CLOSED)
        return rule_refuse(rule, REFUSAL_ALREADY_CLOSED, "from", NULL);
    if (account->standing == STANDING_FROZEN && !rule_is_broker(rule))
        return rule_refuse(rule, REFUSAL_FROZEN, "from", NULL);
    if (heir->standing == STANDING_FROZEN)
        return rule_refuse(rule, REFUSAL_FROZEN, "to",
                           "%s, to whom it goes, is frozen: thaw it first.", heir->code);
    return 0;
}

static int check_choice(struct rule *rule, const struct state_account *account) {
    const char *heir = rules_leave_heir(rule->state, account), *to = rule->order->to;

    if (strcmp(heir, to) == 0)
        return 0;
    return rule_refuse(rule, REFUSAL_OTHER_CHOICE, "to",
                       account->balance < 0 ? "A debt is met by %s: settle it so."
                                            : "It was arranged that the credits go to %s: settle "
                                              "it so.",
                       heir);
}

static int check_balance(struct rule *rule, const struct state_account *account) {
    char text[32];

    if (rule->order->settle->balance == account->balance)
        return 0;
    hours_format(account->balance, text);
    return rule_refuse(rule, REFUSAL_BALANCE_MOVED, "balance",
                       "%s stands at %s by now: look at it and enter this again.", account->code,
                       text);
}

/* What anybody still holds in vouchers good there only, they have to be told about. */
struct left_over {
    struct rule rule; /* as ours, with an arena that is emptied after each order */
    struct arena arena;
    const char *venue;
    uint64_t minutes;
};

static int count_vouchers(void *user, uint64_t key) {
    struct left_over *left = user;
    const struct state_pending *pending;
    const Timebank__Order *order;
    uint64_t received_at_ms;
    uint8_t bytes[8];
    int r = 0;

    be64_put(bytes, key);
    pending = state_get(left->rule.state, STATE_PENDINGS, bytes, sizeof(bytes), &r);
    if (!pending || pending->is_over || pending->what != PENDING_VOUCHERS)
        return r;
    r = rules_pending_order(&left->rule, pending->entry, &order, &received_at_ms);
    if (r == 0 && order->kind_case == TIMEBANK__ORDER__KIND_MINT_VOUCHERS &&
        strcmp(order->mint_vouchers->venue, left->venue) == 0)
        left->minutes += pending->minutes;
    arena_reset(&left->arena);
    return r;
}

static int warn_of_vouchers(struct rule *rule, const struct state_account *account) {
    struct left_over left = {.rule = *rule, .venue = account->code};
    char text[32];
    int r;

    if (account->kind != TIMEBANK__ACCOUNT_KIND__VENUE)
        return 0;
    arena_init(&left.arena, ORDER_ARENA_BYTES);
    left.rule.arena = &left.arena;
    r = state_due_each(rule->state, count_vouchers, &left);
    arena_fini(&left.arena);
    if (r < 0 || left.minutes == 0)
        return r;
    hours_format((int64_t)left.minutes, text);
    return rule_warn(rule, WARNING_VOUCHERS_LEFT, 0,
                     "Vouchers of %s are good at %s only and not used: make them void with "
                     "timebank voucher void, and tell their holders.",
                     text, account->code);
}

static void add_legs(struct rule *rule, struct rules_legs *legs,
                     const struct state_account *account) {
    int64_t owed = (int64_t)account->owed_minutes;

    rules_legs_add(rule, legs, account->code, -account->balance, 0);
    rules_legs_add(rule, legs, rule->order->to, account->balance, 0);
    if (owed > 0) {
        rules_legs_add(rule, legs, "write-offs", -owed, 0);
        rules_legs_add(rule, legs, "advances", owed, 0);
    }
}

static int end_account(struct rule *rule) {
    const char *code = rule->order->from;
    struct state_account *account;
    void *value;
    int r = state_edit(rule->state, STATE_ACCOUNTS, code, strlen(code), &value);

    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    account = value;
    account->owed_minutes = 0;
    account->leaving_day = 0;
    account->standing = STANDING_CLOSED;
    return rules_leave_end(rule, account, NULL);
}

int rules_settle(struct rule *rule) {
    const struct state_account *account = state_account(rule->state, rule->order->from);
    struct rules_legs legs = {0};
    int r = check_standing(rule, account, state_account(rule->state, rule->order->to));

    if (r == 0)
        r = check_as(rule, account);
    if (r == 0)
        r = check_balance(rule, account);
    if (r == 0)
        r = check_choice(rule, account);
    if (r == 0)
        r = rules_leave_check_waits(rule, account, 0, "from");
    if (r != 0)
        return r;
    add_legs(rule, &legs, account);
    r = rules_legs_check(rule, &legs);
    if (r == 0)
        r = warn_of_vouchers(rule, account);
    if (r == 0)
        r = rules_legs_post(rule, &legs);
    return r == 0 ? end_account(rule) : r;
}
