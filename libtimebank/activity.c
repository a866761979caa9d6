/* SPDX-License-Identifier: Apache-2.0 */
/* Activities. */
#include <errno.h>
#include <string.h>

#include "list.h"
#include "reply.h"

static int page_count(struct tb_list *list, const Timebank__Response *response, size_t *ret_n,
                      bool *ret_more) {
    const Timebank__Activities *page = response->activities;
    if (page->n_tags != page->n_names || page->n_set_by != page->n_names)
        return bank_fail(list->bank, -EPROTO, "The bank's list of activities cannot be read.");
    *ret_n = page->n_names;
    *ret_more = page->more;
    return 0;
}

static int page_item(struct tb_list *list, const Timebank__Response *response, size_t i) {
    const Timebank__Activities *page = response->activities;
    struct tb_activity *activity = &list->item.activity;
    *activity = (struct tb_activity){.name = page->names[i], .tags = page->tags[i]};
    if (page->set_by[i].len == sizeof(activity->set_by))
        memcpy(activity->set_by, page->set_by[i].data, sizeof(activity->set_by));
    return 1;
}

static const char *page_place(_unused_ struct tb_list *list, const Timebank__Response *response,
                              size_t i) {
    return response->activities->names[i];
}

static const struct list_noun noun = {
    .ask = TIMEBANK__REQUEST__BODY_ACTIVITIES,
    .wants = TIMEBANK__RESPONSE__BODY_ACTIVITIES,
    .count = page_count,
    .item = page_item,
    .place = page_place,
};

int tb_activity_begin(struct tb_bank *bank, struct tb_list **ret_list) {
    return list_begin(bank, &noun, NULL, ret_list);
}

const struct tb_activity *tb_activity_next(struct tb_list *list) {
    return list_next(list, &noun) ? &list->item.activity : NULL;
}

int tb_activity_list(struct tb_bank *bank,
                     int (*each)(void *user, const struct tb_activity *activity), void *user) {
    struct tb_list *list = NULL;
    const struct tb_activity *activity = NULL;
    int r = each ? tb_activity_begin(bank, &list) : -EINVAL;
    while (r == 0 && (activity = tb_activity_next(list)))
        r = each(user, activity);
    return list_finish(list, r);
}
