/* SPDX-License-Identifier: Apache-2.0 */
/* Every programme and who funds it. */
#include "base/bytes.h"
#include "handle-register.h"

static int add_programme(struct register_scan *scan, const struct row *row) {
    const struct state_programme *programme = (const void *)row->value;
    Timebank__RegisterRow *to = register_row(scan, row->key, row->n_key);
    _cleanup_bytes_ struct bytes name = {0};

    if (!to)
        return 0;
    bytes_put(&name, row->key, row->n_key);
    bytes_put_u8(&name, '\0');
    if (name.r < 0)
        return name.r;
    to->what = register_text(scan, "programme");
    to->name = register_text(scan, (const char *)name.data);
    to->account = register_text(scan, programme->funder);
    to->entry = programme->set_by;
    return 0;
}

int register_programmes(struct register_scan *scan) {
    return register_each(scan, STATE_PROGRAMMES, add_programme);
}
