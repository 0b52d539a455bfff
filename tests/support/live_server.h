/* SPDX-License-Identifier: Apache-2.0 */
/* A private database server that a test talks to and kills, made by tests/support/servers. */
#ifndef FC_TESTS_LIVE_SERVER_H
#define FC_TESTS_LIVE_SERVER_H

#include <stdbool.h>

#include <mysql.h>

struct live_server {
    char dir[256];
    char kind[16]; /* "mariadb" or "mysql" */
    char socket[256];
    char port[8];
    char script[256]; /* tests/support/servers */
    MYSQL *mysql;     /* root */
};

/* Reads dir/env and connects; aborts when it cannot. */
struct live_server *live_server_open(const char *dir, const char *script);
void live_server_close(struct live_server *server); /* the connection only; NULL is fine */

bool live_server_is_mariadb(const struct live_server *server);

/* Run a statement, dropping its result; aborts when it fails. */
void live_server_sql(struct live_server *server, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The first field of the first row, "" when there is none; valid until the next call. */
const char *live_server_text(struct live_server *server, const char *sql);
/* A further connection, for transactions beside the first; the caller closes it. */
MYSQL *live_server_connect(struct live_server *server);
void live_server_run(MYSQL *mysql, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "kill", "stop" or "again" of the script; aborts when that fails. Closes, or makes, the
 * connection. */
void live_server_control(struct live_server *server, const char *command);

#endif
