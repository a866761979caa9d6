/* SPDX-License-Identifier: Apache-2.0 */
/* base/: buffers, cursors, the arena's cap, whole-or-absent files, strict UTF-8; strict base64. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/utf8.h"
#include "helpers.h"
#include "proto/hash.h"

TestSuite(bytes, .timeout = 20);
TestSuite(cursor, .timeout = 20);
TestSuite(arena, .timeout = 20);
TestSuite(files, .timeout = 20);
TestSuite(utf8, .timeout = 20);
TestSuite(text64, .timeout = 20);
TestSuite(hash, .timeout = 20);

Test(bytes, puts_every_integer_big_endian) {
    _cleanup_bytes_ struct bytes b = {};
    bytes_put_u8(&b, 0x01);
    bytes_put_u16(&b, 0x0203);
    bytes_put_u32(&b, 0x04050607);
    bytes_put_u64(&b, UINT64_C(0x08090a0b0c0d0e0f));
    bytes_put_i64(&b, -2);
    uint8_t expected[23];
    unhex("0102030405060708090a0b0c0d0e0ffffffffffffffffe", expected);
    cr_assert(b.r == 0 && b.n == sizeof(expected));
    cr_assert(memcmp(b.data, expected, b.n) == 0);
}

Test(bytes, grows_over_many_puts_and_keeps_all) {
    _cleanup_bytes_ struct bytes b = {};
    for (unsigned i = 0; i < 100000; i++)
        bytes_put_u32(&b, i);
    cr_assert(b.r == 0 && b.n == 400000);
    for (unsigned i = 0; i < 100000; i++)
        cr_assert(be32_get(b.data + 4 * i) == i);
    uint8_t *before = b.data;
    bytes_clear(&b);
    cr_assert(b.n == 0 && b.data == before);
}

Test(bytes, keeps_its_error_until_cleared) {
    _cleanup_bytes_ struct bytes b = {};
    bytes_put_u8(&b, 7);
    cr_assert(bytes_reserve(&b, SIZE_MAX) == NULL);
    cr_assert(b.r == -ENOMEM);
    bytes_put_u8(&b, 8);
    cr_assert(b.n == 1 && b.r == -ENOMEM);
    cr_assert(bytes_take_text(&b) == NULL);
    cr_assert(b.r == 0 && b.n == 0 && b.data == NULL);
}

Test(bytes, hands_out_text_with_its_nul) {
    struct bytes b = {};
    bytes_put_text(&b, "seven");
    bytes_printf(&b, " and %s makes %d", "eight", 15);
    _cleanup_(freep) char *text = bytes_take_text(&b);
    cr_assert_str_eq(text, "seven and eight makes 15");
    cr_assert(b.data == NULL && b.n == 0);
    struct bytes none = {};
    _cleanup_(freep) char *empty = bytes_take_text(&none);
    cr_assert_str_eq(empty, "");
}

Test(cursor, reads_back_what_was_put) {
    _cleanup_bytes_ struct bytes b = {};
    bytes_put_u8(&b, 200);
    bytes_put_u16(&b, 60000);
    bytes_put_u32(&b, 4000000000u);
    bytes_put_u64(&b, UINT64_MAX - 1);
    bytes_put_i64(&b, INT64_MIN);
    bytes_put_text(&b, "end");
    struct cursor c = cursor_make(b.data, b.n);
    cr_assert(cursor_u8(&c) == 200);
    cr_assert(cursor_u16(&c) == 60000);
    cr_assert(cursor_u32(&c) == 4000000000u);
    cr_assert(cursor_u64(&c) == UINT64_MAX - 1);
    cr_assert(cursor_i64(&c) == INT64_MIN);
    cr_assert(cursor_end(&c) == -EBADMSG, "three bytes are left");
    cr_assert(memcmp(cursor_bytes(&c, 3), "end", 3) == 0);
    cr_assert(cursor_end(&c) == 0);
}

Test(cursor, yields_zeros_past_the_end_and_remembers) {
    struct cursor c = cursor_make("\xff\xff\xff", 3);
    cr_assert(cursor_u32(&c) == 0);
    cr_assert(c.r == -EBADMSG);
    cr_assert(cursor_u8(&c) == 0, "the bytes left are not read any more");
    cr_assert(cursor_bytes(&c, 0) == NULL);
    cr_assert(cursor_end(&c) == -EBADMSG);
}

Test(cursor, holds_against_a_length_near_the_top) {
    struct cursor c = cursor_make("abc", 3);
    cr_assert(cursor_bytes(&c, SIZE_MAX) == NULL);
    cr_assert(c.r == -EBADMSG);
}

Test(arena, aligns_everything_it_hands_out) {
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t n = 0; n < 300; n++) {
        uint8_t *p = arena_alloc(&arena, n);
        cr_assert(p && (uintptr_t)p % 16 == 0);
        memset(p, 0xaa, n);
    }
    arena_fini(&arena);
}

Test(arena, gives_nothing_beyond_its_cap) {
    struct arena arena;
    arena_init(&arena, 1000);
    cr_assert(arena_alloc(&arena, 1001) == NULL && arena.r == -ENOMEM);
    arena_reset(&arena);
    cr_assert(arena.r == 0);
    size_t n = 0;
    while (arena_alloc(&arena, 16))
        n += 16;
    cr_assert(n == 992 && arena.n_used <= 1000 && arena.r == -ENOMEM);
    arena_reset(&arena);
    cr_assert(arena_alloc(&arena, 900) != NULL);
    cr_assert(arena_alloc(&arena, SIZE_MAX) == NULL);
    arena_fini(&arena);
}

Test(arena, keeps_one_block_over_a_reset) {
    struct arena arena;
    arena_init(&arena, 1 << 20);
    void *first = arena_alloc(&arena, 100);
    arena_reset(&arena);
    cr_assert(arena_alloc(&arena, 100) == first);
    cr_assert(arena_alloc(&arena, 100000) != NULL);
    arena_reset(&arena);
    cr_assert(arena.blocks != NULL && arena.n_used == 0);
    arena_fini(&arena);
    cr_assert(arena.blocks == NULL);
}

static void path_in(const char *directory, const char *name, char ret[128]) {
    snprintf(ret, 128, "%s/%s", directory, name);
}

static size_t entries_count(const char *directory) {
    size_t n = 0;
    DIR *dir = opendir(directory);
    cr_assert(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

Test(files, creates_once_with_the_mode_given_and_leaves_nothing_beside) {
    char directory[64], path[128];
    struct stat status;
    scratch_make(directory);
    path_in(directory, "key", path);
    umask(0077);
    cr_assert(file_create(path, 0644, "one", 3) == 0);
    cr_assert(stat(path, &status) == 0 && (status.st_mode & 07777) == 0644);
    cr_assert(file_create(path, 0644, "two", 3) == -EEXIST);
    _cleanup_bytes_ struct bytes b = {};
    cr_assert(file_read(path, 3, &b) == 0);
    cr_assert(b.n == 3 && memcmp(b.data, "one", 3) == 0);
    cr_assert(entries_count(directory) == 1);
    scratch_remove(directory);
}

Test(files, replaces_in_one_step) {
    char directory[64], path[128];
    scratch_make(directory);
    path_in(directory, "head", path);
    cr_assert(file_replace(path, 0600, "first", 5) == 0);
    cr_assert(file_replace(path, 0600, "second", 6) == 0);
    _cleanup_bytes_ struct bytes b = {};
    bytes_put_text(&b, "<");
    cr_assert(file_read(path, 100, &b) == 0);
    cr_assert(b.n == 7 && memcmp(b.data, "<second", 7) == 0);
    cr_assert(entries_count(directory) == 1);
    cr_assert(file_replace("/nowhere/at/all", 0600, "x", 1) == -ENOENT);
    scratch_remove(directory);
}

Test(files, reads_no_more_than_asked_and_no_link_or_directory) {
    char directory[64], path[128], link_path[128], pipe_path[128];
    scratch_make(directory);
    path_in(directory, "file", path);
    path_in(directory, "link", link_path);
    path_in(directory, "pipe", pipe_path);
    cr_assert(file_create(path, 0600, "four", 4) == 0);
    cr_assert(symlink(path, link_path) == 0 && mkfifo(pipe_path, 0600) == 0);
    _cleanup_bytes_ struct bytes b = {};
    cr_assert(file_read(path, 3, &b) == -EFBIG);
    cr_assert(file_read(link_path, 100, &b) == -ELOOP);
    cr_assert(file_read(directory, 100, &b) == -EISDIR);
    cr_assert(file_read(pipe_path, 100, &b) == -EINVAL);
    cr_assert(file_read("/nowhere/at/all", 100, &b) == -ENOENT);
    cr_assert(b.n == 0 && b.r == 0);
    /* A file whose size stat does not know. */
    cr_assert(file_read("/proc/self/status", 1 << 16, &b) == 0 && b.n > 100);
    cr_assert(file_read("/proc/self/status", 10, &b) == -EFBIG);
    scratch_remove(directory);
}

Test(files, reads_a_secret_only_when_nobody_else_may) {
    char directory[64], path[128];
    scratch_make(directory);
    path_in(directory, "secret", path);
    cr_assert(file_create(path, 0600, "hush", 4) == 0);
    _cleanup_bytes_ struct bytes b = {};
    cr_assert(file_read_secret(path, 100, &b) == 0 && b.n == 4);
    for (unsigned bit = 0; bit < 6; bit++) {
        cr_assert(chmod(path, 0600 | 1u << bit) == 0);
        cr_assert(file_read_secret(path, 100, &b) == -EPERM, "mode bit %u was let through", bit);
    }
    cr_assert(b.n == 4);
    scratch_remove(directory);
}

Test(files, makes_every_directory_on_the_way) {
    char directory[64], path[128];
    struct stat status;
    scratch_make(directory);
    path_in(directory, "a//b/c/", path);
    umask(0077);
    cr_assert(file_make_directories(path, 0750) == 0);
    cr_assert(stat(path, &status) == 0 && (status.st_mode & 07777) == 0750);
    cr_assert(file_make_directories(path, 0700) == 0, "what is there is left alone");
    path_in(directory, "a/b", path);
    cr_assert(stat(path, &status) == 0 && (status.st_mode & 07777) == 0750);
    path_in(directory, "file", path);
    cr_assert(file_create(path, 0600, "", 0) == 0);
    cr_assert(file_make_directories(path, 0700) == -ENOTDIR);
    cr_assert(file_make_directories("", 0700) == -ENOENT);
    scratch_remove(directory);
}

Test(files, clocks_go_forward_and_days_are_utc) {
    uint64_t before = clock_monotonic_ms();
    cr_assert(clock_monotonic_ms() >= before);
    cr_assert(clock_wall_ms() > UINT64_C(1700000000000));
    cr_assert(clock_day(UINT64_C(86400000) * 20000 - 1) == 19999);
    cr_assert(clock_day(UINT64_C(86400000) * 20000) == 20000);
}

Test(utf8, accepts_the_edges_of_each_length) {
    static const char *const good[] = {"",
                                       "a",
                                       "\x7f",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "Za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87 \xe2\x82\xac"};
    for (size_t i = 0; i < N_ELEMENTS(good); i++)
        cr_assert(utf8_is_valid(good[i], strlen(good[i])), "case %zu", i);
}

Test(utf8, refuses_overlong_surrogate_cut_and_stray_bytes) {
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2\x20",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xe2\x82",
                                      "\xe2\x82\x20",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xfe",
                                      "\xff",
                                      "ab\xf0\x90\x80"};
    for (size_t i = 0; i < N_ELEMENTS(bad); i++)
        cr_assert(!utf8_is_valid(bad[i], strlen(bad[i])), "case %zu", i);
}

Test(text64, agrees_with_the_vectors_of_rfc_4648) {
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < N_ELEMENTS(pairs); i++) {
        _cleanup_bytes_ struct bytes text = {};
        _cleanup_bytes_ struct bytes back = {};
        text64_encode(&text, pairs[i][0], strlen(pairs[i][0]));
        cr_assert(text.n == strlen(pairs[i][1]) && text.n == TEXT64_CHARS(strlen(pairs[i][0])));
        cr_assert(memcmp(text.data, pairs[i][1], text.n) == 0);
        cr_assert(text64_decode(&back, pairs[i][1], text.n) == 0);
        cr_assert(back.n == strlen(pairs[i][0]) && memcmp(back.data, pairs[i][0], back.n) == 0);
    }
}

Test(text64, refuses_what_is_not_canonical) {
    static const char *const bad[] = {"Zg",   "Zg=",      "Zh==",   "Zm9=", "Z===", "====",
                                      "=",    "Zg==Zg==", "Zm9v\n", "Zm 9", " Zm9", "Zm9_",
                                      "Zm9-", "Zm9v=",    "Zg=A",   "A"};
    for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
        _cleanup_bytes_ struct bytes back = {};
        bytes_put_u8(&back, 1);
        cr_assert(text64_decode(&back, bad[i], strlen(bad[i])) == -EBADMSG, "'%s'", bad[i]);
        cr_assert(back.n == 1);
    }
    _cleanup_bytes_ struct bytes back = {};
    cr_assert(text64_decode(&back, "Zm\0v", 4) == -EBADMSG);
}

Test(text64, takes_exactly_one_form_of_the_last_character) {
    unsigned n_good = 0;
    for (unsigned c = 0; c < 256; c++) {
        _cleanup_bytes_ struct bytes back = {};
        char text[4] = {'A', (char)c, '=', '='};
        n_good += text64_decode(&back, text, 4) == 0;
    }
    cr_assert(n_good == 4, "of 64 characters four leave the spare bits at zero, not %u", n_good);
}

/* libsodium 1.0.18 by itself takes 0xab for '+' and 0xaf for '/'. */
Test(text64, has_one_text_for_each_value) {
    for (unsigned at = 0; at < 4; at++) {
        unsigned n_good = 0;
        for (unsigned c = 0; c < 256; c++) {
            _cleanup_bytes_ struct bytes back = {};
            _cleanup_bytes_ struct bytes again = {};
            char text[4] = {'A', 'A', 'A', 'A'};
            text[at] = (char)c;
            if (text64_decode(&back, text, 4) < 0)
                continue;
            text64_encode(&again, back.data, back.n);
            cr_assert(again.n == 4 && memcmp(again.data, text, 4) == 0, "0x%02x at %u", c, at);
            n_good++;
        }
        cr_assert(n_good == (at == 3 ? 65 : 64), "%u at %u", n_good, at);
    }
}

Test(text64, writes_lower_case_hex) {
    char hex[9];
    text64_hex(hex, "\x00\xaf\x10\xff", 4);
    cr_assert_str_eq(hex, "00af10ff");
}

Test(hash, gives_the_digests_of_fips_180) {
    char hex[129];
    struct hash abc = hash_of("abc", 3);
    text64_hex(hex, abc.b, 32);
    cr_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct iovec pieces[] = {{"a", 1}, {NULL, 0}, {"bc", 2}};
    struct hash again = hash_of_pieces(pieces, 3);
    cr_assert(hash_equal(&abc, &again) == 1);
    struct hash empty = hash_of(NULL, 0);
    cr_assert(hash_equal(&abc, &empty) == 0);
    uint8_t long_digest[64];
    hash_sha512("abc", 3, long_digest);
    text64_hex(hex, long_digest, 64);
    cr_assert_str_eq(hex, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                          "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}
