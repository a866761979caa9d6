/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Account codes, names of activities, offers, funders and policies; member-code patterns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define CODE_MAX 32       /* bytes of an account code */
#define NAME_MAX_BYTES 64 /* bytes of an activity, offer, funder, tag, sheet name */

/* 1-32 of a-z 0-9 -, begins with a letter or digit, no "--". */
bool code_is_valid(const char *code);
/* "bank:" and a valid code, CODE_MAX bytes in all: another bank. */
bool code_is_bank(const char *code);
/* A word that no account may be called: the bank's own accounts, "bank", and the verbs' words
 * "all", "none", "next". */
bool code_is_reserved(const char *code);
/* UTF-8 of 1 to NAME_MAX_BYTES, no control byte, no leading or trailing space, no '/'. */
bool code_name_is_valid(const char *name);
/* Printable UTF-8 without control bytes, at most max_bytes, may be empty. */
bool code_text_is_valid(const char *text, size_t max_bytes);
/* Folds A-Z in place. */
void code_fold(char *code);
/* The policy member-code: "a-b letters, c-d digits" written a-b/c-d (default 1-3/1-9). */
bool code_pattern_is_valid(const char *pattern);
bool code_matches_pattern(const char *code, const char *pattern);
