/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/yaml_json.h"

#include <math.h>
#include <stdlib.h>

#include <jansson.h>

#include "core/base/quantity.h"

/* Digits, '.', exponent and sign only, with at least one digit: what strtod takes beyond that
 * (hexadecimal, "inf") is text in a file. */
static bool looks_like_real(const char *text)
{
    return strspn(text, "0123456789.eE+-") == strlen(text) &&
           strpbrk(text, "0123456789") != NULL;
}

static json_t *scalar(const struct fc_yaml_node *node)
{
    int64_t number = 0;
    double real = 0;
    char *end = NULL;
    if (node->quoted || node->secret) {
        return json_string(node->text);
    }
    if (fc_yaml_is_null(node)) {
        return json_null();
    }
    if (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0) {
        return json_boolean(node->text[0] == 't');
    }
    if (fc_quantity_int(node->text, &number)) {
        return json_integer(number);
    }
    if (looks_like_real(node->text)) {
        real = strtod(node->text, &end);
        if (*end == '\0' && isfinite(real)) {
            return json_real(real);
        }
    }
    return json_string(node->text);
}

/* NULL when memory is gone. Depth is bounded by the YAML tree's. */
static json_t *convert(const struct fc_yaml_node *node)
{
    json_t *json = NULL;
    int failed = 0;
    switch (node->kind) {
    case FC_YAML_SCALAR:
        return scalar(node);
    case FC_YAML_LIST:
        json = json_array();
        break;
    case FC_YAML_MAP:
        json = json_object();
        break;
    }
    for (const struct fc_yaml_node *child = node->first; child != NULL; child = child->next) {
        failed |= node->kind == FC_YAML_LIST
                      ? json_array_append_new(json, convert(child))
                      : json_object_set_new(json, child->key, convert(child));
    }
    if (failed != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

fc_code fc_yaml_to_json(const struct fc_yaml_node *node, char **out_json, struct fc_error *err)
{
    json_t *json = convert(node);
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(json);
    if (text == NULL) {
        return fc_fail(err, FC_ERR_NOMEM, "no memory to turn options into JSON");
    }
    *out_json = text;
    return FC_OK;
}
