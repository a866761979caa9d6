/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank verify: what a receipt, a proof, a statement, a report, a head or evidence proves, and
 * what it does not. No bank is asked, but for a report with --again: the ledger's verifier key is
 * all that is trusted.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "entry-json.h"
#include "options.h"
#include "verbs.h"
#include "verify.h"
#include "words.h"

#define WHY_BYTES 1024

static const char *const kinds[] = {
    [TB_IS_NOTHING] = "nothing",     [TB_IS_RECEIPT] = "receipt",   [TB_IS_PROOF] = "proof",
    [TB_IS_STATEMENT] = "statement", [TB_IS_EVIDENCE] = "evidence", [TB_IS_HEAD] = "head",
    [TB_IS_EXPORT] = "export",       [TB_IS_REPORT] = "report",
};

static void verified_freep(struct tb_verified **verified) {
    tb_verified_free(*verified);
}

static const char *kind_name(const struct tb_verified *verified) {
    int kind = tb_verified_kind(verified);
    return kind >= 0 && (size_t)kind < N_ELEMENTS(kinds) ? kinds[kind] : kinds[0];
}

/* The entry among those shown that an order or event speaks of, or 0. */
static uint64_t target_find(const struct tb_verified *verified, const uint8_t *target) {
    static const uint8_t none[TB_ORDER_ID_BYTES];
    struct tb_verified_entry entry;
    if (memcmp(target, none, sizeof(none)) == 0)
        return 0;
    for (size_t i = 0; tb_verified_entry(verified, i, &entry) == 0; i++)
        if (!entry.event && memcmp(entry.order.id, target, sizeof(none)) == 0)
            return entry.entry;
    return 0;
}

/* The caller's (free()). */
static char *entry_words(const struct tb_verified *verified,
                         const struct tb_verified_entry *entry) {
    _cleanup_(freep) char *words =
        entry->event ? strdup(tb_event_name(entry->event)) : words_of_dated_order(&entry->order);
    uint64_t target = target_find(verified, entry->order.target);
    const char *activity = entry->order.activity;
    char which[48] = "", *text = NULL;
    if (target)
        snprintf(which, sizeof(which), " (entry %" PRIu64 ")", target);
    if (!words || asprintf(&text, "%s%s%s%s%s", entry->order.proposal ? "proposed: " : "", words,
                           activity && *activity ? ", " : "", activity ? activity : "", which) < 0)
        return NULL;
    return text;
}

/* --------------------------------------------------------------------- words */

static void entry_tell(const struct tb_verified *verified, const struct tb_verified_entry *entry) {
    _cleanup_(freep) char *words = entry_words(verified, entry);
    char minutes[32], moved[40], after[32];
    if (tb_verified_kind(verified) != TB_IS_STATEMENT) {
        client_line(stdout, "  Entry %" PRIu64 " says: %s.", entry->entry, words ? words : "");
        return;
    }
    tb_time_format(entry->minutes, minutes);
    tb_time_format(entry->after_minutes, after);
    snprintf(moved, sizeof(moved), "%s%s", entry->minutes > 0 ? "+" : "",
             entry->minutes ? minutes : "");
    client_line(stdout, "  %8" PRIu64 "  %10s  %10s  %s", entry->entry, moved, after,
                words ? words : "");
}

static void sentences_tell(const struct tb_verified *verified, int proven) {
    int is_proven = 0;
    const char *sentence;
    for (size_t i = 0; (sentence = tb_verified_sentence(verified, i, &is_proven)); i++)
        if (is_proven == proven)
            client_line(stdout, "  %s", sentence);
}

/* again: the sentence about a second reckoning, or NULL. */
static void verified_tell(const struct tb_verified *verified, const char *again) {
    struct tb_verified_entry entry;
    client_line(stdout, "VERIFIED: this %s proves:", kind_name(verified));
    sentences_tell(verified, 1);
    if (again)
        client_line(stdout, "  %s", again);
    if (tb_verified_kind(verified) == TB_IS_STATEMENT && tb_verified_entries(verified) > 0)
        client_line(stdout, "  %8s  %10s  %10s  %s", "entry", "time", "balance", "what");
    for (size_t i = 0; tb_verified_entry(verified, i, &entry) == 0; i++)
        entry_tell(verified, &entry);
    client_line(stdout, "It does not prove:");
    sentences_tell(verified, 0);
}

/* ---------------------------------------------------------------------- JSON */

static json_t *sentences_json(const struct tb_verified *verified, int proven) {
    json_t *list = json_array();
    int is_proven = 0;
    const char *sentence;
    for (size_t i = 0; (sentence = tb_verified_sentence(verified, i, &is_proven)); i++)
        if (is_proven == proven)
            json_array_append_new(list, client_json_text(sentence));
    return list;
}

static json_t *entry_json(const struct tb_verified *verified,
                          const struct tb_verified_entry *entry) {
    _cleanup_(freep) char *words = entry_words(verified, entry);
    json_t *object = json_pack("{s:I}", "entry", (json_int_t)entry->entry);
    if (entry->event) {
        json_object_set_new(object, "event", json_string(tb_event_name(entry->event)));
        json_object_set_new(object, "event_ms", json_integer((json_int_t)entry->event_ms));
    } else {
        json_object_set_new(object, "kind", json_string(tb_kind_name((int)entry->order.kind)));
        entry_json_put(object, &entry->order);
    }
    json_object_set_new(object, "words", client_json_text(words ? words : ""));
    if (tb_verified_kind(verified) == TB_IS_RECEIPT) {
        _cleanup_(freep) char *author = tb_key_line(entry->author);
        json_object_set_new(object, "recorded_at_ms",
                            json_integer((json_int_t)entry->received_at_ms));
        json_object_set_new(object, "author", client_json_text(author ? author : ""));
    }
    if (tb_verified_kind(verified) == TB_IS_STATEMENT) {
        json_object_set_new(object, "moved_minutes", json_integer((json_int_t)entry->minutes));
        json_object_set_new(object, "balance_minutes",
                            json_integer((json_int_t)entry->after_minutes));
        json_object_set_new(object, "held_minutes",
                            json_integer((json_int_t)entry->held_after_minutes));
    }
    return object;
}

static json_t *account_json(const struct tb_verified *verified) {
    struct tb_verified_account account;
    tb_verified_account(verified, &account);
    return json_pack("{s:o, s:s, s:s, s:I, s:I, s:I}", "code", client_json_text(account.code),
                     "kind", tb_account_kind_name(account.kind), "standing",
                     tb_standing_name(account.standing), "minutes", (json_int_t)account.minutes,
                     "held_minutes", (json_int_t)account.held_minutes, "as_of_record",
                     (json_int_t)account.covers);
}

static void verified_tell_json(const struct tb_verified *verified, const char *again) {
    struct tb_verified_entry entry;
    json_t *entries = json_array();
    uint64_t size = 0;
    uint8_t root[32];
    for (size_t i = 0; tb_verified_entry(verified, i, &entry) == 0; i++)
        json_array_append_new(entries, entry_json(verified, &entry));
    tb_verified_position(verified, &size, root);
    json_t *object = json_pack("{s:s, s:o, s:o, s:o}", "verified", kind_name(verified), "proven",
                               sentences_json(verified, 1), "not_proven",
                               sentences_json(verified, 0), "entries", entries);
    if (again)
        json_array_append_new(json_object_get(object, "proven"), json_string(again));
    if (tb_verified_kind(verified) == TB_IS_STATEMENT)
        json_object_set_new(object, "account", account_json(verified));
    json_object_set_new(
        object, "position",
        json_pack("{s:I, s:o}", "size", (json_int_t)size, "root", client_json_root(root)));
    client_print_json(object);
}

/* ----------------------------------------------------------------------- verb */

/* Verified first: what the bank is asked for is what the ledger signed. */
static int verify_path(struct client *client, const struct verb *verb, const char *path,
                       struct tb_verify_ask *ask, bool again) {
    if (!ask->verifier_key)
        ask->verifier_key = client->ledger;
    if (!ask->policy_file)
        ask->policy_file = client->policy_file;
    if (!ask->verifier_key)
        return client_usage(verb, "Which ledger's key is trusted is not said: --ledger "
                                  "NAME+hash+key, or TIMEBANK_LEDGER.");
    _cleanup_(freep) char *why = calloc(1, WHY_BYTES);
    _cleanup_(verified_freep) struct tb_verified *verified = NULL;
    const char *said = NULL;
    int r = why ? tb_verify(path, ask, &verified, why, WHY_BYTES) : -ENOMEM;
    if (r != 0)
        return client_outcome_why(client, r, why ? why : "");
    client->ledger = ask->verifier_key;
    if (again && tb_verified_kind(verified) != TB_IS_REPORT)
        return client_usage(verb, "Only a report can be asked for again: leave --again out.");
    if (again)
        r = verify_again(client, path, &said);
    if (r == CLIENT_DONE && client->json)
        verified_tell_json(verified, said);
    else if (r == CLIENT_DONE)
        verified_tell(verified, said);
    return r;
}

int verify_words(struct client *client, const struct verb *verb, int argc, char **argv) {
    struct tb_verify_ask ask = {0};
    char *path = NULL, *ledger = NULL, *policy = NULL;
    const struct options_one options[] = {
        OPTION_TEXT("ledger", &ledger),
        OPTION_TEXT("policy", &policy),
        OPTION_END,
    };
    int r = options_read(verb, argc, argv, options, 1, 1, &path);
    ask.verifier_key = ledger;
    ask.policy_file = policy;
    return r == CLIENT_DONE ? verify_path(client, verb, path, &ask, false) : r;
}

static int verify_run(struct client *client, int argc, char **argv) {
    struct tb_verify_ask ask = {0};
    char *path = NULL, *ledger = NULL, *policy = NULL, *signature = NULL, *export = NULL;
    bool again = false;
    const struct options_one options[] = {
        OPTION_TEXT("ledger", &ledger),       OPTION_TEXT("policy", &policy),
        OPTION_TEXT("signature", &signature), OPTION_TEXT("export", &export),
        OPTION_FLAG("again", &again),         OPTION_END,
    };
    int r = options_read(&verb_verify, argc, argv, options, 1, 1, &path);
    ask.verifier_key = ledger;
    ask.policy_file = policy;
    ask.signature_file = signature;
    ask.export_directory = export;
    return r == CLIENT_DONE ? verify_path(client, &verb_verify, path, &ask, again) : r;
}

const struct verb verb_verify = {
    .name = "verify",
    .summary = "check a receipt, a statement, a report or evidence, without the bank",
    .help =
        "timebank verify receipt-1042 --ledger ely.example/timebank+0a1b2c3d+AbCd...=\n"
        "\n"
        "Says in words what a file or directory proves and what it does not. No bank is asked,\n"
        "but with --again.\n"
        "  DIR                 a receipt, made with timebank receipt ENTRY --out DIR\n"
        "  FILE                a proof (timebank receipt ENTRY), a statement (timebank statement\n"
        "                      CODE --proof FILE), a report, a head, or evidence that a program "
        "left\n"
        "  --ledger KEY        the ledger's verifier key, from somebody you trust (or\n"
        "                      TIMEBANK_LEDGER)\n"
        "  --policy FILE       whose cosignatures the head must carry (C2SP tlog-policy; or\n"
        "                      TIMEBANK_POLICY)\n"
        "\n"
        "A report (timebank report --format json --out FILE) has its signature in FILE.sig:\n"
        "  --signature FILE    where the signature lies elsewhere\n"
        "  --export DIR        the position must be of this export (timebank ledger export)\n"
        "  --again             ask the bank for the same report, and compare every byte\n"
        "\n"
        "Exit status: 0 all of it is proven, 1 it is not and a sentence says why.\n",
    .run = verify_run,
};
