/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebankd init: a new ledger, built beside and renamed into place whole, because a store killed
 * during its first creation leaves a file that it refuses afterwards.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/files.h"
#include "commands.h"
#include "log.h"
#include "people.h"
#include "policy.h"
#include "say.h"
#include "settings.h"

#define STEWARDS_MAX 16
#define POLICIES_MAX 64
#define KEY_FILE_MAX 16384

struct initial {
    const char *directory;
    const char *name;
    uint8_t stewards[STEWARDS_MAX][SSHSIG_PUBLIC_BYTES];
    size_t n_stewards;
    const char *values[POLICIES_MAX]; /* as policies[] */
};

static int add_steward(struct initial *initial, const char *path) {
    _cleanup_bytes_ struct bytes text = {0};
    int r;

    if (initial->n_stewards == STEWARDS_MAX) {
        say("no more than %d stewards at the start", STEWARDS_MAX);
        return EXIT_USAGE;
    }
    r = file_read(path, KEY_FILE_MAX, &text);
    if (r == 0)
        r = sshsig_public_parse((const char *)text.data, text.n,
                                initial->stewards[initial->n_stewards], NULL);
    if (r < 0) {
        say("%s is no Ed25519 public key file (%s): make one with timebank key new", path,
            strerror(-r));
        return EXIT_REFUSED;
    }
    initial->n_stewards++;
    return EXIT_DONE;
}

static int set_policy(struct initial *initial, const char *text) {
    const char *equals = strchr(text, '=');

    for (size_t i = 0; equals && policies[i].name; i++) {
        size_t n = strlen(policies[i].name);
        if (n != (size_t)(equals - text) || strncmp(policies[i].name, text, n) != 0)
            continue;
        if (!policy_takes(&policies[i], equals + 1)) {
            say("the policy %s (%s) does not take %s%s%s", policies[i].name, policies[i].help,
                equals + 1, *policies[i].argument ? "; one of " : "", policies[i].argument);
            return EXIT_REFUSED;
        }
        initial->values[i] = equals + 1;
        return EXIT_DONE;
    }
    say("--policy takes NAME=VALUE with one of these names:");
    for (size_t i = 0; policies[i].name; i++)
        fprintf(stderr, "    %s=%s  %s\n", policies[i].name, policies[i].otherwise,
                policies[i].help);
    return EXIT_REFUSED;
}

static int read_arguments(struct initial *initial, int argc, char **argv) {
    static const struct option options[] = {{"name", required_argument, NULL, 'n'},
                                            {"steward", required_argument, NULL, 's'},
                                            {"policy", required_argument, NULL, 'p'},
                                            {0}};
    int option, status = EXIT_DONE;

    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'n')
            initial->name = optarg;
        else if (option == 's')
            status = add_steward(initial, optarg);
        else if (option == 'p')
            status = set_policy(initial, optarg);
        else
            status = EXIT_USAGE;
    }
    if (status != EXIT_DONE)
        return status;
    if (optind + 1 != argc || !initial->name || initial->n_stewards == 0) {
        say("usage: timebankd init DIR --name ely.example/timebank --steward broker.key.pub");
        return EXIT_USAGE;
    }
    initial->directory = argv[optind];
    if (!note_origin_is_valid(initial->name)) {
        say("a ledger's name is printable text without spaces and plus signs, as "
            "ely.example/timebank");
        return EXIT_REFUSED;
    }
    return EXIT_DONE;
}

static int is_empty_or_absent(const char *path) {
    DIR *directory = opendir(path);
    const struct dirent *entry;
    bool is_empty = true;

    if (!directory)
        return errno == ENOENT ? 0 : -errno;
    while (is_empty && (entry = readdir(directory)))
        is_empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(directory);
    return is_empty ? 0 : -ENOTEMPTY;
}

static int make_people(const char *beside, uint64_t map_bytes) {
    _cleanup_(freep) char *path = NULL;

    if (asprintf(&path, "%s/people", beside) < 0)
        return -ENOMEM;
    if (mkdir(path, 0700) < 0)
        return -errno;
    return people_create(path, map_bytes);
}

static int make_log(const struct initial *initial, const char *beside,
                    const struct bank_settings *settings, const struct keyring *keyring) {
    Timebank__Genesis genesis = TIMEBANK__GENESIS__INIT;
    ProtobufCBinaryData stewards[STEWARDS_MAX];
    char *names[POLICIES_MAX], *values[POLICIES_MAX];
    const struct note_verifier *verifier = keyring_verifier(keyring);
    size_t n = 0;

    for (; policies[n].name; n++) {
        names[n] = (char *)(uintptr_t)policies[n].name;
        values[n] =
            (char *)(uintptr_t)(initial->values[n] ? initial->values[n] : policies[n].otherwise);
    }
    for (size_t i = 0; i < initial->n_stewards; i++)
        stewards[i] =
            (ProtobufCBinaryData){SSHSIG_PUBLIC_BYTES, (uint8_t *)(uintptr_t)initial->stewards[i]};
    genesis.format = 1;
    genesis.origin = (char *)(uintptr_t)initial->name;
    genesis.ledger_key = (ProtobufCBinaryData){NOTE_KEY_BYTES, (uint8_t *)(uintptr_t)verifier->key};
    genesis.steward_keys = stewards;
    genesis.n_steward_keys = initial->n_stewards;
    genesis.policy_names = names;
    genesis.policy_values = values;
    genesis.n_policy_names = genesis.n_policy_values = n;
    genesis.created_ms = clock_wall_ms();
    return log_create(beside, &settings->log, &genesis, keyring, genesis.created_ms);
}

static int make(const struct initial *initial, const char *beside, struct bytes *verifier_key) {
    _cleanup_(keyring_closep) struct keyring *keyring = NULL;
    _cleanup_(freep) char *key_path = NULL;
    struct settings settings;
    struct bank_settings bank_settings;
    int r;

    settings_init(&settings);
    bank_settings = settings_for_bank(&settings);
    if (mkdir(beside, 0700) < 0)
        return -errno;
    if (asprintf(&key_path, "%s/ledger.key", beside) < 0)
        return -ENOMEM;
    r = keyring_create(key_path, initial->name);
    if (r == 0)
        r = keyring_open(&keyring, key_path, initial->name);
    if (r == 0)
        r = make_people(beside, bank_settings.people_map_bytes);
    if (r == 0)
        r = make_log(initial, beside, &bank_settings, keyring);
    if (r == 0)
        note_verifier_format(keyring_verifier(keyring), verifier_key);
    return r == 0 ? verifier_key->r : r;
}

int command_init(int argc, char **argv) {
    _cleanup_bytes_ struct bytes verifier_key = {0};
    _cleanup_(freep) char *beside = NULL, *text = NULL;
    struct initial initial = {0};
    int r, status = read_arguments(&initial, argc, argv);

    if (status != EXIT_DONE)
        return status;
    r = is_empty_or_absent(initial.directory);
    if (r < 0) {
        say("%s: %s. A new ledger needs a directory that is not there yet, or an empty one",
            initial.directory, strerror(-r));
        return EXIT_REFUSED;
    }
    if (asprintf(&beside, "%s.new-%d", initial.directory, (int)getpid()) < 0)
        return EXIT_BROKEN;
    r = make(&initial, beside, &verifier_key);
    if (r == 0 && rename(beside, initial.directory) < 0)
        r = -errno;
    if (r == 0)
        r = file_sync_directory_of(initial.directory);
    text = r == 0 ? bytes_take_text(&verifier_key) : NULL;
    if (!text) {
        say("the ledger could not be made in %s: %s. Remove %s and try again", initial.directory,
            strerror(r < 0 ? -r : ENOMEM), beside);
        return EXIT_BROKEN;
    }
    printf("%s\n", text);
    say("this is the verifier key of the new ledger in %s. Write it down and give it to your "
        "funder and "
        "your auditor: it is how anyone knows this ledger from another",
        initial.directory);
    return EXIT_DONE;
}
