/* SPDX-License-Identifier: Apache-2.0 */
/* What DescribeConfigs and AlterConfigs share. The numbers are Kafka's. */
#ifndef FC_SPU_CONFIGS_H
#define FC_SPU_CONFIGS_H

#include "core/spu/spu_state.h"

/* What has settings. */
enum {
    FC_CONFIG_TOPIC = 2,
    FC_CONFIG_BROKER = 4,
    FC_CONFIG_BROKER_LOGGER = 8,
    FC_CONFIG_CLIENT_METRICS = 16,
    FC_CONFIG_GROUP = 32
};

#endif
