/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The desk's screen: VALID, NO or CHECK large before a sentence that may be read aloud. The
 * customer may see it all: no name, no balance, no amount.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "desk-answer.h"
#include "desk.h"

static const char *colour_of(const char *word) {
    static const struct {
        const char *word;
        const char *colour;
    } colours[] = {{"VALID", "\033[1;30;42m"},
                   {"NO", "\033[1;37;41m"},
                   {"CHECK", "\033[1;30;43m"},
                   {"WAIT", "\033[1;37;45m"}};
    for (size_t i = 0; i < N_ELEMENTS(colours); i++)
        if (strcmp(word, colours[i].word) == 0)
            return colours[i].colour;
    return "\033[1;7m";
}

void desk_tell(struct desk *desk, const char *word, const char *format, ...) {
    _cleanup_(freep) char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (n < 0)
        text = NULL;
    if (desk->client->json)
        return;
    if (desk->colours) {
        printf("\n  %s  %s  \033[0m  ", colour_of(word), word);
        client_line(stdout, "%s\n", text ? text : "");
        fputc('\n', stdout);
    } else {
        client_line(stdout, "%s: %s", word, text ? text : "");
    }
    fflush(stdout);
}

void desk_tell_refused(struct desk *desk, int refusal, const char *message) {
    const char *word = desk_answer_word(refusal);
    const char *sentence = desk_answer_sentence(refusal, message);
    desk->n_refused++;
    if (desk->client->json)
        client_print_json(json_pack("{s:s, s:s, s:o}", "answer", word, "refused",
                                    tb_refusal_name(refusal), "message",
                                    client_json_text(sentence)));
    desk_tell(desk, word, "%s", sentence);
}

/* "2 adults and 1 under 16", "1 adult", "3 under 16" */
static void heads_put(char ret[64], uint32_t adults, uint32_t under16) {
    int n = 0;
    if (adults > 0)
        n = snprintf(ret, 64, "%" PRIu32 " adult%s%s", adults, adults == 1 ? "" : "s",
                     under16 > 0 ? " and " : "");
    if (under16 > 0 || adults == 0)
        snprintf(ret + n, 64 - (size_t)n, "%" PRIu32 " under 16", under16);
}

static const char *offer_name(const struct desk *desk, size_t place) {
    return place < desk->n_offers ? desk->offers[place].name : "";
}

void desk_tell_valid(struct desk *desk, uint64_t entry, const struct tb_order *order) {
    char heads[64];
    heads_put(heads, order->adults, order->under16);
    if (desk->client->json)
        client_print_json(json_pack("{s:s, s:o, s:I, s:I, s:I}", "answer", "VALID", "offer",
                                    client_json_text(order->offer), "adults",
                                    (json_int_t)order->adults, "under16",
                                    (json_int_t)order->under16, "entry", (json_int_t)entry));
    desk_tell(desk, "VALID", "%s. Let in %s. Entry %" PRIu64 ".", order->offer, heads, entry);
}

void desk_tell_undone(struct desk *desk, uint64_t entry) {
    char heads[64];
    heads_put(heads, desk->last_adults, desk->last_under16);
    if (desk->client->json)
        client_print_json(json_pack("{s:s, s:o, s:I}", "answer", "UNDONE", "offer",
                                    client_json_text(offer_name(desk, desk->last_offer)), "entry",
                                    (json_int_t)entry));
    desk_tell(desk, "UNDONE", "%s, %s. The credits are back; scan again if they still come in.",
              offer_name(desk, desk->last_offer), heads);
}

void desk_tell_offers(struct desk *desk) {
    if (desk->client->json)
        return;
    for (size_t i = 0; i < desk->n_offers; i++)
        client_line(stdout, "  %c %2zu  %s%s", i == desk->chosen ? '>' : ' ', i + 1,
                    desk->offers[i].name, desk->offers[i].withdrawn ? " (withdrawn)" : "");
}

static void summary_json(struct desk *desk) {
    json_t *accepted = json_array();
    for (size_t i = 0; i < desk->n_offers; i++) {
        const struct desk_offer *offer = &desk->offers[i];
        if (offer->n_visits > 0)
            json_array_append_new(accepted, json_pack("{s:o, s:I, s:I, s:I}", "offer",
                                                      client_json_text(offer->name), "visits",
                                                      (json_int_t)offer->n_visits, "adults",
                                                      (json_int_t)offer->n_adults, "under16",
                                                      (json_int_t)offer->n_under16));
    }
    client_print_json(json_pack("{s:o, s:I, s:I, s:o}", "accepted", accepted, "refused",
                                (json_int_t)desk->n_refused, "undone", (json_int_t)desk->n_undone,
                                "position", client_position(desk->client)));
}

void desk_tell_summary(struct desk *desk) {
    bool any = false;
    if (desk->client->json) {
        summary_json(desk);
        return;
    }
    client_line(stdout, "This session:");
    for (size_t i = 0; i < desk->n_offers; i++) {
        const struct desk_offer *offer = &desk->offers[i];
        char heads[64];
        if (offer->n_visits == 0)
            continue;
        any = true;
        heads_put(heads, offer->n_adults, offer->n_under16);
        client_line(stdout, "  %-24s %4" PRIu32 " accepted, %s", offer->name, offer->n_visits,
                    heads);
    }
    if (!any)
        client_line(stdout, "  nothing accepted");
    if (desk->n_refused > 0 || desk->n_undone > 0)
        client_line(stdout, "  %u refused, %u undone", desk->n_refused, desk->n_undone);
}

char *desk_ask(struct desk *desk, const char *format, ...) {
    _cleanup_(freep) char *text = NULL;
    size_t n_allocated = 0;
    va_list arguments;
    if (desk->terminal) {
        va_start(arguments, format);
        vprintf(format, arguments);
        va_end(arguments);
    }
    fflush(stdout);
    ssize_t n = getline(&text, &n_allocated, stdin);
    if (n < 0)
        return NULL;
    while (n > 0 && strchr(" \t\r\n", text[n - 1]))
        text[--n] = '\0';
    size_t n_blank = strspn(text, " \t");
    memmove(text, text + n_blank, strlen(text + n_blank) + 1);
    return TAKE(text);
}
