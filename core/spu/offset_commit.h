/* SPDX-License-Identifier: Apache-2.0 */
/* How commits are answered, for those of a group and those of a transaction. */
#ifndef FC_SPU_OFFSET_COMMIT_H
#define FC_SPU_OFFSET_COMMIT_H

#include "core/spu/spu_state.h"

/*
 * Answer once what was written for the group up to last_offset of its partition is durable; at
 * once when last_offset is -1. response lives in the request's arena; set_error puts an error
 * where there is none yet.
 */
void fc_offset_commit_answer(struct fc_spu *spu, struct fc_request *request,
                             struct fc_slice group_id, int64_t last_offset, void *response,
                             void (*set_error)(void *response, fc_kafka_error error));

#endif
