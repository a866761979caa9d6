/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV on standard output as spreadsheets take it: UTF-8 with a byte order mark, CRLF, every cell
 * quoted; a text that begins with = + - @, tab or CR gets an apostrophe, so that it is no formula.
 * Numbers never do.
 */
#pragma once

#include <stdint.h>

void csv_out_begin(void);
void csv_out_text(const char *text);
void csv_out_number(int64_t number);
void csv_out_end(void); /* of a row */
