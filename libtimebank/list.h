/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that come in pages. */
#pragma once

#include "bank.h"
#include "call.h"

/* Hands the items of one page out; *ret_last is the name the next page begins after, NULL for an
 * empty page. Another value than 0 ends the list. */
typedef int (*list_page)(struct tb_bank *bank, const Timebank__Response *response, void *user,
                         const char **ret_last, bool *ret_more);

/* Asks for page after page of a list until there is no more. */
int list_walk(struct tb_bank *bank, Timebank__Request__BodyCase ask,
              Timebank__Response__BodyCase body, list_page page, void *user) TB_MUST_CHECK;
