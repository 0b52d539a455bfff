/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MySQL's binary JSON to compact text: no spaces outside strings, keys in the server's order
 * (by length, then bytes), numbers as the server prints them, dates as strings, and other types
 * of SQL values as "base64:type252:...".
 *
 * A value is a type (1) and what it needs; containers hold
 *
 *   count  size  [key offset, key length(2)]...  [type(1), offset or small value]...  keys  values
 *
 * with numbers of 2 bytes in small and 4 bytes in large ones, and offsets from the container's
 * start.
 */
#ifndef FC_MYSQL_JSON_BINARY_H
#define FC_MYSQL_JSON_BINARY_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/error.h"

enum { FC_JSON_DEPTH_MAX = 128 };

typedef enum fc_json_type {
    FC_JSON_SMALL_OBJECT = 0,
    FC_JSON_LARGE_OBJECT = 1,
    FC_JSON_SMALL_ARRAY = 2,
    FC_JSON_LARGE_ARRAY = 3,
    FC_JSON_LITERAL = 4,
    FC_JSON_INT16 = 5,
    FC_JSON_UINT16 = 6,
    FC_JSON_INT32 = 7,
    FC_JSON_UINT32 = 8,
    FC_JSON_INT64 = 9,
    FC_JSON_UINT64 = 10,
    FC_JSON_DOUBLE = 11,
    FC_JSON_STRING = 12,
    FC_JSON_OPAQUE = 15
} fc_json_type;

/* A value within a document; borrows it. */
struct fc_json_value {
    uint8_t type;          /* fc_json_type */
    struct fc_slice bytes; /* from the value's start to the end of what encloses it */
};

/* A container being read. */
struct fc_json_container {
    struct fc_slice bytes; /* exactly the container */
    uint32_t count;
    bool is_object;
    bool is_large;
};

/* The document in a column's bytes; no bytes at all are the literal null. */
struct fc_json_value fc_json_binary_root(struct fc_slice document);

static inline bool fc_json_is_container(const struct fc_json_value *value)
{
    return value->type <= FC_JSON_LARGE_ARRAY;
}

/* All fail with FC_ERR_PROTOCOL on bytes that are no JSON. */
FC_MUST_CHECK fc_code fc_json_container_open(const struct fc_json_value *value,
                                             struct fc_json_container *out_container,
                                             struct fc_error *err);
FC_MUST_CHECK fc_code fc_json_container_key(const struct fc_json_container *container,
                                            uint32_t index, struct fc_slice *out_key,
                                            struct fc_error *err);
FC_MUST_CHECK fc_code fc_json_container_value(const struct fc_json_container *container,
                                              uint32_t index, struct fc_json_value *out_value,
                                              struct fc_error *err);

/* Append a value. budget: how many values may still be printed; the caller starts with the
 * document's size, which no honest document exceeds. */
FC_MUST_CHECK fc_code fc_json_value_print(const struct fc_json_value *value, unsigned depth,
                                          size_t *budget, struct fc_buf *out,
                                          struct fc_error *err);
void fc_json_string_print(struct fc_slice text, struct fc_buf *out);

/* Append a whole document. FC_ERR_LIMIT past the buffer's limit. */
FC_MUST_CHECK fc_code fc_json_binary_print(struct fc_slice document, struct fc_buf *out,
                                           struct fc_error *err);

#endif
