/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base32 with a check symbol. The vectors are those of another program:
 *   n = int.from_bytes(b, "big"); k = (len(b) * 8 + 4) // 5
 *   "".join(A[n >> 5 * (k - 1 - i) & 31] for i in range(k)) + (A + "*~$=U")[n % 37]
 * in Python, with A the 32 symbols; 1234 is 16JD in every list of Crockford's base32.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "helpers.h"
#include "proto/base32.h"

TestSuite(base32, .timeout = 10);

static const struct {
    const char *hex, *text;
} vectors[] = {{"", "0"},
               {"00", "000"},
               {"01", "011"},
               {"ff", "7Z~"},
               {"0025", "00150"},
               {"04d2", "016JD"},
               {"74696d6562616e6b", "78TBDCNH62VKBM"},
               {"000102030405060708090a0b0c0d0e0f", "00041061050R3GG28A1C60T3GF6"},
               {"20", "10*"},
               {"21", "11~"},
               {"22", "12$"},
               {"23", "13="},
               {"24", "14U"}};

static void reads(const char *text, const void *expected, size_t n) {
    uint8_t bytes[BASE32_BYTES_MAX];

    cr_assert(base32_read(text, n, bytes), "'%s' was refused", text);
    cr_assert(memcmp(bytes, expected, n) == 0, "'%s' is not read as it was written", text);
}

static void refuses(const char *text, size_t n) {
    uint8_t bytes[BASE32_BYTES_MAX], before[BASE32_BYTES_MAX];

    memset(bytes, 0xa5, sizeof(bytes));
    memcpy(before, bytes, sizeof(bytes));
    cr_assert(!base32_read(text, n, bytes), "'%s' was taken", text);
    cr_assert(memcmp(bytes, before, sizeof(bytes)) == 0, "'%s' touched its result", text);
}

Test(base32, writes_and_reads_the_vectors_of_another_program) {
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        uint8_t bytes[32];
        char text[64];
        size_t n = unhex(vectors[i].hex, bytes);

        cr_assert(BASE32_CHARS(n) == strlen(vectors[i].text));
        base32_write(bytes, n, text);
        cr_assert_str_eq(text, vectors[i].text);
        reads(vectors[i].text, bytes, n);
    }
}

Test(base32, reads_what_people_write_from_paper) {
    static const uint8_t bytes[] = {0x04, 0xd2}, word[] = "timebank", u[] = {0x24};

    reads("o16jd", bytes, 2);
    reads("OI6JD", bytes, 2);
    reads("0L6JD", bytes, 2);
    reads("0l6jd", bytes, 2);
    reads(" 016-jd\n", bytes, 2);
    reads("78tbd cnh62\tvkb-m\r\n", word, 8);
    reads("i4u", u, 1);
}

Test(base32, refuses_other_lengths_and_other_symbols) {
    refuses("", 2);
    refuses("D", 2);
    refuses("16JD", 2);
    refuses("0016JD", 2);
    refuses("016J", 2);
    refuses("016!D", 2);
    refuses("016\xc3\x98", 2);
    refuses("U4U", 1); /* a check symbol where none is */
    refuses("*4U", 1);
    refuses("804", 1); /* bits that no byte holds */
}

Test(base32, tells_any_one_wrong_symbol_and_any_two_exchanged) {
    static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const char *text = "00041061050R3GG28A1C60T3GF6";
    size_t n_text = strlen(text);
    char wrong[64];

    for (size_t i = 0; i < n_text; i++)
        for (const char *symbol = symbols; *symbol; symbol++) {
            strcpy(wrong, text);
            wrong[i] = *symbol;
            if (*symbol != text[i])
                refuses(wrong, 16);
        }
    for (size_t i = 0; i + 1 < n_text; i++) {
        strcpy(wrong, text);
        wrong[i] = text[i + 1];
        wrong[i + 1] = text[i];
        if (text[i] != text[i + 1])
            refuses(wrong, 16);
    }
}

Test(base32, reads_what_it_wrote_of_every_length) {
    uint64_t seed = 37;

    for (size_t n = 0; n <= BASE32_BYTES_MAX; n++) {
        uint8_t bytes[BASE32_BYTES_MAX];
        char text[BASE32_CHARS(BASE32_BYTES_MAX) + 1];

        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)random_next(&seed);
        base32_write(bytes, n, text);
        cr_assert(strlen(text) == BASE32_CHARS(n));
        reads(text, bytes, n);
    }
}
