/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the borders of batches by their headers; for the files of core/log only. */
#ifndef FC_LOG_FETCH_WALK_H
#define FC_LOG_FETCH_WALK_H

#include "core/log/partition_state.h"

/* Walks over headers, reading ahead a little. */
struct fc_header_walk {
    struct fc_file *file;
    uint64_t at; /* of the next batch */
    uint8_t *window;
    uint64_t window_at;
    size_t window_len;
};

void fc_header_walk_init(struct fc_header_walk *walk, struct fc_file *file, uint64_t at);
void fc_header_walk_release(struct fc_header_walk *walk);

/* The header at walk->at, which then is at the next. FC_ERR_CORRUPT when there is none. */
FC_MUST_CHECK fc_code fc_header_walk_next(struct fc_header_walk *walk,
                                          struct fc_batch_header *out_header,
                                          struct fc_error *err);

/* The batch that holds offset, which is in the log and below its end, or, in a sparse segment,
 * the first behind it, or the segment's end; file is that segment's, or NULL. FC_ERR_NOT_FOUND when it was removed meanwhile. */
FC_MUST_CHECK fc_code fc_fetch_walk_find(struct fc_partition *partition, struct fc_file *file,
                                         int64_t offset, struct fc_place *out_place,
                                         struct fc_error *err);

/* The end of the batches behind `begin` that fit into bytes_max; *out_end is where they all
 * end. */
FC_MUST_CHECK fc_code fc_fetch_walk_cut(struct fc_partition *partition, struct fc_file *file,
                                        const struct fc_place *begin, uint64_t bytes_max,
                                        bool at_least_one, struct fc_place *out_end,
                                        struct fc_error *err);

#endif
