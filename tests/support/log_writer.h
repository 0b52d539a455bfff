/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a history into a log as a capture would, transaction by transaction, through the
 * pipeline's own encoder: for tests of what reads it.
 *
 * Failures end the test program with a message.
 */
#ifndef FC_TESTS_LOG_WRITER_H
#define FC_TESTS_LOG_WRITER_H

#include "core/stream/stream.h"
#include "fc/connector.h"

struct fc_log_writer_config {
    struct fc_stream *stream; /* borrowed */
    const char *connector;
    const char *topic; /* a name or a template */
    uint32_t partitions;
    bool tombstones;
};

struct fc_log_writer;
struct fc_log_writer *fc_log_writer_new(const struct fc_log_writer_config *config);
void fc_log_writer_free(struct fc_log_writer *writer); /* NULL is fine; appends nothing */

/* A transaction; tx_id NULL: rows of a snapshot. Returns its number. */
uint64_t fc_log_writer_begin(struct fc_log_writer *writer, const char *tx_id,
                             int64_t commit_us);

/* A row change; before and after as in struct fc_change, copied. */
void fc_log_writer_row(struct fc_log_writer *writer, fc_op op, const struct fc_shape *shape,
                       const struct fc_value *before, const struct fc_value *after);
/* The last row of a table's snapshot, or NULL: the table is empty. */
void fc_log_writer_snapshot_end(struct fc_log_writer *writer, const struct fc_shape *shape,
                                const struct fc_value *after);
void fc_log_writer_truncate(struct fc_log_writer *writer, const char *db, const char *table);
/* tables is copied; "statement" names them. */
void fc_log_writer_ddl(struct fc_log_writer *writer, fc_ddl_kind kind, const char *db,
                       const char *statement, const struct fc_ddl_table *tables,
                       uint32_t count);

/* Append it; its last record is marked as such. */
void fc_log_writer_commit(struct fc_log_writer *writer);
/* Append what there is of it, as a capture that is cut short, without the mark. */
void fc_log_writer_break_off(struct fc_log_writer *writer);

/* A restore marker of its own number, which is returned. */
uint64_t fc_log_writer_mark(struct fc_log_writer *writer, const char *db, const char *table,
                            uint64_t cut_seq);

/* Say that all so far is complete. */
void fc_log_writer_checkpoint(struct fc_log_writer *writer);

#endif
