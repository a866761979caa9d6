/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames on the connection, within the bank's deadline.
 *
 * -ECONNRESET: the connection is gone; -ETIMEDOUT: the deadline passed; -EPROTO: what came cannot
 * be read. The caller closes the connection then.
 */
#pragma once

#include "bank.h"

/* Waits until the socket is ready for events (POLLIN, POLLOUT). */
int wire_wait(struct tb_bank *bank, short events) TB_MUST_CHECK;
/* Packs the request and sends all of it. bank->request keeps the bytes. */
int wire_send(struct tb_bank *bank, const Timebank__Request *request) TB_MUST_CHECK;
/* The next whole reply with this tag, its parts laid end to end, decoded into the bank's arena.
 * bank->reply keeps the bytes. > 0: the daemon ended the session, and says why. */
int wire_receive(struct tb_bank *bank, uint32_t tag, Timebank__Response **ret) TB_MUST_CHECK;
/* What a Refused says: its first refusal's number with the sentence set, all of them in
 * bank->refused; -EPROTO when it names none. */
int wire_refusal(struct tb_bank *bank, const Timebank__Refused *refused) TB_MUST_CHECK;
