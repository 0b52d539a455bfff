/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes out of a file of information_schema's columns: table, column, type, collation, NULL or
 * not, place in the key; a line each, separated by tabs. */
#ifndef FC_TEST_DESCRIBED_TABLES_H
#define FC_TEST_DESCRIBED_TABLES_H

#include "connectors/mysql/column_type.h"
#include "tests/unit/connectors/mysql/binlog_reading.h"

enum { TEST_TABLES_MAX = 8, TEST_COLUMNS_MAX = 40 };

struct test_tables {
    struct fc_slice file; /* names point into it */
    struct fc_arena arena;
    uint32_t count;
    struct fc_shape shapes[TEST_TABLES_MAX];
    struct fc_column columns[TEST_TABLES_MAX][TEST_COLUMNS_MAX];
};

/* Cut the field off at `end`, which becomes a NUL, and move behind it. */
static inline const char *test_cut(char **at, char end)
{
    const char *field = *at;
    char *stop = strchr(*at, end);
    if (stop == NULL) {
        abort();
    }
    *stop = '\0';
    *at = stop + 1;
    return field;
}

static inline void test_add_column(struct test_tables *tables, const char *table, char **at)
{
    struct fc_shape *shape = &tables->shapes[tables->count > 0 ? tables->count - 1 : 0];
    struct fc_column *column;
    const char *type;
    const char *collation;
    struct fc_error err;
    if (tables->count == 0 || strcmp(shape->table, table) != 0) {
        shape = &tables->shapes[tables->count];
        shape->db = "shop";
        shape->table = table;
        shape->columns = tables->columns[tables->count];
        tables->count++;
    }
    column = &tables->columns[tables->count - 1][shape->column_count++];
    column->name = test_cut(at, '\t');
    type = test_cut(at, '\t');
    collation = test_cut(at, '\t');
    column->nullable = strcmp(test_cut(at, '\t'), "YES") == 0;
    column->key_index = (uint16_t)strtoul(test_cut(at, '\n'), NULL, 10);
    shape->key_count += column->key_index > 0 ? 1 : 0;
    if (fc_column_type_parse(type, strcmp(collation, "-") == 0 ? NULL : collation,
                             &tables->arena, column, &err) != FC_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
}

static inline struct test_tables *test_tables_read(const char *path)
{
    struct test_tables *tables = (struct test_tables *)calloc(1, sizeof(*tables));
    char *at;
    if (tables == NULL) {
        abort();
    }
    fc_arena_init(&tables->arena, 1 << 20);
    tables->file = test_read_file(path);
    at = (char *)(uintptr_t)tables->file.data;
    while (*at != '\0') {
        const char *table = test_cut(&at, '\t');
        test_add_column(tables, table, &at);
    }
    return tables;
}

static inline void test_tables_free(struct test_tables *tables)
{
    test_free_file(tables->file);
    fc_arena_release(&tables->arena);
    free(tables);
}

static inline const struct fc_shape *test_tables_find(const struct test_tables *tables,
                                                      struct fc_slice table)
{
    for (uint32_t index = 0; index < tables->count; index++) {
        if (fc_slice_equal_text(table, tables->shapes[index].table)) {
            return &tables->shapes[index];
        }
    }
    return NULL;
}

#endif
