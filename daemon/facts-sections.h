/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All of the facts but their full blocks as named sections of bytes, in one order: what a file
 * keeps, and what a check compares. The same records give the same bytes. Where people live is of
 * the register and never among them.
 */
#pragma once

#include "facts-private.h"

#define FACTS_N_SECTIONS 27

const char *facts_section_name(unsigned section);
/* Sticky in to->r. */
void facts_section_put(const struct facts *facts, unsigned section, struct bytes *to);
/* In ascending order into new facts. -EUCLEAN. */
int facts_section_get(struct facts *facts, unsigned section, const void *data,
                      size_t n) TB_MUST_CHECK;
/* After the last: they agree with each other. -EUCLEAN. */
int facts_sections_join(struct facts *facts) TB_MUST_CHECK;
