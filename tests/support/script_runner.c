/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/script_runner.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "tests/support/sample_rows.h"
#include "tests/support/temp_dir.h"

enum { STEPS_MAX = 8, ARENA_MAX = 8 * 1024 * 1024 };

static const struct fc_column order_columns[ORDER_COLUMNS] = {
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64, .key_index = 1 },
    { .name = "customer_id",
      .native_type = "int",
      .type = FC_TYPE_INT,
      .bits = 32,
      .nullable = true },
    { .name = "status",
      .native_type = "varchar(16)",
      .type = FC_TYPE_TEXT,
      .length = 16,
      .nullable = true },
    { .name = "amount",
      .native_type = "decimal(10,2)",
      .type = FC_TYPE_DECIMAL,
      .precision = 10,
      .scale = 2,
      .nullable = true },
    { .name = "note",
      .native_type = "varchar(200)",
      .type = FC_TYPE_TEXT,
      .length = 200,
      .nullable = true },
    { .name = "total",
      .native_type = "bigint unsigned",
      .type = FC_TYPE_INT,
      .bits = 64,
      .is_unsigned = true,
      .nullable = true },
    { .name = "data",
      .native_type = "varbinary(8)",
      .type = FC_TYPE_BYTES,
      .length = 8,
      .nullable = true },
};

static const struct fc_shape orders = {
    .db = "shop",
    .table = "orders",
    .columns = order_columns,
    .column_count = ORDER_COLUMNS,
    .key_count = 1,
    .create_sql = "CREATE TABLE `orders` (...)",
};

const struct fc_shape *script_orders(void)
{
    return &orders;
}

static void fill_row(struct fc_value *row, const char *status)
{
    row[ORDER_ID] = fc_sample_int(7);
    row[ORDER_CUSTOMER] = fc_sample_int(42);
    row[ORDER_STATUS] = fc_sample_text(status);
    row[ORDER_AMOUNT] = fc_sample_text("19.90");
    row[ORDER_NOTE] = fc_sample_null();
    row[ORDER_TOTAL] = fc_sample_uint(18446744073709551615U);
    row[ORDER_DATA] = fc_sample_bytes("\x00\xff", 2);
}

void script_runner_init(struct script_runner *runner)
{
    memset(runner, 0, sizeof(*runner));
    runner->dir = temp_dir_new();
    fc_arena_init(&runner->arena, ARENA_MAX);
    fill_row(runner->before, "open");
    fill_row(runner->after, "paid");
    runner->tx.id = fc_slice_text("0-1-17");
    runner->tx.commit_us = 1700000000123456;
    runner->source[0] = fc_sample_text("binlog.000003");
    runner->source[1] = fc_sample_int(154);
    runner->change.op = FC_OP_UPDATE;
    runner->change.shape = &orders;
    runner->change.before = runner->before;
    runner->change.after = runner->after;
    runner->change.source = runner->source;
    runner->change.tx = &runner->tx;
    runner->change.ts_us = 1700000000000000;
}

static void close_chain(struct script_runner *runner)
{
    fc_transform_engine_free(runner->engine);
    fc_transform_chain_free(runner->chain);
    runner->engine = NULL;
    runner->chain = NULL;
    runner->results = NULL;
    runner->count = 0;
}

void script_runner_release(struct script_runner *runner)
{
    close_chain(runner);
    fc_arena_release(&runner->arena);
    temp_dir_free(runner->dir);
}

static void write_script(const struct script_runner *runner, const struct script_step *step)
{
    char *path = fc_asprintf("%s/%s", runner->dir, step->uses);
    FILE *file = fopen(path, "we");
    fc_assert(file != NULL);
    fc_assert(fputs(step->text, file) >= 0);
    fc_assert(fclose(file) == 0);
    free(path);
}

fc_code script_runner_load(struct script_runner *runner, const struct script_step *steps,
                           uint32_t count)
{
    static const char *const fields[] = { "file", "pos", NULL };
    struct fc_transform_config config = {
        .base_dir = runner->dir,
        .ready_made_dir = "transforms",
        .source_fields = fields,
        .instructions_max = runner->instructions_max,
        .memory_max = runner->memory_max,
    };
    struct fc_transform_step listed[STEPS_MAX];
    fc_assert(count <= STEPS_MAX);
    close_chain(runner);
    memset(listed, 0, sizeof(listed));
    for (uint32_t index = 0; index < count; index++) {
        if (steps[index].text != NULL) {
            write_script(runner, &steps[index]);
        }
        listed[index].uses = steps[index].uses;
        listed[index].with_json = steps[index].with_json;
        listed[index].line = (int)index + 12;
    }
    runner->code = fc_transform_chain_new(listed, count, &config, &runner->chain, &runner->err);
    if (runner->code == FC_OK) {
        runner->code = fc_transform_engine_new(runner->chain, &runner->engine, &runner->err);
    }
    return runner->code;
}

fc_code script_runner_script(struct script_runner *runner, const char *text)
{
    struct script_step step = { "t.lua", text, NULL };
    return script_runner_load(runner, &step, 1);
}

fc_code script_runner_ready(struct script_runner *runner, const char *name,
                            const char *with_json)
{
    struct script_step step = { name, NULL, with_json };
    return script_runner_load(runner, &step, 1);
}

fc_code script_runner_run(struct script_runner *runner)
{
    fc_arena_clear(&runner->arena);
    runner->results = NULL;
    runner->count = 0;
    memset(&runner->err, 0, sizeof(runner->err));
    runner->code = fc_transform_run(runner->engine, &runner->change, &runner->arena,
                                    &runner->results, &runner->count, &runner->err);
    return runner->code;
}

static const struct fc_value *column_of(const struct fc_shape *shape,
                                        const struct fc_value *row, const char *column)
{
    for (uint32_t index = 0; index < shape->column_count; index++) {
        if (strcmp(shape->columns[index].name, column) == 0) {
            return &row[index];
        }
    }
    return NULL;
}

const struct fc_value *script_runner_after(const struct script_runner *runner,
                                           const char *column)
{
    const struct fc_change *change = runner->results[0].change;
    return column_of(change->shape, change->after, column);
}

const struct fc_value *script_runner_before(const struct script_runner *runner,
                                            const char *column)
{
    const struct fc_change *change = runner->results[0].change;
    return column_of(change->shape, change->before, column);
}
