/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libtimebank's order: what a batch asks for, and how an entry reads that was recorded.
 *
 * Part of timebank.h, which is the header to include.
 */
#ifndef TIMEBANK_ORDER_H
#define TIMEBANK_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "timebank-numbers.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TB_ORDER_ID_BYTES 16
#define TB_QUOTE_BYTES 32
#define TB_CLAIMS_BYTES 22
#define TB_SIGNATURE_BYTES 64

/*
 * One order. All strings and lists are borrowed and copied when added to a batch; NULL is empty.
 *   exchange  from = receiver of time, to = giver      earn    from = organisation, to = giver
 *   log       to = giver                               gift    from, to: members
 *   donate    from = member (to: the chest)            grant   to = member; from: issued or chest
 *   issue     to = organisation, funder, programme     redeem  from = member, to = venue, offer,
 *             and reference                                    adults, under16
 *   session   from = the organisation that pays, or empty; givers and receivers with their minutes
 *             and persons, rest, heads, head_minutes; minutes = sum of giver_minutes
 *   reverse   target; minutes 0: all that remains
 *   confirm, approve: target, quote = what tb_entry gave as its leaf hash
 *   decline, withdraw, dispute, release, unmerge: target
 *   decide    target; minutes = what is taken back, 0: the entry stands
 *   hold      from = member, to = venue, offer, adults, under16, until_ms
 *   capture   target, release_rest; minutes 0: all that is held
 *   mint_vouchers   from = payer, first_serial, count, each_minutes, from_day, expires_day, venue;
 *             minutes = count times each_minutes
 *   redeem_voucher  to = venue or member, claims, signature, offline, offer, adults, under16
 *   void_vouchers   to = who paid, first_serial, count; minutes = what they hold together
 *   reissue_voucher first_serial, new_serial
 *   advance   to = member                    pledge    to = member, due_day
 *   expire    from = member, as_of_day       settle    from = who leaves, to, settle_as,
 *   merge     from = what ends, to = what              balance_minutes as its author saw it
 *             goes on, balance_minutes       transfer  member and bank:NAME, transfer_id
 *   venue_return  from = venue, from_day, to_day, lines: line_offers, line_heads, line_minutes
 *   retire    from = venue
 * and of the register:
 *   open_account to = code, account_kind, service_day = date of joining, ward, age_band
 *   freeze, thaw, close, erase: to
 *   set_limit to, floor_minutes, ceiling_minutes, soft_floor_minutes, soft_ceiling_minutes (NULL:
 *             by policy), spans and most
 *   set_policy name, value         set_activity name, tags (separated by spaces)
 *   set_offer to = venue, offer, price_minutes, weekdays ... withdrawn, from_day, to_day
 *   set_funder name                set_programme name, funder
 *   grant_key key, role, to = account or NULL, report_class of an evaluator
 *   revoke_key, set_voucher_key key
 *   set_person to, person, minor, gone
 *   set_mandate to, holder, mandate_kind, from_day, to_day (0: open)
 *   set_trust to, giver, ended     safeguard to, other or NULL, lifted
 *   close_period to_day            set_choice to, heir = a member's code, chest or expired
 *   leave     to, until_day, stays
 *   release_report report_class, definition, from_day, to_day, known_day, as_recorded, size, root,
 *             checksum, register_checksum: as tb_report_release() fills them in
 *   rotate_key key, by_old, by_new as tb_rotation_prepare() gave them, overlap_days
 * An empty from or to is filled in where the kind leaves no choice.
 */
struct tb_order {
    size_t struct_bytes; /* sizeof(struct tb_order): TB_ORDER_INIT sets it */
    enum tb_kind kind;
    uint8_t id[TB_ORDER_ID_BYTES]; /* zeros: a new UUID version 7 */
    uint32_t service_day;
    const char *from;
    const char *from_person;
    const char *to;
    const char *to_person;
    uint64_t minutes;
    uint64_t typed_minutes; /* as typed, where minutes was rounded; else 0 */
    enum tb_authority authority;
    const char *activity;
    const char *sheet;
    uint32_t line;
    uint32_t claimed_day; /* imports of old books: the date of entry they claim */
    const char *why;      /* kept beside the ledger in the register of people, never in it */
    unsigned override;
    uint8_t corrects[TB_ORDER_ID_BYTES]; /* the order this one replaces, or zeros */
    enum tb_source source;

    const char *funder;
    const char *programme;
    const char *reference;
    const char *offer;
    uint32_t adults;
    uint32_t under16;
    uint8_t target[TB_ORDER_ID_BYTES];

    enum tb_account_kind account_kind;
    const char *ward;
    const char *age_band;
    const int64_t *floor_minutes;
    const int64_t *ceiling_minutes;
    const char *name;
    const char *value;
    const char *tags;
    uint64_t price_minutes;
    uint8_t key[32];
    enum tb_role role;

    /* It waits until somebody else confirms or approves it. */
    int proposal;
    uint8_t quote[TB_QUOTE_BYTES]; /* leaf hash of the record that is agreed to */

    /* Lists of one side run parallel; persons may be NULL. */
    size_t n_givers;
    const char *const *givers;
    const uint64_t *giver_minutes;
    const char *const *giver_persons;
    size_t n_receivers;
    const char *const *receivers;
    const uint64_t *receiver_minutes;
    const char *const *receiver_persons;
    enum tb_session_rest rest;
    uint32_t heads; /* others who were there, without an account */
    uint64_t head_minutes;

    uint64_t until_ms; /* when a hold lapses */
    int release_rest;  /* of a capture: what is left goes back */

    uint64_t first_serial;
    uint64_t new_serial;
    uint32_t count;
    uint64_t each_minutes;
    const char *venue; /* good there only */
    uint8_t claims[TB_CLAIMS_BYTES];
    uint8_t signature[TB_SIGNATURE_BYTES];
    int offline; /* taken without asking, on the date of service */

    uint32_t from_day;
    uint32_t to_day;
    uint32_t expires_day; /* last day */
    uint32_t due_day;
    uint32_t as_of_day;
    uint32_t until_day;

    enum tb_settle settle_as;
    int64_t balance_minutes;
    uint8_t transfer_id[TB_ORDER_ID_BYTES]; /* the same in both ledgers */

    size_t n_lines; /* of a venue's return */
    const char *const *line_offers;
    const uint64_t *line_heads;
    const uint64_t *line_minutes;

    const int64_t *soft_floor_minutes;
    const int64_t *soft_ceiling_minutes;
    size_t n_spans;
    const uint32_t *spans; /* ascending: TB_SPAN_DAY ..., each may have TB_SPAN_ENTRIES added */
    const uint64_t *most;

    /* An offer's rules: 0 is no restriction. */
    uint32_t weekdays;    /* bits: 1 Monday, 2 Tuesday ... 64 Sunday */
    uint32_t from_minute; /* of the day */
    uint32_t to_minute;   /* exclusive; 0: midnight */
    enum tb_ages ages;
    uint32_t party_max;       /* heads of one redemption */
    uint32_t heads_a_day;     /* of everybody */
    uint32_t times_a_month;   /* of one member */
    uint64_t minutes_a_month; /* the offer's budget */
    int withdrawn;

    const char *person;
    int minor; /* under 18 */
    int gone;
    const char *holder;
    enum tb_mandate mandate_kind;
    const char *giver;
    int ended;
    const char *other;
    int lifted;
    const char *heir;
    int stays;

    uint8_t by_old[TB_SIGNATURE_BYTES];
    uint8_t by_new[TB_SIGNATURE_BYTES];
    uint32_t overlap_days;

    enum tb_report_class report_class;
    const char *definition; /* the set of measures */
    uint32_t known_day;     /* the cut-off */
    int as_recorded;
    uint64_t size; /* the position */
    uint8_t root[32];
    uint8_t checksum[32];
    uint8_t register_checksum[32];
};

#ifdef __cplusplus
#define TB_ORDER_INIT                                                                              \
    { sizeof(struct tb_order) }
#else
#define TB_ORDER_INIT                                                                              \
    { .struct_bytes = sizeof(struct tb_order) }
#endif

#ifdef __cplusplus
}
#endif

#endif
