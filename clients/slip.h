/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A voucher on paper and on a screen: its token as a QR code, and a slip of 90 by 65 mm that says
 * in words what it is worth, where and until when. Nothing here knows a bank.
 */
#pragma once

#include <stdio.h>

#include "base/bytes.h"
#include "timebank.h"

struct slip {
    struct tb_voucher voucher;
    const char *bank;  /* its name; may be "" */
    const char *venue; /* code of the only place, or "" */
};

/* The QR code alone, dark squares on light: on a terminal, or appended as a PNG. 0, -ENOMEM or
 * another negative errno. */
int slip_terminal(const struct slip *slip, FILE *to);
int slip_png(const struct slip *slip, struct bytes *to);
/* Appends an SVG file, or a page of HTML with all of them that prints on A4. */
int slip_svg(const struct slip *slip, struct bytes *to);
int slip_page(const struct slip *slips, size_t n_slips, struct bytes *to);
