/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What MariaDB Connector/C and libmysqlclient do differently: TLS options, the socket, and the
 * packets of a binlog dump. Everything else in this folder is the same for both.
 */
#ifndef FC_MYSQL_CLIENT_H
#define FC_MYSQL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <mysql.h>

#include "core/base/slice.h"

typedef enum fc_client_tls_mode {
    FC_CLIENT_TLS_DISABLED,
    FC_CLIENT_TLS_PREFERRED,
    FC_CLIENT_TLS_REQUIRED,
    FC_CLIENT_TLS_VERIFY_CA,
    FC_CLIENT_TLS_VERIFY_IDENTITY
} fc_client_tls_mode;

/* Paths may be NULL. Before connecting. */
void fc_client_set_tls(MYSQL *mysql, fc_client_tls_mode mode, const char *ca, const char *cert,
                       const char *key);

/* The connection's socket; -1 when there is none. */
int fc_client_socket(MYSQL *mysql);

/* Where a dump begins. */
struct fc_client_dump_from {
    uint32_t server_id;       /* ours */
    bool by_gtid_set;         /* MySQL: send gtid_set, and neither file nor position */
    struct fc_slice gtid_set; /* in the binary form of COM_BINLOG_DUMP_GTID */
    const char *file;         /* "" when by_gtid_set, and when MariaDB is told a GTID state */
    uint64_t position;        /* at least 4 */
    bool statements;          /* MariaDB: send ANNOTATE_ROWS events, too */
};

struct fc_client_dump;

/*
 * Ask for the binlog; the connection serves nothing else from here on. NULL when the command
 * could not be sent: mysql_errno says why. `from` is borrowed until the dump is freed.
 */
struct fc_client_dump *fc_client_dump_begin(MYSQL *mysql,
                                            const struct fc_client_dump_from *from);

typedef enum fc_client_packet {
    FC_CLIENT_EVENT, /* out_event: one binlog event, valid until the next call */
    FC_CLIENT_END,   /* the server ended the dump */
    FC_CLIENT_ERROR  /* out_event: the server's error packet from its number on, or the null
                        slice when the connection failed and mysql_errno says how */
} fc_client_packet;

/* Block for the next event. */
fc_client_packet fc_client_dump_next(struct fc_client_dump *dump, struct fc_slice *out_event);

/* Whether next will give an event, or the end, without waiting. */
bool fc_client_dump_has_next(const struct fc_client_dump *dump);

/* Whether the server has more, and we take it faster than it comes. */
bool fc_client_dump_is_ahead(const struct fc_client_dump *dump);

/* Before the connection is closed. NULL is fine. */
void fc_client_dump_free(struct fc_client_dump *dump);

#endif
