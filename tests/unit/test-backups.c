/* SPDX-License-Identifier: Apache-2.0 */
/* Names of backups, how one is known, and what is removed of those that were cut off. */
#include "daemon/backups.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char place[64];

static void make_place(void) {
    strcpy(place, "/tmp/tb-backups-XXXXXX");
    cr_assert(mkdtemp(place));
}

static void remove_place(void) {
    backups_remove(place);
    cr_assert(access(place, F_OK) != 0);
}

TestSuite(backups, .timeout = 10, .init = make_place, .fini = remove_place);

Test(backups, have_names_that_stay_in_their_place) {
    const char *bad[] = {"",   ".",     "..",  "../one",   "a/b",     ".hidden",
                         "-x", "Upper", "a b", "a.part-1", "\xc3\xa9"};
    char longest[BACKUPS_NAME_MAX + 2];

    cr_assert(backups_name_is_valid("2025-03-05") && backups_name_is_valid("a.b-c.0"));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        cr_assert(!backups_name_is_valid(bad[i]), "%s", bad[i]);
    memset(longest, 'a', sizeof(longest));
    longest[BACKUPS_NAME_MAX] = '\0';
    cr_assert(backups_name_is_valid(longest));
    longest[BACKUPS_NAME_MAX] = 'a';
    longest[BACKUPS_NAME_MAX + 1] = '\0';
    cr_assert(!backups_name_is_valid(longest));
}

Test(backups, are_known_by_a_head_of_no_file) {
    struct head_slot slot = {.sequence = 2, .inode = 7, .machine = {1}, .n_checkpoint = 1};
    char path[128];

    cr_assert(!backups_is_one(place));
    snprintf(path, sizeof(path), "%s/head", place);
    cr_assert(head_create(path, &slot) == 0 && !backups_is_one(place));
    cr_assert(unlink(path) == 0);
    backups_mark(&slot);
    cr_assert(head_create(path, &slot) == 0 && backups_is_one(place));
}

static void make(const char *name) {
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", place, name);
    cr_assert(mkdir(path, 0700) == 0);
}

static bool is_there(const char *name) {
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", place, name);
    return access(path, F_OK) == 0;
}

Test(backups, that_were_cut_off_are_removed_and_no_others) {
    make("backups");
    make("backups/one");
    make("backups/one/ledger");
    make("backups/two.part-01");
    make("backups/two.part-01/ledger");
    backups_clean(place);
    cr_assert(is_there("backups/one/ledger") && !is_there("backups/two.part-01"));
}
