/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/memory_target.h"

#include <stdlib.h>
#include <strings.h>

#include "core/base/alloc.h"
#include "runner/batch.h"

struct fc_target {
    struct fc_memory_server *server;
    bool interrupted; /* guarded by the server's lock */
};

struct fc_load {
    struct fc_target *target;
    struct fc_memory_table *staging;
    char *db;
    char *table;
};

void fc_memory_server_init(struct fc_memory_server *server)
{
    memset(server, 0, sizeof(*server));
    server->host.size = sizeof(server->host);
    (void)pthread_mutex_init(&server->lock, NULL);
    (void)pthread_cond_init(&server->changed, NULL);
}

static void free_row(struct fc_value *row, uint32_t count)
{
    for (uint32_t index = 0; index < count; index++) {
        if (row[index].kind == FC_VALUE_TEXT || row[index].kind == FC_VALUE_BYTES) {
            free((void *)(uintptr_t)row[index].as.bytes.data);
        }
    }
    free(row);
}

static void free_table(struct fc_memory_table *table)
{
    for (size_t index = 0; index < table->row_count; index++) {
        free_row(table->rows[index], table->shape->column_count);
    }
    free(table->rows);
    free(table->db);
    free(table->name);
    free(table);
}

void fc_memory_server_release(struct fc_memory_server *server)
{
    for (size_t index = 0; index < server->table_count; index++) {
        free_table(server->tables[index]);
    }
    free(server->tables);
    (void)pthread_cond_destroy(&server->changed);
    (void)pthread_mutex_destroy(&server->lock);
}

struct fc_memory_table *fc_memory_server_table(struct fc_memory_server *server, const char *db,
                                               const char *name)
{
    for (size_t index = 0; index < server->table_count; index++) {
        if (strcmp(server->tables[index]->db, db) == 0 &&
            strcmp(server->tables[index]->name, name) == 0) {
            return server->tables[index];
        }
    }
    return NULL;
}

struct fc_memory_table *fc_memory_server_create(struct fc_memory_server *server, const char *db,
                                                const char *name, const struct fc_shape *shape)
{
    struct fc_memory_table *table = fc_new(struct fc_memory_table);
    table->db = fc_strdup(db);
    table->name = fc_strdup(name);
    table->shape = shape;
    server->tables = fc_realloc_array(server->tables, server->table_count + 1,
                                      sizeof(struct fc_memory_table *));
    server->tables[server->table_count++] = table;
    return table;
}

static void drop(struct fc_memory_server *server, struct fc_memory_table *table)
{
    for (size_t index = 0; index < server->table_count; index++) {
        if (server->tables[index] == table) {
            server->tables[index] = server->tables[--server->table_count];
            free_table(table);
            return;
        }
    }
}

static struct fc_value copy_value(struct fc_value value)
{
    if (value.kind == FC_VALUE_TEXT || value.kind == FC_VALUE_BYTES) {
        char *copy = fc_alloc_zeroed(value.as.bytes.len + 1, 1);
        memcpy(copy, value.as.bytes.len == 0 ? (const uint8_t *)"" : value.as.bytes.data,
               value.as.bytes.len);
        value.as.bytes.data = (const uint8_t *)copy;
    }
    return value;
}

static void append_row(struct fc_memory_table *table, struct fc_value *row)
{
    if (table->row_count == table->row_capacity) {
        table->row_capacity = table->row_capacity * 2 + 64;
        table->rows =
            fc_realloc_array(table->rows, table->row_capacity, sizeof(struct fc_value *));
    }
    table->rows[table->row_count++] = row;
}

void fc_memory_table_insert(struct fc_memory_table *table, const struct fc_value *row)
{
    struct fc_value *copy = fc_new_array(struct fc_value, table->shape->column_count);
    for (uint32_t index = 0; index < table->shape->column_count; index++) {
        copy[index] = copy_value(row[index]);
    }
    append_row(table, copy);
}

void fc_memory_table_remove(struct fc_memory_table *table, size_t index)
{
    free_row(table->rows[index], table->shape->column_count);
    table->rows[index] = table->rows[--table->row_count];
}

void fc_memory_server_wait_blocked(struct fc_memory_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    while (!server->blocked) {
        (void)pthread_cond_wait(&server->changed, &server->lock);
    }
    (void)pthread_mutex_unlock(&server->lock);
}

/* --- the operations ---------------------------------------------------------------------- */

static fc_code open_target(const struct fc_host *host, struct fc_target **out_target,
                           struct fc_error *err)
{
    struct fc_target *target = fc_new(struct fc_target);
    (void)err;
    target->server = (struct fc_memory_server *)(uintptr_t)host;
    (void)pthread_mutex_lock(&target->server->lock);
    target->server->opened++;
    (void)pthread_mutex_unlock(&target->server->lock);
    *out_target = target;
    return FC_OK;
}

static fc_code inspect(struct fc_target *target, const char *db, const char *table,
                       struct fc_table_info *out_info, struct fc_error *err)
{
    const struct fc_memory_table *found;
    (void)err;
    memset(out_info, 0, sizeof(*out_info));
    (void)pthread_mutex_lock(&target->server->lock);
    found = fc_memory_server_table(target->server, db, table);
    out_info->exists = found != NULL;
    out_info->empty = found == NULL || found->row_count == 0;
    (void)pthread_mutex_unlock(&target->server->lock);
    return FC_OK;
}

static fc_code load_begin(struct fc_target *target, const struct fc_load_plan *plan,
                          struct fc_load **out_load, struct fc_error *err)
{
    struct fc_memory_server *server = target->server;
    struct fc_load *load = fc_new(struct fc_load);
    char *name = fc_asprintf("_staging_%s", plan->table);
    (void)err;
    load->target = target;
    load->db = fc_strdup(plan->db);
    load->table = fc_strdup(plan->table);
    (void)pthread_mutex_lock(&server->lock);
    load->staging = fc_memory_server_create(server, plan->db, name, plan->shape);
    server->loading++;
    if (server->loading > server->largest_group) {
        server->largest_group = server->loading;
    }
    (void)pthread_mutex_unlock(&server->lock);
    free(name);
    *out_load = load;
    return FC_OK;
}

/* The row in the table's columns. */
static struct fc_value *arrange(const struct fc_shape *to, const struct fc_shape *from,
                                const struct fc_value *row)
{
    struct fc_value *copy = fc_new_array(struct fc_value, to->column_count);
    for (uint32_t index = 0; index < to->column_count; index++) {
        copy[index].kind = FC_VALUE_INT;
        copy[index].as.i64 = FC_MEMORY_DEFAULT;
        for (uint32_t at = 0; at < from->column_count; at++) {
            if (strcasecmp(from->columns[at].name, to->columns[index].name) == 0) {
                copy[index] = copy_value(row[at]);
            }
        }
    }
    return copy;
}

/* With the lock held. */
static fc_code load_row(struct fc_load *load, const struct fc_shape *shape,
                        const struct fc_value *row, struct fc_error *err)
{
    struct fc_memory_server *server = load->target->server;
    struct fc_value *copy;
    server->rows_loaded++;
    if (server->rows_loaded == server->fail_at_row) {
        return fc_fail(err, FC_ERR_IO, "the memory server fails as it was told to");
    }
    while (server->rows_loaded == server->block_at_row && !load->target->interrupted) {
        server->blocked = true;
        (void)pthread_cond_broadcast(&server->changed);
        (void)pthread_cond_wait(&server->changed, &server->lock);
    }
    if (load->target->interrupted) {
        return fc_fail(err, FC_ERR_CLOSED, "interrupted");
    }
    copy = arrange(load->staging->shape, shape, row);
    if (server->rows_loaded == server->spoil_at_row) {
        copy[0].kind = FC_VALUE_INT;
        copy[0].as.i64 = -1;
    }
    append_row(load->staging, copy);
    return FC_OK;
}

static fc_code load_rows(struct fc_load *load, const struct fc_shape *shape,
                         const struct fc_value *values, uint32_t count, struct fc_error *err)
{
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&load->target->server->lock);
    for (uint32_t index = 0; code == FC_OK && index < count; index++) {
        code = load_row(load, shape, values + (size_t)index * shape->column_count, err);
    }
    (void)pthread_mutex_unlock(&load->target->server->lock);
    return code;
}

static fc_code load_finish(struct fc_load *load, uint64_t *out_rows, struct fc_error *err)
{
    (void)err;
    (void)pthread_mutex_lock(&load->target->server->lock);
    *out_rows = load->staging->row_count;
    load->target->server->loading--;
    (void)pthread_mutex_unlock(&load->target->server->lock);
    return FC_OK;
}

static const char *staging_name(const struct fc_load *load)
{
    return load->staging->name;
}

static void free_load(struct fc_load *load)
{
    free(load->db);
    free(load->table);
    free(load);
}

static fc_code load_commit(struct fc_load *load, struct fc_error *err)
{
    struct fc_memory_server *server = load->target->server;
    struct fc_memory_table *old;
    (void)err;
    (void)pthread_mutex_lock(&server->lock);
    old = fc_memory_server_table(server, load->db, load->table);
    if (old != NULL) {
        drop(server, old);
    }
    free(load->staging->name);
    load->staging->name = fc_strdup(load->table);
    (void)pthread_mutex_unlock(&server->lock);
    free_load(load);
    return FC_OK;
}

static void load_abort(struct fc_load *load)
{
    if (load != NULL) {
        (void)pthread_mutex_lock(&load->target->server->lock);
        drop(load->target->server, load->staging);
        (void)pthread_mutex_unlock(&load->target->server->lock);
        free_load(load);
    }
}

static fc_code scan(struct fc_target *target, const char *db, const char *table,
                    struct fc_batch *batch, void (*batch_clear)(struct fc_batch *batch),
                    fc_code (*on_batch)(void *ctx, const struct fc_shape *shape,
                                        struct fc_batch *batch, struct fc_error *err),
                    void *ctx, struct fc_error *err)
{
    const struct fc_memory_table *found = fc_memory_server_table(target->server, db, table);
    fc_code code = FC_OK;
    if (found == NULL) {
        return fc_fail(err, FC_ERR_NOT_FOUND, "%s.%s does not exist", db, table);
    }
    batch_clear(batch);
    for (size_t index = 0; code == FC_OK && index < found->row_count; index++) {
        struct fc_change *change = fc_batch_add(batch);
        fc_assert(change != NULL);
        change->op = FC_OP_READ;
        change->shape = found->shape;
        change->after = found->rows[index];
        if (batch->count == 100) {
            code = on_batch(ctx, found->shape, batch, err);
            batch_clear(batch);
        }
    }
    return code == FC_OK && batch->count > 0 ? on_batch(ctx, found->shape, batch, err) : code;
}

static void interrupt(struct fc_target *target)
{
    (void)pthread_mutex_lock(&target->server->lock);
    target->interrupted = true;
    (void)pthread_cond_broadcast(&target->server->changed);
    (void)pthread_mutex_unlock(&target->server->lock);
}

static void close_target(struct fc_target *target)
{
    if (target != NULL) {
        (void)pthread_mutex_lock(&target->server->lock);
        target->server->opened--;
        (void)pthread_mutex_unlock(&target->server->lock);
        free(target);
    }
}

const struct fc_target_ops fc_memory_target_ops = {
    .size = sizeof(struct fc_target_ops),
    .open = open_target,
    .inspect = inspect,
    .load_begin = load_begin,
    .load_rows = load_rows,
    .load_finish = load_finish,
    .staging_name = staging_name,
    .load_commit = load_commit,
    .load_abort = load_abort,
    .scan = scan,
    .interrupt = interrupt,
    .close = close_target,
};
