/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for somebody, or for a day: of everybody for brokers, else of one's own account. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "handle-register.h"
#include "rules.h"

static bool concerns(const struct register_scan *scan, const struct state_pending *pending) {
    const char *code = scan->account ? scan->account->code : NULL;

    if (!register_may_read(scan, pending->from) && !register_may_read(scan, pending->to))
        return false;
    return !code || strcmp(code, pending->from) == 0 || strcmp(code, pending->to) == 0;
}

static int add(void *user, uint64_t entry) {
    struct register_scan *scan = user;
    const struct state_pending *pending;
    const struct pending_kind *kind;
    Timebank__RegisterRow *row;
    uint8_t key[8];
    int r = 0;

    be64_put(key, entry);
    pending = state_get(scan->state, STATE_PENDINGS, key, sizeof(key), &r);
    if (!pending)
        return r < 0 ? r : -EUCLEAN;
    kind = kind_find_pending((enum state_pending_what)pending->what);
    if (!kind || !concerns(scan, pending))
        return kind ? 0 : -EUCLEAN;
    row = register_row(scan, key, sizeof(key));
    if (!row)
        return 0;
    row->what = register_text(scan, kind->name);
    row->account = register_text(scan, pending->from);
    row->other = register_text(scan, pending->to);
    row->entry = entry;
    row->other_entry = pending->entry;
    row->minutes = (int64_t)pending->minutes;
    row->due_ms = pending->due_ms;
    if (pending->what == PENDING_PLEDGE)
        row->count = state_account(scan->state, pending->to)->owed_minutes;
    return 0;
}

int register_pending(struct register_scan *scan) {
    return state_due_each(scan->state, add, scan);
}
