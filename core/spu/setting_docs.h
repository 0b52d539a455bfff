/* SPDX-License-Identifier: Apache-2.0 */
/* What settings are, for DescribeConfigs: their type and a sentence. */
#ifndef FC_SPU_SETTING_DOCS_H
#define FC_SPU_SETTING_DOCS_H

#include "core/spu/spu_state.h"

/* Kafka's numbers. */
typedef enum fc_setting_type {
    FC_SETTING_BOOLEAN = 1,
    FC_SETTING_STRING = 2,
    FC_SETTING_INT = 3,
    FC_SETTING_LONG = 5,
    FC_SETTING_DOUBLE = 6,
    FC_SETTING_LIST = 7
} fc_setting_type;

struct fc_setting_doc {
    const char *key;
    fc_setting_type type;
    const char *text;
    const char *broker_key; /* of a topic's: what Kafka calls it where it is for all topics */
};

/* Of a topic's setting; NULL for a key that is none. */
const struct fc_setting_doc *fc_setting_doc(const char *key);

/* Settings of the SPU as a whole, by Kafka's names where it has the same; NULL past the end. */
const struct fc_setting_doc *fc_broker_setting(size_t index);

enum { FC_BROKER_SETTING_TEXT_SIZE = 512 };

/* Its value now. */
void fc_broker_setting_value(const struct fc_spu *spu, const struct fc_request *request,
                             const char *key, char out[FC_BROKER_SETTING_TEXT_SIZE]);

#endif
