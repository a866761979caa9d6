/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: bytes in, bytes out, its limits and deadlines. Frames are cut here and handed to
 * dispatch; replies come back through session_send(). A session closes itself in one place only,
 * and whoever called something that may close it returns at once.
 */
#pragma once

#include "server.h"

struct session;

/* Takes the socket over and greets. NULL on no memory. */
struct session *session_new(struct server *server, int fd, uint64_t id);
/* Ends it without forgetting it in the server (which calls this). */
struct session *session_free(struct session *session);
uint64_t session_id(const struct session *session);
/* The key proven, or NULL before the welcome. */
const uint8_t *session_key(const struct session *session);
/* A packed Response; long ones go in parts. May close the session. */
void session_send(struct session *session, uint32_t tag, const struct bytes *response);
/* A reply of this session was delivered or dropped. */
void session_reply_done(struct session *session);
/* The log has room again: go on with what waited. May close the session. */
void session_resume(struct session *session);
/* Deadlines of unread replies. May close the session. */
void session_tick(struct session *session);
/* Stop reading; true when nothing is left to be written. */
bool session_drain(struct session *session);
