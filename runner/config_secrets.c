/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/config_secrets.h"

#include "runner/secrets.h"

static const char TRANSFORMS[] = "transforms";
static const char LOG[] = "log";
static const char KAFKA[] = "kafka";

/* Nowhere in the list's or map's items but under one key. */
static fc_code refuse_but(const struct fc_yaml *yaml, const struct fc_yaml_node *map,
                          const char *key, struct fc_error *err)
{
    fc_code code = FC_OK;
    for (const struct fc_yaml_node *node = map->first; node != NULL && code == FC_OK;
         node = node->next) {
        code = node->key != NULL && strcmp(node->key, key) == 0
                   ? FC_OK
                   : fc_secrets_refuse(yaml, node, err);
    }
    return code;
}

fc_code fc_config_secrets_check(const struct fc_yaml *yaml, const char *plugin,
                                struct fc_error *err)
{
    fc_code code = FC_OK;
    for (const struct fc_yaml_node *node = yaml->root->first; node != NULL && code == FC_OK;
         node = node->next) {
        if (strcmp(node->key, plugin) == 0) {
            continue;
        }
        if (strcmp(node->key, LOG) == 0) {
            code = refuse_but(yaml, node, KAFKA, err);
            continue;
        }
        if (strcmp(node->key, TRANSFORMS) != 0) {
            code = fc_secrets_refuse(yaml, node, err);
            continue;
        }
        for (const struct fc_yaml_node *item = node->first; item != NULL && code == FC_OK;
             item = item->next) {
            const struct fc_yaml_node *uses = fc_yaml_get(item, "uses");
            code = uses == NULL ? FC_OK : fc_secrets_refuse(yaml, uses, err);
        }
    }
    return code;
}

fc_code fc_config_secrets_fill(struct fc_yaml *yaml, const char *plugin,
                               const char *secrets_path, struct fc_error *err)
{
    const struct fc_yaml_node *declared =
        fc_yaml_get(fc_yaml_get(yaml->root, "meta"), "secrets");
    const struct fc_yaml_node *transforms = fc_yaml_get(yaml->root, TRANSFORMS);
    struct fc_yaml_node *block = fc_yaml_get(yaml->root, plugin);
    struct fc_yaml_node *kafka = fc_yaml_get(fc_yaml_get(yaml->root, LOG), KAFKA);
    struct fc_secrets *secrets = NULL;
    fc_code code = fc_secrets_open(secrets_path, &secrets, err);
    if (code == FC_OK && kafka != NULL) {
        code = fc_secrets_fill(secrets, yaml, kafka, declared, err);
    }
    if (code == FC_OK && block != NULL) {
        code = fc_secrets_fill(secrets, yaml, block, declared, err);
    }
    for (const struct fc_yaml_node *item = transforms == NULL ? NULL : transforms->first;
         item != NULL && code == FC_OK; item = item->next) {
        struct fc_yaml_node *with = fc_yaml_get(item, "with");
        code = with == NULL ? FC_OK : fc_secrets_fill(secrets, yaml, with, declared, err);
    }
    fc_secrets_free(secrets);
    return code;
}
