/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records an exchange and prints its receipt: the blocking form of libtimebank(3).
 *
 *   exchange BANK KEY RECEIVER GIVER TIME ACTIVITY
 *   exchange unix:/srv/bank/socket broker.key m0012 m0007 2h30 gardening
 *
 * Exits 0 when it is recorded, 1 when it is refused, 2 when something broke, 3 when it is not
 * known.
 */
#include <errno.h>
#include <stdio.h>
#include <timebank.h>

static int tell_failure(const struct tb_bank *bank, int r) {
    fprintf(stderr, "exchange: %s\n", tb_bank_message(bank));
    if (r == -EINPROGRESS)
        return 3;
    return r > 0 ? 1 : 2;
}

static void tell_receipt(const struct tb_answer *answer) {
    char time[32];
    int64_t minutes = 0;
    struct tb_warning warning;

    printf("receipt %llu\n", (unsigned long long)tb_answer_entry(answer, 0));
    if (tb_answer_to_after(answer, 0, &minutes)) {
        tb_time_format(minutes, time);
        printf("the giver holds %s now\n", time);
    }
    for (size_t i = 0; tb_answer_warning(answer, i, &warning) == 0; i++)
        printf("note: %s\n", warning.message);
}

static int record(struct tb_bank *bank, const struct tb_order *order) {
    struct tb_batch *batch = NULL;
    struct tb_answer *answer = NULL;
    int r = tb_batch_new(bank, &batch);

    if (r == 0)
        r = tb_batch_add(batch, order, NULL);
    if (r == 0)
        r = tb_batch_submit(batch, &answer);
    if (r == 0)
        tell_receipt(answer);
    tb_answer_free(answer);
    tb_batch_free(batch);
    return r;
}

int main(int argc, char **argv) {
    struct tb_bank *bank = NULL;
    struct tb_order order = TB_ORDER_INIT;
    char why[256];

    if (argc != 7) {
        fputs("usage: exchange BANK KEY RECEIVER GIVER TIME ACTIVITY\n", stderr);
        return 2;
    }
    order.kind = TB_EXCHANGE;
    order.service_day = tb_today();
    order.from = argv[3]; /* who received the time pays for it */
    order.to = argv[4];
    order.activity = argv[6];
    if (tb_time_parse(argv[5], &order.minutes, why, sizeof(why)) != 0) {
        fprintf(stderr, "exchange: %s\n", why);
        return 1;
    }
    if (tb_bank_new(&bank) != 0)
        return 2;
    int r = tb_bank_set_key_file(bank, argv[2]);
    if (r == 0)
        r = tb_bank_open(bank, argv[1]);
    if (tb_bank_notice(bank)[0])
        fprintf(stderr, "exchange: %s\n", tb_bank_notice(bank));
    if (r == 0)
        r = record(bank, &order);
    int status = r == 0 ? 0 : tell_failure(bank, r);
    tb_bank_free(bank);
    return status;
}
