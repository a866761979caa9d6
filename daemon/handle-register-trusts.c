/* SPDX-License-Identifier: Apache-2.0 */
/* Whose claims an account accepts at once, as long as it does; a giver sees who trusts them. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "handle-register.h"

static int add(struct register_scan *scan, const struct row *row) {
    const struct state_trust *trust = (const struct state_trust *)row->value;
    const char *receiver = register_code(scan, be64_get(row->key));
    const char *giver = register_code(scan, be64_get(row->key + 8));
    const char *code = scan->account ? scan->account->code : NULL;
    Timebank__RegisterRow *added;

    if (trust->is_ended || (!register_may_read(scan, receiver) && !register_may_read(scan, giver)))
        return 0;
    if (code && strcmp(code, receiver) != 0 && strcmp(code, giver) != 0)
        return 0;
    added = register_row(scan, row->key, row->n_key);
    if (!added)
        return 0;
    added->account = register_text(scan, receiver);
    added->other = register_text(scan, giver);
    added->entry = trust->set_by;
    return 0;
}

int register_trusts(struct register_scan *scan) {
    return register_each(scan, STATE_TRUSTS, add);
}
