/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/settings.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/suggest.h"

enum { PORT_MAX = 65535 };

static const char SERVERS[] = "bootstrap.servers";

fc_code fc_settings_path(const struct fc_cli *cli, char **out_path, struct fc_error *err)
{
    if (cli->env.config_home != NULL && cli->env.config_home[0] == '/') {
        *out_path = fc_asprintf("%s/fluvio/config", cli->env.config_home);
        return FC_OK;
    }
    if (cli->env.home == NULL || *cli->env.home == '\0') {
        return fc_fail(err, FC_ERR_CONFIG,
                       "where the profiles are is not known: set HOME or XDG_CONFIG_HOME, or "
                       "name the cluster with --cluster HOST:PORT");
    }
    *out_path = fc_asprintf("%s/.config/fluvio/config", cli->env.home);
    return FC_OK;
}

fc_code fc_settings_read_file(struct fc_cli *cli, char **out_path,
                              struct fc_profiles *out_profiles, struct fc_error *err)
{
    char *path = NULL;
    bool exposed = false;
    fc_code code = fc_settings_path(cli, &path, err);
    if (code == FC_OK) {
        code = fc_profiles_read(path, out_profiles, &exposed, err);
    }
    if (code != FC_OK) {
        free(path);
        return code;
    }
    if (exposed) {
        fc_cli_warn(cli, "%s can be read by others and may hold secrets: chmod 600 %s", path,
                    path);
    }
    *out_path = path;
    return FC_OK;
}

/* The same property under another name; librdkafka keeps both. */
static const char *canonical(const char *name)
{
    if (strcmp(name, "metadata.broker.list") == 0) {
        return SERVERS;
    }
    if (strcmp(name, "sasl.mechanisms") == 0) {
        return "sasl.mechanism";
    }
    return name;
}

const char *fc_settings_get(const struct fc_settings *settings, const char *name)
{
    return fc_profile_get(&settings->profile, canonical(name));
}

static const char *get_linked(const void *ctx, const char *name)
{
    return fc_settings_get(ctx, name);
}

struct fc_link_settings fc_settings_link(const struct fc_settings *settings)
{
    return (struct fc_link_settings){ get_linked, settings, settings->where };
}

static fc_code unknown_profile(const struct fc_profiles *profiles, const char *name,
                               const char *path, struct fc_error *err)
{
    char hint[FC_SUGGEST_TEXT_SIZE];
    struct fc_suggest suggest;
    fc_suggest_init(&suggest, name);
    for (size_t index = 0; index < profiles->count; index++) {
        fc_suggest_offer(&suggest, profiles->items[index].name);
    }
    return fc_fail(err, FC_ERR_CONFIG, "no profile `%s` in %s%s (fluvio profile list)", name,
                   path, fc_suggest_text(&suggest, hint));
}

static fc_code take_profile(struct fc_cli *cli, struct fc_settings *settings,
                            struct fc_error *err)
{
    struct fc_profiles profiles = { 0 };
    char *path = NULL;
    const struct fc_profile *found;
    const char *name = cli->profile != NULL ? cli->profile : cli->env.profile;
    fc_code code = fc_settings_read_file(cli, &path, &profiles, err);
    if (code != FC_OK) {
        return code;
    }
    name = name != NULL && *name != '\0' ? name : profiles.current;
    found = name == NULL ? NULL : fc_profiles_find(&profiles, name);
    if (name == NULL) {
        code =
            fc_fail(err, FC_ERR_CONFIG,
                    "no cluster is chosen: use --cluster HOST:PORT, `fluvio profile add NAME "
                    "HOST:PORT`, or start one with `fluvio cluster start`");
    } else if (found == NULL) {
        code = unknown_profile(&profiles, name, path, err);
    } else {
        settings->profile.name = fc_strdup(name);
        for (size_t index = 0; index < found->count; index++) {
            fc_profile_set(&settings->profile, canonical(found->properties[index].name),
                           found->properties[index].value);
        }
    }
    fc_profiles_release(&profiles);
    free(path);
    return code;
}

static fc_code take_properties(const struct fc_cli *cli, struct fc_settings *settings,
                               struct fc_error *err)
{
    for (uint32_t index = 0; index < cli->properties.count; index++) {
        char *copy = fc_strdup(cli->properties.items[index]);
        char *name = NULL;
        char *value = NULL;
        bool good = fc_cli_split(copy, &name, &value);
        bool secret = good && fc_property_is_secret(name);
        if (good && !secret) {
            fc_profile_set(&settings->profile, canonical(name), value);
        }
        free(copy);
        if (!good) {
            return fc_fail(err, FC_ERR_CONFIG, "-X needs NAME=VALUE, not `%s`",
                           cli->properties.items[index]);
        }
        if (secret) {
            return fc_fail(
                err, FC_ERR_CONFIG,
                "a secret on the command line is seen by every user of this machine: "
                "put it into a profile (fluvio profile add --help)");
        }
    }
    return FC_OK;
}

/* The protocols of Kafka, as librdkafka reads them before "://". */
static bool is_protocol(const char *text, size_t len)
{
    static const char *const names[] = { "plaintext", "ssl", "sasl_plaintext", "sasl_ssl" };
    for (size_t index = 0; index < sizeof(names) / sizeof(*names); index++) {
        if (strlen(names[index]) == len && strncasecmp(text, names[index], len) == 0) {
            return true;
        }
    }
    return false;
}

/* librdkafka also takes "PROTOCOL://" before the host. */
static bool is_server(const char *text, size_t len)
{
    const char *end = text + len;
    const char *scheme = memmem(text, len, "://", 3);
    const char *host = scheme == NULL ? text : scheme + 3;
    const char *bracket =
        host < end && *host == '[' ? memchr(host, ']', (size_t)(end - host)) : NULL;
    const char *rest = bracket == NULL ? host : bracket + 1;
    const char *colon = memrchr(rest, ':', (size_t)(end - rest));
    const char *host_end = colon == NULL ? end : colon;
    long port = 0;
    if (colon != NULL) {
        for (const char *at = colon + 1; at < end && port <= PORT_MAX; at++) {
            port = *at >= '0' && *at <= '9' ? 10 * port + (*at - '0') : PORT_MAX + 1;
        }
    }
    if ((scheme != NULL && !is_protocol(text, (size_t)(scheme - text))) ||
        (bracket != NULL && host_end != rest)) {
        return false;
    }
    for (const char *at = host; at < host_end; at++) {
        if ((unsigned char)*at <= ' ' || (bracket == NULL && strchr(":/@[]", *at) != NULL)) {
            return false;
        }
    }
    return host_end > host && (colon == NULL || (port > 0 && port <= PORT_MAX));
}

fc_code fc_settings_check_servers(const char *servers, struct fc_error *err)
{
    const char *at = servers;
    bool more = true;
    while (more) {
        size_t blank = strspn(at, " ");
        size_t len = strcspn(at + blank, ",");
        size_t used = len;
        while (used > 0 && at[blank + used - 1] == ' ') {
            used--;
        }
        if (!is_server(at + blank, used)) {
            return fc_fail(err, FC_ERR_CONFIG,
                           "`%.*s` is no server: it must be HOST:PORT, or several with commas",
                           (int)used, at + blank);
        }
        at += blank + len;
        more = *at == ',';
        at += more ? 1 : 0;
    }
    return FC_OK;
}

fc_code fc_settings_resolve(struct fc_cli *cli, struct fc_settings *out_settings,
                            struct fc_error *err)
{
    struct fc_settings settings = { 0 };
    fc_code code = FC_OK;
    if (cli->cluster != NULL) {
        code = fc_settings_check_servers(cli->cluster, err);
        fc_profile_set(&settings.profile, SERVERS, cli->cluster);
    } else {
        code = take_profile(cli, &settings, err);
    }
    if (code == FC_OK) {
        code = take_properties(cli, &settings, err);
    }
    if (code == FC_OK) {
        const char *servers = fc_settings_get(&settings, SERVERS);
        if (servers == NULL || *servers == '\0') {
            code = fc_fail(err, FC_ERR_CONFIG, "%s%s%s has no bootstrap.servers",
                           settings.profile.name == NULL ? "" : "profile `",
                           settings.profile.name == NULL ? "--cluster" : settings.profile.name,
                           settings.profile.name == NULL ? "" : "`");
        } else {
            settings.where =
                settings.profile.name == NULL
                    ? fc_strdup(servers)
                    : fc_asprintf("profile `%s` (%s)", settings.profile.name, servers);
        }
    }
    if (code != FC_OK) {
        fc_settings_release(&settings);
        return code;
    }
    *out_settings = settings;
    return FC_OK;
}

void fc_settings_release(struct fc_settings *settings)
{
    fc_profile_release(&settings->profile);
    free(settings->where);
    settings->where = NULL;
}
