/* SPDX-License-Identifier: Apache-2.0 */
/* Of the thread, so that banks of several threads share nothing. The oldest one goes. */
#include "opened.h"

#include <string.h>

struct opened {
    struct note_verifier verifier;
    struct note_head head;
    size_t n; /* 0: none */
    uint8_t data[OPENED_BYTES_MAX];
};

static _Thread_local struct opened kept[OPENED_CHECKPOINTS];
static _Thread_local unsigned next;

static bool verifiers_equal(const struct note_verifier *a, const struct note_verifier *b) {
    return memcmp(a->key, b->key, sizeof(a->key)) == 0 &&
           memcmp(a->key_id, b->key_id, sizeof(a->key_id)) == 0 && strcmp(a->name, b->name) == 0;
}

static const struct opened *find(const void *data, size_t n, const struct note_verifier *verifier) {
    for (unsigned i = 0; i < OPENED_CHECKPOINTS; i++)
        if (n > 0 && kept[i].n == n && memcmp(kept[i].data, data, n) == 0 &&
            verifiers_equal(&kept[i].verifier, verifier))
            return &kept[i];
    return NULL;
}

static void keep(const void *data, size_t n, const struct note_verifier *verifier,
                 const struct note_head *head) {
    struct opened *opened = &kept[next++ % OPENED_CHECKPOINTS];
    opened->verifier = *verifier;
    opened->head = *head;
    opened->n = n;
    memcpy(opened->data, data, n);
}

int opened_checkpoint(const void *data, size_t n, const struct note_verifier *verifier,
                      struct note_head *ret) {
    const struct opened *opened = find(data, n, verifier);
    if (opened) {
        *ret = opened->head;
        return 0;
    }
    int r = note_checkpoint_open(data, n, verifier, ret);
    if (r == 0 && n <= OPENED_BYTES_MAX)
        keep(data, n, verifier, ret);
    return r;
}
