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
static_assert(TB_ORDER_ID_BYTES == ORDER_ID_BYTES, "an order's id");
static_assert(TB_BATCH_ORDERS_MAX == BATCH_ORDERS_MAX, "a batch's orders");

static const char *const account_kinds[] = {
    [TB_ACCOUNT_MEMBER] = "member",         [TB_ACCOUNT_ORGANISATION] = "organisation",
    [TB_ACCOUNT_VENUE] = "venue",           [TB_ACCOUNT_CHEST] = "chest",
    [TB_ACCOUNT_ISSUED] = "issued",         [TB_ACCOUNT_RETIRED] = "retired",
    [TB_ACCOUNT_EXPIRED] = "expired",       [TB_ACCOUNT_ADVANCES] = "advances",
    [TB_ACCOUNT_VOUCHERS] = "vouchers",     [TB_ACCOUNT_TRANSIT] = "transit",
    [TB_ACCOUNT_WRITE_OFFS] = "write-offs",
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

int tb_account_kind_from_name(const char *name) {
    return word_find(account_kinds, N_ELEMENTS(account_kinds), name);
}

int tb_role_from_name(const char *name) {
    return word_find(roles, N_ELEMENTS(roles), name);
}

const char *tb_version(void) {
    return TIMEBANK_VERSION;
}
