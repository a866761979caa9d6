/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank transfer: credits between a member here and another bank. Both banks record it under the
 * same transfer id: the one they leave makes it, the one they come to is told it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "entries.h"
#include "options.h"
#include "record.h"
#include "verbs.h"

#define ID_HEX_BYTES (2 * TB_ORDER_ID_BYTES + 1)

static int digit_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool id_parse(const char *text, uint8_t ret[TB_ORDER_ID_BYTES]) {
    size_t n = 0;
    for (; *text; text++) {
        int value = digit_value(*text);
        if (*text == '-' || *text == ' ')
            continue;
        if (value < 0 || n == 2 * (size_t)TB_ORDER_ID_BYTES)
            return false;
        ret[n / 2] = (uint8_t)(n % 2 ? ret[n / 2] << 4 | value : value);
        n++;
    }
    return n == 2 * (size_t)TB_ORDER_ID_BYTES;
}

static int id_read(struct client *client, const char *typed, uint8_t ret[TB_ORDER_ID_BYTES]) {
    if (!typed && getrandom(ret, TB_ORDER_ID_BYTES, 0) != TB_ORDER_ID_BYTES)
        return client_outcome(client, -EIO);
    if (typed && !id_parse(typed, ret))
        return client_refuse(client, TB_BAD_NUMBER,
                             "\"%s\" is no transfer id: it has %d of 0-9 and a-f, as the other "
                             "bank printed it.",
                             typed, 2 * TB_ORDER_ID_BYTES);
    return CLIENT_DONE;
}

static int transfer_tell(struct client *client, const struct tb_answer *answer,
                         const struct tb_order *order) {
    _cleanup_(freep) char *words = record_words(order), *line = NULL;
    char id[ID_HEX_BYTES];
    for (size_t i = 0; i < TB_ORDER_ID_BYTES; i++)
        snprintf(id + 2 * i, 3, "%02x", order->transfer_id[i]);
    if (asprintf(&line, "%s, transfer id %s", words ? words : "", id) < 0)
        return client_outcome(client, -ENOMEM);
    struct record_told told = {.kind = TB_TRANSFER, .words = line};
    record_balances(answer, order, &told);
    told.more = json_pack("{s:s}", "transfer_id", id);
    record_tell(client, answer, &told);
    return CLIENT_DONE;
}

static int transfer_record(struct client *client, struct tb_order *order) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    int r = record_try(client, order, &batch, &answer);
    return r == 0 ? transfer_tell(client, answer, order) : record_outcome(client, batch, r);
}

static int transfer_run(struct client *client, int argc, char **argv) {
    struct entries_typed typed = {0};
    char *id = NULL;
    const struct options_one options[] = {OPTION_TEXT("from", &typed.from),
                                          OPTION_TEXT("to", &typed.to), OPTION_TEXT("id", &id),
                                          ENTRIES_OPTIONS(typed), OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_TRANSFER;
    int r = options_read(&verb_transfer, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE && !typed.time)
        r = client_usage(&verb_transfer, "The time is missing: say how much with --time.");
    if (r == CLIENT_DONE)
        r = entries_side(client, &verb_transfer, "from", typed.from, 0, &order.from);
    if (r == CLIENT_DONE)
        r = entries_side(client, &verb_transfer, "to", typed.to, 0, &order.to);
    if (r == CLIENT_DONE && !id && strncmp(order.from, "bank:", 5) == 0)
        r = client_usage(&verb_transfer, "What comes from another bank has its id: give it with "
                                         "--id.");
    if (r == CLIENT_DONE)
        r = id_read(client, id, order.transfer_id);
    if (r == CLIENT_DONE)
        r = entries_read(client, &verb_transfer, &typed, &order);
    return r == CLIENT_DONE ? transfer_record(client, &order) : r;
}

const struct verb verb_transfer = {
    .name = "transfer",
    .summary = "move credits to another bank, or take in what comes from one",
    .help =
        "timebank transfer --from m0007 --to bank:riverside --time 2h\n"
        "timebank transfer --from bank:riverside --to m0012 --time 2h --id "
        "5f0c29e1b7d84a6c9e3d12ab45cd67ef\n"
        "\n"
        "Moves a member's credits to another bank, whose account a steward opened here (timebank "
        "account\n"
        "open bank:riverside --kind bank), or the other way. Both banks keep the same transfer id, "
        "which is\n"
        "printed where the credits leave; either bank takes it once. Limits on the bank's account "
        "and the\n"
        "policy transfer-cap-year bound what two banks may owe each other.\n"
        "\n"
        "  --from CODE, --to CODE   a member, and a bank\n"
        "  --id ID                  of what comes in: as the other bank printed it\n"
        "  --time TIME              2h30, 2:30, 2.5, 150m or 45 min\n" ENTRIES_ON_HELP
        "  --why TEXT               a note, kept beside the ledger\n"
        "  --over-limit             insist although a limit is passed (needs "
        "--why)\n" ENTRIES_LATE_HELP,
    .run = transfer_run,
};
