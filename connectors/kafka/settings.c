/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What says how long records live and how large they may be goes along; where files roll and how
 * many replicas there are is the other cluster's own. message.timestamp.type goes along, but for
 * LogAppendTime: the copy would get times of its own, and timestamps are kept.
 */
#include "connectors/kafka/settings.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/cluster/cluster.h"

static const char *const COPIED[] = {
    "cleanup.policy",        "retention.ms",          "retention.bytes",
    "compression.type",      "max.message.bytes",     "delete.retention.ms",
    "min.compaction.lag.ms", "max.compaction.lag.ms", "message.timestamp.type",
};

bool fc_kafka_settings_copied(const char *name, const char *value)
{
    for (size_t index = 0; index < sizeof(COPIED) / sizeof(COPIED[0]); index++) {
        if (strcmp(name, COPIED[index]) == 0) {
            return strcmp(value, "LogAppendTime") != 0;
        }
    }
    return false;
}

static void on_setting(void *ctx, const char *name, const char *value)
{
    struct fc_kafka_settings *settings = ctx;
    if (fc_kafka_settings_copied(name, value)) {
        size_t at = 2 * (size_t)settings->count++;
        settings->texts = fc_realloc_array(settings->texts, at + 2, sizeof(char *));
        settings->texts[at] = fc_strdup(name);
        settings->texts[at + 1] = fc_strdup(value);
    }
}

fc_code fc_kafka_settings_read(rd_kafka_t *handle, const char *topic,
                               struct fc_kafka_settings *out_settings, struct fc_error *err)
{
    return fc_cluster_settings(handle, topic, on_setting, out_settings, err);
}

void fc_kafka_settings_release(struct fc_kafka_settings *settings)
{
    for (uint32_t index = 0; index < 2 * settings->count; index++) {
        free(settings->texts[index]);
    }
    free(settings->texts);
    memset(settings, 0, sizeof(*settings));
}
