/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is a member: who was one before the period, joined in it and left in it; who never exchanged;
 * and how long it took from joining to a first entry. proto/measures.def has the definitions.
 *
 * Members are persons of members' accounts. The first person of an account is one of which nothing
 * was said, and may be in no entry at all, so that only the account stands for them.
 */
#include "report-members.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LONG_DAYS 90
#define NO_DAY REPORT_MEMBERS_NEVER

struct member {
    uint32_t joined_day;
    uint32_t left_day; /* NO_DAY: has not */
    bool is_there;
};

/* Persons of accounts: the first ones by account, others by number of person. */
struct members {
    struct member *firsts;
    struct member *others;
};

static void members_fini(struct members *members) {
    free(members->firsts);
    free(members->others);
}

/* ---- who they are */

static bool is_member_account(const struct facts *facts, uint32_t account) {
    return facts->accounts[account].kind == TIMEBANK__ACCOUNT_KIND__MEMBER;
}

static bool is_first(const char *name) {
    return name[0] == '\0' || strcmp(name, "1") == 0;
}

static void come(struct member *member, uint32_t day) {
    if (!member->is_there || day < member->joined_day)
        member->joined_day = day;
    member->is_there = true;
    member->left_day = NO_DAY;
}

static void go(struct member *member, uint32_t day) {
    if (member->is_there && member->left_day == NO_DAY)
        member->left_day = MAX_OF(day, member->joined_day);
}

static void note_accounts(const struct report_pick *pick, struct members *members) {
    const struct facts *facts = pick->facts;
    for (uint32_t i = 0; i < facts->n_accounts; i++)
        if (is_member_account(facts, i) && facts->accounts[i].opened.index < pick->size)
            come(&members->firsts[report_pick_account(pick, i)], facts->accounts[i].joined_day);
}

static void note_person(const struct report_pick *pick, const struct fact_standing *standing,
                        uint32_t day, struct members *members) {
    const char *name = facts_person_name(pick->facts, standing->person);
    struct member *member = is_first(name)
                                ? &members->firsts[report_pick_account(pick, standing->account)]
                                : &members->others[report_pick_person(pick, standing->person)];
    if (standing->is_gone)
        go(member, day);
    else
        come(member, day);
}

/* Of an account that ended all go. */
static void note_ends(const struct report_pick *pick, const uint32_t *ends,
                      struct members *members) {
    const struct facts *facts = pick->facts;
    for (uint32_t i = 0; i < facts->n_accounts; i++)
        if (ends[i] != NO_DAY)
            go(&members->firsts[i], ends[i]);
    for (uint32_t i = 0; i < facts->persons.n_keys; i++) {
        uint32_t account = report_pick_account(pick, facts_person_account(facts, i));
        if (ends[account] != NO_DAY)
            go(&members->others[report_pick_person(pick, i)], ends[account]);
    }
}

static uint32_t day_known(const struct report_pick *pick, const struct fact_entered *entered) {
    return entered->claimed_day != 0 && !pick->as_recorded ? entered->claimed_day
                                                           : entered->recorded_day;
}

static bool is_known_standing(const struct report_pick *pick,
                              const struct fact_standing *standing) {
    return is_member_account(pick->facts, standing->account) &&
           report_pick_knows(pick, &standing->entered);
}

int report_members_ends(const struct report_pick *pick, uint32_t **ret) {
    const struct facts *facts = pick->facts;
    uint32_t *ends = malloc((facts->n_accounts + 1) * sizeof(*ends));
    if (!ends)
        return -ENOMEM;
    memset(ends, 0xff, (facts->n_accounts + 1) * sizeof(*ends));
    for (size_t i = 0; i < facts->n_standings; i++) {
        const struct fact_standing *standing = &facts->standings[i];
        if (standing->person != INTERN_NONE || !is_known_standing(pick, standing))
            continue;
        uint32_t *end = &ends[report_pick_account(pick, standing->account)];
        *end = MIN_OF(*end, day_known(pick, &standing->entered));
    }
    *ret = ends;
    return 0;
}

static int note_standings(const struct report_pick *pick, struct members *members) {
    const struct facts *facts = pick->facts;
    _cleanup_(freep) uint32_t *ends = NULL;
    int r = report_members_ends(pick, &ends);
    if (r < 0)
        return r;
    for (size_t i = 0; i < facts->n_standings; i++) {
        const struct fact_standing *standing = &facts->standings[i];
        if (standing->person != INTERN_NONE && is_known_standing(pick, standing))
            note_person(pick, standing, day_known(pick, &standing->entered), members);
    }
    note_ends(pick, ends, members);
    return 0;
}

static int members_init(struct members *ret, const struct report_pick *pick) {
    ret->firsts = calloc(pick->facts->n_accounts + 1, sizeof(*ret->firsts));
    ret->others = calloc(pick->n_persons + 1, sizeof(*ret->others));
    if (!ret->firsts || !ret->others)
        return -ENOMEM;
    note_accounts(pick, ret);
    return note_standings(pick, ret);
}

/* The member who is that person, or NULL. */
static const struct member *member_of(const struct report_pick *pick, const struct members *members,
                                      uint32_t person) {
    const struct facts *facts = pick->facts;
    uint32_t account = report_pick_account(pick, facts_person_account(facts, person));
    const struct member *member = is_first(facts_person_name(facts, person))
                                      ? &members->firsts[account]
                                      : &members->others[report_pick_person(pick, person)];
    return member->is_there ? member : NULL;
}

int report_members_joined(const struct report_pick *pick, struct report_person *persons) {
    _cleanup_(members_fini) struct members members = {0};
    int r = members_init(&members, pick);
    for (uint32_t i = 0; r == 0 && i < pick->facts->persons.n_keys; i++) {
        const struct member *member = member_of(pick, &members, i);
        if (member)
            persons[report_pick_person(pick, i)].joined_day = member->joined_day;
    }
    return r;
}

/* ---- figures */

struct heads {
    uint64_t opening, joined, left, closing, never;
    uint32_t *waits; /* days from joining to the first entry */
    size_t n_waits;
};

static void count_member(const struct report_pick *pick, const struct member *member,
                         const struct report_person *persons, uint32_t person,
                         struct heads *heads) {
    const struct report_period *period = &pick->period;
    int64_t joined = member->joined_day;
    int64_t left = member->left_day == NO_DAY ? INT64_MAX : member->left_day;
    if (!member->is_there)
        return;
    bool is_closing = joined <= period->to_day && left > period->to_day;
    heads->opening += joined < period->from_day && left >= period->from_day;
    heads->joined += report_period_holds(period, member->joined_day);
    heads->left += left >= period->from_day && left <= period->to_day;
    heads->closing += is_closing;
    heads->never += is_closing && joined + LONG_DAYS <= period->to_day &&
                    (person == INTERN_NONE || !(persons[person].did & REPORT_EXCHANGED));
    if (report_period_holds(period, member->joined_day) && person != INTERN_NONE &&
        persons[person].first_day != NO_DAY)
        heads->waits[heads->n_waits++] = persons[person].first_day - member->joined_day;
}

/* The person as rows have them: that of the account which goes on. */
static int number_firsts(const struct report_pick *pick, uint32_t **ret) {
    const struct facts *facts = pick->facts;
    uint32_t *numbers = malloc((facts->n_accounts + 1) * sizeof(*numbers));
    if (!numbers)
        return -ENOMEM;
    memset(numbers, 0xff, (facts->n_accounts + 1) * sizeof(*numbers));
    for (uint32_t i = 0; i < facts->persons.n_keys; i++)
        if (is_first(facts_person_name(facts, i)))
            numbers[report_pick_account(pick, facts_person_account(facts, i))] =
                report_pick_person(pick, i);
    *ret = numbers;
    return 0;
}

static int compare_days(const void *a, const void *b) {
    const uint32_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

static uint32_t median(uint32_t *days, size_t n) {
    if (n == 0)
        return 0;
    qsort(days, n, sizeof(*days), compare_days);
    return days[(n + 1) / 2 - 1];
}

static int put(void *user, const struct report_pick *pick, struct report_out *out) {
    _cleanup_(members_fini) struct members members = {0};
    _cleanup_(freep) uint32_t *numbers = NULL;
    (void)user;
    size_t n_accounts = pick->facts->n_accounts;
    _cleanup_(freep) uint32_t *waits = calloc(n_accounts + pick->n_persons + 1, sizeof(*waits));
    if (!waits)
        return -ENOMEM;
    int r = members_init(&members, pick);
    if (r == 0)
        r = number_firsts(pick, &numbers);
    if (r < 0)
        return r;
    struct heads heads = {.waits = waits};
    for (uint32_t i = 0; i < n_accounts; i++)
        count_member(pick, &members.firsts[i], out->persons, numbers[i], &heads);
    for (uint32_t i = 0; i < pick->n_persons; i++)
        count_member(pick, &members.others[i], out->persons, i, &heads);
    report_json_put(out->further, "members_opening", heads.opening);
    report_json_put(out->further, "members_joined", heads.joined);
    report_json_put(out->further, "members_left", heads.left);
    report_json_put(out->further, "members_closing", heads.closing);
    report_json_put(out->further, "never_exchanged", heads.never);
    report_json_put(out->further, "median_days_to_first_entry", median(heads.waits, heads.n_waits));
    return 0;
}

const struct report_part report_members = {.put = put};
