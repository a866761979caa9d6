/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files, written so that they are whole or absent: made beside, synced, renamed, directory
 * synced. Every function returns 0 or a negative errno.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bytes.h"

/* Appends the whole regular file to *b; -EFBIG over max_bytes; -ELOOP for a symbolic link. */
int file_read(const char *path, size_t max_bytes, struct bytes *b) TB_MUST_CHECK;
/* Writes a new file (O_EXCL: -EEXIST if there), mode as given whatever the umask, synced with its
 * directory. */
int file_create(const char *path, mode_t mode, const void *data, size_t n) TB_MUST_CHECK;
/* All of it into an open file. */
int file_write_all(int fd, const void *bytes, size_t n) TB_MUST_CHECK;
/* Replaces the file in one step. */
int file_replace(const char *path, mode_t mode, const void *data, size_t n) TB_MUST_CHECK;
int file_sync_directory_of(const char *path) TB_MUST_CHECK;
/* mkdir -p with the given mode for what it makes. */
int file_make_directories(const char *path, mode_t mode) TB_MUST_CHECK;
/* Opens a secret: O_NOFOLLOW, regular, owned by us, mode & 077 == 0 (else -EPERM), read whole. The
 * buffer's memory is not locked: wipe it. */
int file_read_secret(const char *path, size_t max_bytes, struct bytes *b) TB_MUST_CHECK;
