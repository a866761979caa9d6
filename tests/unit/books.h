/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bank of the rules alone: a state in memory, a clock that stands still, and verbs that read as a
 * broker's day. Orders are entered one after another and judged together by submit(). Every record
 * is kept, so that books_close() can replay the whole from the start and compare each row. Every
 * batch is judged both ways: in place, and as a dry run, where no order goes a short way.
 */
#pragma once

#include <criterion/criterion.h>

#include "daemon/judging.h"
#include "proto/refusal.h"

#define BOOKS_NOTES_MAX 64
#define BOOKS_PENDING_MAX 64
#define BOOKS_LEGS_MAX 1024

struct books_note {
    int number;
    uint32_t place;
    bool is_warning;
    char field[32];
    uint64_t entry;
    char message[256];
};

extern struct books_note books_notes[BOOKS_NOTES_MAX]; /* of the last submit */
extern size_t books_n_notes;
/* What each order did, good until the next submit. */
extern struct ledger_effect books_effects[BOOKS_PENDING_MAX];
extern uint64_t books_entry[BOOKS_PENDING_MAX]; /* entry number of each order, if it was recorded */
extern struct state *books_state;
extern uint64_t books_now_ms;

/* ---- opening and closing */

/* A genesis with the default policies but for `names` (NAME=VALUE, NULL-terminated, may be NULL),
 * one steward, who is then the author. 0, or what ledger_genesis said. */
int books_genesis(const char *const *changes);
/* ... and m1 to m4, food-bank (organisation), swim (venue, offer swim 60 min), the activities
 * gardening and cooking, the funder council, the keys broker, m1-key, food-key and swim-key. */
void books_open(void);
void books_open_with(const char *const *changes);
/* The laws, and a replay from the start that ends in the same rows. */
void books_close(void);
void books_replay(void);
/* Packs the rows that live on disk and forgets them: from then on they are read back. */
void books_write_behind(void);
/* What is due now is recorded: how many events. submit() does so first, as the daemon does. */
size_t books_run_due(void);

uint32_t today(void);
uint32_t on(const char *iso);
void wait_minutes(int64_t minutes);
void wait_days(uint32_t days);
/* The author of what is entered next, by the name of their key. */
void as(const char *key_name);
const uint8_t *key_of(const char *name);

/* ---- orders: entered, and held back until submit() */

Timebank__Order *exchange(const char *from, const char *to, uint64_t minutes);
Timebank__Order *earn(const char *organisation, const char *to, uint64_t minutes);
Timebank__Order *log_hours(const char *to, uint64_t minutes);
Timebank__Order *gift(const char *from, const char *to, uint64_t minutes);
Timebank__Order *donate(const char *from, uint64_t minutes);
Timebank__Order *grant(const char *from, const char *to, uint64_t minutes);
Timebank__Order *issue(const char *to, uint64_t minutes);
Timebank__Order *redeem(const char *from, const char *venue, uint32_t heads, uint64_t minutes);
Timebank__Order *reverse(const Timebank__Order *target, uint64_t minutes); /* 0: all */
Timebank__Order *reverse_id(const void *id, size_t n, uint64_t minutes);
Timebank__Order *open_account(const char *code, Timebank__AccountKind kind);
Timebank__Order *freeze(const char *code);
Timebank__Order *thaw(const char *code);
Timebank__Order *close_account(const char *code);
Timebank__Order *set_limit(const char *code, const int64_t *floor, const int64_t *ceiling);
Timebank__Order *set_policy(const char *name, const char *value);
Timebank__Order *set_activity(const char *name);
Timebank__Order *set_offer(const char *venue, const char *name, uint64_t price);
Timebank__Order *set_funder(const char *name);
Timebank__Order *grant_key(const char *key_name, Timebank__Role role, const char *account);
Timebank__Order *revoke_key(const char *key_name);

/* What may be said of an order that was entered; each returns it. */
Timebank__Order *with_why(Timebank__Order *order, uint32_t override);
Timebank__Order *from_source(Timebank__Order *order, Timebank__Source source);
Timebank__Order *on_day(Timebank__Order *order, uint32_t day);
Timebank__Order *correcting(Timebank__Order *order, const Timebank__Order *wrong);
/* The same order again, with the same id. */
Timebank__Order *repeat(const Timebank__Order *order);
/* Bytes of the next order in place of an order. */
void enter_bytes(const void *body, size_t n);
/* An order of any kind: its message is empty yet, see order->exchange and the like. */
Timebank__Order *enter_order(const ProtobufCMessageDescriptor *descriptor,
                             Timebank__Order__KindCase kind, const char *from, const char *to,
                             uint64_t minutes);
#define ENTER(name, NAME, from, to, minutes)                                                       \
    enter_order(&timebank__##name##__descriptor, TIMEBANK__ORDER__KIND_##NAME, from, to, minutes)
/* Bytes for a field of an order; they stay until the books are closed. */
ProtobufCBinaryData keep_bytes(const void *bytes, size_t n);
/* The id of an order, to name it; and the leaf hash of its record, to confirm exactly that. */
ProtobufCBinaryData target_of(const Timebank__Order *order);
ProtobufCBinaryData quote_of(const Timebank__Order *order);

/* Judges what was entered: the number of refusals; 0 and it is recorded. */
size_t submit(void);

/* ---- what came of it */

bool was_warned(int warning);
const struct books_note *refusal_at(uint32_t place);
int64_t balance(const char *code);
int64_t held(const char *code);
/* What the order at that place did to an account, or NULL. */
const struct ledger_leg *leg_of(size_t place, const char *code);
/* The event recorded last but n. */
struct books_event {
    uint64_t index;
    Timebank__EventKind kind;
    uint64_t minutes;
    uint64_t time_ms;
    uint8_t follows[ORDER_ID_BYTES];
    uint8_t digest[HASH_BYTES]; /* of its record */
};
const struct books_event *event_before(size_t n);
const struct state_account *account_of(const char *code);
/* A measure of the report, the first of that name: of all time, or of a period as known on a day
 * (0: all that is known). */
long long books_figure(const char *figure);
long long books_figure_of(const char *figure, uint32_t from_day, uint32_t to_day,
                          uint32_t known_day);
/* Every row of the whole state is in the other, which may have some on disk; so are the sums. */
void books_compare(struct state *whole, struct state *other);
/* Two judgements of one batch say and do the same, whichever way they went. */
void books_compare_batches(const struct ledger_batch *a, const struct ledger_batch *b);

#define done() books_done(__FILE__, __LINE__)
#define warned(NAME) books_warned(WARNING_##NAME, __FILE__, __LINE__)
#define refused(NAME) books_refused(REFUSAL_##NAME, __FILE__, __LINE__)
/* Recorded without a warning. */
void books_done(const char *file, int line);
/* Recorded with exactly this warning. */
void books_warned(int warning, const char *file, int line);
/* Refused, for exactly this; nothing was recorded. The refusal is books_notes[0]. */
void books_refused(int refusal, const char *file, int line);
#define says(text) cr_assert(strstr(books_notes[0].message, text), "%s", books_notes[0].message)
#define names_field(text) cr_assert_str_eq(books_notes[0].field, text)
