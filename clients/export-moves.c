/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of the journal as moves. Types, dates and sides are the report's: what a venue takes of a
 * hold or a voucher is a redemption; what gives effect to an order, or takes it back, has that
 * order's type and date of service; what an hour repaid, and what a dispute set aside, is no part
 * of the hour.
 */
#include "export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "words.h"

#define MS_PER_DAY 86400000u
#define KEY_BYTES 4

/* Of an entry that others speak of. */
struct kept {
    uint64_t entry;
    uint64_t reversed_minutes; /* hours without credit */
    int64_t waits_minutes;     /* in transit for it */
    uint32_t service_day;
};

struct open_dispute {
    uint64_t dispute;
    uint64_t entry;
};

struct export_moves {
    struct kept *kept; /* ascending by entry */
    size_t n_kept, n_kept_allocated;
    struct open_dispute *disputes;
    size_t n_disputes, n_disputes_allocated;
    struct export_leg *legs; /* of the entry, and of the move being made */
    struct export_leg *own;
    size_t n_legs_allocated;
};

/* The entry being turned into moves. */
struct turning {
    struct export_moves *moves;
    const struct tb_journal_entry *entry;
    const struct tb_order *subject; /* what it is about: itself, or its target */
    struct export_move move;        /* what all its moves have in common */
    const struct export_leg *legs;
    size_t n_legs;
    int (*each)(void *user, const struct export_move *move);
    void *user;
};

int export_moves_new(struct export_moves **ret) {
    struct export_moves *moves = calloc(1, sizeof(*moves));
    if (!moves)
        return -ENOMEM;
    *ret = moves;
    return 0;
}

struct export_moves *export_moves_free(struct export_moves *moves) {
    if (!moves)
        return NULL;
    free(moves->kept);
    free(moves->disputes);
    free(moves->legs);
    free(moves->own);
    free(moves);
    return NULL;
}

/* ---- what is kept of earlier entries */

static struct kept *kept_find(const struct export_moves *moves, uint64_t entry) {
    size_t low = 0, high = moves->n_kept;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (moves->kept[middle].entry < entry)
            low = middle + 1;
        else
            high = middle;
    }
    return low < moves->n_kept && moves->kept[low].entry == entry ? &moves->kept[low] : NULL;
}

/* Of the entry being read, which is the last one. */
static struct kept *kept_own(struct export_moves *moves, uint64_t entry) {
    struct kept *found = kept_find(moves, entry);
    if (found)
        return found;
    if (moves->n_kept == moves->n_kept_allocated) {
        size_t n = moves->n_kept_allocated ? 2 * moves->n_kept_allocated : 64;
        struct kept *grown = realloc(moves->kept, n * sizeof(*grown));
        if (!grown)
            return NULL;
        moves->kept = grown;
        moves->n_kept_allocated = n;
    }
    moves->kept[moves->n_kept] = (struct kept){.entry = entry};
    return &moves->kept[moves->n_kept++];
}

bool export_moves_waits(const struct export_moves *moves, uint64_t entry) {
    const struct kept *kept = kept_find(moves, entry);
    return kept && kept->waits_minutes > 0;
}

static int dispute_open(struct export_moves *moves, uint64_t dispute, uint64_t entry) {
    if (moves->n_disputes == moves->n_disputes_allocated) {
        size_t n = moves->n_disputes_allocated ? 2 * moves->n_disputes_allocated : 16;
        struct open_dispute *grown = realloc(moves->disputes, n * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        moves->disputes = grown;
        moves->n_disputes_allocated = n;
    }
    moves->disputes[moves->n_disputes++] = (struct open_dispute){dispute, entry};
    return 0;
}

/* The dispute about an entry, which ends with this; 0: there is none. */
static uint64_t dispute_end(struct export_moves *moves, uint64_t entry) {
    for (size_t i = 0; i < moves->n_disputes; i++)
        if (moves->disputes[i].entry == entry) {
            uint64_t dispute = moves->disputes[i].dispute;
            moves->disputes[i] = moves->disputes[--moves->n_disputes];
            return dispute;
        }
    return 0;
}

/* Whose minutes lie in transit because of this entry. */
static int note_transit(struct turning *turning, int64_t minutes) {
    const struct tb_journal_entry *entry = turning->entry;
    uint64_t owner = entry->target_entry;
    if (minutes > 0) {
        struct kept *own = kept_own(turning->moves, entry->entry);
        if (!own)
            return -ENOMEM;
        own->waits_minutes += minutes;
        return entry->order.kind == TB_DISPUTE
                   ? dispute_open(turning->moves, entry->entry, entry->target_entry)
                   : 0;
    }
    if (entry->order.kind == TB_DECIDE)
        owner = dispute_end(turning->moves, entry->target_entry);
    struct kept *kept = kept_find(turning->moves, owner);
    if (kept)
        kept->waits_minutes += minutes;
    return 0;
}

/* ---- what an entry is about */

static bool is_of_target(const struct tb_journal_entry *entry) {
    switch (entry->order.kind) {
    case TB_REVERSE:
    case TB_CONFIRM:
    case TB_APPROVE:
    case TB_DECLINE:
    case TB_WITHDRAW:
    case TB_RELEASE:
    case TB_DECIDE:
    case TB_DISPUTE:
    case TB_CAPTURE:
    case TB_UNMERGE:
        return entry->target_entry != 0;
    default:
        return entry->event != 0;
    }
}

static bool to_is_venue(const struct turning *turning) {
    const char *to = words_to(turning->subject);
    for (size_t i = 0; i < turning->n_legs; i++)
        if (strcmp(turning->legs[i].account, to) == 0)
            return turning->legs[i].account_kind == TB_ACCOUNT_VENUE;
    return false;
}

static const char *type_of_kind(const struct turning *turning, int kind) {
    switch (kind) {
    case TB_CAPTURE:
        return tb_kind_name(TB_REDEEM);
    case TB_REDEEM_VOUCHER:
        return tb_kind_name(to_is_venue(turning) ? TB_REDEEM : TB_REDEEM_VOUCHER);
    case TB_RELEASE:
        return tb_kind_name(TB_HOLD);
    case TB_UNMERGE:
        return tb_kind_name(TB_MERGE);
    default:
        return tb_kind_name(kind);
    }
}

static bool has_leg_of(const struct turning *turning, uint32_t account_kind) {
    for (size_t i = 0; i < turning->n_legs; i++)
        if (turning->legs[i].account_kind == account_kind)
            return true;
    return false;
}

static const char *type_of_event(const struct turning *turning) {
    switch (turning->entry->event) {
    case TB_EVENT_VOUCHERS_EXPIRED: /* or they go back to who paid for them */
        return tb_kind_name(has_leg_of(turning, TB_ACCOUNT_EXPIRED) ? TB_EXPIRE : TB_VOID_VOUCHERS);
    case TB_EVENT_LEAVE_DUE:
        return tb_kind_name(TB_SETTLE);
    default:
        return type_of_kind(turning, (int)turning->subject->kind);
    }
}

/* Sets credits aside, or sets them free: the entry stands as it was. */
static bool is_of_dispute(const struct tb_journal_entry *entry) {
    return entry->order.kind == TB_DISPUTE ||
           (entry->order.kind == TB_DECIDE && entry->order.minutes == 0);
}

static const char *type_of(const struct turning *turning) {
    if (turning->entry->event)
        return type_of_event(turning);
    if (is_of_dispute(turning->entry))
        return tb_kind_name(TB_DISPUTE);
    if (turning->entry->order.kind == TB_CAPTURE)
        return tb_kind_name(TB_REDEEM);
    return type_of_kind(turning, (int)turning->subject->kind);
}

static uint32_t target_day(const struct turning *turning) {
    const struct kept *kept = kept_find(turning->moves, turning->entry->target_entry);
    if (turning->entry->target.service_day)
        return turning->entry->target.service_day;
    return kept && kept->service_day ? kept->service_day : turning->move.recorded_day;
}

/* The order's own date where it has one; what takes effect or falls, that of its target. */
static uint32_t day_of(const struct turning *turning) {
    const struct tb_journal_entry *entry = turning->entry;
    if (entry->event)
        return entry->event == TB_EVENT_CLAIM_ACCEPTED || entry->event == TB_EVENT_HOLD_LAPSED
                   ? target_day(turning)
                   : turning->move.recorded_day;
    if (is_of_target(entry) && !is_of_dispute(entry) &&
        (entry->order.kind != TB_CAPTURE || entry->order.service_day == 0))
        return target_day(turning);
    return entry->order.service_day ? entry->order.service_day : turning->move.recorded_day;
}

static const char *by_of(const struct tb_journal_entry *entry) {
    static const char *const words[] = {"",         "self", "broker", "venue", "organisation",
                                        "guardian", "sheet"};
    if (entry->event)
        return "bank";
    return (size_t)entry->order.authority < N_ELEMENTS(words) ? words[entry->order.authority] : "";
}

static const char *text_or_empty(const char *text) {
    return text ? text : "";
}

static bool takes_back(const struct turning *turning) {
    int kind = (int)turning->entry->order.kind;
    return kind == TB_REVERSE || (kind == TB_DECIDE && turning->entry->order.minutes > 0 &&
                                  turning->subject->kind != TB_REDEEM_VOUCHER);
}

static void fill(struct turning *turning) {
    const struct tb_journal_entry *entry = turning->entry;
    const struct tb_order *subject = turning->subject;
    struct export_move *move = &turning->move;
    move->entry = entry->entry;
    move->recorded_day = (uint32_t)(entry->received_at_ms / MS_PER_DAY);
    move->entered_day = entry->order.claimed_day ? entry->order.claimed_day : move->recorded_day;
    move->service_day = day_of(turning);
    move->type = type_of(turning);
    move->what = entry->event ? tb_event_name(entry->event) : tb_kind_name((int)entry->order.kind);
    move->reverses = takes_back(turning) ? entry->target_entry : 0;
    move->by = by_of(entry);
    for (size_t i = 0; !entry->event && i < KEY_BYTES; i++)
        snprintf(move->key + 2 * i, 3, "%02x", entry->author[i]);
    move->activity = text_or_empty(subject->activity);
    move->offer = text_or_empty(subject->offer);
    move->funder = text_or_empty(subject->funder);
    move->programme = text_or_empty(subject->programme);
    move->sheet = text_or_empty(entry->order.sheet);
    move->line = entry->order.line;
    move->adults = entry->order.adults;
    move->under16 = entry->order.under16;
}

/* ---- sides */

static bool lists(const char *const *codes, size_t n, const char *code) {
    for (size_t i = 0; codes && i < n; i++)
        if (strcmp(codes[i], code) == 0)
            return true;
    return false;
}

static enum export_side side_of(const struct turning *turning, const struct export_leg *leg) {
    const struct tb_order *subject = turning->subject;
    if (subject->kind == TB_SESSION) {
        if (lists(subject->givers, subject->n_givers, leg->account))
            return EXPORT_TO;
        if (lists(subject->receivers, subject->n_receivers, leg->account) ||
            strcmp(text_or_empty(subject->from), leg->account) == 0)
            return EXPORT_FROM;
        return EXPORT_NEITHER;
    }
    if (strcmp(turning->move.type, tb_kind_name(TB_REDEEM)) == 0 &&
        leg->account_kind == TB_ACCOUNT_VENUE)
        return EXPORT_TO;
    if (turning->entry->event == TB_EVENT_VOUCHERS_EXPIRED)
        return leg->account_kind == TB_ACCOUNT_EXPIRED ? EXPORT_TO : EXPORT_NEITHER;
    if (strcmp(words_to(subject), leg->account) == 0)
        return EXPORT_TO;
    return strcmp(words_from(subject), leg->account) == 0 ? EXPORT_FROM : EXPORT_NEITHER;
}

static int legs_grow(struct export_moves *moves, size_t n) {
    if (n <= moves->n_legs_allocated)
        return 0;
    struct export_leg *legs = realloc(moves->legs, n * sizeof(*legs));
    if (legs)
        moves->legs = legs;
    struct export_leg *own = realloc(moves->own, n * sizeof(*own));
    if (own)
        moves->own = own;
    if (!legs || !own)
        return -ENOMEM;
    moves->n_legs_allocated = n;
    return 0;
}

static void add_leg(struct turning *turning, const struct export_leg *leg) {
    struct export_leg *legs = turning->moves->legs;
    for (size_t i = 0; i < turning->n_legs; i++)
        if (strcmp(legs[i].account, leg->account) == 0) {
            legs[i].minutes += leg->minutes;
            return;
        }
    legs[turning->n_legs++] = *leg;
}

/* One leg for each account that something moved on. What nets out stays, with 0 minutes: a dispute
 * that sets free and takes back at once. */
static int take_legs(struct turning *turning) {
    const struct tb_journal_entry *entry = turning->entry;
    struct export_moves *moves = turning->moves;
    int r = legs_grow(moves, entry->n_legs);
    if (r < 0)
        return r;
    turning->legs = moves->legs;
    for (size_t i = 0; i < entry->n_legs; i++)
        if (entry->minutes[i] != 0)
            add_leg(turning, &(struct export_leg){entry->accounts[i], entry->account_kinds[i],
                                                  EXPORT_NEITHER, entry->minutes[i]});
    return 0;
}

/* ---- moves */

static int tell(struct turning *turning, const struct export_move *like, const char *type,
                const struct export_leg *legs, size_t n_legs) {
    struct export_move move = *like;
    move.type = type;
    move.legs = legs;
    move.n_legs = n_legs;
    return turning->each(turning->user, &move);
}

static const struct export_leg *leg_of(const struct turning *turning, const char *account) {
    for (size_t i = 0; i < turning->n_legs; i++)
        if (strcmp(turning->legs[i].account, account) == 0)
            return &turning->legs[i];
    return NULL;
}

static bool is_service(const struct tb_order *order) {
    return order->kind == TB_EXCHANGE || order->kind == TB_EARN || order->kind == TB_SESSION;
}

/* What else it did to the gainer beside what the heading says: repaid an advance, or set free what
 * a dispute had set aside. */
static int tell_beside(struct turning *turning, const char *account, uint32_t account_kind) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < turning->n_legs; i++) {
        const struct export_leg *leg = &turning->legs[i];
        bool is_transit = leg->account_kind == TB_ACCOUNT_TRANSIT;
        if (!is_transit && leg->account_kind != TB_ACCOUNT_ADVANCES)
            continue;
        struct export_move like = turning->move;
        if (is_transit) {
            like.service_day = like.recorded_day;
            like.reverses = 0;
        }
        const struct export_leg legs[] = {
            {account, account_kind, EXPORT_FROM, -leg->minutes},
            {leg->account, leg->account_kind, EXPORT_TO, leg->minutes}};
        r = tell(turning, &like, is_transit ? tb_kind_name(TB_DISPUTE) : "repay", legs, 2);
    }
    return r;
}

/* Minutes from one to another, and what the ledger did beside in the same entry: the side that paid
 * shows how much. 1: it is not of that shape. */
static int tell_between(struct turning *turning) {
    const char *from = words_from(turning->subject), *to = words_to(turning->subject);
    const struct export_leg *paid = leg_of(turning, from), *gained = leg_of(turning, to);
    uint32_t to_kind = gained                                ? gained->account_kind
                       : turning->subject->kind == TB_REDEEM ? TB_ACCOUNT_VENUE
                                                             : TB_ACCOUNT_MEMBER;
    int64_t rest = 0;
    for (size_t i = 0; i < turning->n_legs; i++) {
        const struct export_leg *leg = &turning->legs[i];
        if (leg == paid || leg == gained) /* an advance is paid by the advances themselves */
            continue;
        if (leg->account_kind != TB_ACCOUNT_TRANSIT && leg->account_kind != TB_ACCOUNT_ADVANCES)
            return 1;
        rest += leg->minutes;
    }
    if (!paid || rest == 0 || strcmp(from, to) == 0)
        return 1;
    const struct export_leg legs[] = {{from, paid->account_kind, EXPORT_FROM, paid->minutes},
                                      {to, to_kind, EXPORT_TO, -paid->minutes}};
    int r = tell(turning, &turning->move, turning->move.type, legs, 2);
    return r == 0 ? tell_beside(turning, to, to_kind) : r;
}

/* What each giver gave, and what of it is not on their account. */
static int64_t split_givers(const struct turning *turning, struct export_leg *gave,
                            struct export_leg *paid, size_t *n_paid) {
    const struct tb_order *session = turning->subject;
    int64_t sign = turning->move.reverses ? -1 : 1, sum = 0;
    for (size_t i = 0; i < session->n_givers; i++) {
        const struct export_leg *leg = leg_of(turning, session->givers[i]);
        int64_t minutes = sign * (int64_t)session->giver_minutes[i];
        int64_t kept = leg ? leg->minutes : 0;
        gave[i] = (struct export_leg){session->givers[i], TB_ACCOUNT_MEMBER, EXPORT_TO, minutes};
        if (kept != minutes)
            paid[(*n_paid)++] = (struct export_leg){session->givers[i], TB_ACCOUNT_MEMBER,
                                                    EXPORT_FROM, kept - minutes};
        sum += minutes;
    }
    return sum;
}

/* A session of somebody who owes: what each gave, then what was repaid of it. 1: of another shape.
 */
static int tell_session(struct turning *turning, struct export_leg *gave, struct export_leg *paid) {
    size_t n_gave = turning->subject->n_givers, n_paid = 0;
    int64_t sum = split_givers(turning, gave, paid, &n_paid);
    for (size_t i = 0; i < turning->n_legs; i++) {
        struct export_leg leg = turning->legs[i];
        leg.side = side_of(turning, &leg);
        if (leg.side == EXPORT_TO)
            continue;
        if (leg.account_kind == TB_ACCOUNT_ADVANCES) {
            leg.side = EXPORT_TO;
            paid[n_paid++] = leg;
        } else {
            gave[n_gave++] = leg;
            sum += leg.minutes;
        }
    }
    if (sum != 0 || n_paid == 0)
        return 1;
    int r = tell(turning, &turning->move, turning->move.type, gave, n_gave);
    return r == 0 ? tell(turning, &turning->move, "repay", paid, n_paid) : r;
}

static int split_session(struct turning *turning) {
    size_t n = turning->n_legs + turning->subject->n_givers;
    struct export_leg *legs = calloc(2 * n, sizeof(*legs));
    int r = legs ? tell_session(turning, legs, legs + n) : -ENOMEM;
    free(legs);
    return r;
}

static int tell_whole(struct turning *turning) {
    struct export_leg *own = turning->moves->own;
    size_t n = 0;
    for (size_t i = 0; i < turning->n_legs; i++) {
        if (turning->legs[i].minutes == 0)
            continue;
        own[n] = turning->legs[i];
        own[n].side = side_of(turning, &own[n]);
        n++;
    }
    return n > 0 ? tell(turning, &turning->move, turning->move.type, own, n) : 0;
}

static int tell_legs(struct turning *turning) {
    bool has_beside = false;
    int r = 1;
    for (size_t i = 0; i < turning->n_legs; i++)
        has_beside |= turning->legs[i].account_kind == TB_ACCOUNT_ADVANCES ||
                      turning->legs[i].account_kind == TB_ACCOUNT_TRANSIT;
    if (has_beside && turning->subject->kind == TB_SESSION && turning->subject->givers)
        r = split_session(turning);
    else if (has_beside && (is_service(turning->subject) || takes_back(turning)) &&
             !is_of_dispute(turning->entry))
        r = tell_between(turning);
    return r == 1 ? tell_whole(turning) : r;
}

/* Hours without credit: counted on the giver's account, which they leave as it is. */
static int tell_log(struct turning *turning) {
    const struct tb_journal_entry *entry = turning->entry;
    struct export_moves *moves = turning->moves;
    int64_t minutes = (int64_t)entry->order.minutes;
    const char *giver = words_to(turning->subject);
    if (entry->order.kind == TB_REVERSE) {
        struct kept *kept = kept_find(moves, entry->target_entry);
        uint64_t before = kept ? kept->reversed_minutes : 0;
        if (minutes == 0)
            minutes = (int64_t)(entry->target.minutes - before);
        if (kept)
            kept->reversed_minutes += (uint64_t)minutes;
        minutes = -minutes;
    } else if (entry->order.kind != TB_LOG) {
        return 0; /* a confirm of it, that moves nothing */
    } else if (!kept_own(moves, entry->entry)) {
        return -ENOMEM;
    }
    turning->move.minutes_without_credit = minutes;
    const struct export_leg leg = {giver, TB_ACCOUNT_MEMBER, EXPORT_TO, 0};
    return tell(turning, &turning->move, turning->move.type, &leg, 1);
}

static int note(struct turning *turning) {
    const struct tb_journal_entry *entry = turning->entry;
    int r = 0;
    for (size_t i = 0; r == 0 && i < turning->n_legs; i++)
        if (turning->legs[i].account_kind == TB_ACCOUNT_TRANSIT)
            r = note_transit(turning, turning->legs[i].minutes);
    if (r < 0 || entry->event || entry->order.service_day != 0)
        return r;
    struct kept *own = kept_own(turning->moves, entry->entry);
    if (!own)
        return -ENOMEM;
    own->service_day = turning->move.service_day;
    return 0;
}

int export_moves_of(struct export_moves *moves, const struct tb_journal_entry *entry,
                    int (*each)(void *user, const struct export_move *move), void *user) {
    struct turning turning = {.moves = moves, .entry = entry, .each = each, .user = user};
    turning.subject = is_of_target(entry) ? &entry->target : &entry->order;
    bool is_log = turning.subject->kind == TB_LOG;
    int r = take_legs(&turning);
    if (r < 0 || (turning.n_legs == 0 && !is_log))
        return r;
    fill(&turning);
    r = note(&turning);
    if (r < 0)
        return r;
    return is_log ? tell_log(&turning) : tell_legs(&turning);
}
