/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first append to partitions while the disk stands still.
 *
 *   spu_first PORT GATE
 *
 * The server has one thread for connections and syncs wait while the file GATE is there
 * (tests/support/preload/slow_sync.c); topic `first` has two partitions and was
 * never written to. Prints "ok" and "FAIL" lines.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/wire/messages.h"
#include "tests/support/api_request.h"
#include "tests/support/spu_client.h"
#include "tests/support/wire_batch.h"

enum { BATCHES = 5, RECORDS = 3, VERSION = 9, PRODUCER = 4711 };

struct counts {
    int passed;
    int failed;
};

static void check(struct counts *counts, bool good, const char *what)
{
    (void)printf("%s spu_first/%s\n", good ? "ok  " : "FAIL", what);
    (void)fflush(stdout);
    counts->passed += good;
    counts->failed += !good;
}

/* All at once on one connection; the sequence numbers say in which order. */
static void send_batches(int fd)
{
    for (int index = 0; index < BATCHES; index++) {
        const struct wire_batch batch = { .count = RECORDS,
                                          .timestamp_ms = 1700000000000,
                                          .producer_id = PRODUCER,
                                          .base_sequence = index * RECORDS };
        const struct fc_wire_api *api = fc_wire_api(FC_API_PRODUCE);
        struct api_names names = { .topic = "first" };
        struct fc_msg_produce_request *request;
        struct fc_arena arena;
        struct fc_buf bytes;
        struct fc_buf frame;
        fc_arena_init(&arena, SPU_ARENA_MAX);
        fc_buf_init(&frame, SPU_ANSWER_MAX);
        wire_batch_make(&batch, &bytes);
        names.records = fc_buf_slice(&bytes);
        request = api_request_make(api, VERSION, &names, &arena);
        request->topic_data[0].partition_data[0].index = 1; /* 0 has files from the beginning */
        spu_frame(&frame, api->key, VERSION, api->request, request);
        (void)spu_send(fd, frame.data, frame.len);
        fc_buf_release(&bytes);
        fc_buf_release(&frame);
        fc_arena_release(&arena);
    }
}

/* Of the next answer: the offset, or -1. */
static int64_t next_offset(int fd)
{
    struct fc_msg_produce_response response;
    struct fc_reader reader = { 0 };
    struct fc_arena arena;
    struct fc_buf reply;
    struct fc_error err;
    int32_t id = 0;
    int64_t offset = -1;
    fc_arena_init(&arena, SPU_ARENA_MAX);
    fc_buf_init(&reply, SPU_ANSWER_MAX);
    if (spu_receive(fd, &reply, SPU_WAIT_MS) == SPU_ANSWER) {
        fc_reader_init(&reader, fc_buf_slice(&reply));
        if (fc_wire_response_header_decode(&reader, FC_API_PRODUCE, VERSION, &id, &err) ==
                FC_OK &&
            fc_wire_decode_from(&fc_msg_produce_response_type, VERSION, &reader, &arena,
                                &response, &err) == FC_OK) {
            offset = response.responses[0].partition_responses[0].base_offset;
        }
    }
    fc_buf_release(&reply);
    fc_arena_release(&arena);
    return offset;
}

static bool is_served(uint16_t port)
{
    const struct fc_wire_api *api = fc_wire_api(FC_API_METADATA);
    struct api_names names = { .topic = "first" };
    struct fc_arena arena;
    struct fc_buf reply;
    int fd = spu_dial(port);
    bool served;
    fc_arena_init(&arena, SPU_ARENA_MAX);
    fc_buf_init(&reply, SPU_ANSWER_MAX);
    served = spu_ask(fd, api->key, api->max, api_request_make(api, api->max, &names, &arena),
                     &reply, &arena) != NULL;
    (void)close(fd);
    fc_buf_release(&reply);
    fc_arena_release(&arena);
    return served;
}

int main(int argc, char **argv)
{
    struct counts counts = { 0 };
    uint16_t port;
    bool in_order = true;
    int fd;
    if (argc != 3) {
        (void)fputs("usage: spu_first PORT GATE\n", stderr);
        return 2;
    }
    port = (uint16_t)strtoul(argv[1], NULL, 10);
    fd = spu_dial(port);
    (void)close(open(argv[2], O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    send_batches(fd);
    check(&counts, is_served(port),
          "while a partition's first files are made others are served");
    (void)unlink(argv[2]);
    for (int64_t index = 0; index < BATCHES; index++) {
        in_order = next_offset(fd) == index * RECORDS && in_order;
    }
    check(&counts, in_order, "what was sent behind the first batch comes behind it");
    (void)close(fd);
    (void)printf("%d passed, %d failed\n", counts.passed, counts.failed);
    return counts.failed == 0 ? 0 : 1;
}
