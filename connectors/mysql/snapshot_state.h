/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a snapshot, shared by snapshot.c (its life, and what the stream tells it),
 * snapshot_read.c (chunks and scans from the server) and snapshot_give.c (their rows into
 * batches).
 */
#ifndef FC_MYSQL_SNAPSHOT_STATE_H
#define FC_MYSQL_SNAPSHOT_STATE_H

#include "connectors/mysql/chunk.h"
#include "connectors/mysql/consistent_read.h"
#include "connectors/mysql/snapshot.h"
#include "core/base/hashmap.h"

typedef enum fc_snapshot_step_kind {
    FC_SNAPSHOT_STEP_BEGIN, /* read the next chunk, or open the view of a table without key */
    FC_SNAPSHOT_STEP_WAIT,  /* until the stream has reached `high` */
    FC_SNAPSHOT_STEP_GIVE,  /* rows of the chunk */
    FC_SNAPSHOT_STEP_GIVE_SCAN /* rows of a table without key */
} fc_snapshot_step_kind;

struct fc_snapshot {
    const struct fc_host *host;
    const struct fc_table_filter *filter;
    struct fc_change_stream *stream;
    uint64_t chunk_rows;

    pthread_mutex_t lock;
    /* Guarded by lock, for interrupt; set by the source's thread only. */
    struct fc_session *session;
    bool interrupted;

    fc_snapshot_step_kind step;
    const struct fc_shape *shape; /* of the table under way; NULL: to be described */
    struct fc_shape **shapes;     /* all that were given out */
    size_t shape_count;
    bool noting;    /* step 1 to 4 */
    bool worthless; /* a statement touched the table meanwhile */
    bool missing;   /* the table was not there when it was asked for */
    struct fc_hashmap noted;
    struct fc_buf key;
    struct fc_chunk chunk;
    bool last_chunk;
    uint64_t limit; /* rows of the next chunk */
    struct fc_binlog_place high;
    MYSQL_RES *scan;
    struct fc_consistent_read view; /* of the scan */
    bool view_open;
    uint64_t row; /* number of the next row of the table */
    uint64_t rows_estimate;
    int64_t read_us;
    struct fc_change *last; /* the last row given out in this batch */
};

/* What is left to read, in the stream's position; NULL: nothing. */
json_t *fc_snapshot_plan_of(const struct fc_snapshot *snapshot);

/* snapshot->session is there, or an error. */
FC_MUST_CHECK fc_code fc_snapshot_ensure_session(struct fc_snapshot *snapshot,
                                                 struct fc_error *err);
void fc_snapshot_close_session(struct fc_snapshot *snapshot);

/* FC_SNAPSHOT_STEP_BEGIN. out_progressed: the plan has changed. */
FC_MUST_CHECK fc_code fc_snapshot_begin(struct fc_snapshot *snapshot, bool *out_progressed,
                                        struct fc_error *err);
/* The table under way is complete, or gone. */
void fc_snapshot_finish_table(struct fc_snapshot *snapshot);
void fc_snapshot_forget_notes(struct fc_snapshot *snapshot);
/* The view of a table without key is open and the stream stands at it: read its rows. */
FC_MUST_CHECK fc_code fc_snapshot_start_scan(struct fc_snapshot *snapshot,
                                             struct fc_error *err);

/* FC_SNAPSHOT_STEP_GIVE and FC_SNAPSHOT_STEP_GIVE_SCAN: rows into the batch. */
FC_MUST_CHECK fc_code fc_snapshot_give_chunk(struct fc_snapshot *snapshot,
                                             struct fc_batch *batch, struct fc_error *err);
FC_MUST_CHECK fc_code fc_snapshot_give_scan(struct fc_snapshot *snapshot,
                                            struct fc_batch *batch, struct fc_error *err);

#endif
