/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of order there and back, keys, words, times: what needs no bank. */
#include <errno.h>
#include <sodium.h>
#include <sys/stat.h>

#include "helpers.h"
#include "libtimebank/order-fields.h"
#include "libtimebank/order.h"
#include "proto/sshsig.h"
#include "timebank.h"

TestSuite(lib_order, .timeout = 60);

static const int64_t floor_minutes = -1200, ceiling_minutes = 0;
static const int64_t soft_floor_minutes = -600, soft_ceiling_minutes = 6000;
static const char *const givers[] = {"m1", "m2"}, *const receivers[] = {"m3", "m4", "m5"};
static const char *const giver_persons[] = {"", "ann"}, *const receiver_persons[] = {"", "", "bob"};
static const uint64_t giver_minutes[] = {60, 90}, receiver_minutes[] = {0, 300, 15};
static const char *const line_offers[] = {"swim", "gym"};
static const uint64_t line_heads[] = {3, 0}, line_minutes[] = {180, 0};
static const uint32_t spans[] = {TB_SPAN_DAY, TB_SPAN_MONTH | TB_SPAN_ENTRIES};
static const uint64_t most[] = {300, 4};

/* What the kinds of the rulebook have. */
static void order_fill_more(struct tb_order *order) {
    order->proposal = 1;
    memset(order->quote, 0x55, sizeof(order->quote));
    order->n_givers = 2;
    order->givers = givers;
    order->giver_minutes = giver_minutes;
    order->giver_persons = giver_persons;
    order->n_receivers = 3;
    order->receivers = receivers;
    order->receiver_minutes = receiver_minutes;
    order->receiver_persons = receiver_persons;
    order->rest = TB_REST_BY_CHEST;
    order->heads = 7;
    order->head_minutes = 45;
    order->until_ms = UINT64_C(1741132800000);
    order->release_rest = 1;
    order->first_serial = UINT64_C(1) << 40;
    order->new_serial = 1002;
    order->count = 20;
    order->each_minutes = 61;
    order->venue = "leisure-centre";
    memset(order->claims, 0x66, sizeof(order->claims));
    memset(order->signature, 0x77, sizeof(order->signature));
    order->offline = 1;
    order->from_day = 20001;
    order->to_day = 20002;
    order->expires_day = 20003;
    order->due_day = 20004;
    order->as_of_day = 20005;
    order->until_day = 20006;
    order->settle_as = TB_SETTLE_ENDED;
    order->balance_minutes = -90;
    memset(order->transfer_id, 0x88, sizeof(order->transfer_id));
    order->n_lines = 2;
    order->line_offers = line_offers;
    order->line_heads = line_heads;
    order->line_minutes = line_minutes;
    order->soft_floor_minutes = &soft_floor_minutes;
    order->soft_ceiling_minutes = &soft_ceiling_minutes;
    order->n_spans = 2;
    order->spans = spans;
    order->most = most;
    order->weekdays = 65;
    order->from_minute = 540;
    order->to_minute = 720;
    order->ages = TB_AGES_WITH_AN_ADULT;
    order->party_max = 5;
    order->heads_a_day = 30;
    order->times_a_month = 4;
    order->minutes_a_month = 6001;
    order->withdrawn = 1;
    order->person = "cy";
    order->minor = 1;
    order->gone = 1;
    order->holder = "m8";
    order->mandate_kind = TB_MANDATE_FOR_BROKER;
    order->giver = "m9";
    order->ended = 1;
    order->other = "m10";
    order->lifted = 1;
    order->heir = "chest";
    order->stays = 1;
}

static void order_fill_report(struct tb_order *order) {
    order->report_class = TB_CLASS_PUBLIC;
    order->definition = "timebank-measures/1";
    order->known_day = 20007;
    order->as_recorded = 1;
    order->size = UINT64_C(1) << 33;
    memset(order->root, 0x99, sizeof(order->root));
    memset(order->checksum, 0xaa, sizeof(order->checksum));
    memset(order->register_checksum, 0xbb, sizeof(order->register_checksum));
}

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
    order_fill_more(&order);
    order_fill_report(&order);
    return order;
}

static void order_there_and_back(const struct tb_order *order, struct arena *arena,
                                 struct tb_order *ret) {
    _cleanup_bytes_ struct bytes record = {};
    Timebank__Order *message = NULL;
    cr_assert(order_encode(order, order->id, TB_ROLE_BROKER, NULL, &record) == 0);
    cr_assert(record.data[0] == RECORD_ORDER);
    cr_assert(record_order_decode(record.data + 1, record.n - 1, arena, &message) == 0, "kind %d",
              order->kind);
    cr_assert(order_decode(message, arena, ret) == 0);
    cr_assert(ret->kind == order->kind);
}

static const int kinds[] = {
#define KIND(field, NAME, name, counts) field,
#include "proto/kinds.def"
#undef KIND
};

static bool list_is_same(const ProtobufCFieldDescriptor *field, const void *a, const void *b,
                         size_t n) {
    size_t n_number = field->type == PROTOBUF_C_TYPE_UINT32 ? 4 : 8;
    if (field->type != PROTOBUF_C_TYPE_STRING)
        return memcmp(a, b, n * n_number) == 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(((const char *const *)a)[i], ((const char *const *)b)[i]) != 0)
            return false;
    return true;
}

static bool field_is_same(const ProtobufCMessageDescriptor *member,
                          const ProtobufCFieldDescriptor *field, const struct tb_order *a,
                          const struct tb_order *b) {
    const struct order_field *row = order_field_find(member, field->name);
    cr_assert(row, "%s.%s has no place in struct tb_order", member->short_name, field->name);
    const void *at_a = (const uint8_t *)a + row->at, *at_b = (const uint8_t *)b + row->at;
    if (order_field_is_tags(row) || field->type == PROTOBUF_C_TYPE_STRING)
        if (row->n_at == 0)
            return strcmp(*(const char *const *)at_a, *(const char *const *)at_b) == 0;
    if (row->n_at != 0) {
        size_t n = *(const size_t *)((const uint8_t *)a + row->n_at);
        return n > 0 && n == *(const size_t *)((const uint8_t *)b + row->n_at) &&
               list_is_same(field, *(const void *const *)at_a, *(const void *const *)at_b, n);
    }
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return **(const int64_t *const *)at_a == **(const int64_t *const *)at_b;
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return memcmp(at_a, at_b, record_member_bytes(field->name)) == 0;
    return memcmp(at_a, at_b,
                  field->type == PROTOBUF_C_TYPE_UINT64 || field->type == PROTOBUF_C_TYPE_SINT64
                      ? 8
                      : 4) == 0;
}

Test(lib_order, every_field_of_every_kind_comes_back_as_it_went) {
    struct arena arena;
    size_t n_fields = 0;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
        struct tb_order order = order_full((enum tb_kind)kinds[i]), back;
        const ProtobufCMessageDescriptor *member =
            protobuf_c_message_descriptor_get_field(&timebank__order__descriptor,
                                                    (unsigned)kinds[i])
                ->descriptor;
        order_there_and_back(&order, &arena, &back);
        for (unsigned j = 0; j < member->n_fields; j++, n_fields++)
            cr_assert(field_is_same(member, &member->fields[j], &order, &back), "%s.%s",
                      member->short_name, member->fields[j].name);
    }
    cr_assert(n_fields > 100);
    arena_fini(&arena);
}

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
        cr_assert(back.proposal == 1);
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
    BACK(TB_SESSION);
    cr_assert(back.n_givers == 2 && back.giver_minutes[1] == 90 &&
              strcmp(back.receivers[2], "m5") == 0 && back.rest == TB_REST_BY_CHEST);
    BACK(TB_VENUE_RETURN);
    cr_assert(back.n_lines == 2 && strcmp(back.line_offers[1], "gym") == 0 &&
              back.line_heads[0] == 3 && back.to_day == 20002 && back.heads == 0);
    BACK(TB_REISSUE_VOUCHER);
    cr_assert(back.first_serial == UINT64_C(1) << 40 && back.new_serial == 1002);
    BACK(TB_SETTLE);
    cr_assert(back.settle_as == TB_SETTLE_ENDED && back.balance_minutes == -90);
    BACK(TB_SET_MANDATE);
    cr_assert(back.mandate_kind == TB_MANDATE_FOR_BROKER && strcmp(back.holder, "m8") == 0);
    order.programme = "walks";
    order.name = NULL;
    order.kind = TB_SET_PROGRAMME;
    order_there_and_back(&order, &arena, &back);
    cr_assert(strcmp(back.name, "walks") == 0 && strcmp(back.funder, "council") == 0);
    arena_fini(&arena);
}

/* ---- our writer against protobuf-c's */

static uint64_t seed;

static uint64_t next_random(void) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return seed >> 33;
}

/* Of each length that a varint may have, and 0 often. */
static uint64_t any_number(void) {
    uint64_t all = next_random() << 33 ^ next_random() << 8 ^ next_random();
    return next_random() % 4 == 0 ? 0 : all >> next_random() % 64;
}

static const char *any_text(void) {
    static const char *const texts[] = {NULL, "", "m1", "leisure-centre", "\xc3\xa9t\xc3\xa9"};
    static char longest[300];
    memset(longest, 'x', sizeof(longest) - 1);
    size_t i = next_random() % 8;
    return i < N_ELEMENTS(texts) ? texts[i] : longest + next_random() % 300;
}

static void any_member(const ProtobufCMessageDescriptor *member,
                       const ProtobufCFieldDescriptor *field, struct tb_order *order) {
    static const int64_t bounds[] = {0, -1, INT64_MIN, INT64_MAX, 60};
    const struct order_field *row = order_field_find(member, field->name);
    uint8_t *at = (uint8_t *)order + row->at;
    uint64_t number = any_number();
    if (order_field_is_tags(row)) {
        static const char *const tags[] = {NULL, "", " ", "a", "a bb", "  a  bb ccc "};
        order->tags = tags[next_random() % N_ELEMENTS(tags)];
    } else if (row->n_at != 0) {
        *(size_t *)((uint8_t *)order + row->n_at) = next_random() % 3;
        if (next_random() % 4 == 0)
            *(const void **)at = NULL;
    } else if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        *(const int64_t **)at =
            next_random() % 3 == 0 ? NULL : &bounds[next_random() % N_ELEMENTS(bounds)];
    } else if (field->type == PROTOBUF_C_TYPE_STRING) {
        *(const char **)at = any_text();
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
        memset(at, (int)next_random(), record_member_bytes(field->name));
    } else if (field->type == PROTOBUF_C_TYPE_UINT64 || field->type == PROTOBUF_C_TYPE_SINT64) {
        memcpy(at, &number, sizeof(number));
    } else {
        memcpy(at, &(uint32_t){(uint32_t)number}, sizeof(uint32_t));
    }
}

static struct tb_order any_order(enum tb_kind kind) {
    struct tb_order order = order_full(kind);
    const ProtobufCMessageDescriptor *member =
        protobuf_c_message_descriptor_get_field(&timebank__order__descriptor, (unsigned)kind)
            ->descriptor;
    for (unsigned i = 0; i < member->n_fields; i++)
        any_member(member, &member->fields[i], &order);
    order.service_day = (uint32_t)any_number();
    order.from = any_text();
    order.from_person = any_text();
    order.to = any_text();
    order.to_person = any_text();
    order.minutes = any_number();
    order.typed_minutes = any_number();
    order.authority = (enum tb_authority)(int)any_number();
    order.activity = any_text();
    order.sheet = any_text();
    order.line = (uint32_t)any_number();
    order.claimed_day = (uint32_t)any_number();
    order.override = (unsigned)any_number();
    memset(order.corrects, next_random() % 2, sizeof(order.corrects));
    order.source = (enum tb_source)(int)any_number();
    order.proposal = (int)any_number();
    return order;
}

Test(lib_order, is_written_as_protobuf_c_writes_it) {
    static const uint8_t note[32] = {1};
    seed = 20250301;
    for (unsigned i = 0; i < 20000; i++) {
        struct tb_order order = any_order((enum tb_kind)kinds[i % N_ELEMENTS(kinds)]);
        _cleanup_bytes_ struct bytes record = {}, again = {};
        const uint8_t *beside = next_random() % 2 ? note : NULL;
        cr_assert(order_encode(&order, order.id, TB_ROLE_VENUE, beside, &record) == 0);
        Timebank__Order *message = timebank__order__unpack(NULL, record.n - 1, record.data + 1);
        cr_assert(message, "kind %d", order.kind);
        cr_assert(message->base.n_unknown_fields == 0 &&
                  message->kind_case == (Timebank__Order__KindCase)order.kind);
        record_order_encode(message, &again);
        cr_assert(record.n == again.n && memcmp(record.data, again.data, again.n) == 0,
                  "order %u, kind %d: %zu bytes, protobuf-c %zu", i, order.kind, record.n, again.n);
        cr_assert(message->minutes == order.minutes && message->service_day == order.service_day &&
                  message->note.len == (beside ? 32 : 0) &&
                  strcmp(message->sheet, order.sheet ? order.sheet : "") == 0);
        timebank__order__free_unpacked(message, NULL);
    }
}

Test(lib_order, lists_may_be_left_out_but_must_fit_each_other) {
    struct arena arena;
    struct tb_order order = order_full(TB_SESSION), back;
    _cleanup_bytes_ struct bytes record = {};
    Timebank__Order *message = NULL;
    arena_init(&arena, 1 << 20);
    order.giver_persons = NULL;
    order.n_receivers = 0;
    order_there_and_back(&order, &arena, &back);
    cr_assert(back.n_givers == 2 && !back.giver_persons && back.n_receivers == 0);
    cr_assert(!back.receivers && !back.receiver_minutes);
    order.giver_minutes = NULL;
    cr_assert(order_encode(&order, order.id, TB_ROLE_BROKER, NULL, &record) == 0);
    cr_assert(record_order_decode(record.data + 1, record.n - 1, &arena, &message) == 0);
    cr_assert(order_decode(message, &arena, &back) == -EBADMSG, "two givers, and no minutes");
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
    static const struct {
        enum tb_kind kind;
        const char *from, *to;
    } rows[] = {
        {TB_GRANT, "issued", ""},
        {TB_MINT_VOUCHERS, "", "vouchers"},
        {TB_REDEEM_VOUCHER, "vouchers", ""},
        {TB_ADVANCE, "advances", ""},
        {TB_PLEDGE, "advances", ""},
        {TB_EXPIRE, "", "expired"},
        {TB_RETIRE, "", "retired"},
        {TB_SETTLE, "", ""},
        {TB_CONFIRM, "", ""},
    };
    for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
        order.kind = rows[i].kind;
        order_there_and_back(&order, &arena, &back);
        cr_assert(strcmp(back.from, rows[i].from) == 0 && strcmp(back.to, rows[i].to) == 0,
                  "%s: %s to %s", tb_kind_name(order.kind), back.from, back.to);
        cr_assert(back.authority == TB_BY_BROKER, "%s", tb_kind_name(order.kind));
    }
    for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
        order.kind = kinds[i];
        order_there_and_back(&order, &arena, &back);
        cr_assert((back.authority == TB_BY_ROLE) == (kinds[i] >= TB_OPEN_ACCOUNT),
                  "the register's kinds have none");
    }
    arena_fini(&arena);
}

Test(lib_order, refuses_what_is_no_kind_and_no_struct) {
    _cleanup_bytes_ struct bytes record = {};
    struct tb_order order = TB_ORDER_INIT, copy;
    cr_assert(order_encode(&order, order.id, TB_ROLE_BROKER, NULL, &record) == -EINVAL);
    order.kind = (enum tb_kind)87;
    cr_assert(order_encode(&order, order.id, TB_ROLE_BROKER, NULL, &record) == -EINVAL);
    order.kind = (enum tb_kind)2;
    cr_assert(order_encode(&order, order.id, TB_ROLE_BROKER, NULL, &record) == -EINVAL);
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
    for (int kind = 1; kind <= TB_ACCOUNT_BANK; kind++)
        cr_assert(tb_account_kind_from_name(tb_account_kind_name(kind)) == kind);
    for (int role = 1; role <= TB_ROLE_AUDITOR; role++)
        cr_assert(tb_role_from_name(tb_role_name(role)) == role);
    for (int ages = 1; ages <= TB_AGES_WITH_AN_ADULT; ages++)
        cr_assert(tb_ages_from_name(tb_ages_name(ages)) == ages);
    for (int mandate = 1; mandate <= TB_MANDATE_FOR_BROKER; mandate++)
        cr_assert(tb_mandate_from_name(tb_mandate_name(mandate)) == mandate);
    for (int event = 1; event <= TB_EVENT_LEAVE_DUE; event++)
        cr_assert(strcmp(tb_event_name(event), "unknown") != 0);
    cr_assert(strcmp(tb_account_kind_name(99), "unknown") == 0);
    cr_assert(strcmp(tb_role_name(-1), "unknown") == 0);
    cr_assert(tb_role_from_name("king") == 0 && tb_role_from_name(NULL) == 0);
    cr_assert(strcmp(tb_kind_name(TB_OPEN_ACCOUNT), "open-account") == 0);
    cr_assert(strcmp(tb_refusal_name(TB_NOT_VERIFIED), "NOT_VERIFIED") == 0);
}
