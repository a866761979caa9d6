/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an hour is reckoned at in money, by whoever writes a report: a table of theirs, with its
 * source and year. An estimate stands beside the hours and never comes into the ledger; there is no
 * rate of our own. Exact, in hundredths of the currency.
 */
#pragma once

#include "client.h"

#define RATES_MAX 32
#define RATES_TEXT_BYTES 200

struct rate {
    char name[RATES_TEXT_BYTES];
    int64_t hour_hundredths;
    char currency[4]; /* "GBP" */
    uint32_t year;
    char source[RATES_TEXT_BYTES];
};

struct rates {
    size_t n;
    struct rate items[RATES_MAX];
};

/* Reads a CSV file with the columns name, rate, currency, year, source (timebank(1), FILES). Exit
 * status; what is wrong is told with its line. */
int rates_read(struct client *client, const char *path, struct rates *ret);
/* NULL: there is none of that name. */
const struct rate *rates_find(const struct rates *rates, const char *name);
/* Minutes (10^12 at most) at a rate, in hundredths, to the nearest; halves up. */
int64_t rates_money(const struct rate *rate, int64_t minutes);
