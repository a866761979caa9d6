/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank voucher mint, print, reissue and void. What is minted is recorded first and written
 * after: a slip that lies there is good, and one that was not written yet can be printed again from
 * the ledger and the key.
 */
#include <inttypes.h>
#include <string.h>

#include "entries.h"
#include "options.h"
#include "record.h"
#include "verbs.h"
#include "voucher.h"
#include "words.h"

#define SERIAL_TRIES 3
#define COUNT_MAX 1000

struct place {
    char *key_file;
    char *directory;
};

#define PLACE_OPTIONS(place)                                                                       \
    OPTION_TEXT("voucher-key", &(place).key_file), OPTION_TEXT("out", &(place).directory)
#define PLACE_HELP                                                                                 \
    "  --voucher-key FILE   the secret key for vouchers (timebank voucher key)\n"                  \
    "  --out DIR            where to write: a page of slips to print on A4, a table, and of "      \
    "each\n"                                                                                       \
    "                       its slip (SVG) and its QR code (PNG). Whoever reads them can spend "   \
    "them\n"

/* Everything that can be wrong with key and directory is found before anything is recorded. */
static int place_check(struct client *client, const struct verb *verb, const struct place *place) {
    int r;

    if (!place->key_file)
        return client_usage(verb, "The key is missing: name its file with --voucher-key.");
    if (!place->directory)
        return client_usage(verb, "Say where to write the vouchers with --out.");
    r = client_open(client);
    if (r == CLIENT_DONE)
        r = voucher_key_check(client, place->key_file);
    return r == CLIENT_DONE ? voucher_files_begin(client, place->directory) : r;
}

static void page_tell(struct client *client, const char *page) {
    if (!client->json)
        client_line(stdout, "  to print: %s", page);
}

/* ---- mint */

/* Somebody else may mint in the same moment, and take the numbers. */
static int serial_try(struct client *client, struct tb_order *order, struct tb_batch **ret_batch,
                      struct tb_answer **ret_answer) {
    for (int i = 0;; i++) {
        _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
        struct tb_refused refused;
        uint64_t *serial =
            order->kind == TB_MINT_VOUCHERS ? &order->first_serial : &order->new_serial;
        int r = voucher_serial_next(client, serial);
        if (r != CLIENT_DONE)
            return r;
        r = record_try(client, order, &batch, ret_answer);
        if (r == TB_VOUCHER_SERIAL && i < SERIAL_TRIES && batch &&
            tb_batch_refusal(batch, 0, &refused) == 0 && refused.refusal == TB_VOUCHER_SERIAL)
            continue;
        *ret_batch = TAKE(batch);
        return r == 0 ? CLIENT_DONE : record_outcome(client, *ret_batch, r);
    }
}

/* Records what makes new vouchers, writes them, and tells of both. */
static int make(struct client *client, struct tb_order *order, const struct place *place) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    _cleanup_(voucher_runs_fini) struct voucher_runs runs = {0};
    _cleanup_(freep) char *words = NULL, *page = NULL;
    struct record_told told = {.kind = (int)order->kind};
    bool is_mint = order->kind == TB_MINT_VOUCHERS;
    uint64_t first, last;
    int r = serial_try(client, order, &batch, &answer);

    if (r != CLIENT_DONE)
        return r;
    first = is_mint ? order->first_serial : order->new_serial;
    last = is_mint ? first + order->count - 1 : first;
    if (!order->proposal)
        r = voucher_runs_read(client, first, last, &runs);
    if (!order->proposal && r == CLIENT_DONE)
        r = voucher_files_write(client, &runs, place->key_file, place->directory, &page);
    words = words_of_order(order);
    told.words = words ? words : "";
    record_balances(answer, order, &told);
    told.more = json_pack("{s:I, s:I, s:o}", "first", (json_int_t)first, "last", (json_int_t)last,
                          "page", page ? client_json_text(page) : json_null());
    record_tell(client, answer, &told);
    if (page)
        page_tell(client, page);
    else if (order->proposal && !client->json)
        client_line(stdout,
                    "  once it is approved, print: timebank voucher print %" PRIu64 "-%" PRIu64,
                    first, last);
    return r;
}

static int count_read(struct client *client, const char *text, uint32_t *ret_count) {
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || n == 0 || n > COUNT_MAX)
        return client_refuse(client, TB_BAD_NUMBER,
                             "\"%s\" is not a number of vouchers: say 1 to %d.", text, COUNT_MAX);
    *ret_count = (uint32_t)n;
    return CLIENT_DONE;
}

/* The time typed is that of each. */
static int mint_read(struct client *client, const struct entries_typed *typed, const char *count,
                     struct tb_order *order) {
    int r = entries_side(client, &verb_voucher_mint, "from", typed->from, 0, &order->from);

    if (r == CLIENT_DONE)
        r = count_read(client, count, &order->count);
    if (r == CLIENT_DONE)
        r = entries_read(client, &verb_voucher_mint, typed, order);
    order->each_minutes = order->minutes;
    order->minutes *= order->count;
    order->typed_minutes = 0; /* was told, and is no more the whole */
    return r;
}

static int mint_run(struct client *client, int argc, char **argv) {
    char *count = NULL, *expires = NULL, *good_from = NULL, *venue = NULL;
    struct entries_typed typed = {0};
    struct place place = {0};
    const struct options_one options[] = {
        OPTION_TEXT("from", &typed.from),
        OPTION_TEXT("count", &count),
        OPTION_TEXT("expires", &expires),
        OPTION_TEXT("good-from", &good_from),
        OPTION_TEXT("venue", &venue),
        ENTRIES_OPTIONS(typed),
        ENTRIES_PROPOSE(typed),
        PLACE_OPTIONS(place),
        OPTION_END,
    };
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_voucher_mint, argc, argv, options, 0, 0, NULL);

    order.kind = TB_MINT_VOUCHERS;
    if (r == CLIENT_DONE && !expires)
        r = client_usage(&verb_voucher_mint, "Say until when they are good with --expires.");
    if (r == CLIENT_DONE)
        r = client_date(client, expires, &order.expires_day);
    if (r == CLIENT_DONE && good_from)
        r = client_date(client, good_from, &order.from_day);
    order.venue = client_code(venue);
    if (r == CLIENT_DONE)
        r = place_check(client, &verb_voucher_mint, &place);
    if (r == CLIENT_DONE)
        r = mint_read(client, &typed, count ? count : "1", &order);
    return r == CLIENT_DONE ? make(client, &order, &place) : r;
}

const struct verb verb_voucher_mint = {
    .name = "voucher mint",
    .summary = "make vouchers, paid by an account",
    .help =
        "timebank voucher mint --from food-bank --time 1h --count 20 --expires 2025-12-31 "
        "--voucher-key vouchers.key --out slips\n"
        "\n"
        "Moves the credits of all vouchers out of the account, records them, and writes what to "
        "print.\n"
        "Brokers only.\n"
        "\n"
        "  --from CODE          who pays: a member, an organisation, chest, or issued\n"
        "  --time TIME          of each\n"
        "  --count N            how many, 1 to 1000; 1\n"
        "  --expires DATE       the last day they are good\n"
        "  --good-from DATE     the first; at once\n"
        "  --venue CODE         good there only; anywhere\n" ENTRIES_ON_HELP PLACE_HELP
        "  --propose            another broker approves it first; print them then\n"
        "  --why TEXT           a note, kept beside the ledger\n"
        "  --over-limit         insist although a limit is passed (needs --why)\n",
    .run = mint_run,
};

/* ---- print */

static int print_run(struct client *client, int argc, char **argv) {
    _cleanup_(voucher_runs_fini) struct voucher_runs runs = {0};
    _cleanup_(freep) char *page = NULL;
    struct place place = {0};
    const struct options_one options[] = {PLACE_OPTIONS(place), OPTION_END};
    uint64_t first = 0, last = 0;
    char *range;
    int r = options_read(&verb_voucher_print, argc, argv, options, 1, 1, &range);

    if (r == CLIENT_DONE)
        r = voucher_range_read(client, range, &first, &last);
    if (r == CLIENT_DONE)
        r = place_check(client, &verb_voucher_print, &place);
    if (r == CLIENT_DONE)
        r = voucher_runs_read(client, first, last, &runs);
    if (r == CLIENT_DONE)
        r = voucher_files_write(client, &runs, place.key_file, place.directory, &page);
    if (r != CLIENT_DONE)
        return r;
    if (client->json)
        client_print_json(json_pack("{s:o}", "page", client_json_text(page)));
    else
        client_line(stdout, "To print: %s", page);
    return CLIENT_DONE;
}

const struct verb verb_voucher_print = {
    .name = "voucher print",
    .summary = "write the slips of vouchers again",
    .help = "timebank voucher print 41-60 --voucher-key vouchers.key --out slips\n"
            "\n"
            "Writes the slips of those that are still open, as timebank voucher mint did. Nothing "
            "is\n"
            "recorded: a slip and its copy are good once together.\n"
            "\n" PLACE_HELP,
    .run = print_run,
};

/* ---- reissue */

static int reissue_run(struct client *client, int argc, char **argv) {
    struct place place = {0};
    const struct options_one options[] = {PLACE_OPTIONS(place), OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    uint64_t last = 0;
    char *words[2];
    int r = options_read(&verb_voucher_reissue, argc, argv, options, 2, 2, words);

    order.kind = TB_REISSUE_VOUCHER;
    if (r == CLIENT_DONE)
        r = voucher_range_read(client, words[0], &order.first_serial, &last);
    if (r == CLIENT_DONE && last != order.first_serial)
        r = client_refuse(client, TB_BAD_NUMBER, "One voucher is reissued at a time: name one.");
    order.why = words[1];
    if (r == CLIENT_DONE)
        r = place_check(client, &verb_voucher_reissue, &place);
    return r == CLIENT_DONE ? make(client, &order, &place) : r;
}

const struct verb verb_voucher_reissue = {
    .name = "voucher reissue",
    .summary = "make a lost voucher void and write a new one",
    .help =
        "timebank voucher reissue 41 \"lost in the wash\" --voucher-key vouchers.key --out slips\n"
        "\n"
        "The old number is void from now on; the new one is good for the same time, place and "
        "days.\n"
        "\n" PLACE_HELP,
    .run = reissue_run,
};

/* ---- void */

/* One order for each run that is open; what is not is told and left as it is. */
static int void_add(struct tb_batch *batch, const struct voucher_runs *runs, char *why,
                    json_t *left) {
    size_t place;
    int r = 0;

    for (size_t i = 0; r == 0 && i < runs->n; i++) {
        const struct voucher_run *run = &runs->items[i];
        struct tb_order order = TB_ORDER_INIT;
        if (!voucher_is_open(run)) {
            json_array_append_new(
                left, json_pack("{s:I, s:I, s:s}", "first", (json_int_t)run->first, "count",
                                (json_int_t)run->count, "standing", run->standing));
            continue;
        }
        order.kind = TB_VOID_VOUCHERS;
        order.service_day = tb_today();
        order.to = run->payer;
        order.first_serial = run->first;
        order.count = (uint32_t)run->count;
        order.minutes = run->count * run->minutes;
        order.why = why;
        r = tb_batch_add(batch, &order, &place);
    }
    return r;
}

static void void_tell(struct client *client, const struct tb_answer *answer,
                      const struct voucher_runs *runs, json_t *left) {
    uint64_t count = 0, minutes = 0;
    char words[160], time[32];
    size_t i;
    json_t *run;

    for (i = 0; i < runs->n; i++)
        if (voucher_is_open(&runs->items[i])) {
            count += runs->items[i].count;
            minutes += runs->items[i].count * runs->items[i].minutes;
        }
    tb_time_format((int64_t)minutes, time);
    snprintf(words, sizeof(words), "Void from now on: %" PRIu64 " voucher%s; %s went back", count,
             count == 1 ? "" : "s", time);
    struct record_told told = {.kind = TB_VOID_VOUCHERS, .words = words};
    told.more = json_pack("{s:I, s:I, s:O}", "vouchers", (json_int_t)count, "minutes",
                          (json_int_t)minutes, "left", left);
    record_tell(client, answer, &told);
    if (client->json)
        return;
    json_array_foreach(left, i, run)
        client_line(stdout,
                    "  left as it is, since %s: %" JSON_INTEGER_FORMAT
                    " from number %" JSON_INTEGER_FORMAT " on",
                    json_string_value(json_object_get(run, "standing")),
                    json_integer_value(json_object_get(run, "count")),
                    json_integer_value(json_object_get(run, "first")));
}

static int void_record(struct client *client, const struct voucher_runs *runs, char *why,
                       json_t *left) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    int r = tb_batch_new(client->bank, &batch);

    if (r == 0)
        r = void_add(batch, runs, why, left);
    if (r != 0)
        return client_outcome(client, r);
    if (tb_batch_count(batch) == 0)
        return client_refuse(client, TB_VOUCHER_VOID,
                             "None of these vouchers is open: see timebank voucher list.");
    r = record_submit(client, batch, &answer);
    if (r == CLIENT_DONE)
        void_tell(client, answer, runs, left);
    return r;
}

static int void_run(struct client *client, int argc, char **argv) {
    _cleanup_(voucher_runs_fini) struct voucher_runs runs = {0};
    const struct options_one options[] = {OPTION_END};
    uint64_t first = 0, last = 0;
    char *words[2];
    int r = options_read(&verb_voucher_void, argc, argv, options, 2, 2, words);

    if (r == CLIENT_DONE)
        r = voucher_range_read(client, words[0], &first, &last);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r == CLIENT_DONE)
        r = voucher_runs_read(client, first, last, &runs);
    if (r != CLIENT_DONE)
        return r;
    json_t *left = json_array();
    r = void_record(client, &runs, words[1], left);
    json_decref(left);
    return r;
}

const struct verb verb_voucher_void = {
    .name = "voucher void",
    .summary = "make vouchers void",
    .help = "timebank voucher void 41-60 \"the box was stolen\"\n"
            "\n"
            "Those of them that are open are void from now on, and their credits go back to who "
            "paid; used\n"
            "and expired ones are left as they are, and told. Brokers only.\n",
    .run = void_run,
};
