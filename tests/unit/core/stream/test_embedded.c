/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/stream/embedded.h"
#include "tests/support/stream_fixture.h"

enum { LONG_MS = 20000 };

static void appended_records_are_read_back_in_order_with_each_codec(void **state)
{
    static const fc_compression codecs[] = { FC_COMPRESSION_NONE, FC_COMPRESSION_LZ4,
                                             FC_COMPRESSION_ZSTD };
    static const char *const names[] = { "plain", "lz4", "zstd" };
    struct stream_fixture *fixture = *state;
    for (size_t codec = 0; codec < 3; codec++) {
        struct fc_topic *topic =
            stream_fixture_topic(fixture, names[codec], codecs[codec], 1 << 20);
        for (int64_t batch = 0; batch < 50; batch++) {
            stream_fixture_append(fixture, topic, batch * 40, 40);
        }
        stream_fixture_expect(fixture, topic, 0, 2000);
        stream_fixture_expect(fixture, topic, 1234, 2000);
        stream_fixture_expect(fixture, topic, 2000, 2000);
    }
}

static void records_are_there_after_the_stream_was_closed_and_opened(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_topic *topic = stream_fixture_topic(fixture, "kept", FC_COMPRESSION_NONE, 4096);
    struct fc_offsets offsets;
    int64_t offset = -1;
    for (int64_t batch = 0; batch < 100; batch++) {
        stream_fixture_append(fixture, topic, batch * 10, 10);
    }
    stream_fixture_close(fixture);
    stream_fixture_open(fixture);
    assert_int_equal(fc_stream_topic(fixture->stream, "kept", &topic, &fixture->err), FC_OK);
    offsets = stream_fixture_offsets(fixture, topic);
    assert_int_equal(offsets.start, 0);
    assert_int_equal(offsets.durable, 1000);
    assert_int_equal(offsets.end, 1000);
    stream_fixture_expect(fixture, topic, 0, 1000);
    stream_fixture_expect(fixture, topic, 777, 1000);
    stream_fixture_append(fixture, topic, 1000, 10);
    stream_fixture_expect(fixture, topic, 995, 1010);
    assert_int_equal(fc_stream_offset_for_time(topic, 0, 1500, &offset, &fixture->err), FC_OK);
    assert_int_equal(offset, 500);
}

static void flush_moves_the_durable_offset_to_the_end(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_topic *topic = stream_fixture_topic(fixture, "t", FC_COMPRESSION_LZ4, 1 << 20);
    stream_fixture_append(fixture, topic, 0, 10);
    assert_int_equal(stream_fixture_offsets(fixture, topic).durable, 0);
    assert_int_equal(stream_fixture_offsets(fixture, topic).end, 10);
    stream_fixture_flush(fixture);
    assert_int_equal(stream_fixture_offsets(fixture, topic).durable, 10);
}

static void flush_leaves_a_topic_alone_that_opted_out(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_topic_config config;
    struct fc_topic *topic = NULL;
    fc_topic_config_init(&config);
    config.flush = FC_FLUSH_OS;
    assert_int_equal(
        fc_stream_topic_ensure(fixture->stream, "os", &config, &topic, &fixture->err), FC_OK);
    stream_fixture_append(fixture, topic, 0, 10);
    stream_fixture_flush(fixture);
    assert_int_equal(stream_fixture_offsets(fixture, topic).durable, 0);
    config.flush = FC_FLUSH_DURABLE; /* from now on it is part of the flush, and all of it */
    assert_int_equal(
        fc_stream_topic_ensure(fixture->stream, "os", &config, &topic, &fixture->err), FC_OK);
    stream_fixture_flush(fixture);
    assert_int_equal(stream_fixture_offsets(fixture, topic).durable, 10);
}

static void one_flush_makes_many_partitions_durable(void **state)
{
    enum { PARTITIONS = 20 };
    struct stream_fixture *fixture = *state;
    struct fc_topic_config config;
    struct fc_topic *topic = NULL;
    fc_topic_config_init(&config);
    config.partitions = PARTITIONS;
    assert_int_equal(
        fc_stream_topic_ensure(fixture->stream, "wide", &config, &topic, &fixture->err), FC_OK);
    for (uint32_t partition = 0; partition < PARTITIONS; partition++) {
        struct fc_stream_batch *batch = fc_stream_batch_new(topic, partition);
        struct fc_record record = { .value = fc_slice_text("x") };
        int64_t base = -1;
        assert_int_equal(fc_stream_batch_add(batch, &record, &fixture->err), FC_OK);
        assert_int_equal(fc_stream_batch_seal(batch, &fixture->err), FC_OK);
        assert_int_equal(fc_stream_append(batch, &base, &fixture->err), FC_OK);
        fc_stream_batch_free(batch);
    }
    stream_fixture_flush(fixture);
    for (uint32_t partition = 0; partition < PARTITIONS; partition++) {
        struct fc_offsets offsets = { 0 };
        assert_int_equal(fc_stream_offsets(topic, partition, &offsets, &fixture->err), FC_OK);
        assert_int_equal(offsets.durable, 1);
    }
}

static void an_empty_batch_is_sealed_and_appended_without_effect(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_topic *topic = stream_fixture_topic(fixture, "t", FC_COMPRESSION_LZ4, 1 << 20);
    struct fc_stream_batch *batch = fc_stream_batch_new(topic, 0);
    int64_t base = -1;
    stream_fixture_append(fixture, topic, 0, 3);
    assert_int_equal(fc_stream_batch_seal(batch, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_append(batch, &base, &fixture->err), FC_OK);
    assert_int_equal(base, 3);
    stream_fixture_expect(fixture, topic, 0, 3);
    fc_stream_batch_free(batch);
}

static void a_record_over_the_topic_limit_is_refused_and_the_rest_goes_on(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_topic_config config;
    struct fc_topic *topic = NULL;
    struct fc_stream_batch *batch;
    char big[1000] = "";
    struct fc_record record = { .value = fc_slice_of(big, sizeof(big)) };
    fc_topic_config_init(&config);
    config.record_bytes_max = 1000;
    assert_int_equal(
        fc_stream_topic_ensure(fixture->stream, "small", &config, &topic, &fixture->err),
        FC_OK);
    batch = fc_stream_batch_new(topic, 0);
    assert_int_equal(fc_stream_batch_add(batch, &record, &fixture->err), FC_ERR_LIMIT);
    assert_non_null(strstr(fixture->err.message, "1000"));
    assert_int_equal(fc_stream_batch_count(batch), 0);
    record.value.len = 900;
    assert_int_equal(fc_stream_batch_add(batch, &record, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_batch_count(batch), 1);
    fc_stream_batch_free(batch);
}

struct waiter {
    struct fc_stream_reader *reader;
    const struct fc_record *records;
    uint32_t count;
    fc_code code;
    int64_t waited_ms;
};

static void *wait_for_records(void *arg)
{
    struct waiter *waiter = arg;
    int64_t begin = fc_clock_steady_ms(fc_clock_system());
    struct fc_error err;
    waiter->code =
        fc_stream_reader_next(waiter->reader, LONG_MS, &waiter->records, &waiter->count, &err);
    waiter->waited_ms = fc_clock_steady_ms(fc_clock_system()) - begin;
    return NULL;
}

static void a_waiting_reader_gets_what_is_appended(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_topic *topic = stream_fixture_topic(fixture, "t", FC_COMPRESSION_LZ4, 1 << 20);
    struct waiter waiter = { 0 };
    pthread_t thread;
    assert_int_equal(fc_stream_reader_open(topic, 0, 0, &waiter.reader, &fixture->err), FC_OK);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_records, &waiter), 0);
    stream_fixture_append(fixture, topic, 0, 5);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(waiter.code, FC_OK);
    assert_int_equal(stream_fixture_check(waiter.records, waiter.count, 0), 5);
    assert_in_range(waiter.waited_ms, 0, LONG_MS - 1);
    fc_stream_reader_close(waiter.reader);
}

static void wake_ends_a_wait_even_when_it_comes_first(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_topic *topic = stream_fixture_topic(fixture, "t", FC_COMPRESSION_LZ4, 1 << 20);
    for (int read_only = 0; read_only < 2; read_only++) {
        struct waiter waiter = { 0 };
        struct fc_stream *stream =
            read_only ? stream_fixture_open_read_only(fixture) : fixture->stream;
        pthread_t thread;
        assert_int_equal(fc_stream_topic(stream, "t", &topic, &fixture->err), FC_OK);
        assert_int_equal(fc_stream_reader_open(topic, 0, 0, &waiter.reader, &fixture->err),
                         FC_OK);
        assert_int_equal(pthread_create(&thread, NULL, wait_for_records, &waiter), 0);
        fc_stream_wake(stream); /* before the thread waits, or while it does */
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(waiter.code, FC_OK);
        assert_int_equal(waiter.count, 0);
        assert_in_range(waiter.waited_ms, 0, LONG_MS - 1);
        fc_stream_reader_close(waiter.reader);
        if (read_only) {
            fc_stream_close(stream);
        }
    }
}

static void a_reader_without_news_returns_when_its_time_is_up(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_topic *topic = stream_fixture_topic(fixture, "t", FC_COMPRESSION_LZ4, 1 << 20);
    struct fc_stream_reader *reader = NULL;
    const struct fc_record *records = NULL;
    uint32_t count = 1;
    int64_t begin = fc_clock_steady_ms(fc_clock_system());
    assert_int_equal(fc_stream_reader_open(topic, 0, 0, &reader, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_reader_next(reader, 30, &records, &count, &fixture->err), FC_OK);
    assert_int_equal(count, 0);
    assert_in_range(fc_clock_steady_ms(fc_clock_system()) - begin, 29, LONG_MS);
    fc_stream_reader_close(reader);
}

/* Appends one record at a time and flushes after each, as others do at the same time. */
struct committer {
    struct fc_stream *stream;
    struct fc_topic *topic;
    bool good;
};

static void *commit_many(void *arg)
{
    struct committer *self = arg;
    struct fc_stream_batch *batch = fc_stream_batch_new(self->topic, 0);
    struct fc_record record = { .value = fc_slice_text("v") };
    struct fc_error err;
    self->good = true;
    for (int round = 0; round < 50; round++) {
        struct fc_offsets offsets = { 0 };
        int64_t base = -1;
        fc_stream_batch_reset(batch, self->topic, 0);
        self->good = self->good && fc_stream_batch_add(batch, &record, &err) == FC_OK &&
                     fc_stream_batch_seal(batch, &err) == FC_OK &&
                     fc_stream_append(batch, &base, &err) == FC_OK &&
                     fc_stream_flush(self->stream, &err) == FC_OK &&
                     fc_stream_offsets(self->topic, 0, &offsets, &err) == FC_OK &&
                     offsets.durable > base;
    }
    fc_stream_batch_free(batch);
    return NULL;
}

static void concurrent_flushes_each_cover_what_was_appended_before(void **state)
{
    enum { THREADS = 8 };
    struct stream_fixture *fixture = *state;
    struct fc_topic *topic = stream_fixture_topic(fixture, "t", FC_COMPRESSION_NONE, 4096);
    struct committer committers[THREADS];
    pthread_t threads[THREADS];
    for (int index = 0; index < THREADS; index++) {
        committers[index].stream = fixture->stream;
        committers[index].topic = topic;
        assert_int_equal(pthread_create(&threads[index], NULL, commit_many, &committers[index]),
                         0);
    }
    for (int index = 0; index < THREADS; index++) {
        assert_int_equal(pthread_join(threads[index], NULL), 0);
        assert_true(committers[index].good);
    }
    assert_int_equal(stream_fixture_offsets(fixture, topic).durable, 50 * THREADS);
}

static void an_offset_or_partition_that_is_not_there_is_named(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_topic *topic = stream_fixture_topic(fixture, "t", FC_COMPRESSION_LZ4, 1 << 20);
    struct fc_stream_reader *reader = NULL;
    stream_fixture_append(fixture, topic, 0, 10);
    assert_int_equal(fc_stream_reader_open(topic, 0, 11, &reader, &fixture->err),
                     FC_ERR_NOT_FOUND);
    assert_non_null(strstr(fixture->err.message, "0 to 10"));
    assert_int_equal(fc_stream_reader_open(topic, 1, 0, &reader, &fixture->err),
                     FC_ERR_NOT_FOUND);
    assert_non_null(strstr(fixture->err.message, "no partition 1"));
}

static void a_reader_goes_to_any_offset_again_and_again(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_topic *topic = stream_fixture_topic(fixture, "t", FC_COMPRESSION_ZSTD, 4096);
    struct fc_stream_reader *reader = NULL;
    for (int64_t batch = 0; batch < 100; batch++) {
        stream_fixture_append(fixture, topic, batch * 10, 10);
    }
    assert_int_equal(fc_stream_reader_open(topic, 0, 0, &reader, &fixture->err), FC_OK);
    for (int64_t round = 0; round < 300; round++) {
        int64_t offset = round * 7919 % 1000;
        const struct fc_record *records = NULL;
        uint32_t count = 0;
        assert_int_equal(fc_stream_reader_seek(reader, offset, &fixture->err), FC_OK);
        assert_int_equal(fc_stream_reader_next(reader, 0, &records, &count, &fixture->err),
                         FC_OK);
        assert_int_equal(stream_fixture_check(records, count, offset), 10 - offset % 10);
    }
    fc_stream_reader_close(reader);
}

static void a_record_of_many_megabytes_stands_between_small_ones(void **state)
{
    enum { BIG = 9 * 1024 * 1024 };
    struct stream_fixture *fixture = *state;
    struct fc_topic *topic = stream_fixture_topic(fixture, "t", FC_COMPRESSION_NONE, 1 << 20);
    struct fc_stream_batch *batch = fc_stream_batch_new(topic, 0);
    struct fc_stream_reader *reader = NULL;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    int64_t base = -1;
    uint8_t *value = fc_new_array(uint8_t, BIG);
    struct fc_record big = { .value = fc_slice_of(value, BIG) };
    for (size_t at = 0; at < BIG; at++) {
        value[at] = (uint8_t)(at * 2654435761U >> 13);
    }
    stream_fixture_append(fixture, topic, 0, 5);
    assert_int_equal(fc_stream_batch_add(batch, &big, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_batch_seal(batch, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_append(batch, &base, &fixture->err), FC_OK);
    stream_fixture_append(fixture, topic, 6, 5);
    assert_int_equal(fc_stream_reader_open(topic, 0, 0, &reader, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_reader_next(reader, 0, &records, &count, &fixture->err), FC_OK);
    assert_int_equal(stream_fixture_check(records, count, 0), 5);
    assert_int_equal(fc_stream_reader_next(reader, 0, &records, &count, &fixture->err), FC_OK);
    assert_int_equal(count, 1);
    assert_true(fc_slice_equal(records[0].value, big.value));
    assert_int_equal(fc_stream_reader_next(reader, 0, &records, &count, &fixture->err), FC_OK);
    assert_int_equal(stream_fixture_check(records, count, 6), 5);
    fc_stream_reader_close(reader);
    fc_stream_batch_free(batch);
    free(value);
}

struct listing {
    uint32_t topics;
    uint32_t partitions;
    char retention[32];
};

static fc_code on_name(void *ctx, const char *name, uint32_t partitions, struct fc_error *err)
{
    struct listing *listing = ctx;
    (void)err;
    assert_string_equal(name, "copy");
    listing->topics++;
    listing->partitions = partitions;
    return FC_OK;
}

static void on_setting(void *ctx, const char *name, const char *value)
{
    struct listing *listing = ctx;
    if (strcmp(name, "retention.ms") == 0) {
        (void)snprintf(listing->retention, sizeof(listing->retention), "%s", value);
    }
}

static void a_topic_made_by_kafkas_settings_grows_beside_a_reader(void **state)
{
    static const char *const settings[] = { "retention.ms", "12345", "cleanup.policy",
                                            "compact" };
    struct stream_fixture *fixture = *state;
    struct fc_embedded_config config = { .dir = fixture->dir, .read_only = true };
    struct listing listing = { 0 };
    struct fc_stream *reader = NULL;
    struct fc_topic *topic = NULL;
    struct fc_topic *again = NULL;
    struct fc_offsets offsets = { 0 };
    assert_int_equal(
        fc_stream_create(fixture->stream, "copy", 2, settings, 2, &topic, &fixture->err),
        FC_OK);
    assert_int_equal(
        fc_stream_create(fixture->stream, "copy", 9, NULL, 0, &again, &fixture->err), FC_OK);
    assert_ptr_equal(again, topic);
    assert_int_equal(fc_topic_partitions(topic), 2);
    assert_int_equal(fc_embedded_open(&config, &reader, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_grow(topic, 5, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_grow(topic, 3, &fixture->err), FC_OK);
    assert_int_equal(fc_topic_partitions(topic), 5);
    assert_int_equal(fc_stream_offsets(topic, 4, &offsets, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_names(reader, on_name, &listing, &fixture->err), FC_OK);
    assert_int_equal(listing.topics, 1);
    assert_int_equal(listing.partitions, 5);
    assert_int_equal(fc_stream_settings(reader, "copy", on_setting, &listing, &fixture->err),
                     FC_OK);
    assert_string_equal(listing.retention, "12345");
    assert_int_equal(fc_stream_commit(topic, 0, "group", 1, &fixture->err), FC_ERR_REJECTED);
    fc_stream_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name)                                                                                \
    cmocka_unit_test_setup_teardown(name, stream_fixture_set_up, stream_fixture_tear_down)
        T(appended_records_are_read_back_in_order_with_each_codec),
        T(records_are_there_after_the_stream_was_closed_and_opened),
        T(flush_moves_the_durable_offset_to_the_end),
        T(flush_leaves_a_topic_alone_that_opted_out),
        T(one_flush_makes_many_partitions_durable),
        T(an_empty_batch_is_sealed_and_appended_without_effect),
        T(a_record_over_the_topic_limit_is_refused_and_the_rest_goes_on),
        T(a_waiting_reader_gets_what_is_appended),
        T(wake_ends_a_wait_even_when_it_comes_first),
        T(a_reader_without_news_returns_when_its_time_is_up),
        T(concurrent_flushes_each_cover_what_was_appended_before),
        T(an_offset_or_partition_that_is_not_there_is_named),
        T(a_reader_goes_to_any_offset_again_and_again),
        T(a_record_of_many_megabytes_stands_between_small_ones),
        T(a_topic_made_by_kafkas_settings_grows_beside_a_reader),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
