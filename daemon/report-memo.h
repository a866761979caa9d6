/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chapters: what some full blocks come to for a report of later years, summed by person and by
 * account, so that history costs a report as much as it has people. They are so long that a dozen
 * lines come to one person, and cost less than three bytes a line. Full blocks never
 * change; what was taken back of a chapter's orders does, so that a chapter is good for exactly the
 * same reversals, and is summed anew for others. Two chapters side by side make one of the next
 * level, and so on: many years are told as a few. Where dates of service go to and fro, as in a
 * bank that writes down its past, a chapter comes to shares of its lines by those dates.
 */
#pragma once

#include "report-part.h"

struct fact_zone;

#define REPORT_LEG_DAYS 366 /* before the period's last day: older legs may come summed */

struct report_gave {
    uint64_t minutes;
    uint32_t person;
    uint32_t first_day;
};

/* Which of a chapter's lines are summed. */
enum report_share_what {
    SHARE_ALL,
    SHARE_EARLIER,  /* before the previous period */
    SHARE_PREVIOUS, /* in it */
    REPORT_N_SHARES
};
struct report_share {
    enum report_share_what what;
    int64_t from_day; /* dates of service of the rows */
    int64_t to_day;
    int64_t legs_to_day;
};

struct report_chapter {
    /* What it is good for. */
    struct report_share share;
    size_t n_blocks;
    struct report_taken *taken;
    size_t n_taken;
    /* Service given, and who received in an exchange, earn or session: persons of the facts. */
    struct report_gave *gave;
    size_t n_gave;
    uint32_t *received;
    size_t n_received;
    /* What the lines' own legs left with each account of the facts. */
    uint32_t *accounts;
    int64_t *minutes;
    size_t n_accounts;
    unsigned n_holders;
};

/* How many blocks a chapter of these facts has. */
size_t report_memo_blocks(const struct facts *facts);
/* Chapter i of level n is chapters 2 i and 2 i + 1 of the level below. */
#define REPORT_MEMO_LEVELS 8u
/* What the chapter's zones come to together; false: its blocks are not all full. */
bool report_memo_zone(const struct facts *facts, unsigned level, size_t chapter,
                      struct fact_zone *ret);
/* Of these facts and this period only the last one asked for is remembered of each share but ALL.
 */
struct report_share report_memo_share(const struct report_pick *pick, enum report_share_what what);
/* What is taken back of the orders that lie in the zone. */
const struct report_taken *report_memo_taken(const struct report_pick *pick,
                                             const struct fact_zone *zone, size_t *ret_n);
/* The chapter, remembered or summed now, of which all must be known; for report_memo_leave(). */
int report_memo_get(const struct report_pick *pick, enum report_share_what what, unsigned level,
                    size_t chapter, struct report_chapter **ret) TB_MUST_CHECK;
void report_memo_leave(const struct report_pick *pick, struct report_chapter *chapter);
/* Its rows from number at on, as lines of sessions (struct report_past); its legs. At most
 * REPORT_ROWS_MAX; how many. */
size_t report_memo_past(const struct report_pick *pick, const struct report_chapter *chapter,
                        size_t at, bool in_previous, struct report_past *rows);
size_t report_memo_legs(const struct report_chapter *chapter, const struct fact_zone *zone,
                        size_t at, struct report_leg *rows);
