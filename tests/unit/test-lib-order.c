/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of order there and back, keys, words, times: what needs no bank. */
#include <errno.h>
#include <sodium.h>
#include <sys/stat.h>

#include "helpers.h"
#include "libtimebank/order.h"
#include "proto/sshsig.h"
#include "timebank.h"

TestSuite(lib_order, .timeout = 60);

static const int64_t floor_minutes = -1200, ceiling_minutes = 0;

/* Every field a value of its own, whatever the kind. */
static struct tb_order order_full(enum tb_kind kind) {
    struct tb_order order = TB_ORDER_INIT;
    order.kind = kind;
    memset(order.id, 0x11, sizeof(order.id));
    order.service_day = 20000;
    order.from = "m1";
    order.from_person = "ann";
    order.to = "m2";
    order.to_person = "bob";
    order.minutes = 75;
    order.typed_minutes = 70;
    order.authority = TB_BY_SHEET;
    order.activity = "gardening";
    order.sheet = "2025-03-A";
    order.line = 4;
    order.claimed_day = 19999;
    order.override = TB_OVERRIDE_DAY;
    memset(order.corrects, 0x22, sizeof(order.corrects));
    order.source = TB_FROM_SHEET;
    order.funder = "council";
    order.programme = "p";
    order.reference = "r";
    order.offer = "swim";
    order.adults = 2;
    order.under16 = 1;
    memset(order.target, 0x33, sizeof(order.target));
    order.account_kind = TB_ACCOUNT_VENUE;
    order.floor_minutes = &floor_minutes;
    order.ceiling_minutes = &ceiling_minutes;
    order.name = "swim";
    order.value = "30";
    order.tags = "green outdoors";
    order.price_minutes = 60;
    memset(order.key, 0x44, sizeof(order.key));
    order.role = TB_ROLE_VENUE;
    return order;
}

static void order_there_and_back(const struct tb_order *order, struct arena *arena,
                                 struct tb_order *ret) {
    _cleanup_bytes_ struct bytes record = {};
    Timebank__Order *message = NULL;
    cr_assert(order_encode(order, TB_ROLE_BROKER, NULL, &record) == 0);
    cr_assert(record.data[0] == RECORD_ORDER);
    cr_assert(record_order_decode(record.data + 1, record.n - 1, arena, &message) == 0, "kind %d",
              order->kind);
    cr_assert(order_decode(message, arena, ret) == 0);
    cr_assert(ret->kind == order->kind);
}

static const int kinds[] = {32, 33, 34, 35, 36, 37, 38, 39, 40, 64,
                            65, 66, 67, 68, 69, 70, 71, 72, 73, 74};

Test(lib_order, every_kind_comes_back_as_it_went) {
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
        struct tb_order order = order_full((enum tb_kind)kinds[i]), back;
        order_there_and_back(&order, &arena, &back);
        cr_assert(memcmp(order.id, back.id, 16) == 0 &&
                  memcmp(order.corrects, back.corrects, 16) == 0);
        cr_assert(back.service_day == 20000 && back.minutes == 75 && back.typed_minutes == 70);
        cr_assert(strcmp(back.from, "m1") == 0 && strcmp(back.to_person, "bob") == 0);
        cr_assert(strcmp(back.sheet, "2025-03-A") == 0 && back.line == 4 &&
                  back.claimed_day == 19999);
        cr_assert(back.authority == TB_BY_SHEET && back.source == TB_FROM_SHEET);
        cr_assert(back.override == TB_OVERRIDE_DAY && strcmp(back.activity, "gardening") == 0);
    }
    arena_fini(&arena);
}

Test(lib_order, each_kind_keeps_its_own_fields) {
    struct arena arena;
    struct tb_order order, back;
    arena_init(&arena, 1 << 20);
#define BACK(kind)                                                                                 \
    order = order_full(kind);                                                                      \
    order_there_and_back(&order, &arena, &back)
    BACK(TB_ISSUE);
    cr_assert(strcmp(back.funder, "council") == 0 && strcmp(back.reference, "r") == 0);
    BACK(TB_REDEEM);
    cr_assert(strcmp(back.offer, "swim") == 0 && back.adults == 2 && back.under16 == 1);
    BACK(TB_REVERSE);
    cr_assert(memcmp(back.target, order.target, 16) == 0);
    BACK(TB_OPEN_ACCOUNT);
    cr_assert(back.account_kind == TB_ACCOUNT_VENUE && strcmp(back.offer, "") == 0);
    BACK(TB_SET_LIMIT);
    cr_assert(*back.floor_minutes == -1200 && *back.ceiling_minutes == 0, "a ceiling of 0 is one");
    order.floor_minutes = NULL;
    order_there_and_back(&order, &arena, &back);
    cr_assert(back.floor_minutes == NULL && *back.ceiling_minutes == 0);
    BACK(TB_SET_POLICY);
    cr_assert(strcmp(back.name, "swim") == 0 && strcmp(back.value, "30") == 0);
    BACK(TB_SET_ACTIVITY);
    cr_assert(strcmp(back.tags, "green outdoors") == 0);
    BACK(TB_SET_OFFER);
    cr_assert(strcmp(back.offer, "swim") == 0 && back.price_minutes == 60);
    BACK(TB_SET_FUNDER);
    cr_assert(strcmp(back.name, "swim") == 0);
    BACK(TB_GRANT_KEY);
    cr_assert(memcmp(back.key, order.key, 32) == 0 && back.role == TB_ROLE_VENUE);
    BACK(TB_REVOKE_KEY);
    cr_assert(memcmp(back.key, order.key, 32) == 0);
    arena_fini(&arena);
}

Test(lib_order, fills_in_what_a_kind_leaves_no_choice_about) {
    struct arena arena;
    struct tb_order order = TB_ORDER_INIT, back;
    arena_init(&arena, 1 << 20);
    memset(order.id, 1, sizeof(order.id));
    order.kind = TB_DONATE;
    order.from = "m1";
    order_there_and_back(&order, &arena, &back);
    cr_assert(strcmp(back.to, "chest") == 0 && back.authority == TB_BY_BROKER);
    order.kind = TB_ISSUE;
    order.from = NULL;
    order_there_and_back(&order, &arena, &back);
    cr_assert(strcmp(back.from, "issued") == 0);
    order.kind = TB_FREEZE;
    order_there_and_back(&order, &arena, &back);
    cr_assert(back.authority == TB_BY_ROLE, "the register's kinds have none");
    arena_fini(&arena);
}

Test(lib_order, refuses_what_is_no_kind_and_no_struct) {
    _cleanup_bytes_ struct bytes record = {};
    struct tb_order order = TB_ORDER_INIT, copy;
    cr_assert(order_encode(&order, TB_ROLE_BROKER, NULL, &record) == -EINVAL);
    order.kind = (enum tb_kind)41;
    cr_assert(order_encode(&order, TB_ROLE_BROKER, NULL, &record) == -EINVAL);
    order.struct_bytes = 0;
    cr_assert(order_copy(&order, &copy) == -EINVAL);
    /* One compiled against an older header: what it does not have is zero. */
    order = order_full(TB_GRANT_KEY);
    order.struct_bytes = offsetof(struct tb_order, role);
    cr_assert(order_copy(&order, &copy) == 0 && copy.role == 0 && copy.key[0] == 0x44);
}

Test(lib_order, makes_keys_that_openssh_reads) {
    char directory[64], path[128], why[256], *line = NULL, *shown = NULL;
    uint8_t key[32], again[32];
    struct stat status;
    scratch_make(directory);
    snprintf(path, sizeof(path), "%s/broker.key", directory);
    cr_assert(tb_key_new(path, "broker", &line, why, sizeof(why)) == 0, "%s", why);
    cr_assert(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
    cr_assert(strncmp(line, "ssh-ed25519 AAAA", 16) == 0 && !strchr(line, '\n'));
    cr_assert(tb_key_new(path, NULL, &shown, why, sizeof(why)) == -EEXIST && why[0]);
    cr_assert(tb_key_show(path, &shown, why, sizeof(why)) == 0, "%s", why);
    cr_assert(strncmp(shown, line, 68) == 0);
    free(shown);
    cr_assert(tb_key_public(line, key, NULL, 0) == 0);
    cr_assert(tb_key_public(path, again, why, sizeof(why)) == TB_BAD_KEY && strstr(why, "secret"));
    strcat(path, ".pub");
    cr_assert(tb_key_public(path, again, why, sizeof(why)) == 0 && memcmp(key, again, 32) == 0);
    cr_assert(tb_key_show(path, &shown, why, sizeof(why)) == 0 && strcmp(shown, line) == 0);
    free(shown);
    shown = tb_key_line(key);
    cr_assert(strncmp(shown, line, strlen(shown)) == 0);
    free(shown);
    free(line);
    cr_assert(tb_key_public("/nowhere", key, why, sizeof(why)) == TB_NO_KEY);
    if (tool_is_here("ssh-keygen"))
        cr_assert(scratch_run(directory, "ssh-keygen -y -f broker.key | cut -d' ' -f1,2 >a && "
                                         "cut -d' ' -f1,2 broker.key.pub >b && cmp a b") == 0);
    scratch_remove(directory);
}

Test(lib_order, rounds_as_the_policy_says) {
    static const struct {
        uint64_t minutes, quantum;
        const char *rounding;
        int r;
        uint64_t expected;
    } rows[] = {
        {70, 15, "up", 0, 75},
        {75, 15, "up", 0, 75},
        {70, 15, "down", 0, 60},
        {67, 15, "nearest", 0, 60},
        {68, 15, "nearest", 0, 75},
        {65, 10, "nearest", 0, 70},
        {70, 15, "refuse", TB_NOT_IN_QUANTUM, 0},
        {75, 15, "refuse", 0, 75},
        {75, 0, "up", -EINVAL, 0},
        {75, 15, "sideways", -EINVAL, 0},
    };
    for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
        uint64_t minutes = 0;
        int r = tb_time_round(rows[i].minutes, rows[i].quantum, rows[i].rounding, &minutes);
        cr_assert(r == rows[i].r && minutes == rows[i].expected, "row %zu", i);
    }
}

Test(lib_order, reads_time_and_dates_without_somewhere_to_complain) {
    uint64_t minutes = 0;
    uint32_t day = 0;
    cr_assert(tb_time_parse("2h30", &minutes, NULL, 0) == 0 && minutes == 150);
    cr_assert(tb_time_parse("2.30", &minutes, NULL, 0) == TB_AMBIGUOUS_TIME);
    cr_assert(tb_date_parse("2025-03-05", 20000, &day, NULL, 0) == 0 && day == 20152);
}

Test(lib_order, every_word_goes_there_and_back) {
    for (int kind = 1; kind <= TB_ACCOUNT_WRITE_OFFS; kind++)
        cr_assert(tb_account_kind_from_name(tb_account_kind_name(kind)) == kind);
    for (int role = 1; role <= TB_ROLE_AUDITOR; role++)
        cr_assert(tb_role_from_name(tb_role_name(role)) == role);
    cr_assert(strcmp(tb_account_kind_name(99), "unknown") == 0);
    cr_assert(strcmp(tb_role_name(-1), "unknown") == 0);
    cr_assert(tb_role_from_name("king") == 0 && tb_role_from_name(NULL) == 0);
    cr_assert(strcmp(tb_kind_name(TB_OPEN_ACCOUNT), "open-account") == 0);
    cr_assert(strcmp(tb_refusal_name(TB_NOT_VERIFIED), "NOT_VERIFIED") == 0);
}
