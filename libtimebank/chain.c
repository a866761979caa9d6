/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing here is believed for where it came from: only signatures make a chain. */
#include "chain.h"

#include <errno.h>
#include <string.h>

#define ARENA_BYTES (1024u * 1024)

static bool is_key(const ProtobufCBinaryData *data) {
    return data->len == NOTE_KEY_BYTES;
}

int chain_read(const Timebank__Greeting *greeting, const struct note_verifier *verifier,
               struct rotation_chain *ret) {
    struct rotation_chain chain;
    size_t n = greeting->n_keys;
    int r;

    if (n == 0 && greeting->n_by_old == 0)
        return rotation_chain_begin(ret, verifier->name, verifier->key);
    if (n == 0 || n > ROTATION_KEYS_MAX || greeting->n_by_old != n - 1 ||
        !is_key(&greeting->keys[0]))
        return -EBADMSG;
    r = rotation_chain_begin(&chain, verifier->name, greeting->keys[0].data);
    for (size_t i = 1; i < n && r == 0; i++)
        r = is_key(&greeting->keys[i]) && greeting->by_old[i - 1].len == SSHSIG_SIGNATURE_BYTES
                ? rotation_chain_add(&chain, greeting->keys[i].data, greeting->by_old[i - 1].data)
                : -EBADMSG;
    if (r < 0 || memcmp(rotation_chain_last(&chain)->key, verifier->key, NOTE_KEY_BYTES) != 0)
        return -EBADMSG;
    *ret = chain;
    return 0;
}

int chain_open_head(const struct tb_bank *bank, const void *note, size_t n,
                    struct note_verifier *ret_signer, struct note_head *ret) {
    const struct rotation_chain *chain = &bank->handshake.chain;
    const struct note_verifier *signer = &bank->verifier;
    int r = note_checkpoint_open(note, n, signer, ret);

    for (size_t i = chain->n; i > 0 && r == -EBADMSG; i--) {
        signer = &chain->verifiers[i - 1];
        r = note_checkpoint_open(note, n, signer, ret);
    }
    if (r == 0)
        *ret_signer = *signer;
    return r;
}

static int take_genesis(struct rotation_chain *chain, const uint8_t *body, size_t n,
                        struct arena *arena) {
    Timebank__Genesis *genesis = NULL;
    int r = record_genesis_decode(body, n, arena, &genesis);

    if (r < 0)
        return r;
    return is_key(&genesis->ledger_key) &&
                   rotation_chain_begin(chain, genesis->origin, genesis->ledger_key.data) == 0
               ? 0
               : -EBADMSG;
}

static int take_order(struct rotation_chain *chain, const uint8_t *body, size_t n,
                      struct arena *arena) {
    Timebank__Order *order = NULL;
    int r = record_order_decode(body, n, arena, &order);

    if (r < 0)
        return r;
    if (chain->n == 0 || order->kind_case != TIMEBANK__ORDER__KIND_ROTATE_KEY ||
        !is_key(&order->rotate_key->key) || order->rotate_key->by_old.len != SSHSIG_SIGNATURE_BYTES)
        return -EBADMSG;
    return rotation_chain_add(chain, order->rotate_key->key.data, order->rotate_key->by_old.data);
}

int chain_take_record(struct rotation_chain *chain, const uint8_t *record, size_t n) {
    struct arena arena;
    int r = -EBADMSG;

    arena_init(&arena, ARENA_BYTES);
    if (n > 1 && record[0] == RECORD_GENESIS)
        r = take_genesis(chain, record + 1, n - 1, &arena);
    else if (n > 1 && record[0] == RECORD_ORDER)
        r = take_order(chain, record + 1, n - 1, &arena);
    arena_fini(&arena);
    return r;
}
