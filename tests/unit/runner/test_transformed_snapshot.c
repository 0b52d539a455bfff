/* SPDX-License-Identifier: Apache-2.0 */
/* A table's snapshot through transforms: its end is in the log whatever becomes of its last row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/stream/embedded.h"
#include "runner/batch.h"
#include "runner/identity.h"
#include "runner/pipeline.h"
#include "tests/support/temp_dir.h"

enum { ROWS = 3 };

/* --- a source that has one table of three rows ----------------------------------------------- */

struct fc_source {
    const struct fc_host *host;
    bool given;
};

static const struct fc_column columns[] = {
    { .name = "id", .native_type = "int", .type = FC_TYPE_INT, .bits = 32, .key_index = 1 },
};
static const struct fc_shape shape = {
    .db = "d", .table = "t", .columns = columns, .column_count = 1, .key_count = 1
};
static const struct fc_source_field fields[] = { { NULL, FC_SOURCE_VALUE } };

static fc_code table_open(const struct fc_host *host, struct fc_slice resume,
                          struct fc_source **out_source, struct fc_error *err)
{
    struct fc_source *source = fc_new(struct fc_source);
    (void)err;
    source->host = host;
    source->given = !fc_slice_is_null(resume);
    *out_source = source;
    return FC_OK;
}

static fc_code table_read(struct fc_source *source, int wait_ms, struct fc_batch *batch,
                          struct fc_error *err)
{
    (void)wait_ms;
    (void)err;
    if (source->given) {
        return FC_OK; /* nothing more */
    }
    for (int row = 0; row < ROWS; row++) {
        struct fc_change *change = source->host->batch_add(batch);
        change->op = FC_OP_READ;
        change->snapshot = row + 1 == ROWS ? FC_SNAPSHOT_LAST_OF_TABLE : FC_SNAPSHOT_ROW;
        change->shape = &shape;
        change->after = source->host->batch_alloc(batch, sizeof(*change->after));
        change->after->kind = FC_VALUE_INT;
        change->after->as.i64 = row + 1;
        change->row = (uint64_t)row;
        change->tx_last = row + 1 == ROWS;
    }
    source->host->batch_position(batch, fc_slice_text("end"));
    source->given = true;
    return FC_OK;
}

static fc_code table_ack(struct fc_source *source, struct fc_slice position,
                         struct fc_error *err)
{
    (void)source;
    (void)position;
    (void)err;
    return FC_OK;
}

static void table_interrupt(struct fc_source *source)
{
    (void)source;
}

static const char *table_engine(const struct fc_source *source)
{
    (void)source;
    return "table";
}

static void table_status(struct fc_source *source, struct fc_source_status *out_status)
{
    memset(out_status, 0, sizeof(*out_status));
    out_status->caught_up = source->given;
}

static void table_close(struct fc_source *source)
{
    free(source);
}

static const struct fc_source_ops table_ops = {
    .size = sizeof(table_ops),
    .fields = fields,
    .open = table_open,
    .read = table_read,
    .ack = table_ack,
    .interrupt = table_interrupt,
    .engine = table_engine,
    .status = table_status,
    .close = table_close,
};
static const struct fc_connector table_connector = { .abi = FC_CONNECTOR_ABI,
                                                     .size = sizeof(table_connector),
                                                     .name = "table",
                                                     .source = &table_ops };

/* --- capturing it ---------------------------------------------------------------------------- */

struct capture {
    char *dir;
    struct fc_stream *stream;
    char ops[16]; /* of the records in the topic, in order */
    bool last_has_value;
};

static int set_up(void **state)
{
    struct capture *capture = test_calloc(1, sizeof(*capture));
    capture->dir = temp_dir_new();
    *state = capture;
    return 0;
}

static int tear_down(void **state)
{
    struct capture *capture = *state;
    temp_dir_free(capture->dir);
    test_free(capture);
    return 0;
}

static struct fc_transform_chain *chain_of(const struct capture *capture, const char *script)
{
    struct fc_transform_config config = { .base_dir = capture->dir };
    struct fc_transform_step step = { .uses = "t.lua" };
    struct fc_transform_chain *chain = NULL;
    struct fc_error err;
    char *path = fc_asprintf("%s/t.lua", capture->dir);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(script, file) >= 0);
    assert_int_equal(fclose(file), 0);
    free(path);
    assert_int_equal(fc_transform_chain_new(&step, 1, &config, &chain, &err), FC_OK);
    return chain;
}

static void read_ops(struct capture *capture, const char *topic_name)
{
    struct fc_stream_reader *reader = NULL;
    struct fc_topic *topic = NULL;
    struct fc_offsets offsets;
    struct fc_error err;
    size_t ops = 0;
    assert_int_equal(fc_stream_topic(capture->stream, topic_name, &topic, &err), FC_OK);
    assert_int_equal(fc_stream_offsets(topic, 0, &offsets, &err), FC_OK);
    assert_int_equal(fc_stream_reader_open(topic, 0, offsets.start, &reader, &err), FC_OK);
    while (fc_stream_reader_offset(reader) < offsets.end) {
        const struct fc_record *records = NULL;
        uint32_t count = 0;
        assert_int_equal(fc_stream_reader_next(reader, 0, &records, &count, &err), FC_OK);
        for (uint32_t index = 0; index < count; index++) {
            struct fc_identity identity;
            assert_int_equal(fc_identity_of(&records[index], &identity, &err), FC_OK);
            assert_true(ops + 1 < sizeof(capture->ops));
            capture->ops[ops++] = identity.op;
            capture->last_has_value = !fc_slice_is_null(records[index].value);
        }
    }
    capture->ops[ops] = '\0';
    fc_stream_reader_close(reader);
}

static void run_capture(struct capture *capture, const char *script, fc_error_policy on_error)
{
    struct fc_embedded_config embedded = { .dir = capture->dir };
    struct fc_host host;
    struct fc_config file;
    struct fc_pipeline_config config;
    struct fc_pipeline *pipeline;
    struct fc_error err;
    memset(&host, 0, sizeof(host));
    host.size = sizeof(host);
    host.batch_add = fc_batch_add;
    host.batch_alloc = fc_batch_alloc;
    host.batch_position = fc_batch_set_position;
    memset(&file, 0, sizeof(file));
    file.name = "snap";
    file.plugin = "table";
    file.topic = "${table}";
    fc_topic_config_init(&file.topic_config);
    file.topic_config.partitions = 1;
    file.topic_config.record_bytes_max = 1 << 20;
    file.on_error = on_error;
    file.dead_letter_topic = "dead";
    file.batch_bytes = 1 << 20;
    file.workers = 1;
    file.memory_bytes = 48 << 20;
    memset(&config, 0, sizeof(config));
    config.config = &file;
    config.plugin = &table_connector;
    config.host = &host;
    config.until_end = true;
    config.clock = fc_clock_system();
    assert_int_equal(fc_embedded_open(&embedded, &capture->stream, &err), FC_OK);
    config.stream = capture->stream;
    pipeline = fc_pipeline_new(&config, chain_of(capture, script));
    if (fc_pipeline_run(pipeline, &err) != FC_OK) {
        fail_msg("%s", err.message);
    }
    fc_pipeline_free(pipeline);
}

static void a_last_row_that_is_kept_ends_the_snapshot(void **state)
{
    struct capture *capture = *state;
    run_capture(capture, "function transform(c) return c end", FC_ON_ERROR_FAIL);
    read_ops(capture, "t");
    fc_stream_close(capture->stream);
    assert_string_equal(capture->ops, "rre");
}

static void a_last_row_that_is_dropped_leaves_the_end_behind(void **state)
{
    struct capture *capture = *state;
    run_capture(capture, "function transform(c) if c.after.id == 3 then return nil end end",
                FC_ON_ERROR_FAIL);
    read_ops(capture, "t");
    fc_stream_close(capture->stream);
    assert_string_equal(capture->ops, "rrE");
    assert_false(capture->last_has_value);
}

static void a_last_row_that_is_rejected_leaves_the_end_behind(void **state)
{
    struct capture *capture = *state;
    run_capture(capture, "function transform(c) if c.after.id == 3 then reject('no') end end",
                FC_ON_ERROR_SKIP);
    read_ops(capture, "t");
    fc_stream_close(capture->stream);
    assert_string_equal(capture->ops, "rrE");
}

static void a_dead_lettered_last_row_leaves_the_end_behind(void **state)
{
    struct capture *capture = *state;
    run_capture(capture, "function transform(c) if c.after.id == 3 then reject('no') end end",
                FC_ON_ERROR_DEAD_LETTER);
    read_ops(capture, "t");
    assert_string_equal(capture->ops, "rrE");
    read_ops(capture, "dead");
    fc_stream_close(capture->stream);
    assert_string_equal(capture->ops, "r");
}

static void the_end_goes_where_a_script_puts_the_table(void **state)
{
    struct capture *capture = *state;
    run_capture(
        capture,
        "function transform(c) c.table = 'moved' if c.after.id == 3 then return nil end "
        "end",
        FC_ON_ERROR_FAIL);
    read_ops(capture, "moved");
    fc_stream_close(capture->stream);
    assert_string_equal(capture->ops, "rrE");
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_last_row_that_is_kept_ends_the_snapshot),
        test(a_last_row_that_is_dropped_leaves_the_end_behind),
        test(a_last_row_that_is_rejected_leaves_the_end_behind),
        test(a_dead_lettered_last_row_leaves_the_end_behind),
        test(the_end_goes_where_a_script_puts_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
