/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a verb's options. It promises that a slip is told as a sentence with the way to help, that
 * no option is taken twice, and that words may stand before, between and after options. A word that
 * begins with '-' can follow "--".
 */
#include "options.h"

#include <assert.h>
#include <getopt.h>
#include <string.h>

#define OPTIONS_MAX 24

static int value_take(const struct verb *verb, const struct options_one *one, char *value) {
    if (one->flag) {
        *one->flag = true;
        return CLIENT_DONE;
    }
    if (one->list) {
        if (one->list->n == OPTIONS_LIST_MAX)
            return client_usage(verb, "--%s was given more than %d times.", one->name,
                                OPTIONS_LIST_MAX);
        one->list->items[one->list->n++] = value;
        return CLIENT_DONE;
    }
    if (*one->text)
        return client_usage(verb, "--%s was given twice: give it once.", one->name);
    *one->text = value;
    return CLIENT_DONE;
}

static int all_take(const struct verb *verb, int argc, char **argv,
                    const struct options_one *options, const struct option *longs) {
    optind = 0;
    opterr = 0;
    for (;;) {
        int index = 0;
        int c = getopt_long(argc, argv, ":", longs, &index);
        if (c == -1)
            return CLIENT_DONE;
        if (c == ':')
            return client_usage(verb, "%s needs a value after it.", argv[optind - 1]);
        if (c != 0 && optopt > ' ')
            return client_usage(verb, "There is no option -%c here.", optopt);
        if (c != 0)
            return client_usage(verb, "There is no option %s here.", argv[optind - 1]);
        int r = value_take(verb, &options[index], optarg);
        if (r != CLIENT_DONE)
            return r;
    }
}

/* Of a verb without options: "-60" is a word then, without "--" before it. */
static int words_take(const struct verb *verb, int *argc, char **argv) {
    bool all = false;
    int n = 1;
    for (int i = 1; i < *argc; i++) {
        bool number = argv[i][0] == '-' && argv[i][1] >= '0' && argv[i][1] <= '9';
        if (all || argv[i][0] != '-' || number)
            argv[n++] = argv[i];
        else if (strcmp(argv[i], "--") == 0)
            all = true;
        else
            return client_usage(verb, "There is no option %s here.", argv[i]);
    }
    argv[n] = NULL;
    *argc = n;
    optind = 1;
    return CLIENT_DONE;
}

int options_read_many(const struct verb *verb, int argc, char **argv,
                      const struct options_one *options, int words_min, char ***ret_words,
                      int *ret_n_words) {
    struct option longs[OPTIONS_MAX + 1] = {0};
    int r = CLIENT_DONE;
    for (size_t i = 0; options[i].name; i++) {
        assert(i < OPTIONS_MAX);
        longs[i].name = options[i].name;
        longs[i].has_arg = options[i].flag ? no_argument : required_argument;
    }
    if (options[0].name)
        r = all_take(verb, argc, argv, options, longs);
    else
        r = words_take(verb, &argc, argv);
    if (r != CLIENT_DONE)
        return r;
    if (argc - optind < words_min)
        return client_usage(verb, "Something is missing after \"timebank %s\".", verb->name);
    *ret_words = argv + optind;
    *ret_n_words = argc - optind;
    return CLIENT_DONE;
}

int options_read(const struct verb *verb, int argc, char **argv, const struct options_one *options,
                 int words_min, int words_max, char **words) {
    char **found;
    int n_found;
    int r = options_read_many(verb, argc, argv, options, words_min, &found, &n_found);
    if (r != CLIENT_DONE)
        return r;
    if (n_found > words_max)
        return client_usage(verb,
                            "\"%s\" is one word too many: put text of several words in quotes.",
                            found[words_max]);
    for (int i = 0; i < words_max; i++)
        words[i] = i < n_found ? found[i] : NULL;
    return CLIENT_DONE;
}
