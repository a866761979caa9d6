/* SPDX-License-Identifier: Apache-2.0 */
/* One thread, which collects sentences; whoever asks takes them when it has ended. */
#include "check-facts.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bytes.h"

/* The rules take longer: on few cores they are not to wait for this. */
#define NICE 5

struct check_facts {
    const char *directory;
    struct store *store;
    pthread_t thread;
    bool is_running;
    atomic_bool is_cancelled;
    struct bytes sentences; /* each ends with a NUL */
    int r;
};

static void keep(void *user, const char *sentence) {
    struct check_facts *facts = user;

    bytes_put(&facts->sentences, sentence, strlen(sentence) + 1);
}

static void *run(void *user) {
    struct check_facts *facts = user;

    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    facts->r = projection_check(facts->directory, facts->store, &facts->is_cancelled, keep, facts);
    return NULL;
}

int check_facts_begin(struct check_facts **ret, const char *directory, struct store *store) {
    struct check_facts *facts = calloc(1, sizeof(*facts));
    int r;

    if (!facts)
        return -ENOMEM;
    facts->directory = directory;
    facts->store = store;
    r = pthread_create(&facts->thread, NULL, run, facts);
    if (r != 0) {
        free(facts);
        return -r;
    }
    facts->is_running = true;
    *ret = facts;
    return 0;
}

static void join(struct check_facts *facts) {
    if (facts->is_running)
        pthread_join(facts->thread, NULL);
    facts->is_running = false;
}

int check_facts_end(struct check_facts *facts, void (*tell)(void *user, const char *sentence),
                    void *user) {
    size_t n;

    join(facts);
    if (facts->sentences.r < 0)
        return facts->sentences.r;
    for (size_t at = 0; at < facts->sentences.n; at += n) {
        const char *sentence = (const char *)facts->sentences.data + at;
        n = strlen(sentence) + 1;
        tell(user, sentence);
    }
    return facts->r;
}

struct check_facts *check_facts_free(struct check_facts *facts) {
    if (!facts)
        return NULL;
    atomic_store(&facts->is_cancelled, true);
    join(facts);
    bytes_fini(&facts->sentences);
    free(facts);
    return NULL;
}
