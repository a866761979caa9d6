/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: all of them, with their values now. */
#include <errno.h>
#include <string.h>

#include "list.h"
#include "reply.h"

static int page_count(struct tb_list *list, const Timebank__Response *response, size_t *ret_n,
                      bool *ret_more) {
    const Timebank__Policies *page = response->policies;
    if (page->n_values != page->n_names || page->n_helps != page->n_names)
        return bank_fail(list->bank, -EPROTO, "The bank's list of policies cannot be read.");
    *ret_n = page->n_names;
    *ret_more = false;
    return 0;
}

static int page_item(struct tb_list *list, const Timebank__Response *response, size_t i) {
    const Timebank__Policies *page = response->policies;
    list->item.policy = (struct tb_policy){
        .name = page->names[i],
        .value = page->values[i],
        .help = page->helps[i],
    };
    return 1;
}

static const struct list_noun noun = {
    .ask = TIMEBANK__REQUEST__BODY_POLICIES,
    .wants = TIMEBANK__RESPONSE__BODY_POLICIES,
    .count = page_count,
    .item = page_item,
};

int tb_policy_begin(struct tb_bank *bank, struct tb_list **ret_list) {
    return list_begin(bank, &noun, NULL, ret_list);
}

const struct tb_policy *tb_policy_next(struct tb_list *list) {
    return list_next(list, &noun) ? &list->item.policy : NULL;
}

int tb_policy_list(struct tb_bank *bank, int (*each)(void *user, const struct tb_policy *policy),
                   void *user) {
    struct tb_list *list = NULL;
    const struct tb_policy *policy = NULL;
    int r = each ? tb_policy_begin(bank, &list) : -EINVAL;
    while (r == 0 && (policy = tb_policy_next(list)))
        r = each(user, policy);
    return list_finish(list, r);
}
