/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Incremental fetch sessions (KIP-227): the partitions that a consumer reads are remembered, so
 * that its requests name only what changed, and the answers only what is new.
 *
 * A session is used by one request at a time: from fc_fetch_plan_begin to fc_fetch_plan_end.
 * When there are too many, the one that was not used for the longest time goes; its consumer
 * begins a new one.
 *
 * Thread: any.
 */
#ifndef FC_SPU_FETCH_SESSION_H
#define FC_SPU_FETCH_SESSION_H

#include "core/spu/spu_state.h"

struct fc_fetch_sessions;
struct fc_fetch_session;

/* A partition that is to be read, and what its consumer was last told of it. */
struct fc_fetch_item {
    struct fc_slice name; /* null: by id */
    struct fc_uuid id;
    int32_t partition;
    int64_t offset;
    int32_t bytes_max;
    int32_t leader_epoch; /* that the client thinks of; -1: none */
    bool told;            /* the three that follow have been sent */
    int64_t told_high_watermark;
    int64_t told_stable;
    int64_t told_start;
};

/* What one request is to read. */
struct fc_fetch_plan {
    struct fc_fetch_item *items; /* the session's, or in the request's arena */
    int32_t count;
    int32_t first;                    /* begin here and go round, so that all get their turn */
    int32_t session_id;               /* for the answer; 0: no session */
    bool incremental;                 /* leave out what has nothing new */
    struct fc_fetch_session *session; /* NULL: none */
};

struct fc_fetch_sessions *fc_fetch_sessions_new(uint32_t sessions_max);
void fc_fetch_sessions_free(struct fc_fetch_sessions *sessions); /* NULL is fine */

/* FC_KAFKA_NONE, or what the whole request is answered with. Past the arena's limit *out_plan has
 * no items and `items` is NULL while `count` is not 0. */
fc_kafka_error fc_fetch_plan_begin(struct fc_fetch_sessions *sessions,
                                   struct fc_request *request,
                                   const struct fc_msg_fetch_request *ask,
                                   struct fc_fetch_plan *out_plan);

/* The answer is made; `last` is the item that filled it, or -1. */
void fc_fetch_plan_end(struct fc_fetch_sessions *sessions, struct fc_fetch_plan *plan,
                       int32_t last);

#endif
