/* SPDX-License-Identifier: Apache-2.0 */
/* A YAML tree as JSON text, by the rules of YAML 1.2's core schema: plain 1, 1.5, true and null
 * are what they look like, everything in quotes and everything from a secret is text. */
#ifndef FC_BASE_YAML_JSON_H
#define FC_BASE_YAML_JSON_H

#include "core/base/yaml.h"

/* Compact, keys in the file's order; the caller frees it with free(). FC_ERR_NOMEM when memory
 * is gone. */
FC_MUST_CHECK fc_code fc_yaml_to_json(const struct fc_yaml_node *node, char **out_json,
                                      struct fc_error *err);

#endif
