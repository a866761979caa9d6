/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seals and opens the records of people. It promises that no plain text reaches the disk and that a
 * record opens only in its own place; who may read it is for access to say.
 */
#include "people.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
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

static const char *const table_names[N_TABLES] = {"keys", "persons", "notes"};

struct people {
    struct store *store;
};

struct people_write {
    struct store_write *store;
    int r;
};

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
    int r = store_open(&people->store, directory, map_bytes, table_names, N_TABLES, read_only);
    if (r < 0)
        return r;
    *ret = TAKE(people);
    return 0;
}

struct people *people_close(struct people *people) {
    if (people) {
        store_close(people->store);
        free(people);
    }
    return NULL;
}

bool people_has_room(struct people *people, uint64_t bytes) {
    uint64_t used = store_map_used_bytes(people->store);

    return used + ROOM_BYTES + ROOM_FACTOR * bytes <= store_map_bytes(people->store);
}

int people_begin(struct people *people, struct people_write **ret) {
    _cleanup_(freep) struct people_write *write = calloc(1, sizeof(*write));
    if (!write)
        return -ENOMEM;
    int r = store_write_begin(people->store, &write->store);
    if (r < 0)
        return r;
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

int people_commit(struct people_write *write) {
    int r = write->r;
    if (r < 0)
        store_abort(write->store);
    else
        r = store_commit(write->store);
    free(write);
    return r;
}

struct people_write *people_abort(struct people_write *write) {
    if (write) {
        store_abort(write->store);
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
    _cleanup_(store_read_endp) struct store_read *read = NULL;
    int r = store_read_begin(people->store, &read);
    return r < 0 ? r : get_person(read, code, ret);
}

int people_get_note(struct people *people, const uint8_t id[ORDER_ID_BYTES],
                    uint8_t ret_salt[PEOPLE_SALT_BYTES], char **ret_text) {
    _cleanup_(store_read_endp) struct store_read *read = NULL;
    _cleanup_bytes_ struct bytes plain = {0};
    struct address address = address_make(TABLE_NOTES, id, ORDER_ID_BYTES);
    int r = store_read_begin(people->store, &read);
    if (r == 0)
        r = get(read, &address, &plain);
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

struct ward_walk {
    struct store_read *read;
    int (*each)(void *user, const char *code, const char *ward);
    void *user;
};

static int walk_ward(void *user, struct store_value key, struct store_value value) {
    struct ward_walk *walk = user;
    struct people_person person;
    char code[CODE_MAX + 1] = "";
    (void)value;
    if (key.n > CODE_MAX)
        return -EBADMSG;
    memcpy(code, key.data, key.n);
    int r = get_person(walk->read, code, &person);
    return r < 0 ? r : walk->each(walk->user, code, person.ward);
}

int people_each_ward(struct people *people,
                     int (*each)(void *user, const char *code, const char *ward), void *user) {
    _cleanup_(store_read_endp) struct store_read *read = NULL;
    int r = store_read_begin(people->store, &read);
    if (r < 0)
        return r;
    struct ward_walk walk = {.read = read, .each = each, .user = user};
    return store_each(read, TABLE_PERSONS, NULL, 0, walk_ward, &walk);
}

struct check {
    struct store_read *read;
    enum table table;
    uint64_t n_records;
    uint64_t n_keys;
    char *why;
    size_t n_why;
};

static int count_key(void *user, struct store_value key, struct store_value value) {
    struct check *check = user;
    (void)key;
    (void)value;
    check->n_keys++;
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

int people_check(struct people *people, char *why, size_t n_why) {
    _cleanup_(store_read_endp) struct store_read *read = NULL;
    int r = store_read_begin(people->store, &read);
    if (r < 0)
        return r;
    struct check check = {.read = read, .why = why, .n_why = n_why};
    for (check.table = TABLE_PERSONS; r == 0 && check.table < N_TABLES; check.table++)
        r = store_each(read, check.table, NULL, 0, check_record, &check);
    if (r == 0)
        r = store_each(read, TABLE_KEYS, NULL, 0, count_key, &check);
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
    return store_copy(people->store, path);
}
