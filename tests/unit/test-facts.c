/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts at rest: columns in few bytes, what a file of them gives back, and that no turned bit
 * of it is believed.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "daemon/facts-file.h"
#include "daemon/facts-private.h"
#include "proto/record.h"

TestSuite(pack, .timeout = 20);
TestSuite(facts_file, .timeout = 60);

/* ---- columns */

struct row {
    uint64_t index;
    uint64_t entry;
    int64_t minutes;
    uint32_t person;
    uint16_t kind;
    uint8_t flags;
};

static const struct facts_column row_columns[] = {
    FACTS_COLUMN(struct row, index, FACTS_CLIMBING),
    FACTS_COLUMN(struct row, entry, FACTS_BEHIND),
    FACTS_COLUMN(struct row, minutes, FACTS_SIGNED),
    FACTS_COLUMN(struct row, person, FACTS_FROM_NONE),
    FACTS_COLUMN(struct row, kind, FACTS_PLAIN),
    FACTS_COLUMN(struct row, flags, FACTS_PLAIN),
};
#define N_COLUMNS (sizeof(row_columns) / sizeof(*row_columns))

static uint64_t seed;

static uint64_t any(void) {
    seed += 0x9e3779b97f4a7c15u;
    uint64_t x = seed;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static void row_fill(struct row *row, uint32_t i, unsigned width) {
    uint64_t mask = width == 64 ? UINT64_MAX : ((uint64_t)1 << width) - 1;
    memset(row, 0, sizeof(*row));
    row->index = 1000 + i + (any() & mask);
    row->entry = any() & mask;
    row->minutes = (int64_t)((any() & mask) - mask / 2);
    row->person = any() % 4 == 0 ? INTERN_NONE : (uint32_t)(any() & mask);
    row->kind = (uint16_t)(any() & mask);
    row->flags = (uint8_t)(any() & mask);
}

Test(pack, gives_back_rows_of_every_width) {
    static struct row rows[300], back[300];
    for (unsigned width = 0; width <= 64; width++)
        for (uint32_t n = 0; n <= 300; n += 100) {
            _cleanup_bytes_ struct bytes packed = {0};
            for (uint32_t i = 0; i < n; i++)
                row_fill(&rows[i], i, width);
            facts_pack(row_columns, N_COLUMNS, rows, n, &packed);
            cr_assert_eq(packed.r, 0);
            memset(back, 0, sizeof(back));
            cr_assert_eq(facts_unpack(row_columns, N_COLUMNS, packed.data, packed.n, back), 0);
            cr_assert_eq(memcmp(rows, back, n * sizeof(*rows)), 0, "width %u, %u rows", width, n);
        }
}

Test(pack, keeps_what_all_rows_share_once) {
    static struct row rows[300];
    _cleanup_bytes_ struct bytes packed = {0};
    for (uint32_t i = 0; i < 300; i++)
        rows[i] = (struct row){.index = 7 + i, .entry = 7 + i, .minutes = -60, .person = 3};
    facts_pack(row_columns, N_COLUMNS, rows, 300, &packed);
    cr_assert_leq(packed.n, 4 + 9 * N_COLUMNS);
}

Test(pack, refuses_bytes_that_are_cut_or_too_long_or_of_another_form) {
    static struct row rows[50], back[50];
    _cleanup_bytes_ struct bytes packed = {0};
    uint32_t n;
    for (uint32_t i = 0; i < 50; i++)
        row_fill(&rows[i], i, 20);
    facts_pack(row_columns, N_COLUMNS, rows, 50, &packed);
    cr_expect_eq(facts_pack_rows(packed.data, packed.n, 49, &n), -EUCLEAN);
    for (size_t i = 0; i < packed.n; i++) {
        uint8_t *cut = malloc(i + 1);
        memcpy(cut, packed.data, i);
        cr_expect_eq(facts_unpack(row_columns, N_COLUMNS, cut, i, back), -EUCLEAN, "%zu", i);
        free(cut);
    }
    bytes_put_u8(&packed, 0);
    cr_expect_eq(facts_unpack(row_columns, N_COLUMNS, packed.data, packed.n, back), -EUCLEAN);
    packed.n--;
    packed.data[4] = 3; /* bytes a row */
    cr_expect_eq(facts_unpack(row_columns, N_COLUMNS, packed.data, packed.n, back), -EUCLEAN);
}

/* ---- a log in memory */

#define MEMBERS 400
#define MS_A_DAY 86400000u

static struct bytes log_records;
static struct {
    size_t at;
    size_t n;
    struct fact_leg legs[2];
    size_t n_legs;
} log_index[150000];
static uint64_t n_log;
static uint8_t last_id[16];
static unsigned unusual_in; /* one order of so many, or 0 */

static int log_read(void *user, uint64_t index, struct bytes *to) {
    (void)user;
    if (index >= n_log)
        return 0;
    bytes_put(to, log_records.data + log_index[index].at, log_index[index].n);
    return 1;
}

static void log_add(const struct bytes *record, const struct fact_leg *legs, size_t n_legs) {
    cr_assert(record->r == 0);
    log_index[n_log].at = log_records.n;
    log_index[n_log].n = record->n;
    log_index[n_log].n_legs = n_legs;
    for (size_t i = 0; i < n_legs; i++)
        log_index[n_log].legs[i] = legs[i];
    bytes_put(&log_records, record->data, record->n);
    n_log++;
}

static void log_seal(uint32_t day) {
    _cleanup_bytes_ struct bytes record = {0};
    struct record_seal seal = {.received_at_ms = (uint64_t)day * MS_A_DAY, .header[3] = 1};
    record_seal_pack(&seal, bytes_reserve(&record, RECORD_SEAL_BYTES));
    log_add(&record, NULL, 0);
}

static void log_order(Timebank__Order *order, const struct fact_leg *legs, size_t n_legs) {
    _cleanup_bytes_ struct bytes record = {0};
    uint8_t id[16] = {3};
    memcpy(id + 8, &n_log, sizeof(n_log));
    memcpy(last_id, id, sizeof(id));
    order->id = (ProtobufCBinaryData){16, id};
    record_order_encode(order, &record);
    log_add(&record, legs, n_legs);
}

static void log_genesis(uint32_t day) {
    _cleanup_bytes_ struct bytes record = {0};
    uint8_t key[32] = {9};
    Timebank__Genesis genesis = TIMEBANK__GENESIS__INIT;
    genesis.format = 1;
    genesis.origin = "bank.example/facts";
    genesis.ledger_key = (ProtobufCBinaryData){32, key};
    genesis.created_ms = (uint64_t)day * MS_A_DAY;
    record_genesis_encode(&genesis, &record);
    log_add(&record, NULL, 0);
}

static char *code_of(unsigned member) {
    static char codes[2][8];
    static unsigned turn;
    turn = !turn;
    snprintf(codes[turn], sizeof(codes[turn]), "m%04u", member % 10000u);
    return codes[turn];
}

static void log_members(uint32_t day) {
    log_seal(day);
    for (unsigned i = 0; i < MEMBERS; i++) {
        Timebank__Order order = TIMEBANK__ORDER__INIT;
        Timebank__OpenAccount open = TIMEBANK__OPEN_ACCOUNT__INIT;
        open.kind = unusual_in > 0 && i % 50 == 7 ? TIMEBANK__ACCOUNT_KIND__VENUE
                                                  : TIMEBANK__ACCOUNT_KIND__MEMBER;
        order.to = code_of(i);
        order.kind_case = TIMEBANK__ORDER__KIND_OPEN_ACCOUNT;
        order.open_account = &open;
        log_order(&order, NULL, 0);
    }
}

/* Most exchanges are of the form that has a short way; this makes it another. */
static void make_unusual(Timebank__Order *order, struct fact_leg legs[2]) {
    static Timebank__Earn earn = TIMEBANK__EARN__INIT;
    static Timebank__Gift gift = TIMEBANK__GIFT__INIT;
    static uint8_t note[32] = {8};
    switch (any() % 14) {
    case 0:
        order->kind_case = TIMEBANK__ORDER__KIND_EARN;
        order->earn = &earn;
        break;
    case 1:
        order->kind_case = TIMEBANK__ORDER__KIND_GIFT;
        order->gift = &gift;
        break;
    case 2:
        order->service_day = 0;
        break;
    case 3:
        order->authority = TIMEBANK__AUTHORITY__BY_SHEET;
        break;
    case 4:
        order->activity = any() % 2 ? "" : "knitting";
        break;
    case 5:
        order->to_person = "2";
        break;
    case 6:
        order->typed_minutes = order->minutes + 5;
        break;
    case 7:
        order->override = 4;
        break;
    case 8:
        order->claimed_day = order->service_day + 1;
        break;
    case 9:
        legs[1].held_after = 30;
        break;
    case 10: {
        struct fact_leg leg = legs[0];
        legs[0] = legs[1];
        legs[1] = leg;
        break;
    }
    case 11:
        legs[1].minutes += 15;
        legs[0].minutes -= 15;
        break;
    case 12:
        order->note = (ProtobufCBinaryData){sizeof(note), note};
        break;
    default:
        order->sheet = "march";
        order->line = 7;
        break;
    }
}

static void log_exchange(uint32_t day, bool proposal) {
    static char *const activities[] = {"gardening", "lifts", "repairs", "reading"};
    unsigned from = (unsigned)(any() % MEMBERS), to = (from + 1 + any() % (MEMBERS - 1)) % MEMBERS;
    int64_t minutes = 15 * (1 + (int64_t)(any() % 16));
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    Timebank__Exchange exchange = TIMEBANK__EXCHANGE__INIT;
    struct fact_leg legs[2] = {
        {.account = RECORD_BANK_ACCOUNTS + from, .minutes = -minutes},
        {.account = RECORD_BANK_ACCOUNTS + to, .minutes = minutes},
    };
    order.from = code_of(from);
    order.to = code_of(to);
    order.minutes = (uint64_t)minutes;
    order.service_day = day - (uint32_t)(any() % 40);
    order.activity = activities[any() % 4];
    order.proposal = proposal;
    order.kind_case = TIMEBANK__ORDER__KIND_EXCHANGE;
    order.exchange = &exchange;
    if (unusual_in > 0 && any() % unusual_in == 0)
        make_unusual(&order, legs);
    log_order(&order, legs, proposal ? 0 : 2);
}

static void log_reversal(const uint8_t target[16]) {
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    Timebank__Reverse reverse = TIMEBANK__REVERSE__INIT;
    uint8_t id[16]; /* last_id is about to become its own */
    memcpy(id, target, sizeof(id));
    reverse.target = (ProtobufCBinaryData){16, id};
    order.kind_case = TIMEBANK__ORDER__KIND_REVERSE;
    order.reverse = &reverse;
    log_order(&order, NULL, 0);
}

/* Exchanges in batches of some; now and then one that waits for ever, and one that is taken back:
 * the last, or one of long before. */
static void log_make(uint32_t n_exchanges, uint32_t a_batch) {
    uint8_t first_id[16] = {0};
    uint32_t day = 19000;
    n_log = 0;
    bytes_clear(&log_records);
    seed = 1;
    log_genesis(day);
    log_members(day);
    for (uint32_t i = 0; i < n_exchanges; i++) {
        if (i % a_batch == 0)
            log_seal(day + i / 100);
        log_exchange(day + i / 100, i % 997 == 5);
        if (i == 0)
            memcpy(first_id, last_id, sizeof(first_id));
        if (i % 1009 == 100)
            log_reversal(last_id);
        if (i == n_exchanges / 2)
            log_reversal(first_id);
    }
}

static void catch_up(struct facts *facts, uint64_t size) {
    facts_set_source(facts, &(struct facts_source){.record = log_read});
    for (uint64_t i = facts->n_records; i < size; i++) {
        int r = facts_add(facts, i, log_records.data + log_index[i].at, log_index[i].n,
                          log_index[i].legs, log_index[i].n_legs);
        cr_assert_eq(r, 0, "record %llu: %d", (unsigned long long)i, r);
    }
}

/* ---- the file */

static char directory[64];
static const struct hash root = {{7}};

static void directory_make(void) {
    strcpy(directory, "/tmp/test-facts-XXXXXX");
    cr_assert(mkdtemp(directory));
}

static char *path_of(const char *name) {
    static char path[96];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static void directory_end(void) {
    unlink(path_of("head"));
    unlink(path_of("blocks"));
    rmdir(directory);
}

static void open_file(struct facts_file **ret) {
    cr_assert_eq(facts_file_open(ret, directory, 3, 0), 0);
}

static unsigned n_differences;

static void count_difference(void *user, const char *what, uint64_t number) {
    (void)user, (void)what, (void)number;
    n_differences++;
}

Test(facts_file, goes_on_from_what_it_kept_as_if_it_had_never_stopped, .init = directory_make,
     .fini = directory_end) {
    struct facts *through, *facts;
    struct facts_file *file;
    struct hash is;
    log_make(70000, 10);
    cr_assert(facts_new(&through) == 0);
    catch_up(through, n_log);
    cr_assert(facts_new(&facts) == 0);
    memcpy(facts->ids.key, through->ids.key, sizeof(facts->ids.key));
    for (unsigned i = 1; i <= 6; i++) {
        open_file(&file);
        if (i > 1) {
            cr_assert_eq(facts_file_load(file, &facts, &is), 0);
            cr_assert(hash_equal(&is, &root));
        }
        catch_up(facts, n_log * i / 6);
        cr_assert_eq(facts_file_save(file, facts, &root), 0);
        catch_up(facts, MIN_OF(n_log * i / 6 + 3000, n_log)); /* lost: not saved */
        facts_free(facts);
        facts_file_close(file);
    }
    open_file(&file);
    cr_assert_eq(facts_file_load(file, &facts, &is), 0);
    n_differences = 0;
    cr_assert_eq(facts_file_compare(facts, through, count_difference, NULL), 0);
    cr_expect_eq(n_differences, 0);
    facts_free(facts);
    facts_free(through);
    facts_file_close(file);
}

Test(facts_file, says_the_same_by_the_short_way_and_the_long_one) {
    struct facts *by_short, *by_long;
    unusual_in = 5;
    log_make(30000, 10);
    unusual_in = 0;
    cr_assert(facts_new(&by_short) == 0 && facts_new(&by_long) == 0);
    memcpy(by_long->ids.key, by_short->ids.key, sizeof(by_long->ids.key));
    by_long->by_the_long_way = true;
    catch_up(by_short, n_log);
    catch_up(by_long, n_log);
    n_differences = 0;
    cr_assert_eq(facts_file_compare(by_short, by_long, count_difference, NULL), 0);
    cr_expect_eq(n_differences, 0);
    facts_free(by_short);
    facts_free(by_long);
}

Test(facts_file, takes_few_bytes_a_line, .init = directory_make, .fini = directory_end) {
    struct facts *facts;
    struct facts_file *file;
    uint64_t n_lines, memory;
    log_make(120000, 1000);
    cr_assert(facts_new(&facts) == 0);
    catch_up(facts, n_log);
    facts_measure(facts, &n_lines, &memory);
    open_file(&file);
    cr_assert_eq(facts_file_save(file, facts, &root), 0);
    printf("# %.1f bytes a line on disk, %.1f in memory\n",
           (double)facts_file_bytes(file) / (double)n_lines, (double)memory / (double)n_lines);
    cr_expect_leq(facts_file_bytes(file), 24 * n_lines + 600000); /* ids of the open run */
    facts_free(facts);
    facts_file_close(file);
}

/* Everything that a report reads. */
static int read_all(const struct facts *facts) {
    static struct fact_lines lines;
    static struct fact_leg_lines legs;
    static struct fact_flow_lines flows;
    int r = 0;
    for (size_t i = 0; r == 0 && i < facts_n_blocks(facts); i++)
        r = facts_read_block(facts, i, &lines);
    for (size_t i = 0; r == 0 && i < facts_n_leg_blocks(facts); i++)
        r = facts_read_legs(facts, i, &legs);
    for (size_t i = 0; r == 0 && i < facts_n_flow_blocks(facts); i++)
        r = facts_read_flows(facts, i, &flows);
    return r;
}

static void turn_bit(const char *name, size_t bit) {
    struct bytes data = {0};
    cr_assert_eq(file_read(path_of(name), 1 << 30, &data), 0);
    data.data[bit / 8 % data.n] ^= (uint8_t)(1 << bit % 8);
    cr_assert_eq(file_replace(path_of(name), 0600, data.data, data.n), 0);
    bytes_fini(&data);
}

Test(facts_file, believes_no_turned_bit, .init = directory_make, .fini = directory_end) {
    struct facts *facts;
    struct facts_file *file;
    struct hash is;
    log_make(9000, 10);
    cr_assert(facts_new(&facts) == 0);
    catch_up(facts, n_log);
    open_file(&file);
    cr_assert_eq(facts_file_save(file, facts, &root), 0);
    facts_free(facts);
    facts_file_close(file);
    unsigned n_noticed = 0;
    for (unsigned i = 0; i < 120; i++) {
        const char *name = i % 2 ? "head" : "blocks";
        size_t bit = (size_t)any() >> 8;
        turn_bit(name, bit);
        open_file(&file);
        int r = facts_file_load(file, &facts, &is);
        if (r == 0) {
            r = read_all(facts);
            facts_free(facts);
        }
        cr_expect(r == 0 || r == -EUCLEAN, "%s, bit %zu: %d", name, bit, r);
        cr_expect(r == -EUCLEAN || i % 2 == 0, "%s, bit %zu is not noticed", name, bit);
        n_noticed += r == -EUCLEAN;
        facts_file_close(file);
        turn_bit(name, bit);
    }
    cr_expect_geq(n_noticed, 110); /* some are in tables of ids, which no reader reads whole */
}

Test(facts_file, is_not_taken_when_cut_or_of_another_layout_or_generation, .init = directory_make,
     .fini = directory_end) {
    struct facts *facts;
    struct facts_file *file;
    struct hash is;
    log_make(9000, 10);
    open_file(&file);
    cr_expect_eq(facts_file_load(file, &facts, &is), -ENOENT);
    cr_assert(facts_new(&facts) == 0);
    catch_up(facts, n_log);
    cr_assert_eq(facts_file_save(file, facts, &root), 0);
    facts_free(facts);
    facts_file_close(file);
    cr_assert_eq(facts_file_open(&file, directory, 4, 0), 0);
    cr_expect_eq(facts_file_load(file, &facts, &is), -EPROTO);
    facts_file_close(file);
    turn_bit("blocks", 100); /* of its generation */
    open_file(&file);
    cr_expect_eq(facts_file_load(file, &facts, &is), -EUCLEAN);
    turn_bit("blocks", 100);
    struct stat stat_of;
    cr_assert_eq(stat(path_of("blocks"), &stat_of), 0);
    cr_assert_eq(truncate(path_of("blocks"), stat_of.st_size - 1), 0);
    cr_expect_eq(facts_file_load(file, &facts, &is), -EUCLEAN);
    facts_file_discard(file);
    cr_expect_eq(facts_file_load(file, &facts, &is), -ENOENT);
    facts_file_close(file);
}
