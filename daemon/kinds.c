/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of kinds of orders: who may, which accounts stand where, which fields count, which
 * rule; and beside it the one of what falls due. */
#include "rules.h"

#define R(name) ROLE_BIT(TIMEBANK__ROLE__##name)
#define KIND_NUMBER(name) .number = TIMEBANK__ORDER__KIND_##name
#define TIME_FIELDS                                                                                \
    (USES_DAY | USES_FROM | USES_TO | USES_MINUTES | USES_ACTIVITY | USES_SHEET | USES_PERSONS)
#define CREDIT_FIELDS (USES_DAY | USES_FROM | USES_TO | USES_MINUTES | USES_SHEET)
#define ANY_OPENED (MEMBERS | ORGANISATIONS | VENUES)
#define ANY_OPENED_OR_BANK (ANY_OPENED | BANKS)

/* Who says yes or no to what concerns their own account. */
#define ANSWERERS (BROKERS | R(ROLE_MEMBER) | R(ROLE_ORGANISATION))

static const struct kind kinds[] = {
    {KIND_NUMBER(EXCHANGE), .roles = BROKERS | R(ROLE_MEMBER), .from_kinds = MEMBERS,
     .to_kinds = MEMBERS, .fields = TIME_FIELDS,
     .traits = COUNTS | REVERSIBLE | SPENDS | GIVES_TIME | OWN_FROM | PROPOSABLE | CLAIMABLE,
     .apply = rules_time_give, .take_back = rules_time_take_back,
     .taken_back = rules_time_taken_back},
    {KIND_NUMBER(EARN), .roles = BROKERS | R(ROLE_ORGANISATION) | R(ROLE_MEMBER),
     .from_kinds = ORGANISATIONS, .to_kinds = MEMBERS, .fields = TIME_FIELDS,
     .traits = COUNTS | REVERSIBLE | GIVES_TIME | OWN_FROM | PROPOSABLE | CLAIMABLE,
     .apply = rules_time_give, .take_back = rules_time_take_back,
     .taken_back = rules_time_taken_back},
    {KIND_NUMBER(LOG), .roles = BROKERS, .from_kinds = MEMBERS | ORGANISATIONS, .to_kinds = MEMBERS,
     .fields = TIME_FIELDS, .traits = COUNTS | REVERSIBLE | GIVES_TIME | FROM_OPTIONAL,
     .apply = rules_time_log, .taken_back = rules_time_taken_back},
    {KIND_NUMBER(GIFT), .roles = BROKERS | R(ROLE_MEMBER), .from_kinds = MEMBERS,
     .to_kinds = MEMBERS, .fields = CREDIT_FIELDS | USES_PERSONS,
     .traits = COUNTS | REVERSIBLE | SPENDS | OWN_FROM | PROPOSABLE, .apply = rules_credit_move},
    {KIND_NUMBER(DONATE), .roles = BROKERS | R(ROLE_MEMBER), .from_kinds = MEMBERS,
     .to_kinds = CHEST, .fields = CREDIT_FIELDS | USES_PERSONS,
     .traits = COUNTS | REVERSIBLE | SPENDS | OWN_FROM | PROPOSABLE, .apply = rules_credit_move},
    {KIND_NUMBER(GRANT), .roles = BROKERS, .from_kinds = ISSUED | CHEST, .to_kinds = MEMBERS,
     .fields = CREDIT_FIELDS | USES_PERSONS, .traits = COUNTS | REVERSIBLE | PROPOSABLE,
     .apply = rules_credit_grant},
    {KIND_NUMBER(ISSUE), .roles = BROKERS, .from_kinds = ISSUED, .to_kinds = ORGANISATIONS,
     .fields = CREDIT_FIELDS, .traits = COUNTS | REVERSIBLE | PROPOSABLE,
     .apply = rules_credit_issue},
    {KIND_NUMBER(REDEEM), .roles = BROKERS | R(ROLE_VENUE), .from_kinds = MEMBERS,
     .to_kinds = VENUES, .fields = CREDIT_FIELDS | USES_PERSONS,
     .traits = COUNTS | REVERSIBLE | SPENDS | OWN_TO | ANY_MINUTES, .apply = rules_redeem,
     .taken_back = rules_redeem_taken_back},
    {KIND_NUMBER(REVERSE), .roles = BROKERS | R(ROLE_VENUE), .fields = USES_MINUTES,
     .traits = COUNTS | ANY_MINUTES | ZERO_MINUTES, .apply = rules_reverse},

    {KIND_NUMBER(SESSION), .roles = BROKERS | R(ROLE_ORGANISATION), .from_kinds = ORGANISATIONS,
     .fields = USES_DAY | USES_FROM | USES_MINUTES | USES_ACTIVITY | USES_SHEET,
     .traits = COUNTS | REVERSIBLE | FROM_OPTIONAL | OWN_FROM | PROPOSABLE, .apply = rules_session,
     .take_back = rules_session_take_back, .taken_back = rules_session_taken_back},
    {KIND_NUMBER(ADVANCE), .roles = BROKERS, .from_kinds = ADVANCES, .to_kinds = MEMBERS,
     .fields = CREDIT_FIELDS | USES_PERSONS, .traits = COUNTS | REVERSIBLE | PROPOSABLE,
     .apply = rules_advance, .take_back = rules_advance_take_back,
     .taken_back = rules_advance_taken_back},
    {KIND_NUMBER(PLEDGE), .roles = BROKERS, .from_kinds = ADVANCES, .to_kinds = MEMBERS,
     .fields = CREDIT_FIELDS | USES_PERSONS, .traits = COUNTS | REVERSIBLE | PROPOSABLE,
     .apply = rules_advance_pledge, .take_back = rules_advance_take_back,
     .taken_back = rules_advance_taken_back},

    {KIND_NUMBER(HOLD), .roles = BROKERS | R(ROLE_VENUE) | R(ROLE_MEMBER), .from_kinds = MEMBERS,
     .to_kinds = VENUES, .fields = CREDIT_FIELDS | USES_PERSONS,
     .traits = SPENDS | OWN_FROM | OWN_TO | ANY_MINUTES, .apply = rules_hold},
    {KIND_NUMBER(CAPTURE), .roles = BROKERS | R(ROLE_VENUE), .fields = USES_MINUTES,
     .traits = COUNTS | REVERSIBLE | ANY_MINUTES | ZERO_MINUTES, .apply = rules_hold_capture,
     .taken_back = rules_hold_taken_back},
    {KIND_NUMBER(RELEASE), .roles = BROKERS | R(ROLE_VENUE) | R(ROLE_MEMBER),
     .apply = rules_hold_release},
    {KIND_NUMBER(VENUE_RETURN), .roles = BROKERS | R(ROLE_VENUE), .from_kinds = VENUES,
     .fields = USES_FROM, .traits = OWN_FROM, .apply = rules_return},
    {KIND_NUMBER(RETIRE), .roles = BROKERS, .from_kinds = VENUES, .to_kinds = RETIRED,
     .fields = CREDIT_FIELDS, .traits = COUNTS | REVERSIBLE | ANY_MINUTES,
     .apply = rules_return_retire},

    {KIND_NUMBER(MINT_VOUCHERS), .roles = BROKERS,
     .from_kinds = MEMBERS | ORGANISATIONS | CHEST | ISSUED, .to_kinds = VOUCHERS,
     .fields = CREDIT_FIELDS, .traits = COUNTS | SPENDS | PROPOSABLE, .apply = rules_voucher_mint},
    {KIND_NUMBER(REDEEM_VOUCHER), .roles = BROKERS | R(ROLE_VENUE), .from_kinds = VOUCHERS,
     .to_kinds = VENUES | MEMBERS, .fields = CREDIT_FIELDS,
     .traits = COUNTS | REVERSIBLE | OWN_TO | ANY_MINUTES, .apply = rules_voucher_redeem,
     .take_back = rules_voucher_take_back, .taken_back = rules_voucher_taken_back},
    {KIND_NUMBER(VOID_VOUCHERS), .roles = BROKERS, .from_kinds = VOUCHERS,
     .to_kinds = MEMBERS | ORGANISATIONS | CHEST | ISSUED, .fields = CREDIT_FIELDS,
     .traits = COUNTS | ANY_MINUTES, .apply = rules_voucher_void},
    {KIND_NUMBER(REISSUE_VOUCHER), .roles = BROKERS, .apply = rules_voucher_reissue},

    {KIND_NUMBER(EXPIRE), .roles = BROKERS, .from_kinds = MEMBERS, .to_kinds = EXPIRED,
     .fields = USES_DAY | USES_FROM | USES_TO | USES_MINUTES,
     .traits = COUNTS | REVERSIBLE | ANY_MINUTES, .apply = rules_expire},

    {KIND_NUMBER(SETTLE), .roles = BROKERS | R(ROLE_MEMBER), .from_kinds = ANY_OPENED,
     .to_kinds = MEMBERS | CHEST | EXPIRED | ISSUED | RETIRED | WRITE_OFFS,
     .fields = USES_DAY | USES_FROM | USES_TO, .traits = COUNTS | BARE | OWN_FROM,
     .apply = rules_settle},
    {KIND_NUMBER(MERGE), .roles = BROKERS, .from_kinds = ANY_OPENED, .to_kinds = ANY_OPENED,
     .fields = USES_FROM | USES_TO, .apply = rules_merge},
    {KIND_NUMBER(UNMERGE), .roles = BROKERS, .apply = rules_merge_undo},
    {KIND_NUMBER(TRANSFER), .roles = BROKERS, .from_kinds = MEMBERS | BANKS,
     .to_kinds = MEMBERS | BANKS, .fields = CREDIT_FIELDS | USES_PERSONS,
     .traits = COUNTS | REVERSIBLE, .apply = rules_transfer,
     .taken_back = rules_transfer_taken_back},

    {KIND_NUMBER(CONFIRM), .roles = ANSWERERS, .apply = rules_confirm},
    {KIND_NUMBER(DECLINE), .roles = ANSWERERS, .apply = rules_confirm_decline},
    {KIND_NUMBER(WITHDRAW), .roles = ANSWERERS, .apply = rules_confirm_withdraw},
    {KIND_NUMBER(APPROVE), .roles = BROKERS, .apply = rules_confirm_approve},
    {KIND_NUMBER(DISPUTE), .roles = ANSWERERS, .apply = rules_dispute},
    {KIND_NUMBER(DECIDE), .roles = BROKERS, .fields = USES_MINUTES,
     .traits = ANY_MINUTES | ZERO_MINUTES, .apply = rules_dispute_decide},

    {KIND_NUMBER(OPEN_ACCOUNT), .roles = BROKERS, .fields = USES_TO | USES_DAY,
     .apply = rules_register_open},
    {KIND_NUMBER(FREEZE), .roles = BROKERS, .to_kinds = ANY_OPENED_OR_BANK, .fields = USES_TO,
     .apply = rules_register_freeze},
    {KIND_NUMBER(THAW), .roles = BROKERS, .to_kinds = ANY_OPENED_OR_BANK, .fields = USES_TO,
     .apply = rules_register_thaw},
    {KIND_NUMBER(CLOSE), .roles = BROKERS, .to_kinds = ANY_OPENED_OR_BANK, .fields = USES_TO,
     .apply = rules_register_close},
    {KIND_NUMBER(SET_LIMIT), .roles = BROKERS, .to_kinds = ANY_OPENED_OR_BANK | CHEST,
     .fields = USES_TO, .apply = rules_limits_set},
    {KIND_NUMBER(SET_POLICY), .roles = STEWARDS, .apply = rules_register_policy},
    {KIND_NUMBER(SET_ACTIVITY), .roles = BROKERS, .apply = rules_register_activity},
    {KIND_NUMBER(SET_OFFER), .roles = BROKERS, .to_kinds = VENUES, .fields = USES_TO,
     .apply = rules_offer_set},
    {KIND_NUMBER(SET_FUNDER), .roles = BROKERS, .apply = rules_register_funder},
    {KIND_NUMBER(GRANT_KEY), .roles = STEWARDS, .fields = USES_TO, .apply = rules_keys_grant},
    {KIND_NUMBER(REVOKE_KEY), .roles = STEWARDS, .apply = rules_keys_revoke},
    {KIND_NUMBER(CLOSE_PERIOD), .roles = BROKERS, .apply = rules_period_close},
    {KIND_NUMBER(SET_PROGRAMME), .roles = BROKERS, .apply = rules_period_programme},
    {KIND_NUMBER(SET_TRUST), .roles = ANSWERERS, .to_kinds = MEMBERS | ORGANISATIONS,
     .fields = USES_TO, .traits = OWN_TO, .apply = rules_trust_set},
    {KIND_NUMBER(SET_PERSON), .roles = BROKERS, .to_kinds = MEMBERS, .fields = USES_TO,
     .apply = rules_person_set},
    {KIND_NUMBER(SET_MANDATE), .roles = BROKERS, .to_kinds = MEMBERS, .fields = USES_TO,
     .apply = rules_mandate_set},
    {KIND_NUMBER(SAFEGUARD), .roles = BROKERS, .to_kinds = ANY_OPENED, .fields = USES_TO,
     .apply = rules_safeguard_set},
    {KIND_NUMBER(SET_CHOICE), .roles = BROKERS | R(ROLE_MEMBER), .to_kinds = MEMBERS,
     .fields = USES_TO, .traits = OWN_TO, .apply = rules_leave_choose},
    {KIND_NUMBER(LEAVE), .roles = BROKERS | R(ROLE_MEMBER), .to_kinds = MEMBERS, .fields = USES_TO,
     .traits = OWN_TO, .apply = rules_leave},
    {KIND_NUMBER(ERASE), .roles = STEWARDS, .to_kinds = ANY_OPENED,
     .fields = USES_TO | USES_TO_PERSON, .apply = rules_erase},
    {KIND_NUMBER(SET_VOUCHER_KEY), .roles = STEWARDS, .apply = rules_voucher_key},
    {KIND_NUMBER(ROTATE_KEY), .roles = STEWARDS, .apply = rules_rotate},
    {KIND_NUMBER(RELEASE_REPORT), .roles = BROKERS | R(EVALUATOR), .apply = rules_release},
};

/* What falls due, and what then happens. */
static const struct pending_kind pending_kinds[] = {
    {PENDING_GIFT, "gift", rules_propose_plan, rules_propose_lapse},
    {PENDING_CLAIM, "claim", rules_propose_plan, rules_propose_lapse},
    {PENDING_APPROVAL, "approval", rules_propose_plan, rules_propose_lapse},
    {PENDING_DISPUTE, "dispute", rules_dispute_plan, rules_dispute_lapse},
    {PENDING_PLEDGE, "pledge", rules_advance_plan, rules_advance_due},
    {PENDING_HOLD, "hold", rules_hold_plan, rules_hold_lapse},
    {PENDING_VOUCHERS, "vouchers", rules_voucher_plan, rules_voucher_expire},
    {PENDING_LEAVE, "leave", rules_leave_plan, rules_leave_due},
    {PENDING_CONFLICT, "conflict", NULL, NULL}, /* waits for a broker, not for a time */
};

const struct pending_kind *kind_find_pending(enum state_pending_what what) {
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
