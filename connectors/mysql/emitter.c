/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/emitter.h"

const struct fc_source_field fc_emitter_fields[] = {
    { "table", FC_SOURCE_TABLE },  { "server_id", FC_SOURCE_VALUE },
    { "gtid", FC_SOURCE_VALUE },   { "file", FC_SOURCE_VALUE },
    { "pos", FC_SOURCE_VALUE },    { "row", FC_SOURCE_EVENT_ROW },
    { "thread", FC_SOURCE_VALUE }, { "query", FC_SOURCE_VALUE },
    { NULL, FC_SOURCE_VALUE },
};

static void *alloc_from_batch(void *ctx, size_t size)
{
    struct fc_emitter *emitter = (struct fc_emitter *)ctx;
    return emitter->host->batch_alloc(emitter->batch, size);
}

void fc_emitter_init(struct fc_emitter *emitter, const struct fc_host *host)
{
    memset(emitter, 0, sizeof(*emitter));
    emitter->host = host;
    emitter->memory.alloc = alloc_from_batch;
    emitter->memory.ctx = emitter;
}

void fc_emitter_begin(struct fc_emitter *emitter, struct fc_batch *batch)
{
    fc_emitter_end(emitter);
    emitter->batch = batch;
}

void fc_emitter_end(struct fc_emitter *emitter)
{
    emitter->batch = NULL;
    emitter->holding = false;
    emitter->file = fc_slice_null();
    fc_emitter_new_tx(emitter);
}

void fc_emitter_new_tx(struct fc_emitter *emitter)
{
    emitter->tx = NULL;
    emitter->source = NULL;
}

void fc_emitter_new_event(struct fc_emitter *emitter)
{
    emitter->source = NULL;
}

void *fc_emitter_alloc(struct fc_emitter *emitter, size_t size, struct fc_error *err)
{
    void *memory = emitter->host->batch_alloc(emitter->batch, size);
    if (memory == NULL) {
        (void)fc_fail(err, FC_ERR_LIMIT,
                      "a change does not fit into a batch (%zu bytes are in use); raise the "
                      "memory limit",
                      emitter->batch->bytes);
    }
    return memory;
}

fc_code fc_emitter_copy(struct fc_emitter *emitter, struct fc_slice bytes,
                        struct fc_slice *out_copy, struct fc_error *err)
{
    void *memory = fc_emitter_alloc(emitter, bytes.len + 1, err);
    if (memory == NULL) {
        return FC_ERR_LIMIT;
    }
    if (bytes.len > 0) {
        memcpy(memory, bytes.data, bytes.len);
    }
    *out_copy = fc_slice_of(memory, bytes.len);
    return FC_OK;
}

static fc_code make_tx(struct fc_emitter *emitter, const struct fc_emitter_tx *from,
                       struct fc_error *err)
{
    struct fc_tx *tx = (struct fc_tx *)fc_emitter_alloc(emitter, sizeof(*tx), err);
    fc_code code;
    if (tx == NULL) {
        return FC_ERR_LIMIT;
    }
    tx->commit_us = from->commit_us;
    code = fc_emitter_copy(emitter, fc_buf_slice(&from->id), &tx->id, err);
    if (code == FC_OK) {
        emitter->tx = tx;
    }
    return code;
}

static struct fc_value text_value(struct fc_slice text)
{
    struct fc_value value = { .kind = FC_VALUE_TEXT, .as.bytes = text };
    return value;
}

static struct fc_value int_value(uint64_t number)
{
    struct fc_value value = { .kind = FC_VALUE_INT, .as.i64 = (int64_t)number };
    return value;
}

static fc_code make_source(struct fc_emitter *emitter, const struct fc_emitter_tx *tx,
                           const struct fc_emitter_event *event, struct fc_error *err)
{
    size_t size = sizeof(struct fc_value) * FC_EMITTER_FIELD_COUNT;
    struct fc_value *values;
    if (!fc_slice_equal_text(emitter->file, event->file)) {
        fc_code code =
            fc_emitter_copy(emitter, fc_slice_text(event->file), &emitter->file, err);
        if (code != FC_OK) {
            return code;
        }
    }
    values = (struct fc_value *)fc_emitter_alloc(emitter, size, err);
    if (values == NULL) {
        return FC_ERR_LIMIT;
    }
    memset(values, 0, size);
    values[FC_EMITTER_SERVER_ID] = int_value(event->server_id);
    if (tx->has_gtid) {
        values[FC_EMITTER_GTID] = text_value(emitter->tx->id);
    }
    values[FC_EMITTER_FILE] = text_value(emitter->file);
    values[FC_EMITTER_POS] = int_value(event->position);
    if (tx->thread_id != 0) {
        values[FC_EMITTER_THREAD] = int_value(tx->thread_id);
    }
    if (!fc_slice_is_null(event->query)) {
        values[FC_EMITTER_QUERY] = text_value(event->query);
    }
    emitter->source = values;
    return FC_OK;
}

static fc_code add_held(struct fc_emitter *emitter, bool last, struct fc_error *err)
{
    struct fc_change *change;
    if (!emitter->holding) {
        return FC_OK;
    }
    change = emitter->host->batch_add(emitter->batch);
    if (change == NULL) {
        return fc_fail(err, FC_ERR_LIMIT, "a change does not fit into a batch");
    }
    *change = emitter->held;
    change->tx_last = last;
    emitter->holding = false;
    return FC_OK;
}

fc_code fc_emitter_put(struct fc_emitter *emitter, struct fc_emitter_tx *tx,
                       const struct fc_emitter_event *event, const struct fc_change *change,
                       struct fc_error *err)
{
    fc_code code = add_held(emitter, false, err);
    if (code == FC_OK && emitter->tx == NULL) {
        code = make_tx(emitter, tx, err);
    }
    if (code == FC_OK && emitter->source == NULL) {
        code = make_source(emitter, tx, event, err);
    }
    if (code != FC_OK) {
        return code;
    }
    emitter->held = *change;
    emitter->held.tx = emitter->tx;
    emitter->held.source = emitter->source;
    emitter->held.ts_us = event->ts_us;
    emitter->held.row = tx->next_row++;
    emitter->holding = true;
    return FC_OK;
}

fc_code fc_emitter_commit(struct fc_emitter *emitter, struct fc_error *err)
{
    return add_held(emitter, true, err);
}

fc_code fc_emitter_flush(struct fc_emitter *emitter, struct fc_error *err)
{
    return add_held(emitter, false, err);
}
