/* SPDX-License-Identifier: Apache-2.0 */
/* plugins: which connectors are there, and what one can be told. */
#include <stdlib.h>

#include <jansson.h>

#include "runner/command.h"

struct listing {
    struct fc_command *command;
    const struct fc_plugin_search *search;
    json_t *json; /* NULL: print a table */
    bool failed;
};

static const char *abilities(const struct fc_connector *connector)
{
    if (connector->source != NULL && connector->target != NULL) {
        return "source, restore target";
    }
    if (connector->feed != NULL) {
        return connector->sink != NULL ? "source, sink of records" : "source of records";
    }
    if (connector->sink != NULL) {
        return "sink of records";
    }
    return connector->source != NULL ? "source" : "restore target";
}

/* One that cannot be loaded is listed with the reason: it must not hide the others. */
static fc_code on_plugin(void *ctx, const char *name, const char *path, struct fc_error *err)
{
    struct listing *listing = ctx;
    struct fc_plugin *plugin = NULL;
    const struct fc_connector *connector;
    if (fc_plugin_load(listing->search, name, &plugin, err) != FC_OK) {
        fc_command_tell(listing->command, "%s", err->message);
        listing->failed = true;
        return FC_OK;
    }
    connector = fc_plugin_connector(plugin);
    if (listing->json != NULL) {
        (void)json_array_append_new(
            listing->json,
            json_pack("{s:s,s:s,s:b,s:b,s:b,s:s,s:s}", "name", connector->name, "version",
                      connector->version, "source",
                      connector->source != NULL || connector->feed != NULL, "target",
                      connector->target != NULL, "sink", connector->sink != NULL, "path", path,
                      "help", connector->help));
    } else {
        (void)fprintf(listing->command->out, "%-12s %-10s %-24s %s\n", connector->name,
                      connector->version, abilities(connector), connector->help);
    }
    fc_plugin_unload(plugin);
    return FC_OK;
}

static void print_json(struct fc_command *command, json_t *json)
{
    char *text = json_dumps(json, JSON_INDENT(2));
    (void)fprintf(command->out, "%s\n", text == NULL ? "null" : text);
    free(text);
    json_decref(json);
}

static int list_all(struct fc_command *command, const struct fc_plugin_search *search,
                    bool as_json)
{
    struct listing listing = { command, search, as_json ? json_array() : NULL, false };
    struct fc_error error = { 0 };
    fc_code code;
    if (!as_json) {
        (void)fprintf(command->out, "%-12s %-10s %-24s %s\n", "NAME", "VERSION", "CAN BE", "");
    }
    code = fc_plugin_each(search, on_plugin, &listing, &error);
    if (as_json) {
        print_json(command, listing.json);
    }
    if (code != FC_OK) {
        return (int)fc_command_fail(command, &error);
    }
    return listing.failed ? FC_EXIT_FAILED : FC_EXIT_DONE;
}

static json_t *option_json(const struct fc_option *option)
{
    json_t *json = json_pack("{s:s,s:s,s:b,s:s?,s:s}", "key", option->key, "type",
                             fc_option_type_name(option->type), "required", option->required,
                             "default", option->default_text, "help", option->help);
    if (option->min != 0 || option->max != 0) {
        (void)json_object_set_new(json, "min", json_integer(option->min));
        (void)json_object_set_new(json, "max", json_integer(option->max));
    }
    if (option->type == FC_OPTION_CHOICE) {
        (void)json_object_set_new(json, "choices", json_string(option->choices));
    }
    return json;
}

static void print_options(struct fc_command *command, const struct fc_connector *connector)
{
    (void)fprintf(command->out, "%s %s: %s (%s)\n\n%-24s %-9s %-18s %s\n", connector->name,
                  connector->version, connector->help, abilities(connector), "OPTION", "TYPE",
                  "DEFAULT", "");
    for (const struct fc_option *option = connector->options; option->key != NULL; option++) {
        const char *fallback = option->default_text == NULL ? "-" : option->default_text;
        (void)fprintf(command->out, "%-24s %-9s %-18s %s%s%s%s\n", option->key,
                      fc_option_type_name(option->type),
                      option->required ? "(required)" : fallback, option->help,
                      option->type == FC_OPTION_CHOICE ? " [" : "",
                      option->type == FC_OPTION_CHOICE ? option->choices : "",
                      option->type == FC_OPTION_CHOICE ? "]" : "");
    }
}

static int show_one(struct fc_command *command, const struct fc_plugin_search *search,
                    const char *name, bool as_json)
{
    struct fc_plugin *plugin = NULL;
    struct fc_error error = { 0 };
    const struct fc_connector *connector;
    if (fc_plugin_load(search, name, &plugin, &error) != FC_OK) {
        return (int)fc_command_fail(command, &error);
    }
    connector = fc_plugin_connector(plugin);
    if (as_json) {
        json_t *options = json_array();
        for (const struct fc_option *option = connector->options; option->key != NULL;
             option++) {
            (void)json_array_append_new(options, option_json(option));
        }
        print_json(command,
                   json_pack("{s:s,s:s,s:s,s:o}", "name", connector->name, "version",
                             connector->version, "help", connector->help, "options", options));
    } else {
        print_options(command, connector);
    }
    fc_plugin_unload(plugin);
    return FC_EXIT_DONE;
}

int fc_cmd_plugins(struct fc_command *command, int argc, char **argv)
{
    const char *format = NULL;
    const struct fc_flag flags[] = {
        { "output", 'o', FC_FLAG_TEXT, &format, "FORMAT", "table (default) or json" },
        { .name = NULL },
    };
    const struct fc_usage usage = {
        "plugins [FLAGS] [NAME]",
        "List the connectors that can be found, or the options of one: what may stand\n"
        "in its block of a connector file.",
        flags, 0, 1
    };
    struct fc_plugin_search search;
    char **operands = NULL;
    uint32_t count = 0;
    bool json = false;
    fc_exit exit_code = FC_EXIT_DONE;
    if (!fc_command_parse(command, &usage, argc, argv, &operands, &count, &exit_code)) {
        return (int)exit_code;
    }
    if (!fc_command_format(command, format, &json)) {
        return FC_EXIT_USAGE;
    }
    search = fc_command_plugin_search(command);
    return count == 0 ? list_all(command, &search, json)
                      : show_one(command, &search, operands[0], json);
}
