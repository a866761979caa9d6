/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence as text: what is written is read back, and nothing shown can pose as something else. */
#include <errno.h>

#include "helpers.h"
#include "proto/evidence-file.h"

TestSuite(evidence_file, .timeout = 60);

#define NOTE "origin\n2\nroot\n\n\u2014 origin c2ln\n"

static bool piece_is(struct evidence_piece piece, const char *text) {
    return piece.n == strlen(text) && memcmp(piece.text, text, piece.n) == 0;
}

static void file_make(struct bytes *to, const char *note, size_t n_note) {
    evidence_file_begin(to, "Two\nlines\x1b.", NULL, "name+hash+key", 1700000000000);
    evidence_file_note(to, EVIDENCE_HEAD_BEFORE, NOTE, strlen(NOTE));
    evidence_file_note(to, EVIDENCE_HEAD_NOW, note, n_note);
    evidence_file_data(to, EVIDENCE_REPLY, "reply", 5);
    evidence_file_data(to, EVIDENCE_REQUEST, NULL, 0);
    evidence_file_end(to);
    cr_assert(to->r == 0);
}

Test(evidence_file, reads_back_what_was_written) {
    _cleanup_bytes_ struct bytes text = {}, reply = {}, request = {};
    struct evidence_file file;
    file_make(&text, NULL, 0);
    cr_assert(evidence_file_parse(&file, text.data, text.n) == 0);
    cr_assert(piece_is(file.sentence, "Two?lines?.") && piece_is(file.address, "-"));
    cr_assert(piece_is(file.verifier_key, "name+hash+key") && file.time_ms == 1700000000000);
    cr_assert(file.n_sections == 4);
    cr_assert(piece_is(evidence_file_find(&file, EVIDENCE_HEAD_BEFORE), NOTE));
    cr_assert(evidence_file_find(&file, EVIDENCE_HEAD_NOW).n == 0, "none");
    cr_assert(evidence_file_find(&file, EVIDENCE_HEADER).n == 0, "not there");
    cr_assert(evidence_file_decode(&file, EVIDENCE_REPLY, &reply) == 0);
    cr_assert(reply.n == 5 && memcmp(reply.data, "reply", 5) == 0);
    cr_assert(evidence_file_decode(&file, EVIDENCE_REQUEST, &request) == 0 && request.n == 0);
    cr_assert(evidence_file_decode(&file, EVIDENCE_HEAD_BEFORE, &request) == -EBADMSG);
}

/* Whoever is evidence's subject wrote the note. */
Test(evidence_file, takes_no_note_for_another_section) {
    static const char *const notes[] = {
        "a\n\n--- " EVIDENCE_REPLY "\nZm9yZ2Vk\n",
        "no newline",
        "\x1b[31m\n",
        "\xff\xfe\n",
        "\n--- x\ny\n",
    };
    for (size_t i = 0; i < N_ELEMENTS(notes); i++) {
        _cleanup_bytes_ struct bytes text = {}, note = {}, reply = {};
        struct evidence_file file;
        file_make(&text, notes[i], strlen(notes[i]));
        cr_assert(evidence_file_parse(&file, text.data, text.n) == 0, "%zu", i);
        cr_assert(file.n_sections == 4, "%zu", i);
        cr_assert(evidence_file_decode(&file, EVIDENCE_HEAD_NOW, &note) == 0, "%zu", i);
        cr_assert(note.n == strlen(notes[i]) && memcmp(note.data, notes[i], note.n) == 0);
        cr_assert(evidence_file_decode(&file, EVIDENCE_REPLY, &reply) == 0 && reply.n == 5);
    }
}

Test(evidence_file, refuses_every_flipped_bit_and_every_prefix) {
    _cleanup_bytes_ struct bytes text = {};
    struct evidence_file file;
    file_make(&text, NOTE, strlen(NOTE));
    for (size_t i = 0; i < text.n * 8; i++) {
        text.data[i / 8] ^= (uint8_t)(1u << i % 8);
        cr_assert(evidence_file_parse(&file, text.data, text.n) == -EBADMSG, "bit %zu", i);
        text.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (size_t n = 0; n < text.n; n++)
        cr_assert(evidence_file_parse(&file, text.data, n) == -EBADMSG, "%zu bytes", n);
    cr_assert(evidence_file_parse(&file, text.data, text.n) == 0);
}

/* The checksum is right, and the form is not. */
Test(evidence_file, refuses_another_form_under_a_good_checksum) {
    static const char *const texts[] = {
        "timebank-evidence/1\n",
        "timebank-evidence/1\n\n\naddress a\nledger l\ntime_ms 1\n",
        "timebank-evidence/1\ns\n\naddress \nledger l\ntime_ms 1\n",
        "timebank-evidence/1\ns\n\naddress a\nledger l\ntime_ms 01\n",
        "timebank-evidence/1\ns\n\naddress a\nledger l\ntime_ms 99999999999999999999\n",
        "timebank-evidence/1\ns\n\nledger l\naddress a\ntime_ms 1\n",
        "timebank-evidence/1\ns\n\naddress a\nledger l\ntime_ms 1\nmore\n",
        "timebank-evidence/1\ns\n\naddress a\nledger l\ntime_ms 1\n\n--- \nx\n",
        "timebank-evidence/1\ns\n\naddress a\nledger l\ntime_ms 1\n\n--- t\n",
        "timebank-evidence/1\ns\n\naddress a\nledger l\ntime_ms 1\n\n--- t\nx",
    };
    struct evidence_file file;
    for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
        _cleanup_bytes_ struct bytes text = {};
        bytes_put_text(&text, texts[i]);
        evidence_file_end(&text);
        cr_assert(evidence_file_parse(&file, text.data, text.n) == -EBADMSG, "%zu", i);
    }
    _cleanup_bytes_ struct bytes many = {};
    evidence_file_begin(&many, "s", "a", "l", 1);
    for (size_t i = 0; i <= EVIDENCE_SECTIONS_MAX; i++)
        evidence_file_data(&many, "t", "x", 1);
    evidence_file_end(&many);
    cr_assert(evidence_file_parse(&file, many.data, many.n) == -EBADMSG);
}
