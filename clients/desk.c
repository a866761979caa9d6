/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank desk: a venue's session, at a terminal or by a pipe. A code is scanned or typed, with
 * how many come in after it; the offer stays as chosen.
 */
#include "desk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "options.h"
#include "verbs.h"
#include "visit.h"

#define WORD_MAX 400

/* ---- offers */

static int offer_keep(void *user, const struct tb_offer *offer) {
    struct desk *desk = user;
    struct desk_offer *kept = NULL;
    for (size_t i = 0; i < desk->n_offers; i++)
        if (strcmp(desk->offers[i].name, offer->name) == 0)
            kept = &desk->offers[i];
    if (!kept && offer->withdrawn)
        return 0;
    if (!kept) {
        struct desk_offer *offers = reallocarray(desk->offers, desk->n_offers + 1, sizeof(*offers));
        if (!offers)
            return -ENOMEM;
        desk->offers = offers;
        kept = &offers[desk->n_offers];
        *kept = (struct desk_offer){.name = strdup(offer->name)};
        if (!kept->name)
            return -ENOMEM;
        if (desk->chosen == desk->n_offers)
            desk->chosen++;
        desk->n_offers++;
    }
    kept->price_minutes = offer->price_minutes;
    kept->withdrawn = offer->withdrawn;
    return 0;
}

int desk_offers_read(struct desk *desk) {
    return tb_offer_list(desk->client->bank, desk->venue, offer_keep, desk);
}

void desk_fini(struct desk *desk) {
    for (size_t i = 0; i < desk->n_offers; i++)
        free(desk->offers[i].name);
    free(TAKE(desk->offers));
    desk->n_offers = 0;
}

/* By its number, its name, or what only one begins with. */
static size_t offer_find(const struct desk *desk, const char *text) {
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    size_t found = desk->n_offers;
    if (*text >= '1' && *text <= '9' && !*end)
        return number <= desk->n_offers ? number - 1 : desk->n_offers;
    for (size_t i = 0; i < desk->n_offers; i++) {
        if (strcasecmp(desk->offers[i].name, text) == 0)
            return i;
        if (strncasecmp(desk->offers[i].name, text, strlen(text)) != 0)
            continue;
        if (found < desk->n_offers)
            return desk->n_offers;
        found = i;
    }
    return found;
}

static void offer_choose(struct desk *desk, const char *text) {
    size_t found = *text ? offer_find(desk, text) : desk->n_offers;
    if (found < desk->n_offers)
        desk->chosen = found;
    else if (*text)
        client_line(stdout, "There is no one offer \"%s\":", text);
    if (found < desk->n_offers)
        client_line(stdout, "The offer is %s.", desk->offers[found].name);
    else
        desk_tell_offers(desk);
}

/* ---- lines */

/* "2", "2+1", "2 1", "+3": adults and under-16s. */
static bool heads_read(const char *text, uint32_t *ret_adults, uint32_t *ret_under16) {
    char *end = (char *)(uintptr_t)text;
    unsigned long adults = 0, under16 = 0;
    if (*text >= '0' && *text <= '9')
        adults = strtoul(text, &end, 10);
    else if (*text != '+')
        return false;
    if (*end == '+' || *end == ' ') {
        const char *second = end + 1 + strspn(end + 1, " ");
        if (*second < '0' || *second > '9')
            return false;
        under16 = strtoul(second, &end, 10);
    }
    if (*end || adults > VISIT_HEADS_MAX || under16 > VISIT_HEADS_MAX || adults + under16 == 0)
        return false;
    *ret_adults = (uint32_t)adults;
    *ret_under16 = (uint32_t)under16;
    return true;
}

static bool heads_ask(struct desk *desk, uint32_t *ret_adults, uint32_t *ret_under16) {
    *ret_adults = 1;
    *ret_under16 = 0;
    while (desk->terminal) {
        _cleanup_(freep) char *typed =
            desk_ask(desk, "  How many? Return: 1 adult; 2+1: 2 adults and 1 under 16; x: none: ");
        if (!typed || strcasecmp(typed, "x") == 0)
            return false;
        if (!*typed || heads_read(typed, ret_adults, ret_under16))
            return true;
        client_line(stdout, "  \"%s\" is not a number of people.", typed);
    }
    return true;
}

/* A token may be typed in groups with spaces between: it is all of the line. */
static bool is_token(const char *line) {
    size_t n = 0;
    for (const char *p = line; *p; p++)
        n += *p != ' ';
    return n > 100;
}

static void scanned(struct desk *desk, char *line) {
    uint32_t adults = 0, under16 = 0;
    char *heads = is_token(line) ? NULL : strchr(line, ' ');
    if (heads)
        *heads++ = '\0';
    if (desk->chosen == desk->n_offers) {
        client_line(stdout, "Choose the offer first: o and its number.");
        desk_tell_offers(desk);
        return;
    }
    if (heads && !heads_read(heads + strspn(heads, " "), &adults, &under16)) {
        client_line(stdout, "After the code comes how many: m0007 2+1 is 2 adults and 1 under 16.");
        return;
    }
    if (heads || heads_ask(desk, &adults, &under16))
        desk_visit(desk, is_token(line) ? line : client_code(line), adults, under16);
}

static void help_tell(void) {
    client_line(stdout, "Scan or type the member's code, or the voucher. Also:");
    client_line(stdout, "  m0007 2+1   2 adults and 1 under 16 come in with m0007");
    client_line(stdout, "  o           the offers; o 2 or o swim chooses one, and it stays");
    client_line(stdout, "  b 1042      takes the booking that is entry 1042");
    client_line(stdout, "  u           takes the last one back");
    client_line(stdout, "  end         ends the session and adds it up");
}

static void booking(struct desk *desk, const char *text) {
    char *end;
    unsigned long long number = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end)
        desk_booking(desk, number);
    else
        client_line(stdout, "After b comes the booking's entry number: b 1042.");
}

/* False when the session is over. */
static bool line_take(struct desk *desk, char *line) {
    if (strcasecmp(line, "end") == 0 || strcasecmp(line, "q") == 0)
        return false;
    if (strcmp(line, "?") == 0)
        help_tell();
    else if (strcasecmp(line, "u") == 0)
        desk_undo(desk);
    else if (strcasecmp(line, "o") == 0 || strncasecmp(line, "o ", 2) == 0)
        offer_choose(desk, line + 1 + strspn(line + 1, " "));
    else if (strncasecmp(line, "b ", 2) == 0)
        booking(desk, line + 1 + strspn(line + 1, " "));
    else if (*line)
        scanned(desk, line);
    return !desk->is_over;
}

static void session_run(struct desk *desk) {
    for (;;) {
        bool has = desk->chosen < desk->n_offers;
        _cleanup_(freep) char *line =
            desk_ask(desk, "%s> ", has ? desk->offers[desk->chosen].name : desk->venue);
        if (!line || strlen(line) > WORD_MAX || !line_take(desk, line))
            return;
    }
}

static int desk_open(struct desk *desk, const char *offer) {
    struct client *client = desk->client;
    int r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    desk->venue = client_own_account(client, TB_ROLE_VENUE);
    if (!desk->venue)
        return client_refuse(client, TB_NO_AUTHORITY,
                             "A desk is opened with a venue's key: ask a steward for one with "
                             "timebank key grant --role venue.");
    r = client_outcome(client, desk_offers_read(desk));
    if (r == CLIENT_DONE && desk->n_offers == 0)
        r = client_refuse(client, TB_UNKNOWN_OFFER,
                          "%s offers nothing yet: ask a broker to set it with timebank offer set.",
                          desk->venue);
    if (r != CLIENT_DONE)
        return r;
    desk->chosen = offer ? offer_find(desk, offer) : desk->n_offers == 1 ? 0 : desk->n_offers;
    if (offer && desk->chosen == desk->n_offers)
        return client_refuse(client, TB_UNKNOWN_OFFER,
                             "There is no one offer \"%s\" here: leave "
                             "--offer out and choose.",
                             offer);
    return CLIENT_DONE;
}

static int desk_run(struct client *client, int argc, char **argv) {
    _cleanup_(desk_fini) struct desk desk = {.client = client,
                                             .terminal = isatty(STDIN_FILENO) && !client->json};
    char *offer = NULL;
    const struct options_one options[] = {OPTION_TEXT("offer", &offer), OPTION_END};
    int r = options_read(&verb_desk, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE)
        r = desk_open(&desk, offer);
    if (r != CLIENT_DONE)
        return r;
    desk.colours = desk.terminal && isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    if (desk.terminal)
        client_line(stdout, "%s. Scan or type a code; ? helps, end ends the session.", desk.venue);
    if (desk.terminal && desk.chosen == desk.n_offers) {
        client_line(stdout, "Which offer? o and its number.");
        desk_tell_offers(&desk);
    }
    session_run(&desk);
    desk_tell_summary(&desk);
    return desk.is_over ? CLIENT_UNKNOWN : CLIENT_DONE;
}

const struct verb verb_desk = {
    .name = "desk",
    .summary = "a venue's session: scan, VALID, next",
    .help = "timebank desk --offer swim\n"
            "\n"
            "With a venue's key: scan or type a member's code or a voucher, and how many come in. "
            "The answer\n"
            "is VALID, NO or CHECK, with what to do next; no name, no balance and no amount is "
            "shown. u takes\n"
            "the last one back, o changes the offer, b takes a booking, end adds the session up. "
            "By a pipe each\n"
            "line is a code and how many: m0007 2+1.\n"
            "\n"
            "  --offer NAME   the offer to begin with\n",
    .run = desk_run,
};
