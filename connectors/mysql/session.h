/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session: one authenticated connection to a MySQL or MariaDB server, with statements on it
 * and errors that say whether trying again helps.
 *
 * Sessions are set up so that what they return does not depend on the server's settings: UTC,
 * utf8mb4, an sql_mode that pads and quotes nothing. Thread: one session belongs to one thread;
 * only fc_session_interrupt may come from another.
 */
#ifndef FC_MYSQL_SESSION_H
#define FC_MYSQL_SESSION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <mysql.h>

#include "core/base/buf.h"
#include "core/base/error.h"
#include "fc/connector.h"

typedef enum fc_flavor { FC_FLAVOR_MYSQL, FC_FLAVOR_MARIADB } fc_flavor;

struct fc_session {
    MYSQL *mysql;
    const struct fc_host *host;
    fc_flavor flavor;
    uint32_t version;      /* 101106 for 10.11.6, 90700 for 9.7.0 */
    char version_text[64]; /* as the server says it */
    char server_uuid[40];  /* MySQL's; on MariaDB a name made of host, port and the like */
    uint32_t server_id;    /* @@server_id */
    atomic_bool interrupted;
    pthread_mutex_t fd_lock;
    int fd; /* Guarded by fd_lock: the socket while open, else -1 */
};

typedef enum fc_session_kind {
    FC_SESSION_QUERY, /* statements: UTC, utf8mb4, sql_mode '', read time-out read_timeout_s */
    FC_SESSION_LOAD,  /* as QUERY, and LOAD DATA LOCAL may ask for data; writes wait as long */
    FC_SESSION_DUMP   /* will read the binlog: no session settings, read time-out as given */
} fc_session_kind;

/*
 * Connect by the connector's options: host, port, socket, user, password, tls, tls-ca, tls-cert,
 * tls-key, connect-timeout.
 *
 * read_timeout_s  longest silence of the server that is not taken for its death.
 *
 * Errors: retriable when the server cannot be reached, is full or going down; FC_ERR_CONFIG for
 * a wrong password, TLS that cannot be had, or bad options.
 */
FC_MUST_CHECK fc_code fc_session_open(const struct fc_host *host, fc_session_kind kind,
                                      unsigned read_timeout_s, struct fc_session **out_session,
                                      struct fc_error *err);
void fc_session_close(struct fc_session *session); /* NULL is fine */

/* End what the session is waiting for; later calls on it fail with FC_ERR_CLOSED. Any thread. */
void fc_session_interrupt(struct fc_session *session);

/* Run one statement and drop what it returns. Not for text from outside: quote it first. */
FC_MUST_CHECK fc_code fc_session_run(struct fc_session *session, struct fc_error *err,
                                     const char *fmt, ...) FC_PRINTF(3, 4);

/* Run one statement and take its whole result; the caller frees it with mysql_free_result. */
FC_MUST_CHECK fc_code fc_session_query(struct fc_session *session, struct fc_slice sql,
                                       MYSQL_RES **out_result, struct fc_error *err);

/*
 * The first field of the first row; NULL when there is no row or the field is NULL. The caller
 * frees the text with free().
 */
FC_MUST_CHECK fc_code fc_session_query_text(struct fc_session *session, const char *sql,
                                            char **out_text, struct fc_error *err);
FC_MUST_CHECK fc_code fc_session_query_u64(struct fc_session *session, const char *sql,
                                           uint64_t *out_value, struct fc_error *err);

/* Fail with what the client library last recorded on the session, mapped to a code. */
fc_code fc_session_fail(const struct fc_session *session, struct fc_error *err,
                        const char *what);
/* The same for an error number and text that came another way. */
fc_code fc_session_fail_with(struct fc_error *err, unsigned number, const char *text,
                             const char *what);

/* Append `name` in backticks, or text in single quotes, safe in any statement of a session. */
void fc_session_append_name(struct fc_buf *sql, const char *name);
void fc_session_append_text(struct fc_buf *sql, struct fc_slice text);

#endif
