/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blocking connection that speaks the Kafka protocol itself, for the requests that librdkafka
 * does not know. It takes TLS and SASL settings by librdkafka's names.
 */
#ifndef FC_LINK_WIRE_CLIENT_H
#define FC_LINK_WIRE_CLIENT_H

#include "core/base/arena.h"
#include "core/link/link_settings.h"
#include "core/wire/api.h"

enum { FC_WIRE_CLIENT_BYTES_MAX = 64 * 1024 * 1024 };

struct fc_wire_client;

/* To the first bootstrap server that answers; all of it within timeout_ms. */
FC_MUST_CHECK fc_code fc_wire_client_open(const struct fc_link_settings *settings,
                                          int timeout_ms, struct fc_wire_client **out_client,
                                          struct fc_error *err);
/* To this one. */
FC_MUST_CHECK fc_code fc_wire_client_open_at(const struct fc_link_settings *settings,
                                             int timeout_ms, const char *host, const char *port,
                                             struct fc_wire_client **out_client,
                                             struct fc_error *err);
/* To the controller, which takes changes; by way of a bootstrap server. */
FC_MUST_CHECK fc_code fc_wire_client_open_controller(const struct fc_link_settings *settings,
                                                     int timeout_ms,
                                                     struct fc_wire_client **out_client,
                                                     struct fc_error *err);
/* NULL is fine. */
void fc_wire_client_close(struct fc_wire_client *client);

/*
 * Send a request in the highest version that both sides know, and wait for the answer.
 *
 * out_response  a struct of the API's response type; it points into the client, until the next
 *               call.
 *
 * Errors: FC_ERR_PROTOCOL (the server does not know the API, or its answer cannot be read),
 * FC_ERR_IO, FC_ERR_TIMEOUT. After a failure the connection is of no more use.
 */
FC_MUST_CHECK fc_code fc_wire_client_call(struct fc_wire_client *client, int16_t api_key,
                                          const void *request, void *out_response,
                                          struct fc_error *err);

/* The highest version of an API that the server has; -1: none. */
int16_t fc_wire_client_version(const struct fc_wire_client *client, int16_t api_key);

/* "host:port" */
const char *fc_wire_client_peer(const struct fc_wire_client *client);

/* FC_OK for 0; otherwise "what: " and what Kafka's error code means, or the server's text. */
FC_MUST_CHECK fc_code fc_wire_client_check(int16_t error_code, struct fc_slice message,
                                           const char *what, struct fc_error *err);

#endif
