/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table of sections. Most are an array of the facts, packed in columns; the rest have their own
 * way in and out.
 */
#include "facts-sections.h"

#include <errno.h>
#include <string.h>

#define ROWS_A_RECORD                                                                              \
    256u /* of any array, at most; what is kept says less than it could allocate */
#define ROWS_AT_LEAST 4096u

#define ENTERED(type, field)                                                                       \
    FACTS_COLUMN(type, field.index, FACTS_PLAIN),                                                  \
        FACTS_COLUMN(type, field.recorded_day, FACTS_PLAIN),                                       \
        FACTS_COLUMN(type, field.claimed_day, FACTS_PLAIN)
#define PLAIN(type, field) FACTS_COLUMN(type, field, FACTS_PLAIN)
#define NAMED(type, field) FACTS_COLUMN(type, field, FACTS_FROM_NONE)
#define SIGNED(type, field) FACTS_COLUMN(type, field, FACTS_SIGNED)

static const struct facts_column zone_columns[] = {
    PLAIN(struct fact_zone, n_lines),          PLAIN(struct fact_zone, first_index),
    PLAIN(struct fact_zone, last_index),       PLAIN(struct fact_zone, first_service_day),
    PLAIN(struct fact_zone, last_service_day), PLAIN(struct fact_zone, first_entered_day),
    PLAIN(struct fact_zone, last_entered_day), PLAIN(struct fact_zone, first_order),
    PLAIN(struct fact_zone, last_order),
};
static const struct facts_column reversal_columns[] = {
    ENTERED(struct fact_reversal, entered),     PLAIN(struct fact_reversal, minutes),
    PLAIN(struct fact_reversal, order_minutes), PLAIN(struct fact_reversal, order),
    PLAIN(struct fact_reversal, service_day),
};
static const struct facts_column wait_columns[] = {
    ENTERED(struct fact_wait, entered),
    ENTERED(struct fact_wait, ended),
    PLAIN(struct fact_wait, order),
    PLAIN(struct fact_wait, service_day),
};
static const struct facts_column merge_columns[] = {
    ENTERED(struct fact_merge, entered), ENTERED(struct fact_merge, ended),
    PLAIN(struct fact_merge, order),     PLAIN(struct fact_merge, from),
    PLAIN(struct fact_merge, to),
};
static const struct facts_column standing_columns[] = {
    ENTERED(struct fact_standing, entered),
    PLAIN(struct fact_standing, account),
    NAMED(struct fact_standing, person),
    PLAIN(struct fact_standing, is_gone),
};
static const struct facts_column tagging_columns[] = {
    PLAIN(struct fact_tagging, index),
    PLAIN(struct fact_tagging, activity),
    PLAIN(struct fact_tagging, n_bytes),
    PLAIN(struct fact_tagging, at),
};
static const struct facts_column latest_columns[] = {
    PLAIN(struct fact_latest, index),
    PLAIN(struct fact_latest, recorded_day),
    PLAIN(struct fact_latest, day),
};
static const struct facts_column day_columns[] = {
    PLAIN(struct fact_day, index),
    PLAIN(struct fact_day, day),
};
static const struct facts_column account_columns[] = {
    ENTERED(struct fact_account, opened),
    PLAIN(struct fact_account, kind),
    PLAIN(struct fact_account, joined_day),
    SIGNED(struct fact_account, held),
};
static const struct facts_column opened_columns[] = {
    {0, sizeof(uint32_t), sizeof(uint32_t), FACTS_PLAIN},
};
static const struct facts_column id_columns[] = {
    PLAIN(struct fact_id, hash),
    PLAIN(struct fact_id, place),
};

/* ---- arrays of the facts */

struct rows {
    const struct facts_column *columns;
    size_t n_columns;
    size_t row_bytes;
    size_t array; /* where the facts have the pointer, the number of rows and the room */
    size_t n;
    size_t n_allocated;
};
#define ROWS(columns, field)                                                                       \
    {                                                                                              \
        columns, N_ELEMENTS(columns), sizeof(*((struct facts *)0)->field),                         \
            offsetof(struct facts, field), offsetof(struct facts, n_##field),                      \
            offsetof(struct facts, n_##field##_allocated)                                          \
    }
#define ROWS_OF(columns, part, field)                                                              \
    {                                                                                              \
        columns, N_ELEMENTS(columns), sizeof(*((struct facts *)0)->part.field),                    \
            offsetof(struct facts, part.field), offsetof(struct facts, part.n_##field),            \
            offsetof(struct facts, part.n_##field##_allocated)                                     \
    }

static const struct rows all_rows[] = {
    ROWS_OF(zone_columns, lines, zones), ROWS_OF(zone_columns, legs, zones),
    ROWS_OF(zone_columns, flows, zones), ROWS(reversal_columns, reversals),
    ROWS(wait_columns, waits),           ROWS(merge_columns, merges),
    ROWS(standing_columns, standings),   ROWS(tagging_columns, taggings),
    ROWS(latest_columns, latest),        ROWS(day_columns, days),
    ROWS(account_columns, accounts),     ROWS(opened_columns, opened),
    ROWS_OF(id_columns, ids, open),
};

static void *field_of(const struct facts *facts, size_t offset) {
    return (char *)facts + offset;
}

static void rows_put(const struct rows *rows, const struct facts *facts, struct bytes *to) {
    void *array;
    size_t n;
    memcpy(&array, field_of(facts, rows->array), sizeof(array));
    memcpy(&n, field_of(facts, rows->n), sizeof(n));
    if (n > UINT32_MAX)
        to->r = -EOVERFLOW;
    else
        facts_pack(rows->columns, rows->n_columns, array, (uint32_t)n, to);
}

static uint32_t rows_max(const struct facts *facts) {
    return (uint32_t)MIN_OF(ROWS_AT_LEAST + ROWS_A_RECORD * facts->n_records, (uint64_t)UINT32_MAX);
}

static int rows_get(const struct rows *rows, struct facts *facts, const void *data, size_t n_data) {
    uint32_t n;
    int r = facts_pack_rows(data, n_data, rows_max(facts), &n);
    if (r < 0)
        return r;
    size_t n_rows = n;
    void *array = calloc(n_rows + 1, rows->row_bytes);
    if (!array)
        return -ENOMEM;
    r = facts_unpack(rows->columns, rows->n_columns, data, n_data, array);
    if (r < 0) {
        free(array);
        return r;
    }
    memcpy(field_of(facts, rows->array), &array, sizeof(array));
    memcpy(field_of(facts, rows->n), &n_rows, sizeof(n_rows));
    n_rows++;
    memcpy(field_of(facts, rows->n_allocated), &n_rows, sizeof(n_rows));
    return 0;
}

/* ---- names */

static const size_t all_names[] = {
    offsetof(struct facts, account_codes), offsetof(struct facts, persons),
    offsetof(struct facts, activities),    offsetof(struct facts, offers),
    offsetof(struct facts, funders),       offsetof(struct facts, programmes),
};

static void names_put(size_t names, const struct facts *facts, struct bytes *to) {
    const struct intern *intern = field_of(facts, names);
    bytes_put_u32(to, intern->n_keys);
    for (uint32_t i = 0; i < intern->n_keys; i++) {
        size_t n = intern->starts[i + 1] - intern->starts[i] - 1;
        bytes_put_u32(to, (uint32_t)n);
        bytes_put(to, intern->text + intern->starts[i], n);
    }
}

static int names_get(size_t names, struct facts *facts, const void *data, size_t n_data) {
    struct intern *intern = field_of(facts, names);
    struct cursor cursor = cursor_make(data, n_data);
    uint32_t n = cursor_u32(&cursor), number;
    for (uint32_t i = 0; i < n && cursor.r == 0; i++) {
        uint32_t n_key = cursor_u32(&cursor);
        const uint8_t *key = cursor_bytes(&cursor, n_key);
        int r = key ? intern_number(intern, key, n_key, &number) : -EUCLEAN;
        if (r < 0)
            return r;
        if (number != i)
            return -EUCLEAN;
    }
    return cursor_end(&cursor) < 0 ? -EUCLEAN : 0;
}

/* ---- the block of each series that is open */

static void open_put(unsigned series, const struct facts *facts, struct bytes *to) {
    const struct facts_series *from = facts_series_get((struct facts *)facts, series);
    const struct facts_shape *shape = &facts_shapes[series];
    if (from->n_blocks > 0)
        facts_pack(shape->columns, shape->n_columns, from->blocks[from->n_blocks - 1].rows,
                   from->zones[from->n_zones - 1].n_lines, to);
}

/* Zones are there already; full blocks are put into their places by whoever has them. */
static int open_get(unsigned series, struct facts *facts, const void *data, size_t n_data) {
    struct facts_series *to = facts_series_get(facts, series);
    uint32_t n;
    if (to->n_zones == 0)
        return n_data == 0 ? 0 : -EUCLEAN;
    int r = facts_pack_rows(data, n_data, FACTS_BLOCK_LINES, &n);
    if (r == 0 && n != to->zones[to->n_zones - 1].n_lines)
        r = -EUCLEAN;
    if (r < 0)
        return r;
    to->blocks = calloc(to->n_zones + 1, sizeof(*to->blocks));
    void *rows = to->blocks ? calloc(1, facts_shapes[series].row_bytes) : NULL;
    if (!rows)
        return -ENOMEM;
    to->n_blocks = to->n_zones;
    to->n_blocks_allocated = to->n_zones + 1;
    to->blocks[to->n_blocks - 1].rows = rows;
    return facts_block_fill(series, data, n_data, rows);
}

/* ---- what waits */

static const struct facts_column waiting_columns[] = {
    ENTERED(struct facts_waiting, order.entered),
    PLAIN(struct facts_waiting, order.entry),
    PLAIN(struct facts_waiting, order.minutes),
    SIGNED(struct facts_waiting, order.rounded_minutes),
    PLAIN(struct facts_waiting, order.n_facts),
    PLAIN(struct facts_waiting, order.service_day),
    NAMED(struct facts_waiting, order.wait),
    PLAIN(struct facts_waiting, order.kind),
    PLAIN(struct facts_waiting, order.insisted),
    PLAIN(struct facts_waiting, n_asides),
    PLAIN(struct facts_waiting, remains_minutes),
};
static const struct facts_column fact_columns[] = {
    PLAIN(struct fact, minutes),     NAMED(struct fact, from),      NAMED(struct fact, to),
    NAMED(struct fact, from_person), NAMED(struct fact, to_person), NAMED(struct fact, activity),
    NAMED(struct fact, label),       NAMED(struct fact, programme), PLAIN(struct fact, adults),
    PLAIN(struct fact, under16),     PLAIN(struct fact, kind),      PLAIN(struct fact, is_further),
};
static const struct facts_column aside_columns[] = {
    ENTERED(struct fact_aside, entered),   SIGNED(struct fact_aside, minutes[0]),
    SIGNED(struct fact_aside, minutes[1]), SIGNED(struct fact_aside, minutes[2]),
    SIGNED(struct fact_aside, minutes[3]), SIGNED(struct fact_aside, minutes[4]),
    SIGNED(struct fact_aside, minutes[5]), SIGNED(struct fact_aside, minutes[6]),
    SIGNED(struct fact_aside, minutes[7]), SIGNED(struct fact_aside, minutes[8]),
    PLAIN(struct fact_aside, order),       NAMED(struct fact_aside, account),
    PLAIN(struct fact_aside, service_day), PLAIN(struct fact_aside, kind),
};

static void waiting_put(const struct facts *facts, struct bytes *to) {
    size_t n = 0;
    struct facts_waiting *live = calloc(facts->n_waiting + 1, sizeof(*live));
    if (!live) {
        to->r = -ENOMEM;
        return;
    }
    for (size_t i = 0; i < facts->n_waiting; i++)
        if (!facts->waiting[i].is_over)
            live[n++] = facts->waiting[i];
    facts_pack(waiting_columns, N_ELEMENTS(waiting_columns), live, (uint32_t)n, to);
    free(live);
}

/* Lines, or asides, of all that waits, end to end. */
static void hanging_put(const struct facts *facts, bool asides, struct bytes *to) {
    _cleanup_bytes_ struct bytes rows = {0};
    size_t row_bytes = asides ? sizeof(struct fact_aside) : sizeof(struct fact);
    for (size_t i = 0; i < facts->n_waiting; i++) {
        const struct facts_waiting *waiting = &facts->waiting[i];
        if (!waiting->is_over)
            bytes_put(&rows, asides ? (void *)waiting->asides : (void *)waiting->lines,
                      (asides ? waiting->n_asides : waiting->order.n_facts) * row_bytes);
    }
    if (rows.r < 0)
        to->r = rows.r;
    else if (asides)
        facts_pack(aside_columns, N_ELEMENTS(aside_columns), rows.data,
                   (uint32_t)(rows.n / row_bytes), to);
    else
        facts_pack(fact_columns, N_ELEMENTS(fact_columns), rows.data,
                   (uint32_t)(rows.n / row_bytes), to);
}

static int waiting_get(struct facts *facts, const void *data, size_t n_data) {
    static const struct rows rows = {
        waiting_columns,
        N_ELEMENTS(waiting_columns),
        sizeof(struct facts_waiting),
        offsetof(struct facts, waiting),
        offsetof(struct facts, n_waiting),
        offsetof(struct facts, n_waiting_allocated),
    };
    return rows_get(&rows, facts, data, n_data);
}

static int lines_hang(struct facts *facts, const struct fact *lines, size_t n) {
    for (size_t i = 0; i < facts->n_waiting; i++) {
        struct facts_waiting *waiting = &facts->waiting[i];
        size_t n_own = waiting->order.n_facts;
        if (n_own > n)
            return -EUCLEAN;
        waiting->lines = calloc(n_own + 1, sizeof(*lines));
        if (!waiting->lines)
            return -ENOMEM;
        memcpy(waiting->lines, lines, n_own * sizeof(*lines));
        lines += n_own;
        n -= n_own;
    }
    return n == 0 ? 0 : -EUCLEAN;
}

static int asides_hang(struct facts *facts, const struct fact_aside *asides, size_t n) {
    for (size_t i = 0; i < facts->n_waiting; i++) {
        struct facts_waiting *waiting = &facts->waiting[i];
        size_t n_own = waiting->n_asides;
        waiting->n_asides = 0;
        if (n_own > n)
            return -EUCLEAN;
        waiting->asides = calloc(n_own + 1, sizeof(*asides));
        if (!waiting->asides)
            return -ENOMEM;
        memcpy(waiting->asides, asides, n_own * sizeof(*asides));
        waiting->n_asides = n_own;
        waiting->n_asides_allocated = n_own + 1;
        asides += n_own;
        n -= n_own;
    }
    return n == 0 ? 0 : -EUCLEAN;
}

static int hanging_get(struct facts *facts, bool asides, const void *data, size_t n_data) {
    uint32_t n;
    int r = facts_pack_rows(data, n_data, rows_max(facts), &n);
    _cleanup_(freep) void *rows =
        r == 0 ? calloc((size_t)n + 1, asides ? sizeof(struct fact_aside) : sizeof(struct fact))
               : NULL;
    if (!rows)
        return r < 0 ? r : -ENOMEM;
    r = asides ? facts_unpack(aside_columns, N_ELEMENTS(aside_columns), data, n_data, rows)
               : facts_unpack(fact_columns, N_ELEMENTS(fact_columns), data, n_data, rows);
    if (r < 0)
        return r;
    return asides ? asides_hang(facts, rows, n) : lines_hang(facts, rows, n);
}

/* ---- the rest */

static void position_put(const struct facts *facts, struct bytes *to) {
    bytes_put_u64(to, facts->n_records);
    bytes_put_u64(to, facts->total_minutes);
    bytes_put_u64(to, facts->ids.n_chunks);
}

/* Chunks are put into their places by whoever has them. */
static int position_get(struct facts *facts, const void *data, size_t n_data) {
    struct cursor cursor = cursor_make(data, n_data);
    facts->n_records = cursor_u64(&cursor);
    facts->total_minutes = cursor_u64(&cursor);
    uint64_t n_chunks = cursor_u64(&cursor);
    if (cursor_end(&cursor) < 0 || facts->n_records >= INTERN_NONE ||
        n_chunks > facts->n_records / FACTS_IDS_RECORDS)
        return -EUCLEAN;
    facts->ids.chunks = calloc(n_chunks + 1, sizeof(*facts->ids.chunks));
    if (!facts->ids.chunks)
        return -ENOMEM;
    facts->ids.n_chunks = n_chunks;
    facts->ids.n_chunks_allocated = n_chunks + 1;
    return 0;
}

static int tags_get(struct facts *facts, const void *data, size_t n_data) {
    bytes_put(&facts->tags, data, n_data);
    return facts->tags.r;
}

/* ---- the table: position, names, arrays, tags, open blocks, what waits */

#define FIRST_NAMES 1
#define FIRST_ROWS (FIRST_NAMES + N_ELEMENTS(all_names))
#define TAGS (FIRST_ROWS + N_ELEMENTS(all_rows))
#define FIRST_OPEN (TAGS + 1)
#define WAITING (FIRST_OPEN + FACTS_N_SERIES)
#define WAITING_LINES (WAITING + 1)
#define WAITING_ASIDES (WAITING + 2)

static const char *const section_names[] = {
    "position",
    "accounts' codes",
    "persons",
    "activities",
    "offers",
    "funders",
    "programmes",
    "zones of lines",
    "zones of legs",
    "zones of flows",
    "reversals",
    "waits",
    "merges",
    "standings",
    "tags of activities",
    "latest dates of entry",
    "days",
    "accounts",
    "accounts in order",
    "open ids",
    "tags",
    "open lines",
    "open legs",
    "open flows",
    "waiting orders",
    "waiting lines",
    "waiting legs",
};
static_assert(N_ELEMENTS(section_names) == WAITING_ASIDES + 1 &&
                  N_ELEMENTS(section_names) == FACTS_N_SECTIONS,
              "a name for each");

const char *facts_section_name(unsigned section) {
    return section_names[section];
}

void facts_section_put(const struct facts *facts, unsigned section, struct bytes *to) {
    if (section == 0)
        position_put(facts, to);
    else if (section < FIRST_ROWS)
        names_put(all_names[section - FIRST_NAMES], facts, to);
    else if (section < TAGS)
        rows_put(&all_rows[section - FIRST_ROWS], facts, to);
    else if (section == TAGS)
        bytes_put(to, facts->tags.data, facts->tags.n);
    else if (section < WAITING)
        open_put((unsigned)(section - FIRST_OPEN), facts, to);
    else if (section == WAITING)
        waiting_put(facts, to);
    else
        hanging_put(facts, section == WAITING_ASIDES, to);
}

int facts_section_get(struct facts *facts, unsigned section, const void *data, size_t n) {
    if (section == 0)
        return position_get(facts, data, n);
    if (section < FIRST_ROWS)
        return names_get(all_names[section - FIRST_NAMES], facts, data, n);
    if (section < TAGS)
        return rows_get(&all_rows[section - FIRST_ROWS], facts, data, n);
    if (section == TAGS)
        return tags_get(facts, data, n);
    if (section < WAITING)
        return open_get((unsigned)(section - FIRST_OPEN), facts, data, n);
    if (section == WAITING)
        return waiting_get(facts, data, n);
    return hanging_get(facts, section == WAITING_ASIDES, data, n);
}

static int put_ids_again(struct facts *facts) {
    struct fact_id *rows = TAKE(facts->ids.open);
    size_t n = facts->ids.n_open;
    int r = 0;
    facts->ids.n_open = facts->ids.n_open_allocated = 0;
    for (size_t i = 0; r == 0 && i < n; i++)
        r = facts_ids_put(&facts->ids, &rows[i]);
    free(rows);
    return r;
}

int facts_sections_join(struct facts *facts) {
    if (facts->n_accounts != facts->account_codes.n_keys || facts->n_days == 0 ||
        facts->n_opened > facts->n_accounts)
        return -EUCLEAN;
    for (size_t i = 0; i < facts->n_accounts; i++)
        facts->accounts[i].ward = facts->accounts[i].age_band = facts->accounts[i].person =
            INTERN_NONE;
    for (uint32_t i = 0; i < facts->persons.n_keys; i++) {
        uint32_t account = facts_person_account(facts, i);
        if (account >= facts->n_accounts)
            return -EUCLEAN;
        if (facts_person_name(facts, i)[0] == '\0')
            facts->accounts[account].person = i;
    }
    for (size_t i = 0; i < facts->n_opened; i++)
        if (facts->opened[i] >= facts->n_accounts)
            return -EUCLEAN;
    return put_ids_again(facts);
}
