/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk over records that survived a fold, of some tables, in the order of their transactions.
 * Stretches of the log that hold none of them are passed over.
 *
 * Thread: one at a time.
 */
#ifndef FC_RESTORE_SURVIVOR_WALK_H
#define FC_RESTORE_SURVIVOR_WALK_H

#include "runner/restore/fold.h"

/* Which of a table's survivors. */
typedef enum fc_survivor_kind {
    FC_SURVIVORS_ASCENDING = 1, /* see struct fc_survivors */
    FC_SURVIVORS_DISPLACED = 2,
    FC_SURVIVORS_ALL = 3
} fc_survivor_kind;

struct fc_survivor {
    const struct fc_record *record;
    struct fc_identity identity;
    uint32_t partition;   /* of the view */
    uint32_t table_index; /* in the tables of the walk */
};

struct fc_survivor_walk;

/* The view and the tables outlive the walk. */
FC_MUST_CHECK fc_code fc_survivor_walk_open(const struct fc_log_view *view,
                                            struct fc_fold_table *const *tables,
                                            uint32_t table_count, fc_survivor_kind kind,
                                            struct fc_survivor_walk **out_walk,
                                            struct fc_error *err);
void fc_survivor_walk_close(struct fc_survivor_walk *walk); /* NULL is fine */

/*
 * The next one, borrowed until the call after; NULL at the end. FC_ERR_CORRUPT: a record that is
 * gone or is not a capture's.
 */
FC_MUST_CHECK fc_code fc_survivor_walk_next(struct fc_survivor_walk *walk,
                                            const struct fc_survivor **out_survivor,
                                            struct fc_error *err);

#endif
