/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of an SPU as transactions need, on a disk that can be full and lose syncs: no network. A
 * topic "t", and one transactional id.
 */
#ifndef FC_TESTS_TXN_WORLD_H
#define FC_TESTS_TXN_WORLD_H

#include <pthread.h>

#include "core/spu/txns.h"
#include "tests/support/fs_lossy.h"

enum { TXN_WORLD_TIMEOUT_MS = 60000, TXN_WORLD_ID = 7 };

struct txn_world {
    struct fc_fs *fs;
    struct fc_spu spu;
};

static const struct fc_txn_producer TXN_WORLD_NOBODY = { -1, -1 };
static const struct fc_txn_producer TXN_WORLD_FIRST = { TXN_WORLD_ID, 0 };

/* For cmocka; *state is a struct txn_world. */
int txn_world_set_up(void **state);
int txn_world_tear_down(void **state);

/* As kill -9 and another start. */
void txn_world_restart(struct txn_world *world);

/* ctx: the world. What was appended is durable, or its sync has failed. */
void txn_world_sync(void *ctx);

/* All that was handed to the thread that syncs has had its turn. */
void txn_world_turn(struct txn_world *world);

struct fc_slice txn_world_id(void);

/* InitProducerId, with a fresh id at hand. */
fc_kafka_error txn_world_init(struct txn_world *world, const struct fc_txn_producer *asked,
                              struct fc_txns_inited *out_inited);

/* The first producer has the id. */
void txn_world_begin(struct txn_world *world);

/* What it asks about a partition of "t". */
fc_kafka_error txn_world_add(struct txn_world *world, int32_t partition);
fc_kafka_error txn_world_verify(struct txn_world *world, int32_t partition);

/* For the end of a transaction. */
struct txn_waiter {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int ended; /* 0: not yet; 1: it was carried out; -1: it was given up */
};
#define TXN_WAITER                                                                             \
    {                                                                                          \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0                                 \
    }
void txn_waiter_wait(struct txn_waiter *waiter);

/* EndTxn of a client that knows that epochs grow. */
fc_kafka_error txn_world_end(struct txn_world *world, const struct fc_txn_producer *producer,
                             bool commit, struct txn_waiter *waiter);

#endif
