/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state directory: the one that was set, else $XDG_STATE_HOME/timebank, else
 * ~/.local/state/timebank. An XDG_STATE_HOME that is not absolute is ignored, as its standard says.
 */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/files.h"

static int directory_find(struct tb_bank *bank, char **ret_path) {
    const char *home = getenv("XDG_STATE_HOME");
    int n = -1;
    char *path = NULL;
    if (bank->state_directory)
        n = asprintf(&path, "%s", bank->state_directory);
    else if (home && home[0] == '/')
        n = asprintf(&path, "%s/timebank", home);
    else if ((home = getenv("HOME")) && home[0] == '/')
        n = asprintf(&path, "%s/.local/state/timebank", home);
    else
        return bank_fail(bank, -ENOENT,
                         "Nowhere to keep pins and unsent batches: set HOME or XDG_STATE_HOME.");
    if (n < 0)
        return -ENOMEM;
    *ret_path = path;
    return 0;
}

int state_folder(struct tb_bank *bank, const char *folder, char **ret_path) {
    _cleanup_(freep) char *directory = NULL;
    int r = directory_find(bank, &directory);
    if (r != 0)
        return r;
    _cleanup_(freep) char *path = NULL;
    if (asprintf(&path, "%s/%s", directory, folder) < 0)
        return -ENOMEM;
    /* There it is nearly always. */
    r = access(path, W_OK | X_OK) == 0 ? 0 : file_make_directories(path, 0700);
    if (r < 0)
        return bank_fail(bank, r, "The directory %s cannot be made: %s.", path, strerror(-r));
    *ret_path = TAKE(path);
    return 0;
}

int state_path(struct tb_bank *bank, const char *folder, const char *name, char **ret_path) {
    _cleanup_(freep) char *directory = NULL;
    int r = state_folder(bank, folder, &directory);
    if (r != 0)
        return r;
    char *path = NULL;
    if (asprintf(&path, "%s/%s", directory, name) < 0)
        return -ENOMEM;
    *ret_path = path;
    return 0;
}

int state_lock(const char *path, int *ret_fd) {
    _cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    while (flock(fd, LOCK_EX) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}
