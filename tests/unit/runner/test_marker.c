/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/stream/embedded.h"
#include "runner/marker.h"
#include "tests/support/log_fixture.h"
#include "tests/support/sample_rows.h"

static const struct fc_column columns[] = {
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64, .key_index = 1 },
};
static const struct fc_shape shape = {
    .db = "d", .table = "t", .columns = columns, .column_count = 1, .key_count = 1
};

/* Number 1 creates d.t, 2 puts rows 1 and 2 there, 3 deletes row 1. */
static void write_history(struct fc_log_fixture *fixture)
{
    struct fc_value one = fc_sample_int(1);
    struct fc_value two = fc_sample_int(2);
    fc_log_fixture_ddl(fixture, FC_DDL_CREATE_TABLE, "CREATE TABLE t (id BIGINT)", "t", NULL);
    fc_log_fixture_begin(fixture, false);
    fc_log_writer_row(fixture->writer, FC_OP_CREATE, &shape, NULL, &one);
    fc_log_writer_row(fixture->writer, FC_OP_CREATE, &shape, NULL, &two);
    fc_log_writer_commit(fixture->writer);
    fc_log_fixture_begin(fixture, false);
    fc_log_writer_row(fixture->writer, FC_OP_DELETE, &shape, &one, NULL);
    fc_log_writer_commit(fixture->writer);
    fc_log_writer_checkpoint(fixture->writer);
}

static struct fc_config config_of(const struct fc_log_fixture *fixture)
{
    struct fc_config config;
    memset(&config, 0, sizeof(config));
    config.name = "cap";
    config.topic = fixture->topic;
    config.log_dir = fixture->dir;
    fc_topic_config_init(&config.topic_config);
    return config;
}

static uint64_t rows_at_the_end(struct fc_log_fixture *fixture)
{
    struct fc_log_view_config config;
    struct fc_error err;
    struct fc_fold *fold;
    uint64_t rows;
    memset(&config, 0, sizeof(config));
    config.stream = fixture->stream;
    config.clock = fc_clock_system();
    config.connector = "cap";
    config.topic = fixture->topic;
    fc_log_view_close(fixture->view);
    assert_int_equal(fc_log_view_open(&config, &fixture->view, &err), FC_OK);
    fold = fc_log_fixture_fold(fixture, fixture->view->complete_seq, "d.t", &err);
    assert_non_null(fold);
    rows = fold->tables[0]->rows;
    fc_fold_free(fold);
    return rows;
}

static void open_log(struct fc_log_fixture *fixture)
{
    struct fc_embedded_config log;
    struct fc_error err;
    memset(&log, 0, sizeof(log));
    log.dir = fixture->dir;
    log.read_only = true;
    assert_int_equal(fc_embedded_open(&log, &fixture->stream, &err), FC_OK);
}

static void close_log(struct fc_log_fixture *fixture)
{
    fc_log_view_close(fixture->view);
    fixture->view = NULL;
    fc_log_writer_free(fixture->writer);
    fixture->writer = NULL;
    fc_stream_close(fixture->stream);
    fixture->stream = NULL;
}

static void a_restore_that_is_marked_is_known_to_the_next_one(void **state)
{
    static const char *const topics[] = { "cap", "data" }; /* with the markers, and apart */
    (void)state;
    for (size_t index = 0; index < 2; index++) {
        struct fc_log_fixture fixture;
        struct fc_config config;
        struct fc_marker *marker = NULL;
        struct fc_error err;
        fc_log_fixture_init(&fixture, topics[index], 1);
        write_history(&fixture);
        assert_int_equal(rows_at_the_end(&fixture), 1);
        close_log(&fixture);
        config = config_of(&fixture);
        assert_int_equal(fc_marker_open(&config, fc_clock_system(), &marker, &err), FC_OK);
        assert_int_equal(fc_marker_write(marker, "d", "t", 2, &err), FC_OK);
        assert_int_equal(fc_marker_write(marker, "d", "other", 1, &err), FC_OK);
        fc_marker_close(marker);
        open_log(&fixture);
        assert_int_equal(rows_at_the_end(&fixture), 2);
        assert_int_equal(fixture.view->complete_seq, 5);
        fc_log_fixture_release(&fixture);
    }
}

static void a_log_that_is_open_elsewhere_is_refused_before_anything_is_done(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_config config;
    struct fc_marker *marker = NULL;
    struct fc_error err;
    (void)state;
    fc_log_fixture_init(&fixture, "cap", 1);
    write_history(&fixture);
    config = config_of(&fixture);
    assert_int_equal(fc_marker_open(&config, fc_clock_system(), &marker, &err), FC_ERR_REFUSED);
    assert_non_null(strstr(err.message, "--into"));
    assert_null(marker);
    fc_log_fixture_release(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restore_that_is_marked_is_known_to_the_next_one),
        cmocka_unit_test(a_log_that_is_open_elsewhere_is_refused_before_anything_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
