/* SPDX-License-Identifier: Apache-2.0 */
/* Reports that left the bank, by entry. An evaluator's key sees those of the classes that it gets.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "handle-register.h"
#include "rules.h"

static bool may_see(const struct register_scan *scan, const struct state_release *release) {
    const struct ledger_author *who = &scan->call->who;

    return who->role != TIMEBANK__ROLE__EVALUATOR ||
           rules_release_is_within(who->report_class, (Timebank__ReportClass)release->report_class);
}

static int add(struct register_scan *scan, const struct row *row) {
    const struct state_release *release = (const void *)row->value;
    Timebank__RegisterRow *to;

    if (!may_see(scan, release))
        return 0;
    to = register_row(scan, row->key, row->n_key);
    if (!to)
        return 0;
    to->what = register_text(
        scan, release->report_class == TIMEBANK__REPORT_CLASS__FOR_PUBLIC ? "public" : "funder");
    to->entry = be64_get(row->key);
    to->other_entry = release->size;
    to->from_day = release->from_day;
    to->to_day = release->to_day;
    to->count = release->known_day;
    to->flag = release->as_recorded;
    to->key.data = arena_alloc(scan->call->arena, HASH_BYTES);
    if (!to->key.data)
        return -ENOMEM;
    memcpy(to->key.data, release->checksum, HASH_BYTES);
    to->key.len = HASH_BYTES;
    return 0;
}

int register_releases(struct register_scan *scan) {
    return register_each(scan, STATE_RELEASES, add);
}
