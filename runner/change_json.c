/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/change_json.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/hashmap.h"
#include "runner/change_table.h"
#include "runner/envelope/json_scan.h"
#include "transforms/json_reader.h"

enum { ARENA_BYTES_MAX = 1024 * 1024 * 1024, SOURCE_FIELDS = 8 };

static const struct fc_source_field source_fields[SOURCE_FIELDS + 1] = {
    { "table", FC_SOURCE_TABLE },  { "server_id", FC_SOURCE_VALUE },
    { "gtid", FC_SOURCE_VALUE },   { "file", FC_SOURCE_VALUE },
    { "pos", FC_SOURCE_VALUE },    { "row", FC_SOURCE_EVENT_ROW },
    { "thread", FC_SOURCE_VALUE }, { "query", FC_SOURCE_VALUE },
    { NULL, FC_SOURCE_VALUE },
};

struct event {
    struct fc_slice text;
    struct fc_slice before; /* null slices where there is none */
    struct fc_slice after;
    struct fc_slice source;
    struct fc_slice schema;
    struct fc_slice op;            /* the letter */
    struct fc_slice ddl;           /* the statement as JSON; the null slice: it is no DDL */
    struct fc_change_table *table; /* NULL for DDL */
};

struct fc_change_file {
    struct fc_slice text;
    struct fc_arena arena;
    struct fc_schemas *schemas;
    struct fc_hashmap tables; /* "db\0table" -> struct fc_change_table */
    struct event *events;
    struct fc_change *changes;
    uint32_t count;
    uint32_t capacity;
};

const struct fc_source_field *fc_change_file_fields(void)
{
    return source_fields;
}

static uint32_t line_of(struct fc_slice text, const uint8_t *at)
{
    uint32_t line = 1;
    for (const uint8_t *c = text.data; c < at; c++) {
        line += *c == '\n';
    }
    return line;
}

/* --- events --------------------------------------------------------------------------------- */

/* Take the value at the cursor, checked to the last byte. */
static fc_code take_event(struct fc_change_file *file, struct fc_json_scan *scan,
                          struct fc_slice *out_text, struct fc_error *err)
{
    const uint8_t *start = scan->at;
    struct fc_json_reader reader;
    fc_json_event event = FC_JSON_NULL;
    if (!fc_json_skip_value(scan, out_text)) {
        scan->at = scan->end;
        *out_text = fc_slice_of(start, (size_t)(scan->end - start));
    }
    fc_json_reader_init(&reader, *out_text);
    while (event != FC_JSON_END && event != FC_JSON_ERROR) {
        event = fc_json_next(&reader);
    }
    if (event == FC_JSON_ERROR) {
        return fc_fail(err, FC_ERR_CONFIG, "line %u: invalid JSON: %s",
                       line_of(file->text, reader.at), reader.problem);
    }
    if (!fc_utf8_is_valid(*out_text)) {
        return fc_fail(err, FC_ERR_CONFIG, "line %u: the text is not UTF-8",
                       line_of(file->text, start));
    }
    return FC_OK;
}

static struct fc_slice or_null(struct fc_slice value)
{
    return value.data[0] == 'n' ? fc_slice_null() : value;
}

static fc_code read_members(struct fc_change_file *file, struct event *event,
                            struct fc_error *err)
{
    struct fc_json_scan scan;
    struct fc_json_string name;
    bool first = true;
    bool end = false;
    fc_json_scan_init(&scan, event->text);
    if (!fc_json_take(&scan, '{')) {
        return fc_fail(err, FC_ERR_CONFIG, "line %u: a change is an object",
                       line_of(file->text, event->text.data));
    }
    while (fc_json_next_member(&scan, &first, &name, &end) && !end) {
        struct fc_slice value;
        if (!fc_json_skip_value(&scan, &value)) {
            break; /* cannot be: the text was checked */
        }
        if (fc_json_is(name, "before")) {
            event->before = or_null(value);
        } else if (fc_json_is(name, "after")) {
            event->after = or_null(value);
        } else if (fc_json_is(name, "source")) {
            event->source = or_null(value);
        } else if (fc_json_is(name, "schema")) {
            event->schema = or_null(value);
        } else if (fc_json_is(name, "op")) {
            event->op = or_null(value);
        } else if (fc_json_is(name, "ddl")) {
            event->ddl = or_null(value);
        }
    }
    return FC_OK;
}

static void add_event(struct fc_change_file *file, struct fc_slice text)
{
    if (file->count == file->capacity) {
        file->capacity = file->capacity == 0 ? 64 : file->capacity * 2;
        file->events = fc_realloc_array(file->events, file->capacity, sizeof(*file->events));
    }
    memset(&file->events[file->count], 0, sizeof(*file->events));
    file->events[file->count++].text = text;
}

/* An array of events, or one after another. */
static fc_code split_events(struct fc_change_file *file, struct fc_error *err)
{
    struct fc_json_scan scan;
    bool in_array;
    fc_json_scan_init(&scan, file->text);
    in_array = fc_json_take(&scan, '[');
    while (fc_json_peek(&scan) != 0) {
        struct fc_slice text;
        fc_code code;
        if (in_array && fc_json_take(&scan, ']')) {
            if (fc_json_peek(&scan) != 0) {
                return fc_fail(err, FC_ERR_CONFIG, "line %u: something follows the array",
                               line_of(file->text, scan.at));
            }
            return FC_OK;
        }
        if (in_array && file->count > 0 && !fc_json_take(&scan, ',')) {
            return fc_fail(err, FC_ERR_CONFIG, "line %u: ',' or ']' is missing",
                           line_of(file->text, scan.at));
        }
        (void)fc_json_peek(&scan); /* passes over white space */
        code = take_event(file, &scan, &text, err);
        if (code != FC_OK) {
            return code;
        }
        add_event(file, text);
        code = read_members(file, &file->events[file->count - 1], err);
        if (code != FC_OK) {
            return code;
        }
    }
    return in_array ? fc_fail(err, FC_ERR_CONFIG, "the array has no end") : FC_OK;
}

/* --- tables --------------------------------------------------------------------------------- */

/* A member of the source object as its JSON text, or the null slice. */
static struct fc_slice source_member(const struct event *event, const char *wanted)
{
    struct fc_json_scan scan;
    struct fc_json_string name;
    bool first = true;
    bool end = false;
    fc_json_scan_init(&scan, event->source);
    if (!fc_json_take(&scan, '{')) {
        return fc_slice_null();
    }
    while (fc_json_next_member(&scan, &first, &name, &end) && !end) {
        struct fc_slice value;
        if (!fc_json_skip_value(&scan, &value)) {
            break;
        }
        if (fc_json_is(name, wanted)) {
            return or_null(value);
        }
    }
    return fc_slice_null();
}

/* What a JSON text says; the null slice when the value is none. */
static struct fc_slice text_of(struct fc_change_file *file, struct fc_slice value)
{
    struct fc_json_string string;
    struct fc_json_scan scan;
    struct fc_slice text = fc_slice_null();
    fc_json_scan_init(&scan, value);
    if (fc_slice_is_null(value) || value.data[0] != '"' ||
        !fc_json_take_string(&scan, &string) ||
        !fc_json_unescape(string, &file->arena, &text)) {
        return fc_slice_null();
    }
    return text;
}

static struct fc_slice source_text(struct fc_change_file *file, const struct event *event,
                                   const char *wanted)
{
    return text_of(file, source_member(event, wanted));
}

static struct fc_change_table *table_of(struct fc_change_file *file, const struct event *event)
{
    struct fc_slice db = source_text(file, event, "db");
    struct fc_slice table = source_text(file, event, "table");
    struct fc_change_table *found;
    struct fc_buf key;
    if (fc_slice_is_null(db)) {
        db = fc_slice_of("", 0);
    }
    if (fc_slice_is_null(table)) {
        return NULL;
    }
    fc_buf_init(&key, db.len + table.len + 1);
    fc_buf_append_slice(&key, db);
    fc_buf_append_u8(&key, 0);
    fc_buf_append_slice(&key, table);
    found = fc_hashmap_get(&file->tables, fc_buf_slice(&key));
    if (found == NULL) {
        found = fc_change_table_new(db, table);
        (void)fc_hashmap_put(&file->tables, fc_buf_slice(&key), found); /* there was none */
    }
    fc_buf_release(&key);
    return found;
}

static fc_code learn_event(struct fc_change_file *file, struct event *event,
                           struct fc_error *err)
{
    fc_code code = FC_OK;
    if (!fc_slice_is_null(event->ddl)) {
        return FC_OK;
    }
    event->table = table_of(file, event);
    if (event->table == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "needs a table's name in `source.table`");
    }
    if (!fc_slice_is_null(event->schema)) {
        code = fc_change_table_give(event->table, event->schema, &file->arena, err);
    }
    if (code == FC_OK && !fc_slice_is_null(event->before)) {
        code = fc_change_table_learn(event->table, event->before, &file->arena, err);
    }
    if (code == FC_OK && !fc_slice_is_null(event->after)) {
        code = fc_change_table_learn(event->table, event->after, &file->arena, err);
    }
    return code;
}

static fc_code finish_tables(struct fc_change_file *file, struct fc_error *err)
{
    size_t cursor = 0;
    struct fc_slice key;
    void *value = NULL;
    while (fc_hashmap_next(&file->tables, &cursor, &key, &value)) {
        struct fc_change_table *table = value;
        fc_code code = fc_change_table_finish(table, file->schemas, err);
        if (code != FC_OK) {
            return fc_wrap(err, "table %s.%s", table->db, table->table);
        }
    }
    return FC_OK;
}

/* --- changes -------------------------------------------------------------------------------- */

static int64_t source_integer(const struct event *event, const char *name)
{
    struct fc_slice value = source_member(event, name);
    return fc_slice_is_null(value) ? 0 : strtoll((const char *)value.data, NULL, 10);
}

static fc_code read_op(const struct event *event, fc_op *out_op, struct fc_error *err)
{
    char op = event->op.len == 3 && event->op.data[0] == '"' ? (char)event->op.data[1] : 0;
    if (!fc_slice_is_null(event->ddl)) {
        *out_op = FC_OP_DDL;
        return FC_OK;
    }
    if (fc_slice_is_null(event->op)) { /* what the rows say */
        op = fc_slice_is_null(event->before) ? 'c' : fc_slice_is_null(event->after) ? 'd' : 'u';
    }
    if (op == 0 || strchr("rcudt", op) == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "`op` is one of r c u d t");
    }
    if (op != 't' && fc_slice_is_null(op == 'd' ? event->before : event->after)) {
        return fc_fail(err, FC_ERR_CONFIG, "op %c needs a row under `%s`", op,
                       op == 'd' ? "before" : "after");
    }
    *out_op = (fc_op)op;
    return FC_OK;
}

/* The transaction: its GTID, or file:pos as the log names it without one. */
static const struct fc_tx *make_tx(struct fc_change_file *file, const struct event *event,
                                   int64_t ts_us)
{
    struct fc_tx *tx = fc_arena_alloc(&file->arena, sizeof(*tx));
    struct fc_slice id = source_text(file, event, "gtid");
    if (tx == NULL) {
        return NULL;
    }
    if (fc_slice_is_null(id)) {
        struct fc_slice log = source_text(file, event, "file");
        char *text = fc_asprintf("%.*s:%lld", (int)log.len,
                                 log.data == NULL ? "" : (const char *)log.data,
                                 (long long)source_integer(event, "pos"));
        id = fc_arena_copy(&file->arena, fc_slice_text(text));
        free(text);
    }
    tx->id = id;
    tx->commit_us = ts_us;
    return tx;
}

static const struct fc_value *make_source(struct fc_change_file *file,
                                          const struct event *event)
{
    struct fc_value *values = fc_arena_alloc(&file->arena, SOURCE_FIELDS * sizeof(*values));
    if (values == NULL) {
        return NULL;
    }
    memset(values, 0, SOURCE_FIELDS * sizeof(*values));
    for (int field = 0; field < SOURCE_FIELDS; field++) {
        struct fc_slice value = source_member(event, source_fields[field].name);
        if (fc_slice_is_null(value)) {
            continue;
        }
        if (value.data[0] == '"') {
            values[field].kind = FC_VALUE_TEXT;
            values[field].as.bytes = source_text(file, event, source_fields[field].name);
        } else {
            values[field].kind = FC_VALUE_INT;
            values[field].as.i64 = source_integer(event, source_fields[field].name);
        }
    }
    return values;
}

static fc_code make_rows(struct fc_change_file *file, const struct event *event,
                         struct fc_change *change, struct fc_error *err)
{
    fc_code code = FC_OK;
    change->shape = event->table->schema->shape;
    change->db = fc_slice_text(event->table->db);
    change->table = fc_slice_text(event->table->table);
    if (change->op == FC_OP_TRUNCATE) {
        return FC_OK;
    }
    if (!fc_slice_is_null(event->before)) {
        code = fc_change_table_row(event->table, event->before, &file->arena, &change->before,
                                   err);
    }
    if (code == FC_OK && !fc_slice_is_null(event->after)) {
        code =
            fc_change_table_row(event->table, event->after, &file->arena, &change->after, err);
    }
    return code;
}

static fc_code make_change(struct fc_change_file *file, const struct event *event,
                           struct fc_change *change, struct fc_error *err)
{
    struct fc_ddl *ddl;
    fc_code code = read_op(event, &change->op, err);
    if (code != FC_OK) {
        return code;
    }
    change->ts_us = source_integer(event, "ts_us");
    if (change->ts_us == 0) {
        change->ts_us = source_integer(event, "ts_ms") * 1000;
    }
    change->tx_last = true;
    change->snapshot = change->op == FC_OP_READ ? FC_SNAPSHOT_ROW : FC_SNAPSHOT_NO;
    change->tx = make_tx(file, event, change->ts_us);
    change->source = make_source(file, event);
    if (fc_slice_is_null(event->ddl)) {
        code = make_rows(file, event, change, err);
        return code == FC_OK ? fc_arena_check(&file->arena, "the changes", err) : code;
    }
    ddl = fc_arena_alloc(&file->arena, sizeof(*ddl));
    if (ddl == NULL) {
        return fc_arena_check(&file->arena, "the changes", err);
    }
    memset(ddl, 0, sizeof(*ddl)); /* scripts see the statement only */
    ddl->statement = text_of(file, event->ddl);
    change->ddl = ddl;
    change->db = source_text(file, event, "db");
    return fc_slice_is_null(ddl->statement)
               ? fc_fail(err, FC_ERR_CONFIG, "`ddl` is a statement's text")
               : FC_OK;
}

/* --- the file ------------------------------------------------------------------------------- */

static fc_code parse(struct fc_change_file *file, struct fc_error *err)
{
    fc_code code = split_events(file, err);
    for (uint32_t index = 0; code == FC_OK && index < file->count; index++) {
        code = learn_event(file, &file->events[index], err);
        if (code != FC_OK) {
            (void)fc_wrap(err, "line %u", fc_change_file_line(file, index));
        }
    }
    if (code == FC_OK) {
        code = finish_tables(file, err);
    }
    file->changes = fc_new_array(struct fc_change, file->count + 1);
    for (uint32_t index = 0; code == FC_OK && index < file->count; index++) {
        code = make_change(file, &file->events[index], &file->changes[index], err);
        if (code != FC_OK) {
            (void)fc_wrap(err, "line %u", fc_change_file_line(file, index));
        }
    }
    return code;
}

fc_code fc_change_file_parse(struct fc_slice text, struct fc_change_file **out_file,
                             struct fc_error *err)
{
    struct fc_change_file *file = fc_new(struct fc_change_file);
    fc_code code;
    file->text = text;
    fc_arena_init(&file->arena, ARENA_BYTES_MAX);
    fc_hashmap_init(&file->tables);
    file->schemas = fc_schemas_new();
    code = parse(file, err);
    if (code == FC_ERR_CORRUPT || code == FC_ERR_PROTOCOL) {
        code = FC_ERR_CONFIG; /* it is a person who wrote it */
        err->code = code;
    }
    if (code != FC_OK) {
        fc_change_file_free(file);
        return code;
    }
    *out_file = file;
    return FC_OK;
}

void fc_change_file_free(struct fc_change_file *file)
{
    if (file != NULL) {
        fc_hashmap_release(&file->tables, fc_change_table_free);
        fc_schemas_free(file->schemas);
        fc_arena_release(&file->arena);
        free(file->events);
        free(file->changes);
        free(file);
    }
}

uint32_t fc_change_file_count(const struct fc_change_file *file)
{
    return file->count;
}

const struct fc_change *fc_change_file_get(const struct fc_change_file *file, uint32_t index)
{
    return &file->changes[index];
}

uint32_t fc_change_file_line(const struct fc_change_file *file, uint32_t index)
{
    return line_of(file->text, file->events[index].text.data);
}
