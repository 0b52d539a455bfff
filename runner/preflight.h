/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is looked at before a capture whatever the source is: the data directory, the disk, the
 * process's limits, the clock, topics, transforms.
 *
 * Nothing is created or changed.
 */
#ifndef FC_RUNNER_PREFLIGHT_H
#define FC_RUNNER_PREFLIGHT_H

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "fc/connector.h"
#include "runner/config.h"

struct fc_preflight {
    const struct fc_config *config;
    const char *ready_made_dir; /* of transforms */
    const struct fc_connector *connector;
    const struct fc_host *host;           /* of the connector */
    bool copies;                          /* a bridge: no tables, and topics named by others */
    const struct fc_source_field *fields; /* of the source; NULL: none */
    const struct fc_clock *clock;
    /* As fc_source_ops.check calls it; the texts are borrowed for the call. */
    void (*on_result)(void *ctx, fc_check_result result, const char *what, const char *detail,
                      const char *fix);
    void *ctx;
};

/* False when the log's cluster does not answer: who asks it again only waits again. */
bool fc_preflight_run(const struct fc_preflight *preflight);

/*
 * The position that a capture would resume at, by the checkpoint in the log; empty when there is
 * no log or no checkpoint yet.
 */
FC_MUST_CHECK fc_code fc_preflight_position(const struct fc_config *config,
                                            struct fc_buf *out_position, struct fc_error *err);

#endif
