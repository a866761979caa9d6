/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: bytes in, bytes out, its limits and deadlines. Frames are cut here and handed to
 * dispatch; replies come back through session_send(). A session closes itself in one place only,
 * and whoever called something that may close it returns at once.
 */
#pragma once

#include "dispatch.h"
#include "settings.h"

struct event_base;
struct session;
struct streams;

/* What a session needs of the loop it lives on. */
struct session_host {
    struct bank *bank;
    const struct settings *settings;
    struct event_base *base;
    struct streams *streams;
    struct arena *arena;    /* of the request being handled, whosever it is */
    struct bytes *response; /* to it, where it leaves at once */
    void *user;
    void (*wake)(void *user); /* reads the clocks; every callback calls it first */
    /* Keeps the reply until it is durable. */
    void (*await)(void *user, struct reply *reply);
    /* A request was answered at once. */
    void (*answered)(void *user);
    /* The session is gone: its waiting replies are dropped when their turn comes. */
    void (*forget)(void *user, const struct session *session);
    /* Welcomed sessions with this key. */
    size_t (*count_key)(void *user, const uint8_t key[SSHSIG_PUBLIC_BYTES]);
    /* Something that cannot be mended in process: stop. */
    void (*fail)(void *user, int r);
};

/* Takes the socket over and greets. NULL on no memory. */
struct session *session_new(const struct session_host *host, int fd, uint64_t id);
/* Ends it without a word to the host (which calls this). */
struct session *session_free(struct session *session);
uint64_t session_id(const struct session *session);
/* The key proven, or NULL before the welcome. */
const uint8_t *session_key(const struct session *session);
/* A packed Response; long ones go in parts. May close the session. */
void session_send(struct session *session, uint32_t tag, const struct bytes *response);
/* A reply of this session was delivered or dropped; its n_expected. */
void session_reply_done(struct session *session, size_t n_expected);
/* The log has room again: go on with what waited. May close the session. */
void session_resume(struct session *session);
/* Deadlines of unread replies. May close the session. */
void session_tick(struct session *session);
/* Stop reading; true when nothing is left to be written. */
bool session_drain(struct session *session);
