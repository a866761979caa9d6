/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of timebankd; each is a file. Exit status: 0 done, 1 refused, 2 broken, 64 wrong usage.
 */
#pragma once

enum command_exit { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_BROKEN = 2, EXIT_USAGE = 64 };

int command_init(int argc, char **argv);
int command_run(int argc, char **argv);
int command_check(int argc, char **argv);
int command_adopt(int argc, char **argv);
int command_restore(int argc, char **argv);
int command_settings(int argc, char **argv);
