/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy is somebody's word on whom they trust: a file that is not quite right is refused, with
 * its line, and never read as a weaker one.
 */
#include "policy-check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "timebank.h"

static int say(int r, char *why, size_t n_why, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static int say(int r, char *why, size_t n_why, const char *format, ...) {
    va_list arguments;
    if (n_why == 0)
        return r;
    va_start(arguments, format);
    vsnprintf(why, n_why, format, arguments);
    va_end(arguments);
    return r;
}

static int fault_say(const char *file, const struct witness_policy_fault *fault, char *why,
                     size_t n_why) {
    if (fault->line == 0)
        return say(TB_BAD_FILE, why, n_why,
                   "%s is no policy: it %s. See timebank-receipt(5), WITNESSES.", file,
                   fault->what);
    return say(TB_BAD_FILE, why, n_why,
               "%s is no policy: line %u %s. See timebank-receipt(5), WITNESSES.", file,
               fault->line, fault->what);
}

int policy_check_read(const char *file, struct witness_policy **ret_policy, char *why,
                      size_t n_why) {
    _cleanup_bytes_ struct bytes text = {};
    _cleanup_(freep) struct witness_policy *policy = malloc(sizeof(*policy));
    struct witness_policy_fault fault;
    if (!policy)
        return -ENOMEM;
    int r = file_read(file, WITNESS_POLICY_MAX, &text);
    if (r == -EFBIG)
        return say(TB_BAD_FILE, why, n_why,
                   "%s is larger than a policy may be: name a policy file.", file);
    if (r < 0)
        return say(TB_BAD_FILE, why, n_why, "The policy %s cannot be read (%s): check its name.",
                   file, strerror(-r));
    r = witness_policy_parse(policy, text.data, text.n, &fault);
    if (r == -EBADMSG)
        return fault_say(file, &fault, why, n_why);
    if (r < 0)
        return r;
    *ret_policy = TAKE(policy);
    return 0;
}

/* "a, b and c" of the witnesses in the set, cut where there is no room. */
static void names_join(const struct witness_policy *policy, uint64_t set, char *ret, size_t n) {
    size_t at = 0;
    int n_left = __builtin_popcountll(set);
    ret[0] = '\0';
    for (size_t i = 0; i < policy->n_witnesses; i++) {
        if (!(set >> i & 1))
            continue;
        const char *after = n_left > 2 ? ", " : n_left == 2 ? " and " : "";
        n_left--;
        int n_more = snprintf(ret + at, n - at, "%s%s", policy->witnesses[i].name, after);
        if (n_more < 0 || (size_t)n_more >= n - at)
            return;
        at += (size_t)n_more;
    }
}

static int verdict_say(const struct witness_policy *policy, const struct note_verifier *log,
                       const struct witness_policy_verdict *verdict, char *why, size_t n_why) {
    char names[300];
    names_join(policy, verdict->cosigned, names, sizeof(names));
    if (!verdict->is_log_named)
        return say(TB_WRONG_LEDGER, why, n_why,
                   "The policy is for other ledgers than %s: name the policy of this one.",
                   log->name);
    if (!verdict->is_quorum && verdict->cosigned)
        return say(TB_NO_QUORUM, why, n_why,
                   "Of the policy's witnesses only %s cosigned this head, too few: run timebank "
                   "ledger witness again, or ask for a head that more cosigned.",
                   names);
    if (!verdict->is_quorum)
        return say(TB_NO_QUORUM, why, n_why,
                   "None of the policy's witnesses cosigned this head: run timebank ledger "
                   "witness, or ask for a head that they cosigned.");
    if (verdict->cosigned)
        return say(0, why, n_why, "Cosigned by %s, enough for the policy.", names);
    return say(0, why, n_why, "The policy demands no witness, and none cosigned.");
}

int policy_check_parsed(const struct witness_policy *policy, const struct note_verifier *log,
                        const void *checkpoint, size_t n, uint64_t *ret_cosigned, char *why,
                        size_t n_why) {
    struct witness_policy_verdict verdict;
    struct note_head head;
    int r = witness_policy_check(policy, log, checkpoint, n, &verdict);
    if (r == -EBADMSG && note_checkpoint_open(checkpoint, n, log, &head) == 0)
        return say(TB_NOT_VERIFIED, why, n_why,
                   "A witness's line under the head is false, or there twice: get the head again "
                   "from where it is published.");
    if (r == -EBADMSG)
        return say(TB_NOT_VERIFIED, why, n_why,
                   "That is no head that %s signed: get it again from where it is published.",
                   log->name);
    if (r < 0)
        return r;
    if (ret_cosigned)
        *ret_cosigned = verdict.cosigned;
    return verdict_say(policy, log, &verdict, why, n_why);
}

int policy_check(const char *file, const struct note_verifier *log, const void *checkpoint,
                 size_t n, char *why, size_t n_why) {
    _cleanup_(freep) struct witness_policy *policy = NULL;
    int r = policy_check_read(file, &policy, why, n_why);
    if (r != 0)
        return r;
    return policy_check_parsed(policy, log, checkpoint, n, NULL, why, n_why);
}
