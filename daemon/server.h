/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: listener, signals, tick, the sessions and the replies that wait to be durable.
 * Owns the bank while it runs. All of libevent is here, in session.c and in stream.c.
 */
#pragma once

#include "dispatch.h"
#include "settings.h"

struct server;

/* Takes the bank over: server_free() closes it. */
int server_new(struct server **ret_server, struct bank *bank,
               const struct settings *settings) TB_MUST_CHECK;
/* < 0 when the bank's last writes failed. */
int server_free(struct server *server);
/* Listens on a Unix socket, mode 0660; a stale socket is replaced (the caller holds the ledger's
 * lock). */
int server_listen(struct server *server, const char *path, char *why, size_t n_why) TB_MUST_CHECK;
/* Serves until a signal or a fault: 0 after a drain, < 0 a fault. */
int server_run(struct server *server) TB_MUST_CHECK;
/* Takes a connected socket as a client, as if it had been accepted (tests). */
int server_take(struct server *server, int fd) TB_MUST_CHECK;
