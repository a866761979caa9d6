/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verbs that record time share.
 */
#pragma once

#include "client.h"

/* The options as typed; a verb offers those that it takes. */
struct entries_typed {
    char *giver;
    char *receiver;
    char *from;
    char *to;
    char *time;
    char *on;
    char *activity;
    char *why;
    char *funder;
    char *programme;
    char *reference;
    bool again;
    bool over_limit;
    bool propose;
    bool late;
};

#define ENTRIES_OPTIONS(typed)                                                                     \
    OPTION_TEXT("time", &(typed).time), OPTION_TEXT("on", &(typed).on),                            \
        OPTION_TEXT("why", &(typed).why), OPTION_FLAG("over-limit", &(typed).over_limit),          \
        OPTION_FLAG("late", &(typed).late)

#define ENTRIES_PROPOSE(typed) OPTION_FLAG("propose", &(typed).propose)
#define ENTRIES_PROPOSE_HELP "  --propose         it waits until somebody else agrees to it\n"
#define ENTRIES_LATE_HELP "  --late            insist although the period is closed (needs --why)\n"
#define ENTRIES_ON_HELP                                                                            \
    "  --on DATE         date of service: 2025-03-05, 5/3/2025, yesterday, last tue; today\n"

/* Sets the order's date, time, reason and what it insists on, and opens the bank. Exit status. */
int entries_read(struct client *client, const struct verb *verb, const struct entries_typed *typed,
                 struct tb_order *order);
/* *ret_code: what was typed, else the account that our key acts for in own_role (0: none). Exit
 * status; the usage names the option. */
int entries_side(struct client *client, const struct verb *verb, const char *option, char *typed,
                 int own_role, const char **ret_code);
