/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Books for hledger and for Ledger, which read one language with a few differences. What they
 * insist on when they are strict (accounts, commodities, tags, payees) is declared. A value of a
 * tag is percent-encoded where a sign would end it or begin something else.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "export.h"

#define BALANCES "balances"
#define OPENING "opening balances"

static const char *const tags[] = {"type",     "entered", "by",     "sheet",
                                   "activity", "offer",   "funder", "programme",
                                   "reverses", "minutes", "side"};

static void put_account(const char *code, uint32_t kind) {
    switch (kind) {
    case TB_ACCOUNT_MEMBER:
        printf("members:%s", code);
        break;
    case TB_ACCOUNT_ORGANISATION:
        printf("organisations:%s", code);
        break;
    case TB_ACCOUNT_VENUE:
        printf("venues:%s", code);
        break;
    case TB_ACCOUNT_BANK:
        printf("banks:%s", code + strlen("bank:"));
        break;
    default:
        printf("bank:%s", code);
        break;
    }
}

static void put_day(uint32_t day) {
    char text[16];
    tb_date_format(day, text);
    fputs(text, stdout);
}

static void head(const struct export_ask *ask) {
    export_head(ask, ";");
    putchar('\n');
}

static void begin(bool in_minutes, const char *minutes_format) {
    printf("commodity %s\n    format %s\n\n", in_minutes ? "MIN" : "TC",
           in_minutes ? minutes_format : "1000.00 TC");
    for (size_t i = 0; i < N_ELEMENTS(tags); i++)
        printf("tag %s\n", tags[i]);
    printf("\npayee " BALANCES "\npayee " OPENING "\n");
}

static void begin_hledger(bool in_minutes, uint32_t first_day) {
    (void)first_day;
    begin(in_minutes, "1000. MIN");
}

static void begin_ledger(bool in_minutes, uint32_t first_day) {
    (void)first_day;
    begin(in_minutes, "1000 MIN");
}

static void account(const char *code, uint32_t kind, uint32_t first_day) {
    (void)first_day;
    fputs("account ", stdout);
    put_account(code, kind);
    putchar('\n');
}

static void name(const char *what) {
    printf("payee %s\n", what);
}

/* Commas end a value, colons begin a tag, brackets a date. */
static void put_value(const char *value) {
    for (; *value; value++) {
        if (strchr(",:;[]%", *value) || (unsigned char)*value < 0x20)
            printf("%%%02X", (unsigned char)*value);
        else
            putchar(*value);
    }
}

static void put_tag(const char *tag, const char *value) {
    if (*value == '\0')
        return;
    printf("    ; %s: ", tag);
    put_value(value);
    putchar('\n');
}

static void put_sheet(const struct export_move *move) {
    if (*move->sheet == '\0')
        return;
    fputs("    ; sheet: ", stdout);
    put_value(move->sheet);
    printf(" line %" PRIu32 "\n", move->line);
}

static void put_tags(const struct export_move *move) {
    put_tag("type", move->type);
    fputs("    ; entered: ", stdout);
    put_day(move->entered_day);
    printf("\n    ; by: %s%s%s\n", move->by, *move->key ? " " : "", move->key);
    put_sheet(move);
    put_tag("activity", move->activity);
    put_tag("offer", move->offer);
    put_tag("funder", move->funder);
    put_tag("programme", move->programme);
    if (move->reverses)
        printf("    ; reverses: %" PRIu64 "\n", move->reverses);
    if (move->minutes_without_credit)
        printf("    ; minutes: %" PRId64 "\n", move->minutes_without_credit);
}

static void put_posting(const struct export_line *line, bool in_minutes) {
    fputs("    ", stdout);
    put_account(line->account, line->account_kind);
    fputs("  ", stdout);
    export_amount(line->minutes, in_minutes);
    if (line->side != EXPORT_NEITHER)
        printf("  ; side: %s", line->side == EXPORT_TO ? "to" : "from");
    putchar('\n');
}

static void transaction(const struct export_transaction *transaction, bool in_minutes) {
    const struct export_move *move = transaction->move;
    char what[64];
    putchar('\n');
    put_day(transaction->day);
    if (move) {
        export_what(move, what, sizeof(what));
        printf(" %c (%" PRIu64 ") %s\n", transaction->waits ? '!' : '*', move->entry, what);
        put_tags(move);
    } else {
        printf(" * " OPENING "\n");
    }
    for (size_t i = 0; i < transaction->n_lines; i++)
        put_posting(&transaction->lines[i], in_minutes);
}

static void balances(uint32_t day, const struct export_line *lines, size_t n_lines,
                     bool in_minutes) {
    putchar('\n');
    put_day(day);
    printf(" * " BALANCES "\n");
    for (size_t i = 0; i < n_lines; i++) {
        fputs("    ", stdout);
        put_account(lines[i].account, lines[i].account_kind);
        fputs("  ", stdout);
        export_amount(0, in_minutes);
        fputs(" = ", stdout);
        export_amount(lines[i].minutes, in_minutes);
        putchar('\n');
    }
}

const struct export_style export_style_hledger = {head, begin_hledger, account,
                                                  name, transaction,   balances};
const struct export_style export_style_ledger = {head, begin_ledger, account,
                                                 name, transaction,  balances};
