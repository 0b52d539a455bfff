/* SPDX-License-Identifier: Apache-2.0 */
/* One question to the cluster's administration and its one answer. */
#ifndef FC_CLUSTER_CALL_H
#define FC_CLUSTER_CALL_H

#include "core/cluster/cluster.h"

enum { FC_CLUSTER_CALL_MS = 10000, FC_CLUSTER_ADMIN_MS = 30000, FC_CLUSTER_TEXT_SIZE = 256 };

struct fc_cluster_call {
    rd_kafka_queue_t *queue;
    rd_kafka_AdminOptions_t *options;
    rd_kafka_event_t *event;
};

void fc_cluster_begin(struct fc_cluster_call *call, rd_kafka_t *handle,
                      rd_kafka_admin_op_t kind);
/* Wait for the answer. *out_words are the broker's own, or NULL; they live until the end. */
rd_kafka_resp_err_t fc_cluster_answer(struct fc_cluster_call *call, const char **out_words);
/* The same, with fc_cluster_fail for what is no success. */
FC_MUST_CHECK fc_code fc_cluster_wait(struct fc_cluster_call *call, const char *doing,
                                      struct fc_error *err);
void fc_cluster_end(struct fc_cluster_call *call);

#endif
