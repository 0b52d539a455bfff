/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/config_steps.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/options_check.h"
#include "core/base/yaml_json.h"

static const struct fc_option STEP[] = {
    { "uses", FC_OPTION_TEXT, true, NULL, 0, 0, NULL,
      "a ready-made transform's name, or a path that ends in .lua" },
    { .key = NULL },
};

static bool ends_in_lua(const char *text)
{
    size_t len = strlen(text);
    return len > 4 && strcmp(text + len - 4, ".lua") == 0;
}

static bool is_ready_made_name(const char *text)
{
    return *text != '\0' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text);
}

static fc_code read_step(const char *path, const struct fc_yaml_node *item,
                         struct fc_transform_step *step, char **out_json, struct fc_error *err)
{
    static const char *const others[] = { "with", NULL };
    struct fc_options_source source = {
        .path = path, .what = "transforms", .map = item, .others = others
    };
    const struct fc_yaml_node *with = fc_yaml_get(item, "with");
    struct fc_options *options = NULL;
    fc_code code = fc_options_read(&source, STEP, &options, err);
    if (code != FC_OK) {
        return code;
    }
    step->line = (int)item->line;
    step->uses = fc_options_text(options, "uses"); /* the tree's: it outlives options */
    fc_options_free(options);
    if (!ends_in_lua(step->uses) && !is_ready_made_name(step->uses)) {
        return fc_yaml_fail(path, fc_yaml_get(item, "uses"), err,
                            "`uses` must be a ready-made transform's name or a path that ends "
                            "in .lua, not `%.60s`",
                            step->uses);
    }
    if (with == NULL || fc_yaml_is_null(with)) {
        return FC_OK;
    }
    if (with->kind != FC_YAML_MAP) {
        return fc_yaml_fail(path, with, err, "`with` must be a map of options, not %s",
                            fc_yaml_kind_name(with));
    }
    code = fc_yaml_to_json(with, out_json, err);
    step->with_json = *out_json;
    return code;
}

fc_code fc_config_steps_read(const char *path, const struct fc_yaml_node *list,
                             struct fc_config_steps *out_steps, struct fc_error *err)
{
    const struct fc_yaml_node *item;
    if (list == NULL || fc_yaml_is_null(list)) {
        return FC_OK;
    }
    if (list->kind != FC_YAML_LIST) {
        return fc_yaml_fail(path, list, err,
                            "`transforms` must be a list whose items have `uses`, not %s",
                            fc_yaml_kind_name(list));
    }
    out_steps->items = fc_new_array(struct fc_transform_step, list->count);
    out_steps->jsons = fc_new_array(char *, list->count);
    for (item = list->first; item != NULL; item = item->next) {
        uint32_t index = out_steps->count++;
        fc_code code =
            read_step(path, item, &out_steps->items[index], &out_steps->jsons[index], err);
        if (code != FC_OK) {
            return code;
        }
    }
    return FC_OK;
}

void fc_config_steps_release(struct fc_config_steps *steps)
{
    for (uint32_t index = 0; index < steps->count; index++) {
        if (steps->jsons[index] != NULL) {
            explicit_bzero(steps->jsons[index], strlen(steps->jsons[index]));
            free(steps->jsons[index]);
        }
    }
    free(steps->jsons);
    free(steps->items);
}
