/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report that is to leave the bank. Was it released, it is given as it was; else its question,
 * position and checksum come back, for its reader to sign and record first (kind release_report).
 * begin() and offer() run on the loop, settle() on the report's own thread.
 */
#pragma once

#include "bank.h"
#include "base/bytes.h"
#include "report-guard.h"

struct report_release {
    bool is_on;
    bool is_as_it_stands; /* neither position nor cut-off were named */
    uint8_t author[SSHSIG_PUBLIC_BYTES];
    struct report_released *before; /* ascending by entry */
    size_t n_before;
    struct bytes message; /* canonical ReleaseReport: the report has to be released first */
};

int report_release_begin(struct report_release *release, struct bank *bank) TB_MUST_CHECK;
void report_release_fini(struct report_release *release);
/* Takes the report that was just made and leaves what is given: the same, the one that was released
 * before, or none with a message. REFUSAL_TOO_CLOSE, REFUSAL_NOT_AS_RELEASED. */
int report_release_settle(struct report_release *release, const struct facts *facts,
                          struct report_ask *ask, char **json) TB_MUST_CHECK;
/* Only what the daemon itself made and looked at may be recorded, while nothing else was. */
void report_release_offer(const struct report_release *release, struct bank *bank);
bool report_release_is_offered(struct bank *bank, const uint8_t author[SSHSIG_PUBLIC_BYTES],
                               const Timebank__ReleaseReport *message);
/* The report of exactly this question that left the bank, or NULL. */
const struct report_released *report_release_find(const struct report_release *release,
                                                  const struct report_ask *ask, uint32_t known_day);
