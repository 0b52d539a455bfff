/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row is read in two steps: it is written anew as the envelope would write it for the table's
 * shape (absent columns null, objects and arrays as text, true as 1 where the column is a number),
 * then the envelope's decoder reads it.
 */
#include "runner/change_table.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/column_type.h"
#include "runner/envelope/envelope.h"
#include "runner/envelope/json_scan.h"
#include "runner/envelope/json_write.h"
#include "transforms/json_reader.h"
#include "transforms/value_check.h"

struct fc_change_table *fc_change_table_new(struct fc_slice db, struct fc_slice table)
{
    struct fc_change_table *made = fc_new(struct fc_change_table);
    made->db = fc_strndup((const char *)db.data, db.len);
    made->table = fc_strndup((const char *)table.data, table.len);
    return made;
}

void fc_change_table_free(void *table)
{
    struct fc_change_table *freed = table;
    if (freed != NULL) {
        fc_row_decoder_free(freed->decoder);
        free(freed->columns);
        free(freed->db);
        free(freed->table);
        free(freed);
    }
}

/* --- learning ------------------------------------------------------------------------------- */

static struct fc_change_column *find_column(struct fc_change_table *table, struct fc_slice name)
{
    for (uint32_t index = 0; index < table->column_count; index++) {
        if (fc_slice_equal_text(name, table->columns[index].column.name)) {
            return &table->columns[index];
        }
    }
    return NULL;
}

/* NULL, and the error set, when the arena is full or there are too many. */
static struct fc_change_column *find_or_add(struct fc_change_table *table,
                                            struct fc_json_string member,
                                            struct fc_arena *arena, struct fc_error *err)
{
    struct fc_slice name;
    struct fc_change_column *column;
    char *text;
    if (!fc_json_unescape(member, arena, &name)) {
        (void)fc_fail(err, FC_ERR_CONFIG, "a column's name has a wrong escape");
        return NULL;
    }
    column = find_column(table, name);
    text = column == NULL ? fc_arena_alloc(arena, name.len + 1) : NULL;
    if (column != NULL) {
        return column;
    }
    if (text == NULL || table->column_count == FC_CHANGE_COLUMNS_MAX) {
        (void)fc_fail(err, FC_ERR_LIMIT, "too many columns");
        return NULL;
    }
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    if (table->column_count == table->column_capacity) {
        table->column_capacity = table->column_capacity == 0 ? 16 : table->column_capacity * 2;
        table->columns =
            fc_realloc_array(table->columns, table->column_capacity, sizeof(*table->columns));
    }
    column = &table->columns[table->column_count++];
    memset(column, 0, sizeof(*column));
    column->column.name = text;
    return column;
}

static fc_json_kind kind_of_number(struct fc_slice number)
{
    bool negative = number.data[0] == '-';
    struct fc_slice digits = negative ? fc_slice_of(number.data + 1, number.len - 1) : number;
    uint64_t value;
    if (!fc_value_parse_u64(digits, &value) || (negative && value > (uint64_t)INT64_MAX + 1)) {
        return FC_JSON_KIND_DOUBLE;
    }
    return !negative && value > INT64_MAX ? FC_JSON_KIND_UINT : FC_JSON_KIND_INT;
}

static fc_json_kind kind_of(struct fc_slice value)
{
    switch (value.data[0]) {
    case 'n':
        return FC_JSON_KIND_NULL;
    case 't':
    case 'f':
        return FC_JSON_KIND_BOOL;
    case '"':
        return FC_JSON_KIND_TEXT;
    case '{':
    case '[':
        return FC_JSON_KIND_TREE;
    default:
        return kind_of_number(value);
    }
}

fc_code fc_change_table_learn(struct fc_change_table *table, struct fc_slice row,
                              struct fc_arena *arena, struct fc_error *err)
{
    struct fc_json_scan scan;
    struct fc_json_string name;
    bool first = true;
    bool end = false;
    fc_json_scan_init(&scan, row);
    if (!fc_json_take(&scan, '{')) {
        return fc_fail(err, FC_ERR_CONFIG, "a row is an object or null");
    }
    while (fc_json_next_member(&scan, &first, &name, &end) && !end) {
        struct fc_change_column *column = find_or_add(table, name, arena, err);
        struct fc_slice value;
        fc_json_kind kind;
        if (column == NULL) {
            return err->code;
        }
        if (!fc_json_skip_value(&scan, &value)) {
            break; /* cannot be: the text was checked */
        }
        kind = kind_of(value);
        column->kind = kind > column->kind ? kind : column->kind;
    }
    return FC_OK;
}

fc_code fc_change_table_give(struct fc_change_table *table, struct fc_slice types,
                             struct fc_arena *arena, struct fc_error *err)
{
    struct fc_json_scan scan;
    struct fc_json_string name;
    struct fc_json_string type;
    bool first = true;
    bool end = false;
    fc_json_scan_init(&scan, types);
    if (!fc_json_take(&scan, '{')) {
        return fc_fail(err, FC_ERR_CONFIG, "`schema` is an object of column names and types");
    }
    while (fc_json_next_member(&scan, &first, &name, &end) && !end) {
        struct fc_change_column *column = find_or_add(table, name, arena, err);
        struct fc_slice text;
        const char *column_name;
        if (column == NULL) {
            return err->code;
        }
        column_name = column->column.name;
        if (fc_json_peek(&scan) != '"' || !fc_json_take_string(&scan, &type) ||
            !fc_json_unescape(type, arena, &text)) {
            return fc_fail(err, FC_ERR_CONFIG, "the type of column %s is a text", column_name);
        }
        if (fc_column_type_parse(text, arena, &column->column, &column->is_key, err) != FC_OK) {
            return fc_wrap(err, "column %s", column_name);
        }
        column->column.name = column_name;
        column->is_given = true;
    }
    return FC_OK;
}

/* --- the shape ------------------------------------------------------------------------------ */

static void set_found_type(struct fc_change_column *column)
{
    static const struct {
        fc_type type;
        uint16_t bits;
        bool is_unsigned;
        const char *native_type;
    } types[] = {
        [FC_JSON_KIND_NULL] = { FC_TYPE_TEXT, 0, false, "longtext" },
        [FC_JSON_KIND_BOOL] = { FC_TYPE_INT, 8, false, "tinyint(1)" },
        [FC_JSON_KIND_INT] = { FC_TYPE_INT, 64, false, "bigint" },
        [FC_JSON_KIND_UINT] = { FC_TYPE_INT, 64, true, "bigint unsigned" },
        [FC_JSON_KIND_DOUBLE] = { FC_TYPE_DOUBLE, 0, false, "double" },
        [FC_JSON_KIND_TEXT] = { FC_TYPE_TEXT, 0, false, "longtext" },
        [FC_JSON_KIND_TREE] = { FC_TYPE_JSON, 0, false, "json" },
    };
    column->column.type = types[column->kind].type;
    column->column.bits = types[column->kind].bits;
    column->column.is_unsigned = types[column->kind].is_unsigned;
    column->column.native_type = types[column->kind].native_type;
    column->column.charset = column->column.type == FC_TYPE_TEXT ? "utf8mb4" : NULL;
    column->column.nullable = true;
}

static uint32_t number_key_columns(struct fc_change_table *table)
{
    uint16_t key_count = 0;
    for (uint32_t index = 0; index < table->column_count; index++) {
        struct fc_change_column *column = &table->columns[index];
        if (!column->is_given) {
            set_found_type(column);
        }
        if (column->is_key) {
            column->column.key_index = ++key_count;
        }
    }
    if (key_count == 0) {
        struct fc_change_column *id = find_column(table, fc_slice_text("id"));
        if (id != NULL) {
            id->column.key_index = ++key_count;
            id->column.nullable = false;
        }
    }
    return key_count;
}

fc_code fc_change_table_finish(struct fc_change_table *table, struct fc_schemas *schemas,
                               struct fc_error *err)
{
    struct fc_column *columns = fc_new_array(struct fc_column, table->column_count + 1);
    struct fc_shape shape;
    bool added = false;
    fc_code code;
    memset(&shape, 0, sizeof(shape));
    shape.db = table->db;
    shape.table = table->table;
    shape.key_count = number_key_columns(table);
    for (uint32_t index = 0; index < table->column_count; index++) {
        columns[index] = table->columns[index].column;
    }
    shape.columns = columns;
    shape.column_count = table->column_count;
    code = fc_schemas_add(schemas, &shape, FC_ENVELOPE_EXACT, &table->schema, &added, err);
    if (code == FC_OK) {
        table->decoder = fc_row_decoder_new(table->schema);
    }
    fc_schemas_forget_pointers(schemas); /* `shape` ends here */
    free(columns);
    return code;
}

/* --- rows ----------------------------------------------------------------------------------- */

/* A number or decimal text for a DECIMAL column, with all its fraction digits. */
static bool append_decimal(struct fc_slice value, const struct fc_column *column,
                           struct fc_buf *out)
{
    char digits[FC_VALUE_DECIMAL_SIZE];
    struct fc_slice text = value;
    if (value.data[0] == '"') {
        text = fc_slice_of(value.data + 1, value.len - 2);
    }
    if (fc_value_decimal(text, column, digits, &text) != NULL) {
        return false;
    }
    fc_json_append_string(out, text);
    return true;
}

static bool is_number_type(const struct fc_column *column)
{
    return column->type == FC_TYPE_INT || column->type == FC_TYPE_FLOAT ||
           column->type == FC_TYPE_DOUBLE || column->type == FC_TYPE_YEAR;
}

/* Appends the value as the envelope has it; what does not fit is left for the decoder to name. */
static void append_value(struct fc_slice value, const struct fc_column *column,
                         struct fc_buf *scratch, struct fc_buf *out)
{
    fc_json_kind kind = kind_of(value);
    if (kind == FC_JSON_KIND_BOOL && column->type == FC_TYPE_INT) {
        fc_buf_append_u8(out, value.data[0] == 't' ? '1' : '0');
        return;
    }
    if (column->type == FC_TYPE_JSON && kind != FC_JSON_KIND_NULL &&
        kind != FC_JSON_KIND_TEXT) {
        fc_buf_clear(scratch);
        (void)fc_json_compact(value, scratch); /* the text was checked */
        fc_json_append_string(out, fc_buf_slice(scratch));
        return;
    }
    if (column->type == FC_TYPE_TEXT &&
        (kind == FC_JSON_KIND_BOOL || kind == FC_JSON_KIND_INT || kind == FC_JSON_KIND_UINT ||
         kind == FC_JSON_KIND_DOUBLE)) {
        fc_json_append_string(out, value);
        return;
    }
    if (column->type == FC_TYPE_DECIMAL && kind != FC_JSON_KIND_NULL &&
        append_decimal(value, column, out)) {
        return;
    }
    fc_buf_append_slice(out, value);
}

/* Where each column's value stands in the row; the null slice when it has none. */
static void find_values(const struct fc_change_table *table, struct fc_slice row,
                        struct fc_arena *arena, struct fc_slice *values)
{
    struct fc_json_scan scan;
    struct fc_json_string member;
    struct fc_slice name;
    bool first = true;
    bool end = false;
    fc_json_scan_init(&scan, row);
    (void)fc_json_take(&scan, '{'); /* the text was checked */
    while (fc_json_next_member(&scan, &first, &member, &end) && !end) {
        struct fc_slice value;
        if (!fc_json_unescape(member, arena, &name) || !fc_json_skip_value(&scan, &value)) {
            return;
        }
        for (uint32_t index = 0; index < table->column_count; index++) {
            if (fc_slice_equal_text(name, table->columns[index].column.name)) {
                values[index] = value;
            }
        }
    }
}

fc_code fc_change_table_row(const struct fc_change_table *table, struct fc_slice row,
                            struct fc_arena *arena, struct fc_value **out_values,
                            struct fc_error *err)
{
    const struct fc_shape *shape = table->schema->shape;
    struct fc_slice *found = fc_new_array(struct fc_slice, shape->column_count + 1);
    struct fc_value *values = fc_arena_alloc(arena, shape->column_count * sizeof(*values));
    struct fc_buf text;
    struct fc_buf scratch;
    struct fc_slice kept;
    fc_code code = FC_OK;
    fc_buf_init(&text, arena->limit);
    fc_buf_init(&scratch, arena->limit);
    find_values(table, row, arena, found);
    for (uint32_t index = 0; index < shape->column_count; index++) {
        fc_buf_append_u8(&text, index == 0 ? '{' : ',');
        fc_json_append_string(&text, fc_slice_text(shape->columns[index].name));
        fc_buf_append_u8(&text, ':');
        if (fc_slice_is_null(found[index])) {
            fc_buf_append_text(&text, "null");
        } else if (is_number_type(&shape->columns[index]) && found[index].data[0] == '"') {
            code = fc_fail(err, FC_ERR_CONFIG, "column %s (%s) takes a number, not a text",
                           shape->columns[index].name, shape->columns[index].native_type);
        } else {
            append_value(found[index], &shape->columns[index], &scratch, &text);
        }
    }
    fc_buf_append_u8(&text, '}');
    kept = fc_arena_copy(arena, fc_buf_slice(&text)); /* the values borrow from it */
    if (code == FC_OK) {
        code = fc_buf_check(&text, "a row", err);
    }
    if (code == FC_OK) {
        code = fc_arena_check(arena, "the changes", err);
    }
    if (code == FC_OK) {
        code = fc_row_decoder_decode(table->decoder, kept, arena, values, err);
    }
    fc_buf_release(&text);
    fc_buf_release(&scratch);
    free(found);
    if (code == FC_OK) {
        *out_values = values;
    }
    return code;
}
