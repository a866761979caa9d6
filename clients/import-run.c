/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks the bank. Everything is judged in a dry run first, batch upon batch; what is refused is
 * taken out and the batch judged again, so that one run finds every bad row and what comes later is
 * judged as it will be. Only then is anything recorded, batch by batch. How items are cut into
 * batches depends on the files alone; what was in before drops out of its batch and is counted as
 * such.
 */
#include "import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define PROGRESS_AFTER_MS 1000u

struct part {
    struct tb_batch *batch;
    struct import_item **items; /* of each order of the batch, in its order */
    size_t n;
};

struct run {
    struct import *import;
    struct part *parts;
    size_t n_parts;
    size_t n_all; /* items */
    uint64_t started_ms;
    bool telling; /* progress stands on the terminal */
};

static void run_fini(struct run *run) {
    for (size_t i = 0; i < run->n_parts; i++) {
        tb_batch_free(run->parts[i].batch);
        free(run->parts[i].items);
    }
    free(run->parts);
}

/* ------------------------------------------------------------ what is told */

static void progress_tell(struct run *run, const char *doing, size_t n_done) {
    if (!isatty(STDERR_FILENO) || clock_monotonic_ms() - run->started_ms < PROGRESS_AFTER_MS)
        return;
    fprintf(stderr, "\r%s %zu of %zu ...\x1b[K", doing, n_done, run->n_all);
    fflush(stderr);
    run->telling = true;
}

static void progress_end(struct run *run) {
    if (run->telling)
        fputs("\r\x1b[K", stderr);
    run->telling = false;
}

static size_t items_count(const struct import *import, enum import_outcome outcome) {
    size_t n = 0;
    for (int phase = 0; phase < N_PHASES; phase++)
        for (size_t i = 0; i < import->lists[phase].n; i++)
            n += import->lists[phase].items[i].outcome == outcome;
    return n;
}

/* The bank failed on the way. What is in stays in, and the way on is the same command. */
static int run_stop(struct run *run, int r) {
    size_t n = items_count(run->import, OUTCOME_RECORDED);
    size_t n_in = n + items_count(run->import, OUTCOME_ALREADY);
    progress_end(run);
    run->import->stopped = true;
    if (n > 0 && !run->import->dry_run)
        client_line(
            stderr,
            "The import stopped on the way: %zu of %zu orders are known to be in, and stay. "
            "Run the same command again to go on; nothing is counted twice.",
            n_in, run->n_all);
    return client_outcome(run->import->client, r);
}

/* ----------------------------------------------------------------- batches */

static struct part *part_add(struct run *run) {
    struct part *parts = reallocarray(run->parts, run->n_parts + 1, sizeof(*parts));
    if (!parts)
        return NULL;
    run->parts = parts;
    struct part *part = &parts[run->n_parts];
    *part = (struct part){0};
    part->items = calloc(TB_BATCH_ORDERS_MAX, sizeof(*part->items));
    if (!part->items)
        return NULL;
    run->n_parts++;
    if (tb_batch_new(run->import->client->bank, &part->batch) != 0)
        return NULL;
    tb_batch_set_open_ended(part->batch);
    return part;
}

/* Adds to the last batch, or to a new one where that is full. */
static int item_put(struct run *run, struct part **part, struct import_item *item) {
    int r = *part ? tb_batch_add((*part)->batch, &item->order, NULL) : -E2BIG;
    if (r == -E2BIG) {
        *part = part_add(run);
        r = *part ? tb_batch_add((*part)->batch, &item->order, NULL) : -ENOMEM;
    }
    if (r != 0)
        return r;
    (*part)->items[(*part)->n++] = item;
    run->n_all++;
    return 0;
}

static int list_cut(struct run *run, struct import_list *list) {
    struct import *import = run->import;
    struct part *part = NULL;
    int r = 0;
    for (size_t i = 0; i < list->n && r >= 0; i++) {
        struct import_item *item = &list->items[i];
        r = item_put(run, &part, item);
        if (r > 0) { /* what no order can hold */
            item->outcome = OUTCOME_REFUSED;
            r = import_refuse(import, item->row->file, item->row, item->row->line, "", r, "%s",
                              tb_bank_message(import->client->bank));
        }
    }
    return r < 0 ? r : 0;
}

static int part_drop(struct part *part, size_t place) {
    int r = tb_batch_drop(part->batch, place);
    if (r != 0)
        return r;
    part->n--;
    memmove(&part->items[place], &part->items[place + 1], (part->n - place) * sizeof(*part->items));
    return 0;
}

/* Takes out what is decided; from the end, so that little moves. */
static int part_drop_outcome(struct part *part, enum import_outcome outcome) {
    int r = 0;
    for (size_t place = part->n; place-- > 0 && r == 0;)
        if (part->items[place]->outcome == outcome)
            r = part_drop(part, place);
    return r;
}

/* True for what the bank says of the batch or the session rather than of an order. */
static bool refusal_is_of_batch(const struct part *part, int refusal) {
    return tb_batch_refusals(part->batch) == 0 ||
           (refusal < TB_NOT_CANONICAL && refusal != TB_NO_AUTHORITY);
}

static int refusal_note(struct import *import, struct import_item *item,
                        const struct tb_refused *refused) {
    struct import_row *row = item->row;
    if (refused->refusal == TB_ALREADY) {
        item->outcome = OUTCOME_ALREADY;
        return 0;
    }
    item->outcome = OUTCOME_REFUSED;
    int r = import_refuse(
        import, row->file, item->phase == PHASE_NAMES ? NULL : row, row->line,
        import_row_column(item, refused->field, refused->refusal), refused->refusal, "%s",
        *refused->message ? refused->message : tb_refusal_sentence(refused->refusal));
    return r < 0 ? r : 0;
}

/* Notes every refusal of the batch at its row, and takes those orders out. */
static int part_sift(struct run *run, struct part *part) {
    size_t n = tb_batch_refusals(part->batch);
    for (size_t i = 0; i < n; i++) {
        struct tb_refused refused;
        int r = tb_batch_refusal(part->batch, i, &refused);
        if (r == 0 && refused.place >= part->n)
            r = -EBADMSG;
        if (r == 0)
            r = refusal_note(run->import, part->items[refused.place], &refused);
        if (r != 0)
            return r;
    }
    int r = part_drop_outcome(part, OUTCOME_REFUSED);
    return r ? r : part_drop_outcome(part, OUTCOME_ALREADY);
}

static int warnings_note(struct import *import, const struct part *part,
                         const struct tb_answer *answer) {
    for (size_t i = 0; i < tb_answer_warnings(answer); i++) {
        struct tb_warning warning;
        int r = tb_answer_warning(answer, i, &warning);
        if (r == 0 && warning.place >= part->n)
            r = -EBADMSG;
        if (r != 0)
            return r;
        const struct import_item *item = part->items[warning.place];
        if (item->outcome == OUTCOME_ALREADY)
            continue;
        struct import_warned *warned =
            reallocarray(import->warned, import->n_warned + 1, sizeof(*warned));
        if (!warned)
            return -ENOMEM;
        import->warned = warned;
        warned[import->n_warned] = (struct import_warned){.path = item->row->file->path,
                                                          .line = item->row->line,
                                                          .warning = warning.warning,
                                                          .entry = warning.entry,
                                                          .message = strdup(warning.message)};
        if (!warned[import->n_warned].message)
            return -ENOMEM;
        import->n_warned++;
    }
    return 0;
}

static void answer_note(struct part *part, const struct tb_answer *answer,
                        enum import_outcome outcome) {
    for (size_t place = 0; place < part->n; place++)
        part->items[place]->outcome = tb_answer_already(answer, place) ? OUTCOME_ALREADY : outcome;
}

/* ----------------------------------------------------------------- dry run */

/* Judges one batch until nothing in it is refused. Its warnings count where nothing is recorded
 * later. */
static int part_judge(struct run *run, struct part *part) {
    while (part->n > 0) {
        struct tb_answer *answer = NULL;
        int r = tb_batch_dry_run(part->batch, &answer);
        if (r == 0) {
            answer_note(part, answer, OUTCOME_WAITING);
            if (run->import->dry_run)
                r = warnings_note(run->import, part, answer);
            tb_answer_free(answer);
            return r ? r : part_drop_outcome(part, OUTCOME_ALREADY);
        }
        if (r < 0 || refusal_is_of_batch(part, r))
            return r;
        r = part_sift(run, part);
        if (r != 0)
            return r;
    }
    return 0;
}

static int run_judge(struct run *run) {
    size_t n_done = 0;
    int r = 0;
    for (size_t i = 0; i < run->n_parts && r == 0; i++) {
        progress_tell(run, "Checking", n_done);
        n_done += run->parts[i].n;
        r = part_judge(run, &run->parts[i]);
    }
    progress_end(run);
    int ended = r < 0 ? 0 : tb_bank_end_dry_run(run->import->client->bank);
    return r ? r : ended;
}

/* --------------------------------------------------------------- recording */

/* Records one batch. Only what another run of this import recorded meanwhile may be refused. */
static int part_record(struct run *run, struct part *part) {
    while (part->n > 0) {
        struct tb_answer *answer = NULL;
        int r = tb_batch_submit(part->batch, &answer);
        if (r == 0) {
            answer_note(part, answer, OUTCOME_RECORDED);
            r = warnings_note(run->import, part, answer);
            tb_answer_free(answer);
            return r;
        }
        if (r < 0 || refusal_is_of_batch(part, r))
            return r;
        size_t n_refused = run->import->n_refused;
        int sifted = part_sift(run, part);
        if (sifted != 0 || run->import->n_refused > n_refused)
            return sifted ? sifted : r;
    }
    return 0;
}

/* Rows were refused that the dry run had accepted: told with the summary, which lists them. */
static int run_overtaken(struct run *run) {
    progress_end(run);
    client_line(
        stderr,
        "The ledger changed while this import ran: %zu rows are in and stay. Put right what "
        "is listed and run the same command again; nothing is counted twice.",
        items_count(run->import, OUTCOME_RECORDED));
    return CLIENT_REFUSED;
}

static int run_record(struct run *run) {
    size_t n_refused = run->import->n_refused;
    size_t n_done = 0;
    for (size_t i = 0; i < run->n_parts; i++) {
        progress_tell(run, "Recording", n_done);
        n_done += run->parts[i].n;
        int r = part_record(run, &run->parts[i]);
        if (r > 0 && run->import->n_refused > n_refused)
            return run_overtaken(run);
        if (r != 0)
            return run_stop(run, r);
    }
    progress_end(run);
    return n_refused ? CLIENT_REFUSED : CLIENT_DONE;
}

int import_run(struct import *import) {
    _cleanup_(run_fini) struct run run = {.import = import, .started_ms = clock_monotonic_ms()};
    int r = 0;
    for (int phase = 0; phase < N_PHASES && r == 0; phase++)
        r = list_cut(&run, &import->lists[phase]);
    if (r == 0)
        r = run_judge(&run);
    if (r != 0)
        return run_stop(&run, r);
    if (import->n_refused > 0 && !import->skip_bad)
        return CLIENT_REFUSED;
    if (import->dry_run)
        return import->n_refused ? CLIENT_REFUSED : CLIENT_DONE;
    return run_record(&run);
}
