/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebankd adopt: says that this copy of a ledger, and no other, is served from now on. A
 * directory that was copied or moved is refused by its file's inode or its machine's id, because
 * two copies that both sign would make two histories; only a person can know that the other one is
 * gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "backups.h"
#include "check.h"
#include "commands.h"
#include "head.h"
#include "runs.h"
#include "say.h"
#include "settings.h"

static int open_head(const char *directory) {
    _cleanup_(freep) char *path = NULL;
    int fd;

    if (asprintf(&path, "%s/head", directory) < 0)
        return -ENOMEM;
    fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

static int read_inode(const char *directory, uint64_t map_bytes, uint64_t *ret_inode) {
    _cleanup_(store_closep) struct store *store = NULL;
    _cleanup_(freep) char *path = NULL;
    int r;

    if (asprintf(&path, "%s/ledger", directory) < 0)
        return -ENOMEM;
    r = store_open_lacking(&store, path, map_bytes, runs_tables, RUNS_N_TABLES, true);
    if (r == 0)
        *ret_inode = store_inode(store);
    return r;
}

/* The same signed head in both slots, under this file and this machine. */
static int rewrite_head(const char *directory, uint64_t inode) {
    struct head_slot slots[HEAD_SLOTS], slot;
    bool valid[HEAD_SLOTS];
    _cleanup_(freep) char *path = NULL;
    _cleanup_(closep) int fd = -1;
    int r;

    if (asprintf(&path, "%s/head", directory) < 0)
        return -ENOMEM;
    r = head_read(path, slots, valid);
    if (r < 0)
        return r;
    if (!head_latest(slots, valid))
        return -EUCLEAN;
    slot = *head_latest(slots, valid);
    slot.inode = inode;
    head_machine(slot.machine);
    fd = open_head(directory);
    if (fd < 0)
        return fd;
    for (int i = 0; i < HEAD_SLOTS && r == 0; i++) {
        slot.sequence++;
        r = head_write(fd, &slot);
    }
    return r;
}

static int adopt(const char *directory, const struct bank_settings *settings) {
    uint64_t inode = 0;
    int r = check_ledger(directory, settings, false, stdout, NULL);

    if (r < 0) {
        say("not adopted: the ledger in %s is not sound, see above", directory);
        return EXIT_BROKEN;
    }
    r = read_inode(directory, settings->log.map_bytes, &inode);
    if (r == 0)
        r = rewrite_head(directory, inode);
    if (r < 0) {
        say("not adopted: %s", strerror(-r));
        return EXIT_BROKEN;
    }
    printf("%s is adopted: timebankd run serves it now. Never serve another copy of it again; "
           "clients that saw "
           "a later head of the other copy will refuse this one.\n",
           directory);
    return EXIT_DONE;
}

int command_adopt(int argc, char **argv) {
    struct bank_settings bank_settings;
    struct settings settings;
    _cleanup_(closep) int fd = -1;
    int r;

    if (argc != 2 || argv[1][0] == '-') {
        say("usage: timebankd adopt DIR");
        return EXIT_USAGE;
    }
    r = bank_lock(argv[1], &fd);
    if (r < 0) {
        say("%s: %s", argv[1],
            r == -EWOULDBLOCK ? "it is being served: stop timebankd first" : strerror(-r));
        return EXIT_REFUSED;
    }
    if (backups_is_one(argv[1])) {
        say("not adopted: %s is a backup, and what was recorded after it would be lost in silence. "
            "Make a ledger of it with timebankd restore",
            argv[1]);
        return EXIT_REFUSED;
    }
    settings_init(&settings);
    bank_settings = settings_for_bank(&settings);
    return adopt(argv[1], &bank_settings);
}
