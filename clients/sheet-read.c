/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a line as brokers type them: one or two persons, a time in any form, perhaps an activity,
 * perhaps "on" and a date. Where a figure could be a person or a time, the reading is taken in
 * which the whole line makes sense.
 */
#include <string.h>

#include "base/cleanup.h"
#include "sheet.h"

#define WORDS_MAX 24
#define TIME_WORDS_MAX 4 /* 2 h 30 min */

struct words {
    struct sheet_parts *parts;
    char *at[WORDS_MAX + 1];
    size_t n;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static bool words_cut(const char *text, struct words *words) {
    size_t n = 0;
    char *to = words->parts->text;
    if (strlen(text) >= sizeof(words->parts->text))
        return false;
    for (const char *from = text; *from;) {
        while (is_blank(*from))
            from++;
        if (!*from)
            break;
        if (words->n == WORDS_MAX)
            return false;
        if (n > 0)
            to[n++] = ' ';
        words->at[words->n++] = to + n;
        while (*from && !is_blank(*from))
            to[n++] = *from++;
    }
    to[n] = '\0';
    return true;
}

/* The words from i up to j as one text. */
static void words_copy(const struct words *words, size_t i, size_t j, char *ret, size_t n_ret) {
    const char *from = words->at[i];
    size_t n = j < words->n ? (size_t)(words->at[j] - 1 - from) : strlen(from);
    n = MIN_OF(n, n_ret - 1);
    memcpy(ret, from, n);
    ret[n] = '\0';
}

static bool is_figure(const char *word) {
    static const char *const signs[] = {"½", "¼", "¾"};
    for (size_t i = 0; i < N_ELEMENTS(signs); i++)
        if (strncmp(word, signs[i], strlen(signs[i])) == 0)
            return true;
    return strchr("0123456789.,-", *word) != NULL;
}

/* The longest time that begins with word i; *ret_next is the word after it. */
static bool time_read(const struct words *words, size_t i, uint64_t *ret_minutes,
                      size_t *ret_next) {
    char text[128];
    for (size_t j = MIN_OF(words->n, i + TIME_WORDS_MAX); j > i; j--) {
        words_copy(words, i, j, text, sizeof(text));
        if (tb_time_parse(text, ret_minutes, NULL, 0) == 0) {
            *ret_next = j;
            return true;
        }
    }
    return false;
}

/* Why word i is no time, where it looks like one. The first such sentence stays. */
static void time_explain(const struct words *words, size_t i) {
    char text[128];
    uint64_t minutes;
    struct sheet_parts *parts = words->parts;
    words_copy(words, i, i + 1, text, sizeof(text));
    if (!*parts->why && is_figure(text))
        (void)!tb_time_parse(text, &minutes, parts->why, sizeof(parts->why));
}

/* Tries the line with so many persons before the time. */
static bool line_read(const struct words *words, size_t n_persons, bool has_time) {
    struct sheet_parts *parts = words->parts;
    uint64_t minutes = 0;
    size_t next = n_persons;
    if (words->n < n_persons)
        return false;
    if (words->n > n_persons && is_figure(words->at[n_persons])) {
        if (!time_read(words, n_persons, &minutes, &next)) {
            time_explain(words, n_persons);
            return false;
        }
    } else if (!has_time) {
        return false;
    }
    if (next < words->n && is_figure(words->at[next]))
        return false;
    parts->n_persons = n_persons;
    parts->minutes = minutes;
    parts->activity = next < words->n ? words->at[next] : NULL;
    for (size_t i = 0; i < n_persons; i++)
        parts->persons[i] = words->at[i];
    return true;
}

/* Ends the texts where the next begins. */
static void parts_end(struct words *words) {
    const struct sheet_parts *parts = words->parts;
    for (size_t i = 1; i <= parts->n_persons && i < words->n; i++)
        words->at[i][-1] = '\0';
}

/* Takes "on DATE" off the end. */
static void day_take(struct words *words) {
    for (size_t i = words->n; i-- > 1;) {
        char text[8];
        words_copy(words, i, i + 1, text, sizeof(text));
        if (strcasecmp(text, "on") != 0 || i + 1 == words->n)
            continue;
        words->parts->day = words->at[i + 1];
        words->at[i][-1] = '\0';
        words->n = i;
        return;
    }
}

bool sheet_read(const char *text, size_t n_persons_min, bool has_time,
                struct sheet_parts *ret_parts) {
    *ret_parts = (struct sheet_parts){0};
    struct words words = {.parts = ret_parts};
    if (!words_cut(text, &words)) {
        snprintf(ret_parts->why, sizeof(ret_parts->why), "That line is too long.");
        return false;
    }
    day_take(&words);
    for (size_t n = n_persons_min; n <= 2; n++) {
        if (line_read(&words, n, has_time)) {
            parts_end(&words);
            return true;
        }
    }
    if (!*ret_parts->why)
        snprintf(ret_parts->why, sizeof(ret_parts->why),
                 n_persons_min == 1
                     ? "A line is a person and a time, as 7 2h30; ? for help."
                     : "A line is giver, receiver and time, as 7 12 2h30; ? for help.");
    return false;
}
