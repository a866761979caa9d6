/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A statement that proves itself complete: proto/statement-proof.c checks figures, hashes and head;
 * here each entry is read, and where the order alone determines what it did to the account, its
 * figure must be that.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/statement-proof.h"
#include "verified.h"

/* The bank's own account on a side that an order of this kind may leave empty. */
static const struct {
    int kind;
    const char *from;
    const char *to;
} basic_kinds[] = {
    {TB_EXCHANGE, "", ""},    {TB_EARN, "", ""},        {TB_LOG, "", ""},
    {TB_GIFT, "", ""},        {TB_DONATE, "", "chest"}, {TB_GRANT, "issued", ""},
    {TB_ISSUE, "issued", ""}, {TB_REDEEM, "", ""},
};

static const char *side(const char *named, const char *own) {
    return named && *named ? named : own;
}

/* Whether the order bears a figure of the account out. Two are not all its own: of what waits for a
 * yes only a gift moves anything, into transit; and of what a member earns a part may repay an
 * advance. */
static bool is_borne_out(const struct tb_order *order, const char *from, const char *to,
                         const char *code, int64_t figure) {
    bool waits = order->proposal != 0, is_gift = order->kind == TB_GIFT;
    bool repays = !waits && (order->kind == TB_EXCHANGE || order->kind == TB_EARN);
    if (order->minutes > INT64_MAX)
        return false;
    int64_t minutes = order->kind == TB_LOG || (waits && !is_gift) ? 0 : (int64_t)order->minutes;
    if (strcmp(code, from) == 0)
        return figure == -minutes;
    if (strcmp(code, to) == 0)
        return repays ? figure >= 0 && figure <= minutes : figure == (waits ? 0 : minutes);
    if (repays && strcmp(code, "advances") == 0)
        return figure >= 0 && figure <= minutes;
    return waits && is_gift && strcmp(code, "transit") == 0 && figure == minutes;
}

static int figure_check(struct verified_check *check, const struct tb_verified_entry *entry,
                        const char *code) {
    const struct tb_order *order = &entry->order;
    for (size_t i = 0; i < N_ELEMENTS(basic_kinds); i++) {
        if (basic_kinds[i].kind == (int)order->kind &&
            !is_borne_out(order, side(order->from, basic_kinds[i].from),
                          side(order->to, basic_kinds[i].to), code, entry->minutes))
            return verified_fail(check,
                                 "Entry %" PRIu64 " is not what the statement says it did to %s: "
                                 "keep the file and tell an auditor.",
                                 entry->entry, code);
    }
    return 0;
}

struct reading {
    struct verified_check *check;
    uint64_t n_unreadable; /* number of the record, or 0 */
};

static int entry_take(void *user, const struct statement_proof_entry *from) {
    struct reading *reading = user;
    struct tb_verified_entry *entry = NULL;
    int r = verified_entry_add(reading->check->verified, &entry);
    if (r == 0)
        r = verified_entry_decode(reading->check->verified, from->record, from->n_record, entry);
    if (r == -EBADMSG)
        reading->n_unreadable = from->number;
    if (r < 0)
        return r;
    entry->entry = from->number;
    entry->minutes = from->minutes;
    entry->after_minutes = from->after;
    entry->held_after_minutes = from->held;
    return 0;
}

/* The account is known once all was read. */
static int figures_check(struct verified_check *check, const struct statement_proof *proof) {
    int r = 0;
    for (size_t i = 0; i < check->verified->n_entries && r == 0; i++)
        if (check->verified->entries[i].event == 0)
            r = figure_check(check, &check->verified->entries[i], proof->account.code);
    return r;
}

static int proven_say(struct verified_check *check, const struct statement_proof *proof) {
    const struct account_leaf *account = &proof->account;
    char balance[32], held[32], when[64];
    tb_time_format(account->balance, balance);
    tb_time_format(account->held, held);
    verified_time(proof->time_ms, when);
    int r =
        verified_say(check, true,
                     "The statement of %s in the ledger %s is complete and correct as of record "
                     "%" PRIu64 ", %s: %" PRIu64 " %s that moved it, balance %s.",
                     account->code, check->verifier.name, proof->state, when, account->n_entries,
                     account->n_entries == 1 ? "entry" : "entries", balance);
    if (r == 0 && account->held != 0)
        r = verified_say(check, true, "Besides that, %s is set aside.", held);
    if (r == 0)
        r = verified_say(check, true,
                         "Every entry stands in the ledger under its number, below the signed head "
                         "of %" PRIu64 " records.",
                         proof->size);
    return r;
}

static int unproven_say(struct verified_check *check) {
    static const char *const sentences[] = {
        "When an entry was recorded and who signed it: a receipt of it shows both.",
        "Hours without credit: they move no balance, so some may be missing.",
        "Why what was confirmed, corrected or fell due has its minutes: they add up.",
        "What of an hour that was earned repaid an advance: that takes the whole ledger.",
        "Anything recorded later.",
    };
    int r = 0;
    for (size_t i = 0; i < N_ELEMENTS(sentences) && r == 0; i++)
        r = verified_say(check, false, "%s", sentences[i]);
    return r == 0 ? verified_head_leaves(check) : r;
}

static void account_take(struct tb_verified *verified, const struct statement_proof *proof) {
    snprintf(verified->code, sizeof(verified->code), "%s", proof->account.code);
    verified->account = (struct tb_verified_account){
        .kind = proof->account.kind,
        .standing = proof->account.standing,
        .minutes = proof->account.balance,
        .held_minutes = proof->account.held,
        .covers = proof->state,
    };
}

static int head_check(struct verified_check *check, const struct statement_proof *proof) {
    struct note_head head;
    int r = verified_head(check, proof->checkpoint, proof->n_checkpoint, &head);
    if (r != 0)
        return r;
    if (head.size != proof->size || !hash_equal(&head.root, &proof->root))
        return verified_fail(check, "The entries do not lead to the head that the ledger signed: "
                                    "ask for the statement again, and keep this one if it stays "
                                    "so.");
    return 0;
}

int verified_statement(struct verified_check *check, const struct bytes *file) {
    struct reading reading = {.check = check};
    struct statement_proof proof;
    char why[256] = "";
    check->verified->kind = TB_IS_STATEMENT;
    int r =
        statement_proof_check(file->data, file->n, entry_take, &reading, &proof, why, sizeof(why));
    if (r == -EBADMSG && reading.n_unreadable > 0)
        return verified_fail(check,
                             "Record %" PRIu64 " is neither an order nor something that fell "
                             "due: keep the file and tell an auditor.",
                             reading.n_unreadable);
    if (r == -EBADMSG)
        return verified_fail(check, "%s", *why ? why : "This is no statement as it was written.");
    if (r < 0)
        return r;
    r = head_check(check, &proof);
    if (r == 0)
        r = figures_check(check, &proof);
    if (r != 0)
        return r;
    account_take(check->verified, &proof);
    r = proven_say(check, &proof);
    return r == 0 ? unproven_say(check) : r;
}
