/* SPDX-License-Identifier: Apache-2.0 */
/* profile list|switch|current|rename|delete: which clusters are known. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/suggest.h"
#include "core/cli/commands.h"
#include "core/cli/output.h"
#include "core/cli/settings.h"

/* The file, held while a command looks at it or changes it. */
struct held {
    char *path;
    struct fc_profiles profiles;
};

static void held_release(struct held *held)
{
    fc_profiles_release(&held->profiles);
    free(held->path);
}

static struct fc_profile *find(const struct held *held, const char *name, struct fc_error *err)
{
    struct fc_profile *found = fc_profiles_find(&held->profiles, name);
    struct fc_suggest suggest;
    char hint[FC_SUGGEST_TEXT_SIZE];
    if (found == NULL) {
        fc_suggest_init(&suggest, name);
        for (size_t index = 0; index < held->profiles.count; index++) {
            fc_suggest_offer(&suggest, held->profiles.items[index].name);
        }
        (void)fc_fail(err, FC_ERR_NOT_FOUND, "no profile `%s` in %s%s (fluvio profile list)",
                      name, held->path, fc_suggest_text(&suggest, hint));
    }
    return found;
}

static json_t *row_of(const struct held *held, const struct fc_profile *profile)
{
    const char *current = held->profiles.current;
    const char *security = fc_profile_get(profile, "security.protocol");
    json_t *row = json_object();
    json_t *properties = json_object();
    for (size_t index = 0; index < profile->count; index++) {
        const struct fc_property *property = &profile->properties[index];
        json_object_set_new(properties, property->name,
                            fc_property_is_secret(property->name)
                                ? json_string("(secret)")
                                : fc_output_string(property->value));
    }
    json_object_set_new(row, "current",
                        json_boolean(current != NULL && strcmp(current, profile->name) == 0));
    json_object_set_new(row, "profile", json_string(profile->name));
    json_object_set_new(row, "cluster",
                        fc_output_string(fc_profile_get(profile, "bootstrap.servers")));
    json_object_set_new(row, "security",
                        fc_output_string(security == NULL ? "plaintext" : security));
    json_object_set_new(row, "properties", properties);
    return row;
}

int fc_cmd_profile_list(struct fc_cli *cli, int argc, char **argv)
{
    static const struct fc_column columns[] = {
        { "CURRENT", "current", FC_COLUMN_TEXT },
        { "PROFILE", "profile", FC_COLUMN_TEXT },
        { "CLUSTER", "cluster", FC_COLUMN_TEXT },
        { "SECURITY", "security", FC_COLUMN_TEXT },
        { .title = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "profile list", "List the clusters that are known. Secrets are not shown.",
                   NULL, 0, 0 },
        .examples = "  fluvio profile list -O json",
    };
    struct held held = { 0 };
    struct fc_error error = { 0 };
    json_t *rows;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    if (fc_settings_read_file(cli, &held.path, &held.profiles, &error) != FC_OK) {
        return fc_cli_fail(cli, &error);
    }
    rows = json_array();
    for (size_t index = 0; index < held.profiles.count; index++) {
        json_array_append_new(rows, row_of(&held, &held.profiles.items[index]));
    }
    fc_output_rows(cli, rows, columns);
    json_decref(rows);
    held_release(&held);
    return FC_EXIT_DONE;
}

int fc_cmd_profile_current(struct fc_cli *cli, int argc, char **argv)
{
    const struct fc_cli_usage usage = {
        .usage = { "profile current", "Print the name of the profile that is used.", NULL, 0,
                   0 },
    };
    struct held held = { 0 };
    struct fc_error error = { 0 };
    const char *name;
    int result = FC_EXIT_DONE;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    if (fc_settings_read_file(cli, &held.path, &held.profiles, &error) != FC_OK) {
        return fc_cli_fail(cli, &error);
    }
    name = cli->env.profile != NULL && *cli->env.profile != '\0' ? cli->env.profile
                                                                 : held.profiles.current;
    if (name == NULL) {
        fc_cli_tell(cli, "no profile is chosen: fluvio profile switch NAME");
        result = FC_EXIT_FAILED;
    } else if (cli->format == FC_CLI_TABLE) {
        (void)fprintf(cli->out, "%s\n", name);
    } else {
        json_t *value = json_string(name);
        fc_output_value(cli, value);
        json_decref(value);
    }
    held_release(&held);
    return result;
}

/* --- changes ------------------------------------------------------------------------------ */

typedef fc_code (*change_fn)(struct fc_cli *cli, struct held *held, char **operands,
                             struct fc_error *err);

static int change(struct fc_cli *cli, const struct fc_cli_usage *usage, int argc, char **argv,
                  change_fn function)
{
    struct held held = { 0 };
    struct fc_error error = { 0 };
    fc_code code;
    if (!fc_cli_parse(cli, usage, argc, argv)) {
        return cli->exit_code;
    }
    code = fc_settings_read_file(cli, &held.path, &held.profiles, &error);
    if (code == FC_OK) {
        code = function(cli, &held, cli->operands, &error);
    }
    if (code == FC_OK) {
        code = fc_profiles_write(held.path, &held.profiles, &error);
    }
    held_release(&held);
    return code == FC_OK ? FC_EXIT_DONE : fc_cli_fail(cli, &error);
}

static void set_current(struct held *held, const char *name)
{
    free(held->profiles.current);
    held->profiles.current = name == NULL ? NULL : fc_strdup(name);
}

static fc_code switch_to(struct fc_cli *cli, struct held *held, char **operands,
                         struct fc_error *err)
{
    const struct fc_profile *profile = find(held, operands[0], err);
    if (profile == NULL) {
        return err->code;
    }
    set_current(held, profile->name);
    fc_cli_note(cli, "profile %s is used from now on", profile->name);
    return FC_OK;
}

int fc_cmd_profile_switch(struct fc_cli *cli, int argc, char **argv)
{
    const struct fc_cli_usage usage = {
        .usage = { "profile switch NAME", "Use this profile from now on.", NULL, 1, 1 },
        .examples = "  fluvio profile switch production",
    };
    return change(cli, &usage, argc, argv, switch_to);
}

static fc_code rename_it(struct fc_cli *cli, struct held *held, char **operands,
                         struct fc_error *err)
{
    struct fc_profile *profile = find(held, operands[0], err);
    const char *current = held->profiles.current;
    if (profile == NULL || fc_profile_check_name(operands[1], err) != FC_OK) {
        return err->code;
    }
    if (fc_profiles_find(&held->profiles, operands[1]) != NULL) {
        return fc_fail(err, FC_ERR_REFUSED, "there is a profile `%s` already; delete it first",
                       operands[1]);
    }
    free(profile->name);
    profile->name = fc_strdup(operands[1]);
    if (current != NULL && strcmp(current, operands[0]) == 0) {
        set_current(held, operands[1]);
    }
    fc_cli_note(cli, "profile %s is now %s", operands[0], operands[1]);
    return FC_OK;
}

int fc_cmd_profile_rename(struct fc_cli *cli, int argc, char **argv)
{
    const struct fc_cli_usage usage = {
        .usage = { "profile rename FROM TO", "Give a profile another name.", NULL, 2, 2 },
        .examples = "  fluvio profile rename local laptop",
    };
    return change(cli, &usage, argc, argv, rename_it);
}

static fc_code delete_it(struct fc_cli *cli, struct held *held, char **operands,
                         struct fc_error *err)
{
    struct fc_profile *profile = find(held, operands[0], err);
    const char *current = held->profiles.current;
    if (profile == NULL) {
        return err->code;
    }
    if (current != NULL && strcmp(current, operands[0]) == 0) {
        set_current(held, NULL);
        fc_cli_warn(cli, "no profile is chosen now: fluvio profile switch NAME");
    }
    fc_profiles_remove(&held->profiles, profile);
    fc_cli_note(cli, "profile %s is forgotten", operands[0]);
    return FC_OK;
}

int fc_cmd_profile_delete(struct fc_cli *cli, int argc, char **argv)
{
    const struct fc_cli_usage usage = {
        .usage = { "profile delete NAME",
                   "Forget how a cluster is reached. The cluster is not touched.", NULL, 1, 1 },
        .examples = "  fluvio profile delete old-staging",
    };
    return change(cli, &usage, argc, argv, delete_it);
}
