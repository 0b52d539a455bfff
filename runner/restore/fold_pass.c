/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/fold_pass.h"

#include <inttypes.h>
#include <stdlib.h>

#include <jansson.h>

#include "core/base/alloc.h"

enum { CHECK_EVERY_RECORDS = 4096 };

/* --- tables ------------------------------------------------------------------------------ */

bool fc_fold_wants(const struct fc_fold_config *config, const char *db, const char *table,
                   bool *out_by_name)
{
    size_t db_length = strlen(db);
    bool wanted = config->table_count == 0;
    *out_by_name = false;
    for (uint32_t index = 0; index < config->table_count; index++) {
        const char *asked = config->tables[index];
        if (strncmp(asked, db, db_length) != 0 || asked[db_length] != '.') {
            continue;
        }
        if (strcmp(asked + db_length + 1, "*") == 0) {
            wanted = true;
        } else if (strcmp(asked + db_length + 1, table) == 0) {
            wanted = true;
            *out_by_name = true;
        }
    }
    return wanted;
}

struct fc_fold_table *fc_fold_state_add(struct fc_fold_state *state, const char *db,
                                        const char *table, bool asked_for)
{
    struct fc_fold_table *added = fc_fold_table_new(db, table, &state->room);
    added->asked_for = asked_for;
    fc_lineage_resolve(&state->lineage, db, table, state->config->cut_seq, &added->path);
    if (state->table_count == state->table_capacity) {
        state->table_capacity = state->table_capacity * 2 + 16;
        state->tables = fc_realloc_array(state->tables, state->table_capacity,
                                         sizeof(struct fc_fold_table *));
    }
    state->tables[state->table_count++] = added;
    fc_fold_names_use(&state->names, added);
    fc_fold_table_begin(added, state->lost_seq);
    return added;
}

static struct fc_fold_table *table_named(const struct fc_fold_state *state, const char *db,
                                         const char *table)
{
    for (uint32_t index = 0; index < state->table_count; index++) {
        if (strcmp(state->tables[index]->db, db) == 0 &&
            strcmp(state->tables[index]->table, table) == 0) {
            return state->tables[index];
        }
    }
    return NULL;
}

bool fc_fold_lineage_changed(const struct fc_fold_state *state)
{
    struct fc_fold_name *name;
    bool by_name;
    for (uint32_t index = 0; index < state->table_count; index++) {
        const struct fc_fold_table *table = state->tables[index];
        struct fc_lineage_path path;
        bool same;
        fc_lineage_resolve(&state->lineage, table->db, table->table, state->config->cut_seq,
                           &path);
        same = fc_lineage_path_equal(&path, &table->path);
        fc_lineage_path_release(&path);
        if (!same) {
            return true;
        }
    }
    for (size_t cursor = 0; (name = fc_fold_names_next(&state->names, &cursor)) != NULL;) {
        if (fc_fold_wants(state->config, name->db, name->table, &by_name) &&
            table_named(state, name->db, name->table) == NULL) {
            return true;
        }
    }
    return false;
}

/* A name that a record of this walk has brought up. */
static void meet_name(struct fc_fold_state *state, const struct fc_fold_name *name)
{
    bool by_name;
    struct fc_fold_table *table;
    if (!fc_fold_wants(state->config, name->db, name->table, &by_name) ||
        table_named(state, name->db, name->table) != NULL) {
        return;
    }
    table = fc_fold_state_add(state, name->db, name->table, by_name);
    state->again = state->again || table->path.count > 1;
}

/* --- records ----------------------------------------------------------------------------- */

/*
 * Rows of a snapshot are numbered table by table, while all that was read between two transactions
 * has one number. So in a log of several partitions the last row of a small table may come before
 * its others, which stand behind the rows of a larger table in their partition.
 */
static bool is_late(const struct fc_fold_name *name, const struct fc_identity *identity)
{
    return identity->op == 'r' && identity->seq <= name->whole_seq;
}

static void count_snapshots(struct fc_fold_state *state, struct fc_fold_name *name, char op)
{
    bool under_way = op == 'r';
    if (under_way != name->in_snapshot) {
        name->in_snapshot = under_way;
        state->in_snapshot += under_way ? 1 : UINT32_MAX; /* one more or one less */
    }
    state->snapshot_done += under_way ? 0 : 1;
}

static fc_code take_row(struct fc_fold_state *state, const struct fc_scan_item *item,
                        struct fc_error *err)
{
    const struct fc_schema *schema = NULL;
    struct fc_fold_name *name = NULL;
    char op = item->identity.op;
    bool met = false;
    bool late;
    fc_code code = FC_OK;
    if (!item->identity.has_schema) {
        return fc_fail(err, FC_ERR_CORRUPT, "record of number %" PRIu64 " has no table schema",
                       item->identity.seq);
    }
    code = fc_fold_names_of_schema(&state->names, item->identity.schema_id, &schema, &name,
                                   &met, err);
    if (code != FC_OK) {
        return code;
    }
    if (met) {
        meet_name(state, name);
    }
    late = is_late(name, &item->identity);
    if ((op == 'r' && !late) || op == 'e' || op == 'E') {
        count_snapshots(state, name, op);
    }
    name->whole_seq = op == 'e' ? item->identity.seq : name->whole_seq;
    for (uint32_t index = 0; code == FC_OK && index < name->use_count; index++) {
        const struct fc_fold_use *use = &name->uses[index];
        if (item->identity.seq >= use->from && item->identity.seq <= use->to) {
            code = fc_fold_table_row(use->table, &state->room, item, late, schema,
                                     state->lost_seq, err);
        }
    }
    return code;
}

/* The table that a truncate without schema names in its value. */
static fc_code truncated_name(struct fc_fold_state *state, const struct fc_scan_item *item,
                              struct fc_fold_name **out_name, struct fc_error *err)
{
    struct fc_envelope_parts parts;
    bool met;
    fc_code code = fc_envelope_split(item->record->value, &parts, err);
    if (code != FC_OK) {
        return code;
    }
    json_t *source = json_loadb((const char *)parts.source.data, parts.source.len, 0, NULL);
    const char *db = json_string_value(json_object_get(source, "db"));
    const char *table = json_string_value(json_object_get(source, "table"));
    if (db == NULL || table == NULL) {
        code = fc_fail(err, FC_ERR_CORRUPT, "TRUNCATE of number %" PRIu64 " names no table",
                       item->identity.seq);
    } else {
        *out_name = fc_fold_names_add(&state->names, db, table, &met);
    }
    json_decref(source);
    return code;
}

static fc_code take_truncate(struct fc_fold_state *state, const struct fc_scan_item *item,
                             struct fc_error *err)
{
    const struct fc_schema *schema;
    struct fc_fold_name *name = NULL;
    uint64_t seq = item->identity.seq;
    bool met = false;
    fc_code code = item->identity.has_schema
                       ? fc_fold_names_of_schema(&state->names, item->identity.schema_id,
                                                 &schema, &name, &met, err)
                       : truncated_name(state, item, &name, err);
    if (code != FC_OK) {
        return code;
    }
    meet_name(state, name);
    for (uint32_t index = 0; index < name->use_count; index++) {
        const struct fc_fold_use *use = &name->uses[index];
        if (seq >= use->from && seq <= use->to) {
            fc_fold_table_truncate(use->table, seq, state->lost_seq);
        }
    }
    return FC_OK;
}

/* Names that a statement brings up may be those of tables at the cut. */
static void meet_statement(struct fc_fold_state *state, const struct fc_lineage_event *event)
{
    for (uint32_t index = 0; index < event->table_count; index++) {
        const struct fc_lineage_table *pair = &event->tables[index];
        bool met;
        if (pair->table != NULL) {
            meet_name(state, fc_fold_names_add(&state->names, pair->db, pair->table, &met));
        }
        if (pair->new_table != NULL) {
            meet_name(state,
                      fc_fold_names_add(&state->names, pair->new_db, pair->new_table, &met));
        }
    }
}

static fc_code take_statement(struct fc_fold_state *state, const struct fc_scan_item *item,
                              struct fc_error *err)
{
    const struct fc_lineage_event *event = NULL;
    bool settled = state->in_snapshot == 0 && state->snapshot_done > 0;
    fc_code code = fc_lineage_note(&state->lineage, item, &event, err);
    if (code != FC_OK) {
        return code;
    }
    meet_statement(state, event);
    for (uint32_t index = 0; index < state->table_count; index++) {
        fc_fold_table_ddl(state->tables[index], event, settled, state->lost_seq);
    }
    return FC_OK;
}

/* A walk that has to be done again still learns of names and statements. */
static fc_code learn(struct fc_fold_state *state, const struct fc_scan_item *item,
                     struct fc_error *err)
{
    const struct fc_schema *schema;
    struct fc_fold_name *name;
    bool met;
    if (item->identity.op == 's' || item->identity.op == 'm') {
        return take_statement(state, item, err);
    }
    return item->identity.has_schema
               ? fc_fold_names_of_schema(&state->names, item->identity.schema_id, &schema,
                                         &name, &met, err)
               : FC_OK;
}

static fc_code take(struct fc_fold_state *state, const struct fc_scan_item *item,
                    struct fc_error *err)
{
    switch (item->identity.op) {
    case 's':
    case 'm':
        return take_statement(state, item, err);
    case 't':
        return take_truncate(state, item, err);
    case 'x':
        return FC_OK;
    default:
        return take_row(state, item, err);
    }
}

/* --- walks ------------------------------------------------------------------------------- */

static fc_code check(const struct fc_fold_state *state, const struct fc_scan *scan,
                     uint64_t total, struct fc_error *err)
{
    const struct fc_fold_config *config = state->config;
    if (config->stop != NULL && atomic_load(config->stop)) {
        return fc_fail(err, FC_ERR_CLOSED, "stopped");
    }
    if (config->on_progress != NULL) {
        config->on_progress(config->ctx, fc_scan_passed(scan), total);
    }
    return FC_OK;
}

static fc_code fail_at(const struct fc_fold_state *state, const struct fc_scan_item *item,
                       struct fc_error *err)
{
    char place[FC_LOG_PLACE_SIZE];
    return fc_wrap(err, "%s offset %" PRId64,
                   fc_log_view_place(state->config->view, item->partition, place),
                   item->record->offset);
}

fc_code fc_fold_walk(struct fc_fold_state *state, struct fc_error *err)
{
    const struct fc_log_view *view = state->config->view;
    struct fc_scan *scan = NULL;
    struct fc_scan_item item;
    uint64_t total = 0;
    uint64_t count = 0;
    struct fc_error
        failure; /* of taking a record; the rest may show that it was taken wrongly */
    fc_code failed = FC_OK;
    fc_code code = fc_scan_open(view, state->config->cut_seq, &scan, err);
    if (code != FC_OK) {
        return code;
    }
    for (uint32_t index = 0; index < view->partition_count; index++) {
        total += (uint64_t)(view->partitions[index].end - view->partitions[index].start);
    }
    state->lost_seq = fc_scan_lost_seq(scan);
    state->in_snapshot = 0;
    state->snapshot_done = 0;
    for (uint32_t index = 0; index < state->table_count; index++) {
        fc_fold_table_begin(state->tables[index], state->lost_seq);
    }
    while (code == FC_OK && fc_scan_next(scan, &item, &code, err)) {
        if (++count % CHECK_EVERY_RECORDS == 0) {
            code = check(state, scan, total, err);
        }
        if (code == FC_OK && (state->again || failed != FC_OK)) {
            code = learn(state, &item, err);
            code = code == FC_OK ? FC_OK : fail_at(state, &item, err);
        } else if (code == FC_OK) {
            failed = take(state, &item, &failure);
            failed = failed == FC_OK ? FC_OK : fail_at(state, &item, &failure);
        }
    }
    fc_scan_close(scan);
    if (code == FC_OK && failed != FC_OK) {
        *err = failure;
        code = failed;
    }
    return code;
}

static void add_new_names(struct fc_fold_state *state, const struct fc_lineage_event *event)
{
    for (uint32_t index = 0; index < event->table_count; index++) {
        const struct fc_lineage_table *pair = &event->tables[index];
        bool met;
        if (pair->new_table != NULL) {
            (void)fc_fold_names_add(&state->names, pair->new_db, pair->new_table, &met);
        }
    }
}

fc_code fc_fold_note_statements(struct fc_fold_state *state, struct fc_error *err)
{
    struct fc_log_view some = *state->config->view;
    struct fc_scan *scan = NULL;
    struct fc_scan_item item;
    fc_code code = FC_OK;
    some.partitions = fc_new_array(struct fc_log_partition, some.partition_count + 1);
    some.partition_count = 0;
    for (uint32_t index = 0; index < state->config->view->partition_count; index++) {
        const struct fc_log_partition *partition = &state->config->view->partitions[index];
        if (partition->ddl && !partition->data) {
            some.partitions[some.partition_count++] = *partition;
        }
    }
    code = fc_scan_open(&some, state->config->cut_seq, &scan, err);
    while (code == FC_OK && fc_scan_next(scan, &item, &code, err)) {
        const struct fc_lineage_event *event;
        if (item.identity.op == 's' || item.identity.op == 'm') {
            code = fc_lineage_note(&state->lineage, &item, &event, err);
            if (code == FC_OK) {
                add_new_names(state, event);
            }
        }
    }
    fc_scan_close(scan);
    free(some.partitions);
    return code;
}
