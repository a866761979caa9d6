/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hour on the wall where a bank is, for offers that are on at some hours only. The zones are
 * those of the policy local-time: utc, uk, cet and eet, the last three with the summer time of the
 * European Union (since 1996, and the same in the United Kingdom): from the last Sunday of March to
 * the last Sunday of October, 01:00 UTC. Pure: no time zone files, so that a replay anywhere
 * agrees.
 */
#pragma once

#include <stdint.h>

/* Minute of the local day, 0 to 1439, at an instant; an unknown zone is utc. */
uint32_t local_time_minute(const char *zone, uint64_t at_ms);
