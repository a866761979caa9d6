/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders in words. One table holds a pattern for each kind; {name} in a pattern is filled in from
 * the order by one table of fields.
 */
#include "words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
    int kind;
    const char *pattern;
} patterns[] = {
    {TB_EXCHANGE, "{to} gave {time} to {from}"},
    {TB_EARN, "{to} gave {time} to {from}"},
    {TB_LOG, "{to} gave {time}, without credit"},
    {TB_GIFT, "{from} made {to} a gift of {time}"},
    {TB_DONATE, "{from} gave {time} to the community chest"},
    {TB_GRANT, "{to} was granted {time} out of {from}"},
    {TB_ISSUE, "{to} was issued {time}, funded by {funder}"},
    {TB_REDEEM, "{from} spent {time} at {to}: {offer}, {heads}"},
    {TB_REVERSE, "an entry was taken back"},
    {TB_OPEN_ACCOUNT, "Account {to} is open: {account-kind}"},
    {TB_FREEZE, "Account {to} is frozen"},
    {TB_THAW, "Account {to} is open again"},
    {TB_CLOSE, "Account {to} is closed"},
    {TB_SET_LIMIT, "Limits of {to}: floor {floor}, ceiling {ceiling}"},
    {TB_SET_POLICY, "Policy {name} is now {value}"},
    {TB_SET_ACTIVITY, "Activity {name} is set{tags}"},
    {TB_SET_OFFER, "{to} offers {offer} for {price} a head"},
    {TB_SET_FUNDER, "Funder {name} is set"},
    {TB_GRANT_KEY, "The key has the role {role}{for}"},
    {TB_REVOKE_KEY, "The key is revoked"},
};

static const char *text_or(const char *text, const char *otherwise) {
    return text && *text ? text : otherwise;
}

const char *words_from(const struct tb_order *order) {
    bool issued = order->kind == TB_ISSUE || order->kind == TB_GRANT;
    return text_or(order->from, issued ? "issued" : "");
}

const char *words_to(const struct tb_order *order) {
    return text_or(order->to, order->kind == TB_DONATE ? "chest" : "");
}

static void time_put(FILE *to, int64_t minutes) {
    char text[32];
    tb_time_format(minutes, text);
    fputs(text, to);
}

static void put_from(FILE *to, const struct tb_order *order) {
    fputs(words_from(order), to);
}

static void put_to(FILE *to, const struct tb_order *order) {
    fputs(words_to(order), to);
}

static void put_time(FILE *to, const struct tb_order *order) {
    time_put(to, (int64_t)order->minutes);
    if (order->typed_minutes == 0)
        return;
    fputs(" (typed as ", to);
    time_put(to, (int64_t)order->typed_minutes);
    fputc(')', to);
}

static void put_heads(FILE *to, const struct tb_order *order) {
    fprintf(to, "%" PRIu32 " adult%s and %" PRIu32 " under 16", order->adults,
            order->adults == 1 ? "" : "s", order->under16);
}

static void limit_put(FILE *to, const int64_t *minutes) {
    if (minutes)
        time_put(to, *minutes);
    else
        fputs("by policy", to);
}

static void put_floor(FILE *to, const struct tb_order *order) {
    limit_put(to, order->floor_minutes);
}

static void put_ceiling(FILE *to, const struct tb_order *order) {
    limit_put(to, order->ceiling_minutes);
}

static void put_price(FILE *to, const struct tb_order *order) {
    time_put(to, (int64_t)order->price_minutes);
}

static void put_tags(FILE *to, const struct tb_order *order) {
    if (order->tags && *order->tags)
        fprintf(to, ", tags: %s", order->tags);
}

static void put_for(FILE *to, const struct tb_order *order) {
    if (order->to && *order->to)
        fprintf(to, " for %s", order->to);
}

static void put_account_kind(FILE *to, const struct tb_order *order) {
    fputs(tb_account_kind_name((int)order->account_kind), to);
}

static void put_role(FILE *to, const struct tb_order *order) {
    fputs(tb_role_name((int)order->role), to);
}

static void put_funder(FILE *to, const struct tb_order *order) {
    fputs(text_or(order->funder, "nobody named"), to);
}

static void put_offer(FILE *to, const struct tb_order *order) {
    fputs(text_or(order->offer, ""), to);
}

static void put_name(FILE *to, const struct tb_order *order) {
    fputs(text_or(order->name, ""), to);
}

static void put_value(FILE *to, const struct tb_order *order) {
    fputs(text_or(order->value, ""), to);
}

static const struct {
    const char *name;
    void (*put)(FILE *to, const struct tb_order *order);
} fields[] = {
    {"from}", put_from},
    {"to}", put_to},
    {"time}", put_time},
    {"funder}", put_funder},
    {"offer}", put_offer},
    {"heads}", put_heads},
    {"account-kind}", put_account_kind},
    {"floor}", put_floor},
    {"ceiling}", put_ceiling},
    {"name}", put_name},
    {"value}", put_value},
    {"tags}", put_tags},
    {"price}", put_price},
    {"role}", put_role},
    {"for}", put_for},
};

static const char *field_put(FILE *to, const char *name, const struct tb_order *order) {
    for (size_t i = 0; i < N_ELEMENTS(fields); i++) {
        size_t n = strlen(fields[i].name);
        if (strncmp(name, fields[i].name, n) == 0) {
            fields[i].put(to, order);
            return name + n;
        }
    }
    return name;
}

static char *words_make(const struct tb_order *order, bool dated) {
    char *text = NULL;
    size_t n_text = 0;
    FILE *to = open_memstream(&text, &n_text);
    if (!to)
        return NULL;
    if (dated && order->kind < TB_OPEN_ACCOUNT && order->kind != TB_REVERSE) {
        char day[32];
        tb_date_format_words(order->service_day, day);
        fprintf(to, "%s: ", day);
    }
    const char *pattern = tb_kind_name((int)order->kind);
    for (size_t i = 0; i < N_ELEMENTS(patterns); i++)
        if (patterns[i].kind == (int)order->kind)
            pattern = patterns[i].pattern;
    while (*pattern) {
        if (*pattern == '{')
            pattern = field_put(to, pattern + 1, order);
        else
            fputc(*pattern++, to);
    }
    if (fclose(to) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

char *words_of_order(const struct tb_order *order) {
    return words_make(order, false);
}

char *words_of_dated_order(const struct tb_order *order) {
    return words_make(order, true);
}
