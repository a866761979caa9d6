/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who acts, and who leaves: the persons of accounts, mandates, safeguarding holds (a broker's to
 * see), and where the credits of those who leave go.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "handle-register.h"
#include "rules.h"

/* ---- persons: account, name ("1" is the first), what ("", gone, erased), flag under 18 */

static int put_person(struct register_scan *scan, const char *code, const char *name,
                      const struct state_person *person) {
    char mark[2 * (CODE_MAX + 1)];
    int n = snprintf(mark, sizeof(mark), "%s/%s", code, name);
    Timebank__RegisterRow *row = register_row(scan, mark, (size_t)n);

    if (!row)
        return 0;
    row->account = register_text(scan, code);
    row->name = register_text(scan, *name ? name : "1");
    row->what = register_text(scan, person->is_erased ? "erased" : person->is_gone ? "gone" : "");
    row->flag = person->is_minor;
    row->entry = person->set_by;
    return 0;
}

static int add_person(struct register_scan *scan, const struct row *row) {
    const uint8_t *slash = memchr(row->key, '/', row->n_key);
    char code[CODE_MAX + 1] = "", name[CODE_MAX + 1] = "";
    size_t n_code = slash ? (size_t)(slash - row->key) : 0;

    if (!slash || n_code > CODE_MAX || row->n_key - n_code - 1 > CODE_MAX)
        return -EUCLEAN;
    memcpy(code, row->key, n_code);
    memcpy(name, slash + 1, row->n_key - n_code - 1);
    if (!register_may_read(scan, code) || (scan->account && strcmp(scan->account->code, code) != 0))
        return 0;
    return put_person(scan, code, name, (const struct state_person *)row->value);
}

/* Of one account the first person is told, too, of whom nothing was ever said. */
static int add_first(struct register_scan *scan) {
    struct state_person person = {.set_by = scan->account->opened};
    char key[CODE_MAX + 2];
    size_t n = (size_t)snprintf(key, sizeof(key), "%s/", scan->account->code);

    if (state_get(scan->state, STATE_PERSONS, key, n, NULL))
        return 0;
    return put_person(scan, scan->account->code, "", &person);
}

int register_persons(struct register_scan *scan) {
    int r = register_each(scan, STATE_PERSONS, add_person);

    if (r == 0 && scan->account && scan->account->kind == TIMEBANK__ACCOUNT_KIND__MEMBER)
        r = add_first(scan);
    return r;
}

/* ---- mandates: account acted for, other = the holder, name its kind, days, flag in force today */

static int add_mandate(struct register_scan *scan, const struct row *row) {
    static const char *const kinds[] = {"", "carer", "guardian", "for-broker"};
    const struct state_mandate *mandate = (const struct state_mandate *)row->value;
    const char *holder = register_code(scan, be64_get(row->key));
    const char *ward = register_code(scan, be64_get(row->key + 8));
    Timebank__RegisterRow *put;

    if ((!register_may_read(scan, holder) && !register_may_read(scan, ward)) ||
        (scan->account && strcmp(scan->account->code, holder) != 0 &&
         strcmp(scan->account->code, ward) != 0))
        return 0;
    put = register_row(scan, row->key, row->n_key);
    if (!put)
        return 0;
    put->account = register_text(scan, ward);
    put->other = register_text(scan, holder);
    put->name = register_text(scan, mandate->kind < N_ELEMENTS(kinds) ? kinds[mandate->kind] : "");
    put->from_day = mandate->from_day;
    put->to_day = mandate->to_day;
    put->entry = mandate->set_by;
    put->flag = rules_mandate_holds(scan->state, holder, ward, bank_today(scan->call->bank));
    return 0;
}

int register_mandates(struct register_scan *scan) {
    return register_each(scan, STATE_MANDATES, add_mandate);
}

/* ---- safeguarding holds: account, other (empty: it alone) */

static int add_safeguard(struct register_scan *scan, const struct row *row) {
    const struct state_safeguard *safeguard = (const struct state_safeguard *)row->value;
    uint64_t a = be64_get(row->key), b = be64_get(row->key + 8);
    Timebank__RegisterRow *put;

    if (safeguard->is_lifted ||
        (scan->account && scan->account->number != a && scan->account->number != b))
        return 0;
    put = register_row(scan, row->key, row->n_key);
    if (!put)
        return 0;
    put->account = register_text(scan, register_code(scan, a));
    put->other = register_text(scan, a == b ? "" : register_code(scan, b));
    put->entry = safeguard->set_by;
    return 0;
}

int register_safeguards(struct register_scan *scan) {
    return register_each(scan, STATE_SAFEGUARDS, add_safeguard);
}

/* ---- leaving: account, other = who gets its credits as things stand, minutes its balance, to_day
 * the last day to spend (0: it is not leaving), entry that began it, flag: that day is over */

static int add_leaving(struct register_scan *scan, const struct state_account *account) {
    const struct state_choice *choice;
    Timebank__RegisterRow *row;
    uint8_t number[8];

    be64_put(number, account->number);
    choice = state_get(scan->state, STATE_CHOICES, number, sizeof(number), NULL);
    row = register_row(scan, account->code, strlen(account->code));
    if (!row)
        return 0;
    row->account = register_text(scan, account->code);
    row->other = register_text(scan, rules_leave_heir(scan->state, account));
    row->name = register_text(scan, choice ? choice->heir : "");
    row->minutes = account->balance;
    row->to_day = account->leaving_day;
    row->entry = account->leaving_day && choice ? choice->leave : 0;
    row->flag = account->leaving_day && bank_today(scan->call->bank) > account->leaving_day;
    return 0;
}

int register_leaving(struct register_scan *scan) {
    int r = 0;

    if (scan->account)
        return scan->account->kind <= TIMEBANK__ACCOUNT_KIND__VENUE &&
                       scan->account->standing != STANDING_CLOSED
                   ? add_leaving(scan, scan->account)
                   : 0;
    for (uint64_t i = 0; i < scan->state->sums.n_accounts && r == 0; i++) {
        const struct state_account *account = scan->state->accounts[i];
        if (account->leaving_day && register_may_read(scan, account->code))
            r = add_leaving(scan, account);
    }
    return r;
}
