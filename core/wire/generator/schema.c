/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Line by line: a line's indentation says to which struct it belongs, `owners[depth]` is the struct that
 * is open there. A field of a struct type that the message does not know yet opens the next depth.
 */
#include "core/wire/generator/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 512, WORDS_MAX = 16, DEPTH_MAX = 8, INDENT = 2 };

static const struct primitive primitives[] = {
    { "bool", "bool", "BOOL", false },
    { "int8", "int8_t", "INT8", false },
    { "int16", "int16_t", "INT16", false },
    { "uint16", "uint16_t", "UINT16", false },
    { "int32", "int32_t", "INT32", false },
    { "uint32", "uint32_t", "UINT32", false },
    { "int64", "int64_t", "INT64", false },
    { "float64", "double", "FLOAT64", false },
    { "uuid", "struct fc_uuid", "UUID", false },
    { "string", "struct fc_slice", "STRING", true },
    { "bytes", "struct fc_slice", "BYTES", true },
    { "records", "struct fc_slice", "RECORDS", true },
};

struct parser {
    struct schema *schema;
    const char *path;
    int line;
    struct api *api;                     /* the open one, or NULL */
    struct composite *message;           /* the open one, or NULL */
    int first_struct;                    /* index of the open message in schema->structs */
    struct composite *owners[DEPTH_MAX]; /* by depth; NULL: nothing may stand there */
    char *words[WORDS_MAX];
    int word_count;
};

void schema_fail(const char *where, int line, const char *fmt, ...)
{
    va_list args;
    (void)fprintf(stderr, "%s:%d: ", where, line);
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fputc('\n', stderr);
    exit(1); /* NOLINT(concurrency-mt-unsafe): there is one thread */
}

static void copy_name(const struct parser *parser, char to[NAME_SIZE], const char *from)
{
    if (strlen(from) >= NAME_SIZE) {
        schema_fail(parser->path, parser->line, "%s is too long", from);
    }
    memcpy(to, from, strlen(from) + 1);
}

static int number(const struct parser *parser, const char *word)
{
    char *end;
    long value = strtol(word, &end, 10);
    if (end == word || *end != '\0' || value < 0 || value >= NEVER) {
        schema_fail(parser->path, parser->line, "%s is not a number", word);
    }
    return (int)value;
}

/* "3", "3-5" or "3+". */
static void versions(const struct parser *parser, const char *word, int last, int *from,
                     int *to)
{
    char first[NAME_SIZE];
    size_t digits = strspn(word, "0123456789");
    copy_name(parser, first, word);
    first[digits] = '\0';
    *from = number(parser, first);
    if (word[digits] == '\0') {
        *to = *from;
    } else if (strcmp(word + digits, "+") == 0) {
        *to = last;
    } else if (word[digits] == '-') {
        *to = number(parser, word + digits + 1);
    } else {
        schema_fail(parser->path, parser->line, "%s are no versions", word);
    }
}

static struct composite *new_struct(const struct parser *parser, const char *name)
{
    struct schema *schema = parser->schema;
    struct composite *made = &schema->structs[schema->struct_count];
    if (schema->struct_count == STRUCTS_MAX) {
        schema_fail(parser->path, parser->line, "more than %d structs", STRUCTS_MAX);
    }
    schema->struct_count++;
    copy_name(parser, made->name, name);
    return made;
}

static void close_message(struct parser *parser)
{
    struct schema *schema = parser->schema;
    /* Children come behind their parents in `structs`; backwards, they come before them. */
    for (int index = schema->struct_count - 1; parser->message != NULL;) {
        const struct composite *closed = &schema->structs[index--];
        if (closed->field_count == 0 && closed != parser->message) {
            schema_fail(parser->path, parser->line, "%s has no fields", closed->name);
        }
        schema->order[schema->order_count++] = closed;
        if (closed == parser->message) {
            parser->message = NULL;
        }
    }
}

static void open_message(struct parser *parser, const char *name, int min, int max,
                         int flexible_from)
{
    parser->first_struct = parser->schema->struct_count;
    parser->message = new_struct(parser, name);
    parser->message->is_message = true;
    parser->message->version_min = min;
    parser->message->version_max = max;
    parser->message->flexible_from = flexible_from;
    memset(parser->owners, 0, sizeof(parser->owners));
    parser->owners[1] = parser->message;
}

/* The number behind the word `key`, or `otherwise`. */
static int option(const struct parser *parser, const char *key, int first, int otherwise)
{
    for (int index = first; index + 1 < parser->word_count; index += 2) {
        if (strcmp(parser->words[index], key) == 0) {
            return number(parser, parser->words[index + 1]);
        }
    }
    return otherwise;
}

/* api KEY NAME VERSIONS [advertise N] [flexible N] */
static void read_api(struct parser *parser)
{
    struct schema *schema = parser->schema;
    close_message(parser);
    if (parser->word_count < 4 || schema->api_count == APIS_MAX) {
        schema_fail(parser->path, parser->line,
                    "api KEY NAME VERSIONS [advertise N] [flexible N]");
    }
    parser->api = &schema->apis[schema->api_count++];
    parser->api->key = number(parser, parser->words[1]);
    copy_name(parser, parser->api->name, parser->words[2]);
    versions(parser, parser->words[3], NEVER, &parser->api->version_min,
             &parser->api->version_max);
    parser->api->advertised_min = option(parser, "advertise", 4, parser->api->version_min);
    parser->api->flexible_from = option(parser, "flexible", 4, NEVER);
}

static void read_side(struct parser *parser)
{
    char name[NAME_SIZE * 2];
    bool is_request = strcmp(parser->words[0], "request") == 0;
    close_message(parser);
    if (parser->api == NULL || parser->word_count > 1) {
        schema_fail(parser->path, parser->line, "%s belongs behind an api", parser->words[0]);
    }
    (void)snprintf(name, sizeof(name), "%s_%s", parser->api->name, parser->words[0]);
    open_message(parser, name, parser->api->version_min, parser->api->version_max,
                 parser->api->flexible_from);
    if (is_request) {
        parser->api->request = parser->message;
    } else {
        parser->api->response = parser->message;
    }
}

/* message NAME VERSIONS [flexible N] */
static void read_message(struct parser *parser)
{
    int min;
    int max;
    close_message(parser);
    parser->api = NULL;
    if (parser->word_count < 3) {
        schema_fail(parser->path, parser->line, "message NAME VERSIONS [flexible N]");
    }
    versions(parser, parser->words[2], NEVER, &min, &max);
    open_message(parser, parser->words[1], min, max, option(parser, "flexible", 3, NEVER));
}

/* The message's struct of that name; a new one opens the next depth. */
static const struct composite *find_struct(struct parser *parser, int depth, const char *name)
{
    char full[NAME_SIZE * 2];
    struct composite *made;
    (void)snprintf(full, sizeof(full), "%s_%s", parser->message->name, name);
    for (int index = parser->first_struct; index < parser->schema->struct_count; index++) {
        if (strcmp(parser->schema->structs[index].name, full) == 0) {
            return &parser->schema->structs[index];
        }
    }
    if (depth + 1 == DEPTH_MAX) {
        schema_fail(parser->path, parser->line, "%s is nested too deeply", full);
    }
    made = new_struct(parser, full);
    made->version_min = parser->message->version_min;
    made->version_max = parser->message->version_max;
    made->flexible_from = parser->message->flexible_from;
    parser->owners[depth + 1] = made;
    return made;
}

static void read_type(struct parser *parser, int depth, struct field *field, const char *word)
{
    field->array = strncmp(word, "[]", 2) == 0;
    word += field->array ? 2 : 0;
    for (size_t index = 0; index < sizeof(primitives) / sizeof(primitives[0]); index++) {
        if (strcmp(word, primitives[index].name) == 0) {
            field->primitive = &primitives[index];
            return;
        }
    }
    field->composite = find_struct(parser, depth, word);
}

static void check_field(const struct parser *parser, const struct composite *owner,
                        const struct field *field)
{
    const struct field *before = owner->field_count > 1 ? field - 1 : NULL;
    bool is_slice = field->primitive != NULL && field->primitive->is_slice;
    bool is_null = strcmp(field->initial, "null") == 0;
    if (field->null_from != NEVER && !field->array && field->composite == NULL && !is_slice) {
        schema_fail(parser->path, parser->line, "%s cannot be null", field->name);
    }
    if (is_null && field->null_from == NEVER) {
        schema_fail(parser->path, parser->line, "%s is never null", field->name);
    }
    if (field->initial[0] != '\0' && !is_null &&
        (field->array || field->primitive == NULL || is_slice)) {
        schema_fail(parser->path, parser->line, "%s has a default that only numbers can have",
                    field->name);
    }
    if (field_is_pointer(field) && !is_null) {
        schema_fail(parser->path, parser->line,
                    "%s needs = null: a struct that may be null is a pointer", field->name);
    }
    if (field->tag >= 0 && field->from < owner->flexible_from) {
        schema_fail(parser->path, parser->line, "%s is tagged before version %d", field->name,
                    owner->flexible_from);
    }
    for (; before != NULL && before >= owner->fields; before--) {
        if (strcmp(before->name, field->name) == 0) {
            schema_fail(parser->path, parser->line, "%s stands twice", field->name);
        }
        if (field->tag >= 0 && before->tag >= field->tag) {
            schema_fail(parser->path, parser->line, "tag %d stands behind a larger one",
                        field->tag);
        }
    }
}

/* NAME TYPE VERSIONS [null N] [tag N] [= DEFAULT] */
static void read_field(struct parser *parser, int depth)
{
    struct composite *owner = depth < DEPTH_MAX ? parser->owners[depth] : NULL;
    struct field *field;
    if (parser->message == NULL || owner == NULL || parser->word_count < 3) {
        schema_fail(parser->path, parser->line, "no field can stand here");
    }
    if (owner->field_count == FIELDS_MAX) {
        schema_fail(parser->path, parser->line, "%s has more than %d fields", owner->name,
                    FIELDS_MAX);
    }
    for (int below = depth + 1; below < DEPTH_MAX; below++) {
        parser->owners[below] = NULL;
    }
    field = &owner->fields[owner->field_count++];
    copy_name(parser, field->name, parser->words[0]);
    read_type(parser, depth, field, parser->words[1]);
    versions(parser, parser->words[2], owner->version_max, &field->from, &field->to);
    field->null_from = option(parser, "null", 3, NEVER);
    field->tag = option(parser, "tag", 3, -1);
    for (int index = 3; index < parser->word_count; index += 2) {
        const char *key = parser->words[index];
        if (index + 1 == parser->word_count ||
            (strcmp(key, "null") != 0 && strcmp(key, "tag") != 0 && strcmp(key, "=") != 0)) {
            schema_fail(parser->path, parser->line, "%s is not [null N] [tag N] [= DEFAULT]",
                        key);
        }
        if (strcmp(key, "=") == 0) {
            copy_name(parser, field->initial, parser->words[index + 1]);
        }
    }
    check_field(parser, owner, field);
}

static void read_line(struct parser *parser, char *line)
{
    size_t indent = strspn(line, " ");
    char *rest = line;
    char *word;
    parser->word_count = 0;
    line[strcspn(line, "#\n")] = '\0';
    while ((word = strtok_r(rest, " ", &rest)) != NULL) {
        if (parser->word_count == WORDS_MAX) {
            schema_fail(parser->path, parser->line, "more than %d words", WORDS_MAX);
        }
        parser->words[parser->word_count++] = word;
    }
    if (parser->word_count == 0) {
        return;
    }
    if (indent > 0) {
        if (indent % INDENT != 0) {
            schema_fail(parser->path, parser->line, "indent by %d", INDENT);
        }
        read_field(parser, (int)indent / INDENT);
    } else if (strcmp(parser->words[0], "api") == 0) {
        read_api(parser);
    } else if (strcmp(parser->words[0], "message") == 0) {
        read_message(parser);
    } else if (strcmp(parser->words[0], "request") == 0 ||
               strcmp(parser->words[0], "response") == 0) {
        read_side(parser);
    } else {
        schema_fail(parser->path, parser->line, "%s is not api, request, response or message",
                    parser->words[0]);
    }
}

void schema_read(struct schema *schema, const char *path)
{
    struct parser parser = { .schema = schema, .path = path };
    char line[LINE_SIZE];
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        schema_fail(parser.path, parser.line, "cannot be read");
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        parser.line++;
        read_line(&parser, line);
    }
    close_message(&parser);
    (void)fclose(file); /* nothing was written */
}

static int by_key(const void *a, const void *b)
{
    return ((const struct api *)a)->key - ((const struct api *)b)->key;
}

void schema_finish(struct schema *schema)
{
    qsort(schema->apis, (size_t)schema->api_count, sizeof(schema->apis[0]), by_key);
    for (int index = 0; index < schema->api_count; index++) {
        const struct api *api = &schema->apis[index];
        if (api->request == NULL || api->response == NULL ||
            (index > 0 && api->key == api[-1].key)) {
            schema_fail(api->name, api->key, "the api lacks a side or its key stands twice");
        }
    }
}
