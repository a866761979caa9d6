/* SPDX-License-Identifier: Apache-2.0 */
/* Names of backups, how they are known from ledgers, and the remains of those that a kill cut off.
 */
#include "backups.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>

bool backups_name_is_valid(const char *name) {
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-");

    return n > 0 && name[n] == '\0' && n <= BACKUPS_NAME_MAX && *name != '.' && *name != '-' &&
           !strstr(name, BACKUPS_PART);
}

void backups_mark(struct head_slot *slot) {
    slot->inode = 0;
    memset(slot->machine, 0, sizeof(slot->machine));
}

bool backups_is_head(const struct head_slot *slot) {
    return slot->inode == 0;
}

bool backups_is_one(const char *directory) {
    struct head_slot slots[HEAD_SLOTS];
    bool valid[HEAD_SLOTS];
    const struct head_slot *latest;
    _cleanup_(freep) char *path = NULL;

    if (asprintf(&path, "%s/head", directory) < 0 || head_read(path, slots, valid) < 0)
        return false;
    latest = head_latest(slots, valid);
    return latest && backups_is_head(latest);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *place) {
    (void)st, (void)kind, (void)place;
    return remove(path);
}

void backups_remove(const char *path) {
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void backups_clean(const char *directory) {
    _cleanup_(freep) char *backups = NULL;
    const struct dirent *entry;
    DIR *open;

    if (asprintf(&backups, "%s/backups", directory) < 0)
        return;
    open = opendir(backups);
    while (open && (entry = readdir(open))) {
        _cleanup_(freep) char *path = NULL;
        if (strstr(entry->d_name, BACKUPS_PART) &&
            asprintf(&path, "%s/%s", backups, entry->d_name) >= 0)
            backups_remove(path);
    }
    if (open)
        closedir(open);
}
