/* SPDX-License-Identifier: Apache-2.0 */
/* The pre-flight: looks at everything that a capture needs, and says what mends what. */
#ifndef FC_MYSQL_PREFLIGHT_H
#define FC_MYSQL_PREFLIGHT_H

#include "fc/connector.h"

/* As fc_source_ops.check. */
FC_MUST_CHECK fc_code fc_preflight_run(const struct fc_host *host, struct fc_slice resume,
                                       void (*on_result)(void *ctx, fc_check_result result,
                                                         const char *what, const char *detail,
                                                         const char *fix),
                                       void *ctx, struct fc_error *err);

#endif
