/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose account another system means. What it calls accounts becomes our codes by a rule that the
 * user has said and can see: the list of codes (theirs,ours) first, then the form of codes for
 * numbers (7 is m0007 by m0000); without a list, a name that has the form of a member's code here
 * is that code. Nothing is guessed beyond that: a number of theirs is no number of ours by itself.
 */
#include "import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define CODE_BYTES 32 /* at most, of a code */

#define CELL(row, column) import_file_cell(row, column)
#define refuse(import, row, column, refusal, ...)                                                  \
    import_refuse(import, (row)->file, row, (row)->line, import_file_column(column), refusal,      \
                  __VA_ARGS__)

/* The policy member-code, "1-3/1-9": so many letters, then so many digits. */
static bool is_member_code(const char *text, const char *pattern) {
    unsigned letters_min = 1, letters_max = 3, digits_min = 1, digits_max = 9;
    size_t n_letters = strspn(text, "abcdefghijklmnopqrstuvwxyz");
    size_t n_digits = strspn(text + n_letters, "0123456789");
    if (*pattern &&
        sscanf(pattern, "%u-%u/%u-%u", &letters_min, &letters_max, &digits_min, &digits_max) != 4)
        return false;
    return !text[n_letters + n_digits] && n_letters >= letters_min && n_letters <= letters_max &&
           n_digits >= digits_min && n_digits <= digits_max;
}

static bool is_number(const char *text) {
    return *text && strspn(text, "0123456789") == strlen(text);
}

bool import_codes_form_is_valid(const char *form) {
    size_t n_letters = strspn(form, "abcdefghijklmnopqrstuvwxyz");
    size_t n_noughts = strspn(form + n_letters, "0");
    return n_letters > 0 && n_noughts > 0 && !form[n_letters + n_noughts] &&
           n_letters + n_noughts <= CODE_BYTES;
}

/* Keeps ours under theirs, folded; ours is taken. *ret_kept is what stands there in the end. */
static int code_keep(struct import *import, const char *theirs, char *ours, const char **ret_kept) {
    _cleanup_(freep) char *key = strdup(theirs);
    uintptr_t kept;
    if (!key || !ours) {
        free(ours);
        return -ENOMEM;
    }
    client_code(key);
    int r = import_map_put(&import->codes, key, (uintptr_t)ours, &kept);
    if (r < 0 || kept != (uintptr_t)ours)
        free(ours);
    if (r < 0)
        return r;
    *ret_kept = (const char *)kept;
    return 0;
}

int import_codes_take(struct import *import, struct import_row *row) {
    _cleanup_(freep) char *ours = strdup(CELL(row, COLUMN_OURS));
    const char *kept;
    int r = import_row_need(import, row, COLUMN_THEIRS);
    if (r == 0)
        r = import_row_need(import, row, COLUMN_OURS);
    if (r != 0)
        return r;
    if (!ours)
        return -ENOMEM;
    client_code(ours);
    r = code_keep(import, CELL(row, COLUMN_THEIRS), strdup(ours), &kept);
    if (r == 0 && strcmp(kept, ours) != 0)
        r = refuse(import, row, COLUMN_THEIRS, TB_DUPLICATE_ROW,
                   "%s stands in the list with %s already: leave one of them.",
                   CELL(row, COLUMN_THEIRS), kept);
    return r;
}

/* 7 by m0000: m0007. NULL where it has too many digits, or on no memory. */
static char *code_of_number(const char *form, const char *number) {
    size_t n_letters = strspn(form, "abcdefghijklmnopqrstuvwxyz");
    char *code = strdup(form);
    number += strspn(number, "0");
    size_t n = strlen(number), n_code = strlen(form);
    if (!code || n > n_code - n_letters) {
        free(code);
        return NULL;
    }
    memcpy(code + n_code - n, number, n);
    return code;
}

static char *code_by_rule(struct import *import, const char *theirs) {
    const char *form = import->foreign.code_form;
    if (form && is_number(theirs))
        return code_of_number(form, theirs);
    if (import->foreign.code_map ||
        !is_member_code(theirs, client_policy(import->client, "member-code")))
        return NULL;
    return strdup(theirs);
}

static int code_refuse(struct import *import, struct import_row *row, enum import_column column,
                       const char *name) {
    if (import->foreign.code_map)
        return refuse(import, row, column, TB_NO_SUCH_ACCOUNT,
                      "Nothing says which account \"%s\" is: add it to %s.", name,
                      import->foreign.code_map);
    return refuse(import, row, column, TB_NO_SUCH_ACCOUNT,
                  "Nothing says which account \"%s\" is: give a list of codes (theirs,ours) with "
                  "--code-map, or for numbers their form with --code-form m0000.",
                  name);
}

int import_codes_find(struct import *import, struct import_row *row, enum import_column column,
                      const char *type, const char **ret_code) {
    /* Of an organisation TimeOverflow has one, the bank itself, whatever its number. */
    bool is_member = !type || strcasecmp(type, "member") == 0;
    const char *name = is_member ? CELL(row, column) : type;
    int r = is_member ? import_row_need(import, row, column) : 0;
    if (r != 0)
        return r;
    _cleanup_(freep) char *theirs = strdup(name);
    if (!theirs)
        return -ENOMEM;
    client_code(theirs);
    *ret_code = (const char *)import_map_get(&import->codes, theirs);
    if (*ret_code)
        return 0;
    char *ours = is_member ? code_by_rule(import, theirs) : NULL;
    return ours ? code_keep(import, theirs, ours, ret_code)
                : code_refuse(import, row, column, name);
}

void import_codes_fini(struct import *import) {
    for (size_t i = 0; i < import->codes.n_slots; i++)
        free((char *)import->codes.slots[i].value);
    import_map_fini(&import->codes);
}
