/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Books by date of service. Programs that check a balance as they read want transactions in the
 * order of their dates, while the ledger has them in the order of recording: so all of them are
 * kept, small, and sorted. The same pass shows whether hundredths of an hour can say every amount;
 * where they cannot, the whole export is in minutes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "export.h"

#define MINUTES_EXACT 3 /* 0.05 h: a multiple of so many is whole hundredths of an hour */

/* Texts once each; their number is their place. */
struct names {
    json_t *numbers;
    const char **texts; /* keys of numbers */
    size_t n, n_allocated;
};

struct kept_leg {
    int64_t minutes;
    uint32_t account;
    uint32_t side;
};

struct kept_move {
    uint64_t entry, reverses;
    int64_t minutes_without_credit;
    size_t first_leg;
    size_t place; /* in the order of recording */
    uint32_t n_legs;
    uint32_t service_day, entered_day, recorded_day;
    uint32_t type, what, by, key, activity, offer, funder, programme, sheet, line;
};

struct export_books {
    struct names texts;
    struct names accounts;
    uint32_t *kinds; /* of the accounts */
    size_t n_kinds_allocated;
    struct kept_move *moves;
    size_t n_moves, n_moves_allocated;
    struct kept_leg *legs;
    size_t n_legs, n_legs_allocated;
    bool in_minutes;
    /* While they are written. */
    int64_t *balances; /* of the accounts */
    bool *changed;
    struct export_line *lines;
    size_t *order; /* accounts by kind and code */
};

/* Room for one more of n. */
static int grow(void **array, size_t n, size_t *n_allocated, size_t n_element) {
    if (n < *n_allocated)
        return 0;
    size_t wanted = *n_allocated ? 2 * *n_allocated : 256;
    void *grown = reallocarray(*array, wanted, n_element);
    if (!grown)
        return -ENOMEM;
    *array = grown;
    *n_allocated = wanted;
    return 0;
}

static int names_number(struct names *names, const char *text, uint32_t *ret) {
    json_t *number = json_object_get(names->numbers, text);
    if (number) {
        *ret = (uint32_t)json_integer_value(number);
        return 0;
    }
    int r = grow((void **)&names->texts, names->n, &names->n_allocated, sizeof(*names->texts));
    if (r == 0 &&
        json_object_set_new_nocheck(names->numbers, text, json_integer((json_int_t)names->n)) < 0)
        r = -ENOMEM;
    if (r < 0)
        return r;
    names->texts[names->n] = json_object_iter_key(json_object_iter_at(names->numbers, text));
    *ret = (uint32_t)names->n++;
    return 0;
}

static void names_fini(struct names *names) {
    free(names->texts);
    json_decref(names->numbers);
}

int export_books_new(struct export_books **ret) {
    struct export_books *books = calloc(1, sizeof(*books));
    if (!books)
        return -ENOMEM;
    books->texts.numbers = json_object();
    books->accounts.numbers = json_object();
    if (!books->texts.numbers || !books->accounts.numbers) {
        export_books_free(books);
        return -ENOMEM;
    }
    *ret = books;
    return 0;
}

struct export_books *export_books_free(struct export_books *books) {
    if (!books)
        return NULL;
    names_fini(&books->texts);
    names_fini(&books->accounts);
    free(books->kinds);
    free(books->moves);
    free(books->legs);
    free(books->balances);
    free(books->changed);
    free(books->lines);
    free(books->order);
    free(books);
    return NULL;
}

static int keep_leg(struct export_books *books, const struct export_leg *leg) {
    uint32_t account;
    int r = names_number(&books->accounts, leg->account, &account);
    if (r == 0)
        r = grow((void **)&books->kinds, account, &books->n_kinds_allocated, sizeof(uint32_t));
    if (r == 0)
        r = grow((void **)&books->legs, books->n_legs, &books->n_legs_allocated,
                 sizeof(*books->legs));
    if (r < 0)
        return r;
    books->kinds[account] = leg->account_kind;
    books->legs[books->n_legs++] = (struct kept_leg){leg->minutes, account, (uint32_t)leg->side};
    books->in_minutes |= leg->minutes % MINUTES_EXACT != 0;
    return 0;
}

int export_books_move(void *user, const struct export_move *move) {
    struct export_books *books = user;
    struct kept_move kept = {.entry = move->entry,
                             .reverses = move->reverses,
                             .minutes_without_credit = move->minutes_without_credit,
                             .first_leg = books->n_legs,
                             .place = books->n_moves,
                             .n_legs = (uint32_t)move->n_legs,
                             .service_day = move->service_day,
                             .entered_day = move->entered_day,
                             .recorded_day = move->recorded_day,
                             .line = move->line};
    const struct {
        const char *text;
        uint32_t *number;
    } texts[] = {{move->type, &kept.type},
                 {move->what, &kept.what},
                 {move->by, &kept.by},
                 {move->key, &kept.key},
                 {move->activity, &kept.activity},
                 {move->offer, &kept.offer},
                 {move->funder, &kept.funder},
                 {move->programme, &kept.programme},
                 {move->sheet, &kept.sheet}};
    int r = 0;
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(texts); i++)
        r = names_number(&books->texts, texts[i].text, texts[i].number);
    for (size_t i = 0; r == 0 && i < move->n_legs; i++)
        r = keep_leg(books, &move->legs[i]);
    if (r == 0)
        r = grow((void **)&books->moves, books->n_moves, &books->n_moves_allocated,
                 sizeof(*books->moves));
    if (r < 0)
        return r;
    books->in_minutes |= move->minutes_without_credit % MINUTES_EXACT != 0;
    books->moves[books->n_moves++] = kept;
    return 0;
}

/* ---- written */

static int compare_moves(const void *a, const void *b) {
    const struct kept_move *x = a, *y = b;
    if (x->service_day != y->service_day)
        return x->service_day < y->service_day ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static int compare_accounts(const void *a, const void *b, void *user) {
    const struct export_books *books = user;
    const size_t *x = a, *y = b;
    if (books->kinds[*x] != books->kinds[*y])
        return books->kinds[*x] < books->kinds[*y] ? -1 : 1;
    return strcmp(books->accounts.texts[*x], books->accounts.texts[*y]);
}

/* The period's last day that the month of a day has. */
static uint32_t last_of_month(uint32_t day, const struct export_ask *ask) {
    char month[16], other[16];
    uint32_t last = day;
    tb_date_format(day, month);
    for (uint32_t next = day + 1; next <= ask->to_day; next++) {
        tb_date_format(next, other);
        if (strncmp(month, other, strlen("2025-01")) != 0)
            break;
        last = next;
    }
    return last;
}

static int prepare(struct export_books *books) {
    size_t n = books->accounts.n;
    books->balances = calloc(n + 1, sizeof(*books->balances));
    books->changed = calloc(n + 1, sizeof(*books->changed));
    books->lines = calloc(n + 1, sizeof(*books->lines));
    books->order = calloc(n + 1, sizeof(*books->order));
    if (!books->balances || !books->changed || !books->lines || !books->order)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        books->order[i] = i;
    qsort_r(books->order, n, sizeof(*books->order), compare_accounts, books);
    if (books->n_moves > 1)
        qsort(books->moves, books->n_moves, sizeof(*books->moves), compare_moves);
    return 0;
}

static void add_up(struct export_books *books, const struct kept_move *kept) {
    for (size_t i = 0; i < kept->n_legs; i++) {
        const struct kept_leg *leg = &books->legs[kept->first_leg + i];
        books->balances[leg->account] += leg->minutes;
        books->changed[leg->account] = true;
    }
}

/* Of those that changed, or of all that have any; none is changed any more. */
static size_t balance_lines(struct export_books *books, bool only_changed) {
    size_t n = 0;
    for (size_t i = 0; i < books->accounts.n; i++) {
        size_t account = books->order[i];
        if (only_changed ? books->changed[account] : books->balances[account] != 0)
            books->lines[n++] =
                (struct export_line){books->accounts.texts[account], books->kinds[account],
                                     EXPORT_NEITHER, books->balances[account]};
        books->changed[account] = false;
    }
    return n;
}

static void write_balances(struct export_books *books, uint32_t day,
                           const struct export_style *style) {
    size_t n = balance_lines(books, true);
    if (n > 0)
        style->balances(day, books->lines, n, books->in_minutes);
}

static void write_opening(struct export_books *books, const struct export_ask *ask,
                          const struct export_style *style) {
    size_t n = balance_lines(books, false);
    const struct export_transaction opening = {
        .day = ask->from_day, .lines = books->lines, .n_lines = n};
    if (n > 0)
        style->transaction(&opening, books->in_minutes);
}

static struct export_move open_move(const struct export_books *books,
                                    const struct kept_move *kept) {
    const char *const *texts = books->texts.texts;
    struct export_move move = {.entry = kept->entry,
                               .reverses = kept->reverses,
                               .minutes_without_credit = kept->minutes_without_credit,
                               .service_day = kept->service_day,
                               .entered_day = kept->entered_day,
                               .recorded_day = kept->recorded_day,
                               .type = texts[kept->type],
                               .what = texts[kept->what],
                               .by = texts[kept->by],
                               .activity = texts[kept->activity],
                               .offer = texts[kept->offer],
                               .funder = texts[kept->funder],
                               .programme = texts[kept->programme],
                               .sheet = texts[kept->sheet],
                               .line = kept->line};
    strncpy(move.key, texts[kept->key], sizeof(move.key) - 1);
    return move;
}

/* What becomes of a move is known of the order itself only: what it set aside, it still does. */
static bool waits(const struct export_moves *moves, const struct export_books *books,
                  const struct kept_move *kept) {
    if (!export_moves_waits(moves, kept->entry))
        return false;
    for (size_t i = 0; i < kept->n_legs; i++) {
        const struct kept_leg *leg = &books->legs[kept->first_leg + i];
        if (books->kinds[leg->account] == TB_ACCOUNT_TRANSIT && leg->minutes > 0)
            return true;
    }
    return false;
}

static int write_move(struct export_books *books, const struct export_moves *moves,
                      const struct kept_move *kept, const struct export_style *style) {
    struct export_move move = open_move(books, kept);
    _cleanup_(freep) struct export_line *lines = calloc(kept->n_legs + 1, sizeof(*lines));
    if (!lines)
        return -ENOMEM;
    for (size_t i = 0; i < kept->n_legs; i++) {
        const struct kept_leg *leg = &books->legs[kept->first_leg + i];
        lines[i] =
            (struct export_line){books->accounts.texts[leg->account], books->kinds[leg->account],
                                 (enum export_side)leg->side, leg->minutes};
    }
    const struct export_transaction transaction = {.move = &move,
                                                   .day = kept->service_day,
                                                   .waits = waits(moves, books, kept),
                                                   .lines = lines,
                                                   .n_lines = kept->n_legs};
    style->transaction(&transaction, books->in_minutes);
    add_up(books, kept);
    return 0;
}

/* Every description that will occur, once. */
static int write_names(struct export_books *books, const struct export_style *style) {
    _cleanup_(json_decrefp) json_t *seen = json_object();
    char what[64];
    for (size_t i = 0; i < books->n_moves; i++) {
        struct export_move move = open_move(books, &books->moves[i]);
        export_what(&move, what, sizeof(what));
        if (json_object_get(seen, what))
            continue;
        if (json_object_set_new(seen, what, json_true()) < 0)
            return -ENOMEM;
        style->name(what);
    }
    return 0;
}

static int write_head(struct export_books *books, const struct export_style *style,
                      uint32_t first_day) {
    style->begin(books->in_minutes, first_day);
    for (size_t i = 0; i < books->accounts.n; i++)
        style->account(books->accounts.texts[books->order[i]], books->kinds[books->order[i]],
                       first_day);
    return write_names(books, style);
}

int export_books_write(struct export_books *books, const struct export_moves *moves,
                       const struct export_ask *ask, const struct export_style *style) {
    size_t i = 0;
    uint32_t month_end = 0, last = 0;
    int r = prepare(books);
    if (r == 0)
        r = write_head(books, style,
                       ask->from_day        ? ask->from_day
                       : books->n_moves > 0 ? books->moves[0].service_day
                                            : 0);
    for (; r == 0 && i < books->n_moves && books->moves[i].service_day < ask->from_day; i++)
        add_up(books, &books->moves[i]);
    if (r == 0)
        write_opening(books, ask, style);
    for (; r == 0 && i < books->n_moves && books->moves[i].service_day <= ask->to_day; i++) {
        if (last != 0 && books->moves[i].service_day > month_end)
            write_balances(books, month_end, style);
        if (last == 0 || books->moves[i].service_day > month_end)
            month_end = last_of_month(books->moves[i].service_day, ask);
        last = books->moves[i].service_day;
        r = write_move(books, moves, &books->moves[i], style);
    }
    if (r == 0 && last != 0)
        write_balances(books, ask->to_day == UINT32_MAX ? last : month_end, style);
    return r;
}

/* ---- shared by the styles */

void export_head(const struct export_ask *ask, const char *mark) {
    _cleanup_(json_decrefp) json_t *root = client_json_root(ask->root);
    char day[16];
    client_line(stdout, "%s Books of the timebank %s.", mark, ask->bank);
    client_line(stdout, "%s Position: size %" PRIu64 ", root %s.", mark, ask->size,
                json_string_value(root));
    client_line(stdout,
                "%s Dates are dates of service; \"entered\" says when an entry became known.",
                mark);
    if (ask->from_day > 0) {
        tb_date_format(ask->from_day, day);
        client_line(stdout, "%s Left out: what was done before %s; its sum is carried forward.",
                    mark, day);
    }
    if (ask->to_day < UINT32_MAX) {
        tb_date_format(ask->to_day, day);
        client_line(stdout, "%s Left out: what was done after %s.", mark, day);
    }
    client_line(stdout, "%s Left out: what waits and moved nothing yet, notes, and the register.",
                mark);
    client_line(stdout, "%s The same question with --at %" PRIu64 " gives these bytes again.", mark,
                ask->size);
}

void export_what(const struct export_move *move, char *ret, size_t n_ret) {
    if (strcmp(move->what, move->type) == 0)
        snprintf(ret, n_ret, "%s", move->type);
    else
        snprintf(ret, n_ret, "%s: %s", move->type, move->what);
}

void export_amount(int64_t minutes, bool in_minutes) {
    uint64_t size = minutes < 0 ? -(uint64_t)minutes : (uint64_t)minutes;
    const char *sign = minutes < 0 ? "-" : "";
    if (in_minutes)
        printf("%s%" PRIu64 " MIN", sign, size);
    else
        printf("%s%" PRIu64 ".%02" PRIu64 " TC", sign, size / 60, size % 60 * 5 / 3);
}
