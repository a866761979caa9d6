/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of kinds, and what the families of rules (rules-*.c) share. A rule checks everything
 * before it changes anything: a refused order has left no trace.
 *
 * A further kind is a line in kinds.c, a function in a family's file, a test and a paragraph of the
 * manual (and its member in timebank.proto and kinds.def).
 */
#pragma once

#include "ledger.h"

#define ROLE_BIT(role) (1u << (role))
#define KIND_BIT(kind) (1u << (kind))

#define STEWARDS ROLE_BIT(TIMEBANK__ROLE__STEWARD)
#define BROKERS (STEWARDS | ROLE_BIT(TIMEBANK__ROLE__BROKER))
#define MEMBERS KIND_BIT(TIMEBANK__ACCOUNT_KIND__MEMBER)
#define ORGANISATIONS KIND_BIT(TIMEBANK__ACCOUNT_KIND__ORGANISATION)
#define VENUES KIND_BIT(TIMEBANK__ACCOUNT_KIND__VENUE)
#define CHEST KIND_BIT(TIMEBANK__ACCOUNT_KIND__CHEST)
#define ISSUED KIND_BIT(TIMEBANK__ACCOUNT_KIND__ISSUED)
#define RETIRED KIND_BIT(TIMEBANK__ACCOUNT_KIND__RETIRED)
#define EXPIRED KIND_BIT(TIMEBANK__ACCOUNT_KIND__EXPIRED)
#define ADVANCES KIND_BIT(TIMEBANK__ACCOUNT_KIND__ADVANCES)
#define VOUCHERS KIND_BIT(TIMEBANK__ACCOUNT_KIND__VOUCHERS)
#define BANKS KIND_BIT(TIMEBANK__ACCOUNT_KIND__BANK)

/* Which fields of an Order a kind uses; the others must be empty. */
enum kind_field {
    USES_DAY = 1u << 0,
    USES_FROM = 1u << 1,
    USES_TO = 1u << 2,
    USES_MINUTES = 1u << 3,
    USES_ACTIVITY = 1u << 4,
    USES_SHEET = 1u << 5,
};

enum kind_trait {
    COUNTS = 1u << 0,     /* moves or counts hours: an entry, reversible (but REVERSE) */
    GIVES_TIME = 1u << 1, /* `to` gave time: hours of the day, duplicates */
    FROM_OPTIONAL = 1u << 2,
    OWN_FROM = 1u << 3, /* who is no broker acts for the account `from` */
    OWN_TO = 1u << 4,   /* ... `to` */
    REVERSIBLE = 1u << 5,
    SPENDS = 1u << 6,     /* `from` spends: limits by day, week, month and year */
    PROPOSABLE = 1u << 7, /* may wait for somebody's agreement */
    TO_OPTIONAL = 1u << 8,
    ANY_MINUTES = 1u << 10,  /* follow from the ledger: the quantum does not bind them */
    ZERO_MINUTES = 1u << 11, /* 0 has a meaning of its own */
    BARE = 1u << 9, /* checks of standing, own hours and sides are the rule's own */
};

/* Sums of Order.override. */
enum rule_override {
    OVERRIDES_LIMITS = 1,
    OVERRIDES_DAY = 2,
    OVERRIDES_DUPLICATE = 4,
    OVERRIDES_PRICE = 8,
    OVERRIDES_PERIOD = 16,
    OVERRIDES_RULES = 32,
};

struct rule;

struct kind {
    Timebank__Order__KindCase number;
    uint32_t roles;      /* who may, bits of Timebank__Role */
    uint32_t from_kinds; /* bits of Timebank__AccountKind */
    uint32_t to_kinds;
    uint32_t fields;
    uint32_t traits;
    int (*apply)(struct rule *rule);
};

const struct kind *kind_find(Timebank__Order__KindCase number);

/* One order being judged. */
struct rule {
    struct state *state;
    struct ledger_batch *batch;
    size_t place;
    uint64_t index; /* record number */
    uint32_t today; /* day of the seal */
    const Timebank__Order *order;
    const struct kind *kind;
    struct arena *arena;       /* for orders read back */
    Timebank__EventKind event; /* nothing but an event: `order` is the one it follows from */
    /* The order is a proposal made earlier, at record `proposed`, that takes effect now. */
    bool is_settling;
    uint64_t proposed;
};

#define rule_refuse(rule, refusal, field, ...)                                                     \
    ledger_refuse((rule)->batch, (rule)->place, refusal, field, __VA_ARGS__)
#define rule_warn(rule, warning, entry, ...)                                                       \
    ledger_warn((rule)->batch, (rule)->place, warning, entry, __VA_ARGS__)

bool rule_is_history(const struct rule *rule);
bool rule_is_broker(const struct rule *rule);
bool rule_overrides(const struct rule *rule, uint32_t what);
/* "entry 33"; of one that only a dry run counted no number is told, for it will never be anybody's.
 */
#define RULE_ENTRY_WORDS_BYTES 40
const char *rule_entry_words(uint64_t index, bool begins, char ret[RULE_ENTRY_WORDS_BYTES]);

/*
 * rules-move.c: limits, and the posting of minutes. A record's legs are gathered, an account once
 * (rules_legs_add() adds up), checked, and posted in one go, once. Minutes sum to zero; `held` is
 * what of an account's credits lies in transit for it, and all held sums to the balance of transit.
 */
struct rules_leg {
    const char *code;
    int64_t minutes;
    int64_t held;
};
struct rules_legs {
    struct rules_leg *items; /* in the rule's arena */
    size_t n;
    size_t n_allocated;
    int r; /* sticky -ENOMEM */
};
void rules_legs_add(struct rule *rule, struct rules_legs *legs, const char *code, int64_t minutes,
                    int64_t held);
/* Floors of who loses, ceilings of who gains, soft ones as warnings. */
int rules_legs_check(struct rule *rule, const struct rules_legs *legs);
int rules_legs_post(struct rule *rule, const struct rules_legs *legs);

/* The same for two accounts. */
int rules_move_check(struct rule *rule, const char *from, const char *to, uint64_t minutes);
int rules_move(struct rule *rule, const char *from, const char *to, uint64_t minutes);
/* Makes the order a line of the statement of `to`, whose balance stays. */
int rules_move_add_line(struct rule *rule, const char *to);
/* Sums by day (state_day). */
uint64_t rules_move_day_sum(struct rule *rule, enum state_day_sum sum, const char *code,
                            const char *other, uint32_t day);
int rules_move_add_to_day(struct rule *rule, enum state_day_sum sum, const char *code,
                          const char *other, uint32_t day, int64_t minutes);

/* What waits (rules-pending.c). Opened under the order's own number; due_ms 0: for no time. */
int rules_pending_open(struct rule *rule, enum state_pending_what what, uint64_t minutes,
                       const char *from, const char *to, uint64_t due_ms, uint64_t entry);
/* The pending that an order (16 bytes of id) opened, to be changed, and that order; refused
 * NO_SUCH_ENTRY, NOT_WAITING. `whats`: bits of the kinds of pending that will do. */
int rules_pending_find(struct rule *rule, const ProtobufCBinaryData *target, uint32_t whats,
                       struct state_pending **ret_pending, const Timebank__Order **ret_order,
                       uint64_t *ret_entry);
void rules_pending_end(struct rule *rule, struct state_pending *pending,
                       enum state_outcome outcome);
/* The order of an entry, of the log or of this very batch: 0, < 0. */
int rules_pending_order(struct rule *rule, uint64_t entry, const Timebank__Order **ret_order,
                        uint64_t *ret_received_at_ms);
/* End of a day, in ms: what is due "after N days" falls due as the day N days on ends. */
uint64_t rules_pending_due(const struct rule *rule, const char *policy);

/*
 * What falls due, a line for each kind of pending (kinds.c). plan() says which event it will be and
 * how many minutes move, and changes nothing; apply() does it. Neither refuses: what the rules
 * would refuse (a claim whose receiver has no credits left) is another event.
 */
struct pending_kind {
    enum state_pending_what what;
    const char *name; /* as people read it: "gift" */
    int (*plan)(struct rule *rule, const struct state_pending *pending,
                Timebank__EventKind *ret_event, uint64_t *ret_minutes);
    int (*apply)(struct rule *rule, struct state_pending *pending);
};
const struct pending_kind *pending_kind_find(enum state_pending_what what);

/* ledger-judge.c: what an order does once nothing stands in its way: limits of spending, the rule
 * of its kind. Confirms, approvals and events call it with the order proposed. */
int rule_apply(struct rule *rule);

/* rules-limits.c: what an account may spend in a day, week, month, year. rule_apply() sees to kinds that
 * SPEND from `from`; others (a session's receivers, a gift on its way) ask for themselves: check, post,
 * note. What comes back is given back to the day it was recorded on. */
int rules_limits_check(struct rule *rule, const char *code, uint64_t minutes);
int rules_limits_note(struct rule *rule, const char *code, uint64_t minutes);
int rules_limits_give_back(struct rule *rule, const char *code, uint64_t minutes, bool is_all,
                           uint32_t day);
int rules_limits_set(struct rule *rule); /* the kind set-limit */
/* Which spans the policies limit, kept in the sums: after any change of policy. */
void rules_limits_count_policies(struct state *state);
/* rules-expire.c. Minutes of a member that may expire as of a day, and the day they were gained on at
 * the latest. */
int rules_expire(struct rule *rule);
uint64_t rules_expire_minutes(struct state *state, const struct state_account *account,
                              uint32_t as_of_day, uint32_t today);

/* rules-time.c: checks of what gives time (hours of a day, duplicates), then the kinds. */
int rules_time_give(struct rule *rule);
int rules_time_log(struct rule *rule);
/* rules-credit.c */
int rules_credit_move(struct rule *rule);
int rules_credit_grant(struct rule *rule);
int rules_credit_issue(struct rule *rule);
/* rules-redeem.c */
int rules_redeem(struct rule *rule);
/* rules-reverse.c */
int rules_reverse(struct rule *rule);
int rules_reverse_check_correction(struct rule *rule);
/* rules-register.c */
int rules_register_open(struct rule *rule);
int rules_register_freeze(struct rule *rule);
int rules_register_thaw(struct rule *rule);
int rules_register_close(struct rule *rule);
int rules_register_policy(struct rule *rule);
int rules_register_activity(struct rule *rule);
int rules_register_offer(struct rule *rule);
int rules_register_funder(struct rule *rule);
/* rules-keys.c */
int rules_keys_grant(struct rule *rule);
int rules_keys_revoke(struct rule *rule);
/* rules-voucher.c */
int rules_voucher_key(struct rule *rule);
int rules_voucher_mint(struct rule *rule);
int rules_voucher_void(struct rule *rule);
int rules_voucher_reissue(struct rule *rule);
int rules_voucher_plan(struct rule *rule, const struct state_pending *pending,
                       Timebank__EventKind *ret_event, uint64_t *ret_minutes);
int rules_voucher_expire(struct rule *rule, struct state_pending *pending);
/* For whoever takes one: rows by serial, and the pending they wait under. */
bool rules_voucher_is_genuine(struct rule *rule, const uint8_t *claims, const uint8_t *signature);
const struct state_voucher *rules_voucher_get(struct rule *rule, uint64_t serial, int *r);
int rules_voucher_mark(struct rule *rule, uint64_t serial, enum state_voucher_standing standing);
int rules_voucher_pending(struct rule *rule, uint64_t mint, const struct state_pending **ret);
int rules_voucher_take_out(struct rule *rule, uint64_t mint, uint64_t minutes);
int rules_voucher_put_back(struct rule *rule, uint64_t mint, uint64_t minutes);
int rules_voucher_refuse_standing(struct rule *rule, uint64_t serial,
                                  const struct state_voucher *voucher);
/* rules-voucher-redeem.c. A conflict of two takings is decided: the chest pays the order's minutes
 * to who took it second, or nothing. Who may decide, the caller has seen to. */
int rules_voucher_redeem(struct rule *rule);
int rules_voucher_decide(struct rule *rule, struct state_pending *pending);
/* A redemption taken back makes the voucher good again: asked first, and done after the move. */
int rules_voucher_check_undo(struct rule *rule, const Timebank__Order *redemption, uint64_t entry,
                             uint64_t minutes);
int rules_voucher_undo(struct rule *rule, const Timebank__Order *redemption);
