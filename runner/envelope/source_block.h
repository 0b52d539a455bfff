/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `source` block of an event: where a change comes from.
 *
 * All rows of one database event share it but for their number, so its text is built once per
 * event and kept with a hole where that number goes.
 */
#ifndef FC_RUNNER_SOURCE_BLOCK_H
#define FC_RUNNER_SOURCE_BLOCK_H

#include "core/base/buf.h"
#include "fc/connector.h"
#include "runner/envelope/json_write.h"

struct fc_source_block {
    struct fc_buf start; /* "source":{"version":..,"ts_ms": */
    struct fc_buf names; /* ,"table": and so on, one after another */
    uint32_t *name_lens;
    fc_source_field_type *types;
    uint32_t field_count;

    /* What `text` was built for. */
    bool cached;
    const void *owner;
    const struct fc_value *source;
    const struct fc_tx *tx;
    int64_t ts_us;
    fc_snapshot_mark snapshot;

    struct fc_buf text;
    size_t row_at; /* where in text the row number goes; text.len when nowhere */
    bool has_row;
};

/* Copies its arguments. */
void fc_source_block_init(struct fc_source_block *block, const char *version,
                          const char *engine, const char *name,
                          const struct fc_source_field *fields);
void fc_source_block_release(struct fc_source_block *block);

/*
 * Build the text for a change; db and table are JSON (strings with quotes, or null). Nothing is
 * built again while owner (not NULL), which stands for db and table, and the change's source, tx,
 * ts_us and snapshot are those of the call before.
 */
void fc_source_block_build(struct fc_source_block *block, const struct fc_change *change,
                           struct fc_slice db, struct fc_slice table, const void *owner);

static inline void fc_source_block_prepare(struct fc_source_block *block,
                                           const struct fc_change *change, struct fc_slice db,
                                           struct fc_slice table, const void *owner)
{
    if (!block->cached || block->owner != owner || block->source != change->source ||
        block->tx != change->tx || block->ts_us != change->ts_us ||
        block->snapshot != change->snapshot) {
        fc_source_block_build(block, change, db, table, owner);
    }
}

/* Room that put needs. */
static inline size_t fc_source_block_bound(const struct fc_source_block *block)
{
    return block->text.len + FC_FORMAT_I64_SIZE;
}

/* Write it with the number of the row in its event; returns the end. */
static inline char *fc_source_block_put(char *at, const struct fc_source_block *block,
                                        uint32_t event_row)
{
    memcpy(at, block->text.data, block->row_at);
    at += block->row_at;
    if (block->has_row) {
        size_t rest = block->text.len - block->row_at;
        at = fc_json_put_u64(at, event_row);
        memcpy(at, block->text.data + block->row_at, rest);
        at += rest;
    }
    return at;
}

#endif
