/* SPDX-License-Identifier: Apache-2.0 */
/* The register of people: what goes in comes out, nothing is readable on disk, nothing opens
 * elsewhere. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/files.h"
#include "daemon/people.h"
#include "daemon/store.h"

TestSuite(people, .timeout = 30);

#define MAP_BYTES (1u << 24)

static char directory[] = "/tmp/test-people-XXXXXX";
static struct people *people;
static const uint8_t note_id[16] = {1, 2, 3};
static const uint8_t note_salt[32] = {7, 8, 9};

static void register_start(void) {
    cr_assert(mkdtemp(directory));
    cr_assert(people_create(directory, MAP_BYTES) == 0);
    cr_assert(people_open(&people, directory, MAP_BYTES, false) == 0);
}

static void register_end(void) {
    char command[128];
    people = people_close(people);
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    cr_assert(system(command) == 0);
}

static void put_person(const char *code, const char *ward, const char *age_band) {
    struct people_write *write = NULL;
    cr_assert(people_begin(people, &write) == 0);
    people_put_person(write, code, ward, age_band);
    cr_assert(people_commit(write) == 0);
}

static void put_note(const char *text) {
    struct people_write *write = NULL;
    cr_assert(people_begin(people, &write) == 0);
    people_put_note(write, note_id, note_salt, text);
    cr_assert(people_commit(write) == 0);
}

static size_t n_went_on;

static void count(void *user) {
    cr_assert(user == &n_went_on);
    n_went_on++;
}

static int check_register(char *why, size_t n_why) {
    n_went_on = 0;
    return people_check(people, count, &n_went_on, why, n_why);
}

static bool disk_holds(const char *name, const char *needle) {
    _cleanup_bytes_ struct bytes data = {0};
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    cr_assert(file_read(path, MAP_BYTES, &data) == 0);
    return memmem(data.data, data.n, needle, strlen(needle)) != NULL;
}

Test(people, gives_back_what_was_put) {
    struct people_person person = {0};
    uint8_t salt[32];
    _cleanup_(freep) char *text = NULL;
    register_start();
    cr_expect_eq(people_get_person(people, "m1", &person), 0);
    cr_expect_eq(people_get_note(people, note_id, salt, &text), 0);
    put_person("m1", "north-east", "60-74");
    put_person("m2", "", "");
    put_note("typed the wrong day");
    cr_expect_eq(people_get_person(people, "m1", &person), 1);
    cr_expect_str_eq(person.ward, "north-east");
    cr_expect_str_eq(person.age_band, "60-74");
    cr_expect_eq(people_get_person(people, "m2", &person), 1);
    cr_expect_str_eq(person.ward, "");
    cr_expect_eq(people_get_person(people, "", &person), 0);
    cr_expect_eq(people_get_note(people, note_id, salt, &text), 1);
    cr_expect_str_eq(text, "typed the wrong day");
    cr_expect_eq(memcmp(salt, note_salt, 32), 0);
    put_person("m1", "south", "75+");
    cr_expect_eq(people_get_person(people, "m1", &person), 1);
    cr_expect_str_eq(person.ward, "south");
    register_end();
}

Test(people, is_there_after_a_restart) {
    struct people_person person = {0};
    char why[128];
    register_start();
    put_person("m1", "south", "75+");
    people = people_close(people);
    cr_assert(people_open(&people, directory, MAP_BYTES, true) == 0);
    cr_expect_eq(people_get_person(people, "m1", &person), 1);
    cr_expect_str_eq(person.age_band, "75+");
    cr_expect_eq(check_register(why, sizeof(why)), 0);
    register_end();
}

/* A check that goes on is told from one that damaged pages lead in a circle. */
Test(people, check_says_that_it_goes_on_at_each_record) {
    char why[128], code[16];
    register_start();
    for (int i = 0; i < 20; i++) {
        snprintf(code, sizeof(code), "m%d", i);
        put_person(code, "south", "75+");
    }
    put_note("a story");
    cr_expect_eq(check_register(why, sizeof(why)), 0);
    cr_expect_eq(n_went_on, 2 * 21, "records and their keys");
    register_end();
}

Test(people, writes_all_or_nothing) {
    struct people_person person;
    struct people_write *write = NULL;
    char long_text[PEOPLE_TEXT_MAX + 2] = "";
    memset(long_text, 'x', PEOPLE_TEXT_MAX + 1);
    register_start();
    cr_assert(people_begin(people, &write) == 0);
    people_put_person(write, "m1", "south", "");
    people_put_person(write, "m2", long_text, "");
    people_put_note(write, note_id, note_salt, "why");
    cr_expect_eq(people_commit(write), -EINVAL);
    cr_expect_eq(people_get_person(people, "m1", &person), 0);
    cr_assert(people_begin(people, &write) == 0);
    people_put_note(write, note_id, note_salt, "");
    cr_expect_eq(people_commit(write), -EINVAL);
    cr_assert(people_begin(people, &write) == 0);
    people_put_person(write, "m1", "south", "");
    write = people_abort(write);
    cr_expect_eq(people_get_person(people, "m1", &person), 0);
    register_end();
}

Test(people, never_writes_plain_text) {
    register_start();
    put_person("m1", "a-ward-of-its-own", "an-age-band");
    put_note("a story that nobody should find");
    cr_expect(disk_holds("data.mdb", "persons"));
    cr_expect_not(disk_holds("data.mdb", "a-ward-of-its-own"));
    cr_expect_not(disk_holds("data.mdb", "an-age-band"));
    cr_expect_not(disk_holds("data.mdb", "a story"));
    char path[128];
    snprintf(path, sizeof(path), "%s/copy", directory);
    cr_assert(people_copy(people, path) == 0);
    cr_expect(disk_holds("copy", "persons"));
    cr_expect_not(disk_holds("copy", "a-ward"));
    register_end();
}

struct walk {
    char text[256];
    int stop_at;
    int n;
};

static int note_person(void *user, const char *code, const struct people_person *person) {
    struct walk *walk = user;
    size_t n = strlen(walk->text);
    snprintf(walk->text + n, sizeof(walk->text) - n, "%s=%s,%s ", code, person->ward,
             person->age_band);
    return ++walk->n == walk->stop_at ? 77 : 0;
}

Test(people, tells_every_person_in_order) {
    struct walk walk = {0};
    register_start();
    cr_expect_eq(people_each_person(people, note_person, &walk), 0);
    cr_expect_str_eq(walk.text, "");
    put_person("m3", "", "30-44");
    put_person("m10", "west", "");
    put_person("m1", "east", "");
    cr_expect_eq(people_each_person(people, note_person, &walk), 0);
    cr_expect_str_eq(walk.text, "m1=east, m10=west, m3=,30-44 ");
    walk = (struct walk){.stop_at = 2};
    cr_expect_eq(people_each_person(people, note_person, &walk), 77);
    cr_expect_str_eq(walk.text, "m1=east, m10=west, ");
    register_end();
}

/* ---- damage, done to the tables beneath */

static struct store *store;
static struct store_write *damage;

static void damage_begin(void) {
    static const char *const tables[] = {"keys", "persons", "notes"};
    people = people_close(people);
    cr_assert(store_open(&store, directory, MAP_BYTES, tables, 3, false) == 0);
    cr_assert(store_write_begin(store, &damage) == 0);
}

static void damage_end(void) {
    cr_assert(store_commit(damage) == 0);
    store = store_close(store);
    cr_assert(people_open(&people, directory, MAP_BYTES, false) == 0);
}

static struct bytes row_copy(unsigned table, const char *key) {
    struct store_value value;
    struct bytes copy = {0};
    cr_assert(store_write_get(damage, table, key, strlen(key), &value) == 1);
    bytes_put(&copy, value.data, value.n);
    return copy;
}

static void expect_damaged(const char *code) {
    struct people_person person;
    char why[128] = "";
    cr_expect_eq(people_get_person(people, code, &person), -EBADMSG);
    cr_expect_eq(check_register(why, sizeof(why)), -EBADMSG);
    cr_expect_str_neq(why, "");
}

Test(people, notices_every_flipped_bit) {
    register_start();
    put_person("m1", "east", "30-44");
    damage_begin();
    struct bytes row = row_copy(1, "m1");
    damage_end();
    for (size_t i = 0; i < row.n * 8; i++) {
        row.data[i / 8] ^= (uint8_t)(1 << i % 8);
        damage_begin();
        store_put(damage, 1, "m1", 2, row.data, row.n);
        damage_end();
        expect_damaged("m1");
        row.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    bytes_fini(&row);
    register_end();
}

Test(people, opens_a_record_only_in_its_own_place) {
    register_start();
    put_person("m1", "east", "");
    put_person("m2", "west", "");
    damage_begin();
    struct bytes record = row_copy(1, "m1"), key = row_copy(0, "personsm1");
    store_put(damage, 1, "m2", 2, record.data, record.n);
    store_put(damage, 0, "personsm2", 9, key.data, key.n);
    damage_end();
    expect_damaged("m2");
    bytes_fini(&record);
    bytes_fini(&key);
    register_end();
}

Test(people, misses_a_lost_key_and_a_lost_record) {
    register_start();
    put_person("m1", "east", "");
    put_note("why");
    damage_begin();
    struct bytes key = row_copy(0, "personsm1"), record = row_copy(1, "m1");
    store_delete(damage, 0, "personsm1", 9);
    damage_end();
    expect_damaged("m1");
    damage_begin();
    store_put(damage, 0, "personsm1", 9, key.data, key.n);
    store_delete(damage, 1, "m1", 2);
    damage_end();
    expect_damaged("m1");
    damage_begin();
    store_put(damage, 1, "m1", 2, record.data, record.n - 30);
    damage_end();
    expect_damaged("m1");
    bytes_fini(&key);
    bytes_fini(&record);
    register_end();
}

Test(people, forgets_whom_key_and_record_are_deleted_of) {
    struct people_person person;
    char why[128];
    register_start();
    put_person("m1", "east", "");
    damage_begin();
    store_delete(damage, 0, "personsm1", 9);
    store_delete(damage, 1, "m1", 2);
    damage_end();
    cr_expect_eq(people_get_person(people, "m1", &person), 0);
    cr_expect_eq(check_register(why, sizeof(why)), 0);
    register_end();
}

Test(people, does_not_open_what_it_did_not_make) {
    cr_assert(mkdtemp(directory));
    cr_expect_eq(people_open(&people, directory, MAP_BYTES, false), -ENOENT);
    register_end();
}

/* ---- erasing */

#define SECRET_BYTES 128

/* The key that seals a record, and what was sealed, as they lie in the file. */
static size_t read_sealed(const char *table, const void *key, size_t n_key,
                          uint8_t ret[2][SECRET_BYTES]) {
    static const char *const tables[] = {"keys", "persons", "notes"};
    _cleanup_(store_closep) struct store *opened = NULL;
    _cleanup_(store_read_endp) struct store_read *read = NULL;
    struct store_value value;
    uint8_t name[64];
    size_t n_name = strlen(table);
    memcpy(name, table, n_name);
    memcpy(name + n_name, key, n_key);
    people = people_close(people);
    cr_assert(store_open(&opened, directory, MAP_BYTES, tables, 3, true) == 0);
    cr_assert(store_read_begin(opened, &read) == 0);
    cr_assert(store_get(read, 0, name, n_name + n_key, &value) == 1 && value.n == 32);
    memcpy(ret[0], value.data, 32);
    cr_assert(store_get(read, strcmp(table, "persons") == 0 ? 1 : 2, key, n_key, &value) == 1);
    cr_assert(value.n <= SECRET_BYTES);
    memcpy(ret[1], value.data, value.n);
    size_t n = value.n;
    read = store_read_end(read);
    opened = store_close(opened);
    cr_assert(people_open(&people, directory, MAP_BYTES, false) == 0);
    return n;
}

static bool disk_holds_bytes(const void *needle, size_t n) {
    _cleanup_bytes_ struct bytes data = {0};
    char path[128];
    snprintf(path, sizeof(path), "%s/data.mdb", directory);
    cr_assert(file_read(path, MAP_BYTES, &data) == 0);
    return memmem(data.data, data.n, needle, n) != NULL;
}

static void erase_m1(enum people_erasure how) {
    struct people_write *write = NULL;
    cr_assert(people_begin(people, &write) == 0);
    people_delete_person(write, "m1");
    people_delete_note(write, note_id);
    people_delete_note(write, note_id); /* what is not there is no fault */
    people_put_erasure(write, "m1", how);
    cr_assert(people_commit(write) == 0);
}

Test(people, leaves_no_key_and_no_record_in_the_file_of_who_was_erased) {
    uint8_t person[2][SECRET_BYTES], note[2][SECRET_BYTES];
    struct people_person found;
    enum people_erasure how;
    char why[256] = "", code[8];
    register_start();
    for (int i = 1; i < 60; i++) {
        snprintf(code, sizeof(code), "m%d", i);
        put_person(code, "riverside", "60-74");
    }
    put_note("fell out with the group over money");
    size_t n_person = read_sealed("persons", "m1", 2, person);
    size_t n_note = read_sealed("notes", note_id, 16, note);
    cr_assert(disk_holds_bytes(person[0], 32) && disk_holds_bytes(note[0], 32));
    erase_m1(PEOPLE_DELETED);
    cr_expect(disk_holds_bytes(note[0], 32), "deleting alone leaves the key in an old page");
    cr_assert(people_replace(people) == 0);
    cr_expect(!disk_holds_bytes(person[0], 32));
    cr_expect(!disk_holds_bytes(note[0], 32));
    cr_expect(!disk_holds_bytes(person[1], n_person));
    cr_expect(!disk_holds_bytes(note[1], n_note));
    for (size_t at = 0; at + 8 <= 32; at += 8) /* nor a piece of a key */
        cr_expect(!disk_holds_bytes(person[0] + at, 8) && !disk_holds_bytes(note[0] + at, 8));
    cr_expect_eq(people_get_person(people, "m1", &found), 0);
    cr_expect_eq(people_get_person(people, "m2", &found), 1);
    cr_expect_eq(people_get_erasure(people, "m1", &how), 0);
    cr_expect_eq(how, PEOPLE_DELETED);
    cr_expect_eq(people_get_erasure(people, "m2", &how), 0);
    cr_expect_eq(how, PEOPLE_KEPT);
    cr_expect_eq(check_register(why, sizeof(why)), 0, "%s", why);
    put_person("m61", "south", "");
    cr_expect_eq(people_get_person(people, "m61", &found), 1);
    register_end();
}

Test(people, keeps_its_file_when_there_is_no_room_for_another) {
    struct people_person found;
    char path[128];
    register_start();
    put_person("m1", "riverside", "");
    snprintf(path, sizeof(path), "%s/data.mdb.new", directory);
    cr_assert(mkdir(path, 0700) == 0); /* what is in the way cannot be removed as a file */
    cr_expect_lt(people_replace(people), 0);
    cr_expect_eq(people_get_person(people, "m1", &found), 1);
    cr_assert(rmdir(path) == 0);
    cr_expect_eq(people_replace(people), 0);
    cr_expect_eq(people_get_person(people, "m1", &found), 1);
    register_end();
}

static int count_note(void *user, const uint8_t id[16]) {
    (*(int *)user)++;
    return memcmp(id, note_id, 16);
}

Test(people, tells_which_orders_have_notes) {
    int n = 0;
    register_start();
    cr_expect_eq(people_each_note(people, count_note, &n), 0);
    cr_expect_eq(n, 0);
    put_note("why");
    cr_expect_eq(people_each_note(people, count_note, &n), 0);
    cr_expect_eq(n, 1);
    register_end();
}
