/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source transaction under way in the binlog: where it begins, what names it, when it ends,
 * and the position after it.
 *
 * A GTID joins the position only when its transaction is complete (COMMIT, XID, or the one
 * statement of a transaction without BEGIN).
 */
#ifndef FC_MYSQL_TRANSACTION_H
#define FC_MYSQL_TRANSACTION_H

#include "connectors/mysql/binlog_body.h"
#include "connectors/mysql/emitter.h"
#include "connectors/mysql/source_position.h"

typedef enum fc_transaction_kind {
    FC_TRANSACTION_BY_PLACE,
    FC_TRANSACTION_BY_GTID,
    FC_TRANSACTION_BY_MARIADB_GTID
} fc_transaction_kind;

/* What a transaction adds to the position. */
struct fc_transaction_name {
    fc_transaction_kind kind;
    struct fc_binlog_gtid gtid;     /* BY_GTID */
    struct fc_mariadb_gtid mariadb; /* BY_MARIADB_GTID */
};

struct fc_transaction {
    struct fc_emitter_tx emit;
    bool open;  /* its GTID or BEGIN came, its end did not */
    bool begun; /* it ends with COMMIT or XID; else with its one statement */
    bool is_xa; /* its rows count only if it is committed later */
    struct fc_transaction_name name;
    int64_t original_us; /* commit where it was first made; 0: not told */
};

void fc_transaction_init(struct fc_transaction *tx);
void fc_transaction_release(struct fc_transaction *tx);

/*
 * Begin at a GTID event of any kind, or (event NULL) at a BEGIN without one.
 *
 * place  where the transaction starts.
 *
 * Errors: FC_ERR_PROTOCOL for an event that cannot be read; FC_ERR_CONFIG for a transaction
 * without GTID when positions are GTIDs.
 */
FC_MUST_CHECK fc_code fc_transaction_begin(struct fc_transaction *tx,
                                           const struct fc_binlog_event *event,
                                           const struct fc_source_position *position,
                                           const struct fc_binlog_place *place,
                                           struct fc_error *err);

/* The transaction is complete and ends at `place`: move the position past it. */
FC_MUST_CHECK fc_code fc_transaction_end(struct fc_transaction *tx,
                                         struct fc_source_position *position,
                                         const struct fc_binlog_place *place,
                                         struct fc_error *err);

/*
 * The transaction is prepared and ends at `place`. With GTID sets the position does not get it
 * before it is committed, so that the server sends it again after a reconnect.
 */
FC_MUST_CHECK fc_code fc_transaction_prepared(struct fc_transaction *tx,
                                              struct fc_source_position *position,
                                              const struct fc_binlog_place *place,
                                              struct fc_error *err);

/* Add a transaction that was prepared, and is now committed or rolled back. */
FC_MUST_CHECK fc_code fc_transaction_resolved(const struct fc_transaction_name *name,
                                              struct fc_source_position *position,
                                              struct fc_error *err);

/* When a change of this event was made. */
int64_t fc_transaction_change_us(const struct fc_transaction *tx,
                                 const struct fc_binlog_event *event);

#endif
