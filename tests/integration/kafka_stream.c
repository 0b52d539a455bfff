/* SPDX-License-Identifier: Apache-2.0 */
/* The stream interface on a real cluster: kafka_stream NODE_DIR NODE_SCRIPT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "tests/support/cluster_stream.h"

enum { MANY = 30000 };

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

static void more_replicas_than_brokers_are_refused(void **state)
{
    struct fc_kafka_property properties[] = { { "bootstrap.servers", cluster_bootstrap() } };
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
        cmocka_unit_test(more_replicas_than_brokers_are_refused),
        cmocka_unit_test(properties_are_checked),
        cmocka_unit_test(a_cluster_that_is_away_is_named),
    };
    return cluster_stream_args(argc, argv)
               ? cmocka_run_group_tests(tests, cluster_stream_set_up, NULL)
               : 2;
}
