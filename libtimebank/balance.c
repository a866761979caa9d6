/* SPDX-License-Identifier: Apache-2.0 */
/* What one account holds. */
#include "balance.h"

#include <errno.h>
#include <string.h>

#include "call.h"
#include "proto/balance-plain.h"
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
    struct tb_call *call = NULL;
    int r = bank_begin_opened(bank);
    if (r == 0)
        r = call_new(bank, CALL_READS, NULL, TIMEBANK__RESPONSE__BODY_BALANCE, &call);
    if (r != 0)
        return r;
    call->noun = &balance_noun;
    call->job = strdup(code);
    balance_plain_put_request(code, &call->body);
    if (!call->job || call->body.r < 0) {
        call_discard(call);
        return bank_fail(bank, -ENOMEM, NULL);
    }
    call_start(call);
    *ret_call = call;
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
