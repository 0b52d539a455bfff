/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A consistent read of which it is known how it stands to the binlog: it shows everything that
 * the stream has given out, and its own place in the binlog is known.
 *
 * How (the dump may be sent a transaction before the engine has committed it, so asking for a
 * view is not enough):
 *   MariaDB           a consistent snapshot knows its exact place; one that is behind the stream
 *                     is thrown away.
 *   MySQL with GTIDs  wait until gtid_executed holds all that was streamed, then take the view.
 *   MySQL without     read with shared row locks, which wait for commits under way.
 */
#ifndef FC_MYSQL_CONSISTENT_READ_H
#define FC_MYSQL_CONSISTENT_READ_H

#include "connectors/mysql/source_position.h"

struct fc_consistent_read {
    bool locking;     /* SELECTs must lock: there is no view */
    bool place_known; /* place is exact and known before reading (MariaDB, or locked) */
    struct fc_binlog_place place; /* of the view */
};

/*
 * Open a view on the session.
 *
 * streamed, reached  up to where the stream has given out everything; at a boundary.
 * out_ready          false: not yet, try again later; nothing is open then.
 */
FC_MUST_CHECK fc_code fc_consistent_read_open(struct fc_session *session,
                                              const struct fc_source_position *streamed,
                                              const struct fc_binlog_place *reached,
                                              struct fc_consistent_read *out_read,
                                              bool *out_ready, struct fc_error *err);

/*
 * Open a view whose place in the binlog is exact, for a table without key. MySQL: db.table is
 * locked against writes for the moment of opening, through a second connection.
 */
FC_MUST_CHECK fc_code fc_consistent_read_open_exact(struct fc_session *session, const char *db,
                                                    const char *table,
                                                    const struct fc_binlog_place *reached,
                                                    struct fc_consistent_read *out_read,
                                                    bool *out_ready, struct fc_error *err);

/* End the view. out_place: a place that everything it showed stands before. */
FC_MUST_CHECK fc_code fc_consistent_read_close(struct fc_session *session,
                                               const struct fc_consistent_read *read,
                                               struct fc_binlog_place *out_place,
                                               struct fc_error *err);

#endif
