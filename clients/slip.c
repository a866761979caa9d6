/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QR codes by libqrencode, pictures of them by libpng; slips are SVG written by hand, in tenths of
 * a millimetre. Half of the squares may be lost to a fold or a thumb in none of its corners and the
 * code is still read: correction M.
 */
#include "slip.h"

#include <errno.h>
#include <inttypes.h>
#include <png.h>
#include <qrencode.h>
#include <string.h>

#define QUIET 4        /* squares of margin that scanners ask for */
#define PNG_SCALE 8    /* pixels of a square */
#define SLIP_WIDTH 900 /* tenths of a millimetre */
#define SLIP_HEIGHT 650
#define QR_SIDE 410 /* with its margin */
#define GROUPS_A_LINE 7
#define GROUP_CHARS 6 /* with its hyphen */

static QRcode *code_free(QRcode *code) {
    QRcode_free(code);
    return NULL;
}
DEFINE_CLEANUP(QRcode *, code_free)

static int code_make(const struct slip *slip, QRcode **ret) {
    char token[TB_TOKEN_BYTES];
    QRcode *code;

    tb_voucher_format(&slip->voucher, 0, token);
    code = QRcode_encodeString(token, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
    if (!code)
        return errno > 0 ? -errno : -EIO;
    *ret = code;
    return 0;
}

/* Outside of the code lies its margin. */
static bool is_dark(const QRcode *code, int x, int y) {
    return x >= 0 && y >= 0 && x < code->width && y < code->width &&
           code->data[y * code->width + x] & 1;
}

/* Two rows of squares in one line of text; the colours are said, since half of all terminals are
 * dark and a code turned inside out is not read everywhere. */
int slip_terminal(const struct slip *slip, FILE *to) {
    static const char *const squares[] = {" ", "\u2580", "\u2584", "\u2588"};
    _cleanup_(code_freep) QRcode *code = NULL;
    bool has_colours = isatty(fileno(to));
    int r = code_make(slip, &code);

    if (r < 0)
        return r;
    for (int y = -QUIET; y < code->width + QUIET; y += 2) {
        fputs(has_colours ? "\033[30;47m" : "", to);
        for (int x = -QUIET; x < code->width + QUIET; x++)
            fputs(squares[is_dark(code, x, y) + 2 * is_dark(code, x, y + 1)], to);
        fputs(has_colours ? "\033[0m\n" : "\n", to);
    }
    return ferror(to) ? -EIO : 0;
}

/* ---- PNG */

static void png_append(png_structp png, png_bytep data, size_t n) {
    bytes_put(png_get_io_ptr(png), data, n);
}

static void png_flush_nothing(png_structp png) {
    (void)png;
}

static void png_row(const QRcode *code, int y, uint8_t *row, int n_pixels) {
    memset(row, 0xff, ((size_t)n_pixels + 7) / 8);
    for (int x = 0; x < n_pixels; x++)
        if (is_dark(code, x / PNG_SCALE - QUIET, y / PNG_SCALE - QUIET))
            row[x / 8] &= (uint8_t) ~(0x80 >> x % 8);
}

/* libpng leaves by longjmp: what it may jump over is not changed after setjmp. */
static int png_write_code(const QRcode *code, png_structp png, png_infop info, struct bytes *to) {
    int n_pixels = (code->width + 2 * QUIET) * PNG_SCALE;
    uint8_t row[(177 + 2 * QUIET) * PNG_SCALE / 8];

    if (setjmp(png_jmpbuf(png)))
        return -EIO;
    png_set_write_fn(png, to, png_append, png_flush_nothing);
    png_set_IHDR(png, info, (uint32_t)n_pixels, (uint32_t)n_pixels, 1, PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < n_pixels; y++) {
        png_row(code, y, row, n_pixels);
        png_write_row(png, row);
    }
    png_write_end(png, info);
    return to->r;
}

int slip_png(const struct slip *slip, struct bytes *to) {
    _cleanup_(code_freep) QRcode *code = NULL;
    png_structp png = NULL;
    png_infop info = NULL;
    int r = code_make(slip, &code);

    if (r < 0)
        return r;
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    info = png ? png_create_info_struct(png) : NULL;
    r = info ? png_write_code(code, png, info, to) : -ENOMEM;
    png_destroy_write_struct(&png, &info);
    return r;
}

/* ---- SVG */

/* Text for SVG and HTML; what is no printable character is left out. */
static void text_put(struct bytes *to, const char *text) {
    for (; *text; text++) {
        if (*text == '&')
            bytes_put_text(to, "&amp;");
        else if (*text == '<')
            bytes_put_text(to, "&lt;");
        else if (*text == '"')
            bytes_put_text(to, "&quot;");
        else if ((unsigned char)*text >= ' ')
            bytes_put_u8(to, (uint8_t)*text);
    }
}

/* A line of text no wider than it may be: set smaller, down to half, then squeezed. */
static void line_put(struct bytes *to, int x, int y, int size, int width, const char *style,
                     const char *text) {
    int n = (int)strlen(text), fits = n > 0 ? width * 10 / (n * 6) : size;
    int set = MAX_OF(MIN_OF(size, fits), size / 2);

    bytes_printf(to, "<text x=\"%d\" y=\"%d\" font-size=\"%d\"%s", x, y, set, style);
    if (set > fits)
        bytes_printf(to, " textLength=\"%d\" lengthAdjust=\"spacingAndGlyphs\"", width);
    bytes_put_text(to, ">");
    text_put(to, text);
    bytes_put_text(to, "</text>\n");
}

/* Dark squares as one path, a stroke for each run of them. */
static void code_put(const QRcode *code, int x0, int y0, struct bytes *to) {
    double side = (double)QR_SIDE / (code->width + 2 * QUIET);

    bytes_printf(to,
                 "<path transform=\"translate(%d %d) scale(%.5f)\" fill=\"#000\" "
                 "shape-rendering=\"crispEdges\" d=\"",
                 x0, y0, side);
    for (int y = 0; y < code->width; y++)
        for (int x = 0, n; x < code->width; x += n + 1) {
            for (n = 0; is_dark(code, x + n, y); n++)
                continue;
            if (n > 0)
                bytes_printf(to, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, n, n);
        }
    bytes_put_text(to, "\"/>\n");
}

static void token_put(const struct slip *slip, int y, struct bytes *to) {
    char token[TB_TOKEN_BYTES], line[GROUPS_A_LINE * GROUP_CHARS];

    tb_voucher_format(&slip->voucher, 1, token);
    for (size_t at = 0; at < strlen(token); at += sizeof(line), y += 32) {
        snprintf(line, sizeof(line), "%s", token + at);
        line_put(to, 93, y, 29, SLIP_WIDTH - 2 * 93, " font-family=\"monospace\"", line);
    }
}

/* "1 September 2025" */
static const char *day_words(uint32_t day, char words[32]) {
    const char *space;

    tb_date_format_words(day, words);
    space = strchr(words, ' ');
    return space ? space + 1 : words;
}

static void words_put(const struct slip *slip, struct bytes *to) {
    static const char bold[] = " font-weight=\"bold\"";
    char time[32], day[32], line[64];
    int x = QR_SIDE + 30, width = SLIP_WIDTH - x - 30;

    tb_time_format((int64_t)slip->voucher.minutes, time);
    line_put(to, x, 130, 34, width, "", "Time credits");
    line_put(to, x, 215, 84, width, bold, time);
    line_put(to, x, 275, 26, width, "", slip->voucher.from_day ? "from" : "until");
    if (slip->voucher.from_day) {
        line_put(to, x + 75, 275, 30, width - 75, bold, day_words(slip->voucher.from_day, day));
        line_put(to, x, 318, 26, width, "", "until");
    }
    line_put(to, x + 75, slip->voucher.from_day ? 318 : 275, 30, width - 75, bold,
             day_words(slip->voucher.expires_day, day));
    line_put(to, x, 372, 26, width, "",
             slip->venue[0] ? "only at" : "at any place that takes them");
    line_put(to, x, 408, 30, width, bold, slip->venue);
    snprintf(line, sizeof(line), "Voucher %" PRIu64 ", good once", slip->voucher.serial);
    line_put(to, x, 460, 26, width, "", line);
}

int slip_svg(const struct slip *slip, struct bytes *to) {
    _cleanup_(code_freep) QRcode *code = NULL;
    int r = code_make(slip, &code);

    if (r < 0)
        return r;
    bytes_printf(to,
                 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%dmm\" height=\"%dmm\" "
                 "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\">\n"
                 "<rect x=\"1\" y=\"1\" width=\"%d\" height=\"%d\" fill=\"#fff\" "
                 "stroke=\"#999\" stroke-width=\"2\" stroke-dasharray=\"12 8\"/>\n",
                 SLIP_WIDTH / 10, SLIP_HEIGHT / 10, SLIP_WIDTH, SLIP_HEIGHT, SLIP_WIDTH - 2,
                 SLIP_HEIGHT - 2);
    line_put(to, SLIP_WIDTH / 2, 55, 34, SLIP_WIDTH - 80,
             " text-anchor=\"middle\" font-weight=\"bold\"", slip->bank);
    code_put(code, 10, 70, to);
    words_put(slip, to);
    token_put(slip, 525, to);
    bytes_put_text(to, "</svg>\n");
    return to->r;
}

int slip_page(const struct slip *slips, size_t n_slips, struct bytes *to) {
    int r = 0;

    bytes_put_text(to, "<!doctype html>\n"
                       "<html lang=\"en\">\n"
                       "<meta charset=\"utf-8\">\n"
                       "<title>Vouchers</title>\n"
                       "<style>\n"
                       "@page { size: A4; margin: 10mm 12mm }\n"
                       "body { margin: 0; font-size: 0 }\n"
                       "svg { break-inside: avoid; margin: 0 1mm 2mm }\n"
                       "</style>\n");
    for (size_t i = 0; r == 0 && i < n_slips; i++)
        r = slip_svg(&slips[i], to);
    bytes_put_text(to, "</html>\n");
    return r == 0 ? to->r : r;
}
