/* SPDX-License-Identifier: Apache-2.0 */
/* Records from lines or a whole file to a topic. */
#ifndef FC_CLI_PRODUCE_RUN_H
#define FC_CLI_PRODUCE_RUN_H

#include "core/cli/cluster.h"

enum { FC_PRODUCE_RECORD_BYTES_MAX = 1000 * 1000 * 1000 };

struct fc_produce {
    const char *topic;
    int32_t partition;           /* -1: by key, or spread */
    const char *file;            /* NULL: stdin */
    bool raw;                    /* all of the input is one record */
    bool tombstone;              /* no input: one record without value */
    const char *key;             /* of every record, or NULL */
    const char *key_separator;   /* "key=value" lines, or NULL */
    struct fc_flag_list headers; /* "name=value" */
    const struct fc_cluster_property *properties;
};

/*
 * Until the input ends, or SIGINT or SIGTERM; what was read by then is delivered. A record that
 * could not be delivered is an error that counts them.
 */
FC_MUST_CHECK fc_code fc_produce_run(struct fc_cli *cli, const struct fc_produce *produce,
                                     struct fc_error *err);

#endif
