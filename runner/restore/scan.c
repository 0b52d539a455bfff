/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One cursor a partition, and a heap of them by their next record.
 *
 * Numbers grow along a partition, with one exception: after a crash followed by a failover to a
 * server that commits in another order, the rest of a transaction that the log held in part is
 * written with its first number behind later ones. Such records cannot be further away than what
 * was in flight between two checkpoints, so a cursor ends only a good distance behind the cut.
 */
#include "runner/restore/scan.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/heap.h"

/* Transactions in flight between two checkpoints, amply: checkpoints are a second apart. */
static const uint64_t in_flight_max = 1U << 20;

struct cursor {
    uint32_t partition;
    int64_t end;
    struct fc_stream_reader *reader;
    const struct fc_record *records;
    uint32_t count;
    uint32_t next; /* the head is the record before it */
    int64_t expected;
    struct fc_scan_item head;
};

struct fc_scan {
    const struct fc_log_view *view;
    uint64_t seq_max;
    uint64_t passed;
    uint64_t lost_seq;
    struct cursor *cursors; /* one a partition */
    struct fc_heap heap;    /* those that have a head; the lowest first */
    bool head_taken;        /* the lowest cursor's head was given out and must be advanced */
};

/* --- one partition ----------------------------------------------------------------------- */

static fc_code fail_gap(const struct fc_scan *scan, const struct cursor *cursor, int64_t found,
                        struct fc_error *err)
{
    char place[FC_LOG_PLACE_SIZE];
    return fc_fail(err, FC_ERR_CORRUPT,
                   "%s: offsets %" PRId64 " to %" PRId64
                   " are missing from the log: what was changed there "
                   "is not known",
                   fc_log_view_place(scan->view, cursor->partition, place), cursor->expected,
                   found - 1);
}

/* Marks of a cluster's transactions may stand where no record is. */
static fc_code pass_gap(const struct fc_scan *scan, struct cursor *cursor, int64_t found,
                        struct fc_error *err)
{
    if (found < cursor->expected || fc_stream_is_dense(scan->view->stream)) {
        return fail_gap(scan, cursor, found, err);
    }
    cursor->expected = found;
    return FC_OK;
}

static fc_code next_batch(struct fc_scan *scan, struct cursor *cursor, struct fc_error *err)
{
    char place[FC_LOG_PLACE_SIZE];
    fc_code code =
        fc_stream_reader_next(cursor->reader, 0, &cursor->records, &cursor->count, err);
    cursor->next = 0;
    if (code != FC_OK) {
        return fc_wrap(err, "%s", fc_log_view_place(scan->view, cursor->partition, place));
    }
    if (cursor->count == 0) {
        return pass_gap(scan, cursor, cursor->end, err);
    }
    return FC_OK;
}

/* Take the next record of ours as head; *out_has is false at the cursor's end. */
static fc_code advance(struct fc_scan *scan, struct cursor *cursor, bool *out_has,
                       struct fc_error *err)
{
    fc_code code = FC_OK;
    *out_has = false;
    while (cursor->expected < cursor->end) {
        const struct fc_record *record;
        if (cursor->next == cursor->count) {
            code = next_batch(scan, cursor, err);
            if (code != FC_OK || cursor->count == 0) {
                return code;
            }
        }
        record = &cursor->records[cursor->next++];
        if (record->offset != cursor->expected) {
            code = pass_gap(scan, cursor, record->offset, err);
        }
        if (code != FC_OK || record->offset >= cursor->end) {
            return code;
        }
        cursor->expected++;
        scan->passed++;
        code = fc_identity_of(record, &cursor->head.identity, err);
        if (code == FC_ERR_NOT_FOUND) {
            continue;
        }
        if (code != FC_OK) {
            char place[FC_LOG_PLACE_SIZE];
            return fc_wrap(err, "%s offset %" PRId64,
                           fc_log_view_place(scan->view, cursor->partition, place),
                           record->offset);
        }
        if (!fc_slice_equal_text(cursor->head.identity.connector, scan->view->connector)) {
            continue;
        }
        if (cursor->head.identity.seq <= scan->seq_max) {
            cursor->head.record = record;
            *out_has = true;
            return FC_OK;
        }
        if (cursor->head.identity.seq - scan->seq_max > in_flight_max) {
            break;
        }
    }
    return FC_OK;
}

/* --- open, next, close ------------------------------------------------------------------- */

static bool is_before(const void *a, const void *b)
{
    const struct cursor *x = a;
    const struct cursor *y = b;
    return fc_identity_is_before(&x->head.identity, &y->head.identity);
}

/* What retention removed stood before the first record that is left. */
static fc_code note_lost(struct fc_scan *scan, const struct cursor *cursor,
                         struct fc_error *err)
{
    struct fc_log_mark mark;
    uint64_t lost = scan->view->complete_seq;
    fc_code code = FC_OK;
    if (scan->view->partitions[cursor->partition].start == 0) {
        return FC_OK;
    }
    code = fc_log_view_at(scan->view, cursor->partition, cursor->expected, &mark, err);
    if (code == FC_OK && mark.present) {
        lost = mark.seq;
    }
    scan->lost_seq = lost > scan->lost_seq ? lost : scan->lost_seq;
    return code;
}

static fc_code open_cursor(struct fc_scan *scan, struct cursor *cursor, struct fc_error *err)
{
    const struct fc_log_partition *partition = &scan->view->partitions[cursor->partition];
    bool has = false;
    fc_code code;
    cursor->end = partition->end;
    cursor->expected = partition->start;
    cursor->head.partition = cursor->partition;
    code = note_lost(scan, cursor, err);
    if (code == FC_OK && cursor->expected < cursor->end) {
        code = fc_stream_reader_open(partition->topic, partition->partition, cursor->expected,
                                     &cursor->reader, err);
    }
    if (code == FC_OK && cursor->reader != NULL) {
        code = advance(scan, cursor, &has, err);
    }
    if (code == FC_OK && has) {
        fc_heap_add(&scan->heap, cursor);
    }
    return code;
}

fc_code fc_scan_open(const struct fc_log_view *view, uint64_t seq_max,
                     struct fc_scan **out_scan, struct fc_error *err)
{
    struct fc_scan *scan = fc_new(struct fc_scan);
    fc_code code = FC_OK;
    scan->view = view;
    scan->seq_max = seq_max;
    scan->cursors = fc_new_array(struct cursor, view->partition_count + 1);
    fc_heap_init(&scan->heap, is_before);
    for (uint32_t index = 0; code == FC_OK && index < view->partition_count; index++) {
        scan->cursors[index].partition = index;
        code = open_cursor(scan, &scan->cursors[index], err);
    }
    if (code != FC_OK) {
        fc_scan_close(scan);
        return code;
    }
    fc_heap_order(&scan->heap);
    *out_scan = scan;
    return FC_OK;
}

void fc_scan_close(struct fc_scan *scan)
{
    if (scan != NULL) {
        for (uint32_t index = 0; index < scan->view->partition_count; index++) {
            fc_stream_reader_close(scan->cursors[index].reader);
        }
        free(scan->cursors);
        fc_heap_release(&scan->heap);
        free(scan);
    }
}

bool fc_scan_next(struct fc_scan *scan, struct fc_scan_item *out_item, fc_code *code,
                  struct fc_error *err)
{
    const struct cursor *first;
    *code = FC_OK;
    if (scan->head_taken) {
        bool has;
        scan->head_taken = false;
        *code = advance(scan, fc_heap_first(&scan->heap), &has, err);
        if (*code != FC_OK) {
            return false;
        }
        if (has) {
            fc_heap_first_changed(&scan->heap);
        } else {
            fc_heap_drop_first(&scan->heap);
        }
    }
    first = fc_heap_first(&scan->heap);
    if (first == NULL) {
        return false;
    }
    *out_item = first->head;
    scan->head_taken = true;
    return true;
}

uint64_t fc_scan_passed(const struct fc_scan *scan)
{
    return scan->passed;
}

uint64_t fc_scan_lost_seq(const struct fc_scan *scan)
{
    return scan->lost_seq;
}
