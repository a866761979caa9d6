/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that come in pages, item by item. */
#pragma once

#include "call.h"

struct list_noun {
    Timebank__Request__BodyCase ask;
    Timebank__Response__BodyCase wants;
    /* Judges a page's shape and counts its items. */
    int (*count)(struct tb_list *list, const Timebank__Response *response, size_t *ret_n,
                 bool *ret_more);
    /* Fills list->item; 0 leaves the item out, 1 keeps it; a failure ends the list. */
    int (*item)(struct tb_list *list, const Timebank__Response *response, size_t i);
    /* What the page after this item begins after, where pages go by name. */
    const char *(*place)(struct tb_list *list, const Timebank__Response *response, size_t i);
};

struct tb_list {
    struct tb_bank *bank;
    const struct list_noun *noun;
    struct tb_call *call; /* the page */
    bool is_read;         /* the page is there, and counted */
    size_t n;
    size_t i;
    bool more;
    bool has_item;    /* read, and not handed out yet */
    char *after;      /* lists by name: the last one */
    uint64_t before;  /* statements, journals: the last entry */
    uint64_t reached; /* journals: the last record looked at */
    uint64_t at_size; /* their position, and its root as the first page gave it */
    uint8_t root[32];
    char *of; /* a venue, an account; or NULL */
    struct tb_register_ask ask;
    enum tb_register table;
    struct bytes mark; /* the register: of the last row */
    int r;
    char message[BANK_MESSAGE_BYTES];
    union {
        struct tb_balance balance;
        struct tb_activity activity;
        struct tb_offer offer;
        struct tb_policy policy;
        struct tb_funder funder;
        struct tb_key key;
        struct tb_statement_line line;
        struct tb_journal_entry entry;
        struct tb_register_row row;
    } item;
};

/* of: whose; may be NULL. */
int list_begin(struct tb_bank *bank, const struct list_noun *noun, const char *of,
               struct tb_list **ret_list) TB_MUST_CHECK;
/* The same of a journal, at a position. */
int list_begin_at(struct tb_bank *bank, const struct list_noun *noun, uint64_t at_size,
                  struct tb_list **ret_list) TB_MUST_CHECK;
/* The same of a table of the register. */
int list_begin_register(struct tb_bank *bank, const struct list_noun *noun, enum tb_register table,
                        const struct tb_register_ask *ask, struct tb_list **ret_list) TB_MUST_CHECK;
/* Whether list->item is the next one; waits for its page. */
bool list_next(struct tb_list *list, const struct list_noun *noun);
/* Ends a list that was walked, or not even begun (NULL): r where that is not 0, else the list's
 * outcome. */
int list_finish(struct tb_list *list, int r);
