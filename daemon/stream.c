/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers that have become empty go back to the loop: the next stream that needs one finds it warm.
 */
#include "stream.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES (128u * 1024)
#define SPARES 4u
#define SPARE_BYTES_MAX (1024u * 1024)

struct streams {
    struct event_base *base;
    struct event *flush;
    struct stream *pending; /* have output of this wake-up */
    struct stream *served;  /* whose owner is being told; NULL once it is closed */
    struct bytes spares[SPARES];
    size_t n_spares;
    uint8_t buffer[READ_BYTES];
};

/* ---- buffers */

static void lend(struct streams *streams, struct bytes *to) {
    if (!to->data && streams->n_spares > 0)
        *to = streams->spares[--streams->n_spares];
}

static void give_back(struct streams *streams, struct bytes *from) {
    bytes_clear(from);
    if (!from->data)
        return;
    if (streams->n_spares < SPARES && from->n_allocated <= SPARE_BYTES_MAX)
        streams->spares[streams->n_spares++] = *from;
    else
        free(from->data);
    *from = (struct bytes){0};
}

/* ---- input */

/* What was not taken moves to the front of a buffer of its own. */
static int keep(struct stream *stream) {
    struct bytes *kept = &stream->kept;
    size_t n = stream->n_input;

    if (n == 0) {
        give_back(stream->streams, kept);
        stream->input = NULL;
        return 0;
    }
    if (kept->n > 0) {
        if (stream->input != kept->data)
            memmove(kept->data, stream->input, n);
        kept->n = n;
    } else {
        lend(stream->streams, kept);
        bytes_put(kept, stream->input, n);
    }
    stream->input = kept->data;
    return kept->r;
}

/* Bytes received, 0 none now, < 0 gone. */
static ssize_t receive(struct stream *stream) {
    uint8_t *at = stream->streams->buffer;
    ssize_t n;
    int error;

    if (keep(stream) < 0)
        return -ENOMEM;
    if (stream->kept.n > 0) {
        at = bytes_reserve(&stream->kept, READ_BYTES);
        if (!at)
            return -ENOMEM;
        stream->kept.n -= READ_BYTES;
    }
    n = recv(stream->fd, at, READ_BYTES, MSG_DONTWAIT);
    error = errno;
    if (n < 0)
        n = error == EAGAIN || error == EINTR ? 0 : -error;
    else if (n == 0)
        n = -ECONNRESET;
    if (stream->kept.n > 0) {
        stream->kept.n += (size_t)MAX_OF(n, (ssize_t)0);
        stream->input = stream->kept.data;
        stream->n_input = stream->kept.n;
    } else {
        stream->input = at;
        stream->n_input = (size_t)MAX_OF(n, (ssize_t)0);
    }
    return n;
}

static void on_readable(evutil_socket_t fd, short what, void *user) {
    struct stream *stream = user;
    struct streams *streams = stream->streams;
    ssize_t n = receive(stream);

    (void)fd, (void)what;
    streams->served = stream;
    if (n > 0)
        stream->owner.received(stream->owner.user);
    if (streams->served != stream)
        return; /* it was closed */
    streams->served = NULL;
    if (n < 0 || keep(stream) < 0)
        stream->owner.gone(stream->owner.user);
}

void stream_take(struct stream *stream, size_t n) {
    assert(n <= stream->n_input);
    stream->n_input -= n;
    stream->input = n > 0 ? stream->input + n : stream->input;
    /* Outside of a wake-up for reading nobody tidies up afterwards. */
    if (stream->streams->served != stream && stream->n_input == 0)
        (void)!keep(stream);
}

void stream_pause(struct stream *stream) {
    if (stream->is_reading)
        event_del(stream->readable);
    stream->is_reading = false;
}

int stream_resume(struct stream *stream) {
    if (!stream->is_reading && event_add(stream->readable, NULL) < 0)
        return -ENOMEM;
    stream->is_reading = true;
    return 0;
}

/* ---- output */

static void leave_pending(struct stream *stream) {
    if (!stream->at)
        return;
    *stream->at = stream->next;
    if (stream->next)
        stream->next->at = stream->at;
    stream->next = NULL;
    stream->at = NULL;
}

struct bytes *stream_output(struct stream *stream) {
    struct streams *streams = stream->streams;

    lend(streams, &stream->out);
    if (stream->at || stream->is_blocked)
        return &stream->out;
    if (!streams->pending)
        event_active(streams->flush, EV_TIMEOUT, 0);
    stream->next = streams->pending;
    stream->at = &streams->pending;
    if (stream->next)
        stream->next->at = &stream->next;
    streams->pending = stream;
    return &stream->out;
}

size_t stream_unwritten(const struct stream *stream) {
    return stream->out.n - stream->n_written;
}

/* A reader who always leaves a little unread would else have all that was ever put kept. */
static void drop_written(struct stream *stream) {
    struct bytes *out = &stream->out;

    if (stream->n_written <= out->n / 2)
        return;
    out->n -= stream->n_written;
    memmove(out->data, out->data + stream->n_written, out->n);
    stream->n_written = 0;
}

static int write_some(struct stream *stream) {
    struct bytes *out = &stream->out;

    while (stream->n_written < out->n) {
        ssize_t n = send(stream->fd, out->data + stream->n_written, out->n - stream->n_written,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) {
            drop_written(stream);
            return 0;
        }
        if (n < 0 && errno != EINTR)
            return -errno;
        stream->n_written += (size_t)MAX_OF(n, (ssize_t)0);
    }
    stream->n_written = 0;
    give_back(stream->streams, out);
    return 0;
}

int stream_flush(struct stream *stream) {
    int r = stream->out.r < 0 ? stream->out.r : write_some(stream);

    leave_pending(stream);
    if (r < 0)
        return r;
    if (stream_unwritten(stream) > 0 && !stream->is_blocked) {
        if (event_add(stream->writable, NULL) < 0)
            return -ENOMEM;
        stream->is_blocked = true;
    } else if (stream_unwritten(stream) == 0 && stream->is_blocked) {
        event_del(stream->writable);
        stream->is_blocked = false;
    }
    return 0;
}

static void flush_and_tell(struct stream *stream) {
    if (stream_flush(stream) < 0)
        stream->owner.gone(stream->owner.user);
    else if (stream_unwritten(stream) == 0)
        stream->owner.written(stream->owner.user);
}

static void on_writable(evutil_socket_t fd, short what, void *user) {
    (void)fd, (void)what;
    flush_and_tell(user);
}

static void on_flush(evutil_socket_t fd, short what, void *user) {
    struct streams *streams = user;

    (void)fd, (void)what;
    while (streams->pending)
        flush_and_tell(streams->pending);
}

/* ---- from beginning to end */

int stream_open(struct stream *stream, struct streams *streams, int fd, struct stream_owner owner) {
    *stream = (struct stream){.streams = streams, .owner = owner, .fd = fd};
    stream->readable = event_new(streams->base, fd, EV_READ | EV_PERSIST, on_readable, stream);
    stream->writable = event_new(streams->base, fd, EV_WRITE | EV_PERSIST, on_writable, stream);
    if (stream->readable && stream->writable && stream_resume(stream) == 0)
        return 0;
    stream_close(stream);
    return -ENOMEM;
}

void stream_close(struct stream *stream) {
    struct streams *streams = stream->streams;

    if (!streams)
        return;
    if (streams->served == stream)
        streams->served = NULL;
    leave_pending(stream);
    if (stream->readable)
        event_free(stream->readable);
    if (stream->writable)
        event_free(stream->writable);
    close(stream->fd);
    give_back(streams, &stream->kept);
    give_back(streams, &stream->out);
    stream->streams = NULL;
}

struct streams *streams_new(struct event_base *base) {
    struct streams *streams = calloc(1, sizeof(*streams));

    if (!streams)
        return NULL;
    streams->base = base;
    streams->flush = evtimer_new(base, on_flush, streams);
    return streams->flush ? streams : streams_free(streams);
}

struct streams *streams_free(struct streams *streams) {
    if (!streams)
        return NULL;
    assert(!streams->pending);
    for (size_t i = 0; i < streams->n_spares; i++)
        free(streams->spares[i].data);
    if (streams->flush)
        event_free(streams->flush);
    free(streams);
    return NULL;
}
