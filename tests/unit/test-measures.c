/* SPDX-License-Identifier: Apache-2.0 */
/* The table of measures, as programs read it. */
#include <criterion/criterion.h>
#include <string.h>

#include "timebank.h"

TestSuite(measures, .timeout = 10);

static void finds(const char *path, const char *key) {
    const struct tb_measure *measure = tb_measure_find(path);
    if (!key)
        cr_assert_null(measure, "%s", path);
    else
        cr_assert(measure && strcmp(measure->key, key) == 0, "%s: %s", path,
                  measure ? measure->key : "nothing");
}

Test(measures, are_found_by_their_path) {
    finds("givers", "givers");
    finds("by_month", "by_month");
    finds("by_month/2024-04", "by_month");
    finds("by_month/2024-04/givers", "by_month/givers");
    finds("by_month/givers", "by_month"); /* a month of that name */
    finds("by_offer/pool/swim", "by_offer");
    finds("by_offer/pool/swim/redeemers", "by_offer/redeemers");
    finds("by_tag/five-ways/connect/entries", "by_tag/entries");
    finds("between_wards/north/south/ties", "between_wards/ties");
    finds("members_opening", "members_opening");
}

Test(measures, are_not_found_by_anything_else) {
    finds(NULL, NULL);
    finds("", NULL);
    finds("/", NULL);
    finds("giver", NULL);
    finds("givers2", NULL);
    finds("givers/", NULL);
    finds("givers/2024-04", NULL);
    finds("by_", NULL);
    finds("by_month/", NULL);
    finds("by_month/2024-04/", NULL);
    finds("measures/givers", NULL);
}

Test(measures, come_in_order_and_say_what_they_are) {
    const struct tb_measure *before = NULL, *breakdown = NULL;
    for (const struct tb_measure *at = tb_measure_next(NULL); at; at = tb_measure_next(at)) {
        const char *stroke = strchr(at->key, '/');
        cr_assert(at->title[0] && at->formula[0], "%s", at->key);
        cr_assert(!before || at->group >= before->group, "%s", at->key);
        if (at->unit == TB_UNIT_TABLE)
            breakdown = at;
        if (stroke) {
            size_t n = (size_t)(stroke - at->key);
            cr_assert(breakdown && strlen(breakdown->key) == n &&
                          memcmp(breakdown->key, at->key, n) == 0,
                      "%s", at->key);
            cr_assert_eq(breakdown->group, at->group);
        } else {
            cr_assert_eq(tb_measure_find(at->key), at);
        }
        before = at;
    }
}
