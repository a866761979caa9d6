/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real server on a real loop with its committer's thread; the client is a thread at the other end
 * of a socketpair. It notes the first thing that went wrong, which the test then tells.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "daemon/server.h"
#include "harness.h"
#include "proto/frame.h"

#define CLIENTS_MAX 4

static void bank_of_today(void) {
    static const char *const no_policies[] = {NULL};

    story_settings();
    story.monotonic_ms = clock_monotonic_ms();
    bank_make(clock_wall_ms(), no_policies);
    bank_furnish();
    m7_helps("m12", 30);
    bank_stop();
    story.settings.log.inline_commits = false;
    bank_restart();
}

TestSuite(sessions, .timeout = STORY_TIMEOUT, .init = bank_of_today, .fini = bank_end);

struct client {
    int fd;
    struct arena arena;
    const char *wrong; /* what, or NULL */
    void (*story)(struct client *client);
    uint8_t nonce[32];
    Timebank__Response *response;
};

static struct client clients[CLIENTS_MAX];
static size_t n_clients;
static struct parcel *parcels[40];
static Timebank__Request *requests[N_ELEMENTS(parcels)];

static bool check(struct client *client, bool holds, const char *what) {
    if (!holds && !client->wrong)
        client->wrong = what;
    return !client->wrong;
}

static bool read_all(int fd, void *data, size_t n) {
    for (size_t at = 0; at < n;) {
        ssize_t got = read(fd, (uint8_t *)data + at, n - at);
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

static void send_frame(struct client *client, const void *data, size_t n) {
    _cleanup_bytes_ struct bytes frame = {0};

    frame_put(&frame, data, n);
    check(client, write(client->fd, frame.data, frame.n) == (ssize_t)frame.n, "a write");
}

static bool receive(struct client *client) {
    uint8_t head[4], *body;
    uint32_t n;

    if (!read_all(client->fd, head, sizeof(head)))
        return false;
    n = be32_get(head);
    body = arena_alloc(&client->arena, n);
    if (!body || !read_all(client->fd, body, n))
        return false;
    client->response = timebank__response__unpack(&client->arena.allocator, n, body);
    return check(client, client->response != NULL, "a response that cannot be read");
}

static void send_request(struct client *client, const Timebank__Request *request) {
    uint8_t packed[8192];
    size_t n = timebank__request__get_packed_size(request);

    if (check(client, n <= sizeof(packed), "a request that is too long"))
        send_frame(client, packed, timebank__request__pack(request, packed));
}

static bool is_refused(const struct client *client, int refusal) {
    const Timebank__Response *response = client->response;

    return response && response->body_case == TIMEBANK__RESPONSE__BODY_REFUSED &&
           (int)response->refused->refusals[0]->refusal == refusal;
}

static bool take_greeting(struct client *client) {
    const Timebank__Greeting *greeting;
    struct note_head head;

    if (!check(client, receive(client), "no greeting"))
        return false;
    greeting = client->response->greeting;
    if (!check(client, client->response->body_case == TIMEBANK__RESPONSE__BODY_GREETING,
               "something else than a greeting"))
        return false;
    memcpy(client->nonce, greeting->nonce.data, sizeof(client->nonce));
    return check(client,
                 greeting->protocol == 1 && greeting->nonce.len == 32 &&
                     note_checkpoint_open(greeting->checkpoint.data, greeting->checkpoint.len,
                                          &story.verifier, &head) == 0,
                 "a greeting that does not verify");
}

static void send_hello(struct client *client, enum actor actor, enum actor signer,
                       uint8_t ret_signed[BATCH_HELLO_BYTES]) {
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    Timebank__Hello hello = TIMEBANK__HELLO__INIT;
    struct hash ledger_id = note_ledger_id(story.verifier.name, story.verifier.key);
    uint8_t nonce[32] = {7}, signature[64];

    batch_hello_bytes(&ledger_id, client->nonce, nonce, NULL, ret_signed);
    actor_sign(signer, SSHSIG_HELLO, ret_signed, BATCH_HELLO_BYTES, signature);
    hello.key = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)actor_key(actor)};
    hello.nonce = (ProtobufCBinaryData){32, nonce};
    hello.signature = (ProtobufCBinaryData){64, signature};
    request.tag = 1;
    request.body_case = TIMEBANK__REQUEST__BODY_HELLO;
    request.hello = &hello;
    send_request(client, &request);
}

static bool say_hello(struct client *client, enum actor actor) {
    uint8_t bytes[BATCH_HELLO_BYTES];
    const Timebank__Welcome *welcome;

    if (!take_greeting(client))
        return false;
    send_hello(client, actor, actor, bytes);
    if (!check(client, receive(client), "no welcome"))
        return false;
    welcome = client->response->welcome;
    return check(client,
                 client->response->body_case == TIMEBANK__RESPONSE__BODY_WELCOME &&
                     welcome->signature.len == 64 &&
                     sshsig_verify(SSHSIG_WELCOME, bytes, sizeof(bytes), story.verifier.key,
                                   welcome->signature.data) == 0,
                 "a welcome that does not verify");
}

static void ask_status(struct client *client, uint32_t tag) {
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    Timebank__Empty empty = TIMEBANK__EMPTY__INIT;

    request.tag = tag;
    request.body_case = TIMEBANK__REQUEST__BODY_STATUS;
    request.status = &empty;
    send_request(client, &request);
}

static void *run_client(void *user) {
    struct client *client = user;

    client->story(client);
    close(client->fd);
    return NULL;
}

static void *run_clients(void *user) {
    pthread_t threads[CLIENTS_MAX];

    (void)user;
    for (size_t i = 0; i < n_clients; i++)
        if (pthread_create(&threads[i], NULL, run_client, &clients[i]) != 0)
            abort();
    for (size_t i = 0; i < n_clients; i++)
        pthread_join(threads[i], NULL);
    kill(getpid(), SIGTERM); /* the server drains and ends */
    return NULL;
}

static void client_add(void (*story_of)(struct client *client)) {
    clients[n_clients].story = story_of;
    arena_init(&clients[n_clients++].arena, 16u << 20);
}

static void serve(const struct settings *settings) {
    struct server *server = NULL;
    pthread_t others;
    int r;

    cr_assert(server_new(&server, story.bank, settings) == 0);
    for (size_t i = 0; i < n_clients; i++) {
        int pair[2];
        cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
        clients[i].fd = pair[0];
        cr_assert(server_take(server, pair[1]) == 0);
    }
    cr_assert(pthread_create(&others, NULL, run_clients, NULL) == 0);
    r = server_run(server);
    pthread_join(others, NULL);
    cr_assert(r == 0 && server_free(server) == 0);
    story.bank = NULL;
    for (size_t i = 0; i < n_clients; i++) {
        cr_assert(!clients[i].wrong, "client %d met %s", (int)i, clients[i].wrong);
        arena_fini(&clients[i].arena);
    }
    n_clients = 0;
    story.settings.log.inline_commits = true;
    bank_restart();
}

static void serve_by_default(void) {
    struct settings settings;

    settings_init(&settings);
    serve(&settings);
}

/* ---- stories */

static void asks_in_a_row(struct client *client) {
    if (!say_hello(client, STRANGER))
        return;
    for (uint32_t tag = 2; tag < 40; tag++)
        ask_status(client, tag);
    for (uint32_t tag = 2; tag < 40; tag++)
        if (!check(client,
                   receive(client) && client->response->tag == tag &&
                       client->response->body_case == TIMEBANK__RESPONSE__BODY_STATUS,
                   "a reply out of its order"))
            return;
}

Test(sessions, welcome_anyone_and_reply_in_order) {
    client_add(asks_in_a_row);
    client_add(asks_in_a_row);
    serve_by_default();
}

static void submits_all(struct client *client) {
    size_t first = client == &clients[0] ? 0 : N_ELEMENTS(parcels) / 2;
    enum actor actor = parcels[first]->author;

    if (!say_hello(client, actor))
        return;
    for (size_t i = 0; i < N_ELEMENTS(parcels) / 2; i++) {
        requests[first + i]->tag = (uint32_t)(i + 2);
        send_request(client, requests[first + i]);
    }
    for (size_t i = 0; i < N_ELEMENTS(parcels) / 2; i++) {
        if (!check(client, receive(client) && client->response->tag == i + 2, "no answer"))
            return;
        check(client,
              client->response->body_case == TIMEBANK__RESPONSE__BODY_ANSWER &&
                  client->response->answer->seal > 0 && !client->response->answer->already,
              "a batch that was not recorded");
    }
}

/* Before there are threads: the story's arena is for one. */
static void parcels_make(void) {
    for (size_t i = 0; i < N_ELEMENTS(parcels); i++) {
        bool is_first = i < N_ELEMENTS(parcels) / 2;
        Timebank__Order *order = order_helps(is_first ? "m7" : "m30", "m12", 15);
        order->service_day -= (uint32_t)i;
        parcels[i] = parcel_new(is_first ? BROKER : STEWARD);
        parcel_put(parcels[i], order);
        requests[i] = parcel_request(parcels[i]);
    }
}

Test(sessions, record_what_two_clients_send_at_once) {
    parcels_make();
    client_add(submits_all);
    client_add(submits_all);
    serve_by_default();
    expect_balance("m7", 30 + 15 * (int64_t)N_ELEMENTS(parcels) / 2);
    expect_balance("m30", 15 * (int64_t)N_ELEMENTS(parcels) / 2);
    for (size_t i = 0; i < N_ELEMENTS(parcels); i++) {
        parcel_send(parcels[i]); /* the proof of each is verified, a restart later */
        cr_assert(response_answer()->already);
    }
}

static void signs_with_another_key(struct client *client) {
    uint8_t bytes[BATCH_HELLO_BYTES];

    if (!take_greeting(client))
        return;
    send_hello(client, STEWARD, BROKER, bytes);
    check(client, receive(client) && is_refused(client, REFUSAL_BAD_SIGNATURE),
          "no word about the signature");
    check(client, !receive(client), "no end");
}

static void asks_before_the_welcome(struct client *client) {
    if (!take_greeting(client))
        return;
    ask_status(client, 2);
    check(client, receive(client) && is_refused(client, REFUSAL_BAD_REQUEST),
          "no word about the order of messages");
    check(client, !receive(client), "no end");
}

static void sends_rubbish(struct client *client) {
    if (!say_hello(client, BROKER))
        return;
    send_frame(client, "\xff\xff\xff\xff", 4);
    check(client, receive(client) && is_refused(client, REFUSAL_BAD_REQUEST),
          "no word about the rubbish");
    check(client, !receive(client), "no end");
}

Test(sessions, end_with_a_word_for_who_does_not_keep_to_the_protocol) {
    client_add(signs_with_another_key);
    client_add(asks_before_the_welcome);
    client_add(sends_rubbish);
    client_add(asks_in_a_row); /* and the others are served */
    serve_by_default();
}

static void says_nothing(struct client *client) {
    if (!take_greeting(client))
        return;
    while (receive(client))
        check(client, is_refused(client, REFUSAL_TRY_LATER) || client->response->tag == 0,
              "a reply to nothing");
}

Test(sessions, end_for_who_says_nothing) {
    struct settings settings;

    settings_init(&settings);
    settings.handshake_ms = 300;
    client_add(says_nothing);
    serve(&settings);
}
