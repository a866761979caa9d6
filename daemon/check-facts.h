/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts of the reports against the log, on a thread of its own beside the replay of the rules:
 * neither needs the other, and only a sound log says what the facts are to be. What is found is
 * kept till the end, and told there, or not at all.
 */
#pragma once

#include "projection.h"

struct check_facts;

int check_facts_begin(struct check_facts **ret, const char *directory,
                      struct store *store) TB_MUST_CHECK;
/* Waits until it is through; tell() gets each sentence. 0, or < 0 it could not be done. */
int check_facts_end(struct check_facts *facts, void (*tell)(void *user, const char *sentence),
                    void *user) TB_MUST_CHECK;
/* Stops it wherever it is. */
struct check_facts *check_facts_free(struct check_facts *facts);
DEFINE_CLEANUP(struct check_facts *, check_facts_free)
