/* SPDX-License-Identifier: Apache-2.0 */
#include "core/link/wire_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"

struct fc_wire_socket {
    int fd;
    SSL_CTX *context; /* NULL without TLS */
    SSL *ssl;
};

/* Wait until the socket can be read or written. */
static fc_code await(int fd, short events, int64_t deadline_ms, struct fc_error *err)
{
    for (;;) {
        struct pollfd wait = { .fd = fd, .events = events };
        int64_t left_ms = deadline_ms - fc_clock_steady_ms(fc_clock_system());
        int ready = left_ms <= 0 ? 0 : poll(&wait, 1, (int)left_ms);
        if (ready > 0) {
            return FC_OK;
        }
        if (ready == 0) {
            return fc_fail(err, FC_ERR_TIMEOUT, "no answer in time (--timeout)");
        }
        if (errno != EINTR) {
            return fc_fail(err, FC_ERR_IO, "%s", strerrordesc_np(errno));
        }
    }
}

static fc_code connect_one(const struct addrinfo *address, int64_t deadline_ms, int *out_fd,
                           struct fc_error *err)
{
    int failed = 0;
    socklen_t size = sizeof(failed);
    fc_code code = FC_OK;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return fc_fail(err, FC_ERR_IO, "socket: %s", strerrordesc_np(errno));
    }
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        if (errno != EINPROGRESS) {
            code = fc_fail(err, FC_ERR_IO, "%s", strerrordesc_np(errno));
        } else {
            code = await(fd, POLLOUT, deadline_ms, err);
        }
    }
    if (code == FC_OK &&
        (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) != 0 || failed)) {
        code = fc_fail(err, FC_ERR_IO, "%s", strerrordesc_np(failed != 0 ? failed : errno));
    }
    if (code != FC_OK) {
        (void)close(fd); /* nothing was sent */
        return code;
    }
    *out_fd = fd;
    return FC_OK;
}

static fc_code connect_any(const char *host, const char *port, int64_t deadline_ms, int *out_fd,
                           struct fc_error *err)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    int failed = getaddrinfo(host, port, &hints, &list);
    fc_code code = FC_ERR_IO;
    if (failed != 0) {
        return fc_fail(err, FC_ERR_IO, "%s", gai_strerror(failed));
    }
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        code = connect_one(at, deadline_ms, out_fd, err);
        if (code == FC_OK) {
            break;
        }
    }
    freeaddrinfo(list);
    return code;
}

/* --- TLS ---------------------------------------------------------------------------------- */

static fc_code tls_failed(const char *what, struct fc_error *err)
{
    char text[160] = "no reason given";
    unsigned long reason = ERR_get_error();
    if (reason != 0) {
        ERR_error_string_n(reason, text, sizeof(text));
    }
    ERR_clear_error();
    return fc_fail(err, FC_ERR_REJECTED, "TLS: %s: %s", what, text);
}

static bool is_off(const char *value)
{
    return value != NULL && (strcmp(value, "false") == 0 || strcmp(value, "none") == 0);
}

static int give_password(char *to, int size, int writing, void *ctx)
{
    const char *password = ctx;
    (void)writing;
    if (password == NULL || (int)strlen(password) >= size) {
        return 0;
    }
    memcpy(to, password, strlen(password) + 1);
    return (int)strlen(password);
}

/* A file of the profile is wrong, whoever is asked. */
static fc_code file_failed(const char *path, struct fc_error *err)
{
    (void)tls_failed(path, err);
    err->code = FC_ERR_CONFIG;
    return err->code;
}

static fc_code load_files(SSL_CTX *context, const struct fc_link_settings *settings,
                          struct fc_error *err)
{
    const char *ca = fc_link_get(settings, "ssl.ca.location");
    const char *certificate = fc_link_get(settings, "ssl.certificate.location");
    const char *key = fc_link_get(settings, "ssl.key.location");
    const char *password = fc_link_get(settings, "ssl.key.password");
    bool verify = !is_off(fc_link_get(settings, "enable.ssl.certificate.verification"));
    if (verify && ca != NULL && SSL_CTX_load_verify_locations(context, ca, NULL) != 1) {
        return file_failed(ca, err);
    }
    if (verify && ca == NULL && SSL_CTX_set_default_verify_paths(context) != 1) {
        return file_failed("the system's certificates", err);
    }
    SSL_CTX_set_verify(context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    if (password != NULL) {
        SSL_CTX_set_default_passwd_cb(context, give_password);
        SSL_CTX_set_default_passwd_cb_userdata(context, fc_unconst(password));
    }
    if (certificate != NULL && SSL_CTX_use_certificate_chain_file(context, certificate) != 1) {
        return file_failed(certificate, err);
    }
    if (key != NULL && SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        return file_failed(key, err);
    }
    return FC_OK;
}

/* The name that the certificate must be for. */
static bool set_name(SSL *ssl, const struct fc_link_settings *settings, const char *host)
{
    struct in6_addr address;
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    bool is_address =
        inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
    if (!is_address && SSL_set_tlsext_host_name(ssl, host) != 1) {
        return false;
    }
    if (is_off(fc_link_get(settings, "ssl.endpoint.identification.algorithm"))) {
        return true;
    }
    return is_address ? X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1
                      : SSL_set1_host(ssl, host) == 1;
}

/* What to wait for before an operation can be tried again; FC_OK to try. */
static fc_code await_tls(struct fc_wire_socket *socket, int result, const char *what,
                         int64_t deadline_ms, struct fc_error *err)
{
    int reason = SSL_get_error(socket->ssl, result);
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
        return await(socket->fd, reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline_ms,
                     err);
    }
    if (reason == SSL_ERROR_ZERO_RETURN || reason == SSL_ERROR_SYSCALL) {
        return fc_fail(err, FC_ERR_IO, "the server closed the connection");
    }
    return tls_failed(what, err);
}

static fc_code start_tls(struct fc_wire_socket *socket, const struct fc_link_settings *settings,
                         const char *host, int64_t deadline_ms, struct fc_error *err)
{
    fc_code code;
    socket->context = SSL_CTX_new(TLS_client_method());
    if (socket->context == NULL ||
        SSL_CTX_set_min_proto_version(socket->context, TLS1_2_VERSION) != 1) {
        return tls_failed("set-up", err);
    }
    if (load_files(socket->context, settings, err) != FC_OK) {
        return err->code;
    }
    socket->ssl = SSL_new(socket->context);
    if (socket->ssl == NULL || SSL_set_fd(socket->ssl, socket->fd) != 1 ||
        !set_name(socket->ssl, settings, host)) {
        return tls_failed("set-up", err);
    }
    for (;;) {
        int result = SSL_connect(socket->ssl);
        if (result == 1) {
            return FC_OK;
        }
        code = await_tls(socket, result, "handshake", deadline_ms, err);
        if (code == FC_ERR_REJECTED) {
            struct fc_error why = *err;
            return fc_fail(err, code,
                           "%s (check security.protocol and ssl.ca.location of the profile)",
                           why.message);
        }
        if (code == FC_ERR_IO) {
            return fc_fail(err, code,
                           "the server closed the connection (" FC_LINK_PROTOCOL_HINT ")");
        }
        if (code != FC_OK) {
            return code;
        }
    }
}

/* --- use ---------------------------------------------------------------------------------- */

fc_code fc_wire_socket_open(const struct fc_link_settings *settings, bool tls, const char *host,
                            const char *port, int64_t deadline_ms,
                            struct fc_wire_socket **out_socket, struct fc_error *err)
{
    struct fc_wire_socket *socket = fc_new(struct fc_wire_socket);
    fc_code code;
    socket->fd = -1;
    code = connect_any(host, port, deadline_ms, &socket->fd, err);
    if (code == FC_OK && tls) {
        code = start_tls(socket, settings, host, deadline_ms, err);
    }
    if (code != FC_OK) {
        fc_wire_socket_close(socket);
        return code;
    }
    *out_socket = socket;
    return FC_OK;
}

void fc_wire_socket_close(struct fc_wire_socket *socket)
{
    if (socket != NULL) {
        SSL_free(socket->ssl);
        SSL_CTX_free(socket->context);
        if (socket->fd >= 0) {
            (void)close(socket->fd); /* nothing is lost */
        }
        free(socket);
    }
}

fc_code fc_wire_socket_write(struct fc_wire_socket *socket, struct fc_slice bytes,
                             int64_t deadline_ms, struct fc_error *err)
{
    size_t at = 0;
    while (at < bytes.len) {
        fc_code code;
        if (socket->ssl != NULL) {
            int got = SSL_write(socket->ssl, bytes.data + at, (int)(bytes.len - at));
            at += got > 0 ? (size_t)got : 0;
            code = got > 0 ? FC_OK : await_tls(socket, got, "write", deadline_ms, err);
        } else {
            ssize_t got = send(socket->fd, bytes.data + at, bytes.len - at, MSG_NOSIGNAL);
            at += got > 0 ? (size_t)got : 0;
            code = got > 0 || errno == EINTR ? FC_OK
                   : errno == EAGAIN
                       ? await(socket->fd, POLLOUT, deadline_ms, err)
                       : fc_fail(err, FC_ERR_IO, "send: %s", strerrordesc_np(errno));
        }
        if (code != FC_OK) {
            return code;
        }
    }
    return FC_OK;
}

fc_code fc_wire_socket_read(struct fc_wire_socket *socket, uint8_t *to, size_t size,
                            int64_t deadline_ms, struct fc_error *err)
{
    size_t at = 0;
    while (at < size) {
        fc_code code;
        if (socket->ssl != NULL) {
            int got = SSL_read(socket->ssl, to + at, (int)(size - at));
            at += got > 0 ? (size_t)got : 0;
            code = got > 0 ? FC_OK : await_tls(socket, got, "read", deadline_ms, err);
        } else {
            ssize_t got = recv(socket->fd, to + at, size - at, 0);
            at += got > 0 ? (size_t)got : 0;
            code = got > 0 || (got < 0 && errno == EINTR) ? FC_OK
                   : got == 0 ? fc_fail(err, FC_ERR_IO, "the server closed the connection")
                   : errno == EAGAIN
                       ? await(socket->fd, POLLIN, deadline_ms, err)
                       : fc_fail(err, FC_ERR_IO, "receive: %s", strerrordesc_np(errno));
        }
        if (code != FC_OK) {
            return code;
        }
    }
    return FC_OK;
}
