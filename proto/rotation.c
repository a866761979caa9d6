/* SPDX-License-Identifier: Apache-2.0 */
/* Links of 100 bytes, each signed by the key before: who trusts one key of a chain trusts those
 * after it. */
#include "rotation.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define MAGIC "TBK1"

static_assert(sizeof(MAGIC) - 1 + HASH_BYTES + 2 * NOTE_KEY_BYTES == ROTATION_BYTES, "a link");

void rotation_bytes(const struct rotation *rotation, uint8_t ret[ROTATION_BYTES]) {
    memcpy(ret, MAGIC, 4);
    memcpy(ret + 4, rotation->ledger_id.b, HASH_BYTES);
    memcpy(ret + 4 + HASH_BYTES, rotation->old_key, NOTE_KEY_BYTES);
    memcpy(ret + 4 + HASH_BYTES + NOTE_KEY_BYTES, rotation->new_key, NOTE_KEY_BYTES);
}

int rotation_sign(const struct rotation *rotation, const uint8_t secret_key[SSHSIG_SECRET_BYTES],
                  uint8_t ret[SSHSIG_SIGNATURE_BYTES]) {
    uint8_t bytes[ROTATION_BYTES];

    rotation_bytes(rotation, bytes);
    return sshsig_sign(ROTATION_NAMESPACE, bytes, sizeof(bytes), secret_key, ret);
}

static int check(const struct rotation *rotation, const uint8_t key[NOTE_KEY_BYTES],
                 const uint8_t signature[SSHSIG_SIGNATURE_BYTES]) {
    uint8_t bytes[ROTATION_BYTES];

    rotation_bytes(rotation, bytes);
    return sshsig_verify(ROTATION_NAMESPACE, bytes, sizeof(bytes), key, signature);
}

int rotation_check_old(const struct rotation *rotation,
                       const uint8_t signature[SSHSIG_SIGNATURE_BYTES]) {
    return check(rotation, rotation->old_key, signature);
}

int rotation_check_new(const struct rotation *rotation,
                       const uint8_t signature[SSHSIG_SIGNATURE_BYTES]) {
    return check(rotation, rotation->new_key, signature);
}

int rotation_chain_begin(struct rotation_chain *ret, const char *origin,
                         const uint8_t key[NOTE_KEY_BYTES]) {
    struct note_verifier verifier;
    int r = note_verifier_init(&verifier, origin, key);

    if (r < 0)
        return r;
    *ret = (struct rotation_chain){.n = 1, .ledger_id = note_ledger_id(origin, key)};
    ret->verifiers[0] = verifier;
    return 0;
}

int rotation_chain_add(struct rotation_chain *chain, const uint8_t key[NOTE_KEY_BYTES],
                       const uint8_t by_old[SSHSIG_SIGNATURE_BYTES]) {
    struct rotation rotation = {.ledger_id = chain->ledger_id};
    struct note_verifier next;

    assert(chain->n > 0);
    memcpy(rotation.old_key, rotation_chain_last(chain)->key, NOTE_KEY_BYTES);
    memcpy(rotation.new_key, key, NOTE_KEY_BYTES);
    if (chain->n == ROTATION_KEYS_MAX || !sshsig_public_is_usable(key) ||
        rotation_check_old(&rotation, by_old) < 0 ||
        note_verifier_init(&next, chain->verifiers[0].name, key) < 0 ||
        rotation_chain_find(chain, &next) >= 0)
        return -EBADMSG;
    chain->verifiers[chain->n++] = next;
    return 0;
}

int rotation_chain_find(const struct rotation_chain *chain, const struct note_verifier *verifier) {
    for (size_t i = 0; i < chain->n; i++)
        if (strcmp(chain->verifiers[i].name, verifier->name) == 0 &&
            memcmp(chain->verifiers[i].key, verifier->key, NOTE_KEY_BYTES) == 0)
            return (int)i;
    return -1;
}

const struct note_verifier *rotation_chain_last(const struct rotation_chain *chain) {
    return &chain->verifiers[chain->n - 1];
}
