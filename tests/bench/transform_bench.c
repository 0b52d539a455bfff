/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `transform_bench READY_MADE_DIR [all]`: what one Lua transform costs per change of the table
 * `orders`, as the median of a few rounds of processor time.
 *
 * The first line is the figure of a script that writes one column:
 *   transform_ns_per_change 231
 * With `all`, a line each for scripts that do more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "transforms/transform.h"

enum { CHANGES = 500000, ROUNDS = 7, BATCH = 1000, COLUMNS = 7 };

struct script {
    const char *name;
    const char *uses; /* a ready-made transform, or NULL: text */
    const char *with_json;
    const char *text;
};

static const struct script scripts[] = {
    { "transform_ns_per_change", NULL, NULL,
      "function transform(c) c.after.status = 'X'; return c end\n" },
    { "bare_call_ns", NULL, NULL, "function transform(c) end\n" },
    { "read_and_write_ns", NULL, NULL,
      "function transform(c)\n"
      "  local row = c.after\n"
      "  row.note = row.note:sub(1, 2) .. '***'\n"
      "  return c\n"
      "end\n" },
    { "mask_ns", "mask", "{\"columns\":[\"note\"]}", NULL },
    { "hash_ns", "hash", "{\"columns\":[\"note\"],\"salt\":\"s3cret\"}", NULL },
    { "filter_ns", "filter",
      "{\"where\":[{\"column\":\"status\",\"op\":\"=\",\"value\":\"paid\"}]}", NULL },
    { "rename_ns", "rename", "{\"columns\":{\"note\":\"remark\"}}", NULL },
    { "drop_columns_ns", "drop-columns", "{\"columns\":[\"note\"]}", NULL },
    { "route_ns", "route", "{\"topic\":\"shop.${table}.${status}\"}", NULL },
};

static const struct fc_column columns[COLUMNS] = {
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64, .key_index = 1 },
    { .name = "customer_id",
      .native_type = "int",
      .type = FC_TYPE_INT,
      .bits = 32,
      .nullable = true },
    { .name = "status",
      .native_type = "varchar(16)",
      .type = FC_TYPE_TEXT,
      .length = 16,
      .nullable = true },
    { .name = "amount",
      .native_type = "decimal(10,2)",
      .type = FC_TYPE_DECIMAL,
      .precision = 10,
      .scale = 2,
      .nullable = true },
    { .name = "note",
      .native_type = "varchar(200)",
      .type = FC_TYPE_TEXT,
      .length = 200,
      .nullable = true },
    { .name = "created_at",
      .native_type = "datetime(6)",
      .type = FC_TYPE_DATETIME,
      .precision = 6,
      .nullable = true },
    { .name = "updated_at",
      .native_type = "timestamp",
      .type = FC_TYPE_TIMESTAMP,
      .nullable = true },
};

static const struct fc_shape shape = {
    .db = "shop",
    .table = "orders",
    .columns = columns,
    .column_count = COLUMNS,
    .key_count = 1,
};

static struct fc_value text_value(const char *text)
{
    struct fc_value value = { .kind = FC_VALUE_TEXT };
    value.as.bytes = fc_slice_text(text);
    return value;
}

static struct fc_value int_value(int64_t number)
{
    struct fc_value value = { .kind = FC_VALUE_INT };
    value.as.i64 = number;
    return value;
}

static void fill_row(struct fc_value *row, int64_t id)
{
    row[0] = int_value(id);
    row[1] = int_value(4711);
    row[2] = text_value("paid");
    row[3] = text_value("129.90");
    row[4] = text_value("please ring twice and leave it with the neighbours");
    row[5] = int_value(1700000000123456);
    row[6] = int_value(1700000000000000);
}

static double cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare_doubles(const void *left, const void *right)
{
    const double *a = left;
    const double *b = right;
    return (*a > *b) - (*a < *b);
}

/* Processor time per change of one round, or -1 when a change failed. */
static double one_round(struct fc_transform_engine *engine, const struct fc_change *change,
                        struct fc_arena *arena)
{
    double begin = cpu_ns();
    for (int done = 0; done < CHANGES; done++) {
        struct fc_transformed *results = NULL;
        uint32_t count = 0;
        struct fc_error err;
        if (done % BATCH == 0) {
            fc_arena_clear(arena);
            fc_transform_engine_begin_batch(engine);
        }
        if (fc_transform_run(engine, change, arena, &results, &count, &err) != FC_OK ||
            count != 1) {
            (void)fprintf(stderr, "%s\n", count == 1 ? err.message : "no result");
            return -1;
        }
    }
    return (cpu_ns() - begin) / CHANGES;
}

static double measure(struct fc_transform_engine *engine)
{
    struct fc_value before[COLUMNS];
    struct fc_value after[COLUMNS];
    struct fc_change change;
    struct fc_arena arena;
    double rounds[ROUNDS];
    fill_row(before, 1);
    fill_row(after, 1);
    memset(&change, 0, sizeof(change));
    change.op = FC_OP_UPDATE;
    change.shape = &shape;
    change.before = before;
    change.after = after;
    fc_arena_init(&arena, (size_t)64 * 1024 * 1024);
    for (int round = 0; round < ROUNDS; round++) {
        rounds[round] = one_round(engine, &change, &arena);
        if (rounds[round] < 0) {
            break;
        }
    }
    fc_arena_release(&arena);
    qsort(rounds, ROUNDS, sizeof(rounds[0]), compare_doubles);
    return rounds[ROUNDS / 2];
}

static bool write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    bool written = file != NULL && fputs(text, file) >= 0;
    return file != NULL && fclose(file) == 0 && written;
}

static bool bench(const struct script *script, const char *ready_made_dir, const char *dir)
{
    struct fc_transform_config config = { .base_dir = dir, .ready_made_dir = ready_made_dir };
    struct fc_transform_step step = { .uses = script->uses == NULL ? "bench.lua" : script->uses,
                                      .with_json = script->with_json };
    struct fc_transform_chain *chain = NULL;
    struct fc_transform_engine *engine = NULL;
    struct fc_error err;
    double ns = -1;
    char *path = fc_asprintf("%s/bench.lua", dir);
    if (script->text != NULL && !write_text(path, script->text)) {
        perror(path);
    } else if (fc_transform_chain_new(&step, 1, &config, &chain, &err) != FC_OK ||
               fc_transform_engine_new(chain, &engine, &err) != FC_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
    } else {
        ns = measure(engine);
    }
    fc_transform_engine_free(engine);
    fc_transform_chain_free(chain);
    free(path);
    if (ns >= 0) {
        (void)printf("%s %.0f\n", script->name, ns);
    }
    return ns >= 0;
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/transform-bench-XXXXXX";
    bool all = argc == 3 && strcmp(argv[2], "all") == 0;
    bool good = true;
    char *path;
    if (argc < 2) {
        (void)fprintf(stderr, "usage: transform_bench READY_MADE_DIR [all]\n");
        return 2;
    }
    if (mkdtemp(dir) == NULL) {
        perror(dir);
        return 1;
    }
    for (size_t index = 0; index < (all ? sizeof(scripts) / sizeof(scripts[0]) : 1); index++) {
        good = bench(&scripts[index], argv[1], dir) && good;
    }
    path = fc_asprintf("%s/bench.lua", dir);
    (void)unlink(path);
    (void)rmdir(dir); /* a left-over empty directory in /tmp does no harm */
    free(path);
    return good ? 0 : 1;
}
