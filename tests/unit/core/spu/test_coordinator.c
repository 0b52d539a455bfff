/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/data_dir.h"
#include "core/spu/coordinator.h"
#include "tests/support/temp_dir.h"

enum { LATER_MS = 3600 * 1000 };

struct world {
    struct fc_clock clock; /* first: the callbacks get it */
    int64_t now_ms;
    char *path;
    struct fc_spu spu;
    struct fc_coordinator *coordinator;
    struct fc_error err;
};

static int64_t now_ns(const struct fc_clock *clock)
{
    return ((const struct world *)(const void *)clock)->now_ms * 1000000;
}

static void start(struct world *world)
{
    struct fc_data_dir_config config = { .dir = world->path, .clock = &world->clock };
    if (fc_data_dir_open(&config, &world->spu.data, &world->err) != FC_OK ||
        fc_coordinator_new(&world->spu, &world->coordinator, &world->err) != FC_OK ||
        fc_coordinator_make_ready(world->coordinator, &world->err) != FC_OK) {
        fail_msg("%s", world->err.message);
    }
}

static void stop(struct world *world)
{
    fc_coordinator_free(world->coordinator);
    fc_data_dir_close(world->spu.data);
    world->coordinator = NULL;
    world->spu.data = NULL;
}

static int set_up(void **state)
{
    struct world *world = fc_new(struct world);
    world->clock = (struct fc_clock){ now_ns, now_ns };
    world->now_ms = 1700000000000;
    world->path = temp_dir_new();
    world->spu.config.net.clock = &world->clock;
    world->spu.config.offsets_partitions = 2;
    start(world);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    stop(world);
    temp_dir_free(world->path);
    free(world);
    return 0;
}

static void commit(struct world *world, const char *group, int32_t partition)
{
    struct fc_commit commit = { .topic = fc_slice_text("topic"), .partition = partition };
    fc_code code;
    commit.committed.offset = 5;
    commit.committed.leader_epoch = -1;
    commit.committed.commit_ms = world->now_ms;
    fc_coordinator_lock(world->coordinator);
    code = fc_coordinator_commit(
        world->coordinator, fc_coordinator_ensure(world->coordinator, fc_slice_text(group)),
        &commit, 1, -1, -1, &world->err);
    fc_coordinator_unlock(world->coordinator);
    assert_int_equal(code, FC_OK);
}

static void delete_group(struct world *world, const char *group)
{
    fc_code code;
    fc_coordinator_lock(world->coordinator);
    code = fc_coordinator_delete(world->coordinator,
                                 fc_coordinator_find(world->coordinator, fc_slice_text(group)),
                                 &world->err);
    fc_coordinator_unlock(world->coordinator);
    assert_int_equal(code, FC_OK);
}

static struct fc_coordinated *find(struct world *world, const char *group)
{
    return fc_coordinator_find(world->coordinator, fc_slice_text(group));
}

static void a_deleted_group_stays_deleted_when_all_is_read_again(void **state)
{
    struct world *world = *state;
    commit(world, "kept", 0);
    commit(world, "deleted", 0);
    commit(world, "deleted", 1);
    commit(world, "again", 0);
    delete_group(world, "deleted");
    delete_group(world, "again");
    commit(world, "again", 1);
    stop(world);
    start(world);
    assert_non_null(find(world, "kept"));
    assert_null(find(world, "deleted"));
    assert_int_equal(fc_group_offsets_count(&find(world, "again")->offsets), 1);
}

/* Else an SPU that starts more often than offsets are kept would keep them for ever. */
static void a_start_makes_commits_no_younger(void **state)
{
    struct world *world = *state;
    struct fc_coordinated *group;
    int64_t committed_ms = world->now_ms;
    commit(world, "old", 0);
    stop(world);
    world->now_ms += LATER_MS;
    start(world);
    group = find(world, "old");
    assert_non_null(group);
    assert_int_equal(group->group->state, FC_GROUP_EMPTY);
    assert_in_range(group->group->state_ms, 0, committed_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_deleted_group_stays_deleted_when_all_is_read_again,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_start_makes_commits_no_younger, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
