/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/key_change.h"

/* -0 equals 0, but is another key of a record. */
static bool same_bits(const void *a, const void *b, size_t size)
{
    return memcmp(a, b, size) == 0;
}

static bool same_value(const struct fc_value *a, const struct fc_value *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case FC_VALUE_NULL:
    case FC_VALUE_UNCHANGED:
        return true;
    case FC_VALUE_INT:
    case FC_VALUE_UINT:
        return a->as.u64 == b->as.u64;
    case FC_VALUE_FLOAT:
        return same_bits(&a->as.f32, &b->as.f32, sizeof(a->as.f32));
    case FC_VALUE_DOUBLE:
        return same_bits(&a->as.f64, &b->as.f64, sizeof(a->as.f64));
    case FC_VALUE_TEXT:
    case FC_VALUE_BYTES:
        return fc_slice_equal(a->as.bytes, b->as.bytes);
    }
    return false;
}

bool fc_key_change_is(const struct fc_change *change)
{
    const struct fc_shape *shape = change->shape;
    for (uint32_t index = 0; index < shape->column_count && shape->key_count > 0; index++) {
        if (shape->columns[index].key_index > 0 &&
            !same_value(&change->before[index], &change->after[index])) {
            return true;
        }
    }
    return false;
}
