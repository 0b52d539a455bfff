/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the transaction coordinator, for its own files. */
#ifndef FC_SPU_TXNS_STATE_H
#define FC_SPU_TXNS_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/base/hashmap.h"
#include "core/spu/txns.h"

struct fc_ending;
struct fc_journal;

struct fc_txns {
    struct fc_spu *spu;
    struct fc_journal *journal;
    struct fc_loop *loop; /* of the timer; NULL until it is started */
    struct fc_loop_timer timer;
    struct fc_loop_task rearm;
    atomic_bool stopping;
    atomic_int strays_count; /* so that produce need not take the lock */

    pthread_mutex_t lock;
    /* Guarded by lock. */
    struct fc_hashmap map;    /* by transactional id, to struct fc_txn */
    struct fc_ending *strays; /* chained; see fc_txn_end_stray */
    bool rearming;            /* the task is on its way to the loop */
    int64_t expiry_ms;        /* wall: when unused ids are looked at next */
};

#endif
