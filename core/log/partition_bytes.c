/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/partition_state.h"

uint64_t fc_partition_bytes(struct fc_partition *partition)
{
    uint64_t bytes;
    (void)pthread_mutex_lock(&partition->lock);
    bytes = partition->active.size;
    for (size_t index = 0; index < partition->closed_count; index++) {
        bytes += partition->closed[index].size;
    }
    (void)pthread_mutex_unlock(&partition->lock);
    return bytes;
}
