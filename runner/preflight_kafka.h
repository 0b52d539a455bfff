/* SPDX-License-Identifier: Apache-2.0 */
/* What is looked at before a capture into a Kafka cluster: whether it is there, and whether its
 * topics keep what is written to them. Nothing is created or changed. */
#ifndef FC_RUNNER_PREFLIGHT_KAFKA_H
#define FC_RUNNER_PREFLIGHT_KAFKA_H

#include "runner/preflight.h"

/* stream: on the cluster, for looking only. False when it does not answer. */
bool fc_preflight_kafka(const struct fc_preflight *preflight, struct fc_stream *stream);

#endif
