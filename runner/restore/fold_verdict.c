/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/fold_verdict.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"

enum { NAMES_SHOWN_BYTES = 200 };

/* Where the table's first whole snapshot after the cut ends, if it does. */
static fc_code find_snapshot_end(struct fc_fold_state *state, const struct fc_fold_table *table,
                                 struct fc_log_mark *out_end, struct fc_error *err)
{
    const struct fc_log_view *view = state->config->view;
    struct fc_scan *scan = NULL;
    struct fc_scan_item item;
    fc_code code = fc_scan_open(view, view->complete_seq, &scan, err);
    out_end->present = false;
    while (code == FC_OK && !out_end->present && fc_scan_next(scan, &item, &code, err)) {
        const struct fc_schema *schema;
        if ((item.identity.op != 'e' && item.identity.op != 'E') ||
            item.identity.seq <= state->config->cut_seq) {
            continue;
        }
        schema = fc_schema_store_get(view->schemas, item.identity.schema_id);
        if (schema != NULL && strcmp(schema->shape->db, table->db) == 0 &&
            strcmp(schema->shape->table, table->table) == 0) {
            out_end->present = true;
            out_end->seq = item.identity.seq;
            out_end->offset = item.record->offset;
            out_end->time_ms = item.record->timestamp_ms;
            (void)snprintf(out_end->tx_id, sizeof(out_end->tx_id), "-");
        }
    }
    fc_scan_close(scan);
    return code;
}

static fc_code fail_moved(const struct fc_fold_table *table, const struct fc_log_mark *end,
                          struct fc_error *err)
{
    char text[FC_TIME_TEXT_SIZE];
    char later[64] = "";
    if (end->present) {
        (void)snprintf(later, sizeof(later), ", or from number %" PRIu64 " on", end->seq);
    }
    return fc_fail(err, FC_ERR_REFUSED,
                   "%s: the ALTER TABLE of transaction %s at %s moved rows (of a partition or "
                   "tablespace) that the log does not have; it can be restored with --before "
                   "%s%s",
                   table->name, table->moved.tx_id, fc_time_text(table->moved.time_ms, text),
                   table->moved.tx_id, later);
}

static fc_code fail_incomplete(struct fc_fold_state *state, const struct fc_fold_table *table,
                               struct fc_error *err)
{
    struct fc_log_mark end;
    char text[FC_TIME_TEXT_SIZE];
    fc_code code = find_snapshot_end(state, table, &end, err);
    if (code != FC_OK) {
        return code;
    }
    if (table->moved.present) {
        return fail_moved(table, &end, err);
    }
    if (end.present) {
        return fc_fail(
            err, FC_ERR_REFUSED,
            "%s: at number %" PRIu64
            " its snapshot is not complete, so not all of its rows are known; it can be "
            "restored from number %" PRIu64 " (%s) on",
            table->name, state->config->cut_seq, end.seq, fc_time_text(end.time_ms, text));
    }
    return fc_fail(
        err, FC_ERR_REFUSED,
        "%s: the log has neither a whole snapshot of it nor its CREATE TABLE, so not "
        "all of its rows are known%s",
        table->name,
        table->path.count > 1 ? " (it had another name before, which was not captured "
                                "completely)"
                              : "; let the capture finish its snapshot");
}

static fc_code fail_lost(const struct fc_fold_state *state, const struct fc_fold_table *table,
                         struct fc_error *err)
{
    const struct fc_log_view *view = state->config->view;
    char place[FC_LOG_PLACE_SIZE];
    uint32_t index = 0;
    while (index + 1 < view->partition_count && view->partitions[index].start == 0) {
        index++;
    }
    return fc_fail(
        err, FC_ERR_REFUSED,
        "%s: retention has removed the log's beginning (%s starts at offset %" PRId64
        ") and there is no whole snapshot of the table after it, so not all of its rows "
        "are known",
        table->name, fc_log_view_place(view, index, place), view->partitions[index].start);
}

static fc_code fail_gone(const struct fc_fold_table *table, struct fc_error *err)
{
    char text[FC_TIME_TEXT_SIZE];
    return fc_fail(
        err, FC_ERR_NOT_FOUND,
        "%s does not exist at the cut: it was %s by transaction %s at %s; restore it with "
        "--before %s",
        table->name, table->gone_how, table->gone.tx_id,
        fc_time_text(table->gone.time_ms, text), table->gone.tx_id);
}

static fc_code fail_unknown(const struct fc_fold_state *state,
                            const struct fc_fold_table *table, struct fc_error *err)
{
    char names[NAMES_SHOWN_BYTES] = "";
    size_t length = 0;
    struct fc_fold_name *name;
    for (size_t cursor = 0; (name = fc_fold_names_next(&state->names, &cursor)) != NULL;) {
        if (name == fc_fold_names_get(&state->names, table->db, table->table)) {
            continue;
        }
        int more = snprintf(names + length, sizeof(names) - length, "%s%s.%s",
                            length == 0 ? "" : ", ", name->db, name->table);
        if (more < 0 || length + (size_t)more >= sizeof(names)) {
            (void)snprintf(names + length, sizeof(names) - length, "%s", " ...");
            break;
        }
        length += (size_t)more;
    }
    return fc_fail(err, FC_ERR_NOT_FOUND,
                   "the log has no table %s up to number %" PRIu64 "; it has %s", table->name,
                   state->config->cut_seq, length == 0 ? "none" : names);
}

/* A table that was created and never had a row: its columns are nowhere in the log. */
static fc_code note_shapeless(struct fc_fold_state *state, const struct fc_fold_table *table,
                              struct fc_error *err)
{
    char *longer;
    if (table->asked_for) {
        return fc_fail(
            err, FC_ERR_REFUSED,
            "%s existed at the cut but had never had a row, so the log does not know its "
            "columns; create it by hand",
            table->name);
    }
    longer = fc_asprintf("%s%s existed at the cut but had never had a row: not restored\n",
                         state->notes, table->name);
    free(state->notes);
    state->notes = longer;
    return FC_OK;
}

/* Whether the table is part of the result. */
static fc_code judge_table(struct fc_fold_state *state, const struct fc_fold_table *table,
                           bool *out_keep, struct fc_error *err)
{
    *out_keep = false;
    if (table->base == FC_BASE_GONE) {
        return table->asked_for ? fail_gone(table, err) : FC_OK;
    }
    if (!table->met) {
        return table->asked_for ? fail_unknown(state, table, err) : FC_OK;
    }
    if (table->base == FC_BASE_UNKNOWN || table->base == FC_BASE_SNAPSHOT) {
        return fail_incomplete(state, table, err);
    }
    if (!table->trusted) {
        return fail_lost(state, table, err);
    }
    if (table->versions.count == 0) {
        return note_shapeless(state, table, err);
    }
    *out_keep = true;
    return FC_OK;
}

/* --- dead letters ------------------------------------------------------------------------ */

static void count_dead_letter(struct fc_fold_state *state, const struct fc_record *record)
{
    const struct fc_schema *schema;
    struct fc_fold_name *name;
    struct fc_identity identity;
    struct fc_error ignored;
    bool met;
    if (fc_identity_of(record, &identity, &ignored) != FC_OK || !identity.has_schema ||
        identity.seq > state->config->cut_seq ||
        !fc_slice_equal_text(identity.connector, state->config->view->connector) ||
        fc_fold_names_of_schema(&state->names, identity.schema_id, &schema, &name, &met,
                                &ignored) != FC_OK) {
        return;
    }
    for (uint32_t index = 0; index < name->use_count; index++) {
        if (identity.seq >= name->uses[index].from && identity.seq <= name->uses[index].to) {
            name->uses[index].table->dead_letters++;
        }
    }
}

/* Changes that were not written where they belong are missing from what was folded. */
static fc_code count_dead_letters(struct fc_fold_state *state, struct fc_error *err)
{
    struct fc_topic *topic = state->config->view->dead_letters;
    fc_code code = FC_OK;
    for (uint32_t partition = 0;
         topic != NULL && code == FC_OK && partition < fc_topic_partitions(topic);
         partition++) {
        struct fc_stream_reader *reader = NULL;
        struct fc_offsets offsets;
        code = fc_stream_offsets(topic, partition, &offsets, err);
        if (code == FC_OK) {
            code = fc_stream_reader_open(topic, partition, offsets.start, &reader, err);
        }
        while (code == FC_OK && fc_stream_reader_offset(reader) < offsets.end) {
            const struct fc_record *records = NULL;
            uint32_t count = 0;
            code = fc_stream_reader_next(reader, 0, &records, &count, err);
            for (uint32_t index = 0; code == FC_OK && index < count; index++) {
                count_dead_letter(state, &records[index]);
            }
            if (count == 0) {
                break;
            }
        }
        fc_stream_reader_close(reader);
    }
    return code;
}

fc_code fc_fold_judge(struct fc_fold_state *state, struct fc_error *err)
{
    uint32_t kept = 0;
    fc_code code = count_dead_letters(state, err);
    for (uint32_t index = 0; index < state->table_count; index++) {
        struct fc_fold_table *table = state->tables[index];
        bool keep = false;
        if (code == FC_OK) {
            code = judge_table(state, table, &keep, err);
        }
        if (keep || code != FC_OK) {
            state->tables[kept++] = table; /* after a failure the caller frees them all */
        } else {
            fc_fold_table_free(table);
        }
    }
    state->table_count = kept;
    if (code == FC_OK && kept == 0) {
        code = fc_fail(err, FC_ERR_NOT_FOUND, "no captured table exists at number %" PRIu64,
                       state->config->cut_seq);
    }
    return code;
}
