/* SPDX-License-Identifier: Apache-2.0 */
/* Messages whose bytes were written down from the protocol's rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/wire/messages.h"
#include "tests/support/wire_sample.h"

enum { MEMORY_MAX = 1 << 20 };

/* Hex digits with spaces between them. */
static void append_hex(struct fc_buf *to, const char *hex)
{
    while (*hex != '\0') {
        char digits[3] = { hex[0], hex[1], '\0' };
        if (*hex == ' ') {
            hex++;
            continue;
        }
        fc_buf_append_u8(to, (uint8_t)strtoul(digits, NULL, 16));
        hex += 2;
    }
}

/* The message encodes to the bytes, and they decode to it. */
static void expect(const struct fc_wire_type *type, int16_t version, const void *msg,
                   const char *hex)
{
    struct fc_buf expected;
    struct fc_buf got;
    struct fc_arena arena;
    struct fc_error err;
    void *again = malloc(type->size);
    assert_non_null(again);
    fc_buf_init(&expected, MEMORY_MAX);
    fc_buf_init(&got, MEMORY_MAX);
    fc_arena_init(&arena, MEMORY_MAX);
    append_hex(&expected, hex);
    if (fc_wire_encode(type, version, msg, &got, &err) != FC_OK) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(got.len, expected.len);
    assert_memory_equal(got.data, expected.data, expected.len);
    if (fc_wire_decode(type, version, fc_buf_slice(&expected), &arena, again, &err) != FC_OK) {
        fail_msg("%s", err.message);
    }
    assert_true(fc_wire_sample_equal(type, msg, again));
    free(again);
    fc_arena_release(&arena);
    fc_buf_release(&got);
    fc_buf_release(&expected);
}

static void metadata_requests(void **state)
{
    struct fc_msg_metadata_request_topic topic;
    struct fc_msg_metadata_request msg;
    (void)state;
    fc_wire_init(&fc_msg_metadata_request_type, &msg);
    fc_wire_init(&fc_msg_metadata_request_topic_type, &topic);
    topic.name = fc_slice_text("ab");
    msg.topics = &topic;
    msg.topics_count = 1;
    expect(&fc_msg_metadata_request_type, 0, &msg, "00000001 0002 6162");
    expect(&fc_msg_metadata_request_type, 4, &msg, "00000001 0002 6162 01");
    msg.include_topic_authorized_operations = true;
    expect(&fc_msg_metadata_request_type, 9, &msg, "02 03 6162 00 01 00 01 00");
    topic.name = fc_slice_null();
    topic.topic_id.bytes[15] = 7;
    expect(&fc_msg_metadata_request_type, 12, &msg,
           "02 00000000000000000000000000000007 00 00 01 01 00");
    msg.topics_count = -1;
    msg.include_topic_authorized_operations = false;
    expect(&fc_msg_metadata_request_type, 1, &msg, "ffffffff");
    expect(&fc_msg_metadata_request_type, 13, &msg, "00 01 00 00");
}

static void metadata_response(void **state)
{
    int32_t nodes[] = { 1, 2 };
    struct fc_msg_metadata_response_broker broker;
    struct fc_msg_metadata_response_topic topic;
    struct fc_msg_metadata_response_partition partition;
    struct fc_msg_metadata_response msg;
    (void)state;
    fc_wire_init(&fc_msg_metadata_response_type, &msg);
    fc_wire_init(&fc_msg_metadata_response_broker_type, &broker);
    fc_wire_init(&fc_msg_metadata_response_topic_type, &topic);
    fc_wire_init(&fc_msg_metadata_response_partition_type, &partition);
    broker.node_id = 1;
    broker.host = fc_slice_text("h");
    broker.port = 9092;
    partition.partition_index = 3;
    partition.leader_id = 1;
    partition.replica_nodes = nodes;
    partition.replica_nodes_count = 2;
    partition.isr_nodes = nodes;
    partition.isr_nodes_count = 1;
    topic.error_code = 5;
    topic.name = fc_slice_text("t");
    topic.partitions = &partition;
    topic.partitions_count = 1;
    msg.brokers = &broker;
    msg.brokers_count = 1;
    msg.cluster_id = fc_slice_text("c");
    msg.controller_id = 1;
    msg.topics = &topic;
    msg.topics_count = 1;
    expect(&fc_msg_metadata_response_type, 8, &msg,
           "00000000 00000001 00000001 0001 68 00002384 ffff 0001 63 00000001"
           "00000001 0005 0001 74 00 00000001 0000 00000003 00000001 ffffffff"
           "00000002 00000001 00000002 00000001 00000001 00000000 80000000 80000000");
    expect(&fc_msg_metadata_response_type, 9, &msg,
           "00000000 02 00000001 02 68 00002384 00 00 02 63 00000001"
           "02 0005 02 74 00 02 0000 00000003 00000001 ffffffff"
           "03 00000001 00000002 02 00000001 01 00 80000000 00 80000000 00");
}

static void api_versions_responses(void **state)
{
    struct fc_msg_api_versions_response_api_key key = { .api_key = 18, .max_version = 4 };
    struct fc_msg_api_versions_response_finalized_feature feature = {
        .name = fc_slice_text("mv"), .max_version_level = 29, .min_version_level = 1
    };
    struct fc_msg_api_versions_response msg;
    (void)state;
    fc_wire_init(&fc_msg_api_versions_response_type, &msg);
    msg.error_code = 35;
    msg.api_keys = &key;
    msg.api_keys_count = 1;
    expect(&fc_msg_api_versions_response_type, 0, &msg, "0023 00000001 0012 0000 0004");
    msg.error_code = 0;
    msg.throttle_time_ms = 5;
    expect(&fc_msg_api_versions_response_type, 3, &msg,
           "0000 02 0012 0000 0004 00 00000005 00");
    msg.finalized_features_epoch = 7;
    msg.finalized_features = &feature;
    msg.finalized_features_count = 1;
    expect(&fc_msg_api_versions_response_type, 4, &msg,
           "0000 02 0012 0000 0004 00 00000005"
           "02 01 08 0000000000000007 02 09 02 03 6d76 001d 0001 00");
}

static void produce_request(void **state)
{
    struct fc_msg_produce_request_partition partition = { .records = fc_slice_text("xyz") };
    struct fc_msg_produce_request_topic topic = { .name = fc_slice_text("t"),
                                                  .partition_data = &partition,
                                                  .partition_data_count = 1 };
    struct fc_msg_produce_request msg;
    (void)state;
    fc_wire_init(&fc_msg_produce_request_type, &msg);
    msg.acks = -1;
    msg.timeout_ms = 1000;
    msg.topic_data = &topic;
    msg.topic_data_count = 1;
    expect(&fc_msg_produce_request_type, 3, &msg,
           "ffff ffff 000003e8 00000001 0001 74 00000001 00000000 00000003 78797a");
    expect(&fc_msg_produce_request_type, 9, &msg,
           "00 ffff 000003e8 02 02 74 02 00000000 04 78797a 00 00 00");
    topic.name = fc_slice_text("");
    topic.topic_id.bytes[0] = 0xab;
    partition.records = fc_slice_null();
    expect(&fc_msg_produce_request_type, 13, &msg,
           "00 ffff 000003e8 02 ab000000000000000000000000000000 02 00000000 00 00 00 00");
}

static void fetch_request(void **state)
{
    struct fc_msg_fetch_request_partition partition;
    struct fc_msg_fetch_request_topic topic = { .topic = fc_slice_text("t"),
                                                .partitions = &partition,
                                                .partitions_count = 1 };
    struct fc_msg_fetch_request msg;
    (void)state;
    fc_wire_init(&fc_msg_fetch_request_type, &msg);
    fc_wire_init(&fc_msg_fetch_request_partition_type, &partition);
    partition.fetch_offset = 9;
    partition.partition_max_bytes = 65536;
    msg.max_wait_ms = 500;
    msg.min_bytes = 1;
    msg.max_bytes = 1 << 20;
    msg.isolation_level = 1;
    msg.topics = &topic;
    msg.topics_count = 1;
    expect(&fc_msg_fetch_request_type, 4, &msg,
           "ffffffff 000001f4 00000001 00100000 01 00000001 0001 74"
           "00000001 00000000 0000000000000009 00010000");
    msg.cluster_id = fc_slice_text("c");
    expect(&fc_msg_fetch_request_type, 12, &msg,
           "ffffffff 000001f4 00000001 00100000 01 00000000 ffffffff 02 02 74"
           "02 00000000 ffffffff 0000000000000009 ffffffff ffffffffffffffff 00010000 00 00"
           "01 01 01 00 02 02 63");
}

static void fetch_response(void **state)
{
    struct fc_msg_fetch_response_partition partition;
    struct fc_msg_fetch_response_topic topic = { .topic = fc_slice_text("t"),
                                                 .partitions = &partition,
                                                 .partitions_count = 1 };
    struct fc_msg_fetch_response msg;
    (void)state;
    fc_wire_init(&fc_msg_fetch_response_type, &msg);
    fc_wire_init(&fc_msg_fetch_response_partition_type, &partition);
    partition.high_watermark = 5;
    partition.last_stable_offset = 5;
    partition.log_start_offset = 0;
    partition.aborted_transactions_count = -1;
    partition.records = fc_slice_text("abc");
    msg.responses = &topic;
    msg.responses_count = 1;
    expect(&fc_msg_fetch_response_type, 12, &msg,
           "00000000 0000 00000000 02 02 74 02 00000000 0000 0000000000000005"
           "0000000000000005 0000000000000000 00 ffffffff 04 616263 00 00 00");
    partition.diverging_epoch.epoch = 2;
    partition.diverging_epoch.end_offset = 3;
    partition.records = fc_slice_text("");
    expect(&fc_msg_fetch_response_type, 12, &msg,
           "00000000 0000 00000000 02 02 74 02 00000000 0000 0000000000000005"
           "0000000000000005 0000000000000000 00 ffffffff 01"
           "01 00 0d 00000002 0000000000000003 00 00 00");
}

static void find_coordinator_response(void **state)
{
    struct fc_msg_find_coordinator_response msg;
    (void)state;
    fc_wire_init(&fc_msg_find_coordinator_response_type, &msg);
    msg.error_code = 15;
    msg.node_id = -1;
    msg.port = -1;
    expect(&fc_msg_find_coordinator_response_type, 0, &msg, "000f ffffffff 0000 ffffffff");
    expect(&fc_msg_find_coordinator_response_type, 1, &msg,
           "00000000 000f ffff ffffffff 0000 ffffffff");
}

static void join_group_request(void **state)
{
    struct fc_msg_join_group_request_protocol protocol = { fc_slice_text("range"),
                                                           fc_slice_text("\1\2") };
    struct fc_msg_join_group_request msg;
    (void)state;
    fc_wire_init(&fc_msg_join_group_request_type, &msg);
    msg.group_id = fc_slice_text("g");
    msg.session_timeout_ms = 6000;
    msg.protocol_type = fc_slice_text("consumer");
    msg.protocols = &protocol;
    msg.protocols_count = 1;
    expect(
        &fc_msg_join_group_request_type, 0, &msg,
        "0001 67 00001770 0000 0008 636f6e73756d6572 00000001 0005 72616e6765 00000002 0102");
    expect(&fc_msg_join_group_request_type, 6, &msg,
           "02 67 00001770 ffffffff 01 00 09 636f6e73756d6572 02 06 72616e6765 03 0102 00 00");
}

static void a_struct_that_may_be_null(void **state)
{
    struct fc_msg_describe_topic_partitions_request_cursor cursor = { fc_slice_text("t"), 3 };
    struct fc_msg_describe_topic_partitions_request msg;
    (void)state;
    fc_wire_init(&fc_msg_describe_topic_partitions_request_type, &msg);
    expect(&fc_msg_describe_topic_partitions_request_type, 0, &msg, "01 000007d0 ff 00");
    msg.cursor = &cursor;
    expect(&fc_msg_describe_topic_partitions_request_type, 0, &msg,
           "01 000007d0 01 02 74 00000003 00 00");
}

static void delete_topics_request_by_id(void **state)
{
    struct fc_msg_delete_topics_request_topic topic = { fc_slice_null(), { { 1 } } };
    struct fc_msg_delete_topics_request msg;
    (void)state;
    fc_wire_init(&fc_msg_delete_topics_request_type, &msg);
    msg.topics = &topic;
    msg.topics_count = 1;
    msg.timeout_ms = 100;
    expect(&fc_msg_delete_topics_request_type, 6, &msg,
           "02 00 01000000000000000000000000000000 00 00000064 00");
}

static void a_quota_is_a_double(void **state)
{
    struct fc_msg_describe_client_quotas_response_value value = { fc_slice_text("k"), 1.5 };
    struct fc_msg_describe_client_quotas_response_entity entity = { fc_slice_text("user"),
                                                                    fc_slice_null() };
    struct fc_msg_describe_client_quotas_response_entry entry = { &entity, 1, &value, 1 };
    struct fc_msg_describe_client_quotas_response msg;
    (void)state;
    fc_wire_init(&fc_msg_describe_client_quotas_response_type, &msg);
    msg.entries = &entry;
    msg.entries_count = 1;
    expect(&fc_msg_describe_client_quotas_response_type, 0, &msg,
           "00000000 0000 ffff 00000001 00000001 0004 75736572 ffff"
           "00000001 0001 6b 3ff8000000000000");
}

static void records_of_the_state_topics(void **state)
{
    struct fc_msg_offset_commit_key key = { fc_slice_text("g"), fc_slice_text("t"), 2 };
    struct fc_msg_offset_commit_value value;
    struct fc_msg_transaction_log_value log;
    (void)state;
    expect(&fc_msg_offset_commit_key_type, 1, &key, "0001 67 0001 74 00000002");
    fc_wire_init(&fc_msg_offset_commit_value_type, &value);
    value.offset = 8;
    value.metadata = fc_slice_text("m");
    value.commit_timestamp = 11;
    expect(&fc_msg_offset_commit_value_type, 0, &value,
           "0000000000000008 0001 6d 000000000000000b");
    expect(&fc_msg_offset_commit_value_type, 1, &value,
           "0000000000000008 0001 6d 000000000000000b ffffffffffffffff");
    expect(&fc_msg_offset_commit_value_type, 3, &value,
           "0000000000000008 ffffffff 0001 6d 000000000000000b");
    expect(&fc_msg_offset_commit_value_type, 4, &value,
           "0000000000000008 ffffffff 02 6d 000000000000000b 00");
    fc_wire_init(&fc_msg_transaction_log_value_type, &log);
    log.producer_id = 1;
    log.producer_epoch = 2;
    log.transaction_timeout_ms = 3;
    log.transaction_status = 4;
    log.transaction_partitions_count = -1;
    log.client_transaction_version = 2;
    expect(&fc_msg_transaction_log_value_type, 1, &log,
           "0000000000000001 0002 00000003 04 00 0000000000000000 0000000000000000"
           "01 02 02 0002");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_requests),
        cmocka_unit_test(metadata_response),
        cmocka_unit_test(api_versions_responses),
        cmocka_unit_test(produce_request),
        cmocka_unit_test(fetch_request),
        cmocka_unit_test(fetch_response),
        cmocka_unit_test(find_coordinator_response),
        cmocka_unit_test(join_group_request),
        cmocka_unit_test(a_struct_that_may_be_null),
        cmocka_unit_test(delete_topics_request_by_id),
        cmocka_unit_test(a_quota_is_a_double),
        cmocka_unit_test(records_of_the_state_topics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
