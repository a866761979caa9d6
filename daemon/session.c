/* SPDX-License-Identifier: Apache-2.0 */
/* Frames, the proof of a client's key, limits. Time is read once per callback, in the wake-up. */
#include "session.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <string.h>

#include "proto/balance-plain.h"
#include "proto/frame.h"
#include "stream.h"

/* What a request may take unpacked, and what its handler may take on top: whoever fills the first
 * is refused, and whoever does not leaves the handler all of the second. */
#define UNPACKED_BYTES (16u * 1024 * 1024)
#define HANDLED_BYTES (64u * 1024 * 1024)
/* Of an answer: for each order its number and two balances; the proof and the head. */
#define ANSWER_ORDER_BYTES 12u
#define ANSWER_BYTES 2048u
#define PROTOCOL 1
#define RESPONSE_KEPT_BYTES (1024u * 1024)

struct session {
    const struct session_host *host;
    uint64_t id;
    struct stream stream;
    struct event *deadline; /* of the handshake, then of a frame that has begun */
    struct event *again;    /* more frames than one wake-up handles */
    struct call_client client;
    uint8_t nonce[BATCH_NONCE_BYTES];
    bool is_welcome;
    bool is_ending;        /* closes when its output is written */
    bool waits_for_log;    /* a write stands at the front and the log has no room */
    bool waits_for_reader; /* too much unread output, or too many requests in flight */
    uint32_t n_in_flight;
    size_t n_in_flight_bytes;           /* of their replies, as far as known */
    uint64_t n_put;                     /* bytes of output ever made */
    uint64_t n_taken;                   /* of these, what had left at the last look */
    uint64_t output_since_ms;           /* monotonic: nothing left since */
    uint8_t ledger_key[NOTE_KEY_BYTES]; /* that the greeting named */
};

static struct timeval after_ms(uint64_t ms) {
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

static size_t output_bytes(const struct session *session) {
    return stream_unwritten(&session->stream);
}

/* The one place where a session closes. */
static void end(struct session *session) {
    session->host->forget(session->host->user, session);
    session_free(session);
}

struct session *session_free(struct session *session) {
    if (!session)
        return NULL;
    call_client_fini(&session->client);
    if (session->deadline)
        event_free(session->deadline);
    if (session->again)
        event_free(session->again);
    stream_close(&session->stream);
    free(session);
    return NULL;
}

uint64_t session_id(const struct session *session) {
    return session->id;
}

const uint8_t *session_key(const struct session *session) {
    return session->is_welcome ? session->client.key : NULL;
}

static int write_frame(struct session *session, const void *payload, size_t n) {
    struct bytes *out = stream_output(&session->stream);

    frame_put(out, payload, n);
    session->n_put += FRAME_HEAD_BYTES + n;
    return out->r;
}

static int write_part(struct session *session, uint32_t tag, const uint8_t *data, size_t n,
                      bool more) {
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    uint8_t packed[FRAME_PART_BYTES + 64];

    response.tag = tag;
    response.more = more;
    response.part.data = (uint8_t *)(uintptr_t)data;
    response.part.len = n;
    assert(timebank__response__get_packed_size(&response) <= sizeof(packed));
    return write_frame(session, packed, timebank__response__pack(&response, packed));
}

/* A head that only a new key signed is nothing to a client that was greeted with the old one: it
 * connects again, and is shown how the one follows the other. */
static bool can_verify(const struct session *session) {
    const struct keyring_signers *signers = log_signers(session->host->bank->log);

    for (size_t i = 0; i < signers->n; i++)
        if (memcmp(keyring_key_verifier(signers->keys[i])->key, session->ledger_key,
                   NOTE_KEY_BYTES) == 0)
            return true;
    return false;
}

/* < 0: it is to end. */
static int put_response(struct session *session, uint32_t tag, const struct bytes *response) {
    const struct settings *settings = session->host->settings;
    int r = 0;

    if (!can_verify(session))
        return -ENOKEY;
    if (response->n <= FRAME_PART_BYTES) {
        r = write_frame(session, response->data, response->n);
    } else {
        for (size_t at = 0; at < response->n && r == 0; at += FRAME_PART_BYTES) {
            size_t n = MIN_OF(response->n - at, (size_t)FRAME_PART_BYTES);
            r = write_part(session, tag, response->data + at, n, at + n < response->n);
        }
    }
    return r == 0 && output_bytes(session) > settings->queue_max_kib * 1024 ? -ENOBUFS : r;
}

void session_send(struct session *session, uint32_t tag, const struct bytes *response) {
    if (put_response(session, tag, response) < 0)
        end(session);
}

static int send_message(struct session *session, const Timebank__Response *response) {
    _cleanup_bytes_ struct bytes packed = {0};
    uint8_t *at = bytes_reserve(&packed, timebank__response__get_packed_size(response));

    if (!at)
        return -ENOMEM;
    timebank__response__pack(response, at);
    return write_frame(session, packed.data, packed.n);
}

/* Tells why and ends once that is written. */
static void refuse_and_end(struct session *session, uint32_t tag, int refusal) {
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    struct call call = {.arena = session->host->arena, .response = &response};

    arena_reset(call.arena); /* the request that is refused lies there */
    call.arena->n_max = HANDLED_BYTES;
    response.tag = tag;
    session->is_ending = true;
    stream_pause(&session->stream);
    event_del(session->deadline);
    if (call_refuse(&call, refusal, NULL) < 0 || send_message(session, &response) < 0)
        end(session);
}

struct greeted_chain {
    struct state_chain chain;
    ProtobufCBinaryData keys[ROTATION_KEYS_MAX];
    ProtobufCBinaryData by_old[ROTATION_KEYS_MAX];
};

/* The keys up to the one that is greeted with: a later one is in no durable head yet. */
static void chain_put(struct bank *bank, const uint8_t key[NOTE_KEY_BYTES],
                      struct greeted_chain *chain, Timebank__Greeting *greeting) {
    struct state_chain_key *keys = chain->chain.keys;
    size_t n = 0;

    state_chain_read(bank_state(bank), &chain->chain);
    do {
        chain->keys[n] = (ProtobufCBinaryData){NOTE_KEY_BYTES, keys[n].row.key};
        chain->by_old[n] = (ProtobufCBinaryData){SSHSIG_SIGNATURE_BYTES, keys[n].row.by_old};
    } while (memcmp(keys[n++].row.key, key, NOTE_KEY_BYTES) != 0 && n < chain->chain.n);
    if (n < 2)
        return;
    greeting->keys = chain->keys;
    greeting->n_keys = n;
    greeting->by_old = chain->by_old + 1;
    greeting->n_by_old = n - 1;
}

static int greet(struct session *session) {
    struct bank *bank = session->host->bank;
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    Timebank__Greeting greeting = TIMEBANK__GREETING__INIT;
    const struct keyring_key *greeted;
    struct greeted_chain chain;
    size_t n = 0;

    randombytes_buf(session->nonce, sizeof(session->nonce));
    greeting.protocol = PROTOCOL;
    greeting.version = (char *)(uintptr_t)TIMEBANK_VERSION;
    greeting.origin = (char *)(uintptr_t)log_head(bank->log)->origin;
    greeting.verifier_key = bank->verifier_key;
    greeted = log_signers(bank->log)->keys[0];
    memcpy(session->ledger_key, keyring_key_verifier(greeted)->key, NOTE_KEY_BYTES);
    chain_put(bank, session->ledger_key, &chain, &greeting);
    greeting.checkpoint.data = (uint8_t *)(uintptr_t)log_checkpoint(bank->log, &n);
    greeting.checkpoint.len = n;
    greeting.nonce.data = session->nonce;
    greeting.nonce.len = sizeof(session->nonce);
    if (!hash_equal(log_first_ledger_id(bank->log), log_ledger_id(bank->log))) {
        greeting.first_ledger_id.data = (uint8_t *)(uintptr_t)log_first_ledger_id(bank->log)->b;
        greeting.first_ledger_id.len = HASH_BYTES;
    }
    response.greeting = &greeting;
    response.body_case = TIMEBANK__RESPONSE__BODY_GREETING;
    return send_message(session, &response);
}

static int send_welcome(struct session *session, uint32_t tag, const uint8_t signature[64]) {
    struct bank *bank = session->host->bank;
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    Timebank__Welcome welcome = TIMEBANK__WELCOME__INIT;
    struct ledger_author who;
    int r = ledger_author(bank_state(bank), session->client.key, &who);

    if (r < 0)
        return r;
    response.tag = tag;
    welcome.signature.data = (uint8_t *)(uintptr_t)signature;
    welcome.signature.len = SSHSIG_SIGNATURE_BYTES;
    welcome.role = who.role;
    welcome.account = who.account;
    response.welcome = &welcome;
    response.body_case = TIMEBANK__RESPONSE__BODY_WELCOME;
    return send_message(session, &response);
}

/* 0 welcomed, > 0 refused, < 0 broken. */
static int take_hello(struct session *session, const Timebank__Request *request) {
    const struct settings *settings = session->host->settings;
    struct bank *bank = session->host->bank;
    const Timebank__Hello *hello = request->hello;
    uint8_t bytes[BATCH_HELLO_BYTES], signature[SSHSIG_SIGNATURE_BYTES];
    const struct keyring_key *key;
    int r;

    if (request->body_case != TIMEBANK__REQUEST__BODY_HELLO || request->tag == 0 ||
        hello->key.len != SSHSIG_PUBLIC_BYTES || hello->nonce.len != BATCH_NONCE_BYTES ||
        hello->signature.len != SSHSIG_SIGNATURE_BYTES)
        return REFUSAL_BAD_REQUEST;
    batch_hello_bytes(log_ledger_id(bank->log), session->nonce, hello->nonce.data, NULL, bytes);
    if (!sshsig_public_is_usable(hello->key.data) ||
        sshsig_verify(SSHSIG_HELLO, bytes, sizeof(bytes), hello->key.data, hello->signature.data) <
            0)
        return REFUSAL_BAD_SIGNATURE;
    if (session->host->count_key(session->host->user, hello->key.data) >=
        settings->connections_per_key)
        return REFUSAL_TRY_LATER;
    memcpy(session->client.key, hello->key.data, SSHSIG_PUBLIC_BYTES);
    key = keyring_find(bank->keyring, session->ledger_key);
    if (!key)
        return -ENOKEY; /* of a change meanwhile: the next greeting names the new key */
    r = keyring_sign_welcome(key, bytes, signature);
    if (r == 0)
        r = send_welcome(session, request->tag, signature);
    if (r < 0)
        return r;
    session->is_welcome = true;
    return 0;
}

static size_t expected_bytes(const struct reply *reply, const Timebank__Request *request) {
    struct batch_header header;

    if (reply->seal == 0 || batch_header_unpack(request->submit->header.data, &header) < 0)
        return MAX_OF(reply->n_expected, reply->body.n);
    return ANSWER_BYTES + (size_t)header.n_orders * ANSWER_ORDER_BYTES;
}

/* < 0: the session is to end. */
static int handle_request(struct session *session, const Timebank__Request *request) {
    const struct session_host *host = session->host;
    struct bytes *response = host->response;
    struct reply *reply = NULL;
    int r;

    bytes_clear(response);
    /* Replies leave in the order in which they become durable. */
    r = dispatch(host->bank, &session->client, request, host->arena,
                 session->n_in_flight == 0 ? response : NULL, &reply);
    if (r < 0) {
        host->fail(host->user, r);
        return 0;
    }
    if (!reply) {
        host->answered(host->user);
        r = put_response(session, request->tag, response);
        if (response->n_allocated > RESPONSE_KEPT_BYTES)
            bytes_fini(response);
        return r;
    }
    reply->session_id = session->id;
    reply->n_expected = expected_bytes(reply, request);
    session->n_in_flight++;
    session->n_in_flight_bytes += reply->n_expected;
    host->await(host->user, reply);
    return 0;
}

enum frame_result { FRAME_HANDLED, FRAME_WAITS, FRAME_ENDED };

static enum frame_result handle_frame(struct session *session, const uint8_t *payload, size_t n) {
    struct arena *arena = session->host->arena;
    Timebank__Request *request;
    int r;

    arena_reset(arena);
    arena->n_max = UNPACKED_BYTES;
    request = balance_plain_get_request(payload, n, arena);
    if (!request)
        request = timebank__request__unpack(&arena->allocator, n, payload);
    arena->n_max = UNPACKED_BYTES + HANDLED_BYTES;
    if (!request || (session->is_welcome && request->tag == 0)) {
        refuse_and_end(session, 0, REFUSAL_BAD_REQUEST);
        return FRAME_ENDED;
    }
    if (!session->is_welcome) {
        r = take_hello(session, request);
        if (r == 0)
            return FRAME_HANDLED;
        if (r > 0)
            refuse_and_end(session, request->tag, r);
        else
            end(session);
        return FRAME_ENDED;
    }
    if (request->body_case == TIMEBANK__REQUEST__BODY_SUBMIT && dispatch_is_write(request) &&
        !log_can_append(session->host->bank->log)) {
        session->waits_for_log = true;
        return FRAME_WAITS;
    }
    if (handle_request(session, request) < 0) {
        end(session);
        return FRAME_ENDED;
    }
    return FRAME_HANDLED;
}

static bool reader_is_behind(const struct session *session) {
    const struct settings *settings = session->host->settings;

    /* Replies that are ready leave all at once: what is on its way counts as unread. */
    return output_bytes(session) + session->n_in_flight_bytes > settings->queue_kib * 1024 ||
           session->n_in_flight >= settings->requests_in_flight;
}

/* One frame at the front of the input: 1 with its payload, 0 not whole yet, < 0 too large. */
static int peek_frame(const struct session *session, const uint8_t **ret_payload, size_t *ret_n) {
    const struct settings *settings = session->host->settings;
    size_t max = session->is_welcome ? settings->frame_kib * 1024 : FRAME_MAX_BEFORE_WELCOME;

    return frame_get(session->stream.input, session->stream.n_input, max, ret_payload, ret_n);
}

/* A deadline is absolute: dripping bytes do not move it. */
static void set_frame_deadline(struct session *session, bool had_frame, size_t n_left) {
    struct timeval frame = after_ms(session->host->settings->frame_ms);

    if (!session->is_welcome)
        return;
    if (n_left == 0 || had_frame)
        event_del(session->deadline);
    if (n_left > 0 && !event_pending(session->deadline, EV_TIMEOUT, NULL))
        event_add(session->deadline, &frame);
}

/* Whole frames at the front, as many as may be handled now. false: the session ends or has ended.
 * *ret_more: there may be more that only the budget or unread output stopped. */
static bool handle_frames(struct session *session, bool *ret_had_frame, bool *ret_more) {
    uint64_t budget = session->host->settings->requests_per_wakeup;
    const uint8_t *payload = NULL;
    size_t n = 0;

    while (!session->is_ending && !session->waits_for_log && !reader_is_behind(session) &&
           budget > 0) {
        enum frame_result result;
        int r = peek_frame(session, &payload, &n);
        if (r < 0) {
            refuse_and_end(session, 0, REFUSAL_TOO_LARGE);
            return false;
        }
        if (r == 0)
            break;
        result = handle_frame(session, payload, n);
        if (result == FRAME_ENDED)
            return false;
        if (result == FRAME_WAITS)
            break;
        stream_take(&session->stream, n + FRAME_HEAD_BYTES);
        *ret_had_frame = true;
        budget--;
    }
    *ret_more = budget == 0 || reader_is_behind(session);
    return true;
}

static void process(struct session *session) {
    bool had_frame = false, has_more = false;

    if (session->is_ending || session->host->bank->is_draining)
        return; /* what was taken is answered, no more is taken */
    if (!handle_frames(session, &had_frame, &has_more))
        return;
    if (stream_flush(&session->stream) < 0) {
        end(session);
        return;
    }
    session->waits_for_reader = reader_is_behind(session);
    if (session->waits_for_log || session->waits_for_reader) {
        stream_pause(&session->stream);
        event_del(session->deadline);
        return;
    }
    set_frame_deadline(session, had_frame, session->stream.n_input);
    if (has_more) {
        stream_pause(&session->stream); /* what is there comes first */
        event_active(session->again, EV_TIMEOUT, 0);
    } else if (stream_resume(&session->stream) < 0) {
        end(session);
    }
}

static void on_received(void *user) {
    struct session *session = user;

    session->host->wake(session->host->user);
    process(session);
}

static void on_again(evutil_socket_t fd, short what, void *user) {
    struct session *session = user;

    (void)fd, (void)what;
    session->host->wake(session->host->user);
    process(session);
}

static void on_written(void *user) {
    struct session *session = user;

    session->host->wake(session->host->user);
    if (session->is_ending) {
        end(session);
        return;
    }
    if (session->waits_for_reader && !reader_is_behind(session))
        process(session);
}

/* EOF and error alike: whole frames were handled as they came, a partial one is dropped. */
static void on_gone(void *user) {
    end(user);
}

static void on_deadline(evutil_socket_t fd, short what, void *user) {
    (void)fd, (void)what;
    end(user);
}

void session_reply_done(struct session *session, size_t n_expected) {
    assert(session->n_in_flight > 0 && session->n_in_flight_bytes >= n_expected);
    session->n_in_flight--;
    session->n_in_flight_bytes -= n_expected;
    if (session->waits_for_reader && !reader_is_behind(session))
        event_active(session->again, EV_TIMEOUT, 0);
}

void session_resume(struct session *session) {
    if (!session->waits_for_log)
        return;
    session->waits_for_log = false;
    process(session);
}

void session_tick(struct session *session) {
    uint64_t now = session->host->bank->monotonic_ms;
    size_t n = output_bytes(session);
    uint64_t n_taken = session->n_put - n;

    /* The length alone says nothing: what was read may have been followed by as much. */
    if (n == 0 || n_taken != session->n_taken)
        session->output_since_ms = now;
    session->n_taken = n_taken;
    if (n > 0 && now - session->output_since_ms > session->host->settings->stall_ms)
        end(session);
}

bool session_drain(struct session *session) {
    stream_pause(&session->stream);
    return session->n_in_flight == 0 && output_bytes(session) == 0;
}

struct session *session_new(const struct session_host *host, int fd, uint64_t id) {
    struct event_base *base = host->base;
    struct timeval handshake = after_ms(host->settings->handshake_ms);
    struct session *session = calloc(1, sizeof(*session));

    if (!session) {
        close(fd);
        return NULL;
    }
    session->host = host;
    session->id = id;
    session->output_since_ms = host->bank->monotonic_ms;
    session->deadline = evtimer_new(base, on_deadline, session);
    session->again = evtimer_new(base, on_again, session);
    if (stream_open(&session->stream, host->streams, fd,
                    (struct stream_owner){.user = session,
                                          .received = on_received,
                                          .written = on_written,
                                          .gone = on_gone}) < 0 ||
        !session->deadline || !session->again || greet(session) < 0)
        return session_free(session);
    event_add(session->deadline, &handshake);
    return session;
}
