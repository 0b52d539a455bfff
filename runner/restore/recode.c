/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/recode.h"

#include <stdlib.h>

#include "core/base/alloc.h"

enum { RECODE_ARENA_MAX = 256 * 1024 * 1024 };

struct fc_envelope *fc_recode_envelope(fc_envelope_mode mode)
{
    static const struct fc_source_field no_fields[] = { { NULL, FC_SOURCE_VALUE } };
    struct fc_envelope_config config;
    memset(&config, 0, sizeof(config));
    config.mode = mode;
    config.connector_name = "";
    config.engine = "";
    config.version = "";
    config.fields = no_fields;
    config.clock = fc_clock_system();
    return fc_envelope_new(&config);
}

/* Where a column of version `to` stands in version `from`, which is newer. */
static uint32_t find_back(const struct fc_versions *versions, uint32_t from, uint32_t to,
                          uint32_t column)
{
    for (uint32_t step = to; step < from && column != FC_NO_COLUMN; step++) {
        column = versions->items[step].to_next[column];
    }
    return column;
}

fc_code fc_recode_image(const struct fc_versions *versions, uint32_t from, uint32_t to,
                        struct fc_slice image, struct fc_buf *out, struct fc_error *err)
{
    const struct fc_schema *source = versions->items[from].schema;
    const struct fc_schema *target = versions->items[to].schema;
    struct fc_row_decoder *decoder = fc_row_decoder_new(source);
    struct fc_envelope *envelope = fc_recode_envelope(target->mode);
    struct fc_value *values = fc_new_array(struct fc_value, source->shape->column_count + 1);
    struct fc_value *picked = fc_new_array(struct fc_value, target->shape->column_count + 1);
    struct fc_column *columns = fc_new_array(struct fc_column, target->shape->column_count + 1);
    struct fc_shape shape = *target->shape;
    struct fc_arena arena;
    fc_code code;
    fc_arena_init(&arena, RECODE_ARENA_MAX);
    code = fc_row_decoder_decode(decoder, image, &arena, values, err);
    shape.columns = columns;
    shape.column_count = 0;
    for (uint32_t index = 0; code == FC_OK && index < target->shape->column_count; index++) {
        uint32_t at = find_back(versions, from, to, index);
        if (at != FC_NO_COLUMN) {
            columns[shape.column_count] = target->shape->columns[index];
            picked[shape.column_count++] = values[at];
        }
    }
    if (code == FC_OK) {
        fc_envelope_begin_batch(envelope);
        fc_envelope_row(envelope, &shape, picked, out);
        code = fc_buf_check(out, "row image", err);
    }
    fc_arena_release(&arena);
    free(columns);
    free(picked);
    free(values);
    fc_envelope_free(envelope);
    fc_row_decoder_free(decoder);
    return code;
}
