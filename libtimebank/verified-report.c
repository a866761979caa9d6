/* SPDX-License-Identifier: Apache-2.0 */
/* A report in JSON carries no signature of the ledger, so there is nothing to hold it against. */
#include "verified.h"

int verified_report(struct verified_check *check, const struct bytes *file) {
    (void)file;
    return verified_fail(check,
                         "A report carries no signature of the ledger, so that nothing of it can "
                         "be proven by the file alone: have the bank make it again with --at and "
                         "compare (timebank report --help).");
}
