/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a partition from an offset on, batch by batch, with buffers that are reused.
 *
 * Every batch is checked (offset, checksum) before its records are given out. What is not
 * compressed is read in place, without another copy. Each reader has its own file, so readers
 * do not meet each other, and the writer only to learn how far they may go: to the end, or, of
 * a log that another process writes (read_only), to its durable offset. A reader that begins
 * above that waits until it is reached.
 *
 * Thread: one at a time; any number of readers.
 */
#ifndef FC_LOG_READER_H
#define FC_LOG_READER_H

#include "core/log/partition.h"

struct fc_log_reader;

/* FC_ERR_NOT_FOUND outside of start..end, naming the range. */
FC_MUST_CHECK fc_code fc_log_reader_open(struct fc_partition *partition, int64_t offset,
                                         struct fc_log_reader **out_reader,
                                         struct fc_error *err);
void fc_log_reader_close(struct fc_log_reader *reader); /* NULL is fine */

FC_MUST_CHECK fc_code fc_log_reader_seek(struct fc_log_reader *reader, int64_t offset,
                                         struct fc_error *err);

/*
 * The records of the next batch that has any from the reader's offset on; they borrow from the
 * reader until its next call. Count 0: nothing came within wait_ms, or the partition was woken.
 */
FC_MUST_CHECK fc_code fc_log_reader_next(struct fc_log_reader *reader, int wait_ms,
                                         const struct fc_record **out_records,
                                         uint32_t *out_count, struct fc_error *err);

int64_t fc_log_reader_offset(const struct fc_log_reader *reader);

/* Pass over batches whose records are all older, without decompressing them. */
void fc_log_reader_skip_older(struct fc_log_reader *reader, int64_t time_ms);

/* Give out the ends of transactions, too: records as the log has them. */
void fc_log_reader_with_markers(struct fc_log_reader *reader);

#endif
