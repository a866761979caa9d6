/* SPDX-License-Identifier: Apache-2.0 */
/* The longer fields of an order, in words. */
#include "words-fields.h"

#include <inttypes.h>
#include <stdbool.h>

#include "base/cleanup.h"

#define NAMED_MAX 6 /* members of a session, by code; more are counted */

static void time_put(FILE *to, int64_t minutes) {
    char text[32];
    tb_time_format(minutes, text);
    fputs(text, to);
}

static void day_put(FILE *to, uint32_t day) {
    char text[16];
    tb_date_format(day, text);
    fputs(text, to);
}

static bool is_text(const char *text) {
    return text && *text;
}

/* ---- sessions */

static void people_put(FILE *to, const char *const *codes, const uint64_t *minutes, size_t n) {
    if (n > NAMED_MAX) {
        fprintf(to, "%zu members", n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        fprintf(to, "%s%s", i ? ", " : "", codes[i] ? codes[i] : "");
        if (!minutes || minutes[i] == 0)
            continue;
        fputs(" (", to);
        time_put(to, (int64_t)minutes[i]);
        fputc(')', to);
    }
}

void words_put_givers(FILE *to, const struct tb_order *order) {
    if (order->givers)
        people_put(to, order->givers, order->giver_minutes, order->n_givers);
}

void words_put_receivers(FILE *to, const struct tb_order *order) {
    bool has_from = is_text(order->from), has_members = order->receivers && order->n_receivers > 0;
    if (has_from)
        fputs(order->from, to);
    if (has_from && has_members)
        fputs(", ", to);
    if (has_members)
        people_put(to, order->receivers, order->receiver_minutes, order->n_receivers);
    if (order->heads > 0)
        fprintf(to, "%s%" PRIu32 " other%s", has_from || has_members ? " and " : "", order->heads,
                order->heads == 1 ? "" : "s");
}

void words_put_rest(FILE *to, const struct tb_order *order) {
    if (order->rest == TB_REST_SHARED)
        fputs(", who share it", to);
    else if (order->rest == TB_REST_BY_CHEST)
        fputs(order->n_receivers > 0 ? ", and the chest pays the rest" : ", and the chest pays",
              to);
}

/* ---- vouchers */

void words_put_vouchers(FILE *to, const struct tb_order *order) {
    fprintf(to, "%" PRIu32 " voucher%s of ", order->count, order->count == 1 ? "" : "s");
    time_put(to, (int64_t)order->each_minutes);
    if (order->from_day) {
        fputs(", not before ", to);
        day_put(to, order->from_day);
    }
    fputs(", last day ", to);
    day_put(to, order->expires_day);
    if (is_text(order->venue))
        fprintf(to, ", for %s only", order->venue);
}

void words_put_serials(FILE *to, const struct tb_order *order) {
    if (order->count > 1)
        fprintf(to, "vouchers %" PRIu64 " to %" PRIu64, order->first_serial,
                order->first_serial + order->count - 1);
    else
        fprintf(to, "voucher %" PRIu64, order->first_serial);
}

/* Of one that was taken, as its claims say: timebank-ledger(5), VOUCHERS. */
static uint64_t claimed_serial(const uint8_t claims[TB_CLAIMS_BYTES]) {
    uint64_t serial = 0;
    for (size_t i = 1; i <= 6; i++)
        serial = serial << 8 | claims[i];
    return serial;
}

void words_put_serial(FILE *to, const struct tb_order *order) {
    fprintf(to, "%" PRIu64,
            order->kind == TB_REDEEM_VOUCHER ? claimed_serial(order->claims) : order->first_serial);
}

void words_put_new_serial(FILE *to, const struct tb_order *order) {
    fprintf(to, "%" PRIu64, order->new_serial);
}

void words_put_offered(FILE *to, const struct tb_order *order) {
    if (is_text(order->offer))
        fprintf(to, ": %s, %" PRIu32 " adult%s and %" PRIu32 " under 16", order->offer,
                order->adults, order->adults == 1 ? "" : "s", order->under16);
}

/* ---- days */

void words_put_due(FILE *to, const struct tb_order *order) {
    day_put(to, order->due_day);
}

void words_put_to_day(FILE *to, const struct tb_order *order) {
    day_put(to, order->to_day);
}

static void days_put(FILE *to, const char *before, uint32_t from_day, uint32_t to_day) {
    if (from_day) {
        fprintf(to, "%s from ", before);
        day_put(to, from_day);
    }
    if (to_day) {
        fprintf(to, "%s %s ", from_day ? "" : before, from_day ? "to" : "until");
        day_put(to, to_day);
    }
}

void words_put_days(FILE *to, const struct tb_order *order) {
    days_put(to, "", order->from_day, order->to_day);
}

void words_put_leaves(FILE *to, const struct tb_order *order) {
    fputs(order->stays ? "stays" : "leaves", to);
    if (order->stays || order->until_day == 0)
        return;
    fputs(", and may spend until ", to);
    day_put(to, order->until_day);
}

void words_put_settled(FILE *to, const struct tb_order *order) {
    if (order->balance_minutes < 0) {
        fputs("a debt of ", to);
        time_put(to, -order->balance_minutes);
        fputs(" is written off", to);
    } else if (order->balance_minutes == 0) {
        fputs("nothing was left", to);
    } else {
        time_put(to, order->balance_minutes);
        fprintf(to, " went to %s", is_text(order->to) ? order->to : "nobody");
    }
}

/* ---- limits */

static const char *span_word(uint32_t span) {
    static const char *const words[] = {
        [TB_SPAN_DAY] = "day",
        [TB_SPAN_WEEK] = "week",
        [TB_SPAN_MONTH] = "month",
        [TB_SPAN_YEAR] = "year",
    };
    span &= ~TB_SPAN_ENTRIES;
    return span < N_ELEMENTS(words) && words[span] ? words[span] : "time";
}

void words_put_limits(FILE *to, const struct tb_order *order) {
    if (order->soft_floor_minutes) {
        fputs(", warning below ", to);
        time_put(to, *order->soft_floor_minutes);
    }
    if (order->soft_ceiling_minutes) {
        fputs(", warning above ", to);
        time_put(to, *order->soft_ceiling_minutes);
    }
    for (size_t i = 0; order->spans && order->most && i < order->n_spans; i++) {
        fputs(", at most ", to);
        if (order->spans[i] & TB_SPAN_ENTRIES)
            fprintf(to, "%" PRIu64 " entr%s", order->most[i], order->most[i] == 1 ? "y" : "ies");
        else
            time_put(to, (int64_t)order->most[i]);
        fprintf(to, " in a %s", span_word(order->spans[i]));
    }
}

/* ---- offers */

void words_put_offers(FILE *to, const struct tb_order *order) {
    fputs(order->withdrawn ? "no longer offers" : "offers", to);
}

static void weekdays_put(FILE *to, uint32_t weekdays) {
    static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    const char *before = ", on ";
    for (size_t i = 0; i < N_ELEMENTS(names); i++) {
        if (!(weekdays & 1u << i))
            continue;
        fprintf(to, "%s%s", before, names[i]);
        before = " ";
    }
}

static void hours_put(FILE *to, const struct tb_order *order) {
    uint32_t end = order->to_minute ? order->to_minute : 24 * 60;
    if (order->from_minute || order->to_minute)
        fprintf(to, ", %02" PRIu32 ":%02" PRIu32 " to %02" PRIu32 ":%02" PRIu32,
                order->from_minute / 60, order->from_minute % 60, end / 60, end % 60);
}

static void most_put(FILE *to, uint32_t most, const char *what) {
    if (most)
        fprintf(to, ", at most %" PRIu32 " %s", most, what);
}

static const char *const ages_words[] = {[TB_AGES_ADULTS_ONLY] = "adults only",
                                         [TB_AGES_UNDER16_ONLY] = "under 16 only",
                                         [TB_AGES_WITH_AN_ADULT] = "under 16 with an adult only"};

void words_put_rules(FILE *to, const struct tb_order *order) {
    weekdays_put(to, order->weekdays);
    hours_put(to, order);
    days_put(to, ",", order->from_day, order->to_day);
    if (order->ages < N_ELEMENTS(ages_words) && ages_words[order->ages])
        fprintf(to, ", %s", ages_words[order->ages]);
    most_put(to, order->party_max, "at once");
    most_put(to, order->heads_a_day, "heads a day");
    most_put(to, order->times_a_month, "times a month for one member");
    if (order->minutes_a_month) {
        fputs(", at most ", to);
        time_put(to, (int64_t)order->minutes_a_month);
        fputs(" a month in all", to);
    }
}

/* ---- people */

void words_put_person(FILE *to, const struct tb_order *order) {
    if (is_text(order->person))
        fprintf(to, "Person %s", order->person);
    else
        fputs("The first person", to);
}

void words_put_is_set(FILE *to, const struct tb_order *order) {
    fputs(order->gone ? "has gone" : order->minor ? "is set, under 18" : "is set", to);
}

void words_put_mandate(FILE *to, const struct tb_order *order) {
    fputs(tb_mandate_name((int)order->mandate_kind), to);
}

void words_put_accepts(FILE *to, const struct tb_order *order) {
    fputs(order->ended ? "no longer accepts" : "accepts", to);
}

void words_put_other(FILE *to, const struct tb_order *order) {
    if (is_text(order->other))
        fprintf(to, " together with %s", order->other);
}

void words_put_stands(FILE *to, const struct tb_order *order) {
    fputs(order->lifted ? "is lifted" : "is set", to);
}

/* ---- reports */

void words_put_report_class(FILE *to, const struct tb_order *order) {
    fputs(tb_report_class_name((int)order->report_class), to);
}

void words_put_of_class(FILE *to, const struct tb_order *order) {
    int report_class = order->report_class ? (int)order->report_class : TB_CLASS_FUNDER;
    if (order->role == TB_ROLE_EVALUATOR)
        fprintf(to, ", for reports of the class %s", tb_report_class_name(report_class));
}

void words_put_from_day(FILE *to, const struct tb_order *order) {
    char text[16];
    tb_date_format(order->from_day, text);
    fputs(text, to);
}
