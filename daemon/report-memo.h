/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chapters: what REPORT_CHAPTER_BLOCKS full blocks come to for a report of later years, summed by
 * person and by account, so that history costs a report as much as it has people. Full blocks never
 * change; what was taken back of a chapter's orders does, so that a chapter is good for exactly the
 * same reversals, and is summed anew for others.
 */
#pragma once

#include "report-part.h"

#define REPORT_CHAPTER_BLOCKS 64u

struct fact_zone;

struct report_chapter {
    size_t first_block;
    /* What it is good for. */
    struct report_taken *taken;
    size_t n_taken;
    /* Rows as of sessions: each person's service given, with its earliest day, and each person who
     * received in an exchange, earn or session. Persons as the facts have them. */
    struct report_past *past;
    size_t n_past;
    /* What the lines' own legs left with each account of the facts. */
    struct report_leg *legs;
    size_t n_legs;
    unsigned n_holders;
};

/* What the chapter's zones come to together; false: its blocks are not all full. */
bool report_memo_zone(const struct facts *facts, size_t chapter, struct fact_zone *ret);
/* The chapter, remembered or summed now, of which all must be known; for report_memo_leave(). */
int report_memo_get(const struct report_pick *pick, size_t chapter,
                    struct report_chapter **ret) TB_MUST_CHECK;
void report_memo_leave(const struct report_pick *pick, struct report_chapter *chapter);
