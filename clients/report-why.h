/* SPDX-License-Identifier: Apache-2.0 */
/* timebank report --why MEASURE: what a figure is made of, as text, CSV or the bank's own JSON. */
#pragma once

#include "client.h"
#include "report.h"

/* after: an entry number as typed, or NULL. Exit status, told. */
int report_why(struct client *client, const struct report_options *options, const char *measure,
               const char *after);
