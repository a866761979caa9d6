/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Books for Beancount. It has five roots for accounts, and so do we: they are renamed to members,
 * organisations, venues, bank and banks. Balances are those of a morning: the day after.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "export.h"

static void put_day(uint32_t day) {
    char text[16];
    tb_date_format(day, text);
    fputs(text, stdout);
}

/* A part of an account begins with a capital or a digit; codes have no capitals of their own. */
static void put_account(const char *code, uint32_t kind) {
    const char *root = kind == TB_ACCOUNT_MEMBER         ? "Members"
                       : kind == TB_ACCOUNT_ORGANISATION ? "Organisations"
                       : kind == TB_ACCOUNT_VENUE        ? "Venues"
                       : kind == TB_ACCOUNT_BANK         ? "Banks"
                                                         : "Bank";
    if (kind == TB_ACCOUNT_BANK)
        code += strlen("bank:");
    printf("%s:%c%s", root, toupper((unsigned char)*code), code + 1);
}

static void put_text(const char *text) {
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar((unsigned char)*text < 0x20 ? ' ' : *text);
    }
    putchar('"');
}

static void head(const struct export_ask *ask) {
    export_head(ask, ";");
    putchar('\n');
}

static void begin(bool in_minutes, uint32_t first_day) {
    const char *commodity = in_minutes ? "MIN" : "TC";
    fputs("option \"name_assets\" \"Members\"\n"
          "option \"name_liabilities\" \"Organisations\"\n"
          "option \"name_equity\" \"Bank\"\n"
          "option \"name_income\" \"Venues\"\n"
          "option \"name_expenses\" \"Banks\"\n",
          stdout);
    printf("option \"operating_currency\" \"%s\"\n\n", commodity);
    put_day(first_day);
    printf(" commodity %s\n", commodity);
}

static void account(const char *code, uint32_t kind, uint32_t first_day) {
    put_day(first_day);
    fputs(" open ", stdout);
    put_account(code, kind);
    putchar('\n');
}

static void name(const char *what) {
    (void)what;
}

static void put_meta(const char *key, const char *value) {
    if (*value == '\0')
        return;
    printf("  %s: ", key);
    put_text(value);
    putchar('\n');
}

static void put_metas(const struct export_move *move) {
    printf("  entry: %" PRIu64 "\n", move->entry);
    put_meta("type", move->type);
    fputs("  entered: ", stdout);
    put_day(move->entered_day);
    putchar('\n');
    put_meta("by", move->by);
    put_meta("key", move->key);
    put_meta("sheet", move->sheet);
    if (*move->sheet)
        printf("  line: %" PRIu32 "\n", move->line);
    put_meta("activity", move->activity);
    put_meta("offer", move->offer);
    put_meta("funder", move->funder);
    put_meta("programme", move->programme);
    if (move->reverses)
        printf("  reverses: %" PRIu64 "\n", move->reverses);
    if (move->minutes_without_credit)
        printf("  minutes: %" PRId64 "\n", move->minutes_without_credit);
}

static void put_posting(const struct export_line *line, bool in_minutes) {
    fputs("  ", stdout);
    put_account(line->account, line->account_kind);
    fputs("  ", stdout);
    export_amount(line->minutes, in_minutes);
    putchar('\n');
    if (line->side != EXPORT_NEITHER)
        printf("    side: \"%s\"\n", line->side == EXPORT_TO ? "to" : "from");
}

static void transaction(const struct export_transaction *transaction, bool in_minutes) {
    const struct export_move *move = transaction->move;
    char what[64] = "opening balances";
    putchar('\n');
    put_day(transaction->day);
    if (move)
        export_what(move, what, sizeof(what));
    printf(" %c ", transaction->waits ? '!' : '*');
    put_text(what);
    putchar('\n');
    if (move)
        put_metas(move);
    for (size_t i = 0; i < transaction->n_lines; i++)
        put_posting(&transaction->lines[i], in_minutes);
}

static void balances(uint32_t day, const struct export_line *lines, size_t n_lines,
                     bool in_minutes) {
    putchar('\n');
    for (size_t i = 0; i < n_lines; i++) {
        put_day(day + 1);
        fputs(" balance ", stdout);
        put_account(lines[i].account, lines[i].account_kind);
        fputs("  ", stdout);
        export_amount(lines[i].minutes, in_minutes);
        putchar('\n');
    }
}

const struct export_style export_style_beancount = {head, begin,       account,
                                                    name, transaction, balances};
