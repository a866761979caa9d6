/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank: what a person types. Reads the options before the verb and the environment, and leaves
 * the rest to verbs.c. What could not be written out is told, so that no full disk looks like
 * success.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "verbs.h"

enum {
    OPTION_BANK = 1,
    OPTION_KEY,
    OPTION_LEDGER,
    OPTION_DEADLINE,
    OPTION_JSON,
    OPTION_VERSION,
    OPTION_HELP
};

static const struct option longs[] = {
    {"bank", required_argument, NULL, OPTION_BANK},
    {"key", required_argument, NULL, OPTION_KEY},
    {"ledger", required_argument, NULL, OPTION_LEDGER},
    {"deadline", required_argument, NULL, OPTION_DEADLINE},
    {"json", no_argument, NULL, OPTION_JSON},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static int deadline_read(struct client *client, const char *text) {
    char *end;
    double seconds = strtod(text, &end);
    if (end != text && !*end && seconds >= 0.001 && seconds <= 3600) {
        client->deadline_ms = (uint32_t)(seconds * 1000);
        return CLIENT_DONE;
    }
    client_line(stderr, "--deadline takes seconds, up to 3600; \"%s\" is no such number.", text);
    return CLIENT_USAGE;
}

static int option_take(struct client *client, int option, char **argv) {
    switch (option) {
    case OPTION_BANK:
        client->address = optarg;
        return CLIENT_DONE;
    case OPTION_KEY:
        client->key = optarg;
        return CLIENT_DONE;
    case OPTION_LEDGER:
        client->ledger = optarg;
        return CLIENT_DONE;
    case OPTION_DEADLINE:
        return deadline_read(client, optarg);
    case OPTION_JSON:
        client->json = true;
        return CLIENT_DONE;
    case ':':
        client_line(stderr, "%s needs a value after it: see timebank --help.", argv[optind - 1]);
        return CLIENT_USAGE;
    default:
        if (optopt > ' ')
            client_line(stderr, "There is no option -%c: see timebank --help.", optopt);
        else
            client_line(stderr, "There is no option %s before the verb: see timebank --help.",
                        argv[optind - 1]);
        return CLIENT_USAGE;
    }
}

static int run(struct client *client, int argc, char **argv) {
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "+:", longs, NULL)) != -1;) {
        if (option == OPTION_HELP) {
            verbs_help(stdout);
            return CLIENT_DONE;
        }
        if (option == OPTION_VERSION) {
            client_line(stdout, "timebank %s", tb_version());
            return CLIENT_DONE;
        }
        int r = option_take(client, option, argv);
        if (r != CLIENT_DONE)
            return r;
    }
    if (optind == argc) {
        verbs_help(stderr);
        return CLIENT_USAGE;
    }
    return verbs_run(client, argc - optind, argv + optind);
}

int main(int argc, char **argv) {
    struct client client = {
        .address = setting("TIMEBANK"),
        .key = setting("TIMEBANK_KEY"),
        .ledger = setting("TIMEBANK_LEDGER"),
        .policy_file = setting("TIMEBANK_POLICY"),
    };
    int status = run(&client, argc, argv);
    client_fini(&client);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        client_line(stderr, "The output could not be written: %s", strerror(errno));
        return CLIENT_BROKEN;
    }
    return status;
}
