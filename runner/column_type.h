/* SPDX-License-Identifier: Apache-2.0 */
/* A column described in the words of MySQL's DDL: "decimal(10,2) not null", "bigint key". */
#ifndef FC_RUNNER_COLUMN_TYPE_H
#define FC_RUNNER_COLUMN_TYPE_H

#include "core/base/arena.h"
#include "core/base/error.h"
#include "fc/change.h"

/*
 * Fill what the text says: all but name and the place in the key. Texts are in arena. Known words
 * after the type: unsigned, null, not null, key (out_is_key). Errors: FC_ERR_CONFIG, FC_ERR_LIMIT.
 */
FC_MUST_CHECK fc_code fc_column_type_parse(struct fc_slice text, struct fc_arena *arena,
                                           struct fc_column *out_column, bool *out_is_key,
                                           struct fc_error *err);

#endif
