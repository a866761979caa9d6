/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a code, a name and a text may be made of. Both sides ask here, so that what a client takes
 * the daemon takes too. Nothing here knows which codes exist.
 */
#include "code.h"

#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"

static bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool code_is_valid(const char *code) {
    size_t n = strnlen(code, CODE_MAX + 1);
    if (n == 0 || n > CODE_MAX || code[0] == '-')
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!is_lower(code[i]) && !is_digit(code[i]) && code[i] != '-')
            return false;
        if (code[i] == '-' && code[i + 1] == '-')
            return false;
    }
    return true;
}

bool code_is_bank(const char *code) {
    return strnlen(code, CODE_MAX + 1) <= CODE_MAX && strncmp(code, "bank:", 5) == 0 &&
           code_is_valid(code + 5);
}

bool code_is_reserved(const char *code) {
    static const char *const words[] = {"chest",    "issued",   "retired", "expired",
                                        "advances", "vouchers", "transit", "write-offs",
                                        "bank",     "all",      "none",    "next"};
    for (size_t i = 0; i < N_ELEMENTS(words); i++)
        if (!strcmp(code, words[i]))
            return true;
    return false;
}

/* Control characters, line separators, and what turns the direction of the text around it. */
static bool point_is_printable(int32_t point) {
    if (utf8_is_control(point) || point == 0xfeff)
        return false;
    if (point >= 0x2028 && point <= 0x202e)
        return false;
    return !(point >= 0x2066 && point <= 0x2069);
}

bool code_text_is_valid(const char *text, size_t max_bytes) {
    size_t n = strnlen(text, max_bytes + 1);
    if (n > max_bytes)
        return false;
    for (const char *at = text, *end = text + n; at < end;) {
        int32_t point = utf8_next(&at, end);
        if (point < 0 || !point_is_printable(point))
            return false;
    }
    return true;
}

bool code_name_is_valid(const char *name) {
    if (!code_text_is_valid(name, NAME_MAX_BYTES))
        return false;
    size_t n = strlen(name);
    return n > 0 && name[0] != ' ' && name[n - 1] != ' ' && !strchr(name, '/');
}

void code_fold(char *code) {
    for (; *code; code++)
        if (*code >= 'A' && *code <= 'Z')
            *code = (char)(*code - 'A' + 'a');
}

struct pattern {
    unsigned min_letters, max_letters, min_digits, max_digits;
};

/* One or two digits, then the character that must follow them ('\0' is looked at, not passed). */
static bool number_get(const char **at, char follower, unsigned *ret) {
    unsigned value = 0;
    size_t n = 0;
    for (; n < 2 && is_digit(**at); n++, (*at)++)
        value = value * 10 + (unsigned)(**at - '0');
    if (n == 0 || **at != follower)
        return false;
    if (follower)
        (*at)++;
    *ret = value;
    return true;
}

/* At least one digit is always asked for: that is what keeps a name from being a code. */
static bool pattern_parse(const char *text, struct pattern *ret) {
    struct pattern p;
    if (!number_get(&text, '-', &p.min_letters) || !number_get(&text, '/', &p.max_letters) ||
        !number_get(&text, '-', &p.min_digits) || !number_get(&text, '\0', &p.max_digits))
        return false;
    if (p.min_letters > p.max_letters || p.min_digits > p.max_digits || p.min_digits == 0 ||
        p.max_letters + p.max_digits > CODE_MAX)
        return false;
    *ret = p;
    return true;
}

bool code_pattern_is_valid(const char *pattern) {
    struct pattern p;
    return pattern_parse(pattern, &p);
}

bool code_matches_pattern(const char *code, const char *pattern) {
    struct pattern p;
    if (!pattern_parse(pattern, &p))
        return false;
    size_t n_letters = 0, n_digits = 0;
    while (is_lower(code[n_letters]))
        n_letters++;
    while (is_digit(code[n_letters + n_digits]))
        n_digits++;
    return code[n_letters + n_digits] == '\0' && n_letters >= p.min_letters &&
           n_letters <= p.max_letters && n_digits >= p.min_digits && n_digits <= p.max_digits;
}
