/* SPDX-License-Identifier: Apache-2.0 */
/* A list that the thread appends to and the taker takes whole, so that small runs are not handed
 * over one by one. */
#include "replay-ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* Two full batches are being gone through or waiting, and two are being proven. */
#define RECORDS_AHEAD 32768u

struct item {
    struct item *next;
    struct replay_ahead_run run;
};

struct replay_ahead {
    struct store *store;
    uint64_t from;
    bool decodes;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t has_items;
    pthread_cond_t has_room;
    struct item *first; /* waiting */
    struct item **last;
    uint64_t n_waiting; /* records of them, and of those taken but one */
    bool is_stopping;
    bool is_over;
    int r;              /* once over */
    struct item *taken; /* by the taker, who alone looks at them: the first is in use */
};

static struct item *item_free(struct item *item) {
    struct item *next = item->next;

    replay_proof_fini(&item->run.proof);
    free(item);
    return next;
}

/* false: the taker has stopped. */
static bool put(struct replay_ahead *ahead, struct item *item) {
    uint64_t n = item->run.proof.run.n;
    bool is_stopping;

    pthread_mutex_lock(&ahead->mutex);
    while (ahead->n_waiting >= RECORDS_AHEAD && !ahead->is_stopping)
        pthread_cond_wait(&ahead->has_room, &ahead->mutex);
    ahead->n_waiting += n;
    *ahead->last = item;
    ahead->last = &item->next;
    is_stopping = ahead->is_stopping;
    pthread_cond_signal(&ahead->has_items);
    pthread_mutex_unlock(&ahead->mutex);
    return !is_stopping;
}

static int prove_each(void *user, struct store_value key, struct store_value value) {
    struct replay_ahead *ahead = user;
    struct item *item = calloc(1, sizeof(*item));
    struct run run;
    bool is_last;

    if (!item)
        return -ENOMEM;
    item->run.key = key;
    item->run.value = value;
    item->run.r = run_parse(&run, key, value);
    if (item->run.r == 0)
        item->run.r = replay_prove(&run, ahead->decodes, &item->run.proof);
    is_last = item->run.r < 0;
    return !put(ahead, item) || is_last;
}

static void *run_ahead(void *user) {
    struct replay_ahead *ahead = user;
    struct store_read *read = NULL;
    uint8_t key[8];
    int r = store_read_begin(ahead->store, &read);

    be64_put(key, ahead->from);
    if (r == 0)
        r = store_each(read, RUNS_LOG, key, sizeof(key), prove_each, ahead);
    pthread_mutex_lock(&ahead->mutex);
    ahead->r = MIN_OF(r, 0);
    ahead->is_over = true;
    pthread_cond_signal(&ahead->has_items);
    /* Values of this read are borrowed until the taker is through. */
    while (!ahead->is_stopping)
        pthread_cond_wait(&ahead->has_room, &ahead->mutex);
    pthread_mutex_unlock(&ahead->mutex);
    store_read_end(read);
    return NULL;
}

static struct replay_ahead *ahead_free(struct replay_ahead *ahead) {
    pthread_cond_destroy(&ahead->has_room);
    pthread_cond_destroy(&ahead->has_items);
    pthread_mutex_destroy(&ahead->mutex);
    free(ahead);
    return NULL;
}

int replay_ahead_new(struct replay_ahead **ret, struct store *store, uint64_t from, bool decodes) {
    struct replay_ahead *ahead = calloc(1, sizeof(*ahead));
    int r;

    if (!ahead)
        return -ENOMEM;
    *ahead = (struct replay_ahead){.store = store, .from = from, .decodes = decodes};
    ahead->last = &ahead->first;
    pthread_mutex_init(&ahead->mutex, NULL);
    pthread_cond_init(&ahead->has_items, NULL);
    pthread_cond_init(&ahead->has_room, NULL);
    r = pthread_create(&ahead->thread, NULL, run_ahead, ahead);
    if (r != 0) {
        ahead_free(ahead);
        return -r;
    }
    *ret = ahead;
    return 0;
}

/* Everything that waits; true when there was something. */
static bool take(struct replay_ahead *ahead) {
    pthread_mutex_lock(&ahead->mutex);
    while (!ahead->first && !ahead->is_over)
        pthread_cond_wait(&ahead->has_items, &ahead->mutex);
    ahead->taken = ahead->first;
    ahead->first = NULL;
    ahead->last = &ahead->first;
    pthread_mutex_unlock(&ahead->mutex);
    return ahead->taken != NULL;
}

static void give_back(struct replay_ahead *ahead) {
    uint64_t n = ahead->taken->run.proof.run.n;

    ahead->taken = item_free(ahead->taken);
    pthread_mutex_lock(&ahead->mutex);
    ahead->n_waiting -= n;
    if (ahead->n_waiting < RECORDS_AHEAD)
        pthread_cond_signal(&ahead->has_room);
    pthread_mutex_unlock(&ahead->mutex);
}

int replay_ahead_next(struct replay_ahead *ahead, const struct replay_ahead_run **ret) {
    if (ahead->taken)
        give_back(ahead);
    if (!ahead->taken && !take(ahead))
        return ahead->r;
    *ret = &ahead->taken->run;
    return 1;
}

struct replay_ahead *replay_ahead_free(struct replay_ahead *ahead) {
    if (!ahead)
        return NULL;
    pthread_mutex_lock(&ahead->mutex);
    ahead->is_stopping = true;
    pthread_cond_signal(&ahead->has_room);
    pthread_mutex_unlock(&ahead->mutex);
    pthread_join(ahead->thread, NULL);
    while (ahead->taken)
        ahead->taken = item_free(ahead->taken);
    while (ahead->first)
        ahead->first = item_free(ahead->first);
    return ahead_free(ahead);
}
