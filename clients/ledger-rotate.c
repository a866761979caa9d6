/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank ledger rotate: the ledger gets another key of its own. Made and kept by the daemon,
 * recorded by a steward, and told to everybody who wrote the verifier key down.
 */
#include <errno.h>
#include <stdlib.h>

#include "options.h"
#include "verbs.h"

#define OVERLAP_DAYS 30u
#define OVERLAP_DAYS_MAX 3650u

static int days_read(const char *text, uint32_t *ret) {
    char *end = NULL;
    if (!text)
        return 0;
    errno = 0;
    unsigned long days = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
    if (!end || *end != '\0' || errno != 0 || days > OVERLAP_DAYS_MAX)
        return -EINVAL;
    *ret = (uint32_t)days;
    return 0;
}

static void verifier_tell(struct client *client, uint32_t overlap_days) {
    const char *key = tb_bank_verifier_key(client->bank);
    if (client->json) {
        client_print_json(json_pack("{s:o, s:I}", "verifier_key", client_json_text(key),
                                    "overlap_days", (json_int_t)overlap_days));
        return;
    }
    client_line(stdout, "%s", key);
    client_line(stderr,
                "This is the ledger's verifier key from now on. Give it to your funder, your "
                "auditor and your witnesses. Programs that know the old one follow by themselves, "
                "for the old key signed for the new one; what was checked with the old one stays "
                "good.");
    if (overlap_days > 0)
        client_line(stderr, "For %u day%s both keys sign heads; then the old one is destroyed.",
                    overlap_days, overlap_days == 1 ? "" : "s");
}

/* The bank shows the new key to who connects anew. */
static int reopen(struct client *client) {
    client->bank = tb_bank_free(client->bank);
    return client_open(client);
}

static int rotate_run(struct client *client, int argc, char **argv) {
    char *why = NULL, *overlap = NULL;
    const struct options_one options[] = {OPTION_TEXT("overlap", &overlap), OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_ledger_rotate, argc, argv, options, 1, 1, &why);
    if (r != CLIENT_DONE)
        return r;
    order.overlap_days = OVERLAP_DAYS;
    if (days_read(overlap, &order.overlap_days) < 0)
        return client_usage(&verb_ledger_rotate, "--overlap takes days, 0 to %u.",
                            OVERLAP_DAYS_MAX);
    r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    r = tb_rotation_prepare(client->bank, &order);
    if (r != 0)
        return client_outcome(client, r);
    order.why = why;
    r = client_record(client, &order);
    if (r == CLIENT_DONE)
        r = reopen(client);
    if (r == CLIENT_DONE)
        verifier_tell(client, order.overlap_days);
    return r;
}

const struct verb verb_ledger_rotate = {
    .name = "ledger rotate",
    .summary = "give the ledger another key",
    .help = "timebank ledger rotate --overlap 30 \"the machine was replaced\"\n"
            "\n"
            "Has the daemon make another key for the ledger itself, records that it follows the "
            "one in\n"
            "use, and prints the new verifier key. Programs that know the old key follow by its\n"
            "signature; the ledger's name and all that was recorded stay. Stewards only.\n"
            "\n"
            "  --overlap DAYS  so long both keys sign heads, for who cannot follow at once: 0 to\n"
            "                  3650, 30 where it is left out\n",
    .run = rotate_run,
};
