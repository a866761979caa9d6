/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/report-text.h"

TestSuite(report_text, .timeout = 20);

#define HASH "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
#define HEAD                                                                                       \
    "{\"definition\":\"timebank-measures/1\",\"bank\":\"a\\\"b\",\"from\":\"2024-04-01\","         \
    "\"to\":\"2025-03-31\",\"as_known_at\":\"2025-04-02\",\"class\":\"internal\","                 \
    "\"position\":{\"size\":17,\"root\":\"" HASH "\"},\"rule\":{\"threshold\":0,\"round_to\":1},"
#define TAIL                                                                                       \
    "\"measures\":{\"b\":1,\"a\":-2},\"further_measures\":{},\"register_measures\":{},"            \
    "\"register\":\"00\","                                                                         \
    "\"suppressed\":3,\"checksum\":\"11\",\"further_checksum\":\"22\"}"

static int parse(const char *text, struct report_text *ret) {
    return report_text_parse(ret, text, strlen(text));
}

static int value_parse(const char *value) {
    struct report_text report;
    _cleanup_bytes_ struct bytes text = {0};
    bytes_printf(&text, "{\"x\":%s}", value);
    return report_text_parse(&report, text.data, text.n);
}

Test(report_text, reads_what_a_report_says_of_itself) {
    struct report_text report;
    cr_assert(eq(int, parse(HEAD TAIL, &report), 0));
    cr_assert(report.is_whole);
    cr_assert(report_text_equals(report.bank, "a\"b"));
    cr_assert(report_text_equals(report.report_class, "internal"));
    cr_assert(eq(u32, report.from_day, 19814));
    cr_assert(eq(u32, report.to_day, 20178));
    cr_assert(eq(u32, report.known_day, 20180));
    cr_assert(eq(u64, report.size, 17));
    cr_assert(eq(u64, report.suppressed, 3));
    cr_assert(not(report.as_recorded));
    int64_t value = 0;
    cr_assert(eq(int, report_text_integer(report_text_member(report.measures, "a"), &value), 1));
    cr_assert(eq(i64, value, -2));
    cr_assert(eq(sz, report_text_member(report.measures, "c").n, 0));
}

Test(report_text, tells_a_whole_report_from_a_piece_of_one) {
    struct report_text report;
    cr_assert(eq(int, parse("{}", &report), 0));
    cr_assert(not(report.is_whole));
    cr_assert(eq(int, parse(HEAD "\"more\":1," TAIL, &report), 0));
    cr_assert(not(report.is_whole));
    cr_assert(eq(int, parse("{\"bank\":\"a\",\"definition\":\"b\"}", &report), 0));
    cr_assert(not(report.is_whole));
}

Test(report_text, takes_one_form_only) {
    static const char *const good[] = {"0",    "-1",       "9007199254740992",    "\"\"",
                                       "true", "[1,[],2]", "\"\\\\ \\\" \u00e9\""};
    static const char *const bad[] = {"",
                                      " 1",
                                      "1 ",
                                      "01",
                                      "-0",
                                      "-",
                                      "+1",
                                      "1.0",
                                      "1e3",
                                      "NaN",
                                      "Infinity",
                                      "9007199254740993",
                                      "null",
                                      "nul",
                                      "\"\\n\"",
                                      "\"\\/\"",
                                      "\"\t\"",
                                      "\"\\u0041\"",
                                      "\"",
                                      "\"\\",
                                      "\"\xff\"",
                                      "[1,]",
                                      "[,1]",
                                      "[1",
                                      "{",
                                      "{\"a\"}",
                                      "{\"a\":1,}",
                                      "{1:1}",
                                      "{a:1}",
                                      "-9223372036854775809",
                                      "truely",
                                      "{}{}",
                                      "\"\\\"",
                                      "[1 , 2]",
                                      "'a'",
                                      "{\"a\":1,\"a\":1}",
                                      "/**/1",
                                      "[[1]]]",
                                      "\357\273\2771",
                                      "{\"a\\\"\":1,\"a\\\"\":2}"};
    for (size_t i = 0; i < N_ELEMENTS(good); i++)
        cr_expect(eq(int, value_parse(good[i]), 0), "%s", good[i]);
    for (size_t i = 0; i < N_ELEMENTS(bad); i++)
        cr_expect(eq(int, value_parse(bad[i]), -EBADMSG), "%s", bad[i]);
}

Test(report_text, refuses_members_of_another_type) {
    static const char *const bad[] = {"{\"bank\":1}",
                                      "{\"position\":[]}",
                                      "{\"position\":{}}",
                                      "{\"position\":{\"size\":0,\"root\":\"" HASH "\"}}",
                                      "{\"position\":{\"size\":1,\"root\":\"AAAA\"}}",
                                      "{\"suppressed\":-1}",
                                      "{\"suppressed\":\"[c]\"}",
                                      "{\"as_recorded\":false}",
                                      "{\"measures\":\"\"}"};
    struct report_text report;
    for (size_t i = 0; i < N_ELEMENTS(bad); i++)
        cr_expect(eq(int, parse(bad[i], &report), -EBADMSG), "%s", bad[i]);
}

Test(report_text, is_not_deep) {
    char text[4096];
    struct report_text report;
    size_t n = sizeof(text) / 2;
    memset(text, '[', n);
    memset(text + n, ']', n);
    cr_assert(eq(int, report_text_parse(&report, text, sizeof(text)), -EBADMSG));
    memcpy(text, "{\"a\":", 5);
    cr_assert(eq(int, report_text_parse(&report, text, sizeof(text)), -EBADMSG));
    cr_assert(eq(int, value_parse("[[[[[[[1]]]]]]]"), 0));
    cr_assert(eq(int, value_parse("[[[[[[[[1]]]]]]]]"), -EBADMSG));
}

static void expect_checksum(const char *value, const char *sorted) {
    char one[2 * HASH_BYTES + 1], other[2 * HASH_BYTES + 1];
    cr_assert(eq(int, report_text_checksum(lines_make(value, strlen(value)), one), 0));
    cr_assert(eq(int, report_text_checksum(lines_make(sorted, strlen(sorted)), other), 0));
    cr_expect(eq(str, one, other), "%s", value);
}

Test(report_text, sums_up_whatever_the_order_of_members) {
    expect_checksum("{\"b\":1,\"a\":{\"d\":[{\"z\":1,\"y\":2}],\"c\":3}}",
                    "{\"a\":{\"c\":3,\"d\":[{\"y\":2,\"z\":1}]},\"b\":1}");
    /* By UTF-16: U+10000 before U+FB33; and by what an escape stands for. */
    expect_checksum("{\"\uFB33\":1,\"\U00010000\":2}", "{\"\U00010000\":2,\"\uFB33\":1}");
    expect_checksum("{\"\\\\\":1,\"\\\"\":2,\"A\":3}", "{\"\\\"\":2,\"A\":3,\"\\\\\":1}");
}

/* sha256sum of the sorted text by another program. */
Test(report_text, sums_up_as_others_do) {
    char found[2 * HASH_BYTES + 1];
    const char *text = "{\"b\":1,\"a\":-2}";
    cr_assert(eq(int, report_text_checksum(lines_make(text, strlen(text)), found), 0));
    cr_assert(eq(str, found, "5fb133aee0e12bcf1d348d2fa64589026233692b924eb704ed18d58d5bcf6375"));
}

Test(report_text, survives_mutants) {
    const char *good = HEAD TAIL;
    size_t n = strlen(good);
    unsigned seed = 7;
    for (int i = 0; i < 20000; i++) {
        struct report_text report;
        char *text = malloc(n);
        cr_assert(ne(ptr, text, NULL));
        memcpy(text, good, n);
        for (int k = rand_r(&seed) % 4; k >= 0; k--)
            text[(size_t)rand_r(&seed) % n] = "{}[]\",:\\01-t \xff"[rand_r(&seed) % 15];
        size_t length = (size_t)rand_r(&seed) % 4 ? n : (size_t)rand_r(&seed) % (n + 1);
        int r = report_text_parse(&report, text, length);
        cr_expect(r == 0 || r == -EBADMSG);
        free(text);
    }
}
