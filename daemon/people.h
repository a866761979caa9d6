/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register of people, beside the ledger and never in it: who lives in which ward, of which age
 * band, and the text of notes. An environment of its own.
 *
 * Each record is encrypted (XChaCha20-Poly1305, libsodium) under a random key of its own, which
 * lies in another table: whoever deletes key and record and compacts the file has erased the
 * record, whatever old pages and copies still hold. Tables and rows:
 *
 *   keys     NAME || KEY  ->  key[32]                        NAME is `persons` or `notes`
 *   keys     `erased` || code, or code/person  ->  u8        how far an erasure is
 *   persons  code         ->  nonce[24] || sealed(u8 1 || u8 n || ward || u8 n || age band)
 *   notes    order id[16] ->  nonce[24] || sealed(salt[32] || text)
 *
 * The associated data of sealed() is NAME || KEY: a record moved to another place does not open.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "proto/batch.h"

#define PEOPLE_TEXT_MAX 64 /* bytes of a ward or an age band */
#define PEOPLE_NOTE_MAX 16384
#define PEOPLE_SALT_BYTES 32

struct people;
struct people_write;

struct people_person {
    char ward[PEOPLE_TEXT_MAX + 1]; /* empty: unknown */
    char age_band[PEOPLE_TEXT_MAX + 1];
};

/* Makes an empty register in an existing empty directory. */
int people_create(const char *directory, uint64_t map_bytes) TB_MUST_CHECK;
int people_open(struct people **ret, const char *directory, uint64_t map_bytes,
                bool read_only) TB_MUST_CHECK;
struct people *people_close(struct people *people);
DEFINE_CLEANUP(struct people *, people_close)

/* Room for so many bytes of new records? A map that is full would fail the commit. */
bool people_has_room(struct people *people, uint64_t bytes);

/* What follows may be called from several threads; a write is begun and ended in one.
 *
 * One write transaction, committed before the ledger's: a straight line of puts, each replacing
 * what was there, checked once at commit. -EINVAL: a code, text or note that is empty or too long.
 */
int people_begin(struct people *people, struct people_write **ret) TB_MUST_CHECK;
void people_put_person(struct people_write *write, const char *code, const char *ward,
                       const char *age_band);
void people_put_note(struct people_write *write, const uint8_t id[ORDER_ID_BYTES],
                     const uint8_t salt[PEOPLE_SALT_BYTES], const char *text);
/* How far the erasure of an account, or of one person of it ("m0007/2"), has come. */
enum people_erasure {
    PEOPLE_KEPT = 0,
    PEOPLE_DELETED = 1, /* records and keys are deleted, the file still holds what they were */
    PEOPLE_ERASED = 2,
};
void people_delete_person(struct people_write *write, const char *code);
void people_delete_note(struct people_write *write, const uint8_t id[ORDER_ID_BYTES]);
void people_put_erasure(struct people_write *write, const char *who, enum people_erasure how);
/* Ends the transaction whatever it returns. */
int people_commit(struct people_write *write) TB_MUST_CHECK;
struct people_write *people_abort(struct people_write *write);
DEFINE_CLEANUP(struct people_write *, people_abort)

/* 1 found, 0 not, -EBADMSG: there, but it does not open. The text of a note is the caller's. */
int people_get_person(struct people *people, const char *code,
                      struct people_person *ret) TB_MUST_CHECK;
int people_get_note(struct people *people, const uint8_t id[ORDER_ID_BYTES],
                    uint8_t ret_salt[PEOPLE_SALT_BYTES], char **ret_text) TB_MUST_CHECK;
/* Grows with every commit. */
uint64_t people_n_changes(const struct people *people);
/* Everyone in the register, ascending by code. Another value than 0 from each() ends it and is
 * returned. */
int people_each_person(struct people *people,
                       int (*each)(void *user, const char *code,
                                   const struct people_person *person),
                       void *user) TB_MUST_CHECK;

int people_get_erasure(struct people *people, const char *who,
                       enum people_erasure *ret) TB_MUST_CHECK;
/* The order of every note. Another value than 0 from each() ends it and is returned. */
int people_each_note(struct people *people,
                     int (*each)(void *user, const uint8_t id[ORDER_ID_BYTES]),
                     void *user) TB_MUST_CHECK;
/* Puts a compacted copy in the place of the file, in which nothing is left of what was deleted.
 * -EBADFD: the old file is closed and the new one cannot be opened, the register is gone for this
 * process; any other error leaves it as it was. */
int people_replace(struct people *people) TB_MUST_CHECK;

/* Opens every record and looks for its key, and for keys without a record; went_on() is called for
 * each. -EBADMSG with a sentence in why (n_why > 0). */
int people_check(struct people *people, void (*went_on)(void *user), void *user, char *why,
                 size_t n_why) TB_MUST_CHECK;
/* A compacted copy into a new file, synced: what was erased is not in it. */
int people_copy(struct people *people, const char *path) TB_MUST_CHECK;
