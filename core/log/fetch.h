/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetching stored batches as they are: where in which file they stand, for sendfile or reading.
 * Nothing is decoded, and in the common case (a reader that follows, a fetch that goes up to the
 * end) nothing is looked up.
 *
 * Thread: any number at once.
 */
#ifndef FC_LOG_FETCH_H
#define FC_LOG_FETCH_H

#include "core/base/kafka_error.h"
#include "core/log/partition.h"
#include "core/log/producers.h"

typedef enum fc_isolation {
    FC_ISOLATION_END,            /* all that there is: followers */
    FC_ISOLATION_HIGH_WATERMARK, /* what cannot be lost any more: read_uncommitted */
    FC_ISOLATION_STABLE          /* and no transaction that is still open: read_committed */
} fc_isolation;

struct fc_fetch {
    int64_t offset;
    uint64_t bytes_max;
    bool at_least_one; /* one whole batch even when it is larger than bytes_max */
    fc_isolation isolation;
};

struct fc_fetch_file; /* a segment's file, open as long as somebody has a reference */

/* Whole batches, from the one that holds the offset on; size 0: there is nothing (yet). */
struct fc_fetch_range {
    fc_kafka_error error;
    struct fc_fetch_file *file; /* a reference; NULL while size is 0 */
    int fd;                     /* -1: there is none, use fc_fetch_read */
    uint64_t at;                /* byte in the file */
    uint64_t size;
    int64_t base_offset;                 /* of the first batch; at most the offset asked for */
    int64_t next_offset;                 /* one past the last record */
    struct fc_partition_offsets offsets; /* as of this fetch; set on OFFSET_OUT_OF_RANGE, too */
};

/*
 * The bytes stay readable through the range whatever happens to the partition.
 *
 * Errors, with out_range->error set: FC_ERR_NOT_FOUND (OFFSET_OUT_OF_RANGE, or the topic is
 * deleted), FC_ERR_CORRUPT, FC_ERR_IO.
 */
FC_MUST_CHECK fc_code fc_partition_fetch(struct fc_partition *partition,
                                         const struct fc_fetch *fetch,
                                         struct fc_fetch_range *out_range,
                                         struct fc_error *err);

/* Copy `size` bytes of the range from its byte `skip` on. */
FC_MUST_CHECK fc_code fc_fetch_read(const struct fc_fetch_range *range, uint64_t skip, void *to,
                                    size_t size, struct fc_error *err);

/* Let go of the file; fine when there is none. */
void fc_fetch_range_release(struct fc_fetch_range *range);

/* One more reference to the range's file, for fc_fetch_file_unref; its fd stays open. */
struct fc_fetch_file *fc_fetch_file_ref(struct fc_fetch_file *file);
void fc_fetch_file_unref(struct fc_fetch_file *file); /* NULL is fine; any thread */

/*
 * Transactions that were aborted and may have records from `from` to before `to`, in order of
 * their markers; the caller frees the array.
 */
FC_MUST_CHECK fc_code fc_partition_aborted(struct fc_partition *partition, int64_t from,
                                           int64_t to, struct fc_aborted **out_aborted,
                                           size_t *out_count, struct fc_error *err);

#endif
