/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transform engine: Lua 5.4 functions between source and log.
 *
 * A chain is what the user's file lists; an engine is one worker's Lua state with that chain
 * loaded. Scripts see no io, os, package or debug; each call has an instruction budget and the
 * state a memory cap, so a script that loops or eats memory fails that one change with
 * FC_ERR_REJECTED instead of the process. Columns are reached lazily: untouched ones are never
 * copied.
 *
 * Thread: a chain is immutable; an engine belongs to one worker.
 */
#ifndef FC_TRANSFORM_H
#define FC_TRANSFORM_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/error.h"
#include "fc/change.h"

struct fc_transform_chain;
struct fc_transform_engine;

/* One step as the file names it. */
struct fc_transform_step {
    const char *uses;      /* a ready-made transform's name, or a path that ends in ".lua" */
    const char *with_json; /* its options as a JSON object text, or NULL */
    int line;              /* where in the file, for messages; 0 unknown */
};

struct fc_transform_config {
    const char *base_dir;             /* relative script paths start here */
    const char *ready_made_dir;       /* where mask.lua and the others are */
    const char *const *source_fields; /* names of change->source values, ends with NULL; scripts
                                         see change.source.file */
    uint64_t instructions_max;        /* a call; 0: default 1,000,000 */
    size_t memory_max;                /* a state; 0: default 16 MiB */
};

/*
 * Read the scripts, compile them and run their top level once to find mistakes early. config is
 * copied. Errors: FC_ERR_CONFIG naming file and line.
 */
FC_MUST_CHECK fc_code fc_transform_chain_new(const struct fc_transform_step *steps,
                                             uint32_t count,
                                             const struct fc_transform_config *config,
                                             struct fc_transform_chain **out_chain,
                                             struct fc_error *err);
void fc_transform_chain_free(
    struct fc_transform_chain *chain); /* NULL is fine; after its engines */

FC_MUST_CHECK fc_code fc_transform_engine_new(const struct fc_transform_chain *chain,
                                              struct fc_transform_engine **out_engine,
                                              struct fc_error *err);
/* Derived shapes die with it. NULL is fine. */
void fc_transform_engine_free(struct fc_transform_engine *engine);

/*
 * Pointers to shapes from before this call mean nothing any more (a source that was closed and
 * opened again may have put another shape at the same address). Call it at the start of each
 * batch; shapes that still hold the same content keep their derived shapes.
 */
void fc_transform_engine_begin_batch(struct fc_transform_engine *engine);

/*
 * How json.encode(row) writes a row: as the envelope does under "after", so fc_envelope_row
 * behind a small function. ctx is borrowed until the engine is freed. Without it json.encode
 * of a row fails.
 */
typedef void (*fc_transform_encode_row)(void *ctx, const struct fc_shape *shape,
                                        const struct fc_value *row, struct fc_buf *out);
void fc_transform_engine_set_row_encoder(struct fc_transform_engine *engine,
                                         fc_transform_encode_row encode_row, void *ctx);

/* What came out of one change. */
struct fc_transformed {
    /* The input itself when nothing was changed, else a copy in arena. A new shape lives until
     * the engine is freed, and the same edits of the same shape give the same pointer; its
     * create_sql is NULL. */
    const struct fc_change *change;
    struct fc_slice topic; /* where the script sent it; null: where it would have gone */
    struct fc_slice
        key; /* a record key that the script set, as it goes to the log; null: from the shape */
    struct fc_slice value; /* a record value that the script set; null: the envelope */
    bool tombstone;        /* the record's value is Kafka's null; `value` is the null slice */
    const struct fc_header_text *headers; /* extra headers the script set */
    uint32_t header_count;
};

struct fc_header_text {
    struct fc_slice key;
    struct fc_slice value;
};

/*
 * Run the chain over one change. out_results: 0 (dropped), 1 or more (split), in arena, which
 * must outlive their use. TRUNCATE and DDL reach only scripts that define transform_ddl; the
 * marker of an empty table's snapshot (no rows) reaches none and comes out with the shape that the
 * table's rows last got. Errors: FC_ERR_REJECTED with the script's reason or failure, naming
 * file and line; the engine is fit for the next call.
 */
FC_MUST_CHECK fc_code fc_transform_run(struct fc_transform_engine *engine,
                                       const struct fc_change *change, struct fc_arena *arena,
                                       struct fc_transformed **out_results, uint32_t *out_count,
                                       struct fc_error *err);

#endif
