/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/spu_client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/wire/api.h"
#include "core/wire/messages.h"

enum { PRODUCE_VERSION = 9, BODY_WAIT_MS = 2000 };

uint64_t spu_now_ms(void)
{
    return (uint64_t)fc_clock_steady_ms(fc_clock_system());
}

int spu_dial(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

bool spu_send(int fd, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

static spu_answer receive_all(int fd, uint8_t *to, size_t len, uint64_t until_ms)
{
    while (len > 0) {
        struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
        uint64_t now = spu_now_ms();
        ssize_t got;
        if (now >= until_ms || poll(&poll_fd, 1, (int)(until_ms - now)) <= 0) {
            return SPU_SILENCE;
        }
        got = recv(fd, to, len, 0);
        if (got <= 0) {
            return SPU_CLOSED;
        }
        to += got;
        len -= (size_t)got;
    }
    return SPU_ANSWER;
}

spu_answer spu_receive(int fd, struct fc_buf *to, int wait_ms)
{
    uint64_t until_ms = spu_now_ms() + (uint64_t)wait_ms;
    uint8_t head[4];
    uint8_t *body;
    uint32_t len;
    spu_answer got = receive_all(fd, head, sizeof(head), until_ms);
    fc_buf_clear(to);
    if (got != SPU_ANSWER) {
        return got;
    }
    len = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
    if (len > SPU_ANSWER_MAX) {
        return SPU_CLOSED;
    }
    body = fc_buf_reserve(to, len);
    if (body == NULL) {
        return SPU_CLOSED;
    }
    to->len = len;
    return receive_all(fd, body, len, until_ms + BODY_WAIT_MS);
}

void spu_frame(struct fc_buf *to, int16_t key, int16_t version, const struct fc_wire_type *type,
               const void *message)
{
    struct fc_wire_request_header header = { .api_key = key,
                                             .version = version,
                                             .correlation_id = SPU_CORRELATION_ID,
                                             .client_id = fc_slice_text("fuzz") };
    struct fc_error err;
    uint32_t len;
    fc_buf_clear(to);
    fc_buf_append_be32(to, 0);
    fc_wire_request_header_encode(to, &header);
    if (type != NULL && fc_wire_encode(type, version, message, to, &err) != FC_OK) {
        fc_buf_append_text(to, "?"); /* some random values cannot be said: bad input, too */
    }
    len = htonl((uint32_t)(to->len - 4));
    memcpy(to->data, &len, sizeof(len));
}

const void *spu_ask(int fd, int16_t key, int16_t version, const void *message,
                    struct fc_buf *reply, struct fc_arena *arena)
{
    const struct fc_wire_api *api = fc_wire_api(key);
    void *answer = fc_arena_alloc(arena, api->response->size);
    struct fc_reader reader = { 0 };
    struct fc_buf frame;
    struct fc_error err;
    int32_t id = 0;
    bool good;
    fc_buf_init(&frame, SPU_ANSWER_MAX);
    spu_frame(&frame, key, version, api->request, message);
    good = answer != NULL && spu_send(fd, frame.data, frame.len) &&
           spu_receive(fd, reply, SPU_WAIT_MS) == SPU_ANSWER;
    fc_buf_release(&frame);
    if (!good) {
        return NULL;
    }
    fc_reader_init(&reader, fc_buf_slice(reply));
    good = fc_wire_response_header_decode(&reader, key, version, &id, &err) == FC_OK &&
           id == SPU_CORRELATION_ID &&
           fc_wire_decode_from(api->response, version, &reader, arena, answer, &err) == FC_OK;
    return good ? answer : NULL;
}

bool spu_login(int fd, const char *user, const char *password)
{
    struct fc_msg_sasl_handshake_request handshake;
    struct fc_msg_sasl_authenticate_request authenticate;
    const struct fc_msg_sasl_handshake_response *offered;
    const struct fc_msg_sasl_authenticate_response *in = NULL;
    char token[512];
    int len = snprintf(token, sizeof(token), "%c%s%c%s", 0, user, 0, password);
    struct fc_buf reply;
    struct fc_arena arena;
    bool good;
    fc_buf_init(&reply, SPU_ANSWER_MAX);
    fc_arena_init(&arena, SPU_ARENA_MAX);
    fc_wire_init(&fc_msg_sasl_handshake_request_type, &handshake);
    fc_wire_init(&fc_msg_sasl_authenticate_request_type, &authenticate);
    handshake.mechanism = fc_slice_text("PLAIN");
    authenticate.auth_bytes = fc_slice_of(token, (size_t)len);
    offered = spu_ask(fd, FC_API_SASL_HANDSHAKE, 1, &handshake, &reply, &arena);
    if (offered != NULL && offered->error_code == 0) {
        in = spu_ask(fd, FC_API_SASL_AUTHENTICATE, 1, &authenticate, &reply, &arena);
    }
    good = in != NULL && in->error_code == 0;
    fc_buf_release(&reply);
    fc_arena_release(&arena);
    return good;
}

int spu_produce(uint16_t port, const char *topic_name, const struct fc_buf *batch)
{
    struct fc_msg_produce_request ask;
    struct fc_msg_produce_request_topic topic;
    struct fc_msg_produce_request_partition partition;
    const struct fc_msg_produce_response *response;
    struct fc_buf reply;
    struct fc_arena arena;
    int fd = spu_dial(port);
    int error = -2;
    fc_buf_init(&reply, SPU_ANSWER_MAX);
    fc_arena_init(&arena, SPU_ARENA_MAX);
    fc_wire_init(&fc_msg_produce_request_type, &ask);
    fc_wire_init(&fc_msg_produce_request_topic_type, &topic);
    fc_wire_init(&fc_msg_produce_request_partition_type, &partition);
    ask.acks = -1;
    ask.timeout_ms = 10000;
    ask.topic_data = &topic;
    ask.topic_data_count = 1;
    topic.name = fc_slice_text(topic_name);
    topic.partition_data = &partition;
    topic.partition_data_count = 1;
    partition.records = fc_buf_slice(batch);
    response = spu_ask(fd, FC_API_PRODUCE, PRODUCE_VERSION, &ask, &reply, &arena);
    if (response != NULL && response->responses_count == 1 &&
        response->responses[0].partition_responses_count == 1) {
        error = response->responses[0].partition_responses[0].error_code;
    }
    (void)close(fd);
    fc_arena_release(&arena);
    fc_buf_release(&reply);
    return error;
}

long spu_rss_kib(int pid)
{
    char path[64];
    long pages = 0;
    FILE *file;
    (void)snprintf(path, sizeof(path), "/proc/%d/statm", pid);
    file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1) {
        pages = 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}
