/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libyaml's events become nodes as they come, so a limit is met before what is past it is read;
 * an alias is refused where it stands, so nothing is ever expanded.
 */
#include "core/base/yaml.h"

#include <yaml.h>

#include "core/base/alloc.h"

enum { ARENA_BYTES_MAX = 16 * 1024 * 1024 };

/* A list or map whose end has not come yet. */
struct open_node {
    struct fc_yaml_node *node;
    struct fc_yaml_node *last; /* child */
};

struct builder {
    struct fc_yaml *yaml;
    struct open_node open[FC_YAML_DEPTH_MAX];
    uint32_t depth;
    uint32_t node_count;
    /* The key that waits for its value. */
    const char *key;
    uint32_t key_line;
    uint32_t key_column;
    bool document_seen;
    bool done;
};

/* A message is one line, whatever the file's texts hold. */
static void keep_one_line(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f) {
            *text = '?';
        }
    }
}

static void wrap(const char *path, uint32_t line, uint32_t column, struct fc_error *err)
{
    if (err != NULL) {
        (void)fc_wrap(err, "%s:%u:%u", path, line, column); /* its code stays */
        keep_one_line(err->message);
    }
}

fc_code fc_yaml_wrap(const char *path, const struct fc_yaml_node *node, struct fc_error *err)
{
    wrap(path, node->line, node->column, err);
    return err == NULL ? FC_ERR_CONFIG : err->code;
}

fc_code fc_yaml_wrap_key(const char *path, const struct fc_yaml_node *node,
                         struct fc_error *err)
{
    wrap(path, node->key_line, node->key_column, err);
    return err == NULL ? FC_ERR_CONFIG : err->code;
}

static fc_code vfail(const char *path, uint32_t line, uint32_t column, struct fc_error *err,
                     const char *fmt, va_list args)
{
    fc_code code = fc_vfail(err, FC_ERR_CONFIG, fmt, args);
    wrap(path, line, column, err);
    return code;
}

fc_code fc_yaml_fail(const char *path, const struct fc_yaml_node *node, struct fc_error *err,
                     const char *fmt, ...)
{
    fc_code code;
    va_list args;
    va_start(args, fmt);
    code = vfail(path, node->line, node->column, err, fmt, args);
    va_end(args);
    return code;
}

fc_code fc_yaml_fail_key(const char *path, const struct fc_yaml_node *node,
                         struct fc_error *err, const char *fmt, ...)
{
    fc_code code;
    va_list args;
    va_start(args, fmt);
    code = vfail(path, node->key_line, node->key_column, err, fmt, args);
    va_end(args);
    return code;
}

FC_PRINTF(4, 5)
static fc_code fail_at(const struct builder *builder, yaml_mark_t mark, struct fc_error *err,
                       const char *fmt, ...)
{
    fc_code code;
    va_list args;
    va_start(args, fmt);
    code = vfail(builder->yaml->path, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1, err,
                 fmt, args);
    va_end(args);
    return code;
}

/* Where a byte stands: the parser's reader tells offsets only. */
static yaml_mark_t mark_of_byte(struct fc_slice text, size_t offset)
{
    yaml_mark_t mark = { 0, 0, 0 };
    for (size_t index = 0; index < offset && index < text.len; index++) {
        if (text.data[index] == '\n') {
            mark.line++;
            mark.column = 0;
        } else if ((text.data[index] & 0xc0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

/* The usual reason why a line with "${{" is not YAML: within { } or [ ] its braces count. */
static const char *quotes_hint(struct fc_slice text, yaml_mark_t mark)
{
    const uint8_t *at = text.data;
    size_t left = text.len;
    for (size_t line = 0; line < mark.line && left > 0; line++) {
        const uint8_t *newline = memchr(at, '\n', left);
        left = newline == NULL ? 0 : left - (size_t)(newline + 1 - at);
        at = newline == NULL ? at : newline + 1;
    }
    if (left > 0) {
        const uint8_t *newline = memchr(at, '\n', left);
        size_t size = newline == NULL ? left : (size_t)(newline - at);
        if (memmem(at, size, "${{", 3) != NULL) {
            return ": put the text with ${{ ... }} in quotes";
        }
    }
    return "";
}

static fc_code fail_parser(const struct builder *builder, const yaml_parser_t *parser,
                           struct fc_slice text, struct fc_error *err)
{
    const char *problem = parser->problem == NULL ? "not YAML" : parser->problem;
    switch (parser->error) {
    case YAML_MEMORY_ERROR:
        return fc_fail(err, FC_ERR_NOMEM, "%s: no memory to parse it", builder->yaml->path);
    case YAML_READER_ERROR:
        return fail_at(builder, mark_of_byte(text, parser->problem_offset), err,
                       "not UTF-8 text (%s)", problem);
    case YAML_NO_ERROR:
    case YAML_SCANNER_ERROR:
    case YAML_PARSER_ERROR:
    case YAML_COMPOSER_ERROR:
    case YAML_WRITER_ERROR:
    case YAML_EMITTER_ERROR:
        break;
    }
    return fail_at(builder, parser->problem_mark, err, "not valid YAML: %s%s%s%s", problem,
                   parser->context == NULL ? "" : " ",
                   parser->context == NULL ? "" : parser->context,
                   quotes_hint(text, parser->problem_mark));
}

/* A copy in the tree's arena; NULL past its limit. */
static char *copy_text(struct builder *builder, const yaml_event_t *event)
{
    size_t len = event->data.scalar.length;
    char *text = fc_arena_alloc(&builder->yaml->arena, len + 1);
    if (text != NULL) {
        memcpy(text, event->data.scalar.value, len);
        text[len] = '\0';
    }
    return text;
}

static fc_code fail_memory(const struct builder *builder, struct fc_error *err)
{
    return fc_fail(err, FC_ERR_LIMIT, "%s: more than %d MiB of text", builder->yaml->path,
                   ARENA_BYTES_MAX / 1024 / 1024);
}

static fc_code take_key(struct builder *builder, const yaml_event_t *event,
                        struct fc_error *err)
{
    const struct fc_yaml_node *map = builder->open[builder->depth - 1].node;
    const struct fc_yaml_node *twin;
    char *key;
    if (event->type != YAML_SCALAR_EVENT) {
        return fail_at(builder, event->start_mark, err, "a key must be a plain word");
    }
    if (event->data.scalar.length == 0) {
        return fail_at(builder, event->start_mark, err, "a key is empty");
    }
    key = copy_text(builder, event);
    if (key == NULL) {
        return fail_memory(builder, err);
    }
    twin = fc_yaml_get(map, key);
    if (twin != NULL) {
        return fail_at(builder, event->start_mark, err,
                       "key `%.60s` stands twice; the first is at line %u", key,
                       twin->key_line);
    }
    builder->key = key;
    builder->key_line = (uint32_t)event->start_mark.line + 1;
    builder->key_column = (uint32_t)event->start_mark.column + 1;
    return FC_OK;
}

static void attach(struct builder *builder, struct fc_yaml_node *node)
{
    struct open_node *parent;
    if (builder->depth == 0) {
        builder->yaml->root = node;
        return;
    }
    parent = &builder->open[builder->depth - 1];
    fc_assert(parent->node != NULL);
    node->key = builder->key;
    node->key_line = builder->key_line;
    node->key_column = builder->key_column;
    builder->key = NULL;
    if (parent->last == NULL) {
        parent->node->first = node;
    } else {
        parent->last->next = node;
    }
    parent->last = node;
    parent->node->count++;
}

static fc_code add_node(struct builder *builder, const yaml_event_t *event, fc_yaml_kind kind,
                        struct fc_error *err)
{
    struct fc_yaml_node *node;
    const struct fc_yaml_node *parent =
        builder->depth == 0 ? NULL : builder->open[builder->depth - 1].node;
    bool in_map = parent != NULL && parent->kind == FC_YAML_MAP;
    if (++builder->node_count > FC_YAML_NODES_MAX) {
        return fail_at(builder, event->start_mark, err, "more than %d values in one file",
                       FC_YAML_NODES_MAX);
    }
    if (in_map && builder->key == NULL) {
        return take_key(builder, event, err);
    }
    node = fc_arena_alloc(&builder->yaml->arena, sizeof(*node));
    if (node == NULL) {
        return fail_memory(builder, err);
    }
    memset(node, 0, sizeof(*node));
    node->kind = kind;
    node->line = (uint32_t)event->start_mark.line + 1;
    node->column = (uint32_t)event->start_mark.column + 1;
    if (kind == FC_YAML_SCALAR) {
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        node->text = copy_text(builder, event);
        if (node->text == NULL) {
            return fail_memory(builder, err);
        }
    }
    attach(builder, node);
    if (kind != FC_YAML_SCALAR) {
        if (builder->depth == FC_YAML_DEPTH_MAX) {
            return fail_at(builder, event->start_mark, err, "nested deeper than %d levels",
                           FC_YAML_DEPTH_MAX);
        }
        builder->open[builder->depth].node = node;
        builder->open[builder->depth].last = NULL;
        builder->depth++;
    }
    return FC_OK;
}

static fc_code refuse_extras(const struct builder *builder, const yaml_event_t *event,
                             const yaml_char_t *anchor, const yaml_char_t *tag,
                             struct fc_error *err)
{
    if (anchor != NULL) {
        return fail_at(builder, event->start_mark, err,
                       "anchors (`&%.40s`) are not supported: write the value out",
                       (const char *)anchor);
    }
    if (tag != NULL) {
        return fail_at(builder, event->start_mark, err,
                       "tags (`%.40s`) are not supported: leave it out", (const char *)tag);
    }
    return FC_OK;
}

static fc_code on_event(struct builder *builder, const yaml_event_t *event,
                        struct fc_error *err)
{
    fc_code code = FC_OK;
    switch (event->type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return FC_OK;
    case YAML_DOCUMENT_START_EVENT:
        if (builder->document_seen) {
            return fail_at(builder, event->start_mark, err,
                           "a second document begins here: one file, one connector");
        }
        builder->document_seen = true;
        return FC_OK;
    case YAML_STREAM_END_EVENT:
        builder->done = true;
        return FC_OK;
    case YAML_ALIAS_EVENT:
        return fail_at(builder, event->start_mark, err,
                       "aliases (`*%.40s`) are not supported: write the value out",
                       (const char *)event->data.alias.anchor);
    case YAML_SCALAR_EVENT:
        code = refuse_extras(builder, event, event->data.scalar.anchor, event->data.scalar.tag,
                             err);
        if (code == FC_OK &&
            memchr(event->data.scalar.value, '\0', event->data.scalar.length) != NULL) {
            code = fail_at(builder, event->start_mark, err, "a text holds a NUL character");
        }
        return code == FC_OK ? add_node(builder, event, FC_YAML_SCALAR, err) : code;
    case YAML_SEQUENCE_START_EVENT:
        code = refuse_extras(builder, event, event->data.sequence_start.anchor,
                             event->data.sequence_start.tag, err);
        return code == FC_OK ? add_node(builder, event, FC_YAML_LIST, err) : code;
    case YAML_MAPPING_START_EVENT:
        code = refuse_extras(builder, event, event->data.mapping_start.anchor,
                             event->data.mapping_start.tag, err);
        return code == FC_OK ? add_node(builder, event, FC_YAML_MAP, err) : code;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        builder->depth--;
        return FC_OK;
    }
    return FC_OK;
}

static fc_code parse_events(struct builder *builder, yaml_parser_t *parser,
                            struct fc_slice text, struct fc_error *err)
{
    while (!builder->done) {
        yaml_event_t event;
        fc_code code;
        if (yaml_parser_parse(parser, &event) == 0) {
            return fail_parser(builder, parser, text, err);
        }
        code = on_event(builder, &event, err);
        yaml_event_delete(&event);
        if (code != FC_OK) {
            return code;
        }
    }
    if (builder->yaml->root == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "%s: the file is empty", builder->yaml->path);
    }
    return FC_OK;
}

fc_code fc_yaml_parse(struct fc_slice text, const char *path, struct fc_yaml *out_yaml,
                      struct fc_error *err)
{
    struct fc_yaml yaml = { .path = path };
    struct builder builder = { .yaml = &yaml };
    static const unsigned char nothing[1] = { 0 };
    yaml_parser_t parser;
    fc_code code;
    fc_arena_init(&yaml.arena, ARENA_BYTES_MAX);
    if (yaml_parser_initialize(&parser) == 0) {
        return fc_fail(err, FC_ERR_NOMEM, "%s: no memory to parse it", path);
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, text.len == 0 ? nothing : text.data, text.len);
    code = parse_events(&builder, &parser, text, err);
    yaml_parser_delete(&parser);
    if (code != FC_OK) {
        fc_yaml_release(&yaml);
        return code;
    }
    *out_yaml = yaml;
    return FC_OK;
}

/* Depth is bounded by FC_YAML_DEPTH_MAX. */
static void wipe(struct fc_yaml_node *node)
{
    if (node->text != NULL) {
        explicit_bzero(node->text, strlen(node->text));
    }
    for (struct fc_yaml_node *child = node->first; child != NULL; child = child->next) {
        wipe(child);
    }
}

void fc_yaml_release(struct fc_yaml *yaml)
{
    if (yaml->root != NULL) {
        wipe(yaml->root);
        yaml->root = NULL;
    }
    fc_arena_release(&yaml->arena);
}

struct fc_yaml_node *fc_yaml_get(const struct fc_yaml_node *map, const char *key)
{
    struct fc_yaml_node *child = map == NULL ? NULL : map->first;
    while (child != NULL && (child->key == NULL || strcmp(child->key, key) != 0)) {
        child = child->next;
    }
    return child;
}

const struct fc_yaml_node *fc_yaml_child(const struct fc_yaml_node *node, uint32_t index)
{
    fc_assert(index < node->count);
    node = node->first;
    for (; index > 0; index--) {
        node = node->next;
    }
    return node;
}

bool fc_yaml_is_null(const struct fc_yaml_node *node)
{
    return node->kind == FC_YAML_SCALAR && !node->quoted && !node->secret &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
            strcmp(node->text, "null") == 0);
}

const char *fc_yaml_kind_name(const struct fc_yaml_node *node)
{
    switch (node->kind) {
    case FC_YAML_SCALAR:
        return fc_yaml_is_null(node) ? "empty" : "a single value";
    case FC_YAML_LIST:
        return "a list";
    case FC_YAML_MAP:
        return "a map";
    }
    return "?";
}
