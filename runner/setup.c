/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/setup.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "runner/command.h"
#include "runner/topic_name.h"

fc_code fc_setup_config(struct fc_command *command, const char *path,
                        struct fc_config **out_config, struct fc_error *err)
{
    struct fc_config_source source = { .path = path, .without_secrets = true };
    (void)command; /* what has no secrets needs no --secrets */
    return fc_config_load(&source, out_config, err);
}

/* Whether the connector can be what the file says that it is. */
static fc_code check_use(const struct fc_config *config, const struct fc_connector *connector,
                         struct fc_error *err)
{
    bool of_records = config->is_sink || connector->feed != NULL;
    if (config->is_sink && connector->sink == NULL) {
        (void)fc_fail(err, FC_ERR_CONFIG, "connector `%s` is no sink", config->plugin);
        return fc_config_wrap(config, "meta.type", err);
    }
    if (fc_topic_name_check_use(config->topic, of_records, err) != FC_OK) {
        return fc_config_wrap(config, "meta.topic", err);
    }
    if (of_records && config->step_count > 0) {
        (void)fc_fail(err, FC_ERR_CONFIG,
                      "`transforms` are for changes; records are copied as they are");
        return fc_config_wrap(config, "transforms", err);
    }
    return FC_OK;
}

static fc_code find_plugin(void *ctx, const char *name, struct fc_error *err)
{
    return fc_plugin_find(ctx, name, err);
}

fc_code fc_setup_load(struct fc_command *command, const char *path, struct fc_setup *out_setup,
                      struct fc_error *err)
{
    struct fc_setup setup = { 0 };
    struct fc_plugin_search search = fc_command_plugin_search(command);
    struct fc_config_source source = { .path = path,
                                       .secrets_path = command->secrets_path,
                                       .find_plugin = find_plugin,
                                       .ctx = &search };
    fc_code code = fc_config_load(&source, &setup.config, err);
    if (code == FC_OK) {
        code = fc_plugin_load(&search, setup.config->plugin, &setup.plugin, err);
    }
    if (code == FC_OK) {
        setup.connector = fc_plugin_connector(setup.plugin);
        code = check_use(setup.config, setup.connector, err);
    }
    if (code == FC_OK) {
        code = fc_options_new(setup.config, setup.connector->options, &setup.options, err);
    }
    if (code != FC_OK) {
        fc_setup_release(&setup);
        return code;
    }
    setup.host = fc_host_new(setup.config, setup.options, command->diag);
    if (fc_options_warning(setup.options) != NULL) {
        fc_diag_report(command->diag, FC_DIAG_WARN, "%s", fc_options_warning(setup.options));
    }
    if (setup.config->readable_by_others && setup.config->kafka_password_in_clear != NULL) {
        fc_diag_report(command->diag, FC_DIAG_WARN,
                       "%s: others can read `%s`: use ${{ secrets.NAME }}, or chmod 600 it",
                       setup.config->path, setup.config->kafka_password_in_clear);
    }
    *out_setup = setup;
    return FC_OK;
}

void fc_setup_release(struct fc_setup *setup)
{
    fc_host_free(setup->host);
    fc_options_free(setup->options);
    fc_plugin_unload(setup->plugin);
    fc_config_free(setup->config);
    memset(setup, 0, sizeof(*setup));
}

struct fc_plugin_search fc_command_plugin_search(const struct fc_command *command)
{
    struct fc_plugin_search search = { .plugin_dir = command->plugin_dir,
                                       .path_list = command->plugin_path_list,
                                       .exe_dir = command->exe_dir };
    return search;
}

const char *fc_command_transforms_dir(const struct fc_command *command, char *to)
{
    if (command->transforms_dir != NULL) {
        (void)snprintf(to, PATH_MAX, "%s", command->transforms_dir);
        return to;
    }
    (void)snprintf(to, PATH_MAX, "%s/../share/fluvio/transforms", command->exe_dir);
    if (access(to, F_OK) != 0) { /* not installed: a build tree */
        (void)snprintf(to, PATH_MAX, "%s/../../transforms", command->exe_dir);
    }
    return to;
}
