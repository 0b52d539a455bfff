/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What idle connections cost: resident memory of a process with the server, before and after
 * COUNT clients (in a process of their own) have each had a request answered and fallen silent.
 *
 *   idle_connections [COUNT [tls CERT KEY]]     COUNT: 10,000
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "core/server/server.h"

static const uint8_t request[] = { 0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff };
enum { REPLY_SIZE = 8 };

static void on_request(void *ctx, struct fc_request *asked)
{
    struct fc_reply reply;
    (void)ctx;
    (void)fc_reply_begin(&reply, asked);
    fc_request_reply(asked, &reply);
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1) {
        perror("/proc/self/statm");
        exit(1);
    }
    (void)fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void allow_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
        die("getrlimit");
    }
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
        die("setrlimit");
    }
}

static int dial(uint16_t port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        die("connect");
    }
    return fd;
}

/* In the other process: connect, ask, say so, and stay until the pipe closes. */
static void be_clients(uint16_t port, int count, bool tls, int ready, int end)
{
    SSL_CTX *context = tls ? SSL_CTX_new(TLS_client_method()) : NULL;
    uint8_t reply[REPLY_SIZE];
    for (int index = 0; index < count; index++) {
        int fd = dial(port);
        bool done;
        if (tls) {
            SSL *ssl = SSL_new(context); /* lives as long as the process */
            done = SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1 &&
                   SSL_write(ssl, request, sizeof(request)) == (int)sizeof(request) &&
                   SSL_read(ssl, reply, sizeof(reply)) == (int)sizeof(reply);
        } else {
            done = write(fd, request, sizeof(request)) == (ssize_t)sizeof(request) &&
                   recv(fd, reply, sizeof(reply), MSG_WAITALL) == (ssize_t)sizeof(reply);
        }
        if (!done) {
            die("request");
        }
    }
    if (write(ready, "x", 1) != 1) {
        die("pipe");
    }
    (void)!read(end, reply, 1); /* until the server's process closes it */
    _exit(0);
}

/* The two processes talk over pipes: the port, that the clients are ready, the end. */
struct pipes {
    int port[2];
    int ready[2];
    int end[2];
};

static void measure(const struct fc_server_config *config, const struct pipes *pipes)
{
    struct fc_server *server = NULL;
    struct fc_server_stats stats;
    struct fc_error err;
    uint16_t port;
    long before;
    long after;
    char byte;
    if (fc_server_start(config, &server, &err) != FC_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    before = resident_kib();
    port = fc_server_listener(server, 0)->port;
    if (write(pipes->port[1], &port, sizeof(port)) != (ssize_t)sizeof(port) ||
        read(pipes->ready[0], &byte, 1) != 1) {
        die("the clients");
    }
    after = resident_kib();
    fc_server_get_stats(server, &stats);
    printf("%zu idle connections%s: %ld KiB resident, %ld KiB before; %ld bytes each\n",
           stats.connections, config->listeners->tls != NULL ? " (TLS)" : "", after, before,
           (after - before) * 1024 / (long)stats.connections);
    (void)close(pipes->end[1]);
    fc_server_stop(server, 1000);
    fc_server_free(server);
}

int main(int argc, char **argv)
{
    const int count = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 10000;
    const bool tls = argc > 4;
    const struct fc_tls_config files = { .cert_file = tls ? argv[3] : NULL,
                                         .key_file = tls ? argv[4] : NULL };
    const struct fc_listener_config listener = { .name = "bench",
                                                 .host = "127.0.0.1",
                                                 .tls = tls ? &files : NULL };
    struct fc_server_config config;
    struct pipes pipes;
    pid_t child;
    allow_files();
    if (pipe(pipes.port) != 0 || pipe(pipes.ready) != 0 || pipe(pipes.end) != 0) {
        die("pipe");
    }
    child = fork(); /* before there are threads */
    if (child < 0) {
        die("fork");
    }
    if (child == 0) {
        uint16_t port;
        (void)close(pipes.end[1]);
        if (read(pipes.port[0], &port, sizeof(port)) != (ssize_t)sizeof(port)) {
            die("pipe");
        }
        be_clients(port, count, tls, pipes.ready[1], pipes.end[0]);
    }
    (void)close(pipes.ready[1]);
    fc_server_config_init(&config);
    config.listeners = &listener;
    config.listeners_count = 1;
    config.on_request = on_request;
    measure(&config, &pipes);
    (void)waitpid(child, NULL, 0);
    return 0;
}
