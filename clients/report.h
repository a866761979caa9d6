/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the ways of asking for a report share: reading the question, and getting the bank's own
 * bytes. Each further way (--layout, --compare, --why) is a file of its own that report.c calls.
 */
#pragma once

#include "client.h"

/* The options of timebank report as typed; NULL or false where not given. */
struct report_options {
    char *from;
    char *to;
    char *as_known_at;
    char *at;
    char *class;
    char *format;
    char *rates;
    char *read;
    char *compare;
    char *layout;
    char *out;
    bool as_recorded;
    bool release;
    bool all;
};

/* Reads --from, --to, --as-known-at, --at, --as-recorded and --class. Exit status, told. */
int report_ask_read(struct client *client, const struct report_options *options,
                    struct tb_report_ask *ask);
/* internal, funder or public; false where it is none of them. */
bool report_class_read(const char *name, enum tb_report_class *ret_class);
/* A report kept as JSON, in place of asking the bank; the caller's (free()). Exit status, told. */
int report_file_read(struct client *client, const char *path, char **ret_json);
/* Opens the bank and asks; the caller's (free()). Exit status, told. */
int report_fetch(struct client *client, const struct tb_report_ask *ask, char **ret_json);
/* What an evaluator's key asks beside the figures is about a report that left the bank: sees to
 * that, and puts its position and cut-off into the question. Exit status, told. */
int report_release_first(struct client *client, struct tb_report_ask *ask);
/* report-compare.c: why figures differ from those of a report that was kept. Exit status, told. */
int report_compare(struct client *client, const struct report_options *options);
