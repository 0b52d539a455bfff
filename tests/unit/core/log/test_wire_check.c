/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/wire_check.h"
#include "tests/support/wire_batch.h"

enum { NOW_MS = 1000000, MIB = 1024 * 1024 };

struct world {
    struct fc_append_rules rules;
    struct fc_append_result result;
    struct fc_batch_decoder *decoder;
    struct fc_error err;
};

static int set_up(void **state)
{
    struct world *world = fc_new(struct world);
    struct fc_log_topic_config topic;
    fc_log_topic_config_init(&topic);
    fc_append_rules_of(&topic, &world->rules);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    fc_append_free_decoder(world->decoder);
    free(world);
    return 0;
}

static fc_kafka_error check(struct world *world, struct fc_buf *bytes)
{
    struct fc_wire_check wire = { .now_ms = NOW_MS, .decoder = world->decoder };
    fc_code code;
    world->result.error = FC_KAFKA_NONE;
    world->result.bad_record = -1;
    fc_wire_check_init(&wire, bytes->data, bytes->len);
    code = fc_wire_check_run(&wire, &world->rules, &world->result, &world->err);
    assert_true((code == FC_OK) == (world->result.error == FC_KAFKA_NONE));
    fc_wire_check_release(&wire);
    world->decoder = wire.decoder;
    return world->result.error;
}

/* One record of a key and so many bytes that compress to next to nothing. */
static fc_kafka_error check_packed(struct world *world, fc_compression compression, size_t size)
{
    struct wire_batch small = { .count = 1, .timestamp_ms = NOW_MS, .producer_id = -1 };
    struct fc_codec *codec = fc_codec_new();
    struct fc_batch_header header;
    struct fc_buf plain;
    struct fc_buf head;
    struct fc_buf bytes;
    fc_kafka_error error;
    fc_buf_init(&plain, SIZE_MAX / 2);
    fc_buf_init(&head, 100);
    fc_buf_append(&head, "\0\0\0\2k", 5); /* attributes, two deltas, the key */
    fc_buf_append_varint(&head, (int64_t)size);
    fc_buf_append_varint(&plain, (int64_t)(head.len + size + 1));
    fc_buf_append_slice(&plain, fc_buf_slice(&head));
    memset(fc_buf_reserve(&plain, size), 'v', size);
    plain.len += size;
    fc_buf_append_u8(&plain, 0);
    wire_batch_make(&small, &bytes);
    fc_batch_header_decode(bytes.data, &header);
    bytes.len = FC_BATCH_HEADER_SIZE;
    assert_int_equal(
        fc_codec_compress(codec, compression, fc_buf_slice(&plain), &bytes, &world->err),
        FC_OK);
    header.attributes = (uint16_t)compression;
    header.length = (uint32_t)(bytes.len - FC_BATCH_LENGTH_END);
    wire_batch_seal(&header, &bytes);
    error = check(world, &bytes);
    fc_buf_release(&plain);
    fc_buf_release(&head);
    fc_buf_release(&bytes);
    fc_codec_free(codec);
    return error;
}

static void what_decompresses_to_too_much_is_refused(void **state)
{
    struct world *world = *state;
    static const fc_compression codecs[] = { FC_COMPRESSION_GZIP, FC_COMPRESSION_LZ4,
                                             FC_COMPRESSION_ZSTD };
    world->rules.compacted = true;
    for (size_t index = 0; index < 3; index++) {
        assert_int_equal(check_packed(world, codecs[index], 40 * MIB), FC_KAFKA_NONE);
        assert_int_equal(check_packed(world, codecs[index], 65 * MIB),
                         FC_KAFKA_MESSAGE_TOO_LARGE);
        assert_non_null(strstr(world->err.message, "decompresses to more than the 67108864"));
    }
}

static void it_is_refused_too_where_the_topic_demands_another_codec(void **state)
{
    struct world *world = *state;
    world->rules.compression = FC_COMPRESSION_LZ4;
    assert_int_equal(check_packed(world, FC_COMPRESSION_ZSTD, 65 * MIB),
                     FC_KAFKA_MESSAGE_TOO_LARGE);
    assert_non_null(strstr(world->err.message, "decompresses to more than the 67108864"));
    world->rules.compression = FC_COMPRESSION_NONE;
    assert_int_equal(check_packed(world, FC_COMPRESSION_ZSTD, 40 * MIB), FC_KAFKA_NONE);
}

static void larger_batches_may_be_larger_when_plain_up_to_a_bound(void **state)
{
    struct world *world = *state;
    world->rules.compacted = true;
    world->rules.message_bytes_max = (int64_t)5 * MIB;
    assert_int_equal(check_packed(world, FC_COMPRESSION_ZSTD, 79 * MIB), FC_KAFKA_NONE);
    assert_int_equal(check_packed(world, FC_COMPRESSION_ZSTD, 81 * MIB),
                     FC_KAFKA_MESSAGE_TOO_LARGE);
    world->rules.message_bytes_max = (int64_t)900 * MIB;
    assert_int_equal(check_packed(world, FC_COMPRESSION_ZSTD, 257 * MIB),
                     FC_KAFKA_MESSAGE_TOO_LARGE);
}

static void little_memory_is_kept_for_the_next_batch(void **state)
{
    struct world *world = *state;
    world->rules.compacted = true;
    assert_int_equal(check_packed(world, FC_COMPRESSION_ZSTD, 20 * MIB), FC_KAFKA_NONE);
    assert_null(world->decoder);
    assert_int_equal(check_packed(world, FC_COMPRESSION_ZSTD, 65 * MIB),
                     FC_KAFKA_MESSAGE_TOO_LARGE);
    assert_null(world->decoder);
    assert_int_equal(check_packed(world, FC_COMPRESSION_ZSTD, 100000), FC_KAFKA_NONE);
    assert_non_null(world->decoder);
}

/* Another count, or a bit of the records, with a good checksum. */
static void change(struct fc_buf *bytes, int32_t count, size_t at, uint8_t bit)
{
    struct fc_batch_header header;
    fc_batch_header_decode(bytes->data, &header);
    header.count = count;
    header.last_offset_delta = count - 1;
    bytes->data[FC_BATCH_HEADER_SIZE + at] ^= bit;
    wire_batch_seal(&header, bytes);
}

static void records_that_could_not_be_read_again_are_refused(void **state)
{
    struct world *world = *state;
    static const struct {
        int32_t count;
        size_t at;
        uint8_t bit;
        const char *why;
    } cases[] = {
        { 2, 0, 0, NULL },
        { 1, 0, 0, "bytes follow the last record" },
        { 3, 0, 0, "a record is malformed" },
        { 1000000, 0, 0, "a record is malformed" },
        { 2, 0, 4, "a record is malformed" },       /* its length */
        { 2, 3, 2, "a record has a wrong offset" }, /* of the first */
        { 2, 4, 4, "a record is malformed" },       /* the key's length */
        { 2, 6, 4, NULL },                          /* the key */
    };
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        struct wire_batch batch = { .count = 2, .timestamp_ms = NOW_MS, .producer_id = -1 };
        struct fc_buf bytes;
        batch.value_size = 10;
        wire_batch_make(&batch, &bytes);
        change(&bytes, cases[index].count, cases[index].at, cases[index].bit);
        assert_int_equal(check(world, &bytes),
                         cases[index].why == NULL ? FC_KAFKA_NONE : FC_KAFKA_INVALID_RECORD);
        if (cases[index].why != NULL) {
            assert_string_equal(world->err.message, cases[index].why);
            assert_true(world->result.bad_record >= 0);
        }
        fc_buf_release(&bytes);
    }
}

static void packed_records_are_looked_at_where_they_are_unpacked_anyway(void **state)
{
    struct world *world = *state;
    for (int round = 0; round < 4; round++) {
        struct wire_batch batch = { .count = 1, .timestamp_ms = NOW_MS, .producer_id = -1 };
        struct fc_buf bytes;
        batch.compression = FC_COMPRESSION_LZ4;
        batch.value_size = 1000;
        wire_batch_make(&batch, &bytes);
        change(&bytes, 3, 0, 0);
        world->rules.compacted = round == 1;
        world->rules.timestamp_before_max_ms = round == 2 ? 1000 : INT64_MAX;
        world->rules.compression =
            round == 3 ? FC_COMPRESSION_ZSTD : FC_TOPIC_COMPRESSION_PRODUCER;
        assert_int_equal(check(world, &bytes),
                         round == 0 ? FC_KAFKA_NONE : FC_KAFKA_INVALID_RECORD);
        assert_int_equal(world->result.bad_record, round == 0 ? -1 : 1);
        fc_buf_release(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_decompresses_to_too_much_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_is_refused_too_where_the_topic_demands_another_codec,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(larger_batches_may_be_larger_when_plain_up_to_a_bound,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(little_memory_is_kept_for_the_next_batch, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(records_that_could_not_be_read_again_are_refused,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            packed_records_are_looked_at_where_they_are_unpacked_anyway, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
