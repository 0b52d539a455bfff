/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a bridge, for this folder only. */
#ifndef FC_RUNNER_BRIDGE_BRIDGE_STATE_H
#define FC_RUNNER_BRIDGE_BRIDGE_STATE_H

#include <pthread.h>

#include "runner/bridge/bridge.h"

enum {
    FC_BRIDGE_TOPICS_MS = 2000,     /* how often new topics and partitions are looked for */
    FC_BRIDGE_GROUPS_MS = 5000,     /* and groups */
    FC_BRIDGE_CHECKPOINT_MS = 1000, /* and how often the place is kept */
    FC_BRIDGE_FLUSH_MS = 100,       /* the longest that a record waits for others */
    FC_BRIDGE_STATUS_MS = 500
};

struct fc_bridge {
    struct fc_bridge_config config;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Guarded by lock. */
    bool stopping;
    struct fc_feed *feed; /* to be interrupted; NULL: none is open */
    struct fc_sink *sink;
    struct fc_pipeline_status status;
    struct fc_bridge_lag *lags;
    size_t lag_count;
};

bool fc_bridge_stopping(struct fc_bridge *bridge);

/* Wait a while, or until the bridge is to stop. */
void fc_bridge_pause(struct fc_bridge *bridge, int wait_ms);

/* Whom a stop is to interrupt from now on; NULLs: nobody. */
void fc_bridge_open(struct fc_bridge *bridge, struct fc_feed *feed, struct fc_sink *sink);

/* Say why it does not go on ("": it does); told as a diagnostic when it is news. */
void fc_bridge_waits(struct fc_bridge *bridge, const char *why, bool log_waits);

/* Count what was copied and is durable. */
void fc_bridge_count(struct fc_bridge *bridge, uint64_t read, uint64_t written, uint64_t bytes);

/* A new table, taken over. topics: how many; newest_ms: time of the newest record copied. */
void fc_bridge_show(struct fc_bridge *bridge, struct fc_bridge_lag *lags, size_t count,
                    size_t topics, int64_t newest_ms);

int64_t fc_bridge_now(const struct fc_bridge *bridge);

/* The name of the topic's copy. */
void fc_bridge_name(const struct fc_bridge *bridge, const char *topic,
                    char to[FC_TOPIC_NAME_MAX + 1]);

/* From what was copied to a stop, the end or an error. */
FC_MUST_CHECK fc_code fc_bridge_copy_in(struct fc_bridge *bridge, struct fc_error *err);
FC_MUST_CHECK fc_code fc_bridge_copy_out(struct fc_bridge *bridge, struct fc_error *err);

#endif
