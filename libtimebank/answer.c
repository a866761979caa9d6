/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of a batch, order by order. An answer outlives the bank's next call, so it owns all
 * it holds; out of range places read as nothing.
 */
#include "answer.h"

#include <errno.h>
#include <string.h>

enum readable { READABLE_FROM = 1, READABLE_TO = 2 };

struct order_outcome {
    uint64_t entry;
    int64_t from_after;
    int64_t to_after;
    uint8_t readable; /* sum of enum readable */
    bool already;
};

struct warning {
    struct tb_warning warning;
    char *message;
};

struct other {
    size_t place;
    char *code;
    int64_t minutes;
};

struct tb_answer {
    uint64_t received_at_ms;
    size_t n_orders;
    struct order_outcome *orders;
    size_t n_warnings;
    struct warning *warnings;
    size_t n_others;
    struct other *others;
};

struct tb_answer *tb_answer_free(struct tb_answer *answer) {
    if (!answer)
        return NULL;
    for (size_t i = 0; i < answer->n_warnings; i++)
        free(answer->warnings[i].message);
    for (size_t i = 0; i < answer->n_others; i++)
        free(answer->others[i].code);
    free(answer->others);
    free(answer->warnings);
    free(answer->orders);
    free(answer);
    return NULL;
}

static void orders_fill(struct tb_answer *answer, const Timebank__Answer *message, bool was_sent,
                        uint64_t size) {
    bool whole_before =
        !message->dry_run && (message->seal == 0 || (message->already && !was_sent));
    for (size_t i = 0; i < answer->n_orders; i++) {
        struct order_outcome *order = &answer->orders[i];
        /* Dry runs know each other's orders by numbers that no ledger reaches. */
        if (i < message->n_entries && message->entries[i] < size)
            order->entry = message->entries[i];
        order->already = whole_before || (message->dry_run && order->entry != 0);
        if (message->readable.len == 0)
            continue;
        order->readable = message->readable.data[i];
        order->from_after = message->from_after[i];
        order->to_after = message->to_after[i];
    }
}

static int warnings_fill(struct tb_answer *answer, const Timebank__Answer *message) {
    for (size_t i = 0; i < message->n_warnings; i++) {
        const Timebank__Warning *from = message->warnings[i];
        int number = (int)(from->warning & 0x7fffffff);
        const char *sentence = from->message[0] ? from->message : warning_sentence(number);
        struct warning *to = &answer->warnings[i];
        to->message = strdup(sentence);
        if (!to->message)
            return -ENOMEM;
        bank_clean_text(to->message);
        to->warning = (struct tb_warning){
            .warning = number,
            .place = from->place,
            .message = to->message,
            .entry = from->entry,
        };
        answer->n_warnings = i + 1;
    }
    return 0;
}

static int others_fill(struct tb_answer *answer, const Timebank__Answer *message) {
    for (size_t i = 0; i < message->n_other_code; i++) {
        struct other *other = &answer->others[i];
        other->place = message->other_place[i];
        other->minutes = message->other_after[i];
        other->code = strdup(message->other_code[i]);
        if (!other->code)
            return -ENOMEM;
        bank_clean_text(other->code);
        answer->n_others = i + 1;
    }
    return 0;
}

int answer_new(const Timebank__Answer *message, size_t n_orders, bool was_sent, uint64_t size,
               struct tb_answer **ret_answer) {
    _cleanup_(tb_answer_freep) struct tb_answer *answer = calloc(1, sizeof(*answer));
    if (!answer)
        return -ENOMEM;
    answer->received_at_ms = message->received_at_ms;
    answer->orders = calloc(MAX_OF(n_orders, (size_t)1), sizeof(*answer->orders));
    answer->warnings = calloc(MAX_OF(message->n_warnings, (size_t)1), sizeof(*answer->warnings));
    answer->others = calloc(MAX_OF(message->n_other_code, (size_t)1), sizeof(*answer->others));
    if (!answer->orders || !answer->warnings || !answer->others)
        return -ENOMEM;
    answer->n_orders = n_orders;
    orders_fill(answer, message, was_sent, size);
    int r = warnings_fill(answer, message);
    if (r == 0)
        r = others_fill(answer, message);
    if (r < 0)
        return r;
    *ret_answer = TAKE(answer);
    return 0;
}

size_t tb_answer_count(const struct tb_answer *answer) {
    return answer ? answer->n_orders : 0;
}

static const struct order_outcome *outcome_at(const struct tb_answer *answer, size_t place) {
    return answer && place < answer->n_orders ? &answer->orders[place] : NULL;
}

uint64_t tb_answer_entry(const struct tb_answer *answer, size_t place) {
    const struct order_outcome *order = outcome_at(answer, place);
    return order ? order->entry : 0;
}

int tb_answer_already(const struct tb_answer *answer, size_t place) {
    const struct order_outcome *order = outcome_at(answer, place);
    return order && order->already;
}

uint64_t tb_answer_received_at(const struct tb_answer *answer) {
    return answer ? answer->received_at_ms : 0;
}

int tb_answer_from_after(const struct tb_answer *answer, size_t place, int64_t *ret_minutes) {
    const struct order_outcome *order = outcome_at(answer, place);
    if (!order || !ret_minutes || !(order->readable & READABLE_FROM))
        return 0;
    *ret_minutes = order->from_after;
    return 1;
}

int tb_answer_to_after(const struct tb_answer *answer, size_t place, int64_t *ret_minutes) {
    const struct order_outcome *order = outcome_at(answer, place);
    if (!order || !ret_minutes || !(order->readable & READABLE_TO))
        return 0;
    *ret_minutes = order->to_after;
    return 1;
}

size_t tb_answer_others(const struct tb_answer *answer) {
    return answer ? answer->n_others : 0;
}

int tb_answer_other(const struct tb_answer *answer, size_t i, size_t *ret_place,
                    const char **ret_code, int64_t *ret_minutes) {
    if (!answer || !ret_place || !ret_code || !ret_minutes || i >= answer->n_others)
        return -EINVAL;
    *ret_place = answer->others[i].place;
    *ret_code = answer->others[i].code;
    *ret_minutes = answer->others[i].minutes;
    return 0;
}

size_t tb_answer_warnings(const struct tb_answer *answer) {
    return answer ? answer->n_warnings : 0;
}

int tb_answer_warning(const struct tb_answer *answer, size_t i, struct tb_warning *ret_warning) {
    if (!answer || !ret_warning || i >= answer->n_warnings)
        return -EINVAL;
    *ret_warning = answer->warnings[i].warning;
    return 0;
}
