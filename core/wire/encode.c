/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two walks over a type's rows: the first measures and finds what cannot be said, the second writes
 * into memory that is known to suffice and cannot fail. The sizes that stand in front of tagged fields come
 * from the first walk, too. The layouts are described in decode.c.
 */
#include "core/base/uuid.h"
#include "core/wire/measure.h"
#include "core/wire/wire.h"

struct writer {
    uint8_t *at;
    uint8_t *start;
    size_t base; /* position of start in the buffer */
    struct fc_wire_splices *splices;
    int16_t version;
    bool flexible;
};

static void put(struct writer *writer, const void *bytes, size_t size)
{
    memcpy(writer->at, bytes, size);
    writer->at += size;
}

static void put_be16(struct writer *writer, uint16_t value)
{
    value = __builtin_bswap16(value);
    put(writer, &value, sizeof(value));
}

static void put_be32(struct writer *writer, uint32_t value)
{
    value = __builtin_bswap32(value);
    put(writer, &value, sizeof(value));
}

static void put_be64(struct writer *writer, uint64_t value)
{
    value = __builtin_bswap64(value);
    put(writer, &value, sizeof(value));
}

static void put_uvarint(struct writer *writer, uint32_t value)
{
    for (; value >= 0x80; value >>= 7) {
        *writer->at++ = (uint8_t)(value | 0x80);
    }
    *writer->at++ = (uint8_t)value;
}

static void put_length(struct writer *writer, size_t fixed_size, int64_t length)
{
    if (writer->flexible) {
        put_uvarint(writer, (uint32_t)(length + 1));
    } else if (fixed_size == 2) {
        put_be16(writer, (uint16_t)length);
    } else {
        put_be32(writer, (uint32_t)length);
    }
}

static void put_slice(struct writer *writer, const struct fc_wire_type *type,
                      struct fc_slice slice, const void *owner)
{
    size_t fixed_size = type->kind == FC_WIRE_STRING ? 2 : 4;
    struct fc_wire_splices *splices = writer->splices;
    if (fc_wire_slice_is_null(slice, type->kind, splices != NULL)) {
        put_length(writer, fixed_size, -1);
        return;
    }
    put_length(writer, fixed_size, (int64_t)slice.len);
    if (slice.len == 0) {
        return;
    }
    if (splices != NULL && type->kind == FC_WIRE_RECORDS) {
        struct fc_wire_splice *splice = &splices->items[splices->count++];
        splice->at = writer->base + (size_t)(writer->at - writer->start);
        splice->len = slice.len;
        splice->records_of = owner;
    } else {
        put(writer, slice.data, slice.len);
    }
}

static void write_struct(struct writer *writer, const struct fc_wire_type *type,
                         const uint8_t *msg);

static void write_value(struct writer *writer, const struct fc_wire_type *type,
                        const uint8_t *value, const void *owner)
{
    switch (type->kind) {
    case FC_WIRE_BOOL:
        *writer->at++ = *(const bool *)value ? 1 : 0;
        break;
    case FC_WIRE_INT8:
        *writer->at++ = *value;
        break;
    case FC_WIRE_INT16:
    case FC_WIRE_UINT16: {
        uint16_t number;
        memcpy(&number, value, sizeof(number));
        put_be16(writer, number);
        break;
    }
    case FC_WIRE_INT32:
    case FC_WIRE_UINT32: {
        uint32_t number;
        memcpy(&number, value, sizeof(number));
        put_be32(writer, number);
        break;
    }
    case FC_WIRE_INT64:
    case FC_WIRE_FLOAT64: {
        uint64_t number;
        memcpy(&number, value, sizeof(number));
        put_be64(writer, number);
        break;
    }
    case FC_WIRE_UUID:
        put(writer, value, sizeof(struct fc_uuid));
        break;
    case FC_WIRE_STRING:
    case FC_WIRE_BYTES:
    case FC_WIRE_RECORDS:
        put_slice(writer, type, fc_wire_get_slice(value), owner);
        break;
    case FC_WIRE_STRUCT:
        write_struct(writer, type, value);
        break;
    }
}

static void write_field(struct writer *writer, const struct fc_wire_field *field,
                        const uint8_t *msg)
{
    const uint8_t *value = msg + field->offset;
    if (field->array) {
        struct fc_wire_array_value array = fc_wire_get_array(value);
        put_length(writer, 4, array.count);
        for (int32_t index = 0; index < array.count; index++) {
            write_value(writer, field->type, array.elements + (size_t)index * field->type->size,
                        msg);
        }
    } else if (field->pointer) {
        const void *pointer = fc_wire_get_pointer(value);
        *writer->at++ = pointer == NULL ? 0xff : 1;
        if (pointer != NULL) {
            write_struct(writer, field->type, pointer);
        }
    } else {
        write_value(writer, field->type, value, msg);
    }
}

static void write_tags(struct writer *writer, const struct fc_wire_type *type,
                       const uint8_t *msg)
{
    uint32_t count = 0;
    for (int index = 0; type->has_tags && index < type->field_count; index++) {
        count += fc_wire_is_written_tag(type, &type->fields[index], writer->version, msg);
    }
    put_uvarint(writer, count);
    for (int index = 0; index < type->field_count && count > 0; index++) {
        const struct fc_wire_field *field = &type->fields[index];
        struct fc_wire_measure measure = { .version = writer->version,
                                           .flexible = true,
                                           .splicing = writer->splices != NULL };
        if (fc_wire_is_written_tag(type, field, writer->version, msg)) {
            fc_wire_measure_field(&measure, type, field, msg);
            put_uvarint(writer, (uint32_t)field->tag);
            put_uvarint(writer, (uint32_t)measure.size);
            write_field(writer, field, msg);
        }
    }
}

static void write_struct(struct writer *writer, const struct fc_wire_type *type,
                         const uint8_t *msg)
{
    for (int index = 0; index < type->field_count; index++) {
        const struct fc_wire_field *field = &type->fields[index];
        if (field->tag < 0 && fc_wire_field_in(field, writer->version)) {
            write_field(writer, field, msg);
        }
    }
    if (writer->flexible) {
        write_tags(writer, type, msg);
    }
}

static fc_code encode(const struct fc_wire_type *type, int16_t version, const void *msg,
                      struct fc_buf *to, struct fc_wire_splices *splices, struct fc_error *err)
{
    struct fc_wire_measure measure = { .version = version, .splicing = splices != NULL };
    struct writer writer = { .splices = splices, .version = version };
    fc_code code = fc_wire_measure_message(&measure, type, msg, err);
    if (code != FC_OK) {
        return code;
    }
    if (splices != NULL) {
        splices->items = fc_arena_alloc(splices->arena, (size_t)measure.spliced_count *
                                                            sizeof(splices->items[0]));
        splices->count = 0;
        splices->bytes = measure.spliced_bytes;
        if (splices->items == NULL) {
            return fc_arena_check(splices->arena, type->name, err);
        }
    }
    if (measure.size == 0) {
        return fc_buf_check(to, type->name, err);
    }
    writer.flexible = measure.flexible;
    writer.base = to->len;
    writer.start = fc_buf_reserve(to, measure.size);
    if (writer.start == NULL) {
        return fc_buf_check(to, type->name, err);
    }
    writer.at = writer.start;
    write_struct(&writer, type, msg);
    fc_assert((size_t)(writer.at - writer.start) == measure.size);
    to->len += measure.size;
    return FC_OK;
}

fc_code fc_wire_encode(const struct fc_wire_type *type, int16_t version, const void *msg,
                       struct fc_buf *to, struct fc_error *err)
{
    return encode(type, version, msg, to, NULL, err);
}

fc_code fc_wire_encode_spliced(const struct fc_wire_type *type, int16_t version,
                               const void *msg, struct fc_buf *to,
                               struct fc_wire_splices *splices, struct fc_error *err)
{
    return encode(type, version, msg, to, splices, err);
}

void fc_wire_init(const struct fc_wire_type *type, void *msg)
{
    memcpy(msg, type->defaults, type->size);
}

void *fc_wire_array(struct fc_arena *arena, const struct fc_wire_type *elem, int32_t count)
{
    uint8_t *elements;
    fc_assert(count >= 0);
    elements = fc_arena_alloc(arena, (size_t)count * elem->size);
    for (int32_t index = 0; index < count && elements != NULL; index++) {
        fc_wire_init(elem, elements + (size_t)index * elem->size);
    }
    return elements;
}
