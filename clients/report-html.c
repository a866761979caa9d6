/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page is read by funders, at a desk, on a phone, aloud, and on paper (A4). So: one heading of
 * each rank after another, every table with a caption and scopes, figures to the right, wide tables
 * that can be scrolled by keyboard, and nothing that colour alone says.
 */
#include "report-html.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report-html-style.h"
#include "report-sections.h"

struct page {
    FILE *to;
    unsigned n_charts;
    struct report_words words;
    const struct rates *rates;
};

void report_html_text(FILE *to, const char *text) {
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", to);
            break;
        case '<':
            fputs("&lt;", to);
            break;
        case '>':
            fputs("&gt;", to);
            break;
        case '"':
            fputs("&quot;", to);
            break;
        default:
            if ((unsigned char)*text >= ' ' && *text != 0x7f)
                fputc(*text, to);
        }
    }
}

void report_html_figure(FILE *to, const char *figure) {
    bool is_mark = figure[0] == '[' && figure[1] && figure[2] == ']';
    if (is_mark)
        fprintf(to, "<abbr title=\"%s\">", report_mark_meaning(figure[1]));
    report_html_text(to, figure);
    if (is_mark)
        fputs("</abbr>", to);
}

void report_html_begin(FILE *to, const char *title) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
          to);
    report_html_text(to, title);
    fprintf(to, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", report_html_style);
}

static void mark_print(void *user, char mark) {
    fprintf(user, "<br><strong>[%c]</strong> %s.", mark, report_mark_meaning(mark));
}

void report_html_class(FILE *to, const struct report_words *words) {
    char class[600];
    report_words_class(words, class, sizeof(class));
    fputs("<p class=\"note\">", to);
    report_html_text(to, class);
    report_marks_each(words->report, mark_print, to);
    fputs("</p>\n", to);
}

static void put(const struct page *page, const char *markup) {
    fputs(markup, page->to);
}

static void text(const struct page *page, const char *words) {
    report_html_text(page->to, words);
}

/* ------------------------------------------------------------------ sections */

static void row_print(void *user, const struct report_row *row, const char *figure,
                      const char *share) {
    const struct page *page = user;
    static const struct {
        const char *sign;
        const char *word;
    } signs[] = {{"+", "plus "}, {"-", "less "}};
    fprintf(page->to, "<tr%s><th scope=\"row\">", row->is_part ? " class=\"sub\"" : "");
    for (size_t i = 0; row->sign && i < N_ELEMENTS(signs); i++)
        if (strcmp(row->sign, signs[i].sign) == 0)
            put(page, signs[i].word);
    text(page, row->name);
    put(page, "</th><td class=\"figure\">");
    report_html_figure(page->to, figure);
    if (*share) {
        put(page, " <span class=\"share\">");
        text(page, share);
        put(page, "</span>");
    }
    put(page, "</td></tr>\n");
}

static void list_begin(const struct page *page, const char *caption) {
    put(page, "<table><caption>");
    text(page, caption);
    put(page, "</caption>\n<thead><tr><th scope=\"col\">What</th>"
              "<th scope=\"col\" class=\"figure\">Figure</th></tr></thead>\n<tbody>\n");
}

static void list_print(struct page *page, enum report_section_number number) {
    const struct report_section *section = &report_sections[number];
    if (!report_section_is_told(&page->words, section, false))
        return;
    list_begin(page, section->caption);
    report_section_each(&page->words, section, true, false, row_print, page);
    put(page, "</tbody></table>\n");
}

static void section_print(struct page *page, const char *title, enum report_section_number number) {
    if (!report_section_is_told(&page->words, &report_sections[number], false))
        return;
    fprintf(page->to, "<h2>%s</h2>\n", title);
    list_print(page, number);
}

static void title_print(const struct page *page) {
    const json_t *report = page->words.report;
    char known[32], from[32], to[32], title[512];
    report_words_date(report_words_text(report, "from"), from, sizeof(from));
    report_words_date(report_words_text(report, "to"), to, sizeof(to));
    report_words_date(report_words_text(report, "as_known_at"), known, sizeof(known));
    snprintf(title, sizeof(title), "%s: report for %s", report_words_text(report, "bank"),
             page->words.period);
    report_html_begin(page->to, title);
    put(page, "<header>\n<h1>");
    text(page, title);
    put(page, "</h1>\n<p>Service from ");
    text(page, from);
    put(page, " to ");
    text(page, to);
    put(page, ", as known on ");
    text(page, known);
    put(page, json_is_true(json_object_get(report, "as_recorded"))
                  ? " by the ledger’s own dates of entry.</p>\n"
                  : ".</p>\n");
    report_html_class(page->to, &page->words);
    put(page, "</header>\n<main>\n");
}

static void sentence_print(void *user, const char *sentence) {
    const struct page *page = user;
    put(page, "<p>");
    text(page, sentence);
    put(page, "</p>\n");
}

static void headline_print(const struct page *page) {
    static const struct {
        const char *name;
        const char *key;
        enum report_unit unit;
    } items[] = {{"hours given", "minutes_given", REPORT_HOURS},
                 {"people gave time", "givers", REPORT_COUNT},
                 {"gave for the first time", "new_givers", REPORT_COUNT},
                 {"people took part", "participants", REPORT_COUNT},
                 {"hours spent at venues", "minutes_redeemed", REPORT_HOURS}};
    char figure[REPORT_FIGURE_BYTES];
    put(page, "<h2>In short</h2>\n<dl class=\"headline\">\n");
    for (size_t i = 0; i < N_ELEMENTS(items); i++) {
        fprintf(page->to, "<div><dt>%s</dt><dd>", items[i].name);
        report_html_figure(page->to,
                           report_figure_text(report_words_figure(&page->words, items[i].key),
                                              items[i].unit, figure));
        put(page, "</dd></div>\n");
    }
    put(page, "</dl>\n");
    report_sentences_each(&page->words, sentence_print, (void *)(uintptr_t)page);
}

static void breakdown_print(void *user, const struct report_table *table, const char *title,
                            const json_t *groups) {
    struct page *page = user;
    report_html_breakdown(page->to, table, title, groups, page->n_charts++);
}

static void network_print(struct page *page) {
    put(page, "<h2>Who helped whom</h2>\n");
    list_print(page, REPORT_NETWORK);
    for (const struct report_table *table = report_squares; table->key; table++)
        report_html_square(page->to, &page->words, table);
}

/* --------------------------------------------------------------- in money */

static void money_row(const struct page *page, const struct rate *rate, const char *key,
                      const char *name) {
    struct report_figure figure = report_words_figure(&page->words, key);
    char hour[REPORT_FIGURE_BYTES], time[REPORT_FIGURE_BYTES], money[REPORT_FIGURE_BYTES];
    if (figure.mark == REPORT_MARK_ABSENT || (report_figure_is_shown(figure) && !figure.value))
        return;
    put(page, "<tr><th scope=\"row\">");
    text(page, name);
    fprintf(page->to, "</th><td>");
    text(page, rate->name);
    fprintf(page->to, ": %s %s an hour<span class=\"share\">", rate->currency,
            report_figure_hundredths(rate->hour_hundredths, hour));
    text(page, rate->source);
    fprintf(page->to, ", %" PRIu32 "</span></td><td class=\"figure\">", rate->year);
    report_html_figure(page->to, report_figure_text(figure, REPORT_TIME, time));
    put(page, "</td><td class=\"figure\">");
    if (report_figure_is_shown(figure))
        fprintf(page->to, "%s %s", rate->currency,
                report_figure_hundredths(rates_money(rate, figure.value), money));
    else
        report_html_figure(page->to, time);
    put(page, "</td></tr>\n");
}

static void money_print(const struct page *page) {
    if (!page->rates)
        return;
    put(page,
        "<h2>An estimate in money</h2>\n<p>Time is not money in the ledger, which knows "
        "none. These are hours times the rates that whoever wrote this report chose.</p>\n"
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Estimates, table\">\n"
        "<table><caption>Estimates: time at a rate</caption>\n<thead><tr>"
        "<th scope=\"col\">What</th><th scope=\"col\">Rate and source</th>"
        "<th scope=\"col\" class=\"figure\">Time</th>"
        "<th scope=\"col\" class=\"figure\">Estimate</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < page->rates->n; i++) {
        money_row(page, &page->rates->items[i], "minutes_given", "All service");
        money_row(page, &page->rates->items[i], "minutes_given_without_credit",
                  "Given without credit");
    }
    put(page, "</tbody></table></div>\n");
}

/* ---------------------------------------------------------------- fine print */

/* `none` as code. */
static void formula_print(const struct page *page, const char *formula) {
    bool is_code = false;
    for (const char *end; *formula; formula = end) {
        char part[2] = {*formula, '\0'};
        end = formula + 1;
        if (*formula != '`') {
            if ((unsigned char)*formula < 0x80)
                text(page, part);
            else
                fputc(*formula, page->to);
            continue;
        }
        is_code = !is_code;
        put(page, is_code ? "<code>" : "</code>");
    }
    if (is_code)
        put(page, "</code>");
}

static void definitions_print(const struct page *page) {
    static const char *const words[][2] = {
        {"Service", "Exchanges between members, time earned with organisations, and what leaders "
                    "gave in sessions. Gifts, grants and hours without credit are not service."},
        {"Date", "An entry counts by the day the help was given, if it was entered by the cut-off "
                 "and was not taken back in full. What was taken back in part is subtracted."},
        {"People", "Distinct persons, however many entries they have."},
        {"The period before", "As many whole months, or days, just before this period."},
    };
    put(page, "<h2>What the words mean</h2>\n<dl class=\"words\">\n");
    for (size_t i = 0; i < N_ELEMENTS(words); i++)
        fprintf(page->to, "<dt>%s</dt><dd>%s</dd>\n", words[i][0], words[i][1]);
    put(page, "</dl>\n<table class=\"fine\"><caption>How each figure is reckoned</caption>\n"
              "<thead><tr><th scope=\"col\">Figure</th><th scope=\"col\">Definition</th></tr>"
              "</thead>\n<tbody>\n");
    for (const struct tb_measure *measure = tb_measure_next(NULL); measure;
         measure = tb_measure_next(measure)) {
        if (strchr(measure->key, '/') || !report_words_find(&page->words, measure->key))
            continue;
        put(page, "<tr><th scope=\"row\">");
        text(page, measure->title);
        fprintf(page->to, "</th><td><code>%s</code>: ", measure->key);
        formula_print(page, measure->formula);
        put(page, "</td></tr>\n");
    }
    put(page, "</tbody></table>\n");
}

void report_html_print(FILE *to, const json_t *report, const struct rates *rates) {
    struct page page = {.to = to, .rates = rates};
    report_words_init(&page.words, report);
    title_print(&page);
    headline_print(&page);
    put(&page, "<h2>Time and people</h2>\n");
    list_print(&page, REPORT_GIVEN);
    list_print(&page, REPORT_PEOPLE);
    section_print(&page, "Members", REPORT_MEMBERS);
    put(&page, "<h2>Month by month, and where</h2>\n"
               "<p>People are counted once in each line: lines do not add up to the whole.</p>\n");
    report_words_breakdowns(&page.words, breakdown_print, &page);
    network_print(&page);
    section_print(&page, "Credits spent and passed on", REPORT_SPENT);
    section_print(&page, "Credits outstanding", REPORT_BRIDGE);
    section_print(&page, "How credits go round", REPORT_CIRCULATION);
    money_print(&page);
    definitions_print(&page);
    section_print(&page, "How good the figures are", REPORT_QUALITY);
    report_html_origin(to, &page.words);
    put(&page, "</main>\n</body>\n</html>\n");
}
