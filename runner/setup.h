/* SPDX-License-Identifier: Apache-2.0 */
/* From a connector file to a loaded plugin with checked options. */
#ifndef FC_RUNNER_SETUP_H
#define FC_RUNNER_SETUP_H

#include "core/base/options_check.h"
#include "runner/config.h"
#include "runner/host.h"
#include "runner/plugin.h"

struct fc_command;

struct fc_setup {
    struct fc_config *config;
    struct fc_plugin *plugin;
    const struct fc_connector *connector; /* the plugin's */
    struct fc_options *options;
    struct fc_host *host;
};

/* Read the file, load its plugin, check the options, tell warnings. */
FC_MUST_CHECK fc_code fc_setup_load(struct fc_command *command, const char *path,
                                    struct fc_setup *out_setup, struct fc_error *err);
/* The config alone, for commands that need no plugin. */
FC_MUST_CHECK fc_code fc_setup_config(struct fc_command *command, const char *path,
                                      struct fc_config **out_config, struct fc_error *err);
void fc_setup_release(struct fc_setup *setup);

/* Where connectors and ready-made transforms are looked for; valid as long as command. */
struct fc_plugin_search fc_command_plugin_search(const struct fc_command *command);
/* Into `to`, PATH_MAX bytes; returns `to`. */
const char *fc_command_transforms_dir(const struct fc_command *command, char *to);

#endif
