/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libtimebank's words for the figures of a report: what each of them is, in the one table that the
 * bank, the manual and the pages share.
 *
 * Part of timebank.h, which is the header to include.
 */
#ifndef TIMEBANK_MEASURE_H
#define TIMEBANK_MEASURE_H

#ifdef __cplusplus
extern "C" {
#endif

/* What a figure of the report is (timebank(1), MEASURES), by the object that holds it. */
enum tb_measure_group {
    TB_MEASURES_MEASURES,
    TB_MEASURES_FURTHER,     /* further_measures */
    TB_MEASURES_OF_REGISTER, /* register_measures */
};
enum tb_unit {
    TB_UNIT_TABLE, /* a breakdown: names, and columns that have lines of their own */
    TB_UNIT_MINUTES,
    TB_UNIT_COUNT,
    TB_UNIT_DAYS,
    TB_UNIT_PERMILLE,    /* a share, of 1000 */
    TB_UNIT_THOUSANDTHS, /* a figure times 1000 */
    TB_UNIT_PER_MILLION, /* a share, of 1000000 */
};
struct tb_measure {
    enum tb_measure_group group;
    enum tb_unit unit;
    const char *key;     /* "givers"; a column: "by_month/givers" */
    const char *title;   /* as people read it */
    const char *formula; /* its one definition */
};
/* Of "givers", "by_month", "by_month/2024-04" (the breakdown's) or "by_month/2024-04/givers" (the
 * column's). NULL: there is none. */
const struct tb_measure *tb_measure_find(const char *path);
/* The one after it in the order of the report; NULL: the first, and after the last NULL. */
const struct tb_measure *tb_measure_next(const struct tb_measure *measure);

#ifdef __cplusplus
}
#endif

#endif
