/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random histories (inserts, updates, deletes, key changes, TRUNCATE, RENAME, DROP, CREATE, restores
 * of tables) are written into a real log and into a model that keeps the state after each
 * transaction; at random cuts the fold must give exactly the model's rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/base/alloc.h"
#include "core/stream/embedded.h"
#include "runner/restore/emit.h"
#include "tests/support/log_writer.h"
#include "tests/support/sample_rows.h"
#include "tests/support/temp_dir.h"

enum { NAMES = 6, IDS = 400, IMAGES = 7, STEPS = 300, SEQS = STEPS + 32, CUTS = 8, SEEDS = 20 };

static const char *const names[NAMES] = { "a", "b", "c", "d", "e", "f" };

struct object {
    bool exists;
    bool keyed;
    bool had_row;
    int16_t values[IDS];     /* keyed: by id; 0: no such row */
    uint16_t copies[IMAGES]; /* not keyed: how often each image is there */
};

struct state {
    struct object objects[NAMES];
};

struct history {
    uint64_t random;
    struct state now;
    struct state *after; /* by transaction number */
    uint64_t first_cut;  /* all snapshots are complete here */
    uint64_t seq;
    struct fc_log_writer *writer;
    char tx_id[32];
};

static uint64_t next_random(struct history *history, uint64_t below)
{
    history->random = history->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (history->random >> 33) % below;
}

/* --- shapes ------------------------------------------------------------------------------ */

static const struct fc_column keyed_columns[] = {
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64, .key_index = 1 },
    { .name = "v", .native_type = "int", .type = FC_TYPE_INT, .bits = 32, .nullable = true },
};
static const struct fc_column plain_columns[] = {
    { .name = "v", .native_type = "int", .type = FC_TYPE_INT, .bits = 32 },
};
static struct fc_shape shapes[NAMES][2]; /* filled once; by name and keyed */

static int fill_shapes(void **state)
{
    (void)state;
    for (int name = 0; name < NAMES; name++) {
        for (int keyed = 0; keyed < 2; keyed++) {
            struct fc_shape *shape = &shapes[name][keyed];
            memset(shape, 0, sizeof(*shape));
            shape->db = "d";
            shape->table = names[name];
            shape->columns = keyed ? keyed_columns : plain_columns;
            shape->column_count = keyed ? 2 : 1;
            shape->key_count = keyed ? 1 : 0;
        }
    }
    return 0;
}

/* --- writing ----------------------------------------------------------------------------- */

static void begin(struct history *history, bool snapshot)
{
    (void)snprintf(history->tx_id, sizeof(history->tx_id), "0-1-%d", (int)history->seq + 1);
    history->seq = fc_log_writer_begin(history->writer, snapshot ? NULL : history->tx_id,
                                       (int64_t)(1700000000 + history->seq) * 1000000);
}

static void commit(struct history *history)
{
    fc_log_writer_commit(history->writer);
    history->after[history->seq] = history->now;
}

static void write_keyed(struct history *history, int name, fc_op op, int64_t old_id,
                        int64_t new_id, int16_t value)
{
    struct object *object = &history->now.objects[name];
    struct fc_value before[2];
    struct fc_value after[2];
    before[0] = fc_sample_int(old_id);
    before[1] = fc_sample_int(object->values[old_id]);
    after[0] = fc_sample_int(new_id);
    after[1] = fc_sample_int(value);
    fc_log_writer_row(history->writer, op, &shapes[name][1],
                      op == FC_OP_CREATE || op == FC_OP_READ ? NULL : before,
                      op == FC_OP_DELETE ? NULL : after);
    object->had_row = true;
    object->values[old_id] = 0;
    if (op != FC_OP_DELETE) {
        object->values[new_id] = value;
    }
}

static void change_keyed(struct history *history, int name)
{
    struct object *object = &history->now.objects[name];
    int64_t id = (int64_t)next_random(history, IDS);
    int64_t other = (int64_t)next_random(history, IDS);
    int16_t value = (int16_t)(1 + next_random(history, 30000));
    if (object->values[id] == 0) {
        write_keyed(history, name, FC_OP_CREATE, id, id, value);
    } else if (next_random(history, 3) == 0) {
        write_keyed(history, name, FC_OP_DELETE, id, id, 0);
    } else if (next_random(history, 3) == 0 && object->values[other] == 0) {
        write_keyed(history, name, FC_OP_UPDATE, id, other, value);
    } else {
        write_keyed(history, name, FC_OP_UPDATE, id, id, value);
    }
}

static void change_plain(struct history *history, int name)
{
    struct object *object = &history->now.objects[name];
    uint64_t image = next_random(history, IMAGES);
    uint64_t other = next_random(history, IMAGES);
    struct fc_value before = fc_sample_int((int64_t)image);
    struct fc_value after = fc_sample_int((int64_t)other);
    const struct fc_shape *shape = &shapes[name][0];
    object->had_row = true;
    if (object->copies[image] == 0 || next_random(history, 2) == 0) {
        fc_log_writer_row(history->writer, FC_OP_CREATE, shape, NULL, &after);
        object->copies[other]++;
    } else if (next_random(history, 2) == 0) {
        fc_log_writer_row(history->writer, FC_OP_UPDATE, shape, &before, &after);
        object->copies[image]--;
        object->copies[other]++;
    } else {
        fc_log_writer_row(history->writer, FC_OP_DELETE, shape, &before, NULL);
        object->copies[image]--;
    }
}

static void change_rows(struct history *history)
{
    uint64_t count = next_random(history, 20) == 0 ? 300 : 1 + next_random(history, 6);
    begin(history, false);
    for (uint64_t index = 0; index < count; index++) {
        int name = (int)next_random(history, NAMES);
        if (!history->now.objects[name].exists) {
            continue;
        }
        if (history->now.objects[name].keyed) {
            change_keyed(history, name);
        } else {
            change_plain(history, name);
        }
    }
    commit(history);
}

static void write_ddl(struct history *history, fc_ddl_kind kind, const char *statement,
                      const struct fc_ddl_table *tables, uint32_t count)
{
    begin(history, false);
    fc_log_writer_ddl(history->writer, kind, "d", statement, tables, count);
    commit(history);
}

static struct fc_ddl_table ddl_table(const char *name, const char *new_name)
{
    struct fc_ddl_table table;
    memset(&table, 0, sizeof(table));
    table.db = fc_slice_text("d");
    table.table = fc_slice_text(name);
    if (new_name != NULL) {
        table.new_db = fc_slice_text("d");
        table.new_table = fc_slice_text(new_name);
    }
    return table;
}

static void create_or_drop(struct history *history, int name)
{
    struct object *object = &history->now.objects[name];
    struct fc_ddl_table table = ddl_table(names[name], NULL);
    bool exists = object->exists;
    memset(object, 0, sizeof(*object));
    object->exists = !exists;
    object->keyed = next_random(history, 3) != 0;
    if (exists) {
        write_ddl(history, FC_DDL_DROP_TABLE, "DROP TABLE x", &table, 1);
    } else {
        write_ddl(history, FC_DDL_CREATE_TABLE, "CREATE TABLE x (...)", &table, 1);
    }
}

static void rename_or_swap(struct history *history, int from, int to)
{
    struct object moved = history->now.objects[from];
    struct fc_ddl_table tables[3];
    if (from == to || !moved.exists) {
        return;
    }
    history->now.objects[from] = history->now.objects[to];
    history->now.objects[to] = moved;
    if (!history->now.objects[from].exists) {
        tables[0] = ddl_table(names[from], names[to]);
        write_ddl(history, FC_DDL_RENAME_TABLE, "RENAME TABLE x TO y", tables, 1);
    } else {
        tables[0] = ddl_table(names[from], "tmp");
        tables[1] = ddl_table(names[to], names[from]);
        tables[2] = ddl_table("tmp", names[to]);
        write_ddl(history, FC_DDL_RENAME_TABLE, "RENAME TABLE x TO t, y TO x, t TO y", tables,
                  3);
    }
}

static void truncate_table(struct history *history, int name)
{
    struct object *object = &history->now.objects[name];
    if (!object->exists) {
        return;
    }
    memset(object->values, 0, sizeof(object->values));
    memset(object->copies, 0, sizeof(object->copies));
    begin(history, false);
    fc_log_writer_truncate(history->writer, "d", names[name]);
    commit(history);
}

/* As a restore does that is not in the binlog: the table is what it was at an earlier number. */
static void put_back(struct history *history, int name)
{
    uint64_t cut =
        history->first_cut + next_random(history, history->seq - history->first_cut + 1);
    if (!history->after[cut].objects[name].exists) {
        return;
    }
    history->seq = fc_log_writer_mark(history->writer, "d", names[name], cut);
    history->now.objects[name] = history->after[cut].objects[name];
    history->after[history->seq] = history->now;
}

static void write_snapshots(struct history *history)
{
    for (int name = 0; name < 3; name++) {
        struct object *object = &history->now.objects[name];
        struct fc_value row[2] = { fc_sample_int(5), fc_sample_int(77) };
        object->exists = true;
        object->had_row = true;
        object->keyed = name != 2;
        if (name == 2) { /* an attempt that is cut short, and then all of it */
            begin(history, true);
            fc_log_writer_row(history->writer, FC_OP_READ, &shapes[2][0], NULL, row);
            commit(history);
        }
        begin(history, true);
        fc_log_writer_row(history->writer, FC_OP_READ, &shapes[name][object->keyed], NULL,
                          object->keyed ? row : &row[0]);
        if (object->keyed) {
            object->values[5] = 77;
        } else {
            object->copies[5] = 2;
        }
        if (name == 1) { /* what changes between two chunks is in the log between them */
            commit(history);
            begin(history, false);
            write_keyed(history, 1, FC_OP_UPDATE, 5, 5, 99);
            commit(history);
            begin(history, true);
            row[0] = fc_sample_int(6);
            object->values[6] = 77;
        }
        fc_log_writer_snapshot_end(history->writer, &shapes[name][object->keyed], row);
        if (name == 0) {
            object->values[5] = 77;
        }
        commit(history);
    }
    history->first_cut = history->seq;
}

static void write_history(struct history *history)
{
    write_snapshots(history);
    for (int step = 0; step < STEPS; step++) {
        int name = (int)next_random(history, NAMES);
        switch (next_random(history, 30)) {
        case 0:
            create_or_drop(history, name);
            break;
        case 1:
            rename_or_swap(history, name, (int)next_random(history, NAMES));
            break;
        case 2:
            truncate_table(history, name);
            break;
        case 3:
            put_back(history, name);
            break;
        default:
            change_rows(history);
            break;
        }
    }
    fc_log_writer_checkpoint(history->writer);
}

/* --- comparing --------------------------------------------------------------------------- */

static fc_code count_row(void *ctx, const struct fc_emit_row *row, struct fc_error *err)
{
    struct state *seen = ctx;
    json_t *image = json_loadb((const char *)row->image.data, row->image.len, 0, NULL);
    int name = row->table->table[0] - 'a';
    struct object *object = &seen->objects[name];
    json_int_t value = json_integer_value(json_object_get(image, "v"));
    (void)err;
    assert_non_null(image);
    if (row->table->keyed) {
        json_int_t id = json_integer_value(json_object_get(image, "id"));
        assert_int_equal(object->values[id], 0);
        object->values[id] = (int16_t)value;
        assert_int_equal(row->copies, 1);
    } else {
        assert_int_equal(object->copies[value], 0);
        object->copies[value] = (uint16_t)row->copies;
    }
    json_decref(image);
    return FC_OK;
}

static void compare_at(const struct history *history, const struct fc_log_view *view,
                       uint64_t cut, size_t memory_bytes, uint32_t *out_passes)
{
    const struct state *expected = &history->after[cut];
    struct fc_fold_config config;
    struct fc_emit_config emit;
    struct fc_fold *fold = NULL;
    struct state *seen = fc_new(struct state);
    struct fc_error err;
    bool sorted = cut % 2 == 1;
    uint64_t rows = 0;
    uint64_t expected_rows = 0;
    uint32_t expected_tables = 0;
    fc_code code;
    memset(&config, 0, sizeof(config));
    config.view = view;
    config.cut_seq = cut;
    config.memory_bytes = memory_bytes;
    code = fc_fold_run(&config, &fold, &err);
    for (int name = 0; name < NAMES; name++) {
        expected_tables +=
            expected->objects[name].exists && expected->objects[name].had_row ? 1 : 0;
    }
    if (expected_tables == 0) {
        assert_int_equal(code, FC_ERR_NOT_FOUND);
        free(seen);
        return;
    }
    if (code != FC_OK) {
        print_message("cut %d: %s\n", (int)cut, err.message);
    }
    assert_int_equal(code, FC_OK);
    assert_int_equal(fold->table_count, expected_tables);
    memset(&emit, 0, sizeof(emit));
    emit.view = view;
    emit.tables = fold->tables;
    emit.table_count = fold->table_count;
    emit.sort_bytes = sorted ? 1 : 0;
    emit.sort_dir = "/tmp";
    emit.on_row = count_row;
    emit.ctx = seen;
    assert_int_equal(fc_emit(&emit, &err), FC_OK);
    for (int name = 0; name < NAMES; name++) {
        const struct object *object = &expected->objects[name];
        assert_memory_equal(seen->objects[name].values, object->values, sizeof(object->values));
        assert_memory_equal(seen->objects[name].copies, object->copies, sizeof(object->copies));
        for (int id = 0; id < IDS; id++) {
            expected_rows += object->values[id] != 0 ? 1 : 0;
        }
        for (int image = 0; image < IMAGES; image++) {
            expected_rows += object->copies[image];
        }
    }
    for (uint32_t index = 0; index < fold->table_count; index++) {
        rows += fold->tables[index]->rows;
    }
    assert_int_equal(rows, expected_rows);
    *out_passes = fold->passes > *out_passes ? fold->passes : *out_passes;
    fc_fold_free(fold);
    free(seen);
}

static void run_seed(uint64_t seed, uint32_t *out_passes)
{
    static const char *const topics[] = { "cap", "data", "data.${table}" };
    struct fc_log_writer_config config;
    struct fc_log_view_config view_config;
    struct fc_embedded_config embedded;
    struct history *history = fc_new(struct history);
    struct fc_log_view *view = NULL;
    struct fc_stream *stream = NULL;
    struct fc_error err;
    char *dir = temp_dir_new();
    memset(&embedded, 0, sizeof(embedded));
    embedded.dir = dir;
    assert_int_equal(fc_embedded_open(&embedded, &stream, &err), FC_OK);
    memset(&config, 0, sizeof(config));
    config.stream = stream;
    config.connector = "cap";
    config.topic = topics[seed % 3];
    config.partitions = 1 + (uint32_t)(seed / 3 % 3);
    config.tombstones = seed % 2 == 0;
    history->random = seed;
    history->after = fc_new_array(struct state, SEQS);
    history->writer = fc_log_writer_new(&config);
    write_history(history);
    memset(&view_config, 0, sizeof(view_config));
    view_config.stream = stream;
    view_config.clock = fc_clock_system();
    view_config.connector = "cap";
    view_config.topic = config.topic;
    if (fc_log_view_open(&view_config, &view, &err) != FC_OK) {
        print_message("%s\n", err.message);
    }
    assert_non_null(view);
    assert_int_equal(view->complete_seq, history->seq);
    for (int index = 0; index < CUTS; index++) {
        uint64_t cut = index == 0
                           ? history->seq
                           : history->first_cut +
                                 next_random(history, history->seq - history->first_cut + 1);
        compare_at(history, view, cut, index % 2 == 0 ? 1024U * 1024 : (size_t)56 * 1024,
                   out_passes);
    }
    fc_log_view_close(view);
    fc_log_writer_free(history->writer);
    fc_stream_close(stream);
    temp_dir_free(dir);
    free(history->after);
    free(history);
}

static void a_fold_gives_what_the_tables_held_at_any_cut(void **state)
{
    uint32_t passes = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run_seed(seed, &passes);
    }
    assert_in_range(passes, 2, 1000); /* the small memory did make it come in several passes */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fold_gives_what_the_tables_held_at_any_cut),
    };
    return cmocka_run_group_tests(tests, fill_shapes, NULL);
}
