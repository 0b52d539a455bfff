/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Restore markers: a restore that the database's own binlog does not show is told to the log, so
 * that what is read from it later knows of it (runner/restore/lineage.h).
 *
 * A running capture writes the marker itself, asked over its control socket; without one we hold
 * the data directory meanwhile and write it.
 */
#ifndef FC_RUNNER_MARKER_H
#define FC_RUNNER_MARKER_H

#include "core/base/clock.h"
#include "runner/config.h"

struct fc_marker;

/*
 * Make sure that a marker can be written later: find the running capture, or take the directory.
 * FC_ERR_REFUSED when neither can be had; the message says what to do.
 */
FC_MUST_CHECK fc_code fc_marker_open(const struct fc_config *config,
                                     const struct fc_clock *clock,
                                     struct fc_marker **out_marker, struct fc_error *err);
void fc_marker_close(struct fc_marker *marker); /* NULL is fine */

/* Outside of the binlog, db.table was put back to what it was at number cut_seq. Durable when
 * this returns. */
FC_MUST_CHECK fc_code fc_marker_write(struct fc_marker *marker, const char *db,
                                      const char *table, uint64_t cut_seq,
                                      struct fc_error *err);

#endif
