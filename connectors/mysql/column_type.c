/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/column_type.h"

#include <string.h>
#include <strings.h>

#include "connectors/mysql/charset.h"
#include "core/base/buf.h"

enum {
    TYPE_TEXT_MAX =
        16 * 1024 * 1024, /* 65,535 labels of 255 characters are the server's most */
    LABELS_MAX = 65535,
    LENGTH_MAX = 1 << 26
};

/* What the figures in parentheses mean. */
typedef enum figures_kind {
    FIGURES_NONE, /* a display width, if any */
    FIGURES_LENGTH,
    FIGURES_DECIMAL,
    FIGURES_FRACTION,
    FIGURES_LABELS
} figures_kind;

struct type_word {
    const char *word;
    fc_column_base base;
    fc_type type;
    figures_kind figures;
    uint16_t bits;
};

/* In the order of fc_column_base, then the other spellings. */
static const struct type_word type_words[] = {
    { "tinyint", FC_COLUMN_TINYINT, FC_TYPE_INT, FIGURES_NONE, 8 },
    { "smallint", FC_COLUMN_SMALLINT, FC_TYPE_INT, FIGURES_NONE, 16 },
    { "mediumint", FC_COLUMN_MEDIUMINT, FC_TYPE_INT, FIGURES_NONE, 24 },
    { "int", FC_COLUMN_INT, FC_TYPE_INT, FIGURES_NONE, 32 },
    { "bigint", FC_COLUMN_BIGINT, FC_TYPE_INT, FIGURES_NONE, 64 },
    { "float", FC_COLUMN_FLOAT, FC_TYPE_FLOAT, FIGURES_NONE, 0 },
    { "double", FC_COLUMN_DOUBLE, FC_TYPE_DOUBLE, FIGURES_NONE, 0 },
    { "decimal", FC_COLUMN_DECIMAL, FC_TYPE_DECIMAL, FIGURES_DECIMAL, 0 },
    { "bit", FC_COLUMN_BIT, FC_TYPE_BIT, FIGURES_LENGTH, 0 },
    { "year", FC_COLUMN_YEAR, FC_TYPE_YEAR, FIGURES_NONE, 0 },
    { "date", FC_COLUMN_DATE, FC_TYPE_DATE, FIGURES_NONE, 0 },
    { "time", FC_COLUMN_TIME, FC_TYPE_TIME, FIGURES_FRACTION, 0 },
    { "datetime", FC_COLUMN_DATETIME, FC_TYPE_DATETIME, FIGURES_FRACTION, 0 },
    { "timestamp", FC_COLUMN_TIMESTAMP, FC_TYPE_TIMESTAMP, FIGURES_FRACTION, 0 },
    { "char", FC_COLUMN_CHAR, FC_TYPE_TEXT, FIGURES_LENGTH, 0 },
    { "varchar", FC_COLUMN_VARCHAR, FC_TYPE_TEXT, FIGURES_LENGTH, 0 },
    { "tinytext", FC_COLUMN_TINYTEXT, FC_TYPE_TEXT, FIGURES_NONE, 0 },
    { "text", FC_COLUMN_TEXT, FC_TYPE_TEXT, FIGURES_NONE, 0 },
    { "mediumtext", FC_COLUMN_MEDIUMTEXT, FC_TYPE_TEXT, FIGURES_NONE, 0 },
    { "longtext", FC_COLUMN_LONGTEXT, FC_TYPE_TEXT, FIGURES_NONE, 0 },
    { "enum", FC_COLUMN_ENUM, FC_TYPE_ENUM, FIGURES_LABELS, 0 },
    { "set", FC_COLUMN_SET, FC_TYPE_SET, FIGURES_LABELS, 0 },
    { "json", FC_COLUMN_JSON, FC_TYPE_JSON, FIGURES_NONE, 0 },
    { "geometry", FC_COLUMN_GEOMETRY, FC_TYPE_GEOMETRY, FIGURES_NONE, 0 },
    { "point", FC_COLUMN_POINT, FC_TYPE_GEOMETRY, FIGURES_NONE, 0 },
    { "linestring", FC_COLUMN_LINESTRING, FC_TYPE_GEOMETRY, FIGURES_NONE, 0 },
    { "polygon", FC_COLUMN_POLYGON, FC_TYPE_GEOMETRY, FIGURES_NONE, 0 },
    { "multipoint", FC_COLUMN_MULTIPOINT, FC_TYPE_GEOMETRY, FIGURES_NONE, 0 },
    { "multilinestring", FC_COLUMN_MULTILINESTRING, FC_TYPE_GEOMETRY, FIGURES_NONE, 0 },
    { "multipolygon", FC_COLUMN_MULTIPOLYGON, FC_TYPE_GEOMETRY, FIGURES_NONE, 0 },
    { "geometrycollection", FC_COLUMN_GEOMETRYCOLLECTION, FC_TYPE_GEOMETRY, FIGURES_NONE, 0 },
    { "vector", FC_COLUMN_VECTOR, FC_TYPE_VECTOR, FIGURES_LENGTH, 0 },
    { "uuid", FC_COLUMN_UUID, FC_TYPE_UUID, FIGURES_NONE, 0 },
    { "inet4", FC_COLUMN_INET4, FC_TYPE_TEXT, FIGURES_NONE, 0 },
    { "inet6", FC_COLUMN_INET6, FC_TYPE_TEXT, FIGURES_NONE, 0 },
    { "binary", FC_COLUMN_CHAR, FC_TYPE_BYTES, FIGURES_LENGTH, 0 },
    { "varbinary", FC_COLUMN_VARCHAR, FC_TYPE_BYTES, FIGURES_LENGTH, 0 },
    { "tinyblob", FC_COLUMN_TINYTEXT, FC_TYPE_BYTES, FIGURES_NONE, 0 },
    { "blob", FC_COLUMN_TEXT, FC_TYPE_BYTES, FIGURES_NONE, 0 },
    { "mediumblob", FC_COLUMN_MEDIUMTEXT, FC_TYPE_BYTES, FIGURES_NONE, 0 },
    { "longblob", FC_COLUMN_LONGTEXT, FC_TYPE_BYTES, FIGURES_NONE, 0 },
    { "geomcollection", FC_COLUMN_GEOMETRYCOLLECTION, FC_TYPE_GEOMETRY, FIGURES_NONE, 0 },
    { "integer", FC_COLUMN_INT, FC_TYPE_INT, FIGURES_NONE, 32 },
    { "numeric", FC_COLUMN_DECIMAL, FC_TYPE_DECIMAL, FIGURES_DECIMAL, 0 },
};

enum { TYPE_WORD_COUNT = sizeof(type_words) / sizeof(type_words[0]) };

static const struct type_word *find_word(const char *text, size_t len)
{
    for (size_t index = 0; index < TYPE_WORD_COUNT; index++) {
        const char *word = type_words[index].word;
        if (strlen(word) == len && strncasecmp(word, text, len) == 0) {
            return &type_words[index];
        }
    }
    return NULL;
}

/* The word for a base as text, or as bytes where there is such a one. */
static const char *word_of(fc_column_base base, bool is_bytes)
{
    const char *word = type_words[base].word;
    for (size_t index = 0; is_bytes && index < TYPE_WORD_COUNT; index++) {
        if (type_words[index].base == base && type_words[index].type == FC_TYPE_BYTES) {
            word = type_words[index].word;
        }
    }
    return word;
}

/* Read "(figure[,figure])" at *at; moves past it. False when something else stands there. */
static bool read_figures(const char **at, uint32_t figures_out[2], unsigned *out_count)
{
    const char *p = *at;
    *out_count = 0;
    if (*p != '(') {
        return true;
    }
    do {
        uint32_t figure = 0;
        p++;
        if (*p < '0' || *p > '9' || *out_count == 2) {
            return false;
        }
        for (; *p >= '0' && *p <= '9'; p++) {
            figure = figure * 10 + (uint32_t)(*p - '0');
            if (figure > LENGTH_MAX) {
                return false;
            }
        }
        figures_out[(*out_count)++] = figure;
    } while (*p == ',');
    if (*p != ')') {
        return false;
    }
    *at = p + 1;
    return true;
}

/* One quoted label at *at (on its opening quote) into `to`; returns its length or -1. */
static long read_label(const char **at, char *to)
{
    const char *p = *at + 1;
    long len = 0;
    while (*p != '\0') {
        char c = *p++;
        if (c == '\'') {
            if (*p != '\'') {
                to[len] = '\0';
                *at = p;
                return len;
            }
            p++;
        } else if (c == '\\' && *p != '\0') {
            c = *p++;
            c = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c == 'Z' ? '\032' : c;
        }
        to[len++] = c;
    }
    return -1;
}

static fc_code no_room(struct fc_error *err)
{
    return fc_fail(err, FC_ERR_LIMIT, "column type: no memory left for the table's shape");
}

/* Count labels first (by quotes), then copy them. *at stands on '('. */
static fc_code read_labels(const char **at, struct fc_arena *arena, struct fc_column *column,
                           const char *whole, struct fc_error *err)
{
    size_t room = strlen(*at) + 1;
    size_t label_max = 1;
    uint32_t count = 0;
    const char **labels;
    char *text;
    const char *p = *at;
    for (size_t index = 0; index < room; index++) {
        label_max += p[index] == ',' ? 1 : 0;
    }
    label_max = label_max > LABELS_MAX ? LABELS_MAX : label_max;
    labels = fc_arena_alloc(arena, label_max * sizeof(*labels));
    text = fc_arena_alloc(arena, room);
    if (labels == NULL || text == NULL) {
        return no_room(err);
    }
    do {
        long len;
        p++;
        len = *p == '\'' && count < label_max ? read_label(&p, text) : -1;
        if (len < 0) {
            return fc_fail(err, FC_ERR_CONFIG, "column type %.120s: bad list of labels", whole);
        }
        labels[count++] = text;
        text += len + 1;
    } while (*p == ',');
    if (*p != ')') {
        return fc_fail(err, FC_ERR_CONFIG, "column type %.120s: bad list of labels", whole);
    }
    *at = p + 1;
    column->labels = labels;
    column->label_count = (uint16_t)count;
    return FC_OK;
}

static bool has_word(const char *text, const char *word)
{
    return strcasestr(text, word) != NULL;
}

static void apply_figures(const struct type_word *word, const uint32_t given[2], unsigned count,
                          struct fc_column *column)
{
    switch (word->figures) {
    case FIGURES_LENGTH:
        column->length = count > 0 ? given[0] : 1;
        break;
    case FIGURES_DECIMAL:
        column->precision = (uint16_t)(count > 0 ? given[0] : 10);
        column->scale = (uint16_t)(count > 1 ? given[1] : 0);
        break;
    case FIGURES_FRACTION:
        column->precision = (uint16_t)(count > 0 ? given[0] : 0);
        break;
    case FIGURES_NONE:
    case FIGURES_LABELS:
        break;
    }
}

fc_code fc_column_type_parse(const char *text, const char *collation, struct fc_arena *arena,
                             struct fc_column *column, struct fc_error *err)
{
    const char *at = text;
    uint32_t given[2] = { 0, 0 };
    unsigned count = 0;
    const struct type_word *word;
    size_t len = 0;
    while ((text[len] | 0x20) >= 'a' && (text[len] | 0x20) <= 'z') {
        len++;
    }
    while (text[len] >= '0' && text[len] <= '9') {
        len++; /* inet4, inet6 */
    }
    word = find_word(text, len);
    if (word == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "column type %.120s is not supported", text);
    }
    at += len;
    column->type = word->type;
    column->bits = word->bits;
    column->length = 0;
    column->precision = 0;
    column->scale = 0;
    column->labels = NULL;
    column->label_count = 0;
    column->charset = NULL;
    if (word->figures == FIGURES_LABELS && *at == '(') {
        fc_code code = read_labels(&at, arena, column, text, err);
        if (code != FC_OK) {
            return code;
        }
    } else if (!read_figures(&at, given, &count) || word->figures == FIGURES_LABELS) {
        return fc_fail(err, FC_ERR_CONFIG, "column type %.120s cannot be read", text);
    }
    apply_figures(word, given, count, column);
    column->is_unsigned = has_word(at, "unsigned") || has_word(at, "zerofill");
    if (collation != NULL && word->base >= FC_COLUMN_CHAR && word->base <= FC_COLUMN_SET) {
        const struct fc_charset *charset = fc_charset_named(collation);
        if (charset == NULL) {
            return fc_fail(err, FC_ERR_CONFIG, "character set or collation %.64s is not known",
                           collation);
        }
        if (strcmp(charset->name, "binary") != 0) {
            column->charset = charset->name;
        } else if (column->type == FC_TYPE_TEXT) {
            column->type = FC_TYPE_BYTES;
        }
    }
    return fc_column_type_print(word->base, arena, column, err);
}

static void print_labels(struct fc_buf *out, const struct fc_column *column)
{
    for (uint32_t index = 0; index < column->label_count; index++) {
        fc_buf_append_text(out, index == 0 ? "('" : ",'");
        for (const char *c = column->labels[index]; *c != '\0'; c++) {
            if (*c == '\'' || *c == '\\') {
                fc_buf_append(out, c, 1);
            }
            fc_buf_append(out, c, 1);
        }
        fc_buf_append_text(out, "'");
    }
    fc_buf_append_text(out, ")");
}

static void print_figures(struct fc_buf *out, figures_kind figures,
                          const struct fc_column *column)
{
    switch (figures) {
    case FIGURES_LENGTH:
        fc_buf_append_fmt(out, "(%u)", column->length);
        break;
    case FIGURES_DECIMAL:
        fc_buf_append_fmt(out, "(%u,%u)", column->precision, column->scale);
        break;
    case FIGURES_FRACTION:
        if (column->precision > 0) {
            fc_buf_append_fmt(out, "(%u)", column->precision);
        }
        break;
    case FIGURES_LABELS:
        print_labels(out, column);
        break;
    case FIGURES_NONE:
        break;
    }
}

fc_code fc_column_type_print(fc_column_base base, struct fc_arena *arena,
                             struct fc_column *column, struct fc_error *err)
{
    struct fc_buf out;
    struct fc_slice copy;
    fc_code code;
    fc_buf_init(&out, TYPE_TEXT_MAX);
    fc_buf_append_text(&out, word_of(base, column->type == FC_TYPE_BYTES));
    print_figures(&out, type_words[base].figures, column);
    if (column->is_unsigned && base <= FC_COLUMN_DECIMAL) {
        fc_buf_append_text(&out, " unsigned");
    }
    fc_buf_append_u8(&out, 0);
    code = fc_buf_check(&out, "column type", err);
    if (code == FC_OK) {
        copy = fc_arena_copy(arena, fc_buf_slice(&out));
        if (fc_slice_is_null(copy)) {
            code = no_room(err);
        } else {
            column->native_type = (const char *)copy.data;
        }
    }
    fc_buf_release(&out);
    return code;
}
