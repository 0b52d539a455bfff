/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/session.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <errmsg.h>

#include "connectors/mysql/client.h"
#include "core/base/alloc.h"

enum { PACKET_SIZE_MAX = 1024 * 1024 * 1024, WRITE_TIMEOUT_S = 60 };

/* Server error numbers, from MySQL's and MariaDB's error references. */
enum {
    ER_ACCESS_DENIED_DB = 1044,
    ER_ACCESS_DENIED_USER = 1045,
    ER_BAD_DB = 1049,
    ER_HOST_BLOCKED = 1129,
    ER_HOST_DENIED = 1130,
    ER_TABLE_ACCESS_DENIED = 1142,
    ER_COLUMN_ACCESS_DENIED = 1143,
    ER_NO_TABLE = 1146,
    ER_SPECIFIC_ACCESS_DENIED = 1227,
    ER_PASSWORD_EXPIRED = 1862
};

struct error_class {
    unsigned number;
    fc_code code;
    bool retriable;
};

static const struct error_class error_classes[] = {
    { ER_ACCESS_DENIED_DB, FC_ERR_CONFIG, false },
    { ER_ACCESS_DENIED_USER, FC_ERR_CONFIG, false },
    { ER_HOST_BLOCKED, FC_ERR_CONFIG, false },
    { ER_HOST_DENIED, FC_ERR_CONFIG, false },
    { ER_TABLE_ACCESS_DENIED, FC_ERR_CONFIG, false },
    { ER_COLUMN_ACCESS_DENIED, FC_ERR_CONFIG, false },
    { ER_SPECIFIC_ACCESS_DENIED, FC_ERR_CONFIG, false },
    { ER_PASSWORD_EXPIRED, FC_ERR_CONFIG, false },
    { ER_BAD_DB, FC_ERR_NOT_FOUND, false },
    { ER_NO_TABLE, FC_ERR_NOT_FOUND, false },
    { 1040, FC_ERR_IO, true },      /* too many connections */
    { 1041, FC_ERR_IO, true },      /* out of memory */
    { 1042, FC_ERR_IO, true },      /* host name cannot be resolved by the server */
    { 1053, FC_ERR_IO, true },      /* server shutdown in progress */
    { 1077, FC_ERR_IO, true },      /* normal shutdown */
    { 1079, FC_ERR_IO, true },      /* shutdown complete */
    { 1152, FC_ERR_IO, true },      /* connection aborted */
    { 1158, FC_ERR_IO, true },      /* network read error */
    { 1159, FC_ERR_IO, true },      /* network read time-out */
    { 1160, FC_ERR_IO, true },      /* network write error */
    { 1161, FC_ERR_IO, true },      /* network write time-out */
    { 1184, FC_ERR_IO, true },      /* connection aborted */
    { 1203, FC_ERR_IO, true },      /* too many connections of this user */
    { 1205, FC_ERR_TIMEOUT, true }, /* lock wait time-out */
    { 1213, FC_ERR_TIMEOUT, true }, /* deadlock */
    { 1226, FC_ERR_IO, true },      /* user's resource limit */
    { 1317, FC_ERR_IO, true },      /* query interrupted */
    { 1412, FC_ERR_TIMEOUT, true }, /* table changed, start the transaction again */
    { 1637, FC_ERR_IO, true },      /* too many concurrent transactions */
    { 1927, FC_ERR_IO, true },      /* connection killed (MariaDB) */
    { 3024, FC_ERR_TIMEOUT, true }, /* statement time-out */
    { 3032, FC_ERR_IO, true },      /* offline mode */
    { 3168, FC_ERR_IO, true },      /* server is not available yet */
    { 4031, FC_ERR_IO, true },      /* disconnected for inactivity */
    { CR_UNKNOWN_ERROR, FC_ERR_IO, true },
    { CR_SOCKET_CREATE_ERROR, FC_ERR_IO, true },
    { CR_CONNECTION_ERROR, FC_ERR_IO, true },
    { CR_CONN_HOST_ERROR, FC_ERR_IO, true },
    { CR_IPSOCK_ERROR, FC_ERR_IO, true },
    { CR_UNKNOWN_HOST, FC_ERR_IO, true },
    { CR_SERVER_GONE_ERROR, FC_ERR_IO, true },
    { CR_SERVER_HANDSHAKE_ERR, FC_ERR_IO, true },
    { CR_SERVER_LOST, FC_ERR_IO, true },
    { CR_SERVER_LOST_EXTENDED, FC_ERR_IO, true },
    { CR_SSL_CONNECTION_ERROR, FC_ERR_CONFIG, false },
    { CR_AUTH_PLUGIN_CANNOT_LOAD, FC_ERR_CONFIG, false },
};

/* A server that goes away within a TLS handshake is told by the same number as a wrong certificate;
 * what OpenSSL, or the system, says of it differs. */
static bool lost_in_handshake(unsigned number, const char *text)
{
    static const char *const losses[] = { "error:00000000",   "unexpected eof",
                                          "Connection reset", "Broken pipe",
                                          "timed out",        "Success" };
    for (size_t index = 0; index < sizeof(losses) / sizeof(losses[0]); index++) {
        if (number == CR_SSL_CONNECTION_ERROR && strstr(text, losses[index]) != NULL) {
            return true;
        }
    }
    return false;
}

fc_code fc_session_fail_with(struct fc_error *err, unsigned number, const char *text,
                             const char *what)
{
    if (lost_in_handshake(number, text)) {
        return fc_fail_retriable(err, FC_ERR_IO, "%s: %s (%u)", what, text, number);
    }
    for (size_t index = 0; index < sizeof(error_classes) / sizeof(error_classes[0]); index++) {
        const struct error_class *known = &error_classes[index];
        if (known->number == number) {
            return known->retriable
                       ? fc_fail_retriable(err, known->code, "%s: %s (%u)", what, text, number)
                       : fc_fail(err, known->code, "%s: %s (%u)", what, text, number);
        }
    }
    return fc_fail(err, FC_ERR_REJECTED, "%s: %s (%u)", what, text, number);
}

fc_code fc_session_fail(const struct fc_session *session, struct fc_error *err,
                        const char *what)
{
    if (atomic_load(&session->interrupted)) {
        return fc_fail(err, FC_ERR_CLOSED, "interrupted");
    }
    return fc_session_fail_with(err, mysql_errno(session->mysql), mysql_error(session->mysql),
                                what);
}

static fc_client_tls_mode tls_mode_of(const char *text)
{
    static const char *const names[] = { "disabled", "preferred", "required", "verify-ca",
                                         "verify-identity" };
    fc_client_tls_mode mode = FC_CLIENT_TLS_PREFERRED;
    for (size_t index = 0; text != NULL && index < sizeof(names) / sizeof(names[0]); index++) {
        if (strcmp(text, names[index]) == 0) {
            mode = (fc_client_tls_mode)index;
        }
    }
    return mode;
}

static void set_options(MYSQL *mysql, const struct fc_host *host, unsigned read_timeout_s)
{
    int64_t connect_ms = host->option_int(host, "connect-timeout");
    unsigned connect_s = connect_ms > 0 ? (unsigned)((connect_ms + 999) / 1000) : 10;
    unsigned write_s = WRITE_TIMEOUT_S;
    size_t packet_size_max = PACKET_SIZE_MAX;
    (void)mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    (void)mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &read_timeout_s);
    (void)mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &write_s);
    (void)mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet_size_max);
    (void)mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    fc_client_set_tls(mysql, tls_mode_of(host->option_text(host, "tls")),
                      host->option_text(host, "tls-ca"), host->option_text(host, "tls-cert"),
                      host->option_text(host, "tls-key"));
}

/* A server could ask any client for any file, so only a load, which sends no file, lets it. */
static void set_load_options(MYSQL *mysql, bool load, unsigned timeout_s)
{
    unsigned allowed = load ? 1 : 0;
    (void)mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &allowed);
    if (load) {
        (void)mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &timeout_s);
    }
}

/* A peer that vanished without a word is noticed within half a minute, also while a statement
 * runs and no read time-out is near. Has no effect on Unix sockets. */
static void set_keep_alive(int fd)
{
    int on = 1;
    int idle_s = 10;
    int interval_s = 5;
    int count = 3;
    unsigned unanswered_ms = 25000;
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof(unanswered_ms));
}

/* "10.11.6-MariaDB-log" is 101106, "9.7.0" is 90700. */
static uint32_t version_of(const char *text)
{
    uint32_t parts[3] = { 0, 0, 0 };
    size_t part = 0;
    for (const char *at = text; *at != '\0' && part < 3; at++) {
        if (*at >= '0' && *at <= '9') {
            parts[part] = parts[part] * 10 + (uint32_t)(*at - '0');
        } else if (*at == '.') {
            part++;
        } else {
            break;
        }
    }
    return parts[0] * 10000 + parts[1] * 100 + parts[2];
}

/* MariaDB has no UUID of a server; what follows changes at least when another one answers. */
static fc_code learn_mariadb_name(struct fc_session *session, struct fc_error *err)
{
    char *text = NULL;
    fc_code code = fc_session_query_text(
        session, "SELECT MD5(CONCAT_WS(':', @@hostname, @@port, @@server_id, @@datadir))",
        &text, err);
    if (code == FC_OK) {
        (void)snprintf(session->server_uuid, sizeof(session->server_uuid), "%s",
                       text == NULL ? "" : text);
        free(text);
    }
    return code;
}

static fc_code learn_server(struct fc_session *session, struct fc_error *err)
{
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    char *text = NULL;
    uint64_t server_id = 0;
    fc_code code = fc_session_query_text(session, "SELECT @@global.version", &text, err);
    if (code != FC_OK) {
        return code;
    }
    (void)snprintf(session->version_text, sizeof(session->version_text), "%s",
                   text == NULL ? "" : text);
    free(text);
    session->version = version_of(session->version_text);
    code = fc_session_query_u64(session, "SELECT @@global.server_id", &server_id, err);
    if (code != FC_OK) {
        return code;
    }
    session->server_id = (uint32_t)server_id;
    /* Only MySQL has the variable; a name in the version text could be anything. */
    code = fc_session_query(session, fc_slice_text("SHOW GLOBAL VARIABLES LIKE 'server_uuid'"),
                            &result, err);
    if (code != FC_OK) {
        return code;
    }
    row = mysql_fetch_row(result);
    session->flavor = row == NULL ? FC_FLAVOR_MARIADB : FC_FLAVOR_MYSQL;
    if (row != NULL && row[1] != NULL) {
        (void)snprintf(session->server_uuid, sizeof(session->server_uuid), "%s", row[1]);
    }
    mysql_free_result(result);
    return session->flavor == FC_FLAVOR_MARIADB ? learn_mariadb_name(session, err) : FC_OK;
}

static fc_code set_up_queries(struct fc_session *session, struct fc_error *err)
{
    fc_code code = fc_session_run(
        session, err,
        "SET NAMES utf8mb4, SESSION time_zone='+00:00', sql_mode='', autocommit=1, "
        "sql_select_limit=DEFAULT, lock_wait_timeout=10, innodb_lock_wait_timeout=10, "
        "net_write_timeout=600, wait_timeout=86400, sql_quote_show_create=1, %s",
        session->flavor == FC_FLAVOR_MARIADB
            ? "tx_isolation='REPEATABLE-READ', max_statement_time=0"
            : "transaction_isolation='REPEATABLE-READ', max_execution_time=0");
    return code == FC_OK ? FC_OK : fc_wrap(err, "set up the session");
}

static fc_code connect_to_server(struct fc_session *session, struct fc_error *err)
{
    const struct fc_host *host = session->host;
    const char *name = host->option_text(host, "host");
    const char *socket_path = host->option_text(host, "socket");
    const char *user = host->option_text(host, "user");
    int64_t port = host->option_int(host, "port");
    char what[160];
    if (socket_path != NULL) {
        (void)snprintf(what, sizeof(what), "connect to %s as '%s'", socket_path,
                       user == NULL ? "" : user);
    } else {
        (void)snprintf(what, sizeof(what), "connect to %s:%" PRId64 " as '%s'",
                       name == NULL ? "" : name, port, user == NULL ? "" : user);
    }
    if (mysql_real_connect(session->mysql, socket_path == NULL ? name : "localhost", user,
                           host->option_text(host, "password"), NULL, (unsigned)port,
                           socket_path, CLIENT_REMEMBER_OPTIONS) == NULL) {
        return fc_session_fail(session, err, what);
    }
    /* Connector/C goes on without TLS where the server has none, whatever it was told. */
    if (tls_mode_of(host->option_text(host, "tls")) >= FC_CLIENT_TLS_REQUIRED &&
        mysql_get_ssl_cipher(session->mysql) == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "%s: tls is %s, but the server offers none", what,
                       host->option_text(host, "tls"));
    }
    (void)pthread_mutex_lock(&session->fd_lock);
    session->fd = fc_client_socket(session->mysql);
    (void)pthread_mutex_unlock(&session->fd_lock);
    set_keep_alive(session->fd);
    return FC_OK;
}

fc_code fc_session_open(const struct fc_host *host, fc_session_kind kind,
                        unsigned read_timeout_s, struct fc_session **out_session,
                        struct fc_error *err)
{
    struct fc_session *session = fc_new(struct fc_session);
    fc_code code;
    session->host = host;
    session->fd = -1;
    atomic_init(&session->interrupted, false);
    (void)pthread_mutex_init(&session->fd_lock, NULL);
    session->mysql = mysql_init(NULL);
    if (session->mysql == NULL) {
        code = fc_fail(err, FC_ERR_NOMEM, "no memory for a connection");
        goto out;
    }
    set_options(session->mysql, host, read_timeout_s);
    set_load_options(session->mysql, kind == FC_SESSION_LOAD, read_timeout_s);
    code = connect_to_server(session, err);
    if (code == FC_OK) {
        code = learn_server(session, err);
    }
    if (code == FC_OK && kind != FC_SESSION_DUMP) {
        code = set_up_queries(session, err);
    }
out:
    if (code != FC_OK) {
        fc_session_close(session);
        return code;
    }
    *out_session = session;
    return FC_OK;
}

void fc_session_close(struct fc_session *session)
{
    if (session == NULL) {
        return;
    }
    /* The number may be another file's as soon as it is closed. */
    (void)pthread_mutex_lock(&session->fd_lock);
    session->fd = -1;
    (void)pthread_mutex_unlock(&session->fd_lock);
    if (session->mysql != NULL) {
        mysql_close(session->mysql);
    }
    (void)pthread_mutex_destroy(&session->fd_lock);
    free(session);
}

void fc_session_interrupt(struct fc_session *session)
{
    atomic_store(&session->interrupted, true);
    (void)pthread_mutex_lock(&session->fd_lock);
    if (session->fd >= 0) {
        (void)shutdown(session->fd, SHUT_RDWR); /* fails only when the peer is gone already */
    }
    (void)pthread_mutex_unlock(&session->fd_lock);
}

fc_code fc_session_query(struct fc_session *session, struct fc_slice sql,
                         MYSQL_RES **out_result, struct fc_error *err)
{
    MYSQL_RES *result;
    if (atomic_load(&session->interrupted)) {
        return fc_fail(err, FC_ERR_CLOSED, "interrupted");
    }
    if (mysql_real_query(session->mysql, (const char *)sql.data, (unsigned long)sql.len) != 0) {
        return fc_session_fail(session, err, "query");
    }
    result = mysql_store_result(session->mysql);
    if (result == NULL && mysql_field_count(session->mysql) > 0) {
        return fc_session_fail(session, err, "read a result");
    }
    *out_result = result;
    return FC_OK;
}

fc_code fc_session_run(struct fc_session *session, struct fc_error *err, const char *fmt, ...)
{
    MYSQL_RES *result = NULL;
    char *sql = NULL;
    int length;
    va_list args;
    fc_code code;
    va_start(args, fmt);
    length = vasprintf(&sql, fmt, args);
    va_end(args);
    if (length < 0) {
        return fc_fail(err, FC_ERR_NOMEM, "no memory for a statement");
    }
    code = fc_session_query(session, fc_slice_of(sql, (size_t)length), &result, err);
    free(sql);
    if (code == FC_OK && result != NULL) {
        mysql_free_result(result);
    }
    return code;
}

fc_code fc_session_query_text(struct fc_session *session, const char *sql, char **out_text,
                              struct fc_error *err)
{
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    fc_code code = fc_session_query(session, fc_slice_text(sql), &result, err);
    if (code != FC_OK) {
        return code;
    }
    row = result == NULL ? NULL : mysql_fetch_row(result);
    *out_text = row == NULL || row[0] == NULL
                    ? NULL
                    : fc_strndup(row[0], mysql_fetch_lengths(result)[0]);
    if (result != NULL) {
        mysql_free_result(result);
    }
    return FC_OK;
}

fc_code fc_session_query_u64(struct fc_session *session, const char *sql, uint64_t *out_value,
                             struct fc_error *err)
{
    char *text = NULL;
    char *end = NULL;
    uint64_t value;
    fc_code code = fc_session_query_text(session, sql, &text, err);
    if (code != FC_OK) {
        return code;
    }
    if (text == NULL) {
        return fc_fail(err, FC_ERR_PROTOCOL, "%s: no value", sql);
    }
    value = strtoull(text, &end, 10);
    if (end == text || *end != '\0') {
        code = fc_fail(err, FC_ERR_PROTOCOL, "%s: not a number: %.40s", sql, text);
    } else {
        *out_value = value;
    }
    free(text);
    return code;
}

void fc_session_append_name(struct fc_buf *sql, const char *name)
{
    fc_buf_append_u8(sql, '`');
    for (const char *at = name; *at != '\0'; at++) {
        if (*at == '`') {
            fc_buf_append_u8(sql, '`');
        }
        fc_buf_append_u8(sql, (uint8_t)*at);
    }
    fc_buf_append_u8(sql, '`');
}

void fc_session_append_text(struct fc_buf *sql, struct fc_slice text)
{
    fc_buf_append_u8(sql, '\'');
    for (size_t index = 0; index < text.len; index++) {
        uint8_t byte = text.data[index];
        if (byte == '\'' || byte == '\\') {
            fc_buf_append_u8(sql, '\\');
            fc_buf_append_u8(sql, byte);
        } else if (byte == 0) {
            fc_buf_append_text(sql, "\\0");
        } else {
            fc_buf_append_u8(sql, byte);
        }
    }
    fc_buf_append_u8(sql, '\'');
}
