/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/type.h"

#include "core/base/slice.h"
#include "core/base/uuid.h"

const uint8_t fc_wire_nothing[1] = { 0 };

static const int64_t zero = 0;
static const struct fc_uuid no_uuid = { { 0 } };
static const struct fc_slice empty = { fc_wire_nothing, 0 };

#define SCALAR(its_name, its_kind, its_size, its_default)                                      \
    const struct fc_wire_type fc_wire_##its_name##_type = {                                    \
        .name = #its_name,                                                                     \
        .defaults = (its_default),                                                             \
        .size = (its_size),                                                                    \
        .version_max = INT16_MAX,                                                              \
        .flexible_from = INT16_MAX,                                                            \
        .kind = (its_kind),                                                                    \
    }

SCALAR(bool, FC_WIRE_BOOL, sizeof(bool), &zero);
SCALAR(int8, FC_WIRE_INT8, sizeof(int8_t), &zero);
SCALAR(int16, FC_WIRE_INT16, sizeof(int16_t), &zero);
SCALAR(uint16, FC_WIRE_UINT16, sizeof(uint16_t), &zero);
SCALAR(int32, FC_WIRE_INT32, sizeof(int32_t), &zero);
SCALAR(uint32, FC_WIRE_UINT32, sizeof(uint32_t), &zero);
SCALAR(int64, FC_WIRE_INT64, sizeof(int64_t), &zero);
SCALAR(float64, FC_WIRE_FLOAT64, sizeof(double), &zero);
SCALAR(uuid, FC_WIRE_UUID, sizeof(struct fc_uuid), &no_uuid);
SCALAR(string, FC_WIRE_STRING, sizeof(struct fc_slice), &empty);
SCALAR(bytes, FC_WIRE_BYTES, sizeof(struct fc_slice), &empty);
SCALAR(records, FC_WIRE_RECORDS, sizeof(struct fc_slice), &empty);
