/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/generator_source.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"

struct fc_source {
    struct fc_generator *plan;
    uint64_t next; /* place in the order, not transaction number */
    uint64_t row;
    uint64_t random;
    bool swapped;
    bool interrupted;
};

static const struct fc_column columns[] = {
    { "id", "bigint", NULL, FC_TYPE_INT, false, false, 64, 0, 0, 0, 1, 0, NULL },
    { "note", "varchar(40)", "utf8mb4", FC_TYPE_TEXT, true, false, 0, 40, 0, 0, 0, 0, NULL }
};
static const struct fc_shape shapes[] = { { "gen", "left", columns, 2, 1, NULL },
                                          { "gen", "right", columns, 2, 1, NULL } };

uint64_t fc_generator_rows(uint64_t transaction)
{
    return transaction % 50 == 49 ? 3000 : 1 + transaction % 7;
}

static uint64_t next_random(struct fc_source *source)
{
    source->random ^= source->random << 13;
    source->random ^= source->random >> 7;
    source->random ^= source->random << 17;
    return source->random;
}

/* Which transaction stands at a place of the order. */
static uint64_t transaction_at(const struct fc_source *source, uint64_t place)
{
    uint64_t other = place ^ 1;
    return source->swapped && other < source->plan->transactions ? other : place;
}

/* A position is a place in the order; it says which order, and both orders agree at even places. */
static fc_code generator_open(const struct fc_host *host, struct fc_slice resume,
                              struct fc_source **out_source, struct fc_error *err)
{
    struct fc_source *source = fc_new(struct fc_source);
    char text[32] = "0";
    (void)err;
    source->plan = (struct fc_generator *)(uintptr_t)host;
    source->random = source->plan->seed * 2654435761U + source->plan->openings * 977 + 1;
    source->swapped = source->plan->swaps && source->plan->openings % 2 == 1;
    source->plan->openings++;
    if (!fc_slice_is_null(resume) && resume.len < sizeof(text)) {
        memcpy(text, resume.data, resume.len);
        text[resume.len] = '\0';
    }
    source->next = strtoull(text, NULL, 10);
    *out_source = source;
    return FC_OK;
}

static void set_values(struct fc_batch *batch, const struct fc_host *host,
                       struct fc_value **out, int64_t id, const char *note)
{
    struct fc_value *values = host->batch_alloc(batch, 2 * sizeof(*values));
    char *copy = host->batch_alloc(batch, 48);
    fc_assert(values != NULL && copy != NULL);
    (void)snprintf(copy, 48, "%s", note);
    values[0].kind = FC_VALUE_INT;
    values[0].as.i64 = id;
    values[1].kind = FC_VALUE_TEXT;
    values[1].as.bytes = fc_slice_text(copy);
    *out = values;
}

static void add_change(struct fc_source *source, struct fc_batch *batch, const struct fc_tx *tx,
                       uint64_t transaction)
{
    const struct fc_host *host = &source->plan->host;
    struct fc_change *change = host->batch_add(batch);
    int64_t id = (int64_t)(transaction * 10000 + source->row);
    char note[48];
    fc_assert(change != NULL);
    (void)snprintf(note, sizeof(note), "%" PRIu64 "/%" PRIu64, transaction, source->row);
    change->shape = &shapes[source->row % 2];
    change->tx = tx;
    change->ts_us = tx->commit_us;
    change->row = source->row;
    switch (source->row % 3) {
    case 0:
        change->op = FC_OP_CREATE;
        set_values(batch, host, &change->after, id, note);
        break;
    case 1: /* a change of the key: three records in up to two partitions */
        change->op = FC_OP_UPDATE;
        set_values(batch, host, &change->before, -id, note);
        set_values(batch, host, &change->after, id, note);
        break;
    default:
        change->op = FC_OP_DELETE;
        set_values(batch, host, &change->before, id, note);
        break;
    }
    source->row++;
    change->tx_last = source->row == fc_generator_rows(transaction);
}

static void give_position(struct fc_source *source, struct fc_batch *batch)
{
    char text[32];
    if (source->next % 2 == 0 || !source->plan->swaps) {
        (void)snprintf(text, sizeof(text), "%" PRIu64, source->next);
        source->plan->host.batch_position(batch, fc_slice_text(text));
    }
}

static fc_code generator_read(struct fc_source *source, int wait_ms, struct fc_batch *batch,
                              struct fc_error *err)
{
    uint64_t budget = 1 + next_random(source) % 400;
    struct fc_tx *tx = NULL;
    (void)wait_ms;
    if (__atomic_load_n(&source->interrupted, __ATOMIC_RELAXED)) {
        return fc_fail(err, FC_ERR_CLOSED, "interrupted");
    }
    while (budget-- > 0 && source->next < source->plan->transactions) {
        uint64_t transaction = transaction_at(source, source->next);
        if (tx == NULL) {
            char *id = source->plan->host.batch_alloc(batch, 32);
            tx = source->plan->host.batch_alloc(batch, sizeof(*tx));
            (void)snprintf(id, 32, "t-%" PRIu64, transaction);
            tx->id = fc_slice_text(id);
            tx->commit_us = (int64_t)(source->next * 1000000);
        }
        add_change(source, batch, tx, transaction);
        if (source->row == fc_generator_rows(transaction)) {
            source->row = 0;
            source->next++;
            tx = NULL;
            give_position(source, batch);
        }
    }
    if (source->plan->fail_one_in != 0 &&
        next_random(source) % source->plan->fail_one_in == 0) {
        return fc_fail_retriable(err, FC_ERR_IO, "the generator lost its connection");
    }
    return FC_OK;
}

static fc_code generator_ack(struct fc_source *source, struct fc_slice position,
                             struct fc_error *err)
{
    (void)source;
    (void)position;
    (void)err;
    return FC_OK;
}

static void generator_interrupt(struct fc_source *source)
{
    __atomic_store_n(&source->interrupted, true, __ATOMIC_RELAXED);
}

static const char *generator_engine(const struct fc_source *source)
{
    (void)source;
    return "generator";
}

static void generator_status(struct fc_source *source, struct fc_source_status *out_status)
{
    (void)snprintf(out_status->position, sizeof(out_status->position), "%" PRIu64,
                   source->next);
    (void)snprintf(out_status->phase, sizeof(out_status->phase), "streaming");
    out_status->last_event_us = (int64_t)source->next;
    out_status->caught_up = source->next == source->plan->transactions;
}

static void generator_close(struct fc_source *source)
{
    free(source);
}

static const struct fc_source_field fields[] = { { "table", FC_SOURCE_TABLE },
                                                 { "row", FC_SOURCE_EVENT_ROW },
                                                 { NULL, FC_SOURCE_TABLE } };
static const struct fc_option options[] = { { .key = NULL } };
static const struct fc_source_ops source_ops = { .size = sizeof(source_ops),
                                                 .fields = fields,
                                                 .open = generator_open,
                                                 .read = generator_read,
                                                 .ack = generator_ack,
                                                 .interrupt = generator_interrupt,
                                                 .engine = generator_engine,
                                                 .status = generator_status,
                                                 .close = generator_close };

const struct fc_connector fc_generator_connector = { .abi = FC_CONNECTOR_ABI,
                                                     .size = sizeof(fc_generator_connector),
                                                     .name = "generator",
                                                     .version = "1",
                                                     .help = "generates a known history",
                                                     .options = options,
                                                     .source = &source_ops };
