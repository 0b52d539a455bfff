/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-flight checks of the cluster outside, for the ops of feed and sink. */
#ifndef FC_KAFKA_CHECK_H
#define FC_KAFKA_CHECK_H

#include "fc/connector.h"

FC_MUST_CHECK fc_code fc_kafka_check_feed(const struct fc_host *host,
                                          fc_message_check *on_result, void *ctx,
                                          struct fc_error *err);
FC_MUST_CHECK fc_code fc_kafka_check_sink(const struct fc_host *host,
                                          fc_message_check *on_result, void *ctx,
                                          struct fc_error *err);
/* The ops' further looks. */
FC_MUST_CHECK fc_code fc_kafka_look_feed(const struct fc_host *host,
                                         void (*on_found)(void *ctx,
                                                          const struct fc_found *found),
                                         void *ctx, struct fc_error *err);
FC_MUST_CHECK fc_code fc_kafka_check_copies(const struct fc_host *host,
                                            struct fc_copies *copies,
                                            fc_message_check *on_result, void *ctx,
                                            struct fc_error *err);

#endif
