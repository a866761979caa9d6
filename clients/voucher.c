/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank voucher key, list and check; and how the verbs that make vouchers find out what the
 * ledger holds. check asks no bank: it is for the door of a hall without a network.
 */
#include "voucher.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "options.h"
#include "verbs.h"

#define WHY_BYTES 400
#define KEYS_MAX 64

/* ---- what the ledger holds */

void voucher_runs_fini(struct voucher_runs *runs) {
    free(runs->items);
    *runs = (struct voucher_runs){0};
}

bool voucher_is_open(const struct voucher_run *run) {
    return strcmp(run->standing, "open") == 0;
}

static int range_refuse(struct client *client, const char *text) {
    return client_refuse(client, TB_BAD_NUMBER,
                         "\"%s\" is not a voucher's number: write 41, or 41-60 for several.", text);
}

int voucher_range_read(struct client *client, char *text, uint64_t *ret_first, uint64_t *ret_last) {
    char *end = text;
    uint64_t first = 0, last;

    errno = 0;
    if (*text >= '0' && *text <= '9')
        first = strtoull(text, &end, 10);
    last = first;
    if (first && *end == '-' && end[1] >= '0' && end[1] <= '9')
        last = strtoull(end + 1, &end, 10);
    if (errno || first == 0 || *end || last < first)
        return range_refuse(client, text);
    *ret_first = first;
    *ret_last = last;
    return CLIENT_DONE;
}

static struct voucher_run run_of_row(const struct tb_register_row *row) {
    struct voucher_run run = {.first = strtoull(row->name, NULL, 10),
                              .count = row->count,
                              .entry = row->entry,
                              .ended = row->other_entry,
                              .minutes = (uint64_t)row->minutes,
                              .from_day = row->from_day,
                              .expires_day = row->to_day};

    snprintf(run.standing, sizeof(run.standing), "%s", row->what);
    snprintf(run.payer, sizeof(run.payer), "%s", row->account);
    snprintf(run.venue, sizeof(run.venue), "%s", row->other);
    return run;
}

/* What of it lies in the range; false for nothing. */
static bool run_cut(struct voucher_run *run, uint64_t first, uint64_t last) {
    uint64_t end = run->first + run->count; /* one past it */

    if (run->first > last || end <= first)
        return false;
    run->first = MAX_OF(run->first, first);
    run->count = MIN_OF(end, last + 1) - run->first;
    return true;
}

static int run_add(struct voucher_runs *runs, const struct voucher_run *run) {
    struct voucher_run *items = realloc(runs->items, (runs->n + 1) * sizeof(*items));

    if (!items)
        return -ENOMEM;
    runs->items = items;
    items[runs->n++] = *run;
    return 0;
}

static void runs_turn(struct voucher_runs *runs) {
    for (size_t i = 0; i < runs->n / 2; i++) {
        struct voucher_run run = runs->items[i];
        runs->items[i] = runs->items[runs->n - 1 - i];
        runs->items[runs->n - 1 - i] = run;
    }
}

/* The bank lists the newest first, so a walk for the last ones is short. */
int voucher_runs_read(struct client *client, uint64_t first, uint64_t last,
                      struct voucher_runs *ret) {
    _cleanup_(voucher_runs_fini) struct voucher_runs runs = {0};
    const struct tb_register_row *row;
    struct tb_list *list = NULL;
    int r = tb_register_begin(client->bank, TB_REGISTER_VOUCHERS_MINTED, NULL, &list), ended;

    while (r == 0 && (row = tb_register_next(list))) {
        struct voucher_run run = run_of_row(row);
        if (run.first + run.count <= first)
            break;
        if (run_cut(&run, first, last))
            r = run_add(&runs, &run);
    }
    ended = list ? tb_list_end(list) : 0;
    r = client_outcome(client, r ? r : ended);
    if (r == CLIENT_DONE && runs.n == 0)
        r = client_refuse(client, TB_VOUCHER_UNKNOWN,
                          "This ledger has no voucher of that number: see timebank voucher list.");
    if (r != CLIENT_DONE)
        return r;
    runs_turn(&runs);
    *ret = runs;
    runs = (struct voucher_runs){0};
    return CLIENT_DONE;
}

int voucher_serial_next(struct client *client, uint64_t *ret_serial) {
    const struct tb_register_row *row;
    struct tb_list *list = NULL;
    uint64_t serial = 1;
    int r = tb_register_begin(client->bank, TB_REGISTER_VOUCHERS_MINTED, NULL, &list), ended;

    if (r == 0 && (row = tb_register_next(list)))
        serial = strtoull(row->name, NULL, 10) + row->count;
    ended = list ? tb_list_end(list) : 0;
    if (r == 0 && ended == 0)
        *ret_serial = serial;
    return client_outcome(client, r ? r : ended);
}

/* ---- keys */

struct last_key {
    bool found;
    uint8_t key[32];
};

static int last_key_take(void *user, const struct tb_register_row *row) {
    struct last_key *last = user;

    if (!row->flag || row->key_bytes != sizeof(last->key))
        return 0;
    last->found = true;
    memcpy(last->key, row->key, sizeof(last->key));
    return 0;
}

int voucher_key_check(struct client *client, const char *key_file) {
    _cleanup_(freep) char *line = NULL, *wanted = NULL;
    struct last_key last = {0};
    char why[WHY_BYTES] = "";
    uint8_t key[32];
    int r = client_outcome_why(client, tb_key_show(key_file, &line, why, sizeof(why)), why);

    if (r == CLIENT_DONE)
        r = client_outcome_why(client, tb_key_public(line, key, why, sizeof(why)), why);
    if (r == CLIENT_DONE)
        r = client_outcome(client, tb_register_list(client->bank, TB_REGISTER_VOUCHER_KEYS, NULL,
                                                    last_key_take, &last));
    if (r != CLIENT_DONE)
        return r;
    if (!last.found)
        return client_refuse(client, TB_NO_VOUCHER_KEY, "%s",
                             tb_refusal_sentence(TB_NO_VOUCHER_KEY));
    wanted = tb_key_line(last.key);
    if (memcmp(key, last.key, sizeof(key)) != 0)
        return client_refuse(client, TB_NO_VOUCHER_KEY,
                             "%s is not the key the bank knows for vouchers, which is %s: name "
                             "that one, or a steward sets this one with timebank voucher key.",
                             key_file, wanted ? wanted : "another");
    return CLIENT_DONE;
}

static int key_keep(void *user, const struct tb_register_row *row) {
    _cleanup_(freep) char *line = row->key_bytes == 32 ? tb_key_line(row->key) : NULL;

    return json_array_append_new(user,
                                 json_pack("{s:s, s:b, s:I}", "public", line ? line : "", "last",
                                           row->flag, "entry", (json_int_t)row->entry));
}

static void key_tell(const json_t *row) {
    client_line(stdout, "%s voucher-%s", json_string_value(json_object_get(row, "public")),
                json_is_true(json_object_get(row, "last")) ? "last" : "earlier");
}

static int keys_list(struct client *client) {
    json_t *rows;
    int r = client_open(client);

    if (r != CLIENT_DONE)
        return r;
    rows = json_array();
    r = tb_register_list(client->bank, TB_REGISTER_VOUCHER_KEYS, NULL, key_keep, rows);
    return client_list_outcome(client, r, rows, key_tell);
}

static int key_make(struct client *client, const char *path) {
    _cleanup_(freep) char *line = NULL;
    char why[WHY_BYTES] = "";
    int r = tb_key_new(path, "vouchers", &line, why, sizeof(why));

    if (r != 0)
        return client_outcome_why(client, r, why);
    if (client->json)
        client_print_json(json_pack("{s:o, s:o}", "file", client_json_text(path), "public",
                                    client_json_text(line)));
    else
        client_line(stdout, "%s", line);
    if (!client->json)
        client_line(stderr,
                    "Whoever has %s can make vouchers: lock it away. A steward tells the bank of "
                    "%s.pub.",
                    path, path);
    return CLIENT_DONE;
}

static int key_set(struct client *client, const char *path) {
    struct tb_order order = TB_ORDER_INIT;
    char why[WHY_BYTES] = "";
    int r = tb_key_public(path, order.key, why, sizeof(why));

    order.kind = TB_SET_VOUCHER_KEY;
    return r == 0 ? client_record(client, &order) : client_outcome_why(client, r, why);
}

static int key_run(struct client *client, int argc, char **argv) {
    const struct options_one options[] = {OPTION_END};
    char *words[2];
    int r = options_read(&verb_voucher_key, argc, argv, options, 0, 2, words);

    if (r != CLIENT_DONE)
        return r;
    if (!words[0])
        return keys_list(client);
    if (words[1] && strcmp(words[0], "new") == 0)
        return key_make(client, words[1]);
    if (words[1] && strcmp(words[0], "set") == 0)
        return key_set(client, words[1]);
    return client_usage(&verb_voucher_key, "Say new FILE, set FILE.pub, or nothing for a list.");
}

const struct verb verb_voucher_key = {
    .name = "voucher key",
    .summary = "the key that signs vouchers",
    .help = "timebank voucher key new vouchers.key\n"
            "timebank voucher key set vouchers.key.pub\n"
            "timebank voucher key > vouchers.pub\n"
            "\n"
            "Makes a key for vouchers and nothing else; tells the bank of it (stewards); or prints "
            "the\n"
            "public lines of all that the bank was ever told, for whoever checks vouchers.\n"
            "Vouchers signed with an earlier key go on being good.\n",
    .run = key_run,
};

/* ---- list */

static int run_keep(void *user, const struct tb_register_row *row) {
    struct voucher_run run = run_of_row(row);
    char until[16], from[16] = "";

    tb_date_format(run.expires_day, until);
    if (run.from_day)
        tb_date_format(run.from_day, from);
    return json_array_append_new(
        user,
        json_pack("{s:I, s:I, s:s, s:I, s:o, s:o, s:o, s:s, s:I, s:o}", "first",
                  (json_int_t)run.first, "count", (json_int_t)run.count, "standing", run.standing,
                  "minutes", (json_int_t)run.minutes, "from_account", client_json_text(run.payer),
                  "venue", *run.venue ? client_json_text(run.venue) : json_null(), "from",
                  *from ? json_string(from) : json_null(), "until", until, "entry",
                  (json_int_t)run.entry, "ended",
                  run.ended ? json_integer((json_int_t)run.ended) : json_null()));
}

static void run_tell(const json_t *row) {
    json_int_t first = json_integer_value(json_object_get(row, "first"));
    json_int_t count = json_integer_value(json_object_get(row, "count"));
    json_int_t ended = json_integer_value(json_object_get(row, "ended"));
    const char *venue = json_string_value(json_object_get(row, "venue"));
    char serials[48], time[32], detail[40] = "";

    snprintf(serials, sizeof(serials), "%" JSON_INTEGER_FORMAT, first);
    if (count > 1)
        snprintf(serials, sizeof(serials), "%" JSON_INTEGER_FORMAT "-%" JSON_INTEGER_FORMAT, first,
                 first + count - 1);
    if (ended)
        snprintf(detail, sizeof(detail), " (entry %" JSON_INTEGER_FORMAT ")", ended);
    tb_time_format(json_integer_value(json_object_get(row, "minutes")), time);
    client_line(stdout, "%-15s %-8s %-10s paid by %s, until %s%s%s%s", serials,
                json_string_value(json_object_get(row, "standing")), time,
                json_string_value(json_object_get(row, "from_account")),
                json_string_value(json_object_get(row, "until")), venue ? ", only at " : "",
                venue ? venue : "", detail);
}

static int list_run(struct client *client, int argc, char **argv) {
    char *from = NULL;
    const struct options_one options[] = {OPTION_TEXT("from", &from), OPTION_END};
    struct tb_register_ask ask = {0};
    json_t *rows;
    int r = options_read(&verb_voucher_list, argc, argv, options, 0, 0, NULL);

    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    ask.code = client_code(from);
    rows = json_array();
    r = tb_register_list(client->bank, TB_REGISTER_VOUCHERS_MINTED, &ask, run_keep, rows);
    return client_list_outcome(client, r, rows, run_tell);
}

const struct verb verb_voucher_list = {
    .name = "voucher list",
    .summary = "which vouchers are open, used, void or expired",
    .help = "timebank voucher list --from food-bank\n"
            "\n"
            "Every voucher by its number, the newest first; neighbours that stand alike are one "
            "line.\n"
            "The entry named at the end is the one that used, voided or expired it.\n"
            "\n"
            "  --from CODE   only what this account paid for\n",
    .run = list_run,
};

/* ---- check */

struct keys {
    uint8_t items[KEYS_MAX][32];
    size_t n;
};

/* Every line of a file of public lines. */
static int keys_read(struct client *client, const char *path, struct keys *keys) {
    char *line = NULL, why[WHY_BYTES] = "";
    size_t n_allocated = 0;
    int r = CLIENT_DONE;
    FILE *file = fopen(path, "re");

    if (!file) {
        snprintf(why, sizeof(why), "The key file %s cannot be read: %s.", path, strerror(errno));
        return client_outcome_why(client, TB_NO_KEY, why);
    }
    while (r == CLIENT_DONE && keys->n < KEYS_MAX && getline(&line, &n_allocated, file) > 0)
        if (strncmp(line, "ssh-ed25519 ", 12) == 0)
            r = client_outcome_why(
                client, tb_key_public(line, keys->items[keys->n++], why, sizeof(why)), why);
    free(line);
    fclose(file);
    if (r == CLIENT_DONE && keys->n == 0)
        r = client_refuse(client, TB_BAD_KEY,
                          "%s holds no public line (ssh-ed25519 AAAA...): ask the bank for one, it "
                          "prints it with timebank voucher key.",
                          path);
    return r;
}

static void check_tell(struct client *client, const struct tb_voucher *voucher) {
    char time[32], until[32], place[80] = "";

    tb_time_format((int64_t)voucher->minutes, time);
    tb_date_format_words(voucher->expires_day, until);
    if (voucher->venue_number)
        snprintf(place, sizeof(place), ", only at the venue that is account number %" PRIu64,
                 voucher->venue_number - 1);
    if (client->json) {
        client_print_json(json_pack(
            "{s:s, s:I, s:I, s:o}", "answer", "GENUINE", "serial", (json_int_t)voucher->serial,
            "minutes", (json_int_t)voucher->minutes, "venue_number",
            voucher->venue_number ? json_integer((json_int_t)voucher->venue_number - 1)
                                  : json_null()));
        return;
    }
    client_line(stdout, "GENUINE and in date: voucher %" PRIu64 ", %s, until %s%s.",
                voucher->serial, time, until, place);
    client_line(stdout, "Only the bank knows whether it was used before: timebank voucher redeem.");
}

/* Words that were typed apart are one token. */
char *voucher_token_join(char **words, int n_words) {
    size_t n = 1;
    char *token;

    for (int i = 0; i < n_words; i++)
        n += strlen(words[i]) + 1;
    token = calloc(n, 1);
    for (int i = 0; token && i < n_words; i++)
        strcat(strcat(token, words[i]), " ");
    return token;
}

static int place_check(struct client *client, const struct tb_voucher *voucher, const char *at) {
    char *end = NULL;
    uint64_t number = at ? strtoull(at, &end, 10) : 0;

    if (!at)
        return CLIENT_DONE;
    if (*at < '0' || *at > '9' || *end)
        return client_refuse(client, TB_BAD_NUMBER,
                             "\"%s\" is not the number of an account: see timebank account show.",
                             at);
    if (voucher->venue_number == 0 || voucher->venue_number == number + 1)
        return CLIENT_DONE;
    return client_refuse(client, TB_VOUCHER_OTHER_PLACE, "%s",
                         tb_refusal_sentence(TB_VOUCHER_OTHER_PLACE));
}

static int check_run(struct client *client, int argc, char **argv) {
    char *key_file = NULL, *ledger = NULL, *on = NULL, *at = NULL, **words, why[WHY_BYTES] = "";
    const struct options_one options[] = {OPTION_TEXT("voucher-key", &key_file),
                                          OPTION_TEXT("ledger", &ledger), OPTION_TEXT("on", &on),
                                          OPTION_TEXT("at", &at), OPTION_END};
    _cleanup_(freep) char *token = NULL;
    struct keys keys = {.n = 0};
    struct tb_voucher voucher;
    uint32_t today = tb_today();
    int n_words,
        r = options_read_many(&verb_voucher_check, argc, argv, options, 1, &words, &n_words);

    if (r == CLIENT_DONE && !key_file)
        r = client_usage(&verb_voucher_check,
                         "The key is missing: name the file of public lines with --voucher-key.");
    if (r == CLIENT_DONE && on)
        r = client_date(client, on, &today);
    if (r == CLIENT_DONE)
        r = keys_read(client, key_file, &keys);
    if (r != CLIENT_DONE)
        return r;
    token = voucher_token_join(words, n_words);
    r = client_outcome_why(client, token ? tb_voucher_read(token, &voucher) : -ENOMEM, "");
    if (r == CLIENT_DONE)
        r = client_outcome_why(client,
                               tb_voucher_check(&voucher, (const uint8_t(*)[32])keys.items, keys.n,
                                                ledger ? ledger : client->ledger, today, why,
                                                sizeof(why)),
                               why);
    if (r == CLIENT_DONE)
        r = place_check(client, &voucher, at);
    if (r == CLIENT_DONE)
        check_tell(client, &voucher);
    return r;
}

const struct verb verb_voucher_check = {
    .name = "voucher check",
    .summary = "is a voucher genuine and in date? Asks no bank",
    .help = "timebank voucher check 01000-00000-5656Y-... --voucher-key vouchers.pub\n"
            "\n"
            "Says whether the voucher is genuine and in date, without a network: all it needs is "
            "the bank's\n"
            "public key for vouchers. Whether it was used before, only the bank knows.\n"
            "\n"
            "  --voucher-key FILE   what timebank voucher key printed\n"
            "  --ledger KEY         the bank's first verifier key: vouchers of another bank are "
            "refused\n"
            "  --at NUMBER          the venue's account number: is it good here?\n"
            "  --on DATE            on that day instead of today\n",
    .run = check_run,
};
