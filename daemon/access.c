/* SPDX-License-Identifier: Apache-2.0 */
/* The table of requests and roles. timebank-protocol(7) shows it; a test walks it. */
#include "access.h"

#include <string.h>

#include "rules.h"

#define CASE(name) TIMEBANK__REQUEST__BODY_##name

/* steward, broker, organisation, venue, member, evaluator, auditor, unknown key */
static const struct {
    Timebank__Request__BodyCase request;
    uint8_t rights[8];
} table[] = {
    {CASE(SUBMIT), {2, 2, 1, 1, 1, 1, 0, 0}},        {CASE(END_DRY_RUN), {2, 2, 2, 2, 2, 0, 0, 0}},
    {CASE(STATUS), {2, 2, 2, 2, 2, 2, 2, 2}},        {CASE(BALANCE), {2, 2, 1, 0, 1, 0, 0, 0}},
    {CASE(ACCOUNTS), {2, 2, 0, 0, 0, 0, 0, 0}},      {CASE(ACCOUNT), {2, 2, 1, 0, 1, 0, 0, 0}},
    {CASE(STATEMENT), {2, 2, 1, 0, 1, 0, 0, 0}},     {CASE(ENTRY), {2, 2, 1, 1, 1, 0, 2, 0}},
    {CASE(ORDER), {2, 2, 1, 1, 1, 0, 2, 0}},         {CASE(ACTIVITIES), {2, 2, 2, 2, 2, 2, 2, 0}},
    {CASE(OFFERS), {2, 2, 2, 2, 2, 2, 2, 0}},        {CASE(POLICIES), {2, 2, 2, 2, 2, 2, 2, 0}},
    {CASE(FUNDERS), {2, 2, 2, 0, 0, 2, 2, 0}},       {CASE(KEYS), {2, 2, 0, 0, 0, 0, 2, 0}},
    {CASE(REPORT), {2, 2, 0, 0, 0, 1, 2, 0}},        {CASE(NEXT_CODE), {2, 2, 0, 0, 0, 0, 0, 0}},
    {CASE(INCLUSION), {2, 2, 2, 2, 2, 2, 2, 2}},     {CASE(REGISTER), {2, 2, 1, 1, 1, 1, 1, 0}},
    {CASE(NEXT_KEY), {2, 0, 0, 0, 0, 0, 0, 0}},      {CASE(RECEIPT), {2, 2, 1, 1, 1, 0, 2, 0}},
    {CASE(ACCOUNT_STATE), {2, 2, 1, 0, 1, 0, 0, 0}}, {CASE(RANGES), {2, 2, 2, 2, 2, 2, 2, 2}},
    {CASE(PUBLISHED), {2, 2, 2, 2, 2, 2, 2, 2}},     {CASE(TILES), {2, 2, 2, 2, 2, 2, 2, 2}},
    {CASE(RECORDS), {2, 0, 0, 0, 0, 0, 2, 0}},       {CASE(BACKUP), {2, 0, 0, 0, 0, 0, 0, 0}},
    {CASE(JOURNAL), {2, 2, 0, 0, 0, 0, 2, 0}},
};

static size_t column(Timebank__Role role) {
    switch (role) {
    case TIMEBANK__ROLE__STEWARD:
        return 0;
    case TIMEBANK__ROLE__BROKER:
        return 1;
    case TIMEBANK__ROLE__ROLE_ORGANISATION:
        return 2;
    case TIMEBANK__ROLE__ROLE_VENUE:
        return 3;
    case TIMEBANK__ROLE__ROLE_MEMBER:
        return 4;
    case TIMEBANK__ROLE__EVALUATOR:
        return 5;
    case TIMEBANK__ROLE__AUDITOR:
        return 6;
    default:
        return 7;
    }
}

enum access_right access_right(Timebank__Role role, Timebank__Request__BodyCase request) {
    for (size_t i = 0; i < N_ELEMENTS(table); i++)
        if (table[i].request == request)
            return (enum access_right)table[i].rights[column(role)];
    return ACCESS_NO;
}

bool access_knows(Timebank__Request__BodyCase request) {
    for (size_t i = 0; i < N_ELEMENTS(table); i++)
        if (table[i].request == request)
            return true;
    return false;
}

bool access_is_broker(const struct ledger_author *who) {
    return who->role == TIMEBANK__ROLE__STEWARD || who->role == TIMEBANK__ROLE__BROKER;
}

bool access_acts_for(struct state *state, uint32_t today, const struct ledger_author *who,
                     const char *code) {
    if (*code == '\0' || *who->account == '\0')
        return false;
    return strcmp(who->account, code) == 0 ||
           (who->role == TIMEBANK__ROLE__ROLE_MEMBER &&
            rules_mandate_holds(state, who->account, code, today));
}

bool access_may_read(struct state *state, uint32_t today, const struct ledger_author *who,
                     const char *code) {
    if (access_is_broker(who))
        return true;
    return (who->role == TIMEBANK__ROLE__ROLE_MEMBER ||
            who->role == TIMEBANK__ROLE__ROLE_ORGANISATION) &&
           access_acts_for(state, today, who, code);
}
