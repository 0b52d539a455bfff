/* SPDX-License-Identifier: Apache-2.0 */
#include "core/link/wire_client.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/link/link_scram.h"
#include "core/link/wire_socket.h"
#include "core/wire/messages.h"

enum {
    FRAME_SIZE = 4,
    ARENA_BYTES_MAX = 256 * 1024 * 1024,
    APIS_MAX = 128,
    MISMATCH_CALLS = 2,
    ADDRESS_MAX = 300
};

struct fc_wire_client {
    const struct fc_link_settings *settings; /* borrowed while it is being opened */
    struct fc_wire_socket *socket;
    char *peer;
    int timeout_ms;
    int32_t correlation_id;
    int16_t versions[APIS_MAX]; /* the highest of each API; -1: none */
    int16_t oldest[APIS_MAX];
    struct fc_buf out;
    struct fc_buf in;
    struct fc_arena arena;
};

void fc_wire_client_close(struct fc_wire_client *client)
{
    if (client != NULL) {
        fc_wire_socket_close(client->socket);
        fc_buf_release(&client->out);
        fc_buf_release(&client->in);
        fc_arena_release(&client->arena);
        free(client->peer);
        free(client);
    }
}

const char *fc_wire_client_peer(const struct fc_wire_client *client)
{
    return client->peer;
}

int16_t fc_wire_client_version(const struct fc_wire_client *client, int16_t api_key)
{
    return api_key >= 0 && api_key < APIS_MAX ? client->versions[api_key] : (int16_t)-1;
}

/* --- one request -------------------------------------------------------------------------- */

static fc_code exchange(struct fc_wire_client *client, struct fc_error *err)
{
    int64_t deadline_ms = fc_clock_steady_ms(fc_clock_system()) + client->timeout_ms;
    uint8_t head[FRAME_SIZE];
    uint32_t size;
    uint8_t *to;
    fc_code code;
    uint32_t len = (uint32_t)client->out.len - FRAME_SIZE;
    for (int index = 0; index < FRAME_SIZE; index++) {
        client->out.data[index] = (uint8_t)(len >> (24 - 8 * index));
    }
    code = fc_wire_socket_write(client->socket, fc_buf_slice(&client->out), deadline_ms, err);
    if (code == FC_OK) {
        code = fc_wire_socket_read(client->socket, head, sizeof(head), deadline_ms, err);
    }
    if (code != FC_OK) {
        return code;
    }
    size = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
    if (size > FC_WIRE_CLIENT_BYTES_MAX) {
        return fc_fail(err, FC_ERR_LIMIT,
                       "it answers with %u bytes: is this a Kafka port, and without TLS?",
                       size);
    }
    fc_buf_clear(&client->in);
    to = size == 0 ? NULL : fc_buf_reserve(&client->in, size);
    if (to == NULL) {
        return fc_fail(err, FC_ERR_PROTOCOL, "an empty answer");
    }
    code = fc_wire_socket_read(client->socket, to, size, deadline_ms, err);
    client->in.len = code == FC_OK ? size : 0;
    return code;
}

/* A listener of another protocol says nothing: it closes the connection, after a question or two. */
static fc_code hang_up(const struct fc_wire_client *client, fc_code code, struct fc_error *err)
{
    struct fc_error why = *err;
    return code == FC_ERR_IO && client->correlation_id <= MISMATCH_CALLS
               ? fc_fail(err, code, "%s (" FC_LINK_PROTOCOL_HINT ")", why.message)
               : code;
}

static fc_code call(struct fc_wire_client *client, const struct fc_wire_api *api,
                    int16_t version, const void *request, void *out_response,
                    struct fc_error *err)
{
    const struct fc_wire_request_header header = { .api_key = api->key,
                                                   .version = version,
                                                   .correlation_id = ++client->correlation_id,
                                                   .client_id = fc_slice_text("fluvio") };
    struct fc_reader reader;
    int32_t correlation_id = 0;
    fc_code code;
    fc_buf_clear(&client->out);
    fc_arena_clear(&client->arena);
    fc_buf_append_be32(&client->out, 0); /* its place; exchange fills it in */
    fc_wire_request_header_encode(&client->out, &header);
    code = fc_wire_encode(api->request, version, request, &client->out, err);
    if (code == FC_OK) {
        code = fc_buf_check(&client->out, "the request", err);
    }
    if (code == FC_OK) {
        code = exchange(client, err);
    }
    if (code != FC_OK) {
        return hang_up(client, code, err);
    }
    fc_reader_init(&reader, fc_buf_slice(&client->in));
    code = fc_wire_response_header_decode(&reader, api->key, version, &correlation_id, err);
    if (code == FC_OK && correlation_id != header.correlation_id) {
        code = fc_fail(err, FC_ERR_PROTOCOL, "the answer to another request");
    }
    if (code == FC_OK) {
        code = fc_wire_decode_from(api->response, version, &reader, &client->arena,
                                   out_response, err);
    }
    return code;
}

fc_code fc_wire_client_call(struct fc_wire_client *client, int16_t api_key, const void *request,
                            void *out_response, struct fc_error *err)
{
    const struct fc_wire_api *api = fc_wire_api(api_key);
    int16_t version;
    fc_assert(api != NULL && api_key < APIS_MAX);
    version = client->versions[api_key] < api->max ? client->versions[api_key] : api->max;
    if (version < 0 || version < api->request->version_min ||
        client->oldest[api_key] > version) {
        return fc_fail(err, FC_ERR_PROTOCOL, "%s does not know the request %s", client->peer,
                       api->name);
    }
    if (call(client, api, version, request, out_response, err) != FC_OK) {
        return fc_wrap(err, "%s: %s", client->peer, api->name);
    }
    return FC_OK;
}

fc_code fc_wire_client_check(int16_t error_code, struct fc_slice message, const char *what,
                             struct fc_error *err)
{
    rd_kafka_resp_err_t known = (rd_kafka_resp_err_t)error_code;
    fc_code code =
        known == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ? FC_ERR_NOT_FOUND : FC_ERR_REJECTED;
    if (error_code == 0) {
        return FC_OK;
    }
    if (message.len > 0) {
        return fc_fail(err, code, "%s: %.*s", what, (int)message.len,
                       (const char *)message.data);
    }
    return fc_fail(err, code, "%s: %s", what, rd_kafka_err2str(known));
}

/* --- opening ------------------------------------------------------------------------------ */

static fc_code learn_versions(struct fc_wire_client *client, struct fc_error *err)
{
    const struct fc_wire_api *api = fc_wire_api(FC_API_API_VERSIONS);
    struct fc_msg_api_versions_request request;
    struct fc_msg_api_versions_response response;
    fc_code code;
    fc_wire_init(api->request, &request);
    request.client_software_name = fc_slice_text("fluvio");
    request.client_software_version = fc_slice_text(FC_VERSION);
    memset(client->versions, 0xff, sizeof(client->versions));
    /* Version 0 is known to all servers, and says the same. */
    code = call(client, api, 0, &request, &response, err);
    if (code == FC_OK) {
        code = fc_wire_client_check(response.error_code, fc_slice_null(), "ApiVersions", err);
    }
    for (int32_t index = 0; code == FC_OK && index < response.api_keys_count; index++) {
        int16_t key = response.api_keys[index].api_key;
        if (key >= 0 && key < APIS_MAX) {
            client->versions[key] = response.api_keys[index].max_version;
            client->oldest[key] = response.api_keys[index].min_version;
        }
    }
    return code;
}

static fc_code authenticate(struct fc_wire_client *client, struct fc_buf *message,
                            struct fc_slice *out_answer, struct fc_error *err)
{
    struct fc_msg_sasl_authenticate_request request;
    struct fc_msg_sasl_authenticate_response response;
    fc_code code;
    fc_wire_init(&fc_msg_sasl_authenticate_request_type, &request);
    request.auth_bytes = fc_buf_slice(message);
    code = fc_wire_client_call(client, FC_API_SASL_AUTHENTICATE, &request, &response, err);
    if (code == FC_OK) {
        code = fc_wire_client_check(response.error_code, response.error_message,
                                    "it did not let us in", err);
    }
    if (code == FC_OK) {
        *out_answer = response.auth_bytes;
    }
    return code;
}

static fc_code log_in_scram(struct fc_wire_client *client, fc_link_scram_kind kind,
                            const char *user, const char *password, struct fc_error *err)
{
    struct fc_link_scram scram;
    struct fc_buf message;
    struct fc_slice answer = fc_slice_null();
    fc_code code;
    fc_link_scram_init(&scram, kind, user, password);
    fc_buf_init(&message, (size_t)16 * 1024);
    fc_link_scram_first(&scram, &message);
    code = authenticate(client, &message, &answer, err);
    if (code == FC_OK) {
        fc_buf_clear(&message);
        code = fc_link_scram_final(&scram, answer, &message, err);
    }
    if (code == FC_OK) {
        code = authenticate(client, &message, &answer, err);
    }
    if (code == FC_OK) {
        code = fc_link_scram_verify(&scram, answer, err);
    }
    fc_buf_release(&message);
    fc_link_scram_release(&scram);
    return code;
}

static fc_code log_in_plain(struct fc_wire_client *client, const char *user,
                            const char *password, struct fc_error *err)
{
    struct fc_buf message;
    struct fc_slice answer = fc_slice_null();
    fc_code code;
    fc_buf_init(&message, (size_t)16 * 1024);
    fc_buf_append_u8(&message, 0);
    fc_buf_append_text(&message, user);
    fc_buf_append_u8(&message, 0);
    fc_buf_append_text(&message, password);
    code = authenticate(client, &message, &answer, err);
    if (message.data != NULL) {
        explicit_bzero(message.data, message.len);
    }
    fc_buf_release(&message);
    return code;
}

static fc_code log_in(struct fc_wire_client *client, struct fc_error *err)
{
    const char *mechanism = fc_link_get(client->settings, "sasl.mechanism");
    const char *user = fc_link_get(client->settings, "sasl.username");
    const char *password = fc_link_get(client->settings, "sasl.password");
    struct fc_msg_sasl_handshake_request request;
    struct fc_msg_sasl_handshake_response response = { 0 };
    fc_link_scram_kind kind = FC_SCRAM_SHA_256;
    bool plain = mechanism != NULL && strcmp(mechanism, "PLAIN") == 0;
    fc_code code;
    if (mechanism == NULL || (!plain && !fc_link_scram_kind_of(mechanism, &kind))) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "a connection of our own logs in by PLAIN or SCRAM only, not by "
                       "sasl.mechanism `%s`",
                       mechanism == NULL ? "GSSAPI" : mechanism);
    }
    if (user == NULL || password == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "sasl.username or sasl.password is missing");
    }
    fc_wire_init(&fc_msg_sasl_handshake_request_type, &request);
    request.mechanism = fc_slice_text(plain ? "PLAIN" : fc_link_scram_name(kind));
    code = fc_wire_client_call(client, FC_API_SASL_HANDSHAKE, &request, &response, err);
    if (code == FC_OK) {
        code = fc_wire_client_check(response.error_code, fc_slice_null(), mechanism, err);
    }
    if (code != FC_OK) {
        return code;
    }
    return plain ? log_in_plain(client, user, password, err)
                 : log_in_scram(client, kind, user, password, err);
}

fc_code fc_wire_client_open_at(const struct fc_link_settings *settings, int timeout_ms,
                               const char *host, const char *port,
                               struct fc_wire_client **out_client, struct fc_error *err)
{
    struct fc_wire_client *client = fc_new(struct fc_wire_client);
    const char *protocol = fc_link_get(settings, "security.protocol");
    bool tls = protocol != NULL &&
               (strcasecmp(protocol, "ssl") == 0 || strcasecmp(protocol, "sasl_ssl") == 0);
    bool sasl = protocol != NULL && strncasecmp(protocol, "sasl_", 5) == 0;
    fc_code code;
    client->settings = settings;
    client->timeout_ms = timeout_ms;
    client->peer = fc_asprintf("%s:%s", host, port);
    fc_buf_init(&client->out, FC_WIRE_CLIENT_BYTES_MAX);
    fc_buf_init(&client->in, FC_WIRE_CLIENT_BYTES_MAX);
    fc_arena_init(&client->arena, ARENA_BYTES_MAX);
    code = fc_wire_socket_open(settings, tls, host, port,
                               fc_clock_steady_ms(fc_clock_system()) + timeout_ms,
                               &client->socket, err);
    if (code == FC_OK) {
        code = learn_versions(client, err);
    }
    if (code == FC_OK && sasl) {
        code = log_in(client, err);
    }
    client->settings = NULL;
    if (code != FC_OK) {
        (void)fc_wrap(err, "%s", client->peer);
        fc_wire_client_close(client);
        return code;
    }
    *out_client = client;
    return FC_OK;
}

/* "host:port", "[::1]:9092", "PLAINTEXT://host:port", "host": in place, port 9092 by default. */
static bool split_address(char *text, const char **out_host, const char **out_port)
{
    char *scheme = strstr(text, "://");
    char *host = scheme == NULL ? text : scheme + 3;
    char *colon;
    *out_port = "9092";
    if (*host == '[') {
        char *end = strchr(host, ']');
        if (end == NULL) {
            return false;
        }
        *end = '\0';
        host++;
        colon = end[1] == ':' ? end + 1 : NULL;
    } else {
        colon = strrchr(host, ':');
    }
    if (colon != NULL) {
        *colon = '\0';
        *out_port = colon + 1;
    }
    *out_host = host;
    return *host != '\0' && **out_port != '\0';
}

fc_code fc_wire_client_open(const struct fc_link_settings *settings, int timeout_ms,
                            struct fc_wire_client **out_client, struct fc_error *err)
{
    const char *at = fc_link_get(settings, "bootstrap.servers");
    fc_code code = fc_fail(err, FC_ERR_CONFIG, "%s names no server", settings->where);
    while (at != NULL && *at != '\0') {
        char address[ADDRESS_MAX];
        const char *host = NULL;
        const char *port = NULL;
        size_t len = strcspn(at, ",");
        (void)snprintf(address, sizeof(address), "%.*s", (int)len, at);
        at += len + (at[len] == ',' ? 1 : 0);
        if (!split_address(address + strspn(address, " "), &host, &port)) {
            code =
                fc_fail(err, FC_ERR_CONFIG, "%s: a server must be HOST:PORT", settings->where);
            continue;
        }
        code = fc_wire_client_open_at(settings, timeout_ms, host, port, out_client, err);
        if (code == FC_OK || code == FC_ERR_REJECTED) {
            return code;
        }
    }
    return code;
}

fc_code fc_wire_client_open_controller(const struct fc_link_settings *settings, int timeout_ms,
                                       struct fc_wire_client **out_client, struct fc_error *err)
{
    struct fc_wire_client *client = NULL;
    struct fc_wire_client *other = NULL;
    struct fc_msg_metadata_request request;
    struct fc_msg_metadata_response response = { 0 };
    fc_code code = fc_wire_client_open(settings, timeout_ms, &client, err);
    if (code != FC_OK) {
        return code;
    }
    fc_assert(client != NULL);
    fc_wire_init(&fc_msg_metadata_request_type, &request);
    request.topics_count = 0;
    code = fc_wire_client_call(client, FC_API_METADATA, &request, &response, err);
    for (int32_t index = 0; code == FC_OK && index < response.brokers_count; index++) {
        char *host;
        char *address;
        char port[12];
        if (response.brokers[index].node_id != response.controller_id) {
            continue;
        }
        host = fc_strndup((const char *)response.brokers[index].host.data,
                          response.brokers[index].host.len);
        (void)snprintf(port, sizeof(port), "%d", (int)response.brokers[index].port);
        address = fc_asprintf("%s:%s", host, port);
        if (strcmp(address, client->peer) != 0) {
            code = fc_wire_client_open_at(settings, timeout_ms, host, port, &other, err);
        }
        free(address);
        free(host);
        break;
    }
    if (code != FC_OK || other != NULL) {
        fc_wire_client_close(client);
        client = other;
    }
    if (code == FC_OK) {
        *out_client = client;
    }
    return code;
}
