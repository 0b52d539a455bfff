/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pipeline: one source captured into the log, exactly once.
 *
 * Threads: a reader (owns the source), workers (transform, encode, compress), a writer (append,
 * flush, checkpoint). They pass units (unit.h) along a ring in the source's order; the ring's
 * size bounds the memory, a full ring stops the reader.
 *
 * What is transient (server gone, network, disk full) is retried for ever with back-off, without
 * losing the place: the pipeline drains, checkpoints, opens the source again from the checkpoint
 * and drops by identity what the log already holds (resume.h). The same path runs after a crash,
 * and when a log in a cluster had to give up what it was writing.
 */
#ifndef FC_RUNNER_PIPELINE_H
#define FC_RUNNER_PIPELINE_H

#include "core/base/clock.h"
#include "core/base/diag.h"
#include "core/stream/stream.h"
#include "fc/connector.h"
#include "runner/config.h"
#include "transforms/transform.h"

/* Everything is borrowed until fc_pipeline_free. */
struct fc_pipeline_config {
    const struct fc_config *config; /* the connector file */
    const struct fc_connector *plugin;
    const struct fc_host *host;
    struct fc_stream *stream;
    bool until_end; /* stop when the source has caught up with where it was at the start */
    const struct fc_clock *clock;
    struct fc_diag *diag;
};

/* Counters for the status line; a snapshot that may be a moment old. */
struct fc_pipeline_status {
    uint64_t changes_read;
    uint64_t records_written; /* durable in the log */
    uint64_t bytes_written;   /* encoded, before compression */
    uint64_t rejected;        /* skipped or dead-lettered */
    uint64_t restarts;        /* of the source, after transient errors */
    int64_t lag_us;           /* commit to durable of the newest record; 0 when caught up */
    bool connected;
    bool log_waits;                      /* the log is why it does not go on */
    char waiting[FC_ERROR_MESSAGE_SIZE]; /* why it does not go on; "" when it does */
    struct fc_source_status source;
};

struct fc_pipeline;

/* chain: taken over (freed by the pipeline); NULL: no transforms. */
struct fc_pipeline *fc_pipeline_new(const struct fc_pipeline_config *config,
                                    struct fc_transform_chain *chain);
void fc_pipeline_free(struct fc_pipeline *pipeline); /* after run has returned; NULL is fine */

/*
 * Capture until stop, the end (until_end) or an error that needs a person. Everything captured
 * before it is in the log, flushed and checkpointed, when this returns.
 *
 * FC_OK after stop or at the end. Thread: any one, blocks.
 */
FC_MUST_CHECK fc_code fc_pipeline_run(struct fc_pipeline *pipeline, struct fc_error *err);

/* Make run end cleanly, soon. Any thread. */
void fc_pipeline_stop(struct fc_pipeline *pipeline);

/* Use another chain from the next unit on; taken over. Any thread. */
void fc_pipeline_set_chain(struct fc_pipeline *pipeline, struct fc_transform_chain *chain);

/*
 * Write a restore marker (an identity of op 'm' with the next sequence number) to the topic named as
 * the connector; returns when it is durable. Any thread, while run runs; FC_ERR_TIMEOUT when the
 * writer does not get to it within 30 s.
 */
FC_MUST_CHECK fc_code fc_pipeline_mark(struct fc_pipeline *pipeline, const char *json,
                                       struct fc_error *err);

void fc_pipeline_status(struct fc_pipeline *pipeline, struct fc_pipeline_status *out_status);

#endif
