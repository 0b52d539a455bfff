/* SPDX-License-Identifier: Apache-2.0 */
#include "transforms/chain.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/suggest.h"

static bool ends_with_lua(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcmp(name + len - 4, ".lua") == 0;
}

/* Names of ready-made transforms are plain words: they must not lead out of their directory. */
static bool is_word(const char *name)
{
    return name[0] != '\0' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(name);
}

/* --- reading -------------------------------------------------------------------------------- */

static fc_code read_file(const char *path, struct fc_transform_script *script,
                         struct fc_error *err)
{
    FILE *file = fopen(path, "rbe");
    char *text;
    size_t size;
    if (file == NULL) {
        int reason = errno;
        return fc_fail(err, reason == ENOENT ? FC_ERR_NOT_FOUND : FC_ERR_CONFIG,
                       "cannot read %s: %s", path, strerrordesc_np(reason));
    }
    text = fc_alloc_zeroed(1, FC_TRANSFORM_SCRIPT_BYTES_MAX + 1);
    size = fread(text, 1, FC_TRANSFORM_SCRIPT_BYTES_MAX + 1, file);
    if (ferror(file) != 0 || size > FC_TRANSFORM_SCRIPT_BYTES_MAX) {
        fc_code code = ferror(file) != 0
                           ? fc_fail(err, FC_ERR_CONFIG, "cannot read %s", path)
                           : fc_fail(err, FC_ERR_CONFIG, "%s is larger than %d bytes", path,
                                     FC_TRANSFORM_SCRIPT_BYTES_MAX);
        free(text);
        (void)fclose(file); /* only read */
        return code;
    }
    (void)fclose(file); /* only read */
    script->text = fc_strndup(text, size);
    script->text_len = strlen(script->text);
    free(text);
    if (script->text_len != size) {
        return fc_fail(err, FC_ERR_CONFIG, "%s is not a text: it has a NUL byte", path);
    }
    return FC_OK;
}

/* No transform of that name: say which is near, or which there are. */
static fc_code unknown_transform(const char *dir, const char *name, struct fc_error *err)
{
    struct fc_suggest suggest;
    char hint[FC_SUGGEST_TEXT_SIZE];
    char known[256] = "";
    char(*names)[256] = fc_alloc_zeroed(64, sizeof(*names));
    DIR *open_dir = opendir(dir);
    struct dirent *entry;
    int count = 0;
    fc_suggest_init(&suggest, name);
    /* A stream of our own makes readdir safe. */
    while (open_dir != NULL && count < 64 &&
           (entry = readdir(open_dir)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        if (ends_with_lua(entry->d_name)) {
            size_t used = strlen(known);
            (void)snprintf(names[count], sizeof(names[count]), "%.*s",
                           (int)strlen(entry->d_name) - 4, entry->d_name);
            (void)snprintf(known + used, sizeof(known) - used, "%s%s", used > 0 ? ", " : "",
                           names[count]); /* cut when there are many */
            fc_suggest_offer(&suggest, names[count++]);
        }
    }
    if (open_dir != NULL) {
        (void)closedir(open_dir); /* only read */
    }
    (void)fc_suggest_text(&suggest, hint);
    free(names);
    return fc_fail(
        err, FC_ERR_CONFIG,
        "no ready-made transform is called `%s`%s (there are: %s; a script of your own "
        "is a path that ends in .lua)",
        name, hint, known[0] == '\0' ? "none" : known);
}

/* A path as messages show it: Lua cuts names of chunks to 59 bytes, as this does. */
static char *short_label(const char *path)
{
    enum { LABEL_MAX = 59, KEPT = LABEL_MAX - 3 };
    size_t len = strlen(path);
    return len <= LABEL_MAX ? fc_strdup(path) : fc_asprintf("...%s", path + len - KEPT);
}

static char *join(const char *dir, const char *name, const char *suffix)
{
    bool in_dir = dir != NULL && dir[0] != '\0' && name[0] != '/';
    return fc_asprintf("%s%s%s%s", in_dir ? dir : "", in_dir ? "/" : "", name, suffix);
}

static fc_code read_script(const struct fc_transform_step *step,
                           const struct fc_transform_config *config,
                           struct fc_transform_script *script, struct fc_error *err)
{
    char *path;
    fc_code code;
    script->line = step->line;
    script->options_json = step->with_json == NULL ? NULL : fc_strdup(step->with_json);
    if (ends_with_lua(step->uses)) {
        script->label = short_label(step->uses);
        path = join(config->base_dir, step->uses, "");
        code = read_file(path, script, err);
    } else if (!is_word(step->uses)) {
        script->label = short_label(step->uses);
        path = NULL;
        code = fc_fail(err, FC_ERR_CONFIG,
                       "`%s` is neither a ready-made transform nor a path that ends in .lua",
                       step->uses);
    } else {
        script->label = fc_asprintf("%s.lua", step->uses);
        path = join(config->ready_made_dir, step->uses, ".lua");
        code = read_file(path, script, err);
        if (code == FC_ERR_NOT_FOUND) {
            code = unknown_transform(
                config->ready_made_dir == NULL ? "" : config->ready_made_dir, step->uses, err);
        }
    }
    free(path);
    if (code != FC_OK) {
        err->code = FC_ERR_CONFIG;
        return step->line > 0 ? fc_wrap(err, "line %d: transform %s", step->line, step->uses)
                              : FC_ERR_CONFIG;
    }
    return FC_OK;
}

/* --- the chain ------------------------------------------------------------------------------ */

static void copy_source_fields(struct fc_transform_chain *chain, const char *const *fields)
{
    uint32_t count = 0;
    while (fields != NULL && fields[count] != NULL) {
        count++;
    }
    chain->source_fields = fc_new_array(char *, count + 1);
    chain->source_field_count = count;
    for (uint32_t index = 0; index < count; index++) {
        chain->source_fields[index] = fc_strdup(fields[index]);
    }
}

fc_code fc_transform_chain_new(const struct fc_transform_step *steps, uint32_t count,
                               const struct fc_transform_config *config,
                               struct fc_transform_chain **out_chain, struct fc_error *err)
{
    struct fc_transform_chain *chain;
    struct fc_transform_engine *engine = NULL;
    fc_code code = FC_OK;
    if (count > FC_TRANSFORM_STEPS_MAX) {
        return fc_fail(err, FC_ERR_CONFIG, "more than %d transforms", FC_TRANSFORM_STEPS_MAX);
    }
    chain = fc_new(struct fc_transform_chain);
    chain->scripts = fc_new_array(struct fc_transform_script, count + 1);
    chain->instructions_max = config->instructions_max == 0 ? FC_TRANSFORM_INSTRUCTIONS_DEFAULT
                                                            : config->instructions_max;
    chain->memory_max =
        config->memory_max == 0 ? FC_TRANSFORM_MEMORY_DEFAULT : config->memory_max;
    copy_source_fields(chain, config->source_fields);
    while (code == FC_OK && chain->script_count < count) {
        uint32_t index = chain->script_count++;
        code = read_script(&steps[index], config, &chain->scripts[index], err);
    }
    if (code == FC_OK) { /* what is wrong with a script shows now, not at the first change */
        code = fc_transform_engine_new(chain, &engine, err);
    }
    fc_transform_engine_free(engine);
    if (code != FC_OK) {
        fc_transform_chain_free(chain);
        return code;
    }
    *out_chain = chain;
    return FC_OK;
}

void fc_transform_chain_free(struct fc_transform_chain *chain)
{
    if (chain == NULL) {
        return;
    }
    for (uint32_t index = 0; index < chain->script_count; index++) {
        free(chain->scripts[index].label);
        free(chain->scripts[index].text);
        free(chain->scripts[index].options_json);
    }
    for (uint32_t index = 0; index < chain->source_field_count; index++) {
        free(chain->source_fields[index]);
    }
    free(chain->scripts);
    free(chain->source_fields);
    free(chain);
}
