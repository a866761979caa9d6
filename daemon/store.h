/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only room that knows LMDB: an environment of named tables, bounded read transactions, and one
 * write transaction whose error is sticky, so that a straight line of puts is checked once, at
 * commit.
 *
 * Nothing that weakens durability is ever set. Keys compare as bytes: integers are big-endian, so
 * that a file moves between machines (a native-integer key would be a little faster and tie it to
 * one). A failed commit is final: the caller stops and the process ends (the next transaction would
 * succeed after a failed fdatasync).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct store;
struct store_read;
struct store_write;

struct store_value {
    const uint8_t *data;
    size_t n;
};

#define STORE_TABLES_MAX 48
#define STORE_PAGE_BYTES 4096u /* at least; a row's key lies in one page */

/* Makes a new environment in an existing empty directory, with its (empty) tables, synced. */
int store_create(const char *directory, uint64_t map_bytes, const char *const *tables,
                 size_t n_tables) TB_MUST_CHECK;
/* Opens one that store_create() made; tables are then named by their index in the list. Refuses
 * network file systems with -EMEDIUMTYPE. Never creates. */
int store_open(struct store **ret_store, const char *directory, uint64_t map_bytes,
               const char *const *tables, size_t n_tables, bool read_only) TB_MUST_CHECK;
/* The same of an environment that an older version made: a table that is not there yet reads as
 * empty, and is made by store_make_tables() before anything is put into it. */
int store_open_lacking(struct store **ret_store, const char *directory, uint64_t map_bytes,
                       const char *const *tables, size_t n_tables, bool read_only) TB_MUST_CHECK;
bool store_lacks(const struct store *store, unsigned table);
struct store *store_close(struct store *store);
DEFINE_CLEANUP(struct store *, store_close)

/* Inode of data.mdb, bytes of the map, bytes of it in use, and of the file on disk. */
uint64_t store_inode(const struct store *store);
uint64_t store_map_bytes(const struct store *store);
uint64_t store_map_used_bytes(struct store *store);
const char *store_directory(const struct store *store);

/* Read transactions see one commit. Values are borrowed until the end: a run of records may be a
 * megabyte and is not copied. Keep them short; never across a network write. */
int store_read_begin(struct store *store, struct store_read **ret_read) TB_MUST_CHECK;
struct store_read *store_read_end(struct store_read *read);
DEFINE_CLEANUP(struct store_read *, store_read_end)
/* Sees what has been committed since it began. */
int store_read_renew(struct store_read *read) TB_MUST_CHECK;

/* 1 found, 0 not, or negative errno. */
int store_get(struct store_read *read, unsigned table, const void *key, size_t n_key,
              struct store_value *ret_value) TB_MUST_CHECK;
/* The row with the greatest key <= key (key NULL: the last row). */
int store_get_at_most(struct store_read *read, unsigned table, const void *key, size_t n_key,
                      struct store_value *ret_key, struct store_value *ret_value) TB_MUST_CHECK;
/* Rows in ascending order of key from the first >= from (NULL: all). Another value than 0 from
 * each() ends it and is returned. -EUCLEAN where the keys do not ascend: pages that a damaged file
 * links in a circle would be walked for ever. */
int store_each(struct store_read *read, unsigned table, const void *from, size_t n_from,
               int (*each)(void *user, struct store_value key, struct store_value value),
               void *user) TB_MUST_CHECK;

int store_write_begin(struct store *store, struct store_write **ret_write) TB_MUST_CHECK;
/* Within the write transaction: sees its own puts. */
int store_write_get(struct store_write *write, unsigned table, const void *key, size_t n_key,
                    struct store_value *ret_value) TB_MUST_CHECK;
/* The row with the greatest key <= key; with the least key > key. Good until the next put. */
int store_write_get_at_most(struct store_write *write, unsigned table, const void *key,
                            size_t n_key, struct store_value *ret_key,
                            struct store_value *ret_value) TB_MUST_CHECK;
int store_write_get_after(struct store_write *write, unsigned table, const void *key, size_t n_key,
                          struct store_value *ret_key, struct store_value *ret_value) TB_MUST_CHECK;
void store_put(struct store_write *write, unsigned table, const void *key, size_t n_key,
               const void *value, size_t n_value);
/* The same for one row after another in the order of their keys: those beyond the table's last row
 * fill its pages to their end, where store_put() would leave each half empty. */
void store_put_ascending(struct store_write *write, unsigned table, const void *key, size_t n_key,
                         const void *value, size_t n_value);
/* A key greater than every one there; anything else is an error (-EEXIST). */
void store_append(struct store_write *write, unsigned table, const void *key, size_t n_key,
                  const void *value, size_t n_value);
/* n bytes of a new value to be filled in before the next call; NULL once something failed. */
void *store_append_reserve(struct store_write *write, unsigned table, const void *key, size_t n_key,
                           size_t n_value);
void store_delete(struct store_write *write, unsigned table, const void *key, size_t n_key);
/* Makes what the environment lacks of the tables it was opened with; empties a table. When the
 * transaction does not commit, the store is to be closed. */
void store_make_tables(struct store_write *write, const char *const *tables);
void store_clear(struct store_write *write, unsigned table);
/* Ends the transaction whatever it returns: the first error of the line, or of the commit. */
int store_commit(struct store_write *write) TB_MUST_CHECK;
struct store_write *store_abort(struct store_write *write);
DEFINE_CLEANUP(struct store_write *, store_abort)

/* A compacted copy into a new file at path, synced. */
int store_copy(struct store *store, const char *path) TB_MUST_CHECK;
