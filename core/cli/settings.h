/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cluster a command talks to and how: the profile's properties, with what the command line
 * puts over them.
 *
 * In this order: --cluster HOST:PORT; --profile NAME; $FLUVIO_PROFILE; the file's current
 * profile. -X NAME=VALUE goes over all of them.
 */
#ifndef FC_CLI_SETTINGS_H
#define FC_CLI_SETTINGS_H

#include "core/cli/command.h"
#include "core/cli/profile.h"
#include "core/link/link_settings.h"

struct fc_settings {
    struct fc_profile profile; /* its name is NULL with --cluster */
    char *where;               /* "profile `local` (127.0.0.1:9092)", for messages */
};

/* The profile file's path, to be freed; FC_ERR_CONFIG when there is no home directory. */
FC_MUST_CHECK fc_code fc_settings_path(const struct fc_cli *cli, char **out_path,
                                       struct fc_error *err);

/* Read the profile file; warns when others can read it. */
FC_MUST_CHECK fc_code fc_settings_read_file(struct fc_cli *cli, char **out_path,
                                            struct fc_profiles *out_profiles,
                                            struct fc_error *err);

/* FC_ERR_CONFIG when no cluster is named, or one that is not known. */
FC_MUST_CHECK fc_code fc_settings_resolve(struct fc_cli *cli, struct fc_settings *out_settings,
                                          struct fc_error *err);
void fc_settings_release(struct fc_settings *settings);

/* The same for a connection of our own; borrows from `settings`. */
struct fc_link_settings fc_settings_link(const struct fc_settings *settings);

/* NULL when it is not set. Aliases of the same property are one. */
const char *fc_settings_get(const struct fc_settings *settings, const char *name);

/* Whether it is HOST[:PORT], [ADDRESS6][:PORT], or several of them with commas. FC_ERR_CONFIG. */
FC_MUST_CHECK fc_code fc_settings_check_servers(const char *servers, struct fc_error *err);

#endif
