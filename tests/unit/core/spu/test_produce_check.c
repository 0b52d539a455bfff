/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/data_dir.h"
#include "core/spu/produce_check.h"
#include "core/spu/txns.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wire_batch.h"

struct world {
    char *path;
    struct fc_spu spu;
    struct fc_log_topic *topic;
    struct fc_partition *partition;
    struct fc_error err;
};

static int set_up(void **state)
{
    struct world *world = fc_new(struct world);
    struct fc_data_dir_config config = { 0 };
    struct fc_settings settings = { 0 };
    world->path = temp_dir_new();
    world->spu.config.net.clock = fc_clock_system();
    config.dir = world->path;
    if (fc_data_dir_open(&config, &world->spu.data, &world->err) != FC_OK ||
        fc_data_dir_create(world->spu.data, "topic", 1, &settings, &world->topic,
                           &world->err) != FC_OK ||
        fc_log_topic_partition(world->topic, 0, &world->partition, &world->err) != FC_OK ||
        fc_txns_new(&world->spu, &world->spu.txns, &world->err) != FC_OK) {
        fail_msg("%s", world->err.message);
    }
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    fc_txns_free(world->spu.txns);
    fc_log_topic_unref(world->topic);
    fc_data_dir_close(world->spu.data);
    temp_dir_free(world->path);
    free(world);
    return 0;
}

static fc_kafka_error check(struct world *world, int16_t version, int64_t producer_id,
                            uint64_t *out_guard)
{
    const struct wire_batch batch = { .count = 1,
                                      .producer_id = producer_id,
                                      .transactional = true };
    struct fc_request request = { .api_version = version };
    struct fc_msg_produce_request ask;
    struct fc_msg_produce_request_partition asked;
    struct fc_append_rules rules = { 0 };
    struct fc_buf bytes;
    fc_kafka_error error;
    wire_batch_make(&batch, &bytes);
    fc_wire_init(&fc_msg_produce_request_type, &ask);
    fc_wire_init(&fc_msg_produce_request_partition_type, &asked);
    ask.transactional_id = fc_slice_text("made-up");
    asked.records = fc_buf_slice(&bytes);
    error = fc_produce_check(&world->spu, &request, &ask, world->topic, world->partition,
                             &asked, &rules);
    fc_buf_release(&bytes);
    *out_guard = rules.guard;
    return error;
}

static void nothing_is_kept_for_a_producer_that_nobody_knows(void **state)
{
    const int16_t versions[] = { 9, 12 };
    struct world *world = *state;
    for (size_t index = 0; index < sizeof(versions) / sizeof(versions[0]); index++) {
        uint64_t guard = 0;
        assert_int_equal(check(world, versions[index], 4711, &guard),
                         FC_KAFKA_INVALID_PRODUCER_ID_MAPPING);
        assert_int_not_equal(guard, 0);
        /* One that is kept is given again. */
        assert_int_not_equal(fc_partition_verify(world->partition, 4711, 0), guard);
    }
}

/* Of another request of the producer, which has come in between. */
static void only_the_guard_that_was_refused_is_forgotten(void **state)
{
    struct world *world = *state;
    uint64_t old = fc_partition_verify(world->partition, 1, 0);
    uint64_t guard = fc_partition_verify(world->partition, 1, 1);
    assert_int_not_equal(guard, old);
    fc_partition_unverify(world->partition, 1, old);
    assert_int_equal(fc_partition_verify(world->partition, 1, 1), guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_kept_for_a_producer_that_nobody_knows,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_the_guard_that_was_refused_is_forgotten, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
