/* SPDX-License-Identifier: Apache-2.0 */
/* timebankd: argv to a command, a command to an exit status. */
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "commands.h"
#include "say.h"

#define LARGE_BYTES (2 << 20)
#define KEPT_BYTES (8 << 20)

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage;
} commands[] = {
    {"init", command_init,
     "init DIR --name ely.example/timebank --steward broker.key.pub [--policy NAME=VALUE]..."},
    {"run", command_run, "run DIR [--socket PATH] [--config FILE] [--accept-time]"},
    {"check", command_check, "check DIR [--full]"},
    {"adopt", command_adopt, "adopt DIR"},
    {"restore", command_restore,
     "restore BACKUP NEWDIR --name ely.example/timebank/2 --steward broker.key.pub"},
    {"settings", command_settings, "settings"},
};

static int usage(FILE *to, int status) {
    fprintf(to, "timebankd keeps the ledger of a timebank. See timebankd(8).\n\n");
    for (size_t i = 0; i < N_ELEMENTS(commands); i++)
        fprintf(to, "    timebankd %s\n", commands[i].usage);
    return status;
}

static int command_help(const char *line) {
    printf("timebankd %s\n\nSee timebankd(8).\n", line);
    return EXIT_DONE;
}

/* The ledger's key is in memory: no core dumps, no tracing by the same user. */
static void protect(void) {
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

/* What a step or a burst of batches took goes back when it is over. The allocator by itself learns
 * from the first such block to keep the next ones. */
static void give_back(void) {
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}

int main(int argc, char **argv) {
    protect();
    give_back();
    if (sodium_init() < 0) {
        say("the random numbers of this machine cannot be used");
        return EXIT_BROKEN;
    }
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0))
        return usage(stdout, EXIT_DONE);
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        return printf("timebankd %s\n", TIMEBANK_VERSION) < 0 ? EXIT_BROKEN : EXIT_DONE;
    for (size_t i = 0; argc > 1 && i < N_ELEMENTS(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return argc > 2 && strcmp(argv[2], "--help") == 0 ? command_help(commands[i].usage)
                                                              : commands[i].run(argc - 1, argv + 1);
    return usage(stderr, EXIT_USAGE);
}
