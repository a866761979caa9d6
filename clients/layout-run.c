/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One layout to standard output, or a directory of them into another: all or nothing, all of one
 * position of the ledger, each period and class asked for once.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "layout.h"

#define LAYOUTS_MAX 200
#define SUFFIX ".layout"

/* A report that was asked for. */
struct answer {
    struct tb_report_ask ask;
    json_t *report;
};

struct page {
    struct layout *layout;
    const json_t *report; /* one of the answers' */
    char *path;           /* of the file to write; NULL: standard output */
    char *text;
    size_t n_text;
};

struct pack {
    struct client *client;
    const struct report_options *options;
    size_t n_pages;
    struct page *pages;
    size_t n_answers;
    struct answer *answers;
};

static void pack_fini(struct pack *pack) {
    for (size_t i = 0; i < pack->n_pages; i++) {
        layout_free(pack->pages[i].layout);
        free(pack->pages[i].path);
        free(pack->pages[i].text);
    }
    for (size_t i = 0; i < pack->n_answers; i++)
        json_decref(pack->answers[i].report);
    free(pack->pages);
    free(pack->answers);
}

/* ------------------------------------------------------------------ asking */

/* The period of the command line goes before the layout's own: next year's form is this year's. */
static int ask_make(struct pack *pack, const struct layout *layout, struct tb_report_ask *ask) {
    char from[16], to[16];
    struct report_options options = *pack->options;
    if (!options.from && layout->from_day == 0)
        return client_refuse(
            pack->client, TB_BAD_PERIOD,
            "%s names no period: add \"period = year 2024-04\" to its [layout], or "
            "give --from and --to.",
            layout->path);
    if (!options.from) {
        tb_date_format(layout->from_day, from);
        tb_date_format(layout->to_day, to);
        options.from = from;
        options.to = to;
    }
    int status = report_ask_read(pack->client, &options, ask);
    ask->report_class = layout->report_class;
    if (ask->at_size == 0 && pack->n_answers > 0)
        ask->at_size = (uint64_t)json_integer_value(
            json_object_get(json_object_get(pack->answers[0].report, "position"), "size"));
    return status;
}

static const json_t *answer_find(const struct pack *pack, const struct tb_report_ask *ask) {
    for (size_t i = 0; i < pack->n_answers; i++)
        if (pack->answers[i].ask.from_day == ask->from_day &&
            pack->answers[i].ask.to_day == ask->to_day &&
            pack->answers[i].ask.report_class == ask->report_class)
            return pack->answers[i].report;
    return NULL;
}

/* A kept report is of one period and class: the layout's, or none of its figures are. */
static int kept_check(struct pack *pack, const struct layout *layout, const char *text) {
    enum tb_report_class class = TB_CLASS_OF_KEY;
    char from[16] = "", to[16] = "";
    json_t *report = json_loads(text, 0, NULL);
    bool fits = report_class_read(report_words_text(report, "class"), &class) &&
                class == layout->report_class;
    if (layout->from_day != 0) {
        tb_date_format(layout->from_day, from);
        tb_date_format(layout->to_day, to);
        fits = fits && strcmp(from, report_words_text(report, "from")) == 0 &&
               strcmp(to, report_words_text(report, "to")) == 0;
    }
    json_decref(report);
    return fits ? CLIENT_DONE
                : client_refuse(pack->client, TB_BAD_FILE,
                                "%s is of another class or period than %s asks for: name the "
                                "report of that one.",
                                pack->options->read, layout->path);
}

static int text_get(struct pack *pack, const struct layout *layout, const struct tb_report_ask *ask,
                    char **ret_text) {
    int status;
    if (!pack->options->read)
        return report_fetch(pack->client, ask, ret_text);
    status = report_file_read(pack->client, pack->options->read, ret_text);
    return status == CLIENT_DONE ? kept_check(pack, layout, *ret_text) : status;
}

static int page_ask(struct pack *pack, struct page *page) {
    struct tb_report_ask ask = {0};
    _cleanup_(freep) char *text = NULL;
    int status = pack->options->read ? CLIENT_DONE : ask_make(pack, page->layout, &ask);
    if (status != CLIENT_DONE)
        return status;
    ask.report_class = page->layout->report_class;
    page->report = pack->options->read ? NULL : answer_find(pack, &ask);
    if (page->report)
        return CLIENT_DONE;
    status = text_get(pack, page->layout, &ask, &text);
    if (status != CLIENT_DONE)
        return status;
    json_t *report = json_loads(text, 0, NULL);
    if (!report)
        return client_outcome(pack->client, -EBADMSG);
    page->report = report;
    pack->answers[pack->n_answers++] = (struct answer){.ask = ask, .report = report};
    return CLIENT_DONE;
}

/* ----------------------------------------------------------------- writing */

/* A name of which the report has nothing may be a slip of the layout: it is shown as [z]. */
static void lines_check(const struct page *page) {
    struct report_words words;
    report_words_init(&words, page->report);
    for (size_t i = 0; i < page->layout->n_items; i++) {
        const struct layout_item *item = &page->layout->items[i];
        if (item->as == LAYOUT_HEADING || item->as == LAYOUT_TABLE)
            continue;
        if (!layout_figure_find(&words, item->path))
            client_line(stderr,
                        "%s, line %zu: the report has nothing under %s: shown as [z]. Check the "
                        "name.",
                        page->layout->path, item->line, item->path);
    }
}

static int page_make(struct pack *pack, struct page *page) {
    FILE *to = open_memstream(&page->text, &page->n_text);
    if (!to)
        return client_outcome(pack->client, -ENOMEM);
    lines_check(page);
    layout_print(to, page->layout, page->report);
    bool is_whole = !ferror(to);
    if (fclose(to) != 0 || !is_whole)
        return client_outcome(pack->client, -ENOMEM);
    return CLIENT_DONE;
}

/* No page of this run stays where one cannot be written. */
static int pages_write(struct pack *pack) {
    int r = file_make_directories(pack->options->out, 0777);
    size_t n = 0;
    for (; r == 0 && n < pack->n_pages; n++)
        r = file_create(pack->pages[n].path, 0644, pack->pages[n].text, pack->pages[n].n_text);
    if (r == 0)
        return CLIENT_DONE;
    for (size_t i = 0; i + 1 < n; i++)
        unlink(pack->pages[i].path);
    const char *path = n > 0 ? pack->pages[n - 1].path : pack->options->out;
    if (r == -EEXIST)
        return client_refuse(pack->client, TB_BAD_FILE,
                             "%s is there already, and nothing was written: name another directory "
                             "with --out, or move it away.",
                             path);
    return client_refuse(pack->client, TB_BAD_FILE, "%s cannot be written: %s. Nothing was.", path,
                         strerror(-r));
}

static void page_tell(const struct client *client, const struct page *page) {
    const json_t *report = page->report;
    int64_t n_hidden = (int64_t)json_integer_value(json_object_get(report, "suppressed"));
    char hidden[REPORT_FIGURE_BYTES];
    if (client->json) {
        client_print_json(json_pack(
            "{s:o, s:o, s:s, s:O, s:O, s:O, s:I, s:O}", "layout",
            client_json_text(page->layout->path), "file", client_json_text(page->path), "title",
            page->layout->title, "from", json_object_get(report, "from"), "to",
            json_object_get(report, "to"), "class", json_object_get(report, "class"), "suppressed",
            (json_int_t)n_hidden, "position", json_object_get(report, "position")));
        return;
    }
    client_line(stdout, "%s: %s, %s to %s, class %s, %s figures hidden in the report.", page->path,
                page->layout->title, report_words_text(report, "from"),
                report_words_text(report, "to"), report_words_text(report, "class"),
                report_figure_count(n_hidden, hidden));
}

/* --------------------------------------------------------------- directories */

static int name_is_layout(const struct dirent *entry) {
    size_t n = strlen(entry->d_name), n_suffix = strlen(SUFFIX);
    return n > n_suffix && entry->d_name[0] != '.' &&
           strcmp(entry->d_name + n - n_suffix, SUFFIX) == 0;
}

static char *out_path(const char *out, const char *name, enum layout_format format) {
    static const char *const suffixes[] = {
        [LAYOUT_TEXT] = "txt", [LAYOUT_CSV] = "csv", [LAYOUT_HTML] = "html"};
    char *path = NULL;
    if (asprintf(&path, "%s/%.*s.%s", out, (int)(strlen(name) - strlen(SUFFIX)), name,
                 suffixes[format]) < 0)
        return NULL;
    return path;
}

static int page_read(struct pack *pack, const char *directory, const char *name) {
    struct page *page = &pack->pages[pack->n_pages];
    _cleanup_(freep) char *path = NULL;
    int status;
    if (asprintf(&path, "%s/%s", directory, name) < 0) {
        path = NULL;
        return client_outcome(pack->client, -ENOMEM);
    }
    status = layout_read(pack->client, path, &page->layout);
    if (status != CLIENT_DONE)
        return status;
    pack->n_pages++;
    page->path = out_path(pack->options->out, name, page->layout->format);
    return page->path ? CLIENT_DONE : client_outcome(pack->client, -ENOMEM);
}

static int names_read(struct pack *pack, const char *directory, struct dirent **names, int n) {
    int status = CLIENT_DONE;
    if (n == 0)
        return client_refuse(pack->client, TB_BAD_FILE,
                             "%s holds no file whose name ends in .layout: put some there.",
                             directory);
    if (n > LAYOUTS_MAX)
        return client_refuse(pack->client, TB_BAD_FILE,
                             "%s holds more than %d layouts: split it in two.", directory,
                             LAYOUTS_MAX);
    for (int i = 0; status == CLIENT_DONE && i < n; i++)
        status = page_read(pack, directory, names[i]->d_name);
    return status;
}

static int directory_read(struct pack *pack, const char *directory) {
    struct dirent **names = NULL;
    int n = scandir(directory, &names, name_is_layout, alphasort), status;
    if (n < 0)
        return client_refuse(
            pack->client, TB_BAD_FILE,
            "%s cannot be read as a directory: %s. For one layout leave out --out.", directory,
            strerror(errno));
    status = names_read(pack, directory, names, n);
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
    return status;
}

/* ---------------------------------------------------------------------- verb */

static int pack_make(struct pack *pack) {
    int status = CLIENT_DONE;
    for (size_t i = 0; status == CLIENT_DONE && i < pack->n_pages; i++)
        status = page_ask(pack, &pack->pages[i]);
    for (size_t i = 0; status == CLIENT_DONE && i < pack->n_pages; i++)
        status = page_make(pack, &pack->pages[i]);
    if (status == CLIENT_DONE)
        status = pages_write(pack);
    for (size_t i = 0; status == CLIENT_DONE && i < pack->n_pages; i++)
        page_tell(pack->client, &pack->pages[i]);
    return status;
}

static int single_make(struct pack *pack) {
    struct page *page = &pack->pages[0];
    int status = layout_read(pack->client, pack->options->layout, &page->layout);
    if (status != CLIENT_DONE)
        return status;
    pack->n_pages = 1;
    status = page_ask(pack, page);
    if (status != CLIENT_DONE)
        return status;
    lines_check(page);
    if (pack->client->json)
        client_print_json(layout_print_json(page->layout, page->report));
    else
        layout_print(stdout, page->layout, page->report);
    return CLIENT_DONE;
}

int layout_run(struct client *client, const struct report_options *options) {
    struct pack pack = {.client = client, .options = options};
    int status;
    pack.pages = calloc(LAYOUTS_MAX, sizeof(*pack.pages));
    pack.answers = calloc(LAYOUTS_MAX, sizeof(*pack.answers));
    if (!pack.pages || !pack.answers)
        status = client_outcome(client, -ENOMEM);
    else if (!options->out)
        status = single_make(&pack);
    else {
        status = directory_read(&pack, options->layout);
        if (status == CLIENT_DONE)
            status = pack_make(&pack);
    }
    pack_fini(&pack);
    return status;
}
