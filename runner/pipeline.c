/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/pipeline.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/deadline.h"
#include "runner/reader.h"
#include "runner/worker.h"

enum {
    PIPELINE_WORKERS_MAX = 16,
    PIPELINE_WORKERS_AUTO_MAX = 4,
    /* A unit's share of the file's batch-size: changes are about a quarter of what they become
     * encoded; changes, encoded and compressed records together cost three times that. */
    PIPELINE_UNIT_CHANGES_SHARE = 4,
    PIPELINE_UNIT_COST = 3,
    PIPELINE_CHANGE_BYTES = 256, /* of batch-size for one change, to bound their number */
    PIPELINE_MARK_WAIT_MS = 30000,
    PIPELINE_BACKOFF_FIRST_MS = 100, /* until a log that failed is tried again */
    PIPELINE_BACKOFF_MAX_MS = 5000
};

struct fc_pipeline {
    struct fc_pipeline_config config;
    struct fc_unit_ring ring;
    struct fc_room room;
    struct fc_resume resume;
    struct fc_schema_store *schemas;
    struct fc_reader *reader;
    struct fc_writer *writer;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Guarded by lock. */
    struct fc_transform_chain *
        *chains; /* the last is in use; engines of others may still live */
    size_t chain_count;
    bool running; /* reader and writer may be used */
    bool stopping;
    bool failed;
    uint64_t marks;        /* restore markers made durable */
    struct fc_error error; /* the writer's */
    struct fc_pipeline_status last;
};

struct worker_thread {
    struct fc_pipeline *pipeline;
    struct fc_worker *worker;
    size_t chain; /* number of the chain that its engine has */
    pthread_t thread;
};

struct fc_pipeline *fc_pipeline_new(const struct fc_pipeline_config *config,
                                    struct fc_transform_chain *chain)
{
    struct fc_pipeline *pipeline = fc_new(struct fc_pipeline);
    pipeline->config = *config;
    fc_resume_init(&pipeline->resume);
    (void)pthread_mutex_init(&pipeline->lock, NULL);
    fc_deadline_cond_init(&pipeline->changed);
    fc_room_init(&pipeline->room, config->diag);
    fc_pipeline_set_chain(pipeline, chain);
    return pipeline;
}

void fc_pipeline_free(struct fc_pipeline *pipeline)
{
    if (pipeline != NULL) {
        for (size_t index = 0; index < pipeline->chain_count; index++) {
            fc_transform_chain_free(pipeline->chains[index]);
        }
        free(pipeline->chains);
        (void)pthread_cond_destroy(&pipeline->changed);
        fc_room_release(&pipeline->room);
        (void)pthread_mutex_destroy(&pipeline->lock);
        free(pipeline);
    }
}

static void lock(struct fc_pipeline *pipeline)
{
    (void)pthread_mutex_lock(&pipeline->lock);
}

static void unlock(struct fc_pipeline *pipeline)
{
    (void)pthread_mutex_unlock(&pipeline->lock);
}

void fc_pipeline_set_chain(struct fc_pipeline *pipeline, struct fc_transform_chain *chain)
{
    lock(pipeline);
    pipeline->chains = fc_realloc_array(pipeline->chains, pipeline->chain_count + 1,
                                        sizeof(struct fc_transform_chain *));
    pipeline->chains[pipeline->chain_count++] = chain;
    unlock(pipeline);
}

/* --- threads ----------------------------------------------------------------------------------- */

static fc_code follow_chain(struct worker_thread *self, struct fc_error *err)
{
    struct fc_pipeline *pipeline = self->pipeline;
    struct fc_transform_engine *engine = NULL;
    const struct fc_transform_chain *chain;
    size_t number;
    fc_code code = FC_OK;
    lock(pipeline);
    number = pipeline->chain_count;
    chain = pipeline->chains[number - 1];
    unlock(pipeline);
    if (self->chain == number) {
        return FC_OK;
    }
    if (chain != NULL) {
        code = fc_transform_engine_new(chain, &engine, err);
    }
    if (code == FC_OK) {
        fc_worker_set_engine(self->worker, engine);
        self->chain = number;
    }
    return code;
}

static void *work(void *ctx)
{
    struct worker_thread *self = ctx;
    struct fc_unit_ring *ring = &self->pipeline->ring;
    struct fc_unit *unit = fc_unit_ring_take(ring);
    while (unit != NULL) {
        unit->code = follow_chain(self, &unit->error);
        if (unit->code == FC_OK) {
            fc_worker_run(self->worker, unit, fc_reader_engine(self->pipeline->reader));
        }
        fc_unit_ring_worked(ring, unit);
        unit = fc_unit_ring_take(ring);
    }
    return NULL;
}

static void *write_all(void *ctx)
{
    struct fc_pipeline *pipeline = ctx;
    fc_writer_run(pipeline->writer);
    return NULL;
}

static void on_writer_failed(void *ctx, const struct fc_error *error)
{
    struct fc_pipeline *pipeline = ctx;
    lock(pipeline);
    pipeline->failed = true;
    pipeline->error = *error;
    unlock(pipeline);
    fc_reader_stop(pipeline->reader);
}

static void on_marked(void *ctx)
{
    struct fc_pipeline *pipeline = ctx;
    lock(pipeline);
    pipeline->marks++;
    (void)pthread_cond_broadcast(&pipeline->changed);
    unlock(pipeline);
}

static uint32_t worker_count(const struct fc_pipeline *pipeline)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t wanted = pipeline->config.config->workers;
    if (wanted == 0) {
        wanted = cores < 1 ? 1 : (uint32_t)cores;
        return wanted > PIPELINE_WORKERS_AUTO_MAX ? PIPELINE_WORKERS_AUTO_MAX : wanted;
    }
    return wanted > PIPELINE_WORKERS_MAX ? PIPELINE_WORKERS_MAX : wanted;
}

static void init_ring(struct fc_pipeline *pipeline, uint32_t workers)
{
    size_t batch_bytes = pipeline->config.config->batch_bytes;
    size_t size = pipeline->config.config->memory_bytes / (batch_bytes * PIPELINE_UNIT_COST);
    struct fc_batch_limits limits;
    memset(&limits, 0, sizeof(limits));
    limits.count_max = (uint32_t)(batch_bytes / PIPELINE_CHANGE_BYTES);
    limits.bytes_max = batch_bytes / PIPELINE_UNIT_CHANGES_SHARE;
    limits.bytes_hard_max = pipeline->config.config->topic_config.record_bytes_max * 4;
    size = size < workers + 2 ? workers + 2 : size;
    size = size > 4 * workers + 4 ? 4 * workers + 4 : size;
    fc_unit_ring_init(&pipeline->ring, size, &limits);
}

static struct worker_thread *start_workers(struct fc_pipeline *pipeline, uint32_t count)
{
    struct worker_thread *threads = fc_new_array(struct worker_thread, count);
    struct fc_worker_config config;
    memset(&config, 0, sizeof(config));
    config.records.config = pipeline->config.config;
    config.records.fields = pipeline->config.plugin->source->fields;
    config.records.stream = pipeline->config.stream;
    config.records.schemas = pipeline->schemas;
    config.records.resume = &pipeline->resume;
    config.records.clock = pipeline->config.clock;
    config.records.room = &pipeline->room;
    config.diag = pipeline->config.diag;
    for (uint32_t index = 0; index < count; index++) {
        int status;
        threads[index].pipeline = pipeline;
        threads[index].worker = fc_worker_new(&config);
        status = pthread_create(&threads[index].thread, NULL, work, &threads[index]);
        fc_assert(status == 0);
        (void)pthread_setname_np(threads[index].thread, "worker"); /* only for people */
    }
    return threads;
}

static void make_parts(struct fc_pipeline *pipeline, struct fc_checkpoint *checkpoint)
{
    struct fc_writer_config writer;
    struct fc_reader_config reader;
    memset(&writer, 0, sizeof(writer));
    writer.connector = pipeline->config.config->name;
    writer.stream = pipeline->config.stream;
    writer.schemas = pipeline->schemas;
    writer.ring = &pipeline->ring;
    writer.room = &pipeline->room;
    writer.clock = pipeline->config.clock;
    writer.diag = pipeline->config.diag;
    writer.on_failed = on_writer_failed;
    writer.on_marked = on_marked;
    writer.ctx = pipeline;
    pipeline->writer = fc_writer_new(&writer, checkpoint);
    memset(&reader, 0, sizeof(reader));
    reader.connector = pipeline->config.config->name;
    reader.source = pipeline->config.plugin->source;
    reader.host = pipeline->config.host;
    reader.stream = pipeline->config.stream;
    reader.schemas = pipeline->schemas;
    reader.ring = &pipeline->ring;
    reader.writer = pipeline->writer;
    reader.resume = &pipeline->resume;
    reader.until_end = pipeline->config.until_end;
    reader.clock = pipeline->config.clock;
    reader.diag = pipeline->config.diag;
    pipeline->reader = fc_reader_new(&reader, checkpoint);
}

/* --- one run ----------------------------------------------------------------------------------- */

static void set_running(struct fc_pipeline *pipeline, bool running)
{
    struct fc_pipeline_status last;
    if (!running) {
        fc_pipeline_status(pipeline, &last);
    }
    lock(pipeline);
    pipeline->running = running;
    if (running && pipeline->stopping) {
        fc_reader_stop(pipeline->reader);
        fc_room_give_up(&pipeline->room);
    }
    if (!running) {
        pipeline->last = last;
        pipeline->last.connected = false;
        (void)pthread_cond_broadcast(&pipeline->changed);
    }
    unlock(pipeline);
}

static fc_code run_threads(struct fc_pipeline *pipeline, struct fc_error *err)
{
    uint32_t workers = worker_count(pipeline);
    struct worker_thread *threads;
    pthread_t writer;
    int status;
    fc_code code;
    threads = start_workers(pipeline, workers);
    status = pthread_create(&writer, NULL, write_all, pipeline);
    fc_assert(status == 0);
    (void)pthread_setname_np(writer, "writer");
    (void)pthread_setname_np(pthread_self(), "reader");
    set_running(pipeline, true);
    code = fc_reader_run(pipeline->reader, err);
    for (uint32_t index = 0; index < workers; index++) {
        (void)pthread_join(threads[index].thread, NULL);
        fc_worker_free(threads[index].worker);
    }
    (void)pthread_join(writer, NULL);
    set_running(pipeline, false);
    free(threads);
    lock(pipeline);
    if (pipeline->failed && pipeline->stopping &&
        (pipeline->error.code == FC_ERR_FULL || pipeline->error.code == FC_ERR_TIMEOUT)) {
        code = FC_OK; /* as asked for; what had no room is read again at the next start */
    } else if (pipeline->failed) { /* the reader only stopped because the writer did */
        *err = pipeline->error;
        code = err->code;
    }
    unlock(pipeline);
    return code;
}

/* From what the log holds to a stop, the end or an error. */
static fc_code live(struct fc_pipeline *pipeline, struct fc_error *err)
{
    const char *name = pipeline->config.config->name;
    struct fc_checkpoint checkpoint;
    fc_code code;
    fc_checkpoint_init(&checkpoint);
    code = fc_stream_renew(pipeline->config.stream, err);
    if (code == FC_OK) {
        code = fc_checkpoint_read(pipeline->config.stream, name, &checkpoint, err);
    }
    if (code == FC_OK) {
        code =
            fc_resume_scan(&pipeline->resume, pipeline->config.stream, name, &checkpoint, err);
    }
    if (code == FC_OK) {
        code = fc_schema_store_open(pipeline->config.stream, pipeline->config.clock,
                                    &pipeline->schemas, err);
    }
    if (code == FC_OK) {
        init_ring(pipeline, worker_count(pipeline));
        make_parts(pipeline, &checkpoint);
        code = run_threads(pipeline, err);
        fc_reader_free(pipeline->reader);
        fc_writer_free(pipeline->writer);
        fc_unit_ring_release(&pipeline->ring);
    }
    fc_schema_store_close(pipeline->schemas);
    pipeline->schemas = NULL;
    fc_resume_release(&pipeline->resume);
    fc_resume_init(&pipeline->resume);
    fc_checkpoint_release(&checkpoint);
    return code;
}

/* Wait before the log is tried again; false when there is no use in it. */
static bool back_off(struct fc_pipeline *pipeline, int wait_ms, const struct fc_error *why)
{
    struct timespec until = fc_deadline_in_ms(wait_ms);
    bool go_on;
    lock(pipeline);
    (void)snprintf(pipeline->last.waiting, sizeof(pipeline->last.waiting), "%s", why->message);
    pipeline->last.log_waits = true;
    pipeline->failed = false;
    if (!pipeline->stopping) {
        (void)pthread_cond_timedwait(&pipeline->changed, &pipeline->lock, &until);
    }
    go_on = !pipeline->stopping;
    unlock(pipeline);
    return go_on;
}

fc_code fc_pipeline_run(struct fc_pipeline *pipeline, struct fc_error *err)
{
    char reported[FC_ERROR_MESSAGE_SIZE] = "";
    int wait_ms = PIPELINE_BACKOFF_FIRST_MS;
    uint64_t written = 0;
    fc_code code = live(pipeline, err);
    while (code != FC_OK && err->retriable) {
        if (strcmp(reported, err->message) != 0) {
            fc_diag_report(pipeline->config.diag, FC_DIAG_WARN,
                           "%s; trying again until it works", err->message);
            (void)snprintf(reported, sizeof(reported), "%s", err->message);
        }
        if (pipeline->last.records_written > written) { /* only this thread writes it */
            written = pipeline->last.records_written;
            wait_ms = PIPELINE_BACKOFF_FIRST_MS;
        }
        if (!back_off(pipeline, wait_ms, err)) {
            return FC_OK; /* as asked for; what is not in the log is read again */
        }
        wait_ms *= 2;
        wait_ms = wait_ms > PIPELINE_BACKOFF_MAX_MS ? PIPELINE_BACKOFF_MAX_MS : wait_ms;
        code = live(pipeline, err);
    }
    return code;
}

/* --- from other threads ------------------------------------------------------------------------ */

void fc_pipeline_stop(struct fc_pipeline *pipeline)
{
    lock(pipeline);
    pipeline->stopping = true;
    if (pipeline->running) {
        fc_reader_stop(pipeline->reader);
        fc_room_give_up(&pipeline->room);
    }
    (void)pthread_cond_broadcast(&pipeline->changed);
    unlock(pipeline);
}

fc_code fc_pipeline_mark(struct fc_pipeline *pipeline, const char *json, struct fc_error *err)
{
    struct timespec until = fc_deadline_in_ms(PIPELINE_MARK_WAIT_MS);
    uint64_t before;
    int status = 0;
    fc_code code;
    lock(pipeline);
    before = pipeline->marks;
    if (!pipeline->running) {
        code = fc_fail_retriable(err, FC_ERR_CLOSED, "the capture is not running");
    } else {
        code = fc_reader_mark(pipeline->reader, fc_strdup(json), err);
    }
    while (code == FC_OK && pipeline->marks == before && pipeline->running && status == 0) {
        status = pthread_cond_timedwait(&pipeline->changed, &pipeline->lock, &until);
    }
    if (code == FC_OK && pipeline->marks == before) {
        code = fc_fail(err, FC_ERR_TIMEOUT,
                       "the capture did not write the restore marker in %d seconds",
                       PIPELINE_MARK_WAIT_MS / 1000);
    }
    unlock(pipeline);
    return code;
}

void fc_pipeline_status(struct fc_pipeline *pipeline, struct fc_pipeline_status *out_status)
{
    const char *why = fc_room_why(&pipeline->room);
    struct fc_reader_status reader;
    struct fc_writer_status writer;
    struct fc_pipeline_status before;
    memset(out_status, 0, sizeof(*out_status));
    lock(pipeline);
    if (!pipeline->running) {
        *out_status = pipeline->last;
        unlock(pipeline);
        return;
    }
    fc_reader_status(pipeline->reader, &reader);
    fc_writer_status(pipeline->writer, &writer);
    before = pipeline->last; /* of what ran before the log failed */
    unlock(pipeline);
    out_status->changes_read = before.changes_read + reader.changes;
    out_status->records_written = before.records_written + writer.records;
    out_status->bytes_written = before.bytes_written + writer.bytes;
    out_status->rejected = before.rejected + writer.rejected;
    out_status->restarts = before.restarts + reader.restarts;
    out_status->lag_us = reader.source.caught_up ? 0 : writer.lag_us;
    out_status->log_waits = *why != '\0';
    out_status->connected = reader.connected && !out_status->log_waits;
    (void)snprintf(out_status->waiting, sizeof(out_status->waiting), "%s",
                   out_status->log_waits ? why : reader.waiting);
    out_status->source = reader.source;
}
