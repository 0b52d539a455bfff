/* SPDX-License-Identifier: Apache-2.0 */
/* The stream interface on a real Kafka: kafka_stream NODE_DIR NODE_SCRIPT. */
#include <setjmp.h>
#include <signal.h>
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
#include "core/stream/kafka.h"

enum { LINE_SIZE = 256, MANY = 30000 };

static const char *node_dir;
static const char *node_script;
static char bootstrap[LINE_SIZE];

/* --- helpers ------------------------------------------------------------------------------ */

static void must(fc_code code, const struct fc_error *err)
{
    if (code != FC_OK) {
        fail_msg("code %d: %s", (int)code, err->message);
    }
}

static void node(const char *command)
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

static struct fc_stream *open_stream_with(const char *writer, const char *name,
                                          const char *value)
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

static struct fc_stream *open_stream(const char *writer)
{
    return open_stream_with(writer, "client.id", "kafka_stream");
}

/* A topic of a name that no test has used. */
static struct fc_topic *fresh_topic(struct fc_stream *stream, uint32_t partitions)
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

static void add(struct fc_stream_batch *batch, int64_t number, const char *text)
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
static void append(struct fc_stream_batch *batch)
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

static void flush(struct fc_stream *stream)
{
    struct fc_error err = { 0 };
    fc_code code;
    do {
        code = fc_stream_flush(stream, &err);
    } while (code == FC_ERR_TIMEOUT);
    must(code, &err);
}

static void write_numbers(struct fc_topic *topic, uint32_t partition, int64_t from, int64_t to)
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

static void expect_number(const struct fc_record *record, int64_t number)
{
    char value[LINE_SIZE];
    (void)snprintf(value, sizeof(value), "number %lld", (long long)number);
    if (!fc_slice_equal_text(record->value, value)) {
        fail_msg("offset %lld holds \"%.*s\", wanted \"%s\"", (long long)record->offset,
                 (int)record->value.len, (const char *)record->value.data, value);
    }
}

/* The partition holds each number from 0 on once, in order; how many. */
static int64_t count_numbers(struct fc_topic *topic, uint32_t partition)
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
static void expect_numbers(struct fc_topic *topic, uint32_t partition, int64_t wanted)
{
    int64_t deadline_ms = fc_clock_steady_ms(fc_clock_system()) + 10000;
    int64_t count = count_numbers(topic, partition);
    while (count < wanted && fc_clock_steady_ms(fc_clock_system()) < deadline_ms) {
        count = count_numbers(topic, partition);
    }
    assert_int_equal(count, wanted);
}

static int64_t end_of(struct fc_topic *topic)
{
    struct fc_offsets offsets;
    struct fc_error err = { 0 };
    must(fc_stream_offsets(topic, 0, &offsets, &err), &err);
    return offsets.end;
}

static void wait_for_end(struct fc_topic *topic, int64_t wanted)
{
    int64_t deadline_ms = fc_clock_steady_ms(fc_clock_system()) + 10000;
    while (end_of(topic) < wanted) {
        assert_true(fc_clock_steady_ms(fc_clock_system()) < deadline_ms);
    }
}

static void renew(struct fc_stream *stream)
{
    struct fc_error err = { 0 };
    fc_code code;
    do {
        code = fc_stream_renew(stream, &err);
    } while (code == FC_ERR_TIMEOUT);
    must(code, &err);
}

/* --- tests -------------------------------------------------------------------------------- */

static void what_is_appended_is_read_back_whole(void **state)
{
    struct fc_stream *stream = open_stream("test");
    struct fc_topic *topic = fresh_topic(stream, 1);
    struct fc_stream_batch *batch = fc_stream_batch_new(topic, 0);
    struct fc_record tombstone = { .timestamp_ms = 5, .key = fc_slice_text("k") };
    struct fc_record no_key = { .timestamp_ms = 6, .value = fc_slice_text("") };
    struct fc_stream_reader *reader = NULL;
    const struct fc_record *records = NULL;
    struct fc_error err = { 0 };
    uint32_t count = 0;
    (void)state;
    add(batch, 0, "number");
    must(fc_stream_batch_add(batch, &tombstone, &err), &err);
    must(fc_stream_batch_add(batch, &no_key, &err), &err);
    assert_int_equal(fc_stream_batch_count(batch), 3);
    append(batch);
    flush(stream);
    wait_for_end(topic, 4); /* behind the mark of the commit */
    fc_stream_batch_free(batch);
    must(fc_stream_reader_open(topic, 0, 0, &reader, &err), &err);
    must(fc_stream_reader_next(reader, 0, &records, &count, &err), &err);
    assert_int_equal(count, 3);
    expect_number(&records[0], 0);
    assert_int_equal(records[0].timestamp_ms, 1000000);
    assert_true(fc_slice_equal_text(records[0].key, "a key"));
    assert_int_equal(records[0].header_count, 2);
    assert_true(fc_slice_equal_text(records[0].headers[0].key, "fc"));
    assert_true(fc_slice_equal_text(records[0].headers[0].value, "some identity"));
    assert_true(fc_slice_is_null(records[0].headers[1].value));
    assert_true(fc_slice_is_null(records[1].value));
    assert_int_equal(records[1].header_count, 0);
    assert_true(fc_slice_is_null(records[2].key));
    assert_true(!fc_slice_is_null(records[2].value) && records[2].value.len == 0);
    must(fc_stream_reader_next(reader, 0, &records, &count, &err), &err);
    assert_int_equal(count, 0);
    fc_stream_reader_close(reader);
    fc_stream_close(stream);
}

static void many_records_keep_their_order_in_every_partition(void **state)
{
    struct fc_stream *stream = open_stream("test");
    struct fc_topic *topic = fresh_topic(stream, 3);
    (void)state;
    for (int64_t from = 0; from < MANY; from += 3000) {
        for (uint32_t partition = 0; partition < 3; partition++) {
            write_numbers(topic, partition, from, from + 3000);
        }
    }
    flush(stream);
    for (uint32_t partition = 0; partition < 3; partition++) {
        expect_numbers(topic, partition, MANY);
    }
    fc_stream_close(stream);
}

/* A checkpoint that names a higher end than there is would hide records from the next start. */
static void a_batch_begins_at_no_lower_offset_than_is_told(void **state)
{
    struct fc_stream *stream = open_stream_with("test", "queue.buffering.max.messages", "10");
    struct fc_topic *topic = fresh_topic(stream, 1);
    struct fc_stream_batch *batch = fc_stream_batch_new(topic, 0);
    struct fc_error err = { 0 };
    int64_t base = -1;
    (void)state;
    for (int64_t number = 0; number < 500; number++) {
        add(batch, number, "number");
    }
    must(fc_stream_batch_seal(batch, &err), &err);
    must(fc_stream_append(batch, &base, &err), &err); /* most of it is acknowledged by then */
    assert_int_equal(base, 0);
    fc_stream_batch_reset(batch, topic, 0);
    add(batch, 500, "number");
    append(batch);
    flush(stream);
    expect_numbers(topic, 0, 501);
    fc_stream_batch_free(batch);
    fc_stream_close(stream);
}

static void a_reader_goes_where_it_is_sent(void **state)
{
    struct fc_stream *stream = open_stream("test");
    struct fc_topic *topic = fresh_topic(stream, 1);
    struct fc_stream_reader *readers[2] = { NULL, NULL };
    const struct fc_record *records = NULL;
    struct fc_error err = { 0 };
    uint32_t count = 0;
    int64_t begin_ms;
    (void)state;
    write_numbers(topic, 0, 0, 5000);
    flush(stream);
    wait_for_end(topic, 5001); /* behind the mark of the commit */
    must(fc_stream_reader_open(topic, 0, 100, &readers[0], &err), &err);
    must(fc_stream_reader_open(topic, 0, 4000, &readers[1], &err), &err);
    must(fc_stream_reader_next(readers[1], 0, &records, &count, &err), &err);
    expect_number(&records[0], 4000);
    must(fc_stream_reader_next(readers[0], 0, &records, &count, &err), &err);
    expect_number(&records[0], 100);
    begin_ms = fc_clock_steady_ms(fc_clock_system());
    for (int64_t at = 4999; at > 0; at -= 500) {
        must(fc_stream_reader_seek(readers[0], at, &err), &err);
        must(fc_stream_reader_next(readers[0], 0, &records, &count, &err), &err);
        assert_true(count > 0);
        expect_number(&records[0], at);
    }
    print_message("10 seeks took %lld ms\n",
                  (long long)(fc_clock_steady_ms(fc_clock_system()) - begin_ms));
    assert_int_equal(fc_stream_reader_seek(readers[0], 5002, &err), FC_ERR_NOT_FOUND);
    must(fc_stream_reader_seek(readers[0], 5000, &err), &err);
    must(fc_stream_reader_next(readers[0], 0, &records, &count, &err), &err);
    assert_int_equal(count, 0);
    assert_int_equal(fc_stream_reader_offset(readers[0]), 5001);
    write_numbers(topic, 0, 5000, 5001);
    flush(stream);
    must(fc_stream_reader_next(readers[0], 10000, &records, &count, &err), &err);
    assert_int_equal(count, 1);
    expect_number(&records[0], 5000);
    fc_stream_reader_close(readers[0]);
    fc_stream_reader_close(readers[1]);
    fc_stream_close(stream);
}

static void a_time_is_looked_up(void **state)
{
    struct fc_stream *stream = open_stream("test");
    struct fc_topic *topic = fresh_topic(stream, 1);
    struct fc_error err = { 0 };
    int64_t offset = -1;
    (void)state;
    write_numbers(topic, 0, 0, 100);
    flush(stream);
    wait_for_end(topic, 101);
    must(fc_stream_offset_for_time(topic, 0, 1000042, &offset, &err), &err);
    assert_int_equal(offset, 42);
    must(fc_stream_offset_for_time(topic, 0, 1, &offset, &err), &err);
    assert_int_equal(offset, 0);
    must(fc_stream_offset_for_time(topic, 0, 2000000, &offset, &err), &err);
    assert_in_range(offset, 100, end_of(topic)); /* a mark may be newer */
    fc_stream_close(stream);
}

static void topics_are_checked_and_changed_only_where_asked(void **state)
{
    struct fc_stream *stream = open_stream("test");
    struct fc_topic *topic = fresh_topic(stream, 2);
    struct fc_stream *other = open_stream("test-other");
    struct fc_topic_config config;
    struct fc_topic *again = NULL;
    struct fc_error err = { 0 };
    char value[FC_KAFKA_SETTING_SIZE];
    (void)state;
    must(fc_kafka_topic_setting(topic, "retention.ms", value, &err), &err);
    assert_string_equal(value, "-1");
    must(fc_kafka_topic_setting(topic, "cleanup.policy", value, &err), &err);
    assert_string_equal(value, "delete");
    fc_topic_config_init(&config);
    config.partitions = 3;
    assert_int_equal(fc_stream_topic_ensure(other, fc_topic_name(topic), &config, &again, &err),
                     FC_ERR_CONFIG);
    assert_non_null(strstr(err.message, "2 partitions"));
    config.partitions = 2;
    config.retention_ms = 86400000;
    config.segment_bytes = 5 << 20;
    config.given = FC_TOPIC_RETENTION_MS;
    must(fc_stream_topic_ensure(other, fc_topic_name(topic), &config, &again, &err), &err);
    must(fc_kafka_topic_setting(topic, "retention.ms", value, &err), &err);
    assert_string_equal(value, "86400000");
    must(fc_kafka_topic_setting(topic, "segment.bytes", value, &err), &err);
    assert_string_equal(value, "1073741824");
    assert_int_equal(fc_stream_topic(stream, "no-such-topic", &again, &err), FC_ERR_NOT_FOUND);
    fc_stream_close(other);
    fc_stream_close(stream);
}

static void a_record_that_is_too_large_is_told_apart(void **state)
{
    struct fc_stream *stream = open_stream("test");
    struct fc_topic_config config;
    struct fc_topic *topic = NULL;
    struct fc_stream_batch *batch;
    struct fc_error err = { 0 };
    size_t size = 200000;
    char *bytes = fc_alloc_zeroed(1, size);
    struct fc_record record = { .timestamp_ms = 1 };
    (void)state;
    memset(bytes, 'x', size);
    record.value = fc_slice_of(bytes, size);
    fc_topic_config_init(&config);
    config.record_bytes_max = 100000;
    must(fc_stream_topic_ensure(stream, "test-small-records", &config, &topic, &err), &err);
    batch = fc_stream_batch_new(topic, 0);
    assert_int_equal(fc_stream_batch_add(batch, &record, &err), FC_ERR_LIMIT);
    assert_non_null(strstr(err.message, "max.message.bytes"));
    assert_int_equal(fc_stream_batch_count(batch), 0);
    fc_stream_batch_free(batch);
    config.record_bytes_max = FC_RECORD_BYTES_MAX;
    must(fc_stream_topic_ensure(stream, "test-large-records", &config, &topic, &err), &err);
    batch = fc_stream_batch_new(topic, 0);
    size = 20 << 20; /* far over what a broker takes without being told */
    bytes = fc_realloc_array(bytes, size, 1);
    memset(bytes, 'y', size);
    record.value = fc_slice_of(bytes, size);
    must(fc_stream_batch_add(batch, &record, &err), &err);
    append(batch);
    flush(stream);
    fc_stream_batch_free(batch);
    free(bytes);
    fc_stream_close(stream);
}

static void nothing_is_lost_or_doubled_when_the_broker_is_killed(void **state)
{
    struct fc_stream *stream = open_stream("test");
    struct fc_topic *topic = fresh_topic(stream, 1);
    struct fc_error err = { 0 };
    fc_code code;
    (void)state;
    write_numbers(topic, 0, 0, 10000);
    node("kill"); /* most of it was not acknowledged yet */
    write_numbers(topic, 0, 10000, 20000);
    assert_int_equal(fc_stream_flush(stream, &err), FC_ERR_TIMEOUT);
    assert_true(err.retriable);
    node("again");
    do {
        code = fc_stream_flush(stream, &err);
    } while (code == FC_ERR_TIMEOUT);
    if (code != FC_OK) { /* librdkafka before 2.3 may give up its producer */
        int64_t there;
        assert_true(err.retriable);
        renew(stream);
        there = count_numbers(topic, 0);
        assert_true(there == 0 || there == 20000);
        write_numbers(topic, 0, there, 20000);
        flush(stream);
    }
    write_numbers(topic, 0, 20000, 30000);
    flush(stream);
    expect_numbers(topic, 0, 30000);
    fc_stream_close(stream);
}

static void what_is_not_flushed_is_not_read(void **state)
{
    struct fc_stream *stream = open_stream("test");
    struct fc_topic *topic = fresh_topic(stream, 1);
    struct fc_stream_batch *batch = fc_stream_batch_new(topic, 0);
    int64_t base = 0;
    struct fc_error err = { 0 };
    (void)state;
    write_numbers(topic, 0, 0, 1000);
    while (base < 1000) { /* until all are acknowledged */
        must(fc_stream_append(batch, &base, &err), &err);
    }
    assert_int_equal(end_of(topic), 0);
    assert_int_equal(count_numbers(topic, 0), 0);
    flush(stream);
    expect_numbers(topic, 0, 1000);
    fc_stream_batch_free(batch);
    fc_stream_close(stream);
}

static void what_a_dead_writer_sent_never_arrives(void **state)
{
    struct fc_stream *stream;
    struct fc_topic *topic;
    int status = 0;
    char name[FC_TOPIC_NAME_MAX + 1];
    (void)state;
    stream = open_stream("test");
    topic = fresh_topic(stream, 1);
    (void)snprintf(name, sizeof(name), "%s", fc_topic_name(topic));
    fc_stream_close(stream);
    pid_t pid = fork();
    if (pid == 0) {
        struct fc_error err = { 0 };
        stream = open_stream("test");
        must(fc_stream_topic(stream, name, &topic, &err), &err);
        write_numbers(topic, 0, 0, 2000);
        flush(stream);
        write_numbers(topic, 0, 2000, 3000); /* the transaction is open */
        node("pause");
        write_numbers(topic, 0, 3000, 8000);
        assert_int_equal(fc_stream_flush(stream, &err), FC_ERR_TIMEOUT); /* it is sent */
        (void)kill(getpid(), SIGKILL);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    assert_true(WIFSIGNALED(status));
    node("resume");
    stream = open_stream("test");
    {
        struct fc_error err = { 0 };
        renew(stream);
        must(fc_stream_topic(stream, name, &topic, &err), &err);
    }
    assert_int_equal(count_numbers(topic, 0), 2000);
    write_numbers(topic, 0, 2000, 9000);
    flush(stream);
    expect_numbers(topic, 0, 9000);
    fc_stream_close(stream);
}

static void of_two_writers_the_older_is_refused(void **state)
{
    struct fc_stream *older = open_stream("test");
    struct fc_stream *newer = open_stream("test");
    struct fc_topic *topic = fresh_topic(older, 1);
    struct fc_topic *same = NULL;
    struct fc_error err = { 0 };
    struct fc_stream_batch *batch = fc_stream_batch_new(topic, 0);
    int64_t base = 0;
    fc_code code;
    (void)state;
    must(fc_stream_topic(newer, fc_topic_name(topic), &same, &err), &err);
    write_numbers(topic, 0, 0, 1000);
    flush(older);
    write_numbers(topic, 0, 1000, 2000); /* not flushed when it is taken over */
    renew(newer);
    expect_numbers(same, 0, 1000);
    write_numbers(same, 0, 1000, 3000);
    flush(newer);
    add(batch, 2000, "number");
    must(fc_stream_batch_seal(batch, &err), &err);
    do {
        code = fc_stream_append(batch, &base, &err);
        code = code == FC_OK ? fc_stream_flush(older, &err) : code;
    } while (code == FC_ERR_TIMEOUT);
    assert_int_equal(code, FC_ERR_REFUSED);
    assert_false(err.retriable);
    assert_non_null(strstr(err.message, "taken over as writer test"));
    expect_numbers(same, 0, 3000);
    fc_stream_batch_free(batch);
    fc_stream_close(older);
    fc_stream_close(newer);
}

static void a_stream_renewed_goes_on_behind_what_is_there(void **state)
{
    struct fc_stream *stream = open_stream("test");
    struct fc_topic *topic = fresh_topic(stream, 1);
    (void)state;
    write_numbers(topic, 0, 0, 3000);
    flush(stream);
    write_numbers(topic, 0, 3000, 5000); /* some are under way */
    renew(stream);
    assert_int_equal(count_numbers(topic, 0), 3000);
    write_numbers(topic, 0, 3000, 6000);
    flush(stream);
    expect_numbers(topic, 0, 6000);
    fc_stream_close(stream);
}

static void more_replicas_than_brokers_are_refused(void **state)
{
    struct fc_kafka_property properties[] = { { "bootstrap.servers", bootstrap } };
    struct fc_kafka_config config = {
        .properties = properties, .property_count = 1, .replication_factor = 5, .writer = "test"
    };
    struct fc_topic_config wanted;
    struct fc_topic *topic = NULL;
    struct fc_stream *stream = NULL;
    struct fc_error err = { 0 };
    (void)state;
    must(fc_kafka_open(&config, &stream, &err), &err);
    fc_topic_config_init(&wanted);
    assert_int_equal(fc_stream_topic_ensure(stream, "test-five", &wanted, &topic, &err),
                     FC_ERR_CONFIG);
    assert_false(err.retriable);
    assert_non_null(strstr(err.message, "eplication factor"));
    fc_stream_close(stream);
}

static void properties_are_checked(void **state)
{
    struct fc_error err = { 0 };
    (void)state;
    assert_int_equal(fc_kafka_check_property("linger.ms", "20", &err), FC_OK);
    assert_int_equal(fc_kafka_check_property("bootstrap.server", "x", &err), FC_ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "did you mean `bootstrap.servers`"));
    assert_int_equal(fc_kafka_check_property("linger.ms", "hunter2", &err), FC_ERR_CONFIG);
    assert_null(strstr(err.message, "hunter2"));
    assert_int_equal(fc_kafka_check_property("acks", "1", &err), FC_ERR_CONFIG);
    assert_int_equal(fc_kafka_check_property("enable.idempotence", "false", &err),
                     FC_ERR_CONFIG);
}

static void a_cluster_that_is_away_is_named(void **state)
{
    struct fc_kafka_property properties[] = { { "bootstrap.servers", "127.0.0.1:1" } };
    struct fc_kafka_config config = { .properties = properties,
                                      .property_count = 1,
                                      .writer = "test" };
    struct fc_stream *stream = NULL;
    struct fc_topic *topic = NULL;
    struct fc_error err = { 0 };
    (void)state;
    must(fc_kafka_open(&config, &stream, &err), &err);
    assert_int_equal(fc_stream_topic(stream, "any", &topic, &err), FC_ERR_TIMEOUT);
    assert_true(err.retriable);
    assert_non_null(strstr(err.message, "127.0.0.1:1"));
    assert_non_null(strstr(err.message, "Connection refused"));
    fc_stream_close(stream);
}

static int look_up_node(void **state)
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_appended_is_read_back_whole),
        cmocka_unit_test(many_records_keep_their_order_in_every_partition),
        cmocka_unit_test(a_batch_begins_at_no_lower_offset_than_is_told),
        cmocka_unit_test(a_reader_goes_where_it_is_sent),
        cmocka_unit_test(a_time_is_looked_up),
        cmocka_unit_test(topics_are_checked_and_changed_only_where_asked),
        cmocka_unit_test(a_record_that_is_too_large_is_told_apart),
        cmocka_unit_test(nothing_is_lost_or_doubled_when_the_broker_is_killed),
        cmocka_unit_test(a_stream_renewed_goes_on_behind_what_is_there),
        cmocka_unit_test(what_is_not_flushed_is_not_read),
        cmocka_unit_test(what_a_dead_writer_sent_never_arrives),
        cmocka_unit_test(of_two_writers_the_older_is_refused),
        cmocka_unit_test(more_replicas_than_brokers_are_refused),
        cmocka_unit_test(properties_are_checked),
        cmocka_unit_test(a_cluster_that_is_away_is_named),
    };
    if (argc != 3) {
        (void)fprintf(stderr, "usage: kafka_stream NODE_DIR NODE_SCRIPT\n");
        return 2;
    }
    node_dir = argv[1];
    node_script = argv[2];
    return cmocka_run_group_tests(tests, look_up_node, NULL);
}
