/* SPDX-License-Identifier: Apache-2.0 */
/* Reading settings and telling what is wrong with one. */
#include "settings.h"

#include <errno.h>
#include <string.h>

#include "base/files.h"

#define CONFIG_MAX (64u * 1024)
#define MIB (1024ull * 1024)

static const struct setting {
    const char *name;
    const char *unit;
    uint64_t otherwise;
    uint64_t min;
    uint64_t max;
    const char *help;
    size_t offset;
} table[] = {
#define SETTING(name, unit, otherwise, min, max, help)                                             \
    {#name, unit, otherwise, min, max, help, offsetof(struct settings, name)},
#include "settings.def"
#undef SETTING
};

static uint64_t *value_of(struct settings *settings, const struct setting *setting) {
    return (uint64_t *)(void *)((char *)settings + setting->offset);
}

void settings_init(struct settings *settings) {
    for (size_t i = 0; i < N_ELEMENTS(table); i++)
        *value_of(settings, &table[i]) = table[i].otherwise;
}

static bool read_number(const char *text, uint64_t *ret) {
    char *end = NULL;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *ret = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

int settings_set(struct settings *settings, const char *name, const char *value, char *why,
                 size_t n_why) {
    uint64_t number = 0;

    for (size_t i = 0; i < N_ELEMENTS(table); i++) {
        const struct setting *setting = &table[i];
        if (strcmp(setting->name, name) != 0)
            continue;
        if (!read_number(value, &number) || number < setting->min || number > setting->max) {
            snprintf(why, n_why, "%s takes a whole number of %s from %llu to %llu, not %s", name,
                     setting->unit, (unsigned long long)setting->min,
                     (unsigned long long)setting->max, value);
            return -EINVAL;
        }
        *value_of(settings, setting) = number;
        return 0;
    }
    snprintf(why, n_why, "there is no setting %s: see timebankd settings", name);
    return -EINVAL;
}

static int read_line(struct settings *settings, char *line, char *why, size_t n_why) {
    char *name, *value, *rest, *at = NULL;

    line[strcspn(line, "#")] = '\0';
    name = strtok_r(line, " \t\r", &at);
    if (!name)
        return 0;
    value = strtok_r(NULL, " \t\r", &at);
    rest = strtok_r(NULL, " \t\r", &at);
    if (!value || rest) {
        snprintf(why, n_why, "a line is a setting's name and its value, as: reserve_mib 64");
        return -EINVAL;
    }
    return settings_set(settings, name, value, why, n_why);
}

int settings_read(struct settings *settings, const char *path, char *why, size_t n_why) {
    _cleanup_bytes_ struct bytes bytes = {0};
    _cleanup_(freep) char *text = NULL;
    char sentence[256];
    unsigned n = 0;
    int r = file_read(path, CONFIG_MAX, &bytes);

    if (r < 0) {
        snprintf(why, n_why, "%s cannot be read: %s", path, strerror(-r));
        return r;
    }
    text = bytes_take_text(&bytes);
    if (!text)
        return -ENOMEM;
    for (char *line = text, *next = NULL; line && r == 0; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        n++;
        r = read_line(settings, line, sentence, sizeof(sentence));
        if (r < 0)
            snprintf(why, n_why, "%s, line %u: %s", path, n, sentence);
    }
    return r;
}

void settings_print(FILE *to) {
    for (size_t i = 0; i < N_ELEMENTS(table); i++)
        fprintf(to, "%-20s %10llu %-11s  %s (%llu to %llu)\n", table[i].name,
                (unsigned long long)table[i].otherwise, table[i].unit, table[i].help,
                (unsigned long long)table[i].min, (unsigned long long)table[i].max);
}

struct bank_settings settings_for_bank(const struct settings *settings) {
    return (struct bank_settings){
        .log = {.map_bytes = settings->map_mib * MIB,
                .reserve_bytes = settings->reserve_mib * MIB,
                .step_records = settings->step_records,
                .publish_ms = settings->publish_ms},
        .people_map_bytes = settings->people_map_mib * MIB,
        .batch_orders = (uint32_t)settings->batch_orders,
        .page_entries = (uint32_t)settings->page_entries,
        .dry_run_orders = (uint32_t)settings->dry_run_orders,
        .report_rows = settings->report_rows,
        .reports = (uint32_t)settings->reports,
        .reply_max_bytes = (uint64_t)settings->queue_max_kib * 1024,
    };
}
