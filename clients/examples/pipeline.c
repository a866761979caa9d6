/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records lines "RECEIVER GIVER TIME ACTIVITY" of the standard input, each a batch of its own, with
 * several batches under way at once on a poll(2) loop: the other form of libtimebank(3).
 *
 *   pipeline BANK KEY < lines
 *
 * Prints a receipt or a refusal for each line; exits 0 when all are recorded, 1 when one is
 * refused, 2 when something broke.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <timebank.h>

#define UNDER_WAY_MAX 16

struct line {
    struct tb_batch *batch;
    struct tb_call *call;
    unsigned number;
};

/* Waits for whatever comes first, as any program's loop would beside its own descriptors. */
static int turn(struct tb_bank *bank) {
    int timeout_ms = -1;
    int events = tb_bank_events(bank, &timeout_ms);
    struct pollfd pollfd = {.fd = tb_bank_fd(bank), .events = (short)events};

    if (poll(&pollfd, 1, timeout_ms) < 0)
        return -1;
    return tb_bank_process(bank);
}

static int bank_open(struct tb_bank *bank, const char *address) {
    struct tb_call *call = NULL;
    int r = tb_bank_open_start(bank, address, &call);

    while (r == 0 && !tb_call_is_done(call))
        r = turn(bank);
    if (r == 0)
        r = tb_call_result(call);
    if (r != 0)
        fprintf(stderr, "pipeline: %s\n", call ? tb_call_message(call) : tb_bank_message(bank));
    tb_call_free(call);
    return r;
}

static int line_start(struct tb_bank *bank, const char *text, struct line *line) {
    char receiver[32], giver[32], time[32], activity[64], why[256];
    struct tb_order order = TB_ORDER_INIT;

    if (sscanf(text, "%31s %31s %31s %63s", receiver, giver, time, activity) != 4 ||
        tb_time_parse(time, &order.minutes, why, sizeof(why)) != 0)
        return -1;
    order.kind = TB_EXCHANGE;
    order.service_day = tb_today();
    order.from = receiver;
    order.to = giver;
    order.activity = activity;
    int r = tb_batch_new(bank, &line->batch);
    if (r == 0)
        r = tb_batch_add(line->batch, &order, NULL);
    if (r == 0)
        r = tb_batch_submit_start(line->batch, &line->call);
    return r;
}

/* Tells how a line's call ended, and frees what it held. */
static int line_end(struct line *line) {
    struct tb_answer *answer = NULL;
    int r = tb_call_result(line->call);

    if (r == 0)
        r = tb_answer_take(line->call, &answer);
    if (r == 0)
        printf("line %u: receipt %llu\n", line->number,
               (unsigned long long)tb_answer_entry(answer, 0));
    else
        printf("line %u: %s\n", line->number, tb_call_message(line->call));
    tb_answer_free(answer);
    tb_call_free(line->call);
    tb_batch_free(line->batch);
    memset(line, 0, sizeof(*line));
    return r;
}

/* Fills the free places with lines, as long as there are any. */
static int lines_start(struct tb_bank *bank, struct line *lines, unsigned *n_read) {
    char text[256];

    for (unsigned i = 0; i < UNDER_WAY_MAX; i++) {
        if (lines[i].call || !fgets(text, sizeof(text), stdin))
            continue;
        lines[i].number = ++*n_read;
        if (line_start(bank, text, &lines[i]) != 0) {
            fprintf(stderr, "pipeline: line %u cannot be sent: %s\n", *n_read,
                    tb_bank_message(bank));
            tb_batch_free(lines[i].batch);
            memset(&lines[i], 0, sizeof(lines[i]));
            return 2;
        }
    }
    return 0;
}

static int lines_run(struct tb_bank *bank) {
    struct line lines[UNDER_WAY_MAX] = {{NULL, NULL, 0}};
    unsigned n_read = 0, n_under_way = 0;
    int status = 0;

    do {
        int started = lines_start(bank, lines, &n_read);
        status = started > status ? started : status;
        n_under_way = 0;
        for (unsigned i = 0; i < UNDER_WAY_MAX; i++) {
            if (lines[i].call && tb_call_is_done(lines[i].call)) {
                int r = line_end(&lines[i]);
                status = r < 0 ? 2 : (r > 0 && status == 0 ? 1 : status);
            }
            n_under_way += lines[i].call != NULL;
        }
        if (n_under_way > 0 && turn(bank) != 0)
            status = 2;
    } while (n_under_way > 0 || !feof(stdin));
    return status;
}

int main(int argc, char **argv) {
    struct tb_bank *bank = NULL;

    if (argc != 3) {
        fputs("usage: pipeline BANK KEY < lines\n", stderr);
        return 2;
    }
    if (tb_bank_new(&bank) != 0)
        return 2;
    int status = tb_bank_set_key_file(bank, argv[2]) == 0 && bank_open(bank, argv[1]) == 0 ? 0 : 2;
    if (status == 0)
        status = lines_run(bank);
    tb_bank_free(bank);
    return status;
}
