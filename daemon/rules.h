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
#include "proto/rotation.h"

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
#define WRITE_OFFS KIND_BIT(TIMEBANK__ACCOUNT_KIND__WRITE_OFFS)
#define BANKS KIND_BIT(TIMEBANK__ACCOUNT_KIND__BANK)

/* Which fields of an Order a kind uses; the others must be empty. */
enum kind_field {
    USES_DAY = 1u << 0,
    USES_FROM = 1u << 1,
    USES_TO = 1u << 2,
    USES_MINUTES = 1u << 3,
    USES_ACTIVITY = 1u << 4,
    USES_SHEET = 1u << 5,
    USES_PERSONS = 1u << 6,   /* somebody acts: named in a household, under 18, safeguarded */
    USES_TO_PERSON = 1u << 7, /* may name a person of `to`, who does not act */
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
    CLAIMABLE = 1u << 12,    /* `to` may enter it, by the policy claims, and `from` confirms */
    BARE = 1u << 9,          /* checks of standing are the rule's own */
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
struct rules_target;
struct rules_legs;

struct kind {
    Timebank__Order__KindCase number;
    uint32_t roles;      /* who may, bits of Timebank__Role */
    uint32_t from_kinds; /* bits of Timebank__AccountKind */
    uint32_t to_kinds;
    uint32_t fields;
    uint32_t traits;
    int (*apply)(struct rule *rule);
    /* How `minutes` of an entry are taken back, where it is more than from `to` to `from`. The
     * first checks and gathers the contrary legs; the second changes what else the entry had
     * changed, once they are posted. */
    int (*take_back)(struct rule *rule, const struct rules_target *target, uint64_t minutes,
                     struct rules_legs *legs);
    int (*taken_back)(struct rule *rule, const struct rules_target *target, uint64_t minutes);
};

const struct kind *kind_find(Timebank__Order__KindCase number);

/* What an order will ask of the lowest state, as far as it is there. */
struct rules_ahead {
    const struct state_account *sides[2]; /* from, to; or NULL */
    const struct state_recent *recent;    /* of `to`, who gives time */
    const struct state_day *day;          /* DAY_GIVEN of `to` on the date of service */
    uint32_t service_day;
};

#define RULES_DAY_KEY_BYTES 13 /* of a row of days (rules-day.c) */

/* ledger-ahead.c: looks for it, for orders of which any may be NULL. ledger_ahead() is asked of
 * each in turn, from the first; its answer is good until the next chunk is asked of. */
#define AHEAD_ORDERS 8u
#define AHEAD_CHUNKS 8u
struct ahead_search {
    const struct rows *rows;
    uint64_t hash;
    const void *key;
    size_t n_key; /* 0: nothing is looked for */
};
struct ahead_chunk {
    Timebank__Order *const *orders;
    size_t n;
    struct ahead_search searches[AHEAD_ORDERS][2];
    uint8_t keys[AHEAD_ORDERS][8];
    uint8_t day_keys[AHEAD_ORDERS][RULES_DAY_KEY_BYTES];
    struct rules_ahead found[AHEAD_ORDERS];
};
struct ledger_ahead {
    const struct state *lowest;
    Timebank__Order *const *orders;
    size_t n;
    struct ahead_chunk chunks[AHEAD_CHUNKS];
};
void ledger_ahead_begin(struct ledger_ahead *ahead, const struct state *lowest,
                        Timebank__Order *const *orders, size_t n);
const struct rules_ahead *ledger_ahead(struct ledger_ahead *ahead, size_t i);

/* ledger-plain.c: judges and applies an exchange that nothing stands against; any other order is
 * left as it is, and not done. ledger-judge.c: activities as they are listed. */
int ledger_plain(struct rule *rule, bool *ret_is_done) TB_MUST_CHECK;
bool ledger_activity_is(struct rule *rule, const char *name);

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
    const struct rules_ahead *ahead; /* or NULL */
    struct { /* of the order, where the state is the lowest, whose rows stand still */
        const char *code;
        const struct state_account *account;
    } sides[2];
};

#define rule_refuse(rule, refusal, field, ...)                                                     \
    ledger_refuse((rule)->batch, (rule)->place, refusal, field, __VA_ARGS__)
#define rule_warn(rule, warning, entry, ...)                                                       \
    ledger_warn((rule)->batch, (rule)->place, warning, entry, __VA_ARGS__)

bool rule_is_history(const struct rule *rule);
bool rule_is_broker(const struct rule *rule);
bool rule_overrides(const struct rule *rule, uint32_t what);
/* What was found ahead of its turn. */
void rule_look_ahead(struct rule *rule, const struct rules_ahead *ahead);
/* As state_account(); the sides of the order are looked for once. */
const struct state_account *rule_account(struct rule *rule, const char *code);
/* What the policies say; whoever changes one says so. */
const struct ledger_policies *rule_policies(struct rule *rule);
void rule_policies_changed(struct rule *rule);
/* Number of the entry that takes effect: the proposal's own, where it was one. */
uint64_t rule_entry(const struct rule *rule);
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
/* The running hashes of what n records posted, in their order: each of its account's last. */
void rules_legs_hash(const struct ledger_effect *effects, const struct hash *leaves, size_t n);

/* The same for two accounts. */
int rules_move_check(struct rule *rule, const char *from, const char *to, uint64_t minutes);
int rules_move(struct rule *rule, const char *from, const char *to, uint64_t minutes);
/* Makes the order a line of the statement of `to`, whose balance stays. */
int rules_move_add_line(struct rule *rule, const char *to);

/* rules-day.c: sums by day (enum state_day_sum), of one account or of two. No account, no sum: what
 * is added to NULL is lost. A sum does not go below zero. */
uint64_t rules_day_get(struct rule *rule, enum state_day_sum sum,
                       const struct state_account *account, uint32_t day);
int rules_day_add(struct rule *rule, enum state_day_sum sum, const struct state_account *account,
                  uint32_t day, int64_t minutes);
void rules_day_key(enum state_day_sum sum, uint64_t number, uint32_t day,
                   uint8_t ret[RULES_DAY_KEY_BYTES]);
/* The same for who asks first and adds then: what was found is not looked for again. */
struct rules_day {
    enum state_day_sum sum;
    const struct state_account *account;
    uint32_t day;
    const struct state_day *found; /* or NULL */
};
uint64_t rules_day_find(struct rule *rule, struct rules_day *day);
int rules_day_add_to(struct rule *rule, const struct rules_day *day, int64_t minutes);
uint64_t rules_day_get_between(struct rule *rule, enum state_day_sum sum,
                               const struct state_account *account,
                               const struct state_account *other, uint32_t day);
int rules_day_add_between(struct rule *rule, enum state_day_sum sum,
                          const struct state_account *account, const struct state_account *other,
                          uint32_t day, int64_t minutes);

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
const struct pending_kind *kind_find_pending(enum state_pending_what what);

/* rule.c: what an order does once nothing stands in its way: limits of spending, the rule
 * of its kind. Confirms, approvals and events call it with the order proposed. */
int rule_apply(struct rule *rule);
/* Both accounts are there, of their kinds and open: asked again when a proposal takes effect. */
int ledger_sides_check(struct rule *rule);

/*
 * rules-agree.c: what stands between an entry and its effect, and who is a party to it. The order
 * is the one that opened it all; reversals, marks and sums are kept under its number, whichever
 * record gave it effect.
 */
struct rules_entry {
    const Timebank__Order *order;
    uint64_t number;
    uint32_t day; /* of its recording; of a proposal that is over, the day it ended */
    uint64_t reversed;
    bool is_confirmed;
    const struct state_pending *pending; /* that the order opened, or NULL */
    const struct state_pending *dispute; /* the last one about it, or NULL */
};
/* By the id of an order; refused NO_SUCH_ENTRY. By the number of an entry that is known to be. */
int rules_agree_find(struct rule *rule, const ProtobufCBinaryData *target, struct rules_entry *ret);
int rules_agree_read(struct rule *rule, uint64_t number, struct rules_entry *ret);
bool rules_agree_waits(const struct rules_entry *entry);
bool rules_agree_is_disputed(const struct rules_entry *entry);
/* A proposal that was declined, withdrawn or lapsed. */
bool rules_agree_is_fallen(struct rule *rule, uint64_t number);
/* It has taken effect and nobody disputes it; refused STILL_WAITING, NOT_WAITING, DISPUTED. */
int rules_agree_check_stands(struct rule *rule, const struct rules_entry *entry);
int rules_agree_check_number(struct rule *rule, uint64_t number);
/* The day on which the minutes of an entry counted as spent. */
uint32_t rules_agree_counted_day(struct rule *rule, const struct rules_target *target);
/* The author's key is that of the account, or of who has a mandate for it. */
bool rules_agree_is_own(const struct rule *rule, const char *code);
bool rules_agree_acts_for(const struct rule *rule, const char *code);
bool rules_agree_is_party(const struct rule *rule, const Timebank__Order *order);
/* The leaf hash of the entry's record is what the author looked at; refused OTHER_PROPOSAL. */
int rules_agree_check_quote(struct rule *rule, const struct rules_entry *entry,
                            const ProtobufCBinaryData *quote);
int rules_agree_mark(struct rule *rule, uint64_t number, struct state_mark **ret);
/*
 * rules-propose.c: what has to be agreed to first. A record gives a proposal effect, be it a
 * confirm, an approve or an event, exactly when marks say so (`settled`) and its accounts have
 * legs.
 */
int rules_propose_or_apply(struct rule *rule); /* judge(): after the checks of all orders */
int rules_propose_settle(struct rule *rule, const struct rules_entry *entry);
int rules_propose_approved(struct rule *rule, const struct rules_entry *entry);
int rules_propose_drop(struct rule *rule, uint64_t number, enum state_outcome outcome);
const char *rules_propose_days(enum state_pending_what what); /* the policy that says how many */
int rules_propose_plan(struct rule *rule, const struct state_pending *pending,
                       Timebank__EventKind *ret_event, uint64_t *ret_minutes);
int rules_propose_lapse(struct rule *rule, struct state_pending *pending);
/* rules-confirm.c */
int rules_confirm(struct rule *rule);
int rules_confirm_decline(struct rule *rule);
int rules_confirm_withdraw(struct rule *rule);
int rules_confirm_approve(struct rule *rule);
/* rules-trust.c: whose claims a receiver accepts at once. */
int rules_trust_set(struct rule *rule);
bool rules_trust_is_trusted(struct rule *rule, const char *receiver, const char *giver);
/* rules-dispute.c */
int rules_dispute(struct rule *rule);
int rules_dispute_decide(struct rule *rule);
int rules_dispute_plan(struct rule *rule, const struct state_pending *pending,
                       Timebank__EventKind *ret_event, uint64_t *ret_minutes);
int rules_dispute_lapse(struct rule *rule, struct state_pending *pending);
/* The account is there, of a kind that will do, and open. */
int ledger_side_check(struct rule *rule, const char *code, uint32_t kinds, const char *field);

/* rules-limits.c: what an account may spend in a day, week, month, year. rule_apply() sees to kinds
 * that SPEND from `from`; others (a session's receivers, a gift on its way) ask for themselves:
 * check, post, note. What comes back is given back to the day it was recorded on. */
int rules_limits_check(struct rule *rule, const char *code, uint64_t minutes);
int rules_limits_note(struct rule *rule, const char *code, uint64_t minutes);
int rules_limits_give_back(struct rule *rule, const char *code, uint64_t minutes, bool is_all,
                           uint32_t day);
int rules_limits_set(struct rule *rule); /* the kind set-limit */
/* Which spans the policies limit, kept in the sums: after any change of policy. */
void rules_limits_count_policies(struct state *state);
/* rules-expire.c. Minutes of a member that may expire as of a day, and the day they were gained on
 * at the latest. */
int rules_expire(struct rule *rule);
uint64_t rules_expire_minutes(struct state *state, const struct state_account *account,
                              uint32_t as_of_day, uint32_t today);

/* rules-time.c: what is asked of everybody who gives time in an order (hours of a day, duplicates),
 * and remembered of it; then the kinds. */
struct rules_giver {
    const struct state_account *account; /* as it was: for its number */
    const char *code;
    uint64_t minutes;
    uint32_t print;                    /* of what a duplicate would look like */
    const struct state_recent *recent; /* or NULL */
    struct rules_day day;
};
int rules_time_check(struct rule *rule, const char *code, uint64_t minutes,
                     struct rules_giver *ret_giver);
int rules_time_note(struct rule *rule, const struct rules_giver *giver);
/* rules-recent.c: the last entries of a giver. check() refuses or warns of what looks like one. */
struct rules_giver rules_recent_giver(const struct rule *rule, const struct state_account *account,
                                      uint64_t minutes);
int rules_recent_check(struct rule *rule, struct rules_giver *giver);
/* No print agrees: nothing looks like it. */
bool rules_recent_is_new(struct rule *rule, struct rules_giver *giver);
int rules_recent_add(struct rule *rule, const struct rules_giver *giver);
/* What a proposal is remembered by, before anything is given. */
int rules_time_propose(struct rule *rule);
int rules_time_give(struct rule *rule);
int rules_time_log(struct rule *rule);
int rules_time_taken_back(struct rule *rule, const struct rules_target *target, uint64_t minutes);
int rules_time_take_back(struct rule *rule, const struct rules_target *target, uint64_t minutes,
                         struct rules_legs *legs);
/*
 * rules-advance.c: credits before they are earned. Whoever earns: earn() gathers the legs of giver
 * and repayment and says how much repays; note() after they are posted. Whoever takes back what was
 * earned, so that `left` minutes of it stay: unearn() gathers the contrary legs, note_unearned().
 */
int rules_advance(struct rule *rule);
int rules_advance_pledge(struct rule *rule);
uint64_t rules_advance_earn(struct rule *rule, struct rules_legs *legs, const char *code,
                            uint64_t minutes);
int rules_advance_note(struct rule *rule, const char *code, uint64_t repaid);
int rules_advance_unearn(struct rule *rule, struct rules_legs *legs, uint64_t entry,
                         const char *code, uint64_t minutes, uint64_t left);
int rules_advance_note_unearned(struct rule *rule, uint64_t entry, const char *code, uint64_t left);
int rules_advance_take_back(struct rule *rule, const struct rules_target *target, uint64_t minutes,
                            struct rules_legs *legs);
int rules_advance_taken_back(struct rule *rule, const struct rules_target *target,
                             uint64_t minutes);
/* The day of a pledge ends. */
int rules_advance_plan(struct rule *rule, const struct state_pending *pending,
                       Timebank__EventKind *ret_event, uint64_t *ret_minutes);
int rules_advance_due(struct rule *rule, struct state_pending *pending);
/* rules-session.c */
int rules_session(struct rule *rule);
int rules_session_take_back(struct rule *rule, const struct rules_target *target, uint64_t minutes,
                            struct rules_legs *legs);
int rules_session_taken_back(struct rule *rule, const struct rules_target *target,
                             uint64_t minutes);
/* rules-credit.c */
int rules_credit_move(struct rule *rule);
int rules_credit_grant(struct rule *rule);
int rules_credit_issue(struct rule *rule);
/*
 * rules-offer.c: what a venue accepts credits for, the rules of it, and what it was used for. A
 * taking is a redemption, a hold or what is captured of it, or a voucher taken at a venue.
 */
struct rules_taking {
    const char *venue;
    const char *offer;  /* "" of a voucher: for no offer by name */
    const char *member; /* "" of a voucher: for nobody by name */
    uint32_t adults;
    uint32_t under16;
    uint64_t minutes;
    uint32_t day;    /* of service */
    bool is_hold;    /* for a booking: no hour is known yet */
    bool only_warns; /* it has happened: what was not kept is told */
};
/* Sums of takings less what was taken back (STATE_OFFER_SUMS). */
enum rules_offer_sum {
    OFFER_MONTH = 'm', /* taken, by the month of the date of service */
    OFFER_HELD = 'h',  /* held, likewise */
    OFFER_DAY = 'd',   /* places taken or held on a day */
    OFFER_PERSON = 'p' /* taken or held by a member, by month */
};
int rules_offer_set(struct rule *rule); /* the kind set-offer */
/* The offer is there, somebody comes, and the minutes are its price or insisted on. */
int rules_offer_check_price(struct rule *rule, const struct rules_taking *taking);
/* Whether a rule of it asks on which day it is taken. */
bool rules_offer_goes_by_day(struct rule *rule, const struct rules_taking *taking, int *r);
/* Its days, hours, ages, numbers and budget. */
int rules_offer_check(struct rule *rule, const struct rules_taking *taking);
/* Adds to the sums of those letters: minutes, and with has_heads heads and one time. */
int rules_offer_add(struct rule *rule, const char *letters, const struct rules_taking *taking,
                    bool has_heads);
int rules_offer_take_off(struct rule *rule, const char *letters, const struct rules_taking *taking,
                         bool has_heads);
/* What was taken, and what is taken back of it; is_all: none of it is left. */
int rules_offer_count(struct rule *rule, const struct rules_taking *taking);
int rules_offer_give_back(struct rule *rule, const struct rules_taking *taking, bool is_all);
/* All zeros where nothing was counted. `day` is one of the month; code: of OFFER_PERSON. */
struct state_offer_sum rules_offer_sum(struct state *state, enum rules_offer_sum letter,
                                       const char *venue, const char *offer, const char *code,
                                       uint32_t day, int *r);
/* First day of a day's month, and of the one after it. */
uint32_t rules_offer_month(uint32_t day);
uint32_t rules_offer_next_month(uint32_t day);
/* rules-redeem.c */
int rules_redeem(struct rule *rule);
int rules_redeem_taken_back(struct rule *rule, const struct rules_target *target, uint64_t minutes);
/* What a venue's own key may take in a day: asked, counted, and given back to the day on which it
 * was recorded. member "": a voucher's bearer. */
int rules_redeem_check_caps(struct rule *rule, const char *venue, const char *member,
                            uint64_t minutes);
int rules_redeem_count_caps(struct rule *rule, const char *venue, const char *member, uint32_t day,
                            int64_t minutes);
/* rules-hold.c */
int rules_hold(struct rule *rule);
int rules_hold_capture(struct rule *rule);
int rules_hold_release(struct rule *rule);
int rules_hold_plan(struct rule *rule, const struct state_pending *pending,
                    Timebank__EventKind *ret_event, uint64_t *ret_minutes);
int rules_hold_lapse(struct rule *rule, struct state_pending *pending);
/* A capture as the redemption it is, with the sides, date and minutes that its own order leaves to
 * its hold. */
int rules_hold_captured(struct rule *rule, const Timebank__Order **order);
int rules_hold_taken_back(struct rule *rule, const struct rules_target *target, uint64_t minutes);
/* rules-return.c */
int rules_return(struct rule *rule);
int rules_return_retire(struct rule *rule);
/* rules-reverse.c: an entry that is taken back, in full or in part. */
struct rules_target {
    const Timebank__Order *order;
    uint64_t index; /* its number */
    uint64_t received_at_ms;
    uint64_t reversed; /* minutes taken back before */
};
int rules_reverse(struct rule *rule);
int rules_reverse_check_correction(struct rule *rule);
/* Takes minutes of an entry back in one record with the legs gathered so far: a dispute that falls.
 */
int rules_reverse_fall(struct rule *rule, uint64_t entry, uint64_t minutes,
                       struct rules_legs *legs);
/* rules-register.c */
int rules_register_open(struct rule *rule);
int rules_register_freeze(struct rule *rule);
int rules_register_thaw(struct rule *rule);
int rules_register_close(struct rule *rule);
int rules_register_policy(struct rule *rule);
int rules_register_activity(struct rule *rule);
int rules_register_funder(struct rule *rule);
/* rules-period.c: closed periods, programmes. check(): a date of service in a closed period; called
 * with the other dates. note_late(): what was just done counts in one, whatever let it pass. */
int rules_period_check(struct rule *rule);
int rules_period_note_late(struct rule *rule);
int rules_period_close(struct rule *rule);
int rules_period_programme(struct rule *rule);
int rules_period_check_programme(struct rule *rule);
/* rules-keys.c */
int rules_keys_grant(struct rule *rule);
int rules_keys_revoke(struct rule *rule);
/* rules-rotate.c: the ledger's own key. That of genesis opens the chain. */
int rules_rotate(struct rule *rule);
int rules_rotate_begin(struct state *state, uint64_t index, const char *origin,
                       const uint8_t key[NOTE_KEY_BYTES]);
/* rules-release.c: a report has left the bank. Is a class b as strict as a, or stricter? */
int rules_release(struct rule *rule);
bool rules_release_is_within(Timebank__ReportClass a, Timebank__ReportClass b);
/* Policies that the figures of earlier releases rest on stay as they are. */
int rules_release_check_policy(struct rule *rule, const char *name);
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
/* Who gets back what was not used: who paid, whoever goes on for them, or the chest. */
const char *rules_voucher_payer(struct state *state, const struct state_pending *pending);
int rules_voucher_refuse_standing(struct rule *rule, uint64_t serial,
                                  const struct state_voucher *voucher);
/* rules-voucher-redeem.c. A conflict of two takings is decided: the chest pays the order's minutes
 * to who took it second, or nothing. Who may decide, the caller has seen to. */
int rules_voucher_redeem(struct rule *rule);
int rules_voucher_decide(struct rule *rule, struct state_pending *pending);
/* A redemption taken back makes the voucher good again. */
int rules_voucher_take_back(struct rule *rule, const struct rules_target *target, uint64_t minutes,
                            struct rules_legs *legs);
int rules_voucher_taken_back(struct rule *rule, const struct rules_target *target,
                             uint64_t minutes);

/* rules-person.c: who of a household. What an order of a kind that USES_PERSONS names, and whether
 * somebody under 18 may enter it themselves; a kind with lists of members asks for each. An empty
 * name is the account's only person, "1" the first one. */
int rules_person_set(struct rule *rule);
int rules_person_check(struct rule *rule, const char *code, const char *person, const char *field);
int rules_person_check_sides(struct rule *rule);
/* May the author enter something in this person's name (the policy under-18)? */
int rules_person_check_author(struct rule *rule, const char *code, const char *person);
const struct state_person *rules_person_find(struct rule *rule, const char *code,
                                             const char *person);
int rules_person_erase(struct rule *rule, const char *code, const char *person);
/* rules-mandate.c: whom a key acts for. The author is no broker: 0 when `code` is its own account,
 * or one that its account holds a mandate for today, and the order claims that authority; else
 * refused. */
int rules_mandate_set(struct rule *rule);
int rules_mandate_check_author(struct rule *rule, const char *code, const char *field);
bool rules_mandate_is_guardian(struct rule *rule, const char *code);
/* Whoever reads: does the holder's account act for the other one today? */
bool rules_mandate_holds(struct state *state, const char *holder, const char *ward, uint32_t today);
/* rules-safeguard.c: entries of one account, or between two, that have to wait for the coordinator.
 * `second` may be empty. Refused for everybody, and told to nobody why. */
int rules_safeguard_set(struct rule *rule);
int rules_safeguard_check(struct rule *rule, const char *first, const char *second);
int rules_safeguard_check_sides(struct rule *rule);
int rules_safeguard_carry_over(struct rule *rule, const char *from, const char *to);
/* rules-leave.c: leaving, and where the credits go then: the code of the account that settle()
 * would name, as things stand. */
int rules_leave_choose(struct rule *rule);
int rules_leave(struct rule *rule);
const char *rules_leave_heir(struct state *state, const struct state_account *account);
int rules_leave_plan(struct rule *rule, const struct state_pending *pending,
                     Timebank__EventKind *ret_event, uint64_t *ret_minutes);
int rules_leave_due(struct rule *rule, struct state_pending *pending);
/* What waits for or of an account that is to end: refused STILL_WAITING for the first of it, but of
 * those kinds of pending (bits) that may wait on. Leaving and a pledge do not stand in the way:
 * rules_leave_end() ends them, but a pledge goes over to the account that goes on (NULL: none
 * does). */
int rules_leave_check_waits(struct rule *rule, const struct state_account *account, uint32_t but,
                            const char *field);
int rules_leave_end(struct rule *rule, const struct state_account *account, const char *goes_on);
/* rules-settle.c */
int rules_settle(struct rule *rule);
/* rules-merge.c. The account that goes on for one, itself where it was not merged. */
int rules_merge(struct rule *rule);
int rules_merge_undo(struct rule *rule);
const struct state_account *rules_merge_survivor(struct state *state,
                                                 const struct state_account *account);
/* rules-transfer.c. What was taken back of a transfer may be transferred anew in its year. */
int rules_transfer(struct rule *rule);
int rules_transfer_taken_back(struct rule *rule, const struct rules_target *target,
                              uint64_t minutes);
/* rules-erase.c */
int rules_erase(struct rule *rule);
