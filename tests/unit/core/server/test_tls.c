/* SPDX-License-Identifier: Apache-2.0 */
/* TLS connections with certificates made on the spot, over loopback. */
#include <endian.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "core/server/server.h"
#include "tests/support/echo_server.h"
#include "tests/support/net_client.h"
#include "tests/support/tls_files.h"

enum { BIG = 3 * 1024 * 1024 };

/* A server with one TLS listener, and what its certificates are made of. */
struct bed {
    struct tls_ca *ca;
    char cert[TLS_FILE_PATH_SIZE];
    char key[TLS_FILE_PATH_SIZE];
    struct echo_server *echo;
};

static void bed_open_with(struct bed *bed, fc_tls_client_auth client_auth, int64_t handshake_ms,
                          unsigned pipeline_max,
                          int64_t (*on_arrival)(void *ctx, const char *peer_host))
{
    struct fc_tls_config tls = { .client_auth = client_auth };
    struct fc_listener_config listener = { .name = "tls", .host = "127.0.0.1", .tls = &tls };
    struct fc_server_config config;
    bed->ca = tls_ca_new();
    tls_ca_sign(bed->ca, "server", "first", "fluvio", bed->cert, bed->key);
    tls.cert_file = bed->cert;
    tls.key_file = bed->key;
    tls.ca_file = client_auth == FC_TLS_CLIENT_NONE ? NULL : tls_ca_file(bed->ca);
    fc_server_config_init(&config);
    config.handshake_ms = handshake_ms;
    config.pipeline_max = pipeline_max;
    config.on_arrival = on_arrival;
    config.listeners = &listener;
    config.listeners_count = 1;
    bed->echo = echo_server_new(&config);
}

static void bed_open(struct bed *bed, fc_tls_client_auth client_auth, int64_t handshake_ms)
{
    bed_open_with(bed, client_auth, handshake_ms, 16, NULL);
}

static void bed_close(struct bed *bed)
{
    echo_server_free(bed->echo);
    tls_ca_free(bed->ca);
}

/* NULL when the handshake fails. */
static SSL *shake_hands(int fd, SSL_CTX *context)
{
    SSL *ssl = SSL_new(context);
    assert_non_null(ssl);
    assert_int_equal(SSL_set_fd(ssl, fd), 1);
    if (SSL_connect(ssl) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    return ssl;
}

static void tls_receive(SSL *ssl, void *to, size_t len)
{
    uint8_t *at = to;
    while (len > 0) {
        int got = SSL_read(ssl, at, (int)len);
        assert_true(got > 0);
        at += got;
        len -= (size_t)got;
    }
}

/* One request and its reply; gives the reply's length. */
static size_t tls_call(SSL *ssl, int16_t key, int32_t id, const void *body, size_t len,
                       void *to)
{
    uint8_t *frame = malloc(len + 14);
    size_t size = net_frame(frame, key, 0, id, body, len);
    uint32_t head[2];
    assert_int_equal(SSL_write(ssl, frame, (int)size), (int)size);
    free(frame);
    tls_receive(ssl, head, sizeof(head));
    assert_int_equal(be32toh(head[1]), id);
    size = be32toh(head[0]) - 4;
    tls_receive(ssl, to, size);
    return size;
}

static void requests_and_files_go_through_tls(void **state)
{
    struct bed bed;
    SSL_CTX *context;
    uint8_t *bytes = malloc(BIG);
    uint8_t *back = malloc(BIG);
    SSL *ssl;
    int fd;
    (void)state;
    bed_open(&bed, FC_TLS_CLIENT_NONE, 10000);
    context = tls_ca_client(bed.ca, NULL, NULL);
    fd = net_connect(echo_server_port(bed.echo, 0));
    ssl = shake_hands(fd, context);
    assert_non_null(ssl);
    memset(bytes, 'x', BIG);
    for (int32_t round = 0; round < 5; round++) {
        assert_int_equal(tls_call(ssl, ECHO_NOW, round, "hello", 5, back), 5);
        assert_int_equal(tls_call(ssl, ECHO_NOW, round, bytes, BIG, back), BIG);
        assert_memory_equal(bytes, back, BIG);
        (void)tls_call(ssl, ECHO_FILE, round, "ab", 2, back);
        assert_true(echo_server_is_file_reply(bed.echo, back));
    }
    assert_int_equal(tls_call(ssl, ECHO_PRINCIPAL, 1, NULL, 0, back), 14);
    assert_memory_equal(back, "User:ANONYMOUS", 14);
    SSL_free(ssl);
    (void)close(fd);
    SSL_CTX_free(context);
    free(bytes);
    free(back);
    bed_close(&bed);
}

/* More requests than may be in flight arrive in few TLS records: what OpenSSL has read already
 * wakes nobody, and must be served all the same. */
static void what_openssl_holds_back_is_served(void **state)
{
    enum { COUNT = 300 };
    struct bed bed;
    SSL_CTX *context;
    uint8_t frames[COUNT * 32];
    uint8_t reply[12];
    size_t len = 0;
    SSL *ssl;
    int fd;
    (void)state;
    bed_open(&bed, FC_TLS_CLIENT_NONE, 10000);
    context = tls_ca_client(bed.ca, NULL, NULL);
    fd = net_connect(echo_server_port(bed.echo, 0));
    ssl = shake_hands(fd, context);
    assert_non_null(ssl);
    for (int32_t index = 0; index < COUNT; index++) {
        len += net_frame(frames + len, index % 16 == 15 ? ECHO_PARK : ECHO_NOW, 0, index,
                         "abcd", 4);
    }
    assert_int_equal(SSL_write(ssl, frames, (int)len), (int)len);
    for (uint32_t index = 0; index < COUNT; index++) {
        uint32_t id;
        if (index % 16 == 15) {
            echo_server_wait_parked(bed.echo, 1);
            echo_server_answer_parked_in_reverse(bed.echo);
        }
        tls_receive(ssl, reply, sizeof(reply));
        memcpy(&id, reply + 4, 4);
        assert_int_equal(be32toh(id), index);
    }
    SSL_free(ssl);
    (void)close(fd);
    SSL_CTX_free(context);
    bed_close(&bed);
}

/* The rest of a frame is read to where it belongs, and leaves what follows it in the same TLS
 * record inside OpenSSL while the queue is full. */
static void a_record_that_ends_within_the_next_frame_is_read_on(void **state)
{
    enum { BODY = 11000, FIRST = 5000 };
    struct bed bed;
    SSL_CTX *context;
    struct fc_server_stats stats = { 0 };
    uint8_t *frames = calloc(2, BODY + 14);
    uint8_t *reply = calloc(1, BODY + 8);
    size_t len;
    SSL *ssl;
    int fd;
    (void)state;
    bed_open_with(&bed, FC_TLS_CLIENT_NONE, 10000, 1, NULL);
    context = tls_ca_client(bed.ca, NULL, NULL);
    fd = net_connect(echo_server_port(bed.echo, 0));
    ssl = shake_hands(fd, context);
    assert_non_null(ssl);
    len = net_frame(frames, ECHO_NOW, 0, 1, reply, BODY);
    len += net_frame(frames + len, ECHO_NOW, 0, 2, "b", 1);
    assert_int_equal(SSL_write(ssl, frames, FIRST), FIRST);
    while (stats.bytes_in < FIRST) {
        fc_server_get_stats(echo_server_of(bed.echo), &stats);
    }
    assert_int_equal(SSL_write(ssl, frames + FIRST, (int)len - FIRST), (int)len - FIRST);
    tls_receive(ssl, reply, BODY + 8);
    tls_receive(ssl, reply, 8 + 1);
    assert_int_equal(reply[7], 2);
    assert_int_equal(reply[8], 'b');
    SSL_free(ssl);
    (void)close(fd);
    SSL_CTX_free(context);
    free(frames);
    free(reply);
    bed_close(&bed);
}

/* The common name of the server's certificate, as a new connection sees it. */
static void server_name(struct bed *bed, char *to, int size)
{
    SSL_CTX *context = tls_ca_client(bed->ca, NULL, NULL);
    int fd = net_connect(echo_server_port(bed->echo, 0));
    SSL *ssl = shake_hands(fd, context);
    X509 *cert;
    assert_non_null(ssl);
    cert = SSL_get1_peer_certificate(ssl);
    assert_non_null(cert);
    (void)X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, to, size);
    X509_free(cert);
    SSL_free(ssl);
    SSL_CTX_free(context);
    (void)close(fd);
}

static void certificates_are_reloaded_and_bad_ones_are_not(void **state)
{
    struct bed bed;
    SSL_CTX *context;
    SSL *ssl;
    FILE *file;
    char name[64] = "";
    char back[16];
    struct fc_error err;
    int fd;
    (void)state;
    bed_open(&bed, FC_TLS_CLIENT_NONE, 10000);
    context = tls_ca_client(bed.ca, NULL, NULL);
    fd = net_connect(echo_server_port(bed.echo, 0));
    ssl = shake_hands(fd, context);
    assert_non_null(ssl);
    server_name(&bed, name, sizeof(name));
    assert_string_equal(name, "first");
    tls_ca_sign(bed.ca, "server", "second", "fluvio", bed.cert, bed.key);
    assert_int_equal(fc_server_reload_tls(echo_server_of(bed.echo), &err), FC_OK);
    server_name(&bed, name, sizeof(name));
    assert_string_equal(name, "second");
    file = fopen(bed.cert, "w");
    assert_non_null(file);
    (void)fclose(file);
    assert_int_equal(fc_server_reload_tls(echo_server_of(bed.echo), &err), FC_ERR_CONFIG);
    assert_non_null(strstr(err.message, bed.cert));
    server_name(&bed, name, sizeof(name));
    assert_string_equal(name, "second");
    assert_int_equal(tls_call(ssl, ECHO_NOW, 1, "still", 5, back), 5); /* the first one */
    SSL_free(ssl);
    (void)close(fd);
    SSL_CTX_free(context);
    echo_server_stop(bed.echo);
    assert_non_null(strstr(echo_server_diagnostics(bed.echo), "certificates not reloaded"));
    bed_close(&bed);
}

static void a_client_certificate_gives_the_principal(void **state)
{
    struct bed bed;
    char cert[TLS_FILE_PATH_SIZE];
    char key[TLS_FILE_PATH_SIZE];
    char back[128];
    SSL_CTX *context;
    SSL *ssl;
    size_t len;
    int fd;
    (void)state;
    bed_open(&bed, FC_TLS_CLIENT_REQUIRE, 10000);
    tls_ca_sign(bed.ca, "client", "J\xc3\xbcrgen", "Acme, Inc", cert, key);
    context = tls_ca_client(bed.ca, cert, key);
    fd = net_connect(echo_server_port(bed.echo, 0));
    ssl = shake_hands(fd, context);
    assert_non_null(ssl);
    len = tls_call(ssl, ECHO_PRINCIPAL, 1, NULL, 0, back);
    back[len] = '\0';
    assert_string_equal(back, "User:CN=J\xc3\xbcrgen,O=Acme\\, Inc");
    SSL_free(ssl);
    (void)close(fd);
    SSL_CTX_free(context);
    bed_close(&bed);
}

static void without_the_certificate_that_is_required_it_is_closed(void **state)
{
    struct bed bed;
    SSL_CTX *context;
    SSL *ssl;
    char byte;
    int fd;
    (void)state;
    bed_open(&bed, FC_TLS_CLIENT_REQUIRE, 10000);
    context = tls_ca_client(bed.ca, NULL, NULL);
    fd = net_connect(echo_server_port(bed.echo, 0));
    ssl = shake_hands(fd, context); /* TLS 1.3: the client learns it with its first read */
    assert_true(ssl == NULL || SSL_read(ssl, &byte, 1) <= 0);
    SSL_free(ssl);
    (void)close(fd);
    SSL_CTX_free(context);
    echo_server_stop(bed.echo);
    assert_non_null(strstr(echo_server_diagnostics(bed.echo), "TLS handshake: peer did not"));
    bed_close(&bed);
}

static void plain_bytes_on_a_tls_listener_are_closed(void **state)
{
    struct bed bed;
    uint8_t back[64];
    int fd;
    (void)state;
    bed_open(&bed, FC_TLS_CLIENT_NONE, 10000);
    fd = net_connect(echo_server_port(bed.echo, 0));
    net_send(fd, "GET / HTTP/1.1\r\n\r\n", 18);
    while (recv(fd, back, sizeof(back), 0) > 0) { /* an alert may come first */
    }
    (void)close(fd);
    echo_server_stop(bed.echo);
    assert_non_null(strstr(echo_server_diagnostics(bed.echo), "TLS handshake: http request"));
    bed_close(&bed);
}

static void a_handshake_that_stands_still_is_closed(void **state)
{
    struct bed bed;
    int fd;
    (void)state;
    bed_open(&bed, FC_TLS_CLIENT_NONE, 100);
    fd = net_connect(echo_server_port(bed.echo, 0));
    net_send(fd, "\x16\x03\x01\x02", 4);
    assert_true(net_is_closed(fd));
    (void)close(fd);
    echo_server_stop(bed.echo);
    assert_non_null(strstr(echo_server_diagnostics(bed.echo), "handshake took too long"));
    bed_close(&bed);
}

static int64_t wait_300_ms(void *ctx, const char *peer_host)
{
    (void)ctx;
    (void)peer_host;
    return 300;
}

static void a_handshake_waits_until_it_is_the_connections_turn(void **state)
{
    struct bed bed;
    SSL_CTX *context;
    SSL *ssl;
    int64_t begin_ms;
    int fd;
    (void)state;
    bed_open_with(&bed, FC_TLS_CLIENT_NONE, 10000, 16, wait_300_ms);
    context = tls_ca_client(bed.ca, NULL, NULL);
    begin_ms = fc_clock_steady_ms(fc_clock_system());
    fd = net_connect(echo_server_port(bed.echo, 0));
    ssl = shake_hands(fd, context);
    assert_non_null(ssl);
    assert_true(fc_clock_steady_ms(fc_clock_system()) - begin_ms >= 299);
    SSL_free(ssl);
    SSL_CTX_free(context);
    (void)close(fd);
    bed_close(&bed);
}

static void tls_1_1_is_refused(void **state)
{
    struct bed bed;
    SSL_CTX *context;
    int fd;
    (void)state;
    bed_open(&bed, FC_TLS_CLIENT_NONE, 10000);
    context = tls_ca_client(bed.ca, NULL, NULL);
    SSL_CTX_set_security_level(context, 0);
    assert_int_equal(SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION), 1);
    fd = net_connect(echo_server_port(bed.echo, 0));
    assert_null(shake_hands(fd, context));
    (void)close(fd);
    SSL_CTX_free(context);
    bed_close(&bed);
}

static void configured_files_that_are_missing_are_named(void **state)
{
    const struct fc_tls_config config = { .cert_file = "/nowhere/x.pem",
                                          .key_file = "/nowhere/x.key" };
    struct fc_tls *tls = NULL;
    struct fc_error err;
    (void)state;
    assert_int_equal(fc_tls_new(&config, &tls, &err), FC_ERR_CONFIG);
    assert_non_null(strstr(err.message, "/nowhere/x.pem"));
    assert_null(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_and_files_go_through_tls),
        cmocka_unit_test(what_openssl_holds_back_is_served),
        cmocka_unit_test(a_record_that_ends_within_the_next_frame_is_read_on),
        cmocka_unit_test(certificates_are_reloaded_and_bad_ones_are_not),
        cmocka_unit_test(a_client_certificate_gives_the_principal),
        cmocka_unit_test(without_the_certificate_that_is_required_it_is_closed),
        cmocka_unit_test(plain_bytes_on_a_tls_listener_are_closed),
        cmocka_unit_test(a_handshake_that_stands_still_is_closed),
        cmocka_unit_test(a_handshake_waits_until_it_is_the_connections_turn),
        cmocka_unit_test(tls_1_1_is_refused),
        cmocka_unit_test(configured_files_that_are_missing_are_named),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* for the clients, which are OpenSSL's */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
