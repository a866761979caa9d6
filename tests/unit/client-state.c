/* SPDX-License-Identifier: Apache-2.0 */
#include "client-state.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libtimebank/outbox-file.h"

static bool holds_nothing(const char *path, const char *name) {
    char file[600];
    struct outbox_head head;
    snprintf(file, sizeof(file), "%s/%s", path, name);
    int fd = open(file, O_RDONLY);
    cr_assert(fd >= 0);
    int r = outbox_file_head(fd, &head);
    close(fd);
    return r == 1 || (r == 0 && head.n_body == 0);
}

size_t client_state_files(const char *state, const char *folder, const char *prefix) {
    char path[256];
    size_t n = 0;
    snprintf(path, sizeof(path), "%s/%s", state, folder);
    DIR *stream = opendir(path);
    for (const struct dirent *entry; stream && (entry = readdir(stream));)
        n += entry->d_name[0] != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
             !(strcmp(folder, "outbox") == 0 && holds_nothing(path, entry->d_name));
    if (stream)
        closedir(stream);
    return n;
}
