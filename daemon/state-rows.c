/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stored form of the state's rows: one list of fields per table, walked to pack and to unpack.
 * Integers are big-endian, texts padded with NULs. Sums by day, of which most are 0, say first
 * which are not. Changing a list changes the layout: raise RUNS_LAYOUT (runs.h), and the tables are
 * built anew from the log at the next start.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "state.h"

struct field {
    uint16_t offset;
    uint16_t bytes;
    uint8_t integer_bytes; /* of each of a list; 0: bytes as they are */
};

#define INTEGER(type, member)                                                                      \
    {                                                                                              \
        offsetof(struct type, member), sizeof(((struct type *)0)->member),                         \
            sizeof(((struct type *)0)->member)                                                     \
    }
#define INTEGERS(type, member)                                                                     \
    {                                                                                              \
        offsetof(struct type, member), sizeof(((struct type *)0)->member),                         \
            sizeof(((struct type *)0)->member[0])                                                  \
    }
#define BYTES(type, member)                                                                        \
    { offsetof(struct type, member), sizeof(((struct type *)0)->member), 0 }
#define N_FIELDS_MAX 24

static const struct {
    const char *name;
    uint16_t value_bytes;
    bool is_on_disk;
} tables[STATE_N_TABLES] = {
#define X(ENUM, table_name, type, on_disk)                                                         \
    [STATE_##                                                                                      \
        ENUM] = {.name = #table_name, .value_bytes = sizeof(struct type), .is_on_disk = on_disk},
    STATE_TABLES(X)
#undef X
};

#define X(ENUM, name, type, on_disk)                                                               \
    static_assert(sizeof(struct type) <= STATE_VALUE_MAX, "a row read fits where one is read to");
STATE_TABLES(X)
#undef X

static const struct field fields[STATE_N_TABLES][N_FIELDS_MAX] = {
    [STATE_ACCOUNTS] = {INTEGER(state_account, number),
                        INTEGER(state_account, kind),
                        INTEGER(state_account, standing),
                        INTEGER(state_account, floor),
                        INTEGER(state_account, ceiling),
                        INTEGER(state_account, balance),
                        INTEGER(state_account, held),
                        INTEGER(state_account, n_entries),
                        INTEGER(state_account, last_entry),
                        BYTES(state_account, running),
                        INTEGER(state_account, opened),
                        INTEGER(state_account, joined_day),
                        INTEGER(state_account, last_day),
                        INTEGER(state_account, last_line),
                        INTEGER(state_account, soft_floor),
                        INTEGER(state_account, soft_ceiling),
                        INTEGER(state_account, owed_minutes),
                        INTEGER(state_account, merged_into),
                        INTEGER(state_account, leaving_day),
                        INTEGER(state_account, n_persons),
                        INTEGER(state_account, is_erased),
                        INTEGER(state_account, n_spans),
                        BYTES(state_account, code)},
    [STATE_KEYS] = {INTEGER(state_key, role), INTEGER(state_key, report_class),
                    INTEGER(state_key, granted), INTEGER(state_key, revoked),
                    BYTES(state_key, account)},
    [STATE_POLICIES] = {BYTES(state_policy, value)},
    [STATE_ACTIVITIES] = {BYTES(state_activity, set_by), BYTES(state_activity, tags)},
    [STATE_OFFERS] = {INTEGER(state_offer, price_minutes), BYTES(state_offer, set_by),
                      INTEGER(state_offer, weekdays), INTEGER(state_offer, from_minute),
                      INTEGER(state_offer, to_minute), INTEGER(state_offer, from_day),
                      INTEGER(state_offer, to_day), INTEGER(state_offer, ages),
                      INTEGER(state_offer, party_max), INTEGER(state_offer, heads_a_day),
                      INTEGER(state_offer, times_a_month), INTEGER(state_offer, minutes_a_month),
                      INTEGER(state_offer, is_withdrawn)},
    [STATE_FUNDERS] = {BYTES(state_funder, set_by)},
    [STATE_IDS] = {INTEGER(state_id, entry)},
    [STATE_BATCHES] = {INTEGER(state_batch, seal)},
    [STATE_REVERSALS] = {INTEGER(state_reversal, minutes)},
    [STATE_DAYS] = {INTEGERS(state_day, minutes)},
    [STATE_DAYS_EXACT] = {INTEGER(state_day_exact, minutes)},
    [STATE_RECENTS_FEW] = {INTEGER(state_recent_few, n), INTEGERS(state_recent_few, print),
                           BYTES(state_recent_few, entry)},
    [STATE_RECENTS] = {INTEGER(state_recent, n), INTEGERS(state_recent, print),
                       BYTES(state_recent, entry)},
    [STATE_PENDINGS] = {INTEGER(state_pending, what), INTEGER(state_pending, is_over),
                        INTEGER(state_pending, outcome), BYTES(state_pending, id),
                        INTEGER(state_pending, due_ms), INTEGER(state_pending, minutes),
                        INTEGER(state_pending, taken), INTEGER(state_pending, entry),
                        INTEGER(state_pending, ended), INTEGER(state_pending, ended_day),
                        INTEGER(state_pending, counted_day), BYTES(state_pending, author),
                        BYTES(state_pending, from), BYTES(state_pending, to)},
    [STATE_MARKS] = {INTEGER(state_mark, confirmed), INTEGER(state_mark, dispute),
                     INTEGER(state_mark, settled)},
    [STATE_VOUCHERS] = {INTEGER(state_voucher, standing), INTEGER(state_voucher, mint),
                        INTEGER(state_voucher, used), INTEGER(state_voucher, minutes),
                        INTEGER(state_voucher, from_day), INTEGER(state_voucher, expires_day),
                        INTEGER(state_voucher, venue)},
    [STATE_TRANSFERS] = {INTEGER(state_transfer, entry)},
    [STATE_PERSONS] = {INTEGER(state_person, is_minor), INTEGER(state_person, is_gone),
                       INTEGER(state_person, is_erased), INTEGER(state_person, set_by)},
    [STATE_MANDATES] = {INTEGER(state_mandate, kind), INTEGER(state_mandate, from_day),
                        INTEGER(state_mandate, to_day), INTEGER(state_mandate, set_by)},
    [STATE_TRUSTS] = {INTEGER(state_trust, is_ended), INTEGER(state_trust, set_by)},
    [STATE_SAFEGUARDS] = {INTEGER(state_safeguard, is_lifted), INTEGER(state_safeguard, set_by)},
    [STATE_CHOICES] = {INTEGER(state_choice, leave), BYTES(state_choice, heir)},
    [STATE_SPANS] = {INTEGER(state_span, most)},
    [STATE_LIMITS] = {INTEGER(state_limit, set_by)},
    [STATE_PROGRAMMES] = {INTEGER(state_programme, set_by), BYTES(state_programme, funder)},
    [STATE_PERIODS] = {INTEGER(state_period, closed), INTEGER(state_period, is_last)},
    [STATE_VOUCHER_KEYS] = {INTEGER(state_voucher_key, set_by),
                            INTEGER(state_voucher_key, is_last)},
    [STATE_OFFER_SUMS] = {INTEGER(state_offer_sum, minutes), INTEGER(state_offer_sum, heads),
                          INTEGER(state_offer_sum, times)},
    [STATE_REPAYMENTS] = {INTEGER(state_repayment, minutes)},
    [STATE_LEDGER_KEYS] = {BYTES(state_ledger_key, key), BYTES(state_ledger_key, by_old),
                           BYTES(state_ledger_key, ledger_id),
                           INTEGER(state_ledger_key, old_until_ms),
                           INTEGER(state_ledger_key, is_genesis)},
    [STATE_RELEASES] = {INTEGER(state_release, report_class), INTEGER(state_release, as_recorded),
                        INTEGER(state_release, from_day), INTEGER(state_release, to_day),
                        INTEGER(state_release, known_day), INTEGER(state_release, day),
                        INTEGER(state_release, size), BYTES(state_release, root),
                        BYTES(state_release, checksum), BYTES(state_release, register_checksum),
                        BYTES(state_release, author)},
};

static size_t pack_integer(uint8_t *to, const uint8_t *from, size_t n) {
    uint64_t number;

    if (n == sizeof(number)) { /* most are */
        memcpy(&number, from, sizeof(number));
        number = __builtin_bswap64(number);
        memcpy(to, &number, sizeof(number));
        return n;
    }
    for (size_t i = 0; i < n; i++)
        to[i] = from[n - 1 - i]; /* little-endian in memory: asserted below */
    return n;
}

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "pack_integer turns bytes around");

/* Walks the fields; `pack` says which way the bytes go. The same walk serves both ways, because
 * turning an integer's bytes around is its own inverse. */
static size_t walk(enum state_table table, uint8_t *value, uint8_t *stored, bool pack) {
    size_t at = 0;

    for (const struct field *f = fields[table]; f->bytes > 0; f++) {
        size_t step = f->integer_bytes ? f->integer_bytes : f->bytes;
        for (size_t i = 0; i < f->bytes; i += step) {
            uint8_t *in_value = value + f->offset + i, *in_stored = stored + at + i;
            uint8_t *to = pack ? in_stored : in_value, *from = pack ? in_value : in_stored;
            if (f->integer_bytes)
                pack_integer(to, from, step);
            else
                memcpy(to, from, step);
        }
        at += f->bytes;
    }
    assert(at <= STATE_ROW_MAX);
    return at;
}

#define DAY_MASK_BYTES 2u
static_assert(STATE_DAY_ACCOUNTS == 8 * DAY_MASK_BYTES, "a bit for each account that shares a row");

static size_t put_u16(uint8_t *to, unsigned number) {
    to[0] = (uint8_t)(number >> 8);
    to[1] = (uint8_t)number;
    return 2;
}

static unsigned get_u16(const uint8_t *from) {
    return (unsigned)from[0] << 8 | from[1];
}

/* Bit i: the sum of account i is not 0, and follows. */
static size_t pack_day(const struct state_day *day, uint8_t *ret) {
    size_t n = DAY_MASK_BYTES;
    unsigned mask = 0;

    for (unsigned i = 0; i < STATE_DAY_ACCOUNTS; i++)
        if (day->minutes[i] != 0) {
            mask |= 1u << i;
            n += put_u16(ret + n, day->minutes[i]);
        }
    put_u16(ret, mask);
    return n;
}

static int unpack_day(const uint8_t *bytes, size_t n, struct state_day *ret) {
    unsigned mask = n < DAY_MASK_BYTES ? 0 : get_u16(bytes);
    size_t at = DAY_MASK_BYTES;

    if (n != at + sizeof(ret->minutes[0]) * (unsigned)__builtin_popcount(mask))
        return -EUCLEAN;
    memset(ret, 0, sizeof(*ret));
    for (unsigned i = 0; i < STATE_DAY_ACCOUNTS; i++)
        if (mask & 1u << i) {
            ret->minutes[i] = (uint16_t)get_u16(bytes + at);
            at += sizeof(ret->minutes[i]);
            if (ret->minutes[i] == 0)
                return -EUCLEAN;
        }
    return 0;
}

size_t state_row_bytes(enum state_table table) {
    size_t n = table == STATE_DAYS ? DAY_MASK_BYTES : 0;

    for (const struct field *f = fields[table]; f->bytes > 0; f++)
        n += f->bytes;
    return n;
}

size_t state_row_pack(enum state_table table, const void *value, uint8_t *ret) {
    return table == STATE_DAYS ? pack_day(value, ret)
                               : walk(table, (uint8_t *)(uintptr_t)value, ret, true);
}

int state_row_unpack(enum state_table table, const uint8_t *bytes, size_t n, void *ret_value) {
    if (table == STATE_DAYS)
        return unpack_day(bytes, n, ret_value);
    if (n != state_row_bytes(table))
        return -EUCLEAN;
    memset(ret_value, 0, tables[table].value_bytes);
    walk(table, ret_value, (uint8_t *)(uintptr_t)bytes, false);
    return 0;
}

const char *state_table_name(enum state_table table) {
    return tables[table].name;
}

size_t state_value_bytes(enum state_table table) {
    return tables[table].value_bytes;
}

bool state_is_on_disk(enum state_table table) {
    return tables[table].is_on_disk;
}
