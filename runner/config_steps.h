/* SPDX-License-Identifier: Apache-2.0 */
/* The `transforms` list of a connector file. */
#ifndef FC_RUNNER_CONFIG_STEPS_H
#define FC_RUNNER_CONFIG_STEPS_H

#include "core/base/yaml.h"
#include "transforms/transform.h"

struct fc_config_steps {
    struct fc_transform_step *items; /* names borrow from the YAML tree */
    char **jsons;                    /* what items' with_json point to */
    uint32_t count;
};

/* list: NULL when the file has none. Release out_steps whatever comes; it was zeroed. */
FC_MUST_CHECK fc_code fc_config_steps_read(const char *path, const struct fc_yaml_node *list,
                                           struct fc_config_steps *out_steps,
                                           struct fc_error *err);
void fc_config_steps_release(struct fc_config_steps *steps); /* wipes the options */

#endif
