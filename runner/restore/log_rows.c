/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/log_rows.h"

#include <stdlib.h>

#include "core/base/alloc.h"

static const size_t arena_bytes_max = (size_t)1 << 31;

struct reading {
    const struct fc_log_rows_config *config;
    struct fc_arena arena;
    struct fc_value *values;
};

static fc_code on_emitted(void *ctx, const struct fc_emit_row *row, struct fc_error *err)
{
    struct reading *reading = ctx;
    const struct fc_log_rows_config *config = reading->config;
    const struct fc_row_form *form = &config->forms->items[row->version];
    struct fc_row_hashes hashes;
    fc_code code = FC_OK;
    if (!form->plain || config->forms->by_common) {
        fc_arena_clear(&reading->arena);
        fc_compare_begin_batch(config->compare);
        code = fc_row_decoder_decode(form->decoder, row->image, &reading->arena,
                                     reading->values, err);
    }
    if (code != FC_OK) {
        return fc_wrap(err, "%s", row->table->name);
    }
    fc_compare_log_row(config->compare, row->version, row->key, row->image, reading->values,
                       &hashes);
    return config->on_row(config->ctx, &hashes, row->copies,
                          config->forms->keyed ? row->key : row->image, err);
}

static uint32_t widest(const struct fc_row_forms *forms)
{
    uint32_t width = 0;
    for (uint32_t index = 0; index < forms->count; index++) {
        uint32_t count = forms->items[index].projection.schema->shape->column_count;
        width = count > width ? count : width;
    }
    return width;
}

fc_code fc_log_rows_run(const struct fc_log_rows_config *config, struct fc_error *err)
{
    struct reading reading;
    struct fc_emit_config emit;
    fc_code code;
    memset(&reading, 0, sizeof(reading));
    reading.config = config;
    reading.values = fc_new_array(struct fc_value, widest(config->forms) + 1);
    fc_arena_init(&reading.arena, arena_bytes_max);
    memset(&emit, 0, sizeof(emit));
    emit.view = config->view;
    emit.tables = &config->table;
    emit.table_count = 1;
    emit.on_row = on_emitted;
    emit.ctx = &reading;
    emit.stop = config->stop;
    code = fc_emit(&emit, err);
    fc_arena_release(&reading.arena);
    free(reading.values);
    return code;
}
