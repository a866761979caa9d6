/* SPDX-License-Identifier: Apache-2.0 */
#include "client-state.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libtimebank/outbox-file.h"

static unsigned waiting(const char *path, const char *name) {
    char file[600];
    unsigned n = 0;
    snprintf(file, sizeof(file), "%s/%s", path, name);
    int fd = open(file, O_RDONLY);
    cr_assert(fd >= 0 && outbox_file_waiting(fd, &n) == 0);
    close(fd);
    return n;
}

size_t client_state_files(const char *state, const char *folder, const char *prefix) {
    char path[256];
    size_t n = 0;
    snprintf(path, sizeof(path), "%s/%s", state, folder);
    DIR *stream = opendir(path);
    for (const struct dirent *entry; stream && (entry = readdir(stream));)
        if (entry->d_name[0] != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            n += strcmp(folder, "outbox") == 0 ? waiting(path, entry->d_name) : 1;
    if (stream)
        closedir(stream);
    return n;
}
