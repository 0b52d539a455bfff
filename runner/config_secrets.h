/* SPDX-License-Identifier: Apache-2.0 */
/* Where secrets may stand in a connector file: in the connector's own block and in a transform's
 * `with`, nowhere else. */
#ifndef FC_RUNNER_CONFIG_SECRETS_H
#define FC_RUNNER_CONFIG_SECRETS_H

#include "core/base/yaml.h"

/* FC_ERR_CONFIG when one is named anywhere else. plugin: the name of the connector's block. */
FC_MUST_CHECK fc_code fc_config_secrets_check(const struct fc_yaml *yaml, const char *plugin,
                                              struct fc_error *err);

/* Fill them in. secrets_path: as for fc_secrets_open. */
FC_MUST_CHECK fc_code fc_config_secrets_fill(struct fc_yaml *yaml, const char *plugin,
                                             const char *secrets_path, struct fc_error *err);

#endif
