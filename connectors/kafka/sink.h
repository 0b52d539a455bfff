/* SPDX-License-Identifier: Apache-2.0 */
/* Records into a cluster: the connector's fc_sink_ops, on one producer of librdkafka. */
#ifndef FC_KAFKA_SINK_H
#define FC_KAFKA_SINK_H

#include "fc/connector.h"

extern const struct fc_sink_ops fc_kafka_sink_ops;

#endif
