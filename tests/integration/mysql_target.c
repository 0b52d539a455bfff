/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives the MySQL connector's target against a real server, one command a run; mysql_target.sh
 * says what must come of it.
 *
 *   mysql_target PLUGIN SOCKET[,USER] COMMAND ARGUMENT...
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"
#include "core/base/hashmap.h"
#include "fc/connector.h"
#include "runner/batch.h"
#include "tests/support/order_rows.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_REFUSED = 3, ORDERS_BATCH = 1000 };

static const struct fc_batch_limits batch_limits = { 5000, 4 << 20, (size_t)256 << 20 };

struct tester {
    struct fc_host host; /* first: option_text gets it back */
    const struct fc_target_ops *ops;
    const char *socket_path;
    const char *user;
};

static const char *option_text(const struct fc_host *host, const char *key)
{
    const struct tester *tester = (const struct tester *)(const void *)host;
    if (strcmp(key, "socket") == 0) {
        return tester->socket_path;
    }
    return strcmp(key, "user") == 0 ? tester->user : NULL;
}

static int64_t option_int(const struct fc_host *host, const char *key)
{
    (void)host;
    return strcmp(key, "connect-timeout") == 0 ? 10000 : 0;
}

static uint32_t option_list(const struct fc_host *host, const char *key,
                            const char *const **out_items)
{
    (void)host;
    (void)key;
    *out_items = NULL;
    return 0;
}

static const char *connector_name(const struct fc_host *host)
{
    (void)host;
    return "test";
}

static void report(const struct fc_host *host, int level, const char *text)
{
    (void)host;
    (void)fprintf(stderr, "report %d: %s\n", level, text);
}

static int fail(const struct fc_error *err)
{
    (void)fprintf(stderr, "error: %s\n", err->message);
    return err->code == FC_ERR_REFUSED ? EXIT_REFUSED : EXIT_FAILED;
}

/* Rows of a scan go into a load as they come. */
struct copy {
    const struct tester *tester;
    struct fc_target *target;
    struct fc_load_plan plan;
    struct fc_load *load;
    struct fc_shape shape; /* with fewer columns, or without its CREATE statement */
    bool no_create;
    char *create_sql;      /* takes the place of the scanned table's */
    unsigned times;        /* how often each row is loaded */
    uint32_t column_count; /* 0: all */
    uint64_t hang_after;   /* rows; 0: never */
    uint64_t interrupt_after;
    uint64_t break_after; /* rows; the load is aborted in the middle of a statement */
    uint64_t rows;
    bool interrupted;
};

static fc_code begin_copy(struct copy *copy, const struct fc_shape *shape, struct fc_error *err)
{
    copy->shape = *shape;
    if (copy->no_create || copy->create_sql != NULL) {
        copy->shape.create_sql = copy->create_sql;
    }
    copy->plan.shape = &copy->shape;
    return copy->tester->ops->load_begin(copy->target, &copy->plan, &copy->load, err);
}

static fc_code load_change(struct copy *copy, const struct fc_value *values,
                           struct fc_error *err)
{
    const struct fc_target_ops *ops = copy->tester->ops;
    fc_code code = FC_OK;
    if (copy->column_count > 0) {
        copy->shape.column_count = copy->column_count;
    }
    for (unsigned time = 0; code == FC_OK && time < copy->times; time++) {
        code = ops->load_rows(copy->load, &copy->shape, values, 1, err);
        copy->rows++;
    }
    if (copy->rows == copy->hang_after) {
        (void)printf("hanging\n");
        (void)fflush(stdout);
        (void)raise(SIGSTOP); /* until who started it goes on with it, or kills it */
    }
    if (code == FC_OK && copy->rows == copy->break_after) {
        return fc_fail(err, FC_ERR_REJECTED, "broken off");
    }
    if (copy->rows == copy->interrupt_after) {
        ops->interrupt(copy->target);
        copy->interrupted = true;
    }
    return code;
}

static fc_code copy_batch(void *ctx, const struct fc_shape *shape, struct fc_batch *batch,
                          struct fc_error *err)
{
    struct copy *copy = ctx;
    fc_code code = FC_OK;
    if (copy->load == NULL) {
        code = begin_copy(copy, shape, err);
    }
    for (uint32_t index = 0; code == FC_OK && index < batch->count; index++) {
        code = load_change(copy, batch->changes[index].after, err);
    }
    return code;
}

static fc_code run_copy(struct copy *copy, const char *db, const char *from, bool abort,
                        struct fc_error *err)
{
    const struct fc_target_ops *ops = copy->tester->ops;
    struct fc_target *source = NULL;
    struct fc_batch *batch = fc_batch_new(&batch_limits);
    uint64_t rows = 0;
    fc_code code = ops->open(&copy->tester->host, &source, err);
    if (code == FC_OK) {
        code = ops->open(&copy->tester->host, &copy->target, err);
    }
    if (code == FC_OK) {
        code = ops->scan(source, db, from, batch, fc_batch_clear, copy_batch, copy, err);
    }
    if (code == FC_OK && copy->load == NULL) {
        code = fc_fail(err, FC_ERR_NOT_FOUND, "the table to copy is empty");
    }
    if (code == FC_OK) {
        code = ops->load_finish(copy->load, &rows, err);
    }
    if (code == FC_OK && !abort) {
        struct fc_load *load = copy->load;
        copy->load = NULL;
        code = ops->load_commit(load, err);
    }
    ops->load_abort(copy->load);
    ops->close(copy->target);
    ops->close(source);
    fc_batch_free(batch);
    if (code == FC_OK) {
        (void)printf("%" PRIu64 "\n", rows);
    }
    return code;
}

/* The statement in a file; the process's end frees it. */
static char *read_create(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    if (file == NULL || getdelim(&text, &size, '\0', file) < 0) {
        (void)fprintf(stderr, "cannot read %s\n", path);
        exit(EXIT_USAGE);
    }
    (void)fclose(file);
    return text;
}

/* copy DB FROM TO [replace] [binlog] [no-create] [create=FILE] [twice] [abort] [columns=N]
 * [hang=N] [interrupt=N] [break=N]; "to" is a table of DB or "OTHER.TABLE". */
static int command_copy(const struct tester *tester, int count, char **arguments)
{
    struct copy copy = { .tester = tester, .times = 1 };
    struct fc_error err = { 0 };
    bool abort = false;
    char *dot = strchr(arguments[2], '.');
    copy.plan.db = arguments[0];
    copy.plan.table = arguments[2];
    if (dot != NULL) {
        *dot = '\0';
        copy.plan.db = arguments[2];
        copy.plan.table = dot + 1;
    }
    for (int index = 3; index < count; index++) {
        const char *word = arguments[index];
        const char *equals = strchr(word, '=');
        uint64_t number = equals == NULL ? 0 : strtoull(equals + 1, NULL, 10);
        copy.plan.replace |= strcmp(word, "replace") == 0;
        copy.plan.write_binlog |= strcmp(word, "binlog") == 0;
        copy.no_create |= strcmp(word, "no-create") == 0;
        copy.times = strcmp(word, "twice") == 0 ? 2 : copy.times;
        abort |= strcmp(word, "abort") == 0;
        if (strncmp(word, "create=", 7) == 0) {
            free(copy.create_sql);
            copy.create_sql = read_create(word + 7);
        }
        copy.column_count =
            strncmp(word, "columns=", 8) == 0 ? (uint32_t)number : copy.column_count;
        copy.hang_after = strncmp(word, "hang=", 5) == 0 ? number : copy.hang_after;
        copy.break_after = strncmp(word, "break=", 6) == 0 ? number : copy.break_after;
        copy.interrupt_after =
            strncmp(word, "interrupt=", 10) == 0 ? number : copy.interrupt_after;
    }
    fc_code code = run_copy(&copy, arguments[0], arguments[1], abort, &err);
    free(copy.create_sql);
    if (code != FC_OK) {
        return copy.interrupted && err.code == FC_ERR_CLOSED ? 0 : fail(&err);
    }
    return 0;
}

/* What a table's rows are, whatever their order. */
struct digest {
    uint64_t rows;
    uint64_t sum;
};

static uint64_t hash_row(const struct fc_shape *shape, const struct fc_value *values,
                         struct fc_buf *scratch)
{
    fc_buf_clear(scratch);
    for (uint32_t index = 0; index < shape->column_count; index++) {
        const struct fc_value *value = &values[index];
        bool sized = value->kind == FC_VALUE_TEXT || value->kind == FC_VALUE_BYTES;
        fc_buf_append_u8(scratch, (uint8_t)shape->columns[index].type);
        fc_buf_append_u8(scratch, (uint8_t)value->kind);
        if (sized) {
            fc_buf_append_le64(scratch, value->as.bytes.len);
            fc_buf_append_slice(scratch, value->as.bytes);
        } else if (value->kind == FC_VALUE_FLOAT) {
            fc_buf_append(scratch, &value->as.f32, sizeof(value->as.f32));
        } else if (value->kind != FC_VALUE_NULL) {
            fc_buf_append_le64(scratch, value->as.u64);
        }
    }
    return fc_hash64(fc_buf_slice(scratch));
}

static fc_code digest_batch(void *ctx, const struct fc_shape *shape, struct fc_batch *batch,
                            struct fc_error *err)
{
    struct digest *digest = ctx;
    struct fc_buf scratch;
    fc_code code;
    fc_buf_init(&scratch, (size_t)1 << 30);
    for (uint32_t index = 0; index < batch->count; index++) {
        digest->sum += hash_row(shape, batch->changes[index].after, &scratch);
        digest->rows++;
    }
    code = fc_buf_check(&scratch, "a row", err);
    fc_buf_release(&scratch);
    return code;
}

/* digest DB TABLE: rows and a number that depends on all their values. */
static int command_digest(const struct tester *tester, int count, char **arguments)
{
    struct digest digest = { 0 };
    struct fc_error err = { 0 };
    struct fc_target *target = NULL;
    struct fc_batch *batch = fc_batch_new(&batch_limits);
    fc_code code = tester->ops->open(&tester->host, &target, &err);
    (void)count;
    if (code == FC_OK) {
        code = tester->ops->scan(target, arguments[0], arguments[1], batch, fc_batch_clear,
                                 digest_batch, &digest, &err);
    }
    tester->ops->close(target);
    fc_batch_free(batch);
    if (code != FC_OK) {
        return fail(&err);
    }
    (void)printf("%" PRIu64 " %016" PRIx64 "\n", digest.rows, digest.sum);
    return 0;
}

static int command_inspect(const struct tester *tester, int count, char **arguments)
{
    struct fc_error err = { 0 };
    struct fc_table_info info = { 0 };
    struct fc_target *target = NULL;
    fc_code code = tester->ops->open(&tester->host, &target, &err);
    (void)count;
    if (code == FC_OK) {
        code = tester->ops->inspect(target, arguments[0], arguments[1], &info, &err);
    }
    tester->ops->close(target);
    if (code != FC_OK) {
        return fail(&err);
    }
    (void)printf("%s %s %s\n", info.exists ? "exists" : "missing",
                 info.empty ? "empty" : "filled", info.fk_parent ? "parent" : "childless");
    return 0;
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static fc_code load_orders(const struct tester *tester, struct fc_load *load,
                           const struct fc_shape *shape, uint64_t count, struct fc_error *err)
{
    struct fc_value *values = fc_new_array(struct fc_value, ORDERS_BATCH * FC_ORDER_COLUMNS);
    char(*amounts)[FC_ORDER_AMOUNT_SIZE] = fc_alloc_zeroed(ORDERS_BATCH, sizeof(*amounts));
    fc_code code = FC_OK;
    for (uint64_t id = 1; code == FC_OK && id <= count;) {
        uint32_t rows = 0;
        while (rows < ORDERS_BATCH && id <= count) {
            fc_order_fill(id++, amounts[rows], values + (size_t)rows * FC_ORDER_COLUMNS);
            rows++;
        }
        code = tester->ops->load_rows(load, shape, values, rows, err);
    }
    free(values);
    free(amounts);
    return code;
}

/* orders DB TABLE COUNT [KEYS]: load made-up orders and say how long each step took; KEYS is
 * SQL like ", KEY (`status`)". */
static int command_orders(const struct tester *tester, int count, char **arguments)
{
    char *create = fc_order_create_sql(count > 3 ? arguments[3] : "");
    struct fc_shape shape = *fc_order_shape();
    struct fc_load_plan plan = {
        .shape = &shape, .db = arguments[0], .table = arguments[1], .replace = true
    };
    struct fc_error err = { 0 };
    struct fc_target *target = NULL;
    struct fc_load *load = NULL;
    uint64_t rows = 0;
    double begun = seconds();
    double encoded = 0;
    double finished = 0;
    fc_code code = tester->ops->open(&tester->host, &target, &err);
    shape.create_sql = create;
    if (code == FC_OK) {
        code = tester->ops->load_begin(target, &plan, &load, &err);
    }
    if (code == FC_OK) {
        code = load_orders(tester, load, &shape, strtoull(arguments[2], NULL, 10), &err);
        encoded = seconds();
    }
    if (code == FC_OK) {
        code = tester->ops->load_finish(load, &rows, &err);
        finished = seconds();
    }
    if (code == FC_OK) {
        struct fc_load *done = load;
        load = NULL;
        code = tester->ops->load_commit(done, &err);
    }
    tester->ops->load_abort(load);
    tester->ops->close(target);
    free(create);
    if (code != FC_OK) {
        return fail(&err);
    }
    (void)printf("%" PRIu64
                 " rows in %.2f s: %.0f rows/s (rows %.2f, finish %.2f, commit %.2f)\n",
                 rows, seconds() - begun, (double)rows / (seconds() - begun), encoded - begun,
                 finished - encoded, seconds() - finished);
    return 0;
}

struct command {
    const char *name;
    int arguments_min;
    int (*run)(const struct tester *tester, int count, char **arguments);
};

static const struct command commands[] = { { "copy", 3, command_copy },
                                           { "digest", 2, command_digest },
                                           { "inspect", 2, command_inspect },
                                           { "orders", 3, command_orders } };

int main(int argc, char **argv)
{
    struct tester tester = { .host = { .size = sizeof(struct fc_host),
                                       .option_text = option_text,
                                       .option_int = option_int,
                                       .option_list = option_list,
                                       .connector_name = connector_name,
                                       .report = report,
                                       .batch_add = fc_batch_add,
                                       .batch_alloc = fc_batch_alloc,
                                       .batch_position = fc_batch_set_position } };
    void *plugin = argc > 3 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    const struct fc_connector *(*entry)(void) = NULL;
    char *comma;
    if (plugin == NULL) {
        (void)fprintf(stderr, "usage: mysql_target PLUGIN SOCKET[,USER] COMMAND ARGUMENT...\n");
        return EXIT_USAGE;
    }
    *(void **)&entry = dlsym(plugin, "fc_connector_entry");
    if (entry == NULL) {
        return EXIT_USAGE;
    }
    tester.ops = entry()->target;
    tester.socket_path = argv[2];
    tester.user = "root";
    comma = strchr(argv[2], ',');
    if (comma != NULL) {
        *comma = '\0';
        tester.user = comma + 1;
    }
    for (size_t index = 0; index < sizeof(commands) / sizeof(commands[0]); index++) {
        if (strcmp(argv[3], commands[index].name) == 0 &&
            argc - 4 >= commands[index].arguments_min) {
            return commands[index].run(&tester, argc - 4, argv + 4);
        }
    }
    return EXIT_USAGE;
}
