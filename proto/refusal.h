/* SPDX-License-Identifier: Apache-2.0 */
/* The refusals and warnings of refusals.def and warnings.def as enums, names and sentences. */
#pragma once

enum tb_refusal_number {
#define REFUSAL(number, name, sentence) REFUSAL_##name = number,
#include "refusals.def"
#undef REFUSAL
};

enum tb_warning_number {
#define WARNING(number, name, sentence) WARNING_##name = number,
#include "warnings.def"
#undef WARNING
};

/* Never NULL: an unknown number is "UNKNOWN_REFUSAL" and a sentence that says so. */
const char *refusal_name(int refusal);
const char *refusal_sentence(int refusal);
const char *warning_name(int warning);
const char *warning_sentence(int warning);
