/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/mysql/column_type.h"

enum { ARENA_MAX = 1024 * 1024 };

struct type_case {
    const char *text;
    const char *collation;
    const char *printed;
    fc_type type;
    uint32_t length;
    uint16_t precision;
    uint16_t scale;
    uint16_t bits;
    bool is_unsigned;
    const char *charset;
};

static void declared_types_are_read_and_printed_in_one_form(void **state)
{
    static const struct type_case cases[] = {
        { "tinyint(1)", NULL, "tinyint", FC_TYPE_INT, 0, 0, 0, 8, false, NULL },
        { "smallint(5) unsigned", NULL, "smallint unsigned", FC_TYPE_INT, 0, 0, 0, 16, true,
          NULL },
        { "mediumint", NULL, "mediumint", FC_TYPE_INT, 0, 0, 0, 24, false, NULL },
        { "int(10) unsigned zerofill", NULL, "int unsigned", FC_TYPE_INT, 0, 0, 0, 32, true,
          NULL },
        { "BIGINT(20)", NULL, "bigint", FC_TYPE_INT, 0, 0, 0, 64, false, NULL },
        { "float(7,4) unsigned", NULL, "float unsigned", FC_TYPE_FLOAT, 0, 0, 0, 0, true,
          NULL },
        { "double", NULL, "double", FC_TYPE_DOUBLE, 0, 0, 0, 0, false, NULL },
        { "decimal(10,2)", NULL, "decimal(10,2)", FC_TYPE_DECIMAL, 0, 10, 2, 0, false, NULL },
        { "decimal", NULL, "decimal(10,0)", FC_TYPE_DECIMAL, 0, 10, 0, 0, false, NULL },
        { "bit(9)", NULL, "bit(9)", FC_TYPE_BIT, 9, 0, 0, 0, false, NULL },
        { "year(4)", NULL, "year", FC_TYPE_YEAR, 0, 0, 0, 0, false, NULL },
        { "date", NULL, "date", FC_TYPE_DATE, 0, 0, 0, 0, false, NULL },
        { "time(3)", NULL, "time(3)", FC_TYPE_TIME, 0, 3, 0, 0, false, NULL },
        { "datetime(6)", NULL, "datetime(6)", FC_TYPE_DATETIME, 0, 6, 0, 0, false, NULL },
        { "timestamp", NULL, "timestamp", FC_TYPE_TIMESTAMP, 0, 0, 0, 0, false, NULL },
        { "char(3)", "latin1_bin", "char(3)", FC_TYPE_TEXT, 3, 0, 0, 0, false, "latin1" },
        { "char(3)", "binary", "binary(3)", FC_TYPE_BYTES, 3, 0, 0, 0, false, NULL },
        { "varchar(200)", "utf8mb4_0900_ai_ci", "varchar(200)", FC_TYPE_TEXT, 200, 0, 0, 0,
          false, "utf8mb4" },
        { "varchar(9) /*M!100301 COMPRESSED*/", "utf8_bin", "varchar(9)", FC_TYPE_TEXT, 9, 0, 0,
          0, false, "utf8mb3" },
        { "varbinary(16)", NULL, "varbinary(16)", FC_TYPE_BYTES, 16, 0, 0, 0, false, NULL },
        { "longtext", "utf8mb3_general_ci", "longtext", FC_TYPE_TEXT, 0, 0, 0, 0, false,
          "utf8mb3" },
        { "mediumblob", NULL, "mediumblob", FC_TYPE_BYTES, 0, 0, 0, 0, false, NULL },
        { "json", NULL, "json", FC_TYPE_JSON, 0, 0, 0, 0, false, NULL },
        { "geomcollection", NULL, "geometrycollection", FC_TYPE_GEOMETRY, 0, 0, 0, 0, false,
          NULL },
        { "point", NULL, "point", FC_TYPE_GEOMETRY, 0, 0, 0, 0, false, NULL },
        { "vector(3)", NULL, "vector(3)", FC_TYPE_VECTOR, 3, 0, 0, 0, false, NULL },
        { "uuid", NULL, "uuid", FC_TYPE_UUID, 0, 0, 0, 0, false, NULL },
        { "inet6", NULL, "inet6", FC_TYPE_TEXT, 0, 0, 0, 0, false, NULL },
    };
    (void)state;
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        const struct type_case *one = &cases[index];
        struct fc_arena arena;
        struct fc_column column = { .name = "c" };
        struct fc_error err;
        fc_arena_init(&arena, ARENA_MAX);
        if (fc_column_type_parse(one->text, one->collation, &arena, &column, &err) != FC_OK) {
            fail_msg("%s: %s", one->text, err.message);
        }
        assert_string_equal(column.native_type, one->printed);
        assert_int_equal(column.type, one->type);
        assert_int_equal(column.length, one->length);
        assert_int_equal(column.precision, one->precision);
        assert_int_equal(column.scale, one->scale);
        assert_int_equal(column.bits, one->bits);
        assert_int_equal(column.is_unsigned, one->is_unsigned);
        assert_true((column.charset == NULL) == (one->charset == NULL));
        if (one->charset != NULL) {
            assert_string_equal(column.charset, one->charset);
        }
        fc_arena_release(&arena);
    }
}

static void labels_keep_quotes_commas_and_backslashes(void **state)
{
    struct fc_arena arena;
    struct fc_column column = { .name = "c" };
    struct fc_error err;
    (void)state;
    fc_arena_init(&arena, ARENA_MAX);
    assert_int_equal(fc_column_type_parse("enum('a,b','it''s','\\\\n','','ü)')",
                                          "utf8mb4_general_ci", &arena, &column, &err),
                     FC_OK);
    assert_int_equal(column.type, FC_TYPE_ENUM);
    assert_int_equal(column.label_count, 5);
    assert_string_equal(column.labels[0], "a,b");
    assert_string_equal(column.labels[1], "it's");
    assert_string_equal(column.labels[2], "\\n");
    assert_string_equal(column.labels[3], "");
    assert_string_equal(column.labels[4], "ü)");
    assert_string_equal(column.native_type, "enum('a,b','it''s','\\\\n','','ü)')");
    assert_string_equal(column.charset, "utf8mb4");
    fc_arena_release(&arena);
}

static void what_is_no_type_is_refused(void **state)
{
    static const char *const texts[] = { "",
                                         "integers",
                                         "enum",
                                         "enum()",
                                         "enum('a'",
                                         "set('a)",
                                         "set(a)",
                                         "decimal(",
                                         "decimal(1,",
                                         "char(x)",
                                         "char(1,2,3)",
                                         "xmltype",
                                         "char(99999999999)" };
    (void)state;
    for (size_t index = 0; index < sizeof(texts) / sizeof(texts[0]); index++) {
        struct fc_arena arena;
        struct fc_column column = { .name = "c" };
        struct fc_error err;
        fc_arena_init(&arena, ARENA_MAX);
        if (fc_column_type_parse(texts[index], NULL, &arena, &column, &err) != FC_ERR_CONFIG) {
            fail_msg("\"%s\" was taken", texts[index]);
        }
        fc_arena_release(&arena);
    }
}

static void a_type_that_does_not_fit_the_arena_is_a_limit(void **state)
{
    struct fc_arena arena;
    struct fc_column column = { .name = "c" };
    struct fc_error err;
    (void)state;
    fc_arena_init(&arena, 16);
    assert_int_equal(
        fc_column_type_parse("enum('one','two','three')", "latin1", &arena, &column, &err),
        FC_ERR_LIMIT);
    fc_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declared_types_are_read_and_printed_in_one_form),
        cmocka_unit_test(labels_keep_quotes_commas_and_backslashes),
        cmocka_unit_test(what_is_no_type_is_refused),
        cmocka_unit_test(a_type_that_does_not_fit_the_arena_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
