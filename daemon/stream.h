/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connected socket on the loop, read and written directly. All streams receive into one buffer of
 * the loop's; a stream holds memory of its own only while something is incomplete: a frame that has
 * begun, or output that the socket did not take yet. What is put within a wake-up leaves in one
 * write at its end.
 *
 * Neither input nor output is bounded here: the owner pauses reading and ends who does not read.
 */
#pragma once

#include "base/bytes.h"

struct event;
struct event_base;
struct stream;

/* What streams of one loop share. */
struct streams;
struct streams *streams_new(struct event_base *base);
struct streams *streams_free(struct streams *streams);

/* Each may close the stream. */
struct stream_owner {
    void *user;
    void (*received)(void *user); /* there is more input */
    void (*written)(void *user);  /* all output is written */
    void (*gone)(void *user);     /* the other side ended it, or it broke */
};

struct stream {
    struct streams *streams;
    struct stream_owner owner;
    int fd;
    struct event *readable;
    struct event *writable;
    bool is_reading;
    bool is_blocked;     /* the socket is full: writable is awaited */
    struct stream *next; /* with output put in this wake-up */
    struct stream **at;
    const uint8_t *input; /* of streams' buffer, or of kept */
    size_t n_input;
    struct bytes kept; /* input between wake-ups */
    struct bytes out;
    size_t n_written; /* of out */
};

/* Takes the socket over, also where it fails. Reads from now on. */
int stream_open(struct stream *stream, struct streams *streams, int fd,
                struct stream_owner owner) TB_MUST_CHECK;
/* All zeros, or closed before, is fine. */
void stream_close(struct stream *stream);

/* Input is left as it is until it is taken; a pointer into it lives until the owner returns. */
void stream_take(struct stream *stream, size_t n);
void stream_pause(struct stream *stream);
int stream_resume(struct stream *stream) TB_MUST_CHECK;

/* The buffer that output is appended to; its sticky error is the appender's to look at. It leaves
 * at the end of the wake-up, or with the next flush. */
struct bytes *stream_output(struct stream *stream);
/* Output that has not left. */
size_t stream_unwritten(const struct stream *stream);
/* Writes now what can be written, without a word to the owner: < 0 gone. */
int stream_flush(struct stream *stream) TB_MUST_CHECK;
