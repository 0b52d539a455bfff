/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/wire_sample.h"

#include <arpa/inet.h>

#include "core/base/alloc.h"

enum { COUNT_MAX = 3, LENGTH_MAX = 40, LONG_LENGTH = 300, ONE_IN = 5 };

uint64_t fc_wire_sample_next(struct fc_wire_sample *sample)
{
    sample->state ^= sample->state << 13;
    sample->state ^= sample->state >> 7;
    sample->state ^= sample->state << 17;
    return sample->state;
}

static bool now_and_then(struct fc_wire_sample *sample)
{
    return fc_wire_sample_next(sample) % ONE_IN == 0;
}

static struct fc_slice sample_slice(struct fc_wire_sample *sample, bool can_be_null)
{
    size_t length = fc_wire_sample_next(sample) % LENGTH_MAX;
    uint8_t *bytes;
    if (can_be_null && now_and_then(sample)) {
        return fc_slice_null();
    }
    if (now_and_then(sample)) {
        length = now_and_then(sample) ? LONG_LENGTH : 0;
    }
    bytes = fc_arena_alloc(sample->arena, length);
    fc_assert(bytes != NULL);
    for (size_t index = 0; index < length; index++) {
        bytes[index] = (uint8_t)('a' + fc_wire_sample_next(sample) % 26);
    }
    return fc_slice_of(bytes, length);
}

static void fill_value(struct fc_wire_sample *sample, const struct fc_wire_type *type,
                       bool can_be_null, void *out)
{
    uint8_t *bytes = out;
    switch (type->kind) {
    case FC_WIRE_BOOL:
        *(bool *)out = (fc_wire_sample_next(sample) & 1) != 0;
        break;
    case FC_WIRE_STRING:
    case FC_WIRE_BYTES:
    case FC_WIRE_RECORDS:
        *(struct fc_slice *)out = sample_slice(sample, can_be_null);
        break;
    case FC_WIRE_STRUCT:
        fc_wire_sample_fill(sample, type, out);
        break;
    case FC_WIRE_INT8:
    case FC_WIRE_INT16:
    case FC_WIRE_UINT16:
    case FC_WIRE_INT32:
    case FC_WIRE_UINT32:
    case FC_WIRE_INT64:
    case FC_WIRE_FLOAT64:
    case FC_WIRE_UUID:
        for (size_t index = 0; index < type->size; index++) {
            bytes[index] = (uint8_t)fc_wire_sample_next(sample);
        }
        break;
    }
}

static void fill_array(struct fc_wire_sample *sample, const struct fc_wire_field *field,
                       bool can_be_null, uint8_t *out)
{
    int32_t count = (int32_t)(fc_wire_sample_next(sample) % (COUNT_MAX + 1));
    uint8_t *elements = NULL;
    if (can_be_null && now_and_then(sample)) {
        count = -1;
    }
    if (count > 0) {
        elements = fc_wire_array(sample->arena, field->type, count);
        fc_assert(elements != NULL);
    }
    for (int32_t index = 0; index < count; index++) {
        fill_value(sample, field->type, false, elements + (size_t)index * field->type->size);
    }
    memcpy(out, &elements, sizeof(elements));
    memcpy(out + sizeof(elements), &count, sizeof(count));
}

static void fill_field(struct fc_wire_sample *sample, const struct fc_wire_field *field,
                       uint8_t *msg)
{
    uint8_t *out = msg + field->offset;
    bool can_be_null = sample->version >= field->null_from;
    if (field->array) {
        fill_array(sample, field, can_be_null, out);
    } else if (field->pointer) {
        void *value =
            now_and_then(sample) ? NULL : fc_wire_array(sample->arena, field->type, 1);
        memcpy(out, &value, sizeof(value));
        if (value != NULL) {
            fc_wire_sample_fill(sample, field->type, value);
        }
    } else {
        fill_value(sample, field->type, can_be_null, out);
    }
}

void fc_wire_sample_fill(struct fc_wire_sample *sample, const struct fc_wire_type *type,
                         void *msg)
{
    fc_wire_init(type, msg);
    for (int index = 0; index < type->field_count; index++) {
        const struct fc_wire_field *field = &type->fields[index];
        bool keep_default = field->tag >= 0 && now_and_then(sample);
        if (fc_wire_field_in(field, sample->version) && !keep_default) {
            fill_field(sample, field, msg);
        }
    }
}

void fc_wire_sample_fill_absent(struct fc_wire_sample *sample, const struct fc_wire_type *type,
                                void *msg)
{
    for (int index = 0; index < type->field_count; index++) {
        const struct fc_wire_field *field = &type->fields[index];
        if (!fc_wire_field_in(field, sample->version)) {
            fill_field(sample, field, msg);
        }
    }
}

static bool values_equal(const struct fc_wire_type *type, const void *a, const void *b)
{
    switch (type->kind) {
    case FC_WIRE_STRING:
    case FC_WIRE_BYTES:
    case FC_WIRE_RECORDS:
        return fc_slice_equal(*(const struct fc_slice *)a, *(const struct fc_slice *)b);
    case FC_WIRE_STRUCT:
        return fc_wire_sample_equal(type, a, b);
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
    return memcmp(a, b, type->size) == 0;
}

static bool arrays_equal(const struct fc_wire_type *type, const uint8_t *a, const uint8_t *b)
{
    const uint8_t *elements[2];
    int32_t counts[2];
    memcpy(&elements[0], a, sizeof(elements[0]));
    memcpy(&elements[1], b, sizeof(elements[1]));
    memcpy(&counts[0], a + sizeof(elements[0]), sizeof(counts[0]));
    memcpy(&counts[1], b + sizeof(elements[1]), sizeof(counts[1]));
    if (counts[0] != counts[1]) {
        return false;
    }
    for (int32_t index = 0; index < counts[0]; index++) {
        size_t at = (size_t)index * type->size;
        if (!values_equal(type, elements[0] + at, elements[1] + at)) {
            return false;
        }
    }
    return true;
}

static bool pointers_equal(const struct fc_wire_type *type, const uint8_t *a, const uint8_t *b)
{
    const void *values[2];
    memcpy(&values[0], a, sizeof(values[0]));
    memcpy(&values[1], b, sizeof(values[1]));
    if (values[0] == NULL || values[1] == NULL) {
        return values[0] == values[1];
    }
    return fc_wire_sample_equal(type, values[0], values[1]);
}

bool fc_wire_sample_equal(const struct fc_wire_type *type, const void *a, const void *b)
{
    for (int index = 0; index < type->field_count; index++) {
        const struct fc_wire_field *field = &type->fields[index];
        const uint8_t *left = (const uint8_t *)a + field->offset;
        const uint8_t *right = (const uint8_t *)b + field->offset;
        bool equal = field->array     ? arrays_equal(field->type, left, right)
                     : field->pointer ? pointers_equal(field->type, left, right)
                                      : values_equal(field->type, left, right);
        if (!equal) {
            return false;
        }
    }
    return true;
}

static uint64_t pick(struct fc_wire_sample *sample, uint64_t below)
{
    return fc_wire_sample_next(sample) % below;
}

void fc_wire_sample_mutate(struct fc_wire_sample *sample, struct fc_buf *frame)
{
    uint32_t len;
    switch (pick(sample, 5)) {
    case 0: /* some bits */
        for (uint64_t flips = 1 + pick(sample, 6); flips > 0; flips--) {
            frame->data[4 + pick(sample, frame->len - 4)] ^= (uint8_t)(1U << pick(sample, 8));
        }
        return;
    case 1: /* shorter, and says so */
        frame->len = 4 + pick(sample, frame->len - 4);
        break;
    case 2: /* more behind it */
        for (uint64_t more = 1 + pick(sample, 40); more > 0; more--) {
            fc_buf_append_u8(frame, (uint8_t)pick(sample, 256));
        }
        break;
    case 3: /* a length of something becomes huge */
        memset(frame->data + 4 + pick(sample, frame->len - 4), 0x7f, 1);
        return;
    default: { /* a piece of it again */
        size_t from = 4 + pick(sample, frame->len - 4);
        size_t size = frame->len - from;
        fc_buf_append(frame, frame->data + from, size < 64 ? size : 64);
        break;
    }
    }
    len = htonl((uint32_t)(frame->len - 4));
    memcpy(frame->data, &len, sizeof(len));
}
