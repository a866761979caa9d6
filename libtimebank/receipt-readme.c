/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person reads first: what the receipt is of, how to check it with tools of others, what
 * they must answer, and what that proves and what not. Lines of four spaces are commands, one after
 * another in one shell; lines that begin with => are what they answer.
 *
 * Part of what is said comes from whoever runs the ledger: it is quoted, and cannot become a
 * command.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/dates.h"
#include "proto/text64.h"
#include "receipt.h"

#define DAY_MS 86400000u

/* One line: whatever is no text is replaced. */
static void put_line(struct bytes *to, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void put_line(struct bytes *to, const char *format, ...) {
    char *line = NULL;
    va_list arguments;
    va_start(arguments, format);
    int n = vasprintf(&line, format, arguments);
    va_end(arguments);
    if (n < 0) {
        to->r = -ENOMEM;
        return;
    }
    bank_clean_text(line);
    bytes_put_text(to, line);
    bytes_put_u8(to, '\n');
    free(line);
}

/* As one word of a shell. */
static void put_quoted(struct bytes *to, const char *text) {
    bytes_put_u8(to, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            bytes_put_text(to, "'\\''");
        else
            bytes_put_u8(to, (uint8_t)*text);
    }
    bytes_put_u8(to, '\'');
}

static void put_time(struct bytes *to, uint64_t time_ms) {
    char day[16];
    uint64_t second = time_ms % DAY_MS / 1000;
    dates_format_iso((uint32_t)(time_ms / DAY_MS), day);
    bytes_printf(to, "%s %02u:%02u:%02u UTC", day, (unsigned)(second / 3600),
                 (unsigned)(second / 60 % 60), (unsigned)(second % 60));
}

/* ------------------------------------------------------------------- in words */

static bool is_given(const char *text) {
    return text && text[0];
}

static void put_id(struct bytes *to, const char *words, const uint8_t id[TB_ORDER_ID_BYTES]) {
    static const uint8_t none[TB_ORDER_ID_BYTES];
    char hex[2 * TB_ORDER_ID_BYTES + 1];
    if (memcmp(id, none, sizeof(none)) == 0)
        return;
    text64_hex(hex, id, TB_ORDER_ID_BYTES);
    bytes_printf(to, "  %s %s\n", words, hex);
}

static void put_order(const struct tb_order *order, struct bytes *to) {
    _cleanup_bytes_ struct bytes words = {};
    char day[32], minutes[32];
    if (order->service_day > 0) {
        tb_date_format_words(order->service_day, day);
        bytes_printf(&words, "%s: ", day);
    }
    bytes_put_text(&words, tb_kind_name((int)order->kind));
    if (order->minutes > 0 && order->minutes <= INT64_MAX) {
        tb_time_format((int64_t)order->minutes, minutes);
        bytes_printf(&words, " of %s (%" PRIu64 " minutes)", minutes, order->minutes);
    }
    if (is_given(order->from))
        bytes_printf(&words, " from %s", order->from);
    if (is_given(order->to))
        bytes_printf(&words, " to %s", order->to);
    if (is_given(order->activity))
        bytes_printf(&words, ", %s", order->activity);
    if (is_given(order->offer))
        bytes_printf(&words, ", %s", order->offer);
    if (is_given(order->name))
        bytes_printf(&words, ", %s", order->name);
    put_line(to, "  %.*s", (int)words.n, (const char *)words.data);
    put_id(to, "id", order->id);
    put_id(to, "about the order with the id", order->target);
    put_id(to, "in place of the order with the id", order->corrects);
}

static void put_head_of_text(const struct receipt_readme *readme, struct bytes *to) {
    _cleanup_bytes_ struct bytes author = {};
    put_line(to, "A receipt of entry %" PRIu64 " of the timebank ledger %s", readme->entry,
             readme->head->origin);
    bytes_put_u8(to, '\n');
    put_order(readme->order, to);
    bytes_put_text(to, "\nIt was recorded on ");
    put_time(to, readme->seal->received_at_ms);
    bytes_printf(to,
                 " by the ledger's clock, as order %" PRIu64 " of %" PRIu32 " that\n"
                 "were signed together by the key\n\n  ",
                 readme->place + 1, readme->header->n_orders);
    sshsig_public_format(readme->header->author, NULL, &author);
    bytes_put(to, author.data, author.n);
    bytes_printf(to,
                 "\nand it stands under the ledger's signed head of %" PRIu64
                 " records. From and to are the\n"
                 "sides of credits: who received time is from, who gave it is to.\n\n",
                 readme->head->size);
}

static const char files[] =
    "THE FILES\n"
    "\n"
    "  entry.record  the order as it stands in the ledger\n"
    "  entry.proof   that it stands there: a C2SP tlog-proof, with the signed head\n"
    "  seal.record   what the ledger wrote before the orders that were signed together\n"
    "  seal.proof    that it stands there, under the same head\n"
    "  batch.header  the 176 bytes that the author signed\n"
    "  batch.sig     the signature, as ssh-keygen -Y sign writes it\n"
    "  author.pub    the author's key\n"
    "  batch.proof   that the order is one of those that were signed\n"
    "  chain-0 ...   only where the ledger had another key or name before: the records that say "
    "so\n"
    "\n"
    "man 5 timebank-receipt says what each byte means.\n"
    "\n";

static const char checking[] =
    "HOW TO CHECK IT\n"
    "\n"
    "With tools that we did not write, on any machine, in this directory. Lines that begin with\n"
    "four spaces are commands, for one shell, one after another; lines that begin with => are "
    "what\n"
    "they must answer. Nothing in this directory is changed.\n"
    "\n";

/* ------------------------------------------------------------------- commands */

/* The last part of a signature line that tells whose key it is: 30 bits of the key's hash. */
static void put_key_id(const struct note_verifier *verifier, struct bytes *to) {
    _cleanup_bytes_ struct bytes text = {};
    uint8_t begin[6] = {};
    memcpy(begin, verifier->key_id, sizeof(verifier->key_id));
    text64_encode(&text, begin, sizeof(begin));
    if (text.r == 0)
        bytes_put(to, text.data, 5);
}

static void put_ledger(const struct receipt_readme *readme, struct bytes *to) {
    const struct note_verifier *verifier = readme->verifier;
    _cleanup_bytes_ struct bytes key = {};
    struct hash id = note_ledger_id(verifier->name, verifier->key);
    bytes_put_text(to,
                   "1. The ledger's key. This one was written by whoever made this file: compare "
                   "it with\nthe one that you have by another way, from the bank's own paper or "
                   "from somebody you\ntrust. All else stands on it.\n\n    T=$(mktemp -d)\n"
                   "    VKEY=");
    note_verifier_format(verifier, &key);
    char *text = bytes_take_text(&key);
    put_quoted(to, text ? text : "");
    free(text);
    bytes_put_text(
        to,
        "\n    printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000' > "
        "\"$T/key.der\"\n"
        "    printf '%s' \"$VKEY\" | cut -d+ -f3- | base64 -d | tail -c 32 >> \"$T/key.der\"\n\n");
    if (!hash_equal(&id, &readme->header->ledger_id)) {
        bytes_put_text(to, "The ledger's id goes by the key and name that it had at first, or "
                           "before a restore: man 5\ntimebank-receipt, AFTER A CHANGE OF KEY.\n\n");
        return;
    }
    bytes_put_text(
        to, "The author signed for this ledger and no other:\n\n"
            "    { printf '%s\\n\\001' \"${VKEY%%+*}\"; tail -c 32 \"$T/key.der\"; } | "
            "openssl sha256 -binary > \"$T/id\"\n"
            "    head -c 40 batch.header | tail -c 32 | cmp - \"$T/id\" && echo the same ledger\n"
            "    => the same ledger\n\n");
}

static void put_head(const struct receipt_readme *readme, struct bytes *to) {
    _cleanup_bytes_ struct bytes begin = {}, root = {};
    const struct note_head *head = readme->head;
    bytes_printf(&begin, "\xe2\x80\x94 %s ", readme->verifier->name);
    put_key_id(readme->verifier, &begin);
    char *line = bytes_take_text(&begin);
    text64_encode(&root, head->root.b, HASH_BYTES);
    bytes_put_text(to, "2. The head: name, number of records and root of the ledger, signed by "
                       "that key.\n\n"
                       "    sed '1,/^$/d' entry.proof > \"$T/head\"\n"
                       "    sed '1,/^$/d' seal.proof | cmp - \"$T/head\" && echo one head\n"
                       "    => one head\n"
                       "    sed '/^$/,$d' \"$T/head\" | tee \"$T/text\"\n");
    bytes_printf(to, "    => %s\n    => %" PRIu64 "\n    => %.*s\n", head->origin, head->size,
                 (int)root.n, (const char *)root.data);
    bytes_put_text(to, "    grep -F ");
    put_quoted(to, line ? line : "");
    free(line);
    bytes_put_text(
        to, " \"$T/head\" | head -n 1 | sed 's/.* //' | base64 -d | tail -c 64 > \"$T/sig\"\n"
            "    openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey \"$T/key.der\" -in "
            "\"$T/text\" -sigfile \"$T/sig\"\n"
            "    => Signature Verified Successfully\n\n");
}

/* RFC 9162 section 2.1.3.2, in a shell. */
static const char climb[] =
    "3. The records are in the ledger: their hashes, with those in the proofs, lead to that root.\n"
    "\n"
    "    node() { openssl sha256 -binary > \"$T/next\"; mv \"$T/next\" \"$T/node\"; }\n"
    "    climb() {\n"
    "        { printf '\\000'; cat \"$1\"; } | node\n"
    "        i=$3 n=$(($4 - 1))\n"
    "        for side in $(sed '1,/^index /d;/^$/,$d' \"$2\"); do\n"
    "            printf '%s' \"$side\" | base64 -d > \"$T/side\"\n"
    "            if [ $((i % 2)) = 1 ] || [ \"$i\" = \"$n\" ]; then\n"
    "                { printf '\\001'; cat \"$T/side\" \"$T/node\"; } | node\n"
    "                while [ $((i % 2)) = 0 ] && [ \"$i\" != 0 ]; do i=$((i / 2)) n=$((n / 2)); "
    "done\n"
    "            else\n"
    "                { printf '\\001'; cat \"$T/node\" \"$T/side\"; } | node\n"
    "            fi\n"
    "            i=$((i / 2)) n=$((n / 2))\n"
    "        done\n"
    "        if [ \"$n\" = 0 ]; then base64 \"$T/node\"; else echo the proof is too short; fi\n"
    "    }\n";

static void put_climb(struct bytes *to, const char *record, const char *proof, uint64_t index,
                      uint64_t size, const struct hash *root) {
    bytes_printf(to, "    climb %s %s %" PRIu64 " %" PRIu64 "\n    => ", record, proof, index,
                 size);
    text64_encode(to, root->b, HASH_BYTES);
    bytes_put_u8(to, '\n');
}

static void put_records(const struct receipt_readme *readme, struct bytes *to) {
    const struct note_head *head = readme->head;
    uint64_t seal = readme->entry - 1 - readme->place;
    bytes_put_text(to, climb);
    put_climb(to, "entry.record", "entry.proof", readme->entry, head->size, &head->root);
    put_climb(to, "seal.record", "seal.proof", seal, head->size, &head->root);
    bytes_printf(to,
                 "\n4. The seal holds what the author signed, the order is one of those signed, at "
                 "the place that\nits number says (the seal's, %" PRIu64 ", and 1, and %" PRIu64
                 "); the last figure is when it was\nreceived, in seconds since 1970.\n\n"
                 "    head -c 177 seal.record | tail -c 176 | cmp - batch.header && echo the same "
                 "header\n"
                 "    => the same header\n"
                 "    tail -c 32 batch.header | base64\n    => ",
                 seal, readme->place);
    text64_encode(to, readme->header->orders_root.b, HASH_BYTES);
    bytes_put_u8(to, '\n');
    put_climb(to, "entry.record", "batch.proof", readme->place, readme->header->n_orders,
              &readme->header->orders_root);
    bytes_printf(to,
                 "    echo $((0x$(tail -c 8 seal.record | od -An -v -tx1 | tr -d ' \\n') / 1000))\n"
                 "    => %" PRIu64 "\n\n",
                 readme->seal->received_at_ms / 1000);
}

/* As ssh-keygen tells a key: base64 without its padding. */
static void put_fingerprint(const uint8_t key[SSHSIG_PUBLIC_BYTES], struct bytes *to) {
    _cleanup_bytes_ struct bytes blob = {}, text = {};
    bytes_put_u32(&blob, 11);
    bytes_put_text(&blob, "ssh-ed25519");
    bytes_put_u32(&blob, SSHSIG_PUBLIC_BYTES);
    bytes_put(&blob, key, SSHSIG_PUBLIC_BYTES);
    struct hash hash = hash_of(blob.data, blob.n);
    text64_encode(&text, hash.b, HASH_BYTES);
    if (blob.r < 0 || text.r < 0)
        to->r = -ENOMEM;
    else
        bytes_printf(to, "SHA256:%.*s", (int)text.n - 1, (const char *)text.data);
}

static void put_author(const struct receipt_readme *readme, struct bytes *to) {
    bytes_put_text(
        to,
        "5. The author's signature, by the key that the header names.\n\n"
        "    cut -d' ' -f2 author.pub | base64 -d | tail -c 32 > \"$T/author\"\n"
        "    head -c 72 batch.header | tail -c 32 | cmp - \"$T/author\" && echo the same author\n"
        "    => the same author\n"
        "    sed '/^-/d' batch.sig | base64 -d | tail -c 64 > \"$T/signature\"\n"
        "    head -c 241 seal.record | tail -c 64 | cmp - \"$T/signature\" && echo the same "
        "signature\n"
        "    => the same signature\n"
        "    { printf 'author '; cat author.pub; } > \"$T/signers\"\n"
        "    ssh-keygen -Y verify -f \"$T/signers\" -I author -n timebank-batch -s batch.sig < "
        "batch.header\n"
        "    => Good \"timebank-batch\" signature for author with ED25519 key ");
    put_fingerprint(readme->header->author, to);
    bytes_put_text(to,
                   "\n    rm -r \"$T\"\n\n"
                   "6. All of it at once, by the auditor written in Go from the manual alone, and "
                   "by ours. Both\nneed no network, and end with status 0 only where all of it "
                   "holds.\n\n"
                   "    timebank-audit receipt . \"$VKEY\" > /dev/null && echo the auditor agrees\n"
                   "    => the auditor agrees\n"
                   "    timebank verify . --ledger \"$VKEY\" > /dev/null && echo timebank agrees\n"
                   "    => timebank agrees\n\n");
}

static const char meaning[] =
    "WHAT THIS PROVES\n"
    "\n"
    "That the holder of the author's key signed this order, for this ledger; that the ledger\n"
    "recorded it under this number, with the time above; and that whoever runs the ledger cannot\n"
    "take it out or change it without signing two different histories.\n"
    "\n"
    "WHAT IT DOES NOT PROVE\n"
    "\n"
    "That the key had the right to record it then, or whose key it is: that takes the whole\n"
    "ledger, and the bank. That it was not recorded a second time, taken back or corrected since.\n"
    "Anybody's balance: that takes a statement. That the ledger shows everybody the same head:\n"
    "that takes witnesses, or comparing heads with others.\n";

void receipt_readme(const struct receipt_readme *readme, struct bytes *to) {
    put_head_of_text(readme, to);
    bytes_put_text(to, files);
    bytes_put_text(to, checking);
    put_ledger(readme, to);
    put_head(readme, to);
    put_records(readme, to);
    put_author(readme, to);
    bytes_put_text(to, meaning);
}
