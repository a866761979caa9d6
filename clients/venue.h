/* SPDX-License-Identifier: Apache-2.0 */
/* A venue's return: its lines, each an offer with its heads and time. */
#pragma once

#include "client.h"

#define VENUE_LINES_MAX 500

struct venue_return {
    struct client *client;
    size_t n;
    char *offers[VENUE_LINES_MAX]; /* owned */
    uint64_t heads[VENUE_LINES_MAX];
    uint64_t minutes[VENUE_LINES_MAX];
};

/* Adds to an offer's line, which is new with new_line. A library result. */
int venue_return_add(struct venue_return *lines, const char *offer, uint64_t heads,
                     uint64_t minutes, bool new_line);
void venue_return_fini(struct venue_return *lines);
/* venue-file.c: the venue's own figures, of a CSV file with the columns offer, heads and time. What
 * cannot be read is told with its line; exit status. */
int venue_return_file(struct venue_return *lines, const char *path);
