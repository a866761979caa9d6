/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one thing that is trusted, the ledger's verifier key, and the signed head that everything
 * else must lead to.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bank.h"
#include "policy-check.h"
#include "verified.h"

int verified_ledger(struct verified_check *check) {
    const char *key = check->ask->verifier_key;
    if (!key || note_verifier_parse(&check->verifier, key) < 0)
        return verified_fail(check, "The ledger's verifier key is none: give NAME+hash+key as "
                                    "timebankd init printed it.");
    check->ledger_id = note_ledger_id(check->verifier.name, check->verifier.key);
    return 0;
}

/* The first line of a note, where it is another ledger's name. */
static bool is_of_another(const struct verified_check *check, const char *note, size_t n) {
    const char *end = n > 0 ? memchr(note, '\n', n) : NULL;
    size_t n_line = end ? (size_t)(end - note) : 0;
    char line[NOTE_ORIGIN_MAX + 1] = "";
    if (n_line == 0 || n_line > NOTE_ORIGIN_MAX)
        return false;
    memcpy(line, note, n_line);
    return note_origin_is_valid(line) && strcmp(line, check->verifier.name) != 0;
}

static int policy_demand(struct verified_check *check, const char *note, size_t n) {
    char why[256] = "";
    if (!check->ask->policy_file)
        return 0;
    int r = policy_check(check->ask->policy_file, &check->verifier, note, n, why, sizeof(why));
    if (r == 0)
        return verified_say(check, true, "%s", why);
    snprintf(check->why, check->n_why, "%s", why);
    bank_clean_text(check->why);
    return r;
}

int verified_head(struct verified_check *check, const char *note, size_t n,
                  struct note_head *ret_head) {
    struct note_head head;
    if (is_of_another(check, note, n)) {
        const char *end = memchr(note, '\n', n);
        verified_fail(check,
                      "This is of the ledger %.*s, not of %s: name the ledger that it is "
                      "from.",
                      (int)(end - note), note, check->verifier.name);
        return TB_WRONG_LEDGER;
    }
    int r = note_checkpoint_open(note, n, &check->verifier, &head);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return verified_fail(check,
                             "The head is not signed by the key of %s that you gave, or was "
                             "changed: ask again for what it belongs to.",
                             check->verifier.name);
    r = policy_demand(check, note, n);
    if (r != 0)
        return r;
    check->verified->size = head.size;
    check->verified->root = head.root;
    *ret_head = head;
    return 0;
}

int verified_head_leaves(struct verified_check *check) {
    if (check->ask->policy_file)
        return 0;
    return verified_say(check, false,
                        "That everybody is shown this same head: no witness was asked for "
                        "(--policy); compare it with what others have.");
}

int verified_checkpoint(struct verified_check *check, const struct bytes *file) {
    struct note_head head;
    int r = verified_head(check, (const char *)file->data, file->n, &head);
    if (r != 0)
        return r;
    check->verified->kind = TB_IS_HEAD;
    r = verified_say(check, true, "The ledger %s signed a head of %" PRIu64 " records.",
                     head.origin, head.size);
    if (r == 0)
        r = verified_say(check, false, "What those records are: a head alone holds none.");
    return r == 0 ? verified_head_leaves(check) : r;
}
