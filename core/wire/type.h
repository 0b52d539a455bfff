/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the codec knows about a message: a row for each field. The rows are generated from
 * core/wire/schema; nothing else makes them.
 */
#ifndef FC_WIRE_TYPE_H
#define FC_WIRE_TYPE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum fc_wire_kind {
    FC_WIRE_BOOL,
    FC_WIRE_INT8,
    FC_WIRE_INT16,
    FC_WIRE_UINT16,
    FC_WIRE_INT32,
    FC_WIRE_UINT32,
    FC_WIRE_INT64,
    FC_WIRE_FLOAT64,
    FC_WIRE_UUID,
    FC_WIRE_STRING,
    FC_WIRE_BYTES,
    FC_WIRE_RECORDS, /* as bytes, but an encoder may be told to leave them out */
    FC_WIRE_STRUCT
} fc_wire_kind;

struct fc_wire_field {
    const char *name;
    const struct fc_wire_type *type; /* of the value, or of an array's elements */
    uint16_t offset; /* in the struct; an array's count stands behind its pointer */
    int16_t from;    /* versions that have the field */
    int16_t to;
    int16_t null_from; /* versions that can say null; INT16_MAX: none */
    int16_t tag;       /* -1: the field stands in line */
    uint8_t kind;      /* fc_wire_kind of `type` */
    bool array;
    bool pointer; /* a struct that may be null: the field is a pointer to it */
};

struct fc_wire_type {
    const char *name;                   /* "metadata_request_topic" */
    const struct fc_wire_field *fields; /* tagged ones in the order of their tags */
    const void *defaults;               /* `size` bytes: the struct with all defaults */
    uint32_t size;                      /* of the C struct or scalar */
    int16_t field_count;
    int16_t version_min; /* of the message that the struct belongs to */
    int16_t version_max;
    int16_t flexible_from; /* INT16_MAX: never */
    fc_wire_kind kind;
    bool has_tags; /* of its own */
};

/* Values of the kind take the same number of bytes on the wire as in memory. */
static inline bool fc_wire_kind_is_fixed(fc_wire_kind kind)
{
    return kind <= FC_WIRE_UUID;
}

static inline bool fc_wire_field_in(const struct fc_wire_field *field, int16_t version)
{
    return version >= field->from && version <= field->to;
}

/* Elements of arrays that are not structs. */
extern const struct fc_wire_type fc_wire_bool_type;
extern const struct fc_wire_type fc_wire_int8_type;
extern const struct fc_wire_type fc_wire_int16_type;
extern const struct fc_wire_type fc_wire_uint16_type;
extern const struct fc_wire_type fc_wire_int32_type;
extern const struct fc_wire_type fc_wire_uint32_type;
extern const struct fc_wire_type fc_wire_int64_type;
extern const struct fc_wire_type fc_wire_float64_type;
extern const struct fc_wire_type fc_wire_uuid_type;
extern const struct fc_wire_type fc_wire_string_type;
extern const struct fc_wire_type fc_wire_bytes_type;
extern const struct fc_wire_type fc_wire_records_type;

/* What an empty slice points to. */
extern const uint8_t fc_wire_nothing[1];

#endif
