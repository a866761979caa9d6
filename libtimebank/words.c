/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers into words and back. The header's own enums are what programs outside are compiled
 * against, so here each is held against the table or the schema that it repeats.
 */
#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "proto/batch.h"
#include "proto/record.h"
#include "proto/refusal.h"
#include "timebank.h"

#define REFUSAL(number, name, sentence) static_assert(TB_##name == (number), #name);
#include "proto/refusals.def"
#undef REFUSAL

#define WARNING(number, name, sentence) static_assert(TB_WARN_##name == (number), #name);
#include "proto/warnings.def"
#undef WARNING

#define KIND(number, name, word, counts)                                                           \
    static_assert(TB_##name == (number), #name);                                                   \
    static_assert(TIMEBANK__ORDER__KIND_##name == (number), #name);
#include "proto/kinds.def"
#undef KIND

#define SAME(ours, theirs) static_assert((int)(ours) == (int)TIMEBANK__##theirs, #theirs)
SAME(TB_ACCOUNT_MEMBER, ACCOUNT_KIND__MEMBER);
SAME(TB_ACCOUNT_ORGANISATION, ACCOUNT_KIND__ORGANISATION);
SAME(TB_ACCOUNT_VENUE, ACCOUNT_KIND__VENUE);
SAME(TB_ACCOUNT_CHEST, ACCOUNT_KIND__CHEST);
SAME(TB_ACCOUNT_ISSUED, ACCOUNT_KIND__ISSUED);
SAME(TB_ACCOUNT_RETIRED, ACCOUNT_KIND__RETIRED);
SAME(TB_ACCOUNT_EXPIRED, ACCOUNT_KIND__EXPIRED);
SAME(TB_ACCOUNT_ADVANCES, ACCOUNT_KIND__ADVANCES);
SAME(TB_ACCOUNT_VOUCHERS, ACCOUNT_KIND__VOUCHERS);
SAME(TB_ACCOUNT_TRANSIT, ACCOUNT_KIND__TRANSIT);
SAME(TB_ACCOUNT_WRITE_OFFS, ACCOUNT_KIND__WRITE_OFFS);
SAME(TB_ACCOUNT_BANK, ACCOUNT_KIND__BANK);
SAME(TB_STANDING_OPEN, STANDING__OPEN);
SAME(TB_STANDING_FROZEN, STANDING__FROZEN);
SAME(TB_STANDING_CLOSED, STANDING__CLOSED);
SAME(TB_ROLE_NONE, ROLE__ROLE_NONE);
SAME(TB_ROLE_STEWARD, ROLE__STEWARD);
SAME(TB_ROLE_BROKER, ROLE__BROKER);
SAME(TB_ROLE_ORGANISATION, ROLE__ROLE_ORGANISATION);
SAME(TB_ROLE_VENUE, ROLE__ROLE_VENUE);
SAME(TB_ROLE_MEMBER, ROLE__ROLE_MEMBER);
SAME(TB_ROLE_EVALUATOR, ROLE__EVALUATOR);
SAME(TB_ROLE_AUDITOR, ROLE__AUDITOR);
SAME(TB_BY_ROLE, AUTHORITY__AUTHORITY_NONE);
SAME(TB_BY_SELF, AUTHORITY__BY_SELF);
SAME(TB_BY_BROKER, AUTHORITY__BY_BROKER);
SAME(TB_BY_VENUE, AUTHORITY__BY_VENUE);
SAME(TB_BY_ORGANISATION, AUTHORITY__BY_ORGANISATION);
SAME(TB_BY_GUARDIAN, AUTHORITY__BY_GUARDIAN);
SAME(TB_BY_SHEET, AUTHORITY__BY_SHEET);
SAME(TB_FROM_HAND, SOURCE__HAND);
SAME(TB_FROM_SHEET, SOURCE__SHEET);
SAME(TB_FROM_IMPORT, SOURCE__IMPORT);
SAME(TB_FROM_HISTORY, SOURCE__HISTORY);
SAME(TB_REST_TO_CHEST, SESSION_REST__REST_TO_CHEST);
SAME(TB_REST_SHARED, SESSION_REST__REST_SHARED);
SAME(TB_REST_BY_CHEST, SESSION_REST__REST_BY_CHEST);
SAME(TB_SETTLE_NONE, SETTLE_AS__SETTLE_NONE);
SAME(TB_SETTLE_LEFT, SETTLE_AS__LEFT);
SAME(TB_SETTLE_DIED, SETTLE_AS__DIED);
SAME(TB_SETTLE_ENDED, SETTLE_AS__ENDED);
SAME(TB_AGES_ANY, OFFER_AGES__AGES_ANY);
SAME(TB_AGES_ADULTS_ONLY, OFFER_AGES__ADULTS_ONLY);
SAME(TB_AGES_UNDER16_ONLY, OFFER_AGES__UNDER16_ONLY);
SAME(TB_AGES_WITH_AN_ADULT, OFFER_AGES__WITH_AN_ADULT);
SAME(TB_MANDATE_NONE, MANDATE_KIND__MANDATE_NONE);
SAME(TB_MANDATE_CARER, MANDATE_KIND__CARER);
SAME(TB_MANDATE_GUARDIAN, MANDATE_KIND__GUARDIAN);
SAME(TB_MANDATE_FOR_BROKER, MANDATE_KIND__FOR_BROKER);
SAME(TB_EVENT_NONE, EVENT_KIND__EVENT_NONE);
SAME(TB_EVENT_HOLD_LAPSED, EVENT_KIND__HOLD_LAPSED);
SAME(TB_EVENT_GIFT_LAPSED, EVENT_KIND__GIFT_LAPSED);
SAME(TB_EVENT_CLAIM_LAPSED, EVENT_KIND__CLAIM_LAPSED);
SAME(TB_EVENT_CLAIM_ACCEPTED, EVENT_KIND__CLAIM_ACCEPTED);
SAME(TB_EVENT_APPROVAL_LAPSED, EVENT_KIND__APPROVAL_LAPSED);
SAME(TB_EVENT_DISPUTE_LAPSED, EVENT_KIND__DISPUTE_LAPSED);
SAME(TB_EVENT_VOUCHERS_EXPIRED, EVENT_KIND__VOUCHERS_EXPIRED);
SAME(TB_EVENT_PLEDGE_DUE, EVENT_KIND__PLEDGE_DUE);
SAME(TB_EVENT_LEAVE_DUE, EVENT_KIND__LEAVE_DUE);
SAME(TB_REGISTER_NONE, REGISTER_TABLE__REGISTER_NONE);
SAME(TB_REGISTER_PENDING, REGISTER_TABLE__PENDING);
SAME(TB_REGISTER_PERSONS, REGISTER_TABLE__PERSONS);
SAME(TB_REGISTER_MANDATES, REGISTER_TABLE__MANDATES);
SAME(TB_REGISTER_TRUSTS, REGISTER_TABLE__TRUSTS);
SAME(TB_REGISTER_SAFEGUARDS, REGISTER_TABLE__SAFEGUARDS);
SAME(TB_REGISTER_PROGRAMMES, REGISTER_TABLE__PROGRAMMES);
SAME(TB_REGISTER_PERIODS, REGISTER_TABLE__PERIODS);
SAME(TB_REGISTER_VOUCHERS_MINTED, REGISTER_TABLE__VOUCHERS_MINTED);
SAME(TB_REGISTER_VOUCHER_KEYS, REGISTER_TABLE__VOUCHER_KEYS);
SAME(TB_REGISTER_LIMITS, REGISTER_TABLE__LIMITS);
SAME(TB_REGISTER_EXPIRING, REGISTER_TABLE__EXPIRING);
SAME(TB_REGISTER_OFFER_SUMS, REGISTER_TABLE__OFFER_SUMS);
SAME(TB_REGISTER_LEAVING, REGISTER_TABLE__LEAVING);
SAME(TB_REGISTER_RELEASES, REGISTER_TABLE__RELEASES);
SAME(TB_CLASS_OF_KEY, REPORT_CLASS__CLASS_NONE);
SAME(TB_CLASS_INTERNAL, REPORT_CLASS__INTERNAL);
SAME(TB_CLASS_FUNDER, REPORT_CLASS__FOR_FUNDER);
SAME(TB_CLASS_PUBLIC, REPORT_CLASS__FOR_PUBLIC);
SAME(TB_REPORT_FIGURES, REPORT_WHAT__FIGURES);
SAME(TB_REPORT_WHY, REPORT_WHAT__WHY);
SAME(TB_REPORT_CHANGES, REPORT_WHAT__CHANGES);
SAME(TB_REPORT_EDGES, REPORT_WHAT__EDGES);
static_assert(TB_ORDER_ID_BYTES == ORDER_ID_BYTES, "an order's id");
static_assert(TB_QUOTE_BYTES == HASH_BYTES, "a leaf hash");
static_assert(TB_CLAIMS_BYTES == RECORD_CLAIMS_BYTES, "a voucher's claims");
static_assert(TB_SIGNATURE_BYTES == SSHSIG_SIGNATURE_BYTES, "its signature");
static_assert(TB_BATCH_ORDERS_MAX == BATCH_ORDERS_MAX, "a batch's orders");

static const char *const account_kinds[] = {
    [TB_ACCOUNT_MEMBER] = "member",         [TB_ACCOUNT_ORGANISATION] = "organisation",
    [TB_ACCOUNT_VENUE] = "venue",           [TB_ACCOUNT_CHEST] = "chest",
    [TB_ACCOUNT_ISSUED] = "issued",         [TB_ACCOUNT_RETIRED] = "retired",
    [TB_ACCOUNT_EXPIRED] = "expired",       [TB_ACCOUNT_ADVANCES] = "advances",
    [TB_ACCOUNT_VOUCHERS] = "vouchers",     [TB_ACCOUNT_TRANSIT] = "transit",
    [TB_ACCOUNT_WRITE_OFFS] = "write-offs", [TB_ACCOUNT_BANK] = "bank",
};

static const char *const standings[] = {
    [TB_STANDING_OPEN] = "open",
    [TB_STANDING_FROZEN] = "frozen",
    [TB_STANDING_CLOSED] = "closed",
};

static const char *const roles[] = {
    [TB_ROLE_NONE] = "none",           [TB_ROLE_STEWARD] = "steward",
    [TB_ROLE_BROKER] = "broker",       [TB_ROLE_ORGANISATION] = "organisation",
    [TB_ROLE_VENUE] = "venue",         [TB_ROLE_MEMBER] = "member",
    [TB_ROLE_EVALUATOR] = "evaluator", [TB_ROLE_AUDITOR] = "auditor",
};

static const char *const report_classes[] = {
    [TB_CLASS_INTERNAL] = "internal",
    [TB_CLASS_FUNDER] = "funder",
    [TB_CLASS_PUBLIC] = "public",
};

static const char *const ages[] = {
    [TB_AGES_ANY] = "any",
    [TB_AGES_ADULTS_ONLY] = "adults",
    [TB_AGES_UNDER16_ONLY] = "under-16s",
    [TB_AGES_WITH_AN_ADULT] = "with-an-adult",
};

static const char *const events[] = {
    [TB_EVENT_HOLD_LAPSED] = "hold-lapsed",
    [TB_EVENT_GIFT_LAPSED] = "gift-lapsed",
    [TB_EVENT_CLAIM_LAPSED] = "claim-lapsed",
    [TB_EVENT_CLAIM_ACCEPTED] = "claim-accepted",
    [TB_EVENT_APPROVAL_LAPSED] = "approval-lapsed",
    [TB_EVENT_DISPUTE_LAPSED] = "dispute-lapsed",
    [TB_EVENT_VOUCHERS_EXPIRED] = "vouchers-expired",
    [TB_EVENT_PLEDGE_DUE] = "pledge-due",
    [TB_EVENT_LEAVE_DUE] = "leave-due",
};

static const char *const mandates[] = {
    [TB_MANDATE_CARER] = "carer",
    [TB_MANDATE_GUARDIAN] = "guardian",
    [TB_MANDATE_FOR_BROKER] = "broker",
};

static const char *word_get(const char *const *words, size_t n, int number) {
    const char *word = number >= 0 && (size_t)number < n ? words[number] : NULL;
    return word ? word : "unknown";
}

static int word_find(const char *const *words, size_t n, const char *name) {
    for (size_t i = 1; name && i < n; i++) {
        if (words[i] && strcmp(words[i], name) == 0)
            return (int)i;
    }
    return 0;
}

const char *tb_refusal_name(int refusal) {
    return refusal_name(refusal);
}

const char *tb_refusal_sentence(int refusal) {
    return refusal_sentence(refusal);
}

const char *tb_warning_name(int warning) {
    return warning_name(warning);
}

const char *tb_kind_name(int kind) {
    const char *name = record_kind_name((Timebank__Order__KindCase)kind);
    return name ? name : "unknown";
}

const char *tb_account_kind_name(int kind) {
    return word_get(account_kinds, N_ELEMENTS(account_kinds), kind);
}

const char *tb_standing_name(int standing) {
    return word_get(standings, N_ELEMENTS(standings), standing);
}

const char *tb_role_name(int role) {
    return word_get(roles, N_ELEMENTS(roles), role);
}

const char *tb_report_class_name(int report_class) {
    return word_get(report_classes, N_ELEMENTS(report_classes), report_class);
}

const char *tb_ages_name(int number) {
    return word_get(ages, N_ELEMENTS(ages), number);
}

const char *tb_event_name(int event) {
    return word_get(events, N_ELEMENTS(events), event);
}

const char *tb_mandate_name(int mandate) {
    return word_get(mandates, N_ELEMENTS(mandates), mandate);
}

int tb_account_kind_from_name(const char *name) {
    return word_find(account_kinds, N_ELEMENTS(account_kinds), name);
}

int tb_report_class_from_name(const char *name) {
    return word_find(report_classes, N_ELEMENTS(report_classes), name);
}

int tb_ages_from_name(const char *name) {
    return word_find(ages, N_ELEMENTS(ages), name);
}

int tb_mandate_from_name(const char *name) {
    return word_find(mandates, N_ELEMENTS(mandates), name);
}

int tb_role_from_name(const char *name) {
    return word_find(roles, N_ELEMENTS(roles), name);
}

const char *tb_version(void) {
    return TIMEBANK_VERSION;
}
