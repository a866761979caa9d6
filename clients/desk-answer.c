/* SPDX-License-Identifier: Apache-2.0 */
/* VALID, NO or CHECK; the bank's own sentences keep to what a venue may know. */
#include "desk-answer.h"

#include <inttypes.h>
#include <string.h>

#include "record.h"

const char *desk_answer_word(int refusal) {
    switch (refusal) {
    case TB_SEE_COORDINATOR:
    case TB_FROZEN:
    case TB_CLOSED:
    case TB_NO_SUCH_ACCOUNT:
    case TB_MERGED:
    case TB_VOUCHER_VOID:
    case TB_VOUCHER_USED:
    case TB_VOUCHER_UNKNOWN:
    case TB_VOUCHER_NOT_GENUINE:
        return "CHECK";
    default:
        return "NO";
    }
}

const char *desk_answer_sentence(int refusal, const char *message) {
    static const char check[] = "CHECK: ";
    if (refusal == TB_BELOW_FLOOR)
        return "the credits do not cover it. Offer fewer heads, the normal price, or a word with "
               "the coordinator.";
    if (strncmp(message, check, strlen(check)) == 0)
        return message + strlen(check);
    return message;
}

int desk_answer_refused(struct client *client, const struct tb_batch *batch) {
    struct tb_refused refused;
    if (tb_batch_refusal(batch, 0, &refused) != 0)
        return CLIENT_REFUSED;
    const char *word = desk_answer_word(refused.refusal);
    const char *sentence = desk_answer_sentence(refused.refusal, refused.message);
    if (client->json)
        client_print_json(json_pack("{s:s, s:s, s:o}", "refused", tb_refusal_name(refused.refusal),
                                    "answer", word, "message", client_json_text(sentence)));
    else
        client_line(stderr, "%s: %s", word, sentence);
    return CLIENT_REFUSED;
}

void desk_answer_valid(struct client *client, const struct tb_answer *answer,
                       const struct tb_order *order) {
    char words[200];
    snprintf(words, sizeof(words), "VALID: %s, %" PRIu32 " adult%s and %" PRIu32 " under 16",
             order->offer, order->adults, order->adults == 1 ? "" : "s", order->under16);
    struct record_told told = {.kind = (int)order->kind, .words = words};
    told.more = json_pack("{s:s}", "answer", "VALID");
    record_tell(client, answer, &told);
}

int desk_answer_record(struct client *client, struct tb_order *order,
                       const struct tb_order *shown) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    int r = record_try(client, order, &batch, &answer);
    if (r == 0)
        desk_answer_valid(client, answer, shown);
    else if (r > 0 && batch && tb_batch_refusals(batch) > 0)
        return desk_answer_refused(client, batch);
    return client_outcome(client, r);
}
