/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adds streamed changes to a batch, one behind: the newest is held back until it is known
 * whether its transaction ends with it.
 *
 * Thread: the source's.
 */
#ifndef FC_MYSQL_EMITTER_H
#define FC_MYSQL_EMITTER_H

#include "connectors/mysql/memory.h"
#include "core/base/buf.h"
#include "fc/connector.h"

/* Places in a change's `source` array, as in fc_emitter_fields. */
enum {
    FC_EMITTER_TABLE,
    FC_EMITTER_SERVER_ID,
    FC_EMITTER_GTID,
    FC_EMITTER_FILE,
    FC_EMITTER_POS,
    FC_EMITTER_ROW,
    FC_EMITTER_THREAD,
    FC_EMITTER_QUERY,
    FC_EMITTER_FIELD_COUNT
};

/* What Debezium's MySQL connector puts after the common part of `source`. */
extern const struct fc_source_field fc_emitter_fields[];

/* The transaction that changes belong to. */
struct fc_emitter_tx {
    struct fc_buf id; /* owned by whoever owns the struct */
    bool has_gtid;    /* id is the GTID */
    int64_t commit_us;
    uint64_t next_row;  /* number of the next change in it */
    uint32_t thread_id; /* 0: unknown */
};

/* The binlog event that the next changes come from. */
struct fc_emitter_event {
    uint32_t server_id;
    const char *file;
    uint64_t position; /* where it starts */
    int64_t ts_us;
    struct fc_slice query; /* null: unknown, or not asked for; lives as long as the batch */
};

struct fc_emitter {
    const struct fc_host *host;
    struct fc_batch *batch; /* of the read under way, else NULL */
    struct fc_mysql_memory memory;
    const struct fc_tx *tx;        /* in the batch; NULL until its first change there */
    struct fc_slice file;          /* in the batch */
    const struct fc_value *source; /* of the current event; NULL until its first change */
    struct fc_change held;
    bool holding;
};

void fc_emitter_init(struct fc_emitter *emitter, const struct fc_host *host);

/* Begin to fill a batch; nothing may be held. `memory` hands out the batch's. */
void fc_emitter_begin(struct fc_emitter *emitter, struct fc_batch *batch);
/* Forget the batch and what is held. */
void fc_emitter_end(struct fc_emitter *emitter);

/* A new transaction, or a new event of it, begins: what was made for the last is not used any
 * more. */
void fc_emitter_new_tx(struct fc_emitter *emitter);
void fc_emitter_new_event(struct fc_emitter *emitter);

/*
 * Add the change held so far, and hold `change` (copied), completed with tx, row number, source
 * and ts_us. FC_ERR_LIMIT when the batch's hard limit is met.
 */
FC_MUST_CHECK fc_code fc_emitter_put(struct fc_emitter *emitter, struct fc_emitter_tx *tx,
                                     const struct fc_emitter_event *event,
                                     const struct fc_change *change, struct fc_error *err);

/* Add what is held: its transaction goes on. */
FC_MUST_CHECK fc_code fc_emitter_flush(struct fc_emitter *emitter, struct fc_error *err);

/* The transaction ends: add what is held as its last change, if anything is. */
FC_MUST_CHECK fc_code fc_emitter_commit(struct fc_emitter *emitter, struct fc_error *err);

/* Memory of the batch; NULL, and FC_ERR_LIMIT in err, past its hard limit. */
void *fc_emitter_alloc(struct fc_emitter *emitter, size_t size, struct fc_error *err);
FC_MUST_CHECK fc_code fc_emitter_copy(struct fc_emitter *emitter, struct fc_slice bytes,
                                      struct fc_slice *out_copy, struct fc_error *err);

#endif
