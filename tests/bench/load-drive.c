/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One loop over many banks: the calls of all are kept under way by poll(2), as a program with a
 * loop of its own would. A latency begins before a call is made up and ends when its answer was
 * verified.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

#define POLL_MS 100

struct client {
    struct tb_bank *bank;
    struct load_slot *slots;
};

struct drive {
    struct load_worker *worker;
    const struct load_work *work;
    size_t n_clients;
    size_t n_slots; /* of each client */
    struct client *clients;
    struct pollfd *polls;
    size_t n_under_way;
    double until_s;
    bool is_over; /* nothing more is begun */
    int r;
};

static int drive_open(struct drive *drive) {
    const struct load_options *options = drive->worker->options;
    drive->n_clients = (size_t)options->clients;
    drive->n_slots = (size_t)options->in_flight;
    drive->clients = calloc(drive->n_clients, sizeof(*drive->clients));
    drive->polls = calloc(drive->n_clients, sizeof(*drive->polls));
    int r = drive->clients && drive->polls ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < drive->n_clients; i++) {
        struct client *client = &drive->clients[i];
        client->slots = calloc(drive->n_slots, sizeof(*client->slots));
        r = client->slots
                ? load_bank_open(options, drive->worker->process * options->clients + (long)i,
                                 &client->bank)
                : -ENOMEM;
    }
    return r;
}

static void drive_close(struct drive *drive) {
    for (size_t i = 0; drive->clients && i < drive->n_clients; i++) {
        struct client *client = &drive->clients[i];
        for (size_t k = 0; client->slots && k < drive->n_slots; k++) {
            tb_call_free(client->slots[k].call);
            tb_batch_free(client->slots[k].batch);
        }
        free(client->slots);
        tb_bank_free(client->bank);
    }
    free(drive->clients);
    free(drive->polls);
}

static void drive_fail(struct drive *drive, int r, const char *message) {
    drive->is_over = true;
    if (drive->r != 0)
        return;
    drive->r = r;
    snprintf(drive->worker->told->message, sizeof(drive->worker->told->message), "%s", message);
}

/* When there is no room left, every other one goes, and from then on only half as many come. */
static void latency_keep(struct load_told *told, double ms) {
    if (told->n_calls++ % told->every != 0)
        return;
    if (told->n_latencies == LOAD_LATENCIES_MAX) {
        for (size_t i = 0; i < LOAD_LATENCIES_MAX / 2; i++)
            told->latencies_ms[i] = told->latencies_ms[2 * i];
        told->n_latencies = LOAD_LATENCIES_MAX / 2;
        told->every *= 2;
    }
    told->latencies_ms[told->n_latencies++] = ms;
}

static void slot_end(struct drive *drive, struct client *client, struct load_slot *slot) {
    int r = tb_call_result(slot->call);
    if (r == 0)
        r = drive->work->end(drive->worker, slot);
    if (r != 0)
        drive_fail(drive, r, r > 0 ? tb_call_message(slot->call) : tb_bank_message(client->bank));
    slot->call = tb_call_free(slot->call);
    slot->batch = tb_batch_free(slot->batch);
    latency_keep(drive->worker->told, (load_now_s() - slot->began_s) * 1e3);
    drive->n_under_way--;
}

static bool slot_begin(struct drive *drive, struct client *client, struct load_slot *slot) {
    slot->began_s = load_now_s();
    drive->is_over = drive->is_over || slot->began_s >= drive->until_s;
    if (drive->is_over)
        return false;
    int r = drive->work->start(drive->worker, client->bank, slot);
    if (r == -ECANCELED)
        drive->is_over = true;
    else if (r != 0)
        drive_fail(drive, r, tb_bank_message(client->bank));
    else
        drive->n_under_way++;
    return r == 0;
}

/* True when something ended or began. */
static bool client_turn(struct drive *drive, struct client *client) {
    bool moved = false;
    for (size_t i = 0; i < drive->n_slots; i++) {
        struct load_slot *slot = &client->slots[i];
        if (slot->call && tb_call_is_done(slot->call)) {
            slot_end(drive, client, slot);
            moved = true;
        }
        if (!slot->call && slot_begin(drive, client, slot))
            moved = true;
    }
    return moved;
}

/* What a process() read may have ended calls, and what was begun leaves only in the next one. */
static void client_step(struct drive *drive, struct client *client) {
    while (client_turn(drive, client)) {
        int r = tb_bank_process(client->bank);
        if (r != 0) {
            drive_fail(drive, r, tb_bank_message(client->bank));
            return;
        }
    }
}

static void drive_wait(struct drive *drive) {
    int wait_ms = POLL_MS;
    for (size_t i = 0; i < drive->n_clients; i++) {
        struct tb_bank *bank = drive->clients[i].bank;
        int timeout_ms = -1;
        drive->polls[i].events = (short)tb_bank_events(bank, &timeout_ms);
        drive->polls[i].fd = tb_bank_fd(bank);
        drive->polls[i].revents = 0;
        if (timeout_ms >= 0 && timeout_ms < wait_ms)
            wait_ms = timeout_ms;
    }
    int n_ready = poll(drive->polls, (nfds_t)drive->n_clients, wait_ms);
    for (size_t i = 0; i < drive->n_clients; i++) {
        if (n_ready > 0 && drive->polls[i].revents == 0)
            continue;
        int r = tb_bank_process(drive->clients[i].bank);
        if (r != 0)
            drive_fail(drive, r, tb_bank_message(drive->clients[i].bank));
        client_step(drive, &drive->clients[i]);
    }
}

static void drive_go(struct drive *drive) {
    drive->until_s = load_now_s() + drive->worker->options->seconds;
    for (size_t i = 0; i < drive->n_clients; i++)
        client_step(drive, &drive->clients[i]);
    while (drive->n_under_way > 0 && drive->r == 0)
        drive_wait(drive);
}

/* Bytes given to write(2) so far; what goes to a socket by send(2) is not among them. */
static uint64_t written_bytes(void) {
    unsigned long long n = 0;
    FILE *file = fopen("/proc/self/io", "re");
    if (!file)
        return 0;
    if (fscanf(file, "rchar: %*u wchar: %llu", &n) != 1)
        n = 0;
    fclose(file);
    return n;
}

void load_drive(struct load_worker *worker, const struct load_work *work, int ready, int start) {
    struct load_told *told = worker->told;
    struct drive drive = {.worker = worker, .work = work};
    char byte = 0;
    told->every = 1;
    drive.r = drive_open(&drive);
    if (drive.r != 0)
        snprintf(told->message, sizeof(told->message), "a bank could not be opened");
    if (write(ready, &byte, 1) != 1 || (read(start, &byte, 1) < 0 && drive.r == 0))
        drive.r = -errno;
    double cpu_before_s = load_cpu_s(getpid());
    uint64_t written_before = written_bytes();
    if (drive.r == 0)
        drive_go(&drive);
    told->ended_s = load_now_s();
    told->cpu_s = load_cpu_s(getpid()) - cpu_before_s;
    told->n_written = written_bytes() - written_before;
    told->r = drive.r;
    drive_close(&drive);
}
