/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent's side: a child reads the ledger and tells what it finds; if the child dies, the place
 * it had reached (in shared memory) is told instead. check-ledger.c is what runs in the child.
 */
#include "check.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check-ledger.h"

static void tell_death(FILE *to, const struct check_progress *progress, int status) {
    fprintf(to, "damaged: reading %s stops the reader (%s)", progress->where,
            strsignal(WTERMSIG(status)));
    if (progress->index > 0)
        fprintf(to, " near record %llu", (unsigned long long)progress->index);
    fprintf(to, "\n");
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
