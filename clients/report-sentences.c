/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentences that a report ends with, ready to paste. A part that needs a hidden figure is left
 * out, never guessed at: hidden does not mean small.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report-words.h"

#define SENTENCE_BYTES 640

struct sentence {
    const struct report_words *words;
    char text[SENTENCE_BYTES];
};

/* Adds to the sentence; what has no room is cut, never written beyond. */
__attribute__((format(printf, 2, 3))) static void add(struct sentence *sentence, const char *format,
                                                      ...) {
    size_t n = strlen(sentence->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence->text + n, sizeof(sentence->text) - n, format, arguments);
    va_end(arguments);
}

static bool shows(const struct sentence *sentence, const char *key) {
    return report_figure_is_shown(report_words_figure(sentence->words, key));
}

static int64_t value(const struct sentence *sentence, const char *key) {
    return report_words_measure(sentence->words, key);
}

/* Adds a figure: "309". */
static void add_figure(struct sentence *sentence, const char *key, enum report_unit unit) {
    char figure[REPORT_FIGURE_BYTES];
    add(sentence, "%s",
        report_figure_text(report_words_figure(sentence->words, key), unit, figure));
}

/* "309 people" */
static void add_counted(struct sentence *sentence, const char *key, const char *one,
                        const char *many) {
    add_figure(sentence, key, REPORT_COUNT);
    add(sentence, " %s", value(sentence, key) == 1 ? one : many);
}

/* "In 2024–25, 309 people gave 7,939 hours; 104 for the first time; half gave 15 h 45 or more." */
static void given(struct sentence *sentence) {
    if (!shows(sentence, "givers") && !shows(sentence, "minutes_given"))
        return;
    add(sentence, "%s %s, ", sentence->words->period_is_long ? "From" : "In",
        sentence->words->period);
    if (shows(sentence, "givers") && value(sentence, "givers") == 0 &&
        !sentence->words->is_rounded) {
        add(sentence, "nobody gave time.");
        return;
    }
    if (shows(sentence, "givers"))
        add_counted(sentence, "givers", "person", "people");
    else
        add(sentence, "members");
    add(sentence, " gave ");
    if (shows(sentence, "minutes_given")) {
        add_figure(sentence, "minutes_given", REPORT_HOURS);
        add(sentence, " hours");
    } else {
        add(sentence, "time");
    }
    if (shows(sentence, "new_givers")) {
        add(sentence, "; ");
        add_figure(sentence, "new_givers", REPORT_COUNT);
        add(sentence, " for the first time");
    }
    if (shows(sentence, "median_minutes_per_giver")) {
        add(sentence, "; half gave ");
        add_figure(sentence, "median_minutes_per_giver", REPORT_TIME);
        add(sentence, " or more");
    }
    add(sentence, ".");
}

static void exchanged(struct sentence *sentence) {
    if (value(sentence, "minutes_given") == 0 || !shows(sentence, "minutes_given_exchange"))
        return;
    add(sentence, "Of these, ");
    add_figure(sentence, "minutes_given_exchange", REPORT_TIME);
    add(sentence, " went from member to member");
    if (shows(sentence, "ties") && shows(sentence, "traders")) {
        add(sentence, ", in ");
        add_counted(sentence, "ties", "pair", "pairs");
        add(sentence, " among ");
        add_figure(sentence, "traders", REPORT_COUNT);
        add(sentence, " people");
    }
    if (shows(sentence, "minutes_given_earn")) {
        add(sentence, ", and ");
        add_figure(sentence, "minutes_given_earn", REPORT_TIME);
        add(sentence, " to organisations");
    }
    if (value(sentence, "minutes_given_session") != 0) {
        add(sentence, "; ");
        add_figure(sentence, "minutes_given_session", REPORT_TIME);
        add(sentence, " were given in sessions");
    }
    add(sentence, ".");
}

static void kept(struct sentence *sentence) {
    if (value(sentence, "previous_givers") == 0 || !shows(sentence, "retained_givers"))
        return;
    add(sentence, "Of the ");
    add_counted(sentence, "previous_givers", "person", "people");
    add(sentence, " who gave in the period before, ");
    add_figure(sentence, "retained_givers", REPORT_COUNT);
    add(sentence, " gave again.");
}

static void spent(struct sentence *sentence) {
    if (value(sentence, "redeemers") == 0 || !shows(sentence, "minutes_redeemed"))
        return;
    add_counted(sentence, "redeemers", "person", "people");
    add(sentence, " spent ");
    add_figure(sentence, "minutes_redeemed", REPORT_HOURS);
    add(sentence, " hours");
    if (shows(sentence, "redemptions")) {
        add(sentence, " in ");
        add_counted(sentence, "redemptions", "visit", "visits");
    }
    if (shows(sentence, "admitted_adults") && shows(sentence, "admitted_under16")) {
        add(sentence, ", which admitted ");
        add_counted(sentence, "admitted_adults", "adult", "adults");
        add(sentence, " and ");
        add_counted(sentence, "admitted_under16", "under-16", "under-16s");
    }
    add(sentence, ".");
}

void report_sentences_each(const struct report_words *words,
                           void (*each)(void *user, const char *sentence), void *user) {
    static void (*const makers[])(struct sentence *) = {given, exchanged, kept, spent};
    for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
        struct sentence sentence = {.words = words};
        makers[i](&sentence);
        if (*sentence.text)
            each(user, sentence.text);
    }
}
