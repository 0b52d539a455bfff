/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XA transactions of two phases: their rows stand in the binlog where they were prepared, but
 * count only if and when XA COMMIT follows, maybe much later. Their events are kept until then.
 *
 * Thread: the source's.
 */
#ifndef FC_MYSQL_XA_HOLD_H
#define FC_MYSQL_XA_HOLD_H

#include "connectors/mysql/binlog_body.h"
#include "connectors/mysql/transaction.h"
#include "core/base/hashmap.h"

/* The events of one transaction, in order. */
struct fc_xa_events {
    struct fc_buf bytes;
    size_t at;   /* of the next event to be taken */
    size_t last; /* of the one taken last */
};

/* Transactions that are prepared, by the server's text of their id: "X'61',X'',1". */
struct fc_xa_hold {
    struct fc_hashmap prepared;
};

struct fc_xa_prepared {
    struct fc_xa_events events;
    struct fc_transaction_name name; /* of the preparing transaction */
};

void fc_xa_events_init(struct fc_xa_events *events);
void fc_xa_events_clear(struct fc_xa_events *events); /* and give back its memory */

/* Keep a copy of an event that starts at `start`. FC_ERR_LIMIT: the transaction is too large to
 * be kept. */
FC_MUST_CHECK fc_code fc_xa_events_add(struct fc_xa_events *events,
                                       const struct fc_binlog_event *event, uint64_t start,
                                       struct fc_error *err);
/* The next event, its body valid until clear; false at the end. */
bool fc_xa_events_take(struct fc_xa_events *events, struct fc_binlog_event *out_event,
                       uint64_t *out_start);
/* Let the next take give the last event again. */
void fc_xa_events_untake(struct fc_xa_events *events);

void fc_xa_hold_init(struct fc_xa_hold *hold);
void fc_xa_hold_release(struct fc_xa_hold *hold);

/* Takes over events, which is empty afterwards. */
void fc_xa_hold_put(struct fc_xa_hold *hold, const struct fc_binlog_xa *xa,
                    struct fc_xa_events *events, const struct fc_transaction_name *name);

/* By the text after XA COMMIT or XA ROLLBACK. The caller frees it with fc_xa_prepared_free; NULL
 * when there is none. */
struct fc_xa_prepared *fc_xa_hold_take(struct fc_xa_hold *hold, struct fc_slice xid);
void fc_xa_prepared_free(struct fc_xa_prepared *prepared); /* NULL is fine */

#endif
