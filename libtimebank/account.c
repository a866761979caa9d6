/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: one, all, and the next free code. */
#include <errno.h>
#include <string.h>

#include "balance.h"
#include "call.h"
#include "list.h"
#include "reply.h"

int tb_account_start(struct tb_bank *bank, const char *code, struct tb_call **ret_call) {
    if (!bank || !code || !ret_call)
        return -EINVAL;
    Timebank__ByCode by_code = TIMEBANK__BY_CODE__INIT;
    by_code.code = (char *)code;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_ACCOUNT;
    request.account = &by_code;
    return call_read(bank, &request, TIMEBANK__RESPONSE__BODY_ACCOUNT, ret_call);
}

int tb_account_read(struct tb_call *call, struct tb_account *ret_account) {
    if (!call || !ret_account)
        return -EINVAL;
    Timebank__Response *response = NULL;
    int r = call_reply(call, TIMEBANK__RESPONSE__BODY_ACCOUNT, &response);
    if (r != 0)
        return r;
    const Timebank__Account *account = response->account;
    if (!account->balance)
        return bank_fail(call->bank, -EPROTO,
                         "The bank's reply names no balance: update the bank.");
    *ret_account = (struct tb_account){
        .number = account->number,
        .opened_entry = account->opened_entry,
        .joined_day = account->joined_day,
        .last_entry = account->last_entry,
        .ward = account->ward,
        .age_band = account->age_band,
    };
    balance_take(account->balance, &ret_account->balance);
    return 0;
}

int tb_account_get(struct tb_bank *bank, const char *code, struct tb_account *ret_account) {
    struct tb_call *call = NULL;
    int r = ret_account ? tb_account_start(bank, code, &call) : -EINVAL;
    if (r == 0)
        r = call_lend(call);
    return r == 0 ? tb_account_read(call, ret_account) : r;
}

int tb_account_next_code_start(struct tb_bank *bank, struct tb_call **ret_call) {
    if (!bank || !ret_call)
        return -EINVAL;
    Timebank__Empty empty = TIMEBANK__EMPTY__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_NEXT_CODE;
    request.next_code = &empty;
    return call_read(bank, &request, TIMEBANK__RESPONSE__BODY_NEXT_CODE, ret_call);
}

int tb_account_next_code_read(struct tb_call *call, char **ret_code) {
    if (!call || !ret_code)
        return -EINVAL;
    Timebank__Response *response = NULL;
    int r = call_reply(call, TIMEBANK__RESPONSE__BODY_NEXT_CODE, &response);
    if (r != 0)
        return r;
    char *code = strdup(response->next_code->code);
    if (!code)
        return bank_fail(call->bank, -ENOMEM, NULL);
    *ret_code = code;
    return 0;
}

int tb_account_next_code(struct tb_bank *bank, char **ret_code) {
    struct tb_call *call = NULL;
    int r = ret_code ? tb_account_next_code_start(bank, &call) : -EINVAL;
    if (r == 0)
        r = call_lend(call);
    return r == 0 ? tb_account_next_code_read(call, ret_code) : r;
}

static int page_count(_unused_ struct tb_list *list, const Timebank__Response *response,
                      size_t *ret_n, bool *ret_more) {
    *ret_n = response->accounts->n_items;
    *ret_more = response->accounts->more;
    return 0;
}

static int page_item(struct tb_list *list, const Timebank__Response *response, size_t i) {
    balance_take(response->accounts->items[i], &list->item.balance);
    return 1;
}

static const char *page_place(_unused_ struct tb_list *list, const Timebank__Response *response,
                              size_t i) {
    return response->accounts->items[i]->code;
}

static const struct list_noun noun = {
    .ask = TIMEBANK__REQUEST__BODY_ACCOUNTS,
    .wants = TIMEBANK__RESPONSE__BODY_ACCOUNTS,
    .count = page_count,
    .item = page_item,
    .place = page_place,
};

int tb_account_begin(struct tb_bank *bank, struct tb_list **ret_list) {
    return list_begin(bank, &noun, NULL, ret_list);
}

const struct tb_balance *tb_account_next(struct tb_list *list) {
    return list_next(list, &noun) ? &list->item.balance : NULL;
}

int tb_account_list(struct tb_bank *bank, int (*each)(void *user, const struct tb_balance *balance),
                    void *user) {
    struct tb_list *list = NULL;
    const struct tb_balance *balance = NULL;
    int r = each ? tb_account_begin(bank, &list) : -EINVAL;
    while (r == 0 && (balance = tb_account_next(list)))
        r = each(user, balance);
    return list_finish(list, r);
}
