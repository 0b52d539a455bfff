/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/live_server.h"

#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "core/base/alloc.h"

extern char **environ;

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "live server: %s: %s\n", what, why);
    abort();
}

static void read_env(struct live_server *server)
{
    char path[300];
    char line[600];
    FILE *file;
    (void)snprintf(path, sizeof(path), "%s/env", server->dir);
    file = fopen(path, "re");
    if (file == NULL) {
        fail(path, "cannot be read");
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        (void)sscanf(line, "KIND=%15s", server->kind);
        (void)sscanf(line, "SOCKET=%255s", server->socket);
        (void)sscanf(line, "PORT=%7s", server->port);
    }
    (void)fclose(file);
}

MYSQL *live_server_connect(struct live_server *server)
{
    MYSQL *mysql = mysql_init(NULL);
    if (mysql == NULL || mysql_real_connect(mysql, "localhost", "root", "", NULL, 0,
                                            server->socket, 0) == NULL) {
        fail("connect", mysql == NULL ? "no memory" : mysql_error(mysql));
    }
    (void)mysql_set_character_set(mysql, "utf8mb4");
    return mysql;
}

struct live_server *live_server_open(const char *dir, const char *script)
{
    struct live_server *server = fc_new(struct live_server);
    (void)snprintf(server->dir, sizeof(server->dir), "%s", dir);
    (void)snprintf(server->script, sizeof(server->script), "%s", script);
    read_env(server);
    server->mysql = live_server_connect(server);
    return server;
}

void live_server_close(struct live_server *server)
{
    if (server != NULL) {
        mysql_close(server->mysql);
        free(server);
    }
}

bool live_server_is_mariadb(const struct live_server *server)
{
    return strcmp(server->kind, "mariadb") == 0;
}

static void run(MYSQL *mysql, const char *fmt, va_list args)
{
    char *sql = NULL;
    MYSQL_RES *result;
    if (vasprintf(&sql, fmt, args) < 0) {
        fail("statement", "no memory");
    }
    if (mysql_query(mysql, sql) != 0) {
        fail(sql, mysql_error(mysql));
    }
    result = mysql_store_result(mysql);
    if (result != NULL) {
        mysql_free_result(result);
    }
    free(sql);
}

void live_server_run(MYSQL *mysql, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    run(mysql, fmt, args);
    va_end(args);
}

void live_server_sql(struct live_server *server, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    run(server->mysql, fmt, args);
    va_end(args);
}

const char *live_server_text(struct live_server *server, const char *sql)
{
    static _Thread_local char text[4096];
    MYSQL_RES *result;
    MYSQL_ROW row;
    if (mysql_query(server->mysql, sql) != 0) {
        fail(sql, mysql_error(server->mysql));
    }
    result = mysql_store_result(server->mysql);
    row = result == NULL ? NULL : mysql_fetch_row(result);
    (void)snprintf(text, sizeof(text), "%s", row == NULL || row[0] == NULL ? "" : row[0]);
    mysql_free_result(result);
    return text;
}

void live_server_control(struct live_server *server, const char *command)
{
    char *argv[] = { server->script, fc_strdup(command), server->dir, NULL };
    pid_t pid = 0;
    int status = 0;
    mysql_close(server->mysql);
    server->mysql = NULL;
    if (posix_spawn(&pid, server->script, NULL, NULL, argv, environ) != 0 ||
        waitpid(pid, &status, 0) != pid || status != 0) {
        fail(server->script, command);
    }
    free(argv[1]);
    if (strcmp(command, "again") == 0) {
        server->mysql = live_server_connect(server);
    }
}
