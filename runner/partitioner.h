/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka's default partitioner, so that any Kafka client finds a key where it would look for it. */
#ifndef FC_RUNNER_PARTITIONER_H
#define FC_RUNNER_PARTITIONER_H

#include "core/base/slice.h"

/* murmur2 with Kafka's seed, as in org.apache.kafka.common.utils.Utils. */
uint32_t fc_murmur2(struct fc_slice bytes);

/* The partition of a key; partitions > 0. */
static inline uint32_t fc_partition_of(struct fc_slice key, uint32_t partitions)
{
    return partitions == 1 ? 0 : (fc_murmur2(key) & 0x7fffffffU) % partitions;
}

#endif
