/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/options_check.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/quantity.h"
#include "core/base/suggest.h"
#include "core/base/yaml.h"

struct value {
    const struct fc_option *option;
    const struct fc_yaml_node *node; /* NULL: the default, or nothing */
    const char *text;
    int64_t number;
    const char **items;
    uint32_t count;
    bool has_default_yaml;
    struct fc_yaml default_yaml; /* of a LIST's default */
};

struct fc_options {
    struct fc_options_source source;
    struct value *values;
    uint32_t count;
    char *warning;
};

const char *fc_option_type_name(fc_option_type type)
{
    switch (type) {
    case FC_OPTION_TEXT:
        return "text";
    case FC_OPTION_SECRET:
        return "secret";
    case FC_OPTION_BOOL:
        return "bool";
    case FC_OPTION_INT:
        return "int";
    case FC_OPTION_SIZE:
        return "size";
    case FC_OPTION_DURATION:
        return "duration";
    case FC_OPTION_CHOICE:
        return "choice";
    case FC_OPTION_LIST:
        return "list";
    case FC_OPTION_MAP:
        return "map";
    }
    return "?";
}

static const char *expected(fc_option_type type)
{
    switch (type) {
    case FC_OPTION_TEXT:
    case FC_OPTION_SECRET:
        return "a text";
    case FC_OPTION_BOOL:
        return "true or false";
    case FC_OPTION_INT:
        return "a whole number";
    case FC_OPTION_SIZE:
        return "a size such as 512KiB, 64MiB or 1GiB";
    case FC_OPTION_DURATION:
        return "a duration such as 250ms, 30s, 5m, 1h or 7d";
    case FC_OPTION_CHOICE:
        return "one of the choices";
    case FC_OPTION_LIST:
        return "a list such as [a, b]";
    case FC_OPTION_MAP:
        return "a map such as { name: value }";
    }
    return "?";
}

/* What stands in the file, for a message; never a secret. */
static const char *shown(const struct fc_option *option, const struct fc_yaml_node *node,
                         char *to, size_t size)
{
    if (node->kind != FC_YAML_SCALAR) {
        return fc_yaml_kind_name(node);
    }
    if (node->secret || option->type == FC_OPTION_SECRET) {
        return "what the secret holds";
    }
    (void)snprintf(to, size, "`%.*s`%s", 60, node->text, node->quoted ? " in quotes" : "");
    return to;
}

static fc_code fail_type(const struct fc_options *options, const struct fc_option *option,
                         const struct fc_yaml_node *node, struct fc_error *err)
{
    char text[80];
    return fc_yaml_fail(options->source.path, node, err, "`%s` must be %s, not %s", option->key,
                        expected(option->type), shown(option, node, text, sizeof(text)));
}

/* A bound as it would stand in a file. */
static const char *bound_text(fc_option_type type, int64_t value, char *to, size_t size)
{
    static const struct {
        int64_t factor;
        const char *name;
    } sizes[] = { { INT64_C(1) << 40, "TiB" },
                  { 1 << 30, "GiB" },
                  { 1 << 20, "MiB" },
                  { 1 << 10, "KiB" } },
      times[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" } };
    const char *unit = type == FC_OPTION_DURATION && value != 0 ? "ms" : "";
    int64_t factor = 1;
    for (size_t index = 0; value != 0 && index < 4 && factor == 1; index++) {
        if (type == FC_OPTION_SIZE && value % sizes[index].factor == 0) {
            factor = sizes[index].factor;
            unit = sizes[index].name;
        } else if (type == FC_OPTION_DURATION && value % times[index].factor == 0) {
            factor = times[index].factor;
            unit = times[index].name;
        }
    }
    (void)snprintf(to, size, "%" PRId64 "%s", value / factor, unit);
    return to;
}

static fc_code check_bounds(const struct fc_options *options, const struct value *value,
                            const struct fc_yaml_node *node, struct fc_error *err)
{
    const struct fc_option *option = value->option;
    char text[80];
    char min[32];
    char max[32];
    if ((option->min == 0 && option->max == 0) ||
        (value->number >= option->min && value->number <= option->max)) {
        return FC_OK;
    }
    (void)bound_text(option->type, option->min, min, sizeof(min));
    (void)bound_text(option->type, option->max, max, sizeof(max));
    if (option->max == INT64_MAX) {
        return fc_yaml_fail(options->source.path, node, err, "`%s` must be at least %s, not %s",
                            option->key, min, shown(option, node, text, sizeof(text)));
    }
    return fc_yaml_fail(options->source.path, node, err,
                        "`%s` must be between %s and %s, not %s", option->key, min, max,
                        shown(option, node, text, sizeof(text)));
}

static fc_code set_choice(const struct fc_options *options, struct value *value,
                          const struct fc_yaml_node *node, struct fc_error *err)
{
    const char *at = value->option->choices;
    char text[80];
    char hint[FC_SUGGEST_TEXT_SIZE];
    char word[64];
    struct fc_suggest suggest;
    char *nearest = NULL;
    fc_suggest_init(&suggest, node->text);
    while (*at != '\0') {
        size_t len = strcspn(at, "|");
        if (strlen(node->text) == len && strncmp(node->text, at, len) == 0) {
            value->text = node->text;
            free(nearest);
            return FC_OK;
        }
        (void)snprintf(word, sizeof(word), "%.*s", (int)len, at);
        fc_suggest_offer(&suggest, word);
        if (suggest.nearest == word) { /* the word's memory is used again */
            free(nearest);
            nearest = fc_strdup(word);
            suggest.nearest = nearest;
        }
        at += len + (at[len] == '|' ? 1 : 0);
    }
    (void)fc_yaml_fail(options->source.path, node, err, "`%s` must be one of %s, not %s%s",
                       value->option->key, value->option->choices,
                       shown(value->option, node, text, sizeof(text)),
                       node->secret ? "" : fc_suggest_text(&suggest, hint));
    free(nearest);
    return FC_ERR_CONFIG;
}

static fc_code set_list(const struct fc_options *options, struct value *value,
                        const struct fc_yaml_node *node, struct fc_error *err)
{
    value->items = fc_new_array(const char *, node->count);
    for (const struct fc_yaml_node *item = node->first; item != NULL; item = item->next) {
        if (item->kind != FC_YAML_SCALAR || fc_yaml_is_null(item)) {
            return fc_yaml_fail(options->source.path, item, err,
                                "`%s` must be a list of texts, but item %u is %s",
                                value->option->key, value->count + 1, fc_yaml_kind_name(item));
        }
        value->items[value->count++] = item->text;
    }
    return FC_OK;
}

static fc_code set_map(const struct fc_options *options, struct value *value,
                       const struct fc_yaml_node *node, struct fc_error *err)
{
    value->items = fc_new_array(const char *, 2 * (size_t)node->count + 1);
    for (const struct fc_yaml_node *item = node->first; item != NULL; item = item->next) {
        if (item->kind != FC_YAML_SCALAR || fc_yaml_is_null(item)) {
            return fc_yaml_fail(
                options->source.path, item, err, "`%.80s` must have one value, not %s",
                item->key, item->kind == FC_YAML_SCALAR ? "none" : fc_yaml_kind_name(item));
        }
        value->items[2 * (size_t)value->count] = item->key;
        value->items[2 * (size_t)value->count + 1] = item->text;
        value->count++;
    }
    return FC_OK;
}

static fc_yaml_kind kind_of(fc_option_type type)
{
    if (type == FC_OPTION_LIST) {
        return FC_YAML_LIST;
    }
    return type == FC_OPTION_MAP ? FC_YAML_MAP : FC_YAML_SCALAR;
}

static fc_code set_number(const struct fc_options *options, struct value *value,
                          const struct fc_yaml_node *node, struct fc_error *err)
{
    bool good = false;
    if (value->option->type == FC_OPTION_BOOL) {
        value->number = strcmp(node->text, "true") == 0 ? 1 : 0;
        good = value->number == 1 || strcmp(node->text, "false") == 0;
    } else if (value->option->type == FC_OPTION_INT) {
        good = fc_quantity_int(node->text, &value->number);
    } else if (value->option->type == FC_OPTION_SIZE) {
        good = fc_quantity_size(node->text, &value->number);
    } else {
        good = fc_quantity_duration(node->text, &value->number);
    }
    if (!good || (node->quoted && !node->secret)) {
        return fail_type(options, value->option, node, err);
    }
    return value->option->type == FC_OPTION_BOOL ? FC_OK
                                                 : check_bounds(options, value, node, err);
}

static fc_code set_value(const struct fc_options *options, struct value *value,
                         const struct fc_yaml_node *node, struct fc_error *err)
{
    if (fc_yaml_is_null(node)) {
        return fc_yaml_fail(options->source.path, node, err,
                            "`%s` has no value: give %s, or leave the key out",
                            value->option->key, expected(value->option->type));
    }
    if (node->kind != kind_of(value->option->type)) {
        return fail_type(options, value->option, node, err);
    }
    switch (value->option->type) {
    case FC_OPTION_TEXT:
    case FC_OPTION_SECRET:
        value->text = node->text;
        return FC_OK;
    case FC_OPTION_CHOICE:
        return set_choice(options, value, node, err);
    case FC_OPTION_LIST:
        return set_list(options, value, node, err);
    case FC_OPTION_MAP:
        return set_map(options, value, node, err);
    case FC_OPTION_BOOL:
    case FC_OPTION_INT:
    case FC_OPTION_SIZE:
    case FC_OPTION_DURATION:
        return set_number(options, value, node, err);
    }
    return FC_OK;
}

/* The table writes a default as it would stand in the file, so it is read the same way. */
static fc_code set_default(const struct fc_options *options, struct value *value,
                           struct fc_error *err)
{
    const struct fc_option *option = value->option;
    struct fc_yaml_node node = { .kind = FC_YAML_SCALAR, .line = 1, .column = 1 };
    fc_code code;
    if (option->type == FC_OPTION_TEXT || option->type == FC_OPTION_SECRET) {
        value->text = option->default_text;
        return FC_OK;
    }
    if (option->type == FC_OPTION_LIST) {
        code = fc_yaml_parse(fc_slice_text(option->default_text), option->key,
                             &value->default_yaml, err);
        value->has_default_yaml = code == FC_OK;
        code = code == FC_OK ? set_value(options, value, value->default_yaml.root, err) : code;
    } else {
        char *copy = fc_strdup(option->default_text);
        node.text = copy;
        code = set_value(options, value, &node, err);
        value->text = value->text == NULL ? NULL : option->default_text;
        free(copy);
    }
    if (code != FC_OK) {
        return fc_fail(err, FC_ERR_PROTOCOL,
                       "%s: the option table is wrong: default `%s` of `%s` is not %s",
                       options->source.what, option->default_text, option->key,
                       expected(option->type));
    }
    return FC_OK;
}

static struct value *find(const struct fc_options *options, const char *key)
{
    for (uint32_t index = 0; index < options->count; index++) {
        if (strcmp(options->values[index].option->key, key) == 0) {
            return &options->values[index];
        }
    }
    return NULL;
}

static bool is_other(const struct fc_options_source *source, const char *key,
                     struct fc_suggest *suggest)
{
    for (uint32_t index = 0; source->others != NULL && source->others[index] != NULL; index++) {
        if (strcmp(source->others[index], key) == 0) {
            return true;
        }
        fc_suggest_offer(suggest, source->others[index]);
    }
    return false;
}

static fc_code take_keys(struct fc_options *options, struct fc_error *err)
{
    const struct fc_options_source *source = &options->source;
    const struct fc_yaml_node *node = source->map == NULL ? NULL : source->map->first;
    for (; node != NULL; node = node->next) {
        struct value *value = find(options, node->key);
        struct fc_suggest suggest;
        char hint[FC_SUGGEST_TEXT_SIZE];
        fc_code code;
        fc_suggest_init(&suggest, node->key);
        if (value == NULL) {
            if (is_other(source, node->key, &suggest)) {
                continue;
            }
            for (uint32_t index = 0; index < options->count; index++) {
                fc_suggest_offer(&suggest, options->values[index].option->key);
            }
            return fc_yaml_fail_key(source->path, node, err, "unknown key `%.60s` in %s%s",
                                    node->key, source->what, fc_suggest_text(&suggest, hint));
        }
        code = set_value(options, value, node, err);
        if (code != FC_OK) {
            return code;
        }
        value->node = node;
        if (value->option->type == FC_OPTION_SECRET && source->readable_by_others &&
            !node->secret && options->warning == NULL) {
            options->warning = fc_asprintf(
                "%s:%u:%u: `%s` stands in clear in a file that others can read: use "
                "${{ secrets.NAME }}, or chmod 600 %s",
                source->path, node->line, node->column, node->key, source->path);
        }
    }
    return FC_OK;
}

static fc_code fill_the_rest(struct fc_options *options, struct fc_error *err)
{
    const struct fc_options_source *source = &options->source;
    for (uint32_t index = 0; index < options->count; index++) {
        struct value *value = &options->values[index];
        fc_code code = FC_OK;
        if (value->node != NULL) {
            continue;
        }
        if (value->option->required && source->map == NULL) {
            return fc_fail(err, FC_ERR_CONFIG, "%s: `%s` is missing: it needs at least `%s`",
                           source->path, source->what, value->option->key);
        }
        if (value->option->required) {
            return fc_yaml_fail(source->path, source->map, err, "`%s` is missing in %s: %s",
                                value->option->key, source->what, value->option->help);
        }
        if (value->option->default_text != NULL) {
            code = set_default(options, value, err);
        }
        if (code != FC_OK) {
            return code;
        }
    }
    return FC_OK;
}

fc_code fc_options_read(const struct fc_options_source *source, const struct fc_option *table,
                        struct fc_options **out_options, struct fc_error *err)
{
    struct fc_options *options = fc_new(struct fc_options);
    fc_code code = FC_OK;
    options->source = *source;
    while (table[options->count].key != NULL) {
        options->count++;
    }
    options->values = fc_new_array(struct value, options->count);
    for (uint32_t index = 0; index < options->count; index++) {
        options->values[index].option = &table[index];
    }
    if (source->map != NULL && source->map->kind != FC_YAML_MAP) {
        code = fc_yaml_fail(source->path, source->map, err,
                            "`%s` must be a map of keys and values, not %s", source->what,
                            fc_yaml_kind_name(source->map));
    }
    code = code == FC_OK ? take_keys(options, err) : code;
    code = code == FC_OK ? fill_the_rest(options, err) : code;
    if (code != FC_OK) {
        fc_options_free(options);
        return code;
    }
    *out_options = options;
    return FC_OK;
}

void fc_options_free(struct fc_options *options)
{
    if (options == NULL) {
        return;
    }
    for (uint32_t index = 0; index < options->count; index++) {
        free(options->values[index].items);
        if (options->values[index].has_default_yaml) {
            fc_yaml_release(&options->values[index].default_yaml);
        }
    }
    free(options->values);
    free(options->warning);
    free(options);
}

const char *fc_options_text(const struct fc_options *options, const char *key)
{
    const struct value *value = find(options, key);
    fc_assert(value != NULL);
    fc_assert(value->option->type == FC_OPTION_TEXT ||
              value->option->type == FC_OPTION_SECRET ||
              value->option->type == FC_OPTION_CHOICE);
    return value->text;
}

int64_t fc_options_int(const struct fc_options *options, const char *key)
{
    const struct value *value = find(options, key);
    fc_assert(value != NULL);
    fc_assert(value->option->type == FC_OPTION_BOOL || value->option->type == FC_OPTION_INT ||
              value->option->type == FC_OPTION_SIZE ||
              value->option->type == FC_OPTION_DURATION);
    return value->number;
}

uint32_t fc_options_list(const struct fc_options *options, const char *key,
                         const char *const **out_items)
{
    const struct value *value = find(options, key);
    fc_assert(value != NULL);
    fc_assert(value->option->type == FC_OPTION_LIST);
    *out_items = value->items;
    return value->count;
}

uint32_t fc_options_map(const struct fc_options *options, const char *key,
                        const char *const **out_pairs)
{
    const struct value *value = find(options, key);
    fc_assert(value != NULL);
    fc_assert(value->option->type == FC_OPTION_MAP);
    *out_pairs = value->items;
    return value->count;
}

const struct fc_yaml_node *fc_options_node(const struct fc_options *options, const char *key)
{
    const struct value *value = find(options, key);
    fc_assert(value != NULL);
    return value->node;
}

fc_code fc_options_wrap(const struct fc_options *options, const char *key, uint32_t item,
                        struct fc_error *err)
{
    const struct fc_yaml_node *node = fc_options_node(options, key);
    bool named = node != NULL && node->kind == FC_YAML_MAP && item != FC_OPTION_WHOLE;
    if (node == NULL) {
        return fc_wrap(err, "%s", options->source.path);
    }
    node = item == FC_OPTION_WHOLE ? node : fc_yaml_child(node, item);
    return named ? fc_yaml_wrap_key(options->source.path, node, err)
                 : fc_yaml_wrap(options->source.path, node, err);
}

const char *fc_options_warning(const struct fc_options *options)
{
    return options->warning;
}
