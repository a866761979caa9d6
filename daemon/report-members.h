/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When members' accounts ended, for whoever counts accounts.
 */
#pragma once

#include "report-part.h"

#define REPORT_MEMBERS_NEVER UINT32_MAX

/* Of each of the facts' accounts that go on, the day on which it was closed, settled or erased, or
 * REPORT_MEMBERS_NEVER; the caller's (free()). 0, or -ENOMEM. */
int report_members_ends(const struct report_pick *pick, uint32_t **ret) TB_MUST_CHECK;
