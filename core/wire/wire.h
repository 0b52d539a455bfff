/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codec of Kafka's messages: one decoder and one encoder for all of them, driven by tables.
 *
 * The structs and their tables are in the generated "core/wire/messages.h". A message in memory
 * does not depend on its version: decoding gives fields that the version lacks their defaults,
 * encoding ignores them.
 *
 *   string, bytes, records   struct fc_slice; data == NULL is null
 *   array                    pointer and <name>_count; count -1 is null
 *   struct that may be null  pointer
 */
#ifndef FC_WIRE_WIRE_H
#define FC_WIRE_WIRE_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/reader.h"
#include "core/wire/type.h"

enum { FC_WIRE_ARRAY_MAX = 1000000, FC_WIRE_TAGS_MAX = 10000 };

/* Set all fields of a message or struct to their defaults. */
void fc_wire_init(const struct fc_wire_type *type, void *msg);

/* An array of `count` elements with their defaults, for a struct or one of fc_wire_int32_type and
 * its like. NULL past the arena's limit; not NULL for count 0. */
void *fc_wire_array(struct fc_arena *arena, const struct fc_wire_type *elem, int32_t count);

/*
 * Decode a message that fills `bytes`.
 *
 * bytes  borrowed by the result: strings, bytes and records point into it.
 * arena  gets arrays and structs that may be null. Its limit bounds what a message may need.
 * out    a struct of the type; its contents are undefined after a failure.
 *
 * Errors: FC_ERR_PROTOCOL (unknown version, cut short, bytes left over, null where there is none,
 * more elements announced than bytes are left); FC_ERR_LIMIT (too many elements or tags, arena full).
 */
FC_MUST_CHECK fc_code fc_wire_decode(const struct fc_wire_type *type, int16_t version,
                                     struct fc_slice bytes, struct fc_arena *arena, void *out,
                                     struct fc_error *err);

/* As fc_wire_decode, but what follows the message is left in the reader. */
FC_MUST_CHECK fc_code fc_wire_decode_from(const struct fc_wire_type *type, int16_t version,
                                          struct fc_reader *reader, struct fc_arena *arena,
                                          void *out, struct fc_error *err);

/*
 * Append the encoded message to `to`; nothing is appended on failure.
 *
 * Errors: FC_ERR_PROTOCOL (unknown version, null where the version has none); FC_ERR_LIMIT (a string
 * of more than 32,767 bytes, a message of more than 2 GiB, or the buffer's limit).
 */
FC_MUST_CHECK fc_code fc_wire_encode(const struct fc_wire_type *type, int16_t version,
                                     const void *msg, struct fc_buf *to, struct fc_error *err);

/* How many bytes fc_wire_encode would append; 0 when it would fail, or when there are none. */
size_t fc_wire_size(const struct fc_wire_type *type, int16_t version, const void *msg);

/* Where records that were left out belong. */
struct fc_wire_splice {
    size_t at;              /* position in the buffer */
    size_t len;             /* how many bytes */
    const void *records_of; /* the struct that has them, such as a fetch response's partition */
};

struct fc_wire_splices {
    struct fc_arena *arena;       /* set by the caller; gets the items */
    struct fc_wire_splice *items; /* in the order of the message */
    int32_t count;
    uint64_t bytes; /* all that was left out */
};

/*
 * As fc_wire_encode, but of `records` fields only the length is written, so that the bytes can be sent
 * from where they are. Such a slice needs no data: it is null when data is NULL and len is 0.
 * Empty ones are not listed.
 */
FC_MUST_CHECK fc_code fc_wire_encode_spliced(const struct fc_wire_type *type, int16_t version,
                                             const void *msg, struct fc_buf *to,
                                             struct fc_wire_splices *splices,
                                             struct fc_error *err);

#endif
