/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cluster_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"

enum { LINE_SIZE = 256 };

static const char *node_dir;
static const char *node_script;
static char bootstrap[LINE_SIZE];

/* --- the node ------------------------------------------------------------------------------- */

bool cluster_stream_args(int argc, char **argv)
{
    if (argc != 3) {
        (void)fprintf(stderr, "usage: %s NODE_DIR NODE_SCRIPT\n", argv[0]);
        return false;
    }
    node_dir = argv[1];
    node_script = argv[2];
    return true;
}

const char *cluster_bootstrap(void)
{
    return bootstrap;
}

int cluster_stream_set_up(void **state)
{
    char *path = fc_asprintf("%s/env", node_dir);
    FILE *file = fopen(path, "r");
    char line[LINE_SIZE];
    (void)state;
    free(path);
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "BOOTSTRAP=%255s", bootstrap) == 1) {
            break;
        }
    }
    if (file != NULL) {
        (void)fclose(file); /* only read from */
    }
    return bootstrap[0] == '\0' ? -1 : 0;
}

/* --- streams -------------------------------------------------------------------------------- */

void must(fc_code code, const struct fc_error *err)
{
    if (code != FC_OK) {
        fail_msg("code %d: %s", (int)code, err->message);
    }
}

void node(const char *command)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        (void)execl(node_script, node_script, command, node_dir, (char *)NULL);
        _exit(127);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    assert_int_equal(status, 0);
}

struct fc_stream *open_stream_with(const char *writer, const char *name, const char *value)
{
    struct fc_kafka_property properties[] = { { "bootstrap.servers", bootstrap },
                                              { name, value } };
    struct fc_kafka_config config = { .properties = properties,
                                      .property_count = 2,
                                      .replication_factor = FC_KAFKA_REPLICATION_DEFAULT,
                                      .writer = writer };
    struct fc_stream *stream = NULL;
    struct fc_error err = { 0 };
    must(fc_kafka_open(&config, &stream, &err), &err);
    return stream;
}

struct fc_stream *open_stream(const char *writer)
{
    return open_stream_with(writer, "client.id", "kafka_stream");
}

/* A topic of a name that no test has used. */
struct fc_topic *fresh_topic(struct fc_stream *stream, uint32_t partitions)
{
    static int count;
    struct fc_topic_config config;
    struct fc_topic *topic = NULL;
    struct fc_error err = { 0 };
    char name[64];
    (void)snprintf(name, sizeof(name), "test-%ld-%d", (long)getpid(), count++);
    fc_topic_config_init(&config);
    config.partitions = partitions;
    must(fc_stream_topic_ensure(stream, name, &config, &topic, &err), &err);
    return topic;
}

void add(struct fc_stream_batch *batch, int64_t number, const char *text)
{
    struct fc_error err = { 0 };
    char value[LINE_SIZE];
    struct fc_header headers[2] = { { fc_slice_text("fc"), fc_slice_text("some identity") },
                                    { fc_slice_text("null"), fc_slice_null() } };
    struct fc_record record = { .timestamp_ms = 1000000 + number,
                                .key = fc_slice_text("a key"),
                                .headers = headers,
                                .header_count = 2 };
    (void)snprintf(value, sizeof(value), "%s %lld", text, (long long)number);
    record.value = fc_slice_text(value);
    must(fc_stream_batch_add(batch, &record, &err), &err);
}

/* As the runner does: what is not taken for now is tried again. */
void append(struct fc_stream_batch *batch)
{
    struct fc_error err = { 0 };
    int64_t base = 0;
    fc_code code;
    must(fc_stream_batch_seal(batch, &err), &err);
    do {
        code = fc_stream_append(batch, &base, &err);
    } while (code == FC_ERR_TIMEOUT);
    must(code, &err);
}

void flush(struct fc_stream *stream)
{
    struct fc_error err = { 0 };
    fc_code code;
    do {
        code = fc_stream_flush(stream, &err);
    } while (code == FC_ERR_TIMEOUT);
    must(code, &err);
}

void write_numbers(struct fc_topic *topic, uint32_t partition, int64_t from, int64_t to)
{
    struct fc_stream_batch *batch = fc_stream_batch_new(topic, partition);
    for (int64_t number = from; number < to; number++) {
        add(batch, number, "number");
        if (fc_stream_batch_count(batch) == 500) {
            append(batch);
            fc_stream_batch_reset(batch, topic, partition);
        }
    }
    append(batch);
    fc_stream_batch_free(batch);
}

void expect_number(const struct fc_record *record, int64_t number)
{
    char value[LINE_SIZE];
    (void)snprintf(value, sizeof(value), "number %lld", (long long)number);
    if (!fc_slice_equal_text(record->value, value)) {
        fail_msg("offset %lld holds \"%.*s\", wanted \"%s\"", (long long)record->offset,
                 (int)record->value.len, (const char *)record->value.data, value);
    }
}

/* The partition holds each number from 0 on once, in order; how many. */
int64_t count_numbers(struct fc_topic *topic, uint32_t partition)
{
    struct fc_stream_reader *reader = NULL;
    struct fc_error err = { 0 };
    struct fc_offsets offsets;
    int64_t next = 0;
    int64_t offset = -1;
    must(fc_stream_offsets(topic, partition, &offsets, &err), &err);
    assert_int_equal(offsets.start, 0);
    assert_int_equal(offsets.durable, offsets.end);
    must(fc_stream_reader_open(topic, partition, 0, &reader, &err), &err);
    while (fc_stream_reader_offset(reader) < offsets.end) {
        const struct fc_record *records = NULL;
        uint32_t count = 0;
        must(fc_stream_reader_next(reader, 0, &records, &count, &err), &err);
        for (uint32_t index = 0; index < count; index++) {
            expect_number(&records[index], next++);
            assert_true(records[index].offset > offset);
            offset = records[index].offset;
        }
        assert_true(count > 0 || fc_stream_reader_offset(reader) >= offsets.end);
        assert_true(fc_stream_reader_offset(reader) > offset);
    }
    fc_stream_reader_close(reader);
    return next;
}

/* What is committed is seen after a moment. */
void expect_numbers(struct fc_topic *topic, uint32_t partition, int64_t wanted)
{
    int64_t deadline_ms = fc_clock_steady_ms(fc_clock_system()) + 10000;
    int64_t count = count_numbers(topic, partition);
    while (count < wanted && fc_clock_steady_ms(fc_clock_system()) < deadline_ms) {
        count = count_numbers(topic, partition);
    }
    assert_int_equal(count, wanted);
}

int64_t end_of(struct fc_topic *topic)
{
    struct fc_offsets offsets;
    struct fc_error err = { 0 };
    must(fc_stream_offsets(topic, 0, &offsets, &err), &err);
    return offsets.end;
}

void wait_for_end(struct fc_topic *topic, int64_t wanted)
{
    int64_t deadline_ms = fc_clock_steady_ms(fc_clock_system()) + 10000;
    while (end_of(topic) < wanted) {
        assert_true(fc_clock_steady_ms(fc_clock_system()) < deadline_ms);
    }
}

void renew(struct fc_stream *stream)
{
    struct fc_error err = { 0 };
    fc_code code;
    do {
        code = fc_stream_renew(stream, &err);
    } while (code == FC_ERR_TIMEOUT);
    must(code, &err);
}
