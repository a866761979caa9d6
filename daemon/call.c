/* SPDX-License-Identifier: Apache-2.0 */
/* What every handler needs to say no, or to copy a text into its response. */
#include "call.h"

#include <errno.h>
#include <string.h>

char *call_copy(struct call *call, const char *text) {
    size_t n = strlen(text) + 1;
    char *copy = arena_alloc(call->arena, n);

    return copy ? memcpy(copy, text, n) : NULL;
}

int call_refuse(struct call *call, int refusal, const char *message) {
    Timebank__Refused *refused = arena_alloc(call->arena, sizeof(*refused));
    Timebank__Refusal *item = arena_alloc(call->arena, sizeof(*item));
    Timebank__Refusal **list = arena_alloc(call->arena, sizeof(*list));

    if (!refused || !item || !list)
        return -ENOMEM;
    timebank__refused__init(refused);
    timebank__refusal__init(item);
    item->refusal = (uint32_t)refusal;
    item->message = call_copy(call, message ? message : refusal_sentence(refusal));
    if (!item->message)
        return -ENOMEM;
    list[0] = item;
    refused->refusals = list;
    refused->n_refusals = 1;
    call->response->refused = refused;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_REFUSED;
    return 0;
}

void call_client_fini(struct call_client *client) {
    client->dry = state_free(client->dry);
    client->n_dry_orders = client->n_dry_bytes = 0;
}

bool call_acts_for(const struct call *call, const char *code) {
    return access_acts_for(bank_state(call->bank), bank_today(call->bank), &call->who, code);
}

bool call_may_read(const struct call *call, const char *code) {
    return access_may_read(bank_state(call->bank), bank_today(call->bank), &call->who, code);
}
