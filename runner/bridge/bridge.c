/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/bridge/bridge.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/deadline.h"
#include "runner/bridge/bridge_state.h"
#include "runner/topic_name.h"

enum { BACKOFF_FIRST_MS = 100, BACKOFF_MAX_MS = 5000, STEADY_MS = 10000 };

struct fc_bridge *fc_bridge_new(const struct fc_bridge_config *config)
{
    struct fc_bridge *bridge = fc_new(struct fc_bridge);
    bridge->config = *config;
    (void)pthread_mutex_init(&bridge->lock, NULL); /* these cannot fail on Linux */
    fc_deadline_cond_init(&bridge->changed);
    return bridge;
}

void fc_bridge_free(struct fc_bridge *bridge)
{
    if (bridge != NULL) {
        (void)pthread_cond_destroy(&bridge->changed); /* nobody waits any more */
        (void)pthread_mutex_destroy(&bridge->lock);
        free(bridge->lags);
        free(bridge);
    }
}

static void lock(struct fc_bridge *bridge)
{
    (void)pthread_mutex_lock(&bridge->lock);
}

static void unlock(struct fc_bridge *bridge)
{
    (void)pthread_mutex_unlock(&bridge->lock);
}

/* --- stop --------------------------------------------------------------------------------- */

bool fc_bridge_stopping(struct fc_bridge *bridge)
{
    bool stopping;
    lock(bridge);
    stopping = bridge->stopping;
    unlock(bridge);
    return stopping;
}

void fc_bridge_pause(struct fc_bridge *bridge, int wait_ms)
{
    struct timespec until = fc_deadline_in_ms(wait_ms);
    lock(bridge);
    while (!bridge->stopping &&
           pthread_cond_timedwait(&bridge->changed, &bridge->lock, &until) == 0) {
    }
    unlock(bridge);
}

void fc_bridge_open(struct fc_bridge *bridge, struct fc_feed *feed, struct fc_sink *sink)
{
    lock(bridge);
    bridge->feed = feed;
    bridge->sink = sink;
    bridge->status.connected = feed != NULL || sink != NULL;
    unlock(bridge);
}

/* The lock is held. */
static void interrupt(struct fc_bridge *bridge)
{
    if (bridge->feed != NULL) {
        bridge->config.plugin->feed->interrupt(bridge->feed);
    }
    if (bridge->sink != NULL) {
        bridge->config.plugin->sink->interrupt(bridge->sink);
    }
}

/* A run that is between two steps ends by itself; only one that waits for a side that does not
 * answer is interrupted, so that what was read can still be written. */
void fc_bridge_stop(struct fc_bridge *bridge)
{
    lock(bridge);
    bridge->stopping = true;
    if (bridge->status.waiting[0] != '\0') {
        interrupt(bridge);
    }
    (void)pthread_cond_broadcast(&bridge->changed);
    unlock(bridge);
}

void fc_bridge_hurry(struct fc_bridge *bridge)
{
    lock(bridge);
    interrupt(bridge);
    unlock(bridge);
}

/* --- run ---------------------------------------------------------------------------------- */

int64_t fc_bridge_now(const struct fc_bridge *bridge)
{
    return fc_clock_steady_ms(bridge->config.clock);
}

fc_code fc_bridge_run(struct fc_bridge *bridge, struct fc_error *err)
{
    int backoff_ms = BACKOFF_FIRST_MS;
    fc_code code = FC_OK;
    bool again = true;
    while (again && !fc_bridge_stopping(bridge)) {
        int64_t begin_ms = fc_bridge_now(bridge);
        code = bridge->config.config->is_sink ? fc_bridge_copy_out(bridge, err)
                                              : fc_bridge_copy_in(bridge, err);
        fc_bridge_open(bridge, NULL, NULL);
        again = code != FC_OK && err->retriable;
        if (again) {
            lock(bridge);
            bridge->status.restarts++;
            unlock(bridge);
            fc_bridge_waits(bridge, err->message, false);
            backoff_ms =
                fc_bridge_now(bridge) - begin_ms > STEADY_MS ? BACKOFF_FIRST_MS : backoff_ms;
            fc_bridge_pause(bridge, backoff_ms);
            backoff_ms = 2 * backoff_ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : 2 * backoff_ms;
        }
    }
    if (fc_bridge_stopping(bridge) && (again || code == FC_ERR_CLOSED)) {
        code = FC_OK; /* as asked for; what is not there yet is copied at the next start */
    }
    return code;
}

void fc_bridge_name(const struct fc_bridge *bridge, const char *topic,
                    char to[FC_TOPIC_NAME_MAX + 1])
{
    (void)fc_topic_name_fill(bridge->config.config->topic, fc_slice_text(""),
                             fc_slice_text(topic), to);
}

/* --- status ------------------------------------------------------------------------------- */

void fc_bridge_waits(struct fc_bridge *bridge, const char *why, bool log_waits)
{
    struct fc_pipeline_status *status = &bridge->status;
    bool news;
    lock(bridge);
    news = strcmp(status->waiting, why) != 0;
    (void)snprintf(status->waiting, sizeof(status->waiting), "%s", why);
    status->log_waits = log_waits;
    unlock(bridge);
    if (news && *why != '\0') {
        fc_diag_report(bridge->config.diag, FC_DIAG_WARN, "%s waiting: %s",
                       bridge->config.config->name, why);
    } else if (news) {
        fc_diag_report(bridge->config.diag, FC_DIAG_INFO, "%s goes on",
                       bridge->config.config->name);
    }
}

void fc_bridge_count(struct fc_bridge *bridge, uint64_t read, uint64_t written, uint64_t bytes)
{
    lock(bridge);
    bridge->status.changes_read += read;
    bridge->status.records_written += written;
    bridge->status.bytes_written += bytes;
    unlock(bridge);
}

void fc_bridge_show(struct fc_bridge *bridge, struct fc_bridge_lag *lags, size_t count,
                    size_t topics, int64_t newest_ms)
{
    struct fc_source_status *source = &bridge->status.source;
    int64_t behind = 0;
    bool unknown = false;
    for (size_t index = 0; index < count; index++) {
        unknown = unknown || lags[index].end < 0;
        behind += lags[index].end > lags[index].next ? lags[index].end - lags[index].next : 0;
    }
    lock(bridge);
    free(bridge->lags);
    bridge->lags = lags;
    bridge->lag_count = count;
    source->caught_up = behind == 0 && !unknown;
    (void)snprintf(source->phase, sizeof(source->phase), "%s",
                   source->caught_up ? "up to date" : "copying");
    (void)snprintf(source->position, sizeof(source->position),
                   "%zu topics, %zu partitions, %" PRId64 " behind", topics, count, behind);
    bridge->status.lag_us = source->caught_up || newest_ms <= 0
                                ? 0
                                : (fc_clock_wall_ms(bridge->config.clock) - newest_ms) * 1000;
    bridge->status.lag_us = bridge->status.lag_us < 0 ? 0 : bridge->status.lag_us;
    unlock(bridge);
}

void fc_bridge_status(struct fc_bridge *bridge, struct fc_pipeline_status *out_status)
{
    lock(bridge);
    *out_status = bridge->status;
    unlock(bridge);
}

struct fc_bridge_lag *fc_bridge_lags(struct fc_bridge *bridge, size_t *out_count)
{
    struct fc_bridge_lag *lags;
    lock(bridge);
    lags = fc_new_array(struct fc_bridge_lag, bridge->lag_count + 1);
    if (bridge->lag_count > 0) {
        memcpy(lags, bridge->lags, bridge->lag_count * sizeof(*lags));
    }
    *out_count = bridge->lag_count;
    unlock(bridge);
    return lags;
}
