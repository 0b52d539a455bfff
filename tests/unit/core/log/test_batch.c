/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <lz4frame.h>
#include <zstd.h>

#include "core/base/alloc.h"
#include "core/log/batch.h"
#include "core/log/batch_builder.h"
#include "core/log/batch_decoder.h"
#include "core/log/bytes.h"

enum { LIMIT = 64 * 1024 * 1024 };

/* Worked out by hand from Kafka's description of format v2: offset 42, three records. */
static const uint8_t golden[] = {
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x2a, 0x00, 0x00, 0x00, 0x9f, 0x00, 0x00, 0x00,
    0x00, 0x02, 0xb6, 0xff, 0x7c, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x01,
    0x8b, 0xcf, 0xe5, 0x68, 0x00, 0x00, 0x00, 0x01, 0x8b, 0xcf, 0xe5, 0x6b, 0xe8, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00,
    0x03, 0x2c, 0x00, 0x00, 0x00, 0x04, 0x6b, 0x31, 0x0a, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x04,
    0x04, 0x69, 0x64, 0x04, 0x00, 0xff, 0x02, 0x6e, 0x01, 0x0c, 0x00, 0x05, 0x02, 0x01, 0x01,
    0x00, 0x9c, 0x01, 0x00, 0xd0, 0x0f, 0x04, 0x00, 0x8c, 0x01, 0x78, 0x78, 0x78, 0x78, 0x78,
    0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78,
    0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78,
    0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78,
    0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78,
    0x78, 0x78, 0x78, 0x78, 0x78, 0x00,
};

/* As an existing Kafka client writes it: its own choice of timestamps, a max timestamp of 0. */
static const uint8_t foreign[] = { 0, 0, 0,  0,   0,   0,  0,   0,  0,  0, 0,  70, 0, 0,
                                   0, 0, 2,  84,  121, 97, 253, 0,  0,  0, 0,  0,  0, 0,
                                   0, 1, 88, 141, 205, 89, 56,  0,  0,  0, 0,  0,  0, 0,
                                   0, 0, 0,  0,   0,   0,  0,   0,  0,  0, 0,  0,  0, 0,
                                   0, 0, 0,  0,   1,   40, 0,   10, 0,  8, 1,  2,  3, 4,
                                   6, 5, 6,  7,   2,   6,  8,   9,  10, 4, 11, 12 };

struct fixture {
    struct fc_batch_builder builder;
    struct fc_batch_decoder decoder;
    struct fc_buf bytes;
    const struct fc_record *records;
    uint32_t count;
    struct fc_error err;
};

static int set_up(void **state)
{
    struct fixture *fixture = fc_new(struct fixture);
    fc_batch_builder_init(&fixture->builder, FC_COMPRESSION_NONE, LIMIT);
    fc_batch_decoder_init(&fixture->decoder, LIMIT);
    fc_buf_init(&fixture->bytes, (size_t)2 * LIMIT);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fc_batch_builder_release(&fixture->builder);
    fc_batch_decoder_release(&fixture->decoder);
    fc_buf_release(&fixture->bytes);
    free(fixture);
    return 0;
}

static void add(struct fixture *fixture, const struct fc_record *record)
{
    assert_int_equal(fc_batch_builder_add(&fixture->builder, record, &fixture->err), FC_OK);
}

/* Seal, and put header and body together at base offset `base`. */
static void seal(struct fixture *fixture, int64_t base)
{
    assert_int_equal(fc_batch_builder_seal(&fixture->builder, &fixture->err), FC_OK);
    fc_bytes_put64(fixture->builder.header, (uint64_t)base);
    fc_buf_clear(&fixture->bytes);
    fc_buf_append(&fixture->bytes, fixture->builder.header, FC_BATCH_HEADER_SIZE);
    fc_buf_append_slice(&fixture->bytes, fixture->builder.body);
}

static fc_code decode(struct fixture *fixture)
{
    return fc_batch_decode(&fixture->decoder, fc_buf_slice(&fixture->bytes), &fixture->records,
                           &fixture->count, &fixture->err);
}

/* Make the checksum of changed bytes good again, so that the check behind it is met. */
static void reseal(struct fixture *fixture)
{
    uint8_t *bytes = fixture->bytes.data;
    fc_bytes_put32(bytes + 8, (uint32_t)(fixture->bytes.len - FC_BATCH_LENGTH_END));
    fc_bytes_put32(bytes + 17,
                   fc_batch_crc(bytes, fc_slice_of(bytes + FC_BATCH_HEADER_SIZE,
                                                   fixture->bytes.len - FC_BATCH_HEADER_SIZE)));
}

static void add_golden_records(struct fixture *fixture)
{
    static const uint8_t id[] = { 0x00, 0xff };
    uint8_t long_value[70];
    struct fc_header headers[] = { { fc_slice_text("id"), fc_slice_of(id, sizeof(id)) },
                                   { fc_slice_text("n"), fc_slice_null() } };
    struct fc_record first = { .timestamp_ms = 1700000000000,
                               .key = fc_slice_text("k1"),
                               .value = fc_slice_text("hello"),
                               .headers = headers,
                               .header_count = 2 };
    struct fc_record second = { .timestamp_ms = 1700000000000 - 3 };
    struct fc_record third = { .timestamp_ms = 1700000000000 + 1000,
                               .key = fc_slice_text(""),
                               .value = fc_slice_of(long_value, sizeof(long_value)) };
    memset(long_value, 'x', sizeof(long_value));
    add(fixture, &first);
    add(fixture, &second);
    add(fixture, &third);
}

static void a_batch_has_the_bytes_that_kafka_describes(void **state)
{
    struct fixture *fixture = *state;
    add_golden_records(fixture);
    seal(fixture, 42);
    assert_int_equal(fixture->bytes.len, sizeof(golden));
    assert_memory_equal(fixture->bytes.data, golden, sizeof(golden));
}

static void a_batch_is_read_back_with_nulls_headers_and_times(void **state)
{
    struct fixture *fixture = *state;
    fc_buf_append(&fixture->bytes, golden, sizeof(golden));
    assert_int_equal(decode(fixture), FC_OK);
    assert_int_equal(fixture->count, 3);
    assert_int_equal(fixture->records[0].offset, 42);
    assert_int_equal(fixture->records[0].timestamp_ms, 1700000000000);
    assert_true(fc_slice_equal_text(fixture->records[0].key, "k1"));
    assert_true(fc_slice_equal_text(fixture->records[0].value, "hello"));
    assert_int_equal(fixture->records[0].header_count, 2);
    assert_int_equal(fixture->records[0].headers[0].value.len, 2);
    assert_true(fc_slice_equal_text(fixture->records[0].headers[1].key, "n"));
    assert_true(fc_slice_is_null(fixture->records[0].headers[1].value));
    assert_int_equal(fixture->records[1].offset, 43);
    assert_int_equal(fixture->records[1].timestamp_ms, 1700000000000 - 3);
    assert_true(fc_slice_is_null(fixture->records[1].key));
    assert_true(fc_slice_is_null(fixture->records[1].value));
    assert_int_equal(fixture->records[2].timestamp_ms, 1700000001000);
    assert_false(fc_slice_is_null(fixture->records[2].key));
    assert_int_equal(fixture->records[2].key.len, 0);
    assert_int_equal(fixture->records[2].value.len, 70);
}

static void a_batch_of_another_client_is_read(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t key[] = { 1, 2, 3, 4 };
    fc_buf_append(&fixture->bytes, foreign, sizeof(foreign));
    assert_int_equal(decode(fixture), FC_OK);
    assert_int_equal(fixture->count, 1);
    assert_int_equal(fixture->records[0].timestamp_ms, 1479847795000 + 5);
    assert_true(fc_slice_equal(fixture->records[0].key, fc_slice_of(key, sizeof(key))));
    assert_int_equal(fixture->records[0].header_count, 1);
}

static void the_checksum_does_not_cover_what_the_log_patches(void **state)
{
    struct fixture *fixture = *state;
    fc_buf_append(&fixture->bytes, golden, sizeof(golden));
    fc_bytes_put64(fixture->bytes.data, 1234567890123);
    fc_bytes_put32(fixture->bytes.data + 12, 77);
    assert_int_equal(decode(fixture), FC_OK);
    assert_int_equal(fixture->records[2].offset, 1234567890125);
}

static void every_flipped_byte_under_the_checksum_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    for (size_t at = 16; at < sizeof(golden); at++) {
        fc_buf_clear(&fixture->bytes);
        fc_buf_append(&fixture->bytes, golden, sizeof(golden));
        fixture->bytes.data[at] ^= 0x01;
        assert_int_equal(decode(fixture), FC_ERR_CORRUPT);
    }
}

static void every_cut_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    for (size_t len = 0; len < sizeof(golden); len++) {
        fc_buf_clear(&fixture->bytes);
        fc_buf_append(&fixture->bytes, golden, len);
        assert_int_equal(decode(fixture), FC_ERR_CORRUPT);
    }
}

static void records_that_do_not_fit_their_batch_are_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {
        { 60, 4 },    /* count over the last offset delta */
        { 26, 1 },    /* last offset delta below the last record's */
        { 61, 0x2a }, /* the first record's length */
        { 64, 0x02 }, /* its offset delta, then the same as the second's */
        { 65, 0x03 }, /* its key's length: -2 */
        { 74, 0x80 }, /* its number of headers */
        { 75, 0x01 }, /* the first header's key: null */
    };
    struct fixture *fixture = *state;
    for (size_t index = 0; index < sizeof(changes) / sizeof(changes[0]); index++) {
        fc_buf_clear(&fixture->bytes);
        fc_buf_append(&fixture->bytes, golden, sizeof(golden));
        fixture->bytes.data[changes[index].at] = changes[index].value;
        reseal(fixture);
        assert_int_equal(decode(fixture), FC_ERR_CORRUPT);
    }
    fc_buf_clear(&fixture->bytes);
    fc_buf_append(&fixture->bytes, golden, sizeof(golden));
    fc_buf_append_u8(&fixture->bytes, 0);
    reseal(fixture);
    assert_int_equal(decode(fixture), FC_ERR_CORRUPT);
    assert_non_null(strstr(fixture->err.message, "1 bytes follow"));
}

static void a_codec_that_is_not_read_is_named(void **state)
{
    struct fixture *fixture = *state;
    fc_buf_append(&fixture->bytes, golden, sizeof(golden));
    fixture->bytes.data[22] = 5; /* Kafka has 0 to 4 */
    reseal(fixture);
    assert_int_equal(decode(fixture), FC_ERR_PROTOCOL);
    assert_non_null(strstr(fixture->err.message, "codec 5"));
}

static void each_codec_gives_back_what_went_in(void **state)
{
    static const fc_compression codecs[] = { FC_COMPRESSION_NONE, FC_COMPRESSION_GZIP,
                                             FC_COMPRESSION_SNAPPY, FC_COMPRESSION_LZ4,
                                             FC_COMPRESSION_ZSTD };
    struct fixture *fixture = *state;
    for (size_t codec = 0; codec < 5; codec++) {
        for (int round = 0; round < 3; round++) { /* contexts and buffers are used again */
            fc_batch_builder_reset(&fixture->builder, codecs[codec], LIMIT);
            for (int index = 0; index < 20000; index++) {
                char text[64];
                struct fc_record record = { .timestamp_ms = index * 10 };
                (void)snprintf(text, sizeof(text), "{\"id\":%d,\"status\":\"shipped\"}", index);
                record.value = fc_slice_text(text);
                add(fixture, &record);
            }
            seal(fixture, 7);
            assert_int_equal(fixture->bytes.data[22], codecs[codec]);
            assert_int_equal(decode(fixture), FC_OK);
            assert_int_equal(fixture->count, 20000);
            assert_int_equal(fixture->records[19999].offset, 20006);
            assert_true(fc_slice_equal_text(fixture->records[12345].value,
                                            "{\"id\":12345,\"status\":\"shipped\"}"));
        }
    }
}

static void records_that_do_not_compress_are_kept_plain(void **state)
{
    struct fixture *fixture = *state;
    struct fc_record record = { .value = fc_slice_text("abc") };
    fc_batch_builder_reset(&fixture->builder, FC_COMPRESSION_LZ4, LIMIT);
    add(fixture, &record);
    seal(fixture, 0);
    assert_int_equal(fixture->bytes.data[22], FC_COMPRESSION_NONE);
    assert_int_equal(decode(fixture), FC_OK);
    assert_true(fc_slice_equal_text(fixture->records[0].value, "abc"));
}

/* Put a body that another writer compressed behind the golden header. */
static void put_foreign_body(struct fixture *fixture, int codec, const void *body, size_t size)
{
    fc_buf_clear(&fixture->bytes);
    fc_buf_append(&fixture->bytes, golden, FC_BATCH_HEADER_SIZE);
    fc_buf_append(&fixture->bytes, body, size);
    fixture->bytes.data[22] = (uint8_t)codec;
    reseal(fixture);
}

static void lz4_frames_of_other_writers_are_read(void **state)
{
    static const uint8_t *body = golden + FC_BATCH_HEADER_SIZE;
    static const size_t size = sizeof(golden) - FC_BATCH_HEADER_SIZE;
    struct fixture *fixture = *state;
    for (int linked = 0; linked < 2; linked++) {
        for (int checks = 0; checks < 2; checks++) {
            LZ4F_preferences_t prefs = LZ4F_INIT_PREFERENCES;
            uint8_t frame[1024];
            size_t made;
            prefs.frameInfo.blockMode = linked ? LZ4F_blockLinked : LZ4F_blockIndependent;
            prefs.frameInfo.contentChecksumFlag =
                checks ? LZ4F_contentChecksumEnabled : LZ4F_noContentChecksum;
            prefs.frameInfo.contentSize = 0; /* not told, as Java's writer */
            made = LZ4F_compressFrame(frame, sizeof(frame), body, size, &prefs);
            assert_false(LZ4F_isError(made));
            put_foreign_body(fixture, FC_COMPRESSION_LZ4, frame, made);
            assert_int_equal(decode(fixture), FC_OK);
            assert_int_equal(fixture->count, 3);
            put_foreign_body(fixture, FC_COMPRESSION_LZ4, frame, made - 1);
            assert_int_equal(decode(fixture), FC_ERR_CORRUPT);
        }
    }
}

static void zstd_streams_without_a_size_are_read(void **state)
{
    struct fixture *fixture = *state;
    ZSTD_CCtx *context = ZSTD_createCCtx();
    uint8_t frame[1024];
    ZSTD_outBuffer out = { frame, sizeof(frame), 0 };
    ZSTD_inBuffer in = { golden + FC_BATCH_HEADER_SIZE, sizeof(golden) - FC_BATCH_HEADER_SIZE,
                         0 };
    assert_false(ZSTD_isError(ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush)));
    assert_int_equal(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0);
    (void)ZSTD_freeCCtx(context);
    assert_int_equal(ZSTD_getFrameContentSize(frame, out.pos), ZSTD_CONTENTSIZE_UNKNOWN);
    put_foreign_body(fixture, FC_COMPRESSION_ZSTD, frame, out.pos);
    assert_int_equal(decode(fixture), FC_OK);
    assert_int_equal(fixture->count, 3);
    put_foreign_body(fixture, FC_COMPRESSION_ZSTD, frame, out.pos - 3);
    assert_int_equal(decode(fixture), FC_ERR_CORRUPT);
}

static void a_decompression_bomb_meets_the_limit(void **state)
{
    static const fc_compression codecs[] = { FC_COMPRESSION_GZIP, FC_COMPRESSION_SNAPPY,
                                             FC_COMPRESSION_LZ4, FC_COMPRESSION_ZSTD };
    struct fixture *fixture = *state;
    struct fc_batch_decoder small;
    char *zeros = fc_new_array(char, 1 << 20);
    struct fc_record record = { .value = fc_slice_of(zeros, 1 << 20) };
    fc_batch_decoder_init(&small, 1 << 16);
    for (size_t codec = 0; codec < 4; codec++) {
        fc_batch_builder_reset(&fixture->builder, codecs[codec], LIMIT);
        add(fixture, &record);
        seal(fixture, 0);
        assert_int_equal(fc_batch_decode(&small, fc_buf_slice(&fixture->bytes),
                                         &fixture->records, &fixture->count, &fixture->err),
                         FC_ERR_LIMIT);
        assert_true(small.plain.capacity <= 1 << 16);
    }
    fc_batch_decoder_release(&small);
    free(zeros);
}

static void a_record_over_the_limit_leaves_the_batch_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    struct fc_header headers[FC_RECORD_HEADERS_MAX + 1];
    struct fc_record record = { .value = fc_slice_text("a") };
    char big[4000] = "";
    fc_batch_builder_reset(&fixture->builder, FC_COMPRESSION_NONE, sizeof(big));
    add(fixture, &record);
    record.value = fc_slice_of(big, sizeof(big));
    assert_int_equal(fc_batch_builder_add(&fixture->builder, &record, &fixture->err),
                     FC_ERR_LIMIT);
    for (size_t index = 0; index <= FC_RECORD_HEADERS_MAX; index++) {
        headers[index].key = fc_slice_text("");
        headers[index].value = fc_slice_null();
    }
    record.value = fc_slice_null();
    record.headers = headers;
    record.header_count = FC_RECORD_HEADERS_MAX + 1;
    assert_int_equal(fc_batch_builder_add(&fixture->builder, &record, &fixture->err),
                     FC_ERR_LIMIT);
    record.header_count = FC_RECORD_HEADERS_MAX;
    fixture->builder.record_bytes_max = 1000;
    add(fixture, &record);
    seal(fixture, 0);
    assert_int_equal(decode(fixture), FC_OK);
    assert_int_equal(fixture->count, 2);
    assert_int_equal(fixture->records[1].header_count, FC_RECORD_HEADERS_MAX);
}

static void many_headers_stay_with_their_records(void **state)
{
    struct fixture *fixture = *state;
    for (int index = 0; index < 1000; index++) {
        char text[16];
        struct fc_header headers[2];
        struct fc_record record = { .headers = headers, .header_count = (uint32_t)index % 3 };
        (void)snprintf(text, sizeof(text), "%d", index);
        headers[0].key = fc_slice_text("a");
        headers[0].value = fc_slice_text(text);
        headers[1] = headers[0];
        add(fixture, &record);
    }
    seal(fixture, 0);
    assert_int_equal(decode(fixture), FC_OK);
    for (int index = 0; index < 1000; index++) {
        char text[16];
        const struct fc_record *record = &fixture->records[index];
        (void)snprintf(text, sizeof(text), "%d", index);
        assert_int_equal(record->header_count, index % 3);
        for (uint32_t header = 0; header < record->header_count; header++) {
            assert_true(fc_slice_equal_text(record->headers[header].value, text));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(a_batch_has_the_bytes_that_kafka_describes),
        T(a_batch_is_read_back_with_nulls_headers_and_times),
        T(a_batch_of_another_client_is_read),
        T(the_checksum_does_not_cover_what_the_log_patches),
        T(every_flipped_byte_under_the_checksum_is_noticed),
        T(every_cut_is_noticed),
        T(records_that_do_not_fit_their_batch_are_refused),
        T(a_codec_that_is_not_read_is_named),
        T(each_codec_gives_back_what_went_in),
        T(records_that_do_not_compress_are_kept_plain),
        T(lz4_frames_of_other_writers_are_read),
        T(zstd_streams_without_a_size_are_read),
        T(a_decompression_bomb_meets_the_limit),
        T(a_record_over_the_limit_leaves_the_batch_as_it_was),
        T(many_headers_stay_with_their_records),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
