/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/column_type.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

struct known_type {
    const char *word;
    fc_type type;
    uint16_t bits;
    uint32_t length; /* when the text gives none */
};

static const struct known_type known_types[] = {
    { "tinyint", FC_TYPE_INT, 8, 0 },       { "smallint", FC_TYPE_INT, 16, 0 },
    { "mediumint", FC_TYPE_INT, 24, 0 },    { "int", FC_TYPE_INT, 32, 0 },
    { "integer", FC_TYPE_INT, 32, 0 },      { "bigint", FC_TYPE_INT, 64, 0 },
    { "boolean", FC_TYPE_INT, 8, 0 },       { "float", FC_TYPE_FLOAT, 0, 0 },
    { "double", FC_TYPE_DOUBLE, 0, 0 },     { "decimal", FC_TYPE_DECIMAL, 0, 0 },
    { "numeric", FC_TYPE_DECIMAL, 0, 0 },   { "char", FC_TYPE_TEXT, 0, 1 },
    { "varchar", FC_TYPE_TEXT, 0, 0 },      { "tinytext", FC_TYPE_TEXT, 0, 0 },
    { "text", FC_TYPE_TEXT, 0, 0 },         { "mediumtext", FC_TYPE_TEXT, 0, 0 },
    { "longtext", FC_TYPE_TEXT, 0, 0 },     { "binary", FC_TYPE_BYTES, 0, 1 },
    { "varbinary", FC_TYPE_BYTES, 0, 0 },   { "tinyblob", FC_TYPE_BYTES, 0, 0 },
    { "blob", FC_TYPE_BYTES, 0, 0 },        { "mediumblob", FC_TYPE_BYTES, 0, 0 },
    { "longblob", FC_TYPE_BYTES, 0, 0 },    { "bit", FC_TYPE_BIT, 0, 1 },
    { "enum", FC_TYPE_ENUM, 0, 0 },         { "set", FC_TYPE_SET, 0, 0 },
    { "json", FC_TYPE_JSON, 0, 0 },         { "year", FC_TYPE_YEAR, 0, 0 },
    { "date", FC_TYPE_DATE, 0, 0 },         { "time", FC_TYPE_TIME, 0, 0 },
    { "datetime", FC_TYPE_DATETIME, 0, 0 }, { "timestamp", FC_TYPE_TIMESTAMP, 0, 0 },
    { "geometry", FC_TYPE_GEOMETRY, 0, 0 }, { "point", FC_TYPE_GEOMETRY, 0, 0 },
    { "vector", FC_TYPE_VECTOR, 0, 0 },     { "uuid", FC_TYPE_UUID, 0, 0 },
};

enum { LABELS_MAX = 256, LENGTH_MAX = 0x7FFFFFFF };

struct cursor {
    const char *at;
    struct fc_arena *arena;
};

static void skip_spaces(struct cursor *cursor)
{
    while (isspace((unsigned char)*cursor->at)) {
        cursor->at++;
    }
}

static bool take_char(struct cursor *cursor, char character)
{
    skip_spaces(cursor);
    if (*cursor->at != character) {
        return false;
    }
    cursor->at++;
    return true;
}

static bool take_word(struct cursor *cursor, const char *word)
{
    size_t len = strlen(word);
    skip_spaces(cursor);
    if (strncasecmp(cursor->at, word, len) != 0 || isalnum((unsigned char)cursor->at[len])) {
        return false;
    }
    cursor->at += len;
    return true;
}

static bool take_number(struct cursor *cursor, uint32_t max, uint32_t *out_number)
{
    char *end = NULL;
    unsigned long number;
    skip_spaces(cursor);
    if (!isdigit((unsigned char)*cursor->at)) {
        return false;
    }
    number = strtoul(cursor->at, &end, 10);
    cursor->at = end;
    *out_number = (uint32_t)number;
    return number <= max;
}

static const struct known_type *take_type(struct cursor *cursor)
{
    for (size_t index = 0; index < sizeof(known_types) / sizeof(known_types[0]); index++) {
        if (take_word(cursor, known_types[index].word)) {
            return &known_types[index];
        }
    }
    return NULL;
}

/* 'a','b''c' up to the closing bracket. */
static bool take_labels(struct cursor *cursor, struct fc_column *column)
{
    const char **labels = fc_arena_alloc(cursor->arena, LABELS_MAX * sizeof(*labels));
    do {
        char *label = fc_arena_alloc(cursor->arena, strlen(cursor->at) + 1);
        size_t len = 0;
        if (labels == NULL || label == NULL || column->label_count == LABELS_MAX ||
            !take_char(cursor, '\'')) {
            return false;
        }
        while (*cursor->at != '\0' && (*cursor->at != '\'' || cursor->at[1] == '\'')) {
            cursor->at += *cursor->at == '\'';
            label[len++] = *cursor->at++;
        }
        label[len] = '\0';
        labels[column->label_count++] = label;
        if (!take_char(cursor, '\'')) {
            return false;
        }
    } while (take_char(cursor, ','));
    column->labels = labels;
    return true;
}

/* What stands in brackets after the type. */
static bool take_arguments(struct cursor *cursor, struct fc_column *column)
{
    uint32_t first = 0;
    uint32_t second = 0;
    bool good;
    if (column->type == FC_TYPE_ENUM || column->type == FC_TYPE_SET) {
        return take_labels(cursor, column);
    }
    good = take_number(cursor, LENGTH_MAX, &first);
    if (good && column->type == FC_TYPE_DECIMAL && take_char(cursor, ',')) {
        good = take_number(cursor, 30, &second) && second <= first;
    }
    switch (column->type) {
    case FC_TYPE_DECIMAL:
        column->precision = (uint16_t)first;
        column->scale = (uint16_t)second;
        return good && first >= 1 && first <= 65;
    case FC_TYPE_TIME:
    case FC_TYPE_DATETIME:
    case FC_TYPE_TIMESTAMP:
        column->precision = (uint16_t)first;
        return good && first <= 6;
    case FC_TYPE_TEXT:
    case FC_TYPE_BYTES:
    case FC_TYPE_VECTOR:
        column->length = first;
        return good;
    case FC_TYPE_BIT:
        column->length = first;
        return good && first >= 1 && first <= 64;
    default: /* a display width, which says nothing */
        return good;
    }
}

/* The words after the type; false for one that is not known. */
static bool take_attributes(struct cursor *cursor, struct fc_column *column, bool *is_key,
                            const char **native_end)
{
    *native_end = cursor->at;
    column->is_unsigned = take_word(cursor, "unsigned");
    if (column->is_unsigned) {
        *native_end = cursor->at;
    }
    for (;;) {
        skip_spaces(cursor);
        if (*cursor->at == '\0') {
            return true;
        }
        if (take_word(cursor, "not")) {
            column->nullable = false;
            if (!take_word(cursor, "null")) {
                return false;
            }
        } else if (take_word(cursor, "key")) {
            column->nullable = false;
            *is_key = true;
        } else if (!take_word(cursor, "primary") && !take_word(cursor, "null")) {
            return false;
        }
    }
}

fc_code fc_column_type_parse(struct fc_slice text, struct fc_arena *arena,
                             struct fc_column *out_column, bool *out_is_key,
                             struct fc_error *err)
{
    struct fc_column column;
    struct cursor cursor = { NULL, arena };
    char *copy = fc_arena_alloc(arena, text.len + 1);
    const struct known_type *known;
    const char *native_end = NULL;
    bool is_key = false;
    bool good;
    if (copy == NULL) {
        return fc_arena_check(arena, "the column types", err);
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    memset(&column, 0, sizeof(column));
    cursor.at = copy;
    known = take_type(&cursor);
    if (known == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "`%s` is no column type of MySQL", copy);
    }
    column.type = known->type;
    column.bits = known->bits;
    column.length = known->length;
    column.precision = known->type == FC_TYPE_DECIMAL ? 10 : 0;
    column.nullable = true;
    column.charset = known->type == FC_TYPE_TEXT ? "utf8mb4" : NULL;
    good = !take_char(&cursor, '(') ||
           (take_arguments(&cursor, &column) && take_char(&cursor, ')'));
    good = good && take_attributes(&cursor, &column, &is_key, &native_end);
    if (arena->failed) {
        return fc_arena_check(arena, "the column types", err);
    }
    if (!good || strlen(copy) != text.len) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "`%s` is no column type: a word at `%s` is not known", copy, cursor.at);
    }
    copy[native_end - copy] = '\0';
    column.native_type = copy;
    *out_column = column;
    *out_is_key = is_key;
    return FC_OK;
}
