/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/net_client.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

enum { NET_DEADLINE_S = 20 };

int net_connect(uint16_t port)
{
    const struct timeval patience = { NET_DEADLINE_S, 0 };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

void net_send(int fd, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len > 0) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        assert_true(sent > 0);
        at += sent;
        len -= (size_t)sent;
    }
}

void net_receive(int fd, void *to, size_t len)
{
    uint8_t *at = to;
    while (len > 0) {
        ssize_t got = recv(fd, at, len, 0);
        assert_true(got > 0);
        at += got;
        len -= (size_t)got;
    }
}

bool net_is_closed(int fd)
{
    uint8_t byte;
    ssize_t got = recv(fd, &byte, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
}

size_t net_frame(uint8_t *to, int16_t key, int16_t version, int32_t correlation_id,
                 const void *body, size_t body_len)
{
    const uint32_t size = htobe32((uint32_t)(10 + body_len));
    const uint16_t key_be = htobe16((uint16_t)key);
    const uint16_t version_be = htobe16((uint16_t)version);
    const uint32_t id_be = htobe32((uint32_t)correlation_id);
    memcpy(to, &size, 4);
    memcpy(to + 4, &key_be, 2);
    memcpy(to + 6, &version_be, 2);
    memcpy(to + 8, &id_be, 4);
    memset(to + 12, 0xff, 2); /* no client id */
    if (body_len > 0) {
        memcpy(to + 14, body, body_len);
    }
    return 14 + body_len;
}

void net_send_request(int fd, int16_t key, int32_t correlation_id, const void *body,
                      size_t body_len)
{
    uint8_t *frame = malloc(14 + body_len);
    assert_non_null(frame);
    net_send(fd, frame, net_frame(frame, key, 0, correlation_id, body, body_len));
    free(frame);
}

size_t net_receive_reply(int fd, int32_t *out_correlation_id, void *to, size_t size)
{
    uint32_t head[2];
    size_t len;
    net_receive(fd, head, sizeof(head));
    len = be32toh(head[0]) - 4;
    *out_correlation_id = (int32_t)be32toh(head[1]);
    assert_true(len <= size);
    net_receive(fd, to, len);
    return len;
}
