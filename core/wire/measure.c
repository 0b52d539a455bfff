/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/measure.h"

enum { STRING_MAX = INT16_MAX };

static bool is_default_struct(const struct fc_wire_type *type, const uint8_t *msg);

/* A default is null or empty. */
static bool is_default_slice(struct fc_slice slice, struct fc_slice initial)
{
    return slice.len == 0 && fc_slice_is_null(slice) == fc_slice_is_null(initial);
}

/* Whether a tagged field need not be written. */
static bool is_default(const struct fc_wire_type *type, const struct fc_wire_field *field,
                       const uint8_t *msg)
{
    const uint8_t *value = msg + field->offset;
    const uint8_t *initial = (const uint8_t *)type->defaults + field->offset;
    if (field->array) {
        return fc_wire_get_array(value).count == fc_wire_get_array(initial).count;
    }
    if (field->pointer) {
        return fc_wire_get_pointer(value) == NULL;
    }
    switch (field->type->kind) {
    case FC_WIRE_STRING:
    case FC_WIRE_BYTES:
    case FC_WIRE_RECORDS:
        return is_default_slice(fc_wire_get_slice(value), fc_wire_get_slice(initial));
    case FC_WIRE_STRUCT:
        return memcmp(value, initial, field->type->size) == 0 || /* as it was initialised */
               is_default_struct(field->type, value);
    case FC_WIRE_BOOL:
    case FC_WIRE_INT8:
    case FC_WIRE_INT16:
    case FC_WIRE_UINT16:
    case FC_WIRE_INT32:
    case FC_WIRE_UINT32:
    case FC_WIRE_INT64:
    case FC_WIRE_FLOAT64:
    case FC_WIRE_UUID:
        break;
    }
    return memcmp(value, initial, field->type->size) == 0;
}

static bool is_default_struct(const struct fc_wire_type *type, const uint8_t *msg)
{
    for (int index = 0; index < type->field_count; index++) {
        if (!is_default(type, &type->fields[index], msg)) {
            return false;
        }
    }
    return true;
}

static size_t uvarint_size(uint32_t value)
{
    size_t size = 1;
    for (; value >= 0x80; value >>= 7) {
        size++;
    }
    return size;
}

static void refuse(struct fc_wire_measure *measure, fc_code code, const char *why)
{
    if (measure->code == FC_OK) {
        measure->code = code;
        measure->why = why;
    }
}

/* A length or count in front of what it counts. */
static void measure_length(struct fc_wire_measure *measure, size_t fixed_size, uint64_t length)
{
    if (length >= INT32_MAX) {
        refuse(measure, FC_ERR_LIMIT, "is larger than 2 GiB");
        return;
    }
    measure->size += measure->flexible ? uvarint_size((uint32_t)length + 1) : fixed_size;
}

static void measure_null(struct fc_wire_measure *measure, size_t fixed_size, bool can_be_null)
{
    if (!can_be_null) {
        refuse(measure, FC_ERR_PROTOCOL, "is null, which the version cannot say");
    }
    measure->size += measure->flexible ? 1 : fixed_size;
}

static void measure_slice(struct fc_wire_measure *measure, fc_wire_kind kind, bool can_be_null,
                          struct fc_slice slice)
{
    size_t fixed_size = kind == FC_WIRE_STRING ? 2 : 4;
    if (fc_wire_slice_is_null(slice, kind, measure->splicing)) {
        measure_null(measure, fixed_size, can_be_null);
        return;
    }
    if (kind == FC_WIRE_STRING && slice.len > STRING_MAX) {
        refuse(measure, FC_ERR_LIMIT, "has more than 32767 bytes");
    }
    measure_length(measure, fixed_size, slice.len);
    if (measure->splicing && kind == FC_WIRE_RECORDS) {
        measure->spliced_bytes += slice.len;
        measure->spliced_count += slice.len > 0;
    } else {
        measure->size += slice.len;
    }
}

static void measure_struct(struct fc_wire_measure *measure, const struct fc_wire_type *type,
                           const uint8_t *msg);

static void measure_value(struct fc_wire_measure *measure, const struct fc_wire_type *type,
                          bool can_be_null, const uint8_t *value)
{
    switch (type->kind) {
    case FC_WIRE_BOOL:
    case FC_WIRE_INT8:
    case FC_WIRE_INT16:
    case FC_WIRE_UINT16:
    case FC_WIRE_INT32:
    case FC_WIRE_UINT32:
    case FC_WIRE_INT64:
    case FC_WIRE_FLOAT64:
    case FC_WIRE_UUID:
        measure->size += type->size; /* as in memory */
        break;
    case FC_WIRE_STRING:
    case FC_WIRE_BYTES:
    case FC_WIRE_RECORDS:
        measure_slice(measure, type->kind, can_be_null, fc_wire_get_slice(value));
        break;
    case FC_WIRE_STRUCT:
        measure_struct(measure, type, value);
        break;
    }
}

void fc_wire_measure_field(struct fc_wire_measure *measure, const struct fc_wire_type *type,
                           const struct fc_wire_field *field, const uint8_t *msg)
{
    const uint8_t *value = msg + field->offset;
    bool can_be_null = measure->version >= field->null_from;
    if (field->array) {
        struct fc_wire_array_value array = fc_wire_get_array(value);
        if (array.count < 0) {
            measure_null(measure, 4, can_be_null);
        } else {
            measure_length(measure, 4, (uint64_t)array.count);
        }
        if (array.count > 0 && fc_wire_kind_is_fixed(field->type->kind)) {
            measure->size += (size_t)array.count * field->type->size;
            array.count = 0;
        }
        for (int32_t index = 0; index < array.count; index++) {
            measure_value(measure, field->type, false,
                          array.elements + (size_t)index * field->type->size);
        }
    } else if (field->pointer) {
        const void *pointer = fc_wire_get_pointer(value);
        measure->size += 1;
        if (pointer != NULL) {
            measure_struct(measure, field->type, pointer);
        } else if (!can_be_null) {
            refuse(measure, FC_ERR_PROTOCOL, "is null, which the version cannot say");
        }
    } else {
        measure_value(measure, field->type, can_be_null, value);
    }
    if (measure->code != FC_OK && measure->field_name == NULL) {
        measure->struct_name = type->name;
        measure->field_name = field->name;
    }
}

bool fc_wire_is_written_tag(const struct fc_wire_type *type, const struct fc_wire_field *field,
                            int16_t version, const uint8_t *msg)
{
    return field->tag >= 0 && fc_wire_field_in(field, version) && !is_default(type, field, msg);
}

static void measure_tags(struct fc_wire_measure *measure, const struct fc_wire_type *type,
                         const uint8_t *msg)
{
    uint32_t count = 0;
    for (int index = 0; type->has_tags && index < type->field_count; index++) {
        const struct fc_wire_field *field = &type->fields[index];
        size_t before = measure->size;
        if (fc_wire_is_written_tag(type, field, measure->version, msg)) {
            count++;
            fc_wire_measure_field(measure, type, field, msg);
            measure->size += uvarint_size((uint32_t)field->tag) +
                             uvarint_size((uint32_t)(measure->size - before));
        }
    }
    measure->size += uvarint_size(count);
}

static void measure_struct(struct fc_wire_measure *measure, const struct fc_wire_type *type,
                           const uint8_t *msg)
{
    for (int index = 0; index < type->field_count; index++) {
        const struct fc_wire_field *field = &type->fields[index];
        if (field->tag < 0 && fc_wire_field_in(field, measure->version)) {
            fc_wire_measure_field(measure, type, field, msg);
        }
    }
    if (measure->flexible) {
        measure_tags(measure, type, msg);
    }
}

fc_code fc_wire_measure_message(struct fc_wire_measure *measure,
                                const struct fc_wire_type *type, const void *msg,
                                struct fc_error *err)
{
    if (measure->version < type->version_min || measure->version > type->version_max) {
        return fc_fail(err, FC_ERR_PROTOCOL, "%s has no version %d", type->name,
                       measure->version);
    }
    measure->flexible = measure->version >= type->flexible_from;
    measure_struct(measure, type, msg);
    if (measure->code != FC_OK) {
        return fc_fail(err, measure->code, "%s version %d: %s.%s %s", type->name,
                       measure->version, measure->struct_name, measure->field_name,
                       measure->why);
    }
    if (measure->size + measure->spliced_bytes > INT32_MAX) {
        return fc_fail(err, FC_ERR_LIMIT, "%s is larger than 2 GiB", type->name);
    }
    return FC_OK;
}

size_t fc_wire_size(const struct fc_wire_type *type, int16_t version, const void *msg)
{
    struct fc_wire_measure measure = { .version = version };
    return fc_wire_measure_message(&measure, type, msg, NULL) == FC_OK ? measure.size : 0;
}
