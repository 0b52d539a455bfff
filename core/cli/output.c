/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"
#include "core/base/terminal.h"
#include "core/base/time_text.h"
#include "core/base/utf8.h"

enum { CELL_BYTES_MAX = 64 * 1024, COLUMNS_MAX = 24, GAP = 2 };

json_t *fc_output_text(const char *text, size_t len)
{
    json_t *string = json_stringn(text, len); /* NULL when it is no UTF-8 */
    struct fc_buf fixed;
    if (string != NULL) {
        return string;
    }
    fc_buf_init(&fixed, 3 * len + 1);
    fc_utf8_repair(fc_slice_of(text, len), &fixed);
    string = json_stringn((const char *)fixed.data, fixed.len);
    fc_buf_release(&fixed);
    return string;
}

json_t *fc_output_string(const char *text)
{
    return text == NULL ? json_null() : fc_output_text(text, strlen(text));
}

/* --- tables ------------------------------------------------------------------------------- */

static void append_scalar(struct fc_buf *cell, const json_t *value, fc_column_kind kind)
{
    char text[FC_TIME_STAMP_SIZE];
    if (json_is_string(value)) {
        fc_buf_append(cell, json_string_value(value), json_string_length(value));
    } else if (json_is_integer(value) && kind == FC_COLUMN_BYTES) {
        fc_buf_append_text(cell, fc_human_bytes((uint64_t)json_integer_value(value), text));
    } else if (json_is_integer(value) && kind == FC_COLUMN_TIME) {
        fc_buf_append_text(cell, fc_time_format_ms(json_integer_value(value), text));
    } else if (json_is_integer(value)) {
        fc_buf_append_i64(cell, json_integer_value(value));
    } else if (json_is_real(value)) {
        fc_buf_append_fmt(cell, "%.1f", json_real_value(value));
    } else if (json_is_boolean(value)) {
        fc_buf_append_text(cell, json_is_true(value) ? "yes" : "no");
    } else {
        fc_buf_append_text(cell, "-");
    }
}

/* The cell's text, to be freed; what would end the line is shown as '?'. */
static char *cell_text(const json_t *row, const struct fc_column *column)
{
    const json_t *value = json_object_get(row, column->key);
    struct fc_buf cell;
    char *text;
    fc_buf_init(&cell, CELL_BYTES_MAX);
    if (json_is_array(value)) {
        for (size_t index = 0; index < json_array_size(value); index++) {
            fc_buf_append_text(&cell, index == 0 ? "" : ",");
            append_scalar(&cell, json_array_get(value, index), column->kind);
        }
    } else {
        append_scalar(&cell, value, column->kind);
    }
    if (cell.len == 0) {
        fc_buf_append_text(&cell, "-");
    }
    text = fc_strndup((const char *)cell.data, cell.len);
    for (char *at = text; *at != '\0'; at++) {
        *at = (unsigned char)*at < ' ' || *at == 0x7f ? '?' : *at;
    }
    fc_buf_release(&cell);
    return text;
}

static void print_cell(FILE *out, const char *text, size_t width, bool right, bool last)
{
    size_t used = fc_utf8_columns(text);
    int pad = (int)(width > used ? width - used : 0);
    if (right) {
        (void)fprintf(out, "%*s%s", pad, "", text);
    } else {
        (void)fprintf(out, "%s%*s", text, last ? 0 : pad, "");
    }
    (void)fprintf(out, "%s", last ? "\n" : "  ");
}

void fc_output_table(FILE *out, json_t *rows, const struct fc_column *columns)
{
    size_t row_count = json_array_size(rows);
    size_t count = 0;
    size_t widths[COLUMNS_MAX] = { 0 };
    char **cells;
    while (columns[count].title != NULL) {
        widths[count] = strlen(columns[count].title);
        count++;
    }
    fc_assert(count > 0 && count <= COLUMNS_MAX);
    cells = fc_new_array(char *, row_count *count + 1);
    for (size_t index = 0; index < row_count * count; index++) {
        size_t width;
        cells[index] = cell_text(json_array_get(rows, index / count), &columns[index % count]);
        width = fc_utf8_columns(cells[index]);
        widths[index % count] = width > widths[index % count] ? width : widths[index % count];
    }
    for (size_t index = 0; index < count; index++) {
        print_cell(out, columns[index].title, widths[index],
                   columns[index].kind == FC_COLUMN_NUMBER ||
                       columns[index].kind == FC_COLUMN_BYTES,
                   index + 1 == count);
    }
    for (size_t index = 0; index < row_count * count; index++) {
        fc_column_kind kind = columns[index % count].kind;
        print_cell(out, cells[index], widths[index % count],
                   kind == FC_COLUMN_NUMBER || kind == FC_COLUMN_BYTES,
                   index % count + 1 == count);
        free(cells[index]);
    }
    free(cells);
}

/* --- YAML --------------------------------------------------------------------------------- */

/* A text that YAML reads as itself without quotes. */
static bool is_plain(const char *text)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/";
    static const char *const words[] = { "true", "false", "null", "yes", "no", "on",
                                         "off",  "y",     "n",    "inf", "nan" };
    if (*text == '\0' || strchr(first, *text) == NULL ||
        text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                          "_./-")] != '\0') {
        return false;
    }
    for (size_t index = 0; index < sizeof(words) / sizeof(*words); index++) {
        if (strcasecmp(text, words[index]) == 0) {
            return false;
        }
    }
    return true;
}

/* Quoted as JSON is, which YAML reads the same. */
static void print_yaml_text(FILE *out, const json_t *value)
{
    char *quoted;
    if (is_plain(json_string_value(value)) &&
        strlen(json_string_value(value)) == json_string_length(value)) {
        (void)fputs(json_string_value(value), out);
        return;
    }
    quoted = json_dumps(value, JSON_ENCODE_ANY);
    (void)fputs(quoted == NULL ? "\"\"" : quoted, out);
    free(quoted);
}

static void print_yaml_scalar(FILE *out, const json_t *value)
{
    if (json_is_string(value)) {
        print_yaml_text(out, value);
    } else if (json_is_integer(value)) {
        (void)fprintf(out, "%" PRId64, (int64_t)json_integer_value(value));
    } else if (json_is_real(value)) {
        (void)fprintf(out, "%.17g", json_real_value(value));
    } else if (json_is_boolean(value)) {
        (void)fputs(json_is_true(value) ? "true" : "false", out);
    } else if (json_is_array(value)) {
        (void)fputs("[]", out);
    } else {
        (void)fputs(json_is_object(value) ? "{}" : "null", out);
    }
}

static bool is_nested(const json_t *value)
{
    return (json_is_array(value) && json_array_size(value) > 0) ||
           (json_is_object(value) && json_object_size(value) > 0);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as our own results, four levels */
static void print_yaml(FILE *out, json_t *value, int indent, bool continued)
{
    const char *key;
    json_t *child;
    size_t index;
    bool first = continued;
    if (json_is_array(value)) {
        json_array_foreach(value, index, child)
        {
            (void)fprintf(out, "%*s- ", first ? 0 : indent, "");
            first = false;
            if (is_nested(child)) {
                print_yaml(out, child, indent + GAP, true);
            } else {
                print_yaml_scalar(out, child);
                (void)fputc('\n', out);
            }
        }
        return;
    }
    json_object_foreach(value, key, child)
    {
        json_t *name = json_string(key);
        (void)fprintf(out, "%*s", first ? 0 : indent, "");
        first = false;
        print_yaml_text(out, name);
        json_decref(name);
        (void)fputs(is_nested(child) ? ":\n" : ": ", out);
        if (is_nested(child)) {
            print_yaml(out, child, indent + (json_is_array(child) ? 0 : GAP), false);
        } else {
            print_yaml_scalar(out, child);
            (void)fputc('\n', out);
        }
    }
}

/* --- all ---------------------------------------------------------------------------------- */

void fc_output_value(struct fc_cli *cli, json_t *value)
{
    if (cli->format != FC_CLI_YAML) {
        (void)json_dumpf(value, cli->out, JSON_INDENT(2) | JSON_ENCODE_ANY);
        (void)fputc('\n', cli->out);
    } else if (is_nested(value)) {
        print_yaml(cli->out, value, 0, false);
    } else {
        print_yaml_scalar(cli->out, value);
        (void)fputc('\n', cli->out);
    }
}

void fc_output_rows(struct fc_cli *cli, json_t *rows, const struct fc_column *columns)
{
    if (cli->format == FC_CLI_TABLE) {
        fc_output_table(cli->out, rows, columns);
    } else {
        fc_output_value(cli, rows);
    }
}
