/* SPDX-License-Identifier: Apache-2.0 */
/* The settings: defaults within their bounds, files read line by line, slips named by their line.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "daemon/settings.h"
#include "helpers.h"

TestSuite(settings, .timeout = 30);

static char why[300];

static int read_text(struct settings *settings, const char *text) {
    char directory[64], path[100];
    scratch_make(directory);
    scratch_write(directory, "timebankd.conf", text, strlen(text));
    snprintf(path, sizeof(path), "%s/timebankd.conf", directory);
    why[0] = '\0';
    int r = settings_read(settings, path, why, sizeof(why));
    scratch_remove(directory);
    return r;
}

Test(settings, begin_with_their_defaults_which_lie_within_their_bounds) {
    struct settings settings;
    settings_init(&settings);
#define SETTING(name, unit, otherwise, min, max, help)                                             \
    cr_assert(settings.name == (otherwise));                                                       \
    cr_assert(settings.name - (min) <= (uint64_t)(max) - (min));                                   \
    cr_assert(strlen(help) > 5);
#include "daemon/settings.def"
#undef SETTING
}

Test(settings, take_both_bounds_and_nothing_beyond) {
    struct settings settings;
    char value[32];
    settings_init(&settings);
#define SETTING(name, unit, otherwise, min, max, help)                                             \
    snprintf(value, sizeof(value), "%llu", (unsigned long long)(min));                             \
    cr_assert(settings_set(&settings, #name, value, why, sizeof(why)) == 0 &&                      \
              settings.name == (min));                                                             \
    snprintf(value, sizeof(value), "%llu", (unsigned long long)(max));                             \
    cr_assert(settings_set(&settings, #name, value, why, sizeof(why)) == 0 &&                      \
              settings.name == (max));                                                             \
    snprintf(value, sizeof(value), "%llu", (unsigned long long)(max) + 1);                         \
    cr_assert(settings_set(&settings, #name, value, why, sizeof(why)) == -EINVAL);                 \
    cr_assert(settings.name == (max) && strstr(why, #name));
#include "daemon/settings.def"
#undef SETTING
}

Test(settings, take_whole_numbers_only) {
    static const char *const bad[] = {"",    "-1",  "+5", " 5",  "5 ",
                                      "1.5", "0x5", "5k", "one", "99999999999999999999"};
    struct settings settings;
    settings_init(&settings);
    for (size_t i = 0; i < N_ELEMENTS(bad); i++)
        cr_assert(settings_set(&settings, "reports", bad[i], why, sizeof(why)) == -EINVAL, "%s",
                  bad[i]);
    cr_assert(settings_set(&settings, "colour", "1", why, sizeof(why)) == -EINVAL);
    cr_assert(strstr(why, "there is no setting colour"));
}

Test(settings, read_lines_comments_and_blanks) {
    struct settings settings;
    settings_init(&settings);
    cr_assert(read_text(&settings, "# a comment\n\nreports 4\n\treserve_mib\t0  # none\r\n"
                                   "page_entries 10") == 0,
              "%s", why);
    cr_assert_eq(settings.reports, 4);
    cr_assert_eq(settings.reserve_mib, 0);
    cr_assert_eq(settings.page_entries, 10);
    cr_assert(read_text(&settings, "") == 0);
}

Test(settings, name_the_line_of_a_slip) {
    struct settings settings;
    settings_init(&settings);
    cr_assert(read_text(&settings, "reports 4\n\nreports many\n") == -EINVAL);
    cr_assert(strstr(why, "line 3") && strstr(why, "from 1 to 64"), "%s", why);
    cr_assert(read_text(&settings, "reports\n") == -EINVAL);
    cr_assert(strstr(why, "line 1"), "%s", why);
    cr_assert(read_text(&settings, "reports 4 5\n") == -EINVAL);
    cr_assert(read_text(&settings, "reports=4\n") == -EINVAL);
}

Test(settings, say_which_file_cannot_be_read) {
    struct settings settings;
    settings_init(&settings);
    cr_assert(settings_read(&settings, "/nonexistent/timebankd.conf", why, sizeof(why)) == -ENOENT);
    cr_assert(strstr(why, "/nonexistent/timebankd.conf cannot be read"));
}

Test(settings, print_every_name) {
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    settings_print(to);
    fclose(to);
#define SETTING(name, unit, otherwise, min, max, help)                                             \
    cr_assert(strstr(text, #name " ") && strstr(text, help), "%s", #name);
#include "daemon/settings.def"
#undef SETTING
    free(text);
}

Test(settings, become_a_banks_in_bytes) {
    struct settings settings;
    settings_init(&settings);
    struct bank_settings bank = settings_for_bank(&settings);
    cr_assert_eq(bank.log.map_bytes, settings.map_mib * 1024 * 1024);
    cr_assert_eq(bank.log.reserve_bytes, settings.reserve_mib * 1024 * 1024);
    cr_assert_eq(bank.people_map_bytes, settings.people_map_mib * 1024 * 1024);
    cr_assert_eq(bank.batch_orders, settings.batch_orders);
}
