/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ids of a cluster's topics (KIP-516): what tells a topic from another one that is made under
 * its name later. librdkafka gives them from 2.3 on only, so they are asked for over a connection
 * of our own, which is kept open, and opened again when it breaks.
 *
 * Thread: one at a time.
 */
#ifndef FC_LINK_TOPIC_IDS_H
#define FC_LINK_TOPIC_IDS_H

#include "core/base/error.h"
#include "core/link/link_settings.h"

struct fc_topic_ids;

/* What the settings borrow outlives it. Nothing is connected yet. */
struct fc_topic_ids *fc_topic_ids_new(const struct fc_link_settings *settings, int timeout_ms);
void fc_topic_ids_free(struct fc_topic_ids *ids); /* NULL is fine */

/*
 * Call on_id with the id, as Kafka prints it, of each of the topics that there is.
 *
 * Errors: of a connection (wire_client.h); FC_ERR_PROTOCOL when the cluster knows no ids.
 */
FC_MUST_CHECK fc_code fc_topic_ids_ask(struct fc_topic_ids *ids, const char *const *names,
                                       size_t count,
                                       void (*on_id)(void *ctx, const char *name,
                                                     const char *id),
                                       void *ctx, struct fc_error *err);

#endif
