/* SPDX-License-Identifier: Apache-2.0 */
/* All settings of a topic: those that the log goes by (core/log/topic_config.h) and those that
 * are only kept (kept_settings.h); what each is, and where that is from. */
#ifndef FC_SPU_TOPIC_SETTINGS_H
#define FC_SPU_TOPIC_SETTINGS_H

#include "core/log/settings.h"
#include "core/spu/setting_docs.h"

/* A value and where it is from; the numbers are Kafka's. */
typedef enum fc_setting_source {
    FC_SETTING_FROM_TOPIC = 1,
    FC_SETTING_FROM_FILE = 4, /* the node's */
    FC_SETTING_FROM_DEFAULT = 5
} fc_setting_source;

enum { FC_SETTING_VALUES_MAX = 3 };

struct fc_setting_value {
    fc_setting_source source;
    const char *text; /* borrowed from the topic's settings, or in the struct around it */
};

/* The first value counts; the others would, in order, without it. */
struct fc_topic_setting {
    const struct fc_setting_doc *doc;
    struct fc_setting_value values[FC_SETTING_VALUES_MAX];
    int32_t count;
    char texts[FC_SETTING_VALUES_MAX][FC_TOPIC_CONFIG_TEXT_SIZE];
};

size_t fc_topic_settings_count(void);

/* One of them, of a topic that sets these. */
void fc_topic_setting(const struct fc_spu *spu, const struct fc_settings *settings,
                      size_t index, struct fc_topic_setting *out);

/*
 * Whether a topic may set that.
 * Errors: FC_ERR_NOT_FOUND (there is no such setting), FC_ERR_CONFIG (what is wrong with it).
 */
FC_MUST_CHECK fc_code fc_topic_setting_check(const struct fc_spu *spu, const char *key,
                                             const char *value, struct fc_error *err);

#endif
