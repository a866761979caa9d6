/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is cut into words in a copy of its own, then handed to the table of keywords. Groups name
 * only what stands before them, so one walk in the order of the file tells who has witnessed.
 */
#include "witness-policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX (3 + 2 * WITNESS_POLICY_EACH) /* of a group that names all there can be */

struct words {
    size_t n;
    char *at[WORDS_MAX];
};

/* Each keyword's function: NULL, or what is wrong. */
typedef const char *(*line_take)(struct witness_policy *policy, const struct words *words);

/* The bit of a name; 0 where it is not defined. */
static uint64_t member_find(const struct witness_policy *policy, const char *name) {
    for (size_t i = 0; i < policy->n_witnesses; i++)
        if (strcmp(policy->witnesses[i].name, name) == 0)
            return (uint64_t)1 << i;
    for (size_t i = 0; i < policy->n_groups; i++)
        if (strcmp(policy->groups[i].name, name) == 0)
            return (uint64_t)1 << (WITNESS_POLICY_EACH + i);
    return 0;
}

static const char *name_take(const struct witness_policy *policy, const char *name,
                             char ret[WITNESS_POLICY_NAME_MAX + 1]) {
    if (strlen(name) > WITNESS_POLICY_NAME_MAX)
        return "has a name of more than 255 bytes";
    if (strcmp(name, "none") == 0)
        return "gives the name none, which means no witness";
    if (member_find(policy, name))
        return "gives a name that an earlier line gave";
    strcpy(ret, name);
    return NULL;
}

static const char *url_take(const struct words *words, size_t place,
                            char ret[WITNESS_POLICY_URL_MAX + 1]) {
    if (words->n <= place)
        return NULL;
    if (strlen(words->at[place]) > WITNESS_POLICY_URL_MAX)
        return "has an address of more than 1000 bytes";
    strcpy(ret, words->at[place]);
    return NULL;
}

static const char *log_take(struct witness_policy *policy, const struct words *words) {
    struct witness_policy_log log = {};
    if (words->n < 2 || words->n > 3)
        return "is not: log VKEY [URL]";
    if (policy->n_logs == WITNESS_POLICY_EACH)
        return "names a log more than 32";
    if (note_verifier_parse(&log.verifier, words->at[1]) < 0)
        return "has no verifier key of a ledger where it should be";
    for (size_t i = 0; i < policy->n_logs; i++)
        if (memcmp(policy->logs[i].verifier.key, log.verifier.key, NOTE_KEY_BYTES) == 0)
            return "has the key of an earlier log";
    const char *wrong = url_take(words, 2, log.url);
    if (!wrong)
        policy->logs[policy->n_logs++] = log;
    return wrong;
}

static const char *witness_take(struct witness_policy *policy, const struct words *words) {
    struct witness_policy_witness witness = {};
    if (words->n < 3 || words->n > 4)
        return "is not: witness NAME VKEY [URL]";
    if (policy->n_witnesses == WITNESS_POLICY_EACH)
        return "names a witness more than 32";
    const char *wrong = name_take(policy, words->at[1], witness.name);
    int r = cosignature_verifier_parse(&witness.verifier, words->at[2]);
    if (!wrong && r == -ENOTSUP)
        wrong = "has a witness's key of a kind that cannot be checked here: only Ed25519 can";
    if (!wrong && r < 0)
        wrong = "has no verifier key of a witness where it should be";
    for (size_t i = 0; !wrong && i < policy->n_witnesses; i++)
        if (memcmp(policy->witnesses[i].verifier.key, witness.verifier.key, NOTE_KEY_BYTES) == 0)
            wrong = "has the key of an earlier witness";
    if (!wrong)
        wrong = url_take(words, 3, witness.url);
    if (!wrong)
        policy->witnesses[policy->n_witnesses++] = witness;
    return wrong;
}

/* all, any, or a decimal of 1 to n_members; 0 for anything else. */
static unsigned threshold_read(const char *word, size_t n_members) {
    unsigned value = 0;
    if (strcmp(word, "all") == 0)
        return (unsigned)n_members;
    if (strcmp(word, "any") == 0)
        return 1;
    if (*word == '0' || strlen(word) > 3)
        return 0;
    for (; *word; word++) {
        if (*word < '0' || *word > '9')
            return 0;
        value = 10 * value + (unsigned)(*word - '0');
    }
    return value <= n_members ? value : 0;
}

static const char *group_take(struct witness_policy *policy, const struct words *words) {
    struct witness_policy_group group = {};
    if (words->n < 4)
        return "is not: group NAME all|any|NUMBER NAME...";
    if (policy->n_groups == WITNESS_POLICY_EACH)
        return "makes a group more than 32";
    const char *wrong = name_take(policy, words->at[1], group.name);
    if (wrong)
        return wrong;
    group.threshold = threshold_read(words->at[2], words->n - 3);
    if (group.threshold == 0)
        return "does not say all, any, or how many of its members";
    for (size_t i = 3; i < words->n; i++) {
        uint64_t member = member_find(policy, words->at[i]);
        if (!member)
            return "has a member that no earlier line defines";
        if ((policy->used | group.members) & member)
            return "has a member that is one already, here or in an earlier group";
        group.members |= member;
    }
    policy->used |= group.members;
    policy->groups[policy->n_groups++] = group;
    return NULL;
}

static const char *quorum_take(struct witness_policy *policy, const struct words *words) {
    if (words->n != 2)
        return "is not: quorum NAME";
    if (policy->has_quorum)
        return "is a second quorum";
    policy->quorum = member_find(policy, words->at[1]);
    if (!policy->quorum && strcmp(words->at[1], "none") != 0)
        return "names a quorum that no earlier line defines";
    policy->has_quorum = true;
    return NULL;
}

static const struct {
    const char *keyword;
    line_take take;
} keywords[] = {
    {"log", log_take},
    {"witness", witness_take},
    {"group", group_take},
    {"quorum", quorum_take},
};

/* Only tab is allowed of the control bytes; the newline was cut off. */
static bool bytes_are_allowed(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static const char *line_read(struct witness_policy *policy, const char *line, size_t n) {
    struct words words = {};
    if (!bytes_are_allowed(line, n))
        return "has a control byte in it";
    _cleanup_(freep) char *copy = strndup(line, n);
    char *rest = copy;
    if (!copy)
        return "is too long for the memory there is";
    for (char *word; (word = strtok_r(rest, " \t", &rest));) {
        if (words.n == 0 && *word == '#')
            return NULL;
        if (words.n == WORDS_MAX)
            return "has too many words";
        words.at[words.n++] = word;
    }
    if (words.n == 0)
        return NULL;
    for (size_t i = 0; i < N_ELEMENTS(keywords); i++)
        if (strcmp(words.at[0], keywords[i].keyword) == 0)
            return keywords[i].take(policy, &words);
    return "begins with none of log, witness, group and quorum";
}

static int fault(struct witness_policy_fault *ret, unsigned line, const char *what) {
    *ret = (struct witness_policy_fault){.line = line, .what = what};
    return -EBADMSG;
}

int witness_policy_parse(struct witness_policy *ret, const void *data, size_t n,
                         struct witness_policy_fault *ret_fault) {
    _cleanup_(freep) struct witness_policy *policy = calloc(1, sizeof(*policy));
    const char *at = data, *end = at + n;
    if (!policy)
        return -ENOMEM;
    if (n > WITNESS_POLICY_MAX)
        return fault(ret_fault, 0, "is larger than 64 KiB");
    for (unsigned line = 1; at < end; line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (!newline)
            return fault(ret_fault, line, "does not end with a newline");
        const char *wrong = line_read(policy, at, (size_t)(newline - at));
        if (wrong)
            return fault(ret_fault, line, wrong);
        at = newline + 1;
    }
    if (!policy->has_quorum)
        return fault(ret_fault, 0, "has no quorum line");
    *ret = *policy;
    return 0;
}

bool witness_policy_is_quorum(const struct witness_policy *policy, uint64_t cosigned) {
    uint64_t witnessed = cosigned & (((uint64_t)1 << WITNESS_POLICY_EACH) - 1);
    for (size_t i = 0; i < policy->n_groups; i++) {
        const struct witness_policy_group *group = &policy->groups[i];
        if ((unsigned)__builtin_popcountll(witnessed & group->members) >= group->threshold)
            witnessed |= (uint64_t)1 << (WITNESS_POLICY_EACH + i);
    }
    return policy->quorum == 0 || (witnessed & policy->quorum) != 0;
}

static bool log_is_named(const struct witness_policy *policy, const struct note_verifier *log,
                         const void *checkpoint, size_t n) {
    struct note_head head;
    for (size_t i = 0; i < policy->n_logs; i++) {
        const struct note_verifier *named = &policy->logs[i].verifier;
        if (strcmp(named->name, log->name) != 0)
            continue;
        /* After a rotation the head carries both keys' signatures, and the policy names either. */
        if (memcmp(named->key, log->key, NOTE_KEY_BYTES) == 0 ||
            note_checkpoint_open(checkpoint, n, named, &head) == 0)
            return true;
    }
    return policy->n_logs == 0;
}

/* Takes one signature line into the verdict. */
static int line_judge(const struct witness_policy *policy, const char *line, size_t n_line,
                      const char *text, size_t n_text, struct witness_policy_verdict *verdict) {
    for (size_t i = 0; i < policy->n_witnesses; i++) {
        uint64_t bit = (uint64_t)1 << i;
        int r = cosignature_check(&policy->witnesses[i].verifier, line, n_line, text, n_text,
                                  &verdict->seconds[i]);
        if (r < 0)
            return r;
        if (r == 0)
            continue;
        if (verdict->cosigned & bit)
            return -EBADMSG;
        verdict->cosigned |= bit;
    }
    return 0;
}

int witness_policy_check(const struct witness_policy *policy, const struct note_verifier *log,
                         const void *checkpoint, size_t n, struct witness_policy_verdict *ret) {
    struct witness_policy_verdict verdict = {};
    /* From here on it is three lines, a blank one, and lines that are well formed, whole. */
    int r = note_checkpoint_open(checkpoint, n, log, &verdict.head);
    if (r < 0)
        return r;
    const char *text = checkpoint, *end = text + n, *blank = memmem(text, n, "\n\n", 2);
    size_t n_text = (size_t)(blank + 1 - text);
    for (const char *at = blank + 2, *newline; at < end; at = newline + 1) {
        newline = memchr(at, '\n', (size_t)(end - at));
        r = line_judge(policy, at, (size_t)(newline - at), text, n_text, &verdict);
        if (r < 0)
            return r;
    }
    verdict.is_log_named = log_is_named(policy, log, checkpoint, n);
    verdict.is_quorum = witness_policy_is_quorum(policy, verdict.cosigned);
    *ret = verdict;
    return 0;
}
