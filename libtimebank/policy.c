/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: all of them, with their values now. */
#include <errno.h>

#include "list.h"

struct each_policy {
    int (*each)(void *user, const struct tb_policy *policy);
    void *user;
};

static int policies_page(struct tb_bank *bank, const Timebank__Response *response, void *user,
                         _unused_ const char **ret_last, _unused_ bool *ret_more) {
    const struct each_policy *to = user;
    const Timebank__Policies *page = response->policies;
    if (page->n_values != page->n_names || page->n_helps != page->n_names)
        return bank_fail(bank, -EPROTO, "The bank's list of policies cannot be read.");
    for (size_t i = 0; i < page->n_names; i++) {
        struct tb_policy policy = {
            .name = page->names[i],
            .value = page->values[i],
            .help = page->helps[i],
        };
        int r = to->each(to->user, &policy);
        if (r != 0)
            return r;
    }
    return 0;
}

int tb_policy_list(struct tb_bank *bank, int (*each)(void *user, const struct tb_policy *policy),
                   void *user) {
    if (!bank || !each)
        return -EINVAL;
    struct each_policy to = {.each = each, .user = user};
    return list_walk(bank, TIMEBANK__REQUEST__BODY_POLICIES, TIMEBANK__RESPONSE__BODY_POLICIES,
                     policies_page, &to);
}
