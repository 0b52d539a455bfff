/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A restore: folded tables go into a target, several at a time, each into a staging table that
 * is compared with the log; when all of them are there, they become live one after another.
 *
 * Until the first becomes live nothing that existed is touched, and a restore that fails or is
 * interrupted before that leaves nothing behind.
 *
 * Threads: new, check, run and free from one; interrupt from any while the restore exists. run
 * starts one thread a table that is under way.
 */
#ifndef FC_RESTORE_RESTORE_H
#define FC_RESTORE_RESTORE_H

#include "runner/restore/emit.h"
#include "runner/restore/table_load.h"

struct fc_restore_place {
    const char *db;
    const char *table;
};

typedef enum fc_restore_phase { FC_RESTORE_LOADING, FC_RESTORE_VERIFYING } fc_restore_phase;

struct fc_restore_config {
    const struct fc_log_view *view;
    const struct fc_fold *fold;
    const struct fc_restore_place *into; /* for each table of the fold */
    const struct fc_target_ops *ops;
    const struct fc_host *host;
    bool replace;
    bool write_binlog;
    bool verify;
    uint32_t parallel;    /* tables at a time */
    size_t sort_bytes;    /* of memory, to put rows in order; 0: they come as they are */
    const char *sort_dir; /* takes what is over it */
    /* On the thread of run; rows. May be NULL. */
    void (*on_progress)(void *ctx, fc_restore_phase phase, uint64_t done, uint64_t total);
    void *ctx;
};

struct fc_restore;

/* Everything in config outlives the restore. Connects to the target. */
FC_MUST_CHECK fc_code fc_restore_new(const struct fc_restore_config *config,
                                     struct fc_restore **out_restore, struct fc_error *err);
void fc_restore_free(struct fc_restore *restore); /* NULL is fine */

/*
 * Look at the destinations. out_infos has a place for each table of the fold. FC_ERR_REFUSED when
 * one holds rows and replace is not set.
 */
FC_MUST_CHECK fc_code fc_restore_check(struct fc_restore *restore,
                                       struct fc_table_info *out_infos, struct fc_error *err);

/* Once. After a failure the results say which tables are live already. */
FC_MUST_CHECK fc_code fc_restore_run(struct fc_restore *restore, struct fc_error *err);

/* Of the table with that index in the fold, after run. */
const struct fc_table_load_result *fc_restore_result(const struct fc_restore *restore,
                                                     uint32_t index);

/* Make run end soon, with FC_ERR_CLOSED unless all is live already. */
void fc_restore_interrupt(struct fc_restore *restore);

#endif
