/* SPDX-License-Identifier: Apache-2.0 */
/* Activities. */
#include <errno.h>
#include <string.h>

#include "list.h"

struct each_activity {
    int (*each)(void *user, const struct tb_activity *activity);
    void *user;
};

static int activities_page(struct tb_bank *bank, const Timebank__Response *response, void *user,
                           const char **ret_last, bool *ret_more) {
    const struct each_activity *to = user;
    const Timebank__Activities *page = response->activities;
    if (page->n_tags != page->n_names || page->n_set_by != page->n_names)
        return bank_fail(bank, -EPROTO, "The bank's list of activities cannot be read.");
    for (size_t i = 0; i < page->n_names; i++) {
        struct tb_activity activity = {.name = page->names[i], .tags = page->tags[i]};
        if (page->set_by[i].len == sizeof(activity.set_by))
            memcpy(activity.set_by, page->set_by[i].data, sizeof(activity.set_by));
        int r = to->each(to->user, &activity);
        if (r != 0)
            return r;
        *ret_last = activity.name;
    }
    *ret_more = page->more;
    return 0;
}

int tb_activity_list(struct tb_bank *bank,
                     int (*each)(void *user, const struct tb_activity *activity), void *user) {
    if (!bank || !each)
        return -EINVAL;
    struct each_activity to = {.each = each, .user = user};
    return list_walk(bank, TIMEBANK__REQUEST__BODY_ACTIVITIES, TIMEBANK__RESPONSE__BODY_ACTIVITIES,
                     activities_page, &to);
}
