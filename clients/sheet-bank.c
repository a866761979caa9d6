/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the bank answers. Before each line the socket is tried, which costs nothing where nobody
 * listens; after a call that failed nothing is tried for a while, so that typing never waits for a
 * daemon that hangs.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "sheet.h"

#define PAUSE_MS 10000u

/* What no socket address can hold is left to the library, which has a sentence for it. */
static bool somebody_listens(const char *address) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const char *path = strncmp(address, "unix:", 5) == 0 ? address + 5 : "";
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof(name.sun_path))
        return true;
    memcpy(name.sun_path, path, n + 1);
    _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0)
        return true;
    return errno != ENOENT && errno != ECONNREFUSED;
}

static void away_tell(struct sheet_session *session, const char *why) {
    /* refused before a sheet is begun: nothing will be typed */
    bool is_over = !session->sheet && session->open_status != CLIENT_DONE;
    session->there = false;
    if (session->told_away || session->quiet || is_over)
        return;
    session->told_away = true;
    sheet_say(session,
              "The bank does not answer%s%s What you type is kept here and posted, in order, when "
              "it is back.",
              *why ? ": " : ".", why);
}

void sheet_bank_lose(struct sheet_session *session, const char *why) {
    session->retry_ms = clock_monotonic_ms() + PAUSE_MS;
    away_tell(session, why);
}

bool sheet_bank_is_away(int r) {
    return r < 0 || (r > 0 && r < TB_NOT_CANONICAL && r != TB_NO_AUTHORITY) || r >= TB_NO_BANK;
}

static bool bank_begin(struct sheet_session *session) {
    session->open_status = client_open(session->client);
    if (session->open_status != CLIENT_DONE) {
        sheet_bank_lose(session, "");
        return false;
    }
    int r = session->fetched ? 0 : sheet_known_fetch(session);
    if (r != 0) {
        session->open_status = client_outcome(session->client, r);
        sheet_bank_lose(session, "");
        return false;
    }
    session->fetched = true;
    return true;
}

bool sheet_bank_reach(struct sheet_session *session) {
    const struct client *client = session->client;
    session->there = false;
    if (clock_monotonic_ms() < session->retry_ms)
        return false;
    if (client->address && !somebody_listens(client->address)) {
        away_tell(session, "");
        return false;
    }
    if (!bank_begin(session))
        return false;
    if (session->told_away)
        sheet_say(session, "The bank is back.");
    session->told_away = false;
    session->there = true;
    return true;
}
