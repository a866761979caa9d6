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

int facts_move_sum(struct facts *facts, struct facts_reading *reading) {
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
    }
    return 0;
}

int facts_move_add(struct facts *facts, const struct facts_reading *reading) {
    bool moves = false;
    for (size_t i = 0; i < FACTS_N_PLACES; i++)
        moves |= i != PLACE_TRANSIT && reading->moved[i] != 0;
    if (!moves)
        return 0;
    if (reading->about == INTERN_NONE)
        return -EBADMSG;
    int r = GROW(facts, moves);
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

bool facts_move_has(const struct facts *facts, const struct facts_reading *reading,
                    uint32_t account) {
    for (size_t i = 0; i < reading->n_legs; i++)
        if (facts->opened[reading->legs[i].account] == account)
            return true;
    return false;
}
