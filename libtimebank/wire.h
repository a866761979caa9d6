/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames on the connection; nothing here waits.
 *
 * -ECONNRESET: the connection is gone; -EPROTO: what came cannot be read. The caller closes the
 * connection then.
 */
#pragma once

#include "bank.h"

/* Reads what is there. */
int wire_receive(struct tb_bank *bank) TB_MUST_CHECK;
/* Sends what the socket takes. */
int wire_send(struct tb_bank *bank) TB_MUST_CHECK;
/* Takes the next whole frame's payload: 1, or 0 while it is not whole. */
int wire_next(struct tb_bank *bank, struct bytes *ret_payload) TB_MUST_CHECK;

/* A packed Request without its tag and known size. */
int wire_body(const Timebank__Request *request, struct bytes *ret_body) TB_MUST_CHECK;
/* The whole Request: what a frame holds, and what evidence shows. */
void wire_request(uint32_t tag, uint64_t known_size, const struct bytes *body, struct bytes *to);
/* Puts a request's frame behind what waits to be sent. TB_TOO_LARGE. */
int wire_put(struct tb_bank *bank, uint32_t tag, uint64_t known_size,
             const struct bytes *body) TB_MUST_CHECK;

/* What a Refused says: its first refusal's number, with the sentence set; -EPROTO when it names
 * none. */
int wire_refusal(struct tb_bank *bank, const Timebank__Refused *refused) TB_MUST_CHECK;
