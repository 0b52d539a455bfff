/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A snapshot and the stream that it is woven into, on a binlog of a real MariaDB. The dump is this
 * file's own: it gives out the events of the file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "connectors/mysql/snapshot_plan.h"
#include "connectors/mysql/snapshot_state.h"
#include "tests/unit/connectors/mysql/binlog_reading.h"

enum { ARENA_MAX = 64 * 1024 * 1024, CHANGES_MAX = 1000, READS_MAX = 10000 };

/* --- the dump ------------------------------------------------------------------------------ */

struct fc_dump {
    struct test_walk walk;
    size_t last_at;
};

fc_code fc_dump_next(struct fc_dump *dump, int wait_ms, struct fc_slice *out_event,
                     struct fc_error *err)
{
    (void)wait_ms;
    (void)err;
    dump->last_at = dump->walk.at;
    if (!test_walk_bytes(&dump->walk, out_event)) {
        *out_event = fc_slice_null();
    }
    return FC_OK;
}

void fc_dump_unread(struct fc_dump *dump)
{
    dump->walk.at = dump->last_at;
}

/* --- the host ------------------------------------------------------------------------------ */

struct batch {
    struct fc_batch public; /* first: functions get it back from the pointer */
    struct fc_change changes[CHANGES_MAX];
    struct fc_arena arena;
};

static const char *option_text(const struct fc_host *host, const char *key)
{
    (void)host;
    return strcmp(key, "snapshot") == 0 ? "initial" : NULL;
}

static int64_t option_int(const struct fc_host *host, const char *key)
{
    (void)host;
    return strcmp(key, "snapshot-chunk-rows") == 0 ? 1000 : 0;
}

static uint32_t option_list(const struct fc_host *host, const char *key,
                            const char *const **out_items)
{
    static const char *const tables[] = { "shop.keyless" };
    (void)host;
    *out_items = tables;
    return strcmp(key, "tables") == 0 ? 1 : 0;
}

static struct fc_change *batch_add(struct fc_batch *batch)
{
    struct fc_change *change = &batch->changes[batch->count++];
    assert_true(batch->count <= CHANGES_MAX);
    memset(change, 0, sizeof(*change));
    return change;
}

static void *batch_alloc(struct fc_batch *batch, size_t size)
{
    return fc_arena_alloc(&((struct batch *)(void *)batch)->arena, size);
}

static const struct fc_host host = {
    .size = sizeof(struct fc_host),
    .option_text = option_text,
    .option_int = option_int,
    .option_list = option_list,
    .batch_add = batch_add,
    .batch_alloc = batch_alloc,
};

/* --- a stream with a snapshot in it -------------------------------------------------------- */

struct scene {
    struct fc_slice file;
    struct fc_dump dump;
    struct fc_table_filter filter;
    struct fc_change_observer observer;
    struct fc_change_stream *stream;
    struct fc_snapshot *snapshot;
    struct batch batch;
    struct fc_error err;
};

static struct scene *open_scene(void)
{
    static const char begin[] = "{\"v\":1,\"flavor\":\"mariadb\",\"server\":\"\",\"gtid\":\"\","
                                "\"file\":\"binlog.000001\",\"pos\":4,\"snapshot\":{\"tables\":"
                                "[[\"shop\",\"keyless\"]]}}";
    struct scene *scene = calloc(1, sizeof(*scene));
    struct fc_change_stream_config config = { .host = &host };
    struct fc_source_position position;
    assert_non_null(scene);
    scene->file = test_read_file("tests/golden/binlog/mariadb-types.binlog");
    test_walk_init(&scene->dump.walk, scene->file);
    scene->batch.public.changes = scene->batch.changes;
    scene->batch.public.bytes_max = ARENA_MAX;
    fc_arena_init(&scene->batch.arena, ARENA_MAX);
    if (fc_table_filter_init(&scene->filter, &host, &scene->err) != FC_OK ||
        fc_source_position_parse(fc_slice_text(begin), &position, &scene->err) != FC_OK) {
        fail_msg("%s", scene->err.message);
    }
    config.filter = &scene->filter;
    config.observer = &scene->observer;
    scene->stream = fc_change_stream_new(&config, &position, true);
    scene->snapshot = fc_snapshot_new(&host, &scene->filter, scene->stream, &scene->observer);
    return scene;
}

static void close_scene(struct scene *scene)
{
    fc_snapshot_free(scene->snapshot);
    fc_change_stream_free(scene->stream);
    fc_arena_release(&scene->batch.arena);
    test_free_file(scene->file);
    free(scene);
}

/* One read of the stream; at most changes_max changes come of it. */
static void read_stream(struct scene *scene, const struct fc_binlog_place *stop,
                        uint32_t changes_max)
{
    fc_arena_clear(&scene->batch.arena);
    scene->batch.public.count = 0;
    scene->batch.public.count_max = changes_max + 1; /* a source stops one before */
    if (fc_change_stream_read(scene->stream, &scene->dump, stop, 0, &scene->batch.public,
                              &scene->err) != FC_OK) {
        fail_msg("%s", scene->err.message);
    }
}

/* Until the stream stands inside the first transaction that has two rows of the table. */
static void read_into_transaction(struct scene *scene)
{
    for (uint32_t reads = 0; reads < READS_MAX; reads++) {
        read_stream(scene, NULL, 1);
        if (!fc_change_stream_at_boundary(scene->stream)) {
            return;
        }
    }
    fail_msg("the file has no such transaction");
}

/* The end of that transaction. */
static struct fc_binlog_place find_high(void)
{
    struct scene *scene = open_scene();
    struct fc_binlog_place high;
    read_into_transaction(scene);
    while (!fc_change_stream_at_boundary(scene->stream)) {
        read_stream(scene, NULL, 1);
    }
    high = *fc_change_stream_reached(scene->stream);
    close_scene(scene);
    return high;
}

/* A table without key is given out exactly where its view stands: the stream must not run past it,
 * wherever the last read ended. */
static void the_stream_stops_at_the_view_also_from_inside_a_transaction(void **state)
{
    const struct fc_binlog_place high = find_high();
    struct scene *scene = open_scene();
    struct fc_binlog_place stop;
    bool progressed = false;
    bool has_stop = false;
    (void)state;
    read_into_transaction(scene);
    scene->snapshot->step = FC_SNAPSHOT_STEP_WAIT; /* as begin_scan leaves it */
    scene->snapshot->high = high;
    memset(&stop, 0, sizeof(stop));
    assert_int_equal(fc_snapshot_step(scene->snapshot, &scene->batch.public, &progressed,
                                      &has_stop, &stop, &scene->err),
                     FC_OK);
    assert_false(progressed);
    assert_true(has_stop);
    assert_int_equal(fc_binlog_place_compare(&stop, &high), 0);
    read_stream(scene, &stop, CHANGES_MAX - 1);
    assert_true(fc_change_stream_at_boundary(scene->stream));
    assert_int_equal(fc_binlog_place_compare(fc_change_stream_reached(scene->stream), &high),
                     0);
    close_scene(scene);
}

/* Without a stop the same read goes on: the file has more, or the test above proves nothing. */
static void without_a_stop_the_stream_goes_on(void **state)
{
    const struct fc_binlog_place high = find_high();
    struct scene *scene = open_scene();
    (void)state;
    read_into_transaction(scene);
    read_stream(scene, NULL, CHANGES_MAX - 1);
    assert_true(fc_binlog_place_compare(fc_change_stream_reached(scene->stream), &high) > 0);
    close_scene(scene);
}

static void only_a_snapshot_that_waits_stops_the_stream(void **state)
{
    struct scene *scene = open_scene();
    struct fc_binlog_place stop;
    bool progressed = false;
    bool has_stop = true;
    (void)state;
    read_into_transaction(scene);
    assert_int_equal(scene->snapshot->step, FC_SNAPSHOT_STEP_BEGIN);
    assert_int_equal(fc_snapshot_step(scene->snapshot, &scene->batch.public, &progressed,
                                      &has_stop, &stop, &scene->err),
                     FC_OK);
    assert_false(has_stop);
    close_scene(scene);
}

/* --- statements ---------------------------------------------------------------------------- */

static void tell(struct scene *scene, const char *statement)
{
    struct fc_mysql_memory memory = test_memory(&scene->batch.arena);
    struct fc_ddl_scan scan;
    fc_ddl_scan(fc_slice_text(statement), fc_slice_text("shop"), false, true, &memory, &scan);
    scene->observer.on_statement(scene->observer.ctx, &scan);
}

static void assert_plan(struct scene *scene, const char *wanted)
{
    json_t *plan = fc_change_stream_position(scene->stream)->snapshot;
    char *text = plan == NULL ? NULL : json_dumps(plan, JSON_COMPACT);
    assert_string_equal(text == NULL ? "" : text, wanted);
    free(text);
}

static void a_table_whose_rows_moved_is_read_again(void **state)
{
    struct scene *scene = open_scene();
    json_t **plan = &fc_change_stream_position(scene->stream)->snapshot;
    (void)state;
    fc_snapshot_plan_set_key(*plan, json_pack("[[s,s]]", "a", "7"));
    tell(scene, "ALTER TABLE other DROP PARTITION p");
    assert_plan(scene, "{\"tables\":[[\"shop\",\"keyless\"]],\"key\":[[\"a\",\"7\"]]}");
    scene->snapshot->step = FC_SNAPSHOT_STEP_WAIT;
    tell(scene, "ALTER TABLE keyless DROP PARTITION p"); /* under way: from its start */
    assert_plan(scene, "{\"tables\":[[\"shop\",\"keyless\"]]}");
    assert_true(scene->snapshot->worthless);
    json_decref(*plan);
    *plan = NULL;
    assert_true(fc_snapshot_is_done(scene->snapshot));
    tell(scene, "ALTER TABLE keyless ADD c INT");
    assert_plan(scene, "");
    tell(scene,
         "ALTER TABLE other EXCHANGE PARTITION p WITH TABLE keyless"); /* long complete */
    assert_plan(scene, "{\"tables\":[[\"shop\",\"keyless\"]]}");
    assert_int_equal(scene->snapshot->step, FC_SNAPSHOT_STEP_BEGIN);
    close_scene(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stream_stops_at_the_view_also_from_inside_a_transaction),
        cmocka_unit_test(without_a_stop_the_stream_goes_on),
        cmocka_unit_test(only_a_snapshot_that_waits_stops_the_stream),
        cmocka_unit_test(a_table_whose_rows_moved_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
