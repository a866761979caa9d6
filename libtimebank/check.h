/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads that came by different ways are connected: each extends the other, or there is evidence.
 *
 * A request under way names the head known when it left, and its reply proves an extension of that
 * one only. With several under way, a bank could show each another future. So a reply whose head is
 * not connected with the newest one is held until it is.
 */
#pragma once

#include "call.h"

/* The head of a reply, which extends the one that its request named: 0 it is connected, and the
 * bank's newest where it is further on; 1 not yet. */
int check_reply(struct tb_call *call) TB_MUST_CHECK;
/* Holds the call's reply and asks for what connects its head. */
void check_hold(struct tb_call *call);
/* Lets those go whose head is connected by now. */
void check_wake(struct tb_bank *bank);
/* A head that another program of this user was shown: asks for what connects it with ours. */
int check_saved(struct tb_bank *bank, const struct note_head *head) TB_MUST_CHECK;
/* The same of a head that the caller was shown elsewhere, its note being evidence if it must be.
 * follower, which was started, is not sent before they are connected, and fails where they are not.
 */
int check_shown(const struct note_head *head, const void *checkpoint, size_t n,
                struct tb_call *follower) TB_MUST_CHECK;
