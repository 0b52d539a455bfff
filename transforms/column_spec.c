/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "transforms/shape_edit.h"

struct type_word {
    const char *word;
    fc_type type;
    const char *native_type; /* NULL: not a type that a script can ask for */
    const char *native_type_in_key;
    uint16_t bits;
    uint16_t precision;
};

static const struct type_word type_words[] = {
    { "int", FC_TYPE_INT, "bigint", "bigint", 64, 0 },
    { "float", FC_TYPE_FLOAT, NULL, NULL, 0, 0 },
    { "double", FC_TYPE_DOUBLE, "double", "double", 0, 0 },
    { "decimal", FC_TYPE_DECIMAL, NULL, NULL, 0, 0 },
    { "text", FC_TYPE_TEXT, "longtext", "varchar(255)", 0, 0 },
    { "bytes", FC_TYPE_BYTES, "longblob", "varbinary(255)", 0, 0 },
    { "bit", FC_TYPE_BIT, NULL, NULL, 0, 0 },
    { "enum", FC_TYPE_ENUM, NULL, NULL, 0, 0 },
    { "set", FC_TYPE_SET, NULL, NULL, 0, 0 },
    { "json", FC_TYPE_JSON, "json", "json", 0, 0 },
    { "year", FC_TYPE_YEAR, NULL, NULL, 0, 0 },
    { "date", FC_TYPE_DATE, "date", "date", 0, 0 },
    { "time", FC_TYPE_TIME, "time(6)", "time(6)", 0, 6 },
    { "datetime", FC_TYPE_DATETIME, "datetime(6)", "datetime(6)", 0, 6 },
    { "timestamp", FC_TYPE_TIMESTAMP, "timestamp(6)", "timestamp(6)", 0, 6 },
    { "geometry", FC_TYPE_GEOMETRY, NULL, NULL, 0, 0 },
    { "vector", FC_TYPE_VECTOR, NULL, NULL, 0, 0 },
    { "uuid", FC_TYPE_UUID, NULL, NULL, 0, 0 },
};

enum { TYPE_WORD_COUNT = sizeof(type_words) / sizeof(type_words[0]), DECIMAL_DIGITS_MAX = 65 };

const char *fc_type_word(fc_type type)
{
    for (size_t index = 0; index < TYPE_WORD_COUNT; index++) {
        if (type_words[index].type == type) {
            return type_words[index].word;
        }
    }
    return "unknown";
}

/* One or two digits; returns where they end, or NULL. */
static const char *read_figure(const char *text, uint16_t *out_figure)
{
    uint16_t figure = 0;
    const char *at = text;
    while (isdigit((unsigned char)*at) && at - text < 2) {
        figure = (uint16_t)(figure * 10 + (*at - '0'));
        at++;
    }
    *out_figure = figure;
    return at == text ? NULL : at;
}

/* "decimal(12,2)" */
static bool parse_decimal(const char *type, struct fc_column_spec *spec)
{
    static const char start[] = "decimal(";
    const char *at;
    if (strncmp(type, start, sizeof(start) - 1) != 0) {
        return false;
    }
    at = read_figure(type + sizeof(start) - 1, &spec->precision);
    at = at != NULL && *at == ',' ? read_figure(at + 1, &spec->scale) : NULL;
    if (at == NULL || strcmp(at, ")") != 0 || spec->precision < 1 ||
        spec->precision > DECIMAL_DIGITS_MAX || spec->scale > 30 ||
        spec->scale > spec->precision) {
        return false;
    }
    spec->type = FC_TYPE_DECIMAL;
    (void)snprintf(spec->text, sizeof(spec->text), "decimal(%u,%u)", (unsigned)spec->precision,
                   (unsigned)spec->scale); /* at most 14 characters */
    spec->native_type = spec->text;
    spec->native_type_in_key = spec->text;
    return true;
}

bool fc_column_spec_parse(const char *type, struct fc_column_spec *out_spec)
{
    memset(out_spec, 0, sizeof(*out_spec));
    for (size_t index = 0; index < TYPE_WORD_COUNT; index++) {
        const struct type_word *word = &type_words[index];
        if (word->native_type != NULL && strcmp(type, word->word) == 0) {
            out_spec->type = word->type;
            out_spec->bits = word->bits;
            out_spec->precision = word->precision;
            out_spec->native_type = word->native_type;
            out_spec->native_type_in_key = word->native_type_in_key;
            return true;
        }
    }
    return parse_decimal(type, out_spec);
}
