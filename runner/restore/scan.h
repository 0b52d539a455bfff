/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk over a connector's records of all partitions in the order of their transactions, up to
 * a cut: the log as one stream.
 *
 * Within a partition the log's order is kept; between partitions the lower transaction number
 * comes first, then the lower row. Only headers are looked at. Records of others are passed
 * over; a missing offset is an error.
 *
 * Thread: one at a time.
 */
#ifndef FC_RESTORE_SCAN_H
#define FC_RESTORE_SCAN_H

#include "runner/restore/log_view.h"

struct fc_scan;

/* Records with numbers above seq_max are left out. view outlives the scan. */
FC_MUST_CHECK fc_code fc_scan_open(const struct fc_log_view *view, uint64_t seq_max,
                                   struct fc_scan **out_scan, struct fc_error *err);
void fc_scan_close(struct fc_scan *scan); /* NULL is fine */

struct fc_scan_item {
    const struct fc_record *record;
    struct fc_identity identity;
    uint32_t partition; /* of the view */
};

/*
 * The next record, borrowed until the call after; false at the end or on failure, which *code
 * tells.
 */
FC_MUST_CHECK bool fc_scan_next(struct fc_scan *scan, struct fc_scan_item *out_item,
                                fc_code *code, struct fc_error *err);

/* Records passed so far, those of others included: for progress. */
uint64_t fc_scan_passed(const struct fc_scan *scan);

/*
 * 0 when the log is there from its beginning; else the highest number that records removed by
 * retention may have had. Known from open on.
 */
uint64_t fc_scan_lost_seq(const struct fc_scan *scan);

#endif
