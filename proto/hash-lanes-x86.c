/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SHA extensions of x86 (Intel, "Intel SHA Extensions", 2013; FIPS 180-4 section 6.2). A state
 * is held as they want it, words ABEF in one register and CDGH in the other, from a message's first
 * block to its last. Messages queue for two lanes: whichever is done takes the next one, so that
 * lengths may differ.
 *
 * Built with the instructions switched on, and so only entered after the processor was asked; they
 * work on SSE registers, which every system saves.
 */
#include <assert.h>
#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#include "base/cleanup.h"
#include "hash-lanes.h"

#define BLOCK_BYTES 64u
#define LENGTH_BYTES 8u
#define END_OF_MESSAGE 0x80
#define AT_ONCE 8u

static const uint32_t round_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

struct state {
    __m128i abef;
    __m128i cdgh;
};

/* Sixteen words of the schedule: those of the block, then what is made of them. */
struct words {
    __m128i quad[4];
};

static bool is_here, is_hidden_now;

__attribute__((constructor)) static void ask_processor(void) {
    unsigned a, b, c, d;

    is_here = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_1) && (c & bit_SSSE3) &&
              __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

bool hash_lanes_are_here(void) {
    return is_here && !is_hidden_now;
}

void hash_lanes_hide(bool is_hidden) {
    is_hidden_now = is_hidden;
}

static inline struct state first_state(void) {
    return (struct state){
        .abef = _mm_set_epi32(0x6a09e667, (int)0xbb67ae85u, 0x510e527f, (int)0x9b05688cu),
        .cdgh = _mm_set_epi32(0x3c6ef372, (int)0xa54ff53au, 0x1f83d9ab, 0x5be0cd19),
    };
}

static inline __m128i load(const void *from) {
    return _mm_loadu_si128(from);
}

/* Words are big-endian in a message. */
static inline __m128i swap_words(__m128i bytes) {
    return _mm_shuffle_epi8(bytes,
                            _mm_set_epi64x((long long)0x0c0d0e0f08090a0bull, 0x0405060700010203ll));
}

static inline struct words load_block(const uint8_t *block) {
    return (struct words){
        .quad = {swap_words(load(block)), swap_words(load(block + 16)),
                 swap_words(load(block + 32)), swap_words(load(block + 48))},
    };
}

static inline void store_hash(const struct state *state, struct hash *to) {
    __m128i feba = _mm_shuffle_epi32(state->abef, 0x1b),
            dchg = _mm_shuffle_epi32(state->cdgh, 0xb1);

    _mm_storeu_si128((__m128i *)(void *)to->b, swap_words(_mm_blend_epi16(feba, dchg, 0xf0)));
    _mm_storeu_si128((__m128i *)(void *)(to->b + 16), swap_words(_mm_alignr_epi8(dchg, feba, 8)));
}

/* Rounds 4i to 4i + 3; the quad they used becomes the one of four times four rounds later. */
#define FOUR_ROUNDS(state, words, i)                                                               \
    do {                                                                                           \
        __m128i sum_ = _mm_add_epi32((words).quad[(i) % 4], load(&round_constants[4 * (i)]));      \
        (state).cdgh = _mm_sha256rnds2_epu32((state).cdgh, (state).abef, sum_);                    \
        (state).abef =                                                                             \
            _mm_sha256rnds2_epu32((state).abef, (state).cdgh, _mm_shuffle_epi32(sum_, 0x0e));      \
        if ((i) < 12)                                                                              \
            (words).quad[(i) % 4] = _mm_sha256msg2_epu32(                                          \
                _mm_add_epi32(                                                                     \
                    _mm_sha256msg1_epu32((words).quad[(i) % 4], (words).quad[((i) + 1) % 4]),      \
                    _mm_alignr_epi8((words).quad[((i) + 3) % 4], (words).quad[((i) + 2) % 4], 4)), \
                (words).quad[((i) + 3) % 4]);                                                      \
    } while (0)

#define SIXTEEN_TIMES(DO) /* the lanes in turn, so that one works while the other waits */         \
    do {                                                                                           \
        DO(0);                                                                                     \
        DO(1);                                                                                     \
        DO(2);                                                                                     \
        DO(3);                                                                                     \
        DO(4);                                                                                     \
        DO(5);                                                                                     \
        DO(6);                                                                                     \
        DO(7);                                                                                     \
        DO(8);                                                                                     \
        DO(9);                                                                                     \
        DO(10);                                                                                    \
        DO(11);                                                                                    \
        DO(12);                                                                                    \
        DO(13);                                                                                    \
        DO(14);                                                                                    \
        DO(15);                                                                                    \
    } while (0)

static inline void add_state(struct state *to, const struct state *other) {
    to->abef = _mm_add_epi32(to->abef, other->abef);
    to->cdgh = _mm_add_epi32(to->cdgh, other->cdgh);
}

static inline void compress_one(struct state *to, struct words words) {
    struct state state = *to;

#define DO(i) FOUR_ROUNDS(state, words, i)
    SIXTEEN_TIMES(DO);
#undef DO
    add_state(to, &state);
}

static inline void compress_two(struct state *to_a, struct words a, struct state *to_b,
                                struct words b) {
    struct state state_a = *to_a, state_b = *to_b;

#define DO(i)                                                                                      \
    FOUR_ROUNDS(state_a, a, i);                                                                    \
    FOUR_ROUNDS(state_b, b, i)
    SIXTEEN_TIMES(DO);
#undef DO
    add_state(to_a, &state_a);
    add_state(to_b, &state_b);
}

/* One message on its way: its first block lies in `head` where there is a prefix, its last ones in
 * `tail` (the rest, the end mark, the length), those between in the body itself. */
struct lane {
    struct state state;
    const uint8_t *body;
    size_t n_prefix;
    size_t n_whole; /* blocks before the tail */
    size_t n_blocks;
    size_t i;
    struct hash *to;
    uint8_t head[BLOCK_BYTES];
    uint8_t tail[2 * BLOCK_BYTES];
};

static void put_length(uint8_t *to, uint64_t n_bytes) {
    uint64_t bits = __builtin_bswap64(n_bytes * 8);

    memcpy(to, &bits, sizeof(bits));
}

/* Less than a block: a call of memcpy() would cost as much as a quarter of the hash. */
static inline void copy_short(uint8_t *to, const uint8_t *from, size_t n) {
    uint8_t first[16], last[16], more[32];

    if (n >= 32) {
        memcpy(more, from, 32);
        memcpy(first, from + n - 32, 16);
        memcpy(last, from + n - 16, 16);
        memcpy(to, more, 32);
        memcpy(to + n - 32, first, 16);
        memcpy(to + n - 16, last, 16);
    } else if (n >= 16) {
        memcpy(first, from, 16);
        memcpy(last, from + n - 16, 16);
        memcpy(to, first, 16);
        memcpy(to + n - 16, last, 16);
    } else {
        for (size_t i = 0; i < n; i++)
            to[i] = from[i];
    }
}

static inline void lane_load(struct lane *lane, uint64_t prefix, size_t n_prefix,
                             const struct iovec *body, struct hash *to) {
    size_t n = n_prefix + body->iov_len, n_rest = n % BLOCK_BYTES;
    size_t n_tail = n_rest + 1 + LENGTH_BYTES <= BLOCK_BYTES ? 1 : 2;

    lane->state = first_state();
    lane->body = body->iov_base;
    lane->n_prefix = n_prefix;
    lane->n_whole = n / BLOCK_BYTES;
    lane->n_blocks = lane->n_whole + n_tail;
    lane->i = 0;
    lane->to = to;
    memset(lane->tail, 0, BLOCK_BYTES);
    if (n_tail == 2)
        memset(lane->tail + BLOCK_BYTES, 0, BLOCK_BYTES);
    if (lane->n_whole > 0) {
        memcpy(lane->head, &prefix, sizeof(prefix));
        copy_short(lane->head + n_prefix, lane->body, BLOCK_BYTES - n_prefix);
        copy_short(lane->tail, lane->body + body->iov_len - n_rest, n_rest);
    } else {
        memcpy(lane->tail, &prefix, sizeof(prefix));
        copy_short(lane->tail + n_prefix, lane->body, body->iov_len);
    }
    lane->tail[n_rest] = END_OF_MESSAGE;
    put_length(lane->tail + n_tail * BLOCK_BYTES - LENGTH_BYTES, n);
}

static inline struct words lane_words(const struct lane *lane) {
    if (lane->i >= lane->n_whole)
        return load_block(lane->tail + (lane->i - lane->n_whole) * BLOCK_BYTES);
    return load_block(lane->i == 0 ? lane->head
                                   : lane->body + lane->i * BLOCK_BYTES - lane->n_prefix);
}

/* After a block: whether that was the last one, its hash then stored. */
static inline bool lane_is_done(struct lane *lane) {
    if (++lane->i < lane->n_blocks)
        return false;
    store_hash(&lane->state, lane->to);
    return true;
}

/* Messages still to be loaded into lanes. */
struct queue {
    uint64_t prefix; /* its bytes as they lie in memory, then zeros */
    size_t n_prefix;
    const struct iovec *bodies;
    struct hash *ret;
    size_t n;
    size_t i;
};

/* False: there is none left, and the lane stays as it is. */
static bool queue_load(struct queue *queue, struct lane *lane) {
    if (queue->i == queue->n)
        return false;
    lane_load(lane, queue->prefix, queue->n_prefix, &queue->bodies[queue->i],
              &queue->ret[queue->i]);
    queue->i++;
    return true;
}

/* Two lanes work while two are loaded: a block that was only just copied together cannot be read at
 * once by loads wider than what wrote it. */
static void hash_queue(uint64_t prefix, size_t n_prefix, const struct iovec *bodies, size_t n,
                       struct hash *ret) {
    struct queue queue = {prefix, n_prefix, bodies, ret, n, 0};
    struct lane lanes[4], *at[2] = {&lanes[0], &lanes[1]}, *ready[2] = {&lanes[2], &lanes[3]};
    bool is_busy[2], is_ready[2];

    for (size_t i = 0; i < 2; i++)
        is_busy[i] = queue_load(&queue, at[i]);
    for (size_t i = 0; i < 2; i++)
        is_ready[i] = queue_load(&queue, ready[i]);
    while (is_busy[0] && is_busy[1]) {
        compress_two(&at[0]->state, lane_words(at[0]), &at[1]->state, lane_words(at[1]));
        for (size_t i = 0; i < 2; i++) {
            struct lane *done = at[i];
            if (!lane_is_done(done))
                continue;
            at[i] = ready[i];
            ready[i] = done;
            is_busy[i] = is_ready[i];
            is_ready[i] = is_busy[i] && queue_load(&queue, done);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        while (is_busy[i]) {
            compress_one(&at[i]->state, lane_words(at[i]));
            if (!lane_is_done(at[i]))
                continue;
            at[i] = ready[i];
            is_busy[i] = is_ready[i];
            is_ready[i] = false;
        }
    }
}

/* A message of at most two blocks, with its end. */
struct padded {
    uint8_t bytes[2 * BLOCK_BYTES];
    size_t n_blocks;
};

static inline void padded_make(struct padded *padded, uint64_t prefix, size_t n_prefix,
                               const struct iovec *body) {
    size_t n = n_prefix + body->iov_len;
    const uint8_t *from = body->iov_base;
    uint8_t *to = padded->bytes + n_prefix;

    padded->n_blocks = n <= BLOCK_BYTES - 1 - LENGTH_BYTES ? 1 : 2;
    memset(padded->bytes, 0, sizeof(padded->bytes));
    memcpy(padded->bytes, &prefix, sizeof(prefix));
    if (body->iov_len < 64) {
        copy_short(to, from, body->iov_len);
    } else {
        memcpy(to, from, 64);
        copy_short(to + 64, from + 64, body->iov_len - 64);
    }
    padded->bytes[n] = END_OF_MESSAGE;
    put_length(padded->bytes + padded->n_blocks * BLOCK_BYTES - LENGTH_BYTES, n);
}

static void padded_hash_two(const struct padded padded[2], struct hash ret[2]) {
    struct state a = first_state(), b = first_state();
    const uint8_t *bytes_a = padded[0].bytes, *bytes_b = padded[1].bytes;

    compress_two(&a, load_block(bytes_a), &b, load_block(bytes_b));
    if (padded[0].n_blocks == 2 && padded[1].n_blocks == 2)
        compress_two(&a, load_block(bytes_a + BLOCK_BYTES), &b, load_block(bytes_b + BLOCK_BYTES));
    else if (padded[0].n_blocks == 2)
        compress_one(&a, load_block(bytes_a + BLOCK_BYTES));
    else if (padded[1].n_blocks == 2)
        compress_one(&b, load_block(bytes_b + BLOCK_BYTES));
    store_hash(&a, &ret[0]);
    store_hash(&b, &ret[1]);
}

static void padded_hash(const struct padded *padded, struct hash *ret) {
    struct state state = first_state();

    for (size_t i = 0; i < padded->n_blocks; i++)
        compress_one(&state, load_block(padded->bytes + i * BLOCK_BYTES));
    store_hash(&state, ret);
}

static bool are_short(size_t n_prefix, const struct iovec *bodies, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (n_prefix + bodies[i].iov_len > 2 * BLOCK_BYTES - 1 - LENGTH_BYTES)
            return false;
    return true;
}

/* Nearly all there is to hash is short. All of a few are copied before the first is hashed: so what
 * is read was not only just written. */
static void hash_short(uint64_t prefix, size_t n_prefix, const struct iovec *bodies, size_t n,
                       struct hash *ret) {
    struct padded padded[AT_ONCE];

    assert(n <= AT_ONCE);
    for (size_t i = 0; i < n; i++)
        padded_make(&padded[i], prefix, n_prefix, &bodies[i]);
    for (size_t i = 0; i + 1 < n; i += 2)
        padded_hash_two(&padded[i], &ret[i]);
    if (n % 2)
        padded_hash(&padded[n - 1], &ret[n - 1]);
}

void hash_lanes_each(const void *prefix, size_t n_prefix, const struct iovec *bodies, size_t n,
                     struct hash *ret) {
    uint64_t first = 0;

    assert(n_prefix <= sizeof(first));
    memcpy(&first, prefix, n_prefix);
    for (size_t i = 0, n_now; i < n; i += n_now) {
        n_now = MIN_OF(n - i, (size_t)AT_ONCE);
        if (are_short(n_prefix, bodies + i, n_now)) {
            hash_short(first, n_prefix, bodies + i, n_now, ret + i);
        } else {
            n_now = n - i;
            hash_queue(first, n_prefix, bodies + i, n_now, ret + i);
        }
    }
}

/* A prefix byte and two hashes are a block and one byte: no copy is made, they are shifted while
 * they are loaded. */
static inline struct words pair_words(uint8_t prefix, const struct hash *pair) {
    const uint8_t *bytes = pair->b;
    __m128i first = _mm_or_si128(_mm_slli_si128(load(bytes), 1), _mm_cvtsi32_si128(prefix));

    return (struct words){
        .quad = {swap_words(first), swap_words(load(bytes + 15)), swap_words(load(bytes + 31)),
                 swap_words(load(bytes + 47))},
    };
}

static inline struct words pair_end(const struct hash *pair) {
    uint32_t word = (uint32_t)pair[1].b[HASH_BYTES - 1] << 24 | END_OF_MESSAGE << 16;

    return (struct words){
        .quad = {_mm_cvtsi32_si128((int)word), _mm_setzero_si128(), _mm_setzero_si128(),
                 _mm_set_epi32((1 + 2 * HASH_BYTES) * 8, 0, 0, 0)},
    };
}

void hash_lanes_pairs(uint8_t prefix, const struct hash *pairs, size_t n, struct hash *ret) {
    size_t i = 0;

    for (; i + 1 < n; i += 2) {
        const struct hash *a = &pairs[2 * i], *b = &pairs[2 * i + 2];
        struct state state_a = first_state(), state_b = first_state();
        struct words end_a = pair_end(a), end_b = pair_end(b);
        compress_two(&state_a, pair_words(prefix, a), &state_b, pair_words(prefix, b));
        compress_two(&state_a, end_a, &state_b, end_b);
        store_hash(&state_a, &ret[i]);
        store_hash(&state_b, &ret[i + 1]);
    }
    if (i < n) {
        struct state state = first_state();
        struct words end = pair_end(&pairs[2 * i]);
        compress_one(&state, pair_words(prefix, &pairs[2 * i]));
        compress_one(&state, end);
        store_hash(&state, &ret[i]);
    }
}
