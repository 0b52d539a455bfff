/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log in a temporary directory with a writer of histories, and ways to look at it: for tests of
 * restore and its parts. The connector is "cap"; transaction ids are "0-1-<number>", commit
 * times FC_FIXTURE_TIME_S + number, in seconds.
 *
 * Failures of what a test does not test end it.
 */
#ifndef FC_TESTS_LOG_FIXTURE_H
#define FC_TESTS_LOG_FIXTURE_H

#include "runner/restore/cut.h"
#include "runner/restore/fold.h"
#include "tests/support/log_writer.h"

enum { FC_FIXTURE_TIME_S = 1700000000 };

struct fc_log_fixture {
    char *dir;
    struct fc_stream *stream;
    struct fc_log_writer *writer;
    struct fc_log_view *view; /* set by view */
    const char *topic;
    uint64_t seq; /* of the last transaction */
};

/* topic: "cap" for everything in one topic. */
void fc_log_fixture_init(struct fc_log_fixture *fixture, const char *topic,
                         uint32_t partitions);
void fc_log_fixture_release(struct fc_log_fixture *fixture);

/* Begin a transaction, or a snapshot's rows. */
void fc_log_fixture_begin(struct fc_log_fixture *fixture, bool snapshot);

/* Checkpoint and open (or open again) the view. */
void fc_log_fixture_view(struct fc_log_fixture *fixture);

/* Fold all tables, or one, at a number. NULL and *err on failure. */
struct fc_fold *fc_log_fixture_fold(struct fc_log_fixture *fixture, uint64_t seq,
                                    const char *table, struct fc_error *err);

/* A statement of its own transaction on d.table; new_table NULL: no rename. */
void fc_log_fixture_ddl(struct fc_log_fixture *fixture, fc_ddl_kind kind, const char *statement,
                        const char *table, const char *new_table);

#endif
