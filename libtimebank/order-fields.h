/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a tb_order each field stands that only some kinds have. */
#pragma once

#include "bank.h"

struct order_field {
    const char *message; /* of timebank.proto; NULL: wherever the name occurs */
    const char *name;    /* of its field */
    size_t at;           /* in struct tb_order */
    size_t n_at;         /* a list: where its count stands; else 0 */
    bool may_lack;       /* a list that may be left out beside others of the same count */
};

/* Every field of every kind has one. A row for the very message comes before one for all. */
const struct order_field *order_field_find(const ProtobufCMessageDescriptor *message,
                                           const char *name);
/* A sub-message's list of texts that is one text with spaces here. */
bool order_field_is_tags(const struct order_field *field);
