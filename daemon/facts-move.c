/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where credits went, leg by leg. Credits that are held for somebody lie in transit, and count
 * where they are held for: so a gift on its way and a booked seat are outstanding, and what a venue
 * took and somebody disputes is not.
 */
#include <errno.h>

#include "facts-private.h"

static enum fact_place place_of(Timebank__AccountKind kind) {
    switch (kind) {
    case TIMEBANK__ACCOUNT_KIND__ISSUED:
        return PLACE_ISSUED;
    case TIMEBANK__ACCOUNT_KIND__ADVANCES:
        return PLACE_ADVANCES;
    case TIMEBANK__ACCOUNT_KIND__EXPIRED:
        return PLACE_EXPIRED;
    case TIMEBANK__ACCOUNT_KIND__RETIRED:
        return PLACE_RETIRED;
    case TIMEBANK__ACCOUNT_KIND__WRITE_OFFS:
        return PLACE_WRITE_OFFS;
    case TIMEBANK__ACCOUNT_KIND__BANK:
        return PLACE_BANKS;
    case TIMEBANK__ACCOUNT_KIND__VENUE:
        return PLACE_VENUES;
    case TIMEBANK__ACCOUNT_KIND__TRANSIT:
        return PLACE_TRANSIT;
    default:
        return PLACE_OUTSTANDING;
    }
}

/* Where credits lie in transit nobody has them. */
static int keep_change(struct facts *facts, uint32_t account, Timebank__AccountKind kind,
                       int64_t minutes) {
    if (minutes == 0 || kind == TIMEBANK__ACCOUNT_KIND__TRANSIT)
        return 0;
    int r = GROW(facts, changes);
    if (r < 0)
        return r;
    facts->changes[facts->n_changes++] =
        (struct fact_change){.account = account, .minutes = minutes};
    return 0;
}

int facts_move_sum(struct facts *facts, struct facts_reading *reading) {
    facts->n_changes = 0;
    for (size_t i = 0; i < reading->n_legs; i++) {
        const struct fact_leg *leg = &reading->legs[i];
        if (leg->account >= facts->n_opened)
            return -EBADMSG;
        struct fact_account *account = &facts->accounts[facts->opened[leg->account]];
        int64_t *moved = &reading->moved[place_of(account->kind)], held;
        if (__builtin_sub_overflow(leg->held_after, account->held, &held) ||
            __builtin_add_overflow(*moved, leg->minutes, moved) ||
            __builtin_add_overflow(*moved, held, moved))
            return -EBADMSG;
        account->held = leg->held_after;
        int r = keep_change(facts, facts->opened[leg->account], account->kind, leg->minutes + held);
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_moved(struct facts *facts, const struct fact_aside *moved) {
    if (moved->order == INTERN_NONE || facts->orders[moved->order].entered.index != FACTS_NEVER)
        return facts_block_add_moved(facts, moved);
    uint32_t wait = facts->orders[moved->order].wait;
    if (facts->orders[moved->order].kind == TIMEBANK__ORDER__KIND_HOLD ||
        (wait != INTERN_NONE && facts->waits[wait].ended.index != FACTS_NEVER))
        return 0; /* takes no effect any more, or never did */
    int r = GROW(facts, asides);
    if (r < 0)
        return r;
    facts->asides[facts->n_asides++] = *moved;
    return 0;
}

/* Legs and flow of the record, in their blocks or kept aside. */
static int add_changes(struct facts *facts, const struct facts_reading *reading, bool flows) {
    struct fact_aside moved = {.order = reading->about,
                               .entered = reading->entered,
                               .service_day = reading->service_day,
                               .kind = reading->kind};
    if (reading->about != INTERN_NONE && facts->orders[reading->about].entered.index != FACTS_NEVER)
        moved.entered =
            facts_known_later(&reading->entered, &facts->orders[reading->about].entered);
    int r = 0;
    for (size_t i = 0; r == 0 && i < facts->n_changes; i++) {
        moved.account = facts->changes[i].account;
        moved.minutes[0] = facts->changes[i].minutes;
        r = add_moved(facts, &moved);
    }
    if (r < 0 || !flows)
        return r;
    moved.account = INTERN_NONE;
    for (size_t i = 0; i < FACTS_N_PLACES; i++)
        moved.minutes[i] = reading->moved[i];
    return add_moved(facts, &moved);
}

int facts_move_add(struct facts *facts, const struct facts_reading *reading) {
    bool moves = false;
    for (size_t i = 0; i < FACTS_N_PLACES; i++)
        moves |= i != PLACE_TRANSIT && reading->moved[i] != 0;
    if (moves && reading->about == INTERN_NONE)
        return -EBADMSG;
    int r = add_changes(facts, reading, moves);
    if (r == 0 && moves)
        r = facts_known_effect(facts, &reading->entered);
    if (r < 0 || !moves)
        return r;
    r = GROW(facts, moves);
    if (r < 0)
        return r;
    struct fact_move *move = &facts->moves[facts->n_moves++];
    *move = (struct fact_move){.entered = reading->entered,
                               .service_day = reading->service_day,
                               .order = reading->about,
                               .kind = reading->kind};
    for (size_t i = 0; i < FACTS_N_PLACES; i++)
        move->minutes[i] = reading->moved[i];
    return 0;
}

int facts_move_join(struct facts *facts, uint32_t order) {
    const struct fact_entered *entered = &facts->orders[order].entered;
    int r = 0;
    for (size_t i = 0; r == 0 && i < facts->n_asides; i++) {
        struct fact_aside moved = facts->asides[i];
        if (moved.order != order)
            continue;
        moved.entered = facts_known_later(entered, &moved.entered);
        r = facts_block_add_moved(facts, &moved);
    }
    facts_move_drop(facts, order);
    return r;
}

void facts_move_drop(struct facts *facts, uint32_t order) {
    size_t n = 0;
    for (size_t i = 0; i < facts->n_asides; i++)
        if (facts->asides[i].order != order)
            facts->asides[n++] = facts->asides[i];
    facts->n_asides = n;
}

bool facts_move_has(const struct facts *facts, const struct facts_reading *reading,
                    uint32_t account) {
    for (size_t i = 0; i < reading->n_legs; i++)
        if (facts->opened[reading->legs[i].account] == account)
            return true;
    return false;
}
