/* SPDX-License-Identifier: Apache-2.0 */
/* The check on two threads and on one: whatever is damaged, both say the same words; and the facts
 * of the reports beside it. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/files.h"
#include "daemon/check-facts.h"
#include "daemon/check-ledger.h"
#include "daemon/log-private.h"
#include "harness.h"

TestSuite(checks, .timeout = STORY_TIMEOUT, .init = bank_start, .fini = bank_end);

#define N_PLACES 120
#define TOLD_MAX 8192

struct told {
    int status; /* as waitpid() says it */
    size_t n;
    char words[TOLD_MAX];
};

/* What a child tells, which reads on as many threads as is said, and how it ends. */
static struct told check(enum check_extent extent, bool is_alone) {
    struct told told = {0};
    FILE *to = tmpfile();
    cr_assert(to);
    fflush(NULL);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        struct check_progress progress = {.where = "the head file", .is_alone = is_alone};
        int r = check_ledger_run(&progress, story.directory, &story.settings, extent, to);
        fflush(to);
        _exit(r == 0 ? 0 : 1);
    }
    cr_assert(waitpid(child, &told.status, 0) == child);
    rewind(to);
    told.n = fread(told.words, 1, TOLD_MAX - 1, to);
    fclose(to);
    return told;
}

static void expect_same(enum check_extent extent, bool *ret_is_sound) {
    struct told one = check(extent, true), two = check(extent, false);
    cr_assert(WIFEXITED(one.status) && WIFEXITED(two.status));
    cr_assert(one.status == two.status && strcmp(one.words, two.words) == 0,
              "on one thread:\n%son two:\n%s", one.words, two.words);
    *ret_is_sound = one.status == 0;
}

struct places {
    const uint8_t *file;
    size_t n_file;
    size_t at[N_PLACES];
    size_t n;
    unsigned chance;
};

/* A byte here and there of each run. */
static int pick(void *user, struct store_value key, struct store_value value) {
    struct places *places = user;
    const uint8_t *found = memmem(places->file, places->n_file, value.data, value.n);
    (void)key;
    for (int i = 0; found && i < 4 && places->n < N_PLACES; i++) {
        places->chance = places->chance * 1103515245 + 12345;
        places->at[places->n++] = (size_t)(found - places->file) + places->chance % value.n;
    }
    return 0;
}

static struct store *open_store(void) {
    struct store *store = NULL;
    char directory[96];
    snprintf(directory, sizeof(directory), "%s/ledger", story.directory);
    cr_assert(store_open(&store, directory, story.settings.log.map_bytes, runs_tables,
                         RUNS_N_TABLES, true) == 0);
    return store;
}

static void pick_places(const char *path, struct places *places, struct bytes *file) {
    struct store *store = open_store();
    struct store_read *read = NULL;
    cr_assert(file_read(path, 1 << 26, file) == 0);
    places->file = file->data;
    places->n_file = file->n;
    cr_assert(store_read_begin(store, &read) == 0);
    cr_assert(store_each(read, RUNS_STATE + STATE_IDS, NULL, 0, pick, places) == 0);
    cr_assert(places->n > 0);
    cr_assert(store_each(read, RUNS_LOG, NULL, 0, pick, places) == 0);
    cr_assert(store_each(read, RUNS_AFTER, NULL, 0, pick, places) == 0);
    store_read_end(read);
    store_close(store);
}

static void turn(FILE *data, size_t at, uint8_t byte) {
    cr_assert(fseek(data, (long)at, SEEK_SET) == 0 && fputc(byte, data) == byte &&
              fflush(data) == 0);
}

/* The facts are caught up, and written at the next stop. */
static void report(void) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_REPORT);
    request->report->from_day = TODAY - 100;
    request->report->to_day = TODAY;
    ask(AUDITOR, request);
    cr_assert(!response_refused(), "%s", response_words());
}

static void damage_here_and_there(enum check_extent extent) {
    static struct places places;
    _cleanup_bytes_ struct bytes file = {0};
    char path[96], why[512];
    size_t n_sound = 0;
    for (int i = 0; i < 12; i++) {
        Timebank__Order *order = order_helps("m7", "m12", 15);
        order->service_day -= (uint32_t)i;
        recorded(BROKER, order);
        recorded(BROKER, order_move(TIMEBANK__ORDER__KIND_GIFT, "m7", "m12", 15));
    }
    report();
    bank_stop();
    snprintf(path, sizeof(path), "%s/ledger/data.mdb", story.directory);
    places = (struct places){.chance = 5};
    pick_places(path, &places, &file);
    cr_assert(places.n > 100);
    FILE *data = fopen(path, "r+");
    cr_assert(data);
    for (size_t i = 0; i < places.n; i++) {
        bool is_sound;
        turn(data, places.at[i], file.data[places.at[i]] ^ (uint8_t)(1 << i % 8));
        expect_same(extent, &is_sound);
        turn(data, places.at[i], file.data[places.at[i]]);
        n_sound += is_sound;
    }
    fclose(data);
    cr_assert(extent != CHECK_FULL || n_sound < places.n / 4); /* on pages that are free by now */
    cr_assert(bank_try_open(why, sizeof(why)) == 0, "%s", why);
}

Test(checks, say_the_same_on_two_threads_as_on_one) {
    damage_here_and_there(CHECK_PLAIN);
}

Test(checks, in_full_say_the_same_on_two_threads_as_on_one) {
    damage_here_and_there(CHECK_FULL);
}

Test(checks, of_a_sound_ledger_say_nothing) {
    bool is_sound;
    char why[512];
    recorded(BROKER, order_helps("m7", "m12", 15));
    bank_stop();
    expect_same(CHECK_FULL, &is_sound);
    cr_assert(is_sound);
    cr_assert(bank_try_open(why, sizeof(why)) == 0, "%s", why);
}

/* ---- the facts, beside it */

static void collect(void *user, const char *sentence) {
    struct told *told = user;
    told->n += (size_t)snprintf(told->words + told->n, TOLD_MAX - told->n, "%s\n", sentence);
}

static struct told check_facts(void) {
    struct told told = {0};
    struct store *store = open_store();
    struct check_facts *facts = NULL;
    cr_assert(check_facts_begin(&facts, story.directory, store) == 0);
    cr_assert(check_facts_end(facts, collect, &told) == 0);
    check_facts_free(facts);
    store_close(store);
    return told;
}

static void bank_with_facts(void) {
    for (unsigned i = 1; i <= 4; i++)
        m7_helps("m12", 15 * i);
    report();
    bank_stop();
}

static void bank_again(void) {
    char why[512];
    cr_assert(bank_try_open(why, sizeof(why)) == 0, "%s", why);
}

Test(checks, of_facts_tell_nothing_where_they_are_what_the_log_says) {
    bank_stop();
    cr_assert(check_facts().n == 0, "there are none yet");
    bank_again();
    bank_with_facts();
    struct told told = check_facts();
    cr_assert(told.n == 0, "%s", told.words);
    bank_again();
}

Test(checks, of_facts_tell_at_the_end_what_differs) {
    _cleanup_bytes_ struct bytes head = {0};
    size_t n_told = 0;
    char path[96];
    bank_with_facts();
    snprintf(path, sizeof(path), "%s/facts/head", story.directory);
    cr_assert(file_read(path, 1 << 20, &head) == 0);
    FILE *data = fopen(path, "r+");
    cr_assert(data);
    for (size_t at = 0; at < head.n; at += head.n / 16) {
        turn(data, at, head.data[at] ^ 1);
        n_told += check_facts().n > 0;
        turn(data, at, head.data[at]);
    }
    fclose(data);
    cr_assert(n_told > 12, "%zu", n_told);
    cr_assert(check_facts().n == 0);
    bank_again();
}

Test(checks, of_facts_end_wherever_they_are_when_nobody_waits_for_them) {
    bank_with_facts();
    struct store *store = open_store();
    for (int i = 0; i < 50; i++) {
        struct check_facts *facts = NULL;
        cr_assert(check_facts_begin(&facts, story.directory, store) == 0);
        usleep((useconds_t)(i * 20));
        check_facts_free(facts);
    }
    cr_assert(!check_facts_free(NULL));
    store_close(store);
    bank_again();
}
