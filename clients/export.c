/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank export: the ledger, or who exchanged with whom, for other programs. What is asked for is
 * read at one position, so that the same question gives the same bytes; edges have names made up
 * for the one reply.
 */
#include "export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "options.h"
#include "verbs.h"

#define PROGRESS_AFTER_MS 1000u
#define PROGRESS_EVERY_MS 500u
#define PROGRESS_LOOK 256u /* entries from one look at the clock to the next */

enum format { FORMAT_CSV, FORMAT_JSON, FORMAT_BOOKS, FORMAT_EDGES };

static const struct format_row {
    const char *name;
    enum format format;
    const struct export_style *style;
    bool as_graphml;
} formats[] = {{"csv", FORMAT_CSV, NULL, false},
               {"hledger", FORMAT_BOOKS, &export_style_hledger, false},
               {"ledger", FORMAT_BOOKS, &export_style_ledger, false},
               {"beancount", FORMAT_BOOKS, &export_style_beancount, false},
               {"edges", FORMAT_EDGES, NULL, false},
               {"graphml", FORMAT_EDGES, NULL, true}};
static const struct format_row format_json = {"json", FORMAT_JSON, NULL, false};

struct export_run {
    struct client *client;
    const struct format_row *format;
    struct export_ask ask;
    struct export_moves *moves;
    struct export_books *books;
    uint64_t n_entries;
    uint64_t began_ms, told_ms; /* monotonic */
};

/* ---- progress, for who waits at a terminal */

static void progress_tell(struct export_run *run, uint64_t entry) {
    if (run->n_entries++ % PROGRESS_LOOK != 0 || !isatty(STDERR_FILENO))
        return;
    uint64_t now_ms = clock_monotonic_ms();
    if (now_ms - run->began_ms < PROGRESS_AFTER_MS || now_ms - run->told_ms < PROGRESS_EVERY_MS)
        return;
    run->told_ms = now_ms;
    fprintf(stderr, "\rRead %" PRIu64 " of %" PRIu64 " records ...", entry, run->ask.size);
}

static void progress_end(const struct export_run *run) {
    if (run->told_ms > 0)
        fputs("\r\033[K", stderr);
}

/* ---- the journal */

static int take_move(void *user, const struct export_move *move) {
    struct export_run *run = user;
    switch (run->format->format) {
    case FORMAT_CSV:
        return export_csv_move(&run->ask, move);
    case FORMAT_JSON:
        return export_json_move(&run->ask, move);
    default:
        return export_books_move(run->books, move);
    }
}

static void begin_output(const struct export_run *run) {
    if (run->format->format == FORMAT_CSV)
        export_csv_begin();
    else if (run->format->style)
        run->format->style->head(&run->ask);
    fflush(stdout);
}

static int read_journal(struct export_run *run) {
    struct tb_list *list = NULL;
    const struct tb_journal_entry *entry;
    int r = tb_journal_begin(run->client->bank, run->ask.size, &list);
    if (r == 0)
        r = tb_journal_position(list, &run->ask.size, run->ask.root);
    if (r == 0)
        begin_output(run);
    while (r == 0 && (entry = tb_journal_next(list))) {
        r = export_moves_of(run->moves, entry, take_move, run);
        progress_tell(run, entry->entry);
    }
    progress_end(run);
    if (!list)
        return r;
    int end = tb_list_end(list);
    return r != 0 ? r : end;
}

static int export_journal(struct export_run *run) {
    int r = export_moves_new(&run->moves);
    if (r == 0 && run->format->style)
        r = export_books_new(&run->books);
    if (r == 0)
        r = read_journal(run);
    if (r == 0 && run->format->style)
        r = export_books_write(run->books, run->moves, &run->ask, run->format->style);
    export_books_free(run->books);
    export_moves_free(run->moves);
    return client_outcome(run->client, r);
}

/* ---- edges */

static int export_edges(struct export_run *run) {
    const struct tb_report_ask ask = {.from_day = run->ask.from_day,
                                      .to_day = run->ask.to_day,
                                      .at_size = run->ask.size,
                                      .what = TB_REPORT_EDGES};
    _cleanup_(freep) char *text = NULL;
    int r = tb_report_get(run->client->bank, &ask, &text);
    if (r != 0)
        return client_outcome(run->client, r);
    json_t *edges = json_loads(text, 0, NULL);
    r = edges ? export_edges_print(edges, run->format->as_graphml) : -EBADMSG;
    json_decref(edges);
    return client_outcome(run->client, r);
}

/* ---- the words */

struct words {
    char *format, *from, *to, *at, *out;
};

static int format_read(struct client *client, const struct words *words,
                       const struct format_row **ret) {
    if (!words->format && client->json) {
        *ret = &format_json;
        return CLIENT_DONE;
    }
    for (size_t i = 0; words->format && i < N_ELEMENTS(formats); i++)
        if (strcmp(words->format, formats[i].name) == 0) {
            *ret = &formats[i];
            return CLIENT_DONE;
        }
    if (!words->format)
        return client_usage(&verb_export, "Say which --format: csv, hledger, ledger, beancount, "
                                          "edges or graphml.");
    return client_usage(&verb_export,
                        "There is no format \"%s\": it is csv, hledger, ledger, beancount, edges "
                        "or graphml.",
                        words->format);
}

static int size_read(struct client *client, const char *text, uint64_t *ret_size) {
    size_t n = strlen(text);
    if (n == 0 || n > 18 || strspn(text, "0123456789") != n || strtoull(text, NULL, 10) == 0)
        return client_refuse(client, TB_BAD_NUMBER,
                             "\"%s\" is no position: --at takes the size of the ledger that an "
                             "export or timebank status named.",
                             text);
    *ret_size = strtoull(text, NULL, 10);
    return CLIENT_DONE;
}

static int ask_read(struct client *client, const struct words *words, struct export_run *run) {
    int status = CLIENT_DONE;
    run->ask.to_day = UINT32_MAX;
    if (words->from)
        status = client_date(client, words->from, &run->ask.from_day);
    if (status == CLIENT_DONE && words->to)
        status = client_date(client, words->to, &run->ask.to_day);
    if (status == CLIENT_DONE && words->at)
        status = size_read(client, words->at, &run->ask.size);
    if (status == CLIENT_DONE && run->ask.to_day < run->ask.from_day)
        status = client_refuse(client, TB_BAD_PERIOD,
                               "The period ends before it begins: check --from and --to.");
    if (status == CLIENT_DONE && run->format->format == FORMAT_EDGES &&
        (!words->from || !words->to))
        status = client_usage(&verb_export, "Edges are those of a period: give --from and --to.");
    return status;
}

/* Standard output becomes a new file; one that is there stays as it is. */
static int out_open(struct client *client, const char *path) {
    if (!path || strcmp(path, "-") == 0)
        return CLIENT_DONE;
    int kept = dup(STDOUT_FILENO);
    if (kept < 0 || !freopen(path, "wx", stdout)) {
        int r = -errno;
        if (kept >= 0)
            dup2(kept, STDOUT_FILENO);
        return client_outcome_why(client, r,
                                  r == -EEXIST
                                      ? "That file is there already, and nothing is written over "
                                        "it: name another, or remove it first."
                                      : "The file cannot be written: check its directory.");
    }
    close(kept);
    return CLIENT_DONE;
}

static int out_close(struct client *client, const char *path, int status) {
    bool is_file = path && strcmp(path, "-") != 0;
    if (fflush(stdout) != 0 && status == CLIENT_DONE)
        status = client_outcome_why(client, -EIO,
                                    "The export could not be written whole: make room, then ask "
                                    "again.");
    if (is_file && status != CLIENT_DONE)
        unlink(path);
    return status;
}

static int export_verb(struct client *client, int argc, char **argv) {
    struct words words = {0};
    struct export_run run = {.client = client, .began_ms = clock_monotonic_ms()};
    const struct options_one options[] = {
        OPTION_TEXT("format", &words.format), OPTION_TEXT("from", &words.from),
        OPTION_TEXT("to", &words.to),         OPTION_TEXT("at", &words.at),
        OPTION_TEXT("out", &words.out),       OPTION_END};
    int status = options_read(&verb_export, argc, argv, options, 0, 0, NULL);
    if (status == CLIENT_DONE)
        status = format_read(client, &words, &run.format);
    if (status == CLIENT_DONE)
        status = ask_read(client, &words, &run);
    if (status == CLIENT_DONE)
        status = client_open(client);
    if (status == CLIENT_DONE)
        status = out_open(client, words.out);
    if (status != CLIENT_DONE)
        return status;
    run.ask.bank = tb_bank_origin(client->bank);
    status = run.format->format == FORMAT_EDGES ? export_edges(&run) : export_journal(&run);
    return out_close(client, words.out, status);
}

const struct verb verb_export = {
    .name = "export",
    .summary = "the ledger for spreadsheets, accounting programs and network tools",
    .help =
        "timebank export --format hledger --from 2024-04-01 --to 2025-03-31 --out year.journal\n"
        "\n"
        "Every entry as far as it moved or counted something, by date of service. The same\n"
        "question at the same position gives the same bytes. For brokers, stewards and\n"
        "auditors: it says who helped whom, so keep it to yourself.\n"
        "\n"
        "  --format csv        one leg of an entry a row, for a spreadsheet\n"
        "  --format hledger|ledger|beancount  books for these programs, with every account\n"
        "                      declared and the balances at the end of each month\n"
        "  --format edges|graphml  who exchanged with whom, under names made up for this\n"
        "                      export alone; needs --from and --to\n"
        "  --from DATE --to DATE  only these dates of service, both days included; books\n"
        "                      carry the balances forward\n"
        "  --at SIZE           at an earlier position of the ledger\n"
        "  --out FILE          into a new file\n"
        "  --json              one entry a line, with its legs\n",
    .run = export_verb,
};
