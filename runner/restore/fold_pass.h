/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk of a fold over the log, and what it learns on the way.
 *
 * Thread: one at a time.
 */
#ifndef FC_RESTORE_FOLD_PASS_H
#define FC_RESTORE_FOLD_PASS_H

#include "runner/restore/fold.h"
#include "runner/restore/fold_names.h"

struct fc_fold_state {
    const struct fc_fold_config *config;
    struct fc_lineage lineage; /* grows with each walk */
    struct fc_fold_names names;
    struct fc_fold_room room;
    struct fc_fold_table **tables;
    uint32_t table_count;
    uint32_t table_capacity;
    bool again;             /* this walk went by a lineage that turned out wrong */
    uint64_t lost_seq;      /* fc_scan_lost_seq of the walk */
    uint32_t in_snapshot;   /* tables whose snapshots are under way */
    uint32_t snapshot_done; /* tables whose snapshots are complete */
    char *notes;            /* see struct fc_fold; owned */
};

/* Whether the fold is asked for this table; by_name: by its very name. */
bool fc_fold_wants(const struct fc_fold_config *config, const char *db, const char *table,
                   bool *out_by_name);

/* Add the table that has this name at the cut. */
struct fc_fold_table *fc_fold_state_add(struct fc_fold_state *state, const char *db,
                                        const char *table, bool asked_for);

/* Note statements and markers of the partitions that hold nothing else. */
FC_MUST_CHECK fc_code fc_fold_note_statements(struct fc_fold_state *state,
                                              struct fc_error *err);

/* Walk once, folding the keys that the room takes. */
FC_MUST_CHECK fc_code fc_fold_walk(struct fc_fold_state *state, struct fc_error *err);

/* After a walk: whether the lineage known now gives other tables or paths than it went by. */
bool fc_fold_lineage_changed(const struct fc_fold_state *state);

#endif
