/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handle and what every file of the library does with it: begin a call, say how it ended.
 *
 * A public function begins with bank_begin(), which forgets the last call's sentence and results
 * and sets the deadline; all it calls reckons with that one deadline.
 */
#pragma once

#include <stdarg.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "proto/batch.h"
#include "proto/code.h"
#include "proto/note.h"
#include "proto/record.h"
#include "proto/refusal.h"
#include "timebank.h"

#define BANK_MESSAGE_BYTES 1024
#define BANK_DEADLINE_MS 5000u
#define BANK_REPLY_MAX (64u * 1024 * 1024) /* decoded; the wire itself is held to half of it */

/* A signed head that verified: the checkpoint is the note as it came. size 0: none yet. */
struct bank_head {
    struct note_head head;
    struct bytes checkpoint;
};

struct tb_bank {
    char *key_path;
    char *state_directory;
    char *address; /* "unix:" and an absolute path: what pins go by */
    char *socket_path;
    uint32_t deadline_ms;

    uint8_t *secret_key; /* sodium_malloc: SSHSIG_SECRET_BYTES */

    bool ledger_is_set; /* by tb_bank_set_ledger() */
    bool ledger_is_known;
    struct note_verifier verifier;
    struct hash ledger_id;
    char *verifier_key;

    int fd;
    bool opened;   /* once welcomed; reconnects go to the same address */
    bool welcomed; /* on this connection */
    uint32_t tag;
    size_t n_dry_runs;  /* stacked on this connection */
    bool dry_runs_lost; /* with a connection that died under them */
    struct bytes in;
    struct bytes
        request; /* the last frame that left, and the last whole reply: evidence, if it must be */
    struct bytes reply;
    int role;
    char account[CODE_MAX + 1];

    struct bank_head head;
    struct hash saved_root; /* of the head that the pin file is known to hold */
    uint64_t saved_size;

    uint64_t deadline_at_ms;          /* monotonic */
    struct arena arena;               /* what the last call handed out */
    const Timebank__Refused *refused; /* every refusal of the last reply, or NULL; in the arena */
    char message[BANK_MESSAGE_BYTES];
    char notice[BANK_MESSAGE_BYTES];
    char *evidence;
};

/* A new call: forgets the last one's sentence, notice and results, sets the deadline. */
void bank_begin(struct tb_bank *bank);
/* Also demands an opened bank: -ENOTCONN. */
int bank_begin_opened(struct tb_bank *bank) TB_MUST_CHECK;
/* Milliseconds until the deadline, 0 when it passed. */
uint64_t bank_time_left_ms(const struct tb_bank *bank);

/* Sets the sentence and returns r. A NULL format is the refusal's own sentence (r > 0) or the
 * errno's words. Control bytes are replaced: some of the text is the daemon's and ends on
 * terminals. */
int bank_fail(struct tb_bank *bank, int r, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Appends a sentence to the notice. */
void bank_notice(struct tb_bank *bank, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Replaces control bytes by '?'. */
void bank_clean_text(char *text);

/* Takes a verifier as this bank's ledger. */
int bank_set_verifier(struct tb_bank *bank, const struct note_verifier *verifier) TB_MUST_CHECK;
/* Replaces the head by one that verified. */
int bank_set_head(struct tb_bank *bank, const struct note_head *head, const void *checkpoint,
                  size_t n) TB_MUST_CHECK;
