/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV as spreadsheets take it: UTF-8 with a byte order mark, CRLF, every cell
 * quoted; a text that begins with = + - @, tab or CR gets an apostrophe, so that it is no formula.
 * Numbers never do.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

void csv_out_begin(void); /* on standard output */
void csv_out_begin_to(FILE *to);
void csv_out_text(const char *text);
void csv_out_number(int64_t number);
void csv_out_hundredths(int64_t number);  /* "1234.50" */
void csv_out_decimal(const char *number); /* digits, point and minus, or "" */
void csv_out_end(void);                   /* of a row */
