/* SPDX-License-Identifier: Apache-2.0 */
/* What a running capture tells about itself, as JSON and as text for people. */
#ifndef FC_RUNNER_STATUS_H
#define FC_RUNNER_STATUS_H

#include "core/base/buf.h"
#include "runner/pipeline.h"

struct fc_bridge;

struct fc_status_input {
    const char *name;         /* the connector's */
    const char *dir;          /* of the log */
    struct fc_stream *stream; /* NULL: nothing is told of its topics */
    const struct fc_pipeline_status *pipeline;
    int64_t uptime_ms;
    uint64_t rows_per_second;
    struct fc_bridge *bridge; /* NULL: a capture */
};

/*
 * One JSON object: name, pid, version, uptime_ms, phase, connected, waiting, caught_up,
 * rows_read, rows_per_second, records_written, bytes_written, rejected, restarts, lag_ms,
 * position, memory_bytes, log { dir, topics [ { topic, partition, start, durable, end } ] };
 * of a bridge also lag_records, partitions [ { topic, partition, next, end, lag } ].
 */
void fc_status_encode(const struct fc_status_input *input, struct fc_buf *out);

/* The same object as a table for people; FC_ERR_PROTOCOL when it is not one. */
FC_MUST_CHECK fc_code fc_status_print(struct fc_slice json, FILE *to, struct fc_error *err);

/* Resident memory of this process, 0 when it cannot be told. */
uint64_t fc_status_memory_bytes(void);

#endif
