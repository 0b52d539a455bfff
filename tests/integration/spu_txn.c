/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the coordinator of transactions answers over the wire.
 *
 *   spu_txn PORT GATE DATA
 *
 * Syncs of __transaction_state fail while the file GATE is there
 * (tests/support/preload/fail_sync.c); topic `t` has 1,000 partitions; DATA is the server's
 * directory. Prints "ok" and "FAIL" lines.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/kafka_error.h"
#include "core/wire/messages.h"
#include "core/wire/wire.h"
#include "tests/support/spu_client.h"

enum { PARTITIONS = 1000, NO_ANSWER = -2, STATE_BYTES_MAX = 64 * 1024 };

/* The group's partition of __consumer_offsets, of 8. */
#define GROUP "g"
enum { GROUP_PARTITION = 'g' % 8 };

struct world {
    int fd;
    int64_t producer_id;
    struct fc_buf reply;
    struct fc_arena arena;
    int passed;
    int failed;
};

static void check(struct world *world, bool good, const char *what)
{
    (void)printf("%s spu_txn/%s\n", good ? "ok  " : "FAIL", what);
    (void)fflush(stdout);
    world->passed += good;
    world->failed += !good;
}

static const void *ask(struct world *world, int16_t key, int16_t version, const void *message)
{
    fc_arena_clear(&world->arena);
    fc_buf_clear(&world->reply);
    return spu_ask(world->fd, key, version, message, &world->reply, &world->arena);
}

static int init(struct world *world, const char *id)
{
    const struct fc_msg_init_producer_id_response *response;
    struct fc_msg_init_producer_id_request request;
    fc_wire_init(&fc_msg_init_producer_id_request_type, &request);
    request.transactional_id = fc_slice_text(id);
    request.transaction_timeout_ms = 60000;
    response = ask(world, FC_API_INIT_PRODUCER_ID, 4, &request);
    if (response == NULL) {
        return NO_ANSWER;
    }
    world->producer_id = response->producer_id;
    return response->error_code;
}

static bool commit_offset(struct world *world)
{
    struct fc_msg_txn_offset_commit_request_partition partition = { 0, 7, -1,
                                                                    fc_slice_text("") };
    struct fc_msg_txn_offset_commit_request_topic topic = { fc_slice_text("t"), &partition, 1 };
    const struct fc_msg_txn_offset_commit_response *response;
    struct fc_msg_txn_offset_commit_request request;
    fc_wire_init(&fc_msg_txn_offset_commit_request_type, &request);
    request.transactional_id = fc_slice_text("tx");
    request.group_id = fc_slice_text(GROUP);
    request.producer_id = world->producer_id;
    request.topics = &topic;
    request.topics_count = 1;
    response = ask(world, FC_API_TXN_OFFSET_COMMIT, 5, &request);
    return response != NULL && response->topics[0].partitions[0].error_code == FC_KAFKA_NONE;
}

static int fetch_offset(struct world *world)
{
    int32_t index = 0;
    struct fc_msg_offset_fetch_request_topic topic = { fc_slice_text("t"), &index, 1 };
    const struct fc_msg_offset_fetch_response *response;
    struct fc_msg_offset_fetch_request request;
    fc_wire_init(&fc_msg_offset_fetch_request_type, &request);
    request.group_id = fc_slice_text(GROUP);
    request.topics = &topic;
    request.topics_count = 1;
    request.require_stable = true;
    response = ask(world, FC_API_OFFSET_FETCH, 7, &request);
    return response == NULL ? NO_ANSWER : response->topics[0].partitions[0].error_code;
}

static bool abort_offsets(struct world *world)
{
    int32_t index = GROUP_PARTITION;
    struct fc_msg_write_txn_markers_request_topic topic = { fc_slice_text("__consumer_offsets"),
                                                            &index, 1 };
    struct fc_msg_write_txn_markers_request_marker marker = { .producer_id = world->producer_id,
                                                              .topics = &topic,
                                                              .topics_count = 1 };
    struct fc_msg_write_txn_markers_request request = { &marker, 1 };
    const struct fc_msg_write_txn_markers_response *response =
        ask(world, FC_API_WRITE_TXN_MARKERS, 1, &request);
    return response != NULL &&
           response->markers[0].topics[0].partitions[0].error_code == FC_KAFKA_NONE;
}

static bool add_all(struct world *world)
{
    int32_t partitions[PARTITIONS];
    struct fc_msg_add_partitions_to_txn_request_topic topic = { fc_slice_text("t"), partitions,
                                                                PARTITIONS };
    const struct fc_msg_add_partitions_to_txn_response *response;
    struct fc_msg_add_partitions_to_txn_request request;
    bool good;
    fc_wire_init(&fc_msg_add_partitions_to_txn_request_type, &request);
    for (int32_t index = 0; index < PARTITIONS; index++) {
        partitions[index] = index;
    }
    request.v3_and_below_transactional_id = fc_slice_text("tx");
    request.v3_and_below_producer_id = world->producer_id;
    request.v3_and_below_topics = &topic;
    request.v3_and_below_topics_count = 1;
    response = ask(world, FC_API_ADD_PARTITIONS_TO_TXN, 3, &request);
    good = response != NULL;
    for (int32_t index = 0; good && index < PARTITIONS; index++) {
        good = response->results_by_topic_v3_and_below[0]
                   .results_by_partition[index]
                   .partition_error_code == FC_KAFKA_NONE;
    }
    return good;
}

/* Of all records of transactions. */
static int64_t state_bytes(const char *data)
{
    char *pattern = fc_asprintf("%s/__transaction_state-*/*.log", data);
    int64_t bytes = 0;
    glob_t found = { 0 };
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t index = 0; index < found.gl_pathc; index++) {
            struct stat about;
            bytes += stat(found.gl_pathv[index], &about) == 0 ? about.st_size : 0;
        }
    }
    globfree(&found);
    free(pattern);
    return bytes;
}

int main(int argc, char **argv)
{
    struct world world = { 0 };
    if (argc != 4) {
        (void)fputs("usage: spu_txn PORT GATE DATA\n", stderr);
        return 2;
    }
    fc_arena_init(&world.arena, SPU_ARENA_MAX);
    fc_buf_init(&world.reply, SPU_ANSWER_MAX);
    world.fd = spu_dial((uint16_t)strtoul(argv[1], NULL, 10));
    check(&world, init(&world, "tx") == FC_KAFKA_NONE && commit_offset(&world),
          "a group's offset becomes part of a transaction");
    check(&world, fetch_offset(&world) == FC_KAFKA_UNSTABLE_OFFSET_COMMIT,
          "  and is not stable");
    check(&world, abort_offsets(&world), "an administrator writes a marker");
    check(&world, fetch_offset(&world) == FC_KAFKA_NONE, "  which ends it");
    check(&world, add_all(&world), "a thousand partitions are added at once");
    check(&world, state_bytes(argv[3]) < STATE_BYTES_MAX, "  and written once");
    check(&world, init(&world, "ty") == FC_KAFKA_NONE, "another id gets an epoch");
    (void)close(open(argv[2], O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    check(&world, init(&world, "ty") == FC_KAFKA_COORDINATOR_NOT_AVAILABLE,
          "  but not its next one, whose sync has failed");
    (void)unlink(argv[2]);
    (void)close(world.fd);
    fc_buf_release(&world.reply);
    fc_arena_release(&world.arena);
    (void)printf("%d passed, %d failed\n", world.passed, world.failed);
    return world.failed == 0 ? 0 : 1;
}
