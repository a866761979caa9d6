/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ten thousand seeded random orders against the ledger and against a plain model: lists that are
 * searched from end to end, no layer, no table of kinds. Both must refuse the same orders for the
 * same reason, warn of the same things and hold the same balances after every batch.
 */
#include "books.h"

#include <stdio.h>
#include <string.h>

#include "helpers.h"

TestSuite(ledger_model, .timeout = 240);

#define N_ORDERS 10000 /* recorded; twice as many more are refused */
#define BATCH_MAX 6
#define N_MEMBERS 8
#define QUANTUM 15
#define CAP_DAY 240
#define CAP_MEMBER_DAY 120
#define PRICE 60

enum { CHEST = N_MEMBERS, ISSUED, FOOD_BANK, SWIM, N_ACCOUNTS, NOBODY = -1 };

static const char *const codes[N_ACCOUNTS] = {"m1", "m2", "m3",    "m4",     "m5",        "m6",
                                              "m7", "m8", "chest", "issued", "food-bank", "swim"};

/* ---- the model */

struct plain_account {
    int64_t balance;
    int64_t floor;
    int64_t ceiling;
    bool has_floor;
    bool has_ceiling;
    bool is_frozen;
    bool is_closed;
    int last; /* the entry that last moved it */
};

struct plain_entry {
    const Timebank__Order *order;
    uint64_t id[2];
    int kind;
    int64_t minutes;
    int64_t taken_back;
    int from;
    int to;
    uint64_t at_ms;
    bool is_by_venue;
};

static struct plain_account accounts[N_ACCOUNTS], accounts_before[N_ACCOUNTS];
static struct plain_entry entries[N_ORDERS + BATCH_MAX];
static int n_entries, n_entries_before;
static uint64_t n_counted, n_counted_before;
static struct {
    int entry;
    int64_t minutes;
} taken[BATCH_MAX]; /* back, in this batch */
static size_t n_taken;
static char author; /* s steward, b broker, m m1's, o food-bank's, v swim's */

/* What the model says of one order. */
struct verdict {
    int refusal;
    uint32_t warnings; /* bits by number */
    bool moves;
    int from;
    int to;
    int64_t from_after;
    int64_t to_after;
};

static bool is_member(int account) {
    return account >= 0 && account < N_MEMBERS;
}

static int find_account(const char *code) {
    for (int i = 0; i < N_ACCOUNTS; i++)
        if (strcmp(codes[i], code) == 0)
            return i;
    return NOBODY;
}

static int find_entry(const uint8_t *id) {
    uint64_t first = be64_get(id), second = be64_get(id + 8);
    for (int i = n_entries; i-- > 0;)
        if (entries[i].id[1] == second && entries[i].id[0] == first)
            return i;
    return -1;
}

static int kind_of(const Timebank__Order *order) {
    return (int)order->kind_case;
}

static bool gives_time(const Timebank__Order *order) {
    return kind_of(order) >= 32 && kind_of(order) <= 34;
}

static bool is_reversal(const Timebank__Order *order) {
    return kind_of(order) == 40;
}

static bool is_entry(const Timebank__Order *order) {
    return kind_of(order) < 64;
}

static bool is_history(const Timebank__Order *order) {
    return order->source == TIMEBANK__SOURCE__HISTORY;
}

static bool is_broker(void) {
    return author == 's' || author == 'b';
}

static bool is_same(const Timebank__Order *a, const Timebank__Order *b) {
    return kind_of(a) == kind_of(b) && a->minutes == b->minutes &&
           a->service_day == b->service_day && strcmp(a->from, b->from) == 0 &&
           strcmp(a->to, b->to) == 0 && strcmp(a->activity, b->activity) == 0;
}

static int judge_form(const Timebank__Order *order) {
    if (*order->activity && !gives_time(order))
        return REFUSAL_NOT_CANONICAL;
    if ((order->override & 11) && order->note.len == 0)
        return REFUSAL_NEEDS_WHY;
    return 0;
}

static int judge_who(const Timebank__Order *order) {
    static const char *const may[] = {"sbm", "sbo", "sb", "sbm", "sbm", "sb", "sb", "sbv", "sbv"};
    const char *who = is_entry(order) ? may[kind_of(order) - 32] : "sb";
    if (!strchr(who, author))
        return REFUSAL_NO_AUTHORITY;
    if (is_broker())
        return order->source == TIMEBANK__SOURCE__HISTORY && author != 's' ? REFUSAL_HISTORY_STEWARD
                                                                           : 0;
    if ((author == 'm' && strcmp(order->from, "m1") != 0) ||
        (author == 'o' && strcmp(order->from, "food-bank") != 0) ||
        (author == 'v' && !is_reversal(order) && strcmp(order->to, "swim") != 0))
        return REFUSAL_NO_AUTHORITY;
    if ((order->override & 11) || order->source != TIMEBANK__SOURCE__HAND)
        return REFUSAL_NO_AUTHORITY;
    return 0;
}

static int judge_dates(const Timebank__Order *order, struct verdict *verdict) {
    int64_t known = order->claimed_day ? order->claimed_day : today();
    if (order->claimed_day && !is_history(order))
        return REFUSAL_HISTORY_ONLY;
    if (order->claimed_day > today())
        return REFUSAL_FUTURE_DATE;
    if (!is_entry(order) || is_reversal(order))
        return 0;
    if (order->service_day > today() + 1)
        return REFUSAL_FUTURE_DATE;
    if (order->claimed_day && order->service_day > order->claimed_day)
        return REFUSAL_BAD_DATE;
    if (known - order->service_day > 30)
        verdict->warnings |= 1u << WARNING_OLD_SERVICE_DATE;
    return 0;
}

static int judge_side(const Timebank__Order *order, int account, bool fits) {
    if (account == NOBODY)
        return REFUSAL_NO_SUCH_ACCOUNT;
    if (!fits)
        return !is_entry(order) && (account == CHEST || account == ISSUED) ? REFUSAL_BANK_ACCOUNT
                                                                           : REFUSAL_WRONG_KIND;
    if (!is_entry(order) || is_history(order))
        return 0;
    if (accounts[account].is_closed)
        return REFUSAL_CLOSED;
    return accounts[account].is_frozen ? REFUSAL_FROZEN : 0;
}

static bool from_fits(int kind, int from) {
    switch (kind) {
    case 33:
        return from == FOOD_BANK;
    case 34:
        return is_member(from) || from == FOOD_BANK;
    case 37:
        return from == ISSUED || from == CHEST;
    case 38:
        return from == ISSUED;
    default:
        return is_member(from);
    }
}

static bool to_fits(int kind, int to) {
    switch (kind) {
    case 36:
        return to == CHEST;
    case 38:
        return to == FOOD_BANK;
    case 39:
        return to == SWIM;
    case 68:
        return is_member(to) || to == FOOD_BANK || to == SWIM || to == CHEST;
    case 65:
    case 66:
    case 67:
        return is_member(to) || to == FOOD_BANK || to == SWIM;
    default:
        return is_member(to);
    }
}

static int judge_sides(const Timebank__Order *order, int from, int to) {
    int kind = kind_of(order), refusal = 0;
    if (is_reversal(order))
        return 0;
    if (is_entry(order) && !(kind == 34 && !*order->from))
        refusal = judge_side(order, from, from_fits(kind, from));
    if (refusal == 0)
        refusal = judge_side(order, to, to_fits(kind, to));
    if (refusal == 0 && *order->from && from == to)
        return REFUSAL_SAME_ACCOUNT;
    return refusal;
}

static int judge_minutes(const Timebank__Order *order, struct verdict *verdict) {
    if (!is_entry(order) || is_reversal(order))
        return 0;
    if (order->minutes == 0)
        return REFUSAL_ZERO;
    if (order->minutes % QUANTUM == 0 || kind_of(order) == 39) /* which has a price */
        return 0;
    if (!is_history(order))
        return REFUSAL_NOT_IN_QUANTUM;
    verdict->warnings |= 1u << WARNING_NOT_IN_QUANTUM;
    return 0;
}

static int judge_names(const Timebank__Order *order) {
    int wrong;
    if (gives_time(order) && strcmp(order->activity, "gardening") != 0 &&
        strcmp(order->activity, "cooking") != 0)
        return REFUSAL_UNKNOWN_ACTIVITY;
    if (order->corrects.len == 0)
        return 0;
    wrong = find_entry(order->corrects.data);
    if (wrong < 0 || !is_entry(entries[wrong].order) || is_reversal(entries[wrong].order) ||
        entries[wrong].taken_back < entries[wrong].minutes)
        return REFUSAL_BAD_CORRECTION;
    return 0;
}

/* Hours of the day and likeness, over all that the giver ever gave. */
static int judge_giving(const Timebank__Order *order, int giver, struct verdict *verdict) {
    int64_t total = (int64_t)order->minutes;
    int n_seen = 0;
    bool looks_like = false;
    for (int i = n_entries; i-- > 0;) {
        const struct plain_entry *e = &entries[i];
        if (e->to != giver || e->kind < 32 || e->kind > 34)
            continue;
        if (e->order->service_day == order->service_day)
            total += e->minutes - e->taken_back;
        if (n_seen++ < 64 && is_same(e->order, order) && e->taken_back < e->minutes)
            looks_like = true;
    }
    if (total > 1440 && !is_history(order) && !(order->override & 2))
        return REFUSAL_TOO_LONG;
    if (total > 480)
        verdict->warnings |= 1u << (total > 1440 ? WARNING_VERY_LONG_DAY : WARNING_LONG_DAY);
    if (looks_like && order->source == TIMEBANK__SOURCE__HAND && !(order->override & 4))
        return REFUSAL_LOOKS_LIKE;
    if (looks_like)
        verdict->warnings |= 1u << WARNING_LOOKS_LIKE;
    return 0;
}

static int judge_redemption(const Timebank__Order *order, int member, struct verdict *verdict) {
    uint64_t heads = order->redeem->adults + order->redeem->under16;
    int64_t day = (int64_t)order->minutes, of_member = day;
    if (strcmp(order->redeem->offer, "swim") != 0)
        return REFUSAL_UNKNOWN_OFFER;
    if (heads == 0)
        return REFUSAL_NO_HEADS;
    if (order->minutes != heads * PRICE) {
        if (!is_history(order) && !(order->override & 8))
            return REFUSAL_NOT_THE_PRICE;
        if (order->minutes % QUANTUM != 0 && !is_history(order))
            return REFUSAL_NOT_IN_QUANTUM;
        if (order->minutes % QUANTUM != 0)
            verdict->warnings |= 1u << WARNING_NOT_IN_QUANTUM;
        verdict->warnings |= 1u << WARNING_NOT_THE_PRICE;
    }
    for (int i = 0; i < n_entries; i++)
        if (entries[i].is_by_venue && entries[i].kind == 39 &&
            entries[i].at_ms / 86400000 == today()) {
            day += entries[i].minutes - entries[i].taken_back;
            if (entries[i].from == member)
                of_member += entries[i].minutes - entries[i].taken_back;
        }
    return author == 'v' && (day > CAP_DAY || of_member > CAP_MEMBER_DAY) ? REFUSAL_CAP : 0;
}

static bool floor_of(int account, int64_t *ret) {
    *ret = accounts[account].has_floor ? accounts[account].floor : is_member(account) ? -1200 : 0;
    return account != ISSUED;
}

static int judge_limits(const Timebank__Order *order, int from, int to, int64_t minutes,
                        struct verdict *verdict) {
    bool only_warn =
        is_history(order) || (order->override & 1) || (is_reversal(order) && is_broker());
    int64_t floor, after = accounts[from].balance - minutes;
    if (floor_of(from, &floor) && after < floor) {
        if (kind_of(order) == 33)
            verdict->warnings |= 1u << WARNING_ALLOTMENT_SHORT;
        else if (!only_warn)
            return from == CHEST ? REFUSAL_CHEST_EMPTY : REFUSAL_BELOW_FLOOR;
        else
            verdict->warnings |=
                1u << (is_reversal(order) ? WARNING_REVERSAL_PAST_LIMIT : WARNING_BELOW_FLOOR);
    }
    if (accounts[to].has_ceiling && accounts[to].balance + minutes > accounts[to].ceiling) {
        if (!only_warn)
            return REFUSAL_ABOVE_CEILING;
        verdict->warnings |=
            1u << (is_reversal(order) ? WARNING_REVERSAL_PAST_LIMIT : WARNING_ABOVE_CEILING);
    }
    return 0;
}

static void move(int from, int to, int64_t minutes, struct verdict *verdict) {
    accounts[from].balance -= minutes;
    accounts[to].balance += minutes;
    accounts[from].last = accounts[to].last = n_entries;
    verdict->moves = true;
    verdict->from = from;
    verdict->to = to;
    verdict->from_after = accounts[from].balance;
    verdict->to_after = accounts[to].balance;
}

static int judge_undo(const Timebank__Order *order, const struct plain_entry *e) {
    if (is_broker())
        return 0;
    if (kind_of(e->order) != 39)
        return REFUSAL_NO_AUTHORITY;
    if (&entries[accounts[SWIM].last] != e || order->minutes != 0 ||
        books_now_ms > e->at_ms + 15 * 60000)
        return REFUSAL_TOO_LATE_TO_UNDO;
    return 0;
}

static int judge_reversal(const Timebank__Order *order, struct verdict *verdict) {
    int target = find_entry(order->reverse->target.data), refusal;
    struct plain_entry *e = &entries[target < 0 ? 0 : target];
    int64_t remains = e->minutes - e->taken_back, minutes = (int64_t)order->minutes;
    if (target < 0)
        return REFUSAL_NO_SUCH_ENTRY;
    if (!is_entry(e->order) || is_reversal(e->order))
        return REFUSAL_NOT_REVERSIBLE;
    refusal = judge_undo(order, e);
    if (refusal)
        return refusal;
    if (remains == 0)
        return REFUSAL_ALREADY_REVERSED;
    if (minutes > remains)
        return REFUSAL_MORE_THAN_REMAINS;
    if (minutes % QUANTUM != 0 && minutes != remains && !is_history(order))
        return REFUSAL_NOT_IN_QUANTUM;
    minutes = minutes ? minutes : remains;
    if (kind_of(e->order) != 34) {
        if (!is_history(order) && (accounts[e->from].is_closed || accounts[e->to].is_closed))
            return REFUSAL_CLOSED;
        if ((accounts[e->from].is_frozen || accounts[e->to].is_frozen) && !is_broker())
            return REFUSAL_FROZEN;
        refusal = judge_limits(order, e->to, e->from, minutes, verdict);
        if (refusal)
            return refusal;
        move(e->to, e->from, minutes, verdict);
    }
    e->taken_back += minutes;
    taken[n_taken].entry = target;
    taken[n_taken++].minutes = minutes;
    return 0;
}

static int judge_register(const Timebank__Order *order, struct plain_account *account) {
    switch (kind_of(order)) {
    case 65:
        if (account->is_closed)
            return REFUSAL_ALREADY_CLOSED;
        if (account->is_frozen)
            return REFUSAL_ALREADY_FROZEN;
        account->is_frozen = true;
        return 0;
    case 66:
        if (!account->is_frozen)
            return REFUSAL_NOT_FROZEN;
        account->is_frozen = false;
        return 0;
    case 67:
        if (account->is_closed)
            return REFUSAL_ALREADY_CLOSED;
        if (account->balance != 0)
            return REFUSAL_NOT_EMPTY;
        account->is_closed = true;
        account->is_frozen = false;
        return 0;
    default:
        if (order->set_limit->has_floor_case && order->set_limit->floor > 0)
            return REFUSAL_BAD_LIMIT;
        account->has_floor = order->set_limit->has_floor_case != 0;
        account->floor = order->set_limit->floor;
        account->has_ceiling = order->set_limit->has_ceiling_case != 0;
        account->ceiling = order->set_limit->ceiling;
        return 0;
    }
}

static int judge_own_rule(const Timebank__Order *order, int from, int to, struct verdict *verdict) {
    int64_t minutes = (int64_t)order->minutes;
    int refusal = 0;
    if (is_reversal(order))
        return judge_reversal(order, verdict);
    if (!is_entry(order))
        return judge_register(order, &accounts[to]);
    if (gives_time(order))
        refusal = judge_giving(order, to, verdict);
    if (kind_of(order) == 38 && strcmp(order->issue->funder, "council") != 0)
        return REFUSAL_UNKNOWN_FUNDER;
    if (kind_of(order) == 39)
        refusal = judge_redemption(order, from, verdict);
    if (refusal == 0 && kind_of(order) != 34)
        refusal = judge_limits(order, from, to, minutes, verdict);
    if (refusal == 0 && kind_of(order) != 34)
        move(from, to, minutes, verdict);
    return refusal;
}

static void keep_entry(const Timebank__Order *order, int from, int to) {
    entries[n_entries++] =
        (struct plain_entry){.order = order,
                             .id = {be64_get(order->id.data), be64_get(order->id.data + 8)},
                             .kind = kind_of(order),
                             .minutes = (int64_t)order->minutes,
                             .from = from,
                             .to = to,
                             .at_ms = books_now_ms,
                             .is_by_venue = author == 'v'};
    n_counted += is_entry(order);
}

static struct verdict judge(const Timebank__Order *order) {
    struct verdict verdict = {0};
    int from = find_account(order->from), to = find_account(order->to);
    int known = find_entry(order->id.data);
    if (known >= 0) {
        verdict.refusal =
            is_same(order, entries[known].order) ? REFUSAL_ALREADY : REFUSAL_ID_DIFFERS;
        return verdict;
    }
    verdict.refusal = judge_form(order);
    if (verdict.refusal == 0)
        verdict.refusal = judge_who(order);
    if (verdict.refusal == 0)
        verdict.refusal = judge_dates(order, &verdict);
    if (verdict.refusal == 0)
        verdict.refusal = judge_sides(order, from, to);
    if (verdict.refusal == 0)
        verdict.refusal = judge_minutes(order, &verdict);
    if (verdict.refusal == 0)
        verdict.refusal = judge_names(order);
    if (verdict.refusal == 0)
        verdict.refusal = judge_own_rule(order, from, to, &verdict);
    if (verdict.refusal == 0)
        keep_entry(order, from, to);
    return verdict;
}

static void remember(void) {
    memcpy(accounts_before, accounts, sizeof(accounts));
    n_taken = 0;
    n_entries_before = n_entries;
    n_counted_before = n_counted;
}

static void undo(void) {
    memcpy(accounts, accounts_before, sizeof(accounts));
    for (size_t i = 0; i < n_taken; i++)
        entries[taken[i].entry].taken_back -= taken[i].minutes;
    n_entries = n_entries_before;
    n_counted = n_counted_before;
}

/* ---- random orders */

static uint64_t seed;

static uint64_t below(uint64_t n) {
    return random_next(&seed) % n;
}

static bool one_in(uint64_t n) {
    return below(n) == 0;
}

static const char *any_member(void) {
    return one_in(150) ? "m99" : codes[below(N_MEMBERS)];
}

static const char *any_account(void) {
    return codes[below(N_ACCOUNTS)];
}

static uint64_t any_minutes(void) {
    if (one_in(60))
        return 0;
    if (one_in(40))
        return 1 + below(100);
    return QUANTUM * (1 + below(one_in(10) ? 100 : 12));
}

/* Arguments are drawn one by one: compilers differ in the order in which they evaluate a list. */
static Timebank__Order *any_giving(void) {
    const char *giver = any_member(), *receiver = author == 'm' ? "m1" : any_member();
    const char *other = any_account();
    uint64_t minutes = any_minutes(), what = below(4);
    Timebank__Order *order = what == 0   ? earn(one_in(40) ? other : "food-bank", giver, minutes)
                             : what == 1 ? log_hours(giver, minutes)
                                         : exchange(receiver, giver, minutes);
    if (what == 1 && one_in(3))
        order->from = (char *)other;
    if (one_in(3))
        order->activity = "cooking";
    if (one_in(100))
        order->activity = "juggling";
    return order;
}

static Timebank__Order *any_redemption(const char *member, uint32_t heads) {
    uint64_t minutes = one_in(15) ? any_minutes() : heads * PRICE;
    Timebank__Order *order = redeem(member, "swim", heads, minutes);
    if (one_in(40))
        order->redeem->offer = "sauna";
    return order;
}

static Timebank__Order *any_credit(void) {
    const char *member = author == 'm' ? "m1" : any_member(), *other = any_member();
    uint64_t minutes = any_minutes();
    Timebank__Order *order;
    switch (below(6)) {
    case 0:
        return gift(member, one_in(30) ? any_account() : other, minutes);
    case 1:
        return donate(member, minutes);
    case 2:
        return grant(one_in(2) ? "chest" : "issued", other, minutes);
    case 3:
        order = issue("food-bank", minutes);
        if (one_in(20))
            order->issue->funder = "lottery";
        return order;
    default:
        return any_redemption(other, (uint32_t)below(5));
    }
}

static const Timebank__Order *any_earlier(void) {
    int back = (int)below(one_in(2) ? 5 : 400);
    return n_entries > back ? entries[n_entries - 1 - back].order : NULL;
}

static Timebank__Order *any_reversal(void) {
    const Timebank__Order *target = any_earlier();
    uint8_t nobody[16] = {7};
    if (!target || one_in(50))
        return reverse_id(nobody, sizeof(nobody), 0);
    return reverse(target, one_in(3) ? any_minutes() : 0);
}

static int n_closed(void) {
    int n = 0;
    for (int i = 0; i < N_ACCOUNTS; i++)
        n += accounts[i].is_closed;
    return n;
}

static const char *frozen_or(const char *code) {
    for (int i = 0; i < N_ACCOUNTS; i++)
        if (accounts[i].is_frozen)
            return codes[i];
    return code;
}

static Timebank__Order *any_register(void) {
    const char *code =
        one_in(30) ? any_account() : codes[one_in(8) ? FOOD_BANK + below(2) : below(N_MEMBERS)];
    int64_t floor = one_in(10) ? 60 : -15 * (int64_t)below(120);
    int64_t ceiling = 15 * (int64_t)below(200);
    switch (below(10)) {
    case 0:
        return freeze(code);
    case 1:
        return one_in(3) && n_closed() < 3 ? close_account(code) : thaw(code);
    case 2:
    case 3:
    case 4:
    case 5:
        return thaw(frozen_or(code));
    case 6:
        return set_limit(code, &floor, NULL);
    case 7:
        return set_limit(code, NULL, &ceiling);
    case 8:
        return set_limit(code, &floor, &ceiling);
    default:
        return set_limit(code, NULL, NULL);
    }
}

static Timebank__Order *any_repeat(void) {
    const Timebank__Order *first = any_earlier();
    Timebank__Order *order;
    if (!first)
        return any_giving();
    order = repeat(first);
    if (one_in(3))
        order->minutes += QUANTUM;
    return order;
}

/* A quarter of the entries gets something that is out of the ordinary. */
static void spoil(Timebank__Order *order) {
    const Timebank__Order *earlier = any_earlier();
    if (!is_entry(order) || !one_in(4))
        return;
    switch (below(9)) {
    case 0:
        with_why(order, (uint32_t)below(16));
        break;
    case 1:
        order->override = 1u << below(4);
        break;
    case 2:
        order->source = (Timebank__Source)below(4);
        break;
    case 3:
        if (order->service_day)
            order->service_day = today() + 1 + (uint32_t)below(2);
        break;
    case 4:
        if (order->service_day)
            order->service_day = today() - (uint32_t)below(60);
        break;
    case 5:
        order->claimed_day = today() - (uint32_t)below(30) + (uint32_t)one_in(5) * 40;
        order->source = one_in(5) ? TIMEBANK__SOURCE__HAND : TIMEBANK__SOURCE__HISTORY;
        break;
    case 6:
        if (order->service_day && earlier)
            correcting(order, earlier);
        break;
    case 7:
        if (one_in(6))
            order->activity = "gardening";
        break;
    default:
        order->source = TIMEBANK__SOURCE__SHEET;
    }
}

static const Timebank__Order *any_order(void) {
    uint64_t what = below(100);
    Timebank__Order *order;
    if (what < 3)
        return any_repeat();
    if (author == 'v')
        order = what < 20 ? any_reversal() : redeem(any_member(), "swim", 2, 2 * PRICE);
    else if (author == 'o')
        order = earn("food-bank", codes[below(N_MEMBERS)], QUANTUM * 4);
    else if (what < 9)
        order = any_register();
    else if (what < 20)
        order = any_reversal();
    else
        order = what < 65 ? any_giving() : any_credit();
    spoil(order);
    return order;
}

static void any_author(void) {
    static const struct {
        char letter;
        const char *key;
    } all[] = {
        {'s', "steward"}, {'b', "broker"}, {'m', "m1-key"}, {'o', "food-key"}, {'v', "swim-key"}};
    size_t i = one_in(3) ? below(5) : below(2);
    author = all[i].letter;
    as(all[i].key);
}

/* ---- the two side by side */

static uint64_t n_seen[140];
static size_t n_accepted;

static void compare_order(size_t place, const struct verdict *wanted, bool is_recorded) {
    const struct books_note *refusal = refusal_at((uint32_t)place);
    uint32_t warnings = 0;
    int got = refusal ? refusal->number : 0;
    cr_assert(got == wanted->refusal, "place %zu: the model says %s, the ledger %s: %s", place,
              wanted->refusal ? refusal_name(wanted->refusal) : "done",
              got ? refusal_name(got) : "done", got ? refusal->message : "");
    n_seen[got]++;
    if (!is_recorded)
        return;
    for (size_t i = 0; i < books_n_notes; i++)
        if (books_notes[i].place == place && books_notes[i].is_warning)
            warnings |= 1u << books_notes[i].number;
    cr_assert(warnings == wanted->warnings, "place %zu: warnings %x, the model's %x", place,
              warnings, wanted->warnings);
    bool moves = books_effects[place].n_legs > 0 && books_effects[place].legs[0].moved;
    cr_assert_eq(moves, wanted->moves);
    if (wanted->moves) {
        cr_assert_eq(books_effects[place].n_legs, 2);
        cr_assert_eq(leg_of(place, codes[wanted->from])->after, wanted->from_after);
        cr_assert_eq(leg_of(place, codes[wanted->to])->after, wanted->to_after);
    }
}

static void compare_accounts(void) {
    for (int i = 0; i < N_ACCOUNTS; i++) {
        const struct state_account *account = account_of(codes[i]);
        cr_assert_eq(account->balance, accounts[i].balance, "%s", codes[i]);
        cr_assert_eq(account->standing, accounts[i].is_closed   ? STANDING_CLOSED
                                        : accounts[i].is_frozen ? STANDING_FROZEN
                                                                : STANDING_OPEN);
    }
    cr_assert_eq(books_state->sums.n_entries, n_counted);
}

static void run_batch(void) {
    struct verdict verdicts[BATCH_MAX];
    size_t n = 1 + below(one_in(4) ? BATCH_MAX : 2), n_refusals = 0;
    any_author();
    remember();
    for (size_t i = 0; i < n; i++) {
        verdicts[i] = judge(any_order());
        n_refusals += verdicts[i].refusal != 0;
    }
    size_t got = submit();
    for (size_t i = 0; i < n; i++)
        compare_order(i, &verdicts[i], n_refusals == 0);
    cr_assert_eq(got, n_refusals);
    if (n_refusals)
        undo();
    else
        n_accepted += n;
    compare_accounts();
    wait_minutes((int64_t)below(20));
    if (one_in(6))
        wait_days(1);
    if (one_in(50))
        books_write_behind();
}

static void start(void) {
    books_open_with((const char *const[]){"venue-cap-day=240", "venue-cap-member-day=120", NULL});
    for (int i = 4; i < N_MEMBERS; i++)
        on_day(open_account(codes[i], TIMEBANK__ACCOUNT_KIND__MEMBER), on("2020-01-01"));
    close_account("m8");
    accounts[7].is_closed = true;
    done();
}

/* What the run must have met to mean anything. */
static const int met[] = {REFUSAL_NO_AUTHORITY,
                          REFUSAL_NOT_CANONICAL,
                          REFUSAL_ALREADY,
                          REFUSAL_ID_DIFFERS,
                          REFUSAL_NO_SUCH_ACCOUNT,
                          REFUSAL_FROZEN,
                          REFUSAL_CLOSED,
                          REFUSAL_WRONG_KIND,
                          REFUSAL_SAME_ACCOUNT,
                          REFUSAL_ZERO,
                          REFUSAL_TOO_LONG,
                          REFUSAL_NOT_IN_QUANTUM,
                          REFUSAL_FUTURE_DATE,
                          REFUSAL_BAD_DATE,
                          REFUSAL_BELOW_FLOOR,
                          REFUSAL_ABOVE_CEILING,
                          REFUSAL_LOOKS_LIKE,
                          REFUSAL_UNKNOWN_ACTIVITY,
                          REFUSAL_UNKNOWN_OFFER,
                          REFUSAL_UNKNOWN_FUNDER,
                          REFUSAL_NOT_THE_PRICE,
                          REFUSAL_NO_HEADS,
                          REFUSAL_ALREADY_REVERSED,
                          REFUSAL_MORE_THAN_REMAINS,
                          REFUSAL_NO_SUCH_ENTRY,
                          REFUSAL_NOT_REVERSIBLE,
                          REFUSAL_NOT_EMPTY,
                          REFUSAL_NOT_FROZEN,
                          REFUSAL_BANK_ACCOUNT,
                          REFUSAL_BAD_LIMIT,
                          REFUSAL_HISTORY_ONLY,
                          REFUSAL_HISTORY_STEWARD,
                          REFUSAL_CAP,
                          REFUSAL_TOO_LATE_TO_UNDO,
                          REFUSAL_CHEST_EMPTY,
                          REFUSAL_ALREADY_FROZEN,
                          REFUSAL_ALREADY_CLOSED,
                          REFUSAL_BAD_CORRECTION,
                          REFUSAL_NEEDS_WHY};

static void run(uint64_t first_seed) {
    seed = first_seed;
    start();
    while (n_accepted < N_ORDERS)
        run_batch();
    books_close();
}

/* LEDGER_SEED=n runs another one. */
Test(ledger_model, agrees_on_ten_thousand_orders_and_their_replay) {
    const char *text = getenv("LEDGER_SEED");
    run(text ? strtoull(text, NULL, 10) : 20250305);
    for (size_t i = 0; i < N_ELEMENTS(met) && !text; i++)
        cr_assert(n_seen[met[i]] > 0, "the run never met %s", refusal_name(met[i]));
}
