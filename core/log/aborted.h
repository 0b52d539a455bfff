/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The aborted transactions of a closed segment, in Kafka's layout, in order of their markers; a
 * segment without any has no file. Big-endian, 34 bytes an entry:
 *
 *   2 version (0); 8 producer id; 8 first offset; 8 offset of the marker; 8 last stable offset
 */
#ifndef FC_LOG_ABORTED_H
#define FC_LOG_ABORTED_H

#include "core/base/fs.h"
#include "core/log/producers.h"

enum { FC_ABORTED_SIZE = 34 };

void fc_aborted_encode(const struct fc_aborted *aborted, size_t count, struct fc_buf *to);

/* False when it is not one. */
bool fc_aborted_decode(const uint8_t from[FC_ABORTED_SIZE], struct fc_aborted *out_aborted);

/* Write the file of the segment with that base; durable. */
FC_MUST_CHECK fc_code fc_aborted_write(struct fc_fs *fs, const char *dir, int64_t base,
                                       const struct fc_aborted *aborted, size_t count,
                                       struct fc_error *err);

/* Append those that may have records from `from` to before `to` to the array; no file: none.
 * Errors: FC_ERR_CORRUPT, FC_ERR_IO. */
FC_MUST_CHECK fc_code fc_aborted_read(struct fc_fs *fs, const char *dir, int64_t base,
                                      int64_t from, int64_t to, struct fc_aborted **aborted,
                                      size_t *count, struct fc_error *err);

#endif
