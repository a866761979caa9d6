/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence as a file: what was found wrong, in a sentence, and the signed heads and messages that a
 * third person needs to judge it.
 *
 *   timebank-evidence/1 \n
 *   sentence \n
 *   \n
 *   address A \n  ledger VERIFIER-KEY \n  time_ms N \n
 *   sections: \n --- title \n body             body: a signed note, or base64 in one line, or none
 *   \n checksum <hex SHA-256 of all before this line> \n
 *
 * The checksum finds damage; it says nothing of who wrote the file. Parsing is strict, and checks
 * form and checksum only. timebank-receipt(5), EVIDENCE.
 */
#pragma once

#include "base/bytes.h"

#define EVIDENCE_FILE_MAX (128u * 1024 * 1024) /* bytes of a file that is read as evidence */
#define EVIDENCE_SECTIONS_MAX 8

/* Left by a client: */
#define EVIDENCE_HEAD_BEFORE "the head that was verified before"
#define EVIDENCE_HEAD_NAMED "the head that the request named" /* where that is another */
#define EVIDENCE_HEAD_NOW "the head that was shown now"
#define EVIDENCE_REQUEST "request, base64 of the protobuf message"
#define EVIDENCE_REPLY "reply, base64 of the protobuf message"
/* Left by a daemon, of a batch whose author saw another history: */
#define EVIDENCE_HEAD_OWN "the ledger's own head"
#define EVIDENCE_HEADER "batch header, base64"
#define EVIDENCE_SIGNATURE "batch signature, base64"
/* RFC 6962 consistency proof from the header's pin to the ledger's own head, end to end. */
#define EVIDENCE_CONSISTENCY "consistency proof, base64"

/* Writing: begin, sections, end. A sentence or an address loses its control bytes. */
void evidence_file_begin(struct bytes *to, const char *sentence, const char *address,
                         const char *verifier_key, uint64_t time_ms);
/* A note as it came; what is none of text is put as base64, n 0 as "none". */
void evidence_file_note(struct bytes *to, const char *title, const void *note, size_t n);
void evidence_file_data(struct bytes *to, const char *title, const void *data, size_t n);
void evidence_file_end(struct bytes *to);

/* All borrowed from the file, none NUL-terminated. */
struct evidence_piece {
    const char *text;
    size_t n;
};
struct evidence_file {
    struct evidence_piece sentence;
    struct evidence_piece address;
    struct evidence_piece verifier_key;
    uint64_t time_ms;
    size_t n_sections;
    struct {
        struct evidence_piece title;
        struct evidence_piece body;
    } sections[EVIDENCE_SECTIONS_MAX];
};
/* -EBADMSG */
int evidence_file_parse(struct evidence_file *ret, const void *data, size_t n) TB_MUST_CHECK;
/* The body of a section; n is 0 where there is none, or it says "none". */
struct evidence_piece evidence_file_find(const struct evidence_file *file, const char *title);
/* Decodes what evidence_file_data() put; empty where there is none. -EBADMSG, -ENOMEM. */
int evidence_file_decode(const struct evidence_file *file, const char *title,
                         struct bytes *to) TB_MUST_CHECK;
