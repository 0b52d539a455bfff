/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MySQL's TRANSACTION_PAYLOAD event: a transaction's events, compressed as one zstd stream,
 * taken out one by one with bounded memory.
 */
#ifndef FC_MYSQL_BINLOG_PAYLOAD_H
#define FC_MYSQL_BINLOG_PAYLOAD_H

#include "connectors/mysql/binlog_event.h"
#include "connectors/mysql/memory.h"

struct fc_binlog_payload;

/* Reusable for any number of payloads, one after another. Holds up to some megabytes. */
struct fc_binlog_payload *fc_binlog_payload_new(void);
void fc_binlog_payload_free(struct fc_binlog_payload *payload); /* NULL is fine */

/*
 * Begin with the payload of `event`, whose bytes must live until the last next.
 *
 * Errors: FC_ERR_PROTOCOL (header, or a compression that is neither zstd nor none).
 */
FC_MUST_CHECK fc_code fc_binlog_payload_open(struct fc_binlog_payload *payload,
                                             const struct fc_binlog_event *event,
                                             struct fc_error *err);

/*
 * The next inner event; its body lives in `memory`.
 *
 * out_end  true after the last event (out_event untouched): everything was read and the stream
 *          was whole.
 *
 * Errors: FC_ERR_PROTOCOL; FC_ERR_LIMIT (memory).
 */
FC_MUST_CHECK fc_code fc_binlog_payload_next(struct fc_binlog_payload *payload,
                                             const struct fc_mysql_memory *memory,
                                             struct fc_binlog_event *out_event, bool *out_end,
                                             struct fc_error *err);

#endif
