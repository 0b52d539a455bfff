/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/runner/envelope/decode_bench.h"

static void a_value_splits_into_its_parts(void **state)
{
    struct bench bench;
    struct fc_value row[FC_SAMPLE_COLUMNS];
    struct fc_buf image;
    struct fc_envelope_parts parts;
    struct fc_change change = { .op = FC_OP_UPDATE,
                                .shape = fc_sample_shape(),
                                .before = row,
                                .after = row,
                                .source = fc_sample_source() };
    (void)state;
    open_bench(&bench, fc_sample_shape(), FC_ENVELOPE_EXACT);
    fc_buf_init(&image, OUT_LIMIT);
    fc_sample_fill(FC_SAMPLE_EXTREME, row);
    fc_envelope_row(bench.envelope, change.shape, row, &image);
    fc_envelope_value(bench.envelope, &change, 0, &bench.out);
    assert_int_equal(fc_envelope_split(fc_buf_slice(&bench.out), &parts, &bench.err), FC_OK);
    assert_int_equal(parts.op, 'u');
    assert_true(fc_slice_equal(parts.before, fc_buf_slice(&image)));
    assert_true(fc_slice_equal(parts.after, fc_buf_slice(&image)));
    assert_memory_equal(parts.source.data, "{\"version\":", 11);
    fc_buf_clear(&bench.out);
    fc_envelope_value(bench.envelope, &change, 'd', &bench.out);
    assert_int_equal(fc_envelope_split(fc_buf_slice(&bench.out), &parts, &bench.err), FC_OK);
    assert_int_equal(parts.op, 'd');
    assert_true(fc_slice_is_null(parts.after));
    assert_false(fc_slice_is_null(parts.before));
    fc_buf_release(&image);
    close_bench(&bench);
}

static void an_event_cut_anywhere_is_refused(void **state)
{
    struct bench bench;
    struct fc_value row[FC_SAMPLE_COLUMNS];
    struct fc_envelope_parts parts;
    struct fc_change change = { .op = FC_OP_CREATE, .shape = fc_sample_shape(), .after = row };
    (void)state;
    open_bench(&bench, fc_sample_shape(), FC_ENVELOPE_EXACT);
    fc_sample_fill(FC_SAMPLE_EXTREME, row);
    fc_envelope_value(bench.envelope, &change, 0, &bench.out);
    for (size_t len = 0; len < bench.out.len; len++) {
        uint8_t *cut = malloc(len == 0 ? 1 : len); /* so that a sanitizer sees a read past it */
        assert_non_null(cut);
        memcpy(cut, bench.out.data, len);
        assert_int_equal(fc_envelope_split(fc_slice_of(cut, len), &parts, &bench.err),
                         FC_ERR_CORRUPT);
        free(cut);
    }
    close_bench(&bench);
}

static void what_is_no_event_is_refused(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "{\"before\":null,\"after\":{},\"op\":\"c\"}",
        "{\"before\":null,\"after\":{},\"source\":null,\"op\":\"c\"}",
        "{\"before\":null,\"after\":1,\"source\":{},\"op\":\"c\"}",
        "{\"before\":null,\"after\":{},\"source\":{},\"op\":\"x\"}",
        "{\"before\":null,\"after\":{},\"source\":{},\"op\":\"cc\"}",
        "{\"before\":null,\"after\":{},\"after\":{},\"source\":{},\"op\":\"c\"}",
        "{\"before\":null,\"after\":{},\"source\":{},\"op\":\"c\"} x",
        "{\"before\":null,\"after\":{},\"source\":{},\"op\":\"c\",\"ddl\":\"x\"}",
        "{\"before\":null,\"after\":{]},\"source\":{},\"op\":\"c\"}",
        "{\"source\":{},\"schemaName\":null}",
    };
    struct fc_envelope_parts parts;
    struct fc_error err;
    (void)state;
    for (size_t index = 0; index < sizeof(texts) / sizeof(*texts); index++) {
        if (fc_envelope_split(fc_slice_text(texts[index]), &parts, &err) != FC_ERR_CORRUPT) {
            fail_msg("%s was taken for an event", texts[index]);
        }
    }
    assert_int_equal(
        fc_envelope_split(fc_slice_text("{ \"op\" : \"t\",\"source\":{},\"after\":null ,"
                                        "\"before\":null,\"new\":[1,{\"x\":\"\\\"]}\"}]}"),
                          &parts, &err),
        FC_OK);
    assert_int_equal(parts.op, 't');
}

static void a_schema_change_comes_back(void **state)
{
    const struct fc_ddl_table tables[2] = {
        { fc_slice_text("inv"), fc_slice_text("a\"b"), fc_slice_null(), fc_slice_null() },
        { fc_slice_text("inv"), fc_slice_text("c"), fc_slice_text("arch"), fc_slice_text("d") },
    };
    struct fc_ddl ddl = { .statement = fc_slice_text("ALTER TABLE `a\"b` ADD x INT\n"),
                          .tables = tables,
                          .table_count = 2 };
    struct fc_change change = { .op = FC_OP_DDL, .db = fc_slice_text("inv"), .ddl = &ddl };
    struct fc_ddl decoded;
    struct fc_slice db;
    struct fc_envelope_parts parts;
    struct bench bench;
    (void)state;
    open_bench(&bench, fc_sample_shape(), FC_ENVELOPE_EXACT);
    for (int kind = FC_DDL_OTHER; kind <= FC_DDL_ALTER_ROWS; kind++) {
        ddl.kind = (fc_ddl_kind)kind;
        fc_buf_clear(&bench.out);
        fc_envelope_value(bench.envelope, &change, 0, &bench.out);
        assert_int_equal(fc_envelope_split(fc_buf_slice(&bench.out), &parts, &bench.err),
                         FC_OK);
        assert_int_equal(parts.op, 's');
        assert_int_equal(fc_envelope_decode_ddl(fc_buf_slice(&bench.out), &bench.arena, &db,
                                                &decoded, &bench.err),
                         FC_OK);
        assert_true(fc_slice_equal_text(db, "inv"));
        assert_int_equal(decoded.kind, kind);
        assert_true(fc_slice_equal(decoded.statement, ddl.statement));
        assert_int_equal(decoded.table_count, 2);
        for (int index = 0; index < 2; index++) {
            assert_true(fc_slice_equal(decoded.tables[index].db, tables[index].db));
            assert_true(fc_slice_equal(decoded.tables[index].table, tables[index].table));
            assert_true(fc_slice_equal(decoded.tables[index].new_db, tables[index].new_db));
            assert_true(
                fc_slice_equal(decoded.tables[index].new_table, tables[index].new_table));
        }
    }
    for (size_t len = 0; len < bench.out.len; len++) {
        assert_int_equal(fc_envelope_decode_ddl(fc_slice_of(bench.out.data, len), &bench.arena,
                                                &db, &decoded, &bench.err),
                         FC_ERR_CORRUPT);
    }
    close_bench(&bench);
}

static void a_statement_without_database_or_tables_comes_back(void **state)
{
    const struct fc_ddl ddl = { .statement = fc_slice_text("CREATE USER x") };
    struct fc_change change = { .op = FC_OP_DDL, .ddl = &ddl };
    struct fc_ddl decoded;
    struct fc_slice db;
    struct bench bench;
    (void)state;
    open_bench(&bench, fc_sample_shape(), FC_ENVELOPE_EXACT);
    fc_envelope_value(bench.envelope, &change, 0, &bench.out);
    assert_int_equal(fc_envelope_decode_ddl(fc_buf_slice(&bench.out), &bench.arena, &db,
                                            &decoded, &bench.err),
                     FC_OK);
    assert_true(fc_slice_equal_text(db, ""));
    assert_int_equal(decoded.table_count, 0);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_splits_into_its_parts),
        cmocka_unit_test(an_event_cut_anywhere_is_refused),
        cmocka_unit_test(what_is_no_event_is_refused),
        cmocka_unit_test(a_schema_change_comes_back),
        cmocka_unit_test(a_statement_without_database_or_tables_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
