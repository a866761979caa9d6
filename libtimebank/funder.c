/* SPDX-License-Identifier: Apache-2.0 */
/* Funders. */
#include <errno.h>
#include <string.h>

#include "list.h"

struct each_funder {
    int (*each)(void *user, const struct tb_funder *funder);
    void *user;
};

static int funders_page(struct tb_bank *bank, const Timebank__Response *response, void *user,
                        const char **ret_last, bool *ret_more) {
    const struct each_funder *to = user;
    const Timebank__Names *page = response->funders;
    if (page->n_set_by != page->n_names)
        return bank_fail(bank, -EPROTO, "The bank's list of funders cannot be read.");
    for (size_t i = 0; i < page->n_names; i++) {
        struct tb_funder funder = {.name = page->names[i]};
        if (page->set_by[i].len == sizeof(funder.set_by))
            memcpy(funder.set_by, page->set_by[i].data, sizeof(funder.set_by));
        int r = to->each(to->user, &funder);
        if (r != 0)
            return r;
        *ret_last = funder.name;
    }
    *ret_more = page->more;
    return 0;
}

int tb_funder_list(struct tb_bank *bank, int (*each)(void *user, const struct tb_funder *funder),
                   void *user) {
    if (!bank || !each)
        return -EINVAL;
    struct each_funder to = {.each = each, .user = user};
    return list_walk(bank, TIMEBANK__REQUEST__BODY_FUNDERS, TIMEBANK__RESPONSE__BODY_FUNDERS,
                     funders_page, &to);
}
