/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions are numbered in the order in which the source gives them, but those that the log
 * already holds keep the number they have there.
 *
 * When a read fails for a transient reason, its changes are dropped, what was read before is drained
 * and checkpointed, the log is scanned beyond the checkpoint, and the source is opened again at the
 * checkpoint's position: the same path as after a crash.
 */
#include "runner/reader.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/deadline.h"

enum {
    READER_WAIT_MS = 100,
    READER_BACKOFF_FIRST_MS = 100,
    READER_BACKOFF_MAX_MS = 10000,
    READER_STATUS_MS = 200,
    TX_ID_BYTES_MAX = 4096
};

struct fc_reader {
    struct fc_reader_config config;

    /* The reader's thread. */
    struct fc_checkpoint checkpoint;
    struct fc_source *source;
    uint64_t generation;
    struct fc_buf tx_id;       /* of the transaction under way; empty: a snapshot's rows */
    uint64_t seq;              /* its number; 0: none under way */
    uint64_t seq_last;         /* highest given */
    uint64_t complete_seq;     /* newest complete transaction */
    struct fc_buf complete_tx; /* its id */
    struct fc_buf durable;
    struct fc_buf
        passed_over; /* a position that came while the source sent again; empty: none */
    int64_t status_ms;
    bool log_failed; /* what the log holds is not known: only a new start goes on */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Guarded by lock. */
    bool stopping;
    bool interruptible; /* source may be interrupted */
    const char *engine;
    char *mark;
    struct fc_reader_status status;
};

struct fc_reader *fc_reader_new(const struct fc_reader_config *config,
                                struct fc_checkpoint *checkpoint)
{
    struct fc_reader *reader = fc_new(struct fc_reader);
    reader->config = *config;
    reader->engine = "";
    fc_checkpoint_init(&reader->checkpoint);
    reader->checkpoint.seq = checkpoint->seq;
    fc_buf_append_slice(&reader->checkpoint.tx, fc_buf_slice(&checkpoint->tx));
    fc_buf_append_slice(&reader->checkpoint.position, fc_buf_slice(&checkpoint->position));
    fc_buf_init(&reader->tx_id, TX_ID_BYTES_MAX);
    fc_buf_init(&reader->complete_tx, TX_ID_BYTES_MAX);
    fc_buf_init(&reader->durable, SIZE_MAX / 2);
    fc_buf_init(&reader->passed_over, SIZE_MAX / 2);
    (void)pthread_mutex_init(&reader->lock, NULL);
    fc_deadline_cond_init(&reader->changed);
    return reader;
}

void fc_reader_free(struct fc_reader *reader)
{
    if (reader != NULL) {
        fc_checkpoint_release(&reader->checkpoint);
        fc_buf_release(&reader->tx_id);
        fc_buf_release(&reader->complete_tx);
        fc_buf_release(&reader->durable);
        fc_buf_release(&reader->passed_over);
        free(reader->mark);
        (void)pthread_cond_destroy(&reader->changed);
        (void)pthread_mutex_destroy(&reader->lock);
        free(reader);
    }
}

static bool is_stopping(struct fc_reader *reader)
{
    bool stopping;
    (void)pthread_mutex_lock(&reader->lock);
    stopping = reader->stopping;
    (void)pthread_mutex_unlock(&reader->lock);
    return stopping;
}

/* --- numbering --------------------------------------------------------------------------------- */

static void set_text(struct fc_buf *buf, struct fc_slice text)
{
    fc_buf_clear(buf);
    fc_buf_append_slice(buf, text);
}

/* The transaction under way has ended, and with it all that has been numbered. In another commit
 * order than the log's its own number may be below that of one before it. */
static void complete(struct fc_reader *reader)
{
    if (reader->seq_last > reader->complete_seq) {
        reader->complete_seq = reader->seq_last;
        set_text(&reader->complete_tx, fc_buf_slice(&reader->tx_id));
    }
}

static bool same_tx(const struct fc_reader *reader, const struct fc_change *change)
{
    if (reader->seq == 0) {
        return false;
    }
    return change->tx == NULL ? reader->tx_id.len == 0
                              : fc_slice_equal(change->tx->id, fc_buf_slice(&reader->tx_id));
}

/* What is no transaction of the source comes after all that the log holds. */
static void pass_all_numbers(struct fc_reader *reader)
{
    if (reader->seq_last < reader->config.resume->seq_max) {
        reader->seq_last = reader->config.resume->seq_max;
    }
}

static void begin_tx(struct fc_reader *reader, const struct fc_change *change)
{
    uint64_t held = 0;
    complete(reader);
    fc_buf_clear(&reader->tx_id);
    if (change->tx != NULL) {
        fc_buf_append_slice(&reader->tx_id, change->tx->id);
        held = fc_resume_take_seq(reader->config.resume, change->tx->id);
    }
    if (held == 0 && change->tx == NULL) {
        pass_all_numbers(reader);
    }
    reader->seq =
        held != 0 ? held : fc_resume_free_seq(reader->config.resume, reader->seq_last);
    reader->seq_last = reader->seq > reader->seq_last ? reader->seq : reader->seq_last;
}

/*
 * While the source sends again what the log holds, the checkpoint stays: transactions after a newer
 * position might be held too, in part, and its ends would be past them. A position that had to be
 * passed over is used by the next empty read, if nothing came after it.
 */
static void take_position(struct fc_reader *reader, struct fc_unit *unit, bool replaying)
{
    const struct fc_batch *batch = unit->batch;
    if (batch->count > 0) {
        fc_buf_clear(&reader->passed_over);
    }
    if (!fc_slice_is_null(batch->position)) {
        bool at_end = reader->seq == 0 || reader->tx_id.len == 0 || batch->count == 0;
        set_text(&reader->passed_over,
                 at_end || !replaying ? batch->position : fc_slice_null());
    }
    if (replaying || reader->passed_over.len == 0) {
        return;
    }
    if (batch->count == 0) {
        complete(reader);
    }
    unit->has_position = true;
    set_text(&unit->position, fc_buf_slice(&reader->passed_over));
    fc_buf_clear(&reader->passed_over);
    set_text(&unit->position_tx, fc_buf_slice(&reader->complete_tx));
    unit->position_seq = reader->complete_seq;
}

static fc_code number_changes(struct fc_reader *reader, struct fc_unit *unit, bool replaying,
                              struct fc_error *err)
{
    const struct fc_batch *batch = unit->batch;
    if (unit->seq_capacity < batch->count) {
        unit->seq_capacity = batch->count;
        unit->seqs = fc_realloc_array(unit->seqs, unit->seq_capacity, sizeof(*unit->seqs));
    }
    for (uint32_t index = 0; index < batch->count; index++) {
        const struct fc_change *change = &batch->changes[index];
        if (change->tx != NULL &&
            (change->tx->id.len == 0 || change->tx->id.len > TX_ID_BYTES_MAX / 8)) {
            return fc_fail(err, FC_ERR_PROTOCOL,
                           "the source gave a transaction id of %zu bytes", change->tx->id.len);
        }
        if (!same_tx(reader, change)) {
            begin_tx(reader, change);
        }
        unit->seqs[index] = reader->seq;
        if (change->tx_last || change->tx == NULL) {
            complete(reader);
        }
        if (change->tx_last) {
            reader->seq = 0;
        }
        unit->newest_us = change->tx != NULL ? change->tx->commit_us : unit->newest_us;
    }
    take_position(reader, unit, replaying);
    return FC_OK;
}

/* --- one read ---------------------------------------------------------------------------------- */

static void take_status(struct fc_reader *reader, bool now)
{
    struct fc_source_status status;
    int64_t now_ms = fc_clock_steady_ms(reader->config.clock);
    if (!now && now_ms - reader->status_ms < READER_STATUS_MS) {
        return;
    }
    reader->status_ms = now_ms;
    memset(&status, 0, sizeof(status));
    reader->config.source->status(reader->source, &status);
    (void)pthread_mutex_lock(&reader->lock);
    reader->status.source = status;
    (void)pthread_mutex_unlock(&reader->lock);
}

/* What the log holds and a server that has told all it had does not: lost there in a failover. */
static void forget_unseen(struct fc_reader *reader)
{
    struct fc_resume *resume = reader->config.resume;
    if (resume->unseen > 0 && reader->status.source.caught_up) {
        fc_diag_report(
            reader->config.diag, FC_DIAG_WARN,
            "the log holds %zu transactions that the server does not have: it lost them, "
            "or was given new ones in their place",
            resume->unseen);
        resume->unseen = 0;
    }
}

static fc_code acknowledge(struct fc_reader *reader, struct fc_error *err)
{
    if (!fc_writer_take_durable(reader->config.writer, &reader->durable)) {
        return FC_OK;
    }
    return reader->config.source->ack(reader->source, fc_buf_slice(&reader->durable), err);
}

static void send_mark(struct fc_reader *reader)
{
    struct fc_unit *unit;
    char *mark;
    (void)pthread_mutex_lock(&reader->lock);
    mark = reader->mark;
    reader->mark = NULL;
    (void)pthread_mutex_unlock(&reader->lock);
    if (mark == NULL) {
        return;
    }
    unit = fc_unit_ring_begin(reader->config.ring);
    unit->generation = reader->generation;
    unit->mark = mark;
    pass_all_numbers(reader);
    unit->mark_seq = ++reader->seq_last;
    if (reader->seq == 0) { /* or the end of the transaction under way completes it, too */
        reader->complete_seq = reader->seq_last;
    }
    fc_unit_ring_fill(reader->config.ring, unit);
}

/* A read that is only to find that there is nothing more need not wait for it. */
static int wait_of(struct fc_reader *reader)
{
    if (!reader->config.until_end) {
        return READER_WAIT_MS;
    }
    take_status(reader, true);
    return reader->status.source.caught_up ? 0 : READER_WAIT_MS;
}

static fc_code read_once(struct fc_reader *reader, bool *out_end, struct fc_error *err)
{
    bool replaying = reader->config.resume->unseen > 0;
    struct fc_unit *unit = fc_unit_ring_begin(reader->config.ring);
    fc_code code = acknowledge(reader, err);
    unit->generation = reader->generation;
    if (code == FC_OK) {
        code = reader->config.source->read(reader->source, wait_of(reader), unit->batch, err);
    }
    if (code == FC_OK) {
        code = number_changes(reader, unit, replaying, err);
    }
    if (code != FC_OK) {
        return code;
    }
    (void)pthread_mutex_lock(&reader->lock);
    reader->status.changes += unit->batch->count;
    (void)pthread_mutex_unlock(&reader->lock);
    take_status(reader, unit->batch->count == 0);
    forget_unseen(reader);
    if (unit->batch->count > 0 || unit->has_position) {
        fc_unit_ring_fill(reader->config.ring, unit);
    } else {
        *out_end = reader->config.until_end && reader->status.source.caught_up;
    }
    if (reader->seq == 0 || unit->batch->count == 0) {
        send_mark(reader);
    }
    return FC_OK;
}

/* --- one life of the source -------------------------------------------------------------------- */

static void set_waiting(struct fc_reader *reader, const char *why)
{
    (void)pthread_mutex_lock(&reader->lock);
    reader->status.connected = why == NULL;
    (void)snprintf(reader->status.waiting, sizeof(reader->status.waiting), "%s",
                   why == NULL ? "" : why);
    (void)pthread_mutex_unlock(&reader->lock);
}

static fc_code open_source(struct fc_reader *reader, struct fc_error *err)
{
    struct fc_slice resume = reader->checkpoint.position.len == 0
                                 ? fc_slice_null()
                                 : fc_buf_slice(&reader->checkpoint.position);
    fc_code code =
        reader->config.source->open(reader->config.host, resume, &reader->source, err);
    if (code != FC_OK) {
        reader->source = NULL;
        return code;
    }
    reader->generation++;
    reader->seq = 0;
    fc_buf_clear(&reader->tx_id);
    fc_buf_clear(&reader->passed_over);
    reader->seq_last = reader->checkpoint.seq;
    reader->complete_seq = reader->checkpoint.seq;
    set_text(&reader->complete_tx, fc_buf_slice(&reader->checkpoint.tx));
    (void)pthread_mutex_lock(&reader->lock);
    reader->engine = reader->config.source->engine(reader->source);
    reader->interruptible = true;
    if (reader->stopping) {
        reader->config.source->interrupt(reader->source);
    }
    (void)pthread_mutex_unlock(&reader->lock);
    set_waiting(reader, NULL);
    return FC_OK;
}

static void close_source(struct fc_reader *reader)
{
    (void)pthread_mutex_lock(&reader->lock);
    reader->interruptible = false;
    (void)pthread_mutex_unlock(&reader->lock);
    reader->config.source->close(reader->source);
    reader->source = NULL;
    fc_schema_store_forget_pointers(reader->config.schemas);
}

/* Everything read is durable; know what is beyond the checkpoint. */
static fc_code settle(struct fc_reader *reader, struct fc_error *err)
{
    fc_code code;
    fc_unit_ring_drain(reader->config.ring);
    code = fc_writer_settle(reader->config.writer, &reader->checkpoint, err);
    if (code == FC_OK) {
        code = fc_resume_scan(reader->config.resume, reader->config.stream,
                              reader->config.connector, &reader->checkpoint, err);
    }
    return code;
}

/* Open and read until an error (FC_ERR_CLOSED when stopped) or the end. */
static fc_code live(struct fc_reader *reader, bool *out_read, bool *out_end,
                    struct fc_error *err)
{
    struct fc_error settle_error;
    fc_code settled;
    fc_code code = open_source(reader, err);
    if (code != FC_OK) {
        return code;
    }
    fc_diag_report(reader->config.diag, FC_DIAG_INFO, "source open connector=%s engine=%s",
                   reader->config.connector, reader->engine);
    while (code == FC_OK && !*out_end) {
        code = is_stopping(reader) ? fc_fail(err, FC_ERR_CLOSED, "stopped")
                                   : read_once(reader, out_end, err);
        *out_read = *out_read || (code == FC_OK && reader->status.source.last_event_us != 0);
    }
    settled = settle(reader, &settle_error); /* shapes must live until the workers are done */
    if (settled == FC_OK) {
        struct fc_error ignored;
        (void)acknowledge(reader, &ignored); /* only spares the source some memory */
    }
    close_source(reader);
    if (settled != FC_OK && settled != FC_ERR_CLOSED) {
        reader->log_failed = true;
        *err = settle_error;
        return settled;
    }
    return code;
}

static void back_off(struct fc_reader *reader, int wait_ms)
{
    struct timespec until = fc_deadline_in_ms(wait_ms);
    (void)pthread_mutex_lock(&reader->lock);
    if (!reader->stopping) {
        (void)pthread_cond_timedwait(&reader->changed, &reader->lock, &until);
    }
    (void)pthread_mutex_unlock(&reader->lock);
}

fc_code fc_reader_run(struct fc_reader *reader, struct fc_error *err)
{
    char last_reason[FC_ERROR_MESSAGE_SIZE] = "";
    int wait_ms = READER_BACKOFF_FIRST_MS;
    bool end = false;
    fc_code code = FC_OK;
    while (!end && !is_stopping(reader)) {
        bool has_read = false;
        code = live(reader, &has_read, &end, err);
        if (code == FC_OK || !err->retriable || reader->log_failed || is_stopping(reader)) {
            break;
        }
        set_waiting(reader, err->message);
        if (has_read || strcmp(last_reason, err->message) != 0) {
            fc_diag_report(reader->config.diag, FC_DIAG_WARN, "%s; trying again until it works",
                           err->message);
            (void)snprintf(last_reason, sizeof(last_reason), "%s", err->message);
        }
        wait_ms = has_read ? READER_BACKOFF_FIRST_MS : wait_ms;
        back_off(reader, wait_ms);
        wait_ms = wait_ms * 2 > READER_BACKOFF_MAX_MS ? READER_BACKOFF_MAX_MS : wait_ms * 2;
        (void)pthread_mutex_lock(&reader->lock);
        reader->status.restarts++;
        (void)pthread_mutex_unlock(&reader->lock);
    }
    if (is_stopping(reader)) {
        code = FC_OK;
    }
    fc_unit_ring_close(reader->config.ring);
    return code;
}

void fc_reader_stop(struct fc_reader *reader)
{
    (void)pthread_mutex_lock(&reader->lock);
    reader->stopping = true;
    if (reader->interruptible) {
        reader->config.source->interrupt(reader->source);
    }
    (void)pthread_cond_broadcast(&reader->changed);
    (void)pthread_mutex_unlock(&reader->lock);
}

const char *fc_reader_engine(struct fc_reader *reader)
{
    const char *engine;
    (void)pthread_mutex_lock(&reader->lock);
    engine = reader->engine;
    (void)pthread_mutex_unlock(&reader->lock);
    return engine;
}

fc_code fc_reader_mark(struct fc_reader *reader, char *json, struct fc_error *err)
{
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&reader->lock);
    if (reader->mark != NULL) {
        free(json);
        code = fc_fail(err, FC_ERR_REFUSED, "another restore is being recorded; try again");
    } else {
        reader->mark = json;
    }
    (void)pthread_mutex_unlock(&reader->lock);
    return code;
}

void fc_reader_status(struct fc_reader *reader, struct fc_reader_status *out_status)
{
    (void)pthread_mutex_lock(&reader->lock);
    *out_status = reader->status;
    (void)pthread_mutex_unlock(&reader->lock);
}
