/* SPDX-License-Identifier: Apache-2.0 */
/* A stream: nothing that came is lost or comes twice however it is cut, and what is whole holds no
 * memory. */
#include <criterion/criterion.h>
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/stream.h"

TestSuite(stream, .timeout = 30);

#define N_LONG (3u * 1024 * 1024)

static struct event_base *base;
static struct streams *streams;
static struct stream stream;
static int other; /* the far end */
static struct bytes got;
static size_t n_at_once; /* taken in pieces of so many: 0 all, SIZE_MAX none */
static unsigned n_received, n_written, n_gone;
static bool closes;

static void received(void *user) {
    (void)user;
    n_received++;
    while (stream.n_input > 0 && stream.n_input >= n_at_once) {
        size_t n = n_at_once ? n_at_once : stream.n_input;
        bytes_put(&got, stream.input, n);
        stream_take(&stream, n);
    }
    if (closes)
        stream_close(&stream);
}

static void written(void *user) {
    (void)user;
    n_written++;
    if (closes)
        stream_close(&stream);
}

static void gone(void *user) {
    (void)user;
    n_gone++;
    stream_close(&stream);
}

static void open_one(void) {
    int pair[2];

    base = event_base_new();
    streams = streams_new(base);
    cr_assert(streams && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    other = pair[1];
    cr_assert(fcntl(other, F_SETFL, O_NONBLOCK) == 0);
    cr_assert(stream_open(&stream, streams, pair[0],
                          (struct stream_owner){
                              .received = received, .written = written, .gone = gone}) == 0);
}

static void close_all(void) {
    stream_close(&stream);
    streams_free(streams);
    event_base_free(base);
    close(other);
    bytes_fini(&got);
}

static void turn(void) {
    cr_assert(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
}

static uint8_t pattern(size_t i) {
    return (uint8_t)(i * 7 + i / 251);
}

static void send_all(const uint8_t *data, size_t n) {
    for (size_t at = 0; at < n;) {
        ssize_t sent = send(other, data + at, n - at, 0);
        if (sent > 0)
            at += (size_t)sent;
        turn();
    }
    turn();
}

static void expect_got(size_t n) {
    cr_assert(got.n == n, "%zu, not %zu", got.n, n);
    for (size_t i = 0; i < n; i++)
        cr_assert(got.data[i] == pattern(i), "byte %zu", i);
}

Test(stream, brings_what_comes_byte_by_byte_once_and_in_order) {
    open_one();
    n_at_once = 100;
    for (size_t i = 0; i < 250; i++) {
        uint8_t byte = pattern(i);
        send_all(&byte, 1);
        cr_assert(got.n == (i + 1) / 100 * 100);
        cr_assert(stream.n_input == (i + 1) % 100);
        cr_assert((stream.kept.data != NULL) == ((i + 1) % 100 != 0), "holds memory for nothing");
    }
    expect_got(200);
    close_all();
}

Test(stream, brings_a_long_one_whole_whatever_pieces_are_taken) {
    uint8_t *data = malloc(N_LONG);
    for (size_t i = 0; i < N_LONG; i++)
        data[i] = pattern(i);
    static const size_t pieces[] = {0, 1, 4096, 100000, 131072, 131073, N_LONG};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
        open_one();
        n_at_once = pieces[i];
        send_all(data, N_LONG);
        expect_got(n_at_once ? N_LONG / n_at_once * n_at_once : N_LONG);
        cr_assert(stream.n_input == N_LONG - got.n);
        close_all();
        got = (struct bytes){0};
    }
    free(data);
}

Test(stream, keeps_what_is_taken_between_wake_ups_apart_from_what_comes_later) {
    uint8_t data[300];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = pattern(i);
    open_one();
    n_at_once = SIZE_MAX;
    send_all(data, 200);
    cr_assert(stream.n_input == 200 && got.n == 0);
    bytes_put(&got, stream.input, 150);
    stream_take(&stream, 150);
    n_at_once = 0;
    send_all(data + 200, 100);
    expect_got(300);
    cr_assert(!stream.kept.data);
    close_all();
}

Test(stream, gives_its_memory_back_when_the_rest_is_taken_between_wake_ups) {
    uint8_t data[64] = {1};
    open_one();
    n_at_once = SIZE_MAX;
    send_all(data, sizeof(data));
    stream_take(&stream, sizeof(data));
    cr_assert(!stream.kept.data && stream.n_input == 0);
    close_all();
}

Test(stream, receives_nothing_while_it_is_paused) {
    uint8_t byte = pattern(0);
    open_one();
    stream_pause(&stream);
    send_all(&byte, 1);
    cr_assert(n_received == 0);
    cr_assert(stream_resume(&stream) == 0);
    turn();
    cr_assert(n_received == 1);
    expect_got(1);
    close_all();
}

Test(stream, writes_what_was_put_in_one_wake_up_at_its_end) {
    uint8_t read_back[16];
    open_one();
    bytes_put(stream_output(&stream), "ab", 2);
    bytes_put(stream_output(&stream), "cd", 2);
    cr_assert(stream_unwritten(&stream) == 4 && n_written == 0);
    turn();
    cr_assert(recv(other, read_back, sizeof(read_back), 0) == 4);
    cr_assert(memcmp(read_back, "abcd", 4) == 0);
    cr_assert(n_written == 1 && stream_unwritten(&stream) == 0 && !stream.out.data);
    close_all();
}

Test(stream, says_nothing_of_what_a_flush_has_written) {
    open_one();
    bytes_put(stream_output(&stream), "ab", 2);
    cr_assert(stream_flush(&stream) == 0 && stream_unwritten(&stream) == 0);
    turn();
    cr_assert(n_written == 0);
    close_all();
}

Test(stream, goes_on_writing_when_a_slow_reader_reads) {
    static uint8_t piece[10000];
    size_t n = 0;
    open_one();
    for (size_t i = 0; i < N_LONG; i++) {
        uint8_t byte = pattern(i);
        bytes_put(stream_output(&stream), &byte, 1);
    }
    turn();
    cr_assert(n_written == 0 && stream.is_blocked && stream_unwritten(&stream) > 0);
    while (n < N_LONG) {
        ssize_t r = recv(other, piece, sizeof(piece), 0);
        if (r > 0) {
            bytes_put(&got, piece, (size_t)r);
            n += (size_t)r;
        }
        turn();
    }
    expect_got(N_LONG);
    turn();
    cr_assert(n_written == 1 && !stream.is_blocked && !stream.out.data);
    close_all();
}

Test(stream, tells_that_the_other_side_closed_after_what_it_sent) {
    uint8_t byte = pattern(0);
    open_one();
    cr_assert(send(other, &byte, 1, 0) == 1);
    cr_assert(shutdown(other, SHUT_WR) == 0);
    turn();
    turn();
    expect_got(1);
    cr_assert(n_gone == 1);
    close_all();
}

Test(stream, tells_that_nobody_can_read_what_is_written) {
    open_one();
    stream_pause(&stream);
    close(other);
    other = -1;
    bytes_put(stream_output(&stream), "ab", 2);
    turn();
    cr_assert(n_gone == 1 && n_written == 0);
    close_all();
}

Test(stream, may_be_closed_by_whoever_is_told) {
    uint8_t byte = 1;
    open_one();
    closes = true;
    n_at_once = SIZE_MAX;
    send_all(&byte, 1);
    cr_assert(n_received == 1 && !stream.streams && n_gone == 0);
    close_all();
    open_one();
    bytes_put(stream_output(&stream), "ab", 2);
    turn();
    cr_assert(n_written == 1 && !stream.streams);
    close_all();
}

Test(stream, is_closed_with_output_that_has_not_left) {
    open_one();
    bytes_put(stream_output(&stream), "ab", 2);
    stream_close(&stream);
    stream_close(&stream);
    turn();
    cr_assert(n_written == 0 && n_gone == 0);
    close_all();
}

#define PIECE (256u * 1024)

static void put_piece(size_t from) {
    struct bytes *out = stream_output(&stream);
    for (size_t i = 0; i < PIECE; i++)
        bytes_put_u8(out, pattern(from + i));
}

static void read_piece(size_t from) {
    static uint8_t piece[PIECE];
    for (size_t n = 0; n < PIECE;) {
        ssize_t r = read(other, piece + n, PIECE - n);
        n += r > 0 ? (size_t)r : 0;
        turn();
    }
    for (size_t i = 0; i < PIECE; i++)
        cr_assert(piece[i] == pattern(from + i));
}

Test(stream, holds_what_has_not_left_and_not_what_has, .init = open_one, .fini = close_all) {
    size_t n_read = 0, n_put = 0;
    for (; n_put < 8 * PIECE; n_put += PIECE)
        put_piece(n_put);
    turn();
    for (int i = 0; i < 64; i++, n_read += PIECE, n_put += PIECE) {
        put_piece(n_put);
        read_piece(n_read);
        cr_assert(stream_unwritten(&stream) > 0);
        cr_assert(stream.out.n <= 2 * stream_unwritten(&stream) + 2 * PIECE);
    }
}
