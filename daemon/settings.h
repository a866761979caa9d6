/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of settings (settings.def): name, unit, default, bounds, help. It makes the parser
 * of timebankd.conf, `timebankd settings`, and is what the manual is checked against.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "bank.h"

struct settings {
#define SETTING(name, unit, otherwise, min, max, help) uint64_t name;
#include "settings.def"
#undef SETTING
};

void settings_init(struct settings *settings);
/* Lines `name value`, # begins a comment. -EINVAL with a sentence that names the line. */
int settings_read(struct settings *settings, const char *path, char *why,
                  size_t n_why) TB_MUST_CHECK;
int settings_set(struct settings *settings, const char *name, const char *value, char *why,
                 size_t n_why) TB_MUST_CHECK;
void settings_print(FILE *to);
struct bank_settings settings_for_bank(const struct settings *settings);
