/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/data_dir.h"
#include "core/log/log_reader.h"
#include "tests/support/fs_lossy.h"

struct world {
    struct fc_fs *fs;
    struct fc_data_dir *dir;
    struct fc_error err;
};

static void open_dir(struct world *world)
{
    struct fc_data_dir_config config = { .dir = "/d", .fs = world->fs };
    if (fc_data_dir_open(&config, &world->dir, &world->err) != FC_OK) {
        fail_msg("%s", world->err.message);
    }
}

static int set_up(void **state)
{
    struct world *world = fc_new(struct world);
    world->fs = fs_lossy_new(7, 512);
    open_dir(world);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    fc_data_dir_close(world->dir);
    fs_lossy_free(world->fs);
    free(world);
    return 0;
}

static struct fc_log_topic *create(struct world *world, const char *name, uint32_t partitions,
                                   const struct fc_settings *settings)
{
    struct fc_log_topic *topic = NULL;
    if (fc_data_dir_create(world->dir, name, partitions, settings, &topic, &world->err) !=
        FC_OK) {
        fail_msg("%s", world->err.message);
    }
    return topic;
}

static struct fc_log_topic *find(struct world *world, const char *name)
{
    struct fc_log_topic *topic = NULL;
    if (fc_data_dir_topic(world->dir, name, &topic, &world->err) != FC_OK) {
        fail_msg("%s", world->err.message);
    }
    return topic;
}

static struct fc_partition *partition(struct world *world, struct fc_log_topic *topic,
                                      uint32_t index)
{
    struct fc_partition *found = NULL;
    if (fc_log_topic_partition(topic, index, &found, &world->err) != FC_OK) {
        fail_msg("%s", world->err.message);
    }
    return found;
}

static fc_code append(struct world *world, struct fc_partition *to)
{
    struct fc_batch_builder batch;
    struct fc_record record = { .timestamp_ms = 1, .value = fc_slice_text("v") };
    int64_t base = 0;
    fc_code code;
    fc_batch_builder_init(&batch, FC_COMPRESSION_NONE, 1000);
    assert_int_equal(fc_batch_builder_add(&batch, &record, &world->err), FC_OK);
    assert_int_equal(fc_batch_builder_seal(&batch, &world->err), FC_OK);
    code = fc_partition_append(to, &batch, &base, &world->err);
    fc_batch_builder_release(&batch);
    return code;
}

static void a_topic_keeps_its_id_and_settings(void **state)
{
    struct world *world = *state;
    struct fc_settings settings = { 0 };
    struct fc_settings read = { 0 };
    struct fc_log_topic *topic;
    struct fc_log_topic *same = NULL;
    struct fc_log_topic_config config;
    struct fc_uuid id;
    fc_settings_put(&settings, "retention.ms", "1000");
    fc_settings_put(&settings, "from.another.program", "x");
    fc_settings_put(&settings, "cleanup.policy", "compact");
    topic = create(world, "t", 2, &settings);
    id = fc_log_topic_id(topic);
    assert_false(fc_uuid_is_zero(id));
    fc_log_topic_unref(topic);
    fc_data_dir_close(world->dir);
    open_dir(world);
    topic = find(world, "t");
    assert_true(fc_uuid_equal(fc_log_topic_id(topic), id));
    assert_int_equal(fc_data_dir_topic_by_id(world->dir, id, &same, NULL), FC_OK);
    assert_ptr_equal(same, topic);
    fc_log_topic_settings(topic, &read);
    assert_true(fc_settings_equal(&read, &settings));
    fc_log_topic_config(topic, &config);
    assert_int_equal(config.retention_ms, 1000);
    assert_true(config.cleanup_compact && !config.cleanup_delete);
    fc_settings_put(&settings, "segment.bytes", "no number");
    assert_int_equal(fc_log_topic_alter(topic, &settings, &world->err), FC_ERR_CONFIG);
    assert_non_null(strstr(world->err.message, "segment.bytes"));
    fc_settings_put(&settings, "segment.bytes", "4096");
    fc_settings_remove(&settings, "retention.ms");
    assert_int_equal(fc_log_topic_alter(topic, &settings, &world->err), FC_OK);
    fc_log_topic_config(topic, &config);
    assert_int_equal(config.segment_bytes, 4096);
    assert_int_equal(config.retention_ms, 7 * 24 * 3600 * 1000);
    fc_settings_release(&settings);
    fc_settings_release(&read);
    fc_log_topic_unref(topic);
    fc_log_topic_unref(same);
}

static void every_setting_reads_back_as_written(void **state)
{
    struct fc_log_topic_config config;
    struct fc_log_topic_config copy;
    const char *key;
    (void)state;
    fc_log_topic_config_init(&config);
    for (size_t index = 0; (key = fc_log_topic_config_key(index)) != NULL; index++) {
        char text[FC_TOPIC_CONFIG_TEXT_SIZE];
        copy = config;
        assert_true(fc_log_topic_config_get(&config, key, text));
        assert_int_equal(fc_log_topic_config_set(&copy, key, text, NULL), FC_OK);
        assert_memory_equal(&copy, &config, sizeof(copy));
        assert_int_equal(fc_log_topic_config_set(&copy, key, "?", NULL), FC_ERR_CONFIG);
    }
    assert_int_equal(
        fc_log_topic_config_set(&config, "cleanup.policy", "delete, compact", NULL), FC_OK);
    assert_true(config.cleanup_compact && config.cleanup_delete);
    assert_int_equal(fc_log_topic_config_set(&config, "no.such", "1", NULL), FC_ERR_NOT_FOUND);
}

static void a_topic_grows_while_it_is_used(void **state)
{
    struct world *world = *state;
    struct fc_log_topic *topic = create(world, "t", 1, NULL);
    struct fc_partition *first = partition(world, topic, 0);
    struct fc_partition *none = NULL;
    uint64_t generation = fc_data_dir_generation(world->dir);
    assert_int_equal(append(world, first), FC_OK);
    assert_int_equal(fc_log_topic_partition(topic, 2, &none, &world->err), FC_ERR_NOT_FOUND);
    assert_int_equal(fc_log_topic_grow(topic, 1, &world->err), FC_ERR_CONFIG);
    assert_int_equal(fc_log_topic_grow(topic, 3, &world->err), FC_OK);
    assert_true(fc_data_dir_generation(world->dir) > generation);
    assert_ptr_equal(partition(world, topic, 0), first);
    assert_int_equal(append(world, partition(world, topic, 2)), FC_OK);
    assert_int_equal(fc_data_dir_create(world->dir, "t", 1, NULL, &topic, &world->err),
                     FC_ERR_REJECTED);
    fc_log_topic_unref(topic);
    fc_data_dir_close(world->dir);
    open_dir(world);
    topic = find(world, "t");
    assert_int_equal(fc_log_topic_partitions(topic), 3);
    fc_log_topic_unref(topic);
}

static void a_deleted_topic_fails_who_still_uses_it(void **state)
{
    struct world *world = *state;
    struct fc_log_topic *topic = create(world, "t", 2, NULL);
    struct fc_log_topic *again;
    struct fc_partition *first = partition(world, topic, 0);
    struct fc_partition_offsets offsets;
    struct fc_log_reader *reader = NULL;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    assert_int_equal(append(world, first), FC_OK);
    assert_int_equal(append(world, first), FC_OK);
    assert_int_equal(fc_log_reader_open(first, 0, &reader, &world->err), FC_OK);
    assert_int_equal(fc_log_reader_next(reader, 0, &records, &count, &world->err), FC_OK);
    assert_int_equal(fc_log_topic_delete(topic, &world->err), FC_OK);
    assert_int_equal(fc_log_topic_delete(topic, &world->err), FC_ERR_NOT_FOUND);
    assert_true(fc_log_topic_is_deleted(topic));
    assert_int_equal(append(world, first), FC_ERR_NOT_FOUND);
    assert_int_equal(fc_partition_offsets(first, &offsets, &world->err), FC_ERR_NOT_FOUND);
    while (fc_log_reader_next(reader, 1000, &records, &count, &world->err) == FC_OK) {
        assert_true(count > 0); /* what was read before may still be given out */
    }
    assert_int_equal(world->err.code, FC_ERR_NOT_FOUND);
    assert_int_equal(fc_data_dir_flush(world->dir, &world->err), FC_OK);
    again = create(world, "t", 1, NULL);
    assert_false(fc_uuid_equal(fc_log_topic_id(again), fc_log_topic_id(topic)));
    assert_int_equal(fc_partition_offsets(partition(world, again, 0), &offsets, NULL), FC_OK);
    assert_int_equal(offsets.end, 0);
    fc_log_reader_close(reader);
    fc_log_topic_unref(topic);
    fc_log_topic_unref(again);
}

/* With the power cut at each step of it, a topic is there with all its data, or gone. */
static void deletion_is_whole_whenever_the_power_fails(void **state)
{
    (void)state;
    for (uint64_t step = 1; step < 60; step++) {
        struct world world = { .fs = fs_lossy_new(step, 512) };
        struct fc_log_topic *topic;
        struct fc_partition_offsets offsets;
        fc_code code;
        open_dir(&world);
        topic = create(&world, "t", 3, NULL);
        for (uint32_t index = 0; index < 3; index++) {
            assert_int_equal(append(&world, partition(&world, topic, index)), FC_OK);
        }
        assert_int_equal(fc_data_dir_flush(world.dir, &world.err), FC_OK);
        fs_lossy_cut_after(world.fs, step);
        code = fc_log_topic_delete(topic, &world.err);
        fc_log_topic_unref(topic);
        fs_lossy_stop(world.fs);
        fc_data_dir_close(world.dir);
        fs_lossy_power_cut(world.fs);
        open_dir(&world);
        if (fc_data_dir_topic(world.dir, "t", &topic, &world.err) == FC_OK) {
            assert_int_not_equal(code, FC_OK);
            for (uint32_t index = 0; index < 3; index++) {
                assert_int_equal(
                    fc_partition_offsets(partition(&world, topic, index), &offsets, &world.err),
                    FC_OK);
                assert_int_equal(offsets.end, 1);
            }
            fc_log_topic_unref(topic);
        } else {
            assert_int_equal(world.err.code, FC_ERR_NOT_FOUND);
            topic = create(&world, "t", 3, NULL);
            for (uint32_t index = 0; index < 3; index++) {
                assert_int_equal(
                    fc_partition_offsets(partition(&world, topic, index), &offsets, &world.err),
                    FC_OK);
                assert_int_equal(offsets.end, 0);
            }
            fc_log_topic_unref(topic);
        }
        fc_data_dir_close(world.dir);
        fs_lossy_free(world.fs);
    }
}

static void expect_records(struct world *world, struct fc_partition *in, uint32_t wanted)
{
    struct fc_log_reader *reader = NULL;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    assert_int_equal(fc_log_reader_open(in, 0, &reader, &world->err), FC_OK);
    assert_int_equal(fc_log_reader_next(reader, 0, &records, &count, &world->err), FC_OK);
    assert_int_equal(count, wanted);
    fc_log_reader_close(reader);
}

static void partitions_cost_no_syncs_until_they_are_used(void **state)
{
    struct world *world = *state;
    uint64_t syncs = fs_lossy_syncs(world->fs);
    struct fc_log_topic *topic = create(world, "many", 500, NULL);
    assert_true(fs_lossy_syncs(world->fs) - syncs < 10);
    expect_records(world, partition(world, topic, 7), 0);
    assert_int_equal(append(world, partition(world, topic, 7)), FC_OK);
    expect_records(world, partition(world, topic, 7), 1);
    fc_log_topic_unref(topic);
    fc_data_dir_close(world->dir);
    syncs = fs_lossy_syncs(world->fs);
    open_dir(world);
    fc_data_dir_close(world->dir);
    assert_true(fs_lossy_syncs(world->fs) - syncs < 10); /* the directory's own */
    fs_lossy_power_cut(world->fs);
    open_dir(world);
    topic = find(world, "many");
    expect_records(world, partition(world, topic, 7), 1);
    expect_records(world, partition(world, topic, 499), 0);
    assert_int_equal(append(world, partition(world, topic, 499)), FC_OK);
    expect_records(world, partition(world, topic, 499), 1);
    fc_log_topic_unref(topic);
}

static void a_partition_that_lost_its_directory_is_no_new_one(void **state)
{
    struct world *world = *state;
    struct fc_log_topic *topic = create(world, "t", 3, NULL);
    struct fc_partition *found = NULL;
    fc_log_topic_unref(topic);
    fc_data_dir_close(world->dir);
    assert_int_equal(world->fs->ops->remove(world->fs, "/d/t-2", NULL), FC_OK);
    open_dir(world);
    topic = find(world, "t");
    assert_int_not_equal(fc_log_topic_partition(topic, 2, &found, &world->err), FC_OK);
    assert_int_equal(append(world, partition(world, topic, 1)), FC_OK);
    fc_log_topic_unref(topic);
}

/* Partition 0's manifest shows that there was a topic, whichever of them has records. */
static void a_topic_that_lost_its_settings_is_no_new_one(void **state)
{
    struct world *world = *state;
    struct fc_log_topic *topic = create(world, "t", 2, NULL);
    assert_int_equal(append(world, partition(world, topic, 1)), FC_OK);
    fc_log_topic_unref(topic);
    fc_data_dir_close(world->dir);
    fs_lossy_lose_file(world->fs, "/d/t-0/topic.json");
    open_dir(world);
    topic = NULL;
    assert_int_equal(fc_data_dir_topic(world->dir, "t", &topic, &world->err), FC_ERR_CORRUPT);
    assert_int_equal(fc_data_dir_create(world->dir, "t", 2, NULL, &topic, &world->err),
                     FC_ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_topic_keeps_its_id_and_settings, set_up, tear_down),
        cmocka_unit_test(every_setting_reads_back_as_written),
        cmocka_unit_test_setup_teardown(a_topic_grows_while_it_is_used, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_deleted_topic_fails_who_still_uses_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(partitions_cost_no_syncs_until_they_are_used, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_partition_that_lost_its_directory_is_no_new_one,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_topic_that_lost_its_settings_is_no_new_one, set_up,
                                        tear_down),
        cmocka_unit_test(deletion_is_whole_whenever_the_power_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
