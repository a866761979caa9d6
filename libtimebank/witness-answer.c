/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A witness is a stranger: only a line that verifies by the key of the policy is taken from it, and
 * whatever else it says is told as what it says, not as the truth.
 */
#include "witness-answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/lines.h"

#define CLOCK_SLACK_SECONDS 3600u

static void none(struct witness_answer *ret, int r, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void none(struct witness_answer *ret, int r, const char *format, ...) {
    va_list arguments;
    ret->outcome = WITNESS_GAVE_NONE;
    ret->r = r;
    va_start(arguments, format);
    vsnprintf(ret->why, sizeof(ret->why), format, arguments);
    va_end(arguments);
}

static void line_take(const struct witness_asked *asked, struct lines line, uint64_t seconds,
                      uint64_t now_seconds, struct witness_answer *ret) {
    uint64_t apart = seconds > now_seconds ? seconds - now_seconds : now_seconds - seconds;
    if (apart > CLOCK_SLACK_SECONDS) {
        none(ret, TB_NOT_VERIFIED,
             "%s cosigned with a time that is more than an hour from now: look at this machine's "
             "clock, and ask again; else tell the witness.",
             asked->witness->name);
        return;
    }
    ret->outcome = WITNESS_COSIGNED;
    ret->line = line.text;
    ret->n_line = line.n + 1;
    snprintf(ret->why, sizeof(ret->why), "%s cosigned the head of %" PRIu64 " records.",
             asked->witness->name, asked->size);
}

/* 200: lines, of which those of other keys are passed over. */
static void cosignature_read(const struct witness_asked *asked, const struct tb_http_answer *http,
                             uint64_t now_seconds, struct witness_answer *ret) {
    struct lines rest = lines_make(http->body, http->n_body), line;
    uint64_t seconds;
    while (lines_cut(&rest, '\n', &line)) {
        int r = cosignature_check(&asked->witness->verifier, line.text, line.n, asked->text,
                                  asked->n_text, &seconds);
        if (r == 1) {
            line_take(asked, line, seconds, now_seconds, ret);
            return;
        }
        if (r < 0) {
            none(ret, TB_NOT_VERIFIED,
                 "%s answered with a cosignature that is not good: tell the witness, and ask "
                 "again.",
                 asked->witness->name);
            return;
        }
    }
    none(ret, TB_NOT_VERIFIED,
         "%s answered without a cosignature by the key in the policy: compare its key with the "
         "policy's.",
         asked->witness->name);
}

/* 409: the size that it knows. */
static void size_read(const struct witness_asked *asked, const struct tb_http_answer *http,
                      struct witness_answer *ret) {
    struct lines rest = lines_make(http->body, http->n_body), line;
    const char *name = asked->witness->name;
    uint64_t size;
    if (!lines_cut(&rest, '\n', &line) || rest.n > 0 || lines_decimal(line, &size) < 0)
        none(ret, TB_NO_QUORUM,
             "%s says that it knows another head of this ledger, and not of what size: ask who "
             "runs it.",
             name);
    else if (size > asked->size)
        none(ret, TB_OTHER_HISTORY,
             "%s has cosigned a head of %" PRIu64 " records of this ledger, and this one has only "
             "%" PRIu64 ": export the ledger again. If it has no more, it went back, or there are "
             "two of it: tell a steward and an auditor.",
             name, size, asked->size);
    else if (size == asked->size && asked->old_size == size)
        none(ret, TB_OTHER_HISTORY,
             "%s says that it has cosigned another head of %" PRIu64 " records: then this ledger "
             "has two histories. Keep the export, and tell a steward and an auditor.",
             name, size);
    else {
        ret->outcome = WITNESS_OTHER_SIZE;
        ret->size = size;
    }
}

static const struct {
    int status;
    int r;
    const char *sentence; /* after its name */
} refusals[] = {
    {400, TB_NO_QUORUM, "could not read what it was asked: update timebank, or ask who runs it."},
    {403, TB_NO_QUORUM,
     "does not take the key that signed this head: tell who runs it the ledger's verifier key."},
    {404, TB_NO_QUORUM,
     "does not know this ledger, or its address is wrong: ask who runs it to add the ledger."},
    {422, TB_OTHER_HISTORY,
     "says that this head does not go on from the one it cosigned: then this ledger has two "
     "histories. Keep the export, and tell a steward and an auditor."},
    {429, TB_NO_QUORUM, "was asked too often: wait, and ask again."},
};

static void refusal_read(const struct witness_asked *asked, int status,
                         struct witness_answer *ret) {
    const char *name = asked->witness->name;
    for (size_t i = 0; i < N_ELEMENTS(refusals); i++)
        if (refusals[i].status == status) {
            none(ret, refusals[i].r, "%s %s", name, refusals[i].sentence);
            return;
        }
    if (status >= 300 && status < 400)
        none(ret, TB_NO_QUORUM,
             "%s sends us to another address, which is not followed: put the right one into the "
             "policy.",
             name);
    else if (status >= 500)
        none(ret, TB_NO_QUORUM, "%s is out of order (HTTP %d): ask again later.", name, status);
    else
        none(ret, TB_NO_QUORUM,
             "%s answered in a way that witnesses do not (HTTP %d): check its address in the "
             "policy.",
             name, status);
}

void witness_answer_read(const struct witness_asked *asked, const struct tb_http_answer *http,
                         uint64_t now_seconds, struct witness_answer *ret) {
    *ret = (struct witness_answer){};
    if (http->status == 200)
        cosignature_read(asked, http, now_seconds, ret);
    else if (http->status == 409)
        size_read(asked, http, ret);
    else
        refusal_read(asked, http->status, ret);
}
