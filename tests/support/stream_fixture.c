/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/stream_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "tests/support/temp_dir.h"

enum { TEXT_SIZE = 32 };

static void must(struct stream_fixture *fixture, fc_code code, const char *what)
{
    if (code != FC_OK) {
        fail_msg("%s: %s", what, fixture->err.message);
    }
}

static void on_notice(void *ctx, const char *text)
{
    struct stream_fixture *fixture = ctx;
    size_t length = strlen(fixture->notices);
    (void)snprintf(fixture->notices + length, sizeof(fixture->notices) - length, "%s\n", text);
}

void stream_fixture_open(struct stream_fixture *fixture)
{
    struct fc_embedded_config config = { .dir = fixture->dir,
                                         .on_notice = on_notice,
                                         .notice_ctx = fixture };
    must(fixture, fc_embedded_open(&config, &fixture->stream, &fixture->err), "open");
}

struct fc_stream *stream_fixture_open_read_only(struct stream_fixture *fixture)
{
    struct fc_embedded_config config = { .dir = fixture->dir, .read_only = true };
    struct fc_stream *stream = NULL;
    must(fixture, fc_embedded_open(&config, &stream, &fixture->err), "open read only");
    return stream;
}

void stream_fixture_close(struct stream_fixture *fixture)
{
    fc_stream_close(fixture->stream);
    fixture->stream = NULL;
}

int stream_fixture_set_up(void **state)
{
    struct stream_fixture *fixture = fc_new(struct stream_fixture);
    fixture->dir = temp_dir_new();
    stream_fixture_open(fixture);
    *state = fixture;
    return 0;
}

int stream_fixture_tear_down(void **state)
{
    struct stream_fixture *fixture = *state;
    fc_stream_close(fixture->stream);
    temp_dir_free(fixture->dir);
    free(fixture);
    return 0;
}

struct fc_topic *stream_fixture_topic(struct stream_fixture *fixture, const char *name,
                                      fc_compression compression, uint64_t segment_bytes)
{
    struct fc_topic_config config;
    struct fc_topic *topic = NULL;
    fc_topic_config_init(&config);
    config.compression = compression;
    config.segment_bytes = segment_bytes;
    must(fixture, fc_stream_topic_ensure(fixture->stream, name, &config, &topic, &fixture->err),
         "topic");
    return topic;
}

static struct fc_slice text_of(int64_t number, char *room)
{
    return fc_slice_of(room, (size_t)snprintf(room, TEXT_SIZE, "%lld", (long long)number));
}

void stream_fixture_append(struct stream_fixture *fixture, struct fc_topic *topic, int64_t from,
                           int64_t count)
{
    struct fc_stream_batch *batch = fc_stream_batch_new(topic, 0);
    int64_t base = -1;
    for (int64_t number = from; number < from + count; number++) {
        char room[TEXT_SIZE];
        struct fc_slice text = text_of(number, room);
        struct fc_header header = { fc_slice_text("h"), text };
        struct fc_record record = { .timestamp_ms = 1000 + number,
                                    .key = text,
                                    .value = text,
                                    .headers = &header,
                                    .header_count = 1 };
        must(fixture, fc_stream_batch_add(batch, &record, &fixture->err), "add");
    }
    must(fixture, fc_stream_batch_seal(batch, &fixture->err), "seal");
    must(fixture, fc_stream_append(batch, &base, &fixture->err), "append");
    assert_int_equal(base, from);
    fc_stream_batch_free(batch);
}

void stream_fixture_flush(struct stream_fixture *fixture)
{
    must(fixture, fc_stream_flush(fixture->stream, &fixture->err), "flush");
}

uint32_t stream_fixture_check(const struct fc_record *records, uint32_t count, int64_t first)
{
    for (uint32_t index = 0; index < count; index++) {
        char room[TEXT_SIZE];
        struct fc_slice text = text_of(first + index, room);
        assert_int_equal(records[index].offset, first + index);
        assert_int_equal(records[index].timestamp_ms, 1000 + first + index);
        assert_true(fc_slice_equal(records[index].key, text));
        assert_true(fc_slice_equal(records[index].value, text));
        assert_int_equal(records[index].header_count, 1);
        assert_true(fc_slice_equal_text(records[index].headers[0].key, "h"));
        assert_true(fc_slice_equal(records[index].headers[0].value, text));
    }
    return count;
}

void stream_fixture_expect(struct stream_fixture *fixture, struct fc_topic *topic, int64_t from,
                           int64_t to)
{
    struct fc_stream_reader *reader = NULL;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    int64_t next = from;
    must(fixture, fc_stream_reader_open(topic, 0, from, &reader, &fixture->err), "reader");
    do {
        must(fixture, fc_stream_reader_next(reader, 0, &records, &count, &fixture->err),
             "read");
        next += stream_fixture_check(records, count, next);
        assert_int_equal(fc_stream_reader_offset(reader), next);
    } while (count > 0);
    assert_int_equal(next, to);
    fc_stream_reader_close(reader);
}

struct fc_offsets stream_fixture_offsets(struct stream_fixture *fixture, struct fc_topic *topic)
{
    struct fc_offsets offsets = { 0 };
    must(fixture, fc_stream_offsets(topic, 0, &offsets, &fixture->err), "offsets");
    return offsets;
}
