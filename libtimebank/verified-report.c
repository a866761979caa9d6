/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report as a file: the JSON as `timebank report --format json` prints it, and the ledger's
 * signature over these bytes beside it. Where an export of the ledger is at hand, the position that
 * the report names is one of that.
 */
#include "verified.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "export.h"
#include "proto/dates.h"
#include "proto/report-text.h"
#include "proto/text64.h"
#include "report-sums.h"
#include "tile-roots.h"

#define ARMOUR_MAX 1024

/* ------------------------------------------------------------------ signature */

/* The 64 bytes are the last of the blob; what stands before them is made anew and compared. */
static int armour_read(const struct bytes *armour, uint8_t ret[SSHSIG_SIGNATURE_BYTES]) {
    struct lines rest = lines_make(armour->data, armour->n), line;
    _cleanup_bytes_ struct bytes base64 = {}, blob = {};
    if (!lines_cut(&rest, '\n', &line))
        return -EBADMSG;
    while (lines_cut(&rest, '\n', &line) && rest.n > 0)
        bytes_put(&base64, line.text, line.n);
    int r = base64.r == 0 ? text64_decode(&blob, (const char *)base64.data, base64.n) : -ENOMEM;
    if (r < 0)
        return r;
    if (blob.n < SSHSIG_SIGNATURE_BYTES)
        return -EBADMSG;
    memcpy(ret, blob.data + blob.n - SSHSIG_SIGNATURE_BYTES, SSHSIG_SIGNATURE_BYTES);
    return 0;
}

/* 1 the key signed the file, 0 not: another key's, or not as it was written. */
static int key_signed(const uint8_t key[NOTE_KEY_BYTES], const struct bytes *armour,
                      const struct bytes *file) {
    _cleanup_bytes_ struct bytes again = {};
    uint8_t signature[SSHSIG_SIGNATURE_BYTES];
    int r = armour_read(armour, signature);
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    sshsig_armour(SSHSIG_REPORT, key, signature, &again);
    if (again.r < 0)
        return again.r;
    return again.n == armour->n && memcmp(again.data, armour->data, again.n) == 0 &&
           sshsig_verify(SSHSIG_REPORT, file->data, file->n, key, signature) == 0;
}

/* The file's name and .sig, unless another is named. */
static int armour_find(struct verified_check *check, struct bytes *to) {
    _cleanup_(freep) char *beside = NULL;
    const char *path = check->ask->signature_file;
    if (!path && asprintf(&beside, "%s.sig", check->path) < 0)
        return -ENOMEM;
    int r = verified_read(check, path ? path : beside, ARMOUR_MAX, to);
    if (r == TB_NOT_VERIFIED && to->n == 0)
        return verified_fail(check,
                             "The report's signature is not beside it: keep the file that ends in "
                             ".sig with it, name another with --signature, or have the bank make "
                             "both again (timebank report --format json --out FILE).");
    return r;
}

/* The key that was given, or one that followed it. */
static int signature_check(struct verified_check *check, const struct rotation_chain *chain,
                           const struct bytes *file) {
    _cleanup_bytes_ struct bytes armour = {};
    int r = armour_find(check, &armour);
    if (r != 0)
        return r;
    r = key_signed(check->verifier.key, &armour, file);
    int given = rotation_chain_find(chain, &check->verifier);
    for (size_t i = (size_t)given + 1; r == 0 && given >= 0 && i < chain->n; i++)
        r = key_signed(chain->verifiers[i].key, &armour, file);
    if (r != 0)
        return r < 0 ? r : 0;
    return verified_fail(check,
                         "The report was not signed by the key of %s that you gave, or it was "
                         "changed since: ask for it again, and where the ledger changed its key, "
                         "give the key of then, or an export with entries (--export).",
                         check->verifier.name);
}

/* ----------------------------------------------------------------------- text */

static int checksum_check(struct verified_check *check, struct lines measures,
                          struct lines checksum) {
    char found[2 * HASH_BYTES + 1];
    if (measures.n == 0 && checksum.n == 0)
        return 0;
    int r = report_text_checksum(measures, found);
    if (r < 0)
        return r;
    return lines_equals(checksum, found)
               ? 0
               : verified_fail(check, "The report's checksum is not that of its figures: the bank "
                                      "signed what cannot be; keep it, and ask an auditor.");
}

static int text_check(struct verified_check *check, const struct bytes *file,
                      struct report_text *ret) {
    char why[REPORT_SUMS_WHY_BYTES];
    int r = file->data[file->n - 1] == '\n' ? report_text_parse(ret, file->data, file->n - 1)
                                            : -EBADMSG;
    if (r == -ENOMEM)
        return r;
    if (r < 0 || !ret->is_whole)
        return verified_fail(check, "This is no report as timebank report --format json writes "
                                    "it: ask for it again.");
    if (!report_text_equals(ret->bank, check->verifier.name)) {
        verified_fail(check,
                      "This report is of the bank %.*s, not of %s: name the ledger that it "
                      "is from.",
                      (int)MIN_OF(ret->bank.n, (size_t)200), ret->bank.text, check->verifier.name);
        return TB_WRONG_LEDGER;
    }
    if (!lines_equals(ret->definition, RECORD_REPORT_DEFINITION))
        return verified_fail(check,
                             "This report is of another set of definitions than %s: use a "
                             "newer program.",
                             RECORD_REPORT_DEFINITION);
    if (ret->from_day == 0 || ret->to_day < ret->from_day || ret->known_day == 0)
        return verified_fail(check, "This report names no period: ask for it again.");
    r = checksum_check(check, ret->measures, ret->checksum);
    if (r == 0)
        r = checksum_check(check, ret->further_measures, ret->further_checksum);
    if (r != 0)
        return r;
    if (report_sums_check(ret, why) < 0)
        return verified_fail(check,
                             "The figures do not fit one another (%s): the bank signed what "
                             "cannot be; keep it, and ask an auditor.",
                             why);
    return 0;
}

/* --------------------------------------------------------------------- export */

static void roots_finip(struct tile_roots **roots) {
    free(*roots);
}

static int root_compare(struct verified_check *check, const struct report_text *report,
                        uint64_t size) {
    struct tile_files files = {.directory = check->ask->export_directory};
    _cleanup_(roots_finip) struct tile_roots *roots = calloc(1, sizeof(*roots));
    struct hash root;
    if (!roots)
        return -ENOMEM;
    roots->files = &files;
    roots->size = size;
    int r = tile_roots_at(roots, report->size, &root);
    if (r == -EBADMSG)
        return verified_fail(check, "%s Get the export anew.", files.why);
    if (r < 0)
        return r;
    if (hash_equal(&root, &report->root))
        return verified_say(check, true,
                            "The %" PRIu64 " records that it was made from are the first of those "
                            "in the export.",
                            report->size);
    return verified_fail(check,
                         "The report stands on %" PRIu64 " records that are not those of the "
                         "export: the ledger's key signed two histories. Keep both, and ask an "
                         "auditor.",
                         report->size);
}

/* What the export proves by itself, without its sentences. */
static int export_take(struct verified_check *check, struct rotation_chain *chain,
                       uint64_t *ret_size) {
    _cleanup_(tb_verified_freep) struct tb_verified *found = calloc(1, sizeof(*found));
    struct verified_check beside = *check;
    if (!found)
        return -ENOMEM;
    arena_init(&found->arena, VERIFIED_ARENA_MAX);
    beside.path = check->ask->export_directory;
    beside.verified = found;
    beside.chain = chain;
    int r = export_check(&beside);
    if (r != 0)
        return r;
    *ret_size = found->size;
    return 0;
}

/* ---------------------------------------------------------------------- words */

static int period_say(struct verified_check *check, const struct report_text *report) {
    char from[32], until[32], known[32];
    dates_format_words(report->from_day, from);
    dates_format_words(report->to_day, until);
    dates_format_words(report->known_day, known);
    return verified_say(
        check, true,
        "The ledger %s signed this report of %s to %s, of the class %.*s, as known "
        "on %s%s, made from its first %" PRIu64 " records.",
        check->verifier.name, from, until, (int)report->report_class.n, report->report_class.text,
        known, report->as_recorded ? " by the ledger's own dates of entry" : "", report->size);
}

static int figures_say(struct verified_check *check, const struct report_text *report) {
    if (!report_sums_are_open(report))
        return verified_say(check, true,
                            "Its figures are those of the definitions %s, its checksums are "
                            "theirs, and %" PRIu64 " are marked as hidden.",
                            RECORD_REPORT_DEFINITION, report->suppressed);
    return verified_say(check, true,
                        "Its figures are those of the definitions %s, its checksums are theirs, "
                        "and the parts add up to the totals.",
                        RECORD_REPORT_DEFINITION);
}

static int leaves_say(struct verified_check *check) {
    int r = verified_say(check, false,
                         "That the figures follow from the entries: that is the bank's word; have "
                         "it reckon them again (--again, with a key that may), or somebody who "
                         "holds the ledger.");
    if (r == 0)
        r = verified_say(check, false,
                         "That the entries are true, and that all that happened was "
                         "entered.");
    if (r == 0 && !check->ask->export_directory)
        r = verified_say(check, false,
                         "That others are shown the same ledger: name an export of it (--export "
                         "DIR) to connect the two.");
    if (r == 0 && check->ask->policy_file && !check->ask->export_directory)
        r = verified_say(check, false,
                         "Whose cosignatures the ledger has: a report carries no "
                         "head; name an export of it (--export DIR).");
    return r;
}

/* -------------------------------------------------------------------- checking */

static int report_check(struct verified_check *check, const struct bytes *file,
                        const struct rotation_chain *chain, uint64_t export_size) {
    bool has_export = check->ask->export_directory != NULL;
    struct report_text report;
    int r = signature_check(check, chain, file);
    if (r == 0)
        r = text_check(check, file, &report);
    if (r != 0)
        return r;
    check->verified->size = report.size;
    check->verified->root = report.root;
    r = period_say(check, &report);
    if (r == 0)
        r = figures_say(check, &report);
    if (r == 0 && has_export && report.size > export_size)
        return verified_fail(check,
                             "The report was made from %" PRIu64 " records, the export ends "
                             "after %" PRIu64 ": bring the export up to date.",
                             report.size, export_size);
    if (r == 0 && has_export)
        r = root_compare(check, &report, export_size);
    return r == 0 ? leaves_say(check) : r;
}

int verified_report(struct verified_check *check, const struct bytes *file) {
    _cleanup_(freep) struct rotation_chain *chain = calloc(1, sizeof(*chain));
    uint64_t export_size = 0;
    if (!chain)
        return -ENOMEM;
    check->verified->kind = TB_IS_REPORT;
    int r = check->ask->export_directory ? export_take(check, chain, &export_size) : 0;
    return r == 0 ? report_check(check, file, chain, export_size) : r;
}
