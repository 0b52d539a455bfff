/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk over a type's rows. The reader cannot run over the end, so a scalar is read without a look;
 * each field ends with one look at `failed`. Counts and lengths are compared with the bytes that are
 * left before anything is allocated.
 *
 * Layouts: fixed versions have int16 lengths of strings and int32 lengths and counts of all else, -1 is
 * null. Flexible ones have unsigned varints of length + 1, 0 is null, and each struct ends in a tag section:
 * count, then for each tag its number, size and bytes.
 */
#include "core/base/uuid.h"
#include "core/wire/uvarint.h"
#include "core/wire/wire.h"

enum {
    STRING_MAX = INT16_MAX,
    FEW = 8 /* elements for which the least size of one is not worth computing */
};

struct decoder {
    struct fc_reader *reader;
    struct fc_arena *arena;
    int16_t version;
    bool flexible;
    const char *struct_name; /* where it went wrong */
    const char *field_name;
    fc_code code;
    char why[64];
};

FC_PRINTF(3, 4)
static bool refuse(struct decoder *decoder, fc_code code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    decoder->code = code;
    (void)vsnprintf(decoder->why, sizeof(decoder->why), fmt, args); /* fits */
    va_end(args);
    return false;
}

/* A length or count: -1 is null. */
static int64_t read_length(struct decoder *decoder, size_t fixed_size)
{
    if (decoder->flexible) {
        return (int64_t)fc_wire_read_uvarint(decoder->reader) - 1;
    }
    return fixed_size == 2 ? (int16_t)fc_reader_be(decoder->reader, 2)
                           : (int32_t)fc_reader_be(decoder->reader, 4);
}

static bool read_slice(struct decoder *decoder, fc_wire_kind kind, bool can_be_null,
                       struct fc_slice *out)
{
    int64_t length = read_length(decoder, kind == FC_WIRE_STRING ? 2 : 4);
    if (decoder->reader->failed) {
        return refuse(decoder, FC_ERR_PROTOCOL, "cut short");
    }
    if (length == -1 && can_be_null) {
        *out = fc_slice_null();
        return true;
    }
    if (length < 0) {
        return refuse(decoder, FC_ERR_PROTOCOL, "length %lld", (long long)length);
    }
    if (kind == FC_WIRE_STRING && length > STRING_MAX) {
        return refuse(decoder, FC_ERR_PROTOCOL, "a string of %lld bytes", (long long)length);
    }
    *out = fc_reader_slice(decoder->reader, (size_t)length);
    return true;
}

static bool decode_struct(struct decoder *decoder, const struct fc_wire_type *type, void *out);

static bool decode_value(struct decoder *decoder, const struct fc_wire_type *type,
                         bool can_be_null, void *out)
{
    struct fc_reader *reader = decoder->reader;
    uint64_t bits;
    switch (type->kind) {
    case FC_WIRE_BOOL:
        *(bool *)out = fc_reader_u8(reader) != 0;
        return true;
    case FC_WIRE_INT8:
        *(uint8_t *)out = fc_reader_u8(reader);
        return true;
    case FC_WIRE_INT16:
    case FC_WIRE_UINT16:
        *(uint16_t *)out = (uint16_t)fc_reader_be(reader, 2);
        return true;
    case FC_WIRE_INT32:
    case FC_WIRE_UINT32:
        *(uint32_t *)out = (uint32_t)fc_reader_be(reader, 4);
        return true;
    case FC_WIRE_INT64:
        *(uint64_t *)out = fc_reader_be(reader, 8);
        return true;
    case FC_WIRE_FLOAT64:
        bits = fc_reader_be(reader, 8);
        memcpy(out, &bits, sizeof(bits));
        return true;
    case FC_WIRE_UUID: {
        const uint8_t *bytes = fc_reader_take(reader, sizeof(struct fc_uuid));
        if (bytes != NULL) {
            memcpy(out, bytes, sizeof(struct fc_uuid));
        }
        return true;
    }
    case FC_WIRE_STRING:
    case FC_WIRE_BYTES:
    case FC_WIRE_RECORDS:
        return read_slice(decoder, type->kind, can_be_null, out);
    case FC_WIRE_STRUCT:
        return decode_struct(decoder, type, out);
    }
    return refuse(decoder, FC_ERR_PROTOCOL, "kind %d", (int)type->kind);
}

/* The least number of bytes that a value has. */
static size_t least_size(const struct fc_wire_type *type, int16_t version, bool flexible)
{
    size_t size = flexible ? 1 : 0; /* the tag section */
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
        return type->size; /* as in memory */
    case FC_WIRE_STRING:
        return flexible ? 1 : 2;
    case FC_WIRE_BYTES:
    case FC_WIRE_RECORDS:
        return flexible ? 1 : 4;
    case FC_WIRE_STRUCT:
        break;
    }
    for (int index = 0; index < type->field_count; index++) {
        const struct fc_wire_field *field = &type->fields[index];
        if (field->tag >= 0 || !fc_wire_field_in(field, version)) {
            continue;
        }
        if (field->pointer) {
            size += 1;
        } else if (field->array) {
            size += flexible ? 1 : 4;
        } else {
            size += least_size(field->type, version, flexible);
        }
    }
    return size;
}

static bool check_count(struct decoder *decoder, const struct fc_wire_type *type, int64_t count)
{
    size_t left = fc_reader_left(decoder->reader);
    size_t least = 1;
    if (count > FC_WIRE_ARRAY_MAX) {
        return refuse(decoder, FC_ERR_LIMIT, "%lld elements", (long long)count);
    }
    if (count > FEW) {
        least = least_size(type, decoder->version, decoder->flexible);
    }
    if (least * (size_t)count > left) {
        return refuse(decoder, FC_ERR_PROTOCOL, "%lld elements in %zu bytes", (long long)count,
                      left);
    }
    return true;
}

static bool decode_array(struct decoder *decoder, const struct fc_wire_field *field,
                         bool can_be_null, uint8_t *out)
{
    const struct fc_wire_type *type = field->type;
    int64_t length = read_length(decoder, 4);
    int32_t count;
    uint8_t *elements;
    if (decoder->reader->failed) {
        return refuse(decoder, FC_ERR_PROTOCOL, "cut short");
    }
    if (length < (can_be_null ? -1 : 0)) {
        return refuse(decoder, FC_ERR_PROTOCOL, "%lld elements", (long long)length);
    }
    if (length > 0 && !check_count(decoder, type, length)) {
        return false;
    }
    count = (int32_t)length;
    elements = count > 0 ? fc_arena_alloc(decoder->arena, (size_t)count * type->size) : NULL;
    if (count > 0 && elements == NULL) {
        return refuse(decoder, FC_ERR_LIMIT, "needs more than %zu bytes of memory",
                      decoder->arena->limit);
    }
    memcpy(out, &elements, sizeof(elements));
    memcpy(out + sizeof(elements), &count, sizeof(count));
    for (int32_t index = 0; index < count; index++) {
        if (!decode_value(decoder, type, false, elements + (size_t)index * type->size)) {
            return false;
        }
    }
    return true;
}

static bool decode_pointer(struct decoder *decoder, const struct fc_wire_field *field,
                           uint8_t *out)
{
    void *value;
    if ((int8_t)fc_reader_u8(decoder->reader) < 0 || decoder->reader->failed) {
        return true; /* the default, NULL */
    }
    value = fc_arena_alloc(decoder->arena, field->type->size);
    if (value == NULL) {
        return refuse(decoder, FC_ERR_LIMIT, "needs more than %zu bytes of memory",
                      decoder->arena->limit);
    }
    memcpy(out, &value, sizeof(value));
    return decode_struct(decoder, field->type, value);
}

static bool decode_field(struct decoder *decoder, const struct fc_wire_type *type,
                         const struct fc_wire_field *field, void *msg)
{
    uint8_t *out = (uint8_t *)msg + field->offset;
    bool can_be_null = decoder->version >= field->null_from;
    bool good;
    if (field->array) {
        good = decode_array(decoder, field, can_be_null, out);
    } else if (field->pointer) {
        good = decode_pointer(decoder, field, out);
    } else {
        good = decode_value(decoder, field->type, can_be_null, out);
    }
    if (good && decoder->reader->failed) {
        good = refuse(decoder, FC_ERR_PROTOCOL, "cut short");
    }
    if (!good && decoder->field_name == NULL) {
        decoder->struct_name = type->name;
        decoder->field_name = field->name;
    }
    return good;
}

static const struct fc_wire_field *find_tag(const struct fc_wire_type *type, int16_t version,
                                            uint32_t tag)
{
    for (int index = 0; index < type->field_count; index++) {
        const struct fc_wire_field *field = &type->fields[index];
        if (field->tag >= 0 && (uint32_t)field->tag == tag &&
            fc_wire_field_in(field, version)) {
            return field;
        }
    }
    return NULL;
}

/* A tag's bytes, which must be exactly its field. */
static bool decode_tag(struct decoder *decoder, const struct fc_wire_type *type,
                       const struct fc_wire_field *field, struct fc_slice bytes, void *out)
{
    struct fc_reader *outer = decoder->reader;
    struct fc_reader inner;
    bool good;
    fc_reader_init(&inner, bytes);
    decoder->reader = &inner;
    good = decode_field(decoder, type, field, out);
    decoder->reader = outer;
    if (good && fc_reader_left(&inner) != 0) {
        decoder->struct_name = type->name;
        decoder->field_name = field->name;
        return refuse(decoder, FC_ERR_PROTOCOL, "bytes behind it in its tag");
    }
    return good;
}

static bool decode_tags(struct decoder *decoder, const struct fc_wire_type *type, void *out)
{
    uint32_t count = fc_wire_read_uvarint(decoder->reader);
    if (count > FC_WIRE_TAGS_MAX) {
        return refuse(decoder, FC_ERR_LIMIT, "%u tags", count);
    }
    for (uint32_t index = 0; index < count && !decoder->reader->failed; index++) {
        uint32_t tag = fc_wire_read_uvarint(decoder->reader);
        uint32_t size = fc_wire_read_uvarint(decoder->reader);
        struct fc_slice bytes = fc_reader_slice(decoder->reader, size);
        const struct fc_wire_field *field = find_tag(type, decoder->version, tag);
        if (decoder->reader->failed) {
            break;
        }
        if (field != NULL && !decode_tag(decoder, type, field, bytes, out)) {
            return false;
        }
    }
    if (decoder->reader->failed) {
        return refuse(decoder, FC_ERR_PROTOCOL, "cut short in its tags");
    }
    return true;
}

static bool decode_struct(struct decoder *decoder, const struct fc_wire_type *type, void *out)
{
    fc_wire_init(type, out);
    for (int index = 0; index < type->field_count; index++) {
        const struct fc_wire_field *field = &type->fields[index];
        if (field->tag < 0 && fc_wire_field_in(field, decoder->version) &&
            !decode_field(decoder, type, field, out)) {
            return false;
        }
    }
    return !decoder->flexible || decode_tags(decoder, type, out);
}

fc_code fc_wire_decode_from(const struct fc_wire_type *type, int16_t version,
                            struct fc_reader *reader, struct fc_arena *arena, void *out,
                            struct fc_error *err)
{
    struct decoder decoder = { 0 };
    if (version < type->version_min || version > type->version_max) {
        return fc_fail(err, FC_ERR_PROTOCOL, "%s has no version %d", type->name, version);
    }
    decoder.reader = reader;
    decoder.arena = arena;
    decoder.version = version;
    decoder.flexible = version >= type->flexible_from;
    if (!decode_struct(&decoder, type, out)) {
        return fc_fail(err, decoder.code, "%s version %d: %s%s%s%s%s", type->name, version,
                       decoder.field_name == NULL ? "" : decoder.struct_name,
                       decoder.field_name == NULL ? "" : ".",
                       decoder.field_name == NULL ? "" : decoder.field_name,
                       decoder.field_name == NULL ? "" : ": ", decoder.why);
    }
    return FC_OK;
}

fc_code fc_wire_decode(const struct fc_wire_type *type, int16_t version, struct fc_slice bytes,
                       struct fc_arena *arena, void *out, struct fc_error *err)
{
    struct fc_reader reader;
    fc_code code;
    fc_reader_init(&reader, bytes);
    code = fc_wire_decode_from(type, version, &reader, arena, out, err);
    if (code == FC_OK && fc_reader_left(&reader) != 0) {
        return fc_fail(err, FC_ERR_PROTOCOL, "%s version %d: %zu bytes left over", type->name,
                       version, fc_reader_left(&reader));
    }
    return code;
}
