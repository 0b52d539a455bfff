/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A target has a session for looking and scanning; each load has one of its own, with the
 * settings that loading wants, which the feed's thread uses while rows go out.
 *
 * A load is cut into statements of some hundred megabytes, each a transaction of its own: the
 * staging table is nobody's yet, and a server undoes one such statement quickly when the load's
 * process dies.
 */
#include "connectors/mysql/target.h"

#include <inttypes.h>
#include <stdlib.h>

#include "connectors/mysql/describe.h"
#include "connectors/mysql/load_feed.h"
#include "connectors/mysql/load_staging.h"
#include "connectors/mysql/load_swap.h"
#include "connectors/mysql/load_text.h"
#include "connectors/mysql/table_scan.h"
#include "core/base/alloc.h"

enum {
    BUFFER_SIZE = 1024 * 1024,
    STATEMENT_SIZE_MAX = 256 * 1024 * 1024,
    INSERT_ROWS_MAX = 1000,
    INSERT_COMMIT_BUFFERS = 64,
    LOOK_TIMEOUT_S = 3600,
    LOAD_TIMEOUT_S = 7 * 86400 /* an index on a large table is silent for long */
};

static const size_t row_size_max = (size_t)3 * 1024 * 1024 * 1024;

struct fc_target {
    const struct fc_host *host;
    struct fc_session *session;
    struct fc_shape **shapes; /* of scans; live as long as the target */
    size_t shape_count;
    pthread_mutex_t lock;
    /* Guarded by lock. */
    struct fc_load *loads;
    bool interrupted;
};

struct fc_load {
    struct fc_target *target;
    struct fc_load *next; /* Guarded by target->lock */
    struct fc_session *session;
    struct fc_staging staging;
    struct fc_load_feed *feed; /* Guarded by target->lock where it changes */
    bool write_binlog;
    fc_load_way way;
    size_t packet_size_max; /* BY_INSERT: of a statement */
    uint64_t rows;
    /* What is being encoded. */
    const struct fc_shape *shape;
    struct fc_load_text text;
    struct fc_buf head; /* the statement up to the rows */
    struct fc_buf *buf; /* taken from the feed, or NULL */
    uint32_t buf_rows;
    uint64_t enum_errors; /* of text, when buf was taken */
    size_t statement_size;
    uint32_t statement_buffers;
    bool statement_open; /* a buffer of it has been given */
};

static fc_code open_target(const struct fc_host *host, struct fc_target **out_target,
                           struct fc_error *err)
{
    struct fc_target *target = fc_new(struct fc_target);
    fc_code code;
    target->host = host;
    (void)pthread_mutex_init(&target->lock, NULL);
    code = fc_session_open(host, FC_SESSION_QUERY, LOOK_TIMEOUT_S, &target->session, err);
    if (code != FC_OK) {
        (void)pthread_mutex_destroy(&target->lock);
        free(target);
        return code;
    }
    *out_target = target;
    return FC_OK;
}

static void close_target(struct fc_target *target)
{
    if (target == NULL) {
        return;
    }
    fc_assert(target->loads == NULL);
    fc_session_close(target->session);
    for (size_t index = 0; index < target->shape_count; index++) {
        fc_describe_free(target->shapes[index]);
    }
    free(target->shapes);
    (void)pthread_mutex_destroy(&target->lock);
    free(target);
}

static void interrupt_target(struct fc_target *target)
{
    (void)pthread_mutex_lock(&target->lock);
    target->interrupted = true;
    fc_session_interrupt(target->session);
    for (struct fc_load *load = target->loads; load != NULL; load = load->next) {
        if (load->feed != NULL) {
            fc_load_feed_stop(load->feed);
        }
        fc_session_interrupt(load->session);
    }
    (void)pthread_mutex_unlock(&target->lock);
}

static fc_code inspect(struct fc_target *target, const char *db, const char *table,
                       struct fc_table_info *out_info, struct fc_error *err)
{
    struct fc_table_name name = { 0 };
    fc_code code;
    fc_table_name_init(&name, db, table);
    code = fc_staging_inspect(target->session, &name, out_info, err);
    fc_table_name_release(&name);
    return code;
}

static fc_code scan(struct fc_target *target, const char *db, const char *table,
                    struct fc_batch *batch, void (*batch_clear)(struct fc_batch *batch),
                    fc_code (*on_batch)(void *ctx, const struct fc_shape *shape,
                                        struct fc_batch *batch, struct fc_error *err),
                    void *ctx, struct fc_error *err)
{
    struct fc_table_scan plan = { batch, batch_clear, on_batch, ctx };
    struct fc_shape *shape = NULL;
    fc_code code = fc_describe_table(target->session, db, table, &shape, err);
    if (code != FC_OK) {
        return code;
    }
    target->shapes =
        fc_realloc_array(target->shapes, target->shape_count + 1, sizeof(struct fc_shape *));
    target->shapes[target->shape_count++] = shape;
    return fc_table_scan_run(target->session, shape, &plan, err);
}

/* Which way rows go, and what limits it. */
static fc_code choose_way(struct fc_load *load, struct fc_error *err)
{
    uint64_t allowed = 0;
    uint64_t packet = 0;
    fc_code code =
        fc_session_query_u64(load->session, "SELECT @@global.local_infile", &allowed, err);
    if (code == FC_OK) {
        code = fc_session_query_u64(load->session, "SELECT @@session.max_allowed_packet",
                                    &packet, err);
    }
    if (code != FC_OK) {
        return code;
    }
    load->way = allowed != 0 ? FC_LOAD_BY_FILE : FC_LOAD_BY_INSERT;
    load->packet_size_max = (size_t)packet;
    if (load->way == FC_LOAD_BY_INSERT) {
        /* MariaDB's bulk insert, which unique_checks=0 turns on, tells of a duplicate only at
         * COMMIT and without naming it. */
        code = fc_session_run(load->session, err, "SET SESSION unique_checks=1");
        load->target->host->report(load->target->host, 1,
                                   "the server has local_infile=OFF, so rows go in by INSERT, "
                                   "several times slower: SET GLOBAL local_infile=1 mends it");
    }
    return code;
}

/* From now on interrupt reaches the load. */
static fc_code enlist(struct fc_load *load, struct fc_error *err)
{
    struct fc_target *target = load->target;
    bool interrupted;
    (void)pthread_mutex_lock(&target->lock);
    load->next = target->loads;
    target->loads = load;
    interrupted = target->interrupted;
    (void)pthread_mutex_unlock(&target->lock);
    return interrupted ? fc_fail(err, FC_ERR_CLOSED, "interrupted") : FC_OK;
}

static void delist(struct fc_load *load)
{
    struct fc_target *target = load->target;
    struct fc_load **at = &target->loads;
    (void)pthread_mutex_lock(&target->lock);
    while (*at != NULL && *at != load) {
        at = &(*at)->next;
    }
    if (*at == load) {
        *at = load->next;
    }
    (void)pthread_mutex_unlock(&target->lock);
}

/* End the feed's thread; the session is the caller's from here on. */
static void end_feed(struct fc_load *load)
{
    struct fc_load_feed *feed;
    (void)pthread_mutex_lock(&load->target->lock);
    feed = load->feed;
    load->feed = NULL;
    (void)pthread_mutex_unlock(&load->target->lock);
    fc_load_feed_free(feed);
}

/* The load's session may be gone, or in the middle of something. */
static fc_code drop_elsewhere(struct fc_load *load, struct fc_error *err)
{
    struct fc_session *session = NULL;
    fc_code code =
        fc_session_open(load->target->host, FC_SESSION_QUERY, LOOK_TIMEOUT_S, &session, err);
    if (code == FC_OK && !load->write_binlog) {
        code = fc_session_run(session, err, "SET SESSION sql_log_bin=0");
    }
    if (code == FC_OK) {
        code = fc_staging_drop(&load->staging, session, err);
    }
    fc_session_close(session);
    return code;
}

static void free_load(struct fc_load *load)
{
    struct fc_error error = { 0 };
    end_feed(load);
    delist(load);
    if (load->staging.created &&
        fc_staging_drop(&load->staging, load->session, &error) != FC_OK &&
        drop_elsewhere(load, &error) != FC_OK) {
        char *text = fc_asprintf("%s could not be dropped; the next restore of %s does it: %s",
                                 load->staging.name.sql, load->staging.to.sql, error.message);
        load->target->host->report(load->target->host, 2, text);
        free(text);
    }
    fc_load_text_release(&load->text);
    fc_buf_release(&load->head);
    fc_staging_release(&load->staging);
    fc_session_close(load->session);
    free(load);
}

static void load_abort(struct fc_load *load)
{
    if (load != NULL) {
        free_load(load);
    }
}

static fc_code start_feed(struct fc_load *load, struct fc_error *err)
{
    struct fc_load_feed *feed = NULL;
    fc_code code = choose_way(load, err);
    if (code == FC_OK) {
        code = fc_load_feed_new(load->session, load->way, row_size_max, &feed, err);
    }
    (void)pthread_mutex_lock(&load->target->lock);
    load->feed = feed;
    (void)pthread_mutex_unlock(&load->target->lock);
    return code;
}

static fc_code load_begin(struct fc_target *target, const struct fc_load_plan *plan,
                          struct fc_load **out_load, struct fc_error *err)
{
    struct fc_load *load = fc_new(struct fc_load);
    fc_code code;
    load->target = target;
    load->write_binlog = plan->write_binlog;
    fc_buf_init(&load->head, BUFFER_SIZE);
    code = fc_session_open(target->host, FC_SESSION_LOAD, LOAD_TIMEOUT_S, &load->session, err);
    if (code != FC_OK) {
        fc_buf_release(&load->head);
        free(load);
        return code;
    }
    code = enlist(load, err);
    if (code == FC_OK) {
        code = fc_staging_create(&load->staging, load->session, plan, err);
    }
    if (code == FC_OK) {
        code = fc_swap_check_triggers(&load->staging, err);
    }
    if (code == FC_OK) {
        code = start_feed(load, err);
    }
    if (code != FC_OK) {
        free_load(load);
        return code;
    }
    *out_load = load;
    return FC_OK;
}

/* Hand over what is in the buffer; last: the statement ends with it. */
static void give(struct fc_load *load, bool last)
{
    struct fc_load_part part = {
        .rows = load->buf_rows,
        .enum_errors = load->text.enum_errors - load->enum_errors,
        .statement = load->way == FC_LOAD_BY_FILE && !load->statement_open
                         ? (const char *)load->head.data
                         : NULL,
        .last = last,
        .lacks_columns = load->text.column_count < load->staging.columns.column_count
    };
    load->rows += load->buf_rows;
    load->statement_size += load->buf->len;
    load->statement_buffers++;
    load->statement_open = !last;
    if (last) {
        load->statement_size = 0;
        load->statement_buffers = 0;
    }
    load->buf = NULL;
    fc_load_feed_give(load->feed, &part);
}

static fc_code take(struct fc_load *load, struct fc_error *err)
{
    fc_code code = fc_load_feed_take(load->feed, &load->buf, err);
    if (code == FC_OK) {
        load->buf_rows = 0;
        load->enum_errors = load->text.enum_errors;
    }
    return code;
}

/* Nothing is sent when no row came since the last end. */
static fc_code end_statement(struct fc_load *load, struct fc_error *err)
{
    fc_code code = FC_OK;
    if (load->buf == NULL && load->statement_open) {
        code = take(load, err);
    }
    if (code == FC_OK && load->buf != NULL) {
        give(load, true);
    }
    return code;
}

static fc_code change_shape(struct fc_load *load, const struct fc_shape *shape,
                            struct fc_error *err)
{
    bool by_file = load->way == FC_LOAD_BY_FILE;
    fc_code code = end_statement(load, err);
    if (code != FC_OK) {
        return code;
    }
    load->shape = NULL;
    fc_load_text_release(&load->text);
    code = fc_load_text_init(&load->text, shape, by_file ? FC_LOAD_FILE : FC_LOAD_VALUES,
                             &load->staging.columns, err);
    if (code != FC_OK) {
        return code;
    }
    fc_buf_clear(&load->head);
    fc_buf_append_fmt(&load->head,
                      by_file ? "LOAD DATA LOCAL INFILE 'rows' INTO TABLE %s CHARACTER SET "
                                "utf8mb4 FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES "
                                "TERMINATED BY '\\n' "
                              : "INSERT INTO %s ",
                      load->staging.name.sql);
    fc_load_text_append_columns(&load->text, &load->head);
    fc_buf_append_text(&load->head, by_file ? "" : " VALUES ");
    fc_buf_append_u8(&load->head, 0);
    load->shape = shape;
    return fc_buf_check(&load->head, "the list of columns", err);
}

static fc_code add_line(struct fc_load *load, const struct fc_value *values,
                        struct fc_error *err)
{
    fc_code code = fc_load_text_append_row(&load->text, values, load->buf, err);
    if (code == FC_OK) {
        load->buf_rows++;
        if (load->buf->len >= BUFFER_SIZE) {
            give(load, load->statement_size + load->buf->len >= STATEMENT_SIZE_MAX);
        }
    }
    return code;
}

/* A row that would make the statement too long for the server goes into the next one. */
static fc_code add_values(struct fc_load *load, const struct fc_value *values,
                          struct fc_error *err)
{
    size_t before = load->buf->len;
    uint64_t enum_errors = load->text.enum_errors;
    fc_code code;
    if (load->buf_rows == 0) {
        fc_buf_append(load->buf, load->head.data, load->head.len - 1);
    } else {
        fc_buf_append_u8(load->buf, ',');
    }
    code = fc_load_text_append_row(&load->text, values, load->buf, err);
    if (code != FC_OK) {
        return code;
    }
    if (load->buf_rows > 0 && load->buf->len >= load->packet_size_max) {
        load->buf->len = before;
        load->text.enum_errors = enum_errors;
        give(load, false);
        code = take(load, err);
        return code == FC_OK ? add_values(load, values, err) : code;
    }
    load->buf_rows++;
    if (load->buf_rows == INSERT_ROWS_MAX || load->buf->len >= BUFFER_SIZE) {
        give(load, load->statement_buffers + 1 >= INSERT_COMMIT_BUFFERS);
    }
    return FC_OK;
}

static fc_code load_rows(struct fc_load *load, const struct fc_shape *shape,
                         const struct fc_value *values, uint32_t count, struct fc_error *err)
{
    fc_code code = FC_OK;
    if (load->shape != shape) {
        code = change_shape(load, shape, err);
    }
    for (uint32_t index = 0; code == FC_OK && index < count; index++) {
        const struct fc_value *row = values + (size_t)index * shape->column_count;
        if (load->buf == NULL) {
            code = take(load, err);
        }
        if (code == FC_OK) {
            code = load->way == FC_LOAD_BY_FILE ? add_line(load, row, err)
                                                : add_values(load, row, err);
        }
    }
    return code == FC_OK
               ? FC_OK
               : fc_wrap(err, "load %s.%s", load->staging.to.db, load->staging.to.table);
}

static fc_code load_finish(struct fc_load *load, uint64_t *out_rows, struct fc_error *err)
{
    fc_code code = end_statement(load, err);
    if (code == FC_OK) {
        code = fc_load_feed_drain(load->feed, err);
    }
    if (code != FC_OK) {
        return fc_wrap(err, "load %s.%s", load->staging.to.db, load->staging.to.table);
    }
    end_feed(load);
    code = fc_staging_add_indexes(&load->staging, err);
    if (code == FC_OK) {
        *out_rows = load->rows;
    }
    return code;
}

static const char *staging_name(const struct fc_load *load)
{
    return load->staging.name.table;
}

static fc_code load_commit(struct fc_load *load, struct fc_error *err)
{
    fc_code code = fc_swap_commit(&load->staging, err);
    free_load(load);
    return code;
}

const struct fc_target_ops fc_mysql_target_ops = { .size = sizeof(struct fc_target_ops),
                                                   .open = open_target,
                                                   .inspect = inspect,
                                                   .load_begin = load_begin,
                                                   .load_rows = load_rows,
                                                   .load_finish = load_finish,
                                                   .staging_name = staging_name,
                                                   .load_commit = load_commit,
                                                   .load_abort = load_abort,
                                                   .scan = scan,
                                                   .interrupt = interrupt_target,
                                                   .close = close_target };
