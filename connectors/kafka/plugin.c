/* SPDX-License-Identifier: Apache-2.0 */
/* The connector: its options and what it can do. */
#include "connectors/kafka/feed.h"
#include "connectors/kafka/sink.h"

static const struct fc_option OPTIONS[] = {
    { "bootstrap.servers", FC_OPTION_TEXT, true, NULL, 0, 0, NULL,
      "brokers of the cluster outside, such as 10.0.0.1:9092,10.0.0.2:9092" },
    { "properties", FC_OPTION_MAP, false, NULL, 0, 0, NULL,
      "any of librdkafka's properties, such as { security.protocol: ssl }" },
    { "topics", FC_OPTION_LIST, true, NULL, 0, 0, NULL,
      "which to copy: names, globs such as shop.*, regular expressions that begin with ^" },
    { "exclude", FC_OPTION_LIST, false, NULL, 0, 0, NULL, "which of those not" },
    { "groups", FC_OPTION_LIST, false, NULL, 0, 0, NULL,
      "consumer groups whose offsets go along, translated; patterns as for topics" },
    { "start", FC_OPTION_CHOICE, false, "beginning", 0, 0, "beginning|end",
      "source: where a first run begins" },
    { "replication-factor", FC_OPTION_INT, false, "0", 0, 32767, NULL,
      "sink: of topics that are created; 0: the cluster's default" },
    { .key = NULL },
};

static const struct fc_connector CONNECTOR = {
    .abi = FC_CONNECTOR_ABI,
    .size = sizeof(struct fc_connector),
    .name = "kafka",
    .version = FC_VERSION,
    .help = "copies topics between Kafka clusters and our log",
    .options = OPTIONS,
    .feed = &fc_kafka_feed_ops,
    .sink = &fc_kafka_sink_ops,
};

FC_EXPORT const struct fc_connector *fc_connector_entry(void)
{
    return &CONNECTOR;
}
