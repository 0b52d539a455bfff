/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "transforms/shape_edit.h"

struct type_word {
    const char *word;
    const char *native_type; /* NULL: not a type that a script can ask for */
    const char *native_type_in_key;
    fc_type type;
    uint16_t bits;
    uint16_t precision;
};

static const struct type_word type_words[] = {
    { "int", "bigint", "bigint", FC_TYPE_INT, 64, 0 },
    { "float", NULL, NULL, FC_TYPE_FLOAT, 0, 0 },
    { "double", "double", "double", FC_TYPE_DOUBLE, 0, 0 },
    { "decimal", NULL, NULL, FC_TYPE_DECIMAL, 0, 0 },
    { "text", "longtext", "varchar(255)", FC_TYPE_TEXT, 0, 0 },
    { "bytes", "longblob", "varbinary(255)", FC_TYPE_BYTES, 0, 0 },
    { "bit", NULL, NULL, FC_TYPE_BIT, 0, 0 },
    { "enum", NULL, NULL, FC_TYPE_ENUM, 0, 0 },
    { "set", NULL, NULL, FC_TYPE_SET, 0, 0 },
    { "json", "json", "json", FC_TYPE_JSON, 0, 0 },
    { "year", NULL, NULL, FC_TYPE_YEAR, 0, 0 },
    { "date", "date", "date", FC_TYPE_DATE, 0, 0 },
    { "time", "time(6)", "time(6)", FC_TYPE_TIME, 0, 6 },
    { "datetime", "datetime(6)", "datetime(6)", FC_TYPE_DATETIME, 0, 6 },
    { "timestamp", "timestamp(6)", "timestamp(6)", FC_TYPE_TIMESTAMP, 0, 6 },
    { "geometry", NULL, NULL, FC_TYPE_GEOMETRY, 0, 0 },
    { "vector", NULL, NULL, FC_TYPE_VECTOR, 0, 0 },
    { "uuid", NULL, NULL, FC_TYPE_UUID, 0, 0 },
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
