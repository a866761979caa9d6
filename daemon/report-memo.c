/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chapters of the facts, remembered beside them. Whoever needs one that is not there sums it
 * without the lock; if two do at once, one of them worked in vain.
 */
#include "report-memo.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "facts-block.h"

#define BLOCKS_LEAST 64u
#define LINES_A_PERSON 12u
#define KEPT_LEVEL 3u /* chapters below it are forgotten once longer ones have them */

struct level {
    struct report_chapter **chapters; /* NULL: not there */
    size_t n_chapters;
};

struct report_memo {
    pthread_mutex_t lock;
    struct level levels[REPORT_N_SHARES][REPORT_MEMO_LEVELS];
};

static void chapter_free(struct report_chapter *chapter) {
    if (!chapter)
        return;
    free(chapter->taken);
    free(chapter->gave);
    free(chapter->received);
    free(chapter->accounts);
    free(chapter->minutes);
    free(chapter);
}

/* Under the lock, or with nobody left. */
static void chapter_release(struct report_chapter *chapter) {
    if (chapter && --chapter->n_holders == 0)
        chapter_free(chapter);
}

static void memo_end(void *memory) {
    struct report_memo *memo = memory;
    if (!memo)
        return;
    struct level *levels = memo->levels[0];
    for (size_t n = 0; n < (size_t)REPORT_N_SHARES * REPORT_MEMO_LEVELS; n++) {
        for (size_t i = 0; i < levels[n].n_chapters; i++)
            chapter_release(levels[n].chapters[i]);
        free(levels[n].chapters);
    }
    pthread_mutex_destroy(&memo->lock);
    free(memo);
}

static struct report_memo *memo_of(const struct facts *facts) {
    struct report_memo *memo = atomic_load(&facts->memo[FACTS_MEMO_CHAPTERS].memory);
    if (memo)
        return memo;
    memo = calloc(1, sizeof(*memo));
    if (!memo)
        return NULL;
    pthread_mutex_init(&memo->lock, NULL);
    void *other = NULL;
    if (atomic_compare_exchange_strong(&facts->memo[FACTS_MEMO_CHAPTERS].memory, &other, memo)) {
        facts->memo[FACTS_MEMO_CHAPTERS].end =
            memo_end; /* nobody ends the facts while they are read */
        return memo;
    }
    memo_end(memo);
    return other;
}

size_t report_memo_blocks(const struct facts *facts) {
    size_t n = BLOCKS_LEAST;
    while (n * FACTS_BLOCK_LINES < LINES_A_PERSON * (size_t)facts->persons.n_keys)
        n *= 2;
    return n;
}

bool report_memo_zone(const struct facts *facts, unsigned level, size_t chapter,
                      struct fact_zone *ret) {
    size_t n_blocks = report_memo_blocks(facts) << level, first = chapter * n_blocks;
    if (first + n_blocks > facts_n_blocks(facts))
        return false;
    struct fact_zone zone = *facts_zone(facts, first);
    for (size_t i = 0; i < n_blocks; i++) {
        const struct fact_zone *more = facts_zone(facts, first + i);
        if (more->n_lines != FACTS_BLOCK_LINES)
            return false;
        zone.last_index = more->last_index;
        zone.first_service_day = MIN_OF(zone.first_service_day, more->first_service_day);
        zone.last_service_day = MAX_OF(zone.last_service_day, more->last_service_day);
        zone.first_entered_day = MIN_OF(zone.first_entered_day, more->first_entered_day);
        zone.last_entered_day = MAX_OF(zone.last_entered_day, more->last_entered_day);
        zone.first_order = MIN_OF(zone.first_order, more->first_order);
        zone.last_order = MAX_OF(zone.last_order, more->last_order);
    }
    *ret = zone;
    return true;
}

struct report_share report_memo_share(const struct report_pick *pick, enum report_share_what what) {
    int64_t from_day = pick->period.previous_from_day, to_day = pick->whole_from_day - 1;
    switch (what) {
    case SHARE_EARLIER:
        return (struct report_share){what, INT64_MIN, MIN_OF(from_day - 1, to_day),
                                     pick->period.to_day - REPORT_LEG_DAYS};
    case SHARE_PREVIOUS:
        return (struct report_share){what, from_day, to_day, INT64_MIN};
    default:
        return (struct report_share){SHARE_ALL, INT64_MIN, INT64_MAX, INT64_MAX};
    }
}

/* ---- summing */

struct person_sums {
    uint64_t minutes;
    uint32_t first_day; /* of service given */
    bool gave;
    bool received;
};

struct chapter_sums {
    struct person_sums *persons;
    int64_t *accounts;
    struct fact_lines *lines;
};

static void sums_fini(struct chapter_sums *sums) {
    free(sums->persons);
    free(sums->accounts);
    free(sums->lines);
}

static void sum_time(const struct report_pick *pick, const struct fact_lines *lines, size_t i,
                     struct person_sums *persons) {
    uint16_t kind = lines->kind[i];
    uint64_t minutes = lines->minutes[i], taken = report_pick_taken(pick, lines->order[i]);
    bool several = lines->flags[i] & FACT_SEVERAL;
    if ((kind != TIMEBANK__ORDER__KIND_EXCHANGE && kind != TIMEBANK__ORDER__KIND_EARN &&
         kind != TIMEBANK__ORDER__KIND_SESSION) ||
        taken == REPORT_ALL || (taken > 0 && !several && taken >= minutes))
        return;
    if (lines->from_person[i] != INTERN_NONE)
        persons[lines->from_person[i]].received = true;
    if (!report_pick_is_service(kind, lines->to_person[i]))
        return;
    struct person_sums *giver = &persons[lines->to_person[i]];
    giver->minutes += minutes - (several ? 0 : taken);
    if (!giver->gave || lines->service_day[i] < giver->first_day)
        giver->first_day = lines->service_day[i];
    giver->gave = true;
}

static int sum_block(const struct report_pick *pick, const struct report_share *share, size_t block,
                     struct chapter_sums *sums) {
    struct fact_lines *lines = sums->lines;
    int r = facts_read_columns(pick->facts, block, FACT_COLUMNS_PAST | FACT_COLUMNS_LEGS, lines);
    for (size_t i = 0; r == 0 && i < lines->n; i++) {
        int64_t day = lines->service_day[i];
        if (day >= share->from_day && day <= share->to_day)
            sum_time(pick, lines, i, sums->persons);
        if (day > share->legs_to_day || !(lines->flags[i] & FACT_PLAIN))
            continue;
        sums->accounts[lines->from[i]] -= (int64_t)lines->minutes[i];
        sums->accounts[lines->to[i]] += (int64_t)lines->minutes[i];
    }
    return r;
}

static int put_persons(const struct chapter_sums *sums, size_t n_persons,
                       struct report_chapter *chapter) {
    size_t n_gave = 0, n_received = 0;
    for (size_t i = 0; i < n_persons; i++) {
        n_gave += sums->persons[i].gave;
        n_received += sums->persons[i].received;
    }
    chapter->gave = calloc(n_gave + 1, sizeof(*chapter->gave));
    chapter->received = calloc(n_received + 1, sizeof(*chapter->received));
    if (!chapter->gave || !chapter->received)
        return -ENOMEM;
    for (uint32_t i = 0; i < n_persons; i++) {
        const struct person_sums *person = &sums->persons[i];
        if (person->received)
            chapter->received[chapter->n_received++] = i;
        if (person->gave)
            chapter->gave[chapter->n_gave++] =
                (struct report_gave){person->minutes, i, person->first_day};
    }
    return 0;
}

static int put_accounts(const struct chapter_sums *sums, size_t n_accounts,
                        struct report_chapter *chapter) {
    size_t n = 0;
    for (size_t i = 0; i < n_accounts; i++)
        n += sums->accounts[i] != 0;
    chapter->accounts = calloc(n + 1, sizeof(*chapter->accounts));
    chapter->minutes = calloc(n + 1, sizeof(*chapter->minutes));
    if (!chapter->accounts || !chapter->minutes)
        return -ENOMEM;
    for (uint32_t i = 0; i < n_accounts; i++) {
        if (sums->accounts[i] == 0)
            continue;
        chapter->accounts[chapter->n_accounts] = i;
        chapter->minutes[chapter->n_accounts++] = sums->accounts[i];
    }
    return 0;
}

static void add_chapter(const struct report_chapter *chapter, struct chapter_sums *sums) {
    for (size_t i = 0; i < chapter->n_gave; i++) {
        const struct report_gave *gave = &chapter->gave[i];
        struct person_sums *giver = &sums->persons[gave->person];
        giver->minutes += gave->minutes;
        if (!giver->gave || gave->first_day < giver->first_day)
            giver->first_day = gave->first_day;
        giver->gave = true;
    }
    for (size_t i = 0; i < chapter->n_received; i++)
        sums->persons[chapter->received[i]].received = true;
    for (size_t i = 0; i < chapter->n_accounts; i++)
        sums->accounts[chapter->accounts[i]] += chapter->minutes[i];
}

static void forget(struct report_memo *memo, enum report_share_what what, unsigned number_of_level,
                   size_t number) {
    struct level *level = &memo->levels[what][number_of_level];
    pthread_mutex_lock(&memo->lock);
    if (number < level->n_chapters)
        chapter_release(TAKE(level->chapters[number]));
    pthread_mutex_unlock(&memo->lock);
}

/* What two of the level below came to. */
static int sum_halves(const struct report_pick *pick, enum report_share_what what, unsigned level,
                      size_t number, struct chapter_sums *sums) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < 2; i++) {
        struct report_chapter *half;
        r = report_memo_get(pick, what, level - 1, 2 * number + i, &half);
        if (r < 0)
            break;
        add_chapter(half, sums);
        report_memo_leave(pick, half);
        if (what != SHARE_ALL || level <= KEPT_LEVEL)
            forget(memo_of(pick->facts), what, level - 1, 2 * number + i);
    }
    return r;
}

static int sum_chapter(const struct report_pick *pick, unsigned level, size_t number,
                       struct report_chapter *chapter) {
    const struct facts *facts = pick->facts;
    size_t n_persons = facts->persons.n_keys, n_accounts = facts->n_accounts;
    _cleanup_(sums_fini) struct chapter_sums sums = {
        .persons = calloc(n_persons + 1, sizeof(*sums.persons)),
        .accounts = calloc(n_accounts + 1, sizeof(*sums.accounts)),
        .lines = malloc(sizeof(*sums.lines))};
    int r = sums.persons && sums.accounts && sums.lines ? 0 : -ENOMEM;
    if (r == 0 && level > 0)
        r = sum_halves(pick, chapter->share.what, level, number, &sums);
    for (size_t i = 0; r == 0 && level == 0 && i < chapter->n_blocks; i++)
        r = sum_block(pick, &chapter->share, number * chapter->n_blocks + i, &sums);
    if (r == 0)
        r = put_persons(&sums, n_persons, chapter);
    return r == 0 ? put_accounts(&sums, n_accounts, chapter) : r;
}

/* ---- remembering */

const struct report_taken *report_memo_taken(const struct report_pick *pick,
                                             const struct fact_zone *zone, size_t *ret_n) {
    size_t ends[2];
    for (size_t side = 0; side < 2; side++) {
        size_t low = 0, high = pick->n_taken;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            uint32_t order = pick->taken[middle].order;
            if (side == 0 ? order < zone->first_order : order <= zone->last_order)
                low = middle + 1;
            else
                high = middle;
        }
        ends[side] = low;
    }
    *ret_n = ends[1] - ends[0];
    return pick->taken + ends[0];
}

static bool is_same_share(const struct report_share *a, const struct report_share *b) {
    return a->from_day == b->from_day && a->to_day == b->to_day && a->legs_to_day == b->legs_to_day;
}

static bool is_good(const struct report_chapter *chapter, const struct report_chapter *wanted) {
    if (!chapter || chapter->n_blocks != wanted->n_blocks || chapter->n_taken != wanted->n_taken ||
        !is_same_share(&chapter->share, &wanted->share))
        return false;
    for (size_t i = 0; i < wanted->n_taken; i++)
        if (chapter->taken[i].order != wanted->taken[i].order ||
            chapter->taken[i].minutes != wanted->taken[i].minutes)
            return false;
    return true;
}

static struct report_chapter *find(struct report_memo *memo, const struct level *level,
                                   size_t number, const struct report_chapter *wanted) {
    struct report_chapter *found = NULL;
    pthread_mutex_lock(&memo->lock);
    if (number < level->n_chapters && is_good(level->chapters[number], wanted)) {
        found = level->chapters[number];
        found->n_holders++;
    }
    pthread_mutex_unlock(&memo->lock);
    return found;
}

/* Held by the memo, too, if it has the room. */
static void remember(struct report_memo *memo, struct level *level, size_t number,
                     struct report_chapter *chapter) {
    pthread_mutex_lock(&memo->lock);
    if (number >= level->n_chapters) {
        size_t n = number + 64;
        void *more = reallocarray(level->chapters, n, sizeof(*level->chapters));
        if (more) {
            level->chapters = more;
            memset(level->chapters + level->n_chapters, 0,
                   (n - level->n_chapters) * sizeof(*level->chapters));
            level->n_chapters = n;
        }
    }
    if (number < level->n_chapters) {
        chapter_release(level->chapters[number]);
        level->chapters[number] = chapter;
        chapter->n_holders++;
    }
    pthread_mutex_unlock(&memo->lock);
}

/* Sums what is wanted, with reversals of its own. */
static int make(const struct report_pick *pick, unsigned level, size_t number,
                const struct report_chapter *wanted, struct report_chapter **ret) {
    struct report_chapter *chapter = calloc(1, sizeof(*chapter));
    if (!chapter)
        return -ENOMEM;
    *chapter = *wanted;
    chapter->taken = calloc(wanted->n_taken + 1, sizeof(*chapter->taken));
    int r = chapter->taken ? 0 : -ENOMEM;
    if (r == 0 && wanted->n_taken > 0)
        memcpy(chapter->taken, wanted->taken, wanted->n_taken * sizeof(*wanted->taken));
    if (r == 0)
        r = sum_chapter(pick, level, number, chapter);
    if (r < 0)
        chapter_free(chapter);
    else
        *ret = chapter;
    return r;
}

int report_memo_get(const struct report_pick *pick, enum report_share_what what, unsigned level,
                    size_t number, struct report_chapter **ret) {
    struct report_memo *memo = memo_of(pick->facts);
    struct fact_zone zone;
    if (!memo || !report_memo_zone(pick->facts, level, number, &zone))
        return memo ? -EINVAL : -ENOMEM;
    struct report_chapter wanted = {.share = report_memo_share(pick, what),
                                    .n_blocks = report_memo_blocks(pick->facts) << level,
                                    .n_holders = 1};
    wanted.taken = (struct report_taken *)report_memo_taken(pick, &zone, &wanted.n_taken);
    *ret = find(memo, &memo->levels[what][level], number, &wanted);
    if (*ret)
        return 0;
    int r = make(pick, level, number, &wanted, ret);
    if (r == 0)
        remember(memo, &memo->levels[what][level], number, *ret);
    return r;
}

void report_memo_leave(const struct report_pick *pick, struct report_chapter *chapter) {
    struct report_memo *memo = memo_of(pick->facts);
    pthread_mutex_lock(&memo->lock);
    chapter_release(chapter);
    pthread_mutex_unlock(&memo->lock);
}

/* ---- telling */

size_t report_memo_past(const struct report_pick *pick, const struct report_chapter *chapter,
                        size_t at, bool in_previous, struct report_past *rows) {
    size_t n = MIN_OF(chapter->n_gave + chapter->n_received - at, (size_t)REPORT_ROWS_MAX);
    for (size_t i = 0; i < n; i++) {
        struct report_past *past = &rows[i];
        *past = (struct report_past){.from_person = INTERN_NONE,
                                     .to_person = INTERN_NONE,
                                     .kind = TIMEBANK__ORDER__KIND_SESSION,
                                     .is_service = at + i < chapter->n_gave,
                                     .in_previous = in_previous};
        if (past->is_service) {
            const struct report_gave *gave = &chapter->gave[at + i];
            past->to_person = report_pick_person(pick, gave->person);
            past->minutes = gave->minutes;
            past->service_day = gave->first_day;
        } else {
            uint32_t person = chapter->received[at + i - chapter->n_gave];
            past->from_person = report_pick_person(pick, person);
        }
    }
    return n;
}

size_t report_memo_legs(const struct report_chapter *chapter, const struct fact_zone *zone,
                        size_t at, struct report_leg *rows) {
    size_t n = MIN_OF(chapter->n_accounts - at, (size_t)REPORT_ROWS_MAX);
    for (size_t i = 0; i < n; i++)
        rows[i] =
            (struct report_leg){.index = zone->last_index,
                                .minutes = chapter->minutes[at + i],
                                .account = chapter->accounts[at + i],
                                .order = INTERN_NONE,
                                .service_day = (uint32_t)MIN_OF((int64_t)zone->last_service_day,
                                                                chapter->share.legs_to_day)};
    return n;
}
