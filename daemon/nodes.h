/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes of the log's tree that proofs asked for lately. The replies to one group ask for nearly the
 * same ones, and each may cost a hundred leaves read and hashed. A perfect subtree of records never
 * changes: what was right once is right for as long as the ledger is open.
 */
#pragma once

#include "proto/hash.h"
#include "store.h"

#define NODES_SLOTS 1024u

struct nodes {
    struct node {
        struct hash hash;
        uint64_t index;
        uint8_t level_plus_1; /* 0: none */
    } slots[NODES_SLOTS];
};

/* A merkle_lookup over these and the store. */
struct nodes_source {
    struct nodes *nodes;
    struct store_read *read;
};
int nodes_lookup(void *source, unsigned level, uint64_t index, struct hash *ret) TB_MUST_CHECK;
