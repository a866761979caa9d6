/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of a verb as a table, read by getopt_long: options and words in any order, each
 * option once unless it is a list.
 */
#pragma once

#include "client.h"

#define OPTIONS_LIST_MAX 64

struct options_list {
    size_t n;
    const char *items[OPTIONS_LIST_MAX];
};

/* One option; exactly one of text, flag and list is set. What they point at starts out empty. */
struct options_one {
    const char *name;
    char **text;
    bool *flag;
    struct options_list *list;
};

#define OPTION_TEXT(option_name, place)                                                            \
    { .name = (option_name), .text = (place) }
#define OPTION_FLAG(option_name, place)                                                            \
    { .name = (option_name), .flag = (place) }
#define OPTION_LIST(option_name, place)                                                            \
    { .name = (option_name), .list = (place) }
#define OPTION_END                                                                                 \
    { .name = NULL }

/* options ends with a NULL name. Between words_min and words_max words must be left; words[0] to
 * words[words_max - 1] get them, NULL where there is none (words may be NULL where words_max is 0).
 * What is wrong is told; CLIENT_DONE or CLIENT_USAGE. */
int options_read(const struct verb *verb, int argc, char **argv, const struct options_one *options,
                 int words_min, int words_max, char **words);
/* The same, for any number of words from words_min up: *ret_words is the part of argv that holds
 * them. */
int options_read_many(const struct verb *verb, int argc, char **argv,
                      const struct options_one *options, int words_min, char ***ret_words,
                      int *ret_n_words);
