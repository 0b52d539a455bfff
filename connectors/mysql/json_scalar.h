/* SPDX-License-Identifier: Apache-2.0 */
/* Values of binary JSON that are no containers, as text. */
#ifndef FC_MYSQL_JSON_SCALAR_H
#define FC_MYSQL_JSON_SCALAR_H

#include "connectors/mysql/json_binary.h"

FC_MUST_CHECK fc_code fc_json_scalar_print(const struct fc_json_value *value,
                                           struct fc_buf *out, struct fc_error *err);

#endif
