/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hint may be of another moment than the event. It is taken for the whole table only if every
 * column comes out as it says; else, where the event has names, only the types that no event
 * shows are taken from it, by name.
 */
#include "connectors/mysql/table_map_raw.h"

static fc_code no_room(const struct fc_table_build *build, struct fc_error *err)
{
    return fc_fail(err, FC_ERR_LIMIT, "a table's shape needs more than %zu bytes",
                   build->arena->limit);
}

/* A name of the event, NUL-terminated. */
static fc_code copy_name(const struct fc_table_build *build, struct fc_slice name,
                         const char **out_name, struct fc_error *err)
{
    if (memchr(name.data, 0, name.len) != NULL) {
        return fc_fail(err, FC_ERR_PROTOCOL, "a name with a NUL in it");
    }
    *out_name = fc_table_map_copy_text(build, name);
    return *out_name == NULL ? no_room(build, err) : FC_OK;
}

static const struct fc_column *find_hinted(const struct fc_table_build *build, uint32_t index)
{
    const struct fc_shape *hint = build->hint;
    struct fc_slice name = build->raw->columns[index].name;
    if (hint == NULL) {
        return NULL;
    }
    if (!build->raw->has_names) {
        return &hint->columns[index];
    }
    for (uint32_t at = 0; at < hint->column_count; at++) {
        if (fc_slice_equal_text(name, hint->columns[at].name)) {
            return &hint->columns[at];
        }
    }
    return NULL;
}

static fc_code build_columns(struct fc_table_build *build, struct fc_column *columns,
                             struct fc_error *err)
{
    const struct fc_raw_table *raw = build->raw;
    for (uint32_t index = 0; index < raw->column_count; index++) {
        fc_code code;
        build->from = &raw->columns[index];
        build->hinted = find_hinted(build, index);
        build->column = &columns[index];
        build->plan = &build->out->row_columns[index];
        build->column->nullable = build->from->nullable;
        build->column->key_index = build->from->key_index;
        build->plan->column = build->column;
        code = fc_table_map_build_column(build, err);
        if (code == FC_OK && raw->has_names) {
            code = copy_name(build, build->from->name, &build->column->name, err);
        } else if (code == FC_OK && build->hinted != NULL) {
            code =
                copy_name(build, fc_slice_text(build->hinted->name), &build->column->name, err);
        }
        if (code != FC_OK) {
            return code;
        }
    }
    return FC_OK;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The hint is of the same shape as what was built. */
static bool agrees(const struct fc_shape *hint, const struct fc_column *columns,
                   uint32_t column_count)
{
    if (hint == NULL || hint->column_count != column_count) {
        return false;
    }
    for (uint32_t index = 0; index < column_count; index++) {
        const struct fc_column *ours = &columns[index];
        const struct fc_column *theirs = &hint->columns[index];
        if (ours->nullable != theirs->nullable || !same_text(ours->name, theirs->name) ||
            !same_text(ours->native_type, theirs->native_type) ||
            !same_text(ours->charset, theirs->charset)) {
            return false;
        }
    }
    return true;
}

/* What an agreeing hint adds. */
static fc_code take_from_hint(struct fc_table_build *build, struct fc_column *columns,
                              struct fc_error *err)
{
    const struct fc_shape *hint = build->hint;
    struct fc_shape *shape = build->out->shape;
    bool has_key = false;
    for (uint32_t index = 0; index < shape->column_count; index++) {
        has_key = has_key || columns[index].key_index > 0;
    }
    for (uint32_t index = 0; !has_key && index < shape->column_count; index++) {
        columns[index].key_index = hint->columns[index].key_index;
    }
    if (hint->create_sql != NULL) {
        shape->create_sql = fc_table_map_copy_text(build, fc_slice_text(hint->create_sql));
        if (shape->create_sql == NULL) {
            return no_room(build, err);
        }
    }
    return FC_OK;
}

static fc_code prepare(struct fc_table_build *build, struct fc_column **out_columns,
                       struct fc_error *err)
{
    struct fc_built_table *out = build->out;
    uint32_t count = build->raw->column_count;
    memset(out, 0, sizeof(*out));
    out->shape = fc_arena_alloc(build->arena, sizeof(*out->shape));
    out->row_columns = fc_arena_alloc(build->arena, count * sizeof(*out->row_columns));
    out->converters = fc_arena_alloc(build->arena, count * sizeof(*out->converters));
    *out_columns = fc_arena_alloc(build->arena, count * sizeof(**out_columns));
    if (*out_columns == NULL || out->converters == NULL || out->row_columns == NULL ||
        out->shape == NULL) {
        return no_room(build, err);
    }
    memset(out->shape, 0, sizeof(*out->shape));
    memset(out->row_columns, 0, count * sizeof(*out->row_columns));
    memset(*out_columns, 0, count * sizeof(**out_columns));
    out->shape->columns = *out_columns;
    out->shape->column_count = count;
    return FC_OK;
}

fc_code fc_table_map_build(const struct fc_raw_table *raw, const struct fc_shape *hint,
                           struct fc_arena *arena, struct fc_built_table *out,
                           struct fc_error *err)
{
    struct fc_table_build build = { .raw = raw, .hint = hint, .arena = arena, .out = out };
    struct fc_column *columns;
    fc_code code = prepare(&build, &columns, err);
    if (code != FC_OK) {
        return code;
    }
    if (!raw->has_names && (hint == NULL || hint->column_count != raw->column_count)) {
        build.hint = NULL;
    }
    code = copy_name(&build, raw->db, &out->shape->db, err);
    if (code == FC_OK) {
        code = copy_name(&build, raw->table, &out->shape->table, err);
    }
    if (code == FC_OK) {
        code = build_columns(&build, columns, err);
    }
    if (code == FC_OK && agrees(build.hint, columns, raw->column_count)) {
        code = take_from_hint(&build, columns, err);
    } else if (code == FC_OK && !raw->has_names) {
        code =
            fc_fail(err, FC_ERR_CONFIG,
                    "the binlog does not name its columns and %s: SET GLOBAL "
                    "binlog_row_metadata=FULL",
                    hint == NULL ? "information_schema has no such table now"
                                 : "information_schema shows other columns than it had then");
    }
    for (uint32_t index = 0; code == FC_OK && index < raw->column_count; index++) {
        out->shape->key_count += columns[index].key_index > 0 ? 1 : 0;
    }
    return code == FC_OK
               ? FC_OK
               : fc_wrap(err, "table %.*s.%.*s", (int)raw->db.len, (const char *)raw->db.data,
                         (int)raw->table.len, (const char *)raw->table.data);
}
