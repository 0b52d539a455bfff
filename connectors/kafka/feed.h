/* SPDX-License-Identifier: Apache-2.0 */
/* Records out of a cluster: the connector's fc_feed_ops, on one consumer of librdkafka. */
#ifndef FC_KAFKA_FEED_H
#define FC_KAFKA_FEED_H

#include "fc/connector.h"

extern const struct fc_feed_ops fc_kafka_feed_ops;

#endif
