/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon greets with a verifier key and a nonce; we answer with our key, a nonce and a
 * signature over both; its welcome signs the same bytes with the ledger's key. Which ledger that
 * must be is said by tb_bank_set_ledger(), else by the pin of the address, else it is pinned here
 * and now.
 */
#include "connect.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/files.h"
#include "chain.h"
#include "evidence.h"
#include "pins.h"
#include "reply.h"
#include "state.h"
#include "verify.h"
#include "wire.h"

#define KEY_FILE_MAX 16384
#define PROTOCOL 1

void connect_close(struct tb_bank *bank) {
    closep(&bank->fd);
    bank->fd = -1;
    bank->link = LINK_NONE;
    bank->goodbye = 0;
    bank->dry_runs_lost = bank->dry_runs_lost || bank->n_dry_runs > 0;
    bank->n_dry_runs = 0;
    bank->handshake.greeting = reply_free(bank->handshake.greeting);
    bank->in_at = bank->out_at = 0;
    bytes_clear(&bank->in);
    bytes_clear(&bank->out);
}

/* The directory's real path and the socket's name: one name for one socket, however it is written.
 */
static char *path_normal(const char *path) {
    const char *slash = strrchr(path, '/');
    _cleanup_(freep) char *directory = NULL;
    if (!slash)
        directory = strdup(".");
    else
        directory = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (!directory)
        return NULL;
    _cleanup_(freep) char *real = realpath(directory, NULL);
    if (!real)
        return strdup(path);
    char *normal = NULL;
    if (asprintf(&normal, "%s/%s", strcmp(real, "/") == 0 ? "" : real, slash ? slash + 1 : path) <
        0)
        return NULL;
    return normal;
}

int connect_set_address(struct tb_bank *bank, const char *address) {
    if (strncmp(address, "unix:", 5) != 0 || address[5] == '\0')
        return bank_fail(bank, -EINVAL, "'%s' is not a bank's address: write unix:DIR/socket.",
                         address);
    const char *given = address + 5;
    _cleanup_(freep) char *normal = path_normal(given);
    _cleanup_(freep) char *named = NULL;
    if (!normal || asprintf(&named, "unix:%s", normal) < 0)
        return -ENOMEM;
    size_t n_max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
    /* A deep directory may be entered by a shorter, relative path. */
    char *path = strlen(normal) <= n_max ? TAKE(normal) : strdup(given);
    if (!path)
        return -ENOMEM;
    free(bank->socket_path);
    bank->socket_path = path;
    if (strlen(path) > n_max)
        return bank_fail(bank, -ENAMETOOLONG, "The socket's path is longer than %zu bytes: %s.",
                         n_max, path);
    free(bank->address);
    bank->address = TAKE(named);
    return 0;
}

static int key_refuse(struct tb_bank *bank, int r) {
    const char *path = bank->key_path;
    switch (r) {
    case -ENOENT:
        return bank_fail(bank, TB_NO_KEY,
                         "There is no key file %s: make one with timebank key new %s.", path, path);
    case -EPERM:
        return bank_fail(bank, TB_NO_KEY,
                         "The key file %s belongs to or is readable by others: chmod 600 it.",
                         path);
    case -ENOKEY:
        return bank_fail(
            bank, TB_NO_KEY,
            "The key file %s is encrypted: take its passphrase off with ssh-keygen -p -f "
            "%s, or make another key with timebank key new.",
            path, path);
    case -EBADMSG:
    case -EFBIG:
        return bank_fail(bank, TB_NO_KEY,
                         "%s is not an OpenSSH Ed25519 secret key file: name the one without .pub.",
                         path);
    case -EKEYREJECTED:
        return bank_fail(bank, TB_NO_KEY,
                         "The key file %s is damaged: its two halves do not belong together.",
                         path);
    case -ENOMEM:
        return r;
    default:
        return bank_fail(bank, TB_NO_KEY, "The key file %s cannot be read: %s.", path,
                         strerror(-r));
    }
}

int connect_load_key(struct tb_bank *bank) {
    if (!bank->secret_key)
        bank->secret_key = sodium_malloc(SSHSIG_SECRET_BYTES);
    if (!bank->secret_key)
        return -ENOMEM;
    if (!bank->key_path) {
        sshsig_secret_new(bank->secret_key);
        return 0;
    }
    _cleanup_bytes_ struct bytes file = {};
    int r = file_read_secret(bank->key_path, KEY_FILE_MAX, &file);
    if (r == 0)
        r = sshsig_secret_parse((const char *)file.data, file.n, bank->secret_key);
    if (file.data)
        sodium_memzero(file.data, file.n_allocated);
    return r < 0 ? key_refuse(bank, r) : 0;
}

static int socket_refuse(struct tb_bank *bank, int error) {
    switch (error) {
    case EACCES:
    case EPERM:
        return bank_fail(bank, -error,
                         "This user may not enter %s: ask the steward to open the socket to you.",
                         bank->address);
    case EAGAIN:
        return bank_fail(bank, TB_TRY_LATER, NULL);
    default:
        return bank_fail(bank, TB_NO_BANK,
                         "No bank answers at %s (%s): start it with timebankd run, "
                         "or check --bank.",
                         bank->address, strerror(error));
    }
}

int connect_begin(struct tb_bank *bank) {
    connect_close(bank);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t n = strlen(bank->socket_path);
    memcpy(name.sun_path, bank->socket_path, n + 1);
    _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return bank_fail(bank, -errno, NULL);
    if (connect(fd, (const struct sockaddr *)&name, sizeof(name)) < 0)
        return socket_refuse(bank, errno);
    bank->fd = TAKE_FD(fd);
    bank->link = LINK_GREETING;
    return 0;
}

static int wrong_ledger(struct tb_bank *bank, const char *met) {
    _cleanup_(freep) char *path = NULL;
    if (!bank->ledger_is_set && pins_address_path(bank, &path) == 0)
        return bank_fail(
            bank, TB_WRONG_LEDGER,
            "The bank at %s is not the one you trusted before: it says %s, the pin says "
            "%s. Stop, and ask a steward; if the change is right, remove %s.",
            bank->address, met, bank->verifier_key, path);
    return bank_fail(bank, TB_WRONG_LEDGER,
                     "The bank at %s is another one: it says %s, expected is %s. Stop, and ask a "
                     "steward.",
                     bank->address, met, bank->verifier_key);
}

/* A key that the one before did not sign for: whoever answers there has no right to the name. */
static int chain_refuse(struct tb_bank *bank) {
    static const char sentence[] =
        "The bank shows another key than before, and the ledger's earlier key did not sign for it: "
        "stop, and ask a steward.";
    bank->handshake.chain.n = 0;
    bank->judged.reply = &bank->handshake.greeting->bytes;
    evidence_write(bank, sentence, NULL, 0);
    bank->judged.reply = NULL;
    return bank_fail(bank, TB_WRONG_LEDGER, "%s%s%s", sentence, bank->evidence ? " Evidence: " : "",
                     bank->evidence ? bank->evidence : "");
}

/* What the greeting says, checked for form and against the ledger that is expected. */
static int greeting_read(struct tb_bank *bank, const Timebank__Response *response,
                         struct note_verifier *ret) {
    if (response->body_case != TIMEBANK__RESPONSE__BODY_GREETING || response->tag != 0)
        return bank_fail(bank, -EPROTO, "What answers at %s is no timebank.", bank->address);
    const Timebank__Greeting *greeting = response->greeting;
    if (greeting->protocol != PROTOCOL)
        return bank_fail(
            bank, -EPROTO,
            "The bank speaks protocol %u, this program speaks %d: update the older one.",
            greeting->protocol, PROTOCOL);
    int r = note_verifier_parse(ret, greeting->verifier_key);
    if (r < 0 || greeting->nonce.len != BATCH_NONCE_BYTES ||
        (greeting->first_ledger_id.len != 0 && greeting->first_ledger_id.len != HASH_BYTES) ||
        strcmp(ret->name, greeting->origin) != 0)
        return bank_fail(bank, -EPROTO, "The bank's greeting cannot be read.");
    if (chain_read(greeting, ret, &bank->handshake.chain) < 0)
        return chain_refuse(bank);
    if (bank->ledger_is_known && rotation_chain_find(&bank->handshake.chain, &bank->verifier) < 0)
        return wrong_ledger(bank, greeting->verifier_key);
    return 0;
}

static int hello_send(struct tb_bank *bank, const uint8_t nonce[BATCH_NONCE_BYTES]) {
    uint8_t signature[SSHSIG_SIGNATURE_BYTES];
    int r = sshsig_sign(SSHSIG_HELLO, bank->handshake.signed_bytes, BATCH_HELLO_BYTES,
                        bank->secret_key, signature);
    if (r < 0)
        return bank_fail(bank, r, "The key cannot sign: its file may be damaged.");
    /* libsodium's secret form ends with the public key. */
    uint8_t *public = bank->secret_key + SSHSIG_SECRET_BYTES - SSHSIG_PUBLIC_BYTES;
    Timebank__Hello hello = TIMEBANK__HELLO__INIT;
    hello.key = (ProtobufCBinaryData){.len = SSHSIG_PUBLIC_BYTES, .data = public};
    hello.nonce = (ProtobufCBinaryData){.len = BATCH_NONCE_BYTES, .data = (uint8_t *)nonce};
    hello.signature = (ProtobufCBinaryData){.len = sizeof(signature), .data = signature};
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_HELLO;
    request.hello = &hello;
    _cleanup_bytes_ struct bytes body = {};
    r = wire_body(&request, &body);
    bank->tag = 1;
    return r < 0 ? r : wire_put(bank, bank->tag, bank->head.head.size, &body);
}

static int greeting_take(struct tb_bank *bank, struct reply *reply) {
    bank->handshake.greeting = reply;
    struct note_verifier *verifier = &bank->handshake.verifier;
    int r = greeting_read(bank, reply->message, verifier);
    if (r != 0)
        return r;
    uint8_t nonce[BATCH_NONCE_BYTES];
    randombytes_buf(nonce, sizeof(nonce));
    batch_hello_bytes(&bank->handshake.chain.ledger_id, reply->message->greeting->nonce.data, nonce,
                      NULL, bank->handshake.signed_bytes);
    r = hello_send(bank, nonce);
    if (r == 0)
        bank->link = LINK_WELCOME;
    return r;
}

static int welcome_read(struct tb_bank *bank, const Timebank__Response *response) {
    if (response->body_case != TIMEBANK__RESPONSE__BODY_WELCOME || response->tag != bank->tag)
        return -EPROTO;
    const Timebank__Welcome *welcome = response->welcome;
    if (welcome->signature.len != SSHSIG_SIGNATURE_BYTES ||
        sshsig_verify(SSHSIG_WELCOME, bank->handshake.signed_bytes, BATCH_HELLO_BYTES,
                      bank->handshake.verifier.key, welcome->signature.data) < 0)
        return verify_fail(bank, NULL, 0, "The bank did not prove that it holds the ledger's key.");
    bank->role = (int)welcome->role;
    snprintf(bank->account, sizeof(bank->account), "%s", welcome->account);
    return 0;
}

/* Whoever trusted an earlier key trusts the one that it signed for. It is said once. */
static int ledger_follow(struct tb_bank *bank) {
    const struct note_verifier *last = rotation_chain_last(&bank->handshake.chain);
    struct note_verifier pinned;
    if (memcmp(last->key, bank->verifier.key, NOTE_KEY_BYTES) == 0)
        return 0;
    int r = pins_get_address(bank, &pinned);
    if (r != 0 && r != -ENOENT)
        return r;
    bool is_known = r == 0 && rotation_chain_find(&bank->handshake.chain, &pinned) ==
                                  (int)bank->handshake.chain.n - 1;
    r = bank_set_verifier(bank, last);
    if (r == 0 && !is_known)
        r = pins_set_address(bank);
    if (r == 0 && !is_known)
        bank_notice(bank,
                    "The ledger's key was changed, by the old key's own signature: its verifier "
                    "key is %s from now on.",
                    bank->verifier_key);
    return r;
}

/* The first time at an address: what was met is what will be demanded from now on. */
static int ledger_pin(struct tb_bank *bank, const struct note_verifier *verifier) {
    struct note_verifier pinned;
    int r = pins_get_address(bank, &pinned);
    if (r != 0 && r != -ENOENT)
        return r;
    bool is_first = r == -ENOENT;
    if (!is_first && strcmp(pinned.name, verifier->name) == 0 &&
        memcmp(pinned.key, verifier->key, NOTE_KEY_BYTES) == 0)
        return 0;
    if (!bank->ledger_is_known) {
        r = bank_set_verifier(bank, verifier);
        if (r != 0)
            return r;
    }
    r = pins_set_address(bank);
    if (r == 0 && !bank->ledger_is_set)
        bank_notice(
            bank,
            "First contact with the bank at %s: its verifier key %s is trusted from now on. "
            "Compare it once with the one timebankd init printed.",
            bank->address, bank->verifier_key);
    else if (r == 0 && !is_first)
        bank_notice(bank, "The bank at %s is now trusted as %s, as you said.", bank->address,
                    bank->verifier_key);
    return r;
}

/* The ledger id is that of the first key, which only the greeting told. */
static int ledger_meet(struct tb_bank *bank) {
    int r = bank->ledger_is_known ? ledger_follow(bank) : 0;
    if (r == 0 && !bank->opened)
        r = ledger_pin(bank, &bank->handshake.verifier);
    if (r != 0)
        return r;
    bank->ledger_id = bank->handshake.chain.ledger_id;
    return bank->opened ? 0 : pins_load_head(bank);
}

/* A first head to begin from; where one is known, whether the greeting showed that very one. What
 * it shows beyond is judged by the next reply, which must extend what is known. */
static int greeting_head(struct tb_bank *bank, const Timebank__Greeting *greeting) {
    const struct note_head *known = &bank->head.head;
    const ProtobufCBinaryData *note = &greeting->checkpoint;
    struct note_head head;
    int r = note_checkpoint_open(note->data, note->len, &bank->verifier, &head);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return verify_fail(bank, note->data, note->len,
                           "The signature on the ledger's head is not right.");
    /* The next reply need not show a head of a size that we name. */
    if (known->size == head.size && !hash_equal(&known->root, &head.root))
        return verify_two_histories(bank, note->data, note->len);
    if (known->size == 0)
        r = bank_set_head(bank, &head, note->data, note->len);
    bank->head_is_shown = known->size == head.size && hash_equal(&known->root, &head.root);
    return r;
}

/* Ids of orders made from files follow from it: another one would record a file a second time. */
static int first_ledger_take(struct tb_bank *bank, const Timebank__Greeting *greeting) {
    struct hash first = bank->ledger_id;
    if (greeting->first_ledger_id.len == HASH_BYTES)
        memcpy(first.b, greeting->first_ledger_id.data, HASH_BYTES);
    int r =
        bank->opened ? !hash_equal(&first, &bank->first_ledger_id) : pins_check_first(bank, &first);
    if (r == 1) {
        bank->judged.reply = &bank->handshake.greeting->bytes;
        return verify_fail(bank, NULL, 0,
                           "The bank names another ledger than before as the one that its records "
                           "began in: files would be recorded twice.");
    }
    bank->first_ledger_id = first;
    return r;
}

static int welcome_take(struct tb_bank *bank, struct reply *reply) {
    const Timebank__Response *greeting = bank->handshake.greeting->message;
    bank->judged.reply = &reply->bytes;
    int r = welcome_read(bank, reply->message);
    if (r == 0)
        r = ledger_meet(bank);
    if (r == 0)
        r = greeting_head(bank, greeting->greeting);
    if (r == 0)
        r = first_ledger_take(bank, greeting->greeting);
    bank->judged.reply = NULL;
    if (r != 0)
        return r;
    bank->handshake.greeting = reply_free(bank->handshake.greeting);
    bank->link = LINK_OPEN;
    bank->opened = true;
    return 0;
}

int connect_take(struct tb_bank *bank, struct reply *reply) {
    _cleanup_(reply_freep) struct reply *taken = reply;
    const Timebank__Response *response = reply->message;
    if (response->body_case == TIMEBANK__RESPONSE__BODY_REFUSED)
        return wire_refusal(bank, response->refused);
    if (bank->link == LINK_GREETING)
        return greeting_take(bank, TAKE(taken));
    return welcome_take(bank, reply);
}
