/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/fetch.h"
#include "core/log/group_sync.h"
#include "core/log/log_reader.h"
#include "core/log/watch.h"
#include "core/log/wire_append.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/wire_batch.h"

enum { NOW_MS = 1000000 };

struct world {
    struct fc_fs *fs;
    struct fc_log_env env;
    struct fc_clock clock;
    struct fc_partition_config config;
    struct fc_partition *partition;
    struct fc_append_rules rules;
    struct fc_append_result result;
    struct fc_error err;
};

static int64_t fixed_now(const struct fc_clock *clock)
{
    (void)clock;
    return (int64_t)NOW_MS * 1000000;
}

static void open_partition(struct world *world)
{
    if (fc_partition_open(&world->env, "/p", &world->config, &world->partition, &world->err) !=
        FC_OK) {
        fail_msg("%s", world->err.message);
    }
}

static int set_up(void **state)
{
    struct world *world = fc_new(struct world);
    struct fc_log_topic_config topic;
    world->fs = fs_lossy_new(3, 512);
    assert_int_equal(world->fs->ops->make_dir(world->fs, "/p", NULL), FC_OK);
    world->clock.wall_ns = fixed_now;
    world->clock.steady_ns = fixed_now;
    world->env.fs = world->fs;
    world->env.clock = &world->clock;
    world->env.group = fc_group_sync_new();
    fc_log_topic_config_init(&topic);
    world->config = fc_log_topic_config_of_partition(&topic);
    world->config.retention_ms = -1;
    world->config.segment_ms = -1;
    fc_append_rules_of(&topic, &world->rules);
    open_partition(world);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    fc_partition_close(world->partition);
    fc_group_sync_free(world->env.group);
    fs_lossy_free(world->fs);
    free(world);
    return 0;
}

static struct wire_batch batch_of(uint32_t count)
{
    struct wire_batch batch = { .count = count, .timestamp_ms = NOW_MS, .producer_id = -1 };
    return batch;
}

static fc_kafka_error send_bytes(struct world *world, struct fc_buf *bytes)
{
    fc_code code = fc_partition_append_wire(world->partition, bytes->data, bytes->len,
                                            &world->rules, &world->result, &world->err);
    assert_true((code == FC_OK) == (world->result.error == FC_KAFKA_NONE));
    fc_buf_release(bytes);
    return world->result.error;
}

static fc_kafka_error send(struct world *world, const struct wire_batch *batch)
{
    struct fc_buf bytes;
    wire_batch_make(batch, &bytes);
    return send_bytes(world, &bytes);
}

/* Send with one field of the header changed. */
static fc_kafka_error send_changed(struct world *world,
                                   void (*change)(struct fc_batch_header *header))
{
    struct wire_batch batch = batch_of(3);
    struct fc_batch_header header;
    struct fc_buf bytes;
    wire_batch_make(&batch, &bytes);
    fc_batch_header_decode(bytes.data, &header);
    change(&header);
    wire_batch_seal(&header, &bytes);
    return send_bytes(world, &bytes);
}

static void flush(struct world *world)
{
    assert_int_equal(fc_group_sync_flush(world->env.group, &world->err), FC_OK);
}

static void a_batch_is_stored_as_it_came(void **state)
{
    struct world *world = *state;
    static const fc_compression codecs[] = { FC_COMPRESSION_NONE, FC_COMPRESSION_GZIP,
                                             FC_COMPRESSION_SNAPPY, FC_COMPRESSION_LZ4,
                                             FC_COMPRESSION_ZSTD };
    int64_t next = 0;
    for (size_t index = 0; index < 5; index++) {
        struct wire_batch batch = batch_of(5);
        struct fc_fetch fetch = { .offset = next, .bytes_max = 1 << 20 };
        struct fc_fetch_range range;
        struct fc_buf sent;
        struct fc_buf copy;
        uint8_t *read;
        batch.compression = codecs[index];
        wire_batch_make(&batch, &sent);
        wire_batch_make(&batch, &copy);
        assert_int_equal(send_bytes(world, &sent), FC_KAFKA_NONE);
        assert_int_equal(world->result.base_offset, next);
        assert_int_equal(world->result.last_offset, next + 4);
        assert_int_equal(world->result.log_append_time_ms, -1);
        assert_int_equal(fc_partition_fetch(world->partition, &fetch, &range, &world->err),
                         FC_OK);
        assert_int_equal(range.size, copy.len);
        read = fc_new_array(uint8_t, copy.len);
        assert_int_equal(fc_fetch_read(&range, 0, read, copy.len, &world->err), FC_OK);
        assert_memory_equal(read + 12, copy.data + 12, copy.len - 12);
        fc_fetch_range_release(&range);
        fc_buf_release(&copy);
        free(read);
        next += 5;
    }
}

static void wrong_count(struct fc_batch_header *header)
{
    header->count = 2;
}
static void no_count(struct fc_batch_header *header)
{
    header->count = 0;
}
static void wrong_base(struct fc_batch_header *header)
{
    header->base_offset = 7;
}
static void control(struct fc_batch_header *header)
{
    header->attributes |= FC_BATCH_CONTROL;
}
static void old_magic(struct fc_batch_header *header)
{
    header->magic = 1;
}
static void unknown_codec(struct fc_batch_header *header)
{
    header->attributes |= 7;
}
static void claims_log_time(struct fc_batch_header *header)
{
    header->attributes |= FC_BATCH_APPEND_TIME;
}
static void longer(struct fc_batch_header *header)
{
    header->length++;
}
static void shorter(struct fc_batch_header *header)
{
    header->length--;
}
static void sequence_missing(struct fc_batch_header *header)
{
    header->producer_id = 5;
    header->producer_epoch = 0;
}
static void from_the_future(struct fc_batch_header *header)
{
    header->max_timestamp_ms = (int64_t)NOW_MS + 3600 * 1000 + 1;
}

static void what_breaks_a_rule_gets_kafkas_error(void **state)
{
    struct world *world = *state;
    struct wire_batch large = batch_of(1);
    struct wire_batch good = batch_of(1);
    struct fc_buf bytes;
    assert_int_equal(send_changed(world, wrong_count), FC_KAFKA_INVALID_RECORD);
    assert_int_equal(send_changed(world, no_count), FC_KAFKA_INVALID_RECORD);
    assert_int_equal(send_changed(world, wrong_base), FC_KAFKA_INVALID_RECORD);
    assert_int_equal(send_changed(world, control), FC_KAFKA_INVALID_RECORD);
    assert_int_equal(send_changed(world, old_magic), FC_KAFKA_INVALID_RECORD);
    assert_int_equal(send_changed(world, unknown_codec), FC_KAFKA_UNSUPPORTED_COMPRESSION_TYPE);
    assert_int_equal(send_changed(world, claims_log_time), FC_KAFKA_INVALID_TIMESTAMP);
    assert_int_equal(send_changed(world, longer), FC_KAFKA_CORRUPT_MESSAGE);
    assert_int_equal(send_changed(world, shorter), FC_KAFKA_INVALID_RECORD);
    assert_int_equal(send_changed(world, sequence_missing), FC_KAFKA_INVALID_RECORD);
    assert_int_equal(send_changed(world, from_the_future), FC_KAFKA_INVALID_TIMESTAMP);
    large.value_size = 2 * 1024 * 1024;
    assert_int_equal(send(world, &large), FC_KAFKA_MESSAGE_TOO_LARGE);
    wire_batch_make(&good, &bytes);
    bytes.data[bytes.len - 1] ^= 1;
    assert_int_equal(send_bytes(world, &bytes), FC_KAFKA_CORRUPT_MESSAGE);
    for (size_t size = 0; size < 61; size++) {
        wire_batch_make(&good, &bytes);
        bytes.len = size;
        assert_int_equal(send_bytes(world, &bytes), FC_KAFKA_CORRUPT_MESSAGE);
    }
    assert_int_equal(send(world, &good), FC_KAFKA_NONE);
    assert_int_equal(world->result.base_offset, 0);
}

static void a_compacted_topic_takes_no_record_without_a_key(void **state)
{
    struct world *world = *state;
    struct wire_batch batch = batch_of(3);
    world->rules.compacted = true;
    batch.compression = FC_COMPRESSION_ZSTD;
    assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
    batch.without_keys = true;
    assert_int_equal(send(world, &batch), FC_KAFKA_INVALID_RECORD);
    assert_int_equal(world->result.bad_record, 0);
}

static void old_records_are_refused_when_the_topic_says_so(void **state)
{
    struct world *world = *state;
    struct wire_batch batch = batch_of(3);
    world->rules.timestamp_before_max_ms = 1000;
    batch.timestamp_ms = NOW_MS - 1000;
    assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
    batch.timestamp_ms = NOW_MS - 1001;
    assert_int_equal(send(world, &batch), FC_KAFKA_INVALID_TIMESTAMP);
    assert_int_equal(world->result.bad_record, 0);
}

static void the_log_sets_time_and_codec_where_the_topic_says_so(void **state)
{
    struct world *world = *state;
    struct wire_batch batch = batch_of(3);
    struct fc_log_reader *reader = NULL;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    batch.value_size = 1000;
    batch.timestamp_ms = 5;
    world->rules.log_append_time = true;
    world->rules.compression = FC_COMPRESSION_LZ4;
    assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
    assert_int_equal(world->result.log_append_time_ms, NOW_MS);
    batch.compression = FC_COMPRESSION_ZSTD;
    assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
    world->rules.compression = FC_COMPRESSION_NONE;
    assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
    assert_int_equal(fc_log_reader_open(world->partition, 0, &reader, &world->err), FC_OK);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(fc_log_reader_next(reader, 0, &records, &count, &world->err), FC_OK);
        assert_int_equal(count, 3);
        assert_int_equal(records[2].timestamp_ms, NOW_MS);
        assert_int_equal(records[2].value.len, 1000);
    }
    fc_log_reader_close(reader);
}

static void a_batch_sent_twice_is_stored_once(void **state)
{
    struct world *world = *state;
    struct wire_batch batch = batch_of(3);
    batch.producer_id = 9;
    for (int round = 0; round < 7; round++) {
        assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
        assert_int_equal(world->result.base_offset, round * 3);
        assert_false(world->result.duplicate);
        batch.base_sequence += 3;
    }
    for (int round = 2; round < 7; round++) {
        batch.base_sequence = round * 3;
        assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
        assert_true(world->result.duplicate);
        assert_int_equal(world->result.base_offset, round * 3);
        assert_int_equal(world->result.last_offset, round * 3 + 2);
    }
    batch.base_sequence = 3; /* too long ago to be known */
    assert_int_equal(send(world, &batch), FC_KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER);
    batch.base_sequence = 24; /* a gap */
    assert_int_equal(send(world, &batch), FC_KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER);
    batch.producer_epoch = 1;
    assert_int_equal(send(world, &batch), FC_KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER);
    batch.base_sequence = 0;
    assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
    batch.producer_epoch = 0;
    batch.base_sequence = 21;
    assert_int_equal(send(world, &batch), FC_KAFKA_INVALID_PRODUCER_EPOCH);
    batch.producer_id = 10; /* of whom nothing is known */
    assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
}

static void sequences_wrap(void **state)
{
    struct world *world = *state;
    struct wire_batch batch = batch_of(4);
    batch.producer_id = 9;
    batch.base_sequence = INT32_MAX - 1;
    assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
    batch.base_sequence = 2;
    assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
    batch.base_sequence = INT32_MAX - 1;
    assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
    assert_true(world->result.duplicate);
}

static void end_transaction(struct world *world, int64_t id, int16_t epoch, bool commit)
{
    struct fc_marker_request request = { id, epoch, 0, commit, false };
    assert_int_equal(
        fc_partition_append_marker(world->partition, &request, &world->result, &world->err),
        FC_OK);
}

static struct fc_partition_offsets offsets_of(struct world *world)
{
    struct fc_partition_offsets offsets;
    assert_int_equal(fc_partition_offsets(world->partition, &offsets, &world->err), FC_OK);
    return offsets;
}

static void the_stable_offset_waits_for_open_transactions(void **state)
{
    struct world *world = *state;
    struct wire_batch plain = batch_of(2);
    struct wire_batch first = batch_of(2);
    struct wire_batch second = batch_of(2);
    struct fc_aborted *aborted = NULL;
    size_t count = 0;
    first.producer_id = 1;
    first.transactional = true;
    second.producer_id = 2;
    second.transactional = true;
    assert_int_equal(send(world, &plain), FC_KAFKA_NONE);
    assert_int_equal(send(world, &first), FC_KAFKA_INVALID_TXN_STATE);
    world->rules.guard = fc_partition_verify(world->partition, 1, 0);
    assert_int_equal(send(world, &first), FC_KAFKA_NONE); /* at 2 */
    assert_int_equal(fc_partition_verify(world->partition, 1, 0), 0);
    assert_int_equal(send(world, &second), FC_KAFKA_INVALID_TXN_STATE); /* another's guard */
    world->rules.guard = FC_GUARD_VERIFIED;
    assert_int_equal(send(world, &second), FC_KAFKA_NONE); /* at 4 */
    world->rules.guard = 0;
    first.base_sequence = 2;
    assert_int_equal(send(world, &first), FC_KAFKA_NONE); /* at 6 */
    assert_int_equal(offsets_of(world).stable, 0);
    flush(world);
    assert_int_equal(offsets_of(world).high_watermark, 8);
    assert_int_equal(offsets_of(world).stable, 2);
    end_transaction(world, 1, 0, false);           /* at 8 */
    assert_int_equal(offsets_of(world).stable, 2); /* the marker may be lost */
    flush(world);
    assert_int_equal(offsets_of(world).stable, 4);
    end_transaction(world, 2, 0, true); /* at 9 */
    flush(world);
    assert_int_equal(offsets_of(world).stable, 10);
    assert_int_equal(
        fc_partition_aborted(world->partition, 0, 10, &aborted, &count, &world->err), FC_OK);
    assert_int_equal(count, 1);
    assert_int_equal(aborted[0].producer_id, 1);
    assert_int_equal(aborted[0].first_offset, 2);
    assert_int_equal(aborted[0].last_offset, 8);
    assert_int_equal(aborted[0].stable_offset, 4);
    free(aborted);
}

/* Taken for a repetition, the second would be acknowledged, and not in the log. */
static void a_number_of_a_transaction_that_has_ended_is_out_of_order(void **state)
{
    struct world *world = *state;
    struct wire_batch batch = batch_of(1);
    struct fc_marker_request abort = { 1, 0, 3, false, false };
    batch.producer_id = 1;
    batch.transactional = true;
    world->rules.guard = FC_GUARD_VERIFIED;
    assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
    assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
    assert_true(world->result.duplicate);
    assert_int_equal(
        fc_partition_append_marker(world->partition, &abort, &world->result, &world->err),
        FC_OK);
    assert_int_equal(send(world, &batch), FC_KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER);
    batch.base_sequence = 1;
    assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
    batch.base_sequence = 0; /* also while the next one is open */
    assert_int_equal(send(world, &batch), FC_KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER);
    batch.base_sequence = 1;
    assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
    assert_true(world->result.duplicate);
}

static void a_guard_ends_with_its_transaction(void **state)
{
    struct world *world = *state;
    struct wire_batch batch = batch_of(2);
    struct fc_marker_request old = { 1, 0, 3, false, false };
    uint64_t guard = fc_partition_verify(world->partition, 1, 0);
    batch.producer_id = 1;
    batch.transactional = true;
    end_transaction(world, 1, 0, false);
    world->rules.guard = guard;
    assert_int_equal(send(world, &batch), FC_KAFKA_INVALID_TXN_STATE);
    assert_int_equal(fc_partition_append_marker(world->partition, &old, &world->result, NULL),
                     FC_OK);
    old.coordinator_epoch = 2;
    assert_int_equal(
        fc_partition_append_marker(world->partition, &old, &world->result, &world->err),
        FC_ERR_REJECTED);
    assert_int_equal(world->result.error, FC_KAFKA_TRANSACTION_COORDINATOR_FENCED);
    batch.transactional = false;
    assert_int_equal(send(world, &batch), FC_KAFKA_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_is_stored_as_it_came, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_breaks_a_rule_gets_kafkas_error, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_compacted_topic_takes_no_record_without_a_key, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(old_records_are_refused_when_the_topic_says_so, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_log_sets_time_and_codec_where_the_topic_says_so,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_sent_twice_is_stored_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sequences_wrap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_stable_offset_waits_for_open_transactions, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_number_of_a_transaction_that_has_ended_is_out_of_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_guard_ends_with_its_transaction, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
