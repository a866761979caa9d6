/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One loop. Requests are handled as they come; what they appended is handed to the committer at the
 * end of the wake-up; replies leave, in order, when the group they reflect is durable.
 */
#include "server.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "job.h"
#include "say.h"
#include "session.h"
#include "stream.h"

#define TICK_MS 250
#define DRAIN_MS 5000u
#define ACCEPT_PAUSE_MS 200
#define ERASE_AGAIN_MS 60000u
#define SOCKET_PATH_MAX 107

struct server {
    struct bank *bank;
    struct settings settings;
    struct session_host host;
    struct event_base *base;
    struct streams *streams;
    struct arena arena;
    struct bytes response;
    struct evconnlistener *listener;
    struct event *signals[3];
    struct event *tick;
    struct event *hand_over; /* at the end of this wake-up */
    struct event *log_done;
    struct event *job_done;
    struct event *accept_again;
    int job_fd;
    char *socket_path;
    struct session **sessions; /* by slot: id % n_slots */
    size_t n_slots;
    size_t n_sessions;
    size_t resume_at; /* the slot whose turn is next when the log has room */
    uint64_t next_id;
    struct reply *waiting; /* oldest first */
    struct reply **waiting_end;
    struct reply *reports; /* durable, not begun: newest first, the limit of reports is reached */
    struct reply *jobs;    /* reports and backups being made */
    size_t n_jobs;
    uint64_t drain_until_ms; /* monotonic; 0: serving */
    uint64_t erase_again_ms;
    uint64_t keys_again_ms; /* monotonic; 0: nothing failed */
    int broken;
};

static void wake(void *user) {
    struct server *server = user;

    bank_set_time(server->bank, clock_wall_ms(), clock_monotonic_ms());
}

static void fail(void *user, int r) {
    struct server *server = user;

    if (server->broken == 0)
        say("stopping: %s. Nothing that was answered is lost; run timebankd check, then start "
            "again",
            r == -EIO || r == -ENOSPC ? "the disk did not take a write" : strerror(-r));
    server->broken = r;
    event_base_loopbreak(server->base);
}

static struct session *find_session(struct server *server, uint64_t id) {
    struct session *session = server->sessions[id % server->n_slots];

    return session && session_id(session) == id ? session : NULL;
}

static void deliver(struct server *server, struct reply *reply) {
    _cleanup_bytes_ struct bytes response = {0};
    struct session *session = find_session(server, reply->session_id);
    uint64_t id = reply->session_id;
    uint32_t tag = reply->tag;
    size_t n_expected = reply->n_expected;
    int r = session ? dispatch_finish(server->bank, reply, &response) : 0;

    reply_free(reply);
    if (r < 0) {
        fail(server, r);
        return;
    }
    if (!session)
        return;
    session_send(session, tag, &response);
    session = find_session(server, id); /* it may have closed */
    if (session)
        session_reply_done(session, n_expected);
}

/* As many as the setting allows; the oldest first. The report's position is the head of this
 * moment. */
static void start_reports(struct server *server) {
    while (server->reports && server->n_jobs < server->settings.reports) {
        struct reply **at = &server->reports, *reply;
        while ((*at)->next)
            at = &(*at)->next;
        reply = *at;
        *at = NULL;
        if (!find_session(server, reply->session_id)) {
            reply_free(reply); /* nobody waits for it any more */
            continue;
        }
        reply->next = server->jobs;
        server->jobs = reply;
        server->n_jobs++;
        job_start(reply->job, server->job_fd);
    }
}

static void release_durable(struct server *server) {
    while (server->waiting && server->broken == 0) {
        struct reply *reply = server->waiting;
        if (!log_is_durable(server->bank->log, reply->ticket))
            break;
        server->waiting = reply->next;
        if (!server->waiting)
            server->waiting_end = &server->waiting;
        if (!reply->job) {
            deliver(server, reply);
            continue;
        }
        reply->next = server->reports;
        server->reports = reply;
    }
    start_reports(server);
}

/* Begins where it stopped, so that no slot is always the first. */
static void resume_sessions(struct server *server) {
    size_t begin = server->resume_at, i = begin;

    do {
        if (!log_can_append(server->bank->log))
            break;
        if (server->sessions[i])
            session_resume(server->sessions[i]);
        i = (i + 1) % server->n_slots;
    } while (i != begin);
    server->resume_at = i;
}

static void await(void *user, struct reply *reply) {
    struct server *server = user;

    reply->next = NULL;
    *server->waiting_end = reply;
    server->waiting_end = &reply->next;
    event_active(server->hand_over, EV_TIMEOUT, 0);
}

static void answered(void *user) {
    struct server *server = user;

    event_active(server->hand_over, EV_TIMEOUT, 0);
}

static void on_hand_over(evutil_socket_t fd, short what, void *user) {
    struct server *server = user;
    int r = log_hand_over(server->bank->log, bank_state_time(server->bank));

    (void)fd, (void)what;
    if (r < 0) {
        fail(server, r);
        return;
    }
    release_durable(server);
    log_release_read(server->bank->log);
}

/* Before the order to do so is answered; what fails is tried again by and by. */
static int erase(struct server *server) {
    struct bank *bank = server->bank;
    int r;

    if (bank->monotonic_ms < server->erase_again_ms)
        return 0;
    r = bank_erase(bank);
    if (r >= 0 || r == -EBADFD)
        return MIN_OF(r, 0);
    say("erasing from the register of people failed (%s), and is tried again", strerror(-r));
    server->erase_again_ms = bank->monotonic_ms + ERASE_AGAIN_MS;
    return 0;
}

/* Before anything is answered under a head of a new key; what fails is tried again by and by. */
static int keep_keys(struct server *server) {
    struct bank *bank = server->bank;
    int r;

    if (bank->monotonic_ms < server->keys_again_ms)
        return 0;
    r = bank_keys_step(bank);
    if (r == 0)
        return 0;
    say("the files of the ledger's keys could not be brought in order (%s): free some space; it is "
        "tried again",
        strerror(-r));
    server->keys_again_ms = bank->monotonic_ms + ERASE_AGAIN_MS;
    return 0;
}

static void on_log_done(evutil_socket_t fd, short what, void *user) {
    struct server *server = user;
    int r;

    (void)fd, (void)what;
    wake(server);
    r = log_collect(server->bank->log);
    if (r == 0)
        r = keep_keys(server);
    if (r == 0)
        r = log_hand_over(server->bank->log, bank_state_time(server->bank));
    if (r == 0)
        r = erase(server);
    if (r < 0) {
        fail(server, r);
        return;
    }
    release_durable(server);
    resume_sessions(server);
    log_release_read(server->bank->log);
}

static void on_job_done(evutil_socket_t fd, short what, void *user) {
    struct server *server = user;
    struct reply **at = &server->jobs;
    uint64_t n;

    (void)what;
    if (read(fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
        fail(server, -errno);
    wake(server);
    while (*at) {
        struct reply *reply = *at;
        if (!job_is_done(reply->job)) {
            at = &reply->next;
            continue;
        }
        *at = reply->next;
        server->n_jobs--;
        deliver(server, reply);
    }
    release_durable(server);
    log_release_read(server->bank->log);
}

static void forget(void *user, const struct session *session) {
    struct server *server = user;

    server->sessions[session_id(session) % server->n_slots] = NULL;
    server->n_sessions--;
    server->bank->n_connections = (uint32_t)server->n_sessions;
}

static size_t count_key(void *user, const uint8_t key[SSHSIG_PUBLIC_BYTES]) {
    const struct server *server = user;
    size_t n = 0;

    for (size_t i = 0; i < server->n_slots; i++) {
        const uint8_t *other = server->sessions[i] ? session_key(server->sessions[i]) : NULL;
        n += other && memcmp(other, key, SSHSIG_PUBLIC_BYTES) == 0;
    }
    return n;
}

int server_take(struct server *server, int fd) {
    if (server->n_sessions >= server->settings.connections) {
        close(fd);
        return -EAGAIN;
    }
    while (server->sessions[server->next_id % server->n_slots])
        server->next_id++;
    wake(server);
    server->sessions[server->next_id % server->n_slots] =
        session_new(&server->host, fd, server->next_id);
    if (!server->sessions[server->next_id % server->n_slots])
        return -ENOMEM;
    server->next_id++;
    server->n_sessions++;
    server->bank->n_connections = (uint32_t)server->n_sessions;
    return 0;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int n_address, void *user) {
    (void)listener, (void)address, (void)n_address;
    (void)!server_take(user, fd); /* what cannot be taken was closed */
}

/* Out of descriptors: without the pause the loop would spin on the same error. */
static void on_accept_error(struct evconnlistener *listener, void *user) {
    struct server *server = user;
    struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000};

    evconnlistener_disable(listener);
    event_add(server->accept_again, &pause);
}

static void on_accept_again(evutil_socket_t fd, short what, void *user) {
    struct server *server = user;

    (void)fd, (void)what;
    if (server->listener && server->drain_until_ms == 0)
        evconnlistener_enable(server->listener);
}

static void on_signal(evutil_socket_t signal_number, short what, void *user) {
    struct server *server = user;

    (void)signal_number, (void)what;
    wake(server);
    if (server->drain_until_ms != 0)
        return;
    server->drain_until_ms = server->bank->monotonic_ms + DRAIN_MS;
    server->bank->is_draining = true;
    if (server->listener)
        evconnlistener_disable(server->listener);
    event_active(server->hand_over, EV_TIMEOUT, 0);
    event_active(server->tick, EV_TIMEOUT, 0);
}

static void drain(struct server *server) {
    bool is_drained = !server->waiting && !server->reports && !server->jobs;

    for (size_t i = 0; i < server->n_slots; i++)
        if (server->sessions[i] && !session_drain(server->sessions[i]))
            is_drained = false;
    if (is_drained || server->bank->monotonic_ms > server->drain_until_ms)
        event_base_loopbreak(server->base);
}

static void on_tick(evutil_socket_t fd, short what, void *user) {
    struct server *server = user;

    (void)fd, (void)what;
    wake(server);
    for (size_t i = 0; i < server->n_slots; i++)
        if (server->sessions[i])
            session_tick(server->sessions[i]);
    if (!server->bank->clock_is_ahead) {
        int r = bank_run_due(server->bank);
        if (r >= 0)
            r = log_hand_over(server->bank->log, server->bank->wall_ms);
        if (r == 0)
            r = log_publish(server->bank->log, server->bank->wall_ms);
        if (r == 0)
            r = keep_keys(server);
        if (r == 0)
            r = erase(server);
        if (r < 0)
            fail(server, r);
    }
    projection_follow(server->bank->projection, log_head(server->bank->log)->size);
    if (server->drain_until_ms != 0)
        drain(server);
}

static bool make_events(struct server *server) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    struct timeval tick = {.tv_usec = TICK_MS * 1000};

    server->tick = event_new(server->base, -1, EV_PERSIST, on_tick, server);
    server->hand_over = evtimer_new(server->base, on_hand_over, server);
    server->accept_again = evtimer_new(server->base, on_accept_again, server);
    server->log_done = event_new(server->base, log_fd(server->bank->log), EV_READ | EV_PERSIST,
                                 on_log_done, server);
    server->job_done =
        event_new(server->base, server->job_fd, EV_READ | EV_PERSIST, on_job_done, server);
    if (!server->tick || !server->hand_over || !server->accept_again || !server->log_done ||
        !server->job_done)
        return false;
    for (size_t i = 0; i < N_ELEMENTS(numbers); i++) {
        server->signals[i] = evsignal_new(server->base, numbers[i], on_signal, server);
        if (!server->signals[i] || event_add(server->signals[i], NULL) < 0)
            return false;
    }
    return event_add(server->tick, &tick) == 0 && event_add(server->log_done, NULL) == 0 &&
           event_add(server->job_done, NULL) == 0;
}

int server_new(struct server **ret_server, struct bank *bank, const struct settings *settings) {
    struct server *server = calloc(1, sizeof(*server));

    if (!server)
        return -ENOMEM;
    server->settings = *settings;
    server->waiting_end = &server->waiting;
    server->n_slots = settings->connections;
    server->sessions = calloc(server->n_slots, sizeof(struct session *));
    server->base = event_base_new();
    server->streams = server->base ? streams_new(server->base) : NULL;
    arena_init(&server->arena, 0); /* each use has its own limit */
    server->job_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->bank = bank;
    server->host = (struct session_host){.bank = bank,
                                         .settings = &server->settings,
                                         .base = server->base,
                                         .streams = server->streams,
                                         .arena = &server->arena,
                                         .response = &server->response,
                                         .user = server,
                                         .wake = wake,
                                         .await = await,
                                         .answered = answered,
                                         .forget = forget,
                                         .count_key = count_key,
                                         .fail = fail};
    if (!server->sessions || !server->streams || server->job_fd < 0 || !make_events(server)) {
        server->bank = NULL; /* still the caller's */
        (void)!server_free(server);
        return -ENOMEM;
    }
    *ret_server = server;
    return 0;
}

static void free_replies(struct reply *reply) {
    while (reply) {
        struct reply *next = reply->next;
        reply_free(reply);
        reply = next;
    }
}

static void free_event(struct event *event) {
    if (event)
        event_free(event);
}

int server_free(struct server *server) {
    int r;

    if (!server)
        return 0;
    for (size_t i = 0; server->sessions && i < server->n_slots; i++)
        session_free(server->sessions[i]);
    free(server->sessions);
    free_replies(server->waiting);
    free_replies(server->reports);
    free_replies(server->jobs);
    if (server->listener)
        evconnlistener_free(server->listener);
    if (server->socket_path)
        unlink(server->socket_path);
    free(server->socket_path);
    for (size_t i = 0; i < N_ELEMENTS(server->signals); i++)
        free_event(server->signals[i]);
    free_event(server->tick);
    free_event(server->hand_over);
    free_event(server->accept_again);
    free_event(server->log_done);
    free_event(server->job_done);
    streams_free(server->streams);
    arena_fini(&server->arena);
    bytes_fini(&server->response);
    if (server->base)
        event_base_free(server->base);
    if (server->job_fd >= 0)
        close(server->job_fd);
    r = bank_close(server->bank);
    free(server);
    return r;
}

static void set_path(struct sockaddr_un *address, const char *path) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, path, strlen(path));
}

/* Another ledger's daemon may listen there: our lock is on our ledger only. */
static bool is_answered(const char *path) {
    struct sockaddr_un address;
    _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    set_path(&address, path);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static int remove_stale(const char *path) {
    struct stat st;

    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    if (is_answered(path))
        return -EADDRINUSE;
    return unlink(path) < 0 ? -errno : 0;
}

/* The mode is right from the first moment: bind() makes the file under this umask. */
static int bind_socket(const char *path) {
    struct sockaddr_un address;
    _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask;
    int r;

    if (fd < 0)
        return -errno;
    set_path(&address, path);
    mask = umask(0117);
    r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
    umask(mask);
    return r < 0 ? r : TAKE_FD(fd);
}

int server_listen(struct server *server, const char *path, char *why, size_t n_why) {
    int fd, r;

    if (strlen(path) > SOCKET_PATH_MAX) {
        snprintf(why, n_why,
                 "the socket's path %s is longer than %d bytes: give a shorter one with --socket",
                 path, SOCKET_PATH_MAX);
        return -ENAMETOOLONG;
    }
    r = remove_stale(path);
    fd = r < 0 ? r : bind_socket(path);
    if (fd < 0) {
        snprintf(why, n_why, "cannot listen on %s: %s", path,
                 fd == -EEXIST       ? "something that is no socket is there"
                 : fd == -EADDRINUSE ? "another daemon answers there"
                                     : strerror(-fd));
        return fd;
    }
    server->listener =
        evconnlistener_new(server->base, on_accept, server,
                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, SOMAXCONN, fd);
    server->socket_path = strdup(path);
    if (!server->listener || !server->socket_path) {
        close(fd);
        return -ENOMEM;
    }
    evconnlistener_set_error_cb(server->listener, on_accept_error);
    return 0;
}

int server_run(struct server *server) {
    if (event_base_dispatch(server->base) < 0)
        return -EIO;
    return server->broken;
}
