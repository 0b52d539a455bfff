/* SPDX-License-Identifier: Apache-2.0 */
/* Consumer groups of an SPU for the process that it runs in, without a connection. */
#ifndef FC_SPU_LOCAL_GROUPS_H
#define FC_SPU_LOCAL_GROUPS_H

#include "core/spu/spu.h"

/*
 * Commit an offset for a group that nobody is in, as a client does that is no member; durable when
 * this returns. Only ever forward: a group that has committed as much or more is left as it is.
 *
 * Errors: FC_ERR_REJECTED (somebody is in the group); those of an append and a flush.
 * Thread: any but a loop's. Blocks for a sync.
 */
FC_MUST_CHECK fc_code fc_spu_commit_forward(struct fc_spu *spu, const char *group,
                                            const char *topic, uint32_t partition,
                                            int64_t offset, struct fc_error *err);

#endif
