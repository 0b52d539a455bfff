/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/spu_file_auth.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/suggest.h"
#include "core/spu/auth/principal.h"
#include "core/spu/sasl.h"

const struct fc_option FC_SPU_FILE_AUTHORIZATION[] = {
    { "enabled", FC_OPTION_BOOL, false, "false", 0, 0, NULL,
      "Nothing is allowed that no ACL allows." },
    { "super-users", FC_OPTION_LIST, false, NULL, 0, 0, NULL,
      "Principals that may do everything, as User:admin." },
    { NULL, FC_OPTION_TEXT, false, NULL, 0, 0, NULL, NULL },
};

const char *fc_spu_file_keep(struct fc_spu_file *file, const char *text)
{
    struct fc_slice copy;
    if (text == NULL) {
        return NULL;
    }
    copy = fc_arena_copy(&file->yaml.arena, fc_slice_of(text, strlen(text) + 1));
    fc_assert(copy.data != NULL);
    return (const char *)copy.data;
}

void fc_spu_file_begin_auth(struct fc_spu_file *file, size_t listeners_count)
{
    file->auth = fc_new_array(struct fc_spu_listener_auth, listeners_count);
    file->rules = fc_new_array(struct fc_principal_rules *, listeners_count);
    file->config.listeners_auth = file->auth;
}

void fc_spu_file_release_auth(struct fc_spu_file *file)
{
    for (size_t index = 0; file->rules != NULL && index < file->config.net.listeners_count;
         index++) {
        fc_principal_rules_free(file->rules[index]);
    }
    free(file->rules);
    free(file->auth);
    free(file->super_users);
}

/* The bit of a mechanism; 0 and its nearest neighbour in hint when there is none. */
static unsigned bit_of(const char *name, char hint[FC_SUGGEST_TEXT_SIZE])
{
    struct fc_suggest suggest;
    unsigned bit = 0;
    const char *known;
    fc_suggest_init(&suggest, name);
    for (size_t index = 0; (known = fc_sasl_mechanism(index, &bit)) != NULL; index++) {
        if (strcmp(known, name) == 0) {
            return bit;
        }
        fc_suggest_offer(&suggest, known);
    }
    (void)fc_suggest_text(&suggest, hint);
    return 0;
}

static fc_code take_mechanisms(struct fc_spu_file *file, const struct fc_options *options,
                               size_t which, struct fc_error *err)
{
    struct fc_spu_listener_auth *auth = &file->auth[which];
    const struct fc_yaml_node *node = fc_options_node(options, "mechanisms");
    const bool clear = file->listeners[which].tls == NULL && !auth->plain_without_tls;
    const char *const *names = NULL;
    uint32_t count = fc_options_list(options, "mechanisms", &names);
    if (node == NULL) {
        auth->mechanisms = FC_SASL_SCRAM_SHA_256 | FC_SASL_SCRAM_SHA_512;
        auth->mechanisms |= clear ? 0 : FC_SASL_PLAIN;
        return FC_OK;
    }
    for (uint32_t index = 0; index < count; index++) {
        char hint[FC_SUGGEST_TEXT_SIZE] = "";
        unsigned bit = bit_of(names[index], hint);
        if (bit == 0) {
            return fc_yaml_fail(file->yaml.path, node, err, "no mechanism \"%s\"%s",
                                names[index], hint);
        }
        if (bit == FC_SASL_PLAIN && clear) {
            return fc_yaml_fail(file->yaml.path, node, err,
                                "PLAIN sends passwords in clear: it needs tls (or "
                                "plain-without-tls: true, where nobody listens)");
        }
        auth->mechanisms |= bit;
    }
    return auth->mechanisms != 0
               ? FC_OK
               : fc_yaml_fail(file->yaml.path, node, err, "mechanisms names none");
}

fc_code fc_spu_file_take_auth(struct fc_spu_file *file, const struct fc_options *options,
                              const struct fc_yaml_node *map, size_t which,
                              struct fc_error *err)
{
    struct fc_spu_listener_auth *auth = &file->auth[which];
    const struct fc_yaml_node *principals = fc_options_node(options, "principals");
    const char *const *rules = NULL;
    uint32_t rules_count = fc_options_list(options, "principals", &rules);
    bool sasl = strcmp(fc_options_text(options, "auth"), "sasl") == 0;
    auth->plain_without_tls = fc_options_int(options, "plain-without-tls") != 0;
    auth->reauth_ms = fc_options_int(options, "reauthenticate-after");
    if (principals != NULL) {
        struct fc_error why;
        if (sasl || file->listeners[which].tls == NULL) {
            return fc_yaml_fail(file->yaml.path, principals, err,
                                "principals is for certificates: with tls and without sasl");
        }
        if (fc_principal_rules_new(rules, rules_count, &file->rules[which], &why) != FC_OK) {
            return fc_yaml_fail(file->yaml.path, principals, err, "%s", why.message);
        }
        auth->rules = file->rules[which];
    }
    if (!sasl) {
        return fc_options_node(options, "mechanisms") == NULL
                   ? FC_OK
                   : fc_yaml_fail(file->yaml.path, map, err, "mechanisms needs auth: sasl");
    }
    file->listeners[which].auth_required = true;
    return take_mechanisms(file, options, which, err);
}

fc_code fc_spu_file_read_authorization(struct fc_spu_file *file, struct fc_error *err)
{
    struct fc_options_source source = { .path = file->yaml.path,
                                        .what = "authorization",
                                        .map = fc_yaml_get(file->yaml.root, "authorization") };
    struct fc_options *options = NULL;
    const char *const *names = NULL;
    uint32_t count;
    fc_code code = fc_options_read(&source, FC_SPU_FILE_AUTHORIZATION, &options, err);
    if (code != FC_OK) {
        return code;
    }
    file->config.authorization = fc_options_int(options, "enabled") != 0;
    count = fc_options_list(options, "super-users", &names);
    file->super_users = fc_new_array(const char *, count + 1);
    for (uint32_t index = 0; code == FC_OK && index < count; index++) {
        if (strncmp(names[index], "User:", 5) != 0 || names[index][5] == '\0') {
            code = fc_yaml_fail(file->yaml.path, fc_options_node(options, "super-users"), err,
                                "a principal is User: and a name, not \"%s\"", names[index]);
        }
        file->super_users[index] = fc_spu_file_keep(file, names[index]);
    }
    file->config.super_users = file->super_users;
    file->config.super_users_count = count;
    fc_options_free(options);
    return code;
}
