/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the facts behind their catching up, and reads them back. A crash leaves the old head, and
 * behind the blocks that it knows a tail that nobody reads.
 */
#include "facts-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/files.h"
#include "facts-sections.h"

#define FACTS_LAYOUT 1u
#define HEAD_MAGIC "TBFACTSH"
#define BLOCKS_MAGIC "TBFACTSB"
#define MAGIC_BYTES 8
#define GENERATION_BYTES 16
#define HEADER_BYTES (MAGIC_BYTES + GENERATION_BYTES)
#define HEAD_MAX ((size_t)1 << 30)
#define WRITE_BYTES ((size_t)4 << 20) /* at once */
#define N_KINDS (FACTS_N_SERIES + 1)  /* lines, legs, flows; tables of ids */

struct place {
    uint64_t offset;
    uint64_t n;
};

struct places {
    struct place *at;
    size_t n_at;
    size_t n_at_allocated;
};

struct facts_file {
    char *head_path;
    char *blocks_path;
    int fd; /* of blocks */
    uint32_t layout;
    uint64_t reserve_bytes;
    uint8_t generation[GENERATION_BYTES];
    uint64_t end; /* of blocks, as the head has it */
    uint8_t *map;
    size_t n_map;
    struct places places[N_KINDS];
};

int facts_file_open(struct facts_file **ret, const char *directory, uint32_t layout,
                    uint64_t reserve_bytes) {
    _cleanup_(facts_file_closep) struct facts_file *file = calloc(1, sizeof(*file));
    if (!file)
        return -ENOMEM;
    file->fd = -1;
    file->layout = FACTS_LAYOUT << 16 | layout;
    file->reserve_bytes = reserve_bytes;
    if (asprintf(&file->head_path, "%s/head", directory) < 0)
        file->head_path = NULL;
    if (asprintf(&file->blocks_path, "%s/blocks", directory) < 0)
        file->blocks_path = NULL;
    if (!file->head_path || !file->blocks_path)
        return -ENOMEM;
    if (mkdir(directory, 0700) < 0 && errno != EEXIST)
        return -errno;
    *ret = TAKE(file);
    return 0;
}

/* As it is before anything is read or saved. */
static void forget(struct facts_file *file) {
    if (file->map)
        munmap(file->map, file->n_map);
    if (file->fd >= 0)
        close(file->fd);
    for (size_t i = 0; i < N_KINDS; i++) {
        free(file->places[i].at);
        file->places[i] = (struct places){0};
    }
    file->map = NULL;
    file->fd = -1;
    file->end = 0;
}

struct facts_file *facts_file_close(struct facts_file *file) {
    if (!file)
        return NULL;
    forget(file);
    free(file->head_path);
    free(file->blocks_path);
    free(file);
    return NULL;
}

void facts_file_discard(struct facts_file *file) {
    forget(file);
    unlink(file->head_path);
    unlink(file->blocks_path);
}

uint64_t facts_file_bytes(const struct facts_file *file) {
    struct stat head;
    return file->end + (stat(file->head_path, &head) == 0 ? (uint64_t)head.st_size : 0);
}

bool facts_file_is_whole(const struct facts_file *file) {
    struct stat blocks;
    return file->fd < 0 || (fstat(file->fd, &blocks) == 0 && (uint64_t)blocks.st_size >= file->end);
}

/* ---- blocks of the facts, and where they lie */

/* All but the last of a series, which is open; every table of ids. */
static size_t n_full(struct facts *facts, unsigned kind) {
    if (kind == FACTS_N_SERIES)
        return facts->ids.n_chunks;
    size_t n = facts_series_get(facts, kind)->n_blocks;
    return n > 0 ? n - 1 : 0;
}

static struct facts_block *block_of(struct facts *facts, unsigned kind, size_t number) {
    return kind == FACTS_N_SERIES ? &facts->ids.chunks[number]
                                  : &facts_series_get(facts, kind)->blocks[number];
}

static void key_of(unsigned kind, size_t number, uint8_t ret[FACTS_KEY_BYTES]) {
    ret[0] = (uint8_t)kind;
    be32_put(ret + 1, (uint32_t)number);
}

/* Maps the file up to its end, and lets every block that is there lean on it. */
static int map_blocks(struct facts_file *file, struct facts *facts, bool is_proven) {
    void *map = mmap(NULL, file->end, PROT_READ, MAP_SHARED, file->fd, 0);
    if (map == MAP_FAILED)
        return -errno;
    for (unsigned kind = 0; kind < N_KINDS; kind++)
        for (size_t i = 0; i < file->places[kind].n_at; i++) {
            const struct place *place = &file->places[kind].at[i];
            struct facts_block *block = block_of(facts, kind, i);
            if (!block->is_mapped) {
                free((void *)block->packed);
                atomic_init(&block->is_proven, is_proven);
            }
            block->is_mapped = true;
            block->packed = (const uint8_t *)map + place->offset;
            block->n_packed = place->n;
            key_of(kind, i, block->key);
        }
    if (file->map)
        munmap(file->map, file->n_map);
    file->map = map;
    file->n_map = file->end;
    return 0;
}

/* ---- saving */

static int create_blocks(struct facts_file *file) {
    uint8_t header[HEADER_BYTES];
    facts_file_discard(file);
    randombytes_buf(file->generation, sizeof(file->generation));
    memcpy(header, BLOCKS_MAGIC, MAGIC_BYTES);
    memcpy(header + MAGIC_BYTES, file->generation, GENERATION_BYTES);
    file->fd = open(file->blocks_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->fd < 0)
        return -errno;
    int r = file_write_all(file->fd, header, sizeof(header));
    if (r == 0)
        file->end = sizeof(header);
    return r;
}

static int check_room(const struct facts_file *file, uint64_t bytes) {
    struct statvfs disk;
    if (fstatvfs(file->fd, &disk) < 0)
        return -errno;
    uint64_t has = (uint64_t)disk.f_bavail * disk.f_frsize;
    return has < file->reserve_bytes + bytes ? -ENOSPC : 0;
}

static int write_out(struct facts_file *file, struct bytes *waiting, uint64_t *end) {
    int r = waiting->r < 0 ? waiting->r : check_room(file, waiting->n);
    if (r == 0 && lseek(file->fd, (off_t)*end, SEEK_SET) < 0)
        r = -errno;
    if (r == 0)
        r = file_write_all(file->fd, waiting->data, waiting->n);
    *end += waiting->n;
    bytes_clear(waiting);
    return r;
}

static int append_block(struct facts_file *file, struct facts *facts, unsigned kind, size_t number,
                        struct bytes *waiting, uint64_t *end) {
    struct places *places = &file->places[kind];
    const struct facts_block *block = block_of(facts, kind, number);
    uint8_t key[FACTS_KEY_BYTES], checksum[FACTS_CHECKSUM_BYTES];
    int r = GROW(places, at);
    if (r < 0)
        return r;
    key_of(kind, number, key);
    facts_block_checksum(key, block->packed, block->n_packed, checksum);
    places->at[places->n_at++] = (struct place){*end + waiting->n, block->n_packed};
    bytes_put(waiting, block->packed, block->n_packed);
    bytes_put(waiting, checksum, sizeof(checksum));
    return waiting->n >= WRITE_BYTES ? write_out(file, waiting, end) : waiting->r;
}

static int append_blocks(struct facts_file *file, struct facts *facts, uint64_t *end) {
    _cleanup_bytes_ struct bytes waiting = {0};
    int r = 0;
    for (unsigned kind = 0; kind < N_KINDS; kind++)
        for (size_t i = file->places[kind].n_at; r == 0 && i < n_full(facts, kind); i++)
            r = append_block(file, facts, kind, i, &waiting, end);
    if (r == 0)
        r = write_out(file, &waiting, end);
    if (r == 0 && fdatasync(file->fd) < 0)
        r = -errno;
    return r;
}

static void put_section(const struct facts *facts, unsigned section, struct bytes *to) {
    size_t at = to->n;
    bytes_put_u64(to, 0);
    facts_section_put(facts, section, to);
    if (to->r == 0)
        be64_put(to->data + at, to->n - at - sizeof(uint64_t));
}

static void put_head(const struct facts_file *file, const struct facts *facts,
                     const struct hash *root, struct bytes *to) {
    bytes_put(to, HEAD_MAGIC, MAGIC_BYTES);
    bytes_put_u32(to, file->layout);
    bytes_put(to, file->generation, GENERATION_BYTES);
    bytes_put(to, facts->ids.key, sizeof(facts->ids.key));
    bytes_put(to, root->b, HASH_BYTES);
    bytes_put_u64(to, file->end);
    for (unsigned kind = 0; kind < N_KINDS; kind++) {
        bytes_put_u64(to, file->places[kind].n_at);
        for (size_t i = 0; i < file->places[kind].n_at; i++) {
            bytes_put_u64(to, file->places[kind].at[i].offset);
            bytes_put_u64(to, file->places[kind].at[i].n);
        }
    }
    for (unsigned i = 0; i < FACTS_N_SECTIONS; i++)
        put_section(facts, i, to);
    if (to->r < 0)
        return;
    struct hash hash = hash_of(to->data, to->n);
    bytes_put(to, hash.b, HASH_BYTES);
}

int facts_file_save(struct facts_file *file, struct facts *facts, const struct hash *root) {
    _cleanup_bytes_ struct bytes head = {0};
    int r = file->fd < 0 ? create_blocks(file) : 0;
    uint64_t end = file->end;
    if (r == 0)
        r = append_blocks(file, facts, &end);
    if (r < 0)
        return r;
    file->end = end;
    put_head(file, facts, root, &head);
    r = head.r < 0 ? head.r : check_room(file, head.n);
    if (r == 0)
        r = file_replace(file->head_path, 0600, head.data, head.n);
    return r == 0 ? map_blocks(file, facts, true) : r;
}

/* ---- loading */

static int read_places(struct facts_file *file, struct cursor *cursor) {
    for (unsigned kind = 0; kind < N_KINDS; kind++) {
        struct places *places = &file->places[kind];
        uint64_t n = cursor_u64(cursor);
        if (cursor->r < 0 || n > cursor->n_left / (2 * sizeof(uint64_t)))
            return -EUCLEAN;
        for (uint64_t i = 0; i < n; i++) {
            int r = GROW(places, at);
            if (r < 0)
                return r;
            struct place place = {cursor_u64(cursor), cursor_u64(cursor)};
            if (place.offset < HEADER_BYTES || place.offset > file->end ||
                place.n > file->end - place.offset ||
                file->end - place.offset - place.n < FACTS_CHECKSUM_BYTES)
                return -EUCLEAN;
            places->at[places->n_at++] = place;
        }
    }
    return cursor->r < 0 ? -EUCLEAN : 0;
}

static int read_head(struct facts_file *file, struct cursor *cursor, struct facts *facts,
                     struct hash *ret_root) {
    const uint8_t *magic = cursor_bytes(cursor, MAGIC_BYTES);
    uint32_t layout = cursor_u32(cursor);
    const uint8_t *generation = cursor_bytes(cursor, GENERATION_BYTES);
    const uint8_t *key = cursor_bytes(cursor, sizeof(facts->ids.key));
    const uint8_t *root = cursor_bytes(cursor, HASH_BYTES);
    file->end = cursor_u64(cursor);
    if (cursor->r < 0 || memcmp(magic, HEAD_MAGIC, MAGIC_BYTES) != 0)
        return -EUCLEAN;
    if (layout != file->layout)
        return -EPROTO;
    if (file->end < HEADER_BYTES)
        return -EUCLEAN;
    memcpy(file->generation, generation, GENERATION_BYTES);
    memcpy(facts->ids.key, key, sizeof(facts->ids.key));
    memcpy(ret_root->b, root, HASH_BYTES);
    return read_places(file, cursor);
}

static int read_sections(struct cursor *cursor, struct facts *facts) {
    int r = 0;
    for (unsigned i = 0; r == 0 && i < FACTS_N_SECTIONS; i++) {
        uint64_t n = cursor_u64(cursor);
        const uint8_t *data = n <= cursor->n_left ? cursor_bytes(cursor, n) : NULL;
        r = data && cursor->r == 0 ? facts_section_get(facts, i, data, n) : -EUCLEAN;
    }
    if (r == 0)
        r = cursor_end(cursor) < 0 ? -EUCLEAN : facts_sections_join(facts);
    return r;
}

static int open_blocks(struct facts_file *file) {
    uint8_t header[HEADER_BYTES];
    struct stat stat;
    file->fd = open(file->blocks_path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file->fd < 0)
        return errno == ENOENT || errno == ELOOP ? -EUCLEAN : -errno;
    if (fstat(file->fd, &stat) < 0)
        return -errno;
    if (!S_ISREG(stat.st_mode) || (uint64_t)stat.st_size < file->end ||
        pread(file->fd, header, sizeof(header), 0) != sizeof(header) ||
        memcmp(header, BLOCKS_MAGIC, MAGIC_BYTES) != 0 ||
        memcmp(header + MAGIC_BYTES, file->generation, GENERATION_BYTES) != 0)
        return -EUCLEAN;
    return 0;
}

static int load(struct facts_file *file, struct facts *facts, const struct bytes *head,
                struct hash *ret_root) {
    if (head->n < HASH_BYTES)
        return -EUCLEAN;
    struct hash hash = hash_of(head->data, head->n - HASH_BYTES);
    struct cursor cursor = cursor_make(head->data, head->n - HASH_BYTES);
    if (memcmp(hash.b, head->data + head->n - HASH_BYTES, HASH_BYTES) != 0)
        return -EUCLEAN;
    int r = read_head(file, &cursor, facts, ret_root);
    if (r == 0)
        r = read_sections(&cursor, facts);
    if (r == 0)
        r = open_blocks(file);
    for (unsigned kind = 0; r == 0 && kind < N_KINDS; kind++)
        if (file->places[kind].n_at != n_full(facts, kind))
            r = -EUCLEAN;
    return r == 0 ? map_blocks(file, facts, false) : r;
}

int facts_file_load(struct facts_file *file, struct facts **ret, struct hash *ret_root) {
    _cleanup_(facts_freep) struct facts *facts = NULL;
    _cleanup_bytes_ struct bytes head = {0};
    forget(file);
    int r = file_read(file->head_path, HEAD_MAX, &head);
    if (r < 0)
        return r == -ELOOP || r == -EFBIG ? -EUCLEAN : r;
    r = facts_new(&facts);
    if (r == 0)
        r = load(file, facts, &head, ret_root);
    if (r < 0) {
        facts = facts_free(facts);
        forget(file);
        return r;
    }
    *ret = TAKE(facts);
    return 0;
}

/* ---- comparing */

static int compare_section(const struct facts *kept, const struct facts *made, unsigned section,
                           bool *ret_is_same) {
    _cleanup_bytes_ struct bytes left = {0}, right = {0};
    facts_section_put(kept, section, &left);
    facts_section_put(made, section, &right);
    if (left.r < 0 || right.r < 0)
        return MIN_OF(left.r, right.r);
    *ret_is_same = left.n == right.n && (left.n == 0 || memcmp(left.data, right.data, left.n) == 0);
    return 0;
}

static bool is_same_block(struct facts_block *kept, const struct facts_block *made) {
    return facts_block_prove(kept) == 0 && kept->n_packed == made->n_packed &&
           memcmp(kept->packed, made->packed, made->n_packed) == 0;
}

int facts_file_compare(struct facts *kept, struct facts *made,
                       void (*differs)(void *user, const char *what, uint64_t number), void *user) {
    static const char *const kinds[N_KINDS] = {"block of lines", "block of legs", "block of flows",
                                               "table of ids"};
    for (unsigned i = 0; i < FACTS_N_SECTIONS; i++) {
        bool is_same;
        int r = compare_section(kept, made, i, &is_same);
        if (r < 0)
            return r;
        if (!is_same)
            differs(user, facts_section_name(i), 0);
    }
    for (unsigned kind = 0; kind < N_KINDS; kind++)
        for (size_t i = 0; i < MAX_OF(n_full(kept, kind), n_full(made, kind)); i++)
            if (i >= n_full(kept, kind) || i >= n_full(made, kind) ||
                !is_same_block(block_of(kept, kind, i), block_of(made, kind, i)))
                differs(user, kinds[kind], i);
    return 0;
}
