/* SPDX-License-Identifier: Apache-2.0 */
/* timebankd settings: every limit with its default, unit, bounds and what it is for. */
#include <stdio.h>

#include "commands.h"
#include "say.h"
#include "settings.h"

int command_settings(int argc, char **argv) {
    (void)argv;
    if (argc != 1) {
        say("usage: timebankd settings");
        return EXIT_USAGE;
    }
    settings_print(stdout);
    return EXIT_DONE;
}
