/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In 128 bits, so that minutes up to 2^53 times a million keep their last digit.
 */
#include "report-ratio.h"

#include "base/cleanup.h"

__extension__ typedef unsigned __int128 wide;

uint64_t report_ratio(uint64_t part, uint64_t factor, uint64_t of) {
    if (of == 0)
        return 0;
    wide product = (wide)part * factor, ratio = product / of;
    ratio += product % of >= of - product % of;
    return ratio < REPORT_RATIO_MAX ? (uint64_t)ratio : REPORT_RATIO_MAX;
}
