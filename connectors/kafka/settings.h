/* SPDX-License-Identifier: Apache-2.0 */
/* Which of a topic's settings its copy takes. */
#ifndef FC_KAFKA_SETTINGS_H
#define FC_KAFKA_SETTINGS_H

#include <librdkafka/rdkafka.h>

#include "core/base/error.h"

struct fc_kafka_settings {
    char **texts;   /* names and values in turn */
    uint32_t count; /* of pairs */
};

/* Whether a copy takes it. */
bool fc_kafka_settings_copied(const char *name, const char *value);

/* What the topic has there, given or by default. A zeroed struct; released by the caller. */
FC_MUST_CHECK fc_code fc_kafka_settings_read(rd_kafka_t *handle, const char *topic,
                                             struct fc_kafka_settings *out_settings,
                                             struct fc_error *err);
void fc_kafka_settings_release(struct fc_kafka_settings *settings);

#endif
