/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the transaction coordinator, for its own files. */
#ifndef FC_SPU_TXNS_STATE_H
#define FC_SPU_TXNS_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/base/hashmap.h"
#include "core/spu/txns.h"

struct fc_journal;

struct fc_txns {
    struct fc_spu *spu;
    struct fc_journal *journal;
    struct fc_loop *loop; /* of the timer; NULL until it is started */
    struct fc_loop_timer timer;
    struct fc_loop_task rearm;
    atomic_bool stopping;

    pthread_mutex_t lock;
    /* Guarded by lock. */
    struct fc_hashmap map; /* by transactional id, to struct fc_txn */
    bool rearming;         /* the task is on its way to the loop */
    int64_t expiry_ms;     /* wall: when unused ids are looked at next */
};

#endif
