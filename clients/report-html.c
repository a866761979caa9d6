/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page is read by funders, at a desk, on a phone, aloud, and on paper (A4). So: one heading of
 * each rank after another, every table with a caption and scopes, figures to the right, wide tables
 * that can be scrolled by keyboard, contrast of 7 to 1, and nothing that colour alone says.
 */
#include "report-html.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report-chart.h"
#include "report-words.h"

#define NAME_BYTES 256

struct page {
    FILE *to;
    struct report_words words;
};

static const char style[] =
    ":root{color-scheme:light}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1rem;max-width:60rem;background:#fff;color:#1a1a1a;"
    "font:1rem/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.7rem;line-height:1.25;margin:.5rem 0;overflow-wrap:anywhere}\n"
    "h2{font-size:1.25rem;margin:2.2rem 0 .6rem;padding-top:.6rem;border-top:1px solid #767676}\n"
    "h3{font-size:1.05rem;margin:1.4rem 0 .4rem}\n"
    ".note{border-left:.4rem solid #0b4f6c;padding:.3rem .8rem;margin:1rem 0;background:#f2f6f8}\n"
    ".headline{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.8rem;"
    "margin:1.2rem 0;padding:0}\n"
    ".headline div{display:flex;flex-direction:column-reverse;justify-content:flex-end;border:1px "
    "solid #767676;"
    "border-radius:.3rem;padding:.6rem .8rem}\n"
    ".headline dt{font-size:.95rem}\n"
    ".headline dd{margin:0;font-size:1.5rem;font-weight:600}\n"
    "table{border-collapse:collapse;width:100%;margin-bottom:1.2rem}\n"
    "caption{text-align:left;font-weight:600;padding:.3rem 0}\n"
    "th,td{padding:.3rem .5rem;text-align:left;border-bottom:1px solid #c4c4c4;"
    "vertical-align:top;overflow-wrap:anywhere}\n"
    "th{font-weight:500}\n"
    "thead th{font-weight:600;border-bottom:2px solid #1a1a1a}\n"
    ".figure{text-align:right;white-space:nowrap;overflow-wrap:normal;"
    "font-variant-numeric:tabular-nums}\n"
    ".sub th{padding-left:1.6rem}\n"
    ".wide{overflow-x:auto}\n"
    ".wide:focus{outline:3px solid #0b4f6c;outline-offset:2px}\n"
    "figure{margin:.6rem 0 1rem}\n"
    "svg{width:100%;height:auto;font:15px system-ui,sans-serif;fill:#1a1a1a}\n"
    ".bar{fill:#0b4f6c}\n"
    ".rule{stroke:#c4c4c4}\n"
    ".axis{stroke:#1a1a1a}\n"
    "code{overflow-wrap:anywhere;font-size:.9rem}\n"
    "dl.words dt{font-weight:600}\n"
    "dl.words dd{margin:0 0 .6rem}\n"
    "@media (max-width:30rem){body{padding:.7rem}th,td{padding:.3rem .25rem}"
    ".headline{grid-template-columns:1fr 1fr}svg{font-size:26px}.between{display:none}}\n"
    "@page{size:A4;margin:16mm}\n"
    "@media print{body{max-width:none;padding:0;font-size:10pt}h2,h3,caption{break-after:avoid}"
    "figure,tr,.headline div{break-inside:avoid}.wide{overflow:visible}"
    ".bar{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n";

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

static void put(const struct page *page, const char *markup) {
    fputs(markup, page->to);
}

static void text(const struct page *page, const char *words) {
    report_html_text(page->to, words);
}

static void element(const struct page *page, const char *name, const char *words) {
    fprintf(page->to, "<%s>", name);
    text(page, words);
    fprintf(page->to, "</%s>\n", name);
}

static int64_t measure(const struct page *page, const char *key) {
    return report_words_measure(&page->words, key);
}

/* ------------------------------------------------------------------- figures */

enum unit { COUNT, TIME, DAYS };

/* One line of a list of figures. */
struct row {
    const char *key;
    const char *name;
    enum unit unit;
    bool is_part;     /* of the line above */
    bool is_left_out; /* where it is 0: a kind of entry that this bank does not use */
};

static const char *figure_of(int64_t value, enum unit unit, char ret[REPORT_FIGURE_BYTES]) {
    if (unit == TIME)
        return report_words_time(value, ret);
    report_words_count(value, ret);
    if (unit == DAYS && strlen(ret) + 6 < REPORT_FIGURE_BYTES)
        strcat(ret, value == 1 ? " day" : " days");
    return ret;
}

static void row_print(const struct page *page, const char *name, const char *figure, bool is_part) {
    fprintf(page->to, "<tr%s><th scope=\"row\">", is_part ? " class=\"sub\"" : "");
    text(page, name);
    put(page, "</th><td class=\"figure\">");
    text(page, figure);
    put(page, "</td></tr>\n");
}

static void rows_print(const struct page *page, const struct row *rows) {
    char figure[REPORT_FIGURE_BYTES];
    for (; rows->key; rows++) {
        int64_t value = measure(page, rows->key);
        if (value != 0 || !rows->is_left_out)
            row_print(page, rows->name, figure_of(value, rows->unit, figure), rows->is_part);
    }
}

static void list_begin(const struct page *page, const char *caption) {
    put(page, "<table><caption>");
    text(page, caption);
    put(page, "</caption>\n<thead><tr><th scope=\"col\">What</th>"
              "<th scope=\"col\" class=\"figure\">Figure</th></tr></thead>\n<tbody>\n");
}

static void list_print(const struct page *page, const char *caption, const struct row *rows) {
    list_begin(page, caption);
    rows_print(page, rows);
    put(page, "</tbody></table>\n");
}

static const struct row given[] = {
    {"minutes_given", "All service", TIME, false, false},
    {"minutes_given_exchange", "between members", TIME, true, false},
    {"minutes_given_earn", "to organisations", TIME, true, false},
    {"minutes_given_session", "in sessions", TIME, true, true},
    {"minutes_given_without_credit", "Given without credit, not in the above", TIME, false, false},
    {"median_minutes_per_giver", "Half of the givers gave at least", TIME, false, false},
    {"p90_minutes_per_giver", "Nine in ten gave at most", TIME, false, false},
    {"top_tenth_minutes", "The tenth who gave most gave together", TIME, false, false},
    {.key = NULL}};
static const struct row persons[] = {
    {"givers", "Gave time", COUNT, false, false},
    {"new_givers", "for the first time", COUNT, true, false},
    {"returning_givers", "who had given before", COUNT, true, false},
    {"frequent_givers", "in every month", COUNT, true, false},
    {"receivers", "Received time from a member", COUNT, false, false},
    {"redeemers", "Spent credits at a venue", COUNT, false, false},
    {"participants", "Took part in any of these ways", COUNT, false, false},
    {"two_way", "Both gave, and received or spent", COUNT, false, false},
    {"previous_givers", "Gave in the period before", COUNT, false, false},
    {"retained_givers", "and gave again", COUNT, true, false},
    {"lapsed_givers", "and did not", COUNT, true, false},
    {.key = NULL}};
static const struct row network[] = {
    {"traders", "Members in any exchange", COUNT, false, false},
    {"ties", "Pairs of members who helped at all", COUNT, false, false},
    {"ties_directed", "Pairs of giver and receiver", COUNT, false, false},
    {"ties_reciprocated", "who also helped the other way round", COUNT, true, false},
    {.key = NULL}};
static const struct row spent[] = {
    {"minutes_redeemed", "Redeemed at venues", TIME, false, false},
    {"redemptions", "redemptions", COUNT, true, false},
    {"admitted_adults", "adults admitted", COUNT, true, false},
    {"admitted_under16", "under-16s admitted", COUNT, true, false},
    {"minutes_gifted", "Gifts between members", TIME, false, false},
    {"minutes_donated", "Donated to the community chest", TIME, false, false},
    {"minutes_granted_from_chest", "Granted out of the chest", TIME, false, false},
    {"minutes_retired", "Retired", TIME, false, true},
    {.key = NULL}};
static const struct row bridge[] = {
    {"outstanding_opening", "At the opening", TIME, false, false},
    {"minutes_issued", "plus issued", TIME, false, false},
    {"minutes_granted", "plus granted as new credit", TIME, false, false},
    {"minutes_advanced", "plus advanced", TIME, false, true},
    {"minutes_repaid", "less repaid", TIME, false, true},
    {"minutes_redeemed", "less redeemed", TIME, false, false},
    {"minutes_expired", "less expired", TIME, false, true},
    {.key = NULL}};
static const struct row quality[] = {
    {"lag_median_days", "From service to entry, half within", DAYS, false, false},
    {"late_over_30_days", "Entered more than 30 days late", COUNT, false, false},
    {"corrections", "Corrections", COUNT, false, false},
    {"insisted_duplicates", "Entered although it looked like an earlier entry", COUNT, false,
     false},
    {"minutes_rounded", "Added or taken by rounding", TIME, false, false},
    {"unconfirmed", "Not yet confirmed", COUNT, false, false},
    {"entries_by_claimed_date", "Counted by the date of entry of older books", COUNT, false, false},
    {.key = NULL}};

/* ------------------------------------------------------------------ sections */

static void head_print(const struct page *page) {
    put(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    text(page, report_words_text(page->words.report, "bank"));
    put(page, ": report for ");
    text(page, page->words.period);
    put(page, "</title>\n<style>\n");
    put(page, style);
    put(page, "</style>\n</head>\n<body>\n");
}

static void title_print(const struct page *page) {
    const json_t *report = page->words.report;
    char known[32], from[32], to[32];
    report_words_date(report_words_text(report, "from"), from, sizeof(from));
    report_words_date(report_words_text(report, "to"), to, sizeof(to));
    report_words_date(report_words_text(report, "as_known_at"), known, sizeof(known));
    put(page, "<header>\n<h1>");
    text(page, report_words_text(report, "bank"));
    put(page, ": report for ");
    text(page, page->words.period);
    put(page, "</h1>\n<p>");
    fprintf(page->to, "Service from %s to %s, as known on %s%s.</p>\n", from, to, known,
            json_is_true(json_object_get(report, "as_recorded"))
                ? " by the ledger’s own dates of entry"
                : "");
    put(page, "<p class=\"note\">For use inside the bank: small figures may point at a "
              "person.</p>\n</header>\n<main>\n");
}

static void sentence_print(void *user, const char *sentence) {
    element(user, "p", sentence);
}

static void headline_item(const struct page *page, const char *name, const char *figure) {
    put(page, "<div>");
    fputs("<dt>", page->to);
    text(page, name);
    fputs("</dt><dd>", page->to);
    text(page, figure);
    put(page, "</dd></div>\n");
}

static void headline_print(const struct page *page) {
    char figure[REPORT_FIGURE_BYTES];
    put(page, "<h2>In short</h2>\n<dl class=\"headline\">\n");
    headline_item(page, "hours given", report_words_hours(measure(page, "minutes_given"), figure));
    headline_item(page, "people gave time", report_words_count(measure(page, "givers"), figure));
    headline_item(page, "gave for the first time",
                  report_words_count(measure(page, "new_givers"), figure));
    headline_item(page, "people took part",
                  report_words_count(measure(page, "participants"), figure));
    headline_item(page, "hours spent at venues",
                  report_words_hours(measure(page, "minutes_redeemed"), figure));
    put(page, "</dl>\n");
    report_words_sentences(&page->words, sentence_print, (void *)(uintptr_t)page);
}

static void table_head(const struct page *page, const struct report_table *table) {
    fprintf(page->to,
            "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"%s, table\">\n"
            "<table><caption>%s: the figures</caption>\n<thead><tr><th scope=\"col\">%s</th>",
            table->title, table->title, table->first);
    for (size_t i = 0; i < REPORT_COLUMNS_MAX && table->columns[i]; i++)
        fprintf(page->to, "<th scope=\"col\" class=\"figure\">%s</th>", table->headings[i]);
    put(page, "</tr></thead>\n<tbody>\n");
}

static void table_line(const struct page *page, const struct report_table *table,
                       const struct report_line *line) {
    char name[NAME_BYTES], figure[REPORT_FIGURE_BYTES];
    report_words_line_name(table, line->name, name, sizeof(name));
    put(page, "<tr><th scope=\"row\">");
    text(page, name);
    put(page, "</th>");
    for (size_t i = 0; i < REPORT_COLUMNS_MAX && table->columns[i]; i++) {
        put(page, "<td class=\"figure\">");
        text(page, report_words_cell(table, line, i, figure));
        put(page, "</td>");
    }
    put(page, "</tr>\n");
}

static void breakdown_print(const struct page *page, const struct report_table *table) {
    size_t n = 0;
    _cleanup_(freep) struct report_line *lines = report_words_lines(&page->words, table, &n);
    if (!lines)
        return;
    fprintf(page->to, "<h3>%s</h3>\n<figure>\n", table->title);
    if (strcmp(table->key, "by_month") == 0)
        report_chart_columns(page->to, table, lines, n);
    else
        report_chart_bars(page->to, table, lines, n);
    put(page, "</figure>\n");
    table_head(page, table);
    for (size_t i = 0; i < n; i++)
        table_line(page, table, &lines[i]);
    put(page, "</tbody></table></div>\n");
}

static void breakdowns_print(const struct page *page) {
    put(page, "<h2>Month by month, and where</h2>\n"
              "<p>People are counted once in each line: lines do not add up to the whole.</p>\n");
    for (const struct report_table *table = report_tables; table->key; table++)
        breakdown_print(page, table);
}

static void network_print(const struct page *page) {
    const json_t *across = json_object_get(json_object_get(page->words.report, "register_measures"),
                                           "minutes_across_wards");
    char figure[REPORT_FIGURE_BYTES];
    put(page, "<h2>Who helped whom</h2>\n");
    list_begin(page, "Exchanges between members");
    rows_print(page, network);
    if (across)
        row_print(page, "Time between members of different wards",
                  report_words_time((int64_t)json_integer_value(across), figure), false);
    put(page, "</tbody></table>\n");
}

static void bridge_print(const struct page *page) {
    int64_t rest = report_words_bridge_rest(&page->words);
    char figure[REPORT_FIGURE_BYTES];
    put(page, "<h2>Credits outstanding</h2>\n");
    list_begin(page, "From the opening to the closing, with members, organisations and the chest");
    rows_print(page, bridge);
    if (rest != 0)
        row_print(page, "from or to other banks, given back, debts gone",
                  report_words_time(rest, figure), false);
    row_print(page, "At the closing",
              report_words_time(measure(page, "outstanding_closing"), figure), false);
    put(page, "</tbody></table>\n");
}

/* ---------------------------------------------------------------- fine print */

static void definitions_print(const struct page *page) {
    static const char *const words[][2] = {
        {"Service", "Exchanges between members, time earned with organisations, and what leaders "
                    "gave in sessions. Gifts, grants and hours without credit are not service."},
        {"Date", "An entry counts by the day the help was given, if it was entered by the cut-off "
                 "and was not taken back in full. What was taken back in part is subtracted."},
        {"People", "Distinct persons, however many entries they have."},
        {"For the first time", "A person’s first service ever, as far as the ledger knows, lies "
                               "in this period."},
        {"Took part", "Gave, received from a member, or spent credits at a venue."},
        {"Half gave at least", "The middle of all givers, sorted by time: nearest rank."},
        {"The period before", "As many whole months, or days, just before this period."},
    };
    put(page, "<h2>What the words mean</h2>\n<dl class=\"words\">\n");
    for (size_t i = 0; i < N_ELEMENTS(words); i++)
        fprintf(page->to, "<dt>%s</dt><dd>%s</dd>\n", words[i][0], words[i][1]);
    put(page, "</dl>\n");
}

static void code_row(const struct page *page, const char *name, const char *value) {
    put(page, "<tr><th scope=\"row\">");
    text(page, name);
    put(page, "</th><td><code>");
    text(page, value);
    put(page, "</code></td></tr>\n");
}

static void origin_print(const struct page *page) {
    const json_t *report = page->words.report, *position = json_object_get(report, "position");
    int64_t size = (int64_t)json_integer_value(json_object_get(position, "size"));
    const char *known = report_words_text(report, "as_known_at");
    char records[32];
    snprintf(records, sizeof(records), "%" PRId64, size);
    put(page, "<h2>Where the figures come from</h2>\n<table><caption>Position in the signed "
              "ledger</caption>\n<tbody>\n");
    code_row(page, "Definitions", report_words_text(report, "definition"));
    code_row(page, "Cut-off", known);
    code_row(page, "Records", records);
    code_row(page, "Root", report_words_text(position, "root"));
    code_row(page, "Checksum", report_words_text(report, "checksum"));
    code_row(page, "Register", report_words_text(report, "register"));
    put(page, "</tbody></table>\n<p>The bank gets the same figures again, byte for byte, with "
              "<code>timebank report --from ");
    fprintf(page->to, "%s --to %s --at %" PRId64 " --as-known-at %s%s</code>.</p>\n",
            report_words_text(report, "from"), report_words_text(report, "to"), size, known,
            json_is_true(json_object_get(report, "as_recorded")) ? " --as-recorded" : "");
}

void report_html_print(FILE *to, const json_t *report) {
    struct page page = {.to = to};
    report_words_init(&page.words, report);
    head_print(&page);
    title_print(&page);
    headline_print(&page);
    put(&page, "<h2>Time and people</h2>\n");
    list_print(&page, "Time given", given);
    list_print(&page, "People", persons);
    breakdowns_print(&page);
    network_print(&page);
    put(&page, "<h2>Credits spent and passed on</h2>\n");
    list_print(&page, "Spent and passed on", spent);
    bridge_print(&page);
    definitions_print(&page);
    put(&page, "<h2>How good the figures are</h2>\n");
    list_print(&page, "Data quality", quality);
    origin_print(&page);
    put(&page, "</main>\n</body>\n</html>\n");
}
