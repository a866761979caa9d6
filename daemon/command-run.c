/* SPDX-License-Identifier: Apache-2.0 */
/* timebankd run: settings, the check before opening, the server, and an exit status. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "backups.h"
#include "base/clock.h"
#include "check.h"
#include "commands.h"
#include "say.h"
#include "server.h"

struct running {
    const char *directory;
    const char *socket;
    const char *config;
    bool accept_time;
};

static int read_arguments(struct running *running, int argc, char **argv) {
    static const struct option options[] = {{"socket", required_argument, NULL, 's'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"accept-time", no_argument, NULL, 't'},
                                            {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's')
            running->socket = optarg;
        else if (option == 'c')
            running->config = optarg;
        else if (option == 't')
            running->accept_time = true;
        else
            return EXIT_USAGE;
    }
    if (optind + 1 != argc) {
        say("usage: timebankd run DIR [--socket PATH] [--config FILE] [--accept-time]");
        return EXIT_USAGE;
    }
    running->directory = argv[optind];
    return EXIT_DONE;
}

static int read_settings(const struct running *running, struct settings *settings) {
    _cleanup_(freep) char *otherwise = NULL;
    const char *path = running->config;
    struct stat st;
    char why[512];

    settings_init(settings);
    if (!path) {
        if (asprintf(&otherwise, "%s/timebankd.conf", running->directory) < 0)
            return EXIT_BROKEN;
        if (stat(otherwise, &st) < 0 && errno == ENOENT)
            return EXIT_DONE;
        path = otherwise;
    }
    if (settings_read(settings, path, why, sizeof(why)) < 0) {
        say("%s", why);
        return EXIT_REFUSED;
    }
    return EXIT_DONE;
}

static int lock(const char *directory, int *ret_fd) {
    int r = bank_lock(directory, ret_fd);

    if (r == -EWOULDBLOCK)
        say("another timebankd serves %s: stop that one first", directory);
    else if (r == -ENOENT)
        say("%s is no ledger: make one with timebankd init", directory);
    else if (r < 0)
        say("%s cannot be locked: %s", directory, strerror(-r));
    return r < 0 ? EXIT_REFUSED : EXIT_DONE;
}

static int serve(const struct running *running, const struct settings *settings,
                 struct bank *bank) {
    _cleanup_(freep) char *otherwise = NULL;
    struct server *server = NULL;
    char why[512] = "out of memory";
    int r, closed, status = EXIT_BROKEN;

    if (asprintf(&otherwise, "%s/socket", running->directory) < 0 ||
        server_new(&server, bank, settings) < 0) {
        (void)!bank_close(bank);
        return EXIT_BROKEN;
    }
    r = server_listen(server, running->socket ? running->socket : otherwise, why, sizeof(why));
    if (r < 0) {
        say("%s", why);
        status = r == -ENOMEM ? EXIT_BROKEN : EXIT_REFUSED;
    } else {
        say("serving %s on %s", bank->verifier_key, running->socket ? running->socket : otherwise);
        r = server_run(server);
    }
    closed = server_free(server);
    if (closed < 0 && r == 0)
        say("the last writes failed (%s): run timebankd check before the next start",
            strerror(-closed));
    return closed < 0 ? EXIT_BROKEN : r < 0 ? status : EXIT_DONE;
}

int command_run(int argc, char **argv) {
    struct running running = {0};
    struct settings settings;
    struct bank_settings bank_settings;
    struct bank *bank = NULL;
    char why[1024] = "";
    int fd = -1, r, status = read_arguments(&running, argc, argv);

    if (status == EXIT_DONE)
        status = read_settings(&running, &settings);
    if (status == EXIT_DONE)
        status = lock(running.directory, &fd);
    if (status != EXIT_DONE)
        return status;
    if (backups_is_one(running.directory)) {
        close(fd);
        say("%s is a backup, and no ledger that may sign: make one of it with timebankd restore",
            running.directory);
        return EXIT_REFUSED;
    }
    bank_settings = settings_for_bank(&settings);
    bank_settings.accept_time = running.accept_time;
    if (check_before_start(running.directory, &bank_settings) != 0) {
        close(fd);
        say("not starting: the ledger is damaged, or not the one it was, see above. Keep it as it "
            "is; put back what was changed, or make a ledger of a backup with timebankd restore");
        return EXIT_BROKEN;
    }
    r = bank_open(&bank, running.directory, &bank_settings, fd, clock_wall_ms(),
                  clock_monotonic_ms(), why, sizeof(why));
    if (r < 0) {
        say("not starting: %s", *why ? why : strerror(-r));
        return r == -ENOMEM || r == -EIO || r == -EUCLEAN ? EXIT_BROKEN : EXIT_REFUSED;
    }
    if (bank->clock_is_ahead)
        say("the clock is more than 30 days ahead of the last entry: writes are refused until you "
            "start "
            "with --accept-time");
    if (keyring_is_unlocked(bank->keyring))
        say("the ledger's key could not be locked in memory: raise the limit of locked memory");
    return serve(&running, &settings, bank);
}
