/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP connection, with TLS when the settings say so, on which each step ends by a deadline. */
#ifndef FC_LINK_WIRE_SOCKET_H
#define FC_LINK_WIRE_SOCKET_H

#include <stdint.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/link/link_settings.h"

struct fc_wire_socket;

/* Connect; deadline_ms is of the steady clock. tls: encrypt, by the settings' ssl.* values. */
FC_MUST_CHECK fc_code fc_wire_socket_open(const struct fc_link_settings *settings, bool tls,
                                          const char *host, const char *port,
                                          int64_t deadline_ms,
                                          struct fc_wire_socket **out_socket,
                                          struct fc_error *err);
/* NULL is fine. */
void fc_wire_socket_close(struct fc_wire_socket *socket);

/* All of it. */
FC_MUST_CHECK fc_code fc_wire_socket_write(struct fc_wire_socket *socket, struct fc_slice bytes,
                                           int64_t deadline_ms, struct fc_error *err);
/* Exactly `size` bytes. */
FC_MUST_CHECK fc_code fc_wire_socket_read(struct fc_wire_socket *socket, uint8_t *to,
                                          size_t size, int64_t deadline_ms,
                                          struct fc_error *err);

#endif
