/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept is bounded in files and bytes: whoever signs thousands of false pins fills no disk.
 */
#include "other-history.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/files.h"
#include "proto/evidence-file.h"
#include "proto/text64.h"
#include "say.h"

#define FILE_BYTES_MAX 16384u
#define NAME_BYTES 8 /* of the author's key, and of a hash over the pin */

/* other-history-AUTHOR-PIN-DAY.txt: of an author's day the first is kept, and no pin twice. */
struct name {
    char author[2 * NAME_BYTES + 1];
    char pin[2 * NAME_BYTES + 1];
    uint32_t day;
};

struct kept {
    size_t n_files;
    uint64_t n_bytes;
    bool is_known;
};

static void name_make(const struct bank *bank, const struct batch_header *header,
                      struct name *ret) {
    uint8_t pin[8 + HASH_BYTES];
    struct hash hash;

    be64_put(pin, header->pin_size);
    memcpy(pin + 8, header->pin_root.b, HASH_BYTES);
    hash = hash_of(pin, sizeof(pin));
    text64_hex(ret->author, header->author, NAME_BYTES);
    text64_hex(ret->pin, hash.b, NAME_BYTES);
    ret->day = bank_today(bank);
}

static bool is_like(const char *file, const struct name *name) {
    char author[2 * NAME_BYTES + 1], pin[2 * NAME_BYTES + 1];
    uint32_t day;

    return sscanf(file, "other-history-%16[0-9a-f]-%16[0-9a-f]-%" SCNu32, author, pin, &day) == 3 &&
           strcmp(author, name->author) == 0 && (day == name->day || strcmp(pin, name->pin) == 0);
}

static void count(const char *directory, const struct name *name, struct kept *kept) {
    const struct dirent *entry;
    DIR *open = opendir(directory);

    while (open && (entry = readdir(open))) {
        struct stat st;
        if (fstatat(dirfd(open), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(st.st_mode))
            continue;
        kept->n_files++;
        kept->n_bytes += (uint64_t)st.st_size;
        kept->is_known |= is_like(entry->d_name, name);
    }
    if (open)
        closedir(open);
}

static bool is_to_be_kept(const struct bank *bank, const char *directory, const struct name *name) {
    struct kept kept = {0};
    struct statvfs disk;

    count(directory, name, &kept);
    return !kept.is_known && kept.n_files < OTHER_HISTORY_FILES_MAX &&
           kept.n_bytes + FILE_BYTES_MAX <= OTHER_HISTORY_BYTES_MAX &&
           statvfs(directory, &disk) == 0 &&
           (uint64_t)disk.f_bavail * disk.f_frsize >=
               bank->settings.log.reserve_bytes + FILE_BYTES_MAX;
}

/* From the pin to our head, where the pin is not beyond it: what root we have there. */
static int put_consistency(struct bank *bank, const struct batch_header *header, struct bytes *to) {
    const struct note_head *head = log_head(bank->log);
    struct hash path[MERKLE_PATH_MAX + 1];
    struct store_read *read;
    size_t n = 0;
    int r = 0;

    if (header->pin_size < head->size) {
        r = log_read(bank->log, &read);
        if (r == 0)
            r = merkle_prove_consistency(runs_lookup, read, header->pin_size, head->size, path, &n);
    }
    if (r < 0)
        return r;
    evidence_file_data(to, EVIDENCE_CONSISTENCY, path, n * HASH_BYTES);
    return 0;
}

static int make(struct bank *bank, const struct batch_header *header, const uint8_t *header_bytes,
                const uint8_t *signature, struct bytes *to) {
    char sentence[160];
    size_t n;
    const char *checkpoint = log_checkpoint(bank->log, &n);

    snprintf(sentence, sizeof(sentence),
             "A batch was refused: its author signed to have seen another history of this ledger, "
             "at %llu records.",
             (unsigned long long)header->pin_size);
    evidence_file_begin(to, sentence, NULL, bank->verifier_key, bank->wall_ms);
    evidence_file_note(to, EVIDENCE_HEAD_OWN, checkpoint, n);
    evidence_file_data(to, EVIDENCE_HEADER, header_bytes, BATCH_HEADER_BYTES);
    evidence_file_data(to, EVIDENCE_SIGNATURE, signature, SSHSIG_SIGNATURE_BYTES);
    if (put_consistency(bank, header, to) < 0)
        return -EIO;
    evidence_file_end(to);
    return to->r;
}

/* Beside the store's directory. */
static char *directory_of(const struct bank *bank) {
    const char *store = store_directory(log_store(bank->log)), *slash = strrchr(store, '/');
    char *path;

    return asprintf(&path, "%.*sevidence", slash ? (int)(slash - store + 1) : 0, store) < 0 ? NULL
                                                                                            : path;
}

void other_history_keep(struct bank *bank, const struct batch_header *header,
                        const uint8_t header_bytes[BATCH_HEADER_BYTES],
                        const uint8_t signature[SSHSIG_SIGNATURE_BYTES]) {
    _cleanup_(freep) char *directory = directory_of(bank), *path = NULL;
    _cleanup_bytes_ struct bytes file = {0};
    struct name name;

    name_make(bank, header, &name);
    if (!directory || (mkdir(directory, 0700) < 0 && errno != EEXIST) ||
        !is_to_be_kept(bank, directory, &name) ||
        asprintf(&path, "%s/other-history-%s-%s-%u.txt", directory, name.author, name.pin,
                 name.day) < 0 ||
        make(bank, header, header_bytes, signature, &file) < 0 || file.n > FILE_BYTES_MAX ||
        file_create(path, 0600, file.data, file.n) < 0)
        return;
    say("a batch was refused whose author saw another history of this ledger: timebank verify %s "
        "says what that proves. Ask the author for the head that their program kept",
        path);
}
