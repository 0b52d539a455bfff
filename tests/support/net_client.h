/* SPDX-License-Identifier: Apache-2.0 */
/* A client of a server under test: plain sockets on loopback with deadlines, frames of Kafka's
 * form, and TLS. Everything fails the test when it cannot be done. */
#ifndef FC_TEST_NET_CLIENT_H
#define FC_TEST_NET_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Connected to 127.0.0.1; reads give up after 20 s. */
int net_connect(uint16_t port);
void net_send(int fd, const void *data, size_t len);
void net_receive(int fd, void *to, size_t len);
/* Whether the peer closes before it sends anything, within 20 s. */
bool net_is_closed(int fd);

/* A request frame: header version 1 without client id, body. Returns its size. */
size_t net_frame(uint8_t *to, int16_t key, int16_t version, int32_t correlation_id,
                 const void *body, size_t body_len);
void net_send_request(int fd, int16_t key, int32_t correlation_id, const void *body,
                      size_t body_len);
/* The next response: its correlation id; what follows it goes to `to`. Returns its length. */
size_t net_receive_reply(int fd, int32_t *out_correlation_id, void *to, size_t size);

#endif
