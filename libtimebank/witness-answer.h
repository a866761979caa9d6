/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a witness says to a head (C2SP tlog-witness), as one of a few outcomes with a sentence.
 */
#pragma once

#include "proto/witness-policy.h"
#include "timebank.h"

#define WITNESS_WHY_BYTES 600

struct witness_asked {
    const struct witness_policy_witness *witness;
    const char *text; /* of the head: three lines */
    size_t n_text;
    uint64_t size;     /* of the head */
    uint64_t old_size; /* that the proof began at */
};

enum witness_outcome {
    WITNESS_COSIGNED,   /* *ret_line is its line, borrowed from the answer, with its newline */
    WITNESS_OTHER_SIZE, /* ask again from *ret_size */
    WITNESS_GAVE_NONE   /* *ret_r and why say it */
};

struct witness_answer {
    enum witness_outcome outcome;
    const char *line;
    size_t n_line;
    uint64_t size;
    int r;
    char why[WITNESS_WHY_BYTES];
};

/* now_seconds is our clock's: what claims to be signed at another time than now is not taken. */
void witness_answer_read(const struct witness_asked *asked, const struct tb_http_answer *http,
                         uint64_t now_seconds, struct witness_answer *ret);
