/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connectors as shared objects: where they are looked for, how they are loaded, why they are
 * refused.
 */
#ifndef FC_RUNNER_PLUGIN_H
#define FC_RUNNER_PLUGIN_H

#include "fc/connector.h"

/* Where connectors may be, in this order; NULL members are left out. */
struct fc_plugin_search {
    const char *plugin_dir; /* --plugin-dir */
    const char *path_list;  /* $FLUVIO_CONNECT_PLUGINS: directories parted by ':' */
    const char *exe_dir;    /* of the running program: <exe_dir>/connectors (a build tree), then
                            <exe_dir>/../lib/fluvio/connectors (installed) */
};

struct fc_plugin;

/*
 * Load <name>.so from the first directory that has it.
 *
 * Errors: FC_ERR_NOT_FOUND (names the places and the connectors that are there),
 * FC_ERR_CONFIG (not a connector, built for another ABI: both numbers named, another name than
 * its file).
 */
FC_MUST_CHECK fc_code fc_plugin_load(const struct fc_plugin_search *search, const char *name,
                                     struct fc_plugin **out_plugin, struct fc_error *err);
/* Whether there is one of that name; it is not loaded. Errors: FC_ERR_NOT_FOUND (names those that
 * are there). */
FC_MUST_CHECK fc_code fc_plugin_find(const struct fc_plugin_search *search, const char *name,
                                     struct fc_error *err);
void fc_plugin_unload(struct fc_plugin *plugin); /* NULL is fine */

/* A full-sized copy, its ops as well: members that the plugin was built without are zero. */
const struct fc_connector *fc_plugin_connector(const struct fc_plugin *plugin);
const char *fc_plugin_path(const struct fc_plugin *plugin);

/* Call on_plugin for each connector that can be found, by name, the first of a name only. path
 * and name are borrowed for the call; the object is not loaded. */
FC_MUST_CHECK fc_code fc_plugin_each(const struct fc_plugin_search *search,
                                     fc_code (*on_plugin)(void *ctx, const char *name,
                                                          const char *path,
                                                          struct fc_error *err),
                                     void *ctx, struct fc_error *err);

#endif
