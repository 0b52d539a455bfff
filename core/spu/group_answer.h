/* SPDX-License-Identifier: Apache-2.0 */
/* What a group says to those who wait, as Kafka's responses. A waiter is a struct fc_request. */
#ifndef FC_SPU_GROUP_ANSWER_H
#define FC_SPU_GROUP_ANSWER_H

#include "core/spu/group/group.h"
#include "core/spu/spu_state.h"

/* All of a host but on_changed. ctx is passed on. */
void fc_group_answer_host(struct fc_group_host *out_host, void *ctx);

/* To a JoinGroup that did not get to a group. */
void fc_group_answer_join_error(struct fc_request *request, fc_kafka_error error,
                                struct fc_slice member_id);
void fc_group_answer_sync_error(struct fc_request *request, fc_kafka_error error);

#endif
