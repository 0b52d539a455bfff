/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An attempt folds by the lineage that is known when it begins. What it meets on the way (a
 * rename, a restore marker) may show that a table's path is another one; then it is done again,
 * with all names and statements up to the cut known from the start, so the second attempt is
 * right.
 */
#include "runner/restore/fold.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/restore/fold_pass.h"
#include "runner/restore/fold_verdict.h"

enum { FOLD_ATTEMPTS_MAX = 3, FOLD_PARTITIONS_MAX = 65535 };

static void drop_tables(struct fc_fold_state *state)
{
    for (uint32_t index = 0; index < state->table_count; index++) {
        fc_fold_table_free(state->tables[index]);
    }
    state->table_count = 0;
    fc_fold_names_forget_uses(&state->names);
    fc_fold_room_release(&state->room);
}

/* The tables that are asked for by name, and those met so far. */
static void add_known_tables(struct fc_fold_state *state)
{
    const struct fc_fold_config *config = state->config;
    struct fc_fold_name **known = NULL;
    struct fc_fold_name *name;
    uint32_t count = 0;
    bool met;
    bool by_name;
    for (uint32_t index = 0; index < config->table_count; index++) {
        const char *dot = strchr(config->tables[index], '.');
        if (dot != NULL && strcmp(dot, ".*") != 0) {
            char *db = fc_strndup(config->tables[index], (size_t)(dot - config->tables[index]));
            (void)fc_fold_names_add(&state->names, db, dot + 1, &met);
            free(db);
        }
    }
    for (size_t cursor = 0; (name = fc_fold_names_next(&state->names, &cursor)) != NULL;) {
        known = fc_realloc_array(known, count + 1, sizeof(struct fc_fold_name *));
        known[count++] = name;
    }
    for (uint32_t index = 0; index < count; index++) {
        if (fc_fold_wants(config, known[index]->db, known[index]->table, &by_name)) {
            (void)fc_fold_state_add(state, known[index]->db, known[index]->table, by_name);
        }
    }
    free(known);
}

/* Walk until each key had its turn. */
static fc_code run_passes(struct fc_fold_state *state, uint32_t *passes, struct fc_error *err)
{
    fc_code code;
    do {
        ++*passes;
        code = fc_fold_walk(state, err);
        for (uint32_t index = 0; code == FC_OK && !state->again && index < state->table_count;
             index++) {
            fc_fold_table_end(state->tables[index]);
        }
    } while (code == FC_OK && !state->again && fc_fold_room_next_pass(&state->room));
    return code;
}

static fc_code run_attempts(struct fc_fold_state *state, uint32_t *passes, struct fc_error *err)
{
    fc_code code = fc_fold_note_statements(state, err);
    for (int attempt = 0; code == FC_OK; attempt++) {
        fc_assert(attempt < FOLD_ATTEMPTS_MAX); /* the first one has learnt all there is */
        state->again = false;
        *passes = 0;
        fc_fold_room_init(&state->room, state->config->memory_bytes);
        add_known_tables(state);
        code = run_passes(state, passes, err);
        if (state->again || fc_fold_lineage_changed(state)) {
            code =
                code == FC_ERR_CLOSED ? code : FC_OK; /* it may have failed for that reason */
        } else {
            return code;
        }
        drop_tables(state);
    }
    return code;
}

static int compare_tables(const void *a, const void *b)
{
    const struct fc_fold_table *x = *(struct fc_fold_table *const *)a;
    const struct fc_fold_table *y = *(struct fc_fold_table *const *)b;
    int by_db = strcmp(x->db, y->db);
    return by_db != 0 ? by_db : strcmp(x->table, y->table);
}

fc_code fc_fold_run(const struct fc_fold_config *config, struct fc_fold **out_fold,
                    struct fc_error *err)
{
    struct fc_fold *fold = fc_new(struct fc_fold);
    struct fc_fold_state state;
    fc_code code = FC_OK;
    memset(&state, 0, sizeof(state));
    state.config = config;
    state.notes = fc_strdup("");
    fc_lineage_init(&state.lineage);
    fc_fold_names_init(&state.names, config->view->schemas);
    if (config->memory_bytes < FC_FOLD_MEMORY_MIN ||
        config->view->partition_count > FOLD_PARTITIONS_MAX) {
        code = fc_fail(err, FC_ERR_CONFIG, "--memory must be at least %d bytes",
                       FC_FOLD_MEMORY_MIN);
    }
    if (code == FC_OK) {
        code = run_attempts(&state, &fold->passes, err);
    }
    if (code == FC_OK) {
        code = fc_fold_judge(&state, err);
    }
    for (uint32_t index = 0; index < state.table_count; index++) {
        fc_keymap_release(&state.tables[index]->places);
        fc_keymap_release(&state.tables[index]->copies);
    }
    fold->tables = state.tables;
    fold->table_count = state.table_count;
    fold->notes = state.notes;
    fc_fold_room_release(&state.room);
    fc_fold_names_release(&state.names);
    fc_lineage_release(&state.lineage);
    if (code != FC_OK) {
        fc_fold_free(fold);
        return code;
    }
    if (fold->table_count > 1) {
        qsort(fold->tables, fold->table_count, sizeof(struct fc_fold_table *), compare_tables);
    }
    *out_fold = fold;
    return FC_OK;
}

void fc_fold_free(struct fc_fold *fold)
{
    if (fold != NULL) {
        for (uint32_t index = 0; index < fold->table_count; index++) {
            fc_fold_table_free(fold->tables[index]);
        }
        free(fold->tables);
        free(fold->notes);
        free(fold);
    }
}
