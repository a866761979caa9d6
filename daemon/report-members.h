/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When persons joined and members' accounts ended, for whoever counts them.
 */
#pragma once

#include "report-part.h"

#define REPORT_MEMBERS_NEVER UINT32_MAX

/* Of each of the facts' accounts that go on, the day on which it was closed, settled or erased, or
 * REPORT_MEMBERS_NEVER; the caller's (free()). 0, or -ENOMEM. */
int report_members_ends(const struct report_pick *pick, uint32_t **ret) TB_MUST_CHECK;
/* Sets the joined_day of members among the persons. 0, or -ENOMEM. */
int report_members_joined(const struct report_pick *pick,
                          struct report_person *persons) TB_MUST_CHECK;
