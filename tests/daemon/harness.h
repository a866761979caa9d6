/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verbs for stories about a bank: the real daemon from dispatch() down, in this process and on one
 * thread, in a directory of its own, with a clock that moves when the story says so.
 *
 * Each answer is believed only when its head, its consistency with the head before and its range
 * proof hold by a computation of the harness's own. After every story the bank is closed and
 * checked in full (bank_end).
 */
#pragma once

#include <criterion/criterion.h>

#include "daemon/check.h"
#include "daemon/dispatch.h"
#include "proto/merkle.h"
#include "proto/note.h"
#include "proto/record.h"
#include "proto/refusal.h"

#define TODAY 20000u /* 2024-10-04 */
#define MINUTE_MS 60000ull
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define NOON ((uint64_t)TODAY * DAY_MS + 12 * HOUR_MS)
#define STORY_TIMEOUT 60

/* Who may act in a story. bank_start() grants all but STRANGER; REVOKED's key was granted to a
 * member and taken back. */
enum actor {
    STEWARD,
    BROKER,
    BROKER_M30, /* a broker whose own hours are account m30's */
    GARDEN,     /* the organisation garden */
    POOL,       /* the venue pool */
    M12,        /* the member m12 */
    EVALUATOR,
    AUDITOR,
    REVOKED,
    STRANGER,
    N_ACTORS
};
const char *actor_name(enum actor actor);
const uint8_t *actor_key(enum actor actor);
void actor_sign(enum actor actor, const char *name_space, const void *message, size_t n,
                uint8_t ret[SSHSIG_SIGNATURE_BYTES]);

struct story {
    char directory[64];
    struct bank *bank;
    struct bank_settings settings;
    uint64_t wall_ms;
    uint64_t monotonic_ms;
    uint64_t author_ms; /* the authors' own clock, which is right */
    struct call_client clients[N_ACTORS];
    struct note_verifier verifier;
    struct note_head head;              /* the last one that was verified */
    struct arena arena;                 /* of everything a story makes and is told */
    const Timebank__Response *response; /* to the last request */
    uint32_t tag;
    uint64_t n_ids;
};
extern struct story story;

/* ---- the bank. The policies are NAME, VALUE, ..., NULL. bank_start() opens members m7, m12, m30,
 * organisation garden (with an allotment of 100 h), venue pool with the offer swim (60 min), the
 * activity gardening and the funder council. */
void bank_start(void);
void bank_start_with(const char *policy, ...) __attribute__((sentinel));
/* Genesis and steward only; settings as given in story.settings, made by story_settings(). */
void story_settings(void);
void bank_make(uint64_t wall_ms, const char *const *policies);
void bank_furnish(void);
void bank_restart(void);
void bank_stop(void);
/* 0, or what bank_open() says. */
int bank_try_open(char *why, size_t n_why);
/* The laws, on the bank as it stands and on its closed directory; the bank then goes on. */
void bank_check(void);
/* Teardown of every story: bank_check() and the directory removed. */
void bank_end(void);

/* ---- time */
void time_passes(uint64_t ms);     /* every clock */
void wall_clock_jumps(int64_t ms); /* the daemon's wall clock alone */
/* What the server does now and then: lets happen what is due, and publishes. 0, or why nothing did.
 */
int tick(void);

/* ---- asking */
/* Sends it as the actor, hands over, collects; the answer's position is verified. */
const Timebank__Response *ask(enum actor actor, Timebank__Request *request);
Timebank__Request *request_new(Timebank__Request__BodyCase body);
/* In two steps: what is asked before the group is handed over lies in one group. */
struct reply *ask_later(enum actor actor, Timebank__Request *request);
void hand_over(void);
const Timebank__Response *reply_take(struct reply *reply);

/* ---- orders */
Timebank__Order *order_new(Timebank__Order__KindCase kind);
Timebank__Order *order_move(Timebank__Order__KindCase kind, const char *from, const char *to,
                            uint64_t minutes);
Timebank__Order *order_helps(const char *giver, const char *receiver, uint64_t minutes);
Timebank__Order *order_redeem(const char *member, const char *offer, uint32_t adults,
                              uint64_t minutes);
Timebank__Order *order_reverse(const Timebank__Order *target, uint64_t minutes);
Timebank__Order *order_open(const char *code, Timebank__AccountKind kind);
Timebank__Order *order_grant_key(const uint8_t key[32], Timebank__Role role, const char *account);
Timebank__Order *order_revoke_key(const uint8_t key[32]);
Timebank__Order *order_set_policy(const char *name, const char *value);
char *text_copy(const char *text);

/* ---- batches */
#define PARCEL_ORDERS_MAX 64
#define PARCEL_BYTES_MAX 65536
struct parcel {
    enum actor author;
    bool is_dry_run;
    bool is_signed;
    struct batch_header header;
    uint8_t header_bytes[BATCH_HEADER_BYTES];
    uint8_t signature[SSHSIG_SIGNATURE_BYTES];
    size_t n;
    struct hash leaves[PARCEL_ORDERS_MAX];
    uint64_t entries[PARCEL_ORDERS_MAX]; /* once recorded */
    uint8_t orders[PARCEL_BYTES_MAX];
    size_t n_orders;
    Timebank__Submit submit;
};
struct parcel *parcel_new(enum actor author);
void parcel_put(struct parcel *parcel, Timebank__Order *order);
/* With the text of its reason, whose note is set in the order. */
void parcel_put_why(struct parcel *parcel, Timebank__Order *order, const char *why);
void parcel_put_person(struct parcel *parcel, Timebank__Order *order, const char *ward,
                       const char *age_band);
void parcel_put_bytes(struct parcel *parcel, const void *body, size_t n);
/* Count, root and signature; whatever else of the header the story has set stays. */
void parcel_sign(struct parcel *parcel);
/* The header as bytes anew, and the signature over them. */
void parcel_sign_header(struct parcel *parcel);
Timebank__Request *parcel_request(struct parcel *parcel);
/* Signs unless it is signed, sends, and verifies the proof of what was recorded. */
void parcel_send(struct parcel *parcel);
/* One order on its own. */
struct parcel *submit(enum actor author, Timebank__Order *order);
struct parcel *dry_run(enum actor author, Timebank__Order *order);
void end_dry_run(enum actor actor);
/* By the broker, recorded. */
Timebank__Order *m7_helps(const char *receiver, uint64_t minutes);
void recorded(enum actor author, Timebank__Order *order);

/* ---- expectations */
#define expect_recorded() expect_recorded_(__FILE__, __LINE__)
#define expect_dry() expect_dry_(__FILE__, __LINE__)
#define expect_refused(NAME) expect_refused_(0, REFUSAL_##NAME, NULL, __FILE__, __LINE__)
#define expect_refused_number(number) expect_refused_(0, number, NULL, __FILE__, __LINE__)
#define expect_refused_field(NAME, field)                                                          \
    expect_refused_(0, REFUSAL_##NAME, field, __FILE__, __LINE__)
#define expect_refusal(i, place, NAME) expect_refusal_(i, place, REFUSAL_##NAME, __FILE__, __LINE__)
#define expect_n_refusals(count)                                                                   \
    cr_assert(response_refused() && response_refused()->n_refusals == (count), "%s",               \
              response_words())
void expect_recorded_(const char *file, int line);
void expect_dry_(const char *file, int line);
void expect_refused_(uint32_t place, int refusal, const char *field, const char *file, int line);
void expect_refusal_(size_t i, uint32_t place, int refusal, const char *file, int line);
const Timebank__Refused *response_refused(void);
const Timebank__Answer *response_answer(void);
/* The last response in words, for a failure's sentence. */
const char *response_words(void);
bool has_warning(int warning);
int64_t balance_of(const char *code);
/* The last answer tells what an account stands at that is neither side of its (first) order. */
void expect_other(const char *code, int64_t minutes);
#define expect_balance(code, minutes)                                                              \
    cr_assert(balance_of(code) == (minutes), "%s stands at %lld", code, (long long)balance_of(code))

/* What the bank holds, in one hash: equal before and after when nothing was written. */
struct hash bank_print(void);
#define expect_nothing_written(before)                                                             \
    do {                                                                                           \
        struct hash after_ = bank_print(), before_ = (before);                                     \
        cr_assert(hash_equal(&before_, &after_), "something was written");                         \
    } while (0)

/* ---- the tree, computed anew: the definition of RFC 6962, section 2.1 */
struct hash naive_root(const struct hash *leaves, size_t n);
/* Leaf hashes of the first size records as they are stored; in the story's arena. */
struct hash *stored_leaves(uint64_t size);
