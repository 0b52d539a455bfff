/* SPDX-License-Identifier: Apache-2.0 */
/* What malformed input and messages that cannot be said get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/wire/messages.h"
#include "core/wire/wire.h"

enum { MEMORY_MAX = 64 << 20 };

struct fixture {
    struct fc_arena arena;
    struct fc_buf bytes;
    struct fc_error err;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fc_arena_init(&fixture->arena, MEMORY_MAX);
    fc_buf_init(&fixture->bytes, MEMORY_MAX);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    fc_buf_release(&fixture->bytes);
    fc_arena_release(&fixture->arena);
    free(fixture);
    return 0;
}

static void append_uvarint(struct fc_buf *to, uint32_t value)
{
    for (; value >= 0x80; value >>= 7) {
        fc_buf_append_u8(to, (uint8_t)(value | 0x80));
    }
    fc_buf_append_u8(to, (uint8_t)value);
}

static void append_zeros(struct fc_buf *to, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        fc_buf_append_u8(to, 0);
    }
}

static fc_code decode(struct fixture *fixture, const struct fc_wire_type *type, int16_t version,
                      void *out)
{
    fc_arena_clear(&fixture->arena);
    return fc_wire_decode(type, version, fc_buf_slice(&fixture->bytes), &fixture->arena, out,
                          &fixture->err);
}

static void huge_counts_are_refused_before_memory_is_taken(void **state)
{
    static const uint32_t counts[] = {
        2, 1000000, 1000001, 0x7fffffff, 0x80000000, 0xfffffffe
    };
    struct fixture *fixture = *state;
    struct fc_msg_metadata_request msg;
    for (size_t index = 0; index < sizeof(counts) / sizeof(counts[0]); index++) {
        fc_buf_clear(&fixture->bytes);
        fc_buf_append_be32(&fixture->bytes, counts[index]);
        append_zeros(&fixture->bytes, 1);
        assert_int_not_equal(decode(fixture, &fc_msg_metadata_request_type, 1, &msg), FC_OK);
        assert_int_equal(fixture->arena.used, 0);
        fc_buf_clear(&fixture->bytes);
        append_uvarint(&fixture->bytes, counts[index] + 1);
        append_zeros(&fixture->bytes, 1);
        assert_int_not_equal(decode(fixture, &fc_msg_metadata_request_type, 12, &msg), FC_OK);
        assert_int_equal(fixture->arena.used, 0);
    }
    /* A struct of three fields is not announced a byte at a time. */
    fc_buf_clear(&fixture->bytes);
    append_uvarint(&fixture->bytes, 101);
    append_zeros(&fixture->bytes, 100 * 18 - 1);
    assert_int_equal(decode(fixture, &fc_msg_metadata_request_type, 12, &msg), FC_ERR_PROTOCOL);
    assert_int_equal(fixture->arena.used, 0);
    assert_string_equal(fixture->err.message,
                        "metadata_request version 12: metadata_request.topics: "
                        "100 elements in 1799 bytes");
}

static void an_array_has_at_most_a_million_elements(void **state)
{
    struct fixture *fixture = *state;
    struct fc_msg_list_config_resources_request msg;
    append_uvarint(&fixture->bytes, FC_WIRE_ARRAY_MAX + 1);
    append_zeros(&fixture->bytes, FC_WIRE_ARRAY_MAX + 1);
    assert_int_equal(decode(fixture, &fc_msg_list_config_resources_request_type, 1, &msg),
                     FC_OK);
    assert_int_equal(msg.resource_types_count, FC_WIRE_ARRAY_MAX);
    fc_buf_clear(&fixture->bytes);
    append_uvarint(&fixture->bytes, FC_WIRE_ARRAY_MAX + 2);
    append_zeros(&fixture->bytes, FC_WIRE_ARRAY_MAX + 2);
    assert_int_equal(decode(fixture, &fc_msg_list_config_resources_request_type, 1, &msg),
                     FC_ERR_LIMIT);
}

static void a_full_arena_is_a_limit(void **state)
{
    struct fixture *fixture = *state;
    struct fc_msg_list_config_resources_request msg;
    struct fc_arena small;
    fc_arena_init(&small, 64);
    append_uvarint(&fixture->bytes, 101);
    append_zeros(&fixture->bytes, 101);
    assert_int_equal(fc_wire_decode(&fc_msg_list_config_resources_request_type, 1,
                                    fc_buf_slice(&fixture->bytes), &small, &msg, &fixture->err),
                     FC_ERR_LIMIT);
    assert_null(fc_wire_array(&small, &fc_wire_uuid_type, 5));
    fc_arena_release(&small);
}

static void unknown_tags_are_skipped(void **state)
{
    struct fixture *fixture = *state;
    struct fc_msg_heartbeat_response msg;
    append_zeros(&fixture->bytes, 4);
    fc_buf_append_be16(&fixture->bytes, 27);
    append_uvarint(&fixture->bytes, 3);
    append_uvarint(&fixture->bytes, 0);
    append_uvarint(&fixture->bytes, 0);
    append_uvarint(&fixture->bytes, 200);
    append_uvarint(&fixture->bytes, 300);
    append_zeros(&fixture->bytes, 300);
    append_uvarint(&fixture->bytes, UINT32_MAX);
    append_uvarint(&fixture->bytes, 1);
    append_zeros(&fixture->bytes, 1);
    assert_int_equal(decode(fixture, &fc_msg_heartbeat_response_type, 4, &msg), FC_OK);
    assert_int_equal(msg.error_code, 27);
}

static void there_are_at_most_ten_thousand_tags(void **state)
{
    struct fixture *fixture = *state;
    struct fc_msg_heartbeat_response msg;
    append_zeros(&fixture->bytes, 6);
    append_uvarint(&fixture->bytes, FC_WIRE_TAGS_MAX);
    append_zeros(&fixture->bytes, 2 * FC_WIRE_TAGS_MAX);
    assert_int_equal(decode(fixture, &fc_msg_heartbeat_response_type, 4, &msg), FC_OK);
    fc_buf_clear(&fixture->bytes);
    append_zeros(&fixture->bytes, 6);
    append_uvarint(&fixture->bytes, FC_WIRE_TAGS_MAX + 1);
    append_zeros(&fixture->bytes, 2 * FC_WIRE_TAGS_MAX + 2);
    assert_int_equal(decode(fixture, &fc_msg_heartbeat_response_type, 4, &msg), FC_ERR_LIMIT);
}

/* An ApiVersions response of version 3 with one tag 1, finalized_features_epoch, of `size` bytes,
 * `there` of which are there. */
static fc_code decode_epoch(struct fixture *fixture, uint32_t size, size_t there)
{
    struct fc_msg_api_versions_response msg;
    fc_buf_clear(&fixture->bytes);
    append_zeros(&fixture->bytes, 2);
    append_uvarint(&fixture->bytes, 1);
    append_zeros(&fixture->bytes, 4);
    append_uvarint(&fixture->bytes, 1);
    append_uvarint(&fixture->bytes, 1);
    append_uvarint(&fixture->bytes, size);
    append_zeros(&fixture->bytes, there);
    return decode(fixture, &fc_msg_api_versions_response_type, 3, &msg);
}

static void a_known_tag_has_exactly_its_field(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(decode_epoch(fixture, 8, 8), FC_OK);
    assert_int_equal(decode_epoch(fixture, 7, 8), FC_ERR_PROTOCOL);
    assert_int_equal(decode_epoch(fixture, 9, 9), FC_ERR_PROTOCOL);
    assert_int_equal(decode_epoch(fixture, 8, 7), FC_ERR_PROTOCOL);
    assert_int_equal(decode_epoch(fixture, UINT32_MAX, 8), FC_ERR_PROTOCOL);
}

static fc_code decode_bytes(struct fixture *fixture, int16_t version, const char *bytes,
                            size_t len)
{
    struct fc_msg_sasl_handshake_request fixed;
    struct fc_msg_find_coordinator_request flexible;
    fc_buf_clear(&fixture->bytes);
    fc_buf_append(&fixture->bytes, bytes, len);
    return version == 0
               ? decode(fixture, &fc_msg_sasl_handshake_request_type, 0, &fixed)
               : decode(fixture, &fc_msg_find_coordinator_request_type, version, &flexible);
}

static void lengths_that_cannot_be_are_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(decode_bytes(fixture, 0, "\0\1a", 3), FC_OK);
    assert_int_equal(decode_bytes(fixture, 0, "\0\0", 2), FC_OK);
    assert_int_equal(decode_bytes(fixture, 0, "\377\377", 2), FC_ERR_PROTOCOL); /* null */
    assert_int_equal(decode_bytes(fixture, 0, "\377\376", 2), FC_ERR_PROTOCOL);
    assert_int_equal(decode_bytes(fixture, 0, "\200\0", 2), FC_ERR_PROTOCOL);
    assert_int_equal(decode_bytes(fixture, 0, "\0\1ab", 4), FC_ERR_PROTOCOL); /* left over */
    assert_int_equal(decode_bytes(fixture, 3, "\2a\0\0", 4), FC_OK);
    assert_int_equal(decode_bytes(fixture, 3, "\0\0\0", 3), FC_ERR_PROTOCOL); /* null */
    /* A varint of six bytes, one of more than 32 bits, and the largest. */
    assert_int_equal(decode_bytes(fixture, 3, "\202\200\200\200\200\0a\0\0", 9),
                     FC_ERR_PROTOCOL);
    assert_int_equal(decode_bytes(fixture, 3, "\202\200\200\200\20a\0\0", 8), FC_ERR_PROTOCOL);
    assert_int_equal(decode_bytes(fixture, 3, "\377\377\377\377\17a\0\0", 8), FC_ERR_PROTOCOL);
}

static void a_string_has_at_most_32767_bytes(void **state)
{
    struct fixture *fixture = *state;
    struct fc_msg_find_coordinator_request msg;
    uint8_t *letters = calloc(1, 32768);
    for (uint32_t len = 32767; len <= 32768; len++) {
        fc_buf_clear(&fixture->bytes);
        append_uvarint(&fixture->bytes, len + 1);
        append_zeros(&fixture->bytes, len + 2);
        assert_int_equal(decode(fixture, &fc_msg_find_coordinator_request_type, 3, &msg),
                         len == 32767 ? FC_OK : FC_ERR_PROTOCOL);
        fc_wire_init(&fc_msg_find_coordinator_request_type, &msg);
        msg.key = fc_slice_of(letters, len);
        fc_buf_clear(&fixture->bytes);
        for (int16_t version = 0; version <= 3; version++) {
            assert_int_equal(fc_wire_encode(&fc_msg_find_coordinator_request_type, version,
                                            &msg, &fixture->bytes, &fixture->err),
                             len == 32767 ? FC_OK : FC_ERR_LIMIT);
        }
    }
    assert_string_equal(fixture->err.message,
                        "find_coordinator_request version 3: "
                        "find_coordinator_request.key has more than 32767 bytes");
    free(letters);
}

static void what_cannot_be_said_is_an_error_and_appends_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct fc_msg_metadata_request_topic topic;
    struct fc_msg_metadata_request msg;
    struct fc_buf small;
    fc_wire_init(&fc_msg_metadata_request_type, &msg);
    msg.topics_count = -1;
    assert_int_equal(
        fc_wire_encode(&fc_msg_metadata_request_type, 0, &msg, &fixture->bytes, &fixture->err),
        FC_ERR_PROTOCOL);
    fc_wire_init(&fc_msg_metadata_request_topic_type, &topic);
    topic.name = fc_slice_null();
    msg.topics = &topic;
    msg.topics_count = 1;
    assert_int_equal(
        fc_wire_encode(&fc_msg_metadata_request_type, 9, &msg, &fixture->bytes, &fixture->err),
        FC_ERR_PROTOCOL);
    assert_string_equal(fixture->err.message,
                        "metadata_request version 9: metadata_request_topic.name is null, "
                        "which the version cannot say");
    assert_int_equal(fixture->bytes.len, 0);
    assert_int_equal(fc_wire_size(&fc_msg_metadata_request_type, 9, &msg), 0);
    fc_buf_init(&small, 5);
    assert_int_equal(
        fc_wire_encode(&fc_msg_metadata_request_type, 12, &msg, &small, &fixture->err),
        FC_ERR_LIMIT);
    assert_int_equal(small.len, 0);
    fc_buf_release(&small);
}

static void what_follows_a_message_can_be_left_in_the_reader(void **state)
{
    struct fixture *fixture = *state;
    struct fc_msg_sasl_handshake_request msg;
    struct fc_reader reader;
    fc_reader_init(&reader, fc_slice_of("\0\1aXYZ", 6));
    assert_int_equal(fc_wire_decode_from(&fc_msg_sasl_handshake_request_type, 1, &reader,
                                         &fixture->arena, &msg, &fixture->err),
                     FC_OK);
    assert_true(fc_slice_equal_text(msg.mechanism, "a"));
    assert_int_equal(fc_reader_left(&reader), 3);
}

/* Three partitions: with records, without, and with. */
static void make_fetch_response(struct fixture *fixture, struct fc_msg_fetch_response *msg)
{
    static const char *const records[] = { "first", "", "third one" };
    struct fc_msg_fetch_response_topic *topic;
    fc_wire_init(&fc_msg_fetch_response_type, msg);
    topic = fc_wire_array(&fixture->arena, &fc_msg_fetch_response_topic_type, 1);
    assert_non_null(topic);
    topic->partitions =
        fc_wire_array(&fixture->arena, &fc_msg_fetch_response_partition_type, 3);
    assert_non_null(topic->partitions);
    topic->partitions_count = 3;
    for (int index = 0; index < 3; index++) {
        topic->partitions[index].records = fc_slice_text(records[index]);
    }
    msg->responses = topic;
    msg->responses_count = 1;
}

static void records_can_be_left_out_to_be_sent_from_where_they_are(void **state)
{
    struct fixture *fixture = *state;
    for (int16_t version = 4; version <= 18; version++) {
        struct fc_wire_splices splices = { .arena = &fixture->arena };
        struct fc_msg_fetch_response msg;
        struct fc_buf whole;
        struct fc_buf joined;
        size_t from = 0;
        fc_arena_clear(&fixture->arena);
        make_fetch_response(fixture, &msg);
        fc_buf_init(&whole, MEMORY_MAX);
        fc_buf_init(&joined, MEMORY_MAX);
        fc_buf_clear(&fixture->bytes);
        fc_buf_append_text(&fixture->bytes, "head");
        fc_buf_append_text(&whole, "head");
        assert_int_equal(
            fc_wire_encode(&fc_msg_fetch_response_type, version, &msg, &whole, &fixture->err),
            FC_OK);
        assert_int_equal(fc_wire_encode_spliced(&fc_msg_fetch_response_type, version, &msg,
                                                &fixture->bytes, &splices, &fixture->err),
                         FC_OK);
        assert_int_equal(splices.count, 2);
        assert_int_equal(splices.bytes, 14);
        for (int32_t index = 0; index < splices.count; index++) {
            const struct fc_wire_splice *splice = &splices.items[index];
            const struct fc_msg_fetch_response_partition *partition = splice->records_of;
            assert_ptr_equal(partition, &msg.responses->partitions[index * 2]);
            assert_int_equal(splice->len, partition->records.len);
            fc_buf_append(&joined, fixture->bytes.data + from, splice->at - from);
            fc_buf_append_slice(&joined, partition->records);
            from = splice->at;
        }
        fc_buf_append(&joined, fixture->bytes.data + from, fixture->bytes.len - from);
        assert_int_equal(joined.len, whole.len);
        assert_memory_equal(joined.data, whole.data, whole.len);
        fc_buf_release(&joined);
        fc_buf_release(&whole);
    }
}

static void records_that_are_left_out_need_no_data(void **state)
{
    struct fixture *fixture = *state;
    struct fc_wire_splices splices = { .arena = &fixture->arena };
    struct fc_msg_fetch_response msg;
    make_fetch_response(fixture, &msg);
    msg.responses->partitions[0].records = fc_slice_of(NULL, 1 << 20);
    msg.responses->partitions[2].records = fc_slice_null();
    assert_int_equal(fc_wire_encode_spliced(&fc_msg_fetch_response_type, 12, &msg,
                                            &fixture->bytes, &splices, &fixture->err),
                     FC_OK);
    assert_int_equal(splices.count, 1);
    assert_int_equal(splices.bytes, 1 << 20);
    assert_true(fixture->bytes.len < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(huge_counts_are_refused_before_memory_is_taken, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_array_has_at_most_a_million_elements, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_full_arena_is_a_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_tags_are_skipped, setup, teardown),
        cmocka_unit_test_setup_teardown(there_are_at_most_ten_thousand_tags, setup, teardown),
        cmocka_unit_test_setup_teardown(a_known_tag_has_exactly_its_field, setup, teardown),
        cmocka_unit_test_setup_teardown(lengths_that_cannot_be_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_string_has_at_most_32767_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_said_is_an_error_and_appends_nothing,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_follows_a_message_can_be_left_in_the_reader, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(records_can_be_left_out_to_be_sent_from_where_they_are,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(records_that_are_left_out_need_no_data, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
