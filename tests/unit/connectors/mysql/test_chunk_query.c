/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "connectors/mysql/chunk_query.h"

static const char *const labels[] = { "red", "green", "blue" };

static const struct fc_column columns[] = {
    { .name = "a`b", .native_type = "varchar(9)", .type = FC_TYPE_TEXT, .key_index = 2 },
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64, .key_index = 1 },
    { .name = "f", .native_type = "float", .type = FC_TYPE_FLOAT },
    { .name = "e",
      .native_type = "enum",
      .type = FC_TYPE_ENUM,
      .key_index = 3,
      .labels = labels,
      .label_count = 3 },
    { .name = "raw", .native_type = "binary(2)", .type = FC_TYPE_BYTES, .key_index = 4 },
};

static const struct fc_shape shape = {
    .db = "shop", .table = "t", .columns = columns, .column_count = 5, .key_count = 4
};

static struct fc_slice fields[] = { { (const uint8_t *)"it's\\", 5 },
                                    { (const uint8_t *)"-17", 3 },
                                    { (const uint8_t *)"1.5", 3 },
                                    { (const uint8_t *)"green", 5 },
                                    { (const uint8_t *)"\x00\xff", 2 } };

static char *query(const struct fc_shape *of, const json_t *after, fc_code wanted)
{
    static char text[4096];
    struct fc_buf sql;
    struct fc_error err;
    fc_buf_init(&sql, sizeof(text) - 1);
    assert_int_equal(fc_chunk_query(&sql, of, after, 10, false, &err), wanted);
    memcpy(text, sql.data, sql.len);
    text[sql.len] = '\0';
    fc_buf_release(&sql);
    return text;
}

static void the_first_chunk_begins_at_the_start(void **state)
{
    (void)state;
    assert_string_equal(query(&shape, NULL, FC_OK),
                        "SELECT `a``b`,`id`,`f`*1E0,`e`,`raw` FROM `shop`.`t` ORDER BY "
                        "`id`,`a``b`,`e`,`raw` LIMIT 10");
}

static void a_chunk_begins_after_the_key_of_the_last(void **state)
{
    json_t *key = fc_chunk_key_of_row(&shape, fields);
    (void)state;
    assert_true(fc_chunk_key_fits(key, &shape));
    assert_string_equal(
        query(&shape, key, FC_OK),
        "SELECT `a``b`,`id`,`f`*1E0,`e`,`raw` FROM `shop`.`t` WHERE `id`>=-17 AND ((`id`>-17) "
        "OR "
        "(`id`=-17 AND `a``b`>'it\\'s\\\\') OR (`id`=-17 AND `a``b`='it\\'s\\\\' AND `e`+0>2) "
        "OR "
        "(`id`=-17 AND `a``b`='it\\'s\\\\' AND `e`+0=2 AND `raw`>x'00ff')) ORDER BY "
        "`id`,`a``b`,`e`,`raw` LIMIT 10");
    json_decref(key);
}

/* Positions are read from the log; they must not become SQL. */
static void a_key_that_is_no_number_is_refused(void **state)
{
    struct fc_column column = columns[1];
    struct fc_shape narrow = {
        .db = "d", .table = "t", .columns = &column, .column_count = 1, .key_count = 1
    };
    json_t *key = json_pack("[[ss]]", "id", "1 OR 1=1");
    (void)state;
    assert_true(fc_chunk_key_fits(key, &narrow));
    (void)query(&narrow, key, FC_ERR_CONFIG);
    json_decref(key);
    column.type = FC_TYPE_BYTES;
    key = json_pack("[[ss]]", "id", "00' OR ''='");
    (void)query(&narrow, key, FC_ERR_CONFIG);
    json_decref(key);
}

static void a_key_of_other_columns_does_not_fit(void **state)
{
    static const char *const others[] = {
        "[]",
        "[[\"id\",\"1\"]]",
        "{}",
        "[[\"id\",\"1\"],[\"a`b\",\"x\"],[\"e\",\"1\"],[\"x\",\"\"]]",
        "[[\"id\",1],[\"a`b\",\"x\"],[\"e\",\"1\"],[\"raw\",\"\"]]",
    };
    (void)state;
    for (size_t index = 0; index < sizeof(others) / sizeof(others[0]); index++) {
        json_t *key = json_loads(others[index], 0, NULL);
        assert_false(fc_chunk_key_fits(key, &shape));
        json_decref(key);
    }
}

static void equal_keys_have_equal_bytes_and_others_do_not(void **state)
{
    struct fc_value row[5] = {
        { .kind = FC_VALUE_TEXT, .as.bytes = { (const uint8_t *)"ab", 2 } },
        { .kind = FC_VALUE_INT, .as.i64 = 5 },
        { .kind = FC_VALUE_FLOAT, .as.f32 = 1 },
        { .kind = FC_VALUE_TEXT, .as.bytes = { (const uint8_t *)"red", 3 } },
        { .kind = FC_VALUE_BYTES, .as.bytes = { (const uint8_t *)"\x01", 1 } },
    };
    struct fc_value other[5];
    struct fc_buf a;
    struct fc_buf b;
    (void)state;
    fc_buf_init(&a, 1000);
    fc_buf_init(&b, 1000);
    memcpy(other, row, sizeof(row));
    fc_chunk_key_bytes(&a, &shape, row, NULL);
    other[2].as.f32 = 2; /* not in the key */
    fc_chunk_key_bytes(&b, &shape, other, NULL);
    assert_true(fc_slice_equal(fc_buf_slice(&a), fc_buf_slice(&b)));
    other[1].kind = FC_VALUE_UNCHANGED; /* taken from the other image */
    fc_buf_clear(&b);
    fc_chunk_key_bytes(&b, &shape, other, row);
    assert_true(fc_slice_equal(fc_buf_slice(&a), fc_buf_slice(&b)));
    other[1] = row[1];
    other[0].as.bytes.len = 1;
    fc_buf_clear(&b);
    fc_chunk_key_bytes(&b, &shape, other, NULL);
    assert_false(fc_slice_equal(fc_buf_slice(&a), fc_buf_slice(&b)));
    fc_buf_release(&a);
    fc_buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_chunk_begins_at_the_start),
        cmocka_unit_test(a_chunk_begins_after_the_key_of_the_last),
        cmocka_unit_test(a_key_that_is_no_number_is_refused),
        cmocka_unit_test(a_key_of_other_columns_does_not_fit),
        cmocka_unit_test(equal_keys_have_equal_bytes_and_others_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
