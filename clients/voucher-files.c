/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vouchers as files, each only for its owner's eyes: whoever reads one can spend it. They follow
 * from the ledger and the key alone, so they can be written again at any time, and are not synced.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/files.h"
#include "slip.h"
#include "voucher.h"

#define WHY_BYTES 400

struct making {
    struct client *client;
    const char *directory;
    uint64_t first; /* of all that are written */
    uint64_t last;
    struct slip *slips;
    struct tb_voucher *vouchers;
    size_t n;
};

int voucher_files_begin(struct client *client, const char *directory) {
    int r = file_make_directories(directory, 0700);
    char why[WHY_BYTES];

    if (r == 0 && access(directory, W_OK | X_OK) < 0)
        r = -errno;
    snprintf(why, sizeof(why), "Nothing can be written into %s: choose another directory.",
             directory);
    return client_outcome_why(client, r, why);
}

static int write_whole(const char *path, const struct bytes *data) {
    int fd =
        data->r < 0 ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    size_t at = 0;
    int r = data->r < 0 ? data->r : fd < 0 ? -errno : 0;

    while (r == 0 && at < data->n) {
        ssize_t n = write(fd, data->data + at, data->n - at);
        if (n < 0 && errno != EINTR)
            r = -errno;
        at += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0 && close(fd) < 0 && r == 0)
        r = -errno;
    return r;
}

/* *ret_path may be NULL. */
static int write_file(const struct making *making, const char *name, const struct bytes *data,
                      char **ret_path) {
    _cleanup_(freep) char *path = NULL;
    char why[WHY_BYTES];
    int r = asprintf(&path, "%s/%s", making->directory, name) < 0 ? -ENOMEM : 0;

    if (r == 0)
        r = write_whole(path, data);
    snprintf(why, sizeof(why),
             "%s/%s cannot be written: make room, then timebank voucher print %" PRIu64 "-%" PRIu64
             ".",
             making->directory, name, making->first, making->last);
    if (r == 0 && ret_path)
        *ret_path = TAKE(path);
    return client_outcome_why(making->client, r, why);
}

static int write_one(const struct making *making, const struct slip *slip) {
    _cleanup_bytes_ struct bytes svg = {}, png = {};
    char name[64];
    int r = slip_svg(slip, &svg);

    if (r == 0)
        r = slip_png(slip, &png);
    if (r != 0)
        return client_outcome_why(making->client, r, "A QR code cannot be drawn.");
    snprintf(name, sizeof(name), "voucher-%" PRIu64 ".svg", slip->voucher.serial);
    r = write_file(making, name, &svg, NULL);
    snprintf(name, sizeof(name), "voucher-%" PRIu64 ".png", slip->voucher.serial);
    return r == CLIENT_DONE ? write_file(making, name, &png, NULL) : r;
}

static void table_row(const struct slip *slip, struct bytes *to) {
    char token[TB_TOKEN_BYTES], from[16] = "", until[16];

    tb_voucher_format(&slip->voucher, 1, token);
    tb_date_format(slip->voucher.expires_day, until);
    if (slip->voucher.from_day)
        tb_date_format(slip->voucher.from_day, from);
    bytes_printf(to, "%" PRIu64 ",%" PRIu64 ",%s,%s,%s,%s\r\n", slip->voucher.serial,
                 slip->voucher.minutes, from, until, slip->venue, token);
}

static int write_table(const struct making *making) {
    _cleanup_bytes_ struct bytes table = {};
    char name[80];

    bytes_put_text(&table, "voucher,minutes,from,until,venue,token\r\n");
    for (size_t i = 0; i < making->n; i++)
        table_row(&making->slips[i], &table);
    snprintf(name, sizeof(name), "vouchers-%" PRIu64 "-%" PRIu64 ".csv", making->first,
             making->last);
    return write_file(making, name, &table, NULL);
}

static int write_page(const struct making *making, char **ret_page) {
    _cleanup_bytes_ struct bytes page = {};
    char name[80];
    int r = slip_page(making->slips, making->n, &page);

    if (r != 0)
        return client_outcome_why(making->client, r, "A QR code cannot be drawn.");
    snprintf(name, sizeof(name), "slips-%" PRIu64 "-%" PRIu64 ".html", making->first, making->last);
    return write_file(making, name, &page, ret_page);
}

/* The number of a venue, as vouchers carry it; 0 for none. */
static int venue_number(struct client *client, const char *code, uint64_t *ret_number) {
    struct tb_account account;
    int r;

    *ret_number = 0;
    if (*code == '\0')
        return CLIENT_DONE;
    r = tb_account_get(client->bank, code, &account);
    if (r == 0)
        *ret_number = account.number + 1;
    return client_outcome(client, r);
}

/* Vouchers of one run, without their signatures. */
static int add_run(struct making *making, const struct voucher_run *run) {
    struct client *client = making->client;
    struct tb_voucher voucher = {
        .minutes = run->minutes, .from_day = run->from_day, .expires_day = run->expires_day};
    int r = venue_number(client, run->venue, &voucher.venue_number);

    if (r != CLIENT_DONE)
        return r;
    tb_bank_ledger_tag(client->bank, voucher.ledger_tag);
    if (making->n == 0)
        making->first = run->first;
    for (uint64_t i = 0; i < run->count; i++) {
        voucher.serial = making->last = run->first + i;
        making->slips[making->n].venue = run->venue;
        making->slips[making->n].bank = tb_bank_origin(client->bank);
        making->vouchers[making->n++] = voucher;
    }
    return CLIENT_DONE;
}

static int make_all(struct making *making, const struct voucher_runs *runs, const char *key_file,
                    char **ret_page) {
    char why[WHY_BYTES] = "";
    int r = CLIENT_DONE;

    for (size_t i = 0; r == CLIENT_DONE && i < runs->n; i++)
        if (voucher_is_open(&runs->items[i]))
            r = add_run(making, &runs->items[i]);
    if (r == CLIENT_DONE)
        r = client_outcome_why(
            making->client,
            tb_voucher_sign(making->vouchers, making->n, key_file, why, sizeof(why)), why);
    for (size_t i = 0; r == CLIENT_DONE && i < making->n; i++) {
        making->slips[i].voucher = making->vouchers[i];
        r = write_one(making, &making->slips[i]);
    }
    if (r == CLIENT_DONE)
        r = write_table(making);
    return r == CLIENT_DONE ? write_page(making, ret_page) : r;
}

int voucher_files_write(struct client *client, const struct voucher_runs *runs,
                        const char *key_file, const char *directory, char **ret_page) {
    struct making making = {.client = client, .directory = directory};
    size_t n = 0;
    int r;

    for (size_t i = 0; i < runs->n; i++)
        n += voucher_is_open(&runs->items[i]) ? runs->items[i].count : 0;
    if (n == 0)
        return client_refuse(client, TB_VOUCHER_UNKNOWN,
                             "None of these vouchers is open: see timebank voucher list.");
    making.slips = calloc(n, sizeof(*making.slips));
    making.vouchers = calloc(n, sizeof(*making.vouchers));
    r = making.slips && making.vouchers
            ? make_all(&making, runs, key_file, ret_page)
            : client_outcome_why(client, -ENOMEM, "There is not enough memory.");
    free(making.slips);
    free(making.vouchers);
    return r;
}
