/* SPDX-License-Identifier: Apache-2.0 */
/* See rulebook-model.h. Written from the rules of the manual, not from the daemon's. */
#include "rulebook-model.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/refusal.h"

#define MS_A_DAY 86400000ull
#define NEVER_LESS INT64_MAX
#define BY_GUARDIAN TIMEBANK__AUTHORITY__BY_GUARDIAN

const struct model_author model_authors[MODEL_AUTHORS] = {
    {"steward", 's', ""},     {"broker", 'b', ""},
    {"broker-2", 'b', ""},    {"broker-m3", 'b', "m3"},
    {"m1-key", 'm', "m1"},    {"m2-key", 'm', "m2"},
    {"m4-key", 'm', "m4"},    {"food-key", 'o', "food-bank"},
    {"swim-key", 'v', "swim"}};

struct model model;
static struct model before;

/* The kinds by the numbers of the protocol, as short as people say them. */
#define K(NAME) TIMEBANK__ORDER__KIND_##NAME
#define A(NAME) TIMEBANK__ACCOUNT_KIND__##NAME

/* One order being judged, or a proposal that takes effect. */
struct judged {
    struct model_verdict *verdict;
    const Timebank__Order *order;
    int kind, from, to;
    int64_t minutes;
    int author; /* NOBODY: it fell due */
    int entry;  /* that it is about: its own, or the proposal's */
    int by;     /* the entry that gives it effect, NOBODY of an event */
    uint64_t record;
    uint64_t now_ms;
    uint32_t today;
    bool is_settling, is_trial, is_reversal, has_why;
    uint32_t override;
};

struct legs {
    struct {
        int account;
        int64_t minutes, held;
    } items[2 * MODEL_LINES + 6];
    int n;
};

#define no(judged, NAME) say_no(judged, REFUSAL_##NAME)

static void say_no(struct judged *j, int refusal) {
    j->verdict->no[refusal] = j->verdict->is_refused = true;
}

static void no_if(struct judged *j, bool is_so, int refusal) {
    if (is_so)
        say_no(j, refusal);
}

static bool is_refused(const struct judged *j) {
    return j->verdict->is_refused;
}

/* ---- looking things up */

int model_account(const char *code) {
    for (int i = 0; *code && i < model.n_accounts; i++)
        if (strcmp(model.accounts[i].code, code) == 0)
            return i;
    return NOBODY;
}

static uint64_t eight(const uint8_t *b) {
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | b[i];
    return number;
}

int model_entry(const void *id, size_t n) {
    for (int i = model.n_entries; n == 16 && i-- > 0;)
        if (model.entries[i].id[0] == eight(id) &&
            model.entries[i].id[1] == eight((const uint8_t *)id + 8))
            return i;
    return NOBODY;
}

static const char *policy(const char *name) {
    for (int i = 0; i < MODEL_POLICIES; i++)
        if (strcmp(model.policies[i][0], name) == 0)
            return model.policies[i][1];
    abort();
}

static bool policy_is(const char *name, const char *value) {
    return strcmp(policy(name), value) == 0;
}

/* none and off: no limit. */
static int64_t number(const char *name) {
    char *end;
    long long value = strtoll(policy(name), &end, 10);
    return *end ? NEVER_LESS : value;
}

void model_policy(const char *name, const char *value) {
    for (int i = 0; i < MODEL_POLICIES; i++)
        if (!*model.policies[i][0] || strcmp(model.policies[i][0], name) == 0) {
            snprintf(model.policies[i][0], 24, "%s", name);
            snprintf(model.policies[i][1], 24, "%s", value);
            return;
        }
    abort();
}

static struct model_account *at(int account) {
    return &model.accounts[account];
}

static int bank(int kind) {
    for (int i = 0; i < model.n_accounts; i++)
        if (model.accounts[i].kind == kind)
            return i;
    abort();
}

static const char *own_code(const struct judged *j) {
    return j->author == NOBODY ? "" : model_authors[j->author].account;
}

static bool is_broker(const struct judged *j) {
    return j->author != NOBODY && strchr("sb", model_authors[j->author].role);
}

static bool is_role(const struct judged *j, char role) {
    return j->author != NOBODY && model_authors[j->author].role == role;
}

static bool is_own(const struct judged *j, int account) {
    return account != NOBODY && *own_code(j) && strcmp(at(account)->code, own_code(j)) == 0;
}

static bool overrides(const struct judged *j, uint32_t what) {
    return j->override & what;
}

/* ---- days */

static struct tm civil(uint32_t day) {
    time_t time = (time_t)day * 86400;
    struct tm tm;
    gmtime_r(&time, &tm);
    return tm;
}

/* Of a day 1, week 2, month 3, year 4. */
static uint32_t first_day(int span, uint32_t day) {
    struct tm tm = civil(day);
    return span == 1   ? day
           : span == 2 ? day - (uint32_t)((tm.tm_wday + 6) % 7)
           : span == 3 ? day - (uint32_t)(tm.tm_mday - 1)
                       : day - (uint32_t)tm.tm_yday;
}

static uint64_t end_of(uint32_t day) {
    return (day + 1ull) * MS_A_DAY;
}

static uint64_t due_in(const struct judged *j, const char *days) {
    return end_of(j->today + (uint32_t)number(days));
}

/* ---- accounts: limits, movements */

static bool floor_of(const struct model_account *a, int64_t *ret) {
    static const char *const names[] = {[A(MEMBER)] = "floor-member",
                                        [A(ORGANISATION)] = "floor-organisation",
                                        [A(VENUE)] = "floor-venue",
                                        [A(CHEST)] = "floor-chest"};
    if (a->has_floor) {
        *ret = a->floor;
        return true;
    }
    if (a->kind > A(CHEST))
        return false;
    *ret = number(names[a->kind]);
    return *ret != NEVER_LESS;
}

static bool ceiling_of(const struct model_account *a, int64_t *ret) {
    if (a->has_ceiling) {
        *ret = a->ceiling;
        return true;
    }
    *ret = a->kind == A(MEMBER) ? number("ceiling-member") : NEVER_LESS;
    return *ret != NEVER_LESS;
}

static void add(struct legs *legs, int account, int64_t minutes, int64_t held) {
    int i = 0;
    while (i < legs->n && legs->items[i].account != account)
        i++;
    if (i == legs->n) {
        legs->items[legs->n].minutes = legs->items[legs->n].held = 0;
        legs->items[legs->n++].account = account;
    }
    legs->items[i].minutes += minutes;
    legs->items[i].held += held;
}

static void check_legs(struct judged *j, const struct legs *legs) {
    bool only_warns = overrides(j, 1) || (j->is_reversal && is_broker(j));
    for (int i = 0; i < legs->n && !only_warns; i++) {
        const struct model_account *a = at(legs->items[i].account);
        int64_t by = legs->items[i].minutes, limit;
        bool is_allotment = a->kind == A(ORGANISATION) && !j->is_reversal &&
                            (j->kind == K(EARN) || j->kind == K(SESSION));
        if (by > 0 && ceiling_of(a, &limit) && a->balance + by > limit)
            no(j, ABOVE_CEILING);
        if (by < 0 && floor_of(a, &limit) && a->balance + by < limit &&
            !(is_allotment && !policy_is("short-allotment", "refuse")))
            say_no(j, a->kind == A(CHEST) ? REFUSAL_CHEST_EMPTY : REFUSAL_BELOW_FLOOR);
    }
}

static void post(const struct judged *j, const struct legs *legs) {
    for (int i = 0; i < legs->n; i++) {
        struct model_account *a = at(legs->items[i].account);
        a->balance += legs->items[i].minutes;
        a->held += legs->items[i].held;
        a->last = j->by;
        if (a->kind == A(MEMBER) && legs->items[i].minutes > 0 && legs->items[i].held == 0)
            model.gains[model.n_gains++] = (struct model_credit){
                j->by, legs->items[i].account, j->today, legs->items[i].minutes, true};
    }
}

static struct legs two(int from, int to, int64_t minutes) {
    struct legs legs = {0};
    add(&legs, from, -minutes, 0);
    add(&legs, to, minutes, 0);
    return legs;
}

static bool is_done(const struct judged *j) {
    return is_refused(j) || j->is_trial;
}

/* Checks and posts: true when it stands. */
static bool moves(struct judged *j, const struct legs *legs) {
    check_legs(j, legs);
    if (is_done(j))
        return false;
    post(j, legs);
    return true;
}

/* ---- what somebody may spend */

static const struct {
    const char *policy;
    int refusal;
} spending[16] = {
    [1] = {"spend-day", REFUSAL_DAILY_AMOUNT},       [2] = {"spend-week", REFUSAL_WEEKLY_AMOUNT},
    [3] = {"spend-month", REFUSAL_MONTHLY_AMOUNT},   [4] = {"spend-year", REFUSAL_YEARLY_AMOUNT},
    [9] = {"entries-day", REFUSAL_DAILY_COUNT},      [10] = {"entries-week", REFUSAL_WEEKLY_COUNT},
    [11] = {"entries-month", REFUSAL_MONTHLY_COUNT}, [12] = {"entries-year", REFUSAL_YEARLY_COUNT}};

static void check_spending(struct judged *j, int account, int64_t minutes) {
    if (at(account)->kind != A(MEMBER) || overrides(j, 1))
        return;
    for (int span = 1; span < 16; span++) {
        int64_t sum = span < 8 ? minutes : 1, most;
        if (!spending[span].policy)
            continue;
        for (int i = 0; i < model.n_spends; i++)
            if (model.spends[i].account == account &&
                first_day(span % 8, model.spends[i].day) == first_day(span % 8, j->today))
                sum += span < 8 ? model.spends[i].minutes : model.spends[i].counts;
        most =
            at(account)->span[span] >= 0 ? at(account)->span[span] : number(spending[span].policy);
        no_if(j, sum > most, spending[span].refusal);
    }
}

static void spend(const struct judged *j, int account, int64_t minutes) {
    if (at(account)->kind == A(MEMBER))
        model.spends[model.n_spends++] =
            (struct model_credit){j->entry, account, j->today, minutes, true};
}

static void unspend(int entry, int account, int64_t minutes, bool is_all) {
    for (int i = 0; i < model.n_spends; i++)
        if (model.spends[i].entry == entry && model.spends[i].account == account) {
            model.spends[i].minutes -= minutes;
            model.spends[i].counts &= !is_all;
        }
}

/* ---- what waits */

static int wait_for(struct judged *j, enum model_what what, int64_t minutes, int from, int to,
                    uint64_t due_ms) {
    model.waits[model.n_waits] = (struct model_wait){.what = what,
                                                     .record = j->record,
                                                     .entry = j->entry,
                                                     .from = from,
                                                     .to = to,
                                                     .author = j->author,
                                                     .minutes = minutes,
                                                     .due_ms = due_ms};
    return model.n_waits++;
}

static void end_wait(const struct judged *j, struct model_wait *wait, bool has_lapsed) {
    wait->is_over = true;
    wait->has_lapsed = has_lapsed;
    wait->ended_day = j->today;
}

static bool is_open(int wait, enum model_what what) {
    return wait != NOBODY && model.waits[wait].what == what && !model.waits[wait].is_over;
}

static bool is_disputed(const struct model_entry *e) {
    return e->dispute != NOBODY && !model.waits[e->dispute].is_over;
}

/* ---- advances */

static void end_pledges(const struct judged *j, int account) {
    for (int i = 0; i < model.n_waits; i++)
        if (is_open(i, PLEDGE) && model.waits[i].to == account)
            end_wait(j, &model.waits[i], false);
}

/* What of it repays, by the policy. */
static int64_t add_earned(struct legs *legs, int account, int64_t minutes) {
    int64_t share = policy_is("advance-repay", "all")    ? minutes
                    : policy_is("advance-repay", "half") ? minutes / 2
                                                         : 0;
    int64_t repaid = share < at(account)->owed ? share : at(account)->owed;
    add(legs, account, minutes - repaid, 0);
    if (repaid)
        add(legs, bank(A(ADVANCES)), repaid, 0);
    return repaid;
}

static void repay(const struct judged *j, int account, int line, int64_t repaid) {
    model.entries[j->entry].repaid[line] = repaid;
    at(account)->owed -= repaid;
    if (repaid && at(account)->owed == 0)
        end_pledges(j, account);
}

/* Kept minutes go first; then what was repaid is owed again. */
static int64_t owed_again(const struct model_entry *e, int line, int64_t left) {
    return e->repaid[line] > left ? e->repaid[line] - left : 0;
}

static void add_unearned(struct legs *legs, const struct model_entry *e, int account, int line,
                         int64_t minutes, int64_t left) {
    int64_t again = owed_again(e, line, left);
    add(legs, account, again - minutes, 0);
    if (again)
        add(legs, bank(A(ADVANCES)), -again, 0);
}

static void owe_again(struct model_entry *e, int account, int line, int64_t left) {
    int64_t again = owed_again(e, line, left);
    e->repaid[line] -= again;
    at(account)->owed += again;
}

static void advance(struct judged *j) {
    uint32_t due_day = j->kind == K(PLEDGE) ? j->order->pledge->due_day : 0;
    struct legs legs = two(j->from, j->to, j->minutes);
    no_if(j, at(j->to)->owed + j->minutes > number("advance-max"), REFUSAL_ADVANCE_CAP);
    if (due_day && !j->is_settling)
        no_if(j, due_day < j->today || due_day < j->order->service_day, REFUSAL_BAD_DATE);
    if (!moves(j, &legs))
        return;
    at(j->to)->owed += j->minutes;
    if (due_day)
        model.entries[j->entry].hold =
            wait_for(j, PLEDGE, j->minutes, j->from, j->to, end_of(due_day));
}

static void fall_due_pledge(const struct judged *j, struct model_wait *wait) {
    int64_t left = at(wait->to)->owed;
    for (int i = 0; i < model.n_waits; i++)
        if (is_open(i, PLEDGE) && &model.waits[i] != wait && model.waits[i].to == wait->to &&
            model.waits[i].due_ms)
            left -= model.waits[i].minutes;
    if (left <= 0) {
        end_wait(j, wait, false);
        return;
    }
    wait->minutes = left < wait->minutes ? left : wait->minutes;
    wait->due_ms = 0;
}

/* ---- time given */

static int64_t given(const struct model_entry *e, int account) {
    int64_t minutes = 0;
    if (e->kind == K(EXCHANGE) || e->kind == K(EARN) || e->kind == K(LOG))
        return e->to == account ? e->minutes - e->back : 0;
    if (e->kind != K(SESSION) || e->back)
        return 0;
    for (size_t i = 0; i < e->order->session->n_givers; i++)
        if (model_account(e->order->session->givers[i]) == account)
            minutes = (int64_t)e->order->session->giver_minutes[i];
    return minutes;
}

static bool gave(const struct model_entry *e, int account) {
    if (e->kind != K(SESSION))
        return e->to == account && (e->kind >= K(EXCHANGE) && e->kind <= K(LOG));
    for (size_t i = 0; i < e->order->session->n_givers; i++)
        if (model_account(e->order->session->givers[i]) == account)
            return true;
    return false;
}

static int64_t minutes_of(const struct model_entry *e, int account) {
    for (size_t i = 0; e->kind == K(SESSION) && i < e->order->session->n_givers; i++)
        if (model_account(e->order->session->givers[i]) == account)
            return (int64_t)e->order->session->giver_minutes[i];
    return e->minutes;
}

static bool looks_like(const struct model_entry *e, const struct judged *j, int account,
                       int64_t minutes) {
    return e->kind == j->kind && minutes_of(e, account) == minutes &&
           e->order->service_day == j->order->service_day &&
           strcmp(e->order->from, j->order->from) == 0 &&
           strcmp(e->order->activity, j->order->activity) == 0 &&
           strcmp(e->order->from_person, j->order->from_person) == 0 &&
           strcmp(e->order->to_person, j->order->to_person) == 0;
}

/* A session's lines are remembered once it stands, what is proposed of other kinds at once. */
static bool is_remembered(const struct model_entry *e) {
    return e->kind != K(SESSION) || e->standing == STANDS;
}

static void check_giving(struct judged *j, int account, int64_t minutes) {
    int64_t total = minutes;
    int n_seen = 0;
    for (int i = model.n_entries; i-- > 0;) {
        const struct model_entry *e = &model.entries[i];
        if (i == j->entry || !gave(e, account) || !is_remembered(e))
            continue;
        if (e->standing == STANDS && e->service_day == j->order->service_day)
            total += given(e, account);
        if (n_seen++ < 64 && looks_like(e, j, account, minutes) && e->back < minutes &&
            e->standing != FALLEN && !j->is_settling && !overrides(j, 4))
            no(j, LOOKS_LIKE);
    }
    no_if(j, total > number("day-refuse") && !overrides(j, 2), REFUSAL_TOO_LONG);
}

static void give(struct judged *j) {
    struct legs legs = {0};
    int64_t repaid;
    check_giving(j, j->to, j->minutes);
    if (j->kind == K(LOG))
        return;
    add(&legs, j->from, -j->minutes, 0);
    repaid = add_earned(&legs, j->to, j->minutes);
    if (moves(j, &legs))
        repay(j, j->to, 0, repaid);
}

/* ---- sides */

static bool is_one_of(int kind, const char *kinds) {
    static const char letters[] = {[A(MEMBER)] = 'm',  [A(ORGANISATION)] = 'o', [A(VENUE)] = 'v',
                                   [A(CHEST)] = 'c',   [A(ISSUED)] = 'i',       [A(RETIRED)] = 'r',
                                   [A(EXPIRED)] = 'e', [A(ADVANCES)] = 'a',     [A(VOUCHERS)] = 'u',
                                   [A(TRANSIT)] = 't', [A(WRITE_OFFS)] = 'w',   [A(BANK)] = 'b'};
    return strchr(kinds, letters[kind]);
}

static void check_standing(struct judged *j, const struct model_account *a) {
    if (a->merged_into != NOBODY)
        no(j, MERGED);
    else
        no_if(j, a->is_closed, REFUSAL_CLOSED);
    no_if(j, a->is_frozen, REFUSAL_FROZEN);
}

/* Who may enter a kind, what stands on its sides; what it does to be asked for. */
struct plain_kind {
    int number;
    const char *may, *from, *to;
    const char *traits; /* e entry · d has a date · q in quanta · z zero means all · s spends · p
                         * may be proposed · n names persons · f of the author's own `from`, t `to`
                         * · c claimable · a activity · u undisturbed by standing · o from optional
                         * · m has minutes */
};
static const struct plain_kind kinds[] = {
    {K(EXCHANGE), "sbm", "m", "m", "edmqspnfca"},
    {K(EARN), "sbom", "o", "m", "edmqpnfca"},
    {K(LOG), "sb", "mo", "m", "edmqnao"},
    {K(GIFT), "sbm", "m", "m", "edmqspnf"},
    {K(DONATE), "sbm", "m", "c", "edmqspnf"},
    {K(GRANT), "sb", "ic", "m", "edmqpn"},
    {K(ISSUE), "sb", "i", "o", "edmqp"},
    {K(REDEEM), "sbv", "m", "v", "edmsnt"},
    {K(REVERSE), "sbv", "", "", "emz"},
    {K(SESSION), "sbo", "o", "", "edmqpfao"},
    {K(CONFIRM), "sbmo", "", "", ""},
    {K(DECLINE), "sbmo", "", "", ""},
    {K(WITHDRAW), "sbmo", "", "", ""},
    {K(DISPUTE), "sbmo", "", "", ""},
    {K(DECIDE), "sb", "", "", "mz"},
    {K(APPROVE), "sb", "", "", ""},
    {K(HOLD), "sbvm", "m", "v", "msnh"},
    {K(CAPTURE), "sbv", "", "", "emz"},
    {K(RELEASE), "sbvm", "", "", ""},
    {K(MINT_VOUCHERS), "sb", "moci", "u", "edmqsp"},
    {K(REDEEM_VOUCHER), "sbv", "u", "vm", "edmt"},
    {K(VOID_VOUCHERS), "sb", "u", "moci", "edm"},
    {K(REISSUE_VOUCHER), "sb", "", "", ""},
    {K(ADVANCE), "sb", "a", "m", "edmqpn"},
    {K(PLEDGE), "sb", "a", "m", "edmqpn"},
    {K(EXPIRE), "sb", "m", "e", "edm"},
    {K(SETTLE), "sbm", "mov", "mcierw", "edfu"},
    {K(MERGE), "sb", "mov", "mov", "u"},
    {K(UNMERGE), "sb", "", "", ""},
    {K(TRANSFER), "sb", "mb", "mb", "edmqn"},
    {K(VENUE_RETURN), "sbv", "v", "", "fu"},
    {K(RETIRE), "sb", "v", "r", "edm"},
    {K(OPEN_ACCOUNT), "sb", "", "", ""},
    {K(FREEZE), "sb", "", "movb", "u"},
    {K(THAW), "sb", "", "movb", "u"},
    {K(CLOSE), "sb", "", "movb", "u"},
    {K(SET_LIMIT), "sb", "", "movbc", "u"},
    {K(SET_POLICY), "s", "", "", ""},
    {K(SET_OFFER), "sb", "", "v", "u"},
    {K(SET_PERSON), "sb", "", "m", "u"},
    {K(SET_MANDATE), "sb", "", "m", "u"},
    {K(SET_TRUST), "sbmo", "", "mo", "tu"},
    {K(SAFEGUARD), "sb", "", "mov", "u"},
    {K(CLOSE_PERIOD), "sb", "", "", ""},
    {K(SET_PROGRAMME), "sb", "", "", ""},
    {K(SET_VOUCHER_KEY), "s", "", "", ""},
    {K(SET_CHOICE), "sbm", "", "m", "tu"},
    {K(LEAVE), "sbm", "", "m", "tu"},
    {K(ERASE), "s", "", "mov", "u"},
};

static const struct plain_kind *kind_of(int number) {
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (kinds[i].number == number)
            return &kinds[i];
    abort();
}

static bool has(int number, char trait) {
    return strchr(kind_of(number)->traits, trait);
}

static void check_side(struct judged *j, int account, const char *side_kinds) {
    if (account == NOBODY) {
        no(j, NO_SUCH_ACCOUNT);
        return;
    }
    if (!is_one_of(at(account)->kind, side_kinds)) {
        say_no(j, !has(j->kind, 'e') && at(account)->kind >= A(CHEST) ? REFUSAL_BANK_ACCOUNT
                                                                      : REFUSAL_WRONG_KIND);
        return;
    }
    no_if(j, at(account)->is_erased, REFUSAL_ERASED);
    if (!has(j->kind, 'u'))
        check_standing(j, at(account));
}

static void check_sides(struct judged *j) {
    const struct plain_kind *kind = kind_of(j->kind);
    if (*kind->from && (*j->order->from || !has(j->kind, 'o')))
        check_side(j, j->from, kind->from);
    if (*kind->to)
        check_side(j, j->to, kind->to);
    no_if(j, *j->order->from && strcmp(j->order->from, j->order->to) == 0, REFUSAL_SAME_ACCOUNT);
}

static void check_apart(struct judged *j, int a, int b) {
    if ((a != NOBODY && model.apart[a][a]) || (b != NOBODY && model.apart[b][b]) ||
        (a != NOBODY && b != NOBODY && model.apart[a][b]))
        no(j, SEE_COORDINATOR);
}

/* Where somebody acts, spends, or is handed what a voucher is worth. */
static void check_kept_apart(struct judged *j) {
    if (has(j->kind, 'n') || has(j->kind, 's') || j->kind == K(REDEEM_VOUCHER))
        check_apart(j, j->from, j->to);
}

/* ---- persons, and who acts for whom */

static void check_person(struct judged *j, int account, const char *person) {
    const struct model_account *a;
    if (account == NOBODY)
        return;
    a = at(account);
    if (!*person)
        no_if(j, a->is_there[0] && a->is_there[1], REFUSAL_NAME_THE_PERSON);
    else
        no_if(j,
              a->kind != A(MEMBER) || (strcmp(person, "1") && strcmp(person, "2")) ||
                  !a->is_there[*person - '1'],
              REFUSAL_UNKNOWN_PERSON);
}

static const struct model_mandate *find_mandate(const struct judged *j, int ward) {
    for (int i = model.n_mandates; i-- > 0;)
        if (is_own(j, model.mandates[i].holder) && model.mandates[i].ward == ward)
            return &model.mandates[i];
    return NULL;
}

static bool is_in_force(const struct judged *j, const struct model_mandate *m) {
    return !at(m->holder)->is_frozen && !at(m->holder)->is_closed && j->today >= m->from_day &&
           (m->to_day == 0 || j->today <= m->to_day);
}

static bool claims_guardian(const struct judged *j) {
    return j->verdict && j->order->authority == BY_GUARDIAN;
}

/* `said` is the order that says on whose authority it is. */
static bool acts_for(const struct judged *j, int account) {
    const struct model_mandate *mandate;
    if (!claims_guardian(j))
        return is_own(j, account);
    mandate = is_role(j, 'm') && account != NOBODY ? find_mandate(j, account) : NULL;
    return mandate && is_in_force(j, mandate);
}

static void check_acting(struct judged *j, int account) {
    const struct model_mandate *mandate = NULL;
    if (is_own(j, account)) {
        no_if(j, claims_guardian(j), REFUSAL_WRONG_AUTHORITY);
        return;
    }
    if (is_role(j, 'm') && j->kind < 64 && account != NOBODY)
        mandate = find_mandate(j, account);
    if (!mandate) {
        no(j, NO_AUTHORITY);
        return;
    }
    no_if(j, !is_in_force(j, mandate), REFUSAL_MANDATE_OVER);
    no_if(j, !claims_guardian(j), REFUSAL_WRONG_AUTHORITY);
    no_if(j, j->from == account && is_own(j, j->to), REFUSAL_OWN_HOURS);
}

static void check_minor(struct judged *j, int account, const char *person) {
    const struct model_account *a = account == NOBODY ? NULL : at(account);
    const struct model_mandate *mandate;
    int which = a && (*person == '2' || (!*person && !a->is_there[0] && a->is_there[1]));
    if (is_broker(j) || !a || a->kind != A(MEMBER) || !a->is_there[which] || !a->is_minor[which] ||
        policy_is("under-18", "allow"))
        return;
    mandate = find_mandate(j, account);
    if (policy_is("under-18", "refuse") || !mandate ||
        mandate->kind != TIMEBANK__MANDATE_KIND__GUARDIAN || !is_in_force(j, mandate))
        no(j, NEEDS_GUARDIAN);
}

static void check_persons(struct judged *j) {
    check_kept_apart(j);
    if (!has(j->kind, 'n'))
        return;
    check_person(j, j->from, j->order->from_person);
    check_person(j, j->to, j->order->to_person);
    if (!is_role(j, 'm'))
        return;
    if (acts_for(j, j->from))
        check_minor(j, j->from, j->order->from_person);
    else
        check_minor(j, j->to, j->order->to_person);
}

static void check_who(struct judged *j) {
    bool is_claim = has(j->kind, 'c') && !acts_for(j, j->from) && policy_is("claims", "on");
    if (!strchr(kind_of(j->kind)->may, model_authors[j->author].role)) {
        no(j, NO_AUTHORITY);
        return;
    }
    if (is_broker(j)) {
        no_if(j, has(j->kind, 'e') && is_own(j, j->to) && !j->order->proposal, REFUSAL_OWN_HOURS);
        return;
    }
    no_if(j, (j->override & ~4u) != 0, REFUSAL_NO_AUTHORITY);
    if (is_claim || has(j->kind, 't') || (has(j->kind, 'h') && is_role(j, 'v')))
        check_acting(j, j->to);
    else if (has(j->kind, 'f') || has(j->kind, 'h'))
        check_acting(j, j->from);
}

static void check_common(struct judged *j) {
    uint32_t day = j->order->service_day;
    int64_t step = number("quantum");
    no_if(j, (j->override & ~4u) && !j->has_why, REFUSAL_NEEDS_WHY);
    check_who(j);
    if (has(j->kind, 'd')) {
        no_if(j, day > j->today + 1, REFUSAL_FUTURE_DATE);
        no_if(j, day <= model.closed_to_day && !overrides(j, 16), REFUSAL_PERIOD_CLOSED);
    }
    check_sides(j);
    check_persons(j);
    if (has(j->kind, 'm') && !has(j->kind, 'z'))
        no_if(j, j->minutes == 0, REFUSAL_ZERO);
    if (has(j->kind, 'q'))
        no_if(j, j->minutes % step != 0, REFUSAL_NOT_IN_QUANTUM);
    if (has(j->kind, 'a'))
        no_if(j, strcmp(j->order->activity, "gardening") && strcmp(j->order->activity, "cooking"),
              REFUSAL_UNKNOWN_ACTIVITY);
}

/* ---- sessions */

static int64_t sum_of(const uint64_t *minutes, size_t n) {
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (int64_t)minutes[i];
    return sum;
}

/* Largest remainders; of equal ones, the earlier line. */
static void share_out(int64_t whole, const uint64_t *weights, size_t n, int64_t *ret) {
    int64_t sum = sum_of(weights, n), left = whole;
    bool is_up[MODEL_LINES] = {false};
    for (size_t i = 0; i < n; i++)
        left -= ret[i] = whole * (int64_t)weights[i] / sum;
    for (; left > 0; left--) {
        size_t best = n;
        for (size_t i = 0; i < n; i++)
            if (!is_up[i] && (best == n || whole * (int64_t)weights[i] % sum >
                                               whole * (int64_t)weights[best] % sum))
                best = i;
        is_up[best] = true;
        ret[best]++;
    }
}

static void check_line(struct judged *j, const char *code, int64_t minutes, bool gives_time) {
    int account = model_account(code);
    no_if(j, minutes == 0, REFUSAL_ZERO);
    no_if(j, minutes % number("quantum") != 0, REFUSAL_NOT_IN_QUANTUM);
    check_side(j, account, "m");
    check_person(j, account, "");
    no_if(j, gives_time && is_broker(j) && is_own(j, account), REFUSAL_OWN_HOURS);
}

static void check_lines(struct judged *j) {
    const Timebank__Session *s = j->order->session;
    const char *codes[2 * MODEL_LINES];
    size_t n = 0;
    for (size_t i = 0; i < s->n_givers; i++) {
        check_line(j, s->givers[i], (int64_t)s->giver_minutes[i], true);
        codes[n++] = s->givers[i];
    }
    for (size_t i = 0; i < s->n_receivers; i++) {
        check_line(j, s->receivers[i], (int64_t)s->receiver_minutes[i], false);
        codes[n++] = s->receivers[i];
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k <= i; k++) {
            no_if(j, k < i && strcmp(codes[i], codes[k]) == 0, REFUSAL_SESSION_LINES);
            check_apart(j, model_account(codes[i]), k < i ? model_account(codes[k]) : j->from);
        }
    no_if(j, n == 0 || s->n_givers == 0, REFUSAL_SESSION_LINES);
    no_if(j, j->minutes != sum_of(s->giver_minutes, s->n_givers), REFUSAL_SESSION_LINES);
    no_if(j, j->from != NOBODY && (s->n_receivers || s->rest), REFUSAL_SESSION_LINES);
}

/* What receivers and the chest pay. */
static void share_session(struct judged *j, struct model_entry *e) {
    const Timebank__Session *s = j->order->session;
    int64_t paid = sum_of(s->receiver_minutes, s->n_receivers);
    e->chest = j->from == NOBODY ? paid - j->minutes : 0;
    for (size_t i = 0; i < s->n_receivers; i++)
        e->part[i] = (int64_t)s->receiver_minutes[i];
    if (j->from != NOBODY)
        return;
    if (s->rest == TIMEBANK__SESSION_REST__REST_SHARED) {
        e->chest = 0;
        no_if(j, paid == 0, REFUSAL_SESSION_SHORT);
        if (paid)
            share_out(j->minutes, s->receiver_minutes, s->n_receivers, e->part);
    }
    no_if(j, s->rest == TIMEBANK__SESSION_REST__REST_TO_CHEST && e->chest < 0,
          REFUSAL_SESSION_SHORT);
    no_if(j, s->rest == TIMEBANK__SESSION_REST__REST_BY_CHEST && e->chest > 0,
          REFUSAL_SESSION_LINES);
}

static void add_payers(struct legs *legs, const Timebank__Order *order, int from,
                       const struct model_entry *e, int sign) {
    const Timebank__Session *s = order->session;
    for (size_t i = 0; i < s->n_receivers; i++)
        add(legs, model_account(s->receivers[i]), -sign * e->part[i], 0);
    if (from != NOBODY)
        add(legs, from, -sign * (int64_t)order->minutes, 0);
    if (e->chest)
        add(legs, bank(A(CHEST)), sign * e->chest, 0);
}

static void session(struct judged *j) {
    const Timebank__Session *s = j->order->session;
    struct model_entry shares = {0};
    int64_t repaid[MODEL_LINES];
    struct legs legs = {0};
    check_lines(j);
    if (is_refused(j))
        return;
    share_session(j, &shares);
    add_payers(&legs, j->order, j->from, &shares, 1);
    for (size_t i = 0; i < s->n_givers; i++) {
        int giver = model_account(s->givers[i]);
        check_giving(j, giver, (int64_t)s->giver_minutes[i]);
        repaid[i] = add_earned(&legs, giver, (int64_t)s->giver_minutes[i]);
    }
    for (size_t i = 0; i < s->n_receivers; i++)
        check_spending(j, model_account(s->receivers[i]), shares.part[i]);
    if (!moves(j, &legs))
        return;
    memcpy(model.entries[j->entry].part, shares.part, sizeof(shares.part));
    model.entries[j->entry].chest = shares.chest;
    for (size_t i = 0; i < s->n_givers; i++)
        repay(j, model_account(s->givers[i]), (int)i, repaid[i]);
    for (size_t i = 0; i < s->n_receivers; i++)
        spend(j, model_account(s->receivers[i]), shares.part[i]);
}

/* ---- venues */

static const Timebank__SetOffer *find_offer(int venue, const char *name) {
    for (int i = 0; i < model.n_offers; i++)
        if (model.offers[i].venue == venue && strcmp(model.offers[i].set->name, name) == 0)
            return model.offers[i].set;
    return NULL;
}

/* What an entry took of an offer: heads that came or are expected, minutes taken and held. */
struct visit {
    int venue, member;
    const char *offer;
    int64_t heads, taken, held;
    uint32_t day;
};

static bool find_visit(const struct model_entry *e, struct visit *ret) {
    *ret = (struct visit){.venue = e->to, .member = e->from, .day = e->service_day};
    if (e->kind == K(REDEEM)) {
        ret->offer = e->order->redeem->offer;
        ret->heads = e->order->redeem->adults + e->order->redeem->under16;
        ret->taken = e->minutes - e->back;
    } else if (e->kind == K(HOLD)) {
        ret->offer = e->order->hold->offer;
        ret->heads = e->order->hold->adults + e->order->hold->under16;
        ret->taken = e->taken;
        ret->held = e->left;
    } else if (e->kind == K(REDEEM_VOUCHER) && at(e->to)->kind == A(VENUE)) {
        ret->member = NOBODY;
        ret->offer = e->order->redeem_voucher->offer;
        ret->heads = e->order->redeem_voucher->adults + e->order->redeem_voucher->under16;
        ret->taken = e->is_conflict ? e->taken : e->minutes - e->back;
    } else {
        return false;
    }
    return ret->taken + ret->held > 0;
}

void model_taken(int venue, const char *offer, uint32_t day, int64_t *ret_heads,
                 int64_t *ret_minutes) {
    *ret_heads = *ret_minutes = 0;
    for (int i = 0; i < model.n_entries; i++) {
        struct visit visit;
        if (!find_visit(&model.entries[i], &visit) || visit.venue != venue || !visit.taken ||
            strcmp(visit.offer, offer) != 0 || first_day(3, visit.day) != first_day(3, day))
            continue;
        *ret_heads += visit.heads;
        *ret_minutes += visit.taken;
    }
}

static void check_used(struct judged *j, const Timebank__SetOffer *offer, uint32_t heads,
                       int member) {
    int64_t day_heads = heads, times = 1, minutes = j->minutes;
    for (int i = 0; i < model.n_entries; i++) {
        struct visit visit;
        if (!find_visit(&model.entries[i], &visit) || visit.venue != j->to ||
            strcmp(visit.offer, offer->name) != 0)
            continue;
        if (visit.day == j->order->service_day)
            day_heads += visit.heads;
        if (first_day(3, visit.day) != first_day(3, j->order->service_day))
            continue;
        minutes += visit.taken + visit.held;
        times += member != NOBODY && visit.member == member;
    }
    no_if(j, offer->heads_a_day && day_heads > offer->heads_a_day, REFUSAL_OFFER_FULL);
    no_if(j, offer->times_a_month && member != NOBODY && times > offer->times_a_month,
          REFUSAL_PER_PERSON_USED_UP);
    no_if(j, offer->minutes_a_month && minutes > (int64_t)offer->minutes_a_month,
          REFUSAL_OFFER_BUDGET);
}

static bool is_on_now(const struct judged *j, const Timebank__SetOffer *offer) {
    uint32_t minute = (uint32_t)(j->now_ms % MS_A_DAY / 60000), to = offer->to_minute;
    if ((!offer->from_minute && !to) || j->kind == K(HOLD) || j->order->service_day != j->today)
        return true;
    if (to == 0)
        to = 1440;
    return offer->from_minute < to ? minute >= offer->from_minute && minute < to
                                   : minute >= offer->from_minute || minute < to;
}

static void check_offer(struct judged *j, const char *name, uint32_t adults, uint32_t under16,
                        int member, bool only_warns) {
    const Timebank__SetOffer *offer = find_offer(j->to, name);
    uint32_t day = j->order->service_day;
    if (!offer) {
        no(j, UNKNOWN_OFFER);
        return;
    }
    if (only_warns || overrides(j, 32))
        return;
    no_if(j, offer->withdrawn, REFUSAL_OFFER_WITHDRAWN);
    no_if(j, day < offer->from_day || (offer->to_day && day > offer->to_day),
          REFUSAL_OFFER_NOT_TODAY);
    no_if(j, offer->weekdays && !(offer->weekdays >> ((civil(day).tm_wday + 6) % 7) & 1),
          REFUSAL_OFFER_NOT_TODAY);
    no_if(j, !is_on_now(j, offer), REFUSAL_OFFER_NOT_NOW);
    no_if(j,
          (offer->ages == TIMEBANK__OFFER_AGES__ADULTS_ONLY && under16) ||
              (offer->ages == TIMEBANK__OFFER_AGES__UNDER16_ONLY && adults) ||
              (offer->ages == TIMEBANK__OFFER_AGES__WITH_AN_ADULT && under16 && !adults),
          REFUSAL_OFFER_NOT_AT_THIS_AGE);
    no_if(j, offer->party_max && adults + under16 > offer->party_max, REFUSAL_PARTY_TOO_LARGE);
    check_used(j, offer, adults + under16, member);
}

static void check_price(struct judged *j, const char *name, uint32_t heads) {
    const Timebank__SetOffer *offer = find_offer(j->to, name);
    no_if(j, heads == 0, REFUSAL_NO_HEADS);
    if (!offer || j->minutes == (int64_t)(heads * offer->price_minutes))
        return;
    if (overrides(j, 8))
        no_if(j, j->minutes % number("quantum") != 0, REFUSAL_NOT_IN_QUANTUM);
    else
        no(j, NOT_THE_PRICE);
}

/* What a venue's own key accepts in a day. */
static void check_caps(struct judged *j, int member) {
    int64_t all = j->minutes, of_member = j->minutes;
    for (int i = 0; i < model.n_entries; i++) {
        const struct model_entry *e = &model.entries[i];
        struct visit visit;
        if (e->order->authority != TIMEBANK__AUTHORITY__BY_VENUE || e->is_conflict ||
            e->at_ms / MS_A_DAY != j->today || !find_visit(e, &visit) || visit.venue != j->to)
            continue;
        all += visit.taken + visit.held;
        if (visit.member == member)
            of_member += visit.taken + visit.held;
    }
    if (is_broker(j))
        return;
    no_if(j, all > number("venue-cap-day"), REFUSAL_CAP);
    no_if(j, member != NOBODY && of_member > number("venue-cap-member-day"), REFUSAL_CAP);
}

static bool goes_by_day(int venue, const char *name) {
    const Timebank__SetOffer *offer = find_offer(venue, name);
    return offer &&
           (offer->weekdays || offer->from_minute || offer->to_minute || offer->from_day ||
            offer->to_day || offer->heads_a_day || offer->times_a_month || offer->minutes_a_month);
}

static void redeem_at(struct judged *j) {
    const Timebank__Redeem *r = j->order->redeem;
    struct legs legs = two(j->from, j->to, j->minutes);
    uint32_t day = j->order->service_day;
    no_if(j,
          is_role(j, 'v') && (day > j->today || day + 1 < j->today) && goes_by_day(j->to, r->offer),
          REFUSAL_BAD_DATE);
    check_price(j, r->offer, r->adults + r->under16);
    check_offer(j, r->offer, r->adults, r->under16, j->from, j->order->corrects.len > 0);
    if (is_role(j, 'v'))
        check_caps(j, j->from);
    moves(j, &legs);
}

static void hold(struct judged *j) {
    const Timebank__Hold *h = j->order->hold;
    struct legs legs = {0};
    uint32_t day = j->order->service_day;
    no_if(j,
          day == 0 || day < j->today || h->until_ms > due_in(j, "hold-days") ||
              h->until_ms <= j->now_ms || h->until_ms <= day * MS_A_DAY,
          REFUSAL_BAD_DATE);
    check_price(j, h->offer, h->adults + h->under16);
    check_offer(j, h->offer, h->adults, h->under16, j->from, false);
    if (is_role(j, 'v'))
        check_caps(j, j->from);
    add(&legs, j->from, -j->minutes, j->minutes);
    add(&legs, bank(A(TRANSIT)), j->minutes, 0);
    if (!moves(j, &legs))
        return;
    model.entries[j->entry].left = j->minutes;
    model.entries[j->entry].wait = wait_for(j, HOLD, j->minutes, j->from, j->to, h->until_ms);
}

static void add_back(struct legs *legs, int account, int64_t minutes) {
    add(legs, account, minutes, -minutes);
    add(legs, bank(A(TRANSIT)), -minutes, 0);
}

static void give_hold_back(const struct judged *j, struct model_entry *e, bool has_lapsed) {
    struct legs legs = {0};
    add_back(&legs, e->from, e->left);
    post(j, &legs);
    unspend((int)(e - model.entries), e->from, e->left, e->taken == 0);
    e->left = 0;
    end_wait(j, &model.waits[e->wait], has_lapsed);
}

/* The hold that an order names, or NULL. */
static struct model_entry *find_hold(struct judged *j, const ProtobufCBinaryData *target) {
    int entry = model_entry(target->data, target->len);
    struct model_entry *e = entry == NOBODY ? NULL : &model.entries[entry];
    no_if(j, !e, REFUSAL_NO_SUCH_ENTRY);
    if (!e)
        return NULL;
    if (e->kind != K(HOLD)) {
        no(j, NOT_WAITING);
        return NULL;
    }
    if (!is_broker(j))
        check_acting(j, is_role(j, 'v') ? e->to : e->from);
    if (model.waits[e->wait].is_over)
        say_no(j, model.waits[e->wait].has_lapsed ? REFUSAL_HOLD_LAPSED : REFUSAL_HOLD_ENDED);
    return e;
}

static void release(struct judged *j) {
    struct model_entry *e = find_hold(j, &j->order->release->target);
    if (!is_done(j))
        give_hold_back(j, e, false);
}

static void check_still_open(struct judged *j, int account) {
    if (at(account)->merged_into != NOBODY && j->is_reversal)
        no(j, MERGED);
    else
        no_if(j, at(account)->is_closed, REFUSAL_CLOSED);
    no_if(j, at(account)->is_frozen && !is_broker(j), REFUSAL_FROZEN);
}

static void capture(struct judged *j) {
    struct model_entry *e = find_hold(j, &j->order->capture->target);
    struct legs legs = {0};
    int64_t minutes, rest;
    if (!e || is_refused(j))
        return;
    minutes = j->minutes ? j->minutes : e->left;
    rest = j->order->capture->release_rest ? e->left - minutes : 0;
    no_if(j, e->service_day > j->today + 1, REFUSAL_FUTURE_DATE);
    no_if(j, minutes > e->left, REFUSAL_MORE_THAN_REMAINS);
    check_apart(j, e->from, e->to);
    check_still_open(j, e->to);
    check_still_open(j, e->from);
    add(&legs, e->to, minutes, 0);
    check_legs(j, &legs);
    if (is_done(j))
        return;
    add(&legs, e->from, 0, -minutes);
    add(&legs, bank(A(TRANSIT)), -minutes, 0);
    if (rest > 0)
        add_back(&legs, e->from, rest);
    post(j, &legs);
    e->taken += minutes;
    e->left -= minutes + rest;
    if (rest > 0)
        unspend((int)(e - model.entries), e->from, rest, false);
    if (e->left == 0)
        end_wait(j, &model.waits[e->wait], false);
    struct model_entry *own = &model.entries[j->entry];
    own->minutes = minutes;
    own->from = e->from;
    own->to = e->to;
    own->service_day = e->service_day;
    own->hold = (int)(e - model.entries);
}

static void venue_return(struct judged *j) {
    const Timebank__VenueReturn *r = j->order->venue_return;
    uint32_t from = r->from_day, to = r->to_day;
    bool differs = false;
    if (!from || to < from || first_day(3, from) != from || first_day(3, to + 1) != to + 1) {
        no(j, BAD_DATE);
        return;
    }
    no_if(j, to > j->today, REFUSAL_FUTURE_DATE);
    for (int k = -1; k < model.n_offers; k++) {
        const char *name = k < 0 ? "" : model.offers[k].set->name;
        int64_t heads = 0, minutes = 0, of_month[2];
        if (k >= 0 && model.offers[k].venue != j->from)
            continue;
        for (uint32_t day = from; day <= to; day = first_day(3, day + 31)) {
            model_taken(j->from, name, day, &of_month[0], &of_month[1]);
            heads += of_month[0];
            minutes += of_month[1];
        }
        for (size_t i = 0; i < r->n_offers; i++)
            if (strcmp(r->offers[i], name) == 0) {
                heads -= (int64_t)r->heads[i];
                minutes -= (int64_t)r->minutes[i];
            }
        differs = differs || heads || minutes;
    }
    no_if(j, differs && !overrides(j, 32), REFUSAL_RETURN_DIFFERS);
}

static void set_offer(struct judged *j) {
    const Timebank__SetOffer *set = j->order->set_offer;
    int i = 0;
    no_if(j, set->price_minutes == 0, REFUSAL_ZERO);
    no_if(j, (int64_t)set->price_minutes % number("quantum") != 0 && !set->withdrawn,
          REFUSAL_NOT_IN_QUANTUM);
    no_if(j, set->to_day && set->from_day > set->to_day, REFUSAL_BAD_DATE);
    if (is_refused(j))
        return;
    while (i < model.n_offers &&
           (model.offers[i].venue != j->to || strcmp(model.offers[i].set->name, set->name) != 0))
        i++;
    model.offers[i] = (struct model_offer){j->to, set};
    if (i == model.n_offers)
        model.n_offers++;
}

/* ---- vouchers */

int model_payer(int wait) {
    int account = model.waits[wait].from;
    while (at(account)->merged_into != NOBODY)
        account = at(account)->merged_into;
    return at(account)->is_closed ? bank(A(CHEST)) : account;
}

static void take_out(const struct judged *j, int wait, int64_t minutes) {
    model.waits[wait].minutes -= minutes;
    if (model.waits[wait].minutes == 0)
        end_wait(j, &model.waits[wait], false);
}

static void mint(struct judged *j) {
    const Timebank__MintVouchers *m = j->order->mint_vouchers;
    int venue = model_account(m->venue);
    struct legs legs = two(j->from, j->to, j->minutes);
    no_if(j, !model.has_voucher_key, REFUSAL_NO_VOUCHER_KEY);
    no_if(j, m->count == 0 || m->count > 1000, REFUSAL_BAD_NUMBER);
    no_if(j, m->each_minutes == 0, REFUSAL_ZERO);
    no_if(j, (int64_t)m->each_minutes % number("quantum") != 0, REFUSAL_NOT_IN_QUANTUM);
    no_if(j,
          m->expires_day < j->today || m->from_day > m->expires_day ||
              m->expires_day > j->today + (uint32_t)number("voucher-days"),
          REFUSAL_BAD_DATE);
    no_if(j, *m->venue && (venue == NOBODY || at(venue)->kind != A(VENUE)),
          REFUSAL_NO_SUCH_ACCOUNT);
    no_if(j, venue != NOBODY && at(venue)->is_closed, REFUSAL_CLOSED);
    no_if(j, m->first_serial != (uint64_t)model.n_vouchers + 1, REFUSAL_VOUCHER_SERIAL);
    if (!moves(j, &legs))
        return;
    int wait = wait_for(j, VOUCHERS, j->minutes, j->from, j->to,
                        end_of(m->expires_day + (uint32_t)number("voucher-grace-days")));
    for (uint32_t i = 0; i < m->count; i++)
        model.vouchers[model.n_vouchers++] = (struct model_voucher){
            'o', wait, NOBODY, (int64_t)m->each_minutes, m->from_day, m->expires_day, venue};
}

static int say_standing(struct judged *j, const struct model_voucher *v) {
    if (v->standing != 'o')
        say_no(j, v->standing == 'u'   ? REFUSAL_VOUCHER_USED
                  : v->standing == 'v' ? REFUSAL_VOUCHER_VOID
                                       : REFUSAL_VOUCHER_EXPIRED);
    return v->standing;
}

static struct model_voucher *find_voucher(uint64_t serial) {
    return serial >= 1 && serial <= (uint64_t)model.n_vouchers ? &model.vouchers[serial - 1] : NULL;
}

/* "timebank-voucher/1", a line's end and the claims are what is signed. */
static bool is_genuine(const Timebank__RedeemVoucher *r) {
    uint8_t message[19 + 22];
    memcpy(message, "timebank-voucher/1\n", 19);
    memcpy(message + 19, r->claims.data, 22);
    return model.has_voucher_key &&
           crypto_sign_verify_detached(r->signature.data, message, sizeof(message),
                                       model.voucher_key) == 0;
}

/* Two that were taken offline: the first received stands. */
static bool is_conflict(const struct judged *j, const struct model_voucher *v) {
    const struct model_entry *used;
    if (!j->order->redeem_voucher->offline || (v->standing != 'u' && v->standing != 'v'))
        return false;
    for (int i = 0; i < model.n_entries; i++) /* one place is heard once */
        if (model.entries[i].is_conflict && model.entries[i].to == j->to &&
            memcmp(model.entries[i].order->redeem_voucher->claims.data,
                   j->order->redeem_voucher->claims.data, 22) == 0)
            return false;
    used = &model.entries[v->used];
    return v->standing == 'u' ? used->to != j->to : j->order->service_day <= used->at_ms / MS_A_DAY;
}

static void check_voucher(struct judged *j, struct model_voucher *v, bool is_twice) {
    const Timebank__RedeemVoucher *r = j->order->redeem_voucher;
    uint32_t day = r->offline ? j->order->service_day : j->today;
    bool at_venue = at(j->to)->kind == A(VENUE);
    no_if(j, !at_venue && (r->offline || *r->offer || r->adults || r->under16), REFUSAL_WRONG_KIND);
    if (at_venue && *r->offer)
        check_offer(j, r->offer, r->adults, r->under16, NOBODY, r->offline);
    no_if(j, v->venue != NOBODY && v->venue != j->to, REFUSAL_VOUCHER_OTHER_PLACE);
    if (!is_twice)
        say_standing(j, v);
    no_if(j, day > v->expires_day || j->now_ms >= model.waits[v->wait].due_ms,
          REFUSAL_VOUCHER_EXPIRED);
    no_if(j, day < v->from_day, REFUSAL_VOUCHER_NOT_YET);
    if (!is_twice && is_role(j, 'v'))
        check_caps(j, NOBODY);
}

static void redeem_voucher(struct judged *j) {
    const Timebank__RedeemVoucher *r = j->order->redeem_voucher;
    struct legs legs = two(j->from, j->to, j->minutes);
    struct model_voucher *v;
    bool is_twice;
    if (!is_genuine(r)) {
        no(j, VOUCHER_NOT_GENUINE);
        return;
    }
    v = find_voucher(eight(r->claims.data) << 8 >> 16);
    if (!v) {
        no(j, VOUCHER_UNKNOWN);
        return;
    }
    is_twice = is_conflict(j, v);
    check_voucher(j, v, is_twice);
    if (is_twice && !is_done(j)) {
        model.entries[j->entry].is_conflict = true;
        model.entries[j->entry].wait = wait_for(j, CONFLICT, j->minutes, j->from, j->to, 0);
    } else if (!is_twice && moves(j, &legs)) {
        v->standing = 'u';
        v->used = j->entry;
        take_out(j, v->wait, j->minutes);
    }
}

/* Of a range that can be made void: what they hold together. */
static int64_t check_range(struct judged *j, uint64_t first, uint32_t count) {
    int64_t minutes = 0;
    no_if(j, count == 0 || count > 1000, REFUSAL_BAD_NUMBER);
    for (uint64_t serial = first; serial < first + count; serial++) {
        const struct model_voucher *v = find_voucher(serial);
        if (!v) {
            no(j, VOUCHER_UNKNOWN);
            return 0;
        }
        if (say_standing(j, v) == 'o')
            minutes += v->minutes;
        no_if(j, v->wait != find_voucher(first)->wait, REFUSAL_VOUCHER_SERIAL);
    }
    return minutes;
}

static void void_vouchers(struct judged *j) {
    const Timebank__VoidVouchers *v = j->order->void_vouchers;
    int64_t minutes = check_range(j, v->first_serial, v->count);
    struct legs legs = two(j->from, j->to, minutes);
    if (is_refused(j))
        return;
    int wait = find_voucher(v->first_serial)->wait;
    no_if(j, j->to != model_payer(wait), REFUSAL_WRONG_KIND);
    no_if(j, j->minutes != minutes, REFUSAL_NOT_CANONICAL);
    if (is_done(j))
        return;
    post(j, &legs);
    take_out(j, wait, minutes);
    for (uint32_t i = 0; i < v->count; i++) {
        find_voucher(v->first_serial + i)->standing = 'v';
        find_voucher(v->first_serial + i)->used = j->entry;
    }
}

static void reissue(struct judged *j) {
    const Timebank__ReissueVoucher *r = j->order->reissue_voucher;
    int64_t minutes = check_range(j, r->serial, 1);
    no_if(j, r->new_serial != (uint64_t)model.n_vouchers + 1, REFUSAL_VOUCHER_SERIAL);
    if (is_done(j))
        return;
    struct model_voucher *old = find_voucher(r->serial);
    struct model_wait *waited = &model.waits[old->wait];
    int wait = wait_for(j, VOUCHERS, minutes, waited->from, bank(A(VOUCHERS)), waited->due_ms);
    take_out(j, old->wait, minutes);
    old->standing = 'v';
    old->used = j->entry;
    model.vouchers[model.n_vouchers] = *old;
    model.vouchers[model.n_vouchers].standing = 'o';
    model.vouchers[model.n_vouchers++].wait = wait;
}

static void expire_vouchers(const struct judged *j, struct model_wait *wait) {
    int number_of = (int)(wait - model.waits);
    struct legs legs =
        two(bank(A(VOUCHERS)),
            policy_is("voucher-lapse", "expire") ? bank(A(EXPIRED)) : model_payer(number_of),
            wait->minutes);
    post(j, &legs);
    for (int i = 0; i < model.n_vouchers; i++)
        if (model.vouchers[i].wait == number_of && model.vouchers[i].standing == 'o')
            model.vouchers[i].standing = 'e';
    wait->minutes = 0;
    end_wait(j, wait, true);
}

/* ---- expiry, other banks, periods */

int64_t model_expirable(int account, uint32_t as_of_day) {
    int64_t left = at(account)->balance, days = number("expiry-days");
    if (days == NEVER_LESS || left <= 0)
        return 0;
    for (int i = 0; i < model.n_gains; i++)
        if (model.gains[i].account == account && model.gains[i].day + days > as_of_day)
            left -= model.gains[i].minutes;
    return left > 0 ? left : 0;
}

static void expire(struct judged *j) {
    uint32_t day = j->order->expire->as_of_day;
    struct legs legs = two(j->from, j->to, j->minutes);
    int64_t sum = j->minutes;
    no_if(j, day == 0 || day > j->today || j->order->service_day != day, REFUSAL_BAD_DATE);
    no_if(j, j->minutes > model_expirable(j->from, day), REFUSAL_NOTHING_TO_EXPIRE);
    for (int i = 0; i < model.n_entries; i++)
        if (model.entries[i].kind == K(EXPIRE) && model.entries[i].at_ms / MS_A_DAY == j->today)
            sum += model.entries[i].minutes;
    no_if(j, sum > number("expiry-cap"), REFUSAL_EXPIRY_CAP);
    moves(j, &legs);
}

static int bank_of(int from, int to) {
    return at(from)->kind == A(BANK) ? from : to;
}

static void transfer(struct judged *j) {
    const ProtobufCBinaryData *id = &j->order->transfer->transfer_id;
    struct legs legs = two(j->from, j->to, j->minutes);
    int64_t sum = j->minutes;
    no_if(j, at(j->from)->kind == at(j->to)->kind, REFUSAL_WRONG_KIND);
    for (int i = 0; i < model.n_entries; i++) {
        const struct model_entry *e = &model.entries[i];
        if (e->kind != K(TRANSFER))
            continue;
        no_if(j, memcmp(e->order->transfer->transfer_id.data, id->data, 16) == 0,
              REFUSAL_TRANSFER_USED);
        if (bank_of(e->from, e->to) == bank_of(j->from, j->to) &&
            first_day(4, (uint32_t)(e->at_ms / MS_A_DAY)) == first_day(4, j->today))
            sum += e->minutes - e->back;
    }
    no_if(j, sum > number("transfer-cap-year"), REFUSAL_TRANSFER_CAP);
    moves(j, &legs);
}

static void issue(struct judged *j) {
    const Timebank__Issue *i = j->order->issue;
    struct legs legs = two(j->from, j->to, j->minutes);
    bool is_known = !*i->programme || !policy_is("programmes", "listed");
    no_if(j, *i->funder && strcmp(i->funder, "council") != 0, REFUSAL_UNKNOWN_FUNDER);
    for (int k = 0; k < model.n_programmes; k++)
        is_known = is_known || strcmp(model.programmes[k], i->programme) == 0;
    no_if(j, !is_known, REFUSAL_UNKNOWN_PROGRAMME);
    moves(j, &legs);
}

static void close_period(struct judged *j) {
    uint32_t day = j->order->close_period->to_day;
    no_if(j, day == 0, REFUSAL_BAD_DATE);
    no_if(j, day >= j->today, REFUSAL_FUTURE_DATE);
    no_if(j, day && day <= model.closed_to_day, REFUSAL_PERIOD_CLOSED);
    if (!is_refused(j))
        model.closed_to_day = day;
}

/* A promise, and the leaving itself, end with the account. */
static void check_nothing_waits(struct judged *j, int account, bool but_vouchers) {
    no_if(j, at(account)->held != 0, REFUSAL_STILL_WAITING);
    for (int i = 0; i < model.n_waits; i++) {
        const struct model_wait *w = &model.waits[i];
        no_if(j,
              !w->is_over && w->what != PLEDGE && w->what != LEAVE &&
                  !(but_vouchers && (w->what == VOUCHERS || w->what == CONFLICT)) &&
                  (w->from == account || w->to == account),
              REFUSAL_STILL_WAITING);
    }
}

static void end_account(const struct judged *j, int account, int goes_on) {
    at(account)->is_closed = true;
    at(account)->is_frozen = false;
    at(account)->leaving_day = 0;
    for (int i = 0; i < model.n_waits; i++)
        if (is_open(i, LEAVE) && model.waits[i].from == account)
            end_wait(j, &model.waits[i], true);
        else if (is_open(i, PLEDGE) && model.waits[i].to == account && goes_on != NOBODY)
            model.waits[i].to = goes_on;
        else if (is_open(i, PLEDGE) && model.waits[i].to == account)
            end_wait(j, &model.waits[i], true);
}

/* ---- the register */

static void open_account(struct judged *j) {
    struct model_account *a = &model.accounts[model.n_accounts];
    no_if(j, j->order->open_account->kind == A(BANK) && !is_role(j, 's'), REFUSAL_NO_AUTHORITY);
    no_if(j, j->to != NOBODY, REFUSAL_CODE_TAKEN);
    no_if(j, j->order->service_day > j->today + 1, REFUSAL_FUTURE_DATE);
    if (is_refused(j))
        return;
    *a = (struct model_account){.kind = (int)j->order->open_account->kind,
                                .is_there = {true},
                                .merged_into = NOBODY,
                                .leaving = NOBODY,
                                .last = NOBODY};
    snprintf(a->code, sizeof(a->code), "%s", j->order->to);
    memset(a->span, 0xff, sizeof(a->span));
    model.n_accounts++;
}

static void change_standing(struct judged *j, struct model_account *a) {
    if (j->kind == K(THAW)) {
        no_if(j, !a->is_frozen, REFUSAL_NOT_FROZEN);
    } else {
        no_if(j, a->is_closed, REFUSAL_ALREADY_CLOSED);
        no_if(j, j->kind == K(FREEZE) && a->is_frozen, REFUSAL_ALREADY_FROZEN);
        no_if(j, j->kind == K(CLOSE) && (a->balance || a->held || a->owed), REFUSAL_NOT_EMPTY);
        if (j->kind == K(CLOSE))
            check_nothing_waits(j, j->to, true);
    }
    if (is_refused(j))
        return;
    if (j->kind == K(CLOSE))
        end_account(j, j->to, NOBODY);
    else
        a->is_frozen = j->kind == K(FREEZE);
}

static void set_limit(struct judged *j, struct model_account *a) {
    const Timebank__SetLimit *set = j->order->set_limit;
    bool has_floor = set->has_floor_case, has_ceiling = set->has_ceiling_case;
    no_if(j, (has_floor && set->floor > 0) || (has_ceiling && set->ceiling < 0), REFUSAL_BAD_LIMIT);
    for (size_t i = 1; i < set->n_spans; i++)
        no_if(j, set->spans[i - 1] >= set->spans[i], REFUSAL_BAD_LIMIT);
    if (is_refused(j))
        return;
    a->has_floor = has_floor;
    a->floor = set->floor;
    a->has_ceiling = has_ceiling;
    a->ceiling = set->ceiling;
    memset(a->span, 0xff, sizeof(a->span));
    for (size_t i = 0; i < set->n_spans; i++)
        a->span[set->spans[i]] = (int64_t)set->most[i];
}

static void set_person(struct judged *j, struct model_account *a) {
    const Timebank__SetPerson *set = j->order->set_person;
    int which = *set->person == '2';
    no_if(j, *set->person && strcmp(set->person, "1") && strcmp(set->person, "2"),
          REFUSAL_BAD_TEXT);
    no_if(j, a->is_closed, REFUSAL_CLOSED);
    no_if(j, a->is_person_erased[which], REFUSAL_ERASED);
    no_if(j, set->gone && !a->is_there[which], REFUSAL_UNKNOWN_PERSON);
    no_if(j, set->gone && a->is_there[which] && !a->is_there[!which], REFUSAL_NOT_LEAVING);
    if (is_refused(j))
        return;
    a->is_there[which] = !set->gone;
    a->is_minor[which] = set->minor;
    a->is_known[which] = true;
}

static void set_mandate(struct judged *j) {
    const Timebank__SetMandate *set = j->order->set_mandate;
    int holder = model_account(set->holder), i = 0;
    if (holder == NOBODY) {
        no(j, NO_SUCH_ACCOUNT);
        return;
    }
    no_if(j, at(holder)->kind != A(MEMBER), REFUSAL_WRONG_KIND);
    no_if(j, holder == j->to, REFUSAL_SAME_ACCOUNT);
    no_if(j, at(holder)->is_closed || at(j->to)->is_closed, REFUSAL_CLOSED);
    no_if(j, is_own(j, holder) || is_own(j, j->to), REFUSAL_PARTY);
    no_if(j, set->from_day == 0 || (set->to_day && set->to_day < set->from_day), REFUSAL_BAD_DATE);
    if (is_refused(j))
        return;
    while (i < model.n_mandates &&
           (model.mandates[i].holder != holder || model.mandates[i].ward != j->to))
        i++;
    model.mandates[i] =
        (struct model_mandate){holder, j->to, (int)set->kind, set->from_day, set->to_day};
    if (i == model.n_mandates)
        model.n_mandates++;
}

static void set_trust(struct judged *j) {
    int giver = model_account(j->order->set_trust->giver);
    if (giver == NOBODY) {
        no(j, NO_SUCH_ACCOUNT);
        return;
    }
    no_if(j, at(giver)->kind != A(MEMBER), REFUSAL_WRONG_KIND);
    no_if(j, giver == j->to, REFUSAL_SAME_ACCOUNT);
    no_if(j, is_broker(j) && is_own(j, giver) && !j->order->set_trust->ended, REFUSAL_OWN_HOURS);
    if (!is_refused(j))
        model.trusts[j->to][giver] = !j->order->set_trust->ended;
}

static void safeguard(struct judged *j) {
    const Timebank__Safeguard *set = j->order->safeguard;
    int other = *set->other ? model_account(set->other) : j->to;
    no_if(j, j->has_why, REFUSAL_REASON_NOT_KEPT);
    if (other == NOBODY) {
        no(j, NO_SUCH_ACCOUNT);
        return;
    }
    no_if(j, *set->other && other == j->to, REFUSAL_SAME_ACCOUNT);
    no_if(j, at(other)->kind >= A(CHEST), REFUSAL_BANK_ACCOUNT);
    no_if(j, is_own(j, j->to) || is_own(j, other), REFUSAL_PARTY);
    no_if(j, set->lifted && !model.apart[j->to][other], REFUSAL_NO_SUCH_ENTRY);
    if (!is_refused(j))
        model.apart[j->to][other] = model.apart[other][j->to] = !set->lifted;
}

static void erase(struct judged *j, struct model_account *a) {
    int which = *j->order->to_person == '2';
    no_if(j, j->has_why, REFUSAL_REASON_NOT_KEPT);
    if (!*j->order->to_person) {
        no_if(j, !a->is_closed || a->balance || a->held, REFUSAL_NOT_EMPTY);
        if (!is_refused(j))
            a->is_erased = true;
        return;
    }
    no_if(j, !a->is_known[which], REFUSAL_UNKNOWN_PERSON);
    no_if(j, a->is_person_erased[which], REFUSAL_ERASED);
    no_if(j, a->is_there[which], REFUSAL_NOT_EMPTY);
    if (!is_refused(j))
        a->is_person_erased[which] = true;
}

/* ---- leaving */

const char *model_heir(int account) {
    const struct model_account *a = at(account);
    int heir = model_account(a->heir);
    if (a->balance < 0)
        return "write-offs";
    if (a->kind != A(MEMBER))
        return a->kind == A(VENUE) ? "retired" : "issued";
    if (strcmp(a->heir, "chest") == 0 || strcmp(a->heir, "expired") == 0)
        return a->heir;
    while (heir != NOBODY && at(heir)->merged_into != NOBODY)
        heir = at(heir)->merged_into;
    if (heir != NOBODY && heir != account && !at(heir)->is_closed)
        return at(heir)->code;
    return policy("leave-to");
}

static void choose(struct judged *j) {
    const char *heir = j->order->set_choice->heir;
    int chosen = model_account(heir);
    no_if(j, at(j->to)->is_closed, REFUSAL_CLOSED);
    no_if(j, is_broker(j) && is_own(j, chosen), REFUSAL_OWN_HOURS);
    check_minor(j, j->to, "");
    if (*heir && strcmp(heir, "chest") != 0 && strcmp(heir, "expired") != 0) {
        no_if(j, chosen == NOBODY, REFUSAL_NO_SUCH_ACCOUNT);
        if (chosen != NOBODY) {
            no_if(j, at(chosen)->kind != A(MEMBER), REFUSAL_WRONG_KIND);
            no_if(j, chosen == j->to, REFUSAL_SAME_ACCOUNT);
            no_if(j, at(chosen)->is_closed, REFUSAL_CLOSED);
        }
    }
    if (!is_refused(j))
        snprintf(at(j->to)->heir, sizeof(at(j->to)->heir), "%s", heir);
}

static void end_leaving(const struct judged *j, struct model_account *a) {
    if (is_open(a->leaving, LEAVE))
        end_wait(j, &model.waits[a->leaving], false);
}

static void leave(struct judged *j, struct model_account *a) {
    const Timebank__Leave *l = j->order->leave;
    uint32_t until = l->until_day ? l->until_day : j->today + (uint32_t)number("leave-days");
    check_minor(j, j->to, "");
    no_if(j, a->is_closed, REFUSAL_ALREADY_CLOSED);
    no_if(j, !l->stays && until < j->today, REFUSAL_BAD_DATE);
    no_if(j, l->stays && !a->leaving_day, REFUSAL_NOT_LEAVING);
    if (is_refused(j))
        return;
    end_leaving(j, a);
    a->leaving_day = l->stays ? 0 : until;
    if (!l->stays)
        a->leaving = wait_for(j, LEAVE, 0, j->to, NOBODY, end_of(until));
}

static void check_settling(struct judged *j, const struct model_account *a) {
    int as = (int)j->order->settle->as;
    bool has_ended = as == TIMEBANK__SETTLE_AS__ENDED;
    no_if(j, (a->kind == A(MEMBER)) == has_ended, REFUSAL_WRONG_KIND);
    if (as != TIMEBANK__SETTLE_AS__LEFT || a->kind != A(MEMBER)) {
        no_if(j, !is_broker(j), REFUSAL_NO_AUTHORITY);
    } else if (is_broker(j)) {
        no_if(j, !a->leaving_day, REFUSAL_NOT_LEAVING);
        no_if(j, a->leaving_day && j->today <= a->leaving_day, REFUSAL_SPEND_DOWN);
    } else {
        no_if(j, claims_guardian(j), REFUSAL_NO_AUTHORITY);
        no_if(j, a->balance < 0 || a->owed, REFUSAL_NO_AUTHORITY);
        check_minor(j, j->from, "");
    }
}

static void settle(struct judged *j) {
    struct model_account *a = at(j->from);
    struct legs legs = two(j->from, j->to, a->balance);
    if (a->merged_into != NOBODY)
        no(j, MERGED);
    else
        no_if(j, a->is_closed, REFUSAL_ALREADY_CLOSED);
    no_if(j, (a->is_frozen && !is_broker(j)) || at(j->to)->is_frozen, REFUSAL_FROZEN);
    check_settling(j, a);
    no_if(j, j->order->settle->balance != a->balance, REFUSAL_BALANCE_MOVED);
    no_if(j, strcmp(model_heir(j->from), at(j->to)->code) != 0, REFUSAL_OTHER_CHOICE);
    check_nothing_waits(j, j->from, false);
    if (a->owed) {
        add(&legs, bank(A(WRITE_OFFS)), -a->owed, 0);
        add(&legs, bank(A(ADVANCES)), a->owed, 0);
    }
    if (!moves(j, &legs))
        return;
    a->owed = 0;
    end_account(j, j->from, NOBODY);
}

static void check_mergeable(struct judged *j, const struct model_account *a) {
    if (a->is_closed)
        say_no(j, a->merged_into != NOBODY ? REFUSAL_MERGED : REFUSAL_CLOSED);
    no_if(j, a->is_frozen, REFUSAL_FROZEN);
}

static void merge(struct judged *j) {
    struct model_account *a = at(j->from), *b = at(j->to);
    struct legs legs = two(j->from, j->to, a->balance);
    no_if(j, a->kind != b->kind, REFUSAL_WRONG_KIND);
    check_mergeable(j, a);
    check_mergeable(j, b);
    no_if(j, is_own(j, j->from) || is_own(j, j->to), REFUSAL_PARTY);
    no_if(j, j->order->merge->balance != a->balance, REFUSAL_BALANCE_MOVED);
    check_nothing_waits(j, j->from, false);
    if (!moves(j, &legs))
        return;
    b->owed += a->owed;
    end_account(j, j->from, j->to);
    a->merged_into = j->to;
    for (int i = 0; i < model.n_accounts; i++)
        if (model.apart[j->from][i] && i != j->to) {
            int other = i == j->from ? j->to : i;
            model.apart[j->to][other] = model.apart[other][j->to] = true;
        }
}

static void unmerge(struct judged *j) {
    const ProtobufCBinaryData *id = &j->order->unmerge->target;
    int target = model_entry(id->data, id->len);
    if (target == NOBODY) {
        no(j, NO_SUCH_ENTRY);
        return;
    }
    const struct model_entry *e = &model.entries[target];
    if (e->kind != K(MERGE) || at(e->from)->merged_into != e->to) {
        no(j, NOT_MERGED);
        return;
    }
    struct model_account *a = at(e->from), *b = at(e->to);
    struct legs legs = two(e->to, e->from, e->order->merge->balance);
    no_if(j, a->is_erased, REFUSAL_ERASED);
    check_mergeable(j, b);
    no_if(j, is_own(j, e->from) || is_own(j, e->to), REFUSAL_PARTY);
    if (!moves(j, &legs))
        return;
    a->is_closed = false;
    a->merged_into = NOBODY;
    a->owed = a->owed < b->owed ? a->owed : b->owed;
    b->owed -= a->owed;
}

/* ---- taking back */

static void take_session_back(struct judged *j, struct legs *legs, const struct model_entry *e,
                              int64_t minutes) {
    const Timebank__Session *s = e->order->session;
    for (size_t i = 0; i < s->n_receivers; i++)
        no_if(j, is_broker(j) && is_own(j, model_account(s->receivers[i])), REFUSAL_OWN_HOURS);
    no_if(j, minutes != e->minutes, REFUSAL_NOT_REVERSIBLE);
    for (size_t i = 0; i < s->n_givers; i++)
        add_unearned(legs, e, model_account(s->givers[i]), (int)i, (int64_t)s->giver_minutes[i], 0);
    add_payers(legs, e->order, e->from, e, -1);
}

static bool is_voucher_of(const struct model_voucher *v, int entry) {
    return v && v->standing == 'u' && v->used == entry;
}

static struct model_voucher *voucher_of(const struct model_entry *e) {
    return find_voucher(eight(e->order->redeem_voucher->claims.data) << 8 >> 16);
}

static void add_contrary(struct judged *j, struct legs *legs, int target, int64_t minutes) {
    const struct model_entry *e = &model.entries[target];
    bool is_time = e->kind == K(EXCHANGE) || e->kind == K(EARN);
    if (e->kind == K(SESSION)) {
        take_session_back(j, legs, e, minutes);
        return;
    }
    if (e->kind == K(ADVANCE) || e->kind == K(PLEDGE))
        no_if(j, at(e->to)->owed < minutes, REFUSAL_MORE_THAN_REMAINS);
    if (e->kind == K(REDEEM_VOUCHER)) {
        no_if(j, !is_voucher_of(voucher_of(e), target), REFUSAL_NOT_REVERSIBLE);
        no_if(j, minutes != e->minutes, REFUSAL_MORE_THAN_REMAINS);
    }
    if (is_time)
        add_unearned(legs, e, e->to, 0, minutes, e->minutes - e->back - minutes);
    else
        add(legs, e->to, -minutes, 0);
    add(legs, e->from, minutes, 0);
}

/* The pledge that an order made ends with what is taken back of it. */
static void lower_pledge(const struct judged *j, struct model_entry *e, int64_t minutes) {
    struct model_wait *wait = &model.waits[e->hold];
    if (wait->is_over)
        return;
    wait->minutes -= minutes < wait->minutes ? minutes : wait->minutes;
    if (wait->minutes == 0)
        end_wait(j, wait, false);
}

static void undo_capture(struct model_entry *e, int64_t minutes) {
    struct model_entry *h = &model.entries[e->hold];
    h->taken -= minutes;
    unspend(e->hold, h->from, minutes, h->taken + h->left == 0);
}

static void note_contrary(const struct judged *j, int target, int64_t minutes) {
    struct model_entry *e = &model.entries[target];
    int64_t left = e->minutes - e->back - minutes;
    if (e->kind == K(EXCHANGE) || e->kind == K(EARN))
        owe_again(e, e->to, 0, left);
    e->back += minutes;
    if (strchr(kind_of(e->kind)->traits, 's'))
        unspend(target, e->from, minutes, left == 0);
    if (e->kind == K(SESSION)) {
        const Timebank__Session *s = e->order->session;
        for (size_t i = 0; i < s->n_givers; i++)
            owe_again(e, model_account(s->givers[i]), (int)i, 0);
        for (size_t i = 0; i < s->n_receivers; i++)
            unspend(target, model_account(s->receivers[i]), e->part[i], true);
    } else if (e->kind == K(ADVANCE) || e->kind == K(PLEDGE)) {
        at(e->to)->owed -= minutes;
        if (e->kind == K(PLEDGE))
            lower_pledge(j, e, minutes);
        if (at(e->to)->owed == 0)
            end_pledges(j, e->to);
    } else if (e->kind == K(CAPTURE)) {
        undo_capture(e, minutes);
    } else if (e->kind == K(REDEEM_VOUCHER)) {
        struct model_voucher *v = voucher_of(e);
        v->standing = 'o';
        model.waits[v->wait].minutes += minutes;
        model.waits[v->wait].is_over = false;
    }
}

static void check_undo(struct judged *j, int target) {
    const struct model_entry *e = &model.entries[target];
    bool is_accepted =
        e->kind == K(REDEEM) || e->kind == K(CAPTURE) || e->kind == K(REDEEM_VOUCHER);
    if (is_broker(j))
        return;
    no_if(j, !is_accepted || !is_own(j, e->to), REFUSAL_NO_AUTHORITY);
    no_if(j,
          at(model_account(own_code(j)))->last != target || j->minutes != 0 ||
              j->now_ms > e->at_ms + (uint64_t)number("venue-undo") * 60000,
          REFUSAL_TOO_LATE_TO_UNDO);
}

static void check_stands(struct judged *j, const struct model_entry *e) {
    no_if(j, e->standing == WAITS, REFUSAL_STILL_WAITING);
    no_if(j, e->standing == FALLEN, REFUSAL_NOT_WAITING);
    no_if(j, is_disputed(e), REFUSAL_DISPUTED);
}

/* Entries that move or count, but what ends otherwise: released, made void, entered anew. */
static bool is_reversible(int kind) {
    return has(kind, 'e') && kind != K(REVERSE) && kind != K(MINT_VOUCHERS) &&
           kind != K(VOID_VOUCHERS) && kind != K(SETTLE);
}

static void reverse(struct judged *j) {
    const ProtobufCBinaryData *id = &j->order->reverse->target;
    int target = model_entry(id->data, id->len);
    struct legs legs = {0};
    if (target == NOBODY) {
        no(j, NO_SUCH_ENTRY);
        return;
    }
    struct model_entry *e = &model.entries[target];
    int64_t remains = e->minutes - e->back, minutes = j->minutes ? j->minutes : remains;
    if (!is_reversible(e->kind)) {
        no(j, NOT_REVERSIBLE);
        return;
    }
    j->is_reversal = true;
    check_stands(j, e);
    check_undo(j, target);
    no_if(j, is_broker(j) && is_own(j, e->from), REFUSAL_OWN_HOURS);
    no_if(j, remains == 0, REFUSAL_ALREADY_REVERSED);
    no_if(j, minutes > remains, REFUSAL_MORE_THAN_REMAINS);
    no_if(j, j->minutes % number("quantum") != 0 && minutes != remains, REFUSAL_NOT_IN_QUANTUM);
    if (is_refused(j))
        return;
    if (e->kind != K(LOG)) {
        add_contrary(j, &legs, target, minutes);
        for (int i = 0; i < legs.n; i++)
            check_still_open(j, legs.items[i].account);
        if (!moves(j, &legs))
            return;
    }
    note_contrary(j, target, minutes);
}

/* ---- agreeing */

static void apply(struct judged *j);

static bool is_claim(const struct judged *j) {
    return has(j->kind, 'c') && !is_broker(j) && !acts_for(j, j->from);
}

static bool needs_approval(const struct judged *j) {
    if (!is_broker(j))
        return is_role(j, 'm') && policy_is("approve-members", "on");
    return is_own(j, j->to) || j->minutes > number("second-person-above");
}

/* What it waits for, or NOBODY. */
static int asks_for(const struct judged *j, bool *ret_must) {
    *ret_must = true;
    if (needs_approval(j))
        return APPROVAL;
    *ret_must = j->kind == K(GIFT) ? policy_is("gift", "pending")
                                   : is_claim(j) && !model.trusts[j->from][j->to];
    return j->kind == K(GIFT)                                   ? GIFT
           : is_claim(j) || (has(j->kind, 'c') && is_broker(j)) ? CLAIM
                                                                : NOBODY;
}

static void set_out(struct judged *j) {
    struct legs legs = {0};
    check_spending(j, j->from, j->minutes);
    add(&legs, j->from, -j->minutes, j->minutes);
    add(&legs, bank(A(TRANSIT)), j->minutes, 0);
    if (moves(j, &legs))
        spend(j, j->from, j->minutes);
}

static void stand(struct judged *j) {
    bool spends = has(j->kind, 's') && *j->order->from;
    if (j->is_settling)
        check_kept_apart(j);
    if (spends)
        check_spending(j, j->from, j->minutes);
    apply(j);
    if (spends && !is_done(j))
        spend(j, j->from, j->minutes);
}

/* It would be refused at once what will be refused later; a giver does not learn of credits. */
static void try_out(struct judged *j) {
    struct judged trial = *j;
    trial.is_trial = true;
    if (is_broker(j) || acts_for(j, j->from)) {
        stand(&trial);
        return;
    }
    trial.override |= 1;
    apply(&trial);
}

static const char *days_of(int what) {
    return what == GIFT ? "gift-days" : what == CLAIM ? "claim-days" : "approval-days";
}

static void propose(struct judged *j, int what) {
    struct model_entry *e = &model.entries[j->entry];
    try_out(j);
    if (!is_refused(j) && what == GIFT)
        set_out(j);
    if (is_refused(j))
        return;
    e->standing = WAITS;
    e->wait =
        wait_for(j, (enum model_what)what, j->minutes, j->from, j->to, due_in(j, days_of(what)));
}

static void propose_or_stand(struct judged *j) {
    bool must;
    int what;
    if (!has(j->kind, 'p')) {
        stand(j);
        return;
    }
    what = asks_for(j, &must);
    if (j->order->proposal) {
        no_if(j, what == NOBODY, REFUSAL_NOT_A_PROPOSAL);
        propose(j, what);
        return;
    }
    if (must)
        say_no(j, what == APPROVAL ? REFUSAL_NEEDS_SECOND_PERSON : REFUSAL_NEEDS_CONFIRMATION);
    stand(j);
}

/* The order proposed, as it takes effect by the one being judged. */
static struct judged proposed(const struct judged *j, int entry) {
    const struct model_entry *e = &model.entries[entry];
    struct judged own = *j;
    own.order = e->order;
    own.kind = e->kind;
    own.from = e->from;
    own.to = e->to;
    own.minutes = e->minutes;
    own.entry = entry;
    own.override = e->order->override;
    own.is_settling = true;
    return own;
}

static void arrive(struct judged *j) {
    struct legs legs = {0};
    check_apart(j, j->from, j->to);
    add(&legs, j->from, 0, -j->minutes);
    add(&legs, bank(A(TRANSIT)), -j->minutes, 0);
    add(&legs, j->to, j->minutes, 0);
    moves(j, &legs);
}

static void take_effect(const struct judged *j, int entry) {
    struct model_entry *e = &model.entries[entry];
    struct judged own = proposed(j, entry);
    check_sides(&own);
    if (is_refused(j))
        return;
    if (model.waits[e->wait].what == GIFT)
        arrive(&own);
    else
        stand(&own);
    if (is_done(j))
        return;
    e->standing = STANDS;
    end_wait(j, &model.waits[e->wait], false);
}

static void drop(const struct judged *j, int entry, bool has_lapsed) {
    struct model_entry *e = &model.entries[entry];
    struct legs legs = {0};
    if (model.waits[e->wait].what == GIFT) {
        add_back(&legs, e->from, e->minutes);
        post(j, &legs);
        unspend(entry, e->from, e->minutes, true);
    }
    e->standing = FALLEN;
    end_wait(j, &model.waits[e->wait], has_lapsed);
}

static bool is_service(const struct model_entry *e) {
    return e->kind == K(EXCHANGE) || e->kind == K(EARN);
}

static int answerer(const struct model_entry *e) {
    return e->kind == K(GIFT) ? e->to : e->from;
}

static int asker(const struct model_entry *e) {
    return e->kind == K(GIFT) ? e->from : e->to;
}

static bool is_author_of(const struct judged *j, const struct model_entry *e) {
    for (int i = 0; i < model.n_waits; i++)
        if (model.waits[i].record == e->record)
            return model.waits[i].author == j->author;
    return false;
}

static bool is_party(const struct judged *j, const struct model_entry *e) {
    return acts_for(j, e->from) || acts_for(j, e->to);
}

/* The leaf of the target's record, or what a test puts in its place. */
static bool is_quoted(const ProtobufCBinaryData *quote) {
    return quote->len == 32 && eight(quote->data) != 0xeeeeeeeeeeeeeeee;
}

static void confirm_standing(struct judged *j, struct model_entry *e) {
    if (!is_service(e) && e->kind != K(GIFT)) {
        no(j, NOT_WAITING);
        return;
    }
    if (is_service(e) && is_own(j, e->to))
        no(j, OWN_HOURS);
    else
        no_if(j, !acts_for(j, e->from) && !(e->kind == K(GIFT) && acts_for(j, e->to)),
              REFUSAL_NOT_THE_OTHER_SIDE);
    check_stands(j, e);
    no_if(j, !is_quoted(&j->order->confirm->quote), REFUSAL_OTHER_PROPOSAL);
    no_if(j, e->is_confirmed, REFUSAL_ALREADY_CONFIRMED);
    no_if(j, e->back >= e->minutes, REFUSAL_ALREADY_REVERSED);
    if (!is_refused(j))
        e->is_confirmed = true;
}

static void confirm(struct judged *j, int target) {
    struct model_entry *e = &model.entries[target];
    bool asked;
    if (e->standing != WAITS) {
        confirm_standing(j, e);
        return;
    }
    asked = is_own(j, asker(e)) || (is_author_of(j, e) && !is_broker(j));
    if (asked && is_service(e))
        no(j, OWN_HOURS);
    else
        no_if(j, asked || (!acts_for(j, answerer(e)) && !is_broker(j)), REFUSAL_NOT_THE_OTHER_SIDE);
    check_minor(j, answerer(e), e->kind == K(GIFT) ? e->order->to_person : e->order->from_person);
    no_if(j, model.waits[e->wait].what == APPROVAL, REFUSAL_NOT_WAITING);
    no_if(j, !is_quoted(&j->order->confirm->quote), REFUSAL_OTHER_PROPOSAL);
    if (is_refused(j))
        return;
    take_effect(j, target);
    if (!is_refused(j))
        e->is_confirmed = true;
}

static void approve(struct judged *j, int target) {
    struct model_entry *e = &model.entries[target];
    struct model_wait *wait = e->standing == WAITS ? &model.waits[e->wait] : NULL;
    if (!wait || wait->what != APPROVAL) {
        no(j, NOT_WAITING);
        return;
    }
    no_if(j, is_author_of(j, e), REFUSAL_NEEDS_SECOND_PERSON);
    no_if(j, is_party(j, e) || is_own(j, model_account(model_authors[wait->author].account)),
          REFUSAL_PARTY);
    no_if(j, !is_quoted(&j->order->approve->quote), REFUSAL_OTHER_PROPOSAL);
    if (is_refused(j))
        return;
    if (e->kind != K(GIFT) || !policy_is("gift", "pending")) {
        take_effect(j, target);
        return;
    }
    struct judged own = proposed(j, target);
    check_sides(&own);
    if (!is_refused(j))
        set_out(&own);
    if (is_refused(j))
        return;
    wait->what = GIFT;
    wait->due_ms = due_in(j, "gift-days");
}

static void decline(struct judged *j, int target) {
    const struct model_entry *e = &model.entries[target];
    no_if(j, is_broker(j) ? is_author_of(j, e) : !acts_for(j, answerer(e)),
          REFUSAL_NOT_THE_OTHER_SIDE);
    no_if(j, e->standing != WAITS, REFUSAL_NOT_WAITING);
    if (!is_refused(j))
        drop(j, target, false);
}

static void withdraw(struct judged *j, int target) {
    const struct model_entry *e = &model.entries[target];
    no_if(j, !is_broker(j) && !is_author_of(j, e) && !acts_for(j, asker(e)),
          REFUSAL_NOT_THE_OTHER_SIDE);
    no_if(j, e->standing != WAITS, REFUSAL_NOT_WAITING);
    if (!is_refused(j))
        drop(j, target, false);
}

/* ---- disputes */

static bool is_too_late(const struct judged *j, const struct model_entry *e) {
    uint32_t day = e->wait != NOBODY && model.waits[e->wait].is_over
                       ? model.waits[e->wait].ended_day
                       : (uint32_t)(e->at_ms / MS_A_DAY);
    return (e->dispute != NOBODY && !is_disputed(e)) ||
           (int64_t)j->today - day > number("dispute-within");
}

static void dispute(struct judged *j, int target) {
    struct model_entry *e = &model.entries[target];
    int64_t minutes = e->minutes - e->back;
    struct legs legs = {0};
    if (!is_service(e) && e->kind != K(GIFT) && e->kind != K(REDEEM)) {
        no(j, NOT_REVERSIBLE);
        return;
    }
    no_if(j, !is_broker(j) && !is_party(j, e), REFUSAL_NOT_THE_OTHER_SIDE);
    no_if(j, !j->has_why, REFUSAL_NEEDS_WHY);
    check_stands(j, e);
    no_if(j, is_too_late(j, e), REFUSAL_TOO_LATE_TO_DISPUTE);
    no_if(j, minutes == 0, REFUSAL_ALREADY_REVERSED);
    no_if(j, at(e->to)->is_closed, REFUSAL_CLOSED);
    if (is_refused(j))
        return;
    add(&legs, e->to, -minutes, minutes);
    add(&legs, bank(A(TRANSIT)), minutes, 0);
    post(j, &legs);
    e->dispute = wait_for(j, DISPUTE, minutes, e->from, e->to, due_in(j, "dispute-days"));
}

static void decide_conflict(struct judged *j, struct model_entry *e) {
    struct legs legs = two(bank(A(CHEST)), e->to, j->minutes);
    no_if(j, j->minutes > e->minutes, REFUSAL_MORE_THAN_REMAINS);
    no_if(j, j->minutes && at(e->to)->is_closed, REFUSAL_CLOSED);
    if (j->minutes)
        check_legs(j, &legs);
    if (is_refused(j))
        return;
    if (j->minutes)
        post(j, &legs);
    e->taken = j->minutes;
    end_wait(j, &model.waits[e->wait], false);
}

static void decide(struct judged *j, int target) {
    struct model_entry *e = &model.entries[target];
    struct model_wait *wait = is_disputed(e) ? &model.waits[e->dispute] : NULL;
    struct legs legs = {0};
    if (!wait && !is_open(e->wait, CONFLICT)) {
        no(j, NOT_DISPUTED);
        return;
    }
    no_if(j, is_party(j, e) || (wait && wait->author == j->author && !is_role(j, 's')),
          REFUSAL_PARTY);
    no_if(j, !j->has_why, REFUSAL_NEEDS_WHY);
    if (!wait) {
        decide_conflict(j, e);
        return;
    }
    no_if(j, j->minutes > wait->minutes, REFUSAL_MORE_THAN_REMAINS);
    no_if(j, j->minutes % number("quantum") != 0 && j->minutes != wait->minutes,
          REFUSAL_NOT_IN_QUANTUM);
    add_back(&legs, e->to, wait->minutes);
    if (j->minutes && !is_refused(j)) {
        j->is_reversal = true;
        add_contrary(j, &legs, target, j->minutes);
        for (int i = 0; i < legs.n; i++)
            check_still_open(j, legs.items[i].account);
    }
    if (is_refused(j))
        return;
    post(j, &legs);
    if (j->minutes)
        note_contrary(j, target, j->minutes);
    end_wait(j, wait, false);
}

/* Kinds that name an entry, which is there. */
static void answer(struct judged *j, const ProtobufCBinaryData *id,
                   void (*rule)(struct judged *, int target)) {
    int target = model_entry(id->data, id->len);
    if (target == NOBODY)
        no(j, NO_SUCH_ENTRY);
    else
        rule(j, target);
}

/* ---- the kinds */

static void apply_register(struct judged *j) {
    struct model_account *a = j->to == NOBODY ? NULL : at(j->to);
    switch (j->kind) {
    case K(OPEN_ACCOUNT):
        open_account(j);
        break;
    case K(SET_LIMIT):
        set_limit(j, a);
        break;
    case K(SET_POLICY):
        model_policy(j->order->set_policy->name, j->order->set_policy->value);
        break;
    case K(SET_OFFER):
        set_offer(j);
        break;
    case K(SET_PERSON):
        set_person(j, a);
        break;
    case K(SET_MANDATE):
        set_mandate(j);
        break;
    case K(SET_TRUST):
        set_trust(j);
        break;
    case K(SAFEGUARD):
        safeguard(j);
        break;
    case K(CLOSE_PERIOD):
        close_period(j);
        break;
    case K(SET_PROGRAMME):
        model.programmes[model.n_programmes++] = j->order->set_programme->name;
        break;
    case K(SET_VOUCHER_KEY):
        memcpy(model.voucher_key, j->order->set_voucher_key->key.data, 32);
        model.has_voucher_key = true;
        break;
    case K(SET_CHOICE):
        choose(j);
        break;
    case K(LEAVE):
        leave(j, a);
        break;
    case K(ERASE):
        erase(j, a);
        break;
    default:
        change_standing(j, a);
    }
}

static void apply_answer(struct judged *j) {
    const Timebank__Order *o = j->order;
    switch (j->kind) {
    case K(REVERSE):
        reverse(j);
        break;
    case K(CONFIRM):
        answer(j, &o->confirm->target, confirm);
        break;
    case K(DECLINE):
        answer(j, &o->decline->target, decline);
        break;
    case K(WITHDRAW):
        answer(j, &o->withdraw->target, withdraw);
        break;
    case K(DISPUTE):
        answer(j, &o->dispute->target, dispute);
        break;
    case K(DECIDE):
        answer(j, &o->decide->target, decide);
        break;
    case K(APPROVE):
        answer(j, &o->approve->target, approve);
        break;
    case K(CAPTURE):
        capture(j);
        break;
    case K(RELEASE):
        release(j);
        break;
    case K(UNMERGE):
        unmerge(j);
        break;
    default:
        reissue(j);
    }
}

static void apply(struct judged *j) {
    struct legs legs = {0};
    if (j->kind >= 64) {
        apply_register(j);
        return;
    }
    switch (j->kind) {
    case K(EXCHANGE):
    case K(EARN):
    case K(LOG):
        give(j);
        break;
    case K(GIFT):
    case K(DONATE):
    case K(GRANT):
    case K(RETIRE):
        legs = two(j->from, j->to, j->minutes);
        moves(j, &legs);
        break;
    case K(ISSUE):
        issue(j);
        break;
    case K(REDEEM):
        redeem_at(j);
        break;
    case K(SESSION):
        session(j);
        break;
    case K(HOLD):
        hold(j);
        break;
    case K(MINT_VOUCHERS):
        mint(j);
        break;
    case K(REDEEM_VOUCHER):
        redeem_voucher(j);
        break;
    case K(VOID_VOUCHERS):
        void_vouchers(j);
        break;
    case K(ADVANCE):
    case K(PLEDGE):
        advance(j);
        break;
    case K(EXPIRE):
        expire(j);
        break;
    case K(SETTLE):
        settle(j);
        break;
    case K(MERGE):
        merge(j);
        break;
    case K(TRANSFER):
        transfer(j);
        break;
    case K(VENUE_RETURN):
        venue_return(j);
        break;
    default:
        apply_answer(j);
    }
}

/* ---- what falls due */

static void stand_or_fall(struct judged *j, int entry) {
    struct model_verdict trial = {0};
    struct judged own = *j;
    own.verdict = &trial;
    if (policy_is("claim-lapse", "stands"))
        take_effect(&own, entry);
    if (!policy_is("claim-lapse", "stands") || trial.is_refused)
        drop(j, entry, true);
}

static void happen(struct judged *j, struct model_wait *wait) {
    struct legs legs = {0};
    switch (wait->what) {
    case GIFT:
    case APPROVAL:
        drop(j, wait->entry, true);
        break;
    case CLAIM:
        stand_or_fall(j, wait->entry);
        break;
    case HOLD:
        give_hold_back(j, &model.entries[wait->entry], true);
        break;
    case DISPUTE:
        add_back(&legs, wait->to, wait->minutes);
        post(j, &legs);
        end_wait(j, wait, true);
        break;
    case VOUCHERS:
        expire_vouchers(j, wait);
        break;
    case PLEDGE:
        fall_due_pledge(j, wait);
        break;
    default:
        end_wait(j, wait, true);
    }
}

static struct model_wait *find_due(uint64_t until_ms) {
    struct model_wait *first = NULL;
    for (int i = 0; i < model.n_waits; i++) {
        struct model_wait *w = &model.waits[i];
        if (w->is_over || w->due_ms == 0 || w->due_ms > until_ms)
            continue;
        if (!first || w->due_ms < first->due_ms ||
            (w->due_ms == first->due_ms && w->record < first->record))
            first = w;
    }
    return first;
}

size_t model_run_due(uint64_t now_ms) {
    static const Timebank__Order nothing;
    struct model_wait *wait;
    size_t n = 0;
    for (; (wait = find_due(now_ms)); n++) {
        struct model_verdict verdict = {0};
        uint64_t ms = wait->due_ms > model.ledger_ms ? wait->due_ms : model.ledger_ms;
        struct judged j = {.verdict = &verdict,
                           .order = &nothing,
                           .author = NOBODY,
                           .entry = NOBODY,
                           .by = NOBODY,
                           .record = model.size,
                           .now_ms = ms,
                           .today = (uint32_t)(ms / MS_A_DAY)};
        happen(&j, wait);
        model.ledger_ms = ms;
        model.size++;
    }
    model.now_ms = now_ms;
    return n;
}

/* ---- a batch */

static int n_orders;

/* The lists come last, of which only what is used is copied. */
static void copy(struct model *to, const struct model *from) {
    memcpy(to, from, offsetof(struct model, vouchers));
    memcpy(to->vouchers, from->vouchers, (size_t)from->n_vouchers * sizeof(*from->vouchers));
    memcpy(to->entries, from->entries, (size_t)from->n_entries * sizeof(*from->entries));
    memcpy(to->waits, from->waits, (size_t)from->n_waits * sizeof(*from->waits));
    memcpy(to->spends, from->spends, (size_t)from->n_spends * sizeof(*from->spends));
    memcpy(to->gains, from->gains, (size_t)from->n_gains * sizeof(*from->gains));
}

void model_begin(void) {
    n_orders = 0;
    copy(&before, &model);
}

void model_end(bool is_recorded) {
    if (!is_recorded) {
        copy(&model, &before);
        return;
    }
    model.size += 1 + (uint64_t)n_orders;
    model.ledger_ms = model.now_ms;
}

static void keep(struct model_entry *e, const struct judged *j) {
    *e = (struct model_entry){.order = j->order,
                              .id = {eight(j->order->id.data), eight(j->order->id.data + 8)},
                              .record = j->record,
                              .kind = j->kind,
                              .from = j->from,
                              .to = j->to,
                              .author = j->author,
                              .minutes = j->minutes,
                              .at_ms = j->now_ms,
                              .service_day = j->order->service_day,
                              .wait = NOBODY,
                              .dispute = NOBODY,
                              .hold = NOBODY};
}

struct model_verdict model_judge(const Timebank__Order *order, int author) {
    struct model_verdict verdict = {0};
    struct judged j = {.verdict = &verdict,
                       .order = order,
                       .kind = (int)order->kind_case,
                       .from = model_account(order->from),
                       .to = model_account(order->to),
                       .minutes = (int64_t)order->minutes,
                       .author = author,
                       .entry = model.n_entries,
                       .by = model.n_entries,
                       .record = model.size + 1 + (uint64_t)n_orders++,
                       .now_ms = model.now_ms,
                       .today = (uint32_t)(model.now_ms / MS_A_DAY),
                       .has_why = order->note.len > 0,
                       .override = order->override};
    keep(&model.entries[model.n_entries], &j);
    check_common(&j);
    if (!verdict.is_refused)
        propose_or_stand(&j);
    if (!verdict.is_refused)
        model.n_entries++;
    return verdict;
}

void model_open(uint64_t now_ms) {
    static const struct {
        const char *code;
        int kind;
    } banks[] = {{"chest", A(CHEST)},     {"issued", A(ISSUED)},        {"retired", A(RETIRED)},
                 {"expired", A(EXPIRED)}, {"advances", A(ADVANCES)},    {"vouchers", A(VOUCHERS)},
                 {"transit", A(TRANSIT)}, {"write-offs", A(WRITE_OFFS)}};
    memset(&model, 0, sizeof(model));
    for (size_t i = 0; i < sizeof(banks) / sizeof(*banks); i++) {
        struct model_account *a = &model.accounts[model.n_accounts++];
        *a = (struct model_account){
            .kind = banks[i].kind, .merged_into = NOBODY, .leaving = NOBODY, .last = NOBODY};
        snprintf(a->code, sizeof(a->code), "%s", banks[i].code);
    }
    model.size = 1;
    model.now_ms = model.ledger_ms = now_ms;
}
