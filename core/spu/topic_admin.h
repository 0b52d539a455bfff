/* SPDX-License-Identifier: Apache-2.0 */
/* Making topics, for clients and for the SPU itself. */
#ifndef FC_SPU_TOPIC_ADMIN_H
#define FC_SPU_TOPIC_ADMIN_H

#include "core/spu/spu_state.h"

/* A topic that a client asked for by name, with the defaults; one that is there by now is fine.
 * Waits for the disk. */
fc_kafka_error fc_topic_admin_auto_create(struct fc_spu *spu, struct fc_request *request,
                                          struct fc_slice name,
                                          struct fc_log_topic **out_topic);

/* A topic of the SPU's own, compacted, made when it is not there. Waits for the disk. */
FC_MUST_CHECK fc_code fc_topic_admin_internal(struct fc_spu *spu, const char *name,
                                              uint32_t partitions,
                                              struct fc_log_topic **out_topic,
                                              struct fc_error *err);

/* For the client that asked to create, alter or delete something. */
fc_kafka_error fc_topic_admin_error(fc_code code);

#endif
