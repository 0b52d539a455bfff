/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connector built only from the installed headers: the shortest source that is complete.
 *
 * It captures a table `example.numbers` that nobody stores: rows id = 1, 2, ... up to `rows`,
 * `per-transaction` of them in each transaction. Its position is the last id as text.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fc/connector.h"

enum { TEXT_SIZE = 32, COLUMN_COUNT = 2, FIELD_COUNT = 2 };

struct fc_source {
    const struct fc_host *host;
    struct fc_shape shape;
    int64_t rows;
    int64_t per_transaction;
    int64_t next_id;
    bool begun; /* its position was given at least once */
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool interrupted; /* guarded by lock */
};

static const struct fc_option OPTIONS[] = {
    { "rows", FC_OPTION_INT, true, NULL, 0, 1000000000, NULL, "how many rows there are" },
    { "per-transaction", FC_OPTION_INT, false, "1", 1, 1000, NULL, "rows of one transaction" },
    { "note", FC_OPTION_TEXT, false, "hello", 0, 0, NULL, "what column `note` holds" },
    { "password", FC_OPTION_SECRET, false, NULL, 0, 0, NULL,
      "not used; shows how one is declared" },
    { .key = NULL },
};

static const struct fc_source_field FIELDS[FIELD_COUNT + 1] = {
    { "table", FC_SOURCE_TABLE },
    { "last_id", FC_SOURCE_VALUE },
    { .name = NULL },
};

static const struct fc_column COLUMNS[COLUMN_COUNT] = {
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64, .key_index = 1 },
    { .name = "note",
      .native_type = "text",
      .charset = "utf8mb4",
      .type = FC_TYPE_TEXT,
      .nullable = true },
};

static fc_code source_open(const struct fc_host *host, struct fc_slice resume,
                           struct fc_source **out_source, struct fc_error *err)
{
    char text[TEXT_SIZE] = "0";
    struct fc_source *source;
    if (resume.len >= sizeof(text)) {
        return fc_fail(err, FC_ERR_CORRUPT, "example: a position of %zu bytes is not ours",
                       resume.len);
    }
    source = calloc(1, sizeof(*source));
    if (source == NULL) {
        return fc_fail(err, FC_ERR_NOMEM, "example: no memory");
    }
    source->begun = resume.len > 0;
    if (resume.len > 0) {
        memcpy(text, resume.data, resume.len);
        text[resume.len] = '\0';
    }
    (void)pthread_mutex_init(&source->lock,
                             NULL); /* these never fail with default attributes */
    (void)pthread_cond_init(&source->woken, NULL);
    source->host = host;
    source->shape.db = "example";
    source->shape.table = "numbers";
    source->shape.columns = COLUMNS;
    source->shape.column_count = COLUMN_COUNT;
    source->shape.key_count = 1;
    source->rows = host->option_int(host, "rows");
    source->per_transaction = host->option_int(host, "per-transaction");
    source->next_id = strtoll(text, NULL, 10) + 1;
    *out_source = source;
    return FC_OK;
}

/* What all rows of a transaction share; NULL when the batch is full. */
static struct fc_tx *add_transaction(const struct fc_source *source, struct fc_batch *batch)
{
    struct fc_tx *tx = source->host->batch_alloc(batch, sizeof(*tx));
    char *id = source->host->batch_alloc(batch, TEXT_SIZE);
    if (tx == NULL || id == NULL) {
        return NULL;
    }
    tx->id = fc_slice_of(id, (size_t)snprintf(id, TEXT_SIZE, "t%" PRId64, source->next_id));
    tx->commit_us = 1700000000000000 + source->next_id;
    return tx;
}

static bool add_row(struct fc_source *source, struct fc_batch *batch, const struct fc_tx *tx,
                    uint64_t row, bool last)
{
    const struct fc_host *host = source->host;
    const char *note = host->option_text(host, "note");
    struct fc_value *values =
        host->batch_alloc(batch, (COLUMN_COUNT + FIELD_COUNT) * sizeof(*values));
    struct fc_change *change = values == NULL ? NULL : host->batch_add(batch);
    if (change == NULL) {
        return false;
    }
    memset(values, 0, (COLUMN_COUNT + FIELD_COUNT) * sizeof(*values));
    values[0].kind = FC_VALUE_INT;
    values[0].as.i64 = source->next_id;
    values[1].kind = FC_VALUE_TEXT;
    values[1].as.bytes =
        fc_slice_text(note);              /* lives as long as host, so longer than the batch */
    values[COLUMN_COUNT + 1] = values[0]; /* last_id; the one for `table` is not looked at */
    change->op = FC_OP_CREATE;
    change->shape = &source->shape;
    change->after = values;
    change->source = &values[COLUMN_COUNT];
    change->tx = tx;
    change->ts_us = tx->commit_us;
    change->row = row;
    change->tx_last = last;
    source->next_id++;
    return true;
}

/* Nothing new ever comes here, so this waits until the time is up or interrupt is called. Returns
 * whether it was. */
static bool wait_for_interrupt(struct fc_source *source, int wait_ms)
{
    struct timespec until = { 0 };
    bool interrupted;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (until.tv_nsec / 1000000 + wait_ms) / 1000;
    until.tv_nsec = (until.tv_nsec / 1000000 + wait_ms) % 1000 * 1000000;
    (void)pthread_mutex_lock(&source->lock);
    while (!source->interrupted &&
           pthread_cond_timedwait(&source->woken, &source->lock, &until) == 0) {
    }
    interrupted = source->interrupted;
    (void)pthread_mutex_unlock(&source->lock);
    return interrupted;
}

/* Whole transactions only, so a full batch never splits one here. */
static fc_code source_read(struct fc_source *source, int wait_ms, struct fc_batch *batch,
                           struct fc_error *err)
{
    if (wait_for_interrupt(source, source->next_id > source->rows ? wait_ms : 0)) {
        return fc_fail(err, FC_ERR_CLOSED, "example: interrupted");
    }
    if (!source->begun) { /* where it begins, so that a crash goes on from here */
        source->begun = true;
        source->host->batch_position(batch, fc_slice_text("0"));
        return FC_OK;
    }
    while (source->next_id <= source->rows && batch->count < batch->count_max &&
           batch->bytes < batch->bytes_max) {
        char position[TEXT_SIZE];
        int64_t left = source->rows - source->next_id + 1;
        int64_t count = left < source->per_transaction ? left : source->per_transaction;
        const struct fc_tx *tx = add_transaction(source, batch);
        for (int64_t row = 0; row < count; row++) {
            if (tx == NULL || !add_row(source, batch, tx, (uint64_t)row, row + 1 == count)) {
                return fc_fail(err, FC_ERR_LIMIT,
                               "example: a transaction is larger than a batch");
            }
        }
        (void)snprintf(position, sizeof(position), "%" PRId64, source->next_id - 1);
        source->host->batch_position(batch, fc_slice_text(position));
    }
    return FC_OK;
}

static fc_code source_ack(struct fc_source *source, struct fc_slice position,
                          struct fc_error *err)
{
    (void)source;
    (void)position; /* there is nobody to tell */
    (void)err;
    return FC_OK;
}

static void source_interrupt(struct fc_source *source)
{
    (void)pthread_mutex_lock(&source->lock);
    source->interrupted = true;
    (void)pthread_cond_signal(&source->woken);
    (void)pthread_mutex_unlock(&source->lock);
}

static const char *source_engine(const struct fc_source *source)
{
    (void)source;
    return "example";
}

static void source_status(struct fc_source *source, struct fc_source_status *out_status)
{
    memset(out_status, 0, sizeof(*out_status));
    (void)snprintf(out_status->position, sizeof(out_status->position), "id %" PRId64,
                   source->next_id - 1);
    (void)snprintf(out_status->phase, sizeof(out_status->phase), "streaming");
    out_status->caught_up = source->next_id > source->rows;
}

static void source_close(struct fc_source *source)
{
    if (source != NULL) {
        (void)pthread_cond_destroy(&source->woken);
        (void)pthread_mutex_destroy(&source->lock);
        free(source);
    }
}

static fc_code source_check(const struct fc_host *host, struct fc_slice resume,
                            void (*on_result)(void *ctx, fc_check_result result,
                                              const char *what, const char *detail,
                                              const char *fix),
                            void *ctx, struct fc_error *err)
{
    (void)resume;
    (void)err;
    if (host->option_int(host, "rows") == 0) {
        on_result(ctx, FC_CHECK_FAIL, "rows", "there is nothing to capture",
                  "set example.rows to 1 or more");
    } else {
        on_result(ctx, FC_CHECK_OK, "rows", "there are some", NULL);
    }
    return FC_OK;
}

static const struct fc_source_ops SOURCE = {
    .size = sizeof(struct fc_source_ops),
    .fields = FIELDS,
    .open = source_open,
    .read = source_read,
    .ack = source_ack,
    .interrupt = source_interrupt,
    .engine = source_engine,
    .status = source_status,
    .close = source_close,
    .check = source_check,
};

static const struct fc_connector CONNECTOR = {
    .abi = FC_CONNECTOR_ABI,
    .size = sizeof(struct fc_connector),
    .name = "example",
    .version = "1.0.0",
    .help = "numbers that nobody stores",
    .options = OPTIONS,
    .source = &SOURCE,
};

const struct fc_connector *fc_connector_entry(void)
{
    return &CONNECTOR;
}
