/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client keeps, through everything that may end it: killed before each call that changes a
 * disk or tells the bank, cut off from power between sectors, followed by a newer program.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/files.h"
#include "client-state.h"
#include "fake-bank.h"
#include "helpers.h"
#include "libtimebank/bank.h"
#include "libtimebank/outbox-file.h"
#include "proto/refusal.h"
#include "timebank.h"

TestSuite(lib_outbox, .timeout = 120);

/* ---- calls that are counted, and the last one that is not made */

static int calls_left; /* 0: no end */

static void call_count(void) {
    if (calls_left > 0 && --calls_left == 0)
        kill(getpid(), SIGKILL);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at);
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) {
    call_count();
    return syscall(SYS_pwrite64, fd, bytes, n, at);
}
static bool sync_fails;
static unsigned n_syncs;

int fdatasync(int fd) {
    call_count();
    n_syncs++;
    if (sync_fails) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}
int fsync(int fd) {
    call_count();
    return (int)syscall(SYS_fsync, fd);
}
int rename(const char *from, const char *to) {
    call_count();
    return (int)syscall(SYS_rename, from, to);
}
int unlink(const char *path) {
    call_count();
    return (int)syscall(SYS_unlink, path);
}
ssize_t send(int fd, const void *bytes, size_t n, int flags) {
    call_count();
    return syscall(SYS_sendto, fd, bytes, n, flags, NULL, 0);
}

static int locks_left; /* the last of so many is somebody else's; 0: none is */

int flock(int fd, int how) {
    if ((how & LOCK_NB) && locks_left > 0 && --locks_left == 0) {
        errno = EWOULDBLOCK;
        return -1;
    }
    return (int)syscall(SYS_flock, fd, how);
}

/* ---- a user at a bank */

static struct fake_bank fake;
static char state[CLIENT_PATH_BYTES];
static char key[CLIENT_PATH_BYTES];

static void setup(void) {
    fake_bank_start(&fake);
    client_state_begin(fake.directory, state, key);
}

static void teardown(void) {
    fake_bank_fini(&fake);
}

static struct tb_bank *bank_make(void) {
    return client_state_bank(state, key, 20000);
}

static struct tb_bank *bank_open(void) {
    struct tb_bank *bank = bank_make();
    int r = tb_bank_open(bank, fake.address);
    cr_assert(r == 0, "%d %s", r, tb_bank_message(bank));
    return bank;
}

static int batch_send(struct tb_bank *bank) {
    struct tb_batch *batch = NULL;
    struct tb_answer *answer = NULL;
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_EXCHANGE;
    order.from = "m1";
    order.to = "m2";
    order.minutes = 60;
    order.service_day = 20000;
    order.why = "because";
    int r = tb_batch_new(bank, &batch);
    if (r == 0)
        r = tb_batch_add(batch, &order, NULL);
    if (r == 0)
        r = tb_batch_submit(batch, &answer);
    tb_answer_free(answer);
    tb_batch_free(batch);
    return r;
}

static size_t outbox_names(char (*names)[300], size_t n_max) {
    char path[200];
    size_t n = 0;
    snprintf(path, sizeof(path), "%s/outbox", state);
    DIR *stream = opendir(path);
    for (const struct dirent *entry; stream && (entry = readdir(stream));)
        if (entry->d_name[0] != '.' && n < n_max)
            snprintf(names[n++], sizeof(names[0]), "%s", entry->d_name);
    if (stream)
        closedir(stream);
    return n;
}

/* What the pin and the outbox know, before anybody is asked. */
static uint64_t known_size(void) {
    struct tb_bank *bank = bank_make();
    struct tb_call *call = NULL;
    uint64_t size = 0;
    cr_assert(tb_bank_open_start(bank, fake.address, &call) == 0, "%s", tb_bank_message(bank));
    tb_bank_position(bank, &size, NULL);
    tb_call_free(call);
    tb_bank_free(bank);
    return size;
}

static uint64_t named_size(void) {
    struct batch_header header;
    if (fake.n_batches == 0)
        return 0;
    cr_assert(batch_header_unpack(fake.batches[fake.n_batches - 1].header, &header) == 0);
    return header.pin_size;
}

/* A process that sends batches, each of which it says was recorded, and dies at a call. Whether it
 * came to its end before. */
static bool child_run(int die_at, unsigned n_batches, unsigned *n_told) {
    pid_t child = fork();
    int status = 0;
    cr_assert(child >= 0);
    if (child == 0) {
        calls_left = die_at;
        struct tb_bank *bank = bank_make();
        if (tb_bank_open(bank, fake.address) != 0)
            _exit(1);
        for (unsigned i = 0; i < n_batches; i++) {
            if (batch_send(bank) != 0)
                _exit(1);
            ++*n_told;
        }
        tb_bank_free(bank);
        _exit(0);
    }
    waitpid(child, &status, 0);
    cr_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "at call %d", die_at);
    return !WIFSIGNALED(status);
}

Test(lib_outbox, a_client_killed_at_any_call_loses_nothing_and_counts_nothing_twice, .init = setup,
     .fini = teardown) {
    unsigned *n_told =
        mmap(NULL, sizeof(*n_told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool ended = false;
    int n_calls = 0;
    cr_assert(n_told != MAP_FAILED);
    for (int die_at = 1; !ended; die_at++, n_calls++) {
        size_t n_before = fake.n_batches;
        *n_told = 0;
        ended = child_run(die_at, 3, n_told);
        uint64_t named = named_size(), known = known_size();
        cr_assert(known >= named, "call %d: %llu was named, %llu is known", die_at,
                  (unsigned long long)named, (unsigned long long)known);
        struct tb_bank *bank = bank_open();
        size_t n_settled = 0, n_recorded = fake.n_batches - n_before;
        cr_assert(tb_bank_settle(bank, &n_settled) == 0, "%s", tb_bank_message(bank));
        cr_assert(!strstr(tb_bank_notice(bank), "earlier"), "%s", tb_bank_notice(bank));
        /* Told is recorded. One more was on its way at most: it is now, if it was kept whole. */
        cr_assert(n_recorded >= *n_told && n_settled <= 1, "call %d", die_at);
        cr_assert(fake.n_batches - n_before <= *n_told + 1u, "call %d", die_at);
        cr_assert(n_settled == 0 || fake.n_batches - n_before == *n_told + 1u, "call %d", die_at);
        tb_bank_free(bank);
        char names[8][300];
        cr_assert(outbox_names(names, 8) == 0, "call %d left %s", die_at, names[0]);
    }
    cr_assert(n_calls > 20, "%d calls", n_calls);
    munmap(n_told, sizeof(*n_told));
}

Test(lib_outbox, a_batch_that_is_submitted_again_is_kept_once, .init = setup, .fini = teardown) {
    struct tb_bank *bank = bank_open();
    struct tb_batch *batch = NULL;
    struct tb_answer *answer = NULL;
    struct tb_order order = TB_ORDER_INIT;
    char names[8][300];
    order.kind = TB_EXCHANGE;
    order.from = "m1";
    order.to = "m2";
    for (unsigned i = 0; i < 3; i++)
        cr_assert(batch_send(bank) == 0);
    size_t n_batches = fake.n_batches;
    cr_assert(tb_bank_set_deadline(bank, 300) == 0);
    cr_assert(tb_batch_new(bank, &batch) == 0 && tb_batch_add(batch, &order, NULL) == 0);
    fake.refused = REFUSAL_TRY_LATER;
    for (unsigned i = 0; i < 3; i++) {
        fake.cut = FAKE_CUT_BEFORE;
        cr_assert(tb_batch_submit(batch, &answer) == -EINPROGRESS);
    }
    fake.refused = 0;
    cr_assert(tb_batch_submit(batch, &answer) == 0, "%s", tb_bank_message(bank));
    tb_answer_free(answer);
    tb_batch_free(batch);
    tb_bank_free(bank);
    cr_assert(fake.n_batches == n_batches + 1 && outbox_names(names, 8) == 0, "%s", names[0]);
}

/* Recorded, and no answer came; then it is submitted again under a head that is longer as a text,
 * by a process that dies at a call. Whether it came to its end before. */
static bool child_resubmits(int die_at) {
    pid_t child = fork();
    int status = 0;
    cr_assert(child >= 0);
    if (child == 0) {
        struct tb_bank *bank = bank_open();
        struct tb_batch *batch = NULL;
        struct tb_answer *answer = NULL;
        struct tb_order order = TB_ORDER_INIT;
        order.kind = TB_EXCHANGE;
        order.from = "m1";
        order.to = "m2";
        if (tb_bank_set_deadline(bank, 200) < 0 || tb_batch_new(bank, &batch) < 0 ||
            tb_batch_add(batch, &order, NULL) < 0 ||
            tb_batch_submit(batch, &answer) != -EINPROGRESS)
            _exit(1);
        calls_left = die_at;
        _exit(tb_batch_submit(batch, &answer) == -EINPROGRESS ? 0 : 1);
    }
    waitpid(child, &status, 0);
    cr_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "at call %d", die_at);
    return !WIFSIGNALED(status);
}

Test(lib_outbox, a_batch_that_waits_is_not_lost_while_it_is_submitted_again) {
    bool ended = false;
    for (int die_at = 1; !ended && die_at < 6; die_at++) {
        char names[8][300];
        size_t n_settled = 0;
        setup();
        struct tb_bank *bank = bank_open();
        for (unsigned i = 0; i < 2; i++)
            cr_assert(batch_send(bank) == 0);
        tb_bank_free(bank);
        fake.cut = FAKE_CUT_AFTER;
        fake.refused = REFUSAL_TRY_LATER;
        ended = child_resubmits(die_at);
        cr_assert(fake.n_batches == 3 && fake.n_leaves >= 10, "%llu",
                  (unsigned long long)fake.n_leaves);
        fake.refused = 0;
        bank = bank_open();
        cr_assert(tb_bank_settle(bank, &n_settled) == 0, "%s", tb_bank_message(bank));
        cr_assert(!strstr(tb_bank_notice(bank), "earlier") && n_settled == 1, "call %d: %zu, %s",
                  die_at, n_settled, tb_bank_notice(bank));
        tb_bank_free(bank);
        cr_assert(fake.n_batches == 3 && outbox_names(names, 8) == 0);
        teardown();
    }
}

Test(lib_outbox, a_new_file_that_another_program_looks_into_is_left_to_it, .init = setup,
     .fini = teardown) {
    struct tb_bank *bank = bank_open();
    locks_left = 1;
    cr_assert(batch_send(bank) == 0, "%s", tb_bank_message(bank));
    cr_assert(locks_left == 0 && fake.n_batches == 1);
    tb_bank_free(bank);
}

Test(lib_outbox, a_batch_that_could_not_be_kept_is_not_sent_later, .init = setup,
     .fini = teardown) {
    struct tb_bank *bank = bank_open();
    size_t n_settled = 0;
    for (unsigned i = 0; i < 3; i++)
        cr_assert(batch_send(bank) == 0);
    sync_fails = true;
    cr_assert(batch_send(bank) == -EIO && strstr(tb_bank_message(bank), "not sent"));
    sync_fails = false;
    tb_bank_free(bank);
    bank = bank_open();
    cr_assert(tb_bank_settle(bank, &n_settled) == 0 && n_settled == 0 && fake.n_batches == 3,
              "%zu were sent", fake.n_batches);
    tb_bank_free(bank);
}

Test(lib_outbox, keeping_a_batch_is_one_sync_and_no_new_file, .init = setup, .fini = teardown) {
    struct tb_bank *bank = bank_open();
    char names[8][300], again[8][300];
    for (unsigned i = 0; i < 3; i++)
        cr_assert(batch_send(bank) == 0, "%s", tb_bank_message(bank));
    size_t n = outbox_names(names, 8);
    calls_left = 100000;
    for (unsigned i = 0; i < 10; i++)
        cr_assert(batch_send(bank) == 0);
    /* A pin's record; the batch and its head, a sync; sent, answered (the bank is in this process)
     * and taken out. */
    int n_calls = 100000 - calls_left;
    calls_left = 0;
    cr_assert(n_calls == 10 * 6, "%d calls", n_calls);
    cr_assert(n == 2 && outbox_names(again, 8) == 2);
    tb_bank_free(bank);
    cr_assert(outbox_names(names, 8) == 0);
}

/* ---- several at once */

#define TOGETHER 20 /* more than one file holds */

struct many {
    struct tb_batch *batches[TOGETHER];
    struct tb_call *calls[TOGETHER];
};

static void many_start(struct tb_bank *bank, struct many *many, size_t n) {
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_EXCHANGE;
    order.from = "m1";
    order.to = "m2";
    for (size_t i = 0; i < n; i++) {
        order.to = i == 1 ? "nobody" : "m2";
        cr_assert(tb_batch_new(bank, &many->batches[i]) == 0);
        cr_assert(tb_batch_add(many->batches[i], &order, NULL) == 0);
        int r = tb_batch_submit_start(many->batches[i], &many->calls[i]);
        cr_assert(r == 0, "%d %s", r, tb_bank_message(bank));
    }
}

static void many_free(struct many *many, size_t n) {
    for (size_t i = 0; i < n; i++) {
        tb_call_free(many->calls[i]);
        tb_batch_free(many->batches[i]);
    }
}

Test(lib_outbox, what_is_started_together_is_kept_by_one_sync, .init = setup, .fini = teardown) {
    struct tb_bank *bank = bank_open();
    for (unsigned i = 0; i < 3; i++)
        cr_assert(batch_send(bank) == 0);
    for (unsigned round = 0; round < 3; round++) {
        struct many many = {};
        char names[8][300];
        n_syncs = 0;
        many_start(bank, &many, TOGETHER);
        cr_assert(n_syncs == 0 && client_state_files(state, "outbox", "") == TOGETHER);
        for (size_t i = 0; i < TOGETHER; i++)
            cr_assert(tb_call_wait(many.calls[i]) == (i == 1 ? (int)TB_NO_SUCH_ACCOUNT : 0));
        cr_assert(n_syncs == 2 || round == 0, "%u syncs", n_syncs);
        cr_assert(client_state_files(state, "outbox", "") == 0 && outbox_names(names, 8) <= 3);
        many_free(&many, TOGETHER);
    }
    cr_assert(fake.n_batches == 3 + 3 * (TOGETHER - 1));
    tb_bank_free(bank);
}

Test(lib_outbox, none_of_those_that_were_not_synced_is_sent, .init = setup, .fini = teardown) {
    struct tb_bank *bank = bank_open();
    struct many many = {};
    cr_assert(batch_send(bank) == 0);
    many_start(bank, &many, 3);
    sync_fails = true;
    cr_assert(tb_call_wait(many.calls[0]) == -EIO);
    sync_fails = false; /* the disk says it once */
    for (size_t i = 1; i < 3; i++)
        cr_assert(tb_call_wait(many.calls[i]) == -EIO &&
                  strstr(tb_call_message(many.calls[i]), "not sent"));
    many_free(&many, 3);
    cr_assert(fake.n_batches == 1 && client_state_files(state, "outbox", "") == 0);
    cr_assert(batch_send(bank) == 0);
    tb_bank_free(bank);
}

Test(lib_outbox, those_kept_together_are_settled_each_by_itself, .init = setup, .fini = teardown) {
    struct tb_bank *bank = bank_open();
    struct many many = {};
    size_t n_settled = 0;
    cr_assert(tb_bank_set_deadline(bank, 200) == 0);
    fake.cut = FAKE_CUT_BEFORE;
    fake.refused = REFUSAL_TRY_LATER;
    many_start(bank, &many, 4);
    for (size_t i = 0; i < 4; i++)
        tb_call_wait(many.calls[i]);
    many_free(&many, 4);
    tb_bank_free(bank);
    size_t n_left = client_state_files(state, "outbox", "");
    cr_assert(n_left > 0 && fake.n_batches == 0);
    fake.refused = 0;
    bank = bank_open();
    cr_assert(tb_bank_settle(bank, &n_settled) == 0, "%s", tb_bank_message(bank));
    size_t n_refused = client_state_files(state, "outbox", "refused-");
    cr_assert(n_settled == n_left && n_refused <= 1 && fake.n_batches == n_left - n_refused,
              "%zu left, %zu settled, %zu recorded", n_left, n_settled, fake.n_batches);
    cr_assert(client_state_files(state, "outbox", "") == n_refused);
    tb_bank_free(bank);
}

/* A process that starts some, and dies at a call. Whether it came to its end before. */
static bool child_starts_many(int die_at) {
    pid_t child = fork();
    int status = 0;
    cr_assert(child >= 0);
    if (child == 0) {
        struct tb_bank *bank = bank_open();
        struct many many = {};
        calls_left = die_at;
        many_start(bank, &many, 4);
        for (size_t i = 0; i < 4; i++)
            tb_call_wait(many.calls[i]);
        many_free(&many, 4);
        tb_bank_free(bank);
        _exit(0);
    }
    waitpid(child, &status, 0);
    cr_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "at call %d", die_at);
    return !WIFSIGNALED(status);
}

Test(lib_outbox, a_client_killed_with_several_under_way_loses_none, .init = setup,
     .fini = teardown) {
    bool ended = false;
    for (int die_at = 1; !ended; die_at++) {
        char names[8][300];
        size_t n_settled = 0, n_before = fake.n_batches;
        ended = child_starts_many(die_at);
        size_t n_sent = fake.n_batches - n_before, n_left = client_state_files(state, "outbox", "");
        struct tb_bank *bank = bank_open();
        cr_assert(tb_bank_settle(bank, &n_settled) == 0, "%s", tb_bank_message(bank));
        cr_assert(!strstr(tb_bank_notice(bank), "damaged"), "%s", tb_bank_notice(bank));
        size_t n_recorded = fake.n_batches - n_before;
        cr_assert(n_settled == n_left && n_recorded >= n_sent && n_recorded <= 3, "call %d",
                  die_at);
        tb_bank_free(bank);
        for (size_t n = outbox_names(names, 8); n > 0; n--) {
            char path[600];
            cr_assert(strncmp(names[n - 1], "refused-", 8) == 0, "call %d", die_at);
            snprintf(path, sizeof(path), "%s/outbox/%s", state, names[n - 1]);
            unlink(path);
        }
    }
}

/* ---- sectors */

#define SECTOR 512

static void body_make(struct bytes *body, uint8_t fill, size_t n) {
    memset(bytes_reserve(body, n), fill, n);
}

static int file_make(void) {
    char path[] = "/tmp/outbox.XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    unlink(path);
    return fd;
}

static void put(int fd, uint8_t fill, size_t n_pin, size_t n_body) {
    _cleanup_bytes_ struct bytes pin = {}, body = {};
    struct outbox_head head = {.orders_at = 300, .n_orders = (uint32_t)n_body - 400};
    memset(head.batch_id, fill, sizeof(head.batch_id));
    body_make(&pin, (uint8_t)(fill + 1), n_pin);
    body_make(&body, fill, n_body);
    cr_assert(outbox_file_put(fd, &head, &pin, &body) == 0);
}

/* Small ones, together. */
static void put_together(int fd, uint8_t fill, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        _cleanup_bytes_ struct bytes pin = {}, body = {};
        struct outbox_head head = {
            .at = i * OUTBOX_PLACE_BYTES, .is_together = true, .orders_at = 300, .n_orders = 200};
        memset(head.batch_id, fill, sizeof(head.batch_id));
        body_make(&pin, (uint8_t)(fill + 1), 600 + i);
        body_make(&body, fill, 800 + i);
        cr_assert(outbox_file_put(fd, &head, &pin, &body) == 0);
    }
}

static bool all_are(const struct bytes *bytes, uint8_t fill, size_t but_from, size_t but_n) {
    for (size_t i = 0; i < bytes->n; i++)
        if (bytes->data[i] != fill && (i < but_from || i >= but_from + but_n))
            return false;
    return true;
}

/* Nothing waits, or one of the two batches does and says so, or it is said to be damaged. The
 * orders are not looked at here: their root is in the header. */
static void torn_judge(int fd) {
    struct outbox_head head = {.at = OUTBOX_NOWHERE};
    for (int r; (r = outbox_file_next(fd, &head)) == 0 || r == -EBADMSG;) {
        _cleanup_bytes_ struct bytes body = {}, pin = {};
        if (r == 0 && outbox_file_pin(fd, &head, &pin) == 0)
            cr_assert(all_are(&pin, (uint8_t)(head.batch_id[0] + 1), 0, 0));
        if (r != 0 || head.n_body == 0 || outbox_file_body(fd, &head, &body) != 0)
            continue;
        cr_assert(head.batch_id[0] == 'a' || head.batch_id[0] == 'b');
        cr_assert(all_are(&body, head.batch_id[0], head.orders_at, head.n_orders));
    }
}

static void put_one_of(int fd, uint8_t fill, bool is_together) {
    if (is_together)
        put_together(fd, fill, fill == 'a' ? 2 : 1);
    else
        put(fd, fill, fill == 'a' ? 600 : 700, fill == 'a' ? 2000 : 1800);
}

/* By one form or the other, over one of either. */
static void torn_try(bool was_together, bool is_cleared, bool is_together) {
    uint8_t old[4096], new[4096], torn[4096];
    int fd = file_make(), other = file_make();
    put_one_of(fd, 'a', was_together);
    if (is_cleared)
        cr_assert(outbox_file_clear(fd, 0) == 0);
    cr_assert(pread(fd, old, sizeof(old), 0) == sizeof(old));
    cr_assert(write(other, old, sizeof(old)) == sizeof(old));
    put_one_of(other, 'b', is_together);
    cr_assert(pread(other, new, sizeof(new), 0) == sizeof(new));
    for (unsigned mask = 0; mask < 1u << sizeof(old) / SECTOR; mask++) {
        for (size_t i = 0; i < sizeof(old) / SECTOR; i++)
            memcpy(torn + i * SECTOR, (mask >> i & 1 ? new : old) + i * SECTOR, SECTOR);
        cr_assert(pwrite(other, torn, sizeof(torn), 0) == sizeof(torn));
        torn_judge(other);
    }
    close(other);
    close(fd);
}

Test(lib_outbox, what_a_power_cut_left_between_two_batches_is_one_or_none) {
    for (unsigned i = 0; i < 8; i++)
        torn_try(i & 1, i & 2, i & 4);
}

Test(lib_outbox, fewer_batches_together_hide_what_was_behind_them) {
    int fd = file_make();
    unsigned n = 0;
    cr_assert(outbox_file_waiting(fd, &n) == 0 && n == 0);
    for (unsigned together = OUTBOX_PLACES; together > 0; together--) {
        put_together(fd, 'a', together);
        cr_assert(outbox_file_waiting(fd, &n) == 0 && n == together, "%u of %u", n, together);
    }
    put_together(fd, 'a', OUTBOX_PLACES);
    put(fd, 'b', 100, 500);
    cr_assert(outbox_file_waiting(fd, &n) == 0 && n == 1);
    cr_assert(outbox_file_clear(fd, 0) == 0);
    cr_assert(outbox_file_waiting(fd, &n) == 0 && n == 0);
    close(fd);
}

static void bits_hold(int fd, size_t n, size_t orders_at, size_t n_orders) {
    for (size_t bit = 0; bit < n * 8; bit++) {
        struct outbox_head head;
        size_t at = bit / 8;
        uint8_t byte;
        _cleanup_bytes_ struct bytes body = {}, pin = {};
        if (at >= orders_at && at < orders_at + n_orders)
            continue;
        cr_assert(pread(fd, &byte, 1, (off_t)at) == 1);
        byte ^= (uint8_t)(1 << bit % 8);
        cr_assert(pwrite(fd, &byte, 1, (off_t)at) == 1);
        int r = outbox_file_head(fd, 0, &head);
        bool pin_holds = r == 0 && outbox_file_pin(fd, &head, &pin) == 0;
        bool body_holds = r == 0 && outbox_file_body(fd, &head, &body) == 0;
        cr_assert(!(pin_holds && body_holds), "bit %zu", bit);
        byte ^= (uint8_t)(1 << bit % 8);
        cr_assert(pwrite(fd, &byte, 1, (off_t)at) == 1);
    }
}

Test(lib_outbox, every_bit_that_is_not_an_orders_is_held) {
    int fd = file_make();
    put(fd, 'a', 100, 500);
    bits_hold(fd, OUTBOX_HEAD_BYTES + 600, OUTBOX_HEAD_BYTES + 100 + 300, 100);
    put_together(fd, 'a', 1);
    bits_hold(fd, OUTBOX_HEAD_BYTES + 1400, OUTBOX_HEAD_BYTES + 600 + 300, 200);
    close(fd);
}

/* ---- what an older program left */

Test(lib_outbox, a_batch_that_an_older_program_kept_is_settled, .init = setup, .fini = teardown) {
    _cleanup_bytes_ struct bytes body = {}, old = {};
    struct outbox_head head;
    struct tb_bank *bank = bank_open();
    char names[8][300], path[600];
    size_t n_settled = 0;
    cr_assert(tb_bank_set_deadline(bank, 300) == 0);
    fake.refused = REFUSAL_TRY_LATER;
    fake.cut = FAKE_CUT_AFTER;
    cr_assert(batch_send(bank) == -EINPROGRESS);
    tb_bank_free(bank);
    cr_assert(fake.n_batches == 1 && outbox_names(names, 8) == 1);
    snprintf(path, sizeof(path), "%s/outbox/%s", state, names[0]);
    int fd = open(path, O_RDONLY);
    cr_assert(outbox_file_head(fd, 0, &head) == 0 && outbox_file_body(fd, &head, &body) == 0);
    close(fd);
    Timebank__Request *request = timebank__request__unpack(NULL, body.n, body.data);
    cr_assert(request && request->submit);
    bytes_put(&old, "TBO1", 4);
    timebank__submit__pack(request->submit,
                           bytes_reserve(&old, timebank__submit__get_packed_size(request->submit)));
    struct hash hash = hash_of(old.data, old.n);
    bytes_put(&old, hash.b, HASH_BYTES);
    cr_assert(file_replace(path, 0600, old.data, old.n) == 0);
    timebank__request__free_unpacked(request, NULL);
    fake.refused = 0;
    bank = bank_open();
    cr_assert(tb_bank_settle(bank, &n_settled) == 0 && n_settled == 1, "%s", tb_bank_notice(bank));
    tb_bank_free(bank);
    cr_assert(fake.n_batches == 1 && outbox_names(names, 8) == 0);
}

static void pin_path(char *path, size_t n) {
    char folder[200];
    snprintf(folder, sizeof(folder), "%s/pins", state);
    DIR *stream = opendir(folder);
    for (const struct dirent *entry; stream && (entry = readdir(stream));)
        if (strlen(entry->d_name) == 64)
            snprintf(path, n, "%s/%s", folder, entry->d_name);
    closedir(stream);
}

Test(lib_outbox, a_pin_that_an_older_program_kept_is_held_to, .init = setup, .fini = teardown) {
    struct tb_bank *bank = bank_open();
    char path[500];
    uint64_t size = 0;
    cr_assert(batch_send(bank) == 0);
    tb_bank_position(bank, &size, NULL);
    tb_bank_free(bank);
    _cleanup_bytes_ struct bytes file = {};
    pin_path(path, sizeof(path));
    cr_assert(file_read(path, 65536, &file) == 0 && memcmp(file.data, "TBP2", 4) == 0);
    /* The record's text alone: so it was before there were records. */
    cr_assert(file_replace(path, 0600, file.data + 8, file.n - 8 - HASH_BYTES) == 0);
    cr_assert(known_size() == size);
    bank = bank_open();
    cr_assert(batch_send(bank) == 0, "%s", tb_bank_message(bank));
    tb_bank_position(bank, &size, NULL);
    tb_bank_free(bank);
    cr_assert(known_size() == size, "and written anew");
    for (size_t i = 0; i < 2; i++) {
        cr_assert(file_replace(path, 0600, file.data, i == 0 ? file.n - 1 : 3) == 0);
        bank = bank_make();
        cr_assert(tb_bank_open(bank, fake.address) == -EIO, "a damaged pin is no pin");
        tb_bank_free(bank);
    }
}

Test(lib_outbox, a_torn_record_behind_the_first_is_as_if_not_written, .init = setup,
     .fini = teardown) {
    struct tb_bank *bank = bank_open();
    char path[500];
    uint64_t size = 0;
    tb_bank_position(bank, &size, NULL);
    tb_bank_free(bank);
    pin_path(path, sizeof(path));
    int fd = open(path, O_WRONLY);
    cr_assert(pwrite(fd, "TBP2\0\0\1\0garbage", 15, 4096) == 15);
    close(fd);
    cr_assert(known_size() == size);
}
