/* SPDX-License-Identifier: Apache-2.0 */
#include "client-state.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libtimebank/outbox-file.h"

void client_state_begin(const char *directory, char ret_state[CLIENT_PATH_BYTES],
                        char ret_key[CLIENT_PATH_BYTES]) {
    char *line = NULL, why[256];
    snprintf(ret_state, CLIENT_PATH_BYTES, "%s/state", directory);
    snprintf(ret_key, CLIENT_PATH_BYTES, "%s/key", directory);
    cr_assert(tb_key_new(ret_key, "test", &line, why, sizeof(why)) == 0, "%s", why);
    free(line);
}

struct tb_bank *client_state_bank(const char *state, const char *key, unsigned deadline_ms) {
    struct tb_bank *bank = NULL;
    cr_assert(tb_bank_new(&bank) == 0);
    cr_assert(tb_bank_set_state_directory(bank, state) == 0);
    cr_assert(tb_bank_set_key_file(bank, key) == 0);
    cr_assert(tb_bank_set_deadline(bank, deadline_ms) == 0);
    return bank;
}

struct tb_batch *client_state_batch(struct tb_bank *bank, unsigned n, const char *to) {
    struct tb_batch *batch = NULL;
    cr_assert(tb_batch_new(bank, &batch) == 0);
    for (unsigned i = 0; i < n; i++) {
        struct tb_order order = TB_ORDER_INIT;
        order.kind = TB_EXCHANGE;
        order.from = "m1";
        order.to = to;
        order.minutes = 60 + i;
        order.service_day = 20000;
        cr_assert(tb_batch_add(batch, &order, NULL) == 0);
    }
    return batch;
}

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
