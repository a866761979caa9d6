/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts can do at most, here and now: `limits DIRECTORY [SECONDS]` prints one JSON object.
 * The disk is the one that DIRECTORY is on; each part runs for SECONDS (default 0.2). A goal is a
 * ratio to these, because the machine is never the same twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/hash.h"

#define PAGE_BYTES 4096
#define VALUE_BYTES 220
#define MESSAGE_BYTES 200
#define NODE_BYTES 65
#define PAIRS 512
#define SOCKET_BYTES 64
#define SOCKET_PIPELINE 16
#define MAP_BYTES ((size_t)8 << 30)

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(bool holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "limits: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* Seconds of one fdatasync of an overwritten page. */
static double sync_one_s(const char *directory, double seconds) {
    char path[4096], page[PAGE_BYTES] = {0};
    snprintf(path, sizeof(path), "%s/sync", directory);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(fd >= 0 && pwrite(fd, page, sizeof(page), 0) == PAGE_BYTES && fsync(fd) == 0, path);
    double began = now_s();
    long n = 0;
    for (; n == 0 || now_s() - began < seconds; n++) {
        memset(page, (int)n, sizeof(page));
        must(pwrite(fd, page, sizeof(page), 0) == PAGE_BYTES && fdatasync(fd) == 0, path);
    }
    double one = (now_s() - began) / (double)n;
    close(fd);
    unlink(path);
    return one;
}

static MDB_env *store_open(const char *path) {
    MDB_env *env = NULL;
    must(mkdir(path, 0700) == 0 && mdb_env_create(&env) == 0 &&
             mdb_env_set_mapsize(env, MAP_BYTES) == 0 && mdb_env_open(env, path, 0, 0600) == 0,
         path);
    return env;
}

static void store_remove(MDB_env *env, const char *path) {
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    char file[4200];
    mdb_env_close(env);
    for (size_t i = 0; i < 2; i++) {
        snprintf(file, sizeof(file), "%s/%s", path, names[i]);
        unlink(file);
    }
    rmdir(path);
}

static void store_commit(MDB_env *env, unsigned long *next, long per_commit) {
    static char bytes[VALUE_BYTES];
    MDB_txn *txn = NULL;
    MDB_dbi dbi;
    must(mdb_txn_begin(env, NULL, 0, &txn) == 0 && mdb_dbi_open(txn, NULL, 0, &dbi) == 0, "begin");
    for (long i = 0; i < per_commit; i++, ++*next) {
        unsigned long number = __builtin_bswap64(*next);
        MDB_val key = {sizeof(number), &number}, value = {sizeof(bytes), bytes};
        must(mdb_put(txn, dbi, &key, &value, MDB_APPEND | MDB_NOOVERWRITE) == 0, "put");
    }
    must(mdb_txn_commit(txn) == 0, "commit");
}

/* Values per second, durable, so many in each commit. */
static double append_rate(const char *directory, long per_commit, double seconds) {
    char path[4096];
    unsigned long next = 0;
    snprintf(path, sizeof(path), "%s/append", directory);
    MDB_env *env = store_open(path);
    store_commit(env, &next, per_commit); /* the first makes the file grow from nothing */
    unsigned long first = next;
    double began = now_s();
    while (next == first || now_s() - began < seconds)
        store_commit(env, &next, per_commit);
    double rate = (double)(next - first) / (now_s() - began);
    store_remove(env, path);
    return rate;
}

/* ---------------------------------------------------------------- sockets */

static void bytes_move(int fd, size_t n, bool in) {
    static char bytes[SOCKET_BYTES * SOCKET_PIPELINE];
    for (size_t at = 0; at < n;) {
        ssize_t moved = in ? read(fd, bytes, n - at) : write(fd, bytes, n - at);
        must(moved > 0, "socket");
        at += (size_t)moved;
    }
}

/* Gives back whatever comes. */
static void echo(int fd) {
    static char bytes[SOCKET_BYTES * SOCKET_PIPELINE];
    for (ssize_t n; (n = read(fd, bytes, sizeof(bytes))) > 0;)
        if (write(fd, bytes, (size_t)n) != n)
            _exit(1);
    _exit(0);
}

/* Messages per second to another process and back, so many at once, over a Unix socket. */
static double socket_rate(size_t at_once, double seconds) {
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        close(ends[0]);
        echo(ends[1]);
    }
    close(ends[1]);
    double began = now_s();
    size_t n = 0;
    for (; n == 0 || now_s() - began < seconds; n += at_once) {
        bytes_move(ends[0], at_once * SOCKET_BYTES, false);
        bytes_move(ends[0], at_once * SOCKET_BYTES, true);
    }
    double rate = (double)n / (now_s() - began);
    close(ends[0]);
    waitpid(child, NULL, 0);
    return rate;
}

/* --------------------------------------------------------------- the parts */

struct crypto {
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret_key[crypto_sign_SECRETKEYBYTES];
    uint8_t message[MESSAGE_BYTES];
    uint8_t signature[crypto_sign_BYTES];
    uint8_t node[NODE_BYTES];
    struct hash pairs[2 * PAIRS];
};

static void sign_one(struct crypto *crypto) {
    crypto_sign_detached(crypto->signature, NULL, crypto->message, MESSAGE_BYTES,
                         crypto->secret_key);
}

static void verify_one(struct crypto *crypto) {
    must(crypto_sign_verify_detached(crypto->signature, crypto->message, MESSAGE_BYTES,
                                     crypto->public_key) == 0,
         "verify");
}

/* Each hash goes into the next, so that none can be left out. */
static void hash_one(struct crypto *crypto) {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, crypto->node, NODE_BYTES);
    SHA256_Final(crypto->node, &context);
}

/* As the ledger hashes a level of its tree: all pairs of it at once. */
static void hash_many(struct crypto *crypto) {
    hash_of_pairs(1, crypto->pairs, PAIRS, crypto->pairs);
}

static double rate_of(void (*one)(struct crypto *crypto), struct crypto *crypto, double seconds) {
    double began = now_s();
    long n = 0;
    for (; n == 0 || now_s() - began < seconds; n += 64)
        for (int i = 0; i < 64; i++)
            one(crypto);
    return (double)n / (now_s() - began);
}

static void tell(const char *name, double value) {
    static const char *before = "{";
    printf("%s\"%s\": %.2f", before, name, value);
    fflush(stdout); /* a child would print it again */
    before = ", ";
}

int main(int argc, char **argv) {
    static struct crypto crypto;
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 0.2;

    if (argc < 2 || sodium_init() < 0) {
        fprintf(stderr, "usage: limits DIRECTORY [SECONDS]\n");
        return 64;
    }
    crypto_sign_keypair(crypto.public_key, crypto.secret_key);
    tell("sync_4k_us", sync_one_s(argv[1], seconds) * 1e6);
    tell("append_1", append_rate(argv[1], 1, seconds));
    tell("append_64", append_rate(argv[1], 64, seconds));
    tell("append_1000", append_rate(argv[1], 1000, seconds));
    tell("append_8000", append_rate(argv[1], 8000, seconds));
    tell("sign", rate_of(sign_one, &crypto, seconds));
    tell("verify", rate_of(verify_one, &crypto, seconds));
    tell("sha256_65", rate_of(hash_one, &crypto, seconds));
    tell("node_many", PAIRS * rate_of(hash_many, &crypto, seconds));
    tell("socket_1", socket_rate(1, seconds));
    tell("socket_16", socket_rate(SOCKET_PIPELINE, seconds));
    printf("}\n");
    return 0;
}
