/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request and its reply, through whatever happens to the connection, until the deadline.
 */
#pragma once

#include "bank.h"

/* Opens the connection, waiting out a busy daemon. */
int call_connect(struct tb_bank *bank) TB_MUST_CHECK;

/* Sends the request (tag and known size are set here) and demands a reply with that body, whose
 * head verifies; TIMEBANK__RESPONSE__BODY__NOT_SET takes any. > 0: refused, bank->refused has the
 * list. */
int call_read(struct tb_bank *bank, Timebank__Request *request, Timebank__Response__BodyCase body,
              Timebank__Response **ret_response) TB_MUST_CHECK;

struct call_fate {
    bool was_sent; /* in and out: a sending went without an answer, and may have been recorded */
    bool is_known; /* out: what became of the batch is known */
};
/* The same for a submit; -EINPROGRESS when the deadline passed with its fate unknown. */
int call_submit(struct tb_bank *bank, Timebank__Request *request, struct call_fate *fate,
                Timebank__Response **ret_response) TB_MUST_CHECK;

/* True for a refusal that says nothing of a batch that may have been recorded earlier: the daemon
 * gave it before it looked. */
bool call_refusal_is_early(int refusal);
