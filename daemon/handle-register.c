/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the register, who may list them, and their pages in ascending order of mark. */
#include "handle-register.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handlers.h"

#define ROLE(role) (1u << TIMEBANK__ROLE__##role)
#define BROKERS (ROLE(STEWARD) | ROLE(BROKER))
/* Who has an account lists what concerns it: register_may_read() sees to that. */
#define OWNERS (ROLE(ROLE_ORGANISATION) | ROLE(ROLE_VENUE) | ROLE(ROLE_MEMBER))

static const struct register_table {
    Timebank__RegisterTable table;
    uint32_t roles;
    int (*scan)(struct register_scan *scan);
} tables[] = {
    {TIMEBANK__REGISTER_TABLE__PENDING, BROKERS | OWNERS, register_pending},
    {TIMEBANK__REGISTER_TABLE__PERSONS, BROKERS | ROLE(ROLE_MEMBER), register_persons},
    {TIMEBANK__REGISTER_TABLE__MANDATES, BROKERS | ROLE(ROLE_MEMBER), register_mandates},
    {TIMEBANK__REGISTER_TABLE__SAFEGUARDS, BROKERS, register_safeguards},
    {TIMEBANK__REGISTER_TABLE__LEAVING, BROKERS | ROLE(ROLE_MEMBER), register_leaving},
    {TIMEBANK__REGISTER_TABLE__TRUSTS, BROKERS | OWNERS, register_trusts},
    {TIMEBANK__REGISTER_TABLE__VOUCHERS_MINTED,
     BROKERS | ROLE(ROLE_ORGANISATION) | ROLE(ROLE_MEMBER) | ROLE(AUDITOR), register_vouchers},
    {TIMEBANK__REGISTER_TABLE__VOUCHER_KEYS, BROKERS | OWNERS | ROLE(AUDITOR),
     register_voucher_keys},
    {TIMEBANK__REGISTER_TABLE__PROGRAMMES, BROKERS | ROLE(ROLE_ORGANISATION) | ROLE(AUDITOR),
     register_programmes},
    {TIMEBANK__REGISTER_TABLE__OFFER_SUMS, BROKERS | ROLE(ROLE_VENUE) | ROLE(AUDITOR),
     register_offer_sums},
    {TIMEBANK__REGISTER_TABLE__LIMITS, BROKERS | OWNERS, register_limits},
    {TIMEBANK__REGISTER_TABLE__EXPIRING, BROKERS | ROLE(ROLE_MEMBER), register_expiring},
    {TIMEBANK__REGISTER_TABLE__PERIODS, BROKERS | ROLE(AUDITOR), register_periods},
    {TIMEBANK__REGISTER_TABLE__RELEASES, BROKERS | ROLE(AUDITOR) | ROLE(EVALUATOR),
     register_releases},
};

static int compare_bytes(const ProtobufCBinaryData *a, const void *mark, size_t n_mark) {
    size_t n = MIN_OF(a->len, n_mark);
    int order = n ? memcmp(a->data, mark, n) : 0;

    return order ? order : (a->len > n_mark) - (a->len < n_mark);
}

static int compare_marks(const void *a, const void *b) {
    const Timebank__RegisterRow *const *x = a, *const *y = b;

    return compare_bytes(&(*x)->mark, (*y)->mark.data, (*y)->mark.len);
}

static void sort_rows(struct register_scan *scan) {
    if (scan->n_rows > 0)
        qsort(scan->rows, scan->n_rows, sizeof(Timebank__RegisterRow *), compare_marks);
}

/* Rows come in no order: of a large table only those are kept that may stand on this page, and one
 * more, which tells that there are others. */
static int make_room(struct register_scan *scan) {
    if (!scan->rows)
        scan->rows =
            arena_alloc(scan->call->arena, 2 * (scan->max + 1) * sizeof(Timebank__RegisterRow *));
    if (!scan->rows)
        return -ENOMEM;
    if (scan->n_rows < 2 * (scan->max + 1))
        return 0;
    sort_rows(scan);
    scan->n_rows = scan->max + 1;
    scan->last = scan->rows[scan->max];
    return 0;
}

Timebank__RegisterRow *register_row(struct register_scan *scan, const void *mark, size_t n_mark) {
    struct arena *arena = scan->call->arena;
    const ProtobufCBinaryData *after = &scan->ask->after;
    Timebank__RegisterRow *row;

    if ((after->len > 0 && compare_bytes(after, mark, n_mark) >= 0) ||
        (scan->last && compare_bytes(&scan->last->mark, mark, n_mark) < 0))
        return NULL;
    if (make_room(scan) < 0)
        return NULL;
    row = arena_alloc(arena, sizeof(*row));
    if (!row)
        return NULL;
    timebank__register_row__init(row);
    row->mark.data = arena_alloc(arena, n_mark + 1);
    if (!row->mark.data)
        return NULL;
    memcpy(row->mark.data, mark, n_mark);
    row->mark.len = n_mark;
    scan->rows[scan->n_rows++] = row;
    return row;
}

char *register_text(struct register_scan *scan, const char *text) {
    char *copy = call_copy(scan->call, text);

    return copy ? copy : (char *)(uintptr_t)protobuf_c_empty_string;
}

int register_each(struct register_scan *scan, enum state_table table,
                  int (*each)(struct register_scan *scan, const struct row *row)) {
    const struct rows *rows = &scan->state->tables[table];
    int r = 0;

    for (const struct row *row = rows_next(rows, NULL); row && r == 0; row = rows_next(rows, row))
        r = each(scan, row);
    return r;
}

const char *register_code(const struct register_scan *scan, uint64_t number) {
    return number < scan->state->sums.n_accounts ? scan->state->accounts[number]->code : "";
}

bool register_may_read(const struct register_scan *scan, const char *code) {
    const struct ledger_author *who = &scan->call->who;

    return access_is_broker(who) || who->role == TIMEBANK__ROLE__AUDITOR ||
           call_acts_for(scan->call, code);
}

static const struct register_table *find(Timebank__RegisterTable table) {
    for (size_t i = 0; i < N_ELEMENTS(tables); i++)
        if (tables[i].table == table)
            return &tables[i];
    return NULL;
}

static int respond(struct register_scan *scan) {
    Timebank__Register *list = arena_alloc(scan->call->arena, sizeof(*list));

    if (!list || scan->call->arena->r < 0)
        return -ENOMEM;
    sort_rows(scan);
    timebank__register__init(list);
    list->rows = scan->rows;
    list->n_rows = MIN_OF(scan->n_rows, scan->max);
    list->more = scan->n_rows > scan->max;
    scan->call->response->register_ = list;
    scan->call->response->body_case = TIMEBANK__RESPONSE__BODY_REGISTER;
    return 0;
}

int handle_register(struct call *call) {
    const Timebank__AskRegister *ask = call->request->register_;
    const struct register_table *table = find(ask->table);
    size_t limit = call->bank->settings.page_entries;
    struct register_scan scan = {.call = call,
                                 .ask = ask,
                                 .state = bank_state(call->bank),
                                 .max = ask->max && ask->max < limit ? ask->max : limit};
    int r;

    if (!table)
        return call_refuse(call, REFUSAL_BAD_REQUEST, NULL);
    if (!(table->roles & (1u << call->who.role)))
        return call_refuse(call, REFUSAL_NO_AUTHORITY, NULL);
    if (*ask->code) {
        scan.account = state_account(scan.state, ask->code);
        if (!register_may_read(&scan, ask->code))
            return call_refuse(
                call, REFUSAL_NO_AUTHORITY,
                "This key may read what concerns its own account only: ask a broker.");
        if (!scan.account)
            return call_refuse(call, REFUSAL_NO_SUCH_ACCOUNT, NULL);
    }
    r = table->scan(&scan);
    if (r != 0)
        return r > 0 ? call_refuse(call, r, NULL) : r;
    return respond(&scan);
}
