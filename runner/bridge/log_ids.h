/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which topics our log has, by their ids: what tells a topic from another that is made under its
 * name later. A log in this process knows them itself; a cluster is asked over a connection of our
 * own. Where that cannot be, it is told once, and ids are not known.
 *
 * Thread: the bridge's.
 */
#ifndef FC_RUNNER_BRIDGE_LOG_IDS_H
#define FC_RUNNER_BRIDGE_LOG_IDS_H

#include "core/stream/stream.h"
#include "runner/bridge/bridge_state.h"

struct fc_log_ids;

/* The bridge and the stream outlive it. */
struct fc_log_ids *fc_log_ids_new(const struct fc_bridge *bridge, struct fc_stream *stream);
void fc_log_ids_free(struct fc_log_ids *ids); /* NULL is fine */

/* The topic's id; "": not known. Errors are retriable: ids could be had before. May block. */
FC_MUST_CHECK fc_code fc_log_ids_of(struct fc_log_ids *ids, const char *topic,
                                    char out_id[FC_TOPIC_ID_SIZE], struct fc_error *err);

/* Whether the topics still have the ids that were given out; out_topic: one that has not,
 * borrowed; NULL: all have, or it cannot be told. May block. */
FC_MUST_CHECK fc_code fc_log_ids_verify(struct fc_log_ids *ids, const char **out_topic,
                                        struct fc_error *err);

#endif
