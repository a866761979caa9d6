/* SPDX-License-Identifier: Apache-2.0 */
/* Both texts share the middle: the index and the hashes. */
#include "proof.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lines.h"
#include "text64.h"

#define PROOF_MAGIC "c2sp.org/tlog-proof@v1"
#define BATCH_MAGIC "timebank-batch-proof@v1"

void proof_fini(struct proof *proof) {
    bytes_fini(&proof->extra);
    *proof = (struct proof){};
}

static void path_put(const struct proof *proof, struct bytes *to) {
    bytes_printf(to, "index %" PRIu64 "\n", proof->index);
    lines_put_hashes(to, proof->path, proof->n_path);
}

void proof_format(const struct proof *proof, struct bytes *to) {
    bytes_put_text(to, PROOF_MAGIC "\n");
    if (proof->has_extra) {
        bytes_put_text(to, "extra ");
        text64_encode(to, proof->extra.data, proof->extra.n);
        bytes_put_u8(to, '\n');
    }
    path_put(proof, to);
    bytes_put_u8(to, '\n');
    bytes_put(to, proof->checkpoint, proof->n_checkpoint);
}

void proof_batch_format(const struct proof *proof, struct bytes *to) {
    bytes_put_text(to, BATCH_MAGIC "\n");
    path_put(proof, to);
}

/* The first line of the text, which must be that one. */
static int magic_read(struct lines *rest, size_t n, const char *magic) {
    struct lines line;
    if (n > PROOF_FILE_MAX || !lines_cut(rest, '\n', &line) || !lines_equals(line, magic))
        return -EBADMSG;
    return 0;
}

/* A line `extra`, where there is one. */
static int extra_read(struct lines *rest, struct proof *proof) {
    struct lines after = *rest, line;
    if (!lines_cut(&after, '\n', &line))
        return -EBADMSG;
    if (!lines_cut_word(&line, "extra"))
        return 0;
    *rest = after;
    proof->has_extra = true;
    return text64_decode(&proof->extra, line.text, line.n);
}

static int index_read(struct lines *rest, struct proof *proof) {
    struct lines line;
    if (!lines_cut(rest, '\n', &line) || !lines_cut_word(&line, "index"))
        return -EBADMSG;
    return lines_decimal(line, &proof->index);
}

/* Hashes up to an empty line, which is taken, or to the end. */
static int path_read(struct lines *rest, struct proof *proof, bool *ret_is_end) {
    struct lines line;
    while (rest->n > 0) {
        if (!lines_cut(rest, '\n', &line))
            return -EBADMSG;
        *ret_is_end = false;
        if (line.n == 0)
            return 0;
        if (proof->n_path == MERKLE_PATH_MAX)
            return -EBADMSG;
        int r = lines_hash(line, &proof->path[proof->n_path++]);
        if (r < 0)
            return r;
    }
    *ret_is_end = true;
    return 0;
}

static int proof_read(struct proof *proof, const void *data, size_t n) {
    struct lines rest = lines_make(data, n);
    bool is_end = true;
    int r = magic_read(&rest, n, PROOF_MAGIC);
    if (r == 0)
        r = extra_read(&rest, proof);
    if (r == 0)
        r = index_read(&rest, proof);
    if (r == 0)
        r = path_read(&rest, proof, &is_end);
    if (r == 0 && (is_end || rest.n == 0))
        r = -EBADMSG;
    proof->checkpoint = rest.text;
    proof->n_checkpoint = rest.n;
    return r;
}

int proof_parse(struct proof *ret, const void *data, size_t n) {
    struct proof proof = {};
    int r = proof_read(&proof, data, n);
    if (r < 0)
        proof_fini(&proof);
    else
        *ret = proof;
    return r;
}

int proof_batch_parse(struct proof *ret, const void *data, size_t n) {
    struct proof proof = {};
    struct lines rest = lines_make(data, n);
    bool is_end = false;
    int r = magic_read(&rest, n, BATCH_MAGIC);
    if (r == 0)
        r = index_read(&rest, &proof);
    if (r == 0)
        r = path_read(&rest, &proof, &is_end);
    if (r == 0 && !is_end)
        r = -EBADMSG;
    if (r == 0)
        *ret = proof;
    return r;
}
