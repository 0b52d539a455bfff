/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bridge: records copied as they are, into our log (from a connector's feed) or out of it
 * (to a connector's sink).
 *
 * One thread reads, writes and looks after topics and groups; librdkafka has its own. What is
 * transient is retried for ever with back-off, without losing the place: the bridge closes the
 * other side, looks up how far the copy is and goes on from there. The same path runs after a
 * crash.
 */
#ifndef FC_RUNNER_BRIDGE_BRIDGE_H
#define FC_RUNNER_BRIDGE_BRIDGE_H

#include "runner/pipeline.h"

/* Before the connector's name: the topic of our log by which groups' offsets are translated. */
#define FC_BRIDGE_POINTS_PREFIX "_fluvio.offsets."

/* Everything is borrowed until fc_bridge_free. */
struct fc_bridge_config {
    const struct fc_config *config;
    const struct fc_connector *plugin;
    const struct fc_host *host;
    struct fc_stream
        *stream; /* the log, for a feed; NULL: a sink opens it for reading itself */
    struct fc_spu
        *spu;       /* serves that log to clients, with groups of its own; NULL: nobody does */
    bool until_end; /* stop when all that there is was copied */
    const struct fc_clock *clock;
    struct fc_diag *diag;
};

struct fc_bridge;

struct fc_bridge *fc_bridge_new(const struct fc_bridge_config *config);
void fc_bridge_free(struct fc_bridge *bridge); /* after run has returned; NULL is fine */

/*
 * Copy until stop, the end (until_end) or an error that needs a person. What was copied before
 * is durable and its place is kept when this returns. FC_OK after stop or at the end. Blocks.
 */
FC_MUST_CHECK fc_code fc_bridge_run(struct fc_bridge *bridge, struct fc_error *err);

/* Make run end cleanly, soon. Any thread. */
void fc_bridge_stop(struct fc_bridge *bridge);

/* Once stopped: end also when the other side does not answer, giving up what is on its way. Any
 * thread. */
void fc_bridge_hurry(struct fc_bridge *bridge);

/* As of a capture; any thread. */
void fc_bridge_status(struct fc_bridge *bridge, struct fc_pipeline_status *out_status);

/* How far a partition is copied. */
struct fc_bridge_lag {
    char topic[FC_TOPIC_NAME_MAX + 1]; /* as it is called where it is copied from */
    uint32_t partition;
    int64_t next; /* offset to be copied next */
    int64_t end;  /* of what there is; -1: not known yet */
};

/* A copy of the table for each partition; the caller frees it. Any thread. */
struct fc_bridge_lag *fc_bridge_lags(struct fc_bridge *bridge, size_t *out_count);

#endif
