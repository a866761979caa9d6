/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose cosignatures a head must carry (C2SP tlog-policy), as a file of lines:
 *
 *   log VKEY [URL]
 *   witness NAME VKEY [URL]
 *   group NAME all|any|K NAME...
 *   quorum NAME|none
 *
 * Names are opaque bytes and mean nothing outside the file; each is defined before it is used, and
 * a member of one group at most. Source: c2sp.org/tlog-policy.
 */
#pragma once

#include "cosignature.h"
#include "note.h"

#define WITNESS_POLICY_MAX 65536 /* bytes of a file */
#define WITNESS_POLICY_EACH 32   /* logs, witnesses, groups */
#define WITNESS_POLICY_NAME_MAX 255
#define WITNESS_POLICY_URL_MAX 1000

struct witness_policy_log {
    struct note_verifier verifier;
    char url[WITNESS_POLICY_URL_MAX + 1]; /* "" where there is none */
};

struct witness_policy_witness {
    char name[WITNESS_POLICY_NAME_MAX + 1];
    struct cosignature_verifier verifier;
    char url[WITNESS_POLICY_URL_MAX + 1];
};

/* Witness i is member i of a group, group i is member WITNESS_POLICY_EACH + i. */
struct witness_policy_group {
    char name[WITNESS_POLICY_NAME_MAX + 1];
    uint64_t members;
    unsigned threshold;
};

struct witness_policy {
    size_t n_logs, n_witnesses, n_groups;
    struct witness_policy_log logs[WITNESS_POLICY_EACH];
    struct witness_policy_witness witnesses[WITNESS_POLICY_EACH];
    struct witness_policy_group groups[WITNESS_POLICY_EACH];
    uint64_t used;   /* members of a group */
    bool has_quorum; /* always, once parsed */
    uint64_t quorum; /* the member that must have witnessed; 0: none */
};

/* What is wrong with a file: "line 3 ..." as a piece of a sentence. */
struct witness_policy_fault {
    unsigned line; /* 0: of the file as a whole */
    const char *what;
};

/* 0 or -EBADMSG with *ret_fault. *ret is large: not for the stack. */
int witness_policy_parse(struct witness_policy *ret, const void *data, size_t n,
                         struct witness_policy_fault *ret_fault) TB_MUST_CHECK;

struct witness_policy_verdict {
    struct note_head head;
    bool is_log_named; /* the ledger is one of the policy's logs, or the policy names no log */
    bool is_quorum;
    uint64_t cosigned;                     /* bit i: witness i */
    uint64_t seconds[WITNESS_POLICY_EACH]; /* when it did */
};

/* Judges a checkpoint that `log` must have signed. -EBADMSG: no good checkpoint by it, or a line of
 * a witness that does not verify or is there twice. */
int witness_policy_check(const struct witness_policy *policy, const struct note_verifier *log,
                         const void *checkpoint, size_t n,
                         struct witness_policy_verdict *ret) TB_MUST_CHECK;
/* Whether these witnesses are enough. */
bool witness_policy_is_quorum(const struct witness_policy *policy, uint64_t cosigned);
