/* SPDX-License-Identifier: Apache-2.0 */
/* One line to standard error, for the steward: "timebankd: ...". */
#pragma once

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
