/* SPDX-License-Identifier: Apache-2.0 */
/* What an order's struct holds of a caller's, and the ids of orders made from files. */
#include "order.h"

#include <errno.h>
#include <string.h>

int order_copy(const struct tb_order *order, struct tb_order *ret) {
    size_t n = order->struct_bytes;
    if (n < offsetof(struct tb_order, kind) + sizeof(order->kind) || n > 4096)
        return -EINVAL;
    struct tb_order copy = TB_ORDER_INIT;
    memcpy(&copy, order, MIN_OF(n, sizeof(copy)));
    copy.struct_bytes = sizeof(copy);
    *ret = copy;
    return 0;
}

int tb_order_id(const struct tb_bank *bank, const char *source, const char *key,
                uint8_t ret_id[TB_ORDER_ID_BYTES]) {
    if (!bank || !source || !key || !ret_id || !bank->ledger_is_known)
        return -EINVAL;
    batch_order_id(&bank->first_ledger_id, source, key, ret_id);
    return 0;
}
