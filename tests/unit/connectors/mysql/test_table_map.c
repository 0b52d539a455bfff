/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/mysql/column_type.h"
#include "tests/unit/connectors/mysql/table_building.h"

enum { BUF_MAX = 1024 * 1024 };

/* id bigint, name varchar(40), kind enum, bits bit(9) */
static const struct test_column columns[] = {
    { 8, 0, { 0 }, false },
    { 15, 2, { 160, 0 }, true },
    { 254, 2, { 247, 1 }, true },
    { 16, 2, { 1, 1 }, true },
};

struct bench {
    struct fc_buf body;
    struct fc_binlog_format format;
    struct fc_table_map_cache *cache;
    struct fc_arena arena;
    struct fc_shape hint;
    struct fc_column hint_columns[4];
    unsigned hints_asked;
    struct fc_error err;
};

static void describe(struct bench *bench, unsigned index, const char *name, const char *type,
                     const char *collation)
{
    struct fc_column *column = &bench->hint_columns[index];
    column->name = name;
    column->nullable = index > 0;
    assert_int_equal(fc_column_type_parse(type, collation, &bench->arena, column, &bench->err),
                     FC_OK);
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    fc_buf_init(&bench->body, BUF_MAX);
    fc_arena_init(&bench->arena, BUF_MAX);
    test_format(&bench->format);
    bench->cache = fc_table_map_cache_new();
    describe(bench, 0, "id", "bigint(20) unsigned", NULL);
    describe(bench, 1, "name", "varchar(40)", "utf8mb4_bin");
    describe(bench, 2, "kind", "enum('a','b')", "utf8mb4_bin");
    describe(bench, 3, "bits", "bit(9)", NULL);
    bench->hint_columns[0].key_index = 1;
    bench->hint = (struct fc_shape){ .db = "shop",
                                     .table = "t",
                                     .columns = bench->hint_columns,
                                     .column_count = 4,
                                     .key_count = 1,
                                     .create_sql = "CREATE TABLE t" };
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    fc_table_map_cache_free(bench->cache);
    fc_arena_release(&bench->arena);
    fc_buf_release(&bench->body);
    free(bench);
    return 0;
}

static const struct fc_shape *hint(void *ctx, struct fc_slice db, struct fc_slice table)
{
    struct bench *bench = ctx;
    assert_true(fc_slice_equal_text(db, "shop"));
    (void)table;
    bench->hints_asked++;
    return &bench->hint;
}

static fc_code put(struct bench *bench, bool hinted, const struct fc_table_map **out_map)
{
    struct fc_binlog_event event = test_body_event(FC_BINLOG_TABLE_MAP, &bench->body);
    return fc_table_map_cache_put(bench->cache, &bench->format, &event, hinted ? hint : NULL,
                                  bench, out_map, &bench->err);
}

/* FULL metadata, but for a primary key. */
static void build_full(struct bench *bench, uint64_t table_id)
{
    fc_buf_clear(&bench->body);
    test_map_body(&bench->body, table_id, "t", columns, 4);
    fc_buf_append(&bench->body, "\1\1\x80", 3); /* id is unsigned */
    fc_buf_append(&bench->body, "\2\1\x2d", 3); /* utf8mb4 */
    test_append_names(&bench->body, "id name kind bits");
    fc_buf_append(&bench->body, "\6\5\2\1a\1b", 7); /* labels */
    fc_buf_append(&bench->body, "\12\1\x2d", 3);    /* their charset */
}

static void full_metadata_needs_no_hint(void **state)
{
    struct bench *bench = *state;
    const struct fc_table_map *map;
    build_full(bench, 7);
    fc_buf_append(&bench->body, "\10\1\0", 3); /* primary key: id */
    assert_int_equal(put(bench, false, &map), FC_OK);
    assert_true(map->has_names);
    assert_string_equal(map->shape->db, "shop");
    assert_string_equal(map->shape->table, "t");
    assert_int_equal(map->shape->key_count, 1);
    assert_int_equal(map->shape->columns[0].key_index, 1);
    assert_string_equal(map->shape->columns[0].native_type, "bigint unsigned");
    assert_false(map->shape->columns[0].nullable);
    assert_string_equal(map->shape->columns[1].native_type, "varchar(40)");
    assert_true(map->shape->columns[1].nullable);
    assert_string_equal(map->shape->columns[2].native_type, "enum('a','b')");
    assert_string_equal(map->shape->columns[3].native_type, "bit(9)");
    assert_null(map->shape->create_sql);
    assert_ptr_equal(fc_table_map_cache_get(bench->cache, 7), map);
    assert_null(fc_table_map_cache_get(bench->cache, 8));
}

static void a_hint_that_agrees_adds_key_and_statement(void **state)
{
    struct bench *bench = *state;
    const struct fc_table_map *map;
    build_full(bench, 7);
    assert_int_equal(put(bench, true, &map), FC_OK);
    assert_int_equal(map->shape->key_count, 1);
    assert_string_equal(map->shape->create_sql, "CREATE TABLE t");
}

static void a_hint_of_another_moment_adds_nothing_to_full_metadata(void **state)
{
    struct bench *bench = *state;
    const struct fc_table_map *map;
    describe(bench, 1, "name", "varchar(41)", "utf8mb4_bin");
    build_full(bench, 7);
    assert_int_equal(put(bench, true, &map), FC_OK);
    assert_int_equal(map->shape->key_count, 0);
    assert_null(map->shape->create_sql);
    assert_string_equal(map->shape->columns[1].native_type, "varchar(40)");
}

static void without_names_the_hint_gives_them_and_what_else_is_missing(void **state)
{
    struct bench *bench = *state;
    const struct fc_table_map *map;
    test_map_body(&bench->body, 7, "t", columns, 4); /* no optional metadata at all */
    assert_int_equal(put(bench, true, &map), FC_OK);
    assert_false(map->has_names);
    assert_string_equal(map->shape->columns[0].name, "id");
    assert_true(map->shape->columns[0].is_unsigned);
    assert_string_equal(map->shape->columns[1].charset, "utf8mb4");
    assert_int_equal(map->shape->columns[2].label_count, 2);
    assert_string_equal(map->shape->columns[2].labels[1], "b");
    assert_int_equal(map->shape->key_count, 1);
}

static void without_names_a_hint_that_does_not_agree_is_refused(void **state)
{
    struct bench *bench = *state;
    const struct fc_table_map *map;
    test_map_body(&bench->body, 7, "t", columns, 4);
    assert_int_equal(put(bench, false, &map), FC_ERR_CONFIG);
    assert_non_null(strstr(bench->err.message, "shop.t"));
    assert_non_null(strstr(bench->err.message, "SET GLOBAL binlog_row_metadata=FULL"));
    describe(bench, 0, "id", "int unsigned", NULL);
    assert_int_equal(put(bench, true, &map), FC_ERR_CONFIG);
    describe(bench, 0, "id", "bigint", NULL);
    assert_int_equal(put(bench, true, &map), FC_OK);
    bench->hint.column_count = 3;
    test_map_body(&bench->body, 8, "u", columns, 4);
    fc_buf_clear(&bench->body);
    test_map_body(&bench->body, 8, "u", columns, 4);
    assert_int_equal(put(bench, true, &map), FC_ERR_CONFIG);
}

static void the_same_table_has_the_same_shape_under_any_id(void **state)
{
    struct bench *bench = *state;
    const struct fc_table_map *first;
    const struct fc_table_map *again;
    build_full(bench, 7);
    assert_int_equal(put(bench, true, &first), FC_OK);
    assert_int_equal(put(bench, true, &again), FC_OK);
    assert_ptr_equal(first, again);
    for (uint64_t id = 100; id < 60000; id++) {
        build_full(bench, id);
        assert_int_equal(put(bench, true, &again), FC_OK);
        assert_ptr_equal(first->shape, again->shape);
        assert_ptr_equal(fc_table_map_cache_get(bench->cache, id), first);
        assert_ptr_equal(fc_table_map_cache_get(bench->cache, id - 1 < 100 ? 7 : id - 1),
                         first);
    }
    assert_int_equal(bench->hints_asked, 1);
    assert_null(fc_table_map_cache_get(bench->cache, 100)); /* not kept for ever */
}

static void an_id_used_again_for_another_shape_gives_that(void **state)
{
    struct bench *bench = *state;
    const struct fc_table_map *first;
    const struct fc_table_map *other;
    const struct fc_table_map *again;
    build_full(bench, 7);
    assert_int_equal(put(bench, true, &first), FC_OK);
    fc_buf_clear(&bench->body);
    test_map_body(&bench->body, 7, "u", columns, 1);
    test_append_names(&bench->body, "x");
    assert_int_equal(put(bench, true, &other), FC_OK);
    assert_ptr_not_equal(first->shape, other->shape);
    assert_string_equal(other->shape->table, "u");
    assert_string_equal(first->shape->table, "t"); /* still there */
    build_full(bench, 7);
    assert_int_equal(put(bench, true, &again), FC_OK);
    assert_ptr_equal(first->shape, again->shape);
}

static void after_ddl_the_hint_is_asked_again_and_decides(void **state)
{
    struct bench *bench = *state;
    const struct fc_table_map *first;
    const struct fc_table_map *again;
    build_full(bench, 7);
    assert_int_equal(put(bench, true, &first), FC_OK);
    fc_table_map_cache_forget(bench->cache, fc_slice_text("shop"), fc_slice_text("other"));
    assert_int_equal(put(bench, true, &again), FC_OK);
    assert_int_equal(bench->hints_asked, 1);
    fc_table_map_cache_forget(bench->cache, fc_slice_text("shop"), fc_slice_text("t"));
    assert_int_equal(put(bench, true, &again), FC_OK);
    assert_int_equal(bench->hints_asked, 2);
    assert_ptr_equal(first->shape, again->shape); /* nothing changed */
    bench->hint.create_sql = "CREATE TABLE t DEFAULT";
    fc_table_map_cache_forget(bench->cache, fc_slice_of("", 0), fc_slice_of("", 0));
    assert_int_equal(put(bench, true, &again), FC_OK);
    assert_ptr_not_equal(first->shape, again->shape);
    assert_string_equal(again->shape->create_sql, "CREATE TABLE t DEFAULT");
    assert_string_equal(first->shape->create_sql, "CREATE TABLE t");
    assert_ptr_equal(fc_table_map_cache_get(bench->cache, 7), again);
}

static void types_that_only_a_hint_shows_are_taken_by_name(void **state)
{
    static const struct test_column like[] = { { 254, 2, { 254, 16 }, false },
                                               { 254, 2, { 254, 4 }, true },
                                               { 254, 2, { 254, 16 }, true },
                                               { 254, 2, { 254, 16 }, true } };
    struct bench *bench = *state;
    const struct fc_table_map *map;
    describe(bench, 0, "u", "uuid", NULL);
    describe(bench, 1, "v4", "inet4", NULL);
    describe(bench, 2, "v6", "inet6", NULL);
    bench->hint.column_count = 3; /* of before a column was added: the rest still holds */
    bench->format.mariadb = true;
    test_map_body(&bench->body, 7, "t", like, 4);
    fc_buf_append(&bench->body, "\2\1\x3f", 3);
    test_append_names(&bench->body, "u v4 v6 plain");
    assert_int_equal(put(bench, true, &map), FC_OK);
    assert_int_equal(map->shape->columns[0].type, FC_TYPE_UUID);
    assert_string_equal(map->shape->columns[1].native_type, "inet4");
    assert_string_equal(map->shape->columns[2].native_type, "inet6");
    assert_string_equal(map->shape->columns[3].native_type, "binary(16)");
    assert_null(map->shape->create_sql);
}

static void charsets_may_come_as_default_and_exceptions(void **state)
{
    static const struct test_column texts[] = { { 15, 2, { 10, 0 }, true },
                                                { 252, 1, { 2, 0 }, true },
                                                { 3, 0, { 0 }, true },
                                                { 254, 2, { 254, 10 }, true } };
    struct bench *bench = *state;
    const struct fc_table_map *map;
    test_map_body(&bench->body, 7, "t", texts, 4);
    fc_buf_append(&bench->body, "\1\1\0\2\5\x8\1\x3f\2\x23", 10); /* latin1; binary; ucs2 */
    test_append_names(&bench->body, "a b c d");
    assert_int_equal(put(bench, false, &map), FC_OK);
    assert_string_equal(map->shape->columns[0].native_type, "varchar(10)");
    assert_string_equal(map->shape->columns[0].charset, "latin1");
    assert_string_equal(map->shape->columns[1].native_type, "blob");
    assert_string_equal(map->shape->columns[3].native_type, "char(5)");
    assert_string_equal(map->shape->columns[3].charset, "ucs2");
}

static void damaged_maps_are_refused(void **state)
{
    struct bench *bench = *state;
    struct fc_binlog_event event;
    const struct fc_table_map *map;
    struct fc_slice db;
    struct fc_slice table;
    uint64_t table_id;
    build_full(bench, 7);
    event = test_body_event(FC_BINLOG_TABLE_MAP, &bench->body);
    for (size_t len = 0; len < bench->body.len; len++) {
        fc_code code;
        event.body.len = len;
        code = fc_table_map_cache_put(bench->cache, &bench->format, &event, NULL, NULL, &map,
                                      &bench->err);
        /* Between two optional fields the cut leaves a whole map, without names at first. */
        assert_true(code == FC_ERR_PROTOCOL || code == FC_ERR_CONFIG ||
                    (code == FC_OK && map->has_names));
    }
    event.body.len = 10;
    assert_int_equal(
        fc_table_map_names(&bench->format, &event, &table_id, &db, &table, &bench->err),
        FC_ERR_PROTOCOL);
}

static void an_unknown_column_type_is_refused_and_named(void **state)
{
    static const struct test_column unknown[] = { { 3, 0, { 0 }, true },
                                                  { 99, 0, { 0 }, true } };
    struct bench *bench = *state;
    const struct fc_table_map *map;
    test_map_body(&bench->body, 7, "t", unknown, 2);
    test_append_names(&bench->body, "a b");
    assert_int_equal(put(bench, false, &map), FC_ERR_PROTOCOL);
    assert_non_null(strstr(bench->err.message, "shop.t: column 2 (type 99"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(full_metadata_needs_no_hint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hint_that_agrees_adds_key_and_statement, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_hint_of_another_moment_adds_nothing_to_full_metadata,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            without_names_the_hint_gives_them_and_what_else_is_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_names_a_hint_that_does_not_agree_is_refused,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_table_has_the_same_shape_under_any_id, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_id_used_again_for_another_shape_gives_that, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(after_ddl_the_hint_is_asked_again_and_decides, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(types_that_only_a_hint_shows_are_taken_by_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(charsets_may_come_as_default_and_exceptions, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(damaged_maps_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_column_type_is_refused_and_named, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
