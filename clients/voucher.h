/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verbs of vouchers share: which of them stand how in the ledger, and what is written for
 * whoever will hold them.
 */
#pragma once

#include "base/cleanup.h"
#include "client.h"

#define VOUCHER_CODE_BYTES 40

/* Neighbours that stand alike. */
struct voucher_run {
    uint64_t first;
    uint64_t count;
    char standing[16]; /* open, used, void, expired */
    char payer[VOUCHER_CODE_BYTES];
    char venue[VOUCHER_CODE_BYTES];
    uint64_t entry; /* that made them */
    uint64_t ended; /* that used, voided or expired them; 0 */
    uint64_t minutes;
    uint32_t from_day;
    uint32_t expires_day;
};
struct voucher_runs {
    struct voucher_run *items; /* ascending */
    size_t n;
};
void voucher_runs_fini(struct voucher_runs *runs);

/* "41" or "41-60"; exit status. */
int voucher_range_read(struct client *client, char *text, uint64_t *ret_first, uint64_t *ret_last);
/* What lies in a range of serial numbers; whole where code is NULL, else of that payer. A range of
 * which the ledger knows nothing is refused. Exit status. */
int voucher_runs_read(struct client *client, uint64_t first, uint64_t last,
                      struct voucher_runs *ret);
bool voucher_is_open(const struct voucher_run *run);
/* The number that the next voucher has. */
int voucher_serial_next(struct client *client, uint64_t *ret_serial);
/* The secret key file is the one whose public half the bank was told last; exit status. */
int voucher_key_check(struct client *client, const char *key_file);

/* Words that were typed apart are one token; the caller's, NULL on no memory. */
char *voucher_token_join(char **words, int n_words);

/* voucher-files.c: makes the directory (0700), where slips can be written. Exit status. */
int voucher_files_begin(struct client *client, const char *directory);
/* Writes the open ones: a page of slips to print, a table, and of each its slip and its QR code.
 * *ret_page is the caller's: the path of the page. Exit status. */
int voucher_files_write(struct client *client, const struct voucher_runs *runs,
                        const char *key_file, const char *directory, char **ret_page);
