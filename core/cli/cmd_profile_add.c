/* SPDX-License-Identifier: Apache-2.0 */
/* profile add: remember how to reach a cluster. */
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/cli/commands.h"
#include "core/cli/password.h"
#include "core/cli/settings.h"

struct given {
    const char *user;
    const char *mechanism;
    const char *password_file;
    bool tls;
    const char *ca;
    const char *certificate;
    const char *key;
    struct fc_flag_list properties;
    bool stay;
    bool replace;
};

static fc_code set_properties(const struct given *given, struct fc_profile *profile,
                              struct fc_error *err)
{
    for (uint32_t index = 0; index < given->properties.count; index++) {
        char *copy = fc_strdup(given->properties.items[index]);
        char *name = NULL;
        char *value = NULL;
        fc_code code = FC_OK;
        if (!fc_cli_split(copy, &name, &value)) {
            code = fc_fail(err, FC_ERR_CONFIG, "--set needs NAME=VALUE, not `%s`", copy);
        } else if (fc_property_is_secret(name)) {
            code =
                fc_fail(err, FC_ERR_CONFIG,
                        "a secret on the command line is seen by every user of this "
                        "machine: give sasl.password with --user and --password-file, others "
                        "by editing the profile file");
        } else {
            fc_profile_set(profile, name, value);
        }
        free(copy);
        if (code != FC_OK) {
            return code;
        }
    }
    return FC_OK;
}

/* The profile is used from any folder. */
static void set_path(struct fc_profile *profile, const char *name, const char *path)
{
    char dir[PATH_MAX];
    char *whole;
    if (*path == '/' || getcwd(dir, sizeof(dir)) == NULL) {
        fc_profile_set(profile, name, path);
        return;
    }
    whole = fc_asprintf("%s/%s", dir, path);
    fc_profile_set(profile, name, whole);
    free(whole);
}

/* As it is written everywhere, however it was given; NULL: there is no such. */
static const char *mechanism_of(const char *given)
{
    static const char *const names[] = { "SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN" };
    for (size_t index = 0; index < sizeof(names) / sizeof(*names); index++) {
        if (given == NULL || strcasecmp(given, names[index]) == 0) {
            return names[index];
        }
    }
    return NULL;
}

static fc_code set_security(struct fc_cli *cli, const struct given *given,
                            struct fc_profile *profile, struct fc_error *err)
{
    bool tls = given->tls || given->ca != NULL || given->certificate != NULL;
    char *password = NULL;
    if (given->user == NULL && (given->mechanism != NULL || given->password_file != NULL)) {
        return fc_fail(err, FC_ERR_CONFIG, "--mechanism and --password-file need --user");
    }
    if (mechanism_of(given->mechanism) == NULL) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "--mechanism must be SCRAM-SHA-256, SCRAM-SHA-512 or PLAIN, not `%s`",
                       given->mechanism);
    }
    if ((given->certificate == NULL) != (given->key == NULL)) {
        return fc_fail(err, FC_ERR_CONFIG, "--certificate and --key go together");
    }
    if (given->ca != NULL) {
        set_path(profile, "ssl.ca.location", given->ca);
    }
    if (given->certificate != NULL) {
        set_path(profile, "ssl.certificate.location", given->certificate);
        set_path(profile, "ssl.key.location", given->key);
    }
    if (given->user == NULL) {
        if (tls) {
            fc_profile_set(profile, "security.protocol", "ssl");
        }
        return FC_OK;
    }
    fc_profile_set(profile, "security.protocol", tls ? "sasl_ssl" : "sasl_plaintext");
    fc_profile_set(profile, "sasl.mechanism", mechanism_of(given->mechanism));
    fc_profile_set(profile, "sasl.username", given->user);
    if (fc_password_read(cli, given->password_file, false, &password, err) != FC_OK) {
        return err->code;
    }
    fc_profile_set(profile, "sasl.password", password);
    fc_password_free(password);
    return FC_OK;
}

/* What librdkafka would refuse is refused now, not when the profile is used. */
static fc_code check_properties(const struct fc_profile *profile, struct fc_error *err)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    fc_code code = FC_OK;
    for (size_t index = 0; index < profile->count && code == FC_OK; index++) {
        if (rd_kafka_conf_set(conf, profile->properties[index].name,
                              profile->properties[index].value, reason,
                              sizeof(reason)) != RD_KAFKA_CONF_OK) {
            code = fc_fail(err, FC_ERR_CONFIG, "property `%s`: %s",
                           profile->properties[index].name, reason);
        }
    }
    rd_kafka_conf_destroy(conf);
    return code;
}

/* A file that is not there shows now, not when the profile is used. */
static fc_code check_files(const struct given *given, struct fc_error *err)
{
    const char *const files[][2] = { { "--ca", given->ca },
                                     { "--certificate", given->certificate },
                                     { "--key", given->key } };
    for (size_t index = 0; index < sizeof(files) / sizeof(*files); index++) {
        const char *path = files[index][1];
        if (path != NULL && access(path, R_OK) != 0) {
            return fc_fail(err, FC_ERR_CONFIG, "%s: %s: %s", files[index][0], path,
                           strerrordesc_np(errno));
        }
    }
    return FC_OK;
}

static fc_code add(struct fc_cli *cli, const struct given *given, struct fc_profiles *profiles,
                   char **operands, struct fc_error *err)
{
    struct fc_profile *profile = fc_profiles_find(profiles, operands[0]);
    fc_code code = fc_profile_check_name(operands[0], err);
    code = code == FC_OK ? fc_settings_check_servers(operands[1], err) : code;
    code = code == FC_OK ? check_files(given, err) : code;
    if (code == FC_OK && profile != NULL && !given->replace) {
        code = fc_fail(err, FC_ERR_REFUSED, "there is a profile `%s` already; --replace it",
                       operands[0]);
    }
    if (code == FC_OK && profiles->count >= FC_PROFILES_MAX) {
        code = fc_fail(err, FC_ERR_CONFIG, "there are %d profiles already", FC_PROFILES_MAX);
    }
    if (code != FC_OK) {
        return code;
    }
    if (profile != NULL) {
        fc_profiles_remove(profiles, profile);
    }
    profile = fc_profiles_add(profiles, operands[0]);
    fc_profile_set(profile, "bootstrap.servers", operands[1]);
    code = set_security(cli, given, profile, err);
    if (code == FC_OK) {
        code = set_properties(given, profile, err);
    }
    if (code == FC_OK) {
        code = check_properties(profile, err);
    }
    if (code == FC_OK && (!given->stay || profiles->current == NULL)) {
        free(profiles->current);
        profiles->current = fc_strdup(operands[0]);
    }
    return code;
}

int fc_cmd_profile_add(struct fc_cli *cli, int argc, char **argv)
{
    struct given given = { 0 };
    const struct fc_flag flags[] = {
        { "user", 'u', FC_FLAG_TEXT, &given.user, "NAME", "log in by SASL as this user" },
        { "mechanism", 0, FC_FLAG_TEXT, &given.mechanism, "NAME",
          "SCRAM-SHA-256 (default), SCRAM-SHA-512 or PLAIN" },
        { "password-file", 0, FC_FLAG_TEXT, &given.password_file, "FILE",
          "its first line (-: stdin); else it is asked for" },
        { "tls", 0, FC_FLAG_BOOL, &given.tls, NULL, "encrypt" },
        { "ca", 0, FC_FLAG_TEXT, &given.ca, "FILE", "who signs the servers; means --tls" },
        { "certificate", 0, FC_FLAG_TEXT, &given.certificate, "FILE",
          "show this to the servers; means --tls" },
        { "key", 0, FC_FLAG_TEXT, &given.key, "FILE", "the certificate's" },
        { "set", 's', FC_FLAG_LIST, &given.properties, "NAME=VALUE",
          "any other librdkafka property" },
        { "stay", 0, FC_FLAG_BOOL, &given.stay, NULL, "do not switch to it" },
        { "replace", 0, FC_FLAG_BOOL, &given.replace, NULL, "instead of the one of that name" },
        { .name = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "profile add [FLAGS] NAME HOST:PORT[,HOST:PORT...]",
                   "Remember how to reach a cluster, and switch to it. The file is\n"
                   "~/.config/fluvio/config, mode 0600.",
                   flags, 2, 2 },
        .examples = "  fluvio profile add staging kafka1:9092,kafka2:9092\n"
                    "  fluvio profile add production kafka:9093 --user ada --ca ca.pem\n"
                    "  fluvio profile add far kafka:9092 --set socket.timeout.ms=30000",
    };
    struct fc_profiles profiles = { 0 };
    struct fc_error error = { 0 };
    char *path = NULL;
    fc_code code;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    code = fc_settings_read_file(cli, &path, &profiles, &error);
    if (code == FC_OK) {
        code = add(cli, &given, &profiles, cli->operands, &error);
    }
    if (code == FC_OK) {
        code = fc_profiles_write(path, &profiles, &error);
    }
    if (code == FC_OK) {
        fc_cli_note(cli, "profile %s is in %s%s", cli->operands[0], path,
                    strcmp(profiles.current, cli->operands[0]) == 0 ? " and is used from now on"
                                                                    : "");
    }
    fc_profiles_release(&profiles);
    free(path);
    return code == FC_OK ? FC_EXIT_DONE : fc_cli_fail(cli, &error);
}
