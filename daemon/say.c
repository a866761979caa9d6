/* SPDX-License-Identifier: Apache-2.0 */
/* One write a line, so that lines of two threads do not mix. */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>

void say(const char *format, ...) {
    char line[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    fprintf(stderr, "timebankd: %s\n", line);
}
