/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report as it travels: one JSON object in one form, which is all that is read. No space, no
 * real number, no member twice; integers are within 2^53; strings are UTF-8 without control
 * characters, and only " and \ are escaped; at most REPORT_TEXT_DEPTH objects or lists stand in one
 * another. So two readers cannot find different things in the same bytes, and what an enemy sends
 * costs a reader a few times its own length and no more.
 *
 * Nothing is copied or believed: pieces point into the text. What the members mean is in
 * timebank(1), under report.
 */
#pragma once

#include "hash.h"
#include "lines.h"

#define REPORT_TEXT_MAX (32u * 1024 * 1024) /* bytes of a report that anybody reads */
#define REPORT_TEXT_DEPTH 8
#define REPORT_TEXT_INTEGER_MAX ((int64_t)1 << 53)

/* What a report says of itself; what is not there has no text (n 0, text NULL). */
struct report_text {
    struct lines definition; /* strings are without their quotes, and still escaped */
    struct lines bank;
    struct lines report_class;
    struct lines from;
    struct lines to;
    struct lines as_known_at;
    struct lines position; /* these are whole objects */
    struct lines since;    /* of changes only */
    struct lines rule;
    struct lines measures;
    struct lines further_measures;
    struct lines register_measures;
    struct lines register_hash;
    struct lines age_bands_hash;
    struct lines checksum;
    struct lines further_checksum;
    uint32_t from_day; /* 0: none, or not in the form YYYY-MM-DD */
    uint32_t to_day;
    uint32_t known_day;
    bool as_recorded;
    uint64_t suppressed;
    uint64_t size; /* of the position; 0: none */
    struct hash root;
    bool is_whole; /* it has each member of a report, in their order, and no other */
};

/* -EBADMSG: not in the form above, or a member of the report's own is of another type. -ENOMEM. */
int report_text_parse(struct report_text *ret, const void *text, size_t n) TB_MUST_CHECK;

/* Walks an object: the next member's name (still escaped) and value, cut off the front of what
 * report_text_begin() made of it. */
struct lines report_text_begin(struct lines object);
bool report_text_next(struct lines *rest, struct lines *ret_name, struct lines *ret_value);
/* The value of a member, n 0 where there is none. A name is given as it is, not escaped. */
struct lines report_text_member(struct lines object, const char *name);
/* 1 a whole number, 0 a value of another type. */
int report_text_integer(struct lines value, int64_t *ret);
bool report_text_is_object(struct lines value);
/* A string's piece: true where it says just that. */
bool report_text_equals(struct lines string, const char *text);

/* Lower-case hex SHA-256 of a value in RFC 8785 form. -ENOMEM. */
int report_text_checksum(struct lines value, char ret[2 * HASH_BYTES + 1]) TB_MUST_CHECK;
