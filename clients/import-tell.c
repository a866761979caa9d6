/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an import says at its end: in words with the refusals on standard error, or one JSON object.
 * Counts are of rows; names that were declared are told apart.
 */
#include "import.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define REFUSED_ALIKE_MAX 20 /* refusals of one kind in one column that are told one by one */
#define WARNED_ALIKE_MAX 3

struct counts {
    size_t recorded; /* rows; in a dry run those that would be */
    size_t accounts; /* of these */
    size_t already;
    size_t refused;
    uint64_t minutes; /* of the time in recorded entries, reversals apart */
};

/* What counts as done: recorded, or in a dry run everything that is left to record. */
static enum import_outcome outcome_done(const struct import *import) {
    return import->dry_run ? OUTCOME_WAITING : OUTCOME_RECORDED;
}

static bool is_done(const struct import *import, const struct import_item *item) {
    return item->outcome == outcome_done(import) &&
           (!import->dry_run || import->skip_bad || import->n_refused == 0);
}

static struct counts counts_make(const struct import *import) {
    static const enum import_phase phases[] = {PHASE_ACCOUNTS, PHASE_ENTRIES};
    struct counts counts = {0};
    for (size_t p = 0; p < N_ELEMENTS(phases); p++) {
        const struct import_list *list = &import->lists[phases[p]];
        for (size_t i = 0; i < list->n; i++) {
            const struct import_item *item = &list->items[i];
            counts.already += item->outcome == OUTCOME_ALREADY;
            if (!is_done(import, item))
                continue;
            counts.recorded++;
            counts.accounts += phases[p] == PHASE_ACCOUNTS;
            counts.minutes += item->order.minutes * (item->order.kind != TB_REVERSE);
        }
    }
    for (size_t i = 0; i < import->n_files; i++)
        for (size_t row = 0; row < import->files[i].n_rows; row++)
            counts.refused += import->files[i].rows[row].refused;
    return counts;
}

static int refused_compare(const void *a, const void *b) {
    const struct import_refused *one = a, *other = b;
    if (one->file != other->file)
        return one->file < other->file ? -1 : 1;
    return one->line < other->line ? -1 : one->line > other->line;
}

/* -------------------------------------------------------------------- JSON */

static json_t *refused_json(const struct import *import) {
    json_t *array = json_array();
    for (size_t i = 0; i < import->n_refused; i++) {
        const struct import_refused *refused = &import->refused[i];
        json_array_append_new(array, json_pack("{s:I, s:o, s:s, s:o, s:o}", "line",
                                               (json_int_t)refused->line, "column",
                                               client_json_text(refused->column), "refused",
                                               tb_refusal_name(refused->refusal), "message",
                                               client_json_text(refused->message), "file",
                                               client_json_text(refused->path)));
    }
    return array;
}

static json_t *warnings_json(const struct import *import) {
    json_t *array = json_array();
    for (size_t i = 0; i < import->n_warned; i++) {
        const struct import_warned *warned = &import->warned[i];
        json_array_append_new(array,
                              json_pack("{s:s, s:o, s:I, s:I, s:o}", "warning",
                                        tb_warning_name(warned->warning), "message",
                                        client_json_text(warned->message), "entry",
                                        (json_int_t)warned->entry, "line", (json_int_t)warned->line,
                                        "file", client_json_text(warned->path)));
    }
    return array;
}

static json_t *declared_json(const struct import *import) {
    const struct import_list *list = &import->lists[PHASE_NAMES];
    json_t *array = json_array();
    for (size_t i = 0; i < list->n; i++) {
        const struct tb_order *order = &list->items[i].order;
        if (!is_done(import, &list->items[i]))
            continue;
        if (order->kind == TB_SET_OFFER)
            json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:I}", "kind", "offer", "venue",
                                                   order->to, "name", order->offer, "price_minutes",
                                                   (json_int_t)order->price_minutes));
        else
            json_array_append_new(array,
                                  json_pack("{s:s, s:s}", "kind",
                                            order->kind == TB_SET_FUNDER ? "funder" : "activity",
                                            "name", order->name));
    }
    return array;
}

static void tell_json(const struct import *import, const struct counts *counts) {
    size_t recorded = import->dry_run ? 0 : counts->recorded;
    json_t *object = json_pack("{s:I, s:I, s:o, s:o, s:o, s:I}", "recorded", (json_int_t)recorded,
                               "already", (json_int_t)counts->already, "refused",
                               refused_json(import), "warnings", warnings_json(import), "declared",
                               declared_json(import), "minutes", (json_int_t)counts->minutes);
    if (object && import->dry_run) {
        json_object_set_new(object, "dry_run", json_true());
        json_object_set_new(object, "would_record", json_integer((json_int_t)counts->recorded));
    }
    if (object && import->client->bank)
        json_object_set_new(object, "position", client_position(import->client));
    client_print_json(object);
}

/* ------------------------------------------------------------------- words */

static bool refused_is_alike(const struct import_refused *one, const struct import_refused *other) {
    return one->refusal == other->refusal && one->file == other->file &&
           strcmp(one->column, other->column) == 0;
}

/* How many refusals before i are like it; counted no further than one past the most that are told.
 */
static size_t refused_alike_before(const struct import *import, size_t i) {
    size_t n = 0;
    for (size_t k = i; k-- > 0 && n <= REFUSED_ALIKE_MAX;)
        n += refused_is_alike(&import->refused[k], &import->refused[i]);
    return n;
}

/* "22 to 9074, 9076": the lines of refusal i and of all after it that are like it. */
static void alike_tell(const struct import *import, size_t i) {
    const struct import_refused *first = &import->refused[i];
    _cleanup_(freep) char *lines = NULL;
    size_t n_lines;
    FILE *stream = open_memstream(&lines, &n_lines);
    if (!stream)
        return;
    uint32_t from = first->line, last = first->line;
    for (size_t k = i + 1; k <= import->n_refused; k++) {
        const struct import_refused *next = k < import->n_refused ? &import->refused[k] : NULL;
        if (next && !refused_is_alike(next, first))
            continue;
        if (next && next->line <= last + 1) {
            last = next->line;
            continue;
        }
        fprintf(stream, "%s%" PRIu32, from == first->line ? "" : ", ", from);
        if (last > from)
            fprintf(stream, " to %" PRIu32, last);
        from = last = next ? next->line : 0;
    }
    fclose(stream);
    client_line(stderr, "%s%s%s, likewise (%s): lines %s", first->path,
                *first->column ? " column " : "", first->column, tb_refusal_name(first->refusal),
                lines);
}

static void refused_tell(const struct import *import) {
    for (size_t i = 0; i < import->n_refused; i++) {
        const struct import_refused *refused = &import->refused[i];
        size_t n_before = refused_alike_before(import, i);
        if (n_before == REFUSED_ALIKE_MAX)
            alike_tell(import, i);
        if (n_before >= REFUSED_ALIKE_MAX)
            continue;
        if (refused->line == 0)
            client_line(stderr, "%s: %s", refused->path, refused->message);
        else
            client_line(stderr, "%s line %" PRIu32 "%s%s: %s", refused->path, refused->line,
                        *refused->column ? ", column " : "", refused->column, refused->message);
    }
}

static void warnings_tell(const struct import *import) {
    for (int kind = 1; *tb_warning_name(kind) && kind < 256; kind++) {
        size_t n = 0;
        for (size_t i = 0; i < import->n_warned; i++)
            n += import->warned[i].warning == kind;
        if (n == 0)
            continue;
        client_line(stdout, "Warning %s: %zu %s.", tb_warning_name(kind), n,
                    n == 1 ? "row" : "rows");
        for (size_t i = 0, told = 0; i < import->n_warned && told < WARNED_ALIKE_MAX; i++) {
            const struct import_warned *warned = &import->warned[i];
            if (warned->warning != kind)
                continue;
            client_line(stdout, "  %s line %" PRIu32 ": %s", warned->path, warned->line,
                        warned->message);
            told++;
        }
        if (n > WARNED_ALIKE_MAX)
            client_line(stdout, "  and %zu more", n - WARNED_ALIKE_MAX);
    }
}

/* The declared names of one kind on one line; offers with their price. */
static void declared_tell(const struct import *import, enum tb_kind kind, const char *title) {
    const struct import_list *list = &import->lists[PHASE_NAMES];
    _cleanup_(freep) char *line = NULL;
    size_t n_line, n = 0;
    FILE *stream = open_memstream(&line, &n_line);
    if (!stream)
        return;
    for (size_t i = 0; i < list->n; i++) {
        const struct tb_order *order = &list->items[i].order;
        char price[32];
        if (order->kind != kind || !is_done(import, &list->items[i]))
            continue;
        tb_time_format((int64_t)order->price_minutes, price);
        if (kind == TB_SET_OFFER)
            fprintf(stream, "%s%s/%s at %s", n ? ", " : "", order->to, order->offer, price);
        else
            fprintf(stream, "%s%s", n ? ", " : "", order->name);
        n++;
    }
    fclose(stream);
    if (n > 0)
        client_line(stdout, "%s %s (%zu): %s", title, import->dry_run ? "to declare" : "declared",
                    n, line);
}

static const char *plural(size_t n) {
    return n == 1 ? "" : "s";
}

static void counts_tell(const struct import *import, const struct counts *counts) {
    size_t n_entries = counts->recorded - counts->accounts;
    char time[32];
    tb_time_format((int64_t)counts->minutes, time);
    if (counts->recorded == 0)
        client_line(stdout, "Nothing %s recorded.", import->dry_run ? "would be" : "new was");
    else if (import->lines)
        client_line(stdout, "%s %zu line%s, %s in all.",
                    import->dry_run ? "Would record" : "Recorded", n_entries, plural(n_entries),
                    time);
    else
        client_line(stdout, "%s %zu account%s and %zu entr%s, %s in all.",
                    import->dry_run ? "Would record" : "Recorded", counts->accounts,
                    plural(counts->accounts), n_entries, n_entries == 1 ? "y" : "ies", time);
    if (counts->already > 0)
        client_line(stdout, "Already in: %zu %s%s; nothing is counted twice.", counts->already,
                    import->lines ? "line" : "row", plural(counts->already));
    declared_tell(import, TB_SET_ACTIVITY, "Activities");
    declared_tell(import, TB_SET_FUNDER, "Funders");
    declared_tell(import, TB_SET_OFFER, "Offers");
}

static void end_tell(const struct import *import, const struct counts *counts) {
    if (import->n_refused == 0) {
        if (import->dry_run)
            client_line(stdout, "This was a dry run: nothing was recorded.");
        return;
    }
    size_t n = counts->refused;
    const char *others = import->skip_bad ? "" : ", or leave bad rows out with --skip-bad";
    if (n == 0)
        client_line(stderr,
                    "Nothing was recorded. Put right what is listed and run the same command "
                    "again.");
    else if (import->dry_run || !import->skip_bad || counts->recorded == 0)
        client_line(stderr,
                    "%zu row%s refused; nothing was recorded. Put %s right and run the same "
                    "command again%s.",
                    n, n == 1 ? " was" : "s were", n == 1 ? "it" : "them", others);
    else
        client_line(stderr, "%zu row%s left out, listed above; the rest is recorded.", n,
                    n == 1 ? " was" : "s were");
}

void import_tell(struct import *import, int status) {
    struct counts counts = counts_make(import);
    if (import->n_refused > 0)
        qsort(import->refused, import->n_refused, sizeof(*import->refused), refused_compare);
    if (import->client->json) {
        tell_json(import, &counts);
        return;
    }
    if (status == CLIENT_DONE || counts.recorded > 0 || counts.already > 0)
        counts_tell(import, &counts);
    warnings_tell(import);
    refused_tell(import);
    end_tell(import, &counts);
}
