/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/schema_json.h"

#include <inttypes.h>
#include <stdlib.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "catalog/shape.h"
#include "core/base/alloc.h"

enum { SCHEMA_JSON_VERSION = 1, SCHEMA_COLUMNS_MAX = 65535 };

/* In the order of fc_type: on disk a type is known by this name for ever. */
static const char *const type_names[] = {
    "int",  "float", "double", "decimal", "text",     "bytes",     "bit",      "enum",   "set",
    "json", "year",  "date",   "time",    "datetime", "timestamp", "geometry", "vector", "uuid"
};

static const char *const mode_names[] = { "exact", "debezium" };

static json_t *text_or_null(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

static json_t *encode_column(const struct fc_column *column)
{
    json_t *labels = json_array();
    for (uint16_t index = 0; labels != NULL && index < column->label_count; index++) {
        if (json_array_append_new(labels, json_string(column->labels[index])) != 0) {
            json_decref(labels);
            labels = NULL;
        }
    }
    /* "o" steals its reference, also when packing fails; a NULL text makes packing fail. */
    return json_pack("{s:s, s:s, s:o, s:o, s:b, s:b, s:i, s:I, s:i, s:i, s:i, s:o}", "name",
                     column->name, "type", type_names[column->type], "native",
                     text_or_null(column->native_type), "charset",
                     text_or_null(column->charset), "nullable", column->nullable, "unsigned",
                     column->is_unsigned, "bits", column->bits, "length",
                     (json_int_t)column->length, "precision", column->precision, "scale",
                     column->scale, "key", column->key_index, "labels", labels);
}

fc_code fc_schema_json_encode(const struct fc_shape *shape, fc_envelope_mode mode,
                              char **out_text, struct fc_error *err)
{
    json_t *columns = json_array();
    json_t *root = NULL;
    char *text = NULL;
    for (uint32_t index = 0; columns != NULL && index < shape->column_count; index++) {
        if (json_array_append_new(columns, encode_column(&shape->columns[index])) != 0) {
            json_decref(columns);
            columns = NULL;
        }
    }
    root = json_pack("{s:i, s:s, s:s, s:s, s:o, s:o}", "v", (int)SCHEMA_JSON_VERSION, "mode",
                     mode_names[mode], "db", shape->db, "table", shape->table, "columns",
                     columns, "create", text_or_null(shape->create_sql));
    text = root == NULL ? NULL : json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (text == NULL) {
        return fc_fail(err, FC_ERR_PROTOCOL,
                       "the schema of %s.%s holds a name or statement that is not UTF-8",
                       shape->db, shape->table);
    }
    *out_text = text;
    return FC_OK;
}

uint64_t fc_schema_json_id(const char *text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    uint64_t id = 0;
    fc_assert(EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) == 1);
    for (int index = 0; index < 8; index++) {
        id = (id << 8) | digest[index];
    }
    return id;
}

void fc_schema_json_append(const char *text, uint64_t id, struct fc_buf *out)
{
    fc_buf_append_fmt(out, "{\"id\":\"%016" PRIx64 "\",", id);
    fc_buf_append_text(out, text + 1); /* past its brace */
}

static bool find_name(const char *name, const char *const *names, size_t count, int *out_index)
{
    for (size_t index = 0; index < count; index++) {
        if (strcmp(name, names[index]) == 0) {
            *out_index = (int)index;
            return true;
        }
    }
    return false;
}

/* A member that may be null; false when it is missing or of another type. */
static bool get_text(json_t *object, const char *key, const char **out_text)
{
    json_t *member = json_object_get(object, key);
    *out_text = json_string_value(member);
    return json_is_string(member) || json_is_null(member);
}

static bool get_number(json_t *object, const char *key, json_int_t max, json_int_t *out_value)
{
    json_t *member = json_object_get(object, key);
    *out_value = json_integer_value(member);
    return json_is_integer(member) && *out_value >= 0 && *out_value <= max;
}

static bool get_bool(json_t *object, const char *key, bool *out_value)
{
    json_t *member = json_object_get(object, key);
    *out_value = json_is_true(member);
    return json_is_boolean(member);
}

static bool decode_labels(json_t *labels, struct fc_column *column, const char ***pool)
{
    size_t count = json_array_size(labels);
    const char **at = *pool;
    if (!json_is_array(labels) || count > UINT16_MAX) {
        return false;
    }
    column->label_count = (uint16_t)count;
    column->labels = at;
    for (size_t index = 0; index < count; index++) {
        at[index] = json_string_value(json_array_get(labels, index));
        if (at[index] == NULL) {
            return false;
        }
    }
    *pool = at + count;
    return true;
}

/* Texts borrow from `from`. */
static bool decode_column(json_t *from, struct fc_column *column, const char ***pool)
{
    json_int_t numbers[5] = { 0 };
    int type = 0;
    const char *type_name = NULL;
    if (!get_text(from, "name", &column->name) || column->name == NULL ||
        !get_text(from, "type", &type_name) || type_name == NULL ||
        !find_name(type_name, type_names, sizeof(type_names) / sizeof(*type_names), &type) ||
        !get_text(from, "native", &column->native_type) ||
        !get_text(from, "charset", &column->charset) ||
        !get_bool(from, "nullable", &column->nullable) ||
        !get_bool(from, "unsigned", &column->is_unsigned) ||
        !get_number(from, "bits", UINT16_MAX, &numbers[0]) ||
        !get_number(from, "length", UINT32_MAX, &numbers[1]) ||
        !get_number(from, "precision", UINT16_MAX, &numbers[2]) ||
        !get_number(from, "scale", UINT16_MAX, &numbers[3]) ||
        !get_number(from, "key", UINT16_MAX, &numbers[4])) {
        return false;
    }
    column->type = (fc_type)type;
    column->bits = (uint16_t)numbers[0];
    column->length = (uint32_t)numbers[1];
    column->precision = (uint16_t)numbers[2];
    column->scale = (uint16_t)numbers[3];
    column->key_index = (uint16_t)numbers[4];
    return decode_labels(json_object_get(from, "labels"), column, pool);
}

static size_t count_labels(json_t *columns)
{
    size_t count = 0;
    for (size_t index = 0; index < json_array_size(columns); index++) {
        count += json_array_size(json_object_get(json_array_get(columns, index), "labels"));
    }
    return count;
}

static bool decode_shape(json_t *root, struct fc_shape *shape, struct fc_column *columns,
                         const char **labels)
{
    json_t *from = json_object_get(root, "columns");
    if (!get_text(root, "db", &shape->db) || shape->db == NULL ||
        !get_text(root, "table", &shape->table) || shape->table == NULL ||
        !get_text(root, "create", &shape->create_sql)) {
        return false;
    }
    shape->columns = columns;
    shape->column_count = (uint32_t)json_array_size(from);
    for (uint32_t index = 0; index < shape->column_count; index++) {
        if (!decode_column(json_array_get(from, index), &columns[index], &labels)) {
            return false;
        }
        shape->key_count += columns[index].key_index > 0 ? 1 : 0;
    }
    return true;
}

static bool decode_head(json_t *root, uint64_t *out_id, fc_envelope_mode *out_mode)
{
    const char *id = json_string_value(json_object_get(root, "id"));
    const char *mode_name = json_string_value(json_object_get(root, "mode"));
    json_int_t version = 0;
    int mode = 0;
    if (!get_number(root, "v", SCHEMA_JSON_VERSION, &version) ||
        version != SCHEMA_JSON_VERSION || id == NULL || strlen(id) != 16 ||
        strspn(id, "0123456789abcdef") != 16 || mode_name == NULL ||
        !find_name(mode_name, mode_names, sizeof(mode_names) / sizeof(*mode_names), &mode)) {
        return false;
    }
    *out_id = strtoull(id, NULL, 16);
    *out_mode = (fc_envelope_mode)mode;
    return true;
}

fc_code fc_schema_json_decode(struct fc_slice text, uint64_t *out_id,
                              fc_envelope_mode *out_mode, struct fc_shape **out_shape,
                              struct fc_error *err)
{
    json_error_t where;
    json_t *root =
        json_loadb((const char *)text.data, text.data == NULL ? 0 : text.len, 0, &where);
    json_t *from = json_object_get(root, "columns");
    size_t count = json_array_size(from);
    struct fc_shape shape = { 0 };
    struct fc_column *columns = NULL;
    const char **labels = NULL;
    fc_code code = FC_OK;
    if (root == NULL) {
        return fc_fail(err, FC_ERR_CORRUPT, "a stored table schema is not JSON: %s",
                       where.text);
    }
    if (!json_is_array(from) || count > SCHEMA_COLUMNS_MAX) {
        code = fc_fail(err, FC_ERR_CORRUPT, "a stored table schema has no columns");
        goto out;
    }
    columns = fc_new_array(struct fc_column, count);
    labels = fc_new_array(const char *, count_labels(from));
    if (!decode_head(root, out_id, out_mode) || !decode_shape(root, &shape, columns, labels)) {
        code = fc_fail(err, FC_ERR_CORRUPT,
                       "a stored table schema lacks a member or has one of a wrong kind");
        goto out;
    }
    *out_shape = fc_shape_copy(&shape);
out:
    free(labels);
    free(columns);
    json_decref(root);
    return code;
}
