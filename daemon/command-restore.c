/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebankd restore: a ledger out of a backup. What was recorded after the backup is lost, so it
 * never goes on as the ledger it was: two histories under one name could not be told apart. The new
 * directory holds the old records unchanged, then a genesis with another name and another key that
 * says what it goes on from.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "backups.h"
#include "base/clock.h"
#include "base/files.h"
#include "check.h"
#include "commands.h"
#include "head.h"
#include "say.h"
#include "settings.h"

#define STEWARDS_MAX 16
#define KEY_FILE_MAX 16384

struct restoring {
    const char *backup;
    const char *directory;
    const char *name;
    uint8_t stewards[STEWARDS_MAX][SSHSIG_PUBLIC_BYTES];
    size_t n_stewards;
    struct bank_settings settings;
    struct note_head old_head;
    uint64_t old_size; /* records of the backup: the store may be ahead of its head */
    bool has_people;
    char why[512];
};

static int add_steward(struct restoring *restoring, const char *path) {
    _cleanup_bytes_ struct bytes text = {0};
    int r;

    if (restoring->n_stewards == STEWARDS_MAX) {
        say("no more than %d stewards at the start", STEWARDS_MAX);
        return EXIT_USAGE;
    }
    r = file_read(path, KEY_FILE_MAX, &text);
    if (r == 0)
        r = sshsig_public_parse((const char *)text.data, text.n,
                                restoring->stewards[restoring->n_stewards], NULL);
    if (r < 0) {
        say("%s is no Ed25519 public key file (%s): make one with timebank key new", path,
            strerror(-r));
        return EXIT_REFUSED;
    }
    restoring->n_stewards++;
    return EXIT_DONE;
}

static int read_arguments(struct restoring *restoring, int argc, char **argv) {
    static const struct option options[] = {
        {"name", required_argument, NULL, 'n'}, {"steward", required_argument, NULL, 's'}, {0}};
    int option, status = EXIT_DONE;

    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'n')
            restoring->name = optarg;
        else if (option == 's')
            status = add_steward(restoring, optarg);
        else
            status = EXIT_USAGE;
    }
    if (status != EXIT_DONE)
        return status;
    if (optind + 2 != argc || !restoring->name || restoring->n_stewards == 0) {
        say("usage: timebankd restore BACKUP NEWDIR --name ely.example/timebank/2 --steward "
            "broker.key.pub");
        return EXIT_USAGE;
    }
    restoring->backup = argv[optind];
    restoring->directory = argv[optind + 1];
    if (!note_origin_is_valid(restoring->name)) {
        say("a ledger's name is printable text without spaces and plus signs, as "
            "ely.example/timebank/2");
        return EXIT_REFUSED;
    }
    return EXIT_DONE;
}

static char *path_in(const char *directory, const char *name) {
    char *path = NULL;

    return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

/* A medium that cannot be written to is as good as locked. */
static int lock(const struct restoring *restoring, int *ret_fd) {
    int r = bank_lock(restoring->backup, ret_fd);

    if (r == -EROFS)
        return EXIT_DONE;
    if (r == -EWOULDBLOCK)
        say("%s is being served: restore a backup, which timebank backup makes of it, or stop "
            "timebankd first",
            restoring->backup);
    else if (r < 0)
        say("%s is no backup of a ledger (%s): name the directory that timebank backup printed",
            restoring->backup, strerror(-r));
    return r < 0 ? EXIT_REFUSED : EXIT_DONE;
}

static int check_target(const struct restoring *restoring) {
    struct stat st;

    if (lstat(restoring->directory, &st) < 0 && errno == ENOENT)
        return EXIT_DONE;
    say("%s is there already: name a directory that is not there yet", restoring->directory);
    return EXIT_REFUSED;
}

/* The check has verified the head file by then; its newest slot says where the signed part ends. */
static int read_old_head(struct restoring *restoring) {
    _cleanup_(freep) char *path = path_in(restoring->backup, "head");
    struct head_slot slots[HEAD_SLOTS];
    bool valid[HEAD_SLOTS];
    const struct head_slot *latest;
    char origin[NOTE_ORIGIN_MAX + 1];
    int r = path ? head_read(path, slots, valid) : -ENOMEM;

    if (r == 0)
        r = bank_origin(restoring->backup, origin);
    if (r < 0)
        return r;
    latest = head_latest(slots, valid);
    return latest ? note_checkpoint_peek(latest->checkpoint, latest->n_checkpoint, origin,
                                         &restoring->old_head)
                  : -EUCLEAN;
}

static int check_backup(struct restoring *restoring) {
    _cleanup_(freep) char *people = path_in(restoring->backup, "people");
    int r = check_ledger(restoring->backup, &restoring->settings, false, stdout, NULL);

    if (r == 0)
        r = people ? read_old_head(restoring) : -ENOMEM;
    if (r < 0) {
        say("not restored: the backup in %s is not sound, see above. Try an older one",
            restoring->backup);
        return EXIT_BROKEN;
    }
    if (strcmp(restoring->old_head.origin, restoring->name) == 0) {
        say("not restored: a restore that lost entries never goes on as %s, because clients could "
            "not tell the two apart. Give it another name, as %s/2",
            restoring->name, restoring->name);
        return EXIT_REFUSED;
    }
    restoring->has_people = access(people, F_OK) == 0;
    return EXIT_DONE;
}

static int copy_ledger(const struct restoring *restoring, const char *beside) {
    _cleanup_(store_closep) struct store *store = NULL;
    _cleanup_(freep) char *from = path_in(restoring->backup, "ledger");
    _cleanup_(freep) char *directory = path_in(beside, "ledger");
    _cleanup_(freep) char *to = path_in(beside, "ledger/data.mdb");
    int r;

    if (!from || !directory || !to)
        return -ENOMEM;
    if (mkdir(directory, 0700) < 0)
        return -errno;
    r = store_open_lacking(&store, from, restoring->settings.log.map_bytes, runs_tables,
                           RUNS_N_TABLES, true);
    return r < 0 ? r : store_copy(store, to);
}

static int make_people(const struct restoring *restoring, const char *beside) {
    _cleanup_(people_closep) struct people *people = NULL;
    _cleanup_(freep) char *from = path_in(restoring->backup, "people");
    _cleanup_(freep) char *directory = path_in(beside, "people");
    _cleanup_(freep) char *to = path_in(beside, "people/data.mdb");
    int r;

    if (!from || !directory || !to)
        return -ENOMEM;
    if (mkdir(directory, 0700) < 0)
        return -errno;
    if (!restoring->has_people)
        return people_create(directory, restoring->settings.people_map_bytes);
    r = people_open(&people, from, restoring->settings.people_map_bytes, true);
    return r < 0 ? r : people_copy(people, to);
}

static int make_log(struct restoring *restoring, const char *beside,
                    const struct keyring *keyring) {
    Timebank__Genesis genesis = TIMEBANK__GENESIS__INIT;
    ProtobufCBinaryData stewards[STEWARDS_MAX];
    int r;

    for (size_t i = 0; i < restoring->n_stewards; i++)
        stewards[i] = (ProtobufCBinaryData){SSHSIG_PUBLIC_BYTES, restoring->stewards[i]};
    genesis.format = 1;
    genesis.origin = (char *)(uintptr_t)restoring->name;
    genesis.ledger_key =
        (ProtobufCBinaryData){NOTE_KEY_BYTES, (uint8_t *)(uintptr_t)keyring_verifier(keyring)->key};
    genesis.steward_keys = stewards;
    genesis.n_steward_keys = restoring->n_stewards;
    genesis.created_ms = clock_wall_ms();
    r = log_restore(beside, &restoring->settings.log, &restoring->old_head, &genesis, keyring,
                    restoring->why, sizeof(restoring->why));
    restoring->old_size = genesis.old_size;
    if (r == -EBADMSG && !*restoring->why)
        snprintf(restoring->why, sizeof(restoring->why),
                 "a steward's key was revoked in this ledger, or has another role: make a new one "
                 "with timebank key new");
    return r;
}

static int make(struct restoring *restoring, const char *beside, struct bytes *verifier_key) {
    _cleanup_(keyring_closep) struct keyring *keyring = NULL;
    _cleanup_(freep) char *key_path = path_in(beside, "ledger.key");
    int r;

    if (!key_path)
        return -ENOMEM;
    if (mkdir(beside, 0700) < 0)
        return -errno;
    r = keyring_create(key_path, restoring->name);
    if (r == 0)
        r = keyring_open(&keyring, key_path, restoring->name);
    if (r == 0)
        r = copy_ledger(restoring, beside);
    if (r == 0)
        r = make_people(restoring, beside);
    if (r == 0)
        r = make_log(restoring, beside, keyring);
    if (r == 0)
        note_verifier_format(keyring_verifier(keyring), verifier_key);
    return r == 0 ? verifier_key->r : r;
}

static void tell(const struct restoring *restoring) {
    say("restored into %s: its first %llu records are those of %s, and it goes on as %s. "
        "The line above is its verifier key: tell everybody that the bank goes on under it, and "
        "that what was recorded after the backup must be entered again",
        restoring->directory, (unsigned long long)restoring->old_size, restoring->old_head.origin,
        restoring->name);
    if (!restoring->has_people)
        say("the backup holds no register of people: wards, age bands and the texts of notes are "
            "gone, the accounts and their balances are all there");
}

static int restore(struct restoring *restoring) {
    _cleanup_bytes_ struct bytes verifier_key = {0};
    _cleanup_(freep) char *beside = NULL, *text = NULL;
    int r;

    if (asprintf(&beside, "%s.new-%d", restoring->directory, (int)getpid()) < 0)
        return EXIT_BROKEN;
    r = make(restoring, beside, &verifier_key);
    if (r == 0 && rename(beside, restoring->directory) < 0)
        r = -errno;
    if (r == 0)
        r = file_sync_directory_of(restoring->directory);
    text = r == 0 ? bytes_take_text(&verifier_key) : NULL;
    if (!text) {
        backups_remove(beside);
        say("not restored: %s", *restoring->why ? restoring->why : strerror(r < 0 ? -r : ENOMEM));
        return r == -EBADMSG ? EXIT_REFUSED : EXIT_BROKEN;
    }
    printf("%s\n", text);
    tell(restoring);
    return EXIT_DONE;
}

int command_restore(int argc, char **argv) {
    struct restoring restoring = {0};
    struct settings settings;
    _cleanup_(closep) int fd = -1;
    int status = read_arguments(&restoring, argc, argv);

    if (status == EXIT_DONE)
        status = check_target(&restoring);
    if (status == EXIT_DONE)
        status = lock(&restoring, &fd);
    if (status != EXIT_DONE)
        return status;
    settings_init(&settings);
    restoring.settings = settings_for_bank(&settings);
    status = check_backup(&restoring);
    return status == EXIT_DONE ? restore(&restoring) : status;
}
