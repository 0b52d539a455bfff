/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From changes to records: what a change becomes in the log.
 *
 * One change becomes one record, but for:
 *   a delete         'd', then a tombstone if the connector writes them
 *   a key change     'd' of the old key, its tombstone, 'c' of the new key (as Debezium does)
 *   a transform      none, or several
 * The records of one change are numbered by `part` in the order in which they are written; those
 * that the log already holds are left out.
 *
 * Thread: belongs to one worker.
 */
#ifndef FC_RUNNER_RECORDS_H
#define FC_RUNNER_RECORDS_H

#include "core/base/clock.h"
#include "runner/config.h"
#include "runner/resume.h"
#include "runner/room.h"
#include "runner/schema_store.h"
#include "runner/unit.h"
#include "transforms/transform.h"

struct fc_records_config {
    const struct fc_config *config;
    const struct fc_source_field *fields;
    struct fc_stream *stream;
    struct fc_schema_store *schemas;
    const struct fc_resume *resume; /* changes only while no unit is under way */
    const struct fc_clock *clock;
    struct fc_room *room; /* where to wait while the disk has none for a new topic */
};

struct fc_records;
struct fc_records *fc_records_new(const struct fc_records_config *config);
void fc_records_free(struct fc_records *records); /* NULL is fine */

/* Records go to this unit's outputs from now on. engine_name: the source's ("mysql"). */
void fc_records_begin_unit(struct fc_records *records, struct fc_unit *unit,
                           const char *engine_name);

/* What follows belongs to this change, of the transaction numbered seq. */
void fc_records_begin_change(struct fc_records *records, const struct fc_change *change,
                             uint64_t seq);

/*
 * Write one result of the change's transforms. last_result: no other follows.
 * Errors: FC_ERR_LIMIT (over the record limit), FC_ERR_REJECTED (a script asked for what cannot be).
 */
FC_MUST_CHECK fc_code fc_records_put(struct fc_records *records,
                                     const struct fc_transformed *result, bool last_result,
                                     struct fc_error *err);

/* The change as it came, to the dead-letter topic, and why. A value over the limit is left out. */
FC_MUST_CHECK fc_code fc_records_put_dead_letter(struct fc_records *records,
                                                 const struct fc_change *change,
                                                 const struct fc_error *reason,
                                                 struct fc_error *err);

/* A restore marker, to the topic named as the connector. */
FC_MUST_CHECK fc_code fc_records_put_mark(struct fc_records *records, const char *json,
                                          uint64_t seq, struct fc_error *err);

/* A row as it stands under "after" in the envelope. */
void fc_records_encode_row(struct fc_records *records, const struct fc_shape *shape,
                           const struct fc_value *row, struct fc_buf *out);

/* Shapes seen so far are gone. */
void fc_records_forget_shapes(struct fc_records *records);

#endif
