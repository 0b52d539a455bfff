/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the files of a compacted segment under their swap names: log, both indexes, and the list
 * of aborted transactions whose markers are in it; for the files of core/log only.
 */
#ifndef FC_LOG_COMPACT_OUTPUT_H
#define FC_LOG_COMPACT_OUTPUT_H

#include "core/log/aborted.h"
#include "core/log/partition_state.h"

struct fc_compact_output {
    struct fc_partition *partition;
    struct fc_segment made; /* so far */
    struct fc_file *file;
    struct fc_buf buffer; /* of the log, not written yet */
    uint64_t written;
    struct fc_index offsets;
    struct fc_index times;
    int64_t max_offset; /* last offset of the first batch that has the largest timestamp */
    int64_t times_last_ms;
    uint64_t since_index;
    struct fc_buf aborted; /* encoded */
};

/* Begin the segment that is to have base and end. FC_ERR_FULL, FC_ERR_IO. */
FC_MUST_CHECK fc_code fc_compact_output_open(struct fc_compact_output *output,
                                             struct fc_partition *partition, int64_t base,
                                             int64_t end, struct fc_error *err);

/* The next batch. FC_ERR_LIMIT: the segment would become too large. */
FC_MUST_CHECK fc_code fc_compact_output_add(struct fc_compact_output *output,
                                            struct fc_slice bytes, struct fc_error *err);

/* Its marker was among the batches. */
void fc_compact_output_abort(struct fc_compact_output *output,
                             const struct fc_aborted *aborted);

/* Make it all durable, but for the names. with_aborted: write a list even when it is empty. */
FC_MUST_CHECK fc_code fc_compact_output_finish(struct fc_compact_output *output,
                                               bool with_aborted, struct fc_error *err);

/* The files stay. */
void fc_compact_output_release(struct fc_compact_output *output);

#endif
