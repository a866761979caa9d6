/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where credits went, leg by leg. Credits that are held for somebody lie in transit, and count
 * where they are held for: so a gift on its way and a booked seat are outstanding, and what a venue
 * took and somebody disputes is not.
 */
#include <errno.h>

#include "facts-private.h"

enum fact_place facts_move_place(Timebank__AccountKind kind) {
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
        int64_t *moved = &reading->moved[facts_move_place(account->kind)], held;
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

/* What is about something that has no effect waits with it; a hold takes none itself, and what fell
 * never will. */
static int add_moved(struct facts *facts, const struct facts_reading *reading,
                     const struct fact_aside *moved) {
    if (reading->about == INTERN_NONE || reading->about_entered.index != FACTS_NEVER)
        return facts_block_add_moved(facts, moved);
    struct facts_waiting *waiting = facts_wait_find(facts, reading->about);
    if (!waiting || waiting->order.kind == TIMEBANK__ORDER__KIND_HOLD)
        return 0;
    int r = GROW(waiting, asides);
    if (r == 0)
        waiting->asides[waiting->n_asides++] = *moved;
    return r;
}

static int add_legs(struct facts *facts, const struct facts_reading *reading,
                    const struct fact_aside *from) {
    struct fact_aside leg = *from;
    int r = 0;
    if (facts_block_is_plain(facts, reading->about, reading->entered.index, facts->changes,
                             facts->n_changes))
        return 0;
    for (size_t i = 0; r == 0 && i < facts->n_changes; i++) {
        leg.account = facts->changes[i].account;
        leg.minutes[0] = facts->changes[i].minutes;
        r = add_moved(facts, reading, &leg);
    }
    return r;
}

int facts_move_add(struct facts *facts, const struct facts_reading *reading) {
    struct fact_aside moved = {.entered = reading->entered,
                               .order = reading->about,
                               .account = INTERN_NONE,
                               .service_day = reading->service_day,
                               .kind = reading->kind};
    bool moves = false;
    for (size_t i = 0; i < FACTS_N_PLACES; i++)
        moves |= i != PLACE_TRANSIT && reading->moved[i] != 0;
    if (moves && reading->about == INTERN_NONE)
        return -EBADMSG;
    if (reading->about != INTERN_NONE && reading->about_entered.index != FACTS_NEVER)
        moved.entered = facts_known_later(&reading->entered, &reading->about_entered);
    int r = add_legs(facts, reading, &moved);
    if (r == 0 && moves) /* what fell due may be the latest of all */
        r = facts_known_effect(facts, &reading->entered);
    if (r < 0 || !moves)
        return r;
    for (size_t i = 0; i < FACTS_N_PLACES; i++)
        moved.minutes[i] = i == PLACE_TRANSIT ? 0 : reading->moved[i];
    return add_moved(facts, reading, &moved);
}

bool facts_move_has(const struct facts *facts, const struct facts_reading *reading,
                    uint32_t account) {
    for (size_t i = 0; i < reading->n_legs; i++)
        if (facts->opened[reading->legs[i].account] == account)
            return true;
    return false;
}
