/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of struct log, for log*.c only. */
#pragma once

#include <pthread.h>

#include "head.h"
#include "log.h"

#define LOG_GROUPS_IN_FLIGHT 2
#define LOG_GROUP_BYTES_MAX (8u * 1024 * 1024)

#define LOG_TILE_LEVELS                                                                            \
    7u /* from level 8 of the tree: 256^8 records are more than a size can say */

/* Hashes of one level of tiles, the first at `index`. */
struct log_nodes {
    uint64_t index;
    struct bytes hashes;
};

/* One run of a group, as it will be stored, and its row of table `after` (may be empty). */
struct log_run {
    uint64_t first;
    struct bytes value;
    struct bytes after;
};

struct log_group {
    struct log_group *next;
    uint64_t sequence;
    uint64_t old_size;
    uint64_t new_size;
    struct hash new_root; /* first path: from the committer's range */
    struct log_run *runs;
    size_t n_runs;
    struct log_nodes nodes[LOG_TILE_LEVELS]; /* that this group completes: the committer's */
    int nodes_r;
    void **beside;
    size_t n_beside;
    size_t n_bytes;
    bool is_closed;                 /* takes no more batches */
    bool is_published;              /* its last record is a state record */
    struct keyring_signers signers; /* of its head */
    struct bytes step;              /* rows of derived tables: a step is a group without runs */
    const struct state *state;      /* of a step: has the ids that are leaving, till it is done */
    struct head_slot slot;          /* of the head signed, once done */
    struct note_head head;
    int r;
};

struct committer {
    struct store *store;
    struct log_settings settings;
    int head_fd;
    struct head_slot slot;     /* last written */
    struct note_head head;     /* last signed */
    struct merkle_range range; /* [0, size) committed, or about to be */
    int event_fd;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct log_group *queue; /* oldest first */
    struct log_group *done;
    bool is_stopping;
};

struct log {
    struct log_settings settings;
    const struct keyring *keyring;
    struct keyring_signers signers; /* of the last durable head */
    struct store *store;
    struct store_read *read;
    struct state *state;
    struct account_tree accounts;
    uint64_t size; /* records applied */
    struct hash ledger_id;
    struct hash first_ledger_id;
    struct note_head head; /* last durable */
    struct head_slot slot;
    uint64_t next_sequence;
    uint64_t durable_sequence;
    uint64_t step_size;       /* where the stored derived tables stand */
    uint64_t step_tried_size; /* where a step last found no room */
    uint64_t step_room_bytes; /* that the step in flight may take */
    bool has_step_in_flight;
    uint64_t published_ms;
    uint64_t published_size;      /* the records up to the last state record, it included */
    uint64_t state_size;          /* likewise; 0 where none was made or met in this process */
    struct head_slot published;   /* the last durable head that ends with a state record */
    uint64_t published_head_size; /* its size, or 0 */
    struct log_group *collecting; /* NULL when empty */
    struct log_group *in_flight[LOG_GROUPS_IN_FLIGHT + 1]; /* oldest first; and one step */
    size_t n_in_flight;
    uint64_t last_sequence;   /* of the last group with records handed over */
    uint64_t n_bytes_pending; /* handed over or collecting, not durable */
    uint64_t disk_free_bytes; /* as seen at disk_looked_ms, which 0 makes stale */
    uint64_t disk_looked_ms;
    int broken; /* sticky */
    struct committer committer;
};

int log_new(struct log **ret_log, const struct log_settings *settings) TB_MUST_CHECK;
struct log *log_free(struct log *log);
DEFINE_CLEANUP(struct log *, log_free)
/* Opens the store in a directory and re-applies its tail, all but what takes a key: the head, which
 * must be met, was verified by the caller. */
int log_open_unsigned(struct log *log, const char *directory, const struct note_head *head,
                      char *why, size_t n_why) TB_MUST_CHECK;

struct log_group *log_group_new(struct log *log);
struct log_group *log_group_free(struct log *log, struct log_group *group);
/* Appends one run to the collecting group. */
int log_group_add(struct log *log, uint32_t n, const struct iovec *records,
                  const struct hash *leaves, struct bytes *after);
/* The same of a batch; `beside` (may be NULL) becomes the group's. */
int log_group_add_batch(struct log *log, const struct judging *judging,
                        const struct record_seal *seal, void *beside);
/* What a step may take at most, and whether disk, map and limits have that. */
uint64_t log_step_room(const struct log *log);
int log_has_room_for_step(struct log *log, uint64_t room) TB_MUST_CHECK;
/* What is left of map, disk and limits, whichever is least. */
int log_free_bytes(struct log *log, uint64_t *ret) TB_MUST_CHECK;
/* Collects changed rows of the derived tables into a group's step; marks them clean. */
int log_step_pack(struct log *log, struct bytes *to);
/* `state`: what was packed. On any thread; an empty step (its state may be NULL) writes nothing. */
int log_step_write(struct store_write *write, const struct bytes *step, const struct state *state);
void log_step_done(struct log *log);

/* Under this key of table meta: the layout u32 and its contrary, then the sums. */
#define LOG_META_STATE "state"
#define LOG_LAYOUT_BYTES 8u
void log_layout_pack(struct bytes *to);

/* log-rebuild.c: derived tables that this version cannot read are built anew by a start. */
struct log_rebuild {
    bool is_on;
    struct bytes rows; /* of table `after`, of the piece being gathered */
};
/* Says whether there is one to do, or to go on with, and empties the tables before the first.
 * -EPROTO: a later version wrote them. */
int log_rebuild_begin(struct log *log, struct log_rebuild *rebuild) TB_MUST_CHECK;
void log_rebuild_add(struct log_rebuild *rebuild, uint64_t first, const struct bytes *after);
/* The piece ends at this size: it is large enough, or the signed head ends there. */
bool log_rebuild_is_full(const struct log *log, const struct log_rebuild *rebuild, uint64_t size);
/* One piece, up to `size`; the read of the log is then to be renewed. */
int log_rebuild_write(struct log *log, struct log_rebuild *rebuild, uint64_t size,
                      bool is_last) TB_MUST_CHECK;

/* Whose signatures a head of the state as it stands bears: -ENOKEY where a key is not held. */
int log_signers_now(const struct log *log, struct keyring_signers *ret) TB_MUST_CHECK;
int log_committer_start(struct log *log, const char *directory, const struct keyring *keyring);
void log_committer_join(struct log *log);
void log_committer_close(struct log *log);
void log_committer_take(struct log *log, struct log_group *group);
/* Commits on this thread. */
void log_commit(struct committer *committer, struct log_group *group);
/* Signs and writes a head that extends the last: used by commits, and by a start that found more.
 */
int log_sign(struct committer *committer, const struct keyring_signers *signers,
             const struct note_head *head);
