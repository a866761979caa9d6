/* SPDX-License-Identifier: Apache-2.0 */
/* What a check found, put together sentence by sentence and entry by entry, and handed out. */
#include "verified.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bank.h"
#include "base/files.h"
#include "order.h"
#include "proto/dates.h"
#include "proto/record.h"

int verified_fail(struct verified_check *check, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(check->why, check->n_why, format, arguments);
    va_end(arguments);
    bank_clean_text(check->why);
    return TB_NOT_VERIFIED;
}

int verified_say(struct verified_check *check, bool is_proven, const char *format, ...) {
    struct tb_verified *verified = check->verified;
    struct verified_sentence *more =
        reallocarray(verified->sentences, verified->n_sentences + 1, sizeof(*verified->sentences));
    if (!more)
        return -ENOMEM;
    verified->sentences = more;
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (n < 0)
        return -ENOMEM;
    bank_clean_text(text);
    /* What was proven stands before what was not. */
    size_t at = verified->n_sentences;
    while (is_proven && at > 0 && !more[at - 1].is_proven)
        at--;
    memmove(&more[at + 1], &more[at], (verified->n_sentences - at) * sizeof(*more));
    more[at] = (struct verified_sentence){.text = text, .is_proven = is_proven};
    verified->n_sentences++;
    return 0;
}

int verified_read(struct verified_check *check, const char *path, size_t n_max, struct bytes *to) {
    const char *slash = strrchr(path, '/');
    const char *name = slash && slash[1] ? slash + 1 : path;
    int r = file_read(path, n_max, to);
    if (r == -ENOMEM)
        return r;
    if (r == -ENOENT)
        return verified_fail(check, "%s is not there: ask again for what it belongs to.", name);
    if (r == -EFBIG)
        return verified_fail(
            check, "%s is too long to be what it should be: ask again for what it belongs to.",
            name);
    if (r < 0)
        return verified_fail(check, "%s cannot be read (%s): it must be a plain file.", name,
                             strerror(-r));
    if (to->n == 0)
        return verified_fail(check, "%s is empty: ask again for what it belongs to.", name);
    return 0;
}

int verified_entry_add(struct tb_verified *verified, struct tb_verified_entry **ret_entry) {
    if (verified->n_entries == verified->n_entries_allocated) {
        size_t n = verified->n_entries_allocated ? verified->n_entries_allocated * 2 : 4;
        struct tb_verified_entry *more =
            reallocarray(verified->entries, n, sizeof(*verified->entries));
        if (!more)
            return -ENOMEM;
        verified->entries = more;
        verified->n_entries_allocated = n;
    }
    struct tb_verified_entry *entry = &verified->entries[verified->n_entries++];
    *entry = (struct tb_verified_entry){.order.struct_bytes = sizeof(entry->order)};
    *ret_entry = entry;
    return 0;
}

static int order_take(struct tb_verified *verified, const uint8_t *body, size_t n,
                      struct tb_verified_entry *entry) {
    Timebank__Order *message = NULL;
    int r = record_order_decode(body, n, &verified->arena, &message);
    return r < 0 ? r : order_decode(message, &verified->arena, &entry->order);
}

/* So that a reader may print the order of an event as any other: all but empty. */
static int event_take(struct tb_verified *verified, const uint8_t *body, size_t n,
                      struct tb_verified_entry *entry) {
    static const Timebank__Exchange nothing = TIMEBANK__EXCHANGE__INIT;
    Timebank__Event *message = NULL;
    int r = record_event_decode(body, n, &verified->arena, &message);
    if (r < 0)
        return r;
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    order.exchange = (Timebank__Exchange *)&nothing;
    r = order_decode(&order, &verified->arena, &entry->order);
    if (r < 0)
        return r;
    memcpy(entry->order.target, message->follows.data, sizeof(entry->order.target));
    entry->event = (int)message->kind;
    entry->event_ms = message->ledger_time_ms;
    entry->event_minutes = message->minutes;
    return 0;
}

int verified_entry_decode(struct tb_verified *verified, const uint8_t *record, size_t n,
                          struct tb_verified_entry *entry) {
    if (n < 1 || n > RECORD_MAX)
        return -EBADMSG;
    if (record[0] == RECORD_ORDER)
        return order_take(verified, record + 1, n - 1, entry);
    if (record[0] == RECORD_EVENT)
        return event_take(verified, record + 1, n - 1, entry);
    return -EBADMSG;
}

void verified_time(uint64_t time_ms, char ret[64]) {
    char day[32];
    uint64_t minute = time_ms / 60000;
    if (minute / 1440 > UINT32_MAX) {
        snprintf(ret, 64, "no possible day");
        return;
    }
    dates_format_words((uint32_t)(minute / 1440), day);
    snprintf(ret, 64, "%s, %02u:%02u UTC", day, (unsigned)(minute % 1440 / 60),
             (unsigned)(minute % 60));
}

/* ------------------------------------------------------------------- public */

struct tb_verified *tb_verified_free(struct tb_verified *verified) {
    if (!verified)
        return NULL;
    for (size_t i = 0; i < verified->n_sentences; i++)
        free(verified->sentences[i].text);
    free(verified->sentences);
    free(verified->entries);
    arena_fini(&verified->arena);
    free(verified);
    return NULL;
}

int tb_verified_kind(const struct tb_verified *verified) {
    return verified ? (int)verified->kind : TB_IS_NOTHING;
}

const char *tb_verified_sentence(const struct tb_verified *verified, size_t i, int *ret_is_proven) {
    if (!verified || i >= verified->n_sentences)
        return NULL;
    if (ret_is_proven)
        *ret_is_proven = verified->sentences[i].is_proven;
    return verified->sentences[i].text;
}

void tb_verified_position(const struct tb_verified *verified, uint64_t *ret_size,
                          uint8_t ret_root[32]) {
    if (ret_size)
        *ret_size = verified ? verified->size : 0;
    if (ret_root && verified)
        memcpy(ret_root, verified->root.b, HASH_BYTES);
    else if (ret_root)
        memset(ret_root, 0, HASH_BYTES);
}

size_t tb_verified_entries(const struct tb_verified *verified) {
    return verified ? verified->n_entries : 0;
}

int tb_verified_entry(const struct tb_verified *verified, size_t i,
                      struct tb_verified_entry *ret_entry) {
    if (!verified || !ret_entry || i >= verified->n_entries)
        return -EINVAL;
    *ret_entry = verified->entries[i];
    return 0;
}

void tb_verified_account(const struct tb_verified *verified,
                         struct tb_verified_account *ret_account) {
    if (!ret_account)
        return;
    *ret_account = verified ? verified->account : (struct tb_verified_account){};
    ret_account->code = verified ? verified->code : "";
}
