/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders in words. One table holds a pattern for each kind; {name} in a pattern is filled in from
 * the order by one table of fields. What takes more than a figure or a name to say is in
 * words-fields.c.
 */
#include "words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "words-fields.h"

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
    {TB_SESSION, "{givers} gave {time} to {receivers}{rest}"},
    {TB_CONFIRM, "an entry was confirmed"},
    {TB_DECLINE, "an entry was declined"},
    {TB_WITHDRAW, "an entry was withdrawn"},
    {TB_DISPUTE, "an entry was disputed"},
    {TB_DECIDE, "a dispute was decided"},
    {TB_APPROVE, "an entry was approved"},
    {TB_HOLD, "{from} has {time} set aside for {to}: {offer}, {heads}"},
    {TB_CAPTURE, "what was set aside was taken"},
    {TB_RELEASE, "what was set aside was given back"},
    {TB_MINT_VOUCHERS, "{from} paid {time} for {vouchers}"},
    {TB_REDEEM_VOUCHER, "{to} took voucher {serial} of {time}{offered}"},
    {TB_VOID_VOUCHERS, "Void from now on: {serials}"},
    {TB_REISSUE_VOUCHER, "Voucher {serial} goes on as {new-serial}"},
    {TB_ADVANCE, "{to} was advanced {time}"},
    {TB_PLEDGE, "{to} was advanced {time}, to be earned until {due}"},
    {TB_EXPIRE, "{time} of {from} expired"},
    {TB_SETTLE, "{from} is settled: {settled}"},
    {TB_MERGE, "{from} was merged into {to}"},
    {TB_UNMERGE, "a merge was undone"},
    {TB_TRANSFER, "{from} transferred {time} to {to}"},
    {TB_VENUE_RETURN, "{from} gave its own figures{days}"},
    {TB_RETIRE, "{from} handed in {time}, taken out of circulation"},
    {TB_OPEN_ACCOUNT, "Account {to} is open: {account-kind}"},
    {TB_FREEZE, "Account {to} is frozen"},
    {TB_THAW, "Account {to} is open again"},
    {TB_CLOSE, "Account {to} is closed"},
    {TB_SET_LIMIT, "Limits of {to}: floor {floor}, ceiling {ceiling}{limits}"},
    {TB_SET_POLICY, "Policy {name} is now {value}"},
    {TB_SET_ACTIVITY, "Activity {name} is set{tags}"},
    {TB_SET_OFFER, "{to} {offers} {offer} for {price} a head{rules}"},
    {TB_SET_FUNDER, "Funder {name} is set"},
    {TB_GRANT_KEY, "The key has the role {role}{for}{of-class}"},
    {TB_REVOKE_KEY, "The key is revoked"},
    {TB_SET_PERSON, "{person} of {to} {is-set}"},
    {TB_SET_MANDATE, "{holder} may act for {to} as {mandate}{days}"},
    {TB_SET_TRUST, "{to} {accepts} at once what {giver} claims"},
    {TB_SAFEGUARD, "The safeguarding hold on {to}{other} {stands}"},
    {TB_CLOSE_PERIOD, "The period to {to-day} is closed"},
    {TB_SET_PROGRAMME, "Programme {name} is set, funded by {funder}"},
    {TB_SET_VOUCHER_KEY, "The key for vouchers is set"},
    {TB_SET_CHOICE, "What {to} leaves goes to {heir}"},
    {TB_LEAVE, "{to} {leaves}"},
    {TB_ERASE, "Account {to} is erased"},
    {TB_ROTATE_KEY, "The ledger's key is changed"},
    {TB_RELEASE_REPORT, "The {report-class} report of {from-day} to {to-day} has left the bank"},
};

/* The bank's own account on a side that leaves no choice. */
static const struct {
    int kind;
    const char *from;
    const char *to;
} own_sides[] = {
    {TB_DONATE, NULL, "chest"},
    {TB_GRANT, "issued", NULL},
    {TB_ISSUE, "issued", NULL},
    {TB_MINT_VOUCHERS, NULL, "vouchers"},
    {TB_REDEEM_VOUCHER, "vouchers", NULL},
    {TB_VOID_VOUCHERS, "vouchers", NULL},
    {TB_ADVANCE, "advances", NULL},
    {TB_PLEDGE, "advances", NULL},
    {TB_EXPIRE, NULL, "expired"},
    {TB_RETIRE, NULL, "retired"},
};

static const char *text_or(const char *text, const char *otherwise) {
    return text && *text ? text : otherwise;
}

const char *words_from(const struct tb_order *order) {
    const char *own = NULL;
    for (size_t i = 0; i < N_ELEMENTS(own_sides); i++)
        if (own_sides[i].kind == (int)order->kind)
            own = own_sides[i].from;
    return text_or(order->from, text_or(own, ""));
}

const char *words_to(const struct tb_order *order) {
    const char *own = NULL;
    for (size_t i = 0; i < N_ELEMENTS(own_sides); i++)
        if (own_sides[i].kind == (int)order->kind)
            own = own_sides[i].to;
    return text_or(order->to, text_or(own, ""));
}

static void time_put(FILE *to, int64_t minutes) {
    char text[32];
    tb_time_format(minutes, text);
    fputs(text, to);
}

/* "m0007/2": who of a household it was. */
static void side_put(FILE *to, const char *code, const char *person) {
    fputs(code, to);
    if (person && *person)
        fprintf(to, "/%s", person);
}

static void put_from(FILE *to, const struct tb_order *order) {
    side_put(to, words_from(order), order->from_person);
}

static void put_to(FILE *to, const struct tb_order *order) {
    side_put(to, words_to(order), order->to_person);
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

static void put_holder(FILE *to, const struct tb_order *order) {
    fputs(text_or(order->holder, ""), to);
}

static void put_giver(FILE *to, const struct tb_order *order) {
    fputs(text_or(order->giver, ""), to);
}

static void put_heir(FILE *to, const struct tb_order *order) {
    fputs(text_or(order->heir, ""), to);
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
    {"holder}", put_holder},
    {"giver}", put_giver},
    {"heir}", put_heir},
    {"givers}", words_put_givers},
    {"receivers}", words_put_receivers},
    {"rest}", words_put_rest},
    {"vouchers}", words_put_vouchers},
    {"serials}", words_put_serials},
    {"serial}", words_put_serial},
    {"new-serial}", words_put_new_serial},
    {"offered}", words_put_offered},
    {"due}", words_put_due},
    {"to-day}", words_put_to_day},
    {"days}", words_put_days},
    {"settled}", words_put_settled},
    {"limits}", words_put_limits},
    {"offers}", words_put_offers},
    {"rules}", words_put_rules},
    {"person}", words_put_person},
    {"is-set}", words_put_is_set},
    {"mandate}", words_put_mandate},
    {"accepts}", words_put_accepts},
    {"other}", words_put_other},
    {"stands}", words_put_stands},
    {"leaves}", words_put_leaves},
    {"report-class}", words_put_report_class},
    {"of-class}", words_put_of_class},
    {"from-day}", words_put_from_day},
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
    if (dated && order->kind < TB_OPEN_ACCOUNT && order->service_day != 0) {
        char day[32];
        tb_date_format_words(order->service_day, day);
        fprintf(to, "%s: ", day);
    }
    if (order->proposal && !dated) /* record_words() says it before the date */
        fputs("proposed: ", to);
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
