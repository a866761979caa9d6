/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an order to erase somebody means for the register of people: their record and the notes of
 * every order in which they are a side, with the keys that open them, and then the file itself is
 * replaced by one in which nothing is left of it. Done once the order is durable and before it is
 * answered; after a crash in between, at the next start. The ledger keeps every record.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bank.h"

#define WHO_BYTES (CODE_MAX + 1 + CODE_MAX + 1)
#define ARENA_BYTES (1024u * 1024)
#define TARGETS_DEEP 4 /* a decision of a dispute of an entry */

struct who {
    char text[WHO_BYTES]; /* code, or code/person */
    char code[CODE_MAX + 1];
    char person[CODE_MAX + 1];
    bool is_deleted; /* before a crash: the file is still to be replaced */
};

struct erasing {
    struct bank *bank;
    struct arena arena;
    struct who *list;
    size_t n;
    struct bytes notes; /* ids, one behind the other */
};

/* ---- who is still to be erased */

static int add_who(struct erasing *erasing, const char *code, const char *person) {
    enum people_erasure how = PEOPLE_KEPT;
    struct who who = {0}, *list;
    int r;

    snprintf(who.code, sizeof(who.code), "%s", code);
    snprintf(who.person, sizeof(who.person), "%s", person);
    snprintf(who.text, sizeof(who.text), "%s%s%s", code, *person ? "/" : "", person);
    r = people_get_erasure(erasing->bank->people, who.text, &how);
    if (r < 0 || how == PEOPLE_ERASED)
        return r;
    who.is_deleted = how == PEOPLE_DELETED;
    list = realloc(erasing->list, (erasing->n + 1) * sizeof(*list));
    if (!list)
        return -ENOMEM;
    erasing->list = list;
    list[erasing->n++] = who;
    return 0;
}

static int add_person(struct erasing *erasing, const struct row *row) {
    const struct state_person *person = (const struct state_person *)row->value;
    char text[WHO_BYTES] = "";
    char *slash;

    if (!person->is_erased || row->n_key >= sizeof(text))
        return 0;
    memcpy(text, row->key, row->n_key);
    slash = strchr(text, '/');
    if (!slash)
        return -EUCLEAN;
    *slash = '\0';
    return add_who(erasing, text, slash[1] ? slash + 1 : "1");
}

static int find_all(struct erasing *erasing) {
    struct state *state = bank_state(erasing->bank);
    const struct rows *persons = &state->tables[STATE_PERSONS];
    int r = 0;

    for (uint64_t i = 0; i < state->sums.n_accounts && r == 0; i++)
        if (state->accounts[i]->is_erased)
            r = add_who(erasing, state->accounts[i]->code, "");
    for (const struct row *row = rows_next(persons, NULL); row && r == 0;
         row = rows_next(persons, row))
        r = add_person(erasing, row);
    return r;
}

/* ---- the notes of their orders */

static bool is_person(const struct who *who, const char *code, const char *person) {
    if (strcmp(code, who->code) != 0)
        return false;
    return *who->person == '\0' || strcmp(*person ? person : "1", who->person) == 0;
}

static bool is_listed(const struct who *who, size_t n, char *const *codes, size_t n_persons,
                      char *const *persons) {
    for (size_t i = 0; i < n; i++)
        if (is_person(who, codes[i], i < n_persons ? persons[i] : ""))
            return true;
    return false;
}

/* Accounts that a kind names beside its sides. */
static bool is_named(const struct who *who, const Timebank__Order *order) {
    switch (order->kind_case) {
    case TIMEBANK__ORDER__KIND_SESSION:
        return is_listed(who, order->session->n_givers, order->session->givers,
                         order->session->n_giver_persons, order->session->giver_persons) ||
               is_listed(who, order->session->n_receivers, order->session->receivers,
                         order->session->n_receiver_persons, order->session->receiver_persons);
    case TIMEBANK__ORDER__KIND_SET_PERSON:
        return is_person(who, order->to, order->set_person->person);
    case TIMEBANK__ORDER__KIND_SET_MANDATE:
        return is_person(who, order->set_mandate->holder, "");
    case TIMEBANK__ORDER__KIND_SET_TRUST:
        return is_person(who, order->set_trust->giver, "");
    case TIMEBANK__ORDER__KIND_SET_CHOICE:
        return is_person(who, order->set_choice->heir, "");
    default:
        return false;
    }
}

static int read_order(struct erasing *erasing, const uint8_t *id, size_t n_id,
                      Timebank__Order **ret) {
    struct state *state = bank_state(erasing->bank);
    uint64_t received_at_ms;
    int r = 0;
    const struct state_id *row = state_get(state, STATE_IDS, id, n_id, &r);

    if (!row)
        return r;
    return state_order(state, row->entry, &erasing->arena, ret, &received_at_ms);
}

/* 1: one of those to be erased is a side of the order, or of the one that it speaks of. */
static int concerns(struct erasing *erasing, const Timebank__Order *order) {
    for (int deep = 0; deep < TARGETS_DEEP; deep++) {
        const ProtobufCBinaryData *target = record_order_target(order);
        Timebank__Order *next = NULL;
        int r;
        for (size_t i = 0; i < erasing->n; i++) {
            const struct who *who = &erasing->list[i];
            if (is_person(who, order->from, order->from_person) ||
                is_person(who, order->to, order->to_person) || is_named(who, order))
                return 1;
        }
        if (!target || target->len != ORDER_ID_BYTES)
            return 0;
        r = read_order(erasing, target->data, target->len, &next);
        if (r <= 0)
            return r;
        order = next;
    }
    return 0;
}

/* A note whose order is not in the log came with a batch that was lost in a crash: nobody can read
 * it, and it goes with the first erasure. */
static int look_at_note(void *user, const uint8_t id[ORDER_ID_BYTES]) {
    struct erasing *erasing = user;
    Timebank__Order *order = NULL;
    int r = read_order(erasing, id, ORDER_ID_BYTES, &order);

    if (r >= 0)
        r = r == 0 || concerns(erasing, order);
    if (r > 0)
        bytes_put(&erasing->notes, id, ORDER_ID_BYTES);
    arena_reset(&erasing->arena);
    return r < 0 ? r : erasing->notes.r;
}

/* ---- deleting, and what must be true afterwards */

static bool all_deleted(const struct erasing *erasing) {
    for (size_t i = 0; i < erasing->n; i++)
        if (!erasing->list[i].is_deleted)
            return false;
    return true;
}

static int delete_records(struct erasing *erasing) {
    struct people_write *write = NULL;
    int r = people_each_note(erasing->bank->people, look_at_note, erasing);

    if (r == 0)
        r = people_begin(erasing->bank->people, &write);
    if (r < 0)
        return r;
    for (size_t at = 0; at < erasing->notes.n; at += ORDER_ID_BYTES)
        people_delete_note(write, erasing->notes.data + at);
    for (size_t i = 0; i < erasing->n; i++) {
        if (*erasing->list[i].person == '\0')
            people_delete_person(write, erasing->list[i].code);
        people_put_erasure(write, erasing->list[i].text, PEOPLE_DELETED);
    }
    return people_commit(write);
}

static int mark_erased(struct erasing *erasing) {
    struct people_write *write = NULL;
    int r = people_begin(erasing->bank->people, &write);

    if (r < 0)
        return r;
    for (size_t i = 0; i < erasing->n; i++)
        people_put_erasure(write, erasing->list[i].text, PEOPLE_ERASED);
    return people_commit(write);
}

static int erase(struct erasing *erasing) {
    int r = find_all(erasing);

    if (r < 0 || erasing->n == 0)
        return r;
    if (!all_deleted(erasing))
        r = delete_records(erasing);
    if (r == 0)
        r = people_replace(erasing->bank->people);
    return r == 0 ? mark_erased(erasing) : r;
}

int bank_erase(struct bank *bank) {
    struct erasing erasing = {.bank = bank};
    uint64_t n_erasures = bank_state(bank)->sums.n_erasures;
    int r;

    if (bank->n_erasures_seen != n_erasures) {
        bank->n_erasures_seen = n_erasures;
        bank->erase_ticket = log_write_ticket(bank->log);
    }
    if (bank->n_erased == bank->n_erasures_seen || !log_is_durable(bank->log, bank->erase_ticket))
        return 0;
    arena_init(&erasing.arena, ARENA_BYTES);
    r = erase(&erasing);
    arena_fini(&erasing.arena);
    free(erasing.list);
    bytes_fini(&erasing.notes);
    if (r == 0)
        bank->n_erased = bank->n_erasures_seen;
    return r;
}
