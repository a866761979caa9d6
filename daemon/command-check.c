/* SPDX-License-Identifier: Apache-2.0 */
/* timebankd check: offline, of a ledger that nobody serves. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "commands.h"
#include "say.h"
#include "settings.h"

static int lock(const char *directory, int *ret_fd) {
    int r = bank_lock(directory, ret_fd);

    if (r == -EWOULDBLOCK)
        say("%s is being served: stop timebankd first, or ask it with timebank status", directory);
    else if (r < 0)
        say("%s is no ledger: %s", directory, strerror(-r));
    return r < 0 ? EXIT_REFUSED : EXIT_DONE;
}

/* The configuration's map size matters only if the file is larger than the default. */
static void read_settings(const char *directory, struct settings *settings) {
    _cleanup_(freep) char *path = NULL;
    char why[512];

    settings_init(settings);
    if (asprintf(&path, "%s/timebankd.conf", directory) < 0 || access(path, F_OK) < 0)
        return;
    if (settings_read(settings, path, why, sizeof(why)) < 0)
        say("%s; checking with the default settings", why);
}

int command_check(int argc, char **argv) {
    static const struct option options[] = {{"full", no_argument, NULL, 'f'}, {0}};
    struct bank_settings bank_settings;
    struct check_result result = {0};
    struct settings settings;
    _cleanup_(closep) int fd = -1;
    bool is_full = false;
    int option, r;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option != 'f')
            return EXIT_USAGE;
        is_full = true;
    }
    if (optind + 1 != argc) {
        say("usage: timebankd check DIR [--full]");
        return EXIT_USAGE;
    }
    r = lock(argv[optind], &fd);
    if (r != EXIT_DONE)
        return r;
    read_settings(argv[optind], &settings);
    bank_settings = settings_for_bank(&settings);
    r = check_ledger(argv[optind], &bank_settings, is_full, stdout, &result);
    if (r < 0) {
        printf(
            "the ledger in %s is NOT sound: keep it as it is, and make a ledger of a backup with "
            "timebankd restore\n",
            argv[optind]);
        return EXIT_BROKEN;
    }
    printf("sound: %llu records", (unsigned long long)result.size);
    if (result.has_counts)
        printf(", %llu accounts, %llu entries", (unsigned long long)result.n_accounts,
               (unsigned long long)result.n_entries);
    printf("; root %s%s\n", result.root,
           !is_full            ? ""
           : result.has_tables ? "; the rules replayed from record 0 agree with every table"
                               : "; the rules replayed from record 0 agree");
    if (result.n_facts_faults == 0)
        return EXIT_DONE;
    printf("but the facts of its reports are not what the log says: delete %s/facts, and the next "
           "report makes them anew\n",
           argv[optind]);
    return EXIT_REFUSED;
}
