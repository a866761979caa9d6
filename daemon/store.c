/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LMDB behind store.h. What was learnt the hard way stands here once: flags, the descriptor's
 * close-on-exec, transactions that are freed whatever commit returns, maps that are never grown.
 */
#include "store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/files.h"

#define STORE_FLAGS (MDB_NOTLS)
#define STORE_MODE 0600
#define KEY_BYTES_MAX 511     /* what LMDB is built for */
#define STORE_READERS_MAX 126 /* the loop, the committer, and as many reports as settings allow */

static_assert((STORE_FLAGS & (MDB_NOSYNC | MDB_NOMETASYNC | MDB_WRITEMAP | MDB_MAPASYNC)) == 0,
              "durability is not for sale");

struct store {
    MDB_env *env;
    MDB_dbi tables[STORE_TABLES_MAX];
    bool lacks[STORE_TABLES_MAX];
    size_t n_tables;
    uint64_t map_bytes;
    uint64_t inode;
    char directory[];
};

struct store_read {
    struct store *store;
    MDB_txn *txn;
};

struct store_write {
    struct store *store;
    MDB_txn *txn;
    unsigned ascending; /* table whose last row's key is `last`, or STORE_TABLES_MAX */
    size_t n_last;
    uint8_t last[KEY_BYTES_MAX];
    int r;
};

static int from_lmdb(int r) {
    if (r == 0)
        return 0;
    if (r > 0)
        return -r;
    switch (r) {
    case MDB_MAP_FULL:
        return -ENOSPC;
    case MDB_KEYEXIST:
        return -EEXIST;
    case MDB_READERS_FULL:
        return -EAGAIN;
    case MDB_BAD_VALSIZE:
        return -EINVAL;
    case MDB_VERSION_MISMATCH:
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_CURSOR_FULL: /* deeper than any tree: pages in a circle */
    case MDB_INCOMPATIBLE:
        return -EUCLEAN;
    default:
        return -EIO;
    }
}

/* LMDB's locks and its view of the file are local; a network file system loses both. */
static int check_file_system(const char *directory) {
    struct statfs fs;

    if (statfs(directory, &fs) < 0)
        return -errno;
    switch ((unsigned long)fs.f_type) {
    case NFS_SUPER_MAGIC:
    case 0xff534d42ul: /* cifs */
    case 0xfe534d42ul: /* smb2 */
    case 0x65735546ul: /* fuse */
    case V9FS_MAGIC:
        return -EMEDIUMTYPE;
    default:
        return 0;
    }
}

enum opening { OPEN_WHOLE, OPEN_LACKING, OPEN_CREATE };

static int open_tables(struct store *store, const char *const *tables, enum opening how) {
    MDB_txn *txn = NULL;
    int r = mdb_txn_begin(store->env, NULL, how == OPEN_CREATE ? 0 : MDB_RDONLY, &txn);

    for (size_t i = 0; r == 0 && i < store->n_tables; i++) {
        r = mdb_dbi_open(txn, tables[i], how == OPEN_CREATE ? MDB_CREATE : 0, &store->tables[i]);
        store->lacks[i] = r == MDB_NOTFOUND && how == OPEN_LACKING;
        if (store->lacks[i])
            r = 0;
    }
    if (r != 0) {
        if (txn)
            mdb_txn_abort(txn);
        return r == MDB_NOTFOUND ? -EUCLEAN : from_lmdb(r);
    }
    return from_lmdb(mdb_txn_commit(txn));
}

static int remember_file(struct store *store) {
    mdb_filehandle_t fd;
    struct stat st;
    int r = mdb_env_get_fd(store->env, &fd);

    if (r != 0)
        return from_lmdb(r);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fstat(fd, &st) < 0)
        return -errno;
    store->inode = st.st_ino;
    return 0;
}

static int environment_open(struct store **ret_store, const char *directory, uint64_t map_bytes,
                            const char *const *tables, size_t n_tables, unsigned flags,
                            enum opening how) {
    _cleanup_(store_closep) struct store *store = NULL;
    size_t n = strlen(directory) + 1;
    int r = check_file_system(directory);

    assert(n_tables <= STORE_TABLES_MAX);
    if (r < 0)
        return r;
    store = calloc(1, sizeof(*store) + n);
    if (!store)
        return -ENOMEM;
    memcpy(store->directory, directory, n);
    store->n_tables = n_tables;
    store->map_bytes = map_bytes;
    r = mdb_env_create(&store->env);
    if (r == 0)
        r = mdb_env_set_mapsize(store->env, map_bytes);
    if (r == 0)
        r = mdb_env_set_maxdbs(store->env, STORE_TABLES_MAX);
    if (r == 0)
        r = mdb_env_set_maxreaders(store->env, STORE_READERS_MAX);
    if (r == 0)
        r = mdb_env_open(store->env, directory, STORE_FLAGS | flags, STORE_MODE);
    if (r != 0)
        return from_lmdb(r);
    r = remember_file(store);
    if (r == 0)
        r = open_tables(store, tables, how);
    if (r < 0)
        return r;
    *ret_store = TAKE(store);
    return 0;
}

int store_create(const char *directory, uint64_t map_bytes, const char *const *tables,
                 size_t n_tables) {
    _cleanup_(store_closep) struct store *store = NULL;
    int r = environment_open(&store, directory, map_bytes, tables, n_tables, 0, OPEN_CREATE);

    if (r < 0)
        return r;
    r = from_lmdb(mdb_env_sync(store->env, 1));
    return r < 0 ? r : file_sync_directory_of(store->directory);
}

static int open_existing(struct store **ret_store, const char *directory, uint64_t map_bytes,
                         const char *const *tables, size_t n_tables, bool read_only,
                         enum opening how) {
    _cleanup_(freep) char *data = NULL;

    if (asprintf(&data, "%s/data.mdb", directory) < 0)
        return -ENOMEM;
    if (access(data, R_OK) < 0)
        return -errno;
    return environment_open(ret_store, directory, map_bytes, tables, n_tables,
                            read_only ? MDB_RDONLY : 0, how);
}

int store_open(struct store **ret_store, const char *directory, uint64_t map_bytes,
               const char *const *tables, size_t n_tables, bool read_only) {
    return open_existing(ret_store, directory, map_bytes, tables, n_tables, read_only, OPEN_WHOLE);
}

int store_open_lacking(struct store **ret_store, const char *directory, uint64_t map_bytes,
                       const char *const *tables, size_t n_tables, bool read_only) {
    return open_existing(ret_store, directory, map_bytes, tables, n_tables, read_only,
                         OPEN_LACKING);
}

bool store_lacks(const struct store *store, unsigned table) {
    assert(table < store->n_tables);
    return store->lacks[table];
}

struct store *store_close(struct store *store) {
    if (!store)
        return NULL;
    if (store->env)
        mdb_env_close(store->env);
    free(store);
    return NULL;
}

uint64_t store_inode(const struct store *store) {
    return store->inode;
}

uint64_t store_map_bytes(const struct store *store) {
    return store->map_bytes;
}

uint64_t store_map_used_bytes(struct store *store) {
    MDB_envinfo info;
    MDB_stat stat;

    if (mdb_env_info(store->env, &info) != 0 || mdb_env_stat(store->env, &stat) != 0)
        return store->map_bytes;
    return (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
}

const char *store_directory(const struct store *store) {
    return store->directory;
}

int store_read_begin(struct store *store, struct store_read **ret_read) {
    struct store_read *read = malloc(sizeof(*read));
    int r;

    if (!read)
        return -ENOMEM;
    read->store = store;
    r = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &read->txn);
    if (r != 0) {
        free(read);
        return from_lmdb(r);
    }
    *ret_read = read;
    return 0;
}

struct store_read *store_read_end(struct store_read *read) {
    if (read) {
        mdb_txn_abort(read->txn);
        free(read);
    }
    return NULL;
}

int store_read_renew(struct store_read *read) {
    mdb_txn_reset(read->txn);
    return from_lmdb(mdb_txn_renew(read->txn));
}

static int txn_get(MDB_txn *txn, MDB_dbi table, const void *key, size_t n_key,
                   struct store_value *ret_value) {
    MDB_val k = {n_key, (void *)(uintptr_t)key}, v;
    int r = mdb_get(txn, table, &k, &v);

    if (r == MDB_NOTFOUND)
        return 0;
    if (r != 0)
        return from_lmdb(r);
    *ret_value = (struct store_value){v.mv_data, v.mv_size};
    return 1;
}

int store_get(struct store_read *read, unsigned table, const void *key, size_t n_key,
              struct store_value *ret_value) {
    assert(table < read->store->n_tables);
    return read->store->lacks[table]
               ? 0
               : txn_get(read->txn, read->store->tables[table], key, n_key, ret_value);
}

static int cursor_at_most(MDB_cursor *cursor, MDB_val *k, MDB_val *v, const void *key,
                          size_t n_key) {
    int r;

    if (!key)
        return mdb_cursor_get(cursor, k, v, MDB_LAST);
    *k = (MDB_val){n_key, (void *)(uintptr_t)key};
    r = mdb_cursor_get(cursor, k, v, MDB_SET_RANGE);
    if (r == MDB_NOTFOUND)
        return mdb_cursor_get(cursor, k, v, MDB_LAST);
    if (r == 0 && (k->mv_size != n_key || memcmp(k->mv_data, key, n_key) != 0))
        return mdb_cursor_get(cursor, k, v, MDB_PREV);
    return r;
}

/* Where place() leads a cursor of its own: 1, 0 there is nothing. */
static int txn_get_by(MDB_txn *txn, MDB_dbi table,
                      int (*place)(MDB_cursor *, MDB_val *, MDB_val *, const void *, size_t),
                      const void *key, size_t n_key, struct store_value *ret_key,
                      struct store_value *ret_value) {
    MDB_cursor *cursor = NULL;
    MDB_val k, v;
    int r = mdb_cursor_open(txn, table, &cursor);

    if (r == 0) {
        r = place(cursor, &k, &v, key, n_key);
        mdb_cursor_close(cursor);
    }
    if (r == MDB_NOTFOUND)
        return 0;
    if (r != 0)
        return from_lmdb(r);
    *ret_key = (struct store_value){k.mv_data, k.mv_size};
    *ret_value = (struct store_value){v.mv_data, v.mv_size};
    return 1;
}

int store_get_at_most(struct store_read *read, unsigned table, const void *key, size_t n_key,
                      struct store_value *ret_key, struct store_value *ret_value) {
    assert(table < read->store->n_tables);
    return read->store->lacks[table] ? 0
                                     : txn_get_by(read->txn, read->store->tables[table],
                                                  cursor_at_most, key, n_key, ret_key, ret_value);
}

static bool is_after(const MDB_val *last, const MDB_val *key) {
    size_t n = MIN_OF(last->mv_size, key->mv_size);
    int order = last->mv_data ? memcmp(last->mv_data, key->mv_data, n) : -1;

    return order < 0 || (order == 0 && last->mv_size < key->mv_size);
}

int store_each(struct store_read *read, unsigned table, const void *from, size_t n_from,
               int (*each)(void *user, struct store_value key, struct store_value value),
               void *user) {
    MDB_cursor *cursor = NULL;
    MDB_val k = {n_from, (void *)(uintptr_t)from}, v, last = {0};
    int r, stop = 0;

    assert(table < read->store->n_tables);
    if (read->store->lacks[table])
        return 0;
    r = mdb_cursor_open(read->txn, read->store->tables[table], &cursor);
    if (r != 0)
        return from_lmdb(r);
    r = mdb_cursor_get(cursor, &k, &v, from ? MDB_SET_RANGE : MDB_FIRST);
    while (r == 0 && stop == 0) {
        stop = is_after(&last, &k) ? each(user, (struct store_value){k.mv_data, k.mv_size},
                                          (struct store_value){v.mv_data, v.mv_size})
                                   : -EUCLEAN;
        last = k;
        if (stop == 0)
            r = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (stop != 0)
        return stop;
    return r == MDB_NOTFOUND ? 0 : from_lmdb(r);
}

int store_write_begin(struct store *store, struct store_write **ret_write) {
    struct store_write *write = malloc(sizeof(*write));
    int r;

    if (!write)
        return -ENOMEM;
    write->store = store;
    write->ascending = STORE_TABLES_MAX;
    write->r = 0;
    r = mdb_txn_begin(store->env, NULL, 0, &write->txn);
    if (r != 0) {
        free(write);
        return from_lmdb(r);
    }
    *ret_write = write;
    return 0;
}

int store_write_get(struct store_write *write, unsigned table, const void *key, size_t n_key,
                    struct store_value *ret_value) {
    assert(table < write->store->n_tables && !write->store->lacks[table]);
    return write->r < 0 ? write->r
                        : txn_get(write->txn, write->store->tables[table], key, n_key, ret_value);
}

static int within_write(struct store_write *write, unsigned table, const void *key, size_t n_key,
                        int (*place)(MDB_cursor *, MDB_val *, MDB_val *, const void *, size_t),
                        struct store_value *ret_key, struct store_value *ret_value) {
    assert(table < write->store->n_tables && !write->store->lacks[table]);
    return write->r < 0 ? write->r
                        : txn_get_by(write->txn, write->store->tables[table], place, key, n_key,
                                     ret_key, ret_value);
}

int store_write_get_at_most(struct store_write *write, unsigned table, const void *key,
                            size_t n_key, struct store_value *ret_key,
                            struct store_value *ret_value) {
    return within_write(write, table, key, n_key, cursor_at_most, ret_key, ret_value);
}

static int cursor_after(MDB_cursor *cursor, MDB_val *k, MDB_val *v, const void *key, size_t n_key) {
    int r;

    *k = (MDB_val){n_key, (void *)(uintptr_t)key};
    r = mdb_cursor_get(cursor, k, v, MDB_SET_RANGE);
    if (r == 0 && k->mv_size == n_key && memcmp(k->mv_data, key, n_key) == 0)
        return mdb_cursor_get(cursor, k, v, MDB_NEXT);
    return r;
}

int store_write_get_after(struct store_write *write, unsigned table, const void *key, size_t n_key,
                          struct store_value *ret_key, struct store_value *ret_value) {
    return within_write(write, table, key, n_key, cursor_after, ret_key, ret_value);
}

static void *put(struct store_write *write, unsigned table, const void *key, size_t n_key,
                 const void *value, size_t n_value, unsigned flags) {
    MDB_val k = {n_key, (void *)(uintptr_t)key}, v = {n_value, (void *)(uintptr_t)value};

    assert(table < write->store->n_tables && !write->store->lacks[table]);
    if (write->ascending == table)
        write->ascending = STORE_TABLES_MAX;
    if (write->r < 0)
        return NULL;
    write->r = from_lmdb(mdb_put(write->txn, write->store->tables[table], &k, &v, flags));
    return write->r < 0 ? NULL : v.mv_data;
}

void store_put(struct store_write *write, unsigned table, const void *key, size_t n_key,
               const void *value, size_t n_value) {
    put(write, table, key, n_key, value, n_value, 0);
}

static int find_last(struct store_write *write, unsigned table) {
    struct store_value key = {0}, value;
    int r = within_write(write, table, NULL, 0, cursor_at_most, &key, &value);

    if (r < 0 || key.n > sizeof(write->last))
        return r < 0 ? r : -EUCLEAN;
    write->n_last = key.n;
    if (key.n > 0)
        memcpy(write->last, key.data, key.n);
    write->ascending = table;
    return 0;
}

void store_put_ascending(struct store_write *write, unsigned table, const void *key, size_t n_key,
                         const void *value, size_t n_value) {
    MDB_val k = {n_key, (void *)(uintptr_t)key}, last;
    bool is_new;

    assert(n_key > 0 && n_key <= sizeof(write->last));
    if (write->r == 0 && write->ascending != table)
        write->r = find_last(write, table);
    if (write->r < 0)
        return;
    last = (MDB_val){write->n_last, write->last};
    is_new = write->n_last == 0 || is_after(&last, &k);
    put(write, table, key, n_key, value, n_value, is_new ? MDB_APPEND : 0);
    if (is_new) {
        memcpy(write->last, key, n_key);
        write->n_last = n_key;
    }
    write->ascending = table;
}

void store_append(struct store_write *write, unsigned table, const void *key, size_t n_key,
                  const void *value, size_t n_value) {
    put(write, table, key, n_key, value, n_value, MDB_APPEND | MDB_NOOVERWRITE);
}

void *store_append_reserve(struct store_write *write, unsigned table, const void *key, size_t n_key,
                           size_t n_value) {
    return put(write, table, key, n_key, NULL, n_value, MDB_APPEND | MDB_NOOVERWRITE | MDB_RESERVE);
}

void store_delete(struct store_write *write, unsigned table, const void *key, size_t n_key) {
    MDB_val k = {n_key, (void *)(uintptr_t)key};
    int r;

    assert(table < write->store->n_tables && !write->store->lacks[table]);
    if (write->r < 0)
        return;
    r = mdb_del(write->txn, write->store->tables[table], &k, NULL);
    write->r = r == MDB_NOTFOUND ? 0 : from_lmdb(r);
}

void store_make_tables(struct store_write *write, const char *const *tables) {
    struct store *store = write->store;

    for (size_t i = 0; write->r == 0 && i < store->n_tables; i++) {
        write->r = from_lmdb(mdb_dbi_open(write->txn, tables[i], MDB_CREATE, &store->tables[i]));
        store->lacks[i] = write->r < 0;
    }
}

void store_clear(struct store_write *write, unsigned table) {
    assert(table < write->store->n_tables && (write->r < 0 || !write->store->lacks[table]));
    if (write->r == 0)
        write->r = from_lmdb(mdb_drop(write->txn, write->store->tables[table], 0));
}

int store_commit(struct store_write *write) {
    int r = write->r;

    if (r < 0)
        mdb_txn_abort(write->txn);
    else
        r = from_lmdb(mdb_txn_commit(write->txn));
    free(write);
    return r;
}

struct store_write *store_abort(struct store_write *write) {
    if (write) {
        mdb_txn_abort(write->txn);
        free(write);
    }
    return NULL;
}

int store_copy(struct store *store, const char *path) {
    _cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, STORE_MODE);
    int r;

    if (fd < 0)
        return -errno;
    r = from_lmdb(mdb_env_copyfd2(store->env, fd, MDB_CP_COMPACT));
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    return r < 0 ? r : file_sync_directory_of(path);
}
