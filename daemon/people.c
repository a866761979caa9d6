/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seals and opens the records of people. It promises that no plain text reaches the disk and that a
 * record opens only in its own place; who may read it is for access to say.
 */
#include "people.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/files.h"
#include "proto/code.h"
#include "proto/text64.h"
#include "store.h"

#define KEY_BYTES crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
#define ADDRESS_MAX 64
#define PERSON_FORMAT 1
/* Pages that a commit copies besides its own bytes: counted generously. */
#define ROOM_BYTES (1024u * 1024)
#define ROOM_FACTOR 4

static_assert(KEY_BYTES == 32 && NONCE_BYTES == 24, "the layout in people.h says so");

enum table {
    TABLE_KEYS,
    TABLE_PERSONS,
    TABLE_NOTES,
    N_TABLES,
};

#define ERASURE "erased"

static const char *const table_names[N_TABLES] = {"keys", "persons", "notes"};

struct people {
    struct store *store;
    pthread_rwlock_t lock; /* held for writing while the file is replaced */
    _Atomic uint64_t n_changes;
    uint64_t map_bytes;
};

struct people_write {
    struct people *people;
    struct store_write *store;
    int r;
};

/* One transaction that sees the file as it is: it is not replaced meanwhile. */
struct people_read {
    struct people *people;
    struct store_read *store;
};

static int read_begin(struct people *people, struct people_read *ret) {
    int r;

    pthread_rwlock_rdlock(&people->lock);
    r = people->store ? store_read_begin(people->store, &ret->store) : -EBADFD;
    if (r < 0)
        pthread_rwlock_unlock(&people->lock);
    else
        ret->people = people;
    return r;
}

static void read_end(struct people_read *read) {
    if (!read->people)
        return;
    store_read_end(read->store);
    pthread_rwlock_unlock(&read->people->lock);
}

/* A record's place, its name in the table of keys, and its associated data. */
struct address {
    enum table table;
    uint8_t text[ADDRESS_MAX];
    size_t n;
    size_t n_name; /* of it, the table's name; the record's key is the rest */
};

static struct address address_make(enum table table, const void *key, size_t n_key) {
    struct address address = {.table = table, .n_name = strlen(table_names[table])};
    assert(address.n_name + n_key <= sizeof(address.text));
    memcpy(address.text, table_names[table], address.n_name);
    memcpy(address.text + address.n_name, key, n_key);
    address.n = address.n_name + n_key;
    return address;
}

int people_create(const char *directory, uint64_t map_bytes) {
    return store_create(directory, map_bytes, table_names, N_TABLES);
}

int people_open(struct people **ret, const char *directory, uint64_t map_bytes, bool read_only) {
    if (sodium_init() < 0)
        return -ENOSYS;
    _cleanup_(people_closep) struct people *people = calloc(1, sizeof(*people));
    if (!people)
        return -ENOMEM;
    pthread_rwlock_init(&people->lock, NULL);
    people->map_bytes = map_bytes;
    int r = store_open(&people->store, directory, map_bytes, table_names, N_TABLES, read_only);
    if (r < 0)
        return r;
    *ret = TAKE(people);
    return 0;
}

struct people *people_close(struct people *people) {
    if (people) {
        store_close(people->store);
        pthread_rwlock_destroy(&people->lock);
        free(people);
    }
    return NULL;
}

bool people_has_room(struct people *people, uint64_t bytes) {
    pthread_rwlock_rdlock(&people->lock);
    uint64_t used = people->store ? store_map_used_bytes(people->store) : UINT64_MAX / 2;
    pthread_rwlock_unlock(&people->lock);

    return used + ROOM_BYTES + ROOM_FACTOR * bytes <= people->map_bytes;
}

int people_begin(struct people *people, struct people_write **ret) {
    _cleanup_(freep) struct people_write *write = calloc(1, sizeof(*write));
    if (!write)
        return -ENOMEM;
    pthread_rwlock_rdlock(&people->lock);
    int r = people->store ? store_write_begin(people->store, &write->store) : -EBADFD;
    if (r < 0) {
        pthread_rwlock_unlock(&people->lock);
        return r;
    }
    write->people = people;
    *ret = TAKE(write);
    return 0;
}

/* Every put takes a new key: what the old one sealed stays closed in the pages it leaves behind. */
static int put_sealed(struct store_write *store, const struct address *address,
                      const struct bytes *plain) {
    _cleanup_bytes_ struct bytes sealed = {0};
    uint8_t key[KEY_BYTES];
    uint8_t *nonce = bytes_reserve(&sealed, NONCE_BYTES + plain->n + TAG_BYTES);
    if (plain->r < 0 || !nonce)
        return -ENOMEM;
    randombytes_buf(key, sizeof(key));
    randombytes_buf(nonce, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_BYTES, NULL, plain->data, plain->n,
                                               address->text, address->n, NULL, nonce, key);
    store_put(store, TABLE_KEYS, address->text, address->n, key, sizeof(key));
    store_put(store, address->table, address->text + address->n_name, address->n - address->n_name,
              sealed.data, sealed.n);
    sodium_memzero(key, sizeof(key));
    return 0;
}

static void put(struct people_write *write, const struct address *address,
                const struct bytes *plain) {
    if (write->r == 0)
        write->r = put_sealed(write->store, address, plain);
}

static bool is_code(const char *code) {
    size_t n = strlen(code);
    return n > 0 && n <= CODE_MAX;
}

void people_put_person(struct people_write *write, const char *code, const char *ward,
                       const char *age_band) {
    size_t n_ward = strlen(ward), n_age_band = strlen(age_band);
    if (!is_code(code) || n_ward > PEOPLE_TEXT_MAX || n_age_band > PEOPLE_TEXT_MAX) {
        write->r = write->r < 0 ? write->r : -EINVAL;
        return;
    }
    _cleanup_bytes_ struct bytes plain = {0};
    bytes_put_u8(&plain, PERSON_FORMAT);
    bytes_put_u8(&plain, (uint8_t)n_ward);
    bytes_put(&plain, ward, n_ward);
    bytes_put_u8(&plain, (uint8_t)n_age_band);
    bytes_put(&plain, age_band, n_age_band);
    struct address address = address_make(TABLE_PERSONS, code, strlen(code));
    put(write, &address, &plain);
}

void people_put_note(struct people_write *write, const uint8_t id[ORDER_ID_BYTES],
                     const uint8_t salt[PEOPLE_SALT_BYTES], const char *text) {
    size_t n = strlen(text);
    if (n == 0 || n > PEOPLE_NOTE_MAX) {
        write->r = write->r < 0 ? write->r : -EINVAL;
        return;
    }
    _cleanup_bytes_ struct bytes plain = {0};
    bytes_put(&plain, salt, PEOPLE_SALT_BYTES);
    bytes_put(&plain, text, n);
    struct address address = address_make(TABLE_NOTES, id, ORDER_ID_BYTES);
    put(write, &address, &plain);
}

uint64_t people_n_changes(const struct people *people) {
    return people->n_changes;
}

int people_commit(struct people_write *write) {
    int r = write->r;
    if (r < 0)
        store_abort(write->store);
    else
        r = store_commit(write->store);
    write->people->n_changes++;
    pthread_rwlock_unlock(&write->people->lock);
    free(write);
    return r;
}

struct people_write *people_abort(struct people_write *write) {
    if (write) {
        store_abort(write->store);
        pthread_rwlock_unlock(&write->people->lock);
        free(write);
    }
    return NULL;
}

/* Appends the plain text. 1 opened, 0 neither key nor record is there. */
static int get(struct store_read *read, const struct address *address, struct bytes *plain) {
    struct store_value key, sealed;
    int has_key = store_get(read, TABLE_KEYS, address->text, address->n, &key);
    if (has_key < 0)
        return has_key;
    int has_record = store_get(read, address->table, address->text + address->n_name,
                               address->n - address->n_name, &sealed);
    if (has_record < 0 || (!has_record && !has_key))
        return has_record;
    if (!has_record || !has_key || key.n != KEY_BYTES || sealed.n < NONCE_BYTES + TAG_BYTES)
        return -EBADMSG;

    uint8_t *to = bytes_reserve(plain, sealed.n - NONCE_BYTES - TAG_BYTES);
    if (!to)
        return -ENOMEM;
    return crypto_aead_xchacha20poly1305_ietf_decrypt(to, NULL, NULL, sealed.data + NONCE_BYTES,
                                                      sealed.n - NONCE_BYTES, address->text,
                                                      address->n, sealed.data, key.data) == 0
               ? 1
               : -EBADMSG;
}

static void read_text(struct cursor *cursor, char ret[PEOPLE_TEXT_MAX + 1]) {
    size_t n = cursor_u8(cursor);
    const uint8_t *text = cursor_bytes(cursor, n);
    if (!text)
        return;
    if (n > PEOPLE_TEXT_MAX) {
        cursor->r = -EBADMSG;
        return;
    }
    memcpy(ret, text, n);
    ret[n] = '\0';
}

static int read_person(const struct bytes *plain, struct people_person *ret) {
    struct cursor cursor = cursor_make(plain->data, plain->n);
    struct people_person person = {0};
    if (cursor_u8(&cursor) != PERSON_FORMAT)
        return -EBADMSG;
    read_text(&cursor, person.ward);
    read_text(&cursor, person.age_band);
    int r = cursor_end(&cursor);
    if (r == 0)
        *ret = person;
    return r;
}

static int get_person(struct store_read *read, const char *code, struct people_person *ret) {
    _cleanup_bytes_ struct bytes plain = {0};
    struct address address = address_make(TABLE_PERSONS, code, strlen(code));
    int r = get(read, &address, &plain);
    if (r <= 0)
        return r;
    r = read_person(&plain, ret);
    return r < 0 ? r : 1;
}

int people_get_person(struct people *people, const char *code, struct people_person *ret) {
    if (!is_code(code))
        return 0;
    _cleanup_(read_end) struct people_read read = {0};
    int r = read_begin(people, &read);
    return r < 0 ? r : get_person(read.store, code, ret);
}

int people_get_note(struct people *people, const uint8_t id[ORDER_ID_BYTES],
                    uint8_t ret_salt[PEOPLE_SALT_BYTES], char **ret_text) {
    _cleanup_(read_end) struct people_read read = {0};
    _cleanup_bytes_ struct bytes plain = {0};
    struct address address = address_make(TABLE_NOTES, id, ORDER_ID_BYTES);
    int r = read_begin(people, &read);
    if (r == 0)
        r = get(read.store, &address, &plain);
    if (r <= 0)
        return r;
    if (plain.n <= PEOPLE_SALT_BYTES)
        return -EBADMSG;
    char *text = strndup((const char *)plain.data + PEOPLE_SALT_BYTES, plain.n - PEOPLE_SALT_BYTES);
    if (!text)
        return -ENOMEM;
    memcpy(ret_salt, plain.data, PEOPLE_SALT_BYTES);
    *ret_text = text;
    return 1;
}

struct person_walk {
    struct store_read *read;
    int (*each)(void *user, const char *code, const struct people_person *person);
    void *user;
};

static int walk_person(void *user, struct store_value key, struct store_value value) {
    struct person_walk *walk = user;
    struct people_person person;
    char code[CODE_MAX + 1] = "";
    (void)value;
    if (key.n > CODE_MAX)
        return -EBADMSG;
    memcpy(code, key.data, key.n);
    int r = get_person(walk->read, code, &person);
    return r < 0 ? r : walk->each(walk->user, code, &person);
}

int people_each_person(struct people *people,
                       int (*each)(void *user, const char *code,
                                   const struct people_person *person),
                       void *user) {
    _cleanup_(read_end) struct people_read read = {0};
    int r = read_begin(people, &read);
    if (r < 0)
        return r;
    struct person_walk walk = {.read = read.store, .each = each, .user = user};
    return store_each(read.store, TABLE_PERSONS, NULL, 0, walk_person, &walk);
}

static bool is_erasure(struct store_value key) {
    return key.n > strlen(ERASURE) && memcmp(key.data, ERASURE, strlen(ERASURE)) == 0;
}

struct check {
    struct store_read *read;
    enum table table;
    void (*went_on)(void *user);
    void *user;
    uint64_t n_records;
    uint64_t n_keys;
    char *why;
    size_t n_why;
};

static int count_key(void *user, struct store_value key, struct store_value value) {
    struct check *check = user;
    (void)value;
    check->went_on(check->user);
    check->n_keys += !is_erasure(key);
    return 0;
}

static int check_plain(enum table table, const struct bytes *plain) {
    struct people_person person;
    if (table == TABLE_PERSONS)
        return read_person(plain, &person);
    return plain->n > PEOPLE_SALT_BYTES ? 0 : -EBADMSG;
}

static int check_record(void *user, struct store_value key, struct store_value value) {
    struct check *check = user;
    _cleanup_bytes_ struct bytes plain = {0};
    (void)value;
    check->went_on(check->user);
    check->n_records++;
    int r = -EBADMSG;
    if (key.n <= (check->table == TABLE_PERSONS ? CODE_MAX : ORDER_ID_BYTES)) {
        struct address address = address_make(check->table, key.data, key.n);
        r = get(check->read, &address, &plain);
    }
    if (r >= 0)
        r = check_plain(check->table, &plain);
    if (r == -EBADMSG) {
        char hex[2 * CODE_MAX + 1];
        text64_hex(hex, key.data, MIN_OF(key.n, (size_t)CODE_MAX));
        snprintf(check->why, check->n_why, "The register's record %s in the table %s does not open",
                 hex, table_names[check->table]);
    }
    return r;
}

int people_check(struct people *people, void (*went_on)(void *user), void *user, char *why,
                 size_t n_why) {
    _cleanup_(read_end) struct people_read read = {0};
    int r = read_begin(people, &read);
    if (r < 0)
        return r;
    struct check check = {
        .read = read.store, .went_on = went_on, .user = user, .why = why, .n_why = n_why};
    for (check.table = TABLE_PERSONS; r == 0 && check.table < N_TABLES; check.table++)
        r = store_each(read.store, check.table, NULL, 0, check_record, &check);
    if (r == 0)
        r = store_each(read.store, TABLE_KEYS, NULL, 0, count_key, &check);
    if (r < 0)
        return r;
    /* Every record opened, so it has a key; one more key than records sealed something that is
     * gone. */
    if (check.n_keys == check.n_records)
        return 0;
    snprintf(why, n_why, "The register holds a key whose record is gone");
    return -EBADMSG;
}

int people_copy(struct people *people, const char *path) {
    pthread_rwlock_rdlock(&people->lock);
    int r = store_copy(people->store, path);
    pthread_rwlock_unlock(&people->lock);
    return r;
}

/* ---- erasing */

/* Its row in the table of keys: ERASURE || who. */
static size_t erasure_key(const char *who, uint8_t ret[ADDRESS_MAX]) {
    size_t n_name = strlen(ERASURE), n = strlen(who);
    assert(n_name + n <= ADDRESS_MAX);
    memcpy(ret, ERASURE, n_name);
    memcpy(ret + n_name, who, n);
    return n_name + n;
}

static void take_out(struct people_write *write, const struct address *address) {
    if (write->r < 0)
        return;
    store_delete(write->store, TABLE_KEYS, address->text, address->n);
    store_delete(write->store, address->table, address->text + address->n_name,
                 address->n - address->n_name);
}

void people_delete_person(struct people_write *write, const char *code) {
    struct address address = address_make(TABLE_PERSONS, code, strlen(code));
    take_out(write, &address);
}

void people_delete_note(struct people_write *write, const uint8_t id[ORDER_ID_BYTES]) {
    struct address address = address_make(TABLE_NOTES, id, ORDER_ID_BYTES);
    take_out(write, &address);
}

void people_put_erasure(struct people_write *write, const char *who, enum people_erasure how) {
    uint8_t key[ADDRESS_MAX], value = (uint8_t)how;
    if (write->r == 0)
        store_put(write->store, TABLE_KEYS, key, erasure_key(who, key), &value, sizeof(value));
}

int people_get_erasure(struct people *people, const char *who, enum people_erasure *ret) {
    _cleanup_(read_end) struct people_read read = {0};
    struct store_value value;
    uint8_t key[ADDRESS_MAX];
    int r = read_begin(people, &read);
    if (r == 0)
        r = store_get(read.store, TABLE_KEYS, key, erasure_key(who, key), &value);
    if (r < 0)
        return r;
    if (r > 0 && value.n != 1)
        return -EBADMSG;
    *ret = r > 0 ? (enum people_erasure)value.data[0] : PEOPLE_KEPT;
    return 0;
}

struct note_walk {
    int (*each)(void *user, const uint8_t id[ORDER_ID_BYTES]);
    void *user;
};

static int walk_note(void *user, struct store_value key, struct store_value value) {
    const struct note_walk *walk = user;
    (void)value;
    return key.n == ORDER_ID_BYTES ? walk->each(walk->user, key.data) : -EBADMSG;
}

int people_each_note(struct people *people,
                     int (*each)(void *user, const uint8_t id[ORDER_ID_BYTES]), void *user) {
    _cleanup_(read_end) struct people_read read = {0};
    struct note_walk walk = {.each = each, .user = user};
    int r = read_begin(people, &read);
    return r < 0 ? r : store_each(read.store, TABLE_NOTES, NULL, 0, walk_note, &walk);
}

/* LMDB's copy takes of each page what is used, so that nothing deleted is in it. */
static int replace_file(struct people *people, const char *path, const char *copy) {
    _cleanup_(freep) char *directory = strdup(store_directory(people->store));
    int r, failed = 0;
    if (!directory)
        return -ENOMEM;
    if (unlink(copy) < 0 && errno != ENOENT)
        return -errno;
    r = store_copy(people->store, copy);
    if (r < 0)
        return r;
    people->store = store_close(people->store); /* one process opens a file once */
    if (rename(copy, path) < 0)
        failed = -errno;
    else
        failed = file_sync_directory_of(path);
    r = store_open(&people->store, directory, people->map_bytes, table_names, N_TABLES, false);
    return r < 0 ? -EBADFD : failed;
}

int people_replace(struct people *people) {
    _cleanup_(freep) char *path = NULL, *copy = NULL;
    if (asprintf(&path, "%s/data.mdb", store_directory(people->store)) < 0 ||
        asprintf(&copy, "%s/data.mdb.new", store_directory(people->store)) < 0)
        return -ENOMEM;
    pthread_rwlock_wrlock(&people->lock);
    int r = replace_file(people, path, copy);
    pthread_rwlock_unlock(&people->lock);
    if (r < 0)
        unlink(copy); /* it may be half of one */
    return r;
}
