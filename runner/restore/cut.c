/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/cut.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/restore/scan.h"

/* What was captured, for messages. */
struct captured {
    struct fc_log_mark first;
    struct fc_log_mark last;
};

static fc_code fail_outside(const struct captured *captured, const struct fc_cut_spec *spec,
                            const char *where, struct fc_error *err)
{
    char from[FC_LOG_MARK_TEXT_SIZE];
    char to[FC_LOG_MARK_TEXT_SIZE];
    return fc_fail(err, FC_ERR_NOT_FOUND, "%s is %s; captured are %s to %s", spec->text, where,
                   captured->first.present ? fc_log_mark_text(&captured->first, from) : "none",
                   captured->last.present ? fc_log_mark_text(&captured->last, to) : "none");
}

/* --- TIME -------------------------------------------------------------------------------- */

static fc_code find_time(const struct fc_log_view *view, const struct fc_cut_spec *spec,
                         const struct captured *captured, uint64_t *out_seq,
                         struct fc_error *err)
{
    int64_t time_ms = spec->time_us / 1000;
    uint64_t first_after = UINT64_MAX;
    fc_code code = FC_OK;
    for (uint32_t index = 0; code == FC_OK && index < view->partition_count; index++) {
        const struct fc_log_partition *partition = &view->partitions[index];
        struct fc_log_mark mark;
        int64_t offset;
        code = fc_stream_offset_for_time(partition->topic, partition->partition, time_ms + 1,
                                         &offset, err);
        mark.present = false;
        while (code == FC_OK && offset < partition->end) {
            code = fc_log_view_at(view, index, offset, &mark, err);
            if (code != FC_OK || !mark.present || mark.time_ms > time_ms) {
                break;
            }
            offset = mark.offset + 1; /* somebody else's record stood there */
            mark.present = false;
        }
        if (mark.present && mark.seq < first_after) {
            first_after = mark.seq;
        }
    }
    if (code != FC_OK) {
        return code;
    }
    if (first_after == UINT64_MAX && time_ms > captured->last.time_ms) {
        return fail_outside(captured, spec,
                            "after the last captured transaction (for all of it "
                            "leave out --to)",
                            err);
    }
    *out_seq = first_after == UINT64_MAX ? view->complete_seq : first_after - 1;
    return FC_OK;
}

/* --- TX ---------------------------------------------------------------------------------- */

static fc_code find_tx(const struct fc_log_view *view, const struct fc_cut_spec *spec,
                       const struct captured *captured, uint64_t *out_seq, struct fc_error *err)
{
    struct fc_scan *scan = NULL;
    struct fc_scan_item item;
    struct fc_slice wanted = fc_slice_text(spec->text);
    uint64_t found = 0;
    fc_code code = fc_scan_open(view, UINT64_MAX, &scan, err);
    while (code == FC_OK && found == 0 && fc_scan_next(scan, &item, &code, err)) {
        if (fc_slice_equal(item.identity.tx_id, wanted)) {
            found = item.identity.seq;
        }
    }
    fc_scan_close(scan);
    if (code != FC_OK) {
        return code;
    }
    if (found == 0) {
        return fail_outside(
            captured, spec,
            "not the id of a captured transaction (one that changed no captured "
            "table is not in the log)",
            err);
    }
    *out_seq = spec->before ? found - 1 : found;
    if (*out_seq > view->complete_seq) {
        return fail_outside(captured, spec, "not captured completely yet", err);
    }
    return FC_OK;
}

/* --- OFFSET ------------------------------------------------------------------------------ */

static fc_code find_partition(const struct fc_log_view *view, const struct fc_cut_spec *spec,
                              uint32_t *out_index, struct fc_error *err)
{
    uint32_t found = 0;
    for (uint32_t index = 0; index < view->partition_count; index++) {
        const struct fc_log_partition *partition = &view->partitions[index];
        if (*spec->topic == '\0' ? partition->data
                                 : strcmp(fc_topic_name(partition->topic), spec->topic) == 0 &&
                                       partition->partition == spec->partition) {
            *out_index = index;
            found++;
        }
    }
    if (found == 0) {
        return fc_fail(err, FC_ERR_NOT_FOUND, "connector %s has no partition %s/%" PRIu32,
                       view->connector, spec->topic, spec->partition);
    }
    if (found > 1) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "connector %s has %" PRIu32
                       " partitions; write topic/partition/offset instead of %" PRId64,
                       view->connector, found, spec->offset);
    }
    return FC_OK;
}

static fc_code read_identity(const struct fc_log_view *view, uint32_t index, int64_t offset,
                             bool *out_ours, uint64_t *out_seq, bool *out_last,
                             struct fc_error *err)
{
    const struct fc_log_partition *partition = &view->partitions[index];
    struct fc_stream_reader *reader = NULL;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    struct fc_identity identity;
    struct fc_error ignored;
    fc_code code =
        fc_stream_reader_open(partition->topic, partition->partition, offset, &reader, err);
    *out_ours = false;
    if (code == FC_OK) {
        code = fc_stream_reader_next(reader, 0, &records, &count, err);
    }
    if (code == FC_OK && count > 0 && records[0].offset == offset &&
        fc_identity_of(&records[0], &identity, &ignored) == FC_OK &&
        fc_slice_equal_text(identity.connector, view->connector)) {
        *out_ours = true;
        *out_seq = identity.seq;
        *out_last = identity.tx_last;
    }
    fc_stream_reader_close(reader);
    return code;
}

static fc_code find_offset(const struct fc_log_view *view, const struct fc_cut_spec *spec,
                           const struct captured *captured, uint64_t *out_seq,
                           struct fc_error *err)
{
    const struct fc_log_partition *partition;
    uint32_t index = 0;
    int64_t offset = spec->offset;
    bool ours = false;
    bool last = false;
    uint64_t seq = 0;
    fc_code code = find_partition(view, spec, &index, err);
    if (code != FC_OK) {
        return code;
    }
    partition = &view->partitions[index];
    if (offset < partition->start || offset >= partition->end) {
        return fc_fail(err, FC_ERR_NOT_FOUND,
                       "offset %" PRId64 " is outside of what %s/%" PRIu32 " holds: %" PRId64
                       " to %" PRId64,
                       offset, fc_topic_name(partition->topic), partition->partition,
                       partition->start, partition->end - 1);
    }
    while (code == FC_OK && !ours && offset >= partition->start) {
        code = read_identity(view, index, offset--, &ours, &seq, &last, err);
    }
    if (code != FC_OK) {
        return code;
    }
    if (!ours) {
        return fail_outside(captured, spec, "before the first captured transaction", err);
    }
    *out_seq = last ? seq : seq - 1;
    if (*out_seq > view->complete_seq) {
        *out_seq = view->complete_seq;
    }
    return FC_OK;
}

/* --- all of them ------------------------------------------------------------------------- */

/* The last transaction up to cut->seq, and where what follows begins. */
static fc_code describe(const struct fc_log_view *view, struct fc_cut *cut,
                        struct fc_error *err)
{
    fc_code code = FC_OK;
    cut->offsets = fc_new_array(int64_t, view->partition_count + 1);
    for (uint32_t index = 0; code == FC_OK && index < view->partition_count; index++) {
        struct fc_log_mark mark;
        code = fc_log_view_seek(view, index, cut->seq, &cut->offsets[index], &mark, err);
        if (code == FC_OK && mark.present && (!cut->last.present || mark.seq > cut->last.seq)) {
            cut->last = mark;
        }
    }
    return code;
}

fc_code fc_cut_resolve(const struct fc_log_view *view, const struct fc_cut_spec *spec,
                       struct fc_cut *out_cut, struct fc_error *err)
{
    struct captured captured;
    struct fc_cut cut;
    fc_code code = fc_log_view_range(view, &captured.first, &captured.last, err);
    memset(&cut, 0, sizeof(cut));
    if (code != FC_OK) {
        return code;
    }
    switch (spec->kind) {
    case FC_CUT_END:
        cut.seq = view->complete_seq;
        break;
    case FC_CUT_TIME:
        code = find_time(view, spec, &captured, &cut.seq, err);
        break;
    case FC_CUT_TX:
        code = find_tx(view, spec, &captured, &cut.seq, err);
        break;
    case FC_CUT_OFFSET:
        code = find_offset(view, spec, &captured, &cut.seq, err);
        break;
    }
    if (code == FC_OK && cut.seq > view->complete_seq) {
        cut.seq = view->complete_seq;
    }
    if (code == FC_OK) {
        code = describe(view, &cut, err);
    }
    if (code == FC_OK && !cut.last.present) {
        code = fail_outside(&captured, spec, "before the first captured transaction", err);
    }
    if (code != FC_OK) {
        fc_cut_release(&cut);
        return code;
    }
    *out_cut = cut;
    return FC_OK;
}

void fc_cut_release(struct fc_cut *cut)
{
    free(cut->offsets);
    memset(cut, 0, sizeof(*cut));
}
