/* SPDX-License-Identifier: Apache-2.0 */
/* What one account holds. */
#include "balance.h"

#include <errno.h>
#include <string.h>

#include "call.h"
#include "reply.h"
#include "verify.h"

void balance_take(const Timebank__Balance *message, struct tb_balance *ret) {
    *ret = (struct tb_balance){
        .code = message->code,
        .kind = (int)message->kind,
        .minutes = message->minutes,
        .held_minutes = message->held_minutes,
        .has_floor = message->has_floor_case != TIMEBANK__BALANCE__HAS_FLOOR__NOT_SET,
        .has_ceiling = message->has_ceiling_case != TIMEBANK__BALANCE__HAS_CEILING__NOT_SET,
        .standing = (int)message->standing,
        .entries = message->entries,
        .joined_day = message->joined_day,
        .last_day = message->last_day,
        .owed_minutes = message->owed_minutes,
    };
    if (ret->has_floor)
        ret->floor_minutes = message->floor_minutes;
    if (ret->has_ceiling)
        ret->ceiling_minutes = message->ceiling_minutes;
}

/* The account that was asked for is the call's job. */
static int balance_judge(struct tb_call *call) {
    const char *code = call->job;
    if (strcmp(call->reply->message->balance->code, code) == 0)
        return 0;
    return verify_fail(call->bank, NULL, 0,
                       "The balance of another account was shown than of the one asked for.");
}

static void balance_free(struct tb_call *call) {
    free(call->job);
}

static const struct call_noun balance_noun = {.judge = balance_judge, .free = balance_free};

int tb_balance_start(struct tb_bank *bank, const char *code, struct tb_call **ret_call) {
    if (!bank || !code || !ret_call)
        return -EINVAL;
    Timebank__ByCode by_code = TIMEBANK__BY_CODE__INIT;
    by_code.code = (char *)code;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_BALANCE;
    request.balance = &by_code;
    char *asked = strdup(code);
    if (!asked)
        return bank_fail(bank, -ENOMEM, NULL);
    int r = call_read(bank, &request, TIMEBANK__RESPONSE__BODY_BALANCE, ret_call);
    if (r != 0) {
        free(asked);
        return r;
    }
    (*ret_call)->noun = &balance_noun;
    (*ret_call)->job = asked;
    return 0;
}

int tb_balance_read(struct tb_call *call, struct tb_balance *ret_balance) {
    if (!call || !ret_balance)
        return -EINVAL;
    Timebank__Response *response = NULL;
    int r = call_reply(call, TIMEBANK__RESPONSE__BODY_BALANCE, &response);
    if (r == 0)
        balance_take(response->balance, ret_balance);
    return r;
}

int tb_balance_get(struct tb_bank *bank, const char *code, struct tb_balance *ret_balance) {
    struct tb_call *call = NULL;
    int r = ret_balance ? tb_balance_start(bank, code, &call) : -EINVAL;
    if (r == 0)
        r = call_lend(call);
    return r == 0 ? tb_balance_read(call, ret_balance) : r;
}
