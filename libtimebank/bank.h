/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handle and what every file of the library does with it: its link, its head, its sentence.
 *
 * connect.c makes the link, wire.c moves frames on it, loop.c lets calls (call.h) use it. A public
 * function that asks the bank something begins with bank_begin(), which forgets what the blocking
 * form lent out before.
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
#include "proto/rotation.h"
#include "timebank.h"

#define BANK_MESSAGE_BYTES 1024
#define BANK_DEADLINE_MS 5000u
#define BANK_REPLY_MAX (64u * 1024 * 1024) /* decoded; the wire itself is held to half of it */

/* What the link can be used for. */
enum bank_link { LINK_NONE, LINK_GREETING, LINK_WELCOME, LINK_OPEN };

struct tb_call;
struct reply;
struct outbox_tray;

/* A signed head that verified: the checkpoint is the note as it came. size 0: none yet. */
struct bank_head {
    struct note_head head;
    struct bytes checkpoint;
};

/* A checkpoint whose signature was found right, and the head that it was found to extend: the
 * replies to what was asked at once bring the same. */
struct bank_opened {
    uint8_t verifier[NOTE_KEY_BYTES];
    struct bytes checkpoint;
    struct note_head head;
    uint64_t known_size; /* 0: none yet */
    struct hash known_root;
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
    struct hash first_ledger_id; /* another one only where the ledger was restored */
    char *verifier_key;

    int fd;
    enum bank_link link;
    bool opened;        /* once welcomed; reconnects go to the same address */
    bool head_is_shown; /* by this link's greeting: there is nothing to connect it with */
    uint32_t tag;
    size_t n_dry_runs;  /* stacked on this link */
    bool dry_runs_lost; /* with a link that died under them */
    struct bytes in;
    size_t in_at;
    struct bytes out;
    size_t out_at;
    uint64_t received_at_ms; /* monotonic: when something last came */
    int goodbye;             /* why the daemon ends this session, or 0; its sentence beside it */
    char goodbye_message[BANK_MESSAGE_BYTES];
    struct {
        struct reply *greeting; /* until the welcome */
        struct note_verifier verifier;
        struct rotation_chain chain; /* n 0: of no greeting yet */
        uint8_t signed_bytes[BATCH_HELLO_BYTES];
    } handshake;

    struct tb_call *calls;    /* not ended yet, in the order in which they are sent */
    struct tb_call *near_end; /* one of them from which the last is not far, or NULL */
    size_t n_calls[4];        /* of them at each stage */
    uint64_t due_at_ms;       /* no deadline of theirs is earlier */
    struct tb_call *lent;     /* the blocking form's last one: what it handed out lives there */
    uint64_t not_before_ms;   /* monotonic: a busy or absent daemon is left alone until then */
    unsigned pause_ms;        /* the next such pause */
    /* What is being judged: evidence, if it must be. */
    struct {
        uint32_t tag;
        uint64_t known_size;
        const struct bytes *named; /* checkpoint of the head that the request named */
        const struct bytes *body;
        const struct bytes *reply;
    } judged;

    int role;
    char account[CODE_MAX + 1];

    struct bank_head head;
    struct bank_opened opened_note;
    struct hash saved_root; /* of the head that the pin file is known to hold */
    uint64_t saved_size;
    bool saved_is_kept;               /* synced */
    struct bytes saved_text;          /* as it stands there; empty: not at hand */
    struct outbox_tray **outbox_free; /* files of ours that wait for a batch, oldest first */
    size_t n_outbox_free;
    struct outbox_tray *outbox_trays;    /* files in which batches of ours are under way */
    struct outbox_tray *outbox_collects; /* one of them that others may join, or NULL */

    char message[BANK_MESSAGE_BYTES];
    char notice[BANK_MESSAGE_BYTES];
    char *evidence;
};

/* A new question: forgets the last one's sentence and what was lent out with its answer. */
void bank_begin(struct tb_bank *bank);
/* Also demands an opened bank: -ENOTCONN. */
int bank_begin_opened(struct tb_bank *bank) TB_MUST_CHECK;

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
