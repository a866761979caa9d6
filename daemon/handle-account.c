/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: a balance, one in full, a page of all, the next free member code. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "handlers.h"
#include "page.h"

static int fill_balance(struct call *call, const struct state_account *account,
                        Timebank__Balance *ret) {
    struct state *state = bank_state(call->bank);

    timebank__balance__init(ret);
    ret->code = call_copy(call, account->code);
    if (!ret->code)
        return -ENOMEM;
    ret->kind = (Timebank__AccountKind)account->kind;
    ret->minutes = account->balance;
    ret->held_minutes = account->held;
    ret->standing = (Timebank__Standing)account->standing;
    ret->entries = account->n_entries;
    ret->joined_day = account->joined_day;
    ret->last_day = account->last_day;
    ret->owed_minutes = account->merged_into ? 0 : account->owed_minutes;
    if (ledger_floor(state, account, &ret->floor_minutes))
        ret->has_floor_case = TIMEBANK__BALANCE__HAS_FLOOR_FLOOR_MINUTES;
    if (ledger_ceiling(state, account, &ret->ceiling_minutes))
        ret->has_ceiling_case = TIMEBANK__BALANCE__HAS_CEILING_CEILING_MINUTES;
    return 0;
}

/* The account asked for, or a refusal set as response (*ret NULL). */
static int find(struct call *call, const char *code, const struct state_account **ret) {
    *ret = NULL;
    if (!call_may_read(call, code))
        return call_refuse(call, REFUSAL_NO_AUTHORITY,
                           "This key may read its own account only, and those it has a mandate "
                           "for: ask a broker.");
    *ret = state_account(bank_state(call->bank), code);
    return *ret ? 0 : call_refuse(call, REFUSAL_NO_SUCH_ACCOUNT, NULL);
}

int handle_account_balance(struct call *call) {
    Timebank__Balance *balance = arena_alloc(call->arena, sizeof(*balance));
    const struct state_account *account;
    int r = find(call, call->request->balance->code, &account);

    if (r < 0 || !account)
        return r;
    if (!balance)
        return -ENOMEM;
    call->response->balance = balance;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_BALANCE;
    return fill_balance(call, account, balance);
}

static int fill_person(struct call *call, const char *code, Timebank__Account *ret) {
    struct people_person person = {0};
    int r = 0;

    if (access_is_broker(&call->who))
        r = people_get_person(call->bank->people, code, &person);
    if (r < 0 && r != -EBADMSG)
        return r;
    ret->ward = call_copy(call, person.ward);
    ret->age_band = call_copy(call, person.age_band);
    return ret->ward && ret->age_band ? 0 : -ENOMEM;
}

int handle_account(struct call *call) {
    Timebank__Account *response = arena_alloc(call->arena, sizeof(*response));
    Timebank__Balance *balance = arena_alloc(call->arena, sizeof(*balance));
    const struct state_account *account;
    int r = find(call, call->request->account->code, &account);

    if (r < 0 || !account)
        return r;
    if (!response || !balance)
        return -ENOMEM;
    timebank__account__init(response);
    response->balance = balance;
    response->number = account->number;
    response->opened_entry = account->opened;
    response->joined_day = account->joined_day;
    response->last_entry = account->last_entry;
    call->response->account = response;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_ACCOUNT;
    r = fill_balance(call, account, balance);
    return r < 0 ? r : fill_person(call, account->code, response);
}

int handle_account_list(struct call *call) {
    const Timebank__Page *ask = call->request->accounts;
    Timebank__Balances *balances = arena_alloc(call->arena, sizeof(*balances));
    struct page page;
    int r = page_make(&page, bank_state(call->bank), STATE_ACCOUNTS, ask,
                      call->bank->settings.page_entries, call->arena);

    if (r < 0 || !balances)
        return r < 0 ? r : -ENOMEM;
    timebank__balances__init(balances);
    balances->more = page.more;
    balances->items = arena_alloc(call->arena, (page.n + 1) * sizeof(Timebank__Balance *));
    if (!balances->items)
        return -ENOMEM;
    for (size_t i = 0; i < page.n && r == 0; i++) {
        balances->items[i] = arena_alloc(call->arena, sizeof(Timebank__Balance));
        r = balances->items[i] ? fill_balance(call, page.items[i].value, balances->items[i])
                               : -ENOMEM;
        balances->n_items = i + 1;
    }
    call->response->accounts = balances;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_ACCOUNTS;
    return r;
}

/* The next after the newest member's code: its letters, its number plus one, as many digits. */
int handle_account_next_code(struct call *call) {
    struct state *state = bank_state(call->bank);
    char code[CODE_MAX + 1] = "m0001";
    Timebank__ByCode *response = arena_alloc(call->arena, sizeof(*response));

    for (uint64_t i = state->sums.n_accounts; i-- > 0;) {
        if (state->accounts[i]->kind == TIMEBANK__ACCOUNT_KIND__MEMBER) {
            snprintf(code, sizeof(code), "%s", state->accounts[i]->code);
            break;
        }
    }
    while (state_account(state, code)) {
        size_t n_letters = strcspn(code, "0123456789"), n_digits = strlen(code) - n_letters;
        unsigned long long number = strtoull(code + n_letters, NULL, 10) + 1;
        snprintf(code + n_letters, sizeof(code) - n_letters, "%0*llu", (int)n_digits, number);
    }
    if (!code_matches_pattern(code, state_policy(state, "member-code")))
        return call_refuse(
            call, REFUSAL_NOT_A_MEMBER_CODE,
            "No further code follows the last one within the policy member-code: widen "
            "the policy, or choose a code.");
    if (!response)
        return -ENOMEM;
    timebank__by_code__init(response);
    response->code = call_copy(call, code);
    call->response->next_code = response;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_NEXT_CODE;
    return response->code ? 0 : -ENOMEM;
}
