/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "connectors/mysql/create_sql.h"
#include "core/base/alloc.h"

static const char orders[] =
    "CREATE TABLE `orders` (\n"
    "  `id` bigint NOT NULL AUTO_INCREMENT,\n"
    "  `no` int DEFAULT '1,(2' COMMENT 'it''s, a \\') PRIMARY KEY (',\n"
    "  `a``b` decimal(10,2) GENERATED ALWAYS AS ((`no` * 2)) VIRTUAL,\n"
    "  PRIMARY KEY (`id`),\n"
    "  UNIQUE KEY `u` (`no`),\n"
    "  KEY `k` (`a``b`,`no`) /*!80000 INVISIBLE */,\n"
    "  FULLTEXT KEY `f1` (`note`),\n"
    "  FULLTEXT KEY `f2` (`note`),\n"
    "  CONSTRAINT `fk` FOREIGN KEY (`no`) REFERENCES `other` (`id`) ON DELETE CASCADE,\n"
    "  CONSTRAINT `check ``me` CHECK ((`no` > 0))\n"
    ") ENGINE=InnoDB AUTO_INCREMENT=5 COMMENT='x) ENGINE=MyISAM'\n"
    "/*!50100 PARTITION BY HASH (`id`)\nPARTITIONS 4 */";

static void check_table(const struct fc_create_sql *create, const char *wanted)
{
    struct fc_buf sql;
    fc_buf_init(&sql, 1 << 16);
    fc_create_sql_append_table(&sql, create, "d", "t");
    fc_buf_append_u8(&sql, 0);
    assert_string_equal((const char *)sql.data, wanted);
    fc_buf_release(&sql);
}

static void check_alter(const struct fc_create_sql *create, fc_create_item_kind kind,
                        uint32_t *cursor, const char *wanted)
{
    struct fc_buf sql;
    fc_buf_init(&sql, 1 << 16);
    assert_int_equal(fc_create_sql_append_alter(&sql, create, kind, "d", "t", cursor),
                     wanted != NULL);
    fc_buf_append_u8(&sql, 0);
    assert_string_equal((const char *)sql.data, wanted == NULL ? "" : wanted);
    fc_buf_release(&sql);
}

static void parse(struct fc_create_sql *create, const char *text)
{
    struct fc_error err = { 0 };
    assert_int_equal(fc_create_sql_parse(create, fc_slice_text(text), &err), FC_OK);
}

static void the_table_is_made_under_another_name_without_what_comes_later(void **state)
{
    struct fc_create_sql create;
    uint32_t cursor = 0;
    (void)state;
    parse(&create, orders);
    check_table(&create, "CREATE TABLE `d`.`t` (\n"
                         "  `id` bigint NOT NULL AUTO_INCREMENT,\n"
                         "  `no` int DEFAULT '1,(2' COMMENT 'it''s, a \\') PRIMARY KEY (',\n"
                         "  `a``b` decimal(10,2) GENERATED ALWAYS AS ((`no` * 2)) VIRTUAL,\n"
                         "  PRIMARY KEY (`id`),\n"
                         "  CONSTRAINT `check ``me` CHECK ((`no` > 0))\n"
                         ") ENGINE=InnoDB AUTO_INCREMENT=5 COMMENT='x) ENGINE=MyISAM'\n"
                         "/*!50100 PARTITION BY HASH (`id`)\nPARTITIONS 4 */");
    check_alter(&create, FC_CREATE_INDEX, &cursor,
                "ALTER TABLE `d`.`t` ADD UNIQUE KEY `u` (`no`), ADD KEY `k` (`a``b`,`no`) "
                "/*!80000 INVISIBLE */");
    check_alter(&create, FC_CREATE_INDEX, &cursor,
                "ALTER TABLE `d`.`t` ADD FULLTEXT KEY `f1` (`note`)");
    check_alter(&create, FC_CREATE_INDEX, &cursor,
                "ALTER TABLE `d`.`t` ADD FULLTEXT KEY `f2` (`note`)");
    check_alter(&create, FC_CREATE_INDEX, &cursor, NULL);
    cursor = 0;
    check_alter(&create, FC_CREATE_FOREIGN_KEY, &cursor,
                "ALTER TABLE `d`.`t` ADD CONSTRAINT `fk` FOREIGN KEY (`no`) REFERENCES `other` "
                "(`id`) ON DELETE CASCADE");
    check_alter(&create, FC_CREATE_FOREIGN_KEY, &cursor, NULL);
    assert_false(fc_create_sql_has_unique_inline(&create));
    fc_create_sql_release(&create);
}

static void constraints_can_lose_or_change_their_names(void **state)
{
    struct fc_create_sql create;
    char *name;
    (void)state;
    parse(&create,
          "CREATE TABLE t (`a` int, CONSTRAINT `one ``1` CHECK (`a`>1), CONSTRAINT two "
          "CHECK (`a`>2), CHECK (`a`>3)) ENGINE=InnoDB;\n");
    name = fc_create_sql_constraint_name(&create.items[1]);
    assert_string_equal(name, "one `1");
    free(name);
    name = fc_create_sql_constraint_name(&create.items[2]);
    assert_string_equal(name, "two");
    free(name);
    assert_null(fc_create_sql_constraint_name(&create.items[3]));
    create.items[1].drop_name = true;
    create.items[2].new_name = fc_strdup("t`wo");
    check_table(&create, "CREATE TABLE `d`.`t` (\n  `a` int,\n  CHECK (`a`>1),\n  CONSTRAINT "
                         "`t``wo` CHECK (`a`>2),\n  CHECK (`a`>3)\n) ENGINE=InnoDB");
    fc_create_sql_release(&create);
}

static void a_counter_keeps_the_index_that_it_needs(void **state)
{
    struct fc_create_sql create;
    uint32_t cursor = 0;
    (void)state;
    parse(&create, "CREATE TABLE `t` (`a` int, `n` int AUTO_INCREMENT, PRIMARY KEY (`a`), KEY "
                   "`n` (`n`,`a`), KEY `m` (`a`,`n`)) ENGINE=InnoDB");
    check_alter(&create, FC_CREATE_INDEX, &cursor, "ALTER TABLE `d`.`t` ADD KEY `m` (`a`,`n`)");
    check_table(&create, "CREATE TABLE `d`.`t` (\n  `a` int,\n  `n` int AUTO_INCREMENT,\n  "
                         "PRIMARY KEY (`a`),\n  KEY `n` (`n`,`a`)\n) ENGINE=InnoDB");
    fc_create_sql_release(&create);
}

static void a_unique_key_that_may_be_the_clustering_one_is_there_from_the_start(void **state)
{
    struct fc_create_sql create;
    uint32_t cursor = 0;
    (void)state;
    parse(&create, "CREATE TABLE `t` (`a` int NOT NULL, UNIQUE KEY `u` (`a`)) ENGINE=InnoDB");
    check_alter(&create, FC_CREATE_INDEX, &cursor, NULL);
    assert_true(fc_create_sql_has_unique_inline(&create));
    fc_create_sql_release(&create);
}

static void other_engines_get_their_indexes_at_once(void **state)
{
    struct fc_create_sql create;
    uint32_t cursor = 0;
    (void)state;
    parse(&create, "CREATE TABLE `t` (`a` int, KEY `k` (`a`)) ENGINE=Aria");
    check_alter(&create, FC_CREATE_INDEX, &cursor, NULL);
    fc_create_sql_release(&create);
}

static void what_is_no_list_of_columns_is_refused(void **state)
{
    static const char *const texts[] = { "",
                                         "CREATE VIEW `v` AS SELECT (1)",
                                         "CREATE TABLE `t` LIKE `u`",
                                         "CREATE TABLE `t` (`a` int",
                                         "CREATE TABLE `t` ()",
                                         "CREATE TABLE `t` (`a` int,)",
                                         "CREATE TABLE `t` (`a` int COMMENT 'x)" };
    (void)state;
    for (size_t index = 0; index < sizeof(texts) / sizeof(texts[0]); index++) {
        struct fc_create_sql create;
        struct fc_error err = { 0 };
        assert_int_equal(fc_create_sql_parse(&create, fc_slice_text(texts[index]), &err),
                         FC_ERR_CONFIG);
    }
}

static void check_built(const struct fc_shape *shape, const char *wanted)
{
    struct fc_buf sql;
    struct fc_create_sql create;
    fc_buf_init(&sql, 1 << 16);
    fc_create_sql_from_columns(&sql, shape);
    fc_buf_append_u8(&sql, 0);
    assert_string_equal((const char *)sql.data, wanted);
    parse(&create, (const char *)sql.data);
    fc_create_sql_release(&create);
    fc_buf_release(&sql);
}

static void a_statement_is_built_from_columns(void **state)
{
    struct fc_column columns[] = {
        { .name = "note", .native_type = "varchar(20)", .charset = "latin1", .nullable = true },
        { .name = "b", .native_type = "int", .type = FC_TYPE_INT, .key_index = 2 },
        { .name = "a", .native_type = "text", .type = FC_TYPE_INT, .key_index = 1 }
    };
    const struct fc_shape shape = { "shop", "orders", columns, 3, 2, NULL };
    const char head[] =
        "CREATE TABLE `orders` (\n  `note` varchar(20) CHARACTER SET latin1 NULL"
        ",\n  `b` int NOT NULL,\n  `a` text NOT NULL";
    char wanted[400];
    (void)state;
    (void)snprintf(wanted, sizeof(wanted), "%s,\n  PRIMARY KEY (`a`,`b`)\n) ENGINE=InnoDB",
                   head);
    check_built(&shape, wanted);
    /* A text has no key without a prefix whose length nobody knows. */
    columns[2].type = FC_TYPE_TEXT;
    (void)snprintf(wanted, sizeof(wanted), "%s\n) ENGINE=InnoDB", head);
    check_built(&shape, wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_made_under_another_name_without_what_comes_later),
        cmocka_unit_test(constraints_can_lose_or_change_their_names),
        cmocka_unit_test(a_counter_keeps_the_index_that_it_needs),
        cmocka_unit_test(a_unique_key_that_may_be_the_clustering_one_is_there_from_the_start),
        cmocka_unit_test(other_engines_get_their_indexes_at_once),
        cmocka_unit_test(what_is_no_list_of_columns_is_refused),
        cmocka_unit_test(a_statement_is_built_from_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
