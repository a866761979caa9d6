/* SPDX-License-Identifier: Apache-2.0 */
/* The head file: two slots in turn, and no single flipped bit that is taken for a head. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "daemon/head.h"
#include "helpers.h"

TestSuite(head, .timeout = 60);

static char directory[64], path[100];
static struct head_slot slots[HEAD_SLOTS];
static bool valid[HEAD_SLOTS];

static void start(void) {
    scratch_make(directory);
    snprintf(path, sizeof(path), "%s/head", directory);
}

static void end(void) {
    scratch_remove(directory);
}

static struct head_slot slot_of(uint64_t sequence, const char *checkpoint) {
    struct head_slot slot = {.sequence = sequence, .inode = 77, .machine = {1, 2, 3}};
    slot.n_checkpoint = strlen(checkpoint);
    memcpy(slot.checkpoint, checkpoint, slot.n_checkpoint);
    return slot;
}

static void create(void) {
    struct head_slot slot = slot_of(0, "first\n");
    cr_assert(head_create(path, &slot) == 0);
}

static void write_slot(uint64_t sequence, const char *checkpoint) {
    struct head_slot slot = slot_of(sequence, checkpoint);
    int fd = open(path, O_WRONLY);
    cr_assert(fd >= 0 && head_write(fd, &slot) == 0);
    close(fd);
}

static const struct head_slot *latest(void) {
    cr_assert(head_read(path, slots, valid) == 0);
    return head_latest(slots, valid);
}

static void flip(off_t at, unsigned bit) {
    int fd = open(path, O_RDWR);
    uint8_t byte;
    cr_assert(fd >= 0 && pread(fd, &byte, 1, at) == 1);
    byte ^= (uint8_t)(1u << bit);
    cr_assert(pwrite(fd, &byte, 1, at) == 1);
    close(fd);
}

Test(head, begins_with_two_whole_slots, .init = start, .fini = end) {
    struct stat st;
    create();
    const struct head_slot *slot = latest();
    cr_assert(valid[0] && valid[1]);
    cr_assert_eq(slot->sequence, 2);
    cr_assert_eq(slot->inode, 77);
    cr_assert_eq(slot->machine[2], 3);
    cr_assert_str_eq(slot->checkpoint, "first\n");
    cr_assert(stat(path, &st) == 0);
    cr_assert_eq(st.st_size, HEAD_SLOTS * HEAD_SLOT_BYTES);
    cr_assert_eq(st.st_mode & 0777, 0600);
}

Test(head, is_not_made_over_another, .init = start, .fini = end) {
    struct head_slot slot = slot_of(0, "second\n");
    create();
    cr_assert(head_create(path, &slot) == -EEXIST);
}

Test(head, overwrites_its_slots_in_turn, .init = start, .fini = end) {
    char text[20];
    create();
    for (uint64_t i = 3; i < 20; i++) {
        snprintf(text, sizeof(text), "head %d\n", (int)i);
        write_slot(i, text);
        cr_assert_eq(latest()->sequence, i);
        cr_assert_str_eq(latest()->checkpoint, text);
        cr_assert_eq(slots[(i - 1) % 2].sequence, i - 1);
    }
}

Test(head, falls_back_to_the_other_slot_when_one_is_torn, .init = start, .fini = end) {
    create();
    write_slot(3, "third\n");
    flip(HEAD_SLOT_BYTES + 40, 0);
    cr_assert_eq(latest()->sequence, 2);
    flip(40, 0);
    cr_assert_null(latest());
}

Test(head, notices_every_flipped_bit, .init = start, .fini = end) {
    create();
    for (off_t at = 0; at < HEAD_SLOT_BYTES; at++) {
        unsigned bit = (unsigned)at % 8;
        flip(at, bit);
        cr_assert(head_read(path, slots, valid) == 0);
        cr_assert(!valid[0] && valid[1], "byte %d", (int)at);
        flip(at, bit);
    }
    cr_assert_eq(latest()->sequence, 2);
}

Test(head, takes_no_slot_in_the_others_place, .init = start, .fini = end) {
    uint8_t bytes[HEAD_SLOTS * HEAD_SLOT_BYTES];
    create();
    int fd = open(path, O_RDWR);
    cr_assert(pread(fd, bytes, sizeof(bytes), 0) == sizeof(bytes));
    cr_assert(pwrite(fd, bytes, HEAD_SLOT_BYTES, HEAD_SLOT_BYTES) == HEAD_SLOT_BYTES);
    close(fd);
    cr_assert_eq(latest()->sequence, 2);
    cr_assert_not(valid[1]);
}

Test(head, is_of_one_size_only, .init = start, .fini = end) {
    cr_assert(head_read(path, slots, valid) == -ENOENT);
    create();
    cr_assert(truncate(path, HEAD_SLOTS * HEAD_SLOT_BYTES - 1) == 0);
    cr_assert(head_read(path, slots, valid) == -EUCLEAN);
    cr_assert(truncate(path, HEAD_SLOTS * HEAD_SLOT_BYTES + 1) == 0);
    cr_assert(head_read(path, slots, valid) == -EUCLEAN);
    cr_assert(truncate(path, 0) == 0);
    cr_assert(head_read(path, slots, valid) == -EUCLEAN);
}

Test(head, holds_the_longest_checkpoint, .init = start, .fini = end) {
    char text[NOTE_CHECKPOINT_MAX + 1];
    memset(text, 'x', sizeof(text) - 1);
    text[NOTE_CHECKPOINT_MAX] = '\0';
    create();
    write_slot(3, text);
    cr_assert_eq(latest()->n_checkpoint, NOTE_CHECKPOINT_MAX);
    cr_assert_str_eq(slots[1].checkpoint, text);
}

Test(head, knows_one_machine_always_the_same) {
    uint8_t a[HEAD_MACHINE_BYTES], b[HEAD_MACHINE_BYTES];
    head_machine(a);
    head_machine(b);
    cr_assert(memcmp(a, b, sizeof(a)) == 0);
}
