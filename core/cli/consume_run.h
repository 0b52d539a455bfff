/* SPDX-License-Identifier: Apache-2.0 */
/* Reading records and printing them, until an end or a signal. */
#ifndef FC_CLI_CONSUME_RUN_H
#define FC_CLI_CONSUME_RUN_H

#include "core/cli/consume_plan.h"
#include "core/cli/record_format.h"

struct fc_consume {
    const char *topic;
    int32_t partition; /* -1: all */
    struct fc_consume_range range;
    struct fc_record_format format;
    int64_t count; /* records to print; INT64_MAX: no bound */
    const char *isolation;
    const char *group; /* NULL: none */
};

/* SIGINT and SIGTERM end it, which is no failure. */
FC_MUST_CHECK fc_code fc_consume_run(struct fc_cli *cli, const struct fc_consume *consume,
                                     struct fc_error *err);

#endif
