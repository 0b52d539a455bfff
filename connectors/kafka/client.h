/* SPDX-License-Identifier: Apache-2.0 */
/* What feed and sink share: the options, handles of librdkafka made by them, and what it last
 * complained of. */
#ifndef FC_KAFKA_CLIENT_H
#define FC_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "connectors/kafka/patterns.h"
#include "core/link/link_settings.h"
#include "fc/connector.h"

enum { FC_KAFKA_TEXT_SIZE = 256 };

struct fc_kafka_client {
    const struct fc_host *host;
    struct fc_patterns topics;
    struct fc_patterns exclude;
    struct fc_patterns groups;
    _Atomic bool interrupted;
    _Atomic bool down;    /* no broker is reached */
    _Atomic bool refused; /* a broker did not let us in */
    pthread_mutex_t lock;
    char reason[FC_KAFKA_TEXT_SIZE]; /* Guarded by lock: the newest; "" when there was none */
};

/* FC_ERR_CONFIG for options that cannot be. Release it whatever comes. */
FC_MUST_CHECK fc_code fc_kafka_client_init(struct fc_kafka_client *client,
                                           const struct fc_host *host, struct fc_error *err);
void fc_kafka_client_release(struct fc_kafka_client *client);

/* A handle with the user's properties and `ours`: names and values in turn, ends with NULL.
 * on_delivered may be NULL. The client is the handle's opaque. */
FC_MUST_CHECK fc_code fc_kafka_client_handle(
    struct fc_kafka_client *client, rd_kafka_type_t type, const char *const *ours,
    void (*on_delivered)(rd_kafka_t *handle, const rd_kafka_message_t *message, void *ctx),
    rd_kafka_t **out_handle, struct fc_error *err);

/* Fails as retriable, with the reason, unless a broker answers. */
FC_MUST_CHECK fc_code fc_kafka_client_reach(struct fc_kafka_client *client, rd_kafka_t *handle,
                                            uint32_t *out_brokers, struct fc_error *err);

struct fc_cluster_finding;

/* Whether a transaction can begin there (fc_cluster_transactions), asked by a handle of its own;
 * wait_ms for each question. */
FC_MUST_CHECK fc_code fc_kafka_client_transactions(struct fc_kafka_client *client, int wait_ms,
                                                   struct fc_cluster_finding *out_finding,
                                                   struct fc_error *err);

/* The error for an answer, with the newest reason when it only says that nothing came. */
fc_code fc_kafka_client_fail(struct fc_kafka_client *client, rd_kafka_resp_err_t answer,
                             const char *doing, struct fc_error *err);

/* How the cluster is connected to, by the user's properties; borrows the client. */
struct fc_link_settings fc_kafka_client_link(const struct fc_kafka_client *client);

/* To ask for the ids of the cluster's topics, with the user's TLS and SASL; freed by the caller
 * before the client. */
struct fc_topic_ids *fc_kafka_client_topic_ids(const struct fc_kafka_client *client);

/* Of topics that are nobody's own: not __consumer_offsets and not _fluvio.* */
bool fc_kafka_client_wants(const struct fc_kafka_client *client, const char *topic);

FC_PRINTF(3, 4)
void fc_kafka_client_tell(const struct fc_kafka_client *client, int level, const char *fmt,
                          ...);

#endif
