/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the source is: the bytes that the runner keeps for us, as a struct and as JSON.
 *
 *   {"v":1,"flavor":"mariadb","server":"...","gtid":"0-1-42","file":"binlog.000003","pos":1234,
 *    "snapshot":{"tables":[["shop","orders"],...],"key":["17"]}}
 *
 * server    which one (fc_session's server_uuid); file and position hold only for that one.
 * gtid      everything up to the last complete transaction; absent when the server has no GTIDs.
 * file,pos  where that transaction ends.
 * snapshot  absent when there is none to go on with. tables: those not complete yet, the first
 *           is under way; key: its key values in the last chunk's last row, absent before the
 *           first chunk.
 */
#ifndef FC_MYSQL_SOURCE_POSITION_H
#define FC_MYSQL_SOURCE_POSITION_H

#include <jansson.h>

#include "connectors/mysql/gtid_set.h"
#include "connectors/mysql/mariadb_position.h"
#include "connectors/mysql/session.h"

enum { FC_BINLOG_FILE_SIZE = 520 };

/* A place in a server's binlog files. */
struct fc_binlog_place {
    char file[FC_BINLOG_FILE_SIZE]; /* "" while unknown */
    uint64_t position;
};

struct fc_source_position {
    fc_flavor flavor;
    char server[64];
    bool by_gtid;
    struct fc_gtid_set gtids;           /* MySQL */
    struct fc_mariadb_position mariadb; /* MariaDB */
    struct fc_binlog_place place;
    json_t *snapshot; /* owned; NULL when there is none */
};

void fc_source_position_init(struct fc_source_position *position);
void fc_source_position_release(struct fc_source_position *position);

/* FC_ERR_CONFIG when the text is no position of this connector. Inits out_position. */
FC_MUST_CHECK fc_code fc_source_position_parse(struct fc_slice text,
                                               struct fc_source_position *out_position,
                                               struct fc_error *err);
void fc_source_position_print(const struct fc_source_position *position, struct fc_buf *out);

/* "gtid 0-1-42 (binlog.000003:1234)" for a person, cut to size. */
void fc_source_position_describe(const struct fc_source_position *position, char *to,
                                 size_t size);

/*
 * The server's present end: gtid and file:pos, consistent with each other. Inits out_position.
 *
 * Errors: FC_ERR_CONFIG when the server writes no binlog or the user may not ask.
 */
FC_MUST_CHECK fc_code fc_source_position_of_server(struct fc_session *session,
                                                   struct fc_source_position *out_position,
                                                   struct fc_error *err);

/* File and position of the server's end only. */
FC_MUST_CHECK fc_code fc_binlog_place_of_server(struct fc_session *session,
                                                struct fc_binlog_place *out_place,
                                                struct fc_error *err);

/* Below, equal to or above 0 as a stands before, at or after b. Files are ordered by number. */
int fc_binlog_place_compare(const struct fc_binlog_place *a, const struct fc_binlog_place *b);
void fc_binlog_place_set(struct fc_binlog_place *place, struct fc_slice file,
                         uint64_t position);

#endif
