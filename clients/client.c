/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bank once opened, and how an outcome is told: a sentence on standard error, or with --json
 * one object on standard output. Whatever the bank or a file put into a sentence is cleaned here,
 * so that no text of others can drive a terminal.
 */
#include "client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define WHY_BYTES 400

/* Bytes at text that must not reach a terminal: C0, DEL, C1, and marks that turn the reading order.
 */
static size_t control_bytes(const unsigned char *text) {
    if (text[0] < 0x20 || text[0] == 0x7f)
        return 1;
    if (text[0] == 0xc2 && text[1] >= 0x80 && text[1] <= 0x9f)
        return 2;
    if (text[0] == 0xe2 && text[1] == 0x80 && text[2] >= 0xaa && text[2] <= 0xae)
        return 3;
    if (text[0] == 0xe2 && text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9)
        return 3;
    return 0;
}

static void clean(char *text) {
    char *to = text;
    while (*text) {
        size_t n = control_bytes((const unsigned char *)text);
        if (n == 0)
            *to++ = *text++;
        text += n;
    }
    *to = '\0';
}

void client_line(FILE *to, const char *format, ...) {
    _cleanup_(freep) char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (n < 0) {
        text = NULL;
        fputs("Out of memory.\n", stderr);
        return;
    }
    clean(text);
    fprintf(to, "%s\n", text);
}

const char *client_code(char *text) {
    for (char *p = text; p && *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return text;
}

json_t *client_json_text(const char *text) {
    json_t *string = json_string(text);
    if (string)
        return string;
    _cleanup_(freep) char *copy = strdup(text);
    if (!copy)
        return json_string("");
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    return json_string(copy);
}

void client_print_json(json_t *object) {
    _cleanup_(freep) char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    if (text)
        puts(text);
    else
        fputs("Out of memory.\n", stderr);
    json_decref(object);
}

static void root_format(const uint8_t root[32], char ret[45]) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t padded[33] = {0};
    memcpy(padded, root, 32);
    for (size_t i = 0, o = 0; i < 33; i += 3, o += 4) {
        uint32_t three = (uint32_t)padded[i] << 16 | (uint32_t)padded[i + 1] << 8 | padded[i + 2];
        for (size_t d = 0; d < 4; d++)
            ret[o + d] = digits[three >> (18 - 6 * d) & 63];
    }
    ret[43] = '=';
    ret[44] = '\0';
}

json_t *client_json_root(const uint8_t root[32]) {
    char text[45];
    root_format(root, text);
    return json_string(text);
}

json_t *client_position(struct client *client) {
    uint64_t size;
    uint8_t root[32];
    tb_bank_position(client->bank, &size, root);
    return json_pack("{s:I, s:o}", "size", (json_int_t)size, "root", client_json_root(root));
}

void client_print_list(struct client *client, json_t *rows, void (*tell)(const json_t *row)) {
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        if (client->json) {
            json_object_set_new(row, "position", client_position(client));
            client_print_json(json_incref(row));
        } else {
            tell(row);
        }
    }
    json_decref(rows);
}

static void notice_tell(struct client *client) {
    const char *notice = tb_bank_notice(client->bank);
    if (!*notice || (client->noticed && strcmp(notice, client->noticed) == 0))
        return;
    client_line(stderr, "%s", notice);
    free(client->noticed);
    client->noticed = strdup(notice);
}

static int bank_make(struct client *client) {
    int r = tb_bank_new(&client->bank);
    if (r == 0 && client->key)
        r = tb_bank_set_key_file(client->bank, client->key);
    if (r == 0 && client->ledger)
        r = tb_bank_set_ledger(client->bank, client->ledger);
    if (r == 0 && client->deadline_ms)
        r = tb_bank_set_deadline(client->bank, client->deadline_ms);
    if (r == 0)
        r = tb_bank_open(client->bank, client->address);
    return r;
}

int client_open(struct client *client) {
    if (client->bank)
        return CLIENT_DONE;
    if (!client->address)
        return client_refuse(client, TB_NO_BANK,
                             "No bank is named: set TIMEBANK=unix:DIR/socket, or "
                             "say --bank unix:DIR/socket before the verb.");
    int r = bank_make(client);
    if (client->bank)
        notice_tell(client);
    r = client_outcome(client, r);
    if (r != CLIENT_DONE)
        client->bank = tb_bank_free(client->bank);
    return r;
}

void client_fini(struct client *client) {
    client->bank = tb_bank_free(client->bank);
    json_decref(client->policies);
    client->policies = NULL;
    free(TAKE(client->noticed));
    free(TAKE(client->own));
}

static void outcome_tell(struct client *client, const char *key, const char *name,
                         const char *message) {
    if (client->json)
        client_print_json(json_pack("{s:o, s:o}", key, client_json_text(name), "message",
                                    client_json_text(message)));
    else
        client_line(stderr, "%s", message);
}

static int broken_tell(struct client *client, int r, const char *message) {
    if (r == -EINPROGRESS) {
        outcome_tell(client, "unknown", "IN_PROGRESS",
                     *message ? message
                              : "The bank did not answer in time: repeat the command; nothing is "
                                "counted twice.");
        return CLIENT_UNKNOWN;
    }
    const char *name = strerrorname_np(-r);
    outcome_tell(client, "broken", name ? name : "", *message ? message : strerror(-r));
    const char *evidence = client->bank ? tb_bank_evidence(client->bank) : "";
    if (*evidence && !strstr(message, evidence))
        client_line(stderr, "Evidence: %s", evidence);
    return CLIENT_BROKEN;
}

int client_outcome_why(struct client *client, int r, const char *why) {
    if (r == 0)
        return CLIENT_DONE;
    if (r < 0)
        return broken_tell(client, r, why);
    outcome_tell(client, "refused", tb_refusal_name(r), *why ? why : tb_refusal_sentence(r));
    return CLIENT_REFUSED;
}

int client_outcome(struct client *client, int r) {
    if (client->bank)
        notice_tell(client);
    return client_outcome_why(client, r, client->bank ? tb_bank_message(client->bank) : "");
}

int client_list_outcome(struct client *client, int r, json_t *rows,
                        void (*tell)(const json_t *row)) {
    int status = client_outcome(client, r);
    if (status == CLIENT_DONE)
        client_print_list(client, rows, tell);
    else
        json_decref(rows);
    return status;
}

int client_refuse(struct client *client, int refusal, const char *format, ...) {
    _cleanup_(freep) char *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    int n = vasprintf(&message, format, arguments);
    va_end(arguments);
    if (n < 0)
        message = NULL;
    outcome_tell(client, "refused", tb_refusal_name(refusal),
                 message && *message ? message : tb_refusal_sentence(refusal));
    return CLIENT_REFUSED;
}

int client_usage(const struct verb *verb, const char *format, ...) {
    _cleanup_(freep) char *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    int n = vasprintf(&message, format, arguments);
    va_end(arguments);
    if (n < 0)
        message = NULL;
    client_line(stderr, "%s", message ? message : "Wrong usage.");
    const char *end = strchr(verb->help, '\n');
    client_line(stderr, "For example: %.*s",
                end ? (int)(end - verb->help) : (int)strlen(verb->help), verb->help);
    client_line(stderr, "More: timebank %s --help", verb->name);
    return CLIENT_USAGE;
}

static json_t *refusal_json(const struct tb_refused *refused) {
    json_t *object =
        json_pack("{s:s, s:o, s:o}", "refused", tb_refusal_name(refused->refusal), "message",
                  client_json_text(refused->message), "entry",
                  refused->entry ? json_integer((json_int_t)refused->entry) : json_null());
    if (object && *refused->field)
        json_object_set_new(object, "field", client_json_text(refused->field));
    return object;
}

int client_batch_refused(struct client *client, const struct tb_batch *batch) {
    json_t *first = NULL;
    json_t *rest = json_array();
    for (size_t i = 0; i < tb_batch_refusals(batch); i++) {
        struct tb_refused refused;
        if (tb_batch_refusal(batch, i, &refused) != 0)
            break;
        if (!client->json)
            client_line(stderr, "%s", refused.message);
        else if (!first)
            first = refusal_json(&refused);
        else
            json_array_append_new(rest, refusal_json(&refused));
    }
    if (first && json_array_size(rest) > 0)
        json_object_set(first, "more", rest);
    json_decref(rest);
    if (first)
        client_print_json(first);
    return CLIENT_REFUSED;
}

const char *client_own_account(struct client *client, int role) {
    if (!client->bank || tb_bank_role(client->bank) != role)
        return NULL;
    if (!client->own)
        client->own = strdup(tb_bank_account(client->bank));
    return client->own;
}

static int policy_keep(void *user, const struct tb_policy *policy) {
    json_object_set_new(user, policy->name, client_json_text(policy->value));
    return 0;
}

const char *client_policy(struct client *client, const char *name) {
    if (!client->policies) {
        client->policies = json_object();
        if (client_open(client) != CLIENT_DONE)
            return "";
        /* Where this key may not read policies, the bank's own check is all there is. */
        (void)!tb_policy_list(client->bank, policy_keep, client->policies);
    }
    const char *value = json_string_value(json_object_get(client->policies, name));
    return value ? value : "";
}

/* The policy quantum in minutes ("15", "15 min"); 1 where it is not known. */
static uint64_t quantum_minutes(struct client *client) {
    unsigned long long minutes = strtoull(client_policy(client, "quantum"), NULL, 10);
    return minutes ? minutes : 1;
}

static int quantum_refuse(struct client *client, uint64_t minutes, uint64_t quantum) {
    char typed[32], step[32], below[32], above[32];
    uint64_t rest = minutes % quantum;
    tb_time_format((int64_t)minutes, typed);
    tb_time_format((int64_t)quantum, step);
    tb_time_format((int64_t)(minutes - rest), below);
    tb_time_format((int64_t)(minutes - rest + quantum), above);
    if (minutes < quantum)
        return client_refuse(client, TB_NOT_IN_QUANTUM,
                             "%s is less than %s, the smallest step of this bank: enter %s.", typed,
                             step, above);
    return client_refuse(client, TB_NOT_IN_QUANTUM,
                         "%s is not a multiple of %s, the smallest step of this bank: enter %s or "
                         "%s.",
                         typed, step, below, above);
}

int client_time(struct client *client, const char *text, struct tb_order *order) {
    char why[WHY_BYTES] = "";
    uint64_t typed, minutes;
    int r = tb_time_parse(text, &typed, why, sizeof(why));
    if (r != 0)
        return client_outcome_why(client, r, why);
    r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    uint64_t quantum = quantum_minutes(client);
    const char *rounding = client_policy(client, "rounding");
    r = tb_time_round(typed, quantum, *rounding ? rounding : "refuse", &minutes);
    if (r == TB_NOT_IN_QUANTUM)
        return quantum_refuse(client, typed, quantum);
    if (r != 0)
        return client_outcome(client, r);
    order->minutes = minutes;
    order->typed_minutes = minutes == typed ? 0 : typed;
    return CLIENT_DONE;
}

int client_date(struct client *client, const char *text, uint32_t *ret_day) {
    char why[WHY_BYTES] = "";
    int r = tb_date_parse(text, tb_today(), ret_day, why, sizeof(why));
    return client_outcome_why(client, r, why);
}
