/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of all binlog events but table maps, rows and payloads, decoded into structs.
 *
 * Slices in the outputs borrow the event's bytes, or memory where a function takes one. All
 * fail with FC_ERR_PROTOCOL on a body that cannot be read.
 */
#ifndef FC_MYSQL_BINLOG_BODY_H
#define FC_MYSQL_BINLOG_BODY_H

#include "connectors/mysql/binlog_event.h"
#include "connectors/mysql/memory.h"

struct fc_binlog_rotate {
    uint64_t position;
    struct fc_slice file;
};
FC_MUST_CHECK fc_code fc_binlog_body_rotate(const struct fc_binlog_event *event,
                                            struct fc_binlog_rotate *out_rotate,
                                            struct fc_error *err);

struct fc_binlog_query {
    uint32_t thread_id;
    uint16_t error_code;
    struct fc_slice db; /* the default database; empty when none */
    struct fc_slice statement;
    bool has_sql_mode;
    uint64_t sql_mode;
    bool has_charset;
    uint16_t client_collation; /* collation of the statement's text */
    int32_t microseconds;      /* of the event's timestamp; -1 when not sent */
    bool has_xid; /* MySQL 8: the DDL commits with this XID and no XID event follows */
    uint64_t xid;
};
/* QUERY and QUERY_COMPRESSED; memory is for the inflated statement. */
FC_MUST_CHECK fc_code fc_binlog_body_query(const struct fc_binlog_event *event,
                                           const struct fc_mysql_memory *memory,
                                           struct fc_binlog_query *out_query,
                                           struct fc_error *err);

FC_MUST_CHECK fc_code fc_binlog_body_xid(const struct fc_binlog_event *event, uint64_t *out_xid,
                                         struct fc_error *err);

enum { FC_BINLOG_TAG_MAX = 32 };

struct fc_binlog_gtid {
    bool anonymous; /* uuid, gno and tag mean nothing */
    uint8_t uuid[16];
    int64_t gno;
    char tag[FC_BINLOG_TAG_MAX + 1]; /* "" when untagged */
    int64_t last_committed;          /* logical clock of the parallel applier */
    int64_t sequence_number;
    int64_t immediate_commit_us; /* commit on the server that we read from; 0 when not sent */
    int64_t original_commit_us;  /* commit on the server where it began; 0 when not sent */
    uint64_t transaction_size;   /* bytes with this event; 0 when not sent */
    uint32_t server_version;     /* 80400; 0 when not sent */
};
/* GTID, ANONYMOUS_GTID and GTID_TAGGED. */
FC_MUST_CHECK fc_code fc_binlog_body_gtid(const struct fc_binlog_event *event,
                                          struct fc_binlog_gtid *out_gtid,
                                          struct fc_error *err);

enum {
    FC_MARIADB_GTID_STANDALONE = 1,      /* no COMMIT or XID follows: one statement (DDL) */
    FC_MARIADB_GTID_GROUP_COMMIT_ID = 2, /* commit_id is set */
    FC_MARIADB_GTID_TRANSACTIONAL = 4,
    FC_MARIADB_GTID_ALLOW_PARALLEL = 8,
    FC_MARIADB_GTID_WAITED = 16,
    FC_MARIADB_GTID_DDL = 32,
    FC_MARIADB_GTID_PREPARED_XA = 64,  /* the transaction ends with XA PREPARE */
    FC_MARIADB_GTID_COMPLETED_XA = 128 /* XA COMMIT or XA ROLLBACK of a prepared one */
};

struct fc_binlog_xa {
    int32_t format_id;
    struct fc_slice gtrid;
    struct fc_slice bqual;
    bool one_phase; /* XA_PREPARE event: XA COMMIT ... ONE PHASE */
};

struct fc_binlog_mariadb_gtid {
    uint64_t sequence;
    uint32_t domain_id;
    uint8_t flags;
    uint64_t commit_id;
    struct fc_binlog_xa xa; /* with PREPARED_XA or COMPLETED_XA */
};
/* The server id of the GTID is the event's. */
FC_MUST_CHECK fc_code fc_binlog_body_mariadb_gtid(const struct fc_binlog_event *event,
                                                  struct fc_binlog_mariadb_gtid *out_gtid,
                                                  struct fc_error *err);

FC_MUST_CHECK fc_code fc_binlog_body_xa_prepare(const struct fc_binlog_event *event,
                                                struct fc_binlog_xa *out_xa,
                                                struct fc_error *err);

/* ANNOTATE_ROWS and ROWS_QUERY: the statement's text. */
FC_MUST_CHECK fc_code fc_binlog_body_rows_query(const struct fc_binlog_event *event,
                                                struct fc_slice *out_statement,
                                                struct fc_error *err);

struct fc_binlog_heartbeat {
    struct fc_slice file;
    uint64_t position; /* HEARTBEAT: the header's next_position */
};
/* HEARTBEAT and HEARTBEAT_V2. */
FC_MUST_CHECK fc_code fc_binlog_body_heartbeat(const struct fc_binlog_event *event,
                                               struct fc_binlog_heartbeat *out_heartbeat,
                                               struct fc_error *err);

/* BINLOG_CHECKPOINT: the oldest file that crash recovery of the server needs. */
FC_MUST_CHECK fc_code fc_binlog_body_checkpoint(const struct fc_binlog_event *event,
                                                struct fc_slice *out_file,
                                                struct fc_error *err);

struct fc_binlog_incident {
    uint16_t number; /* 1: events were lost on the server */
    struct fc_slice message;
};
FC_MUST_CHECK fc_code fc_binlog_body_incident(const struct fc_binlog_event *event,
                                              struct fc_binlog_incident *out_incident,
                                              struct fc_error *err);

#endif
