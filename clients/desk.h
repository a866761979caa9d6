/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A venue's session at its desk: what is chosen, what was accepted, and what the last one was.
 * desk.c reads what is scanned and typed; desk-visit.c records; desk-tell.c is the screen.
 */
#pragma once

#include "client.h"

struct desk_offer {
    char *name;
    uint64_t price_minutes;
    bool withdrawn;
    uint32_t n_visits; /* accepted in this session and not undone */
    uint32_t n_adults;
    uint32_t n_under16;
};

struct desk {
    struct client *client;
    const char *venue;
    bool terminal;
    bool colours;
    bool is_over; /* nothing more can be asked of the bank */
    struct desk_offer *offers;
    size_t n_offers;
    size_t chosen; /* of the offers; n_offers: none yet */
    unsigned n_refused;
    unsigned n_undone;

    /* The last one accepted, that an undo takes back. */
    bool has_last;
    uint8_t last_id[TB_ORDER_ID_BYTES];
    size_t last_offer;
    uint32_t last_adults;
    uint32_t last_under16;
};

/* Reads the venue's offers, once more where it has: the tallies stay. A library result. */
int desk_offers_read(struct desk *desk);
void desk_fini(struct desk *desk);

/* desk-visit.c. A member's code or a voucher's token, for the offer that is chosen; an undo of the
 * last. Both tell what came of it; exit status. */
int desk_visit(struct desk *desk, const char *scanned, uint32_t adults, uint32_t under16);
int desk_undo(struct desk *desk);
/* Takes what was booked, by its entry number. */
int desk_booking(struct desk *desk, uint64_t number);

/* desk-tell.c. One line that begins with a word in capitals. */
void desk_tell(struct desk *desk, const char *word, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void desk_tell_refused(struct desk *desk, int refusal, const char *message);
void desk_tell_valid(struct desk *desk, uint64_t entry, const struct tb_order *order);
void desk_tell_undone(struct desk *desk, uint64_t entry);
void desk_tell_offers(struct desk *desk);
void desk_tell_summary(struct desk *desk);
/* A line as typed, without what is blank around it; the caller's. NULL at the end. */
char *desk_ask(struct desk *desk, const char *format, ...) __attribute__((format(printf, 2, 3)));
