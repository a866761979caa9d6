/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit tests of bytes share: hex, vectors, a seeded random, a directory of one's own. */
#pragma once

#include <criterion/criterion.h>
#include <dirent.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "proto/text64.h"

static inline size_t unhex(const char *text, uint8_t *ret) {
    size_t n = strlen(text) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned v;
        cr_assert(sscanf(text + 2 * i, "%2x", &v) == 1);
        ret[i] = (uint8_t)v;
    }
    return n;
}

/* A whole JSON file of tests/data/vectors; the caller's to json_decref. */
static inline json_t *vectors_load(const char *name) {
    json_error_t error;
    char path[512];
    snprintf(path, sizeof(path), "%s/vectors/%s", TESTS_DATA, name);
    json_t *json = json_load_file(path, 0, &error);
    cr_assert(json, "%s: %s", path, error.text);
    return json;
}

/* xorshift64*: the same seed, the same run. */
static inline uint64_t random_next(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

/* A fresh directory under /tmp, short enough for any path. */
static inline void scratch_make(char ret[64]) {
    strcpy(ret, "/tmp/tb-unit-XXXXXX");
    cr_assert(mkdtemp(ret));
}

static inline void scratch_remove(const char *directory) {
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    cr_assert(system(command) == 0);
}

static inline void scratch_write(const char *directory, const char *name, const void *data,
                                 size_t n) {
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    cr_assert(file && fwrite(data, 1, n, file) == n && fclose(file) == 0);
}

/* Exit status of a shell command run in the directory, its output kept away. */
__attribute__((format(printf, 2, 3))) static inline int scratch_run(const char *directory,
                                                                    const char *format, ...) {
    char command[1024], whole[1400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    snprintf(whole, sizeof(whole), "cd '%s' && { %s ; } >output 2>&1", directory, command);
    return system(whole);
}

static inline bool tool_is_here(const char *name) {
    char command[128];
    snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1", name);
    return system(command) == 0;
}
