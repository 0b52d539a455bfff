/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other client of `make bench-log`, the same for every server: it costs next to nothing, so that
 * what is measured is the server. Its requests are built once and sent again and again, only the
 * correlation id changes; the batches are those that a client fills at full speed.
 *
 *   batch_client produce HOST:PORT TOPIC SIZE COUNT PRODUCERS   messages/s of all producers, acks=all;
 *                                                               a batch of 1 MB a request, 5 in flight
 *   batch_client latency HOST:PORT TOPIC SIZE RATE SECONDS      p50 and p99 ms from when a request was due
 *                                                               to its answer, and how many messages/s were
 *                                                               sent; a request a millisecond, with a
 *                                                               batch for each partition
 *
 * A topic has PARTITIONS partitions. Values are random bytes, so that nothing can be compressed.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/base/kafka_error.h"
#include "core/log/batch_builder.h"
#include "core/wire/api.h"
#include "core/wire/messages.h"

enum {
    PARTITIONS = 4,
    BATCH_BYTES = 1000000,
    IN_FLIGHT = 5,
    REQUESTS_AHEAD = 1 << 20, /* of an open loop: without a bound */
    VERSION = 9,
    CORRELATION_ID_AT = 8,
    FRAME_SIZE = 4,
    ANSWER_BYTES_MAX = 1 << 20,
    TIMEOUT_MS = 30000,
    RECORD_EXTRA = 20 /* more than a record takes beside its value */
};

_Noreturn static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "batch_client: %s: %s\n", what, why);
    exit(1);
}

static void must(fc_code code, const struct fc_error *err)
{
    if (code != FC_OK) {
        fail("failed", err->message);
    }
}

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void sleep_until_us(int64_t us)
{
    const struct timespec to = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &to, NULL);
}

/* --- what is sent --- */

/* A sealed batch of `count` random values. */
static void build_batch(struct fc_batch_builder *builder, size_t size, int64_t count)
{
    uint8_t *value = fc_new_array(uint8_t, size);
    uint64_t state = 88172645463325252ULL;
    struct fc_record record = { .timestamp_ms = (int64_t)time(NULL) * 1000,
                                .value = fc_slice_of(value, size) };
    struct fc_error err;
    fc_batch_builder_init(builder, FC_COMPRESSION_NONE, FC_RECORD_BYTES_MAX);
    for (int64_t index = 0; index < count; index++) {
        for (size_t at = 0; at < size; at++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            value[at] = (uint8_t)state;
        }
        must(fc_batch_builder_add(builder, &record, &err), &err);
    }
    must(fc_batch_builder_seal(builder, &err), &err);
    free(value);
}

/* A frame that gives `batch` to partitions first to last. */
static void build_request(struct fc_buf *to, const char *topic, int32_t first, int32_t last,
                          struct fc_slice batch)
{
    const struct fc_wire_request_header header = { .api_key = FC_API_PRODUCE,
                                                   .version = VERSION,
                                                   .client_id = fc_slice_text("bench") };
    struct fc_msg_produce_request request;
    struct fc_msg_produce_request_topic named;
    struct fc_msg_produce_request_partition partitions[PARTITIONS];
    struct fc_error err;
    uint32_t len;
    fc_wire_init(&fc_msg_produce_request_type, &request);
    fc_wire_init(&fc_msg_produce_request_topic_type, &named);
    for (int32_t index = first; index <= last; index++) {
        partitions[index - first] =
            (struct fc_msg_produce_request_partition){ .index = index, .records = batch };
    }
    named.name = fc_slice_text(topic);
    named.partition_data = partitions;
    named.partition_data_count = last - first + 1;
    request.acks = -1;
    request.timeout_ms = TIMEOUT_MS;
    request.topic_data = &named;
    request.topic_data_count = 1;
    fc_buf_init(to, (size_t)(PARTITIONS + 1) * BATCH_BYTES);
    fc_buf_append_be32(to, 0);
    fc_wire_request_header_encode(to, &header);
    must(fc_wire_encode(&fc_msg_produce_request_type, VERSION, &request, to, &err), &err);
    len = htonl((uint32_t)(to->len - FRAME_SIZE));
    memcpy(to->data, &len, sizeof(len));
}

/* --- a producer: one thread sends, one reads the answers --- */

struct producer {
    int fd;
    struct fc_buf requests[PARTITIONS]; /* sent in turn */
    int kinds;                          /* how many of them there are */
    int64_t total;                      /* requests to send */
    double interval_us;                 /* 0: as soon as there is room */
    int64_t begin_us;
    int64_t *took_us; /* of each request; NULL: not asked for */
    sem_t room;
    pthread_t sender;
    pthread_t receiver;
};

static int dial(const char *bootstrap)
{
    struct sockaddr_in to = { .sin_family = AF_INET };
    const char *colon = strrchr(bootstrap, ':');
    const int on = 1;
    char host[INET_ADDRSTRLEN] = "";
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (colon == NULL || (size_t)(colon - bootstrap) >= sizeof(host)) {
        fail(bootstrap, "not an IPv4 address and a port");
    }
    memcpy(host, bootstrap, (size_t)(colon - bootstrap));
    to.sin_port = htons((uint16_t)strtol(colon + 1, NULL, 10));
    if (inet_pton(AF_INET, host, &to.sin_addr) != 1 || fd < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        fail(bootstrap, "cannot connect");
    }
    return fd;
}

static void *run_sender(void *arg)
{
    struct producer *producer = arg;
    for (int64_t sent = 0; sent < producer->total; sent++) {
        struct fc_buf *request = &producer->requests[sent % producer->kinds];
        uint32_t id = htonl((uint32_t)sent);
        while (sem_wait(&producer->room) != 0) {
        }
        if (producer->interval_us > 0) {
            sleep_until_us(producer->begin_us +
                           (int64_t)((double)sent * producer->interval_us));
        }
        memcpy(request->data + CORRELATION_ID_AT, &id, sizeof(id));
        for (size_t at = 0; at < request->len;) {
            ssize_t done = send(producer->fd, request->data + at, request->len - at, 0);
            if (done <= 0) {
                fail("send", "the connection is gone");
            }
            at += (size_t)done;
        }
    }
    return NULL;
}

static void receive(int fd, uint8_t *to, size_t len)
{
    if (recv(fd, to, len, MSG_WAITALL) != (ssize_t)len) {
        fail("receive", "the connection is gone");
    }
}

static void check_answer(struct fc_slice answer, int64_t index, struct fc_arena *arena)
{
    struct fc_msg_produce_response response;
    struct fc_reader reader;
    struct fc_error err;
    int32_t id = -1;
    fc_arena_clear(arena);
    fc_reader_init(&reader, answer);
    must(fc_wire_response_header_decode(&reader, FC_API_PRODUCE, VERSION, &id, &err), &err);
    must(fc_wire_decode_from(&fc_msg_produce_response_type, VERSION, &reader, arena, &response,
                             &err),
         &err);
    if (id != (int32_t)index || response.responses_count != 1) {
        fail("answer", "to another request");
    }
    for (int32_t at = 0; at < response.responses[0].partition_responses_count; at++) {
        int16_t error = response.responses[0].partition_responses[at].error_code;
        if (error != FC_KAFKA_NONE) {
            fail("produce", fc_kafka_error_name(error));
        }
    }
}

static void *run_receiver(void *arg)
{
    struct producer *producer = arg;
    uint8_t *answer = fc_new_array(uint8_t, ANSWER_BYTES_MAX);
    struct fc_arena arena;
    fc_arena_init(&arena, ANSWER_BYTES_MAX);
    for (int64_t index = 0; index < producer->total; index++) {
        uint32_t len;
        receive(producer->fd, (uint8_t *)&len, sizeof(len));
        len = ntohl(len);
        if (len > ANSWER_BYTES_MAX) {
            fail("answer", "too long");
        }
        receive(producer->fd, answer, len);
        if (producer->took_us != NULL) {
            producer->took_us[index] = now_us() - producer->begin_us -
                                       (int64_t)((double)index * producer->interval_us);
        }
        (void)sem_post(&producer->room);
        check_answer(fc_slice_of(answer, len), index, &arena);
    }
    fc_arena_release(&arena);
    free(answer);
    return NULL;
}

static void start(struct producer *producer, const char *bootstrap, unsigned ahead)
{
    producer->fd = dial(bootstrap);
    producer->begin_us = now_us();
    if (sem_init(&producer->room, 0, ahead) != 0 ||
        pthread_create(&producer->sender, NULL, run_sender, producer) != 0 ||
        pthread_create(&producer->receiver, NULL, run_receiver, producer) != 0) {
        fail("thread", "cannot start");
    }
}

static void finish(struct producer *producer)
{
    (void)pthread_join(producer->sender, NULL);
    (void)pthread_join(producer->receiver, NULL);
    for (int index = 0; index < producer->kinds; index++) {
        fc_buf_release(&producer->requests[index]);
    }
    (void)sem_destroy(&producer->room);
    (void)close(producer->fd);
}

/* --- what is asked for --- */

static int produce(char **args)
{
    int64_t size = strtoll(args[2], NULL, 10);
    int64_t in_batch = BATCH_BYTES / (size + RECORD_EXTRA);
    int producers = (int)strtol(args[4], NULL, 10);
    int64_t each = strtoll(args[3], NULL, 10) / producers / in_batch;
    struct producer *all = fc_new_array(struct producer, (size_t)producers);
    struct fc_batch_builder builder;
    int64_t begin;
    build_batch(&builder, (size_t)size, in_batch);
    for (int index = 0; index < producers; index++) {
        all[index].kinds = PARTITIONS;
        all[index].total = each;
        for (int32_t partition = 0; partition < PARTITIONS; partition++) {
            struct fc_buf batch;
            fc_buf_init(&batch, 2 * BATCH_BYTES);
            fc_buf_append(&batch, builder.header, sizeof(builder.header));
            fc_buf_append_slice(&batch, builder.body);
            build_request(&all[index].requests[partition], args[1], partition, partition,
                          fc_buf_slice(&batch));
            fc_buf_release(&batch);
        }
    }
    begin = now_us();
    for (int index = 0; index < producers; index++) {
        start(&all[index], args[0], IN_FLIGHT);
    }
    for (int index = 0; index < producers; index++) {
        finish(&all[index]);
    }
    (void)printf("%.0f\n",
                 (double)(each * producers * in_batch) / ((double)(now_us() - begin) / 1e6));
    fc_batch_builder_release(&builder);
    free(all);
    return 0;
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static int latency(char **args)
{
    double rate = strtod(args[3], NULL);
    double seconds = strtod(args[4], NULL);
    int64_t in_batch = (int64_t)(rate / 1000 / PARTITIONS + 0.5);
    struct producer producer = { .kinds = 1 };
    struct fc_batch_builder builder;
    struct fc_buf batch;
    int64_t skip;
    int64_t *took;
    in_batch = in_batch < 1 ? 1 : in_batch;
    producer.interval_us = (double)(in_batch * PARTITIONS) / rate * 1e6;
    producer.total = (int64_t)(seconds * 1e6 / producer.interval_us);
    producer.took_us = took = fc_new_array(int64_t, (size_t)producer.total);
    build_batch(&builder, (size_t)strtoll(args[2], NULL, 10), in_batch);
    fc_buf_init(&batch, 2 * BATCH_BYTES);
    fc_buf_append(&batch, builder.header, sizeof(builder.header));
    fc_buf_append_slice(&batch, builder.body);
    build_request(&producer.requests[0], args[1], 0, PARTITIONS - 1, fc_buf_slice(&batch));
    start(&producer, args[0], REQUESTS_AHEAD);
    finish(&producer);
    skip = producer.total / 10; /* while memory and connection find their pace */
    rate = (double)(producer.total * in_batch * PARTITIONS) /
           ((double)(now_us() - producer.begin_us) / 1e6);
    qsort(took + skip, (size_t)(producer.total - skip), sizeof(int64_t), compare);
    (void)printf("%.2f %.2f %.0f\n", (double)took[skip + (producer.total - skip) / 2] / 1000,
                 (double)took[skip + (producer.total - skip) * 99 / 100] / 1000, rate);
    fc_buf_release(&batch);
    fc_batch_builder_release(&builder);
    free(took);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 7 && strcmp(argv[1], "produce") == 0) {
        return produce(argv + 2);
    }
    if (argc == 7 && strcmp(argv[1], "latency") == 0) {
        return latency(argv + 2);
    }
    (void)fprintf(stderr, "usage: batch_client produce|latency ...: see the source\n");
    return 2;
}
