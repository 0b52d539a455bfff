/* SPDX-License-Identifier: Apache-2.0 */
/* The encoder's first walk: how many bytes a message takes, and whether it can be said at all. For
 * encode.c only. */
#ifndef FC_WIRE_MEASURE_H
#define FC_WIRE_MEASURE_H

#include "core/base/alloc.h"
#include "core/wire/wire.h"

struct fc_wire_measure {
    size_t size;
    uint64_t spliced_bytes; /* not in size */
    int32_t spliced_count;
    int16_t version;
    bool flexible;
    bool splicing;
    fc_code code;            /* the first failure */
    const char *struct_name; /* where it is */
    const char *field_name;
    const char *why;
};

struct fc_wire_array_value {
    const uint8_t *elements;
    int32_t count;
};

static inline struct fc_wire_array_value fc_wire_get_array(const uint8_t *value)
{
    struct fc_wire_array_value array;
    memcpy(&array.elements, value, sizeof(array.elements));
    memcpy(&array.count, value + sizeof(array.elements), sizeof(array.count));
    fc_assert(array.count >= -1);
    fc_assert(array.count <= 0 || array.elements != NULL);
    return array;
}

static inline const void *fc_wire_get_pointer(const uint8_t *value)
{
    const void *pointer;
    memcpy(&pointer, value, sizeof(pointer));
    return pointer;
}

static inline struct fc_slice fc_wire_get_slice(const void *value)
{
    struct fc_slice slice;
    memcpy(&slice, value, sizeof(slice));
    return slice;
}

/* Records that are left out have a length, but need no data. */
static inline bool fc_wire_slice_is_null(struct fc_slice slice, fc_wire_kind kind,
                                         bool splicing)
{
    return slice.data == NULL && !(splicing && kind == FC_WIRE_RECORDS && slice.len > 0);
}

/* Measure a whole message of measure->version. Errors: FC_ERR_PROTOCOL, FC_ERR_LIMIT. */
FC_MUST_CHECK fc_code fc_wire_measure_message(struct fc_wire_measure *measure,
                                              const struct fc_wire_type *type, const void *msg,
                                              struct fc_error *err);

/* Add what a field takes, without what stands in front of a tagged one. */
void fc_wire_measure_field(struct fc_wire_measure *measure, const struct fc_wire_type *type,
                           const struct fc_wire_field *field, const uint8_t *msg);

/* Whether the field stands in the tag section: tagged ones do unless they have their default. */
bool fc_wire_is_written_tag(const struct fc_wire_type *type, const struct fc_wire_field *field,
                            int16_t version, const uint8_t *msg);

#endif
