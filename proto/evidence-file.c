/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A section ends where an empty line and the next mark stand: no body that is written here holds
 * such a line, so what was shown by an enemy cannot pose as another section.
 */
#include "evidence-file.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"
#include "hash.h"
#include "text64.h"

#define FIRST_LINE "timebank-evidence/1\n"
#define SECTION "\n--- "
#define CHECKSUM "\nchecksum "
#define CHECKSUM_BYTES (sizeof(CHECKSUM) - 1 + (size_t)2 * HASH_BYTES + 1)
#define NONE "none\n"
#define NOTE_MAX 8192 /* bytes of what may pass for a note */

/* ------------------------------------------------------------------ writing */

static void line_put(struct bytes *to, const char *name, const char *text) {
    bytes_put_text(to, name);
    for (; *text; text++)
        bytes_put_u8(to, (uint8_t)*text < 0x20 || *text == 0x7f ? '?' : (uint8_t)*text);
    bytes_put_u8(to, '\n');
}

void evidence_file_begin(struct bytes *to, const char *sentence, const char *address,
                         const char *verifier_key, uint64_t time_ms) {
    bytes_put_text(to, FIRST_LINE);
    line_put(to, "", *sentence ? sentence : "?");
    bytes_put_u8(to, '\n');
    line_put(to, "address ", address && *address ? address : "-");
    line_put(to, "ledger ", verifier_key && *verifier_key ? verifier_key : "-");
    bytes_printf(to, "time_ms %" PRIu64 "\n", time_ms);
}

static bool is_text(const uint8_t *data, size_t n) {
    const char *at = (const char *)data, *end = at + n;
    if (n > NOTE_MAX || data[n - 1] != '\n' || memmem(data, n, SECTION, sizeof(SECTION) - 1))
        return false;
    while (at < end) {
        int32_t point = utf8_next(&at, end);
        if (point < 0 || (utf8_is_control(point) && point != '\n'))
            return false;
    }
    return true;
}

void evidence_file_note(struct bytes *to, const char *title, const void *note, size_t n) {
    if (n > 0 && !is_text(note, n)) {
        evidence_file_data(to, title, note, n);
        return;
    }
    bytes_printf(to, SECTION "%s\n", title);
    bytes_put(to, n > 0 ? note : NONE, n > 0 ? n : sizeof(NONE) - 1);
}

void evidence_file_data(struct bytes *to, const char *title, const void *data, size_t n) {
    bytes_printf(to, SECTION "%s\n", title);
    if (n == 0) {
        bytes_put_text(to, NONE);
        return;
    }
    text64_encode(to, data, n);
    bytes_put_u8(to, '\n');
}

void evidence_file_end(struct bytes *to) {
    char hex[2 * HASH_BYTES + 1];
    if (to->r < 0)
        return;
    bytes_put_u8(to, '\n');
    struct hash hash = hash_of(to->data, to->r < 0 ? 0 : to->n);
    text64_hex(hex, hash.b, HASH_BYTES);
    bytes_printf(to, "checksum %s\n", hex);
}

/* ------------------------------------------------------------------ reading */

static bool text_begins(struct evidence_piece text, const char *with) {
    size_t n = strlen(with);
    return text.n >= n && memcmp(text.text, with, n) == 0;
}

static bool line_cut(struct evidence_piece *rest, struct evidence_piece *ret) {
    const char *end = rest->n > 0 ? memchr(rest->text, '\n', rest->n) : NULL;
    if (!end)
        return false;
    *ret = (struct evidence_piece){.text = rest->text, .n = (size_t)(end - rest->text)};
    rest->text = end + 1;
    rest->n -= ret->n + 1;
    return true;
}

/* A line that begins with its name; what follows it is not empty. */
static bool value_cut(struct evidence_piece *rest, const char *name, struct evidence_piece *ret) {
    struct evidence_piece line;
    size_t n = strlen(name);
    if (!line_cut(rest, &line) || !text_begins(line, name) || line.n == n)
        return false;
    *ret = (struct evidence_piece){.text = line.text + n, .n = line.n - n};
    return true;
}

static bool decimal_read(struct evidence_piece text, uint64_t *ret) {
    uint64_t v = 0;
    if (text.n == 0 || (text.n > 1 && text.text[0] == '0'))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.text[i] < '0' || text.text[i] > '9' ||
            __builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(text.text[i] - '0'), &v))
            return false;
    }
    *ret = v;
    return true;
}

static bool checksum_cut(struct evidence_piece *rest) {
    char hex[2 * HASH_BYTES + 1];
    if (rest->n < CHECKSUM_BYTES)
        return false;
    size_t n = rest->n - CHECKSUM_BYTES;
    struct evidence_piece last = {.text = rest->text + n, .n = CHECKSUM_BYTES};
    struct hash hash = hash_of(rest->text, n + 1);
    text64_hex(hex, hash.b, HASH_BYTES);
    if (!text_begins(last, CHECKSUM) || last.text[last.n - 1] != '\n' ||
        memcmp(last.text + sizeof(CHECKSUM) - 1, hex, 2 * (size_t)HASH_BYTES) != 0)
        return false;
    rest->n = n;
    return true;
}

static bool section_cut(struct evidence_piece *rest, struct evidence_file *file) {
    struct evidence_piece title;
    size_t n_mark = sizeof(SECTION) - 1;
    if (file->n_sections == EVIDENCE_SECTIONS_MAX || !text_begins(*rest, SECTION))
        return false;
    rest->text += n_mark;
    rest->n -= n_mark;
    if (!line_cut(rest, &title) || title.n == 0)
        return false;
    const char *next = rest->n > 0 ? memmem(rest->text, rest->n, SECTION, n_mark) : NULL;
    size_t n = next ? (size_t)(next - rest->text) : rest->n;
    if (n == 0 || rest->text[n - 1] != '\n')
        return false;
    file->sections[file->n_sections].title = title;
    file->sections[file->n_sections++].body = (struct evidence_piece){.text = rest->text, .n = n};
    rest->text += n;
    rest->n -= n;
    return true;
}

int evidence_file_parse(struct evidence_file *ret, const void *data, size_t n) {
    struct evidence_piece rest = {.text = data, .n = n}, blank, time;
    struct evidence_file file = {};
    if (n > EVIDENCE_FILE_MAX || !text_begins(rest, FIRST_LINE) || !checksum_cut(&rest) ||
        rest.n < sizeof(FIRST_LINE) - 1)
        return -EBADMSG;
    rest.text += sizeof(FIRST_LINE) - 1;
    rest.n -= sizeof(FIRST_LINE) - 1;
    if (!line_cut(&rest, &file.sentence) || file.sentence.n == 0 || !line_cut(&rest, &blank) ||
        blank.n > 0 || !value_cut(&rest, "address ", &file.address) ||
        !value_cut(&rest, "ledger ", &file.verifier_key) || !value_cut(&rest, "time_ms ", &time) ||
        !decimal_read(time, &file.time_ms))
        return -EBADMSG;
    while (rest.n > 0)
        if (!section_cut(&rest, &file))
            return -EBADMSG;
    *ret = file;
    return 0;
}

struct evidence_piece evidence_file_find(const struct evidence_file *file, const char *title) {
    for (size_t i = 0; i < file->n_sections; i++) {
        struct evidence_piece body = file->sections[i].body;
        if (file->sections[i].title.n != strlen(title) ||
            !text_begins(file->sections[i].title, title))
            continue;
        if (body.n == sizeof(NONE) - 1 && text_begins(body, NONE))
            break;
        return body;
    }
    return (struct evidence_piece){};
}

int evidence_file_decode(const struct evidence_file *file, const char *title, struct bytes *to) {
    struct evidence_piece body = evidence_file_find(file, title);
    return body.n > 0 ? text64_decode(to, body.text, body.n - 1) : 0;
}
