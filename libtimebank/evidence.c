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
#include "proto/text64.h"
#include "state.h"
#include "wire.h"

static void section_put(struct bytes *to, const char *title, const void *text, size_t n) {
    bytes_printf(to, "\n--- %s\n", title);
    if (n > 0)
        bytes_put(to, text, n);
    else
        bytes_put_text(to, "none\n");
}

static void section_put_base64(struct bytes *to, const char *title, const struct bytes *data) {
    bytes_printf(to, "\n--- %s, base64 of the protobuf message\n", title);
    text64_encode(to, data->data, data->n);
    bytes_put_u8(to, '\n');
}

static void exchange_put(const struct tb_bank *bank, struct bytes *to) {
    static const struct bytes nothing;
    _cleanup_bytes_ struct bytes request = {};
    if (bank->judged.body)
        wire_request(bank->judged.tag, bank->judged.known_size, bank->judged.body, &request);
    section_put_base64(to, "request", &request);
    section_put_base64(to, "reply", bank->judged.reply ? bank->judged.reply : &nothing);
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
    bytes_printf(&file, "timebank-evidence/1\n%s\n\naddress %s\nledger %s\ntime_ms %llu\n",
                 sentence, bank->address ? bank->address : "-",
                 bank->verifier_key ? bank->verifier_key : "-", (unsigned long long)now_ms);
    section_put(&file, "the head that was verified before", bank->head.checkpoint.data,
                bank->head.checkpoint.n);
    section_put(&file, "the head that was shown now", checkpoint, n);
    exchange_put(bank, &file);
    if (file.r == 0 && file_create(path, 0600, file.data, file.n) == 0)
        bank->evidence = TAKE(path);
}
