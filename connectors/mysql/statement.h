/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QUERY events: what the statement is, and the change that it makes when it is DDL of captured
 * tables.
 */
#ifndef FC_MYSQL_STATEMENT_H
#define FC_MYSQL_STATEMENT_H

#include "connectors/mysql/binlog_body.h"
#include "connectors/mysql/ddl_scan.h"
#include "connectors/mysql/emitter.h"
#include "connectors/mysql/table_filter.h"

struct fc_statement {
    struct fc_binlog_query query; /* its text as sent */
    struct fc_ddl_scan scan;
    bool captured;           /* change is to be emitted */
    struct fc_change change; /* in the batch's memory */
};

/*
 * Decode a QUERY event. BEGIN and COMMIT cost nothing; anything else is copied to the batch and
 * turned into UTF-8.
 *
 * Errors: FC_ERR_PROTOCOL, FC_ERR_LIMIT; FC_ERR_CONFIG for a character set that this system
 * cannot convert.
 */
FC_MUST_CHECK fc_code fc_statement_decode(const struct fc_binlog_event *event, bool mariadb,
                                          const struct fc_table_filter *filter,
                                          struct fc_emitter *emitter,
                                          struct fc_statement *out_statement,
                                          struct fc_error *err);

/* A line for each captured table of a statement that moves rows. tx: the transaction's id. */
void fc_statement_warn_of_moved_rows(const struct fc_ddl_scan *scan,
                                     const struct fc_table_filter *filter,
                                     const struct fc_host *host, struct fc_slice tx);

#endif
