/* SPDX-License-Identifier: Apache-2.0 */
/* A topic to write to: made when it is not there, its settings those of the connector file. */
#ifndef FC_RUNNER_TOPIC_USE_H
#define FC_RUNNER_TOPIC_USE_H

#include "core/stream/stream.h"
#include "runner/room.h"

/* Waits for room on a full disk. Thread: any. */
FC_MUST_CHECK fc_code fc_topic_use(struct fc_stream *stream, const char *name,
                                   const struct fc_topic_config *config, struct fc_room *room,
                                   struct fc_topic **out_topic, struct fc_error *err);

#endif
