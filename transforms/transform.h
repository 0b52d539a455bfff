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
void fc_transform_engine_free(struct fc_transform_engine *engine); /* NULL is fine */

/* What came out of one change. */
struct fc_transformed {
    const struct fc_change *change; /* the input itself when nothing was changed, else a copy in
                                       arena; its shape may be new */
    struct fc_slice topic; /* where the script sent it; null: where it would have gone */
    struct fc_slice
        key; /* a record key that the script set, as it goes to the log; null: from the shape */
    struct fc_slice value; /* a record value that the script set; null: the envelope */
    const struct fc_header_text *headers; /* extra headers the script set */
    uint32_t header_count;
};

struct fc_header_text {
    struct fc_slice key;
    struct fc_slice value;
};

/*
 * Run the chain over one change. out_results: 0 (dropped), 1 or more (split), in arena, which
 * must outlive their use. Errors: FC_ERR_REJECTED with the script's reason or failure, naming
 * file and line; the engine is fit for the next call.
 */
FC_MUST_CHECK fc_code fc_transform_run(struct fc_transform_engine *engine,
                                       const struct fc_change *change, struct fc_arena *arena,
                                       struct fc_transformed **out_results, uint32_t *out_count,
                                       struct fc_error *err);

#endif
