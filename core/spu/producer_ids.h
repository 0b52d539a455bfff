/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Producer ids, each given out once for ever: the data directory's file `producer.ids` holds the
 * first one that no block has. A block is taken, durably, before its first id is given out; what is
 * left of a block when the process ends is never used.
 *
 * Thread: any. May wait for the disk.
 */
#ifndef FC_SPU_PRODUCER_IDS_H
#define FC_SPU_PRODUCER_IDS_H

#include "core/base/fs.h"

struct fc_producer_ids;

/* Errors: FC_ERR_CORRUPT (the file is not a number), FC_ERR_IO. */
FC_MUST_CHECK fc_code fc_producer_ids_open(struct fc_fs *fs, const char *dir,
                                           struct fc_producer_ids **out_ids,
                                           struct fc_error *err);
void fc_producer_ids_close(struct fc_producer_ids *ids); /* NULL is fine */

FC_MUST_CHECK fc_code fc_producer_ids_take(struct fc_producer_ids *ids, int64_t *out_id,
                                           struct fc_error *err);

#endif
