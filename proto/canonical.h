/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decoder of protobuf that takes only the canonical form: fields in ascending number, shortest
 * varints, no field at its default outside a oneof, no unknown field, each enum in range, strings
 * of UTF-8 without NUL. What it takes, packing again gives back byte for byte.
 *
 * It is led by protobuf-c's own tables, and knows the types that messages of the log have: uint32,
 * uint64, sint64, bool, enum, string, bytes, messages, lists of strings and bytes, and packed lists
 * of uint32 and uint64.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/cleanup.h"

/* 0; -EBADMSG not canonical; -ENOMEM over the arena's cap, where the message lives. */
int canonical_decode(const ProtobufCMessageDescriptor *descriptor, const uint8_t *body, size_t n,
                     struct arena *arena, ProtobufCMessage **ret) TB_MUST_CHECK;
/* True where the decoder knows every field's type, in sub-messages too. */
bool canonical_knows(const ProtobufCMessageDescriptor *descriptor);
