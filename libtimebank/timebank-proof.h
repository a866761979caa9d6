/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libtimebank: what a program keeps so that others can check it, and the checking, which needs no
 * bank. Included by timebank.h, whose conventions hold here.
 */
#ifndef TIMEBANK_PROOF_H
#define TIMEBANK_PROOF_H

#include <stddef.h>
#include <stdint.h>

#include "timebank-order.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tb_bank;
struct tb_call;

/* ------------------------------------------------------------- receipts */

/* A receipt of one entry: its record, its seal, its author's signature, and the proofs that they
 * are in the ledger. Everything in it was verified before it is handed out. */
struct tb_receipt;

/* head: a checkpoint (NUL-terminated) under which it is to be made, an older or a cosigned one of
 * this ledger; NULL: the bank's newest. */
int tb_receipt_get(struct tb_bank *bank, uint64_t entry, const char *head,
                   struct tb_receipt **ret_receipt);
int tb_receipt_start(struct tb_bank *bank, uint64_t entry, const char *head,
                     struct tb_call **ret_call);
int tb_receipt_take(struct tb_call *call, struct tb_receipt **ret_receipt);
struct tb_receipt *tb_receipt_free(struct tb_receipt *receipt);
/* One C2SP tlog-proof with the record in its line extra, NUL-terminated; the caller's (free()). */
int tb_receipt_proof(const struct tb_receipt *receipt, char **ret_proof);
/* Makes the directory (never over one that is there) with the files of timebank-receipt(5). On
 * failure a sentence stands in why, and no directory. */
int tb_receipt_write(const struct tb_receipt *receipt, const char *directory, char *why,
                     size_t n_why);

/* A statement that proves itself complete, as the text of a file; the caller's (free()). Verified
 * before it is handed out. */
int tb_statement_prove(struct tb_bank *bank, const char *code, char **ret_proof,
                       size_t *ret_n_proof);

/* ------------------------------------------------------------- checking */

enum tb_evidence_kind {
    TB_IS_NOTHING = 0,
    TB_IS_RECEIPT = 1,   /* a directory of tb_receipt_write() */
    TB_IS_PROOF = 2,     /* one tlog-proof with its record */
    TB_IS_STATEMENT = 3, /* of tb_statement_prove() */
    TB_IS_EVIDENCE = 4,  /* left by a verification that failed */
    TB_IS_HEAD = 5,      /* a checkpoint */
    TB_IS_EXPORT = 6,    /* a directory of tb_ledger_export() */
    TB_IS_REPORT = 7     /* JSON, with its signature beside it */
};

/* What was found. */
struct tb_verified;

struct tb_verify_ask {
    const char *verifier_key; /* NAME+hash+key: of the ledger, from genesis on or later */
    const char *policy_file;  /* C2SP tlog-policy: whose cosignatures are demanded; NULL: none */
    /* Of a report: */
    const char *signature_file;   /* NULL: the path and .sig */
    const char *export_directory; /* tb_ledger_export()'s, that it must be of; NULL: none */
};

/* Checks a file or directory, offline. 0: all that it says is proven, *ret_verified tells what.
 * TB_NOT_VERIFIED: it is not what it should be, and why says where; TB_WRONG_LEDGER: another
 * ledger's. -EBADMSG never: a file that is none of ours is refused, too. Evidence is "verified"
 * where it really proves that somebody did wrong. */
int tb_verify(const char *path, const struct tb_verify_ask *ask, struct tb_verified **ret_verified,
              char *why, size_t n_why);
struct tb_verified *tb_verified_free(struct tb_verified *verified);

int tb_verified_kind(const struct tb_verified *verified); /* enum tb_evidence_kind */
/* Sentences, first what was proven, then what was not: borrowed. *ret_is_proven may be NULL. NULL
 * past the last. */
const char *tb_verified_sentence(const struct tb_verified *verified, size_t i, int *ret_is_proven);
/* The head that all of it stands under. */
void tb_verified_position(const struct tb_verified *verified, uint64_t *ret_size,
                          uint8_t ret_root[32]);
/* The entries that were proven, oldest first: one of a receipt, all of a statement. */
struct tb_verified_entry {
    uint64_t entry;
    struct tb_order order; /* of an event all but its kind is empty */
    int event;             /* enum tb_event; else 0 */
    uint64_t event_ms;
    uint64_t event_minutes;
    uint64_t received_at_ms; /* of a receipt; else 0 */
    uint8_t author[32];      /* of a receipt; else zeros */
    int64_t minutes;         /* of a statement: what it did to the account */
    int64_t after_minutes;
    int64_t held_after_minutes;
};
size_t tb_verified_entries(const struct tb_verified *verified);
int tb_verified_entry(const struct tb_verified *verified, size_t i,
                      struct tb_verified_entry *ret_entry);
/* Of a statement: whose, and how it stands. "" and zeros otherwise. */
struct tb_verified_account {
    const char *code;
    int kind;     /* enum tb_account_kind */
    int standing; /* enum tb_standing */
    int64_t minutes;
    int64_t held_minutes;
    uint64_t covers; /* all records before this one */
};
void tb_verified_account(const struct tb_verified *verified,
                         struct tb_verified_account *ret_account);

/* ------------------------------------------------------------ the ledger */

struct tb_ledger_export {
    uint64_t size; /* of the head exported */
    uint64_t old_size;
    uint64_t files; /* written now */
};
/* Brings a directory (made when missing) up to the bank's last published head as C2SP tlog-tiles:
 * tiles first, `checkpoint` last. with_entries: the records too, for auditors and stewards, in a
 * directory of mode 0700. Refused where the directory holds another ledger, or another history,
 * which leaves evidence. */
int tb_ledger_export(struct tb_bank *bank, const char *directory, int with_entries,
                     struct tb_ledger_export *ret_export);

#define TB_HTTP_BODY_MAX 16384
/* What a web server answered. */
struct tb_http_answer {
    int status;
    size_t n_body;
    char body[TB_HTTP_BODY_MAX];
};

/* The library knows no network but the bank's: whoever asks brings the POST. */
struct tb_witness_ask {
    const char *verifier_key; /* NAME+hash+key: signs the head of the export */
    const char *policy_file;  /* C2SP tlog-policy: whom to ask, and how many are enough */
    /* 0 with the answer, whatever its status; where there was none a negative errno, with why in a
     * few words. It follows no redirection and waits for nobody for long. */
    int (*post)(void *user, const char *url, const void *body, size_t n,
                struct tb_http_answer *ret_answer, char *why, size_t n_why);
    /* One witness's outcome in a sentence: r 0 it cosigned, TB_NO_QUORUM it did not,
     * TB_OTHER_HISTORY it says that it saw another history, TB_NOT_VERIFIED what it gave is not
     * good, < 0 it could not be asked. */
    void (*each)(void *user, const char *name, int r, const char *sentence);
    void *user;
};

/* Asks the witnesses that a policy names (those with an URL) to cosign the head of an export (C2SP
 * tlog-witness), and puts their lines into its `checkpoint`. 0 where the policy's quorum is
 * reached, TB_NO_QUORUM where it is not; why is a sentence in either case. */
int tb_ledger_witness(const char *directory, const struct tb_witness_ask *ask, char *why,
                      size_t n_why);

struct tb_backup {
    const char *path; /* in the daemon's directory; borrowed until the next call on the bank */
    uint64_t size;
    uint8_t root[32];
    uint64_t file_bytes;
};
/* Has the daemon write and check DIR/backups/NAME. Stewards only. */
int tb_backup_make(struct tb_bank *bank, const char *name, int with_people,
                   struct tb_backup *ret_backup);
/* The next key of the ledger, made by the daemon and signed by the one in use: an order of the kind
 * TB_ROTATE_KEY, to be submitted by a steward. */
int tb_rotation_prepare(struct tb_bank *bank, struct tb_order *ret_order);

#ifdef __cplusplus
}
#endif

#endif
