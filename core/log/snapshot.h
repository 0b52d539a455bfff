/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of the producers below an offset, as a file, so that opening a partition reads
 * only the batches behind it. Big-endian, version 1:
 *
 *   byte  size
 *      0     4  CRC-32C of the rest
 *      4     4  version
 *      8     8  offset, as in the file's name
 *     16     4  number of producers
 *     20     4  number of aborted transactions
 *     24        the producers, by id
 *               then the aborted transactions of the segment that the offset is in, up to it, as
 *               in a .txnindex file
 *
 *   producer  8 id; 2 epoch; 4 coordinator epoch; 8 wall clock in ms when its last batch came;
 *             8 first offset of its open transaction, or -1; 4 last sequence; 1 number of
 *             batches; then for each batch 4 first sequence; 4 last sequence; 8 base offset;
 *             8 last offset; 8 timestamp
 */
#ifndef FC_LOG_SNAPSHOT_H
#define FC_LOG_SNAPSHOT_H

#include "core/base/fs.h"
#include "core/log/producers.h"

/* to is initialized here; the caller releases it. */
void fc_snapshot_encode(const struct fc_producers *producers, int64_t offset,
                        struct fc_buf *out_bytes);

/* producers is empty; on an error it stays so. FC_ERR_CORRUPT, FC_ERR_CONFIG (its version). */
FC_MUST_CHECK fc_code fc_snapshot_decode(struct fc_slice bytes, int64_t offset,
                                         struct fc_producers *producers, struct fc_error *err);

/* Durable. */
FC_MUST_CHECK fc_code fc_snapshot_write(struct fc_fs *fs, const char *dir, int64_t offset,
                                        struct fc_slice bytes, struct fc_error *err);

/* As decode; FC_ERR_NOT_FOUND when there is no such file. */
FC_MUST_CHECK fc_code fc_snapshot_read(struct fc_fs *fs, const char *dir, int64_t offset,
                                       struct fc_producers *producers, struct fc_error *err);

#endif
