/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence is written by whoever was just lied to: it must not fail for want of a state directory's
 * order, and where it does fail the call still ends as not verified.
 */
#include "evidence.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "proto/evidence-file.h"
#include "state.h"
#include "wire.h"

static void exchange_put(const struct tb_bank *bank, struct bytes *to) {
    static const struct bytes nothing;
    _cleanup_bytes_ struct bytes request = {};
    if (bank->judged.body)
        wire_request(bank->judged.tag, bank->judged.known_size, bank->judged.body, &request);
    const struct bytes *reply = bank->judged.reply ? bank->judged.reply : &nothing;
    evidence_file_data(to, EVIDENCE_REQUEST, request.data, request.r < 0 ? 0 : request.n);
    evidence_file_data(to, EVIDENCE_REPLY, reply->data, reply->n);
}

static bool is_same(const struct bytes *a, const struct bytes *b) {
    return a->n == b->n && memcmp(a->data, b->data, a->n) == 0;
}

void evidence_write(struct tb_bank *bank, const char *sentence, const void *checkpoint, size_t n) {
    free(bank->evidence);
    bank->evidence = NULL;
    uint64_t now_ms = clock_wall_ms();
    char name[64];
    snprintf(name, sizeof(name), "%013llu-%08x.txt", (unsigned long long)now_ms,
             (unsigned)randombytes_random());
    _cleanup_(freep) char *path = NULL;
    if (state_path(bank, "evidence", name, &path) != 0)
        return;
    _cleanup_bytes_ struct bytes file = {};
    evidence_file_begin(&file, sentence, bank->address, bank->verifier_key, now_ms);
    evidence_file_note(&file, EVIDENCE_HEAD_BEFORE, bank->head.checkpoint.data,
                       bank->head.checkpoint.n);
    const struct bytes *named = bank->judged.named;
    if (bank->judged.body && named->n > 0 && !is_same(named, &bank->head.checkpoint))
        evidence_file_note(&file, EVIDENCE_HEAD_NAMED, named->data, named->n);
    evidence_file_note(&file, EVIDENCE_HEAD_NOW, checkpoint, n);
    exchange_put(bank, &file);
    evidence_file_end(&file);
    if (file.r == 0 && file_create(path, 0600, file.data, file.n) == 0)
        bank->evidence = TAKE(path);
}
