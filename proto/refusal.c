/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of refusals.def and warnings.def. The tables are the only place where a number, its
 * name and its sentence stand together; a number used twice does not compile.
 */
#include "refusal.h"

const char *refusal_name(int refusal) {
    switch (refusal) {
#define REFUSAL(number, name, sentence)                                                            \
    case number:                                                                                   \
        return #name;
#include "refusals.def"
#undef REFUSAL
    default:
        return "UNKNOWN_REFUSAL";
    }
}

const char *refusal_sentence(int refusal) {
    switch (refusal) {
#define REFUSAL(number, name, sentence)                                                            \
    case number:                                                                                   \
        return sentence;
#include "refusals.def"
#undef REFUSAL
    default:
        return "The bank refused for a reason that this program does not know: update the program.";
    }
}

const char *warning_name(int warning) {
    switch (warning) {
#define WARNING(number, name, sentence)                                                            \
    case number:                                                                                   \
        return #name;
#include "warnings.def"
#undef WARNING
    default:
        return "UNKNOWN_WARNING";
    }
}

const char *warning_sentence(int warning) {
    switch (warning) {
#define WARNING(number, name, sentence)                                                            \
    case number:                                                                                   \
        return sentence;
#include "warnings.def"
#undef WARNING
    default:
        return "The bank warned of something that this program does not know: update the program.";
    }
}
