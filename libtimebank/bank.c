/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handle: its settings, its sentences, its end. Connections are connect.c's, calls are
 * call.c's. The secret key lives in guarded memory from the opening to the end, and nowhere else.
 */
#include "bank.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "connect.h"
#include "outbox.h"
#include "pins.h"

int tb_bank_new(struct tb_bank **ret_bank) {
    if (!ret_bank)
        return -EINVAL;
    if (sodium_init() < 0)
        return -ENOTSUP;
    struct tb_bank *bank = calloc(1, sizeof(*bank));
    if (!bank)
        return -ENOMEM;
    bank->fd = -1;
    bank->deadline_ms = BANK_DEADLINE_MS;
    bank->pause_ms = CALL_PAUSE_FIRST_MS;
    *ret_bank = bank;
    return 0;
}

struct tb_bank *tb_bank_free(struct tb_bank *bank) {
    if (!bank)
        return NULL;
    bank_begin(bank);
    call_end_all(bank, -ECANCELED);
    /* A pin that cannot be kept now is an older one the next time, or the one beside a batch: less
     * is demanded of the bank then, and nothing wrong is believed. */
    int r = bank->ledger_is_known ? pins_keep_head(bank) : 0;
    outbox_close(bank, r == 0);
    connect_close(bank);
    sodium_free(bank->secret_key);
    bytes_fini(&bank->in);
    bytes_fini(&bank->out);
    bytes_fini(&bank->head.checkpoint);
    bytes_fini(&bank->saved_text);
    bytes_fini(&bank->opened_note.checkpoint);
    free(bank->key_path);
    free(bank->state_directory);
    free(bank->address);
    free(bank->socket_path);
    free(bank->verifier_key);
    free(bank->evidence);
    free(bank);
    return NULL;
}

static int setting_replace(struct tb_bank *bank, char **setting, const char *value) {
    if (bank->opened)
        return bank_fail(bank, -EISCONN, "This is set before the bank is opened.");
    char *copy = strdup(value);
    if (!copy)
        return -ENOMEM;
    free(*setting);
    *setting = copy;
    return 0;
}

int tb_bank_set_key_file(struct tb_bank *bank, const char *path) {
    return bank && path ? setting_replace(bank, &bank->key_path, path) : -EINVAL;
}

int tb_bank_set_state_directory(struct tb_bank *bank, const char *path) {
    return bank && path && path[0] ? setting_replace(bank, &bank->state_directory, path) : -EINVAL;
}

int tb_bank_set_ledger(struct tb_bank *bank, const char *verifier_key) {
    if (!bank || !verifier_key)
        return -EINVAL;
    if (bank->opened)
        return bank_fail(bank, -EISCONN, "The ledger is set before the bank is opened.");
    struct note_verifier verifier;
    int r = note_verifier_parse(&verifier, verifier_key);
    if (r < 0)
        return bank_fail(bank, -EINVAL,
                         "'%s' is not a verifier key: it is the line NAME+hash+key that timebankd "
                         "init printed, and that timebank status shows.",
                         verifier_key);
    r = bank_set_verifier(bank, &verifier);
    if (r == 0)
        bank->ledger_is_set = true;
    return r;
}

int tb_bank_set_deadline(struct tb_bank *bank, uint32_t deadline_ms) {
    if (!bank || deadline_ms == 0)
        return -EINVAL;
    bank->deadline_ms = deadline_ms;
    return 0;
}

void bank_begin(struct tb_bank *bank) {
    bank->message[0] = '\0';
    bank->lent = call_release(bank->lent);
}

int bank_begin_opened(struct tb_bank *bank) {
    bank_begin(bank);
    return bank->opened ? 0 : bank_fail(bank, -ENOTCONN, "The bank is not opened yet.");
}

void bank_clean_text(char *text) {
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
    }
}

int bank_fail(struct tb_bank *bank, int r, const char *format, ...) {
    if (format) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(bank->message, sizeof(bank->message), format, arguments);
        va_end(arguments);
    } else {
        snprintf(bank->message, sizeof(bank->message), "%s",
                 r > 0 ? refusal_sentence(r) : strerror(-r));
    }
    bank_clean_text(bank->message);
    return r;
}

void bank_notice(struct tb_bank *bank, const char *format, ...) {
    size_t n = strlen(bank->notice);
    if (n > 0 && n + 1 < sizeof(bank->notice))
        bank->notice[n++] = ' ';
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(bank->notice + n, sizeof(bank->notice) - n, format, arguments);
    va_end(arguments);
    bank_clean_text(bank->notice);
}

int bank_set_verifier(struct tb_bank *bank, const struct note_verifier *verifier) {
    _cleanup_bytes_ struct bytes text = {};
    note_verifier_format(verifier, &text);
    char *line = bytes_take_text(&text);
    if (!line)
        return -ENOMEM;
    free(bank->verifier_key);
    bank->verifier_key = line;
    bank->verifier = *verifier;
    bank->ledger_id = note_ledger_id(verifier->name, verifier->key);
    if (!bank->opened) /* a change of key changes nothing of it */
        bank->first_ledger_id = bank->ledger_id;
    bank->ledger_is_known = true;
    return 0;
}

int bank_set_head(struct tb_bank *bank, const struct note_head *head, const void *checkpoint,
                  size_t n) {
    assert(head->size >= bank->head.head.size);
    /* The note may be borrowed from the very buffer that it replaces. */
    _cleanup_bytes_ struct bytes copy = {};
    bytes_put(&copy, checkpoint, n);
    if (copy.r < 0)
        return copy.r;
    struct bytes old = bank->head.checkpoint;
    bank->head.checkpoint = copy;
    bank->head.head = *head;
    copy = old;
    return 0;
}

/* What was learnt at an earlier address says nothing about this one. */
static int ledger_forget(struct tb_bank *bank) {
    int r = bank->ledger_is_known ? pins_keep_head(bank) : 0;
    outbox_close(bank, r == 0);
    connect_close(bank);
    bank->opened = false;
    bank->dry_runs_lost = false;
    bank->ledger_is_known = bank->ledger_is_set;
    bank->head.head = (struct note_head){};
    bytes_clear(&bank->head.checkpoint);
    bank->saved_size = 0;
    bytes_clear(&bank->saved_text);
    bank->handshake.chain.n = 0;
    bank->pause_ms = CALL_PAUSE_FIRST_MS;
    bank->not_before_ms = 0;
    return r;
}

static int ledger_recall(struct tb_bank *bank) {
    if (!bank->ledger_is_known) {
        struct note_verifier verifier;
        int r = pins_get_address(bank, &verifier);
        if (r == -ENOENT)
            return 0;
        if (r == 0)
            r = bank_set_verifier(bank, &verifier);
        if (r != 0)
            return r;
    }
    return pins_load_head(bank);
}

int tb_bank_open_start(struct tb_bank *bank, const char *address, struct tb_call **ret_call) {
    if (!bank || !address || !ret_call)
        return -EINVAL;
    bank_begin(bank);
    if (bank->calls)
        return bank_fail(bank, -EBUSY, "Calls are under way: end them before the bank is opened.");
    int r = ledger_forget(bank);
    if (r == 0)
        r = connect_set_address(bank, address);
    if (r == 0)
        r = connect_load_key(bank);
    if (r == 0)
        r = ledger_recall(bank);
    if (r == 0)
        r = call_connect(bank, ret_call);
    return r;
}

int tb_bank_open(struct tb_bank *bank, const char *address) {
    struct tb_call *call = NULL;
    int r = tb_bank_open_start(bank, address, &call);
    return r == 0 ? call_lend(call) : r;
}

const char *tb_bank_message(const struct tb_bank *bank) {
    return bank ? bank->message : "";
}

const char *tb_bank_notice(const struct tb_bank *bank) {
    return bank ? bank->notice : "";
}

const char *tb_bank_evidence(const struct tb_bank *bank) {
    return bank && bank->evidence ? bank->evidence : "";
}

const char *tb_bank_origin(const struct tb_bank *bank) {
    return bank && bank->ledger_is_known ? bank->verifier.name : "";
}

const char *tb_bank_verifier_key(const struct tb_bank *bank) {
    return bank && bank->verifier_key ? bank->verifier_key : "";
}

void tb_bank_ledger_tag(const struct tb_bank *bank, uint8_t ret_tag[4]) {
    static const struct hash none;
    if (ret_tag)
        memcpy(ret_tag, bank && bank->opened ? bank->first_ledger_id.b : none.b, 4);
}

int tb_bank_role(const struct tb_bank *bank) {
    return bank ? bank->role : TB_ROLE_NONE;
}

const char *tb_bank_account(const struct tb_bank *bank) {
    return bank ? bank->account : "";
}

void tb_bank_position(const struct tb_bank *bank, uint64_t *ret_size, uint8_t ret_root[32]) {
    static const struct hash none;
    const struct note_head *head = bank && bank->head.head.size > 0 ? &bank->head.head : NULL;
    if (ret_size)
        *ret_size = head ? head->size : 0;
    if (ret_root)
        memcpy(ret_root, head ? head->root.b : none.b, HASH_BYTES);
}
