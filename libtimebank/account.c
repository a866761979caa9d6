/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: one, all, and the next free code. */
#include <errno.h>
#include <string.h>

#include "balance.h"
#include "call.h"
#include "list.h"

int tb_account_get(struct tb_bank *bank, const char *code, struct tb_account *ret_account) {
    if (!bank || !code || !ret_account)
        return -EINVAL;
    Timebank__ByCode by_code = TIMEBANK__BY_CODE__INIT;
    by_code.code = (char *)code;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_ACCOUNT;
    request.account = &by_code;
    Timebank__Response *response = NULL;
    int r = bank_begin_opened(bank);
    if (r == 0)
        r = call_read(bank, &request, TIMEBANK__RESPONSE__BODY_ACCOUNT, &response);
    if (r != 0)
        return r;
    const Timebank__Account *account = response->account;
    if (!account->balance)
        return bank_fail(bank, -EPROTO, "The bank's reply names no balance: update the bank.");
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

int tb_account_next_code(struct tb_bank *bank, char **ret_code) {
    if (!bank || !ret_code)
        return -EINVAL;
    Timebank__Empty empty = TIMEBANK__EMPTY__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_NEXT_CODE;
    request.next_code = &empty;
    Timebank__Response *response = NULL;
    int r = bank_begin_opened(bank);
    if (r == 0)
        r = call_read(bank, &request, TIMEBANK__RESPONSE__BODY_NEXT_CODE, &response);
    if (r != 0)
        return r;
    char *code = strdup(response->next_code->code);
    if (!code)
        return bank_fail(bank, -ENOMEM, NULL);
    *ret_code = code;
    return 0;
}

struct each_account {
    int (*each)(void *user, const struct tb_balance *balance);
    void *user;
};

static int accounts_page(_unused_ struct tb_bank *bank, const Timebank__Response *response,
                         void *user, const char **ret_last, bool *ret_more) {
    const struct each_account *to = user;
    const Timebank__Balances *page = response->accounts;
    for (size_t i = 0; i < page->n_items; i++) {
        struct tb_balance balance;
        balance_take(page->items[i], &balance);
        int r = to->each(to->user, &balance);
        if (r != 0)
            return r;
        *ret_last = balance.code;
    }
    *ret_more = page->more;
    return 0;
}

int tb_account_list(struct tb_bank *bank, int (*each)(void *user, const struct tb_balance *balance),
                    void *user) {
    if (!bank || !each)
        return -EINVAL;
    struct each_account to = {.each = each, .user = user};
    return list_walk(bank, TIMEBANK__REQUEST__BODY_ACCOUNTS, TIMEBANK__RESPONSE__BODY_ACCOUNTS,
                     accounts_page, &to);
}
