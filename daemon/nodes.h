/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes of the log's tree that proofs asked for lately, and roots of the sizes that batches named.
 * The replies to one group ask for nearly the same nodes, and its orders were sent under a few
 * heads; each may cost hundreds of leaves read and hashed. A perfect subtree of records and the
 * tree over the first so many never change: what was right once is right for as long as the ledger
 * is open.
 */
#pragma once

#include "proto/hash.h"
#include "store.h"

#define NODES_SLOTS 1024u
#define NODES_ROOTS 256u

struct nodes {
    struct node {
        struct hash hash;
        uint64_t index;
        uint8_t level_plus_1; /* 0: none */
    } slots[NODES_SLOTS];
    struct {
        struct hash hash;
        uint64_t size; /* 0: none */
    } roots[NODES_ROOTS];
};

/* A merkle_lookup over these and the store. */
struct nodes_source {
    struct nodes *nodes;
    struct store_read *read;
};
int nodes_lookup(void *source, unsigned level, uint64_t index, struct hash *ret) TB_MUST_CHECK;
/* The root of the tree over so many records; -EUCLEAN where there are not. */
int nodes_root(struct nodes_source *source, uint64_t size, struct hash *ret) TB_MUST_CHECK;
