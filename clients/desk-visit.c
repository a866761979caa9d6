/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One scan at the desk: one batch, and one exchange with the bank. Where the connection goes, the
 * same batch is asked about again until its outcome is known, so nothing counts twice.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "desk.h"
#include "entry.h"
#include "record.h"

#define TRIES_OF_A_PIPE 3
#define TOKEN_LEAST 60 /* signs; no member's code is as long */

static bool is_unknown(int r) {
    return r == -EINPROGRESS || r == TB_NO_BANK || r == TB_TRY_LATER || r == TB_SHUTTING_DOWN;
}

/* Submits until the outcome is known, or whoever sits there gives up. */
static int submit(struct desk *desk, struct tb_batch *batch, struct tb_answer **ret_answer) {
    for (int n_tries = 1;; n_tries++) {
        int r = tb_batch_submit(batch, ret_answer);
        if (!is_unknown(r))
            return r;
        desk_tell(desk, "WAIT", "the bank does not answer. Do not let anybody in yet.");
        if (!desk->terminal && n_tries == TRIES_OF_A_PIPE)
            return r;
        if (!desk->terminal)
            continue;
        _cleanup_(freep) char *typed = desk_ask(desk, "Return asks again, nothing counts twice; "
                                                      "end gives up: ");
        if (!typed || strcasecmp(typed, "end") == 0)
            return r;
    }
}

/* Tells what was refused; what is broken or unknown ends the session. */
static int tell_failed(struct desk *desk, const struct tb_batch *batch, int r) {
    struct tb_refused refused;
    if (r > 0 && !is_unknown(r)) {
        const char *message = tb_bank_message(desk->client->bank);
        if (batch && tb_batch_refusals(batch) > 0 && tb_batch_refusal(batch, 0, &refused) == 0)
            desk_tell_refused(desk, refused.refusal, refused.message);
        else
            desk_tell_refused(desk, r, *message ? message : tb_refusal_sentence(r));
        return CLIENT_REFUSED;
    }
    desk->is_over = true;
    return client_outcome(desk->client, r);
}

static int batch_make(struct desk *desk, const struct tb_order *order, struct tb_batch **ret_batch,
                      uint8_t ret_id[TB_ORDER_ID_BYTES]) {
    int r = record_batch_new(desk->client, order, ret_batch);
    if (r == 0)
        tb_batch_order_id(*ret_batch, 0, ret_id);
    return r;
}

/* A booking may be of an offer that was withdrawn before the session began: it is in no tally. */
static void visit_count(struct desk *desk, size_t place, const struct tb_order *order,
                        const uint8_t id[TB_ORDER_ID_BYTES]) {
    if (place < desk->n_offers) {
        desk->offers[place].n_visits++;
        desk->offers[place].n_adults += order->adults;
        desk->offers[place].n_under16 += order->under16;
    }
    desk->has_last = true;
    memcpy(desk->last_id, id, TB_ORDER_ID_BYTES);
    desk->last_offer = place;
    desk->last_adults = order->adults;
    desk->last_under16 = order->under16;
}

/* The price was set anew since the session began: with that one, the same again. */
static bool price_is_old(struct desk *desk, const struct tb_batch *batch, struct tb_order *order) {
    struct tb_refused refused;
    uint64_t before = order->minutes;
    if (order->kind != TB_REDEEM || tb_batch_refusals(batch) != 1 ||
        tb_batch_refusal(batch, 0, &refused) != 0 || refused.refusal != TB_NOT_THE_PRICE ||
        desk_offers_read(desk) != 0)
        return false;
    order->offer = desk->offers[desk->chosen].name;
    order->minutes =
        desk->offers[desk->chosen].price_minutes * ((uint64_t)order->adults + order->under16);
    return order->minutes != before;
}

static int visit_record(struct desk *desk, struct tb_order *order) {
    for (;;) {
        _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
        _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
        uint8_t id[TB_ORDER_ID_BYTES];
        int r = batch_make(desk, order, &batch, id);
        if (r == 0)
            r = submit(desk, batch, &answer);
        if (r > 0 && batch && price_is_old(desk, batch, order))
            continue;
        if (r != 0)
            return tell_failed(desk, batch, r);
        visit_count(desk, desk->chosen, order, id);
        desk_tell_valid(desk, tb_answer_entry(answer, 0), order);
        return CLIENT_DONE;
    }
}

/* A voucher pays what it was made for: nobody comes in for a part of the price. */
static int voucher_read(struct desk *desk, const char *token, struct tb_order *order) {
    struct tb_voucher voucher;
    int r = tb_voucher_read(token, &voucher);
    if (r != 0) {
        desk_tell_refused(desk, r > 0 ? r : TB_VOUCHER_NOT_GENUINE,
                          tb_refusal_sentence(r > 0 ? r : TB_VOUCHER_NOT_GENUINE));
        return CLIENT_REFUSED;
    }
    if (voucher.minutes < order->minutes) {
        desk_tell_refused(desk, TB_NOT_THE_PRICE,
                          "the voucher does not cover it. Offer fewer heads, or another way to "
                          "pay.");
        return CLIENT_REFUSED;
    }
    order->kind = TB_REDEEM_VOUCHER;
    order->minutes = voucher.minutes;
    memcpy(order->claims, voucher.claims, sizeof(order->claims));
    memcpy(order->signature, voucher.signature, sizeof(order->signature));
    return CLIENT_DONE;
}

int desk_visit(struct desk *desk, const char *scanned, uint32_t adults, uint32_t under16) {
    const struct desk_offer *offer = &desk->offers[desk->chosen];
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_REDEEM;
    order.to = desk->venue;
    order.offer = offer->name;
    order.adults = adults;
    order.under16 = under16;
    order.service_day = tb_today();
    order.minutes = offer->price_minutes * ((uint64_t)adults + under16);
    if (strlen(scanned) < TOKEN_LEAST) {
        order.from = scanned;
    } else if (voucher_read(desk, scanned, &order) != CLIENT_DONE) {
        return CLIENT_REFUSED;
    }
    return visit_record(desk, &order);
}

/* Takes what the order says, for who the booking says. */
static int booking_take(struct desk *desk, const struct tb_order *order,
                        const struct tb_order *booking) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    uint8_t id[TB_ORDER_ID_BYTES];
    size_t place = 0;
    int r = batch_make(desk, order, &batch, id);
    if (r == 0)
        r = submit(desk, batch, &answer);
    if (r != 0)
        return tell_failed(desk, batch, r);
    while (place < desk->n_offers && strcmp(desk->offers[place].name, booking->offer) != 0)
        place++;
    visit_count(desk, place, booking, id);
    desk_tell_valid(desk, tb_answer_entry(answer, 0), booking);
    return CLIENT_DONE;
}

int desk_booking(struct desk *desk, uint64_t number) {
    _cleanup_(entry_copy_fini) struct entry_copy booking = {0};
    struct tb_order order = TB_ORDER_INIT;
    struct tb_entry entry;
    int r = tb_entry_get(desk->client->bank, number, &entry);
    if (r == 0 && entry.order.kind != TB_HOLD)
        r = TB_NOT_WAITING;
    if (r == 0)
        r = entry_copy_init(&booking, &entry.order);
    if (r != 0)
        return tell_failed(desk, NULL, r);
    order.kind = TB_CAPTURE;
    memcpy(order.target, entry.order.id, sizeof(order.target));
    return booking_take(desk, &order, &booking.order);
}

int desk_undo(struct desk *desk) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    struct tb_order order = TB_ORDER_INIT;
    uint8_t id[TB_ORDER_ID_BYTES];
    if (!desk->has_last) {
        desk_tell(desk, "NO",
                  "there is nothing to undo in this session. Ask a broker to reverse "
                  "an earlier one.");
        return CLIENT_REFUSED;
    }
    order.kind = TB_REVERSE;
    memcpy(order.target, desk->last_id, sizeof(order.target));
    int r = batch_make(desk, &order, &batch, id);
    if (r == 0)
        r = submit(desk, batch, &answer);
    if (r != 0)
        return tell_failed(desk, batch, r);
    if (desk->last_offer < desk->n_offers) {
        struct desk_offer *offer = &desk->offers[desk->last_offer];
        offer->n_visits--;
        offer->n_adults -= desk->last_adults;
        offer->n_under16 -= desk->last_under16;
    }
    desk->n_undone++;
    desk_tell_undone(desk, tb_answer_entry(answer, 0));
    desk->has_last = false;
    return CLIENT_DONE;
}
