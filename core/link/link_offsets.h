/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up offsets while brokers come and go. */
#ifndef FC_LINK_OFFSETS_H
#define FC_LINK_OFFSETS_H

#include <librdkafka/rdkafka.h>

/*
 * As rd_kafka_offsets_for_times, for all of the list, but asked again within wait_ms while leaders
 * move: librdkafka would wait all that time for one broker that is gone, though another leads by
 * then. What stays wrong with one partition stands in its entry.
 *
 * list  offsets are times; -1 and -2, which are the newest and the oldest in Kafka's ListOffsets,
 *       are passed on as they are.
 */
rd_kafka_resp_err_t fc_link_offsets(rd_kafka_t *handle, rd_kafka_topic_partition_list_t *list,
                                    int wait_ms);

#endif
