/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/stream/embedded.h"
#include "tests/support/temp_dir.h"

struct fixture {
    char *dir;
    struct fc_stream *stream;
    struct fc_error err;
};

static void open_stream(struct fixture *fixture)
{
    struct fc_embedded_config config = { .dir = fixture->dir };
    fixture->err.message[0] = '\0';
    if (fc_embedded_open(&config, &fixture->stream, &fixture->err) != FC_OK) {
        fail_msg("%s", fixture->err.message);
    }
}

static void close_stream(struct fixture *fixture)
{
    fc_stream_close(fixture->stream);
    fixture->stream = NULL;
}

static int set_up(void **state)
{
    struct fixture *fixture = fc_new(struct fixture);
    fixture->dir = temp_dir_new();
    open_stream(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fc_stream_close(fixture->stream);
    temp_dir_free(fixture->dir);
    free(fixture);
    return 0;
}

static struct fc_topic *topic_with(struct fixture *fixture, const char *name,
                                   fc_compression compression, uint64_t segment_bytes)
{
    struct fc_topic_config config;
    struct fc_topic *topic = NULL;
    fc_topic_config_init(&config);
    config.compression = compression;
    config.segment_bytes = segment_bytes;
    if (fc_stream_topic_ensure(fixture->stream, name, &config, &topic, &fixture->err) !=
        FC_OK) {
        fail_msg("%s", fixture->err.message);
    }
    return topic;
}

/* Record n has the text of n as its key and value, and the timestamp 1000 + n. */
static void append_numbers(struct fixture *fixture, struct fc_topic *topic, int64_t from,
                           int64_t count)
{
    struct fc_stream_batch *batch = fc_stream_batch_new(topic, 0);
    int64_t base = -1;
    for (int64_t number = from; number < from + count; number++) {
        char text[32];
        int length = snprintf(text, sizeof(text), "%lld", (long long)number);
        struct fc_header header = { fc_slice_text("h"), fc_slice_of(text, (size_t)length) };
        struct fc_record record = { .timestamp_ms = 1000 + number,
                                    .key = fc_slice_of(text, (size_t)length),
                                    .value = fc_slice_of(text, (size_t)length),
                                    .headers = &header,
                                    .header_count = 1 };
        assert_int_equal(fc_stream_batch_add(batch, &record, &fixture->err), FC_OK);
    }
    assert_int_equal(fc_stream_batch_seal(batch, &fixture->err), FC_OK);
    if (fc_stream_append(batch, &base, &fixture->err) != FC_OK) {
        fail_msg("%s", fixture->err.message);
    }
    assert_int_equal(base, from);
    fc_stream_batch_free(batch);
}

static void expect_numbers(struct fixture *fixture, struct fc_topic *topic, int64_t from,
                           int64_t to)
{
    struct fc_stream_reader *reader = NULL;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    int64_t next = from;
    if (fc_stream_reader_open(topic, 0, from, &reader, &fixture->err) != FC_OK) {
        fail_msg("%s", fixture->err.message);
    }
    do {
        if (fc_stream_reader_next(reader, 0, &records, &count, &fixture->err) != FC_OK) {
            fail_msg("%s", fixture->err.message);
        }
        for (uint32_t index = 0; index < count; index++) {
            char text[32];
            (void)snprintf(text, sizeof(text), "%lld", (long long)next);
            assert_int_equal(records[index].offset, next);
            assert_int_equal(records[index].timestamp_ms, 1000 + next);
            assert_true(fc_slice_equal_text(records[index].key, text));
            assert_true(fc_slice_equal_text(records[index].value, text));
            assert_int_equal(records[index].header_count, 1);
            assert_true(fc_slice_equal_text(records[index].headers[0].value, text));
            next++;
        }
        assert_int_equal(fc_stream_reader_offset(reader), next);
    } while (count > 0);
    assert_int_equal(next, to);
    fc_stream_reader_close(reader);
}

static void appended_records_are_read_back_in_order_with_each_codec(void **state)
{
    static const fc_compression codecs[] = { FC_COMPRESSION_NONE, FC_COMPRESSION_LZ4,
                                             FC_COMPRESSION_ZSTD };
    static const char *const names[] = { "plain", "lz4", "zstd" };
    struct fixture *fixture = *state;
    for (size_t codec = 0; codec < 3; codec++) {
        struct fc_topic *topic = topic_with(fixture, names[codec], codecs[codec], 1 << 20);
        for (int64_t batch = 0; batch < 50; batch++) {
            append_numbers(fixture, topic, batch * 40, 40);
        }
        expect_numbers(fixture, topic, 0, 2000);
        expect_numbers(fixture, topic, 1234, 2000);
        expect_numbers(fixture, topic, 2000, 2000);
    }
}

static void records_are_there_after_the_stream_was_closed_and_opened(void **state)
{
    struct fixture *fixture = *state;
    struct fc_topic *topic = topic_with(fixture, "kept", FC_COMPRESSION_NONE, 4096);
    struct fc_offsets offsets;
    for (int64_t batch = 0; batch < 100; batch++) {
        append_numbers(fixture, topic, batch * 10, 10);
    }
    close_stream(fixture);
    open_stream(fixture);
    assert_int_equal(fc_stream_topic(fixture->stream, "kept", &topic, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_offsets(topic, 0, &offsets, &fixture->err), FC_OK);
    assert_int_equal(offsets.start, 0);
    assert_int_equal(offsets.durable, 1000);
    assert_int_equal(offsets.end, 1000);
    expect_numbers(fixture, topic, 0, 1000);
    expect_numbers(fixture, topic, 777, 1000);
    append_numbers(fixture, topic, 1000, 10);
    expect_numbers(fixture, topic, 995, 1010);
}

static void flush_moves_the_durable_offset_to_the_end(void **state)
{
    struct fixture *fixture = *state;
    struct fc_topic *topic = topic_with(fixture, "t", FC_COMPRESSION_LZ4, 1 << 20);
    struct fc_offsets offsets;
    append_numbers(fixture, topic, 0, 10);
    assert_int_equal(fc_stream_offsets(topic, 0, &offsets, &fixture->err), FC_OK);
    assert_int_equal(offsets.durable, 0);
    assert_int_equal(offsets.end, 10);
    assert_int_equal(fc_stream_flush(fixture->stream, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_offsets(topic, 0, &offsets, &fixture->err), FC_OK);
    assert_int_equal(offsets.durable, 10);
}

static void an_empty_batch_is_sealed_and_appended_without_effect(void **state)
{
    struct fixture *fixture = *state;
    struct fc_topic *topic = topic_with(fixture, "t", FC_COMPRESSION_LZ4, 1 << 20);
    struct fc_stream_batch *batch = fc_stream_batch_new(topic, 0);
    int64_t base = -1;
    append_numbers(fixture, topic, 0, 3);
    assert_int_equal(fc_stream_batch_seal(batch, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_append(batch, &base, &fixture->err), FC_OK);
    assert_int_equal(base, 3);
    expect_numbers(fixture, topic, 0, 3);
    fc_stream_batch_free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(appended_records_are_read_back_in_order_with_each_codec,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            records_are_there_after_the_stream_was_closed_and_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flush_moves_the_durable_offset_to_the_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_empty_batch_is_sealed_and_appended_without_effect,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
