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
    cr_expect_eq(people_check(people, why, sizeof(why)), 0);
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

static int note_ward(void *user, const char *code, const char *ward) {
    struct walk *walk = user;
    size_t n = strlen(walk->text);
    snprintf(walk->text + n, sizeof(walk->text) - n, "%s=%s ", code, ward);
    return ++walk->n == walk->stop_at ? 77 : 0;
}

Test(people, tells_every_ward_in_order) {
    struct walk walk = {0};
    register_start();
    cr_expect_eq(people_each_ward(people, note_ward, &walk), 0);
    cr_expect_str_eq(walk.text, "");
    put_person("m3", "", "30-44");
    put_person("m10", "west", "");
    put_person("m1", "east", "");
    cr_expect_eq(people_each_ward(people, note_ward, &walk), 0);
    cr_expect_str_eq(walk.text, "m1=east m10=west m3= ");
    walk = (struct walk){.stop_at = 2};
    cr_expect_eq(people_each_ward(people, note_ward, &walk), 77);
    cr_expect_str_eq(walk.text, "m1=east m10=west ");
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
    cr_expect_eq(people_check(people, why, sizeof(why)), -EBADMSG);
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
    cr_expect_eq(people_check(people, why, sizeof(why)), 0);
    register_end();
}

Test(people, does_not_open_what_it_did_not_make) {
    cr_assert(mkdtemp(directory));
    cr_expect_eq(people_open(&people, directory, MAP_BYTES, false), -ENOENT);
    register_end();
}
