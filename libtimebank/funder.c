/* SPDX-License-Identifier: Apache-2.0 */
/* Funders. */
#include <errno.h>
#include <string.h>

#include "list.h"
#include "reply.h"

static int page_count(struct tb_list *list, const Timebank__Response *response, size_t *ret_n,
                      bool *ret_more) {
    const Timebank__Names *page = response->funders;
    if (page->n_set_by != page->n_names)
        return bank_fail(list->bank, -EPROTO, "The bank's list of funders cannot be read.");
    *ret_n = page->n_names;
    *ret_more = page->more;
    return 0;
}

static int page_item(struct tb_list *list, const Timebank__Response *response, size_t i) {
    const Timebank__Names *page = response->funders;
    struct tb_funder *funder = &list->item.funder;
    *funder = (struct tb_funder){.name = page->names[i]};
    if (page->set_by[i].len == sizeof(funder->set_by))
        memcpy(funder->set_by, page->set_by[i].data, sizeof(funder->set_by));
    return 1;
}

static const char *page_place(_unused_ struct tb_list *list, const Timebank__Response *response,
                              size_t i) {
    return response->funders->names[i];
}

static const struct list_noun noun = {
    .ask = TIMEBANK__REQUEST__BODY_FUNDERS,
    .wants = TIMEBANK__RESPONSE__BODY_FUNDERS,
    .count = page_count,
    .item = page_item,
    .place = page_place,
};

int tb_funder_begin(struct tb_bank *bank, struct tb_list **ret_list) {
    return list_begin(bank, &noun, NULL, ret_list);
}

const struct tb_funder *tb_funder_next(struct tb_list *list) {
    return list_next(list, &noun) ? &list->item.funder : NULL;
}

int tb_funder_list(struct tb_bank *bank, int (*each)(void *user, const struct tb_funder *funder),
                   void *user) {
    struct tb_list *list = NULL;
    const struct tb_funder *funder = NULL;
    int r = each ? tb_funder_begin(bank, &list) : -EINVAL;
    while (r == 0 && (funder = tb_funder_next(list)))
        r = each(user, funder);
    return list_finish(list, r);
}
