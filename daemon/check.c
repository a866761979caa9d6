/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent's side: a child reads the ledger and tells what it finds; if the child dies, or works
 * for long at one place, the place it had reached (in shared memory) is told instead.
 * check-ledger.c is what runs in the child.
 */
#include "check.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check-ledger.h"

#define LOOK_MS 1000
/* Of processor time, so that a slow disk is no fault; a run takes a tenth of a second. */
#define STUCK_MS 5000u

static void tell_death(FILE *to, const struct check_progress *progress, int status) {
    fprintf(to, "damaged: reading %s", progress->where);
    if (progress->index > 0)
        fprintf(to, " near record %llu", (unsigned long long)progress->index);
    if (progress->is_stuck)
        fprintf(to, " does not end\n");
    else
        fprintf(to, " stops the reader (%s)\n", strsignal(WTERMSIG(status)));
}

/* The child is not to outlive a parent that is killed, nor to hold its lock for that moment: the
 * next start would be refused. */
static void leave_parent(pid_t parent, FILE *to) {
    unsigned keep = (unsigned)MAX_OF(fileno(to), STDERR_FILENO);

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(1);
    if (keep > STDERR_FILENO + 1)
        close_range(STDERR_FILENO + 1, keep - 1, 0);
    close_range(keep + 1, ~0u, 0);
}

static uint64_t worked_ms(pid_t child) {
    struct timespec worked;
    clockid_t clock;

    if (clock_getcpuclockid(child, &clock) != 0 || clock_gettime(clock, &worked) < 0)
        return 0;
    return (uint64_t)worked.tv_sec * 1000 + (uint64_t)worked.tv_nsec / 1000000;
}

/* Until it has ended; what works on and on at one place is ended here. */
static void watch(struct check_progress *progress, pid_t child) {
    _cleanup_(closep) int fd = pidfd_open(child, 0);
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    uint64_t n_read = 0, since_ms = 0;
    int n;

    while (fd >= 0 && (n = poll(&ended, 1, LOOK_MS)) <= 0) {
        uint64_t now = __atomic_load_n(&progress->n_read, __ATOMIC_RELAXED);
        uint64_t now_ms = worked_ms(child);
        if (n < 0 && errno != EINTR)
            return;
        if (now != n_read || progress->takes_long) {
            n_read = now;
            since_ms = now_ms;
        } else if (now_ms - since_ms >= STUCK_MS) {
            progress->is_stuck = true;
            kill(child, SIGKILL);
            return;
        }
    }
}

static int run_child(struct check_progress *progress, const char *directory,
                     const struct bank_settings *settings, enum check_extent extent, FILE *to,
                     int *ret_status) {
    pid_t parent = getpid(), child;

    fflush(NULL);
    child = fork();
    if (child < 0)
        return -errno;
    if (child == 0) {
        leave_parent(parent, to);
        progress->r = check_ledger_run(progress, directory, settings, extent, to);
        fflush(to);
        _exit(progress->r == 0 ? 0 : 1);
    }
    watch(progress, child);
    while (waitpid(child, ret_status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return progress->r;
}

/* A reader that dies on two threads is asked again on one, which tells the place. */
static int run_children(struct check_progress *progress, const char *directory,
                        const struct bank_settings *settings, enum check_extent extent, FILE *to) {
    int status = 0;
    int r = run_child(progress, directory, settings, extent, to, &status);

    if (WIFSIGNALED(status)) {
        *progress = (struct check_progress){.where = "the head file", .r = -EIO, .is_alone = true};
        r = run_child(progress, directory, settings, extent, to, &status);
    }
    if (!WIFSIGNALED(status))
        return r;
    tell_death(to, progress, status);
    return -EUCLEAN;
}

static int check(const char *directory, const struct bank_settings *settings,
                 enum check_extent extent, FILE *to, struct check_result *ret_result) {
    struct check_progress *progress =
        mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int r;

    if (progress == MAP_FAILED)
        return -errno;
    progress->where = "the head file";
    progress->r = -EIO;
    r = run_children(progress, directory, settings, extent, to);
    if (ret_result)
        *ret_result = progress->result;
    munmap(progress, sizeof(*progress));
    return r;
}

int check_ledger(const char *directory, const struct bank_settings *settings, bool is_full,
                 FILE *to, struct check_result *ret_result) {
    return check(directory, settings, is_full ? CHECK_FULL : CHECK_PLAIN, to, ret_result);
}

int check_before_start(const char *directory, const struct bank_settings *settings) {
    return check(directory, settings, CHECK_START, stderr, NULL);
}
