/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of kinds of orders: who may, which accounts stand where, which fields count, which
 * rule; and beside it the one of what falls due. */
#include "rules.h"

#define R(name) ROLE_BIT(TIMEBANK__ROLE__##name)
#define KIND_NUMBER(name) .number = TIMEBANK__ORDER__KIND_##name
#define TIME_FIELDS (USES_DAY | USES_FROM | USES_TO | USES_MINUTES | USES_ACTIVITY | USES_SHEET)
#define CREDIT_FIELDS (USES_DAY | USES_FROM | USES_TO | USES_MINUTES | USES_SHEET)
#define ANY_OPENED (MEMBERS | ORGANISATIONS | VENUES)

static const struct kind kinds[] = {
    {KIND_NUMBER(EXCHANGE), .roles = BROKERS | R(ROLE_MEMBER), .from_kinds = MEMBERS,
     .to_kinds = MEMBERS, .fields = TIME_FIELDS,
     .traits = COUNTS | REVERSIBLE | SPENDS | GIVES_TIME | OWN_FROM, .apply = rules_time_give},
    {KIND_NUMBER(EARN), .roles = BROKERS | R(ROLE_ORGANISATION), .from_kinds = ORGANISATIONS,
     .to_kinds = MEMBERS, .fields = TIME_FIELDS,
     .traits = COUNTS | REVERSIBLE | GIVES_TIME | OWN_FROM, .apply = rules_time_give},
    {KIND_NUMBER(LOG), .roles = BROKERS, .from_kinds = MEMBERS | ORGANISATIONS, .to_kinds = MEMBERS,
     .fields = TIME_FIELDS, .traits = COUNTS | REVERSIBLE | GIVES_TIME | FROM_OPTIONAL,
     .apply = rules_time_log},
    {KIND_NUMBER(GIFT), .roles = BROKERS | R(ROLE_MEMBER), .from_kinds = MEMBERS,
     .to_kinds = MEMBERS, .fields = CREDIT_FIELDS, .traits = COUNTS | REVERSIBLE | SPENDS | OWN_FROM,
     .apply = rules_credit_move},
    {KIND_NUMBER(DONATE), .roles = BROKERS | R(ROLE_MEMBER), .from_kinds = MEMBERS,
     .to_kinds = CHEST, .fields = CREDIT_FIELDS, .traits = COUNTS | REVERSIBLE | SPENDS | OWN_FROM,
     .apply = rules_credit_move},
    {KIND_NUMBER(GRANT), .roles = BROKERS, .from_kinds = ISSUED | CHEST, .to_kinds = MEMBERS,
     .fields = CREDIT_FIELDS, .traits = COUNTS | REVERSIBLE, .apply = rules_credit_grant},
    {KIND_NUMBER(ISSUE), .roles = BROKERS, .from_kinds = ISSUED, .to_kinds = ORGANISATIONS,
     .fields = CREDIT_FIELDS, .traits = COUNTS | REVERSIBLE, .apply = rules_credit_issue},
    {KIND_NUMBER(REDEEM), .roles = BROKERS | R(ROLE_VENUE), .from_kinds = MEMBERS,
     .to_kinds = VENUES, .fields = CREDIT_FIELDS, .traits = COUNTS | REVERSIBLE | SPENDS | OWN_TO,
     .apply = rules_redeem},
    {KIND_NUMBER(REVERSE), .roles = BROKERS | R(ROLE_VENUE), .fields = USES_MINUTES,
     .traits = COUNTS | ANY_MINUTES | ZERO_MINUTES, .apply = rules_reverse},

    {KIND_NUMBER(MINT_VOUCHERS), .roles = BROKERS,
     .from_kinds = MEMBERS | ORGANISATIONS | CHEST | ISSUED, .to_kinds = VOUCHERS,
     .fields = CREDIT_FIELDS, .traits = COUNTS | SPENDS, .apply = rules_voucher_mint},
    {KIND_NUMBER(REDEEM_VOUCHER), .roles = BROKERS | R(ROLE_VENUE), .from_kinds = VOUCHERS,
     .to_kinds = VENUES | MEMBERS, .fields = CREDIT_FIELDS,
     .traits = COUNTS | REVERSIBLE | OWN_TO | ANY_MINUTES, .apply = rules_voucher_redeem},
    {KIND_NUMBER(VOID_VOUCHERS), .roles = BROKERS, .from_kinds = VOUCHERS,
     .to_kinds = MEMBERS | ORGANISATIONS | CHEST | ISSUED, .fields = CREDIT_FIELDS,
     .traits = COUNTS | ANY_MINUTES, .apply = rules_voucher_void},
    {KIND_NUMBER(REISSUE_VOUCHER), .roles = BROKERS, .apply = rules_voucher_reissue},

    {KIND_NUMBER(EXPIRE), .roles = BROKERS, .from_kinds = MEMBERS, .to_kinds = EXPIRED,
     .fields = USES_DAY | USES_FROM | USES_TO | USES_MINUTES,
     .traits = COUNTS | REVERSIBLE | ANY_MINUTES, .apply = rules_expire},

    {KIND_NUMBER(OPEN_ACCOUNT), .roles = BROKERS, .fields = USES_TO | USES_DAY,
     .apply = rules_register_open},
    {KIND_NUMBER(FREEZE), .roles = BROKERS, .to_kinds = ANY_OPENED, .fields = USES_TO,
     .apply = rules_register_freeze},
    {KIND_NUMBER(THAW), .roles = BROKERS, .to_kinds = ANY_OPENED, .fields = USES_TO,
     .apply = rules_register_thaw},
    {KIND_NUMBER(CLOSE), .roles = BROKERS, .to_kinds = ANY_OPENED, .fields = USES_TO,
     .apply = rules_register_close},
    {KIND_NUMBER(SET_LIMIT), .roles = BROKERS, .to_kinds = ANY_OPENED | CHEST, .fields = USES_TO,
     .apply = rules_limits_set},
    {KIND_NUMBER(SET_POLICY), .roles = STEWARDS, .apply = rules_register_policy},
    {KIND_NUMBER(SET_ACTIVITY), .roles = BROKERS, .apply = rules_register_activity},
    {KIND_NUMBER(SET_OFFER), .roles = BROKERS, .to_kinds = VENUES, .fields = USES_TO,
     .apply = rules_register_offer},
    {KIND_NUMBER(SET_FUNDER), .roles = BROKERS, .apply = rules_register_funder},
    {KIND_NUMBER(GRANT_KEY), .roles = STEWARDS, .fields = USES_TO, .apply = rules_keys_grant},
    {KIND_NUMBER(REVOKE_KEY), .roles = STEWARDS, .apply = rules_keys_revoke},
    {KIND_NUMBER(SET_VOUCHER_KEY), .roles = STEWARDS, .apply = rules_voucher_key},
};

/* What falls due, and what then happens. */
static const struct pending_kind pending_kinds[] = {
    {PENDING_VOUCHERS, "vouchers", rules_voucher_plan, rules_voucher_expire},
    {PENDING_CONFLICT, "conflict", NULL, NULL}, /* waits for a broker, not for a time */
};

const struct pending_kind *pending_kind_find(enum state_pending_what what) {
    for (size_t i = 0; i < N_ELEMENTS(pending_kinds); i++)
        if (pending_kinds[i].what == what && what != 0)
            return &pending_kinds[i];
    return NULL;
}

const struct kind *kind_find(Timebank__Order__KindCase number) {
    for (size_t i = 0; i < N_ELEMENTS(kinds); i++)
        if (kinds[i].number == number)
            return &kinds[i];
    return NULL;
}
