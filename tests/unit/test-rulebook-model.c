/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded random orders of every kind, with what falls due between them, policies changing, several
 * keys and months going by, against the ledger and against a plain model (rulebook-model.c). After
 * each order the two agree on whether it stands; after each batch on every balance; at the end of
 * each book it is replayed from record 0.
 *
 * RULEBOOK_ORDERS=n goes on for n orders (10,000 else, a million in a nightly run), RULEBOOK_SEED=n
 * begins with another book.
 */
#include "books.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "helpers.h"
#include "proto/voucher.h"
#include "rulebook-model.h"

TestSuite(rulebook_model, .timeout = 36000);

#define ORDERS_OF_A_BOOK 2000 /* recorded */
#define BATCH_MAX 4
#define N_MEMBERS 12
#define KIND(NAME) TIMEBANK__ORDER__KIND_##NAME
#define ACCOUNT(NAME) TIMEBANK__ACCOUNT_KIND__##NAME

static uint64_t seed;
static int author;
static bool is_first; /* of its batch, which has one author */
static uint8_t secret[SSHSIG_SECRET_BYTES];
static uint64_t n_seen[MODEL_REFUSALS], n_kinds[100], n_events[16], n_judged, n_recorded;

static uint64_t below(uint64_t n) {
    return random_next(&seed) % n;
}

static bool one_in(uint64_t n) {
    return below(n) == 0;
}

static uint64_t quarters(uint64_t most) {
    return 15 * (1 + below(most));
}

/* ---- who and what */

/* An account of a kind; mostly an open one. Codes stay where they are while the model grows. */
static const char *any_of(int kind) {
    int found[MODEL_ACCOUNTS], n = 0;
    bool only_open = !one_in(20);
    for (int i = 0; i < model.n_accounts; i++) {
        const struct model_account *a = &model.accounts[i];
        if (a->kind == kind && !(only_open && (a->is_closed || a->is_frozen)))
            found[n++] = i;
    }
    return n ? model.accounts[found[below((uint64_t)n)]].code : "m1";
}

static const char *any_member(void) {
    return one_in(150) ? "m99" : any_of(ACCOUNT(MEMBER));
}

static const char *any_account(void) {
    return model.accounts[below((uint64_t)model.n_accounts)].code;
}

static const char *own(void) {
    return model_authors[author].account;
}

static bool is_author(char role) {
    return model_authors[author].role == role;
}

/* The author's own, where they act for one, or somebody they look after; else anybody's. */
static const char *own_or(const char *code) {
    if (!*own() || is_author('b') || one_in(30))
        return code;
    for (int i = 0; i < model.n_mandates && one_in(3); i++)
        if (strcmp(model.accounts[model.mandates[i].holder].code, own()) == 0 && one_in(2))
            return model.accounts[model.mandates[i].ward].code;
    return own();
}

static uint64_t any_minutes(void) {
    if (one_in(80))
        return 0;
    return one_in(50) ? 1 + below(100) : quarters(one_in(12) ? 60 : 10);
}

static void set_authority(Timebank__Order *order, const char *acting_for) {
    if (is_author('m') && order->kind_case < 64 && *acting_for && strcmp(acting_for, own()) != 0 &&
        !one_in(10))
        order->authority = TIMEBANK__AUTHORITY__BY_GUARDIAN;
}

static const struct model_entry *any_entry(void) {
    uint64_t back = below(one_in(2) ? 12 : 300);
    return back < (uint64_t)model.n_entries ? &model.entries[model.n_entries - 1 - (int)back]
                                            : NULL;
}

static bool is_any_kind(const struct model_entry *e, const char *kinds) {
    return kinds[0] == '\0' || strchr(kinds, e->kind);
}

/* An entry of one of these kinds, a late one, or any at all. */
static const Timebank__Order *entry_of(const char *kinds) {
    const struct model_entry *e = NULL;
    for (int i = 0; i < 40 && !e; i++) {
        e = any_entry();
        if (e && !is_any_kind(e, kinds) && !one_in(60))
            e = NULL;
    }
    return e ? e->order : NULL;
}

/* The entry that something that waits is about. */
static int about(int wait) {
    for (int i = 0; i < model.n_entries; i++)
        if (model.entries[i].dispute == wait)
            return i;
    return model.waits[wait].entry;
}

/* The order behind something that waits. */
static const Timebank__Order *waiting(unsigned whats) {
    int found[200], n = 0;
    for (int i = model.n_waits; i-- > 0 && n < 200;)
        if (!model.waits[i].is_over && whats >> model.waits[i].what & 1)
            found[n++] = about(i);
    if (n == 0 || one_in(15))
        return entry_of("");
    return model.entries[found[below((uint64_t)n)]].order;
}

static ProtobufCBinaryData id_of(const Timebank__Order *order) {
    static const uint8_t nobody[16] = {7};
    return order && !one_in(80) ? target_of(order) : keep_bytes(nobody, sizeof(nobody));
}

static ProtobufCBinaryData quote(const Timebank__Order *order) {
    ProtobufCBinaryData quoted = order ? quote_of(order) : keep_bytes("", 0);
    if (one_in(20))
        memset(quoted.data, 0xee, quoted.len);
    return quoted;
}

/* Who may answer comes up more often than chance would have it. */
static void as_party(const Timebank__Order *order) {
    if (!order || !is_first || one_in(4))
        return;
    for (int i = 0; i < MODEL_AUTHORS; i++)
        if (*model_authors[i].account && one_in(2) &&
            (strcmp(model_authors[i].account, order->from) == 0 ||
             strcmp(model_authors[i].account, order->to) == 0)) {
            author = i;
            as(model_authors[i].key);
        }
}

static const char *member_code(uint64_t number) {
    char text[24];
    snprintf(text, sizeof(text), "m%llu", (unsigned long long)number);
    return (const char *)keep_bytes(text, strlen(text) + 1).data;
}

/* ---- entries */

/* Now and then what was entered before is entered again. */
static void repeat_figures(Timebank__Order *order) {
    static const char exchanges[] = {KIND(EXCHANGE), 0};
    const Timebank__Order *earlier = one_in(25) ? entry_of(exchanges) : NULL;
    if (!earlier || earlier->kind_case != order->kind_case)
        return;
    order->from = earlier->from;
    order->to = earlier->to;
    order->minutes = earlier->minutes;
    order->service_day = earlier->service_day;
    order->activity = earlier->activity;
}

static Timebank__Order *any_time(void) {
    const char *giver = any_member(), *receiver = any_member();
    bool is_claim = is_author('m') && one_in(2), may_all = !is_author('m') || one_in(20);
    uint64_t minutes = any_minutes();
    uint64_t what = is_author('o') ? 0 : may_all || is_claim ? below(5) : 2;
    if (is_claim && what == 1 && !one_in(20))
        what = 2;
    if (is_claim)
        giver = own_or(giver);
    else if (what)
        receiver = own_or(receiver);
    Timebank__Order *order = what == 0   ? earn(any_of(ACCOUNT(ORGANISATION)), giver, minutes)
                             : what == 1 ? log_hours(giver, minutes)
                                         : exchange(receiver, giver, minutes);
    set_authority(order, is_claim ? giver : receiver);
    if (strcmp(order->from, order->to) == 0 && !one_in(20))
        order->from = (char *)(is_claim || what == 1 ? "m7" : order->from);
    repeat_figures(order);
    if (one_in(3))
        order->activity = "cooking";
    if (one_in(60))
        order->activity = "juggling";
    return order;
}

static Timebank__Order *any_credit(void) {
    const char *member = own_or(any_member()), *other = one_in(40) ? any_account() : any_member();
    uint64_t minutes = any_minutes();
    Timebank__Order *order;
    switch (is_author('m') && !one_in(20) ? 3 * below(2) : below(6)) {
    case 0:
        order = donate(member, minutes);
        break;
    case 1:
        return grant(one_in(3) ? "chest" : "issued", other, minutes);
    case 2:
        order = issue(any_of(ACCOUNT(ORGANISATION)), 4 * minutes);
        if (one_in(20))
            order->issue->funder = "lottery";
        if (one_in(3))
            order->issue->programme = one_in(3) ? "winter" : "summer";
        return order;
    default:
        order = gift(member, other, minutes);
    }
    set_authority(order, member);
    return order;
}

static uint64_t *any_lines(size_t n) {
    uint64_t minutes[MODEL_LINES];
    for (size_t i = 0; i < n; i++)
        minutes[i] = one_in(100) ? below(40) : quarters(8);
    return (uint64_t *)keep_bytes(minutes, n * sizeof(*minutes)).data;
}

static char **any_codes(size_t n) {
    const char *codes[MODEL_LINES];
    for (size_t i = 0; i < n; i++)
        codes[i] = any_member();
    return (char **)keep_bytes(codes, n * sizeof(*codes)).data;
}

static Timebank__Order *any_session(void) {
    bool is_paid = is_author('o') || one_in(4);
    Timebank__Order *order =
        ENTER(session, SESSION, is_paid ? any_of(ACCOUNT(ORGANISATION)) : "", "", 0);
    Timebank__Session *s = order->session;
    order->activity = "cooking";
    s->n_givers = s->n_giver_minutes = 1 + below(2);
    s->givers = any_codes(s->n_givers);
    s->giver_minutes = any_lines(s->n_givers);
    s->n_receivers = s->n_receiver_minutes = is_paid && !one_in(20) ? 0 : below(4);
    s->receivers = any_codes(s->n_receivers);
    s->receiver_minutes = any_lines(s->n_receivers);
    s->rest = is_paid ? 0 : (Timebank__SessionRest)below(3);
    for (size_t i = 0; i < s->n_givers; i++)
        order->minutes += s->giver_minutes[i];
    if (one_in(50))
        order->minutes += 15;
    return order;
}

static Timebank__Order *any_advance(void) {
    const char *member = any_member();
    uint64_t minutes = any_minutes();
    Timebank__Order *order = one_in(2) ? ENTER(advance, ADVANCE, "advances", member, minutes)
                                       : ENTER(pledge, PLEDGE, "advances", member, minutes);
    if (order->kind_case == KIND(PLEDGE))
        order->pledge->due_day = today() + (uint32_t)below(20) - (one_in(20) ? 20 : 0);
    return order;
}

static Timebank__Order *any_transfer(void) {
    const char *member = any_member();
    uint64_t minutes = any_minutes(), id[2] = {one_in(30) ? 1 : n_judged, 3};
    bool is_out = one_in(2);
    Timebank__Order *order = ENTER(transfer, TRANSFER, is_out ? member : "bank:river",
                                   is_out ? "bank:river" : member, minutes);
    order->transfer->transfer_id = keep_bytes(id, sizeof(id));
    return order;
}

/* ---- agreeing and taking back */

static Timebank__Order *any_reversal(void) {
    const Timebank__Order *target = entry_of("");
    if (is_author('v') && !one_in(3))
        for (int i = model.n_entries; i-- > 0;)
            if (model.accounts[model_account("swim")].last == i)
                target = model.entries[i].order;
    Timebank__Order *order = ENTER(reverse, REVERSE, "", "", one_in(3) ? any_minutes() : 0);
    order->reverse->target = id_of(target);
    return order;
}

/* It waits for a second broker. */
static bool needs_second(const Timebank__Order *order) {
    for (int i = 0; i < model.n_waits; i++)
        if (!model.waits[i].is_over && model.waits[i].what == APPROVAL &&
            model.entries[model.waits[i].entry].order == order)
            return true;
    return false;
}

static bool is_any_waiting(unsigned whats) {
    for (int i = 0; i < model.n_waits; i++)
        if (!model.waits[i].is_over && whats >> model.waits[i].what & 1)
            return true;
    return false;
}

static Timebank__Order *any_answer(void) {
    const Timebank__Order *target =
        one_in(8) ? entry_of("") : waiting(1u << GIFT | 1u << CLAIM | 1u << APPROVAL);
    Timebank__Order *order;
    uint64_t what = below(6);
    if (target && !one_in(5))
        what = needs_second(target) ? 3 + below(3) : what == 3 ? 0 : what;
    as_party(target);
    if (what < 3) {
        order = ENTER(confirm, CONFIRM, "", "", 0);
        order->confirm->target = id_of(target);
        order->confirm->quote = quote(target);
    } else if (what == 3) {
        order = ENTER(approve, APPROVE, "", "", 0);
        order->approve->target = id_of(target);
        order->approve->quote = quote(target);
    } else if (what == 4) {
        order = ENTER(decline, DECLINE, "", "", 0);
        order->decline->target = id_of(target);
    } else {
        order = ENTER(withdraw, WITHDRAW, "", "", 0);
        order->withdraw->target = id_of(target);
    }
    if (is_author('m') && one_in(10))
        order->authority = TIMEBANK__AUTHORITY__BY_GUARDIAN;
    return order;
}

static const char contested[] = {KIND(EXCHANGE), KIND(EARN), KIND(GIFT), KIND(REDEEM), 0};

static Timebank__Order *any_dispute(void) {
    const Timebank__Order *target;
    Timebank__Order *order;
    if (one_in(2) || (!one_in(20) && !is_any_waiting(1u << DISPUTE | 1u << CONFLICT))) {
        target = entry_of(contested);
        as_party(target);
        order = ENTER(dispute, DISPUTE, "", "", 0);
        order->dispute->target = id_of(target);
    } else {
        target = waiting(1u << DISPUTE | 1u << CONFLICT);
        order = ENTER(decide, DECIDE, "", "", one_in(2) ? 0 : any_minutes());
        order->decide->target = id_of(target);
    }
    return one_in(12) ? order : with_why(order, 0);
}

/* ---- venues */

static const char *any_offer(int venue) {
    int i = (int)below((uint64_t)model.n_offers);
    if (one_in(40))
        return "sauna";
    while (model.offers[i].venue != venue)
        i = (i + 1) % model.n_offers;
    return model.offers[i].set->name;
}

static uint64_t price_of(int venue, const char *offer) {
    for (int i = 0; i < model.n_offers; i++)
        if (model.offers[i].venue == venue && strcmp(model.offers[i].set->name, offer) == 0)
            return model.offers[i].set->price_minutes;
    return 60;
}

static const char *any_venue(void) {
    return is_author('v') && !one_in(30) ? "swim" : any_of(ACCOUNT(VENUE));
}

static Timebank__Order *any_redemption(void) {
    const char *venue = any_venue(), *member = any_member();
    uint32_t adults = (uint32_t)below(3), under16 = (uint32_t)below(2);
    int at = model_account(venue);
    const char *offer =
        any_offer(model.accounts[at].kind == ACCOUNT(VENUE) ? at : model.offers[0].venue);
    uint64_t minutes = one_in(15) ? any_minutes() : price_of(at, offer) * (adults + under16);
    Timebank__Order *order;
    if (!one_in(3) && !is_author('m')) {
        order = redeem(member, venue, adults, minutes);
        order->redeem->offer = (char *)offer;
        order->redeem->under16 = under16;
        return order;
    }
    order = ENTER(hold, HOLD, is_author('m') ? own_or(member) : member, venue, minutes);
    set_authority(order, order->from);
    order->service_day = today() + (uint32_t)below(6) - one_in(20);
    order->hold->offer = (char *)offer;
    order->hold->adults = adults;
    order->hold->under16 = under16;
    order->hold->until_ms = (order->service_day + below(8)) * 86400000ull + below(86400000);
    return order;
}

static Timebank__Order *any_holding(void) {
    const Timebank__Order *target = waiting(1u << HOLD);
    Timebank__Order *order;
    if (is_author('m') || one_in(4)) {
        order = ENTER(release, RELEASE, "", "", 0);
        order->release->target = id_of(target);
        if (target)
            set_authority(order, target->from);
        return order;
    }
    order = ENTER(capture, CAPTURE, "", "", one_in(2) ? 0 : quarters(6));
    order->capture->target = id_of(target);
    order->capture->release_rest = one_in(3);
    return order;
}

static uint32_t month_of(uint32_t day) {
    time_t time = (time_t)day * 86400;
    struct tm tm;
    gmtime_r(&time, &tm);
    return day - (uint32_t)(tm.tm_mday - 1);
}

static Timebank__Order *any_return(void) {
    const char *venue = any_venue(), *names[MODEL_OFFERS + 1] = {""};
    int at = model_account(venue);
    Timebank__Order *order = ENTER(venue_return, VENUE_RETURN, venue, "", 0);
    Timebank__VenueReturn *r = order->venue_return;
    uint64_t heads[MODEL_OFFERS + 1], minutes[MODEL_OFFERS + 1];
    size_t n = 1;
    r->to_day = month_of(today()) - 1;
    r->from_day = month_of(r->to_day) + one_in(40);
    if (one_in(20))
        r->to_day = today() + 1;
    for (int i = 0; i < model.n_offers; i++)
        if (model.offers[i].venue == at)
            names[n++] = model.offers[i].set->name;
    for (size_t i = 0; i < n; i++) {
        int64_t taken[2];
        model_taken(at, names[i], r->from_day, &taken[0], &taken[1]);
        heads[i] = (uint64_t)taken[0] + one_in(15);
        minutes[i] = (uint64_t)taken[1];
    }
    r->n_offers = r->n_heads = r->n_minutes = n;
    r->offers = (char **)keep_bytes(names, n * sizeof(*names)).data;
    r->heads = (uint64_t *)keep_bytes(heads, n * sizeof(*heads)).data;
    r->minutes = (uint64_t *)keep_bytes(minutes, n * sizeof(*minutes)).data;
    return order;
}

static Timebank__Order *any_offer_set(void) {
    const char *venue = any_of(ACCOUNT(VENUE)), *names[] = {"swim", "lane", "class"};
    Timebank__Order *order = set_offer(venue, names[below(3)], one_in(40) ? 50 : quarters(4));
    Timebank__SetOffer *set = order->set_offer;
    set->weekdays = one_in(5) ? (uint32_t)(31 | below(127)) : 0;
    if (one_in(4)) {
        set->from_minute = 8 * 60;
        set->to_minute = 18 * 60;
    }
    if (one_in(15))
        set->from_day = today() + (uint32_t)below(10);
    if (one_in(15))
        set->to_day = today() + (uint32_t)below(30);
    set->ages = one_in(3) ? (Timebank__OfferAges)below(4) : 0;
    set->party_max = one_in(4) ? 2 : 0;
    set->heads_a_day = one_in(3) ? 4 : 0;
    set->times_a_month = one_in(3) ? 2 : 0;
    set->minutes_a_month = one_in(4) ? 600 : 0;
    set->withdrawn = one_in(30);
    return order;
}

static Timebank__Order *any_venue_order(void) {
    uint64_t minutes;
    const char *venue = any_venue();
    switch (below(12)) {
    case 0:
        return any_return();
    case 1:
        minutes = one_in(3) ? quarters(10)
                            : (uint64_t)llabs(model.accounts[model_account(venue)].balance);
        return ENTER(retire, RETIRE, venue, "retired", minutes);
    case 2:
        return any_offer_set();
    case 3:
    case 4:
    case 5:
    case 6:
        return is_any_waiting(1u << HOLD) || one_in(9) ? any_holding() : any_redemption();
    default:
        return any_redemption();
    }
}

/* ---- vouchers */

static Timebank__Order *any_mint(void) {
    static const char *const payers[] = {"issued", "chest", "food-bank"};
    const char *from = one_in(2) ? any_member() : payers[below(3)];
    uint64_t each = one_in(40) ? 20 : quarters(4), count = 1 + below(3);
    Timebank__Order *order = ENTER(mint_vouchers, MINT_VOUCHERS, from, "vouchers", each * count);
    Timebank__MintVouchers *m = order->mint_vouchers;
    m->first_serial = (uint64_t)model.n_vouchers + 1 + one_in(30);
    m->count = (uint32_t)count;
    m->each_minutes = each;
    m->from_day = one_in(6) ? today() + (uint32_t)below(4) : 0;
    m->expires_day = today() + 3 + (uint32_t)below(one_in(20) ? 100 : 50);
    m->venue = one_in(3) ? (char *)any_of(ACCOUNT(VENUE)) : "";
    return order;
}

static uint64_t any_serial(void) {
    uint64_t n = (uint64_t)model.n_vouchers, back = below(one_in(3) ? 40 : 9);
    return one_in(40) ? n + 1 + below(3) : back < n ? n - back : 1;
}

static Timebank__Order *redeem_it(uint64_t serial, const char *to) {
    const struct model_voucher *v =
        &model.vouchers[serial <= (uint64_t)model.n_vouchers ? serial - 1 : 0];
    struct voucher claims = {
        .serial = serial,
        .ledger_tag = (uint32_t)books_state->sums.ledger_tag,
        .minutes = v->minutes ? (uint32_t)v->minutes : 15,
        .from_day = v->from_day,
        .expires_day = v->expires_day ? v->expires_day : today(),
        .venue =
            v->venue > 0 ? (uint32_t)account_of(model.accounts[v->venue].code)->number + 1 : 0};
    uint8_t packed[VOUCHER_CLAIMS_BYTES], signature[SSHSIG_SIGNATURE_BYTES];
    Timebank__Order *order = ENTER(redeem_voucher, REDEEM_VOUCHER, "vouchers", to, claims.minutes);
    voucher_pack(&claims, packed);
    cr_assert(voucher_sign(packed, secret, signature) == 0);
    if (one_in(40))
        signature[5] ^= 1;
    order->redeem_voucher->claims = keep_bytes(packed, sizeof(packed));
    order->redeem_voucher->signature = keep_bytes(signature, sizeof(signature));
    return order;
}

static Timebank__Order *any_voucher_taken(void) {
    uint64_t serial = any_serial();
    const struct model_voucher *v =
        &model.vouchers[serial <= (uint64_t)model.n_vouchers ? serial - 1 : 0];
    const char *to = is_author('v')               ? "swim"
                     : v->venue > 0 && !one_in(8) ? model.accounts[v->venue].code
                     : one_in(4)                  ? any_member()
                                                  : any_of(ACCOUNT(VENUE));
    Timebank__Order *order = redeem_it(serial, to);
    Timebank__RedeemVoucher *r = order->redeem_voucher;
    int at = model_account(to);
    if (one_in(2) && model.accounts[at == NOBODY ? 0 : at].kind != ACCOUNT(MEMBER)) {
        r->offline = true;
        order->service_day = today() - (uint32_t)below(6);
    }
    if (at != NOBODY && model.accounts[at].kind == ACCOUNT(VENUE) && one_in(2)) {
        r->offer = (char *)any_offer(at);
        r->adults = (uint32_t)below(3);
    }
    return order;
}

static Timebank__Order *any_voucher(void) {
    uint64_t what = below(10), serial = any_serial(), minutes = 0;
    const char *to = "chest";
    Timebank__Order *order;
    if (what < 4 || model.n_vouchers == 0)
        return any_mint();
    if (what < 8)
        return any_voucher_taken();
    if (what == 8) {
        order = ENTER(reissue_voucher, REISSUE_VOUCHER, "", "", 0);
        order->reissue_voucher->serial = serial;
        order->reissue_voucher->new_serial = (uint64_t)model.n_vouchers + 1 + one_in(20);
        return order;
    }
    uint32_t count = 1 + (uint32_t)below(3);
    for (uint64_t i = serial; i < serial + count && i <= (uint64_t)model.n_vouchers; i++)
        minutes += (uint64_t)model.vouchers[i - 1].minutes;
    if (serial <= (uint64_t)model.n_vouchers && !one_in(20))
        to = model.accounts[model_payer(model.vouchers[serial - 1].wait)].code;
    order = ENTER(void_vouchers, VOID_VOUCHERS, "vouchers", to, minutes);
    order->void_vouchers->first_serial = serial;
    order->void_vouchers->count = count;
    return order;
}

/* ---- people */

/* One that has no key: those with one stay. */
static const char *mortal(void) {
    for (;;) {
        const char *code = any_of(ACCOUNT(MEMBER));
        if (strcmp(code, "m1") != 0 && strcmp(code, "m2") != 0 && strcmp(code, "m3") != 0 &&
            strcmp(code, "m4") != 0)
            return code;
        if (one_in(50))
            return "m12";
    }
}

static Timebank__Order *any_settlement(void) {
    const char *code = mortal();
    int at = model_account(code);
    for (int i = 0; i < model.n_accounts; i++) /* who is leaving, first of all */
        if (model.accounts[i].leaving_day && !model.accounts[i].is_closed && i > 11 && one_in(2))
            at = i;
    code = model.accounts[at].code;
    Timebank__Order *order = ENTER(settle, SETTLE, code, one_in(15) ? "chest" : model_heir(at), 0);
    order->settle->as = one_in(3) ? TIMEBANK__SETTLE_AS__DIED : TIMEBANK__SETTLE_AS__LEFT;
    if (one_in(30))
        order->settle->as = TIMEBANK__SETTLE_AS__ENDED;
    order->settle->balance = model.accounts[at].balance + (one_in(20) ? 15 : 0);
    return order;
}

static Timebank__Order *any_merger(void) {
    static const char merges[] = {KIND(MERGE), 0};
    const char *from = mortal(), *to = any_member();
    Timebank__Order *order;
    if (one_in(3)) {
        order = ENTER(unmerge, UNMERGE, "", "", 0);
        for (int i = model.n_entries; i-- > 0;)
            if (model.entries[i].kind == KIND(MERGE) && one_in(2)) {
                order->unmerge->target = id_of(model.entries[i].order);
                return order;
            }
        order->unmerge->target = id_of(entry_of(merges));
        return order;
    }
    order = ENTER(merge, MERGE, from, to, 0);
    order->merge->balance = model.accounts[model_account(from)].balance + (one_in(20) ? 15 : 0);
    return order;
}

static Timebank__Order *any_leaving(void) {
    const char *code = is_author('m') ? own_or(any_member()) : mortal();
    Timebank__Order *order;
    switch (is_author('m') && !one_in(20) ? below(2) : below(4)) {
    case 0:
        order = ENTER(set_choice, SET_CHOICE, "", code, 0);
        order->set_choice->heir = one_in(3)   ? "chest"
                                  : one_in(3) ? "expired"
                                              : (char *)any_account();
        return order;
    case 1:
        order = ENTER(leave, LEAVE, "", code, 0);
        order->leave->until_day = one_in(2) ? 0 : today() + (uint32_t)below(8) - one_in(10);
        order->leave->stays = one_in(4);
        return order;
    case 2:
        return one_in(2) ? any_settlement() : any_leaving();
    default:
        return one_in(3) ? any_merger() : any_leaving();
    }
}

static Timebank__Order *any_mandate(void) {
    Timebank__Order *order = ENTER(set_mandate, SET_MANDATE, "", any_member(), 0);
    Timebank__SetMandate *set = order->set_mandate;
    set->holder = one_in(2) ? "m4" : (char *)any_member();
    set->kind = (Timebank__MandateKind)(1 + below(3));
    set->from_day = one_in(20) ? 0 : today() - 2 + (uint32_t)below(5);
    set->to_day = one_in(2) ? 0 : today() + (uint32_t)below(40);
    return order;
}

static Timebank__Order *any_person(void) {
    const char *code = one_in(20) ? any_member() : one_in(3) ? "m2" : "m5";
    Timebank__Order *order = ENTER(set_person, SET_PERSON, "", code, 0);
    order->set_person->person = one_in(3) ? "" : one_in(30) ? "anna" : "2";
    order->set_person->minor = one_in(2);
    order->set_person->gone = one_in(2);
    if (strcmp(code, "m2") == 0 && !one_in(8)) { /* alone in the account, and under 18 or not */
        order->set_person->person = "";
        order->set_person->gone = false;
    }
    return order;
}

static Timebank__Order *any_people(void) {
    const char *code = any_member(), *other = any_member();
    Timebank__Order *order;
    switch (is_author('m') && !one_in(20) ? 9 : below(6)) {
    case 0:
        return any_person();
    case 1:
        return any_mandate();
    case 2:
        order = ENTER(safeguard, SAFEGUARD, "", code, 0);
        order->safeguard->other = one_in(6) ? "" : (char *)other;
        for (int i = 0; i < MODEL_ACCOUNTS * MODEL_ACCOUNTS; i++)
            if (!one_in(8) && model.apart[i / MODEL_ACCOUNTS][i % MODEL_ACCOUNTS]) {
                order->to = model.accounts[i / MODEL_ACCOUNTS].code;
                order->safeguard->other = i / MODEL_ACCOUNTS == i % MODEL_ACCOUNTS
                                              ? ""
                                              : model.accounts[i % MODEL_ACCOUNTS].code;
                order->safeguard->lifted = true;
            }
        return one_in(30) ? with_why(order, 0) : order;
    case 3:
        order = ENTER(erase, ERASE, "", one_in(3) ? "m5" : code, 0);
        if (!is_author('s') && is_first) {
            author = 0;
            as("steward");
        }
        for (int i = 0; i < model.n_accounts && one_in(2); i++)
            if (model.accounts[i].is_closed && one_in(3))
                order->to = model.accounts[i].code;
        if (one_in(3))
            order->to_person = "2";
        return one_in(30) ? with_why(order, 0) : order;
    default:
        order = ENTER(set_trust, SET_TRUST, "", is_author('s') ? code : own_or(code), 0);
        order->set_trust->giver = (char *)other;
        order->set_trust->ended = one_in(3);
        return order;
    }
}

/* ---- the register */

static Timebank__Order *any_limit(void) {
    const char *code = one_in(20) ? any_account() : any_member();
    int64_t floor = one_in(30) ? 60 : -15 * (int64_t)below(60),
            ceiling = 600 + (int64_t)below(2000);
    Timebank__Order *order =
        set_limit(code, one_in(2) ? &floor : NULL, one_in(2) ? &ceiling : NULL);
    uint32_t spans[2] = {1 + (uint32_t)below(4), 9 + (uint32_t)below(4)};
    uint64_t most[2] = {quarters(40), 1 + below(10)};
    if (*code != 'm' || one_in(2)) /* what was not limited before was not counted */
        return order;
    order->set_limit->n_spans = order->set_limit->n_most = 2;
    order->set_limit->spans = (uint32_t *)keep_bytes(spans, sizeof(spans)).data;
    order->set_limit->most = (uint64_t *)keep_bytes(most, sizeof(most)).data;
    return order;
}

static const struct {
    const char *name;
    const char *values[4];
} changes[] = {{"gift", {"at-once", "pending", "pending", "at-once"}},
               {"claims", {"on", "on", "on", "off"}},
               {"claim-lapse", {"stands", "falls", "stands", "falls"}},
               {"second-person-above", {"off", "120", "300", "off"}},
               {"approve-members", {"off", "off", "off", "on"}},
               {"short-allotment", {"warn", "refuse", "allow", "refuse"}},
               {"advance-max", {"600", "1200", "none", "300"}},
               {"advance-repay", {"all", "half", "off", "all"}},
               {"under-18", {"allow", "guardian", "refuse", "guardian"}},
               {"voucher-lapse", {"back", "expire", "back", "expire"}},
               {"leave-to", {"chest", "expired", "chest", "expired"}},
               {"floor-member", {"-600", "-300", "0", "-1200"}},
               {"ceiling-member", {"none", "1500", "3000", "900"}},
               {"floor-organisation", {"0", "-600", "0", "none"}},
               {"expiry-cap", {"none", "120", "600", "none"}},
               {"day-refuse", {"600", "1440", "300", "1440"}},
               {"programmes", {"any", "listed", "any", "listed"}},
               {"transfer-cap-year", {"none", "600", "1200", "none"}},
               {"venue-cap-day", {"none", "300", "600", "none"}},
               {"venue-cap-member-day", {"none", "120", "240", "none"}},
               {"spend-day", {"600", "300", "900", "600"}},
               {"entries-day", {"6", "4", "9", "20"}},
               {"entries-week", {"20", "9", "15", "50"}},
               {"spend-month", {"3000", "1500", "6000", "4000"}},
               {"quantum", {"15", "15", "5", "30"}},
               {"dispute-within", {"20", "5", "20", "40"}},
               {"claim-days", {"5", "2", "9", "5"}}};

static const char *emptied(const char *code) {
    for (int i = 12; i < model.n_accounts; i++)
        if (model.accounts[i].kind == ACCOUNT(MEMBER) && model.accounts[i].balance == 0 &&
            !model.accounts[i].is_closed && one_in(2))
            return model.accounts[i].code;
    return code;
}

static Timebank__Order *any_account_order(void) {
    const char *code = one_in(20) ? any_account() : mortal();
    for (int i = 0; i < model.n_accounts && one_in(2); i++)
        if (model.accounts[i].is_frozen)
            return thaw(model.accounts[i].code);
    switch (below(8)) {
    case 0:
        return freeze(one_in(15) ? any_member() : code);
    case 1:
        return one_in(3) ? close_account(emptied(code)) : thaw(code);
    case 2:
        return model.n_accounts < MODEL_ACCOUNTS - BATCH_MAX
                   ? open_account(one_in(10) ? "m3" : member_code(100 + n_judged), ACCOUNT(MEMBER))
                   : thaw(code);
    default:
        return any_limit();
    }
}

static Timebank__Order *any_register(void) {
    size_t which = below(N_ELEMENTS(changes));
    Timebank__Order *order;
    switch (below(8)) {
    case 0:
    case 1:
        if (!is_first && !is_author('s'))
            return any_limit();
        author = 0;
        as("steward");
        return set_policy(changes[which].name, changes[which].values[below(4)]);
    case 2:
        order = ENTER(close_period, CLOSE_PERIOD, "", "", 0);
        order->close_period->to_day =
            one_in(4) ? today() - 3 : today() - 25 + (uint32_t)one_in(9) * 40;
        return order;
    case 3:
        return any_limit();
    default:
        return any_account_order();
    }
}

static Timebank__Order *any_expiry(void) {
    const char *member = any_of(ACCOUNT(MEMBER));
    uint32_t day = today() - (uint32_t)below(3) + one_in(30);
    uint64_t most = (uint64_t)model_expirable(model_account(member), day);
    Timebank__Order *order = ENTER(expire, EXPIRE, member, "expired",
                                   one_in(8) ? most + 15
                                   : most    ? most - below(most)
                                             : 15);
    order->expire->as_of_day = day;
    order->service_day = day;
    return order;
}

/* ---- one of all */

/* Something out of the ordinary. */
static void spoil(Timebank__Order *order) {
    if (order->kind_case >= 64 || !one_in(5))
        return;
    switch (below(5)) {
    case 0:
        with_why(order, (uint32_t)below(64));
        break;
    case 1:
        order->override = one_in(3) ? 1u << below(6) : 4;
        break;
    case 2:
        if (order->service_day && order->kind_case != KIND(EXPIRE))
            order->service_day = today() + (uint32_t)below(3);
        break;
    case 3:
        if (order->service_day && order->kind_case != KIND(EXPIRE) &&
            order->kind_case != KIND(HOLD))
            order->service_day = today() - (uint32_t)below(50);
        break;
    default:
        if (order->kind_case == KIND(EXCHANGE) || order->kind_case == KIND(GIFT)) {
            order->from_person = one_in(2) ? "2" : "1";
            order->to_person = one_in(2) ? "" : "1";
        }
    }
}

/* A household's entries mostly name the person. */
static void name_persons(Timebank__Order *order) {
    static const int kinds[] = {KIND(EXCHANGE), KIND(GIFT),   KIND(DONATE), KIND(EARN),
                                KIND(GRANT),    KIND(REDEEM), KIND(HOLD),   KIND(ADVANCE)};
    for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
        if ((int)order->kind_case != kinds[i])
            continue;
        if (strcmp(order->from, "m5") == 0 && !one_in(6))
            order->from_person = one_in(2) ? "2" : "1";
        if (strcmp(order->to, "m5") == 0 && !one_in(6))
            order->to_person = one_in(2) ? "2" : "1";
    }
}

static bool is_proposable(const Timebank__Order *order) {
    switch ((int)order->kind_case) {
    case KIND(EXCHANGE):
    case KIND(EARN):
    case KIND(GIFT):
    case KIND(DONATE):
    case KIND(GRANT):
    case KIND(ISSUE):
    case KIND(SESSION):
    case KIND(ADVANCE):
    case KIND(PLEDGE):
    case KIND(MINT_VOUCHERS):
        return true;
    default:
        return false;
    }
}

/* Somebody can agree to it, or has to. */
static bool is_asked(const Timebank__Order *order) {
    return order->kind_case == KIND(GIFT) || order->kind_case == KIND(EXCHANGE) ||
           order->kind_case == KIND(EARN) || (order->minutes > 120 && one_in(3));
}

static Timebank__Order *any_of_all(void) {
    uint64_t what = below(100);
    if (is_author('v'))
        return what < 55 ? any_venue_order() : what < 85 ? any_voucher_taken() : any_reversal();
    if (is_author('o'))
        return what < 40 ? any_time() : what < 70 ? any_session() : any_answer();
    if (is_author('m'))
        return what < 35   ? any_time()
               : what < 55 ? any_credit()
               : what < 62 ? any_redemption()
               : what < 66 ? any_holding()
               : what < 84 ? any_answer()
               : what < 92 ? any_dispute()
               : what < 96 ? any_leaving()
                           : any_people();
    return what < 20   ? any_time()
           : what < 29 ? any_credit()
           : what < 34 ? any_session()
           : what < 38 ? any_advance()
           : what < 41 ? any_transfer()
           : what < 52 ? any_venue_order()
           : what < 61 ? any_voucher()
           : what < 71 ? any_answer()
           : what < 77 ? any_reversal()
           : what < 82 ? any_dispute()
           : what < 87 ? any_leaving()
           : what < 91 ? any_people()
           : what < 94 ? any_expiry()
                       : any_register();
}

static const Timebank__Order *any_order(void) {
    Timebank__Order *order = any_of_all();
    if (order->kind_case == KIND(CAPTURE))
        order->service_day = 0;
    name_persons(order);
    spoil(order);
    if (is_proposable(order))
        order->proposal = one_in(is_asked(order) ? 2 : 20);
    return order;
}

/* ---- the two side by side */

/* RULEBOOK_TRACE tells of each order that was recorded, for whoever looks for what went wrong. */
static void trace(const Timebank__Order *order, const struct model_entry *e) {
    const ProtobufCBinaryData *target = record_order_target(order);
    static bool is_on, is_known;
    if (!is_known)
        is_on = getenv("RULEBOOK_TRACE");
    is_known = true;
    if (is_on)
        printf("day %u: %d %s by %s, %s to %s, %llu min, target %d, override %u%s\n", today(),
               (int)(e - model.entries), record_kind_name(order->kind_case),
               model_authors[author].key, order->from, order->to,
               (unsigned long long)order->minutes,
               target ? model_entry(target->data, target->len) : NOBODY, order->override,
               order->proposal ? ", a proposal" : "");
}

static void compare_order(size_t place, const Timebank__Order *order,
                          const struct model_verdict *wanted) {
    const struct books_note *refusal = refusal_at((uint32_t)place);
    int got = refusal ? refusal->number : 0;
    char reasons[400] = "";
    for (int i = 1; i < MODEL_REFUSALS; i++)
        if (wanted->no[i])
            snprintf(reasons + strlen(reasons), sizeof(reasons) - strlen(reasons), " %s",
                     refusal_name(i));
    cr_assert(wanted->no[got] || (got == 0 && !wanted->is_refused),
              "order %llu, %s by %s, from %s to %s, %llu min on %u (today %u), override %u, "
              "proposal %d: the ledger says %s, %s; the model%s",
              (unsigned long long)n_judged, record_kind_name(order->kind_case),
              model_authors[author].key, order->from, order->to, (unsigned long long)order->minutes,
              order->service_day, today(), order->override, order->proposal,
              got ? refusal_name(got) : "done", got ? refusal->message : "",
              wanted->is_refused ? reasons : " done");
    n_seen[got]++;
}

static int count_wait(void *user, uint64_t key) {
    (void)key;
    ++*(int *)user;
    return 0;
}

static void compare_account(const struct model_account *a) {
    const struct state_account *account = account_of(a->code);
    cr_assert_eq(account->balance, a->balance, "%s has %lld, in the model %lld", a->code,
                 (long long)account->balance, (long long)a->balance);
    cr_assert_eq(account->held, a->held, "of %s %lld is held, in the model %lld", a->code,
                 (long long)account->held, (long long)a->held);
    cr_assert_eq((int64_t)account->owed_minutes, a->owed, "%s owes", a->code);
    cr_assert_eq(account->leaving_day, a->leaving_day, "%s leaves", a->code);
    cr_assert_eq(account->merged_into != 0, a->merged_into != NOBODY);
    cr_assert_eq(account->standing,
                 a->is_closed   ? STANDING_CLOSED
                 : a->is_frozen ? STANDING_FROZEN
                                : STANDING_OPEN,
                 "standing of %s", a->code);
}

/* Balances, and the laws: nothing is made of nothing, what is held is in transit. */
static void compare_all(void) {
    int64_t sum = 0, held = 0;
    int n_waits = 0, n_open = 0;
    for (int i = 0; i < model.n_accounts; i++) {
        compare_account(&model.accounts[i]);
        sum += model.accounts[i].balance;
        held += model.accounts[i].held;
    }
    cr_assert_eq(sum, 0);
    cr_assert_eq(held, model.accounts[model_account("transit")].balance);
    for (int i = 0; i < model.n_waits; i++)
        n_open += !model.waits[i].is_over;
    cr_assert(state_due_each(books_state, count_wait, &n_waits) == 0);
    cr_assert_eq(n_waits, n_open, "%d wait, in the model %d", n_waits, n_open);
    cr_assert_eq(books_state->sums.size, model.size);
    cr_assert_eq(books_state->sums.n_accounts, (uint64_t)model.n_accounts);
}

static void any_author(void) {
    author = (int)below(one_in(2) ? 4 : MODEL_AUTHORS);
    as(model_authors[author].key);
}

static void pass_time(void) {
    wait_minutes((int64_t)below(90));
    if (one_in(9))
        wait_days(1);
    if (one_in(150))
        wait_days((uint32_t)below(12));
    if (one_in(50))
        books_write_behind();
}

static void run_due(void) {
    size_t n = model_run_due(books_now_ms);
    cr_assert_eq(books_run_due(), n, "another number of events fell due");
    for (size_t i = 0; i < n; i++)
        n_events[event_before(i)->kind]++;
    for (size_t i = n; i-- > 0 && getenv("RULEBOOK_TRACE");)
        printf("day %u: event %d, %llu min, of %d\n", today(), (int)event_before(i)->kind,
               (unsigned long long)event_before(i)->minutes,
               model_entry(event_before(i)->follows, 16));
    if (n > 0)
        compare_all();
}

static void run_batch(void) {
    struct model_verdict verdicts[BATCH_MAX];
    const Timebank__Order *orders[BATCH_MAX];
    size_t n = one_in(4) ? 1 + below(BATCH_MAX) : 1, n_refusals = 0;
    run_due();
    any_author();
    model_begin();
    for (size_t i = 0; i < n; i++, n_judged++) {
        is_first = i == 0;
        orders[i] = any_order();
        verdicts[i] = model_judge(orders[i], author);
        n_refusals += verdicts[i].is_refused;
    }
    size_t got = submit();
    for (size_t i = 0; i < n; i++)
        compare_order(i, orders[i], &verdicts[i]);
    cr_assert_eq(got, n_refusals);
    model_end(n_refusals == 0);
    for (size_t i = 0; i < n && n_refusals == 0; i++) {
        n_kinds[orders[i]->kind_case]++;
        trace(orders[i], &model.entries[model.n_entries - (int)n + (int)i]);
    }
    compare_all();
    pass_time();
}

/* ---- a book */

static const char *const policies_of_a_book[] = {"advance-max=600",
                                                 "advance-repay=all",
                                                 "approval-days=4",
                                                 "approve-members=off",
                                                 "ceiling-member=none",
                                                 "claim-days=5",
                                                 "claim-lapse=stands",
                                                 "claims=on",
                                                 "day-refuse=1440",
                                                 "dispute-days=8",
                                                 "dispute-within=20",
                                                 "entries-day=20",
                                                 "entries-month=200",
                                                 "entries-week=50",
                                                 "entries-year=2000",
                                                 "expiry-cap=none",
                                                 "expiry-days=30",
                                                 "floor-chest=0",
                                                 "floor-member=-600",
                                                 "floor-organisation=0",
                                                 "floor-venue=0",
                                                 "gift=at-once",
                                                 "gift-days=6",
                                                 "hold-days=12",
                                                 "leave-days=5",
                                                 "leave-to=chest",
                                                 "programmes=any",
                                                 "quantum=15",
                                                 "second-person-above=off",
                                                 "short-allotment=warn",
                                                 "spend-day=900",
                                                 "spend-month=6000",
                                                 "spend-week=2400",
                                                 "spend-year=60000",
                                                 "transfer-cap-year=none",
                                                 "under-18=allow",
                                                 "venue-cap-day=none",
                                                 "venue-cap-member-day=none",
                                                 "venue-undo=15",
                                                 "voucher-days=60",
                                                 "voucher-grace-days=3",
                                                 "voucher-lapse=back",
                                                 NULL};

static void both(Timebank__Order *order) {
    struct model_verdict verdict = model_judge(order, author);
    cr_assert(!verdict.is_refused);
}

static void open_accounts(void) {
    model_begin();
    for (unsigned i = 1; i <= N_MEMBERS; i++)
        both(on_day(open_account(member_code(i), ACCOUNT(MEMBER)), on("2020-01-01")));
    both(open_account("food-bank", ACCOUNT(ORGANISATION)));
    both(open_account("library", ACCOUNT(ORGANISATION)));
    both(open_account("swim", ACCOUNT(VENUE)));
    both(open_account("gym", ACCOUNT(VENUE)));
    both(open_account("bank:river", ACCOUNT(BANK)));
    both(set_offer("swim", "swim", 60));
    both(set_offer("gym", "class", 45));
    Timebank__Order *order = ENTER(set_programme, SET_PROGRAMME, "", "", 0);
    order->set_programme->name = "summer";
    both(order);
    order = ENTER(set_voucher_key, SET_VOUCHER_KEY, "", "", 0);
    order->set_voucher_key->key = keep_bytes(secret + 32, SSHSIG_PUBLIC_BYTES);
    both(order);
    order = ENTER(set_person, SET_PERSON, "", "m5", 0);
    order->set_person->person = "2";
    order->set_person->minor = true;
    both(order);
    order = ENTER(set_mandate, SET_MANDATE, "", "m5", 0);
    order->set_mandate->holder = "m4";
    order->set_mandate->kind = TIMEBANK__MANDATE_KIND__GUARDIAN;
    order->set_mandate->from_day = today();
    both(order);
    cr_assert_eq(submit(), 0, "%s", books_notes[0].message);
    model_end(true);
}

/* What the model takes for granted. */
static void open_rest(void) {
    static const Timebank__Role roles[] = {['b'] = TIMEBANK__ROLE__BROKER,
                                           ['m'] = TIMEBANK__ROLE__ROLE_MEMBER,
                                           ['o'] = TIMEBANK__ROLE__ROLE_ORGANISATION,
                                           ['v'] = TIMEBANK__ROLE__ROLE_VENUE};
    set_activity("gardening");
    set_activity("cooking");
    set_funder("council");
    for (int i = 1; i < MODEL_AUTHORS; i++)
        grant_key(model_authors[i].key, roles[(int)model_authors[i].role],
                  model_authors[i].account);
    cr_assert_eq(submit(), 0, "%s", books_notes[0].message);
    model.size += 1 + 3 + MODEL_AUTHORS - 1;
}

static void open_book(void) {
    uint8_t seed_of_key[32] = "seed of the key for vouchers", public[32];
    crypto_sign_seed_keypair(public, secret, seed_of_key);
    cr_assert(books_genesis(policies_of_a_book) == 0);
    model_open(books_now_ms);
    for (size_t i = 0; policies_of_a_book[i]; i++) {
        char name[24];
        size_t n = strcspn(policies_of_a_book[i], "=");
        snprintf(name, sizeof(name), "%.*s", (int)n, policies_of_a_book[i]);
        model_policy(name, policies_of_a_book[i] + n + 1);
    }
    author = 0;
    as("steward");
    open_accounts();
    open_rest();
}

static void run_book(uint64_t first_seed) {
    seed = first_seed;
    open_book();
    while (model.n_entries < ORDERS_OF_A_BOOK)
        run_batch();
    n_recorded += (uint64_t)model.n_entries;
    books_close();
}

static void tell(void) {
    printf("%llu judged, %llu recorded\n", (unsigned long long)n_judged,
           (unsigned long long)n_recorded);
    for (int i = 0; i < 100; i++)
        if (n_kinds[i])
            printf("  %s %llu\n", record_kind_name((Timebank__Order__KindCase)i),
                   (unsigned long long)n_kinds[i]);
    for (int i = 1; i < MODEL_REFUSALS; i++)
        if (n_seen[i])
            printf("  %s %llu\n", refusal_name(i), (unsigned long long)n_seen[i]);
    for (int i = 1; i < 10; i++)
        printf("  event %d: %llu\n", i, (unsigned long long)n_events[i]);
}

/* What a run must have recorded to mean anything. */
static const Timebank__Order__KindCase met[] = {KIND(EXCHANGE),
                                                KIND(EARN),
                                                KIND(LOG),
                                                KIND(GIFT),
                                                KIND(DONATE),
                                                KIND(GRANT),
                                                KIND(ISSUE),
                                                KIND(REDEEM),
                                                KIND(REVERSE),
                                                KIND(SESSION),
                                                KIND(CONFIRM),
                                                KIND(DECLINE),
                                                KIND(WITHDRAW),
                                                KIND(DISPUTE),
                                                KIND(DECIDE),
                                                KIND(APPROVE),
                                                KIND(HOLD),
                                                KIND(CAPTURE),
                                                KIND(RELEASE),
                                                KIND(MINT_VOUCHERS),
                                                KIND(REDEEM_VOUCHER),
                                                KIND(VOID_VOUCHERS),
                                                KIND(REISSUE_VOUCHER),
                                                KIND(ADVANCE),
                                                KIND(PLEDGE),
                                                KIND(EXPIRE),
                                                KIND(SETTLE),
                                                KIND(MERGE),
                                                KIND(UNMERGE),
                                                KIND(TRANSFER),
                                                KIND(VENUE_RETURN),
                                                KIND(RETIRE),
                                                KIND(OPEN_ACCOUNT),
                                                KIND(FREEZE),
                                                KIND(THAW),
                                                KIND(CLOSE),
                                                KIND(SET_LIMIT),
                                                KIND(SET_POLICY),
                                                KIND(SET_OFFER),
                                                KIND(SET_PERSON),
                                                KIND(SET_MANDATE),
                                                KIND(SET_TRUST),
                                                KIND(SAFEGUARD),
                                                KIND(CLOSE_PERIOD),
                                                KIND(SET_CHOICE),
                                                KIND(LEAVE),
                                                KIND(ERASE)};

static uint64_t number_of(const char *variable, uint64_t otherwise) {
    const char *text = getenv(variable);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

Test(rulebook_model, agrees_on_random_orders_of_every_kind_and_their_replay) {
    uint64_t n = number_of("RULEBOOK_ORDERS", getenv("TIMEBANK_NIGHTLY") ? 1000000 : 10000);
    uint64_t first = number_of("RULEBOOK_SEED", 20250305);
    for (uint64_t i = 0; i * ORDERS_OF_A_BOOK < n; i++) {
        cr_log_info("book %llu", (unsigned long long)(first + i));
        run_book(first + i);
    }
    if (getenv("RULEBOOK_TELL"))
        tell();
    for (size_t i = 0; i < N_ELEMENTS(met); i++)
        cr_assert(n_kinds[met[i]] > 0, "no %s was recorded", record_kind_name(met[i]));
    for (int i = TIMEBANK__EVENT_KIND__HOLD_LAPSED; i <= TIMEBANK__EVENT_KIND__LEAVE_DUE; i++)
        cr_assert(n_events[i] > 0, "no event of kind %d fell due", i);
}
